import Encoding
import Hashing
import JSON
import Testing
import VectorSupport

@Suite struct WycheproofHashingTests {
  static func tests(_ path: String, _ body: (_ group: JSONValue, _ test: JSONValue) throws -> Void) throws {
    let json = try Vectors.json(path)
    var count = 0
    for group in try json.required("testGroups").array {
      for test in try group.required("tests").array {
        try body(group, test)
        count += 1
      }
    }
    #expect(try count == Int(json.required("numberOfTests").integer))
    Vectors.report(path, cases: count)
  }

  static func bytes(_ test: JSONValue, _ name: String) throws -> [UInt8] { try Hex.decode(test.required(name).string) }

  @Test("ChaCha20-Poly1305", .vectors("wycheproof/chacha20_poly1305_test.json"))
  func chaCha20Poly1305() throws {
    try Self.tests("wycheproof/chacha20_poly1305_test.json") { group, test in
      let isValid = try test.required("result").string == "valid"
      let key = try Bytes32(Self.bytes(test, "key"))
      // Nonces of another length than 12 bytes cannot be expressed.
      guard let nonce = try? FixedBytes<12>(Self.bytes(test, "iv")) else {
        #expect(!isValid, "\(test)")
        #expect(try group.required("ivSize").integer != 96)
        return
      }
      let data = try Self.bytes(test, "aad")
      let plaintext = try Self.bytes(test, "msg")
      let sealed = try Self.bytes(test, "ct") + Self.bytes(test, "tag")
      let opened = ChaCha20Poly1305.open(key: key, nonce: nonce, associatedData: data.bytes, ciphertext: sealed.bytes)
      #expect(opened == (isValid ? plaintext : nil), "\(test)")
      let made = ChaCha20Poly1305.seal(key: key, nonce: nonce, associatedData: data.bytes, plaintext: plaintext.bytes)
      #expect((made == sealed) == isValid, "\(test)")
    }
  }

  @Test("HKDF-SHA256", .vectors("wycheproof/hkdf_sha256_test.json"))
  func hkdf() throws {
    try Self.tests("wycheproof/hkdf_sha256_test.json") { _, test in
      let isValid = try test.required("result").string == "valid"
      let (salt, ikm) = (try Self.bytes(test, "salt"), try Self.bytes(test, "ikm"))
      let prk = HKDFSHA256.extract(salt: salt.bytes, ikm: ikm.bytes)
      let size = Int(try test.required("size").integer)
      let info = try Self.bytes(test, "info")
      let okm = HKDFSHA256.expand(prk: prk, info: info.bytes, byteCount: size)
      #expect(try okm == (isValid ? Self.bytes(test, "okm") : nil), "\(test)")
      if info.isEmpty, size >= 64 {
        let (first, second) = HKDFSHA256.twoKeys(salt: salt.bytes, ikm: ikm.bytes)
        #expect(okm?.prefix(64) == (first.array + second.array)[...])
      }
    }
  }

  @Test("HMAC-SHA256", .vectors("wycheproof/hmac_sha256_test.json"))
  func hmac256() throws {
    try Self.tests("wycheproof/hmac_sha256_test.json") { group, test in
      let message = try Self.bytes(test, "msg")
      let mac = HMACSHA256(key: try Self.bytes(test, "key")).authenticate(message.bytes)
      // Shorter tags are the first bytes of the whole one.
      let size = Int(try group.required("tagSize").integer / 8)
      let isRight = try Array(mac.array.prefix(size)) == Self.bytes(test, "tag")
      #expect(try isRight == (test.required("result").string == "valid"), "\(test)")
    }
  }

  @Test("HMAC-SHA512", .vectors("wycheproof/hmac_sha512_test.json"))
  func hmac512() throws {
    try Self.tests("wycheproof/hmac_sha512_test.json") { group, test in
      let (key, message) = (try Self.bytes(test, "key"), try Self.bytes(test, "msg"))
      let mac = hmacSHA512(key: key.bytes, message.bytes)
      let size = Int(try group.required("tagSize").integer / 8)
      let isRight = try Array(mac.array.prefix(size)) == Self.bytes(test, "tag")
      #expect(try isRight == (test.required("result").string == "valid"), "\(test)")
    }
  }
}
