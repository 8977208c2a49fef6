public import Bitcoin
public import Encoding
public import GLC
public import Secp256k1
internal import Wire

/// One direction of a channel: from the node with the lesser id (0) or from the other (1), as BOLT 7's `channel_flags` count.
public struct ChannelDirection: BinaryCodable, Comparable, CustomStringConvertible {
  public var shortChannelID: ShortChannelID
  /// 0 or 1.
  public var direction: UInt8

  public init(_ shortChannelID: ShortChannelID, direction: UInt8) {
    self.shortChannelID = shortChannelID
    self.direction = direction & 1
  }

  public init(_ shortChannelID: ShortChannelID, from source: PublicKey, to target: PublicKey) {
    self.init(shortChannelID, direction: source < target ? 0 : 1)
  }

  public init(from reader: inout ByteReader) throws(DecodingError) {
    shortChannelID = try ShortChannelID(from: &reader)
    direction = try reader.readUInt8() & 1
  }

  public func encode(to writer: inout ByteWriter) {
    shortChannelID.encode(to: &writer)
    writer.write(direction)
  }

  public static func < (a: Self, b: Self) -> Bool {
    a.shortChannelID == b.shortChannelID ? a.direction < b.direction : a.shortChannelID < b.shortChannelID
  }

  public var description: String { "\(shortChannelID)/\(direction)" }
}

/// The way of a payment, from our own channel to the payee.
public struct PaymentRoute: BinaryCodable {
  public struct Hop: Hashable, Sendable {
    /// Who the channel leads to.
    public var nodeID: PublicKey
    public var shortChannelID: ShortChannelID
    /// What the channel carries.
    public var amount: MilliSatoshi
    /// How many blocks after the present height the offer on it expires.
    public var delay: UInt32

    public init(nodeID: PublicKey, shortChannelID: ShortChannelID, amount: MilliSatoshi, delay: UInt32) {
      self.nodeID = nodeID
      self.shortChannelID = shortChannelID
      self.amount = amount
      self.delay = delay
    }
  }

  /// From the first to the last.
  public var hops: [Hop]

  public init(hops: [Hop]) { self.hops = hops }

  /// What the channel of the first hop carries more than that of the last one; nil for a route that makes no sense.
  public var fee: MilliSatoshi? {
    guard let first = hops.first, let last = hops.last else { return nil }
    return first.amount.subtracting(last.amount)
  }

  /// The direction in which the route takes the channel of a hop. `ourselves` is where it starts.
  func direction(ofHop index: Int, from ourselves: PublicKey) -> ChannelDirection {
    ChannelDirection(
      hops[index].shortChannelID, from: index == 0 ? ourselves : hops[index - 1].nodeID, to: hops[index].nodeID)
  }

  public init(from reader: inout ByteReader) throws(DecodingError) {
    hops = []
    for _ in 0..<(try reader.readCount(of: 53)) {
      hops.append(
        Hop(
          nodeID: try reader.read(), shortChannelID: try ShortChannelID(from: &reader),
          amount: try reader.readAmount(), delay: try reader.readUInt32()))
    }
  }

  public func encode(to writer: inout ByteWriter) {
    writer.writeList(hops) {
      $0.write($1.nodeID)
      $1.shortChannelID.encode(to: &$0)
      $0.write($1.amount)
      $0.write($1.delay)
    }
  }
}

/// What a route is wanted for.
public struct RouteRequest: Hashable, Sendable {
  public var payee: PublicKey
  /// Whose locks every channel of the route shall carry.
  public var kind: ExtensionID
  /// What that kind takes of the onion at each hop, beyond BOLT 4's records.
  public var extraPayloadByteCount: Int
  /// What shall arrive there.
  public var amount: MilliSatoshi
  /// How many blocks the last offer shall have left.
  public var finalCLTVDelta: UInt32
  /// Ways to the payee that its invoice names.
  public var hints: [[Bolt11Invoice.RouteHop]]
  /// The most that the route may cost.
  public var maximumFee: MilliSatoshi
  /// The most blocks that its first offer may have left.
  public var maximumDelay: UInt32
  public var excludedNodes: Set<PublicKey>
  public var excludedChannels: Set<ChannelDirection>
  /// Channels that are known not to carry as much as this.
  public var limits: [ChannelDirection: MilliSatoshi]
  /// What other parts of the same payment take on their way; of our own channels, as far as they have not been offered yet.
  public var reserved: [ChannelDirection: MilliSatoshi]
  /// What failures have said of channels. BOLT 4: MUST NOT expose the `channel_update` to third-parties in any other context,
  /// including applying the `channel_update` to the local network graph.
  public var policies: [ChannelDirection: ForwardingPolicy]
}

public enum RouteFailure: Error, Hashable, Sendable {
  case noRoute
  /// There is one, for that fee.
  case tooExpensive(MilliSatoshi)
  /// There is one, with so many blocks.
  case tooSlow(UInt32)
  /// There is one, but this channel on it does not carry payments of that kind.
  case lockNotCarried(ChannelDirection)
}

/// Finds ways through the network. Where channels of ours are concerned, it knows what they can carry at the moment.
public protocol RouteFinder: Sendable {
  func route(_ request: RouteRequest) throws(RouteFailure) -> PaymentRoute
  /// The first channel on a route that is known not to carry payments of a kind.
  func obstacle(on route: PaymentRoute, to kind: ExtensionID) -> ChannelDirection?
}

/// What an attempt to pay says about the network.
public enum RouteObservation: Hashable, Sendable {
  /// It carried so much.
  case succeeded(ChannelDirection, MilliSatoshi)
  /// It could not carry so much.
  case failed(ChannelDirection, MilliSatoshi)
  /// It did not work at all.
  case channelFailed(ChannelDirection, isPermanent: Bool)
  case nodeFailed(PublicKey, isPermanent: Bool)
  /// One of the two tampered with what came back, or held it up.
  case pairBlamed(PublicKey, PublicKey)
  /// A node says how long it held the payment, in units of 100 milliseconds.
  case holdTime(PublicKey, UInt32)
}
