import BOLT
import Bitcoin
import Chain
import Configuration
import Encoding
import GLC
import Hashing
import JSON
import Logging
import Payments
import Peers
import RPC
import Routing
import Secp256k1
import Storage
import Synchronization
import Testing
import Wallet
import Wire

@testable import Node

/// A payment that somebody has started, and how it ended.
final class Paying: Sendable {
  let amount: MilliSatoshi
  let hash: Bytes32
  private let result = Mutex<Result<PaymentRecord, any Error>?>(nil)

  init(_ node: Node, _ invoice: Bolt11Invoice, limits: PaymentLimits = PaymentLimits()) {
    amount = invoice.contents.amount ?? .zero
    hash = invoice.contents.paymentHash
    Task {
      do {
        let record = try await node.pay(PayRequest(invoice, limits: limits))
        result.withLock { $0 = .success(record) }
      } catch {
        result.withLock { $0 = .failure(error) }
      }
    }
  }

  var outcome: Result<PaymentRecord, any Error>? { result.withLock { $0 } }
  var isOver: Bool { outcome != nil }
  var succeeded: Bool { if case .success? = outcome { true } else { false } }
  var failed: Bool { if case .failure? = outcome { true } else { false } }
  var failure: PaymentFailure? { if case .failure(let error)? = outcome { error as? PaymentFailure } else { nil } }
}

extension PaymentLimits {
  /// Of who waits for the payee's decision, or the chain's, however long this machine takes for it.
  static let patient: Self = {
    var limits = Self()
    limits.retryForSeconds = 24 * 3600
    return limits
  }()
}

/// A payment that its payee decides upon.
struct Held {
  let preimage: Bytes32
  let hash: Bytes32
  let payee: Int
  let paying: Paying
}

extension TestNetwork {
  func invoice(_ payee: Int, _ amount: MilliSatoshi, hold: Bytes32? = nil, expiry: UInt32? = nil) async throws
    -> Bolt11Invoice
  {
    var terms = InvoiceTerms(amount: amount, label: "invoice \(UInt64.random(in: 0...(.max)))", description: "test")
    terms.holdHash = hold
    terms.minFinalCLTVExpiryDelta = expiry
    return try Bolt11Invoice(decoding: try await nodes[payee].createInvoice(terms).bolt11)
  }

  /// Starts a payment that the payee holds.
  func hold(_ payer: Int, _ payee: Int, _ amount: MilliSatoshi, expiry: UInt32? = nil) async throws -> Held {
    let preimage = sha256(Array("preimage \(UInt64.random(in: 0...(.max)))".utf8))
    let hash = sha256(preimage.bytes)
    let invoice = try await invoice(payee, amount, hold: hash, expiry: expiry)
    return Held(preimage: preimage, hash: hash, payee: payee, paying: Paying(nodes[payer], invoice, limits: .patient))
  }

  func isHeld(_ held: Held) async -> Bool { await nodes[held.payee].isHeld(held.hash) }
  func settle(_ held: Held) async throws {
    try await nodes[held.payee].settleInvoice(held.hash, preimage: held.preimage)
  }
  func cancel(_ held: Held) async throws { try await nodes[held.payee].cancelInvoice(held.hash) }

  /// Until a node has heard of so many channels, and what both ends of each ask for.
  func learnAll(_ index: Int, channels count: Int) async throws {
    try await wait("node \(index) knows all channels", seconds: 30) {
      self.nodes[index].gossip.view.state.withLock { state in
        state.graph.channelCount == count
          && state.graph.allChannels.allSatisfy { $0.policies.0 != nil && $0.policies.1 != nil }
      }
    }
  }

  /// Until nothing is on its way between the two ends, and so many payments are pending.
  func calm(_ id: ChannelID, pending count: Int = 0) async throws {
    try await wait("nothing is on its way") {
      var ends = 0
      for node in self.nodes {
        guard let channel = await node.channels().first(where: { $0.id == id }) else { continue }
        guard channel.pendingPayments.count == count, channel.core?.log.entries.isEmpty == true else { return false }
        ends += 1
      }
      return ends == 2
    }
  }

  func channel(_ index: Int, _ id: ChannelID) async -> LightningChannel? {
    await nodes[index].channels().first { $0.id == id }
  }

  /// For all nodes.
  func hasEnded(_ id: ChannelID) async -> Bool {
    for index in nodes.indices where await channel(index, id)?.phase != .ended { return false }
    return true
  }

  /// Mines one block after the other, giving nodes time to answer each, until the condition holds.
  func mine(until what: String, limit: Int = 400, _ condition: () async throws -> Bool) async throws {
    for _ in 0..<limit {
      if try await condition() { return }
      try await mine()
      await settleDown()
    }
    Issue.record("not within \(limit) blocks: \(what)")
    throw NodeError.invalid("not in time: \(what)")
  }

  /// Until what a block has led to is in the mempool, and signatures that waited for something else are under way.
  func settleDown() async {
    for node in nodes { _ = await node.channels() }
    for _ in 0..<10 {
      try? await Task.sleep(for: .milliseconds(4))
      guard await holdsSignatures else { break }
    }
    for node in nodes { _ = await node.channels() }
  }

  private var holdsSignatures: Bool {
    get async {
      for node in nodes {
        if await node.inspect().contains(where: { $0.heldSince != nil && $0.channel.isEstablished }) { return true }
      }
      return false
    }
  }

  /// What all wallets and open channels hold, and what was paid in fees and lies about since this height.
  func audit(since height: UInt32) async throws -> Audit {
    var audit = Audit()
    var created: [OutPoint: TxOutput] = [:]
    var all: [TxID: Transaction] = [:]
    let tip = try await chain.tip().height
    for height in 0...tip {
      guard let hash = try await chain.blockHash(at: height) else { continue }
      for transaction in try await chain.block(hash).transactions { all[transaction.txid] = transaction }
    }
    for next in (height + 1)...max(tip, height + 1) {
      guard let hash = try await chain.blockHash(at: next) else { continue }
      for transaction in try await chain.block(hash).transactions.dropFirst() {
        var sum: UInt64 = 0
        for input in transaction.inputs {
          created[input.previousOutput] = nil
          sum += all[input.previousOutput.txid]?.outputs[Int(input.previousOutput.vout)].value.rawValue ?? 0
        }
        for (index, output) in transaction.outputs.enumerated() {
          created[OutPoint(txid: transaction.txid, vout: UInt32(index))] = output
          sum -= output.value.rawValue
        }
        audit.fees += sum
      }
    }
    for node in nodes {
      let wallet = await node.hub.wallet.current
      audit.wallets.append(wallet.balance.confirmed.rawValue)
      for coin in wallet.coins { created[coin.outPoint] = nil }
      for channel in await node.channels() where channel.phase < .onchain {
        if let funding = channel.funding?.outPoint, created.removeValue(forKey: funding) != nil {
          audit.channels += channel.capacity.rawValue
        }
      }
    }
    audit.strays = created.values.filter { $0.value.rawValue > 0 }.map(\.value.rawValue)
    return audit
  }

  struct Audit: CustomStringConvertible {
    var wallets: [UInt64] = []
    var channels: UInt64 = 0
    var fees: UInt64 = 0
    /// Outputs that are nobody's.
    var strays: [UInt64] = []

    var total: UInt64 { wallets.reduce(0, +) + channels + fees + strays.reduce(0, +) }
    var description: String { "wallets \(wallets), channels \(channels), fees \(fees), strays \(strays)" }
  }
}

extension Node.Launch {
  /// So that tests that cut connections need not wait.
  mutating func reconnectsQuickly() {
    peers.times.firstRetry = .milliseconds(10)
    peers.times.longestRetry = .milliseconds(60)
    peers.times.stable = .milliseconds(1)
  }
}

extension TestNetwork {
  /// What the API of a node answers, without a socket.
  func call(_ index: Int, _ method: String, _ params: JSONValue = .null) async throws -> JSONValue {
    var registry = RPCRegistry()
    var configuration = NodeConfiguration()
    configuration.network = .regtest
    NodeHandlers.register(
      in: &registry, node: nodes[index], surroundings: NodeSurroundings(configuration: configuration))
    return try await registry.call(method, params: params, context: RPCContext(logger: nodes[index].hub.logger))
  }
}
