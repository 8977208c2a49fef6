internal import GRDB
internal import Synchronization

/// Batches that wait for the disk. Whoever comes while a transaction is being written shares the next one.
final class CommitQueue: Sendable {
  struct Batch {
    var changes: [Change]
    var continuation: CheckedContinuation<Result<Void, StoreError>, Never>
  }

  private struct State {
    var waiting: [Batch] = []
    /// Whether the writer's queue is at it already, or will be.
    var isScheduled = false
    var isClosed = false
    /// What has stopped the store.
    var failure: StoreError?
  }

  /// One transaction holds no more, so that nobody waits for ever.
  private static let maximumBatches = 1024
  private static let maximumSize = 8 << 20

  private let state = Mutex(State())
  private let tables: [String: Table]
  private let path: String

  init(tables: [String: Table], path: String) {
    self.tables = tables
    self.path = path
  }

  var isClosed: Bool { state.withLock(\.isClosed) }

  /// Takes a batch, and answers it at once when it cannot be written. True when the caller has to see to it that `drain` is called.
  func submit(_ batch: Batch) -> Bool {
    let refusal: StoreError? = state.withLock { state in
      if state.isClosed { return .closed }
      if let failure = state.failure { return failure }
      state.waiting.append(batch)
      return nil
    }
    if let refusal {
      batch.continuation.resume(returning: .failure(refusal))
      return false
    }
    return state.withLock { state in
      if state.isScheduled { return false }
      state.isScheduled = true
      return true
    }
  }

  /// Refuses whatever comes from now on. False when that is so already.
  func close() -> Bool {
    state.withLock { state in
      if state.isClosed { return false }
      state.isClosed = true
      return true
    }
  }

  /// Writes until nothing waits. On the writer's queue.
  func drain(into db: Database) {
    while let group = next() { write(group, db) }
  }

  private func next() -> [Batch]? {
    state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.isScheduled = false
        return nil
      }
      var size = 0
      var count = 0
      for batch in state.waiting.prefix(Self.maximumBatches) {
        if count > 0 && size >= Self.maximumSize { break }
        for change in batch.changes { size += change.size }
        count += 1
      }
      let group = Array(state.waiting.prefix(count))
      state.waiting.removeFirst(count)
      return group
    }
  }

  private func write(_ group: [Batch], _ db: Database) {
    var error = attempt(group[...], db)
    if let first = error, group.count > 1, first.isRecoverable {
      // One batch must not take the others down: each by itself.
      for batch in group {
        error = attempt([batch], db)
        batch.continuation.resume(returning: error.map { .failure($0) } ?? .success(()))
      }
      return
    }
    let result: Result<Void, StoreError> = error.map { .failure($0) } ?? .success(())
    for batch in group { batch.continuation.resume(returning: result) }
  }

  private func attempt(_ group: ArraySlice<Batch>, _ db: Database) -> StoreError? {
    if let failure = state.withLock(\.failure) { return failure }
    let result = SQLiteFile.result(path: path) {
      try db.inTransaction(.immediate) {
        for batch in group {
          for change in batch.changes { try tables[change.collection.name]?.apply(change, db) }
        }
        return .commit
      }
    }
    guard case .failure(let error) = result else { return nil }
    if !error.isRecoverable {
      // After a failed write or fsync nobody knows what the disk holds; reading the log again, when the store is opened, tells.
      state.withLock { $0.failure = .failed("\(error)") }
    }
    return error
  }
}
