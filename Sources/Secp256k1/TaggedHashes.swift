internal import Encoding
internal import Hashing

/// The starts of the tagged hashes (BIP 340 §Design) that are needed here: copied and continued.
enum Tag {
  static let bip340Challenge = taggedHash("BIP0340/challenge")

  static let schnorrAdaptorAux = taggedHash("SchnorrAdaptor/aux")
  static let schnorrAdaptorNonce = taggedHash("SchnorrAdaptor/nonce")

  static let muSigAux = taggedHash("MuSig/aux")
  static let muSigNonce = taggedHash("MuSig/nonce")
  static let muSigDeterministicNonce = taggedHash("MuSig/deterministic/nonce")
  static let muSigNonceCoefficient = taggedHash("MuSig/noncecoef")
  static let keyAggList = taggedHash("KeyAgg list")
  static let keyAggCoefficient = taggedHash("KeyAgg coefficient")

  static let bip374Aux = taggedHash("BIP0374/aux")
  static let bip374Nonce = taggedHash("BIP0374/nonce")
  static let bip374Challenge = taggedHash("BIP0374/challenge")

  static let ecdsaAdaptorAux = taggedHash("ECDSAadaptor/aux")
  static let ecdsaAdaptorNonce = taggedHash("ECDSAadaptor/non")
  static let dleq = taggedHash("DLEQ")
}

extension SHA256 {
  /// This start continued with auxiliary randomness, and XORed with a secret of 32 bytes: how BIP 340, BIP 327 and BIP
  /// 374 protect the secret that a nonce is derived from.
  func masking(_ secret: RawSpan, with auxRand: Bytes32) -> SecretMemory {
    var state = self
    state.update(auxRand)
    let masked = SecretMemory(count: 32)
    masked.store(&state)
    for index in 0..<32 { unsafe masked.start[index] ^= secret[index] }
    return masked
  }
}

/// int(hash(x(R) ‖ x(P) ‖ m)) mod n, the challenge of BIP 340.
func schnorrChallenge(nonce: PublicKey, key: XOnlyPublicKey, message: RawSpan) -> Scalar {
  var state = Tag.bip340Challenge
  state.update(nonce.compressed.bytes.extracting(1..<33))
  state.update(key)
  state.update(message)
  return Scalar(reducing: state.finish())
}
