internal import Bitcoin
internal import Encoding
public import GLC
internal import Secp256k1

// Messages, connections, and ends.

extension Opening {
  /// Takes a message of the peer about this negotiation.
  public mutating func receive(_ message: NegotiationMessage, _ signer: some ChannelSigner) -> [OpeningEffect] {
    guard message.id == id, stage != .ended else { return [] }
    if case .refuse(_, let refusal) = message { return refused(refusal) }
    return step { (next, effects) throws(Refusal) in
      switch message {
      case .offer(let offer): try next.receive(offer, &effects)
      case .propose(let proposal): try next.receive(proposal, signer, &effects)
      case .complete(let completion): try next.receive(completion, signer, &effects)
      case .commit(let promise): try next.receive(promise, signer, &effects)
      case .sign(let signatures): try next.receive(signatures, &effects)
      case .resume(let resumption): try next.receive(resumption, signer, &effects)
      case .inquire: throw Refusal(.protocol, "a negotiation of this name is under way")
      case .catalogue, .refuse: break
      }
    }
  }

  /// Works on a copy: what throws changes nothing but what failing changes.
  mutating func step(
    _ body: (inout Opening, inout [OpeningEffect]) throws(Refusal) -> Void
  ) -> [OpeningEffect] {
    guard stage != .ended else { return [] }
    var next = self
    var effects: [OpeningEffect] = []
    do throws(Refusal) {
      try body(&next, &effects)
      self = next
      return effects
    } catch {
      return fail(error)
    }
  }

  /// The peer is told why, and unless it could have the funding transaction, everything is forgotten.
  mutating func fail(_ refusal: Refusal) -> [OpeningEffect] {
    var effects: [OpeningEffect] = isConnected ? [.send(.refuse(id, refusal))] : []
    self.refusal = refusal
    if !isBound { effects += end(refusal) }
    return effects
  }

  mutating func end(_ refusal: Refusal) -> [OpeningEffect] {
    guard stage != .ended else { return [] }
    stage = .ended
    self.refusal = refusal
    return [.ended(refusal)]
  }

  /// Whether the funding transaction may be in the hands of the other side. BOLT 2: if they have already sent `tx_signatures` to the peer:
  /// MUST NOT forget the channel until any inputs to the negotiated tx have been spent.
  public var isBound: Bool { hasSentWitnesses || stage == .opened }

  private mutating func refused(_ refusal: Refusal) -> [OpeningEffect] {
    self.refusal = refusal
    return isBound ? [] : end(refusal)
  }

  /// Nobody here wants it any more. Too late once it is signed.
  public mutating func cancel(_ reason: String) -> [OpeningEffect] {
    guard stage != .ended, !isBound else { return [] }
    return fail(Refusal(.cancelled, reason))
  }

  /// The peer's answer has not come in time. What is signed waits for another connection.
  public mutating func timeOut() -> [OpeningEffect] {
    guard stage < .committing else { return [] }
    return fail(Refusal(.timedOut, "no answer within \(NegotiationLimits.secondsPerTurn) seconds"))
  }

  // MARK: Connections

  /// The connection is gone. What is not signed goes with it.
  public mutating func disconnect() -> [OpeningEffect] {
    isConnected = false
    guard stage < .committing else { return [] }
    return end(Refusal(.cancelled, "the connection was lost"))
  }

  /// There is a connection again. Also called once after a restart.
  public mutating func connect() -> [OpeningEffect] {
    isConnected = true
    guard stage == .committing || stage == .signing else { return [] }
    return [.send(.resume(resumption))]
  }

  private var resumption: Resumption {
    Resumption(
      id: id, txid: plan.transaction.txid, hasCommitment: stage > .committing, hasSignatures: witnesses.remote != nil)
  }

  private mutating func receive(
    _ theirs: Resumption, _ signer: some ChannelSigner, _ effects: inout [OpeningEffect]
  ) throws(Refusal) {
    guard isStored, let channel else { throw Refusal(.unknown, "nothing to resume") }
    guard theirs.txid == plan.transaction.txid else { throw Refusal(.differs, "another funding transaction") }
    if !theirs.hasCommitment { effects.append(.send(.commit(try promise(channel, signer)))) }
    if !theirs.hasSignatures, hasSentWitnesses, let own = witnesses.local {
      effects.append(.send(.sign(FundingSignatures(id: id, txid: plan.transaction.txid, witnesses: own))))
    }
    // The wallet may not have been asked, or not have answered, before the connection was lost.
    continueSigning(&effects)
  }

  /// What was due when the node stopped: the wallet is asked again.
  public mutating func restart() -> [OpeningEffect] {
    var effects: [OpeningEffect] = []
    continueSigning(&effects)
    return effects
  }
}
