import BOLT
import Bitcoin
import Encoding
import GLC
import HTLC
import JSON
import PTLC
import Payments
import Peers
import RPC
import Testing
import Wire

@testable import Node

/// Another stack for an open channel, between real nodes.
@Suite(.serialized) struct UpgradeTests {
  static let withPTLC = "musig2 + htlc + ptlc + anchors"
  static let without = "musig2 + htlc + anchors"

  private func pay(
    _ network: TestNetwork, _ from: Int, _ to: Int, _ amount: UInt64, _ kind: ExtensionID
  ) async throws -> PaymentRecord {
    var terms = InvoiceTerms(
      amount: MilliSatoshi(amount), label: "invoice \(UInt64.random(in: 0...(.max)))", description: "test")
    terms.kind = kind
    let invoice = try await network.nodes[to].createInvoice(terms)
    return try await network.nodes[from].pay(PayRequest(try Bolt11Invoice(decoding: invoice.bolt11)))
  }

  private func stack(_ network: TestNetwork, _ index: Int, _ id: ChannelID) async -> String? {
    await network.channel(index, id)?.stack.map { ExtensionRegistry.shipped.text(of: StackDescription($0)) }
  }

  @Test func aChannelGainsPaymentsLockedByPointsAndLosesThemAgain() async throws {
    let network = try await TestNetwork(nodes: 2)
    try await network.fund(0)
    let id = try await network.open(0, 1, pushing: MilliSatoshi(3_000_000_000), type: .simpleTaproot)
    _ = try await network.pay(0, 1, MilliSatoshi(10_000_000))
    let reply = try await network.call(0, "glc-upgrade", ["id": .string("\(id)"), "stack": .string(Self.withPTLC)])
    #expect(reply["stack"]?.stringValue == Self.withPTLC, "\(reply)")
    try await network.wait("both have it") { await self.stack(network, 1, id) == Self.withPTLC }
    _ = try await pay(network, 0, 1, 20_000_000, HTLCExtension.id)
    _ = try await pay(network, 0, 1, 20_000_000, PTLCExtension.id)
    _ = try await pay(network, 1, 0, 5_000_000, PTLCExtension.id)
    try await network.restart(1, losingPower: true)
    try await network.connect(0, 1)
    try await network.wait("it is usable again") { await network.channel(1, id)?.canOffer == true }
    #expect(await stack(network, 1, id) == Self.withPTLC)
    _ = try await pay(network, 0, 1, 1_000_000, PTLCExtension.id)
    // Refusals say why.
    for (text, word) in [(Self.withPTLC, "has this stack"), ("htlc + anchors", "funding"), ("musig2 + htcl", "htcl")] {
      do {
        _ = try await network.call(0, "glc-upgrade", ["id": .string("\(id)"), "stack": .string(text)])
        Issue.record("\(text) was taken")
      } catch {
        #expect("\(error)".contains(word), "\(error)")
      }
    }
    try await network.calm(id)
    _ = try await network.call(1, "glc-upgrade", ["id": .string("\(id)"), "stack": .string(Self.without)])
    try await network.wait("both have it") { await self.stack(network, 0, id) == Self.without }
    await #expect(throws: (any Error).self) { _ = try await self.pay(network, 0, 1, 1_000_000, PTLCExtension.id) }
    _ = try await network.pay(0, 1, MilliSatoshi(10_000_000))
    try await network.nodes[0].close(id)
    try await network.mine(until: "the channel has ended", limit: 60) { await network.channel(0, id)?.phase == .ended }
    await network.stop()
  }

  /// While one of the two has not revoked its commitment with the old stack, each commitment is shown with the stack that it has.
  @Test func commitmentsAreShownWithTheStackThatEachHas() async throws {
    let network = try await TestNetwork(nodes: 2) { _, _ in
    } configure: { launch, _ in
      launch.reconnectsQuickly()
    }
    try await network.fund(0)
    let middle = try await network.middle(0, 1)
    let id = try await network.open(0, 1, pushing: MilliSatoshi(3_000_000_000), type: .simpleTaproot)
    // What node 1 says after it has stored the new stack is lost: it has revoked, node 0 has not heard of it.
    middle.set { way, message in way == .back && [132, 133].contains(message.type) ? .say([]) : .pass }
    let node = network.nodes[0]
    let description = try ExtensionRegistry.shipped.description(parsing: Self.withPTLC)
    let upgrading = Task { try await node.upgrade(id, to: description) }
    try await network.wait("node 1 has the new stack") {
      await network.channel(1, id)?.core?.fundings.first?.local.stack.extensions.contains { $0.id == PTLCExtension.id }
        == true
    }
    /// By txid: the stack's text, what the PSBT says of it, and what it is.
    func shown(_ index: Int) async throws -> [String: (stack: String, parameters: [[UInt8]])] {
      let reply = try await network.call(index, "glc-channel", ["id": .string("\(id)"), "psbt": true])
      var found: [String: (String, [[UInt8]])] = [:]
      for commitment in reply["commitments"]?.arrayValue ?? [] {
        let psbt = try PSBT(base64: try #require(commitment["psbt"]?.stringValue))
        #expect(try psbt.unsignedTransaction().txid.description == commitment["txid"]?.stringValue)
        // The global records of subtype 1: an extension's number, and its parameters.
        let parameters = psbt.proprietary.filter { $0.key.identifier == Array("GLC".utf8) && $0.key.subtype == 1 }
        found[try #require(commitment["txid"]?.stringValue)] = (
          try #require(commitment["stack"]?.stringValue),
          parameters.map { $0.key.data }.sorted { $0.lexicographicallyPrecedes($1) }
        )
      }
      return found
    }
    let (ours, theirs) = (try await shown(0), try await shown(1))
    // Node 0: its own and node 1's old one, and node 1's new one.
    #expect(ours.count == 3)
    #expect(ours.values.map(\.stack).sorted() == ["simple_taproot", "simple_taproot", Self.withPTLC].sorted())
    let number: [UInt8] = [5, 0]
    for (txid, one) in ours {
      #expect(one.parameters.contains(number) == (one.stack == Self.withPTLC), "\(txid): \(one)")
    }
    // Both say the same of those that both have.
    #expect(!theirs.isEmpty)
    for (txid, other) in theirs {
      guard let own = ours[txid] else { continue }
      #expect(own.stack == other.stack && own.parameters == other.parameters, "\(txid)")
    }
    let stack = try await network.call(0, "glc-stack", ["id": .string("\(id)")])
    #expect(stack["stack"]?.stringValue == "simple_taproot", "its own commitment has the old one")
    // Heard after all, it goes on.
    middle.behave()
    network.nodes[0].network.peer(network.nodes[1].nodeID)?.close("test")
    try await upgrading.value
    try await network.wait("both have it") { await self.stack(network, 1, id) == Self.withPTLC }
    try await network.usable(id)
    _ = try await pay(network, 0, 1, 20_000_000, PTLCExtension.id)
    await network.stop()
    await middle.stop()
  }

  /// A payment that is locked by a point is pending when the channel goes to the chain.
  @Test func whatIsLockedByAPointComesHomeFromTheChain() async throws {
    let network = try await TestNetwork(nodes: 2)
    try await network.fund(0)
    try await network.fund(1)
    let id = try await network.open(0, 1, pushing: MilliSatoshi(3_000_000_000), type: .simpleTaproot)
    _ = try await network.call(0, "glc-upgrade", ["id": .string("\(id)"), "stack": .string(Self.withPTLC)])
    let scalar = PaymentScalar(Bytes32(InlineArray(repeating: 7)))
    var terms = InvoiceTerms(amount: MilliSatoshi(20_000_000), label: "held", description: "test")
    terms.kind = PTLCExtension.id
    terms.holdTarget = PaymentLock(kind: PTLCExtension.id, bytes: try #require(scalar.point).encoded)
    let invoice = try await network.nodes[1].createInvoice(terms)
    let payer = network.nodes[0]
    let paying = Task { try await payer.pay(PayRequest(try Bolt11Invoice(decoding: invoice.bolt11))) }
    try await network.calm(id, pending: 1)
    let pending = try #require(await network.channel(1, id)?.pendingPayments.first)
    #expect(pending.lock.kind == PTLCExtension.id && pending.offeredBy == .remote)
    try await network.nodes[0].forceClose(id)
    try await network.mine(until: "the channel has ended") { await network.hasEnded(id) }
    // Nobody has taken it: the payer has it back.
    await #expect(throws: (any Error).self) { try await paying.value }
    await network.stop()
  }

  /// BOLT 2: MUST disconnect after 60 seconds of quiescence if the HTLCs are pending.
  @Test func aChannelThatStaysQuiescentEndsTheConnection() async throws {
    let network = try await TestNetwork(nodes: 2, settings: { settings, _ in settings.quiescenceSeconds = 1 }) {
      launch, _ in
      launch.reconnectsQuickly()
    }
    try await network.fund(0)
    let middle = try await network.middle(0, 1)
    let id = try await network.open(0, 1, pushing: MilliSatoshi(3_000_000_000), type: .simpleTaproot)
    // The proposal is lost, and the peer waits for it.
    middle.set { _, message in message.type == 45072 ? .say([]) : .pass }
    do {
      _ = try await network.call(0, "glc-upgrade", ["id": .string("\(id)"), "stack": .string(Self.withPTLC)])
      Issue.record("a proposal that never arrived was accepted")
    } catch {
      #expect("\(error)".contains("connection was lost"), "\(error)")
    }
    middle.behave()
    try await network.wait("it is usable again") {
      let (a, b) = (await network.channel(0, id), await network.channel(1, id))
      return a?.canOffer == true && b?.canOffer == true
    }
    #expect(await stack(network, 0, id) == Self.without)
    _ = try await network.pay(0, 1, MilliSatoshi(10_000_000))
    _ = try await network.call(0, "glc-upgrade", ["id": .string("\(id)"), "stack": .string(Self.withPTLC)])
    _ = try await pay(network, 0, 1, 20_000_000, PTLCExtension.id)
    await network.stop()
    await middle.stop()
  }
}
