public import Bitcoin
public import Encoding
public import Secp256k1

/// BOLT 2 §Adding an HTLC: `update_add_htlc`.
public struct UpdateAddHTLC: WireMessage {
  public static let type: UInt16 = 128
  public static let name: FieldName = "update_add_htlc"

  public var channelID: ChannelID
  public var id: UInt64
  public var amountMsat: MilliSatoshi
  public var paymentHash: Bytes32
  public var cltvExpiry: UInt32
  public var onionRoutingPacket: OnionRoutingPacket
  /// `blinded_path`: the `path_key`.
  public var pathKey: PublicKey?
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, id: UInt64, amountMsat: MilliSatoshi, paymentHash: Bytes32, cltvExpiry: UInt32,
    onionRoutingPacket: OnionRoutingPacket, pathKey: PublicKey? = nil, otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.id = id
    self.amountMsat = amountMsat
    self.paymentHash = paymentHash
    self.cltvExpiry = cltvExpiry
    self.onionRoutingPacket = onionRoutingPacket
    self.pathKey = pathKey
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    id = try source.field("id")
    amountMsat = try source.field("amount_msat")
    paymentHash = try source.field("payment_hash")
    cltvExpiry = try source.field("cltv_expiry")
    onionRoutingPacket = try source.field("onion_routing_packet")
    pathKey = try source.record(0)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("id", id)
    sink.field("amount_msat", amountMsat)
    sink.field("payment_hash", paymentHash)
    sink.field("cltv_expiry", cltvExpiry)
    sink.field("onion_routing_packet", onionRoutingPacket)
    sink.otherRecords(otherRecords)
    sink.record(0, pathKey)
  }

  public var expectedByteCount: Int { 128 + OnionRoutingPacket.byteCount }
}

/// BOLT 2 §Removing an HTLC: its preimage.
public struct UpdateFulfillHTLC: WireMessage {
  public static let type: UInt16 = 130
  public static let name: FieldName = "update_fulfill_htlc"

  public var channelID: ChannelID
  public var id: UInt64
  public var paymentPreimage: Bytes32
  public var attributionData: AttributionData?
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, id: UInt64, paymentPreimage: Bytes32, attributionData: AttributionData? = nil,
    otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.id = id
    self.paymentPreimage = paymentPreimage
    self.attributionData = attributionData
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    id = try source.field("id")
    paymentPreimage = try source.field("payment_preimage")
    attributionData = try source.record(1)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("id", id)
    sink.field("payment_preimage", paymentPreimage)
    sink.otherRecords(otherRecords)
    sink.record(1, attributionData)
  }
}

/// BOLT 2 §Removing an HTLC: it has timed out or could not be forwarded.
public struct UpdateFailHTLC: WireMessage {
  public static let type: UInt16 = 131
  public static let name: FieldName = "update_fail_htlc"

  public var channelID: ChannelID
  public var id: UInt64
  /// Encrypted for the payer (BOLT 4 §Returning Errors).
  public var reason: [UInt8]
  public var attributionData: AttributionData?
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, id: UInt64, reason: [UInt8], attributionData: AttributionData? = nil,
    otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.id = id
    self.reason = reason
    self.attributionData = attributionData
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    id = try source.field("id")
    reason = try source.bytes("reason", length: "len")
    attributionData = try source.record(1)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("id", id)
    sink.bytes("reason", length: "len", reason)
    sink.otherRecords(otherRecords)
    sink.record(1, attributionData)
  }
}

/// BOLT 2 §Removing an HTLC: its onion makes no sense.
public struct UpdateFailMalformedHTLC: WireMessage {
  public static let type: UInt16 = 135
  public static let name: FieldName = "update_fail_malformed_htlc"

  public var channelID: ChannelID
  public var id: UInt64
  public var sha256OfOnion: Bytes32
  public var failureCode: UInt16
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, id: UInt64, sha256OfOnion: Bytes32, failureCode: UInt16, otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.id = id
    self.sha256OfOnion = sha256OfOnion
    self.failureCode = failureCode
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    id = try source.field("id")
    sha256OfOnion = try source.field("sha256_of_onion")
    failureCode = try source.field("failure_code")
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("id", id)
    sink.field("sha256_of_onion", sha256OfOnion)
    sink.field("failure_code", failureCode)
    sink.otherRecords(otherRecords)
  }

  /// BOLT 4: BADONION. BOLT 2: if the `BADONION` bit in `failure_code` is not set for `update_fail_malformed_htlc`: MUST send a
  /// `warning` and close the connection, or send an `error` and fail the channel.
  public var hasBadOnionBit: Bool { failureCode & 0x8000 != 0 }
}

/// BOLT 2 §Updating Fees: `update_fee`.
public struct UpdateFee: WireMessage {
  public static let type: UInt16 = 134
  public static let name: FieldName = "update_fee"

  public var channelID: ChannelID
  public var feeratePerKw: FeeRate
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, feeratePerKw: FeeRate, otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.feeratePerKw = feeratePerKw
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    feeratePerKw = try source.field("feerate_per_kw")
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("feerate_per_kw", feeratePerKw)
    sink.otherRecords(otherRecords)
  }
}
