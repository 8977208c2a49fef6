public import Bitcoin
internal import Encoding

/// What a transaction is to do.
public struct SpendRequest: Hashable, Sendable {
  public enum Amount: Hashable, Sendable {
    case exactly(Satoshi)
    /// Everything that can be spent, less fees and what the others get. For one recipient at most.
    case all
  }

  public struct Recipient: Hashable, Sendable {
    public var script: Script
    public var amount: Amount

    public init(_ script: Script, _ amount: Amount) {
      self.script = script
      self.amount = amount
    }

    public init(_ address: Address, _ amount: Amount) { self.init(address.scriptPubKey, amount) }
  }

  public var recipients: [Recipient]
  public var feeRate: FeeRate
  /// Spend these and no others, all of them. Nil leaves the choice to the wallet.
  public var coins: [OutPoint]?
  /// Whether change of ours that is not confirmed may be spent. What others have sent and is not confirmed never is, unless it is named in
  /// `coins`.
  public var spendsUnconfirmedChange = true
  /// Confirmations that a coin needs at least.
  public var minimumConfirmations: UInt32 = 0
  /// Whether the reserve for anchor channels is left untouched.
  public var keepsAnchorReserve = true
  /// Whether the transaction can be mined no earlier than in the next block, so that miners do not gain by redoing blocks. Only when the tip
  /// is recent: the lock time tells how recent it is.
  public var locksToHeight = true

  public init(_ recipients: [Recipient], feeRate: FeeRate) {
    self.recipients = recipients
    self.feeRate = feeRate
  }

  public init(paying amount: Amount, to script: Script, feeRate: FeeRate) {
    self.init([Recipient(script, amount)], feeRate: feeRate)
  }
}

/// A transaction in the making. Its coins are held until it is recorded, or its reservation is released.
public struct UnsignedSpend: Hashable, Sendable {
  public var transaction: Transaction
  /// What each input spends, and where our key for it comes from.
  public var spentOutputs: [TxOutput]
  public var paths: [AddressPath]
  /// What the transaction pays, in satoshi.
  public var fee: Satoshi
  /// When it is signed, at most.
  public var weight: Weight
  /// The output of each recipient, in their order.
  public var recipientOutputs: [Int]
  public var changeOutput: Int?
  public var reservation: UInt64

  /// The output of the only recipient, such as a channel's funding output; nil when there is none, or more.
  public var outPoint: OutPoint? {
    guard recipientOutputs.count == 1 else { return nil }
    return OutPoint(txid: transaction.txid, vout: UInt32(recipientOutputs[0]))
  }
}
