/// Why a transaction does not verify.
public enum TransactionFault: Error, Hashable, Sendable, CustomStringConvertible {
  case rule(TransactionRuleError)
  case script(ScriptError, input: Int)

  /// Bitcoin Core's name: a reject reason (`bad-txns-…`) or a script error (`EVAL_FALSE`).
  public var name: String {
    switch self {
    case .rule(let error): error.rawValue
    case .script(let error, _): error.rawValue
    }
  }

  public var description: String {
    switch self {
    case .rule(let error): error.rawValue
    case .script(let error, let input): "\(error.rawValue) (input \(input))"
    }
  }
}

/// Decides whether a transaction is valid, given what it spends.
public enum TransactionVerifier {
  /// Checks the transaction alone (`TransactionRules.check`), then each input, in order. Amounts are not compared (see
  /// `TransactionRules.fee`), nor are lock times with any chain.
  public static func verify(
    _ transaction: Transaction, prevouts: [OutPoint: TxOutput], flags: ScriptFlags, cache: SignatureCache? = nil
  ) throws(TransactionFault) {
    do throws(TransactionRuleError) { try TransactionRules.check(transaction) } catch { throw .rule(error) }
    var spentOutputs: [TxOutput] = []
    spentOutputs.reserveCapacity(transaction.inputs.count)
    for input in transaction.inputs {
      guard let output = prevouts[input.previousOutput] else { throw .rule(.missingOrSpent) }
      spentOutputs.append(output)
    }
    try verifyScripts(of: transaction, spending: spentOutputs, flags: flags, cache: cache)
  }

  /// Checks the scripts of every input, in order, and nothing else. `spentOutputs` holds what each input spends.
  public static func verifyScripts(
    of transaction: Transaction, spending spentOutputs: [TxOutput], flags: ScriptFlags, cache: SignatureCache? = nil
  ) throws(TransactionFault) {
    guard spentOutputs.count == transaction.inputs.count else { throw .rule(.missingOrSpent) }
    let parts = SighashParts(transaction, spentOutputs: spentOutputs)
    for index in transaction.inputs.indices {
      do throws(ScriptError) {
        try ScriptVerifier.verify(
          input: index, of: transaction, spending: spentOutputs, flags: flags, parts: parts, cache: cache)
      } catch {
        throw .script(error, input: index)
      }
    }
  }
}
