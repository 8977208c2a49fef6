internal import Bitcoin
internal import Encoding
public import GLC
internal import Hashing
internal import Secp256k1

extension HTLCExtension {
  /// BOLT 3 §Commitment Transaction Construction: for every HTLC, if it is not trimmed, add an output.
  public func contribute(
    _ ledger: HTLCLedger, _ parameters: Parameters, to draft: inout CommitmentDraft
  ) throws(DraftError) {
    guard !ledger.entries.isEmpty else { return }
    let format = parameters.format
    let context = draft.context
    let timeoutFee = format.childFee(context.feeRate, format.timeoutWeight)
    let successFee = format.childFee(context.feeRate, format.successWeight)
    let scripts = try HTLCScripts(context, format)
    let child = try HTLCSecondStage(context, format, version: draft.version)
    for entry in ledger.entries {
      let value = entry.amount.satoshiRoundedDown
      let isOffered = entry.offeredBy == context.holder
      let fee = isOffered ? timeoutFee : successFee
      guard draft.isUntrimmed(value, claimFee: fee) else { continue }
      let script = isOffered ? scripts.offered(entry) : scripts.received(entry)
      draft.add(
        DraftOutput(
          tag: entry.tag, value: value, lock: .witnessScript(script),
          paths: isOffered
            ? child.offeredPaths(entry, value: value, fee: fee, scriptByteCount: script.count)
            : child.receivedPaths(entry, value: value, fee: fee, scriptByteCount: script.count),
          tieBreak: entry.cltvExpiry))
    }
  }

  public func summary(
    _ ledger: HTLCLedger, _ parameters: Parameters, _ trim: TrimContext
  ) -> ContractSummary {
    let format = parameters.format
    let timeoutFee = format.childFee(trim.feeRate, format.timeoutWeight)
    let successFee = format.childFee(trim.feeRate, format.successWeight)
    var count = 0
    var trimmed = MilliSatoshi.zero
    for entry in ledger.entries {
      let fee = entry.offeredBy == trim.holder ? timeoutFee : successFee
      if trim.isUntrimmed(entry.amount.satoshiRoundedDown, claimFee: fee) {
        count += 1
      } else {
        trimmed = trimmed.adding(entry.amount) ?? trimmed
      }
    }
    // BOLT 3: for each committed HTLC, if that output is not trimmed, add 172 to `weight`.
    return ContractSummary(outputWeight: Weight(172 * UInt64(count)), outputCount: count, trimmed: trimmed)
  }

  /// A preimage in the witness of a spend is what the payment's sender has been waiting for.
  public func learn(from witness: [[UInt8]], spending tag: OutputTag, in ledger: HTLCLedger) -> [SecretID: [UInt8]] {
    guard let entry = ledger.entries.first(where: { $0.tag == tag }) else { return [:] }
    for element in witness where element.count == 32 && sha256(element) == entry.paymentHash.raw {
      return [SecretID(kind: .sha256, value: entry.paymentHash.raw): element]
    }
    return [:]
  }
}

/// The witness scripts of one commitment's HTLC outputs: they differ in the payment hash and, when received, in the expiry.
struct HTLCScripts {
  private let offeredPrefix: [UInt8]
  private let receivedPrefix: [UInt8]
  private let receivedMiddle: [UInt8]
  private let suffix: [UInt8]

  init(_ context: CommitmentContext, _ format: HTLCExtension.Format) throws(DraftError) {
    let revocationKey = try context.keys(DelayedOutput.revocationKey)
    let holderKey = try context.keys(HTLCExtension.holderKey)
    let counterpartyKey = try context.keys(HTLCExtension.counterpartyKey)
    // OP_DUP OP_HASH160 <RIPEMD160(SHA256(revocationpubkey))> OP_EQUAL OP_IF OP_CHECKSIG OP_ELSE <remote_htlcpubkey> OP_SWAP
    // OP_SIZE 32 OP_EQUAL
    let common = Script {
      $0.append(.dup)
      $0.append(.hash160)
      $0.append(push: hash160(revocationKey.bytes))
      $0.append(.equal)
      $0.append(.if)
      $0.append(.checkSig)
      $0.append(.else)
      $0.append(push: counterpartyKey)
      $0.append(.swap)
      $0.append(.size)
      $0.append(number: 32)
      $0.append(.equal)
    }
    var offered = common
    offered.append(.notIf)
    // To local node via HTLC-timeout transaction: OP_DROP 2 OP_SWAP <local_htlcpubkey> 2 OP_CHECKMULTISIG
    offered.append(.drop)
    offered.append(.op2)
    offered.append(.swap)
    offered.append(push: holderKey)
    offered.append(.op2)
    offered.append(.checkMultiSig)
    offered.append(.else)
    // To remote node with preimage: OP_HASH160 <RIPEMD160(payment_hash)> OP_EQUALVERIFY OP_CHECKSIG
    offered.append(.hash160)
    offeredPrefix = offered.bytes + [20]

    var received = common
    received.append(.if)
    // To local node via HTLC-success transaction: OP_HASH160 <RIPEMD160(payment_hash)> OP_EQUALVERIFY
    // 2 OP_SWAP <local_htlcpubkey> 2 OP_CHECKMULTISIG
    received.append(.hash160)
    receivedPrefix = received.bytes + [20]
    var middle = Script()
    middle.append(.equalVerify)
    middle.append(.op2)
    middle.append(.swap)
    middle.append(push: holderKey)
    middle.append(.op2)
    middle.append(.checkMultiSig)
    middle.append(.else)
    // To remote node after timeout: OP_DROP <cltv_expiry> OP_CHECKLOCKTIMEVERIFY OP_DROP OP_CHECKSIG
    middle.append(.drop)
    receivedMiddle = middle.bytes

    var end = Script()
    end.append(.endIf)
    if format.delaysOneBlock {
      end.append(.op1)
      end.append(.checkSequenceVerify)
      end.append(.drop)
    }
    end.append(.endIf)
    suffix = end.bytes
  }

  func offered(_ entry: HTLCEntry) -> Script {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(140)
    bytes.append(contentsOf: offeredPrefix)
    for index in 0..<20 { bytes.append(entry.scriptHash[index]) }
    bytes.append(Opcode.equalVerify.rawValue)
    bytes.append(Opcode.checkSig.rawValue)
    bytes.append(contentsOf: suffix)
    return Script(bytes)
  }

  func received(_ entry: HTLCEntry) -> Script {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(144)
    bytes.append(contentsOf: receivedPrefix)
    for index in 0..<20 { bytes.append(entry.scriptHash[index]) }
    bytes.append(contentsOf: receivedMiddle)
    var script = Script(bytes)
    script.append(number: Int64(entry.cltvExpiry))
    script.append(.checkLockTimeVerify)
    script.append(.drop)
    script.append(.checkSig)
    script.bytes.append(contentsOf: suffix)
    return script
  }
}

/// HTLC-timeout and HTLC-success transactions, and the paths around them (BOLT 3 §HTLC-Timeout and HTLC-Success Transactions).
struct HTLCSecondStage {
  let format: HTLCExtension.Format
  let version: UInt32
  let outputLock: OutputLock
  let outputPaths: [SpendPath]
  private let age: UInt16?
  private let presignedWitness: (timeout: [WitnessElement], success: [WitnessElement])
  private let counterSignature: SignatureSlot

  init(_ context: CommitmentContext, _ format: HTLCExtension.Format, version: UInt32) throws(DraftError) {
    self.format = format
    self.version = version
    (outputLock, outputPaths) = try DelayedOutput.make(context)
    age = format.delaysOneBlock ? 1 : nil
    counterSignature = .ecdsa(HTLCExtension.counterpartyKey, format.counterpartySighash)
    let signatures: [WitnessElement] = [
      .literal([]), .counterSignature(counterSignature), .signature(HTLCExtension.holderKey, .all),
    ]
    presignedWitness = (signatures + [.literal([]), .witnessScript], signatures + [.secret, .witnessScript])
  }

  func offeredPaths(_ entry: HTLCEntry, value: Satoshi, fee: Satoshi, scriptByteCount: Int) -> [SpendPath] {
    [
      revocation(scriptByteCount),
      SpendPath(
        "timeout", by: .holder, when: SpendConditions(height: entry.cltvExpiry, age: age),
        witness: presignedWitness.timeout,
        execution: .presigned(
          child(lockTime: entry.cltvExpiry, value: value, fee: fee, weight: format.timeoutWeight))),
      SpendPath(
        "success", by: .counterparty, when: SpendConditions(age: age, secret: entry.secretID),
        witness: Self.counterpartySuccess,
        execution: .free(witnessWeight: Weight(UInt64(1 + 74 + 33 + 1 + scriptByteCount)))),
    ]
  }

  func receivedPaths(_ entry: HTLCEntry, value: Satoshi, fee: Satoshi, scriptByteCount: Int) -> [SpendPath] {
    [
      revocation(scriptByteCount),
      SpendPath(
        "success", by: .holder, when: SpendConditions(age: age, secret: entry.secretID),
        witness: presignedWitness.success,
        execution: .presigned(child(lockTime: 0, value: value, fee: fee, weight: format.successWeight))),
      SpendPath(
        "timeout", by: .counterparty, when: SpendConditions(height: entry.cltvExpiry, age: age),
        witness: Self.counterpartyTimeout,
        execution: .free(witnessWeight: Weight(UInt64(1 + 74 + 1 + 1 + scriptByteCount)))),
    ]
  }

  private static let counterpartySuccess: [WitnessElement] = [
    .signature(HTLCExtension.counterpartyKey, .all), .secret, .witnessScript,
  ]
  private static let counterpartyTimeout: [WitnessElement] = [
    .signature(HTLCExtension.counterpartyKey, .all), .literal([]), .witnessScript,
  ]
  private static let revocationWitness: [WitnessElement] = [
    .signature(DelayedOutput.revocationKey, .all), .publicKey(DelayedOutput.revocationKey), .witnessScript,
  ]

  private func revocation(_ scriptByteCount: Int) -> SpendPath {
    SpendPath(
      "revoke", by: .counterparty, when: SpendConditions(revoked: true), witness: Self.revocationWitness,
      execution: .free(witnessWeight: Weight(UInt64(1 + 74 + 34 + 1 + scriptByteCount))))
  }

  private func child(lockTime: UInt32, value: Satoshi, fee: Satoshi, weight: Weight) -> ChildTemplate {
    ChildTemplate(
      version: version, lockTime: lockTime,
      // BOLT 3: `txin[0]` sequence: `0` (set to `1` for `option_anchors`).
      sequence: format.delaysOneBlock ? 1 : 0, counterSignature: counterSignature,
      // An output that survived trimming is worth more than the fee of its second stage.
      outputs: [ChildOutput(value: value.subtracting(fee) ?? .zero, lock: outputLock, paths: outputPaths)],
      expectedWeight: weight)
  }
}

extension HTLCEntry {
  var secretID: SecretID { SecretID(kind: .sha256, value: paymentHash.raw) }
}
