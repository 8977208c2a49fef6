internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

struct HTTPReply: Sendable {
  var status: Int
  var body: [UInt8]
}

/// Why there is no reply.
enum HTTPFailure: Error, Sendable, CustomStringConvertible {
  case cannotConnect(String)
  /// `isStale`: before a byte of the reply came, on a connection that had been used before. The server may have closed it while idle.
  case closed(isStale: Bool)
  case timeout
  case tooLarge
  case malformed(String)
  case cancelled

  var description: String {
    switch self {
    case .cannotConnect(let reason): reason
    case .closed: "the connection was closed"
    case .timeout: "no answer in time"
    case .tooLarge: "an answer that is too long"
    case .malformed(let reason): "no HTTP: \(reason)"
    case .cancelled: "cancelled"
    }
  }
}

/// One request at a time over a connection that is kept.
struct HTTPConnection: Sendable {
  /// The longest reply, in bytes: a block of 4 MB in hex inside JSON, or the ids of a full mempool.
  static let maximumReplySize = 64 << 20

  private let channel: any Channel

  static func open(
    host: String, port: Int, timeout: Duration, group: any EventLoopGroup
  ) async throws(HTTPFailure) -> HTTPConnection {
    do {
      let channel = try await ClientBootstrap(group: group)
        .connectTimeout(TimeAmount(timeout))
        .channelOption(.socketOption(.tcp_nodelay), value: 1)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHTTPClientHandlers()
            try channel.pipeline.syncOperations.addHandler(HTTPClientHandler())
          }
        }
        .connect(host: host, port: port).get()
      return HTTPConnection(channel: channel)
    } catch let error as NIOConnectionError {
      // Each address that was tried has a reason of its own; the first says enough.
      guard let first = error.connectionErrors.first?.error else { throw .cannotConnect("no such host") }
      throw .cannotConnect(first.plainText)
    } catch {
      throw .cannotConnect(error.plainText)
    }
  }

  var isOpen: Bool { channel.isActive }
  func close() { channel.close(promise: nil) }

  /// Sends a POST and waits for its reply. Cancelling closes the connection.
  func post(_ body: [UInt8], headers: HTTPHeaders, timeout: Duration) async throws(HTTPFailure) -> HTTPReply {
    let promise = channel.eventLoop.makePromise(of: HTTPReply.self)
    let exchange = HTTPExchange(
      head: HTTPRequestHead(version: .http1_1, method: .POST, uri: "/", headers: headers), body: body,
      timeout: TimeAmount(timeout), promise: promise)
    do {
      return try await withTaskCancellationHandler {
        // A write that fails closes the channel, which fails the promise.
        channel.writeAndFlush(exchange, promise: nil)
        channel.closeFuture.whenComplete { _ in promise.fail(HTTPFailure.closed(isStale: true)) }
        return try await promise.futureResult.get()
      } onCancel: {
        channel.close(promise: nil)
      }
    } catch let failure as HTTPFailure {
      throw Task.isCancelled ? .cancelled : failure
    } catch {
      throw error is IOError ? .closed(isStale: false) : .malformed("\(error)")
    }
  }
}

extension Error {
  /// Without NIO's own remarks.
  fileprivate var plainText: String {
    if let error = self as? IOError { return SystemError.text(error.errnoCode) }
    if case .connectTimeout(_)? = self as? ChannelError { return "no answer in time" }
    return "\(self)"
  }
}

struct HTTPExchange: Sendable {
  let head: HTTPRequestHead
  let body: [UInt8]
  let timeout: TimeAmount
  let promise: EventLoopPromise<HTTPReply>
}

/// Puts parts together, and gives up when they do not come.
final class HTTPClientHandler: ChannelDuplexHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundIn = HTTPExchange
  typealias OutboundOut = HTTPClientRequestPart

  private var promise: EventLoopPromise<HTTPReply>?
  private var timer: Scheduled<Void>?
  private var status = 0
  private var body: [UInt8] = []
  private var hasBegun = false
  private var isLast = false
  private var requests = 0

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let exchange = unwrapOutboundIn(data)
    guard self.promise == nil, context.channel.isActive else {
      exchange.promise.fail(HTTPFailure.closed(isStale: requests > 0))
      promise?.succeed()
      return
    }
    self.promise = exchange.promise
    requests += 1
    hasBegun = false
    body = []
    let channel = context.channel
    let reply = exchange.promise
    timer = context.eventLoop.scheduleTask(in: exchange.timeout) {
      reply.fail(HTTPFailure.timeout)
      channel.close(promise: nil)
    }
    context.write(wrapOutboundOut(.head(exchange.head)), promise: nil)
    context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: exchange.body)))), promise: nil)
    context.write(wrapOutboundOut(.end(nil)), promise: promise)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard promise != nil else {
      // Nobody asked.
      context.close(promise: nil)
      return
    }
    switch unwrapInboundIn(data) {
    case .head(let head):
      hasBegun = true
      status = Int(head.status.code)
      isLast = !head.isKeepAlive
      if let length = head.headers.first(name: "Content-Length").flatMap({ Int($0) }) {
        guard length <= HTTPConnection.maximumReplySize else { return fail(.tooLarge, context) }
        body.reserveCapacity(length)
      }
    case .body(let buffer):
      guard body.count + buffer.readableBytes <= HTTPConnection.maximumReplySize else {
        return fail(.tooLarge, context)
      }
      body += buffer.readableBytesView
    case .end:
      let reply = HTTPReply(status: status, body: body)
      body = []
      let promise = finish()
      if isLast { context.close(promise: nil) }
      promise?.succeed(reply)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    finish()?.fail(HTTPFailure.closed(isStale: requests > 1 && !hasBegun))
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A connection that is reset is a connection that is closed.
    fail(error is IOError ? .closed(isStale: requests > 1 && !hasBegun) : .malformed("\(error)"), context)
  }

  private func fail(_ failure: HTTPFailure, _ context: ChannelHandlerContext) {
    finish()?.fail(failure)
    context.close(promise: nil)
  }

  private func finish() -> EventLoopPromise<HTTPReply>? {
    timer?.cancel()
    timer = nil
    defer { promise = nil }
    return promise
  }
}

extension TimeAmount {
  /// Rounded down to a nanosecond.
  init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    self = .nanoseconds(overflow ? .max / 2 : product + attoseconds / 1_000_000_000)
  }
}
