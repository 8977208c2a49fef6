internal import Bitcoin
internal import Encoding
internal import Payments

/// What `setchannel` has set for a channel. The rest of its policy is what the configuration says.
struct StoredPolicy: Hashable, Sendable {
  var feeBaseMsat: UInt32
  var feeProportionalMillionths: UInt32
  var htlcMinimum: MilliSatoshi
  var htlcMaximum: MilliSatoshi

  init(_ policy: ForwardingPolicy) {
    feeBaseMsat = policy.feeBaseMsat
    feeProportionalMillionths = policy.feeProportionalMillionths
    htlcMinimum = policy.htlcMinimumMsat
    htlcMaximum = policy.htlcMaximumMsat
  }

  func applied(to policy: ForwardingPolicy) -> ForwardingPolicy {
    var copy = policy
    copy.feeBaseMsat = feeBaseMsat
    copy.feeProportionalMillionths = feeProportionalMillionths
    copy.htlcMinimumMsat = htlcMinimum
    copy.htlcMaximumMsat = htlcMaximum
    return copy
  }

  static let version: UInt8 = 1

  var encoded: [UInt8] {
    var writer = ByteWriter(reservingCapacity: 25)
    writer.write(Self.version)
    writer.write(feeBaseMsat)
    writer.write(feeProportionalMillionths)
    writer.write(htlcMinimum.rawValue)
    writer.write(htlcMaximum.rawValue)
    return writer.bytes
  }

  init(decoding bytes: [UInt8]) throws(DecodingError) {
    var reader = ByteReader(bytes.bytes)
    guard try reader.readUInt8() == Self.version else { throw .malformed("unknown version of a policy") }
    feeBaseMsat = try reader.readUInt32()
    feeProportionalMillionths = try reader.readUInt32()
    htlcMinimum = MilliSatoshi(try reader.readUInt64())
    htlcMaximum = MilliSatoshi(try reader.readUInt64())
    try reader.finish()
  }
}
