internal import Bitcoin
internal import Encoding
internal import Wire

// What we ask peers.
extension GossipSync {
  /// Asks peers for everything they have, as many at a time as allowed, those first that were not asked for longest.
  mutating func startSync(now: UInt32) -> [Effect] {
    var running = peers.values.count { !$0.sync.isIdle }
    guard running < settings.syncPeers else { return [] }
    if finishedSyncs >= settings.firstSyncs, now < lastSync.addingSaturating(settings.syncInterval) { return [] }
    var effects: [Effect] = []
    let willing = peers.filter { $0.value.sync.isIdle && $0.value.offersQueries && $0.value.sharesChain }
      .filter { $0.value.lastSync == 0 || now >= $0.value.lastSync.addingSaturating(settings.syncInterval) }
      .sorted { ($0.value.lastSync, $0.key) < ($1.value.lastSync, $1.key) }
    for (peer, _) in willing {
      guard running < settings.syncPeers else { break }
      running += 1
      peers[peer]?.lastSync = max(1, now)
      peers[peer]?.isFullSync = true
      peers[peer]?.sync = .ranging(wanted: [], reached: 0, deadline: now.addingSaturating(settings.answerTime))
      let option: QueryOption? = peers[peer]?.offersExtendedQueries == true ? [.timestamps, .checksums] : nil
      peers[peer]?.send(
        QueryChannelRange(chainHash: chain, firstBlocknum: 0, numberOfBlocks: .max, queryOption: option))
      effects += wake(peer)
    }
    return effects
  }

  /// Part of the answer to `query_channel_range`.
  mutating func take(
    _ reply: ReplyChannelRange, of peer: NodeID, graph: NetworkGraph, now: UInt32
  ) -> [Effect] {
    guard reply.chainHash == chain, case .ranging(var wanted, let reached, _) = peers[peer]?.sync else { return [] }
    let first = reply.firstBlocknum
    let end = UInt64(first) + UInt64(reply.numberOfBlocks)
    do throws(DecodingError) {
      // BOLT 7: MUST have `first_blocknum` equal or greater than the previous `first_blocknum`.
      guard first >= reached else { throw .malformed("replies that are not in order") }
      let ids = try reply.encodedShortIDs.ids()
      let timestamps = try reply.timestamps?.timestamps(count: ids.count)
      let checksums = reply.checksums
      if let checksums, checksums.count != ids.count {
        throw .malformed("not one pair of checksums for each short_channel_id")
      }
      for (index, id) in ids.enumerated() {
        guard UInt64(id.blockHeight) >= UInt64(first), UInt64(id.blockHeight) < end else {
          throw .malformed("a short_channel_id outside of the reply's blocks")
        }
        let flags = wantedFlags(of: id, timestamps?[index], checksums?[index], graph: graph)
        guard !flags.isEmpty, wanted.count < settings.mostWanted, requested.insert(id).inserted else { continue }
        wanted.append(GossipPeer.Wanted(id: id, flags: flags))
      }
    } catch {
      requested.subtract(wanted.map(\.id))
      peers[peer]?.sync = .idle
      return [.warn(peer, "reply_channel_range: \(error)")] + startSync(now: now)
    }
    // BOLT 7: simply check if `first_blocknum` plus `number_of_blocks` equals or exceeds the `first_blocknum` plus
    // `number_of_blocks` it asked for.
    if end >= UInt64(UInt32.max) {
      wanted.sort { $0.id < $1.id }
      peers[peer]?.sync = .querying(wanted: wanted, asked: 0..<0, deadline: now)
      return nextPart(peer, now: now)
    }
    peers[peer]?.sync = .ranging(
      wanted: wanted, reached: first, deadline: now.addingSaturating(settings.answerTime))
    return []
  }

  /// What is worth asking about a channel that a peer has.
  private func wantedFlags(
    of id: ShortChannelID, _ timestamps: ChannelUpdateTimestamps?, _ checksums: ChannelUpdateChecksums?,
    graph: NetworkGraph
  ) -> QueryFlags {
    guard let channel = graph.channel(id) else {
      guard !refused.contains(id), ends[id] == nil else { return [] }
      return [.channelAnnouncement, .channelUpdate1, .channelUpdate2, .nodeAnnouncement1, .nodeAnnouncement2]
    }
    guard let timestamps else { return [] }
    var flags: QueryFlags = []
    func isNews(_ timestamp: UInt32, _ checksum: UInt32?, _ policy: ChannelPolicy?) -> Bool {
      guard timestamp > policy?.timestamp ?? 0 else { return false }
      guard let checksum, let policy else { return true }
      // Nothing but the time has changed; but a channel must not become stale.
      return checksum != policy.checksum || timestamp - policy.timestamp > 7 * 86_400
    }
    if isNews(timestamps.timestampNodeID1, checksums?.checksumNodeID1, channel.policies.0) {
      flags.insert(.channelUpdate1)
    }
    if isNews(timestamps.timestampNodeID2, checksums?.checksumNodeID2, channel.policies.1) {
      flags.insert(.channelUpdate2)
    }
    return flags
  }

  /// The peer has answered one part: asks for the next, or is done.
  mutating func nextPart(_ peer: NodeID, now: UInt32) -> [Effect] {
    guard case .querying(let wanted, let asked, _) = peers[peer]?.sync else { return [] }
    requested.subtract(wanted[asked].map(\.id))
    let next = asked.upperBound..<min(wanted.count, asked.upperBound + settings.idsPerQuery)
    guard !next.isEmpty else {
      peers[peer]?.sync = .idle
      if peers[peer]?.isFullSync == true {
        lastSync = max(1, now)
        finishedSyncs += 1
      }
      return startSync(now: now)
    }
    let part = wanted[next]
    let isExtended = peers[peer]?.offersExtendedQueries == true
    peers[peer]?.sync = .querying(
      wanted: wanted, asked: next, deadline: now.addingSaturating(settings.answerTime))
    peers[peer]?.send(
      QueryShortChannelIDs(
        chainHash: chain, encodedShortIDs: EncodedShortIDs(part.map(\.id)),
        queryFlags: isExtended ? EncodedQueryFlags(part.map(\.flags)) : nil))
    return wake(peer)
  }

  /// The peer does not go on answering.
  mutating func giveUp(_ peer: NodeID, now: UInt32) -> [Effect] {
    guard let sync = peers[peer]?.sync else { return [] }
    switch sync {
    case .ranging(let wanted, _, _) where !wanted.isEmpty:
      // Better than nothing: some old nodes do not say when they are done.
      peers[peer]?.sync = .querying(wanted: wanted.sorted { $0.id < $1.id }, asked: 0..<0, deadline: now)
      return nextPart(peer, now: now)
    default:
      requested.subtract(sync.waitingIDs)
      peers[peer]?.sync = .idle
      return startSync(now: now)
    }
  }

  /// Asks who sent the updates for the channels of which only updates came.
  mutating func askForMissing(now: UInt32) -> [Effect] {
    guard !missing.isEmpty else { return [] }
    var effects: [Effect] = []
    for (peer, entries) in Dictionary(grouping: missing, by: \.value) {
      guard let state = peers[peer], state.sync.isIdle else { continue }
      for (id, _) in entries { missing[id] = nil }
      guard state.offersQueries, state.sharesChain else { continue }
      effects += ask(peer, for: entries.map(\.key).filter { !requested.contains($0) }.sorted(), now: now)
    }
    return effects
  }

  private mutating func ask(_ peer: NodeID, for ids: [ShortChannelID], now: UInt32) -> [Effect] {
    guard !ids.isEmpty else { return [] }
    requested.formUnion(ids)
    peers[peer]?.isFullSync = false
    let flags: QueryFlags = [
      .channelAnnouncement, .channelUpdate1, .channelUpdate2, .nodeAnnouncement1, .nodeAnnouncement2,
    ]
    peers[peer]?.sync = .querying(
      wanted: ids.map { GossipPeer.Wanted(id: $0, flags: flags) }, asked: 0..<0, deadline: now)
    return nextPart(peer, now: now)
  }
}
