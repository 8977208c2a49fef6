public import Bitcoin
public import Secp256k1

/// A signature that one side hands to the other beforehand.
public enum CounterSignature: Hashable, Sendable {
  case ecdsa(ECDSASignature)
  case schnorr(SchnorrSignature)
}

/// What the counterparty of a commitment hands to its holder: the signatures that bring it into force.
public struct CommitmentSignatures: Hashable, Sendable {
  /// For the commitment transaction itself.
  public var funding: CounterSignature
  /// For the second-stage transactions, in the order of the commitment's outputs.
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
  case draft(DraftError)
}

/// A second-stage transaction with what is needed to sign it.
public struct SecondStage: Sendable {
  public let transaction: Transaction
  public let parent: SealedOutput
  public let path: SpendPath
  public let template: ChildTemplate

  /// What is signed for its single input. Version 0 witness outputs alone.
  public func sighash(_ type: SighashType) throws(SignatureError) -> Sighash {
    guard let scriptCode = parent.output.lock.scriptCode else { throw .wrongKind }
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
  public var secondStage: [SecondStage] {
    outputs.flatMap { output in
      output.children.map { child in
        SecondStage(
          transaction: child.template.transaction(spending: output.outPoint), parent: output, path: child.path,
          template: child.template)
      }
    }
  }

  /// Checks what the counterparty handed over. BOLT 2: a signature that is not valid OR non-compliant with LOW-S-standard rule
  /// fails the channel.
  public func verify(_ signatures: CommitmentSignatures) throws(SignatureError) {
    guard case .ecdsa(let ref, let type) = fundingCounterSignature, case .ecdsa(let signature) = signatures.funding
    else {
      throw .wrongKind
    }
    guard try key(ref).isValidECDSA(signature, for: fundingHash(type).raw) else { throw .invalidFunding }
    let children = secondStage
    guard children.count == signatures.children.count else {
      throw .wrongCount(expected: children.count, actual: signatures.children.count)
    }
    for (index, child) in children.enumerated() {
      guard case .ecdsa(let ref, let type) = child.template.counterSignature,
        case .ecdsa(let signature) = signatures.children[index]
      else { throw .wrongKind }
      guard try key(ref).isValidECDSA(signature, for: child.sighash(type).raw) else { throw .invalidChild(index) }
    }
  }

  private func key(_ ref: KeyRef) throws(SignatureError) -> PublicKey {
    do { return try context.keys(ref) } catch { throw .draft(error) }
  }

  private func fundingHash(_ type: SighashType) throws(SignatureError) -> Sighash {
    do { return try fundingSighash(type) } catch { throw .sighash(error) }
  }
}
