internal import Encoding
internal import JSON
internal import Node
internal import RPC

/// A call of the API as it was written on the command line: `close 421x1x0 --unilateraltimeout 60 --json`.
struct MethodCall {
  var options = CallOptions()
  var method: RPCMethod
  var params: JSONValue

  /// The method's name and its parameters may stand in any order with the options of all calls. Nil when no method is named.
  init?(_ words: [String]) throws(CommandFailure) {
    var options = CallOptions()
    var method: RPCMethod?
    var positional: [String] = []
    var named: [(parameter: RPCParameter, text: String?)] = []
    var index = 0
    var onlyValues = false
    while index < words.count {
      let word = words[index]
      index += 1
      guard !onlyValues, word.hasPrefix("--") else {
        if method == nil {
          method = try Self.method(word)
        } else if word == "-h", !onlyValues {
          options.wantsHelp = true
        } else {
          positional.append(word)
        }
        continue
      }
      if word == "--" {
        onlyValues = true
        continue
      }
      let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      func value() throws(CommandFailure) -> String {
        if parts.count == 2 { return String(parts[1]) }
        guard index < words.count else { throw CommandFailure(.usage, "--\(name): a value is missing") }
        index += 1
        return words[index - 1]
      }
      if try options.take(name, value: value) { continue }
      guard let method else { throw CommandFailure(.usage, Self.unknownOption(name, nil)) }
      let key = String(name.map { $0 == "-" ? "_" : $0 })
      guard let parameter = method.parameters.first(where: { $0.name == key }) else {
        throw CommandFailure(.usage, Self.unknownOption(name, method))
      }
      if parameter.kind == .bool, parts.count == 1, index >= words.count || Bool(words[index]) == nil {
        named.append((parameter, "true"))
      } else {
        named.append((parameter, try value()))
      }
    }
    guard let method else { return nil }
    self.options = options
    self.method = method
    params = .null
    if !options.wantsHelp { params = try Self.params(method, positional, named) }
  }

  private static func method(_ name: String) throws(CommandFailure) -> RPCMethod {
    if let method = NodeAPI.method(name) ?? NodeAPI.method(String(name.map { $0 == "_" ? "-" : $0 })) { return method }
    throw CommandFailure(.usage, unknownMethod(name))
  }

  static func unknownMethod(_ name: String) -> String {
    let names = NodeAPI.methods.map(\.name) + CommandNames.all
    let near = NearestName.all(name, in: names)
    let hint = near.isEmpty ? "`glcnode help` lists what there is" : "did you mean \(near.joined(separator: ", "))?"
    return "there is no command \(TerminalText.plain(name)); \(hint)"
  }

  private static func unknownOption(_ name: String, _ method: RPCMethod?) -> String {
    let names = (method?.parameters.map(\.name) ?? []) + CallOptions.all.map(\.name)
    let subject =
      method.map { "\($0.name) has no parameter \(TerminalText.plain(name))" }
      ?? "there is no option --\(TerminalText.plain(name))"
    let key = String(name.map { $0 == "-" ? "_" : $0 })
    if let near = NearestName.of(key, in: names) ?? NearestName.of(name, in: names) {
      return "\(subject); did you mean --\(near)?"
    }
    return method.map { "\(subject); see `glcnode help \($0.name)`" } ?? subject
  }

  private static func params(
    _ method: RPCMethod, _ positional: [String], _ named: [(parameter: RPCParameter, text: String?)]
  ) throws(CommandFailure) -> JSONValue {
    var object = JSONObject()
    // "check" and the like take what they do not describe.
    for (parameter, text) in named {
      if object[parameter.name] != nil { throw CommandFailure(.usage, "\(parameter.name) is given twice") }
      object[parameter.name] = try json(text ?? "", parameter)
    }
    guard positional.count <= method.parameters.count else {
      let hint = method.parameters.isEmpty ? "takes no values" : "takes at most \(method.parameters.count)"
      throw CommandFailure(.usage, "\(method.name) \(hint), got \(positional.count); see `glcnode help \(method.name)`")
    }
    for (parameter, text) in zip(method.parameters, positional) {
      if object[parameter.name] != nil { throw CommandFailure(.usage, "\(parameter.name) is given twice") }
      object[parameter.name] = try json(text, parameter)
    }
    do throws(RPCError) {
      _ = try RPCArguments(method, params: .object(object))
    } catch {
      throw CommandFailure(.usage, "\(error.message)\nusage: glcnode \(method.usage)")
    }
    return .object(object)
  }

  /// A value of the command line as JSON. The kind decides: a label of digits stays a text.
  static func json(_ text: String, _ parameter: RPCParameter) throws(CommandFailure) -> JSONValue {
    guard let value = json(text, parameter.kind) else {
      throw CommandFailure(.usage, "\(parameter.name): \(parameter.kind.expectation) in JSON")
    }
    return value
  }

  private static func json(_ text: String, _ kind: RPCKind) -> JSONValue? {
    switch kind {
    case .string, .label, .choice, .hex, .nodeID, .shortChannelID, .channel, .outpoint: return .string(text)
    case .bool: return Bool(text).map { .bool($0) } ?? .string(text)
    case .integer, .integerIn, .number, .msat, .msatOrAny, .msatOrAll, .sat, .satOrAll, .feeRate:
      let value = try? JSONValue(parsing: text)
      return value?.doubleValue == nil ? .string(text) : value
    case .list(let element):
      if text.hasPrefix("[") { return try? JSONValue(parsing: text) }
      if text.isEmpty { return [] }
      var values: [JSONValue] = []
      for part in text.split(separator: ",", omittingEmptySubsequences: false) {
        guard let value = json(String(part), element) else { return nil }
        values.append(value)
      }
      return .array(values)
    case .object: return try? JSONValue(parsing: text)
    case .json: return (try? JSONValue(parsing: text)) ?? .string(text)
    }
  }
}
