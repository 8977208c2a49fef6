public import Encoding

/// Which records and messages beyond those of the BOLTs somebody here understands. What is even and not among them is refused.
public struct CustomTypes: Hashable, Sendable {
  public struct Record: Hashable, Sendable {
    public var messageType: UInt16
    public var recordType: UInt64

    public init(messageType: UInt16, recordType: UInt64) {
      self.messageType = messageType
      self.recordType = recordType
    }
  }

  public var messages: Set<UInt16>
  public var records: Set<Record>

  public init(messages: Set<UInt16> = [], records: Set<Record> = []) {
    self.messages = messages
    self.records = records
  }

  public static let none = CustomTypes()
}

/// Reads a message from its payload, the bytes after the type.
public struct BinaryFieldSource: FieldSource, ~Escapable {
  private var reader: ByteReader
  private let type: UInt16
  private let custom: CustomTypes
  private var others = TLVStream()
  private var lastRecordType: UInt64?
  /// The type and length of a record that was met before it was asked for; its value comes next.
  private var pending: (type: UInt64, length: Int)?

  @_lifetime(copy payload)
  public init(_ payload: ByteReader, type: UInt16, custom: CustomTypes = .none) {
    reader = payload
    self.type = type
    self.custom = custom
  }

  @_lifetime(self: copy self)
  public mutating func field<T: WireField>(_ name: FieldName, as: T.Type) throws(WireError) -> T {
    do throws(DecodingError) {
      return try T(from: &reader)
    } catch {
      throw .malformed(type: type, field: name, reason: error)
    }
  }

  @_lifetime(self: copy self)
  public mutating func field<T: WireField>(_ name: FieldName, length: FieldName, as: T.Type) throws(WireError) -> T {
    do throws(DecodingError) {
      let count = Int(try reader.readUInt16())
      var part = ByteReader(try reader.read(count: count))
      let value = try T(from: &part)
      try part.finish()
      return value
    } catch {
      throw .malformed(type: type, field: name, reason: error)
    }
  }

  @_lifetime(self: copy self)
  public mutating func bytes(_ name: FieldName, length: FieldName) throws(WireError) -> [UInt8] {
    do throws(DecodingError) {
      let count = Int(try reader.readUInt16())
      return try reader.readArray(count: count)
    } catch {
      throw .malformed(type: type, field: name, reason: error)
    }
  }

  @_lifetime(self: copy self)
  public mutating func list<T: WireListElement>(
    _ name: FieldName, count: FieldName, as: T.Type
  ) throws(WireError) -> [T] {
    do throws(DecodingError) {
      let count = Int(try reader.readUInt16())
      guard count * max(T.minimumByteCount, 1) <= reader.remaining else { throw .truncated }
      var elements: [T] = []
      elements.reserveCapacity(count)
      for _ in 0..<count { elements.append(try T(from: &reader)) }
      return elements
    } catch {
      throw .malformed(type: type, field: name, reason: error)
    }
  }

  @_lifetime(self: copy self)
  public mutating func record<T: WireField>(_ recordType: UInt64, as: T.Type) throws(WireError) -> T? {
    if reader.isAtEnd && pending == nil { return nil }
    do throws(DecodingError) {
      while let (next, length) = try nextRecord() {
        if next > recordType { return nil }
        pending = nil
        if next < recordType {
          try keep(next, length: length)
          continue
        }
        var part = ByteReader(try reader.read(count: length))
        let value = try T(from: &part)
        // BOLT 1: if `length` is not exactly equal to that required for the known encoding for `type`: MUST fail to parse the
        // `tlv_stream`.
        try part.finish()
        return value
      }
      return nil
    } catch {
      throw .invalidExtension(type: type, reason: error)
    }
  }

  @_lifetime(self: copy self)
  public mutating func otherRecords() throws(WireError) -> TLVStream {
    if reader.isAtEnd && pending == nil { return others }
    do throws(DecodingError) {
      while let (next, length) = try nextRecord() {
        pending = nil
        try keep(next, length: length)
      }
      return others
    } catch {
      throw .invalidExtension(type: type, reason: error)
    }
  }

  @_lifetime(self: copy self)
  public mutating func excess() throws(WireError) -> [UInt8] { reader.readRest() }

  @_lifetime(self: copy self)
  private mutating func nextRecord() throws(DecodingError) -> (type: UInt64, length: Int)? {
    if let pending { return pending }
    if reader.isAtEnd { return nil }
    let next = try reader.readBigSize()
    // BOLT 1: if decoded `type`s are not strictly-increasing (…): MUST fail to parse the `tlv_stream`.
    if let lastRecordType, next <= lastRecordType { throw .tlvOutOfOrder(type: next) }
    lastRecordType = next
    let length = try reader.readBigSize()
    // BOLT 1: if `length` exceeds the number of bytes remaining in the message: MUST fail to parse the `tlv_stream`.
    guard length <= UInt64(reader.remaining) else { throw .truncated }
    pending = (next, Int(length))
    return pending
  }

  /// BOLT 1: if `type` is unknown: if `type` is even: MUST fail to parse the `tlv_stream`; otherwise, if `type` is odd: MUST discard
  /// the next `length` bytes. (They are kept, for whoever understands them.)
  @_lifetime(self: copy self)
  private mutating func keep(_ recordType: UInt64, length: Int) throws(DecodingError) {
    if recordType.isMultiple(of: 2),
      !custom.records.contains(CustomTypes.Record(messageType: type, recordType: recordType))
    {
      throw .unknownEvenType(recordType)
    }
    others[recordType] = try reader.readArray(count: length)
  }
}

/// Writes a message into bytes.
public struct BinaryFieldSink: FieldSink {
  public private(set) var writer: ByteWriter
  /// Where the extension begins.
  private(set) var extensionStart: Int?
  private var others: [TLVRecord] = []
  private var nextOther = 0
  private var overflowed = false

  public init(reservingCapacity capacity: Int = 0) { writer = ByteWriter(reservingCapacity: capacity) }

  init(type: UInt16, reservingCapacity capacity: Int) {
    writer = ByteWriter(reservingCapacity: capacity)
    writer.write(type)
  }

  /// Ready for another message, in the same memory.
  mutating func removeAll() {
    writer.bytes.removeAll(keepingCapacity: true)
    (extensionStart, others, nextOther, overflowed) = (nil, [], 0, false)
  }

  public mutating func field<T: WireField>(_ name: FieldName, _ value: T) {
    // Onions: better one allocation of the right size than a small one first.
    if T.minimumByteCount > 256 { writer.bytes.reserveCapacity(writer.count + T.minimumByteCount) }
    value.encode(to: &writer)
  }

  public mutating func field<T: WireField>(_ name: FieldName, length: FieldName, _ value: T) {
    var part = ByteWriter()
    value.encode(to: &part)
    bytes(name, length: length, part.bytes)
  }

  public mutating func bytes(_ name: FieldName, length: FieldName, _ value: [UInt8]) {
    write(count: value.count)
    writer.write(value)
  }

  public mutating func list<T: WireListElement>(_ name: FieldName, count: FieldName, _ value: [T]) {
    write(count: value.count)
    writer.bytes.reserveCapacity(writer.count + value.count * T.minimumByteCount)
    for element in value { element.encode(to: &writer) }
  }

  public mutating func otherRecords(_ records: TLVStream) {
    extensionStart = writer.count
    others = records.records
  }

  public mutating func record<T: WireField>(_ type: UInt64, _ value: T?) {
    guard let value else { return }
    writeOthers { $0 < type }
    // A record that the message defines goes before one that was put among the others by mistake.
    if nextOther < others.count, others[nextOther].type == type { nextOther += 1 }
    var part = ByteWriter()
    value.encode(to: &part)
    write(type, part.bytes)
  }

  public mutating func excess(_ bytes: [UInt8]) {
    extensionStart = writer.count
    writer.write(bytes)
  }

  /// The bytes written, once everything is. Throws `.tooLarge` for more than 65,535 of them.
  public consuming func finish() throws(WireError) -> [UInt8] {
    writeOthers { _ in true }
    guard !overflowed, writer.count <= Message.maximumByteCount else { throw .tooLarge }
    return writer.bytes
  }

  private mutating func write(count: Int) {
    if count > Int(UInt16.max) { overflowed = true }
    writer.write(UInt16(truncatingIfNeeded: count))
  }

  private mutating func writeOthers(while isBefore: (UInt64) -> Bool) {
    while nextOther < others.count, isBefore(others[nextOther].type) {
      write(others[nextOther].type, others[nextOther].value)
      nextOther += 1
    }
  }

  private mutating func write(_ type: UInt64, _ value: [UInt8]) {
    writer.writeBigSize(type)
    writer.writeBigSize(UInt64(value.count))
    writer.write(value)
  }
}
