/// What libsecp256k1 refuses, in its own terms.
public enum Secp256k1Error: Error, Hashable, Sendable {
  /// Not a number from 1 to n − 1.
  case invalidSecretKey
  /// Not the encoding of a point on the curve.
  case invalidPublicKey
  /// A tweak of n or more, or one that makes the key zero or the point infinite.
  case invalidTweak
  /// A sum of points that is the point at infinity.
  case pointAtInfinity
  /// Not the encoding of a signature.
  case invalidSignature
  /// No public key can be recovered from the signature.
  case unrecoverableSignature
  /// Not the encoding of a MuSig2 public or aggregate nonce.
  case invalidNonce
  /// Not the encoding of a partial signature, or one made for other keys or nonces.
  case invalidPartialSignature
  /// Not a valid adaptor signature, or its proof does not hold.
  case invalidAdaptorSignature
  /// The secret does not open this adaptor signature.
  case wrongAdaptorSecret
  /// A discrete-logarithm equality proof that does not hold, or that cannot be made of these inputs.
  case invalidProof
  /// An argument that libsecp256k1 calls illegal.
  case illegalArgument
}
