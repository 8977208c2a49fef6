/// z-base-32, the alphabet of signed messages in Lightning nodes.
public enum ZBase32 {
  private static let alphabet = [UInt8]("ybndrfg8ejkmcpqxot1uwisza345h769".utf8)
  private static let values: [UInt8] = {
    var table = [UInt8](repeating: 0xff, count: 256)
    for (value, character) in alphabet.enumerated() { table[Int(character)] = UInt8(value) }
    return table
  }()

  public static func encode(_ bytes: RawSpan) -> String {
    let text = Bech32.fiveBit(from: bytes).map { alphabet[Int($0)] }
    return String(decoding: text, as: UTF8.self)
  }

  /// Strict: no more characters than the bytes need, unused bits zero.
  public static func decode(_ text: String) throws(DecodingError) -> [UInt8] {
    var fiveBit: [UInt8] = []
    for (offset, character) in text.utf8.enumerated() {
      let value = values[Int(character)]
      guard value != 0xff else { throw .invalidCharacter(at: offset) }
      fiveBit.append(value)
    }
    return try Bech32.bytes(fromFiveBit: fiveBit)
  }
}
