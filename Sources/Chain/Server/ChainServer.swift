internal import Encoding
internal import JSON
public import Logging
public import NIOCore
internal import NIOHTTP1
public import NIOPosix

/// A regtest chain served to other processes, as a bitcoind would be: JSON-RPC over HTTP, on a loopback address alone.
///
/// Whoever knows the password, or can read the cookie file, may do everything, mining included.
public final class ChainServer: Sendable {
  public struct Options: Sendable {
    public var host: String
    /// 0: any that is free.
    public var port: Int
    /// Written with a fresh password at start, removed at the end; nil: there is none.
    public var cookiePath: String?
    /// Accepted beside the cookie.
    public var user: String?
    public var password: String?

    public init(
      host: String = "127.0.0.1", port: Int = 0, cookiePath: String? = nil, user: String? = nil, password: String? = nil
    ) {
      self.host = host
      self.port = port
      self.cookiePath = cookiePath
      self.user = user
      self.password = password
    }
  }

  /// The longest request, in bytes.
  static let maximumRequestSize = 32 << 20

  /// Where it listens.
  public let port: Int
  private let channel: any Channel
  private let connections: ConnectionSet
  let cookiePath: String?

  private init(port: Int, channel: any Channel, connections: ConnectionSet, cookiePath: String?) {
    self.port = port
    self.channel = channel
    self.connections = connections
    self.cookiePath = cookiePath
  }

  /// Throws `.unreachable` when the port is taken or the address not loopback, `.storage` when the cookie cannot be written.
  public static func start(
    _ chain: RegtestChain, _ options: Options = Options(),
    group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
    logger: Logger = Logger(label: "glc.chain.server")
  ) async throws(ChainError) -> ChainServer {
    let address = "\(options.host):\(options.port)"
    guard ["127.0.0.1", "::1", "localhost"].contains(options.host)
    else { throw .unreachable(address: address, reason: "the chain is served on loopback addresses only") }
    var accepted: [[UInt8]] = []
    if let user = options.user, let password = options.password { accepted.append(Array("\(user):\(password)".utf8)) }
    if let path = options.cookiePath {
      var generator = SystemRandomNumberGenerator()
      let secret = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
      let cookie = Array("__cookie__:\(Hex.encode(secret))".utf8)
      do { try writePrivateFile(path, cookie) } catch { throw .storage(error.description) }
      accepted.append(cookie)
    }
    let service = RPCService(chain: chain, accepted: accepted, logger: logger)
    let connections = ConnectionSet()
    do {
      let channel = try await ServerBootstrap(group: group)
        .serverChannelOption(.backlog, value: 256)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            connections.add(channel)
            let pipeline = channel.pipeline.syncOperations
            try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
            try pipeline.addHandler(NIOHTTPServerRequestAggregator(maxContentLength: maximumRequestSize))
            try pipeline.addHandler(RPCServerHandler(service))
          }
        }
        .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
        .bind(host: options.host, port: options.port).get()
      let port = channel.localAddress?.port ?? options.port
      logger.info("serving the chain", metadata: ["address": "\(options.host):\(port)"])
      return ChainServer(port: port, channel: channel, connections: connections, cookiePath: options.cookiePath)
    } catch {
      throw .unreachable(address: address, reason: "cannot listen: \(error)")
    }
  }

  /// Closes the port and every connection.
  public func stop() async {
    try? await channel.close()
    connections.closeAll()
    if let cookiePath { removeFile(cookiePath) }
  }
}
