import Bitcoin
import GLC
import Hashing
import Negotiation
import Testing

/// What the other side puts in is looked for in the chain before anything is completed.
@Suite struct InputCheckTests {
  private static let both: [UInt64] = [600_000, 800_000]

  @Test func eachSideLooksForWhatTheOtherPutsIn() throws {
    var world = try OpeningWorld(contributions: Self.both)
    try world.run()
    try world.expectOpened()
    for index in 0..<2 {
      let check = try #require(world.nodes[index].checks.first)
      #expect(world.nodes[index].checks.count == 1)
      #expect(Set(check.outPoints) == Set(world.nodes[1 - index].coins.map(\.outPoint)))
      #expect(check.replaced.isEmpty)
    }
  }

  @Test func whoeverPutsNothingInIsNotLookedFor() throws {
    var world = try OpeningWorld(contributions: [600_000, 0])
    try world.run()
    try world.expectOpened()
    #expect(world.nodes[0].checks.isEmpty && world.nodes[1].checks.count == 1)
  }

  /// The refusal names the input, and comes before anything is signed or stored.
  @Test(arguments: [0, 1]) func whatIsNotThereIsRefusedBeforeAnythingIsSigned(looking: Int) throws {
    var world = try OpeningWorld(contributions: Self.both)
    let missing = world.nodes[1 - looking].coins[1].outPoint
    world.nodes[looking].absent = [missing]
    try world.run()
    world.expectNothing()
    for node in world.nodes {
      #expect(node.refusals.map(\.code) == [.input])
      #expect(node.refusals[0].reason.contains("\(missing)"))
    }
    for entry in world.transcript {
      switch entry.message {
      case .commit, .sign: Issue.record("something was signed")
      case .complete: #expect(entry.from != looking, "nothing was completed by who has not found it")
      default: break
      }
    }
  }

  @Test func nobodyHasAnythingToSayWhileTheChainIsAsked() throws {
    var world = try OpeningWorld(contributions: Self.both)
    world.nodes[1].looks = false
    try world.run()
    let check = try #require(world.nodes[1].checks.first)
    #expect(world.wire.isEmpty && world.nodes[1].opened == nil)
    // The answer comes, and it goes on.
    var patient = world
    try patient.look(1, check)
    try patient.deliverAll()
    try patient.expectOpened()
    // Who does not wait for it is refused.
    let last = try #require(world.transcript.last?.message)
    #expect(last.id == world.id)
    var hasty = world
    try hasty.receive(last, at: 1)
    #expect(hasty.nodes[1].refusals.first?.code == .protocol)
    #expect(hasty.nodes[1].opening == nil)
    // An answer that comes too late finds nobody.
    try world.cut()
    try world.look(1, check)
    #expect(world.nodes[1].opened == nil && world.wire.isEmpty)
    world.expectNothing()
  }

  /// An answer that nobody waits for changes nothing.
  @Test func aCheckIsAnsweredOnce() throws {
    var world = try OpeningWorld(contributions: Self.both)
    try world.run()
    let check = try #require(world.nodes[1].checks.first)
    world.nodes[1].absent = Set(check.outPoints)
    try world.look(1, check)
    try world.expectOpened()
    #expect(world.nodes[1].refusals.isEmpty)
  }

  /// What is replaced spends the same coins, and says so.
  @Test func aReplacementNamesWhatMaySpendTheSameCoins() throws {
    var first = try OpeningWorld(contributions: Self.both)
    try first.run()
    let replaced = try #require(first.nodes[0].opened?.funding.txid)
    var second = try OpeningWorld(contributions: Self.both, coins: first.nodes.map(\.coins)) { deal in
      deal.fundingFeeRate = FeeRate(satPerKiloWeight: 2000)
      deal.replaces = OpeningWorld.id
    }
    second.id = sha256([8, 8, 8])
    for index in 0..<2 {
      second.nodes[index].previous = first.nodes[index].opening
      try second.nodes[index].renewKeys(7)
    }
    try second.run()
    try second.expectOpened()
    #expect(second.nodes.allSatisfy { $0.checks.map(\.replaced) == [[replaced]] })
  }
}
