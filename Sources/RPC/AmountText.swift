public import Bitcoin

/// A unit in which people write amounts.
public enum AmountUnit: String, CaseIterable, Sendable {
  case msat
  case sat
  case btc

  /// How many digits may stand behind the point: 1 BTC is 10⁸ sat, 1 sat 1000 msat.
  var decimals: Int {
    switch self {
    case .msat: 0
    case .sat: 3
    case .btc: 11
    }
  }
}

/// Amounts as people write them: `123`, `123sat`, `123msat`, `0.001btc`.
public enum AmountText {
  /// The amount; nil when the text is none, has more digits than a millisatoshi allows, or does not fit. A number without
  /// a unit counts in `bare`.
  public static func parse(_ text: some StringProtocol, bare: AmountUnit) -> MilliSatoshi? {
    let bytes = Array(text.utf8)
    guard let end = bytes.firstIndex(where: { !(0x30...0x39).contains($0) && $0 != UInt8(ascii: ".") }) else {
      return parse(digits: bytes[...], unit: bare)
    }
    guard let unit = AmountUnit(rawValue: String(decoding: bytes[end...], as: UTF8.self)) else { return nil }
    return parse(digits: bytes[..<end], unit: unit)
  }

  private static func parse(digits: ArraySlice<UInt8>, unit: AmountUnit) -> MilliSatoshi? {
    let parts = digits.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard let whole = parts.first, !whole.isEmpty, parts.count <= 2 else { return nil }
    let fraction = parts.count == 2 ? parts[1] : []
    guard parts.count == 1 || !fraction.isEmpty, fraction.count <= unit.decimals else { return nil }
    var value: UInt64 = 0
    let zeros = repeatElement(UInt8(ascii: "0"), count: unit.decimals - fraction.count)
    for digit in Array(whole) + Array(fraction) + Array(zeros) {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(digit - 0x30))
      guard !overflow, !carry else { return nil }
      value = sum
    }
    return MilliSatoshi(value)
  }

  /// The amount in a unit, exactly, without the unit's name: zeros at the end of a fraction are left out, and BTC have at least
  /// eight decimals.
  public static func format(_ amount: MilliSatoshi, in unit: AmountUnit) -> String {
    guard unit.decimals > 0 else { return String(amount.rawValue) }
    var scale: UInt64 = 1
    for _ in 0..<unit.decimals { scale *= 10 }
    var fraction = String(amount.rawValue % scale)
    fraction = String(repeating: "0", count: unit.decimals - fraction.count) + fraction
    while fraction.count > (unit == .btc ? 8 : 0), fraction.hasSuffix("0") { fraction.removeLast() }
    return "\(amount.rawValue / scale)" + (fraction.isEmpty ? "" : ".\(fraction)")
  }
}
