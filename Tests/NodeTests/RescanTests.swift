import Bitcoin
import Chain
import Storage
import Testing
import Wallet

@testable import Node

@Suite(.serialized) struct RescanTests {
  /// The same seed on a new node that begins at the tip: what came before is found by reading again, through an interruption.
  @Test func coinsFromBeforeTheWalletsBirthAreFoundByReadingAgain() async throws {
    let network = try await TestNetwork(nodes: 1)
    for _ in 0..<3 { try await network.fund(0, Satoshi(1_000_000)) }
    _ = try await network.nodes[0].withdraw(.exactly(Satoshi(400_000)), to: .p2wsh(Script([0x51])))
    try await network.mine(60)
    let balance = await network.nodes[0].walletBalance().confirmed
    #expect(balance > Satoshi(2_500_000))
    await network.nodes[0].stop()

    let gate = GatedSource(network.chain.source)
    network.launches[0].store = try MemoryStore(schema: .node)
    network.launches[0].birth = nil
    network.launches[0].source = gate
    network.nodes[0] = try await Node.start(network.launches[0])
    #expect(await network.nodes[0].walletBalance().confirmed == .zero)
    gate.allow(40)
    try await network.nodes[0].hub.rescan.begin(from: 0)
    try await network.wait("some blocks are read") { await (network.nodes[0].hub.rescan.progress?.next ?? 0) >= 32 }
    let stopped = try #require(await network.nodes[0].hub.rescan.progress)
    #expect(stopped.next < stopped.tip && stopped.problem == nil)

    gate.allow(nil)
    try await network.restart(0)
    try await network.wait("all blocks are read") { await network.nodes[0].hub.rescan.progress == nil }
    #expect(await network.nodes[0].walletBalance().confirmed == balance)
    // And what comes is still seen.
    try await network.fund(0, Satoshi(500_000))
    #expect(await network.nodes[0].walletBalance().confirmed.rawValue == balance.rawValue + 500_000)
    await network.stop()
  }
}
