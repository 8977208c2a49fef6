public import Encoding

/// A `features` bit field (BOLT 9): big-endian, bit 0 is the least significant bit of the last byte. Kept byte for byte, because
/// signatures cover it; two sets with the same bits are equal whatever zeros they begin with.
public struct FeatureSet: Sendable, WireField {
  public private(set) var bytes: [UInt8]

  public init() { bytes = [] }
  public init(bytes: [UInt8]) { self.bytes = bytes }

  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) { bytes = reader.readRest() }
  public func encode(to writer: inout ByteWriter) { writer.write(bytes) }

  /// The largest bit that fits into the largest field of a message.
  public static let maximumBit = 8 * 65535 - 1

  /// Whether a bit is set. Setting one that is below 0 or above `maximumBit` does nothing.
  public subscript(bit: Int) -> Bool {
    get {
      guard bit >= 0, bit / 8 < bytes.count else { return false }
      return bytes[bytes.count - 1 - bit / 8] >> UInt8(bit % 8) & 1 == 1
    }
    set {
      guard 0...Self.maximumBit ~= bit else { return }
      if bit / 8 >= bytes.count {
        guard newValue else { return }
        bytes.insert(contentsOf: repeatElement(0, count: bit / 8 + 1 - bytes.count), at: 0)
      }
      let mask: UInt8 = 1 << UInt8(bit % 8)
      if newValue { bytes[bytes.count - 1 - bit / 8] |= mask } else { bytes[bytes.count - 1 - bit / 8] &= ~mask }
    }
  }

  /// The bits that are set, in increasing order.
  public var bits: [Int] {
    var bits: [Int] = []
    for (index, byte) in bytes.reversed().enumerated() where byte != 0 {
      for bit in 0..<8 where byte >> UInt8(bit) & 1 == 1 { bits.append(8 * index + bit) }
    }
    return bits
  }

  /// The lowest even bit that is set.
  var lowestRequiredBit: Int? {
    for (index, byte) in bytes.reversed().enumerated() where byte & 0x55 != 0 {
      return 8 * index + (byte & 0x55).trailingZeroBitCount
    }
    return nil
  }

  public init(bits: some Sequence<Int>) {
    bytes = []
    for bit in bits { self[bit] = true }
  }

  public var isEmpty: Bool { bytes.allSatisfy { $0 == 0 } }

  /// The same set in as few bytes as it needs.
  public var minimal: FeatureSet { FeatureSet(bytes: Array(bytes.drop { $0 == 0 })) }
  public var isMinimal: Bool { bytes.first != 0 }

  /// BOLT 1 §The `init` Message: MUST combine (bitwise OR) the two feature bitmaps into one logical `features` map.
  public func union(_ other: FeatureSet) -> FeatureSet {
    var (long, short) = bytes.count < other.bytes.count ? (other, self) : (self, other)
    for index in 0..<short.bytes.count {
      long.bytes[long.bytes.count - 1 - index] |= short.bytes[short.bytes.count - 1 - index]
    }
    return long
  }
}

extension FeatureSet: Hashable {
  public static func == (a: Self, b: Self) -> Bool { a.bytes.drop { $0 == 0 } == b.bytes.drop { $0 == 0 } }
  public func hash(into hasher: inout Hasher) { hasher.combine(bytes.drop { $0 == 0 }) }
}

extension FeatureSet: CustomStringConvertible {
  /// Names where there are some, bits otherwise: `option_anchors:required option_quiesce:optional 4441`. At most 100 of them:
  /// peers may set half a million.
  public var description: String {
    let bits = bits
    let shown = bits.prefix(100).map { bit in
      guard let feature = Feature.named(bit: bit) else { return String(bit) }
      return "\(feature.name):\(bit.isMultiple(of: 2) ? "required" : "optional")"
    }
    return shown.joined(separator: " ") + (bits.count > 100 ? " and \(bits.count - 100) more" : "")
  }
}
