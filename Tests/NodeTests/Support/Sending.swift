import BOLT
import Bitcoin
import Encoding
import GLC
import Payments
import Synchronization
import Testing
import Wire

@testable import Node

/// Parts of payments on routes of the test's choice.
extension TestNetwork {
  /// A route through channels, for an amount, with fees and delays as the nodes on the way ask for them.
  func route(_ nodes: [Int], _ channels: [ShortChannelID], _ amount: UInt64, delay: UInt32 = 30) -> PaymentRoute {
    var hops: [PaymentRoute.Hop] = []
    var (amount, delay) = (amount, delay)
    for (index, channel) in zip(nodes.dropFirst(), channels).reversed() {
      let next = self.nodes[index]
      hops.insert(
        .init(
          nodeID: next.nodeID.publicKey, shortChannelID: channel, amount: MilliSatoshi(amount), delay: delay), at: 0)
      // What the node before it asks for.
      amount += UInt64(next.settings.feeBaseMsat) + amount * UInt64(next.settings.feeProportionalMillionths) / 1_000_000
      delay += UInt32(next.settings.cltvExpiryDelta)
    }
    return PaymentRoute(hops: hops)
  }

  func request(_ route: PaymentRoute, _ invoice: Bolt11Invoice) -> RouteSendRequest {
    RouteSendRequest(
      route: route, paymentHash: invoice.contents.paymentHash, paymentSecret: invoice.contents.paymentSecret)
  }

  /// Sends a part. What is offered to the first peer can be changed: then the sender lies. Nil when it was paid before.
  func begin(
    _ from: Int, _ request: RouteSendRequest,
    changing change: @escaping @Sendable (inout OutgoingPayment) -> Void = { _ in }
  ) async throws -> PaymentID? {
    let start = try await nodes[from].hub.withPayments {
      engine, now -> (Result<PaymentStart, PaymentFailure>, [PaymentAction]) in
      do throws(PaymentFailure) {
        let (start, actions) = try engine.send(request, at: now)
        let changed = actions.map { action -> PaymentAction in
          guard case .offer(var offer) = action else { return action }
          change(&offer)
          return .offer(offer)
        }
        return (.success(start), changed)
      } catch {
        return (.failure(error), [])
      }
    }.get()
    guard case .started(let id) = start else { return nil }
    return id
  }

  /// Sends a part and waits for its end; nil when it has arrived.
  func send(
    _ from: Int, _ request: RouteSendRequest,
    changing change: @escaping @Sendable (inout OutgoingPayment) -> Void = { _ in }
  ) async throws -> PaymentFailure? {
    let events = nodes[from].hub.events.listen()
    guard let id = try await begin(from, request, changing: change) else { return nil }
    let part = PartID(payment: id, part: request.part)
    let found = Mutex<PaymentFailure?>(nil)
    try await within(.seconds(20)) {
      for await event in events {
        switch event {
        case .payment(.partSettled(let record, _)) where record.id == part: return
        case .payment(.partFailed(let record, _)) where record.id == part:
          return found.withLock { $0 = record.failure ?? PaymentFailure(.unspecified, "no reason is given") }
        default: continue
        }
      }
      throw NodeError.invalid("the node stops")
    }
    return found.withLock { $0 }
  }

  /// The name by which a payer asks for the channel.
  func name(_ id: ChannelID) async throws -> ShortChannelID {
    for node in nodes {
      if let name = await node.channels().first(where: { $0.id == id })?.shortChannelID { return name }
    }
    throw NodeError.unknownChannel(id)
  }
}
