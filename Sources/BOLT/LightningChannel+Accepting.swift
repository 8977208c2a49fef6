public import Bitcoin
internal import Encoding
internal import GLC
internal import HTLC
public import Signer
public import Wire

// The side that is asked for a channel.

extension LightningChannel {
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
      peer: peer, keyIndex: keyIndex, isOpener: false, temporaryID: message.temporaryChannelID, kind: .type(type),
      isAnnounced: announces, capacity: message.fundingSatoshis, pushed: message.pushMsat,
      feeRate: message.feeratePerKw, terms: PerParty(local: ours, remote: theirs), minimumDepth: depth, phase: .agreed,
      signer: signer, policy: policy, alias: alias)
    channel.peerComposes = context.composes
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
}
