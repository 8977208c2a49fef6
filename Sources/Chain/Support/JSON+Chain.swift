internal import Bitcoin
internal import Encoding
internal import JSON

// Amounts in RPC are numbers of bitcoins with eight decimals.

extension Satoshi {
  /// Reads a number of bitcoins exactly; nil for anything that is not a whole number of satoshis from zero on.
  init?(bitcoins value: JSONValue?) {
    let text: String
    switch value {
    case .unsigned(let whole): text = String(whole)
    case .decimal(let decimal): text = decimal
    default: return nil
    }
    // The exponent, where there is one, moves the point.
    let parts = text.split(whereSeparator: { $0 == "e" || $0 == "E" })
    guard let mantissa = parts.first, parts.count <= 2 else { return nil }
    var exponent = 8
    if parts.count == 2 {
      guard let written = Int(parts[1]), abs(written) <= 30 else { return nil }
      exponent += written
    }
    var result: UInt64 = 0
    var isBehindPoint = false
    for character in mantissa.utf8 {
      if character == UInt8(ascii: "."), !isBehindPoint {
        isBehindPoint = true
        continue
      }
      guard character >= UInt8(ascii: "0"), character <= UInt8(ascii: "9") else { return nil }
      if isBehindPoint { exponent -= 1 }
      let (product, overflow) = result.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(character - UInt8(ascii: "0")))
      guard !overflow, !carry else { return nil }
      result = sum
    }
    while exponent > 0 {
      let (product, overflow) = result.multipliedReportingOverflow(by: 10)
      guard !overflow else { return nil }
      result = product
      exponent -= 1
    }
    while exponent < 0 {
      guard result % 10 == 0 else { return nil }
      result /= 10
      exponent += 1
    }
    self.init(result)
  }
}

extension JSONValue {
  static func bitcoins(_ satoshis: UInt64) -> JSONValue {
    let fraction = String(satoshis % 100_000_000)
    return .decimal("\(satoshis / 100_000_000).\(String(repeating: "0", count: 8 - fraction.count))\(fraction)")
  }

  static func hex(_ bytes: [UInt8]) -> JSONValue { .string(Hex.encode(bytes)) }
  static func text(_ value: some CustomStringConvertible) -> JSONValue { .string(value.description) }

  var blockHashValue: BlockHash? { stringValue.flatMap { try? BlockHash(display: $0) } }
  var bytesValue: [UInt8]? { stringValue.flatMap { try? Hex.decode($0) } }
  var transactionValue: Transaction? { bytesValue.flatMap { try? Transaction(decoding: $0) } }
}
