internal import Bitcoin

extension ChainState {
  /// What became of each transaction of a package, in order.
  enum PackageOutcome: Sendable {
    case accepted(MempoolEntry)
    case alreadyThere
    case refused(TransactionRefusal)
    /// Not looked at, because of another one.
    case skipped

    var refusal: TransactionRefusal? { if case .refused(let refusal) = self { refusal } else { nil } }
  }

  /// Takes a child and its parents into the mempool, as Bitcoin Core's `submitpackage` does: each one on its own as far as it can
  /// stand on its own, the rest together. Throws when the list is no such package.
  mutating func submit(package: [Transaction]) throws(TransactionRefusal) -> [PackageOutcome] {
    try Self.checkPackage(package)
    var outcomes: [PackageOutcome] = package.map { _ in .skipped }
    var deferred: [Int] = []
    for (index, transaction) in package.enumerated() {
      if mempool[transaction.txid] != nil {
        outcomes[index] = .alreadyThere
        continue
      }
      do throws(TransactionRefusal) {
        outcomes[index] = .accepted(
          try submit(transaction, options: AcceptanceOptions(evictsSibling: package.count == 1)))
      } catch {
        outcomes[index] = .refused(error)
        switch error.kind {
        // Perhaps its child pays for it.
        case .feeTooLow, .conflict: deferred.append(index)
        case .missingInputs where !deferred.isEmpty: deferred.append(index)
        default: return outcomes
        }
      }
    }
    guard deferred.count > 1, deferred.last == package.count - 1 else { return outcomes }
    do throws(TransactionRefusal) {
      let accepted = try submitTogether(deferred.map { package[$0] })
      for (index, entry) in zip(deferred, accepted) { outcomes[index] = .accepted(entry) }
    } catch {
      for index in deferred {
        let isAbout = error.txid == nil || error.txid == package[index].txid
        if isAbout { outcomes[index] = .refused(error) }
      }
    }
    return outcomes
  }

  /// All or none, by the fee of all.
  private mutating func submitTogether(_ transactions: [Transaction]) throws(TransactionRefusal) -> [MempoolEntry] {
    var pool = mempool
    var entries: [MempoolEntry] = []
    var evicted: Set<TxID> = []
    var conflicts: Set<TxID> = []
    let options = AcceptanceOptions(defersFees: true, evictsSibling: false)
    for transaction in transactions {
      let candidate = try examine(transaction, in: pool, options: options)
      evicted.formUnion(candidate.evicted)
      conflicts.formUnion(candidate.conflicts)
      pool.remove(candidate.evicted)
      pool.insert(candidate.entry)
      entries.append(candidate.entry)
    }
    let fee = entries.reduce(0) { $0 + $1.fee }
    let size = entries.reduce(0) { $0 + $1.size }
    let last = transactions[transactions.count - 1].txid
    do throws(TransactionRefusal) {
      try checkRelayMinimum(fee: fee, size: size)
      if !conflicts.isEmpty {
        // Bitcoin Core since 28 replaces for a package of one parent and one child, both without other unconfirmed ancestors, when the
        // child brings more than the parent.
        guard entries.count == 2,
          entries.allSatisfy({ mempool.parents(of: $0.transaction).subtracting(evicted).isEmpty })
        else { throw .init(.conflict, "package RBF failed: package must be 1-parent-1-child") }
        guard entries[0].fee * size < fee * entries[0].size
        else { throw .init(.conflict, "package RBF failed: package feerate is less than or equal to parent feerate") }
        try checkReplacementFee(fee: fee, size: size, in: mempool, conflicts: conflicts, evicted: evicted)
      }
    } catch {
      var refusal = error
      refusal.txid = last
      throw refusal
    }
    mempool = pool
    return entries
  }

  private static func checkPackage(_ package: [Transaction]) throws(TransactionRefusal) {
    guard !package.isEmpty, package.count <= RegtestPolicy.maximumPackageCount
    else { throw .init(.badPackage, "package-too-many-transactions") }
    let txids = package.map(\.txid)
    guard Set(txids).count == txids.count else { throw .init(.badPackage, "package-contains-duplicates") }
    let weight = package.reduce(0) { $0 + $1.weight.rawValue }
    guard weight <= RegtestPolicy.maximumPackageWeight else { throw .init(.badPackage, "package-too-large") }
    var later = Set(txids)
    var spent: Set<OutPoint> = []
    for (transaction, txid) in zip(package, txids) {
      if transaction.inputs.contains(where: { later.contains($0.previousOutput.txid) }) {
        throw .init(.badPackage, "package-not-sorted")
      }
      later.remove(txid)
    }
    for transaction in package {
      for input in transaction.inputs where !spent.insert(input.previousOutput).inserted {
        throw .init(.badPackage, "conflict-in-package")
      }
    }
    let needed = Set(package[package.count - 1].inputs.map(\.previousOutput.txid))
    guard txids.dropLast().allSatisfy(needed.contains)
    else { throw .init(.badPackage, "package-not-child-with-parents") }
  }
}
