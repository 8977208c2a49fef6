public import Bitcoin
public import Encoding
public import GLC
internal import Wire

// Payments over a channel, of whatever kind its stack carries.

extension LightningChannel {
  /// The kinds of payments that the channel carries, by their positions in the stack.
  public var paymentSlots: [(position: Int, slot: any PaymentSlot)] { core?.stack.payments ?? [] }

  private func slot(of kind: ExtensionID) throws(ChannelError) -> (position: Int, slot: any PaymentSlot) {
    guard let found = paymentSlots.first(where: { $0.slot.id == kind }) else {
      throw .notNow("the channel carries no payments of \(kind)")
    }
    return found
  }

  private func slot(ofPending id: UInt64, offeredBy party: Party) throws(ChannelError) -> (
    position: Int, slot: any PaymentSlot
  ) {
    guard let state = core?.fundings.first?.base else { throw .notNow("the channel is not open") }
    for candidate in paymentSlots
    where candidate.slot.isPending(id, offeredBy: party, in: state.ledgers[candidate.position]) { return candidate }
    throw .notNow("no payment \(id) of \(party)")
  }

  /// Offers a payment. Its id is the channel's to choose; `origin` comes back with the outcome, and is stored with the channel.
  public mutating func offer(
    _ payment: AnyPaymentOffer, origin: [UInt8]
  ) throws(ChannelError) -> (id: UInt64, effects: [LightningEffect]) {
    guard canOffer, let core else { throw .notNow("the channel is not in normal operation") }
    let (position, slot) = try slot(of: payment.lock.kind)
    var payment = payment
    payment.id = nextOfferID(position, slot, core)
    guard let update = slot.offer(payment) else { throw .notNow("a lock of another kind") }
    let effects = try propose(.extension(position, update))
    origins[payment.id] = origin
    return (payment.id, effects)
  }

  private func nextOfferID(_ position: Int, _ slot: any PaymentSlot, _ core: Channel) -> UInt64 {
    core.expected.flatMap { slot.nextID(of: .local, in: $0.ledgers[position]) } ?? 0
  }

  /// Takes a payment that the remote party has offered.
  public mutating func settle(
    _ id: UInt64, with witness: PaymentWitness, attribution: [UInt8]?
  ) throws(ChannelError) -> [LightningEffect] {
    let (position, slot) = try slot(ofPending: id, offeredBy: .remote)
    guard let update = slot.settle(id, with: witness, attribution: attribution) else {
      throw .notNow("a witness of another kind")
    }
    return try propose(.extension(position, update))
  }

  /// Refuses a payment that the remote party has offered. `reason` is for the payer alone.
  public mutating func refuse(
    _ id: UInt64, reason: [UInt8], attribution: [UInt8]?
  ) throws(ChannelError) -> [LightningEffect] {
    let (position, slot) = try slot(ofPending: id, offeredBy: .remote)
    return try propose(.extension(position, slot.fail(id, reason: reason, attribution: attribution)))
  }

  /// Refuses a payment whose onion cannot be read.
  public mutating func refuseMalformed(
    _ id: UInt64, onionHash: Bytes32, code: UInt16
  ) throws(ChannelError) -> [LightningEffect] {
    let (position, slot) = try slot(ofPending: id, offeredBy: .remote)
    return try propose(.extension(position, slot.failMalformed(id, onionHash: onionHash, code: code)))
  }

  /// What is pending for good, of both sides.
  public var pendingPayments: [AnyPendingPayment] {
    guard let state = core?.fundings.first?.base else { return [] }
    return paymentSlots.flatMap { $0.slot.pending(in: state.ledgers[$0.position]) }
  }

  /// Everything that is pending or has been proposed: what a stored outcome or a decision may still refer to.
  public var livePayments: [AnyPendingPayment] {
    guard let core, let funding = core.fundings.first else { return [] }
    var found: [AnyPendingPayment] = []
    var known = PerParty<Set<UInt64>>(local: [], remote: [])
    func add(_ payments: [AnyPendingPayment]) {
      for payment in payments where known[payment.offeredBy].insert(payment.id).inserted { found.append(payment) }
    }
    for (position, slot) in core.stack.payments {
      add(slot.pending(in: funding.base.ledgers[position]))
      add(slot.pending(in: funding.local.ledgers[position]))
      for state in funding.remote { add(slot.pending(in: state.ledgers[position])) }
      for entry in core.log.entries {
        if case .extension(position, let update) = entry.content, case .offered(let offer)? = slot.event(update) {
          add([
            PendingPayment(
              id: offer.id, offeredBy: entry.author, amount: offer.amount, lock: offer.lock, expiry: offer.expiry)
          ])
        }
      }
    }
    return found
  }

  /// What we could offer now, as far as balance, reserve and fee allow.
  public var spendable: MilliSatoshi {
    guard let core, var state = core.expected else { return .zero }
    let party = core.parameters.parties.local
    var available = state.balances[.local]
    if let reserve = party.reserve.milliSatoshi { available = available.subtracting(reserve) ?? .zero }
    guard core.parameters.funder == .local else { return available }
    func cost(_ state: CommitmentState) -> MilliSatoshi {
      let cost = max(
        core.funderCost(state, heldBy: .local, withBuffer: true) ?? .zero,
        core.funderCost(state, heldBy: .remote, withBuffer: true) ?? .zero)
      return cost.milliSatoshi ?? .zero
    }
    let fixed = cost(state)
    available = available.subtracting(fixed) ?? .zero
    // One more payment makes the commitment heavier, and the opener pays for that too.
    guard available > .zero, let (position, slot) = core.stack.payments.first,
      let update = slot.offer(
        AnyPaymentOffer(
          id: nextOfferID(position, slot, core), amount: available,
          lock: PaymentLock(kind: slot.id, bytes: [UInt8](repeating: 0, count: 32)), expiry: 1,
          onion: [UInt8](repeating: 0, count: 1366)))
    else { return available }
    guard (try? state.apply(.extension(position, update), by: .local)) != nil,
      let further = cost(state).subtracting(fixed)
    else { return available }
    return available.subtracting(further) ?? .zero
  }

  /// What the remote party could offer, as far as we can tell.
  public var receivable: MilliSatoshi {
    guard let core, let funding = core.fundings.first else { return .zero }
    let party = core.parameters.parties.remote
    var available = funding.base.balances[.remote]
    if let reserve = party.reserve.milliSatoshi { available = available.subtracting(reserve) ?? .zero }
    if core.parameters.funder == .remote {
      let cost = core.funderCost(funding.base, heldBy: .remote, withBuffer: true) ?? .zero
      available = available.subtracting(cost.milliSatoshi ?? .zero) ?? .zero
    }
    return available
  }

  // MARK: What the core reports

  /// An update of an extension: the message behind its type and the channel's id.
  public mutating func receiveUpdate(type: UInt16, body: RawSpan) -> [LightningEffect] {
    guard failure == nil, phase < .onchain else { return [] }
    guard isFunded, isEstablished else { return [.disconnect("an update before the channel is established")] }
    var next = self
    var effects: [LightningEffect] = []
    do throws(Fault) {
      guard let stack = next.core?.stack, let position = stack.owner(ofMessage: type) else {
        throw .warn("message \(type) is not one of this channel's")
      }
      // BOLT 2: `update_*` before `channel_ready` from both sides makes no sense.
      guard next.isReady.local, next.isReady.remote else { throw .fail("an update before channel_ready") }
      let update: AnyUpdate
      do { update = try stack.extensions[position].decodeMessage(type: type, body: body) } catch {
        throw error.consequence == .warning ? .warn(error.reason) : .fail(error.reason)
      }
      if next.shutdownScripts.remote != nil, case .offered? = next.paymentSlot(position)?.event(update) {
        // BOLT 2: MUST NOT send an `update_add_htlc` after a `shutdown`.
        throw .fail("an offer after shutdown")
      }
      try next.step(&effects) { (core, signer) throws(ChannelError) in
        try core.receive(.update(.extension(position, update)), signer)
      }
      self = next
      return effects
    } catch {
      return handle(error)
    }
  }

  /// The types of messages that are updates of this channel's extensions.
  public func ownsMessage(_ type: UInt16) -> Bool { core?.stack.owner(ofMessage: type) != nil }

  private func paymentSlot(_ position: Int) -> (any PaymentSlot)? {
    guard let core, core.stack.extensions.indices.contains(position) else { return nil }
    return core.stack.extensions[position] as? any PaymentSlot
  }

  mutating func noteReceived(_ content: UpdateContent, _ effects: inout [LightningEffect]) throws(Fault) {
    guard case .extension(let position, let update) = content, let slot = paymentSlot(position),
      case .settled(let id, let witness, let attribution)? = slot.event(update), let origin = origins[id]
    else { return }
    // The lock is open, whatever becomes of the channel: what stands behind the offer can be settled at once. From here on the outcome
    // is stored, and nothing that happens to the offer later may take its place.
    let outcome = OfferOutcome.settled(witness, attribution: attribution)
    origins[id] = nil
    effects += [.persist, .record(.outcome(origin: origin, outcome)), .payment(.outcome(origin: origin, outcome))]
  }

  mutating func noteIrrevocable(
    _ content: UpdateContent, _ author: Party, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    guard case .extension(let position, let update) = content, let slot = paymentSlot(position),
      let event = slot.event(update)
    else { return }
    switch (event, author) {
    case (.offered(let offer), .remote):
      // BOLT 2: dust beyond `max_dust_htlc_exposure_msat` is refused once it is committed.
      let incoming = IncomingOffer(
        channel: id, offer: offer, exceedsDustExposure: core?.isOverexposed(by: content) ?? false)
      effects += [.record(.incoming(incoming)), .payment(.incoming(incoming))]
    case (.offered, .local): break
    case (_, .local):
      effects += [
        .record(.incomingGone(id: event.id)), .payment(.incomingGone(channel: id, id: event.id)),
      ]
    case (.settled(let id, _, _), .remote): origins[id] = nil
    case (.failed(let id, let reason, let attribution), .remote):
      try finish(id, .failed(reason: reason, attribution: attribution), &effects)
    case (.failedMalformed(let id, let onionHash, let code), .remote):
      try finish(id, .malformed(code: code, onionHash: onionHash), &effects)
    }
  }

  private mutating func finish(
    _ id: UInt64, _ outcome: OfferOutcome, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    guard let origin = origins.removeValue(forKey: id) else { return }
    effects += [.record(.outcome(origin: origin, outcome)), .payment(.outcome(origin: origin, outcome))]
  }
}

extension LightningChannel {
  /// What opens the locks of payments that we have settled, and of which the other side may not know yet.
  public var knownSecrets: [(SecretID, [UInt8])] {
    guard let core else { return [] }
    var found: [(SecretID, [UInt8])] = []
    let payments = livePayments
    for (position, slot) in core.stack.payments {
      for entry in core.log.entries where entry.author == .local {
        guard case .extension(position, let update) = entry.content,
          case .settled(let id, let witness, _)? = slot.event(update),
          let lock = payments.first(where: { $0.id == id && $0.offeredBy == .remote })?.lock,
          let secretID = slot.secretID(of: lock), let secret = slot.secret(of: witness)
        else { continue }
        found.append((secretID, secret))
      }
    }
    return found
  }

  /// Whether an update of ours that removes a payment of the remote party is on its way.
  public func removal(of id: UInt64) -> (isOnItsWay: Bool, isSettled: Bool) {
    guard let core else { return (false, false) }
    for (position, slot) in core.stack.payments {
      for entry in core.log.entries where entry.author == .local {
        guard case .extension(position, let update) = entry.content, let event = slot.event(update), event.id == id
        else {
          continue
        }
        switch event {
        case .offered: continue
        case .settled: return (true, true)
        case .failed, .failedMalformed: return (true, false)
        }
      }
    }
    return (false, false)
  }

  /// An offer of ours has ended on the chain.
  public mutating func forgetOrigin(of id: UInt64) { origins[id] = nil }
}
