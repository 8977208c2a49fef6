public import Bitcoin

/// What one commitment stands for, apart from keys and numbers.
public struct CommitmentState: Sendable {
  /// What its ledgers are of.
  public internal(set) var stack: ChannelStack
  public internal(set) var balances: Balances
  /// In the order of the stack's extensions.
  public internal(set) var ledgers: [any LedgerSlot]
  public internal(set) var feeRate: FeeRate
  /// The ledgers of extensions that the channel had before. They hold nothing but what counts on.
  var retired: [ExtensionID: [UInt8]] = [:]

  public init(stack: ChannelStack, balances: Balances, ledgers: [any LedgerSlot], feeRate: FeeRate) {
    self.stack = stack
    self.balances = balances
    self.ledgers = ledgers
    self.feeRate = feeRate
  }

  /// Carries out an update. Throws, and may be half changed, when it does not fit.
  public mutating func apply(_ content: UpdateContent, by author: Party) throws(ProtocolViolation) {
    switch content {
    case .feeRate(let rate): feeRate = rate
    case .stack(let change):
      do { try replaceStack(by: change.stack) } catch { throw ProtocolViolation(.failChannel, error.text) }
    case .extension(let position, let update):
      guard ledgers.indices.contains(position) else {
        throw ProtocolViolation(.failChannel, "an update of an extension that is not in the stack")
      }
      try ledgers[position].apply(update, by: author, moving: &balances)
    }
  }

  /// local + remote + Σ locked, the sum that every step must leave alone; nil when it leaves the range.
  public var total: MilliSatoshi? {
    var total = balances[.local].adding(balances[.remote])
    for ledger in ledgers { total = total?.adding(ledger.lockedValue) }
    return total
  }
}

/// What trimming depends on: whose commitment, its dust limit and fee rate.
public struct TrimContext: Hashable, Sendable {
  public var holder: Party
  public var dustLimit: Satoshi
  public var feeRate: FeeRate

  @inlinable public init(holder: Party, dustLimit: Satoshi, feeRate: FeeRate) {
    self.holder = holder
    self.dustLimit = dustLimit
    self.feeRate = feeRate
  }

  /// BOLT 3 §Trimmed Outputs: whether an output of this value is made, given what a pre-signed claim of it would cost in fees.
  @inlinable public func isUntrimmed(_ value: Satoshi, claimFee: Satoshi = .zero) -> Bool {
    // If this amount, minus the fees for the [second-stage] transaction, is less than the `dust_limit_satoshis` set by the owner of
    // the commitment transaction, the output MUST NOT be produced.
    guard let rest = value.subtracting(claimFee) else { return false }
    return rest >= dustLimit
  }
}

/// What contracts will make of a commitment, without making it.
public struct ContractSummary: Hashable, Sendable {
  /// The weight of the outputs that survive trimming.
  public var outputWeight: Weight
  /// How many they are.
  public var outputCount: Int
  /// What is trimmed: exposed to miners.
  public var trimmed: MilliSatoshi

  public static let none = ContractSummary(outputWeight: Weight(0), outputCount: 0, trimmed: .zero)

  @inlinable public init(outputWeight: Weight, outputCount: Int, trimmed: MilliSatoshi) {
    self.outputWeight = outputWeight
    self.outputCount = outputCount
    self.trimmed = trimmed
  }

  static func + (a: Self, b: Self) -> Self {
    ContractSummary(
      outputWeight: Weight(a.outputWeight.rawValue + b.outputWeight.rawValue),
      outputCount: a.outputCount + b.outputCount,
      trimmed: a.trimmed.adding(b.trimmed) ?? a.trimmed)
  }
}
