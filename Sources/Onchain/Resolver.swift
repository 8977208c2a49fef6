internal import Bitcoin
internal import Encoding
internal import GLC
internal import Hashing

/// Brings a channel home from the chain: (state, event) → (state, what to publish and to watch). It does no input or output and holds
/// no secret of ours. Knowing outputs by their declared paths alone, it serves every extension.
///
/// It keeps its events and can always be rebuilt from them: that is how a reorganisation is undone.
public struct Resolver: Sendable {
  public let input: ResolverInput
  public var policy: FeePolicy { options.fees }
  public let options: Options
  /// In order; what a reorganisation removes is gone.
  private var history: [ChainEvent] = []
  private var state: State
  /// The state before `history`.
  private var checkpoint = State()

  public struct Options: Sendable {
    public var fees = FeePolicy()
    /// BOLT 5: irrevocably resolved once the resolving transaction is included in a block at least 100 deep.
    public var depth: UInt32 = 100
    /// Claims that nobody contests wait up to so many blocks for others to come along.
    public var batchWindow: UInt32 = 6
    /// BOLT 5's `security_delay`: so many blocks before its deadline, a claim no longer shares a transaction with others.
    public var securityDelay: UInt32 = 18
    /// Events of blocks this far below the tip are not kept: no reorganisation will undo them.
    public var maximumReorganisation: UInt32 = 1000
    /// Outputs in one batch at most.
    public var batchSize = 200

    public init() {}
  }

  public init(_ input: ResolverInput, options: Options = Options()) {
    self.input = input
    self.options = options
    state = State()
  }

  /// The outputs that are followed, in the order in which they were found.
  public var outputs: [TrackedOutput] { state.outputs }
  /// The chain's height, as far as it was told; 0 before the first block.
  public var height: UInt32 { state.height }
  /// Whether everything is irrevocably resolved.
  public var isResolved: Bool { state.isResolved }
  /// What the funding output was spent by, if it was.
  public var fundingSpend: FundingSpend? { state.close?.kind }

  /// What is watched from the start: the funding outputs.
  public var initialWatches: [ResolverAction] {
    zip(input.fundings, input.local).map { .watch($0.outPoint, $1.commitment.fundingLock.scriptPubKey) }
  }

  public mutating func handle(_ event: ChainEvent) -> [ResolverAction] {
    guard case .reorg(let height) = event else {
      history.append(event)
      let actions = apply(event)
      if case .block = event { forgetHistory() }
      return actions
    }
    let secrets = state.knowledge.secrets
    history.removeAll { $0.height.map { $0 > height } ?? false }
    state = checkpoint
    for event in history { _ = apply(event) }
    state.height = min(state.height, height)
    // What is known stays known.
    for (id, secret) in secrets where state.knowledge.secrets[id] == nil {
      history.append(.learned(id, secret))
      _ = apply(.learned(id, secret))
    }
    // Transactions may have been thrown out with their blocks: everything that is still wanted is published again.
    return initialWatches + state.outputs.filter { $0.spend == nil }.map { .watch($0.outPoint, $0.lock.scriptPubKey) }
      + (state.close == nil && state.closing != nil ? input.local.map { .publishCommitment($0) } : [])
      + state.attempts.map { .publish($0.claim) }
  }

  /// Folds what no reorganisation will undo into the checkpoint, now and then.
  private mutating func forgetHistory() {
    let limit = options.maximumReorganisation
    guard let oldest = history.lazy.compactMap(\.height).first, state.height > limit,
      state.height - limit > oldest, state.height - limit - oldest > limit
    else { return }
    let cut = state.height - limit
    let kept = history.firstIndex { $0.height.map { $0 > cut } ?? false } ?? history.endIndex
    let present = state
    state = checkpoint
    for event in history[..<kept] { _ = apply(event) }
    checkpoint = state
    history.removeFirst(kept)
    state = present
  }
}

extension ChainEvent {
  /// Of a block.
  fileprivate var height: UInt32? { if case .block(let height, _, _) = self { height } else { nil } }
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
    /// The unconfirmed spend of the funding output, seen or published by us.
    var pending: Transaction?
    /// Set once we have been told to close.
    var closing: Closing?
    /// Outputs that were reported as not worth their fee.
    var reportedUneconomic: Set<OutPoint> = []
    /// Transactions of ours, for telling our spends from theirs.
    var ours: Set<OutPoint> = []
    var isResolved = false
  }

  struct Close: Sendable {
    var kind: FundingSpend
    var keys: SpendingKeys?
    var height: UInt32
  }

  struct Closing: Sendable {
    var deadline: UInt32?
    var since: UInt32
  }

  struct Attempt: Sendable {
    var claim: Claim
    var firstHeight: UInt32
    var lastHeight: UInt32
  }

  private mutating func apply(_ event: ChainEvent) -> [ResolverAction] {
    var actions: [ResolverAction] = []
    switch event {
    case .block(let height, let transactions, let estimates):
      state.height = height
      state.estimates = estimates
      for transaction in transactions { confirm(transaction, &actions) }
      plan(&actions)
      finish(&actions)
    case .learned(let id, let secret):
      state.knowledge.secrets[id] = secret
      plan(&actions)
    case .unconfirmed(let transaction):
      see(transaction, &actions)
      plan(&actions)
    case .close(let deadline):
      guard state.close == nil, input.mayPublish else { break }
      state.closing = Closing(deadline: deadline, since: state.height)
      actions += input.local.map { .publishCommitment($0) }
      plan(&actions)
    case .reorg: break
    }
    return actions
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

  private mutating func confirm(_ transaction: Transaction, _ actions: inout [ResolverAction]) {
    if state.close == nil,
      transaction.inputs.contains(where: { spent in input.fundings.contains { $0.outPoint == spent.previousOutput } })
    {
      open(transaction, &actions)
    }
    let txid = transaction.txid
    for (index, spent) in transaction.inputs.enumerated() {
      guard let position = state.positions[spent.previousOutput], state.outputs[position].spend == nil else { continue }
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
  }

  private mutating func learn(from witness: Witness, _ output: TrackedOutput, _ actions: inout [ResolverAction]) {
    for path in output.paths {
      guard let id = path.conditions.secret, id.kind == .sha256, state.knowledge.secrets[id] == nil else { continue }
      for element in witness.elements where element.count == 32 && sha256(element) == id.value {
        state.knowledge.secrets[id] = element
        actions.append(.learned(id, element))
      }
    }
  }

  /// The funding output was spent: finds out by what, and follows its outputs.
  private mutating func open(_ transaction: Transaction, _ actions: inout [ResolverAction]) {
    let kind = input.recognise(transaction)
    var close = Close(kind: kind, keys: nil, height: state.height)
    let txid = transaction.txid
    state.pending = nil
    state.attempts = []
    actions.append(.recognised(kind))
    var found: [RecordedOutput] = []
    switch kind {
    case .local(let own):
      close.keys = SpendingKeys(side: .holder, keys: own.commitment.context.keys)
      state.knowledge.side = .holder
      var signatures = own.signatures.children.makeIterator()
      for sealed in own.commitment.outputs {
        let output = sealed.output
        let counterSignatures = output.paths.map { path -> CounterSignature? in
          if case .presigned = path.execution { signatures.next() } else { nil }
        }
        track(
          sealed.outPoint, value: output.value, lock: output.lock, tag: output.tag, paths: output.paths,
          counterSignatures: counterSignatures, &actions)
      }
    case .remote(let commitment, _):
      close.keys = SpendingKeys(side: .counterparty, keys: commitment.context.keys)
      for sealed in commitment.outputs {
        let output = sealed.output
        track(
          sealed.outPoint, value: output.value, lock: output.lock, tag: output.tag, paths: output.paths, &actions)
      }
    case .revoked(_, let keys, let outputs):
      close.keys = keys
      state.knowledge.isRevoked = true
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

  mutating func plan(_ actions: inout [ResolverAction]) {
    var planner = Planner(state: state, input: input, options: options)
    planner.run()
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
    let uneconomic = state.reportedUneconomic
    let everything =
      isDeep(close.height)
      && state.outputs.allSatisfy { output in
        if let spend = output.spend { return isDeep(spend.height) }
        // Resolved by the commitment itself: nothing of it is ours, or it is not worth having.
        let own = output.paths.filter {
          $0.spender == knowledge.side && (!$0.conditions.revoked || knowledge.isRevoked)
        }
        guard !own.isEmpty, !uneconomic.contains(output.outPoint) else { return true }
        guard output.ownPaths(knowledge).isEmpty else { return false }
        // BOLT 5: if not otherwise resolved, once the output has expired, it is considered irrevocably resolved.
        return output.rivalOpening(knowledge).map { isDeep($0) } ?? false
      }
    if everything && !state.isResolved { actions.append(.resolved) }
    state.isResolved = everything
  }
}
