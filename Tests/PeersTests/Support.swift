import Bitcoin
import Encoding
import Logging
import NIOCore
import NIOPosix
import Noise
import Peers
import Secp256k1
import Testing
import Wire

/// A `PeerNetwork` with the connections that it has handed up.
struct TestNode {
  let network: PeerNetwork
  let connections: AsyncStream<PeerConnection>
  private let continuation: AsyncStream<PeerConnection>.Continuation

  /// No more connections are waited for.
  func finish() { continuation.finish() }

  init(
    key: consuming SecretKey = .random(), group: (any EventLoopGroup)? = nil,
    _ change: (inout PeerConfiguration) -> Void = { _ in }
  ) {
    var configuration = PeerConfiguration(
      features: FeatureSet([.staticRemotekey: .optional, .anchors: .optional, .gossipQueries: .optional]),
      networks: [.regtest])
    configuration.logger.logLevel = .critical
    // Tests share few threads with others that compute for seconds: where a test has to act in time, it has plenty.
    configuration.times.handshake = .seconds(300)
    configuration.times.initMessage = .seconds(300)
    // Retries that tests can wait for.
    configuration.times.firstRetry = .milliseconds(20)
    configuration.times.longestRetry = .milliseconds(200)
    configuration.times.stable = .milliseconds(1)
    change(&configuration)
    let (stream, continuation) = AsyncStream.makeStream(of: PeerConnection.self)
    connections = stream
    self.continuation = continuation
    network = PeerNetwork(secretKey: key, configuration: configuration, group: group) { continuation.yield($0) }
  }

  var nodeID: NodeID { network.nodeID }

  func listen(_ address: String = "127.0.0.1:0") async throws -> NodeAddress {
    try await network.listen(on: NodeAddress(text: address))
  }

  /// The next connection handed up.
  func nextConnection() async throws -> PeerConnection {
    try await withTimeLimit("no connection was handed up") {
      for await connection in connections { return connection }
      throw Failure("the stream has ended")
    }
  }
}

struct Failure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Fails after two minutes rather than hang.
func withTimeLimit<T: Sendable>(
  _ what: String, _ limit: Duration = .seconds(120), _ body: @escaping @Sendable () async throws -> T
) async throws -> T {
  try await withThrowingTaskGroup(of: T.self) { group in
    group.addTask { try await body() }
    group.addTask {
      try await Task.sleep(for: limit)
      throw Failure(what)
    }
    defer { group.cancelAll() }
    guard let result = try await group.next() else { throw Failure(what) }
    return result
  }
}

/// Waits until something is so, at most two minutes.
func until(_ what: String, _ condition: @escaping @Sendable () -> Bool) async throws {
  try await withTimeLimit(what) {
    while !condition() { try await Task.sleep(for: .milliseconds(5)) }
  }
}

/// The first `count` messages.
func receive(_ count: Int, from connection: PeerConnection) async throws -> [RawMessage] {
  try await withTimeLimit("fewer than \(count) messages came") {
    var messages: [RawMessage] = []
    while messages.count < count, let batch = await connection.nextBatch() { messages += batch }
    return messages
  }
}

/// Why a connection ended, after everything was taken from it.
func end(of connection: PeerConnection) async throws -> PeerCloseReason {
  try await withTimeLimit("the connection did not end") {
    while await connection.nextBatch() != nil {}
    return await connection.waitUntilClosed()
  }
}

/// A peer of our own making: bytes over TCP, and Noise where it wants to. One task uses it.
final class RawPeer: @unchecked Sendable {
  private let channel: any Channel
  private var bytes: AsyncStream<ByteBuffer>.Iterator
  private var received: [UInt8] = []
  var transport: Transport?

  private final class Reader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    let continuation: AsyncStream<ByteBuffer>.Continuation
    init(_ continuation: AsyncStream<ByteBuffer>.Continuation) { self.continuation = continuation }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) { continuation.yield(unwrapInboundIn(data)) }
    func channelInactive(context: ChannelHandlerContext) { continuation.finish() }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
  }

  init(to address: NodeAddress, autoRead: Bool = true) async throws {
    let (stream, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
    let text = address.description
    let host = text.split(separator: ":").dropLast().joined(separator: ":").filter { $0 != "[" && $0 != "]" }
    channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.autoRead, value: autoRead)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Reader(continuation)) }
      }
      .connect(host: host, port: Int(address.port)).get()
    bytes = stream.makeAsyncIterator()
  }

  /// Takes over a connection that was accepted.
  init(accepted channel: any Channel, _ stream: AsyncStream<ByteBuffer>) {
    self.channel = channel
    bytes = stream.makeAsyncIterator()
  }

  func send(_ bytes: [UInt8]) async throws {
    try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
  }

  /// Sends without waiting until it is written.
  func push(_ bytes: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }

  func close() async { try? await channel.close() }

  /// Exactly so many bytes; nil when the connection ends before.
  func receive(_ count: Int) async throws -> [UInt8]? {
    try await withTimeLimit("no \(count) bytes came") { [self] in
      while received.count < count {
        guard let next = await bytes.next() else { return nil }
        received.append(contentsOf: next.readableBytesView)
      }
      defer { received.removeFirst(count) }
      return Array(received[..<count])
    }
  }

  /// Waits for the end. How many bytes came until then.
  func waitForEnd() async throws -> Int {
    try await withTimeLimit("the connection was not closed") { [self] in
      while let next = await bytes.next() { received.append(contentsOf: next.readableBytesView) }
      return received.count
    }
  }

  // MARK: Noise

  /// Shakes hands as initiator.
  func shakeHands(with peer: NodeID, key: consuming SecretKey = .random()) async throws {
    let handshake = InitiatorHandshake(remoteStatic: peer.publicKey)
    try await send(handshake.actOne)
    guard let actTwo = try await receive(50) else { throw Failure("no act two") }
    let session = try handshake.receive(actTwo: actTwo, localStatic: key)
    try await send(session.actThree)
    let transport = session.transport
    self.transport = consume transport
  }

  func encrypt(_ message: [UInt8]) throws -> [UInt8] {
    guard let bytes = try transport?.encryptor.encrypt(message) else { throw Failure("no handshake") }
    return bytes
  }

  func sendMessage(_ message: [UInt8]) async throws { try await send(try encrypt(message)) }
  func sendMessage(_ message: some WireMessage) async throws { try await sendMessage(try message.encoded()) }

  /// The next message; nil when the connection ends.
  func receiveMessage() async throws -> [UInt8]? {
    guard let header = try await receive(18) else { return nil }
    guard let count = try transport?.decryptor.decryptLength(header) else { throw Failure("no handshake") }
    guard let body = try await receive(count) else { return nil }
    return try transport?.decryptor.decryptMessage(body)
  }

  /// Shakes hands, and exchanges `init`.
  func introduce(
    to peer: NodeID, key: consuming SecretKey = .random(), features: FeatureSet = FeatureSet(bits: [13, 23])
  ) async throws {
    try await shakeHands(with: peer, key: key)
    guard let first = try await receiveMessage() else { throw Failure("no init") }
    _ = try Init(decoding: first)
    try await sendMessage(Init(globalfeatures: FeatureSet(), features: features, networks: [.regtest]))
  }
}

/// An odd message of a type that nobody knows.
func note(_ number: Int, byteCount: Int = 8) -> [UInt8] {
  var bytes: [UInt8] = [0x80, 0x01] + (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  if byteCount > 8 { bytes += [UInt8](repeating: 0x5a, count: byteCount - 8) }
  return bytes
}
