internal import Logging
internal import Storage
internal import Synchronization

/// What may happen only when something is durable: it happens in the order in which it was added, each behind its own pledge. Whoever adds
/// goes on at once. Nothing waits on a thread of its own: what is durable already happens while it is added, the rest on the thread of the
/// store, and so must be short.
///
/// What cannot be stored is tried again until it can, or until the store says that it never will; meanwhile nothing behind it happens.
final class Releases: Sendable {
  struct Item: Sendable {
    /// Submitted under the first pledge, behind the others.
    var changes: [Change] = []
    var pledges: [Pledge]
    var behind: [Pledge] = []
    /// False: it will never be stored, and nothing of it may be seen.
    var happens: @Sendable (Bool) -> Void
  }

  private struct State {
    var items: [Item] = []
    /// Somebody is at the first item, or will be once its pledge is settled.
    var isBusy = false
    var isBroken = false
    var isClosed = false
    /// In milliseconds, before the first item is tried again.
    var pause = State.shortestPause

    static let shortestPause = 100
    static let longestPause = 5000
  }

  private let hub: Hub
  private let state = Mutex(State())
  private let hasFailed: @Sendable (StoreError) -> Void
  private let isOver: @Sendable () -> Void

  /// - Parameters:
  ///   - hasFailed: told of each attempt that failed.
  ///   - isOver: told when nothing more will ever be stored.
  init(
    hub: Hub, hasFailed: @escaping @Sendable (StoreError) -> Void, isOver: @escaping @Sendable () -> Void
  ) {
    self.hub = hub
    self.hasFailed = hasFailed
    self.isOver = isOver
  }

  /// How many wait.
  var count: Int { state.withLock(\.items.count) }

  /// Submits the changes of an item, if it has any, and puts it behind those that wait.
  func add(_ item: Item, isUrgent: Bool) {
    if !item.changes.isEmpty, let own = item.pledges.first {
      hub.store.submit(item.changes, for: own, behind: item.behind, isUrgent: isUrgent)
    }
    let isTaken = state.withLock { state in
      if !state.isClosed { state.items.append(item) }
      return !state.isClosed
    }
    guard isTaken else { return item.happens(false) }
    advance()
  }

  /// Returns when everything that was added has happened, or never will.
  func drain() async {
    hub.store.hurry()
    await withCheckedContinuation { continuation in
      add(Item(pledges: []) { _ in continuation.resume() }, isUrgent: true)
    }
  }

  func close() { state.withLock { $0.isClosed = true } }

  /// Lets happen what may, unless somebody is at it.
  private func advance() {
    while true {
      let first = state.withLock { state -> (item: Item, isBroken: Bool)? in
        guard !state.isBusy, let item = state.items.first else { return nil }
        state.isBusy = true
        return (item, state.isBroken)
      }
      guard let (item, isBroken) = first else { return }
      if !isBroken, let pledge = item.pledges.first(where: { !$0.isKept }) {
        switch pledge.result(orTell: { [self] result in settled(item, result) }) {
        case .success?: state.withLock { $0.isBusy = false }
        case .failure(let failure)?: return failed(item, failure)
        case nil: return
        }
        continue
      }
      item.happens(!isBroken)
      state.withLock { state in
        state.items.removeFirst()
        state.isBusy = false
        state.pause = State.shortestPause
      }
    }
  }

  private func settled(_ item: Item, _ result: Result<Void, StoreError>) {
    if case .failure(let failure) = result { return failed(item, failure) }
    state.withLock { $0.isBusy = false }
    advance()
  }

  private func failed(_ item: Item, _ failure: StoreError) {
    hasFailed(failure)
    if failure.isFinal || hub.isStopping.load(ordering: .relaxed) {
      state.withLock { state in
        state.isBroken = true
        state.isBusy = false
      }
      isOver()
      return advance()
    }
    let pause = state.withLock { state in
      defer { state.pause = min(state.pause * 2, State.longestPause) }
      return state.pause
    }
    Task {
      try? await Task.sleep(for: .milliseconds(pause))
      if !item.changes.isEmpty, let own = item.pledges.first, !own.isKept {
        hub.store.submit(item.changes, for: own, behind: item.behind, isUrgent: true)
      }
      state.withLock { $0.isBusy = false }
      advance()
    }
  }
}
