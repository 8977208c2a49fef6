public import Bitcoin
public import Encoding
internal import Wire

/// The public channels and nodes, as far as finding paths and answering questions needs them. A value of numbers: some 380
/// bytes for a channel with its share of nodes and indices. The bytes of the messages are kept elsewhere, by `GossipKey`: every change
/// comes with what to store and what to remove.
///
/// Nothing here checks signatures or the chain: hand in what is verified (`GossipMessage.verify`, `GossipRules`, the funding
/// output).
public struct NetworkGraph: Sendable {
  struct Node: Sendable {
    let key: NodeKey
    /// The first of its channels; −1 when there is none.
    var firstChannel: Int32 = -1
    var channelCount: Int32 = 0
    /// Of the last announcement; 0 when there was none.
    var timestamp: UInt32 = 0
    /// Whether payments may go through it: no feature that we do not know is required.
    var mayRoute = true
    var mayForward = true
  }

  struct Channel: Sendable {
    var id: ShortChannelID
    /// 0 and 1: the ends, by their place in `nodes`.
    var node1: Int32
    var node2: Int32
    /// The next channel of the same node.
    var next1: Int32 = -1
    var next2: Int32 = -1
    /// Millisatoshi; `.max` when it is not known.
    var capacity: UInt64
    var policy1 = ChannelPolicy()
    var policy2 = ChannelPolicy()
    /// The block in which the funding output was spent; 0 while it is not.
    var spentHeight: UInt32 = 0
    /// When it was taken in, seconds since 1970.
    var added: UInt32
    /// Whether payments may go through it: no feature that we do not know is required.
    var mayRoute: Bool
    /// Which of the updates may be passed on.
    var mayForward1 = false
    var mayForward2 = false
    /// Announced with a funding output that only nodes like us believe in: others are not told of it.
    var isForComposers = false
    var isFree = false
  }

  /// Sets of kinds of payments that channels carry, as `ChannelPolicy.kinds` counts them; the first is BOLT 2's.
  private(set) var kindSets: [[UInt16]?] = [nil]
  /// More than there will be; further ones carry nothing that we could use.
  private static let mostKindSets = 1_000
  /// The kind of BOLT 2's payments.
  static let defaultKind: UInt16 = 0x0400

  private(set) var nodes: [Node] = []
  private(set) var channels: [Channel] = []
  private var nodeIndex: [NodeKey: Int32] = [:]
  private var channelIndex: [ShortChannelID: Int32] = [:]
  private var freeNodes: [Int32] = []
  private var freeChannels: [Int32] = []
  /// BOLT 7: SHOULD blacklist (…). For as long as this graph lives.
  var blacklist: Set<NodeKey> = []
  private var sorted: [ShortChannelID] = []
  private var isSorted = true
  /// For searches; nil since channels came or went.
  private(set) var edges: EdgeIndex?

  public init() {}

  public var channelCount: Int { channelIndex.count }
  public var nodeCount: Int { nodeIndex.count }

  // MARK: Looking up

  /// A channel as the graph knows it.
  public struct ChannelInfo: Hashable, Sendable {
    public let id: ShortChannelID
    /// `node_id_1` and `node_id_2`.
    public let nodes: (NodeKey, NodeKey)
    /// Nil when it is not known.
    public let capacity: MilliSatoshi?
    /// Of `node_id_1` and `node_id_2`; nil while there is no `channel_update`.
    public let policies: (ChannelPolicy?, ChannelPolicy?)
    public let spentHeight: UInt32?

    public static func == (a: Self, b: Self) -> Bool {
      a.id == b.id && a.nodes == b.nodes && a.capacity == b.capacity && a.policies == b.policies
        && a.spentHeight == b.spentHeight
    }
    public func hash(into hasher: inout Hasher) { hasher.combine(id) }

    public func policy(isFromNode2: Bool) -> ChannelPolicy? { isFromNode2 ? policies.1 : policies.0 }
  }

  public func channel(_ id: ShortChannelID) -> ChannelInfo? {
    index(of: id).map { info(channels[$0]) }
  }

  private func info(_ channel: Channel) -> ChannelInfo {
    ChannelInfo(
      id: channel.id, nodes: (nodes[Int(channel.node1)].key, nodes[Int(channel.node2)].key),
      capacity: channel.capacity == .max ? nil : MilliSatoshi(channel.capacity),
      policies: (
        channel.policy1.exists ? channel.policy1 : nil, channel.policy2.exists ? channel.policy2 : nil
      ),
      spentHeight: channel.spentHeight == 0 ? nil : channel.spentHeight)
  }

  /// All channels, in no order.
  public var allChannels: some Sequence<ChannelInfo> { channels.lazy.filter { !$0.isFree }.map { info($0) } }
  public var allNodes: some Collection<NodeKey> { nodeIndex.keys }

  public func contains(_ node: NodeKey) -> Bool { nodeIndex[node] != nil }
  public func contains(_ channel: ShortChannelID) -> Bool { channelIndex[channel] != nil }

  /// The channels of a node; none for one that is not known.
  public func channels(of node: NodeKey) -> [ChannelInfo] {
    guard let node = nodeIndex[node] else { return [] }
    return incident(node).map { info(channels[$0]) }
  }

  /// When the last `node_announcement` was made; nil when there was none.
  public func announcementTimestamp(of node: NodeKey) -> UInt32? {
    nodeIndex[node].map { nodes[Int($0)].timestamp }.flatMap { $0 == 0 ? nil : $0 }
  }

  /// Whether a direction of a channel carries payments of a kind, as far as its last update says.
  public func carries(_ kind: UInt16, _ channel: DirectedChannel) -> Bool {
    guard let index = index(of: channel.channel) else { return false }
    let policy = channel.isFromNode2 ? channels[index].policy2 : channels[index].policy1
    return carries(kind, policy)
  }

  func carries(_ kind: UInt16, _ policy: ChannelPolicy) -> Bool {
    kindSets[Int(policy.kinds)]?.contains(kind) ?? (kind == Self.defaultKind)
  }

  /// The place of a set in the table; nil when there is no room for another one.
  mutating func place(ofKinds kinds: [UInt16]?) -> UInt16? {
    if let index = kindSets.firstIndex(of: kinds) { return UInt16(truncatingIfNeeded: index) }
    guard kindSets.count < Self.mostKindSets else { return nil }
    kindSets.append(kinds)
    return UInt16(truncatingIfNeeded: kindSets.count - 1)
  }

  /// Whether a peer may hear of this: who composes channels of extensions, of everything.
  func isTold(_ key: GossipKey, toComposer composes: Bool) -> Bool {
    let id: ShortChannelID
    switch key {
    case .channel(let channel): id = channel
    case .update(let direction): id = direction.channel
    case .node: return true
    }
    return composes || !(index(of: id).map { channels[$0].isForComposers } ?? false)
  }

  func index(of id: ShortChannelID) -> Int? { channelIndex[id].map(Int.init) }
  func index(of node: NodeKey) -> Int? { nodeIndex[node].map(Int.init) }

  func incident(_ node: Int32) -> [Int] {
    var found: [Int] = []
    var next = nodes[Int(node)].firstChannel
    while next >= 0 {
      found.append(Int(next))
      next = channels[Int(next)].node1 == node ? channels[Int(next)].next1 : channels[Int(next)].next2
    }
    return found
  }

  /// The ids of all channels in ascending order; sorted when something has changed since the last time.
  mutating func sortedIDs() -> [ShortChannelID] {
    if !isSorted {
      sorted = channelIndex.keys.sorted()
      isSorted = true
    }
    return sorted
  }

  /// Prepares what searches go through. A graph without it is searched too: each search makes it for itself.
  public mutating func indexEdges() {
    if edges == nil { edges = EdgeIndex(nodeCount: nodes.count, channels: channels) }
  }

  /// For tests.
  mutating func forgetIndex() { edges = nil }

  // MARK: Changing

  mutating func insertNode(_ key: NodeKey) -> Int32 {
    if let index = nodeIndex[key] { return index }
    let index: Int32
    if let free = freeNodes.popLast() {
      index = free
      nodes[Int(free)] = Node(key: key)
    } else {
      index = Int32(truncatingIfNeeded: nodes.count)
      nodes.append(Node(key: key))
    }
    nodeIndex[key] = index
    return index
  }

  mutating func insertChannel(_ channel: Channel) {
    let index: Int32
    if let free = freeChannels.popLast() {
      index = free
      channels[Int(free)] = channel
    } else {
      index = Int32(truncatingIfNeeded: channels.count)
      channels.append(channel)
    }
    channels[Int(index)].next1 = nodes[Int(channel.node1)].firstChannel
    channels[Int(index)].next2 = nodes[Int(channel.node2)].firstChannel
    for node in [channel.node1, channel.node2] {
      nodes[Int(node)].firstChannel = index
      nodes[Int(node)].channelCount += 1
    }
    channelIndex[channel.id] = index
    edges = nil
    if isSorted, (sorted.last.map { $0 < channel.id } ?? true) { sorted.append(channel.id) } else { isSorted = false }
  }

  /// Removes a channel, and the nodes that have no other.
  mutating func removeChannel(_ id: ShortChannelID) -> [GossipChange] {
    guard let index = channelIndex.removeValue(forKey: id) else { return [] }
    isSorted = false
    edges = nil
    let channel = channels[Int(index)]
    var changes: [GossipChange] = [.remove(.channel(id))]
    if channel.policy1.exists { changes.append(.remove(.update(DirectedChannel(id, isFromNode2: false)))) }
    if channel.policy2.exists { changes.append(.remove(.update(DirectedChannel(id, isFromNode2: true)))) }
    for node in [channel.node1, channel.node2] {
      unlink(index, from: node)
      guard nodes[Int(node)].channelCount == 0 else { continue }
      let key = nodes[Int(node)].key
      // BOLT 7: if the announced node no longer has any associated open channels: MAY prune nodes.
      if nodes[Int(node)].timestamp > 0 { changes.append(.remove(.node(key))) }
      nodeIndex[key] = nil
      freeNodes.append(node)
    }
    channels[Int(index)].isFree = true
    freeChannels.append(index)
    return changes
  }

  private mutating func unlink(_ channel: Int32, from node: Int32) {
    func next(_ index: Int32) -> Int32 {
      channels[Int(index)].node1 == node ? channels[Int(index)].next1 : channels[Int(index)].next2
    }
    nodes[Int(node)].channelCount -= 1
    if nodes[Int(node)].firstChannel == channel {
      nodes[Int(node)].firstChannel = next(channel)
      return
    }
    var previous = nodes[Int(node)].firstChannel
    while previous >= 0, next(previous) != channel { previous = next(previous) }
    guard previous >= 0 else { return }
    let follower = next(channel)
    if channels[Int(previous)].node1 == node {
      channels[Int(previous)].next1 = follower
    } else {
      channels[Int(previous)].next2 = follower
    }
  }

  mutating func withChannel<R>(_ index: Int, _ body: (inout Channel) -> R) -> R {
    defer { edges?.refresh(channels[index], place: index) }
    return body(&channels[index])
  }
  mutating func withNode<R>(_ index: Int, _ body: (inout Node) -> R) -> R { body(&nodes[index]) }
}
