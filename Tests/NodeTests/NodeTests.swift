import BOLT
import Bitcoin
import Chain
import Encoding
import GLC
import Payments
import Routing
import Synchronization
import Testing
import Wallet
import Wire

@testable import Node

@Suite(.serialized) struct NodeTests {
  @Test(arguments: [
    Wire.ChannelType.anchors, .staticRemotekey, .zeroFeeCommitments, .simpleTaproot, .taprootZeroFeeCommitments,
  ])
  func twoNodesOpenPayAndClose(type: Wire.ChannelType) async throws {
    let network = try await TestNetwork(nodes: 2)
    try await network.fund(0)
    let id = try await network.open(0, 1, type: type)
    let payment = try await network.pay(0, 1, MilliSatoshi(1_000_000_000))
    #expect(payment.preimage != nil)
    try await network.wait("the payee has its money") { await network.balance(1) == MilliSatoshi(1_000_000_000) }
    let back = try await network.pay(1, 0, MilliSatoshi(400_000_000))
    #expect(back.status == .complete)
    let funding = try #require(await network.channel(0, id)?.funding?.outPoint)
    let height = try await network.chain.tip().height
    try await network.nodes[1].close(id)
    try await network.wait("the closing transaction") { try await !network.chain.mempoolTransactions().isEmpty }
    try await network.mine(12)
    try await network.wait("both have seen the end") {
      var over = true
      for node in network.nodes { over = await node.channels().allSatisfy { $0.phase == .ended } && over }
      return over
    }
    // Each side has a closing transaction whose fee it pays: whichever a block takes.
    let hash = try #require(try await network.chain.blockHash(at: height + 1))
    let closing = try #require(
      try await network.chain.block(hash).transactions.first { $0.inputs.contains { $0.previousOutput == funding } })
    let fee = closing.outputs.reduce(10_000_000) { $0 - $1.value.rawValue }
    let share = await network.nodes[1].walletBalance().confirmed
    #expect(share == Satoshi(600_000) || (share == Satoshi(600_000 - fee) && fee < 5_000), "\(share), fee \(fee)")
    #expect(closing.outputs.contains { $0.value == share } && closing.outputs.count == 2)
    await network.stop()
  }

  /// What the first part takes of a channel was taken off twice, so that nothing else went over it.
  @Test func severalPartsFitIntoTwoChannelsWithTheSamePeer() async throws {
    let network = try await TestNetwork(nodes: 2)
    try await network.fund(0)
    try await network.open(0, 1, Satoshi(3_000_000))
    try await network.open(0, 1, Satoshi(1_200_000))
    // 1,770,000 sat fit into the larger channel, and half of that into each one after it.
    let record = try await network.pay(0, 1, MilliSatoshi(3_540_000_000))
    #expect(record.parts >= 3)
    await network.stop()
  }

  @Test func threeNodesPayAcross() async throws {
    let network = try await TestNetwork(nodes: 3)
    try await network.fund(0)
    try await network.fund(1)
    try await network.open(0, 1)
    try await network.open(1, 2)
    let payment = try await network.pay(0, 2, MilliSatoshi(2_000_000_000))
    #expect(payment.amountSent > payment.amount)
    try await network.wait("the payee has its money") { await network.balance(2) == MilliSatoshi(2_000_000_000) }
    await network.stop()
  }
}

@Suite(.serialized) struct GossipTests {
  /// Announced channels are learned by gossip: the payer has no hint, and no channel with anybody but the first.
  @Test func aPaymentFindsItsWayThroughAnnouncedChannels() async throws {
    let network = try await TestNetwork(nodes: 4)
    for index in 0..<3 { try await network.fund(index) }
    try await network.open(0, 1, announced: true)
    try await network.open(1, 2, announced: true)
    try await network.open(2, 3, announced: true)
    try await network.learnAll(0, channels: 3)
    let payment = try await network.pay(0, 3, MilliSatoshi(1_500_000_000))
    #expect(payment.status == .complete && payment.amountSent > payment.amount)
    // Known again after a start.
    try await network.restart(0)
    #expect(network.nodes[0].gossip.view.state.withLock { $0.graph.channelCount } == 3)
    await network.stop()
  }
}
