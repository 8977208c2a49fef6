internal import BOLT
internal import Bitcoin
internal import GLC
internal import Payments
internal import Peers
internal import Secp256k1
internal import Wire

/// What is known of the network, for people and programs that ask.
protocol NetworkView: Sendable {
  func node(_ id: NodeID) async -> KnownNode?
  func nodes() async -> [KnownNode]
  /// Each direction of each channel.
  func channels() async -> [KnownChannel]
  /// Where a node can be reached, as it has announced.
  func addresses(of node: NodeID) async -> [NodeAddress]
  /// A way for an amount. `source` is nil for ourselves.
  func route(_ query: RouteQuery) async throws(RouteFailure) -> [KnownHop]
}

struct KnownNode: Sendable {
  var id: NodeID
  var alias: [UInt8]?
  var color: [UInt8]?
  var timestamp: UInt32?
  var features: FeatureSet?
  var addresses: [NodeAddress] = []
}

struct KnownChannel: Sendable {
  var source: NodeID
  var destination: NodeID
  var shortChannelID: ShortChannelID
  var isPublic: Bool
  var capacity: Satoshi
  var isActive: Bool
  var lastUpdate: UInt32
  var messageFlags: UInt8
  var channelFlags: UInt8
  var policy: ForwardingPolicy
  var features = FeatureSet()
}

struct RouteQuery: Sendable {
  var target: NodeID
  var amount: MilliSatoshi
  var source: NodeID?
  var finalDelay: UInt32
  var maximumHops: Int
  var excludedNodes: Set<PublicKey> = []
  var excludedChannels: Set<ChannelDirection> = []
}

struct KnownHop: Sendable {
  var node: NodeID
  var channel: ChannelDirection
  var amount: MilliSatoshi
  var delay: UInt32
}

/// What our own channels tell: ourselves, our peers, and one hop.
struct OwnNetworkView: NetworkView {
  let node: Node

  func node(_ id: NodeID) async -> KnownNode? { await nodes().first { $0.id == id } }

  func nodes() async -> [KnownNode] {
    var known = [
      KnownNode(
        id: node.nodeID, alias: Array(node.alias.utf8), color: node.color,
        features: node.settings.features.features(in: .nodeAnnouncement), addresses: node.settings.announcedAddresses)
    ]
    let connections = Dictionary(node.network.peers.map { ($0.nodeID, $0) }) { first, _ in first }
    let peers = Set(await node.channels().filter { $0.isFunded && $0.phase < .onchain }.map(\.peer))
    for peer in peers { known.append(KnownNode(id: peer, features: connections[peer]?.theirFeatures)) }
    return known.sorted { $0.id < $1.id }
  }

  func channels() async -> [KnownChannel] {
    var known: [KnownChannel] = []
    for hosted in await node.inspect() {
      let channel = hosted.channel
      guard let scid = channel.shortChannelID, channel.isFunded, channel.phase < .onchain else { continue }
      let isPublic = channel.isAnnounced && hosted.announcement != nil
      func add(_ source: NodeID, _ destination: NodeID, _ policy: ForwardingPolicy, _ update: ChannelUpdate?) {
        known.append(
          KnownChannel(
            source: source, destination: destination, shortChannelID: scid, isPublic: isPublic,
            capacity: channel.capacity, isActive: channel.canOffer && !policy.isDisabled,
            lastUpdate: update?.timestamp ?? 0, messageFlags: update?.messageFlags.rawValue ?? 1,
            channelFlags: update?.channelFlags.rawValue ?? (source < destination ? 0 : 1), policy: policy))
      }
      add(node.nodeID, channel.peer, hosted.policy, hosted.ourUpdates[scid] ?? hosted.ourUpdates.values.first)
      if let policy = hosted.peerPolicy { add(channel.peer, node.nodeID, policy, hosted.peerUpdate) }
    }
    return known
  }

  func addresses(of node: NodeID) async -> [NodeAddress] { [] }

  func route(_ query: RouteQuery) async throws(RouteFailure) -> [KnownHop] {
    guard query.source == nil || query.source == node.nodeID, query.maximumHops >= 1 else { throw .noRoute }
    for entry in node.hub.directory.all.values where entry.peer == query.target {
      guard entry.canOffer, entry.spendable >= query.amount, let scid = entry.payment.shortChannelID else { continue }
      let direction = ChannelDirection(scid, from: node.nodeID.publicKey, to: query.target.publicKey)
      guard !query.excludedChannels.contains(direction), !query.excludedNodes.contains(query.target.publicKey) else {
        continue
      }
      return [KnownHop(node: query.target, channel: direction, amount: query.amount, delay: query.finalDelay)]
    }
    throw .noRoute
  }
}

extension Node {
  /// Who answers questions about the network.
  var view: any NetworkView { OwnNetworkView(node: self) }
}
