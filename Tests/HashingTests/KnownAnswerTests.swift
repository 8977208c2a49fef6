import Encoding
import Hashing
import Testing

/// Figures that standards print, so that a bare clone tests for real.
@Suite struct KnownAnswerTests {
  static let twoBlocks = [UInt8]("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8)

  @Test("SHA-256, SHA-512, SHA-1 and RIPEMD-160 of the examples of their standards")
  func hashes() throws {
    let abc = [UInt8]("abc".utf8)
    #expect(sha256([]).hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(sha256(abc).hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(sha256(Self.twoBlocks).hex == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
    let long = sha512(abc.bytes)
    #expect(
      long.hex
        == "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f")
    #expect(sha1(abc).hex == "a9993e364706816aba3e25717850c26c9cd0d89d")
    #expect(ripemd160([]).hex == "9c1185a5c5e9fc54612808977ee8f548b2258d31")
    #expect(ripemd160(abc).hex == "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc")
    #expect(ripemd160(Self.twoBlocks).hex == "12a053384a9c0c88e405a06c27dcf49ada62eb2b")
    // The generator of secp256k1 and the script hash of its key, as BIP 173 has them.
    let generator = try Hex.decode("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
    #expect(hash160(generator).hex == "751e76e8199196d454941c45d1b3a323f1433bd6")
    #expect(sha256d([UInt8]("hello".utf8)).hex == "9595c9df90075148eb06860365df33584b75bff782a510c6cd4883a419833d50")
  }

  @Test("hashes fed in pieces, and copies continued twice, are those of the whole")
  func pieces() {
    let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    for split in [0, 1, 55, 56, 63, 64, 65, 127, 128, 129, 300] {
      var state = SHA256()
      state.update(Array(bytes[..<split]))
      var other = state
      state.update(Array(bytes[split...]))
      #expect(state.finish() == sha256(bytes))
      other.update([1])
      #expect(other.finish() == sha256(Array(bytes[..<split]) + [1]))
      var long = SHA512()
      long.update(Array(bytes[..<split]))
      long.update(Array(bytes[split...]))
      let whole = sha512(bytes.bytes)
      #expect(long.finish() == whole)
    }
  }

  @Test("tagged hashes are those of BIP 340")
  func tagged() {
    let tag = sha256([UInt8]("BIP0340/challenge".utf8)).array
    var state = taggedHash("BIP0340/challenge")
    state.update([1, 2, 3])
    #expect(state.finish() == sha256(tag + tag + [1, 2, 3]))
  }

  @Test("HMAC of RFC 4231, with short, long and exact keys")
  func hmac() throws {
    // Cases 1, 2 and 6.
    let cases: [(key: [UInt8], message: String, mac: String, mac512: String)] = [
      (
        [UInt8](repeating: 0x0b, count: 20), "Hi There",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7", "87aa7cdea5ef619d4ff0b4241a1d6cb0"
      ),
      (
        [UInt8]("Jefe".utf8), "what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", "164b7a7bfcf819e2e395fbe73b56e0a3"
      ),
      (
        [UInt8](repeating: 0xaa, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54", "80b24263c7c1a3ebb71493c1dd7be8b4"
      ),
    ]
    for (key, message, mac, mac512) in cases {
      let bytes = [UInt8](message.utf8)
      let state = HMACSHA256(key: key)
      // Twice from the same state.
      for _ in 0..<2 {
        let made = state.authenticate(bytes.bytes)
        #expect(made.hex == mac)
      }
      let long = hmacSHA512(key: key.bytes, bytes.bytes)
      #expect(long.hex.hasPrefix(mac512))
    }
  }

  @Test("HKDF of RFC 5869, cases 1 to 3, and its limit")
  func hkdf() throws {
    let cases: [(ikm: [UInt8], salt: [UInt8], info: [UInt8], prk: String, okm: String)] = [
      (
        [UInt8](repeating: 0x0b, count: 22), [UInt8](0x00...0x0c), [UInt8](0xf0...0xf9),
        "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
      ),
      (
        [UInt8](0x00...0x4f), [UInt8](0x60...0xaf), [UInt8](0xb0...0xff),
        "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
          + "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"
      ),
      (
        [UInt8](repeating: 0x0b, count: 22), [], [],
        "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
      ),
    ]
    for (ikm, salt, info, prk, okm) in cases {
      let extracted = HKDFSHA256.extract(salt: salt.bytes, ikm: ikm.bytes)
      #expect(extracted.hex == prk)
      let expanded = HKDFSHA256.expand(prk: extracted, info: info.bytes, byteCount: okm.count / 2)
      #expect(try expanded == Hex.decode(okm))
    }
    let info: [UInt8] = []
    for (byteCount, isAllowed) in [(0, true), (1, true), (8160, true), (8161, false), (-1, false)] {
      let expanded = HKDFSHA256.expand(prk: Bytes32(), info: info.bytes, byteCount: byteCount)
      #expect(expanded?.count == (isAllowed ? byteCount : nil))
    }
  }

  @Test("ChaCha20 and ChaCha20-Poly1305 of RFC 8439, §2.4.2 and §2.8.2")
  func chaCha20() throws {
    let text = [UInt8](
      ("Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
        + "sunscreen would be it.").utf8)
    var stream = text
    let streamKey = try Bytes32((0..<32).map { UInt8($0) })
    let streamNonce = try FixedBytes<12>(hex: "000000000000004a00000000")
    ChaCha20.apply(key: streamKey, nonce: streamNonce, counter: 1, to: &stream)
    #expect(
      Hex.encode(stream)
        == "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0bf91b65c5524733ab8f593dabcd62b357"
        + "1639d624e65152ab8f530c359f0861d807ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab7793736"
        + "5af90bbf74a35be6b40b8eedf2785e42874d")
    ChaCha20.apply(key: streamKey, nonce: streamNonce, counter: 1, to: &stream)
    #expect(stream == text)

    let key = try Bytes32((0x80..<0xa0).map { UInt8($0) })
    let nonce = try FixedBytes<12>(hex: "070000004041424344454647")
    let data = try Hex.decode("50515253c0c1c2c3c4c5c6c7")
    let sealed = ChaCha20Poly1305.seal(key: key, nonce: nonce, associatedData: data.bytes, plaintext: text.bytes)
    #expect(
      Hex.encode(sealed)
        == "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b"
        + "1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
        + "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691")
    let plain = ChaCha20Poly1305.open(key: key, nonce: nonce, associatedData: data.bytes, ciphertext: sealed.bytes)
    #expect(plain == text)
    // Each changed byte, and each missing one, is noticed.
    for index in sealed.indices {
      var changed = sealed
      changed[index] ^= 0x10
      let short = Array(sealed[..<index])
      for bytes in [changed, short] {
        let opened = ChaCha20Poly1305.open(key: key, nonce: nonce, associatedData: data.bytes, ciphertext: bytes.bytes)
        #expect(opened == nil)
      }
    }
    let nothing: [UInt8] = []
    let empty = ChaCha20Poly1305.seal(
      key: key, nonce: nonce, associatedData: nothing.bytes, plaintext: nothing.bytes)
    #expect(empty.count == 16)
    let opened = ChaCha20Poly1305.open(
      key: key, nonce: nonce, associatedData: nothing.bytes, ciphertext: empty.bytes)
    #expect(opened == [])
  }

  @Test("PBKDF2 of BIP 39's first vector, and SipHash-2-4 of its paper")
  func others() throws {
    let mnemonic = String(repeating: "abandon ", count: 11) + "about"
    let seed = pbkdf2SHA512(
      password: [UInt8](mnemonic.utf8), salt: [UInt8]("mnemonicTREZOR".utf8), rounds: 2048, byteCount: 64)
    #expect(
      Hex.encode(seed)
        == "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141"
        + "630c7a3c4ab7c81b2f001698e7463b04")
    let key = try FixedBytes<16>((0..<16).map { UInt8($0) })
    let message = [UInt8](0..<15)
    let hash = sipHash24(message.bytes, key: key)
    #expect(hash == 0xa129_ca61_49be_45e5)
  }
}
