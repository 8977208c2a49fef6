import BOLT
import Bitcoin
import Encoding
import GLC
import Logging
import Payments
import Peers
import Secp256k1
import Signer
import Testing
import Wallet
import Wire

@testable import Node

@Suite(.serialized) struct SecretLogTests {
  /// Opening, paying, holding, closing by force, with everything told that can be told.
  @Test func noSecretIsInALogAtAnyLevel() async throws {
    let books = [LogBook(), LogBook()]
    let network = try await TestNetwork(nodes: 2) { settings, _ in
      settings.channels.contestDelay = 6
      settings.irrevocableDepth = 3
    } configure: { launch, index in
      launch.logger = books[index].logger("node \(index)", level: TestNetwork.level, noting: .trace)
      launch.peers.logger = launch.logger
    }
    try await network.fund(0)
    let id = try await network.open(0, 1, pushing: MilliSatoshi(2_000_000_000))
    var secrets: [String: String] = [:]
    for (payer, payee) in [(0, 1), (1, 0)] {
      let invoice = try await network.invoice(payee, MilliSatoshi(3_000_000))
      secrets["payment secret of \(payee)"] = Hex.encode(invoice.contents.paymentSecret.array)
      _ = try await network.nodes[payer].pay(PayRequest(invoice))
    }
    let held = try await network.hold(0, 1, MilliSatoshi(50_000_000))
    try await network.wait("it is held") { await network.isHeld(held) }
    try await network.calm(id, pending: 1)
    secrets["preimage"] = Hex.encode(held.preimage.array)
    for (index, node) in network.nodes.enumerated() {
      let channel = try #require(await network.channel(index, id))
      let number = try #require(channel.core?.localNumber)
      secrets["per-commitment secret of \(index)"] = Hex.encode(
        try channel.signer.revocationSecretForProof(number).array)
      let key = node.hub.keys.nodeSecret()
      secrets["key of \(index)"] = Hex.encode(key.bytes)
      secrets["seed of \(index)"] = try TestNetwork.phrase(index)
    }
    try await network.nodes[0].forceClose(id)
    try await network.settle(held)
    try await network.mine(until: "everything is resolved", limit: 100) { await network.hasEnded(id) }
    for (index, book) in books.enumerated() {
      // There is something to read.
      #expect(book.all.contains { $0.hasPrefix("debug:") || $0.hasPrefix("trace:") })
      for (name, secret) in secrets { #expect(!book.contains(secret), "node \(index): \(name)") }
    }
    await network.stop()
  }
}
