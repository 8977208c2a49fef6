internal import Bitcoin
internal import CFloor
internal import Encoding
internal import Hashing
internal import Secp256k1

/// A transaction with two inputs and two outputs, as wallets make them.
struct SampleSpend {
  var transaction: Transaction
  var spent: [TxOutput]

  /// Both inputs spend `scriptPubKey`.
  init(_ scriptPubKey: Script) {
    transaction = Transaction(
      inputs: (1...2).map { number in
        TxInput(
          previousOutput: OutPoint(txid: TxID(sample(UInt8(number))), vout: UInt32(number)), sequence: 0xffff_fffd)
      },
      outputs: (1...2).map { number in
        TxOutput(
          value: Satoshi(UInt64(number) * 70_000), scriptPubKey: .p2wpkh(sampleKey(UInt8(number) + 20).publicKey))
      },
      lockTime: 800_000)
    spent = (1...2).map { TxOutput(value: Satoshi(UInt64($0) * 100_000), scriptPubKey: scriptPubKey) }
  }

  var parts: SighashParts { SighashParts(transaction, spentOutputs: spent) }

  /// The preimage of BIP 143 for input 0 and SIGHASH_ALL, put together here once more.
  func preimageV0(scriptCode: Script) -> [UInt8] {
    var outPoints = ByteWriter()
    var sequences = ByteWriter()
    var outputs = ByteWriter()
    for input in transaction.inputs {
      input.previousOutput.encode(to: &outPoints)
      sequences.writeLE(input.sequence)
    }
    for output in transaction.outputs { output.encode(to: &outputs) }
    var writer = ByteWriter()
    writer.writeLE(transaction.version)
    writer.write(sha256d(outPoints.bytes).array)
    writer.write(sha256d(sequences.bytes).array)
    transaction.inputs[0].previousOutput.encode(to: &writer)
    writer.writeCompactSized(scriptCode.bytes)
    writer.writeLE(spent[0].value.rawValue)
    writer.writeLE(transaction.inputs[0].sequence)
    writer.write(sha256d(outputs.bytes).array)
    writer.writeLE(transaction.lockTime)
    writer.writeLE(UInt32(1))
    return writer.bytes
  }

  /// The message of BIP 341 for input 0 and SIGHASH_DEFAULT, and with a leaf that of BIP 342.
  func preimageV1(leafHash: Bytes32? = nil) -> [UInt8] {
    var outPoints = ByteWriter()
    var amounts = ByteWriter()
    var scripts = ByteWriter()
    var sequences = ByteWriter()
    var outputs = ByteWriter()
    for (input, output) in zip(transaction.inputs, spent) {
      input.previousOutput.encode(to: &outPoints)
      amounts.writeLE(output.value.rawValue)
      scripts.writeCompactSized(output.scriptPubKey.bytes)
      sequences.writeLE(input.sequence)
    }
    for output in transaction.outputs { output.encode(to: &outputs) }
    var writer = ByteWriter()
    writer.write([0, 0])
    writer.writeLE(transaction.version)
    writer.writeLE(transaction.lockTime)
    for part in [outPoints, amounts, scripts, sequences, outputs] { writer.write(sha256(part.bytes).array) }
    writer.write(leafHash == nil ? 0 : 2 as UInt8)
    writer.writeLE(UInt32(0))
    if let leafHash {
      writer.write(leafHash.array)
      writer.write(0 as UInt8)
      writer.writeLE(UInt32.max)
    }
    return writer.bytes
  }
}

private let tapSighashTag = sha256(Array("TapSighash".utf8)).array

extension Suite {
  mutating func addSighashes() {
    group = "Signature hashes"
    let key = sampleKey(1).publicKey
    let code = Script.p2pkh(key)

    let v0 = SampleSpend(.p2wpkh(key))
    let v0Parts = v0.parts
    let v0Preimage = v0.preimageV0(scriptCode: code)
    add("bip 143 sighash") { count in
      var sum: UInt64 = 0
      for _ in 0..<count {
        let hash = try! v0.transaction.segwitV0Sighash(
          input: 0, scriptCode: code, amount: v0.spent[0].value, type: .all, parts: v0Parts)
        sum &+= hash.word
      }
      return sum
    } floor: {
      floor_sighash_v0($0, v0Preimage, v0Preimage.count)
    }

    let v1 = SampleSpend(Script.p2tr(outputKey: key.xOnly.key))
    let v1Parts = v1.parts
    let v1Preimage = v1.preimageV1()
    add("bip 341 sighash") { count in
      var sum: UInt64 = 0
      for _ in 0..<count {
        let hash = try! v1.transaction.taprootSighash(
          input: 0, spentOutputs: v1.spent, type: .default, parts: v1Parts)
        sum &+= hash.word
      }
      return sum
    } floor: {
      floor_sighash_v1($0, tapSighashTag, v1Preimage, v1Preimage.count)
    }

    let legacy = SampleSpend(code)
    var signed = legacy.transaction
    signed.inputs[0].scriptSig = code
    let legacyPreimage = signed.encoded(withWitness: false) + [1, 0, 0, 0]
    add("legacy sighash") { count in
      var sum: UInt64 = 0
      for _ in 0..<count {
        sum &+= (try! legacy.transaction.legacySighash(input: 0, scriptCode: code, type: .all)).word
      }
      return sum
    } floor: {
      floor_sighash_v0($0, legacyPreimage, legacyPreimage.count)
    }

    add("sighash parts of 2 inputs", isComparable: false) { count in
      var sum: UInt64 = 0
      for _ in 0..<count {
        let parts = SighashParts(v1.transaction, spentOutputs: v1.spent)
        withExtendedLifetime(parts) { sum &+= 1 }
      }
      return sum
    } floor: { count in
      // The five hashes, and the three second ones of BIP 143.
      var sizes = [72, 16, 8, 62, 70, 32, 32, 32].map { sampleBytes($0) }
      var sum: UInt64 = 0
      for index in sizes.indices { sum &+= floor_sha256(count, &sizes[index], sizes[index].count) }
      return sum
    }
  }

  mutating func addTransactions() {
    group = "Transactions"
    var spend = SampleSpend(.p2wpkh(sampleKey(1).publicKey)).transaction
    for index in spend.inputs.indices {
      spend.inputs[index].witness = Witness([sampleBytes(71), sampleKey(1).publicKey.array])
    }
    let transaction = spend
    let encoded = transaction.encoded
    let stripped = transaction.encoded(withWitness: false)
    add("transaction decode") { count in
      var sum: UInt64 = 0
      for _ in 0..<count {
        let decoded = try! Transaction(decoding: encoded.bytes)
        for output in decoded.outputs { sum &+= output.value.rawValue }
      }
      return sum
    } floor: {
      floor_transaction_walk($0, encoded, encoded.count)
    }

    add("transaction encode") { count in
      var sum: UInt64 = 0
      for _ in 0..<count { sum &+= transaction.encoded.word }
      return sum
    } floor: {
      floor_copy($0, encoded, encoded.count)
    }

    add("txid") { count in
      var sum: UInt64 = 0
      for _ in 0..<count { sum &+= transaction.txid.word }
      return sum
    } floor: {
      floor_sighash_v0($0, stripped, stripped.count)
    }
  }

  mutating func addScripts() {
    group = "Script verification"
    let secret = sampleKey(1)
    let key = secret.publicKey

    func signed(_ spend: SampleSpend, code: Script, by secret: borrowing SecretKey) -> [UInt8] {
      let hash = try! spend.transaction.segwitV0Sighash(
        input: 0, scriptCode: code, amount: spend.spent[0].value, type: .all, parts: spend.parts)
      return secret.signECDSA(hash.raw).der
    }
    func verify(_ spend: SampleSpend) -> (Int) -> UInt64 {
      let parts = spend.parts
      return { count in
        var sum: UInt64 = 0
        for _ in 0..<count {
          let isValid =
            (try? ScriptVerifier.verify(
              input: 0, of: spend.transaction, spending: spend.spent, flags: .standard, parts: parts)) != nil
          sum &+= isValid ? 1 : 0
        }
        return sum
      }
    }

    var p2wpkh = SampleSpend(.p2wpkh(key))
    let code = Script.p2pkh(key)
    let der = signed(p2wpkh, code: code, by: secret)
    p2wpkh.transaction.inputs[0].witness = Witness([der + [1], key.array])
    let p2wpkhPreimage = p2wpkh.preimageV0(scriptCode: code)
    add("verify p2wpkh", ours: verify(p2wpkh)) {
      floor_verify_p2wpkh($0, p2wpkhPreimage, p2wpkhPreimage.count, key.array, der, der.count)
    }

    let second = sampleKey(4)
    let script = Script.multisig(required: 2, keys: [key, second.publicKey])!
    var p2wsh = SampleSpend(.p2wsh(script))
    let signatures = (signed(p2wsh, code: script, by: secret), signed(p2wsh, code: script, by: second))
    p2wsh.transaction.inputs[0].witness = Witness([[], signatures.0 + [1], signatures.1 + [1], script.bytes])
    let p2wshPreimage = p2wsh.preimageV0(scriptCode: script)
    let keys = key.array + second.publicKey.array
    add("verify p2wsh 2-of-2", ours: verify(p2wsh)) {
      floor_verify_p2wsh_2of2(
        $0, p2wshPreimage, p2wshPreimage.count, script.bytes, script.count, keys, signatures.0, signatures.0.count,
        signatures.1, signatures.1.count)
    }

    let pair = KeyPair(secret)
    let keyPath = try! TaprootOutput(internalKey: key.xOnly.key)
    var keySpend = SampleSpend(keyPath.scriptPubKey)
    let keyHash = try! keySpend.transaction.taprootSighash(
      input: 0, spentOutputs: keySpend.spent, type: .default, parts: keySpend.parts)
    let keySignature = try! pair.taprootTweaked(merkleRoot: nil).signSchnorr(keyHash.raw, auxRand: sample(3)).array
    keySpend.transaction.inputs[0].witness = Witness([keySignature])
    let keyPreimage = keySpend.preimageV1()
    let outputKey = keyPath.outputKey.array
    add("verify taproot key path", ours: verify(keySpend)) {
      floor_verify_taproot_key($0, tapSighashTag, keyPreimage, keyPreimage.count, outputKey, keySignature)
    }

    let leaf = TapLeaf(
      script: Script {
        $0.append(push: key.xOnly.key)
        $0.append(.checkSig)
      })
    let output = try! TaprootOutput(internalKey: second.publicKey.xOnly.key, tree: .leaf(leaf))
    var leafSpend = SampleSpend(output.scriptPubKey)
    let leafHash = try! leafSpend.transaction.taprootSighash(
      input: 0, spentOutputs: leafSpend.spent, type: .default,
      tapscript: Transaction.TapscriptContext(leafHash: leaf.hash), parts: leafSpend.parts)
    let leafSignature = pair.signSchnorr(leafHash.raw, auxRand: sample(3)).array
    leafSpend.transaction.inputs[0].witness = Witness([
      leafSignature, leaf.script.bytes, output.controlBlock(for: output.paths[0]).encoded,
    ])
    let leafPreimage = leafSpend.preimageV1(leafHash: leaf.hash)
    let leafTag = sha256(Array("TapLeaf".utf8)).array
    let tweakTag = sha256(Array("TapTweak".utf8)).array
    let internalKey = output.internalKey.array
    let leafOutputKey = output.outputKey.array
    let leafKey = key.xOnly.key.array
    add("verify tapscript", ours: verify(leafSpend)) {
      floor_verify_tapscript(
        $0, tapSighashTag, leafPreimage, leafPreimage.count, leafTag, leaf.script.bytes, leaf.script.count, tweakTag,
        internalKey, leafOutputKey, output.outputKeyYIsOdd ? 1 : 0, leafKey, leafSignature)
    }
  }
}
