internal import Bitcoin
internal import Chain
internal import Logging

/// Gives transactions to the network, and again at each block until they are confirmed, or something else that spends the same: a bitcoind
/// may be away when they are made, and has forgotten them when it lost power or was replaced. What the network refuses is tried for a
/// while, too: the lowest fee that it takes falls again.
///
/// Nothing is stored: after a start, channels and wallet say themselves what is still wanted.
actor Broadcaster {
  private struct Package {
    /// Parents first.
    var transactions: [Transaction]
    var why: String
    /// How often it was refused in a row.
    var refusals = 0
  }

  /// By the last transaction of each.
  private var packages: [TxID: Package] = [:]
  private var order: [TxID] = []
  private let source: any ChainSource
  private let logger: Logger
  private var retry: Task<Void, Never>?
  private var isBusy = false
  private var isWanted = false
  private var isStopped = false

  /// So many blocks in a row may refuse what was taken for good.
  private static let patience = 144

  init(source: any ChainSource, logger: Logger) {
    self.source = source
    self.logger = logger
  }

  func stop() {
    isStopped = true
    retry?.cancel()
  }

  /// Why the network refuses it. When nobody can be asked now, that is done later: nil.
  func send(_ transactions: [Transaction], _ why: String) async -> ChainError? {
    guard let last = transactions.last else { return nil }
    let metadata: Logger.Metadata = ["txid": "\(last.txid)", "what": "\(why)"]
    do {
      try await submit(transactions)
      logger.info("broadcast", metadata: metadata)
      keep(transactions, why)
      return nil
    } catch {
      guard error.isTransient else {
        logger.warning("a transaction was refused", metadata: metadata.merging(["reason": "\(error)"]) { $1 })
        return error
      }
      logger.warning(
        "a transaction is broadcast as soon as the chain can be reached",
        metadata: metadata.merging(["reason": "\(error)"]) { $1 })
      keep(transactions, why)
      retryLater()
      return nil
    }
  }

  /// Sees to it that the transactions, which the network has, or has refused for now, are given to it again.
  func keep(_ transactions: [Transaction], _ why: String) {
    guard let last = transactions.last else { return }
    let txid = last.txid
    let spent = Set(last.inputs.map(\.previousOutput))
    // A replacement takes the place of what it replaces.
    for (id, package) in packages where id != txid {
      if package.transactions.last?.inputs.contains(where: { spent.contains($0.previousOutput) }) == true { drop(id) }
    }
    if packages[txid] == nil { order.append(txid) }
    packages[txid] = Package(transactions: transactions, why: why)
  }

  /// Which of these outputs transactions in the mempool take that are not ours; none when nobody knows.
  func rivals(of outPoints: [OutPoint]) async -> [OutPoint] {
    guard let spenders = try? await source.mempoolSpenders(of: outPoints) else { return [] }
    let ours = Set(packages.values.lazy.flatMap { $0.transactions.lazy.map(\.txid) })
    return outPoints.filter { outPoint in spenders[outPoint].map { !ours.contains($0) } ?? false }
  }

  private func drop(_ txid: TxID) {
    packages[txid] = nil
    order.removeAll { $0 == txid }
  }

  private func submit(_ transactions: [Transaction]) async throws(ChainError) {
    if transactions.count == 1 {
      try await source.submit(transactions[0])
    } else {
      try await source.submit(package: transactions)
    }
  }

  /// What a block confirms, or makes impossible, is wanted no longer.
  func confirm(_ block: Block) {
    guard !packages.isEmpty else { return }
    var spent: [OutPoint: TxID] = [:]
    for transaction in block.transactions {
      let txid = transaction.txid
      for input in transaction.inputs { spent[input.previousOutput] = txid }
    }
    for (id, package) in packages {
      var rest: [Transaction] = []
      var lost: Set<TxID> = []
      for transaction in package.transactions {
        let txid = transaction.txid
        let spenders = transaction.inputs.compactMap { spent[$0.previousOutput] }
        if transaction.inputs.contains(where: { lost.contains($0.previousOutput.txid) })
          || spenders.contains(where: { $0 != txid })
        {
          lost.insert(txid)
        } else if spenders.isEmpty {
          rest.append(transaction)
        }
      }
      impossible += lost
      if rest.last?.txid == id { packages[id]?.transactions = rest } else { drop(id) }
    }
  }

  /// What can be confirmed no more, as far as anybody can tell: the coins that it was to spend are free.
  private var impossible: [TxID] = []
  func takeImpossible() -> [TxID] {
    defer { impossible = [] }
    return impossible
  }

  /// Gives everything that is not confirmed to the network once more.
  func again() async {
    isWanted = true
    guard !isBusy else { return }
    isBusy = true
    defer { isBusy = false }
    while isWanted, !isStopped {
      isWanted = false
      for id in order {
        guard let package = packages[id] else { continue }
        do {
          try await submit(package.transactions)
          packages[id]?.refusals = 0
        } catch {
          if error.isTransient { return retryLater() }
          refused(id, error)
        }
      }
    }
  }

  private func refused(_ id: TxID, _ error: ChainError) {
    guard var package = packages[id] else { return }
    if case .refused(let refusal) = error, refusal.kind == .alreadyConfirmed { return drop(id) }
    package.refusals += 1
    if package.refusals == 1 {
      logger.notice(
        "a transaction is refused now",
        metadata: ["txid": "\(id)", "what": "\(package.why)", "reason": "\(error)"])
    }
    guard package.refusals >= Self.patience else {
      packages[id] = package
      return
    }
    drop(id)
    impossible.append(id)
  }

  /// While nobody can be asked.
  private func retryLater() {
    guard retry == nil, !isStopped else { return }
    retry = Task { [weak self] in
      try? await Task.sleep(for: .seconds(1))
      guard !Task.isCancelled else { return }
      await self?.endRetry()
      await self?.again()
    }
  }

  private func endRetry() { retry = nil }
}
