public import Bitcoin
public import Encoding
public import GLC
internal import Hashing

/// SHA-256 of a payment's preimage.
public struct PaymentHash: TypedBytes {
  public let raw: Bytes32
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }
  public init(_ raw: Bytes32) { self.raw = raw }
}

/// A pending payment in one commitment.
public struct HTLCEntry: LedgerOffer {
  public static let owner = HTLCExtension.id
  public static let noun = "HTLC"

  public let id: UInt64
  public let offeredBy: Party
  public let amount: MilliSatoshi
  public let paymentHash: PaymentHash
  public let cltvExpiry: UInt32
  /// RIPEMD-160 of the payment hash, as the output's script holds it: hashed once, not for every commitment.
  let scriptHash: Bytes20

  public init(id: UInt64, offeredBy: Party, amount: MilliSatoshi, paymentHash: PaymentHash, cltvExpiry: UInt32) {
    self.id = id
    self.offeredBy = offeredBy
    self.amount = amount
    self.paymentHash = paymentHash
    self.cltvExpiry = cltvExpiry
    scriptHash = ripemd160(paymentHash.bytes)
  }

  public init(_ payment: PendingPayment<PaymentHash>) {
    self.init(
      id: payment.id, offeredBy: payment.offeredBy, amount: payment.amount, paymentHash: payment.lock,
      cltvExpiry: payment.expiry)
  }

  public var lock: PaymentHash { paymentHash }
  public var expiry: UInt32 { cltvExpiry }
  /// Its name on the chain.
  var secretID: SecretID { SecretID(kind: .sha256, value: paymentHash.raw) }
}

public typealias HTLCLedger = OfferLedger<HTLCEntry>
