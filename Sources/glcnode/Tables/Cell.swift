internal import Bitcoin
internal import FoundationEssentials
internal import JSON
internal import RPC

/// How a value of a reply is shown to a person.
enum CellStyle {
  /// As it is.
  case text
  /// A node id, a hash: shortened unless it is wanted in full.
  case id
  /// Millisatoshi, in the unit that was asked for.
  case msat
  /// Satoshi, in the unit that was asked for.
  case sat
  /// Seconds since 1970.
  case time
  case number
  /// yes or no
  case bool
  /// A state of something, coloured.
  case state

  var isRightAligned: Bool {
    switch self {
    case .msat, .sat, .number: true
    default: false
    }
  }

  /// For a member whose style nobody has said.
  static func guess(_ name: String, _ value: JSONValue) -> CellStyle {
    let isNumber = value.doubleValue != nil
    if isNumber, name.hasSuffix("_msat") || name == "msat" { return .msat }
    if isNumber,
      name.hasSuffix("_at") || name.hasSuffix("_time") || name.hasSuffix("timestamp") || name == "last_update"
    {
      return .time
    }
    if value.boolValue != nil { return .bool }
    if name == "status" || name == "state" { return .state }
    if isNumber { return .number }
    return .text
  }
}

struct CellFormat {
  var unit: AmountUnit
  var full: Bool
  var palette: Palette

  func text(_ value: JSONValue?, _ style: CellStyle) -> String {
    guard let value, !value.isNull else { return "" }
    switch style {
    case .msat:
      // Core Lightning once wrote amounts as "123msat".
      let amount =
        value.unsignedValue.map { MilliSatoshi($0) } ?? value.stringValue.flatMap { AmountText.parse($0, bare: .msat) }
      return amount.map(self.amount) ?? plain(value)
    case .sat: return value.unsignedValue.flatMap { Satoshi($0).milliSatoshi }.map(amount) ?? plain(value)
    case .time: return value.doubleValue.map(Self.time) ?? plain(value)
    case .id: return full ? plain(value) : TerminalText.short(plain(value))
    case .bool: return value.boolValue.map { $0 ? "yes" : "no" } ?? plain(value)
    case .text, .number, .state: return plain(value)
    }
  }

  private func plain(_ value: JSONValue) -> String {
    TerminalText.plain(value.stringValue ?? value.description)
  }

  /// With commas between thousands.
  func amount(_ amount: MilliSatoshi) -> String {
    let parts = AmountText.format(amount, in: unit).split(separator: ".", maxSplits: 1)
    var whole = ""
    let digits = parts.first.map(Array.init) ?? []
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { whole += "," }
      whole.append(digit)
    }
    return parts.count == 2 ? "\(whole).\(parts[1])" : whole
  }

  /// In universal time, to the second.
  static func time(_ seconds: Double) -> String {
    guard seconds > 0, seconds < 253_402_300_800 else { return "" }
    let text = Date(timeIntervalSince1970: seconds.rounded(.down)).formatted(.iso8601)
    return String(text.map { $0 == "T" ? " " : $0 }.prefix(19))
  }

  /// The colour of a state.
  func color(_ text: String, _ style: CellStyle) -> String {
    guard case .state = style else { return text }
    switch text {
    case "CHANNELD_NORMAL", "paid", "complete", "settled", "confirmed", "yes": return palette.good(text)
    case "failed", "local_failed", "expired", "AWAITING_UNILATERAL", "FUNDING_SPEND_SEEN", "ONCHAIN":
      return palette.bad(text)
    case "unpaid", "ONCHAIN_RESOLVED", "CLOSED": return palette.dim(text)
    default: return palette.middling(text)
    }
  }
}
