internal import Bitcoin
public import Encoding

/// What is wrong with a TLV stream inside an onion: the fields of BOLT 4's `invalid_onion_payload`, and why.
public struct InvalidPayload: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Reason: Hashable, Sendable {
    /// The record, or the stream at this place, cannot be read.
    case malformed(DecodingError)
    /// An even type that the reader does not know.
    case unknownEven
    /// The role asks for this record.
    case missing
    /// The role, or another record, forbids this one.
    case notAllowed
  }

  /// The record that fails; 0 when not even its type can be read.
  public let type: UInt64
  /// Where it starts in the TLV stream, behind the payload's length; 0 for a record that is missing.
  public let offset: UInt16
  public let reason: Reason

  public init(type: UInt64, offset: Int, reason: Reason) {
    self.type = type
    self.offset = UInt16(clamping: offset)
    self.reason = reason
  }

  /// What is told to the sender.
  public var failure: FailureMessage { FailureMessage(.invalidOnionPayload(type: type, offset: offset)) }

  public var description: String {
    switch reason {
    case .malformed(let error): "TLV type \(type) at offset \(offset): \(error)"
    case .unknownEven: "unknown even TLV type \(type) at offset \(offset)"
    case .missing: "TLV type \(type) is missing"
    case .notAllowed: "TLV type \(type) at offset \(offset) is not allowed here"
    }
  }
}

/// Walks over the records of a TLV stream, and knows where an error happened.
struct PayloadReader: ~Escapable {
  private var reader: ByteReader
  private var length = 0
  private var isFirst = true
  /// The type of the record that is read.
  private(set) var type: UInt64 = 0
  /// Where that record starts.
  private(set) var offset = 0

  @_lifetime(copy stream)
  init(_ stream: RawSpan) { reader = ByteReader(stream) }

  /// Reads the type and length of the next record; false at the end.
  @_lifetime(self: copy self)
  mutating func advance() throws(InvalidPayload) -> Bool {
    guard !reader.isAtEnd else { return false }
    let previous = type
    offset = reader.offset
    type = 0
    do throws(DecodingError) {
      type = try reader.readBigSize()
      // BOLT 1: if decoded `type`s are not strictly-increasing (...): MUST fail to parse the `tlv_stream`.
      if !isFirst && type <= previous { throw .tlvOutOfOrder(type: type) }
      isFirst = false
      let length = try reader.readBigSize()
      guard length <= UInt64(reader.remaining) else { throw .truncated }
      self.length = Int(length)
      return true
    } catch {
      throw InvalidPayload(type: type, offset: offset, reason: .malformed(error))
    }
  }

  /// The record's value, made of all its bytes. Called once after each `advance`.
  @_lifetime(self: copy self)
  mutating func decode<T>(_ make: (RawSpan) throws(DecodingError) -> T) throws(InvalidPayload) -> T {
    do throws(DecodingError) {
      return try make(try reader.read(count: length))
    } catch {
      throw InvalidPayload(type: type, offset: offset, reason: .malformed(error))
    }
  }

  /// A record that the reader does not know. BOLT 1: "if `type` is even: MUST fail to parse the `tlv_stream`" – where that is
  /// `refused`; odd ones are kept.
  @_lifetime(self: copy self)
  mutating func unknown(refusingEven: Bool) throws(InvalidPayload) -> TLVRecord {
    if refusingEven && type.isMultiple(of: 2) {
      throw InvalidPayload(type: type, offset: offset, reason: .unknownEven)
    }
    let type = type
    return try decode { TLVRecord(type: type, value: $0.array) }
  }
}

// What values are made of. Each takes all bytes of the record.

func decodeBytes(_ value: RawSpan) -> [UInt8] { value.array }

func decodeTU64(_ value: RawSpan) throws(DecodingError) -> UInt64 {
  var reader = ByteReader(value)
  return try reader.readTU64()
}

func decodeTU32(_ value: RawSpan) throws(DecodingError) -> UInt32 {
  var reader = ByteReader(value)
  return try reader.readTU32()
}

func decodeShortChannelID(_ value: RawSpan) throws(DecodingError) -> ShortChannelID {
  guard value.byteCount == 8 else { throw .wrongLength(expected: 8, actual: value.byteCount) }
  var reader = ByteReader(value)
  return try ShortChannelID(from: &reader)
}

extension ByteWriter {
  /// One record, if there is a value.
  mutating func writeRecord(_ type: UInt64, _ value: [UInt8]?) {
    guard let value else { return }
    writeBigSize(type)
    writeBigSize(UInt64(value.count))
    write(value)
  }

  mutating func writeRecord(_ type: UInt64, _ value: (some FixedSizeBytes)?) { writeRecord(type, value?.array) }

  mutating func writeRecord(_ type: UInt64, truncated value: UInt64?) {
    writeRecord(type, value.map(truncatedBytes))
  }

  mutating func writeRecord(_ type: UInt64, _ value: ShortChannelID?) {
    guard let value else { return }
    var writer = ByteWriter()
    value.encode(to: &writer)
    writeRecord(type, writer.bytes)
  }

  /// Records in increasing order of type: known ones, and unknown ones between them.
  init(mergingRecords known: [UInt8], with unknown: [TLVRecord]) {
    self.init()
    guard !unknown.isEmpty, var stream = try? TLVStream(decoding: known.bytes) else {
      bytes = known
      return
    }
    for record in unknown { stream[record.type] = record.value }
    bytes = stream.encoded
  }
}

func truncatedBytes(_ value: UInt64) -> [UInt8] {
  var writer = ByteWriter()
  writer.writeTruncated(value)
  return writer.bytes
}

/// Where a record starts in a stream that is known to be well-formed; its end when it is not there.
func recordOffset(of type: UInt64, in stream: [UInt8]) -> Int {
  var reader = PayloadReader(stream.bytes)
  do throws(InvalidPayload) {
    while try reader.advance(), reader.type < type { _ = try reader.decode(decodeBytes) }
    return reader.type < type ? stream.count : reader.offset
  } catch {
    return 0
  }
}
