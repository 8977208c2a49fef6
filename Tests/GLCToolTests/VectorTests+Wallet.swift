import JSON
import Testing
import VectorSupport

@Suite struct WalletVectorTests {
  @Test("PSBTs of Bitcoin Core, in every role", .vectors("bitcoin-core/rpc_psbt.json"))
  func psbt() throws {
    let path = "bitcoin-core/rpc_psbt.json"
    let json = try Vectors.json(path)
    var count = 0
    for text in try json.required("invalid").array + json.required("invalid_with_msg").array.map({ $0[0] ?? .null }) {
      #expect(try refusal("psbt.decode", ["psbt": text]) == "bad_psbt", "\(text)")
      count += 1
    }
    for text in try json.required("valid").array {
      let decoded = try result("psbt.decode", ["psbt": text])
      let transaction = try result("tx.decode", ["tx": decoded.required("tx")])
      #expect(decoded["txid"] == transaction["txid"])
      #expect(decoded["inputs"]?.arrayValue?.count == transaction["inputs"]?.arrayValue?.count)
      #expect(decoded["outputs"]?.arrayValue?.count == transaction["outputs"]?.arrayValue?.count)
      // Combined with itself it stays what it is.
      let combined = try result("psbt.combine", ["psbts": [text, text]])
      #expect(try result("psbt.decode", ["psbt": combined.required("psbt")]) == decoded)
      count += 1
    }
    for test in try json.required("signer").array {
      let signed = try result(
        "psbt.sign", ["psbt": try test.required("psbt"), "wif": try test.required("privkeys")])
      #expect(signed["psbt"] == test["result"], "\(test)")
      // Some are of those that "fail signer checks" in BIP 174: they are not signed, and it is said why.
      let isUnsigned = test["psbt"] == test["result"]
      #expect((signed["refused"] != nil) == isUnsigned, "\(test)")
      count += 1
    }
    for test in try json.required("combiner").array {
      #expect(try result("psbt.combine", ["psbts": test.required("combine")])["psbt"] == test["result"])
      count += 1
    }
    for test in try json.required("finalizer").array {
      let psbt = try test.required("finalize")
      #expect(try refusal("psbt.extract", ["psbt": psbt]) == "incomplete")
      let finalized = try result("psbt.finalize", ["psbt": psbt])
      #expect(finalized["psbt"] == test["result"])
      #expect(finalized["complete"] == true)
      count += 1
    }
    for test in try json.required("extractor").array {
      #expect(try result("psbt.extract", ["psbt": test.required("extract")])["tx"] == test["result"])
      count += 1
    }
    Vectors.report("tool: \(path) (all but the creator)", cases: count)
  }

  @Test("keys and PSBTs that are none are refused, and what does not belong together")
  func psbtMisfits() throws {
    let example = try #require(Example.all.first { $0.op == "psbt.sign" }).parameters
    #expect(try refusal("psbt.sign", example.setting("wif", ["x"])) == "bad_wif")
    #expect(try refusal("psbt.sign", example.setting("psbt", "cHNidP8B")) == "bad_psbt")
    #expect(try refusal("psbt.sign", example.setting("psbt", "!")) == "bad_psbt")
    let psbt = try example.required("psbt")
    let unsigned = try result("psbt.sign", example.setting("wif", []))
    #expect(try result("psbt.decode", unsigned) == result("psbt.decode", ["psbt": psbt]))
    #expect(try result("psbt.finalize", ["psbt": psbt])["complete"] == false)
    #expect(try refusal("psbt.combine", ["psbts": []]) == "cannot_combine")
    // No inputs, no outputs.
    let other: JSONValue = "cHNidP8BAAoAAAAAAAAAAAAAAA=="
    #expect(try result("psbt.decode", ["psbt": other])["complete"] == true)
    #expect(try refusal("psbt.combine", ["psbts": [psbt, other]]) == "cannot_combine")
  }

  @Test("seed phrases of BIP 39", .vectors("bips/bip-0039/trezor-vectors.json"))
  func mnemonics() throws {
    let path = "bips/bip-0039/trezor-vectors.json"
    var count = 0
    for (_, tests) in try #require(Vectors.json(path).objectValue).members {
      for test in try tests.array {
        let fields = try test.array
        let found = try result("bip39.seed", ["mnemonic": fields[1], "passphrase": "TREZOR"])
        #expect(found == ["entropy": fields[0], "seed": fields[2]], "\(test)")
        let master = try result("bip32.derive", ["seed": fields[2], "path": "m"])
        #expect(master["xprv"] == fields[3], "\(test)")
        count += 1
      }
    }
    Vectors.report("tool: \(path)", cases: count)
  }

  @Test("keys are derived from a seed, an xprv or an xpub, and from one of them alone")
  func derivation() throws {
    // BIP 32, test vector 1.
    let seed: JSONValue = "000102030405060708090a0b0c0d0e0f"
    let parent = try result("bip32.derive", ["seed": seed, "path": "m/0h"])
    let child = try result("bip32.derive", ["seed": seed, "path": "m/0'/1"])
    #expect(
      child["xprv"]
        == "xprv9wTYmMFdV23N2TdNG573QoEsfRrWKQgWeibmLntzniatZvR9BmLnvSxqu53Kw1UmYPxLgboyZQaXwTCg8MSY3H2EU4pWcQDnRnrVA1xe8fs"
    )
    #expect(try result("bip32.derive", ["xprv": parent.required("xprv"), "path": "1"]) == child)
    #expect(
      try result("bip32.derive", ["xpub": parent.required("xpub"), "path": "m/1"]) == child.setting("xprv", nil))
    #expect(
      try result("bip32.derive", ["seed": seed, "path": ""]) == result("bip32.derive", ["seed": seed, "path": "m"]))

    #expect(try refusal("bip32.derive", ["path": "m"]) == "missing_param")
    #expect(
      try refusal("bip32.derive", ["seed": seed, "xpub": parent.required("xpub"), "path": "m"]) == "conflicting_params")
    #expect(try refusal("bip32.derive", ["xpub": parent.required("xpub"), "path": "m/1h"]) == "bad_path")
    #expect(try refusal("bip32.derive", ["xpub": parent.required("xprv"), "path": "m"]) == "bad_extended_key")
    #expect(try refusal("bip32.derive", ["xprv": parent.required("xpub"), "path": "m"]) == "bad_extended_key")
    #expect(try refusal("bip32.derive", ["seed": "00", "path": "m"]) == "bad_length")
    for path in ["m/", "/0", "m/0//1", "m/x", "m/2147483648", "m/-1", "m/0hh", "n/0"] {
      #expect(try refusal("bip32.derive", ["seed": seed, "path": .string(path)]) == "bad_path", "\(path)")
    }
    #expect(try refusal("bip39.seed", ["mnemonic": "abandon", "passphrase": ""]) == "bad_mnemonic")
  }

  @Test("descriptors are listed index by index, and refused where Bitcoin Core refuses them")
  func descriptors() throws {
    let xpub =
      "xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL"
    func scripts(_ descriptor: String, _ range: JSONValue = .null) throws -> [JSONValue] {
      try result("descriptor.scripts", ["descriptor": .string(descriptor), "range": range]).required("scripts").array
    }
    let all = try scripts("wpkh(\(xpub)/*)", [0, 4])
    #expect(all.count == 5 && Set(all).count == 5)
    #expect(try scripts("wpkh(\(xpub)/*)", [3, 3]) == [all[3]])
    #expect(try scripts("wpkh(\(xpub)/3)") == [all[3]])
    let combo = try scripts("combo(\(xpub)/*)", [0, 1])
    #expect(combo.count == 8)
    #expect(combo[2] == all[0] && combo[6] == all[1])

    func code(_ descriptor: String, _ range: JSONValue = .null) throws -> String {
      try refusal("descriptor.scripts", ["descriptor": .string(descriptor), "range": range])
    }
    #expect(try code("wpkh(\(xpub)/*)") == "bad_range")
    #expect(try code("wpkh(\(xpub)/3)", [0, 0]) == "bad_range")
    #expect(try code("wpkh(\(xpub)/*)", [0, 1_000_000]) == "bad_range")
    #expect(try code("wpkh(\(xpub)/*)", [2, 1]) == "bad_value")
    #expect(try code("wpkh(\(xpub)/*)", [0]) == "bad_value")
    #expect(try code("wpkh(\(xpub)/*)", [0, 2_147_483_648]) == "bad_value")
    #expect(try code("wpkh(\(xpub)/*)", 5) == "bad_type")
    for descriptor in ["", "pk()", "foo(\(xpub))", "wpkh(\(xpub)/0)#00000000", "wsh(wpkh(\(xpub)))", "pk(\(xpub)/0"] {
      #expect(try code(descriptor) == "bad_descriptor", "\(descriptor)")
    }
    // Typed right, but anyone can spend it: not sane.
    #expect(try code("wsh(or_i(1,pk(\(xpub)/0)))") == "bad_descriptor")
  }
}
