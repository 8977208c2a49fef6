import Bitcoin
import Encoding
import GLC
import Hashing
import Payments
import Secp256k1
import Sphinx
import Wire

extension SimulatedNetwork {
  /// The channel between two nodes.
  func channel(_ a: Int, _ b: Int) throws -> SimulatedChannel {
    guard
      let channel = channels.values.filter({ $0.ends.contains(a) && $0.ends.contains(b) }).min(by: { $0.id < $1.id })
    else { throw SimulationError("no channel between \(a) and \(b)") }
    return channel
  }

  /// A route over these nodes that pays what they ask for, unless amounts or delays are given.
  func route(
    _ path: [Int], _ amount: UInt64, finalDelta: UInt32 = 40, amounts: [UInt64]? = nil, delays: [UInt32]? = nil
  ) throws -> PaymentRoute {
    var hops: [PaymentRoute.Hop] = []
    var arriving = MilliSatoshi(amount)
    var delay = finalDelta
    for index in stride(from: path.count - 1, to: 0, by: -1) {
      let channel = try channel(path[index - 1], path[index])
      if index < path.count - 1 {
        let next = try self.channel(path[index], path[index + 1])
        let policy = next.policies[next.side(of: path[index])]
        arriving = arriving.adding(policy.fee(forwarding: arriving)!)!
        delay += UInt32(policy.cltvExpiryDelta)
      }
      hops.insert(
        PaymentRoute.Hop(
          nodeID: nodes[path[index]].id, shortChannelID: channel.shortChannelID, amount: arriving, delay: delay),
        at: 0)
    }
    for index in hops.indices {
      if let amounts { hops[index].amount = MilliSatoshi(amounts[index]) }
      if let delays { hops[index].delay = delays[index] }
    }
    return PaymentRoute(hops: hops)
  }

  /// Sends one part for an invoice on a route.
  mutating func send(
    _ route: PaymentRoute, _ invoice: InvoiceRecord, from node: Int = 0,
    _ configure: (inout RouteSendRequest) -> Void = { _ in }
  ) throws {
    var request = RouteSendRequest(
      route: route, paymentHash: invoice.paymentHash, paymentSecret: invoice.paymentSecret)
    request.metadata = invoice.metadata
    configure(&request)
    recall(node, .payments(request.paymentHash))
    let (_, actions) = try nodes[node].engine.send(request, at: time)
    carryOut(node, actions)
  }

  /// How parts of a node's payments have failed, in order.
  func failures(at node: Int = 0) -> [PaymentFailure] {
    nodes[node].events.compactMap { if case .partFailed(let part, _) = $0 { part.failure } else { nil } }
  }

  func failureCodes(at node: Int = 0) -> [FailureCode?] {
    failures(at: node).map { $0.failureCode.map { FailureCode(rawValue: $0) } }
  }

  func settledParts(at node: Int = 0) -> Int {
    nodes[node].events.reduce(0) { if case .partSettled = $1 { $0 + 1 } else { $0 } }
  }

  /// Everything that arrives at a node is refused in this way, by somebody who can read the onion.
  mutating func refuseIntercepted(_ failure: FailureMessage.Failure) throws {
    let waiting = intercepted
    intercepted = []
    for (node, incoming) in waiting {
      let peeled = try nodes[node].key.peel(
        OnionPacket(incoming.onion), associatedData: incoming.lock.bytes, pathKey: incoming.pathKey)
      guard
        let packet = FailurePacket(
          message: FailureMessage(failure).encoded, sharedSecret: peeled.sharedSecret, holdTime: 1)
      else { throw SimulationError("no packet") }
      remove(incoming.key, by: node, .failed(packet.reason, packet.attribution?.bytes))
    }
  }

  /// What arrived at a node reaches it, changed.
  mutating func deliverIntercepted(_ change: (inout IncomingPayment) -> Void) {
    let waiting = intercepted
    intercepted = []
    for (node, incoming) in waiting {
      var incoming = incoming
      change(&incoming)
      perform(node, .incoming(incoming))
    }
  }

  /// Changes a channel's policy for one end, and tells the ends; finders keep what they knew.
  mutating func setPolicy(_ id: ChannelID, of node: Int, _ change: (inout ForwardingPolicy) -> Void) {
    change(&channels[id]!.policies[channels[id]!.side(of: node)])
    for node in channels[id]!.ends { perform(node, .channel(description(of: id, for: node))) }
  }
}

/// Every failure of BOLT 4, with fields.
let allFailures: [FailureMessage.Failure] = [
  .temporaryNodeFailure, .permanentNodeFailure, .requiredNodeFeatureMissing,
  .invalidOnionVersion(sha256OfOnion: sha256([4])), .invalidOnionHMAC(sha256OfOnion: sha256([5])),
  .invalidOnionKey(sha256OfOnion: sha256([6])), .temporaryChannelFailure(channelUpdate: []),
  .permanentChannelFailure, .requiredChannelFeatureMissing, .unknownNextPeer,
  .amountBelowMinimum(htlcMsat: MilliSatoshi(1), channelUpdate: []),
  .feeInsufficient(htlcMsat: MilliSatoshi(1), channelUpdate: []),
  .incorrectCLTVExpiry(cltvExpiry: 1, channelUpdate: []), .expiryTooSoon(channelUpdate: []),
  .incorrectOrUnknownPaymentDetails(htlcMsat: MilliSatoshi(1), height: 1), .finalIncorrectCLTVExpiry(cltvExpiry: 1),
  .finalIncorrectHTLCAmount(incomingHTLCAmount: MilliSatoshi(1)),
  .channelDisabled(disabledFlags: 0, channelUpdate: []), .expiryTooFar, .invalidOnionPayload(type: 2, offset: 0),
  .mppTimeout, .invalidOnionBlinding(sha256OfOnion: sha256([24])), .temporaryTrampolineFailure,
  .trampolineFeeOrExpiryInsufficient(feeBaseMsat: 1, feeProportionalMillionths: 1, cltvExpiryDelta: 1),
  .unknownNextTrampoline, .unrecognized(FailureCode(rawValue: 0x0777), data: [1, 2]),
  .unrecognized(FailureCode(rawValue: 0x4777), data: []), .unrecognized(FailureCode(rawValue: 0x2777), data: []),
]
