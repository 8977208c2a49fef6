import Bitcoin
import Encoding
import JSON
import VectorSupport

/// The notation for scripts in Bitcoin Core's JSON tests: numbers are pushed as numbers, `0x…` stands in the script as it is,
/// `'text'` is pushed, anything else is an operation.
enum ScriptText {
  static func parse(_ text: some StringProtocol) throws -> Script {
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

/// A verdict in Bitcoin Core's words.
func verdict(_ body: () throws(ScriptError) -> Void) -> String {
  do {
    try body()
    return "OK"
  } catch {
    return error.rawValue
  }
}

/// An amount written in bitcoin.
func satoshi(inBitcoin value: JSONValue) throws -> Satoshi {
  guard let number = value.doubleValue else { throw VectorError.unexpected("no amount: \(value)") }
  return Satoshi(UInt64((number * 1e8).rounded()))
}

/// The flags without those that lack the flag they depend on.
func trimmed(_ flags: ScriptFlags) -> ScriptFlags {
  var flags = flags
  if !flags.contains(.p2sh) { flags.remove(.witness) }
  if !flags.contains(.witness) { flags.subtract([.cleanStack, .taproot]) }
  return flags
}

/// The flags together with those that they depend on.
func filled(_ flags: ScriptFlags) -> ScriptFlags {
  var flags = flags
  if flags.contains(.cleanStack) || flags.contains(.taproot) { flags.insert(.witness) }
  if flags.contains(.witness) { flags.insert(.p2sh) }
  return flags
}

/// Numbers that look random and are the same each time (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }

  mutating func flags() -> ScriptFlags { ScriptFlags(rawValue: UInt32(truncatingIfNeeded: next())).intersection(.all) }
}
