import BOLT
import Bitcoin
import Chain
import GLC
import Payments
import Peers
import Signer
import Storage
import Testing
import Wallet
import Wire

@testable import Node

/// What goes wrong outside of the channels: old stores, full disks, blocks that are replaced, peers that do not answer.
@Suite(.serialized) struct TroubleTests {
  @Test func oldStoreAsksThePeerToCloseAndGetsItsMoney() async throws {
    let network = try await TestNetwork(nodes: 2) { settings, _ in settings.channels.contestDelay = 6 }
    try await network.fund(0)
    let start = try await network.chain.tip().height
    let before = try await network.audit(since: start)
    let id = try await network.open(0, 1)
    _ = try await network.pay(0, 1, MilliSatoshi(1_000_000_000))
    try await calm(network, id)
    // Node 1 is started again from what it had here, after two more payments.
    let store = try #require(network.launches[1].store as? MemoryStore)
    let old = try await store.copy()
    _ = try await network.pay(0, 1, MilliSatoshi(2_000_000_000))
    _ = try await network.pay(1, 0, MilliSatoshi(500_000_000))
    try await calm(network, id)
    await network.nodes[1].stop()
    network.launches[1].store = old
    network.nodes[1] = try await Node.start(network.launches[1])
    try await network.connect(0, 1)
    try await network.wait("the peer's commitment") { try await !network.chain.mempoolTransactions().isEmpty }
    try await network.mine(until: "it is resolved", limit: 60) {
      for index in [0, 1] where await network.channel(index, id)?.phase != .ended { return false }
      return true
    }
    let after = try await network.audit(since: start)
    #expect(after.total == before.total, "\(before) → \(after)")
    #expect(after.wallets[1] > 2_490_000, "\(after)")
    await network.stop()
  }

  /// Nothing is sent that could not be stored, and what was begun goes on as soon as there is room.
  @Test func fullDiskHoldsEverythingUpAndLosesNothing() async throws {
    let network = try await TestNetwork(
      nodes: 3, configure: { launch, _ in launch.peers.times.firstRetry = .milliseconds(50) })
    try await network.fund(0)
    try await network.fund(1)
    try await network.open(0, 1)
    try await network.open(1, 2)
    for index in 0..<3 {
      for offset in stride(from: 0, to: 12, by: TestNetwork.isLong ? 1 : 4) {
        let store = try #require(network.launches[index].store as? MemoryStore)
        for failure in 0..<2 { store.inject(.fail(.diskFull), atCommit: store.commits + offset + failure) }
        let paying = Paying(network.nodes[0], try await network.invoice(2, MilliSatoshi(10_000_000)))
        try await network.wait("the payment is over") { paying.isOver }
        try await network.wait("the channels are usable again") {
          for node in network.nodes {
            for channel in await node.channels() where !channel.canOffer || !channel.pendingPayments.isEmpty {
              return false
            }
          }
          return true
        }
      }
    }
    for node in network.nodes { for channel in await node.channels() { #expect(channel.phase == .normal) } }
    await network.stop()
  }

  @Test func fundingAndClosingTransactionsThatAreReplacedByOthersComeBack() async throws {
    let network = try await TestNetwork(nodes: 2) { settings, _ in settings.channels.contestDelay = 6 }
    try await network.fund(0)
    let start = try await network.chain.tip().height
    let before = try await network.audit(since: start)
    let id = try await network.open(0, 1, pushing: MilliSatoshi(3_000_000_000))
    let scid = await network.channel(0, id)?.shortChannelID
    // The funding transaction goes back to the mempool and is confirmed somewhere else.
    try await network.chain.reorganise(depth: 6, count: 7)
    let tip = try await network.chain.tip().height
    for node in network.nodes { await node.reach(tip) }
    try await network.mine(6)
    try await network.wait("both know the new place") {
      let names = [await network.channel(0, id)?.shortChannelID, await network.channel(1, id)?.shortChannelID]
      return names[0] != nil && names[0] == names[1] && names[0] != scid
    }
    _ = try await network.pay(0, 1, MilliSatoshi(1_000_000_000))
    try await network.nodes[0].forceClose(id)
    try await network.wait("the commitment") { try await !network.chain.mempoolTransactions().isEmpty }
    try await network.mine(3)
    await network.settleDown()
    try await network.chain.reorganise(depth: 4, count: 5)
    try await network.mine(until: "it is resolved", limit: 60) {
      for index in [0, 1] where await network.channel(index, id)?.phase != .ended { return false }
      return true
    }
    let after = try await network.audit(since: start)
    #expect(after.total == before.total, "\(before) → \(after)")
    await network.stop()
  }

  /// A channel goes to the chain while the block with the other side's commitment is on its way to it.
  @Test func blockThatIsBeingToldIsNotTakenForOneThatWasTold() async throws {
    let network = try await TestNetwork(nodes: 2) { settings, _ in settings.channels.contestDelay = 6 }
    for index in 0..<2 { try await network.fund(index) }
    let start = try await network.chain.tip().height
    let before = try await network.audit(since: start)
    let id = try await network.open(0, 1, pushing: MilliSatoshi(3_000_000_000))
    let other = try #require(await network.channel(1, id))
    let core = try #require(other.core)
    let theirs = try other.signer.signForBroadcast(
      try #require(try core.localCommitments(other.signer).first), with: core.signatures[0])
    // As it is from the moment that the chain's next block is known until all have worked it off.
    network.nodes[0].hub.height += 1
    try await network.nodes[0].forceClose(id)
    try await network.wait("it is on its way") { await network.channel(0, id)?.phase == .onchain }
    await network.settleDown()
    _ = try await network.chain.mine([theirs])
    try await network.mine(until: "it is resolved", limit: 60) {
      for index in [0, 1] where await network.channel(index, id)?.phase != .ended { return false }
      return true
    }
    let after = try await network.audit(since: start)
    #expect(after.total == before.total, "\(before) → \(after)")
    #expect(after.strays.allSatisfy { $0 <= 330 }, "\(before) → \(after)\n\(network.logs.map(\.all))")
    await network.stop()
  }

  /// A payment that its payee neither takes nor refuses, because it is gone: the channel is closed in time, and the payer learns it.
  @Test func paymentPastItsDeadlineClosesTheChannelInTime() async throws {
    let network = try await TestNetwork(nodes: 3) { settings, _ in settings.channels.contestDelay = 6 }
    try await network.fund(0)
    try await network.fund(1)
    try await network.open(0, 1)
    let id = try await network.open(1, 2)
    let held = try await network.hold(0, 2, MilliSatoshi(50_000_000))
    try await network.wait("it is held") { await network.isHeld(held) }
    let expiry = try #require(await network.channel(1, id)?.pendingPayments.first?.expiry)
    await network.nodes[2].stop()
    network.nodes.remove(at: 2)
    try await network.mine(until: "the payer knows", limit: 150) { held.paying.isOver }
    #expect(held.paying.failed)
    #expect(await network.channel(1, id)?.phase ?? .onchain >= .onchain)
    #expect(try await network.chain.tip().height >= expiry)
    // The channel behind which nothing went wrong goes on.
    #expect(await network.nodes[0].channels().map { $0.phase } == [.normal])
    await network.stop()
  }

  /// As many as the protocol allows, both ways, and then to the chain.
  @Test func channelFullOfPaymentsInBothDirectionsIsResolvedOnTheChain() async throws {
    let count = TestNetwork.isLong ? 483 : 40
    let network = try await TestNetwork(nodes: 2) { settings, _ in settings.channels.contestDelay = 6 }
    // One coin each: second stages share it.
    for index in 0..<2 { try await network.fund(index, Satoshi(20_000_000)) }
    let start = try await network.chain.tip().height
    let before = try await network.audit(since: start)
    let id = try await network.open(0, 1, Satoshi(16_000_000), pushing: MilliSatoshi(8_000_000_000))
    var held: [Held] = []
    for number in 0..<(2 * count) {
      held.append(try await network.hold(number % 2, 1 - number % 2, MilliSatoshi(10_000_000 + UInt64(number) * 1000)))
    }
    try await network.wait("all are held", seconds: 120) {
      for one in held where await !network.isHeld(one) { return false }
      return true
    }
    #expect(await network.channel(0, id)?.pendingPayments.count == 2 * count)
    try await network.nodes[0].forceClose(id)
    try await network.wait("the commitment") { try await !network.chain.mempoolTransactions().isEmpty }
    try await network.mine()
    // Every second one of each direction is taken.
    for (index, one) in held.enumerated() where index / 2 % 2 == 0 { try await network.settle(one) }
    try await network.mine(until: "everything is resolved") {
      for one in held where !one.paying.isOver { return false }
      for index in [0, 1] where await network.channel(index, id)?.phase != .ended { return false }
      return true
    }
    for (index, one) in held.enumerated() { #expect(one.paying.succeeded == (index / 2 % 2 == 0), "\(index)") }
    let after = try await network.audit(since: start)
    #expect(after.total == before.total, "\(before) → \(after)")
    #expect(after.strays.allSatisfy { $0 <= 330 }, "\(after)")
    await network.stop()
  }

  private func calm(_ network: TestNetwork, _ id: ChannelID) async throws {
    try await network.wait("nothing is on its way") {
      for index in [0, 1] {
        guard let channel = await network.channel(index, id), channel.pendingPayments.isEmpty,
          channel.core?.log.entries.isEmpty == true
        else { return false }
      }
      return true
    }
  }
}

extension MemoryStore {
  /// What is in it now, in another store.
  func copy() async throws -> MemoryStore {
    let store = try MemoryStore(schema: .node)
    for collection in StoreSchema.node.collections {
      let changes = try await records(in: collection).map { Change.put(collection, key: $0.key, value: $0.value) }
      if !changes.isEmpty { try await store.commit(changes) }
    }
    return store
  }
}
