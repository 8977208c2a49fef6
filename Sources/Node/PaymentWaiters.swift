internal import Payments
internal import Synchronization

/// Who waits for payments of ours to end: each is told of its own alone, however many there are.
final class PaymentWaiters: Sendable {
  typealias End = Result<PaymentRecord, any Error>

  private struct State {
    var next: UInt64 = 0
    var waiting: [UInt64: CheckedContinuation<End, Never>] = [:]
    /// Of which payment each has to be told.
    var payments: [UInt64: PaymentID] = [:]
    var tickets: [PaymentID: [UInt64]] = [:]
    /// Cancelled before they had begun to wait.
    var cancelled: Set<UInt64> = []
    var isFinished = false

    mutating func remove(_ ticket: UInt64) -> CheckedContinuation<End, Never>? {
      if let id = payments.removeValue(forKey: ticket) {
        tickets[id]?.removeAll { $0 == ticket }
        if tickets[id]?.isEmpty == true { tickets[id] = nil }
      }
      return waiting.removeValue(forKey: ticket)
    }
  }

  private let state = Mutex(State())

  /// Runs `begin` with the ticket of somebody who waits, and returns when that has ended: by `tell`, by `end`, or because the task was
  /// cancelled.
  func wait(_ begin: (UInt64) -> Void) async throws -> PaymentRecord {
    let ticket = state.withLock { state in
      state.next += 1
      return state.next
    }
    let end: End = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let refusal: (any Error)? = state.withLock { state in
          if state.isFinished { return NodeError.start("the node stops") }
          if state.cancelled.remove(ticket) != nil { return CancellationError() }
          state.waiting[ticket] = continuation
          return nil
        }
        if let refusal { continuation.resume(returning: .failure(refusal)) } else { begin(ticket) }
      }
    } onCancel: {
      let waiter = state.withLock { state in
        if state.waiting[ticket] == nil { state.cancelled.insert(ticket) }
        return state.remove(ticket)
      }
      waiter?.resume(returning: .failure(CancellationError()))
    }
    state.withLock { _ = $0.cancelled.remove(ticket) }
    return try end.get()
  }

  /// What a ticket waits for.
  func expect(_ id: PaymentID, for ticket: UInt64) {
    state.withLock { state in
      guard state.waiting[ticket] != nil else { return }
      state.payments[ticket] = id
      state.tickets[id, default: []].append(ticket)
    }
  }

  /// Nothing more is to be waited for.
  func end(_ ticket: UInt64, _ end: End) { state.withLock { $0.remove(ticket) }?.resume(returning: end) }

  func tell(_ event: PaymentEvent) {
    switch event {
    case .paymentSucceeded(let record): tell(record.id, .success(record))
    case .paymentFailed(let record):
      tell(record.id, .failure(record.failure ?? PaymentFailure(.stoppedRetrying, "the payment failed")))
    case .paymentStuck(let record):
      let failure = PaymentFailure(.stoppedRetrying, "parts of the payment are still on their way")
      tell(record.id, .failure(record.failure ?? failure))
    default: break
    }
  }

  private func tell(_ id: PaymentID, _ end: End) {
    let waiters = state.withLock { state in (state.tickets[id] ?? []).compactMap { state.remove($0) } }
    for waiter in waiters { waiter.resume(returning: end) }
  }

  /// Nobody waits any longer.
  func finish() {
    let waiters = state.withLock { state in
      state.isFinished = true
      let waiters = Array(state.waiting.values)
      (state.waiting, state.payments, state.tickets) = ([:], [:], [:])
      return waiters
    }
    for waiter in waiters { waiter.resume(returning: .failure(NodeError.start("the node stops"))) }
  }
}

extension Hub {
  /// Starts a payment and waits for how it ends. Throws `PaymentFailure`.
  /// - Parameter question: what the engine has to be told before.
  func payment(
    recalling question: RecallQuestion? = nil,
    _ start:
      @escaping @Sendable (inout PaymentEngine, PaymentTime) throws(PaymentFailure) -> (
        PaymentStart, [PaymentAction]
      )
  ) async throws -> PaymentRecord {
    let recalled = if let question { try await past.recall(question) } else { nil as PastRecords.Recalled? }
    var isAsked = false
    // Who was cancelled before it began asks nothing.
    defer { if !isAsked, let recalled { past.end(recalled.ticket) } }
    return try await waiters.wait { ticket in
      isAsked = true
      let isTaken = payments.post(
        .request { [waiters, past] engine, now in
          past.tell(recalled, to: &engine)
          do throws(PaymentFailure) {
            let (started, actions) = try start(&engine, now)
            switch started {
            case .complete(let record): waiters.end(ticket, .success(record))
            // Before anything of it can happen: the end is not missed.
            case .started(let id): waiters.expect(id, for: ticket)
            }
            return (actions, { if !$0 { waiters.end(ticket, .failure(NodeError.start("nothing can be stored"))) } })
          } catch {
            waiters.end(ticket, .failure(error))
            return ([], { _ in })
          }
        })
      if !isTaken {
        if let recalled { past.end(recalled.ticket) }
        waiters.end(ticket, .failure(NodeError.start("the node stops")))
      }
    }
  }
}
