/// Base64 with padding (RFC 4648 §4), the text form of a PSBT.
public enum Base64 {
  private static let alphabet = [UInt8]("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let values: [UInt8] = {
    var table = [UInt8](repeating: 0xff, count: 256)
    for (value, character) in alphabet.enumerated() { table[Int(character)] = UInt8(value) }
    return table
  }()
  private static let pad: UInt8 = 0x3d

  public static func encode(_ bytes: RawSpan) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.byteCount + 2) / 3 * 4)
    var offset = 0
    while offset < bytes.byteCount {
      let left = bytes.byteCount - offset
      var group = UInt32(bytes[offset]) << 16
      if left > 1 { group |= UInt32(bytes[offset + 1]) << 8 }
      if left > 2 { group |= UInt32(bytes[offset + 2]) }
      text.append(alphabet[Int(group >> 18)])
      text.append(alphabet[Int(group >> 12 & 63)])
      text.append(left > 1 ? alphabet[Int(group >> 6 & 63)] : pad)
      text.append(left > 2 ? alphabet[Int(group & 63)] : pad)
      offset += 3
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Strict: the length is a multiple of four, padding only at the end, unused bits zero, no white space.
  public static func decode(_ text: String) throws(DecodingError) -> [UInt8] {
    let characters = [UInt8](text.utf8)
    guard characters.count.isMultiple(of: 4) else { throw .truncated }
    var padding = 0
    while padding < 2, padding < characters.count, characters[characters.count - 1 - padding] == pad { padding += 1 }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(characters.count / 4 * 3)
    var group: UInt32 = 0
    for offset in 0..<(characters.count - padding) {
      let value = values[Int(characters[offset])]
      guard value != 0xff else { throw .invalidCharacter(at: offset) }
      group = group << 6 | UInt32(value)
      if offset % 4 == 3 {
        bytes.append(UInt8(truncatingIfNeeded: group >> 16))
        bytes.append(UInt8(truncatingIfNeeded: group >> 8))
        bytes.append(UInt8(truncatingIfNeeded: group))
        group = 0
      }
    }
    switch padding {
    case 1:
      guard group & 3 == 0 else { throw .malformed("unused bits are not zero") }
      bytes.append(UInt8(truncatingIfNeeded: group >> 10))
      bytes.append(UInt8(truncatingIfNeeded: group >> 2))
    case 2:
      guard group & 15 == 0 else { throw .malformed("unused bits are not zero") }
      bytes.append(UInt8(truncatingIfNeeded: group >> 4))
    default: break
    }
    return bytes
  }
}
