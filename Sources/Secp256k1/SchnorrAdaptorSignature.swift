public import Encoding
internal import Hashing

/// A BIP 340 signature that lacks a secret t, known to its verifier as the point T = t·G: 65 bytes, the compressed
/// point R′ and the number s′, which is below n.
///
/// With P the signer's x-only key and e = int(hash_BIP0340/challenge(x(R′) ‖ x(P) ‖ m)) mod n:
///
/// | | R′ has even y | R′ has odd y |
/// |---|---|---|
/// | sign: R = k·G, R′ = R + T | s′ = k + e·d | s′ = −k + e·d |
/// | verify | s′·G − e·P = R′ − T | s′·G − e·P = −(R′ − T) |
/// | adapt: (x(R′), s) is a BIP 340 signature | s = s′ + t | s = s′ − t |
/// | extract | t = s − s′ | t = s′ − s |
///
/// BIP 340 verifies with the point of x(R′) that has even y; where R′ itself is odd, all of the nonce, T included, is
/// negated. The signer may know t or not: the one who adapts shows it to the one who has the pre-signature.
public struct SchnorrAdaptorSignature: FixedSizeBytes {
  public let raw: FixedBytes<65>
  /// R′ = R + T.
  public let noncePoint: PublicKey

  public static var byteCount: Int { 65 }
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }

  /// Reads 65 bytes. Throws `.wrongLength`, or `.malformed` when R′ is no compressed point or s′ is n or more.
  public init(copying bytes: RawSpan) throws(DecodingError) {
    raw = try FixedBytes<65>(copying: bytes)
    noncePoint = try PublicKey(copying: bytes.extracting(0..<33))
    guard (try? Scalar(copying: bytes.extracting(33..<65))) != nil else {
      throw .malformed("not below the order of the curve")
    }
  }

  init(noncePoint: PublicKey, s: Bytes32) {
    var raw = FixedBytes<65>()
    for index in 0..<33 { raw[index] = noncePoint.compressed[index] }
    for index in 0..<32 { raw[33 + index] = s[index] }
    self.raw = raw
    self.noncePoint = noncePoint
  }

  /// s′, which is public and below n.
  var s: Scalar { Scalar(reducing: raw.bytes.extracting(33..<65)) }

  public static func == (a: Self, b: Self) -> Bool { a.raw == b.raw }
  public static func < (a: Self, b: Self) -> Bool { a.raw < b.raw }
  public func hash(into hasher: inout Hasher) { raw.hash(into: &hasher) }

  /// The BIP 340 signature that the secret t completes. It is valid if this pre-signature is, for the point t·G.
  public func adapted(with secret: borrowing SecretKey) -> SchnorrSignature {
    let s = s + Scalar(secret).negated(if: noncePoint.yIsOdd)
    var signature = Bytes64()
    let sum = s.bytes
    for index in 0..<32 {
      signature[index] = noncePoint.compressed[index + 1]
      signature[32 + index] = sum[index]
    }
    return SchnorrSignature(signature)
  }

  /// The secret that `signature` was completed with. Throws `.wrongAdaptorSecret` unless the signature has this nonce
  /// and the secret is that of `point`.
  public func secret(from signature: SchnorrSignature, point: PublicKey) throws(Secp256k1Error) -> SecretKey {
    let nonce = noncePoint.compressed.bytes.extracting(1..<33)
    guard signature.bytes.extracting(0..<32).elementsEqual(nonce),
      let s = try? Scalar(copying: signature.bytes.extracting(32..<64)),
      let secret = try? SecretKey((s - self.s).negated(if: noncePoint.yIsOdd)), secret.publicKey == point
    else { throw .wrongAdaptorSecret }
    return secret
  }
}

extension SecretKey {
  /// Signs a message of any length (32 bytes for a sighash) up to the secret of `point`. The nonce is made as in BIP
  /// 340, with tags of its own and the point in the hash: k = int(hash_SchnorrAdaptor/nonce(t ‖ T ‖ x(P) ‖ m)) mod n,
  /// where t = d ⊕ hash_SchnorrAdaptor/aux(auxRand). As with libsecp256k1, the result is not verified again.
  ///
  /// - Parameter publicKey: this key's, which the caller knows already. With another one the signature is worth nothing,
  ///   and gives nothing away: the nonce depends on it.
  ///
  /// Throws `.invalidAdaptorSignature` for a nonce of 0 or a sum at infinity, neither of which anybody will see.
  public func signSchnorrAdaptor(
    _ message: RawSpan, publicKey: PublicKey, point: PublicKey, auxRand: Bytes32
  ) throws(Secp256k1Error) -> SchnorrAdaptorSignature {
    let (key, isOdd) = publicKey.xOnly
    let secret = isOdd ? negated() : copy()
    var state = Tag.schnorrAdaptorNonce
    state.update(Tag.schnorrAdaptorAux.masking(secret.bytes, with: auxRand).bytes)
    state.update(point)
    state.update(key)
    state.update(message)
    guard let nonce = try? SecretKey(Scalar(reducing: &state)), let sum = try? nonce.publicKey + point else {
      throw .invalidAdaptorSignature
    }
    let challenge = schnorrChallenge(nonce: sum, key: key, message: message)
    let s = Scalar(nonce).negated(if: sum.yIsOdd) + challenge * Scalar(secret)
    return SchnorrAdaptorSignature(noncePoint: sum, s: s.bytes)
  }
}

extension KeyPair {
  /// As `SecretKey.signSchnorrAdaptor`.
  public func signSchnorrAdaptor(
    _ message: RawSpan, point: PublicKey, auxRand: Bytes32
  ) throws(Secp256k1Error) -> SchnorrAdaptorSignature {
    try secretKey().signSchnorrAdaptor(message, publicKey: publicKey, point: point, auxRand: auxRand)
  }

  public func signSchnorrAdaptor(
    _ hash: Bytes32, point: PublicKey, auxRand: Bytes32
  ) throws(Secp256k1Error) -> SchnorrAdaptorSignature {
    try signSchnorrAdaptor(hash.bytes, point: point, auxRand: auxRand)
  }
}

extension XOnlyPublicKey {
  /// Whether `signature` is this key's signature of `message`, of any length, up to the secret of `point`.
  public func isValidSchnorrAdaptor(
    _ signature: SchnorrAdaptorSignature, for message: RawSpan, point: PublicKey
  ) -> Bool {
    let sum = signature.noncePoint
    let challenge = schnorrChallenge(nonce: sum, key: self, message: message)
    let nonce = GroupElement.combination(-challenge, evenPoint, generator: signature.s)
    return nonce != .infinity && GroupElement(sum) - GroupElement(point) == nonce.negated(if: sum.yIsOdd)
  }

  public func isValidSchnorrAdaptor(
    _ signature: SchnorrAdaptorSignature, for hash: Bytes32, point: PublicKey
  ) -> Bool {
    isValidSchnorrAdaptor(signature, for: hash.bytes, point: point)
  }
}
