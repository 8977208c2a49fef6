internal import Bitcoin
internal import Encoding
internal import JSON
internal import Secp256k1
internal import Sphinx

extension OperationGroup {
  static let blindedPaths = OperationGroup(
    "Blinded paths and onion messages (BOLT 4)", [create, unblind, createMessage, peelMessage])
}

private let create = Operation(
  "blinded_path.create", "Makes a blinded path.",
  Parameter("session_key", .secretKey, "fresh and random for each path"),
  Parameter("hops", .list(.pathHop), "the nodes, the recipient last; data is an encrypted_data_tlv"),
  returns: [
    "first_node_id": "33 bytes", "first_path_key": "33 bytes", "hops": "[{blinded_node_id, encrypted_recipient_data}]",
    "path": "all of this as BOLT 4's blinded_path, hex",
  ]
) { sessionKey, hops in
  let created = try BlindedPath.create(sessionKey: try SecretKey(sessionKey), hops: hops)
  var result = created.path.json
  result["path"] = created.path.encoded.map { .hex($0) } ?? .null
  return result
}

private let unblind = Operation(
  "blinded_path.unblind", "Reads one node's part of a blinded path.",
  Parameter("private_key", .secretKey, "of the node"), Parameter("path_key", .publicKey),
  Parameter("encrypted_recipient_data", .hex),
  Parameter(
    optional: "role", .word("forward", "final", "message_forward", "message_final"),
    "whose rules are checked: of a payment, or of an onion message"),
  returns: [
    "data": "the encrypted_data_tlv, hex", "next_path_key": "33 bytes", "fields": "the data, record by record",
  ]
) { privateKey, pathKey, encrypted, role in
  let key = try SecretKey(privateKey)
  let unblinded = try BlindingSecret(pathKey: pathKey, nodeKey: key).unblind(encrypted)
  if let role = role.flatMap({ RecipientData.Role(named: $0) }) {
    do throws(InvalidPayload) {
      try unblinded.data.validate(as: role)
    } catch {
      throw UnblindingError.invalidData(error)
    }
  }
  return [
    "data": .hex(unblinded.data.encoded), "next_path_key": .hex(unblinded.nextPathKey),
    "fields": .object(unblinded.data.json),
  ]
}

private let createMessage = Operation(
  "onion_message.create", "Makes an onion message along a blinded path.",
  Parameter("session_key", .secretKey, "fresh and random for each message"),
  Parameter("path", .blindedPath, "as blinded_path.create gives it, or its hex"),
  Parameter("payload", .hex, "the onionmsg_tlv for the last node, without encrypted_recipient_data"),
  returns: [
    "path_key": "for the first node", "onion_message_packet": "hex", "onion_message": "the message with its type, hex",
  ]
) { sessionKey, path, payload in
  let content = try OnionMessagePayload(decoding: payload)
  guard content.encryptedRecipientData == nil else {
    throw ToolError(.badValue, "payload: encrypted_recipient_data is the path's")
  }
  return try OnionMessage.create(sessionKey: try SecretKey(sessionKey), path: path, payload: content).json
}

private let peelMessage = Operation(
  "onion_message.peel", "Takes one layer off an onion message.",
  Parameter("private_key", .secretKey, "of the node"), Parameter("onion_message", .onionMessage, "with its type"),
  returns: [
    "final": "true | false", "payload": "the onionmsg_tlv, hex; absent when not final",
    "data": "the encrypted_data_tlv, hex; absent when not final", "next_node_id": "33 bytes",
    "next_short_channel_id": "where there is no next_node_id", "path_key": "for the next node",
    "onion_message_packet": "for the next node", "onion_message": "for the next node, with its type",
  ]
) { privateKey, message in
  switch try message.peel(nodeKey: try SecretKey(privateKey)) {
  case .final(let payload, let data):
    return ["final": true, "payload": .hex(payload.encoded), "data": .hex(data.encoded)]
  case .forward(let next, let message):
    var result: JSONObject = ["final": false]
    switch next {
    case .nodeID(let key): result["next_node_id"] = .hex(key)
    case .shortChannelID(let id): result["next_short_channel_id"] = .shortChannelID(id)
    }
    for member in message.json.members { result[member.name] = member.value }
    return result
  }
}

extension BlindedPath {
  var json: JSONObject {
    let first: JSONValue =
      switch firstNodeID {
      case .nodeID(let key): .hex(key)
      case .channelEnd(let id, let isNode2):
        ["short_channel_id": .shortChannelID(id), "direction": .int(isNode2 ? 1 : 0)]
      }
    return [
      "first_node_id": first, "first_path_key": .hex(firstPathKey),
      "hops": .array(
        hops.map {
          [
            "blinded_node_id": .hex($0.blindedNodeID),
            "encrypted_recipient_data": .hex($0.encryptedRecipientData),
          ]
        }),
    ]
  }
}

extension OnionMessage {
  fileprivate var json: JSONObject {
    [
      "path_key": .hex(pathKey), "onion_message_packet": .hex(packet.bytes),
      "onion_message": encoded.map { .hex([2, 1] + $0) } ?? .null,
    ]
  }
}

extension RecipientData {
  fileprivate var json: JSONObject {
    var object = JSONObject()
    object["padding"] = padding.map { .hex($0) }
    object["short_channel_id"] = shortChannelID.map { .shortChannelID($0) }
    object["next_node_id"] = nextNodeID.map { .hex($0) }
    object["path_id"] = pathID.map { .hex($0) }
    object["next_path_key_override"] = nextPathKeyOverride.map { .hex($0) }
    object["payment_relay"] = paymentRelay.map {
      [
        "cltv_expiry_delta": .int($0.cltvExpiryDelta),
        "fee_proportional_millionths": .int($0.feeProportionalMillionths), "fee_base_msat": .int($0.feeBaseMsat),
      ]
    }
    object["payment_constraints"] = paymentConstraints.map {
      ["max_cltv_expiry": .int($0.maxCLTVExpiry), "htlc_minimum_msat": .unsigned($0.htlcMinimumMsat.rawValue)]
    }
    object["allowed_features"] = allowedFeatures.map { .hex($0) }
    if !unknown.isEmpty { object["unknown"] = .records(unknown) }
    return object
  }
}

extension RecipientData.Role {
  fileprivate init?(named name: String) {
    switch name {
    case "forward": self = .paymentForward
    case "final": self = .paymentFinal
    case "message_forward": self = .messageForward
    case "message_final": self = .messageFinal
    default: return nil
    }
  }
}

extension Kind where Value == (nodeID: PublicKey, data: [UInt8]) {
  fileprivate static var pathHop: Self {
    record(Parameter("pubkey", .publicKey), Parameter("data", .hex)) { (key, data) throws(ToolError) in
      (nodeID: key, data: data)
    }
  }
}

extension Kind where Value == OnionMessage {
  fileprivate static var onionMessage: Self {
    Kind<[UInt8]>.hex.map("onion_message, hex") { (bytes) throws(ToolError) in
      guard bytes.starts(with: [2, 1]) else { throw ToolError(.badValue, "the type is not 513") }
      do throws(DecodingError) {
        return try OnionMessage(decoding: Array(bytes.dropFirst(2)))
      } catch {
        throw ToolError(.badValue, "\(error)")
      }
    }
  }
}

extension Kind where Value == BlindedPath {
  fileprivate static var blindedPath: Self {
    let hop = Kind<BlindedHop>.record(
      Parameter("blinded_node_id", .publicKey), Parameter("encrypted_recipient_data", .hex)
    ) { (key, data) throws(ToolError) in BlindedHop(blindedNodeID: key, encryptedRecipientData: data) }
    let object = record(
      Parameter("first_node_id", .publicKey), Parameter("first_path_key", .publicKey), Parameter("hops", .list(hop)),
      Parameter(optional: "path", .hex)
    ) { (first, pathKey, hops, _) throws(ToolError) in
      BlindedPath(firstNodeID: .nodeID(first), firstPathKey: pathKey, hops: hops)
    }
    return Self("blinded_path as hex, or {first_node_id, first_path_key, hops}") { (json) throws(ToolError) in
      guard case .string = json else { return try object.read(json) }
      let bytes = try Kind<[UInt8]>.hex.read(json)
      do throws(DecodingError) {
        return try BlindedPath(decoding: bytes)
      } catch {
        throw ToolError(.badValue, "\(error)")
      }
    }
  }
}
