/// What makes one path better than another, in millisatoshi.
public struct PathCosts: Hashable, Sendable {
  /// For locking up money: billionths of the amount for each block. 15 make some 0.8 thousandths in a year.
  public var lockedBillionthsPerBlock: UInt64 = 15
  /// What an attempt that fails costs us in time and patience: this and `attemptMillionths` of the amount, for each unit of improbability
  /// (the natural logarithm of 1 / probability).
  public var attemptMsat: UInt64 = 100_000
  public var attemptMillionths: UInt64 = 1_000
  /// The improbability that every hop has, in thousandths.
  public var hopThousandths: UInt64 = 20
  /// The improbability of a hop about which nothing is known, such as an invoice's hint, in thousandths.
  public var unknownThousandths: UInt64 = 100

  public init() {}
}

/// The natural logarithm of a positive, finite number, to about five digits.
func logarithm(_ x: Double) -> Double {
  // x = 2^e · m with m from 1 to 2; ln m = 2 · artanh((m − 1) / (m + 1)), whose series needs few terms there.
  let m = x.significand
  let t = (m - 1) / (m + 1)
  let square = t * t
  let series = t * (1 + square * (1 / 3.0 + square * (1 / 5.0 + square * (1 / 7.0 + square / 9.0))))
  return Double(x.exponent) * 0.693147180559945309 + 2 * series
}
