public import Bitcoin

// Inputs for others' transactions: channels funded by several, payments that are put together elsewhere.

/// Inputs for a transaction whose other parts somebody else knows.
public struct InputsRequest: Hashable, Sendable {
  /// What its outputs will need.
  public var amount: SpendRequest.Amount
  public var feeRate: FeeRate
  /// The weight of everything but the inputs and the change.
  public var startWeight: Weight
  public var minimumConfirmations: UInt32 = 1
  /// Nil: whichever.
  public var coins: [OutPoint]?
  /// The least weight that is counted for the witness of each input.
  public var minimumWitnessWeight = Weight(0)
  /// Nil: the height of the tip.
  public var lockTime: UInt32?
  /// Whether what is too much goes to an output of ours, when it is worth one.
  public var addsChange = false
  /// What has to be left in the wallet besides the reserve for the anchor channels that there are.
  public var furtherReserve = Satoshi.zero

  public init(_ amount: SpendRequest.Amount, feeRate: FeeRate, startWeight: Weight) {
    self.amount = amount
    self.feeRate = feeRate
    self.startWeight = startWeight
  }
}

/// A PSBT with inputs of the wallet, and an output for change at most.
public struct FundedInputs: Hashable, Sendable {
  public var psbt: PSBT
  /// Of the whole transaction, when it is signed.
  public var weight: Weight
  /// What is left of the inputs without amount, fee and change.
  public var excess: Satoshi
  public var changeOutput: Int?
  public var outPoints: [OutPoint]
}

extension Wallet {
  /// Chooses inputs for an amount, their own fees and those of `startWeight`. They are held until the height `expires`; nil for not at all.
  ///
  /// Throws `.insufficientFunds`, `.anchorReserve`, `.amountOutOfRange`, `.tooLarge`.
  public mutating func fund(
    _ request: InputsRequest, holdingUntil expires: UInt32?, using generator: inout some RandomNumberGenerator
  ) throws(WalletError) -> (funded: FundedInputs, update: WalletUpdate) {
    // Heavier ones are not relayed; and sums of what is lighter do not overflow.
    guard max(request.startWeight, request.minimumWitnessWeight) <= RelayPolicy.maximumWeight else { throw .tooLarge }
    var spending = SpendRequest([], feeRate: request.feeRate)
    spending.coins = request.coins
    spending.minimumConfirmations = request.minimumConfirmations
    spending.spendsUnconfirmedChange = request.minimumConfirmations == 0
    let available = try candidates(for: spending).map { candidate in
      var copy = candidate
      copy.minimumWitnessWeight = Int64(clamping: request.minimumWitnessWeight.rawValue)
      return copy
    }
    guard let reserve = anchorReserve.adding(request.furtherReserve) else { throw .amountOutOfRange }
    let change = try changePath()
    let changeScript = try destination(change).scriptPubKey
    var selection = InputsSelection(request, changeScript: changeScript, policy: policy)
    try selection.choose(from: available, keeping: reserve, using: &generator)

    let inputs = selection.inputs.shuffled(using: &generator)
    var transaction = Transaction(
      version: 2, inputs: inputs.map { TxInput(previousOutput: $0.outPoint, sequence: Self.sequence) },
      outputs: [], lockTime: request.lockTime ?? lockTime(using: &generator))
    if let amount = selection.change { transaction.outputs.append(TxOutput(value: amount, scriptPubKey: changeScript)) }
    guard selection.weight <= RelayPolicy.maximumWeight else { throw .tooLarge }
    var psbt: PSBT
    do { psbt = try PSBT(unsignedTransaction: transaction) } catch { throw .psbt(error) }
    _ = try complete(&psbt)
    let outPoints = inputs.map(\.outPoint)
    if let expires { _ = hold(outPoints, expires: expires, change: selection.change == nil ? nil : change) }
    let funded = FundedInputs(
      psbt: psbt, weight: selection.weight, excess: selection.excess,
      changeOutput: selection.change == nil ? nil : 0, outPoints: outPoints)
    return (funded, flush())
  }
}

/// Which inputs, and what is left over.
private struct InputsSelection {
  let request: InputsRequest
  let changeWeight: Weight
  /// A change output holds at least so much.
  let leastChange: Satoshi
  let policy: WalletPolicy
  var inputs: [CoinSelection.Candidate] = []
  var change: Satoshi?
  var excess = Satoshi.zero
  var weight: Weight

  init(_ request: InputsRequest, changeScript: Script, policy: WalletPolicy) {
    self.request = request
    self.policy = policy
    weight = request.startWeight
    changeWeight = Weight(UInt64(4 * (9 + changeScript.count)))
    let spending = Weight(4 * 41 + policy.changeKind.witnessWeight.rawValue)
    leastChange = max(
      RelayPolicy.dustThreshold(of: changeScript), policy.longTermFeeRate.feeRoundedUp(for: spending) ?? .zero)
  }

  mutating func choose(
    from available: [CoinSelection.Candidate], keeping reserve: Satoshi,
    using generator: inout some RandomNumberGenerator
  ) throws(WalletError) {
    let useful = available.filter { candidate in
      fee(Weight(UInt64(clamping: candidate.weight))).map { candidate.output.value > $0 } ?? false
    }
    switch request.amount {
    case .all:
      guard !useful.isEmpty else { throw .insufficientFunds(available: sum(available), missing: .zero) }
      inputs = useful
      try settle(.zero, keeping: reserve.subtracting(rest(of: available)) ?? .zero)
    case .exactly(let amount):
      inputs = try select(amount, useful, using: &generator)
      try settle(amount, keeping: .zero)
      if (rest(of: available).adding(change ?? .zero) ?? .maxMoney) >= reserve { return }
      // Once more with all of them: if that leaves enough, it is change that does.
      guard request.addsChange else { throw .anchorReserve(reserve) }
      inputs = useful
      try settle(amount, keeping: reserve.subtracting(rest(of: available)) ?? .zero)
    }
  }

  private func select(
    _ amount: Satoshi, _ useful: [CoinSelection.Candidate], using generator: inout some RandomNumberGenerator
  ) throws(WalletError) -> [CoinSelection.Candidate] {
    guard amount.isInMoneyRange, let base = fee(request.startWeight) else { throw .amountOutOfRange }
    let rate = Int64(request.feeRate.satPerKiloWeight)
    let changeFee = Int64(changeWeight.rawValue) * rate
    let spendWeight = Int64(4 * 41) + Int64(policy.changeKind.witnessWeight.rawValue)
    let longTerm = Int64(policy.longTermFeeRate.satPerKiloWeight)
    let room = Int64(RelayPolicy.maximumWeight.rawValue) - Int64(request.startWeight.rawValue)
    let selection = CoinSelection(
      candidates: useful, feeRate: rate, longTermRate: longTerm,
      target: Int64(amount.rawValue) * 1000 + Int64(clamping: base.rawValue) * 1000,
      costOfChange: changeFee + spendWeight * longTerm, changeFee: changeFee,
      minimumChange: Int64(leastChange.rawValue) * 1000, maximumWeight: room - Int64(changeWeight.rawValue))
    if let result = selection.select(using: &generator) { return result.chosen }
    let owed = amount.adding(base) ?? .maxMoney
    throw .insufficientFunds(available: sum(useful), missing: max(owed.subtracting(sum(useful)) ?? .zero, Satoshi(1)))
  }

  /// What the inputs leave: in a change output of at least `reserve`, or as excess.
  private mutating func settle(_ amount: Satoshi, keeping reserve: Satoshi) throws(WalletError) {
    var own = request.startWeight.rawValue
    var deficit: UInt64 = 0
    for input in inputs {
      own += UInt64(clamping: input.weight)
      deficit += UInt64(clamping: input.parentsDeficit)
    }
    func left(_ weight: Weight) -> Satoshi? {
      guard let fee = fee(weight)?.adding(Satoshi(deficit)) else { return nil }
      return sum(inputs).subtracting(amount)?.subtracting(fee)
    }
    guard let without = left(Weight(own)) else {
      let owed = amount.adding(fee(Weight(own)) ?? .maxMoney) ?? .maxMoney
      throw .insufficientFunds(available: sum(inputs), missing: owed.subtracting(sum(inputs)) ?? .zero)
    }
    (change, excess, weight) = (nil, without, Weight(own))
    guard request.addsChange || reserve > .zero else { return }
    let withChange = Weight(own + changeWeight.rawValue)
    guard let rest = left(withChange), rest >= max(leastChange, reserve) else {
      if reserve > .zero { throw .anchorReserve(reserve) }
      return
    }
    weight = withChange
    (change, excess) = (rest, .zero)
    if case .all = request.amount, reserve > .zero {
      // All that is not kept back is what the caller asked for.
      let kept = max(reserve, leastChange)
      (change, excess) = (kept, rest.subtracting(kept) ?? .zero)
    }
  }

  private func rest(of available: [CoinSelection.Candidate]) -> Satoshi {
    let taken = Set(inputs.map(\.outPoint))
    return sum(available.filter { !taken.contains($0.outPoint) })
  }

  private func fee(_ weight: Weight) -> Satoshi? { request.feeRate.feeRoundedUp(for: weight) }

  private func sum(_ coins: [CoinSelection.Candidate]) -> Satoshi {
    coins.reduce(.zero) { $0.adding($1.output.value) ?? .maxMoney }
  }
}
