import Bitcoin
import Encoding
import Secp256k1
import Testing

@Suite struct MiniscriptTests {
  // 1·G, 2·G, 3·G.
  static let keyA = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
  static let keyB = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
  static let keyC = "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"
  static let hash32 = "6c60f404f8167a38fc70eaf8aa17ac351023bef86bcb9d1086a19afe95bd5333"
  static let hash20 = "20195b5a3d650c17f0f29f91c33f8f6335193d07"

  static func expand(_ text: String) -> String {
    text.replacing("A", with: keyA).replacing("B", with: keyB).replacing("C", with: keyC)
      .replacing("H", with: hash32).replacing("h20", with: hash20)
  }

  /// BIP 379 §Translation Table: an expression with each fragment, and its assembly in P2WSH.
  static let scripts = [
    ("pk(A)", "<A> OP_CHECKSIG"), ("c:pk_k(A)", "<A> OP_CHECKSIG"),
    ("pkh(A)", "OP_DUP OP_HASH160 <A20> OP_EQUALVERIFY OP_CHECKSIG"), ("older(144)", "9000 OP_CSV"),
    ("older(16)", "OP_16 OP_CSV"), ("after(500000000)", "0065cd1d OP_CLTV"),
    ("sha256(H)", "OP_SIZE 20 OP_EQUALVERIFY OP_SHA256 <H> OP_EQUAL"),
    ("hash256(H)", "OP_SIZE 20 OP_EQUALVERIFY OP_HASH256 <H> OP_EQUAL"),
    ("ripemd160(h20)", "OP_SIZE 20 OP_EQUALVERIFY OP_RIPEMD160 <h20> OP_EQUAL"),
    ("hash160(h20)", "OP_SIZE 20 OP_EQUALVERIFY OP_HASH160 <h20> OP_EQUAL"),
    ("andor(pk(A),pk(B),pk(C))", "<A> OP_CHECKSIG OP_NOTIF <C> OP_CHECKSIG OP_ELSE <B> OP_CHECKSIG OP_ENDIF"),
    ("and_v(v:pk(A),pk(B))", "<A> OP_CHECKSIGVERIFY <B> OP_CHECKSIG"),
    ("and_b(pk(A),s:pk(B))", "<A> OP_CHECKSIG OP_SWAP <B> OP_CHECKSIG OP_BOOLAND"),
    ("and_n(pk(A),pk(B))", "<A> OP_CHECKSIG OP_NOTIF OP_0 OP_ELSE <B> OP_CHECKSIG OP_ENDIF"),
    (
      "or_b(pk(A),a:pk(B))",
      "<A> OP_CHECKSIG OP_TOALTSTACK <B> OP_CHECKSIG OP_FROMALTSTACK OP_BOOLOR"
    ),
    ("t:or_c(pk(A),v:pk(B))", "<A> OP_CHECKSIG OP_NOTIF <B> OP_CHECKSIGVERIFY OP_ENDIF OP_1"),
    ("or_d(pk(A),pk(B))", "<A> OP_CHECKSIG OP_IFDUP OP_NOTIF <B> OP_CHECKSIG OP_ENDIF"),
    ("or_i(pk(A),pk(B))", "OP_IF <A> OP_CHECKSIG OP_ELSE <B> OP_CHECKSIG OP_ENDIF"),
    (
      "thresh(2,pk(A),s:pk(B),sln:older(9))",
      "<A> OP_CHECKSIG OP_SWAP <B> OP_CHECKSIG OP_ADD OP_SWAP OP_IF OP_0 OP_ELSE OP_9 OP_CSV OP_0NOTEQUAL OP_ENDIF OP_ADD OP_2 OP_EQUAL"
    ),
    ("multi(2,A,B,C)", "OP_2 <A> <B> <C> OP_3 OP_CHECKMULTISIG"),
    ("v:multi(1,A,B)", "OP_1 <A> <B> OP_2 OP_CHECKMULTISIGVERIFY"),
    ("dv:older(1)", "OP_DUP OP_IF OP_1 OP_CSV OP_VERIFY OP_ENDIF"), ("vsha256(H)", ""),
    (
      "v:sha256(H)",
      "OP_SIZE 20 OP_EQUALVERIFY OP_SHA256 <H> OP_EQUALVERIFY"
    ),
    ("j:pk(A)", "OP_SIZE OP_0NOTEQUAL OP_IF <A> OP_CHECKSIG OP_ENDIF"), ("n:pk(A)", "<A> OP_CHECKSIG OP_0NOTEQUAL"),
    ("u:pk(A)", "OP_IF <A> OP_CHECKSIG OP_ELSE OP_0 OP_ENDIF"),
    ("l:pk(A)", "OP_IF OP_0 OP_ELSE <A> OP_CHECKSIG OP_ENDIF"),
    ("v:thresh(1,pk(A),s:pk(B))", "<A> OP_CHECKSIG OP_SWAP <B> OP_CHECKSIG OP_ADD OP_1 OP_EQUALVERIFY"),
  ]

  @Test(arguments: scripts) func `each fragment is the script of BIP 379`(text: String, asm: String) throws {
    let expression = Self.expand(text)
    guard !asm.isEmpty else {
      #expect(throws: MiniscriptError.self) { try Miniscript<PublicKey>(expression, context: .p2wsh) }
      return
    }
    let miniscript = try Miniscript<PublicKey>(expression, context: .p2wsh)
    let words = asm.split(separator: " ").map { word in
      switch word {
      case "<A>": Self.keyA
      case "<B>": Self.keyB
      case "<C>": Self.keyC
      case "<A20>": "751e76e8199196d454941c45d1b3a323f1433bd6"
      case "<H>": Self.hash32
      case "<h20>": Self.hash20
      default: String(word)
      }
    }
    #expect(miniscript.script == (try Script(asm: words.joined(separator: " "))))
    #expect(miniscript.scriptSize == miniscript.script.count)
    let written = text.hasPrefix("c:pk_k") ? Self.expand("pk(A)") : expression
    #expect(miniscript.text == written)
  }

  @Test func `tapscript has its own keys and multisig`() throws {
    let x = { (key: String) in String(key.dropFirst(2)) }
    let text = "multi_a(2,\(x(Self.keyA)),\(Self.keyB),\(x(Self.keyC)))"
    let miniscript = try Miniscript<PublicKey>(text, context: .tapscript)
    #expect(
      miniscript.script.hex
        == "20\(x(Self.keyA))ac20\(x(Self.keyB))ba20\(x(Self.keyC))ba529c")
    #expect(throws: MiniscriptError.wrongContext(fragment: "multi_a")) {
      try Miniscript<PublicKey>(
        text.replacing(x(Self.keyA), with: Self.keyA).replacing(",\(x(Self.keyC))", with: ""), context: .p2wsh)
    }
    #expect(throws: MiniscriptError.wrongContext(fragment: "multi")) {
      try Miniscript<PublicKey>("multi(1,\(Self.keyA))", context: .tapscript)
    }
    // `d:` is unit in tapscript alone, where consensus wants OP_IF's argument minimal.
    let unit = Self.expand("thresh(2,dv:older(42),s:pk(A),s:pk(B))")
    #expect(throws: MiniscriptError.typeMismatch(fragment: "thresh")) {
      try Miniscript<PublicKey>(unit, context: .p2wsh)
    }
    #expect(throws: Never.self) { try Miniscript<PublicKey>(unit, context: .tapscript) }
  }

  static let malformed: [(String, MiniscriptError)] = [
    ("", .syntax(at: 0)), ("pk(A", .syntax(at: 69)), ("pk(A))", .syntax(at: 70)), ("pk(A) ", .syntax(at: 70)),
    ("foo(A)", .unknownFragment("foo")), ("pk", .syntax(at: 2)), ("x:pk(A)", .unknownWrapper("x")),
    (":pk(A)", .syntax(at: 0)), ("pk()", .invalidKey("")), ("pk(zz)", .invalidKey("zz")),
    ("older(0)", .invalidNumber(fragment: "older")), ("older(2147483648)", .invalidNumber(fragment: "older")),
    ("older(-1)", .invalidNumber(fragment: "older")), ("older( 1)", .invalidNumber(fragment: "older")),
    ("after()", .invalidNumber(fragment: "after")), ("sha256(h20)", .invalidHash(fragment: "sha256")),
    ("hash160(H)", .invalidHash(fragment: "hash160")), ("multi(0,A)", .invalidNumber(fragment: "multi")),
    ("multi(2,A)", .invalidNumber(fragment: "multi")), ("multi(1)", .tooManyKeys(0)),
    ("thresh(0,pk(A))", .invalidNumber(fragment: "thresh")), ("thresh(2,pk(A))", .invalidNumber(fragment: "thresh")),
    ("thresh(1)", .syntax(at: 8)), ("and_v(v:pk(A))", .syntax(at: 78)),
    ("and_v(v:pk(A),pk(B),pk(C))", .syntax(at: 149)),
    ("and_v(pk(A),pk(B))", .typeMismatch(fragment: "and_v")), ("vv:pk(A)", .typeMismatch(fragment: "v:")),
    ("a:a:pk(A)", .unknownFragment("a")), ("c:pk(A)", .typeMismatch(fragment: "c:")),
  ]

  @Test(arguments: malformed) func `what is no miniscript is refused with the reason`(
    text: String, reason: MiniscriptError
  ) {
    do {
      _ = try Miniscript<PublicKey>(Self.expand(text), context: .p2wsh)
      Issue.record("\(text) was read")
    } catch {
      #expect(error == reason, "\(text)")
    }
  }

  static let insane: [(String, MiniscriptError)] = [
    ("v:pk(A)", .notOfTypeB), ("pk_k(A)", .notOfTypeB), ("a:pk(A)", .notOfTypeB), ("older(1)", .needsNoSignature),
    ("1", .needsNoSignature), ("or_d(pk(A),older(16))", .needsNoSignature), ("0", .unsatisfiable),
    ("or_i(sha256(H),sha256(H))", .malleable), ("or_b(pk(A),s:pk(A))", .duplicateKeys),
    ("and_v(v:pk(A),or_d(pk(B),pkh(A)))", .duplicateKeys),
    ("and_v(v:pk(A),and_v(v:older(1),older(4194305)))", .mixesTimelocks),
    ("and_v(v:pk(A),and_v(v:after(1),after(500000000)))", .mixesTimelocks),
    ("and_v(v:pk(A),0)", .unsatisfiable),
  ]

  @Test(arguments: insane) func `what should not hold money is not sane`(text: String, reason: MiniscriptError) throws {
    let miniscript = try Miniscript<PublicKey>(Self.expand(text), context: .p2wsh)
    #expect(throws: reason) { try miniscript.checkSanity() }
    #expect(throws: DescriptorError.miniscript(reason)) {
      // `wsh(pk_k(…))` and the like are refused as well.
      try Descriptor("wsh(\(Self.expand(text)))")
    }
  }

  @Test(arguments: [
    "pk(A)", "and_v(v:pk(A),older(1))", "and_v(v:pk(A),and_v(v:older(1),after(500000000)))",
    "and_v(v:pk(A),and_v(v:after(1),older(4194305)))", "or_d(pk(A),and_v(v:pkh(B),older(100)))",
    "andor(pk(A),or_i(and_v(v:pkh(B),hash160(h20)),older(1008)),pk(C))", "thresh(2,pk(A),s:pk(B),s:pk(C))",
  ]) func `what wallets use is sane`(text: String) throws {
    try Miniscript<PublicKey>(Self.expand(text), context: .p2wsh).checkSanity()
    let descriptor = try Descriptor("wsh(\(Self.expand(text)))")
    #expect(
      try descriptor.outputs()[0].witnessScript == Miniscript<PublicKey>(Self.expand(text), context: .p2wsh).script)
    #expect(descriptor.description.hasPrefix("wsh(\(Self.expand(text)))#"))
  }

  // MARK: Limits

  @Test func `a witness script has at most 3600 bytes and 201 operations`() throws {
    // 1 + 35 · n bytes with distinct keys; every key is its own, so that nothing else is wrong.
    func text(_ count: Int) throws -> String {
      var text = "1"
      for index in 1...count {
        var secret = [UInt8](repeating: 0, count: 32)
        secret[31] = UInt8(index & 255)
        secret[30] = UInt8(index >> 8)
        text = "and_v(v:pk(\(try SecretKey(copying: secret.bytes).publicKey.hex)),\(text))"
      }
      return text
    }
    #expect(try Miniscript<PublicKey>(text(102), context: .p2wsh).scriptSize == 3571)
    #expect(throws: MiniscriptError.scriptTooLarge(3606)) { try Miniscript<PublicKey>(text(103), context: .p2wsh) }
    #expect(try Miniscript<PublicKey>(text(103), context: .tapscript).scriptSize == 3503)
    #expect(throws: MiniscriptError.stackTooLarge(102)) {
      try Miniscript<PublicKey>(text(102), context: .p2wsh).checkSanity()
    }
    let nested = String(repeating: "n", count: 200) + ":" + Self.expand("pk(A)")
    try Miniscript<PublicKey>(nested, context: .p2wsh).checkSanity()
    #expect(throws: MiniscriptError.tooManyOperations(202)) {
      try Miniscript<PublicKey>("n" + nested, context: .p2wsh).checkSanity()
    }
    try Miniscript<PublicKey>("n" + nested, context: .tapscript).checkSanity()
  }

  @Test func `depth costs no stack`() throws {
    // A wrapper costs one byte of script: tapscript holds many.
    let wrapped = String(repeating: "n", count: 300_000) + ":" + Self.expand("pk(A)")
    let miniscript = try Miniscript<PublicKey>(wrapped, context: .tapscript)
    #expect(miniscript.script.count == 300_034)
    #expect(miniscript.text.count == 300_000 + 1 + 4 + 64)
    try miniscript.checkSanity()
    let copy = try Miniscript<PublicKey>(miniscript.text, context: .tapscript)
    #expect(copy.script == miniscript.script)
    let branches =
      String(repeating: "or_i(0,", count: 60_000) + Self.expand("pk(A)") + String(repeating: ")", count: 60_000)
    #expect(try Miniscript<PublicKey>(branches, context: .tapscript).scriptSize == 240_034)
    #expect(throws: MiniscriptError.tooLong) {
      try Miniscript<PublicKey>(String(repeating: "n", count: 2_000_001), context: .tapscript)
    }
  }

  @Test func `timelocks are met as BIP 65 and BIP 112 say`() {
    let blocks = SpendingTimelocks(sequence: 10, lockTime: 100)
    #expect(blocks.satisfiesOlder(10) && blocks.satisfiesOlder(1) && !blocks.satisfiesOlder(11))
    #expect(!blocks.satisfiesOlder(1 << 22 | 1))
    // Bits without meaning do not count.
    #expect(blocks.satisfiesOlder(0x0001_0005))
    #expect(SpendingTimelocks(sequence: 1 << 22 | 7, lockTime: 0).satisfiesOlder(1 << 22 | 7))
    #expect(!SpendingTimelocks(version: 1, sequence: 10, lockTime: 0).satisfiesOlder(1))
    #expect(!SpendingTimelocks(sequence: 1 << 31 | 10, lockTime: 0).satisfiesOlder(1))
    #expect(blocks.satisfiesAfter(100) && !blocks.satisfiesAfter(101) && !blocks.satisfiesAfter(500_000_000))
    #expect(!SpendingTimelocks(sequence: .max, lockTime: 100).satisfiesAfter(1))
    #expect(SpendingTimelocks(sequence: 0, lockTime: 500_000_001).satisfiesAfter(500_000_000))
  }
}
