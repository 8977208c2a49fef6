/// Appends values to a growing buffer.
///
/// Integers are big-endian unless the name ends in `LE`: Lightning writes the former, Bitcoin the latter.
@frozen public struct ByteWriter: Sendable {
  /// What has been written.
  public var bytes: [UInt8]

  @inlinable public init(reservingCapacity capacity: Int = 0) {
    bytes = []
    if capacity > 0 { bytes.reserveCapacity(capacity) }
  }

  @inlinable public var count: Int { bytes.count }

  @inlinable public mutating func write(_ span: RawSpan) {
    unsafe span.withUnsafeBytes { buffer in unsafe bytes.append(contentsOf: buffer) }
  }
  @inlinable public mutating func write(_ array: [UInt8]) { bytes.append(contentsOf: array) }
  @inlinable public mutating func write(_ value: some FixedSizeBytes) { write(value.bytes) }
  @inlinable public mutating func write(zeros count: Int) { bytes.append(contentsOf: repeatElement(0, count: count)) }

  @inlinable mutating func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
    unsafe withUnsafeBytes(of: value) { buffer in unsafe bytes.append(contentsOf: buffer) }
  }

  @inlinable public mutating func write(_ value: UInt8) { bytes.append(value) }
  @inlinable public mutating func write(_ value: UInt16) { store(value.bigEndian) }
  @inlinable public mutating func write(_ value: UInt32) { store(value.bigEndian) }
  @inlinable public mutating func write(_ value: UInt64) { store(value.bigEndian) }
  @inlinable public mutating func writeLE(_ value: UInt16) { store(value.littleEndian) }
  @inlinable public mutating func writeLE(_ value: UInt32) { store(value.littleEndian) }
  @inlinable public mutating func writeLE(_ value: UInt64) { store(value.littleEndian) }
}
