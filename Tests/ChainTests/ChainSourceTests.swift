import Bitcoin
import Encoding
import Hashing
import Secp256k1
import Testing

@testable import Chain

@Suite("Every chain source")
struct ChainSourceTests {
  @Test("tells where it is, and what it has there", arguments: Backend.available)
  func position(_ backend: Backend) async throws {
    try await backend.run { chain in
      let source = chain.source
      #expect(source.network == .regtest)
      #expect(try await source.blockHash(at: 0) == Network.regtest.genesisBlockHash)
      let tip = try await source.tip()
      #expect(tip.height >= 101)
      #expect(try await source.blockHash(at: tip.height) == tip.hash)
      #expect(try await source.blockHash(at: tip.height + 1) == nil)
      let block = try await source.block(tip.hash)
      #expect(block.hash == tip.hash)
      #expect(block.isConsistent)
      #expect(block.header.hasProofOfWork(limit: Network.regtest.proofOfWorkLimit))
      #expect(try await source.header(of: tip.hash) == block.header)
      #expect(try await source.blockHash(at: tip.height - 1) == block.header.previousBlock)
      let unknown = BlockHash(sha256([1, 2, 3]))
      await #expect(throws: ChainError.unknownBlock(unknown)) { try await source.block(unknown) }
      await #expect(throws: ChainError.unknownBlock(unknown)) { try await source.header(of: unknown) }
      let next = try await chain.mine(3)
      #expect(next.height == tip.height + 3)
      #expect(try await source.tip() == next)
    }
  }

  @Test("knows unspent outputs with and without the mempool", arguments: Backend.available)
  func outputs(_ backend: Backend) async throws {
    try await backend.run { chain in
      let source = chain.source
      let outPoint = try await chain.send(Satoshi(70_000), to: SpendableCoin.script)
      #expect(try await source.unspentOutput(outPoint) == nil)
      let waiting = try await source.unspentOutput(outPoint, includingMempool: true)
      let output = TxOutput(value: Satoshi(70_000), scriptPubKey: SpendableCoin.script)
      #expect(waiting == UnspentOutput(output: output, confirmationHeight: nil, isCoinbase: false))
      let tip = try await chain.mine(1)
      let confirmed = UnspentOutput(output: output, confirmationHeight: tip.height, isCoinbase: false)
      #expect(try await source.unspentOutput(outPoint) == confirmed)
      try await chain.mine(2)
      #expect(try await source.unspentOutput(outPoint) == confirmed)
      let spending = spend([SpendableCoin(outPoint, 70_000)], fee: 1000)
      try await source.submit(spending)
      #expect(try await source.unspentOutput(outPoint) == confirmed)
      #expect(try await source.unspentOutput(outPoint, includingMempool: true) == nil)
      let other = OutPoint(txid: outPoint.txid, vout: 77)
      #expect(try await source.mempoolSpenders(of: [other, outPoint]) == [outPoint: spending.txid])
      #expect(try await source.mempoolSpenders(of: []) == [:])
      try await chain.mine(1)
      #expect(try await source.unspentOutput(outPoint) == nil)
      #expect(try await source.mempoolSpenders(of: [other, outPoint]) == [:])
      let coinbase = try await source.block(try await source.tip().hash).transactions[0]
      let reward = try await source.unspentOutput(OutPoint(txid: coinbase.txid, vout: 0))
      #expect(reward?.isCoinbase == true)
      #expect(reward?.output == coinbase.outputs[0])
    }
  }

  @Test("takes a transaction, finds it, and confirms it", arguments: Backend.available)
  func submission(_ backend: Backend) async throws {
    try await backend.run { chain in
      let source = chain.source
      let transaction = spend([try await chain.coin()], fee: 500)
      let test = try await source.testAccept([transaction])
      #expect(
        test == [
          AcceptanceTest(
            txid: transaction.txid, outcome: .accepted(fee: Satoshi(500), virtualSize: transaction.virtualSize))
        ])
      #expect(try await source.transaction(transaction.txid) == nil)
      try await source.submit(transaction)
      #expect(
        try await source.transaction(transaction.txid) == LocatedTransaction(transaction: transaction, block: nil))
      // Sending again is no error: it is how a node makes sure.
      try await source.submit(transaction)
      #expect(try await source.testAccept([transaction]).first?.refusal?.kind == .alreadyInMempool)
      let tip = try await chain.mine(1)
      let block = try await source.block(tip.hash)
      #expect(block.transactions.dropFirst() == [transaction])
      #expect(
        try await source.transaction(transaction.txid, in: tip.hash)
          == LocatedTransaction(transaction: transaction, block: tip))
      #expect(try await chain.refusal(transaction)?.kind == .alreadyConfirmed)
    }
  }

  @Test("says why it refuses a transaction", arguments: Backend.available)
  func refusals(_ backend: Backend) async throws {
    try await backend.run { chain in
      let coin = try await chain.coin()
      let nowhere = SpendableCoin(OutPoint(txid: TxID(sha256([7])), vout: 3), 1_000_000)
      #expect(try await chain.refusal(spend([nowhere], fee: 500))?.kind == .missingInputs)
      #expect(try await chain.refusal(spend([coin], fee: 0))?.kind == .feeTooLow)
      var doubled = spend([coin, coin], fee: 500)
      doubled.outputs[0].value = Satoshi(900_000)
      #expect(try await chain.refusal(doubled)?.kind == .rule(.duplicateInputs))
      var greedy = spend([coin], fee: 0)
      greedy.outputs[0].value = Satoshi(1_000_001)
      #expect(try await chain.refusal(greedy)?.kind == .rule(.inputsBelowOutputs))
      let dust = TxOutput(value: Satoshi(293), scriptPubKey: .p2wpkh(hash160([9])))
      #expect(try await chain.refusal(spend([coin], fee: 500, adding: [dust]))?.kind == .dust)
      let odd = TxOutput(value: Satoshi(1000), scriptPubKey: Script([Opcode.add.rawValue]))
      #expect(try await chain.refusal(spend([coin], fee: 500, adding: [odd]))?.kind == .nonStandard)
      #expect(try await chain.refusal(spend([coin], fee: 500, version: 4))?.kind == .nonStandard)
      var pushing = spend([coin], fee: 500)
      pushing.inputs[0].scriptSig = Script([Opcode.dup.rawValue])
      #expect(try await chain.refusal(pushing)?.kind == .nonStandard)
      // All is refused, nothing stays.
      #expect(try await chain.refusal(spend([coin], fee: 500)) == nil)
    }
  }

  @Test("refuses what the interpreter refuses, with its reason", arguments: Backend.available)
  func scripts(_ backend: Backend) async throws {
    try await backend.run { chain in
      let key = try SecretKey(sha256([42]))
      let other = try SecretKey(sha256([43]))
      let outPoint = try await chain.send(Satoshi(50_000), to: .p2wpkh(key.publicKey))
      let coin = try await chain.coin()
      let good = try spend(outPoint, 50_000, key: key, fee: 500)
      var wrongKey = try spend(outPoint, 50_000, key: other, fee: 500)
      #expect(try await chain.refusal(wrongKey)?.kind == .script(.equalVerify))
      wrongKey.inputs[0].witness.elements[1] = key.publicKey.bytes.array
      #expect(try await chain.refusal(wrongKey)?.kind == .script(.nullFail))
      var moved = good
      moved.outputs[0].value = Satoshi(40_000)
      #expect(try await chain.refusal(moved)?.kind == .script(.nullFail))
      var wrongScript = spend([coin], fee: 500)
      wrongScript.inputs[0].witness = [[Opcode.op3.rawValue]]
      #expect(try await chain.refusal(wrongScript)?.kind == .script(.witnessProgramMismatch))
      var dirty = spend([coin], fee: 500)
      dirty.inputs[0].witness = [[1], SpendableCoin.witnessScript.bytes]
      #expect(try await chain.refusal(dirty)?.kind == .script(.cleanStack))
      #expect(try await chain.refusal(good) == nil)
    }
  }

  @Test("keeps transactions out until their locks are over, to the block", arguments: Backend.available)
  func locks(_ backend: Backend) async throws {
    try await backend.run { chain in
      let coin = try await chain.coin()
      let height = try await chain.source.tip().height
      // Final when the next block is higher than the lock time.
      #expect(try await chain.refusal(spend([coin], fee: 500, lockTime: height + 1))?.kind == .nonFinal)
      #expect(try await chain.source.testAccept([spend([coin], fee: 500, lockTime: height)])[0].isAccepted)
      #expect(
        try await chain.source.testAccept([spend([coin], fee: 500, sequence: .max, lockTime: height + 1)])[0].isAccepted
      )
      #expect(try await chain.refusal(spend([coin], fee: 500, lockTime: 4_000_000_000))?.kind == .nonFinal)
      // Confirmed at `height`: 3 blocks later is in block height + 3.
      let relative = spend([coin], fee: 500, sequence: 3)
      #expect(try await chain.refusal(relative)?.kind == .sequenceLocked)
      try await chain.mine(1)
      #expect(try await chain.refusal(relative)?.kind == .sequenceLocked)
      #expect(try await chain.refusal(spend([coin], fee: 500, sequence: 1 << 22 | 1))?.kind == .sequenceLocked)
      try await chain.mine(1)
      #expect(try await chain.refusal(relative) == nil)
      // BIP 68: an unconfirmed output is not yet old at all.
      #expect(
        try await chain.refusal(spend([SpendableCoin(of: relative)], fee: 500, sequence: 1))?.kind == .sequenceLocked)
      #expect(try await chain.refusal(spend([SpendableCoin(of: relative)], fee: 500, sequence: 0)) == nil)
    }
  }

  @Test("replaces by fee as BIP 125 says", arguments: Backend.available)
  func replacement(_ backend: Backend) async throws {
    try await backend.run { chain in
      let coin = try await chain.coin()
      let other = try await chain.coin()
      let first = spend([coin], fee: 1000, sequence: .max)
      let child = spend([SpendableCoin(of: first)], fee: 2000)
      #expect(try await chain.refusal(first) == nil)
      #expect(try await chain.refusal(child) == nil)
      // Rule 3 counts the descendants, rule 4 the relay of the newcomer.
      #expect(try await chain.refusal(spend([coin], fee: 900))?.kind == .conflict)
      #expect(try await chain.refusal(spend([coin], fee: 2999))?.kind == .conflict)
      let size = spend([coin], fee: 0).virtualSize
      #expect(try await chain.refusal(spend([coin], fee: 3000 + size / 20))?.kind == .conflict)
      // Rule 2: no new unconfirmed input.
      let parent = spend([other], fee: 1000)
      #expect(try await chain.refusal(parent) == nil)
      #expect(try await chain.refusal(spend([coin, SpendableCoin(of: parent)], fee: 20_000))?.kind == .conflict)
      #expect(try await chain.refusal(spend([coin, SpendableCoin(of: child)], fee: 20_000))?.kind != nil)
      #expect(try await chain.isInMempool(child))
      let final = spend([coin], fee: 3000 + size)
      #expect(try await chain.refusal(final) == nil)
      #expect(try await chain.isInMempool(final))
      #expect(try await !chain.isInMempool(first))
      #expect(try await !chain.isInMempool(child))
    }
  }

  @Test("refuses a second spending in the mempool and in the chain", arguments: Backend.available)
  func doubleSpending(_ backend: Backend) async throws {
    try await backend.run { chain in
      let coin = try await chain.coin()
      let first = spend([coin], fee: 1000)
      #expect(try await chain.refusal(first) == nil)
      #expect(try await chain.refusal(spend([coin], fee: 500))?.kind == .conflict)
      // A miner may know better.
      let second = spend([coin], fee: 400)
      try await chain.mine([second])
      #expect(try await !chain.isInMempool(first))
      #expect(try await chain.refusal(first)?.kind == .missingInputs)
      let coinbase = try await chain.source.block(try await chain.source.blockHash(at: 1)!).transactions[0]
      let young = try await chain.source.block(try await chain.source.tip().hash).transactions[0]
      #expect(coinbase.isCoinbase && young.isCoinbase)
      let early = SpendableCoin(of: young)
      #expect(try await chain.refusal(spend([early], fee: 10_000))?.kind == .immatureCoinbase)
    }
  }

  @Test("takes a version 3 parent without fee together with the child that pays", arguments: Backend.available)
  func packages(_ backend: Backend) async throws {
    try await backend.run { chain in
      let coin = try await chain.coin()
      let wallet = try await chain.coin(200_000)
      let anchor = TxOutput(value: .zero, scriptPubKey: .p2a)
      let parent = spend([coin], fee: 0, version: 3, adding: [anchor])
      let anchorInput = TxInput(previousOutput: OutPoint(txid: parent.txid, vout: 1))
      func child(fee: UInt64, version: UInt32 = 3, padding: Int = 0, withAnchor: Bool = true) -> Transaction {
        var transaction = spend(
          withAnchor ? [wallet] : [wallet, SpendableCoin(of: parent)], fee: fee, version: version, padding: padding)
        if withAnchor { transaction.inputs.append(anchorInput) }
        return transaction
      }
      #expect(try await chain.refusal(parent)?.kind == .feeTooLow)
      #expect(try await chain.refusal(child(fee: 5000))?.kind == .missingInputs)
      #expect(try await chain.refusal(package: [parent, child(fee: 100)])?.kind == .feeTooLow)
      #expect(try await chain.refusal(package: [parent, child(fee: 5000, version: 2)])?.kind == .truc)
      #expect(try await chain.refusal(package: [parent, child(fee: 50_000, padding: 30)])?.kind == .truc)
      // The anchor of no value must be spent, and the fee of its transaction must be zero.
      #expect(try await chain.refusal(package: [parent, child(fee: 5000, withAnchor: false)])?.kind == .dust)
      let paying = spend([coin], fee: 500, version: 3, adding: [anchor])
      #expect(try await chain.refusal(paying)?.kind == .dust)
      #expect(try await !chain.isInMempool(parent))
      let first = child(fee: 5000)
      #expect(try await chain.refusal(package: [parent, first]) == nil)
      #expect(try await chain.isInMempool(parent))
      #expect(try await chain.isInMempool(first))
      // Again is no error.
      #expect(try await chain.refusal(package: [parent, first]) == nil)
      // BIP 431 rule 3: one ancestor, one descendant.
      #expect(try await chain.refusal(spend([SpendableCoin(of: first)], fee: 5000, version: 3))?.kind == .truc)
      #expect(try await chain.refusal(spend([SpendableCoin(of: first)], fee: 5000))?.kind == .truc)
      // A better child replaces the first.
      let second = child(fee: 9000)
      #expect(try await chain.refusal(second) == nil)
      #expect(try await !chain.isInMempool(first))
      let tip = try await chain.mine(1)
      let block = try await chain.source.block(tip.hash)
      #expect(block.transactions.dropFirst().map(\.txid) == [parent.txid, second.txid])
    }
  }

  @Test("gives transactions back to the mempool when their block goes", arguments: Backend.available)
  func reorganisation(_ backend: Backend) async throws {
    try await backend.run { chain in
      let source = chain.source
      let coin = try await chain.coin()
      let first = spend([coin], fee: 1000)
      let second = spend([SpendableCoin(of: first)], fee: 1000)
      try await source.submit(first)
      let fork = try await source.tip()
      let one = try await chain.mine(1)
      try await source.submit(second)
      let two = try await chain.mine(1)
      #expect(try await source.transaction(first.txid, in: one.hash)?.block == one)
      try await chain.invalidate(one.hash)
      #expect(try await source.tip() == fork)
      #expect(try await source.blockHash(at: one.height) == nil)
      #expect(try await chain.isInMempool(first))
      #expect(try await chain.isInMempool(second))
      #expect(try await source.unspentOutput(coin.outPoint)?.confirmationHeight != nil)
      // A block of the branch that was left is still known.
      #expect(try await source.block(two.hash).hash == two.hash)
      #expect(try await source.transaction(first.txid, in: one.hash) == nil)
      try await chain.reconsider(one.hash)
      #expect(try await source.tip() == two)
      #expect(try await !chain.isInMempool(first))
      // Now with a double spend in the new branch.
      try await chain.invalidate(one.hash)
      let rival = spend([coin], fee: 700)
      try await chain.mine([rival])
      #expect(try await !chain.isInMempool(first))
      #expect(try await !chain.isInMempool(second))
      #expect(try await chain.refusal(second)?.kind == .missingInputs)
    }
  }

  @Test("announces blocks and transactions", arguments: Backend.available)
  func notifications(_ backend: Backend) async throws {
    try await backend.run { chain in
      let coin = try await chain.coin()
      var stream = await chain.source.notifications().makeAsyncIterator()
      let transaction = spend([coin], fee: 500)
      try await chain.source.submit(transaction)
      #expect(await stream.next() == .transaction(transaction))
      let tip = try await chain.mine(1)
      #expect(await stream.next() == .tip(tip))
      let unchanged = try await chain.source.tip(otherThan: tip.hash, timeout: .milliseconds(20))
      #expect(unchanged == tip)
      async let waiting = chain.source.tip(otherThan: tip.hash, timeout: .seconds(60))
      let next = try await chain.mine(1)
      #expect(try await waiting == next)
    }
  }

  @Test("names a fee rate that gets into the mempool", arguments: Backend.available)
  func fees(_ backend: Backend) async throws {
    try await backend.run { chain in
      let minimum = try await chain.source.minimumFeeRate()
      for target in [1, 6, 144, 1008, 5000, -1] {
        let estimate = try await chain.source.feeEstimate(target: target)
        #expect(estimate.rate >= minimum)
      }
      let coin = try await chain.coin()
      let draft = spend([coin], fee: 0)
      let fee = try #require(minimum.fee(for: draft.weight))
      #expect(try await chain.refusal(spend([coin], fee: fee.rawValue)) == nil)
    }
  }
}
