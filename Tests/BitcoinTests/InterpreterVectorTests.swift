import Bitcoin
import Encoding
import JSON
import Secp256k1
import Testing
import VectorSupport

/// One row of Bitcoin Core's script_tests.json.
struct ScriptVector {
  /// BIP 341's point that nobody has the secret of.
  static let internalKey = "50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0"

  var scriptSig: Script
  var scriptPubKey: Script
  var witness: Witness
  var amount: Satoshi
  var flags: ScriptFlags
  var expected: String
  var text: String

  /// Nil for a remark.
  init?(_ row: JSONValue) throws {
    var fields = try row.array
    guard fields.count > 1 else { return nil }
    text = row.description
    witness = Witness()
    amount = .zero
    var outputKey = ""
    if var stack = fields[0].arrayValue {
      fields.removeFirst()
      amount = try satoshi(inBitcoin: stack.removeLast())
      var tree: TaprootOutput?
      for element in stack {
        let element = try element.string
        if element.hasPrefix("#SCRIPT#") {
          let leaf = TapLeaf(script: try ScriptText.parse(element.dropFirst("#SCRIPT#".count)))
          tree = try TaprootOutput(internalKey: XOnlyPublicKey(hex: Self.internalKey), tree: .leaf(leaf))
          witness.elements.append(leaf.script.bytes)
        } else if element == "#CONTROLBLOCK#" {
          guard let tree else { throw VectorError.unexpected("a control block without a script: \(row)") }
          witness.elements.append(tree.controlBlock(for: tree.paths[0]).encoded)
          outputKey = "0x" + tree.outputKey.hex
        } else {
          witness.elements.append(try Hex.decode(element))
        }
      }
    }
    guard 4...5 ~= fields.count else { throw VectorError.unexpected(row.description) }
    scriptSig = try ScriptText.parse(fields[0].string)
    scriptPubKey = try ScriptText.parse(fields[1].string.replacing("#TAPROOTOUTPUT#", with: outputKey))
    flags = try ScriptFlags(parsing: fields[2].string)
    // Bitcoin Core's own test adds these: CLEANSTACK alone is not defined.
    if flags.contains(.cleanStack) { flags.formUnion([.p2sh, .witness]) }
    expected = try fields[3].string
  }

  func verdict(flags: ScriptFlags) -> String {
    BitcoinTests.verdict { () throws(ScriptError) in
      try ScriptVerifier.verifyCredited(
        scriptSig: scriptSig, scriptPubKey: scriptPubKey, witness: witness, amount: amount, flags: flags)
    }
  }
}

@Suite struct InterpreterVectorTests {
  @Test(.vectors("bitcoin-core/script_tests.json"))
  func `Every script of Bitcoin Core ends with the expected error`() throws {
    let path = "bitcoin-core/script_tests.json"
    var count = 0
    for row in try Vectors.json(path).array {
      guard let vector = try ScriptVector(row) else { continue }
      count += 1
      #expect(
        vector.expected == "OK" || ScriptError(rawValue: vector.expected) != nil,
        "an error without name: \(vector.text)")
      #expect(vector.verdict(flags: vector.flags) == vector.expected, "\(vector.text)")
    }
    Vectors.report(path, cases: count)
    #expect(count == 917)
  }

  @Test(.vectors("bitcoin-core/script_tests.json"))
  func `Fewer flags never make a script fail, and more never make it pass`() throws {
    var generator = SeededGenerator(seed: 1)
    for row in try Vectors.json("bitcoin-core/script_tests.json").array {
      guard let vector = try ScriptVector(row) else { continue }
      for _ in 0..<16 {
        let extra = generator.flags()
        if vector.expected == "OK" {
          let flags = trimmed(vector.flags.subtracting(extra))
          #expect(vector.verdict(flags: flags) == "OK", "\(vector.text) with \(flags)")
        } else {
          let flags = filled(vector.flags.union(extra))
          #expect(vector.verdict(flags: flags) != "OK", "\(vector.text) with \(flags)")
        }
      }
    }
  }
}
