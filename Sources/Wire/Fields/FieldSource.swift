public import Encoding

/// Where a message reads its fields from, in their order: bytes (`BinaryFieldSource`) or names (`NamedFieldSource`). A message names
/// each field once, and so its binary and its named form cannot come apart.
public protocol FieldSource: ~Escapable {
  /// A field of a type that knows its own size.
  @_lifetime(self: copy self)
  mutating func field<T: WireField>(_ name: FieldName, as type: T.Type) throws(WireError) -> T
  /// A field of the number of bytes that the 2-byte field `length` says. The value must take up all of them.
  @_lifetime(self: copy self)
  mutating func field<T: WireField>(_ name: FieldName, length: FieldName, as type: T.Type) throws(WireError) -> T
  /// Bytes, as many as the 2-byte field `length` says.
  @_lifetime(self: copy self)
  mutating func bytes(_ name: FieldName, length: FieldName) throws(WireError) -> [UInt8]
  /// Elements, as many as the 2-byte field `count` says.
  @_lifetime(self: copy self)
  mutating func list<T: WireListElement>(_ name: FieldName, count: FieldName, as type: T.Type) throws(WireError) -> [T]

  /// A record of the message's extension; nil when there is none. Asked for in increasing order of type, after all fields.
  @_lifetime(self: copy self)
  mutating func record<T: WireField>(_ type: UInt64, as: T.Type) throws(WireError) -> T?
  /// The records that were not asked for. The last thing to be read, by every message that has an extension.
  @_lifetime(self: copy self)
  mutating func otherRecords() throws(WireError) -> TLVStream
  /// Everything after the fields, unread: instead of records, for messages that are passed on and whose signatures cover whatever
  /// anybody appends to them.
  @_lifetime(self: copy self)
  mutating func excess() throws(WireError) -> [UInt8]
}

extension FieldSource where Self: ~Escapable {
  @_lifetime(self: copy self)
  mutating func field<T: WireField>(_ name: FieldName) throws(WireError) -> T { try field(name, as: T.self) }
  @_lifetime(self: copy self)
  mutating func field<T: WireField>(_ name: FieldName, length: FieldName) throws(WireError) -> T {
    try field(name, length: length, as: T.self)
  }
  @_lifetime(self: copy self)
  mutating func list<T: WireListElement>(_ name: FieldName, count: FieldName) throws(WireError) -> [T] {
    try list(name, count: count, as: T.self)
  }
  @_lifetime(self: copy self)
  mutating func record<T: WireField>(_ type: UInt64) throws(WireError) -> T? { try record(type, as: T.self) }

  /// A record without a value that says something by being there.
  @_lifetime(self: copy self)
  mutating func flag(_ type: UInt64) throws(WireError) -> Bool { try record(type, as: Nothing.self) != nil }
}

/// Where a message writes its fields to, in the order in which they are read.
public protocol FieldSink {
  mutating func field<T: WireField>(_ name: FieldName, _ value: T)
  mutating func field<T: WireField>(_ name: FieldName, length: FieldName, _ value: T)
  mutating func bytes(_ name: FieldName, length: FieldName, _ value: [UInt8])
  mutating func list<T: WireListElement>(_ name: FieldName, count: FieldName, _ value: [T])
  /// Begins the extension with the records that the message does not define; they are put in their places among the others.
  mutating func otherRecords(_ records: TLVStream)
  mutating func record<T: WireField>(_ type: UInt64, _ value: T?)
  mutating func excess(_ bytes: [UInt8])
}

extension FieldSink {
  mutating func flag(_ type: UInt64, _ value: Bool) { record(type, value ? Nothing() : nil) }
}

/// The value of a record that has none.
struct Nothing: WireField {
  init() {}
  @_lifetime(reader: copy reader)
  init(from reader: inout ByteReader) throws(DecodingError) {}
  func encode(to writer: inout ByteWriter) {}
}
