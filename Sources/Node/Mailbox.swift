internal import Synchronization

/// Inputs that wait for the one task that works them off. Whoever takes gets all that is there: the busier the task, the larger its
/// batches.
final class Mailbox<Item: Sendable>: Sendable {
  private struct State {
    var items: [Item] = []
    var waiter: CheckedContinuation<[Item]?, Never>?
    var isClosed = false
  }

  private let state = Mutex(State())

  /// Items that come after `close` are dropped: false.
  @discardableResult func post(_ item: Item) -> Bool { post([item]) }

  /// Items that are taken together, and in this order.
  @discardableResult func post(_ items: [Item]) -> Bool {
    guard !items.isEmpty else { return true }
    let waiter = state.withLock { state -> (CheckedContinuation<[Item]?, Never>?, Bool) in
      guard !state.isClosed else { return (nil, false) }
      guard let waiter = state.waiter else {
        state.items.append(contentsOf: items)
        return (nil, true)
      }
      state.waiter = nil
      return (waiter, true)
    }
    waiter.0?.resume(returning: items)
    return waiter.1
  }

  /// All items that are there, in order, waiting for the first one; nil once the mailbox is closed and empty. One taker at a time.
  func next() async -> [Item]? {
    await withCheckedContinuation { continuation in
      let found: [Item]?? = state.withLock { state in
        if !state.items.isEmpty {
          defer { state.items = [] }
          return .some(state.items)
        }
        if state.isClosed { return .some(nil) }
        state.waiter = continuation
        return nil
      }
      if let found { continuation.resume(returning: found) }
    }
  }

  func close() {
    let waiter = state.withLock { state in
      state.isClosed = true
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume(returning: nil)
  }
}

/// Tells everybody who listens.
final class Broadcast<Event: Sendable>: Sendable {
  private struct State {
    var next = 0
    var listeners: [Int: AsyncStream<Event>.Continuation] = [:]
  }

  private let state = Mutex(State())

  func send(_ event: Event) {
    let listeners = state.withLock { Array($0.listeners.values) }
    for listener in listeners { listener.yield(event) }
  }

  /// What happens from now on.
  func listen() -> AsyncStream<Event> {
    let (stream, continuation) = AsyncStream.makeStream(of: Event.self)
    let id = state.withLock { state in
      state.next += 1
      state.listeners[state.next] = continuation
      return state.next
    }
    continuation.onTermination = { [weak self] _ in self?.state.withLock { $0.listeners[id] = nil } }
    return stream
  }

  func finish() {
    let listeners = state.withLock { state in
      defer { state.listeners = [:] }
      return Array(state.listeners.values)
    }
    for listener in listeners { listener.finish() }
  }
}
