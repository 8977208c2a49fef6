extension Array where Element == UInt8 {
  /// The elements as raw bytes, borrowed from this array.
  @inlinable public var bytes: RawSpan {
    @_lifetime(borrow self) get { unsafe span.bytes }
  }
}

extension ArraySlice where Element == UInt8 {
  /// The elements as raw bytes, borrowed from this slice.
  @inlinable public var bytes: RawSpan {
    @_lifetime(borrow self) get { unsafe span.bytes }
  }
}

extension InlineArray where Element == UInt8 {
  /// The elements as raw bytes, borrowed from this array.
  @inlinable public var bytes: RawSpan {
    @_addressableSelf @_lifetime(borrow self) get { unsafe span.bytes }
  }
}

extension RawSpan {
  /// A copy of the bytes.
  @inlinable public var array: [UInt8] {
    unsafe withUnsafeBytes { buffer in unsafe [UInt8](buffer) }
  }

  /// The byte at `offset`. The offset must be in bounds, as with an array.
  @inlinable public subscript(offset: Int) -> UInt8 {
    unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
  }

  /// Whether both hold the same bytes. Not in constant time: see `constantTimeEquals`.
  @inlinable public func elementsEqual(_ other: RawSpan) -> Bool {
    guard byteCount == other.byteCount else { return false }
    var offset = 0
    while offset <= byteCount - 8 {
      let left = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
      let right = unsafe other.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
      if left != right { return false }
      offset += 8
    }
    while offset < byteCount {
      if self[offset] != other[offset] { return false }
      offset += 1
    }
    return true
  }

  /// Whether both hold the same bytes, in a time that depends on the length only. For MACs and secrets.
  @inlinable public func constantTimeEquals(_ other: RawSpan) -> Bool {
    guard byteCount == other.byteCount else { return false }
    var difference: UInt8 = 0
    for offset in 0..<byteCount { difference |= self[offset] ^ other[offset] }
    return difference == 0
  }
}
