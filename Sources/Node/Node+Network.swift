internal import BOLT
internal import Bitcoin
internal import Encoding
internal import GLC
internal import Payments
internal import Peers
internal import Routing
internal import Secp256k1
internal import Storage
internal import Synchronization
internal import Wire

/// What is known of the network, for people and programs that ask.
protocol NetworkKnowledge: Sendable {
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

/// What gossip has told, and what our own channels tell besides.
struct GraphKnowledge: NetworkKnowledge {
  let node: Node

  private var graph: NetworkGraph { node.gossip.view.state.withLock { $0.graph } }

  // MARK: Nodes

  func node(_ id: NodeID) async -> KnownNode? {
    let stored = try? await node.hub.store.value(of: GossipKey.node(id.key).stored, in: .gossip)
    if let known = stored.flatMap({ KnownNode(stored: $0) }) { return known }
    if id == node.nodeID { return ourself }
    let isPeer = node.hub.directory.all.values.contains { $0.peer == id && $0.phase < .onchain }
    guard isPeer || graph.contains(id.key) else { return nil }
    return KnownNode(id: id, features: node.network.peer(id)?.theirFeatures)
  }

  func nodes() async -> [KnownNode] {
    var known: [NodeID: KnownNode] = [:]
    // Nodes stand behind channels and updates, under a first byte of their own.
    try? await node.hub.store.forEachRecord(in: .gossip, prefix: [2]) { record in
      if let node = KnownNode(stored: record.value) { known[node.id] = node }
    }
    var others = Set(node.hub.directory.all.values.filter { $0.phase < .onchain }.map(\.peer))
    for key in graph.allNodes {
      if let publicKey = PublicKey(parsing: key.array) { others.insert(NodeID(publicKey)) }
    }
    for id in others where known[id] == nil {
      known[id] = KnownNode(id: id, features: node.network.peer(id)?.theirFeatures)
    }
    known[node.nodeID] = known[node.nodeID]?.timestamp == nil ? ourself : known[node.nodeID]
    return known.values.sorted { $0.id < $1.id }
  }

  /// Before we have announced ourselves.
  private var ourself: KnownNode {
    KnownNode(
      id: node.nodeID, alias: Array(node.alias.utf8), color: node.color,
      features: node.settings.features.features(in: .nodeAnnouncement), addresses: node.settings.announcedAddresses)
  }

  func addresses(of id: NodeID) async -> [NodeAddress] { await node(id)?.addresses.filter(\.isUsable) ?? [] }

  // MARK: Channels

  func channels() async -> [KnownChannel] {
    var known = graph.allChannels.flatMap { info -> [KnownChannel] in
      guard let first = PublicKey(parsing: info.nodes.0.array), let second = PublicKey(parsing: info.nodes.1.array)
      else { return [] }
      return [false, true].compactMap { isFromNode2 in
        guard let policy = info.policy(isFromNode2: isFromNode2), policy.exists else { return nil }
        return KnownChannel(
          source: NodeID(isFromNode2 ? second : first), destination: NodeID(isFromNode2 ? first : second),
          shortChannelID: info.id, isPublic: true, capacity: (info.capacity ?? .zero).satoshiRoundedDown,
          isActive: !policy.isDisabled && info.spentHeight == nil, lastUpdate: policy.timestamp, messageFlags: 1,
          channelFlags: (isFromNode2 ? 1 : 0) | (policy.isDisabled ? 2 : 0),
          policy: ForwardingPolicy(
            feeBaseMsat: policy.feeBaseMsat, feeProportionalMillionths: policy.feeProportionalMillionths,
            cltvExpiryDelta: policy.cltvExpiryDelta, htlcMinimumMsat: policy.htlcMinimumMsat,
            htlcMaximumMsat: policy.htlcMaximumMsat, isDisabled: policy.isDisabled))
      }
    }
    let announced = Set(known.map(\.shortChannelID))
    known += await own().filter { !announced.contains($0.shortChannelID) }
    return known.sorted { ($0.shortChannelID, $0.channelFlags & 1) < ($1.shortChannelID, $1.channelFlags & 1) }
  }

  /// Ours, announced or not.
  private func own() async -> [KnownChannel] {
    var known: [KnownChannel] = []
    for hosted in await node.inspect() {
      let channel = hosted.channel
      guard let scid = channel.shortChannelID, channel.isFunded, channel.phase < .onchain else { continue }
      func add(_ source: NodeID, _ destination: NodeID, _ policy: ForwardingPolicy, _ update: ChannelUpdate?) {
        known.append(
          KnownChannel(
            source: source, destination: destination, shortChannelID: scid,
            isPublic: channel.isAnnounced && hosted.announcement != nil, capacity: channel.capacity,
            isActive: channel.canOffer && !policy.isDisabled, lastUpdate: update?.timestamp ?? 0,
            messageFlags: update?.messageFlags.rawValue ?? 1,
            channelFlags: update?.channelFlags.rawValue ?? (source < destination ? 0 : 1), policy: policy))
      }
      add(node.nodeID, channel.peer, hosted.policy, hosted.ourUpdates[scid] ?? hosted.ourUpdates.values.first)
      if let policy = hosted.peerPolicy { add(channel.peer, node.nodeID, policy, hosted.peerUpdate) }
    }
    return known
  }

  // MARK: Routes

  func route(_ query: RouteQuery) async throws(RouteFailure) -> [KnownHop] {
    var request = Routing.RouteRequest(
      source: query.source ?? node.nodeID, destination: query.target, amount: query.amount,
      finalCLTVExpiryDelta: query.finalDelay, maximumFee: MilliSatoshi(.max / 2))
    if request.source == node.nodeID {
      request.firstHops = node.hub.directory.all.values.filter(\.canOffer).compactMap { entry in
        let name = entry.payment.shortChannelID ?? entry.payment.peerAlias ?? entry.payment.aliases.first
        return name.map { .init(channel: $0, peer: entry.peer, spendable: entry.spendable) }
      }
    }
    request.maximumHops = min(query.maximumHops, request.maximumHops)
    request.excludedNodes = Set(query.excludedNodes.map { NodeID($0) })
    request.excludedChannels = Set(query.excludedChannels.map { DirectedChannel($0) })
    let (graph, memory) = node.gossip.view.state.withLock { state in
      state.graph.indexEdges()
      return (state.graph, state.memory)
    }
    do {
      let route = try PathFinder().route(request, in: graph, memory: memory, now: UInt32(clamping: WallClock.seconds))
      return route.hops.map { hop in
        KnownHop(
          node: hop.node,
          channel: ChannelDirection(hop.channel.channel, direction: hop.channel.isFromNode2 ? 1 : 0),
          amount: hop.amount, delay: hop.cltvExpiryDelta)
      }
    } catch {
      throw .noRoute
    }
  }
}

extension KnownNode {
  /// From a `node_announcement` as gossip stores it.
  init?(stored: [UInt8]) {
    guard stored.count > StoredGossip.headSize,
      let message = try? NodeAnnouncement(decoding: Array(stored.dropFirst(StoredGossip.headSize)))
    else { return nil }
    self.init(
      id: message.nodeID, alias: message.alias.bytes.array,
      color: [message.rgbColor.red, message.rgbColor.green, message.rgbColor.blue], timestamp: message.timestamp,
      features: message.features, addresses: (try? message.addresses.list().addresses) ?? [])
  }
}

extension Node {
  /// Who answers questions about the network.
  var view: any NetworkKnowledge { GraphKnowledge(node: self) }
}
