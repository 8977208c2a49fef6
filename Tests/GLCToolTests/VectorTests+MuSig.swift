import JSON
import Testing
import VectorSupport

@Suite struct MuSigVectorTests {
  /// One file of BIP 327: pools of values, and test cases that point into them.
  private struct File {
    let json: JSONValue
    let path: String
    var count = 0

    init(_ name: String) throws {
      path = "bips/bip-0327/\(name)_vectors.json"
      json = try Vectors.json(path)
    }

    func pick(_ pool: String, _ indices: JSONValue) throws -> JSONValue {
      let pool = try json.required(pool).array
      return .array(try indices.array.map { pool[Int(try $0.integer)] })
    }

    func tweaks(_ test: JSONValue) throws -> JSONValue {
      guard let indices = test["tweak_indices"]?.arrayValue else { return .null }
      let pool = try json.required("tweaks").array
      return .array(
        try zip(indices, test.required("is_xonly").array).map {
          ["tweak": pool[Int(try $0.integer)], "xonly": $1]
        })
    }

    func cases(_ name: String) throws -> [JSONValue] { try json.required(name).array }
  }

  private func lower(_ value: JSONValue) throws -> JSONValue { .string(try value.string.lowercased()) }

  /// The refusal must blame whom BIP 327 blames.
  private func expectRefusal(_ op: String, _ parameters: JSONValue, _ test: JSONValue) throws {
    let answer = try answer(op, parameters)
    let expected = try test.required("error")
    guard try expected.required("type").string == "invalid_contribution" else {
      #expect(answer["error"]?["code"] == "bad_tweak", "\(test): \(answer)")
      return
    }
    #expect(answer["error"]?["code"] == "invalid_contribution", "\(test): \(answer)")
    let message = answer["error"]?["message"]?.stringValue ?? ""
    if let signer = expected["signer"]?.integerValue { #expect(message.contains("signer \(signer) "), "\(message)") }
    #expect(message.hasSuffix(try expected.required("contrib").string), "\(message)")
  }

  @Test("key aggregation", .vectors("bips/bip-0327/key_agg_vectors.json"))
  func keyAggregation() throws {
    var file = try File("key_agg")
    for test in try file.cases("valid_test_cases") {
      let found = try result("musig.key_agg", ["pubkeys": try file.pick("pubkeys", test.required("key_indices"))])
      #expect(found == ["aggregate_xonly": try lower(test.required("expected"))], "\(test)")
      file.count += 1
    }
    for test in try file.cases("error_test_cases") {
      let keys = try file.pick("pubkeys", test.required("key_indices"))
      try expectRefusal("musig.key_agg", ["pubkeys": keys, "tweaks": try file.tweaks(test)], test)
      file.count += 1
    }
    Vectors.report("tool: \(file.path)", cases: file.count)
  }

  @Test("nonce aggregation", .vectors("bips/bip-0327/nonce_agg_vectors.json"))
  func nonceAggregation() throws {
    var file = try File("nonce_agg")
    for test in try file.cases("valid_test_cases") + file.cases("error_test_cases") {
      let parameters: JSONValue = ["pubnonces": try file.pick("pnonces", test.required("pnonce_indices"))]
      if let expected = test["expected"] {
        #expect(try result("musig.nonce_agg", parameters) == ["aggnonce": lower(expected)], "\(test)")
      } else {
        try expectRefusal("musig.nonce_agg", parameters, test)
      }
      file.count += 1
    }
    Vectors.report("tool: \(file.path)", cases: file.count)
  }

  private func partial(_ file: File, _ test: JSONValue, message: JSONValue, signature: JSONValue) throws -> JSONValue {
    [
      "pubkeys": try file.pick("pubkeys", test.required("key_indices")),
      "pubnonces": try file.pick("pnonces", test.required("nonce_indices")), "tweaks": try file.tweaks(test),
      "message": message, "partial_sig": signature, "signer_index": try test.required("signer_index"),
    ]
  }

  @Test("partial signatures, of messages of any length", .vectors("bips/bip-0327/sign_verify_vectors.json"))
  func partialSignatures() throws {
    var file = try File("sign_verify")
    let messages = try file.json.required("msgs").array
    for (name, isValid) in [("valid_test_cases", true), ("verify_fail_test_cases", false)] {
      for test in try file.cases(name) {
        let message = messages[Int(try test.required("msg_index").integer)]
        let signature = try test["expected"] ?? test.required("sig")
        let parameters = try partial(file, test, message: message, signature: signature)
        #expect(try result("musig.sign_verify_partial", parameters) == ["valid": .bool(isValid)], "\(test)")
        file.count += 1
      }
    }
    for test in try file.cases("verify_error_test_cases") {
      let message = messages[Int(try test.required("msg_index").integer)]
      let parameters = try partial(file, test, message: message, signature: test.required("sig"))
      try expectRefusal("musig.sign_verify_partial", parameters, test)
      file.count += 1
    }
    Vectors.report("tool: \(file.path) (verification)", cases: file.count)
  }

  @Test("partial signatures under tweaked keys", .vectors("bips/bip-0327/tweak_vectors.json"))
  func tweakedSignatures() throws {
    var file = try File("tweak")
    for test in try file.cases("valid_test_cases") {
      let parameters = try partial(
        file, test, message: file.json.required("msg"), signature: test.required("expected"))
      #expect(try result("musig.sign_verify_partial", parameters) == ["valid": true], "\(test)")
      // The tweaks are part of what is signed.
      #expect(try result("musig.sign_verify_partial", parameters.setting("tweaks", nil)) == ["valid": false])
      file.count += 1
    }
    for test in try file.cases("error_test_cases") {
      let signature = JSONValue.string(String(repeating: "01", count: 32))
      let parameters = try partial(file, test, message: file.json.required("msg"), signature: signature)
      try expectRefusal("musig.sign_verify_partial", parameters, test)
      file.count += 1
    }
    Vectors.report("tool: \(file.path)", cases: file.count)
  }

  @Test("signature aggregation", .vectors("bips/bip-0327/sig_agg_vectors.json"))
  func signatureAggregation() throws {
    var file = try File("sig_agg")
    for test in try file.cases("valid_test_cases") + file.cases("error_test_cases") {
      let message = try file.json.required("msg")
      let keys = try file.pick("pubkeys", test.required("key_indices"))
      let tweaks = try file.tweaks(test)
      let parameters: JSONValue = [
        "pubkeys": keys, "aggnonce": try test.required("aggnonce"), "tweaks": tweaks, "message": message,
        "partial_sigs": try file.pick("psigs", test.required("psig_indices")),
      ]
      guard let expected = test["expected"] else {
        try expectRefusal("musig.sig_agg", parameters, test)
        file.count += 1
        continue
      }
      #expect(try result("musig.sig_agg", parameters) == ["signature": lower(expected)], "\(test)")
      let key = try result("musig.key_agg", ["pubkeys": keys, "tweaks": tweaks]).required("aggregate_xonly")
      let verified = try result("schnorr.verify", ["xonly": key, "message": message, "signature": expected])
      #expect(verified == ["valid": true])
      file.count += 1
    }
    Vectors.report("tool: \(file.path)", cases: file.count)
  }

  @Test("lists that do not fit each other are refused")
  func misfits() throws {
    let example = try #require(Example.all.first { $0.op == "musig.sign_verify_partial" }).parameters
    #expect(try refusal("musig.sign_verify_partial", example.setting("signer_index", 3)) == "bad_value")
    #expect(try refusal("musig.sign_verify_partial", example.setting("pubnonces", [])) == "bad_value")
    #expect(try refusal("musig.sign_verify_partial", example.setting("signer_index", -1)) == "bad_value")
    #expect(try result("musig.sign_verify_partial", example.setting("partial_sig", "00")) == ["valid": false])
    #expect(try refusal("musig.key_agg", ["pubkeys": []]) == "infinity")
    let aggregation = try #require(Example.all.first { $0.op == "musig.sig_agg" }).parameters
    #expect(try refusal("musig.sig_agg", aggregation.setting("partial_sigs", [])) == "bad_partial_sig")
    #expect(try refusal("musig.sig_agg", aggregation.setting("message", "00")) == "bad_length")
  }
}
