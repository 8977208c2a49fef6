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

/// Signatures that do not hold, before a channel is one and when it ends.
@Suite(.serialized) struct LyingSignatureTests {
  private func pair(_ features: FeatureSet = NodeSettings.defaultFeatures) async throws -> (TestNetwork, Middle) {
    let network = try await TestNetwork(
      nodes: 2,
      settings: { settings, _ in
        settings.features = features
        settings.channels.contestDelay = 6
        settings.irrevocableDepth = 3
      },
      configure: { launch, _ in
        launch.reconnectsQuickly()
        launch.peers.features = launch.settings.features
      })
    try await network.fund(0)
    return (network, try await network.middle(0, 1))
  }

  /// The first message of this type is spoilt.
  private func spoil(_ middle: Middle, _ type: UInt16, _ body: @escaping @Sendable (RawMessage) -> [UInt8])
    -> @Sendable () -> Bool
  {
    let told = Told()
    middle.set { _, message in
      message.type == type && told.first() ? .say([body(message)]) : .pass
    }
    return { told.isTold }
  }

  private final class Told: Sendable {
    private let state = Mutex(false)
    var isTold: Bool { state.withLock { $0 } }
    func first() -> Bool {
      state.withLock { state in
        defer { state = true }
        return !state
      }
    }
  }

  /// BOLT 2, behind the type. `funding_created`: 32 bytes, the funding's id of 32, its output of 2, the signature; `funding_signed`: the
  /// channel's id of 32, the signature.
  @Test(arguments: [
    (FundingCreated.type, 32 + 32 + 2 + 63, 1, "the signature does not hold"),
    (FundingSigned.type, 32 + 63, 0, "the signature of the first commitment does not hold"),
  ])
  func channelWhoseFirstSignatureDoesNotHoldIsNone(type: UInt16, place: Int, victim: Int, log: String) async throws {
    let (network, middle) = try await pair()
    let isTold = spoil(middle, type) { $0.spoilt(at: place) }
    try await network.connect(0, 1)
    let opening = Mutex<Result<ChannelID, any Error>?>(nil)
    let (from, to) = (network.nodes[0], network.nodes[1].nodeID)
    Task {
      do {
        let id = try await from.openChannel(with: to, capacity: Satoshi(1_000_000), isAnnounced: false)
        opening.withLock { $0 = .success(id) }
      } catch { opening.withLock { $0 = .failure(error) } }
    }
    try await network.wait("the opener knows that there is no channel") {
      if case .failure? = opening.withLock({ $0 }) { true } else { false }
    }
    #expect(isTold())
    try await network.wait("it is in the log") { network.logs[victim].contains(log) }
    // Nothing is bound, and nothing was published that would be.
    try await network.wait("the coins are free") { await network.nodes[0].walletBalance().reserved == .zero }
    #expect(await network.nodes[0].channels().isEmpty)
    try await network.mine()
    #expect(await network.nodes[0].walletBalance().confirmed == Satoshi(100_000_000))
    #expect(try await network.chain.mempoolTransactions().isEmpty)
    let id = try await network.open(0, 1)
    _ = try await network.pay(0, 1, MilliSatoshi(1_000_000_000))
    #expect(await network.channel(1, id)?.phase == .normal)
    await network.stop()
  }

  static let legacy = FeatureSet(bits: NodeSettings.defaultFeatures.bits.filter { $0 / 2 != 30 })

  private func closing(_ features: FeatureSet) async throws -> (TestNetwork, Middle, ChannelID, UInt32) {
    let (network, middle) = try await pair(features)
    let start = try await network.chain.tip().height
    let id = try await network.open(0, 1, Satoshi(1_000_000), pushing: MilliSatoshi(300_000_000))
    _ = try await network.pay(0, 1, MilliSatoshi(100_000_000))
    try await network.calm(id)
    for log in network.logs { log.clear() }
    return (network, middle, id, start)
  }

  /// Everything is where it belongs; the fees are those of the closing, whoever pays them. A commitment has an anchor on top, which the
  /// opener pays.
  private func check(_ network: TestNetwork, since start: UInt32, anchor: UInt64 = 0) async throws {
    let audit = try await network.audit(since: start)
    #expect(audit.total == 100_000_000 && audit.strays.isEmpty, "\(audit)")
    #expect(audit.fees < 20_000 && audit.wallets[1] > 380_000 && audit.wallets[1] <= 400_000 + anchor, "\(audit)")
  }

  /// `closing_signed`: the channel's id of 32, the fee of 8, the signature.
  @Test func legacyClosingWithAWrongSignatureEndsOnTheChain() async throws {
    let (network, middle, id, start) = try await closing(Self.legacy)
    let isTold = spoil(middle, ClosingSigned.type) { $0.spoilt(at: 32 + 8 + 63) }
    _ = try? await within(.seconds(2)) { [node = network.nodes[0]] in try await node.close(id) }
    try await network.wait("it is told") { isTold() }
    let log = "the signature in closing_signed does not hold"
    try await network.wait("it is in the log") { network.logs.contains { $0.contains(log) } }
    try await network.wait("a commitment") { try await !network.chain.mempoolTransactions().isEmpty }
    try await network.mine(until: "the channel has ended", limit: 60) { await network.hasEnded(id) }
    try await check(network, since: start, anchor: 330)
    await network.stop()
  }

  /// Both: the channel's id of 32, two scripts with their lengths of 2, the fee of 8, the lock time of 4, then the signature as a record.
  /// The peer is warned and comes back; they begin anew and close together.
  @Test(arguments: [
    (ClosingComplete.type, "the signature in closing_complete does not hold"),
    (ClosingSig.type, "the signature in closing_sig does not hold"),
  ])
  func closingWithAWrongSignatureBeginsAnew(type: UInt16, log: String) async throws {
    let (network, middle, id, start) = try await closing(NodeSettings.defaultFeatures)
    // The last record is the signature that covers both outputs: that is the one which counts.
    let isTold = spoil(middle, type) { $0.spoilt(at: -1) }
    _ = try? await within(.seconds(2)) { [node = network.nodes[0]] in try await node.close(id) }
    try await network.wait("it is told") { isTold() }
    try await network.wait("it is in the log") { network.logs.contains { $0.contains(log) } }
    try await network.wait("both know a closing transaction") {
      for index in 0..<2 where await network.channel(index, id)?.closingTransactions.isEmpty != false { return false }
      return true
    }
    #expect(!network.logs.contains { $0.contains("the channel goes to the chain") })
    try await network.mine(until: "the channel has ended", limit: 20) { await network.hasEnded(id) }
    try await check(network, since: start)
    await network.stop()
  }
}
