public import Encoding
internal import Hashing

/// A proof that two points have the same discrete logarithm to two bases, A = a·G and C = a·B (BIP 374): e ‖ s, 64
/// bytes. Any 64 bytes are one; whether it holds shows when it is verified.
///
/// With k the nonce, R1 = k·G and R2 = k·B:
///
///     e = int(hash_BIP0374/challenge(cbytes(A) ‖ cbytes(B) ‖ cbytes(C) ‖ cbytes(G) ‖ cbytes(R1) ‖ cbytes(R2) ‖ m))
///     s = k + e·a mod n
///     verify: e is the hash of R1 = s·G − e·A and R2 = s·B − e·C
public struct DLEQProof: TypedBytes {
  public let raw: Bytes64
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }
  public init(_ raw: Bytes64) { self.raw = raw }

  /// Proves that `secret`·generator and `secret`·`base` come from one secret (`GenerateProof`).
  ///
  /// - Parameters:
  ///   - base: B.
  ///   - auxRand: 32 bytes, fresh randomness for each proof.
  ///   - generator: the group's own unless another base is to take its place.
  ///   - message: 32 bytes that the proof is bound to.
  /// - Throws: `.invalidProof` when the nonce is 0 or the proof does not verify, which takes a fault of the machine.
  public init(
    secret: borrowing SecretKey, base: PublicKey, auxRand: Bytes32, generator: PublicKey = .generator,
    message: Bytes32? = nil
  ) throws(Secp256k1Error) {
    let a = secret.product(with: generator)
    let c = secret.sharedPoint(with: base)
    var state = Tag.bip374Nonce
    state.update(Tag.bip374Aux.masking(secret.bytes, with: auxRand).bytes)
    state.update(a)
    state.update(c)
    if let message { state.update(message) }
    guard let nonce = try? SecretKey(Scalar(reducing: &state)) else { throw .invalidProof }
    let e = Self.challenge(
      a: a, b: base, c: c, generator: generator, nonce.product(with: generator), nonce.sharedPoint(with: base), message)
    let s = Scalar(nonce) + Scalar(reducing: e) * Scalar(secret)
    self.init(Bytes64(e, s.bytes))
    // BIP 374: If VerifyProof(A, B, C, proof, G, m) returns failure, abort.
    guard isValid(a: a, b: base, c: c, generator: generator, message: message) else { throw .invalidProof }
  }

  /// Whether the proof shows that `a` is to `generator` what `c` is to `b` (`VerifyProof`).
  public func isValid(
    a: PublicKey, b: PublicKey, c: PublicKey, generator: PublicKey = .generator, message: Bytes32? = nil
  ) -> Bool {
    guard let e = try? Bytes32(copying: bytes.extracting(0..<32)),
      // BIP 374: Let s = int(proof[32:64]); fail if s ≥ n.
      let s = try? Scalar(copying: bytes.extracting(32..<64))
    else { return false }
    let negatedE = -Scalar(reducing: e)
    // BIP 374: Fail if is_infinite(R1), fail if is_infinite(R2).
    guard let r1 = (s * GroupElement(generator) + negatedE * GroupElement(a)).point,
      let r2 = (s * GroupElement(b) + negatedE * GroupElement(c)).point
    else { return false }
    return e == Self.challenge(a: a, b: b, c: c, generator: generator, r1, r2, message)
  }

  private static func challenge(
    a: PublicKey, b: PublicKey, c: PublicKey, generator: PublicKey, _ r1: PublicKey, _ r2: PublicKey,
    _ message: Bytes32?
  ) -> Bytes32 {
    var state = Tag.bip374Challenge
    state.update(a)
    state.update(b)
    state.update(c)
    state.update(generator)
    state.update(r1)
    state.update(r2)
    if let message { state.update(message) }
    return state.finish()
  }
}

extension SecretKey {
  /// secret · `generator`, by the faster way where that is G itself.
  fileprivate func product(with generator: PublicKey) -> PublicKey {
    generator == .generator ? publicKey : sharedPoint(with: generator)
  }
}

extension Bytes64 {
  /// Two halves.
  init(_ first: Bytes32, _ second: Bytes32) {
    self.init()
    for index in 0..<32 {
      self[index] = first[index]
      self[32 + index] = second[index]
    }
  }
}
