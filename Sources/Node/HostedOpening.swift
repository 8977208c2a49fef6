internal import BOLT
internal import Bitcoin
internal import Encoding
internal import GLC
internal import Negotiation
internal import Signer
internal import Wire

/// What a user wants of a channel that is composed with a peer.
struct ProposalOrder: Sendable {
  var stack: StackDescription
  /// What we put in.
  var contribution: Satoshi
  /// What the peer is asked to put in.
  var wished = Satoshi.zero
  var pushed = MilliSatoshi.zero
  var isAnnounced = false
  var feeRate: FeeRate
  var policy: ChannelPolicy
  var coins: [OutPoint]?
  var shutdownScript: Script?
  /// A funding transaction that is not confirmed and is to be replaced.
  var replaces: NegotiationID?
}

/// A negotiation and what the node keeps beside it.
struct HostedOpening: Sendable {
  var opening: Opening
  /// Which of the node's channel seeds the channel's secrets come from.
  let keyIndex: UInt64
  let signer: LocalSigner
  var order: ProposalOrder?
  /// The one whose funding transaction is to be replaced: its coins serve again.
  var previous: Opening?
  /// The wallet's reservation for our inputs.
  var reservation: UInt64?
  var reply: Reply<ChannelID>?
  /// Counts what has happened, so that a clock knows whether anything has since.
  var step: UInt64 = 0
  var isDirty = false
  /// Whether the wallet has been asked to sign.
  var isSigning = false
  /// The channel's first words after a reconnect, of a peer that has it already.
  var early: [Message] = []
  /// Where a block has shown another transaction that spends an input.
  var conflictHeight: UInt32?
  /// The channel that has come of it.
  var channel: ChannelID?

  /// The channel's final name, once the funding transaction is complete.
  var channelID: ChannelID? {
    opening.channel?.fundings.first.flatMap { ChannelID(fundingOutpoint: $0.funding.outPoint) }
  }

  var stored: [UInt8] {
    var writer = ByteWriter(reservingCapacity: 4096)
    writer.write(2 as UInt8)
    writer.write(keyIndex)
    // 0 for none: no block of that height spends anything.
    writer.write(conflictHeight ?? 0)
    writer.write(opening.encoded)
    return writer.bytes
  }

  init(
    opening: Opening, keyIndex: UInt64, signer: LocalSigner, order: ProposalOrder? = nil,
    reply: Reply<ChannelID>? = nil
  ) {
    self.opening = opening
    self.keyIndex = keyIndex
    self.signer = signer
    self.order = order
    self.reply = reply
  }

  /// Reads what `stored` wrote.
  init(decoding bytes: [UInt8], hub: Hub) throws {
    var reader = ByteReader(bytes.bytes)
    let version = try reader.readUInt8()
    guard (1...2).contains(version) else { throw DecodingError.malformed("unknown version of a negotiation") }
    keyIndex = try reader.readUInt64()
    let conflict = version > 1 ? try reader.readUInt32() : 0
    if conflict > 0 { conflictHeight = conflict }
    signer = try hub.signer(keyIndex)
    let rest = reader.readRest()
    opening = try Opening(
      decoding: rest.bytes, policy: hub.openingPolicy(hub.settings.channels), registry: hub.registry, signer: signer)
  }
}

extension Hub {
  /// What channels are composed of here.
  var registry: ExtensionRegistry { .shipped }

  /// Numbers that only we and our like know. Odd, so that everybody else sees a plain node.
  static let compositionFeature = 4441

  static func composes(_ features: FeatureSet) -> Bool {
    features[compositionFeature] || features[compositionFeature - 1]
  }

  /// The channel policy, as far as it is about what is negotiated.
  func openingPolicy(_ channels: ChannelPolicy) -> OpeningPolicy {
    var policy = OpeningPolicy()
    policy.limits = AgreementLimits(
      minimum: channels.htlcMinimum, maximumInFlight: channels.maximumInFlight ?? MilliSatoshi(.max),
      maximumCount: min(channels.maximumAccepted, 483))
    policy.acceptable = StackSetting.Acceptable(
      minimum: channels.maximumHTLCMinimum, count: channels.minimumAccepted, inFlight: MilliSatoshi(1_000_000))
    policy.minimumCapacity = channels.minimumFunding
    policy.maximumCapacity = channels.maximumFunding
    policy.maximumDustLimit = channels.maximumDustLimit
    policy.maximumContestDelay = channels.maximumContestDelay
    policy.maximumDepth = channels.maximumDepth
    let most = max(maximumFeeRate ?? channels.maximumFeeRate, channels.minimumFeeRate)
    policy.commitmentFeeRates = channels.minimumFeeRate...most
    policy.fundingFeeRates = FeeRate.relayFloor...max(most, .relayFloor)
    policy.maximumDustExposure = channels.maximumDustExposure
    return policy
  }

  /// What this node says of itself in a negotiation.
  func openingTerms(
    _ channels: ChannelPolicy, contribution: Satoshi, signer: LocalSigner, shutdownScript: Script? = nil
  ) throws -> OpeningTerms {
    OpeningTerms(
      contribution: contribution, dustLimit: channels.dustLimit, contestDelay: channels.contestDelay,
      minimumDepth: max(channels.minimumDepth, 1), basepoints: signer.basepoints,
      firstPoint: try signer.perCommitmentPoint(0), shutdownScript: shutdownScript)
  }
}
