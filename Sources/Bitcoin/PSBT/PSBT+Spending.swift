internal import Encoding
internal import Hashing

extension PSBT {
  /// How an input is spent, found from its UTXO and scripts: what signer and finalizer both start from.
  struct Spending {
    enum Kind: Hashable {
      /// Not segwit: the scriptPubKey itself, or a redeem script.
      case legacy
      case p2wpkh(Bytes20)
      case p2wsh
      /// The output key, which need not be a point.
      case taproot(Bytes32)
      /// Pay to anchor: nothing is to be shown.
      case anchor
    }

    var kind: Kind
    var output: TxOutput
    /// What is signed and satisfied, except for taproot: the scriptCode.
    var script: Script
    /// For P2SH.
    var redeemScript: Script?
  }

  /// Finds out how an input is spent, and applies the checks that BIP 174 §Data Signers Check For lists.
  func spending(_ index: Int) throws(PSBTError) -> Spending {
    let output = try spentOutput(index)
    let input = inputs[index]
    var program = output.scriptPubKey
    var redeemScript: Script?
    // "If a redeemScript is provided, the scriptPubKey must be for that redeemScript"
    if case .p2sh(let hash) = program.kind {
      guard let script = input.redeemScript else { throw .missingScript(.input(index, .redeemScript)) }
      guard hash160(script.bytes) == hash else { throw .scriptMismatch(.input(index, .redeemScript)) }
      redeemScript = script
      program = script
    } else if input.redeemScript != nil {
      throw .scriptMismatch(.input(index, .redeemScript))
    }
    let kind = program.kind
    // "If a witnessScript is provided, the scriptPubKey or the redeemScript must be for that witnessScript"
    if case .p2wsh(let hash) = kind {
      guard let script = input.witnessScript else { throw .missingScript(.input(index, .witnessScript)) }
      guard sha256(script.bytes) == hash else { throw .scriptMismatch(.input(index, .witnessScript)) }
      return Spending(kind: .p2wsh, output: output, script: script, redeemScript: redeemScript)
    }
    if input.witnessScript != nil { throw .scriptMismatch(.input(index, .witnessScript)) }
    switch kind {
    case .p2wpkh(let hash):
      return Spending(
        kind: .p2wpkh(hash), output: output, script: .p2wpkhScriptCode(hash), redeemScript: redeemScript)
    case .p2tr(let key) where redeemScript == nil:
      return Spending(kind: .taproot(key), output: output, script: program)
    case .p2a where redeemScript == nil: return Spending(kind: .anchor, output: output, script: program)
    case .p2tr, .p2a, .witness, .opReturn: throw .unsupportedScript(input: index)
    case .p2pk, .p2pkh, .p2sh, .p2wsh, .multisig, .nonstandard:
      // "If a witness UTXO is provided, no non-witness signature may be created"
      guard input.nonWitnessUTXO != nil, input.witnessUTXO == nil else { throw .nonWitnessUTXORequired(input: index) }
      return Spending(kind: .legacy, output: output, script: program, redeemScript: redeemScript)
    }
  }

  /// The signature hashes of one PSBT, with what its inputs share computed once.
  struct SighashContext {
    let transaction: Transaction
    /// Nil where it is not known.
    let spentOutputs: [TxOutput?]
    private let parts: SighashParts
    private let allSpentOutputs: [TxOutput]

    init(_ psbt: PSBT) throws(PSBTError) {
      transaction = try psbt.unsignedTransaction()
      spentOutputs = psbt.inputs.indices.map { try? psbt.spentOutput($0) }
      allSpentOutputs = spentOutputs.map { $0 ?? TxOutput(value: .zero, scriptPubKey: Script()) }
      parts = SighashParts(transaction, spentOutputs: allSpentOutputs)
    }

    func ecdsa(_ index: Int, _ spending: Spending, type: SighashType) throws(PSBTError) -> Sighash {
      do {
        switch spending.kind {
        case .legacy: return try transaction.legacySighash(input: index, scriptCode: spending.script, type: type)
        default:
          return try transaction.segwitV0Sighash(
            input: index, scriptCode: spending.script, amount: spending.output.value, type: type, parts: parts)
        }
      } catch {
        throw .sighash(error)
      }
    }

    /// Runs the scripts of an input as Bitcoin Core does before it relays a transaction.
    func verify(_ index: Int, _ scriptSig: Script, _ witness: Witness) throws(PSBTError) {
      var signed = transaction
      signed.inputs[index].scriptSig = scriptSig
      signed.inputs[index].witness = witness
      do throws(ScriptError) {
        try ScriptVerifier.verify(
          input: index, of: signed, spending: allSpentOutputs, flags: .standard, parts: parts, cache: nil)
      } catch {
        throw .scriptFails(input: index, error)
      }
    }

    func taproot(_ index: Int, leafHash: Bytes32?, type: SighashType) throws(PSBTError) -> Sighash {
      // BIP 341: without SIGHASH_ANYONECANPAY all spent outputs are signed.
      if !type.isAnyoneCanPay, let missing = spentOutputs.firstIndex(of: nil) { throw .missingUTXO(input: missing) }
      do {
        return try transaction.taprootSighash(
          input: index, spentOutputs: allSpentOutputs, type: type,
          tapscript: leafHash.map { Transaction.TapscriptContext(leafHash: $0) }, parts: parts)
      } catch {
        throw .sighash(error)
      }
    }
  }
}

extension Script {
  /// The data of every push.
  var pushes: [[UInt8]] {
    var result: [[UInt8]] = []
    var offset = 0
    while let instruction = instruction(at: &offset) {
      if instruction.isPush && !instruction.data.isEmpty { result.append(Array(bytes[instruction.data])) }
    }
    return result
  }
}
