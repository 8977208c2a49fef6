internal import Encoding
internal import Secp256k1

extension ScriptMachine {
  mutating func checkSignatures(_ opcode: Opcode, _ script: RawSpan) throws(ScriptError) {
    switch opcode {
    case .checkSig, .checkSigVerify:
      try stack.require(2)
      let isValid = try checkSignature(at: 2, publicKeyAt: 1, script)
      stack.drop(2)
      if opcode == .checkSig {
        stack.push(isValid)
      } else if !isValid {
        throw .checkSigVerify
      }
    case .checkSigAdd:
      // BIP 342: OP_CHECKSIGADD takes the place of CHECKMULTISIG, in tapscript alone.
      guard version == .tapscript else { throw .badOpcode }
      try stack.require(3)
      let number = try number(at: 2)
      let isValid = try checkSignature(at: 3, publicKeyAt: 1, script)
      stack.drop(3)
      stack.push(number: number + (isValid ? 1 : 0))
    default:
      guard version != .tapscript else { throw .tapscriptCheckMultiSig }
      let isValid = try checkMultipleSignatures(script)
      if opcode == .checkMultiSig {
        stack.push(isValid)
      } else if !isValid {
        throw .checkMultiSigVerify
      }
    }
  }

  // MARK: One signature

  private mutating func checkSignature(
    at depth: Int, publicKeyAt keyDepth: Int, _ script: RawSpan
  ) throws(ScriptError) -> Bool {
    if version == .tapscript { return try checkTapscriptSignature(at: depth, publicKeyAt: keyDepth) }
    let signature = stack.bytes(at: depth)
    let publicKey = stack.bytes(at: keyDepth)
    let scriptCode = script.extracting(codeStart..<script.byteCount)
    // A signature cannot sign itself: before segwit it is deleted from the script.
    let edited = version == .base ? scriptCode.deleting(pushOf: signature) : nil
    if edited != nil && flags.contains(.constScriptCode) { throw .sigFindAndDelete }
    try checkEncoding(signature: signature)
    try checkEncoding(publicKey: publicKey)
    let isValid =
      if let edited {
        checker.isValidECDSA(signature: signature, publicKey: publicKey, scriptCode: edited.bytes, version: version)
      } else {
        checker.isValidECDSA(signature: signature, publicKey: publicKey, scriptCode: scriptCode, version: version)
      }
    if !isValid && signature.byteCount > 0 && flags.contains(.nullFail) { throw .nullFail }
    return isValid
  }

  /// BIP 342 §Rules for signature opcodes.
  private mutating func checkTapscriptSignature(
    at depth: Int, publicKeyAt keyDepth: Int
  ) throws(ScriptError) -> Bool {
    let isPresent = !stack.element(depth).isEmpty
    if isPresent {
      // "If the signature is not the empty vector … the signature opcode is counted towards the sigops budget", whatever the
      // public key is.
      execution.validationWeightLeft -= ScriptLimits.weightPerSignature
      if execution.validationWeightLeft < 0 { throw .tapscriptValidationWeight }
    }
    let signature = stack.bytes(at: depth)
    let publicKey = stack.bytes(at: keyDepth)
    switch publicKey.byteCount {
    case 0: throw .tapscriptEmptyPubkey
    case 32:
      if isPresent {
        try checker.checkSchnorr(
          signature: signature, publicKey: publicKey, version: .tapscript, execution: execution)
      }
    default:
      // "If the public key size is not zero and not 32 bytes, the public key is of an unknown public key type": the signature
      // counts as valid.
      if flags.contains(.discourageUpgradablePubkeyType) { throw .discourageUpgradablePubkeyType }
    }
    return isPresent
  }

  // MARK: Several signatures

  /// Takes dummy, signatures, their number, keys and their number from the stack.
  private mutating func checkMultipleSignatures(_ script: RawSpan) throws(ScriptError) -> Bool {
    try stack.require(1)
    let keyNumber = try number(at: 1)
    guard 0...Int64(ScriptLimits.keysPerMultiSig) ~= keyNumber else { throw .pubkeyCount }
    let keyCount = Int(keyNumber)
    operationCount += keyCount
    if operationCount > ScriptLimits.operationCount { throw .opCount }
    try stack.require(keyCount + 2)
    let signatureNumber = try number(at: keyCount + 2)
    guard 0...keyNumber ~= signatureNumber else { throw .sigCount }
    let signatureCount = Int(signatureNumber)
    let firstSignature = keyCount + 3
    // With the element below that the first version took by mistake, and that is taken ever since.
    try stack.require(firstSignature + signatureCount)

    let scriptCode = script.extracting(codeStart..<script.byteCount)
    var edited: [UInt8]?
    if version == .base {
      for index in 0..<signatureCount {
        let signature = stack.bytes(at: firstSignature + index)
        let remaining =
          if let code = edited { code.bytes.deleting(pushOf: signature) } else {
            scriptCode.deleting(pushOf: signature)
          }
        guard let remaining else { continue }
        if flags.contains(.constScriptCode) { throw .sigFindAndDelete }
        edited = remaining
      }
    }
    let isValid =
      if let edited {
        try matches(signatureCount, from: firstSignature, keyCount: keyCount, scriptCode: edited.bytes)
      } else {
        try matches(signatureCount, from: firstSignature, keyCount: keyCount, scriptCode: scriptCode)
      }

    if !isValid && flags.contains(.nullFail) {
      for index in 0..<signatureCount where !stack.element(firstSignature + index).isEmpty { throw .nullFail }
    }
    let dummy = firstSignature + signatureCount
    if flags.contains(.nullDummy) && !stack.element(dummy).isEmpty { throw .sigNullDummy }
    stack.drop(dummy)
    return isValid
  }

  /// Whether every signature is valid for one of the keys, in the same order. The last signature and the last key come first, and
  /// the order in which pairs are looked at is consensus, because a wrong encoding ends the script.
  private func matches(
    _ signatureCount: Int, from firstSignature: Int, keyCount: Int, scriptCode: RawSpan
  ) throws(ScriptError) -> Bool {
    var signatureIndex = 0
    var keyIndex = 0
    while signatureIndex < signatureCount {
      // More signatures left than keys: too many have failed.
      guard signatureCount - signatureIndex <= keyCount - keyIndex else { return false }
      let signature = stack.bytes(at: firstSignature + signatureIndex)
      let publicKey = stack.bytes(at: 2 + keyIndex)
      try checkEncoding(signature: signature)
      try checkEncoding(publicKey: publicKey)
      if checker.isValidECDSA(signature: signature, publicKey: publicKey, scriptCode: scriptCode, version: version) {
        signatureIndex += 1
      }
      keyIndex += 1
    }
    return true
  }

  // MARK: Encodings

  private func checkEncoding(signature: RawSpan) throws(ScriptError) {
    // Nothing is the short way to give no valid signature.
    if signature.byteCount == 0 { return }
    if !flags.isDisjoint(with: [.derSig, .lowS, .strictEnc]) && !signature.isStrictDERSignature { throw .sigDER }
    if flags.contains(.lowS) {
      guard let parsed = signature.extracting(0..<signature.byteCount - 1).laxDERSignature, parsed.isLowS
      else { throw .sigHighS }
    }
    if flags.contains(.strictEnc) && !signature.hasDefinedHashType { throw .sigHashType }
  }

  private func checkEncoding(publicKey: RawSpan) throws(ScriptError) {
    if flags.contains(.strictEnc) && !publicKey.isCompressedOrUncompressedPublicKey { throw .pubkeyType }
    // BIP 143: "only compressed public keys are accepted in P2WPKH and P2WSH", as policy.
    if flags.contains(.witnessPubkeyType) && version == .witnessV0 && !publicKey.isCompressedPublicKey {
      throw .witnessPubkeyType
    }
  }
}
