internal import Bitcoin
internal import GLC

/// Decides which transactions are wanted now: what is open and not on its way is claimed, what races alone, what can wait together;
/// what has waited too long pays more.
struct Planner {
  var state: Resolver.State
  let input: ResolverInput
  let options: Resolver.Options
  var actions: [ResolverAction] = []

  init(state: Resolver.State, input: ResolverInput, options: Resolver.Options) {
    self.state = state
    self.input = input
    self.options = options
  }

  /// An output with the path that we would take.
  private struct Candidate {
    var output: TrackedOutput
    var path: SpendPath
    var counterSignature: CounterSignature?
    /// When somebody else can take it; nil for never.
    var deadline: UInt32?
    var opens: UInt32

    var sequence: UInt32 {
      if case .presigned(let template) = path.execution { template.sequence } else { path.sequence }
    }
  }

  private var nextHeight: UInt32 { state.height == .max ? .max : state.height + 1 }
  private var policy: FeePolicy { options.fees }

  mutating func run() {
    guard let close = state.close else { return helpCommitment() }
    guard let keys = close.keys else { return }
    dropFinishedAttempts()
    raiseFees(keys)

    var patient: [Candidate] = []
    var guarded: [Candidate] = []
    var scraps: [Candidate] = []
    for candidate in candidates() {
      if case .presigned(let template) = candidate.path.execution {
        publishChild(candidate, template, keys)
      } else if candidate.deadline == nil {
        patient.append(candidate)
      } else if blocksLeft(candidate.deadline) ?? .max > options.securityDelay {
        guarded.append(candidate)
      } else if !sweep([candidate], keys, deadline: candidate.deadline) {
        scraps.append(candidate)
      }
    }
    if !patient.isEmpty, !shouldWait(patient) { scraps = sweepInBatches(patient, with: scraps, keys) }
    scraps = sweepInBatches(guarded, with: scraps, keys)
    for scrap in scraps { abandon(scrap.output) }
  }

  // MARK: What is wanted

  private func candidates() -> [Candidate] {
    var busy: Set<OutPoint> = []
    for attempt in state.attempts { busy.formUnion(attempt.claim.outPoints) }
    return state.outputs.compactMap { output in
      guard output.spend == nil, !busy.contains(output.outPoint) else { return nil }
      return candidate(output)
    }
  }

  private func candidate(_ output: TrackedOutput) -> Candidate? {
    guard let (index, path) = output.bestPath(at: nextHeight, state.knowledge) else { return nil }
    return Candidate(
      output: output, path: path, counterSignature: output.counterSignatures[index],
      deadline: output.rivalOpening(state.knowledge), opens: output.opening(of: path))
  }

  /// How many blocks can hold a claim before somebody else could take what it takes.
  private func blocksLeft(_ deadline: UInt32?) -> UInt32? {
    deadline.map { $0 > nextHeight ? $0 - nextHeight : 0 }
  }

  /// Whether more that nobody contests opens soon enough to be taken along.
  private func shouldWait(_ patient: [Candidate]) -> Bool {
    let oldest = patient.map(\.opens).min() ?? nextHeight
    let (end, overflow) = oldest.addingReportingOverflow(options.batchWindow)
    guard !overflow, nextHeight < end else { return false }
    for output in state.outputs where output.spend == nil && output.rivalOpening(state.knowledge) == nil {
      guard let opens = output.ownPaths(state.knowledge).map(\.opens).min() else { continue }
      if opens > nextHeight && opens <= end { return true }
    }
    return false
  }

  // MARK: Sweeps

  /// The weight of a transaction with these inputs and one output, signed.
  private func weight(of candidates: [Candidate]) -> Weight {
    // 4 version, 4 lock time, 1 output count, up to 3 input count, 2 for the witness marker.
    let overhead = 4 + 4 + 1 + (candidates.count < 253 ? 1 : 3)
    var weight = UInt64(4 * (overhead + 9 + input.destination.count) + 2)
    for candidate in candidates { weight += inputWeight(candidate) }
    return Weight(weight)
  }

  private func inputWeight(_ candidate: Candidate) -> UInt64 {
    guard case .free(let witness) = candidate.path.execution else { return 0 }
    return 4 * 41 + witness.rawValue
  }

  /// One transaction for all of them; those that are too small to pay for themselves come back. `with`: small ones that are taken along
  /// when they bring more than they cost.
  private mutating func sweepInBatches(
    _ candidates: [Candidate], with scraps: [Candidate], _ keys: SpendingKeys
  ) -> [Candidate] {
    var rest = scraps
    var small: [Candidate] = []
    let rate = policy.rate(
      blocksLeft: candidates.compactMap(\.deadline).min().flatMap { blocksLeft($0) }, waited: 0, stake: .zero,
      weight: Weight(1), estimates: state.estimates)
    var useful: [Candidate] = []
    for candidate in candidates + rest {
      let cost = rate.fee(for: Weight(inputWeight(candidate))) ?? .maxMoney
      if candidate.output.value > cost { useful.append(candidate) } else { small.append(candidate) }
    }
    rest = small
    var start = 0
    while start < useful.count {
      let batch = Array(useful[start..<min(start + max(options.batchSize, 1), useful.count)])
      // What is only taken along does not make anybody hurry.
      let deadline = batch.filter { candidate in candidates.contains { $0.output.outPoint == candidate.output.outPoint }
      }
      .compactMap(\.deadline).min()
      if !sweep(batch, keys, deadline: deadline) { rest += batch }
      start += batch.count
    }
    return rest
  }

  /// Publishes a sweep. False when its outputs are not worth the fee.
  private mutating func sweep(_ candidates: [Candidate], _ keys: SpendingKeys, deadline: UInt32?) -> Bool {
    guard let claim = makeSweep(candidates, keys, deadline: deadline, waited: 0, atLeast: nil) else { return false }
    publish(claim)
    return true
  }

  private func makeSweep(
    _ candidates: [Candidate], _ keys: SpendingKeys, deadline: UInt32?, waited: UInt32,
    atLeast minimum: (rate: FeeRate, fee: Satoshi)?
  ) -> Claim? {
    var total = Satoshi.zero
    for candidate in candidates {
      guard let sum = total.adding(candidate.output.value) else { return nil }
      total = sum
    }
    let weight = weight(of: candidates)
    var rate = policy.rate(
      blocksLeft: blocksLeft(deadline), waited: waited, stake: total, weight: weight, estimates: state.estimates)
    if let minimum { rate = max(rate, minimum.rate) }
    guard var fee = rate.fee(for: weight) else { return nil }
    if let minimum { fee = max(fee, minimum.fee) }
    // Never more than what is at stake; and what is left must be worth an output.
    guard fee <= max(policy.budget(stake: total), FeeRate.relayFloor.fee(for: weight) ?? .maxMoney),
      let rest = total.subtracting(fee), rest >= policy.dustLimit
    else { return nil }
    return Claim(
      purpose: .sweep, spends: candidates.map(spend), sequences: candidates.map(\.sequence), version: 2,
      lockTime: candidates.compactMap(\.path.conditions.height).max() ?? 0, destination: input.destination,
      feeRate: rate, fee: fee, weight: weight, deadline: deadline, isReplacement: minimum != nil, keys: keys)
  }

  private func spend(_ candidate: Candidate) -> OutputSpend {
    OutputSpend(
      outPoint: candidate.output.outPoint, value: candidate.output.value, lock: candidate.output.lock,
      path: candidate.path, secret: candidate.path.conditions.secret.flatMap { state.knowledge.secrets[$0] },
      counterSignature: candidate.counterSignature)
  }

  // MARK: Second stage

  private mutating func publishChild(_ candidate: Candidate, _ template: ChildTemplate, _ keys: SpendingKeys) {
    if let claim = makeChild(candidate, template, keys, waited: 0, atLeast: nil) {
      publish(claim)
    } else {
      abandon(candidate.output)
    }
  }

  /// It is not worth its fee, as long as fees are what they are.
  private mutating func abandon(_ output: TrackedOutput) {
    guard state.uneconomic[output.outPoint] == nil else { return }
    state.uneconomic[output.outPoint] = state.height
    actions.append(.uneconomic(output.outPoint, output.value))
  }

  private func makeChild(
    _ candidate: Candidate, _ template: ChildTemplate, _ keys: SpendingKeys, waited: UInt32,
    atLeast minimum: (rate: FeeRate, fee: Satoshi)?
  ) -> Claim? {
    let weight = template.expectedWeight
    let fixed = template.fee(spending: candidate.output.value)
    var rate = policy.rate(
      blocksLeft: blocksLeft(candidate.deadline), waited: waited, stake: candidate.output.value, weight: weight,
      estimates: state.estimates)
    if let minimum { rate = max(rate, minimum.rate) }
    var fee = fixed
    if fixed == .zero {
      guard let needed = rate.fee(for: weight) else { return nil }
      fee = max(needed, minimum?.fee ?? .zero)
      // An output that costs more than it is worth, with what it takes to get home from the second stage, is left alone.
      guard let stake = candidate.output.value.subtracting(sweepCost(of: template)),
        fee <= policy.budget(stake: stake)
      else { return nil }
    }
    return Claim(
      purpose: .child(template), spends: [spend(candidate)], sequences: [template.sequence], version: template.version,
      lockTime: template.lockTime, destination: input.destination, feeRate: rate, fee: fee, weight: weight,
      deadline: candidate.deadline, isReplacement: minimum != nil, keys: keys)
  }

  /// What it costs at least to take the outputs of a second stage that are ours.
  private func sweepCost(of template: ChildTemplate) -> Satoshi {
    var weight: UInt64 = 0
    for output in template.outputs {
      let witnesses = output.paths.compactMap { path -> UInt64? in
        guard path.spender == state.knowledge.side, case .free(let weight) = path.execution else { return nil }
        return weight.rawValue
      }
      if let cheapest = witnesses.min() { weight += 4 * 41 + cheapest }
    }
    return FeeRate.relayFloor.fee(for: Weight(weight)) ?? .maxMoney
  }

  // MARK: On their way

  private mutating func publish(_ claim: Claim) {
    state.attempts.append(
      Resolver.Attempt(claim: claim, firstHeight: state.height, lastHeight: state.height))
    for outPoint in claim.outPoints {
      state.ours.insert(outPoint)
      state.uneconomic[outPoint] = nil
    }
    actions.append(.publish(claim))
  }

  /// What has lost an input is void; its other inputs are free again.
  private mutating func dropFinishedAttempts() {
    let (outputs, positions) = (state.outputs, state.positions)
    state.attempts.removeAll { attempt in
      attempt.claim.outPoints.contains { outPoint in positions[outPoint].map { outputs[$0].spend != nil } ?? true }
    }
  }

  private mutating func raiseFees(_ keys: SpendingKeys) {
    var kept: [Resolver.Attempt] = []
    let attempts = state.attempts
    state.attempts = []
    for var attempt in attempts {
      let claim = attempt.claim
      guard attempt.lastHeight < state.height else {
        kept.append(attempt)
        continue
      }
      let waited = state.height - attempt.firstHeight
      let old = claim.feeRate
      let minimumRate = policy.replacementRate(of: old)
      // BIP 125, rules 3 and 4: a replacement pays what it replaces paid, and for its own relay.
      let relay = policy.incrementalRate.fee(for: claim.weight) ?? .maxMoney
      let minimum = (rate: minimumRate, fee: claim.fee.adding(relay) ?? .maxMoney)
      let candidates = claim.spends.compactMap { spend in
        state.positions[spend.outPoint].flatMap { candidate(state.outputs[$0]) }
      }
      let left = blocksLeft(claim.deadline)
      if candidates.count > 1, let left, left <= options.securityDelay {
        // BOLT 5: SHOULD resolve revoked outputs in their own, separate penalty transactions. The first has to pay for pushing the
        // common one out.
        let ordered = candidates.sorted { $0.output.value > $1.output.value }
        for (index, candidate) in ordered.enumerated() {
          let split = makeSweep(
            [candidate], keys, deadline: candidate.deadline, waited: waited,
            atLeast: index == 0 ? minimum : (minimumRate, .zero))
          if let split { publish(split) }
        }
        continue
      }
      let wanted = policy.rate(
        blocksLeft: left, waited: waited, stake: stake(of: claim), weight: claim.weight, estimates: state.estimates)
      guard wanted >= minimumRate else {
        kept.append(attempt)
        continue
      }
      let next: Claim?
      switch claim.purpose {
      case .sweep:
        next =
          candidates.count == claim.spends.count
          ? makeSweep(candidates, keys, deadline: claim.deadline, waited: waited, atLeast: minimum) : nil
      case .child(let template):
        // What carries its own fee cannot pay more.
        next =
          claim.needsWallet && template.allowsAddingInputs
          ? candidates.first.flatMap { makeChild($0, template, keys, waited: waited, atLeast: minimum) } : nil
      case .parent: next = nil
      }
      if let next {
        attempt.claim = next
        attempt.lastHeight = state.height
        actions.append(.publish(next))
      }
      kept.append(attempt)
    }
    state.attempts = kept + state.attempts
  }

  private func stake(of claim: Claim) -> Satoshi {
    claim.spends.reduce(.zero) { $0.adding($1.value) ?? $0 }
  }

  // MARK: A commitment that is not confirmed

  /// BOLT 5: MUST spend any anchor output, providing sufficient fees as incentive to include the commitment transaction in a block.
  /// Which output can do that is for its paths to say: one of ours that is open at once.
  private mutating func helpCommitment() {
    guard let (commitment, side) = unconfirmedCommitment() else { return }
    let waited = state.height - (state.closing?.since ?? state.height)
    let (deadline, stake) = atRisk(commitment, side)
    let weight = commitment.broadcastWeight(input.stack)
    let helpers = commitment.outputs.compactMap { sealed -> (SealedOutput, SpendPath, Weight)? in
      for path in sealed.output.paths where path.spender == side && path.conditions == .none {
        if case .free(let weight) = path.execution { return (sealed, path, weight) }
      }
      return nil
    }
    // The smallest one: what is worth something is better left for a sweep.
    guard let (sealed, path, witnessWeight) = helpers.min(by: { $0.0.output.value < $1.0.output.value }) else { return }
    let childWeight = Weight(4 * 10 + 2 + 4 * 41 + witnessWeight.rawValue)
    let packageWeight = Weight(weight.rawValue + childWeight.rawValue + 4 * UInt64(9 + input.destination.count))
    // Without a deadline of its own, whoever closes wants it done within a day.
    let left = blocksLeft(deadline) ?? (waited >= 144 ? 1 : 144 - waited)
    let wanted = policy.rate(
      blocksLeft: left, waited: waited, stake: stake, weight: packageWeight, estimates: state.estimates)
    guard let packageFee = wanted.fee(for: packageWeight), packageFee > commitment.fee else { return }
    var minimum = FeeRate.relayFloor.fee(for: childWeight) ?? .zero
    if let last = state.attempts.first {
      guard wanted >= policy.replacementRate(of: last.claim.feeRate) else { return }
      minimum = last.claim.fee.adding(policy.incrementalRate.fee(for: last.claim.weight) ?? .zero) ?? .maxMoney
    }
    let claim = Claim(
      purpose: .parent(commitment.transaction, fee: commitment.fee, weight: weight),
      spends: [
        OutputSpend(
          outPoint: sealed.outPoint, value: sealed.output.value, lock: sealed.output.lock, path: path)
      ],
      // BIP 431: an unconfirmed version 3 transaction has children of version 3 alone.
      sequences: [Claim.replaceable], version: commitment.transaction.version == 3 ? 3 : 2, lockTime: 0,
      destination: input.destination, feeRate: wanted,
      fee: max(minimum, packageFee.subtracting(commitment.fee) ?? .zero), weight: childWeight, deadline: deadline,
      isReplacement: !state.attempts.isEmpty,
      keys: SpendingKeys(side: side, keys: commitment.context.keys))
    state.attempts = []
    publish(claim)
  }

  private func unconfirmedCommitment() -> (Commitment, Side)? {
    if let pending = state.pending {
      switch input.recognise(pending) {
      case .local(let own): return (own.commitment, .holder)
      case .remote(let commitment, _): return (commitment, .counterparty)
      // What must not be helped, and may never be confirmed.
      default: break
      }
    }
    guard state.closing != nil, let own = input.local.first else { return nil }
    return (own.commitment, .holder)
  }

  /// What the other side could take if the commitment is confirmed too late, and the first height at which it could. With a deadline of
  /// the caller's, all that is ours.
  private func atRisk(_ commitment: Commitment, _ side: Side) -> (deadline: UInt32?, stake: Satoshi) {
    var deadline = state.closing?.deadline
    var stake = Satoshi.zero
    for sealed in commitment.outputs {
      let own = sealed.output.paths.filter { $0.spender == side }
      let opensBySecret = own.contains { path in
        path.conditions.height == nil && path.conditions.secret.map { state.knowledge.secrets[$0] != nil } == true
      }
      let rival = sealed.output.paths.compactMap { $0.spender == side ? nil : $0.conditions.height }.min()
      let isRacing = opensBySecret && rival != nil
      if let rival, isRacing { deadline = min(deadline ?? .max, rival) }
      if isRacing || (state.closing?.deadline != nil && !own.isEmpty) {
        stake = stake.adding(sealed.output.value) ?? stake
      }
    }
    return (deadline, stake)
  }
}
