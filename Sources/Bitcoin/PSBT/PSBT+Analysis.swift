internal import Encoding

// What can be read off a PSBT without changing it.

extension PSBT {
  var lockTimeOfV0: UInt32 { fallbackLocktime ?? 0 }

  /// The lock time of the transaction: BIP 370 §Determining Lock Time. Throws `.incompatibleLocktimes`.
  public func lockTime() throws(PSBTError) -> UInt32 {
    guard version == .v2 else { return lockTimeOfV0 }
    var height: UInt32? = 0
    var time: UInt32? = 0
    var isRequired = false
    for input in inputs where input.requiredHeightLocktime != nil || input.requiredTimeLocktime != nil {
      isRequired = true
      // "choosing the field which is present in all of those inputs"
      height = input.requiredHeightLocktime.flatMap { own in height.map { max(own, $0) } }
      time = input.requiredTimeLocktime.flatMap { own in time.map { max(own, $0) } }
    }
    // "If none of the inputs have [either], then PSBT_GLOBAL_FALLBACK_LOCKTIME must be used."
    guard isRequired else { return fallbackLocktime ?? 0 }
    // "If a PSBT has both types of locktimes possible [...] PSBT_IN_REQUIRED_HEIGHT_LOCKTIME [...] must be chosen."
    guard let chosen = height ?? time else { throw .incompatibleLocktimes }
    return chosen
  }

  /// The transaction with empty scriptSigs and witnesses. Throws `.incompatibleLocktimes`.
  public func unsignedTransaction() throws(PSBTError) -> Transaction {
    unsignedTransaction(lockTime: try lockTime())
  }

  func unsignedTransaction(lockTime: UInt32) -> Transaction {
    Transaction(
      version: transactionVersion,
      inputs: inputs.map { TxInput(previousOutput: $0.previousOutput, sequence: $0.sequence ?? 0xffff_ffff) },
      outputs: outputs.map(\.transactionOutput), lockTime: lockTime)
  }

  /// What tells this PSBT from others: the unsigned transaction's id; in version 2 with all sequences 0, because they may change
  /// (BIP 370 §Unique Identification). Throws `.incompatibleLocktimes`.
  public func uniqueID() throws(PSBTError) -> TxID {
    var transaction = try unsignedTransaction()
    if version == .v2 {
      for index in transaction.inputs.indices { transaction.inputs[index].sequence = 0 }
    }
    return transaction.txid
  }

  /// The output that an input spends. The non-witness UTXO goes first, because its hash is checked: throws
  /// `.nonWitnessUTXOMismatch`, `.noSuchSpentOutput`, `.utxosDisagree`, and `.missingUTXO` when there is neither.
  public func spentOutput(_ index: Int) throws(PSBTError) -> TxOutput {
    guard inputs.indices.contains(index) else { throw .noSuchInput(index) }
    let input = inputs[index]
    guard let transaction = input.nonWitnessUTXO else {
      guard let output = input.witnessUTXO else { throw .missingUTXO(input: index) }
      return output
    }
    guard transaction.txid == input.previousOutput.txid else { throw .nonWitnessUTXOMismatch(input: index) }
    guard Int(input.previousOutput.vout) < transaction.outputs.count else { throw .noSuchSpentOutput(input: index) }
    let output = transaction.outputs[Int(input.previousOutput.vout)]
    if let witnessUTXO = input.witnessUTXO, witnessUTXO != output { throw .utxosDisagree(input: index) }
    return output
  }

  /// All spent outputs, in the order of the inputs.
  public func spentOutputs() throws(PSBTError) -> [TxOutput] {
    var outputs: [TxOutput] = []
    outputs.reserveCapacity(inputs.count)
    for index in inputs.indices { outputs.append(try spentOutput(index)) }
    return outputs
  }

  /// What the inputs are worth. Throws `.invalidAmounts` above 21 million BTC, and as `spentOutput`.
  public func inputAmount() throws(PSBTError) -> Satoshi { try Self.sum(try spentOutputs().map(\.value)) }

  /// What the outputs are worth. Throws `.invalidAmounts` above 21 million BTC.
  public func outputAmount() throws(PSBTError) -> Satoshi { try Self.sum(outputs.map(\.amount)) }

  /// Inputs less outputs. Throws `.invalidAmounts` when that is negative, and as `inputAmount`. What a witness UTXO says of an
  /// amount is true only as far as the signature that covers it.
  public func fee() throws(PSBTError) -> Satoshi {
    guard let fee = try inputAmount().subtracting(try outputAmount()) else { throw .invalidAmounts }
    return fee
  }

  private static func sum(_ amounts: [Satoshi]) throws(PSBTError) -> Satoshi {
    var sum = Satoshi.zero
    for amount in amounts {
      guard amount.isInMoneyRange, let next = sum.adding(amount), next.isInMoneyRange else { throw .invalidAmounts }
      sum = next
    }
    return sum
  }

  /// Whether an input needs nothing more: it has final scripts, or spends an output that anyone can spend with none (P2A).
  public func isFinal(_ index: Int) -> Bool {
    guard inputs.indices.contains(index) else { return false }
    if inputs[index].hasFinalScripts { return true }
    guard let output = try? spentOutput(index) else { return false }
    return output.scriptPubKey.kind == .p2a
  }

  /// Whether all inputs are final, so that the transaction can be extracted.
  public var isComplete: Bool { inputs.indices.allSatisfy { isFinal($0) } }
}
