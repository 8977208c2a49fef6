import BOLT
import Bitcoin
import Chain
import GLC
import Payments
import Testing
import Wallet
import Wire

@testable import Node

@Suite(.serialized) struct MempoolTests {
  /// The payee takes a payment on the chain. Its preimage stands in the mempool, and that is enough: no block is made.
  /// On a chain that tells of no transactions, it is asked for what spends the channel's outputs.
  @Test(arguments: [false, true])
  func preimageInTheMempoolSettlesThePaymentUpstream(isSilent: Bool) async throws {
    let network = try await TestNetwork(nodes: 3) { settings, _ in
      settings.channels.contestDelay = 6
      settings.mempoolInterval = .milliseconds(100)
    } configure: { launch, _ in
      if isSilent { launch.source = GatedSource(launch.source, isSilent: true) }
    }
    for index in 0..<3 { try await network.fund(index) }
    try await network.open(0, 1)
    let id = try await network.open(1, 2)
    let held = try await network.hold(0, 2, MilliSatoshi(50_000_000), expiry: 60)
    try await network.wait("it is held") { await network.isHeld(held) }
    try await network.nodes[2].forceClose(id)
    try await network.wait("the commitment") { try await !network.chain.mempoolTransactions().isEmpty }
    try await network.mine()
    await network.settleDown()
    let tip = try await network.chain.tip()
    try await network.settle(held)
    try await network.wait("the payer has its proof") { held.paying.isOver }
    #expect(held.paying.succeeded)
    #expect(try await network.chain.tip() == tip)
    #expect(try await !network.chain.mempoolTransactions().isEmpty)
    await network.stop()
  }
}
