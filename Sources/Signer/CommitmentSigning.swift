public import Bitcoin
internal import Encoding
public import GLC
internal import Secp256k1

extension Commitment {
  /// Signs this commitment and its second stage for its holder. Without `grindLowR` the signatures are those of BOLT 3's
  /// vectors.
  public func sign(
    asCounterparty secrets: BasepointSecrets, grindLowR: Bool = true
  ) throws(SigningError) -> CommitmentSignatures {
    let keys = CachedKeys(secrets, side: .counterparty, point: context.keys.perCommitmentPoint)
    guard case .ecdsa(let ref, let type) = fundingCounterSignature else {
      throw .unsupported("a funding scheme without ECDSA")
    }
    let funding = try keys.sign(try fundingHash(type), ref, grindLowR)
    var children: [CounterSignature] = []
    for child in secondStage {
      guard case .ecdsa(let ref, let type) = child.template.counterSignature else {
        throw .unsupported("a second stage without ECDSA")
      }
      children.append(.ecdsa(try keys.sign(try child.hash(type), ref, grindLowR)))
    }
    return CommitmentSignatures(funding: .ecdsa(funding), children: children)
  }

  /// The commitment transaction, ready to be broadcast by its holder.
  public func signedTransaction(
    asHolder secrets: BasepointSecrets, with signatures: CommitmentSignatures, grindLowR: Bool = true
  ) throws(SigningError) -> Transaction {
    let keys = CachedKeys(secrets, side: .holder, point: context.keys.perCommitmentPoint)
    var signed = transaction
    signed.inputs[0].witness = try assemble(
      fundingWitness, keys: keys, counterSignature: signatures.funding, secret: nil, lock: fundingLock, grindLowR
    ) { (type) throws(SigningError) in try fundingHash(type) }
    return signed
  }

  /// A second-stage transaction, ready to be broadcast by the holder. `secret` is the path's, where it has one.
  public func signed(
    _ child: SecondStage, asHolder secrets: BasepointSecrets, with counterSignature: CounterSignature,
    secret: [UInt8]?, grindLowR: Bool = true
  ) throws(SigningError) -> Transaction {
    let keys = CachedKeys(secrets, side: .holder, point: context.keys.perCommitmentPoint)
    var signed = child.transaction
    signed.inputs[0].witness = try assemble(
      child.path.witness, keys: keys, counterSignature: counterSignature, secret: secret,
      lock: child.parent.output.lock,
      grindLowR
    ) { (type) throws(SigningError) in try child.hash(type) }
    return signed
  }

  private func assemble(
    _ elements: [WitnessElement], keys: CachedKeys, counterSignature: CounterSignature, secret: [UInt8]?,
    lock: OutputLock, _ grindLowR: Bool, sighash: (SighashType) throws(SigningError) -> Sighash
  ) throws(SigningError) -> Witness {
    var witness = Witness()
    for element in elements {
      switch element {
      case .signature(let ref, let type):
        let signature = try keys.sign(try sighash(type), ref, grindLowR)
        witness.elements.append(signature.der + [UInt8(truncatingIfNeeded: type.rawValue)])
      case .counterSignature(.ecdsa(_, let type)):
        guard case .ecdsa(let signature) = counterSignature else { throw .unsupported("another kind of signature") }
        witness.elements.append(signature.der + [UInt8(truncatingIfNeeded: type.rawValue)])
      case .secret:
        guard let secret else { throw .unsupported("a path that needs a secret which is not known") }
        witness.elements.append(secret)
      case .literal(let bytes): witness.elements.append(bytes)
      case .publicKey(let ref):
        do { witness.elements.append(try context.keys(ref).array) } catch { throw .unusableKey(ref) }
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

  private func fundingHash(_ type: SighashType) throws(SigningError) -> Sighash {
    do { return try fundingSighash(type) } catch { throw .sighash(error) }
  }
}

extension SecondStage {
  fileprivate func hash(_ type: SighashType) throws(SigningError) -> Sighash {
    do { return try sighash(type) } catch { throw .signature(error) }
  }
}

/// The secrets of one side of one commitment, each derived once.
private final class CachedKeys {
  private let secrets: BasepointSecrets
  private let side: Side
  private let point: PublicKey
  private var derived: [KeyRef: Box] = [:]

  private final class Box {
    let key: SecretKey
    init(_ key: consuming SecretKey) { self.key = key }
  }

  init(_ secrets: BasepointSecrets, side: Side, point: PublicKey) {
    self.secrets = secrets
    self.side = side
    self.point = point
  }

  func sign(_ hash: Sighash, _ ref: KeyRef, _ grindLowR: Bool) throws(SigningError) -> ECDSASignature {
    if let known = derived[ref] { return known.key.signECDSA(hash.raw, grindLowR: grindLowR) }
    let box = Box(try secrets.secret(ref, side: side, perCommitmentPoint: point))
    derived[ref] = box
    return box.key.signECDSA(hash.raw, grindLowR: grindLowR)
  }
}
