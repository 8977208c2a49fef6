import Bitcoin
import Encoding
import Hashing
@testable import Routing
import Secp256k1
import Synchronization
import Testing
import Wire

/// Node ids by number, always the same.
func node(_ number: Int) -> NodeID {
  ids.withLock { ids in
    while ids.count <= number {
      let seed = sha256([UInt8]("node \(ids.count)".utf8))
      if let secret = try? SecretKey(seed) {
        ids.append(NodeID(secret.publicKey))
      } else {
        ids.append(NodeID(.generator))
      }
    }
    return ids[number]
  }
}

private let ids = Mutex<[NodeID]>([])

func scid(_ number: Int) -> ShortChannelID {
  ShortChannelID(rawValue: UInt64(700_000 + number / 3_000) << 40 | UInt64(number % 3_000) << 16)
}

let unsigned = CompactSignature(Bytes64())
let rules = GossipRules(chainHash: .regtest, now: 1_700_000_000)

func announcement(_ number: Int, _ a: NodeID, _ b: NodeID, features: [Int] = []) -> ChannelAnnouncement {
  ChannelAnnouncement(
    nodeSignature1: unsigned, nodeSignature2: unsigned, bitcoinSignature1: unsigned, bitcoinSignature2: unsigned,
    features: FeatureSet(bits: features), chainHash: .regtest, shortChannelID: scid(number), nodeID1: min(a, b),
    nodeID2: max(a, b), bitcoinKey1: a.publicKey, bitcoinKey2: b.publicKey)
}

/// What `from` asks for on a channel with `to`.
func update(
  _ number: Int, from: NodeID, to: NodeID, timestamp: UInt32 = 1_699_990_000, base: UInt32 = 0, rate: UInt32 = 0,
  delta: UInt16 = 10, minimum: UInt64 = 0, maximum: UInt64 = 1_000_000_000, isDisabled: Bool = false,
  isPrivate: Bool = false, kinds: [UInt16]? = nil
) -> ChannelUpdate {
  var flags: ChannelUpdateFlags = to < from ? .direction : []
  if isDisabled { flags.insert(.disable) }
  return ChannelUpdate(
    signature: unsigned, chainHash: .regtest, shortChannelID: scid(number), timestamp: timestamp,
    messageFlags: isPrivate ? [.mustBeOne, .dontForward] : .mustBeOne, channelFlags: flags, cltvExpiryDelta: delta,
    htlcMinimumMsat: MilliSatoshi(minimum), feeBaseMsat: base, feeProportionalMillionths: rate,
    htlcMaximumMsat: MilliSatoshi(maximum), excess: kinds.map(ChannelUpdate.excess(paymentKinds:)) ?? [])
}

func nodeAnnouncement(_ id: NodeID, timestamp: UInt32 = 1_699_990_000, features: [Int] = []) throws -> NodeAnnouncement
{
  NodeAnnouncement(
    signature: unsigned, features: FeatureSet(bits: features), timestamp: timestamp, nodeID: id,
    rgbColor: RGBColor(red: 1, green: 2, blue: 3), alias: try #require(Alias("node")), addresses: NodeAddresses([]))
}

extension NetworkGraph {
  @discardableResult mutating func add(_ message: ChannelAnnouncement, capacity: UInt64? = 1_000_000) throws
    -> [GossipChange]
  {
    try add(
      message, bytes: try message.encoded(), capacity: capacity.map { Satoshi($0) }, use: rules.check(message),
      now: rules.now)
  }
  @discardableResult mutating func apply(_ message: ChannelUpdate) throws -> [GossipChange] {
    try apply(message, bytes: try message.encoded(), use: rules.check(message))
  }
  @discardableResult mutating func apply(_ message: NodeAnnouncement) throws -> [GossipChange] {
    try apply(message, bytes: try message.encoded(), use: rules.check(message))
  }

  /// A channel with the same policy at both ends.
  mutating func connect(
    _ number: Int, _ a: Int, _ b: Int, capacity: UInt64 = 1_000_000, base: UInt32 = 0, rate: UInt32 = 0,
    delta: UInt16 = 10, minimum: UInt64 = 0, maximum: UInt64? = nil
  ) throws {
    let (a, b) = (node(a), node(b))
    try add(announcement(number, a, b), capacity: capacity)
    for (from, to) in [(a, b), (b, a)] {
      try apply(
        update(
          number, from: from, to: to, base: base, rate: rate, delta: delta, minimum: minimum,
          maximum: maximum ?? capacity * 1_000))
    }
  }
}

func direction(_ number: Int, from: Int, to: Int) -> DirectedChannel {
  DirectedChannel(scid(number), isFromNode2: node(to) < node(from))
}

func request(_ from: Int, _ to: Int, _ amount: UInt64, fee: UInt64 = 1_000_000_000) -> RouteRequest {
  RouteRequest(
    source: node(from), destination: node(to), amount: MilliSatoshi(amount), finalCLTVExpiryDelta: 18,
    maximumFee: MilliSatoshi(fee))
}

extension Route {
  /// The nodes after the source, by number.
  var path: [Int] { hops.map { hop in (0..<200).first { node($0) == hop.node } ?? -1 } }
}

/// Numbers that are always the same.
struct Generator: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
