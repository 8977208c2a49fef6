import Encoding
import Hashing
import JSON
import Secp256k1
import Sphinx
import Testing
import VectorSupport

struct OnionMessageTests {
  @Test(.vectors("bolts/bolt04/blinded-onion-message-onion-test.json"))
  func messageOfBOLT4() throws {
    let file = try Vectors.json("bolts/bolt04/blinded-onion-message-onion-test.json")
    let generate = try file.required("generate")
    let hops = try generate.hops()
    let route = try file.required("route")
    let routeHops = try route.hops()

    // Each hop alone, with its own path key; the second of them joins another's path by an override.
    var path = BlindedPath(
      firstNodeID: .nodeID(try route.key("first_node_id")), firstPathKey: try route.key("first_path_key"), hops: [])
    for (index, hop) in hops.enumerated() {
      let node = try nodeKey(index)
      let created = try BlindedPath.create(
        sessionKey: try secretKey(hop.required("path_key_secret").string),
        hops: [(nodeID: node.publicKey, data: try hop.hex("encrypted_data_tlv"))])
      let made = created.path.hops[0]
      #expect(created.path.firstPathKey == (try hop.key("E")))
      #expect(created.secrets[0].sharedSecret == (try secret(hop.required("ss").string)))
      #expect(made.blindedNodeID == (try hop.key("blinded_node_id")))
      #expect(made.encryptedRecipientData == (try hop.hex("encrypted_recipient_data")))
      #expect(made.blindedNodeID == (try routeHops[index].key("blinded_node_id")))
      #expect(made.encryptedRecipientData == (try routeHops[index].hex("encrypted_recipient_data")))
      #expect(try RecipientData(decoding: hop.hex("encrypted_data_tlv")).encoded == hop.hex("encrypted_data_tlv"))
      path.hops.append(made)
    }

    var payload = OnionMessagePayload()
    payload.unknown = [TLVRecord(type: 1, value: try file.required("onionmessage").hex("unknown_tag_1"))]
    let message = try OnionMessage.create(
      sessionKey: try secretKey(generate.required("session_key").string), path: path, payload: payload)
    #expect(message.packet.description == (try file.required("onionmessage").required("onion_message_packet").string))

    var current = message
    let decrypt = try file.required("decrypt").hops()
    for (index, hop) in decrypt.enumerated() {
      // The printed message has its type, 513, in front.
      let printed = try hop.hex("onion_message")
      #expect(current.encoded.map { [2, 1] + $0 } == printed, "hop \(index)")
      #expect(try OnionMessage(decoding: Array(printed.dropFirst(2))) == current)
      switch try current.peel(nodeKey: try secretKey(hop.required("privkey").string)) {
      case .forward(let next, let message):
        #expect(next == .nodeID(try hop.key("next_node_id")))
        current = message
      case .final(let received, let data):
        #expect(index == decrypt.count - 1)
        let tlvs = try hop.required("tlvs")
        #expect(received.unknown == [TLVRecord(type: 1, value: try tlvs.hex("unknown_tag_1"))])
        #expect(received.encryptedRecipientData == (try tlvs.hex("encrypted_recipient_data")))
        #expect(data.pathID == (try hops[index].required("tlvs").hex("path_id")))
      }
    }
    Vectors.report("bolts/bolt04/blinded-onion-message-onion-test.json", cases: 1)
  }

  /// A path over nodes first…last, each told who comes next; the last gets the path id.
  private func path(_ first: Int, _ last: Int, pathID: [UInt8]?) throws -> BlindedPath {
    let hops = try (first...last).map { index -> (nodeID: PublicKey, data: RecipientData) in
      var data = RecipientData()
      if index < last { data.nextNodeID = try nodeKey(index + 1).publicKey } else { data.pathID = pathID }
      return (nodeID: try nodeKey(index).publicKey, data: data)
    }
    return try BlindedPath.create(sessionKey: .random(), hops: hops).path
  }

  @Test func aMessageArrivesAndIsAnswered() throws {
    var question = OnionMessagePayload()
    question.invoiceRequest = [1, 2, 3]
    question.replyPath = try path(1, 3, pathID: [9])
    var message = try OnionMessage.create(
      sessionKey: .random(), path: try path(0, 2, pathID: nil), payload: question)
    #expect(message.packet.bytes.count == 1366)
    for index in 0..<2 {
      guard case .forward(let next, let onward) = try message.peel(nodeKey: try nodeKey(index)) else {
        Issue.record("hop \(index) is not the last")
        return
      }
      #expect(next == .nodeID(try nodeKey(index + 1).publicKey))
      message = onward
    }
    guard case .final(let received, let data) = try message.peel(nodeKey: try nodeKey(2)) else {
      Issue.record("hop 2 is the last")
      return
    }
    #expect(received.invoiceRequest == [1, 2, 3])
    #expect(data.pathID == nil)
    #expect(received.replyPath == question.replyPath)

    var answer = OnionMessagePayload()
    answer.invoice = [UInt8](repeating: 5, count: 2000)
    var reply = try OnionMessage.create(
      sessionKey: .random(), path: try #require(received.replyPath), payload: answer)
    #expect(reply.packet.bytes.count == 32_834, "larger messages have one size too")
    for index in 1..<3 {
      guard case .forward(_, let onward) = try reply.peel(nodeKey: try nodeKey(index)) else {
        Issue.record("hop \(index) is not the last")
        return
      }
      reply = onward
    }
    guard case .final(let invoice, let replyData) = try reply.peel(nodeKey: try nodeKey(3)) else {
      Issue.record("hop 3 is the last")
      return
    }
    #expect(invoice.invoice == answer.invoice)
    #expect(replyData.pathID == [9])
  }

  @Test func messagesThatBreakARuleAreIgnored() throws {
    func refusal(_ message: OnionMessage, _ index: Int) throws -> OnionMessage.PeelingError? {
      let key = try nodeKey(index)
      do throws(OnionMessage.PeelingError) {
        _ = try message.peel(nodeKey: key)
        return nil
      } catch {
        return error
      }
    }
    let path = try path(0, 1, pathID: [1])
    let good = try OnionMessage.create(sessionKey: .random(), path: path, payload: OnionMessagePayload())
    #expect(try refusal(good, 0) == nil)
    #expect(try refusal(good, 1) == .onion(.invalidOnionHMAC))

    var two = OnionMessagePayload()
    two.invoice = [1]
    two.invoiceError = [2]
    let last = try self.path(0, 0, pathID: [1])
    #expect(
      try refusal(try OnionMessage.create(sessionKey: .random(), path: last, payload: two), 0)
        == .payload(InvalidPayload(type: 68, offset: 24, reason: .notAllowed)))

    // The payloads as such, put into onions by hand.
    func message(_ payload: [UInt8], data: [UInt8], isFinal: Bool) throws -> OnionMessage {
      let key = try nodeKey(0).publicKey
      let created = try BlindedPath.create(sessionKey: .random(), hops: [(nodeID: key, data: data)])
      let hop = created.path.hops[0]
      var writer = ByteWriter()
      writer.write(4 as UInt8)
      writer.writeBigSize(UInt64(hop.encryptedRecipientData.count))
      writer.write(hop.encryptedRecipientData)
      let content = payload == [0xee] ? [0xfd, 0x10, 0x01, 0] : writer.bytes + payload
      var hops = [OnionHop(publicKey: hop.blindedNodeID, payload: content)]
      if !isFinal { hops.append(OnionHop(publicKey: key, payload: [1, 0])) }
      let onion = try Onion.create(sessionKey: .random(), hops: hops)
      return OnionMessage(pathKey: created.path.firstPathKey, packet: onion.packet)
    }
    let forward = [4, 33] + (try nodeKey(1).publicKey.array)
    #expect(try refusal(message([], data: forward, isFinal: false), 0) == nil)
    #expect(try refusal(message([5, 0], data: [], isFinal: true), 0) == nil, "odd fields are for the last hop")
    for (what, payload, data, isFinal) in [
      ("other fields on the way", [5, 0], forward, false), ("no data", [0xee], forward, true),
      ("an unknown even field", [6, 0], forward, true), ("not a TLV stream", [6], forward, true),
      ("a path id on the way", [], forward + [6, 0], false), ("nowhere to go", [], [], false),
      ("data that is no encrypted_data_tlv", [], [2, 0], true), ("an unknown even data field", [], [16, 0], true),
      ("features that nobody knows", [], [14, 1, 2], true),
    ] as [(String, [UInt8], [UInt8], Bool)] {
      #expect(try refusal(message(payload, data: data, isFinal: isFinal), 0) != nil, "\(what)")
    }
    #expect(throws: OnionMessage.CreationError.noHops) {
      try OnionMessage.create(
        sessionKey: .random(),
        path: BlindedPath(firstNodeID: path.firstNodeID, firstPathKey: path.firstPathKey, hops: []),
        payload: OnionMessagePayload())
    }
  }

  @Test func truncatedMessagesAreRefused() throws {
    let message = try OnionMessage.create(
      sessionKey: .random(), path: try path(0, 1, pathID: nil), payload: OnionMessagePayload())
    let encoded = try #require(message.encoded)
    #expect(try OnionMessage(decoding: encoded) == message)
    #expect(try OnionMessage(decoding: encoded + [1, 2]) == message, "an extension may follow")
    for count in stride(from: 0, to: encoded.count, by: 13) {
      #expect(throws: DecodingError.truncated) { try OnionMessage(decoding: Array(encoded.prefix(count))) }
    }
    #expect(throws: DecodingError.truncated) {
      try OnionMessage(decoding: message.pathKey.array + [0, 65] + [UInt8](repeating: 0, count: 65))
    }
  }
}
