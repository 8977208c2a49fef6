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
    guard draft.scripts == .witnessScript else {
      return try contributeTaproot(ledger, format, timeoutFee: timeoutFee, successFee: successFee, to: &draft)
    }
    let scripts = try HTLCScripts(context, format)
    let child = try HTLCSecondStage(context, format, version: draft.version)
    let family = draft.open(
      HTLCOutputs(holder: context.holder, entries: ledger.entries, scripts: scripts, child: child),
      expectedCount: ledger.entries.count)
    for (member, entry) in ledger.entries.enumerated() {
      let value = entry.amount.satoshiRoundedDown
      let isOffered = entry.offeredBy == context.holder
      guard draft.isUntrimmed(value, claimFee: isOffered ? timeoutFee : successFee) else { continue }
      draft.add(
        member, of: family, tag: entry.tag, value: value, scriptHash: scripts.hash(entry, isOffered: isOffered),
        tieBreak: entry.cltvExpiry)
    }
  }

  private func contributeTaproot(
    _ ledger: HTLCLedger, _ format: Format, timeoutFee: Satoshi, successFee: Satoshi, to draft: inout CommitmentDraft
  ) throws(DraftError) {
    let context = draft.context
    let untrimmed = ledger.entries.indices.filter { member in
      let entry = ledger.entries[member]
      return draft.isUntrimmed(
        entry.amount.satoshiRoundedDown, claimFee: entry.offeredBy == context.holder ? timeoutFee : successFee)
    }
    let outputs = try HTLCTapOutputs(
      context, format, version: draft.version, entries: ledger.entries, in: draft.scripts)
    // Each costs an operation on the curve.
    let keys = try Workers.all.map(untrimmed.count, smallestPiece: 8) { (range) throws(DraftError) -> [Bytes32] in
      var keys: [Bytes32] = []
      keys.reserveCapacity(range.count)
      for position in range { keys.append(try outputs.outputKey(of: untrimmed[position])) }
      return keys
    }
    let family = draft.open(outputs, expectedCount: untrimmed.count)
    for (member, key) in zip(untrimmed, keys) {
      let entry = ledger.entries[member]
      draft.add(
        member, of: family, tag: entry.tag, value: entry.amount.satoshiRoundedDown, outputKey: key,
        tieBreak: entry.cltvExpiry)
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
