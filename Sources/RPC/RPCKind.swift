internal import Bitcoin
internal import Encoding
internal import JSON
internal import Secp256k1

/// What values a parameter takes.
public indirect enum RPCKind: Hashable, Sendable {
  case string
  /// A string or a whole number, which counts as its digits.
  case label
  /// From zero on.
  case integer
  case integerIn(ClosedRange<UInt64>)
  case number
  case bool
  case choice([String])
  /// Bytes in hex; so many, or any number.
  case hex(count: Int?)
  /// A compressed public key in hex.
  case nodeID
  /// `BLOCKxTRANSACTIONxOUTPUT`.
  case shortChannelID
  /// A peer's node id, a channel id, or a short channel id.
  case channel
  /// `TXID:OUTPUT`.
  case outpoint
  /// An amount; a bare number is millisatoshi.
  case msat
  /// An amount or "any".
  case msatOrAny
  /// An amount or "all"; a bare number is millisatoshi.
  case msatOrAll
  /// An amount of whole satoshi; a bare number is satoshi.
  case sat
  /// An amount of whole satoshi or "all"; a bare number is satoshi.
  case satOrAll
  case feeRate
  case list(RPCKind)
  case object
  /// Anything.
  case json

  /// What Core Lightning says when it is something else.
  public var expectation: String {
    switch self {
    case .string: "should be a string"
    case .label: "should be a string or a number"
    case .integer: "should be an unsigned 64 bit integer"
    case .integerIn(let range):
      range.upperBound == .max
        ? "should be an integer from \(range.lowerBound)"
        : "should be an integer from \(range.lowerBound) to \(range.upperBound)"
    case .number: "should be a non-negative number"
    case .bool: "should be 'true' or 'false'"
    case .choice(let words): "should be " + words.map { "'\($0)'" }.joined(separator: " or ")
    case .hex(.some(let count)): "should be a \(count) byte hex value"
    case .hex(nil): "should be a hex value"
    case .nodeID: "should be a node id"
    case .shortChannelID: "should be a short_channel_id of form NxNxN"
    case .channel: "should be a peer id, a channel id or a short_channel_id"
    case .outpoint: "should be an outpoint of form TXID:N"
    case .msat: "should be a millisatoshi amount"
    case .msatOrAny: "should be a millisatoshi amount or 'any'"
    case .msatOrAll: "should be a millisatoshi amount or 'all'"
    case .sat: "should be a satoshi amount"
    case .satOrAll: "should be a satoshi amount or 'all'"
    case .feeRate: "should be a feerate such as 'normal', '253perkw', '1000perkb' or '6blocks'"
    case .list: "should be an array"
    case .object: "should be an object"
    case .json: "should be a JSON value"
    }
  }

  /// The kind in a word or two, for help and documentation.
  public var name: String {
    switch self {
    case .string: "string"
    case .label: "label"
    case .integer: "integer"
    case .integerIn(let range):
      range.upperBound == .max ? "integer ≥ \(range.lowerBound)" : "integer \(range.lowerBound)–\(range.upperBound)"
    case .number: "number"
    case .bool: "bool"
    case .choice(let words): words.joined(separator: "|")
    case .hex(.some(let count)): "hex, \(count) bytes"
    case .hex(nil): "hex"
    case .nodeID: "node id"
    case .shortChannelID: "short channel id"
    case .channel: "peer or channel"
    case .outpoint: "outpoint"
    case .msat: "msat"
    case .msatOrAny: "msat or \"any\""
    case .msatOrAll: "msat or \"all\""
    case .sat: "sat"
    case .satOrAll: "sat or \"all\""
    case .feeRate: "feerate"
    case .list(let kind): "list of \(kind.name)"
    case .object: "object"
    case .json: "any JSON"
    }
  }

  /// Whether a value fits.
  func accepts(_ value: JSONValue) -> Bool {
    switch self {
    case .string: value.stringValue != nil
    case .label: Self.label(value) != nil
    case .integer: Self.integer(value) != nil
    case .integerIn(let range): Self.integer(value).map(range.contains) ?? false
    case .number: Self.number(value) != nil
    case .bool: Self.bool(value) != nil
    case .choice(let words): value.stringValue.map(words.contains) ?? false
    case .hex(let count): Self.bytes(value, count: count) != nil
    case .nodeID: Self.publicKey(value) != nil
    case .shortChannelID: Self.shortChannelID(value) != nil
    case .channel: Self.channel(value) != nil
    case .outpoint: Self.outpoint(value) != nil
    case .msat: Self.amount(value, unit: .msat) != nil
    case .msatOrAny: value.stringValue == "any" || Self.amount(value, unit: .msat) != nil
    case .msatOrAll: value.stringValue == "all" || Self.amount(value, unit: .msat) != nil
    case .sat: Self.satoshi(value) != nil
    case .satOrAll: value.stringValue == "all" || Self.satoshi(value) != nil
    case .feeRate: RPCFeeRate(value) != nil
    case .list(let kind): value.arrayValue?.allSatisfy(kind.accepts) ?? false
    case .object: value.objectValue != nil
    case .json: true
    }
  }
}

extension RPCKind {
  static func label(_ value: JSONValue) -> String? {
    if let text = value.stringValue { return text }
    switch value {
    case .unsigned, .negative, .decimal: return value.description
    default: return nil
    }
  }

  static func integer(_ value: JSONValue) -> UInt64? {
    if let number = value.unsignedValue { return number }
    guard let text = value.stringValue, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return UInt64(text)
  }

  static func number(_ value: JSONValue) -> Double? {
    guard let number = value.doubleValue ?? value.stringValue.flatMap({ Double($0) }), number >= 0, number.isFinite
    else { return nil }
    return number
  }

  static func bool(_ value: JSONValue) -> Bool? {
    switch value {
    case .bool(let value): value
    case .string("true"): true
    case .string("false"): false
    default: nil
    }
  }

  static func bytes(_ value: JSONValue, count: Int?) -> [UInt8]? {
    guard let text = value.stringValue, let bytes = try? Hex.decode(text), count == nil || bytes.count == count
    else { return nil }
    return bytes
  }

  static func publicKey(_ value: JSONValue) -> PublicKey? {
    bytes(value, count: 33).flatMap { PublicKey(parsing: $0) }
  }

  static func shortChannelID(_ value: JSONValue) -> ShortChannelID? {
    value.stringValue.flatMap { try? ShortChannelID(text: $0) }
  }

  static func channel(_ value: JSONValue) -> RPCChannel? {
    if let key = publicKey(value) { return .peer(key) }
    if let number = shortChannelID(value) { return .shortChannelID(number) }
    if let bytes = bytes(value, count: 32), let id = try? Bytes32(bytes) { return .channelID(id) }
    return nil
  }

  static func outpoint(_ value: JSONValue) -> OutPoint? {
    guard let parts = value.stringValue?.split(separator: ":", omittingEmptySubsequences: false), parts.count == 2,
      let txid = try? TxID(display: String(parts[0])), let index = integer(.string(String(parts[1]))),
      let output = UInt32(exactly: index)
    else { return nil }
    return OutPoint(txid: txid, vout: output)
  }

  static func amount(_ value: JSONValue, unit: AmountUnit) -> MilliSatoshi? {
    switch value {
    case .unsigned(let number): unit == .msat ? MilliSatoshi(number) : Satoshi(number).milliSatoshi
    case .string(let text): AmountText.parse(text, bare: unit)
    default: nil
    }
  }

  static func satoshi(_ value: JSONValue) -> Satoshi? {
    guard let amount = amount(value, unit: .sat), amount.rawValue % 1000 == 0 else { return nil }
    return amount.satoshiRoundedDown
  }
}
