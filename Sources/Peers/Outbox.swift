internal import Synchronization

/// What a peer is to be sent. Anybody puts in, the thread of the connection takes out. Gossip goes when nothing else waits.
final class Outbox: Sendable {
  /// How a connection ends from our side.
  struct Closing {
    let reason: PeerCloseReason
    /// The last message, if there is one.
    let message: [UInt8]?
  }

  private struct State {
    var messages = MessageQueue()
    var gossip = MessageQueue()
    /// Bytes that were taken out and are not with the system yet.
    var inFlight = 0
    /// The connection's thread has been told that there is something.
    var isScheduled = false
    var closing: Closing?
    var isFinished = false
    var waiters: [CheckedContinuation<Void, Never>] = []

    var byteCount: Int { messages.byteCount + inFlight }
  }

  enum Result {
    /// The thread of the connection is to be told.
    case wake
    case queued
    /// Closed, or closing.
    case refused
    /// The peer does not keep up.
    case overflow
  }

  private let state = Mutex(State())
  private let limits: PeerConfiguration.Limits

  init(limits: PeerConfiguration.Limits) { self.limits = limits }

  func put(_ messages: [[UInt8]]) -> Result {
    state.withLock { state in
      guard state.closing == nil, !state.isFinished else { return .refused }
      for message in messages { state.messages.append(message) }
      if state.byteCount > limits.outboundBytes { return .overflow }
      return wake(&state)
    }
  }

  /// How many of the messages were taken.
  func putGossip(_ messages: [[UInt8]]) -> (taken: Int, result: Result) {
    state.withLock { state in
      guard state.closing == nil, !state.isFinished else { return (0, .refused) }
      var taken = 0
      for message in messages {
        guard state.gossip.byteCount + message.count <= limits.gossipBytes else { break }
        state.gossip.append(message)
        taken += 1
      }
      return (taken, wake(&state))
    }
  }

  /// Nothing is accepted from now on; what is there is still sent, gossip apart. Whether this was the first time.
  func close(_ closing: Closing) -> Bool {
    let waiters: [CheckedContinuation<Void, Never>]? = state.withLock { state in
      guard state.closing == nil, !state.isFinished else { return nil }
      state.closing = closing
      state.gossip.removeAll()
      let waiters = state.waiters
      state.waiters = []
      return waiters
    }
    guard let waiters else { return false }
    for waiter in waiters { waiter.resume() }
    return true
  }

  private func wake(_ state: inout State) -> Result {
    if state.isScheduled { return .queued }
    state.isScheduled = true
    return .wake
  }

  // MARK: The connection's thread

  /// About `count` bytes of messages; fewer when that is all, or when the peer has enough to read. Call until it is empty.
  func take(upTo count: Int) -> [[UInt8]] {
    state.withLock { state in
      state.isScheduled = false
      var batch: [[UInt8]] = []
      var taken = 0
      while taken < count, state.inFlight + taken < Self.window {
        guard let message = state.messages.popFirst() ?? state.gossip.popFirst() else { break }
        taken += message.count
        batch.append(message)
      }
      state.inFlight += taken
      return batch
    }
  }

  /// Encrypted at once; the rest waits as it is.
  private static let window = 524_288

  /// Bytes from `take` are with the system now. Whether there is more to take.
  func sent(_ count: Int) -> Bool {
    let (more, waiters) = state.withLock { state in
      state.inFlight -= count
      var waiters: [CheckedContinuation<Void, Never>] = []
      if state.byteCount <= limits.writableBytes / 2 { swap(&waiters, &state.waiters) }
      return (!state.messages.isEmpty || !state.gossip.isEmpty, waiters)
    }
    for waiter in waiters { waiter.resume() }
    return more
  }

  /// How the connection is to end, once everything has been sent.
  var closingWhenEmpty: Closing? {
    state.withLock { $0.messages.isEmpty ? $0.closing : nil }
  }

  func finish() {
    let waiters = state.withLock { state in
      state.isFinished = true
      state.messages.removeAll()
      state.gossip.removeAll()
      let waiters = state.waiters
      state.waiters = []
      return waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  // MARK: Anybody

  var isWritable: Bool {
    state.withLock { $0.byteCount <= limits.writableBytes && $0.closing == nil && !$0.isFinished }
  }

  /// Room for gossip, in bytes.
  var gossipRoom: Int {
    state.withLock { state in
      guard state.closing == nil, !state.isFinished else { return 0 }
      return max(0, limits.gossipBytes - state.gossip.byteCount)
    }
  }

  var waitingByteCount: Int { state.withLock { $0.byteCount + $0.gossip.byteCount } }

  func waitUntilWritable() async {
    await withCheckedContinuation { continuation in
      let waits = state.withLock { state in
        guard state.byteCount > limits.writableBytes, state.closing == nil, !state.isFinished else { return false }
        state.waiters.append(continuation)
        return true
      }
      if !waits { continuation.resume() }
    }
  }
}
