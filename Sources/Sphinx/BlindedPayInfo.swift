public import Bitcoin
public import Encoding

/// What it takes to pay through a blinded path as a whole: BOLT 12's `blinded_payinfo`.
public struct BlindedPayInfo: Hashable, Sendable {
  public var feeBaseMsat: UInt32
  public var feeProportionalMillionths: UInt32
  public var cltvExpiryDelta: UInt16
  public var htlcMinimumMsat: MilliSatoshi
  public var htlcMaximumMsat: MilliSatoshi
  /// A feature bit field as in BOLT 9.
  public var features: [UInt8]

  public init(
    feeBaseMsat: UInt32, feeProportionalMillionths: UInt32, cltvExpiryDelta: UInt16, htlcMinimumMsat: MilliSatoshi,
    htlcMaximumMsat: MilliSatoshi, features: [UInt8] = []
  ) {
    self.feeBaseMsat = feeBaseMsat
    self.feeProportionalMillionths = feeProportionalMillionths
    self.cltvExpiryDelta = cltvExpiryDelta
    self.htlcMinimumMsat = htlcMinimumMsat
    self.htlcMaximumMsat = htlcMaximumMsat
    self.features = features
  }

  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) {
    feeBaseMsat = try reader.readUInt32()
    feeProportionalMillionths = try reader.readUInt32()
    cltvExpiryDelta = try reader.readUInt16()
    htlcMinimumMsat = MilliSatoshi(try reader.readUInt64())
    htlcMaximumMsat = MilliSatoshi(try reader.readUInt64())
    features = try reader.readArray(count: Int(try reader.readUInt16()))
  }

  /// Features longer than 65,535 bytes are left out: no message could hold them.
  public func encode(to writer: inout ByteWriter) {
    writer.write(feeBaseMsat)
    writer.write(feeProportionalMillionths)
    writer.write(cltvExpiryDelta)
    writer.write(htlcMinimumMsat.rawValue)
    writer.write(htlcMaximumMsat.rawValue)
    let count = UInt16(exactly: features.count) ?? 0
    writer.write(count)
    if count > 0 { writer.write(features) }
  }

  /// The fees and the delta of a whole path (BOLT 4 §`payload` format, "MUST compute the total fees and CLTV delta of the route"),
  /// from what each forwarding node asks, in the order of the path. Nil when a total does not fit.
  public static func total(
    of relays: [RecipientData.PaymentRelay], minFinalCLTVExpiryDelta: UInt16
  ) -> (feeBaseMsat: UInt32, feeProportionalMillionths: UInt32, cltvExpiryDelta: UInt16)? {
    var base: UInt64 = 0
    var proportional: UInt64 = 0
    var delta = UInt64(minFinalCLTVExpiryDelta)
    // From the recipient backwards: each node's fee is taken of what the later nodes take too. All totals stay below 2^32, so that
    // no product reaches 2^65; those that may overflow are checked.
    for relay in relays.reversed() {
      let nodeBase = UInt64(relay.feeBaseMsat)
      let nodeProportional = UInt64(relay.feeProportionalMillionths)
      // BOLT 4: total_fee_base_msat(n+1) = (fee_base_msat(n+1) * 1000000 + total_fee_base_msat(n) * (1000000 +
      // fee_proportional_millionths(n+1)) + 1000000 - 1) / 1000000
      let (ownShare, overflow) = base.multipliedReportingOverflow(by: 1_000_000 + nodeProportional)
      guard !overflow else { return nil }
      let (sum, sumOverflow) = ownShare.addingReportingOverflow(nodeBase * 1_000_000 + 999_999)
      guard !sumOverflow else { return nil }
      base = sum / 1_000_000
      // BOLT 4: total_fee_proportional_millionths(n+1) = ((total_fee_proportional_millionths(n) +
      // fee_proportional_millionths(n+1)) * 1000000 + total_fee_proportional_millionths(n) *
      // fee_proportional_millionths(n+1) + 1000000 - 1) / 1000000
      let (product, productOverflow) = proportional.multipliedReportingOverflow(by: nodeProportional)
      guard !productOverflow else { return nil }
      let (total, totalOverflow) = product.addingReportingOverflow(
        (proportional + nodeProportional) * 1_000_000 + 999_999)
      guard !totalOverflow else { return nil }
      proportional = total / 1_000_000
      delta += UInt64(relay.cltvExpiryDelta)
      guard base <= UInt64(UInt32.max), proportional <= UInt64(UInt32.max), delta <= UInt64(UInt16.max) else {
        return nil
      }
    }
    return (
      UInt32(truncatingIfNeeded: base), UInt32(truncatingIfNeeded: proportional), UInt16(truncatingIfNeeded: delta)
    )
  }
}
