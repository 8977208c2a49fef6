internal import Encoding

// How many signatures a script may ask for, by which blocks are limited (BIP 16, BIP 141 §Sigops).

extension Script {
  /// The number of signature operations: CHECKMULTISIG counts as 20, or, when `accurate`, as the small number in front of it.
  public func signatureOperations(accurate: Bool) -> Int { bytes.bytes.signatureOperations(accurate: accurate) }
}

extension RawSpan {
  fileprivate func signatureOperations(accurate: Bool) -> Int {
    var count = 0
    var offset = 0
    var previous: Opcode?
    while let instruction = scriptInstruction(at: &offset) {
      switch instruction.opcode {
      case .checkSig, .checkSigVerify: count += 1
      case .checkMultiSig, .checkMultiSigVerify:
        if accurate, let previous, Opcode.op1.rawValue...Opcode.op16.rawValue ~= previous.rawValue {
          count += Int(previous.rawValue) - 0x50
        } else {
          count += ScriptLimits.keysPerMultiSig
        }
      default: break
      }
      previous = instruction.opcode
    }
    return count
  }

  /// The data of the last instruction of a script that only pushes; nil for any other script. Empty for OP_1 and the like.
  fileprivate var lastPush: Range<Int>? {
    var last = 0..<0
    var offset = 0
    while offset < byteCount {
      guard let instruction = scriptInstruction(at: &offset), instruction.opcode.rawValue <= Opcode.op16.rawValue
      else { return nil }
      last = instruction.data
    }
    return last
  }

  /// BIP 141 §Sigops: one for a key hash, those of the script for a script hash.
  fileprivate func witnessSignatureOperations(_ witness: Witness) -> Int {
    guard witnessProgramVersion == 0 else { return 0 }
    switch byteCount {
    case 22: return 1
    case 34:
      guard let script = witness.elements.last else { return 0 }
      return script.bytes.signatureOperations(accurate: true)
    default: return 0
    }
  }
}

extension TransactionRules {
  /// The cost of a transaction's signature operations, of which a block may have 80,000: Core's `GetTransactionSigOpCost`.
  /// `spentOutputs` holds what each input spends, in order; a coinbase spends nothing.
  public static func signatureOperationCost(
    of transaction: Transaction, spending spentOutputs: [TxOutput], flags: ScriptFlags
  ) -> Int {
    var legacy = 0
    for input in transaction.inputs { legacy += input.scriptSig.signatureOperations(accurate: false) }
    for output in transaction.outputs { legacy += output.scriptPubKey.signatureOperations(accurate: false) }
    var cost = legacy * witnessScaleFactor
    if transaction.isCoinbase { return cost }
    for (input, output) in zip(transaction.inputs, spentOutputs) {
      let signatureScript = input.scriptSig.bytes.bytes
      let outputScript = output.scriptPubKey.bytes.bytes
      let redeemScript = outputScript.isPayToScriptHash ? signatureScript.lastPush : nil
      if flags.contains(.p2sh), let redeemScript {
        cost += signatureScript.extracting(redeemScript).signatureOperations(accurate: true) * witnessScaleFactor
      }
      if flags.contains(.witness) {
        if outputScript.witnessProgramVersion != nil {
          cost += outputScript.witnessSignatureOperations(input.witness)
        } else if let redeemScript {
          cost += signatureScript.extracting(redeemScript).witnessSignatureOperations(input.witness)
        }
      }
    }
    return cost
  }
}
