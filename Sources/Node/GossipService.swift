internal import Bitcoin
internal import GLC
internal import Logging
internal import Payments
internal import Wire

/// What others say of the network, and what we tell them.
actor GossipService {
  private let hub: Hub

  init(hub: Hub) { self.hub = hub }

  static func open(hub: Hub) async throws -> GossipService { GossipService(hub: hub) }

  func run() async { while let _ = await hub.gossip.next() {} }
}

struct NodeRouteFinder: RouteFinder {
  let hub: Hub
  let gossip: GossipService

  func route(_ request: RouteRequest) throws(RouteFailure) -> PaymentRoute {
    let own = hub.directory.all.values.filter { $0.canOffer && $0.spendable >= request.amount }
    for entry in own where entry.payment.peer == request.payee {
      guard let name = entry.payment.shortChannelID ?? entry.payment.aliases.first else { continue }
      return PaymentRoute(hops: [
        .init(nodeID: request.payee, shortChannelID: name, amount: request.amount, delay: request.finalCLTVDelta)
      ])
    }
    for hint in request.hints {
      var hops = [PaymentRoute.Hop]()
      var amount = request.amount
      var delay = request.finalCLTVDelta
      var target = request.payee
      for hop in hint.reversed() {
        hops.insert(.init(nodeID: target, shortChannelID: hop.shortChannelID, amount: amount, delay: delay), at: 0)
        let fee = UInt64(hop.feeBaseMsat) + amount.rawValue * UInt64(hop.feeProportionalMillionths) / 1_000_000
        amount = MilliSatoshi(amount.rawValue + fee)
        delay += UInt32(hop.cltvExpiryDelta)
        target = hop.nodeID
      }
      for entry in own where entry.payment.peer == target && entry.spendable >= amount {
        guard let name = entry.payment.shortChannelID ?? entry.payment.aliases.first else { continue }
        hops.insert(.init(nodeID: target, shortChannelID: name, amount: amount, delay: delay), at: 0)
        return PaymentRoute(hops: hops)
      }
    }
    throw .noRoute
  }
}
