public import Bitcoin
public import Encoding
public import Secp256k1

/// What a channel needs of the keys behind it. The same question always gets the same answer, so that a message can be made again
/// after a crash; what must never be answered is refused.
public protocol ChannelSigner: Sendable {
  /// secret(`number`) · G, for our commitment of that number.
  func perCommitmentPoint(_ number: UInt64) throws(SignerRefusal) -> PublicKey
  /// The secret of our commitment `number`, which must have been replaced: revealing it revokes that commitment for ever.
  func revocationSecret(_ number: UInt64) throws(SignerRefusal) -> Bytes32
  /// The secret of a commitment that has been revoked before: to recognise it when the remote party shows it.
  func revocationSecretForProof(_ number: UInt64) throws(SignerRefusal) -> Bytes32
  /// The public nonce with which we shall sign our commitment of that number on this funding output, should we ever broadcast it: what the
  /// remote party needs to make its part of the signature. Asked only when the funding scheme signs together.
  func nonce(_ number: UInt64, on funding: OutPoint) throws(SignerRefusal) -> MuSigPublicNonce
  /// Our public nonces for those second stages of the counterparty's commitment that both sign together, in the order of its outputs:
  /// `sign` will use them. They belong to this commitment and to nothing else.
  func pairNonces(_ commitment: Commitment) throws(SignerRefusal) -> [MuSigPublicNonce]
  /// Signs the counterparty's commitment and its second stage.
  /// - Parameters:
  ///   - nonce: the counterparty's for this commitment, where both sign together.
  ///   - presignatures: the counterparty's, which have its nonces, where second stages are signed together. With others than before,
  ///     it is refused.
  func sign(
    _ commitment: Commitment, nonce: MuSigPublicNonce?, presignatures: [CounterSignature]
  ) throws(SignerRefusal) -> CommitmentSignatures
  /// Signs the counterparty's second stage on a commitment of ours, and our part of what both sign, in the order of its outputs.
  /// - Parameter nonces: the counterparty's, where second stages are signed together. For one commitment there is one answer: with other
  ///   nonces than before, it is refused. Make the signer durable before the answer is sent.
  func presign(_ commitment: Commitment, nonces: [MuSigPublicNonce]) throws(SignerRefusal) -> [CounterSignature]
}

extension ChannelSigner {
  /// The same where no second stage is signed together.
  public func sign(
    _ commitment: Commitment, nonce: MuSigPublicNonce?
  ) throws(SignerRefusal) -> CommitmentSignatures {
    try sign(commitment, nonce: nonce, presignatures: [])
  }

  public func presign(_ commitment: Commitment) throws(SignerRefusal) -> [CounterSignature] {
    try presign(commitment, nonces: [])
  }
}

/// Why a signer did not answer.
public struct SignerRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  public var reason: String
  public init(_ reason: String) { self.reason = reason }
  public var description: String { reason }
}
