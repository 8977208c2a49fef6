internal import Bitcoin
internal import GLC
internal import HTLC
internal import Payments
internal import Routing
internal import Secp256k1
internal import Synchronization
internal import Wire

/// Routes through the known network, from channels of ours as they are at the moment.
struct NodeRouteFinder: RouteFinder {
  let hub: Hub
  let view: NetworkView

  func route(_ request: Payments.RouteRequest) throws(RouteFailure) -> PaymentRoute {
    do throws(RouteFailure) {
      return try route(request, carrying: request.kind)
    } catch {
      // Whether there is a way for payments of another kind is worth to be known, whatever it costs.
      var anyway = request
      anyway.maximumFee = MilliSatoshi(.max / 2)
      if error == .noRoute, request.kind != HTLCExtension.id, let other = try? route(anyway, carrying: nil),
        let obstacle = obstacle(on: other, to: request.kind)
      {
        throw .lockNotCarried(obstacle)
      }
      throw error
    }
  }

  /// Of channels of ours we know what they carry, of those that are announced what their updates say. What an invoice names, and nobody
  /// announces, carries what the invoice asks for.
  func obstacle(on route: PaymentRoute, to kind: ExtensionID) -> ChannelDirection? {
    let graph = view.state.withLock { $0.graph }
    var previous = hub.nodeID.publicKey
    for (index, hop) in route.hops.enumerated() {
      let direction = ChannelDirection(hop.shortChannelID, from: previous, to: hop.nodeID)
      previous = hop.nodeID
      if index == 0 {
        let own = hub.directory.channel(named: hop.shortChannelID).flatMap { hub.directory.entry($0) }
        if let own, !own.payment.kinds.contains(kind) { return direction }
      } else if graph.contains(hop.shortChannelID), !graph.carries(kind.rawValue, DirectedChannel(direction)) {
        return direction
      }
    }
    return nil
  }

  private func route(
    _ request: Payments.RouteRequest, carrying kind: ExtensionID?
  ) throws(RouteFailure) -> PaymentRoute {
    let own = hub.directory.all.values.filter { entry in
      entry.canOffer && kind.map { entry.payment.kinds.contains($0) } ?? true
    }
    var hops: [Routing.RouteRequest.FirstHop] = []
    var ours: Set<ChannelDirection> = []
    for entry in own {
      guard let name = entry.payment.shortChannelID ?? entry.payment.peerAlias ?? entry.payment.aliases.first else {
        continue
      }
      let direction = ChannelDirection(name, from: hub.nodeID.publicKey, to: entry.payment.peer)
      guard !request.excludedChannels.contains(direction) else { continue }
      ours.insert(direction)
      let reserved = request.reserved[direction] ?? .zero
      var spendable = entry.spendable.subtracting(reserved) ?? .zero
      if let limit = request.limits[direction] {
        spendable = min(spendable, limit.subtracting(MilliSatoshi(1)) ?? .zero)
      }
      hops.append(.init(channel: name, peer: NodeID(entry.payment.peer), spendable: spendable))
    }
    var search = Routing.RouteRequest(
      source: hub.nodeID, destination: NodeID(request.payee), amount: request.amount,
      finalCLTVExpiryDelta: request.finalCLTVDelta, maximumFee: request.maximumFee, firstHops: hops)
    search.maximumCLTVExpiryDelta = request.maximumDelay
    search.kind = kind?.rawValue
    search.extraPayloadByteCount = request.extraPayloadByteCount
    search.excludedNodes = Set(request.excludedNodes.map { NodeID($0) })
    search.excludedChannels = Set(request.excludedChannels.map { DirectedChannel($0) })
    // Of our own channels it is taken off already.
    for (channel, amount) in request.reserved where !ours.contains(channel) {
      search.inFlight[DirectedChannel(channel)] = amount
    }
    // What has failed with so much is only asked for less.
    for (channel, limit) in request.limits where limit <= request.amount {
      search.excludedChannels.insert(DirectedChannel(channel))
    }
    search.hints = request.hints.map { hint in
      hint.enumerated().map { index, hop in
        let next = index + 1 < hint.count ? hint[index + 1].nodeID : request.payee
        let direction = ChannelDirection(hop.shortChannelID, from: hop.nodeID, to: next)
        let learned = request.policies[direction]
        return .init(
          node: NodeID(hop.nodeID), channel: hop.shortChannelID,
          policy: Routing.ChannelPolicy(
            feeBaseMsat: learned?.feeBaseMsat ?? hop.feeBaseMsat,
            feeProportionalMillionths: learned?.feeProportionalMillionths ?? hop.feeProportionalMillionths,
            cltvExpiryDelta: learned?.cltvExpiryDelta ?? hop.cltvExpiryDelta,
            htlcMinimumMsat: learned?.htlcMinimumMsat ?? .zero,
            htlcMaximumMsat: learned?.htlcMaximumMsat ?? MilliSatoshi(.max)))
      }
    }
    let (graph, memory) = view.state.withLock { state in
      state.graph.indexEdges()
      return (state.graph, state.memory)
    }
    let found: Route
    do {
      found = try PathFinder().route(search, in: graph, memory: memory, now: UInt32(clamping: WallClock.seconds))
    } catch {
      throw .noRoute
    }
    return PaymentRoute(
      hops: found.hops.map {
        PaymentRoute.Hop(
          nodeID: $0.node.publicKey, shortChannelID: $0.channel.channel, amount: $0.amount, delay: $0.cltvExpiryDelta)
      })
  }
}
