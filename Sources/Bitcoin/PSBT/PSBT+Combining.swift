// The role of the Combiner.

extension PSBT {
  /// What to do when two PSBTs have different values under the same key.
  public enum ConflictRule: Hashable, Sendable {
    /// BIP 174: the Combiner "can pick arbitrarily when conflicts occur". The value of the first one stays.
    case keepFirst
    /// BIP 174: "Alternatively, the combiner may refuse to combine PSBTs with conflicting content." Throws `.conflict`.
    case refuse
  }

  /// One PSBT with all the records of `psbts`. Throws `.nothingToCombine` for none and `.differentTransactions`. A version 0 and a
  /// version 2 of the same transaction make a version 2.
  public static func combining(
    _ psbts: [PSBT], conflicts: ConflictRule = .keepFirst
  ) throws(PSBTError) -> PSBT {
    guard var result = psbts.first else { throw .nothingToCombine }
    for psbt in psbts.dropFirst() { try result.combine(psbt, conflicts: conflicts) }
    return result
  }

  /// Takes over what `other` has beyond this one. Nothing changes when it throws.
  public mutating func combine(_ other: PSBT, conflicts: ConflictRule = .keepFirst) throws(PSBTError) {
    var result = self
    if version == other.version {
      guard try uniqueID() == other.uniqueID() else { throw .differentTransactions }
    } else {
      guard try unsignedTransaction() == other.unsignedTransaction() else { throw .differentTransactions }
      // BIP 174: "the highest version number required".
      result = try converted(to: .v2)
    }
    var conflicting = result.mergeGlobal(other)
    if conflicting && conflicts == .refuse { throw .conflict(.global) }
    for index in result.inputs.indices {
      conflicting = result.inputs[index].merge(other.inputs[index])
      if conflicting && conflicts == .refuse { throw .conflict(.input(index)) }
    }
    for index in result.outputs.indices {
      conflicting = result.outputs[index].merge(other.outputs[index])
      if conflicting && conflicts == .refuse { throw .conflict(.output(index)) }
    }
    self = result
  }

  private mutating func mergeGlobal(_ other: PSBT) -> Bool {
    writesVersion = writesVersion || other.writesVersion
    if version == .v2 && other.version == .v2 {
      // What one signer closed must stay closed; a single signature of one is a single signature of both.
      switch (txModifiable, other.txModifiable) {
      case (nil, nil): break
      case (let mine, let theirs):
        let mine = mine ?? []
        let theirs = theirs ?? []
        let both: TxModifiable = [.inputs, .outputs]
        txModifiable = mine.intersection(theirs).intersection(both).union(mine.union(theirs).subtracting(both))
      }
      if fallbackLocktime == nil { fallbackLocktime = other.fallbackLocktime }
    }
    var conflict = xpubs.merge(other.xpubs)
    if proprietary.merge(other.proprietary) { conflict = true }
    if unknown.merge(other.unknown) { conflict = true }
    return conflict
  }

  fileprivate static func merge<Value: Equatable>(_ mine: inout Value?, _ theirs: Value?, _ conflict: inout Bool) {
    guard let theirs else { return }
    if let mine, mine != theirs { conflict = true }
    if mine == nil { mine = theirs }
  }
}

extension PSBT.Input {
  /// True when there was a conflict.
  fileprivate mutating func merge(_ other: Self) -> Bool {
    var conflict = false
    PSBT.merge(&sequence, other.sequence, &conflict)
    PSBT.merge(&requiredTimeLocktime, other.requiredTimeLocktime, &conflict)
    PSBT.merge(&requiredHeightLocktime, other.requiredHeightLocktime, &conflict)
    PSBT.merge(&nonWitnessUTXO, other.nonWitnessUTXO, &conflict)
    PSBT.merge(&witnessUTXO, other.witnessUTXO, &conflict)
    PSBT.merge(&sighashType, other.sighashType, &conflict)
    PSBT.merge(&redeemScript, other.redeemScript, &conflict)
    PSBT.merge(&witnessScript, other.witnessScript, &conflict)
    PSBT.merge(&finalScriptSig, other.finalScriptSig, &conflict)
    PSBT.merge(&finalScriptWitness, other.finalScriptWitness, &conflict)
    PSBT.merge(&porCommitment, other.porCommitment, &conflict)
    PSBT.merge(&tapKeySignature, other.tapKeySignature, &conflict)
    PSBT.merge(&tapInternalKey, other.tapInternalKey, &conflict)
    PSBT.merge(&tapMerkleRoot, other.tapMerkleRoot, &conflict)
    conflict = partialSignatures.merge(other.partialSignatures) || conflict
    conflict = bip32Derivations.merge(other.bip32Derivations) || conflict
    conflict = ripemd160Preimages.merge(other.ripemd160Preimages) || conflict
    conflict = sha256Preimages.merge(other.sha256Preimages) || conflict
    conflict = hash160Preimages.merge(other.hash160Preimages) || conflict
    conflict = hash256Preimages.merge(other.hash256Preimages) || conflict
    conflict = tapScriptSignatures.merge(other.tapScriptSignatures) || conflict
    conflict = tapLeafScripts.merge(other.tapLeafScripts) || conflict
    conflict = tapBIP32Derivations.merge(other.tapBIP32Derivations) || conflict
    conflict = musig2ParticipantPubkeys.merge(other.musig2ParticipantPubkeys) || conflict
    conflict = musig2PublicNonces.merge(other.musig2PublicNonces) || conflict
    conflict = musig2PartialSignatures.merge(other.musig2PartialSignatures) || conflict
    conflict = proprietary.merge(other.proprietary) || conflict
    conflict = unknown.merge(other.unknown) || conflict
    return conflict
  }
}

extension PSBT.Output {
  /// True when there was a conflict.
  fileprivate mutating func merge(_ other: Self) -> Bool {
    var conflict = false
    PSBT.merge(&redeemScript, other.redeemScript, &conflict)
    PSBT.merge(&witnessScript, other.witnessScript, &conflict)
    PSBT.merge(&tapInternalKey, other.tapInternalKey, &conflict)
    PSBT.merge(&tapTree, other.tapTree, &conflict)
    conflict = bip32Derivations.merge(other.bip32Derivations) || conflict
    conflict = tapBIP32Derivations.merge(other.tapBIP32Derivations) || conflict
    conflict = musig2ParticipantPubkeys.merge(other.musig2ParticipantPubkeys) || conflict
    conflict = proprietary.merge(other.proprietary) || conflict
    conflict = unknown.merge(other.unknown) || conflict
    return conflict
  }
}
