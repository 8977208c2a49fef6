public import Bitcoin
public import Encoding
public import Secp256k1

/// BOLT 2 §The `funding_created` Message.
public struct FundingCreated: WireMessage {
  public static let type: UInt16 = 34
  public static let name: FieldName = "funding_created"

  public var temporaryChannelID: ChannelID
  public var fundingTxid: TxID
  public var fundingOutputIndex: UInt16
  /// For the receiver's first commitment; all zeros for taproot channels.
  public var signature: CompactSignature
  /// Taproot channels.
  public var partialSignatureWithNonce: PartialSignatureWithNonce?
  public var otherRecords: TLVStream

  public init(
    temporaryChannelID: ChannelID, fundingTxid: TxID, fundingOutputIndex: UInt16, signature: CompactSignature,
    partialSignatureWithNonce: PartialSignatureWithNonce? = nil, otherRecords: TLVStream = TLVStream()
  ) {
    self.temporaryChannelID = temporaryChannelID
    self.fundingTxid = fundingTxid
    self.fundingOutputIndex = fundingOutputIndex
    self.signature = signature
    self.partialSignatureWithNonce = partialSignatureWithNonce
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    temporaryChannelID = try source.field("temporary_channel_id")
    fundingTxid = try source.field("funding_txid")
    fundingOutputIndex = try source.field("funding_output_index")
    signature = try source.field("signature")
    partialSignatureWithNonce = try source.record(2)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("temporary_channel_id", temporaryChannelID)
    sink.field("funding_txid", fundingTxid)
    sink.field("funding_output_index", fundingOutputIndex)
    sink.field("signature", signature)
    sink.otherRecords(otherRecords)
    sink.record(2, partialSignatureWithNonce)
  }
}

/// BOLT 2 §The `funding_signed` Message.
public struct FundingSigned: WireMessage {
  public static let type: UInt16 = 35
  public static let name: FieldName = "funding_signed"

  public var channelID: ChannelID
  /// For the receiver's first commitment; all zeros for taproot channels.
  public var signature: CompactSignature
  /// Taproot channels.
  public var partialSignatureWithNonce: PartialSignatureWithNonce?
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, signature: CompactSignature, partialSignatureWithNonce: PartialSignatureWithNonce? = nil,
    otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.signature = signature
    self.partialSignatureWithNonce = partialSignatureWithNonce
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    signature = try source.field("signature")
    partialSignatureWithNonce = try source.record(2)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("signature", signature)
    sink.otherRecords(otherRecords)
    sink.record(2, partialSignatureWithNonce)
  }
}

/// BOLT 2 §The `channel_ready` Message.
public struct ChannelReady: WireMessage {
  public static let type: UInt16 = 36
  public static let name: FieldName = "channel_ready"

  public var channelID: ChannelID
  public var secondPerCommitmentPoint: PublicKey
  /// `short_channel_id`: a name for the channel by which payments can be forwarded to it.
  public var alias: ShortChannelID?
  /// Taproot channels.
  public var nextLocalNonce: PublicNonceBytes?
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, secondPerCommitmentPoint: PublicKey, alias: ShortChannelID? = nil,
    nextLocalNonce: PublicNonceBytes? = nil, otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.secondPerCommitmentPoint = secondPerCommitmentPoint
    self.alias = alias
    self.nextLocalNonce = nextLocalNonce
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    secondPerCommitmentPoint = try source.field("second_per_commitment_point")
    alias = try source.record(1)
    nextLocalNonce = try source.record(4)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("second_per_commitment_point", secondPerCommitmentPoint)
    sink.otherRecords(otherRecords)
    sink.record(1, alias)
    sink.record(4, nextLocalNonce)
  }
}
