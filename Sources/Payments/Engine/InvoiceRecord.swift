public import Bitcoin
public import Encoding
public import GLC
internal import Wire

/// An invoice of ours, or a payment that came without one.
public struct InvoiceRecord: BinaryCodable {
  public enum Kind: UInt8, Hashable, Sendable {
    case ordinary = 0
    /// Whoever asked for it settles or cancels it once the payment is here.
    case hold = 1
    /// No invoice: the payer brought the preimage along (bLIP 3).
    case keysend = 2
  }

  public enum Status: UInt8, Hashable, Sendable {
    case unpaid = 0
    case paid = 1
    case expired = 2
    case cancelled = 3
  }

  /// What it is called: the payment hash, or the hash of the payment point.
  public var paymentHash: Bytes32
  /// What it asks for; nil: the payment hash.
  public var target: PaymentLock?
  public var kind: Kind
  /// What opens the target: a preimage, or a discrete logarithm. Nil for a hold invoice that is not settled.
  public var preimage: Bytes32?
  public var paymentSecret: Bytes32
  public var label: String
  /// Empty for a payment without an invoice.
  public var bolt11: String
  public var description: String
  /// Nil when the payer chooses.
  public var amount: MilliSatoshi?
  public var metadata: [UInt8]?
  public var minFinalCLTVExpiryDelta: UInt32
  public var createdAt: PaymentTime
  public var expiresAt: PaymentTime
  public var status: Status
  public var amountReceived: MilliSatoshi?
  public var paidAt: PaymentTime?
  /// Counts paid invoices, from 1.
  public var payIndex: UInt64?
  /// Counts invoices, from 1.
  public var createdIndex: UInt64
  /// Counts changes of invoices, from 1; nil as long as there was none.
  public var updatedIndex: UInt64?
  /// The offers that paid it, as long as they are not gone: they are settled, whatever happens; no others are.
  public var accepted: [PaymentKey]

  init(
    paymentHash: Bytes32, target: PaymentLock? = nil, kind: Kind, preimage: Bytes32?, paymentSecret: Bytes32,
    label: String, bolt11: String,
    description: String, amount: MilliSatoshi?, metadata: [UInt8]?, minFinalCLTVExpiryDelta: UInt32,
    createdAt: PaymentTime, expiresAt: PaymentTime, createdIndex: UInt64
  ) {
    self.paymentHash = paymentHash
    self.target = target
    self.kind = kind
    self.preimage = preimage
    self.paymentSecret = paymentSecret
    self.label = label
    self.bolt11 = bolt11
    self.description = description
    self.amount = amount
    self.metadata = metadata
    self.minFinalCLTVExpiryDelta = minFinalCLTVExpiryDelta
    self.createdAt = createdAt
    self.expiresAt = expiresAt
    self.createdIndex = createdIndex
    status = .unpaid
    accepted = []
  }

  public init(from reader: inout ByteReader) throws(DecodingError) {
    let version = try reader.readVersion(upTo: 2)
    paymentHash = try reader.read()
    guard let kind = Kind(rawValue: try reader.readUInt8()), let status = Status(rawValue: try reader.readUInt8())
    else { throw .malformed("an unknown kind or status of invoice") }
    self.kind = kind
    self.status = status
    preimage = try reader.readFlag() ? try reader.read() : nil
    paymentSecret = try reader.read()
    label = try reader.readText()
    bolt11 = try reader.readText()
    description = try reader.readText()
    amount = try reader.readFlag() ? try reader.readAmount() : nil
    metadata = try reader.readFlag() ? try reader.readSizedBytes() : nil
    minFinalCLTVExpiryDelta = try reader.readUInt32()
    createdAt = try reader.readTime()
    expiresAt = try reader.readTime()
    amountReceived = try reader.readFlag() ? try reader.readAmount() : nil
    paidAt = try reader.readFlag() ? try reader.readTime() : nil
    payIndex = try reader.readFlag() ? try reader.readUInt64() : nil
    createdIndex = try reader.readUInt64()
    updatedIndex = try reader.readFlag() ? try reader.readUInt64() : nil
    accepted = []
    for _ in 0..<(try reader.readCount(of: 40)) { accepted.append(try PaymentKey(from: &reader)) }
    if version >= 2 { target = try reader.readFlag() ? try reader.readLock() : nil }
  }

  public func encode(to writer: inout ByteWriter) {
    writer.write(2 as UInt8)
    writer.write(paymentHash)
    writer.write(kind.rawValue)
    writer.write(status.rawValue)
    writer.writeOptional(preimage) { $0.write($1) }
    writer.write(paymentSecret)
    writer.writeSized(label)
    writer.writeSized(bolt11)
    writer.writeSized(description)
    writer.writeOptional(amount) { $0.write($1) }
    writer.writeOptional(metadata) { $0.writeSized($1) }
    writer.write(minFinalCLTVExpiryDelta)
    writer.write(createdAt)
    writer.write(expiresAt)
    writer.writeOptional(amountReceived) { $0.write($1) }
    writer.writeOptional(paidAt) { $0.write($1) }
    writer.writeOptional(payIndex) { $0.write($1) }
    writer.write(createdIndex)
    writer.writeOptional(updatedIndex) { $0.write($1) }
    writer.writeList(accepted) { $1.encode(to: &$0) }
    writer.writeOptional(target) { $0.writeSized($1.encoded) }
  }
}
