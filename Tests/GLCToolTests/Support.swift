import GLCTool
import JSON
import Testing

/// The answer to a request, given through the text of a line as `glcnode tool batch` gives it.
func answer(_ op: String, _ parameters: JSONValue) throws -> JSONValue {
  let request: JSONValue = ["id": 7, "op": .string(op), "params": parameters]
  var output: [UInt8] = []
  Toolbox.standard.answer(line: Array(request.description.utf8), to: &output)
  let answer = try JSONValue(parsing: output)
  #expect(answer["id"] == 7)
  return answer
}

/// The result of an operation that must succeed. Its members must be those that the list declares, in that order, but for members
/// that are absent.
func result(
  _ op: String, _ parameters: JSONValue, sourceLocation: SourceLocation = #_sourceLocation
) throws -> JSONValue {
  let answer = try answer(op, parameters)
  let object = try #require(
    answer["result"]?.objectValue, "\(op) \(parameters): \(answer)", sourceLocation: sourceLocation)
  #expect(answer.objectValue?.names == ["id", "ok", "result"], sourceLocation: sourceLocation)
  #expect(answer["ok"] == true, sourceLocation: sourceLocation)
  let declared = try Toolbox.standard.operation(op).results.map(\.name)
  #expect(object.names == declared.filter { object[$0] != nil }, sourceLocation: sourceLocation)
  return .object(object)
}

/// The code with which an operation must be refused.
func refusal(
  _ op: String, _ parameters: JSONValue, sourceLocation: SourceLocation = #_sourceLocation
) throws -> String {
  let answer = try answer(op, parameters)
  let error = try #require(
    answer["error"]?.objectValue, "\(op) \(parameters): \(answer)", sourceLocation: sourceLocation)
  #expect(answer.objectValue?.names == ["id", "ok", "error"], sourceLocation: sourceLocation)
  #expect(answer["ok"] == false, sourceLocation: sourceLocation)
  #expect(error.names == ["code", "message"], sourceLocation: sourceLocation)
  #expect(error["message"]?.stringValue?.isEmpty == false, sourceLocation: sourceLocation)
  return try #require(error["code"]?.stringValue, sourceLocation: sourceLocation)
}

extension JSONValue {
  /// The same object with one member set, or removed.
  func setting(_ name: String, _ value: JSONValue?) -> JSONValue {
    guard case .object(var object) = self else { return self }
    object[name] = value
    return .object(object)
  }
}
