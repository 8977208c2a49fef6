public import Bitcoin
internal import Encoding
internal import GLC
internal import HTLC
internal import Secp256k1
public import Signer
public import Wire

/// What the opener of a channel wants.
public struct OpenRequest: Sendable {
  public var peer: NodeID
  public var keyIndex: UInt64
  /// Random, and unique among the peer's channels.
  public var temporaryID: ChannelID
  public var chainHash: ChainHash
  public var type: Wire.ChannelType
  public var capacity: Satoshi
  public var pushed: MilliSatoshi
  public var feeRate: FeeRate
  public var isAnnounced: Bool
  /// Where our share goes in the end; nil for no promise.
  public var shutdownScript: Script?
  /// Not used for any other channel.
  public var alias: ShortChannelID

  public init(
    peer: NodeID, keyIndex: UInt64, temporaryID: ChannelID, chainHash: ChainHash, type: Wire.ChannelType,
    capacity: Satoshi, pushed: MilliSatoshi, feeRate: FeeRate, isAnnounced: Bool, shutdownScript: Script? = nil,
    alias: ShortChannelID
  ) {
    self.peer = peer
    self.keyIndex = keyIndex
    self.temporaryID = temporaryID
    self.chainHash = chainHash
    self.type = type
    self.capacity = capacity
    self.pushed = pushed
    self.feeRate = feeRate
    self.isAnnounced = isAnnounced
    self.shutdownScript = shutdownScript
    self.alias = alias
  }
}

extension LightningChannel {
  // MARK: The opener

  /// Opens a channel: sends `open_channel`. `signer` is of the channel's own keys.
  public static func open(
    _ request: OpenRequest, policy: ChannelPolicy, signer: LocalSigner, _ context: ChannelContext
  ) throws(OpeningRefusal) -> (LightningChannel, [LightningEffect]) {
    guard let capacity = request.capacity.milliSatoshi, request.pushed <= capacity else {
      throw OpeningRefusal("push_msat \(request.pushed) is more than the channel's \(request.capacity)")
    }
    // BOLT 2: if both nodes advertised `option_support_large_channel`: MAY set `funding_satoshis` greater than or equal to 2^24 satoshi.
    guard request.capacity < ChannelPolicy.largeChannel || context.negotiated(.supportLargeChannel) else {
      throw OpeningRefusal("\(request.capacity) is 2^24 sat or more, and the peer does not support large channels")
    }
    guard !(request.isAnnounced && request.type.contains(.scidAlias)) else {
      throw OpeningRefusal("a channel with option_scid_alias cannot be announced")
    }
    _ = try stack(of: request.type)
    // Taproot channels, of the sender of `open_channel`: MUST not set the `announce_channel` bit.
    guard !(request.isAnnounced && request.type.signsTogether) else {
      throw OpeningRefusal("a taproot channel cannot be announced")
    }
    for feature in [Feature.simpleTaproot, .taprootZeroFeeCommitments] where request.type.contains(feature) {
      // BOLT 2: MUST NOT set `channel_type` to a type that includes a feature that was not negotiated.
      guard context.negotiated(feature) else { throw OpeningRefusal("the peer does not support \(feature.name)") }
    }
    if let script = request.shutdownScript {
      // BOLT 2: if both nodes advertised the `option_upfront_shutdown_script` feature: MUST include `upfront_shutdown_script`. To one that
      // did not, the promise would mean nothing.
      guard context.negotiated(.upfrontShutdownScript) else {
        throw OpeningRefusal("the peer does not support option_upfront_shutdown_script")
      }
      try check(script, context)
    }
    // The other side's dust limit is not known yet: BOLT 2 makes it fit our reserve.
    let terms = try ownTerms(policy, signer, capacity: request.capacity, theirDustLimit: .zero, request.shutdownScript)
    let channel = LightningChannel(
      peer: request.peer, keyIndex: request.keyIndex, isOpener: true, temporaryID: request.temporaryID,
      type: request.type, isAnnounced: request.isAnnounced, capacity: request.capacity, pushed: request.pushed,
      feeRate: request.feeRate, terms: PerParty(local: terms, remote: nil), minimumDepth: 0, phase: .proposed,
      signer: signer, policy: policy, alias: request.alias)
    let balances = Balances(local: capacity.subtracting(request.pushed) ?? .zero, remote: request.pushed)
    try channel.checkFirstCommitment(balances, reserves: (terms.reserve, terms.reserve))
    let keys = try channel.openingKeys(terms.basepoints)
    let message = OpenChannel(
      chainHash: request.chainHash, temporaryChannelID: request.temporaryID, fundingSatoshis: request.capacity,
      pushMsat: request.pushed, dustLimitSatoshis: terms.dustLimit,
      maxHtlcValueInFlightMsat: terms.limits.maximumInFlight, channelReserveSatoshis: terms.reserve,
      htlcMinimumMsat: terms.limits.minimum, feeratePerKw: request.feeRate, toSelfDelay: terms.contestDelay,
      maxAcceptedHtlcs: terms.limits.maximumAccepted, keys: keys,
      channelFlags: request.isAnnounced ? [.announceChannel] : [],
      upfrontShutdownScript: request.shutdownScript ?? Script(), channelType: request.type,
      nextLocalNonce: try channel.openingNonce())
    return (channel, [try channel.sending(message)])
  }

  mutating func receive(
    _ message: AcceptChannel, _ context: ChannelContext, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    guard isOpener, phase == .proposed, let ours = terms.local else { throw .fail("accept_channel out of turn") }
    do throws(OpeningRefusal) {
      // BOLT 2: if `channel_type` does not match the `channel_type` from `open_channel`: MUST fail the channel.
      guard message.channelType == type else { throw OpeningRefusal("channel_type is not the one that was proposed") }
      guard message.minimumDepth <= policy.maximumDepth else {
        throw OpeningRefusal("minimum_depth \(message.minimumDepth) is too large")
      }
      let theirs = ChannelTerms(
        dustLimit: message.dustLimitSatoshis, reserve: message.channelReserveSatoshis,
        contestDelay: message.toSelfDelay,
        limits: HTLCExtension.Limits(
          minimum: message.htlcMinimumMsat, maximumInFlight: message.maxHtlcValueInFlightMsat,
          maximumAccepted: message.maxAcceptedHtlcs),
        basepoints: Basepoints(message.keys),
        shutdownScript: message.upfrontShutdownScript.flatMap { $0.isEmpty ? nil : $0 })
      try policy.check(theirs, ours: ours, capacity: capacity)
      try Self.checkDelays(ours, theirs, type)
      if let script = theirs.shutdownScript { try Self.check(script, context) }
      try learnOpeningNonce(message.nextLocalNonce)
      terms.remote = theirs
      firstRemotePoint = message.keys.firstPerCommitmentPoint
      minimumDepth = message.minimumDepth
      phase = .agreed
      effects.append(.makeFunding(script: try fundingScript(), amount: capacity))
    } catch {
      throw .fail(error.reason)
    }
  }

  /// The funding transaction is made and signed, and not broadcast: sends `funding_created`.
  public mutating func fund(with transaction: Transaction, output: UInt32) throws(OpeningRefusal) -> [LightningEffect] {
    guard isOpener, phase == .agreed else { throw OpeningRefusal("the channel does not wait for its funding") }
    guard transaction.outputs.indices.contains(Int(output)), let index = UInt16(exactly: output),
      transaction.outputs[Int(output)] == TxOutput(value: capacity, scriptPubKey: try fundingScript())
    else { throw OpeningRefusal("the funding transaction does not pay to the channel") }
    let outPoint = OutPoint(txid: transaction.txid, vout: output)
    funding = FundingOutput(outPoint: outPoint, transaction: transaction, confirmation: nil)
    let channel = try makeCore(outPoint)
    let signatures = try firstSignatures(channel)
    core = channel
    phase = .created
    // `funding_signed` will name the channel by its final id.
    if let final = ChannelID(fundingOutpoint: outPoint) { id = final }
    return [
      try sending(
        FundingCreated(
          temporaryChannelID: temporaryID, fundingTxid: outPoint.txid, fundingOutputIndex: index,
          signature: signatures.signature, partialSignatureWithNonce: signatures.partial))
    ]
  }

  mutating func receive(_ message: FundingSigned, _ effects: inout [LightningEffect]) throws(Fault) {
    guard isOpener, phase == .created, let funding, let transaction = funding.transaction else {
      throw .fail("funding_signed out of turn")
    }
    try acceptFirstCommitment(message.signature, message.partialSignatureWithNonce)
    guard message.channelID == id else { throw .fail("funding_signed for another channel") }
    phase = .awaitingDepth
    effects += [.persist, .watchFunding(funding.outPoint, try lock()), .broadcast(transaction, .funding)]
    // With zero confirmations asked for, there is nothing to wait for.
    if minimumDepth == 0 { try sendReady(&effects) }
  }

  // MARK: The other side

  /// A peer wants to open a channel: answers with `accept_channel`, or says why not.
  public static func accept(
    _ message: OpenChannel, from peer: NodeID, keyIndex: UInt64, chainHash: ChainHash, policy: ChannelPolicy,
    signer: LocalSigner, shutdownScript: Script?, alias: ShortChannelID, _ context: ChannelContext
  ) throws(OpeningRefusal) -> (LightningChannel, [LightningEffect]) {
    // BOLT 2: the receiving node MUST fail the channel if: the `chain_hash` value is set to a hash of a chain that is unknown to the
    // receiver.
    guard message.chainHash == chainHash else { throw OpeningRefusal("chain_hash is of another chain") }
    // `funding_satoshis` is greater than or equal to 2^24 and the receiver does not support `option_support_large_channel`.
    let supportsLarge =
      context.localFeatures[Feature.supportLargeChannel.bit]
      || context.localFeatures[Feature.supportLargeChannel.bit + 1]
    guard message.fundingSatoshis < ChannelPolicy.largeChannel || supportsLarge else {
      throw OpeningRefusal("funding_satoshis \(message.fundingSatoshis) is too large")
    }
    guard message.fundingSatoshis >= policy.minimumFunding else {
      throw OpeningRefusal("funding_satoshis \(message.fundingSatoshis) is less than \(policy.minimumFunding)")
    }
    if let most = policy.maximumFunding, message.fundingSatoshis > most {
      throw OpeningRefusal("funding_satoshis \(message.fundingSatoshis) is more than \(most)")
    }
    // `push_msat` is greater than `funding_satoshis` * 1000.
    guard let capacity = message.fundingSatoshis.milliSatoshi, let rest = capacity.subtracting(message.pushMsat) else {
      throw OpeningRefusal("push_msat is more than funding_satoshis")
    }
    // If the message doesn't include a `channel_type`: fail the channel.
    guard let type = message.channelType else { throw OpeningRefusal("no channel_type") }
    // The `channel_type` is not suitable.
    _ = try stack(of: type)
    let announces = message.channelFlags.contains(.announceChannel)
    guard !(announces && type.contains(.scidAlias)) else {
      throw OpeningRefusal("a channel with option_scid_alias cannot be announced")
    }
    guard !(announces && type.signsTogether) else { throw OpeningRefusal("a taproot channel cannot be announced") }
    // The `channel_type` includes `option_zeroconf` and it does not trust the sender to open an unconfirmed channel.
    guard !type.contains(.zeroconf) || policy.trustsUnconfirmed else {
      throw OpeningRefusal("unconfirmed channels are not accepted from this peer")
    }
    // It considers `feerate_per_kw` too small for timely processing or unreasonably large. Zero-fee commitments carry none.
    let isZeroFee = stackPaysNoFees(type)
    guard
      isZeroFee
        ? message.feeratePerKw == FeeRate(satPerKiloWeight: 0)
        : policy.allows(message.feeratePerKw, atMost: context.maximumFeeRate)
    else { throw OpeningRefusal("feerate_per_kw \(message.feeratePerKw) is not acceptable") }

    let ours = try ownTerms(
      policy, signer, capacity: message.fundingSatoshis, theirDustLimit: message.dustLimitSatoshis, shutdownScript)
    let theirs = ChannelTerms(
      dustLimit: message.dustLimitSatoshis, reserve: message.channelReserveSatoshis,
      contestDelay: message.toSelfDelay,
      limits: HTLCExtension.Limits(
        minimum: message.htlcMinimumMsat, maximumInFlight: message.maxHtlcValueInFlightMsat,
        maximumAccepted: message.maxAcceptedHtlcs),
      basepoints: Basepoints(message.keys),
      shutdownScript: message.upfrontShutdownScript.flatMap { $0.isEmpty ? nil : $0 })
    try policy.check(theirs, ours: ours, capacity: message.fundingSatoshis)
    try checkDelays(ours, theirs, type)
    if let script = theirs.shutdownScript { try check(script, context) }
    // `accept_channel`: if `option_zeroconf` is in the type, SHOULD set `minimum_depth` to zero; otherwise a channel is confirmed first.
    let depth = type.contains(.zeroconf) ? 0 : max(policy.minimumDepth, 1)
    var channel = LightningChannel(
      peer: peer, keyIndex: keyIndex, isOpener: false, temporaryID: message.temporaryChannelID, type: type,
      isAnnounced: announces, capacity: message.fundingSatoshis, pushed: message.pushMsat,
      feeRate: message.feeratePerKw, terms: PerParty(local: ours, remote: theirs), minimumDepth: depth, phase: .agreed,
      signer: signer, policy: policy, alias: alias)
    channel.firstRemotePoint = message.keys.firstPerCommitmentPoint
    try channel.learnOpeningNonce(message.nextLocalNonce)
    try channel.checkFirstCommitment(
      Balances(local: message.pushMsat, remote: rest), reserves: (theirs.reserve, ours.reserve))
    let keys = try channel.openingKeys(ours.basepoints)
    let answer = AcceptChannel(
      temporaryChannelID: message.temporaryChannelID, dustLimitSatoshis: ours.dustLimit,
      maxHtlcValueInFlightMsat: ours.limits.maximumInFlight, channelReserveSatoshis: ours.reserve,
      htlcMinimumMsat: ours.limits.minimum, minimumDepth: depth, toSelfDelay: ours.contestDelay,
      maxAcceptedHtlcs: ours.limits.maximumAccepted, keys: keys, upfrontShutdownScript: shutdownScript ?? Script(),
      channelType: type, nextLocalNonce: try channel.openingNonce())
    return (channel, [try channel.sending(answer)])
  }

  mutating func receive(_ message: FundingCreated, _ effects: inout [LightningEffect]) throws(Fault) {
    guard !isOpener, phase == .agreed else { throw .fail("funding_created out of turn") }
    let outPoint = OutPoint(txid: message.fundingTxid, vout: UInt32(message.fundingOutputIndex))
    guard let id = ChannelID(fundingOutpoint: outPoint) else { throw .fail("an unusable funding output") }
    do throws(OpeningRefusal) {
      core = try makeCore(outPoint)
      funding = FundingOutput(outPoint: outPoint, transaction: nil, confirmation: nil)
      // Nothing is signed before the other side has: a first commitment of ours that nobody has signed is worth nothing.
      guard let channel = core else { return }
      let signature = try firstSignatures(channel)
      do { try acceptFirstCommitment(message.signature, message.partialSignatureWithNonce) } catch {
        throw OpeningRefusal("the signature does not hold")
      }
      self.id = id
      phase = .awaitingDepth
      effects += [
        .persist, .watchFunding(outPoint, try fundingScript()),
        try sending(
          FundingSigned(
            channelID: id, signature: signature.signature, partialSignatureWithNonce: signature.partial)),
      ]
    } catch {
      throw .fail(error.reason)
    }
    if minimumDepth == 0 { try sendReady(&effects) }
  }

  // MARK: `channel_ready`

  /// What the chain says about the funding output: where it is, or that it is not confirmed (any more).
  public mutating func fundingDepth(
    height: UInt32, _ confirmation: FundingOutput.Confirmation?
  ) -> [LightningEffect] {
    guard isFunded, phase < .onchain, funding != nil else { return [] }
    var effects: [LightningEffect] = []
    if funding?.confirmation != confirmation {
      funding?.confirmation = confirmation
      effects.append(.persist)
    }
    // BOLT 2: a non-funding node SHOULD forget the channel if it does not see the correct funding transaction after a timeout of 2016
    // blocks: the node counts them, and calls `fail`.
    updateDepth(height, &effects)
    return effects
  }

  mutating func updateDepth(_ height: UInt32, _ effects: inout [LightningEffect]) {
    guard let place = funding?.confirmation, height >= place.height else { return }
    let depth = height - place.height + 1
    if !isReady.local, depth >= minimumDepth, isEstablished, phase < .shuttingDown { try? sendReady(&effects) }
    // BOLT 7 §The `announcement_signatures` Message: MUST NOT send until `channel_ready` has been sent and received AND the funding
    // transaction has enough confirmations to ensure that it won't be reorganized. Six, by `channel_announcement`'s rule.
    if isAnnounced, !hasSentAnnouncement, isReady.local, isReady.remote, depth >= 6, isEstablished, phase == .normal {
      effects.append(.announce)
    }
  }

  func channelReady() throws(Fault) -> ChannelReady {
    var message: ChannelReady
    do { message = ChannelReady(channelID: id, secondPerCommitmentPoint: try point(1), alias: localAlias) } catch {
      throw .fail(error.reason)
    }
    if signsTogether, let core, core.localNumber == 0 {
      do { message.nextLocalNonce = try core.nextNonces(signer).first.map { PublicNonceBytes($0.nonce) } } catch {
        throw Fault(error)
      }
    }
    return message
  }

  mutating func sendReady(_ effects: inout [LightningEffect]) throws(Fault) {
    guard !isReady.local else { return }
    let message = try channelReady()
    isReady.local = true
    effects += [.persist, try send(message)]
    becomeReady(&effects)
  }

  mutating func receive(_ message: ChannelReady, _ effects: inout [LightningEffect]) throws(Fault) {
    if let alias = message.alias { remoteAlias = alias }
    var nonces: [FundingNonce] = []
    if signsTogether, let funding {
      // Taproot channels: MUST fail the channel if `next_local_nonce` is absent.
      guard let nonce = message.nextLocalNonce else { throw .fail("next_local_nonce is absent") }
      nonces = [FundingNonce(funding: funding.outPoint.txid, nonce: try nonce.parsed())]
    }
    // BOLT 2: MUST ignore any redundant `channel_ready` it receives.
    guard !isReady.remote else {
      // But for the nonce, of which the latest counts.
      core?.learnNextPoint(message.secondPerCommitmentPoint, nonces: nonces)
      effects.append(.persist)
      return
    }
    isReady.remote = true
    core?.learnNextPoint(message.secondPerCommitmentPoint, nonces: nonces)
    effects.append(.persist)
    becomeReady(&effects)
  }

  private mutating func becomeReady(_ effects: inout [LightningEffect]) {
    guard isReady.local, isReady.remote, phase == .awaitingDepth else { return }
    phase = .normal
    effects += [.persist, .ready]
  }

  // MARK: Parts

  /// The fields of `open_channel` and `accept_channel` that name our keys.
  private func openingKeys(_ basepoints: Basepoints) throws(OpeningRefusal) -> ChannelKeys {
    guard let funding = basepoints[.funding], let revocation = basepoints[.revocation],
      let payment = basepoints[.payment], let delayedPayment = basepoints[.delayedPayment],
      let htlc = basepoints[.htlc]
    else { throw OpeningRefusal("the signer lacks a basepoint") }
    return ChannelKeys(
      fundingPubkey: funding, revocationBasepoint: revocation, paymentBasepoint: payment,
      delayedPaymentBasepoint: delayedPayment, htlcBasepoint: htlc, firstPerCommitmentPoint: try point(0))
  }

  static func stack(of type: Wire.ChannelType) throws(OpeningRefusal) -> BOLT.ChannelType {
    guard let stack = BOLT.ChannelType(featureBits: Set(type.basic.features.bits)), stack != .legacy else {
      throw OpeningRefusal("channel_type \(type) is not one that this node opens")
    }
    return stack
  }

  static func stackPaysNoFees(_ type: Wire.ChannelType) -> Bool { type.paysNoFees }

  /// In a taproot leaf, a wait of no blocks is a script that nobody can take.
  private static func checkDelays(
    _ ours: ChannelTerms, _ theirs: ChannelTerms, _ type: Wire.ChannelType
  ) throws(OpeningRefusal) {
    guard !type.signsTogether || (ours.contestDelay > 0 && theirs.contestDelay > 0) else {
      throw OpeningRefusal("to_self_delay is 0")
    }
  }

  private static func check(_ script: Script, _ context: ChannelContext) throws(OpeningRefusal) {
    guard let form = ShutdownScript(script), form.isAllowed(features: context.negotiatedBits) else {
      throw OpeningRefusal("upfront_shutdown_script is not in a form that is allowed")
    }
  }

  private static func ownTerms(
    _ policy: ChannelPolicy, _ signer: LocalSigner, capacity: Satoshi, theirDustLimit: Satoshi, _ script: Script?
  ) throws(OpeningRefusal) -> ChannelTerms {
    ChannelTerms(
      dustLimit: policy.dustLimit, reserve: policy.reserve(capacity: capacity, theirDustLimit: theirDustLimit),
      contestDelay: policy.contestDelay,
      limits: HTLCExtension.Limits(
        minimum: policy.htlcMinimum, maximumInFlight: policy.maximumInFlight ?? capacity.milliSatoshi ?? .zero,
        maximumAccepted: min(policy.maximumAccepted, 483)),
      basepoints: signer.basepoints, shutdownScript: script)
  }

  func point(_ number: UInt64) throws(OpeningRefusal) -> PublicKey {
    do { return try signer.perCommitmentPoint(number) } catch { throw OpeningRefusal(error.reason) }
  }

  private func sending(_ message: some Wire.WireMessage) throws(OpeningRefusal) -> LightningEffect {
    do { return .send(try message.encoded()) } catch { throw OpeningRefusal("a message that is too large") }
  }

  /// BOLT 2: MUST fail the channel if: the funder's amount for the initial commitment transaction is not sufficient for full fee payment;
  /// both `to_local` and `to_remote` amounts for the initial commitment transaction are less than or equal to
  /// `channel_reserve_satoshis`.
  private func checkFirstCommitment(
    _ balances: Balances, reserves: (local: Satoshi, remote: Satoshi)
  ) throws(OpeningRefusal) {
    let stack = try makeStack(limits: PerParty(local: .none, remote: .none))
    let funder: Party = isOpener ? .local : .remote
    guard let fee = openingFeeRate.fee(for: stack.baseWeight), let cost = fee.adding(stack.reserve)?.milliSatoshi,
      let left = balances[funder].subtracting(cost)
    else { throw OpeningRefusal("the funder cannot pay the fee of the first commitment") }
    func isAbove(_ amount: MilliSatoshi, _ reserve: Satoshi) -> Bool { amount.satoshiRoundedDown > reserve }
    let funderReserve = funder == .local ? reserves.local : reserves.remote
    let otherReserve = funder == .local ? reserves.remote : reserves.local
    guard isAbove(left, funderReserve) || isAbove(balances[funder.other], otherReserve) else {
      throw OpeningRefusal("both sides would have no more than their reserve")
    }
  }

  private func makeStack(limits: PerParty<HTLCExtension.Limits>) throws(OpeningRefusal) -> ChannelStack {
    do { return try Self.stack(of: type).stack(limits: limits) } catch let refusal as OpeningRefusal {
      throw refusal
    } catch {
      throw OpeningRefusal("\(error)")
    }
  }

  private func parameters() throws(OpeningRefusal) -> (ChannelParameters, ChannelStack, PublicKey) {
    guard let ours = terms.local, let theirs = terms.remote, let point = firstRemotePoint,
      let ourPayment = ours.basepoints[.payment], let theirPayment = theirs.basepoints[.payment]
    else { throw OpeningRefusal("the channel is not agreed on yet") }
    let parameters = ChannelParameters(
      funder: isOpener ? .local : .remote,
      parties: PerParty(
        // Delay and reserve are what the other side demands.
        local: PartyParameters(
          dustLimit: ours.dustLimit, contestDelay: theirs.contestDelay, reserve: theirs.reserve,
          basepoints: ours.basepoints),
        remote: PartyParameters(
          dustLimit: theirs.dustLimit, contestDelay: ours.contestDelay, reserve: ours.reserve,
          basepoints: theirs.basepoints)),
      obscuringFactor: isOpener
        ? obscuringFactor(openerPaymentBasepoint: ourPayment, acceptorPaymentBasepoint: theirPayment)
        : obscuringFactor(openerPaymentBasepoint: theirPayment, acceptorPaymentBasepoint: ourPayment),
      maximumDustExposure: policy.maximumDustExposure)
    let stack = try makeStack(limits: PerParty(local: ours.limits, remote: theirs.limits))
    return (parameters, stack, point)
  }

  private func makeCore(_ outPoint: OutPoint) throws(OpeningRefusal) -> Channel {
    let (parameters, stack, point) = try parameters()
    let rest = capacity.milliSatoshi?.subtracting(pushed) ?? .zero
    return Channel(
      stack: stack, parameters: parameters, funding: Funding(outPoint: outPoint, capacity: capacity),
      balances: Balances(local: isOpener ? rest : pushed, remote: isOpener ? pushed : rest),
      feeRate: openingFeeRate, firstRemotePoint: point)
  }

  /// The output that funds the channel.
  public func fundingScript() throws(OpeningRefusal) -> Script {
    // The first point is not stored; what came of it is.
    if let commitment = try? core?.localCommitments(signer).first { return commitment.fundingLock.scriptPubKey }
    let (parameters, stack, point) = try parameters()
    do {
      let keys = try CommitmentKeys(
        holder: parameters.parties.local.basepoints, counterparty: parameters.parties.remote.basepoints,
        perCommitmentPoint: point, resolving: stack.funding.keys)
      return try stack.funding.lock(keys).scriptPubKey
    } catch {
      throw OpeningRefusal("\(error)")
    }
  }

  private func lock() throws(Fault) -> Script {
    do { return try fundingScript() } catch { throw .fail(error.reason) }
  }

  private func firstSignatures(
    _ channel: Channel
  ) throws(OpeningRefusal) -> (signature: CompactSignature, partial: PartialSignatureWithNonce?) {
    do {
      guard let commitment = try channel.remoteCommitments().first?.first else {
        throw OpeningRefusal("the first commitment cannot be signed")
      }
      return try signer.sign(commitment, nonce: firstRemoteNonce).funding.fundingFields
    } catch {
      throw OpeningRefusal("\(error)")
    }
  }

  /// BOLT 2: if `signature` is incorrect OR non-compliant with LOW-S-standard rule: MUST send a `warning` and close the connection, or
  /// send an `error` and fail the channel.
  private mutating func acceptFirstCommitment(
    _ signature: CompactSignature, _ partial: PartialSignatureWithNonce?
  ) throws(Fault) {
    guard let channel = core else { throw .fail("there is no channel yet") }
    let signatures = CommitmentSignatures(funding: try fundingSignature(signature, partial), children: [])
    do {
      for commitment in try channel.localCommitments(signer) {
        let nonce = signsTogether ? try signer.nonce(0, on: commitment.context.fundingOutpoint) : nil
        try commitment.verify(signatures, nonce: nonce)
      }
    } catch {
      throw .fail("the signature of the first commitment does not hold")
    }
    core = channel.signed([signatures])
  }
}

extension ChannelContext {
  /// The even bits of what both sides offer.
  var negotiatedBits: Set<Int> {
    Set(localFeatures.bits.map { $0 & ~1 }).intersection(remoteFeatures.bits.map { $0 & ~1 })
  }
}

extension Basepoints {
  init(_ keys: ChannelKeys) {
    self.init([
      .funding: keys.fundingPubkey, .revocation: keys.revocationBasepoint, .payment: keys.paymentBasepoint,
      .delayedPayment: keys.delayedPaymentBasepoint, .htlc: keys.htlcBasepoint,
    ])
  }
}
