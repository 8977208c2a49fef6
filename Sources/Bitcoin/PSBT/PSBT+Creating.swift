// The roles of Creator, Constructor and Updater.

extension PSBT {
  // MARK: Creator

  /// Version 0. BIP 174 §Creator: "It must create an unsigned transaction and place it in the PSBT." Throws
  /// `.unsignedTransactionIsSigned` when an input has a scriptSig or witness.
  public init(unsignedTransaction transaction: Transaction) throws(PSBTError) {
    for (index, input) in transaction.inputs.enumerated() where !input.scriptSig.isEmpty || !input.witness.isEmpty {
      throw .unsignedTransactionIsSigned(input: index)
    }
    self.init(
      version: .v0, transactionVersion: transaction.version, fallbackLocktime: transaction.lockTime, txModifiable: nil,
      inputs: transaction.inputs.map { Input(previousOutput: $0.previousOutput, sequence: $0.sequence) },
      outputs: transaction.outputs.map { Output($0) })
  }

  /// Version 2. BIP 370 §Creator: "the Creator initializes the PSBT with 0 inputs and 0 outputs." `txModifiable` says what may be
  /// added; it "must be present" when others are to add something, and "the transaction version number must be set to at least
  /// 2": throws `.transactionVersionTooLow`.
  public init(
    transactionVersion: UInt32 = 2, fallbackLocktime: UInt32? = 0, txModifiable: TxModifiable? = [.inputs, .outputs]
  ) throws(PSBTError) {
    if txModifiable != nil && transactionVersion < 2 { throw .transactionVersionTooLow(transactionVersion) }
    self.init(
      version: .v2, transactionVersion: transactionVersion, fallbackLocktime: fallbackLocktime,
      txModifiable: txModifiable, inputs: [], outputs: [])
  }

  // MARK: Constructor

  /// Adds an input behind the others, or at `index`, under the rules of BIP 370 §Constructor.
  public mutating func addInput(_ input: Input, at index: Int? = nil) throws(PSBTError) {
    try requireModifiable(.inputs, orElse: .inputsNotModifiable)
    let index = index ?? inputs.count
    guard 0...inputs.count ~= index else { throw .noSuchInput(index) }
    // "The same number of inputs and outputs must be added before those inputs and their corresponding outputs."
    try requireNoSighashSingle(from: index)
    try insert(input, at: index)
  }

  /// Adds an output behind the others, or at `index`, under the rules of BIP 370 §Constructor.
  public mutating func addOutput(_ output: Output, at index: Int? = nil) throws(PSBTError) {
    try requireModifiable(.outputs, orElse: .outputsNotModifiable)
    let index = index ?? outputs.count
    guard 0...outputs.count ~= index else { throw .noSuchOutput(index) }
    // An input signed with SIGHASH_SINGLE that had no output at all would get one here: it counts too.
    try requireNoSighashSingle(from: index)
    outputs.insert(output, at: index)
  }

  /// Adds an input and an output of the same index, which leaves the pairs behind them whole that SIGHASH_SINGLE covers.
  public mutating func addPair(_ input: Input, _ output: Output, at index: Int) throws(PSBTError) {
    try requireModifiable(.inputs, orElse: .inputsNotModifiable)
    try requireModifiable(.outputs, orElse: .outputsNotModifiable)
    guard 0...inputs.count ~= index else { throw .noSuchInput(index) }
    guard 0...outputs.count ~= index else { throw .noSuchOutput(index) }
    if index == outputs.count { try requireNoSighashSingle(from: index) }
    try insert(input, at: index)
    outputs.insert(output, at: index)
  }

  /// Removes an input. Throws `.locktimeIsSigned` when that would change the lock time below the signatures of others.
  public mutating func removeInput(at index: Int) throws(PSBTError) {
    try requireModifiable(.inputs, orElse: .inputsNotModifiable)
    guard inputs.indices.contains(index) else { throw .noSuchInput(index) }
    try requireNoSighashSingle(from: index + 1)
    var changed = self
    changed.inputs.remove(at: index)
    try requireSameLockTime(changed)
    self = changed
  }

  /// Removes an output.
  public mutating func removeOutput(at index: Int) throws(PSBTError) {
    try requireModifiable(.outputs, orElse: .outputsNotModifiable)
    guard outputs.indices.contains(index) else { throw .noSuchOutput(index) }
    try requireNoSighashSingle(from: index)
    outputs.remove(at: index)
  }

  /// Declares "that no further inputs and outputs can be added". Other flags stay.
  public mutating func finishConstruction() {
    txModifiable?.subtract([.inputs, .outputs])
  }

  private func requireModifiable(_ flag: TxModifiable, orElse error: PSBTError) throws(PSBTError) {
    guard version == .v2 else { throw .notVersion2 }
    guard txModifiable?.contains(flag) == true else { throw error }
  }

  private mutating func insert(_ input: Input, at index: Int) throws(PSBTError) {
    guard !inputs.contains(where: { $0.previousOutput == input.previousOutput }) else {
      throw .duplicateInput(input.previousOutput)
    }
    var changed = self
    changed.inputs.insert(input, at: index)
    try requireSameLockTime(changed)
    self = changed
  }

  /// "If the newly added input has an incompatible time lock, then it must not be added. If it changes the transaction's locktime
  /// when there are existing signatures, it must not be added."
  private func requireSameLockTime(_ changed: PSBT) throws(PSBTError) {
    let lockTime = try changed.lockTime()
    guard changed.inputs.contains(where: \.hasSignatures) else { return }
    guard lockTime == (try self.lockTime()) else { throw .locktimeIsSigned }
  }

  /// Looks for inputs from `index` on that are signed with SIGHASH_SINGLE. A final input whose signatures cannot be told from
  /// other data counts as one when the flag is set.
  private func requireNoSighashSingle(from index: Int) throws(PSBTError) {
    guard txModifiable?.contains(.hasSighashSingle) == true else { return }
    for position in inputs.indices.dropFirst(index) {
      let input = inputs[position]
      let isSingle =
        input.partialSignatures.contains { $0.value.sighashType.isSingle }
        || input.tapKeySignature?.sighashType.isSingle == true
        || input.tapScriptSignatures.contains { $0.value.sighashType.isSingle }
        || (!input.musig2PartialSignatures.isEmpty && input.sighashType?.isSingle == true) || input.hasFinalScripts
      if isSingle { throw .breaksSighashSingle(input: position) }
    }
  }

  // MARK: Updater

  /// Adds the transaction whose output an input spends, and for segwit outputs the output by itself too. Throws
  /// `.nonWitnessUTXOMismatch` for another transaction, `.noSuchSpentOutput`, `.alreadyFinal`.
  public mutating func addUTXO(_ transaction: Transaction, toInput index: Int) throws(PSBTError) {
    guard inputs.indices.contains(index) else { throw .noSuchInput(index) }
    let outpoint = inputs[index].previousOutput
    guard transaction.txid == outpoint.txid else { throw .nonWitnessUTXOMismatch(input: index) }
    guard Int(outpoint.vout) < transaction.outputs.count else { throw .noSuchSpentOutput(input: index) }
    let output = transaction.outputs[Int(outpoint.vout)]
    inputs[index].nonWitnessUTXO = transaction
    let program = output.scriptPubKey.kind.isScriptHash ? inputs[index].redeemScript ?? Script() : output.scriptPubKey
    // BIP 174: the witness UTXO "should only be present for inputs which spend segwit outputs".
    if program.witnessProgram != nil { inputs[index].witnessUTXO = output }
  }

  /// Sets the sequence of an input (BIP 370 §Updater). Throws `.notVersion2`: in version 0 it is part of the transaction.
  public mutating func setSequence(_ sequence: UInt32, ofInput index: Int) throws(PSBTError) {
    guard version == .v2 else { throw .notVersion2 }
    guard inputs.indices.contains(index) else { throw .noSuchInput(index) }
    inputs[index].sequence = sequence
  }

  // MARK: Versions

  /// The same PSBT in another version. What version 0 cannot hold (flags, required lock times) is left out of it, after the lock
  /// time has been determined: throws `.incompatibleLocktimes`.
  public func converted(to version: Version) throws(PSBTError) -> PSBT {
    guard version != self.version else { return self }
    var result = self
    if version == .v0 {
      result.fallbackLocktime = try lockTime()
      result.txModifiable = nil
      for index in result.inputs.indices {
        result.inputs[index].sequence = inputs[index].sequence ?? 0xffff_ffff
        result.inputs[index].requiredTimeLocktime = nil
        result.inputs[index].requiredHeightLocktime = nil
      }
    }
    result.version = version
    result.writesVersion = version != .v0
    return result
  }
}

extension ScriptKind {
  var isScriptHash: Bool { if case .p2sh = self { true } else { false } }
}
