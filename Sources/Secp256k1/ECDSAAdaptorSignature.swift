public import Encoding
internal import Hashing

/// An ECDSA signature encrypted under a point Y, as contracts on oracles use it (dlcspecs, ECDSA-adaptor): 162 bytes,
/// R (33) ‖ Rₐ (33) ‖ sₐ (32) ‖ proof (64).
///
/// With x, X = x·G the signer's key, y, Y = y·G the encryption key, m the hash as a number, r = x(R) mod n:
///
///     encrypt: Rₐ = k·G, R = k·Y, sₐ = k⁻¹ (m + r·x), proof = DLEQ_prove(k, (Rₐ, Y, R))
///     verify:  DLEQ_verify((Rₐ, Y, R), proof) and sₐ⁻¹·m·G + sₐ⁻¹·r·X = Rₐ
///     decrypt: s = sₐ·y⁻¹, negated if high: (r, s) is an ECDSA signature
///     recover: y = ±s⁻¹·sₐ, whichever has y·G = Y
///
/// The proof for (X, Y, Z), that X = k·G and Z = k·Y, is b ‖ c with A_G = a·G, A_Y = a·Y, b = H(X ‖ Y ‖ Z ‖ A_G ‖ A_Y)
/// and c = a + b·k, H being the hash tagged `DLEQ` as a number.
///
/// Its specification warns that each adaptor signature gives away the Diffie-Hellman key x·Y: not for keys that are
/// used so elsewhere.
public struct ECDSAAdaptorSignature: FixedSizeBytes {
  public let raw: FixedBytes<162>
  /// R = k·Y.
  public let noncePoint: PublicKey
  /// Rₐ = k·G.
  let plainNoncePoint: PublicKey

  public static var byteCount: Int { 162 }
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }

  /// Reads 162 bytes. Throws `.wrongLength`, or `.malformed` when a point is none, a number is n or more, or sₐ is 0.
  /// The proof is not verified.
  public init(copying bytes: RawSpan) throws(DecodingError) {
    raw = try FixedBytes<162>(copying: bytes)
    noncePoint = try PublicKey(copying: bytes.extracting(0..<33))
    plainNoncePoint = try PublicKey(copying: bytes.extracting(33..<66))
    guard (try? SecretKey(copying: bytes.extracting(66..<98))) != nil else {
      throw .malformed("s is not a number from 1 to n − 1")
    }
    for start in [98, 130] where (try? Scalar(copying: bytes.extracting(start..<(start + 32)))) == nil {
      throw .malformed("the proof is not two numbers below n")
    }
  }

  /// sₐ, public.
  private var s: Scalar { Scalar(reducing: raw.bytes.extracting(66..<98)) }
  private var proof: PairProof { PairProof(b: raw.bytes.extracting(98..<130), c: raw.bytes.extracting(130..<162)) }

  public static func == (a: Self, b: Self) -> Bool { a.raw == b.raw }
  public static func < (a: Self, b: Self) -> Bool { a.raw < b.raw }
  public func hash(into hasher: inout Hasher) { raw.hash(into: &hasher) }

  /// Whether it decrypts, with the secret of `encryptionKey`, to the signature of the 32-byte `hash` by `publicKey`.
  public func isValid(for hash: Bytes32, publicKey: PublicKey, encryptionKey: PublicKey) -> Bool {
    guard proof.isValid(plainNoncePoint, encryptionKey, noncePoint), let inverse = try? s.inverted() else {
      return false
    }
    let r = noncePoint.scalar
    guard !r.isZero else { return false }
    let sum = GroupElement.combination(r * inverse, publicKey, generator: Scalar(reducing: hash) * inverse)
    return sum == GroupElement(plainNoncePoint)
  }

  /// The ECDSA signature, with a low s. It is valid if this adaptor signature is, for the key that `secret` opens.
  public func decrypted(with secret: borrowing SecretKey) throws(Secp256k1Error) -> ECDSASignature {
    let s = s * (try Scalar(secret).inverted())
    return try ECDSASignature(compact: Bytes64(noncePoint.scalar.bytes, s.bytes)).normalized
  }

  /// The secret of `encryptionKey`, which `signature` was decrypted with. Throws `.wrongAdaptorSecret` when it was not
  /// decrypted from this adaptor signature, or not with that secret.
  public func secret(from signature: ECDSASignature, encryptionKey: PublicKey) throws(Secp256k1Error) -> SecretKey {
    let compact = signature.compact
    guard let r = try? Scalar(copying: compact.bytes.extracting(0..<32)), r == noncePoint.scalar,
      let inverse = try? Scalar(copying: compact.bytes.extracting(32..<64)).inverted(),
      let secret = try? SecretKey(inverse * s)
    else { throw .wrongAdaptorSecret }
    let publicKey = secret.publicKey
    if publicKey == encryptionKey { return secret }
    // The decrypted s was high, and negated.
    guard publicKey.negated() == encryptionKey else { throw .wrongAdaptorSecret }
    return secret.negated()
  }

  init(noncePoint: PublicKey, plainNoncePoint: PublicKey, s: Bytes32, proof: borrowing PairProof) throws(DecodingError)
  {
    var writer = ByteWriter(reservingCapacity: Self.byteCount)
    writer.write(noncePoint)
    writer.write(plainNoncePoint)
    writer.write(s)
    writer.write(proof.b.bytes)
    writer.write(proof.c.bytes)
    try self.init(copying: writer.bytes.bytes)
  }

  /// The proof of dlcspecs, ECDSA-adaptor §Proof of Discrete Logarithm Equality (not that of BIP 374).
  struct PairProof: ~Copyable {
    let b: Scalar
    let c: Scalar

    /// Two halves of 32 bytes.
    init(b: RawSpan, c: RawSpan) {
      self.b = Scalar(reducing: b)
      self.c = Scalar(reducing: c)
    }

    /// Proves x = k·G and z = k·y.
    init(
      _ secret: borrowing SecretKey, _ x: PublicKey, _ y: PublicKey, _ z: PublicKey, auxRand: Bytes32
    ) throws(Secp256k1Error) {
      var state = Tag.dleq
      state.update(x)
      state.update(y)
      state.update(z)
      state.update(Tag.ecdsaAdaptorAux.masking(secret.bytes, with: auxRand).bytes)
      guard let nonce = try? SecretKey(Scalar(reducing: &state)) else { throw .invalidProof }
      b = Self.challenge(x, y, z, nonce.publicKey, nonce.sharedPoint(with: y))
      c = Scalar(nonce) + b * Scalar(secret)
    }

    func isValid(_ x: PublicKey, _ y: PublicKey, _ z: PublicKey) -> Bool {
      let negatedB = -b
      guard let first = GroupElement.combination(negatedB, x, generator: c).point,
        let second = (c * GroupElement(y) + negatedB * GroupElement(z)).point
      else { return false }
      return Self.challenge(x, y, z, first, second) == b
    }

    private static func challenge(
      _ x: PublicKey, _ y: PublicKey, _ z: PublicKey, _ first: PublicKey, _ second: PublicKey
    ) -> Scalar {
      var state = Tag.dleq
      for point in [x, y, z, first, second] { state.update(point) }
      return Scalar(reducing: state.finish())
    }
  }
}

extension PublicKey {
  /// x mod n.
  fileprivate var scalar: Scalar { Scalar(reducing: compressed.bytes.extracting(1..<33)) }
}

extension SecretKey {
  /// Signs a 32-byte hash such that the secret of `encryptionKey` is needed to get at the signature. Nonces are hashes
  /// of all inputs, with the secret masked by `auxRand` as BIP 340 does: fresh random bytes protect against side
  /// channels.
  ///
  /// Throws `.invalidAdaptorSignature` or `.invalidProof` when a number comes out as 0, which nobody will see.
  public func signECDSAAdaptor(
    _ hash: Bytes32, encryptionKey: PublicKey, auxRand: Bytes32
  ) throws(Secp256k1Error) -> ECDSAAdaptorSignature {
    var state = Tag.ecdsaAdaptorNonce
    state.update(Tag.ecdsaAdaptorAux.masking(bytes, with: auxRand).bytes)
    state.update(encryptionKey)
    state.update(hash)
    guard let nonce = try? SecretKey(Scalar(reducing: &state)) else { throw .invalidAdaptorSignature }
    let plainNoncePoint = nonce.publicKey
    let noncePoint = nonce.sharedPoint(with: encryptionKey)
    let inverse = try Scalar(nonce).inverted()
    let s = inverse * (Scalar(reducing: hash) + noncePoint.scalar * Scalar(self))
    let proof = try ECDSAAdaptorSignature.PairProof(
      nonce, plainNoncePoint, encryptionKey, noncePoint, auxRand: auxRand)
    guard
      let signature = try? ECDSAAdaptorSignature(
        noncePoint: noncePoint, plainNoncePoint: plainNoncePoint, s: s.bytes, proof: proof)
    else { throw .invalidAdaptorSignature }
    return signature
  }
}
