/// The eight characters behind `#` (BIP 380 §Checksum).
enum DescriptorChecksum {
  private static let inputs = [UInt8](
    ##"0123456789()[],'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#"\ "##.utf8)
  private static let outputs = [UInt8]("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)
  private static let values: [UInt8] = {
    var table = [UInt8](repeating: 0xff, count: 256)
    for (value, character) in inputs.enumerated() { table[Int(character)] = UInt8(value) }
    return table
  }()

  private struct Polynomial {
    var state: UInt64 = 1

    mutating func update(_ value: UInt8) {
      let top = state >> 35
      state = (state & 0x7_ffff_ffff) << 5 ^ UInt64(value)
      if top & 1 != 0 { state ^= 0xf5_dee5_1989 }
      if top & 2 != 0 { state ^= 0xa9_fdca_3312 }
      if top & 4 != 0 { state ^= 0x1b_ab10_e32d }
      if top & 8 != 0 { state ^= 0x37_06b1_677a }
      if top & 16 != 0 { state ^= 0x64_4d62_6ffd }
    }
  }

  /// Throws `.invalidCharacter`.
  static func of(_ text: some Collection<UInt8>) throws(DescriptorError) -> String {
    var polynomial = Polynomial()
    var groups: UInt8 = 0
    var pending = 0
    for (offset, character) in text.enumerated() {
      let value = values[Int(character)]
      guard value != 0xff else { throw .invalidCharacter(at: offset) }
      polynomial.update(value & 31)
      groups = groups * 3 + value >> 5
      pending += 1
      if pending == 3 {
        polynomial.update(groups)
        groups = 0
        pending = 0
      }
    }
    if pending > 0 { polynomial.update(groups) }
    for _ in 0..<8 { polynomial.update(0) }
    let sum = polynomial.state ^ 1
    let characters = (0..<8).map { outputs[Int(sum >> UInt64(5 * (7 - $0)) & 31)] }
    return String(decoding: characters, as: UTF8.self)
  }

  /// The expression in front of the checksum, which is checked when there is one.
  static func strip(_ text: [UInt8], isRequired: Bool) throws(DescriptorError) -> ArraySlice<UInt8> {
    guard let mark = text.firstIndex(of: 0x23) else {
      _ = try of(text)
      if isRequired { throw .missingChecksum }
      return text[...]
    }
    let checksum = text[(mark + 1)...]
    let expected = try of(text[..<mark])
    guard checksum.count == 8, !checksum.contains(0x23) else { throw .malformedChecksum }
    guard checksum.elementsEqual(expected.utf8) else { throw .checksumMismatch(expected: expected) }
    return text[..<mark]
  }
}
