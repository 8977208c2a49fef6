internal import BOLT
internal import Bitcoin
internal import Encoding
internal import JSON
internal import Secp256k1
internal import Wire

extension OperationGroup {
  static let messages = OperationGroup(
    "Messages of peers", [decodeMessage, encodeMessage, decodeValue, encodeValue, verifyGossip])
}

// MARK: Messages

private let decodeMessage = Operation(
  "message.decode", "Reads a message of BOLT 1, 2, 4 or 7. Refuses what a node must close the connection for.",
  Parameter("message", .hex, "its type and payload"),
  returns: [
    "type": "integer",
    "name": "as the BOLTs call it; null for an odd type that they do not have, and for ours",
    "fields": "{name: value}, named as in the BOLTs, without lengths and counts; `payload` where there is no name",
    "tlvs": "[{type, length, value}]: every record of the extension, known or not",
  ]
) { message in try Message(decoding: message, custom: ours).named.json }

/// What nodes that compose channels say to each other (`docs/REGISTRY.md`), which no BOLT has.
private let ours: CustomTypes = {
  var types = LightningChannel.customTypes
  types.messages.formUnion(45_056...45_183)
  return types
}()

private let encodeMessage = Operation(
  "message.encode", "Writes a message: takes what message.decode gives.",
  Parameter("type", .integer(0...0xffff) as Kind<UInt16>),
  Parameter(optional: "name", .string, "must be the type's"),
  Parameter(
    optional: "fields", .fields, "as in message.decode; lengths and counts may be given, and must then be right"),
  Parameter(optional: "tlvs", .tlvs),
  returns: ["message": "hex, its type and payload"]
) { type, name, fields, tlvs in
  let named = NamedMessage(type: type, name: name, fields: fields ?? [], tlvs: tlvs ?? TLVStream())
  return ["message": .hex(try Message(named: named).encoded())]
}

// MARK: Values

private let valueTypes = Kind<String>.word(
  "bigsize", "tu16", "tu32", "tu64", "short_channel_id", "address", "features")

private let decodeValue = Operation(
  "wire.decode", "Reads one value of a message (BOLT 1 §Fundamental Types, BOLT 7, BOLT 9).",
  Parameter("type", valueTypes), Parameter("bytes", .hex, "all of it is the value"),
  returns: ["value": "integer; text for short_channel_id and address; a list of bits for features"]
) { type, bytes in ["value": try decode(bytes, as: type)] }

private func decode(_ bytes: [UInt8], as type: String) throws -> JSONValue {
  var reader = ByteReader(bytes.bytes)
  let value: JSONValue
  switch type {
  case "bigsize": value = .unsigned(try reader.readBigSize())
  case "tu16": value = .int(try reader.readTU16())
  case "tu32": value = .int(try reader.readTU32())
  case "tu64": value = .unsigned(try reader.readTU64())
  case "short_channel_id": value = .string(try ShortChannelID(from: &reader).description)
  case "address":
    let address = try NodeAddress(from: &reader)
    // A host name may be any bytes, such as none, or those of an IPv4 address.
    guard (try? NodeAddress(text: address.description)) == address else {
      throw ToolError("no_text", "an address that has no text of its own")
    }
    value = .string(address.description)
  default:
    guard bytes.count <= 0xffff else { throw ToolError(.badLength, "bytes: no message has room for so many features") }
    value = .array(try FeatureSet(from: &reader).bits.map { .int($0) })
  }
  try reader.finish()
  return value
}

private let encodeValue = Operation(
  "wire.encode", "Writes one value of a message: the reverse of wire.decode.",
  Parameter("type", valueTypes), Parameter("value", .anything, "as wire.decode gives it"),
  returns: ["bytes": "hex, in the shortest form"]
) { type, value in
  var writer = ByteWriter()
  do throws(ToolError) {
    switch type {
    case "bigsize": writer.writeBigSize(try Kind.uint64.read(value))
    case "tu16": writer.writeTruncated(UInt64(try (Kind.integer() as Kind<UInt16>).read(value)))
    case "tu32": writer.writeTruncated(UInt64(try Kind.uint32.read(value)))
    case "tu64": writer.writeTruncated(try Kind.uint64.read(value))
    case "short_channel_id": try Kind.shortChannelID.read(value).encode(to: &writer)
    case "address": try Kind.nodeAddress.read(value).encode(to: &writer)
    default: FeatureSet(bits: try Kind.featureBits.read(value)).encode(to: &writer)
    }
  } catch {
    throw error.within("value")
  }
  return ["bytes": .hex(writer.bytes)]
}

// MARK: Gossip

private let verifyGossip = Operation(
  "gossip.verify",
  "Checks a channel_announcement, node_announcement or channel_update by itself: its form and its signatures (BOLT 7).",
  Parameter("message", .hex, "its type and payload"),
  Parameter(optional: "node_id", .publicKey, "who must have signed; for a channel_update"),
  returns: ["valid": "bool", "error": "what is wrong; null when it is valid"]
) { message, node in
  do {
    try gossip(message, signer: node).verify()
    return ["valid": true, "error": .null]
  } catch let fault as GossipFault {
    return ["valid": false, "error": .string(fault.description)]
  } catch let error as WireError {
    // A message of these types that cannot be read is an invalid one; any other has no business here.
    guard case .malformed(256...258, _, _) = error else { throw error }
    return ["valid": false, "error": .string(error.description)]
  }
}

private func gossip(_ bytes: [UInt8], signer: PublicKey?) throws -> GossipMessage {
  switch try Message(decoding: bytes) {
  case .channelAnnouncement(let message): return .channelAnnouncement(message)
  case .nodeAnnouncement(let message): return .nodeAnnouncement(message)
  case .channelUpdate(let message):
    guard let signer else {
      throw ToolError(.missingParameter, "node_id is missing: a channel_update does not name its signer")
    }
    return .channelUpdate(message, signer: NodeID(signer))
  default: throw ToolError(.badValue, "message: no channel_announcement, node_announcement or channel_update")
  }
}
