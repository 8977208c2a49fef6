import BOLT
import Bitcoin
import Chain
import GLC
import Payments
import Testing
import Wallet
import Wire

@testable import Node

/// Blocks are replaced by empty ones while a channel is opened, goes to the chain, and comes home from it.
@Suite(.serialized) struct ReorganisationTests {
  /// All on the embedded chain; fewer on bitcoind, where each takes ten seconds, unless there is time.
  static let depths = TestChain.isReal && !TestNetwork.isLong ? [1, 3, 6] : Array(1...6)

  @Test(arguments: depths) func noStageOfAChannelMindsThatBlocksAreReplaced(depth: Int) async throws {
    let network = try await TestNetwork(nodes: 2) { settings, _ in settings.channels.contestDelay = 6 }
    for index in 0..<2 { try await network.fund(index) }
    let start = try await network.chain.tip().height
    let before = try await network.audit(since: start)

    // The funding transaction, under so many blocks.
    try await network.connect(0, 1)
    let id = try await network.nodes[0].openChannel(
      with: network.nodes[1].nodeID, capacity: Satoshi(10_000_000), pushing: MilliSatoshi(4_000_000_000))
    try await network.wait("the funding transaction") { try await !network.chain.mempoolTransactions().isEmpty }
    try await network.mine(depth)
    try await replace(depth, network)
    try await network.mine(7)
    try await network.wait("the channel is usable") {
      for index in [0, 1] where await network.channel(index, id)?.canOffer != true { return false }
      return await network.channel(0, id)?.shortChannelID == network.channel(1, id)?.shortChannelID
    }
    let held = [
      try await network.hold(0, 1, MilliSatoshi(50_000_000), expiry: 60),
      try await network.hold(1, 0, MilliSatoshi(60_000_000), expiry: 60),
      try await network.hold(0, 1, MilliSatoshi(70_000_000), expiry: 60),
      try await network.hold(1, 0, MilliSatoshi(80_000_000), expiry: 60),
    ]
    try await network.wait("all are held") {
      for one in held where await !network.isHeld(one) { return false }
      return true
    }

    // The commitment.
    try await network.nodes[depth % 2].forceClose(id)
    try await network.wait("the commitment") { try await !network.chain.mempoolTransactions().isEmpty }
    try await network.mine(depth)
    await network.settleDown()
    try await replace(depth, network)
    try await network.mine()
    await network.settleDown()
    try await network.settle(held[0])
    try await network.settle(held[1])

    // Claims, again and again: each time something was confirmed, it is undone once.
    var undone: Set<TxID> = []
    try await network.mine(until: "it is resolved", limit: 400) {
      let tip = try await network.chain.tip()
      let hash = try #require(try await network.chain.blockHash(at: tip.height + 1 - UInt32(depth)))
      let claims = try await network.chain.block(hash).transactions.dropFirst().map(\.txid)
      if claims.contains(where: { !undone.contains($0) }) {
        undone.formUnion(claims)
        try await replace(depth, network)
        await network.settleDown()
      }
      for index in [0, 1] where await network.channel(index, id)?.phase != .ended { return false }
      return true
    }
    #expect(undone.count >= 3, "\(undone.count) transactions were undone")
    #expect(held.map(\.paying.succeeded) == [true, true, false, false])
    let after = try await network.audit(since: start)
    #expect(after.total == before.total, "\(before) → \(after)")
    #expect(after.strays.allSatisfy { $0 <= 330 }, "\(after)")
    await network.stop()
  }

  private func replace(_ depth: Int, _ network: TestNetwork) async throws {
    let last = try #require(try await network.chain.reorganise(depth: depth).last)
    try await network.wait("the new blocks are known to all") {
      for node in network.nodes where await node.hub.wallet.current.tip?.hash != last.hash { return false }
      return true
    }
  }
}
