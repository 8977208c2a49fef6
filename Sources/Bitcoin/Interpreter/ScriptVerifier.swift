internal import Encoding
internal import Hashing
internal import Secp256k1

/// Decides whether an output may be spent, exactly as Bitcoin Core does: its `VerifyScript`.
///
///     let parts = SighashParts(transaction, spentOutputs: spentOutputs)
///     for index in transaction.inputs.indices {
///       try ScriptVerifier.verify(input: index, of: transaction, spending: spentOutputs, flags: .consensus, parts: parts)
///     }
public enum ScriptVerifier {
  /// Verifies one input of a transaction. `spentOutputs` holds what each input spends, in order. `parts`, when given, must be made
  /// of this transaction and these outputs: make it once for all inputs. Signatures found valid are kept in `cache`.
  public static func verify(
    input index: Int, of transaction: Transaction, spending spentOutputs: [TxOutput], flags: ScriptFlags,
    parts: SighashParts? = nil, cache: SignatureCache? = nil
  ) throws(ScriptError) {
    guard transaction.inputs.indices.contains(index), spentOutputs.count == transaction.inputs.count
    else { throw .unknownError }
    let checker = TransactionSignatureChecker(
      transaction, input: index, spending: spentOutputs, parts: parts, cache: cache)
    let input = transaction.inputs[index]
    try verify(
      scriptSig: input.scriptSig, scriptPubKey: spentOutputs[index].scriptPubKey, witness: input.witness, flags: flags,
      checker: checker)
  }

  /// Verifies scriptSig and witness against scriptPubKey. What they say about signatures and lock times is up to the checker.
  public static func verify(
    scriptSig: Script, scriptPubKey: Script, witness: Witness = Witness(), flags: ScriptFlags,
    checker: some SignatureChecker
  ) throws(ScriptError) {
    let signatureScript = scriptSig.bytes.bytes
    let outputScript = scriptPubKey.bytes.bytes
    if flags.contains(.sigPushOnly) && !signatureScript.isPushOnlyScript { throw .sigPushOnly }

    var machine = ScriptMachine(flags: flags, checker: checker)
    try machine.run(signatureScript, version: .base)
    let isScriptHash = flags.contains(.p2sh) && outputScript.isPayToScriptHash
    if isScriptHash { machine.stack.save() }
    try machine.run(outputScript, version: .base)
    try machine.requireTrue()

    var hadWitness = false
    if flags.contains(.witness), let version = outputScript.witnessProgramVersion {
      hadWitness = true
      // BIP 141: "The scriptSig must be exactly empty or validation fails."
      if signatureScript.byteCount != 0 { throw .witnessMalleated }
      try verify(
        witness, version: version, program: outputScript.extracting(2..<outputScript.byteCount), isScriptHash: false,
        flags: flags, checker: checker)
    }

    if isScriptHash {
      // BIP 16: the scriptSig holds nothing but pushes; the last of them is the script whose hash was checked.
      if !signatureScript.isPushOnlyScript { throw .sigPushOnly }
      machine.stack.restoreSaved()
      try machine.stack.require(1)
      let redeemScript = machine.stack.bytes(at: 1).array
      machine.stack.drop()
      try machine.run(redeemScript.bytes, version: .base)
      try machine.requireTrue()

      if flags.contains(.witness), let version = redeemScript.bytes.witnessProgramVersion {
        hadWitness = true
        // BIP 141: "The scriptSig must be exactly a push of the BIP16 redeemScript or validation fails."
        if scriptSig != Script({ $0.append(push: redeemScript) }) { throw .witnessMalleatedP2SH }
        try verify(
          witness, version: version, program: redeemScript.bytes.extracting(2..<redeemScript.count),
          isScriptHash: true, flags: flags, checker: checker)
      }
    }

    // The stack of a witness program is its own, and clean (see `runWitnessScript`).
    if flags.contains(.cleanStack) && !hadWitness && machine.stack.count != 1 { throw .cleanStack }
    if flags.contains(.witness) && !hadWitness && !witness.isEmpty { throw .witnessUnexpected }
  }

  // MARK: Witness programs

  private static func verify(
    _ witness: Witness, version: Int, program: RawSpan, isScriptHash: Bool, flags: ScriptFlags,
    checker: some SignatureChecker
  ) throws(ScriptError) {
    if version == 0 {
      try verifyVersion0(witness, program: program, flags: flags, checker: checker)
    } else if version == 1 && program.byteCount == 32 && !isScriptHash {
      // BIP 341: "a native SegWit output … with version number 1, and a 32-byte witness program".
      if flags.contains(.taproot) { try verifyTaproot(witness, program: program, flags: flags, checker: checker) }
    } else if version == 1 && !isScriptHash && program.byteCount == 2 && program[0] == 0x4e && program[1] == 0x73 {
      // Pay to anchor: anyone may spend it, and doing so is standard.
    } else if flags.contains(.discourageUpgradableWitnessProgram) {
      throw .discourageUpgradableWitnessProgram
    }
  }

  /// BIP 141 §P2WPKH, §P2WSH.
  private static func verifyVersion0(
    _ witness: Witness, program: RawSpan, flags: ScriptFlags, checker: some SignatureChecker
  ) throws(ScriptError) {
    switch program.byteCount {
    case 20:
      guard witness.count == 2 else { throw .witnessProgramMismatch }
      let script = Script {
        $0.append(.dup)
        $0.append(.hash160)
        $0.append(push: program)
        $0.append(.equalVerify)
        $0.append(.checkSig)
      }
      var machine = ScriptMachine(flags: flags, checker: checker)
      try machine.runWitnessScript(script.bytes.bytes, stack: witness.elements[...], version: .witnessV0)
    case 32:
      guard let script = witness.elements.last else { throw .witnessProgramWitnessEmpty }
      guard sha256(script).bytes.elementsEqual(program) else { throw .witnessProgramMismatch }
      var machine = ScriptMachine(flags: flags, checker: checker)
      try machine.runWitnessScript(script.bytes, stack: witness.elements.dropLast(), version: .witnessV0)
    default: throw .witnessProgramWrongLength
    }
  }

  /// BIP 341 §Script validation rules.
  private static func verifyTaproot(
    _ witness: Witness, program: RawSpan, flags: ScriptFlags, checker: some SignatureChecker
  ) throws(ScriptError) {
    var stack = witness.elements[...]
    guard !stack.isEmpty else { throw .witnessProgramWitnessEmpty }
    var machine = ScriptMachine(flags: flags, checker: checker)
    // "If there are at least two witness elements, and the first byte of the last element is 0x50, this last element is called
    // annex a and is removed from the witness stack."
    if stack.count >= 2, let annex = stack.last, annex.first == 0x50 {
      machine.execution.annexHash = annexHash(annex)
      stack.removeLast()
    }
    guard stack.count >= 2, let control = stack.popLast(), let script = stack.popLast() else {
      guard let signature = stack.first else { throw .witnessProgramWitnessEmpty }
      try checker.checkSchnorr(
        signature: signature.bytes, publicKey: program, version: .taproot, execution: machine.execution)
      return
    }
    guard control.count >= 33, control.count <= 33 + 32 * TapTree.maximumDepth, (control.count - 33) % 32 == 0
    else { throw .taprootWrongControlSize }
    let leafVersion = control[0] & 0xfe
    let leafHash = TapLeaf(script: Script(script), version: leafVersion).hash
    guard commits(control.bytes, leafHash: leafHash, to: program) else { throw .witnessProgramMismatch }
    if leafVersion == TapLeaf.tapscriptVersion {
      machine.execution.leafHash = leafHash
      machine.execution.validationWeightLeft = witness.encodedSize + ScriptLimits.weightPerSignature
      try machine.runWitnessScript(script.bytes, stack: stack, version: .tapscript)
    } else if flags.contains(.discourageUpgradableTaprootVersion) {
      throw .discourageUpgradableTaprootVersion
    }
  }

  /// Whether the leaf, the internal key and the path make the output key. A key that is no point makes nothing.
  private static func commits(_ control: RawSpan, leafHash: Bytes32, to program: RawSpan) -> Bool {
    guard let block = try? ControlBlock(decoding: control) else { return false }
    let tweak = TaprootOutput.tweak(
      internalKey: block.internalKey, merkleRoot: block.merkleRoot(leafHash: leafHash))
    guard let output = try? block.internalKey.tweaked(by: tweak) else { return false }
    return output.yIsOdd == block.outputKeyYIsOdd && output.key.bytes.elementsEqual(program)
  }
}

extension ScriptMachine {
  /// A script has to leave something true.
  func requireTrue() throws(ScriptError) {
    guard stack.count > 0, stack.isTrue(at: 1) else { throw .evalFalse }
  }

  /// Runs the script of a witness program on the elements that come with it: Core's `ExecuteWitnessScript`.
  mutating func runWitnessScript(
    _ script: RawSpan, stack elements: ArraySlice<[UInt8]>, version: SignatureVersion
  ) throws(ScriptError) {
    if version == .tapscript {
      // BIP 342: "If any opcode numbered … is encountered, validation succeeds (none of the rules below apply)." The script is
      // read from the front for it, and must be readable up to there.
      var offset = 0
      while offset < script.byteCount {
        guard let instruction = script.scriptInstruction(at: &offset) else { throw .badOpcode }
        if instruction.opcode.isSuccess {
          if flags.contains(.discourageOpSuccess) { throw .discourageOpSuccess }
          return
        }
      }
      if elements.count > ScriptLimits.stackCount { throw .stackSize }
    }
    for element in elements where element.count > ScriptLimits.elementSize { throw .pushSize }
    for element in elements { stack.push(element.bytes) }
    try run(script, version: version)
    // BIP 141: "The script must not fail, and result in exactly a single TRUE on the stack."
    if stack.count != 1 { throw .cleanStack }
    try requireTrue()
  }
}
