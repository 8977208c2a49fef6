public import Bitcoin

extension RegtestChain {
  public func tip() throws(ChainError) -> BlockPosition { state.tip.position }

  public func blockHash(at height: UInt32) throws(ChainError) -> BlockHash? { state.entry(at: height)?.hash }

  public func header(of hash: BlockHash) throws(ChainError) -> BlockHeader { try block(hash).header }

  public func block(_ hash: BlockHash) throws(ChainError) -> Block {
    guard let entry = state.entries[hash] else { throw .unknownBlock(hash) }
    return entry.block
  }

  public func unspentOutput(_ outPoint: OutPoint, includingMempool: Bool) throws(ChainError) -> UnspentOutput? {
    if includingMempool {
      if state.mempool.spenders[outPoint] != nil { return nil }
      if let output = state.mempool.output(outPoint) {
        return UnspentOutput(output: output, confirmationHeight: nil, isCoinbase: false)
      }
    }
    guard let coin = state.coins[outPoint] else { return nil }
    return UnspentOutput(output: coin.output, confirmationHeight: coin.height, isCoinbase: coin.isCoinbase)
  }

  public func transaction(_ txid: TxID, in block: BlockHash?) throws(ChainError) -> LocatedTransaction? {
    if block == nil, let entry = state.mempool[txid] {
      return LocatedTransaction(transaction: entry.transaction, block: nil)
    }
    guard let hash = block ?? state.confirmed[txid] else { return nil }
    guard let entry = state.entries[hash] else { throw .unknownBlock(hash) }
    guard state.isActive(entry), let index = entry.txids.firstIndex(of: txid) else { return nil }
    return LocatedTransaction(transaction: entry.block.transactions[index], block: entry.position)
  }

  public var tellsTransactions: Bool { true }

  public func mempoolSpenders(of outPoints: [OutPoint]) throws(ChainError) -> [OutPoint: TxID] {
    var found: [OutPoint: TxID] = [:]
    for outPoint in outPoints { found[outPoint] = state.mempool.spenders[outPoint] }
    return found
  }

  public func submit(_ transaction: Transaction) throws(ChainError) {
    try prepare()
    do throws(TransactionRefusal) {
      _ = try state.submit(transaction)
    } catch {
      if error.kind == .alreadyInMempool { return }
      throw .refused(error)
    }
    try record(.transactions([transaction]))
    announce(.transaction(transaction))
  }

  public func submit(package: [Transaction]) throws(ChainError) {
    let refusals = try submitPackage(package).compactMap(\.refusal)
    if let refusal = TransactionRefusal.decisive(of: refusals) { throw .refused(refusal) }
  }

  /// What became of each.
  func submitPackage(_ package: [Transaction]) throws(ChainError) -> [ChainState.PackageOutcome] {
    try prepare()
    let outcomes: [ChainState.PackageOutcome]
    do { outcomes = try state.submit(package: package) } catch { throw .refused(error) }
    let accepted = outcomes.compactMap { outcome in
      if case .accepted(let entry) = outcome { entry.transaction } else { nil }
    }
    if !accepted.isEmpty { try record(.transactions(accepted)) }
    for transaction in accepted { announce(.transaction(transaction)) }
    return outcomes
  }

  public func testAccept(_ transactions: [Transaction]) throws(ChainError) -> [AcceptanceTest] {
    try prepare()
    return state.test(transactions)
  }

  public func feeEstimate(target: Int) throws(ChainError) -> FeeEstimate {
    let minimum = try minimumFeeRate()
    return FeeEstimate(rate: max(announcedRate ?? minimum, minimum), isEstimated: announcedRate != nil)
  }

  public func minimumFeeRate() throws(ChainError) -> FeeRate {
    FeeRate(satPerKiloVByteRoundedUp: state.policy.minimumRelayRate)
  }

  /// What waits for a block, parents before children.
  public func mempoolTransactions() -> [Transaction] { state.mempool.sorted.map(\.transaction) }
}

extension FeeRate {
  /// The lowest rate per weight by which no fee falls below this rate per size: 253 for 1000 sat/kvB (see `relayFloor`), because a size
  /// is a weight rounded up, and a fee rounded down.
  init(satPerKiloVByteRoundedUp rate: UInt64) {
    let perWeight = rate / 4 + (rate % 4 == 0 ? 0 : 1)
    // 1.2 % is what rounding up takes from the smallest transaction.
    self.init(satPerKiloWeight: UInt32(clamping: perWeight + (perWeight * 12 + 999) / 1000))
  }
}
