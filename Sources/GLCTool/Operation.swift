public import JSON

/// One operation of `glcnode tool`: a function of the library with a name, as JSON in and JSON out.
///
///     Operation(
///       "ecdh", "Shares a secret between a secret key and a public key.",
///       Parameter("seckey", .secretKey), Parameter("pubkey", .publicKey),
///       returns: ["shared_secret": "SHA-256 of the compressed point", "x": "its x coordinate"]
///     ) { seckey, pubkey in … }
///
/// The parameters are declared once: what the list prints, what is refused as unknown, and what the body gets are the
/// same.
public struct Operation: Sendable {
  public let name: String
  /// One sentence.
  public let summary: String
  public let parameters: [ParameterInformation]
  /// The members of the result, in order, and what they are.
  public let results: [(name: String, description: String)]
  private let body: @Sendable (JSONObject) throws -> JSONObject

  /// The body is given the parameters' values in the order of their declaration. Errors of the library may leave it as
  /// they are: those that are `Refusal`s get their code, others `refused`.
  public init<each Value>(
    _ name: String, _ summary: String, _ parameter: repeat Parameter<each Value>,
    returns results: KeyValuePairs<String, String>,
    body: @escaping @Sendable (repeat each Value) throws -> JSONObject
  ) {
    self.name = name
    self.summary = summary
    var parameters: [ParameterInformation] = []
    repeat parameters.append((each parameter).information)
    self.parameters = parameters
    self.results = results.map { (name: $0.key, description: $0.value) }
    self.body = { object in try body(repeat try (each parameter).read(object)) }
  }

  /// Runs the operation.
  public func run(_ parameters: JSONObject) throws(ToolError) -> JSONObject {
    try refuseUnknown(parameters, known: self.parameters)
    do {
      return try body(parameters)
    } catch {
      throw ToolError(refusing: error)
    }
  }
}

/// Operations that belong together, under a heading.
public struct OperationGroup: Sendable {
  public let title: String
  public let operations: [Operation]

  public init(_ title: String, _ operations: [Operation]) {
    self.title = title
    self.operations = operations
  }
}

/// An error of the library that knows its code.
protocol Refusal: Error {
  var refusal: ToolError { get }
}

extension ToolError {
  init(refusing error: any Error) {
    switch error {
    case let error as ToolError: self = error
    case let error as any Refusal: self = error.refusal
    default: self.init("refused", "\(error)")
    }
  }
}
