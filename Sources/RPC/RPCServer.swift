internal import JSON
public import Logging
public import NIOCore
public import NIOPosix
internal import Synchronization

/// What a server allows, so that no caller can make the node use up its memory.
public struct RPCLimits: Hashable, Sendable {
  public var maximumConnections = 1024
  /// Of one request.
  public var maximumRequestByteCount = 4 << 20
  /// Of arrays and objects in a request.
  public var maximumDepth = 64
  /// Calls of one connection that run at the same time; more wait to be read.
  public var maximumCallsPerConnection = 64
  /// Of requests that are not complete yet, over all connections.
  public var maximumBufferedByteCount = 32 << 20
  /// How long calls that run may go on when the server stops.
  public var stopGrace: Duration = .seconds(5)

  public init() {}
}

/// Why a server did not start.
public enum RPCServerError: Error, Hashable, CustomStringConvertible {
  /// Somebody answers on the socket.
  case inUse(path: String)
  case notASocket(path: String)
  /// The system's limit for paths of sockets.
  case pathTooLong(path: String, limit: Int)
  case system(path: String, reason: String)

  public var description: String {
    switch self {
    case .inUse(let path):
      "\(path): another node answers there; stop it, or give this one another folder or socket path"
    case .notASocket(let path): "\(path): there is a file that is no socket; move it away or give another socket path"
    case .pathTooLong(let path, let limit):
      "\(path): the path of a socket can have \(limit) bytes; give a shorter folder or a socket path of its own"
    case .system(let path, let reason): "\(path): \(reason)"
    }
  }
}

/// JSON-RPC 2.0 on a Unix stream socket as pyln-client and lightning-cli speak it.
///
/// Requests are JSON objects without anything between them, replies end with two line feeds. A caller may send the next request before
/// the reply to the last one; calls of one connection run at the same time, so replies come in the order in which they are
/// done. Whoever may open the socket may spend the node's money: only the owner of the process may.
public final class RPCServer: Sendable {
  public let path: String

  private let registry: RPCRegistry
  private let limits: RPCLimits
  private let logger: Logger
  private let listener: NIOAsyncChannel<NIOAsyncChannel<ByteBuffer, ByteBuffer>, Never>
  private let file: SocketFile
  private let state = Mutex(State())
  let budget: ByteBudget

  private struct State {
    var isStopping = false
    var nextConnection: UInt64 = 1
    var connections: [UInt64: (channel: any Channel, task: Task<Void, Never>)] = [:]
    var acceptor: Task<Void, Never>?
  }

  /// Listens, with permissions 0600, and answers until `stop()`. A socket file that nobody answers on is replaced.
  public static func start(
    path: String, registry: RPCRegistry, limits: RPCLimits = RPCLimits(), logger: Logger,
    group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
  ) async throws(RPCServerError) -> RPCServer {
    let (listener, file) = try await SocketFile.listen(path: path, group: group)
    let server = RPCServer(
      path: path, registry: registry, limits: limits, logger: logger, listener: listener, file: file)
    let acceptor = Task { await server.accept() }
    server.state.withLock { $0.acceptor = acceptor }
    logger.info(
      "answering", metadata: ["socket": .string(path), "methods": .stringConvertible(registry.methods.count)])
    return server
  }

  private init(
    path: String, registry: RPCRegistry, limits: RPCLimits, logger: Logger,
    listener: NIOAsyncChannel<NIOAsyncChannel<ByteBuffer, ByteBuffer>, Never>, file: SocketFile
  ) {
    self.path = path
    self.registry = registry
    self.limits = limits
    self.logger = logger
    self.listener = listener
    self.file = file
    budget = ByteBudget(limit: limits.maximumBufferedByteCount)
  }

  /// How many callers are connected.
  public var connectionCount: Int { state.withLock { $0.connections.count } }

  private func accept() async {
    do {
      try await listener.executeThenClose { connections in
        for try await connection in connections { admit(connection) }
      }
    } catch is CancellationError {
    } catch {
      logger.error("no longer listening", metadata: ["error": .string("\(error)")])
    }
  }

  private func admit(_ channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>) {
    state.withLock { state in
      let number = state.nextConnection
      state.nextConnection += 1
      let isFull = state.connections.count >= limits.maximumConnections
      // More than so many refusals under way are not waited for.
      if state.isStopping || state.connections.count >= limits.maximumConnections + 64 {
        // Not closed alone: NIO insists on being told that nobody writes to it.
        Task { try? await channel.executeThenClose { _, _ in } }
        return
      }
      let connection = RPCConnection(
        number: number, channel: channel, registry: registry, limits: limits, budget: budget, logger: logger)
      let task = Task {
        if isFull {
          await connection.refuse(RPCError(.failure, "too many connections: \(self.limits.maximumConnections)"))
        } else {
          await connection.run()
        }
        self.state.withLock { $0.connections[number] = nil }
      }
      state.connections[number] = (channel.channel, task)
      // The caller is gone: what runs for it is cancelled.
      channel.channel.closeFuture.whenComplete { _ in task.cancel() }
    }
  }

  /// Stops listening and removes the socket. Calls that run have `limits.stopGrace` to end, then they are cancelled.
  /// Returns when nothing runs any more.
  public func stop() async {
    let (isFirst, acceptor, connections) = state.withLock { state in
      let isFirst = !state.isStopping
      state.isStopping = true
      return (isFirst, state.acceptor, Array(state.connections.values))
    }
    if isFirst {
      file.remove()
      // Nobody new; and whoever is half let in is let in and sent away, before the door is gone: NIO traps on what it has accepted and
      // nobody has taken.
      try? await listener.channel.setOption(.autoRead, value: false).get()
      try? await Task.sleep(for: .milliseconds(50))
      listener.channel.close(promise: nil)
      // Nothing more is read; a connection without calls ends.
      for connection in connections { connection.channel.close(mode: .input, promise: nil) }
    }
    await acceptor?.value
    let grace = limits.stopGrace
    let killer = Task {
      try await Task.sleep(for: grace)
      for connection in connections { connection.task.cancel() }
    }
    for connection in connections { await connection.task.value }
    killer.cancel()
    if isFirst { logger.info("stopped", metadata: ["socket": .string(path)]) }
  }
}

/// How many bytes may be held over all connections.
final class ByteBudget: Sendable {
  private let limit: Int
  private let used = Atomic<Int>(0)

  init(limit: Int) { self.limit = limit }

  /// Takes (or gives back, when negative); false when there is not so much left.
  func take(_ count: Int) -> Bool {
    let (_, new) = used.add(count, ordering: .relaxed)
    if count <= 0 || new <= limit { return true }
    used.subtract(count, ordering: .relaxed)
    return false
  }

  var usedByteCount: Int { used.load(ordering: .relaxed) }
}
