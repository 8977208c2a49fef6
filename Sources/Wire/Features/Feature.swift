/// A feature: a pair of bits, a name, where it may be presented, and what it needs (BOLT 9). Extensions make their own.
public struct Feature: Sendable, CustomStringConvertible {
  /// Where a feature is presented: the letters of BOLT 9's Context column.
  public struct Contexts: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `I`: presented in the `init` message.
    public static let initMessage = Contexts(rawValue: 1)
    /// `N`: presented in the `node_announcement` messages.
    public static let nodeAnnouncement = Contexts(rawValue: 1 << 1)
    /// `C`: presented in the `channel_announcement` message.
    public static let channelAnnouncement = Contexts(rawValue: 1 << 2)
    /// `C-`: there, but always odd (optional).
    public static let channelAnnouncementOptional = Contexts(rawValue: 1 << 3)
    /// `C+`: there, but always even (required).
    public static let channelAnnouncementRequired = Contexts(rawValue: 1 << 4)
    /// `9`: presented in BOLT 11 invoices.
    public static let invoice = Contexts(rawValue: 1 << 5)
    /// `B`: presented in the `allowed_features` field of a blinded path.
    public static let blindedPath = Contexts(rawValue: 1 << 6)
    /// `T`: used in the `channel_type` field when opening channels.
    public static let channelType = Contexts(rawValue: 1 << 7)

    static let peers: Contexts = [.initMessage, .nodeAnnouncement]
    static let payments: Contexts = [.initMessage, .nodeAnnouncement, .invoice]
    static let channels: Contexts = [.initMessage, .nodeAnnouncement, .channelType]
  }

  public enum Support: Hashable, Sendable {
    /// The odd bit.
    case optional
    /// The even bit.
    case required
  }

  /// The even bit; the odd one is the next.
  public let bit: Int
  public let name: String
  public let contexts: Contexts
  /// BOLT 9: MUST set all transitive feature dependencies.
  public let dependencies: [Feature]
  /// BOLT 9: ASSUMED to be present by all nodes, and can be safely ignored.
  public let isAssumed: Bool

  /// `bit` is either of the pair.
  public init(
    bit: Int, name: String, contexts: Contexts, dependencies: [Feature] = [], isAssumed: Bool = false
  ) {
    self.bit = bit & ~1
    self.name = name
    self.contexts = contexts
    self.dependencies = dependencies
    self.isAssumed = isAssumed
  }

  public var description: String { name }
}

extension Feature: Hashable {
  public static func == (a: Self, b: Self) -> Bool { a.bit == b.bit }
  public func hash(into hasher: inout Hasher) { hasher.combine(bit) }
}

// BOLT 9's table.
extension Feature {
  public static let dataLossProtect = Feature(bit: 0, name: "option_data_loss_protect", contexts: [], isAssumed: true)
  public static let upfrontShutdownScript = Feature(bit: 4, name: "option_upfront_shutdown_script", contexts: .peers)
  /// BOLT 9 names no context, but BOLT 7 asks what a peer offers.
  public static let gossipQueries = Feature(bit: 6, name: "gossip_queries", contexts: .peers)
  public static let varOnionOptin = Feature(bit: 8, name: "var_onion_optin", contexts: [], isAssumed: true)
  public static let gossipQueriesEx = Feature(bit: 10, name: "gossip_queries_ex", contexts: .peers)
  public static let staticRemotekey = Feature(bit: 12, name: "option_static_remotekey", contexts: [], isAssumed: true)
  public static let paymentSecret = Feature(bit: 14, name: "payment_secret", contexts: [], isAssumed: true)
  public static let basicMPP = Feature(
    bit: 16, name: "basic_mpp", contexts: .payments, dependencies: [paymentSecret])
  public static let supportLargeChannel = Feature(bit: 18, name: "option_support_large_channel", contexts: .peers)
  public static let anchors = Feature(bit: 22, name: "option_anchors", contexts: .channels)
  public static let routeBlinding = Feature(bit: 24, name: "option_route_blinding", contexts: .payments)
  public static let shutdownAnysegwit = Feature(bit: 26, name: "option_shutdown_anysegwit", contexts: .peers)
  public static let dualFund = Feature(bit: 28, name: "option_dual_fund", contexts: .peers)
  public static let quiesce = Feature(bit: 34, name: "option_quiesce", contexts: .peers)
  public static let attributionData = Feature(bit: 36, name: "option_attribution_data", contexts: .payments)
  public static let onionMessages = Feature(bit: 38, name: "option_onion_messages", contexts: .peers)
  public static let provideStorage = Feature(bit: 42, name: "option_provide_storage", contexts: .peers)
  public static let channelType = Feature(bit: 44, name: "option_channel_type", contexts: [], isAssumed: true)
  public static let scidAlias = Feature(bit: 46, name: "option_scid_alias", contexts: .channels)
  public static let paymentMetadata = Feature(bit: 48, name: "option_payment_metadata", contexts: .invoice)
  public static let zeroconf = Feature(
    bit: 50, name: "option_zeroconf", contexts: .channels, dependencies: [scidAlias])
  public static let simpleClose = Feature(
    bit: 60, name: "option_simple_close", contexts: .peers, dependencies: [shutdownAnysegwit])
  public static let splice = Feature(bit: 62, name: "option_splice", contexts: .peers)

  /// The features of BOLT 9, by bit.
  public static let merged: [Feature] = [
    dataLossProtect, upfrontShutdownScript, gossipQueries, varOnionOptin, gossipQueriesEx, staticRemotekey,
    paymentSecret,
    basicMPP, supportLargeChannel, anchors, routeBlinding, shutdownAnysegwit, dualFund, quiesce, attributionData,
    onionMessages, provideStorage, channelType, scidAlias, paymentMetadata, zeroconf, simpleClose, splice,
  ]
}

// What this project has taken: see docs/REGISTRY.md.
extension Feature {
  /// In an invoice, even: it asks for a payment locked by points and nothing else.
  public static let pointPayments = Feature(bit: 444, name: "point_payments", contexts: .invoice)
  /// In a channel's announcement, even: its funding output is locked by both keys aggregated.
  public static let aggregatedFunding = Feature(
    bit: 446, name: "aggregated_funding", contexts: .channelAnnouncementRequired)
  /// In `init`: the peer composes channels of extensions.
  public static let composedChannels = Feature(bit: 4440, name: "composed_channels", contexts: .peers)

  public static let own: [Feature] = [pointPayments, aggregatedFunding, composedChannels]
}

// What is proposed for BOLT 9, and used.
extension Feature {
  public static let zeroFeeCommitments = Feature(
    bit: 40, name: "zero_fee_commitments", contexts: .channels, dependencies: [channelType])
  public static let simpleTaproot = Feature(
    bit: 80, name: "option_simple_taproot", contexts: .channels, dependencies: [channelType, simpleClose])
  public static let taprootZeroFeeCommitments = Feature(
    bit: 82, name: "taproot_zero_fee_commitments", contexts: .channels, dependencies: [channelType, simpleClose])
  public static let simpleTaprootStaging = Feature(
    bit: 180, name: "option_simple_taproot_staging", contexts: .channels, dependencies: [channelType])
  public static let taprootZeroFeeCommitmentsStaging = Feature(
    bit: 182, name: "taproot_zero_fee_commitments_staging", contexts: .channels,
    dependencies: [channelType, simpleClose])

  public static let proposed: [Feature] = [
    zeroFeeCommitments, simpleTaproot, taprootZeroFeeCommitments, simpleTaprootStaging,
    taprootZeroFeeCommitmentsStaging,
  ]

  private static let byBit = Dictionary(
    (merged + proposed + own).map { ($0.bit, $0) }, uniquingKeysWith: { first, _ in first })

  /// The feature that owns a bit, even or odd; nil for a bit without a name.
  public static func named(bit: Int) -> Feature? { byBit[bit & ~1] }
  public static func named(_ name: String) -> Feature? { byBit.values.first { $0.name == name } }
}
