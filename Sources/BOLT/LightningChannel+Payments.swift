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

  /// Offers a payment. Its id is the channel's to choose; `origin` comes back with the outcome, and is stored with the channel.
  public mutating func offer(
    _ payment: AnyPaymentOffer, origin: [UInt8]
  ) throws(ChannelError) -> (id: PaymentName, effects: [LightningEffect]) {
    guard canOffer, let core else { throw .notNow("the channel is not in normal operation") }
    let (position, slot) = try slot(of: payment.lock.kind)
    var payment = payment
    payment.id = nextOfferID(position, slot, core)
    guard let update = slot.offer(payment) else { throw .notNow("a lock of another kind") }
    let effects = try propose(.extension(position, update))
    origins[payment.name] = origin
    return (payment.name, effects)
  }

  private func nextOfferID(_ position: Int, _ slot: any PaymentSlot, _ core: Channel) -> UInt64 {
    core.expected.flatMap { slot.nextID(of: .local, in: $0.ledgers[position]) } ?? 0
  }

  /// Takes a payment that the remote party has offered.
  public mutating func settle(
    _ payment: PaymentName, with witness: PaymentWitness, attribution: [UInt8]?
  ) throws(ChannelError) -> [LightningEffect] {
    let (position, slot) = try slot(ofIncoming: payment)
    guard let update = slot.settle(payment.number, with: witness, attribution: attribution) else {
      throw .notNow("a witness of another kind")
    }
    return try propose(.extension(position, update))
  }

  /// Refuses a payment that the remote party has offered. `reason` is for the payer alone.
  public mutating func refuse(
    _ payment: PaymentName, reason: [UInt8], attribution: [UInt8]?
  ) throws(ChannelError) -> [LightningEffect] {
    let (position, slot) = try slot(ofIncoming: payment)
    return try propose(.extension(position, slot.fail(payment.number, reason: reason, attribution: attribution)))
  }

  /// Refuses a payment whose onion cannot be read.
  public mutating func refuseMalformed(
    _ payment: PaymentName, onionHash: Bytes32, code: UInt16
  ) throws(ChannelError) -> [LightningEffect] {
    let (position, slot) = try slot(ofIncoming: payment)
    return try propose(.extension(position, slot.failMalformed(payment.number, onionHash: onionHash, code: code)))
  }

  /// The extension of a payment that the remote party has offered for good.
  private func slot(ofIncoming payment: PaymentName) throws(ChannelError) -> (position: Int, slot: any PaymentSlot) {
    guard let state = core?.fundings.first?.base else { throw .notNow("the channel is not open") }
    let found = try slot(of: payment.kind)
    guard found.slot.isPending(payment.number, offeredBy: .remote, in: state.ledgers[found.position]) else {
      throw .notNow("no payment \(payment.number) of the remote party")
    }
    return found
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
    var known = PerParty<Set<PaymentName>>(local: [], remote: [])
    func add(_ payments: [AnyPendingPayment]) {
      for payment in payments where known[payment.offeredBy].insert(payment.name).inserted { found.append(payment) }
    }
    for state in [funding.base, funding.local] + funding.remote {
      // While the stack changes, each state has its own.
      for (position, slot) in state.stack.payments { add(slot.pending(in: state.ledgers[position])) }
    }
    for (position, slot) in core.stack.payments {
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
    guard available > .zero, let (position, slot) = state.stack.payments.first,
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
}
