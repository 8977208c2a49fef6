public import Bitcoin
public import Encoding
public import JSON
public import Secp256k1

/// The parameters of a call, bound to the method's description and checked against it: every value has the kind that
/// the description promises.
///
/// The accessors come in pairs: one for a parameter that must be there, one (`ifPresent:`) for one that may be left out.
public struct RPCArguments: Sendable {
  public let method: RPCMethod
  private var values: [String: JSONValue] = [:]

  /// Binds `params`: an object by name, an array in order. Null counts as left out.
  public init(_ method: RPCMethod, params: JSONValue) throws(RPCError) {
    self.method = method
    switch params {
    case .array(let elements):
      guard elements.count <= method.parameters.count else {
        throw RPCError(
          .invalidParams, "too many parameters: got \(elements.count), expected \(method.parameters.count)")
      }
      for (parameter, value) in zip(method.parameters, elements) where !value.isNull { values[parameter.name] = value }
    case .object(let object):
      for (name, value) in object.members {
        guard method.parameters.contains(where: { $0.name == name }) else {
          var text = "unknown parameter: \(name)"
          if let near = NearestName.of(name, in: method.parameters.map(\.name)) { text += ", did you mean \(near)?" }
          throw RPCError(.invalidParams, text)
        }
        if !value.isNull { values[name] = value }
      }
    case .null: break
    default: throw RPCError(.invalidParams, "Expected array or object for params")
    }
    for parameter in method.parameters {
      if let value = values[parameter.name] {
        guard parameter.kind.accepts(value) else {
          throw .invalidParameter(parameter.name, parameter.kind.expectation, value)
        }
      } else if parameter.isRequired {
        throw .missingParameter(parameter.name)
      }
    }
  }

  /// Whether a parameter was given.
  public func has(_ name: String) -> Bool { values[name] != nil }

  /// A parameter as it was given; nil when it was left out.
  public func json(ifPresent name: String) -> JSONValue? { values[name] }

  /// For a value that has the right kind and still cannot be: the error in Core Lightning's form.
  /// `expectation` begins with "should be".
  public func invalid(_ name: String, _ expectation: String) -> RPCError {
    .invalidParameter(name, expectation, values[name] ?? .null)
  }

  // MARK: Access

  private func read<Value>(_ name: String, _ read: (JSONValue) -> Value?) throws(RPCError) -> Value? {
    guard let value = values[name] else { return nil }
    // Fails only when a handler asks for another kind than the description has.
    guard let result = read(value) else {
      throw RPCError(
        .internalError, "\(method.name): parameter \(name) is read as another kind than it is described as")
    }
    return result
  }

  private func need<Value>(_ name: String, _ value: Value?) throws(RPCError) -> Value {
    guard let value else { throw .missingParameter(name) }
    return value
  }

  /// `string`, `choice`, and the text of a `label`.
  public func string(ifPresent name: String) throws(RPCError) -> String? { try read(name, RPCKind.label) }
  public func string(_ name: String) throws(RPCError) -> String { try need(name, string(ifPresent: name)) }

  public func integer(ifPresent name: String) throws(RPCError) -> UInt64? { try read(name, RPCKind.integer) }
  public func integer(_ name: String) throws(RPCError) -> UInt64 { try need(name, integer(ifPresent: name)) }

  /// An integer that fits a smaller type.
  public func integer<Value: FixedWidthInteger & UnsignedInteger>(
    ifPresent name: String, as type: Value.Type
  ) throws(RPCError) -> Value? {
    guard let number = try integer(ifPresent: name) else { return nil }
    guard let value = Value(exactly: number) else {
      throw invalid(name, "should be an unsigned \(Value.bitWidth) bit integer")
    }
    return value
  }
  public func integer<Value: FixedWidthInteger & UnsignedInteger>(
    _ name: String, as type: Value.Type
  ) throws(RPCError) -> Value { try need(name, integer(ifPresent: name, as: type)) }

  public func number(ifPresent name: String) throws(RPCError) -> Double? { try read(name, RPCKind.number) }
  public func number(_ name: String) throws(RPCError) -> Double { try need(name, number(ifPresent: name)) }

  public func bool(ifPresent name: String) throws(RPCError) -> Bool? { try read(name, RPCKind.bool) }
  public func bool(_ name: String) throws(RPCError) -> Bool { try need(name, bool(ifPresent: name)) }

  public func bytes(ifPresent name: String) throws(RPCError) -> [UInt8]? {
    try read(name) { RPCKind.bytes($0, count: nil) }
  }
  public func bytes(_ name: String) throws(RPCError) -> [UInt8] { try need(name, bytes(ifPresent: name)) }

  public func bytes32(ifPresent name: String) throws(RPCError) -> Bytes32? {
    try read(name) { RPCKind.bytes($0, count: 32).flatMap { try? Bytes32($0) } }
  }
  public func bytes32(_ name: String) throws(RPCError) -> Bytes32 { try need(name, bytes32(ifPresent: name)) }

  public func publicKey(ifPresent name: String) throws(RPCError) -> PublicKey? { try read(name, RPCKind.publicKey) }
  public func publicKey(_ name: String) throws(RPCError) -> PublicKey { try need(name, publicKey(ifPresent: name)) }

  public func shortChannelID(ifPresent name: String) throws(RPCError) -> ShortChannelID? {
    try read(name, RPCKind.shortChannelID)
  }
  public func shortChannelID(_ name: String) throws(RPCError) -> ShortChannelID {
    try need(name, shortChannelID(ifPresent: name))
  }

  public func channel(ifPresent name: String) throws(RPCError) -> RPCChannel? { try read(name, RPCKind.channel) }
  public func channel(_ name: String) throws(RPCError) -> RPCChannel { try need(name, channel(ifPresent: name)) }

  /// A list of outpoints.
  public func outpoints(ifPresent name: String) throws(RPCError) -> [OutPoint]? {
    try read(name) { value in
      guard let elements = value.arrayValue else { return nil }
      let outpoints = elements.compactMap(RPCKind.outpoint)
      return outpoints.count == elements.count ? outpoints : nil
    }
  }

  /// A list of strings.
  public func strings(ifPresent name: String) throws(RPCError) -> [String]? {
    try read(name) { value in
      guard let elements = value.arrayValue else { return nil }
      let strings = elements.compactMap(\.stringValue)
      return strings.count == elements.count ? strings : nil
    }
  }

  /// `msat`.
  public func milliSatoshi(ifPresent name: String) throws(RPCError) -> MilliSatoshi? {
    try read(name) { RPCKind.amount($0, unit: .msat) }
  }
  public func milliSatoshi(_ name: String) throws(RPCError) -> MilliSatoshi {
    try need(name, milliSatoshi(ifPresent: name))
  }

  /// `sat`.
  public func satoshi(ifPresent name: String) throws(RPCError) -> Satoshi? { try read(name, RPCKind.satoshi) }
  public func satoshi(_ name: String) throws(RPCError) -> Satoshi { try need(name, satoshi(ifPresent: name)) }

  /// Any kind of amount, with the words that its kind allows.
  public func amount(ifPresent name: String) throws(RPCError) -> RPCAmount? {
    let kind = method.parameters.first { $0.name == name }?.kind
    return try read(name) { value in
      if value.stringValue == "all" { return .all }
      if value.stringValue == "any" { return .any }
      let unit: AmountUnit = kind == .sat || kind == .satOrAll ? .sat : .msat
      return RPCKind.amount(value, unit: unit).map { .exactly($0) }
    }
  }
  public func amount(_ name: String) throws(RPCError) -> RPCAmount { try need(name, amount(ifPresent: name)) }

  public func feeRate(ifPresent name: String) throws(RPCError) -> RPCFeeRate? { try read(name, RPCFeeRate.init) }
  public func feeRate(_ name: String) throws(RPCError) -> RPCFeeRate { try need(name, feeRate(ifPresent: name)) }
}
