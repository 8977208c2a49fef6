internal import Synchronization

/// What becomes of changes that were handed to a store: kept once they are durable, broken when they could not be stored, and open again
/// when they are handed to it once more. Whoever builds on them may go on at once, as long as it shows nothing of it to anybody outside
/// before the pledge is kept.
public final class Pledge: Sendable {
  public typealias Listener = @Sendable (Result<Void, StoreError>) -> Void

  private enum State {
    case open([Listener])
    case kept
    case broken(StoreError)
  }

  private let state = Mutex(State.open([]))

  public init() {}

  public var isKept: Bool { state.withLock { if case .kept = $0 { true } else { false } } }

  /// What has become of it; while that is open, nil, and `listener` is told later, on the thread of the store: what it does must be short.
  public func result(orTell listener: @escaping Listener) -> Result<Void, StoreError>? {
    state.withLock { state -> Result<Void, StoreError>? in
      switch state {
      case .open(let listeners):
        state = .open(listeners + [listener])
        return nil
      case .kept: return .success(())
      case .broken(let error): return .failure(error)
      }
    }
  }

  /// Waits until it is kept, and throws why it is not.
  public func value() async throws(StoreError) {
    let outcome = await withCheckedContinuation { continuation in
      if let known = result(orTell: { continuation.resume(returning: $0) }) { continuation.resume(returning: known) }
    }
    try outcome.get()
  }

  /// It is tried once more.
  func reopen() {
    state.withLock { state in if case .broken = state { state = .open([]) } }
  }

  /// What is to be done about it when no lock is held any more.
  func settle(_ result: Result<Void, StoreError>) -> @Sendable () -> Void {
    let listeners = state.withLock { state in
      guard case .open(let listeners) = state else { return [] as [Listener] }
      switch result {
      case .success: state = .kept
      case .failure(let error): state = .broken(error)
      }
      return listeners
    }
    return { for listener in listeners { listener(result) } }
  }
}

/// A batch on its way to the disk.
struct PledgedBatch: Sendable {
  var changes: [Change]
  var pledge: Pledge
  var behind: [Pledge]
}

/// Which of a list of batches can be written now: those whose forerunners are durable, or become so together with them.
struct PledgeCheck {
  private var earlier: Set<ObjectIdentifier> = []

  /// Takes the next of the list. False when something that it builds on is not stored.
  mutating func admit(_ batch: PledgedBatch) -> Bool {
    guard batch.behind.allSatisfy({ earlier.contains(ObjectIdentifier($0)) || $0.isKept }) else { return false }
    earlier.insert(ObjectIdentifier(batch.pledge))
    return true
  }
}
