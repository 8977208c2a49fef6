public import JSON

/// All operations by name, and how they are called.
public struct Toolbox: Sendable {
  public let groups: [OperationGroup]
  private let operations: [String: Operation]

  public init(_ groups: [OperationGroup]) {
    self.groups = groups
    operations = Dictionary(groups.flatMap(\.operations).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The operation of this name. Throws `unknown_op` when there is none.
  public func operation(_ name: String) throws(ToolError) -> Operation {
    guard let operation = operations[name] else {
      throw ToolError(.unknownOperation, "there is no operation \(quoted(name)); 'glcnode tool list' prints all")
    }
    return operation
  }

  /// Runs one operation on the text of its parameters, as `glcnode tool OP '{…}'` does, and tells whether it was
  /// carried out.
  public func answer(_ name: String, parameters text: [UInt8]) -> (json: JSONValue, isOK: Bool) {
    do throws(ToolError) {
      let result = try operation(name).run(Self.parameters(parse(text)))
      return (.object(["ok": true, "result": .object(result)]), true)
    } catch {
      return (.object(["ok": false, "error": error.json]), false)
    }
  }

  /// Carries out one line of `batch` and appends the answer, a line without its end. Never fails: whatever the line is,
  /// the answer says so.
  public func answer(line: [UInt8], to output: inout [UInt8]) {
    var id = JSONValue.null
    do throws(ToolError) {
      guard case .object(let request) = try parse(line) else {
        throw ToolError(.badRequest, "a request is an object: {\"id\": …, \"op\": \"…\", \"params\": {…}}")
      }
      id = request["id"] ?? .null
      guard let name = request["op"], !name.isNull else { throw ToolError(.badRequest, "op is missing") }
      guard case .string(let name) = name else {
        throw ToolError(.badRequest, "op: expected a string, got \(name.typeName)")
      }
      let result = try operation(name).run(Self.parameters(request["params"] ?? .null))
      JSONValue.object(["id": id, "ok": true, "result": .object(result)]).write(to: &output)
    } catch {
      Self.answer(error, id: id).write(to: &output)
    }
  }

  static func answer(_ error: ToolError, id: JSONValue = .null) -> JSONValue {
    .object(["id": id, "ok": false, "error": error.json])
  }

  private func parse(_ text: [UInt8]) throws(ToolError) -> JSONValue {
    do {
      return try JSONValue(parsing: text)
    } catch {
      throw ToolError(.badJSON, "\(error)")
    }
  }

  /// No parameters at all are an empty object.
  private static func parameters(_ json: JSONValue) throws(ToolError) -> JSONObject {
    switch json {
    case .object(let object): return object
    case .null: return JSONObject()
    default: throw ToolError(.badRequest, "params: expected an object, got \(json.typeName)")
    }
  }
}

extension ToolError {
  var json: JSONValue { .object(["code": .string(code.rawValue), "message": .string(message)]) }
}
