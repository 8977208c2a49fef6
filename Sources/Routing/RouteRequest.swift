public import Bitcoin
public import Wire

/// What a path is wanted for.
public struct RouteRequest: Sendable {
  public var source: NodeID
  public var destination: NodeID
  /// What the destination is to receive.
  public var amount: MilliSatoshi
  /// The destination's `min_final_cltv_expiry_delta`, with whatever is put on top of it for privacy.
  public var finalCLTVExpiryDelta: UInt32
  /// The most that all nodes between may take together.
  public var maximumFee: MilliSatoshi
  /// How far ahead of now the first HTLC may expire, in blocks.
  public var maximumCLTVExpiryDelta: UInt32 = 2_016
  public var maximumHops = 20
  /// What the destination's part of the onion takes, its length and its HMAC included. BOLT 4: all parts together have 1300 bytes.
  public var finalPayloadByteCount = 100
  /// Our own channels, with what can be sent through each now. Nil: the source's channels are those of the graph, and free of charge
  /// (a question about other nodes).
  public var firstHops: [FirstHop]?
  /// Ways to the destination that the graph does not know, as an invoice tells them: BOLT 11's `r` fields.
  public var hints: [[HintHop]] = []
  /// Which kind of payments every channel of the graph on the way must carry; nil: whatever it is.
  public var kind: UInt16?
  /// What each node's part of the onion takes beyond BOLT 4's records.
  public var extraPayloadByteCount = 0
  public var excludedChannels: Set<DirectedChannel> = []
  public var excludedNodes: Set<NodeID> = []
  /// What other parts of the same payment (or other payments) hold in a channel already: it cannot carry that again.
  public var inFlight: [DirectedChannel: MilliSatoshi] = [:]

  public init(
    source: NodeID, destination: NodeID, amount: MilliSatoshi, finalCLTVExpiryDelta: UInt32, maximumFee: MilliSatoshi,
    firstHops: [FirstHop]? = nil
  ) {
    self.source = source
    self.destination = destination
    self.amount = amount
    self.finalCLTVExpiryDelta = finalCLTVExpiryDelta
    self.maximumFee = maximumFee
    self.firstHops = firstHops
  }

  /// A channel of ours.
  public struct FirstHop: Hashable, Sendable {
    /// The id, or an alias of it.
    public var channel: ShortChannelID
    public var peer: NodeID
    /// What one HTLC may carry at most, now.
    public var spendable: MilliSatoshi
    public var htlcMinimum: MilliSatoshi

    public init(channel: ShortChannelID, peer: NodeID, spendable: MilliSatoshi, htlcMinimum: MilliSatoshi = .zero) {
      self.channel = channel
      self.peer = peer
      self.spendable = spendable
      self.htlcMinimum = htlcMinimum
    }
  }

  /// One step of a hint: from `node` through `channel` to the next step's node, or to the destination.
  public struct HintHop: Hashable, Sendable {
    public var node: NodeID
    public var channel: ShortChannelID
    public var policy: ChannelPolicy

    public init(node: NodeID, channel: ShortChannelID, policy: ChannelPolicy) {
      self.node = node
      self.channel = channel
      self.policy = policy
    }
  }
}

/// Why there is no path.
public enum RouteError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The source is the destination.
  case toOurselves
  /// Nothing is to be paid.
  case noAmount
  /// None of our channels can send so much.
  case nothingSpendable
  /// There is no path at all.
  case noPath
  /// There are paths, but they cost more, take longer, or have more hops than allowed.
  case limitsExceeded

  public var description: String {
    switch self {
    case .toOurselves: "the destination is the source"
    case .noAmount: "an amount above 0 is needed"
    case .nothingSpendable: "no channel of ours can send that much at once"
    case .noPath: "no path to the destination can carry that much"
    case .limitsExceeded: "every path exceeds the limit of fees, of time or of hops"
    }
  }
}
