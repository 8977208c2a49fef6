internal import Encoding
internal import Secp256k1

// The roles of Input Finalizer and Transaction Extractor.

extension PSBT {
  /// Why inputs could not be finalised.
  public struct FinalizationReport: Sendable {
    public var unfinished: [InputFailure] = []
    /// Whether all inputs are final now.
    public var isComplete: Bool { unfinished.isEmpty }
  }

  /// Finalises every input that has what it needs. `templates` are asked before the ones built in, in order: an extension brings
  /// its own scripts this way. Throws `.incompatibleLocktimes` alone; the report says what is missing.
  public mutating func finalize(
    templates: [any PSBTWitnessTemplate] = []
  ) throws(PSBTError) -> FinalizationReport {
    let context = try SighashContext(self)
    var report = FinalizationReport()
    for index in inputs.indices {
      do {
        try finalize(index, templates, context)
      } catch {
        report.unfinished.append(InputFailure(input: index, error: error))
      }
    }
    return report
  }

  /// Finalises one input. Signatures that do not verify are passed over, and the scripts are run under Bitcoin Core's relay
  /// policy before they are taken. An input that is final stays as it is. Throws `.unsatisfied` when something is missing,
  /// `.sighashTypeMismatch` when a signature is of another type than the input asks for, `.scriptFails`, and what `spentOutput`
  /// throws.
  public mutating func finalize(
    input index: Int, templates: [any PSBTWitnessTemplate] = []
  ) throws(PSBTError) {
    guard inputs.indices.contains(index) else { throw .noSuchInput(index) }
    try finalize(index, templates, try SighashContext(self))
  }

  private mutating func finalize(
    _ index: Int, _ templates: [any PSBTWitnessTemplate], _ context: SighashContext
  ) throws(PSBTError) {
    guard !inputs[index].hasFinalScripts else { return }
    let spending = try spending(index)
    if case .taproot = spending.kind, !inputs[index].musig2PartialSignatures.isEmpty {
      // BIP 373: "A finalizer may perform the same PartialSigAgg step as the final signer if it has not already been done."
      try aggregateMuSig2Signatures(input: index)
    }
    try requireSighashTypes(index)
    let templates = templates + [StandardTemplate()]
    var scriptSig = Script()
    var witness = Witness()
    switch spending.kind {
    case .anchor: break
    case .taproot(let outputKey):
      witness = try taprootWitness(index, outputKey, templates, context)
    case .p2wpkh(let hash):
      let spend = PSBTSpend(self, index, spending, .segwitV0, script: .p2wpkhScriptCode(hash), context)
      guard let stack = StandardTemplate().satisfy(spend) else { throw .unsatisfied(input: index) }
      witness = Witness(stack)
    case .p2wsh:
      let spend = PSBTSpend(self, index, spending, .segwitV0, script: spending.script, context)
      guard let stack = Self.satisfy(spend, templates) else { throw .unsatisfied(input: index) }
      witness = Witness(stack + [spending.script.bytes])
    case .legacy:
      let spend = PSBTSpend(self, index, spending, .legacy, script: spending.script, context)
      guard let stack = Self.satisfy(spend, templates) else { throw .unsatisfied(input: index) }
      for element in stack { scriptSig.append(minimalPush: element) }
    }
    if let redeemScript = spending.redeemScript { scriptSig.append(push: redeemScript.bytes) }
    try context.verify(index, scriptSig, witness)
    inputs[index].clearForFinal()
    // BIP 174: "If scriptSig is empty for an input, 0x07 should remain unset rather than assigned an empty array."
    inputs[index].finalScriptSig = scriptSig.isEmpty ? nil : scriptSig
    inputs[index].finalScriptWitness = witness.isEmpty ? nil : witness
  }

  private static func satisfy(_ spend: PSBTSpend, _ templates: [any PSBTWitnessTemplate]) -> [[UInt8]]? {
    for template in templates {
      if let stack = template.satisfy(spend) { return stack }
    }
    return nil
  }

  private func taprootWitness(
    _ index: Int, _ outputKey: Bytes32, _ templates: [any PSBTWitnessTemplate], _ context: SighashContext
  ) throws(PSBTError) -> Witness {
    guard let point = try? XOnlyPublicKey(copying: outputKey.bytes) else { throw .unsupportedScript(input: index) }
    let input = inputs[index]
    let spending = try spending(index)
    if let signature = input.tapKeySignature {
      let sighash = try context.taproot(index, leafHash: nil, type: signature.sighashType)
      if point.isValidSchnorr(signature.signature, for: sighash.raw) { return [signature.bytes] }
    }
    var best: Witness?
    for (controlBlock, leaf) in input.tapLeafScripts {
      let leafHash = leaf.hash
      guard controlBlock.leafVersion == leaf.version, controlBlock.commits(leafHash: leafHash, to: point) else {
        continue
      }
      let spend = PSBTSpend(self, index, spending, .tapscript(leaf, leafHash), script: leaf.script, context)
      guard let stack = Self.satisfy(spend, templates) else { continue }
      let witness = Witness(stack + [leaf.script.bytes, controlBlock.encoded])
      if best.map({ witness.encodedSize < $0.encodedSize }) ?? true { best = witness }
    }
    guard let best else { throw .unsatisfied(input: index) }
    return best
  }

  /// BIP 174: "If the input has a PSBT_IN_SIGHASH_TYPE field, the Input Finalizer must fail to finalize that input if any signature
  /// does not match the specified sighash type."
  private func requireSighashTypes(_ index: Int) throws(PSBTError) {
    let input = inputs[index]
    guard let type = input.sighashType else { return }
    let types =
      input.partialSignatures.map { $0.value.sighashType } + input.tapScriptSignatures.map { $0.value.sighashType }
      + (input.tapKeySignature.map { [$0.sighashType] } ?? [])
    if let other = types.first(where: { $0 != type }) { throw .sighashTypeMismatch(input: index, other) }
  }

  // MARK: Extractor

  /// Runs the final scripts of every input, under Bitcoin Core's relay policy: final scripts may have come from others. Throws
  /// `.incomplete` when an input is not final, `.scriptFails`, and what `spentOutput` throws: the UTXOs must be there.
  public func verifyFinalScripts() throws(PSBTError) {
    _ = try spentOutputs()
    let context = try SighashContext(self)
    for index in inputs.indices {
      guard isFinal(index) else { throw .incomplete(input: index) }
      let input = inputs[index]
      try context.verify(index, input.finalScriptSig ?? Script(), input.finalScriptWitness ?? Witness())
    }
  }

  /// The whole transaction. Throws `.incomplete` when an input is not final. "The Transaction Extractor does not need to know how
  /// to interpret scripts": see `verifyFinalScripts`.
  public func extractTransaction() throws(PSBTError) -> Transaction {
    var transaction = try unsignedTransaction()
    for index in inputs.indices {
      guard isFinal(index) else { throw .incomplete(input: index) }
      transaction.inputs[index].scriptSig = inputs[index].finalScriptSig ?? Script()
      transaction.inputs[index].witness = inputs[index].finalScriptWitness ?? Witness()
    }
    return transaction
  }
}

extension PSBT.Input {
  /// BIP 174: "All other data except the UTXO and unknown fields [...] should be cleared from the PSBT." What version 2 builds the
  /// transaction from stays as well.
  fileprivate mutating func clearForFinal() {
    var kept = PSBT.Input(previousOutput: previousOutput, sequence: sequence)
    kept.requiredTimeLocktime = requiredTimeLocktime
    kept.requiredHeightLocktime = requiredHeightLocktime
    kept.nonWitnessUTXO = nonWitnessUTXO
    kept.witnessUTXO = witnessUTXO
    kept.proprietary = proprietary
    kept.unknown = unknown
    self = kept
  }
}
