/// What libsecp256k1, or what is built on it, refuses.
public enum Secp256k1Error: Error, Hashable, Sendable {
  /// Not a number from 1 to n − 1.
  case invalidSecretKey
  /// Not the encoding of a point on the curve.
  case invalidPublicKey
  /// Not a number below n, or 0 where a number is divided by it.
  case invalidScalar
  /// A tweak of n or more, or one that makes the key zero or the point infinite.
  case invalidTweak
  /// A sum of points that is the point at infinity, or that has no points.
  case pointAtInfinity
  /// Not the encoding of a signature.
  case invalidSignature
  /// No public key can be recovered from the signature.
  case unrecoverableSignature

  /// BIP 327: "blame signer i". What somebody contributed to a MuSig2 session is no encoding of what it should be.
  /// `signer` counts from 0; nil for what the party that aggregates the nonces sent.
  case invalidContribution(MuSigContribution, signer: Int?)
  /// The public key does not take part in this MuSig2 session.
  case unknownSigner
  /// A MuSig2 secret nonce that was made for another key.
  case nonceOfAnotherKey
  /// Randomness or bytes that no MuSig2 secret nonce can be made of.
  case invalidNonce
  /// Not the encoding of a partial signature, or not one for each signer.
  case invalidPartialSignature

  /// Not the encoding of an adaptor signature, or one that cannot be made of these inputs.
  case invalidAdaptorSignature
  /// The signature does not belong to this adaptor signature, or does not reveal the secret of this point.
  case wrongAdaptorSecret
  /// A discrete-logarithm equality proof that cannot be made of these inputs.
  case invalidProof
}

/// What a party of a MuSig2 session sends (the names of BIP 327's `InvalidContributionError`).
public enum MuSigContribution: String, Hashable, Sendable {
  case publicKey = "pubkey"
  case publicNonce = "pubnonce"
  case aggregateNonce = "aggnonce"
  case aggregateOtherNonce = "aggothernonce"
  case partialSignature = "psig"
}
