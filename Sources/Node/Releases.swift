internal import Logging
internal import Storage
internal import Synchronization

/// What may happen only when something is durable: it happens in the order in which it was added, each behind its own pledge. Whoever adds
/// goes on at once.
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

  private let hub: Hub
  private let mailbox = Mailbox<Item>()
  private let pending = Atomic(0)
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

  func start() {
    Task {
      var isBroken = false
      while let items = await mailbox.next() {
        for item in items {
          if !isBroken, await !isStored(item) {
            isBroken = true
            isOver()
          }
          item.happens(!isBroken)
          pending.subtract(1, ordering: .relaxed)
        }
      }
    }
  }

  /// How many wait.
  var count: Int { pending.load(ordering: .relaxed) }

  /// Submits the changes of an item, if it has any, and puts it behind those that wait.
  func add(_ item: Item, isUrgent: Bool) {
    if !item.changes.isEmpty, let own = item.pledges.first {
      hub.store.submit(item.changes, for: own, behind: item.behind, isUrgent: isUrgent)
    }
    pending.add(1, ordering: .relaxed)
    guard mailbox.post(item) else {
      pending.subtract(1, ordering: .relaxed)
      return item.happens(false)
    }
  }

  /// Returns when everything that was added has happened, or never will.
  func drain() async {
    hub.store.hurry()
    await withCheckedContinuation { continuation in
      add(Item(pledges: []) { _ in continuation.resume() }, isUrgent: true)
    }
  }

  func close() { mailbox.close() }

  private func isStored(_ item: Item) async -> Bool {
    var pause = 100
    while true {
      var failure: StoreError?
      for pledge in item.pledges {
        do throws(StoreError) { try await pledge.value() } catch { failure = error }
        if failure != nil { break }
      }
      guard let failure else { return true }
      hasFailed(failure)
      if failure.isFinal || hub.isStopping.load(ordering: .relaxed) { return false }
      try? await Task.sleep(for: .milliseconds(pause))
      pause = min(pause * 2, 5000)
      if !item.changes.isEmpty, let own = item.pledges.first, !own.isKept {
        hub.store.submit(item.changes, for: own, behind: item.behind, isUrgent: true)
      }
    }
  }
}
