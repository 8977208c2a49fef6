internal import Bitcoin
internal import Encoding
internal import Hashing

extension ChainState {
  /// A block on top of the tip with proof of work, not yet taken in.
  /// - Parameters:
  ///   - transactions: what it holds, in order; nil: the best of the mempool.
  ///   - script: where subsidy and fees go.
  func makeBlock(_ transactions: [Transaction]? = nil, payingTo script: Script) -> Block {
    let parent = tip
    let height = parent.height + 1
    let chosen: [Transaction]
    var fees: UInt64 = 0
    if let transactions {
      chosen = transactions
      fees = feesOfList(transactions)
    } else {
      let entries = selectForBlock()
      chosen = entries.map(\.transaction)
      fees = entries.reduce(0) { $0 + $1.fee }
    }
    // BIP 34: the height first. The number behind it makes blocks of the same height and time differ.
    let signatureScript = Script {
      $0.append(number: Int64(height))
      $0.append(push: extraNonce(entries.count))
      $0.append(push: Array("/glc/".utf8))
    }
    var coinbase = Transaction(
      version: 2,
      inputs: [
        TxInput(
          previousOutput: .null, scriptSig: signatureScript,
          // BIP 141: the witness reserved value.
          witness: [[UInt8](repeating: 0, count: 32)])
      ],
      outputs: [TxOutput(value: Satoshi(Regtest.subsidy(at: height) + fees), scriptPubKey: script)])
    coinbase.outputs.append(
      TxOutput(value: .zero, scriptPubKey: Self.witnessCommitment(chosen)))
    // BIP 113: later than the median of the last eleven.
    let time = max(parent.medianTimePast + 1, now)
    var block = Block(
      header: BlockHeader(
        version: 0x2000_0000, previousBlock: parent.hash, merkleRoot: MerkleRoot(Bytes32()),
        time: UInt32(clamping: time), bits: Regtest.bits, nonce: 0),
      transactions: [coinbase] + chosen)
    block.header.merkleRoot = block.merkleRoot ?? block.header.merkleRoot
    // Every second nonce will do.
    while !block.header.hasProofOfWork(limit: Network.regtest.proofOfWorkLimit), block.header.nonce < .max {
      block.header.nonce += 1
    }
    return block
  }

  private func extraNonce(_ order: Int) -> [UInt8] {
    var writer = ByteWriter()
    writer.writeLE(UInt32(truncatingIfNeeded: order))
    return writer.bytes
  }

  /// BIP 141: OP_RETURN, 0xaa21a9ed, and the hash of the root of the witness ids with the reserved value.
  private static func witnessCommitment(_ transactions: [Transaction]) -> Script {
    let leaves = [Bytes32()] + transactions.map(\.witnessTxID.raw)
    var hash = ByteWriter(reservingCapacity: 64)
    hash.write(MerkleTree.root(of: leaves)?.root ?? Bytes32())
    hash.write(Bytes32())
    let commitment = sha256d(hash.bytes)
    return Script {
      $0.append(.return)
      $0.append(push: [0xaa, 0x21, 0xa9, 0xed] + commitment.array)
    }
  }

  /// What a list of transactions pays, in order; those that are impossible pay nothing, and make the block invalid.
  private func feesOfList(_ transactions: [Transaction]) -> UInt64 {
    var made: [OutPoint: TxOutput] = [:]
    var fees: UInt64 = 0
    for transaction in transactions {
      let outputs = transaction.inputs.compactMap { made[$0.previousOutput] ?? coins[$0.previousOutput]?.output }
      fees += (try? TransactionRules.fee(of: transaction, spending: outputs).rawValue) ?? 0
      let txid = transaction.txid
      for (index, output) in transaction.outputs.enumerated() {
        made[OutPoint(txid: txid, vout: UInt32(index))] = output
      }
    }
    return fees
  }

  /// By what each pays with its ancestors, until the block is full.
  private func selectForBlock() -> [MempoolEntry] {
    let sorted = mempool.sorted
    let reserved = 4000
    let total = sorted.reduce(0) { $0 + $1.weight }
    if policy.minimumBlockRate == 0, total + UInt64(reserved) <= UInt64(policy.maximumBlockWeight) { return sorted }
    struct Ranked {
      let entry: MempoolEntry
      let ancestors: Set<TxID>
      let rate: Double
    }
    var ranked: [Ranked] = []
    for entry in sorted {
      let ancestors = mempool.ancestors(of: entry.transaction)
      let fee = entry.fee + mempool.fees(of: ancestors)
      let size = entry.size + mempool.sizes(of: ancestors)
      ranked.append(Ranked(entry: entry, ancestors: ancestors, rate: Double(fee) / Double(size)))
    }
    ranked.sort { $0.rate == $1.rate ? $0.entry.order < $1.entry.order : $0.rate > $1.rate }
    var chosen: Set<TxID> = []
    var weight = UInt64(reserved)
    for candidate in ranked {
      // Ancestors that are in already no longer have to be paid for.
      let missing = candidate.ancestors.subtracting(chosen)
      let fee = candidate.entry.fee + mempool.fees(of: missing)
      let size = candidate.entry.size + mempool.sizes(of: missing)
      guard !chosen.contains(candidate.entry.txid),
        fee >= RegtestPolicy.fee(rate: policy.minimumBlockRate, size: size)
      else { continue }
      let added = missing.reduce(candidate.entry.weight) { $0 + (mempool[$1]?.weight ?? 0) }
      guard weight + added <= UInt64(policy.maximumBlockWeight) else { continue }
      weight += added
      chosen.formUnion(missing)
      chosen.insert(candidate.entry.txid)
    }
    return sorted.filter { chosen.contains($0.txid) }
  }
}
