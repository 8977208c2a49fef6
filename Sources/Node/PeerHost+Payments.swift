internal import BOLT
internal import Bitcoin
internal import Encoding
internal import GLC
internal import Logging
internal import Payments
internal import Storage
internal import Wire

// Payments that are offered over the channels of a peer, and how they end.

extension PeerHost {
  func tellPayments(_ notice: PaymentNotice) {
    switch notice {
    case .incoming(let offer): batch.payments.append(.incoming(IncomingPayment(offer, at: .now)))
    case .outcome(let origin, let outcome): batch.payments.append(.outcome(origin: origin, PaymentOutcome(outcome)))
    case .incomingGone(let channel, let payment):
      batch.payments.append(.removed(PaymentKey(channel: channel, payment)))
    }
  }

  func offer(_ payment: OutgoingPayment) {
    var refusal = OfferRefusal.unknownChannel
    var isLater = false
    for id in payment.channels {
      // Nobody overtakes who waits for room.
      if payment.isOurs, channels[id]?.waiting.isEmpty == false {
        refusal = .tooManyPending
        continue
      }
      guard let reason = tryOffer(payment, over: id) else { return }
      refusal = reason
      isLater = isLater || channels[id]?.channel.core?.isProposing == true
    }
    if refusal == .tooManyPending, payment.isOurs, let id = payment.channels.last,
      channels[id].map({ $0.waiting.count < WaitingOffer.maximumCount }) == true
    {
      channels[id]?.waiting.append(WaitingOffer(payment))
      unfinished.insert(id)
      return
    }
    // Between a proposed commitment and its signature nothing can be offered: a moment later it can, or the connection is gone.
    guard !isLater else { return waitingOffers.append(payment) }
    batch.payments.append(.outcome(origin: payment.origin, .notOffered(refusal)))
  }

  /// Why it was not offered; nil when it was.
  private func tryOffer(_ payment: OutgoingPayment, over id: ChannelID) -> OfferRefusal? {
    guard var hosted = channels[id] else { return .unknownChannel }
    if let reason = hosted.channel.obstacle(to: payment) { return reason }
    do {
      let offer = AnyPaymentOffer(
        id: 0, amount: payment.amount, lock: payment.lock, expiry: payment.expiry, onion: payment.onion,
        pathKey: payment.pathKey)
      let (name, effects) = try hosted.channel.offer(offer, origin: payment.origin)
      channels[id] = hosted
      batch.touched.insert(id)
      apply(effects, to: id)
      batch.payments.append(.offered(origin: payment.origin, PaymentKey(channel: id, name)))
      return nil
    } catch {
      logger.debug("an offer was not made", metadata: ["channel": "\(id)", "reason": "\(error)"])
      return channels[id]?.channel.exceededLimit(of: payment) ?? .insufficientBalance
    }
  }

  /// Payments of ours that found a channel full are offered as soon as there is room, in their order.
  func offerWaiting(_ id: ChannelID) {
    while let first = channels[id]?.waiting.first, channels[id]?.channel.core?.isProposing == false || first.isOver {
      let refusal = tryOffer(first.payment, over: id)
      if refusal == .tooManyPending, !first.isOver { return }
      channels[id]?.waiting.removeFirst()
      if let refusal { batch.payments.append(.outcome(origin: first.payment.origin, .notOffered(refusal))) }
    }
  }

  /// Makes the offers that had to wait.
  func tryOffers() {
    let waiting = waitingOffers
    waitingOffers = []
    for payment in waiting { offer(payment) }
  }

  func settle(_ key: PaymentKey, _ witness: PaymentWitness, _ attribution: [UInt8]?) {
    guard let hosted = channels[key.channel] else { return }
    // On its way to the chain, but not there yet, it is used as soon as it is.
    if hosted.onchain != nil { return settleOnchain(key, witness) }
    remove(key, .settle(witness, attribution: attribution))
  }

  /// Removes a payment of the peer's, now or as soon as the channel can.
  func remove(_ key: PaymentKey, _ removal: Removal) {
    guard channels[key.channel] != nil else { return }
    channels[key.channel]?.removals[key.payment] = removal
    unfinished.insert(key.channel)
    tryRemovals(key.channel)
  }

  func tryRemovals(_ id: ChannelID) {
    guard let hosted = channels[id], !hosted.removals.isEmpty, hosted.channel.isEstablished, connection != nil else {
      return
    }
    for (name, removal) in hosted.removals.sorted(by: { $0.key < $1.key }) {
      guard var next = channels[id] else { return }
      do throws(ChannelError) {
        let effects =
          switch removal {
          case .settle(let witness, let attribution):
            try next.channel.settle(name, with: witness, attribution: attribution)
          case .refuse(let reason, let attribution):
            try next.channel.refuse(name, reason: reason, attribution: attribution)
          case .refuseMalformed(let onionHash, let code):
            try next.channel.refuseMalformed(name, onionHash: onionHash, code: code)
          }
        next.removals[name] = nil
        channels[id] = next
        batch.touched.insert(id)
        apply(effects, to: id)
      } catch {
        // Not possible now: it waits. What is gone already, or is being removed, has nothing left to wait for.
        if case .notNow = error,
          next.channel.pendingPayments.contains(where: { $0.name == name && $0.offeredBy == .remote }),
          !next.channel.removal(of: name).isOnItsWay
        {
          continue
        }
        channels[id]?.removals[name] = nil
        logger.debug("a payment was not removed", metadata: ["channel": "\(id)", "reason": "\(error)"])
      }
    }
  }
}

/// A payment of ours that waits for room in a channel. Those that are passed on do not: their senders may know another way.
struct WaitingOffer: Sendable {
  let payment: OutgoingPayment
  private let deadline = ContinuousClock.now + .seconds(10)

  init(_ payment: OutgoingPayment) { self.payment = payment }

  var isOver: Bool { ContinuousClock.now >= deadline }

  /// Of one channel.
  static let maximumCount = 2000
}

extension PaymentOutcome {
  init(_ outcome: OfferOutcome) {
    self =
      switch outcome {
      case .settled(let witness, let attribution): .settled(witness, attribution: attribution)
      case .failed(let reason, let attribution): .failed(reason: reason, attribution: attribution)
      case .malformed(let code, let onionHash): .malformed(code: code, onionHash: onionHash)
      }
  }
}

extension IncomingPayment {
  init(_ incoming: IncomingOffer, at time: PaymentTime?) {
    self.init(
      key: PaymentKey(channel: incoming.channel, incoming.offer.name), amount: incoming.offer.amount,
      lock: incoming.offer.lock, expiry: incoming.offer.expiry, onion: incoming.offer.onion,
      pathKey: incoming.offer.pathKey, records: incoming.offer.records, receivedAt: time,
      exceedsDustExposure: incoming.exceedsDustExposure)
  }
}
