internal import Bitcoin

/// Brings inputs, outputs, change and fee of one transaction together.
struct SpendBuilder {
  let recipients: [SpendRequest.Recipient]
  let changeScript: Script
  let feeRate: FeeRate
  /// What recipients of exact amounts get.
  let fixed: Satoshi
  /// A fee that is to be paid at least, whatever the rate says.
  var minimumFee = Satoshi.zero

  var inputs: [CoinSelection.Candidate] = []
  /// The recipients' in their order, then the change.
  private(set) var outputs: [TxOutput] = []
  private(set) var change: Satoshi?
  private(set) var fee = Satoshi.zero

  init(recipients: [SpendRequest.Recipient], changeScript: Script, feeRate: FeeRate, fixed: Satoshi) {
    self.recipients = recipients
    self.changeScript = changeScript
    self.feeRate = feeRate
    self.fixed = fixed
  }

  // MARK: Ways to choose

  /// Everything, but for a change output of `reserve`.
  mutating func spendAll(_ available: [CoinSelection.Candidate], reserve: Satoshi) throws(WalletError) {
    // What costs more than it brings in stays.
    inputs = available.filter { value($0, beyond: .zero) }
    guard !inputs.isEmpty else { throw .insufficientFunds(available: sum(available), missing: fixed) }
    let reserve = reserve > .zero ? max(reserve, RelayPolicy.dustThreshold(of: changeScript)) : nil
    let scripts = recipients.map(\.script) + (reserve == nil ? [] : [changeScript])
    let total = sum(inputs)
    let fee = try requiredFee(scripts)
    let owed = [fixed, fee, reserve ?? .zero].reduce(Optional(Satoshi.zero)) { $0?.adding($1) }
    guard let owed else { throw .amountOutOfRange }
    guard let rest = total.subtracting(owed) else {
      if total.subtracting(fee)?.subtracting(fixed) != nil { throw .anchorReserve(reserve ?? .zero) }
      throw .insufficientFunds(available: total, missing: owed.subtracting(total) ?? .zero)
    }
    for recipient in recipients {
      let amount: Satoshi
      switch recipient.amount {
      case .exactly(let exact): amount = exact
      case .all:
        let minimum = RelayPolicy.dustThreshold(of: recipient.script)
        guard rest >= minimum, rest > .zero else { throw .dust(rest, minimum: minimum) }
        amount = rest
      }
      outputs.append(TxOutput(value: amount, scriptPubKey: recipient.script))
    }
    if let reserve { outputs.append(TxOutput(value: reserve, scriptPubKey: changeScript)) }
    change = reserve
    self.fee = fee
  }

  /// All of these coins, with change if there is enough for it.
  mutating func spendChosen(_ chosen: [CoinSelection.Candidate], _ policy: WalletPolicy) throws(WalletError) {
    inputs = chosen
    try settle(minimumChange: leastChange(policy))
  }

  /// The coins that waste least.
  mutating func select(
    _ available: [CoinSelection.Candidate], _ policy: WalletPolicy, using generator: inout some RandomNumberGenerator
  ) throws(WalletError) {
    let skeleton = Transaction(
      inputs: [], outputs: recipients.map { TxOutput(value: .zero, scriptPubKey: $0.script) })
    // With more than 252 inputs their number takes two bytes more.
    let base = Int64(skeleton.weight(witnesses: []).rawValue) + (available.count > 252 ? 8 : 0)
    let rate = Int64(feeRate.satPerKiloWeight)
    let changeWeight = Int64(4 * (9 + changeScript.count))
    let spendWeight = Int64(4 * 41) + Int64(policy.changeKind.witnessWeight.rawValue)
    let longTerm = Int64(policy.longTermFeeRate.satPerKiloWeight)
    let target = Int64(fixed.rawValue) * 1000 + max(rate * base, Int64(clamping: minimumFee.rawValue) * 1000)
    // Confirmed coins first: what is not confirmed may be replaced, and drags its parents' fees along.
    for pool in [available.filter { $0.parentsDeficit == 0 }, available] {
      let selection = CoinSelection(
        candidates: pool, feeRate: rate, longTermRate: longTerm, target: target,
        costOfChange: changeWeight * rate + spendWeight * longTerm, changeFee: changeWeight * rate,
        minimumChange: Int64(leastChange(policy).rawValue) * 1000,
        maximumWeight: Int64(RelayPolicy.maximumWeight.rawValue) - base - changeWeight)
      guard let result = selection.select(using: &generator) else { continue }
      inputs = result.chosen
      try settle(minimumChange: leastChange(policy))
      return
    }
    throw shortage(available, target: target)
  }

  /// Largest coins first, until change can hold `reserve` less what is left of the others.
  mutating func spendLargest(
    _ available: [CoinSelection.Candidate], keeping reserve: Satoshi
  ) throws(WalletError) {
    let dust = RelayPolicy.dustThreshold(of: changeScript)
    let sorted = available.sorted { $0.output.value > $1.output.value }
    var total = Satoshi.zero
    for (index, coin) in sorted.enumerated() {
      total = total.adding(coin.output.value) ?? .maxMoney
      guard total > fixed else { continue }
      let count = index + 1
      inputs = Array(sorted.prefix(count))
      let outside = sum(sorted.dropFirst(count))
      let needed = max(reserve.subtracting(outside) ?? .zero, dust)
      do throws(WalletError) { try settle(minimumChange: needed) } catch { continue }
      if change != nil { return }
    }
    throw .anchorReserve(reserve)
  }

  // MARK: -

  /// Fills outputs, change and fee in for the inputs. Throws `.insufficientFunds`.
  mutating func settle(minimumChange: Satoshi) throws(WalletError) {
    outputs = recipients.map {
      guard case .exactly(let amount) = $0.amount else { return TxOutput(value: .zero, scriptPubKey: $0.script) }
      return TxOutput(value: amount, scriptPubKey: $0.script)
    }
    change = nil
    let scripts = recipients.map(\.script)
    let total = sum(inputs)
    let withChange = try requiredFee(scripts + [changeScript])
    if let rest = total.subtracting(fixed)?.subtracting(withChange), rest >= minimumChange {
      change = rest
      fee = withChange
      outputs.append(TxOutput(value: rest, scriptPubKey: changeScript))
      return
    }
    let without = try requiredFee(scripts)
    guard let rest = total.subtracting(fixed), rest >= without else {
      let owed = fixed.adding(without) ?? .maxMoney
      throw .insufficientFunds(available: total, missing: owed.subtracting(total) ?? .zero)
    }
    // A transaction needs an output.
    guard !outputs.isEmpty else {
      throw .insufficientFunds(available: total, missing: minimumChange)
    }
    fee = rest
  }

  /// The fee of the inputs with outputs of these scripts, and of their unconfirmed parents.
  private func requiredFee(_ scripts: [Script]) throws(WalletError) -> Satoshi {
    let skeleton = Transaction(
      inputs: inputs.map { TxInput(previousOutput: $0.outPoint) },
      outputs: scripts.map { TxOutput(value: .zero, scriptPubKey: $0) })
    let weight = skeleton.weight(witnesses: inputs.map(\.path.kind.witnessWeight))
    let deficit = inputs.reduce(Int64(0)) { $0.addingReportingOverflow($1.parentsDeficit).partialValue }
    guard let own = feeRate.feeRoundedUp(for: weight),
      let fee = own.adding(Satoshi(UInt64(clamping: deficit)))
    else { throw .amountOutOfRange }
    return max(fee, minimumFee)
  }

  /// A change output is made when it is no dust, and worth more than what it will cost to spend.
  private func leastChange(_ policy: WalletPolicy) -> Satoshi {
    let spending = Weight(4 * 41 + policy.changeKind.witnessWeight.rawValue)
    return max(
      RelayPolicy.dustThreshold(of: changeScript), policy.longTermFeeRate.feeRoundedUp(for: spending) ?? .zero)
  }

  private func value(_ candidate: CoinSelection.Candidate, beyond minimum: Satoshi) -> Bool {
    let weight = Weight(UInt64(candidate.weight))
    guard let cost = feeRate.feeRoundedUp(for: weight)?.adding(Satoshi(UInt64(clamping: candidate.parentsDeficit)))
    else { return false }
    return candidate.output.value.subtracting(cost).map { $0 > minimum } ?? false
  }

  private func sum(_ coins: some Sequence<CoinSelection.Candidate>) -> Satoshi {
    coins.reduce(.zero) { $0.adding($1.output.value) ?? .maxMoney }
  }

  private func shortage(_ available: [CoinSelection.Candidate], target: Int64) -> WalletError {
    let useful = available.filter { value($0, beyond: .zero) }
    let effective = useful.reduce(Int64(0)) { sum, coin in
      sum + Int64(coin.output.value.rawValue) * 1000 - Int64(feeRate.satPerKiloWeight) * coin.weight
        - coin.parentsDeficit * 1000
    }
    let missing = max((target - effective + 999) / 1000, 1)
    return .insufficientFunds(available: sum(useful), missing: Satoshi(UInt64(missing)))
  }
}
