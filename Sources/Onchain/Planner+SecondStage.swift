internal import Bitcoin
internal import GLC

// Second-stage transactions: what the other side has signed.

extension Planner {
  /// Those that can stand in one transaction: nobody else can spend an output that waits for us before it opens for them, and what is
  /// claimed together needs one coin of the wallet, not one for each.
  private struct Family: Hashable {
    var version: UInt32
    var lockTime: UInt32
    /// What has time does not pay for what has none.
    var isUrgent: Bool
  }

  /// The heaviest joint transaction, in weight units, with room for what a wallet adds: BIP 431 lets version 3 have 10,000 vbytes.
  private func maximumWeight(version: UInt32) -> UInt64 { version == 3 ? 36_000 : 200_000 }

  mutating func publishChildren(_ candidates: [Candidate], _ keys: SpendingKeys) {
    var families: [Family: [Candidate]] = [:]
    var alone: [Candidate] = []
    for candidate in candidates {
      if let family = family(of: candidate) {
        families[family, default: []].append(candidate)
      } else {
        alone.append(candidate)
      }
    }
    var batches: [(isUrgent: Bool, value: Satoshi, members: [Candidate])] = []
    for (family, members) in families {
      // The most valuable first: a wallet that cannot pay for all pays for them.
      for batch in self.batches(members.sorted(by: Self.isBefore)) {
        batches.append((family.isUrgent, batch.reduce(.zero) { $0.adding($1.output.value) ?? $0 }, batch))
      }
    }
    // So it is with coins: what has no time and is worth most takes the first, and what is hardly worth its fee takes what is left.
    batches.sort { a, b in
      if a.isUrgent != b.isUrgent { return a.isUrgent }
      return a.value == b.value ? Self.isBefore(a.members[0], b.members[0]) : a.value > b.value
    }
    for (_, _, members) in batches {
      if let claim = makeChildren(members, keys, waited: waited(for: members), atLeast: nil) {
        publish(claim)
      } else {
        alone += members
      }
    }
    for candidate in alone.sorted(by: Self.isBefore) { publishAlone(candidate, keys) }
  }

  /// By falling value.
  private static func isBefore(_ a: Candidate, _ b: Candidate) -> Bool {
    a.output.value == b.output.value ? a.output.outPoint < b.output.outPoint : a.output.value > b.output.value
  }

  private mutating func publishAlone(_ candidate: Candidate, _ keys: SpendingKeys) {
    if let claim = makeChildren([candidate], keys, waited: waited(for: [candidate]), atLeast: nil) {
      publish(claim)
    } else {
      abandon(candidate.output)
    }
  }

  /// Nil for what goes alone: because it must, or because it is not worth what others pay.
  private func family(of candidate: Candidate) -> Family? {
    guard let template = candidate.template, template.canBeJoined(spending: candidate.output.value) else { return nil }
    let left = blocksLeft(candidate.deadline)
    let share = Weight(template.expectedWeight.rawValue)
    let rate = max(state.estimates.rate(within: left.map { max($0 / 2, 1) } ?? policy.patientBlocks), .relayFloor)
    guard let cost = rate.fee(for: share), cost <= policy.budget(stake: worth(candidate)) else { return nil }
    return Family(
      version: template.version, lockTime: template.lockTime,
      isUrgent: left.map { $0 <= policy.urgentBlocks } ?? false)
  }

  private func batches(_ candidates: [Candidate]) -> [[Candidate]] {
    var batches: [[Candidate]] = []
    var weight: UInt64 = 0
    for candidate in candidates {
      guard let template = candidate.template else { continue }
      let isFull =
        weight + template.expectedWeight.rawValue > maximumWeight(version: template.version)
        || batches.last?.count ?? 0 >= max(options.batchSize, 1)
      if batches.isEmpty || isFull {
        batches.append([])
        weight = 0
      }
      batches[batches.count - 1].append(candidate)
      weight += template.expectedWeight.rawValue
    }
    return batches
  }

  /// One transaction of all of them, in their order. Nil when they are not worth the fee.
  func makeChildren(
    _ candidates: [Candidate], _ keys: SpendingKeys, waited: UInt32, atLeast minimum: Minimum?
  ) -> Claim? {
    let templates = candidates.compactMap(\.template)
    guard let first = templates.first, templates.count == candidates.count,
      templates.allSatisfy({ $0.version == first.version && $0.lockTime == first.lockTime })
    else { return nil }
    let weight = candidates.count == 1 ? first.expectedWeight : Claim.weight(joining: templates)
    let deadline = candidates.compactMap(\.deadline).min()
    let stake = candidates.reduce(Satoshi.zero) { $0.adding(worth($1)) ?? $0 }
    var rate = policy.rate(
      blocksLeft: blocksLeft(deadline), waited: waited, stake: stake, weight: weight, estimates: state.estimates)
    if let minimum { rate = max(rate, minimum.rate) }
    var fee = first.fee(spending: candidates[0].output.value)
    if candidates.count > 1 || fee == .zero {
      guard let needed = rate.fee(for: weight) else { return nil }
      fee = max(needed, minimum?.fee ?? .zero)
      guard fee <= policy.budget(stake: stake) else { return nil }
    }
    return Claim(
      purpose: .children(templates), spends: candidates.map(spend), sequences: templates.map(\.sequence),
      version: first.version, lockTime: first.lockTime, destination: input.destination, feeRate: rate, fee: fee,
      weight: weight, deadline: deadline, isReplacement: minimum?.replaces ?? false, keys: keys)
  }

  /// What an output brings, with what it takes to get home from the second stage.
  private func worth(_ candidate: Candidate) -> Satoshi {
    var weight: UInt64 = 0
    for output in candidate.template?.outputs ?? [] {
      let witnesses = output.paths.compactMap { path -> UInt64? in
        guard path.spender == state.knowledge.side, case .free(let weight) = path.execution else { return nil }
        return weight.rawValue
      }
      if let cheapest = witnesses.min() { weight += 4 * 41 + cheapest }
    }
    return candidate.output.value.subtracting(FeeRate.relayFloor.fee(for: Weight(weight)) ?? .maxMoney) ?? .zero
  }

  // MARK: A wallet without coins

  /// What the wallet had no coin for joins what it had one for: one transaction takes the place of both.
  mutating func joinUnfunded(_ keys: SpendingKeys) {
    var waiting: [Family: [Resolver.Attempt]] = [:]
    for attempt in state.attempts where attempt.waitsForCoin && attempt.lastHeight < state.height {
      if let family = family(of: attempt.claim) { waiting[family, default: []].append(attempt) }
    }
    for (family, attempts) in waiting.sorted(by: { $0.key.lockTime < $1.key.lockTime }) {
      let partner = state.attempts.filter { attempt in
        attempt.obstacle == nil && attempt.lastHeight < state.height && self.family(of: attempt.claim) == family
      }.max { $0.claim.spends.count < $1.claim.spends.count }
      if let partner { join(attempts, to: partner, keys) }
    }
  }

  private mutating func join(_ attempts: [Resolver.Attempt], to partner: Resolver.Attempt, _ keys: SpendingKeys) {
    var joined = [partner]
    var members = candidates(of: partner.claim) ?? []
    for attempt in attempts.sorted(by: { $0.claim.fee > $1.claim.fee }) {
      guard let more = candidates(of: attempt.claim), batches(members + more).count == 1 else { continue }
      members += more
      joined.append(attempt)
    }
    guard joined.count > 1, let first = joined.map(\.firstHeight).min() else { return }
    let weight = Claim.weight(joining: members.compactMap(\.template))
    // Whatever its weight with what a wallet added: a unit of the relay's price more for each unit of weight pays for both.
    let next = UInt64(partner.claim.feeRate.satPerKiloWeight) + UInt64(policy.incrementalRate.satPerKiloWeight)
    let minimum = replacement(
      of: partner.claim, rate: FeeRate(satPerKiloWeight: UInt32(clamping: next)), weight: weight)
    guard
      let claim = makeChildren(members.sorted(by: Self.isBefore), keys, waited: state.height - first, atLeast: minimum)
    else { return }
    let gone = Set(joined.map(\.claim.outPoints))
    state.attempts.removeAll { gone.contains($0.claim.outPoints) }
    publish(claim)
    state.attempts[state.attempts.count - 1].firstHeight = first
  }

  /// Of claims on their way, urgency does not matter: they share a coin.
  private func family(of claim: Claim) -> Family? {
    guard case .children(let templates) = claim.purpose,
      zip(templates, claim.spends).allSatisfy({ $0.canBeJoined(spending: $1.value) })
    else { return nil }
    return Family(version: claim.version, lockTime: claim.lockTime, isUrgent: false)
  }
}
