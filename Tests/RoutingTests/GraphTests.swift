import Bitcoin
import Encoding
@testable import Routing
import Testing
import Wire

@Suite struct GraphTests {
  @Test func `Channels, updates and nodes come in, and are found`() throws {
    var graph = NetworkGraph()
    let message = announcement(1, node(1), node(2))
    #expect(try graph.add(message) == [.store(.channel(scid(1)), try message.encoded())])
    #expect(throws: GraphRefusal.alreadyKnown) { try graph.add(message) }
    let first = update(1, from: node(1), to: node(2), base: 7, rate: 8)
    let direction = DirectedChannel(scid(1), isFromNode2: node(2) < node(1))
    #expect(try graph.apply(first) == [.store(.update(direction), try first.encoded())])
    let policy = try #require(graph.channel(scid(1))?.policy(isFromNode2: direction.isFromNode2))
    #expect(policy.feeBaseMsat == 7 && policy.feeProportionalMillionths == 8 && policy.checksum == first.checksum)
    #expect(graph.channel(scid(1))?.policy(isFromNode2: !direction.isFromNode2) == nil)
    #expect(graph.channel(scid(1))?.capacity == MilliSatoshi(1_000_000_000))
    #expect(graph.signer(of: first) == node(1).key)
    #expect(throws: GraphRefusal.unknownChannel) { try graph.apply(update(2, from: node(1), to: node(2))) }
    try graph.apply(try nodeAnnouncement(node(1)))
    #expect(graph.announcementTimestamp(of: node(1).key) == 1_699_990_000)
    #expect(graph.announcementTimestamp(of: node(2).key) == nil)
    #expect(throws: GraphRefusal.unknownNode) { try graph.apply(try nodeAnnouncement(node(3))) }
    #expect(throws: GraphRefusal.notNewer) { try graph.apply(try nodeAnnouncement(node(1))) }
    #expect(graph.channelCount == 1 && graph.nodeCount == 2)
    #expect(graph.channels(of: node(2).key).map(\.id) == [scid(1)])
    #expect(Array(graph.allChannels).count == 1)
  }

  @Test func `Of updates, the newest counts; another one of the same time is refused`() throws {
    var graph = NetworkGraph()
    try graph.add(announcement(1, node(1), node(2)))
    let first = update(1, from: node(1), to: node(2), timestamp: 1_699_000_000)
    try graph.apply(first)
    #expect(throws: GraphRefusal.notNewer) { try graph.apply(first) }
    var resigned = first
    resigned.signature = CompactSignature(try Bytes64([UInt8](repeating: 1, count: 64)))
    #expect(throws: GraphRefusal.notNewer) { try graph.apply(resigned) }
    #expect(throws: GraphRefusal.sameTimestamp) {
      try graph.apply(update(1, from: node(1), to: node(2), timestamp: 1_699_000_000, base: 1))
    }
    #expect(throws: GraphRefusal.notNewer) {
      try graph.apply(update(1, from: node(1), to: node(2), timestamp: 1_698_999_999, base: 1))
    }
    try graph.apply(update(1, from: node(1), to: node(2), timestamp: 1_699_000_001, base: 1))
    // The other end has a clock of its own.
    try graph.apply(update(1, from: node(2), to: node(1), timestamp: 1_699_000_000))
  }

  @Test func `Two announcements of one channel by different nodes cost all of them their channels`() throws {
    var graph = NetworkGraph()
    try graph.connect(1, 1, 2)
    try graph.connect(2, 2, 3)
    try graph.connect(3, 4, 5)
    try graph.connect(4, 6, 7)
    let refusal = #expect(throws: GraphRefusal.self) { try graph.add(announcement(1, node(1), node(4))) }
    guard case .conflict(let changes) = refusal else {
      Issue.record("not a conflict: \(String(describing: refusal))")
      return
    }
    #expect(Set(changes.filter { if case .remove(.channel) = $0 { true } else { false } }).count == 3)
    #expect(graph.channelCount == 1 && graph.nodeCount == 2)
    #expect(throws: GraphRefusal.blacklisted) { try graph.add(announcement(9, node(2), node(8))) }
    #expect(throws: GraphRefusal.impossible) {
      var message = announcement(10, node(8), node(9))
      message.nodeID2 = message.nodeID1
      _ = try graph.add(message, bytes: [], capacity: nil, now: 1)
    }
  }

  @Test func `A spent channel goes after 72 blocks, unless it is spent no longer`() throws {
    var graph = NetworkGraph()
    try graph.connect(1, 1, 2)
    try graph.connect(2, 1, 3)
    try graph.apply(try nodeAnnouncement(node(2)))
    graph.spent(scid(1), height: 100)
    graph.spent(scid(2), height: 100)
    graph.unspent(scid(2))
    #expect(throws: GraphRefusal.spent) {
      try graph.apply(update(1, from: node(1), to: node(2), timestamp: 1_699_999_000))
    }
    try graph.apply(update(1, from: node(1), to: node(2), timestamp: 1_699_999_000, isDisabled: true))
    #expect(graph.removeSpent(height: 171).isEmpty)
    let changes = graph.removeSpent(height: 172)
    #expect(
      Set(changes) == [
        .remove(.channel(scid(1))), .remove(.update(DirectedChannel(scid(1), isFromNode2: false))),
        .remove(.update(DirectedChannel(scid(1), isFromNode2: true))), .remove(.node(node(2).key)),
      ])
    #expect(!graph.contains(node(2).key) && graph.contains(node(1).key) && graph.channelCount == 1)
  }

  @Test func `A channel is stale two weeks after the older of its updates`() throws {
    var graph = NetworkGraph()
    let fresh = rules.now - 100
    let old = rules.now - 1_209_601
    for number in 1...4 { try graph.add(announcement(number, node(1), node(number + 1))) }
    for (number, times) in [(1, [fresh, fresh]), (2, [fresh, old]), (3, [fresh])] {
      for (index, time) in times.enumerated() {
        let ends = index == 0 ? (node(1), node(number + 1)) : (node(number + 1), node(1))
        let message = update(number, from: ends.0, to: ends.1, timestamp: time)
        _ = try graph.apply(message, bytes: [])
      }
    }
    #expect(graph.prune(now: rules.now, exceptOf: node(1).key).isEmpty)
    #expect(graph.prune(now: rules.now).contains(.remove(.channel(scid(2)))))
    #expect(Set(graph.allChannels.map(\.id)) == [scid(1), scid(3), scid(4)])
    // Without updates, the time of coming counts.
    _ = graph.prune(now: rules.now + 1_209_601 - 200)
    #expect(Set(graph.allChannels.map(\.id)) == [scid(1), scid(3), scid(4)])
    _ = graph.prune(now: rules.now + 1_209_601)
    #expect(graph.channelCount == 0 && graph.nodeCount == 0)
  }

  @Test func `Thousands of channels come and go, and every list stays whole`() throws {
    var graph = NetworkGraph()
    var generator = Generator(1)
    var expected: [Int: (Int, Int)] = [:]
    for step in 0..<3_000 {
      if Int.random(in: 0..<3, using: &generator) > 0 || expected.isEmpty {
        let (a, b) = (Int.random(in: 0..<60, using: &generator), Int.random(in: 0..<60, using: &generator))
        guard a != b else { continue }
        try graph.add(announcement(step, node(a), node(b)))
        expected[step] = (a, b)
      } else if let number = expected.keys.sorted().randomElement(using: &generator) {
        _ = graph.remove(scid(number))
        expected[number] = nil
      }
    }
    #expect(graph.channelCount == expected.count)
    #expect(Set(graph.allChannels.map(\.id)) == Set(expected.keys.map { scid($0) }))
    #expect(graph.sortedIDs() == expected.keys.map { scid($0) }.sorted())
    for number in 0..<60 {
      let ids = graph.channels(of: node(number).key).map(\.id)
      let own = expected.filter { $0.value.0 == number || $0.value.1 == number }.keys.map { scid($0) }
      #expect(ids.sorted() == own.sorted())
      #expect(graph.contains(node(number).key) == !own.isEmpty)
    }
  }

  @Test func `What was stored gives the same graph again`() throws {
    var graph = NetworkGraph()
    var kept: [GossipKey: [UInt8]] = [:]
    func keep(_ changes: [GossipChange]) {
      for case .store(let key, let bytes) in changes { kept[key] = bytes }
    }
    for number in 0..<50 {
      let (a, b) = (node(number), node((number * 7 + 1) % 50 == number ? 51 : (number * 7 + 1) % 50))
      keep(try graph.add(announcement(number, a, b, features: number == 3 ? [998] : []), capacity: 5_000))
      keep(try graph.apply(update(number, from: a, to: b, base: UInt32(number), maximum: 4_000_000)))
      if number % 2 == 0 { keep(try graph.apply(update(number, from: b, to: a, isPrivate: number % 4 == 0))) }
      keep(try graph.apply(try nodeAnnouncement(a, features: number == 5 ? [998] : [])))
    }
    var again = NetworkGraph()
    // Channels first.
    let order: (GossipKey) -> Int = { if case .channel = $0 { 0 } else { 1 } }
    for (key, bytes) in kept.sorted(by: { order($0.key) < order($1.key) }) {
      let isWhole = again.restore(key, bytes: bytes, capacity: 5_000, rules: rules)
      let isCut = again.restore(key, bytes: Array(bytes.dropLast(40)), rules: rules)
      #expect(isWhole && !isCut)
    }
    #expect(Set(again.allChannels) == Set(graph.allChannels))
    for key in graph.allNodes {
      #expect(again.announcementTimestamp(of: key) == graph.announcementTimestamp(of: key))
      let (a, b) = (try #require(graph.index(of: key)), try #require(again.index(of: key)))
      #expect(graph.nodes[a].mayRoute == again.nodes[b].mayRoute)
    }
    for id in graph.sortedIDs() {
      #expect(graph.timestamps(of: id) == again.timestamps(of: id))
      let (a, b) = (try #require(graph.index(of: id)), try #require(again.index(of: id)))
      #expect(graph.channels[a].mayRoute == again.channels[b].mayRoute)
    }
  }
}
