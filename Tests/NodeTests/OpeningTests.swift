import BOLT
import Bitcoin
import Chain
import GLC
import Payments
import Peers
import Sphinx
import Storage
import Testing
import Wallet
import Wire

@testable import Node

/// The ways to open a channel, with real nodes.
@Suite(.serialized) struct OpeningTests {
  private static func id(_ index: Int) throws -> NodeID {
    NodeID(try KeyRing(MasterSeed(phrase: TestNetwork.phrase(index)), networkKind: .test).nodeID)
  }

  private func usable(_ network: TestNetwork, _ nodes: [Int], _ id: ChannelID) async throws {
    try await network.wait("the channel is usable") {
      for index in nodes {
        guard let hosted = await network.nodes[index].inspect().first(where: { $0.channel.id == id }),
          hosted.channel.canOffer, hosted.peerPolicy != nil
        else { return false }
      }
      return true
    }
  }

  @Test func channelOfATrustedPeerIsUsedBeforeItIsConfirmed() async throws {
    let trusted = try Self.id(0)
    let network = try await TestNetwork(nodes: 2) { settings, index in
      if index == 1 { settings.zeroconfPeers = [trusted] }
    }
    for index in 0..<2 { try await network.fund(index) }
    try await network.connect(0, 1)
    let type = Wire.ChannelType.anchors.with(.zeroconf).with(.scidAlias)
    let id = try await network.nodes[0].openChannel(
      with: network.nodes[1].nodeID, capacity: Satoshi(1_000_000), pushing: MilliSatoshi(200_000_000), type: type,
      isAnnounced: false)
    try await usable(network, [0, 1], id)
    let funding = try #require(await network.channel(0, id)?.funding?.outPoint.txid)
    _ = try await network.pay(0, 1, MilliSatoshi(50_000_000))
    _ = try await network.pay(1, 0, MilliSatoshi(20_000_000))
    try await network.restart(1)
    try await network.connect(0, 1)
    try await usable(network, [0, 1], id)
    _ = try await network.pay(0, 1, MilliSatoshi(50_000_000))
    // All that while, it was in no block.
    #expect(try await network.chain.mempoolTransactions().map(\.txid) == [funding])
    try await network.mine(6)
    _ = try await network.pay(1, 0, MilliSatoshi(10_000_000))
    #expect(await network.balance(1).rawValue == 270_000_000)
    // Nobody else may.
    await #expect {
      _ = try await network.nodes[1].openChannel(
        with: network.nodes[0].nodeID, capacity: Satoshi(1_000_000), type: type, isAnnounced: false)
    } throws: {
      "\($0)".contains("unconfirmed channels are not accepted")
    }
    #expect(await network.nodes[1].walletBalance().reserved == .zero)
    await network.stop()
  }

  /// BOLT 2: MUST NOT allow incoming HTLCs to this channel using the real `short_channel_id`.
  @Test func channelWithAnAliasIsNotFoundByItsRealName() async throws {
    let network = try await TestNetwork(nodes: 3)
    for index in 0..<2 { try await network.fund(index) }
    let first = try await network.open(0, 1)
    let id = try await network.open(1, 2, type: Wire.ChannelType.anchors.with(.scidAlias))
    let real = try #require(await network.channel(2, id)?.shortChannelID)
    let invoice = try await network.invoice(2, MilliSatoshi(5_000_000))
    let hint = try #require(invoice.contents.routeHints.first?.first)
    #expect(hint.shortChannelID != real)
    let names = [try await network.name(first), real]
    let failure = try await network.send(0, network.request(network.route([0, 1, 2], names, 5_000_000), invoice))
    #expect(failure?.failureCode == FailureCode.unknownNextPeer.rawValue)
    let paid = try await network.nodes[0].pay(PayRequest(invoice))
    #expect(paid.status == .complete)
    await #expect {
      _ = try await network.nodes[0].openChannel(
        with: network.nodes[1].nodeID, capacity: Satoshi(1_000_000), type: Wire.ChannelType.anchors.with(.scidAlias),
        isAnnounced: true)
    } throws: {
      "\($0)".contains("cannot be announced")
    }
    await network.stop()
  }

  @Test func channelWaitsForTheDepthThatTheOtherSideAsksFor() async throws {
    let network = try await TestNetwork(nodes: 2) { settings, index in
      settings.channels.minimumDepth = index == 1 ? 4 : 1
    }
    try await network.fund(0)
    try await network.connect(0, 1)
    let id = try await network.nodes[0].openChannel(with: network.nodes[1].nodeID, capacity: Satoshi(1_000_000))
    try await network.wait("the funding transaction") { try await !network.chain.mempoolTransactions().isEmpty }
    #expect(await network.channel(0, id)?.minimumDepth == 4)
    for _ in 0..<3 {
      try await network.mine()
      await network.settleDown()
      #expect(await network.channel(0, id)?.phase == .awaitingDepth)
    }
    try await network.mine()
    try await usable(network, [0, 1], id)
    await network.stop()
  }

  @Test func largeChannelsNeedPeersThatSupportThem() async throws {
    let network = try await TestNetwork(
      nodes: 3,
      settings: { settings, index in
        if index == 1 { settings.channels.maximumFunding = Satoshi(60_000_000) }
        if index == 2 { settings.features[19] = false }
      }, configure: { launch, _ in launch.peers.features = launch.settings.features })
    try await network.fund(0)
    let id = try await network.open(0, 1, Satoshi(50_000_000))
    let record = try await network.pay(0, 1, MilliSatoshi(40_000_000_000))
    #expect(record.status == .complete)
    try await network.wait("the payee has its money") {
      await network.channel(1, id)?.balances?[.local].rawValue == 40_000_000_000
    }
    try await network.connect(0, 2)
    for (peer, amount, reason) in [(2, 1 << 24 as UInt64, "2^24"), (1, 60_000_001, "more than 60000000")] {
      await #expect {
        _ = try await network.nodes[0].openChannel(with: network.nodes[peer].nodeID, capacity: Satoshi(amount))
      } throws: {
        "\($0)".contains(reason)
      }
    }
    try await network.open(0, 2, Satoshi(1 << 24 - 1))
    await network.stop()
  }

  /// Whoever promises fundings and never makes them costs records: there is an end to it, until blocks show some.
  @Test func fundingsThatAreOnlyPromisedHaveALimit() async throws {
    let network = try await TestNetwork(nodes: 2)
    for _ in 0..<(PeerHost.maximumPromised + 1) { try await network.fund(0, Satoshi(300_000)) }
    try await network.connect(0, 1)
    func open() async throws {
      _ = try await network.nodes[0].openChannel(
        with: network.nodes[1].nodeID, capacity: Satoshi(200_000), isAnnounced: false)
    }
    for _ in 0..<PeerHost.maximumPromised { try await open() }
    await #expect {
      try await open()
    } throws: {
      "\($0)".contains("too many channels wait")
    }
    try await network.mine()
    try await open()
    await network.stop()
  }

  /// BOLT 2: a non-funding node SHOULD forget the channel if it does not see the correct funding transaction after a timeout of 2016
  /// blocks. Counted from the last start; also when the opener has given the channel up.
  @Test(arguments: [false, true])
  func fundingThatIsNeverConfirmedIsForgotten(givenUp: Bool) async throws {
    let network = try await TestNetwork(nodes: 2)
    try await network.fund(0)
    try await network.connect(0, 1)
    let id = try await network.nodes[0].openChannel(with: network.nodes[1].nodeID, capacity: Satoshi(200_000))
    func mineEmpty(_ count: Int) async throws {
      var last: BlockPosition?
      for _ in 0..<count { last = try await network.chain.mine([]) }
      if let last { for node in network.nodes { await node.reach(last.height) } }
    }
    func isKnown() async -> Bool { await network.nodes[1].channels().contains { $0.id == id } }
    try await network.wait("it is open") { await isKnown() }
    if givenUp {
      try await network.nodes[0].forceClose(id)
      try await network.wait("the other side hears of it") {
        await network.nodes[1].channels().first?.phase == .onchain
      }
    }
    try await mineEmpty(100)
    try await network.restart(1)
    try await mineEmpty(2016)
    #expect(await isKnown())
    try await mineEmpty(1)
    #expect(await !isKnown())
    #expect(try await network.launches[1].store.records(in: .channels).isEmpty)
    await network.stop()
  }

  @Test func paymentOverTwoChannelsAndAllThatTheyHold() async throws {
    let network = try await TestNetwork(nodes: 3)
    for index in 0..<2 { for _ in 0..<3 { try await network.fund(index) } }
    try await network.open(0, 1, Satoshi(1_000_000))
    try await network.open(0, 1, Satoshi(1_000_000))
    try await network.open(1, 2, Satoshi(2_000_000))
    let record = try await network.pay(0, 2, MilliSatoshi(1_500_000_000))
    #expect(record.status == .complete && record.parts >= 2)
    try await network.wait("the payee has its money") { await network.balance(2).rawValue == 1_500_000_000 }
    // The rest, from the channel that has most at a time, down to the reserve and what the fees of commitments need.
    var failures: [String] = []
    for _ in 0..<16 {
      let channels = await network.nodes[0].channels()
      guard let most = channels.map(\.spendable).max(), most.rawValue > 2_000_000 else { break }
      var limits = PaymentLimits()
      limits.maximumParts = 1
      let invoice = try await network.invoice(1, MilliSatoshi(most.rawValue * 99 / 100))
      do {
        _ = try await network.nodes[0].pay(PayRequest(invoice, limits: limits))
      } catch {
        failures.append("\(error) with \(most)")
      }
      for channel in channels { try await network.calm(channel.id) }
    }
    #expect(failures == [])
    for channel in await network.nodes[0].channels() {
      #expect(channel.spendable.rawValue <= 2_000_000)
      #expect(channel.balances?[.local].satoshiRoundedDown ?? .zero >= channel.terms.remote?.reserve ?? .zero)
    }
    // And back again.
    let back = try await network.pay(2, 0, MilliSatoshi(1_400_000_000))
    #expect(back.status == .complete)
    await network.stop()
  }
}
