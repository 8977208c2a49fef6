import Bitcoin
import Encoding
import JSON
import Testing
import VectorSupport

@Suite struct InterpreterTaprootVectorTests {
  private static let soft: [ScriptFlags] = [.derSig, .checkLockTimeVerify, .checkSequenceVerify, .nullDummy]

  /// Every coherent combination of the consensus flags.
  private static let combinations: [ScriptFlags] = (0..<128).compactMap { bits in
    var flags = ScriptFlags.none
    for (index, flag) in (soft + [.p2sh, .witness, .taproot]).enumerated() where bits >> index & 1 == 1 {
      flags.insert(flag)
    }
    return flags.isCoherent ? flags : nil
  }

  @Test(.vectors("bitcoin-core/taproot_script_assets.json"))
  func `Spends of Bitcoin Core's taproot test succeed and fail under every combination of flags`() throws {
    let path = "bitcoin-core/taproot_script_assets.json"
    let cache = SignatureCache()
    var count = 0
    for test in try Vectors.json(path).array {
      count += 1
      let comment = try test.required("comment").string
      var transaction = try Transaction(decoding: Hex.decode(test.required("tx").string))
      let spent = try test.required("prevouts").array.map { output in
        let bytes = try Hex.decode(output.string)
        var reader = ByteReader(bytes.bytes)
        let output = try TxOutput(from: &reader)
        try reader.finish()
        return output
      }
      let index = Int(try test.required("index").integer)
      let flags = try ScriptFlags(parsing: test.required("flags").string)
      let isFinal = test["final"]?.boolValue == true
      for (kind, expected) in [("success", true), ("failure", false)] {
        guard let spend = test[kind] else { continue }
        transaction.inputs[index].scriptSig = Script(try Hex.decode(spend.required("scriptSig").string))
        transaction.inputs[index].witness = Witness(
          try spend.required("witness").array.map { try Hex.decode($0.string) })
        let parts = SighashParts(transaction, spentOutputs: spent)
        for combination in Self.combinations {
          // A final success holds under all flags, others under fewer than theirs; a failure holds under more.
          if expected ? !isFinal && !combination.isSubset(of: flags) : !combination.isSuperset(of: flags) { continue }
          let result = verdict { () throws(ScriptError) in
            try ScriptVerifier.verify(
              input: index, of: transaction, spending: spent, flags: combination, parts: parts, cache: cache)
          }
          #expect((result == "OK") == expected, "\(kind) of \(comment) with \(combination): \(result)")
        }
      }
    }
    Vectors.report(path, cases: count)
    #expect(count == 690)
  }
}
