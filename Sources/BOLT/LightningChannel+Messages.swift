internal import Bitcoin
internal import Encoding
internal import GLC
public import Wire

// What a peer says about a channel, and what that makes due.

extension LightningChannel {
  /// Takes a message of the peer about this channel.
  public mutating func receive(_ message: Message, _ context: ChannelContext) -> [LightningEffect] {
    var effects: [LightningEffect] = []
    var next = self
    do throws(Fault) {
      try next.take(message, context, &effects)
      self = next
      return effects
    } catch {
      return handle(error)
    }
  }

  mutating func take(
    _ message: Message, _ context: ChannelContext, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    if case .error(let error) = message {
      effects += receivedError(error)
      return
    }
    // BOLT 2 §Message Retransmission: if a channel is in an error state: SHOULD retransmit the error packet and ignore any other packets
    // for that channel.
    if let failure {
      if case .channelReestablish = message { effects.append(try send(errorMessage(failure))) }
      return
    }
    // What was on its way when a block spent the funding: Electrum answers the last `closing_signed` with another one.
    guard phase < .onchain else { return }
    if case .channelReestablish(let theirs) = message {
      try reestablish(theirs, context, &effects)
      return
    }
    switch message {
    case .acceptChannel(let accept): try receive(accept, context, &effects)
    case .fundingCreated(let created): try receive(created, &effects)
    case .fundingSigned(let signed): try receive(signed, &effects)
    default:
      guard isFunded else { throw .fail("\(message.typeName) before the channel is funded") }
      // BOLT 2: MUST wait to receive the other node's `channel_reestablish` message before sending any other messages for that channel.
      guard isEstablished else { throw .warn("\(message.typeName) before channel_reestablish") }
      switch message {
      case .channelReady(let ready): try receive(ready, context, &effects)
      case .commitmentSigned(let commitment): try receive(commitment, &effects)
      case .revokeAndAck(let revocation): try receive(revocation, &effects)
      case .updateFee(let update): try receive(update, context, &effects)
      case .shutdown(let shutdown): try receive(shutdown, context, &effects)
      case .closingSigned(let closing): try receive(closing, context, &effects)
      case .closingComplete(let complete): try receive(complete, context, &effects)
      case .closingSig(let signature): try receive(signature, context, &effects)
      case .stfu(let stfu): try receive(stfu, context)
      case .announcementSignatures(let signatures): receive(signatures, &effects)
      default: throw .warn("\(message.typeName) is not a message about a channel in operation")
      }
    }
  }

  /// Sends what the batch of inputs since the last call has made due: a signature, a `shutdown` that waited for one, the next step of
  /// closing. To be called before the effects are carried out.
  /// - Parameter holdsCommitment: leaves a signature that is due to a later call, which must come.
  public mutating func flush(_ context: ChannelContext, holdsCommitment: Bool = false) -> [LightningEffect] {
    guard isFunded, failure == nil, isEstablished, phase < .onchain else { return [] }
    var effects: [LightningEffect] = []
    var next = self
    do throws(Fault) {
      if !holdsCommitment, next.owesCommitment {
        try next.step(&effects) { (core, signer) throws(ChannelError) in try core.commit(signer) }
      }
      try next.continueUpgrade(context, &effects)
      try next.continueQuiescence(context, &effects)
      try next.continueClosing(context, &effects)
      self = next
      return effects
    } catch {
      return handle(error)
    }
  }

  /// Whether a signature is due that can be made.
  var owesCommitment: Bool {
    guard let core else { return false }
    return core.canCommit && core.knowsNextPoint && isReady.local && isReady.remote
  }

  /// Whether a signature is due, for nothing but payments that were settled. Who offered them has the witnesses, and nobody waits for
  /// anything else: a payment that follows at once can go with it, as long as what is pending meanwhile leaves room for others.
  public var owesSettlementsAlone: Bool {
    guard phase == .normal, owesCommitment, let core else { return false }
    let slots = core.stack.payments
    let areSettlements = core.log.changes(for: .remote).allSatisfy { entry in
      guard case .extension(let position, let update) = entry.content,
        case .settled? = slots.first(where: { $0.position == position })?.slot.event(update)
      else { return false }
      return true
    }
    return areSettlements
      && slots.allSatisfy { leavesRoom($0.slot, in: core.fundings.first?.base.ledgers[$0.position]) }
  }

  /// Whether more than half of what we accept at a time is free.
  private func leavesRoom(_ slot: any PaymentSlot, in ledger: (any LedgerSlot)?) -> Bool {
    let pending = ledger.map { slot.pending(in: $0).filter { $0.offeredBy == .remote } } ?? []
    let limits = slot.limits.local
    let sum = pending.reduce(UInt64(0)) { $0.addingReportingOverflow($1.amount.rawValue).partialValue }
    return pending.count < Int(limits.maximumAccepted) / 2 && sum < limits.maximumInFlight.rawValue / 2
  }

  /// Does now what the next commitments will need, while nobody waits for it.
  public func prepare() { core?.prepareKeys(signer) }

  mutating func handle(_ fault: Fault) -> [LightningEffect] {
    switch fault {
    case .warn(let reason): [.disconnect(reason)]
    case .fail(let reason): fail(reason)
    }
  }

  /// The channel goes to the chain, or, when nothing is at stake yet, is forgotten. The peer is told.
  public mutating func fail(_ reason: String, tellingPeer: Bool = true) -> [LightningEffect] {
    guard phase < .onchain else { return [] }
    var effects: [LightningEffect] = []
    if tellingPeer, let message = try? send(errorMessage(reason)) { effects.append(message) }
    failure = reason
    core?.fail()
    guard isFunded else { return effects + [.forget(reason)] }
    phase = .onchain
    return [.persist] + effects + [.forceClose(reason)]
  }

  /// The funding output was spent: by whom is for the resolver to find out.
  public mutating func fundingWasSpent() -> [LightningEffect] {
    guard phase < .onchain else { return [] }
    core?.fail()
    phase = .onchain
    return [.persist]
  }

  /// Everything is irrevocably resolved.
  public mutating func end() { phase = .ended }

  /// BOLT 1: the receiving node: upon receiving `error`: if `channel_id` is all zero: MUST fail all channels with the sending node;
  /// otherwise: MUST fail the channel referred to by `channel_id`, if that channel is with the sending node.
  mutating func receivedError(_ error: ErrorMessage) -> [LightningEffect] {
    fail("the peer says: \(error.data.safeText(limit: 200))", tellingPeer: false)
  }

  func errorMessage(_ reason: String) -> ErrorMessage { ErrorMessage(channelID: id, data: PeerText(reason)) }

  func send(_ message: some Wire.WireMessage) throws(Fault) -> LightningEffect {
    do { return .send(try message.encoded()) } catch { throw .fail("a message that is too large") }
  }
}

extension Message {
  /// For texts.
  var typeName: String { MessageType.known(type)?.name ?? "message \(type)" }
}
