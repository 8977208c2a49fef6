internal import Encoding

extension ScriptVerifier {
  /// Verifies scriptSig and witness against scriptPubKey in the transactions that Bitcoin Core's script tests use: one of version 1
  /// pays `amount` to scriptPubKey, the other, without lock time, spends it into an empty script.
  public static func verifyCredited(
    scriptSig: Script, scriptPubKey: Script, witness: Witness = Witness(), amount: Satoshi = .zero, flags: ScriptFlags
  ) throws(ScriptError) {
    let (transaction, spent) = creditedSpend(
      scriptSig: scriptSig, scriptPubKey: scriptPubKey, witness: witness, amount: amount)
    try verify(input: 0, of: transaction, spending: [spent], flags: flags)
  }

  /// The spending transaction of `verifyCredited`, with the output that its only input spends.
  public static func creditedSpend(
    scriptSig: Script, scriptPubKey: Script, witness: Witness = Witness(), amount: Satoshi = .zero
  ) -> (transaction: Transaction, spent: TxOutput) {
    let spent = TxOutput(value: amount, scriptPubKey: scriptPubKey)
    let credit = Transaction(
      version: 1, inputs: [TxInput(previousOutput: .null, scriptSig: Script([0, 0]))], outputs: [spent])
    let spend = Transaction(
      version: 1,
      inputs: [
        TxInput(previousOutput: OutPoint(txid: credit.txid, vout: 0), scriptSig: scriptSig, witness: witness)
      ],
      outputs: [TxOutput(value: amount, scriptPubKey: Script())])
    return (spend, spent)
  }
}
