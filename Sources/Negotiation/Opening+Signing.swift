public import Bitcoin
internal import Encoding
internal import GLC
internal import Secp256k1

// First commitments, then the funding transaction.

extension Opening {
  mutating func receive(
    _ promise: CommitmentPromise, _ signer: some ChannelSigner, _ effects: inout [OpeningEffect]
  ) throws(Refusal) {
    // What comes again after a lost connection is known already.
    if stage == .signing || stage == .opened { return }
    guard stage == .committing, let channel else { throw Refusal(.protocol, "signatures out of turn") }
    guard promise.txid == plan.transaction.txid else {
      throw Refusal(.differs, "signatures for another funding transaction")
    }
    let commitment = try firstCommitment(of: .local, channel)
    do {
      let nonce =
        channel.signsTogether ? try signer.nonce(0, on: commitment.context.fundingOutpoint) : nil
      try commitment.verify(promise.signatures, nonce: nonce)
    } catch {
      throw Refusal(.signature, "the signature of the first commitment does not hold: \(error)")
    }
    self.channel = channel.signed([promise.signatures])
    stage = .signing
    effects.append(.persist)
    continueSigning(&effects)
  }

  /// BOLT 2: if it has the lowest total satoshis contributed, as defined by total `tx_add_input` values, or both peers have contributed
  /// equal amounts but it has the lowest `node_id` (sorted lexicographically): MUST transmit their `tx_signatures` first.
  public var signsFirst: Bool {
    let (ours, theirs) = (plan.total(ofOpener: isOpener), plan.total(ofOpener: !isOpener))
    return ours == theirs ? nodes.local < nodes.remote : ours < theirs
  }

  /// Signs, sends and finishes, as far as it is due.
  mutating func continueSigning(_ effects: inout [OpeningEffect]) {
    guard stage == .signing else { return }
    if witnesses.local == nil, plan.inputs(ofOpener: isOpener).isEmpty { witnesses.local = [] }
    guard let own = witnesses.local else {
      // The wallet is asked when its answer is due.
      if signsFirst || witnesses.remote != nil {
        effects.append(.signFunding(plan.transaction, spending: plan.spentOutputs))
      }
      return
    }
    if !hasSentWitnesses, signsFirst || witnesses.remote != nil {
      hasSentWitnesses = true
      effects += [
        .persist, .send(.sign(FundingSignatures(id: id, txid: plan.transaction.txid, witnesses: own))),
      ]
    }
    if let theirs = witnesses.remote, hasSentWitnesses { finish(own, theirs, &effects) }
  }

  /// The wallet has signed: what opens our inputs, in their order.
  public mutating func sign(_ witnesses: [Witness]) -> [OpeningEffect] {
    step { (next, effects) throws(Refusal) in
      guard next.stage == .signing, next.witnesses.local == nil else { return }
      try next.verify(witnesses, ofOpener: next.isOpener)
      next.witnesses.local = witnesses
      next.continueSigning(&effects)
    }
  }

  mutating func receive(_ message: FundingSignatures, _ effects: inout [OpeningEffect]) throws(Refusal) {
    if stage == .opened { return }
    guard stage == .signing else { throw Refusal(.protocol, "witnesses out of turn") }
    guard message.txid == plan.transaction.txid else {
      throw Refusal(.differs, "witnesses for another funding transaction")
    }
    guard witnesses.remote == nil else { return continueSigning(&effects) }
    try verify(message.witnesses, ofOpener: !isOpener)
    witnesses.remote = message.witnesses
    effects.append(.persist)
    continueSigning(&effects)
  }

  /// Whether the inputs of a party are opened by these.
  private func verify(_ witnesses: [Witness], ofOpener: Bool) throws(Refusal) {
    func fail(_ reason: String) -> Refusal { Refusal(.signature, reason) }
    let indices = plan.inputs.indices.filter { FundingPlan.isOpeners(plan.inputs[$0].serial) == ofOpener }
    // BOLT 2: the number of `witnesses` does not equal the number of inputs added by the sending node.
    guard witnesses.count == indices.count else {
      throw fail("\(witnesses.count) witnesses for \(indices.count) inputs")
    }
    var transaction = plan.transaction
    for (index, witness) in zip(indices, witnesses) { transaction.inputs[index].witness = witness }
    let spent = plan.spentOutputs
    let parts = SighashParts(transaction, spentOutputs: spent)
    var weight: UInt64 = 0
    for (index, witness) in zip(indices, witnesses) {
      // The message contains an empty `witness`; a signature uses a flag that is not `SIGHASH_ALL` (0x01).
      guard !witness.elements.isEmpty else { throw fail("an empty witness") }
      guard witness.signsEverything(spent[index].scriptPubKey) else {
        throw fail("a signature that leaves something open")
      }
      do {
        try ScriptVerifier.verify(
          input: index, of: transaction, spending: spent, flags: .standard, parts: parts, cache: nil)
      } catch {
        throw fail("the witness of input \(index) does not hold: \(error)")
      }
      weight += UInt64(witness.encodedSize)
    }
    try checkFee(witnessWeight: weight, ofOpener: ofOpener, count: indices.count)
  }

  /// BOLT 2: in the case where a peer provides valid witness data that causes their paid feerate to fall beneath the agreed one, the channel
  /// should be considered failed. A signature may be a byte or two longer than what is counted.
  private func checkFee(witnessWeight: UInt64, ofOpener: Bool, count: Int) throws(Refusal) {
    let party: Party = ofOpener == isOpener ? .local : .remote
    guard let terms = terms[party] else { return }
    let counted = plan.inputs(ofOpener: ofOpener).reduce(0 as UInt64) {
      if case .p2tr = $1.spent?.scriptPubKey.kind { $0 + 66 } else { $0 + 107 }
    }
    let allowance = UInt64(4 * count)
    guard witnessWeight > counted + allowance else { return }
    let weight = Weight(plan.weight(ofOpener: ofOpener).rawValue - counted + witnessWeight - allowance)
    var paid = terms.contribution
    for output in plan.outputs(ofOpener: ofOpener) where !output.isChannel {
      paid = paid.adding(output.output.value) ?? .maxMoney
    }
    guard let fee = plan.total(ofOpener: ofOpener).subtracting(paid), let due = deal.fundingFeeRate.fee(for: weight),
      fee >= due
    else { throw Refusal(.signature, "witnesses so heavy that the fee is less than \(deal.fundingFeeRate)") }
  }

  private mutating func finish(_ own: [Witness], _ theirs: [Witness], _ effects: inout [OpeningEffect]) {
    guard stage == .signing, let channel, let ours = terms.local, let others = terms.remote,
      let funding = channel.fundings.first?.funding
    else { return }
    var transaction = plan.transaction
    var (mine, remaining) = (own[...], theirs[...])
    for index in plan.inputs.indices {
      let isOwn = FundingPlan.isOpeners(plan.inputs[index].serial) == isOpener
      if let witness = isOwn ? mine.popFirst() : remaining.popFirst() { transaction.inputs[index].witness = witness }
    }
    stage = .opened
    effects += [
      .persist,
      .opened(
        OpenedChannel(
          isOpener: isOpener, deal: deal, terms: PerParty(local: ours, remote: others), channel: channel,
          funding: transaction, outPoint: funding.outPoint, capacity: funding.capacity,
          minimumDepth: max(ours.minimumDepth, others.minimumDepth))),
      .broadcast(transaction),
    ]
  }

  // MARK: The chain

  /// A transaction was seen, in a block or on its way: the funding transaction itself, from somebody who had all witnesses.
  public mutating func see(_ transaction: Transaction) -> [OpeningEffect] {
    guard stage == .signing, hasSentWitnesses, witnesses.remote == nil,
      transaction.txid == plan.transaction.txid, let own = witnesses.local
    else { return [] }
    let theirs = plan.inputs.indices.filter { FundingPlan.isOpeners(plan.inputs[$0].serial) != isOpener }
      .map { transaction.inputs[$0].witness }
    witnesses.remote = theirs
    var effects: [OpeningEffect] = []
    finish(own, theirs, &effects)
    return effects
  }

  /// Another transaction has spent one of the inputs, in a block that nobody expects to be undone.
  public mutating func conflict() -> [OpeningEffect] {
    guard isStored, stage != .opened else { return [] }
    return end(Refusal(.funding, "an input of the funding transaction was spent by another one"))
  }

  /// A block: what we have not signed is given up after a while.
  public mutating func block(_ height: UInt32) -> [OpeningEffect] {
    guard stage == .committing || stage == .signing, !hasSentWitnesses else { return [] }
    guard let signedAt else {
      signedAt = height
      return [.persist]
    }
    guard height >= signedAt, height - signedAt >= NegotiationLimits.blocksUntilExpiry else { return [] }
    return fail(Refusal(.timedOut, "not signed within \(NegotiationLimits.blocksUntilExpiry) blocks"))
  }
}

extension Witness {
  /// Whether each signature in it covers the whole transaction, as far as the output's form tells where they stand.
  fileprivate func signsEverything(_ script: Script) -> Bool {
    switch script.kind {
    case .p2wpkh: return elements.first?.last == 1
    case .p2tr:
      guard let first = elements.first else { return false }
      // A leaf's signatures are as long as the key path's: each of 65 bytes says what it covers.
      if elements.count == 1 { return first.count == 64 || (first.count == 65 && first.last == 1) }
      return elements.dropLast(2).allSatisfy { $0.count != 65 || $0.last == 1 }
    default:
      return elements.dropLast().allSatisfy { element in
        guard (9...73).contains(element.count), element[0] == 0x30, Int(element[1]) == element.count - 3 else {
          return true
        }
        return element.last == 1
      }
    }
  }

  fileprivate var encodedSize: Int {
    var writer = ByteWriter()
    encode(to: &writer)
    return writer.bytes.count
  }
}
