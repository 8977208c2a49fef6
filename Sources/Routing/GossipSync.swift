internal import Bitcoin
internal import Encoding
public import Wire

/// Gossip with all peers (BOLT 7 §Query Messages, §Rebroadcasting): asks them for what we lack, answers what they ask, passes on what is
/// new. A value without clock and sockets: whoever owns it hands in messages and time, carries out the effects, and sends what
/// `pull` gives.
///
/// Our own channels that are not public have no place here: their updates go between the two ends, and are to be kept from `received`.
/// What comes in is not taken at its word: `Effect.verify` asks for signatures and funding outputs to be checked, and the graph to be
/// changed; then `settled` says how that went.
public struct GossipSync: Sendable {
  public struct Settings: Sendable {
    /// Peers that are asked for everything at the same time.
    public var syncPeers = 2
    /// Peers whose news we want.
    public var newsPeers = 5
    /// Seconds from one full comparison with some peer to the next.
    public var syncInterval: UInt32 = 3_600
    /// Seconds that a peer has for the next part of an answer.
    public var answerTime: UInt32 = 60
    /// BOLT 7: SHOULD flush outgoing gossip messages once every 60 seconds.
    public var flushInterval: UInt32 = 60
    /// Channels in one `query_short_channel_ids`.
    public var idsPerQuery = 2_000
    /// So many peers are asked for everything before that interval counts: one alone may keep silent about much.
    public var firstSyncs = 3
    /// Messages that wait for the announcement of their channel or node.
    public var mostHeld = 20_000
    /// Messages that wait for being verified. What comes on top is forgotten; the next comparison brings it.
    public var mostVerifying = 50_000
    /// Channels that one peer can make us ask for.
    public var mostWanted = 500_000
    /// News that wait for one peer's next flush.
    public var mostNews = 50_000
    /// Seconds that news may be older than the connection: an update is signed an hour before its channel is six blocks deep.
    public var newsOverlap: UInt32 = 3_600
    /// Channels that the chain gave no answer about.
    public var mostUndecided = 1_000

    public init() {}
  }

  /// A message that would change the graph.
  public struct Candidate: Hashable, Sendable {
    public let message: GossipMessage
    /// With its two bytes of type.
    public let bytes: [UInt8]
    public let from: NodeID
    public let use: GossipRules.Use
    public let key: GossipKey
  }

  /// What became of a candidate.
  public enum Verdict: Hashable, Sendable {
    case accepted
    case refused
    /// The chain gave no answer, or is not that long yet: asked for again once there is another block.
    case undecided
  }

  public enum Effect: Hashable, Sendable {
    /// Check signatures (and, of a channel, the funding output), change the graph, call `settled`.
    case verify(Candidate)
    /// There is something for this peer: call `pull`.
    case wake(NodeID)
    /// Send a `warning`; BOLT 7 allows to close the connection as well.
    case warn(NodeID, String)
  }

  public enum Outgoing: Hashable, Sendable {
    case message([UInt8])
    /// The message that is kept under this key; nothing when there is none any more.
    case stored(GossipKey)
  }

  let chain: ChainHash
  let settings: Settings
  var peers: [NodeID: GossipPeer] = [:]
  /// What is being verified: the timestamp of the newest; 0 for channels.
  var verifying: [GossipKey: UInt32] = [:]
  /// The ends of channels that are being verified.
  var ends: [ShortChannelID: (NodeKey, NodeKey)] = [:]
  /// For how many of those channels a node is an end.
  var pendingNodes: [NodeKey: Int] = [:]
  /// What waits for a channel.
  var heldUpdates: [ShortChannelID: [HeldMessage]] = [:]
  /// What waits for a node's first channel.
  var heldNodes: [NodeKey: HeldMessage] = [:]
  var heldCount = 0
  /// Channels that were refused: not asked for again.
  var refused: Set<ShortChannelID> = []
  /// Channels that peers were asked for and have not answered yet.
  var requested: Set<ShortChannelID> = []
  /// Channels of which updates came without an announcement, and who sent them.
  var missing: [ShortChannelID: NodeID] = [:]
  /// Channels whose announcement was not passed on yet: it waits for the first update.
  var unannounced: Set<ShortChannelID> = []
  /// Channels that could not be checked, and who sent them.
  var undecided: [ShortChannelID: NodeID] = [:]
  /// When the last full comparison was finished; 0: never.
  public internal(set) var lastSync: UInt32 = 0
  var finishedSyncs = 0

  struct HeldMessage: Sendable {
    let message: Message
    let bytes: [UInt8]
    let from: NodeID
  }

  public init(chain: ChainHash, settings: Settings = Settings()) {
    self.chain = chain
    self.settings = settings
  }

  // MARK: Peers

  /// A peer is there. `chains`: of its `init`.
  public mutating func connected(
    _ peer: NodeID, features: FeatureSet, chains: [ChainHash]?, now: UInt32
  ) -> [Effect] {
    var state = GossipPeer(
      offersQueries: features.offers(.gossipQueries), offersExtendedQueries: features.offers(.gossipQueriesEx),
      // BOLT 7: SHOULD NOT forward gossip messages to peers who sent `networks` in `init` and did not specify the `chain_hash` of this
      // gossip message.
      sharesChain: chains.map { $0.contains(chain) } ?? true, composes: features.offers(.composedChannels))
    // So that not all flushes come at once.
    let phase = UInt32(peer.key[32]) % max(1, settings.flushInterval)
    state.nextFlush = now.addingSaturating(phase)
    let wantsNews = state.sharesChain && peers.values.count { $0.givesNews } < settings.newsPeers
    if wantsNews, state.offersQueries {
      state.givesNews = true
      let filter = GossipTimestampFilter(
        chainHash: chain, firstTimestamp: now > settings.newsOverlap ? now - settings.newsOverlap : 0,
        timestampRange: .max)
      state.send(filter)
    }
    peers[peer] = state
    var effects = wake(peer)
    effects += startSync(now: now)
    return effects
  }

  public mutating func disconnected(_ peer: NodeID, now: UInt32) -> [Effect] {
    guard let state = peers.removeValue(forKey: peer) else { return [] }
    requested.subtract(state.sync.waitingIDs)
    missing = missing.filter { $0.value != peer }
    undecided = undecided.filter { $0.value != peer }
    return startSync(now: now)
  }

  /// Whether nothing is being asked at the moment, and everything was asked once.
  public var isSynchronised: Bool { lastSync > 0 && peers.values.allSatisfy { $0.sync.isIdle } }

  func wake(_ peer: NodeID) -> [Effect] {
    peers[peer].map { $0.jobs.isEmpty ? [] : [.wake(peer)] } ?? []
  }

  // MARK: Time

  /// To be called every few seconds.
  public mutating func tick(now: UInt32) -> [Effect] {
    var effects: [Effect] = []
    for peer in Array(peers.keys) {
      if let deadline = peers[peer]?.sync.deadline, now > deadline { effects += giveUp(peer, now: now) }
      guard var state = peers[peer], now >= state.nextFlush else { continue }
      state.nextFlush = now.addingSaturating(settings.flushInterval)
      if !state.news.isEmpty {
        state.jobs.append(.keys(state.news, 0))
        state.news = []
        state.newsSet = []
      }
      peers[peer] = state
      effects += wake(peer)
    }
    effects += startSync(now: now)
    effects += askForMissing(now: now)
    return effects
  }

  /// The chain has grown: what it gave no answer about is asked for again with the next tick.
  public mutating func chainAdvanced() {
    missing.merge(undecided) { known, _ in known }
    undecided = [:]
  }

  // MARK: What is new

  /// How the verification of a candidate went. Call it for every one, after the graph was changed, with what the graph is now.
  public mutating func settled(
    _ candidate: Candidate, _ verdict: Verdict, graph: NetworkGraph, rules: GossipRules
  ) -> [Effect] {
    if verifying[candidate.key] == candidate.timestamp { verifying[candidate.key] = nil }
    var effects: [Effect] = []
    if case .channel(let id) = candidate.key {
      switch verdict {
      case .accepted:
        if candidate.use.contains(.forward) { unannounced.insert(id) }
        refused.remove(id)
      case .refused:
        guard !graph.contains(id) else { break }
        if refused.count >= 100_000 { refused.removeAll() }
        refused.insert(id)
      case .undecided:
        if undecided.count < settings.mostUndecided { undecided[id] = candidate.from }
      }
      effects += release(id, graph: graph, rules: rules)
    }
    guard verdict == .accepted, candidate.use.contains(.forward) else { return effects }
    publish(candidate.key, timestamp: candidate.timestamp, except: candidate.from, isOurs: false)
    return effects
  }

  /// Gossip of our own, which every peer gets. BOLT 7: SHOULD send gossip messages as it generates them regardless of `timestamp`.
  public mutating func generated(_ key: GossipKey, timestamp: UInt32) -> [Effect] {
    if case .channel(let id) = key { unannounced.insert(id) }
    publish(key, timestamp: timestamp, except: nil, isOurs: true)
    return []
  }

  private mutating func publish(_ key: GossipKey, timestamp: UInt32, except: NodeID?, isOurs: Bool) {
    var channel: ShortChannelID?
    switch key {
    // BOLT 7: MUST consider whether to send the `channel_announcement` after receiving the first corresponding `channel_update`.
    case .channel: return
    case .update(let update): channel = update.channel
    case .node: break
    }
    let isFirst = channel.map { unannounced.remove($0) != nil } ?? false
    for peer in Array(peers.keys) where peer != except {
      // BOLT 7: MUST not send gossip it did not generate itself, until it receives `gossip_timestamp_filter`.
      guard peers[peer]?.wants(timestamp, isOurs: isOurs) == true else {
        // The next update that it wants says nothing to it without the announcement.
        if isFirst, let channel { peers[peer]?.miss(channel, limit: settings.mostNews) }
        continue
      }
      if let channel, peers[peer]?.untold.remove(channel) != nil || isFirst {
        peers[peer]?.add(.channel(channel), limit: settings.mostNews)
      }
      peers[peer]?.add(key, limit: settings.mostNews)
    }
  }
}

extension GossipSync.Candidate {
  var timestamp: UInt32 {
    switch message {
    case .channelAnnouncement: 0
    case .channelUpdate(let update, _): update.timestamp
    case .nodeAnnouncement(let announcement): announcement.timestamp
    }
  }
}
