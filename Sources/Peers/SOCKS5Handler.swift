internal import NIOCore
internal import Wire

/// The client's side of SOCKS 5 (RFC 1928), with names resolved by the proxy. It goes in front of a connection to the proxy; `ready`
/// succeeds when the proxy has connected to `target`. With credentials (RFC 1929), which Tor takes as a wish for circuits of
/// their own (`IsolateSOCKSAuth`), not as a secret.
final class SOCKS5Handler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum State {
    case greeted, authenticating, requested, done
  }

  private let target: NodeAddress
  private let credentials: [UInt8]
  private let ready: EventLoopPromise<Void>
  private var state = State.greeted
  private var received = ByteBuffer()

  /// `credentials`: 1 to 255 bytes, used as name and as password.
  init(target: NodeAddress, credentials: [UInt8], ready: EventLoopPromise<Void>) {
    self.target = target
    self.credentials = Array(credentials.prefix(255))
    self.ready = ready
  }

  func channelActive(context: ChannelHandlerContext) {
    // Version, two methods: nothing, name and password.
    send([5, 2, 0, 2], context)
  }

  func channelInactive(context: ChannelHandlerContext) {
    fail("it closed the connection", context)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { fail("\(error)", context) }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var buffer = unwrapInboundIn(data)
    received.writeBuffer(&buffer)
    while step(context) {}
    if received.readableBytes > 512 { fail("it says too much", context) }
  }

  /// Handles one answer. Whether there was one.
  private func step(_ context: ChannelHandlerContext) -> Bool {
    switch state {
    case .greeted:
      guard let answer = received.readBytes(length: 2) else { return false }
      switch (answer[0], answer[1]) {
      case (5, 0): request(context)
      case (5, 2):
        let count = UInt8(truncatingIfNeeded: credentials.count)
        send([1, count] + credentials + [count] + credentials, context)
        state = .authenticating
      case (5, _): fail("it wants another kind of authentication", context)
      default: fail("it is no SOCKS 5 proxy", context)
      }
      return true
    case .authenticating:
      guard let answer = received.readBytes(length: 2) else { return false }
      if answer[1] == 0 { request(context) } else { fail("it does not accept our credentials", context) }
      return true
    case .requested:
      guard let head = received.getBytes(at: received.readerIndex, length: 5) else { return false }
      let addressLength: Int
      switch head[3] {
      case 1: addressLength = 4
      case 3: addressLength = 1 + Int(head[4])
      case 4: addressLength = 16
      default:
        fail("its answer cannot be read", context)
        return false
      }
      guard received.readBytes(length: 6 + addressLength) != nil else { return false }
      guard head[0] == 5, head[1] == 0 else {
        fail(Self.reason(head[1]), context)
        return false
      }
      // The peer waits for us to speak: nothing can have followed.
      guard received.readableBytes == 0 else {
        fail("it says too much", context)
        return false
      }
      state = .done
      ready.succeed()
      return false
    case .done: return false
    }
  }

  private func request(_ context: ChannelHandlerContext) {
    let host = Array(target.host.utf8.prefix(255))
    send(
      [5, 1, 0, 3, UInt8(truncatingIfNeeded: host.count)] + host
        + [UInt8(target.port >> 8), UInt8(truncatingIfNeeded: target.port)], context)
    state = .requested
  }

  private func send(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
  }

  private func fail(_ text: String, _ context: ChannelHandlerContext) {
    guard state != .done else { return }
    state = .done
    ready.fail(PeerCloseReason.proxyRefused(text))
    context.close(promise: nil)
  }

  private static func reason(_ code: UInt8) -> String {
    switch code {
    case 1: "general failure"
    case 2: "not allowed"
    case 3: "network unreachable"
    case 4: "host unreachable"
    case 5: "connection refused"
    case 6: "time ran out"
    case 7: "command not supported"
    case 8: "kind of address not supported"
    // Tor's own, for onion services.
    case 0xf0: "the onion service is not known"
    case 0xf1: "the onion service's descriptor is invalid"
    case 0xf2: "the onion service cannot be introduced to"
    case 0xf3: "the onion service did not meet us"
    case 0xf4: "the onion service wants authorisation"
    case 0xf5: "the onion service does not accept our authorisation"
    case 0xf6: "the onion address is invalid"
    case 0xf7: "the onion service's introduction timed out"
    default: "error \(code)"
    }
  }
}
