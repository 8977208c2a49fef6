internal import Encoding
internal import NIOCore
internal import Noise
internal import Secp256k1
internal import Wire

/// One connection: handshake, `init`, then messages both ways. It lives on one thread.
final class PeerHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = Never
  typealias OutboundIn = Never
  typealias OutboundOut = ByteBuffer

  enum Phase {
    case handshake
    /// The peer's `init` is awaited.
    case initialising
    case open
    /// Everything is sent, and our half closed; the rest of what the peer sends is thrown away, so that it can read our last words.
    case closing
    case closed
  }

  /// Why nothing is read at the moment.
  struct Pause: OptionSet {
    let rawValue: UInt8
    /// The layer above has enough to do.
    static let inbox = Pause(rawValue: 1)
    /// The peer has sent more than its share.
    static let rate = Pause(rawValue: 2)
  }

  let owner: PeerNetwork
  let direction: PeerDirection
  /// Where the peer is: what we dialled, or where it came from.
  let address: NodeAddress?
  /// Resolved with the connection, or with the reason why there is none.
  let ready: EventLoopPromise<PeerConnection>?

  var context: ChannelHandlerContext?
  var phase = Phase.handshake
  private(set) var reason: PeerCloseReason?

  // Handshake.
  var initiator: InitiatorHandshake?
  var responder: ResponderHandshake?
  var remote: NodeID?
  var ourInit: Init?
  var connection: PeerConnection?

  // Receiving.
  var decryptor: Decryptor?
  /// Whether a length comes next, or the message that it told of.
  private var isAtLength = true
  /// The beginning of something that is not whole yet.
  private var partial: [UInt8] = []
  /// What this read has brought, for the inbox.
  var arrived: [RawMessage] = []
  var arrivedBytes = 0
  private var pause: Pause = []
  private var hasPendingRead = false
  var messageBucket: TokenBucket
  var byteBucket: TokenBucket
  var pingBucket: TokenBucket
  private var unpaid: TimeAmount?

  // Sending.
  var encryptor: Encryptor?
  /// Messages of this layer: `init`, `ping`, `pong`, `warning`. They go before all others.
  var control: [[UInt8]] = []
  /// Bytes that are written and not with the system yet.
  var unsent = 0
  var lastProgress: NIODeadline

  // Time.
  var phaseDeadline: NIODeadline
  var lastMessage: NIODeadline
  var pingSent: NIODeadline?
  var expectedPongBytes: Int?
  /// What somebody above has asked, the oldest first.
  var askedPings: [AskedPing] = []
  var pingInterval: TimeAmount
  var check: Scheduled<Void>?

  init(
    owner: PeerNetwork, direction: PeerDirection, address: NodeAddress?, remote: NodeID?,
    ready: EventLoopPromise<PeerConnection>?
  ) {
    let now = NIODeadline.now()
    let configuration = owner.configuration
    self.owner = owner
    self.direction = direction
    self.address = address
    self.remote = remote
    self.ready = ready
    let limits = configuration.limits
    messageBucket = TokenBucket(perSecond: limits.messagesPerSecond, burst: limits.messageBurst, now: now)
    byteBucket = TokenBucket(perSecond: limits.bytesPerSecond, burst: limits.byteBurst, now: now)
    pingBucket = TokenBucket(perSecond: limits.pingsPerSecond, burst: limits.pingBurst, now: now)
    lastProgress = now
    lastMessage = now
    phaseDeadline = now + TimeAmount(configuration.times.handshake)
    // So that a thousand peers are not pinged at once.
    let interval = TimeAmount(configuration.times.pingInterval).nanoseconds
    pingInterval = .nanoseconds(Int64.random(in: interval * 3 / 4...max(interval * 5 / 4, interval * 3 / 4)))
  }

  // MARK: Life

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    if context.channel.isActive { begin(context) }
  }

  func channelActive(context: ChannelHandlerContext) { begin(context) }

  func handlerRemoved(context: ChannelHandlerContext) { finish(.closedByPeer) }

  func channelInactive(context: ChannelHandlerContext) { finish(.closedByPeer) }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    end(error is IOError ? .closedByPeer : .connectionFailed("\(error)"))
  }

  private func begin(_ context: ChannelHandlerContext) {
    phaseDeadline = .now() + TimeAmount(owner.configuration.times.handshake)
    if direction == .outgoing, let remote {
      let handshake = InitiatorHandshake(remoteStatic: remote.publicKey)
      writeRaw(handshake.actOne)
      initiator = consume handshake
      context.flush()
    }
    arm()
  }

  /// Closes at once, after a `warning` when the reason has one.
  func end(_ reason: PeerCloseReason) {
    guard phase != .closed, phase != .closing else { return }
    setReason(reason)
    if let text = reason.warning, encryptor != nil {
      linger(saying: try? Warning(channelID: .all, data: PeerText(text)).encoded())
    } else {
      closeNow()
    }
  }

  /// Says the last word, closes our half and gives the peer a little time to read what it was sent: closing the whole while unread bytes of
  /// the peer are here would make the system throw away what the peer has not read yet.
  func linger(saying message: [UInt8]?) {
    guard phase != .closed, phase != .closing else { return }
    // First of all: writing may call back at once.
    phase = .closing
    if let message { control.append(message) }
    writeControl()
    context?.flush()
    partial = []
    phaseDeadline = .now() + TimeAmount(owner.configuration.times.close)
    deliver()
    pause = []
    if let connection {
      owner.remove(connection)
      connection.ended(reason ?? .closedByPeer)
    }
    context?.close(mode: .output, promise: nil)
    arm()
    readOn()
  }

  func setReason(_ reason: PeerCloseReason) { self.reason = self.reason ?? reason }

  func closeNow() {
    guard phase != .closed else { return }
    context?.close(promise: nil)
    finish(.closedByPeer)
  }

  /// The end, whoever brought it about.
  private func finish(_ otherwise: PeerCloseReason) {
    guard phase != .closed else { return }
    deliver()
    // Delivering may have ended it.
    guard phase != .closed else { return }
    phase = .closed
    let reason = reason ?? otherwise
    self.reason = reason
    check?.cancel()
    check = nil
    encryptor = nil
    decryptor = nil
    initiator = nil
    responder = nil
    partial = []
    control = []
    context = nil
    for asked in askedPings { asked.answer(.failure(reason)) }
    askedPings = []
    if let connection {
      owner.remove(connection)
      connection.ended(reason)
    }
    ready?.fail(reason)
    owner.log(reason, of: self)
  }

  // MARK: Receiving

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let buffer = unwrapInboundIn(data)
    guard phase != .closed, phase != .closing else { return }
    note(byteBucket.spend(Double(buffer.readableBytes), now: .now()))
    if partial.isEmpty {
      let span = buffer.readableBytesSpan
      let used = handle(span)
      if used < span.byteCount { partial = span.extracting(used..<span.byteCount).array }
    } else {
      partial.append(contentsOf: buffer.readableBytesView)
      guard partial.count >= neededByteCount else { return }
      var bytes: [UInt8] = []
      swap(&bytes, &partial)
      let used = handle(bytes.bytes)
      if used < bytes.count { partial = Array(bytes[used...]) }
    }
    if phase == .closed || phase == .closing { partial = [] }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    deliver()
    if !control.isEmpty {
      writeControl()
      context.flush()
    }
    if let delay = unpaid {
      unpaid = nil
      pause.insert(.rate)
      let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
      context.eventLoop.scheduleTask(in: delay) { bound.value.resume(.rate) }
    }
  }

  /// Hands up what has come.
  private func deliver() {
    guard !arrived.isEmpty, let connection else { return }
    var batch: [RawMessage] = []
    swap(&batch, &arrived)
    let result = connection.inbox.put(batch, byteCount: arrivedBytes)
    arrivedBytes = 0
    switch result {
    case .goOn: break
    case .pause: pause.insert(.inbox)
    case .overflow: end(.closedByPeer)
    }
  }

  /// A debt of the buckets.
  func note(_ delay: TimeAmount?) {
    guard let delay else { return }
    unpaid = max(unpaid ?? .zero, delay)
  }

  func read(context: ChannelHandlerContext) {
    if pause.isEmpty { context.read() } else { hasPendingRead = true }
  }

  func resume(_ cause: Pause) {
    guard pause.contains(cause) else { return }
    pause.remove(cause)
    readOn()
  }

  private func readOn() {
    guard pause.isEmpty, hasPendingRead else { return }
    hasPendingRead = false
    // While we did not read, the peer could not be heard.
    lastMessage = .now()
    context?.read()
  }

  var isPaused: Bool { !pause.isEmpty }

  /// How many bytes make the next step.
  private var neededByteCount: Int {
    switch phase {
    case .handshake: direction == .incoming && responder != nil ? 66 : 50
    case .initialising, .open: decryptor?.neededByteCount ?? 0
    case .closing, .closed: 0
    }
  }

  /// Takes as many steps as there are bytes for. How many were used.
  private func handle(_ span: RawSpan) -> Int {
    var used = 0
    while true {
      let needed = neededByteCount
      guard needed > 0, span.byteCount - used >= needed else { return used }
      let part = span.extracting(used..<(used + needed))
      used += needed
      if phase == .handshake { handleAct(part) } else { handleFrame(part) }
    }
  }

  private func handleFrame(_ part: RawSpan) {
    do throws(TransportError) {
      if isAtLength {
        _ = try decryptor?.decryptLength(part)
        isAtLength = false
        return
      }
      guard let message = try decryptor?.decryptMessage(part) else { return }
      isAtLength = true
      handleMessage(message)
    } catch {
      end(.transportFailed(error))
    }
  }
}
