import Bitcoin
import Encoding
import Foundation
@testable import Routing
import Testing
import VectorSupport
import Wire

/// The public graph of a day, where the file is at hand.
@Suite struct MainnetTests {
  private static let path = "../data/mainnet-graph-2026-02-03.csv.gz"

  private static func lines() throws -> [Substring] {
    let folder = try #require(Vectors.folder)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", "-dc", folder.appendingPathComponent(path).path]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self).split(separator: "\n")
  }

  @Test(.vectors(path)) func `Paths through the mainnet's graph keep their promises`() throws {
    let lines = try Self.lines()
    let count = try #require(Int(lines[0].dropFirst(2)))
    let keys = try lines[1...count].map { try NodeKey(hex: $0) }
    var graph = NetworkGraph()
    let clock = ContinuousClock()
    var rows: [[UInt64]] = []
    var ids: [ShortChannelID] = []
    for line in lines[(count + 2)...] {
      let fields = line.split(separator: ",")
      ids.append(try ShortChannelID(text: String(fields[0])))
      rows.append(fields.dropFirst().map { UInt64($0) ?? 0 })
    }
    let loading = clock.measure {
      for (id, row) in zip(ids, rows) {
        let (a, b) = (keys[Int(row[0])], keys[Int(row[1])])
        let swapped = b < a
        if !graph.contains(id) {
          try? graph.insert(id, swapped ? (b, a) : (a, b), capacity: row[2] * 1_000, mayRoute: true, now: 0)
        }
        guard let index = graph.index(of: id) else { continue }
        var policy = ChannelPolicy(
          feeBaseMsat: UInt32(clamping: row[8]), feeProportionalMillionths: UInt32(clamping: row[9]),
          cltvExpiryDelta: UInt16(clamping: row[5]), htlcMinimumMsat: MilliSatoshi(row[6]),
          htlcMaximumMsat: MilliSatoshi(row[7]))
        policy.isUsable = row[4] == 0 && row[6] <= row[7] && row[7] <= row[2] * 1_000
        graph.withChannel(index) { channel in
          if (row[3] == 1) != swapped { channel.policy2 = policy } else { channel.policy1 = policy }
        }
      }
    }
    #expect(graph.nodeCount > 15_000 && graph.channelCount > 50_000)
    var generator = Generator(3)
    var memory = ChannelMemory()
    for (index, id) in graph.sortedIDs().enumerated() where index % 50 == 0 {
      memory.failed(MilliSatoshi(1_000_000), through: DirectedChannel(id, isFromNode2: index % 100 == 0), now: 1_000)
    }
    var times: [Duration] = []
    var found = 0
    // A third of the channels was disabled that day: nodes that can both send and receive.
    let all = graph.allNodes.sorted().filter { key in
      let channels = graph.channels(of: key)
      func canPass(outwards: Bool) -> Bool {
        channels.contains { channel in
          channel.policy(isFromNode2: (channel.nodes.1 == key) == outwards).map { $0.isUsable } ?? false
        }
      }
      return canPass(outwards: true) && canPass(outwards: false)
    }
    let finder = PathFinder()
    for _ in 0..<80 {
      let amount = MilliSatoshi([1_000_000, 10_000_000, 100_000_000][Int.random(in: 0..<3, using: &generator)])
      guard let a = all.randomElement(using: &generator), let b = all.randomElement(using: &generator), a != b else {
        continue
      }
      var wanted = RouteRequest(
        source: try NodeID(key: a), destination: try NodeID(key: b), amount: amount, finalCLTVExpiryDelta: 18,
        maximumFee: MilliSatoshi(amount.rawValue / 20))
      wanted.maximumCLTVExpiryDelta = 1_008
      var route: Route?
      times.append(clock.measure { route = try? finder.route(wanted, in: graph, memory: memory, now: 2_000) })
      guard let route else { continue }
      found += 1
      #expect(route.amount == amount && route.hops.last?.node == wanted.destination)
      #expect(route.fee <= wanted.maximumFee && route.hops.count <= 20 && route.totalCLTVExpiryDelta <= 1_008)
      #expect(route.carrying(amount) == route)
    }
    times.sort()
    // Of such pairs a quarter is connected at all, counting amounts alone.
    #expect(found > 10)
    print(
      "routing: \(graph.nodeCount) nodes, \(graph.channelCount) channels filled in in \(loading); \(times.count) paths, \(found) found, median \(times[times.count / 2]), 95 % \(times[times.count * 95 / 100]), worst \(times[times.count - 1])"
    )
  }
}
