import Bitcoin
import Encoding
import Hashing
import JSON
import Testing
import VectorSupport

@Suite struct KeyMnemonicTests {
  /// From BIP 39's reference vectors (passphrase "TREZOR"): entropy, phrase, seed. The first and last of several lengths.
  static let vectors: [(MnemonicLanguage, String, String, String)] = [
    (
      .english, "00000000000000000000000000000000", KeyDerivationTests.abandon,
      "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04"
    ),
    (
      .english, "808080808080808080808080808080808080808080808080",
      "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic avoid letter always",
      "107d7c02a5aa6f38c58083ff74f04c607c2d2c0ecc55501dadd72d025b751bc27fe913ffb796f841c49b1d33b610cf0e91d3aa239027f5e99fe4ce9e5088cd65"
    ),
    (
      .english, "f585c11aec520db57dd353c69554b21a89b20fb0650966fa0a9d6f74fd989d8f",
      "void come effort suffer camp survey warrior heavy shoot primary clutch crush open amazing screen patrol group space point ten exist slush involve unfold",
      "01f5bced59dec48e362f2c45b5de68b9fd6c92c6634f44d6d40aab69056506f0e35524a518034ddc1192e1dacd32c1ed3eaa3c3b131c88ed8e7e54c49a5d0998"
    ),
    (
      .japanese, "00000000000000000000000000000000",
      "あいこくしん　あいこくしん　あいこくしん　あいこくしん　あいこくしん　あいこくしん　あいこくしん　あいこくしん　あいこくしん　あいこくしん　あいこくしん　あおぞら",
      "5a6c23b5abdd5c3e1f7d77ad25ecd715647bdafb44dab324c730a76a45d7421daccee1a4ff0739715a2c56a8a9f1e527a5e3496224d91293bfcd9b5393bfff83"
    ),
    (
      .spanish, "00000000000000000000000000000000",
      "ábaco ábaco ábaco ábaco ábaco ábaco ábaco ábaco ábaco ábaco ábaco abierto",
      "29a2ee16de47d07025de37e7d9c596869439f9bcd26a702d2bae64db2bf0f68383841c5444b5b3bd39dd720d2ebe59969e110e5955c8e6d32c6c3294fd87439b"
    ),
    (
      .korean, "00000000000000000000000000000000",
      "가격 가격 가격 가격 가격 가격 가격 가격 가격 가격 가격 가능",
      "a253d07f616223e337b6fa257632a2cc37e1ba36ff0bc7cf5a943366fa1b9ef02d6aa0333da51c17902951634b8aa81b6692a194b07f4f8c542335d73c96aad3"
    ),
  ]

  @Test(arguments: vectors.indices) func `a phrase stands for its entropy and its seed`(index: Int) throws {
    let (language, entropy, phrase, seed) = Self.vectors[index]
    try check(entropy: entropy, phrase: phrase, seed: seed, language: language)
  }

  private func check(entropy: String, phrase: String, seed: String, language: MnemonicLanguage) throws {
    let mnemonic = try Mnemonic(phrase, language: language)
    #expect(Hex.encode(mnemonic.entropy) == entropy, "\(phrase)")
    #expect(Hex.encode(mnemonic.seed(passphrase: "TREZOR")) == seed, "\(phrase)")
    // Strings are compared by canonical equivalence: the form in which the file writes them does not matter.
    #expect(mnemonic.phrase == phrase)
    let written = try Mnemonic(entropy: Hex.decode(entropy), language: language)
    #expect(written == mnemonic)
    #expect(try Mnemonic(phrase).entropy == mnemonic.entropy)
  }

  @Test func `a wrong phrase is refused with the reason`() throws {
    let words = KeyDerivationTests.abandon
    #expect(throws: MnemonicError.badChecksum) { try Mnemonic(words.replacing("about", with: "abandon")) }
    #expect(throws: MnemonicError.unknownWord(at: 11)) { try Mnemonic(words.replacing("about", with: "abot")) }
    #expect(throws: MnemonicError.unknownWord(at: 0)) { try Mnemonic(words.replacing("abandon", with: "Abandon")) }
    #expect(throws: MnemonicError.invalidWordCount) { try Mnemonic(words + " about") }
    #expect(throws: MnemonicError.invalidWordCount) { try Mnemonic("") }
    #expect(throws: MnemonicError.invalidWordCount) { try Mnemonic(String(repeating: "abandon ", count: 100_000)) }
    #expect(throws: MnemonicError.unknownWord(at: 0)) { try Mnemonic(words, language: .korean) }
    for count in [0, 4, 12, 15, 17, 33, 36] {
      #expect(throws: MnemonicError.invalidEntropyLength(count)) {
        try Mnemonic(entropy: [UInt8](repeating: 0, count: count))
      }
    }
  }

  @Test func `white space and the form of letters do not change a phrase`() throws {
    let plain = try Mnemonic(KeyDerivationTests.abandon)
    let spaced = try Mnemonic("  " + KeyDerivationTests.abandon.replacing(" ", with: " \n\t") + "\n")
    #expect(spaced.seed() == plain.seed())
    let composed = "\u{e1}baco", decomposed = "a\u{301}baco"
    let rest = " ábaco ábaco ábaco ábaco ábaco ábaco ábaco ábaco ábaco ábaco abierto"
    #expect(try Mnemonic(composed + rest).seed() == Mnemonic(decomposed + rest).seed())
    #expect(
      try Mnemonic(composed + rest).seed(passphrase: "é") == Mnemonic(decomposed + rest).seed(passphrase: "e\u{301}"))
    #expect(plain.seed(passphrase: "ﬁ²") == plain.seed(passphrase: "fi2"))
    #expect(plain.seed(passphrase: "a") != plain.seed(passphrase: "A"))
  }

  @Test(arguments: MnemonicLanguage.allCases) func `every list has 2048 words, and every length of entropy comes back`(
    language: MnemonicLanguage
  ) throws {
    #expect(language.words.count == 2048)
    #expect(Set(language.words).count == 2048)
    for count in stride(from: 16, through: 32, by: 4) {
      let entropy = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
      let mnemonic = try Mnemonic(entropy: entropy, language: language)
      #expect(mnemonic.words.count == count * 3 / 4)
      #expect(try Mnemonic(mnemonic.phrase, language: language).entropy == entropy)
    }
  }

  @Test(.vectors("bips/bip-0039/trezor-vectors.json")) func `the reference vectors in twelve languages`() throws {
    let path = "bips/bip-0039/trezor-vectors.json"
    var count = 0
    for (name, rows) in try #require(Vectors.json(path).objectValue).members {
      let words = name.split(separator: "_")
      let camel = words[0] + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
      let language = try #require(MnemonicLanguage(rawValue: String(camel)), "\(name)")
      for row in try rows.array {
        let fields = try row.array.map { try $0.string }
        try check(entropy: fields[0], phrase: fields[1], seed: fields[2], language: language)
        let seed = try Hex.decode(fields[2])
        #expect(try ExtendedSecretKey(seed: seed, networkKind: .main).text == fields[3])
        count += 1
      }
    }
    Vectors.report(path, cases: count)
  }
}

@Suite struct KeyNormalizationTests {
  /// Made with the Unicode Character Database.
  static let samples: [(String, [UInt32])] = [
    ("\u{1c4}\u{323}\u{307}", [0x44, 0x5a, 0x323, 0x30c, 0x307]),
    ("\u{ac00}\u{ac01}\u{d7a3}", [0x1100, 0x1161, 0x1100, 0x1161, 0x11a8, 0x1112, 0x1175, 0x11c2]),
    (
      "\u{fdfa}",
      [
        0x635, 0x644, 0x649, 0x20, 0x627, 0x644, 0x644, 0x647, 0x20, 0x639, 0x644, 0x64a, 0x647, 0x20, 0x648, 0x633,
        0x644, 0x645,
      ]
    ),
    ("\u{ff76}\u{ff9e}", [0x30ab, 0x3099]),
    ("\u{b2}\u{bd}\u{2167}", [0x32, 0x31, 0x2044, 0x32, 0x56, 0x49, 0x49, 0x49]),
    ("\u{1e9b}\u{323}", [0x73, 0x323, 0x307]), ("q\u{307}\u{323}", [0x71, 0x323, 0x307]), ("\u{344}", [0x308, 0x301]),
    ("\u{1d504}\u{1d54f}", [0x41, 0x58]), ("\u{337f}", [0x682a, 0x5f0f, 0x4f1a, 0x793e]),
    ("\u{2126}\u{212b}", [0x3a9, 0x41, 0x30a]),
    ("", []), ("abc\u{0}\u{7f}", [0x61, 0x62, 0x63, 0, 0x7f]), ("\u{301}", [0x301]), ("\u{10ffff}", [0x10ffff]),
  ]

  @Test(arguments: samples) func `text is decomposed and its marks are ordered`(text: String, scalars: [UInt32]) {
    #expect(UnicodeNormalization.nfkd(text).unicodeScalars.map(\.value) == scalars)
  }

  @Test func `every code point decomposes as the Unicode Character Database 18 says`() {
    var hash = SHA256()
    for value in UInt32(0)..<0x110000 {
      guard let scalar = Unicode.Scalar(value) else { continue }
      hash.update([UInt8](UnicodeNormalization.nfkd(String(scalar)).utf8))
    }
    #expect(hash.finish().hex == "1b79a8756fe4beed23310523707e13f4712a2ec35a063c0d4e9089cf222896d2")
  }

  @Test func `random strings, every other scalar a combining mark, decompose as the Unicode Character Database says`() {
    var hash = SHA256()
    var state: UInt64 = 1
    for _ in 0..<20_000 {
      var text = String.UnicodeScalarView()
      for index in 0..<8 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        var value = UInt32((state >> 33) % 0x20000)
        if index % 2 == 1 { value = 0x300 + value % 0x70 }
        if let scalar = Unicode.Scalar(value) { text.append(scalar) }
      }
      hash.update([UInt8](UnicodeNormalization.nfkd(String(text)).utf8))
    }
    #expect(hash.finish().hex == "4dbebb7fa1ee6570197f008ef42e4784e76e6dc93e315d72a33cd2ac3837e277")
  }
}
