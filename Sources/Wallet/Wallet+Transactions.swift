internal import Bitcoin

// The graph of transactions. At most one active transaction spends an output; what depends on an inactive one is inactive.

extension Wallet {
  /// An output of ours, of any transaction that is known, spent or not.
  func ownOutput(_ outPoint: OutPoint) -> (output: TxOutput, path: AddressPath)? {
    guard let record = records[outPoint.txid], Int(outPoint.vout) < record.transaction.outputs.count else { return nil }
    let output = record.transaction.outputs[Int(outPoint.vout)]
    return scripts.path(of: output.scriptPubKey).map { (output, $0) }
  }

  /// Adds a transaction that concerns us, or gives one that is known a new status.
  mutating func insert(_ transaction: Transaction, _ txid: TxID, _ status: WalletTransaction.Status, time: UInt64) {
    if case .unconfirmed = status {
      // What a block has spent, no unconfirmed transaction can spend.
      let isImpossible = transaction.inputs.contains { input in
        activeSpender(of: input.previousOutput).map { $0 != txid && records[$0]?.status.height != nil } ?? false
      }
      if isImpossible { return }
    }
    let isNew = records[txid] == nil
    if isNew {
      records[txid] = WalletTransaction(
        txid: txid, transaction: transaction, status: .abandoned, isOwn: false, isReplaceable: true, fee: nil,
        label: "", time: time)
      for input in transaction.inputs where !transaction.isCoinbase {
        spenders[input.previousOutput, default: []].append(txid)
      }
      dirty.notices.append(.added(txid))
    } else if status.height != nil {
      // With the witness that was mined.
      records[txid]?.transaction = transaction
      records[txid]?.time = time
    }
    replaceOthers(of: transaction, txid)
    setStatus(status, of: txid)
    if let height = status.height { dirty.notices.append(.confirmed(txid, height: height)) }
    for output in transaction.outputs {
      if let path = scripts.path(of: output.scriptPubKey) { markUsed(path) }
    }
    if records[txid]?.fee == nil, let fee = knownFee(of: transaction) { records[txid]?.fee = fee }
  }

  /// Everything else that spends the same outputs makes room.
  mutating func replaceOthers(of transaction: Transaction, _ txid: TxID) {
    guard !transaction.isCoinbase else { return }
    for input in transaction.inputs {
      for other in spenders[input.previousOutput] ?? [] where other != txid {
        guard records[other]?.status.isActive == true else { continue }
        setStatus(.replaced(by: txid), of: other)
        dirty.notices.append(.replaced(other, by: txid))
      }
    }
  }

  func activeSpender(of outPoint: OutPoint) -> TxID? {
    spenders[outPoint]?.first { records[$0]?.status.isActive == true }
  }

  /// Changes the status of a known transaction, and of those that depend on it when it becomes inactive.
  mutating func setStatus(_ status: WalletTransaction.Status, of txid: TxID) {
    // Not by recursion: chains of transactions may be long.
    var queue: [(TxID, WalletTransaction.Status)] = [(txid, status)]
    while let (txid, status) = queue.popLast() {
      guard let record = records[txid], record.status != status else { continue }
      let wasActive = record.status.isActive
      records[txid]?.status = status
      dirty.records.insert(txid)
      if case .unconfirmed = status { unconfirmed.insert(txid) } else { unconfirmed.remove(txid) }
      guard wasActive != status.isActive else { continue }
      for input in record.transaction.inputs { updateUnspent(input.previousOutput) }
      for vout in record.transaction.outputs.indices {
        let outPoint = OutPoint(txid: txid, vout: UInt32(vout))
        updateUnspent(outPoint)
        if !status.isActive, let child = activeSpender(of: outPoint) { queue.append((child, status)) }
      }
    }
  }

  private mutating func updateUnspent(_ outPoint: OutPoint) {
    let isUnspent =
      records[outPoint.txid]?.status.isActive == true && ownOutput(outPoint) != nil
      && activeSpender(of: outPoint) == nil
    if isUnspent { unspent.insert(outPoint) } else { unspent.remove(outPoint) }
  }

  /// The fee, if all inputs are ours.
  func knownFee(of transaction: Transaction) -> Satoshi? {
    guard !transaction.isCoinbase else { return nil }
    var sum = Satoshi.zero
    for input in transaction.inputs {
      guard let (output, _) = ownOutput(input.previousOutput), let next = sum.adding(output.value) else { return nil }
      sum = next
    }
    for output in transaction.outputs {
      guard let next = sum.subtracting(output.value) else { return nil }
      sum = next
    }
    return sum
  }

  /// The unconfirmed transactions that one depends on, itself first; nil when there are more than `limit`.
  func unconfirmedAncestors(of txid: TxID, limit: Int) -> [WalletTransaction]? {
    var found: [WalletTransaction] = []
    var seen: Set<TxID> = [txid]
    var queue = [txid]
    while let next = queue.popLast() {
      guard let record = records[next], record.status == .unconfirmed else { continue }
      guard found.count < limit else { return nil }
      found.append(record)
      for input in record.transaction.inputs where seen.insert(input.previousOutput.txid).inserted {
        queue.append(input.previousOutput.txid)
      }
    }
    return found
  }

  /// The active transactions that depend on one, without it.
  func descendants(of txid: TxID) -> [WalletTransaction] {
    var found: [WalletTransaction] = []
    var seen: Set<TxID> = [txid]
    var queue = [txid]
    while let next = queue.popLast() {
      guard let record = records[next] else { continue }
      for vout in record.transaction.outputs.indices {
        guard let child = activeSpender(of: OutPoint(txid: next, vout: UInt32(vout))), seen.insert(child).inserted,
          let record = records[child]
        else { continue }
        found.append(record)
        queue.append(child)
      }
    }
    return found
  }

  /// Whether nobody but us could undo an unconfirmed transaction: it and all that it depends on are of our making and spend our outputs.
  func isTrusted(_ txid: TxID) -> Bool {
    guard let ancestors = unconfirmedAncestors(of: txid, limit: policy.maximumAncestors) else { return false }
    return ancestors.allSatisfy { record in
      record.isOwn && record.transaction.inputs.allSatisfy { ownOutput($0.previousOutput) != nil }
    }
  }
}
