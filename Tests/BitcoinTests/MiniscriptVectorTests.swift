import Bitcoin
import Encoding
import Hashing
import JSON
import Secp256k1
import Testing
import VectorSupport

@Suite struct MiniscriptVectorTests {
  @Test(.vectors("bitcoin-core/miniscript.json")) func `Bitcoin Core's miniscripts`() throws {
    let path = "bitcoin-core/miniscript.json"
    var count = 0
    for row in try Vectors.json(path).required("cases").array {
      let text = try row.required("input").string
      let expected = try row.required("expected")
      for (name, context) in [("p2wsh", MiniscriptContext.p2wsh), ("tapscript", .tapscript)] {
        try check(text, context, expected.required(name))
      }
      count += 1
    }
    Vectors.report(path, cases: count)
  }

  private func check(_ text: String, _ context: MiniscriptContext, _ expected: JSONValue) throws {
    let parsed = try? Miniscript<PublicKey>(text, context: context)
    guard expected["valid"]?.boolValue == true else {
      #expect(parsed == nil || parsed?.type.contains(.base) == false, "\(text) is not valid in \(context)")
      return
    }
    let miniscript = try #require(parsed, "\(text) in \(context)")
    #expect(miniscript.type.contains(.base), "\(text) in \(context)")
    #expect(miniscript.isNonMalleable == expected["non_malleable"]?.boolValue, "\(text) in \(context)")
    #expect(miniscript.needsSignature == expected["needs_signature"]?.boolValue, "\(text) in \(context)")
    #expect(miniscript.mixesTimelocks == expected["timelock_mix"]?.boolValue, "\(text) in \(context)")
    let script = miniscript.script
    if let hex = expected["script"]?.stringValue { #expect(script.hex == hex, "\(text) in \(context)") }
    #expect(miniscript.scriptSize == script.count, "\(text) in \(context)")
    if let ops = expected["ops"]?.integerValue {
      #expect(miniscript.maximumOperations == Int(ops), "\(text) in \(context)")
    }
    if let size = expected["stack_size"]?.integerValue {
      #expect(miniscript.maximumStackItems == Int(size), "\(text) in \(context)")
    }
    // The text that we write is read as the same tree.
    let again = try Miniscript<PublicKey>(miniscript.text, context: context)
    #expect(again.script == script, "\(text) written as \(miniscript.text)")
    #expect(again.text == miniscript.text)
    // The script is read back as a miniscript of the same script and the same guarantees.
    let byHash = Dictionary(miniscript.keys.map { (context.hash(of: $0), $0) }, uniquingKeysWith: { $1 })
    let decoded = Miniscript(decoding: script, context: context) { byHash[$0] }
    #expect(decoded?.script == script, "\(text) in \(context)")
    #expect(
      decoded?.type.intersection([.base, .nonMalleable, .signed, .noTimelockMix])
        == miniscript.type.intersection([.base, .nonMalleable, .signed, .noTimelockMix]), "\(text) in \(context)")
  }
}

extension MiniscriptContext {
  /// The hash that `pk_h` puts into the script.
  func hash(of key: PublicKey) -> Bytes20 { self == .p2wsh ? hash160(key.bytes) : hash160(key.xOnly.key.bytes) }
}
