internal import Bitcoin
internal import Encoding
public import Wire

// What peers ask us.
extension GossipSync {
  /// BOLT 7: MUST respond with one or more `reply_channel_range`.
  mutating func answer(_ query: QueryChannelRange, of peer: NodeID, graph: inout NetworkGraph) -> [Effect] {
    guard let state = peers[peer] else { return [] }
    if state.isAnsweringRange { return [.warn(peer, "query_channel_range before the last one was answered")] }
    let first = query.firstBlocknum
    let end = UInt64(first) + UInt64(query.numberOfBlocks)
    var known: [ShortChannelID] = []
    if query.chainHash == chain {
      let ids = graph.sortedIDs()
      let start = ids.partitioningIndex { UInt64($0.blockHeight) >= UInt64(first) }
      known = ids[start...].prefix { UInt64($0.blockHeight) < end }.filter {
        graph.isWorthTelling($0) && graph.isTold(.channel($0), toComposer: state.composes)
      }
    }
    let option = query.queryOption ?? []
    let wantsExtras = !option.isDisjoint(with: [.timestamps, .checksums])
    // 65535 bytes, less what stands before the arrays.
    let most = wantsExtras ? 2_600 : 8_000
    var messages: [ReplyChannelRange] = []
    var position = 0
    var from = first
    repeat {
      var next = min(known.count, position + most)
      // Blocks are not split, where that is possible: peers understand it better.
      if next < known.count {
        var cut = next
        while cut > position, known[cut - 1].blockHeight == known[next].blockHeight { cut -= 1 }
        if cut > position { next = cut }
      }
      let ids = Array(known[position..<next])
      let isLast = next == known.count
      // A block that is split is told of again by the next reply.
      let isSplit = !isLast && next > 0 && known[next - 1].blockHeight == known[next].blockHeight
      let upTo = isLast ? end : UInt64(known[next].blockHeight) + (isSplit ? 1 : 0)
      messages.append(
        ReplyChannelRange(
          chainHash: query.chainHash, firstBlocknum: from,
          numberOfBlocks: UInt32(clamping: upTo - UInt64(from)), syncComplete: isLast ? 1 : 0,
          encodedShortIDs: EncodedShortIDs(ids),
          timestamps: option.contains(.timestamps) ? EncodedTimestamps(ids.map { graph.timestamps(of: $0) }) : nil,
          checksums: option.contains(.checksums) ? ids.map { graph.checksums(of: $0) } : nil))
      position = next
      if !isLast { from = known[next].blockHeight }
    } while position < known.count
    for (index, message) in messages.enumerated() {
      guard let bytes = try? message.encoded() else { continue }
      peers[peer]?.jobs.append(index == messages.count - 1 ? .endOfRange(bytes) : .message(bytes))
    }
    return wake(peer)
  }

  /// BOLT 7: MUST respond to each known `short_channel_id`.
  mutating func answer(_ query: QueryShortChannelIDs, of peer: NodeID) -> [Effect] {
    guard let state = peers[peer] else { return [] }
    if state.isAnswering { return [.warn(peer, "query_short_channel_ids before the last one was answered")] }
    var ids: [ShortChannelID] = []
    var flags: [QueryFlags]?
    do throws(DecodingError) {
      ids = try query.encodedShortIDs.ids()
      flags = try query.queryFlags?.flags(count: ids.count)
    } catch {
      return [.warn(peer, "query_short_channel_ids: \(error)")]
    }
    let isOurs = query.chainHash == chain
    if isOurs { peers[peer]?.jobs.append(.channels(ids, flags, 0, sentNodes: [])) }
    // BOLT 7: MUST follow these responses with `reply_short_channel_ids_end`. (…) if does not maintain up-to-date channel information
    // for `chain_hash`: MUST set `full_information` to 0.
    let end = ReplyShortChannelIDsEnd(chainHash: query.chainHash, fullInformation: isOurs ? 1 : 0)
    if let bytes = try? end.encoded() { peers[peer]?.jobs.append(.endOfAnswer(bytes)) }
    return wake(peer)
  }

  /// What to send to a peer next, about `limit` messages; call it while the peer reads. Empty when there is nothing.
  public mutating func pull(_ peer: NodeID, limit: Int, graph: inout NetworkGraph) -> [Outgoing] {
    guard var state = peers[peer] else { return [] }
    // Nothing else may be done to the peer meanwhile; and its lists are not copied.
    peers[peer] = nil
    defer { peers[peer] = state }
    var result: [Outgoing] = []
    while result.count < limit, !state.jobs.isEmpty {
      switch state.jobs.removeFirst() {
      case .message(let bytes), .endOfAnswer(let bytes), .endOfRange(let bytes): result.append(.message(bytes))
      case .keys(let keys, let position):
        let end = min(keys.count, position + limit - result.count)
        for key in keys[position..<end] where graph.isTold(key, toComposer: state.composes) {
          result.append(.stored(key))
        }
        if end < keys.count { state.jobs.insert(.keys(keys, end), at: 0) }
      case .channels(let ids, let flags, var position, var sentNodes):
        while position < ids.count, result.count < limit {
          if graph.isTold(.channel(ids[position]), toComposer: state.composes) {
            result += graph.answer(about: ids[position], flags?[position], &sentNodes).map { .stored($0) }
          }
          position += 1
        }
        if position < ids.count {
          state.jobs.insert(.channels(ids, flags, position, sentNodes: sentNodes), at: 0)
        }
      case .backlog(let after):
        guard let filter = state.filter else { break }
        let ids = graph.sortedIDs()
        var position = after.map { after in ids.partitioningIndex { $0 > after } } ?? 0
        // So many are looked at in one go, whether they are wanted or not.
        let stop = min(ids.count, position + 5_000)
        while position < stop, result.count < limit {
          if graph.isTold(.channel(ids[position]), toComposer: state.composes) {
            result += graph.news(about: ids[position], filter).map { .stored($0) }
          }
          position += 1
        }
        state.jobs.insert(position < ids.count ? .backlog(after: ids[position - 1]) : .nodeBacklog(0), at: 0)
      case .nodeBacklog(var position):
        guard let filter = state.filter else { break }
        while position < graph.nodes.count, result.count < limit {
          let node = graph.nodes[position]
          if node.channelCount > 0, node.timestamp > 0, node.mayForward, filter.admits(node.timestamp) {
            result.append(.stored(.node(node.key)))
          }
          position += 1
        }
        if position < graph.nodes.count { state.jobs.insert(.nodeBacklog(position), at: 0) }
      }
    }
    return result
  }
}

extension NetworkGraph {
  /// BOLT 7: If a `channel_announcement` has no corresponding `channel_update`s: MUST NOT send the `channel_announcement`. If the
  /// funding output of the `channel_announcement` has been spent: SHOULD NOT send the `channel_announcement`.
  func isWorthTelling(_ id: ShortChannelID) -> Bool {
    guard let index = index(of: id) else { return false }
    let channel = channels[index]
    return channel.spentHeight == 0
      && (channel.policy1.exists && channel.mayForward1 || channel.policy2.exists && channel.mayForward2)
  }

  func timestamps(of id: ShortChannelID) -> ChannelUpdateTimestamps {
    guard let index = index(of: id) else { return ChannelUpdateTimestamps(timestampNodeID1: 0, timestampNodeID2: 0) }
    let channel = channels[index]
    return ChannelUpdateTimestamps(
      timestampNodeID1: channel.mayForward1 ? channel.policy1.timestamp : 0,
      timestampNodeID2: channel.mayForward2 ? channel.policy2.timestamp : 0)
  }

  func checksums(of id: ShortChannelID) -> ChannelUpdateChecksums {
    guard let index = index(of: id) else { return ChannelUpdateChecksums(checksumNodeID1: 0, checksumNodeID2: 0) }
    let channel = channels[index]
    return ChannelUpdateChecksums(
      checksumNodeID1: channel.mayForward1 ? channel.policy1.checksum : 0,
      checksumNodeID2: channel.mayForward2 ? channel.policy2.checksum : 0)
  }

  /// The messages that answer a query about one channel. Nodes that were told of are not told of again.
  func answer(about id: ShortChannelID, _ flags: QueryFlags?, _ sentNodes: inout Set<NodeKey>) -> [GossipKey] {
    guard isWorthTelling(id), let index = index(of: id) else { return [] }
    let flags =
      flags ?? [.channelAnnouncement, .channelUpdate1, .channelUpdate2, .nodeAnnouncement1, .nodeAnnouncement2]
    let channel = channels[index]
    var keys: [GossipKey] = []
    if flags.contains(.channelAnnouncement) { keys.append(.channel(id)) }
    if flags.contains(.channelUpdate1), channel.policy1.exists, channel.mayForward1 {
      keys.append(.update(DirectedChannel(id, isFromNode2: false)))
    }
    if flags.contains(.channelUpdate2), channel.policy2.exists, channel.mayForward2 {
      keys.append(.update(DirectedChannel(id, isFromNode2: true)))
    }
    for (flag, place) in [(QueryFlags.nodeAnnouncement1, channel.node1), (.nodeAnnouncement2, channel.node2)] {
      let node = nodes[Int(place)]
      guard flags.contains(flag), node.timestamp > 0, node.mayForward, sentNodes.insert(node.key).inserted else {
        continue
      }
      keys.append(.node(node.key))
    }
    return keys
  }

  /// What a filter lets through of one channel. BOLT 7: MUST consider the `timestamp` of the `channel_announcement` to be the
  /// `timestamp` of a corresponding `channel_update`.
  func news(about id: ShortChannelID, _ filter: GossipTimestampFilter) -> [GossipKey] {
    guard isWorthTelling(id), let index = index(of: id) else { return [] }
    let channel = channels[index]
    var keys: [GossipKey] = []
    if channel.policy1.exists, channel.mayForward1, filter.admits(channel.policy1.timestamp) {
      keys.append(.update(DirectedChannel(id, isFromNode2: false)))
    }
    if channel.policy2.exists, channel.mayForward2, filter.admits(channel.policy2.timestamp) {
      keys.append(.update(DirectedChannel(id, isFromNode2: true)))
    }
    return keys.isEmpty ? [] : [.channel(id)] + keys
  }
}

extension Array {
  /// The first place from which on `belongs` is true, in an array where it is so from somewhere on.
  func partitioningIndex(where belongs: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if belongs(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
