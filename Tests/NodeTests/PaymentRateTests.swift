import BOLT
import Bitcoin
import GLC
import Payments
import Testing
import Wire

@testable import Node

@Suite(.serialized) struct PaymentRateTests {
  /// One after the other, and as many at the same time as a channel holds: all arrive.
  @Test(arguments: [1, 20, 100]) func paymentsAtTheSameTimeAllArrive(concurrent: Int) async throws {
    let network = try await TestNetwork(nodes: 2)
    try await network.fund(0)
    try await network.open(0, 1)
    let count = TestNetwork.isLong ? 1000 : max(20, concurrent)
    var invoices: [Bolt11Invoice] = []
    for _ in 0..<count { invoices.append(try await network.invoice(1, MilliSatoshi(1_000_000))) }
    let clock = ContinuousClock()
    let start = clock.now
    var paying: [Paying] = []
    for invoice in invoices {
      while paying.count(where: { !$0.isOver }) >= concurrent { try await Task.sleep(for: .microseconds(200)) }
      paying.append(Paying(network.nodes[0], invoice))
    }
    try await network.wait("all are over", seconds: 60) { paying.allSatisfy(\.isOver) }
    let time = clock.now - start
    print("figure: \(concurrent) at the same time: \(Double(count) / (time / .seconds(1))) payments/s")
    let failure = paying.first { !$0.succeeded }?.failure
    #expect(paying.allSatisfy { $0.succeeded }, "\(String(describing: failure))")
    try await network.wait("the payee has its money") {
      await network.balance(1) == MilliSatoshi(UInt64(count) * 1_000_000)
    }
    await network.stop()
  }

  /// More than the peer takes at a time: they wait for each other, and none comes back.
  @Test func paymentsWaitForRoomInAFullChannel() async throws {
    let network = try await TestNetwork(
      nodes: 2, settings: { settings, _ in settings.channels.maximumAccepted = 5 })
    try await network.fund(0)
    try await network.open(0, 1)
    var paying: [Paying] = []
    var invoices: [Bolt11Invoice] = []
    for _ in 0..<40 { invoices.append(try await network.invoice(1, MilliSatoshi(1_000_000))) }
    for invoice in invoices { paying.append(Paying(network.nodes[0], invoice)) }
    try await network.wait("all are over", seconds: 60) { paying.allSatisfy(\.isOver) }
    let failure = paying.first { !$0.succeeded }?.failure
    #expect(paying.allSatisfy { $0.succeeded }, "\(String(describing: failure))")
    #expect(await network.nodes[0].inspect().allSatisfy(\.waiting.isEmpty))
    await network.stop()
  }
}
