public import Secp256k1

/// The public keys with which both sides open a channel: six fields that `open_channel`, `accept_channel` and their second versions have
/// one after the other (BOLT 2 §Channel Establishment).
public struct ChannelKeys: Hashable, Sendable {
  public var fundingPubkey: PublicKey
  public var revocationBasepoint: PublicKey
  public var paymentBasepoint: PublicKey
  public var delayedPaymentBasepoint: PublicKey
  public var htlcBasepoint: PublicKey
  public var firstPerCommitmentPoint: PublicKey

  public init(
    fundingPubkey: PublicKey, revocationBasepoint: PublicKey, paymentBasepoint: PublicKey,
    delayedPaymentBasepoint: PublicKey, htlcBasepoint: PublicKey, firstPerCommitmentPoint: PublicKey
  ) {
    self.fundingPubkey = fundingPubkey
    self.revocationBasepoint = revocationBasepoint
    self.paymentBasepoint = paymentBasepoint
    self.delayedPaymentBasepoint = delayedPaymentBasepoint
    self.htlcBasepoint = htlcBasepoint
    self.firstPerCommitmentPoint = firstPerCommitmentPoint
  }

  @_lifetime(source: copy source)
  init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    fundingPubkey = try source.field("funding_pubkey")
    revocationBasepoint = try source.field("revocation_basepoint")
    paymentBasepoint = try source.field("payment_basepoint")
    delayedPaymentBasepoint = try source.field("delayed_payment_basepoint")
    htlcBasepoint = try source.field("htlc_basepoint")
    firstPerCommitmentPoint = try source.field("first_per_commitment_point")
  }

  func encode<S: FieldSink>(to sink: inout S) {
    sink.field("funding_pubkey", fundingPubkey)
    sink.field("revocation_basepoint", revocationBasepoint)
    sink.field("payment_basepoint", paymentBasepoint)
    sink.field("delayed_payment_basepoint", delayedPaymentBasepoint)
    sink.field("htlc_basepoint", htlcBasepoint)
    sink.field("first_per_commitment_point", firstPerCommitmentPoint)
  }
}
