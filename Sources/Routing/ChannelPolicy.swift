public import Bitcoin
internal import Wire

/// What one end of a channel asks for forwarding through it: its last `channel_update`.
public struct ChannelPolicy: Hashable, Sendable {
  /// 0: there was none yet.
  public internal(set) var timestamp: UInt32 = 0
  /// BOLT 7's CRC32C of the update.
  public internal(set) var checksum: UInt32 = 0
  public internal(set) var feeBaseMsat: UInt32 = 0
  public internal(set) var feeProportionalMillionths: UInt32 = 0
  public internal(set) var htlcMinimumMsat = MilliSatoshi.zero
  public internal(set) var htlcMaximumMsat = MilliSatoshi.zero
  public internal(set) var cltvExpiryDelta: UInt16 = 0
  public internal(set) var isDisabled = false
  /// Whether payments may be sent through it, as far as the update decides.
  public internal(set) var isUsable = false
  /// Which set of kinds of payments it carries, by its place in the graph's table.
  var kinds: UInt16 = 0

  public init() {}

  public init(
    feeBaseMsat: UInt32, feeProportionalMillionths: UInt32, cltvExpiryDelta: UInt16, htlcMinimumMsat: MilliSatoshi,
    htlcMaximumMsat: MilliSatoshi
  ) {
    self.feeBaseMsat = feeBaseMsat
    self.feeProportionalMillionths = feeProportionalMillionths
    self.cltvExpiryDelta = cltvExpiryDelta
    self.htlcMinimumMsat = htlcMinimumMsat
    self.htlcMaximumMsat = htlcMaximumMsat
    timestamp = 1
    isUsable = true
  }

  init(_ update: ChannelUpdate) {
    self.init(
      feeBaseMsat: update.feeBaseMsat, feeProportionalMillionths: update.feeProportionalMillionths,
      cltvExpiryDelta: update.cltvExpiryDelta, htlcMinimumMsat: update.htlcMinimumMsat,
      htlcMaximumMsat: update.htlcMaximumMsat)
    timestamp = update.timestamp
    checksum = update.checksum
    isDisabled = update.channelFlags.contains(.disable)
    isUsable = update.isRoutable
  }

  public var exists: Bool { timestamp > 0 }

  /// BOLT 7 §HTLC Fees: fee_base_msat + ( amount_to_forward * fee_proportional_millionths / 1000000 ). Nil when that is beyond all
  /// numbers.
  @inline(__always) func fee(forwarding amount: UInt64) -> UInt64? {
    let (product, overflow) = amount.multipliedReportingOverflow(by: UInt64(feeProportionalMillionths))
    return overflow ? nil : UInt64(feeBaseMsat) + product / 1_000_000
  }

  public func fee(forwarding amount: MilliSatoshi) -> MilliSatoshi? {
    fee(forwarding: amount.rawValue).map { MilliSatoshi($0) }
  }
}
