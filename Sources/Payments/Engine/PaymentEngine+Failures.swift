internal import Bitcoin
internal import Encoding
internal import GLC
internal import Secp256k1
internal import Sphinx
internal import Wire

// What the failure of a part says, and what the next part makes of it (BOLT 4 §Receiving Failure Codes).

extension PaymentEngine {
  /// Reads a failure and learns from it. `holdTimes` becomes what the hops have proven.
  mutating func failure(
    of part: PartRecord, _ outcome: PaymentOutcome, _ holdTimes: inout [UInt32]
  ) -> PaymentFailure {
    switch outcome {
    case .settled: return PaymentFailure(.unspecified, "the first peer gave a witness of another payment")
    case .failed(let reason, let attribution):
      let packet = FailurePacket(reason: reason, attribution: attribution.flatMap { try? Attribution($0) })
      let received = packet.unwrap(sharedSecrets: part.sharedSecrets)
      holdTimes = received.holdTimes
      guard let origin = received.origin, part.route.hops.indices.contains(origin) else {
        return unreadable(part, received)
      }
      guard let bytes = received.message, let message = try? FailureMessage(decoding: bytes) else {
        let node = part.route.hops[origin].nodeID
        exclude(node, part, isPermanent: true)
        return PaymentFailure(
          .unparseableOnion, "node \(node) sent a failure without content", erringIndex: UInt32(origin) + 1,
          erringNode: node)
      }
      return origin == part.route.hops.count - 1
        ? destinationFailed(part, message, bytes) : hopFailed(part, origin, message, bytes)
    case .malformed(let code, _):
      // Our first peer could not read the onion: it, or the one that gave it to it. That is us.
      let direction = part.route.direction(ofHop: 0, from: nodeKey.nodeID)
      exclude(direction, part, isPermanent: false)
      return PaymentFailure(
        part.route.hops.count == 1 ? .destinationFailed : .tryOtherRoute,
        "the first peer could not read the onion: \(FailureCode(rawValue: code))", failureCode: code,
        erringIndex: 1, erringNode: part.route.hops.first?.nodeID, erringChannel: direction)
    case .timedOutOnChain:
      let direction = part.route.direction(ofHop: 0, from: nodeKey.nodeID)
      exclude(direction, part, isPermanent: true)
      return PaymentFailure(
        .tryOtherRoute, "the first channel was closed, and the payment came back on the chain",
        failureCode: FailureCode.permanentChannelFailure.rawValue, erringIndex: 0, erringNode: nodeKey.nodeID,
        erringChannel: direction)
    case .notOffered(let why):
      let direction = part.route.direction(ofHop: 0, from: nodeKey.nodeID)
      switch why {
      case .insufficientBalance, .tooMuchPending, .tooManyPending, .dustExposure:
        limit(direction, to: part.amountSent, part)
      case .unknownChannel, .notConnected, .closing, .belowMinimum, .wrongKind:
        exclude(direction, part, isPermanent: false)
      }
      return PaymentFailure(
        .tryOtherRoute, "the first channel did not take the payment: \(why)",
        failureCode: FailureCode.temporaryChannelFailure.rawValue, erringIndex: 0, erringNode: nodeKey.nodeID,
        erringChannel: direction)
    }
  }

  /// Nobody has signed it.
  private mutating func unreadable(_ part: PartRecord, _ received: ReceivedFailure) -> PaymentFailure {
    let hops = part.route.hops
    // BOLT 4: SHOULD use `attribution_data` to identify the failure source. "Blame is still only assignable to a pair of nodes".
    if let blamed = received.blamedHop, hops.indices.contains(blamed) {
      let before = blamed == 0 ? nodeKey.nodeID : hops[blamed - 1].nodeID
      let direction = part.route.direction(ofHop: blamed, from: nodeKey.nodeID)
      exclude(direction, part, isPermanent: false)
      emit(.learned(.pairBlamed(before, hops[blamed].nodeID)))
      return PaymentFailure(
        .unparseableOnion, "the failure cannot be read; \(before) or \(hops[blamed].nodeID) has spoilt it",
        erringChannel: direction)
    }
    // Anybody may have spoilt it: one channel less, by chance, our own last.
    if hops.count > 1 {
      let index = 1 + Int(entropy.nextUInt64() % UInt64(hops.count - 1))
      exclude(part.route.direction(ofHop: index, from: nodeKey.nodeID), part, isPermanent: false)
    } else {
      stop(part, PaymentFailure(.unparseableOnion, "the payee sent a failure that cannot be read"))
    }
    return PaymentFailure(.unparseableOnion, "the failure cannot be read: nobody knows who sent it")
  }

  /// BOLT 4: if the _final node_ is returning the error: if the PERM bit is set: SHOULD fail the payment.
  private mutating func destinationFailed(
    _ part: PartRecord, _ message: FailureMessage, _ raw: [UInt8]
  ) -> PaymentFailure {
    let code = message.code
    let last = part.route.hops.count - 1
    let direction = part.route.direction(ofHop: last, from: nodeKey.nodeID)
    var failure = PaymentFailure(
      .destinationFailed, "the payee refuses: \(code)", failureCode: code.rawValue,
      erringIndex: UInt32(last) + 1, erringNode: part.route.hops[last].nodeID, erringChannel: direction, raw: raw)
    switch message.failure {
    case .finalIncorrectCLTVExpiry, .finalIncorrectHTLCAmount:
      // The node before it took more than it was given, in time or money.
      failure.code = .tryOtherRoute
      exclude(direction, part, isPermanent: false)
      if last == 0 { stop(part, failure) }
      return failure
    case .incorrectOrUnknownPaymentDetails(_, let theirs)
    where theirs > part.height && theirs - part.height <= Self.maximumHeightDifference
      && UInt64(theirs) + UInt64(sendings[part.id.payment]?.finalCLTVDelta ?? .max)
        > UInt64(part.height) + UInt64(part.route.hops[last].delay):
      // BOLT 4: This can be used by the sender to distinguish between sending a payment with the wrong final CLTV expiry and an
      // intermediate hop delaying the payment. It knows of blocks that we have not seen, and they were too many.
      failure.code = .tryOtherRoute
      raiseFinalDelta(part, by: theirs - part.height)
    default:
      if code.isPermanent {
        stop(part, failure)
        return failure
      }
      failure.code = .tryOtherRoute
    }
    sendings[part.id.payment]?.destinationFailures += 1
    if let count = sendings[part.id.payment]?.destinationFailures, count >= configuration.maximumDestinationFailures {
      failure.code = .destinationFailed
      stop(part, failure)
    }
    return failure
  }

  /// So many blocks a node may know that we do not.
  private static let maximumHeightDifference: UInt32 = 144

  private mutating func hopFailed(
    _ part: PartRecord, _ origin: Int, _ message: FailureMessage, _ raw: [UInt8]
  ) -> PaymentFailure {
    let code = message.code
    let node = part.route.hops[origin].nodeID
    let outgoing = part.route.hops[origin + 1]
    let direction = part.route.direction(ofHop: origin + 1, from: nodeKey.nodeID)
    let failure = PaymentFailure(
      .tryOtherRoute, "node \(node) refuses: \(code)", failureCode: code.rawValue, erringIndex: UInt32(origin) + 1,
      erringNode: node, erringChannel: direction, raw: raw)
    switch message.failure {
    case .temporaryChannelFailure(let update):
      _ = learn(update, of: direction, from: node, part)
      limit(direction, to: outgoing.amount, part)
    case .amountBelowMinimum(_, let update), .feeInsufficient(_, let update), .incorrectCLTVExpiry(_, let update),
      .expiryTooSoon(let update):
      // What it says now can be kept to the next time; when that leads here again, it is of no use.
      if !learn(update, of: direction, from: node, part) { exclude(direction, part, isPermanent: false) }
    case .channelDisabled: exclude(direction, part, isPermanent: false)
    // It says that something is wrong with its part of the onion, or with the payment: other routes do without it.
    case .invalidOnionPayload, .expiryTooFar, .incorrectOrUnknownPaymentDetails, .finalIncorrectCLTVExpiry,
      .finalIncorrectHTLCAmount, .mppTimeout:
      exclude(node, part, isPermanent: false)
    default:
      // BOLT 4: if the NODE bit is set: SHOULD remove all channels connected with the erring node from consideration.
      if code.isNodeFailure {
        exclude(node, part, isPermanent: code.isPermanent)
      } else {
        exclude(direction, part, isPermanent: code.isPermanent && !code.isBadOnion)
      }
    }
    return failure
  }

  // MARK: Learning

  private mutating func stop(_ part: PartRecord, _ failure: PaymentFailure) {
    guard var sending = sendings[part.id.payment] else { return }
    sending.failure = sending.failure ?? failure
    sending.queue = []
    sendings[part.id.payment] = sending
  }

  private mutating func raiseFinalDelta(_ part: PartRecord, by blocks: UInt32) {
    guard let delta = sendings[part.id.payment]?.finalCLTVDelta else { return }
    sendings[part.id.payment]?.finalCLTVDelta = delta.addingCapped(blocks)
  }

  private mutating func exclude(_ direction: ChannelDirection, _ part: PartRecord, isPermanent: Bool) {
    sendings[part.id.payment]?.excludedChannels.insert(direction)
    emit(.learned(.channelFailed(direction, isPermanent: isPermanent)))
  }

  private mutating func exclude(_ node: PublicKey, _ part: PartRecord, isPermanent: Bool) {
    if node == part.destination {
      stop(part, PaymentFailure(.destinationFailed, "the payee fails", erringNode: node))
    }
    sendings[part.id.payment]?.excludedNodes.insert(node)
    emit(.learned(.nodeFailed(node, isPermanent: isPermanent)))
  }

  private mutating func limit(_ direction: ChannelDirection, to amount: MilliSatoshi, _ part: PartRecord) {
    if let known = sendings[part.id.payment]?.limits[direction], known <= amount {
      // It should not have been asked for that much: whatever is wrong, not again.
      sendings[part.id.payment]?.excludedChannels.insert(direction)
    }
    sendings[part.id.payment]?.limits[direction] = amount
    emit(.learned(.failed(direction, amount)))
  }

  /// Takes note of a `channel_update`, for this payment alone. False when it says nothing new.
  private mutating func learn(
    _ bytes: [UInt8], of direction: ChannelDirection, from node: PublicKey, _ part: PartRecord
  ) -> Bool {
    guard !bytes.isEmpty,
      // Some write the message with its type, some without.
      let update = (try? ChannelUpdate(decoding: bytes)) ?? (try? ChannelUpdate(decoding: [0x01, 0x02] + bytes)),
      update.shortChannelID == direction.shortChannelID, update.isFromNode2 == (direction.direction == 1),
      (try? update.verifySignature(by: NodeID(node))) != nil
    else { return false }
    let policy = ForwardingPolicy(
      feeBaseMsat: update.feeBaseMsat, feeProportionalMillionths: update.feeProportionalMillionths,
      cltvExpiryDelta: update.cltvExpiryDelta, htlcMinimumMsat: update.htlcMinimumMsat,
      htlcMaximumMsat: update.htlcMaximumMsat, isDisabled: update.channelFlags.contains(.disable))
    guard sendings[part.id.payment] != nil, sendings[part.id.payment]?.policies[direction] != policy else {
      return false
    }
    sendings[part.id.payment]?.policies[direction] = policy
    return true
  }
}
