import Bitcoin
import Encoding
import JSON
import Testing
import VectorSupport

@Suite struct TransactionVectorTests {
  @Test("legacy signature hashes of Bitcoin Core", .vectors("bitcoin-core/sighash.json"))
  func legacySighash() throws {
    let path = "bitcoin-core/sighash.json"
    let rows = try Vectors.json(path).array.dropFirst()
    for row in rows {
      let fields = try row.array
      let found = try result(
        "sighash",
        ["tx": fields[0], "index": fields[2], "script_code": fields[1], "type": fields[3], "version": "legacy"])
      // The file shows the hash in display order.
      let expected = Hex.encode(try Hex.decode(fields[4].string).reversed())
      #expect(found == ["hash": .string(expected)], "\(row)")
      let decoded = try result("tx.decode", ["tx": fields[0]])
      let transaction = try Transaction(decoding: Hex.decode(fields[0].string))
      #expect(decoded["txid"] == .string(transaction.txid.description))
      #expect(decoded["inputs"]?.arrayValue?.count == transaction.inputs.count)
      #expect(decoded["outputs"]?.arrayValue?.count == transaction.outputs.count)
    }
    Vectors.report("tool: \(path)", cases: rows.count)
  }

  @Test("taproot outputs and key path spends of BIP 341", .vectors("bips/bip-0341/wallet-test-vectors.json"))
  func taproot() throws {
    let path = "bips/bip-0341/wallet-test-vectors.json"
    let json = try Vectors.json(path)
    var count = 0
    for test in try json.required("scriptPubKey").array {
      let given = try test.required("given")
      let intermediary = try test.required("intermediary")
      let expected = try test.required("expected")
      let found = try result(
        "taproot.output",
        ["internal_xonly": try given.required("internalPubkey"), "tree": try Self.tree(given.required("scriptTree"))])
      #expect(found["script_pubkey"] == expected["scriptPubKey"])
      #expect(found["output_xonly"] == intermediary["tweakedPubkey"])
      #expect(found["tweak"] == intermediary["tweak"])
      #expect(found["merkle_root"] == intermediary["merkleRoot"])
      #expect(found["control_blocks"] == (expected["scriptPathControlBlocks"] ?? []))
      let address: JSONValue = ["address": try expected.required("bip350Address")]
      #expect(try result("address.decode", address)["script_pubkey"] == expected["scriptPubKey"])
      count += 1
    }
    for test in try json.required("keyPathSpending").array {
      let given = try test.required("given")
      let prevouts = JSONValue.array(
        try given.required("utxosSpent").array.map {
          ["script_pubkey": try $0.required("scriptPubKey"), "amount_sat": try $0.required("amountSats")]
        })
      for input in try test.required("inputSpending").array {
        let spend = try input.required("given")
        let found = try result(
          "sighash.taproot",
          [
            "tx": try given.required("rawUnsignedTx"), "index": try spend.required("txinIndex"), "prevouts": prevouts,
            "type": try spend.required("hashType"),
          ])
        #expect(found["hash"] == input["intermediary"]?["sigHash"])
        let signed = try result(
          "schnorr.sign",
          [
            "seckey": try input.required("intermediary").required("tweakedPrivkey"), "message": found["hash"] ?? .null,
            "aux_rand": .string(String(repeating: "00", count: 32)),
          ])
        let witness = try input.required("expected").required("witness").array[0].string
        #expect(signed["signature"]?.stringValue == String(witness.prefix(128)))
        count += 1
      }
    }
    Vectors.report("tool: \(path)", cases: count)
  }

  /// BIP 341's tree as the operation takes it.
  private static func tree(_ json: JSONValue) throws -> JSONValue {
    switch json {
    case .array(let children): return .array(try children.map { try tree($0) })
    case .object: return ["script": try json.required("script"), "leaf_version": try json.required("leafVersion")]
    default: return .null
    }
  }

  @Test("spends of Bitcoin Core's taproot test", .vectors("bitcoin-core/taproot_script_assets.json"))
  func taprootScripts() throws {
    let path = "bitcoin-core/taproot_script_assets.json"
    let tests = try Vectors.json(path).array
    for test in tests {
      var transaction = try Transaction(decoding: Hex.decode(test.required("tx").string))
      let index = Int(try test.required("index").integer)
      let prevouts = try test.required("prevouts").array.map { output -> JSONValue in
        let bytes = try Hex.decode(output.string)
        var reader = ByteReader(bytes.bytes)
        let output = try TxOutput(from: &reader)
        return ["script_pubkey": .string(output.scriptPubKey.hex), "amount_sat": .int(output.value.rawValue)]
      }
      let flags = JSONValue.array(try test.required("flags").string.split(separator: ",").map { .string(String($0)) })
      for (kind, isValid) in [("success", true), ("failure", false)] {
        guard let spend = test[kind] else { continue }
        transaction.inputs[index].scriptSig = try Script(hex: spend.required("scriptSig").string)
        transaction.inputs[index].witness = Witness(
          try spend.required("witness").array.map { try Hex.decode($0.string) })
        let found = try result(
          "script.verify",
          [
            "tx": .string(Hex.encode(transaction.encoded)), "index": .int(index), "prevouts": .array(prevouts),
            "flags": flags,
          ])
        #expect(found["valid"] == .bool(isValid), "\(test["comment"] ?? .null): \(found)")
        #expect((found["error"] == "OK") == isValid)
      }
    }
    Vectors.report("tool: \(path)", cases: tests.count)
  }

  @Test("addresses of Bitcoin Core", .vectors("bitcoin-core/key_io_valid.json", "bitcoin-core/key_io_invalid.json"))
  func addresses() throws {
    var count = 0
    for row in try Vectors.json("bitcoin-core/key_io_valid.json").array {
      guard row[2]?["isPrivkey"] == false else { continue }
      let fields = try row.array
      let chain = try fields[2].required("chain")
      let found = try result("address.decode", ["address": fields[0], "network": chain])
      #expect(found == ["script_pubkey": fields[1], "network": chain])
      let encoded = try result("address.encode", ["script_pubkey": fields[1], "network": chain])
      // Segwit addresses may be written in capitals.
      let text = try fields[0].string
      #expect(try encoded.required("address").string == (text == text.uppercased() ? text.lowercased() : text))
      let other: JSONValue = chain == "main" ? "regtest" : "bitcoin"
      #expect(try refusal("address.decode", ["address": fields[0], "network": other]) == "wrong_network")
      count += 1
    }
    for row in try Vectors.json("bitcoin-core/key_io_invalid.json").array {
      #expect(try refusal("address.decode", ["address": row.array[0]]) == "bad_address")
      count += 1
    }
    Vectors.report("tool: bitcoin-core/key_io_*.json (addresses)", cases: count)
  }

  // MARK: Contract

  private let unsigned = Example.all.first { $0.op == "sighash.taproot" }?.parameters ?? .null

  @Test("an input that is not there, and prevouts that do not fit, are refused")
  func misfits() throws {
    for index in [9, 4_294_967_295] as [JSONValue] {
      #expect(try refusal("sighash.taproot", unsigned.setting("index", index)) == "bad_index")
    }
    for index in [-1, 4_294_967_296, .unsigned(.max)] as [JSONValue] {
      #expect(try refusal("sighash.taproot", unsigned.setting("index", index)) == "bad_value")
    }
    let prevouts = try unsigned.required("prevouts").array
    #expect(try refusal("sighash.taproot", unsigned.setting("prevouts", [])) == "bad_value")
    #expect(
      try refusal("sighash.taproot", unsigned.setting("prevouts", .array(Array(prevouts.dropLast())))) == "bad_value")
    // An outpoint may be named, and must then be the input's.
    let decoded = try result("tx.decode", ["tx": unsigned.required("tx")])
    let named = try zip(prevouts, decoded.required("inputs").array).map {
      $0.setting("txid", $1["txid"]).setting("vout", $1["vout"])
    }
    let hash = try result("sighash.taproot", unsigned)
    #expect(try result("sighash.taproot", unsigned.setting("prevouts", .array(named))) == hash)
    #expect(
      try refusal("sighash.taproot", unsigned.setting("prevouts", .array(named.reversed()))) == "bad_value")
    #expect(
      try refusal("sighash.taproot", unsigned.setting("prevouts", .array(prevouts.map { $0.setting("x", 1) })))
        == "unknown_param")
    #expect(
      try refusal(
        "sighash.taproot", unsigned.setting("prevouts", .array(prevouts.map { $0.setting("amount_sat", nil) })))
        == "missing_param")
    #expect(try refusal("sighash.taproot", unsigned.setting("type", 4)) == "bad_value")
    #expect(try refusal("sighash.taproot", unsigned.setting("annex", "51")) == "bad_value")
    #expect(try refusal("sighash.taproot", unsigned.setting("annex", "")) == "bad_value")
    #expect(try result("sighash.taproot", unsigned.setting("annex", "50")) != hash)
  }

  @Test("hash types may be written signed or unsigned")
  func hashTypes() throws {
    let tx = try unsigned.required("tx")
    let parameters: JSONValue = ["tx": tx, "index": 0, "script_code": "", "type": -1, "version": "legacy"]
    let hash = try result("sighash", parameters)
    #expect(try result("sighash", parameters.setting("type", 4_294_967_295)) == hash)
    #expect(try refusal("sighash", parameters.setting("type", 4_294_967_296)) == "bad_value")
    #expect(try refusal("sighash", parameters.setting("type", -2_147_483_649)) == "bad_value")
    #expect(try refusal("sighash", parameters.setting("version", "taproot")) == "bad_value")
    #expect(try refusal("sighash", parameters.setting("version", "segwit_v0")) == "missing_param")
    #expect(try refusal("sighash", parameters.setting("amount_sat", -1)) == "bad_value")
    let most = parameters.setting("version", "segwit_v0").setting("amount_sat", .unsigned(.max))
    #expect(throws: Never.self) { try result("sighash", most) }
  }

  @Test("a transaction's own script_sig, script_pubkey, witness and amount are not given twice")
  func twoForms() throws {
    let example = try #require(Example.all.first { $0.op == "script.verify" }).parameters
    for (name, value) in [("script_sig", ""), ("script_pubkey", "51"), ("witness", []), ("amount_sat", 0)]
      as [(String, JSONValue)]
    {
      #expect(try refusal("script.verify", example.setting(name, value)) == "conflicting_params")
    }
    for name in ["tx", "index", "prevouts"] {
      #expect(try refusal("script.verify", example.setting(name, nil)) == "missing_param")
    }
    #expect(try refusal("script.verify", example.setting("index", 2)) == "bad_index")
    #expect(try refusal("script.verify", example.setting("flags", ["p2sh"])) == "unknown_flag")
    #expect(try refusal("script.verify", example.setting("flags", "P2SH")) == "bad_type")
    #expect(try refusal("script.verify", ["flags": []]) == "missing_param")
    #expect(
      try result("script.verify", ["script_sig": "51", "script_pubkey": "", "flags": []])
        == ["valid": true, "error": "OK"])
  }

  @Test("a tree is a leaf or two trees, of leaf versions that BIP 341 has")
  func trees() throws {
    let key: JSONValue = "d6889cb081036e0faefa3a35157ad71086b123b2b144b649798b494c300a961d"
    func output(_ tree: JSONValue) throws -> JSONValue {
      try result("taproot.output", ["internal_xonly": key, "tree": tree])
    }
    func code(_ tree: JSONValue) throws -> String {
      try refusal("taproot.output", ["internal_xonly": key, "tree": tree])
    }
    let leaf: JSONValue = ["script": "51", "leaf_version": 192]
    #expect(try output(leaf) == output([leaf]))
    #expect(try output(leaf) == output(["script": "51"]))
    #expect(
      try output([leaf, [leaf, leaf]])["control_blocks"]?.arrayValue?.map { $0.description.count } == [132, 196, 196])
    #expect(try code([]) == "bad_value")
    #expect(try code([leaf, leaf, leaf]) == "bad_value")
    #expect(try code(["script": "51", "leaf_version": 193]) == "bad_value")
    #expect(try code(["script": "51", "leaf_version": 80]) == "bad_value")
    #expect(try code(["script": "51", "leaf_version": 256]) == "bad_value")
    #expect(try code(["leaf_version": 192]) == "missing_param")
    #expect(try code([leaf, ["script": "51", "x": 1]]) == "unknown_param")
    #expect(try code("51") == "bad_type")
    var deep = leaf
    for _ in 0..<128 { deep = [leaf, deep] }
    #expect(try output(deep)["control_blocks"]?.arrayValue?.last?.stringValue?.count == 2 * (33 + 32 * 128))
    #expect(try code([leaf, deep]) == "bad_value")
    var wide = leaf
    for _ in 0..<15 { wide = [wide, wide] }
    #expect(try code(wide) == "bad_value")
  }

  @Test("amounts and versions are shown as Bitcoin reads them")
  func numbers() throws {
    // Version 2³²−1, lock time 2³²−1, one output of −1 satoshi.
    let input = "01" + String(repeating: "00", count: 32) + "00000000" + "00" + "ffffffff"
    let tx = "ffffffff" + input + "01" + "ffffffffffffffff" + "00" + "ffffffff"
    let decoded = try result("tx.decode", ["tx": .string(tx)])
    #expect(decoded["version"] == 4_294_967_295)
    #expect(decoded["locktime"] == 4_294_967_295)
    #expect(decoded["outputs"]?[0]?["amount_sat"] == -1)
    #expect(try refusal("tx.decode", ["tx": .string(tx + "00")]) == "bad_tx")
    #expect(try refusal("tx.decode", ["tx": ""]) == "bad_tx")
  }
}
