import Bitcoin
import Encoding
import GLC
import GLCTesting
import HTLC
import Hashing
import Testing

@testable import Onchain

/// Second stages that share a transaction, and a wallet that cannot pay for them at once.
@Suite struct SecondStageTests {
  /// The resolver of party 0, whose commitment was confirmed at height 401, and which has all secrets that its payments need.
  private struct Race {
    var resolver: Resolver
    /// The joint claims that it handed out first.
    var claims: [Claim]
    let stack: ChannelStack

    init(_ stack: BOLT3Stack, joining count: Int) throws {
      for seed in 0..<400 as Range<UInt64> {
        let channelStack = try stack.stack
        var options = TwoPartySimulator<HTLCTraffic>.Options()
        if stack == .zeroFee { options.feeRate = .init(satPerKiloWeight: 0) }
        var simulator = try TwoPartySimulator(
          seed: 9000 + seed, stack: channelStack, traffic: HTLCTraffic(in: channelStack, patience: 20),
          options: options)
        try simulator.interrupt(after: 250)
        let scene = Scene(simulator)
        var resolver = Resolver(try scene.input(0))
        for party in 0..<2 {
          let known = simulator.traffic.secrets(of: party, in: simulator.parties[party].channel)
          for (id, secret) in known { _ = resolver.handle(.learned(id, secret)) }
        }
        _ = resolver.handle(.block(height: 400, transactions: [], estimates: flat))
        let actions = resolver.handle(
          .block(height: 401, transactions: [try scene.signed(0)], estimates: flat))
        let joined = actions.claims.filter { $0.needsWallet && $0.spends.count >= count }
        if joined.isEmpty { continue }
        self.resolver = resolver
        claims = joined
        self.stack = channelStack
        return
      }
      throw NoSuchChannel()
    }

    mutating func mine(_ transactions: [Transaction] = []) -> [Claim] {
      resolver.handle(.block(height: resolver.height + 1, transactions: transactions, estimates: flat)).claims
    }

    mutating func report(_ claim: Claim, _ obstacle: ClaimObstacle, taken: [OutPoint] = []) -> [Claim] {
      resolver.handle(.unpublished(claim.outPoints, obstacle, taken: taken)).claims
    }
  }

  @Test(arguments: [BOLT3Stack.anchors, .zeroFee])
  func whatHasTimeSharesATransactionInWhichEveryInputStandsBesideItsOutput(stack: BOLT3Stack) throws {
    let race = try Race(stack, joining: 2)
    for claim in race.claims {
      guard case .children(let templates) = claim.purpose else { throw NoSuchChannel() }
      let transaction = claim.transaction
      #expect(transaction.inputs.map(\.previousOutput) == claim.outPoints)
      #expect(transaction.outputs.map(\.scriptPubKey) == templates.map { $0.outputs[0].lock.scriptPubKey })
      #expect(Set(templates.map(\.lockTime)) == [claim.lockTime])
      let values = claim.spends.map(\.value)
      #expect(values == values.sorted(by: >), "the most valuable come first")
      // What is shared is counted once.
      let alone = templates.reduce(0) { $0 + $1.expectedWeight.rawValue }
      #expect(claim.weight.rawValue == alone - 42 * UInt64(templates.count - 1))
      let half = try #require(claim.keeping(first: 1))
      #expect(half.spends == Array(claim.spends.prefix(1)) && half.weight == templates[0].expectedWeight)
      #expect(claim.keeping(first: claim.spends.count) == nil && claim.keeping(first: 0) == nil)
    }
  }

  /// Something that the other side has put into the mempool must not hold up what stands beside it.
  @Test func aContestedTransactionIsDividedUntilOneOutputStandsAlone() throws {
    var race = try Race(.anchors, joining: 3)
    let joint = race.claims[0]
    let contested = try #require(joint.outPoints.last)
    var open = [joint]
    var published: [Claim] = []
    var rounds = 0
    while let claim = open.popLast() {
      rounds += 1
      try #require(rounds < 50)
      guard claim.outPoints.contains(contested) else {
        published.append(claim)
        continue
      }
      let parts = race.report(claim, .contested)
      #expect(parts.flatMap(\.outPoints).sorted() == (claim.spends.count > 1 ? claim.outPoints.sorted() : []))
      open += parts
    }
    #expect(published.flatMap(\.outPoints).sorted() == joint.outPoints.filter { $0 != contested }.sorted())
    // The one that stands alone is tried again with the next block; what is on its way stays there.
    let again = race.mine()
    #expect(again.contains { $0.outPoints == [contested] })
    #expect(!again.contains { claim in published.contains { $0.outPoints == claim.outPoints } })
  }

  /// A wallet of one coin pays for one transaction: that must not be a piece of what nobody contests.
  @Test func whatIsContestedIsTakenOutAndTheRestStaysTogether() throws {
    var race = try Race(.anchors, joining: 3)
    let joint = race.claims[0]
    try #require(joint.spends.count > 2)
    let contested = joint.outPoints[0]
    let parts = race.report(joint, .contested, taken: [contested])
    #expect(parts.map(\.outPoints) == [Array(joint.outPoints.dropFirst()), [contested]])
    // What stands alone is not divided, and what everybody takes is tried one by one.
    #expect(race.report(parts[1], .contested, taken: [contested]).isEmpty)
    let all = race.report(parts[0], .contested, taken: joint.outPoints)
    #expect(all.map(\.outPoints) == joint.outPoints.dropFirst().map { [$0] })
  }

  @Test func whatTheWalletHasNoCoinForJoinsWhatItHasOneFor() throws {
    var race = try Race(.anchors, joining: 3)
    let joint = race.claims[0]
    // As if they had become known one after the other.
    let parts = race.report(joint, .contested)
    try #require(parts.count == 2)
    #expect(race.report(parts[1], .unfunded).isEmpty, "nothing is tried again before the next block")
    let before = race.resolver.state.attempts
    let together = try #require(race.mine().first { Set($0.outPoints).isSuperset(of: parts[1].outPoints) })
    #expect(together.isReplacement)
    let others = before.filter { $0.obstacle == nil && !Set($0.claim.outPoints).isDisjoint(with: together.outPoints) }
    try #require(others.count == 1, "it takes the place of one transaction")
    #expect(together.spends.count == parts[1].spends.count + others[0].claim.spends.count)
    // BIP 125: it pays for what it replaces, and for its own relay, whatever inputs a wallet has added.
    let coin = WalletInput(
      outPoint: OutPoint(txid: TxID(sha256([9])), vout: 1),
      output: TxOutput(value: Satoshi(5_000_000), scriptPubKey: joint.destination), witnessWeight: Weight(110))
    func fee(_ claim: Claim) throws -> UInt64 {
      let transaction = try claim.funded(with: [coin])
      let brought = claim.spends.reduce(5_000_000) { $0 + $1.value.rawValue }
      return transaction.outputs.reduce(brought) { $0 - $1.value.rawValue }
    }
    let weight = together.weight.rawValue + 4 * 41 + 110 + 4 * 31
    #expect(try fee(together) >= fee(others[0].claim) + weight / 4)
    #expect(race.mine().isEmpty, "it is on its way")
  }

  @Test func whatNobodyTookIsTriedAgainAndWhatTheWalletCannotPayForGoesTogether() throws {
    var race = try Race(.anchors, joining: 3)
    let joint = race.claims[0]
    #expect(race.report(joint, .refused).isEmpty)
    let again = try #require(race.mine().first { $0.outPoints == joint.outPoints })
    #expect(again.feeRate >= joint.feeRate && !again.isReplacement)
    let parts = race.report(again, .contested)
    for part in parts { _ = race.report(part, .unfunded) }
    #expect(race.mine().contains { Set($0.outPoints).isSuperset(of: joint.outPoints) })
    // Of what was never handed out, nothing changes.
    #expect(race.report(joint, .contested).isEmpty || parts.count < 2)
  }

  @Test func obstaclesAndJointClaimsSurviveARestart() throws {
    var race = try Race(.zeroFee, joining: 2)
    let joint = race.claims[0]
    _ = race.report(joint, .unfunded)
    let stored = race.resolver.encoded
    var again = try Resolver(
      decoding: stored.bytes, registry: ExtensionRegistry(race.stack), records: { _, _ in nil })
    #expect(again.encoded == stored)
    let resumed = again.resume().claims
    #expect(resumed.contains { $0.outPoints == joint.outPoints && $0.transaction == joint.transaction })
    let height = race.resolver.height + 1
    let one = race.mine()
    let other = again.handle(.block(height: height, transactions: [], estimates: flat)).claims
    #expect(one.map(\.transaction) == other.map(\.transaction) && !one.isEmpty)
  }
}
