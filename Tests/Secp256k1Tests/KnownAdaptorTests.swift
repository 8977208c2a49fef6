import Encoding
import Secp256k1
import Testing

/// Figures of the adaptor specifications and of BIP 374, so that a bare clone tests for real.
@Suite struct KnownAdaptorTests {
  // MARK: Adaptor signatures and proofs

  @Test("Schnorr adaptor signatures: a case of each of its specification's files")
  func schnorrAdaptor() throws {
    let signer = KeyPair(try SecretKey(Bytes32(3)))
    let point = try PublicKey(hex: "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5")
    let made = try signer.signSchnorrAdaptor(Bytes32(), point: point, auxRand: Bytes32())
    #expect(
      made.hex
        == "036179dbf3e13207853f880c7a7a85ec678bad64b897f108d476438ac4a932ee9497cc73b8c351f189b9d4fde893e382"
        + "0d4bff7f49d4be1f8b02cb808cd31923a0")
    #expect(signer.xOnlyPublicKey.isValidSchnorrAdaptor(made, for: Bytes32(), point: point))

    let preSignature = try SchnorrAdaptorSignature(
      hex: "0373db6d5803edd6502de3d0956ba3bd3faba98841c9ab074c795e3a9012c4298a4b6c99ee31db1c15813028262ec25e"
        + "0e04c9d304155585f85ec002422d205d6e")
    let secret = try SecretKey(Bytes32(hex: "e5e68d0e637da4822732e20f3eebe1826892e81c2cfec6bec600cda3f66a53f1"))
    let signature = preSignature.adapted(with: secret)
    #expect(
      signature.hex
        == "73db6d5803edd6502de3d0956ba3bd3faba98841c9ab074c795e3a9012c4298a65860cdfce5d779359fd4616efd67c8a"
        + "56e5c7ce979f5f755891932b06ec4abe")
    let key = try XOnlyPublicKey(hex: "a18dbc8dbf163c60dfa2ec7c87ac113ca482fa2e1fddd3ec8421bf9bfa2ef1f2")
    let message = try Bytes32(hex: "389575b92b586be2730a998241e5cf651d6c191fa64eea3d00256aff7d18484f")
    #expect(key.isValidSchnorr(signature, for: message))
    let extracted = try preSignature.secret(from: signature, point: secret.publicKey)
    #expect(extracted.bytes.array == secret.bytes.array)
    #expect(throws: Secp256k1Error.wrongAdaptorSecret) {
      _ = try preSignature.secret(from: signature, point: .generator)
    }
  }

  @Test("ECDSA adaptor signatures: a case of dlcspecs with a negated s, and ones made here")
  func ecdsaAdaptor() throws {
    let encrypted = try ECDSAAdaptorSignature(
      hex: "036035c89860ec62ad153f69b5b3077bcd08fbb0d28dc7f7f6df4a05cca35455be037043b63c56f6317d9928e8f91007"
        + "335748c49824220db14ad10d80a5d00a9654af0996c1824c64c90b951bb2734aaecf78d4b36131a47238c3fa2ba25e2c"
        + "ed54255b06df696de1483c3767242a3728826e05f79e3981e12553355bba8a0131cd370e63e3da73106f638576a5aab0"
        + "ea6d45c042574c0c8d0b14b8c7c01cfe9072")
    let hash = try Bytes32(hex: "8131e6f4b45754f2c90bd06688ceeabc0c45055460729928b4eecf11026a9e2d")
    let key = try PublicKey(hex: "035be5e9478209674a96e60f1f037f6176540fd001fa1d64694770c56a7709c42c")
    let encryptionKey = try PublicKey(hex: "024eee18be9a5a5224000f916c80b393447989e7194bc0b0f1ad7a03369702bb51")
    #expect(encrypted.isValid(for: hash, publicKey: key, encryptionKey: encryptionKey))
    #expect(!encrypted.isValid(for: hash, publicKey: key, encryptionKey: encryptionKey.negated()))
    #expect(!encrypted.isValid(for: Bytes32(), publicKey: key, encryptionKey: encryptionKey))
    let secret = try SecretKey(Bytes32(hex: "db2debddb002473a001dd70b06f6c97bdcd1c46ba1001237fe0ee1aeffb2b6c4"))
    let signature = try encrypted.decrypted(with: secret)
    #expect(
      signature.compact.hex
        == "6035c89860ec62ad153f69b5b3077bcd08fbb0d28dc7f7f6df4a05cca35455be4ceacf921546c03dd1be596723ad1e76"
        + "91bdac73d88cc36c421c5e7f08384305")
    let recovered = try encrypted.secret(from: signature, encryptionKey: encryptionKey)
    #expect(recovered.bytes.array == secret.bytes.array)

    var random = SeededGenerator(state: 41)
    for _ in 0..<20 {
      let signer = random.secretKey()
      let secret = random.secretKey()
      let hash = random.bytes32()
      let made = try signer.signECDSAAdaptor(hash, encryptionKey: secret.publicKey, auxRand: random.bytes32())
      #expect(made.isValid(for: hash, publicKey: signer.publicKey, encryptionKey: secret.publicKey))
      #expect(try ECDSAAdaptorSignature(copying: made.bytes) == made)
      let signature = try made.decrypted(with: secret)
      #expect(signature.isLowS && signer.publicKey.isValidECDSA(signature, for: hash))
      let recovered = try made.secret(from: signature, encryptionKey: secret.publicKey)
      #expect(recovered.bytes.array == secret.bytes.array)
      // Another key's signature reveals nothing.
      #expect(throws: Secp256k1Error.wrongAdaptorSecret) {
        _ = try made.secret(from: signer.signECDSA(hash), encryptionKey: secret.publicKey)
      }
    }
  }

  @Test("DLEQ proofs: the first case of BIP 374")
  func dleq() throws {
    let secret = try SecretKey(Bytes32(hex: "07ff93d43f1012a5d4a44aba55240212ed39c87b3344e46757d99f24177fc576"))
    let generator = try PublicKey(hex: "02cef38f55e78b321a1f785cb1c6e33dfcef9784c18bdc4e279801c449ccdfb88e")
    let base = try PublicKey(hex: "02dad4b35c2379ba8334c9a5dda8f6e6d5cd575a7cc9d3ca4faaac51839daaa30f")
    let message = try Bytes32(hex: "efb07d4b382d3da1079fbf24df623ba6c2e4c764993bbfa6dd7a4fe4aaf33859")
    let proof = try DLEQProof(
      secret: secret, base: base,
      auxRand: Bytes32(hex: "cb979b0fc8ccc7f237751e719d992fcc324b6500af33999cd54a3e5c05fb1ea4"),
      generator: generator, message: message)
    #expect(
      proof.hex
        == "7e7e934169e0bf4706e6b29e5a621c7fe199a524744a25af80071e111c0e2e94118e730d8add118dd2ee4f7d1cc183e1"
        + "b87168362d1a6f85c16d8671a3fc7a8a")
    let a = secret.sharedPoint(with: generator)
    let c = secret.sharedPoint(with: base)
    #expect(proof.isValid(a: a, b: base, c: c, generator: generator, message: message))
    #expect(!proof.isValid(a: a, b: base, c: c, generator: generator))
    #expect(!proof.isValid(a: a, b: base, c: c, message: message))
    #expect(!proof.isValid(a: c, b: base, c: a, generator: generator, message: message))
    for index in 0..<64 {
      var changed = proof.raw
      changed[index] ^= 0x40
      #expect(!DLEQProof(changed).isValid(a: a, b: base, c: c, generator: generator, message: message))
    }
  }
}
