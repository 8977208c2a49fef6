public import Bitcoin

/// Where blocks come from and transactions go to: the embedded regtest chain, or a bitcoind.
///
/// Every answer is about the best chain that the source knows at that moment; two calls may see two different tips. Whoever needs a
/// consistent story follows the chain with `ChainFollower`.
public protocol ChainSource: Sendable {
  var network: Network { get }

  /// The last block of the best chain.
  func tip() async throws(ChainError) -> BlockPosition

  /// The tip as soon as it is another than `hash`, or whatever it is when `timeout` is over.
  func tip(otherThan hash: BlockHash, timeout: Duration) async throws(ChainError) -> BlockPosition

  /// The hash of the block at this height of the best chain; nil above the tip.
  func blockHash(at height: UInt32) async throws(ChainError) -> BlockHash?

  /// The header of a block, of whatever branch. Throws `.unknownBlock`.
  func header(of hash: BlockHash) async throws(ChainError) -> BlockHeader

  /// A block, of whatever branch. Throws `.unknownBlock`, `.pruned`.
  func block(_ hash: BlockHash) async throws(ChainError) -> Block

  /// An output that nothing in the best chain spends; nil when there is none. With the mempool: outputs of its transactions count, and
  /// those that they spend do not.
  func unspentOutput(_ outPoint: OutPoint, includingMempool: Bool) async throws(ChainError) -> UnspentOutput?

  /// A transaction in the mempool or, as far as the source can look there, in the best chain. A bitcoind without `txindex` finds
  /// confirmed transactions only in a block that is named. Nil when it is not found.
  func transaction(_ txid: TxID, in block: BlockHash?) async throws(ChainError) -> LocatedTransaction?

  /// The transactions in the mempool that spend these outputs.
  func mempoolSpenders(of outPoints: [OutPoint]) async throws(ChainError) -> [OutPoint: TxID]

  /// Puts a transaction into the mempool and has it relayed. Returns normally when it is there already. Throws
  /// `.refused(TransactionRefusal)`.
  func submit(_ transaction: Transaction) async throws(ChainError)

  /// Puts a child and the unconfirmed parents that it pays for into the mempool together (BIP 431: one parent), parents first. What is
  /// there already does not matter. Throws `.refused` with the first reason.
  func submit(package: [Transaction]) async throws(ChainError)

  /// What `submit` would say to each, taken together and in order, without a package's right to pay for each other.
  func testAccept(_ transactions: [Transaction]) async throws(ChainError) -> [AcceptanceTest]

  /// The rate at which a transaction of now is expected to be confirmed within `target` blocks (from 1 to 1008).
  func feeEstimate(target: Int) async throws(ChainError) -> FeeEstimate

  /// The lowest rate at which a transaction gets into the mempool now.
  func minimumFeeRate() async throws(ChainError) -> FeeRate

  /// What happens from now on. Each call makes a stream of its own. A consumer that lags behind by more than a thousand
  /// notifications misses the oldest ones: take them as a hint to look, never as the record (that is `ChainFollower`).
  func notifications() async -> AsyncStream<ChainNotification>

  /// Whether `notifications` tells of transactions now. When it does not, `mempoolSpenders` has to be asked.
  var tellsTransactions: Bool { get async }
}

extension ChainSource {
  public func unspentOutput(_ outPoint: OutPoint) async throws(ChainError) -> UnspentOutput? {
    try await unspentOutput(outPoint, includingMempool: false)
  }

  public func transaction(_ txid: TxID) async throws(ChainError) -> LocatedTransaction? {
    try await transaction(txid, in: nil)
  }
}

/// An output and where it was confirmed.
public struct UnspentOutput: Hashable, Sendable {
  public var output: TxOutput
  /// Nil while its transaction is in the mempool.
  public var confirmationHeight: UInt32?
  /// Coinbase outputs can be spent 100 blocks later.
  public var isCoinbase: Bool

  public init(output: TxOutput, confirmationHeight: UInt32?, isCoinbase: Bool) {
    self.output = output
    self.confirmationHeight = confirmationHeight
    self.isCoinbase = isCoinbase
  }
}

/// A transaction and the block that confirms it.
public struct LocatedTransaction: Hashable, Sendable {
  public var transaction: Transaction
  /// Nil while it is in the mempool.
  public var block: BlockPosition?

  public init(transaction: Transaction, block: BlockPosition?) {
    self.transaction = transaction
    self.block = block
  }
}

/// What the mempool would say to a transaction.
public struct AcceptanceTest: Hashable, Sendable {
  public var txid: TxID
  public var outcome: Outcome

  public enum Outcome: Hashable, Sendable {
    /// The size in vbytes counts signature operations as Bitcoin Core's policy does.
    case accepted(fee: Satoshi, virtualSize: UInt64)
    case refused(TransactionRefusal)
    /// Not looked at, because another one of the list was refused.
    case notTested
  }

  public init(txid: TxID, outcome: Outcome) {
    self.txid = txid
    self.outcome = outcome
  }

  public var isAccepted: Bool { if case .accepted = outcome { true } else { false } }
  public var refusal: TransactionRefusal? { if case .refused(let refusal) = outcome { refusal } else { nil } }
}

public struct FeeEstimate: Hashable, Sendable {
  public var rate: FeeRate
  /// False when the source has no data and the rate is our own guess.
  public var isEstimated: Bool

  public init(rate: FeeRate, isEstimated: Bool) {
    self.rate = rate
    self.isEstimated = isEstimated
  }
}

public enum ChainNotification: Hashable, Sendable {
  /// The best chain ends here now.
  case tip(BlockPosition)
  /// Entered the mempool.
  case transaction(Transaction)
}
