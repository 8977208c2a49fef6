public import Encoding

/// A MuSig2 session whose signature lacks a secret t, known to all as the point T = t·G.
///
/// The nonce that BIP 327 derives is shifted by T: with R1, R2 the aggregate nonce, the session runs on (R1 + T, R2),
/// so that
///
///     b  = int(hash_MuSig/noncecoef(cbytes(R1 + T) ‖ cbytes(R2) ‖ xbytes(Q) ‖ m)) mod n
///     R′ = R1 + T + b⋅R2
///     e  = int(hash_BIP0340/challenge(xbytes(R′) ‖ xbytes(Q) ‖ m)) mod n
///
/// while the signers sign with the nonces they have, whose sum is R′ − T. Their partial signatures are made and
/// verified as ever and add up to s′ with s′⋅G = ±(R′ − T) + e⋅Q, minus where R′ has odd y: a `SchnorrAdaptorSignature`
/// (R′, s′) for the aggregate key, which ±t completes to a BIP 340 signature.
///
/// Every signer should verify the aggregated pre-signature, or each partial signature, before it counts on it.
public struct MuSigAdaptorSession: Sendable {
  /// T.
  public let point: PublicKey
  /// The session on the shifted nonce.
  private let session: MuSigSession
  /// R′.
  private let noncePoint: PublicKey

  /// `aggregateNonce` is the sum of the signers' nonces, not yet shifted.
  public init(keys: MuSigKeyAggregation, aggregateNonce: MuSigAggregateNonce, point: PublicKey, message: Bytes32) {
    let (first, second) = aggregateNonce.points
    let shifted = MuSigAggregateNonce(first + GroupElement(point), second)
    session = MuSigSession(keys: keys, aggregateNonce: shifted, message: message)
    noncePoint = BIP327.Session(keys: keys, aggregateNonce: shifted, message: message.array).finalNonce
    self.point = point
  }

  public var keys: MuSigKeyAggregation { session.keys }
  public var message: Bytes32 { session.message }

  /// As `MuSigSession.sign`.
  public func sign(
    with keyPair: borrowing KeyPair, nonce: consuming MuSigSecretNonce
  ) throws(Secp256k1Error) -> MuSigPartialSignature {
    try session.sign(with: keyPair, nonce: nonce)
  }

  /// As `MuSigSession.isValid`.
  public func isValid(
    _ signature: MuSigPartialSignature, of publicKey: PublicKey, nonce: MuSigPublicNonce
  ) -> Bool {
    session.isValid(signature, of: publicKey, nonce: nonce)
  }

  /// Adds up the partial signatures of all signers to a pre-signature for `keys.xOnlyPublicKey`, which is valid if each
  /// of them was. Throws `.invalidPartialSignature` unless there is one for each signer.
  public func aggregate(_ signatures: [MuSigPartialSignature]) throws(Secp256k1Error) -> SchnorrAdaptorSignature {
    let sum = try session.aggregate(signatures)
    guard let s = try? Bytes32(copying: sum.bytes.extracting(32..<64)) else { throw .invalidPartialSignature }
    return SchnorrAdaptorSignature(noncePoint: noncePoint, s: s)
  }
}
