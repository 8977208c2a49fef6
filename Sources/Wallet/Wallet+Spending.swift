public import Bitcoin

extension Wallet {
  /// BIP 125: replaceable; and the lock time is in force.
  static let sequence: UInt32 = 0xffff_fffd

  /// Makes a transaction and holds its coins. The id does not change when it is signed, so that a channel can be built on it.
  ///
  /// With change it pays the asked rate exactly, rounded up to a satoshi. Without change it pays up to the cost of a change output more.
  ///
  /// Throws `.insufficientFunds`, `.anchorReserve`, `.dust`, `.invalidRecipients`, `.amountOutOfRange`, `.unusableCoin`, `.tooLarge`.
  public mutating func spend(
    _ request: SpendRequest, using generator: inout some RandomNumberGenerator
  ) throws(WalletError) -> (spend: UnsignedSpend, update: WalletUpdate) {
    let fixed = try checkedSum(request.recipients)
    let available = try candidates(for: request)
    let change = try changePath()
    let changeScript = try destination(change).scriptPubKey
    var builder = SpendBuilder(
      recipients: request.recipients, changeScript: changeScript, feeRate: request.feeRate, fixed: fixed)
    let reserve = request.keepsAnchorReserve ? try reserveNeeded(beyond: available) : .zero
    if request.recipients.contains(where: { $0.amount == .all }) {
      try builder.spendAll(available, reserve: reserve)
    } else if request.coins != nil {
      try builder.spendChosen(available, policy)
      try requireReserve(reserve, after: builder, available)
    } else {
      try builder.select(available, policy, using: &generator)
      if left(after: builder, available) < reserve {
        // Once more, with change that makes up for what was taken.
        try builder.spendLargest(available, keeping: reserve)
      }
    }
    return try finish(
      builder, change: change, lockTime: request.locksToHeight ? lockTime(using: &generator) : 0, using: &generator)
  }

  /// What a transaction of these recipients could give to one that gets all, now, at this fee rate.
  public func maximumSpend(
    _ request: SpendRequest
  ) throws(WalletError) -> Satoshi {
    var copy = self
    var generator = SystemRandomNumberGenerator()
    guard let index = request.recipients.firstIndex(where: { $0.amount == .all }) else {
      throw .invalidRecipients
    }
    let made = try copy.spend(request, using: &generator).spend
    return made.transaction.outputs[made.recipientOutputs[index]].value
  }

  // MARK: -

  private func checkedSum(_ recipients: [SpendRequest.Recipient]) throws(WalletError) -> Satoshi {
    guard !recipients.isEmpty, recipients.count(where: { $0.amount == .all }) <= 1 else { throw .invalidRecipients }
    var sum = Satoshi.zero
    for recipient in recipients {
      guard case .exactly(let amount) = recipient.amount else { continue }
      let minimum = RelayPolicy.dustThreshold(of: recipient.script)
      guard amount >= minimum else { throw .dust(amount, minimum: minimum) }
      guard amount.isInMoneyRange, let next = sum.adding(amount), next.isInMoneyRange else {
        throw .amountOutOfRange
      }
      sum = next
    }
    return sum
  }

  /// The coins that a request may spend.
  func candidates(for request: SpendRequest) throws(WalletError) -> [CoinSelection.Candidate] {
    if let named = request.coins {
      var seen: Set<OutPoint> = []
      var found: [CoinSelection.Candidate] = []
      for outPoint in named {
        guard seen.insert(outPoint).inserted, let coin = coin(outPoint), coin.reservation == nil else {
          throw .unusableCoin(outPoint)
        }
        if case .immature = coin.state { throw .unusableCoin(outPoint) }
        guard let candidate = candidate(coin, request.feeRate) else { throw .unusableCoin(outPoint) }
        found.append(candidate)
      }
      return found
    }
    // More than there can be is somebody's invention, and must not overflow anything.
    var total = Satoshi.zero
    return coins.compactMap { coin in
      guard coin.reservation == nil, let next = total.adding(coin.value), next.isInMoneyRange else { return nil }
      switch coin.state {
      case .immature, .unconfirmed(isTrusted: false): return nil
      case .unconfirmed(isTrusted: true):
        guard request.spendsUnconfirmedChange, request.minimumConfirmations == 0 else { return nil }
      case .confirmed(let confirmed):
        let confirmations = UInt64(height ?? 0) + 1 - min(UInt64(confirmed), UInt64(height ?? 0) + 1)
        guard confirmations >= UInt64(request.minimumConfirmations) else { return nil }
      }
      total = next
      return candidate(coin, request.feeRate)
    }
  }

  /// Nil for a coin that a transaction of version 2 cannot spend, or that is too deep in unconfirmed transactions.
  func candidate(_ coin: Coin, _ feeRate: FeeRate) -> CoinSelection.Candidate? {
    var candidate = CoinSelection.Candidate(outPoint: coin.outPoint, path: coin.path, output: coin.output)
    guard case .unconfirmed = coin.state else { return candidate }
    guard let ancestors = unconfirmedAncestors(of: coin.outPoint.txid, limit: policy.maximumAncestors) else {
      return nil
    }
    for ancestor in ancestors {
      // BIP 431: an unconfirmed transaction of version 3 is spent by others of version 3 only.
      guard ancestor.transaction.version != 3 else { return nil }
      guard let fee = ancestor.fee, let wanted = feeRate.feeRoundedUp(for: ancestor.transaction.weight) else {
        continue
      }
      candidate.parentsDeficit += Int64(clamping: wanted.subtracting(fee)?.rawValue ?? 0)
    }
    return candidate
  }

  /// The part of the reserve that coins outside of `candidates` do not cover.
  private func reserveNeeded(beyond candidates: [CoinSelection.Candidate]) throws(WalletError) -> Satoshi {
    guard anchorReserve > .zero else { return .zero }
    let named = Set(candidates.map(\.outPoint))
    var outside = Satoshi.zero
    for coin in coins where !named.contains(coin.outPoint) && coin.reservation == nil {
      if case .confirmed = coin.state { outside = outside.adding(coin.value) ?? .maxMoney }
    }
    return anchorReserve.subtracting(outside) ?? .zero
  }

  private func left(after builder: SpendBuilder, _ available: [CoinSelection.Candidate]) -> Satoshi {
    let taken = Set(builder.inputs.map(\.outPoint))
    return available.reduce(builder.change ?? .zero) { sum, coin in
      taken.contains(coin.outPoint) ? sum : sum.adding(coin.output.value) ?? .maxMoney
    }
  }

  private func requireReserve(
    _ reserve: Satoshi, after builder: SpendBuilder, _ available: [CoinSelection.Candidate]
  ) throws(WalletError) {
    guard left(after: builder, available) >= reserve else { throw .anchorReserve(anchorReserve) }
  }

  /// The height of the tip, now and then a little less, so that transactions that were held back do not stand out (Bitcoin Core's way
  /// against fee sniping).
  func lockTime(using generator: inout some RandomNumberGenerator) -> UInt32 {
    guard let height, height < UInt32(TransactionRules.lockTimeThreshold) else { return 0 }
    guard UInt32.random(in: 0..<10, using: &generator) == 0 else { return height }
    return height - min(UInt32.random(in: 0..<100, using: &generator), height)
  }

  /// The transaction, in random order, with its coins held.
  mutating func finish(
    _ builder: SpendBuilder, change: AddressPath, lockTime: UInt32, using generator: inout some RandomNumberGenerator
  ) throws(WalletError) -> (spend: UnsignedSpend, update: WalletUpdate) {
    let inputs = builder.inputs.shuffled(using: &generator)
    let order = Array(builder.outputs.indices).shuffled(using: &generator)
    let transaction = Transaction(
      version: 2, inputs: inputs.map { TxInput(previousOutput: $0.outPoint, sequence: Self.sequence) },
      outputs: order.map { builder.outputs[$0] }, lockTime: lockTime)
    let weight = transaction.weight(witnesses: inputs.map(\.path.kind.witnessWeight))
    guard weight <= RelayPolicy.maximumWeight else { throw .tooLarge }
    var place = [Int](repeating: 0, count: order.count)
    for (index, original) in order.enumerated() { place[original] = index }
    let hasChange = builder.change != nil
    let id = hold(inputs.map(\.outPoint), expires: nil, change: hasChange ? change : nil)
    let spend = UnsignedSpend(
      transaction: transaction, spentOutputs: inputs.map(\.output), paths: inputs.map(\.path), fee: builder.fee,
      weight: weight, recipientOutputs: builder.recipients.indices.map { place[$0] },
      changeOutput: hasChange ? place[builder.recipients.count] : nil, reservation: id)
    return (spend, flush())
  }
}
