internal import Bitcoin
internal import Encoding
internal import JSON
internal import Secp256k1
internal import Sphinx

extension OperationGroup {
  static let onions = OperationGroup("Onions (BOLT 4)", [create, peel, payload])
}

private let create = Operation(
  "onion.create", "Makes an onion.",
  Parameter("session_key", .secretKey, "fresh and random for each onion"),
  Parameter("associated_data", .hex, "the payment hash for a payment, nothing for an onion message"),
  Parameter("hops", .list(.onionHop), "payload is a TLV stream, payload_with_length has its length in front"),
  Parameter(optional: "size", .integer(0...65_469) as Kind<Int>, "bytes of the hop payloads, 1300 unless given"),
  returns: ["onion": "66 bytes more than the hop payloads", "shared_secrets": "one for each hop"]
) { sessionKey, associatedData, hops, size in
  let created = try Onion.create(
    sessionKey: try SecretKey(sessionKey), hops: hops, associatedData: associatedData,
    payloadsByteCount: size ?? OnionPacket.paymentPayloadsByteCount)
  return [
    "onion": .hex(created.packet.bytes), "shared_secrets": .array(created.sharedSecrets.map { .hex($0) }),
  ]
}

private let peel = Operation(
  "onion.peel", "Takes one layer off an onion.",
  Parameter("onion", .onion), Parameter("associated_data", .hex, "what the onion was made with"),
  Parameter("private_key", .secretKey, "of the node"),
  Parameter(optional: "path_key", .publicKey, "of a blinded path, when one came beside the onion"),
  returns: [
    "payload": "the TLV stream for the node, without its length", "next_onion": "absent when final",
    "final": "true | false", "shared_secret": "32 bytes",
  ]
) { onion, associatedData, privateKey, pathKey in
  let key = try SecretKey(privateKey)
  let blinding = pathKey.map { BlindingSecret(pathKey: $0, nodeKey: key) }
  let peeled = try Onion.peel(onion, associatedData: associatedData, nodeKey: key, blinding: blinding)
  var result: JSONObject = ["payload": .hex(peeled.payload)]
  if let next = peeled.next { result["next_onion"] = .hex(next.bytes) }
  result["final"] = .bool(peeled.isFinal)
  result["shared_secret"] = .hex(peeled.sharedSecret)
  return result
}

private let payload = Operation(
  "onion.payload", "Reads the payload of one hop, and checks what BOLT 4 asks of it.",
  Parameter("payload", .hex, "a TLV stream, without its length"),
  Parameter(
    "role",
    .word(
      "forward", "final", "blinded", "blinded_forward", "blinded_final", "introduction", "introduction_forward",
      "introduction_final", "trampoline_forward", "trampoline_final"),
    "blinded: the records say whether it is the introduction point and whether it is the final node"),
  Parameter(optional: "trampoline", .bool, "whether the records of the trampoline proposal are known"),
  returns: [
    "role": "the role whose rules were applied", "amt_to_forward": "msat", "outgoing_cltv_value": "block height",
    "short_channel_id": "like 1x2x3", "payment_data": "{payment_secret, total_msat}",
    "encrypted_recipient_data": "hex", "current_path_key": "33 bytes", "outgoing_node_id": "33 bytes",
    "payment_metadata": "hex", "total_amount_msat": "msat", "trampoline_onion_packet": "hex",
    "recipient_features": "hex", "recipient_blinded_paths": "[{path, payment_info}]", "keysend_preimage": "32 bytes",
    "unknown": "[{type, value}]",
  ]
) { stream, role, trampoline in
  let payload = try HopPayload(decoding: stream)
  let role = payload.role(named: role)
  try payload.validate(as: role, supportsTrampoline: trampoline ?? false)
  return payload.json(role)
}

extension HopPayload {
  fileprivate func role(named name: String) -> Role {
    if let role = Role(rawValue: name) { return role }
    let isFinal = amtToForward != nil || outgoingCLTVValue != nil || totalAmountMsat != nil
    if name == "introduction" || currentPathKey != nil { return isFinal ? .introductionFinal : .introductionForward }
    return isFinal ? .blindedFinal : .blindedForward
  }

  fileprivate func json(_ role: Role) -> JSONObject {
    var object: JSONObject = ["role": .string(role.rawValue)]
    object["amt_to_forward"] = amtToForward.map { .unsigned($0.rawValue) }
    object["outgoing_cltv_value"] = outgoingCLTVValue.map { .int($0) }
    object["short_channel_id"] = shortChannelID.map { .shortChannelID($0) }
    object["payment_data"] = paymentData.map {
      ["payment_secret": .hex($0.paymentSecret), "total_msat": .unsigned($0.totalMsat.rawValue)]
    }
    object["encrypted_recipient_data"] = encryptedRecipientData.map { .hex($0) }
    object["current_path_key"] = currentPathKey.map { .hex($0) }
    object["outgoing_node_id"] = outgoingNodeID.map { .hex($0) }
    object["payment_metadata"] = paymentMetadata.map { .hex($0) }
    object["total_amount_msat"] = totalAmountMsat.map { .unsigned($0.rawValue) }
    object["trampoline_onion_packet"] = trampolineOnionPacket.map { .hex($0.bytes) }
    object["recipient_features"] = recipientFeatures.map { .hex($0) }
    object["recipient_blinded_paths"] = recipientBlindedPaths.map { .array($0.map(\.json)) }
    object["keysend_preimage"] = keysendPreimage.map { .hex($0) }
    object["unknown"] = .records(unknown)
    return object
  }
}

extension HopPayload.PaymentBlindedPath {
  fileprivate var json: JSONValue {
    [
      "path": .object(path.json),
      "payment_info": [
        "fee_base_msat": .int(paymentInfo.feeBaseMsat),
        "fee_proportional_millionths": .int(paymentInfo.feeProportionalMillionths),
        "cltv_expiry_delta": .int(paymentInfo.cltvExpiryDelta),
        "htlc_minimum_msat": .unsigned(paymentInfo.htlcMinimumMsat.rawValue),
        "htlc_maximum_msat": .unsigned(paymentInfo.htlcMaximumMsat.rawValue), "features": .hex(paymentInfo.features),
      ],
    ]
  }
}

extension JSONValue {
  /// As in `539268x845x1`.
  static func shortChannelID(_ id: ShortChannelID) -> JSONValue { .string(id.description) }

  static func records(_ records: [TLVRecord]) -> JSONValue {
    .array(records.map { ["type": .unsigned($0.type), "value": .hex($0.value)] })
  }
}

extension Kind where Value == OnionPacket {
  static var onion: Self {
    Kind<[UInt8]>.hex.map("onion, at least 66 bytes of hex") { (bytes) throws(ToolError) in
      do throws(DecodingError) {
        return try OnionPacket(bytes)
      } catch {
        throw ToolError(.badLength, "an onion has at least 66 bytes, got \(bytes.count)")
      }
    }
  }
}

extension Kind where Value == OnionHop {
  fileprivate static var onionHop: Self {
    record(
      Parameter("pubkey", .publicKey), Parameter(optional: "payload", .hex),
      Parameter(optional: "payload_with_length", .hex)
    ) { (publicKey, payload, framed) throws(ToolError) in
      switch (payload, framed) {
      case (let payload?, nil): return OnionHop(publicKey: publicKey, payload: payload)
      case (nil, let framed?): return OnionHop(publicKey: publicKey, payload: try withoutLength(framed))
      case (nil, nil): throw ToolError(.missingParameter, "payload is missing (or payload_with_length)")
      default: throw ToolError(.badValue, "payload and payload_with_length exclude each other")
      }
    }
  }

  private static func withoutLength(_ framed: [UInt8]) throws(ToolError) -> [UInt8] {
    var reader = ByteReader(framed.bytes)
    guard let length = try? reader.readBigSize() else {
      throw ToolError(.badValue, "payload_with_length: does not start with a bigsize")
    }
    guard length == UInt64(reader.remaining) else {
      throw ToolError(.badValue, "payload_with_length: the length is \(length), but \(reader.remaining) bytes follow")
    }
    return reader.readRest()
  }
}
