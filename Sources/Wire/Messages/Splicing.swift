public import Bitcoin
public import Encoding
public import Secp256k1

/// BOLT 2 §`stfu`: no more updates from me.
public struct Stfu: WireMessage {
  public static let type: UInt16 = 2
  public static let name: FieldName = "stfu"

  public var channelID: ChannelID
  /// 1 from the one who asks for quiescence, 0 in the answer.
  public var initiator: UInt8
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, initiator: UInt8, otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.initiator = initiator
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    initiator = try source.field("initiator")
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("initiator", initiator)
    sink.otherRecords(otherRecords)
  }
}

/// BOLT 2 §The `splice_init` Message.
public struct SpliceInit: WireMessage {
  public static let type: UInt16 = 80
  public static let name: FieldName = "splice_init"

  public var channelID: ChannelID
  /// Added to the sender's balance, or taken out of it when negative.
  public var fundingContributionSatoshis: Int64
  public var fundingFeeratePerkw: FeeRate
  public var locktime: UInt32
  public var fundingPubkey: PublicKey
  public var requireConfirmedInputs: Bool
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, fundingContributionSatoshis: Int64, fundingFeeratePerkw: FeeRate, locktime: UInt32,
    fundingPubkey: PublicKey, requireConfirmedInputs: Bool = false, otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.fundingContributionSatoshis = fundingContributionSatoshis
    self.fundingFeeratePerkw = fundingFeeratePerkw
    self.locktime = locktime
    self.fundingPubkey = fundingPubkey
    self.requireConfirmedInputs = requireConfirmedInputs
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    fundingContributionSatoshis = try source.field("funding_contribution_satoshis")
    fundingFeeratePerkw = try source.field("funding_feerate_perkw")
    locktime = try source.field("locktime")
    fundingPubkey = try source.field("funding_pubkey")
    requireConfirmedInputs = try source.flag(2)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("funding_contribution_satoshis", fundingContributionSatoshis)
    sink.field("funding_feerate_perkw", fundingFeeratePerkw)
    sink.field("locktime", locktime)
    sink.field("funding_pubkey", fundingPubkey)
    sink.otherRecords(otherRecords)
    sink.flag(2, requireConfirmedInputs)
  }
}

/// BOLT 2 §The `splice_ack` Message.
public struct SpliceAck: WireMessage {
  public static let type: UInt16 = 81
  public static let name: FieldName = "splice_ack"

  public var channelID: ChannelID
  /// Added to the sender's balance, or taken out of it when negative.
  public var fundingContributionSatoshis: Int64
  public var fundingPubkey: PublicKey
  public var requireConfirmedInputs: Bool
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, fundingContributionSatoshis: Int64, fundingPubkey: PublicKey,
    requireConfirmedInputs: Bool = false, otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.fundingContributionSatoshis = fundingContributionSatoshis
    self.fundingPubkey = fundingPubkey
    self.requireConfirmedInputs = requireConfirmedInputs
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    fundingContributionSatoshis = try source.field("funding_contribution_satoshis")
    fundingPubkey = try source.field("funding_pubkey")
    requireConfirmedInputs = try source.flag(2)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("funding_contribution_satoshis", fundingContributionSatoshis)
    sink.field("funding_pubkey", fundingPubkey)
    sink.otherRecords(otherRecords)
    sink.flag(2, requireConfirmedInputs)
  }
}

/// BOLT 2 §The `splice_locked` Message.
public struct SpliceLocked: WireMessage {
  public static let type: UInt16 = 77
  public static let name: FieldName = "splice_locked"

  public var channelID: ChannelID
  public var spliceTxid: TxID
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, spliceTxid: TxID, otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.spliceTxid = spliceTxid
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    spliceTxid = try source.field("splice_txid")
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("splice_txid", spliceTxid)
    sink.otherRecords(otherRecords)
  }
}

/// BOLT 2 §Batching channel messages: the next `batchSize` messages are one.
public struct StartBatch: WireMessage {
  public static let type: UInt16 = 127
  public static let name: FieldName = "start_batch"

  public var channelID: ChannelID
  /// BOLT 2: strictly greater than 1, lower than or equal to 20.
  public var batchSize: UInt16
  /// BOLT 2: MUST set `message_type` to `132` (`commitment_signed`).
  public var messageType: UInt16?
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, batchSize: UInt16, messageType: UInt16? = nil, otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.batchSize = batchSize
    self.messageType = messageType
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    batchSize = try source.field("batch_size")
    messageType = try source.record(1)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("batch_size", batchSize)
    sink.otherRecords(otherRecords)
    sink.record(1, messageType)
  }
}
