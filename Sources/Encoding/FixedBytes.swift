/// A value that is always the same number of bytes long: hashes, keys, signatures, identifiers.
public protocol FixedSizeBytes: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The number of bytes of every value of this type.
  static var byteCount: Int { get }
  /// The bytes, borrowed from this value.
  ///
  /// `@_addressableSelf`, here and on every getter of generic code that borrows from inline storage, is not decoration: without
  /// it the optimiser of Swift 6.3 passes a specialised `self` by value across modules, and the span outlives the copy that it
  /// points into (swiftlang/swift#90454). `FixedBytesTests` looks for that.
  var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get }
  /// Copies `bytes`. Throws `DecodingError.wrongLength` unless there are exactly `byteCount`.
  init(copying bytes: RawSpan) throws(DecodingError)
}

/// `count` bytes stored inline, without a heap allocation, compared eight bytes at a time.
@frozen public struct FixedBytes<let count: Int>: FixedSizeBytes {
  @usableFromInline var storage: InlineArray<count, UInt8>

  @inlinable public static var byteCount: Int { count }

  /// All bytes zero.
  @inlinable public init() { storage = InlineArray(repeating: 0) }

  @inlinable public init(copying bytes: RawSpan) throws(DecodingError) {
    guard bytes.byteCount == count else { throw .wrongLength(expected: count, actual: bytes.byteCount) }
    self.init()
    unsafe bytes.withUnsafeBytes { source in
      unsafe withMutableBytes { target in unsafe target.copyMemory(from: source) }
    }
  }

  /// Copies an array. Throws `DecodingError.wrongLength` unless it has exactly `byteCount` bytes.
  @inlinable public init(_ array: [UInt8]) throws(DecodingError) { try self.init(copying: array.bytes) }

  @inlinable public init(_ storage: InlineArray<count, UInt8>) { self.storage = storage }

  @inlinable public var bytes: RawSpan {
    @_addressableSelf @_lifetime(borrow self) get { unsafe storage.span.bytes }
  }

  @inlinable public subscript(index: Int) -> UInt8 {
    get { storage[index] }
    set { storage[index] = newValue }
  }

  /// Calls `body` with the bytes in place, for C functions that write their result there.
  @inlinable public mutating func withMutableBytes<R, E: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    var span = storage.mutableSpan
    return try unsafe span.withUnsafeMutableBytes { (buffer) throws(E) -> R in try unsafe body(buffer) }
  }

  @inlinable public static func == (a: Self, b: Self) -> Bool {
    let x = a.bytes
    let y = b.bytes
    var offset = 0
    while offset + 8 <= count {
      let left = unsafe x.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
      let right = unsafe y.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
      if left != right { return false }
      offset += 8
    }
    while offset < count {
      if a.storage[offset] != b.storage[offset] { return false }
      offset += 1
    }
    return true
  }

  /// Lexicographic order of the bytes.
  @inlinable public static func < (a: Self, b: Self) -> Bool {
    var offset = 0
    while offset < count {
      let left = a.storage[offset]
      let right = b.storage[offset]
      if left != right { return left < right }
      offset += 1
    }
    return false
  }

  /// Feeds every byte, eight at a time: whoever chooses keys or identifiers for us must not be able to choose their hashes.
  @inlinable public func hash(into hasher: inout Hasher) {
    let span = bytes
    var offset = 0
    while offset + 8 <= count {
      hasher.combine(unsafe span.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
      offset += 8
    }
    while offset < count {
      hasher.combine(storage[offset])
      offset += 1
    }
  }
}

public typealias Bytes20 = FixedBytes<20>
public typealias Bytes32 = FixedBytes<32>
public typealias Bytes33 = FixedBytes<33>
public typealias Bytes64 = FixedBytes<64>

/// A type of its own over fixed bytes, so that a payment hash cannot be passed for a transaction id.
///
///     public struct PaymentHash: TypedBytes {
///       public let raw: Bytes32
///       public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }
///       public init(_ raw: Bytes32) { self.raw = raw }
///     }
public protocol TypedBytes: FixedSizeBytes {
  associatedtype Raw: FixedSizeBytes
  var raw: Raw { get }
  init(_ raw: Raw)
}

extension TypedBytes {
  @inlinable public static var byteCount: Int { Raw.byteCount }
  @inlinable public init(copying bytes: RawSpan) throws(DecodingError) { self.init(try Raw(copying: bytes)) }
  @inlinable public static func == (a: Self, b: Self) -> Bool { a.raw == b.raw }
  @inlinable public static func < (a: Self, b: Self) -> Bool { a.raw < b.raw }
  @inlinable public func hash(into hasher: inout Hasher) { raw.hash(into: &hasher) }
}

extension FixedSizeBytes {
  /// The bytes as a new array.
  @inlinable public var array: [UInt8] { bytes.array }
  /// Lower-case hex, in the order of the bytes.
  public var hex: String { Hex.encode(bytes) }
  public var description: String { hex }
  /// Reads lower- or upper-case hex of exactly `byteCount` bytes.
  public init(hex: some StringProtocol) throws(DecodingError) {
    let decoded = try Hex.decode(hex)
    try self.init(copying: decoded.bytes)
  }
}
