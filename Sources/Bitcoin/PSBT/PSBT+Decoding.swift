internal import Encoding
internal import Hashing
internal import Secp256k1

extension PSBT {
  static let magic: [UInt8] = [0x70, 0x73, 0x62, 0x74, 0xff]

  /// Reads the text form, Base64.
  public init(base64 text: String) throws(PSBTError) {
    let bytes: [UInt8]
    do { bytes = try Base64.decode(text) } catch { throw .invalidBase64(error) }
    try self.init(decoding: bytes)
  }

  public init(decoding bytes: RawSpan) throws(PSBTError) { try self.init(decoding: bytes.array) }

  /// Reads the binary form, which must fill `bytes`. Everything that the BIPs demand of single fields is checked, and that each
  /// non-witness UTXO is the transaction that its input spends. Memory stays within a small multiple of the input.
  public init(decoding bytes: [UInt8]) throws(PSBTError) {
    guard bytes.starts(with: Self.magic) else { throw .invalidMagic }
    guard bytes.count <= Int(UInt32.max) else { throw .malformedMap(.global, .tooLarge) }
    var offset = Self.magic.count
    let global = try Global(try PSBTRawMap(bytes, offset: &offset, location: .global), in: bytes)
    self.init(
      version: global.version, transactionVersion: global.transactionVersion, fallbackLocktime: global.fallbackLocktime,
      txModifiable: global.txModifiable, inputs: [], outputs: [])
    writesVersion = global.writesVersion
    xpubs = global.xpubs
    proprietary = global.proprietary
    unknown = global.unknown
    // Each map takes a byte at least, so that a count from outside decides nothing.
    guard global.inputCount <= UInt64(bytes.count - offset) else { throw .malformedMap(.global, .truncated) }
    // What an input or output takes at least: 42 and 10 bytes in version 0, of which most lie in the transaction; 43 and 15 in 2.
    inputs.reserveCapacity(min(Int(global.inputCount), bytes.count / 42))
    for index in 0..<Int(global.inputCount) {
      let map = try PSBTRawMap(bytes, offset: &offset, location: .input(index))
      inputs.append(try Input(map, index: index, transaction: global.unsignedTransaction, in: bytes))
    }
    guard global.outputCount <= UInt64(bytes.count - offset) else { throw .malformedMap(.global, .truncated) }
    outputs.reserveCapacity(min(Int(global.outputCount), bytes.count / 10))
    for index in 0..<Int(global.outputCount) {
      let map = try PSBTRawMap(bytes, offset: &offset, location: .output(index))
      outputs.append(try Output(map, index: index, transaction: global.unsignedTransaction, in: bytes))
    }
    guard offset == bytes.count else {
      let last: Location =
        !outputs.isEmpty ? .output(outputs.count - 1) : !inputs.isEmpty ? .input(inputs.count - 1) : .global
      throw .malformedMap(last, .trailingBytes(bytes.count - offset))
    }
  }

  /// The global map, with what is needed to read the others.
  private struct Global {
    var version = Version.v0
    var writesVersion = false
    var unsignedTransaction: Transaction?
    var transactionVersion: UInt32 = 0
    var fallbackLocktime: UInt32?
    var inputCount: UInt64 = 0
    var outputCount: UInt64 = 0
    var txModifiable: TxModifiable?
    var xpubs = Records<ExtendedPublicKeyBytes, KeyOrigin>()
    var proprietary = Records<ProprietaryKey, [UInt8]>()
    var unknown = Records<UnknownKey, [UInt8]>()

    init(_ map: PSBTRawMap, in bytes: [UInt8]) throws(PSBTError) {
      var present: Set<GlobalType> = []
      for raw in map.records {
        guard let type = GlobalType(rawValue: raw.type) else {
          unknown.append(UnknownKey(type: raw.type, data: Array(bytes[raw.dataRange])), Array(bytes[raw.valueRange]))
          continue
        }
        let record = PSBTRecord(.global(type), raw, in: bytes)
        if type != .xpub && type != .proprietary { try record.requireNoKeyData() }
        present.insert(type)
        switch type {
        case .unsignedTx: unsignedTransaction = try PSBT.readUnsignedTransaction(record)
        case .xpub: xpubs.append(try record.key(), try PSBT.readXpubOrigin(record))
        case .txVersion: transactionVersion = try record.uint32()
        case .fallbackLocktime: fallbackLocktime = try record.uint32()
        case .inputCount:
          inputCount = try record.read { (reader) throws(DecodingError) in try reader.readCompactSize() }
        case .outputCount:
          outputCount = try record.read { (reader) throws(DecodingError) in try reader.readCompactSize() }
        case .txModifiable: txModifiable = TxModifiable(rawValue: try record.fixed(FixedBytes<1>.self)[0])
        case .version:
          let number = try record.uint32()
          guard let version = Version(rawValue: number) else { throw .unsupportedVersion(number) }
          self.version = version
          writesVersion = true
        case .proprietary: proprietary.append(try PSBT.readProprietaryKey(record), record.bytes)
        }
      }
      let required: [GlobalType] = version == .v0 ? [.unsignedTx] : [.txVersion, .inputCount, .outputCount]
      let forbidden: [GlobalType] =
        version == .v0 ? [.txVersion, .fallbackLocktime, .inputCount, .outputCount, .txModifiable] : [.unsignedTx]
      for type in forbidden where present.contains(type) {
        throw .forbiddenField(.global(type), version: version)
      }
      for type in required where !present.contains(type) { throw .missingField(.global(type)) }
      if let unsignedTransaction {
        transactionVersion = unsignedTransaction.version
        fallbackLocktime = unsignedTransaction.lockTime
        inputCount = UInt64(unsignedTransaction.inputs.count)
        outputCount = UInt64(unsignedTransaction.outputs.count)
      }
    }
  }

  private static func readUnsignedTransaction(_ record: PSBTRecord) throws(PSBTError) -> Transaction {
    // BIP 174: "The transaction must be in the old serialization format (without witnesses)."
    let transaction = try record.read { (reader) throws(DecodingError) in
      try Transaction(from: &reader, allowWitness: false)
    }
    for (index, input) in transaction.inputs.enumerated() where !input.scriptSig.isEmpty {
      throw .unsignedTransactionIsSigned(input: index)
    }
    return transaction
  }

  private static func readXpubOrigin(_ record: PSBTRecord) throws(PSBTError) -> KeyOrigin {
    let xpub: ExtendedPublicKeyBytes = try record.key()
    let key = record.data.suffix(33)
    guard (try? PublicKey(copying: key.bytes)) != nil else { throw .invalidKey(record.field) }
    let origin = try record.keyOrigin()
    // BIP 174: "The number of 32 bit unsigned integer indexes must match the depth provided in the extended public key."
    guard origin.path.count == Int(xpub.depth) else {
      throw .invalidValue(record.field, "the path is not as long as the key is deep")
    }
    return origin
  }

  fileprivate static func readProprietaryKey(_ record: PSBTRecord) throws(PSBTError) -> ProprietaryKey {
    var reader = ByteReader(record.data.bytes)
    do {
      let identifier = try reader.readCompactSizedBytes().array
      let subtype = try reader.readCompactSize()
      return ProprietaryKey(identifier: identifier, subtype: subtype, data: reader.readRest())
    } catch {
      throw .invalidKey(record.field)
    }
  }

  fileprivate static func readParticipants(
    _ record: PSBTRecord
  ) throws(PSBTError) -> (aggregate: PublicKey, participants: [PublicKey]) {
    let aggregate: PublicKey = try record.key()
    guard !record.value.isEmpty, record.value.count % 33 == 0 else {
      throw .invalidValueLength(record.field, count: record.value.count)
    }
    let participants = try record.read { (reader) throws(DecodingError) in
      var participants: [PublicKey] = []
      participants.reserveCapacity(reader.remaining / 33)
      while !reader.isAtEnd { participants.append(try reader.read()) }
      return participants
    }
    return (aggregate, participants)
  }
}

extension PSBT.Input {
  fileprivate init(
    _ map: PSBTRawMap, index: Int, transaction: Transaction?, in bytes: [UInt8]
  ) throws(PSBTError) {
    if let transaction {
      self.init(
        previousOutput: transaction.inputs[index].previousOutput, sequence: transaction.inputs[index].sequence)
    } else {
      self.init(previousOutput: .null)
    }
    var txid: TxID?
    var vout: UInt32?
    for raw in map.records {
      guard let type = PSBT.InputType(rawValue: raw.type) else {
        unknown.append(PSBT.UnknownKey(type: raw.type, data: Array(bytes[raw.dataRange])), Array(bytes[raw.valueRange]))
        continue
      }
      let record = PSBTRecord(.input(index, type), raw, in: bytes)
      switch type {
      case .previousTxid, .outputIndex, .sequence, .requiredTimeLocktime, .requiredHeightLocktime:
        guard transaction == nil else { throw .forbiddenField(record.field, version: .v0) }
        try record.requireNoKeyData()
        switch type {
        case .previousTxid: txid = TxID(try record.fixed())
        case .outputIndex: vout = try record.uint32()
        case .sequence: sequence = try record.uint32()
        case .requiredTimeLocktime: requiredTimeLocktime = try Self.locktime(record, isTime: true)
        default: requiredHeightLocktime = try Self.locktime(record, isTime: false)
        }
      default: try read(record, type)
      }
    }
    if transaction == nil {
      guard let txid else { throw .missingField(.input(index, .previousTxid)) }
      guard let vout else { throw .missingField(.input(index, .outputIndex)) }
      previousOutput = OutPoint(txid: txid, vout: vout)
    }
    if let nonWitnessUTXO {
      guard nonWitnessUTXO.txid == previousOutput.txid else { throw .nonWitnessUTXOMismatch(input: index) }
      guard Int(previousOutput.vout) < nonWitnessUTXO.outputs.count else { throw .noSuchSpentOutput(input: index) }
    }
  }

  private static func locktime(_ record: PSBTRecord, isTime: Bool) throws(PSBTError) -> UInt32 {
    let value = try record.uint32()
    // BIP 370: "greater than or equal to 500000000"; "greater than 0 and less than 500000000".
    guard isTime ? value >= 500_000_000 : 1..<500_000_000 ~= value else {
      throw .invalidValue(record.field, isTime ? "a time is at least 500000000" : "a height is from 1 to 499999999")
    }
    return value
  }

  private mutating func read(_ record: PSBTRecord, _ type: PSBT.InputType) throws(PSBTError) {
    switch type {
    case .nonWitnessUTXO, .witnessUTXO, .sighashType, .redeemScript, .witnessScript, .finalScriptSig,
      .finalScriptWitness, .porCommitment, .tapKeySig, .tapInternalKey, .tapMerkleRoot:
      try record.requireNoKeyData()
    default: break
    }
    switch type {
    case .nonWitnessUTXO:
      nonWitnessUTXO = try record.read { (reader) throws(DecodingError) in try Transaction(from: &reader) }
    case .witnessUTXO: witnessUTXO = try record.read { (reader) throws(DecodingError) in try TxOutput(from: &reader) }
    case .partialSig:
      let key = try record.scriptKey()
      guard let signature = PSBT.PartialSignature(record.bytes) else {
        throw .invalidValue(record.field, "not strict DER and a defined sighash type")
      }
      partialSignatures.append(key, signature)
    case .sighashType: sighashType = SighashType(rawValue: try record.uint32())
    case .redeemScript: redeemScript = record.script
    case .witnessScript: witnessScript = record.script
    case .bip32Derivation: bip32Derivations.append(try record.scriptKey(), try record.keyOrigin())
    case .finalScriptSig: finalScriptSig = record.script
    case .finalScriptWitness:
      finalScriptWitness = try record.read { (reader) throws(DecodingError) in try Witness(from: &reader) }
    case .porCommitment: porCommitment = record.bytes
    case .ripemd160: ripemd160Preimages.append(try Self.preimageHash(record, ripemd160), record.bytes)
    case .sha256: sha256Preimages.append(try Self.preimageHash(record, sha256), record.bytes)
    case .hash160: hash160Preimages.append(try Self.preimageHash(record, hash160), record.bytes)
    case .hash256: hash256Preimages.append(try Self.preimageHash(record, sha256d), record.bytes)
    case .tapKeySig: tapKeySignature = try Self.tapSignature(record)
    case .tapScriptSig:
      tapScriptSignatures.append(try Self.tapScriptSignatureKey(record), try Self.tapSignature(record))
    case .tapLeafScript:
      guard record.data.count >= 33, (record.data.count - 33) % 32 == 0 else {
        throw .invalidKeyLength(record.field, count: record.data.count)
      }
      guard let controlBlock = try? ControlBlock(decoding: record.data.bytes) else { throw .invalidKey(record.field) }
      guard let version = record.value.last else { throw .invalidValueLength(record.field, count: 0) }
      tapLeafScripts.append(controlBlock, TapLeaf(script: Script(Array(record.value.dropLast())), version: version))
    case .tapBIP32Derivation: tapBIP32Derivations.append(try record.key(), try record.tapKeyOrigin())
    case .tapInternalKey: tapInternalKey = try record.fixed()
    case .tapMerkleRoot: tapMerkleRoot = try record.fixed()
    case .musig2ParticipantPubkeys:
      let (aggregate, participants) = try PSBT.readParticipants(record)
      musig2ParticipantPubkeys.append(aggregate, participants)
    case .musig2PubNonce: musig2PublicNonces.append(try Self.musig2Key(record), try record.fixed())
    case .musig2PartialSig: musig2PartialSignatures.append(try Self.musig2Key(record), try record.fixed())
    case .proprietary: proprietary.append(try PSBT.readProprietaryKey(record), record.bytes)
    case .previousTxid, .outputIndex, .sequence, .requiredTimeLocktime, .requiredHeightLocktime: break
    }
  }

  /// BIP 174: the preimage "must equal the key when run through" the hash function.
  private static func preimageHash<T: FixedSizeBytes>(
    _ record: PSBTRecord, _ function: (RawSpan) -> T
  ) throws(PSBTError) -> T {
    let hash: T = try record.key()
    guard function(record.value.bytes) == hash else {
      throw .invalidValue(record.field, "the preimage does not hash to the key")
    }
    return hash
  }

  private static func tapSignature(_ record: PSBTRecord) throws(PSBTError) -> PSBT.TapSignature {
    guard record.value.count == 64 || record.value.count == 65 else {
      throw .invalidValueLength(record.field, count: record.value.count)
    }
    guard let signature = PSBT.TapSignature(record.value.bytes) else {
      throw .invalidValue(record.field, "an undefined sighash type")
    }
    return signature
  }

  private static func tapScriptSignatureKey(_ record: PSBTRecord) throws(PSBTError) -> PSBT.TapScriptSignatureKey {
    guard record.data.count == 64 else { throw .invalidKeyLength(record.field, count: record.data.count) }
    var reader = ByteReader(record.data.bytes)
    do {
      return PSBT.TapScriptSignatureKey(publicKey: try reader.read(), leafHash: try reader.read())
    } catch {
      throw .invalidKey(record.field)
    }
  }

  private static func musig2Key(_ record: PSBTRecord) throws(PSBTError) -> PSBT.MuSig2Key {
    guard record.data.count == 66 || record.data.count == 98 else {
      throw .invalidKeyLength(record.field, count: record.data.count)
    }
    var reader = ByteReader(record.data.bytes)
    do {
      return PSBT.MuSig2Key(
        participant: try reader.read(), aggregate: try reader.read(), leafHash: reader.isAtEnd ? nil : try reader.read()
      )
    } catch {
      throw .invalidKey(record.field)
    }
  }
}

extension PSBT.Output {
  fileprivate init(
    _ map: PSBTRawMap, index: Int, transaction: Transaction?, in bytes: [UInt8]
  ) throws(PSBTError) {
    self.init(transaction?.outputs[index] ?? TxOutput(value: .zero, scriptPubKey: Script()))
    var hasAmount = transaction != nil
    var hasScript = hasAmount
    for raw in map.records {
      guard let type = PSBT.OutputType(rawValue: raw.type) else {
        unknown.append(PSBT.UnknownKey(type: raw.type, data: Array(bytes[raw.dataRange])), Array(bytes[raw.valueRange]))
        continue
      }
      let record = PSBTRecord(.output(index, type), raw, in: bytes)
      switch type {
      case .amount, .script:
        guard transaction == nil else { throw .forbiddenField(record.field, version: .v0) }
        try record.requireNoKeyData()
      case .redeemScript, .witnessScript, .tapInternalKey, .tapTree: try record.requireNoKeyData()
      default: break
      }
      switch type {
      case .redeemScript: redeemScript = record.script
      case .witnessScript: witnessScript = record.script
      case .bip32Derivation: bip32Derivations.append(try record.scriptKey(), try record.keyOrigin())
      case .amount:
        amount = Satoshi(try record.uint64())
        hasAmount = true
      case .script:
        script = record.script
        hasScript = true
      case .tapInternalKey: tapInternalKey = try record.fixed()
      case .tapTree: tapTree = try Self.tapTree(record)
      case .tapBIP32Derivation: tapBIP32Derivations.append(try record.key(), try record.tapKeyOrigin())
      case .musig2ParticipantPubkeys:
        let (aggregate, participants) = try PSBT.readParticipants(record)
        musig2ParticipantPubkeys.append(aggregate, participants)
      case .proprietary: proprietary.append(try PSBT.readProprietaryKey(record), record.bytes)
      }
    }
    guard hasAmount else { throw .missingField(.output(index, .amount)) }
    guard hasScript else { throw .missingField(.output(index, .script)) }
  }

  private static func tapTree(_ record: PSBTRecord) throws(PSBTError) -> PSBT.TapTreeLeaves {
    guard !record.value.isEmpty else { throw .invalidValue(record.field, "the tree is empty") }
    let leaves = try record.read { (reader) throws(DecodingError) in
      var leaves: [PSBT.TapTreeLeaves.Leaf] = []
      while !reader.isAtEnd {
        let depth = try reader.readUInt8()
        let version = try reader.readUInt8()
        let script = Script(try reader.readCompactSizedBytes().array)
        leaves.append(PSBT.TapTreeLeaves.Leaf(depth: depth, leaf: TapLeaf(script: script, version: version)))
      }
      return leaves
    }
    guard let tree = PSBT.TapTreeLeaves(leaves) else { throw .invalidValue(record.field, "not one whole tree") }
    return tree
  }
}
