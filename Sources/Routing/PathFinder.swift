internal import Bitcoin
public import Wire

/// Finds the cheapest path for a payment: Dijkstra's algorithm from the destination backwards, because only there the amount is known;
/// on the way to the source the fees are added. Cheap means little fee, little time locked up, and much hope that it works.
public struct PathFinder: Sendable {
  public var costs: PathCosts

  public init(costs: PathCosts = PathCosts()) { self.costs = costs }

  /// The best path. `now`: seconds since 1970, for what was learned.
  public func route(
    _ request: RouteRequest, in graph: NetworkGraph, memory: ChannelMemory = ChannelMemory(), now: UInt32 = 0
  ) throws(RouteError) -> Route {
    guard request.source != request.destination else { throw .toOurselves }
    guard request.amount > .zero else { throw .noAmount }
    if let firstHops = request.firstHops, !firstHops.contains(where: { $0.spendable >= request.amount }) {
      throw .nothingSpendable
    }
    var limitsExceeded = false
    // One label for each node finds the cheapest path, but not always one within the limits when that one exceeds them: then what
    // was exceeded is made dear.
    for aim in PathSearch.Aim.allCases {
      var search = PathSearch(request: request, graph: graph, memory: memory, now: now, costs: costs, aim: aim)
      if let route = search.run() { return route }
      guard search.metLimit else { break }
      limitsExceeded = true
    }
    throw limitsExceeded ? .limitsExceeded : .noPath
  }
}

extension PathFinder {
  /// Blocks to put on top of a payment's times, so that nodes on the path cannot tell how far the destination is. BOLT 7 §Recommendations
  /// for Routing: the origin node MAY start a limited random walk on the graph, starting from the intended recipient and summing
  /// the `cltv_expiry_delta`s, and use the resulting sum as the offset.
  public func shadowCLTVOffset(
    from destination: NodeID, in graph: NetworkGraph, steps: Int = 3, maximum: UInt32 = 432,
    using generator: inout some RandomNumberGenerator
  ) -> UInt32 {
    var offset: UInt32 = 0
    var node = graph.index(of: destination.key)
    for _ in 0..<max(0, steps) {
      guard let here = node else { break }
      let place = Int32(truncatingIfNeeded: here)
      // Against the direction of the payment nobody looks: what matters is a delta that exists nearby.
      let usable = graph.incident(place).filter { index in
        let channel = graph.channels[index]
        return (channel.node1 == place ? channel.policy1 : channel.policy2).isUsable
      }
      guard let index = usable.randomElement(using: &generator) else { break }
      let channel = graph.channels[index]
      let delta = UInt32((channel.node1 == place ? channel.policy1 : channel.policy2).cltvExpiryDelta)
      guard offset.addingSaturating(delta) <= maximum else { break }
      offset += delta
      node = Int(channel.node1 == place ? channel.node2 : channel.node1)
    }
    return offset
  }
}
