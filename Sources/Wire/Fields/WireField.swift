public import Bitcoin
public import Encoding
public import Secp256k1

/// A value that can be a field of a message or the value of a TLV record, in bytes and in a named form.
public protocol WireField: Sendable {
  /// No value of this type is written in fewer bytes.
  static var minimumByteCount: Int { get }
  /// Reads the value. A type whose size is not fixed reads everything that is left: it stands in a field or record that says how long
  /// it is.
  @_lifetime(reader: copy reader)
  init(from reader: inout ByteReader) throws(DecodingError)
  func encode(to writer: inout ByteWriter)
  /// The form under which a field appears beside its name.
  var fieldValue: FieldValue { get }
  /// Throws `.malformed` when the value is of another kind or out of range.
  init(fieldValue: FieldValue) throws(DecodingError)
}

/// A field of which there can be a list. Lists of bytes are no lists: see `FieldSource.bytes`.
public protocol WireListElement: WireField {}

extension WireField {
  public static var minimumByteCount: Int { 0 }

  /// Unless a type says otherwise it is shown as its bytes.
  public var fieldValue: FieldValue {
    var writer = ByteWriter()
    encode(to: &writer)
    return .bytes(writer.bytes)
  }

  public init(fieldValue: FieldValue) throws(DecodingError) {
    let bytes = try fieldValue.bytesValue
    var reader = ByteReader(bytes.bytes)
    self = try Self(from: &reader)
    try reader.finish()
  }
}

// MARK: Integers

/// Big-endian integers, as BOLT 1 §Fundamental Types has them.
extension WireField where Self: FixedWidthInteger {
  public var fieldValue: FieldValue {
    Self.isSigned ? .signed(Int64(truncatingIfNeeded: self)) : .unsigned(UInt64(truncatingIfNeeded: self))
  }

  public init(fieldValue: FieldValue) throws(DecodingError) {
    let value: Self? =
      switch fieldValue {
      case .unsigned(let value): Self(exactly: value)
      case .signed(let value): Self(exactly: value)
      default: nil
      }
    guard let value else { throw .malformed("not an integer in the field's range") }
    self = value
  }
}

extension UInt8: WireField {
  public static var minimumByteCount: Int { 1 }
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) { self = try reader.readUInt8() }
  public func encode(to writer: inout ByteWriter) { writer.write(self) }
}

extension UInt16: WireField {
  public static var minimumByteCount: Int { 2 }
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) { self = try reader.readUInt16() }
  public func encode(to writer: inout ByteWriter) { writer.write(self) }
}

extension UInt32: WireField {
  public static var minimumByteCount: Int { 4 }
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) { self = try reader.readUInt32() }
  public func encode(to writer: inout ByteWriter) { writer.write(self) }
}

extension UInt64: WireField {
  public static var minimumByteCount: Int { 8 }
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) { self = try reader.readUInt64() }
  public func encode(to writer: inout ByteWriter) { writer.write(self) }
}

extension Int8: WireField {
  public static var minimumByteCount: Int { 1 }
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) { self = Int8(bitPattern: try reader.readUInt8()) }
  public func encode(to writer: inout ByteWriter) { writer.write(UInt8(bitPattern: self)) }
}

extension Int16: WireField {
  public static var minimumByteCount: Int { 2 }
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) { self = Int16(bitPattern: try reader.readUInt16()) }
  public func encode(to writer: inout ByteWriter) { writer.write(UInt16(bitPattern: self)) }
}

extension Int32: WireField {
  public static var minimumByteCount: Int { 4 }
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) { self = Int32(bitPattern: try reader.readUInt32()) }
  public func encode(to writer: inout ByteWriter) { writer.write(UInt32(bitPattern: self)) }
}

extension Int64: WireField {
  public static var minimumByteCount: Int { 8 }
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) { self = Int64(bitPattern: try reader.readUInt64()) }
  public func encode(to writer: inout ByteWriter) { writer.write(UInt64(bitPattern: self)) }
}

// MARK: Numbers and bytes with a type of their own

/// A type over one integer that is written like it.
protocol WireNumber: WireField {
  associatedtype Raw: WireField
  var wireNumber: Raw { get }
  init(wireNumber: Raw)
}

extension WireNumber {
  public static var minimumByteCount: Int { Raw.minimumByteCount }
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) { self.init(wireNumber: try Raw(from: &reader)) }
  public func encode(to writer: inout ByteWriter) { wireNumber.encode(to: &writer) }
  public var fieldValue: FieldValue { wireNumber.fieldValue }
  public init(fieldValue: FieldValue) throws(DecodingError) {
    self.init(wireNumber: try Raw(fieldValue: fieldValue))
  }
}

extension Satoshi: WireNumber {
  var wireNumber: UInt64 { rawValue }
  init(wireNumber: UInt64) { self.init(wireNumber) }
}

extension MilliSatoshi: WireNumber {
  var wireNumber: UInt64 { rawValue }
  init(wireNumber: UInt64) { self.init(wireNumber) }
}

extension FeeRate: WireNumber {
  var wireNumber: UInt32 { satPerKiloWeight }
  init(wireNumber: UInt32) { self.init(satPerKiloWeight: wireNumber) }
}

extension WireField where Self: FixedSizeBytes {
  public static var minimumByteCount: Int { byteCount }
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) { self = try reader.read(Self.self) }
  public func encode(to writer: inout ByteWriter) { writer.write(self) }
  public var fieldValue: FieldValue { .bytes(array) }
}

extension FixedBytes: WireField, WireListElement {}
/// Every `point` on the wire must be one: reading anything else fails.
extension PublicKey: WireField, WireListElement {}

extension TxID: WireField, WireListElement {
  /// In display order, as people write transaction ids.
  public var fieldValue: FieldValue { .text(description) }

  public init(fieldValue: FieldValue) throws(DecodingError) {
    guard case .text(let text) = fieldValue else { throw .malformed("not a transaction id") }
    try self.init(display: text)
  }
}

extension Script: WireField {
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) { self.init(reader.readRest()) }
  public func encode(to writer: inout ByteWriter) { writer.write(bytes) }
}

// MARK: Lists

/// As many elements as there are bytes for.
extension Array: WireField where Element: WireListElement {
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) {
    self = []
    while !reader.isAtEnd {
      let left = reader.remaining
      append(try Element(from: &reader))
      guard reader.remaining < left else { throw .malformed("an element without bytes") }
    }
  }

  public func encode(to writer: inout ByteWriter) {
    for element in self { element.encode(to: &writer) }
  }

  public var fieldValue: FieldValue { .list(map(\.fieldValue)) }

  public init(fieldValue: FieldValue) throws(DecodingError) {
    guard case .list(let values) = fieldValue else { throw .malformed("not a list") }
    self = []
    reserveCapacity(values.count)
    for value in values { append(try Element(fieldValue: value)) }
  }
}
