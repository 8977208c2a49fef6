public import Bitcoin
public import Encoding
public import GLC
public import Secp256k1

/// What locks a payment: a point, whose discrete logarithm takes it.
public struct PaymentPoint: BinaryCodable {
  public let point: PublicKey

  public init(_ point: PublicKey) { self.point = point }
  public init(from reader: inout ByteReader) throws(DecodingError) { point = try reader.read() }
  public func encode(to writer: inout ByteWriter) { writer.write(point) }

  /// Its name on the chain.
  public var secretID: SecretID { SecretID(kind: .point, value: point.xOnly.key.x) }
}

/// The discrete logarithm of a payment point: 32 bytes.
public struct PaymentScalar: BinaryCodable {
  public let raw: Bytes32

  public init(_ raw: Bytes32) { self.raw = raw }
  public init(from reader: inout ByteReader) throws(DecodingError) { raw = try reader.read() }
  public func encode(to writer: inout ByteWriter) { writer.write(raw) }

  /// raw · G; nil for zero and for what is not below the order of the curve.
  public var point: PaymentPoint? {
    guard let key = try? SecretKey(raw) else { return nil }
    return PaymentPoint(key.publicKey)
  }
}

/// A pending payment in one commitment.
public struct PTLCEntry: LedgerOffer {
  public static let owner = PTLCExtension.id
  public static let noun = "PTLC"

  public let id: UInt64
  public let offeredBy: Party
  public let amount: MilliSatoshi
  public let lock: PaymentPoint
  public let expiry: UInt32

  public init(_ payment: PendingPayment<PaymentPoint>) {
    id = payment.id
    offeredBy = payment.offeredBy
    amount = payment.amount
    lock = payment.lock
    expiry = payment.expiry
  }
}

public typealias PTLCLedger = OfferLedger<PTLCEntry>
