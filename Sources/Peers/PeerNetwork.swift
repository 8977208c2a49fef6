internal import Encoding
internal import Logging
public import NIOCore
internal import NIOPosix
public import Secp256k1
internal import Synchronization
public import Wire

/// Connections with peers: listens, dials, authenticates (BOLT 8), exchanges `init` (BOLT 1), keeps alive, limits, and hands up
/// messages. There is one connection for each peer; when a newer one takes the place of an older, the older ends with `.duplicate` and
/// the newer is handed up as any other.
public final class PeerNetwork: Sendable {
  public let nodeID: NodeID
  public let configuration: PeerConfiguration

  let secretKey: SecretKey
  let registry: Mutex<PeerRegistry>
  let dials = Mutex<[NodeID: Task<Result<PeerConnection, PeerError>, Never>]>([:])
  let kept = Mutex<[NodeID: KeptPeer]>([:])
  let gate: DialGate
  let group: any EventLoopGroup
  private let ownsGroup: Bool
  private let servers = Mutex<[Task<any Channel, any Error>]>([])
  private let onPeer: @Sendable (PeerConnection) -> Void

  /// `secretKey` is that of our node id. `onPeer` is called for every peer that is connected, on the thread that moves bytes: it must not
  /// block, but hand the connection to a task. Whoever makes a network stops it in the end.
  public init(
    secretKey: consuming SecretKey, configuration: PeerConfiguration, group: (any EventLoopGroup)? = nil,
    onPeer: @escaping @Sendable (PeerConnection) -> Void
  ) {
    nodeID = NodeID(secretKey.publicKey)
    self.secretKey = secretKey
    self.configuration = configuration
    self.onPeer = onPeer
    registry = Mutex(
      PeerRegistry(
        ourself: nodeID, limits: configuration.limits, crossing: TimeAmount(configuration.times.crossing)))
    gate = DialGate(limit: configuration.limits.simultaneousDials)
    ownsGroup = group == nil
    self.group = group ?? MultiThreadedEventLoopGroup(numberOfThreads: max(1, configuration.threads))
  }

  // MARK: Listening

  /// Accepts connections at an IP address or host name; port 0 takes a free one. Any number of addresses. The address in use.
  @discardableResult public func listen(on address: NodeAddress) async throws(PeerError) -> NodeAddress {
    switch address {
    case .torV2, .torV3:
      throw .cannotListen(on: address, reason: "Tor forwards an onion service to an address of this machine")
    default: break
    }
    // Under one lock with the question whether we stop: `stop` waits for every task that it finds.
    let task: Task<any Channel, any Error>? = servers.withLock { servers in
      guard !registry.withLock({ $0.isStopped }) else { return nil }
      let task = Task { [self] in try await bind(address) }
      servers.append(task)
      return task
    }
    guard let task else { throw .stopped }
    do {
      let bound = NodeAddress(try await task.value.localAddress) ?? address
      configuration.logger.info("listening", metadata: ["address": "\(bound)"])
      return bound
    } catch {
      throw .cannotListen(on: address, reason: Self.text(error))
    }
  }

  private func bind(_ address: NodeAddress) async throws -> any Channel {
    var bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1_024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
      .childChannelOption(.maxMessagesPerRead, value: 2)
      .childChannelOption(.recvAllocator, value: Self.allocator)
      .childChannelInitializer { [self] channel in
        channel.eventLoop.makeCompletedFuture { try accept(channel) }
      }
    if case .ipv6 = address {
      // So that the same port can be listened on for IPv4 too.
      bootstrap = bootstrap.serverChannelOption(
        ChannelOptions.Types.SocketOption(level: .ipv6, name: .ipv6_v6only), value: 1)
    }
    return try await bootstrap.bind(host: address.host, port: Int(address.port)).get()
  }

  private func accept(_ channel: any Channel) throws {
    let address = NodeAddress(channel.remoteAddress)
    switch registry.withLock({ $0.accept(channel, from: address) }) {
    case .refused: throw PeerCloseReason.tooManyConnections
    case .acceptedInsteadOf(let victim): victim.close(promise: nil)
    case .accepted: break
    }
    channel.closeFuture.whenComplete { [self] _ in registry.withLock { $0.closed(channel) } }
    let handler = PeerHandler(owner: self, direction: .incoming, address: address, remote: nil, ready: nil)
    try channel.pipeline.syncOperations.addHandler(handler)
  }

  /// Small buffers for quiet connections.
  static let allocator = AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 1_024, maximum: 65_536)

  // MARK: Peers

  /// Everybody who is connected.
  public var peers: [PeerConnection] { registry.withLock { Array($0.peers.values) } }
  public func peer(_ nodeID: NodeID) -> PeerConnection? { registry.withLock { $0.peers[nodeID] } }
  /// Connections of every state, and those of them that peers have opened without getting to `init`.
  public var connectionCounts: (all: Int, uninitialised: Int) {
    registry.withLock { ($0.connectionCount, $0.uninitialisedCount) }
  }

  func admit(_ connection: PeerConnection) -> PeerRegistry.Admission {
    let isKept = kept.withLock { $0[connection.nodeID] != nil }
    return registry.withLock { $0.admit(connection, isKept: isKept) }
  }

  func handUp(_ connection: PeerConnection) { onPeer(connection) }
  func remove(_ connection: PeerConnection) { registry.withLock { $0.remove(connection) } }

  /// Our `init`. BOLT 1: SHOULD set `remote_addr` to reflect the remote IP address (and port) of an incoming connection (…) SHOULD NOT set
  /// private addresses as `remote_addr`.
  func initMessage(direction: PeerDirection, peer: NodeAddress?) -> Init {
    // BOLT 1: SHOULD NOT set features greater than 13 in `globalfeatures`. Nobody needs any there.
    var message = Init(
      globalfeatures: FeatureSet(), features: configuration.features.minimal, networks: configuration.networks,
      otherRecords: configuration.initRecords)
    if direction == .incoming, let peer, peer.isPublic { message.remoteAddr = NodeAddresses([peer]) }
    return message
  }

  func log(_ reason: PeerCloseReason, of handler: PeerHandler) {
    var metadata = handler.metadata
    metadata["reason"] = "\(reason)"
    guard handler.connection != nil else { return configuration.logger.debug("not connected", metadata: metadata) }
    // A peer that breaks the rules is worth a line that everybody sees. Those that were never let in may come in thousands.
    configuration.logger.log(level: reason.isViolation ? .warning : .debug, "disconnected", metadata: metadata)
  }

  // MARK: Stopping

  /// Closes everything: first the doors, then the connections, each after what was still to be sent to it.
  public func stop() async {
    let wasStopped = registry.withLock { state in
      let was = state.isStopped
      state.isStopped = true
      return was
    }
    guard !wasStopped else { return }
    for peer in kept.withLock({ Array($0.values) }) { peer.task.cancel() }
    for server in servers.withLock({ $0 }) { try? await server.value.close() }
    let (peers, channels) = registry.withLock { (Array($0.peers.values), $0.channels) }
    let open = Set(peers.map { ObjectIdentifier($0.channel) })
    for peer in peers { peer.close(.stopped, message: nil) }
    for channel in channels where !open.contains(ObjectIdentifier(channel)) { channel.close(promise: nil) }
    for channel in channels { try? await channel.closeFuture.get() }
    for task in dials.withLock({ Array($0.values) }) { _ = await task.value }
    if ownsGroup { try? await group.shutdownGracefully() }
  }
}
