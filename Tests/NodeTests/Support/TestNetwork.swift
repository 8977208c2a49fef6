import BOLT
import Bitcoin
import BitcoindSupport
import Chain
import Encoding
import Foundation
import GLC
import HTLC
import Hashing
import Logging
import Payments
import Peers
import Secp256k1
import Storage
import Testing
import Wallet
import Wire

@testable import Node

/// Nodes in one process on one chain, talking over loopback.
final class TestNetwork {
  let chain: TestChain
  var nodes: [Node] = []
  var launches: [Node.Launch] = []
  let logs: [LogBook]
  /// Who stands between two nodes, by the one that connects and the other.
  private var middles: [[Int]: Middle] = [:]

  init(
    nodes count: Int, on chain: TestChain? = nil, settings: (inout NodeSettings, Int) -> Void = { _, _ in },
    configure: (inout Node.Launch, Int) -> Void = { _, _ in }
  ) async throws {
    if let chain { self.chain = chain } else { self.chain = try await TestChain.make() }
    logs = (0..<count).map { _ in LogBook() }
    for index in 0..<count {
      var own = NodeSettings(network: .regtest)
      own.irrevocableDepth = 10
      settings(&own, index)
      let seed = try MasterSeed(phrase: Self.phrase(index))
      let logger = logs[index].logger("node \(index)", level: TestNetwork.level)
      var launch = Node.Launch(
        settings: own, keys: try KeyRing(seed, networkKind: .test), store: try MemoryStore(schema: .node),
        source: self.chain.source, logger: logger)
      launch.birth = 0
      launch.listen = [try NodeAddress(text: "127.0.0.1:\(RunningBitcoind.freePort())")]
      configure(&launch, index)
      let node = try await Node.start(launch)
      // After a restart, others find it where it was.
      launch.listen = node.addresses
      launches.append(launch)
      nodes.append(node)
    }
  }

  static let level = Logger.Level(rawValue: ProcessInfo.processInfo.environment["GLC_LOG"] ?? "critical") ?? .critical

  /// Whether there is time for what takes minutes.
  static let isLong = ProcessInfo.processInfo.environment["GLC_LONG"] == "1"

  /// GLC_STRIKE=NODE,NUMBER: one place alone, where tests of faults strike in many.
  static let strike: (Int, Int)? = {
    let parts = ProcessInfo.processInfo.environment["GLC_STRIKE"]?.split(separator: ",").compactMap { Int($0) } ?? []
    return parts.count == 2 ? (parts[0], parts[1]) : nil
  }()

  static func phrase(_ index: Int) throws -> String {
    let seed = sha256(Array("test node \(index)".utf8))
    return try Mnemonic(entropy: seed.array).phrase
  }

  /// Stops a node and starts it again from what it had stored.
  func restart(_ index: Int, losingPower: Bool = false) async throws {
    let store = try #require(launches[index].store as? MemoryStore)
    // As it is at this moment, whatever the node does while it stops.
    if losingPower { launches[index].store = try store.reopened() }
    await nodes[index].stop()
    if !losingPower { launches[index].store = try store.reopened() }
    nodes[index] = try await Node.start(launches[index])
  }

  /// Whoever has lost power is started again. Returns how many they were.
  func heal() async -> Int {
    var restarts = 0
    for index in nodes.indices {
      guard let store = launches[index].store as? MemoryStore else { continue }
      do { try await store.integrityCheck() } catch {
        restarts += 1
        await nodes[index].stop()
        for _ in 0..<10 {
          do {
            let old = launches[index].store as! MemoryStore
            launches[index].store = try old.reopened()
            nodes[index] = try await Node.start(launches[index])
            break
          } catch { continue }
        }
      }
    }
    return restarts
  }

  func mine(_ count: Int = 1) async throws {
    let position = try #require(try await chain.mine(count).last)
    for node in nodes { await node.reach(position.height) }
  }

  func fund(_ index: Int, _ amount: Satoshi = Satoshi(100_000_000)) async throws {
    let address = try await nodes[index].newAddress()
    _ = try await chain.send(amount, to: address.scriptPubKey)
    try await mine()
  }

  func connect(_ a: Int, _ b: Int) async throws {
    try await nodes[a].connect(to: nodes[b].nodeID, at: middles[[a, b]]?.addresses ?? nodes[b].addresses)
  }

  /// Stands between two nodes from now on, which are not connected yet.
  func middle(_ a: Int, _ b: Int) async throws -> Middle {
    let middle = try await Middle(nodes[a], nodes[b])
    middles[[a, b]] = middle
    return middle
  }

  @discardableResult func open(
    _ a: Int, _ b: Int, _ capacity: Satoshi = Satoshi(10_000_000), pushing: MilliSatoshi = .zero,
    type: Wire.ChannelType = .anchors, announced: Bool = false
  ) async throws -> ChannelID {
    try await connect(a, b)
    let id = try await nodes[a].openChannel(
      with: nodes[b].nodeID, capacity: capacity, pushing: pushing, type: type, isAnnounced: announced)
    try await wait("the funding transaction") { try await !self.chain.mempoolTransactions().isEmpty }
    try await mine(6)
    for index in [a, b] {
      try await wait("channel of \(index) is usable") {
        await self.nodes[index].inspect().contains {
          $0.channel.id == id && $0.channel.canOffer && $0.peerPolicy != nil
        }
      }
    }
    return id
  }

  func wait(_ what: String, seconds: Int = 20, _ condition: () async throws -> Bool) async throws {
    for _ in 0..<(seconds * 50) {
      if try await condition() { return }
      try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("not within \(seconds) s: \(what)")
    throw NodeError.invalid("not in time: \(what)")
  }

  func pay(_ from: Int, _ to: Int, _ amount: MilliSatoshi) async throws -> PaymentRecord {
    let label = "invoice \(UInt64.random(in: 0...(.max)))"
    let invoice = try await nodes[to].createInvoice(InvoiceTerms(amount: amount, label: label, description: "test"))
    return try await nodes[from].pay(PayRequest(try Bolt11Invoice(decoding: invoice.bolt11)))
  }

  func balance(_ index: Int) async -> MilliSatoshi {
    await nodes[index].channels().reduce(.zero) { $0.adding($1.balances?[.local] ?? .zero) ?? $0 }
  }

  func stop() async {
    for node in nodes { await node.stop() }
    for middle in middles.values { await middle.stop() }
    await chain.stop()
  }
}
