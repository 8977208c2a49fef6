public import Bitcoin
internal import Encoding
public import JSON

/// The notation for scripts in Bitcoin Core's JSON tests: numbers are pushed as numbers, `0x…` stands in the script as it is,
/// `'text'` is pushed, anything else is an operation.
public enum ScriptText {
  public static func parse(_ text: some StringProtocol) throws -> Script {
    var script = Script()
    for word in text.split(whereSeparator: \.isWhitespace) {
      if let number = Int64(word), word.first != "+" {
        guard abs(number) <= 0xffff_ffff else { throw VectorError.unexpected("number out of range: \(word)") }
        script.append(number: number)
      } else if word.hasPrefix("0x") && word.count > 2 {
        script.bytes += try Hex.decode(word.dropFirst(2))
      } else if word.count >= 2 && word.hasPrefix("'") && word.hasSuffix("'") {
        script.append(push: Array(word.dropFirst().dropLast().utf8))
      } else if word == "CHECKTEMPLATEVERIFY" || word == "OP_CHECKTEMPLATEVERIFY" {
        script.append(.nop4)
      } else if let opcode = Opcode(name: word) {
        script.append(opcode)
      } else {
        throw VectorError.unexpected("no operation: \(word)")
      }
    }
    return script
  }
}

/// An amount written in bitcoin.
public func satoshi(inBitcoin value: JSONValue) throws -> Satoshi {
  guard let number = value.doubleValue else { throw VectorError.unexpected("no amount: \(value)") }
  return Satoshi(UInt64((number * 1e8).rounded()))
}
