internal import BOLT
internal import Bitcoin
internal import Encoding
internal import GLC
internal import HTLC
internal import Logging
internal import Payments
internal import Storage
internal import Synchronization
internal import Wire

/// What the payment service works off.
enum PaymentCommand: Sendable {
  case input(PaymentInput)
  /// A request of a user: runs with the engine at hand; answers through whatever it has captured.
  case request(@Sendable (inout PaymentEngine, PaymentTime) -> [PaymentAction])
}

/// Runs the payment engine: takes inputs in batches, stores in one go what they lead to, and has the rest carried out.
actor PaymentService {
  private let hub: Hub
  private var engine: PaymentEngine
  private var forgotten: [Change] = []
  private var ticker: Task<Void, Never>?
  private let logger: Logger

  init(hub: Hub, engine: PaymentEngine) {
    self.hub = hub
    self.engine = engine
    var logger = hub.logger
    logger[metadataKey: "part"] = "payments"
    self.logger = logger
  }

  /// Takes up what was interrupted.
  func restart(_ live: LivePayments, channels: [PaymentChannel]) async {
    for channel in channels { _ = engine.handle(.channel(channel), at: .now) }
    await carryOut(engine.restart(live, at: .now))
  }

  func run() async {
    ticker = Task { [hub] in
      while !Task.isCancelled {
        try? await Task.sleep(for: .seconds(1))
        hub.payments.post(.input(.tick))
      }
    }
    while let commands = await hub.payments.next() {
      var actions: [PaymentAction] = []
      let now = PaymentTime.now
      for command in commands {
        switch command {
        case .input(let input): actions += engine.handle(input, at: now)
        case .request(let body): actions += body(&engine, now)
        }
      }
      await carryOut(actions)
    }
    ticker?.cancel()
  }

  /// What is stored in one batch is durable before anything of the batch happens: more than the engine asks for.
  private func carryOut(_ actions: [PaymentAction]) async {
    var changes = forgotten
    for action in actions {
      switch action {
      case .store(let records):
        for record in records {
          let collection = CollectionName(record.collection)
          changes.append(
            record.value.map { .put(collection, key: record.key, value: $0) } ?? .delete(collection, key: record.key))
        }
      default: break
      }
    }
    // What may be forgotten need not be forgotten at once: it waits for the next batch that stores anything.
    if changes.count > forgotten.count || forgotten.count > 1000 {
      forgotten = []
      var pause = 100
      while true {
        do throws(StoreError) {
          try await hub.store.commit(changes)
          break
        } catch {
          // Nothing may happen that is not stored: payments wait until it can be.
          logger.critical("payments cannot be stored", metadata: ["reason": "\(error)"])
          if error.isFinal || hub.isStopping.load(ordering: .relaxed) { return }
          try? await Task.sleep(for: .milliseconds(pause))
          pause = min(pause * 2, 5000)
        }
      }
    }
    for action in actions { perform(action) }
  }

  private func perform(_ action: PaymentAction) {
    switch action {
    case .store: break
    case .offer(let payment):
      let host = payment.channels.lazy.compactMap { self.hub.host(of: $0) }.first
      guard let host, host.mailbox.post(.offer(payment)) else {
        hub.payments.post(.input(.outcome(origin: payment.origin, .notOffered(.unknownChannel))))
        return
      }
    case .settle(let key, let witness, let attribution):
      hub.host(of: key.channel)?.mailbox.post(.settle(key, witness, attribution: attribution))
    case .fail(let key, let reason, let attribution):
      hub.host(of: key.channel)?.mailbox.post(.fail(key, reason: reason, attribution: attribution))
    case .failMalformed(let key, let onionHash, let code):
      hub.host(of: key.channel)?.mailbox.post(.failMalformed(key, onionHash: onionHash, code: code))
    case .closeChannel(let id, let deadline, let reason):
      hub.host(of: id)?.mailbox.post(.forceClose(id, "\(reason)", deadline: deadline, nil))
    case .forgetOutcome(let origin): forgotten.append(.delete(.outcomes, key: origin))
    case .event(let event):
      if case .learned(let observation) = event { hub.gossip.post(.learned(observation)) }
      hub.events.send(.payment(event))
    }
  }
}

extension Hub {
  /// Asks the payment engine, and gets its answer once what it means is on its way to be carried out.
  func withPayments<Result: Sendable>(
    _ body: @escaping @Sendable (inout PaymentEngine, PaymentTime) -> (Result, [PaymentAction])
  ) async throws(NodeError) -> Result {
    let result: Swift.Result<Result, NodeError> = await withCheckedContinuation { continuation in
      let isTaken = payments.post(
        .request { engine, now in
          let (result, actions) = body(&engine, now)
          continuation.resume(returning: .success(result))
          return actions
        })
      if !isTaken { continuation.resume(returning: .failure(.start("the node stops"))) }
    }
    return try result.get()
  }
}

extension PaymentTime {
  static var now: PaymentTime { PaymentTime(milliseconds: WallClock.milliseconds) }
}
