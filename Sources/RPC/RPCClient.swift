internal import FoundationEssentials
public import JSON
public import NIOCore
public import NIOPosix

/// Why a call has no result.
public enum RPCClientError: Error, CustomStringConvertible {
  /// Nobody listens there.
  case unreachable(path: String, reason: String)
  /// The node hung up before it had answered: whether it did what was asked is not known.
  case disconnected
  /// What came is no reply to the call.
  case malformed(String)
  /// The node refused.
  case refused(RPCError)
  case cancelled

  public var description: String {
    switch self {
    case .unreachable(let path, let reason):
      "no node answers at \(path) (\(reason)); start one with `glcnode start`, or name another with --data-dir, --network or --socket"
    case .disconnected: "the node hung up before it answered; whether it did what was asked is not known"
    case .malformed(let text): "the node sent what is no reply: \(text)"
    case .refused(let error): error.description
    case .cancelled: "cancelled"
    }
  }
}

/// How a call is going.
public struct RPCProgress: Hashable, Sendable {
  public let message: String
  /// Steps done, and how many there are.
  public let steps: (done: Int, total: Int)?

  public static func == (a: Self, b: Self) -> Bool {
    a.message == b.message && a.steps?.done == b.steps?.done && a.steps?.total == b.steps?.total
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(message) }
}

/// Calls the methods of a node, a connection for each call.
public struct RPCClient: Sendable {
  public let path: String
  private let group: any EventLoopGroup

  /// A reply may be as long as this: a list of all channels of the network is.
  static let maximumReplyByteCount = 1 << 30

  public init(path: String, group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton) {
    self.path = path
    self.group = group
  }

  /// The `result` of a call. `params` is an object or an array. With `onProgress`, the node is asked to tell how it goes.
  public func call(
    _ method: String, _ params: JSONValue = [:], filter: JSONValue? = nil,
    onProgress: (@Sendable (RPCProgress) -> Void)? = nil
  ) async throws(RPCClientError) -> JSONValue {
    let channel = try await connect()
    let id = JSONValue.string("glcnode:\(method)#1")
    var request: JSONObject = ["jsonrpc": "2.0", "id": id, "method": .string(method), "params": params]
    request["filter"] = filter
    var bytes: [UInt8] = []
    if onProgress != nil {
      let enable: JSONValue = [
        "jsonrpc": "2.0", "id": "glcnode:notifications", "method": "notifications", "params": ["enable": true],
      ]
      enable.write(to: &bytes)
    }
    JSONValue.object(request).write(to: &bytes)
    let buffer = ByteBuffer(bytes: bytes)
    let result: Result<JSONValue, RPCClientError>
    do {
      result = try await channel.executeThenClose { inbound, outbound in
        try await outbound.write(buffer)
        return try await Self.reply(to: id, inbound, onProgress)
      }
    } catch is CancellationError {
      throw .cancelled
    } catch {
      throw Task.isCancelled ? .cancelled : .disconnected
    }
    return try result.get()
  }

  private func connect() async throws(RPCClientError) -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
    guard path.utf8.count <= SocketFile.maximumPathByteCount else {
      throw .unreachable(path: path, reason: "the path of a socket can have \(SocketFile.maximumPathByteCount) bytes")
    }
    do {
      return try await ClientBootstrap(group: group).connect(unixDomainSocketPath: path) { channel in
        channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel(wrappingChannelSynchronously: channel) }
      }
    } catch {
      let isThere = FileManager.default.fileExists(atPath: path)
      let reason = (error as? IOError)?.errnoCode == 13 ? "permission denied" : "nobody listens"
      throw .unreachable(path: path, reason: isThere ? reason : "there is no such socket")
    }
  }

  private static func reply(
    to id: JSONValue, _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>,
    _ onProgress: (@Sendable (RPCProgress) -> Void)?
  ) async throws -> Result<JSONValue, RPCClientError> {
    var framer = MessageFramer(maximumByteCount: maximumReplyByteCount, maximumDepth: JSONValue.maximumDepth)
    for try await buffer in inbound {
      framer.append(Array(buffer.readableBytesView))
      do {
        while let bytes = try framer.next() {
          let json = try JSONValue(parsing: bytes)
          if let method = json["method"] {
            if method == "message", let params = json["params"] { onProgress?(progress(params)) }
            continue
          }
          // A request that could not be read is answered with an id of null.
          guard json["id"] == id || json["id"]?.isNull ?? true else { continue }
          if let error = json["error"] { return .failure(.refused(RPCError(json: error))) }
          guard let result = json["result"] else { return .failure(.malformed("neither result nor error")) }
          return .success(result)
        }
      } catch {
        return .failure(.malformed("\(error)"))
      }
    }
    return .failure(.disconnected)
  }

  private static func progress(_ params: JSONValue) -> RPCProgress {
    var steps: (done: Int, total: Int)?
    if let done = params["progress"]?["num"]?.integerValue, let total = params["progress"]?["total"]?.integerValue {
      steps = (Int(clamping: done), Int(clamping: total))
    }
    return RPCProgress(message: params["message"]?.stringValue ?? "", steps: steps)
  }
}
