internal import Encoding
internal import Logging
internal import NIOCore
internal import Noise
internal import Wire

extension PeerHandler {
  /// A decrypted message.
  func handleMessage(_ bytes: [UInt8]) {
    guard let message = RawMessage(bytes: bytes) else { return end(.malformedMessage(.missingType)) }
    record(.received, bytes)
    let now = NIODeadline.now()
    lastMessage = now
    if pingSent != nil {
      // Whatever it says, it lives.
      pingSent = nil
      arm()
    }
    note(messageBucket.spend(1, now: now))
    if phase == .initialising { return handleInit(bytes, type: message.type) }
    switch message.type {
    case Ping.type: handlePing(bytes, now: now)
    case Pong.type: handlePong(bytes)
    case Init.type: end(.initRepeated)
    case let type where type.isMultiple(of: 2) && !owner.configuration.knowsEvenType(type):
      end(.unknownEvenType(type))
    default:
      arrived.append(message)
      // What a message costs beside its bytes.
      arrivedBytes += bytes.count + 64
    }
  }

  private func handlePing(_ bytes: [UInt8], now: NIODeadline) {
    // BOLT 1: Limited precautions are recommended against `ping` flooding.
    guard pingBucket.spend(1, now: now) == nil, unsent < Self.mostUnsentForPongs else { return end(.pingFlood) }
    do throws(WireError) {
      let ping = try Ping(decoding: bytes)
      guard let pong = try ping.pong?.encoded() else { return }
      control.append(pong)
    } catch {
      end(.malformedMessage(error))
    }
  }

  /// A peer that asks for pongs and does not read them is let go.
  private static let mostUnsentForPongs = 4_194_304

  private func handlePong(_ bytes: [UInt8]) {
    do throws(WireError) {
      let pong = try Pong(decoding: bytes)
      if let place = askedPings.firstIndex(where: { $0.bytes == pong.ignored.count }) {
        askedPings.remove(at: place).answer(.success(()))
        return
      }
      // BOLT 1: if `byteslen` does not correspond to any `ping`'s `num_pong_bytes` value it has sent: MAY close the connection. We do
      // not, but it does not count as an answer either. That it spoke does.
      if pong.ignored.count == expectedPongBytes { expectedPongBytes = nil }
    } catch {
      end(.malformedMessage(error))
    }
  }

  /// Sends a `ping` that somebody above waits for.
  func ask(_ ping: [UInt8], _ asked: AskedPing) {
    guard phase == .open else { return asked.answer(.failure(reason ?? .closedByPeer)) }
    guard askedPings.count < Self.mostAskedPings else { return asked.answer(.failure(.pingFlood)) }
    askedPings.append(asked)
    control.append(ping)
    drain()
  }

  private static let mostAskedPings = 16

  // MARK: Sending

  func writeRaw(_ bytes: [UInt8]) {
    guard let context, !bytes.isEmpty else { return }
    context.write(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
  }

  /// Writes the messages of this layer.
  func writeControl() {
    guard !control.isEmpty else { return }
    var messages: [[UInt8]] = []
    swap(&messages, &control)
    write(messages, fromOutbox: 0)
  }

  /// Writes what waits, until the peer has enough to read.
  func drain() {
    guard phase == .open, let connection, let context else { return }
    var wrote = !control.isEmpty
    writeControl()
    while phase == .open {
      let batch = connection.outbox.take(upTo: Self.chunk)
      guard !batch.isEmpty else { break }
      wrote = true
      write(batch, fromOutbox: batch.reduce(0) { $0 + $1.count })
    }
    if wrote { context.flush() }
    if unsent == 0, let closing = connection.outbox.closingWhenEmpty { finalWords(closing) }
  }

  /// What is encrypted and handed to the system at a time.
  private static let chunk = 65_536

  /// The layer above wants no more of this.
  func closeRequested(_ closing: Outbox.Closing) {
    drain()
    guard phase == .open, let context else { return }
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    context.eventLoop.scheduleTask(in: TimeAmount(owner.configuration.times.close)) {
      guard bound.value.phase == .open else { return }
      bound.value.setReason(closing.reason)
      bound.value.closeNow()
    }
  }

  private func finalWords(_ closing: Outbox.Closing) {
    guard phase == .open else { return }
    setReason(closing.reason)
    if case .duplicate = closing.reason { closeNow() } else { linger(saying: closing.message) }
  }

  private func write(_ messages: [[UInt8]], fromOutbox taken: Int) {
    guard let context, encryptor != nil else { return }
    var bytes: [UInt8] = []
    let overhead = Transport.headerByteCount + Transport.tagByteCount
    // Once for all: the encryptor would reserve for each.
    bytes.reserveCapacity(messages.reduce(0) { $0 + $1.count + overhead })
    for message in messages {
      // The messages fit: whoever put them in has looked.
      try? encryptor?.encrypt(message.bytes, appendingTo: &bytes)
      record(.sent, message)
    }
    let count = bytes.count
    if unsent == 0 { lastProgress = .now() }
    unsent += count
    let promise = context.eventLoop.makePromise(of: Void.self)
    promise.futureResult.assumeIsolated().whenComplete { [self] _ in written(count, fromOutbox: taken) }
    context.write(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: promise)
  }

  private func written(_ count: Int, fromOutbox taken: Int) {
    unsent -= count
    lastProgress = .now()
    guard phase == .open, let connection else { return }
    let more = taken > 0 && connection.outbox.sent(taken)
    if more || unsent == 0 { drain() }
  }

  func record(_ way: RecordedMessage.Way, _ bytes: [UInt8]) {
    guard let recorder = owner.configuration.recorder, let remote else { return }
    recorder(RecordedMessage(nodeID: remote, way: way, time: .now, bytes: bytes))
  }

  // MARK: Time

  /// Sees to it that `tick` is called when something may be due.
  func arm() {
    guard let context, phase != .closed else { return }
    check?.cancel()
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    check = context.eventLoop.scheduleTask(deadline: nextDeadline) { bound.value.tick() }
  }

  private var nextDeadline: NIODeadline {
    guard phase == .open else { return phaseDeadline }
    let times = owner.configuration.times
    let ping = pingSent.map { $0 + TimeAmount(times.pong) } ?? (lastMessage + pingInterval)
    // Looked at that often, so that writing need not set a clock each time.
    let stall = NIODeadline.now() + TimeAmount(times.writeStall)
    // A busy peer moves its time on and on; there is no hurry.
    return min(ping, stall)
  }

  private func tick() {
    let now = NIODeadline.now()
    let times = owner.configuration.times
    switch phase {
    case .closed: return
    case .handshake where now >= phaseDeadline: return end(.handshakeTimedOut)
    case .initialising where now >= phaseDeadline: return end(.initTimedOut)
    case .closing where now >= phaseDeadline: return closeNow()
    case .handshake, .initialising, .closing: break
    case .open:
      if unsent > 0, now >= lastProgress + TimeAmount(times.writeStall) { return end(.writeStalled) }
      keepAlive(now)
    }
    arm()
  }

  private func keepAlive(_ now: NIODeadline) {
    if isPaused {
      // We do not listen: silence says nothing about the peer.
      lastMessage = now
      pingSent = nil
      return
    }
    if let sent = pingSent {
      // BOLT 1: if it doesn't receive a corresponding `pong`: MAY close the network connection, and MUST NOT fail the channels.
      if now >= sent + TimeAmount(owner.configuration.times.pong) { end(.pongTimedOut) }
      return
    }
    guard now >= lastMessage + pingInterval else { return }
    // A few bytes more or less, so that the length does not tell a ping.
    let expected = UInt16.random(in: 1...64)
    let ping = Ping(numPongBytes: expected, ignored: [UInt8](repeating: 0, count: Int.random(in: 0..<64)))
    guard let bytes = try? ping.encoded() else { return }
    expectedPongBytes = Int(expected)
    pingSent = now
    control.append(bytes)
    drain()
  }

  var metadata: Logger.Metadata {
    var metadata: Logger.Metadata = ["direction": "\(direction)"]
    if let remote { metadata["peer"] = "\(remote)" }
    if let address { metadata["address"] = "\(address)" }
    return metadata
  }
}
