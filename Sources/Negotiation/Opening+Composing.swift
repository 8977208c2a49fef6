internal import Bitcoin
internal import Encoding
public import GLC
internal import Secp256k1

// Proposals to and fro, until both have completed the same one.

extension Opening {
  /// The wallet has chosen coins: they are part of the next proposal.
  public mutating func contribute(_ contribution: Contribution, _ signer: some ChannelSigner) -> [OpeningEffect] {
    step { (next, effects) throws(Refusal) in
      guard next.stage == .contributing, let stack = next.stack else {
        throw Refusal(.protocol, "coins that nobody asked for")
      }
      next.contribution = contribution
      next.plan.remove(ofOpener: next.isOpener)
      for (index, input) in contribution.inputs.enumerated() {
        next.plan.add(
          FundingPlan.Input(
            serial: next.serial(0, index), previous: input.previous, vout: input.vout, sequence: input.sequence))
      }
      for (index, output) in contribution.outputs.enumerated() {
        next.plan.add(FundingPlan.Output(serial: next.serial(1, index), output: output))
      }
      if next.isOpener {
        next.plan.add(
          FundingPlan.Output(serial: next.serial(2, 0), output: try next.channelOutput(stack), isChannel: true))
      }
      try next.propose(&effects)
    }
  }

  /// Sends what this side would have.
  mutating func propose(_ effects: inout [OpeningEffect]) throws(Refusal) {
    guard let stack else { throw Refusal(.protocol, "nothing to propose") }
    guard round < NegotiationLimits.rounds else {
      throw Refusal(.rounds, extensions: lastDifference, "no agreement after \(round) proposals")
    }
    round += 1
    hasObjection = false
    completed = PerParty(local: false, remote: false)
    stage = .composing
    effects.append(.send(.propose(try proposal(stack, round: round))))
  }

  mutating func receive(
    _ proposal: Proposal, _ signer: some ChannelSigner, _ effects: inout [OpeningEffect]
  ) throws(Refusal) {
    guard !isChecking, isOpener ? stage == .composing : (stage == .offered || stage == .composing) else {
      throw Refusal(.protocol, "a proposal out of turn")
    }
    // The proposals of both sides are counted together, and each side has its turn.
    guard proposal.round == round + 1, proposal.round <= NegotiationLimits.rounds else {
      throw Refusal(.rounds, "proposal \(proposal.round) after \(round)")
    }
    guard proposal.commitments.count == 2 else { throw Refusal(.protocol, "a proposal has two commitments") }
    let psbt: PSBT
    do { psbt = try PSBT(decoding: proposal.funding.bytes) } catch {
      throw Refusal(.protocol, "the funding transaction's PSBT cannot be read: \(error)")
    }
    let unknown = psbt.unknownGLCFields
    guard unknown.isEmpty else {
      throw Refusal(.unknownParts, "records that must be understood: \(unknown.joined(separator: ", "))")
    }

    // The stack: what they would have, and what we say to it.
    let parameters = psbt.glcParameters
    let strange = parameters.keys.filter { !deal.stack.extensions.contains($0) }.sorted()
    guard strange.isEmpty else {
      throw Refusal(.unknownParts, extensions: strange, "extensions that were not asked for")
    }
    let theirs: ChannelStack
    let ours: ChannelStack
    do {
      theirs = try registry.stack(deal.stack, parameters: parameters, asSeenBy: opener)
      ours = try registry.agree(to: parameters, asSeenBy: opener, deal.stack, setting)
    } catch {
      throw Refusal(error)
    }
    lastDifference = zip(ours.extensions, theirs.extensions).filter { $0.encodedParameters != $1.encodedParameters }
      .map { $0.0.id }

    // The funding transaction: what they have added and removed, by the rules.
    let candidate = try FundingPlan(reading: psbt, lockTime: deal.lockTime)
    let (local, _) = try agreedTerms()
    try candidate.check(changedFrom: plan, byOpener: !isOpener, dustLimit: local.dustLimit)
    try candidate.checkChannel(try channelOutput(theirs))
    plan = candidate
    round = proposal.round

    // Made again here, it must be the same bytes.
    let remade = try self.proposal(theirs, round: round)
    guard remade.funding == proposal.funding else {
      throw Refusal(.differs, "the funding transaction's PSBT \(Self.difference(remade.funding, proposal.funding))")
    }
    for (index, pair) in zip(remade.commitments, proposal.commitments).enumerated() where pair.0 != pair.1 {
      let whose = index == 0 ? "the opener's" : "the acceptor's"
      throw Refusal(.differs, "\(whose) first commitment \(Self.difference(pair.0, pair.1))")
    }
    stack = ours
    hasObjection = !lastDifference.isEmpty
    completed = PerParty(local: false, remote: false)
    try respond(signer, &effects)
  }

  /// Where two texts part.
  private static func difference(_ own: [UInt8], _ other: [UInt8]) -> String {
    let place = zip(own, other).prefix { $0 == $1 }.count
    return "is not what this side makes of it: byte \(place) of \(own.count), \(other.count) were sent"
  }

  /// This side's turn: coins first, then another proposal, or nothing more.
  private mutating func respond(_ signer: some ChannelSigner, _ effects: inout [OpeningEffect]) throws(Refusal) {
    let (local, _) = try agreedTerms()
    if contribution == nil, !isOpener, local.contribution > .zero {
      stage = .contributing
      effects.append(
        .chooseCoins(
          CoinRequest(amount: local.contribution, feeRate: deal.fundingFeeRate, startWeight: Weight(0))))
      return
    }
    if hasObjection { return try propose(&effects) }
    try conclude(signer, &effects)
  }

  /// This side has nothing more to change. What the other side has put in is looked for before anything is completed, and so before
  /// anything is signed or stored.
  private mutating func conclude(_ signer: some ChannelSigner, _ effects: inout [OpeningEffect]) throws(Refusal) {
    try checkRemotePayment()
    stage = .composing
    let theirs = plan.inputs(ofOpener: !isOpener).map(\.outPoint)
    guard !theirs.isEmpty else { return try complete(signer, &effects) }
    isChecking = true
    effects.append(
      .checkInputs(InputCheck(outPoints: theirs, replaced: Set(replaced.map { $0.transaction.txid }))))
  }

  /// All that the other side spends is there.
  public mutating func vouch(_ signer: some ChannelSigner) -> [OpeningEffect] {
    step { (next, effects) throws(Refusal) in
      guard next.isChecking else { return }
      next.isChecking = false
      try next.complete(signer, &effects)
    }
  }

  /// Something of what the other side spends is not there, or nobody can tell.
  public mutating func decline(_ refusal: Refusal) -> [OpeningEffect] {
    isChecking ? fail(refusal) : []
  }

  private mutating func complete(_ signer: some ChannelSigner, _ effects: inout [OpeningEffect]) throws(Refusal) {
    completed.local = true
    effects.append(
      .send(.complete(Completion(id: id, txid: plan.transaction.txid, nonce: try firstNonce(signer)))))
    if completed.remote { try begin(signer, &effects) }
  }

  private func checkRemotePayment() throws(Refusal) {
    let (_, remote) = try agreedTerms()
    try plan.checkPayment(
      ofOpener: !isOpener, contribution: remote.contribution, feeRate: deal.fundingFeeRate)
  }

  /// Of our commitment 0, where both sign together.
  private func firstNonce(_ signer: some ChannelSigner) throws(Refusal) -> MuSigPublicNonce? {
    guard let stack, stack.funding.signsTogether else { return nil }
    let channel = try makeChannel(stack)
    guard let funding = channel.fundings.first?.funding else { return nil }
    do { return try signer.nonce(0, on: funding.outPoint) } catch { throw Refusal(.signature, error.reason) }
  }

  mutating func receive(
    _ completion: Completion, _ signer: some ChannelSigner, _ effects: inout [OpeningEffect]
  ) throws(Refusal) {
    guard stage == .composing, round > 0, !isChecking, !completed.remote, let stack else {
      throw Refusal(.protocol, "a completion out of turn")
    }
    guard completion.txid == plan.transaction.txid else {
      throw Refusal(.differs, "the completed transaction is \(completion.txid), not \(plan.transaction.txid)")
    }
    guard (completion.nonce != nil) == stack.funding.signsTogether else {
      throw Refusal(.signature, stack.funding.signsTogether ? "the nonce is absent" : "a nonce that nobody needs")
    }
    try checkRemotePayment()
    remoteNonce = completion.nonce
    completed.remote = true
    if completed.local { try begin(signer, &effects) } else { try conclude(signer, &effects) }
  }

  /// Both have completed the same transaction: it is stored, and the first commitments are signed.
  private mutating func begin(_ signer: some ChannelSigner, _ effects: inout [OpeningEffect]) throws(Refusal) {
    guard let stack else { throw Refusal(.protocol, "nothing is agreed yet") }
    try checkReplacement()
    let made = try makeChannel(stack)
    // Both must be possible before anything is signed.
    _ = try firstCommitment(of: .local, made)
    let promise = try promise(made, signer)
    channel = made
    stage = .committing
    effects += [.persist, .send(.commit(promise))]
  }

  /// The same coins again, for a transaction that replaces this one: what is paid more comes out of the change. Nil when there is not enough.
  public func reusedContribution(_ request: CoinRequest) -> Contribution? {
    let own = plan.inputs(ofOpener: isOpener)
    let change = plan.outputs(ofOpener: isOpener).first { !$0.isChannel }?.output.scriptPubKey
    var weight = request.startWeight.rawValue
    for input in own {
      if case .p2tr = input.spent?.scriptPubKey.kind { weight += 164 + 66 } else { weight += 164 + 108 }
    }
    let inputs = own.map { Contribution.Input(previous: $0.previous, vout: $0.vout) }
    func left(_ weight: UInt64) -> Satoshi? {
      guard let fee = request.feeRate.fee(for: Weight(weight))?.adding(Satoshi(1)) else { return nil }
      return plan.total(ofOpener: isOpener).subtracting(request.amount)?.subtracting(fee)
    }
    // An output of less than the highest dust limit of Bitcoin Core is not worth making.
    if let change, let rest = left(weight + UInt64(4 * (9 + change.count))), rest >= Satoshi(546) {
      return Contribution(inputs: inputs, outputs: [TxOutput(value: rest, scriptPubKey: change)])
    }
    return left(weight) == nil ? nil : Contribution(inputs: inputs, outputs: [])
  }

  /// BOLT 2, of an RBF attempt: MUST fail the negotiation if the transaction's total fees is less than the last successfully negotiated
  /// transaction's fees; the transaction does not share at least one input with each previous funding transaction.
  private func checkReplacement() throws(Refusal) {
    let own = Set(outPoints)
    for previous in replaced {
      guard previous.inputs.contains(where: { own.contains($0.outPoint) }) else {
        throw Refusal(.funding, "no input is one of the transaction that is to be replaced")
      }
      guard let fee = plan.fee, let before = previous.fee, fee > before else {
        throw Refusal(.funding, "the fee is not more than that of the transaction that is to be replaced")
      }
    }
  }

  /// Our signatures on the other side's first commitment: the same each time.
  func promise(_ channel: Channel, _ signer: some ChannelSigner) throws(Refusal) -> CommitmentPromise {
    let commitment = try firstCommitment(of: .remote, channel)
    do {
      return CommitmentPromise(
        id: id, txid: plan.transaction.txid, signatures: try signer.sign(commitment, nonce: remoteNonce))
    } catch {
      throw Refusal(.signature, error.reason)
    }
  }
}
