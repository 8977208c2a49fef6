import Bitcoin
import BitcoindSupport
import Chain
import Foundation

/// A chain of a test's own: the embedded one, or a bitcoind. Tests of nodes do not see the difference.
enum TestChain: Sendable {
  case embedded(RegtestChain)
  case bitcoind(BitcoindChain)

  /// GLC_CHAIN=bitcoind: every test of nodes runs on a real one.
  static let isReal: Bool = {
    switch ProcessInfo.processInfo.environment["GLC_CHAIN"] {
    case nil, "", "embedded": return false
    case "bitcoind": return true
    case let other?: fatalError("GLC_CHAIN is \(other), not embedded or bitcoind")
    }
  }()

  static func make() async throws -> TestChain {
    isReal ? .bitcoind(try await BitcoindChain.start()) : .embedded(try RegtestChain())
  }

  var source: any ChainSource {
    switch self {
    case .embedded(let chain): chain
    case .bitcoind(let chain): chain.bitcoind
    }
  }

  func tip() async throws -> BlockPosition { try await source.tip() }
  func blockHash(at height: UInt32) async throws -> BlockHash? { try await source.blockHash(at: height) }
  func block(_ hash: BlockHash) async throws -> Block { try await source.block(hash) }

  @discardableResult func mine(_ count: Int = 1) async throws -> [BlockPosition] {
    switch self {
    case .embedded(let chain): try await chain.mine(count)
    case .bitcoind(let chain): try await chain.mine(count)
    }
  }

  /// A block with these transactions and nothing else.
  @discardableResult func mine(_ transactions: [Transaction]) async throws -> BlockPosition {
    switch self {
    case .embedded(let chain): try await chain.mine(transactions)
    case .bitcoind(let chain): try await chain.mine(transactions)
    }
  }

  @discardableResult func send(_ amount: Satoshi, to script: Script) async throws -> OutPoint {
    switch self {
    case .embedded(let chain): try await chain.send(amount, to: script)
    case .bitcoind(let chain): try await chain.send(amount, to: script)
    }
  }

  func mempoolTransactions() async throws -> [Transaction] {
    switch self {
    case .embedded(let chain): await chain.mempoolTransactions()
    case .bitcoind(let chain): try await chain.mempoolTransactions()
    }
  }

  /// Replaces the last blocks by empty ones; what they held goes back to the mempool.
  @discardableResult func reorganise(depth: Int, count: Int? = nil) async throws -> [BlockPosition] {
    switch self {
    case .embedded(let chain): try await chain.reorganise(depth: depth, count: count)
    case .bitcoind(let chain): try await chain.reorganise(depth: depth, count: count)
    }
  }

  func stop() async { if case .bitcoind(let chain) = self { await chain.stop() } }
}
