import Encoding
import JSON
import Secp256k1
import Testing
import VectorSupport

/// The vectors of BIP 327, each file whole.
@Suite struct MuSigVectorTests {
  static let folder = "bips/bip-0327/"

  /// The pools of a file, by index.
  struct Pools {
    let json: JSONValue
    init(_ file: String) throws { json = try Vectors.json(MuSigVectorTests.folder + file) }

    func pick<T: FixedSizeBytes>(_ pool: String, _ indices: JSONValue) throws -> [T] {
      let values = try json.required(pool).array
      return try indices.array.map { try values[$0.int].fixed() }
    }

    func one<T: FixedSizeBytes>(_ pool: String, _ index: JSONValue) throws -> T {
      try json.required(pool).array[index.int].fixed()
    }

    func tweaks(_ test: JSONValue) throws -> [MuSigTweak] {
      guard let modes = test["is_xonly"] else { return [] }
      let values: [Bytes32] =
        if let indices = test["tweak_indices"] {
          try pick("tweaks", indices)
        } else {
          try test.required("tweaks").array.map { try $0.fixed() }
        }
      return try zip(values, modes.array).map { MuSigTweak($0, try $1.flag ? .xOnly : .plain) }
    }

    func keys(_ test: JSONValue) throws -> MuSigKeyAggregation {
      var keys = try MuSigKeyAggregation(encoded: pick("pubkeys", test.required("key_indices")))
      for tweak in try tweaks(test) { try keys.apply(tweak) }
      return keys
    }

    func secretKey() throws -> SecretKey { try SecretKey(json.required("sk").fixed(Bytes32.self)) }
  }

  /// What the library should throw where a file says `error`.
  static func expectedError(_ test: JSONValue) throws -> Secp256k1Error {
    let error = try test.required("error")
    if try error.required("type").string == "invalid_contribution" {
      let what = try error.required("contrib").string
      guard let contribution = MuSigContribution(rawValue: what) else { throw VectorError.unexpected(what) }
      return .invalidContribution(
        contribution, signer: try error.required("signer").isNull ? nil : error["signer"]?.int)
    }
    switch try error.required("message").string {
    case "The result of tweaking cannot be infinity.", "The tweak must be less than n.": return .invalidTweak
    case "The signer's pubkey must be included in the list of pubkeys.": return .unknownSigner
    case "first secnonce value is out of range.": return .invalidNonce
    case let message: throw VectorError.unexpected(message)
    }
  }

  @Test("BIP 327 key sorting", .vectors(folder + "key_sort_vectors.json"))
  func keySort() throws {
    let json = try Pools("key_sort_vectors.json").json
    let keys = try json.required("pubkeys").array.map { try $0.fixed(Bytes33.self) }
    let sorted = try json.required("sorted_pubkeys").array.map { try $0.fixed(Bytes33.self) }
    #expect(keys.sorted() == sorted)
    let points = keys.compactMap { try? PublicKey(copying: $0.bytes) }
    #expect(points.sorted().map(\.compressed) == sorted.filter { points.map(\.compressed).contains($0) })
    Vectors.report(Self.folder + "key_sort_vectors.json", cases: 1)
  }

  @Test("BIP 327 key aggregation", .vectors(folder + "key_agg_vectors.json"))
  func keyAggregation() throws {
    let pools = try Pools("key_agg_vectors.json")
    let valid = try pools.json.required("valid_test_cases").array
    for test in valid {
      #expect(try pools.keys(test).xOnlyPublicKey == test.required("expected").fixed())
    }
    let invalid = try pools.json.required("error_test_cases").array
    for test in invalid {
      #expect(throws: try Self.expectedError(test), "\(test)") { try pools.keys(test) }
    }
    Vectors.report(Self.folder + "key_agg_vectors.json", cases: valid.count + invalid.count)
  }

  @Test("BIP 327 nonce generation", .vectors(folder + "nonce_gen_vectors.json"))
  func nonceGeneration() throws {
    let tests = try Vectors.json(Self.folder + "nonce_gen_vectors.json").required("test_cases").array
    for test in tests {
      let aggregate = try test.required("aggpk")
      let nonce = try BIP327.nonce(
        randomness: test.required("rand_").fixed(), secretKey: test.required("sk").optionalHexBytes,
        publicKey: test.required("pk").fixed(), aggregateKey: aggregate.isNull ? nil : aggregate.fixed(),
        message: test.required("msg").optionalHexBytes, extraInput: test.required("extra_in").optionalHexBytes)
      #expect(try nonce.serialized == test.required("expected_secnonce").hexBytes)
      #expect(try nonce.publicNonce == test.required("expected_pubnonce").fixed())
    }
    Vectors.report(Self.folder + "nonce_gen_vectors.json", cases: tests.count)
  }

  @Test("BIP 327 nonce aggregation", .vectors(folder + "nonce_agg_vectors.json"))
  func nonceAggregation() throws {
    let pools = try Pools("nonce_agg_vectors.json")
    let valid = try pools.json.required("valid_test_cases").array
    for test in valid {
      let nonce = try MuSigAggregateNonce(encoded: pools.pick("pnonces", test.required("pnonce_indices")))
      #expect(try nonce == test.required("expected").fixed())
    }
    let invalid = try pools.json.required("error_test_cases").array
    for test in invalid {
      let nonces: [FixedBytes<66>] = try pools.pick("pnonces", test.required("pnonce_indices"))
      #expect(throws: try Self.expectedError(test), "\(test)") { try MuSigAggregateNonce(encoded: nonces) }
    }
    Vectors.report(Self.folder + "nonce_agg_vectors.json", cases: valid.count + invalid.count)
  }

  /// Checks a partial signature with libsecp256k1, where it can, and with our own equations.
  func verify(
    _ signature: MuSigPartialSignature, signer: Int, keys: MuSigKeyAggregation, nonces: [FixedBytes<66>],
    message: [UInt8]
  ) throws -> Bool {
    let aggregate = try MuSigAggregateNonce(encoded: nonces)
    let key = keys.publicKeys[signer]
    let session = BIP327.Session(keys: keys, aggregateNonce: aggregate, message: message)
    let isValid = session.isValid(signature, of: key, nonce: nonces[signer])
    if let message = try? Bytes32(message) {
      let session = MuSigSession(keys: keys, aggregateNonce: aggregate, message: message)
      let nonce = try MuSigPublicNonce(copying: nonces[signer].bytes)
      #expect(session.isValid(signature, of: key, nonce: nonce) == isValid)
    }
    return isValid
  }

  @Test("BIP 327 signing and verifying", .vectors(folder + "sign_verify_vectors.json"))
  func signAndVerify() throws {
    let pools = try Pools("sign_verify_vectors.json")
    let messages = try pools.json.required("msgs").array.map { try $0.hexBytes }
    let secretNonces = try pools.json.required("secnonces").array.map { try $0.hexBytes }
    var count = 0

    for test in try pools.json.required("valid_test_cases").array {
      let keys = try pools.keys(test)
      let nonces: [FixedBytes<66>] = try pools.pick("pnonces", test.required("nonce_indices"))
      let aggregate = try MuSigAggregateNonce(encoded: nonces)
      #expect(try aggregate == pools.one("aggnonces", test.required("aggnonce_index")))
      let message = try messages[test.required("msg_index").int]
      let session = BIP327.Session(keys: keys, aggregateNonce: aggregate, message: message)
      let signature = try session.sign(
        with: try pools.secretKey(), nonce: BIP327.SecretNonce(secretNonces[0]))
      #expect(try signature == test.required("expected").fixed())
      let signer = try test.required("signer_index").int
      #expect(try verify(signature, signer: signer, keys: keys, nonces: nonces, message: message))
      count += 1
    }

    for test in try pools.json.required("sign_error_test_cases").array {
      #expect(throws: try Self.expectedError(test), "\(test)") {
        let aggregate = try MuSigAggregateNonce(encoded: pools.one("aggnonces", test.required("aggnonce_index")))
        let message = try messages[test.required("msg_index").int]
        let session = try BIP327.Session(keys: pools.keys(test), aggregateNonce: aggregate, message: message)
        let nonce = try BIP327.SecretNonce(secretNonces[test.required("secnonce_index").int])
        _ = try session.sign(with: try pools.secretKey(), nonce: nonce)
      }
      count += 1
    }

    for test in try pools.json.required("verify_fail_test_cases").array {
      // A signature of n or more is not even read.
      if let signature = try? MuSigPartialSignature(hex: test.required("sig").string) {
        let isValid = try verify(
          signature, signer: test.required("signer_index").int, keys: pools.keys(test),
          nonces: pools.pick("pnonces", test.required("nonce_indices")),
          message: messages[test.required("msg_index").int])
        #expect(!isValid, "\(test)")
      } else {
        #expect(test["comment"]?.stringValue == "Signature exceeds group size")
      }
      count += 1
    }

    for test in try pools.json.required("verify_error_test_cases").array {
      #expect(throws: try Self.expectedError(test), "\(test)") {
        let keys = try pools.keys(test)
        let nonces: [FixedBytes<66>] = try pools.pick("pnonces", test.required("nonce_indices"))
        _ = try verify(
          test.required("sig").fixed(), signer: test.required("signer_index").int, keys: keys, nonces: nonces,
          message: messages[test.required("msg_index").int])
      }
      count += 1
    }
    Vectors.report(Self.folder + "sign_verify_vectors.json", cases: count)
  }

  @Test("BIP 327 tweaks", .vectors(folder + "tweak_vectors.json"))
  func tweaks() throws {
    let pools = try Pools("tweak_vectors.json")
    let message = try pools.json.required("msg").hexBytes
    let secretNonce = try pools.json.required("secnonce").hexBytes
    let valid = try pools.json.required("valid_test_cases").array
    for test in valid {
      let keys = try pools.keys(test)
      let nonces: [FixedBytes<66>] = try pools.pick("pnonces", test.required("nonce_indices"))
      let aggregate = try MuSigAggregateNonce(encoded: nonces)
      #expect(try aggregate == pools.json.required("aggnonce").fixed())
      let session = BIP327.Session(keys: keys, aggregateNonce: aggregate, message: message)
      let signature = try session.sign(
        with: try pools.secretKey(), nonce: BIP327.SecretNonce(secretNonce))
      #expect(try signature == test.required("expected").fixed(), "\(test)")
      let signer = try test.required("signer_index").int
      #expect(try verify(signature, signer: signer, keys: keys, nonces: nonces, message: message))
    }
    let invalid = try pools.json.required("error_test_cases").array
    for test in invalid {
      #expect(throws: try Self.expectedError(test), "\(test)") { try pools.keys(test) }
    }
    Vectors.report(Self.folder + "tweak_vectors.json", cases: valid.count + invalid.count)
  }

  @Test("BIP 327 deterministic signing", .vectors(folder + "det_sign_vectors.json"))
  func deterministicSigning() throws {
    let pools = try Pools("det_sign_vectors.json")
    let messages = try pools.json.required("msgs").array.map { try $0.hexBytes }

    func sign(_ test: JSONValue) throws -> (publicNonce: MuSigPublicNonce, signature: MuSigPartialSignature) {
      let auxRand = try test.required("rand")
      return try pools.secretKey().signMuSigDeterministically(
        keys: pools.keys(test), aggregateOtherNonce: test.required("aggothernonce").fixed(),
        message: messages[test.required("msg_index").int], auxRand: auxRand.isNull ? nil : auxRand.fixed())
    }

    let valid = try pools.json.required("valid_test_cases").array
    for test in valid {
      let made = try sign(test)
      let expected = try test.required("expected").array
      #expect(try made.publicNonce == expected[0].fixed())
      #expect(try made.signature == expected[1].fixed())
    }
    let invalid = try pools.json.required("error_test_cases").array
    for test in invalid {
      #expect(throws: try Self.expectedError(test), "\(test)") { _ = try sign(test) }
    }
    Vectors.report(Self.folder + "det_sign_vectors.json", cases: valid.count + invalid.count)
  }

  @Test("BIP 327 aggregating signatures", .vectors(folder + "sig_agg_vectors.json"))
  func signatureAggregation() throws {
    let pools = try Pools("sig_agg_vectors.json")
    let message: Bytes32 = try pools.json.required("msg").fixed()

    func aggregate(_ test: JSONValue) throws -> (XOnlyPublicKey, SchnorrSignature) {
      let nonce = try MuSigAggregateNonce(encoded: pools.pick("pnonces", test.required("nonce_indices")))
      #expect(try nonce == test.required("aggnonce").fixed())
      let keys = try pools.keys(test)
      let session = MuSigSession(keys: keys, aggregateNonce: nonce, message: message)
      let signature = try session.aggregate(encoded: pools.pick("psigs", test.required("psig_indices")))
      return (keys.xOnlyPublicKey, signature)
    }

    let valid = try pools.json.required("valid_test_cases").array
    for test in valid {
      let (key, signature) = try aggregate(test)
      #expect(try signature == test.required("expected").fixed(), "\(test)")
      #expect(key.isValidSchnorr(signature, for: message))
    }
    let invalid = try pools.json.required("error_test_cases").array
    for test in invalid {
      #expect(throws: try Self.expectedError(test), "\(test)") { _ = try aggregate(test) }
    }
    Vectors.report(Self.folder + "sig_agg_vectors.json", cases: valid.count + invalid.count)
  }
}
