internal import Encoding
internal import NIOCore
internal import Synchronization
public import Wire

/// A peer that has proved who it is and sent an acceptable `init`. One consumer takes its messages with `nextBatch`; anybody may send.
/// `ping` and `pong` are answered below and never seen here.
public final class PeerConnection: Sendable {
  public let nodeID: NodeID
  /// Where it is. Of an incoming connection, the address that it came from; nil for one that has none.
  public let address: NodeAddress?
  public let direction: PeerDirection
  /// What the peer said first.
  public let theirInit: Init
  /// What we said first.
  public let ourInit: Init

  let channel: any Channel
  let established: NIODeadline
  let inbox: Inbox
  let outbox: Outbox
  private let handler: NIOLoopBound<PeerHandler>
  private let ending = Mutex(Ending())

  private struct Ending {
    var reason: PeerCloseReason?
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  init(
    nodeID: NodeID, address: NodeAddress?, direction: PeerDirection, theirInit: Init, ourInit: Init,
    channel: any Channel, handler: PeerHandler, limits: PeerConfiguration.Limits
  ) {
    self.nodeID = nodeID
    self.address = address
    self.direction = direction
    self.theirInit = theirInit
    self.ourInit = ourInit
    self.channel = channel
    established = .now()
    inbox = Inbox(limit: limits.inboundBytes)
    outbox = Outbox(limits: limits)
    self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
  }

  /// The features that the peer offers.
  public var theirFeatures: FeatureSet { theirInit.combinedFeatures }

  /// Whether both sides can use a feature (BOLT 1 §The `init` Message).
  public func isNegotiated(_ feature: Feature) -> Bool {
    ourInit.combinedFeatures.isNegotiated(feature, with: theirFeatures)
  }

  /// How the peer sees us, if it says so and what it says is an address. BOLT 1: MAY use the `remote_addr` to update its
  /// `node_announcement`.
  public var ourAddressAsSeen: NodeAddress? { (try? theirInit.remoteAddr?.list())?.addresses.first }

  // MARK: Receiving

  /// All messages that have come since the last call, in their order; waits for the first. Nil once the connection has ended and
  /// everything is taken (see `closeReason`), or when the task is cancelled. While too much waits here, nothing more is read
  /// from the peer.
  public func nextBatch() async -> [RawMessage]? {
    await inbox.next { handler.eventLoop.execute { [handler] in handler.value.resume(.inbox) } }
  }

  /// The same without a task: hands the messages to `body`, at once or, when some have come, on the connection's thread, where it must be
  /// short. Once for each call.
  public func takeBatch(_ body: @escaping @Sendable ([RawMessage]?) -> Void) {
    inbox.take(resumeReading: { handler.eventLoop.execute { [handler] in handler.value.resume(.inbox) } }, body)
  }

  // MARK: Sending

  /// Sends messages, each with its two bytes of type, in this order and after all that was sent before. They are written together.
  /// False when the connection has ended or is about to; then none of them is sent. A peer that leaves more than
  /// `Limits.outboundBytes` unread is disconnected: see `isWritable`.
  @discardableResult public func send(_ messages: [[UInt8]]) -> Bool {
    guard !messages.isEmpty else { return true }
    guard messages.allSatisfy({ 2...Message.maximumByteCount ~= $0.count }) else { return false }
    switch outbox.put(messages) {
    case .wake: wake()
    case .queued: break
    case .refused: return false
    case .overflow:
      handler.eventLoop.execute { [handler] in handler.value.end(.outboundOverflow) }
      return false
    }
    return true
  }

  @discardableResult public func send(_ message: [UInt8]) -> Bool { send([message]) }

  @discardableResult public func send(_ message: some WireMessage) -> Bool {
    guard let bytes = try? message.encoded() else { return false }
    return send([bytes])
  }

  /// Sends gossip, whenever nothing else waits to be sent. How many of the messages were accepted, from the first on: a peer that reads
  /// slowly gets no more than it reads.
  @discardableResult public func sendGossip(_ messages: [[UInt8]]) -> Int {
    let (taken, result) = outbox.putGossip(messages)
    if case .wake = result { wake() }
    return taken
  }

  /// Whether the peer keeps up with what it is sent.
  public var isWritable: Bool { outbox.isWritable }
  /// How many bytes of gossip would be accepted now.
  public var gossipRoom: Int { outbox.gossipRoom }
  /// Waits until the peer has read most of what it was sent, or the connection ends.
  public func waitUntilWritable() async { await outbox.waitUntilWritable() }

  private func wake() { handler.eventLoop.execute { [handler] in handler.value.drain() } }

  // MARK: Pinging

  /// Sends a `ping` of `length` bytes, at most 65,529, and waits for the `pong` of `pongBytes` bytes. From 65,532 on there is no answer
  /// (BOLT 1): then it returns at once. Throws why the connection ended, should it end before.
  public func ping(length: Int, pongBytes: UInt16) async throws(PeerCloseReason) {
    let message = Ping(numPongBytes: pongBytes, ignored: [UInt8](repeating: 0, count: max(length, 0)))
    guard let bytes = try? message.encoded() else { throw .malformedMessage(.tooLarge) }
    guard message.pong != nil else {
      guard send([bytes]) else { throw closeReason ?? .closedByPeer }
      return
    }
    let result: Result<Void, PeerCloseReason> = await withCheckedContinuation { continuation in
      let asked = AskedPing(bytes: Int(pongBytes)) { continuation.resume(returning: $0) }
      handler.eventLoop.execute { [handler] in handler.value.ask(bytes, asked) }
    }
    try result.get()
  }

  // MARK: Ending

  /// Sends what is waiting and, last, `message` (an `error` or `warning`, as a rule), then closes. Returns at once.
  public func close(_ why: String, after message: (some WireMessage)?) {
    close(.closedByUs(why), message: message.flatMap { try? $0.encoded() })
  }

  public func close(_ why: String) { close(.closedByUs(why), message: nil) }

  func close(_ reason: PeerCloseReason, message: [UInt8]?) {
    let closing = Outbox.Closing(reason: reason, message: message)
    guard outbox.close(closing) else { return }
    handler.eventLoop.execute { [handler] in handler.value.closeRequested(closing) }
  }

  /// Why it ended; nil while it lasts.
  public var closeReason: PeerCloseReason? { ending.withLock { $0.reason } }

  /// Waits for the end.
  @discardableResult public func waitUntilClosed() async -> PeerCloseReason {
    await withCheckedContinuation { continuation in
      let isOver = ending.withLock { ending in
        if ending.reason == nil { ending.waiters.append(continuation) }
        return ending.reason != nil
      }
      if isOver { continuation.resume() }
    }
    return closeReason ?? .closedByPeer
  }

  func ended(_ reason: PeerCloseReason) {
    // The reason first: whoever finds the end asks for it.
    let waiters = ending.withLock { ending in
      ending.reason = ending.reason ?? reason
      let waiters = ending.waiters
      ending.waiters = []
      return waiters
    }
    outbox.finish()
    inbox.finish()
    for waiter in waiters { waiter.resume() }
  }
}

/// A `ping` whose `pong` somebody waits for.
struct AskedPing: Sendable {
  /// Of the `pong`.
  let bytes: Int
  let answer: @Sendable (Result<Void, PeerCloseReason>) -> Void
}
