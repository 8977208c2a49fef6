import JSON

/// One call for each operation, with what comes out: figures of the specifications named, in the smallest number that pins each
/// operation down. The large suites run beside them where they are.
struct Example: Sendable, CustomStringConvertible {
  let op: String
  let source: String
  let parameters: JSONValue
  let result: JSONValue

  init(_ op: String, _ source: String, _ parameters: JSONValue, _ result: JSONValue) {
    self.op = op
    self.source = source
    self.parameters = parameters
    self.result = result
  }

  var description: String { "\(op) (\(source))" }
}
