import Encoding
import Secp256k1
import Testing

/// What a peer can send never aborts the process, and never even reaches libsecp256k1 as what it calls an illegal
/// argument.
@Suite struct IllegalArgumentTests {
  @Test("garbage of any length is refused, and nothing aborts")
  func garbage() throws {
    let before = Secp256k1Diagnostics.illegalArgumentCount
    var random = SeededGenerator(state: 21)
    let key = random.secretKey()
    let pair = KeyPair(key)
    let hash = random.bytes32()
    for count in Array(0...170) + [255, 256, 65536] {
      for fill in [UInt8(0), 1, 2, 3, 4, 6, 0x30, 0x7f, 0x80, 0xff] {
        var bytes = [UInt8](repeating: fill, count: count)
        if fill == 0x7f { for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: random.next()) } }
        if let point = PublicKey(parsing: bytes) { _ = point.negated() }
        if let point = try? XOnlyPublicKey(copying: bytes.bytes) { _ = point.evenPoint }
        if let secret = try? SecretKey(copying: bytes.bytes) { _ = secret.publicKey }
        if let signature = try? ECDSASignature(der: bytes) { _ = key.publicKey.isValidECDSA(signature, for: hash) }
        if let compact = try? Bytes64(bytes), let signature = try? ECDSASignature(compact: compact) {
          #expect(!key.publicKey.isValidECDSA(signature.normalized, for: hash))
          let isValid = pair.xOnlyPublicKey.isValidSchnorr(SchnorrSignature(compact), for: bytes.bytes)
          #expect(!isValid)
          #expect(!DLEQProof(compact).isValid(a: key.publicKey, b: key.publicKey, c: key.publicKey))
        }
        if let signature = try? RecoverableSignature(copying: bytes.bytes) {
          _ = try? signature.recoverPublicKey(from: hash)
          _ = signature.signature
        }
        if let signature = try? SchnorrAdaptorSignature(copying: bytes.bytes) {
          #expect(!pair.xOnlyPublicKey.isValidSchnorrAdaptor(signature, for: hash, point: key.publicKey))
          _ = signature.adapted(with: key)
        }
        if let signature = try? ECDSAAdaptorSignature(copying: bytes.bytes) {
          #expect(!signature.isValid(for: hash, publicKey: key.publicKey, encryptionKey: key.publicKey))
        }
        _ = try? MuSigPublicNonce(copying: bytes.bytes)
        _ = try? MuSigAggregateNonce(copying: bytes.bytes)
        _ = try? MuSigPartialSignature(copying: bytes.bytes)
      }
    }
    #expect(Secp256k1Diagnostics.illegalArgumentCount == before)
  }

  @Test("an illegal argument that does reach the library is counted, and nothing aborts")
  func callback() {
    let before = Secp256k1Diagnostics.illegalArgumentCount
    #expect(!Secp256k1Diagnostics.passIllegalArgument())
    #expect(Secp256k1Diagnostics.illegalArgumentCount == before + 1)
  }

  @Test("zero, n and too large numbers are no keys and no tweaks")
  func bounds() throws {
    let order = try Bytes32(hex: ScalarTests.order)
    let largest = try Bytes32(hex: String(repeating: "ff", count: 32))
    let key = try SecretKey(Bytes32(7))
    let minusSeven = key.negated()
    for bytes in [order, largest] {
      #expect(throws: Secp256k1Error.invalidSecretKey) { _ = try SecretKey(bytes) }
      #expect(throws: Secp256k1Error.invalidTweak) { _ = try key.adding(bytes) }
      #expect(throws: Secp256k1Error.invalidTweak) { _ = try key.multiplied(by: bytes) }
      #expect(throws: Secp256k1Error.invalidTweak) { try key.publicKey.adding(bytes) }
      #expect(throws: Secp256k1Error.invalidTweak) { try key.publicKey.multiplied(by: bytes) }
      #expect(throws: Secp256k1Error.invalidTweak) { try key.publicKey.xOnly.key.tweaked(by: bytes) }
      #expect(throws: Secp256k1Error.invalidTweak) { _ = try KeyPair(key).xOnlyTweaked(by: bytes) }
    }
    #expect(throws: Secp256k1Error.invalidSecretKey) { _ = try SecretKey(Bytes32()) }
    #expect(throws: Secp256k1Error.invalidTweak) { _ = try key.multiplied(by: Bytes32()) }
    #expect(throws: Secp256k1Error.invalidTweak) { try key.publicKey.multiplied(by: Bytes32()) }
    // Sums that cancel out.
    let opposite = try Bytes32(copying: minusSeven.bytes)
    #expect(throws: Secp256k1Error.invalidTweak) { _ = try key.adding(opposite) }
    #expect(throws: Secp256k1Error.invalidTweak) { try key.publicKey.adding(opposite) }
    #expect(throws: Secp256k1Error.pointAtInfinity) { try key.publicKey + key.publicKey.negated() }
    #expect(throws: Secp256k1Error.pointAtInfinity) { try PublicKey.sum([]) }
    #expect(throws: Secp256k1Error.pointAtInfinity) { try PublicKey.sum([key.publicKey, minusSeven.publicKey]) }
    // Adding nothing is no error.
    #expect(try key.publicKey.adding(Bytes32()) == key.publicKey)
    for bytes in [[], [UInt8](repeating: 1, count: 31), [UInt8](repeating: 1, count: 33)] {
      #expect(throws: Secp256k1Error.invalidTweak) { _ = try key.adding(bytes.bytes) }
      #expect(throws: Secp256k1Error.invalidSecretKey) { _ = try SecretKey(copying: bytes.bytes) }
    }
    for recoveryID in [4, 5, 255] as [UInt8] {
      #expect(throws: DecodingError.self) {
        try RecoverableSignature(compact: key.signECDSA(order).compact, recoveryID: recoveryID)
      }
    }
  }
}
