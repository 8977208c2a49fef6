internal import Bitcoin
internal import JSON

/// The parameters of a call, by position or by name.
struct RPCArguments {
  private let values: [JSONValue]

  /// Throws when there are more than the method has, or one that it does not have.
  init(_ parameters: JSONValue?, names: [String]) throws(RPCFault) {
    switch parameters {
    case nil, .null?: values = []
    case .array(let elements)?:
      guard elements.count <= names.count else { throw RPCFault(RPCFault.miscellaneous, "too many parameters") }
      values = elements
    case .object(let object)?:
      var values = [JSONValue](repeating: .null, count: names.count)
      for member in object.members {
        guard let index = names.firstIndex(of: member.name) else {
          throw RPCFault(RPCFault.invalidParameter, "Unknown named parameter \(member.name)")
        }
        values[index] = member.value
      }
      self.values = values
    default: throw RPCFault(RPCFault.invalidRequest, "Params must be an array or object")
    }
  }

  /// Nil when it is left out or null.
  subscript(index: Int) -> JSONValue? {
    guard index < values.count, !values[index].isNull else { return nil }
    return values[index]
  }

  private func required(_ index: Int, _ name: String) throws(RPCFault) -> JSONValue {
    guard let value = self[index] else { throw RPCFault(RPCFault.miscellaneous, "parameter \(name) is missing") }
    return value
  }

  func string(_ index: Int, _ name: String) throws(RPCFault) -> String {
    guard let value = try required(index, name).stringValue
    else { throw RPCFault(RPCFault.wrongType, "\(name) is not a string") }
    return value
  }

  func integer(_ index: Int, _ name: String, default fallback: Int? = nil) throws(RPCFault) -> Int {
    if let fallback, self[index] == nil { return fallback }
    guard let value = try required(index, name).integerValue
    else { throw RPCFault(RPCFault.wrongType, "\(name) is not a whole number") }
    return Int(value)
  }

  func bool(_ index: Int, _ name: String, default fallback: Bool) throws(RPCFault) -> Bool {
    guard let value = self[index] else { return fallback }
    guard let bool = value.boolValue else { throw RPCFault(RPCFault.wrongType, "\(name) is not a boolean") }
    return bool
  }

  /// Bitcoin Core's habit: true and false for the two lowest levels.
  func verbosity(_ index: Int, default fallback: Int) throws(RPCFault) -> Int {
    if let bool = self[index]?.boolValue { return bool ? 1 : 0 }
    return try integer(index, "verbosity", default: fallback)
  }

  func blockHash(_ index: Int) throws(RPCFault) -> BlockHash {
    let text = try string(index, "blockhash")
    guard text.utf8.count == 64 else {
      throw RPCFault(
        RPCFault.invalidParameter, "blockhash must be of length 64 (not \(text.utf8.count), for '\(text.prefix(100))')")
    }
    guard let hash = try? BlockHash(display: text)
    else { throw RPCFault(RPCFault.invalidParameter, "blockhash must be hexadecimal string (not '\(text)')") }
    return hash
  }

  func txid(_ index: Int) throws(RPCFault) -> TxID {
    let text = try string(index, "txid")
    guard text.utf8.count == 64, let txid = try? TxID(display: text)
    else { throw RPCFault(RPCFault.invalidParameter, "txid must be 64 hex digits (not '\(text.prefix(100))')") }
    return txid
  }

  func transaction(_ value: JSONValue) throws(RPCFault) -> Transaction {
    guard let transaction = value.transactionValue
    else { throw RPCFault(RPCFault.cannotDecode, "TX decode failed. Make sure the tx has at least one input.") }
    return transaction
  }

  /// An object with `txid` and `vout`.
  func outPoint(_ value: JSONValue) throws(RPCFault) -> OutPoint {
    guard let txid = value["txid"]?.stringValue.flatMap({ try? TxID(display: $0) }),
      let vout = value["vout"]?.unsignedValue.flatMap({ UInt32(exactly: $0) })
    else { throw RPCFault(RPCFault.invalidParameter, "Invalid parameter, an output needs txid and vout") }
    return OutPoint(txid: txid, vout: vout)
  }

  func array(_ index: Int, _ name: String) throws(RPCFault) -> [JSONValue] {
    guard let array = try required(index, name).arrayValue
    else { throw RPCFault(RPCFault.wrongType, "\(name) is not an array") }
    return array
  }

  /// Where a block's reward or a payment goes: an address, or `raw(hex)`.
  func script(_ index: Int, _ name: String) throws(RPCFault) -> Script {
    let text = try string(index, name)
    if text.hasPrefix("raw("), let end = text.firstIndex(of: ")") {
      if let script = try? Script(hex: String(text[text.index(text.startIndex, offsetBy: 4)..<end])) { return script }
    }
    guard let address = try? Address(text, expecting: .regtest)
    else { throw RPCFault(RPCFault.invalidAddressOrKey, "Invalid address") }
    return address.scriptPubKey
  }
}
