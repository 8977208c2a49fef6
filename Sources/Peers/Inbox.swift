internal import Synchronization

/// What a peer has sent and nobody has taken yet. The thread of the connection puts in, one consumer takes out.
final class Inbox: Sendable {
  private struct State {
    var messages: [RawMessage] = []
    var byteCount = 0
    var isFinished = false
    /// The connection waits for room.
    var isPaused = false
    var waiter: Taker?
  }

  /// Nil at the end.
  typealias Taker = @Sendable ([RawMessage]?) -> Void

  private let state = Mutex(State())
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  enum Result {
    case goOn
    /// Read no more until `next` says so.
    case pause
    /// These messages are lost: the connection must end, for what came after them would make no sense.
    case overflow
  }

  /// Messages that come although reading was paused are kept too, within reason: when a peer closes, all that its and our system hold comes
  /// at once.
  func put(_ messages: [RawMessage], byteCount: Int) -> Result {
    var waiter: Taker?
    let result: Result = state.withLock { state in
      guard !state.isFinished else { return .goOn }
      if let first = state.waiter {
        waiter = first
        state.waiter = nil
        return .goOn
      }
      guard state.byteCount <= 2 * limit + Self.slack else {
        state.isFinished = true
        return .overflow
      }
      if state.messages.isEmpty { state.messages = messages } else { state.messages.append(contentsOf: messages) }
      state.byteCount += byteCount
      if state.byteCount > limit { state.isPaused = true }
      return state.isPaused ? .pause : .goOn
    }
    waiter?(messages)
    return result
  }

  /// One read more than the limit is normal.
  private static let slack = 262_144

  /// No more will come.
  func finish() {
    let waiter = state.withLock { state in
      state.isFinished = true
      let waiter = state.waiter
      state.waiter = nil
      return waiter
    }
    waiter?(nil)
  }

  private enum Taken {
    case batch([RawMessage], resumesReading: Bool)
    case nothing
    case end
  }

  private func take(_ state: inout State) -> Taken {
    if !state.messages.isEmpty {
      let messages = state.messages
      let wasPaused = state.isPaused && !state.isFinished
      state.messages = []
      state.byteCount = 0
      state.isPaused = false
      return .batch(messages, resumesReading: wasPaused)
    }
    return state.isFinished ? .end : .nothing
  }

  /// Hands over everything that is there: at once, or when something comes, on the thread of the connection; nil at the end.
  func take(resumeReading: () -> Void, _ taker: @escaping Taker) {
    var earlier: Taker?
    let now: Taken = state.withLock { state in
      let taken = take(&state)
      if case .nothing = taken {
        earlier = state.waiter
        state.waiter = taker
      }
      return taken
    }
    // There is one consumer; a second one takes the first one's place.
    earlier?(nil)
    switch now {
    case .batch(let messages, let resumes):
      if resumes { resumeReading() }
      taker(messages)
    case .end: taker(nil)
    case .nothing: break
    }
  }

  /// The same for a task: nil, too, when that is cancelled.
  func next(resumeReading: () -> Void) async -> [RawMessage]? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        take(resumeReading: resumeReading) { continuation.resume(returning: $0) }
        // The handler may have come too early to find us.
        if Task.isCancelled { abandon() }
      }
    } onCancel: {
      abandon()
    }
  }

  /// Whoever waits gets nothing.
  private func abandon() {
    let waiter = state.withLock { state in
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?(nil)
  }
}
