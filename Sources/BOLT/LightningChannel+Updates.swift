internal import Encoding
public import GLC
internal import Wire

// What becomes of updates, and what payments hear of it.

extension LightningChannel {
  /// A message that is not one of the BOLTs', but this channel's: an update of one of its extensions, or the core's own. `body` begins
  /// behind the channel's id.
  public mutating func receive(type: UInt16, body: RawSpan, _ context: ChannelContext) -> [LightningEffect] {
    guard failure == nil, phase < .onchain else { return [] }
    guard isFunded, isEstablished else { return [.disconnect("message \(type) before the channel is established")] }
    var next = self
    var effects: [LightningEffect] = []
    do throws(Fault) {
      // BOLT 2: `update_*` before `channel_ready` from both sides makes no sense.
      guard next.isReady.local, next.isReady.remote else { throw .fail("message \(type) before channel_ready") }
      if next.isSignatureMessage(type) {
        try next.receiveSignatures(type: type, body: body, &effects)
      } else if UpgradeMessage.types.contains(type) {
        try next.receiveUpgrade(type: type, body: body, context, &effects)
      } else {
        try next.receiveUpdate(type: type, body: body, &effects)
      }
      self = next
      return effects
    } catch {
      return handle(error)
    }
  }

  private mutating func receiveUpdate(
    type: UInt16, body: RawSpan, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    try requireUpdates()
    guard let stack = core?.stack, let position = stack.owner(ofMessage: type) else {
      throw .warn("message \(type) is not one of this channel's")
    }
    let update: AnyUpdate
    do { update = try stack.extensions[position].decodeMessage(type: type, body: body) } catch {
      throw error.consequence == .warning ? .warn(error.reason) : .fail(error.reason)
    }
    if shutdownScripts.remote != nil, case .offered? = paymentSlot(position)?.event(update) {
      // BOLT 2: MUST NOT send an `update_add_htlc` after a `shutdown`.
      throw .fail("an offer after shutdown")
    }
    try step(&effects) { (core, signer) throws(ChannelError) in
      try core.receive(.update(.extension(position, update)), signer)
    }
  }

  /// Whether messages of this type are the channel's alone: its extensions' updates, and what the core says where they ask for it.
  public func ownsMessage(_ type: UInt16) -> Bool {
    core?.stack.owner(ofMessage: type) != nil || isSignatureMessage(type)
      || (peerComposes && isFunded && UpgradeMessage.types.contains(type))
  }

  private func paymentSlot(_ position: Int) -> (any PaymentSlot)? {
    guard let core, core.stack.extensions.indices.contains(position) else { return nil }
    return core.stack.extensions[position] as? any PaymentSlot
  }

  mutating func noteReceived(_ content: UpdateContent, _ effects: inout [LightningEffect]) throws(Fault) {
    guard case .extension(let position, let update) = content, let slot = paymentSlot(position),
      case .settled(let number, let witness, let attribution)? = slot.event(update),
      let origin = origins.removeValue(forKey: PaymentName(slot.id, number))
    else { return }
    // The lock is open, whatever becomes of the channel: what stands behind the offer can be settled at once. From here on the outcome
    // is stored, and nothing that happens to the offer later may take its place.
    let outcome = OfferOutcome.settled(witness, attribution: attribution)
    effects += [.persist, .record(.outcome(origin: origin, outcome)), .payment(.outcome(origin: origin, outcome))]
  }

  mutating func noteIrrevocable(
    _ content: UpdateContent, _ author: Party, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    if case .stack = content { return noteStackChange(&effects) }
    guard case .extension(let position, let update) = content, let slot = paymentSlot(position),
      let event = slot.event(update)
    else { return }
    let payment = PaymentName(slot.id, event.id)
    switch (event, author) {
    case (.offered(let offer), .remote):
      // BOLT 2: dust beyond `max_dust_htlc_exposure_msat` is refused once it is committed.
      let incoming = IncomingOffer(
        channel: id, offer: offer, exceedsDustExposure: core?.isOverexposed(by: content) ?? false)
      effects += [.record(.incoming(incoming)), .payment(.incoming(incoming))]
    case (.offered, .local): break
    case (_, .local):
      effects += [
        .record(.incomingGone(payment)), .payment(.incomingGone(channel: id, payment)),
      ]
    case (.settled, .remote): origins[payment] = nil
    case (.failed(_, let reason, let attribution), .remote):
      finish(payment, .failed(reason: reason, attribution: attribution), &effects)
    case (.failedMalformed(_, let onionHash, let code), .remote):
      finish(payment, .malformed(code: code, onionHash: onionHash), &effects)
    }
  }

  private mutating func finish(
    _ payment: PaymentName, _ outcome: OfferOutcome, _ effects: inout [LightningEffect]
  ) {
    guard let origin = origins.removeValue(forKey: payment) else { return }
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
          let lock = payments.first(where: { $0.name == PaymentName(slot.id, id) && $0.offeredBy == .remote })?.lock,
          let secretID = slot.secretID(of: lock), let secret = slot.secret(of: witness)
        else { continue }
        found.append((secretID, secret))
      }
    }
    return found
  }

  /// Whether an update of ours that removes a payment of the remote party is on its way.
  public func removal(of payment: PaymentName) -> (isOnItsWay: Bool, isSettled: Bool) {
    guard let core else { return (false, false) }
    for (position, slot) in core.stack.payments where slot.id == payment.kind {
      for entry in core.log.entries where entry.author == .local {
        guard case .extension(position, let update) = entry.content, let event = slot.event(update),
          event.id == payment.number
        else { continue }
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
  public mutating func forgetOrigin(of payment: PaymentName) { origins[payment] = nil }
}
