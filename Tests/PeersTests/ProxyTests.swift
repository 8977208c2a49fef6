import Encoding
import NIOCore
import NIOPosix
import Peers
import Secp256k1
import Synchronization
import Testing
import Wire

/// SOCKS 5, as Tor speaks it, with a proxy of our own.
@Suite struct ProxyTests {
  static let onion = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:9735"

  @Test func `An onion service is reached through the proxy`() async throws {
    let bob = TestNode()
    let proxy = try await FakeProxy(leadingTo: try await bob.listen())
    let alice = TestNode { $0.proxy = .init(address: proxy.address) }
    let address = try NodeAddress(text: Self.onion)
    let connection = try await alice.network.connect(to: bob.nodeID, at: [address])
    #expect(connection.address == address)
    #expect(proxy.targets.withLock { $0 } == [Self.onion])
    let toAlice = try await bob.nextConnection()
    connection.send(note(1, byteCount: 60_000))
    #expect(try await receive(1, from: toAlice).map(\.bytes) == [note(1, byteCount: 60_000)])
    await alice.network.stop()
    await bob.network.stop()
    await proxy.close()
  }

  @Test func `Others go directly, unless everything is to go through the proxy, names too`() async throws {
    let bob = TestNode()
    let address = try await bob.listen()
    let proxy = try await FakeProxy(leadingTo: address)
    let alice = TestNode { $0.proxy = .init(address: proxy.address) }
    _ = try await alice.network.connect(to: bob.nodeID, at: [address])
    #expect(proxy.targets.withLock { $0 } == [])
    await alice.network.stop()
    let carol = TestNode { $0.proxy = .init(address: proxy.address, isForEverything: true) }
    _ = try await carol.network.connect(to: bob.nodeID, at: [try NodeAddress(text: "node.invalid:9735")])
    #expect(proxy.targets.withLock { $0 } == ["node.invalid:9735"])
    await carol.network.stop()
    await bob.network.stop()
    await proxy.close()
  }

  @Test func `What the proxy refuses is told with its reason`() async throws {
    let peer = NodeID(SecretKey.random().publicKey)
    let address = try NodeAddress(text: Self.onion)
    let answers: [([UInt8], String)] = [
      ([5, 2, 1, 0, 5, 4, 0, 1, 0, 0, 0, 0, 0, 0], "host unreachable"),
      ([5, 2, 1, 1], "does not accept our credentials"), ([5, 0xff], "another kind of authentication"),
      ([0x48, 0x54, 0x54, 0x50], "no SOCKS 5 proxy"),
      ([5, 0, 5, 0xf2, 0, 1, 0, 0, 0, 0, 0, 0], "cannot be introduced"),
      ([5, 0, 5, 0, 0, 9, 0, 0, 0, 0, 0, 0], "cannot be read"),
      ([5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0, 99], "says too much"),
    ]
    for (answer, text) in answers {
      // Everything at once, whatever was asked.
      let first = Mutex(true)
      let proxy = try await RawServer { _ in
        first.withLock { first in
          defer { first = false }
          return first ? answer : []
        }
      }
      let alice = TestNode { $0.proxy = .init(address: proxy.address) }
      let error = await #expect(throws: PeerError.self) {
        try await alice.network.connect(to: peer, at: [address])
      }
      #expect(error?.description.contains(text) == true, "\(text): \(error?.description ?? "nothing")")
      await alice.network.stop()
      await proxy.close()
    }
  }

  @Test func `A proxy that hangs up, that is not there, or that says nothing, is told too`() async throws {
    let peer = NodeID(SecretKey.random().publicKey)
    let address = try NodeAddress(text: Self.onion)
    let hangsUp = try await RawServer { _ in nil }
    let silent = try await RawServer { _ in [] }
    let gone = try await RawServer { _ in nil }
    await gone.close()
    for (proxy, text) in [(hangsUp, "closed the connection"), (silent, "no answer in time"), (gone, "refused")] {
      let alice = TestNode {
        $0.proxy = .init(address: proxy.address)
        $0.times.connect = .milliseconds(500)
      }
      let error = await #expect(throws: PeerError.self) {
        try await alice.network.connect(to: peer, at: [address])
      }
      #expect(error?.description.contains(text) == true, "\(text): \(error?.description ?? "nothing")")
      await alice.network.stop()
    }
    await hangsUp.close()
    await silent.close()
  }
}

/// Speaks SOCKS 5 with credentials, notes where one wants to go, and leads everybody to the same place.
final class FakeProxy: Sendable {
  let address: NodeAddress
  let targets = Mutex<[String]>([])
  private let channel: any Channel

  init(leadingTo target: NodeAddress) async throws {
    let notes = Notes()
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Front(target: target, notes: notes))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    address = try NodeAddress(text: "127.0.0.1:\(channel.localAddress?.port ?? 0)")
    notes.owner.withLock { $0 = self }
  }

  func close() async { try? await channel.close() }

  final class Notes: Sendable {
    let owner = Mutex<FakeProxy?>(nil)
  }

  /// The side of who asks.
  private final class Front: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let target: NodeAddress
    private let notes: Notes
    private var step = 0
    private var back: (any Channel)?

    init(target: NodeAddress, notes: Notes) {
      self.target = target
      self.notes = notes
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let buffer = unwrapInboundIn(data)
      if let back { return back.writeAndFlush(buffer, promise: nil) }
      let bytes = Array(buffer.readableBytesView)
      step += 1
      switch step {
      case 1: context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: [5, 2])), promise: nil)
      case 2: context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: [1, 0])), promise: nil)
      default:
        let count = Int(bytes[4])
        let host = String(decoding: bytes[5..<5 + count], as: UTF8.self)
        let port = Int(bytes[5 + count]) << 8 | Int(bytes[6 + count])
        notes.owner.withLock { $0 }?.targets.withLock { $0.append("\(host):\(port)") }
        let front = context.channel
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        ClientBootstrap(group: context.eventLoop)
          .channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Back(front)) }
          }
          .connect(host: "127.0.0.1", port: Int(target.port))
          .whenSuccess { channel in
            bound.value.back = channel
            front.writeAndFlush(ByteBuffer(bytes: [5, 0, 0, 1, 0, 0, 0, 0, 0, 0]), promise: nil)
          }
      }
    }

    func channelInactive(context: ChannelHandlerContext) { back?.close(promise: nil) }
  }

  /// The side of where it leads.
  private final class Back: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let front: any Channel
    init(_ front: any Channel) { self.front = front }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      front.writeAndFlush(unwrapInboundIn(data), promise: nil)
    }
    func channelInactive(context: ChannelHandlerContext) { front.close(promise: nil) }
  }
}
