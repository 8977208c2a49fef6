import Bitcoin
import BitcoindSupport
import Encoding
import FoundationEssentials
import Hashing
import Testing

@testable import Chain

@Suite("The embedded chain")
struct RegtestChainTests {
  @Test("begins with regtest's first block")
  func genesis() {
    #expect(Regtest.genesis.hash == Network.regtest.genesisBlockHash)
    #expect(Regtest.genesis.header.hasProofOfWork(limit: Network.regtest.proofOfWorkLimit))
  }

  @Test("halves its subsidy every 150 blocks")
  func subsidy() {
    #expect(Regtest.subsidy(at: 149) == 5_000_000_000)
    #expect(Regtest.subsidy(at: 150) == 2_500_000_000)
    #expect(Regtest.subsidy(at: 150 * 32) == 1)
    #expect(Regtest.subsidy(at: 150 * 64) == 0)
  }

  @Test("has a faucet that sends at once, and says when it is empty")
  func faucet() async throws {
    let chain = try RegtestChain(RegtestChain.Options(initialBlocks: 102))
    let balance = await chain.faucetBalance()
    // Blocks 1 to 3 can be spent in block 103.
    #expect(balance == Satoshi(3 * 5_000_000_000))
    for _ in 0..<20 { try await chain.send(Satoshi(100_000_000), to: SpendableCoin.script) }
    let big = try await chain.send(Satoshi(9_000_000_000), to: SpendableCoin.script, mining: true)
    #expect(try await chain.unspentOutput(big)?.confirmationHeight == 103)
    await #expect(throws: ChainError.self) { try await chain.send(Satoshi(50_000_000_000), to: SpendableCoin.script) }
    await #expect(throws: ChainError.self) { try await chain.send(Satoshi(.max), to: SpendableCoin.script) }
    await #expect(throws: ChainError.self) { try await chain.send(Satoshi(1), to: SpendableCoin.script) }
  }

  @Test("spends coinbase outputs after 100 blocks, not before")
  func maturity() async throws {
    let chain = try RegtestChain(RegtestChain.Options(initialBlocks: 0))
    let first = try await chain.mine(1, payingTo: SpendableCoin.script)[0]
    try await chain.mine(98)
    let coin = SpendableCoin(of: try await chain.block(first.hash).transactions[0])
    let transaction = spend([coin], fee: 1000)
    await #expect(throws: ChainError.refused(TransactionRefusal(.immatureCoinbase, "", txid: transaction.txid))) {
      try await chain.submit(transaction)
    }
    await #expect(throws: ChainError.invalidBlock("bad-txns-premature-spend-of-coinbase")) {
      try await chain.mine([transaction])
    }
    try await chain.mine(1)
    try await chain.submit(transaction)
    try await chain.mine(1)
    #expect(try await chain.transaction(transaction.txid, in: nil)?.block?.height == 101)
  }

  @Test("refuses blocks that break consensus")
  func blocks() async throws {
    let embedded = EmbeddedChain(chain: try RegtestChain())
    let chain = embedded.chain
    let coin = try await embedded.coin()
    let good = spend([coin], fee: 500)
    let other = spend([coin], fee: 600)
    var bad = good
    bad.inputs[0].witness = [[Opcode.op3.rawValue]]
    func fault(_ transactions: [Transaction]) async -> String? {
      do {
        try await chain.mine(transactions)
        return nil
      } catch {
        if case .invalidBlock(let reason) = error { return reason }
        return "\(error)"
      }
    }
    let height = try await chain.tip().height
    #expect(await fault([good, other]) == "bad-txns-inputs-missingorspent")
    #expect(await fault([bad]) == "mandatory-script-verify-flag-failed (Witness program hash mismatch)")
    #expect(await fault([spend([coin], fee: 500, lockTime: height + 1)]) == "bad-txns-nonfinal")
    #expect(await fault([spend([coin], fee: 500, sequence: 2)]) == "bad-txns-nonfinal")
    var greedy = good
    greedy.outputs[0].value = Satoshi(1_000_001)
    #expect(await fault([greedy]) == "bad-txns-in-belowout")
    // Nothing of all that has changed anything.
    #expect(try await chain.tip().height == height)
    #expect(try await chain.unspentOutput(coin.outPoint) != nil)
    // What is not relayed may be mined: no fee, an odd script.
    let odd = spend([coin], fee: 0, adding: [TxOutput(value: Satoshi(1), scriptPubKey: Script([0x93]))])
    #expect(await fault([odd]) == nil)

    let tip = try await chain.tip()
    var block = try await chain.block(tip.hash)
    block.header.previousBlock = tip.hash
    await #expect(throws: ChainError.self) { try await chain.submit(block: block) }
    block.transactions[0].outputs[0].value = Satoshi(6_000_000_000)
    await #expect(throws: ChainError.self) { try await chain.submit(block: block) }
  }

  @Test("limits chains of unconfirmed transactions, with one more for the second anchor")
  func chainLimits() async throws {
    let embedded = EmbeddedChain(chain: try RegtestChain())
    var coin = try await embedded.coin()
    for _ in 0..<25 {
      let next = spend([coin], fee: 200)
      #expect(try await embedded.refusal(next) == nil)
      coin = SpendableCoin(of: next)
    }
    #expect(try await embedded.refusal(spend([coin], fee: 200))?.kind == .chainTooLong)
    // 24 children of one output each, one more by the carve-out, no more.
    let wide = try await embedded.coin(10_000_000)
    let outputs = (0..<30).map { _ in TxOutput(value: Satoshi(100_000), scriptPubKey: SpendableCoin.script) }
    let parent = spend([wide], fee: 10_000, adding: outputs)
    #expect(try await embedded.refusal(parent) == nil)
    for index in 1...25 {
      #expect(try await embedded.refusal(spend([SpendableCoin(of: parent, index)], fee: 200)) == nil)
    }
    #expect(try await embedded.refusal(spend([SpendableCoin(of: parent, 26)], fee: 200))?.kind == .chainTooLong)
  }

  @Test("mines what pays, when the fee market rises")
  func feeMarket() async throws {
    let embedded = EmbeddedChain(chain: try RegtestChain())
    let chain = embedded.chain
    let cheap = spend([try await embedded.coin()], fee: 200)
    let carried = spend([try await embedded.coin()], fee: 200)
    let dear = spend([try await embedded.coin()], fee: 20_000)
    for transaction in [cheap, carried, dear] { try await chain.submit(transaction) }
    let child = spend([SpendableCoin(of: carried)], fee: 20_000)
    try await chain.submit(child)
    var policy = await chain.policy
    policy.minimumBlockRate = 50_000
    await chain.setPolicy(policy)
    try await chain.mine()
    #expect(await chain.mempoolTransactions() == [cheap])
    policy.minimumBlockRate = 0
    await chain.setPolicy(policy)
    try await chain.mine()
    #expect(await chain.mempoolTransactions().isEmpty)
  }

  @Test("replaces a package by a better one")
  func packageReplacement() async throws {
    let embedded = EmbeddedChain(chain: try RegtestChain())
    let coin = try await embedded.coin()
    let wallet = try await embedded.coin()
    func package(_ value: UInt64, fee: UInt64) -> [Transaction] {
      var parent = spend([coin], fee: 0, version: 3, adding: [TxOutput(value: .zero, scriptPubKey: .p2a)])
      parent.lockTime = UInt32(value)
      var child = spend([wallet], fee: fee, version: 3)
      child.inputs.append(TxInput(previousOutput: OutPoint(txid: parent.txid, vout: 1)))
      return [parent, child]
    }
    // Two versions of a commitment, of one party and of the other.
    #expect(try await embedded.refusal(package: package(1, fee: 1000)) == nil)
    #expect(try await embedded.refusal(package: package(2, fee: 1100))?.kind == .conflict)
    #expect(try await embedded.isInMempool(package(1, fee: 1000)[0]))
    #expect(try await embedded.refusal(package: package(2, fee: 3000)) == nil)
    #expect(try await !embedded.isInMempool(package(1, fee: 1000)[0]))
    #expect(try await embedded.isInMempool(package(2, fee: 3000)[0]))
  }

  @Test("checks what a package is")
  func packageShape() async throws {
    let embedded = EmbeddedChain(chain: try RegtestChain())
    let parent = spend([try await embedded.coin()], fee: 500)
    let child = spend([SpendableCoin(of: parent)], fee: 500)
    let stranger = spend([try await embedded.coin()], fee: 500)
    #expect(try await embedded.refusal(package: [])?.kind == .badPackage)
    #expect(try await embedded.refusal(package: [child, parent])?.kind == .badPackage)
    #expect(try await embedded.refusal(package: [stranger, child])?.kind == .badPackage)
    #expect(try await embedded.refusal(package: [parent, parent])?.kind == .badPackage)
    #expect(try await embedded.refusal(package: Array(repeating: parent, count: 26))?.kind == .badPackage)
    #expect(try await embedded.refusal(package: [parent, child]) == nil)
  }

  @Test("passes a time lock when the median of eleven blocks has passed it")
  func times() async throws {
    let chain = try RegtestChain(RegtestChain.Options(clock: { 1_800_000_000 }))
    let embedded = EmbeddedChain(chain: chain)
    let coin = try await embedded.coin()
    let absolute = spend([coin], fee: 500, lockTime: 1_800_010_000)
    let relative = spend([coin], fee: 500, sequence: 1 << 22 | 1)
    #expect(try await embedded.refusal(absolute)?.kind == .nonFinal)
    #expect(try await chain.testAccept([relative])[0].refusal?.kind == .sequenceLocked)
    await chain.setTime(1_800_010_001)
    try await chain.mine(5)
    #expect(try await embedded.refusal(absolute)?.kind == .nonFinal)
    try await chain.mine(1)
    #expect(try await chain.testAccept([relative])[0].isAccepted)
    #expect(try await embedded.refusal(absolute) == nil)
  }

  @Test("mines by itself when asked")
  func timer() async throws {
    let chain = try RegtestChain(RegtestChain.Options(initialBlocks: 1))
    await chain.mineBlocks(every: .milliseconds(1))
    var tip = try await chain.tip()
    for _ in 0..<3 { tip = try await chain.tip(otherThan: tip.hash, timeout: .seconds(60)) }
    await chain.mineBlocks(every: nil)
    #expect(tip.height >= 4)
  }

  // MARK: The file

  /// A history with a bit of everything. Returns what must be the same after a restart.
  private func makeHistory(_ path: String) async throws -> (tip: BlockPosition, mempool: [Transaction], kept: OutPoint)
  {
    let chain = try RegtestChain(RegtestChain.Options(path: path, initialBlocks: 105))
    let embedded = EmbeddedChain(chain: chain)
    let coin = try await embedded.coin()
    try await chain.submit(spend([coin], fee: 500))
    let kept = try await chain.send(Satoshi(123_456), to: SpendableCoin.script, mining: true)
    try await chain.reorganise(depth: 1)
    try await chain.mine(2)
    let hash = try #require(try await chain.blockHash(at: try await chain.tip().height))
    try await chain.invalidate(hash)
    let parent = spend([try await embedded.coin()], fee: 0, version: 3)
    let child = spend([SpendableCoin(of: parent)], fee: 1000, version: 3)
    try await chain.submit(package: [parent, child])
    return (try await chain.tip(), await chain.mempoolTransactions(), kept)
  }

  @Test("is the same after a restart")
  func persistence() async throws {
    try await withTemporaryFolder { folder in
      let before = try await makeHistory(folder + "/chain")
      #expect(before.mempool.count == 2)
      let chain = try RegtestChain(RegtestChain.Options(path: folder + "/chain"))
      #expect(try await chain.tip() == before.tip)
      #expect(await chain.mempoolTransactions() == before.mempool)
      #expect(try await chain.unspentOutput(before.kept) != nil)
      try await chain.mine()
      #expect(throws: ChainError.self) { try RegtestChain(RegtestChain.Options(path: folder + "/chain")) }
    }
  }

  @Test("survives being killed in the middle of a write, at every byte of the last record")
  func tornWrites() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/chain"
      let tips = try await Self.threeTips(path)
      let whole = try readFile(path)
      let (records, end) = try ChainFile.parse(whole, path: path)
      #expect(end == whole.count)
      let last = ChainFile.encode(try #require(records.last)).count
      for cut in stride(from: 1, through: last, by: 7) + [last] {
        let torn = folder + "/torn\(cut)"
        try writePrivateFile(torn, Array(whole.dropLast(cut)))
        let chain = try RegtestChain(RegtestChain.Options(path: torn))
        #expect(try await chain.tip() == tips[1], "cut by \(cut) bytes")
        try await chain.mine()
      }
      // The tail is gone for good: what was written after it is read again.
      let again = try RegtestChain(RegtestChain.Options(path: folder + "/torn\(last)"))
      #expect(try await again.tip().height == tips[2].height)
      // A file that was cut to nothing, or never got its head, is a new one.
      for count in [0, 5] {
        try writePrivateFile(folder + "/new\(count)", Array(whole.prefix(count)))
        let chain = try RegtestChain(RegtestChain.Options(path: folder + "/new\(count)", initialBlocks: 2))
        #expect(try await chain.tip().height == 2)
      }
    }
  }

  @Test("says where its file is damaged")
  func damage() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/chain"
      _ = try await Self.threeTips(path)
      let whole = try readFile(path)
      for offset in [0, 3, 7, 8, 20, 60, 150, whole.count / 2] {
        var damaged = whole
        damaged[offset] ^= 0x40
        let file = folder + "/damaged\(offset)"
        try writePrivateFile(file, damaged)
        do {
          let chain = try RegtestChain(RegtestChain.Options(path: file))
          // A length that points beyond the end looks like a torn write.
          let height = try await chain.tip().height
          #expect(offset > 8 && height < 8, "a flipped bit at \(offset) went unnoticed")
        } catch {
          guard let error = error as? ChainError, case .storage = error else {
            Issue.record("\(error)")
            continue
          }
        }
      }
      #expect(throws: ChainError.self) { try RegtestChain(RegtestChain.Options(path: folder + "/no/such/folder")) }
    }
  }

  private static func threeTips(_ path: String) async throws -> [BlockPosition] {
    let chain = try RegtestChain(RegtestChain.Options(path: path, initialBlocks: 5))
    return try await chain.mine(3)
  }
}
