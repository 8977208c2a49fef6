internal import Encoding
internal import JSON
internal import Noise
internal import Secp256k1

extension OperationGroup {
  static let noise = OperationGroup("Transport (BOLT 8)", [initiator, responder, encrypt, decrypt])
}

private let staticKey = Parameter<Bytes32>("static_key", .secretKey, "of our node id")
private let ephemeralKey = Parameter<Bytes32>("ephemeral_key", .secretKey, "fresh and random for each session")

private let initiator = Operation(
  "noise.initiator", "Takes the initiator's side of a handshake up to the acts received so far.",
  staticKey, ephemeralKey, Parameter("remote_static", .publicKey, "the node that is connected to"),
  Parameter(optional: "acts", .list(.hex), "received so far: nothing, or act two"),
  returns: [
    "act": "the next to be sent: one, then three", "send_key": "after act two", "receive_key": "after act two",
    "chaining_key": "after act two",
  ]
) { staticKey, ephemeralKey, remoteStatic, acts in
  let acts = acts ?? []
  guard acts.count <= 1 else { throw ToolError(.badValue, "acts: an initiator receives one") }
  let handshake = InitiatorHandshake(remoteStatic: remoteStatic, ephemeral: try SecretKey(ephemeralKey))
  guard let actTwo = acts.first else { return ["act": .hex(handshake.actOne)] }
  let session = try handshake.receive(actTwo: actTwo, localStatic: try SecretKey(staticKey))
  var result: JSONObject = ["act": .hex(session.actThree)]
  for member in keys(of: session).members { result[member.name] = member.value }
  return result
}

private let responder = Operation(
  "noise.responder", "Takes the responder's side of a handshake up to the acts received so far.",
  staticKey, ephemeralKey, Parameter("acts", .list(.hex), "received so far: act one, then act three"),
  Parameter(optional: "remote_static", .publicKey, "whom we expect"),
  returns: [
    "act": "act two, while act three has not come", "send_key": "after act three", "receive_key": "after act three",
    "chaining_key": "after act three", "remote_static": "after act three",
  ]
) { staticKey, ephemeralKey, acts, expected in
  guard 1...2 ~= acts.count else { throw ToolError(.badValue, "acts: a responder receives one, then another") }
  let handshake = try ResponderHandshake(
    actOne: acts[0], localStatic: try SecretKey(staticKey), ephemeral: try SecretKey(ephemeralKey))
  guard acts.count == 2 else { return ["act": .hex(handshake.actTwo)] }
  let session = try handshake.receive(actThree: acts[1])
  let remote = session.remoteStatic
  guard expected == nil || expected == remote else {
    throw ToolError("unexpected_remote_static", "the initiator is \(remote)")
  }
  var result = keys(of: session)
  result["remote_static"] = .hex(remote)
  return result
}

private func keys(of session: borrowing EstablishedSession) -> JSONObject {
  [
    "send_key": .hex(session.transport.encryptor.key.array),
    "receive_key": .hex(session.transport.decryptor.key.array),
    "chaining_key": .hex(session.transport.encryptor.chainingKey.array),
  ]
}

private let key = Parameter<Bytes32>("key", .bytes32)
private let chainingKey = Parameter<Bytes32>("chaining_key", .bytes32)
private let nonce = Parameter<UInt64>("nonce", .integer(0...999), "how often the key has been used")

private let encrypt = Operation(
  "noise.encrypt", "Encrypts one message.",
  key, chainingKey, nonce, Parameter("message", .hex, "at most 65535 bytes"),
  returns: [
    "ciphertext": "34 bytes more than the message", "key": "for the next message",
    "chaining_key": "for the next message",
    "nonce": "for the next message",
  ]
) { key, chainingKey, nonce, message in
  guard var encryptor = Encryptor(key: key, chainingKey: chainingKey, nonce: nonce) else {
    throw ToolError(.badValue, "nonce: a key is used 1000 times")
  }
  let ciphertext = try encryptor.encrypt(message)
  return [
    "ciphertext": .hex(ciphertext), "key": .hex(encryptor.key.array),
    "chaining_key": .hex(encryptor.chainingKey.array), "nonce": .unsigned(encryptor.nonce),
  ]
}

private let decrypt = Operation(
  "noise.decrypt", "Decrypts one message.",
  key, chainingKey, nonce, Parameter("ciphertext", .hex, "the encrypted length and the encrypted message"),
  returns: [
    "message": "hex", "key": "for the next message", "chaining_key": "for the next message",
    "nonce": "for the next message",
  ]
) { key, chainingKey, nonce, ciphertext in
  guard var decryptor = Decryptor(key: key, chainingKey: chainingKey, nonce: nonce) else {
    throw ToolError(.badValue, "nonce: a key is used 1000 times")
  }
  _ = try decryptor.decryptLength(Array(ciphertext.prefix(Transport.headerByteCount)))
  let message = try decryptor.decryptMessage(Array(ciphertext.dropFirst(Transport.headerByteCount)))
  return [
    "message": .hex(message), "key": .hex(decryptor.key.array), "chaining_key": .hex(decryptor.chainingKey.array),
    "nonce": .unsigned(decryptor.nonce),
  ]
}
