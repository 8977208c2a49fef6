internal import Bitcoin
internal import Encoding
public import GLC
internal import Secp256k1
internal import Signer
internal import Wire

// Another stack for an open channel, between two quiescent nodes (docs/NEGOTIATION.md §Upgrade). The one who asked for quiescence proposes; the
// other accepts or refuses; what is agreed is then an update like any other, alone in the log.

/// What we want a channel to become.
struct UpgradeWish: Sendable {
  enum State: Hashable, Sendable {
    /// Waits for quiescence.
    case waiting
    /// `stack_proposed` is sent.
    case proposed
    /// `stack_accepted` has come: the change is in the log.
    case changing
  }

  var description: StackDescription
  /// With the parameters that were proposed.
  var stack: ChannelStack?
  var state = State.waiting

  init(_ description: StackDescription) { self.description = description }
}

/// How a wish for another stack ended.
public enum UpgradeOutcome: Hashable, Sendable {
  /// Both sides' commitments have the new stack, and the old ones are revoked.
  case changed
  /// By the peer, or here before it was asked.
  case refused(StackRefusal)
  /// The connection was lost before anything was signed: the channel is what it was.
  case interrupted
}

extension LightningChannel {
  /// Asks the peer to exchange the stack of the open channel. What comes of it is told as `LightningEffect.upgrade`.
  public mutating func upgrade(
    to description: StackDescription, _ context: ChannelContext
  ) throws(StackRefusal) {
    guard phase == .normal, plannedShutdown == nil, isReady.local, isReady.remote, isEstablished, let core else {
      throw StackRefusal(.notNow, nil, "the channel is not in normal operation")
    }
    guard upgrade == nil, !core.isChangingStack else { throw StackRefusal(.notNow, nil, "the stack is being changed") }
    guard context.negotiated(.quiesce), peerComposes else {
      throw StackRefusal(.notNow, nil, "the peer does not exchange the stacks of open channels")
    }
    _ = try wanted(description, core, context)
    upgrade = UpgradeWish(description)
  }

  /// What we want the channel to become, as far as we know it is possible.
  private func wanted(
    _ description: StackDescription, _ core: Channel, _ context: ChannelContext
  ) throws(StackRefusal) -> (ChannelStack, Basepoints) {
    let stack = try context.registry.propose(description, replacing: core.stack, limits: paymentLimits)
    try core.check(stack)
    return (stack, try ownBasepoints(for: stack))
  }

  /// What we demand of payments of any kind.
  private var paymentLimits: AgreementLimits {
    AgreementLimits(
      minimum: policy.htlcMinimum, maximumInFlight: policy.maximumInFlight ?? capacity.milliSatoshi ?? .zero,
      maximumCount: min(policy.maximumAccepted, 483))
  }

  /// What we say to a stack that the peer wants.
  private func agree(to theirs: ChannelStack, _ context: ChannelContext) throws(StackRefusal) -> ChannelStack {
    guard let core else { throw StackRefusal(.notNow, nil, "the channel is not open") }
    let acceptable = StackSetting.Acceptable(
      minimum: policy.maximumHTLCMinimum, count: policy.minimumAccepted, inFlight: .zero)
    let agreed = try context.registry.agree(
      to: theirs, replacing: core.stack, limits: paymentLimits, acceptable: acceptable)
    try core.check(agreed)
    return agreed
  }

  /// Those that the new stack needs and the channel does not know yet, of our signer.
  private func ownBasepoints(for stack: ChannelStack) throws(StackRefusal) -> Basepoints {
    var keys: [Basepoint: PublicKey] = [:]
    for basepoint in Set(stack.keys.map(\.role.basepoint)) where !isNamed(basepoint) {
      guard let key = signer.basepoints[basepoint] else {
        throw StackRefusal(.keys, nil, "there is no basepoint \(basepoint.rawValue)")
      }
      keys[basepoint] = key
    }
    return Basepoints(keys)
  }

  /// Whether commitments of the channel have named a key of it.
  private func isNamed(_ basepoint: Basepoint) -> Bool {
    core?.namedKeys.contains { $0.role.basepoint == basepoint } == true
  }

  // MARK: What is due

  /// Proposes, once both sides are quiescent and it is our turn.
  mutating func continueUpgrade(_ context: ChannelContext, _ effects: inout [LightningEffect]) throws(Fault) {
    guard let wish = upgrade, wish.state == .waiting else { return }
    if phase != .normal || plannedShutdown != nil {
      endUpgrade(.refused(StackRefusal(.notNow, nil, "the channel is being closed")), &effects)
      return
    }
    guard let core else { return }
    if quiescence == Quiescence(), core.log.entries.isEmpty, context.registry.fits(core.stack, wish.description) {
      // The peer wanted the same, and was the first.
      endUpgrade(.changed, &effects)
      return
    }
    guard quiescence.isQuiescent, isQuiescenceInitiator else { return }
    do throws(StackRefusal) {
      let (stack, basepoints) = try wanted(wish.description, core, context)
      upgrade?.stack = stack
      upgrade?.state = .proposed
      effects.append(.send(UpgradeMessage.proposed(id, stack, basepoints)))
    } catch {
      // Nothing was said: the peer waits for us, and only a new connection ends that.
      endUpgrade(.refused(error), &effects)
      effects.append(.disconnect("quiescence that led to nothing"))
    }
  }

  private mutating func endUpgrade(_ outcome: UpgradeOutcome, _ effects: inout [LightningEffect]) {
    guard upgrade != nil else { return }
    upgrade = nil
    effects.append(.upgrade(outcome))
  }

  /// Quiescence is over, and updates flow again.
  private mutating func endQuiescence() {
    quiescence = Quiescence()
    agreedChange = nil
  }

  /// Of a lost connection: what was not signed was never agreed on.
  mutating func interruptUpgrade(_ effects: inout [LightningEffect]) {
    if core?.hasSignedStackChange != true { endUpgrade(.interrupted, &effects) }
    endQuiescence()
  }

  /// Both commitments have the new stack, for good.
  mutating func noteStackChange(_ effects: inout [LightningEffect]) {
    if upgrade?.state == .changing { endUpgrade(.changed, &effects) }
    endQuiescence()
    effects.append(.stackChanged)
  }

  // MARK: Messages

  mutating func receiveUpgrade(
    type: UInt16, body: RawSpan, _ context: ChannelContext, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    switch type {
    case UpgradeMessage.proposed: try receiveProposal(body, context, &effects)
    case UpgradeMessage.accepted: try receiveAcceptance(body, context, &effects)
    case UpgradeMessage.refused: try receiveRefusal(body, &effects)
    default: try receiveChange(body, context, &effects)
    }
  }

  private mutating func receiveProposal(
    _ body: RawSpan, _ context: ChannelContext, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    guard quiescence.isQuiescent, !isQuiescenceInitiator, agreedChange == nil, let core, !core.isChangingStack else {
      throw .warn("stack_proposed out of turn")
    }
    do throws(StackRefusal) {
      let theirs = try UpgradeMessage.change(body, context.registry, hasReceivers: false)
      guard phase == .normal, plannedShutdown == nil else {
        throw StackRefusal(.notNow, nil, "the channel is being closed")
      }
      guard policy.exchangesStacks else {
        throw StackRefusal(.policy, nil, "stacks of open channels are not exchanged here")
      }
      let stack = try agree(to: theirs.stack, context)
      let own = try ownBasepoints(for: stack)
      let change = StackChange(stack: stack, basepoints: PerParty(local: own, remote: theirs.basepoints.remote))
      // All but what can only be known with both parties' keys is known by now.
      var trial = core
      do { _ = try trial.receive(.update(.stack(change)), signer) } catch {
        throw StackRefusal(.keys, nil, "\(error)")
      }
      agreedChange = change
      effects.append(.send(UpgradeMessage.accepted(id, stack, own)))
    } catch {
      effects.append(.send(UpgradeMessage.refused(id, error)))
      endQuiescence()
    }
  }

  private mutating func receiveAcceptance(
    _ body: RawSpan, _ context: ChannelContext, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    guard let wish = upgrade, wish.state == .proposed, quiescence.isQuiescent else {
      throw .warn("stack_accepted out of turn")
    }
    do throws(StackRefusal) {
      let theirs = try UpgradeMessage.change(body, context.registry, hasReceivers: false)
      // What the peer has made of it: its own demands may be others, nothing else.
      guard context.registry.fits(theirs.stack, wish.description),
        try agree(to: theirs.stack, context).isSame(as: theirs.stack)
      else { throw StackRefusal(.parameters, nil, "the peer accepts another stack than the one that was proposed") }
      let change = StackChange(
        stack: theirs.stack,
        basepoints: PerParty(local: try ownBasepoints(for: theirs.stack), remote: theirs.basepoints.remote))
      upgrade?.state = .changing
      try step(stack: change, &effects)
    } catch {
      endUpgrade(.refused(error), &effects)
      effects.append(.disconnect("the stack that was accepted is not possible: \(error)"))
    }
  }

  private mutating func step(stack change: StackChange, _ effects: inout [LightningEffect]) throws(StackRefusal) {
    do throws(Fault) {
      try step(&effects) { (core, _) throws(ChannelError) in try core.propose(.stack(change)) }
    } catch {
      switch error {
      case .warn(let text), .fail(let text): throw StackRefusal(.notNow, nil, text)
      }
    }
  }

  private mutating func receiveRefusal(_ body: RawSpan, _ effects: inout [LightningEffect]) throws(Fault) {
    guard upgrade?.state == .proposed, quiescence.isQuiescent else { throw .warn("stack_refused out of turn") }
    let refusal: StackRefusal
    do { refusal = try UpgradeMessage.refusal(body) } catch { throw .warn("stack_refused cannot be read: \(error)") }
    endUpgrade(.refused(refusal), &effects)
    endQuiescence()
  }

  private mutating func receiveChange(
    _ body: RawSpan, _ context: ChannelContext, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    guard agreedChange != nil || core?.awaitsStackChange == true else {
      throw .warn("stack_changed that was not agreed on")
    }
    let theirs: StackChange
    do { theirs = try UpgradeMessage.change(body, context.registry, hasReceivers: true) } catch {
      throw .fail(error.text)
    }
    // Agreed on a moment ago; or before a lost connection, and signed by the peer since.
    if let agreed = agreedChange {
      guard theirs.stack.isSame(as: agreed.stack), theirs.basepoints == agreed.basepoints else {
        throw .fail("stack_changed to another stack than the one that was accepted")
      }
    } else {
      guard theirs.basepoints.local.all.allSatisfy({ signer.basepoints[$0.basepoint] == $0.key }) else {
        throw .fail("stack_changed names keys that are not ours")
      }
    }
    try step(&effects) { (core, signer) throws(ChannelError) in try core.receive(.update(.stack(theirs)), signer) }
  }
}
