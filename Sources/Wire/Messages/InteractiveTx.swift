public import Bitcoin
public import Encoding

/// BOLT 2 §The `tx_add_input` Message.
public struct TxAddInput: WireMessage {
  public static let type: UInt16 = 66
  public static let name: FieldName = "tx_add_input"

  public var channelID: ChannelID
  public var serialID: UInt64
  /// The transaction whose output is spent; empty when a record says what is spent.
  public var prevtx: [UInt8]
  public var prevtxVout: UInt32
  public var sequence: UInt32
  /// The input spends the channel's current funding output.
  public var sharedInputTxid: TxID?
  /// Taproot splicing: what a taproot input spends, instead of the whole transaction.
  public var prevtxDetails: PrevtxDetails?
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, serialID: UInt64, prevtx: [UInt8], prevtxVout: UInt32, sequence: UInt32,
    sharedInputTxid: TxID? = nil, prevtxDetails: PrevtxDetails? = nil, otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.serialID = serialID
    self.prevtx = prevtx
    self.prevtxVout = prevtxVout
    self.sequence = sequence
    self.sharedInputTxid = sharedInputTxid
    self.prevtxDetails = prevtxDetails
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    serialID = try source.field("serial_id")
    prevtx = try source.bytes("prevtx", length: "prevtx_len")
    prevtxVout = try source.field("prevtx_vout")
    sequence = try source.field("sequence")
    sharedInputTxid = try source.record(0)
    prevtxDetails = try source.record(2)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("serial_id", serialID)
    sink.bytes("prevtx", length: "prevtx_len", prevtx)
    sink.field("prevtx_vout", prevtxVout)
    sink.field("sequence", sequence)
    sink.otherRecords(otherRecords)
    sink.record(0, sharedInputTxid)
    sink.record(2, prevtxDetails)
  }
}

/// BOLT 2 §The `tx_add_output` Message.
public struct TxAddOutput: WireMessage {
  public static let type: UInt16 = 67
  public static let name: FieldName = "tx_add_output"

  public var channelID: ChannelID
  public var serialID: UInt64
  public var sats: Satoshi
  public var script: Script
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, serialID: UInt64, sats: Satoshi, script: Script, otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.serialID = serialID
    self.sats = sats
    self.script = script
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    serialID = try source.field("serial_id")
    sats = try source.field("sats")
    script = try source.field("script", length: "scriptlen")
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("serial_id", serialID)
    sink.field("sats", sats)
    sink.field("script", length: "scriptlen", script)
    sink.otherRecords(otherRecords)
  }
}

/// BOLT 2 §The `tx_remove_input` and `tx_remove_output` Messages.
public struct TxRemoveInput: WireMessage {
  public static let type: UInt16 = 68
  public static let name: FieldName = "tx_remove_input"

  public var channelID: ChannelID
  public var serialID: UInt64
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, serialID: UInt64, otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.serialID = serialID
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    serialID = try source.field("serial_id")
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("serial_id", serialID)
    sink.otherRecords(otherRecords)
  }
}

/// BOLT 2 §The `tx_remove_input` and `tx_remove_output` Messages.
public struct TxRemoveOutput: WireMessage {
  public static let type: UInt16 = 69
  public static let name: FieldName = "tx_remove_output"

  public var channelID: ChannelID
  public var serialID: UInt64
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, serialID: UInt64, otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.serialID = serialID
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    serialID = try source.field("serial_id")
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("serial_id", serialID)
    sink.otherRecords(otherRecords)
  }
}

/// BOLT 2 §The `tx_complete` Message.
public struct TxComplete: WireMessage {
  public static let type: UInt16 = 70
  public static let name: FieldName = "tx_complete"

  public var channelID: ChannelID
  /// Taproot splicing.
  public var commitNonces: CommitNonces?
  /// Taproot splicing.
  public var fundingNonce: PublicNonceBytes?
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, commitNonces: CommitNonces? = nil, fundingNonce: PublicNonceBytes? = nil,
    otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.commitNonces = commitNonces
    self.fundingNonce = fundingNonce
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    commitNonces = try source.record(4)
    fundingNonce = try source.record(6)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.otherRecords(otherRecords)
    sink.record(4, commitNonces)
    sink.record(6, fundingNonce)
  }
}

/// BOLT 2 §The `tx_signatures` Message.
public struct TxSignatures: WireMessage {
  public static let type: UInt16 = 71
  public static let name: FieldName = "tx_signatures"

  public var channelID: ChannelID
  public var txid: TxID
  /// One for each input that the sender added, by increasing `serial_id`.
  public var witnesses: [TxWitness]
  /// For the channel's current funding output.
  public var sharedInputSignature: CompactSignature?
  /// Taproot splicing: the same for a taproot funding output.
  public var sharedInputPartialSignature: PartialSignatureWithNonce?
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, txid: TxID, witnesses: [TxWitness], sharedInputSignature: CompactSignature? = nil,
    sharedInputPartialSignature: PartialSignatureWithNonce? = nil, otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.txid = txid
    self.witnesses = witnesses
    self.sharedInputSignature = sharedInputSignature
    self.sharedInputPartialSignature = sharedInputPartialSignature
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    txid = try source.field("txid")
    witnesses = try source.list("witnesses", count: "num_witnesses")
    sharedInputSignature = try source.record(0)
    sharedInputPartialSignature = try source.record(2)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("txid", txid)
    sink.list("witnesses", count: "num_witnesses", witnesses)
    sink.otherRecords(otherRecords)
    sink.record(0, sharedInputSignature)
    sink.record(2, sharedInputPartialSignature)
  }
}

/// BOLT 2 §The `tx_init_rbf` Message.
public struct TxInitRbf: WireMessage {
  public static let type: UInt16 = 72
  public static let name: FieldName = "tx_init_rbf"

  public var channelID: ChannelID
  public var locktime: UInt32
  public var feerate: FeeRate
  /// In satoshi.
  public var fundingOutputContribution: Int64?
  public var requireConfirmedInputs: Bool
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, locktime: UInt32, feerate: FeeRate, fundingOutputContribution: Int64? = nil,
    requireConfirmedInputs: Bool = false, otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.locktime = locktime
    self.feerate = feerate
    self.fundingOutputContribution = fundingOutputContribution
    self.requireConfirmedInputs = requireConfirmedInputs
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    locktime = try source.field("locktime")
    feerate = try source.field("feerate")
    fundingOutputContribution = try source.record(0)
    requireConfirmedInputs = try source.flag(2)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("locktime", locktime)
    sink.field("feerate", feerate)
    sink.otherRecords(otherRecords)
    sink.record(0, fundingOutputContribution)
    sink.flag(2, requireConfirmedInputs)
  }
}

/// BOLT 2 §The `tx_ack_rbf` Message.
public struct TxAckRbf: WireMessage {
  public static let type: UInt16 = 73
  public static let name: FieldName = "tx_ack_rbf"

  public var channelID: ChannelID
  /// In satoshi.
  public var fundingOutputContribution: Int64?
  public var requireConfirmedInputs: Bool
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, fundingOutputContribution: Int64? = nil, requireConfirmedInputs: Bool = false,
    otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.fundingOutputContribution = fundingOutputContribution
    self.requireConfirmedInputs = requireConfirmedInputs
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    fundingOutputContribution = try source.record(0)
    requireConfirmedInputs = try source.flag(2)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.otherRecords(otherRecords)
    sink.record(0, fundingOutputContribution)
    sink.flag(2, requireConfirmedInputs)
  }
}

/// BOLT 2 §The `tx_abort` Message.
public struct TxAbort: WireMessage {
  public static let type: UInt16 = 74
  public static let name: FieldName = "tx_abort"

  public var channelID: ChannelID
  public var data: PeerText
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, data: PeerText, otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.data = data
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    data = try source.field("data", length: "len")
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("data", length: "len", data)
    sink.otherRecords(otherRecords)
  }
}
