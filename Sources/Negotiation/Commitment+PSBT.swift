public import Bitcoin
internal import Encoding
public import GLC
internal import Secp256k1

// Commitments and what follows from them as PSBTs: what both sides compare when they agree on a channel, and what other tools can read.

extension Commitment {
  /// This commitment as a version 2 PSBT, with the funding output that it spends, what opens each of its outputs, and, as proprietary
  /// records, what it is to the channel and every way to spend it. The same state makes the same bytes.
  /// - Parameter signature: what the other side has signed, if it has.
  public func psbt(signature: CounterSignature? = nil) throws(PSBTError) -> PSBT {
    var psbt = try PSBT(transactionVersion: version, fallbackLocktime: lockTime, txModifiable: nil)
    stack.describe(in: &psbt, by: context.funder)
    psbt.describe(.commitment, self)
    var input = PSBT.Input(previousOutput: context.fundingOutpoint, sequence: sequence)
    input.take(TxOutput(value: context.capacity, scriptPubKey: fundingLock.scriptPubKey), fundingLock, leaf: nil)
    input.proprietary[GLCField.key(GLCField.Input.fundingScheme)] = GLCField.bytes(type(of: stack.funding).id)
    input.name(signersOf: fundingCounterSignature, context.keys)
    if let signature { input.add(signature, for: fundingCounterSignature, context.keys) }
    psbt.inputs.append(input)
    var counts: [ExtensionID: UInt64] = [:]
    for sealed in outputs {
      let owner = sealed.output.tag.owner
      psbt.outputs.append(PSBT.Output(sealed.output, number: counts[owner, default: 0]))
      counts[owner, default: 0] += 1
    }
    return psbt
  }

  /// The second-stage transactions of an output, each as a PSBT. Empty for an output that has none, or is not there.
  /// - Parameter signatures: the counterparty's for second stages, in the order of the outputs.
  public func secondStages(
    of output: Int, signatures: [CounterSignature] = []
  ) throws(PSBTError) -> [(path: String, psbt: PSBT)] {
    guard outputs.indices.contains(output) else { return [] }
    func isSignedByCounterparty(_ child: (path: SpendPath, template: ChildTemplate)) -> Bool {
      child.path.spender == .holder || child.template.counterSignature.isPaired
    }
    // Which of the signatures come next.
    var next = 0
    if !signatures.isEmpty {
      for other in outputs.prefix(output) { next += other.children.count { isSignedByCounterparty($0) } }
    }
    let sealed = outputs[output]
    var found: [(path: String, psbt: PSBT)] = []
    for child in sealed.children {
      let template = child.template
      var psbt = try PSBT(
        transactionVersion: template.version, fallbackLocktime: template.lockTime, txModifiable: nil)
      stack.describe(in: &psbt, by: context.funder)
      psbt.describe(.secondStage, self)
      var input = PSBT.Input(previousOutput: sealed.outPoint, sequence: template.sequence)
      let leaf = child.path.witness.compactMap { if case .tapLeaf(let index) = $0 { index } else { nil } }.first
      input.take(
        TxOutput(value: sealed.output.value, scriptPubKey: sealed.output.lock.scriptPubKey), sealed.output.lock,
        leaf: leaf)
      input.proprietary[GLCField.key(GLCField.Input.path)] = child.path.record
      input.name(signersOf: template.counterSignature, context.keys)
      if isSignedByCounterparty(child), signatures.indices.contains(next) {
        input.add(signatures[next], for: template.counterSignature, context.keys)
        next += 1
      }
      psbt.inputs.append(input)
      for output in template.outputs {
        var described = PSBT.Output(amount: output.value, script: output.lock.scriptPubKey)
        described.reveal(output.lock)
        described.describe(output.paths)
        psbt.outputs.append(described)
      }
      found.append((child.path.name, psbt))
    }
    return found
  }
}

/// What a transaction is to its channel.
enum TransactionRole: UInt8 {
  case funding = 0
  case commitment = 1
  case secondStage = 2
}

extension PSBT {
  /// The role, the commitment's number (eight bytes), and whose it is: 0 the opener's, 1 the acceptor's.
  mutating func describe(_ role: TransactionRole, _ commitment: Commitment) {
    var writer = ByteWriter(reservingCapacity: 10)
    writer.write(role.rawValue)
    writer.write(commitment.context.number)
    writer.write(commitment.context.holder == commitment.context.funder ? 0 : 1 as UInt8)
    proprietary[GLCField.key(GLCField.Global.role)] = writer.bytes
  }
}

extension ChannelStack {
  /// The parts of the stack, and each extension's parameters as the opener has them, so that both parties write the same.
  func describe(in psbt: inout PSBT, by opener: Party) {
    var writer = ByteWriter()
    writer.write(1 as UInt8)
    writer.write(type(of: funding).id.rawValue)
    writer.writeBigSize(UInt64(transforms.count))
    for transform in transforms { writer.write(type(of: transform).id.rawValue) }
    psbt.proprietary[GLCField.key(GLCField.Global.stack)] = writer.bytes
    for slot in extensions {
      psbt.proprietary[GLCField.key(GLCField.Global.parameters, GLCField.bytes(slot.id))] =
        opener == .local ? slot.encodedParameters : slot.mirroredParameters
    }
  }
}

extension PSBT.Input {
  /// What it spends, and what has to be shown for that.
  mutating func take(_ output: TxOutput, _ lock: OutputLock, leaf: Int?) {
    witnessUTXO = output
    switch lock.reveal {
    case .witnessScript(let script): witnessScript = script
    case .taproot(let taproot):
      tapInternalKey = taproot.internalKey
      tapMerkleRoot = taproot.merkleRoot
      if let leaf, taproot.paths.indices.contains(leaf) {
        let path = taproot.paths[leaf]
        let block = ControlBlock(
          leafVersion: path.leaf.version, outputKeyYIsOdd: taproot.outputKeyYIsOdd, internalKey: taproot.internalKey,
          path: path.hashes)
        tapLeafScripts[block] = path.leaf
      }
    case .publicKey, .nothing: break
    }
  }

  /// A signature of the other side, where BIP 174, 371 or 373 have a place for it.
  mutating func add(_ signature: CounterSignature, for slot: SignatureSlot, _ keys: CommitmentKeys) {
    sighashType = slot.sighashType
    switch (signature, slot) {
    case (.ecdsa(let ecdsa), .ecdsa(let ref, let type)):
      guard let key = try? keys(ref),
        let partial = PSBT.PartialSignature(ecdsa.der + [UInt8(truncatingIfNeeded: type.rawValue)])
      else { return }
      partialSignatures[PSBT.ScriptKey(key)] = partial
    case (.schnorr(let schnorr), .schnorr(let ref, let type)):
      guard let key = try? keys(ref), let leaf = tapLeafScripts.first?.value else { return }
      let place = PSBT.TapScriptSignatureKey(publicKey: key.xOnly.key, leafHash: leaf.hash)
      tapScriptSignatures[place] = PSBT.TapSignature(schnorr, sighashType: type)
    case (.musigPartial(let partial), .musigPartial(let ref, _)):
      guard let key = try? keys(ref), let target = pairedTarget(keys, ref.role) else { return }
      let place = PSBT.MuSig2Key(participant: key, aggregate: target)
      musig2PublicNonces[place] = partial.nonce.raw
      musig2PartialSignatures[place] = partial.signature.raw
    default: break
    }
  }

  /// Who makes the signature of an output that both sides sign for together.
  mutating func name(signersOf slot: SignatureSlot, _ keys: CommitmentKeys) {
    switch slot {
    case .musigPartial(let ref, _), .musigAdaptor(let ref, _, _):
      guard let paired = try? keys.paired(ref.role) else { return }
      musig2ParticipantPubkeys[paired.aggregateKey] = paired.publicKeys
    case .ecdsa, .schnorr, .adaptor: break
    }
  }

  /// The output key that both sides sign for.
  private func pairedTarget(_ keys: CommitmentKeys, _ role: KeyRole) -> PublicKey? {
    guard let internalKey = tapInternalKey, let paired = try? keys.paired(role) else { return nil }
    let tweak = TaprootOutput.tweak(internalKey: internalKey, merkleRoot: tapMerkleRoot)
    return try? paired.tweaked(by: tweak, .xOnly).aggregateKey
  }
}

extension PSBT.Output {
  /// - Parameter number: how many outputs of the same owner stand before it.
  init(_ output: DraftOutput, number: UInt64) {
    self.init(amount: output.value, script: output.lock.scriptPubKey)
    reveal(output.lock)
    var writer = ByteWriter(reservingCapacity: 10)
    writer.write(output.tag.owner.rawValue)
    writer.write(number)
    proprietary[GLCField.key(GLCField.Output.owner)] = writer.bytes
    describe(output.paths)
  }

  mutating func reveal(_ lock: OutputLock) {
    switch lock.reveal {
    case .witnessScript(let script): witnessScript = script
    case .taproot(let taproot):
      tapInternalKey = taproot.internalKey
      if !taproot.paths.isEmpty {
        tapTree = PSBT.TapTreeLeaves(
          taproot.paths.map { .init(depth: UInt8(clamping: $0.hashes.count), leaf: $0.leaf) })
      }
    case .publicKey, .nothing: break
    }
  }

  mutating func describe(_ paths: [SpendPath]) {
    for (index, path) in paths.enumerated() {
      proprietary[GLCField.key(GLCField.Output.path, [UInt8(clamping: index)])] = path.record
    }
  }
}
