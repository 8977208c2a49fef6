internal import Bitcoin
internal import Encoding
internal import GLC
internal import Hashing

/// Brings a channel home from the chain: (state, event) → (state, what to publish and to watch). It does no input or output and holds
/// no secret of ours. Knowing outputs by their declared paths alone, it serves every extension.
///
/// It keeps what the chain has said about the channel's outputs, and can always be rebuilt from that: so a reorganisation is undone, and
/// so it is read back from `encoded`. After each event, make `encoded` durable before acting on what comes back; after a restart, act
/// on `resume()` first.
public struct Resolver: Sendable {
  public let input: ResolverInput
  public var policy: FeePolicy { options.fees }
  public let options: Options
  /// What the chain has said that concerns us, in its order; what a reorganisation removes is gone. No longer than there are outputs.
  var facts: [Fact] = []
  var state = State()

  public struct Options: Hashable, Sendable {
    public var fees = FeePolicy()
    /// BOLT 5: irrevocably resolved once the resolving transaction is included in a block at least 100 deep.
    public var depth: UInt32 = 100
    /// Claims that nobody contests wait up to so many blocks for others to come along.
    public var batchWindow: UInt32 = 6
    /// BOLT 5's `security_delay`: so many blocks before its deadline, a claim no longer shares a transaction with others.
    public var securityDelay: UInt32 = 18
    /// Outputs in one batch at most.
    public var batchSize = 200

    public init() {}
  }

  /// The transactions of one block that spend the funding output or what follows from it.
  struct Fact: Hashable, Sendable {
    var height: UInt32
    var transactions: [Transaction]
  }

  public init(_ input: ResolverInput, options: Options = Options()) {
    self.input = input
    self.options = options
  }

  /// The outputs that are followed, in the order in which they were found.
  public var outputs: [TrackedOutput] { state.outputs }
  /// The chain's height, as far as it was told; 0 before the first block. After a restart, the blocks above it are told next.
  public var height: UInt32 { state.height }
  /// Whether everything is irrevocably resolved.
  public var isResolved: Bool { state.isResolved }
  /// What the funding output was spent by, if it was.
  public var fundingSpend: FundingSpend? { state.close?.kind }

  /// What is watched from the start: the funding outputs.
  public var initialWatches: [ResolverAction] {
    zip(input.fundings, input.local).map { .watch($0.outPoint, $1.commitment.fundingLock.scriptPubKey) }
  }

  /// Blocks come in order, each once: one that is not higher than the last changes nothing.
  public mutating func handle(_ event: ChainEvent) -> [ResolverAction] {
    var actions: [ResolverAction] = []
    switch event {
    case .block(let height, let transactions, let estimates):
      guard height > state.height || state.height == 0 else { break }
      state.height = height
      state.estimates = estimates
      let relevant = transactions.filter { confirm($0, &actions) }
      if !relevant.isEmpty { facts.append(Fact(height: height, transactions: relevant)) }
      plan(&actions)
      finish(&actions)
    case .reorg(let height):
      forget(above: height)
      plan(&actions)
      finish(&actions)
      // Transactions may have been thrown out with their blocks: everything that is still wanted is published again.
      return initialWatches + openWatches + actions.filter { !$0.isPublication } + publications
    case .learned(let id, let secret):
      guard state.knowledge.secrets.updateValue(secret, forKey: id) != secret else { break }
      plan(&actions)
    case .unconfirmed(let transaction):
      see(transaction, &actions)
      plan(&actions)
    case .unpublished(let outPoints, let obstacle, let taken):
      guard let index = state.attempts.firstIndex(where: { $0.claim.outPoints == outPoints }) else { break }
      state.attempts[index].obstacle = obstacle
      if obstacle == .contested { plan(&actions) { $0.divideContested(taken) } }
    case .close(let deadline):
      guard state.close == nil, input.mayPublish else { break }
      state.closing = Closing(deadline: deadline, since: state.closing?.since ?? state.height)
      actions += input.local.map { .publishCommitment($0) }
      plan(&actions)
    }
    return actions
  }

  /// All that may still have to be done, after a restart: what was to be done before may or may not have happened. Whoever acts on it
  /// finds some of it done.
  public func resume() -> [ResolverAction] {
    var replay = Resolver(input, options: options)
    var actions = initialWatches
    replay.state.ours = state.ours
    for fact in facts { replay.tell(fact, &actions) }
    // Secrets that came from elsewhere, or from a transaction that is not confirmed.
    for (id, secret) in state.knowledge.secrets.sorted(by: { $0.key.value < $1.key.value })
    where replay.state.knowledge.secrets[id] == nil {
      actions.append(.learned(id, secret))
    }
    for output in state.outputs where state.uneconomic[output.outPoint] != nil && output.spend == nil {
      actions.append(.uneconomic(output.outPoint, output.value))
    }
    return actions + publications + (state.isResolved ? [.resolved] : [])
  }

  private var openWatches: [ResolverAction] {
    state.outputs.filter { $0.spend == nil }.map { .watch($0.outPoint, $0.lock.scriptPubKey) }
  }

  /// Everything that should be on its way.
  private var publications: [ResolverAction] {
    (state.close == nil && state.closing != nil ? input.local.map { .publishCommitment($0) } : [])
      + state.attempts.map { .publish($0.claim) }
  }

  /// The blocks above this height never were.
  private mutating func forget(above height: UInt32) {
    let before = state
    facts.removeAll { $0.height > height }
    state = State()
    state.ours = before.ours
    // What is known stays known.
    state.knowledge.secrets = before.knowledge.secrets
    var ignored: [ResolverAction] = []
    for fact in facts { tell(fact, &ignored) }
    state.height = min(before.height, height, .max - 1)
    state.estimates = before.estimates
    state.pending = before.pending
    state.closing = before.closing
    state.closing?.since = min(before.closing?.since ?? 0, state.height)
    state.isResolved = before.isResolved
    state.uneconomic = before.uneconomic.filter { state.positions[$0.key] != nil }.mapValues { min($0, height) }
    state.attempts = before.attempts.filter { attempt in
      if case .parent = attempt.claim.purpose { return state.close == nil }
      return attempt.claim.spends.allSatisfy { spend in
        guard let position = state.positions[spend.outPoint] else { return false }
        let output = state.outputs[position]
        return output.spend == nil && output.opening(of: spend.path) <= state.height + 1
      }
    }.map { attempt in
      var attempt = attempt
      attempt.firstHeight = min(attempt.firstHeight, state.height)
      attempt.lastHeight = min(attempt.lastHeight, state.height)
      return attempt
    }
  }

  /// Takes in again what was confirmed.
  mutating func tell(_ fact: Fact, _ actions: inout [ResolverAction]) {
    state.height = fact.height
    for transaction in fact.transactions { _ = confirm(transaction, &actions) }
  }
}

extension ResolverAction {
  fileprivate var isPublication: Bool {
    switch self {
    case .publish, .publishCommitment: true
    default: false
    }
  }
}

extension Resolver {
  /// Everything that follows from the events.
  struct State: Sendable {
    var height: UInt32 = 0
    var estimates = FeeEstimates([])
    var knowledge = Knowledge(side: .counterparty, isRevoked: false)
    var outputs: [TrackedOutput] = []
    var positions: [OutPoint: Int] = [:]
    /// Claims that have been published and are not confirmed.
    var attempts: [Attempt] = []
    var close: Close?
    /// The unconfirmed spend of the funding output that was seen last.
    var pending: Transaction?
    /// Set once we have been told to close.
    var closing: Closing?
    /// Outputs that are not worth their fee, and since when.
    var uneconomic: [OutPoint: UInt32] = [:]
    /// What claims of ours have taken, for telling our spends from theirs.
    var ours: Set<OutPoint> = []
    var isResolved = false
  }

  struct Close: Sendable {
    var kind: FundingSpend
    var keys: SpendingKeys?
    var height: UInt32
  }

  struct Closing: Hashable, Sendable {
    var deadline: UInt32?
    var since: UInt32
  }

  struct Attempt: Sendable {
    var claim: Claim
    var firstHeight: UInt32
    var lastHeight: UInt32
    /// Why its claim is not on its way.
    var obstacle: ClaimObstacle?

    /// Whether nothing of it is on its way, for want of a coin that pays its fee.
    var waitsForCoin: Bool {
      guard case .children = claim.purpose else { return false }
      return obstacle == .unfunded && !claim.isReplacement
    }
  }

  // MARK: What the chain says

  /// A transaction that is not confirmed: its witness may already teach something, and if it is a commitment, it may need help.
  private mutating func see(_ transaction: Transaction, _ actions: inout [ResolverAction]) {
    if transaction.inputs.contains(where: { input in
      self.input.fundings.contains { $0.outPoint == input.previousOutput }
    }
    ) {
      if state.close == nil { state.pending = transaction }
      return
    }
    for spent in transaction.inputs {
      guard let position = state.positions[spent.previousOutput] else { continue }
      learn(from: spent.witness, state.outputs[position], &actions)
    }
  }

  /// Whether it concerns us.
  private mutating func confirm(_ transaction: Transaction, _ actions: inout [ResolverAction]) -> Bool {
    var isRelevant = false
    if state.close == nil,
      transaction.inputs.contains(where: { spent in input.fundings.contains { $0.outPoint == spent.previousOutput } })
    {
      open(transaction, &actions)
      isRelevant = true
    }
    let txid = transaction.txid
    for (index, spent) in transaction.inputs.enumerated() {
      guard let position = state.positions[spent.previousOutput], state.outputs[position].spend == nil else { continue }
      isRelevant = true
      let output = state.outputs[position]
      let children = output.children(of: transaction, input: index)
      // A second-stage transaction is its spender's; anything else of ours goes to where our funds go.
      let isOurs =
        children.map { $0.spender == state.knowledge.side }
        ?? (state.ours.contains(output.outPoint)
          && transaction.outputs.contains { $0.scriptPubKey == input.destination })
      state.outputs[position].spend = TrackedOutput.Spend(txid: txid, height: state.height, isOurs: isOurs)
      actions.append(.spent(output.tag, output.outPoint, spent.witness))
      learn(from: spent.witness, output, &actions)
      for (index, child) in children?.outputs ?? [] {
        track(
          OutPoint(txid: txid, vout: UInt32(index)), value: transaction.outputs[index].value, lock: child.lock,
          tag: output.tag, paths: child.paths, &actions)
      }
      if !isOurs, children == nil, output.paths.contains(where: { $0.spender == state.knowledge.side }) {
        actions.append(.lost(output.outPoint, output.value))
      }
    }
    return isRelevant
  }

  private mutating func learn(from witness: Witness, _ output: TrackedOutput, _ actions: inout [ResolverAction]) {
    for path in output.paths {
      guard let id = path.conditions.secret, state.knowledge.secrets[id] == nil else { continue }
      switch id.kind {
      case .sha256:
        for element in witness.elements where element.count == 32 && sha256(element) == id.value {
          state.knowledge.secrets[id] = element
          actions.append(.learned(id, element))
        }
      case .point:
        guard let secret = output.secret(in: witness, of: path) else { continue }
        state.knowledge.secrets[id] = secret
        actions.append(.learned(id, secret))
      }
    }
  }

  /// The funding output was spent: finds out by what, and follows its outputs.
  private mutating func open(_ transaction: Transaction, _ actions: inout [ResolverAction]) {
    let kind = input.recognise(transaction)
    var close = Close(kind: kind, keys: nil, height: state.height)
    let txid = transaction.txid
    state.attempts = []
    actions.append(.recognised(kind))
    var found: [RecordedOutput] = []
    switch kind {
    case .local(let own):
      close.keys = SpendingKeys(side: .holder, keys: own.commitment.context.keys)
      state.knowledge.side = .holder
      track(own.commitment, presignatures: own.presignatures, signatures: own.signatures.children, &actions)
    case .remote(let commitment, _):
      close.keys = SpendingKeys(side: .counterparty, keys: commitment.context.keys)
      let handover = input.handover(on: commitment)
      track(commitment, presignatures: handover.presignatures, signatures: handover.signatures, &actions)
    case .revoked(_, let keys, let outputs):
      close.keys = keys
      state.knowledge.isRevoked = true
      found = outputs
    case .own(_, _, let keys, let outputs):
      close.keys = keys
      state.knowledge.side = .holder
      state.knowledge.isExposed = true
      found = outputs
    case .revokedWithoutRecord, .future, .unknown:
      if let (keys, outputs) = input.outputsWithoutState(of: transaction) {
        close.keys = keys
        found = outputs
      }
    case .closing: break
    }
    for output in found {
      let index = Int(output.index)
      guard transaction.outputs.indices.contains(index) else { continue }
      track(
        OutPoint(txid: txid, vout: output.index), value: transaction.outputs[index].value, lock: output.lock,
        tag: output.tag, paths: output.paths, &actions)
    }
    state.close = close
  }

  /// Follows all outputs of a commitment, with what its holder and its counterparty have signed for second stages.
  private mutating func track(
    _ commitment: Commitment, presignatures: [CounterSignature], signatures: [CounterSignature],
    _ actions: inout [ResolverAction]
  ) {
    for (sealed, signatures) in zip(commitment.outputs, commitment.handedOver(presignatures, signatures)) {
      let output = sealed.output
      track(
        sealed.outPoint, value: output.value, lock: output.lock, tag: output.tag, paths: output.paths,
        counterSignatures: signatures, &actions)
    }
  }

  private mutating func track(
    _ outPoint: OutPoint, value: Satoshi, lock: OutputLock, tag: OutputTag?, paths: [SpendPath],
    counterSignatures: [CounterSignature?]? = nil, _ actions: inout [ResolverAction]
  ) {
    guard state.positions[outPoint] == nil else { return }
    state.positions[outPoint] = state.outputs.count
    state.outputs.append(
      TrackedOutput(
        outPoint: outPoint, value: value, lock: lock, tag: tag, paths: paths,
        counterSignatures: counterSignatures ?? paths.map { _ in nil }, confirmedAt: state.height))
    actions.append(.watch(outPoint, lock.scriptPubKey))
  }

  // MARK: Planning, with access to the state

  mutating func plan(
    _ actions: inout [ResolverAction], _ decide: (inout Planner) -> Void = { $0.run() }
  ) {
    var planner = Planner(state: state, input: input, options: options)
    decide(&planner)
    state = planner.state
    actions += planner.actions
  }

  // MARK: The end

  /// Whether nothing that was found needs us any more.
  private mutating func finish(_ actions: inout [ResolverAction]) {
    guard let close = state.close else {
      state.isResolved = false
      return
    }
    let (tip, depth, knowledge) = (UInt64(state.height), UInt64(options.depth), state.knowledge)
    func isDeep(_ height: UInt32) -> Bool { tip + 1 >= UInt64(height) + depth }
    let uneconomic = state.uneconomic
    let everything =
      isDeep(close.height)
      && state.outputs.allSatisfy { output in
        if let spend = output.spend { return isDeep(spend.height) }
        // Resolved by the commitment itself: nothing of it is ours, or it has not been worth having for as long.
        let own = output.paths.filter {
          $0.spender == knowledge.side && (!$0.conditions.revoked || knowledge.isRevoked)
        }
        guard !own.isEmpty else { return true }
        if let since = uneconomic[output.outPoint] { return isDeep(since) }
        guard output.ownPaths(knowledge).isEmpty else { return false }
        // BOLT 5: if not otherwise resolved, once the output has expired, it is considered irrevocably resolved.
        return output.rivalOpening(knowledge).map { isDeep($0) } ?? false
      }
    if everything && !state.isResolved { actions.append(.resolved) }
    state.isResolved = everything
  }
}
