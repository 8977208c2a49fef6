import Bitcoin
import Encoding
import Hashing
import Secp256k1
import Testing

/// The roles, on outputs of every kind that the library can spend by itself.
@Suite struct PSBTRoleTests {
  /// A transaction that pays 100,000 sat to a script, as output 1.
  static func funding(_ script: Script, salt: UInt8 = 0) -> Transaction {
    Transaction(
      inputs: [TxInput(previousOutput: OutPoint(txid: TxID(sha256([salt])), vout: 0))],
      outputs: [
        TxOutput(value: Satoshi(5_000), scriptPubKey: .p2a), TxOutput(value: Satoshi(100_000), scriptPubKey: script),
      ])
  }

  static func key(_ number: UInt8) throws -> SecretKey { try SecretKey(sha256([number])) }
  static func publicKey(_ number: UInt8) throws -> PublicKey { try key(number).publicKey }

  static let destination = Script.p2wpkh(Bytes20())

  /// A version 2 PSBT that spends the funding outputs of `scripts` and pays 90,000 sat for each.
  static func spending(_ scripts: [Script], version: PSBT.Version = .v2) throws -> PSBT {
    var psbt = try PSBT()
    for (index, script) in scripts.enumerated() {
      let funding = funding(script, salt: UInt8(index))
      try psbt.addInput(PSBT.Input(previousOutput: OutPoint(txid: funding.txid, vout: 1)))
      try psbt.addOutput(PSBT.Output(amount: Satoshi(90_000), script: destination))
      try psbt.addUTXO(funding, toInput: index)
    }
    return try psbt.converted(to: version)
  }

  // MARK: Signer and finalizer

  struct Single: Sendable, CustomStringConvertible {
    var description: String
    var scriptPubKey: Script
    var redeemScript: Script?
    var witnessScript: Script?
    var keys: [UInt8] = [1]
    var signatures = 1
  }

  static func singles() throws -> [Single] {
    let a = try publicKey(1)
    let b = try publicKey(2)
    let c = try publicKey(3)
    let multisig = try #require(Script.multisig(required: 2, keys: [a, b, c]))
    let p2pkh = Script.p2pkh(a)
    return [
      Single(description: "P2PK", scriptPubKey: .p2pk(a)),
      Single(description: "P2PKH", scriptPubKey: p2pkh),
      Single(
        description: "P2PKH, uncompressed", scriptPubKey: .p2pkh(hash160(a.uncompressed.bytes))),
      Single(description: "P2WPKH", scriptPubKey: .p2wpkh(a)),
      Single(description: "P2SH-P2WPKH", scriptPubKey: .p2sh(.p2wpkh(a)), redeemScript: .p2wpkh(a)),
      Single(description: "P2WSH of P2PKH", scriptPubKey: .p2wsh(p2pkh), witnessScript: p2pkh),
      Single(description: "multisig", scriptPubKey: multisig, keys: [3, 1, 2], signatures: 3),
      Single(
        description: "P2SH multisig", scriptPubKey: .p2sh(multisig), redeemScript: multisig, keys: [2, 1],
        signatures: 2),
      Single(
        description: "P2WSH multisig", scriptPubKey: .p2wsh(multisig), witnessScript: multisig, keys: [3, 2],
        signatures: 2),
      Single(
        description: "P2SH-P2WSH multisig", scriptPubKey: .p2sh(.p2wsh(multisig)), redeemScript: .p2wsh(multisig),
        witnessScript: multisig, keys: [3, 1], signatures: 2),
    ]
  }

  @Test(arguments: [PSBT.Version.v0, .v2]) func ecdsaOutputsOfEveryKindAreSigned(_ version: PSBT.Version) throws {
    for single in try Self.singles() {
      var psbt = try Self.spending([single.scriptPubKey], version: version)
      psbt.inputs[0].redeemScript = single.redeemScript
      psbt.inputs[0].witnessScript = single.witnessScript
      #expect(try psbt.sign(with: try Self.key(9)).signatures == 0, "\(single): a key that is not asked for")
      var signatures = 0
      for key in single.keys {
        let report = try psbt.sign(with: try Self.key(key))
        #expect(report.refused == [], "\(single)")
        signatures += report.signatures
      }
      #expect(signatures == single.signatures, "\(single)")
      #expect(try psbt.sign(with: try Self.key(single.keys[0])).signatures == 0, "\(single): signed already")
      psbt = try PSBT(base64: psbt.base64)
      let report = try psbt.finalize()
      #expect(report.unfinished == [], "\(single)")
      try psbt.verifyFinalScripts()
      #expect(try psbt.extractTransaction().outputs == psbt.unsignedTransaction().outputs)
      #expect(try psbt.fee() == Satoshi(10_000))
    }
  }

  @Test func aMissingSignatureLeavesTheInputUnfinished() throws {
    let multisig = try #require(
      Script.multisig(required: 2, keys: [try Self.publicKey(1), try Self.publicKey(2), try Self.publicKey(3)]))
    var psbt = try Self.spending([.p2wsh(multisig)])
    psbt.inputs[0].witnessScript = multisig
    _ = try psbt.sign(with: try Self.key(1))
    let signed = psbt
    #expect(try psbt.finalize().unfinished == [.init(input: 0, error: .unsatisfied(input: 0))])
    #expect(psbt == signed)
    #expect(throws: PSBTError.incomplete(input: 0)) { _ = try psbt.extractTransaction() }
    // A signature of something else is as good as none.
    var other = try Self.spending([.p2wsh(multisig)])
    other.inputs[0].witnessScript = multisig
    other.outputs[0].amount = Satoshi(1)
    _ = try other.sign(with: try Self.key(2))
    psbt.inputs[0].partialSignatures[PSBT.ScriptKey(try Self.publicKey(2))] = other.inputs[0].partialSignatures[0].value
    #expect(try psbt.finalize().unfinished.map(\.error) == [.unsatisfied(input: 0)])
  }

  @Test func taprootIsSignedByKeyAndByScript() throws {
    let internalKey = try Self.publicKey(1).xOnly.key
    let a = try Self.publicKey(2).xOnly.key
    let b = try Self.publicKey(3).xOnly.key
    let c = try Self.publicKey(4).xOnly.key
    let both = Script {
      $0.append(push: a)
      $0.append(.checkSigVerify)
      $0.append(push: b)
      $0.append(.checkSig)
    }
    let two = Script {
      $0.append(push: a)
      $0.append(.checkSig)
      $0.append(push: b)
      $0.append(.checkSigAdd)
      $0.append(push: c)
      $0.append(.checkSigAdd)
      $0.append(number: 2)
      $0.append(.numEqual)
    }
    let one = Script {
      $0.append(push: c)
      $0.append(.checkSig)
    }
    let tree = TapTree.branch(
      .leaf(TapLeaf(script: both)), .branch(.leaf(TapLeaf(script: two)), .leaf(TapLeaf(script: one))))
    let output = try TaprootOutput(internalKey: internalKey, tree: tree)
    var prepared = try Self.spending([output.scriptPubKey, .p2wpkh(try Self.publicKey(9))])
    prepared.inputs[0].tapInternalKey = internalKey
    prepared.inputs[0].tapMerkleRoot = output.merkleRoot
    for path in output.paths { prepared.inputs[0].tapLeafScripts[output.controlBlock(for: path)] = path.leaf }
    _ = try prepared.sign(with: try Self.key(9))

    for (keys, length) in [([UInt8(1)], 1), ([2, 3], 4), ([2, 4], 3), ([4], 3), ([3, 4], 3)] {
      var psbt = prepared
      for key in keys { #expect(try psbt.sign(with: try Self.key(key)).signatures > 0) }
      psbt = try PSBT(base64: psbt.base64)
      #expect(try psbt.finalize().unfinished == [], "keys \(keys)")
      try psbt.verifyFinalScripts()
      #expect(psbt.inputs[0].finalScriptWitness?.count == length, "keys \(keys)")
      #expect(psbt.inputs[0].tapLeafScripts.isEmpty && psbt.inputs[0].tapInternalKey == nil)
    }

    // BIP 341: the signature covers what the other inputs spend.
    var blind = prepared
    blind.inputs[1].nonWitnessUTXO = nil
    blind.inputs[1].witnessUTXO = nil
    #expect(try blind.sign(with: try Self.key(1)).refused.first == .init(input: 0, error: .missingUTXO(input: 1)))
    // A leaf that is not in the tree.
    var foreign = prepared
    let stray = TapLeaf(
      script: Script {
        $0.append(push: a); $0.append(.checkSig); $0.append(.nop)
      })
    foreign.inputs[0].tapLeafScripts[foreign.inputs[0].tapLeafScripts[0].key] = stray
    #expect(
      try foreign.sign(with: try Self.key(2)).refused.first
        == .init(input: 0, error: .scriptMismatch(.input(0, .tapLeafScript))))
    // An internal key whose tweak leads elsewhere.
    var wrongRoot = prepared
    wrongRoot.inputs[0].tapMerkleRoot = Bytes32()
    #expect(
      try wrongRoot.sign(with: try Self.key(1)).refused.first
        == .init(input: 0, error: .scriptMismatch(.input(0, .tapInternalKey))))
  }

  @Test func aKeyThatNoFieldNamesStillSignsItsTaprootOutput() throws {
    let key = try Self.publicKey(1).xOnly.key
    let output = try TaprootOutput(internalKey: key)
    for script in [output.scriptPubKey, .p2tr(outputKey: key)] {
      var psbt = try Self.spending([script])
      #expect(try psbt.sign(with: try Self.key(1)).signatures == 1)
      #expect(psbt.inputs[0].tapKeySignature?.bytes.count == 64)
      #expect(try psbt.finalize().isComplete)
    }
  }

  @Test func sighashTypesAreAskedForAndChecked() throws {
    let script = Script.p2wpkh(try Self.publicKey(1))
    var psbt = try Self.spending([script, script])
    psbt.inputs[0].sighashType = .singleAnyoneCanPay
    let refused = PSBTError.unacceptableSighashType(input: 0, .singleAnyoneCanPay)
    #expect(throws: refused) { _ = try psbt.sign(input: 0, with: try Self.key(1)) }
    var options = PSBT.SigningOptions()
    options.acceptableSighashTypes.insert(.singleAnyoneCanPay)
    #expect(try psbt.sign(input: 0, with: try Self.key(1), options: options) == 1)
    #expect(psbt.inputs[0].partialSignatures[0].value.sighashType == .singleAnyoneCanPay)
    // BIP 370: outputs are signed, inputs are not, and a pair is to be kept.
    #expect(psbt.txModifiable == [.inputs, .hasSighashSingle])

    options.sighashType = .noneAnyoneCanPay
    #expect(throws: PSBTError.sighashTypeMismatch(input: 0, .singleAnyoneCanPay)) {
      var other = psbt
      other.inputs[0].partialSignatures = PSBT.Records()
      _ = try other.sign(input: 0, with: try Self.key(1), options: options)
    }
    #expect(try psbt.sign(input: 1, with: try Self.key(1), options: options) == 1)
    // The finalizer is told what to expect.
    #expect(psbt.inputs[1].sighashType == .noneAnyoneCanPay)
    #expect(psbt.txModifiable == [.inputs, .hasSighashSingle])
    psbt.inputs[1].sighashType = .all
    #expect(
      try psbt.finalize().unfinished == [.init(input: 1, error: .sighashTypeMismatch(input: 1, .noneAnyoneCanPay))])
    #expect(psbt.isFinal(0) && !psbt.isFinal(1))

    // SIGHASH_SINGLE without an output would sign next to nothing.
    var short = try Self.spending([script, script])
    short.inputs[1].sighashType = .single
    short.outputs.removeLast()
    options.sighashType = nil
    options.acceptableSighashTypes.insert(.single)
    #expect(throws: PSBTError.sighash(.noMatchingOutput)) {
      _ = try short.sign(input: 1, with: try Self.key(1), options: options)
    }

    // SIGHASH_DEFAULT is taproot's alone.
    var ecdsa = try Self.spending([script])
    ecdsa.inputs[0].sighashType = .default
    #expect(throws: PSBTError.sighashTypeMismatch(input: 0, .default)) {
      _ = try ecdsa.sign(input: 0, with: try Self.key(1))
    }
  }

  @Test func signersRefuseUTXOsThatDoNotBelong() throws {
    let script = Script.p2wpkh(try Self.publicKey(1))
    var psbt = try Self.spending([script])
    psbt.inputs[0].nonWitnessUTXO?.lockTime = 1
    #expect(throws: PSBTError.nonWitnessUTXOMismatch(input: 0)) { _ = try psbt.sign(input: 0, with: try Self.key(1)) }
    #expect(throws: PSBTError.nonWitnessUTXOMismatch(input: 0)) { _ = try PSBT(decoding: psbt.encoded) }
    psbt = try Self.spending([script])
    psbt.inputs[0].witnessUTXO?.value = Satoshi(1)
    #expect(throws: PSBTError.utxosDisagree(input: 0)) { _ = try psbt.sign(input: 0, with: try Self.key(1)) }
    psbt = try Self.spending([script])
    psbt.inputs[0].nonWitnessUTXO = nil
    var options = PSBT.SigningOptions()
    options.requiresNonWitnessUTXO = true
    #expect(throws: PSBTError.missingUTXO(input: 0)) {
      _ = try psbt.sign(input: 0, with: try Self.key(1), options: options)
    }
    #expect(try psbt.sign(input: 0, with: try Self.key(1)) == 1)
    #expect(throws: PSBTError.nonWitnessUTXOMismatch(input: 0)) {
      try psbt.addUTXO(Self.funding(.p2a, salt: 7), toInput: 0)
    }
  }

  // MARK: Extensions

  /// An HTLC as an extension might have it: hash and preimage before the key.
  struct PreimageTemplate: PSBTWitnessTemplate {
    func satisfy(_ spend: PSBTSpend) -> [[UInt8]]? {
      guard let instructions = spend.script.instructions, instructions.count == 5,
        let hash = try? Bytes32(Array(spend.script.bytes[instructions[1].data])),
        let preimage = spend.input.sha256Preimages[hash],
        let signature = spend.ecdsaSignature(for: Array(spend.script.bytes[instructions[3].data]))
      else { return nil }
      return [signature, preimage]
    }
  }

  @Test func anExtensionFinalisesItsOwnScript() throws {
    let preimage: [UInt8] = [1, 2, 3]
    let script = Script {
      $0.append(.sha256)
      $0.append(push: sha256(preimage))
      $0.append(.equalVerify)
      $0.append(push: try! Self.publicKey(1))
      $0.append(.checkSig)
    }
    var psbt = try Self.spending([.p2wsh(script)])
    psbt.inputs[0].witnessScript = script
    #expect(try psbt.sign(with: try Self.key(1)).signatures == 1)
    #expect(try psbt.finalize(templates: [PreimageTemplate()]).unfinished.map(\.error) == [.unsatisfied(input: 0)])
    psbt.inputs[0].sha256Preimages[sha256(preimage)] = preimage
    #expect(try psbt.finalize().unfinished.map(\.error) == [.unsatisfied(input: 0)])
    #expect(try psbt.finalize(templates: [PreimageTemplate()]).isComplete)
    try psbt.verifyFinalScripts()
  }

  @Test func aMiniscriptIsFinalisedInAWitnessScriptAndInALeaf() throws {
    let a = try Self.publicKey(1)
    let b = try Self.publicKey(2)
    func text(_ key: (PublicKey) -> String) -> String {
      "or_d(pk(\(key(a))),and_v(v:pk(\(key(b))),older(144)))"
    }
    let inWitness = try Miniscript<PublicKey>(text { $0.hex }, context: .p2wsh)
    let inLeaf = try Miniscript<PublicKey>(text { $0.xOnly.key.hex }, context: .tapscript)
    let taproot = try TaprootOutput(
      internalKey: try Self.publicKey(9).xOnly.key, tree: .leaf(TapLeaf(script: inLeaf.script)))
    var prepared = try Self.spending([.p2wsh(inWitness.script), taproot.scriptPubKey])
    prepared.inputs[0].witnessScript = inWitness.script
    prepared.inputs[1].tapLeafScripts[taproot.controlBlock(for: taproot.paths[0])] = taproot.paths[0].leaf
    let templates: [any PSBTWitnessTemplate] = [PSBTMiniscriptTemplate(inWitness), PSBTMiniscriptTemplate(inLeaf)]
    for (key, sequence, isEnough) in [(UInt8(1), UInt32.max, true), (2, .max, false), (2, 143, false), (2, 144, true)] {
      var psbt = prepared
      for index in 0..<2 { try psbt.setSequence(sequence, ofInput: index) }
      #expect(try psbt.sign(with: try Self.key(key)).signatures == 2)
      #expect(try psbt.finalize(templates: templates).isComplete == isEnough, "key \(key), sequence \(sequence)")
      if isEnough { try psbt.verifyFinalScripts() }
    }
  }

  struct WrongTemplate: PSBTWitnessTemplate {
    func satisfy(_ spend: PSBTSpend) -> [[UInt8]]? { [[1]] }
  }

  @Test func aTemplateThatIsWrongFinalisesNothing() throws {
    var psbt = try Self.spending([.p2wsh(Script.p2pk(try Self.publicKey(1)))])
    psbt.inputs[0].witnessScript = .p2pk(try Self.publicKey(1))
    let before = psbt
    let error = try #require(try psbt.finalize(templates: [WrongTemplate()]).unfinished.first?.error)
    guard case .scriptFails(input: 0, _) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(psbt == before)
  }

  @Test func anAnchorNeedsNothing() throws {
    var psbt = try Self.spending([.p2a, .p2wpkh(try Self.publicKey(1))])
    #expect(psbt.isFinal(0) && !psbt.isComplete)
    _ = try psbt.sign(with: try Self.key(1))
    #expect(try psbt.finalize().isComplete)
    try psbt.verifyFinalScripts()
    #expect(try psbt.extractTransaction().inputs[0].witness.isEmpty)
    #expect(psbt.inputs[0].finalScriptWitness == nil && psbt.inputs[0].finalScriptSig == nil)
  }

  // MARK: Keys that are lent

  struct Wallet: PSBTKeyProvider, ~Copyable {
    let keys: [UInt8]

    borrowing func withSecretKey(
      of publicKey: PublicKey, isXOnly: Bool, origin: PSBT.KeyOrigin?, _ body: (borrowing SecretKey) -> Void
    ) {
      for number in keys {
        guard let key = try? PSBTRoleTests.key(number) else { continue }
        let mine = key.publicKey
        if mine == publicKey || isXOnly && mine.xOnly.key == publicKey.xOnly.key { body(key) }
      }
    }
  }

  @Test func aWalletSignsWithTheKeysThatThePSBTNames() throws {
    let key = try Self.publicKey(2)
    let taproot = try TaprootOutput(internalKey: try Self.publicKey(3).xOnly.key)
    var psbt = try Self.spending([.p2wpkh(key), taproot.scriptPubKey, .p2pk(try Self.publicKey(4))])
    psbt.inputs[0].bip32Derivations[PSBT.ScriptKey(key)] = PSBT.KeyOrigin(fingerprint: FixedBytes(), path: [0])
    psbt.inputs[1].tapInternalKey = taproot.internalKey
    let report = try psbt.sign(with: Wallet(keys: [2, 3, 4, 5]))
    #expect(report.signatures == 3 && report.refused == [])
    #expect(try psbt.finalize().isComplete)
  }
}
