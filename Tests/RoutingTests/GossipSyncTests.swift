import Bitcoin
import Encoding
@testable import Routing
import Testing
import VectorSupport
import Wire

/// A node's gossip without a network: kept messages, and what it verifies is good.
private struct Gossiper {
  let id: NodeID
  var graph = NetworkGraph()
  var sync: GossipSync
  var kept: [GossipKey: [UInt8]] = [:]
  var warnings: [String] = []
  /// What is verified later, by hand.
  var waiting: [GossipSync.Candidate] = []
  var verifiesAtOnce = true
  var refusals: Set<GossipKey> = []
  /// What the chain gives no answer about.
  var undecided: Set<GossipKey> = []
  var verified = 0

  init(_ number: Int, _ change: (inout GossipSync.Settings) -> Void = { _ in }) {
    id = node(number)
    var settings = GossipSync.Settings()
    change(&settings)
    sync = GossipSync(chain: .regtest, settings: settings)
  }

  mutating func keep(_ changes: [GossipChange]) {
    for change in changes {
      switch change {
      case .store(let key, let bytes): kept[key] = bytes
      case .remove(let key): kept[key] = nil
      }
    }
  }

  mutating func carryOut(_ effects: [GossipSync.Effect], now: UInt32) {
    for effect in effects {
      switch effect {
      case .verify(let candidate):
        verified += 1
        if verifiesAtOnce { settle(candidate, now: now) } else { waiting.append(candidate) }
      case .warn(_, let text): warnings.append(text)
      case .wake: break
      }
    }
  }

  mutating func settle(_ candidate: GossipSync.Candidate, now: UInt32) {
    var verdict = undecided.contains(candidate.key) ? GossipSync.Verdict.undecided : .refused
    if verdict == .refused, !refusals.contains(candidate.key) {
      let changes: [GossipChange]? =
        switch candidate.message {
        case .channelAnnouncement(let message):
          try? graph.add(
            message, bytes: candidate.bytes, capacity: Satoshi(1_000_000), use: candidate.use, now: now)
        case .channelUpdate(let message, _): try? graph.apply(message, bytes: candidate.bytes, use: candidate.use)
        case .nodeAnnouncement(let message): try? graph.apply(message, bytes: candidate.bytes, use: candidate.use)
        }
      if changes != nil { verdict = .accepted }
      keep(changes ?? [])
    }
    carryOut(
      sync.settled(candidate, verdict, graph: graph, rules: rules(now)), now: now)
  }

  func rules(_ now: UInt32) -> GossipRules { GossipRules(chainHash: .regtest, now: now) }

  mutating func receive(_ bytes: [UInt8], from peer: NodeID, now: UInt32) throws {
    let message = try Message(decoding: bytes)
    carryOut(
      sync.received(message, bytes: bytes, from: peer, graph: &graph, rules: rules(now)), now: now)
  }

  mutating func receive(_ message: some WireMessage, from peer: NodeID, now: UInt32) throws {
    try receive(try message.encoded(), from: peer, now: now)
  }

  /// Everything that waits for a peer, as bytes.
  mutating func pull(_ peer: NodeID, limit: Int = 50) -> [[UInt8]] {
    var all: [[UInt8]] = []
    while true {
      let part = sync.pull(peer, limit: limit, graph: &graph)
      if part.isEmpty { return all }
      for item in part {
        switch item {
        case .message(let bytes): all.append(bytes)
        case .stored(let key): if let bytes = kept[key] { all.append(bytes) }
        }
      }
    }
  }

  mutating func learn(
    _ number: Int, _ a: Int, _ b: Int, timestamp: UInt32 = 1_699_990_000, base: UInt32 = 0
  ) throws {
    keep(try graph.add(announcement(number, node(a), node(b))))
    for (from, to, time) in [(a, b, timestamp), (b, a, timestamp + 1)] {
      let message = update(number, from: node(from), to: node(to), timestamp: time, base: base)
      keep(try graph.apply(message, bytes: try message.encoded()))
    }
  }
}

private let now: UInt32 = 1_700_000_000
private let features = FeatureSet([.gossipQueries: .optional, .gossipQueriesEx: .optional])

/// Carries messages to and fro until nobody has anything to say.
private func talk(_ a: inout Gossiper, _ b: inout Gossiper, now: UInt32) throws -> [UInt16] {
  var types: [UInt16] = []
  while true {
    let there = a.pull(b.id)
    for bytes in there { try b.receive(bytes, from: a.id, now: now) }
    let back = b.pull(a.id)
    for bytes in back { try a.receive(bytes, from: b.id, now: now) }
    types += (there + back).map { UInt16($0[0]) << 8 | UInt16($0[1]) }
    if there.isEmpty, back.isEmpty { return types }
  }
}

private func connect(_ a: inout Gossiper, _ b: inout Gossiper, _ offered: FeatureSet = features, now: UInt32) {
  a.carryOut(a.sync.connected(b.id, features: offered, chains: [.regtest], now: now), now: now)
  b.carryOut(b.sync.connected(a.id, features: offered, chains: [.regtest], now: now), now: now)
}

@Suite struct GossipSyncTests {
  @Test(arguments: [true, false]) func `Two nodes tell each other what the other lacks, and no more`(
    extended: Bool
  ) throws {
    var alice = Gossiper(100) { $0.idsPerQuery = 7 }
    var bob = Gossiper(101)
    for number in 0..<40 {
      if number % 4 != 0 { try alice.learn(number, number, number + 1) }
      // Every sixth is newer at Bob's.
      if number % 4 != 1 {
        let isNewer = number % 6 == 0
        try bob.learn(
          number, number, number + 1, timestamp: isNewer ? 1_699_995_000 : 1_699_990_000, base: isNewer ? 1 : 0)
      }
    }
    for number in [4, 5] { bob.keep(try bob.graph.apply(try nodeAnnouncement(node(number)))) }
    let offered = extended ? features : FeatureSet([.gossipQueries: .optional])
    connect(&alice, &bob, offered, now: now)
    let types = try talk(&alice, &bob, now: now)
    #expect(alice.warnings.isEmpty && bob.warnings.isEmpty)
    #expect(alice.graph.channelCount == 40 && bob.graph.channelCount == 40)
    #expect(alice.sync.isSynchronised && bob.sync.isSynchronised)
    if extended {
      #expect(
        alice.graph.sortedIDs().map { alice.graph.timestamps(of: $0) }
          == bob.graph.sortedIDs().map { bob.graph.timestamps(of: $0) })
      // 10 channels that Bob lacks, 10 that Alice lacks; beside those, updates alone.
      #expect(types.filter { $0 == ChannelAnnouncement.type }.count == 20)
    }
    #expect(alice.graph.announcementTimestamp(of: node(5).key) != nil)
    // A second time there is nothing to say.
    let later = now + 4_000
    alice.carryOut(alice.sync.tick(now: later), now: later)
    bob.carryOut(bob.sync.tick(now: later), now: later)
    let again = try talk(&alice, &bob, now: later)
    #expect(Set(again) == [QueryChannelRange.type, ReplyChannelRange.type])
  }

  @Test func `Thousands of channels are told of in several replies, blocks unsplit`() throws {
    for extended in [true, false] {
      var alice = Gossiper(100)
      var bob = Gossiper(101)
      for number in 0..<20_000 {
        let id = ShortChannelID(rawValue: UInt64(1_000 + number / 30) << 40 | UInt64(number % 30))
        try bob.graph.insert(
          id, (node(number % 50).key, node(50 + number % 40).key), capacity: nil, mayRoute: true, now: 0)
        try bob.graph.withChannel(#require(bob.graph.index(of: id))) {
          $0.policy1.timestamp = 5
          $0.mayForward1 = true
        }
      }
      let offered = extended ? features : FeatureSet([.gossipQueries: .optional])
      _ = bob.sync.connected(alice.id, features: offered, chains: nil, now: now)
      _ = alice.sync.connected(bob.id, features: offered, chains: nil, now: now)
      let query = QueryChannelRange(
        chainHash: .regtest, firstBlocknum: 1_001, numberOfBlocks: 600,
        queryOption: extended ? [.timestamps, .checksums] : nil)
      try bob.receive(query, from: alice.id, now: now)
      let replies = try bob.pull(alice.id).compactMap { bytes -> ReplyChannelRange? in
        guard case .replyChannelRange(let reply) = try Message(decoding: bytes) else { return nil }
        return reply
      }
      #expect(replies.count == (extended ? 7 : 3))
      let ids = try replies.flatMap { try $0.encodedShortIDs.ids() }
      #expect(ids == bob.graph.sortedIDs().filter { 1_001..<1_601 ~= $0.blockHeight })
      #expect(replies.first?.firstBlocknum == 1_001)
      #expect(replies.map(\.syncComplete) == [UInt8](repeating: 0, count: replies.count - 1) + [1])
      for (reply, next) in zip(replies, replies.dropFirst()) {
        #expect(reply.firstBlocknum + reply.numberOfBlocks == next.firstBlocknum)
      }
      #expect(replies.last.map { $0.firstBlocknum + $0.numberOfBlocks } == 1_601)
      #expect(try replies.allSatisfy { try $0.encoded().count <= 65_535 })
    }
  }

  @Test func `A block with more channels than fit into a message is split`() throws {
    var bob = Gossiper(101)
    for number in 0..<20_000 {
      let id = ShortChannelID(rawValue: UInt64(1_000) << 40 | UInt64(number))
      try bob.graph.insert(id, (node(1).key, node(2).key), capacity: nil, mayRoute: true, now: 0)
      try bob.graph.withChannel(#require(bob.graph.index(of: id))) {
        $0.policy1.timestamp = 5
        $0.mayForward1 = true
      }
    }
    var alice = Gossiper(100)
    connect(&alice, &bob, now: now)
    for bytes in alice.pull(bob.id) { try bob.receive(bytes, from: alice.id, now: now) }
    for bytes in bob.pull(alice.id) where bytes[1] == 8 { try alice.receive(bytes, from: bob.id, now: now) }
    #expect(alice.warnings.isEmpty)
    #expect(alice.sync.requested.count == 20_000)
  }

  @Test func `What is verified slowly is not verified twice, and what depends on it waits`() throws {
    var alice = Gossiper(100)
    alice.verifiesAtOnce = false
    for peer in [101, 102] {
      _ = alice.sync.connected(node(peer), features: features, chains: nil, now: now)
    }
    let channel = announcement(1, node(1), node(2))
    let first = update(1, from: node(1), to: node(2))
    for peer in [101, 102] {
      try alice.receive(channel, from: node(peer), now: now)
      try alice.receive(first, from: node(peer), now: now)
      try alice.receive(try nodeAnnouncement(node(2)), from: node(peer), now: now)
    }
    #expect(alice.waiting.map(\.key) == [.channel(scid(1))])
    // An update and a node, each once though they came twice.
    let candidate = alice.waiting.removeFirst()
    alice.settle(candidate, now: now)
    #expect(Set(alice.waiting.map(\.key)) == [.update(direction(1, from: 1, to: 2)), .node(node(2).key)])
    for candidate in alice.waiting { alice.settle(candidate, now: now) }
    #expect(alice.sync.heldCount == 0 && alice.sync.verifying.isEmpty && alice.sync.ends.isEmpty)
    #expect(alice.sync.pendingNodes.isEmpty)
    // A second channel is refused: what waited for it goes, and it is not looked at again.
    alice.waiting = []
    alice.refusals = [.channel(scid(2))]
    try alice.receive(announcement(2, node(3), node(4)), from: node(101), now: now)
    try alice.receive(update(2, from: node(3), to: node(4)), from: node(101), now: now)
    let last = try #require(alice.waiting.last)
    alice.waiting.removeLast()
    alice.settle(last, now: now)
    try alice.receive(announcement(2, node(3), node(4)), from: node(101), now: now)
    #expect(alice.waiting.isEmpty && alice.sync.heldCount == 0)
  }

  @Test func `News go to those who asked, at their next flush, each once, the announcement first`() throws {
    var alice = Gossiper(100) { $0.answerTime = 1_000 }
    for peer in [101, 102, 103, 104] {
      _ = alice.sync.connected(node(peer), features: features, chains: peer == 104 ? [.bitcoin] : nil, now: now)
      _ = alice.pull(node(peer))
    }
    // 101 sends; 102 and 104 want all, 104 on another chain only; 103 has not asked.
    for peer in [101, 102, 104] {
      try alice.receive(
        GossipTimestampFilter(chainHash: .regtest, firstTimestamp: now - 20_000, timestampRange: .max),
        from: node(peer),
        now: now)
      _ = alice.pull(node(peer))
    }
    let channel = announcement(1, node(1), node(2))
    let one = update(1, from: node(1), to: node(2))
    let two = update(1, from: node(1), to: node(2), timestamp: 1_699_990_500, base: 1)
    let secret = update(1, from: node(2), to: node(1), isPrivate: true)
    for bytes in [try channel.encoded(), try one.encoded(), try two.encoded(), try secret.encoded()] {
      try alice.receive(bytes, from: node(101), now: now)
    }
    #expect(alice.pull(node(102)).isEmpty)
    alice.carryOut(alice.sync.tick(now: now + 61), now: now + 61)
    // The newest update only; not the one that is not to be forwarded.
    #expect(alice.pull(node(102)) == [try channel.encoded(), try two.encoded()])
    for peer in [101, 103, 104] { #expect(alice.pull(node(peer)).isEmpty, "\(peer)") }
    // Our own go to everybody on our chain.
    alice.keep(try alice.graph.add(announcement(2, node(100), node(1))))
    let ours = update(2, from: node(100), to: node(1), timestamp: 5)
    alice.keep(try alice.graph.apply(ours, bytes: try ours.encoded()))
    _ = alice.sync.generated(.channel(scid(2)), timestamp: 0)
    _ = alice.sync.generated(.update(direction(2, from: 100, to: 1)), timestamp: 5)
    alice.carryOut(alice.sync.tick(now: now + 130), now: now + 130)
    for peer in [101, 102, 103] {
      #expect(
        alice.pull(node(peer)) == [try announcement(2, node(100), node(1)).encoded(), try ours.encoded()], "\(peer)")
    }
    #expect(alice.pull(node(104)).isEmpty)
  }

  /// The first update may be older than a peer's filter, the next one not.
  @Test func `Who did not want the first update of a channel gets the announcement with the next`() throws {
    var alice = Gossiper(100) { $0.syncPeers = 0 }
    for (peer, first) in [(101, now), (102, now - 20_000), (103, now - 100)] {
      _ = alice.sync.connected(node(peer), features: features, chains: nil, now: now)
      try alice.receive(
        GossipTimestampFilter(chainHash: .regtest, firstTimestamp: first, timestampRange: .max), from: node(peer),
        now: now)
      _ = alice.pull(node(peer))
    }
    let channel = announcement(1, node(1), node(2))
    let old = update(1, from: node(1), to: node(2), timestamp: now - 1_000)
    try alice.receive(channel, from: node(101), now: now)
    try alice.receive(old, from: node(101), now: now)
    alice.carryOut(alice.sync.tick(now: now + 61), now: now + 61)
    #expect(alice.pull(node(102)) == [try channel.encoded(), try old.encoded()])
    #expect(alice.pull(node(103)).isEmpty)
    let new = update(1, from: node(2), to: node(1), timestamp: now + 50)
    try alice.receive(new, from: node(101), now: now + 100)
    alice.carryOut(alice.sync.tick(now: now + 200), now: now + 200)
    #expect(alice.pull(node(102)) == [try new.encoded()])
    #expect(alice.pull(node(103)) == [try channel.encoded(), try new.encoded()])
    // Once each.
    let newer = update(1, from: node(2), to: node(1), timestamp: now + 60)
    try alice.receive(newer, from: node(101), now: now + 210)
    alice.carryOut(alice.sync.tick(now: now + 300), now: now + 300)
    #expect(alice.pull(node(103)) == [try newer.encoded()])
  }

  @Test func `What the chain gives no answer about is asked for again with the next block`() throws {
    var alice = Gossiper(100)
    _ = alice.sync.connected(node(101), features: features, chains: nil, now: now)
    _ = alice.pull(node(101))
    try alice.receive(
      ReplyChannelRange(
        chainHash: .regtest, firstBlocknum: 0, numberOfBlocks: .max, syncComplete: 1,
        encodedShortIDs: EncodedShortIDs([])),
      from: node(101), now: now)
    alice.undecided = [.channel(scid(1))]
    let channel = announcement(1, node(1), node(2))
    try alice.receive(channel, from: node(101), now: now)
    alice.carryOut(alice.sync.tick(now: now + 5), now: now + 5)
    #expect(alice.pull(node(101)).isEmpty && !alice.graph.contains(scid(1)))
    alice.sync.chainAdvanced()
    alice.carryOut(alice.sync.tick(now: now + 10), now: now + 10)
    let query = try #require(alice.pull(node(101)).first)
    guard case .queryShortChannelIDs(let asked) = try Message(decoding: query) else {
      Issue.record("it was not asked for")
      return
    }
    #expect(try asked.encodedShortIDs.ids() == [scid(1)])
    // The chain answers again; and what it refuses is refused for good.
    alice.undecided = []
    try alice.receive(channel, from: node(101), now: now + 11)
    #expect(alice.graph.contains(scid(1)))
    alice.undecided = [.channel(scid(2))]
    try alice.receive(announcement(2, node(1), node(2)), from: node(101), now: now + 11)
    _ = alice.sync.disconnected(node(101), now: now + 12)
    alice.sync.chainAdvanced()
    #expect(alice.sync.missing.isEmpty, "who sent it is gone")
  }

  @Test func `A filter that reaches back brings what is known, in parts, channels before nodes`() throws {
    var alice = Gossiper(100)
    for number in 0..<300 {
      try alice.learn(number, number % 20, 20 + number % 30, timestamp: number < 100 ? 1_000 : 1_699_990_000)
    }
    alice.keep(try alice.graph.apply(try nodeAnnouncement(node(25))))
    alice.graph.spent(scid(200), height: 5)
    _ = alice.sync.connected(node(101), features: FeatureSet(), chains: nil, now: now)
    try alice.receive(
      GossipTimestampFilter(chainHash: .regtest, firstTimestamp: 1_600_000_000, timestampRange: .max), from: node(101),
      now: now)
    let first = alice.sync.pull(node(101), limit: 10, graph: &alice.graph)
    #expect(first.count <= 12)
    let rest = alice.pull(node(101))
    let types = rest.map { UInt16($0[0]) << 8 | UInt16($0[1]) }
    #expect(first.count + rest.count == 199 * 3 + 1)
    #expect(types.last == NodeAnnouncement.type)
    // Who wants nothing gets nothing, not even what was begun.
    try alice.receive(
      GossipTimestampFilter(chainHash: .regtest, firstTimestamp: 0, timestampRange: .max), from: node(101), now: now)
    try alice.receive(
      GossipTimestampFilter(chainHash: .regtest, firstTimestamp: .max, timestampRange: 0), from: node(101), now: now)
    #expect(alice.pull(node(101)).isEmpty)
  }

  /// Only who composes channels believes in a funding output that is no witness script: others might close the connection.
  @Test func `Channels with aggregated keys are told to those alone who compose channels`() throws {
    var alice = Gossiper(100)
    let composer = features.union(FeatureSet([.composedChannels: .optional]))
    _ = alice.sync.connected(node(101), features: composer, chains: nil, now: now)
    _ = alice.sync.connected(node(102), features: features, chains: nil, now: now)
    for peer in [101, 102] {
      _ = alice.pull(node(peer))
      try alice.receive(
        GossipTimestampFilter(chainHash: .regtest, firstTimestamp: now - 20_000, timestampRange: .max),
        from: node(peer), now: now)
    }
    let ours = announcement(1, node(1), node(2), features: [446])
    let plain = announcement(2, node(1), node(2))
    for (number, message) in [(1, ours), (2, plain)] {
      alice.keep(try alice.graph.add(message))
      for (from, to) in [(1, 2), (2, 1)] {
        let update = update(number, from: node(from), to: node(to), kinds: number == 1 ? [0x0400, 0x0500] : nil)
        alice.keep(try alice.graph.apply(update, bytes: try update.encoded()))
      }
    }
    func told(_ messages: [[UInt8]]) -> Set<ShortChannelID> {
      Set(
        messages.compactMap { bytes in
          switch try? Message(decoding: bytes) {
          case .channelAnnouncement(let message): message.shortChannelID
          case .channelUpdate(let message): message.shortChannelID
          default: nil
          }
        })
    }
    func ids(_ messages: [[UInt8]]) -> [ShortChannelID] {
      messages.flatMap { bytes -> [ShortChannelID] in
        if case .replyChannelRange(let reply) = try? Message(decoding: bytes) {
          (try? reply.encodedShortIDs.ids()) ?? []
        } else {
          []
        }
      }
    }
    for (peer, expected) in [(101, [scid(1), scid(2)]), (102, [scid(2)])] {
      // What a filter that reaches back brings.
      #expect(told(alice.pull(node(peer))) == Set(expected), "\(peer)")
      // Answers.
      try alice.receive(
        QueryChannelRange(chainHash: .regtest, firstBlocknum: 0, numberOfBlocks: .max), from: node(peer), now: now)
      #expect(ids(alice.pull(node(peer))) == expected)
      try alice.receive(
        QueryShortChannelIDs(chainHash: .regtest, encodedShortIDs: EncodedShortIDs([scid(1), scid(2)])),
        from: node(peer), now: now)
      #expect(told(alice.pull(node(peer))) == Set(expected))
    }
    // News.
    for number in 1...2 {
      let update = update(number, from: node(1), to: node(2), timestamp: now - 5, base: 7)
      try alice.receive(try update.encoded(), from: node(101), now: now)
    }
    alice.keep(try alice.graph.add(announcement(3, node(100), node(1), features: [446])))
    let own = update(3, from: node(100), to: node(1), timestamp: now)
    alice.keep(try alice.graph.apply(own, bytes: try own.encoded()))
    _ = alice.sync.generated(.channel(scid(3)), timestamp: 0)
    _ = alice.sync.generated(.update(direction(3, from: 100, to: 1)), timestamp: now)
    alice.carryOut(alice.sync.tick(now: now + 61), now: now + 61)
    #expect(told(alice.pull(node(101))) == [scid(3)])
    #expect(told(alice.pull(node(102))) == [scid(2)])
    // And after a start.
    var graph = NetworkGraph()
    let channelsFirst = alice.kept.sorted { a, _ in if case .channel = a.key { true } else { false } }
    for (key, bytes) in channelsFirst { graph.restore(key, bytes: bytes, capacity: 1_000_000, rules: rules) }
    #expect(!graph.isTold(.channel(scid(1)), toComposer: false))
    #expect(graph.isTold(.channel(scid(2)), toComposer: false))
    #expect(graph.carries(0x0500, direction(1, from: 2, to: 1)))
  }

  @Test func `Peers that ask or answer nonsense are warned`() throws {
    var alice = Gossiper(100)
    _ = alice.sync.connected(node(101), features: features, chains: nil, now: now)
    _ = alice.pull(node(101))
    let bad: [[UInt8]] = [
      try QueryShortChannelIDs(chainHash: .regtest, encodedShortIDs: EncodedShortIDs(bytes: [1, 2])).encoded(),
      try QueryShortChannelIDs(chainHash: .regtest, encodedShortIDs: EncodedShortIDs(bytes: [0, 2])).encoded(),
      try QueryShortChannelIDs(
        chainHash: .regtest, encodedShortIDs: EncodedShortIDs([scid(1)]), queryFlags: EncodedQueryFlags([])
      ).encoded(),
      try ReplyChannelRange(
        chainHash: .regtest, firstBlocknum: 5, numberOfBlocks: 1, syncComplete: 1,
        encodedShortIDs: EncodedShortIDs([scid(1)])
      ).encoded(),
    ]
    for (index, bytes) in bad.enumerated() {
      try alice.receive(bytes, from: node(101), now: now)
      #expect(alice.warnings.count == index + 1)
    }
    // A second question before the first one is answered.
    let query = QueryShortChannelIDs(chainHash: .regtest, encodedShortIDs: EncodedShortIDs([scid(1)]))
    try alice.receive(query, from: node(101), now: now)
    try alice.receive(query, from: node(101), now: now)
    let range = QueryChannelRange(chainHash: .regtest, firstBlocknum: .max, numberOfBlocks: .max)
    try alice.receive(range, from: node(101), now: now)
    try alice.receive(range, from: node(101), now: now)
    #expect(alice.warnings.count == bad.count + 2)
    #expect(alice.pull(node(101)).map { $0[1] } == [6, 8])
    // Nobody asked for this.
    try alice.receive(ReplyShortChannelIDsEnd(chainHash: .regtest, fullInformation: 1), from: node(101), now: now)
    #expect(alice.warnings.count == bad.count + 2)
    // Another chain: the answer is empty, and says so.
    try alice.receive(
      QueryShortChannelIDs(chainHash: .bitcoin, encodedShortIDs: EncodedShortIDs([scid(1)])), from: node(101), now: now)
    let answer = try #require(alice.pull(node(101)).first)
    #expect(try ReplyShortChannelIDsEnd(decoding: answer).fullInformation == 0)
  }

  @Test func `A peer that does not answer is given up, and another one is asked`() throws {
    var alice = Gossiper(100) { $0.syncPeers = 1 }
    for peer in [101, 102] { _ = alice.sync.connected(node(peer), features: features, chains: nil, now: now) }
    let asked = [101, 102].filter { alice.pull(node($0)).contains { $0[1] == 7 } }
    #expect(asked.count == 1)
    alice.carryOut(alice.sync.tick(now: now + 61), now: now + 61)
    let next = [101, 102].filter { alice.pull(node($0)).contains { $0[1] == 7 } }
    #expect(next.count == 1 && next != asked)
    // Nor does a peer that goes hold anything up.
    _ = alice.sync.disconnected(node(next[0]), now: now + 62)
    #expect(alice.sync.requested.isEmpty)
  }

  @Test func `Updates without a channel make us ask for it`() throws {
    var alice = Gossiper(100)
    alice.sync.lastSync = now
    alice.sync.finishedSyncs = 3
    _ = alice.sync.connected(node(101), features: features, chains: nil, now: now)
    _ = alice.pull(node(101))
    try alice.receive(update(5, from: node(1), to: node(2)), from: node(101), now: now)
    alice.carryOut(alice.sync.tick(now: now + 1), now: now + 1)
    let query = try #require(alice.pull(node(101)).first)
    #expect(try QueryShortChannelIDs(decoding: query).encodedShortIDs.ids() == [scid(5)])
  }

  @Test func `Whatever peers say in whatever order, nothing is left over in the end`() throws {
    for seed in UInt64(1)...8 {
      var generator = Generator(seed)
      var alice = Gossiper(100) {
        $0.idsPerQuery = 5
        $0.mostHeld = 30
      }
      alice.verifiesAtOnce = false
      var time = now
      var connected: Set<Int> = []
      func random(_ range: Range<Int>) -> Int { Int.random(in: range, using: &generator) }
      for _ in 0..<3_000 {
        let peer = random(101..<106)
        time += UInt32(random(0..<5))
        if !connected.contains(peer) {
          connected.insert(peer)
          alice.carryOut(alice.sync.connected(node(peer), features: features, chains: nil, now: time), now: time)
        }
        let number = random(0..<30)
        let (a, b) = (node(number % 7), node(7 + number % 5))
        let ids = (0..<random(0..<20)).map { scid($0 * 2) }
        switch random(0..<14) {
        case 0:
          try alice.receive(announcement(number, a, random(0..<40) == 0 ? node(30) : b), from: node(peer), now: time)
        case 1:
          try alice.receive(
            update(number, from: a, to: b, timestamp: time - UInt32(random(0..<50))), from: node(peer), now: time)
        case 2: try alice.receive(try nodeAnnouncement(a, timestamp: time), from: node(peer), now: time)
        case 3:
          try alice.receive(
            QueryChannelRange(
              chainHash: .regtest, firstBlocknum: UInt32(random(0..<800_000)), numberOfBlocks: .max,
              queryOption: .timestamps), from: node(peer), now: time)
        case 4:
          try alice.receive(
            QueryShortChannelIDs(chainHash: .regtest, encodedShortIDs: EncodedShortIDs(ids)), from: node(peer),
            now: time)
        case 5:
          try alice.receive(
            ReplyChannelRange(
              chainHash: .regtest, firstBlocknum: UInt32(random(0..<2)) * 700_000,
              numberOfBlocks: random(0..<2) == 0 ? .max : 100, syncComplete: 1, encodedShortIDs: EncodedShortIDs(ids)),
            from: node(peer), now: time)
        case 6:
          try alice.receive(
            ReplyShortChannelIDsEnd(chainHash: .regtest, fullInformation: 1), from: node(peer), now: time)
        case 7:
          try alice.receive(
            GossipTimestampFilter(
              chainHash: .regtest, firstTimestamp: UInt32(random(0..<2)) * time, timestampRange: .max),
            from: node(peer), now: time)
        case 8: _ = alice.sync.pull(node(peer), limit: random(0..<10), graph: &alice.graph)
        case 9: alice.carryOut(alice.sync.tick(now: time), now: time)
        case 10:
          connected.remove(peer)
          alice.carryOut(alice.sync.disconnected(node(peer), now: time), now: time)
        case 11:
          alice.keep(alice.graph.remove(scid(number)))
        default:
          guard let index = alice.waiting.indices.randomElement(using: &generator) else { continue }
          let candidate = alice.waiting.remove(at: index)
          if random(0..<5) == 0 { alice.refusals.insert(candidate.key) } else { alice.refusals.remove(candidate.key) }
          alice.settle(candidate, now: time)
        }
      }
      while let candidate = alice.waiting.popLast() { alice.settle(candidate, now: time) }
      for peer in connected { alice.carryOut(alice.sync.disconnected(node(peer), now: time), now: time) }
      let sync = alice.sync
      #expect(sync.verifying.isEmpty && sync.ends.isEmpty && sync.pendingNodes.isEmpty, "seed \(seed)")
      #expect(sync.heldCount == 0 && sync.heldUpdates.isEmpty && sync.heldNodes.isEmpty, "seed \(seed)")
      #expect(sync.requested.isEmpty && sync.missing.isEmpty && sync.peers.isEmpty, "seed \(seed)")
      #expect(alice.graph.channelCount > 0)
    }
  }

  @Test(.vectors("bolts/bolt07/extended-queries.json")) func `The queries of BOLT 7's vectors are answered or taken`()
    throws
  {
    let cases = try Vectors.json("bolts/bolt07/extended-queries.json").array
    var alice = Gossiper(100)
    _ = alice.sync.connected(node(101), features: features, chains: nil, now: now)
    for test in cases {
      let bytes = try Hex.decode(try test.required("hex").string)
      let message = try Message(decoding: bytes)
      _ = alice.sync.received(message, bytes: bytes, from: node(101), graph: &alice.graph, rules: rules)
      _ = alice.pull(node(101))
    }
    Vectors.report("bolts/bolt07/extended-queries.json", cases: cases.count)
  }
}
