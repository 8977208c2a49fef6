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
