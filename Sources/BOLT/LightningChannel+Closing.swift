public import Bitcoin
internal import Encoding
internal import GLC
internal import Secp256k1
internal import Signer
internal import Wire

/// How far the two sides have come with the closing transaction. Nothing of it survives a lost connection.
struct ClosingNegotiation: Hashable, Sendable {
  /// The fee and range of our last `closing_signed`.
  var sentFee: Satoshi?
  var sentRange: FeeRange?
  var receivedFee: Satoshi?
  /// The `closing_complete` that waits for its `closing_sig`.
  var sentComplete: ClosingComplete?
  /// Our signatures in it.
  var sentSignatures: [ClosingTransaction.Variant: CounterSignature] = [:]
  /// Whether we have proposed a transaction of ours on this connection.
  var hasProposed = false
}

extension LightningChannel {
  // MARK: `shutdown`

  /// Asks the other side to close the channel together. `shutdown` is sent as soon as BOLT 2 allows it.
  public mutating func close(to script: Script, _ context: ChannelContext) throws(OpeningRefusal) -> [LightningEffect] {
    guard isFunded, phase < .closing else { throw OpeningRefusal("the channel is not open") }
    guard shutdownScripts.local == nil else { return [] }
    // BOLT 2: if it sent a non-zero-length `shutdown_scriptpubkey` in `open_channel` or `accept_channel`: MUST send the same value.
    let chosen = terms.local?.shutdownScript ?? script
    guard let form = ShutdownScript(chosen), form.isAllowed(features: context.negotiatedBits) else {
      throw OpeningRefusal("the script is not in a form that shutdown allows")
    }
    plannedShutdown = chosen
    return [.persist]
  }

  mutating func receive(
    _ message: Shutdown, _ context: ChannelContext, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    // BOLT 2: if both nodes advertised the `option_upfront_shutdown_script` feature, and the receiving node received a non-zero-length
    // `shutdown_scriptpubkey` in `open_channel` or `accept_channel`, and that `shutdown_scriptpubkey` is not equal to `scriptpubkey`: MAY
    // send a `warning`. MUST fail the connection.
    if let promised = terms.remote?.shutdownScript, promised != message.scriptpubkey {
      throw .warn("shutdown to another script than the one of the channel's opening")
    }
    guard let form = ShutdownScript(message.scriptpubkey), form.isAllowed(features: context.negotiatedBits) else {
      throw .warn("shutdown to a script that is not in one of the allowed forms")
    }
    guard phase < .closing || shutdownScripts.remote == nil else { throw .warn("shutdown twice") }
    if signsTogether {
      // Taproot channels: MUST verify that the `shutdown_nonce` value is a valid `musig2` public nonce.
      guard let nonce = message.shutdownNonce else { throw .fail("shutdown_nonce is absent") }
      closingNonces.remote = try nonce.parsed()
    }
    shutdownScripts.remote = message.scriptpubkey
    if phase < .shuttingDown { phase = .shuttingDown }
    // BOLT 2: once there are no outstanding updates on the peer, UNLESS it has already sent a `shutdown`: MUST reply to a `shutdown`
    // message with a `shutdown`.
    if shutdownScripts.local == nil, plannedShutdown == nil {
      guard let own = terms.local?.shutdownScript ?? replyScript else { throw .fail("there is no script to close to") }
      plannedShutdown = own
    }
    effects.append(.persist)
  }

  /// Whether no update, no promise and no revocation is left.
  private var isEmptied: Bool {
    guard let core, core.log.entries.isEmpty, !core.awaitsRevocation, let state = core.fundings.first?.base else {
      return false
    }
    return state.ledgers.allSatisfy { $0.lockedValue == .zero }
  }

  /// Sends what closing needs next.
  mutating func continueClosing(_ context: ChannelContext, _ effects: inout [LightningEffect]) throws(Fault) {
    if let script = plannedShutdown, shutdownScripts.local == nil, let core {
      // BOLT 2: if there are updates pending on the receiving node's commitment transaction: MUST NOT send a `shutdown`.
      guard !core.log.hasChanges(for: .remote), !core.awaitsRevocation else { return }
      shutdownScripts.local = script
      plannedShutdown = nil
      if phase < .shuttingDown { phase = .shuttingDown }
      effects += [.persist, try shutdown(script)]
    }
    guard phase == .shuttingDown || phase == .closing, shutdownScripts.local != nil, shutdownScripts.remote != nil,
      isEmptied
    else { return }
    if usesSimpleClose(context) {
      if closing?.hasProposed != true, phase == .shuttingDown || closing == nil { try proposeSimple(context, &effects) }
    } else if isOpener, closing?.sentFee == nil, closing?.hasProposed != true {
      // BOLT 2: the funding node: after `shutdown` has been received, AND no HTLCs remain in either commitment transaction: SHOULD
      // send a `closing_signed` message.
      let weight = try closingWeight()
      let ideal = fee(context.closingFeeRate, weight)
      let range = FeeRange(
        minFeeSatoshis: fee(.relayFloor, weight),
        maxFeeSatoshis: max(ideal, min(Satoshi(ideal.rawValue &* 10), affordableFee)))
      try sendClosingSigned(min(ideal, affordableFee), range, &effects)
    }
  }

  /// Proposes a closing transaction of ours with a higher fee (`option_simple_close`). Refused while the last one is unanswered.
  public mutating func bumpClosingFee(_ context: ChannelContext) throws(OpeningRefusal) -> [LightningEffect] {
    guard phase == .closing, usesSimpleClose(context), isEstablished else {
      throw OpeningRefusal("the channel is not in a closing negotiation whose fee can be raised")
    }
    guard closing?.sentComplete == nil else { throw OpeningRefusal("the last proposal is not answered yet") }
    var effects: [LightningEffect] = []
    do { try proposeSimple(context, &effects) } catch {
      throw OpeningRefusal("the closing transaction cannot be made")
    }
    return effects
  }

  /// Taproot channels know no other way: `option_simple_taproot` depends on `option_simple_close`.
  private func usesSimpleClose(_ context: ChannelContext) -> Bool { signsTogether || context.negotiated(.simpleClose) }

  /// `shutdown`, with the nonce with which we shall sign the other side's closing transaction.
  mutating func shutdown(_ script: Script) throws(Fault) -> LightningEffect {
    var message = Shutdown(channelID: id, scriptpubkey: script)
    if signsTogether {
      let nonce = try announceNonce()
      closingNonces.local = nonce
      message.shutdownNonce = PublicNonceBytes(nonce)
    }
    return try send(message)
  }

  private func announceNonce() throws(Fault) -> MuSigPublicNonce {
    do { return try signer.announceNonce() } catch { throw .fail(error.reason) }
  }

  // MARK: `closing_signed`

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

  private mutating func sendClosingSigned(
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
  private func legacyCandidates(_ fee: Satoshi) throws(Fault) -> [Transaction] {
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

  private func legacyClosing(_ fee: Satoshi, dustLimit: Satoshi) throws(Fault) -> Transaction {
    guard let funding, let ours = shares?.local, let theirs = shares?.remote else { throw .fail("no shutdown yet") }
    do {
      return try ClosingTransaction.legacy(
        spending: funding.outPoint, funder: isOpener ? ours : theirs, other: isOpener ? theirs : ours, fee: fee,
        dustLimit: dustLimit)
    } catch {
      throw .fail("the closing transaction cannot be made: \(error)")
    }
  }

  // MARK: `closing_complete` and `closing_sig`

  private mutating func proposeSimple(
    _ context: ChannelContext, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    guard let shares, let funding else { throw .fail("no shutdown yet") }
    let weight = try closingWeight()
    var state = closing ?? ClosingNegotiation()
    state.hasProposed = true
    closing = state
    let wanted = fee(context.closingFeeRate, weight)
    // BOLT 2: MUST set `fee_satoshis` to a fee less than or equal to its outstanding balance, rounded down to whole satoshis. Who cannot
    // pay a fee that is relayed leaves the proposal to the other side.
    let balance = shares.local.balance.satoshiRoundedDown
    guard balance >= fee(.relayFloor, weight) else { return }
    let chosen = min(wanted, balance)
    let isLesser = shares.local.balance < shares.remote.balance
    let ownOutput = balance.subtracting(chosen) ?? .zero
    let ownIsDust = ownOutput < Self.dustThreshold(shares.local.scriptPubKey)
    let theirsIsDust = shares.remote.balance.satoshiRoundedDown < Self.dustThreshold(shares.remote.scriptPubKey)
    // BOLT 2: MUST set `fee_satoshis` so that at least one output is not dust.
    guard !(ownIsDust && theirsIsDust) else { return }
    var variants: [ClosingTransaction.Variant]
    if isLesser {
      // MUST NOT set `closer_output_only`. MUST set `closee_output_only` if the local output amount is dust.
      variants = ownIsDust ? [.closeeOutputOnly] : [.closerAndCloseeOutputs]
    } else {
      // If the closee's output amount is dust: MUST set `closer_output_only`, MUST NOT set `closer_and_closee_outputs`. Otherwise: MUST
      // set both.
      variants = theirsIsDust ? [.closerOutputOnly] : [.closerOutputOnly, .closerAndCloseeOutputs]
    }
    let lockTime = context.height
    var message = ClosingComplete(
      channelID: id, closerScriptpubkey: shares.local.scriptPubKey, closeeScriptpubkey: shares.remote.scriptPubKey,
      feeSatoshis: chosen, locktime: lockTime)
    for variant in variants {
      let transaction = try simpleClosing(
        spending: funding.outPoint, closer: shares.local, closee: shares.remote, chosen, lockTime, variant)
      let signature = try closingSignature(transaction)
      closing?.sentSignatures[variant] = signature
      message.set(signature, for: variant)
    }
    closing?.sentComplete = message
    effects.append(try send(message))
  }

  mutating func receive(
    _ message: ClosingComplete, _ context: ChannelContext, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    guard let shares, let funding, isEmptied else { throw .fail("closing_complete before the channel is empty") }
    // BOLT 2: if `fee_satoshis` is greater than the closer's outstanding balance: MUST either send a `warning` and close the
    // connection, or send an `error` and fail the channel.
    guard message.feeSatoshis <= shares.remote.balance.satoshiRoundedDown else {
      throw .warn("closing_complete pays more than its sender has")
    }
    // If `closee_scriptpubkey` does not match the last script it sent: SHOULD ignore it, send a `warning`, close the connection.
    guard message.closeeScriptpubkey == shares.local.scriptPubKey else {
      throw .warn("closing_complete names another script of ours than the one we sent")
    }
    guard let form = ShutdownScript(message.closerScriptpubkey), form.isAllowed(features: context.negotiatedBits) else {
      throw .warn("closing_complete names a script that is not allowed")
    }
    if let promised = terms.remote?.shutdownScript, promised != message.closerScriptpubkey {
      throw .warn("closing_complete to another script than the one of the channel's opening")
    }
    // Select a signature for validation.
    let isDust = shares.local.balance.satoshiRoundedDown < Self.dustThreshold(shares.local.scriptPubKey)
    let variant: ClosingTransaction.Variant
    if isDust {
      variant = .closerOutputOnly
    } else if message.has(.closerAndCloseeOutputs, signsTogether) {
      variant = .closerAndCloseeOutputs
    } else {
      variant = .closeeOutputOnly
    }
    guard let signature = try closingSignature(message.signature(variant), message.partial(variant)) else {
      throw .warn("closing_complete lacks the signature \(variant.rawValue)")
    }
    let transaction = try simpleClosing(
      spending: funding.outPoint,
      closer: ClosingTransaction.Share(balance: shares.remote.balance, scriptPubKey: message.closerScriptpubkey),
      closee: shares.local, message.feeSatoshis, message.locktime, variant)
    guard try isValid(signature, for: transaction, nonce: closingNonces.local) else {
      throw .warn("the signature in closing_complete does not hold")
    }
    let own = try closingSignature(transaction, answering: signature)
    var answer = ClosingSig(
      channelID: id, closerScriptpubkey: message.closerScriptpubkey, closeeScriptpubkey: message.closeeScriptpubkey,
      feeSatoshis: message.feeSatoshis, locktime: message.locktime)
    answer.set(own, for: variant)
    if signsTogether {
      // Taproot channels: MUST include `next_closee_nonce` for potential future RBF iterations.
      let nonce = try announceNonce()
      closingNonces.local = nonce
      answer.nextCloseeNonce = PublicNonceBytes(nonce)
    }
    // MUST use `closer_scriptpubkey` for its own future `closing_complete` messages.
    shutdownScripts.remote = message.closerScriptpubkey
    try finishClosing(transaction, own, signature, &effects)
    effects.append(try send(answer))
  }

  mutating func receive(
    _ message: ClosingSig, _ context: ChannelContext, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    guard let sent = closing?.sentComplete, let shares, let funding else {
      throw .warn("closing_sig without closing_complete")
    }
    guard message.closerScriptpubkey == sent.closerScriptpubkey, message.closeeScriptpubkey == sent.closeeScriptpubkey,
      message.feeSatoshis == sent.feeSatoshis, message.locktime == sent.locktime
    else { throw .warn("closing_sig answers another closing_complete") }
    let given = ClosingTransaction.Variant.allCases.filter { message.has($0, signsTogether) }
    // BOLT 2: if `tlvs` does not contain exactly one signature, or not one of the TLV fields sent in `closing_complete`: MUST either
    // send a `warning` and close the connection, or send an `error` and fail the channel.
    guard given.count == 1, let variant = given.first, let own = closing?.sentSignatures[variant] else {
      throw .warn("closing_sig has not exactly one of the signatures that were asked for")
    }
    let signature: CounterSignature
    if signsTogether {
      guard let partial = message.partial(variant), let nonce = closingNonces.remote else {
        throw .warn("closing_sig without a nonce to verify it by")
      }
      signature = .musigPartial(PartialSignature(signature: try partial.parsed(), nonce: nonce))
    } else {
      guard let plain = message.signature(variant) else { throw .warn("closing_sig without a signature") }
      signature = .ecdsa(try Self.signature(plain))
    }
    let transaction = try simpleClosing(
      spending: funding.outPoint, closer: shares.local,
      closee: ClosingTransaction.Share(balance: shares.remote.balance, scriptPubKey: sent.closeeScriptpubkey),
      sent.feeSatoshis, sent.locktime, variant)
    guard try isValid(signature, for: transaction, nonce: own.nonce) else {
      throw .warn("the signature in closing_sig does not hold")
    }
    closing?.sentComplete = nil
    closing?.sentSignatures = [:]
    if signsTogether { closingNonces.remote = try message.nextCloseeNonce?.parsed() }
    try finishClosing(transaction, own, signature, &effects)
  }

  private func simpleClosing(
    spending outPoint: OutPoint, closer: ClosingTransaction.Share, closee: ClosingTransaction.Share, _ fee: Satoshi,
    _ lockTime: UInt32, _ variant: ClosingTransaction.Variant
  ) throws(Fault) -> Transaction {
    do {
      return try ClosingTransaction.simple(
        spending: outPoint, closer: closer, closee: closee, fee: fee, lockTime: lockTime, variant: variant)
    } catch {
      throw .warn("the closing transaction cannot be made: \(error)")
    }
  }

  // MARK: Parts

  /// Where our share goes when the peer wants to close and nothing was promised: the node sets it.
  var replyScript: Script? { closingScript }

  private var shares: PerParty<ClosingTransaction.Share>? {
    guard let balances, let ours = shutdownScripts.local, let theirs = shutdownScripts.remote else { return nil }
    return PerParty(
      local: ClosingTransaction.Share(balance: balances[.local], scriptPubKey: ours),
      remote: ClosingTransaction.Share(balance: balances[.remote], scriptPubKey: theirs))
  }

  /// For `closing_signed`.
  private mutating func finishClosing(
    _ transaction: Transaction, _ theirs: CompactSignature, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    try finishClosing(
      transaction, try closingSignature(transaction), .ecdsa(try Self.signature(theirs)), &effects)
  }

  private mutating func finishClosing(
    _ transaction: Transaction, _ own: CounterSignature, _ theirs: CounterSignature,
    _ effects: inout [LightningEffect]
  ) throws(Fault) {
    let signed: Transaction
    do { signed = try signer.complete(try spend(transaction), own: own, theirs: theirs) } catch {
      throw .fail("the closing transaction cannot be signed: \(error)")
    }
    if !closingTransactions.contains(where: { $0.txid == signed.txid }) { closingTransactions.append(signed) }
    if phase < .closing { phase = .closing }
    effects += [.persist, .broadcast(signed, .close)]
  }

  private func fundingCommitment() throws(Fault) -> Commitment {
    do {
      guard let commitment = try core?.localCommitments(signer).first else { throw Fault.fail("no commitment") }
      return commitment
    } catch {
      throw .fail("\(error)")
    }
  }

  private func spend(_ transaction: Transaction) throws(Fault) -> AgreedSpend {
    AgreedSpend(transaction, insteadOf: try fundingCommitment())
  }

  /// Our signature of a transaction of our own; where both sign together, with the nonce that the other side has told.
  private func closingSignature(_ transaction: Transaction) throws(Fault) -> CounterSignature {
    let spend = try spend(transaction)
    do { return try signer.sign(spend, nonce: closingNonces.remote) } catch {
      throw .fail("the closing transaction cannot be signed: \(error)")
    }
  }

  /// Our signature of the other side's transaction; where both sign together, with the nonce that we have told.
  private func closingSignature(
    _ transaction: Transaction, answering theirs: CounterSignature
  ) throws(Fault) -> CounterSignature {
    guard signsTogether else { return try closingSignature(transaction) }
    let spend = try spend(transaction)
    guard let announced = closingNonces.local, let nonce = theirs.nonce else { throw .warn("no nonce to sign with") }
    // It is used up: what goes wrong from here on needs a new `shutdown`, on a new connection.
    do { return try signer.sign(spend, announced: announced, nonce: nonce) } catch { throw .warn(error.reason) }
  }

  /// A signature in `closing_complete`, of the one kind or the other.
  private func closingSignature(
    _ signature: CompactSignature?, _ partial: PartialSignatureWithNonce?
  ) throws(Fault) -> CounterSignature? {
    guard signsTogether else {
      return try signature.map { (signature) throws(Fault) in .ecdsa(try Self.signature(signature)) }
    }
    return try partial.map { (partial) throws(Fault) in .musigPartial(try partial.parsed()) }
  }

  private func isValid(
    _ signature: CounterSignature, for transaction: Transaction, nonce: MuSigPublicNonce? = nil
  ) throws(Fault) -> Bool {
    try spend(transaction).isValid(signature, nonce: nonce)
  }

  /// Of a closing transaction with both outputs, signed.
  private func closingWeight() throws(Fault) -> Weight {
    guard let shares, let core else { throw .fail("no shutdown yet") }
    let scripts = UInt64(shares.local.scriptPubKey.count + shares.remote.scriptPubKey.count)
    // 4 version, 1 count, 41 input, 1 count, 9 for each output and its script, 4 lock time; the witness as the stack counts it.
    return Weight(4 * (51 + 18 + scripts) + core.stack.funding.expectedWitnessWeight.rawValue)
  }

  private func fee(_ rate: FeeRate, _ weight: Weight) -> Satoshi { max(rate, .relayFloor).fee(for: weight) ?? .zero }

  /// What the opener, who pays for `closing_signed`, can pay at most.
  private var affordableFee: Satoshi {
    guard let shares else { return .zero }
    return (isOpener ? shares.local : shares.remote).balance.satoshiRoundedDown
  }

  /// BOLT 3 §Dust Limits: what nodes relay, by the form of the script.
  static func dustThreshold(_ script: Script) -> Satoshi {
    switch ShutdownScript(script) {
    case .p2wpkh: Satoshi(294)
    case .p2wsh: Satoshi(330)
    case .anySegwit: Satoshi(354)
    case .opReturn: .zero
    case nil: Satoshi(546)
    }
  }
}
