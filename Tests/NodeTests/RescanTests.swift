import Bitcoin
import Chain
import Storage
import Synchronization
import Testing
import Wallet

@testable import Node

/// A chain that stops answering after so many blocks.
final class GatedSource: ChainSource {
  private let source: any ChainSource
  private let left = Mutex<Int?>(nil)

  init(_ source: any ChainSource) { self.source = source }

  /// Nil for as many as are wanted.
  func allow(_ blocks: Int?) { left.withLock { $0 = blocks } }

  var network: Network { source.network }
  func tip() async throws(ChainError) -> BlockPosition { try await source.tip() }
  func tip(otherThan hash: BlockHash, timeout: Duration) async throws(ChainError) -> BlockPosition {
    try await source.tip(otherThan: hash, timeout: timeout)
  }
  func blockHash(at height: UInt32) async throws(ChainError) -> BlockHash? { try await source.blockHash(at: height) }
  func header(of hash: BlockHash) async throws(ChainError) -> BlockHeader { try await source.header(of: hash) }
  func block(_ hash: BlockHash) async throws(ChainError) -> Block {
    let isOpen = left.withLock { left in
      guard let count = left else { return true }
      left = max(count - 1, 0)
      return count > 0
    }
    guard isOpen else { throw .unreachable(address: "the test", reason: "closed") }
    return try await source.block(hash)
  }
  func unspentOutput(_ outPoint: OutPoint, includingMempool: Bool) async throws(ChainError) -> UnspentOutput? {
    try await source.unspentOutput(outPoint, includingMempool: includingMempool)
  }
  func transaction(_ txid: TxID, in block: BlockHash?) async throws(ChainError) -> LocatedTransaction? {
    try await source.transaction(txid, in: block)
  }
  func submit(_ transaction: Transaction) async throws(ChainError) { try await source.submit(transaction) }
  func submit(package: [Transaction]) async throws(ChainError) { try await source.submit(package: package) }
  func testAccept(_ transactions: [Transaction]) async throws(ChainError) -> [AcceptanceTest] {
    try await source.testAccept(transactions)
  }
  func feeEstimate(target: Int) async throws(ChainError) -> FeeEstimate { try await source.feeEstimate(target: target) }
  func minimumFeeRate() async throws(ChainError) -> FeeRate { try await source.minimumFeeRate() }
  func notifications() async -> AsyncStream<ChainNotification> { await source.notifications() }
}

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
