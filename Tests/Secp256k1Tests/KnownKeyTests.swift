import Encoding
import Hashing
import Secp256k1
import Testing

/// ECDSA and points by figures that others publish, so that a bare clone tests for real.
@Suite struct KnownKeyTests {
  // MARK: ECDSA

  /// RFC 6979 on this curve, a figure that many libraries share: the key 1 signs SHA-256("Satoshi Nakamoto").
  @Test("ECDSA with the nonce of RFC 6979")
  func rfc6979() throws {
    let key = try SecretKey(Bytes32(1))
    #expect(key.publicKey == .generator)
    let hash = sha256([UInt8]("Satoshi Nakamoto".utf8))
    let signature = key.signECDSA(hash, grindLowR: false)
    #expect(
      signature.compact.hex
        == "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8"
        + "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5")
    // Its r is high: grinding finds another.
    let ground = key.signECDSA(hash)
    #expect(ground.compact[0] < 0x80)
    #expect(ground != signature)
    for made in [signature, ground] {
      #expect(made.isLowS)
      #expect(key.publicKey.isValidECDSA(made, for: hash))
      #expect(try ECDSASignature(der: made.der) == made)
      #expect(try ECDSASignature(compact: made.compact) == made)
    }
  }

  /// Bitcoin Core, key_tests.cpp: keys in wallet import format, and what they sign of "Very deterministic message".
  @Test(
    "ECDSA with low r, as Bitcoin Core signs",
    arguments: [
      (
        "5HxWvvfubhXpYYpS3tJkw6fq9jE9j18THftkZjHHfmFiWtmAbrj",
        "304402205dbbddda71772d95ce91cd2d14b592cfbc1dd0aabd6a394b6c2d377bbe59d31d022014ddda21494a4e221f0824f0b8b924c4"
          + "3fa43c0ad57dccdaa11f81a6bd4582f6"
      ),
      (
        "5KC4ejrDjv152FGwP386VD1i2NYc5KkfSMyv1nGy1VGDxGHqVY3",
        "3044022052d8a32079c11e79db95af63bb9600c5b04f21a9ca33dc129c2bfa8ac9dc1cd5022061d8ae5e0f6c1a16bde3719c64c2fd70"
          + "e404b6428ab9a69566962e8771b5944d"
      ),
    ])
  func bitcoinCore(wif: String, der: String) throws {
    let key = try SecretKey(Bytes32(Array(Base58.decode(wif)[1..<33])))
    let hash = sha256d([UInt8]("Very deterministic message".utf8))
    let signature = key.signECDSA(hash)
    #expect(Hex.encode(signature.der) == der)
    #expect(key.publicKey.isValidECDSA(signature, for: hash))
  }

  @Test("a signature with low r and s is at most 70 bytes of DER, and a high s is another form of it")
  func forms() throws {
    var random = SeededGenerator(state: 31)
    for _ in 0..<100 {
      let key = random.secretKey()
      let publicKey = key.publicKey
      let hash = random.bytes32()
      let signature = key.signECDSA(hash)
      #expect(signature.der.count <= 70)
      #expect(signature.isLowS && signature.normalized == signature)
      let s = try Scalar(copying: signature.compact.bytes.extracting(32..<64))
      let high = try ECDSASignature(compact: Bytes64(signature.compact.array.prefix(32) + (-s).bytes.array))
      #expect(!high.isLowS && high.normalized == signature)
      #expect(!publicKey.isValidECDSA(high, for: hash))
      // Recovery does not mind.
      let recoverable = key.signRecoverable(hash)
      #expect(try recoverable.recoverPublicKey(from: hash) == publicKey)
      #expect(publicKey.isValidECDSA(recoverable.signature, for: hash))
      let other = try RecoverableSignature(
        compact: Bytes64(
          recoverable.raw.array.prefix(32)
            + (-Scalar(copying: recoverable.bytes.extracting(32..<64))).bytes.array),
        recoveryID: recoverable.recoveryID ^ 1)
      #expect(try other.recoverPublicKey(from: hash) == publicKey)
      #expect(try RecoverableSignature(copying: recoverable.bytes) == recoverable)
    }
  }

  // MARK: Points

  @Test("points: the forms of a key, sums, negation and x-only keys")
  func points() throws {
    let two = try SecretKey(Bytes32(2)).publicKey
    #expect(two.hex == "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5")
    #expect(try PublicKey.generator + .generator == two)
    #expect(try PublicKey.sum([two, two, .generator]) == SecretKey(Bytes32(5)).publicKey)
    #expect(try PublicKey.generator.multiplied(by: Bytes32(2)) == two)
    #expect(try PublicKey.generator.adding(Bytes32(1)) == two)
    let negated = two.negated()
    #expect(negated.yIsOdd && !two.yIsOdd)
    #expect(negated.xOnly.key == two.xOnly.key && negated.xOnly.yIsOdd)
    #expect(negated.xOnly.key.evenPoint == two)
    #expect(PublicKey(parsing: two.uncompressed.array) == two)
    // The hybrid form, with its parity right and wrong.
    var hybrid = two.uncompressed
    hybrid[0] = 6
    #expect(PublicKey(parsing: hybrid.array) == two)
    hybrid[0] = 7
    #expect(PublicKey(parsing: hybrid.array) == nil)
    #expect(throws: DecodingError.wrongLength(expected: 33, actual: 65)) {
      try PublicKey(copying: two.uncompressed.bytes)
    }
    #expect(throws: DecodingError.self) { try PublicKey(hex: "02" + String(repeating: "f", count: 64)) }
    // BIP 341: tweaking a key and a key pair is the same.
    let pair = KeyPair(try SecretKey(Bytes32(2)).negated())
    let tweak = Bytes32(99)
    let tweaked = try pair.xOnlyPublicKey.tweaked(by: tweak)
    let tweakedPair = try pair.xOnlyTweaked(by: tweak)
    #expect(tweakedPair.xOnlyPublicKey == tweaked.key)
    #expect(tweaked.key.isTweak(of: pair.xOnlyPublicKey, by: tweak, yIsOdd: tweaked.yIsOdd))
    #expect(!tweaked.key.isTweak(of: pair.xOnlyPublicKey, by: tweak, yIsOdd: !tweaked.yIsOdd))
  }
}
