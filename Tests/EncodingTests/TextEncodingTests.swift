import Encoding
import JSON
import Testing
import VectorSupport

@Suite struct TextEncodingTests {
  // MARK: Bech32 (BIP 173) and Bech32m (BIP 350)

  static let valid: [(String, Bech32.Variant)] = [
    ("A12UEL5L", .bech32), ("a12uel5l", .bech32),
    ("an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs", .bech32),
    ("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", .bech32),
    ("11qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqc8247j", .bech32),
    ("split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w", .bech32), ("?1ezyfcl", .bech32),
    ("A1LQFN3A", .bech32m), ("a1lqfn3a", .bech32m),
    ("an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6", .bech32m),
    ("abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx", .bech32m),
    ("11llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllludsr8", .bech32m),
    ("split1checkupstagehandshakeupstreamerranterredcaperredlc445v", .bech32m), ("?1v759aa", .bech32m),
  ]

  static let invalid = [
    // BIP 173
    "\u{20}1nwldj5", "\u{7f}1axkwrx", "\u{80}1eym55h",
    "an84characterslonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1569pvx", "pzry9x0s0muk",
    "1pzry9x0s0muk", "x1b4n0q5v", "li1dgmt3", "de1lg7wt\u{ff}", "A1G7SGD8", "10a06t8", "1qzzfhee",
    // BIP 350
    "\u{20}1xj0phk", "\u{7f}1g6xzxy", "\u{80}1vctc34",
    "an84characterslonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11d6pts4", "qyrz8wqd2c9m",
    "1qyrz8wqd2c9m", "y1b0jsk6g", "lt1igcx5c0", "in1muywd", "mm1crxm3i", "au1s5cgom", "M1VUXWEZ", "16plkw9", "1p2gdwpf",
    // Mixed case, and nothing at all.
    "a12UEL5L", "", "1", "a1",
  ]

  @Test("Bech32 and Bech32m of BIP 173 and BIP 350", arguments: valid)
  func bech32(text: String, variant: Bech32.Variant) throws {
    let decoded = try Bech32.decode(text)
    #expect(decoded.variant == variant)
    let again = Bech32.encode(humanReadablePart: decoded.humanReadablePart, data: decoded.data, variant: variant)
    #expect(again == text.lowercased())
    // One changed character is always noticed.
    let characters = Array(text)
    let separator = try #require(characters.lastIndex(of: "1"))
    for index in characters.indices where index > separator {
      var changed = characters
      changed[index] = characters[index] == "q" || characters[index] == "Q" ? "p" : "q"
      #expect(throws: DecodingError.self) { try Bech32.decode(String(changed)) }
    }
  }

  @Test("text that BIP 173 and BIP 350 call invalid is refused", arguments: invalid)
  func invalidBech32(text: String) {
    #expect(throws: DecodingError.self) { try Bech32.decode(text) }
  }

  @Test("the length limit is BIP 173's unless another is asked for")
  func length() throws {
    let text = Bech32.encode(humanReadablePart: "ln", data: [UInt8](repeating: 3, count: 200), variant: .bech32)
    #expect(throws: DecodingError.tooLarge) { try Bech32.decode(text) }
    #expect(try Bech32.decode(text, maximumLength: nil).data == [UInt8](repeating: 3, count: 200))
    let bare = Bech32.encodeWithoutChecksum(humanReadablePart: "lno", data: [0, 31, 5])
    #expect(bare == "lno1ql9")
    #expect(try Bech32.decodeWithoutChecksum("LNO1QL9").data == [0, 31, 5])
  }

  @Test("five-bit groups: padding is of at most four bits, all zero")
  func fiveBits() throws {
    for count in 0..<40 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
      let values = Bech32.fiveBit(from: bytes.bytes)
      #expect(values.count == (count * 8 + 4) / 5)
      #expect(try Bech32.bytes(fromFiveBit: values) == bytes)
      let padding = values.count * 5 - count * 8
      if padding < 3 {
        let error = DecodingError.malformed("padding of five bits or more")
        #expect(throws: error) { try Bech32.bytes(fromFiveBit: values + [0]) }
      }
      if padding > 0 {
        var changed = values
        changed[changed.count - 1] |= 1
        #expect(throws: DecodingError.malformed("padding is not zero")) { try Bech32.bytes(fromFiveBit: changed) }
      }
    }
  }

  // MARK: Base58

  /// From Bitcoin Core's base58_encode_decode.json.
  static let base58Texts: [(String, String)] = [
    ("", ""), ("61", "2g"), ("626262", "a3gV"), ("636363", "aPEr"), ("516b6fcd0f", "ABnLTmg"), ("572e4794", "3EFU7m"),
    ("bf4f89001e670274dd", "3SEo3LWLoPntC"), ("10c8511e", "Rt5zm"), ("00000000000000000000", "1111111111"),
    ("73696d706c792061206c6f6e6720737472696e67", "2cFupjhnEsSn59qHXstmK2ffpLv2"),
    ("00eb15231dfceb60925886b67d065299925915aeb172c06647", "1NS17iag9jJgTHD1VXjvLCEnZuQ3rJDE9L"),
  ]

  @Test("Base58", arguments: base58Texts)
  func base58(hex: String, text: String) throws {
    let bytes = try Hex.decode(hex)
    #expect(Base58.encode(bytes.bytes) == text)
    #expect(try Base58.decode(text) == bytes)
  }

  @Test("Base58 of Bitcoin Core", .vectors("bitcoin-core/base58_encode_decode.json"))
  func base58Vectors() throws {
    let rows = try Vectors.json("bitcoin-core/base58_encode_decode.json").array
    for row in rows {
      let (hex, text) = (try row.array[0].string, try row.array[1].string)
      let bytes = try Hex.decode(hex)
      #expect(Base58.encode(bytes.bytes) == text)
      #expect(try Base58.decode(text, maximumLength: 512) == bytes)
    }
    Vectors.report("bitcoin-core/base58_encode_decode.json", cases: rows.count)
  }

  @Test("characters that Base58 leaves out are refused, and so is too long a text")
  func invalidBase58() {
    for text in ["0", "O", "I", "l", "a b", "aé", " ", "3EFU7m\n"] {
      #expect(throws: DecodingError.self, "\(text)") { try Base58.decode(text) }
    }
    #expect(throws: DecodingError.tooLarge) { try Base58.decode(String(repeating: "1", count: 257)) }
  }

  // MARK: Base64 (RFC 4648 §10) and z-base-32

  @Test(
    "Base64 of RFC 4648",
    arguments: [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
      ("foobar", "Zm9vYmFy"), ("\u{fb}\u{ff}", "w7vDvw=="),
    ])
  func base64(plain: String, text: String) throws {
    #expect(Base64.encode([UInt8](plain.utf8).bytes) == text)
    #expect(try Base64.decode(text) == [UInt8](plain.utf8))
  }

  @Test(
    "Base64 is strict", arguments: ["Zg", "Zg=", "Zh==", "Zm9=", "Zg==Zg==", "====", "Z===", " Zg==", "Zg==\n", "Zm-_"])
  func invalidBase64(text: String) {
    #expect(throws: DecodingError.self) { try Base64.decode(text) }
  }

  @Test(
    "z-base-32 of its specification, in whole bytes",
    arguments: [
      ("", ""), ("00", "yy"), ("f0bfc7", "6n9hq"), ("d47a04", "4t7ye"), ("ff", "9h"),
    ])
  func zBase32(hex: String, text: String) throws {
    let bytes = try Hex.decode(hex)
    #expect(ZBase32.encode(bytes.bytes) == text)
    #expect(try ZBase32.decode(text) == bytes)
  }

  @Test("z-base-32 is strict", arguments: ["y", "yb", "l", "YY", "yyy", "yyyyyyyyy", "v", "2", "y y"])
  func invalidZBase32(text: String) {
    #expect(throws: DecodingError.self) { try ZBase32.decode(text) }
  }

  // MARK: Hex and fixed bytes

  @Test("hex is read in either case, without anything else, and fixed bytes by their exact number")
  func hex() throws {
    #expect(Hex.encode([0x00, 0xab, 0xff]) == "00abff")
    #expect(try Hex.decode("00aBFf") == [0x00, 0xab, 0xff])
    #expect(throws: DecodingError.truncated) { try Hex.decode("0") }
    #expect(throws: DecodingError.invalidCharacter(at: 2)) { try Bytes32(hex: "00g0") }
    #expect(throws: DecodingError.invalidCharacter(at: 0)) { try Hex.decode(" 00") }
    for count in [0, 31, 33] {
      let bytes = [UInt8](repeating: 7, count: count)
      #expect(throws: DecodingError.wrongLength(expected: 32, actual: count)) { try Bytes32(bytes) }
    }
  }

  @Test("values of any length compare as their bytes do")
  func order() {
    func check<let count: Int>(_: FixedBytes<count>.Type) {
      let zero = FixedBytes<count>()
      for index in 0..<count {
        var value = zero
        value[index] = 1
        #expect(value != zero && zero < value && !(value < zero))
        var later = zero
        if index + 1 < count {
          later[index + 1] = 0xff
          #expect(later < value && value != later)
        }
      }
    }
    check(FixedBytes<1>.self)
    check(FixedBytes<7>.self)
    check(FixedBytes<8>.self)
    check(FixedBytes<12>.self)
    check(Bytes20.self)
    check(Bytes33.self)
  }
}
