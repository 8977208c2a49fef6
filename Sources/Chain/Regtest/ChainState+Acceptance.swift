internal import Bitcoin

extension ChainState {
  struct AcceptanceOptions {
    /// Fees are judged for the whole package, by the caller.
    var defersFees = false
    /// For transactions that come back from blocks: no fee is too low, no chain too long.
    var bypassesLimits = false
    /// BIP 431 lets a lone transaction evict its sibling.
    var evictsSibling = true
  }

  /// A transaction that may enter the mempool, and what leaves it then.
  struct Candidate {
    var entry: MempoolEntry
    /// With their descendants.
    var evicted: Set<TxID>
    /// Those of the evicted that spend the same outputs (or are the sibling).
    var conflicts: Set<TxID>
  }

  /// Takes a transaction into the mempool. Throws, with nothing changed, when a rule is against it.
  mutating func submit(
    _ transaction: Transaction, options: AcceptanceOptions = AcceptanceOptions()
  ) throws(TransactionRefusal) -> MempoolEntry {
    let candidate = try examine(transaction, in: mempool, options: options)
    mempool.remove(candidate.evicted)
    mempool.insert(candidate.entry)
    return candidate.entry
  }

  /// What the mempool would say to each, one after the other, all or none.
  func test(_ transactions: [Transaction]) -> [AcceptanceTest] {
    var pool = mempool
    var results: [AcceptanceTest] = []
    var isOver = false
    for transaction in transactions {
      let txid = transaction.txid
      guard !isOver else {
        results.append(AcceptanceTest(txid: txid, outcome: .notTested))
        continue
      }
      do throws(TransactionRefusal) {
        let candidate = try examine(
          transaction, in: pool, options: AcceptanceOptions(evictsSibling: transactions.count == 1))
        if transactions.count > 1, !candidate.evicted.isEmpty {
          throw .init(.conflict, "bip125-replacement-disallowed", txid: txid)
        }
        pool.insert(candidate.entry)
        results.append(
          AcceptanceTest(
            txid: txid, outcome: .accepted(fee: Satoshi(candidate.entry.fee), virtualSize: candidate.entry.size)))
      } catch {
        results.append(AcceptanceTest(txid: txid, outcome: .refused(error)))
        isOver = true
      }
    }
    return results
  }

  /// After a reorganisation: what comes back from blocks, and of the rest what is still possible.
  mutating func rebuildMempool(returning transactions: [Transaction]) {
    let before = mempool.sorted.map(\.transaction)
    mempool = Mempool()
    for transaction in transactions + before {
      // What is confirmed in the new branch, or spends what is spent there, is refused here.
      let hasConflict = transaction.inputs.contains { mempool.spenders[$0.previousOutput] != nil }
      if hasConflict { continue }
      _ = try? submit(transaction, options: AcceptanceOptions(bypassesLimits: true, evictsSibling: false))
    }
  }

  // MARK: The rules, in Bitcoin Core's order

  /// Whether the transaction may enter `pool`, which may be the mempool with changes.
  func examine(
    _ transaction: Transaction, in pool: Mempool, options: AcceptanceOptions
  ) throws(TransactionRefusal) -> Candidate {
    let txid = transaction.txid
    do {
      return try examine(transaction, txid: txid, in: pool, options: options)
    } catch {
      var refusal = error
      refusal.txid = txid
      throw refusal
    }
  }

  private func examine(
    _ transaction: Transaction, txid: TxID, in pool: Mempool, options: AcceptanceOptions
  ) throws(TransactionRefusal) -> Candidate {
    do { try TransactionRules.check(transaction) } catch { throw .init(.rule(error), error.rawValue) }
    if transaction.isCoinbase { throw .init(.nonStandard, "coinbase") }
    let standardness = Standardness(policy: policy)
    try standardness.check(transaction)
    guard TransactionRules.isFinal(transaction, height: height + 1, time: tip.medianTimePast)
    else { throw .init(.nonFinal, "non-final") }
    let witnessTxID = transaction.witnessTxID
    if let known = pool[txid] {
      throw .init(
        .alreadyInMempool,
        known.witnessTxID == witnessTxID ? "txn-already-in-mempool" : "txn-same-nonwitness-data-in-mempool")
    }
    var conflicts = Set(transaction.inputs.compactMap { pool.spenders[$0.previousOutput] })

    let spent = try spentCoins(transaction, txid: txid, in: pool)
    let outputs = spent.map(\.output)
    let lock = TransactionRules.relativeLock(
      of: transaction, confirmations: spent.map { ($0.height, medianTimePastBefore($0.height)) })
    guard let lock, lock.isOver(height: height + 1, medianTimePastBefore: tip.medianTimePast)
    else { throw .init(.sequenceLocked, "non-BIP68-final") }
    for coin in spent where coin.isCoinbase && height + 1 - coin.height < Regtest.coinbaseMaturity {
      throw .init(
        .immatureCoinbase, "bad-txns-premature-spend-of-coinbase",
        detail: "tried to spend coinbase at depth \(height + 1 - coin.height)")
    }
    let fee: UInt64
    do {
      fee = try TransactionRules.fee(of: transaction, spending: outputs).rawValue
    } catch {
      throw .init(.rule(error), error.rawValue)
    }
    try standardness.checkInputs(transaction, spending: outputs)
    let sigops = TransactionRules.signatureOperationCost(of: transaction, spending: outputs, flags: .standard)
    guard sigops <= RegtestPolicy.maximumStandardSigopCost
    else { throw .init(.nonStandard, "bad-txns-too-many-sigops", detail: "\(sigops)") }
    let weight = transaction.weight.rawValue
    let size = (max(weight, UInt64(sigops * RegtestPolicy.bytesPerSigop)) + 3) / 4

    if !options.bypassesLimits {
      // Whoever makes ephemeral dust must leave no reason to mine it alone.
      if fee > 0, transaction.outputs.contains(where: standardness.isDust) {
        throw .init(.dust, "dust", detail: "tx with dust output must be 0-fee")
      }
      // Only a version 3 transaction may rely on its package for all of its fee.
      if !options.defersFees || transaction.version != 3 { try checkRelayMinimum(fee: fee, size: size) }
    }
    try conflicts.formUnion(
      checkTopology(transaction, size: size, in: pool, conflicts: conflicts, options: options))
    let evicted = pool.withDescendants(conflicts)
    let ancestors = pool.ancestors(of: transaction)
    if !ancestors.isDisjoint(with: conflicts) {
      throw .init(.conflict, "bad-txns-spends-conflicting-tx")
    }
    if !options.bypassesLimits {
      try checkChainLimits(transaction, size: size, ancestors: ancestors, in: pool, evicted: evicted)
    }
    if !conflicts.isEmpty {
      try checkReplacement(
        transaction, fee: fee, size: size, in: pool, conflicts: conflicts, evicted: evicted,
        defersFees: options.defersFees)
    }
    if !options.bypassesLimits { try checkEphemeralParents(transaction, in: pool, standardness) }
    guard pool.size + size <= RegtestPolicy.maximumMempoolSize else { throw .init(.feeTooLow, "mempool full") }
    try verifyScripts(transaction, txid: txid, spending: outputs)
    let entry = MempoolEntry(
      transaction: transaction, txid: txid, witnessTxID: witnessTxID, fee: fee, weight: weight, size: size, time: now,
      height: height)
    return Candidate(entry: entry, evicted: evicted, conflicts: conflicts)
  }

  private func spentCoins(
    _ transaction: Transaction, txid: TxID, in pool: Mempool
  ) throws(TransactionRefusal) -> [Coin] {
    var spent: [Coin] = []
    for input in transaction.inputs {
      if let coin = coins[input.previousOutput] {
        spent.append(coin)
      } else if let output = pool.output(input.previousOutput) {
        // BIP 68: an unconfirmed output counts as confirmed in the next block.
        spent.append(Coin(output: output, height: height + 1, isCoinbase: false))
      } else {
        for index in transaction.outputs.indices where coins[OutPoint(txid: txid, vout: UInt32(index))] != nil {
          throw .init(.alreadyConfirmed, "txn-already-known")
        }
        throw .init(.missingInputs, "bad-txns-inputs-missingorspent", detail: "\(input.previousOutput)")
      }
    }
    return spent
  }

  func checkRelayMinimum(fee: UInt64, size: UInt64) throws(TransactionRefusal) {
    let minimum = RegtestPolicy.fee(rate: policy.minimumRelayRate, size: size)
    guard fee >= minimum else { throw .init(.feeTooLow, "min relay fee not met", detail: "\(fee) < \(minimum)") }
  }

  private func verifyScripts(
    _ transaction: Transaction, txid: TxID, spending outputs: [TxOutput]
  ) throws(TransactionRefusal) {
    do throws(TransactionFault) {
      try TransactionVerifier.verifyScripts(of: transaction, spending: outputs, flags: .standard, cache: signatures)
    } catch {
      guard case .script(let error, let input) = error else { throw .init(.other, error.name) }
      throw .script(error, input: input, txid: txid)
    }
  }

  // MARK: Chains of unconfirmed transactions

  /// At most 25 ancestors and 25 descendants, 101,000 vbytes each, the transaction itself included; one more descendant for whoever
  /// has a single ancestor (the carve-out that two anchors rely on).
  private func checkChainLimits(
    _ transaction: Transaction, size: UInt64, ancestors: Set<TxID>, in pool: Mempool, evicted: Set<TxID>
  ) throws(TransactionRefusal) {
    guard !ancestors.isEmpty else { return }
    guard ancestors.count + 1 <= RegtestPolicy.chainCount
    else { throw .init(.chainTooLong, "too-long-mempool-chain", detail: "too many unconfirmed ancestors") }
    guard pool.sizes(of: ancestors) + size <= RegtestPolicy.chainSize
    else { throw .init(.chainTooLong, "too-long-mempool-chain", detail: "exceeds ancestor size limit") }
    let hasCarveOut = transaction.version != 3 && size <= 10_000 && ancestors.count == 1
    for ancestor in ancestors {
      let family = pool.withDescendants([ancestor]).subtracting(evicted)
      guard family.count + 1 <= RegtestPolicy.chainCount + (hasCarveOut ? 1 : 0)
      else { throw .init(.chainTooLong, "too-long-mempool-chain", detail: "too many descendants for tx \(ancestor)") }
      guard pool.sizes(of: family) + size <= RegtestPolicy.chainSize + (hasCarveOut ? 10_000 : 0)
      else { throw .init(.chainTooLong, "too-long-mempool-chain", detail: "exceeds descendant size limit") }
    }
  }

  /// BIP 431. Returns the sibling that has to go, if there is one and it may be evicted.
  private func checkTopology(
    _ transaction: Transaction, size: UInt64, in pool: Mempool, conflicts: Set<TxID>, options: AcceptanceOptions
  ) throws(TransactionRefusal) -> Set<TxID> {
    let parents = pool.parents(of: transaction)
    // BIP 431 rule 2: "Any TRUC transaction's unconfirmed ancestors must all be TRUC. Any descendant of an unconfirmed TRUC
    // transaction must also be TRUC."
    for parent in parents {
      guard let entry = pool[parent] else { continue }
      if transaction.version == 3 && entry.transaction.version != 3 {
        throw .init(.truc, "TRUC-violation", detail: "version=3 tx cannot spend from non-version=3 tx \(parent)")
      }
      if transaction.version != 3 && entry.transaction.version == 3 {
        throw .init(.truc, "TRUC-violation", detail: "non-version=3 tx cannot spend from version=3 tx \(parent)")
      }
    }
    guard transaction.version == 3 else { return [] }
    // Rule 4: "A TRUC transaction cannot have a sigop-adjusted virtual size larger than 10,000 vB."
    guard size <= 10_000
    else { throw .init(.truc, "TRUC-violation", detail: "version=3 tx is too big: \(size) > 10000 virtual bytes") }
    // Rule 3: "An unconfirmed TRUC transaction cannot have more than 1 unconfirmed ancestor. An unconfirmed TRUC transaction cannot
    // have more than 1 unconfirmed descendant."
    guard let parent = parents.first.flatMap({ pool[$0] }) else { return [] }
    guard parents.count == 1, pool.parents(of: parent.transaction).isEmpty
    else { throw .init(.truc, "TRUC-violation", detail: "tx would have too many ancestors") }
    // Rule 5: "A TRUC transaction that has an unconfirmed TRUC ancestor cannot have a sigop-adjusted virtual size larger than 1000 vB."
    guard size <= 1000 else {
      throw .init(.truc, "TRUC-violation", detail: "version=3 child tx is too big: \(size) > 1000 virtual bytes")
    }
    let siblings = pool.children(of: parent).subtracting(conflicts)
    guard let sibling = siblings.first else { return [] }
    // Bitcoin Core since 28: the newcomer may evict the sibling as if both spent the same output.
    guard options.evictsSibling, siblings.count == 1, let entry = pool[sibling], pool.children(of: entry).isEmpty
    else {
      throw .init(.truc, "TRUC-violation", detail: "tx \(parent.txid) would exceed descendant count limit")
    }
    return [sibling]
  }

  /// Ephemeral dust stays in the mempool only as long as it is spent there.
  private func checkEphemeralParents(
    _ transaction: Transaction, in pool: Mempool, _ standardness: Standardness
  ) throws(TransactionRefusal) {
    let spends = Set(transaction.inputs.map(\.previousOutput))
    for parent in pool.parents(of: transaction) {
      guard let entry = pool[parent] else { continue }
      for (index, output) in entry.transaction.outputs.enumerated()
      where standardness.isDust(output) && !spends.contains(OutPoint(txid: parent, vout: UInt32(index))) {
        throw .init(.dust, "missing-ephemeral-spends", detail: "tx did not spend parent's ephemeral dust")
      }
    }
  }

  // MARK: Replacement

  /// BIP 125, but every transaction can be replaced, as in Bitcoin Core since 28 (rule 1 is not looked at).
  private func checkReplacement(
    _ transaction: Transaction, fee: UInt64, size: UInt64, in pool: Mempool, conflicts: Set<TxID>, evicted: Set<TxID>,
    defersFees: Bool
  ) throws(TransactionRefusal) {
    // Rule 5: "The number of original transactions to be replaced and their descendant transactions which will be evicted from the
    // mempool must not exceed a total of 100 transactions."
    guard evicted.count <= RegtestPolicy.maximumReplacements
    else { throw .init(.conflict, "too many potential replacements", detail: "\(evicted.count) > 100") }
    // Rule 2: "The replacement transaction may only include an unconfirmed input if that input was included in one of the original
    // transactions."
    let known = Set(conflicts.flatMap { pool[$0]?.transaction.inputs.map(\.previousOutput.txid) ?? [] })
    for input in transaction.inputs
    where pool[input.previousOutput.txid] != nil && !known.contains(input.previousOutput.txid) {
      throw .init(.conflict, "replacement-adds-unconfirmed", detail: "\(input.previousOutput)")
    }
    if !defersFees { try checkReplacementFee(fee: fee, size: size, in: pool, conflicts: conflicts, evicted: evicted) }
  }

  func checkReplacementFee(
    fee: UInt64, size: UInt64, in pool: Mempool, conflicts: Set<TxID>, evicted: Set<TxID>
  ) throws(TransactionRefusal) {
    for conflict in conflicts {
      guard let entry = pool[conflict] else { continue }
      // Not in the BIP: it must be more attractive to a miner than each transaction that it conflicts with.
      let (new, old) = (fee.multipliedFullWidth(by: entry.size), entry.fee.multipliedFullWidth(by: size))
      guard new.high > old.high || (new.high == old.high && new.low > old.low) else {
        throw .init(.conflict, "insufficient fee", detail: "feerate not above that of \(conflict)")
      }
    }
    // Rule 3: "The replacement transaction pays an absolute fee of at least the sum paid by the original transactions."
    let sum = pool.fees(of: evicted)
    guard fee >= sum else {
      throw .init(.conflict, "insufficient fee", detail: "less fees than conflicting txs; \(fee) < \(sum)")
    }
    // Rule 4: "The replacement transaction must also pay for its own bandwidth at or above the rate set by the node's minimum relay fee
    // setting."
    let relay = RegtestPolicy.fee(rate: policy.incrementalRelayRate, size: size)
    guard fee - sum >= relay
    else {
      throw .init(.conflict, "insufficient fee", detail: "not enough additional fees to relay; \(fee - sum) < \(relay)")
    }
  }
}
