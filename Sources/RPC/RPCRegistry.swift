internal import Encoding
public import JSON

/// What runs a method. It is cancelled when the caller goes away: a method that only waits should end then, one that changes
/// something must not leave it half done. Errors that are no `RPCError` reach the caller as code −1 with their description.
public typealias RPCHandler = @Sendable (RPCArguments, RPCContext) async throws -> JSONValue

/// The methods of a server.
public struct RPCRegistry: Sendable {
  struct Entry: Sendable {
    let method: RPCMethod
    let run: RPCHandler
  }

  private(set) var entries: [String: Entry] = [:]

  /// With `help` and `check`.
  public init() {}

  /// The methods that can be called, by name.
  public var methods: [RPCMethod] {
    (entries.values.map(\.method) + Self.own).sorted { $0.name < $1.name }
  }

  /// Adds a method; one of the same name is replaced.
  public mutating func register(_ method: RPCMethod, _ run: @escaping RPCHandler) {
    entries[method.name] = Entry(method: method, run: run)
  }

  // MARK: Methods of the registry itself

  /// What every server answers.
  public static let help = RPCMethod(
    "help", .node, "List the methods, or explain one",
    parameters: [.optional("command", .string, default: "all", "The method to explain.")],
    results: [
      RPCResult("help[].command", "string", "the method with its parameters, optional ones in brackets"),
      RPCResult("help[].category", "string", "what it is about"),
      RPCResult("help[].description", "string", "what it does"),
      RPCResult("help[].verbose", "string", "parameters and result", optional: true),
    ])
  public static let check = RPCMethod(
    "check", .node, "Check a call without making it",
    details: "Refuses what the call would be refused for: an unknown method, a missing or malformed parameter.",
    parameters: [.required("command_to_check", .string, "The method; its parameters follow by name.")],
    results: [RPCResult("command_to_check", "string", "the method")])
  static let own = [help, check]

  /// Runs a method as the server does: unknown ones and wrong parameters are refused with an `RPCError`.
  public func call(_ name: String, params: JSONValue, context: RPCContext) async throws -> JSONValue {
    if let entry = entries[name] {
      let arguments = try RPCArguments(entry.method, params: params)
      return try await entry.run(arguments, context)
    }
    switch name {
    case Self.help.name: return try helpReply(params)
    case Self.check.name: return try checkReply(params)
    default: throw unknown(name)
    }
  }

  private func unknown(_ name: String) -> RPCError {
    let shown = name.utf8.count > 100 ? String(name.prefix(100)) + "…" : name
    var message = "Unknown command '\(shown)'"
    if let near = NearestName.of(name, in: methods.map(\.name)) { message += ", did you mean '\(near)'?" }
    return RPCError(.methodNotFound, message)
  }

  private func method(_ name: String) throws(RPCError) -> RPCMethod {
    guard let method = entries[name]?.method ?? Self.own.first(where: { $0.name == name }) else { throw unknown(name) }
    return method
  }

  private func helpReply(_ params: JSONValue) throws -> JSONValue {
    let arguments = try RPCArguments(Self.help, params: params)
    let chosen: [RPCMethod]
    let isOne: Bool
    if let name = try arguments.string(ifPresent: "command") {
      chosen = [try method(name)]
      isOne = true
    } else {
      chosen = methods
      isOne = false
    }
    let texts = chosen.map { method -> JSONValue in
      var object: JSONObject = [
        "command": .string(method.usage), "category": .string(method.category.rawValue),
        "description": .string(method.summary),
      ]
      if isOne { object["verbose"] = .string(MethodHelp.text(method)) }
      return .object(object)
    }
    return ["help": .array(texts)]
  }

  private func checkReply(_ params: JSONValue) throws -> JSONValue {
    var name: JSONValue? = params[0]
    var rest: JSONValue = .null
    switch params {
    case .array(let elements): rest = .array(Array(elements.dropFirst()))
    case .object(var object):
      name = object["command_to_check"]
      object["command_to_check"] = nil
      rest = .object(object)
    default: break
    }
    guard let name else { throw RPCError.missingParameter("command_to_check") }
    guard let text = name.stringValue else {
      throw RPCError.invalidParameter("command_to_check", RPCKind.string.expectation, name)
    }
    _ = try RPCArguments(try method(text), params: rest)
    return ["command_to_check": .string(text)]
  }
}
