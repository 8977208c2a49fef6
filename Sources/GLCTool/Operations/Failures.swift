internal import Encoding
internal import JSON
internal import Sphinx

extension OperationGroup {
  static let failures = OperationGroup("Failures on their way back (BOLT 4)", [create, wrap, unwrap])
}

private let sharedSecret = Parameter<Bytes32>("shared_secret", .bytes32, "of the node and the sender")
private let holdTime = Parameter<UInt32?>(
  optional: "hold_time", .uint32, "in units of 100 milliseconds; attribution data is made when it is given")

private let create = Operation(
  "onion.error.create", "Makes the failure that the erring node returns.",
  sharedSecret, Parameter("failure_message", .hex, "its code, its fields, perhaps a TLV stream"), holdTime,
  Parameter(optional: "padded_to", .integer(0...65_499) as Kind<Int>, "bytes of message and padding, 256 unless given"),
  returns: ["packet": "hex", "attribution_data": "920 bytes"]
) { secret, message, holdTime, padded in
  guard
    let packet = FailurePacket(
      message: message, sharedSecret: SharedSecret(secret), holdTime: holdTime,
      paddedByteCount: padded ?? FailurePacket.paddedByteCount)
  else { throw ToolError(.badLength, "failure_message: more than 65499 bytes") }
  return packet.json
}

private let wrap = Operation(
  "onion.error.wrap", "Passes a failure on, as a forwarding node does.",
  sharedSecret, Parameter("packet", .hex), Parameter(optional: "attribution_data", .attribution), holdTime,
  returns: ["packet": "hex", "attribution_data": "920 bytes"]
) { secret, packet, attribution, holdTime in
  var packet = FailurePacket(reason: try packet.limited(), attribution: attribution)
  packet.wrap(sharedSecret: SharedSecret(secret), holdTime: holdTime)
  return packet.json
}

private let unwrap = Operation(
  "onion.error.unwrap", "Reads a failure at the sender.",
  Parameter("shared_secrets", .list(.bytes32), "of the onion's hops, in their order"), Parameter("packet", .hex),
  Parameter(optional: "attribution_data", .attribution),
  returns: [
    "failure_message": "hex", "code": "integer", "name": "BOLT 4's name, null for a code that it does not define",
    "origin": "index into shared_secrets",
    "hold_times": "in units of 100 milliseconds, from the first hop as far as proven",
  ]
) { secrets, packet, attribution in
  guard secrets.count <= 1000 else { throw ToolError(.badValue, "shared_secrets: more than 1000") }
  let received = FailurePacket(reason: try packet.limited(), attribution: attribution)
    .unwrap(sharedSecrets: secrets.map { SharedSecret($0) })
  guard let origin = received.origin else {
    let blame = received.blamedHop.map { "; attribution data blames hop \($0)" } ?? ""
    throw ToolError("unknown_origin", "no hop has made this failure" + blame)
  }
  guard let bytes = received.message, let message = try? FailureMessage(decoding: bytes) else {
    throw ToolError("bad_failure", "hop \(origin) has made this failure, but it holds no message")
  }
  var result: JSONObject = [
    "failure_message": .hex(bytes), "code": .int(message.code.rawValue),
    "name": message.code.name.map { .string($0) } ?? .null, "origin": .int(origin),
  ]
  if attribution != nil { result["hold_times"] = .array(received.holdTimes.map { .int($0) }) }
  return result
}

extension FailurePacket {
  fileprivate var json: JSONObject {
    var object: JSONObject = ["packet": .hex(reason)]
    if let attribution { object["attribution_data"] = .hex(attribution.bytes) }
    return object
  }
}

extension [UInt8] {
  /// What fits into `reason`, whose length takes 16 bits.
  fileprivate func limited() throws(ToolError) -> [UInt8] {
    guard count <= 65_535 else { throw ToolError(.badLength, "packet: more than 65535 bytes") }
    return self
  }
}

extension Kind where Value == Attribution {
  fileprivate static var attribution: Self {
    Kind<[UInt8]>.hex(bytes: Attribution.byteCount).map("920 bytes of hex") { (bytes) throws(ToolError) in
      do throws(DecodingError) {
        return try Attribution(bytes)
      } catch {
        throw ToolError(.badLength, "\(error)")
      }
    }
  }
}
