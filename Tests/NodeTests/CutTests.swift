import BOLT
import Bitcoin
import Chain
import Encoding
import GLC
import Payments
import Peers
import Synchronization
import Testing
import Wallet
import Wire

@testable import Node

/// The connection ends behind each single message of a channel's life, one after the other; with the next connection, everything goes on.
@Suite(.serialized) struct CutTests {
  /// Opening, a payment each way, a fee rate, and closing together.
  private struct Life {
    let network: TestNetwork
    let middle: Middle

    init(_ features: FeatureSet) async throws {
      network = try await TestNetwork(
        nodes: 2,
        settings: { settings, _ in
          settings.features = features
          settings.irrevocableDepth = 3
        },
        configure: { launch, _ in
          launch.reconnectsQuickly()
          launch.peers.features = launch.settings.features
        })
      try await network.fund(0)
      middle = try await network.middle(0, 1)
    }

    /// What belongs to channels, and is sent again when it is lost.
    static func counts(_ message: RawMessage) -> Bool { (32..<256).contains(message.type) }

    func run() async throws {
      let start = try await network.chain.tip().height
      let id = try await open()
      for (from, to) in [(0, 1), (1, 0)] { try await pay(from, to, id) }
      try await changeFee(id)
      try await close(id)
      let audit = try await network.audit(since: start)
      #expect(audit.total == 100_000_000 && audit.strays.isEmpty, "\(audit)")
    }

    private func open() async throws -> ChannelID {
      for _ in 0..<5 {
        try await network.connect(0, 1)
        let (from, to) = (network.nodes[0], network.nodes[1])
        _ = try? await within(.seconds(5)) {
          _ = try await from.openChannel(
            with: to.nodeID, capacity: Satoshi(1_000_000), pushing: MilliSatoshi(300_000_000), type: .staticRemotekey,
            isAnnounced: false)
        }
        // Broadcast although nobody could say so any more, or not at all.
        await network.settleDown()
        guard try await !network.chain.mempoolTransactions().isEmpty else { continue }
        try await network.mine(2)
        guard let id = await from.channels().first(where: { $0.funding?.confirmation != nil })?.id else { continue }
        try await usable(id)
        return id
      }
      throw NodeError.invalid("no channel after five tries")
    }

    private func usable(_ id: ChannelID) async throws {
      try await network.wait("the channel is usable") {
        for index in 0..<2 where await network.channel(index, id)?.canOffer != true { return false }
        return true
      }
    }

    private func pay(_ from: Int, _ to: Int, _ id: ChannelID) async throws {
      let invoice = try await network.invoice(to, MilliSatoshi(20_000_000))
      let paying = Paying(network.nodes[from], invoice)
      try await network.wait("the payment is over") { paying.isOver }
      try await network.calm(id)
      let isPaid = try await network.nodes[to].invoice(paying.hash)?.status == .paid
      #expect(paying.succeeded == isPaid)
      try await usable(id)
    }

    private func changeFee(_ id: ChannelID) async throws {
      // A real chain makes its own estimates.
      guard case .embedded(let chain) = network.chain else { return }
      let rate = FeeRate(satPerKiloWeight: 4_000)
      await chain.setFeeEstimate(rate)
      try await network.mine(until: "the new fee rate is the channel's", limit: 100) {
        for index in 0..<2 {
          let core = await network.channel(index, id)?.core
          guard core?.fundings.first?.base.feeRate == rate, core?.log.entries.isEmpty == true else { return false }
        }
        return true
      }
      try await usable(id)
    }

    private func close(_ id: ChannelID) async throws {
      try await network.wait("the closing transaction") {
        if try await !network.chain.mempoolTransactions().isEmpty { return true }
        let node = network.nodes[0]
        _ = try? await within(.milliseconds(500)) { try await node.close(id) }
        return try await !network.chain.mempoolTransactions().isEmpty
      }
      try await network.mine(until: "the channel has ended", limit: 20) {
        for index in 0..<2 where await network.channel(index, id)?.phase != .ended { return false }
        return true
      }
    }
  }

  /// Both closing negotiations.
  static let features: [FeatureSet] = [
    NodeSettings.defaultFeatures, FeatureSet(bits: NodeSettings.defaultFeatures.bits.filter { $0 / 2 != 30 }),
  ]

  @Test(arguments: features) func channelSurvivesTheEndOfItsConnectionBehindEachMessage(_ features: FeatureSet)
    async throws
  {
    let whole = try await Life(features)
    try await whole.run()
    let count = whole.middle.messages.count { Life.counts($0.message) }
    await whole.network.stop()
    #expect(count > 25)
    for number in 0..<count where TestNetwork.isLong || number % 2 == features.bits.count % 2 {
      for isDelivered in [true, false] where TestNetwork.isLong || isDelivered == (number / 2 % 2 == 0) {
        let life = try await Life(features)
        let seen = Mutex(0)
        life.middle.set { _, message in
          guard Life.counts(message) else { return .pass }
          let place = seen.withLock { seen in
            seen += 1
            return seen - 1
          }
          return place == number ? .hangUp(after: isDelivered ? [message.bytes] : []) : .pass
        }
        do { try await life.run() } catch {
          Issue.record("message \(number) of \(count), \(isDelivered ? "delivered" : "lost"): \(error)")
        }
        await life.network.stop()
      }
    }
  }
}
