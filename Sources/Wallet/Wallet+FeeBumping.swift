public import Bitcoin

extension Wallet {
  /// Another version of an unconfirmed transaction of ours that pays more (BIP 125): the same inputs and recipients, less change, and more
  /// coins if need be. It pays for everything that it throws out of the mempools. Record it when it is signed: it then replaces the first.
  ///
  /// Throws `.unknownTransaction`, `.alreadyConfirmed`, `.notReplaceable`, `.unknownFee` (of a transaction that depends on it), `.alreadyPays`,
  /// `.insufficientFunds`.
  public mutating func bump(
    _ txid: TxID, to feeRate: FeeRate, using generator: inout some RandomNumberGenerator
  ) throws(WalletError) -> (spend: UnsignedSpend, update: WalletUpdate) {
    guard let record = records[txid] else { throw .unknownTransaction(txid) }
    guard record.status == .unconfirmed else { throw .alreadyConfirmed(txid) }
    guard record.isOwn, record.isReplaceable, let oldFee = record.fee else { throw .notReplaceable(txid) }
    let old = record.transaction
    if let paid = feeRate.feeRoundedUp(for: old.weight), paid <= oldFee { throw .alreadyPays(feeRate) }
    // BIP 125, rules 3 and 4.
    var owed = oldFee
    var excluded: Set<TxID> = [txid]
    for child in descendants(of: txid) {
      guard let fee = child.fee else { throw .unknownFee(child.txid) }
      owed = owed.adding(fee) ?? .maxMoney
      excluded.insert(child.txid)
    }
    var inputs: [CoinSelection.Candidate] = []
    for input in old.inputs {
      guard let (output, path) = ownOutput(input.previousOutput) else { throw .notReplaceable(txid) }
      inputs.append(.init(outPoint: input.previousOutput, path: path, output: output))
    }
    let changeIndex = old.outputs.indices.filter { scripts.path(of: old.outputs[$0].scriptPubKey)?.isChange == true }
      .max { old.outputs[$0].value < old.outputs[$1].value }
    let change: AddressPath
    if let index = changeIndex, let path = scripts.path(of: old.outputs[index].scriptPubKey) {
      change = path
    } else {
      change = try changePath()
    }
    var fixed = Satoshi.zero
    var recipients: [SpendRequest.Recipient] = []
    for (index, output) in old.outputs.enumerated() where index != changeIndex {
      recipients.append(.init(output.scriptPubKey, .exactly(output.value)))
      fixed = fixed.adding(output.value) ?? .maxMoney
    }
    var builder = SpendBuilder(
      recipients: recipients, changeScript: try destination(change).scriptPubKey, feeRate: feeRate, fixed: fixed)
    try complete(&builder, inputs, excluding: excluded) { weight in
      owed.adding(policy.incrementalRate.feeRoundedUp(for: weight) ?? .zero) ?? .maxMoney
    }
    return try finish(builder, change: change, lockTime: old.lockTime, using: &generator)
  }

  /// A child that pays for an unconfirmed transaction and all unconfirmed ones that it depends on (CPFP): it spends our outputs of the
  /// transaction, back to us, so that all of them together pay the rate.
  /// - Parameter parentFee: of the transaction, where the wallet does not know it because others have paid it.
  ///
  /// Throws `.unknownTransaction`, `.alreadyConfirmed`, `.unusableCoin` when none of its outputs is ours and free, `.unknownFee`,
  /// `.alreadyPays`, `.insufficientFunds`.
  public mutating func payForParent(
    _ txid: TxID, to feeRate: FeeRate, parentFee: Satoshi? = nil,
    using generator: inout some RandomNumberGenerator
  ) throws(WalletError) -> (spend: UnsignedSpend, update: WalletUpdate) {
    guard let record = records[txid] else { throw .unknownTransaction(txid) }
    guard record.status == .unconfirmed else { throw .alreadyConfirmed(txid) }
    var inputs = record.transaction.outputs.indices.compactMap { vout -> CoinSelection.Candidate? in
      guard let coin = coin(OutPoint(txid: txid, vout: UInt32(vout))), coin.reservation == nil,
        record.transaction.version != 3
      else { return nil }
      return .init(outPoint: coin.outPoint, path: coin.path, output: coin.output)
    }
    guard !inputs.isEmpty else { throw .unusableCoin(OutPoint(txid: txid, vout: 0)) }
    guard let ancestors = unconfirmedAncestors(of: txid, limit: policy.maximumAncestors) else { throw .tooLarge }
    var weight: UInt64 = 0
    var paid = Satoshi.zero
    for ancestor in ancestors {
      guard let fee = ancestor.fee ?? (ancestor.txid == txid ? parentFee : nil) else {
        throw .unknownFee(ancestor.txid)
      }
      weight += ancestor.transaction.weight.rawValue
      paid = paid.adding(fee) ?? .maxMoney
    }
    guard let wanted = feeRate.feeRoundedUp(for: Weight(weight)) else { throw .amountOutOfRange }
    guard let deficit = wanted.subtracting(paid), deficit > .zero else { throw .alreadyPays(feeRate) }
    inputs[0].parentsDeficit = Int64(clamping: deficit.rawValue)
    let change = try changePath()
    var builder = SpendBuilder(
      recipients: [], changeScript: try destination(change).scriptPubKey, feeRate: feeRate, fixed: .zero)
    try complete(&builder, inputs, excluding: [txid]) { _ in .zero }
    return try finish(builder, change: change, lockTime: lockTime(using: &generator), using: &generator)
  }

  /// Adds confirmed coins, the largest first, until the fee can be paid.
  private func complete(
    _ builder: inout SpendBuilder, _ inputs: [CoinSelection.Candidate], excluding: Set<TxID>,
    minimumFee: (Weight) -> Satoshi
  ) throws(WalletError) {
    let taken = Set(inputs.map(\.outPoint))
    var more = coins.filter { coin in
      guard case .confirmed = coin.state, coin.reservation == nil else { return false }
      return !taken.contains(coin.outPoint) && !excluding.contains(coin.outPoint.txid)
    }.sorted { $0.value < $1.value }
    var inputs = inputs
    while true {
      do throws(WalletError) { return try builder.settle(inputs, minimumFee: minimumFee) } catch {
        guard case .insufficientFunds = error, let next = more.popLast() else { throw error }
        inputs.append(.init(outPoint: next.outPoint, path: next.path, output: next.output))
      }
    }
  }
}

extension SpendBuilder {
  /// These inputs, with whatever change is no dust. `minimumFee` is asked with the weight that the transaction has at most.
  mutating func settle(
    _ inputs: [CoinSelection.Candidate], minimumFee: (Weight) -> Satoshi
  ) throws(WalletError) {
    let skeleton = Transaction(
      inputs: inputs.map { TxInput(previousOutput: $0.outPoint) },
      outputs: (recipients.map(\.script) + [changeScript]).map { TxOutput(value: .zero, scriptPubKey: $0) })
    self.minimumFee = minimumFee(skeleton.weight(witnesses: inputs.map(\.path.kind.witnessWeight)))
    self.inputs = inputs
    try settle(minimumChange: RelayPolicy.dustThreshold(of: changeScript))
  }
}
