internal import Bitcoin
internal import Encoding
internal import JSON
internal import Secp256k1

extension OperationGroup {
  static let transactions = OperationGroup(
    "Transactions", [transactionDecode, sighash, taprootSighash, taprootOutput])
}

private let transactionDecode = Operation(
  "tx.decode", "Takes a transaction apart.",
  Parameter("tx", .transaction),
  returns: [
    "txid": "double SHA-256 without witness, display order", "wtxid": "the same with witness", "version": "32 bits",
    "locktime": "32 bits", "weight": "weight units", "vsize": "vbytes",
    "inputs": "[{txid, vout, script_sig, sequence, witness}]", "outputs": "[{amount_sat, script_pubkey}]",
  ]
) { transaction in
  [
    "txid": .display(transaction.txid),
    "wtxid": .display(transaction.witnessTxID),
    "version": .int(transaction.version),
    "locktime": .int(transaction.lockTime),
    "weight": .int(transaction.weight.rawValue),
    "vsize": .int(transaction.virtualSize),
    "inputs": .array(
      transaction.inputs.map { input in
        [
          "txid": .display(input.previousOutput.txid), "vout": .int(input.previousOutput.vout),
          "script_sig": .hex(input.scriptSig), "sequence": .int(input.sequence), "witness": .hex(input.witness),
        ]
      }),
    "outputs": .array(
      transaction.outputs.map { ["amount_sat": .amount($0.value), "script_pubkey": .hex($0.scriptPubKey)] }),
  ]
}

private let sighash = Operation(
  "sighash", "Computes what a signature of an input signs: the original way, or that of witness version 0 (BIP 143).",
  Parameter("tx", .transaction), Parameter("index", .index), Parameter("script_code", .script),
  Parameter(optional: "amount_sat", .satoshi, "of the spent output; segwit_v0 needs it"),
  Parameter("type", .sighashType),
  Parameter("version", .word("legacy", "segwit_v0")),
  returns: ["hash": "32 bytes, as they are signed"]
) { transaction, index, scriptCode, amount, type, version in
  guard version == "segwit_v0" else {
    return ["hash": .hex(try transaction.legacySighash(input: index, scriptCode: scriptCode, type: type))]
  }
  guard let amount else { throw ToolError(.missingParameter, "amount_sat is missing") }
  return [
    "hash": .hex(
      try transaction.segwitV0Sighash(
        input: index, scriptCode: scriptCode, amount: amount, type: type, parts: SighashParts(transaction)))
  ]
}

private let taprootSighash = Operation(
  "sighash.taproot", "Computes what a signature of a taproot input signs (BIP 341, BIP 342).",
  Parameter("tx", .transaction), Parameter("index", .index), Parameter("prevouts", .spentOutputs),
  Parameter("type", .sighashType),
  Parameter(optional: "leaf_hash", .bytes32, "of the script; none for a key path spend"),
  Parameter(optional: "annex", .hex, "with its first byte, 50"),
  returns: ["hash": "32 bytes, as they are signed"]
) { transaction, index, prevouts, type, leafHash, annex in
  // BIP 341: "If there are at least two witness elements, and the first byte of the last element is 0x50, this last
  // element is called annex".
  if let annex, annex.first != 0x50 { throw ToolError(.badValue, "annex: its first byte must be 50") }
  guard transaction.inputs.indices.contains(index) else { throw SighashError.noSuchInput(index) }
  let spent = try prevouts.outputs(spentBy: transaction)
  return [
    "hash": .hex(
      try transaction.taprootSighash(
        input: index, spentOutputs: spent, type: type,
        tapscript: leafHash.map { Transaction.TapscriptContext(leafHash: $0) }, annex: annex,
        parts: SighashParts(transaction, spentOutputs: spent)))
  ]
}

private let taprootOutput = Operation(
  "taproot.output", "Builds a taproot output of an internal key and a tree of scripts (BIP 341).",
  Parameter("internal_xonly", .xOnlyPublicKey),
  Parameter(optional: "tree", .tapTree, "leaf_version is 192 when left out"),
  returns: [
    "script_pubkey": "34 bytes", "output_xonly": "the output key", "tweak": "hash_TapTweak, 32 bytes",
    "merkle_root": "32 bytes; null without scripts", "control_blocks": "one for each script, left to right",
  ]
) { internalKey, tree in
  let output = try TaprootOutput(internalKey: internalKey, tree: tree)
  return [
    "script_pubkey": .hex(output.scriptPubKey),
    "output_xonly": .hex(output.outputKey),
    "tweak": .hex(output.tweak),
    "merkle_root": .hex(output.merkleRoot),
    "control_blocks": .array(output.paths.map { .hex(output.controlBlock(for: $0).encoded) }),
  ]
}
