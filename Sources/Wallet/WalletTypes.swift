public import Bitcoin
internal import Encoding

/// A record to be stored, or removed when the value is nil. The wallet wants all changes of an update in one transaction.
public struct WalletChange: Hashable, Sendable {
  /// 1 to 41 bytes.
  public var key: [UInt8]
  public var value: [UInt8]?

  public init(key: [UInt8], value: [UInt8]?) {
    self.key = key
    self.value = value
  }
}

/// What became of a step: what to store, then what to tell and to do.
public struct WalletUpdate: Hashable, Sendable {
  public var changes: [WalletChange] = []
  public var notices: [WalletNotice] = []

  public init() {}

  public mutating func append(_ other: WalletUpdate) {
    changes += other.changes
    notices += other.notices
  }
}

public enum WalletNotice: Hashable, Sendable {
  /// A transaction of ours was seen for the first time.
  case added(TxID)
  case confirmed(TxID, height: UInt32)
  /// It lost its block.
  case unconfirmed(TxID)
  /// It will not be confirmed, unless the other is undone.
  case replaced(TxID, by: TxID)
  /// Of our own making, and to be given to the network again.
  case publish(Transaction)
}

/// A transaction that concerns the wallet.
public struct WalletTransaction: Hashable, Sendable {
  public enum Status: Hashable, Sendable {
    /// In the block of this height, at this place.
    case confirmed(height: UInt32, position: UInt32)
    case unconfirmed
    /// Another transaction spends the same outputs.
    case replaced(by: TxID)
    /// A coinbase that lost its block, or what depends on one.
    case orphaned
    /// Given up by us.
    case abandoned

    /// Whether it is or may come into the chain.
    public var isActive: Bool {
      switch self {
      case .confirmed, .unconfirmed: true
      case .replaced, .orphaned, .abandoned: false
      }
    }

    public var height: UInt32? { if case .confirmed(let height, _) = self { height } else { nil } }
  }

  public let txid: TxID
  public internal(set) var transaction: Transaction
  public internal(set) var status: Status
  /// Whether this wallet made it.
  public internal(set) var isOwn: Bool
  /// Whether a transaction of another id may take its place: not where a channel depends on it.
  public internal(set) var isReplaceable: Bool
  /// In satoshi, when it is known: all inputs are ours, or whoever made it said so.
  public internal(set) var fee: Satoshi?
  public internal(set) var label: String
  /// Unix time in seconds: when it was first seen, or its block's.
  public internal(set) var time: UInt64
}

/// An output of ours that has not been spent in the chain.
public struct Coin: Hashable, Sendable {
  public enum State: Hashable, Sendable {
    case confirmed(height: UInt32)
    /// Of a coinbase transaction; it can be spent in a block of this height.
    case immature(until: UInt32)
    /// `isTrusted` when all inputs of its transaction are ours, so that nobody else can undo it.
    case unconfirmed(isTrusted: Bool)
  }

  public var outPoint: OutPoint
  public var output: TxOutput
  public var path: AddressPath
  public var state: State
  /// The reservation that holds it.
  public var reservation: UInt64?

  public var value: Satoshi { output.value }
}

/// What the wallet has, in satoshi.
public struct Balance: Hashable, Sendable {
  /// Confirmed and mature, reserved ones included.
  public var confirmed = Satoshi.zero
  /// In unconfirmed transactions of ours: our change.
  public var trustedUnconfirmed = Satoshi.zero
  /// In unconfirmed transactions of others, who may still undo them.
  public var unconfirmed = Satoshi.zero
  /// Of coinbase transactions that are not mature.
  public var immature = Satoshi.zero
  /// The part of the above that transactions in the making hold.
  public var reserved = Satoshi.zero
  /// What is kept back for anchor channels.
  public var anchorReserve = Satoshi.zero

  public init() {}

  public var total: Satoshi {
    [confirmed, trustedUnconfirmed, unconfirmed, immature].reduce(.zero) { $0.adding($1) ?? .maxMoney }
  }
}

/// One line of the wallet's history.
public struct HistoryEntry: Hashable, Sendable {
  public var txid: TxID
  public var status: WalletTransaction.Status
  /// Unix time in seconds.
  public var time: UInt64
  public var label: String
  public var isOwn: Bool
  /// The sum of its outputs that are ours, and of our outputs that it spends.
  public var received: Satoshi
  public var spent: Satoshi
  public var fee: Satoshi?
}

/// How the wallet behaves. Not stored with it.
public struct WalletPolicy: Hashable, Sendable {
  /// So many addresses behind the last one that was used or handed out are watched.
  public var gapLimit: UInt32 = 20
  /// What each channel with anchors keeps back, and all of them together at most.
  public var anchorReservePerChannel = Satoshi(10_000)
  public var maximumAnchorReserve = Satoshi(100_000)
  /// What spending a coin is expected to cost some day: now below it, coins are gathered, above it they are spared.
  public var longTermFeeRate = FeeRate(satPerKiloWeight: 2_500)
  /// BIP 125's rule 4: what a replacement pays for its own relay.
  public var incrementalRate = FeeRate(satPerKiloWeight: 250)
  /// Unconfirmed transactions of ours are spent again down to this depth; the network relays 25.
  public var maximumAncestors = 20
  /// The kind of change outputs.
  public var changeKind = AddressKind.taproot
  /// Block hashes that are remembered, for finding the way back after a reorganisation.
  public var rememberedBlocks: UInt32 = 1_000

  public init() {}
}

/// A transaction in the making holds its coins, so that no other takes them.
public struct Reservation: Hashable, Sendable {
  public let id: UInt64
  public internal(set) var outPoints: [OutPoint]
  /// The height from which on it holds no longer. Nil for one that ends with this process.
  public internal(set) var expires: UInt32?
  /// The address that its change goes to.
  var change: AddressPath?
}
