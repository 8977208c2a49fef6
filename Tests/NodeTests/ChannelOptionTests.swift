import BOLT
import Bitcoin
import Chain
import Encoding
import GLC
import JSON
import Payments
import Peers
import RPC
import Storage
import Testing
import Wallet
import Wire

@testable import Node

/// What can be asked of a channel when it is opened, with real nodes.
@Suite(.serialized) struct ChannelOptionTests {
  @Test func whatAChannelChargesIsRememberedOverAStart() async throws {
    let network = try await TestNetwork(nodes: 2)
    try await network.fund(0)
    let id = try await network.open(0, 1)
    let before = try #require(await network.nodes[0].inspect().first?.policy)
    _ = try await network.call(
      0, "setchannel", ["id": .string("\(id)"), "feebase": 77, "feeppm": 88, "htlcmin": 5000, "htlcmax": 900_000_000])
    for _ in 0..<2 {
      try await network.restart(0, losingPower: true)
      try await network.wait("the channel is there") { await network.nodes[0].inspect().count == 1 }
      let policy = try #require(await network.nodes[0].inspect().first?.policy)
      #expect(policy.feeBaseMsat == 77 && policy.feeProportionalMillionths == 88)
      #expect(policy.htlcMinimumMsat.rawValue == 5000 && policy.htlcMaximumMsat.rawValue == 900_000_000)
      #expect(policy.cltvExpiryDelta == before.cltvExpiryDelta)
    }
    let store = network.launches[0].store
    #expect(try await store.records(in: .policies).count == 1)
    // With the channel, what was set for it goes.
    try await network.connect(0, 1)
    try await network.nodes[0].close(id)
    try await network.wait("the closing transaction") { try await !network.chain.mempoolTransactions().isEmpty }
    try await network.mine(until: "the channel has ended", limit: 30) { await network.channel(0, id)?.phase == .ended }
    try await network.wait("it is forgotten") { try await network.launches[0].store.records(in: .policies).isEmpty }
    await network.stop()
  }

  @Test func channelThatIsBoundToAnAddressClosesToIt() async throws {
    let network = try await TestNetwork(nodes: 2)
    try await network.fund(0)
    let cold = Address(scriptPubKey: .p2wpkh(Bytes20(InlineArray(repeating: 0x42))), on: .regtest)
    let address = try #require(cold)
    try await network.connect(0, 1)
    let reply = try await network.call(
      0, "fundchannel",
      ["id": .string("\(network.nodes[1].nodeID)"), "amount": 1_000_000, "close_to": .string("\(address)")])
    #expect(reply["close_to"]?.stringValue == Hex.encode(address.scriptPubKey.bytes))
    let id = try #require(await network.nodes[0].channels().first?.id)
    try await network.mine(6)
    try await network.wait("it is usable") { await network.channel(1, id)?.canOffer == true }
    try await network.restart(0)
    try await network.connect(0, 1)
    try await network.wait("it is usable again") { await network.channel(0, id)?.canOffer == true }
    // Nobody can be talked into another address, our own user included.
    let other = try await network.nodes[0].newAddress()
    await #expect(throws: NodeError.self) { try await network.nodes[0].close(id, to: other.scriptPubKey) }
    // Nor can the peer, which asks for the close.
    try await network.nodes[1].close(id)
    try await network.wait("the closing transaction") { try await !network.chain.mempoolTransactions().isEmpty }
    let closing = try #require(try await network.chain.mempoolTransactions().first)
    #expect(closing.outputs.map(\.scriptPubKey) == [address.scriptPubKey])
    await network.stop()
  }

  @Test func bindingAnAddressNeedsAPeerThatUnderstands() async throws {
    let network = try await TestNetwork(
      nodes: 2, settings: { settings, index in if index == 1 { settings.features[5] = false } },
      configure: { launch, _ in launch.peers.features = launch.settings.features })
    try await network.fund(0)
    try await network.connect(0, 1)
    let address = try await network.nodes[0].newAddress()
    await #expect {
      try await network.call(
        0, "fundchannel",
        ["id": .string("\(network.nodes[1].nodeID)"), "amount": 1_000_000, "close_to": .string("\(address)")])
    } throws: {
      "\($0)".contains("option_upfront_shutdown_script")
    }
    await network.stop()
  }
}
