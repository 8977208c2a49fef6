// The three ways in which Bitcoin and Lightning write a number in as few bytes as it needs.

extension ByteReader {
  /// BOLT 1 `bigsize`: 1, 3, 5 or 9 bytes, big-endian. Throws `.notMinimal` for a longer form than needed.
  @inlinable @_lifetime(self: copy self)
  public mutating func readBigSize() throws(DecodingError) -> UInt64 {
    switch try readUInt8() {
    case 0xfd:
      let value = UInt64(try readUInt16())
      if value < 0xfd { throw .notMinimal }
      return value
    case 0xfe:
      let value = UInt64(try readUInt32())
      if value <= 0xffff { throw .notMinimal }
      return value
    case 0xff:
      let value = try readUInt64()
      if value <= 0xffff_ffff { throw .notMinimal }
      return value
    case let small: return UInt64(small)
    }
  }

  /// Bitcoin's CompactSize: as `bigsize`, little-endian. Throws `.notMinimal` for a longer form than needed.
  @inlinable @_lifetime(self: copy self)
  public mutating func readCompactSize() throws(DecodingError) -> UInt64 {
    switch try readUInt8() {
    case 0xfd:
      let value = UInt64(try readUInt16LE())
      if value < 0xfd { throw .notMinimal }
      return value
    case 0xfe:
      let value = UInt64(try readUInt32LE())
      if value <= 0xffff { throw .notMinimal }
      return value
    case 0xff:
      let value = try readUInt64LE()
      if value <= 0xffff_ffff { throw .notMinimal }
      return value
    case let small: return UInt64(small)
    }
  }

  /// A CompactSize that counts things of at least `minimumSize` bytes each: refused when that many cannot be left,
  /// so that a length from outside never decides how much memory is taken.
  @inlinable @_lifetime(self: copy self)
  public mutating func readCount(minimumSize: Int = 1) throws(DecodingError) -> Int {
    let count = try readCompactSize()
    guard count <= UInt64(remaining / max(minimumSize, 1)) else { throw .truncated }
    return Int(count)
  }

  /// Bytes preceded by their number as CompactSize.
  @inlinable @_lifetime(self: copy self) @_lifetime(copy self)
  public mutating func readCompactSizedBytes() throws(DecodingError) -> RawSpan {
    let count = try readCount()
    return try read(count: count)
  }

  /// BOLT 1 `tu16`, `tu32`, `tu64`: all remaining bytes are the number, without leading zeros; none means 0.
  @inlinable @_lifetime(self: copy self)
  mutating func readTruncated(maximum size: Int) throws(DecodingError) -> UInt64 {
    guard remaining <= size else { throw .tooLarge }
    if peekUInt8() == 0 { throw .notMinimal }
    var value: UInt64 = 0
    while !isAtEnd { value = value << 8 | UInt64(try readUInt8()) }
    return value
  }

  @inlinable @_lifetime(self: copy self)
  public mutating func readTU16() throws(DecodingError) -> UInt16 {
    UInt16(truncatingIfNeeded: try readTruncated(maximum: 2))
  }
  @inlinable @_lifetime(self: copy self)
  public mutating func readTU32() throws(DecodingError) -> UInt32 {
    UInt32(truncatingIfNeeded: try readTruncated(maximum: 4))
  }
  @inlinable @_lifetime(self: copy self)
  public mutating func readTU64() throws(DecodingError) -> UInt64 { try readTruncated(maximum: 8) }
}

extension ByteWriter {
  /// BOLT 1 `bigsize`, in its shortest form.
  @inlinable public mutating func writeBigSize(_ value: UInt64) {
    switch value {
    case ..<0xfd: write(UInt8(truncatingIfNeeded: value))
    case ...0xffff:
      write(0xfd as UInt8)
      write(UInt16(truncatingIfNeeded: value))
    case ...0xffff_ffff:
      write(0xfe as UInt8)
      write(UInt32(truncatingIfNeeded: value))
    default:
      write(0xff as UInt8)
      write(value)
    }
  }

  /// Bitcoin's CompactSize, in its shortest form.
  @inlinable public mutating func writeCompactSize(_ value: UInt64) {
    switch value {
    case ..<0xfd: write(UInt8(truncatingIfNeeded: value))
    case ...0xffff:
      write(0xfd as UInt8)
      writeLE(UInt16(truncatingIfNeeded: value))
    case ...0xffff_ffff:
      write(0xfe as UInt8)
      writeLE(UInt32(truncatingIfNeeded: value))
    default:
      write(0xff as UInt8)
      writeLE(value)
    }
  }

  @inlinable public mutating func writeCompactSize(_ value: Int) { writeCompactSize(UInt64(value)) }

  /// Bytes preceded by their number as CompactSize.
  @inlinable public mutating func writeCompactSized(_ span: RawSpan) {
    writeCompactSize(span.byteCount)
    write(span)
  }

  @inlinable public mutating func writeCompactSized(_ array: [UInt8]) { writeCompactSized(array.bytes) }

  /// BOLT 1 `tu16`, `tu32`, `tu64`: big-endian without leading zeros; 0 is no bytes at all.
  @inlinable public mutating func writeTruncated(_ value: UInt64) {
    var shift = 64 - value.leadingZeroBitCount
    shift = (shift + 7) / 8 * 8
    while shift > 0 {
      shift -= 8
      write(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
    }
  }
}

/// The number of bytes of a CompactSize (and of a `bigsize`).
@inlinable public func compactSizeLength(_ value: Int) -> Int {
  value < 0xfd ? 1 : value <= 0xffff ? 3 : value <= 0xffff_ffff ? 5 : 9
}
