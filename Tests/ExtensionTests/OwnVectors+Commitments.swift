import Bitcoin
import Encoding
import GLC
import HTLC
import Hashing
import JSON
import PTLC
import Secp256k1
import Signer

/// A commitment as an input describes it, with the secrets of both sides. The holder is always `local`.
struct VectorCommitment {
  let stack: ChannelStack
  let commitment: Commitment
  let holder: BasepointSecrets
  let counterparty: BasepointSecrets

  private static let names: [(Basepoint, String)] = [
    (.funding, "funding"), (.revocation, "revocation"), (.payment, "payment"), (.delayedPayment, "delayed_payment"),
    (.htlc, "htlc"), (.ptlc, "ptlc"),
  ]

  private static func secrets(_ fields: Fields) throws -> BasepointSecrets {
    let values = try Dictionary(uniqueKeysWithValues: names.map { ($0.0, try fields.bytes32($0.1)) })
    return try BasepointSecrets(names.map(\.0)) { try SecretKey(values[$0] ?? Bytes32()) }
  }

  init(_ input: Fields) throws {
    guard let named = PTLCStack(rawValue: try input.string("stack")) else { throw Fields.Missing(name: "stack") }
    stack = try named.stack
    holder = try Self.secrets(try input.fields("holder_secrets"))
    counterparty = try Self.secrets(try input.fields("counterparty_secrets"))
    let (own, other) = (holder.basepoints, counterparty.basepoints)
    guard let payment = own[.payment], let otherPayment = other[.payment] else { throw Fields.Missing(name: "payment") }
    let opens = try input.string("opener") == "holder"
    let context = CommitmentContext(
      holder: .local, funder: opens ? .local : .remote, number: try input.number("number"),
      fundingOutpoint: OutPoint(
        txid: TxID(try input.bytes32("funding_txid_internal")), vout: UInt32(try input.number("funding_output_index"))),
      capacity: Satoshi(try input.number("funding_amount_sat")),
      dustLimit: Satoshi(try input.number("dust_limit_sat")),
      contestDelay: UInt16(try input.number("to_self_delay")),
      feeRate: FeeRate(satPerKiloWeight: UInt32(try input.number("feerate_per_kw"))),
      keys: try CommitmentKeys(
        holder: own, counterparty: other,
        perCommitmentPoint: try SecretKey(try input.bytes32("per_commitment_secret")).publicKey, resolving: stack.keys),
      obscuringFactor: obscuringFactor(
        openerPaymentBasepoint: opens ? payment : otherPayment,
        acceptorPaymentBasepoint: opens ? otherPayment : payment))
    // Balances are what is left beside the contracts.
    var state = CommitmentState(
      stack: stack,
      balances: Balances(local: MilliSatoshi(.max / 2), remote: MilliSatoshi(.max / 2)),
      ledgers: stack.makeLedgers(), feeRate: context.feeRate)
    for (position, slot) in stack.extensions.enumerated() {
      if slot.id == HTLCExtension.id {
        for htlc in try input.records("htlcs") {
          try state.apply(
            .extension(
              position,
              AnyUpdate(
                .add(
                  id: try htlc.number("id"), amount: MilliSatoshi(try htlc.number("amount_msat")),
                  paymentHash: PaymentHash(sha256(try htlc.bytes32("preimage").bytes)),
                  cltvExpiry: UInt32(try htlc.number("expiry")), onion: [], extra: TLVStream()),
                of: HTLCExtension.self)), by: try Self.author(htlc))
        }
      } else if slot.id == PTLCExtension.id {
        for ptlc in try input.records("ptlcs") {
          guard let lock = PaymentScalar(try ptlc.bytes32("secret")).point else { throw Fields.Missing(name: "secret") }
          try state.apply(
            .extension(
              position,
              AnyUpdate(
                .add(
                  id: try ptlc.number("id"), amount: MilliSatoshi(try ptlc.number("amount_msat")), lock: lock,
                  expiry: UInt32(try ptlc.number("expiry")), onion: [], extra: TLVStream()), of: PTLCExtension.self)),
            by: try Self.author(ptlc))
        }
      }
    }
    commitment = try stack.commitment(
      context,
      balances: Balances(
        local: MilliSatoshi(try input.number("holder_msat")),
        remote: MilliSatoshi(try input.number("counterparty_msat"))),
      ledgers: state.ledgers)
  }

  private static func author(_ contract: Fields) throws -> Party {
    try contract.string("offered_by") == "holder" ? .local : .remote
  }

  static func kind(_ tag: OutputTag) -> (kind: String, id: UInt64?) {
    switch tag {
    case .balance(of: .holder): ("to_local", nil)
    case .balance(of: .counterparty): ("to_remote", nil)
    case let tag where tag.owner == HTLCExtension.id:
      (tag.index & 1 == 0 ? "offered_htlc" : "received_htlc", tag.index >> 1)
    case let tag where tag.owner == PTLCExtension.id:
      (tag.index & 1 == 0 ? "offered_ptlc" : "received_ptlc", tag.index >> 1)
    default: ("anchor", nil)
    }
  }

  /// Internal key, leaves and address of a taproot output.
  static func describe(_ output: DraftOutput) -> JSONObject {
    let (kind, id) = kind(output.tag)
    var object: JSONObject = ["kind": .string(kind)]
    if let id { object["id"] = .int(id) }
    object["amount_sat"] = .int(output.value.rawValue)
    object["script_pubkey"] = .hex(output.lock.scriptPubKey.bytes)
    if let address = Address(scriptPubKey: output.lock.scriptPubKey, on: .bitcoin) {
      object["address"] = .string("\(address)")
    }
    guard case .taproot(let taproot) = output.lock.reveal else { return object }
    object["internal_key"] = .hex(taproot.internalKey)
    object["leaves"] = .array(
      taproot.paths.map {
        ["script": .hex($0.leaf.script.bytes), "control_block": .hex(taproot.controlBlock(for: $0).encoded)]
      })
    return object
  }
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

extension OwnVectors {
  private static func secrets(_ side: String) -> JSONValue {
    var object: JSONObject = [:]
    for name in ["funding", "revocation", "payment", "delayed_payment", "htlc", "ptlc"] {
      object[name] = .hex(bytes("\(side)'s \(name)"))
    }
    return .object(object)
  }

  private static func contract(_ kind: String, _ id: UInt64, by side: String, _ amount: UInt64, _ expiry: UInt64)
    -> JSONValue
  {
    [
      "id": .int(id), "offered_by": .string(side), "amount_msat": .int(amount), "expiry": .int(expiry),
      kind == "ptlc" ? "secret" : "preimage": .hex(bytes("\(kind) \(id) by \(side)")),
    ]
  }

  private static func input(_ stack: PTLCStack, htlcs: [JSONValue], ptlcs: [JSONValue]) -> JSONObject {
    [
      "stack": .string(stack.rawValue), "opener": "holder", "number": 42,
      "funding_txid_internal": .hex(bytes("funding")), "funding_output_index": 1, "funding_amount_sat": 10_000_000,
      "dust_limit_sat": 354, "to_self_delay": 144, "feerate_per_kw": stack.paysNoFee ? 0 : 2500,
      "holder_msat": 5_000_000_000, "counterparty_msat": 3_000_000_000, "holder_secrets": secrets("holder"),
      "counterparty_secrets": secrets("counterparty"),
      "per_commitment_secret": .hex(bytes("per-commitment secret")),
      "holder_nonce_randomness": .hex(bytes("the holder's nonce")), "htlcs": .array(htlcs), "ptlcs": .array(ptlcs),
    ]
  }

  static let ptlcOutputs = OwnVectors(
    name: "ptlc-outputs",
    inputs: {
      PTLCStack.allCases.filter { !$0.isMixed || $0.paysNoFee }.flatMap { stack in
        ["holder", "counterparty"].map { side in
          (
            "\(stack.scheme.name), offered by the \(side)\(stack.paysNoFee ? ", version 3" : "")",
            input(stack, htlcs: [], ptlcs: [contract("ptlc", 7, by: side, 123_456_789, 800_000)])
          )
        }
      }
    },
    output: { input in
      let made = try VectorCommitment(input)
      let keys = made.commitment.context.keys
      guard let sealed = made.commitment.outputs.first(where: { $0.output.tag.owner == PTLCExtension.id }),
        let secret = PaymentScalar(try input.records("ptlcs")[0].bytes32("secret")).point
      else { throw Fields.Missing(name: "an output") }
      func key(_ role: KeyRole, _ side: Side) throws -> JSONValue { .hex(try keys(KeyRef(role, side))) }
      let role = KeyRole(.ptlc, .perCommitment)
      return [
        "point": .hex(secret.point), "point_tweak": .hex(pointTweak(secret.point)),
        "holder_ptlc_key": try key(role, .holder), "counterparty_ptlc_key": try key(role, .counterparty),
        "revocation_key": try key(.revocation, .counterparty),
        "output": .object(VectorCommitment.describe(sealed.output)),
      ]
    })

  static let commitments = OwnVectors(
    name: "commitments",
    inputs: {
      let htlcs = [
        contract("htlc", 0, by: "holder", 50_000_000, 700_000),
        contract("htlc", 0, by: "counterparty", 60_000_000, 700_010),
        contract("htlc", 1, by: "counterparty", 300_000, 700_020),
      ]
      let ptlcs = [
        contract("ptlc", 0, by: "holder", 70_000_000, 700_030), contract("ptlc", 1, by: "holder", 70_000_000, 700_030),
        contract("ptlc", 0, by: "counterparty", 80_000_000, 700_040),
        contract("ptlc", 1, by: "counterparty", 353_999, 700_040),
      ]
      return PTLCStack.allCases.map { stack in
        (
          "\(stack.scheme.name)\(stack.isMixed ? " beside HTLCs" : "")\(stack.paysNoFee ? ", version 3" : "")",
          input(stack, htlcs: stack.isMixed ? htlcs : [], ptlcs: ptlcs)
        )
      }
    },
    output: { input in
      let made = try VectorCommitment(input)
      let commitment = made.commitment
      let randomness = try input.bytes32("holder_nonce_randomness")
      func holderNonce() throws -> MuSigSecretNonce {
        try MuSigSecretNonce(
          sessionSecret: randomness.bytes,
          signer: KeyPair(try SecretKey(try input.fields("holder_secrets").bytes32("funding"))))
      }
      let publicNonce = try holderNonce().publicNonce
      let pairNonces = try commitment.pairNonces(asCounterparty: made.counterparty)
      let presignatures = try commitment.presign(asHolder: made.holder, nonces: pairNonces)
      try commitment.verifyPresignatures(presignatures, nonces: pairNonces)
      let signatures = try commitment.sign(
        asCounterparty: made.counterparty, nonce: publicNonce, presignatures: presignatures)
      try commitment.verify(signatures, nonce: publicNonce, presignatures: presignatures)
      let signed = try commitment.signedTransaction(
        asHolder: made.holder, with: signatures, nonce: try holderNonce())
      try ScriptVerifier.verify(
        input: 0, of: signed,
        spending: [TxOutput(value: commitment.context.capacity, scriptPubKey: commitment.fundingLock.scriptPubKey)],
        flags: .standard)
      return [
        "txid": .string("\(commitment.txid)"), "tx": .hex(commitment.transaction.encoded),
        "outputs": .array(commitment.outputs.map { .object(VectorCommitment.describe($0.output)) }),
        "holder_nonce": .hex(publicNonce), "funding_sighash": .hex(try commitment.fundingSighash(.default).raw),
        "counterparty_pair_nonces": .array(pairNonces.map { .hex($0) }),
        "presignatures": .array(presignatures.map(\.json)), "funding_partial_signature": signatures.funding.json,
        "signatures": .array(signatures.children.map(\.json)), "signed_tx": .hex(signed.encoded(withWitness: true)),
        "second_stage": .array(try secondStages(made, presignatures, signatures, input)),
      ]
    })

  /// Each second stage: what is signed, and the transaction as its taker can broadcast it.
  private static func secondStages(
    _ made: VectorCommitment, _ presignatures: [CounterSignature], _ signatures: CommitmentSignatures, _ input: Fields
  ) throws -> [JSONValue] {
    var secrets: [SecretID: [UInt8]] = [:]
    for htlc in try input.records("htlcs") {
      let preimage = try htlc.bytes32("preimage")
      secrets[SecretID(kind: .sha256, value: sha256(preimage.bytes))] = preimage.array
    }
    for ptlc in try input.records("ptlcs") {
      let scalar = PaymentScalar(try ptlc.bytes32("secret"))
      if let id = scalar.point?.secretID { secrets[id] = scalar.raw.array }
    }
    let commitment = made.commitment
    var found: [JSONValue] = []
    let ready = commitment.handedOver(presignatures, signatures.children)
    let stages = commitment.secondStage(of: .holder) + commitment.secondStage(of: .counterparty)
    for (vout, (sealed, ready)) in zip(commitment.outputs, ready).enumerated() {
      for (path, counterSignature) in zip(sealed.output.paths, ready) {
        guard case .presigned(let template) = path.execution, let counterSignature else { continue }
        guard let child = stages.first(where: { $0.parent.outPoint == sealed.outPoint && $0.path == path }) else {
          throw Fields.Missing(name: "a second stage")
        }
        let opener = PathOpener(
          path.spender == .holder ? made.holder : made.counterparty, side: path.spender, keys: commitment.context.keys)
        var transaction = child.transaction
        transaction.inputs[0].witness = try opener.witness(
          path.witness, lock: sealed.output.lock, counterSignature: counterSignature,
          secret: path.conditions.secret.flatMap { secrets[$0] }
        ) { (type) throws(SighashError) in
          do throws(SignatureError) { return try child.sighash(type) } catch {
            guard case .sighash(let reason) = error else { throw .invalidType(type.rawValue) }
            throw reason
          }
        }
        try ScriptVerifier.verify(
          input: 0, of: transaction,
          spending: [TxOutput(value: sealed.output.value, scriptPubKey: sealed.output.lock.scriptPubKey)],
          flags: .standard)
        let slot = template.counterSignature
        var object: JSONObject = [
          "output": .int(vout), "path": .string(path.name), "taker": .string("\(path.spender)"),
          "signed_by": .string(slot.isPaired ? "both" : "\(slot.key.side)"),
        ]
        if let point = slot.point { object["point"] = .hex(point) }
        object["sighash_type"] = .int(slot.sighashType.rawValue)
        object["sighash"] = .hex(try child.sighash(slot.sighashType).raw)
        if slot.isPaired { object["presignature"] = counterSignature.json }
        object["signed_tx"] = .hex(transaction.encoded(withWitness: true))
        found.append(.object(object))
      }
    }
    return found
  }
}
