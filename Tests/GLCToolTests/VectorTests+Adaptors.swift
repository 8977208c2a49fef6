import JSON
import Testing
import VectorSupport

@Suite struct AdaptorVectorTests {
  @Test("Schnorr adaptor signatures", .vectors("adaptor/schnorr_adaptor.json"))
  func schnorr() throws {
    let path = "adaptor/schnorr_adaptor.json"
    let json = try Vectors.json(path)
    var count = 0
    for test in try json.required("presig").array {
      let input = try test.required("input")
      let common: JSONValue = ["message": try input.required("message"), "point": try input.required("adaptor")]
      let verified = try result(
        "adaptor.schnorr.verify",
        common.setting("xonly", input["public_key"]).setting("presignature", input["pre_signature"]))
      #expect(verified == ["valid": try test.required("expected")], "\(test)")
      if let secret = input["secret_key"], !secret.isNull {
        let signed = try result(
          "adaptor.schnorr.sign", common.setting("seckey", secret).setting("aux_rand", input["aux_rand"]))
        #expect(signed["presignature"] == input["pre_signature"], "\(test)")
      }
      count += 1
    }
    for test in try json.required("adapt").array {
      let input = try test.required("input")
      let adapted = try result(
        "adaptor.schnorr.adapt",
        ["presignature": try input.required("pre_signature"), "secret": try input.required("secadaptor")])
      #expect(adapted["signature"] == input["bip340_signature"], "\(test)")
      let verified = try result(
        "schnorr.verify",
        [
          "xonly": try input.required("pubkey"), "message": try input.required("message"),
          "signature": try adapted.required("signature"),
        ])
      #expect(verified == ["valid": try test.required("expected")], "\(test)")
      count += 1
    }
    for test in try json.required("secadaptor").array {
      let input = try test.required("input")
      // The point of the secret: x alone is what ecdh with 1 shows, so both parities are tried.
      let generator: JSONValue = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
      let x = try result("ecdh", ["seckey": try input.required("secadaptor"), "pubkey": generator]).required("x").string
      let secrets = try ["02", "03"].map { parity in
        try answer(
          "adaptor.schnorr.extract",
          [
            "presignature": try input.required("pre_signature"), "signature": try input.required("bip340_signature"),
            "point": .string(parity + x),
          ])
      }
      let found = secrets.compactMap { $0["result"]?["secret"] }
      #expect(found == (test["expected"] == true ? [try input.required("secadaptor")] : []), "\(test)")
      #expect(secrets.contains { $0["error"]?["code"] == "wrong_secret" })
      count += 1
    }
    Vectors.report("tool: \(path)", cases: count)
  }

  @Test("ECDSA adaptor signatures of dlcspecs", .vectors("dlcspecs/ecdsa_adaptor.json"))
  func ecdsa() throws {
    let path = "dlcspecs/ecdsa_adaptor.json"
    let tests = try Vectors.json(path).array
    for test in tests {
      let signature = try test.required("adaptor_sig")
      let fails = test["error"].map { !$0.isNull } ?? false
      switch try test.required("kind").string {
      case "verification":
        let verified = try result(
          "adaptor.ecdsa.verify",
          [
            "pubkey": try test.required("public_signing_key"), "message_hash": try test.required("message_hash"),
            "encryption_key": try test.required("encryption_key"), "adaptor_sig": signature,
          ])
        #expect(verified == ["valid": .bool(!fails)], "\(test)")
        let decrypted = try result(
          "adaptor.ecdsa.decrypt", ["adaptor_sig": signature, "decryption_key": try test.required("decryption_key")])
        if !fails { #expect(decrypted["signature"] == test["signature"], "\(test)") }
      case "recovery":
        let answer = try answer(
          "adaptor.ecdsa.recover",
          [
            "adaptor_sig": signature, "signature": try test.required("signature"),
            "encryption_key": try test.required("encryption_key"),
          ])
        if fails {
          #expect(answer["error"]?["code"] == "wrong_secret", "\(test)")
        } else {
          #expect(answer["result"]?["decryption_key"] == test["decryption_key"], "\(test)")
        }
      case "serialization":
        let one = JSONValue.string(String(repeating: "0", count: 63) + "1")
        let answer = try answer("adaptor.ecdsa.decrypt", ["adaptor_sig": signature, "decryption_key": one])
        #expect(answer["error"]?["code"] == (fails ? "bad_adaptor_sig" : nil), "\(test)")
      default: Issue.record("an unknown kind: \(test)")
      }
    }
    Vectors.report("tool: \(path)", cases: tests.count)
  }
}
