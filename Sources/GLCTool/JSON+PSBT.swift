internal import Bitcoin
internal import Encoding
internal import JSON
internal import Secp256k1

// The fields of a PSBT by the names of BIP 174 and those after it, without their prefixes.

extension PSBT {
  func json() throws -> JSONObject {
    let transaction = try unsignedTransaction()
    var json: JSONObject = [
      "version": .int(version.rawValue),
      // A transaction without inputs can only be told from BIP 144's marker when no witness is expected.
      "tx": .hex(transaction.encoded(withWitness: false)),
      "txid": .display(transaction.txid),
    ]
    if version == .v2 {
      json["fallback_locktime"] = fallbackLocktime.map { .int($0) }
      json["tx_modifiable"] = txModifiable.map { .int($0.rawValue) }
    }
    json.add("xpubs", xpubs) { xpub, origin in
      ["xpub": .string(Base58Check.encode(xpub.array)), "fingerprint": .hex(origin.fingerprint), "path": .path(origin)]
    }
    json.add("proprietary", proprietary) { ["key": .hex($0.keyData), "value": .hex($1)] }
    json.add("unknown", unknown) { ["key": .hex($0.keyData), "value": .hex($1)] }
    json["inputs"] = .array(inputs.map { .object($0.json) })
    json["outputs"] = .array(outputs.map { .object($0.json) })
    json["fee_sat"] = (try? fee()).map { .amount($0) }
    json["complete"] = .bool(isComplete)
    return json
  }
}

extension PSBT.Input {
  fileprivate var json: JSONObject {
    var json: JSONObject = ["previous_txid": .display(previousOutput.txid), "output_index": .int(previousOutput.vout)]
    json["sequence"] = sequence.map { .int($0) }
    json["required_time_locktime"] = requiredTimeLocktime.map { .int($0) }
    json["required_height_locktime"] = requiredHeightLocktime.map { .int($0) }
    json["non_witness_utxo"] = nonWitnessUTXO.map { .hex($0.encoded) }
    json["witness_utxo"] = witnessUTXO.map {
      ["amount_sat": .amount($0.value), "script_pubkey": .hex($0.scriptPubKey)]
    }
    json.add("partial_sigs", partialSignatures) { ["pubkey": .hex($0.bytes), "signature": .hex($1.bytes)] }
    json["sighash_type"] = sighashType.map { .int($0.rawValue) }
    json["redeem_script"] = redeemScript.map { .hex($0) }
    json["witness_script"] = witnessScript.map { .hex($0) }
    json.addDerivations(bip32Derivations)
    json["final_scriptsig"] = finalScriptSig.map { .hex($0) }
    json["final_scriptwitness"] = finalScriptWitness.map { .hex($0) }
    json["por_commitment"] = porCommitment.map { .hex($0) }
    json.add("ripemd160_preimages", ripemd160Preimages) { ["hash": .hex($0), "preimage": .hex($1)] }
    json.add("sha256_preimages", sha256Preimages) { ["hash": .hex($0), "preimage": .hex($1)] }
    json.add("hash160_preimages", hash160Preimages) { ["hash": .hex($0), "preimage": .hex($1)] }
    json.add("hash256_preimages", hash256Preimages) { ["hash": .hex($0), "preimage": .hex($1)] }
    json["tap_key_sig"] = tapKeySignature.map { .hex($0.bytes) }
    json.add("tap_script_sigs", tapScriptSignatures) {
      ["xonly": .hex($0.publicKey), "leaf_hash": .hex($0.leafHash), "signature": .hex($1.bytes)]
    }
    json.add("tap_leaf_scripts", tapLeafScripts) {
      ["control_block": .hex($0.encoded), "script": .hex($1.script), "leaf_version": .int($1.version)]
    }
    json.addDerivations(tapBIP32Derivations)
    json["tap_internal_key"] = tapInternalKey.map { .hex($0) }
    json["tap_merkle_root"] = tapMerkleRoot.map { .hex($0) }
    json.addParticipants(musig2ParticipantPubkeys)
    json.add("musig2_pub_nonces", musig2PublicNonces) { Self.musig($0, "pubnonce", .hex($1)) }
    json.add("musig2_partial_sigs", musig2PartialSignatures) { Self.musig($0, "partial_sig", .hex($1)) }
    json.add("proprietary", proprietary) { ["key": .hex($0.keyData), "value": .hex($1)] }
    json.add("unknown", unknown) { ["key": .hex($0.keyData), "value": .hex($1)] }
    return json
  }

  private static func musig(_ key: PSBT.MuSig2Key, _ name: String, _ value: JSONValue) -> JSONValue {
    var json: JSONObject = ["participant": .hex(key.participant), "aggregate": .hex(key.aggregate)]
    json["leaf_hash"] = key.leafHash.map { .hex($0) }
    json[name] = value
    return .object(json)
  }
}

extension PSBT.Output {
  fileprivate var json: JSONObject {
    var json: JSONObject = ["amount_sat": .amount(amount), "script_pubkey": .hex(script)]
    json["redeem_script"] = redeemScript.map { .hex($0) }
    json["witness_script"] = witnessScript.map { .hex($0) }
    json.addDerivations(bip32Derivations)
    json["tap_internal_key"] = tapInternalKey.map { .hex($0) }
    json["tap_tree"] = tapTree.map { tree in
      .array(
        tree.leaves.map {
          ["depth": .int($0.depth), "leaf_version": .int($0.leaf.version), "script": .hex($0.leaf.script)]
        })
    }
    json.addDerivations(tapBIP32Derivations)
    json.addParticipants(musig2ParticipantPubkeys)
    json.add("proprietary", proprietary) { ["key": .hex($0.keyData), "value": .hex($1)] }
    json.add("unknown", unknown) { ["key": .hex($0.keyData), "value": .hex($1)] }
    return json
  }
}

extension JSONObject {
  /// A list of records; nothing when there are none.
  fileprivate mutating func add<Key, Value>(
    _ name: String, _ records: PSBT.Records<Key, Value>, _ json: (Key, Value) -> JSONValue
  ) {
    if !records.isEmpty { self[name] = .array(records.map { json($0.key, $0.value) }) }
  }

  fileprivate mutating func addDerivations(_ records: PSBT.Records<PSBT.ScriptKey, PSBT.KeyOrigin>) {
    add("bip32_derivations", records) {
      ["pubkey": .hex($0.bytes), "fingerprint": .hex($1.fingerprint), "path": .path($1)]
    }
  }

  fileprivate mutating func addDerivations(_ records: PSBT.Records<XOnlyPublicKey, PSBT.TapKeyOrigin>) {
    add("tap_bip32_derivations", records) {
      [
        "xonly": .hex($0), "leaf_hashes": .array($1.leafHashes.map { .hex($0) }),
        "fingerprint": .hex($1.origin.fingerprint), "path": .path($1.origin),
      ]
    }
  }

  fileprivate mutating func addParticipants(_ records: PSBT.Records<PublicKey, [PublicKey]>) {
    add("musig2_participant_pubkeys", records) {
      ["aggregate": .hex($0), "participants": .array($1.map { .hex($0) })]
    }
  }
}

extension JSONValue {
  fileprivate static func path(_ origin: PSBT.KeyOrigin) -> JSONValue {
    .string(DerivationPath(origin.path.map { ChildNumber(rawValue: $0) }).description)
  }
}
