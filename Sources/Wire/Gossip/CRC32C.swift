internal import Encoding

/// CRC32C, the Castagnoli polynomial, as RFC 3720 §B.4 has it.
public struct CRC32C: Sendable {
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82f6_3b78 : value >> 1 }
  }

  private var state: UInt32 = 0xffff_ffff

  public init() {}

  public mutating func update(_ bytes: RawSpan) {
    let table = Self.table
    for offset in 0..<bytes.byteCount {
      state = state >> 8 ^ table[Int((state ^ UInt32(bytes[offset])) & 0xff)]
    }
  }

  public var value: UInt32 { ~state }
}
