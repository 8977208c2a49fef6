public import Encoding
internal import Hashing
public import Secp256k1

// The role of the Signer, for ECDSA and for taproot with single keys. MuSig2 is in PSBT+MuSig2.swift.

/// Lends secret keys to a signer. They never leave `body`.
public protocol PSBTKeyProvider: ~Copyable {
  /// Calls `body` with the secret key of `publicKey`, and only when there is one. A taproot key comes as the point with even y:
  /// the secret key of either point is right. `origin` is what the PSBT says of the key, nil when it says nothing.
  borrowing func withSecretKey(
    of publicKey: PublicKey, isXOnly: Bool, origin: PSBT.KeyOrigin?, _ body: (borrowing SecretKey) -> Void)
}

extension PSBT {
  public struct SigningOptions: Sendable {
    /// The type to sign with where an input names none: SIGHASH_DEFAULT for taproot and SIGHASH_ALL elsewhere when nil.
    public var sighashType: SighashType?
    /// What an input may ask for. BIP 174: "If unacceptable, they must fail."
    public var acceptableSighashTypes: Set<SighashType> = [.default, .all]
    /// BIP 174: "The Signer may choose to fail to sign a segwit input if a non-witness UTXO is not provided." Taproot is exempt
    /// (BIP 371 §UTXO Types).
    public var requiresNonWitnessUTXO = false
    /// Whether ECDSA nonces are drawn again until r is below 2^255, as Bitcoin Core does.
    public var grindLowR = true
    /// BIP 340's auxiliary randomness. Nil is fresh randomness for each signature.
    public var auxRand: Bytes32?

    public init() {}
  }

  /// What a signer did.
  public struct SigningReport: Sendable {
    /// How many signatures were added.
    public var signatures = 0
    /// The inputs that were left as they were, and why. An input without a place for the key is not among them.
    public var refused: [InputFailure] = []
  }

  /// What went wrong with one input, while others may have gone well.
  public struct InputFailure: Hashable, Sendable {
    public var input: Int
    public var error: PSBTError

    public init(input: Int, error: PSBTError) {
      self.input = input
      self.error = error
    }
  }

  /// Adds a signature wherever this key is asked for: in scripts, in leaves, and as the internal or output key of taproot, but not
  /// as a MuSig2 participant (see `musig2Targets`). Signatures that are there stay. Throws `.incompatibleLocktimes` alone; what goes wrong in an input is in the report.
  public mutating func sign(
    with key: borrowing SecretKey, options: SigningOptions = SigningOptions()
  ) throws(PSBTError) -> SigningReport {
    let signer = Signer(key)
    let context = try SighashContext(self)
    var report = SigningReport()
    for index in inputs.indices where !isFinal(index) {
      do {
        report.signatures += try sign(index, signer, key, options, context)
      } catch {
        report.refused.append(InputFailure(input: index, error: error))
      }
    }
    return report
  }

  /// Signs one input with one key, and tells how many signatures were added. Throws what keeps it from being signed; the input is
  /// then as it was.
  public mutating func sign(
    input index: Int, with key: borrowing SecretKey, options: SigningOptions = SigningOptions()
  ) throws(PSBTError) -> Int {
    guard inputs.indices.contains(index) else { throw .noSuchInput(index) }
    guard !isFinal(index) else { throw .alreadyFinal(input: index) }
    return try sign(index, Signer(key), key, options, try SighashContext(self))
  }

  /// Signs with every key of `provider` that the PSBT asks for by name, in its derivations and scripts.
  public mutating func sign<Provider: PSBTKeyProvider & ~Copyable>(
    with provider: borrowing Provider, options: SigningOptions = SigningOptions()
  ) throws(PSBTError) -> SigningReport {
    let context = try SighashContext(self)
    var report = SigningReport()
    for index in inputs.indices where !isFinal(index) {
      var refusal: PSBTError?
      for request in keyRequests(index) {
        // The closure cannot throw through the protocol: what it did is kept beside it.
        var changed = self
        var added = 0
        provider.withSecretKey(of: request.key, isXOnly: request.isXOnly, origin: request.origin) { key in
          do throws(PSBTError) {
            added += try changed.sign(index, Signer(key), key, options, context)
          } catch {
            refusal = refusal ?? error
          }
        }
        if added > 0 { self = changed }
        report.signatures += added
      }
      if let refusal { report.refused.append(InputFailure(input: index, error: refusal)) }
    }
    return report
  }

  /// A key that an input could use.
  struct KeyRequest: Hashable {
    var key: PublicKey
    var isXOnly: Bool
    var origin: KeyOrigin?
  }

  private func keyRequests(_ index: Int) -> [KeyRequest] {
    let input = inputs[index]
    var requests: [KeyRequest] = []
    // By all bytes, which an attacker cannot make collide.
    var seen: Set<[UInt8]> = []
    func add(_ key: PublicKey, _ isXOnly: Bool, _ origin: KeyOrigin?) {
      if seen.insert(key.array).inserted { requests.append(KeyRequest(key: key, isXOnly: isXOnly, origin: origin)) }
    }
    for (key, origin) in input.bip32Derivations { add(key.key, false, origin) }
    for (key, origin) in input.tapBIP32Derivations { add(key.evenPoint, true, origin.origin) }
    if let key = input.tapInternalKey { add(key.evenPoint, true, nil) }
    if let spending = try? spending(index) {
      if case .taproot(let key) = spending.kind, let key = try? XOnlyPublicKey(copying: key.bytes) {
        add(key.evenPoint, true, nil)
      }
      for push in spending.script.pushes { if let key = ScriptKey(push.bytes) { add(key.key, false, nil) } }
    }
    for (_, leaf) in input.tapLeafScripts {
      for push in leaf.script.pushes where push.count == 32 {
        if let key = try? XOnlyPublicKey(copying: push.bytes) { add(key.evenPoint, true, nil) }
      }
    }
    return requests
  }

  /// What is known of a key beside the secret.
  private struct Signer {
    let publicKey: PublicKey
    let xOnly: XOnlyPublicKey

    init(_ key: borrowing SecretKey) {
      publicKey = key.publicKey
      xOnly = publicKey.xOnly.key
    }

    /// The forms of the key that a script holds, whole or as a hash.
    func forms(in script: Script, allowUncompressed: Bool) -> [ScriptKey] {
      var candidates = [ScriptKey(publicKey)]
      if allowUncompressed { candidates.append(ScriptKey(uncompressed: publicKey)) }
      let pushes = script.pushes
      return candidates.filter { candidate in
        let bytes = candidate.bytes
        let hash = hash160(bytes).array
        return pushes.contains { $0 == bytes || $0 == hash }
      }
    }
  }

  private mutating func sign(
    _ index: Int, _ signer: Signer, _ key: borrowing SecretKey, _ options: SigningOptions, _ context: SighashContext
  ) throws(PSBTError) -> Int {
    let spending = try spending(index)
    switch spending.kind {
    case .anchor: return 0
    case .taproot(let outputKey):
      return try signTaproot(index, outputKey, signer, key, options, context)
    case .legacy, .p2wpkh, .p2wsh:
      // BIP 143: keys in witness scripts are compressed.
      let forms = signer.forms(in: spending.script, allowUncompressed: spending.kind == .legacy)
        .filter { inputs[index].partialSignatures[$0] == nil }
      guard !forms.isEmpty else { return 0 }
      let type = try signingType(index, isTaproot: false, options)
      if options.requiresNonWitnessUTXO && inputs[index].nonWitnessUTXO == nil { throw .missingUTXO(input: index) }
      let sighash = try context.ecdsa(index, spending, type: type)
      let signature = PartialSignature(key.signECDSA(sighash.raw, grindLowR: options.grindLowR), sighashType: type)
      for form in forms { inputs[index].partialSignatures[form] = signature }
      noteSignature(index, type, defaultType: .all)
      return forms.count
    }
  }

  private mutating func signTaproot(
    _ index: Int, _ outputKey: Bytes32, _ signer: Signer, _ key: borrowing SecretKey, _ options: SigningOptions,
    _ context: SighashContext
  ) throws(PSBTError) -> Int {
    let input = inputs[index]
    var keySignature: TapSignature?
    var scriptSignatures: [(TapScriptSignatureKey, TapSignature)] = []
    var type: SighashType?
    func sign(_ pair: borrowing KeyPair, leafHash: Bytes32?) throws(PSBTError) -> TapSignature {
      let chosen: SighashType
      if let type { chosen = type } else { chosen = try signingType(index, isTaproot: true, options) }
      type = chosen
      let sighash = try context.taproot(index, leafHash: leafHash, type: chosen)
      return TapSignature(
        pair.signSchnorr(sighash.raw, auxRand: options.auxRand ?? .random()), sighashType: chosen)
    }
    if input.tapKeySignature == nil {
      if signer.xOnly.x == outputKey {
        keySignature = try sign(KeyPair(key), leafHash: nil)
      } else if input.tapInternalKey == signer.xOnly || input.tapInternalKey == nil {
        // Without an internal key it may still be ours: the output key tells.
        let pair = KeyPair(key)
        if let tweaked = try? pair.taprootTweaked(merkleRoot: input.tapMerkleRoot),
          tweaked.xOnlyPublicKey.x == outputKey
        {
          keySignature = try sign(tweaked, leafHash: nil)
        } else if input.tapInternalKey != nil {
          throw .scriptMismatch(.input(index, .tapInternalKey))
        }
      }
    }
    for (controlBlock, leaf) in input.tapLeafScripts where leaf.version == TapLeaf.tapscriptVersion {
      guard leaf.script.pushes.contains(where: { $0.bytes.elementsEqual(signer.xOnly.bytes) }) else { continue }
      let leafHash = leaf.hash
      let target = TapScriptSignatureKey(publicKey: signer.xOnly, leafHash: leafHash)
      guard input.tapScriptSignatures[target] == nil else { continue }
      guard let outputPoint = try? XOnlyPublicKey(copying: outputKey.bytes),
        controlBlock.commits(leafHash: leafHash, to: outputPoint)
      else { throw .scriptMismatch(.input(index, .tapLeafScript)) }
      scriptSignatures.append((target, try sign(KeyPair(key), leafHash: leafHash)))
    }
    guard let type else { return 0 }
    if let keySignature { inputs[index].tapKeySignature = keySignature }
    for (target, signature) in scriptSignatures { inputs[index].tapScriptSignatures[target] = signature }
    noteSignature(index, type, defaultType: .default)
    return scriptSignatures.count + (keySignature == nil ? 0 : 1)
  }

  /// The sighash type to sign an input with. Throws `.unacceptableSighashType`, and `.sighashTypeMismatch` when the input asks for
  /// another one than the options, or for one that does not exist there.
  func signingType(_ index: Int, isTaproot: Bool, _ options: SigningOptions) throws(PSBTError) -> SighashType {
    let type: SighashType
    if let asked = inputs[index].sighashType {
      guard options.acceptableSighashTypes.contains(asked) || options.sighashType == asked else {
        throw .unacceptableSighashType(input: index, asked)
      }
      if let wanted = options.sighashType, wanted != asked { throw .sighashTypeMismatch(input: index, asked) }
      type = asked
    } else {
      type = options.sighashType ?? (isTaproot ? .default : .all)
    }
    // Consensus lets SIGHASH_SINGLE without an output sign next to nothing (outside segwit, the number one): never do that.
    if type.isSingle && index >= outputs.count { throw .sighash(.noMatchingOutput) }
    switch type.rawValue {
    case 0 where isTaproot: return type
    case 1...3, 0x81...0x83: return type
    default: throw .sighashTypeMismatch(input: index, type)
    }
  }

  /// What a signature changes beside itself.
  mutating func noteSignature(_ index: Int, _ type: SighashType, defaultType: SighashType) {
    // The finalizer is to know of a type that it would not expect.
    if inputs[index].sighashType == nil && type != defaultType { inputs[index].sighashType = type }
    guard version == .v2, let flags = txModifiable else { return }
    // BIP 370 §Signer: "If the Signer added a signature that does not use SIGHASH_ANYONECANPAY, the Input Modifiable flag must be
    // set to False. [...] that does not use SIGHASH_NONE, the Outputs Modifiable flag must be set to False. [...] that uses
    // SIGHASH_SINGLE, the Has SIGHASH_SINGLE flag must be set to True."
    var changed = flags
    if !type.isAnyoneCanPay { changed.remove(.inputs) }
    if !type.isNone { changed.remove(.outputs) }
    if type.isSingle { changed.insert(.hasSighashSingle) }
    txModifiable = changed
  }
}

extension FixedBytes {
  /// From the operating system.
  static func random() -> Self {
    var bytes = Self()
    var generator = SystemRandomNumberGenerator()
    for index in 0..<count { bytes[index] = UInt8.random(in: 0...255, using: &generator) }
    return bytes
  }
}
