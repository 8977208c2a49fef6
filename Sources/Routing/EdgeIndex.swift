internal import Bitcoin

/// All directions of all channels, those that end at the same node beside each other: a search reads memory in order, where the lists of
/// `NetworkGraph` would send it to another place for every channel. 100 bytes for a channel.
struct EdgeIndex: Sendable {
  /// One direction of a channel, as far as a search looks at it.
  struct Edge: Sendable {
    /// Where it comes from, by its place in `nodes`.
    let from: Int32
    /// Twice the channel's place in `channels`, and one more where it comes from node 2.
    let slot: Int32
    /// Millisatoshi; `.max` when it is not known.
    var capacity: UInt64
    /// What a payment may be worth: at least and at most.
    var minimum: UInt64
    var maximum: UInt64
    var feeBaseMsat: UInt32
    var feeProportionalMillionths: UInt32
    var cltvExpiryDelta: UInt16
    var kinds: UInt16
    var isUsable: Bool

    init(_ channel: NetworkGraph.Channel, place: Int, isFromNode2: Bool) {
      from = isFromNode2 ? channel.node2 : channel.node1
      slot = Int32(truncatingIfNeeded: 2 * place + (isFromNode2 ? 1 : 0))
      let policy = isFromNode2 ? channel.policy2 : channel.policy1
      capacity = channel.capacity
      minimum = policy.htlcMinimumMsat.rawValue
      maximum = min(channel.capacity, policy.htlcMaximumMsat.rawValue)
      feeBaseMsat = policy.feeBaseMsat
      feeProportionalMillionths = policy.feeProportionalMillionths
      cltvExpiryDelta = policy.cltvExpiryDelta
      kinds = policy.kinds
      isUsable = policy.isUsable && channel.mayRoute
    }

    var channel: Int { Int(slot >> 1) }
    var isFromNode2: Bool { slot & 1 == 1 }
  }

  private(set) var edges: [Edge] = []
  /// By node: where those that end there begin; one more for the end of the last.
  private(set) var starts: [Int32]
  /// By slot; −1 for a channel that is no more.
  private var places: [Int32]

  init(nodeCount: Int, channels: [NetworkGraph.Channel]) {
    starts = Array(repeating: 0, count: nodeCount + 1)
    places = Array(repeating: -1, count: 2 * channels.count)
    for channel in channels where !channel.isFree {
      starts[Int(channel.node1) + 1] += 1
      starts[Int(channel.node2) + 1] += 1
    }
    for node in 0..<nodeCount { starts[node + 1] += starts[node] }
    // Which edge stands where, and then the edges in that order.
    var slots: [Int32] = Array(repeating: 0, count: Int(starts[nodeCount]))
    var next = starts
    for (place, channel) in channels.enumerated() where !channel.isFree {
      for (end, isFromNode2) in [(channel.node2, false), (channel.node1, true)] {
        let slot = 2 * place + (isFromNode2 ? 1 : 0)
        places[slot] = next[Int(end)]
        slots[Int(next[Int(end)])] = Int32(truncatingIfNeeded: slot)
        next[Int(end)] += 1
      }
    }
    edges.reserveCapacity(slots.count)
    for slot in slots {
      edges.append(Edge(channels[Int(slot >> 1)], place: Int(slot >> 1), isFromNode2: slot & 1 == 1))
    }
  }

  /// A channel has new policies.
  mutating func refresh(_ channel: NetworkGraph.Channel, place: Int) {
    for isFromNode2 in [false, true] {
      let position = places[2 * place + (isFromNode2 ? 1 : 0)]
      if position >= 0 { edges[Int(position)] = Edge(channel, place: place, isFromNode2: isFromNode2) }
    }
  }

  func edges(into node: Int32) -> Range<Int> { Int(starts[Int(node)])..<Int(starts[Int(node) + 1]) }
}
