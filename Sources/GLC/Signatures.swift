public import Bitcoin
public import Encoding
internal import Hashing
public import Secp256k1

/// A signature that one side hands to the other beforehand.
public enum CounterSignature: Hashable, Sendable {
  case ecdsa(ECDSASignature)
  case schnorr(SchnorrSignature)
  /// A part of a signature or pre-signature that both sides make, for the key path of a taproot output.
  indirect case musigPartial(PartialSignature)
  /// A signature that lacks a secret.
  indirect case adaptor(SchnorrAdaptorSignature)
}

/// What the counterparty of a commitment hands to its holder: the signatures that bring it into force.
public struct CommitmentSignatures: Hashable, Sendable {
  /// For the commitment transaction itself.
  public var funding: CounterSignature
  /// For the second-stage transactions of the holder, and those of its own that both sides sign, in the order of the commitment's outputs.
  public var children: [CounterSignature]

  public init(funding: CounterSignature, children: [CounterSignature]) {
    self.funding = funding
    self.children = children
  }
}

/// Why a signature cannot be made or does not hold.
public enum SignatureError: Error, Hashable, Sendable {
  case sighash(SighashError)
  /// The commitment has another number of second-stage transactions.
  case wrongCount(expected: Int, actual: Int)
  /// The signature of the commitment transaction.
  case invalidFunding
  /// The signature of the second-stage transaction at this position.
  case invalidChild(Int)
  /// The slot asks for another kind of signature.
  case wrongKind
  /// Both sides sign together, and a nonce was not given.
  case missingNonce
  case draft(DraftError)
}

extension SignatureError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .sighash(let error): "what is to be signed cannot be computed: \(error)"
    case .wrongCount(let expected, let actual): "there are \(actual) further signatures where \(expected) are due"
    case .invalidFunding: "the signature of the commitment does not hold"
    case .invalidChild(let index): "the signature of second-stage transaction \(index) does not hold"
    case .wrongKind: "a signature of another kind than the channel's"
    case .missingNonce: "there is no nonce for a signature that both sides make"
    case .draft(let error): "\(error)"
    }
  }
}

/// A second-stage transaction with what is needed to sign it.
public struct SecondStage: Sendable {
  public let transaction: Transaction
  public let parent: SealedOutput
  public let path: SpendPath
  public let template: ChildTemplate

  /// What is signed for its single input.
  public func sighash(_ type: SighashType) throws(SignatureError) -> Sighash {
    do throws(SighashError) {
      if case .taproot(let output) = parent.output.lock.reveal {
        let leaf = path.witness.tapLeaf.flatMap { output.paths.indices.contains($0) ? output.paths[$0].leaf : nil }
        let spent = TxOutput(value: parent.output.value, scriptPubKey: parent.output.lock.scriptPubKey)
        return try transaction.taprootSighash(
          input: 0, spentOutputs: [spent], type: type,
          tapscript: leaf.map { Transaction.TapscriptContext(leafHash: $0.hash) },
          parts: SighashParts(transaction, spentOutputs: [spent]))
      }
      guard let scriptCode = parent.output.lock.scriptCode else { throw .invalidType(type.rawValue) }
      return try transaction.segwitV0Sighash(
        input: 0, scriptCode: scriptCode, amount: parent.output.value, type: type, parts: SighashParts(transaction))
    } catch {
      throw .sighash(error)
    }
  }
}

extension Commitment {
  /// The second-stage transactions of the holder, in the order of the outputs.
  public var secondStage: [SecondStage] { secondStage(of: .holder) }

  /// The second-stage transactions of a side, which the other one signs, in the order of the outputs.
  public func secondStage(of side: Side) -> [SecondStage] {
    outputs.flatMap { output in
      output.children.filter { $0.path.spender == side }.map { child in
        SecondStage(
          transaction: child.template.transaction(spending: output.outPoint), parent: output, path: child.path,
          template: child.template)
      }
    }
  }

  /// The second-stage transactions that a side signs: the other one's, and its own where both sign together. In the order of the outputs.
  public func secondStage(signedBy signer: Side) -> [SecondStage] {
    outputs.flatMap { output in
      output.children.filter { $0.path.spender != signer || $0.template.counterSignature.isPaired }.map { child in
        SecondStage(
          transaction: child.template.transaction(spending: output.outPoint), parent: output, path: child.path,
          template: child.template)
      }
    }
  }

  /// Where the second-stage transactions are that the counterparty signs, in the order of its signatures.
  public var secondStageIndex: SecondStageIndex { SecondStageIndex(store, signedBy: .counterparty) }

  /// … and those that the holder signs beforehand (`Manifest.needsPresign`).
  public var presignIndex: SecondStageIndex { SecondStageIndex(store, signedBy: .holder) }

  /// What a side signs for one of the second-stage transactions, and how.
  /// - Parameter scratch: memory for the script; keep it from one to the next.
  public func secondStageSighash(
    _ position: SecondStageIndex.Position, scratch: inout ByteWriter
  ) throws(SignatureError) -> SecondStageSighash {
    let outPoint = OutPoint(txid: txid, vout: UInt32(bitPattern: position.output))
    let entry = store.entries[Int(position.output)]
    switch entry.source {
    case .described(let index):
      let output = store.described[Int(index)]
      guard case .presigned(let template) = output.paths[Int(position.path)].execution else { throw .wrongKind }
      let child = SecondStage(
        transaction: template.transaction(spending: outPoint),
        parent: SealedOutput(output: output, outPoint: outPoint), path: output.paths[Int(position.path)],
        template: template)
      return SecondStageSighash(
        slot: template.counterSignature, hash: try child.sighash(template.counterSignature.sighashType))
    case .member(let member, let number):
      let family = store.families[Int(number)]
      guard let sketch = family.secondStage(of: Int(member), signedBy: position.signer) else { throw .wrongKind }
      let type = sketch.counterSignature.sighashType
      if let leaf = sketch.leaf {
        return SecondStageSighash(
          slot: sketch.counterSignature, boundKey: sketch.boundKey,
          hash: try sighash(sketch, at: position, outPoint, leaf, type))
      }
      var preimage = SegwitV0Preimage(
        version: sketch.version, input: outPoint, sequence: sketch.sequence, amount: entry.value,
        lockTime: sketch.lockTime, type: type)
      if !type.isNone {
        var output = FixedByteWriter<43>()
        output.writeLE(sketch.value.rawValue)
        output.write(34 as UInt8)
        output.write(sketch.scriptPubKey.bytes)
        preimage.outputs = sha256d(output.bytes)
      }
      scratch.bytes.removeAll(keepingCapacity: true)
      family.writeWitnessScript(of: Int(member), to: &scratch)
      return SecondStageSighash(
        slot: sketch.counterSignature, boundKey: sketch.boundKey, hash: preimage.hash(scriptCode: scratch.bytes.bytes))
    }
  }

  /// The hash of a second stage that spends a leaf, its single output in short.
  private func sighash(
    _ sketch: SecondStageSketch, at position: SecondStageIndex.Position, _ outPoint: OutPoint, _ leaf: Bytes32,
    _ type: SighashType
  ) throws(SignatureError) -> Sighash {
    var preimage = SingleInputTaprootPreimage(
      version: sketch.version, input: outPoint, sequence: sketch.sequence,
      amount: store.entries[Int(position.output)].value, scriptPubKey: store.script(at: Int(position.output)),
      lockTime: sketch.lockTime, type: type)
    var output = FixedByteWriter<43>()
    output.writeLE(sketch.value.rawValue)
    output.write(34 as UInt8)
    output.write(sketch.scriptPubKey.bytes)
    preimage.outputs = sha256(output.bytes)
    do { return try preimage.hash(leaf: leaf) } catch { throw .sighash(error) }
  }

  /// Checks what the counterparty handed over. BOLT 2: a signature that is not valid OR non-compliant with LOW-S-standard rule
  /// fails the channel.
  /// - Parameters:
  ///   - nonce: the holder's for this commitment, where both sign together.
  ///   - presignatures: the holder's, where second stages are signed together.
  public func verify(
    _ signatures: CommitmentSignatures, nonce: MuSigPublicNonce? = nil, presignatures: [CounterSignature] = [],
    workers: Workers = .all
  ) throws(SignatureError) {
    let index = secondStageIndex
    guard index.count == signatures.children.count else {
      throw .wrongCount(expected: index.count, actual: signatures.children.count)
    }
    try verifyFunding(signatures.funding, nonce)
    try verify(signatures.children, index, by: .counterparty, presignatures.compactMap(\.nonce), workers)
  }

  /// Checks what the holder handed over before the counterparty signs: its signatures on the counterparty's second stage, and its parts of
  /// those that both sign.
  /// - Parameter nonces: the counterparty's, where second stages are signed together.
  public func verifyPresignatures(
    _ signatures: [CounterSignature], nonces: [MuSigPublicNonce] = [], workers: Workers = .all
  ) throws(SignatureError) {
    let index = presignIndex
    guard index.count == signatures.count else {
      throw .wrongCount(expected: index.count, actual: signatures.count)
    }
    try verify(signatures, index, by: .holder, nonces, workers)
  }

  /// - Parameter nonces: of the side that is not the signer, for what both sign.
  private func verify(
    _ signatures: [CounterSignature], _ index: SecondStageIndex, by signer: Side, _ nonces: [MuSigPublicNonce],
    _ workers: Workers
  ) throws(SignatureError) {
    guard nonces.count == index.pairCount else { throw .missingNonce }
    _ = try workers.map(index.count, smallestPiece: Self.smallestPiece) {
      (range) throws(SignatureError) -> [Never] in
      var scratch = ByteWriter(reservingCapacity: 160)
      for position in range {
        let holds: Bool
        if let pair = index[position].pair {
          holds = try isValid(
            signatures[position], try pairedStage(at: index[position], scratch: &scratch), by: signer, nonces[pair])
        } else {
          holds = try isValid(signatures[position], try secondStageSighash(index[position], scratch: &scratch))
        }
        guard holds else { throw .invalidChild(position) }
      }
      return []
    }
  }

  private func verifyFunding(_ signature: CounterSignature, _ nonce: MuSigPublicNonce?) throws(SignatureError) {
    let slot = fundingCounterSignature
    let hash = try fundingHash(slot.sighashType)
    guard case .musigPartial(let ref, _) = slot else {
      guard try isValid(signature, SecondStageSighash(slot: slot, hash: hash)) else { throw .invalidFunding }
      return
    }
    guard case .musigPartial(let partial) = signature, case .taproot(let output) = fundingLock.reveal else {
      throw .wrongKind
    }
    guard let nonce else { throw .missingNonce }
    let session = try MuSigSession(
      keys: try context.keys.paired(ref.role, spending: output), nonces: nonce, partial.nonce, hash: hash)
    guard session.isValid(partial.signature, of: try key(ref), nonce: partial.nonce) else { throw .invalidFunding }
  }

  private func isValid(
    _ signature: CounterSignature, _ signed: SecondStageSighash
  ) throws(SignatureError) -> Bool {
    let hash = signed.hash.raw
    switch (signed.slot, signature) {
    case (.ecdsa(let ref, _), .ecdsa(let signature)): return try key(ref).isValidECDSA(signature, for: hash)
    case (.schnorr(let ref, _), .schnorr(let signature)):
      return try key(ref).xOnly.key.isValidSchnorr(signature, for: hash)
    case (.adaptor(_, _, let point), .adaptor(let signature)):
      return try key(signed).xOnly.key.isValidSchnorrAdaptor(signature, for: hash, point: point)
    default: throw .wrongKind
    }
  }

  /// A side's part of a pre-signature that both make.
  private func isValid(
    _ signature: CounterSignature, _ stage: PairedStage, by signer: Side, _ nonce: MuSigPublicNonce
  ) throws(SignatureError) -> Bool {
    guard case .musigPartial(let part) = signature else { throw .wrongKind }
    let session = try MuSigAdaptorSession(
      keys: try stage.keys(context.keys), nonces: nonce, part.nonce, point: stage.point, hash: stage.hash)
    return session.isValid(part.signature, of: try key(KeyRef(stage.role, signer)), nonce: part.nonce)
  }

  /// What is worth a core of its own: eight signatures take a hundred microseconds or more.
  public static let smallestPiece = 8

  private func key(_ ref: KeyRef) throws(SignatureError) -> PublicKey {
    do { return try context.keys(ref) } catch { throw .draft(error) }
  }

  /// What a signature is for.
  public func key(_ signed: SecondStageSighash) throws(SignatureError) -> PublicKey {
    if let key = signed.boundKey { return key }
    do { return try context.keys(signed.slot) } catch { throw .draft(error) }
  }

  private func fundingHash(_ type: SighashType) throws(SignatureError) -> Sighash {
    do { return try fundingSighash(type) } catch { throw .sighash(error) }
  }
}

/// What is signed for a second-stage transaction, and how.
public struct SecondStageSighash: Sendable {
  public let slot: SignatureSlot
  /// The slot's key where that is bound to a point and known already.
  let boundKey: PublicKey?
  public let hash: Sighash

  init(slot: SignatureSlot, boundKey: PublicKey? = nil, hash: Sighash) {
    self.slot = slot
    self.boundKey = boundKey
    self.hash = hash
  }
}

/// Where a commitment has second-stage transactions.
public struct SecondStageIndex: RandomAccessCollection, Sendable {
  public struct Position: Sendable {
    let output: Int32
    let path: Int32
    private let pairNumber: Int32
    let signer: Side

    fileprivate init(_ output: Int, _ path: Int, pair: Int?, signer: Side) {
      self.signer = signer
      self.output = Int32(truncatingIfNeeded: output)
      self.path = Int32(truncatingIfNeeded: path)
      pairNumber = pair.map { Int32(truncatingIfNeeded: $0) } ?? -1
    }

    /// How many second stages that both sides sign stand before it, when it is one of them.
    public var pair: Int? { pairNumber < 0 ? nil : Int(pairNumber) }
  }

  private var positions: [Position] = []
  /// How many of them both sides sign.
  public private(set) var pairCount = 0

  /// - Parameter signer: who signs them. Families have none that both sign.
  init(_ store: OutputStore, signedBy signer: Side) {
    positions.reserveCapacity(store.entries.count)
    for (output, entry) in store.entries.enumerated() {
      switch entry.source {
      case .described(let index):
        for (path, candidate) in store.described[Int(index)].paths.enumerated() {
          guard case .presigned(let template) = candidate.execution else { continue }
          if template.counterSignature.isPaired {
            positions.append(Position(output, path, pair: pairCount, signer: signer))
            pairCount += 1
          } else if candidate.spender != signer {
            positions.append(Position(output, path, pair: nil, signer: signer))
          }
        }
      case .member(let member, let family):
        if store.families[Int(family)].hasSecondStage(Int(member), signedBy: signer) {
          positions.append(Position(output, 0, pair: nil, signer: signer))
        }
      }
    }
  }

  public var startIndex: Int { 0 }
  public var endIndex: Int { positions.count }
  public subscript(position: Int) -> Position { positions[position] }
}
