internal import Bitcoin
internal import Encoding
internal import GLC
internal import Hashing
internal import Secp256k1
internal import Signer

/// The laws of an extension, checked by execution. It makes commitments for both holders, takes every path of every output with the
/// keys of the declared side, and has the script interpreter decide; then it breaks each condition, takes the path with the other
/// side's keys, and has it refuse. Declared weights, conserved value, codecs and summaries are checked on the way.
///
///     #expect(try checkExtension(scenario).violations == [])
public func checkExtension(_ scenario: LawScenario) throws -> LawReport {
  var checker = LawChecker(scenario)
  try checker.run()
  return checker.report
}

struct LawChecker {
  let scenario: LawScenario
  var report = LawReport()
  let signers: PerParty<LocalSigner>
  /// The holder's, in both commitments.
  let perCommitmentSecret: Bytes32
  /// What is being looked at.
  private var holder = Party.local
  private var conditions: SpendConditions?

  init(_ scenario: LawScenario) {
    self.scenario = scenario
    perCommitmentSecret = sha256(Array("glc law checker: per-commitment secret \(scenario.number)".utf8))
    let basepoints = Array(Set(scenario.stack.keys.map(\.role.basepoint) + [.payment])).sorted()
    func signer(_ name: String) -> LocalSigner {
      LocalSigner(channelSeed: sha256(Array("glc law checker: \(name)".utf8)), basepoints: basepoints)
    }
    signers = PerParty(local: signer("local"), remote: signer("remote"))
  }

  mutating func note(_ law: String, _ place: String, _ detail: String) {
    report.violations.append(LawViolation(law: law, place: place, detail: detail))
  }

  mutating func run() throws {
    var state = CommitmentState(
      stack: scenario.stack, balances: scenario.balances, ledgers: scenario.stack.makeLedgers(),
      feeRate: scenario.feeRate)
    let total = state.total
    for (index, update) in scenario.updates.enumerated() {
      checkCodec(of: update.content, "update \(index)")
      try state.apply(update.content, by: update.author)
      if state.total != total { note("value", "update \(index)", "local + remote + locked changed") }
    }
    for holder in Party.allCases {
      let commitment = try makeCommitment(state, holder)
      self.holder = holder
      conditions = nil
      checkLedgers(state, holder, commitment)
      try checkCommitment(commitment, holder)
    }
  }

  func makeCommitment(_ state: CommitmentState, _ holder: Party) throws -> Commitment {
    let point = try SecretKey(perCommitmentSecret).publicKey
    let keys = try CommitmentKeys(
      holder: signers[holder].basepoints, counterparty: signers[holder.other].basepoints, perCommitmentPoint: point,
      resolving: scenario.stack.keys)
    let context = CommitmentContext(
      holder: holder, funder: .local, number: scenario.number,
      fundingOutpoint: scenario.fundingOutpoint, capacity: scenario.capacity,
      dustLimit: scenario.dustLimit, contestDelay: scenario.contestDelay, feeRate: state.feeRate, keys: keys,
      obscuringFactor: 0x1234_5678_9abc)
    return try scenario.stack.commitment(context, balances: state.balances, ledgers: state.ledgers)
  }

  // MARK: Codecs and summaries

  mutating func checkCodec(of content: UpdateContent, _ place: String) {
    guard case .extension(let position, let update) = content else { return }
    let slot = scenario.stack.extensions[position]
    do {
      let stored = try slot.decodeUpdate(update.encoded.bytes)
      if stored.encoded != update.encoded { note("codec", place, "storing it twice gives different bytes") }
      if !stored.isSame(as: update) { note("codec", place, "what is read back is not what was stored") }
      guard let message = slot.encodeMessage(update) else { return note("codec", place, "it has no message") }
      if !slot.manifest.messageTypes.contains(message.type) {
        note("codec", place, "message type \(message.type) is not in the manifest")
      }
      let received = try slot.decodeMessage(type: message.type, body: message.body.bytes)
      if !received.isSame(as: update) { note("codec", place, "what arrives is not what was sent") }
    } catch {
      note("codec", place, "cannot be read back: \(error)")
    }
  }

  mutating func checkLedgers(_ state: CommitmentState, _ holder: Party, _ commitment: Commitment) {
    let trim = TrimContext(holder: holder, dustLimit: scenario.dustLimit, feeRate: state.feeRate)
    var restored: [any LedgerSlot] = []
    for (slot, ledger) in zip(scenario.stack.extensions, state.ledgers) {
      let name = slot.manifest.name
      do {
        let copy = try slot.decodeLedger(ledger.encoded.bytes)
        if copy.encoded != ledger.encoded { note("codec", name, "storing the ledger twice gives different bytes") }
        restored.append(copy)
      } catch {
        note("codec", name, "the ledger cannot be read back: \(error)")
        restored.append(ledger)
      }
      guard slot.manifest.phase == .contracts else { continue }
      let summary = ledger.summary(trim)
      let own = commitment.outputs.filter { $0.output.tag.owner == slot.id }
      let weight = own.reduce(0) { $0 + $1.output.lock.outputWeight.rawValue }
      if summary.outputCount != own.count || summary.outputWeight.rawValue != weight {
        note(
          "summary", "\(name), held by \(holder)",
          "says \(summary.outputCount) outputs of \(summary.outputWeight), makes \(own.count) of \(weight) WU")
      }
    }
    let again = try? scenario.stack.commitment(commitment.context, balances: state.balances, ledgers: restored)
    if again?.txid != commitment.txid {
      note("codec", "held by \(holder)", "a ledger that was stored makes another commitment")
    }
  }

  // MARK: Outputs and paths

  mutating func checkCommitment(_ commitment: Commitment, _ holder: Party) throws {
    var tags: Set<OutputTag> = []
    var sum: UInt64 = 0
    for sealed in commitment.outputs {
      if !tags.insert(sealed.output.tag).inserted { note("path", "\(sealed.output.tag)", "two outputs have this tag") }
      sum += sealed.output.value.rawValue
    }
    if sum + commitment.fee.rawValue != scenario.capacity.rawValue { note("value", "held by \(holder)", "value leaks") }

    // What a family says in short of its second stage is what it says at length.
    let index = commitment.secondStageIndex
    let atLength = commitment.secondStage(signedBy: .counterparty)
    if index.count != atLength.count {
      note("family", "held by \(holder)", "\(index.count) second stages in short, \(atLength.count) at length")
    }
    let presigned = commitment.presignIndex
    let presignedAtLength = commitment.secondStage(signedBy: .holder)
    if presigned.count != presignedAtLength.count {
      note("family", "held by \(holder)", "\(presigned.count) presigned in short, \(presignedAtLength.count) at length")
    }
    if !presigned.isEmpty, !scenario.stack.needsPresign {
      note("child", "held by \(holder)", "second stages of the counterparty without a manifest that asks to presign")
    }
    var scratch = ByteWriter()
    for (position, child) in zip(Array(index) + Array(presigned), atLength + presignedAtLength) {
      let short = try commitment.secondStageSighash(position, scratch: &scratch)
      let slot = child.template.counterSignature
      let long = try child.sighash(slot.sighashType)
      let isAlike = try commitment.key(short) == commitment.context.keys(slot)
      if !isAlike || short.slot != slot || short.hash != long {
        note("family", "\(child.parent.output.tag), path \(child.path.name)", "another second stage in short")
      }
    }
    for (sealed, output) in zip(commitment.outputs, commitment.transaction.outputs)
    where sealed.output.lock.scriptPubKey != output.scriptPubKey || sealed.output.value != output.value {
      note("family", "\(sealed.output.tag)", "another output in short")
    }

    let nonce =
      commitment.signsTogether
      ? try signers[holder].nonce(commitment.context.number, on: commitment.context.fundingOutpoint) : nil
    let pairNonces = try signers[holder.other].pairNonces(commitment)
    let presignatures = try signers[holder].presign(commitment, nonces: pairNonces)
    try commitment.verifyPresignatures(presignatures, nonces: pairNonces)
    let signatures = try commitment.sign(
      asCounterparty: signers[holder.other].secrets, nonce: nonce, presignatures: presignatures)
    try commitment.verify(signatures, nonce: nonce, presignatures: presignatures)
    let funding = TxOutput(value: scenario.capacity, scriptPubKey: commitment.fundingLock.scriptPubKey)
    report.funding = funding
    let signed = try signers[holder].signForBroadcast(commitment, with: signatures)
    expect(spend: signed, of: funding, succeeds: true, "path", "the commitment held by \(holder)")

    let handedOver = commitment.handedOver(presignatures, signatures.children)
    for (sealed, ready) in zip(commitment.outputs, handedOver) {
      for (path, counterSignature) in zip(sealed.output.paths, ready) {
        let place = "\(sealed.output.tag) of \(holder)'s commitment, path \(path.name) by \(path.spender)"
        let spent = SpentOutput(outPoint: sealed.outPoint, value: sealed.output.value, lock: sealed.output.lock)
        switch path.execution {
        case .free(let weight): try checkFree(path, spent, weight, commitment, place)
        case .presigned(let template):
          guard let counterSignature else {
            note("child", place, "nobody has signed it")
            continue
          }
          try checkChild(path, template, spent, counterSignature, commitment, place)
        }
      }
    }
  }

  struct SpentOutput {
    var outPoint: OutPoint
    var value: Satoshi
    var lock: OutputLock
    var txOut: TxOutput { TxOutput(value: value, scriptPubKey: lock.scriptPubKey) }
  }

  func spend(_ output: SpentOutput, _ conditions: SpendConditions) -> Transaction {
    let half = output.value.rawValue / 2
    // What is not worth an output of its own goes to the miners, in a transaction long enough to be relayed.
    let target =
      half < 330
      ? TxOutput(value: .zero, scriptPubKey: Script([0x6a, 20] + [UInt8](repeating: 9, count: 20)))
      : TxOutput(value: Satoshi(half), scriptPubKey: Script([0x00, 0x14] + [UInt8](repeating: 9, count: 20)))
    return Transaction(
      version: 2,
      inputs: [
        TxInput(
          previousOutput: output.outPoint,
          sequence: conditions.age.map { UInt32($0) } ?? (conditions.height == nil ? 0xffff_fffd : 0xffff_fffe))
      ],
      outputs: [target], lockTime: conditions.height ?? 0)
  }

  /// The witness for a path, with the keys of `side`; nil when that side cannot even try.
  func witness(
    _ path: SpendPath, _ transaction: Transaction, _ output: SpentOutput, by side: Side, _ commitment: Commitment,
    revoked: Bool, secret: [UInt8]?, counterSignature: CounterSignature? = nil, forged: Bool = false
  ) -> Witness? {
    let holder = commitment.context.holder
    let signer = signers[side.party(ofCommitmentHeldBy: holder)]
    let opener = PathOpener(
      signer.secrets, side: side, keys: commitment.context.keys,
      perCommitmentSecret: revoked ? try? SecretKey(perCommitmentSecret) : nil)
    let parts = SighashParts(transaction, spentOutputs: [output.txOut])
    let elements = forged ? path.witness.map { $0.reassigned(to: side) } : path.witness
    return try? opener.witness(
      elements, lock: output.lock, counterSignature: counterSignature, secret: secret
    ) { (type) throws(SighashError) in
      if case .taproot(let taproot) = output.lock.reveal {
        let leaf = elements.tapLeaf.flatMap { taproot.paths.indices.contains($0) ? taproot.paths[$0].leaf : nil }
        return try transaction.taprootSighash(
          input: 0, spentOutputs: [output.txOut], type: type,
          tapscript: leaf.map { Transaction.TapscriptContext(leafHash: $0.hash) }, parts: parts)
      }
      return try transaction.segwitV0Sighash(
        input: 0, scriptCode: output.lock.scriptCode ?? Script(), amount: output.value, type: type, parts: parts)
    }
  }

  mutating func checkFree(
    _ path: SpendPath, _ output: SpentOutput, _ weight: Weight, _ commitment: Commitment, _ place: String
  ) throws {
    conditions = path.conditions
    let secret = path.conditions.secret.flatMap { scenario.secrets[$0] }
    if path.conditions.secret != nil && secret == nil {
      return note("path", place, "the scenario has no secret for it")
    }
    var transaction = spend(output, path.conditions)
    guard
      let witness = witness(
        path, transaction, output, by: path.spender, commitment, revoked: path.conditions.revoked, secret: secret)
    else { return note("path", place, "its witness cannot be made by the declared side") }
    transaction.inputs[0].witness = witness
    expect(spend: transaction, of: output.txOut, succeeds: true, "path", place)
    report.executedPaths += 1
    checkWeight(witness, path, weight, place)

    // Broken one by one, each condition must close the path.
    func attempt(_ law: String, _ what: String, _ conditions: SpendConditions, secret: [UInt8]?, by side: Side? = nil) {
      var transaction = spend(output, conditions)
      guard
        let witness = self.witness(
          path, transaction, output, by: side ?? path.spender, commitment,
          revoked: path.conditions.revoked && side == nil, secret: secret, forged: side != nil)
      else { return }
      transaction.inputs[0].witness = witness
      expect(spend: transaction, of: output.txOut, succeeds: false, law, "\(place), \(what)")
    }
    if let height = path.conditions.height, height > 0 {
      var early = path.conditions
      early.height = height - 1
      attempt("conditions", "one block early", early, secret: secret)
    }
    if let age = path.conditions.age, age > 0 {
      var young = path.conditions
      young.age = age - 1
      attempt("conditions", "one confirmation early", young, secret: secret)
    }
    if let secret {
      var wrong = secret
      wrong[0] ^= 1
      attempt("conditions", "with a wrong secret", path.conditions, secret: wrong)
    }
    if path.needsSignature {
      attempt("side", "by the other side", path.conditions, secret: secret, by: path.spender.other)
      if path.conditions.revoked {
        attempt("conditions", "without revocation", path.conditions, secret: secret, by: path.spender)
      }
    }
  }

  mutating func checkChild(
    _ path: SpendPath, _ template: ChildTemplate, _ output: SpentOutput, _ signature: CounterSignature,
    _ commitment: Commitment, _ place: String
  ) throws {
    conditions = path.conditions
    let secret = path.conditions.secret.flatMap { scenario.secrets[$0] }
    var child = template.transaction(spending: output.outPoint)
    guard
      let witness = witness(
        path, child, output, by: path.spender, commitment, revoked: false, secret: secret, counterSignature: signature)
    else { return note("child", place, "its witness cannot be made by the declared side") }
    child.inputs[0].witness = witness
    expect(spend: child, of: output.txOut, succeeds: true, "child", place)
    report.executedPaths += 1

    let total = template.outputs.reduce(0) { $0 + $1.value.rawValue }
    if total > output.value.rawValue { note("value", place, "the second stage spends more than its parent has") }
    // Nobody relays what pays nothing, and nobody could pay for it: the path would be closed in practice.
    let isOpenAtOnce = template.outputs.contains { output in
      output.paths.contains { $0.spender == path.spender && $0.conditions == .none }
    }
    if total == output.value.rawValue, !template.counterSignature.sighashType.isAnyoneCanPay, !isOpenAtOnce {
      note("child", place, "the second stage pays no fee, and none can be added")
    }
    // Specifications count signatures of 73 bytes; ours are at most 72 with their hash type.
    let slack = UInt64(4 * path.witness.count(where: \.isSignature) + 2)
    if child.weight.rawValue > template.expectedWeight.rawValue
      || child.weight.rawValue + slack < template.expectedWeight.rawValue
    {
      note("weight", place, "declared \(template.expectedWeight), is \(child.weight)")
    }
    if let height = path.conditions.height, template.lockTime != height {
      note("conditions", place, "lock time \(template.lockTime), declared height \(height)")
    }
    if path.conditions.height != nil, template.sequence == .max {
      note("conditions", place, "a final sequence switches its lock time off")
    }
    if let age = path.conditions.age, template.sequence != UInt32(age) {
      note("conditions", place, "sequence \(template.sequence), declared age \(age)")
    }
    // The other side's signature covers the transaction: moved in time, it is worth nothing.
    if path.conditions.height != nil {
      var early = template.transaction(spending: output.outPoint)
      early.lockTime -= 1
      if let witness = self.witness(
        path, early, output, by: path.spender, commitment, revoked: false, secret: secret, counterSignature: signature)
      {
        early.inputs[0].witness = witness
        expect(spend: early, of: output.txOut, succeeds: false, "conditions", "\(place), one block early")
      }
    }
    // The same for another output, also when it is only a little smaller.
    var redirected = template.transaction(spending: output.outPoint)
    if let value = redirected.outputs.first?.value.rawValue, value > 0 {
      redirected.outputs[0].value = Satoshi(value - 1)
      if let witness = self.witness(
        path, redirected, output, by: path.spender, commitment, revoked: false, secret: secret,
        counterSignature: signature)
      {
        redirected.inputs[0].witness = witness
        expect(spend: redirected, of: output.txOut, succeeds: false, "child", "\(place), with another output")
      }
    }
    // A signature that lacks a secret is none.
    if case .adaptor(let presignature) = signature,
      let element = path.witness.firstIndex(where: { if case .counterSignature = $0 { true } else { false } })
    {
      let type = UInt8(truncatingIfNeeded: template.counterSignature.sighashType.rawValue)
      var early = child
      early.inputs[0].witness.elements[element] = Array(presignature.bytes.array[1...]) + (type == 0 ? [] : [type])
      expect(spend: early, of: output.txOut, succeeds: false, "conditions", "\(place), without the secret")
    }
    if let secret {
      var wrong = secret
      wrong[0] ^= 1
      var opened = template.transaction(spending: output.outPoint)
      if let witness = self.witness(
        path, opened, output, by: path.spender, commitment, revoked: false, secret: wrong, counterSignature: signature)
      {
        opened.inputs[0].witness = witness
        expect(spend: opened, of: output.txOut, succeeds: false, "conditions", "\(place), with a wrong secret")
      }
    }
    let txid = child.txid
    for (index, grandchild) in template.outputs.enumerated() {
      let spent = SpentOutput(
        outPoint: OutPoint(txid: txid, vout: UInt32(index)), value: grandchild.value, lock: grandchild.lock)
      for path in grandchild.paths {
        guard case .free(let weight) = path.execution else {
          note("child", place, "a third stage that is pre-signed")
          continue
        }
        try checkFree(
          path, spent, weight, commitment, "\(place), output \(index), path \(path.name) by \(path.spender)")
      }
    }
  }

  mutating func checkWeight(_ witness: Witness, _ path: SpendPath, _ declared: Weight, _ place: String) {
    let actual = UInt64(witness.encodedSize)
    let slack = UInt64(4 * path.witness.count(where: \.isSignature))
    if actual > declared.rawValue || actual + slack < declared.rawValue {
      note("weight", place, "declared \(declared), is \(actual) WU")
    }
  }

  mutating func expect(
    spend transaction: Transaction, of output: TxOutput, succeeds: Bool, _ law: String, _ place: String
  ) {
    var isValid = false
    defer {
      report.spends.append(
        LawSpend(
          holder: holder, place: place, transaction: transaction, spent: output, conditions: conditions,
          isValid: isValid)
      )
    }
    do {
      try ScriptVerifier.verify(input: 0, of: transaction, spending: [output], flags: .standard)
      isValid = true
      if !succeeds { note(law, place, "was accepted") }
    } catch {
      if succeeds { note(law, place, "was refused: \(error)") } else { report.refusedSpends += 1 }
    }
  }
}

extension SpendPath {
  var needsSignature: Bool { witness.contains { $0.isSignature } }
}

extension WitnessElement {
  var isSignature: Bool {
    switch self {
    case .signature, .counterSignature: true
    default: false
    }
  }

  /// The same element, signed by the other side with its own key of that role.
  func reassigned(to side: Side) -> WitnessElement {
    guard case .signature(let ref, let type) = self else { return self }
    // A revocation key cannot be had without the secret: its basepoint's own key is the best that one can try.
    let role = ref.role.derivation == .revocation ? KeyRole(ref.role.basepoint, .fixed) : ref.role
    return .signature(KeyRef(role, side), type)
  }
}
