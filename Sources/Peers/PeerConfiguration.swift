public import Encoding
public import Logging
public import Wire

/// Which side opened a connection.
public enum PeerDirection: Hashable, Sendable, CustomStringConvertible {
  /// We connected to the peer.
  case outgoing
  /// The peer connected to us.
  case incoming

  public var description: String { self == .outgoing ? "outgoing" : "incoming" }
}

/// What a `PeerNetwork` offers, accepts and tolerates.
public struct PeerConfiguration: Sendable {
  /// What our `init` offers.
  public var features: FeatureSet
  /// The features that a peer may require.
  public var supportedFeatures: [Feature]
  /// The chains of our `init`; a peer that names others alone is refused.
  public var networks: [ChainHash]
  /// Records of extensions for our `init`.
  public var initRecords = TLVStream()
  public var limits = Limits()
  public var times = Times()
  /// For connections to Tor's onion services; nil when they cannot be reached.
  public var proxy: Proxy?
  /// Threads that move bytes. One serves thousands of peers; encryption of very busy ones gains from a second.
  public var threads = 1
  /// Whether a message of this even type can be handled above. BOLT 1: upon receiving a message of _even_, unknown type: MUST close
  /// the connection.
  public var knowsEvenType: @Sendable (UInt16) -> Bool = { MessageType.known($0) != nil }
  /// Asked once a peer has proved who it is: nil to go on, or why it is not wanted.
  public var refusal: @Sendable (NodeID, PeerDirection) -> String? = { _, _ in nil }
  /// Sees every message, decrypted, in both directions. It is called on the thread that moves bytes and must not block.
  public var recorder: (@Sendable (RecordedMessage) -> Void)?
  public var logger = Logger(label: "glc.peers")

  public init(features: FeatureSet, supportedFeatures: [Feature] = Feature.merged, networks: [ChainHash]) {
    self.features = features
    self.supportedFeatures = supportedFeatures
    self.networks = networks
  }

  /// What is too much.
  public struct Limits: Sendable {
    /// Connections that peers opened to us, those that have a right to be here (`PeerNetwork.keepConnected`) apart.
    public var incomingConnections = 1_000
    /// Further connections, for the peers that have a right to be here.
    public var reservedConnections = 200
    /// Incoming connections whose `init` is not there yet.
    public var uninitialisedConnections = 250
    /// Incoming connections from one IPv4 address or one IPv6 /64.
    public var connectionsPerHost = 16
    /// Whether the loopback address counts as a host. Onion services bring all their peers from there.
    public var countsLoopback = false
    /// Connections that we are opening at the same time.
    public var simultaneousDials = 32
    /// Messages per second that a peer may send in the long run, and at once. More is not lost: it is not read until its time has come.
    public var messagesPerSecond = 10_000.0
    public var messageBurst = 50_000.0
    /// The same for bytes.
    public var bytesPerSecond = 8_388_608.0
    public var byteBurst = 67_108_864.0
    /// Pings, likewise; a peer that sends more is disconnected.
    public var pingsPerSecond = 4.0
    public var pingBurst = 60.0
    /// Bytes of messages that wait for the layer above; then the socket is not read until they are taken.
    public var inboundBytes = 1_048_576
    /// Bytes that wait for the peer to read them. One that lets more pile up is disconnected.
    public var outboundBytes = 16_777_216
    /// Bytes of gossip that wait, beside those. What comes on top is turned away.
    public var gossipBytes = 2_097_152
    /// Up to here a connection calls itself writable.
    public var writableBytes = 1_048_576

    public init() {}
  }

  /// How long is too long.
  public struct Times: Sendable {
    /// For a TCP connection (one through a proxy may take three times that).
    public var connect = Duration.seconds(10)
    /// From the TCP connection to the end of BOLT 8's handshake.
    public var handshake = Duration.seconds(15)
    /// From there to the peer's `init`.
    public var initMessage = Duration.seconds(30)
    /// A peer that has not said anything for so long gets a `ping` …
    public var pingInterval = Duration.seconds(45)
    /// … and so long to say something.
    public var pong = Duration.seconds(45)
    /// A peer that takes nothing of what we send for so long is disconnected.
    public var writeStall = Duration.seconds(60)
    /// For the last messages of a connection that we close.
    public var close = Duration.seconds(3)
    /// The first pause before a kept peer is tried again; it doubles up to the longest, each time more or less by a half.
    public var firstRetry = Duration.seconds(1)
    public var longestRetry = Duration.seconds(600)
    /// A connection that lasted so long starts the pauses anew.
    public var stable = Duration.seconds(60)
    /// Two connections that both sides opened to each other within this time are taken for one wish.
    public var crossing = Duration.seconds(10)

    public init() {}
  }

  /// A SOCKS 5 proxy, such as Tor's.
  public struct Proxy: Sendable {
    /// An IP address or host name with its port.
    public var address: NodeAddress
    /// Whether everything goes through it, names of hosts included. Otherwise onion services alone do.
    public var isForEverything: Bool

    public init(address: NodeAddress, isForEverything: Bool = false) {
      self.address = address
      self.isForEverything = isForEverything
    }
  }
}

/// A message as it went over a connection.
public struct RecordedMessage: Sendable {
  public enum Way: Hashable, Sendable {
    case sent, received
  }

  public let nodeID: NodeID
  public let way: Way
  /// Of the monotonic clock.
  public let time: ContinuousClock.Instant
  /// With its two bytes of type.
  public let bytes: [UInt8]
}

/// A message that was not decoded yet.
public struct RawMessage: Hashable, Sendable {
  /// With its two bytes of type.
  public let bytes: [UInt8]

  /// Nil for less than a type and for more than 65,535 bytes.
  public init?(bytes: [UInt8]) {
    guard 2...Message.maximumByteCount ~= bytes.count else { return nil }
    self.bytes = bytes
  }

  public var type: UInt16 { UInt16(bytes[0]) << 8 | UInt16(bytes[1]) }
}
