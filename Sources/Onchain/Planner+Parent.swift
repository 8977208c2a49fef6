internal import Bitcoin
internal import GLC

// A commitment that is not confirmed.

extension Planner {
  /// BOLT 5: MUST spend any anchor output, providing sufficient fees as incentive to include the commitment transaction in a block.
  /// Which output can do that is for its paths to say: one of ours that is open at once.
  mutating func helpCommitment() {
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
    var wanted = policy.rate(
      blocksLeft: left, waited: waited, stake: stake, weight: packageWeight, estimates: state.estimates)
    var minimum = FeeRate.relayFloor.fee(for: childWeight) ?? .zero
    var isReplacement = !state.attempts.isEmpty
    if let last = state.attempts.first {
      if wanted >= policy.replacementRate(of: last.claim.feeRate) {
        minimum = last.claim.fee.adding(relayCost(last.claim.weight)) ?? .maxMoney
      } else {
        // What never got out is tried again, for what it was to pay.
        guard last.obstacle != nil, last.lastHeight < state.height else { return }
        wanted = max(wanted, last.claim.feeRate)
        isReplacement = last.claim.isReplacement
        if isReplacement { minimum = max(minimum, last.claim.fee) }
      }
    }
    guard let packageFee = wanted.fee(for: packageWeight), packageFee > commitment.fee else { return }
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
      isReplacement: isReplacement,
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
