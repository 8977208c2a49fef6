public import Bitcoin
public import Encoding
internal import Secp256k1

/// BOLT 2 §The `open_channel` Message.
public struct OpenChannel: WireMessage {
  public static let type: UInt16 = 32
  public static let name: FieldName = "open_channel"

  public var chainHash: ChainHash
  public var temporaryChannelID: ChannelID
  public var fundingSatoshis: Satoshi
  public var pushMsat: MilliSatoshi
  public var dustLimitSatoshis: Satoshi
  public var maxHtlcValueInFlightMsat: MilliSatoshi
  public var channelReserveSatoshis: Satoshi
  public var htlcMinimumMsat: MilliSatoshi
  public var feeratePerKw: FeeRate
  /// In blocks, for the receiver's own outputs.
  public var toSelfDelay: UInt16
  public var maxAcceptedHtlcs: UInt16
  public var keys: ChannelKeys
  public var channelFlags: ChannelFlags
  /// Where the sender's money goes on a mutual close; empty for no promise.
  public var upfrontShutdownScript: Script?
  public var channelType: ChannelType?
  /// Taproot channels.
  public var nextLocalNonce: PublicNonceBytes?
  public var otherRecords: TLVStream

  public init(
    chainHash: ChainHash, temporaryChannelID: ChannelID, fundingSatoshis: Satoshi, pushMsat: MilliSatoshi,
    dustLimitSatoshis: Satoshi, maxHtlcValueInFlightMsat: MilliSatoshi, channelReserveSatoshis: Satoshi,
    htlcMinimumMsat: MilliSatoshi, feeratePerKw: FeeRate, toSelfDelay: UInt16, maxAcceptedHtlcs: UInt16,
    keys: ChannelKeys, channelFlags: ChannelFlags, upfrontShutdownScript: Script? = nil,
    channelType: ChannelType? = nil,
    nextLocalNonce: PublicNonceBytes? = nil, otherRecords: TLVStream = TLVStream()
  ) {
    self.chainHash = chainHash
    self.temporaryChannelID = temporaryChannelID
    self.fundingSatoshis = fundingSatoshis
    self.pushMsat = pushMsat
    self.dustLimitSatoshis = dustLimitSatoshis
    self.maxHtlcValueInFlightMsat = maxHtlcValueInFlightMsat
    self.channelReserveSatoshis = channelReserveSatoshis
    self.htlcMinimumMsat = htlcMinimumMsat
    self.feeratePerKw = feeratePerKw
    self.toSelfDelay = toSelfDelay
    self.maxAcceptedHtlcs = maxAcceptedHtlcs
    self.keys = keys
    self.channelFlags = channelFlags
    self.upfrontShutdownScript = upfrontShutdownScript
    self.channelType = channelType
    self.nextLocalNonce = nextLocalNonce
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    chainHash = try source.field("chain_hash")
    temporaryChannelID = try source.field("temporary_channel_id")
    fundingSatoshis = try source.field("funding_satoshis")
    pushMsat = try source.field("push_msat")
    dustLimitSatoshis = try source.field("dust_limit_satoshis")
    maxHtlcValueInFlightMsat = try source.field("max_htlc_value_in_flight_msat")
    channelReserveSatoshis = try source.field("channel_reserve_satoshis")
    htlcMinimumMsat = try source.field("htlc_minimum_msat")
    feeratePerKw = try source.field("feerate_per_kw")
    toSelfDelay = try source.field("to_self_delay")
    maxAcceptedHtlcs = try source.field("max_accepted_htlcs")
    keys = try ChannelKeys(from: &source)
    channelFlags = try source.field("channel_flags")
    upfrontShutdownScript = try source.record(0)
    channelType = try source.record(1)
    nextLocalNonce = try source.record(4)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("chain_hash", chainHash)
    sink.field("temporary_channel_id", temporaryChannelID)
    sink.field("funding_satoshis", fundingSatoshis)
    sink.field("push_msat", pushMsat)
    sink.field("dust_limit_satoshis", dustLimitSatoshis)
    sink.field("max_htlc_value_in_flight_msat", maxHtlcValueInFlightMsat)
    sink.field("channel_reserve_satoshis", channelReserveSatoshis)
    sink.field("htlc_minimum_msat", htlcMinimumMsat)
    sink.field("feerate_per_kw", feeratePerKw)
    sink.field("to_self_delay", toSelfDelay)
    sink.field("max_accepted_htlcs", maxAcceptedHtlcs)
    keys.encode(to: &sink)
    sink.field("channel_flags", channelFlags)
    sink.otherRecords(otherRecords)
    sink.record(0, upfrontShutdownScript)
    sink.record(1, channelType)
    sink.record(4, nextLocalNonce)
  }
}

/// BOLT 2 §The `accept_channel` Message.
public struct AcceptChannel: WireMessage {
  public static let type: UInt16 = 33
  public static let name: FieldName = "accept_channel"

  public var temporaryChannelID: ChannelID
  public var dustLimitSatoshis: Satoshi
  public var maxHtlcValueInFlightMsat: MilliSatoshi
  public var channelReserveSatoshis: Satoshi
  public var htlcMinimumMsat: MilliSatoshi
  public var minimumDepth: UInt32
  /// In blocks, for the receiver's own outputs.
  public var toSelfDelay: UInt16
  public var maxAcceptedHtlcs: UInt16
  public var keys: ChannelKeys
  /// Where the sender's money goes on a mutual close; empty for no promise.
  public var upfrontShutdownScript: Script?
  public var channelType: ChannelType?
  /// Taproot channels.
  public var nextLocalNonce: PublicNonceBytes?
  public var otherRecords: TLVStream

  public init(
    temporaryChannelID: ChannelID, dustLimitSatoshis: Satoshi, maxHtlcValueInFlightMsat: MilliSatoshi,
    channelReserveSatoshis: Satoshi, htlcMinimumMsat: MilliSatoshi, minimumDepth: UInt32, toSelfDelay: UInt16,
    maxAcceptedHtlcs: UInt16, keys: ChannelKeys, upfrontShutdownScript: Script? = nil, channelType: ChannelType? = nil,
    nextLocalNonce: PublicNonceBytes? = nil,
    otherRecords: TLVStream = TLVStream()
  ) {
    self.temporaryChannelID = temporaryChannelID
    self.dustLimitSatoshis = dustLimitSatoshis
    self.maxHtlcValueInFlightMsat = maxHtlcValueInFlightMsat
    self.channelReserveSatoshis = channelReserveSatoshis
    self.htlcMinimumMsat = htlcMinimumMsat
    self.minimumDepth = minimumDepth
    self.toSelfDelay = toSelfDelay
    self.maxAcceptedHtlcs = maxAcceptedHtlcs
    self.keys = keys
    self.upfrontShutdownScript = upfrontShutdownScript
    self.channelType = channelType
    self.nextLocalNonce = nextLocalNonce
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    temporaryChannelID = try source.field("temporary_channel_id")
    dustLimitSatoshis = try source.field("dust_limit_satoshis")
    maxHtlcValueInFlightMsat = try source.field("max_htlc_value_in_flight_msat")
    channelReserveSatoshis = try source.field("channel_reserve_satoshis")
    htlcMinimumMsat = try source.field("htlc_minimum_msat")
    minimumDepth = try source.field("minimum_depth")
    toSelfDelay = try source.field("to_self_delay")
    maxAcceptedHtlcs = try source.field("max_accepted_htlcs")
    keys = try ChannelKeys(from: &source)
    upfrontShutdownScript = try source.record(0)
    channelType = try source.record(1)
    nextLocalNonce = try source.record(4)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("temporary_channel_id", temporaryChannelID)
    sink.field("dust_limit_satoshis", dustLimitSatoshis)
    sink.field("max_htlc_value_in_flight_msat", maxHtlcValueInFlightMsat)
    sink.field("channel_reserve_satoshis", channelReserveSatoshis)
    sink.field("htlc_minimum_msat", htlcMinimumMsat)
    sink.field("minimum_depth", minimumDepth)
    sink.field("to_self_delay", toSelfDelay)
    sink.field("max_accepted_htlcs", maxAcceptedHtlcs)
    keys.encode(to: &sink)
    sink.otherRecords(otherRecords)
    sink.record(0, upfrontShutdownScript)
    sink.record(1, channelType)
    sink.record(4, nextLocalNonce)
  }
}
