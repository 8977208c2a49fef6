public import Encoding

/// A number below 2²⁵⁶: targets, and the work that chains are compared by.
public struct UInt256: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Least significant first.
  var limbs: InlineArray<4, UInt64>

  public init() { limbs = InlineArray(repeating: 0) }

  public init(_ value: UInt64) {
    limbs = InlineArray(repeating: 0)
    limbs[0] = value
  }

  /// 32 bytes, least significant first: how a hash is compared to a target.
  public init(littleEndian bytes: Bytes32) {
    self.init()
    for index in 0..<32 { limbs[index / 8] |= UInt64(bytes[index]) << UInt64(8 * (index % 8)) }
  }

  public static func == (a: Self, b: Self) -> Bool { (0..<4).allSatisfy { a.limbs[$0] == b.limbs[$0] } }

  public static func < (a: Self, b: Self) -> Bool {
    for index in (0..<4).reversed() where a.limbs[index] != b.limbs[index] { return a.limbs[index] < b.limbs[index] }
    return false
  }

  public func hash(into hasher: inout Hasher) { for index in 0..<4 { hasher.combine(limbs[index]) } }

  public var isZero: Bool { self == UInt256() }

  /// How many bits the number needs; 0 for 0.
  public var bitWidth: Int {
    for index in (0..<4).reversed() where limbs[index] != 0 {
      return 64 * (index + 1) - limbs[index].leadingZeroBitCount
    }
    return 0
  }

  /// The sum, modulo 2²⁵⁶.
  public static func &+ (a: Self, b: Self) -> Self {
    var sum = UInt256()
    var carry: UInt64 = 0
    for index in 0..<4 {
      let (partial, first) = a.limbs[index].addingReportingOverflow(b.limbs[index])
      let (total, second) = partial.addingReportingOverflow(carry)
      sum.limbs[index] = total
      carry = first || second ? 1 : 0
    }
    return sum
  }

  /// The difference, modulo 2²⁵⁶.
  static func &- (a: Self, b: Self) -> Self { a &+ ~b &+ UInt256(1) }

  static prefix func ~ (a: Self) -> Self {
    var result = a
    for index in 0..<4 { result.limbs[index] = ~a.limbs[index] }
    return result
  }

  static func << (a: Self, shift: Int) -> Self {
    var result = UInt256()
    guard shift < 256 else { return result }
    let (whole, bits) = (shift / 64, UInt64(shift % 64))
    for index in (whole..<4).reversed() {
      result.limbs[index] = a.limbs[index - whole] << bits
      if bits > 0, index > whole { result.limbs[index] |= a.limbs[index - whole - 1] >> (64 - bits) }
    }
    return result
  }

  static func >> (a: Self, shift: Int) -> Self {
    var result = UInt256()
    guard shift < 256 else { return result }
    let (whole, bits) = (shift / 64, UInt64(shift % 64))
    for index in 0..<(4 - whole) {
      result.limbs[index] = a.limbs[index + whole] >> bits
      if bits > 0, index + whole + 1 < 4 { result.limbs[index] |= a.limbs[index + whole + 1] << (64 - bits) }
    }
    return result
  }

  /// The quotient, rounded down; nil for a divisor of 0.
  func divided(by divisor: UInt256) -> UInt256? {
    guard !divisor.isZero else { return nil }
    var quotient = UInt256()
    var rest = self
    var shift = bitWidth - divisor.bitWidth
    while shift >= 0 {
      let shifted = divisor << shift
      if rest >= shifted {
        rest = rest &- shifted
        quotient.limbs[shift / 64] |= 1 << UInt64(shift % 64)
      }
      shift -= 1
    }
    return quotient
  }

  /// Hex, most significant first, 64 digits.
  public var description: String {
    (0..<4).reversed().map { index in
      let digits = String(limbs[index], radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}

/// A target as a header writes it: an exponent to the base 256 and a mantissa of 23 bits and a sign.
public struct CompactTarget: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// The number; nil when it is negative or does not fit in 256 bits. A target of 0 is one that no hash meets.
  public var target: UInt256? {
    let exponent = Int(rawValue >> 24)
    var mantissa = rawValue & 0x7f_ffff
    if exponent < 3 { mantissa >>= UInt32(8 * (3 - exponent)) }
    guard mantissa != 0 else { return UInt256() }
    guard rawValue & 0x80_0000 == 0 else { return nil }
    if exponent <= 3 { return UInt256(UInt64(mantissa)) }
    let shift = 8 * (exponent - 3)
    guard 32 - mantissa.leadingZeroBitCount + shift <= 256 else { return nil }
    return UInt256(UInt64(mantissa)) << shift
  }

  /// Rounded down to what the form can hold.
  public init(_ target: UInt256) {
    var exponent = (target.bitWidth + 7) / 8
    var mantissa =
      exponent <= 3
      ? UInt32(truncatingIfNeeded: target.limbs[0] << UInt64(8 * (3 - exponent)))
      : UInt32(truncatingIfNeeded: (target >> (8 * (exponent - 3))).limbs[0])
    // The highest bit is the sign.
    if mantissa & 0x80_0000 != 0 {
      mantissa >>= 8
      exponent += 1
    }
    rawValue = UInt32(exponent) << 24 | mantissa & 0x7f_ffff
  }
}
