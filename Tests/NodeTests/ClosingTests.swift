import BOLT
import Bitcoin
import Chain
import GLC
import Payments
import Peers
import Testing
import Wallet
import Wire

@testable import Node

/// Both negotiations of a closing transaction, with real nodes.
@Suite(.serialized) struct ClosingTests {
  private func channel(_ features: FeatureSet = NodeSettings.defaultFeatures) async throws -> (
    TestNetwork, Middle, ChannelID, UInt32
  ) {
    let network = try await TestNetwork(
      nodes: 2,
      settings: { settings, _ in
        settings.features = features
        settings.irrevocableDepth = 3
      }, configure: { launch, _ in launch.peers.features = launch.settings.features })
    try await network.fund(0)
    let middle = try await network.middle(0, 1)
    let start = try await network.chain.tip().height
    let id = try await network.open(0, 1, Satoshi(1_000_000), pushing: MilliSatoshi(300_000_000))
    try await network.calm(id)
    return (network, middle, id, start)
  }

  /// What the mempool has that spends the channel's funding output: one transaction, or none.
  private func spender(_ network: TestNetwork, _ funding: OutPoint) async throws -> Transaction? {
    let found = try await network.chain.mempoolTransactions().filter {
      $0.inputs.contains { $0.previousOutput == funding }
    }
    #expect(found.count <= 1)
    return found.first
  }

  private func fee(_ transaction: Transaction) -> UInt64 {
    1_000_000 - transaction.outputs.reduce(0) { $0 + $1.value.rawValue }
  }

  /// The peer publishes what we have proposed, and its signature never comes: what a block shows is known all the same.
  @Test func aClosingWhoseLastMessageIsLostIsKnownByItsBlock() async throws {
    let (network, middle, id, _) = try await channel()
    let funding = try #require(await network.channel(0, id)?.funding?.outPoint)
    middle.set { _, message in message.type == ClosingSig.type ? .say([]) : .pass }
    let node = network.nodes[0]
    let closing = Task { try await node.close(id) }
    try await network.wait("the closing transaction") { try await spender(network, funding) != nil }
    try await network.mine(until: "both have it for good") { await network.hasEnded(id) }
    for log in network.logs { #expect(!log.contains("funds may be lost"), "\(log.all.suffix(5))") }
    closing.cancel()
    await network.stop()
  }

  /// BOLT 2: a second `closing_complete` with a higher fee replaces the first. Each side pays for its own.
  @Test(arguments: [0, 1]) func feeOfAClosingIsRaisedByEitherSide(_ closer: Int) async throws {
    let (network, middle, id, start) = try await channel()
    guard case .embedded(let chain) = network.chain else { return }
    let funding = try #require(await network.channel(0, id)?.funding?.outPoint)
    try await network.nodes[closer].close(id)
    try await network.wait("the closing transaction") { try await spender(network, funding) != nil }
    // Both have proposed one: what was said is answered.
    try await network.wait("nothing is unanswered") {
      let counts = [ClosingComplete.type, ClosingSig.type].map { type in
        [Middle.Way.there, .back].map { way in middle.types(way).count { $0 == type } }
      }
      return counts[0] == [1, 1] && counts[1] == [1, 1]
    }
    let first = try #require(try await spender(network, funding))

    // Blocks come, this transaction is in none of them, and fees rise.
    var last = first
    for round in 1...3 {
      await chain.setFeeEstimate(FeeRate(satPerKiloWeight: UInt32(2_000 + 3_000 * round)))
      for _ in 0..<6 {
        let position = try await chain.mine([Transaction]())
        for node in network.nodes { await node.reach(position.height) }
      }
      #expect(try await spender(network, funding)?.txid == last.txid)
      // The peer may have published the last one before its answer has come.
      try await network.wait("another proposal can be made") {
        do {
          try await network.nodes[closer].close(id)
          return true
        } catch {
          guard "\(error)".contains("is not answered yet") else { throw error }
          return false
        }
      }
      try await network.wait("the new one has taken its place") {
        try await spender(network, funding).map { $0.txid != last.txid } == true
      }
      let next = try #require(try await spender(network, funding))
      #expect(fee(next) > fee(last) + 500, "round \(round): \(fee(last)), then \(fee(next))")
      last = next
    }
    let paid = fee(last)
    for node in network.nodes { #expect(await node.channels().first?.phase == .closing) }
    try await network.mine(until: "the channel has ended", limit: 20) { await network.hasEnded(id) }
    let audit = try await network.audit(since: start)
    #expect(audit.total == 100_000_000 && audit.strays.isEmpty, "\(audit)")
    // The closer alone has paid it.
    #expect(audit.wallets[1] == 300_000 - (closer == 1 ? paid : 0), "\(audit), \(paid)")
    #expect(audit.fees < paid + 1_000, "\(audit), \(paid)")
    // Of those that were replaced, nothing is left in the wallets.
    for (index, node) in network.nodes.enumerated() {
      let balance = await node.walletBalance()
      #expect(balance.trustedUnconfirmed == .zero && balance.unconfirmed == .zero, "node \(index): \(balance)")
    }
    await network.stop()
  }

  static let legacy = FeatureSet(bits: NodeSettings.defaultFeatures.bits.filter { $0 / 2 != 30 })

  /// BOLT 2: the funder says which fees it would pay, the other chooses one of them: one message each way.
  @Test(arguments: [0, 1]) func closingWithoutSimpleCloseAgreesOnAFeeOfTheRange(_ closer: Int) async throws {
    let (network, middle, id, start) = try await channel(Self.legacy)
    let funding = try #require(await network.channel(0, id)?.funding?.outPoint)
    try await network.nodes[closer].close(id)
    try await network.wait("the closing transaction") { try await spender(network, funding) != nil }
    let paid = fee(try #require(try await spender(network, funding)))
    let said = middle.messages.compactMap { way, message in
      message.type == ClosingSigned.type ? (try? ClosingSigned(decoding: message.bytes)).map { (way, $0) } : nil
    }
    #expect(said.first?.0 == .there, "the funder begins")
    let range = try #require(said.first?.1.feeRange)
    #expect(range.minFeeSatoshis.rawValue <= paid && paid <= range.maxFeeSatoshis.rawValue)
    #expect(said.allSatisfy { $0.1.feeRange != nil } && said.count <= 3 && said.last?.1.feeSatoshis.rawValue == paid)
    #expect(!(middle.types(.there) + middle.types(.back)).contains(ClosingComplete.type))
    // This one cannot be replaced.
    await #expect(throws: NodeError.self) { try await network.nodes[closer].close(id) }
    try await network.mine(until: "the channel has ended", limit: 20) { await network.hasEnded(id) }
    let audit = try await network.audit(since: start)
    #expect(audit.total == 100_000_000 && audit.strays.isEmpty, "\(audit)")
    #expect(audit.wallets[1] == 300_000, "the funder pays: \(audit)")
    await network.stop()
  }
}
