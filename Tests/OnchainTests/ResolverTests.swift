import Bitcoin
import Encoding
import GLC
import GLCTesting
import HTLC
import Hashing
import Onchain
import Secp256k1
import Signer
import Testing

struct NoSuchChannel: Error {}

/// A simulated channel, its two ends as resolvers see them.
struct Scene {
  let simulator: TwoPartySimulator<HTLCTraffic>
  let destination = OutputLock.witnessScript(Script([0x51])).scriptPubKey

  init(_ simulator: TwoPartySimulator<HTLCTraffic>) { self.simulator = simulator }

  /// A channel in the middle of its life, for which `condition` holds.
  init(
    _ stack: BOLT3Stack, steps: Int = 200, where condition: (TwoPartySimulator<HTLCTraffic>) -> Bool = { _ in true }
  ) throws {
    for seed in 0..<200 as Range<UInt64> {
      let channelStack = try stack.stack
      var options = TwoPartySimulator<HTLCTraffic>.Options()
      if stack.paysNoFee { options.feeRate = .init(satPerKiloWeight: 0) }
      var simulator = try TwoPartySimulator(
        seed: 7000 + seed, stack: channelStack, traffic: HTLCTraffic(in: channelStack), options: options)
      try simulator.interrupt(after: steps)
      guard condition(simulator) else { continue }
      self.simulator = simulator
      return
    }
    throw NoSuchChannel()
  }

  func input(_ index: Int, _ channel: Channel? = nil, remotePoint: PublicKey? = nil) throws -> ResolverInput {
    let records = simulator.records[index]
    return try ResolverInput(
      channel ?? simulator.parties[index].channel, signer: simulator.parties[index].signer, destination: destination,
      closings: [TxID(sha256([5]))], remotePoint: remotePoint, records: { number, _ in records[number] })
  }

  /// The commitment that a party would publish, now or at some time in the past.
  func commitment(_ index: Int, _ channel: Channel? = nil) throws -> ResolverInput.LocalCommitment {
    try #require(try input(index, channel).local.first)
  }

  func signed(_ index: Int, _ channel: Channel? = nil) throws -> Transaction {
    let own = try commitment(index, channel)
    return try simulator.parties[index].signer.signForBroadcastWithoutChecks(
      own.commitment, with: own.signatures)
  }
}

let flat = FeeEstimates(flat: FeeRate(satPerKiloWeight: 500))

extension [ResolverAction] {
  var claims: [Claim] { compactMap { if case .publish(let claim) = $0 { claim } else { nil } } }
}

@Suite struct ResolverTests {
  @Test(arguments: BOLT3Stack.allCases)
  func everySpendOfTheFundingOutputIsRecognised(stack: BOLT3Stack) throws {
    let scene = try Scene(stack) { simulator in
      let other = simulator.parties[0].channel
      return other.awaitsRevocation && simulator.parties[1].channel.localNumber == other.remoteUnrevoked
        && simulator.past[1].contains { $0.localNumber < other.remoteUnrevoked }
        && simulator.past[0].contains { $0.remoteNumber + 1 < simulator.parties[1].channel.localNumber }
    }
    let simulator = scene.simulator
    let input = try scene.input(0)
    guard case .local = input.recognise(try scene.signed(0)) else { throw Failure("our own") }
    guard case .remote(_, isLatest: false) = input.recognise(try scene.signed(1)) else { throw Failure("the previous") }
    let latest = try #require(input.remote.last?.first)
    guard case .remote(_, isLatest: true) = input.recognise(latest.transaction) else { throw Failure("the latest") }

    let limit = simulator.parties[0].channel.remoteUnrevoked
    for old in simulator.past[1] where old.localNumber < limit {
      guard case .revoked(let number, _, _) = input.recognise(try scene.signed(1, old)) else {
        throw Failure("revoked \(old.localNumber)")
      }
      #expect(number == old.localNumber)
      var forgetful = input
      forgetful.records = { _, _ in nil }
      guard case .revokedWithoutRecord(number) = forgetful.recognise(try scene.signed(1, old)) else {
        throw Failure("revoked \(old.localNumber) without a record")
      }
    }
    // Back at an old state, everything newer is unknown.
    let restored = try #require(
      simulator.past[0].first { $0.remoteNumber + 1 < simulator.parties[1].channel.localNumber })
    guard case .future = try scene.input(0, restored).recognise(try scene.signed(1)) else { throw Failure("newer") }

    var other = try scene.signed(1)
    other.outputs[0].value = Satoshi(1)
    other.lockTime = 0
    guard case .unknown = input.recognise(other) else { throw Failure("something else") }
    // A revoked number on other outputs is not that commitment.
    let old = try #require(simulator.past[1].first { $0.localNumber < limit })
    var forged = try scene.signed(1, old)
    forged.outputs[0].scriptPubKey = scene.destination
    if case .revoked = input.recognise(forged) { throw Failure("forged outputs were taken for a commitment") }
  }

  struct Failure: Error { init(_ what: String) { self.what = what }; let what: String }

  /// BOLT 5 and `option_data_loss_protect`: after data loss, what needs no state is claimed all the same.
  @Test(arguments: BOLT3Stack.allCases, [false, true])
  func afterDataLossFundsWithFixedKeysComeHome(stack: BOLT3Stack, knowsPoint: Bool) throws {
    let scene = try Scene(stack) { simulator in
      let theirs = simulator.parties[1].channel
      return simulator.past[0].contains { $0.remoteNumber + 1 < theirs.localNumber }
    }
    let theirs = scene.simulator.parties[1].channel
    let restored = try #require(scene.simulator.past[0].first { $0.remoteNumber + 1 < theirs.localNumber })
    let point = try scene.simulator.parties[1].signer.perCommitmentPoint(theirs.localNumber)
    var resolver = Resolver(try scene.input(0, restored, remotePoint: knowsPoint ? point : nil))
    let closing = try scene.signed(1)
    var actions = resolver.handle(.block(height: 400, transactions: [closing], estimates: flat))
    for height in 401..<410 as Range<UInt32> {
      actions += resolver.handle(.block(height: height, transactions: [], estimates: flat))
    }
    let own = try scene.commitment(1).commitment.outputs.first { $0.output.tag == .balance(of: .counterparty) }
    let balance = try #require(own)
    let claimed = actions.claims.flatMap(\.spends).contains { $0.outPoint == balance.outPoint }
    // Before `option_static_remotekey`, the key of that output depends on the point.
    #expect(claimed == (stack != .legacy || knowsPoint))
    for claim in actions.claims {
      var transaction = claim.transaction
      try scene.simulator.parties[0].signer.secrets.sign(&transaction, taking: claim.spends, with: claim.keys)
      for (index, spend) in claim.spends.enumerated() {
        try ScriptVerifier.verify(
          input: index, of: transaction, spending: claim.spends.map(\.output), flags: .standard)
        #expect(spend.path.spender == .counterparty)
      }
    }
  }

  /// A claim that is not confirmed pays more, a little at first and then up to its budget; each replacement keeps to BIP 125.
  @Test(arguments: [BOLT3Stack.staticRemoteKey, .anchors, .zeroFee])
  func feesRiseTowardsTheDeadlineAndNeverAboveTheStake(stack: BOLT3Stack) throws {
    let scene = try Scene(stack) { simulator in
      simulator.past[1].contains { $0.localNumber < simulator.parties[0].channel.remoteUnrevoked }
    }
    let limit = scene.simulator.parties[0].channel.remoteUnrevoked
    let old = try #require(scene.simulator.past[1].last { $0.localNumber < limit })
    var resolver = Resolver(try scene.input(0))
    var claims: [OutPoint: [Claim]] = [:]
    let delay = UInt32(scene.simulator.parties[1].channel.parameters.parties.local.contestDelay)
    var actions = resolver.handle(.block(height: 400, transactions: [try scene.signed(1, old)], estimates: flat))
    for height in 401...(400 + delay + 5) {
      for claim in actions.claims { for outPoint in claim.outPoints { claims[outPoint, default: []].append(claim) } }
      actions = resolver.handle(.block(height: height, transactions: [], estimates: flat))
    }
    let policy = resolver.policy
    var raised = 0
    for (_, history) in claims {
      for (older, newer) in zip(history, history.dropFirst()) where older.outPoints == newer.outPoints {
        #expect(newer.isReplacement)
        #expect(newer.feeRate > older.feeRate)
        let relay = try #require(policy.incrementalRate.fee(for: newer.weight))
        #expect(newer.fee.rawValue >= older.fee.rawValue + relay.rawValue)
        raised += 1
      }
      for claim in history {
        let stake = claim.spends.reduce(0) { $0 + $1.value.rawValue }
        #expect(claim.fee.rawValue * 2 <= stake, "\(claim.fee) of \(stake)")
      }
    }
    #expect(raised > 3, "only \(raised) replacements")
  }

  @Test(arguments: BOLT3Stack.allCases)
  func aReorganisationUndoesEverythingAboveIt(stack: BOLT3Stack) throws {
    let scene = try Scene(stack) { $0.parties[0].channel.localNumber > 3 }
    var resolver = Resolver(try scene.input(0))
    var untouched = resolver
    let closing = try scene.signed(1)
    _ = resolver.handle(.block(height: 400, transactions: [], estimates: flat))
    _ = untouched.handle(.block(height: 400, transactions: [], estimates: flat))
    let first = resolver.handle(.block(height: 401, transactions: [closing], estimates: flat))
    _ = resolver.handle(.block(height: 402, transactions: [], estimates: flat))
    #expect(!resolver.outputs.isEmpty)
    let actions = resolver.handle(.reorg(to: 400))
    #expect(resolver.outputs.isEmpty)
    #expect(resolver.fundingSpend == nil)
    #expect(resolver.height == 400)
    #expect(actions.claims.isEmpty)
    // The other commitment is confirmed instead; or the same, with the same consequences.
    let again = resolver.handle(.block(height: 401, transactions: [closing], estimates: flat))
    #expect(again.claims.map(\.outPoints) == first.claims.map(\.outPoints))
    _ = resolver.handle(.reorg(to: 400))
    _ = resolver.handle(.block(height: 401, transactions: [try scene.signed(0)], estimates: flat))
    guard case .local = resolver.fundingSpend else {
      Issue.record("our own commitment is not recognised after a reorganisation")
      return
    }
  }

  /// Nothing ends before its depth, and a reorganisation takes the end back.
  @Test func resolutionIsFinalAfterItsDepthAlone() throws {
    let scene = try Scene(.staticRemoteKey, steps: 0)
    var resolver = Resolver(try scene.input(0))
    var sweeps = resolver.handle(.block(height: 400, transactions: [try scene.signed(1)], estimates: flat))
      .claims.map(\.transaction)
    for height in 401...499 as ClosedRange<UInt32> {
      let actions = resolver.handle(.block(height: height, transactions: sweeps, estimates: flat))
      sweeps = actions.claims.map(\.transaction)
      // The sweep is confirmed later than the commitment.
      #expect(!resolver.isResolved, "resolved at \(height)")
    }
    var height = resolver.height
    while !resolver.isResolved && height < 600 {
      height += 1
      _ = resolver.handle(.block(height: height, transactions: [], estimates: flat))
    }
    let sweep = try #require(resolver.outputs.compactMap(\.spend?.height).max())
    #expect(height == sweep + 99)
    _ = resolver.handle(.reorg(to: height - 1))
    #expect(!resolver.isResolved)
  }

  /// A block lost is a race lost: each contested output is claimed as soon as the next block may hold the claim.
  @Test(arguments: BOLT3Stack.allCases, [0, 1])
  func everyPathIsTakenForTheFirstBlockThatCanHoldIt(stack: BOLT3Stack, holder: Int) throws {
    let scene = try Scene(stack) { simulator in
      (simulator.parties[0].channel.fundings[0].local.ledgers
        .compactMap { ($0 as? TypedLedger<HTLCExtension>)?.ledger.entries.count }.max() ?? 0) > 3
    }
    var resolver = Resolver(try scene.input(0))
    let secrets = scene.simulator.traffic.secrets(of: 0, in: scene.simulator.parties[0].channel)
    for (id, secret) in secrets { _ = resolver.handle(.learned(id, secret)) }
    var claimed: [OutPoint: UInt32] = [:]
    var abandoned: Set<OutPoint> = []
    let closing = try scene.signed(holder)
    for height in 400...1200 as ClosedRange<UInt32> {
      let actions = resolver.handle(
        .block(height: height, transactions: height == 400 ? [closing] : [], estimates: flat))
      for outPoint in actions.claims.flatMap(\.outPoints) where claimed[outPoint] == nil { claimed[outPoint] = height }
      for action in actions { if case .uneconomic(let outPoint, _) = action { abandoned.insert(outPoint) } }
    }
    let side: Side = holder == 0 ? .holder : .counterparty
    var checked = 0
    for output in resolver.outputs where !abandoned.contains(output.outPoint) {
      let openings = output.paths.compactMap { path -> UInt32? in
        guard path.spender == side, !path.conditions.revoked else { return nil }
        if let secret = path.conditions.secret, secrets[secret] == nil { return nil }
        return max(path.conditions.height.map { $0 + 1 } ?? 0, 400 + UInt32(path.conditions.age ?? 0))
      }
      guard let first = openings.min() else {
        #expect(claimed[output.outPoint] == nil)
        continue
      }
      let isContested = output.paths.contains { $0.spender != side && !$0.conditions.revoked }
      let height = try #require(claimed[output.outPoint])
      let expected = max(first, 401) - 1
      #expect(isContested ? height == expected : (expected...(expected + 6)).contains(height), "\(output.outPoint)")
      checked += 1
    }
    #expect(checked > 1, "only \(checked) outputs")
  }

  /// A common claim that has lost one of its outputs is void; the others are claimed again at once.
  @Test func aBatchThatLosesAnOutputIsMadeAgain() throws {
    let scene = try Scene(.anchors) { simulator in
      simulator.past[1].contains { $0.localNumber < simulator.parties[0].channel.remoteUnrevoked }
    }
    let limit = scene.simulator.parties[0].channel.remoteUnrevoked
    let old = try #require(scene.simulator.past[1].last { $0.localNumber < limit })
    var resolver = Resolver(try scene.input(0))
    var claims = resolver.handle(.block(height: 400, transactions: [try scene.signed(1, old)], estimates: flat)).claims
    let batch = try #require(claims.first { $0.spends.count > 1 }, "no claim takes more than one output")
    let lost = try #require(batch.spends.min { $0.value < $1.value }).outPoint
    let thief = Transaction(
      inputs: [TxInput(previousOutput: lost)], outputs: [TxOutput(value: Satoshi(1), scriptPubKey: Script([0x51]))])
    claims = resolver.handle(.block(height: 401, transactions: [thief], estimates: flat)).claims
    let again = Set(claims.flatMap(\.outPoints))
    #expect(again.isSuperset(of: batch.outPoints.filter { $0 != lost }))
    #expect(!again.contains(lost))
  }

  /// What cannot be contested goes home in one transaction.
  @Test func whatCanWaitIsBatchedWhatRacesIsNot() throws {
    let scene = try Scene(.anchors) { simulator in
      simulator.past[1].contains { old in
        old.localNumber < simulator.parties[0].channel.remoteUnrevoked
          && (old.fundings[0].local.ledgers.compactMap { ($0 as? TypedLedger<HTLCExtension>)?.ledger.entries.count }
            .max()
            ?? 0) > 5
      }
    }
    let limit = scene.simulator.parties[0].channel.remoteUnrevoked
    let old = try #require(
      scene.simulator.past[1].last { old in
        old.localNumber < limit
          && (old.fundings[0].local.ledgers.compactMap { ($0 as? TypedLedger<HTLCExtension>)?.ledger.entries.count }
            .max()
            ?? 0) > 5
      })
    var resolver = Resolver(try scene.input(0))
    let actions = resolver.handle(.block(height: 400, transactions: [try scene.signed(1, old)], estimates: flat))
    let commitment = try scene.commitment(1, old).commitment
    for claim in actions.claims {
      let contested = claim.spends.filter { spend in
        commitment.outputs.contains {
          $0.outPoint == spend.outPoint && !$0.children.isEmpty && $0.output.value > Satoshi(1000)
        }
      }
      // An output that a second stage can take at once shares its transaction with nothing of value.
      if !contested.isEmpty { #expect(claim.spends.count == 1) }
    }
    #expect(actions.claims.count > 2)
  }

  @Test func aSecretIsLearntFromAnUnconfirmedTransactionToo() throws {
    let scene = try Scene(.anchors) { simulator in
      (simulator.parties[0].channel.fundings[0].local.ledgers
        .compactMap { ($0 as? TypedLedger<HTLCExtension>)?.ledger.entries.count { $0.offeredBy == .local } }.max() ?? 0)
        > 2
    }
    var resolver = Resolver(try scene.input(0))
    let closing = try scene.signed(0)
    _ = resolver.handle(.block(height: 400, transactions: [closing], estimates: flat))
    let offered = try #require(
      resolver.outputs.first { output in
        output.paths.contains { $0.spender == .counterparty && $0.conditions.secret != nil }
      })
    let id = try #require(offered.paths.compactMap(\.conditions.secret).first)
    let secrets = scene.simulator.traffic.secrets(of: 1, in: scene.simulator.parties[1].channel)
    let candidates = resolver.outputs.compactMap { output -> (OutPoint, SecretID, [UInt8])? in
      guard let id = output.paths.compactMap(\.conditions.secret).first, let secret = secrets[id] else { return nil }
      return (output.outPoint, id, secret)
    }
    guard let (outPoint, known, secret) = candidates.first else { return }
    let spend = Transaction(
      inputs: [TxInput(previousOutput: outPoint, witness: [[1], secret, [2]])],
      outputs: [TxOutput(value: Satoshi(1), scriptPubKey: Script([0x51]))])
    let learnt = resolver.handle(.unconfirmed(spend)).compactMap { action -> SecretID? in
      if case .learned(let id, let value) = action, value == secret { id } else { nil }
    }
    #expect(learnt == [known])
    // A wrong one teaches nothing.
    let wrong = Transaction(
      inputs: [TxInput(previousOutput: offered.outPoint, witness: [[1], [UInt8](repeating: 9, count: 32)])],
      outputs: [TxOutput(value: Satoshi(1), scriptPubKey: Script([0x51]))])
    let nothing = resolver.handle(.unconfirmed(wrong)).contains { if case .learned = $0 { true } else { false } }
    #expect(!nothing || id == known)
  }

  @Test func whatIsKnownToBeOutdatedIsNotPublished() throws {
    let scene = try Scene(.anchors)
    var input = try scene.input(0)
    func publishes(_ input: ResolverInput) -> Bool {
      var resolver = Resolver(input)
      _ = resolver.handle(.block(height: 400, transactions: [], estimates: flat))
      return !resolver.handle(.close(deadline: 420)).isEmpty
    }
    #expect(publishes(input))
    input.mayPublish = false
    #expect(!publishes(input))
  }

  /// A version 3 commitment without fee is published with a child that pays for both, within BIP 431's limits.
  @Test func aPackageForVersion3KeepsToItsLimits() throws {
    let scene = try Scene(.zeroFee)
    var resolver = Resolver(try scene.input(0))
    _ = resolver.handle(.block(height: 400, transactions: [], estimates: flat))
    let actions = resolver.handle(.close(deadline: 420))
    let claim = try #require(actions.claims.first)
    #expect(claim.version == 3)
    #expect(claim.needsWallet)
    func coins(_ count: Int) -> [WalletInput] {
      (0..<count).map {
        WalletInput(
          outPoint: OutPoint(txid: TxID(sha256([9])), vout: UInt32($0)),
          output: TxOutput(value: Satoshi(100_000), scriptPubKey: scene.destination), witnessWeight: Weight(110))
      }
    }
    #expect(throws: ClaimError.self) { try claim.funded(with: []) }
    let child = try claim.funded(with: coins(1))
    let parent = try scene.commitment(0).commitment
    let paid = 100_000 + claim.spends[0].value.rawValue - child.outputs[0].value.rawValue
    let weight = try scene.signed(0).weight.rawValue + child.weight.rawValue + 110
    #expect(parent.fee == .zero)
    #expect(paid * 1000 / weight >= UInt64(claim.feeRate.satPerKiloWeight) * 9 / 10)
    #expect(throws: ClaimError.self) { try claim.funded(with: coins(20)) }
    // It rises as well.
    var rates = [claim.feeRate]
    for height in 401...419 as ClosedRange<UInt32> {
      let more = resolver.handle(.block(height: height, transactions: [], estimates: flat)).claims
      for claim in more {
        #expect(claim.isReplacement)
        rates.append(claim.feeRate)
      }
    }
    #expect(rates == rates.sorted())
    #expect(rates.count > 2, "\(rates)")
  }

  @Test func theFeePolicyStandsAnything() {
    var policy = FeePolicy()
    var random = SeededGenerator(seed: 3)
    for _ in 0..<5_000 {
      policy.urgentBlocks = UInt32(truncatingIfNeeded: random.chance(oneIn: 2) ? random.below(40) : random.next())
      policy.maximumShare = random.chance(oneIn: 2) ? random.below(1001) : random.next()
      let stake = Satoshi(random.next() >> random.below(64))
      let weight = Weight(random.next() >> random.below(64))
      let rate = policy.rate(
        blocksLeft: random.chance(oneIn: 5) ? nil : UInt32(truncatingIfNeeded: random.next() >> random.below(64)),
        waited: UInt32(truncatingIfNeeded: random.next() >> random.below(64)), stake: stake, weight: weight,
        estimates: FeeEstimates(flat: FeeRate(satPerKiloWeight: UInt32(truncatingIfNeeded: random.next()))))
      #expect(rate >= .relayFloor)
      #expect(policy.budget(stake: stake) <= stake)
    }
    #expect(FeeEstimates([]).rate(within: 1) == .relayFloor)
  }
}
