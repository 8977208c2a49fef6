/// Appends values to a piece of the stack, for formats whose size has a bound that is known: nothing is allocated.
///
/// Integers are big-endian unless the name ends in `LE`. To write more than `capacity` bytes is an error of the program, and ends
/// it: what comes from outside must not decide how much is written.
@frozen public struct FixedByteWriter<let capacity: Int>: ~Copyable {
  @usableFromInline var storage = InlineArray<capacity, UInt8>(repeating: 0)
  @usableFromInline var position = 0

  @inlinable public init() {}

  @inlinable public var count: Int { position }

  /// What has been written.
  @inlinable public var bytes: RawSpan {
    @_addressableSelf @_lifetime(borrow self) get { unsafe storage.span.bytes.extracting(0..<position) }
  }

  /// What has been written, and zeros behind it.
  @inlinable public var padded: FixedBytes<capacity> { FixedBytes(storage) }

  @inlinable mutating func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
    var span = storage.mutableSpan
    var bytes = unsafe span.mutableBytes
    bytes.storeBytes(of: value, toByteOffset: position, as: T.self)
    position += MemoryLayout<T>.size
  }

  @inlinable public mutating func write(_ value: UInt8) { store(value) }
  @inlinable public mutating func writeLE(_ value: UInt32) { store(value.littleEndian) }
  @inlinable public mutating func writeLE(_ value: UInt64) { store(value.littleEndian) }

  @inlinable public mutating func write(_ value: Bytes32) {
    let words = value.bytes
    for offset in stride(from: 0, to: 32, by: 8) {
      store(unsafe words.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
  }

  @inlinable public mutating func write(_ span: RawSpan) {
    let end = position + span.byteCount
    precondition(end <= capacity)
    var target = storage.mutableSpan
    unsafe target.withUnsafeMutableBytes { target in
      unsafe span.withUnsafeBytes { source in
        unsafe UnsafeMutableRawBufferPointer(rebasing: target[position..<end]).copyMemory(from: source)
      }
    }
    position = end
  }

  /// Bitcoin's CompactSize, in its shortest form.
  @inlinable public mutating func writeCompactSize(_ value: Int) {
    switch UInt64(value) {
    case ..<0xfd: write(UInt8(truncatingIfNeeded: value))
    case ...0xffff:
      write(0xfd as UInt8)
      store(UInt16(truncatingIfNeeded: value).littleEndian)
    case ...0xffff_ffff:
      write(0xfe as UInt8)
      store(UInt32(truncatingIfNeeded: value).littleEndian)
    default:
      write(0xff as UInt8)
      store(UInt64(value).littleEndian)
    }
  }
}
