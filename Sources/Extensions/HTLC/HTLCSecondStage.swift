internal import Bitcoin
internal import Encoding
internal import GLC
internal import Hashing

/// HTLC-timeout and HTLC-success transactions, and the paths around them (BOLT 3 §HTLC-Timeout and HTLC-Success Transactions).
struct HTLCSecondStage {
  private let format: HTLCExtension.Format
  private let version: UInt32
  /// Of the output.
  private let delay: UInt16
  private let script: Script
  private let outputProgram: FixedBytes<34>
  private let timeoutFee: Satoshi
  private let successFee: Satoshi

  init(_ context: CommitmentContext, _ format: HTLCExtension.Format, version: UInt32) throws(DraftError) {
    self.format = format
    self.version = version
    delay = context.contestDelay
    script = try DelayedOutput.script(context)
    var program = FixedByteWriter<34>()
    program.write(0x00 as UInt8)
    program.write(0x20 as UInt8)
    program.write(sha256(script.bytes))
    outputProgram = program.padded
    timeoutFee = format.childFee(context.feeRate, format.timeoutWeight)
    successFee = format.childFee(context.feeRate, format.successWeight)
  }

  private var age: UInt16? { format.delaysOneBlock ? 1 : nil }
  private var counterSignature: SignatureSlot { .ecdsa(HTLCExtension.counterpartyKey, format.counterpartySighash) }
  private var signatures: [WitnessElement] {
    [.literal([]), .counterSignature(counterSignature), .signature(HTLCExtension.holderKey, .all)]
  }

  func offeredPaths(_ entry: HTLCEntry, scriptByteCount: Int) -> [SpendPath] {
    [
      revocation(scriptByteCount),
      SpendPath(
        "timeout", by: .holder, when: SpendConditions(height: entry.cltvExpiry, age: age),
        witness: signatures + [.literal([]), .witnessScript],
        execution: .presigned(template(entry, isOffered: true))),
      SpendPath(
        "success", by: .counterparty, when: SpendConditions(age: age, secret: entry.secretID),
        witness: Self.counterpartySuccess,
        execution: .free(witnessWeight: Weight(UInt64(1 + 74 + 33 + 1 + scriptByteCount)))),
    ]
  }

  func receivedPaths(_ entry: HTLCEntry, scriptByteCount: Int) -> [SpendPath] {
    [
      revocation(scriptByteCount),
      SpendPath(
        "success", by: .holder, when: SpendConditions(age: age, secret: entry.secretID),
        witness: signatures + [.secret, .witnessScript],
        execution: .presigned(template(entry, isOffered: false))),
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

  // BOLT 3: `txin[0]` sequence: `0` (set to `1` for `option_anchors`).
  private var sequence: UInt32 { format.delaysOneBlock ? 1 : 0 }

  /// What is left behind the fee. An output that survived trimming is worth more than the fee of its second stage.
  private func value(_ entry: HTLCEntry, isOffered: Bool) -> Satoshi {
    entry.amount.satoshiRoundedDown.subtracting(isOffered ? timeoutFee : successFee) ?? .zero
  }

  private func template(_ entry: HTLCEntry, isOffered: Bool) -> ChildTemplate {
    ChildTemplate(
      version: version, lockTime: isOffered ? entry.cltvExpiry : 0, sequence: sequence,
      counterSignature: counterSignature,
      outputs: [
        ChildOutput(
          value: value(entry, isOffered: isOffered), lock: .witnessScript(script),
          paths: DelayedOutput.paths(delay: delay, scriptByteCount: script.count))
      ],
      expectedWeight: isOffered ? format.timeoutWeight : format.successWeight)
  }

  func sketch(_ entry: HTLCEntry, isOffered: Bool) -> SecondStageSketch {
    SecondStageSketch(
      version: version, lockTime: isOffered ? entry.cltvExpiry : 0, sequence: sequence,
      counterSignature: counterSignature, value: value(entry, isOffered: isOffered), scriptPubKey: outputProgram)
  }
}
