public import Bitcoin
public import GLC

/// What happens around a channel that goes to the chain.
public enum ChainEvent: Sendable {
  /// A new block, with those of its transactions that spend something watched, in their order; and what confirmations cost now.
  case block(height: UInt32, transactions: [Transaction], estimates: FeeEstimates)
  /// The chain has lost every block above this height.
  case reorg(to: UInt32)
  /// A secret has become known elsewhere: a payment was settled upstream.
  case learned(SecretID, [UInt8])
  /// A transaction that spends something watched is on its way: the funding output, perhaps with too low a fee.
  case unconfirmed(Transaction)
  /// The claim of these outputs, as it was handed out last, could not be published. `taken`: those that somebody else's transaction in the
  /// mempool spends, as far as that is known.
  case unpublished([OutPoint], ClaimObstacle, taken: [OutPoint] = [])
  /// Our own commitment is to be published, unless it is known to be outdated, and to be confirmed at this height at the latest, if anything depends on it.
  case close(deadline: UInt32?)
}

/// Why a claim did not get out. It stays wanted: it is handed out again with the next block, or in pieces at once.
public enum ClaimObstacle: UInt8, Hashable, Sendable {
  /// The wallet has no coin for its fee.
  case unfunded = 1
  /// The mempool has something that takes one of its outputs and pays more.
  case contested = 2
  /// Nobody took it: the chain's source did not answer, or wants more for everything now.
  case refused = 3
}

/// What is to be done, or known.
public enum ResolverAction: Sendable {
  /// The funding output was spent, by this.
  case recognised(FundingSpend)
  /// Tell us of the transaction that spends this.
  case watch(OutPoint, Script)
  /// Our commitment is to be signed and published, on each funding.
  case publishCommitment(ResolverInput.LocalCommitment)
  /// A transaction is to be made, signed and published.
  case publish(Claim)
  /// An output was spent with this witness: the extension that owns it may learn from it (`LedgerSlot.learn`).
  case spent(OutputTag?, OutPoint, Witness)
  /// A witness has revealed a secret that some path names.
  case learned(SecretID, [UInt8])
  /// The other side has taken an output that we could have had.
  case lost(OutPoint, Satoshi)
  /// An output is worth less than what it costs to take, at present.
  case uneconomic(OutPoint, Satoshi)
  /// BOLT 5: all outputs are irrevocably resolved. The channel can be forgotten.
  case resolved
}
