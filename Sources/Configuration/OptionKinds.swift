internal import Bitcoin
internal import Encoding
internal import Secp256k1

extension OptionKind<String> {
  static let text = OptionKind(placeholder: "TEXT", expectation: "a text", example: "…") { $0.isEmpty ? nil : $0 }

  static func path(_ example: String) -> Self {
    OptionKind(placeholder: "PATH", expectation: "a path", example: example) { path in
      guard !path.isEmpty, !path.utf8.contains(0) else { return nil }
      return HomeFolder.expand(path)
    }
  }

  static let url = OptionKind(placeholder: "URL", expectation: "an address such as http://127.0.0.1:18443", example: "")
  {
    text in
    guard text.hasPrefix("http://"), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
    let rest = text.dropFirst("http://".count)
    return HostPort(rest.prefix { $0 != "/" }, defaultPort: 80) == nil ? nil : text
  }

  static let zmq = OptionKind(
    placeholder: "tcp://HOST:PORT", expectation: "an address such as tcp://127.0.0.1:28332",
    example: "tcp://127.0.0.1:28332"
  ) {
    text in
    guard text.hasPrefix("tcp://"), HostPort(text.dropFirst("tcp://".count)) != nil else { return nil }
    return text
  }

  static let alias = OptionKind(
    placeholder: "NAME", expectation: "a name of at most 32 bytes of UTF-8 without control characters",
    example: "my node"
  ) { text in
    text.utf8.count <= 32 && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f } ? text : nil
  }
}

extension OptionKind<Bool> {
  static let flag = OptionKind(placeholder: "", expectation: "true or false", example: "true", isSwitch: true) {
    Bool($0)
  }
}

extension OptionKind<HostPort> {
  static let hostPort = OptionKind(
    placeholder: "HOST:PORT", expectation: "HOST:PORT, for example 127.0.0.1:9735, [::1]:9735 or node.example:9735",
    example: "127.0.0.1:9735"
  ) { HostPort($0) }
}

extension OptionKind<Network> {
  static let network = OptionKind(
    placeholder: "NETWORK", expectation: NodeConfiguration.networks.map(NodeConfiguration.name).joined(separator: ", "),
    example: "signet"
  ) { text in NodeConfiguration.networks.first { NodeConfiguration.name(of: $0) == text } }
}

extension OptionKind<ChainSettings.Source> {
  static let chain = OptionKind(
    placeholder: "embedded|bitcoind", expectation: "embedded or bitcoind", example: "bitcoind"
  ) {
    ChainSettings.Source(rawValue: $0)
  }
}

extension OptionKind where Value: FixedWidthInteger & Sendable {
  static func integer(_ range: ClosedRange<Value>, unit: String = "N") -> Self {
    let bound =
      range.upperBound == .max ? "from \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
    return OptionKind(
      placeholder: unit, expectation: "an integer \(bound)", example: "\(range.lowerBound)", isNumber: true
    ) { text in
      guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Value(text), range.contains(value) else {
        return nil
      }
      return value
    }
  }
}

extension OptionKind<Satoshi> {
  static let sat = OptionKind(
    placeholder: "SAT", expectation: "an amount in satoshi, at most 21 million BTC", example: "1000000", isNumber: true
  ) { text in
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt64(text) else { return nil }
    let amount = Satoshi(number)
    return amount.isInMoneyRange ? amount : nil
  }
}

extension OptionKind<MilliSatoshi> {
  static let msat = OptionKind(
    placeholder: "MSAT", expectation: "an amount in millisatoshi, at most 21 million BTC", example: "1000000",
    isNumber: true
  ) { text in
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt64(text) else { return nil }
    let amount = MilliSatoshi(number)
    return amount.satoshiRoundedDown.isInMoneyRange ? amount : nil
  }
}

extension OptionKind<[UInt8]> {
  static let color = OptionKind(
    placeholder: "RRGGBB", expectation: "six hex digits, for example 3399ff", example: "3399ff"
  ) {
    text in (try? Hex.decode(text)).flatMap { $0.count == 3 ? $0 : nil }
  }
}

extension OptionKind<PublicKey> {
  static let nodeID = OptionKind(
    placeholder: "NODE-ID", expectation: "a node id, 66 hex digits",
    example: "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
  ) { text in (try? Hex.decode(text)).flatMap { PublicKey(parsing: $0) } }
}

extension OptionKind<Bytes32> {
  static let secret = OptionKind(
    placeholder: "HEX", expectation: "64 hex digits", example: String(repeating: "0", count: 63) + "1"
  ) { try? Bytes32(hex: $0) }
}

extension OptionKind<[Bytes32]> {
  static let channelSecrets = OptionKind(
    placeholder: "HEX/HEX/HEX/HEX/HEX", expectation: "five times 64 hex digits with slashes between",
    example: (1...5).map { String(repeating: "0", count: 63) + "\($0)" }.joined(separator: "/")
  ) { text in
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).compactMap { try? Bytes32(hex: $0) }
    return parts.count == 5 ? parts : nil
  }
}

/// A level for all subsystems (nil) or for one.
struct LevelSetting: Hashable, Sendable {
  var subsystem: String?
  var level: LogLevel
}

extension OptionKind<LevelSetting> {
  static let logLevel = OptionKind(
    placeholder: "[SUBSYSTEM=]LEVEL",
    expectation: "a level (\(LogLevel.allCases.map(\.rawValue).joined(separator: ", "))), or SUBSYSTEM=LEVEL",
    example: "info"
  ) { text in
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard let last = parts.last, let level = LogLevel(rawValue: String(last)) else { return nil }
    guard parts.count == 2 else { return LevelSetting(subsystem: nil, level: level) }
    // Subsystems are labels such as "glc.peers"; the part they share may be left out.
    let subsystem = parts[0].hasPrefix("glc.") ? parts[0].dropFirst(4) : parts[0]
    guard !subsystem.isEmpty,
      subsystem.utf8.allSatisfy({ (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2e || $0 == 0x2d }
      )
    else { return nil }
    return LevelSetting(subsystem: String(subsystem), level: level)
  }
}
