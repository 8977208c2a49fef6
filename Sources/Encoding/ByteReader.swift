/// Reads values from borrowed bytes, front to back. Every read is checked; a failed read leaves the position unspecified.
///
/// Integers are big-endian unless the name ends in `LE`: Lightning writes the former, Bitcoin the latter.
@frozen public struct ByteReader: ~Escapable {
  @usableFromInline let span: RawSpan
  @usableFromInline var position: Int

  @inlinable @_lifetime(copy span) public init(_ span: RawSpan) {
    self.span = span
    position = 0
  }

  /// How many bytes have been read.
  @inlinable public var offset: Int { position }
  /// How many bytes are left.
  @inlinable public var remaining: Int { span.byteCount - position }
  @inlinable public var isAtEnd: Bool { remaining == 0 }

  /// Throws `DecodingError.trailingBytes` unless everything has been read.
  @inlinable public func finish() throws(DecodingError) {
    if remaining != 0 { throw .trailingBytes(remaining) }
  }

  /// The next `count` bytes, borrowed from the input.
  @inlinable @_lifetime(self: copy self) @_lifetime(copy self)
  public mutating func read(count: Int) throws(DecodingError) -> RawSpan {
    guard count >= 0, count <= remaining else { throw .truncated }
    let start = position
    position += count
    return unsafe span.extracting(unchecked: start..<position)
  }

  /// The next `count` bytes, copied.
  @inlinable @_lifetime(self: copy self)
  public mutating func readArray(count: Int) throws(DecodingError) -> [UInt8] { try read(count: count).array }

  /// All the bytes that are left, copied.
  @inlinable @_lifetime(self: copy self)
  public mutating func readRest() -> [UInt8] {
    let start = position
    position = span.byteCount
    return unsafe span.extracting(unchecked: start..<position).array
  }

  /// Skips `count` bytes.
  @inlinable @_lifetime(self: copy self)
  public mutating func skip(_ count: Int) throws(DecodingError) {
    guard count >= 0, count <= remaining else { throw .truncated }
    position += count
  }

  /// A hash, key or identifier of fixed size.
  @inlinable @_lifetime(self: copy self)
  public mutating func read<T: FixedSizeBytes>(_ type: T.Type = T.self) throws(DecodingError) -> T {
    try T(copying: read(count: T.byteCount))
  }

  @inlinable @_lifetime(self: copy self)
  mutating func load<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) throws(DecodingError) -> T {
    let size = MemoryLayout<T>.size
    guard size <= remaining else { throw .truncated }
    defer { position += size }
    return unsafe span.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: T.self)
  }

  @inlinable @_lifetime(self: copy self)
  public mutating func readUInt8() throws(DecodingError) -> UInt8 { try load(UInt8.self) }
  @inlinable @_lifetime(self: copy self)
  public mutating func readUInt16() throws(DecodingError) -> UInt16 { UInt16(bigEndian: try load(UInt16.self)) }
  @inlinable @_lifetime(self: copy self)
  public mutating func readUInt32() throws(DecodingError) -> UInt32 { UInt32(bigEndian: try load(UInt32.self)) }
  @inlinable @_lifetime(self: copy self)
  public mutating func readUInt64() throws(DecodingError) -> UInt64 { UInt64(bigEndian: try load(UInt64.self)) }
  @inlinable @_lifetime(self: copy self)
  public mutating func readUInt16LE() throws(DecodingError) -> UInt16 { UInt16(littleEndian: try load(UInt16.self)) }
  @inlinable @_lifetime(self: copy self)
  public mutating func readUInt32LE() throws(DecodingError) -> UInt32 { UInt32(littleEndian: try load(UInt32.self)) }
  @inlinable @_lifetime(self: copy self)
  public mutating func readUInt64LE() throws(DecodingError) -> UInt64 { UInt64(littleEndian: try load(UInt64.self)) }

  /// The next byte, without consuming it; nil at the end.
  @inlinable public func peekUInt8() -> UInt8? {
    isAtEnd ? nil : unsafe span.unsafeLoad(fromUncheckedByteOffset: position, as: UInt8.self)
  }
}
