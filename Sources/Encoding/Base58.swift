/// Base58 as Bitcoin writes it. The checksummed form needs a hash and lives in `Bitcoin`.
public enum Base58 {
  private static let alphabet = [UInt8]("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".utf8)
  private static let values: [UInt8] = {
    var table = [UInt8](repeating: 0xff, count: 256)
    for (value, character) in alphabet.enumerated() { table[Int(character)] = UInt8(value) }
    return table
  }()

  public static func encode(_ bytes: RawSpan) -> String {
    var zeros = 0
    while zeros < bytes.byteCount, bytes[zeros] == 0 { zeros += 1 }
    var digits: [UInt8] = []  // little-endian, base 58
    for offset in zeros..<bytes.byteCount {
      var carry = Int(bytes[offset])
      for index in digits.indices {
        carry += Int(digits[index]) << 8
        digits[index] = UInt8(carry % 58)
        carry /= 58
      }
      while carry > 0 {
        digits.append(UInt8(carry % 58))
        carry /= 58
      }
    }
    var text = [UInt8](repeating: alphabet[0], count: zeros)
    for digit in digits.reversed() { text.append(alphabet[Int(digit)]) }
    return String(decoding: text, as: UTF8.self)
  }

  /// `maximumLength` bounds the text, since the work grows with its square.
  public static func decode(_ text: String, maximumLength: Int = 256) throws(DecodingError) -> [UInt8] {
    let characters = [UInt8](text.utf8)
    guard characters.count <= maximumLength else { throw .tooLarge }
    var zeros = 0
    while zeros < characters.count, characters[zeros] == alphabet[0] { zeros += 1 }
    var digits: [UInt8] = []  // little-endian, base 256
    for offset in zeros..<characters.count {
      let value = values[Int(characters[offset])]
      guard value != 0xff else { throw .invalidCharacter(at: offset) }
      var carry = Int(value)
      for index in digits.indices {
        carry += Int(digits[index]) * 58
        digits[index] = UInt8(carry & 0xff)
        carry >>= 8
      }
      while carry > 0 {
        digits.append(UInt8(carry & 0xff))
        carry >>= 8
      }
    }
    return [UInt8](repeating: 0, count: zeros) + digits.reversed()
  }
}
