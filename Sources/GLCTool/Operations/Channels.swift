internal import BOLT
internal import Bitcoin
internal import Encoding
internal import GLC
internal import HTLC
internal import Hashing
internal import JSON
internal import Secp256k1
internal import Signer

extension OperationGroup {
  static let channels = OperationGroup("Channels", [commitmentBuild, shutdownCheck, closingBuild])
}

// MARK: - Kinds

extension Kind where Value == ChannelType {
  static var stack: Self {
    Kind<String>.string.map(ChannelType.allCases.map(\.rawValue).joined(separator: " | ")) {
      (name) throws(ToolError) in
      guard let type = ChannelType(rawValue: name) else {
        let names = ChannelType.allCases.map(\.rawValue).joined(separator: ", ")
        throw ToolError("unknown_stack", "there is no stack \(quoted(name)); there are \(names)")
      }
      return type
    }
  }
}

extension Kind where Value == MilliSatoshi {
  static var milliSatoshi: Self {
    Kind<UInt64>.uint64.map("integer, millisatoshi") { (value) throws(ToolError) in MilliSatoshi(value) }
  }
}

extension Kind where Value == HTLCEntry {
  /// The tool's commitments are always held by local, so what it offers is `offered`.
  static var htlc: Self {
    .record(
      Parameter("direction", .word("offered", "received")), Parameter("id", .integer(0...(1 << 62)) as Kind<UInt64>),
      Parameter("amount_msat", .milliSatoshi), Parameter("payment_hash", .bytes32), Parameter("cltv_expiry", .uint32)
    ) { (direction, id, amount, hash, expiry) throws(ToolError) in
      HTLCEntry(
        id: id, offeredBy: direction == "offered" ? .local : .remote, amount: amount, paymentHash: PaymentHash(hash),
        cltvExpiry: expiry)
    }
  }
}

// MARK: - commitment.build

private let commitmentBuild = Operation(
  "commitment.build", "Builds the commitment transaction that local holds, and its second stage (BOLT 3).",
  Parameter("stack", .stack), Parameter("opener", .word("local", "remote"), "who pays the fee"),
  Parameter("commitment_number", .integer(0...(1 << 48 - 1)) as Kind<UInt64>),
  Parameter("funding_txid", .txid), Parameter("funding_output_index", .uint32),
  Parameter("funding_amount_sat", .satoshi), Parameter("dust_limit_sat", .satoshi, "local's"),
  Parameter("to_self_delay", .integer() as Kind<UInt16>, "that local waits, in blocks"),
  Parameter("feerate_per_kw", .uint32), Parameter("to_local_msat", .milliSatoshi, "without what HTLCs hold"),
  Parameter("to_remote_msat", .milliSatoshi), Parameter("htlcs", .list(.htlc)),
  Parameter("local_funding_pubkey", .publicKey), Parameter("remote_funding_pubkey", .publicKey),
  Parameter("local_payment_basepoint", .publicKey), Parameter("remote_payment_basepoint", .publicKey),
  Parameter("local_delayed_payment_basepoint", .publicKey), Parameter("local_htlc_basepoint", .publicKey),
  Parameter("remote_htlc_basepoint", .publicKey), Parameter("remote_revocation_basepoint", .publicKey),
  Parameter("per_commitment_point", .publicKey, "local's"),
  Parameter(optional: "local_funding_privkey", .secretKey, "with all four private keys: the signed forms too"),
  Parameter(optional: "remote_funding_privkey", .secretKey),
  Parameter(optional: "local_htlc_basepoint_secret", .secretKey),
  Parameter(optional: "remote_htlc_basepoint_secret", .secretKey),
  Parameter(optional: "preimages", .list(.bytes32), "for HTLC-success transactions; unknown ones stay unsigned"),
  returns: [
    "tx": "unsigned", "txid": "display order",
    "outputs": "[{amount_sat, script_pubkey, witness_script, kind, id}] in the transaction's order",
    "second_stage": "unsigned transactions, in the order of the outputs", "fee_sat": "what goes to the miner",
    "signed_tx": "with private keys", "signed_second_stage": "null where the preimage is missing",
    "remote_signature": "of the commitment, DER; partial_signature_with_nonce for taproot",
    "remote_htlc_signatures": "DER, 64 bytes for taproot, in the order of the outputs",
  ]
) {
  type, opener, number, fundingTxID, fundingIndex, capacity, dustLimit, delay, feeRate, toLocal, toRemote, htlcs,
  localFunding, remoteFunding, localPayment, remotePayment, localDelayed, localHTLC, remoteHTLC, remoteRevocation,
  point, localFundingSecret, remoteFundingSecret, localHTLCSecret, remoteHTLCSecret, preimages in
  let stack = try type.stack()
  let holder = Basepoints([
    .funding: localFunding, .payment: localPayment, .delayedPayment: localDelayed, .htlc: localHTLC,
  ])
  let counterparty = Basepoints([
    .funding: remoteFunding, .payment: remotePayment, .htlc: remoteHTLC, .revocation: remoteRevocation,
  ])
  let localOpens = opener == "local"
  let context = CommitmentContext(
    holder: .local, funder: localOpens ? .local : .remote, number: number,
    fundingOutpoint: OutPoint(txid: fundingTxID, vout: fundingIndex), capacity: capacity, dustLimit: dustLimit,
    contestDelay: delay, feeRate: FeeRate(satPerKiloWeight: feeRate),
    keys: try CommitmentKeys(
      holder: holder, counterparty: counterparty, perCommitmentPoint: point, resolving: stack.keys),
    obscuringFactor: obscuringFactor(
      openerPaymentBasepoint: localOpens ? localPayment : remotePayment,
      acceptorPaymentBasepoint: localOpens ? remotePayment : localPayment))
  let ledgers: [any LedgerSlot] = stack.extensions.map { slot in
    guard let typed = slot as? Slot<HTLCExtension> else { return slot.makeLedger() }
    return TypedLedger(base: typed.base, parameters: typed.parameters, ledger: HTLCLedger(htlcs))
  }
  let commitment = try stack.commitment(
    context, balances: Balances(local: toLocal, remote: toRemote), ledgers: ledgers)
  let secondStage = commitment.secondStage
  var result: JSONObject = [
    "tx": .hex(commitment.transaction.encoded), "txid": .display(commitment.txid),
    "outputs": .array(commitment.outputs.map { describe($0.output) }),
    "second_stage": .array(secondStage.map { .hex($0.transaction.encoded) }), "fee_sat": .amount(commitment.fee),
  ]
  guard let localFundingSecret, let remoteFundingSecret, let localHTLCSecret, let remoteHTLCSecret else {
    return result
  }
  let local = try secrets([.funding: localFundingSecret, .htlc: localHTLCSecret], matching: holder)
  let remote = try secrets([.funding: remoteFundingSecret, .htlc: remoteHTLCSecret], matching: counterparty)
  // BOLT 3's own signatures do not grind for a low R.
  // Where both sign together, the local nonce is a fresh one: each time there is another signature.
  var nonce =
    commitment.signsTogether ? MuSigSecretNonce(signer: KeyPair(try SecretKey(localFundingSecret))) : nil
  let publicNonce: MuSigPublicNonce?
  switch nonce {
  case .some(let nonce): publicNonce = nonce.publicNonce
  case nil: publicNonce = nil
  }
  let signatures = try commitment.sign(asCounterparty: remote, nonce: publicNonce, grindLowR: false)
  result["signed_tx"] = .hex(
    try commitment.signedTransaction(asHolder: local, with: signatures, nonce: nonce.take(), grindLowR: false)
      .encoded)
  var known: [Bytes32: [UInt8]] = [:]
  for preimage in preimages ?? [] { known[sha256(preimage.bytes)] = preimage.array }
  result["signed_second_stage"] = .array(
    try zip(secondStage, signatures.children).map { child, signature in
      let secret = child.path.conditions.secret.flatMap { known[$0.value] }
      if child.path.conditions.secret != nil && secret == nil { return .null }
      return .hex(
        try commitment.signed(child, asHolder: local, with: signature, secret: secret, grindLowR: false).encoded)
    })
  result["remote_signature"] = signatures.funding.json
  result["remote_htlc_signatures"] = .array(signatures.children.map(\.json))
  return result
}

private func describe(_ output: DraftOutput) -> JSONValue {
  var object: JSONObject = [
    "amount_sat": .amount(output.value), "script_pubkey": .hex(output.lock.scriptPubKey), "witness_script": .null,
  ]
  if case .witnessScript(let script) = output.lock.reveal { object["witness_script"] = .hex(script) }
  switch output.tag {
  case .balance(of: .holder): object["kind"] = "to_local"
  case .balance(of: .counterparty): object["kind"] = "to_remote"
  case let tag where tag.owner == HTLCExtension.id:
    object["kind"] = tag.index & 1 == 0 ? "offered_htlc" : "received_htlc"
    object["id"] = .int(tag.index >> 1)
  default: object["kind"] = "anchor"
  }
  return .object(object)
}

/// Secrets for some basepoints; refused when one does not belong to the public key that was given with it.
private func secrets(_ values: [Basepoint: Bytes32], matching public: Basepoints) throws -> BasepointSecrets {
  let secrets = try BasepointSecrets(Array(values.keys)) { basepoint in
    let key = try SecretKey(values[basepoint] ?? Bytes32())
    guard key.publicKey == `public`[basepoint] else {
      throw ToolError(.badValue, "a private key does not belong to its public key (basepoint \(basepoint.rawValue))")
    }
    return key
  }
  return secrets
}

extension CounterSignature {
  fileprivate var json: JSONValue {
    switch self {
    case .ecdsa(let signature): .hex(signature.der)
    case .schnorr(let signature): .hex(signature)
    case .musigPartial(let partial): .hex(partial.encoded)
    case .adaptor(let signature): .hex(signature)
    }
  }
}

// MARK: - Closing

private let shutdownCheck = Operation(
  "shutdown.check", "Judges a script for `shutdown` (BOLT 2 §Closing Initiation).",
  Parameter("script_pubkey", .script),
  Parameter("features", .list(.integer(0...65535) as Kind<Int>), "negotiated bits"),
  returns: ["valid": "whether it may be used", "kind": "p2wpkh, p2wsh, any_segwit, op_return; null when it is none"]
) { script, features in
  guard let form = ShutdownScript(script) else { return ["valid": false, "kind": .null] }
  return ["valid": .bool(form.isAllowed(features: Set(features))), "kind": .string(form.rawValue)]
}

private let closingBuild = Operation(
  "closing.build", "Builds the closing transaction of either negotiation (BOLT 3), unsigned.",
  Parameter("negotiation", .word("legacy", "simple"), "closing_signed, or closing_complete"),
  Parameter("funding_txid", .txid), Parameter("funding_output_index", .uint32),
  Parameter("payer", .word("local", "remote"), "of the fee: the opener (legacy), the closer (simple)"),
  Parameter("to_local_msat", .milliSatoshi), Parameter("to_remote_msat", .milliSatoshi),
  Parameter("local_script_pubkey", .script), Parameter("remote_script_pubkey", .script), Parameter("fee_sat", .satoshi),
  Parameter(optional: "dust_limit_sat", .satoshi, "legacy: outputs below are left out; 546 when absent"),
  Parameter(optional: "locktime", .uint32, "simple"),
  Parameter(
    optional: "variant", .word("closer_output_only", "closee_output_only", "closer_and_closee_outputs"),
    "simple; both outputs when absent"),
  returns: ["tx": "unsigned", "txid": "display order", "outputs": "[{amount_sat, script_pubkey}]"]
) {
  negotiation, txid, vout, payer, toLocal, toRemote, localScript, remoteScript, fee, dustLimit, lockTime, variant in
  let local = ClosingTransaction.Share(balance: toLocal, scriptPubKey: localScript)
  let remote = ClosingTransaction.Share(balance: toRemote, scriptPubKey: remoteScript)
  let (paying, other) = payer == "local" ? (local, remote) : (remote, local)
  let funding = OutPoint(txid: txid, vout: vout)
  let transaction: Transaction
  if negotiation == "legacy" {
    if lockTime != nil || variant != nil {
      throw ToolError(.badValue, "locktime and variant belong to the simple negotiation")
    }
    transaction = try ClosingTransaction.legacy(
      spending: funding, funder: paying, other: other, fee: fee, dustLimit: dustLimit ?? Satoshi(546))
  } else {
    if dustLimit != nil { throw ToolError(.badValue, "dust_limit_sat belongs to the legacy negotiation") }
    transaction = try ClosingTransaction.simple(
      spending: funding, closer: paying, closee: other, fee: fee, lockTime: lockTime ?? 0,
      variant: variant.flatMap { ClosingTransaction.Variant(rawValue: $0) } ?? .closerAndCloseeOutputs)
  }
  return [
    "tx": .hex(transaction.encoded), "txid": .display(transaction.txid),
    "outputs": .array(
      transaction.outputs.map { ["amount_sat": .amount($0.value), "script_pubkey": .hex($0.scriptPubKey)] }),
  ]
}
