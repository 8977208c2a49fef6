internal import GRDB
internal import Synchronization

/// Batches that wait for the disk. Whoever comes while a transaction is being written shares the next one.
final class CommitQueue: Sendable {
  private struct State {
    var waiting: [PledgedBatch] = []
    /// Whether something of it is to be written without waiting for more.
    var isUrgent = false
    /// Whether the writer's queue is at it already, or will be.
    var isScheduled = false
    var isClosed = false
    /// What has stopped the store.
    var failure: StoreError?

    /// Whether the caller has to see to it that `drain` is called.
    mutating func schedule() -> Bool {
      guard isUrgent, !isScheduled else { return false }
      isScheduled = true
      return true
    }
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
  func submit(_ batch: PledgedBatch, isUrgent: Bool) -> Bool {
    batch.pledge.reopen()
    let result: Result<Bool, StoreError> = state.withLock { state in
      if state.isClosed { return .failure(.closed) }
      if let failure = state.failure { return .failure(failure) }
      state.waiting.append(batch)
      if isUrgent { state.isUrgent = true }
      return .success(state.schedule())
    }
    switch result {
    case .success(let isToBeDrained): return isToBeDrained
    case .failure(let refusal):
      batch.pledge.settle(.failure(refusal))()
      return false
    }
  }

  /// What waits is urgent now. True when the caller has to see to it that `drain` is called.
  func hurry() -> Bool {
    state.withLock { state in
      guard !state.waiting.isEmpty else { return false }
      state.isUrgent = true
      return state.schedule()
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

  /// Writes until nothing waits that is urgent. On the writer's queue.
  func drain(into db: Database) {
    while let group = next() { write(group, db) }
  }

  private func next() -> [PledgedBatch]? {
    state.withLock { state in
      guard !state.waiting.isEmpty, state.isUrgent else {
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
      if state.waiting.isEmpty { state.isUrgent = false }
      return group
    }
  }

  private func write(_ group: [PledgedBatch], _ db: Database) {
    var check = PledgeCheck()
    var ready: [PledgedBatch] = []
    for batch in group {
      if check.admit(batch) { ready.append(batch) } else { batch.pledge.settle(.failure(.forerunnerMissing))() }
    }
    let error = attempt(ready[...], db)
    if let first = error, ready.count > 1, first.isRecoverable {
      // One batch must not take the others down, unless they build on it: each by itself.
      for batch in ready {
        let error = batch.behind.allSatisfy(\.isKept) ? attempt([batch], db) : .forerunnerMissing
        batch.pledge.settle(error.map { .failure($0) } ?? .success(()))()
      }
      return
    }
    let result: Result<Void, StoreError> = error.map { .failure($0) } ?? .success(())
    // All of them are kept before anybody hears of it.
    for tell in ready.map({ $0.pledge.settle(result) }) { tell() }
  }

  private func attempt(_ group: ArraySlice<PledgedBatch>, _ db: Database) -> StoreError? {
    if let failure = state.withLock(\.failure) { return failure }
    guard group.contains(where: { !$0.changes.isEmpty }) else { return nil }
    let result = SQLiteFile.result(path: path) {
      try db.transaction(.immediate) {
        for batch in group {
          for change in batch.changes { try tables[change.collection.name]?.apply(change, db) }
        }
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
