import BOLT
import Bitcoin
import Chain
import GLC
import Negotiation
import Storage
import Testing
import Wallet
import Wire

@testable import Node

/// A funding transaction was replaced by one that pays more, and a miner takes the older one all the same.
@Suite(.serialized) struct ReplacedFundingTests {
  static let stack = "musig2 + htlc + ptlc + anchors"

  /// What there is before anything is opened.
  private struct Start {
    var height: UInt32
    var audit: TestNetwork.Audit
  }

  /// Two channels on transactions that exclude each other, the older first. The newer one is in the mempool.
  private func replaced(
    _ network: TestNetwork
  ) async throws -> (older: ChannelID, newer: ChannelID, olderFunding: Transaction) {
    let older = try await network.nodes[0].propose(
      try network.order(Self.stack, wished: 400_000), to: network.nodes[1].nodeID)
    try await network.wait("both have the older one") { await network.channel(1, older) != nil }
    let transaction = try #require(await network.channel(0, older)?.funding?.transaction)
    try await network.wait("it waits") {
      try await network.chain.mempoolTransactions().map(\.txid) == [transaction.txid]
    }
    let newer = try await network.nodes[0].replaceFunding(of: older, feeRate: FeeRate(satPerKiloWeight: 5000))
    try await network.wait("both have the newer one") { await network.channel(1, newer) != nil }
    let better = try #require(await network.channel(0, newer)?.funding?.outPoint.txid)
    try await network.wait("the newer one waits in its place") {
      try await network.chain.mempoolTransactions().map(\.txid) == [better]
    }
    return (older, newer, transaction)
  }

  private func network(depth: UInt32 = 1) async throws -> (TestNetwork, Start) {
    let network = try await TestNetwork(nodes: 2) { own, _ in
      own.maximumContribution = Satoshi(500_000)
      own.channels.minimumDepth = depth
    }
    for index in 0..<2 { try await network.fund(index) }
    try await network.connect(0, 1)
    let height = try await network.chain.tip().height
    return (network, Start(height: height, audit: try await network.audit(since: height)))
  }

  /// In a block that holds just this.
  private func mine(_ network: TestNetwork, _ transaction: Transaction) async throws {
    let height = try await network.chain.mine([transaction]).height
    for node in network.nodes { await node.reach(height) }
  }

  /// Both have this channel and nothing of the other one; what belonged to that is free, and nothing is lost.
  private func expectAlone(_ network: TestNetwork, _ id: ChannelID, _ start: Start) async throws {
    for index in 0..<2 {
      try await network.wait("the other one is forgotten by \(index)") {
        await network.nodes[index].channels().map(\.id) == [id]
      }
      // With the next block, once the peer has shown to have the channel.
      try await network.mine(until: "the negotiations are forgotten by \(index)", limit: 20) {
        let openings = await network.nodes[index].compositions().values.flatMap(\.openings.values)
        let stored = try await network.launches[index].store.records(in: .openings)
        return openings.isEmpty && stored.isEmpty
      }
      let stored = try await network.launches[index].store.records(in: .channels)
      #expect(stored.count == 1)
      let wallet = await network.nodes[index].hub.wallet.current
      #expect(wallet.allReservations.isEmpty)
      #expect(wallet.coins.allSatisfy { if case .confirmed = $0.state { true } else { false } })
    }
    let audit = try await network.audit(since: start.height)
    #expect(audit.total == start.audit.total && audit.strays.isEmpty, "\(start.audit) → \(audit)")
    #expect(audit.channels == 1_400_000)
    #expect(try await network.chain.mempoolTransactions().isEmpty)
  }

  @Test func theOlderChannelLivesAndTheNewerOneIsForgotten() async throws {
    let (network, start) = try await network()
    let (older, newer, transaction) = try await replaced(network)
    try await mine(network, transaction)
    #expect(try await network.chain.mempoolTransactions().isEmpty, "the newer one is gone from the mempool")
    try await network.mine(2)
    try await network.usable(older)
    _ = try await network.pay(0, 1, MilliSatoshi(50_000_000))
    _ = try await network.pay(1, 0, MilliSatoshi(20_000_000))
    #expect(await network.channel(0, newer)?.funding?.confirmation == nil)
    try await network.mine(6)
    try await expectAlone(network, older, start)
    #expect(await network.balance(0) == MilliSatoshi(970_000_000))
    // What came back as change pays for the next one.
    let next = try await network.nodes[0].propose(
      try network.order(Self.stack, amount: 98_000_000), to: network.nodes[1].nodeID)
    try await network.mine(3)
    try await network.usable(next)
    await network.stop()
  }

  /// One of the two stops when the older one has been confirmed, at every depth until the newer one is forgotten, or before, and misses it.
  @Test(arguments: [0, 1], 0...6) func whoeverStopsMeanwhileForgetsItToo(who: Int, depth: Int) async throws {
    let (network, start) = try await network()
    let (older, _, transaction) = try await replaced(network)
    if depth == 0 {
      await network.nodes[who].stop()
      let height = try await network.chain.mine([transaction]).height
      await network.nodes[1 - who].reach(height)
      network.launches[who].store = try #require(network.launches[who].store as? MemoryStore).reopened()
      network.nodes[who] = try await Node.start(network.launches[who])
    } else {
      try await mine(network, transaction)
      if depth > 1 { try await network.mine(depth - 1) }
      try await network.restart(who, losingPower: true)
    }
    try await network.connect(0, 1)
    try await network.mine(9 - max(depth, 1))
    try await network.usable(older)
    _ = try await network.pay(0, 1, MilliSatoshi(50_000_000))
    try await network.calm(older)
    try await expectAlone(network, older, start)
    #expect(await network.balance(1) == MilliSatoshi(450_000_000))
    await network.stop()
  }

  /// The block with the older one is replaced before the channel is used, and the newer one is confirmed in the end.
  @Test func theNewerChannelLivesAfterAReorganisation() async throws {
    let (network, start) = try await network(depth: 3)
    let (older, newer, transaction) = try await replaced(network)
    let better = try #require(await network.channel(0, newer)?.funding?.transaction)
    try await mine(network, transaction)
    try await network.chain.reorganise(depth: 1, count: 2)
    let tip = try await network.chain.tip().height
    for node in network.nodes { await node.reach(tip) }
    try await mine(network, better)
    try await network.mine(2)
    try await network.usable(newer)
    _ = try await network.pay(0, 1, MilliSatoshi(50_000_000))
    #expect(await network.channel(1, older)?.funding?.confirmation == nil)
    try await network.mine(6)
    try await network.calm(newer)
    try await expectAlone(network, newer, start)
    await network.stop()
  }
}
