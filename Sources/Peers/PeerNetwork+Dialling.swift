internal import Encoding
internal import Hashing
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization
public import Wire

extension PeerNetwork {
  /// Connects to a peer, trying its addresses one after the other; the connection that there already is, if there is one. It is also
  /// handed up.
  @discardableResult public func connect(
    to peer: NodeID, at addresses: [NodeAddress]
  ) async throws(PeerError) -> PeerConnection {
    guard peer != nodeID else { throw .ourself }
    if let connection = self.peer(peer) { return connection }
    // Under one lock with the question whether we stop: `stop` waits for every dial that it finds.
    let dialling: Task<Result<PeerConnection, PeerError>, Never>? = dials.withLock { dials in
      if let running = dials[peer] { return running }
      guard !registry.withLock({ $0.isStopped }) else { return nil }
      let task = Task { [self] in
        let result = await dial(peer, at: addresses)
        self.dials.withLock { $0[peer] = nil }
        return result
      }
      dials[peer] = task
      return task
    }
    guard let dialling else { throw .stopped }
    return try await dialling.value.get()
  }

  private func dial(_ peer: NodeID, at addresses: [NodeAddress]) async -> Result<PeerConnection, PeerError> {
    let usable = addresses.filter { isReachable($0) }
    guard !usable.isEmpty else { return .failure(.noUsableAddress) }
    await gate.enter()
    defer { gate.leave() }
    var attempts: [PeerError.Attempt] = []
    for address in usable {
      if registry.withLock({ $0.isStopped }) { return .failure(.stopped) }
      do {
        return .success(try await open(peer, at: address))
      } catch {
        // Meanwhile the peer may have connected to us.
        if let connection = self.peer(peer) { return .success(connection) }
        let reason = error as? PeerCloseReason ?? .connectionFailed(Self.text(error))
        attempts.append(PeerError.Attempt(address: address, reason: reason))
      }
    }
    return .failure(.unreachable(attempts))
  }

  private func isReachable(_ address: NodeAddress) -> Bool {
    if case .torV3 = address, configuration.proxy == nil { return false }
    return address.isUsable
  }

  private func open(_ peer: NodeID, at address: NodeAddress) async throws -> PeerConnection {
    let times = configuration.times
    let bootstrap = ClientBootstrap(group: group)
      .channelOption(.socketOption(.tcp_nodelay), value: 1)
      .channelOption(.maxMessagesPerRead, value: 2)
      .channelOption(.recvAllocator, value: Self.allocator)
    if let proxy = configuration.proxy, proxy.isForEverything || address.isOnion {
      let patience = TimeAmount(times.connect * 3)
      let connected = try await bootstrap.connectTimeout(TimeAmount(times.connect))
        .connect(host: proxy.address.host, port: Int(proxy.address.port)) { channel in
          channel.eventLoop.makeCompletedFuture { try self.prepareProxy(channel, peer, address, patience) }
        }
      return try await connected.get()
    }
    let connected = try await bootstrap.connectTimeout(TimeAmount(times.connect))
      .connect(host: address.host, port: Int(address.port)) { channel in
        channel.eventLoop.makeCompletedFuture { try self.prepare(channel, peer, address) }
      }
    return try await connected.get()
  }

  private func prepare(
    _ channel: any Channel, _ peer: NodeID, _ address: NodeAddress
  ) throws -> EventLoopFuture<PeerConnection> {
    try track(channel)
    return try addHandler(channel, peer, address)
  }

  private func addHandler(
    _ channel: any Channel, _ peer: NodeID, _ address: NodeAddress
  ) throws -> EventLoopFuture<PeerConnection> {
    let ready = channel.eventLoop.makePromise(of: PeerConnection.self)
    let handler = PeerHandler(owner: self, direction: .outgoing, address: address, remote: peer, ready: ready)
    do {
      try channel.pipeline.syncOperations.addHandler(handler)
    } catch {
      ready.fail(error)
      throw error
    }
    return ready.futureResult
  }

  private func prepareProxy(
    _ channel: any Channel, _ peer: NodeID, _ address: NodeAddress, _ patience: TimeAmount
  ) throws -> EventLoopFuture<PeerConnection> {
    try track(channel)
    let through = channel.eventLoop.makePromise(of: Void.self)
    // A circuit of its own for each peer: who watches one cannot tell that it is the same node.
    let credentials = Array("glc-\(peer.description.prefix(32))".utf8)
    let handler = SOCKS5Handler(target: address, credentials: credentials, ready: through)
    try channel.pipeline.syncOperations.addHandler(handler)
    let impatience = channel.eventLoop.scheduleTask(in: patience) {
      through.fail(PeerCloseReason.proxyRefused("no answer in time"))
      channel.close(promise: nil)
    }
    let bound = NIOLoopBound(handler, eventLoop: channel.eventLoop)
    return through.futureResult.flatMap { [self] in
      impatience.cancel()
      let removed = channel.pipeline.syncOperations.removeHandler(bound.value)
      return removed.flatMapThrowing { [self] in try addHandler(channel, peer, address) }.flatMap { $0 }
    }
  }

  private func track(_ channel: any Channel) throws {
    guard registry.withLock({ $0.dialled(channel) }) else { throw PeerCloseReason.stopped }
    channel.closeFuture.whenComplete { [self] _ in registry.withLock { $0.closed(channel) } }
  }

  /// What went wrong, in words.
  static func text(_ error: any Error) -> String {
    switch error {
    case let error as NIOConnectionError:
      if let first = error.connectionErrors.first { return text(first.error) }
      if error.dnsAError != nil || error.dnsAAAAError != nil { return "the host \(error.host) is not known" }
      return "no connection"
    case let error as IOError:
      return "\(error)"
    case ChannelError.connectTimeout: return "no answer in time"
    default: return "\(error)"
    }
  }
}

extension NodeAddress {
  var isOnion: Bool {
    if case .torV3 = self { true } else { false }
  }
}
