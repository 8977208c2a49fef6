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
    var channel = LightningChannel(
      peer: request.peer, keyIndex: request.keyIndex, isOpener: true, temporaryID: request.temporaryID,
      kind: .type(request.type), isAnnounced: request.isAnnounced, capacity: request.capacity, pushed: request.pushed,
      feeRate: request.feeRate, terms: PerParty(local: terms, remote: nil), minimumDepth: 0, phase: .proposed,
      signer: signer, policy: policy, alias: request.alias)
    channel.peerComposes = context.composes
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
      guard let type, message.channelType == type else {
        throw OpeningRefusal("channel_type is not the one that was proposed")
      }
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
}
