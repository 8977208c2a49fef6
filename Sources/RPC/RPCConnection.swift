internal import JSON
internal import Logging
internal import NIOCore
internal import Synchronization

/// One caller: reads requests, runs them side by side, writes replies.
struct RPCConnection: Sendable {
  let number: UInt64
  let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>
  let registry: RPCRegistry
  let limits: RPCLimits
  let budget: ByteBudget
  let logger: Logger

  private typealias Outbound = NIOAsyncChannelOutboundWriter<ByteBuffer>

  /// Says why and hangs up.
  func refuse(_ error: RPCError) async {
    try? await channel.executeThenClose { _, outbound in
      try await outbound.write(Self.text(RPCReply.error(error, id: .null)))
    }
  }

  /// Answers until the caller hangs up or sends what cannot be read.
  func run() async {
    var logger = logger
    logger[metadataKey: "connection"] = .stringConvertible(number)
    do {
      try await channel.executeThenClose { inbound, outbound in
        try await serve(inbound, outbound, logger)
      }
    } catch {
      // The caller went away, with or without its replies.
      logger.trace("connection ended", metadata: ["error": .string("\(error)")])
    }
  }

  private func serve(
    _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>, _ outbound: Outbound, _ logger: Logger
  ) async throws {
    var framer = MessageFramer(maximumByteCount: limits.maximumRequestByteCount, maximumDepth: limits.maximumDepth)
    var held = 0
    defer { _ = budget.take(-held) }
    var wantsNotifications = false
    try await withThrowingTaskGroup(of: Void.self) { group in
      // How many were started and not yet waited for.
      var running = 0
      reading: for try await buffer in inbound {
        framer.append(Array(buffer.readableBytesView))
        while true {
          let message: [UInt8]?
          do throws(MessageFramer.Fault) {
            message = try framer.next()
          } catch {
            try await outbound.write(Self.text(RPCReply.error(Self.error(error), id: .null)))
            break reading
          }
          guard let message else { break }
          let request: RPCRequest
          do throws(RPCRequest.Malformed) {
            request = try RPCRequest(message)
          } catch {
            try await outbound.write(Self.text(RPCReply.error(error.error, id: error.id)))
            if error.isFramed { continue }
            break reading
          }
          if request.method == "notifications" {
            let reply: JSONValue
            do throws(RPCError) {
              wantsNotifications = try Self.enable(request.params)
              reply = RPCReply.result([:], id: request.id)
            } catch {
              reply = RPCReply.error(error, id: request.id)
            }
            try await outbound.write(Self.text(reply))
            continue
          }
          if running == limits.maximumCallsPerConnection {
            try await group.next()
            running -= 1
          }
          running += 1
          let notifies = wantsNotifications
          group.addTask { try await answer(request, notifies: notifies, outbound, logger) }
        }
        let wait = framer.bufferedByteCount
        guard budget.take(wait - held) else {
          let error = RPCError(.failure, "too much is being sent at once over all connections, try again later")
          try await outbound.write(Self.text(RPCReply.error(error, id: .null)))
          break
        }
        held = wait
      }
      // The caller sends nothing more, and may still read.
      try await group.waitForAll()
    }
  }

  private func answer(_ request: RPCRequest, notifies: Bool, _ outbound: Outbound, _ logger: Logger) async throws {
    var logger = logger
    logger[metadataKey: "method"] = .string(String(request.method.prefix(100)))
    var notify: (@Sendable (JSONValue) async -> Void)?
    if notifies { notify = { try? await outbound.write(Self.text($0)) } }
    let context = RPCContext(id: request.id, connection: number, logger: logger, notify: notify)
    let start = ContinuousClock.now
    let reply: JSONValue
    do {
      let filter = try request.filter.map { try ReplyFilter($0) }
      let result = try await registry.call(request.method, params: request.params, context: context)
      reply = RPCReply.result(filter?.apply(to: result) ?? result, id: request.id)
      logger.debug("answered", metadata: ["took": .stringConvertible(ContinuousClock.now - start)])
    } catch {
      let error = error as? RPCError ?? RPCError(.failure, "\(error)")
      reply = RPCReply.error(error, id: request.id)
      logger.debug(
        "refused",
        metadata: ["code": .stringConvertible(error.code.rawValue), "message": .string(error.message)])
    }
    try await outbound.write(Self.text(reply))
  }

  /// "notifications" of Core Lightning: whether calls from here on are told how they go.
  private static func enable(_ params: JSONValue) throws(RPCError) -> Bool {
    try RPCArguments(notifications, params: params).bool("enable")
  }

  private static let notifications = RPCMethod(
    "notifications", .node, "Be told how calls go", parameters: [.required("enable", .bool, "Whether to be told.")])

  private static func error(_ fault: MessageFramer.Fault) -> RPCError {
    switch fault {
    case .noObject: RPCError(.invalidRequest, "Invalid JSON: a request is an object")
    case .tooLong(let limit): RPCError(.invalidRequest, "a request of more than \(limit) bytes")
    case .tooDeep(let limit): RPCError(.invalidRequest, "a request nested deeper than \(limit)")
    }
  }

  /// With the two line feeds by which pyln-client finds the end.
  private static func text(_ json: JSONValue) -> ByteBuffer {
    var bytes: [UInt8] = []
    json.write(to: &bytes)
    bytes.append(contentsOf: [0x0a, 0x0a])
    return ByteBuffer(bytes: bytes)
  }
}
