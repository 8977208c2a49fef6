/// Bech32 (BIP 173) and Bech32m (BIP 350), and the checksum-less form of BOLT 12.
public enum Bech32 {
  public enum Variant: Sendable, Hashable {
    case bech32
    case bech32m

    var constant: UInt32 { self == .bech32 ? 1 : 0x2bc8_30a3 }
  }

  /// Decoded text: the human-readable part in lower case, and the data as 5-bit values without the checksum.
  public struct Decoded: Hashable, Sendable {
    public var humanReadablePart: String
    public var data: [UInt8]
    public var variant: Variant
  }

  private static let alphabet = [UInt8]("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)
  private static let values: [UInt8] = {
    var table = [UInt8](repeating: 0xff, count: 128)
    for (value, character) in alphabet.enumerated() {
      table[Int(character)] = UInt8(value)
      if character > 0x60 { table[Int(character) - 32] = UInt8(value) }
    }
    return table
  }()

  private struct Checksum {
    var state: UInt32 = 1

    mutating func update(_ value: UInt8) {
      let top = state >> 25
      state = (state & 0x1ff_ffff) << 5 ^ UInt32(value)
      if top & 1 != 0 { state ^= 0x3b6a_57b2 }
      if top & 2 != 0 { state ^= 0x2650_8e6d }
      if top & 4 != 0 { state ^= 0x1ea1_19fa }
      if top & 8 != 0 { state ^= 0x3d42_33dd }
      if top & 16 != 0 { state ^= 0x2a14_62b3 }
    }

    mutating func update(humanReadablePart: [UInt8]) {
      for character in humanReadablePart { update(character >> 5) }
      update(0)
      for character in humanReadablePart { update(character & 31) }
    }
  }

  /// Decodes text with a checksum of either variant. `maximumLength` is 90 for addresses (BIP 173); BOLT 11 has none.
  public static func decode(_ text: String, maximumLength: Int? = 90) throws(DecodingError) -> Decoded {
    if let maximumLength, text.utf8.count > maximumLength { throw .tooLarge }
    let (prefix, values) = try split(text)
    guard values.count >= 6 else { throw .truncated }
    var checksum = Checksum()
    checksum.update(humanReadablePart: prefix)
    for value in values { checksum.update(value) }
    let variant: Variant
    switch checksum.state {
    case Variant.bech32.constant: variant = .bech32
    case Variant.bech32m.constant: variant = .bech32m
    default: throw .badChecksum
    }
    return Decoded(
      humanReadablePart: String(decoding: prefix, as: UTF8.self), data: Array(values.dropLast(6)), variant: variant)
  }

  /// Decodes text that carries no checksum (BOLT 12 §Encoding).
  public static func decodeWithoutChecksum(
    _ text: String
  ) throws(DecodingError) -> (humanReadablePart: String, data: [UInt8]) {
    let (prefix, values) = try split(text)
    return (String(decoding: prefix, as: UTF8.self), values)
  }

  /// Encodes 5-bit values (each below 32; higher bits are dropped).
  public static func encode(humanReadablePart: String, data: [UInt8], variant: Variant) -> String {
    let prefix = [UInt8](humanReadablePart.utf8)
    var checksum = Checksum()
    checksum.update(humanReadablePart: prefix)
    for value in data { checksum.update(value & 31) }
    for _ in 0..<6 { checksum.update(0) }
    let sum = checksum.state ^ variant.constant
    var text = prefix
    text.append(0x31)
    for value in data { text.append(alphabet[Int(value & 31)]) }
    for index in 0..<6 { text.append(alphabet[Int(sum >> UInt32(5 * (5 - index)) & 31)]) }
    return String(decoding: text, as: UTF8.self)
  }

  /// Encodes 5-bit values without a checksum (BOLT 12 §Encoding).
  public static func encodeWithoutChecksum(humanReadablePart: String, data: [UInt8]) -> String {
    var text = [UInt8](humanReadablePart.utf8)
    text.append(0x31)
    for value in data { text.append(alphabet[Int(value & 31)]) }
    return String(decoding: text, as: UTF8.self)
  }

  private static func split(_ text: String) throws(DecodingError) -> (prefix: [UInt8], values: [UInt8]) {
    var characters = [UInt8](text.utf8)
    var hasLower = false
    var hasUpper = false
    for (offset, character) in characters.enumerated() {
      guard 33...126 ~= character else { throw .invalidCharacter(at: offset) }
      if 0x61...0x7a ~= character { hasLower = true }
      if 0x41...0x5a ~= character {
        hasUpper = true
        characters[offset] = character + 32
      }
    }
    if hasLower && hasUpper { throw .malformed("upper and lower case are mixed") }
    guard let separator = characters.lastIndex(of: 0x31) else { throw .malformed("no separator '1'") }
    guard separator > 0 else { throw .malformed("the human-readable part is empty") }
    var values: [UInt8] = []
    values.reserveCapacity(characters.count - separator - 1)
    for offset in (separator + 1)..<characters.count {
      let value = Self.values[Int(characters[offset] & 127)]
      guard value != 0xff else { throw .invalidCharacter(at: offset) }
      values.append(value)
    }
    return (Array(characters[..<separator]), values)
  }

  /// Regroups 5-bit values into bytes. Throws `.malformed` when the padding is longer than 4 bits or not zero.
  public static func bytes(fromFiveBit values: [UInt8]) throws(DecodingError) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(values.count * 5 / 8)
    var accumulator: UInt32 = 0
    var bits: UInt32 = 0
    for value in values {
      accumulator = (accumulator << 5 | UInt32(value & 31)) & 0xfff
      bits += 5
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(truncatingIfNeeded: accumulator >> bits))
      }
    }
    guard bits < 5 else { throw .malformed("padding of five bits or more") }
    guard accumulator & (1 << bits - 1) == 0 else { throw .malformed("padding is not zero") }
    return bytes
  }

  /// Regroups bytes into 5-bit values, padded with zero bits.
  public static func fiveBit(from bytes: RawSpan) -> [UInt8] {
    var values: [UInt8] = []
    values.reserveCapacity((bytes.byteCount * 8 + 4) / 5)
    var accumulator: UInt32 = 0
    var bits: UInt32 = 0
    for offset in 0..<bytes.byteCount {
      accumulator = (accumulator << 8 | UInt32(bytes[offset])) & 0xfff
      bits += 8
      while bits >= 5 {
        bits -= 5
        values.append(UInt8(truncatingIfNeeded: accumulator >> bits & 31))
      }
    }
    if bits > 0 { values.append(UInt8(truncatingIfNeeded: accumulator << (5 - bits) & 31)) }
    return values
  }
}
