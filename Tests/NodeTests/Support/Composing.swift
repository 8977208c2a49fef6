import BOLT
import Bitcoin
import Encoding
import GLC
import Hashing
import Negotiation
import PTLC
import Payments
import Secp256k1
import Testing
import Wallet
import Wire

@testable import Node

extension TestNetwork {
  /// What both have is composed of these parts.
  static let points = "musig2 + htlc + ptlc + anchors"

  /// What the first node may ask the second one for.
  func order(
    _ text: String, amount: UInt64 = 1_000_000, wished: UInt64 = 0, pushed: UInt64 = 0, feeRate: UInt32 = 1000
  ) throws -> ProposalOrder {
    ProposalOrder(
      stack: try nodes[0].hub.registry.description(parsing: text), contribution: Satoshi(amount),
      wished: Satoshi(wished), pushed: MilliSatoshi(pushed), feeRate: FeeRate(satPerKiloWeight: feeRate),
      policy: nodes[0].settings.channels)
  }

  /// A channel that two nodes compose, funded by the first one, and used.
  @discardableResult func compose(
    _ a: Int, _ b: Int, _ capacity: Satoshi = Satoshi(10_000_000), pushing: MilliSatoshi = .zero,
    announced: Bool = false
  ) async throws -> ChannelID {
    try await connect(a, b)
    var order = ProposalOrder(
      stack: try nodes[a].hub.registry.description(parsing: Self.points), contribution: capacity, pushed: pushing,
      feeRate: FeeRate(satPerKiloWeight: 2500), policy: nodes[a].settings.channels)
    order.isAnnounced = announced
    let id = try await nodes[a].propose(order, to: nodes[b].nodeID)
    try await wait("the funding transaction") { try await !self.chain.mempoolTransactions().isEmpty }
    try await mine(6)
    try await usable(id, [a, b])
    return id
  }

  /// Returns when these nodes can pay through a channel and know what the peer asks for.
  func usable(_ id: ChannelID, _ indexes: [Int] = [0, 1]) async throws {
    for index in indexes {
      try await wait("the composed channel of \(index) is usable") {
        await self.nodes[index].inspect().contains {
          $0.channel.id == id && $0.channel.canOffer && $0.peerPolicy != nil
        }
      }
    }
  }

  func pointInvoice(_ payee: Int, _ amount: MilliSatoshi) async throws -> Bolt11Invoice {
    var terms = InvoiceTerms(amount: amount, label: "invoice \(UInt64.random(in: 0...(.max)))", description: "test")
    terms.kind = PTLCExtension.id
    return try Bolt11Invoice(decoding: try await nodes[payee].createInvoice(terms).bolt11)
  }

  /// Starts a payment to a point that the payee holds.
  func holdPoint(_ payer: Int, _ payee: Int, _ amount: MilliSatoshi) async throws -> Held {
    let secret = sha256(Array("scalar \(UInt64.random(in: 0...(.max)))".utf8))
    var terms = InvoiceTerms(amount: amount, label: "invoice \(UInt64.random(in: 0...(.max)))", description: "test")
    terms.holdTarget = PaymentLock(kind: PTLCExtension.id, bytes: try SecretKey(secret).publicKey.array)
    let invoice = try Bolt11Invoice(decoding: try await nodes[payee].createInvoice(terms).bolt11)
    return Held(
      preimage: secret, hash: invoice.contents.paymentHash, payee: payee,
      paying: Paying(nodes[payer], invoice, limits: .patient))
  }

  /// The points that lock payments on a channel, as one of its ends sees them.
  func points(_ index: Int, _ id: ChannelID) async throws -> [PublicKey] {
    let pending = await channel(index, id)?.pendingPayments ?? []
    return try pending.filter { $0.lock.kind == PTLCExtension.id }.map {
      try #require(PublicKey(parsing: $0.lock.bytes))
    }
  }
}
