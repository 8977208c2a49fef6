public import Bitcoin
public import Encoding
public import Wire

/// Why a gossip message changes nothing.
public enum GraphRefusal: Error, Hashable, Sendable {
  /// The channel is known already.
  case alreadyKnown
  /// An update of a channel that was never announced. BOLT 7: MUST ignore `channel_update`s that do NOT correspond to one of its own
  /// channels.
  case unknownChannel
  /// An announcement of a node without a channel.
  case unknownNode
  /// Not newer than what is known.
  case notNewer
  /// Another update with the same `timestamp` and other content.
  case sameTimestamp
  /// The channel's funding output is spent, and this does not disable it.
  case spent
  case blacklisted
  /// The same channel with other nodes: keys have leaked. Both pairs are blacklisted, their channels forgotten: `changes`.
  case conflict(changes: [GossipChange])
  /// A channel from a node to itself, or one too many.
  case impossible
}

extension NetworkGraph {
  /// So many channels at most: four thousand blocks full of them. What comes on top is refused.
  static let mostChannels = 4_000_000

  /// Takes in a verified announcement. `capacity`: the funding output's value, if it was looked up. `use`: what the rules allow; one that
  /// may not be routed through is kept for others. `now`: seconds since 1970. What to store.
  public mutating func add(
    _ announcement: ChannelAnnouncement, bytes: [UInt8], capacity: Satoshi?, use: GossipRules.Use = [.route, .forward],
    now: UInt32
  ) throws(GraphRefusal) -> [GossipChange] {
    let id = announcement.shortChannelID
    let ends = (announcement.nodeID1.key, announcement.nodeID2.key)
    // BOLT 7: if `node_id_1` OR `node_id_2` are blacklisted: SHOULD ignore the message.
    if blacklist.contains(ends.0) || blacklist.contains(ends.1) { throw .blacklisted }
    if let known = index(of: id) {
      let before = (nodes[Int(channels[known].node1)].key, nodes[Int(channels[known].node2)].key)
      if before == ends { throw .alreadyKnown }
      // BOLT 7: if it has previously received a valid `channel_announcement`, for the same transaction, in the same block, but for a
      // different `node_id_1` or `node_id_2`: SHOULD blacklist the previous message's `node_id_1` and `node_id_2`, as well as this
      // `node_id_1` and `node_id_2` AND forget any channels connected to them.
      var changes: [GossipChange] = []
      for node in [before.0, before.1, ends.0, ends.1] { changes += forget(node) }
      throw .conflict(changes: changes)
    }
    try insert(
      id, ends, capacity: capacity?.milliSatoshi?.rawValue, mayRoute: use.contains(.route),
      isForComposers: announcement.features.offers(.aggregatedFunding), now: now)
    return [.store(.channel(id), bytes)]
  }

  mutating func insert(
    _ id: ShortChannelID, _ ends: (NodeKey, NodeKey), capacity: UInt64?, mayRoute: Bool,
    isForComposers: Bool = false, now: UInt32
  ) throws(GraphRefusal) {
    guard ends.0 != ends.1, channelCount < Self.mostChannels else { throw .impossible }
    let node1 = insertNode(ends.0)
    let node2 = insertNode(ends.1)
    var channel = Channel(
      id: id, node1: node1, node2: node2, capacity: capacity ?? .max, added: now, mayRoute: mayRoute)
    channel.isForComposers = isForComposers
    insertChannel(channel)
  }

  private mutating func forget(_ node: NodeKey) -> [GossipChange] {
    blacklist.insert(node)
    let ids = channels(of: node).map(\.id)
    return ids.flatMap { removeChannel($0) }
  }

  /// Whether an update would change anything; to be asked before its signature is checked.
  public func wants(_ update: ChannelUpdate) throws(GraphRefusal) {
    guard let index = index(of: update.shortChannelID) else { throw .unknownChannel }
    let channel = channels[index]
    // BOLT 7: if the channel output has been spent: MUST ignore `channel_update`s, unless they have the `disable` bit set to 1.
    if channel.spentHeight > 0, !update.channelFlags.contains(.disable) { throw .spent }
    let last = update.isFromNode2 ? channel.policy2 : channel.policy1
    // BOLT 7: If `timestamp` is lower: SHOULD ignore the message. (…) if the fields below `timestamp` are equal: SHOULD ignore this
    // message.
    if update.timestamp < last.timestamp { throw .notNewer }
    if update.timestamp == last.timestamp { throw update.checksum == last.checksum ? .notNewer : .sameTimestamp }
  }

  /// Takes in a verified update.
  public mutating func apply(
    _ update: ChannelUpdate, bytes: [UInt8], use: GossipRules.Use = [.route, .forward]
  ) throws(GraphRefusal) -> [GossipChange] {
    try wants(update)
    guard let index = index(of: update.shortChannelID) else { throw .unknownChannel }
    let kinds = place(ofKinds: update.paymentKinds)
    withChannel(index) { channel in
      var policy = ChannelPolicy(update)
      policy.kinds = kinds ?? 0
      if kinds == nil { policy.isUsable = false }
      if !use.contains(.route) { policy.isUsable = false }
      // BOLT 7: if `htlc_maximum_msat` is greater than channel capacity: SHOULD ignore this channel during route considerations.
      if policy.htlcMaximumMsat.rawValue > channel.capacity { policy.isUsable = false }
      if update.isFromNode2 {
        channel.policy2 = policy
        channel.mayForward2 = use.contains(.forward)
      } else {
        channel.policy1 = policy
        channel.mayForward1 = use.contains(.forward)
      }
    }
    return [.store(.update(DirectedChannel(update.shortChannelID, isFromNode2: update.isFromNode2)), bytes)]
  }

  /// Who must have signed an update; nil for an unknown channel.
  public func signer(of update: ChannelUpdate) -> NodeKey? {
    index(of: update.shortChannelID).map { index in
      nodes[Int(update.isFromNode2 ? channels[index].node2 : channels[index].node1)].key
    }
  }

  public func wants(_ announcement: NodeAnnouncement) throws(GraphRefusal) {
    // BOLT 7: if `node_id` is NOT previously known from a `channel_announcement` message, OR if `timestamp` is NOT greater than the
    // last-received `node_announcement` from this `node_id`: SHOULD ignore the message.
    guard let index = index(of: announcement.nodeID.key) else { throw .unknownNode }
    guard announcement.timestamp > nodes[index].timestamp else { throw .notNewer }
  }

  /// Takes in a verified announcement of a node.
  public mutating func apply(
    _ announcement: NodeAnnouncement, bytes: [UInt8], use: GossipRules.Use = [.route, .forward]
  ) throws(GraphRefusal) -> [GossipChange] {
    try wants(announcement)
    guard let index = index(of: announcement.nodeID.key) else { throw .unknownNode }
    withNode(index) { node in
      node.timestamp = announcement.timestamp
      node.mayRoute = use.contains(.route)
      node.mayForward = use.contains(.forward)
    }
    return [.store(.node(announcement.nodeID.key), bytes)]
  }

  // MARK: Pruning

  /// A channel's funding output was spent in this block. It stays usable for a while: it may have been spliced.
  public mutating func spent(_ id: ShortChannelID, height: UInt32) {
    guard let index = index(of: id) else { return }
    withChannel(index) { $0.spentHeight = max(height, 1) }
  }

  /// The block that spent it is no longer in the chain.
  public mutating func unspent(_ id: ShortChannelID) {
    guard let index = index(of: id) else { return }
    withChannel(index) { $0.spentHeight = 0 }
  }

  /// Removes a channel at once: its funding output is no longer in the chain, or never was.
  public mutating func remove(_ id: ShortChannelID) -> [GossipChange] { removeChannel(id) }

  /// BOLT 7: once its funding output has been spent OR reorganized out: SHOULD forget a channel after a 72-block delay.
  public mutating func removeSpent(height: UInt32, delay: UInt32 = 72) -> [GossipChange] {
    let gone = channels.filter {
      !$0.isFree && $0.spentHeight > 0 && height >= $0.spentHeight && height - $0.spentHeight >= delay
    }
    return gone.flatMap { removeChannel($0.id) }
  }

  /// BOLT 7: if the `timestamp` of the latest `channel_update` in either direction is older than two weeks (1209600 seconds): MAY prune
  /// the channel. (…) The oldest `channel_update` is used to prune. A direction without any counts from when the channel was
  /// taken in. `exceptOf`: our own node, whose channels are not pruned.
  public mutating func prune(now: UInt32, after age: UInt32 = 1_209_600, exceptOf own: NodeKey? = nil) -> [GossipChange]
  {
    guard now > age else { return [] }
    let limit = now - age
    let own = own.flatMap { index(of: $0) }.map { Int32(truncatingIfNeeded: $0) }
    let gone = channels.filter { channel in
      guard !channel.isFree, channel.node1 != own, channel.node2 != own else { return false }
      let oldest = min(
        channel.policy1.exists ? channel.policy1.timestamp : channel.added,
        channel.policy2.exists ? channel.policy2.timestamp : channel.added)
      return oldest < limit
    }
    return gone.flatMap { removeChannel($0.id) }
  }
}
