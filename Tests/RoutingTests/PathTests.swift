import Bitcoin
import Encoding
@testable import Routing
import Testing
import Wire

@Suite struct PathTests {
  /// BOLT 7 §Routing Example: A, B, C, D in a square, as nodes 1, 2, 3, 4.
  static func example() throws -> NetworkGraph {
    var graph = NetworkGraph()
    let fees: [(base: UInt32, rate: UInt32, delta: UInt16)] = [
      (100, 1_000, 10), (200, 2_000, 20), (300, 3_000, 30), (400, 4_000, 40),
    ]
    for (number, (a, b)) in [(1, 2), (2, 3), (3, 4), (4, 1)].enumerated() {
      try graph.add(announcement(number, node(a), node(b)))
      for (from, to) in [(a, b), (b, a)] {
        let fee = fees[from - 1]
        try graph.apply(
          update(number, from: node(from), to: node(to), base: fee.base, rate: fee.rate, delta: fee.delta))
      }
    }
    return graph
  }

  /// What searches go through is kept while channels come, change and go.
  @Test func `An index that was kept finds what one that is made anew finds`() throws {
    var generator = Generator(7)
    var graph = NetworkGraph()
    var timestamp: UInt32 = 1_699_990_000
    var live: [(number: Int, a: Int, b: Int)] = []
    var found = 0
    for round in 0..<400 {
      switch Int.random(in: 0..<8, using: &generator) {
      case 0 where !live.isEmpty:
        let gone = live.remove(at: Int.random(in: 0..<live.count, using: &generator))
        _ = graph.remove(scid(gone.number))
      case 1, 2:
        let a = Int.random(in: 0..<25, using: &generator)
        let b = (a + Int.random(in: 1..<25, using: &generator)) % 25
        try graph.connect(round, a, b, base: UInt32.random(in: 0..<5_000, using: &generator))
        live.append((round, a, b))
      case 3, 4,
        5 where !live.isEmpty:
        guard let one = live.randomElement(using: &generator) else { break }
        timestamp += 1
        let (from, to) = Bool.random(using: &generator) ? (one.a, one.b) : (one.b, one.a)
        try graph.apply(
          update(
            one.number, from: node(from), to: node(to), timestamp: timestamp,
            base: UInt32.random(in: 0..<5_000, using: &generator), maximum: 900_000_000,
            isDisabled: Bool.random(using: &generator)))
      default: break
      }
      let wanted = request(
        Int.random(in: 0..<25, using: &generator), Int.random(in: 0..<25, using: &generator), 10_000_000)
      let fresh = try? PathFinder().route(
        wanted,
        in: {
          var copy = graph; copy.forgetIndex(); return copy
        }())
      graph.indexEdges()
      #expect((try? PathFinder().route(wanted, in: graph)) == fresh, "round \(round)")
      if fresh != nil { found += 1 }
    }
    #expect(found > 100)
  }

  @Test func `The figures of BOLT 7's example`() throws {
    let graph = try Self.example()
    var wanted = request(2, 3, 4_999_999)
    wanted.finalCLTVExpiryDelta = 18 + 42
    let direct = try PathFinder().route(wanted, in: graph)
    #expect(direct.path == [3])
    #expect(direct.totalAmount == MilliSatoshi(4_999_999) && direct.totalCLTVExpiryDelta == 60)
    wanted.source = node(1)
    let throughB = try PathFinder().route(wanted, in: graph)
    #expect(throughB.path == [2, 3])
    #expect(throughB.totalAmount == MilliSatoshi(4_999_999 + 10_199))
    #expect(throughB.fee(takenAfter: 0) == MilliSatoshi(10_199) && throughB.fee(takenAfter: 1) == .zero)
    #expect(throughB.totalCLTVExpiryDelta == 20 + 18 + 42)
    // A->D->C: 400 + ( 4999999 * 4000 / 1000000 ) = 20399
    wanted.excludedNodes = [node(2)]
    let throughD = try PathFinder().route(wanted, in: graph)
    #expect(throughD.path == [4, 3])
    #expect(throughD.totalAmount == MilliSatoshi(5_020_398) && throughD.totalCLTVExpiryDelta == 40 + 18 + 42)
    wanted.excludedNodes.insert(node(4))
    #expect(throws: RouteError.noPath) { try PathFinder().route(wanted, in: graph) }
  }

  @Test func `Limits of fees, time, hops, amounts and the onion are kept`() throws {
    let graph = try Self.example()
    var wanted = request(1, 3, 4_999_999, fee: 10_198)
    #expect(throws: RouteError.limitsExceeded) { try PathFinder().route(wanted, in: graph) }
    wanted.maximumFee = MilliSatoshi(10_199)
    #expect(try PathFinder().route(wanted, in: graph).path == [2, 3])
    wanted.maximumCLTVExpiryDelta = 37
    #expect(throws: RouteError.limitsExceeded) { try PathFinder().route(wanted, in: graph) }
    wanted.maximumCLTVExpiryDelta = 38
    #expect(try PathFinder().route(wanted, in: graph).path == [2, 3])
    wanted.maximumHops = 1
    #expect(throws: RouteError.limitsExceeded) { try PathFinder().route(wanted, in: graph) }
    wanted.maximumHops = 2
    wanted.finalPayloadByteCount = 1_300
    #expect(throws: RouteError.limitsExceeded) { try PathFinder().route(wanted, in: graph) }
    #expect(throws: RouteError.noPath) { try PathFinder().route(request(1, 3, 1_000_000_001), in: graph) }
    #expect(throws: RouteError.toOurselves) { try PathFinder().route(request(1, 1, 1), in: graph) }
    #expect(throws: RouteError.noAmount) { try PathFinder().route(request(1, 3, 0), in: graph) }
    #expect(throws: RouteError.noPath) { try PathFinder().route(request(1, 9, 1), in: graph) }
    #expect(throws: RouteError.noPath) { try PathFinder().route(request(9, 1, 1), in: graph) }
    // Nothing overflows.
    wanted.amount = MilliSatoshi(.max)
    wanted.maximumFee = MilliSatoshi(.max)
    wanted.maximumCLTVExpiryDelta = .max
    wanted.finalCLTVExpiryDelta = .max
    #expect(throws: RouteError.noPath) { try PathFinder().route(wanted, in: graph) }
  }

  @Test func `Only channels that carry the kind of payment are taken`() throws {
    var graph = NetworkGraph()
    // 1 – 2 – 4 is cheap and carries what all do; 1 – 3 – 4 carries another kind too, and the last channel nothing else.
    func connect(_ number: Int, _ a: Int, _ b: Int, base: UInt32, kinds: [UInt16]?) throws {
      try graph.add(announcement(number, node(a), node(b)))
      for (from, to) in [(a, b), (b, a)] {
        try graph.apply(update(number, from: node(from), to: node(to), base: base, kinds: kinds))
      }
    }
    try connect(0, 1, 2, base: 1, kinds: nil)
    try connect(1, 2, 4, base: 1, kinds: nil)
    try connect(2, 1, 3, base: 100, kinds: [0x0400, 0x0500])
    try connect(3, 3, 4, base: 100, kinds: [0x0400, 0x0500])
    try connect(4, 4, 5, base: 1, kinds: [0x0500])
    var wanted = request(1, 4, 1_000_000)
    for kind in [nil, 0x0400] as [UInt16?] {
      wanted.kind = kind
      #expect(try PathFinder().route(wanted, in: graph).path == [2, 4])
    }
    wanted.kind = 0x0500
    #expect(try PathFinder().route(wanted, in: graph).path == [3, 4])
    wanted.destination = node(5)
    #expect(try PathFinder().route(wanted, in: graph).path == [3, 4, 5])
    wanted.kind = 0x0400
    #expect(throws: RouteError.noPath) { try PathFinder().route(wanted, in: graph) }
    wanted.kind = 0x0600
    #expect(throws: RouteError.noPath) { try PathFinder().route(wanted, in: graph) }
    #expect(graph.carries(0x0400, direction(0, from: 1, to: 2)) && !graph.carries(0x0500, direction(0, from: 1, to: 2)))
    #expect(!graph.carries(0x0400, direction(4, from: 4, to: 5)) && graph.carries(0x0500, direction(4, from: 4, to: 5)))
    // A channel that has changed what it carries.
    try graph.apply(
      update(4, from: node(4), to: node(5), timestamp: 1_699_990_001, base: 1, kinds: [0x0400, 0x0500]))
    wanted.kind = 0x0400
    #expect(try PathFinder().route(wanted, in: graph).path == [2, 4, 5])
  }

  @Test func `What an update says it carries is read as it was written, or not at all`() throws {
    let plain = update(1, from: node(1), to: node(2))
    #expect(plain.paymentKinds == nil)
    let said = update(1, from: node(1), to: node(2), kinds: [0x0500, 0x0400, 0x0500])
    #expect(said.paymentKinds == [0x0400, 0x0500])
    #expect(try ChannelUpdate(decoding: said.encoded()) == said)
    var other = said
    // One byte too few, descending, twice the same, too many; no records at all.
    var bad: [[UInt8]] = [[4], [5, 0, 4, 0], [4, 0, 4, 0]]
    bad.append((0..<17).flatMap { [0, UInt8($0)] })
    for value in bad {
      var records = TLVStream()
      records[ChannelUpdate.paymentKindsType] = value
      other.excess = records.encoded
      #expect(other.paymentKinds == nil, "\(value)")
    }
    other.excess = [1, 2]
    #expect(other.paymentKinds == nil)
  }

  @Test func `Records beyond BOLT 4's make routes shorter`() throws {
    var graph = NetworkGraph()
    for number in 0..<21 { try graph.connect(number, number, number + 1) }
    var wanted = request(0, 20, 1_000_000)
    wanted.extraPayloadByteCount = 38
    #expect(throws: RouteError.limitsExceeded) { try PathFinder().route(wanted, in: graph) }
    wanted.destination = node(12)
    #expect(try PathFinder().route(wanted, in: graph).hops.count == 12)
  }

  @Test func `Twenty hops are possible, twenty-one are not`() throws {
    var graph = NetworkGraph()
    for number in 0..<21 { try graph.connect(number, number, number + 1) }
    #expect(try PathFinder().route(request(0, 20, 1_000_000), in: graph).hops.count == 20)
    #expect(throws: RouteError.limitsExceeded) { try PathFinder().route(request(0, 21, 1_000_000), in: graph) }
  }

  @Test func `When the cheapest path is too slow, a quicker one is found`() throws {
    var graph = NetworkGraph()
    // Cheap and slow through 2, dear and quick through 3.
    try graph.connect(1, 1, 2, delta: 500)
    try graph.connect(2, 2, 4, delta: 500)
    try graph.connect(3, 1, 3, base: 300_000, delta: 5)
    try graph.connect(4, 3, 4, base: 300_000, delta: 5)
    var wanted = request(1, 4, 1_000_000)
    #expect(try PathFinder().route(wanted, in: graph).path == [2, 4])
    wanted.maximumCLTVExpiryDelta = 100
    #expect(try PathFinder().route(wanted, in: graph).path == [3, 4])
  }

  @Test func `Disabled, one-sided, incompatible and too small channels are not used`() throws {
    var graph = NetworkGraph()
    try graph.add(announcement(1, node(1), node(2)))
    #expect(throws: RouteError.noPath) { try PathFinder().route(request(1, 2, 1_000), in: graph) }
    try graph.apply(update(1, from: node(1), to: node(2)))
    #expect(try PathFinder().route(request(1, 2, 1_000), in: graph).path == [2])
    #expect(throws: RouteError.noPath) { try PathFinder().route(request(2, 1, 1_000), in: graph) }
    try graph.apply(update(1, from: node(1), to: node(2), timestamp: 1_699_995_000, isDisabled: true))
    #expect(throws: RouteError.noPath) { try PathFinder().route(request(1, 2, 1_000), in: graph) }
    try graph.apply(update(1, from: node(1), to: node(2), timestamp: 1_699_995_001, minimum: 1_001))
    #expect(throws: RouteError.noPath) { try PathFinder().route(request(1, 2, 1_000), in: graph) }
    #expect(try PathFinder().route(request(1, 2, 1_001), in: graph).path == [2])
    // BOLT 7: if `htlc_maximum_msat` is greater than channel capacity: SHOULD ignore this channel during route considerations.
    try graph.apply(update(1, from: node(1), to: node(2), timestamp: 1_699_995_002, maximum: 1_000_000_001))
    #expect(throws: RouteError.noPath) { try PathFinder().route(request(1, 2, 1_001), in: graph) }
    // A channel with an unknown required feature, and a node with one: as the last it is fine.
    try graph.add(announcement(2, node(1), node(3), features: [998]))
    try graph.apply(update(2, from: node(1), to: node(3)))
    #expect(throws: RouteError.noPath) { try PathFinder().route(request(1, 3, 1_000), in: graph) }
    try graph.connect(4, 1, 4)
    try graph.connect(5, 4, 5)
    try graph.apply(try nodeAnnouncement(node(4), features: [998]))
    #expect(throws: RouteError.noPath) { try PathFinder().route(request(1, 5, 1_000), in: graph) }
    #expect(try PathFinder().route(request(1, 4, 1_000), in: graph).path == [4])
  }

  @Test func `Our own channels are used as they are, not as the graph has them`() throws {
    var graph = try Self.example()
    var wanted = request(1, 3, 1_000_000)
    wanted.firstHops = []
    #expect(throws: RouteError.nothingSpendable) { try PathFinder().route(wanted, in: graph) }
    // An alias, known to our peer alone.
    let alias = ShortChannelID(rawValue: 77)
    wanted.firstHops = [
      .init(channel: alias, peer: node(4), spendable: MilliSatoshi(2_000_000)),
      .init(channel: scid(0), peer: node(2), spendable: MilliSatoshi(999_999)),
    ]
    let route = try PathFinder().route(wanted, in: graph)
    #expect(route.path == [4, 3])
    #expect(route.hops[0].channel.channel == alias && !route.hops[0].isPublic && route.hops[1].isPublic)
    #expect(route.hops[0].amount == MilliSatoshi(1_000_000 + 400 + 4_000))
    // The fee has to fit too.
    wanted.firstHops?[0].spendable = MilliSatoshi(1_004_399)
    #expect(throws: RouteError.noPath) { try PathFinder().route(wanted, in: graph) }
    // To a peer that is in no graph.
    wanted.destination = node(50)
    wanted.firstHops = [.init(channel: alias, peer: node(50), spendable: MilliSatoshi(1_000_000))]
    #expect(try PathFinder().route(wanted, in: graph).path == [50])
    _ = graph.remove(scid(0))
    wanted.firstHops?[0].htlcMinimum = MilliSatoshi(1_000_001)
    #expect(throws: RouteError.noPath) { try PathFinder().route(wanted, in: graph) }
  }

  @Test func `An invoice's hints lead to nodes that the graph does not know`() throws {
    let graph = try Self.example()
    var wanted = request(1, 60, 1_000_000)
    #expect(throws: RouteError.noPath) { try PathFinder().route(wanted, in: graph) }
    func policy(_ base: UInt32, _ delta: UInt16) -> ChannelPolicy {
      ChannelPolicy(
        feeBaseMsat: base, feeProportionalMillionths: 0, cltvExpiryDelta: delta, htlcMinimumMsat: .zero,
        htlcMaximumMsat: .zero)
    }
    let (first, second) = (ShortChannelID(rawValue: 1), ShortChannelID(rawValue: 2))
    wanted.hints = [
      [
        .init(node: node(3), channel: first, policy: policy(1_000, 7)),
        .init(node: node(61), channel: second, policy: policy(2_000, 9)),
      ]
    ]
    let route = try PathFinder().route(wanted, in: graph)
    #expect(route.path == [2, 3, 61, 60])
    #expect(route.hops.map(\.channel.channel) == [scid(0), scid(1), first, second])
    #expect(route.hops[2].amount == MilliSatoshi(1_002_000) && route.hops[1].amount == MilliSatoshi(1_003_000))
    #expect(route.totalCLTVExpiryDelta == 18 + 9 + 7 + 20)
    wanted.excludedChannels = [DirectedChannel(second, isFromNode2: node(60) < node(61))]
    #expect(throws: RouteError.noPath) { try PathFinder().route(wanted, in: graph) }
    // A hint through ourselves is of no use; one without steps does no harm.
    wanted.excludedChannels = []
    wanted.hints = [[.init(node: node(1), channel: first, policy: policy(0, 0))], []]
    #expect(throws: RouteError.noPath) { try PathFinder().route(wanted, in: graph) }
  }

  @Test func `Excluded channels count for their direction`() throws {
    let graph = try Self.example()
    var wanted = request(1, 3, 1_000_000)
    wanted.excludedChannels = [direction(1, from: 3, to: 2)]
    #expect(try PathFinder().route(wanted, in: graph).path == [2, 3])
    wanted.excludedChannels = [direction(1, from: 2, to: 3)]
    #expect(try PathFinder().route(wanted, in: graph).path == [4, 3])
  }

  @Test func `What failed is avoided for a while, what passed is preferred`() throws {
    var graph = NetworkGraph()
    try graph.connect(1, 1, 2, base: 100)
    try graph.connect(2, 2, 4, base: 100)
    try graph.connect(3, 1, 3, base: 200)
    try graph.connect(4, 3, 4, base: 200)
    let wanted = request(1, 4, 500_000_000)
    let now: UInt32 = 1_700_000_000
    let finder = PathFinder()
    var memory = ChannelMemory()
    #expect(try finder.route(wanted, in: graph, memory: memory, now: now).path == [2, 4])
    memory.failed(MilliSatoshi(500_000_000), through: direction(2, from: 2, to: 4), now: now)
    #expect(try finder.route(wanted, in: graph, memory: memory, now: now).path == [3, 4])
    // Less than what failed may still pass, and after some days all is forgotten.
    #expect(try finder.route(request(1, 4, 1_000), in: graph, memory: memory, now: now).path == [2, 4])
    #expect(try finder.route(wanted, in: graph, memory: memory, now: now + 10 * 86_400).path == [2, 4])
    // If nothing else is left, it is tried again.
    var only = wanted
    only.excludedNodes = [node(3)]
    #expect(try finder.route(only, in: graph, memory: memory, now: now).path == [2, 4])
    memory.passed(MilliSatoshi(600_000_000), through: direction(2, from: 2, to: 4), now: now + 1)
    #expect(try finder.route(wanted, in: graph, memory: memory, now: now + 1).path == [2, 4])
    memory.failed(node(2), now: now + 2)
    #expect(try finder.route(wanted, in: graph, memory: memory, now: now + 2).path == [3, 4])
    #expect(try ChannelMemory(decoding: memory.encoded) == memory)
    for count in 0..<memory.encoded.count {
      #expect(throws: (any Error).self) { try ChannelMemory(decoding: Array(memory.encoded[..<count])) }
    }
  }

  @Test func `Of what was learned, the newest half is kept when it becomes too much`() {
    var memory = ChannelMemory()
    let count = ChannelMemory.mostEntries + 1
    for number in 0..<count {
      let channel = DirectedChannel(ShortChannelID(rawValue: UInt64(number)), isFromNode2: false)
      memory.passed(MilliSatoshi(5), through: channel, now: UInt32(number + 1))
    }
    #expect(memory.channels.count == ChannelMemory.mostEntries / 2)
    #expect(memory.channels.values.allSatisfy { $0.passedTime > UInt32(count / 2) })
  }

  @Test func `What other parts hold is not spent twice`() throws {
    var graph = NetworkGraph()
    try graph.connect(1, 1, 2, capacity: 1_000)
    try graph.connect(2, 2, 4, capacity: 1_000)
    try graph.connect(3, 1, 3, capacity: 1_000, base: 5_000)
    try graph.connect(4, 3, 4, capacity: 1_000, base: 5_000)
    var wanted = request(1, 4, 600_000)
    let first = try PathFinder().route(wanted, in: graph)
    #expect(first.path == [2, 4])
    for hop in first.hops { wanted.inFlight[hop.channel] = hop.amount }
    #expect(try PathFinder().route(wanted, in: graph).path == [3, 4])
  }

  @Test func `A route carries other amounts, up to what it says`() throws {
    var graph = NetworkGraph()
    try graph.connect(1, 1, 2, capacity: 1_000)
    try graph.connect(2, 2, 3, capacity: 900, base: 1_000, rate: 10_000)
    try graph.connect(3, 3, 4, capacity: 2_000, base: 1_000, rate: 20_000, minimum: 5_000)
    let route = try PathFinder().route(request(1, 4, 100_000), in: graph)
    let most = route.maximumAmount
    let full = try #require(route.carrying(most))
    #expect(full.amount == most && full.totalAmount > route.totalAmount)
    #expect(full.hops[1].amount <= MilliSatoshi(900_000) && full.hops[0].amount <= MilliSatoshi(1_000_000))
    #expect(route.carrying(MilliSatoshi(most.rawValue + 3)) == nil)
    #expect(route.carrying(MilliSatoshi(4_999)) == nil)
    #expect(route.carrying(route.amount) == route)
    #expect(try PathFinder().route(request(1, 4, most.rawValue), in: graph).totalAmount == full.totalAmount)
  }

  @Test func `In random graphs no cheaper path exists, by trying all of them`() throws {
    var generator = Generator(7)
    var found = 0
    for round in 0..<60 {
      var graph = NetworkGraph()
      var edges: [(number: Int, a: Int, b: Int, base: UInt32)] = []
      for number in 0..<14 {
        let a = Int.random(in: 0..<7, using: &generator)
        let b = Int.random(in: 0..<7, using: &generator)
        guard a != b else { continue }
        let base = UInt32.random(in: 0..<5_000, using: &generator)
        try graph.connect(number, a, b, base: base)
        edges.append((number, a, b, base))
      }
      // With the costs of improbability away, and one delta for all: only fees and hops count.
      var costs = PathCosts()
      costs.attemptMsat = 0
      costs.attemptMillionths = 0
      costs.lockedBillionthsPerBlock = 0
      var best: UInt64?
      func walk(_ at: Int, _ visited: Set<Int>, _ cost: UInt64) {
        if at == 6 {
          best = min(best ?? .max, cost)
          return
        }
        for edge in edges where edge.a == at || edge.b == at {
          let next = edge.a == at ? edge.b : edge.a
          guard !visited.contains(next) else { continue }
          walk(next, visited.union([next]), cost + (at == 0 ? 0 : UInt64(edge.base)))
        }
      }
      walk(0, [0], 0)
      let route = try? PathFinder(costs: costs).route(request(0, 6, 100_000), in: graph)
      #expect(route?.fee.rawValue == best, "seed 7, round \(round)")
      guard let route else { continue }
      found += 1
      // Each hop starts where the one before ends, and pays what is asked.
      #expect(route.carrying(route.amount)?.totalAmount == route.totalAmount)
      var at = node(0).key
      for hop in route.hops {
        let channel = try #require(graph.channel(hop.channel.channel))
        let ends = hop.channel.isFromNode2 ? (channel.nodes.1, channel.nodes.0) : channel.nodes
        #expect(ends == (at, hop.node.key))
        at = hop.node.key
      }
    }
    #expect(found > 30)
  }

  @Test func `The shadow of a path is a sum of times that are asked for nearby`() throws {
    var graph = NetworkGraph()
    for number in 0..<6 { try graph.connect(number, number, number + 1, delta: 40) }
    var generator = Generator(5)
    let finder = PathFinder()
    for _ in 0..<20 {
      #expect(finder.shadowCLTVOffset(from: node(3), in: graph, using: &generator) == 120)
      #expect(finder.shadowCLTVOffset(from: node(3), in: graph, steps: 9, maximum: 100, using: &generator) == 80)
      #expect(finder.shadowCLTVOffset(from: node(90), in: graph, using: &generator) == 0)
    }
  }

  @Test func `The logarithm is one`() {
    for (x, expected) in [(1.0, 0.0), (2, 0.693147), (0.5, -0.693147), (10, 2.302585), (1e-6, -13.815511)] {
      #expect(abs(logarithm(x) - expected) < 1e-4, "\(x): \(logarithm(x))")
    }
  }
}
