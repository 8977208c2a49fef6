public import Bitcoin

extension MilliSatoshi {
  /// Reads the amount of an invoice (BOLT 11 §Human-Readable Part): a decimal number of bitcoin without leading zeros, and maybe one
  /// of the multipliers `m`, `u`, `n`, `p`. More than 21 million BTC are refused: nobody could pay them.
  public init(invoiceAmount text: String) throws(Bolt11AmountError) {
    var digits = Array(text.utf8)
    // In millisatoshi, times ten.
    let unit: UInt64
    switch digits.last {
    case nil: throw .noNumber
    case UInt8(ascii: "m"): unit = 1_000_000_000
    case UInt8(ascii: "u"): unit = 1_000_000
    case UInt8(ascii: "n"): unit = 1_000
    case UInt8(ascii: "p"): unit = 1
    default: unit = 1_000_000_000_000
    }
    if unit != 1_000_000_000_000 { digits.removeLast() }
    // BOLT 11: if `amount` contains a non-digit OR is followed by anything except a `multiplier`: MUST fail the payment.
    guard let first = digits.first else { throw .noNumber }
    guard digits.allSatisfy({ 0x30...0x39 ~= $0 }) else { throw .unknownMultiplier }
    // BOLT 11: MUST encode `amount` as a positive decimal integer with no leading 0s.
    guard first != 0x30 else { throw .leadingZero }
    // BOLT 11: if multiplier is `p` and the last decimal of `amount` is not 0: MUST fail the payment.
    if unit == 1, digits.last != 0x30 { throw .subMillisatoshi }
    var number: UInt64 = 0
    for digit in digits {
      let (product, overflow) = number.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(digit - 0x30))
      guard !overflow, !carry else { throw .tooLarge }
      number = sum
    }
    let (high, low) = number.multipliedFullWidth(by: unit)
    guard high < 10 else { throw .tooLarge }
    let amount = MilliSatoshi(UInt64(10).dividingFullWidth((high, low)).quotient)
    guard amount.isPayable else { throw .tooLarge }
    self = amount
  }

  /// The shortest text of a positive amount in an invoice.
  public var invoiceAmount: String {
    switch rawValue {
    case let value where value.isMultiple(of: 100_000_000_000): "\(value / 100_000_000_000)"
    case let value where value.isMultiple(of: 100_000_000): "\(value / 100_000_000)m"
    case let value where value.isMultiple(of: 100_000): "\(value / 100_000)u"
    case let value where value.isMultiple(of: 100): "\(value / 100)n"
    default: "\(rawValue)0p"
    }
  }

  /// Not zero, and no more than there is.
  var isPayable: Bool { rawValue > 0 && rawValue <= Satoshi.maxMoney.rawValue * 1000 }
}

/// What is wrong with the amount of an invoice.
public enum Bolt11AmountError: Error, Hashable, Sendable {
  case noNumber
  /// Something else than digits before an `m`, `u`, `n`, `p` or the end.
  case unknownMultiplier
  /// Zero among them.
  case leadingZero
  /// Pico-bitcoin that are no whole millisatoshi.
  case subMillisatoshi
  /// More than 21 million BTC.
  case tooLarge
}
