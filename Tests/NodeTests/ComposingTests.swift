import BOLT
import Bitcoin
import Encoding
import GLC
import Negotiation
import Payments
import Peers
import Storage
import Synchronization
import Testing
import Wallet
import Wire

@testable import Node

/// Channels that two real nodes compose, on the embedded chain.
@Suite(.serialized) struct ComposingTests {
  static let stacks = [
    "htlc + anchors", "htlc + shared-anchor", "musig2 + htlc + anchors", "musig2 + htlc + ptlc + anchors",
  ]

  private func network(
    contribution: UInt64 = 0, settings: @escaping (inout NodeSettings, Int) -> Void = { _, _ in }
  ) async throws -> TestNetwork {
    let network = try await TestNetwork(nodes: 2) { own, index in
      own.maximumContribution = Satoshi(contribution)
      settings(&own, index)
    }
    for index in 0..<2 { try await network.fund(index) }
    try await network.connect(0, 1)
    return network
  }

  private func open(_ network: TestNetwork, _ order: ProposalOrder) async throws -> ChannelID {
    let id = try await network.nodes[0].propose(order, to: network.nodes[1].nodeID)
    try await network.wait("the funding transaction") {
      try await !network.chain.mempoolTransactions().isEmpty
    }
    try await network.mine(3)
    try await network.usable(id)
    return id
  }

  @Test(arguments: stacks) func aChannelIsComposedUsedAndClosed(text: String) async throws {
    let network = try await network(contribution: 500_000)
    let id = try await open(network, try network.order(text, wished: 400_000))
    let channel = try #require(await network.channel(0, id))
    #expect(channel.capacity == Satoshi(1_400_000))
    let funding = try #require(channel.funding?.transaction)
    #expect(funding.inputs.count == 2, "each side has put a coin in")
    let stack = try #require(channel.core?.stack)
    #expect(network.nodes[0].hub.registry.text(of: StackDescription(stack)).hasSuffix(text))
    _ = try await network.pay(0, 1, MilliSatoshi(50_000_000))
    _ = try await network.pay(1, 0, MilliSatoshi(70_000_000))
    try await network.wait("both payments are settled") {
      await network.balance(0) == MilliSatoshi(1_020_000_000)
    }
    try await network.restart(0)
    try await network.connect(0, 1)
    try await network.usable(id)
    _ = try await network.pay(0, 1, MilliSatoshi(20_000_000))
    try await network.nodes[0].close(id)
    try await network.wait("the closing transaction") { try await !network.chain.mempoolTransactions().isEmpty }
    try await network.mine(12)
    try await network.wait("the channel has ended") {
      await network.nodes[0].channels().allSatisfy { $0.phase >= .closing }
    }
    await network.stop()
  }

  @Test(arguments: ["htlc + anchors", "musig2 + htlc + ptlc + anchors"])
  func aComposedChannelIsClosedByForce(text: String) async throws {
    let network = try await network()
    let id = try await open(network, try network.order(text, pushed: 300_000_000))
    _ = try await network.pay(0, 1, MilliSatoshi(50_000_000))
    try await network.nodes[0].forceClose(id, reason: "test")
    try await network.wait("the commitment") { try await !network.chain.mempoolTransactions().isEmpty }
    try await network.mine(160)
    try await network.wait("both have what is theirs", seconds: 60) {
      try await network.mine(1)
      let all = await network.nodes[0].channels() + network.nodes[1].channels()
      return all.allSatisfy { $0.phase == .ended }
    }
    await network.stop()
  }

  @Test func peersTellEachOtherWhatTheyCanCompose() async throws {
    let network = try await network()
    try await network.wait("the catalogue") {
      await network.nodes[0].compositions()[network.nodes[1].nodeID]?.catalogue != nil
    }
    let composition = await network.nodes[0].compositions()[network.nodes[1].nodeID]
    let catalogue = try #require(composition?.catalogue)
    #expect(catalogue.parts == network.nodes[1].hub.registry.parts)
    #expect(catalogue.parts.contains { $0.name == "ptlc" })
    await network.stop()
  }

  /// A node without the feature sees a plain Lightning node: not one message of ours reaches it.
  @Test func aPlainNodeHearsNothingOfIt() async throws {
    let network = try await network { settings, index in
      if index == 1 { settings.features = NodeSettings.plainFeatures }
    }
    await #expect {
      _ = try await network.nodes[0].propose(
        try network.order("htlc + anchors"), to: network.nodes[1].nodeID)
    } throws: {
      "\($0)".contains("does not compose channels")
    }
    #expect(await network.nodes[1].compositions().values.allSatisfy { $0.catalogue == nil })
    let id = try await network.open(0, 1, Satoshi(1_000_000))
    _ = try await network.pay(0, 1, MilliSatoshi(50_000_000))
    _ = id
    await network.stop()
  }

  @Test func whatThePeerRefusesIsSaidWithTheExtensionAndItsReason() async throws {
    let network = try await network { settings, index in
      if index == 1 { settings.channels.minimumFunding = Satoshi(5_000_000) }
    }
    await #expect {
      _ = try await network.nodes[0].propose(try network.order("htlc + anchors"), to: network.nodes[1].nodeID)
    } throws: {
      "\($0)".contains("is smaller than")
    }
    // The coins are free again.
    try await network.wait("nothing is reserved") {
      await network.nodes[0].hub.wallet.current.allReservations.isEmpty
    }
    #expect(await network.nodes[0].compositions().values.allSatisfy { $0.openings.isEmpty })
    await network.stop()
  }

  @Test func moreThanTheWalletHasIsSaidBeforeAnythingIsPromised() async throws {
    let network = try await network()
    await #expect(throws: (any Error).self) {
      _ = try await network.nodes[0].propose(
        try network.order("htlc + anchors", amount: 200_000_000), to: network.nodes[1].nodeID)
    }
    try await network.wait("the peer forgets it") {
      await network.nodes[1].compositions().values.allSatisfy { $0.openings.isEmpty }
    }
    await network.stop()
  }

  /// A funding transaction that is stuck is replaced by one that pays more; one of the two channels comes to be.
  @Test func theFundingTransactionIsReplacedByOneThatPaysMore() async throws {
    let network = try await network(contribution: 500_000)
    let first = try await network.nodes[0].propose(
      try network.order("musig2 + htlc + ptlc + anchors", wished: 400_000), to: network.nodes[1].nodeID)
    let stuck = try #require(await network.channel(0, first)?.funding?.outPoint.txid)
    try await network.wait("it waits") {
      try await network.chain.mempoolTransactions().map(\.txid) == [stuck]
    }
    // The witnesses that complete it for the one may be on their way to the other.
    try await network.wait("both have it") { await network.channel(1, first) != nil }
    await #expect {
      _ = try await network.nodes[0].replaceFunding(of: first, feeRate: FeeRate(satPerKiloWeight: 1001))
    } throws: {
      "\($0)".contains("pays less than")
    }
    await #expect {
      _ = try await network.nodes[1].replaceFunding(of: first, feeRate: FeeRate(satPerKiloWeight: 5000))
    } throws: {
      "\($0)".contains("the peer has proposed it")
    }
    let second = try await network.nodes[0].replaceFunding(of: first, feeRate: FeeRate(satPerKiloWeight: 5000))
    #expect(second != first)
    let better = try #require(await network.channel(0, second)?.funding?.outPoint.txid)
    try await network.wait("the better one waits in its place") {
      try await network.chain.mempoolTransactions().map(\.txid) == [better]
    }
    #expect(await network.nodes[0].channels().count == 2, "either may be confirmed still")
    try await network.mine(3)
    try await network.usable(second)
    _ = try await network.pay(0, 1, MilliSatoshi(50_000_000))
    try await network.mine(6)
    for index in 0..<2 {
      try await network.wait("the other one is forgotten") {
        await network.nodes[index].channels().map(\.id) == [second]
      }
    }
    _ = try await network.pay(1, 0, MilliSatoshi(20_000_000))
    await network.stop()
  }

  /// Either side loses power once both have signed the first commitments: the channel comes to be all the same.
  @Test(arguments: [0, 1]) func aNodeThatStopsInTheMiddleGoesOn(who: Int) async throws {
    let network = try await network(contribution: 500_000)
    let proposer = network.nodes[0]
    let wanted = try network.order("musig2 + htlc + ptlc + anchors", wished: 400_000)
    let peer = network.nodes[1].nodeID
    // Nobody's witnesses get through.
    let task = Task { try await proposer.propose(wanted, to: peer) }
    try await network.wait("something is stored") {
      let stored = try await network.launches[who].store.records(in: .openings)
      return !stored.isEmpty
    }
    try await network.restart(who, losingPower: true)
    try await network.connect(0, 1)
    _ = try? await task.value
    try await network.wait("the funding transaction") {
      try await !network.chain.mempoolTransactions().isEmpty
    }
    try await network.mine(3)
    try await network.wait("both have the channel") {
      let ours = await network.nodes[0].channels()
      let theirs = await network.nodes[1].channels()
      return ours.count == 1 && theirs.count == 1 && ours[0].id == theirs[0].id
    }
    try await network.usable(await network.nodes[0].channels()[0].id)
    _ = try await network.pay(0, 1, MilliSatoshi(50_000_000))
    await network.stop()
  }

  /// Both have agreed and nothing is signed yet, when one of them loses everything, and the other starts again: its coins are free.
  @Test func coinsOfANegotiationThatThePeerHasForgottenAreFreeAfterARestart() async throws {
    let network = try await TestNetwork(nodes: 2) { own, _ in own.maximumContribution = Satoshi(500_000) }
    for index in 0..<2 { try await network.fund(index) }
    let middle = try await network.middle(0, 1)
    try await network.connect(0, 1)
    let old = try await #require(network.launches[1].store as? MemoryStore).copy()
    // Nobody's signatures get through.
    middle.set { _, message in message.type == 45092 ? .say([]) : .pass }
    let (proposer, peer) = (network.nodes[0], network.nodes[1].nodeID)
    let wanted = try network.order("musig2 + htlc + ptlc + anchors", wished: 400_000)
    let task = Task { try await proposer.propose(wanted, to: peer) }
    for index in 0..<2 {
      try await network.wait("\(index) has stored it") {
        let stored = try await network.launches[index].store.records(in: .openings)
        return !stored.isEmpty
      }
    }
    #expect(await proposer.hub.wallet.current.allReservations.count == 1)
    await network.nodes[1].stop()
    network.launches[1].store = old
    network.nodes[1] = try await Node.start(network.launches[1])
    try await network.restart(0)
    _ = try? await task.value
    #expect(await network.nodes[0].hub.wallet.current.allReservations.count == 1)
    middle.behave()
    try await network.connect(0, 1)
    try await network.wait("nothing is left of it") {
      let openings = await network.nodes[0].compositions().values.flatMap(\.openings.values)
      let reservations = await network.nodes[0].hub.wallet.current.allReservations
      let stored = try await network.launches[0].store.records(in: .openings)
      return openings.isEmpty && reservations.isEmpty && stored.isEmpty
    }
    await network.stop()
  }

  /// Whoever waits for a channel is told how it ended, also when the node can never store it.
  @Test(arguments: 0..<6) func whoWaitsIsToldWhenNothingCanBeStoredAnyMore(after commits: Int) async throws {
    let network = try await network()
    let store = try #require(network.launches[0].store as? MemoryStore)
    store.inject(.losePowerBefore, atCommit: store.commits + commits)
    let (proposer, peer) = (network.nodes[0], network.nodes[1].nodeID)
    let wanted = try network.order("musig2 + htlc + ptlc + anchors")
    let ended = Mutex(false)
    let task = Task {
      defer { ended.withLock { $0 = true } }
      return try await proposer.propose(wanted, to: peer)
    }
    try await network.wait("it has ended") { ended.withLock { $0 } }
    _ = try? await task.value
    await network.stop()
  }
}
