internal import BOLT
internal import Bitcoin
internal import Encoding
internal import GLC
internal import HTLC
internal import Logging
internal import PTLC
internal import Payments
internal import Storage
internal import Synchronization
internal import Wire

/// What the payment service works off.
enum PaymentCommand: Sendable {
  /// What comes behind it builds on what this pledges.
  case behind(Pledge)
  case input(PaymentInput)
  /// A request of a user: runs with the engine at hand. What it answers is said once it is stored, or (false) never will be.
  case request(@Sendable (inout PaymentEngine, PaymentTime) -> ([PaymentAction], answer: @Sendable (Bool) -> Void))
}

/// Runs the payment engine: takes inputs in batches, and has stored in one go what they lead to. What hosts have to do they are told at once,
/// and store behind it; events and answers wait until it is durable.
actor PaymentService {
  private let hub: Hub
  private var engine: PaymentEngine
  private var forgotten: [Change] = []
  /// Counts batches.
  private var round: UInt64 = 0
  private var ticker: Task<Void, Never>?
  private let releases: Releases
  /// What must be durable before anything that follows from it: our own last batch, and what inputs were built on.
  private var forerunners: [Pledge] = []

  /// More batches than that do not wait for the disk.
  private static let maximumPending = 16

  init(hub: Hub, engine: PaymentEngine) {
    self.hub = hub
    self.engine = engine
    var logger = hub.logger
    logger[metadataKey: "part"] = "payments"
    releases = Releases(
      hub: hub,
      hasFailed: { [logger] in logger.critical("payments cannot be stored", metadata: ["reason": "\($0)"]) },
      isOver: {})
  }

  /// Takes up what was interrupted.
  func restart(_ live: LivePayments, channels: [PaymentChannel]) async {
    beginRound()
    for channel in channels { _ = engine.handle(.channel(channel), at: .now) }
    carryOut(engine.restart(live, at: .now), [])
    await releases.drain()
  }

  func run() async {
    ticker = Task { [hub] in
      while !Task.isCancelled {
        try? await Task.sleep(for: .seconds(1))
        hub.payments.post(.input(.tick))
        // Whoever was to write what waits may have died before.
        hub.store.hurry()
      }
    }
    while let commands = await hub.payments.next() {
      var actions: [PaymentAction] = []
      var answers: [@Sendable (Bool) -> Void] = []
      let now = PaymentTime.now
      beginRound()
      for command in commands {
        switch command {
        case .behind(let pledge): forerunners.append(pledge)
        case .input(let input): actions += engine.handle(input, at: now)
        case .request(let body):
          let (further, answer) = body(&engine, now)
          actions += further
          answers.append(answer)
        }
      }
      carryOut(actions, answers)
      if releases.count > Self.maximumPending { await releases.drain() }
    }
    ticker?.cancel()
    await releases.drain()
    releases.close()
  }

  private func beginRound() {
    round += 1
    engine.begin(round: round)
    engine.release(through: hub.past.releasable)
  }

  private func carryOut(_ actions: [PaymentAction], _ answers: [@Sendable (Bool) -> Void]) {
    forerunners.removeAll(where: \.isKept)
    let changes = forgotten + Self.changes(of: actions)
    var item = Releases.Item(pledges: forerunners) { _ in }
    // What may be forgotten need not be forgotten at once: it waits for the next batch that stores anything.
    if changes.count > forgotten.count || forgotten.count > 1000 {
      forgotten = []
      let pledge = Pledge()
      item = Releases.Item(changes: changes, pledges: [pledge], behind: forerunners) { _ in }
      forerunners = [pledge]
    }
    // Submitted before anybody can build on it. The host that is told something writes it, together with what it makes of it.
    let mustWait = !item.changes.isEmpty || !forerunners.isEmpty
    let isHandedOn = mustWait && actions.contains(where: \.isForHost)
    let (hub, round) = (hub, round)
    let seen = actions.compactMap { if case .event(let event) = $0 { event } else { nil } }
    item.happens = { isStored in
      if isStored {
        hub.past.isStored(through: round)
        for event in seen { hub.tell(event) }
      }
      for answer in answers { answer(isStored) }
    }
    releases.add(item, isUrgent: !isHandedOn)
    var inputs: [NodeID: [HostInput]] = [:]
    for action in actions { perform(action, &inputs) }
    var isTaken = false
    for (peer, inputs) in inputs {
      guard let host = hub.host(peer) else { continue }
      if host.mailbox.post(forerunners.map { .behind($0) } + inputs) { isTaken = true } else { returned(inputs) }
    }
    if mustWait, !isTaken { hub.store.hurry() }
  }

  /// What is to be stored. Of what every payment of a batch changes, the last is enough.
  private static func changes(of actions: [PaymentAction]) -> [Change] {
    var changes: [Change] = []
    var counters: Int?
    for case .store(let records) in actions {
      for record in records {
        if record.collection == .counters {
          if let counters {
            changes[counters] = Change(record)
            continue
          }
          counters = changes.count
        }
        changes.append(Change(record))
      }
    }
    return changes
  }

  /// What hosts do before it is durable, by peer.
  private func perform(_ action: PaymentAction, _ inputs: inout [NodeID: [HostInput]]) {
    switch action {
    case .store, .event: break
    case .offer(let payment):
      let peer = payment.channels.lazy.compactMap { self.hub.directory.peer(of: $0) }.first { self.hub.host($0) != nil }
      guard let peer else { return returned([.offer(payment)]) }
      inputs[peer, default: []].append(.offer(payment))
    case .settle(let key, let witness, let attribution):
      tell(key.channel, .settle(key, witness, attribution: attribution), &inputs)
    case .fail(let key, let reason, let attribution):
      tell(key.channel, .fail(key, reason: reason, attribution: attribution), &inputs)
    case .failMalformed(let key, let onionHash, let code):
      tell(key.channel, .failMalformed(key, onionHash: onionHash, code: code), &inputs)
    case .closeChannel(let id, let deadline, let reason):
      tell(id, .forceClose(id, "\(reason)", deadline: deadline, nil), &inputs)
    case .forgetOutcome(let origin): forgotten.append(.delete(.outcomes, key: origin))
    case .recall(let key, let question): recall(key, question)
    }
  }

  /// Asks the store what an offer waits for, beside everything else.
  private func recall(_ key: PaymentKey, _ question: RecallQuestion) {
    Task { [hub] in
      let recalled = try? await hub.past.recall(question)
      let isTaken = hub.payments.post(
        .request { engine, now in
          let actions = engine.handle(.recalled(key, recalled?.records), at: now)
          if let recalled { hub.past.end(recalled.ticket) }
          return (actions, { _ in })
        })
      if !isTaken, let recalled { hub.past.end(recalled.ticket) }
    }
  }

  private func tell(_ channel: ChannelID, _ input: HostInput, _ inputs: inout [NodeID: [HostInput]]) {
    if let peer = hub.directory.peer(of: channel) { inputs[peer, default: []].append(input) }
  }

  /// Nobody has taken them.
  private func returned(_ inputs: [HostInput]) {
    for case .offer(let payment) in inputs {
      hub.payments.post(.input(.outcome(origin: payment.origin, .notOffered(.unknownChannel))))
    }
  }
}

extension PaymentAction {
  /// Whether a host is told something, that it stores and sends.
  fileprivate var isForHost: Bool {
    switch self {
    case .offer, .settle, .fail, .failMalformed, .closeChannel: true
    case .store, .forgetOutcome, .recall, .event: false
    }
  }
}

extension Hub {
  /// What has happened for good.
  fileprivate func tell(_ event: PaymentEvent) {
    if case .learned(let observation) = event { gossip.post(.learned(observation)) }
    events.send(.payment(event))
    waiters.tell(event)
  }

  /// Asks the payment engine. The answer comes once everything that it says is durable.
  /// - Parameter question: what the engine has to be told before, of what is over.
  func withPayments<Result: Sendable>(
    recalling question: RecallQuestion? = nil,
    _ body: @escaping @Sendable (inout PaymentEngine, PaymentTime) -> (Result, [PaymentAction])
  ) async throws(NodeError) -> Result {
    let recalled = if let question { try await past.recall(question) } else { nil as PastRecords.Recalled? }
    let result: Swift.Result<Result, NodeError> = await withCheckedContinuation { continuation in
      let isTaken = payments.post(
        .request { [past] engine, now in
          past.tell(recalled, to: &engine)
          let (result, actions) = body(&engine, now)
          return (
            actions,
            { isStored in
              continuation.resume(returning: isStored ? .success(result) : .failure(.start("nothing can be stored")))
            }
          )
        })
      if !isTaken {
        if let recalled { past.end(recalled.ticket) }
        continuation.resume(returning: .failure(.start("the node stops")))
      }
    }
    return try result.get()
  }
}

extension Hub {
  func paymentTotals() async throws(NodeError) -> PaymentTotals {
    try await withPayments { engine, _ in (engine.totals, []) }
  }
}

extension PaymentTime {
  static var now: PaymentTime { PaymentTime(milliseconds: WallClock.milliseconds) }
}

extension Hub {
  /// The kinds of payments that the node knows; its own are of the first.
  static let paymentSchemes: [any PaymentScheme] = [
    HashLocks(kind: HTLCExtension.id), PointLocks(kind: PTLCExtension.id),
  ]
}
