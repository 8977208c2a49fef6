public import Bitcoin
internal import Encoding

/// The on-chain wallet: (state, event) → (state, changes to be stored and what follows). It does no input or output, has no clock, and holds
/// no secret; randomness is handed in where privacy wants it.
///
/// A value: work on a copy, store the update's changes, then keep the copy. A call that throws changes nothing that matters.
///
/// Transactions are the truth and are what is stored; coins, balances and conflicts follow from them.
public struct Wallet: Sendable {
  public let network: Network
  public let keys: WalletKeys
  public var policy: WalletPolicy

  // MARK: Chain

  /// No block below this height concerns the wallet.
  public internal(set) var birth: UInt32
  /// The last block that was connected. Nil before the first.
  public internal(set) var tip: BlockPosition?
  /// The blocks down from the tip, by height, without it.
  var blocks: [UInt32: BlockHash] = [:]
  /// The next height of a rescan that has not reached the tip yet.
  public internal(set) var rescanHeight: UInt32?

  // MARK: Addresses

  struct ChainState: Hashable, Sendable {
    /// The first index that was never handed out or used.
    var next: UInt32 = 0
    /// All below are in the index of scripts.
    var watched: UInt32 = 0
  }

  var chains: [KeyChain: ChainState] = [:]
  var scripts = ScriptIndex()

  // MARK: Transactions

  var records: [TxID: WalletTransaction] = [:]
  /// The transactions of `records` that spend an output, ours or not.
  var spenders: [OutPoint: [TxID]] = [:]
  /// Outputs of ours that active transactions have made and none has spent.
  var unspent: Set<OutPoint> = []
  /// Of `records`.
  var unconfirmed: Set<TxID> = []

  // MARK: Spending

  var reservations: [UInt64: Reservation] = [:]
  var reserved: [OutPoint: UInt64] = [:]
  var nextReservation: UInt64 = 1
  /// How many channels need coins of ours to be confirmed.
  public internal(set) var anchorChannels = 0

  // MARK: The update in the making

  var dirty = Dirty()

  struct Dirty: Sendable {
    var head = false
    var chains: Set<KeyChain> = []
    var records: Set<TxID> = []
    var blocks: Set<UInt32> = []
    var reservations: Set<UInt64> = []
    var notices: [WalletNotice] = []
  }

  /// An empty wallet. Store what `initialUpdate` holds.
  public init(keys: WalletKeys, network: Network, birth: UInt32, policy: WalletPolicy = WalletPolicy()) {
    self.keys = keys
    self.network = network
    self.birth = birth
    self.policy = policy
    for chain in KeyChain.allCases {
      chains[chain] = ChainState()
      watch(chain)
    }
    dirty.head = true
  }

  /// What a new wallet stores.
  public mutating func initialUpdate() -> WalletUpdate { flush() }

  /// The height of the tip; nil before the first block.
  public var height: UInt32? { tip?.height }

  /// The blocks that are remembered, from the tip downwards: for finding where another chain forks off.
  public var locator: [BlockPosition] {
    var positions: [BlockPosition] = []
    guard let tip else { return [] }
    positions.append(tip)
    var height = tip.height
    while height > 0, let hash = blocks[height - 1] {
      height -= 1
      positions.append(BlockPosition(height: height, hash: hash))
    }
    return positions
  }
}
