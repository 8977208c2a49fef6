internal import Encoding
internal import Hashing

extension PSBT {
  /// The text form, Base64.
  public var base64: String { Base64.encode(encoded.bytes) }

  /// The binary form. See `PSBT` for the order of the records.
  public var encoded: [UInt8] {
    var map = MapWriter()
    map.writer.write(Self.magic)
    encodeGlobal(to: &map)
    for input in inputs { input.encode(to: &map, version: version) }
    for output in outputs { output.encode(to: &map, version: version) }
    return map.writer.bytes
  }

  private func encodeGlobal(to map: inout MapWriter) {
    if version == .v0 {
      map.write(GlobalType.unsignedTx) { unsignedTransaction(lockTime: lockTimeOfV0).encode(to: &$0) }
    }
    for (key, origin) in xpubs { map.write(GlobalType.xpub, key) { origin.encode(to: &$0) } }
    if version == .v2 {
      map.write(GlobalType.txVersion) { $0.writeLE(transactionVersion) }
      if let fallbackLocktime { map.write(GlobalType.fallbackLocktime) { $0.writeLE(fallbackLocktime) } }
      map.write(GlobalType.inputCount) { $0.writeCompactSize(inputs.count) }
      map.write(GlobalType.outputCount) { $0.writeCompactSize(outputs.count) }
      if let txModifiable { map.write(GlobalType.txModifiable) { $0.write(txModifiable.rawValue) } }
    }
    if writesVersion { map.write(GlobalType.version) { $0.writeLE(version.rawValue) } }
    map.finish(proprietary: proprietary, type: GlobalType.proprietary, unknown: unknown)
  }
}

/// Writes the records of one map after the other.
struct MapWriter {
  var writer = ByteWriter()
  private var value = ByteWriter()

  mutating func write(_ type: some RawRepresentable<UInt64>, _ body: (inout ByteWriter) -> Void) {
    write(type, keyData: [], body)
  }

  mutating func write(
    _ type: some RawRepresentable<UInt64>, _ key: some PSBTKeyData, _ body: (inout ByteWriter) -> Void
  ) {
    write(type, keyData: key.keyData, body)
  }

  mutating func write(_ type: some RawRepresentable<UInt64>, script: Script?) {
    if let script { write(type) { $0.write(script.bytes) } }
  }

  /// All records of a type whose values are bytes.
  mutating func write<Key: PSBTKeyData>(_ type: some RawRepresentable<UInt64>, _ records: PSBT.Records<Key, [UInt8]>) {
    for (key, value) in records { write(type, key) { $0.write(value) } }
  }

  private mutating func write(
    _ type: some RawRepresentable<UInt64>, keyData: [UInt8], _ body: (inout ByteWriter) -> Void
  ) {
    value.bytes.removeAll(keepingCapacity: true)
    body(&value)
    writer.writeCompactSize(compactSizeLength(Int(type.rawValue)) + keyData.count)
    writer.writeCompactSize(type.rawValue)
    writer.write(keyData)
    writer.writeCompactSized(value.bytes)
  }

  /// What stands last in each map, and the separator.
  mutating func finish(
    proprietary: PSBT.Records<PSBT.ProprietaryKey, [UInt8]>, type: some RawRepresentable<UInt64>,
    unknown: PSBT.Records<PSBT.UnknownKey, [UInt8]>
  ) {
    write(type, proprietary)
    for (key, value) in unknown {
      writer.writeCompactSized(key.keyData)
      writer.writeCompactSized(value)
    }
    writer.write(0 as UInt8)
  }
}

extension PSBT.Input {
  fileprivate func encode(to map: inout MapWriter, version: PSBT.Version) {
    typealias T = PSBT.InputType
    if let nonWitnessUTXO { map.write(T.nonWitnessUTXO) { nonWitnessUTXO.encode(to: &$0) } }
    if let witnessUTXO { map.write(T.witnessUTXO) { witnessUTXO.encode(to: &$0) } }
    for (key, signature) in partialSignaturesInOrder { map.write(T.partialSig, key) { $0.write(signature.bytes) } }
    if let sighashType { map.write(T.sighashType) { $0.writeLE(sighashType.rawValue) } }
    map.write(T.redeemScript, script: redeemScript)
    map.write(T.witnessScript, script: witnessScript)
    for (key, origin) in bip32Derivations { map.write(T.bip32Derivation, key) { origin.encode(to: &$0) } }
    map.write(T.finalScriptSig, script: finalScriptSig)
    if let finalScriptWitness { map.write(T.finalScriptWitness) { finalScriptWitness.encode(to: &$0) } }
    if let porCommitment { map.write(T.porCommitment) { $0.write(porCommitment) } }
    map.write(T.ripemd160, ripemd160Preimages)
    map.write(T.sha256, sha256Preimages)
    map.write(T.hash160, hash160Preimages)
    map.write(T.hash256, hash256Preimages)
    if version == .v2 {
      map.write(T.previousTxid) { $0.write(previousOutput.txid) }
      map.write(T.outputIndex) { $0.writeLE(previousOutput.vout) }
      if let sequence { map.write(T.sequence) { $0.writeLE(sequence) } }
      if let requiredTimeLocktime { map.write(T.requiredTimeLocktime) { $0.writeLE(requiredTimeLocktime) } }
      if let requiredHeightLocktime { map.write(T.requiredHeightLocktime) { $0.writeLE(requiredHeightLocktime) } }
    }
    if let tapKeySignature { map.write(T.tapKeySig) { $0.write(tapKeySignature.bytes) } }
    for (key, signature) in tapScriptSignatures { map.write(T.tapScriptSig, key) { $0.write(signature.bytes) } }
    for (key, leaf) in tapLeafScripts {
      map.write(T.tapLeafScript, key) {
        $0.write(leaf.script.bytes)
        $0.write(leaf.version)
      }
    }
    for (key, origin) in tapBIP32Derivations { map.write(T.tapBIP32Derivation, key) { origin.encode(to: &$0) } }
    if let tapInternalKey { map.write(T.tapInternalKey) { $0.write(tapInternalKey) } }
    if let tapMerkleRoot { map.write(T.tapMerkleRoot) { $0.write(tapMerkleRoot) } }
    for (key, participants) in musig2ParticipantPubkeys {
      map.write(T.musig2ParticipantPubkeys, key) { for participant in participants { $0.write(participant) } }
    }
    for (key, nonce) in musig2PublicNonces { map.write(T.musig2PubNonce, key) { $0.write(nonce) } }
    for (key, signature) in musig2PartialSignatures { map.write(T.musig2PartialSig, key) { $0.write(signature) } }
    map.finish(proprietary: proprietary, type: T.proprietary, unknown: unknown)
  }

  /// In the order of the keys' HASH160, as Bitcoin Core writes them.
  private var partialSignaturesInOrder: [(key: PSBT.ScriptKey, signature: PSBT.PartialSignature)] {
    guard partialSignatures.count > 1 else { return partialSignatures.map { ($0.key, $0.value) } }
    return partialSignatures.map { (hash: hash160($0.key.bytes), key: $0.key, signature: $0.value) }
      .sorted { $0.hash < $1.hash }
      .map { ($0.key, $0.signature) }
  }
}

extension PSBT.Output {
  fileprivate func encode(to map: inout MapWriter, version: PSBT.Version) {
    typealias T = PSBT.OutputType
    map.write(T.redeemScript, script: redeemScript)
    map.write(T.witnessScript, script: witnessScript)
    for (key, origin) in bip32Derivations { map.write(T.bip32Derivation, key) { origin.encode(to: &$0) } }
    if version == .v2 {
      map.write(T.amount) { $0.writeLE(amount.rawValue) }
      map.write(T.script, script: script)
    }
    if let tapInternalKey { map.write(T.tapInternalKey) { $0.write(tapInternalKey) } }
    if let tapTree {
      map.write(T.tapTree) {
        for leaf in tapTree.leaves {
          $0.write(leaf.depth)
          $0.write(leaf.leaf.version)
          $0.writeCompactSized(leaf.leaf.script.bytes)
        }
      }
    }
    for (key, origin) in tapBIP32Derivations { map.write(T.tapBIP32Derivation, key) { origin.encode(to: &$0) } }
    for (key, participants) in musig2ParticipantPubkeys {
      map.write(T.musig2ParticipantPubkeys, key) { for participant in participants { $0.write(participant) } }
    }
    map.finish(proprietary: proprietary, type: T.proprietary, unknown: unknown)
  }
}

extension PSBT.TapKeyOrigin {
  func encode(to writer: inout ByteWriter) {
    writer.writeCompactSize(leafHashes.count)
    for hash in leafHashes { writer.write(hash) }
    origin.encode(to: &writer)
  }
}
