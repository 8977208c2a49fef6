import JSON
import Testing
import VectorSupport

@Suite struct CipherVectorTests {
  private func tests(_ path: String) throws -> [JSONValue] {
    try Vectors.json(path).required("testGroups").array.flatMap { try $0.required("tests").array }
  }

  @Test("ChaCha20-Poly1305 of Wycheproof", .vectors("wycheproof/chacha20_poly1305_test.json"))
  func chaCha20Poly1305() throws {
    let path = "wycheproof/chacha20_poly1305_test.json"
    let tests = try tests(path)
    for test in tests {
      let isValid = try test.required("result").string == "valid"
      let message = try test.required("msg")
      let ciphertext = JSONValue.string(try test.required("ct").string + test.required("tag").string)
      let common: JSONValue = [
        "key": try test.required("key"), "nonce": try test.required("iv"), "ad": try test.required("aad"),
      ]
      let opened = try answer("chacha20poly1305.open", common.setting("ciphertext", ciphertext))
      let sealed = try answer("chacha20poly1305.seal", common.setting("plaintext", message))
      if isValid {
        #expect(opened["result"] == ["plaintext": message], "\(test)")
        #expect(sealed["result"] == ["ciphertext": ciphertext], "\(test)")
      } else {
        #expect(opened["ok"] == false, "\(test)")
        let hasRightNonce = try test.required("iv").string.count == 24
        #expect(opened["error"]?["code"] == (hasRightNonce ? "bad_tag" : "bad_length"), "\(test)")
      }
    }
    Vectors.report("tool: \(path)", cases: tests.count)
  }

  @Test("HKDF-SHA256 of Wycheproof", .vectors("wycheproof/hkdf_sha256_test.json"))
  func hkdf() throws {
    let path = "wycheproof/hkdf_sha256_test.json"
    let tests = try tests(path)
    for test in tests {
      let answer = try answer(
        "hkdf.sha256",
        [
          "ikm": try test.required("ikm"), "salt": try test.required("salt"), "info": try test.required("info"),
          "length": try test.required("size"),
        ])
      if try test.required("result").string == "valid" {
        #expect(answer["result"] == ["okm": try test.required("okm")], "\(test)")
      } else {
        #expect(answer["error"]?["code"] == "bad_value", "\(test)")
      }
    }
    Vectors.report("tool: \(path)", cases: tests.count)
  }

  @Test(
    "HMAC of Wycheproof",
    arguments: [
      ("hmac.sha256", "wycheproof/hmac_sha256_test.json"), ("hmac.sha512", "wycheproof/hmac_sha512_test.json"),
    ])
  func hmac(_ op: String, _ path: String) throws {
    guard Vectors.has(path) else { return }
    let tests = try tests(path)
    for test in tests {
      let found = try result(op, ["key": try test.required("key"), "message": try test.required("msg")])
      let tag = try test.required("tag").string
      // Some tags are cut short.
      let isValid = try found.required("mac").string.hasPrefix(tag)
      #expect(isValid == (try test.required("result").string == "valid"), "\(test)")
    }
    Vectors.report("tool: \(path)", cases: tests.count)
  }

  @Test("a ciphertext without room for its tag, and a nonce of another size, are refused")
  func sizes() throws {
    let key = JSONValue.string(String(repeating: "00", count: 32))
    let nonce = JSONValue.string(String(repeating: "00", count: 12))
    let parameters: JSONValue = ["key": key, "nonce": nonce, "ad": "", "ciphertext": "00112233"]
    #expect(try refusal("chacha20poly1305.open", parameters) == "bad_length")
    let long = JSONValue.string(String(repeating: "00", count: 16))
    #expect(try refusal("chacha20poly1305.open", parameters.setting("ciphertext", long)) == "bad_tag")
    #expect(try refusal("chacha20poly1305.open", parameters.setting("nonce", "00")) == "bad_length")
    // An empty plaintext is one.
    let sealed = try result("chacha20poly1305.seal", ["key": key, "nonce": nonce, "ad": "", "plaintext": ""])
    let opened = parameters.setting("ciphertext", try sealed.required("ciphertext"))
    #expect(try result("chacha20poly1305.open", opened) == ["plaintext": ""])
  }
}
