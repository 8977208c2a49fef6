import Bitcoin
import BitcoindSupport
import Chain
import Encoding
import GLC
import GLCTesting
import Testing

/// What the law checker has the interpreter decide, decided by bitcoind: every output of every commitment of a stack, current, one before
/// and revoked, of both holders, is spent by every declared path, mined and confirmed; what the interpreter refuses, bitcoind refuses;
/// and what waits for a height or an age is refused a block before.
@Suite(.serialized, .enabled(if: RunningBitcoind.executable != nil, "\(RunningBitcoind.reason)"))
struct LawsOnBitcoindTests {
  @Test(arguments: BOLT3Stack.allCases) func bitcoindDecidesAsTheInterpreterDoes(stack: BOLT3Stack) async throws {
    let chain = try await BitcoindChain.start()
    let tip = try await chain.tip().height
    var scenario = try paymentScenario(try stack.stack, expiry: tip + 30)
    if stack.paysNoFee { scenario.feeRate = FeeRate(satPerKiloWeight: 0) }
    scenario.contestDelay = 12
    let figures = try await LawsOnBitcoind(chain).run(scenario)
    print("figure: \(stack): \(figures)")
    #expect(figures.confirmed > 120 && figures.refused > 200 && figures.early > 25, "\(figures)")
    await chain.stop()
  }

  @Test(arguments: PTLCStack.allCases) func alsoOnPaymentsLockedByPoints(stack: PTLCStack) async throws {
    let chain = try await BitcoindChain.start()
    let tip = try await chain.tip().height
    var scenario = try mixedScenario(try stack.stack, expiry: tip + 30)
    if stack.paysNoFee { scenario.feeRate = FeeRate(satPerKiloWeight: 0) }
    scenario.contestDelay = 12
    let figures = try await LawsOnBitcoind(chain).run(scenario)
    print("figure: \(stack): \(figures)")
    #expect(figures.confirmed > 100 && figures.refused > 100 && figures.early > 20, "\(figures)")
    await chain.stop()
  }
}

/// Commitments in all their states on one chain.
final class LawsOnBitcoind {
  struct Figures: CustomStringConvertible {
    var commitments = 0
    var confirmed = 0
    var refused = 0
    var early = 0
    var description: String {
      "\(commitments) commitments, \(confirmed) spends confirmed, \(refused) refused, \(early) refused a block early"
    }
  }

  enum State: Int, CaseIterable { case revoked, previous, current }

  /// A commitment that is on the chain, and what will be done with its outputs there.
  private struct Life {
    var name: String
    /// Chosen so that no two spend the same.
    var chosen: [LawSpend]
    /// What must be refused as long as its output is there, by its index in the checker's report.
    var wrong: [(index: Int, spend: LawSpend)]
    var state: State
  }

  private let chain: BitcoindChain
  private var figures = Figures()
  private var heights: [TxID: UInt32] = [:]

  init(_ chain: BitcoindChain) { self.chain = chain }

  func run(_ scenario: LawScenario) async throws -> Figures {
    var lives: [Life] = []
    var wrong: [State: Set<Int>] = [:]
    for state in State.allCases {
      // Each commitment has one pair of updates more than the one before.
      var given = scenario
      given.number = UInt64(20 + state.rawValue)
      given.updates = Array(
        scenario.updates.prefix(scenario.updates.count - 2 * (State.current.rawValue - state.rawValue)))
      let plan = try checkExtension(given)
      #expect(plan.violations == [])
      wrong[state] = Set(plan.spends.indices.filter { !plan.spends[$0].isValid })
      for holder in Party.allCases {
        for choice in Self.rounds(plan.spends, holder, state) {
          given.fundingOutpoint = try await chain.send(plan.funding.value, to: plan.funding.scriptPubKey)
          let report = try checkExtension(given)
          lives.append(
            Life(
              name: "\(state), held by \(holder)", chosen: choice.map { report.spends[$0] },
              wrong: report.spends.indices.filter { !report.spends[$0].isValid && report.spends[$0].holder == holder }
                .map { ($0, report.spends[$0]) }, state: state))
        }
      }
    }
    try await chain.mine()
    let untried = try await live(lives, wrong)
    for (state, left) in untried { #expect(left.isEmpty, "\(left.count) wrong spends of \(state) were never tried") }
    return figures
  }

  /// Sets of spends that can all happen to one commitment, each with all that it builds on, so that every spend is in one of them. Nobody has
  /// the secret of a commitment that is not revoked.
  private static func rounds(_ spends: [LawSpend], _ holder: Party, _ state: State) -> [[Int]] {
    let usable = spends.indices.filter {
      spends[$0].isValid && spends[$0].holder == holder
        && (state == .revoked || spends[$0].conditions?.revoked != true)
    }
    let byID = Dictionary(usable.map { (spends[$0].transaction.txid, $0) }) { first, _ in first }
    var left = Set(usable)
    var rounds: [[Int]] = []
    while !left.isEmpty {
      var chosen: [Int] = []
      var spent: Set<OutPoint> = []
      func choose(_ index: Int) -> Bool {
        if chosen.contains(index) { return true }
        guard !spent.contains(spends[index].outPoint) else { return false }
        if let parent = byID[spends[index].outPoint.txid], !choose(parent) { return false }
        chosen.append(index)
        spent.insert(spends[index].outPoint)
        return true
      }
      for index in usable where left.contains(index) { if choose(index) { left.remove(index) } }
      rounds.append(chosen)
    }
    return rounds
  }

  /// The lowest height of a block that can hold it; nil while its parent is not confirmed.
  private func opening(_ transaction: Transaction) -> UInt32? {
    // From 500,000,000 on it is a time, and long past: commitments hide their number there.
    var height = transaction.lockTime < 500_000_000 ? transaction.lockTime + 1 : 0
    let input = transaction.inputs[0]
    guard let parent = heights[input.previousOutput.txid] else { return nil }
    height = max(height, parent + 1)
    // BIP 68: bit 31 switches it off; bit 22 would count time.
    if transaction.version >= 2, input.sequence < 1 << 22 { height = max(height, parent + (input.sequence & 0xffff)) }
    return height
  }

  private func live(_ given: [Life], _ wrong: [State: Set<Int>]) async throws -> [State: Set<Int>] {
    var lives = given
    var untried = wrong
    var tip = try await chain.tip().height
    for life in lives { heights[life.chosen[0].outPoint.txid] = tip }
    while true {
      let openings = lives.flatMap(\.chosen).compactMap { opening($0.transaction) }
      guard let next = openings.min() else { break }
      if tip + 2 < next { tip = try #require(try await chain.mine(Int(next - tip - 2)).last).height }
      if tip + 1 < next {
        for life in lives {
          for spend in life.chosen where opening(spend.transaction) == next {
            try await expectRefused(spend, "a block early: \(life.name)") { $0 == .nonFinal || $0 == .sequenceLocked }
            figures.early += 1
          }
        }
        tip = try #require(try await chain.mine(1).last).height
      }
      var ready: [LawSpend] = []
      for index in lives.indices {
        let now = lives[index].chosen.filter { opening($0.transaction).map { $0 <= tip + 1 } ?? false }
        if now.isEmpty { continue }
        // Everything wrong that could be confirmed now, were it not wrong.
        let places = Set(now.map(\.outPoint))
        for (number, spend) in lives[index].wrong
        where places.contains(spend.outPoint) && (opening(spend.transaction) ?? .max) <= tip + 1 {
          guard untried[lives[index].state]?.remove(number) != nil else { continue }
          try await expectRefused(spend, lives[index].name) { if case .script = $0 { true } else { false } }
          figures.refused += 1
        }
        for spend in now { try await expectAccepted(spend, lives[index].name) }
        let ids = Set(now.map(\.transaction.txid))
        lives[index].chosen.removeAll { ids.contains($0.transaction.txid) }
        ready += now
      }
      tip = try await chain.mine(ready.map(\.transaction)).height
      for spend in ready { heights[spend.transaction.txid] = tip }
      figures.commitments += ready.count { $0.conditions == nil }
      figures.confirmed += ready.count { $0.conditions != nil }
    }
    for life in lives { #expect(life.chosen.isEmpty, "\(life.name): \(life.chosen.map(\.place))") }
    return untried
  }

  private func expectRefused(_ spend: LawSpend, _ what: String, _ isRight: (TransactionRefusal.Kind) -> Bool)
    async throws
  {
    guard let refusal = try await chain.bitcoind.testAccept([spend.transaction]).first?.refusal else {
      Issue.record("bitcoind accepts: \(spend.place) (\(what)) \(Hex.encode(spend.transaction.encoded))")
      return
    }
    if refusal.kind == .feeTooLow, try await !chain.isRefusedInABlock(spend.transaction) {
      Issue.record("bitcoind takes it in a block: \(spend.place) (\(what)) \(Hex.encode(spend.transaction.encoded))")
    }
    #expect(isRight(refusal.kind) || refusal.kind == .feeTooLow, "\(refusal): \(spend.place) (\(what))")
  }

  private func expectAccepted(_ spend: LawSpend, _ what: String) async throws {
    guard let refusal = try await chain.bitcoind.testAccept([spend.transaction]).first?.refusal else { return }
    // What is made to be paid for by others, pays nothing by itself; a block takes it all the same.
    let paid = spend.spent.value.rawValue - spend.transaction.outputs.reduce(0) { $0 + $1.value.rawValue }
    let isMeantToBe = paid < spend.transaction.virtualSize && (refusal.kind == .feeTooLow || refusal.kind == .dust)
    #expect(isMeantToBe, "\(refusal): \(spend.place) (\(what)), fee \(paid)")
  }
}
