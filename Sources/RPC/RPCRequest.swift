internal import JSON

/// One request as it was read.
struct RPCRequest {
  var id: JSONValue
  var method: String
  var params: JSONValue
  var filter: JSONValue?

  /// A refusal, with the id as far as it is known.
  struct Malformed: Error {
    var id: JSONValue
    var error: RPCError
    /// The stream behind it can still be read.
    var isFramed: Bool
  }

  init(_ bytes: [UInt8]) throws(Malformed) {
    let json: JSONValue
    do {
      json = try JSONValue(parsing: bytes)
    } catch {
      // Braces that match by chance: what follows may be the middle of something.
      throw Malformed(id: .null, error: RPCError(.invalidRequest, "Invalid JSON: \(error)"), isFramed: false)
    }
    guard case .object(let object) = json else {
      throw Malformed(id: .null, error: RPCError(.invalidRequest, "Expected an object"), isFramed: true)
    }
    guard let id = object["id"] else {
      // JSON-RPC 2.0 would have this done without a word. Here nothing is done that nobody can be told about.
      throw Malformed(id: .null, error: RPCError(.invalidRequest, "No id"), isFramed: true)
    }
    func refuse(_ message: String) -> Malformed {
      Malformed(id: id, error: RPCError(.invalidRequest, message), isFramed: true)
    }
    if let version = object["jsonrpc"], version != "2.0" { throw refuse("jsonrpc: should be \"2.0\"") }
    guard let method = object["method"] else { throw refuse("No method") }
    guard let name = method.stringValue else { throw refuse("Expected string for method") }
    self.id = id
    self.method = name
    params = object["params"] ?? .null
    filter = object["filter"]
  }
}

enum RPCReply {
  static func result(_ result: JSONValue, id: JSONValue) -> JSONValue {
    ["jsonrpc": "2.0", "id": id, "result": result]
  }

  static func error(_ error: RPCError, id: JSONValue) -> JSONValue {
    ["jsonrpc": "2.0", "id": id, "error": error.json]
  }
}
