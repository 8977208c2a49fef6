import BOLT
import Bitcoin
import Encoding
import GLC
import HTLC
import Hashing
import PTLC
import Payments
import Secp256k1
import Sphinx
import Testing
import Wire

@testable import Node

/// Payments locked by points between real nodes, on channels `musig2 + htlc + ptlc + anchors`.
@Suite(.serialized) struct PointPaymentTests {
  /// 0 – 1 – 2 – …, each channel with money on both sides.
  private func line(_ count: Int, announced: Bool = false) async throws -> (TestNetwork, [ChannelID]) {
    let network = try await TestNetwork(nodes: count) { settings, _ in
      settings.channels.contestDelay = 6
    }
    for index in 0..<count { try await network.fund(index) }
    var ids: [ChannelID] = []
    for index in 0..<count - 1 {
      ids.append(
        try await network.compose(index, index + 1, pushing: MilliSatoshi(4_000_000_000), announced: announced))
    }
    return (network, ids)
  }

  private func expectUnrelated(_ points: [PublicKey]) throws {
    var seen: Set<PublicKey> = []
    for point in points {
      #expect(seen.insert(point).inserted && seen.insert(point.negated()).inserted)
    }
    var differences: Set<PublicKey> = []
    for (index, a) in points.enumerated() {
      for b in points[..<index] {
        let difference = try a + b.negated()
        #expect(!seen.contains(difference) && differences.insert(difference).inserted)
        #expect(differences.insert(difference.negated()).inserted)
      }
    }
  }

  private func expectProof(_ record: PaymentRecord, _ invoice: Bolt11Invoice) throws {
    let proof = try #require(record.preimage)
    #expect(try SecretKey(proof).publicKey == invoice.contents.paymentPoint)
  }

  @Test func aPaymentPassesOneNodeThatTheInvoiceNames() async throws {
    let (network, ids) = try await line(3)
    let before = [await network.balance(0), await network.balance(1), await network.balance(2)].map(\.rawValue)
    let invoice = try await network.pointInvoice(2, MilliSatoshi(50_000_000))
    #expect(invoice.contents.routeHints.count == 1)
    let record = try await network.nodes[0].pay(PayRequest(invoice))
    try expectProof(record, invoice)
    for id in ids { try await network.calm(id) }
    #expect(await network.balance(2).rawValue == before[2] + 50_000_000)
    #expect(await network.balance(0).rawValue == before[0] - record.amountSent.rawValue)
    #expect(await network.balance(1).rawValue == before[1] + record.amountSent.rawValue - 50_000_000)
    // What is paid is not paid again.
    #expect(try await network.nodes[0].pay(PayRequest(invoice)).createdIndex == record.createdIndex)
    await network.stop()
  }

  /// Three channels, of which the payer has learned two from what others say; each is locked by a point of its own.
  @Test func aPaymentPassesFourNodesOverAnnouncedChannels() async throws {
    let (network, ids) = try await line(4, announced: true)
    try await network.learnAll(0, channels: 3)
    let before = await network.balance(3)
    let held = try await network.holdPoint(0, 3, MilliSatoshi(50_000_000))
    try await network.wait("it is held") { await network.isHeld(held) }
    var points: [PublicKey] = []
    for (index, id) in ids.enumerated() {
      let both = [try await network.points(index, id), try await network.points(index + 1, id)]
      #expect(both[0] == both[1] && both[0].count == 1)
      points += both[0]
    }
    try expectUnrelated(points)
    try await network.settle(held)
    try await network.wait("it is paid") { held.paying.succeeded }
    for id in ids { try await network.calm(id) }
    #expect(await network.balance(3).rawValue == before.rawValue + 50_000_000)
    await network.stop()
  }

  /// The payer's own channel carries hashes alone: it says so, and sends nothing.
  @Test func aWayThatCarriesNoPointsIsRefusedBeforeAnythingIsSent() async throws {
    let network = try await TestNetwork(nodes: 3)
    for index in 0..<2 { try await network.fund(index) }
    let plain = try await network.open(0, 1, Satoshi(5_000_000))
    try await network.compose(1, 2, Satoshi(5_000_000))
    let invoice = try await network.pointInvoice(2, MilliSatoshi(50_000_000))
    do {
      _ = try await network.nodes[0].pay(PayRequest(invoice))
      Issue.record("it was paid")
    } catch let failure as PaymentFailure {
      #expect(failure.code == .lockNotCarried, "\(failure)")
    }
    let channel = try #require(await network.channel(0, plain))
    #expect(channel.livePayments.isEmpty && channel.core?.localNumber == 0 && channel.core?.remoteNumber == 0)
    await network.stop()
  }

  @Test func partsOverTwoWaysAreLockedByUnrelatedPoints() async throws {
    let network = try await TestNetwork(nodes: 4)
    for index in 0..<4 { try await network.fund(index) }
    var ids: [ChannelID] = []
    for middle in 1...2 {
      ids.append(try await network.compose(0, middle, Satoshi(5_000_000)))
      ids.append(try await network.compose(middle, 3, Satoshi(5_000_000)))
    }
    let held = try await network.holdPoint(0, 3, MilliSatoshi(8_000_000_000))
    try await network.wait("it is held", seconds: 60) { await network.isHeld(held) }
    var points: [PublicKey] = []
    for (index, id) in ids.enumerated() { points += try await network.points(index % 2 == 0 ? 0 : 3, id) }
    #expect(points.count >= 4)
    try expectUnrelated(points)
    try await network.settle(held)
    try await network.wait("it is paid", seconds: 60) { held.paying.succeeded }
    for id in ids { try await network.calm(id) }
    #expect(await network.balance(3) == MilliSatoshi(8_000_000_000))
    await network.stop()
  }

  @Test func aNodeThatCannotPassItOnSaysSoAndNothingIsLost() async throws {
    let (network, ids) = try await line(3)
    let before = await network.balance(0)
    // More than node 1 has in its channel to the payee.
    let invoice = try await network.pointInvoice(2, MilliSatoshi(5_600_000_000))
    let pushed = try await network.nodes[1].pay(
      PayRequest(try await network.pointInvoice(2, MilliSatoshi(1_000_000_000))))
    #expect(pushed.status == .complete)
    var limits = PaymentLimits()
    limits.maximumParts = 1
    let paying = Paying(network.nodes[0], invoice, limits: limits)
    try await network.wait("it is over", seconds: 90) { paying.isOver }
    let failure = try #require(paying.failure)
    #expect(failure.failureCode == FailureCode.temporaryChannelFailure.rawValue)
    #expect(failure.erringNode == network.nodes[1].nodeID.publicKey)
    for id in ids { try await network.calm(id) }
    #expect(await network.balance(0) == before)
    await network.stop()
  }

  @Test func paymentsOfBothKindsAndDirectionsShareTheChannels() async throws {
    let (network, ids) = try await line(3)
    let sum = await network.balance(0).rawValue + network.balance(1).rawValue + network.balance(2).rawValue
    // Hints to node 0 are for points; by hash it is paid as well.
    var all: [Held] = []
    for round in 0..<3 {
      let amount = MilliSatoshi(UInt64(20_000_000 + round))
      all.append(try await network.hold(0, 2, amount))
      all.append(try await network.holdPoint(0, 2, amount))
      all.append(try await network.hold(2, 0, amount))
      all.append(try await network.holdPoint(2, 0, amount))
    }
    try await network.wait("all are held or over", seconds: 90) {
      for held in all where await !network.isHeld(held) && !held.paying.isOver { return false }
      return true
    }
    #expect(all.map { $0.paying.failure?.description } == all.map { _ in nil })
    for (number, held) in all.enumerated() {
      if number < 8 { try await network.settle(held) } else { try await network.cancel(held) }
    }
    try await network.wait("all are over", seconds: 90) { all.allSatisfy(\.paying.isOver) }
    #expect(all.map(\.paying.succeeded) == all.indices.map { $0 < 8 })
    #expect(all.map(\.paying.failed) == all.indices.map { $0 >= 8 })
    for id in ids { try await network.calm(id) }
    #expect(
      await network.balance(0).rawValue + network.balance(1).rawValue + network.balance(2).rawValue == sum)
    await network.stop()
  }

  @Test func aForwarderThatLosesPowerTakesItsPaymentAfterwards() async throws {
    let (network, ids) = try await line(3)
    let settled = try await network.holdPoint(0, 2, MilliSatoshi(50_000_000))
    let cancelled = try await network.holdPoint(0, 2, MilliSatoshi(60_000_000))
    try await network.wait("both are held", seconds: 60) {
      let both = (await network.isHeld(settled), await network.isHeld(cancelled))
      return both.0 && both.1
    }
    let before = await network.balance(1)
    try await network.restart(1, losingPower: true)
    // The payee decides while the way back is not there.
    try await network.settle(settled)
    try await network.cancel(cancelled)
    try await network.connect(0, 1)
    try await network.connect(2, 1)
    try await network.wait("both are over", seconds: 60) { settled.paying.isOver && cancelled.paying.isOver }
    #expect(settled.paying.succeeded && cancelled.paying.failed)
    for id in ids { try await network.calm(id) }
    #expect(await network.balance(1) > before)
    await network.stop()
  }

  @Test func aSecretThatTheChainShowsSettlesUpstream() async throws {
    let (network, ids) = try await line(3)
    let held = try await network.holdPoint(0, 2, MilliSatoshi(500_000_000))
    try await network.wait("it is held", seconds: 60) { await network.isHeld(held) }
    let before = await network.channel(1, ids[0])?.balances?[.local] ?? .zero
    try await network.nodes[2].forceClose(ids[1])
    try await network.wait("the commitment") { try await !network.chain.mempoolTransactions().isEmpty }
    // Nobody is told the secret: the payee can only take it from the commitment.
    try await network.settle(held)
    try await network.mine(until: "the payer has its proof") { held.paying.isOver }
    #expect(held.paying.succeeded)
    guard case .success(let record)? = held.paying.outcome else { return }
    #expect(record.preimage == held.preimage)
    try await network.calm(ids[0])
    let after = await network.channel(1, ids[0])?.balances?[.local] ?? .zero
    #expect(after.rawValue >= before.rawValue + 500_000_000)
    try await network.mine(until: "the channel has ended") {
      let phases = (await network.channel(1, ids[1])?.phase, await network.channel(2, ids[1])?.phase)
      return phases == (.ended, .ended)
    }
    await network.stop()
  }
}
