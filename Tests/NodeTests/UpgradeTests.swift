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
import Storage
import Synchronization
import Testing
import Wire

@testable import Node

/// Another stack for an open channel, between real nodes.
@Suite(.serialized) struct UpgradeTests {
  static let withPTLC = "musig2 + htlc + ptlc + anchors"
  static let without = "musig2 + htlc + anchors"
  static let paired = "musig2 + htlc + ptlc(musig2) + anchors"

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

  /// The text that a stack has for whoever sees it: the first form of an extension is not named.
  private func plain(_ text: String) -> String { text.replacing("(single-signer)", with: "") }

  private func upgrade(_ network: TestNetwork, by index: Int, _ id: ChannelID, to text: String) async throws {
    let reply = try await network.call(index, "glc-upgrade", ["id": .string("\(id)"), "stack": .string(text)])
    let found = plain(text)
    #expect(reply["stack"]?.stringValue == (found == Self.without ? "simple_taproot" : found))
    try await network.wait("both have \(found)") {
      for other in 0..<2 where await self.stack(network, other, id) != found { return false }
      return true
    }
  }

  /// Payments that both sides pre-sign together come, go, and take the place of the simpler ones.
  @Test func aChannelGainsPaymentsThatBothPreSignAndExchangesTheirForm() async throws {
    let network = try await TestNetwork(nodes: 2)
    try await network.fund(0)
    let id = try await network.open(0, 1, pushing: MilliSatoshi(3_000_000_000), type: .simpleTaproot)
    try await upgrade(network, by: 0, id, to: Self.paired)
    _ = try await pay(network, 0, 1, 20_000_000, PTLCExtension.id)
    _ = try await pay(network, 1, 0, 5_000_000, PTLCExtension.id)
    try await network.calm(id)
    try await upgrade(network, by: 1, id, to: Self.without)
    await #expect(throws: (any Error).self) { _ = try await self.pay(network, 0, 1, 1_000_000, PTLCExtension.id) }
    try await upgrade(network, by: 1, id, to: Self.withPTLC)
    _ = try await pay(network, 0, 1, 2_000_000, PTLCExtension.id)
    // As long as a payment is pending, its form stays.
    let held = try await network.holdPoint(0, 1, MilliSatoshi(3_000_000))
    try await network.wait("it is held") { await network.isHeld(held) }
    await #expect {
      try await self.upgrade(network, by: 0, id, to: Self.paired)
    } throws: {
      "\($0)".contains("still holds")
    }
    try await network.settle(held)
    try await network.wait("it is paid") { held.paying.isOver }
    try await network.calm(id)
    try await upgrade(network, by: 0, id, to: Self.paired)
    _ = try await pay(network, 0, 1, 1_000_000, PTLCExtension.id)
    for index in 0..<2 {
      try await network.restart(index, losingPower: true)
      try await network.connect(0, 1)
      try await network.usable(id)
      #expect(await stack(network, index, id) == Self.paired)
      _ = try await pay(network, index, 1 - index, 1_000_000, PTLCExtension.id)
    }
    try await network.calm(id)
    try await upgrade(network, by: 1, id, to: "musig2 + htlc + ptlc(single-signer) + anchors")
    _ = try await pay(network, 1, 0, 1_000_000, PTLCExtension.id)
    try await network.calm(id)
    // 7,000 - 20 + 5 - 2 - 3 - 1 - 1 + 1 + 1 thousand satoshis.
    #expect(await network.balance(0) == MilliSatoshi(6_980_000_000))
    try await network.nodes[0].close(id)
    try await network.mine(until: "the channel has ended", limit: 60) { await network.channel(0, id)?.phase == .ended }
    await network.stop()
  }

  /// A node loses power before, or behind, each thing that it stores while the stack is exchanged, back and forth: afterwards there is one
  /// stack, the same for both, and payments by whatever it has go on.
  @Test(arguments: [0, 1], [false, true])
  func powerLossAtAnyCommitOfAnUpgradeLeavesOneStack(victim: Int, isDurable: Bool) async throws {
    let network = try await TestNetwork(nodes: 2) { settings, _ in
      settings.channels.contestDelay = 6
    } configure: { launch, _ in
      launch.reconnectsQuickly()
    }
    try await network.fund(0)
    let id = try await network.open(0, 1, pushing: MilliSatoshi(3_000_000_000), type: .simpleTaproot)
    // Each of them is the other's way back, the forms of one extension too.
    let simple = "musig2 + htlc + ptlc(single-signer) + anchors"
    for (from, to) in [(Self.without, Self.paired), (Self.paired, simple), (simple, Self.paired)] {
      var strikes = 0
      for offset in 0..<40 {
        try await network.calm(id)
        if await stack(network, 0, id) != plain(from) { try await upgrade(network, by: 0, id, to: from) }
        try await network.calm(id)
        guard try await strike(network, id, to: to, victim, offset, isDurable: isDurable) else { break }
        strikes += 1
        let found = [await stack(network, 0, id), await stack(network, 1, id)]
        #expect(found[0] == found[1] && [plain(from), plain(to)].contains(found[0]), "commit \(offset): \(found)")
        try await network.usable(id)
        let kind = found[0] == Self.without ? HTLCExtension.id : PTLCExtension.id
        _ = try await pay(network, offset % 2, 1 - offset % 2, 1_000_000, kind)
      }
      #expect(strikes >= 2, "\(strikes) from \(from) to \(to)")
    }
    await network.stop()
  }

  /// Exchanges the stack while a node loses power at this commit. Returns when the channel is usable again; false when it never came to that
  /// commit.
  private func strike(
    _ network: TestNetwork, _ id: ChannelID, to text: String, _ victim: Int, _ offset: Int, isDurable: Bool
  ) async throws -> Bool {
    let store = try #require(network.launches[victim].store as? MemoryStore)
    store.inject(isDurable ? .losePowerAfter : .losePowerBefore, atCommit: store.commits + offset)
    let description = try ExtensionRegistry.shipped.description(parsing: text)
    let node = network.nodes[0]
    let outcome = Mutex<Bool?>(nil)
    Task {
      do {
        try await node.upgrade(id, to: description)
        outcome.withLock { $0 = true }
      } catch {
        outcome.withLock { $0 = false }
      }
    }
    var restarts = 0
    try await network.wait("it is over, and the channel is usable", seconds: 60) {
      restarts += await network.heal()
      guard outcome.withLock({ $0 != nil }) else { return false }
      for index in 0..<2 {
        guard let channel = await network.channel(index, id), channel.canOffer, channel.core?.isChangingStack == false,
          channel.core?.log.entries.isEmpty == true
        else { return false }
      }
      return true
    }
    // What comes later is no part of the exchange.
    store.withdrawFaults()
    while case let late = await network.heal(), late > 0 { restarts += late }
    try await network.usable(id)
    if outcome.withLock({ $0 }) == true { #expect(await stack(network, 0, id) == plain(text), "commit \(offset)") }
    return restarts > 0
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
