internal import Encoding
internal import JSON
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

/// Requests to answers: authentication, JSON-RPC 1.0 and 2.0, batches. No sockets.
struct RPCService: Sendable {
  let chain: RegtestChain
  /// `user:password` of those who may come in.
  let accepted: [[UInt8]]
  let logger: Logger

  struct Answer: Sendable {
    var status: Int
    var body: [UInt8] = []
  }

  func isAuthorised(_ header: String?) -> Bool {
    guard let header, header.hasPrefix("Basic "), let given = try? Base64.decode(String(header.dropFirst(6)))
    else { return false }
    var result = false
    // All are compared, in a time that says nothing.
    for credentials in accepted where credentials.bytes.constantTimeEquals(given.bytes) { result = true }
    return result
  }

  func answer(_ body: [UInt8]) async -> Answer {
    let request: JSONValue
    do {
      request = try JSONValue(parsing: body)
    } catch {
      return failure(RPCFault(RPCFault.parseError, "Parse error"), id: .null)
    }
    switch request {
    case .object: return await answer(request)
    case .array(let batch):
      guard batch.count <= 1000 else { return failure(RPCFault(RPCFault.invalidRequest, "Batch too large"), id: .null) }
      var replies: [UInt8] = [UInt8(ascii: "[")]
      for (index, element) in batch.enumerated() {
        if index > 0 { replies.append(UInt8(ascii: ",")) }
        replies += await answer(element).body
      }
      replies.append(UInt8(ascii: "]"))
      return Answer(status: 200, body: replies)
    default: return failure(RPCFault(RPCFault.parseError, "Top-level object parse error"), id: .null)
    }
  }

  private func answer(_ request: JSONValue) async -> Answer {
    let id = request["id"] ?? .null
    let isVersion2 = request["jsonrpc"]?.stringValue == "2.0"
    guard case .object = request else {
      return failure(RPCFault(RPCFault.invalidRequest, "Invalid Request object"), id: .null)
    }
    guard let method = request["method"]?.stringValue else {
      return failure(RPCFault(RPCFault.invalidRequest, "Missing method"), id: id, isVersion2: isVersion2)
    }
    do throws(RPCFault) {
      let result = try await chain.answer(method, request["params"])
      var reply = JSONObject()
      if isVersion2 { reply["jsonrpc"] = "2.0" }
      reply["result"] = result
      if !isVersion2 { reply["error"] = .null }
      reply["id"] = id
      return Answer(status: 200, body: bytes(.object(reply)))
    } catch {
      logger.debug("refused", metadata: ["method": "\(method)", "code": "\(error.code)", "reason": "\(error.message)"])
      return failure(error, id: id, isVersion2: isVersion2)
    }
  }

  private func failure(_ fault: RPCFault, id: JSONValue, isVersion2: Bool = false) -> Answer {
    let error: JSONValue = ["code": .int(fault.code), "message": .string(fault.message)]
    if isVersion2 { return Answer(status: 200, body: bytes(["jsonrpc": "2.0", "error": error, "id": id])) }
    return Answer(status: fault.httpStatus, body: bytes(["result": .null, "error": error, "id": id]))
  }

  private func bytes(_ value: JSONValue) -> [UInt8] {
    var output: [UInt8] = []
    value.write(to: &output)
    output.append(UInt8(ascii: "\n"))
    return output
  }
}

/// One connection. Requests come one after the other: the pipeline holds the next back until this one is answered.
final class RPCServerHandler: ChannelInboundHandler {
  typealias InboundIn = NIOHTTPServerRequestFull
  typealias OutboundOut = HTTPServerResponsePart

  private let service: RPCService
  private var task: Task<Void, Never>?

  init(_ service: RPCService) { self.service = service }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let request = unwrapInboundIn(data)
    let keepsAlive = request.head.isKeepAlive
    let authorisation = request.head.headers.first(name: "Authorization")
    let method = request.head.method
    let uri = request.head.uri
    let body = request.body.map { Array($0.readableBytesView) } ?? []
    task = Self.serve(
      service, method: method, uri: uri, authorisation: authorisation, body: body, channel: context.channel,
      keepsAlive: keepsAlive)
  }

  private static func serve(
    _ service: RPCService, method: HTTPMethod, uri: String, authorisation: String?, body: [UInt8],
    channel: any Channel, keepsAlive: Bool
  ) -> Task<Void, Never> {
    Task {
      let answer: RPCService.Answer
      if uri != "/" && !uri.hasPrefix("/wallet/") {
        answer = RPCService.Answer(status: 404)
      } else if method != .POST {
        answer = RPCService.Answer(status: 405, body: Array("JSONRPC server handles only POST requests".utf8))
      } else if !service.isAuthorised(authorisation) {
        service.logger.warning("refused a client with a wrong password")
        answer = RPCService.Answer(status: 401)
      } else {
        answer = await service.answer(body)
      }
      write(answer, to: channel, keepsAlive: keepsAlive)
    }
  }

  private static func write(_ answer: RPCService.Answer, to channel: any Channel, keepsAlive: Bool) {
    var headers = HTTPHeaders()
    headers.add(name: "Content-Type", value: "application/json")
    headers.add(name: "Content-Length", value: "\(answer.body.count)")
    if answer.status == 401 { headers.add(name: "WWW-Authenticate", value: "Basic realm=\"jsonrpc\"") }
    if !keepsAlive { headers.add(name: "Connection", value: "close") }
    let head = HTTPResponseHead(
      version: .http1_1, status: HTTPResponseStatus(statusCode: answer.status), headers: headers)
    channel.write(HTTPServerResponsePart.head(head), promise: nil)
    channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: answer.body))), promise: nil)
    let done = channel.writeAndFlush(HTTPServerResponsePart.end(nil))
    if !keepsAlive { done.whenComplete { _ in channel.close(promise: nil) } }
  }

  func channelInactive(context: ChannelHandlerContext) {
    // Nobody waits for the answer any more.
    task?.cancel()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// The connections that are open.
final class ConnectionSet: Sendable {
  private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])

  func add(_ channel: any Channel) {
    let id = ObjectIdentifier(channel)
    channels.withLock { $0[id] = channel }
    channel.closeFuture.whenComplete { [self] _ in channels.withLock { _ = $0.removeValue(forKey: id) } }
  }

  func closeAll() {
    let open = channels.withLock { Array($0.values) }
    for channel in open { channel.close(promise: nil) }
  }
}
