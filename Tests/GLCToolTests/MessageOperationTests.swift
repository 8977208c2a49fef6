import JSON
import Testing
import VectorSupport

/// What message.decode and message.encode promise to each other, and how they refuse.
@Suite struct MessageOperationTests {
  @Test("message.encode takes what message.decode gives", .vectors("bolts/bolt07/extended-queries.json"))
  func roundTrip() throws {
    let path = "bolts/bolt07/extended-queries.json"
    let cases = try Vectors.json(path).array
    for vector in cases {
      let message = try vector.required("hex")
      let decoded = try result("message.decode", ["message": message])
      #expect(try result("message.encode", decoded) == ["message": message])
      let expected = try vector.required("msg")
      #expect(try decoded["fields"]?["chain_hash"] == expected.required("chainHash"))
      for (name, theirs) in [
        ("first_blocknum", "firstBlockNum"), ("number_of_blocks", "numberOfBlocks"), ("sync_complete", "complete"),
      ] {
        #expect(decoded["fields"]?[name] == expected[theirs], "\(name) of \(message)")
      }
    }
    Vectors.report("tool: \(path)", cases: cases.count)
  }

  @Test("messages are refused with a code for what is wrong")
  func refusals() throws {
    func code(_ message: String) throws -> String { try refusal("message.decode", ["message": .string(message)]) }
    #expect(try code("") == "bad_message")
    #expect(try code("00") == "bad_message")
    #expect(try code("0010") == "bad_message")
    #expect(try code("00100000000001") == "bad_extension")
    #expect(try code("001000000000ca012a") == "bad_extension")
    #expect(try code("001000000000c90101c90102") == "bad_extension")
    #expect(try code("8000") == "unknown_even_type")
    #expect(try code("0013" + String(repeating: "00", count: 65_534)) == "message_too_large")
    #expect(try code("0024" + String(repeating: "00", count: 65)) == "bad_message")
  }

  @Test("what message.encode is given must make a message")
  func encodeRefusals() throws {
    let stfu: JSONValue = [
      "type": 2, "name": "stfu", "fields": ["channel_id": .string(String(repeating: "ab", count: 32)), "initiator": 1],
      "tlvs": [],
    ]
    func code(_ parameters: JSONValue) throws -> String { try refusal("message.encode", parameters) }
    #expect(
      try result("message.encode", stfu)["message"]?.stringValue == "0002" + String(repeating: "ab", count: 32) + "01")
    #expect(try code(stfu.setting("name", "init")) == "unknown_message")
    #expect(try code(stfu.setting("type", 65_536)) == "bad_value")
    #expect(try code(stfu.setting("type", 4)) == "unknown_message")
    #expect(try code(stfu.setting("fields", nil)) == "bad_message")
    #expect(try code(stfu.setting("fields", ["channel_id": "ab", "initiator": 1])) == "bad_message")
    #expect(try code(stfu.setting("fields", stfu["fields"]?.setting("initiator", 256))) == "bad_message")
    #expect(try code(stfu.setting("fields", stfu["fields"]?.setting("initiator", "1"))) == "bad_message")
    #expect(try code(stfu.setting("fields", stfu["fields"]?.setting("initiator", true))) == "bad_type")
    #expect(try code(stfu.setting("fields", stfu["fields"]?.setting("colour", 1))) == "unknown_field")
    #expect(try code(stfu.setting("tlvs", [["type": 2, "value": ""]])) == "bad_extension")
    #expect(try code(stfu.setting("tlvs", [["type": 1, "length": 1, "value": ""]])) == "bad_length")
    #expect(try code(stfu.setting("tlvs", [["type": 3, "value": ""], ["type": 1, "value": ""]])) == "bad_value")
  }

  @Test("values are refused when they are not minimal, not whole, or too large")
  func values() throws {
    func decode(_ type: String, _ bytes: String) throws -> String {
      try refusal("wire.decode", ["type": .string(type), "bytes": .string(bytes)])
    }
    func encode(_ type: String, _ value: JSONValue) throws -> String {
      try refusal("wire.encode", ["type": .string(type), "value": value])
    }
    for (type, bytes) in [
      ("bigsize", "fd00fc"), ("bigsize", "0000"), ("bigsize", ""), ("tu16", "00"), ("tu16", "010000"),
      ("tu32", "0100000000"),
      ("tu64", "010000000000000000"), ("short_channel_id", "00"), ("address", "06"), ("address", "01c0000201260700"),
    ] {
      #expect(try decode(type, bytes) == "bad_encoding", "\(type) \(bytes)")
    }
    #expect(try decode("features", String(repeating: "00", count: 65_536)) == "bad_length")
    // Host names: none, one that reads as an IPv4 address.
    for bytes in ["05000050", "0507312e322e332e340050"] {
      #expect(try decode("address", bytes) == "no_text", "\(bytes)")
    }
    #expect(try decode("colour", "00") == "bad_value")
    #expect(try encode("tu16", 65_536) == "bad_value")
    #expect(try encode("tu32", -1) == "bad_value")
    #expect(try encode("tu64", "1") == "bad_type")
    #expect(try encode("short_channel_id", "1x2") == "bad_value")
    #expect(try encode("address", "example.com") == "bad_value")
    #expect(try encode("features", [524_280]) == "bad_value")
  }

  @Test("an invoice's fallback is an address of its own network")
  func fallbacks() throws {
    let program = "751e76e8199196d454941c45d1b3a323f1433bd6"
    let main = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
    let test = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
    func parameters(_ fallback: JSONValue, _ network: JSONValue) -> JSONValue {
      let hash = JSONValue.string(String(repeating: "11", count: 32))
      return [
        "private_key": hash, "payment_hash": hash, "payment_secret": hash, "description": "", "timestamp": 1,
        "network": network, "fallbacks": [fallback],
      ]
    }
    func address(_ fallback: JSONValue, _ network: JSONValue) throws -> JSONValue? {
      let invoice = try result("invoice.encode", parameters(fallback, network))["invoice"]
      return try result("invoice.decode", ["invoice": invoice ?? .null])["fallbacks"]?[0]?["address"]
    }
    for network in ["testnet", "testnet4", "signet"] as [JSONValue] {
      #expect(try address(.string(test), network) == .string(test))
      #expect(try refusal("invoice.encode", parameters(.string(main), network)) == "wrong_network")
    }
    #expect(try address(.string(main), "bitcoin") == .string(main))
    #expect(try refusal("invoice.encode", parameters(.string(test), "bitcoin")) == "wrong_network")
    #expect(try refusal("invoice.encode", parameters(.string(test), "regtest")) == "wrong_network")
    // As invoice.decode gives it, and at odds with itself.
    let whole: JSONValue = ["version": 0, "program": .string(program), "address": .string(main)]
    #expect(try address(whole, "bitcoin") == .string(main))
    #expect(try refusal("invoice.encode", parameters(whole, "testnet")) == "wrong_network")
    #expect(try refusal("invoice.encode", parameters(whole.setting("version", 1), "bitcoin")) == "bad_value")
    #expect(try address(whole.setting("address", nil), "testnet") == .string(test))
  }

  @Test("gossip that cannot be read is invalid; what is no gossip is refused")
  func gossip() throws {
    #expect(try refusal("gossip.verify", ["message": "001000000000"]) == "bad_value")
    #expect(try refusal("gossip.verify", ["message": "00"]) == "bad_message")
    #expect(try result("gossip.verify", ["message": "0100"])["valid"] == false)
    let update = try #require(Example.all.last { $0.op == "gossip.verify" })
    #expect(try refusal("gossip.verify", update.parameters.setting("node_id", nil)) == "missing_param")
    #expect(
      try refusal(
        "gossip.verify", update.parameters.setting("node_id", .string("05" + String(repeating: "00", count: 32))))
        == "bad_pubkey")
  }
}
