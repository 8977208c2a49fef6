internal import Bitcoin
internal import Encoding
internal import Secp256k1

/// What seeds are made of: small transactions, scripts and keys, made here from small numbers.
enum Sample {
  /// The secret keys 1, 2, 3, …
  static func secretKey(_ number: UInt8) -> SecretKey? {
    var bytes = Bytes32()
    bytes[31] = number
    return try? SecretKey(bytes)
  }

  static func publicKey(_ number: UInt8) -> PublicKey? { secretKey(number)?.publicKey }

  static func hash(_ byte: UInt8) -> Bytes32 { Bytes32(InlineArray(repeating: byte)) }

  static var scripts: [Script] {
    guard let one = publicKey(1), let two = publicKey(2) else { return [] }
    let twenty = [UInt8](repeating: 0x14, count: 20)
    return [
      Script(),
      // P2PKH, P2SH, P2WPKH, P2WSH, P2TR, P2PK, data
      Script {
        $0.append(.dup); $0.append(.hash160); $0.append(push: twenty); $0.append(.equalVerify); $0.append(.checkSig)
      },
      Script {
        $0.append(.hash160); $0.append(push: twenty); $0.append(.equal)
      },
      Script {
        $0.append(.op0); $0.append(push: twenty)
      },
      Script {
        $0.append(.op0); $0.append(push: hash(0x20))
      },
      Script {
        $0.append(.op1); $0.append(push: one.xOnly.key)
      },
      Script {
        $0.append(push: one); $0.append(.checkSig)
      },
      Script {
        $0.append(.return); $0.append(push: [UInt8](repeating: 0x55, count: 80))
      },
      // 2-of-2
      Script {
        $0.append(.op2); $0.append(push: one); $0.append(push: two); $0.append(.op2); $0.append(.checkMultiSig)
      },
      // A delayed or revoked output (BOLT 3 §to_local Output)
      Script {
        $0.append(.if)
        $0.append(push: one)
        $0.append(.else)
        $0.append(number: 144)
        $0.append(.checkSequenceVerify)
        $0.append(.drop)
        $0.append(push: two)
        $0.append(.endIf)
        $0.append(.checkSig)
      },
      // A multi-signature tapscript (BIP 342)
      Script {
        $0.append(push: one.xOnly.key)
        $0.append(.checkSig)
        $0.append(push: two.xOnly.key)
        $0.append(.checkSigAdd)
        $0.append(.op2)
        $0.append(.numEqual)
      },
      // Numbers and pushes of every form
      Script {
        for number: Int64 in [0, -1, 1, 16, 17, 127, 128, 255, 256, -32768, 1 << 31, .max] { $0.append(number: number) }
      },
      Script { for size in [1, 75, 76, 255, 256] { $0.append(push: [UInt8](repeating: 7, count: size)) } },
      Script([0x4c, 0x00, 0x4d, 0x01, 0x00, 0x05, 0x4e, 0x01, 0x00, 0x00, 0x00, 0x10]),
      Script([0x01, 0x10, 0x01, 0x81, 0xab, 0xab, 0xac]), Script([0x4b]), Script([0x4d, 0xff]),
      Script([0xba, 0xbb, 0xff]),
    ]
  }

  static var transactions: [Transaction] {
    let outPoint = OutPoint(txid: TxID(hash(0x11)), vout: 1)
    let outputs = scripts.prefix(3).enumerated().map { index, script in
      TxOutput(value: Satoshi(UInt64(index) * 50_000 + 546), scriptPubKey: script)
    }
    let signature = [UInt8](repeating: 0x30, count: 71)
    return [
      Transaction(inputs: [TxInput(previousOutput: outPoint)], outputs: [outputs[1]]),
      Transaction(
        version: 1,
        inputs: [TxInput(previousOutput: outPoint, scriptSig: Script { $0.append(push: signature) }, sequence: 0)],
        outputs: Array(outputs), lockTime: 800_000),
      Transaction(
        version: 3,
        inputs: [
          TxInput(previousOutput: outPoint, witness: [signature, [2] + [UInt8](repeating: 3, count: 32)]),
          TxInput(previousOutput: .null, sequence: 0x8000_0001, witness: [[], [0x50]]),
          TxInput(previousOutput: outPoint),
        ],
        outputs: Array(outputs)),
      Transaction(
        inputs: [TxInput(previousOutput: .null, scriptSig: Script([0x03, 1, 2, 3]), witness: [hash(0).array])],
        outputs: [TxOutput(value: Satoshi(.max), scriptPubKey: Script())]),
      Transaction(inputs: [], outputs: []),
    ]
  }

  static var controlBlocks: [ControlBlock] {
    guard let key = publicKey(3)?.xOnly.key else { return [] }
    let leaves = scripts.prefix(5).map { TapTree.leaf(TapLeaf(script: $0)) }
    let tree = TapTree.branch(.branch(leaves[1], leaves[2]), .branch(leaves[3], leaves[4]))
    var blocks = [ControlBlock(leafVersion: 0xc0, outputKeyYIsOdd: true, internalKey: key, path: [])]
    if let output = try? TaprootOutput(internalKey: key, tree: tree) {
      blocks += output.paths.map { output.controlBlock(for: $0) }
    }
    blocks.append(
      ControlBlock(
        leafVersion: 0xfe, outputKeyYIsOdd: false, internalKey: key, path: Array(repeating: hash(1), count: 128)))
    return blocks
  }

  /// A byte for the kind, then what the target `keys` reads.
  static var keyMaterial: [[UInt8]] {
    guard let secret = secretKey(5) else { return [] }
    let key = secret.publicKey
    let ecdsa = secret.signECDSA(hash(7))
    let schnorr = KeyPair(secret).signSchnorr(hash(7), auxRand: Bytes32())
    var high = ecdsa.compact
    for index in 32..<64 { high[index] = 0x7f }
    return [
      [0] + ecdsa.der, [0] + ((try? ECDSASignature(compact: high))?.der ?? []), [0, 0x30, 6, 2, 1, 1, 2, 1, 1],
      [0, 0x30, 6, 2, 1, 0, 2, 1, 0], [1] + key.array, [1] + key.uncompressed.array,
      [1, 6] + key.uncompressed.array.dropFirst(),
      [2] + key.xOnly.key.array, [3] + ecdsa.compact.array, [4] + secret.bytes.array,
      [4] + [UInt8](repeating: 0xff, count: 32),
      [5] + hash(7).array + key.array + ecdsa.compact.array, [5] + hash(7).array + key.array + schnorr.array,
    ]
  }

  /// A byte for the kind, then what the target `musig` reads.
  static var musigMaterial: [[UInt8]] {
    guard let one = secretKey(1), let two = secretKey(2) else { return [] }
    let signer = KeyPair(one)
    guard let keys = try? MuSigKeyAggregation([one.publicKey, two.publicKey]) else { return [] }
    let points = one.publicKey.array + two.publicKey.array
    let infinity = [UInt8](repeating: 0, count: 33)
    guard let adaptor = try? signer.signSchnorrAdaptor(hash(3), point: two.publicKey, auxRand: Bytes32()) else {
      return []
    }
    return [
      [0] + points, [1] + points, [1] + infinity + infinity, [1] + infinity + keys.aggregateKey.array,
      [0] + infinity + infinity,
      [2] + hash(1).array, [2] + hash(0xff).array, [3] + adaptor.array,
    ]
  }

  /// Flags, amount, scriptSig, scriptPubKey and witness, as the target `interpreter` reads them: valid spends of every kind, signed
  /// where they need a signature.
  static var spends: [[UInt8]] {
    guard let secret = secretKey(6), let other = secretKey(7) else { return [] }
    let key = secret.publicKey
    let amount = Satoshi(100_000)
    var spends: [(Script, Script, Witness)] = []

    func ecdsa(_ scriptPubKey: Script, code: Script, legacy: Bool = false, by secret: borrowing SecretKey) -> [UInt8] {
      let (transaction, spent) = ScriptVerifier.creditedSpend(
        scriptSig: Script(), scriptPubKey: scriptPubKey, witness: [], amount: amount)
      let parts = SighashParts(transaction, spentOutputs: [spent])
      let hash =
        legacy
        ? try? transaction.legacySighash(input: 0, scriptCode: code, type: .all)
        : try? transaction.segwitV0Sighash(input: 0, scriptCode: code, amount: amount, type: .all, parts: parts)
      return hash.map { secret.signECDSA($0.raw).der + [1] } ?? []
    }

    // P2PKH, P2SH of P2WPKH, P2WPKH
    let p2pkh = Script.p2pkh(key)
    let sigScript = Script {
      $0.append(push: ecdsa(p2pkh, code: p2pkh, legacy: true, by: secret)); $0.append(push: key)
    }
    spends.append((sigScript, p2pkh, []))
    let p2wpkh = Script.p2wpkh(key)
    spends.append((Script(), p2wpkh, [ecdsa(p2wpkh, code: p2pkh, by: secret), key.array]))
    let p2sh = Script.p2sh(p2wpkh)
    spends.append((Script { $0.append(push: p2wpkh.bytes) }, p2sh, [ecdsa(p2sh, code: p2pkh, by: secret), key.array]))
    // P2WSH: 2 of 2, and the timeout of a delayed output
    if let multisig = Script.multisig(required: 2, keys: [key, other.publicKey]) {
      let p2wsh = Script.p2wsh(multisig)
      let signatures = [ecdsa(p2wsh, code: multisig, by: secret), ecdsa(p2wsh, code: multisig, by: other)]
      spends.append((Script(), p2wsh, Witness([[]] + signatures + [multisig.bytes])))
    }
    let branches = Script { script in
      script.append(.if)
      script.append(push: other.publicKey)
      script.append(.else)
      script.append(number: 0)
      script.append(.checkSequenceVerify)
      script.append(.drop)
      script.append(push: key)
      script.append(.endIf)
      script.append(.checkSig)
    }
    let delayed = Script.p2wsh(branches)
    spends.append((Script(), delayed, [ecdsa(delayed, code: branches, by: other), [1], branches.bytes]))
    spends.append((Script(), delayed, [ecdsa(delayed, code: branches, by: secret), [], branches.bytes]))
    // Taproot: both paths
    let leaf = TapLeaf(
      script: Script { script in
        script.append(push: key.xOnly.key)
        script.append(.checkSig)
        script.append(push: other.publicKey.xOnly.key)
        script.append(.checkSigAdd)
        script.append(.op1)
        script.append(.numEqual)
      })
    if let output = try? TaprootOutput(internalKey: key.xOnly.key, tree: .leaf(leaf)),
      let tweaked = try? KeyPair(secret).taprootTweaked(merkleRoot: output.merkleRoot)
    {
      let (transaction, spent) = ScriptVerifier.creditedSpend(
        scriptSig: Script(), scriptPubKey: output.scriptPubKey, witness: [], amount: amount)
      let parts = SighashParts(transaction, spentOutputs: [spent])
      if let hash = try? transaction.taprootSighash(input: 0, spentOutputs: [spent], type: .default, parts: parts) {
        let signature = tweaked.signSchnorr(hash.raw, auxRand: Bytes32()).array
        spends.append((Script(), output.scriptPubKey, [signature]))
        spends.append((Script(), output.scriptPubKey, [signature, [0x50, 1]]))
      }
      let context = Transaction.TapscriptContext(leafHash: leaf.hash)
      if let path = output.paths.first,
        let hash = try? transaction.taprootSighash(
          input: 0, spentOutputs: [spent], type: .default, tapscript: context, parts: parts)
      {
        let signature = KeyPair(secret).signSchnorr(hash.raw, auxRand: Bytes32()).array
        let block = output.controlBlock(for: path).encoded
        spends.append((Script(), output.scriptPubKey, [[], signature, leaf.script.bytes, block]))
      }
    }
    // Without signatures: arithmetic, stack, hashes, branches
    for script in [
      "OP_1 OP_2 OP_ADD OP_3 OP_NUMEQUAL", "OP_DEPTH OP_0 OP_EQUAL OP_IF OP_1 OP_ELSE OP_RETURN OP_ENDIF",
      "OP_1 OP_2 OP_3 OP_ROT OP_SWAP OP_TUCK OP_PICK OP_DROP OP_2DROP OP_2DUP OP_OVER OP_SIZE OP_WITHIN",
      "abcd OP_SHA1 OP_RIPEMD160 OP_SHA256 OP_HASH160 OP_HASH256 OP_SIZE OP_NIP",
      "OP_1 OP_TOALTSTACK OP_1NEGATE OP_ABS OP_FROMALTSTACK OP_BOOLAND OP_NOT OP_NOTIF OP_1 OP_ENDIF",
      "OP_0 OP_CHECKLOCKTIMEVERIFY OP_CHECKSEQUENCEVERIFY OP_1ADD", "OP_0 OP_0 OP_0 OP_CHECKMULTISIG OP_CODESEPARATOR",
    ].compactMap({ try? Script(asm: $0) }) {
      spends.append((Script(), script, []))
      spends.append((Script(), .p2wsh(script), Witness([script.bytes])))
    }
    return spends.flatMap { scriptSig, scriptPubKey, witness in
      [ScriptFlags.standard, .consensus, .none].map { flags in
        var writer = ByteWriter()
        writer.writeLE(flags.rawValue)
        writer.writeLE(amount.rawValue)
        writer.writeCompactSized(scriptSig.bytes)
        writer.writeCompactSized(scriptPubKey.bytes)
        witness.encode(to: &writer)
        return writer.bytes
      }
    }
  }

  /// The valid spends as PSBTs of both versions, before and after signing.
  static var psbts: [PSBT] {
    guard let secret = secretKey(6), let other = secretKey(7) else { return [] }
    let key = secret.publicKey
    var psbts: [PSBT] = []
    let scripts = [Script.p2wpkh(key), .p2pkh(key), .p2sh(.p2wpkh(key))]
    for scriptPubKey in scripts {
      let (spend, spent) = ScriptVerifier.creditedSpend(
        scriptSig: Script(), scriptPubKey: scriptPubKey, witness: [], amount: Satoshi(50_000))
      guard var psbt = try? PSBT(unsignedTransaction: spend) else { continue }
      psbts.append(psbt)
      psbt.inputs[0].witnessUTXO = spent
      psbt.inputs[0].redeemScript = .p2wpkh(key)
      psbts.append(psbt)
      _ = try? psbt.sign(with: secret)
      psbts.append(psbt)
      _ = try? psbt.finalize()
      psbts.append(psbt)
    }
    if let script = Script.multisig(required: 2, keys: [key, other.publicKey]) {
      let (spend, spent) = ScriptVerifier.creditedSpend(
        scriptSig: Script(), scriptPubKey: .p2wsh(script), witness: [], amount: Satoshi(50_000))
      if var psbt = try? PSBT(unsignedTransaction: spend) {
        psbt.inputs[0].witnessUTXO = spent
        psbt.inputs[0].witnessScript = script
        _ = try? psbt.sign(with: other)
        psbts.append(psbt)
      }
    }
    if let output = try? TaprootOutput(internalKey: key.xOnly.key) {
      let (spend, spent) = ScriptVerifier.creditedSpend(
        scriptSig: Script(), scriptPubKey: output.scriptPubKey, witness: [], amount: Satoshi(50_000))
      if var psbt = try? PSBT(unsignedTransaction: spend) {
        psbt.inputs[0].witnessUTXO = spent
        psbt.inputs[0].tapInternalKey = output.internalKey
        psbts.append(psbt)
        _ = try? psbt.sign(with: secret)
        psbts.append(psbt)
      }
    }
    return psbts + psbts.compactMap { try? $0.converted(to: .v2) }
  }

  static var descriptors: [String] {
    guard let one = publicKey(1), let two = publicKey(2),
      let root = try? ExtendedSecretKey(seed: [UInt8](repeating: 2, count: 32), networkKind: .test)
    else { return [] }
    let xpub = root.publicKey.description
    var wif = ""
    if let secret = secretKey(3) { wif = PrivateKeyWIF(secretKey: secret, networkKind: .main).text }
    let plain = [
      "pk(\(one.hex))", "pkh(\(one.uncompressed.hex))", "wpkh([deadbeef/84h/0h/0h]\(xpub)/0/*)", "sh(wpkh(\(wif)))",
      "wsh(multi(2,\(one.hex),\(two.hex)))", "sh(wsh(sortedmulti(1,\(xpub)/<0;1>/*,\(two.hex))))", "combo(\(two.hex))",
      "tr(\(one.xOnly.key.hex),{pk(\(two.xOnly.key.hex)),multi_a(1,\(one.xOnly.key.hex))})",
      "tr(musig(\(one.hex),\(xpub)/1)/0/*)", "rawtr(\(one.xOnly.key.hex))", "raw(51)",
      "addr(\(Address(.p2wpkh(one), on: .bitcoin)))", "wsh(and_v(v:pk(\(one.hex)),older(144)))",
      "wpkh(\(root.text)/1h/*h)", "wsh(thresh(2,pk(\(one.hex)),s:pk(\(two.hex)),sln:older(7)))",
    ]
    return plain + plain.compactMap { try? Descriptor($0).description }
  }

  static var miniscripts: [String] {
    guard let one = publicKey(1)?.hex, let two = publicKey(2)?.hex else { return [] }
    let x = String(one.dropFirst(2))
    let hash = hash(9).hex
    return [
      "pk(\(one))", "pkh(\(two))", "and_v(v:pk(\(one)),older(144))", "or_d(pk(\(one)),and_v(v:pkh(\(two)),after(500)))",
      "andor(pk(\(one)),sha256(\(hash)),and_v(v:pk(\(two)),older(4194305)))", "multi(2,\(one),\(two))",
      "multi_a(1,\(x))",
      "thresh(2,pk(\(one)),s:pk(\(two)),sln:older(7))", "or_i(and_b(pk(\(one)),a:hash160(\(hash.prefix(40)))),l:0)",
      "and_n(pk(\(one)),t:or_c(pk(\(two)),v:hash256(\(hash))))", "or_b(pk(\(one)),su:ripemd160(\(hash.prefix(40))))",
      "j:and_v(vdv:after(1567547623),older(2016))", "0", "1", "uuj:and_v(v:multi(1,\(one)),1)",
    ]
  }

  static var blocks: [Block] {
    let all = transactions
    return [1, 2, 5].map { count -> Block in
      let transactions = (0..<count).map { all[$0 % all.count] }
      var header = BlockHeader(
        version: 0x2000_0000, previousBlock: BlockHash(hash(2)), merkleRoot: MerkleRoot(hash(3)), time: 1_700_000_000,
        bits: CompactTarget(rawValue: 0x207f_ffff), nonce: 7)
      if let root = Block(header: header, transactions: transactions).merkleRoot { header.merkleRoot = root }
      return Block(header: header, transactions: transactions)
    }
  }
}
