internal import Bitcoin
internal import Encoding

/// What Bitcoin Core asks of a transaction before it relays it, beyond consensus.
struct Standardness {
  let policy: RegtestPolicy

  /// Bitcoin Core's `IsStandardTx`, and the two sizes that are looked at beside it.
  func check(_ transaction: Transaction) throws(TransactionRefusal) {
    guard 1...3 ~= transaction.version else { throw .init(.nonStandard, "version") }
    guard transaction.weight.rawValue <= RegtestPolicy.maximumStandardWeight else {
      throw .init(.nonStandard, "tx-size")
    }
    for input in transaction.inputs {
      guard input.scriptSig.count <= RegtestPolicy.maximumScriptSigSize
      else { throw .init(.nonStandard, "scriptsig-size") }
      guard input.scriptSig.isPushOnly else { throw .init(.nonStandard, "scriptsig-not-pushonly") }
    }
    var dataCarriers = 0
    var dust = 0
    for output in transaction.outputs {
      switch output.scriptPubKey.kind {
      case .nonstandard: throw .init(.nonStandard, "scriptpubkey")
      case .multisig(_, let keys) where keys.count > 3: throw .init(.nonStandard, "scriptpubkey")
      case .opReturn:
        guard output.scriptPubKey.count <= policy.maximumDataCarrierSize else {
          throw .init(.nonStandard, "scriptpubkey")
        }
        dataCarriers += 1
      default: break
      }
      if isDust(output) { dust += 1 }
    }
    // One output of dust may be ephemeral: see `RegtestChain`'s rules about fees and packages.
    guard dust <= 1 else { throw .init(.dust, "dust") }
    guard dataCarriers <= 1 else { throw .init(.nonStandard, "multi-op-return") }
    guard transaction.baseSize >= RegtestPolicy.minimumNonWitnessSize else {
      throw .init(.nonStandard, "tx-size-small")
    }
  }

  /// Whether the output is worth less than three times what spending it costs at `dustRelayRate`.
  func isDust(_ output: TxOutput) -> Bool {
    if output.scriptPubKey.isUnspendable { return false }
    // An input without its witness or signature script, and 107 bytes of signature and key, a quarter of that in a witness.
    let spending: UInt64 = output.scriptPubKey.witnessProgram == nil ? 32 + 4 + 1 + 107 + 4 : 32 + 4 + 1 + 107 / 4 + 4
    let size = UInt64(output.encoded.count) + spending
    return output.value.rawValue < RegtestPolicy.fee(rate: policy.dustRelayRate, size: size)
  }

  /// Bitcoin Core's `AreInputsStandard` and `IsWitnessStandard`.
  func checkInputs(_ transaction: Transaction, spending outputs: [TxOutput]) throws(TransactionRefusal) {
    for (input, output) in zip(transaction.inputs, outputs) {
      switch output.scriptPubKey.kind {
      case .nonstandard, .witness: throw .init(.nonStandard, "bad-txns-nonstandard-inputs")
      case .p2sh:
        guard let redeemScript = Self.lastPush(input.scriptSig), redeemScript.signatureOperations(accurate: true) <= 15
        else { throw .init(.nonStandard, "bad-txns-nonstandard-inputs") }
      default: break
      }
    }
    for (input, output) in zip(transaction.inputs, outputs) where !input.witness.isEmpty {
      guard isWitnessStandard(input, spending: output) else { throw .init(.nonStandard, "bad-witness-nonstandard") }
    }
  }

  private func isWitnessStandard(_ input: TxInput, spending output: TxOutput) -> Bool {
    var script = output.scriptPubKey
    if case .p2a = script.kind { return false }
    var isScriptHash = false
    if case .p2sh = script.kind {
      guard let redeemScript = Self.lastPush(input.scriptSig) else { return false }
      script = redeemScript
      isScriptHash = true
    }
    let elements = input.witness.elements
    switch script.witnessProgram {
    case nil: return false
    case (0, let program)? where program.count == 32:
      guard let witnessScript = elements.last, witnessScript.count <= 3600, elements.count <= 101 else { return false }
      return elements.dropLast().allSatisfy { $0.count <= 80 }
    case (1, let program)? where program.count == 32 && !isScriptHash:
      // BIP 341: the annex has no meaning yet.
      if elements.count >= 2, elements.last?.first == 0x50 { return false }
      guard elements.count >= 2, let control = elements.last, let leafVersion = control.first
      else { return elements.count == 1 }
      if leafVersion & 0xfe == TapLeaf.tapscriptVersion { return elements.dropLast(2).allSatisfy { $0.count <= 80 } }
      return true
    default: return true
    }
  }

  private static func lastPush(_ script: Script) -> Script? {
    guard script.isPushOnly, let last = script.instructions?.last else { return nil }
    return Script(Array(script.bytes[last.data]))
  }
}
