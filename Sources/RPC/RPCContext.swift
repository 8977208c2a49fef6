public import JSON
public import Logging

/// What a handler knows of the call that it answers.
public struct RPCContext: Sendable {
  /// The request's id.
  public let id: JSONValue
  /// A number of the connection, for logs.
  public let connection: UInt64
  public let logger: Logger

  private let notify: (@Sendable (JSONValue) async -> Void)?

  public init(
    id: JSONValue = .null, connection: UInt64 = 0, logger: Logger,
    notify: (@Sendable (JSONValue) async -> Void)? = nil
  ) {
    self.id = id
    self.connection = connection
    self.logger = logger
    self.notify = notify
  }

  /// Whether the caller wants to be told how it goes.
  public var wantsProgress: Bool { notify != nil }

  /// Tells the caller how it goes, if it asked for that (`notifications`). `done` of `total` steps are behind us.
  public func progress(_ message: String, done: Int? = nil, of total: Int? = nil) async {
    guard let notify else { return }
    var params: JSONObject = ["id": id, "level": "info", "message": .string(message)]
    // Not a notification of its own named "progress": pyln-client takes anything but "message" for the reply.
    if let done, let total { params["progress"] = ["num": .int(done), "total": .int(total)] }
    await notify(["jsonrpc": "2.0", "method": "message", "params": .object(params)])
  }
}
