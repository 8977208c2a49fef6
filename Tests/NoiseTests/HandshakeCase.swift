import Encoding
import Noise
import Secp256k1

/// One handshake as BOLT 8's appendix describes it: our keys, what the other side sends, what we must answer.
struct HandshakeCase {
  enum Expected: Equatable {
    case bytes([UInt8])
    case failure(String)
    /// The keys for sending and for receiving.
    case keys(sending: [UInt8], receiving: [UInt8])
  }

  var name = ""
  /// The responder's public key, for an initiator; nil for a responder.
  var remoteStatic: [UInt8]?
  var localStatic: [UInt8] = []
  var ephemeral: [UInt8] = []
  /// The acts that come in, in order.
  var inputs: [[UInt8]] = []
  /// What comes out, in order.
  var outputs: [Expected] = []

  /// What our side does with the inputs.
  func run() throws -> [Expected] {
    var produced: [Expected] = []
    let localKey = try SecretKey(copying: localStatic.bytes)
    let ephemeralKey = try SecretKey(copying: ephemeral.bytes)
    do {
      if let remoteStatic {
        let handshake = InitiatorHandshake(
          remoteStatic: try PublicKey(copying: remoteStatic.bytes), ephemeral: ephemeralKey)
        produced.append(.bytes(handshake.actOne))
        guard let actTwo = inputs.first else { return produced }
        let session = try handshake.receive(actTwo: actTwo, localStatic: localKey)
        produced.append(.bytes(session.actThree))
        produced.append(
          .keys(
            sending: session.transport.encryptor.key.array, receiving: session.transport.decryptor.key.array))
      } else {
        guard let actOne = inputs.first else { return produced }
        let handshake = try ResponderHandshake(
          actOne: actOne, localStatic: localKey, ephemeral: ephemeralKey)
        produced.append(.bytes(handshake.actTwo))
        guard inputs.count > 1 else { return produced }
        let session = try handshake.receive(actThree: inputs[1])
        produced.append(
          .keys(
            sending: session.transport.encryptor.key.array, receiving: session.transport.decryptor.key.array))
      }
    } catch let error as HandshakeError {
      produced.append(.failure(error.description))
    }
    return produced
  }

  /// Reads the cases printed in BOLT 8: `name: value` or `name=value` lines, comments behind `#`.
  static func cases(inText text: String) throws -> [HandshakeCase] {
    var cases: [HandshakeCase] = []
    for line in text.split(separator: "\n") {
      let line = line.drop { $0 == " " || $0 == "\t" }
      guard !line.hasPrefix("#"), let separator = line.firstIndex(where: { $0 == ":" || $0 == "=" }) else { continue }
      let value = line[line.index(after: separator)...].drop { $0 == " " }
      switch line[..<separator] {
      case "name":
        guard value.hasPrefix("transport-initiator") || value.hasPrefix("transport-responder") else { return cases }
        cases.append(HandshakeCase(name: String(value)))
      case _ where cases.isEmpty: continue
      case "rs.pub": cases[cases.count - 1].remoteStatic = try bytes(value)
      case "ls.priv": cases[cases.count - 1].localStatic = try bytes(value)
      case "e.priv": cases[cases.count - 1].ephemeral = try bytes(value)
      case "input": cases[cases.count - 1].inputs.append(try bytes(value))
      case "output": cases[cases.count - 1].outputs.append(try expected(value))
      default: continue
      }
    }
    return cases
  }

  private static func bytes(_ text: Substring) throws -> [UInt8] {
    try Hex.decode(text.hasPrefix("0x") ? text.dropFirst(2) : text)
  }

  private static func expected(_ text: Substring) throws -> Expected {
    if text.hasPrefix("ERROR (") {
      // `ACT2_BAD_VERSION 1` names the version too.
      return .failure(String(text.dropFirst(7).prefix { $0 != ")" && $0 != " " }))
    }
    if let equals = text.firstIndex(of: "=") {
      let keys = try text[text.index(after: equals)...].split(separator: ",").map { try bytes($0) }
      return text.hasPrefix("sk,rk")
        ? .keys(sending: keys[0], receiving: keys[1]) : .keys(sending: keys[1], receiving: keys[0])
    }
    return .bytes(try bytes(text))
  }
}

/// The keys of BOLT 8's appendix.
enum Alice {
  static let localStatic = [UInt8](repeating: 0x11, count: 32)
  static let ephemeral = [UInt8](repeating: 0x12, count: 32)
}
enum Bob {
  static let localStatic = [UInt8](repeating: 0x21, count: 32)
  static let ephemeral = [UInt8](repeating: 0x22, count: 32)
}

/// The figures of BOLT 8's appendix A, in short: each act as it should be, and what must be refused.
enum Appendix {
  static let responderStatic = "028d7500dd4c12685d1f568b4c2b5048e8534b873319f3a8daa612b469132ec7f7"
  static let initiatorStatic = "034f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa"
  static let actOne =
    "00036360e856310ce5d294e8be33fc807077dc56ac80d95d9cd4ddbd21325eff73f70df6086551151f58b8afe6c195782c6a"
  static let actTwo =
    "0002466d7fcae563e5cb09a0d1870bb580344804617879a14949cf22285f1bae3f276e2470b93aac583c9ef6eafca3f730ae"
  static let actThree =
    "00b9e3a702e93e3a9948c2ed6e5fd7590a6e1c3a0344cfc9d5b57357049aa22355361aa02e55a8fc28fef5bd6d71ad0c"
    + "38228dc68b1c466263b47fdf31e560e139ba"
  static let actThreeWithBadKey =
    "00bfe3a702e93e3a9948c2ed6e5fd7590a6e1c3a0344cfc9d5b57357049aa2235536ad09a8ee351870c2bb7f78b754a2"
    + "6c6cef79a98d25139c856d7efd252c2ae73c"
  static let chainingKey = "919219dbb2920afa8db80f9a51787a840bcf111ed8d588caf9ab4be716e42b01"
  static let initiatorSends = "969ab31b4d288cedf6218839b27a3e2140827047f2c0f01bf5c04435d43511a9"
  static let responderSends = "bb9020b8965f4df047e07f955f3c4b88418984aadc5cdb35096b9ea8fa5c3442"
  /// "hello", encrypted as the message with this number.
  static let messages: [Int: String] = [
    0: "cf2b30ddf0cf3f80e7c35a6e6730b59fe802473180f396d88a8fb0db8cbcf25d2f214cf9ea1d95",
    1: "72887022101f0b6753e0c7de21657d35a4cb2a1f5cde2650528bbc8f837d0f0d7ad833b1a256a1",
    500: "178cb9d7387190fa34db9c2d50027d21793c9bc2d40b1e14dcf30ebeeeb220f48364f7a4c68bf8",
    501: "1b186c57d44eb6de4c057c49940d79bb838a145cb528d6e8fd26dbe50a60ca2c104b56b60e45bd",
    1000: "4a2f3cc3b5e78ddb83dcb426d9863d9d9a723b0337c89dd0b005d89f8d3c05c52b76b29b740f09",
    1001: "2ecd8c8a5629d0d02ab457a0fdd0f7b90a192cd46be5ecb6ca570bfc5e268338b1a16cf4ef2d36",
  ]

  static func bytes(_ hex: String, last: UInt8? = nil, first: UInt8? = nil, key: UInt8? = nil) throws -> [UInt8] {
    var bytes = try Hex.decode(hex)
    if let last { bytes[bytes.count - 1] = last }
    if let first { bytes[0] = first }
    if let key { bytes[1] = key }
    return bytes
  }
}
