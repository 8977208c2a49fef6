import Bitcoin
import Encoding
import Secp256k1
import Testing

@Suite struct ScriptTemplatesTests {
  static let keys = try! [
    // BIP 67, second vector: keys in the order given there.
    "02632b12f4ac5b1d1b72b2a3b508c19172de44f6f46bcee50ba33f3f9291e47ed0",
    "027735a29bae7780a9755fae7a1c4374c656ac6a69ea9f3697fda61bb99a4f3e77",
    "02e2cc6bd5f45edd43bebe7cb9b675f0ce9ed3efe613b177588290ad188d11b404",
  ].map { try PublicKey(hex: $0) }

  @Test func everyTemplateIsRecognisedAsWhatItWasBuiltAs() throws {
    let key = Self.keys[0]
    let hash20 = try Bytes20((0..<20).map { $0 })
    let hash32 = try Bytes32((0..<32).map { $0 })
    #expect(Script.p2pk(key).kind == .p2pk(key.array))
    #expect(Script.p2pkh(hash20).kind == .p2pkh(hash20))
    #expect(Script.p2sh(hash20).kind == .p2sh(hash20))
    #expect(Script.p2wpkh(hash20).kind == .p2wpkh(hash20))
    #expect(Script.p2wsh(hash32).kind == .p2wsh(hash32))
    #expect(Script.p2tr(outputKey: key.xOnly.key).kind == .p2tr(key.xOnly.key.x))
    #expect(Script.p2a.kind == .p2a)
    #expect(Script.opReturn([1, 2], []).kind == .opReturn)
    #expect(Script.witness(version: 16, program: [1, 2])?.kind == .witness(version: 16, program: [1, 2]))
    #expect(Script.witness(version: 2, program: hash32.array)?.kind == .witness(version: 2, program: hash32.array))
    for count in 1...20 {
      let many = (0..<count).map { Self.keys[$0 % 3] }
      for required in 1...count {
        let script = try #require(Script.multisig(required: required, keys: many))
        #expect(script.kind == .multisig(required: required, keys: many.map(\.array)))
      }
    }
  }

  @Test func bip67SortsKeysBeforeTheyAreWritten() throws {
    // BIP 67 §Test vectors, "Already sorted, no action required" and the same shuffled.
    let expected = Script.multisig(required: 2, keys: Self.keys)
    #expect(Script.sortedMultisig(required: 2, keys: [Self.keys[2], Self.keys[0], Self.keys[1]]) == expected)
  }

  @Test func nearMissesAreNonstandard() throws {
    let key = Self.keys[0].hex
    let cases: [String: String] = [
      "": "empty",
      "6a4c": "a push behind OP_RETURN that is cut off",
      "6aac": "an operation behind OP_RETURN",
      "0015" + String(repeating: "00", count: 21): "a program of version 0 of 21 bytes",
      "5129" + String(repeating: "00", count: 41): "a program of 41 bytes",
      "5101aa": "a program of one byte",
      "21" + key: "a key without OP_CHECKSIG",
      "2105" + key.dropFirst(2) + "ac": "a key with an impossible first byte",
      "0021" + key + "51ae": "0 of 1",
      "5221" + key + "51ae": "2 of 1",
      "5121" + key + "52ae": "a wrong number of keys",
      "5121" + key + "51aeac": "something behind a multisig",
      "5121" + key + "51ac": "a multisig without OP_CHECKMULTISIG",
      "010121" + key + "51ae": "1 not pushed minimally",
      "5121" + key + "0101ae": "the number of keys not pushed minimally",
    ]
    for (hex, what) in cases {
      #expect(try Script(hex: hex).kind == .nonstandard, "\(what)")
    }
    #expect(Script.multisig(required: 0, keys: Self.keys) == nil)
    #expect(Script.multisig(required: 4, keys: Self.keys) == nil)
    #expect(Script.multisig(required: 1, keys: []) == nil)
    #expect(Script.multisig(required: 1, keys: Array(repeating: Self.keys[0], count: 21)) == nil)
    #expect(Script.witness(version: 17, program: [1, 2]) == nil)
    #expect(Script.witness(version: 1, program: [1]) == nil)
  }
}
