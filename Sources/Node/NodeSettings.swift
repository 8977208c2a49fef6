public import BOLT
public import Bitcoin
public import Encoding
public import Payments
public import Wire

/// How a node behaves. Where it stores things and which chain it follows are given apart.
public struct NodeSettings: Sendable {
  public var network: Network
  /// What the node calls itself, at most 32 bytes of UTF-8; nil for a name made from its id.
  public var alias: String?
  /// Red, green and blue; nil for a colour made from the node's id.
  public var color: [UInt8]?
  public var features = NodeSettings.defaultFeatures
  /// What channels are opened and accepted with.
  public var channels = ChannelPolicy()
  public var announcesChannels = true
  /// What this node puts into channels that peers ask it to fund with them, at most.
  public var maximumContribution = Satoshi.zero
  /// Peers whose channels are used before they are confirmed.
  public var zeroconfPeers: Set<NodeID> = []
  /// For what is forwarded.
  public var feeBaseMsat: UInt32 = 1
  public var feeProportionalMillionths: UInt32 = 10
  public var cltvExpiryDelta: UInt16 = 34
  public var htlcMinimum = MilliSatoshi(0)
  public var htlcMaximum: MilliSatoshi?
  /// Addresses that the node tells others.
  public var announcedAddresses: [NodeAddress] = []
  public var payments: PaymentConfiguration
  /// `reasonable depth` of BOLT 5: so deep is what nobody expects to be undone.
  public var irrevocableDepth: UInt32 = 100
  /// Seconds between two rounds of passing on gossip. BOLT 7: SHOULD flush outgoing gossip messages once every 60 seconds; on regtest
  /// nobody wants to wait.
  public var gossipInterval: UInt32 = 60
  /// How often the mempool is asked for what spends outputs that concern us, where the source of the chain does not tell.
  public var mempoolInterval = Duration.seconds(10)
  /// Fee rates when the source of the chain has no estimates.
  public var fallbackFeeRate = FeeRate(satPerKiloWeight: 2_500)
  /// A peer may ask for so many times our own estimate of a quick confirmation as the fee rate of commitments; nil: what `channels` says.
  public var maximumFeeRateFactor: UInt32?
  /// So long may a channel be quiescent (BOLT 2: 60 seconds).
  public var quiescenceSeconds: UInt32 = 60
  /// Switches for tests and demonstrations; never on mainnet.
  public var developer = Developer()

  public struct Developer: Hashable, Sendable {
    /// The methods `glc-dev-…` answer, and every commitment of ours is kept for them in memory, so that a revoked one can be
    /// published: to be punished for it.
    public var hasMethods = false
    /// Of every channel: funding, revocation, payment, delayed payment, HTLC.
    public var channelSecrets: [Bytes32]?
    /// Of every channel's per-commitment secrets.
    public var shachainSeed: Bytes32?
    public init() {}
  }

  public init(network: Network) {
    self.network = network
    payments = PaymentConfiguration(network: network)
    channels.minimumDepth = network == .regtest ? 1 : 3
    if network == .regtest { gossipInterval = 1 }
  }

  /// What this node offers: odd bits, so that peers of any age can talk to it.
  public static let defaultFeatures = FeatureSet(bits: plainFeatures.bits + [Hub.compositionFeature])

  /// The same without what no BOLT knows.
  public static let plainFeatures = FeatureSet(
    bits: [1, 5, 7, 9, 13, 15, 17, 19, 23, 27, 35, 37, 45, 47, 51, 61, 81, 83])

  public var chainHash: ChainHash { ChainHash(network.genesisBlockHash) }
}
