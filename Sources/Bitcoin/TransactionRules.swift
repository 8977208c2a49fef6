/// Why a transaction is invalid whatever its scripts say. The raw value is Bitcoin Core's reject reason.
public enum TransactionRuleError: String, Error, Hashable, Sendable, CaseIterable, CustomStringConvertible {
  case noInputs = "bad-txns-vin-empty"
  case noOutputs = "bad-txns-vout-empty"
  case oversize = "bad-txns-oversize"
  case outputNegative = "bad-txns-vout-negative"
  case outputTooLarge = "bad-txns-vout-toolarge"
  case outputTotalTooLarge = "bad-txns-txouttotal-toolarge"
  case duplicateInputs = "bad-txns-inputs-duplicate"
  case coinbaseLength = "bad-cb-length"
  case nullPrevout = "bad-txns-prevout-null"

  // With the outputs that are spent.
  case missingOrSpent = "bad-txns-inputs-missingorspent"
  case inputValuesOutOfRange = "bad-txns-inputvalues-outofrange"
  case inputsBelowOutputs = "bad-txns-in-belowout"

  public var description: String { rawValue }
}

/// The consensus rules about transactions that are not about scripts.
public enum TransactionRules {
  /// In weight units.
  public static let maximumBlockWeight = 4_000_000
  /// Sequence numbers and lock times count four in weight for each byte outside the witness (BIP 141).
  public static let witnessScaleFactor = 4
  /// Lock times below are heights, the others Unix times in seconds.
  public static let lockTimeThreshold: Int64 = 500_000_000

  // MARK: Alone

  /// What can be said of a transaction without knowing anything else: Core's `CheckTransaction`.
  public static func check(_ transaction: Transaction) throws(TransactionRuleError) {
    if transaction.inputs.isEmpty { throw .noInputs }
    if transaction.outputs.isEmpty { throw .noOutputs }
    // Without the witness, which may have been put there by anyone.
    if transaction.baseSize > maximumBlockWeight / witnessScaleFactor { throw .oversize }
    var total = Satoshi.zero
    for output in transaction.outputs {
      // Amounts are signed in Bitcoin Core.
      if output.value.rawValue > UInt64(Int64.max) { throw .outputNegative }
      guard output.value.isInMoneyRange else { throw .outputTooLarge }
      guard let sum = total.adding(output.value), sum.isInMoneyRange else { throw .outputTotalTooLarge }
      total = sum
    }
    if hasDuplicateInputs(transaction) { throw .duplicateInputs }
    if transaction.isCoinbase {
      guard 2...100 ~= transaction.inputs[0].scriptSig.count else { throw .coinbaseLength }
    } else if transaction.inputs.contains(where: { $0.previousOutput == .null }) {
      throw .nullPrevout
    }
  }

  /// By sorting: a set could be made slow with chosen transaction ids.
  private static func hasDuplicateInputs(_ transaction: Transaction) -> Bool {
    guard transaction.inputs.count > 1 else { return false }
    let sorted = transaction.inputs.map(\.previousOutput).sorted()
    return zip(sorted, sorted.dropFirst()).contains { $0 == $1 }
  }

  /// The fee: what the inputs bring beyond what the outputs take (the amounts of Core's `CheckTxInputs`). `spentOutputs` holds what
  /// each input spends, in order. The transaction has passed `check`.
  public static func fee(
    of transaction: Transaction, spending spentOutputs: [TxOutput]
  ) throws(TransactionRuleError) -> Satoshi {
    guard spentOutputs.count == transaction.inputs.count else { throw .missingOrSpent }
    var inputTotal = Satoshi.zero
    for output in spentOutputs {
      guard output.value.isInMoneyRange, let sum = inputTotal.adding(output.value), sum.isInMoneyRange
      else { throw .inputValuesOutOfRange }
      inputTotal = sum
    }
    var outputTotal = Satoshi.zero
    for output in transaction.outputs {
      guard let sum = outputTotal.adding(output.value) else { throw .outputTotalTooLarge }
      outputTotal = sum
    }
    guard let fee = inputTotal.subtracting(outputTotal) else { throw .inputsBelowOutputs }
    return fee
  }

  // MARK: Lock times

  /// Whether a transaction may be in a block of this height and time: Core's `IsFinalTx`. Since BIP 113 `time` is the median time
  /// past of the block before, in seconds since 1970.
  public static func isFinal(_ transaction: Transaction, height: UInt32, time: Int64) -> Bool {
    let lockTime = Int64(transaction.lockTime)
    if lockTime == 0 || lockTime < (lockTime < lockTimeThreshold ? Int64(height) : time) { return true }
    return transaction.inputs.allSatisfy { $0.sequence == .max }
  }

  /// When the relative locks of all inputs are over (BIP 68). `confirmations` holds for each input, in order, the height of the
  /// block with the output that it spends, and the median time past of the block before that one. Nil when the numbers differ.
  public static func relativeLock(
    of transaction: Transaction, confirmations: [(height: UInt32, medianTimePastBefore: Int64)]
  ) -> RelativeLock? {
    guard confirmations.count == transaction.inputs.count else { return nil }
    var lock = RelativeLock.none
    // BIP 68: "This specification defines the meaning of sequence numbers for transactions with an nVersion greater than or
    // equal to 2".
    guard transaction.version >= 2 else { return lock }
    for (input, confirmation) in zip(transaction.inputs, confirmations) {
      if input.sequence & RelativeLock.disableFlag != 0 { continue }
      let value = Int64(input.sequence & RelativeLock.valueMask)
      if input.sequence & RelativeLock.typeFlag != 0 {
        let (end, overflow) = confirmation.medianTimePastBefore.addingReportingOverflow(value << 9 - 1)
        lock.time = max(lock.time, overflow ? .max : end)
      } else {
        lock.height = max(lock.height, Int64(confirmation.height) + value - 1)
      }
    }
    return lock
  }
}

/// The last height and the last median time past at which a transaction is still locked by its sequence numbers (BIP 68).
public struct RelativeLock: Hashable, Sendable {
  /// "If bit (1 << 31) of the sequence number is set, then no consensus meaning is applied to the sequence number".
  public static let disableFlag: UInt32 = 1 << 31
  /// "If bit (1 << 22) of the sequence number is set", it counts units of 512 seconds, otherwise blocks.
  public static let typeFlag: UInt32 = 1 << 22
  public static let valueMask: UInt32 = 0xffff

  public var height: Int64
  /// In seconds since 1970.
  public var time: Int64

  public init(height: Int64, time: Int64) {
    self.height = height
    self.time = time
  }

  public static let none = RelativeLock(height: -1, time: -1)

  /// Whether a block of this height may hold the transaction, when this is the median time past of the block before.
  public func isOver(height: UInt32, medianTimePastBefore time: Int64) -> Bool {
    self.height < Int64(height) && self.time < time
  }
}
