internal import Bitcoin
internal import Encoding
public import Wire

extension GossipSync {
  /// A message of BOLT 7 from a peer; others are left alone. `bytes`: the message as it came.
  public mutating func received(
    _ message: Message, bytes: [UInt8], from peer: NodeID, graph: inout NetworkGraph, rules: GossipRules
  ) -> [Effect] {
    guard peers[peer] != nil else { return [] }
    switch message {
    case .channelAnnouncement, .channelUpdate, .nodeAnnouncement:
      return offer(HeldMessage(message: message, bytes: bytes, from: peer), graph: graph, rules: rules)
    case .queryChannelRange(let query): return answer(query, of: peer, graph: &graph)
    case .queryShortChannelIDs(let query): return answer(query, of: peer)
    case .gossipTimestampFilter(let filter):
      guard filter.chainHash == chain else { return [] }
      peers[peer]?.filter = filter
      // BOLT 7: SHOULD send all gossip messages whose `timestamp` is greater or equal to `first_timestamp`, and less than
      // `first_timestamp` plus `timestamp_range`. Nothing is older than now for who asks for news alone.
      let hasBacklog = filter.timestampRange > 0 && filter.firstTimestamp <= rules.now
      peers[peer]?.jobs.removeAll {
        switch $0 {
        case .backlog, .nodeBacklog: true
        default: false
        }
      }
      if hasBacklog { peers[peer]?.jobs.append(.backlog(after: nil)) }
      return wake(peer)
    case .replyChannelRange(let reply): return take(reply, of: peer, graph: graph, now: rules.now)
    case .replyShortChannelIDsEnd(let reply):
      guard reply.chainHash == chain else { return [] }
      return nextPart(peer, now: rules.now)
    default: return []
    }
  }

  /// Looks at an announcement or update: forgets it, holds it, or has it verified.
  mutating func offer(_ held: HeldMessage, graph: NetworkGraph, rules: GossipRules) -> [Effect] {
    do throws(GossipFault) {
      switch held.message {
      case .channelAnnouncement(let message):
        let id = message.shortChannelID
        let key = GossipKey.channel(id)
        // One that differs from what is known must be verified: it shows that keys have leaked.
        if let known = graph.channel(id), known.nodes == (message.nodeID1.key, message.nodeID2.key) { return [] }
        guard verifying[key] == nil, !refused.contains(id), hasRoom else { return [] }
        let use = try rules.check(message)
        verifying[key] = 0
        ends[id] = (message.nodeID1.key, message.nodeID2.key)
        for node in [message.nodeID1.key, message.nodeID2.key] { pendingNodes[node, default: 0] += 1 }
        missing[id] = nil
        return [.verify(candidate(.channelAnnouncement(message), held, use, key))]
      case .channelUpdate(let message):
        let use = try rules.check(message)
        let key = GossipKey.update(DirectedChannel(message.shortChannelID, isFromNode2: message.isFromNode2))
        guard let signer = graph.signer(of: message) else {
          if use.contains(.forward) { hold(held, for: message.shortChannelID) }
          return []
        }
        guard hasRoom, (try? graph.wants(message)) != nil, verifying[key].map({ $0 < message.timestamp }) ?? true,
          let signer = try? NodeID(key: signer)
        else { return [] }
        verifying[key] = message.timestamp
        return [.verify(candidate(.channelUpdate(message, signer: signer), held, use, key))]
      case .nodeAnnouncement(let message):
        let use = try rules.check(message)
        let key = GossipKey.node(message.nodeID.key)
        guard graph.contains(message.nodeID.key) else {
          hold(held, for: message.nodeID.key)
          return []
        }
        guard hasRoom, (try? graph.wants(message)) != nil, verifying[key].map({ $0 < message.timestamp }) ?? true
        else { return [] }
        verifying[key] = message.timestamp
        return [.verify(candidate(.nodeAnnouncement(message), held, use, key))]
      default: return []
      }
    } catch {
      guard error.consequence == .warn else { return [] }
      return [.warn(held.from, "\(MessageType.known(held.type)?.name ?? "gossip"): \(error)")]
    }
  }

  private var hasRoom: Bool { verifying.count < settings.mostVerifying }

  private func candidate(
    _ message: GossipMessage, _ held: HeldMessage, _ use: GossipRules.Use, _ key: GossipKey
  ) -> Candidate {
    Candidate(message: message, bytes: held.bytes, from: held.from, use: use, key: key)
  }

  private mutating func hold(_ held: HeldMessage, for channel: ShortChannelID) {
    guard !refused.contains(channel) else { return }
    guard ends[channel] != nil else {
      // BOLT 7: MAY send this if it receives a `channel_update` for a `short_channel_id` for which it has no `channel_announcement`.
      if missing.count < 1_000, !requested.contains(channel) { missing[channel] = held.from }
      return
    }
    guard heldCount < settings.mostHeld else { return }
    heldCount += 1
    heldUpdates[channel, default: []].append(held)
  }

  private mutating func hold(_ held: HeldMessage, for node: NodeKey) {
    guard pendingNodes[node] != nil else { return }
    if heldNodes[node] == nil {
      guard heldCount < settings.mostHeld else { return }
      heldCount += 1
    }
    heldNodes[node] = held
  }

  /// A channel is verified, or refused: what waited for it goes on, or goes.
  mutating func release(_ id: ShortChannelID, graph: NetworkGraph, rules: GossipRules) -> [Effect] {
    let nodes = ends.removeValue(forKey: id)
    var effects: [Effect] = []
    let updates = heldUpdates.removeValue(forKey: id) ?? []
    heldCount -= updates.count
    if graph.contains(id) {
      for held in updates { effects += offer(held, graph: graph, rules: rules) }
    }
    for node in nodes.map({ [$0.0, $0.1] }) ?? [] {
      let pending = pendingNodes[node] ?? 1
      pendingNodes[node] = pending > 1 ? pending - 1 : nil
      // Another of its channels may still bring it in.
      guard graph.contains(node) || pendingNodes[node] == nil else { continue }
      guard let held = heldNodes.removeValue(forKey: node) else { continue }
      heldCount -= 1
      effects += offer(held, graph: graph, rules: rules)
    }
    return effects
  }
}

extension GossipSync.HeldMessage {
  var type: UInt16 { bytes.count >= 2 ? UInt16(bytes[0]) << 8 | UInt16(bytes[1]) : 0 }
}
