public import JSON

/// What a call is refused with: the `error` member of a JSON-RPC reply.
public struct RPCError: Error, Hashable, Sendable, CustomStringConvertible {
  public let code: RPCErrorCode
  /// One sentence for a person.
  public let message: String
  /// More for a program, where there is more.
  public let data: JSONValue?

  public init(_ code: RPCErrorCode, _ message: String, data: JSONValue? = nil) {
    self.code = code
    self.message = message
    self.data = data
  }

  public var description: String { "\(message) (code \(code.rawValue))" }

  /// The `error` member.
  public var json: JSONValue {
    var object: JSONObject = ["code": .int(code.rawValue), "message": .string(message)]
    if let data { object["data"] = data }
    return .object(object)
  }

  /// From an `error` member. A text alone counts as a message, as pyln-client takes it.
  init(json: JSONValue) {
    self.init(
      RPCErrorCode(rawValue: json["code"]?.integerValue.flatMap { Int(exactly: $0) } ?? -1),
      json["message"]?.stringValue ?? json.stringValue ?? json.description, data: json["data"])
  }
}

extension RPCError {
  /// A parameter with a value that it cannot have, in Core Lightning's words: `id: should be a node id: invalid token '"x"'`.
  public static func invalidParameter(_ name: String, _ expectation: String, _ value: JSONValue) -> RPCError {
    let text = value.description
    let token = text.utf8.count > 200 ? String(text.prefix(200)) + "…" : text
    return RPCError(.invalidParams, "\(name): \(expectation): invalid token '\(token)'")
  }

  static func missingParameter(_ name: String) -> RPCError {
    RPCError(.invalidParams, "missing required parameter: \(name)")
  }
}

/// The code of an error. The numbers are Core Lightning's where it has one for the case, so that scripts written for it read ours.
public struct RPCErrorCode: RawRepresentable, Hashable, Sendable {
  public let rawValue: Int
  public init(rawValue: Int) { self.rawValue = rawValue }

  // JSON-RPC 2.0 §5.1.
  /// What was sent is no request.
  public static let invalidRequest = RPCErrorCode(rawValue: -32600)
  public static let methodNotFound = RPCErrorCode(rawValue: -32601)
  public static let invalidParams = RPCErrorCode(rawValue: -32602)
  /// A fault of the node itself.
  public static let internalError = RPCErrorCode(rawValue: -32603)

  /// Any other refusal.
  public static let failure = RPCErrorCode(rawValue: -1)
  /// The node is stopping.
  public static let shuttingDown = RPCErrorCode(rawValue: -5)

  // pay, keysend, sendpay, waitsendpay.
  public static let payInProgress = RPCErrorCode(rawValue: 200)
  public static let payHashAlreadyUsed = RPCErrorCode(rawValue: 201)
  public static let payUnparseableOnion = RPCErrorCode(rawValue: 202)
  public static let payDestinationFailed = RPCErrorCode(rawValue: 203)
  public static let payTryOtherRoute = RPCErrorCode(rawValue: 204)
  public static let payRouteNotFound = RPCErrorCode(rawValue: 205)
  public static let payRouteTooExpensive = RPCErrorCode(rawValue: 206)
  public static let payInvoiceExpired = RPCErrorCode(rawValue: 207)
  public static let payNoSuchPayment = RPCErrorCode(rawValue: 208)
  public static let payUnspecified = RPCErrorCode(rawValue: 209)
  public static let payStoppedRetrying = RPCErrorCode(rawValue: 210)
  public static let payStatusUnexpected = RPCErrorCode(rawValue: 211)

  // fundchannel, withdraw.
  public static let fundMaximumExceeded = RPCErrorCode(rawValue: 300)
  public static let fundCannotAfford = RPCErrorCode(rawValue: 301)
  public static let fundOutputIsDust = RPCErrorCode(rawValue: 302)
  public static let fundBroadcastFailed = RPCErrorCode(rawValue: 303)
  public static let fundStillSyncing = RPCErrorCode(rawValue: 304)
  public static let fundPeerNotConnected = RPCErrorCode(rawValue: 305)
  public static let fundUnknownPeer = RPCErrorCode(rawValue: 306)
  public static let fundPSBTInvalid = RPCErrorCode(rawValue: 309)
  /// What would be left does not cover the reserve for closing anchor channels.
  public static let fundCannotAffordWithReserve = RPCErrorCode(rawValue: 313)

  // connect.
  public static let connectNoKnownAddress = RPCErrorCode(rawValue: 400)
  public static let connectAllAddressesFailed = RPCErrorCode(rawValue: 401)
  public static let connectDisconnectedDuring = RPCErrorCode(rawValue: 402)

  // invoice, delinvoice, waitinvoice.
  public static let invoiceLabelExists = RPCErrorCode(rawValue: 900)
  public static let invoicePreimageExists = RPCErrorCode(rawValue: 901)
  public static let invoiceHintsGaveNoRoutes = RPCErrorCode(rawValue: 902)
  public static let invoiceExpiredDuringWait = RPCErrorCode(rawValue: 903)
  public static let invoiceWaitTimedOut = RPCErrorCode(rawValue: 904)
  public static let invoiceNotFound = RPCErrorCode(rawValue: 905)
  public static let invoiceStatusUnexpected = RPCErrorCode(rawValue: 906)
  public static let invoiceNoDescription = RPCErrorCode(rawValue: 908)

  /// waitblockheight and other waits that ended without what was waited for.
  public static let waitTimedOut = RPCErrorCode(rawValue: 2000)
}
