/// Why bytes or text could not be read. Reading never traps: whatever comes from outside ends here at worst.
public enum DecodingError: Error, Hashable, Sendable {
  /// The input ended before the value did.
  case truncated
  /// Bytes were left over after a value that must fill its input.
  case trailingBytes(Int)
  /// A fixed-size value got another number of bytes.
  case wrongLength(expected: Int, actual: Int)
  /// A number, length or type was not written in its shortest form.
  case notMinimal
  /// A length or count is larger than its format allows.
  case tooLarge
  /// TLV records are not in strictly increasing order of type (BOLT 1 §Type-Length-Value Format).
  case tlvOutOfOrder(type: UInt64)
  /// A TLV record of an even type that the reader does not know.
  case unknownEvenType(UInt64)
  /// A character outside the alphabet, at this offset.
  case invalidCharacter(at: Int)
  /// The text's checksum does not match.
  case badChecksum
  /// Anything else that the format forbids, in the format's own terms.
  case malformed(StaticReason)
}

/// A reason known at compile time: making the error allocates nothing.
public struct StaticReason: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
  @usableFromInline let text: StaticString

  @inlinable public init(stringLiteral value: StaticString) { text = value }
  public var description: String { text.description }
  public static func == (a: Self, b: Self) -> Bool { a.description == b.description }
  public func hash(into hasher: inout Hasher) { hasher.combine(description) }
}

extension DecodingError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .truncated: "the input ends too early"
    case .trailingBytes(let count): "\(count) bytes left over"
    case .wrongLength(let expected, let actual): "expected \(expected) bytes, got \(actual)"
    case .notMinimal: "not encoded in the shortest form"
    case .tooLarge: "larger than the format allows"
    case .tlvOutOfOrder(let type): "TLV type \(type) is out of order or repeated"
    case .unknownEvenType(let type): "unknown even TLV type \(type)"
    case .invalidCharacter(let offset): "invalid character at offset \(offset)"
    case .badChecksum: "checksum mismatch"
    case .malformed(let reason): reason.description
    }
  }
}
