public import Bitcoin
internal import Encoding
public import GLC
public import Secp256k1

/// What a witness is put together from: the secrets of one side of one commitment, and what the path needs besides.
public struct PathOpener: ~Copyable {
  private let secrets: BasepointSecrets
  private let side: Side
  private let keys: CommitmentKeys
  private let perCommitmentSecret: SecretKey?
  private let grindLowR: Bool

  /// - Parameters:
  ///   - side: which side of the commitment the secrets are.
  ///   - perCommitmentSecret: of a revoked commitment, for paths that are open because of that.
  public init(
    _ secrets: BasepointSecrets, side: Side, keys: CommitmentKeys, perCommitmentSecret: consuming SecretKey? = nil,
    grindLowR: Bool = true
  ) {
    self.secrets = secrets
    self.side = side
    self.keys = keys
    self.perCommitmentSecret = perCommitmentSecret
    self.grindLowR = grindLowR
  }

  /// The witness that takes a path of an output.
  /// - Parameters:
  ///   - elements: the path's witness, or that of the funding input.
  ///   - lock: the output's.
  ///   - counterSignature: what the other side has signed beforehand, for pre-signed paths.
  ///   - secret: the secret of the path's conditions, for paths that have one.
  ///   - sighash: what is signed with each hash type.
  public func witness(
    _ elements: [WitnessElement], lock: OutputLock, counterSignature: CounterSignature? = nil, secret: [UInt8]? = nil,
    sighash: (SighashType) throws(SighashError) -> Sighash
  ) throws(SigningError) -> Witness {
    var witness = Witness()
    for element in elements {
      switch element {
      case .signature(let ref, let type):
        let signature = try sign(ref, try hash(type, sighash))
        witness.elements.append(signature.der + [UInt8(truncatingIfNeeded: type.rawValue)])
      case .counterSignature(.ecdsa(_, let type)):
        guard case .ecdsa(let signature) = counterSignature else { throw .missing("a signature of the other side") }
        witness.elements.append(signature.der + [UInt8(truncatingIfNeeded: type.rawValue)])
      case .secret:
        guard let secret else { throw .missing("the secret of the path") }
        witness.elements.append(secret)
      case .literal(let bytes): witness.elements.append(bytes)
      case .publicKey(let ref):
        do { witness.elements.append(try keys(ref).array) } catch { throw .unusableKey(ref) }
      case .witnessScript:
        guard case .witnessScript(let script) = lock.reveal else { throw .missing("a witness script") }
        witness.elements.append(script.bytes)
      case .counterSignature, .tapLeaf, .custom: throw .missing("a way to sign for taproot")
      }
    }
    return witness
  }

  /// The signature of this side for one input.
  public func sign(_ ref: KeyRef, _ hash: Sighash) throws(SigningError) -> ECDSASignature {
    let key: SecretKey
    switch perCommitmentSecret {
    case .some(let secret):
      key = try secrets.secret(
        ref, side: side, perCommitmentPoint: keys.perCommitmentPoint, perCommitmentSecret: secret.copy())
    case nil: key = try secrets.secret(ref, side: side, perCommitmentPoint: keys.perCommitmentPoint)
    }
    return key.signECDSA(hash.raw, grindLowR: grindLowR)
  }

  private func hash(
    _ type: SighashType, _ sighash: (SighashType) throws(SighashError) -> Sighash
  ) throws(SigningError) -> Sighash {
    do { return try sighash(type) } catch { throw .sighash(error) }
  }
}
