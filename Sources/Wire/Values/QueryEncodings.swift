public import Bitcoin
public import Encoding

// BOLT 7 §Query Messages: arrays that begin with a byte for the way in which they are encoded.
// `0`: uncompressed array (…). `1`: Previously used for zlib compression, this encoding MUST NOT be used.
// The bytes are kept as they came; what is in them is asked for where it is used, and there a peer who writes nonsense gets a warning.

/// `encoded_short_ids`.
public struct EncodedShortIDs: Hashable, Sendable, WireField {
  public var bytes: [UInt8]

  public init(bytes: [UInt8]) { self.bytes = bytes }

  /// BOLT 7: uncompressed array of `short_channel_id` types, in ascending order.
  public init(_ ids: [ShortChannelID]) {
    var writer = ByteWriter(reservingCapacity: 1 + 8 * ids.count)
    writer.write(0 as UInt8)
    for id in ids.sorted() { writer.write(id.rawValue) }
    bytes = writer.bytes
  }

  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) { bytes = reader.readRest() }
  public func encode(to writer: inout ByteWriter) { writer.write(bytes) }

  /// No peer asks for more in one message without compressing it.
  static let maximumByteCount = 65_535

  /// The ids. Throws for an unknown encoding, a number of bytes that is not whole, and ids that are not in ascending order.
  ///
  /// Also those that zlib has compressed: BOLT 7 says that this encoding MUST NOT be used, and Electrum 4.3 asks in no other.
  public func ids() throws(DecodingError) -> [ShortChannelID] {
    if bytes.first == 1 {
      let inflated = try Zlib.decompress(bytes.bytes.extracting(droppingFirst: 1), limit: Self.maximumByteCount)
      return try Self.ids(inflated)
    }
    var reader = ByteReader(bytes.bytes)
    try reader.readUncompressed()
    return try Self.ids(reader.readRest())
  }

  private static func ids(_ bytes: [UInt8]) throws(DecodingError) -> [ShortChannelID] {
    var reader = ByteReader(bytes.bytes)
    var ids: [ShortChannelID] = []
    ids.reserveCapacity(reader.remaining / 8)
    while !reader.isAtEnd {
      let id = ShortChannelID(rawValue: try reader.readUInt64())
      if let last = ids.last, id <= last { throw .malformed("short_channel_ids are not in ascending order") }
      ids.append(id)
    }
    return ids
  }
}

/// What a query wants to know about one channel (BOLT 7 §The `query_short_channel_ids`/`reply_short_channel_ids_end` Messages).
public struct QueryFlags: OptionSet, Hashable, Sendable {
  public let rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  public static let channelAnnouncement = QueryFlags(rawValue: 1)
  public static let channelUpdate1 = QueryFlags(rawValue: 1 << 1)
  public static let channelUpdate2 = QueryFlags(rawValue: 1 << 2)
  public static let nodeAnnouncement1 = QueryFlags(rawValue: 1 << 3)
  public static let nodeAnnouncement2 = QueryFlags(rawValue: 1 << 4)
}

/// `query_flags`: a way of encoding, then one bigsize for each `short_channel_id`.
public struct EncodedQueryFlags: Hashable, Sendable, WireField {
  public var bytes: [UInt8]

  public init(bytes: [UInt8]) { self.bytes = bytes }

  public init(_ flags: [QueryFlags]) {
    var writer = ByteWriter(reservingCapacity: 1 + flags.count)
    writer.write(0 as UInt8)
    for flag in flags { writer.writeBigSize(flag.rawValue) }
    bytes = writer.bytes
  }

  public static var minimumByteCount: Int { 1 }
  /// The byte for the way of encoding must be there.
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) {
    guard !reader.isAtEnd else { throw .truncated }
    bytes = reader.readRest()
  }
  public func encode(to writer: inout ByteWriter) { writer.write(bytes) }

  /// The flags. BOLT 7: if `encoded_query_flags` does not decode to exactly one flag per `short_channel_id`: MAY send a `warning`.
  public func flags(count: Int) throws(DecodingError) -> [QueryFlags] {
    var reader = ByteReader(bytes.bytes)
    try reader.readUncompressed()
    var flags: [QueryFlags] = []
    while !reader.isAtEnd { flags.append(QueryFlags(rawValue: try reader.readBigSize())) }
    guard flags.count == count else { throw .malformed("not one query flag for each short_channel_id") }
    return flags
  }
}

/// `query_option` of `query_channel_range`: a bigsize.
public struct QueryOption: OptionSet, Hashable, Sendable, WireField {
  public let rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  public static let timestamps = QueryOption(rawValue: 1)
  public static let checksums = QueryOption(rawValue: 1 << 1)

  public static var minimumByteCount: Int { 1 }
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) { rawValue = try reader.readBigSize() }
  public func encode(to writer: inout ByteWriter) { writer.writeBigSize(rawValue) }
}

/// `channel_update_timestamps`: 8 bytes; 0 where there is no `channel_update`.
public struct ChannelUpdateTimestamps: Hashable, Sendable {
  public var timestampNodeID1: UInt32
  public var timestampNodeID2: UInt32

  public init(timestampNodeID1: UInt32, timestampNodeID2: UInt32) {
    self.timestampNodeID1 = timestampNodeID1
    self.timestampNodeID2 = timestampNodeID2
  }
}

/// `timestamps_tlv`: a way of encoding, then `channel_update_timestamps`.
public struct EncodedTimestamps: Hashable, Sendable, WireField {
  public var bytes: [UInt8]

  public init(bytes: [UInt8]) { self.bytes = bytes }

  public init(_ timestamps: [ChannelUpdateTimestamps]) {
    var writer = ByteWriter(reservingCapacity: 1 + 8 * timestamps.count)
    writer.write(0 as UInt8)
    for entry in timestamps {
      writer.write(entry.timestampNodeID1)
      writer.write(entry.timestampNodeID2)
    }
    bytes = writer.bytes
  }

  public static var minimumByteCount: Int { 1 }
  /// The byte for the way of encoding must be there.
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) {
    guard !reader.isAtEnd else { throw .truncated }
    bytes = reader.readRest()
  }
  public func encode(to writer: inout ByteWriter) { writer.write(bytes) }

  /// The timestamps, which must be as many as the `short_channel_id`s that they belong to.
  public func timestamps(count: Int) throws(DecodingError) -> [ChannelUpdateTimestamps] {
    var reader = ByteReader(bytes.bytes)
    try reader.readUncompressed()
    var timestamps: [ChannelUpdateTimestamps] = []
    timestamps.reserveCapacity(reader.remaining / 8)
    while !reader.isAtEnd {
      timestamps.append(
        ChannelUpdateTimestamps(
          timestampNodeID1: try reader.readUInt32(), timestampNodeID2: try reader.readUInt32()))
    }
    guard timestamps.count == count else { throw .malformed("not one pair of timestamps for each short_channel_id") }
    return timestamps
  }
}

/// `channel_update_checksums`: 8 bytes; 0 where there is no `channel_update`.
public struct ChannelUpdateChecksums: Hashable, Sendable, WireListElement {
  public var checksumNodeID1: UInt32
  public var checksumNodeID2: UInt32

  public init(checksumNodeID1: UInt32, checksumNodeID2: UInt32) {
    self.checksumNodeID1 = checksumNodeID1
    self.checksumNodeID2 = checksumNodeID2
  }

  public static var minimumByteCount: Int { 8 }
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) {
    checksumNodeID1 = try reader.readUInt32()
    checksumNodeID2 = try reader.readUInt32()
  }
  public func encode(to writer: inout ByteWriter) {
    writer.write(checksumNodeID1)
    writer.write(checksumNodeID2)
  }
}

extension ByteReader {
  /// BOLT 7: if the first byte of `encoded_short_ids` is not a known encoding type: MAY send a `warning`.
  @_lifetime(self: copy self)
  fileprivate mutating func readUncompressed() throws(DecodingError) {
    guard try readUInt8() == 0 else { throw .malformed("unknown encoding type") }
  }
}
