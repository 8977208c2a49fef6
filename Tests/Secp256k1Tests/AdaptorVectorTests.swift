import Encoding
import JSON
import Secp256k1
import Testing
import VectorSupport

@Suite struct AdaptorVectorTests {
  @Test("Schnorr adaptor signatures of the specification by ZhePang", .vectors("adaptor/schnorr_adaptor.json"))
  func schnorr() throws {
    let json = try Vectors.json("adaptor/schnorr_adaptor.json")
    var count = 0
    for test in try json.required("presig").array {
      let input = try test.required("input")
      let message = try input.required("message").hexBytes
      let expected = try input.required("pre_signature").hexBytes
      // What cannot be read is not valid.
      let key = try? XOnlyPublicKey(hex: input.required("public_key").string)
      let point = try? PublicKey(hex: input.required("adaptor").string)
      let signature = try? SchnorrAdaptorSignature(copying: expected.bytes)
      var isValid = false
      if let key, let point, let signature {
        isValid = key.isValidSchnorrAdaptor(signature, for: message.bytes, point: point)
      }
      #expect(isValid == (try test.required("expected").flag), "\(test)")

      if let secret = try input.required("secret_key").optionalHexBytes {
        let signer = KeyPair(try SecretKey(Bytes32(secret)))
        #expect(signer.xOnlyPublicKey == key)
        let made = try signer.signSchnorrAdaptor(
          message.bytes, point: #require(point), auxRand: input.required("aux_rand").fixed())
        #expect(made.array == expected)
      }
      count += 1
    }
    for test in try json.required("adapt").array {
      let input = try test.required("input")
      let signature: SchnorrAdaptorSignature = try input.required("pre_signature").fixed()
      let adapted = signature.adapted(with: try SecretKey(input.required("secadaptor").fixed(Bytes32.self)))
      #expect(try adapted == input.required("bip340_signature").fixed())
      let key: XOnlyPublicKey = try input.required("pubkey").fixed()
      let isValid = try key.isValidSchnorr(adapted, for: input.required("message").fixed(Bytes32.self))
      #expect(try isValid == test.required("expected").flag, "\(test)")
      count += 1
    }
    for test in try json.required("secadaptor").array {
      let input = try test.required("input")
      let signature: SchnorrAdaptorSignature = try input.required("pre_signature").fixed()
      let expected = try SecretKey(input.required("secadaptor").fixed(Bytes32.self))
      let secret = try? signature.secret(
        from: input.required("bip340_signature").fixed(), point: expected.publicKey)
      if try test.required("expected").flag {
        #expect(secret.bytesArray == expected.bytes.array)
      } else {
        #expect(secret.bytesArray == nil, "\(test)")
      }
      count += 1
    }
    Vectors.report("adaptor/schnorr_adaptor.json", cases: count)
  }

  @Test("ECDSA adaptor signatures of dlcspecs", .vectors("dlcspecs/ecdsa_adaptor.json"))
  func ecdsa() throws {
    let tests = try Vectors.json("dlcspecs/ecdsa_adaptor.json").array
    for test in tests {
      let bytes = try test.required("adaptor_sig").hexBytes
      let fails = test["error"]?.stringValue != nil
      let signature = try? ECDSAAdaptorSignature(copying: bytes.bytes)
      switch try test.required("kind").string {
      case "verification":
        let adaptor = try #require(signature)
        let encryptionKey: PublicKey = try test.required("encryption_key").fixed()
        let isValid = try adaptor.isValid(
          for: test.required("message_hash").fixed(), publicKey: test.required("public_signing_key").fixed(),
          encryptionKey: encryptionKey)
        #expect(isValid == !fails, "\(test)")
        guard !fails else { continue }
        let key = try SecretKey(test.required("decryption_key").fixed(Bytes32.self))
        let decrypted = try adaptor.decrypted(with: key)
        #expect(try decrypted.compact == test.required("signature").fixed())
        let recovered = try adaptor.secret(from: decrypted, encryptionKey: encryptionKey)
        #expect(recovered.bytes.array == key.bytes.array)
      case "recovery":
        let adaptor = try #require(signature)
        let recovered = try? adaptor.secret(
          from: ECDSASignature(compact: test.required("signature").fixed()),
          encryptionKey: test.required("encryption_key").fixed())
        #expect(try recovered.bytesArray == test.required("decryption_key").optionalHexBytes, "\(test)")
        #expect((recovered.bytesArray == nil) == fails)
      case "serialization":
        #expect(signature?.array == (fails ? nil : bytes), "\(test)")
      case let kind: throw VectorError.unexpected(kind)
      }
    }
    Vectors.report("dlcspecs/ecdsa_adaptor.json", cases: tests.count)
  }

  @Test("making the DLEQ proofs of BIP 374", .vectors("bips/bip-0374/test_vectors_generate_proof.csv"))
  func makingProofs() throws {
    let path = "bips/bip-0374/test_vectors_generate_proof.csv"
    let rows = try Vectors.csv(path)
    for row in rows {
      func column(_ name: String) throws -> String { try #require(row[name]) }
      let secret = try? SecretKey(Bytes32(hex: column("scalar_a")))
      let base = try? PublicKey(hex: column("point_B"))
      let message = try column("message")
      if try column("result_proof") == "INVALID" {
        // Neither a secret of 0 or n nor a base at infinity can be expressed.
        #expect(secret.bytesArray == nil || base == nil, "\(row)")
      } else {
        let proof = try DLEQProof(
          secret: SecretKey(Bytes32(hex: column("scalar_a"))), base: #require(base),
          auxRand: Bytes32(hex: column("auxrand_r")), generator: PublicKey(hex: column("point_G")),
          message: message.isEmpty ? nil : Bytes32(hex: message))
        #expect(try proof.hex == column("result_proof"), "\(row)")
      }
    }
    Vectors.report(path, cases: rows.count)
  }

  @Test("verifying the DLEQ proofs of BIP 374", .vectors("bips/bip-0374/test_vectors_verify_proof.csv"))
  func verifyingProofs() throws {
    let path = "bips/bip-0374/test_vectors_verify_proof.csv"
    let rows = try Vectors.csv(path)
    for row in rows {
      func column(_ name: String) throws -> String { try #require(row[name]) }
      let message = try column("message")
      let isValid = try DLEQProof(hex: column("proof")).isValid(
        a: PublicKey(hex: column("point_A")), b: PublicKey(hex: column("point_B")),
        c: PublicKey(hex: column("point_C")), generator: PublicKey(hex: column("point_G")),
        message: message.isEmpty ? nil : Bytes32(hex: message))
      #expect(try isValid == (column("result_success") == "TRUE"), "\(row)")
    }
    Vectors.report(path, cases: rows.count)
  }

  @Test("the signatures of BIP 340", .vectors("bips/bip-0340/test-vectors.csv"))
  func bip340() throws {
    let path = "bips/bip-0340/test-vectors.csv"
    let rows = try Vectors.csv(path)
    for row in rows {
      func column(_ name: String) throws -> String { try #require(row[name]) }
      let message = try Hex.decode(column("message"))
      let signature = try SchnorrSignature(hex: column("signature"))
      let key = try? XOnlyPublicKey(hex: column("public key"))
      let isValid = key?.isValidSchnorr(signature, for: message.bytes) ?? false
      #expect(try isValid == (column("verification result") == "TRUE"), "\(row)")
      let secret = try column("secret key")
      guard !secret.isEmpty else { continue }
      let signer = KeyPair(try SecretKey(Bytes32(hex: secret)))
      #expect(signer.xOnlyPublicKey == key)
      #expect(try signer.signSchnorr(message.bytes, auxRand: Bytes32(hex: column("aux_rand"))) == signature)
    }
    Vectors.report(path, cases: rows.count)
  }
}
