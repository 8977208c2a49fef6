import Bitcoin
import Encoding
import JSON
import Testing
import VectorSupport

@Suite struct ScriptVectorTests {
  /// BIP 341's point that nobody has the secret of, which Bitcoin Core's script tests take as internal key.
  private static let internalKey: JSONValue = "50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0"

  private func flags(_ text: String) -> [JSONValue] { text.split(separator: ",").map { .string(String($0)) } }

  @Test("scripts of Bitcoin Core", .vectors("bitcoin-core/script_tests.json"))
  func scripts() throws {
    let path = "bitcoin-core/script_tests.json"
    var count = 0
    for row in try Vectors.json(path).array {
      var fields = try row.array
      guard fields.count > 1 else { continue }
      var witness: [JSONValue] = []
      var amount = Satoshi.zero
      var outputKey = ""
      if var stack = fields[0].arrayValue {
        fields.removeFirst()
        amount = try satoshi(inBitcoin: stack.removeLast())
        var taproot: JSONValue = .null
        for element in try stack.map({ try $0.string }) {
          if element.hasPrefix("#SCRIPT#") {
            let script = JSONValue.string(try ScriptText.parse(element.dropFirst("#SCRIPT#".count)).hex)
            taproot = try result("taproot.output", ["internal_xonly": Self.internalKey, "tree": ["script": script]])
            outputKey = "0x" + (try taproot.required("output_xonly").string)
            witness.append(script)
          } else if element == "#CONTROLBLOCK#" {
            witness.append(try #require(taproot["control_blocks"]?[0]))
          } else {
            witness.append(.string(element))
          }
        }
      }
      var names = flags(try fields[2].string)
      // As Bitcoin Core's own test does: CLEANSTACK alone is not defined.
      if names.contains("CLEANSTACK") { names += ["P2SH", "WITNESS"] }
      let output = try fields[1].string.replacing("#TAPROOTOUTPUT#", with: outputKey)
      let found = try result(
        "script.verify",
        [
          "script_sig": .string(try ScriptText.parse(fields[0].string).hex),
          "script_pubkey": .string(try ScriptText.parse(output).hex), "witness": .array(witness),
          "amount_sat": .int(amount.rawValue), "flags": .array(names),
        ])
      #expect(found == ["valid": .bool(fields[3] == "OK"), "error": fields[3]], "\(row)")
      count += 1
    }
    Vectors.report("tool: \(path)", cases: count)
  }

  private func prevouts(_ row: JSONValue) throws -> JSONValue {
    .array(
      try row.array.map { input in
        let members = try input.array
        return [
          "txid": members[0], "vout": .int(UInt32(truncatingIfNeeded: try members[1].integer)),
          "script_pubkey": .string(try ScriptText.parse(members[2].string).hex),
          "amount_sat": members.count > 3 ? members[3] : 0,
        ]
      })
  }

  @Test(
    "valid and invalid transactions of Bitcoin Core",
    arguments: [
      ("bitcoin-core/tx_valid.json", true), ("bitcoin-core/tx_invalid.json", false),
    ])
  func transactions(_ path: String, _ isValid: Bool) throws {
    guard Vectors.has(path) else { return }
    var count = 0
    for row in try Vectors.json(path).array {
      let fields = try row.array
      guard fields.count > 1 else { continue }
      let named = flags(try fields[2].string).filter { $0 != "NONE" && $0 != "BADTX" }
      // The file of the valid ones names the flags that the transaction does not stand.
      let all = ScriptFlags.named.map { JSONValue.string($0.name) }
      let found = try result(
        "tx.verify",
        [
          "tx": fields[1], "prevouts": try prevouts(fields[0]),
          "flags": .array(isValid ? all.filter { !named.contains($0) } : named),
        ])
      #expect(found["valid"] == .bool(isValid), "\(row): \(found)")
      #expect((found["error"] == "OK") == isValid)
      if fields[2] == "BADTX" { #expect(found["error"]?.stringValue?.hasPrefix("bad-") == true, "\(found)") }
      count += 1
    }
    Vectors.report("tool: \(path)", cases: count)
  }

  @Test("an input whose prevout is not given is missing, one given in two ways is refused")
  func prevoutLists() throws {
    let example = try #require(Example.all.first { $0.op == "tx.verify" }).parameters
    let list = try example.required("prevouts").array
    let short = try result("tx.verify", example.setting("prevouts", .array([list[0]])))
    #expect(short == ["valid": false, "error": "bad-txns-inputs-missingorspent"])
    #expect(try result("tx.verify", example.setting("prevouts", .array(list.reversed())))["valid"] == true)
    #expect(try result("tx.verify", example.setting("prevouts", .array(list + list)))["valid"] == true)
    let other = list[0].setting("amount_sat", 1)
    #expect(try refusal("tx.verify", example.setting("prevouts", .array(list + [other]))) == "bad_value")
    // The amount of a segwit input is signed.
    let wrong = [list[0], list[1].setting("amount_sat", 1)]
    let found = try result("tx.verify", example.setting("prevouts", .array(wrong)))
    #expect(found == ["valid": false, "error": "EVAL_FALSE"])
  }
}
