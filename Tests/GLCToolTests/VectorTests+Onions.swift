import JSON
import Testing
import VectorSupport

/// BOLT 4's files through the command.
@Suite struct OnionVectorTests {
  private let folder = "bolts/bolt04/"

  @Test("payment onion of BOLT 4", .vectors("bolts/bolt04/onion-test.json"))
  func onion() throws {
    let file = try Vectors.json(folder + "onion-test.json")
    let generate = try file.required("generate")
    let hops = try generate.required("hops").array
    let created = try result(
      "onion.create",
      [
        "session_key": try generate.required("session_key"),
        "associated_data": try generate.required("associated_data"),
        "hops": .array(
          try hops.map { ["pubkey": try $0.required("pubkey"), "payload_with_length": try $0.required("payload")] }),
      ])
    #expect(created["onion"] == (try file.required("onion")))
    var onion = try file.required("onion")
    for (index, key) in try file.required("decode").array.enumerated() {
      let parameters: JSONValue = [
        "onion": onion, "associated_data": try generate.required("associated_data"), "private_key": key,
      ]
      let peeled = try result("onion.peel", parameters)
      let payload = try peeled.required("payload")
      #expect(try hops[index].required("payload").string.hasSuffix(payload.string))
      #expect(peeled["shared_secret"] == created["shared_secrets"]?[index])
      #expect(peeled["final"] == .bool(index == hops.count - 1))
      _ = try result(
        "onion.payload", ["payload": payload, "role": index == hops.count - 1 ? "final" : "forward"])
      // A changed byte of each part is refused by BOLT 4's name.
      let text = Array(try onion.string)
      for (offset, digit, code) in [
        (1, "1", "invalid_onion_version"), (3, "5", "invalid_onion_key"),
        (70, text[70] == "0" ? "1" : "0", "invalid_onion_hmac"),
      ] as [(Int, Character, String)] {
        var changed = text
        changed[offset] = digit
        #expect(try refusal("onion.peel", parameters.setting("onion", .string(String(changed)))) == code)
      }
      onion = peeled["next_onion"] ?? .null
    }
    #expect(onion == .null)
    Vectors.report("tool: \(folder)onion-test.json", cases: 1)
  }

  @Test("failure onion of BOLT 4", .vectors("bolts/bolt04/onion-error-test.json"))
  func failure() throws {
    let file = try Vectors.json(folder + "onion-error-test.json")
    let generate = try file.required("generate")
    let secrets = try generate.required("hops").array.map { try $0.required("hop_shared_secret") }
    var packet = try result(
      "onion.error.create",
      ["shared_secret": secrets[4], "failure_message": try generate.required("failure_message")]
    ).required("packet")
    for secret in secrets.dropLast().reversed() {
      packet = try result("onion.error.wrap", ["shared_secret": secret, "packet": packet]).required("packet")
    }
    #expect(packet == (try file.required("errorpacket")))
    #expect(
      try refusal("onion.error.unwrap", ["shared_secrets": .array(Array(secrets.prefix(3))), "packet": packet])
        == "unknown_origin")
    Vectors.report("tool: \(folder)onion-error-test.json", cases: 1)
  }

  @Test("hold times are proven hop by hop")
  func attribution() throws {
    let secrets = (1...3).map { JSONValue.string(String(repeating: "0\($0)", count: 32)) }
    var packet = try result(
      "onion.error.create", ["shared_secret": secrets[2], "failure_message": "0015", "hold_time": 3, "padded_to": 300])
    for (index, secret) in secrets.dropLast().enumerated().reversed() {
      packet = try result(
        "onion.error.wrap",
        [
          "shared_secret": secret, "packet": try packet.required("packet"),
          "attribution_data": try packet.required("attribution_data"), "hold_time": .int(index + 1),
        ])
    }
    let parameters: JSONValue = [
      "shared_secrets": .array(secrets), "packet": try packet.required("packet"),
      "attribution_data": try packet.required("attribution_data"),
    ]
    let received = try result("onion.error.unwrap", parameters)
    #expect(received["origin"] == 2)
    #expect(received["name"] == "expiry_too_far")
    #expect(received["hold_times"] == [1, 2, 3])
    let answer = try answer(
      "onion.error.unwrap", parameters.setting("packet", .string(String(repeating: "00", count: 292))))
    #expect(answer["error"]?["code"] == "unknown_origin")
    #expect(answer["error"]?["message"]?.stringValue?.contains("blames hop 0") == true)
  }

  @Test("blinded route of BOLT 4", .vectors("bolts/bolt04/route-blinding-test.json"))
  func blindedRoute() throws {
    let file = try Vectors.json(folder + "route-blinding-test.json")
    let hops = try file.required("generate").required("hops").array
    for (hop, encrypted) in zip(try file.required("unblind").required("hops").array, hops) {
      let parameters: JSONValue = [
        "private_key": try hop.required("node_privkey"), "path_key": try hop.required("path_key"),
        "encrypted_recipient_data": try encrypted.required("encrypted_data"),
      ]
      let unblinded = try result("blinded_path.unblind", parameters)
      #expect(unblinded["data"] == (try hop.required("decrypted_data")))
      #expect(unblinded["next_path_key"] == (try hop["next_path_key_override"] ?? hop.required("next_path_key")))
      let isFinal = unblinded["fields"]?["path_id"] != nil
      if isFinal {
        // Its allowed_features name a feature that nobody knows.
        #expect(try refusal("blinded_path.unblind", parameters.setting("role", "final")) == "invalid_onion_blinding")
      } else {
        #expect(try result("blinded_path.unblind", parameters.setting("role", "forward"))["data"] == unblinded["data"])
      }
      #expect(
        try refusal("blinded_path.unblind", parameters.setting("path_key", hop["next_path_key"]))
          == "invalid_onion_blinding")
    }
    // Data that is no encrypted_data_tlv: type 16 is even and unknown.
    let bad = try result(
      "blinded_path.create",
      [
        "session_key": .string(String(repeating: "01", count: 32)),
        "hops": [["pubkey": try hops[0].required("node_id"), "data": "1000"]],
      ])
    #expect(
      try refusal(
        "blinded_path.unblind",
        [
          "private_key": .string(String(repeating: "42", count: 32)), "path_key": try bad.required("first_path_key"),
          "encrypted_recipient_data": try bad.required("hops").array[0].required("encrypted_recipient_data"),
        ]) == "invalid_onion_blinding")
    Vectors.report("tool: \(folder)route-blinding-test.json", cases: 1)
  }

  @Test("onion message of BOLT 4", .vectors("bolts/bolt04/blinded-onion-message-onion-test.json"))
  func onionMessage() throws {
    let file = try Vectors.json(folder + "blinded-onion-message-onion-test.json")
    let route = try file.required("route")
    let created = try result(
      "onion_message.create",
      [
        "session_key": try file.required("generate").required("session_key"),
        "path": [
          "first_node_id": try route.required("first_node_id"), "first_path_key": try route.required("first_path_key"),
          "hops": try route.required("hops"),
        ],
        "payload": "010568656c6c6f",
      ])
    #expect(created["onion_message_packet"] == (try file.required("onionmessage").required("onion_message_packet")))
    var message = try created.required("onion_message")
    for hop in try file.required("decrypt").required("hops").array {
      #expect(message == (try hop.required("onion_message")))
      let peeled = try result(
        "onion_message.peel", ["private_key": try hop.required("privkey"), "onion_message": message])
      if peeled["final"] == true {
        #expect(try peeled.required("payload").string.hasPrefix("010568656c6c6f"))
      } else {
        #expect(peeled["next_node_id"] == hop["next_node_id"])
        message = try peeled.required("onion_message")
      }
    }
    Vectors.report("tool: \(folder)blinded-onion-message-onion-test.json", cases: 1)
  }

  @Test("payloads are refused by type and offset, roles by name")
  func payloads() throws {
    for (payload, role, offset) in [
      ("0201010401020201", "final", "TLV type 2 at offset 6"), ("020101", "final", "TLV type 4 is missing"),
      ("020101040102", "forward", "TLV type 6 is missing"),
      ("02010104010264007f00", "final", "even TLV type 100 at offset 6"),
      ("0a0101", "final", "TLV type 10 at offset 0 is not allowed"),
      ("0a0101", "introduction", "TLV type 12 is missing"),
      ("0a01010c", "blinded", "TLV type 12 at offset 3"), ("0a0101020101", "blinded", "TLV type 2 at offset 3"),
    ] {
      let answer = try answer("onion.payload", ["payload": .string(payload), "role": .string(role)])
      #expect(answer["error"]?["code"] == "invalid_onion_payload", "\(payload): \(answer)")
      #expect(answer["error"]?["message"]?.stringValue?.contains(offset) == true, "\(payload): \(answer)")
    }
    #expect(try result("onion.payload", ["payload": "0a0101", "role": "blinded"])["role"] == "blinded_forward")
    #expect(
      try result("onion.payload", ["payload": "0201010401020a0101120101", "role": "blinded"])["role"] == "blinded_final"
    )
  }

  @Test("failed acts have the names of BOLT 8's vectors")
  func acts() throws {
    let initiator: JSONValue = [
      "static_key": .string(String(repeating: "11", count: 32)),
      "ephemeral_key": .string(String(repeating: "12", count: 32)),
      "remote_static": "028d7500dd4c12685d1f568b4c2b5048e8534b873319f3a8daa612b469132ec7f7",
    ]
    let one = "00036360e856310ce5d294e8be33fc807077dc56ac80d95d9cd4ddbd21325eff73f70df6086551151f58b8afe6c195782c6a"
    let two = "0002466d7fcae563e5cb09a0d1870bb580344804617879a14949cf22285f1bae3f276e2470b93aac583c9ef6eafca3f730ae"
    #expect(try result("noise.initiator", initiator) == ["act": .string(one)])
    #expect(
      try refusal("noise.initiator", initiator.setting("acts", [.string("01" + two.dropFirst(2))]))
        == "ACT2_BAD_VERSION")
    #expect(
      try refusal("noise.initiator", initiator.setting("acts", [.string("0004" + two.dropFirst(4))]))
        == "ACT2_BAD_PUBKEY")
    #expect(
      try refusal("noise.initiator", initiator.setting("acts", [.string(two.dropLast(2) + "af")])) == "ACT2_BAD_TAG")
    #expect(
      try refusal("noise.initiator", initiator.setting("acts", [.string(String(two.dropLast(2)))]))
        == "ACT2_READ_FAILED")
    let responder: JSONValue = [
      "static_key": .string(String(repeating: "21", count: 32)),
      "ephemeral_key": .string(String(repeating: "22", count: 32)),
      "acts": [.string(one)],
    ]
    #expect(try result("noise.responder", responder) == ["act": .string(two)])
    #expect(
      try refusal("noise.responder", responder.setting("acts", [.string(one.dropLast(2) + "6b")])) == "ACT1_BAD_TAG")
    #expect(
      try refusal(
        "noise.responder", responder.setting("acts", [.string(one), .string(String(repeating: "00", count: 66))]))
        == "ACT3_BAD_CIPHERTEXT")
  }
}
