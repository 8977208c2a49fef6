public import Bitcoin
public import Encoding

/// What one party demands of the payments of one kind that the other offers it (`open_channel`, `accept_channel`).
public struct OfferLimits: Hashable, Sendable {
  /// Of one payment.
  public var minimum: MilliSatoshi
  /// Of all together.
  public var maximumInFlight: MilliSatoshi
  /// How many there are at a time, 483 at most.
  public var maximumAccepted: UInt16

  public init(minimum: MilliSatoshi, maximumInFlight: MilliSatoshi, maximumAccepted: UInt16) {
    self.minimum = minimum
    self.maximumInFlight = maximumInFlight
    self.maximumAccepted = maximumAccepted
  }

  /// No limit but BOLT 2's own.
  public static let none = OfferLimits(minimum: .zero, maximumInFlight: MilliSatoshi(.max), maximumAccepted: 483)
}

extension OfferLimits {
  public init(_ limits: AgreementLimits) {
    self.init(
      minimum: limits.minimum, maximumInFlight: limits.maximumInFlight, maximumAccepted: limits.maximumCount)
  }
}

extension AgreementLimits {
  public init(_ limits: OfferLimits) {
    self.init(
      minimum: limits.minimum, maximumInFlight: limits.maximumInFlight, maximumCount: limits.maximumAccepted)
  }
}

extension OfferLimits: BinaryCodable {
  public init(from reader: inout ByteReader) throws(DecodingError) {
    minimum = MilliSatoshi(try reader.readUInt64())
    maximumInFlight = MilliSatoshi(try reader.readUInt64())
    maximumAccepted = try reader.readUInt16()
  }

  public func encode(to writer: inout ByteWriter) {
    writer.write(minimum.rawValue)
    writer.write(maximumInFlight.rawValue)
    writer.write(maximumAccepted)
  }
}

/// Names a payment in a channel: numbers count the offers of one party, of each kind apart. Who offers it goes without saying where a name
/// stands.
public struct PaymentName: Hashable, Comparable, Sendable {
  public var kind: ExtensionID
  public var number: UInt64

  public init(_ kind: ExtensionID, _ number: UInt64) {
    self.kind = kind
    self.number = number
  }

  public static func < (a: Self, b: Self) -> Bool { (a.kind.rawValue, a.number) < (b.kind.rawValue, b.number) }
}

extension PaymentOffer where Lock == PaymentLock {
  public var name: PaymentName { PaymentName(lock.kind, id) }
}

extension PendingPayment where Lock == PaymentLock {
  public var name: PaymentName { PaymentName(lock.kind, id) }
}
