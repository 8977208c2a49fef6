public import Bitcoin
internal import GLC

/// Why a closing transaction cannot be made.
public enum ClosingError: Error, Hashable, Sendable {
  /// The fee is more than the payer has.
  case feeTooHigh(balance: Satoshi, fee: Satoshi)
  /// Nothing would be left to pay out.
  case noOutputs
}

/// The transaction that ends a channel in agreement (BOLT 3 §Legacy Closing Transaction, §Closing Transaction). Unsigned.
public enum ClosingTransaction {
  /// What one party gets, and where.
  public struct Share: Hashable, Sendable {
    public var balance: MilliSatoshi
    public var scriptPubKey: Script

    public init(balance: MilliSatoshi, scriptPubKey: Script) {
      self.balance = balance
      self.scriptPubKey = scriptPubKey
    }
  }

  /// For `closing_signed`: the funder pays; outputs below the signer's dust limit are left out.
  public static func legacy(
    spending funding: OutPoint, funder: Share, other: Share, fee: Satoshi, dustLimit: Satoshi
  ) throws(ClosingError) -> Transaction {
    let funderValue = try paying(fee, from: funder)
    var outputs: [TxOutput] = []
    // MUST remove any output below its own `dust_limit_satoshis`.
    if funderValue >= dustLimit { outputs.append(TxOutput(value: funderValue, scriptPubKey: funder.scriptPubKey)) }
    let otherValue = other.balance.satoshiRoundedDown
    if otherValue >= dustLimit { outputs.append(TxOutput(value: otherValue, scriptPubKey: other.scriptPubKey)) }
    return try transaction(spending: funding, sequence: 0xffff_ffff, lockTime: 0, outputs)
  }

  /// Which outputs a `closing_complete` signature covers.
  public enum Variant: String, CaseIterable, Hashable, Sendable {
    case closerOutputOnly = "closer_output_only"
    case closeeOutputOnly = "closee_output_only"
    case closerAndCloseeOutputs = "closer_and_closee_outputs"
  }

  /// For `closing_complete`: the closer pays.
  public static func simple(
    spending funding: OutPoint, closer: Share, closee: Share, fee: Satoshi, lockTime: UInt32, variant: Variant
  ) throws(ClosingError) -> Transaction {
    let closerValue = try paying(fee, from: closer)
    var outputs: [TxOutput] = []
    // MUST set the output amount to 0 if the `scriptpubkey` is `OP_RETURN`.
    func output(_ value: Satoshi, _ script: Script) -> TxOutput {
      TxOutput(value: script.bytes.first == Opcode.return.rawValue ? .zero : value, scriptPubKey: script)
    }
    if variant != .closeeOutputOnly { outputs.append(output(closerValue, closer.scriptPubKey)) }
    if variant != .closerOutputOnly {
      outputs.append(output(closee.balance.satoshiRoundedDown, closee.scriptPubKey))
    }
    return try transaction(spending: funding, sequence: 0xffff_fffd, lockTime: lockTime, outputs)
  }

  private static func paying(_ fee: Satoshi, from share: Share) throws(ClosingError) -> Satoshi {
    let balance = share.balance.satoshiRoundedDown
    guard let rest = balance.subtracting(fee) else { throw .feeTooHigh(balance: balance, fee: fee) }
    return rest
  }

  private static func transaction(
    spending funding: OutPoint, sequence: UInt32, lockTime: UInt32, _ outputs: [TxOutput]
  ) throws(ClosingError) -> Transaction {
    guard !outputs.isEmpty else { throw .noOutputs }
    // BOLT 3 §Transaction Output Ordering.
    let sorted = outputs.sorted {
      $0.value != $1.value
        ? $0.value < $1.value : $0.scriptPubKey.bytes.lexicographicallyPrecedes($1.scriptPubKey.bytes)
    }
    return Transaction(
      version: 2, inputs: [TxInput(previousOutput: funding, sequence: sequence)], outputs: sorted, lockTime: lockTime)
  }
}
