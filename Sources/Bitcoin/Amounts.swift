/// An amount in satoshi, 10⁻⁸ BTC. Any 64-bit value can be held, because any can stand in a transaction from outside; sums and
/// differences that leave the range are nil, never wrapped. Not interchangeable with `MilliSatoshi`.
public struct Satoshi: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let rawValue: UInt64

  @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }

  public static let zero = Satoshi(0)
  /// 21 million BTC: Bitcoin Core's MAX_MONEY.
  public static let maxMoney = Satoshi(2_100_000_000_000_000)
  /// 1 BTC.
  public static let oneBitcoin = Satoshi(100_000_000)

  /// From 0 to 21 million BTC.
  @inlinable public var isInMoneyRange: Bool { rawValue <= Self.maxMoney.rawValue }

  @inlinable public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

  /// The sum; nil when it does not fit.
  @inlinable public func adding(_ other: Satoshi) -> Satoshi? {
    let (sum, overflow) = rawValue.addingReportingOverflow(other.rawValue)
    return overflow ? nil : Satoshi(sum)
  }

  /// The difference; nil when it would be negative.
  @inlinable public func subtracting(_ other: Satoshi) -> Satoshi? {
    rawValue < other.rawValue ? nil : Satoshi(rawValue &- other.rawValue)
  }

  /// The same amount in millisatoshi; nil when it does not fit.
  @inlinable public var milliSatoshi: MilliSatoshi? {
    let (product, overflow) = rawValue.multipliedReportingOverflow(by: 1000)
    return overflow ? nil : MilliSatoshi(product)
  }

  public var description: String { "\(rawValue) sat" }
}

/// An amount in millisatoshi, 10⁻¹¹ BTC, as Lightning counts. Checked like `Satoshi`.
public struct MilliSatoshi: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let rawValue: UInt64

  @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }

  public static let zero = MilliSatoshi(0)

  @inlinable public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

  /// The sum; nil when it does not fit.
  @inlinable public func adding(_ other: MilliSatoshi) -> MilliSatoshi? {
    let (sum, overflow) = rawValue.addingReportingOverflow(other.rawValue)
    return overflow ? nil : MilliSatoshi(sum)
  }

  /// The difference; nil when it would be negative.
  @inlinable public func subtracting(_ other: MilliSatoshi) -> MilliSatoshi? {
    rawValue < other.rawValue ? nil : MilliSatoshi(rawValue &- other.rawValue)
  }

  /// Whole satoshis, rounded down, as BOLT 3 does for outputs.
  @inlinable public var satoshiRoundedDown: Satoshi { Satoshi(rawValue / 1000) }

  public var description: String { "\(rawValue) msat" }
}

/// The weight of a transaction or a part of it, in weight units (BIP 141): four for a byte outside the witness, one inside.
public struct Weight: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let rawValue: UInt64

  @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }

  @inlinable public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

  /// Virtual size in vbytes: a quarter, rounded up (BIP 141).
  @inlinable public var virtualSize: UInt64 { rawValue / 4 + (rawValue % 4 == 0 ? 0 : 1) }

  public var description: String { "\(rawValue) WU" }
}

/// A fee rate in satoshi per 1000 weight units: Lightning's `feerate_per_kw`.
public struct FeeRate: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let satPerKiloWeight: UInt32

  @inlinable public init(satPerKiloWeight: UInt32) { self.satPerKiloWeight = satPerKiloWeight }

  /// BOLT 2/3: 253 is the smallest rate that passes the usual relay minimum of 1 sat/vbyte despite rounding.
  public static let relayFloor = FeeRate(satPerKiloWeight: 253)

  @inlinable public static func < (a: Self, b: Self) -> Bool { a.satPerKiloWeight < b.satPerKiloWeight }

  /// rate · weight / 1000, rounded down as in BOLT 3 §Fee Calculation; nil when it does not fit.
  @inlinable public func fee(for weight: Weight) -> Satoshi? {
    let (high, low) = UInt64(satPerKiloWeight).multipliedFullWidth(by: weight.rawValue)
    return high == 0 ? Satoshi(low / 1000) : nil
  }

  public var description: String { "\(satPerKiloWeight) sat/kw" }
}
