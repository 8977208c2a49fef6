internal import Bitcoin
internal import Encoding
internal import JSON

extension OperationGroup {
  static let scripts = OperationGroup("Script verification", [scriptVerify, transactionVerify])
}

private let verificationResults: KeyValuePairs = [
  "valid": "true | false", "error": "Bitcoin Core's name for what is wrong; OK when nothing is",
]

private let scriptVerify = Operation(
  "script.verify",
  "Verifies an input as Bitcoin Core does: in its standard crediting transaction, or in a transaction that is given.",
  Parameter(optional: "script_sig", .script), Parameter(optional: "script_pubkey", .script),
  Parameter(optional: "witness", .list(.hex), "[] when left out"),
  Parameter(optional: "amount_sat", .satoshi, "0 when left out"),
  Parameter("flags", .scriptFlags, "for example [\"P2SH\", \"WITNESS\", \"TAPROOT\"]"),
  Parameter(optional: "tx", .transaction, "with index and prevouts, and without the first four"),
  Parameter(optional: "index", .index), Parameter(optional: "prevouts", .spentOutputs),
  returns: verificationResults
) { scriptSig, scriptPubKey, witness, amount, flags, transaction, index, prevouts in
  guard transaction == nil && index == nil && prevouts == nil else {
    for (name, isGiven) in [
      ("script_sig", scriptSig != nil), ("script_pubkey", scriptPubKey != nil), ("witness", witness != nil),
      ("amount_sat", amount != nil),
    ] where isGiven {
      throw ToolError("conflicting_params", "\(name) is the transaction's own when tx is given: leave it out")
    }
    let transaction = try given(transaction, "tx")
    let index = try given(index, "index")
    let spent = try given(prevouts, "prevouts").outputs(spentBy: transaction)
    guard transaction.inputs.indices.contains(index) else { throw SighashError.noSuchInput(index) }
    return verdict { () throws(ScriptError) in
      try ScriptVerifier.verify(input: index, of: transaction, spending: spent, flags: flags)
    }
  }
  let signature = try given(scriptSig, "script_sig")
  let output = try given(scriptPubKey, "script_pubkey")
  return verdict { () throws(ScriptError) in
    try ScriptVerifier.verifyCredited(
      scriptSig: signature, scriptPubKey: output, witness: Witness(witness ?? []), amount: amount ?? .zero,
      flags: flags)
  }
}

private let transactionVerify = Operation(
  "tx.verify", "Checks a transaction alone and then every input of it, as Bitcoin Core does.",
  Parameter("tx", .transaction),
  Parameter("prevouts", .list(.previousOutput), "in any order; 4294967295 for a coinbase"),
  Parameter("flags", .scriptFlags),
  returns: verificationResults
) { transaction, list, flags in
  var prevouts: [OutPoint: TxOutput] = [:]
  for (outpoint, output) in list {
    guard prevouts.updateValue(output, forKey: outpoint) ?? output == output else {
      throw ToolError(.badValue, "prevouts: two different outputs of \(outpoint)")
    }
  }
  return verdict { () throws(TransactionFault) in
    try TransactionVerifier.verify(transaction, prevouts: prevouts, flags: flags)
  }
}

private func verdict<Failure: Error>(_ verify: () throws(Failure) -> Void) -> JSONObject {
  do throws(Failure) {
    try verify()
    return ["valid": true, "error": "OK"]
  } catch {
    return ["valid": false, "error": .string((error as? TransactionFault)?.name ?? "\(error)")]
  }
}

/// A parameter that is optional only because another one may take its place.
private func given<Value>(_ value: Value?, _ name: String) throws -> Value {
  guard let value else { throw ToolError(.missingParameter, "\(name) is missing") }
  return value
}

extension Kind where Value == ScriptFlags {
  fileprivate static var scriptFlags: Self {
    Kind<[String]>.list(.string).map("[Bitcoin Core's flag names]") { (names) throws(ToolError) in
      do throws(UnknownScriptFlag) {
        return try ScriptFlags(names: names)
      } catch {
        throw ToolError("unknown_flag", "there is no flag \(quoted(error.name))")
      }
    }
  }
}

extension Kind where Value == (OutPoint, TxOutput) {
  fileprivate static var previousOutput: Self {
    record(
      Parameter("txid", .txid), Parameter("vout", .uint32), Parameter("script_pubkey", .script),
      Parameter("amount_sat", .satoshi)
    ) { (txid, vout, script, amount) throws(ToolError) in
      (OutPoint(txid: txid, vout: vout), TxOutput(value: amount, scriptPubKey: script))
    }
  }
}
