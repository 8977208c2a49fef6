import Bitcoin
import BitcoindSupport
import Testing

@testable import Chain

/// A chain of its own for a test, seen through a `ChainSource`, with someone who mines.
protocol ChainUnderTest: Sendable {
  var source: any ChainSource { get }
  @discardableResult func mine(_ count: Int) async throws -> BlockPosition
  /// A block with these transactions and nothing else.
  func mine(_ transactions: [Transaction]) async throws
  func send(_ amount: Satoshi, to script: Script) async throws -> OutPoint
  func invalidate(_ hash: BlockHash) async throws
  func reconsider(_ hash: BlockHash) async throws
}

extension ChainUnderTest {
  /// A confirmed output that the test can spend.
  func coin(_ value: UInt64 = 1_000_000) async throws -> SpendableCoin {
    let outPoint = try await send(Satoshi(value), to: SpendableCoin.script)
    try await mine(1)
    return SpendableCoin(outPoint, value)
  }

  /// What the source refuses; nil when it accepts.
  func refusal(_ transaction: Transaction) async throws -> TransactionRefusal? {
    do {
      try await source.submit(transaction)
      return nil
    } catch ChainError.refused(let refusal) {
      return refusal
    }
  }

  func refusal(package: [Transaction]) async throws -> TransactionRefusal? {
    do {
      try await source.submit(package: package)
      return nil
    } catch ChainError.refused(let refusal) {
      return refusal
    }
  }

  func isInMempool(_ transaction: Transaction) async throws -> Bool {
    let found = try await source.transaction(transaction.txid)
    return found != nil && found?.block == nil
  }
}

struct EmbeddedChain: ChainUnderTest {
  let chain: RegtestChain
  var source: any ChainSource { chain }

  func mine(_ count: Int) async throws -> BlockPosition {
    try await chain.mine(count)
    return try await chain.tip()
  }
  func mine(_ transactions: [Transaction]) async throws { try await chain.mine(transactions) }
  func send(_ amount: Satoshi, to script: Script) async throws -> OutPoint { try await chain.send(amount, to: script) }
  func invalidate(_ hash: BlockHash) async throws { try await chain.invalidate(hash) }
  func reconsider(_ hash: BlockHash) async throws { try await chain.reconsider(hash) }
}

enum Backend: CaseIterable, Sendable, CustomStringConvertible {
  case embedded
  /// Through `BitcoindSource` and `ChainServer`.
  case served
  /// A real one; see `RunningBitcoind`.
  case bitcoind

  static let available: [Backend] = RunningBitcoind.executable == nil ? [.embedded, .served] : allCases

  var description: String {
    switch self {
    case .embedded: "the embedded chain"
    case .served: "the embedded chain, served"
    case .bitcoind: "bitcoind"
    }
  }

  func run(_ body: @Sendable (any ChainUnderTest) async throws -> Void) async throws {
    switch self {
    case .embedded: try await body(EmbeddedChain(chain: try RegtestChain()))
    case .served:
      try await withServedChain { _, _, source in
        try await body(RPCChain(bitcoind: source))
      }
    case .bitcoind: try await withBitcoind { _, chain in try await body(chain) }
    }
  }
}
