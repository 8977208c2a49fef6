public import Bitcoin
internal import Encoding
public import GLC
public import Secp256k1

/// What a witness is put together from: the secrets of one side of one commitment, and what the path needs besides.
public struct PathOpener: ~Copyable {
  private let secrets: BasepointSecrets
  let side: Side
  let keys: CommitmentKeys
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

  /// The witness that takes a path of an output. Signatures are ECDSA in version 0 outputs; in taproot outputs they are Schnorr, for the
  /// leaf that the path names, or else for the key path, with the tweaked internal key.
  /// - Parameters:
  ///   - elements: the path's witness, or that of the funding input.
  ///   - lock: the output's.
  ///   - counterSignature: what the other side has signed beforehand, for pre-signed paths; where both have signed together, what their parts
  ///     add up to (`Commitment.handedOver`).
  ///   - secret: the secret of the path's conditions, for paths that have one.
  ///   - nonce: of this side, where both sign together.
  ///   - sighash: what is signed with each hash type, of the leaf `elements.tapLeaf` where there is one.
  public func witness(
    _ elements: [WitnessElement], lock: OutputLock, counterSignature: CounterSignature? = nil, secret: [UInt8]? = nil,
    nonce: consuming MuSigSecretNonce? = nil, sighash: (SighashType) throws(SighashError) -> Sighash
  ) throws(SigningError) -> Witness {
    var witness = Witness()
    var nonce = consume nonce
    for element in elements {
      switch element {
      case .signature(let ref, let type):
        let digest = try hash(type, sighash)
        if case .taproot(let output) = lock.reveal {
          let signature = try signSchnorr(ref, digest, keyPathOf: elements.tapLeaf == nil ? output : nil)
          witness.elements.append(signature.witnessElement(type))
        } else {
          witness.elements.append(try sign(ref, digest).der + [UInt8(truncatingIfNeeded: type.rawValue)])
        }
      case .counterSignature(.schnorr(_, let type)):
        guard case .schnorr(let signature) = counterSignature else { throw .missing("a signature of the other side") }
        witness.elements.append(signature.witnessElement(type))
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
      case .tapLeaf(let index):
        guard case .taproot(let output) = lock.reveal, output.paths.indices.contains(index) else {
          throw .missing("a taproot leaf")
        }
        let path = output.paths[index]
        witness.elements += [path.leaf.script.bytes, output.controlBlock(for: path).encoded]
      case .counterSignature(.musigPartial(let ref, let type)):
        guard case .musigPartial(let theirs) = counterSignature, case .taproot(let output) = lock.reveal else {
          throw .missing("the other side's part of a signature")
        }
        let digest = try hash(type, sighash)
        switch nonce.take() {
        case .some(let nonce):
          let own = try signPartially(ref.role, spending: output, with: nonce, nonce: theirs.nonce, digest)
          witness.elements.append(
            try complete(ref.role, spending: output, own, theirs, digest).witnessElement(type))
        case nil: throw .missing("a nonce for a signature that both sides make")
        }
      case .counterSignature(.adaptor(_, let type, let point)),
        .counterSignature(.musigAdaptor(_, let type, let point)):
        guard case .adaptor(let signature) = counterSignature else {
          throw .missing("a signature of the other side")
        }
        guard let secret else { throw .missing("the secret of the path") }
        witness.elements.append(try signature.completed(with: secret, opening: point).witnessElement(type))
      case .custom:
        throw .missing("a way to make this part")
      }
    }
    return witness
  }

  /// The signature of this side for one input.
  public func sign(_ ref: KeyRef, _ hash: Sighash) throws(SigningError) -> ECDSASignature {
    try key(ref).signECDSA(hash.raw, grindLowR: grindLowR)
  }

  /// The same for a taproot output: with the key itself for a leaf, or with the key that BIP 341 makes of it for the key path of an
  /// output. No randomness is added (BIP 340 allows that): the same question gets the same answer.
  public func signSchnorr(
    _ ref: KeyRef, _ hash: Sighash, keyPathOf output: TaprootOutput? = nil
  ) throws(SigningError) -> SchnorrSignature {
    let pair = KeyPair(try key(ref))
    guard let output else { return pair.signSchnorr(hash.raw, auxRand: Bytes32()) }
    let tweaked: KeyPair
    do { tweaked = try pair.taprootTweaked(merkleRoot: output.merkleRoot) } catch { throw .unusableKey(ref) }
    guard tweaked.xOnlyPublicKey == output.outputKey else { throw .unusableKey(ref) }
    return tweaked.signSchnorr(hash.raw, auxRand: Bytes32())
  }

  func key(_ ref: KeyRef) throws(SigningError) -> SecretKey {
    switch perCommitmentSecret {
    case .some(let secret):
      return try secrets.secret(
        ref, side: side, perCommitmentPoint: keys.perCommitmentPoint, perCommitmentSecret: secret.copy())
    case nil: return try secrets.secret(ref, side: side, perCommitmentPoint: keys.perCommitmentPoint)
    }
  }

  private func hash(
    _ type: SighashType, _ sighash: (SighashType) throws(SighashError) -> Sighash
  ) throws(SigningError) -> Sighash {
    do { return try sighash(type) } catch { throw .sighash(error) }
  }
}

extension SchnorrAdaptorSignature {
  /// - Parameter secret: 32 bytes, the discrete logarithm of the point or of its negative: both have the same x coordinate.
  fileprivate func completed(with secret: [UInt8], opening point: PublicKey) throws(SigningError) -> SchnorrSignature {
    guard let bytes = try? Bytes32(secret), let key = try? SecretKey(bytes) else { throw .missing("a secret in range") }
    if key.publicKey == point { return adapted(with: key) }
    let negated = key.negated()
    guard negated.publicKey == point else {
      throw .missing("the secret of the path")
    }
    return adapted(with: negated)
  }
}

extension SchnorrSignature {
  /// BIP 341: 64 bytes for the default hash type, or else 65 with the type at the end.
  func witnessElement(_ type: SighashType) -> [UInt8] {
    type == .default ? array : array + [UInt8(truncatingIfNeeded: type.rawValue)]
  }
}
