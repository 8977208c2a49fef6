/// Hexadecimal text.
public enum Hex {
  /// Lower-case hex, two characters a byte.
  public static func encode(_ bytes: RawSpan) -> String {
    let digits: InlineArray<16, UInt8> = [
      0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66,
    ]
    var text: [UInt8] = []
    text.reserveCapacity(bytes.byteCount * 2)
    for offset in 0..<bytes.byteCount {
      let byte = bytes[offset]
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  public static func encode(_ bytes: [UInt8]) -> String { encode(bytes.bytes) }

  /// The bytes of lower- or upper-case hex without prefix or white space.
  /// Throws `.invalidCharacter`, or `.truncated` for an odd number of digits.
  public static func decode(_ text: some StringProtocol) throws(DecodingError) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count / 2)
    var high: UInt8?
    var offset = 0
    for character in text.utf8 {
      guard let digit = value(of: character) else { throw .invalidCharacter(at: offset) }
      if let pending = high {
        bytes.append(pending << 4 | digit)
        high = nil
      } else {
        high = digit
      }
      offset += 1
    }
    if high != nil { throw .truncated }
    return bytes
  }

  @inlinable static func value(of character: UInt8) -> UInt8? {
    switch character {
    case 0x30...0x39: character - 0x30
    case 0x61...0x66: character - 0x61 + 10
    case 0x41...0x46: character - 0x41 + 10
    default: nil
    }
  }
}
