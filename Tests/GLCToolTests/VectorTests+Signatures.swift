import Encoding
import Hashing
import JSON
import Testing
import VectorSupport

/// The official suites, through the operations as a script calls them.
@Suite struct SignatureVectorTests {
  @Test("BIP 340", .vectors("bips/bip-0340/test-vectors.csv"))
  func schnorr() throws {
    let path = "bips/bip-0340/test-vectors.csv"
    let rows = try Vectors.csv(path)
    for row in rows {
      func field(_ name: String) -> JSONValue { .string(row[name] ?? "") }
      let verified = try result(
        "schnorr.verify", ["xonly": field("public key"), "message": field("message"), "signature": field("signature")])
      #expect(verified == ["valid": .bool(row["verification result"] == "TRUE")], "\(row)")
      guard row["secret key"]?.isEmpty == false else { continue }
      let signed = try result(
        "schnorr.sign",
        ["seckey": field("secret key"), "message": field("message"), "aux_rand": field("aux_rand")])
      #expect(signed == ["signature": .string(row["signature"]?.lowercased() ?? "")], "\(row)")
    }
    Vectors.report("tool: \(path)", cases: rows.count)
  }

  /// Half of n: Wycheproof's 64-byte signatures may have a high s, ours may not.
  private static let halfOrder = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0"

  @Test(
    "ECDSA of Wycheproof, DER and 64 bytes",
    arguments: [
      "wycheproof/ecdsa_secp256k1_sha256_bitcoin_test.json", "wycheproof/ecdsa_secp256k1_sha256_p1363_test.json",
    ])
  func ecdsa(_ path: String) throws {
    guard Vectors.has(path) else { return }
    var count = 0
    for group in try Vectors.json(path).required("testGroups").array {
      let key = try Hex.decode(group.required("publicKey").required("uncompressed").string)
      let compressed = [2 + (key[64] & 1)] + key[1...32]
      for test in try group.required("tests").array {
        let signature = try test.required("sig").string
        let hash = sha256(try Hex.decode(test.required("msg").string))
        var isValid = try test.required("result").string == "valid"
        if path.contains("p1363"), signature.count == 128, signature.suffix(64) > Self.halfOrder { isValid = false }
        let found = try result(
          "ecdsa.verify",
          [
            "pubkey": .string(Hex.encode(compressed)), "message_hash": .string(hash.hex),
            "signature": .string(signature),
          ])
        #expect(found == ["valid": .bool(isValid)], "\(path): \(test)")
        count += 1
      }
    }
    Vectors.report("tool: \(path)", cases: count)
  }

  @Test("ECDH of Wycheproof, for keys in the usual encoding", .vectors("wycheproof/ecdh_secp256k1_test.json"))
  func ecdh() throws {
    let path = "wycheproof/ecdh_secp256k1_test.json"
    // A SubjectPublicKeyInfo of an uncompressed point on secp256k1.
    let prefix = "3056301006072a8648ce3d020106052b8104000a03420004"
    var count = 0
    for group in try Vectors.json(path).required("testGroups").array {
      for test in try group.required("tests").array {
        let encoded = try test.required("public").string
        guard encoded.hasPrefix(prefix), encoded.count == prefix.count + 128 else { continue }
        let point = try Hex.decode(encoded.dropFirst(prefix.count))
        let compressed = Hex.encode([2 + (point[63] & 1)] + point[0..<32])
        let secret = String(repeating: "0", count: 64) + (try test.required("private").string)
        let answer = try answer("ecdh", ["seckey": .string(String(secret.suffix(64))), "pubkey": .string(compressed)])
        if try test.required("result").string == "invalid" {
          // A point that is not on the curve, whose compressed form may be one that is.
          #expect(answer["ok"] == false || answer["result"]?["x"] != test["shared"], "\(test)")
        } else {
          #expect(answer["result"]?["x"] == test["shared"], "\(test)")
        }
        count += 1
      }
    }
    #expect(count > 300)
    Vectors.report("tool: \(path) (keys in the usual encoding)", cases: count)
  }

  @Test("what is no signature is not valid, what is no key is refused")
  func oddInputs() throws {
    let key: JSONValue = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    let hash: JSONValue = .string(String(repeating: "01", count: 32))
    let parameters: JSONValue = ["pubkey": key, "message_hash": hash, "signature": ""]
    for length in [0, 1, 63, 64, 65, 72, 1000] {
      for byte in ["00", "30", "ff"] {
        let signature = JSONValue.string(String(repeating: byte, count: length))
        #expect(try result("ecdsa.verify", parameters.setting("signature", signature)) == ["valid": false])
      }
    }
    let noPoint: JSONValue = .string("02" + String(repeating: "ff", count: 32))
    #expect(try refusal("ecdsa.verify", parameters.setting("pubkey", noPoint)) == "bad_pubkey")
    #expect(try refusal("ecdsa.verify", parameters.setting("pubkey", "02")) == "bad_length")
    #expect(try refusal("ecdsa.verify", parameters.setting("message_hash", "00")) == "bad_length")
    for secret in [
      String(repeating: "0", count: 64), "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
    ] {
      #expect(try refusal("ecdsa.sign", ["seckey": .string(secret), "message_hash": hash]) == "bad_seckey")
    }
    for length in [0, 63, 65] {
      let signature = JSONValue.string(String(repeating: "00", count: length))
      let found = try result("schnorr.verify", ["xonly": hash, "message": "", "signature": signature])
      #expect(found == ["valid": false])
    }
  }
}
