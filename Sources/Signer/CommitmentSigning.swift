public import Bitcoin
internal import Encoding
public import GLC
public import Secp256k1

/// What the counterparty of a commitment hands to its holder: the signatures that bring it into force.
public struct CommitmentSignatures: Hashable, Sendable {
  /// For the commitment transaction itself.
  public var funding: ECDSASignature
  /// For the second-stage transactions, in the order of the commitment's outputs (BOLT 2: `htlc_signature`).
  public var children: [ECDSASignature]

  public init(funding: ECDSASignature, children: [ECDSASignature]) {
    self.funding = funding
    self.children = children
  }
}

/// A second-stage transaction with what is needed to sign it.
public struct SecondStageTransaction: Sendable {
  public let transaction: Transaction
  public let parent: SealedOutput
  public let path: SpendPath
  public let template: ChildTemplate

  func sighash(_ type: SighashType) throws(SigningError) -> Sighash {
    guard let scriptCode = parent.output.lock.scriptCode else {
      throw .unsupported("a second stage of a taproot output")
    }
    do {
      return try transaction.segwitV0Sighash(
        input: 0, scriptCode: scriptCode, amount: parent.output.value, type: type, parts: SighashParts(transaction))
    } catch {
      throw .sighash(error)
    }
  }
}

extension Commitment {
  /// All second-stage transactions, in the order of the outputs.
  public var secondStage: [SecondStageTransaction] {
    outputs.flatMap { output in
      output.children.map { child in
        SecondStageTransaction(
          transaction: child.template.transaction(spending: output.outPoint), parent: output, path: child.path,
          template: child.template)
      }
    }
  }

  /// Signs this commitment and its second stage for its holder. Without `grindLowR` the signatures are those of BOLT 3's vectors.
  public func sign(
    asCounterparty secrets: BasepointSecrets, grindLowR: Bool = true
  ) throws(SigningError) -> CommitmentSignatures {
    let point = context.keys.perCommitmentPoint
    guard case .ecdsa(let ref, let type) = fundingCounterSignature else {
      throw .unsupported("a funding scheme without ECDSA")
    }
    let key = try secrets.secret(ref, side: .counterparty, perCommitmentPoint: point)
    let funding: ECDSASignature
    do {
      funding = key.signECDSA(try fundingSighash(type).raw, grindLowR: grindLowR)
    } catch {
      throw .sighash(error)
    }
    var children: [ECDSASignature] = []
    var cached: KeyRef?
    var childKey = key.copy()
    for child in secondStage {
      guard case .ecdsa(let ref, let type) = child.template.counterSignature else {
        throw .unsupported("a second stage without ECDSA")
      }
      if ref != cached {
        childKey = try secrets.secret(ref, side: .counterparty, perCommitmentPoint: point)
        cached = ref
      }
      children.append(childKey.signECDSA(try child.sighash(type).raw, grindLowR: grindLowR))
    }
    return CommitmentSignatures(funding: funding, children: children)
  }

  /// Checks what the counterparty handed over. Throws nothing: a wrong signature is an answer.
  public func isValid(_ signatures: CommitmentSignatures) -> Bool {
    guard case .ecdsa(let ref, let type) = fundingCounterSignature, let key = try? context.keys(ref),
      let sighash = try? fundingSighash(type), key.isValidECDSA(signatures.funding, for: sighash.raw)
    else { return false }
    let children = secondStage
    guard children.count == signatures.children.count else { return false }
    for (child, signature) in zip(children, signatures.children) {
      guard case .ecdsa(let ref, let type) = child.template.counterSignature, let key = try? context.keys(ref),
        let sighash = try? child.sighash(type), key.isValidECDSA(signature, for: sighash.raw)
      else { return false }
    }
    return true
  }

  /// The commitment transaction, ready to be broadcast by its holder.
  public func signedTransaction(
    asHolder secrets: BasepointSecrets, with signatures: CommitmentSignatures, grindLowR: Bool = true
  ) throws(SigningError) -> Transaction {
    var signed = transaction
    signed.inputs[0].witness = try assemble(
      fundingWitness, secrets: secrets, counterSignature: signatures.funding, secret: nil, lock: fundingLock,
      grindLowR: grindLowR
    ) { (type) throws(SigningError) in
      do throws(SighashError) { return try fundingSighash(type) } catch { throw .sighash(error) }
    }
    return signed
  }

  /// A second-stage transaction, ready to be broadcast by the holder. `secret` is the path's, where it has one.
  public func signed(
    _ child: SecondStageTransaction, asHolder secrets: BasepointSecrets, with counterSignature: ECDSASignature,
    secret: [UInt8]?, grindLowR: Bool = true
  ) throws(SigningError) -> Transaction {
    var signed = child.transaction
    signed.inputs[0].witness = try assemble(
      child.path.witness, secrets: secrets, counterSignature: counterSignature, secret: secret,
      lock: child.parent.output.lock, grindLowR: grindLowR
    ) { (type) throws(SigningError) in try child.sighash(type) }
    return signed
  }

  private func assemble(
    _ elements: [WitnessElement], secrets: BasepointSecrets, counterSignature: ECDSASignature, secret: [UInt8]?,
    lock: OutputLock, grindLowR: Bool, sighash: (SighashType) throws(SigningError) -> Sighash
  ) throws(SigningError) -> Witness {
    var witness = Witness()
    for element in elements {
      switch element {
      case .signature(let ref, let type):
        let key = try secrets.secret(ref, side: .holder, perCommitmentPoint: context.keys.perCommitmentPoint)
        let signature = key.signECDSA(try sighash(type).raw, grindLowR: grindLowR)
        witness.elements.append(signature.der + [UInt8(truncatingIfNeeded: type.rawValue)])
      case .counterSignature(.ecdsa(_, let type)):
        witness.elements.append(counterSignature.der + [UInt8(truncatingIfNeeded: type.rawValue)])
      case .secret:
        guard let secret else { throw .unsupported("a path that needs a secret which is not known") }
        witness.elements.append(secret)
      case .literal(let bytes): witness.elements.append(bytes)
      case .publicKey(let ref):
        guard let key = try? context.keys(ref) else { throw .unusableKey(ref) }
        witness.elements.append(key.array)
      case .witnessScript:
        guard case .witnessScript(let script) = lock.reveal else {
          throw .unsupported("a witness script that is not there")
        }
        witness.elements.append(script.bytes)
      case .counterSignature, .tapLeaf, .custom: throw .unsupported("a taproot witness")
      }
    }
    return witness
  }
}
