internal import Encoding
internal import JSON
internal import Secp256k1

extension OperationGroup {
  static let muSig = OperationGroup("MuSig2 (BIP 327)", [keyAgg, nonceAgg, signVerifyPartial, sigAgg])
}

// BIP 327 blames a signer for a contribution that is none: keys, nonces and signatures are read as bytes, and the error
// (`invalid_contribution`) says whose they were.
private let publicKeys = Parameter<[Bytes33]>("pubkeys", .list(.fixed()), "in the order of aggregation")
private let tweaks = Parameter<[MuSigTweak]?>(optional: "tweaks", .list(.muSigTweak), "in the order of application")

private func aggregate(_ publicKeys: [Bytes33], _ tweaks: [MuSigTweak]?) throws -> MuSigKeyAggregation {
  var keys = try MuSigKeyAggregation(encoded: publicKeys)
  for tweak in tweaks ?? [] { try keys.apply(tweak) }
  return keys
}

private let keyAgg = Operation(
  "musig.key_agg", "Aggregates public keys.", publicKeys, tweaks,
  returns: ["aggregate_xonly": "the key that the signature is for, 32 bytes"]
) { publicKeys, tweaks in ["aggregate_xonly": .hex(try aggregate(publicKeys, tweaks).xOnlyPublicKey)] }

private let nonceAgg = Operation(
  "musig.nonce_agg", "Adds up the public nonces of the signers.",
  Parameter("pubnonces", .list(.fixed() as Kind<FixedBytes<66>>)),
  returns: ["aggnonce": "66 bytes"]
) { nonces in ["aggnonce": .hex(try MuSigAggregateNonce(encoded: nonces))] }

private let signVerifyPartial = Operation(
  "musig.sign_verify_partial", "Checks one signer's partial signature.",
  publicKeys, Parameter("pubnonces", .list(.fixed() as Kind<FixedBytes<66>>), "one for each key, in the same order"),
  tweaks, Parameter("message", .hex), Parameter("partial_sig", .hex), Parameter("signer_index", .index),
  returns: ["valid": "true | false"]
) { publicKeys, nonces, tweaks, message, partialSignature, signer in
  guard nonces.count == publicKeys.count else {
    throw ToolError(.badValue, "pubnonces: \(nonces.count) for \(publicKeys.count) keys")
  }
  guard nonces.indices.contains(signer) else {
    throw ToolError(.badValue, "signer_index: there is no signer \(signer)")
  }
  let keys = try aggregate(publicKeys, tweaks)
  let aggregateNonce = try MuSigAggregateNonce(encoded: nonces)
  // BIP 327 PartialSigVerifyInternal: "fail if s ≥ n".
  guard let signature = try? MuSigPartialSignature(array: partialSignature) else { return ["valid": false] }
  let key = keys.publicKeys[signer]
  if let hash = try? Bytes32(message) {
    let session = MuSigSession(keys: keys, aggregateNonce: aggregateNonce, message: hash)
    let nonce = try MuSigPublicNonce(array: nonces[signer].array)
    return ["valid": .bool(session.isValid(signature, of: key, nonce: nonce))]
  }
  // libsecp256k1 signs hashes alone; BIP 327 has messages of any length.
  let session = BIP327.Session(keys: keys, aggregateNonce: aggregateNonce, message: message)
  return ["valid": .bool(session.isValid(signature, of: key, nonce: nonces[signer]))]
}

private let sigAgg = Operation(
  "musig.sig_agg", "Adds up the partial signatures of all signers. Does not check them: see musig.sign_verify_partial.",
  publicKeys, Parameter("aggnonce", .fixed() as Kind<FixedBytes<66>>), tweaks, Parameter("message", .bytes32),
  Parameter("partial_sigs", .list(.bytes32), "one for each key"),
  returns: ["signature": "for aggregate_xonly, 64 bytes (BIP 340)"]
) { publicKeys, nonce, tweaks, message, signatures in
  let session = MuSigSession(
    keys: try aggregate(publicKeys, tweaks), aggregateNonce: try MuSigAggregateNonce(encoded: nonce), message: message)
  return ["signature": .hex(try session.aggregate(encoded: signatures))]
}

extension Kind where Value == MuSigTweak {
  fileprivate static var muSigTweak: Self {
    record(Parameter("tweak", .bytes32), Parameter("xonly", .bool)) { (tweak, isXOnly) throws(ToolError) in
      MuSigTweak(tweak, isXOnly ? .xOnly : .plain)
    }
  }
}
