import BOLT
import Bitcoin
import Chain
import Encoding
import GLC
import Payments
import Testing
import Wallet
import Wire

@testable import Node

@Suite(.serialized) struct ForceCloseTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var closer: Int
    var type: Wire.ChannelType
    var testDescription: String { "\(closer == 1 ? "the middle node" : "the payee") closes, \(type)" }
  }

  static let cases =
    TestNetwork.isLong
    ? [
      Wire.ChannelType.anchors, .staticRemotekey, .zeroFeeCommitments, .simpleTaproot, .taprootZeroFeeCommitments,
    ].flatMap { type in
      [1, 2].map { Case(closer: $0, type: type) }
    }
    : [
      Case(closer: 1, type: .anchors), Case(closer: 2, type: .anchors), Case(closer: 2, type: .staticRemotekey),
      Case(closer: 1, type: .zeroFeeCommitments), Case(closer: 1, type: .simpleTaproot),
      Case(closer: 2, type: .taprootZeroFeeCommitments),
    ]

  /// Node 0 and node 2 pay each other through node 1, and both hold; then the channel of 1 and 2 goes to the chain. One payment of each
  /// direction is settled after that and one is refused: upstream must see the same.
  @Test(arguments: cases) func paymentsInBothDirectionsEndOnTheChainAsTheyWouldHaveOffIt(_ given: Case) async throws {
    let network = try await TestNetwork(nodes: 3) { settings, _ in settings.channels.contestDelay = 6 }
    for index in 0..<3 { try await network.fund(index) }
    let start = try await network.chain.tip().height
    let before = try await network.audit(since: start)
    try await network.open(0, 1, type: given.type)
    let id = try await network.open(1, 2, type: given.type)
    _ = try await network.pay(0, 2, MilliSatoshi(3_000_000_000))
    let balance = await network.balance(0)

    let there = [
      try await network.hold(0, 2, MilliSatoshi(50_000_000)), try await network.hold(0, 2, MilliSatoshi(60_000_000)),
      try await network.hold(0, 2, MilliSatoshi(100_000)),
    ]
    let back = [
      try await network.hold(2, 0, MilliSatoshi(70_000_000)), try await network.hold(2, 0, MilliSatoshi(80_000_000)),
      try await network.hold(2, 0, MilliSatoshi(110_000)),
    ]
    try await network.wait("all are held") {
      for held in there + back where await !network.isHeld(held) { return false }
      return true
    }
    try await network.nodes[given.closer].forceClose(id)
    try await network.wait("the commitment") { try await !network.chain.mempoolTransactions().isEmpty }
    try await network.mine()
    await network.settleDown()
    // Node 2 knows the preimage and shows it on the chain; node 0 settles towards node 1, which then takes it from the chain.
    try await network.settle(there[0])
    try await network.settle(back[0])
    try await network.cancel(there[1])
    try await network.cancel(back[1])
    try await network.cancel(back[2])
    // Blocks come faster here than messages may travel: these must not wait until they are due.
    try await network.wait("node 0 has nothing of node 1's any more") {
      await network.nodes[0].channels().flatMap(\.pendingPayments).allSatisfy { $0.offeredBy == .local }
    }
    try await network.mine(until: "all payments are over and the channel is resolved") {
      for held in there + back where !held.paying.isOver { return false }
      for index in [1, 2] where await network.channel(index, id)?.phase != .ended { return false }
      return true
    }
    #expect(there.map(\.paying.succeeded) == [true, false, false])
    #expect(back.map(\.paying.succeeded) == [true, false, false])
    for node in network.nodes { #expect(await node.hub.wallet.current.balance.reserved == .zero) }
    // What node 0 has is exact: its channel has lived on.
    let live = await network.nodes[0].channels()
    #expect(live.map(\.phase) == [.normal] && live.allSatisfy { $0.pendingPayments.isEmpty })
    let sent = try #require(try? there[0].paying.outcome?.get().amountSent)
    #expect(await network.balance(0).rawValue == balance.rawValue - sent.rawValue + 70_000_000)
    let after = try await network.audit(since: start)
    #expect(after.total == before.total, "\(before) → \(after)")
    #expect(after.strays.allSatisfy { $0 <= 330 }, "\(after)")
    await network.stop()
  }
}
