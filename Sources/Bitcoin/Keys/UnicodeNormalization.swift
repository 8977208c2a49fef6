/// Unicode's normalization form KD, which BIP 39 hashes. The standard library compares strings by canonical equivalence, but has no
/// public way to decompose one.
package enum UnicodeNormalization {
  /// The text in NFKD (UAX #15): every scalar replaced by its full compatibility decomposition, then combining marks in canonical
  /// order.
  package static func nfkd(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
    var result = String.UnicodeScalarView()
    // Scalars of a nonzero combining class since the last starter, to be sorted by class, equals in their order.
    var marks: [(scalar: Unicode.Scalar, combiningClass: UInt8, order: Int)] = []
    func flush() {
      if marks.count > 1 { marks.sort { ($0.combiningClass, $0.order) < ($1.combiningClass, $1.order) } }
      for mark in marks { result.append(mark.scalar) }
      marks.removeAll(keepingCapacity: true)
    }
    func append(_ scalar: Unicode.Scalar) {
      let combiningClass = scalar.value < 0x300 ? 0 : classes[scalar.value] ?? 0
      if combiningClass == 0 {
        flush()
        result.append(scalar)
      } else {
        marks.append((scalar, combiningClass, marks.count))
      }
    }
    for scalar in text.unicodeScalars {
      if let syllable = hangul(scalar.value) {
        for part in syllable { append(part) }
      } else if scalar.value >= 0x80, let decomposition = table[scalar.value] {
        for part in decomposition { append(part) }
      } else {
        append(scalar)
      }
    }
    flush()
    return String(result)
  }

  /// The Unicode Standard §3.12, Hangul Syllable Decomposition.
  private static func hangul(_ value: UInt32) -> [Unicode.Scalar]? {
    guard 0xac00...0xd7a3 ~= value else { return nil }
    let index = value - 0xac00
    let parts = [0x1100 + index / 588, 0x1161 + index % 588 / 28, 0x11a7 + index % 28]
    return (index % 28 == 0 ? Array(parts.prefix(2)) : parts).compactMap(Unicode.Scalar.init)
  }

  /// Reads the numbers of the generated tables.
  private struct Unpacker {
    let packed: [UInt8]
    var position = 0

    init(_ text: StaticString) { packed = [UInt8](text.description.utf8) }

    var isAtEnd: Bool { position >= packed.count }

    mutating func number() -> Int {
      var value = 0
      var shift = 0
      while position < packed.count {
        let digit = Self.digits[Int(packed[position] & 0x7f)]
        position += 1
        value |= (digit & 31) << shift
        shift += 5
        if digit < 32 { break }
      }
      return value
    }

    mutating func signed() -> Int {
      let value = number()
      return value & 1 == 0 ? value >> 1 : -((value + 1) >> 1)
    }

    private static let digits: [Int] = {
      var digits = [Int](repeating: 0, count: 128)
      let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
      for (value, character) in alphabet.utf8.enumerated() { digits[Int(character)] = value }
      return digits
    }()
  }

  private static let table: [UInt32: [Unicode.Scalar]] = {
    var unpacker = Unpacker(compatibilityDecompositions)
    var table: [UInt32: [Unicode.Scalar]] = [:]
    table.reserveCapacity(6_000)
    var code = 0
    var last: [Int] = []
    while !unpacker.isAtEnd {
      code += unpacker.number()
      var decomposition: [Int] = []
      for index in 0..<unpacker.number() {
        let base = index < last.count ? last[index] : decomposition.last ?? 0
        decomposition.append(base + unpacker.signed())
      }
      table[UInt32(code)] = decomposition.compactMap { Unicode.Scalar(UInt32($0)) }
      last = decomposition
    }
    return table
  }()

  /// Our own table and not the standard library's: a seed must not depend on the Unicode version of the machine.
  private static let classes: [UInt32: UInt8] = {
    var unpacker = Unpacker(combiningClasses)
    var classes: [UInt32: UInt8] = [:]
    var code = 0
    while !unpacker.isAtEnd {
      code += unpacker.number()
      let length = unpacker.number()
      let combiningClass = UInt8(truncatingIfNeeded: unpacker.number())
      for _ in 0..<length {
        classes[UInt32(code)] = combiningClass
        code += 1
      }
    }
    return classes
  }()
}
