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
  struct Candidate {
    var output: TrackedOutput
    var path: SpendPath
    var counterSignature: CounterSignature?
    /// When somebody else can take it; nil for never.
    var deadline: UInt32?
    var opens: UInt32

    var template: ChildTemplate? { if case .presigned(let template) = path.execution { template } else { nil } }
    var sequence: UInt32 { template?.sequence ?? path.sequence }
  }

  /// Since when outputs have been tried for, whose claims others have broken by taking one of theirs: a race does not begin anew.
  private var since: [OutPoint: UInt32] = [:]

  private var nextHeight: UInt32 { state.height == .max ? .max : state.height + 1 }
  var policy: FeePolicy { options.fees }

  mutating func run() {
    guard let close = state.close else { return helpCommitment() }
    guard let keys = close.keys else { return }
    dropFinishedAttempts()
    joinUnfunded(keys)
    raiseFees(keys)

    var patient: [Candidate] = []
    var guarded: [Candidate] = []
    var children: [Candidate] = []
    var scraps: [Candidate] = []
    for candidate in candidates() {
      if candidate.template != nil {
        children.append(candidate)
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
    publishChildren(children, keys)
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

  func candidate(_ output: TrackedOutput) -> Candidate? {
    guard let (index, path) = output.bestPath(at: nextHeight, state.knowledge) else { return nil }
    return Candidate(
      output: output, path: path, counterSignature: output.counterSignatures[index],
      deadline: output.rivalOpening(state.knowledge), opens: output.opening(of: path))
  }

  /// How many blocks can hold a claim before somebody else could take what it takes.
  func blocksLeft(_ deadline: UInt32?) -> UInt32? {
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
    guard let claim = makeSweep(candidates, keys, deadline: deadline, waited: waited(for: candidates), atLeast: nil)
    else { return false }
    publish(claim)
    return true
  }

  func makeSweep(
    _ candidates: [Candidate], _ keys: SpendingKeys, deadline: UInt32?, waited: UInt32, atLeast minimum: Minimum?
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
      feeRate: rate, fee: fee, weight: weight, deadline: deadline, isReplacement: minimum?.replaces ?? false, keys: keys
    )
  }

  func spend(_ candidate: Candidate) -> OutputSpend {
    OutputSpend(
      outPoint: candidate.output.outPoint, value: candidate.output.value, lock: candidate.output.lock,
      path: candidate.path, secret: candidate.path.conditions.secret.flatMap { state.knowledge.secrets[$0] },
      counterSignature: candidate.counterSignature)
  }

  /// It is not worth its fee, as long as fees are what they are.
  mutating func abandon(_ output: TrackedOutput) {
    guard state.uneconomic[output.outPoint] == nil else { return }
    state.uneconomic[output.outPoint] = state.height
    actions.append(.uneconomic(output.outPoint, output.value))
  }

  // MARK: On their way

  /// What a claim that follows another one pays at least.
  struct Minimum {
    var rate: FeeRate
    var fee: Satoshi
    /// Whether the other one may be on its way.
    var replaces = true
  }

  /// BIP 125, rules 3 and 4: a replacement pays what it replaces paid, and for its own relay.
  func replacement(of claim: Claim, rate: FeeRate, weight: Weight) -> Minimum {
    Minimum(rate: rate, fee: claim.fee.adding(relayCost(weight)) ?? .maxMoney)
  }

  /// What relaying so much costs, counted in whole vbytes as nodes do.
  func relayCost(_ weight: Weight) -> Satoshi {
    policy.incrementalRate.fee(for: Weight(4 * weight.virtualSize))?.adding(Satoshi(1)) ?? .maxMoney
  }

  /// For how many blocks these have been tried for without success.
  func waited(for candidates: [Candidate]) -> UInt32 {
    state.height - (candidates.compactMap { since[$0.output.outPoint] }.min() ?? state.height)
  }

  mutating func publish(_ claim: Claim) {
    let first = claim.outPoints.compactMap { since[$0] }.min() ?? state.height
    state.attempts.append(Resolver.Attempt(claim: claim, firstHeight: first, lastHeight: state.height))
    for outPoint in claim.outPoints {
      state.ours.insert(outPoint)
      state.uneconomic[outPoint] = nil
    }
    actions.append(.publish(claim))
  }

  /// Puts another claim of the same outputs in the place of an attempt.
  mutating func publish(_ claim: Claim, insteadOf attempt: inout Resolver.Attempt) {
    attempt.claim = claim
    attempt.lastHeight = state.height
    attempt.obstacle = nil
    actions.append(.publish(claim))
  }

  /// What the claim of an attempt would take now, in its order. Nil when something of it is no longer to be had in the same way.
  func candidates(of claim: Claim) -> [Candidate]? {
    var found: [Candidate] = []
    for spend in claim.spends {
      guard let position = state.positions[spend.outPoint], let candidate = candidate(state.outputs[position]),
        (candidate.template == nil) == (claim.purpose == .sweep)
      else { return nil }
      found.append(candidate)
    }
    return found
  }

  /// What has lost an input is void; its other inputs are free again.
  private mutating func dropFinishedAttempts() {
    let (outputs, positions) = (state.outputs, state.positions)
    for attempt in state.attempts {
      let isOver = attempt.claim.outPoints.contains { outPoint in
        positions[outPoint].map { outputs[$0].spend != nil } ?? true
      }
      guard isOver else { continue }
      for outPoint in attempt.claim.outPoints { since[outPoint] = attempt.firstHeight }
    }
    state.attempts.removeAll { attempt in
      attempt.claim.outPoints.contains { outPoint in positions[outPoint].map { outputs[$0].spend != nil } ?? true }
    }
  }

  /// Something of the other side's is on its way that takes one of the outputs and pays more. The others must not wait for it: they are tried
  /// at once, before each that is contested is; where nobody knows which those are, halves are, until it stands alone. Of what cannot be
  /// tried, the next block decides.
  mutating func divideContested(_ taken: [OutPoint]) {
    guard let keys = state.close?.keys else { return }
    for attempt in state.attempts where attempt.obstacle == .contested && attempt.claim.spends.count > 1 {
      guard let candidates = candidates(of: attempt.claim) else { continue }
      state.attempts.removeAll { $0.claim.outPoints == attempt.claim.outPoints }
      for outPoint in attempt.claim.outPoints { since[outPoint] = attempt.firstHeight }
      let claim = attempt.claim
      let minimum = Minimum(rate: claim.feeRate, fee: .zero, replaces: claim.isReplacement)
      for part in parts(candidates, taken) {
        let waited = state.height - attempt.firstHeight
        let next =
          claim.purpose == .sweep
          ? makeSweep(part, keys, deadline: part.compactMap(\.deadline).min(), waited: waited, atLeast: minimum)
          : makeChildren(part, keys, waited: waited, atLeast: minimum)
        if let next {
          publish(next)
        } else if claim.purpose == .sweep {
          // What was only taken along, like an anchor that the other side has come to take as well, is not worth a transaction of its own.
          for candidate in part { abandon(candidate.output) }
        }
      }
    }
  }

  private func parts(_ candidates: [Candidate], _ taken: [OutPoint]) -> [[Candidate]] {
    let free = candidates.filter { !taken.contains($0.output.outPoint) }
    if free.count < candidates.count {
      let contested = candidates.filter { taken.contains($0.output.outPoint) }
      return (free.isEmpty ? [] : [free]) + contested.map { [$0] }
    }
    let middle = candidates.count / 2
    return [Array(candidates[..<middle]), Array(candidates[middle...])]
  }

  private mutating func raiseFees(_ keys: SpendingKeys) {
    var kept: [Resolver.Attempt] = []
    // What is worth most takes the wallet's coins first.
    let attempts = state.attempts.sorted { stake(of: $0.claim) > stake(of: $1.claim) }
    state.attempts = []
    for var attempt in attempts {
      let claim = attempt.claim
      if attempt.waitsForCoin, attempt.lastHeight < state.height {
        // Again, together with all that is open, by what it is worth: something may have become free that needs the coin more.
        for outPoint in claim.outPoints { since[outPoint] = attempt.firstHeight }
        continue
      }
      guard attempt.lastHeight < state.height, let candidates = candidates(of: claim) else {
        kept.append(attempt)
        continue
      }
      let waited = state.height - attempt.firstHeight
      let minimumRate = policy.replacementRate(of: claim.feeRate)
      let minimum = replacement(of: claim, rate: minimumRate, weight: claim.weight)
      let left = blocksLeft(claim.deadline)
      if claim.purpose == .sweep, candidates.count > 1, let left, left <= options.securityDelay {
        // BOLT 5: SHOULD resolve revoked outputs in their own, separate penalty transactions. The first has to pay for pushing the
        // common one out.
        let ordered = candidates.sorted { $0.output.value > $1.output.value }
        for outPoint in claim.outPoints { since[outPoint] = attempt.firstHeight }
        for (index, candidate) in ordered.enumerated() {
          let split = makeSweep(
            [candidate], keys, deadline: candidate.deadline, waited: waited,
            atLeast: index == 0 ? minimum : Minimum(rate: minimumRate, fee: .zero))
          if let split { publish(split) }
        }
        continue
      }
      let wanted = policy.rate(
        blocksLeft: left, waited: waited, stake: stake(of: claim), weight: claim.weight, estimates: state.estimates)
      if wanted >= minimumRate, let next = remade(claim, candidates, keys, waited: waited, atLeast: minimum) {
        publish(next, insteadOf: &attempt)
      } else if attempt.obstacle != nil {
        // It never got out: again, for no less.
        let same = Minimum(
          rate: claim.feeRate, fee: claim.isReplacement ? claim.fee : .zero, replaces: claim.isReplacement)
        publish(
          remade(claim, candidates, keys, waited: waited, atLeast: same) ?? claim, insteadOf: &attempt)
      }
      kept.append(attempt)
    }
    state.attempts = kept + state.attempts
  }

  /// The same claim for more. Nil when it cannot pay more, or is not worth it.
  private func remade(
    _ claim: Claim, _ candidates: [Candidate], _ keys: SpendingKeys, waited: UInt32, atLeast minimum: Minimum
  ) -> Claim? {
    switch claim.purpose {
    case .sweep: makeSweep(candidates, keys, deadline: claim.deadline, waited: waited, atLeast: minimum)
    // What carries its own fee cannot pay more.
    case .children: claim.needsWallet ? makeChildren(candidates, keys, waited: waited, atLeast: minimum) : nil
    case .parent: nil
    }
  }

  private func stake(of claim: Claim) -> Satoshi {
    claim.spends.reduce(.zero) { $0.adding($1.value) ?? $0 }
  }
}
