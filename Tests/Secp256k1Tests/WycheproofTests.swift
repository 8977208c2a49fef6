import Encoding
import Hashing
import JSON
import Secp256k1
import Testing
import VectorSupport

@Suite struct WycheproofTests {
  static func tests(_ path: String, _ body: (_ group: JSONValue, _ test: JSONValue) throws -> Void) throws {
    let json = try Vectors.json(path)
    var count = 0
    for group in try json.required("testGroups").array {
      for test in try group.required("tests").array {
        try body(group, test)
        count += 1
      }
    }
    #expect(try count == json.required("numberOfTests").int)
    Vectors.report(path, cases: count)
  }

  @Test("ECDH with ASN.1 keys", .vectors("wycheproof/ecdh_secp256k1_test.json"))
  func ecdh() throws {
    var acceptable = (accepted: 0, refused: 0)
    try Self.tests("wycheproof/ecdh_secp256k1_test.json") { _, test in
      let result = try test.required("result").string
      let encoded = try test.required("public").hexBytes
      guard let key = try? publicKey(subjectPublicKeyInfo: encoded) else {
        #expect(result != "valid", "\(test)")
        if result == "acceptable" { acceptable.refused += 1 }
        return
      }
      // Numbers of the key may carry leading zeros.
      var number = try test.required("private").hexBytes
      while number.count > 32, number[0] == 0 { number.removeFirst() }
      number = [UInt8](repeating: 0, count: max(0, 32 - number.count)) + number
      let secret = try SecretKey(Bytes32(number))
      let point = secret.sharedPoint(with: key)
      let expected = try test.required("shared").hexBytes
      #expect(result != "invalid", "\(test)")
      #expect(Array(point.array.dropFirst()) == expected, "\(test)")
      // The hashed form, and the multiplication that is meant for public factors, agree.
      #expect(secret.sharedSecret(with: key) == sha256(point.array))
      #expect(try key.multiplied(by: Bytes32(number)) == point)
      if result == "acceptable" {
        acceptable.accepted += 1
        #expect(try test.required("flags").array.contains("CompressedPoint"), "\(test)")
      }
    }
    // Strict DER of a named curve: of what may go either way, the compressed point alone is in order.
    #expect(acceptable.accepted == 1)
    #expect(acceptable.refused > 0)
  }

  @Test("ECDSA in strict DER with low s", .vectors("wycheproof/ecdsa_secp256k1_sha256_bitcoin_test.json"))
  func ecdsaBitcoin() throws {
    try Self.tests("wycheproof/ecdsa_secp256k1_sha256_bitcoin_test.json") { group, test in
      let encoded = try group.required("publicKey").required("uncompressed").hexBytes
      let key = try #require(PublicKey(parsing: encoded))
      #expect(try publicKey(subjectPublicKeyInfo: group.required("publicKeyDer").hexBytes) == key)
      let hash = sha256(try test.required("msg").hexBytes)
      let bytes = try test.required("sig").hexBytes
      var isValid = false
      if let signature = try? ECDSASignature(der: bytes) {
        isValid = key.isValidECDSA(signature, for: hash)
        #expect(signature.der == bytes, "\(test)")
      }
      #expect(isValid == (try test.required("result").string == "valid"), "\(test)")
    }
  }

  @Test("ECDSA in 64 bytes", .vectors("wycheproof/ecdsa_secp256k1_sha256_p1363_test.json"))
  func ecdsaCompact() throws {
    try Self.tests("wycheproof/ecdsa_secp256k1_sha256_p1363_test.json") { group, test in
      let encoded = try group.required("publicKey").required("uncompressed").hexBytes
      let key = try #require(PublicKey(parsing: encoded))
      let hash = sha256(try test.required("msg").hexBytes)
      let bytes = try test.required("sig").hexBytes
      var isValid = false
      if let compact = try? Bytes64(bytes), let signature = try? ECDSASignature(compact: compact) {
        // These vectors allow a high s, which we never do without saying so.
        isValid = key.isValidECDSA(signature.normalized, for: hash)
        if !signature.isLowS { #expect(!key.isValidECDSA(signature, for: hash)) }
        #expect(signature.compact == compact)
      }
      #expect(isValid == (try test.required("result").string == "valid"), "\(test)")
    }
  }
}
