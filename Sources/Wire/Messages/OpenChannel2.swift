public import Bitcoin
public import Encoding
public import Secp256k1

/// BOLT 2 §The `open_channel2` Message.
public struct OpenChannel2: WireMessage {
  public static let type: UInt16 = 64
  public static let name: FieldName = "open_channel2"

  public var chainHash: ChainHash
  public var temporaryChannelID: ChannelID
  public var fundingFeeratePerkw: FeeRate
  public var commitmentFeeratePerkw: FeeRate
  public var fundingSatoshis: Satoshi
  public var dustLimitSatoshis: Satoshi
  public var maxHtlcValueInFlightMsat: MilliSatoshi
  public var htlcMinimumMsat: MilliSatoshi
  /// In blocks, for the receiver's own outputs.
  public var toSelfDelay: UInt16
  public var maxAcceptedHtlcs: UInt16
  public var locktime: UInt32
  public var keys: ChannelKeys
  public var secondPerCommitmentPoint: PublicKey
  public var channelFlags: ChannelFlags
  /// Where the sender's money goes on a mutual close; empty for no promise.
  public var upfrontShutdownScript: Script?
  public var channelType: ChannelType?
  public var requireConfirmedInputs: Bool
  public var otherRecords: TLVStream

  public init(
    chainHash: ChainHash, temporaryChannelID: ChannelID, fundingFeeratePerkw: FeeRate, commitmentFeeratePerkw: FeeRate,
    fundingSatoshis: Satoshi, dustLimitSatoshis: Satoshi, maxHtlcValueInFlightMsat: MilliSatoshi,
    htlcMinimumMsat: MilliSatoshi, toSelfDelay: UInt16, maxAcceptedHtlcs: UInt16, locktime: UInt32,
    keys: ChannelKeys, secondPerCommitmentPoint: PublicKey, channelFlags: ChannelFlags,
    upfrontShutdownScript: Script? = nil,
    channelType: ChannelType? = nil, requireConfirmedInputs: Bool = false, otherRecords: TLVStream = TLVStream()
  ) {
    self.chainHash = chainHash
    self.temporaryChannelID = temporaryChannelID
    self.fundingFeeratePerkw = fundingFeeratePerkw
    self.commitmentFeeratePerkw = commitmentFeeratePerkw
    self.fundingSatoshis = fundingSatoshis
    self.dustLimitSatoshis = dustLimitSatoshis
    self.maxHtlcValueInFlightMsat = maxHtlcValueInFlightMsat
    self.htlcMinimumMsat = htlcMinimumMsat
    self.toSelfDelay = toSelfDelay
    self.maxAcceptedHtlcs = maxAcceptedHtlcs
    self.locktime = locktime
    self.keys = keys
    self.secondPerCommitmentPoint = secondPerCommitmentPoint
    self.channelFlags = channelFlags
    self.upfrontShutdownScript = upfrontShutdownScript
    self.channelType = channelType
    self.requireConfirmedInputs = requireConfirmedInputs
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    chainHash = try source.field("chain_hash")
    temporaryChannelID = try source.field("temporary_channel_id")
    fundingFeeratePerkw = try source.field("funding_feerate_perkw")
    commitmentFeeratePerkw = try source.field("commitment_feerate_perkw")
    fundingSatoshis = try source.field("funding_satoshis")
    dustLimitSatoshis = try source.field("dust_limit_satoshis")
    maxHtlcValueInFlightMsat = try source.field("max_htlc_value_in_flight_msat")
    htlcMinimumMsat = try source.field("htlc_minimum_msat")
    toSelfDelay = try source.field("to_self_delay")
    maxAcceptedHtlcs = try source.field("max_accepted_htlcs")
    locktime = try source.field("locktime")
    keys = try ChannelKeys(from: &source)
    secondPerCommitmentPoint = try source.field("second_per_commitment_point")
    channelFlags = try source.field("channel_flags")
    upfrontShutdownScript = try source.record(0)
    channelType = try source.record(1)
    requireConfirmedInputs = try source.flag(2)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("chain_hash", chainHash)
    sink.field("temporary_channel_id", temporaryChannelID)
    sink.field("funding_feerate_perkw", fundingFeeratePerkw)
    sink.field("commitment_feerate_perkw", commitmentFeeratePerkw)
    sink.field("funding_satoshis", fundingSatoshis)
    sink.field("dust_limit_satoshis", dustLimitSatoshis)
    sink.field("max_htlc_value_in_flight_msat", maxHtlcValueInFlightMsat)
    sink.field("htlc_minimum_msat", htlcMinimumMsat)
    sink.field("to_self_delay", toSelfDelay)
    sink.field("max_accepted_htlcs", maxAcceptedHtlcs)
    sink.field("locktime", locktime)
    keys.encode(to: &sink)
    sink.field("second_per_commitment_point", secondPerCommitmentPoint)
    sink.field("channel_flags", channelFlags)
    sink.otherRecords(otherRecords)
    sink.record(0, upfrontShutdownScript)
    sink.record(1, channelType)
    sink.flag(2, requireConfirmedInputs)
  }
}

/// BOLT 2 §The `accept_channel2` Message.
public struct AcceptChannel2: WireMessage {
  public static let type: UInt16 = 65
  public static let name: FieldName = "accept_channel2"

  public var temporaryChannelID: ChannelID
  public var fundingSatoshis: Satoshi
  public var dustLimitSatoshis: Satoshi
  public var maxHtlcValueInFlightMsat: MilliSatoshi
  public var htlcMinimumMsat: MilliSatoshi
  public var minimumDepth: UInt32
  /// In blocks, for the receiver's own outputs.
  public var toSelfDelay: UInt16
  public var maxAcceptedHtlcs: UInt16
  public var keys: ChannelKeys
  public var secondPerCommitmentPoint: PublicKey
  /// Where the sender's money goes on a mutual close; empty for no promise.
  public var upfrontShutdownScript: Script?
  public var channelType: ChannelType?
  public var requireConfirmedInputs: Bool
  public var otherRecords: TLVStream

  public init(
    temporaryChannelID: ChannelID, fundingSatoshis: Satoshi, dustLimitSatoshis: Satoshi,
    maxHtlcValueInFlightMsat: MilliSatoshi, htlcMinimumMsat: MilliSatoshi, minimumDepth: UInt32, toSelfDelay: UInt16,
    maxAcceptedHtlcs: UInt16, keys: ChannelKeys, secondPerCommitmentPoint: PublicKey,
    upfrontShutdownScript: Script? = nil, channelType: ChannelType? = nil,
    requireConfirmedInputs: Bool = false, otherRecords: TLVStream = TLVStream()
  ) {
    self.temporaryChannelID = temporaryChannelID
    self.fundingSatoshis = fundingSatoshis
    self.dustLimitSatoshis = dustLimitSatoshis
    self.maxHtlcValueInFlightMsat = maxHtlcValueInFlightMsat
    self.htlcMinimumMsat = htlcMinimumMsat
    self.minimumDepth = minimumDepth
    self.toSelfDelay = toSelfDelay
    self.maxAcceptedHtlcs = maxAcceptedHtlcs
    self.keys = keys
    self.secondPerCommitmentPoint = secondPerCommitmentPoint
    self.upfrontShutdownScript = upfrontShutdownScript
    self.channelType = channelType
    self.requireConfirmedInputs = requireConfirmedInputs
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    temporaryChannelID = try source.field("temporary_channel_id")
    fundingSatoshis = try source.field("funding_satoshis")
    dustLimitSatoshis = try source.field("dust_limit_satoshis")
    maxHtlcValueInFlightMsat = try source.field("max_htlc_value_in_flight_msat")
    htlcMinimumMsat = try source.field("htlc_minimum_msat")
    minimumDepth = try source.field("minimum_depth")
    toSelfDelay = try source.field("to_self_delay")
    maxAcceptedHtlcs = try source.field("max_accepted_htlcs")
    keys = try ChannelKeys(from: &source)
    secondPerCommitmentPoint = try source.field("second_per_commitment_point")
    upfrontShutdownScript = try source.record(0)
    channelType = try source.record(1)
    requireConfirmedInputs = try source.flag(2)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("temporary_channel_id", temporaryChannelID)
    sink.field("funding_satoshis", fundingSatoshis)
    sink.field("dust_limit_satoshis", dustLimitSatoshis)
    sink.field("max_htlc_value_in_flight_msat", maxHtlcValueInFlightMsat)
    sink.field("htlc_minimum_msat", htlcMinimumMsat)
    sink.field("minimum_depth", minimumDepth)
    sink.field("to_self_delay", toSelfDelay)
    sink.field("max_accepted_htlcs", maxAcceptedHtlcs)
    keys.encode(to: &sink)
    sink.field("second_per_commitment_point", secondPerCommitmentPoint)
    sink.otherRecords(otherRecords)
    sink.record(0, upfrontShutdownScript)
    sink.record(1, channelType)
    sink.flag(2, requireConfirmedInputs)
  }
}
