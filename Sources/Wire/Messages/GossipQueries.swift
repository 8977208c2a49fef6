internal import Bitcoin
public import Encoding

/// BOLT 7 §The `query_short_channel_ids`/`reply_short_channel_ids_end` Messages.
public struct QueryShortChannelIDs: WireMessage {
  public static let type: UInt16 = 261
  public static let name: FieldName = "query_short_channel_ids"

  public var chainHash: ChainHash
  public var encodedShortIDs: EncodedShortIDs
  public var queryFlags: EncodedQueryFlags?
  public var otherRecords: TLVStream

  public init(
    chainHash: ChainHash, encodedShortIDs: EncodedShortIDs, queryFlags: EncodedQueryFlags? = nil,
    otherRecords: TLVStream = TLVStream()
  ) {
    self.chainHash = chainHash
    self.encodedShortIDs = encodedShortIDs
    self.queryFlags = queryFlags
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    chainHash = try source.field("chain_hash")
    encodedShortIDs = try source.field("encoded_short_ids", length: "len")
    queryFlags = try source.record(1)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("chain_hash", chainHash)
    sink.field("encoded_short_ids", length: "len", encodedShortIDs)
    sink.otherRecords(otherRecords)
    sink.record(1, queryFlags)
  }
}

/// BOLT 7 §The `query_short_channel_ids`/`reply_short_channel_ids_end` Messages.
public struct ReplyShortChannelIDsEnd: WireMessage {
  public static let type: UInt16 = 262
  public static let name: FieldName = "reply_short_channel_ids_end"

  public var chainHash: ChainHash
  /// 0: the sender does not keep up-to-date information about this chain.
  public var fullInformation: UInt8
  public var otherRecords: TLVStream

  public init(
    chainHash: ChainHash, fullInformation: UInt8, otherRecords: TLVStream = TLVStream()
  ) {
    self.chainHash = chainHash
    self.fullInformation = fullInformation
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    chainHash = try source.field("chain_hash")
    fullInformation = try source.field("full_information")
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("chain_hash", chainHash)
    sink.field("full_information", fullInformation)
    sink.otherRecords(otherRecords)
  }
}

/// BOLT 7 §The `query_channel_range` and `reply_channel_range` Messages.
public struct QueryChannelRange: WireMessage {
  public static let type: UInt16 = 263
  public static let name: FieldName = "query_channel_range"

  public var chainHash: ChainHash
  public var firstBlocknum: UInt32
  public var numberOfBlocks: UInt32
  public var queryOption: QueryOption?
  public var otherRecords: TLVStream

  public init(
    chainHash: ChainHash, firstBlocknum: UInt32, numberOfBlocks: UInt32, queryOption: QueryOption? = nil,
    otherRecords: TLVStream = TLVStream()
  ) {
    self.chainHash = chainHash
    self.firstBlocknum = firstBlocknum
    self.numberOfBlocks = numberOfBlocks
    self.queryOption = queryOption
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    chainHash = try source.field("chain_hash")
    firstBlocknum = try source.field("first_blocknum")
    numberOfBlocks = try source.field("number_of_blocks")
    queryOption = try source.record(1)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("chain_hash", chainHash)
    sink.field("first_blocknum", firstBlocknum)
    sink.field("number_of_blocks", numberOfBlocks)
    sink.otherRecords(otherRecords)
    sink.record(1, queryOption)
  }
}

/// BOLT 7 §The `query_channel_range` and `reply_channel_range` Messages.
public struct ReplyChannelRange: WireMessage {
  public static let type: UInt16 = 264
  public static let name: FieldName = "reply_channel_range"

  public var chainHash: ChainHash
  public var firstBlocknum: UInt32
  public var numberOfBlocks: UInt32
  /// 1 in the last of the replies.
  public var syncComplete: UInt8
  public var encodedShortIDs: EncodedShortIDs
  /// `timestamps_tlv`.
  public var timestamps: EncodedTimestamps?
  /// `checksums_tlv`: one for each of the `encodedShortIDs`.
  public var checksums: [ChannelUpdateChecksums]?
  public var otherRecords: TLVStream

  public init(
    chainHash: ChainHash, firstBlocknum: UInt32, numberOfBlocks: UInt32, syncComplete: UInt8,
    encodedShortIDs: EncodedShortIDs, timestamps: EncodedTimestamps? = nil, checksums: [ChannelUpdateChecksums]? = nil,
    otherRecords: TLVStream = TLVStream()
  ) {
    self.chainHash = chainHash
    self.firstBlocknum = firstBlocknum
    self.numberOfBlocks = numberOfBlocks
    self.syncComplete = syncComplete
    self.encodedShortIDs = encodedShortIDs
    self.timestamps = timestamps
    self.checksums = checksums
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    chainHash = try source.field("chain_hash")
    firstBlocknum = try source.field("first_blocknum")
    numberOfBlocks = try source.field("number_of_blocks")
    syncComplete = try source.field("sync_complete")
    encodedShortIDs = try source.field("encoded_short_ids", length: "len")
    timestamps = try source.record(1)
    checksums = try source.record(3)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("chain_hash", chainHash)
    sink.field("first_blocknum", firstBlocknum)
    sink.field("number_of_blocks", numberOfBlocks)
    sink.field("sync_complete", syncComplete)
    sink.field("encoded_short_ids", length: "len", encodedShortIDs)
    sink.otherRecords(otherRecords)
    sink.record(1, timestamps)
    sink.record(3, checksums)
  }
}

/// BOLT 7 §The `gossip_timestamp_filter` Message.
public struct GossipTimestampFilter: WireMessage {
  public static let type: UInt16 = 265
  public static let name: FieldName = "gossip_timestamp_filter"

  public var chainHash: ChainHash
  public var firstTimestamp: UInt32
  public var timestampRange: UInt32
  public var otherRecords: TLVStream

  public init(
    chainHash: ChainHash, firstTimestamp: UInt32, timestampRange: UInt32, otherRecords: TLVStream = TLVStream()
  ) {
    self.chainHash = chainHash
    self.firstTimestamp = firstTimestamp
    self.timestampRange = timestampRange
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    chainHash = try source.field("chain_hash")
    firstTimestamp = try source.field("first_timestamp")
    timestampRange = try source.field("timestamp_range")
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("chain_hash", chainHash)
    sink.field("first_timestamp", firstTimestamp)
    sink.field("timestamp_range", timestampRange)
    sink.otherRecords(otherRecords)
  }

  /// BOLT 7: all gossip messages whose `timestamp` is greater or equal to `first_timestamp`, and less than `first_timestamp` plus
  /// `timestamp_range`.
  public func admits(_ timestamp: UInt32) -> Bool {
    timestamp >= firstTimestamp && UInt64(timestamp) < UInt64(firstTimestamp) + UInt64(timestampRange)
  }
}
