public import Bitcoin
public import Encoding
public import Secp256k1

/// What the creator of a blinded path tells one node of it: `encrypted_data_tlv` (BOLT 4 §Inside encrypted_recipient_data).
public struct RecipientData: Hashable, Sendable {
  /// Type 1. Makes the data of all hops equally long.
  public var padding: [UInt8]?
  /// Type 2. The channel to the next node.
  public var shortChannelID: ShortChannelID?
  /// Type 4. The next node.
  public var nextNodeID: PublicKey?
  /// Type 6. Tells the recipient which of its paths was used.
  public var pathID: [UInt8]?
  /// Type 8. Takes the place of the next path key.
  public var nextPathKeyOverride: PublicKey?
  /// Type 10.
  public var paymentRelay: PaymentRelay?
  /// Type 12.
  public var paymentConstraints: PaymentConstraints?
  /// Type 14. A feature bit field as in BOLT 9, which for now must be empty.
  public var allowedFeatures: [UInt8]?
  /// Odd types that BOLT 4 does not know.
  public var unknown: [TLVRecord] = []

  public init() {}

  /// What a forwarding node asks and gives for a payment.
  public struct PaymentRelay: Hashable, Sendable {
    public var cltvExpiryDelta: UInt16
    public var feeProportionalMillionths: UInt32
    public var feeBaseMsat: UInt32

    public init(cltvExpiryDelta: UInt16, feeProportionalMillionths: UInt32, feeBaseMsat: UInt32) {
      self.cltvExpiryDelta = cltvExpiryDelta
      self.feeProportionalMillionths = feeProportionalMillionths
      self.feeBaseMsat = feeBaseMsat
    }
  }

  /// Which payments may use the path.
  public struct PaymentConstraints: Hashable, Sendable {
    public var maxCLTVExpiry: UInt32
    public var htlcMinimumMsat: MilliSatoshi

    public init(maxCLTVExpiry: UInt32, htlcMinimumMsat: MilliSatoshi) {
      self.maxCLTVExpiry = maxCLTVExpiry
      self.htlcMinimumMsat = htlcMinimumMsat
    }
  }

  /// Reads the decrypted stream. BOLT 4: "cannot be decrypted into an `encrypted_data_tlv` or contains unknown even fields: MUST return
  /// an error". Throws which record is at fault.
  public init(decoding stream: RawSpan) throws(InvalidPayload) {
    var reader = PayloadReader(stream)
    while try reader.advance() {
      switch reader.type {
      case 1: padding = try reader.decode(decodeBytes)
      case 2: shortChannelID = try reader.decode(decodeShortChannelID)
      case 4: nextNodeID = try reader.decode(PublicKey.init(copying:))
      case 6: pathID = try reader.decode(decodeBytes)
      case 8: nextPathKeyOverride = try reader.decode(PublicKey.init(copying:))
      case 10: paymentRelay = try reader.decode(PaymentRelay.init(decoding:))
      case 12: paymentConstraints = try reader.decode(PaymentConstraints.init(decoding:))
      case 14: allowedFeatures = try reader.decode(decodeBytes)
      default: unknown.append(try reader.unknown(refusingEven: true))
      }
    }
  }

  public init(decoding stream: [UInt8]) throws(InvalidPayload) { try self.init(decoding: stream.bytes) }

  /// The stream to be encrypted.
  public var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.writeRecord(1, padding)
    writer.writeRecord(2, shortChannelID)
    writer.writeRecord(4, nextNodeID)
    writer.writeRecord(6, pathID)
    writer.writeRecord(8, nextPathKeyOverride)
    writer.writeRecord(10, paymentRelay?.encoded)
    writer.writeRecord(12, paymentConstraints?.encoded)
    writer.writeRecord(14, allowedFeatures)
    return ByteWriter(mergingRecords: writer.bytes, with: unknown).bytes
  }
}

extension RecipientData.PaymentRelay {
  init(decoding value: RawSpan) throws(DecodingError) {
    var reader = ByteReader(value)
    self.init(
      cltvExpiryDelta: try reader.readUInt16(), feeProportionalMillionths: try reader.readUInt32(),
      feeBaseMsat: try reader.readTU32())
  }

  var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.write(cltvExpiryDelta)
    writer.write(feeProportionalMillionths)
    writer.writeTruncated(UInt64(feeBaseMsat))
    return writer.bytes
  }

  /// BOLT 4: `amt_to_forward = ((amount_msat - fee_base_msat) * 1000000 + 1000000 + fee_proportional_millionths - 1) /
  /// (1000000 + fee_proportional_millionths)`. Nil when the amount does not pay the base fee.
  public func amountToForward(of amount: MilliSatoshi) -> MilliSatoshi? {
    guard let rest = amount.subtracting(MilliSatoshi(UInt64(feeBaseMsat))) else { return nil }
    let divisor = 1_000_000 + UInt64(feeProportionalMillionths)
    let (high, low) = rest.rawValue.multipliedFullWidth(by: 1_000_000)
    let (sum, carry) = low.addingReportingOverflow(divisor - 1)
    let dividend = (high: carry ? high + 1 : high, low: sum)
    // The high half is below 10⁶ + 1 and the divisor at least 10⁶: equal only when no fee is taken from nearly 2^64 msat.
    guard dividend.high < divisor else { return nil }
    return MilliSatoshi(divisor.dividingFullWidth(dividend).quotient)
  }

  /// BOLT 4: `outgoing_cltv_value = cltv_expiry - payment_relay.cltv_expiry_delta`. Nil when it would be negative.
  public func outgoingCLTVValue(of cltvExpiry: UInt32) -> UInt32? {
    cltvExpiry < UInt32(cltvExpiryDelta) ? nil : cltvExpiry - UInt32(cltvExpiryDelta)
  }
}

extension RecipientData.PaymentConstraints {
  init(decoding value: RawSpan) throws(DecodingError) {
    var reader = ByteReader(value)
    self.init(maxCLTVExpiry: try reader.readUInt32(), htlcMinimumMsat: MilliSatoshi(try reader.readTU64()))
  }

  var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.write(maxCLTVExpiry)
    writer.writeTruncated(htlcMinimumMsat.rawValue)
    return writer.bytes
  }
}
