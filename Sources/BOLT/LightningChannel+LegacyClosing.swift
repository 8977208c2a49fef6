internal import Bitcoin
internal import GLC
internal import Secp256k1
internal import Signer
internal import Wire

// `closing_signed`: both sides agree on a fee.

extension LightningChannel {
  mutating func receive(
    _ message: ClosingSigned, _ context: ChannelContext, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    guard !signsTogether else { throw .warn("closing_signed on a taproot channel") }
    guard shutdownScripts.local != nil, shutdownScripts.remote != nil, isEmptied else {
      throw .fail("closing_signed before the channel is empty")
    }
    // BOLT 2: if the `signature` is not valid for either variant of closing transaction: MUST send a `warning` and close the connection,
    // or send an `error` and fail the channel.
    guard
      let transaction = try legacyCandidates(message.feeSatoshis).first(where: { transaction in
        (try? isValid(.ecdsa(Self.signature(message.signature)), for: transaction)) == true
      })
    else { throw .fail("the signature in closing_signed does not hold") }
    let weight = try closingWeight()
    let ideal = fee(context.closingFeeRate, weight)
    var state = closing ?? ClosingNegotiation()
    let previous = state.receivedFee
    state.receivedFee = message.feeSatoshis
    closing = state
    let received = message.feeSatoshis

    // BOLT 2: if `fee_satoshis` is equal to its previously sent `fee_satoshis`: SHOULD sign and broadcast the final transaction.
    if received == state.sentFee { return try finishClosing(transaction, message.signature, &effects) }
    // If `fee_satoshis` matches its previously sent `fee_range`: SHOULD use `fee_satoshis` to sign and broadcast the final closing
    // transaction; SHOULD reply with a `closing_signed` with the same `fee_satoshis` value.
    if let range = state.sentRange, received >= range.minFeeSatoshis, received <= range.maxFeeSatoshis,
      message.feeRange != nil || isOpener
    {
      try sendClosingSigned(received, range, &effects)
      return try finishClosing(transaction, message.signature, &effects)
    }
    if let theirs = message.feeRange {
      if isOpener {
        // If it is the funder: if `fee_satoshis` is not in the overlap between the sent and received `fee_range`: MUST fail the channel.
        throw .fail("a closing fee of \(received) is not in the range that we sent")
      }
      guard state.sentFee == nil else {
        // If it has already sent a `closing_signed`: if `fee_satoshis` is not the same as the value it sent: MUST fail the channel.
        throw .fail("a closing fee of \(received) is not the one that we sent")
      }
      // Who pays nothing has no maximum: SHOULD set `max_fee_satoshis` to at least the `max_fee_satoshis` received, `min_fee_satoshis` to a
      // fairly low value.
      let range = FeeRange(
        minFeeSatoshis: fee(.relayFloor, weight), maxFeeSatoshis: max(theirs.maxFeeSatoshis, ideal))
      let low = max(range.minFeeSatoshis, theirs.minFeeSatoshis)
      let high = min(range.maxFeeSatoshis, theirs.maxFeeSatoshis)
      guard low <= high else { throw .warn("the closing fee ranges have nothing in common") }
      // MUST propose a `fee_satoshis` in the overlap between received and (about-to-be) sent `fee_range`.
      let chosen = received >= low && received <= high ? received : min(max(ideal, low), high)
      try sendClosingSigned(chosen, range, &effects)
      if chosen == received { try finishClosing(transaction, message.signature, &effects) }
      return
    }
    // Without ranges, the fees approach each other.
    let mine = state.sentFee ?? ideal
    if let previous, let sent = state.sentFee {
      let between = min(previous, sent)...max(previous, sent)
      guard between.contains(received), received != previous else {
        // If `fee_satoshis` is not strictly between its last-sent `fee_satoshis` and its previously-received `fee_satoshis`: SHOULD send a
        // `warning` and close the connection.
        throw .warn("a closing fee of \(received) does not approach ours")
      }
    }
    let middle = Satoshi((mine.rawValue / 2) + (received.rawValue / 2))
    // The last step is ours to give in; and whoever pays nothing takes whatever is relayed.
    let distance = mine > received ? mine.rawValue - received.rawValue : received.rawValue - mine.rawValue
    let accepts =
      distance <= 2 || (!isOpener && received >= fee(.relayFloor, weight)) || middle == mine || middle == received
    let answer = accepts ? received : middle
    try sendClosingSigned(answer, nil, &effects)
    if answer == received { try finishClosing(transaction, message.signature, &effects) }
  }

  mutating func sendClosingSigned(
    _ fee: Satoshi, _ range: FeeRange?, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    guard let own = terms.local else { throw .fail("the channel is not agreed on") }
    let transaction = try legacyClosing(fee, dustLimit: own.dustLimit)
    let signature = try closingSignature(transaction)
    var state = closing ?? ClosingNegotiation()
    state.sentFee = fee
    state.sentRange = range
    closing = state
    effects.append(
      try send(
        ClosingSigned(
          channelID: id, feeSatoshis: fee, signature: signature.fundingFields.signature, feeRange: range)))
  }

  /// The closing transactions with this fee: each side leaves out what is dust for it.
  func legacyCandidates(_ fee: Satoshi) throws(Fault) -> [Transaction] {
    var candidates: [Transaction] = []
    var limits = [terms.remote?.dustLimit, terms.local?.dustLimit].compactMap { $0 }
    limits += [Satoshi.zero, Satoshi(546)]
    for limit in limits {
      if let transaction = try? legacyClosing(fee, dustLimit: limit), !candidates.contains(transaction) {
        candidates.append(transaction)
      }
    }
    if candidates.isEmpty { throw .fail("a closing fee of \(fee) leaves no output") }
    return candidates
  }

  func legacyClosing(_ fee: Satoshi, dustLimit: Satoshi) throws(Fault) -> Transaction {
    guard let funding, let ours = shares?.local, let theirs = shares?.remote else { throw .fail("no shutdown yet") }
    do {
      return try ClosingTransaction.legacy(
        spending: funding.outPoint, funder: isOpener ? ours : theirs, other: isOpener ? theirs : ours, fee: fee,
        dustLimit: dustLimit)
    } catch {
      throw .fail("the closing transaction cannot be made: \(error)")
    }
  }
}
