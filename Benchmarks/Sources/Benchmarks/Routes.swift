internal import Bitcoin
internal import CFloor
internal import Encoding
internal import Foundation
internal import Routing
internal import Secp256k1
internal import Wire

/// The public graph of a day: `GLC_GRAPH`, or `../shared/data/mainnet-graph-2026-02-03.csv.gz` beside the project.
struct SampleGraph {
  var graph = NetworkGraph()
  let floor: OpaquePointer
  let nodes: [NodeID]
  /// Nodes that can both send and receive, by their places.
  let pairs: [(UInt32, UInt32)]

  static var path: String? {
    let given = ProcessInfo.processInfo.environment["GLC_GRAPH"]
    let paths = [given].compactMap { $0 } + ["../shared/data/mainnet-graph-2026-02-03.csv.gz"]
    return paths.first { FileManager.default.fileExists(atPath: $0) }
  }

  init(contentsOf path: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", "-dc", path]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
    // N,COUNT, the nodes, a line of names, then a row for each direction of a channel.
    let count = Int(lines[0].dropFirst(2)) ?? 0
    nodes = try lines[1...count].map { text in
      let bytes = try Hex.decode(String(text))
      return NodeID(try PublicKey(copying: bytes.bytes))
    }
    let rules = GossipRules(chainHash: .bitcoin, now: 1_770_000_000)
    let none = CompactSignature(Bytes64())
    var edges: [UInt64] = []
    var ways: [(out: Bool, in: Bool)] = Array(repeating: (false, false), count: count)
    for line in lines[(count + 2)...] {
      let fields = line.split(separator: ",")
      guard let id = try? ShortChannelID(text: String(fields[0])) else { continue }
      let row = fields.dropFirst().map { UInt64($0) ?? 0 }
      let (a, b) = (nodes[Int(row[0])], nodes[Int(row[1])])
      let swapped = b.publicKey < a.publicKey
      if !graph.contains(id) {
        let announcement = ChannelAnnouncement(
          nodeSignature1: none, nodeSignature2: none, bitcoinSignature1: none, bitcoinSignature2: none,
          features: FeatureSet(), chainHash: .bitcoin, shortChannelID: id, nodeID1: swapped ? b : a,
          nodeID2: swapped ? a : b, bitcoinKey1: a.publicKey, bitcoinKey2: b.publicKey)
        graph.restore(.channel(id), bytes: try announcement.encoded(), capacity: row[2], rules: rules)
      }
      // The direction says which of the two, in the file's order, has set it.
      let isFromNode2 = (row[3] == 1) != swapped
      var flags: ChannelUpdateFlags = isFromNode2 ? [.direction] : []
      if row[4] != 0 { flags.insert(.disable) }
      let update = ChannelUpdate(
        signature: none, chainHash: .bitcoin, shortChannelID: id, timestamp: 1_769_999_000, messageFlags: .mustBeOne,
        channelFlags: flags, cltvExpiryDelta: UInt16(clamping: row[5]), htlcMinimumMsat: MilliSatoshi(row[6]),
        feeBaseMsat: UInt32(clamping: row[8]), feeProportionalMillionths: UInt32(clamping: row[9]),
        htlcMaximumMsat: MilliSatoshi(row[7]))
      graph.restore(
        .update(DirectedChannel(id, isFromNode2: isFromNode2)), bytes: try update.encoded(), rules: rules)
      guard row[4] == 0, row[6] <= row[7], row[7] <= row[2] * 1000 else { continue }
      let (from, to) = row[3] == 1 ? (row[1], row[0]) : (row[0], row[1])
      edges += [from, to, row[8], row[9], row[6], row[7], row[5]]
      ways[Int(from)].out = true
      ways[Int(to)].in = true
    }
    graph.indexEdges()
    floor = floor_graph_new(count, edges.count / 7, edges)
    // The same pairs in each run.
    let usable = ways.indices.filter { ways[$0].out && ways[$0].in }
    var state: UInt64 = 88_172_645_463_325_252
    func random() -> UInt32 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return UInt32(usable[Int(state % UInt64(usable.count))])
    }
    pairs = (0..<64).map { _ in (random(), random()) }.filter { $0.0 != $0.1 }
  }
}

extension Suite {
  mutating func addRoutes() {
    group = "Paths"
    guard let path = SampleGraph.path, let sample = try? SampleGraph(contentsOf: path) else {
      FileHandle.standardError.write(Data("no graph of the mainnet (GLC_GRAPH): paths are not measured\n".utf8))
      return
    }
    let finder = PathFinder()
    let (nodes, pairs) = (sample.nodes, sample.pairs)
    let amount = MilliSatoshi(10_000_000)
    let flat = pairs.flatMap { [$0.0, $0.1] }
    add("path through \(nodes.count) nodes", isComparable: false) { turns in
      var sum: UInt64 = 0
      for turn in 0..<turns {
        let (from, to) = pairs[turn % pairs.count]
        let request = RouteRequest(
          source: nodes[Int(from)], destination: nodes[Int(to)], amount: amount, finalCLTVExpiryDelta: 18,
          maximumFee: MilliSatoshi(amount.rawValue / 20))
        if let route = try? finder.route(request, in: sample.graph) { sum &+= route.fee.rawValue }
      }
      return sum
    } floor: {
      floor_paths($0, sample.floor, flat, pairs.count, amount.rawValue)
    }
  }
}
