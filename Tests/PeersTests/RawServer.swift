import NIOCore
import NIOPosix
import Synchronization
import Wire

/// Listens and answers each read with what a function makes of it.
final class RawServer: Sendable {
  let address: NodeAddress
  let accepted = Mutex(0)
  private let channel: any Channel

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    let answer: @Sendable ([UInt8]) -> [UInt8]?
    init(_ answer: @escaping @Sendable ([UInt8]) -> [UInt8]?) { self.answer = answer }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      guard let bytes = answer(Array(unwrapInboundIn(data).readableBytesView)) else {
        return context.close(promise: nil)
      }
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
    }
  }

  /// `answer` gives nil to hang up.
  init(answer: @escaping @Sendable ([UInt8]) -> [UInt8]?) async throws {
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Handler(answer)) }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    address = try NodeAddress(text: "127.0.0.1:\(channel.localAddress?.port ?? 0)")
  }

  func close() async { try? await channel.close() }
}
