import Bitcoin
import Chain
import Synchronization

/// A chain that stops answering after so many blocks, or at once, or stands still; and may be one that tells of no transactions.
final class GatedSource: ChainSource {
  private let source: any ChainSource
  private let isSilent: Bool
  private let left = Mutex<Int?>(nil)
  private let still = Mutex<BlockPosition?>(nil)
  private let isAway = Mutex(false)

  init(_ source: any ChainSource, isSilent: Bool = false) {
    self.source = source
    self.isSilent = isSilent
  }

  /// Nil for as many as are wanted.
  func allow(_ blocks: Int?) { left.withLock { $0 = blocks } }

  /// From now on there are no blocks but those that there are; or what has happened since is seen.
  func standStill(_ stands: Bool = true) async throws {
    let tip = stands ? try await source.tip() : nil
    still.withLock { $0 = tip }
  }

  /// Whether outputs and the mempool cannot be asked for.
  func goAway(_ isAway: Bool = true) { self.isAway.withLock { $0 = isAway } }

  private func answer() throws(ChainError) {
    if isAway.withLock({ $0 }) { throw .unreachable(address: "the test", reason: "away") }
  }

  var network: Network { source.network }
  func tip() async throws(ChainError) -> BlockPosition {
    if let still = still.withLock({ $0 }) { return still }
    return try await source.tip()
  }
  func tip(otherThan hash: BlockHash, timeout: Duration) async throws(ChainError) -> BlockPosition {
    if let still = still.withLock({ $0 }) {
      try? await Task.sleep(for: min(timeout, .milliseconds(20)))
      return still
    }
    let tip = try await source.tip(otherThan: hash, timeout: min(timeout, .seconds(1)))
    // It may have stopped meanwhile.
    return still.withLock { $0 } ?? tip
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
    try answer()
    return try await source.unspentOutput(outPoint, includingMempool: includingMempool)
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
  func mempoolSpenders(of outPoints: [OutPoint]) async throws(ChainError) -> [OutPoint: TxID] {
    try answer()
    return try await source.mempoolSpenders(of: outPoints)
  }
  func notifications() async -> AsyncStream<ChainNotification> {
    let all = await source.notifications()
    guard isSilent else { return all }
    let (stream, continuation) = AsyncStream.makeStream(of: ChainNotification.self)
    let task = Task {
      for await case .tip(let position) in all { continuation.yield(.tip(position)) }
      continuation.finish()
    }
    continuation.onTermination = { _ in task.cancel() }
    return stream
  }
  var tellsTransactions: Bool { get async { if isSilent { false } else { await source.tellsTransactions } } }
}
