internal import Bitcoin
public import GLC

extension PTLCExtension {
  /// 43 bytes for each output, as for HTLCs.
  private static let outputWeight: UInt64 = 172

  public func summary(_ ledger: PTLCLedger, _ parameters: Parameters, _ trim: TrimContext) -> ContractSummary {
    var count = 0
    var trimmed = MilliSatoshi.zero
    for entry in ledger.entries {
      // Second stages pay no fee of their own.
      if trim.isUntrimmed(entry.amount.satoshiRoundedDown) {
        count += 1
      } else {
        trimmed = trimmed.adding(entry.amount) ?? trimmed
      }
    }
    return ContractSummary(
      outputWeight: Weight(Self.outputWeight * UInt64(count)), outputCount: count, trimmed: trimmed)
  }

  public func contribute(
    _ ledger: PTLCLedger, _ parameters: Parameters, to draft: inout CommitmentDraft
  ) throws(DraftError) {
    let entries = ledger.entries.filter { draft.isUntrimmed($0.amount.satoshiRoundedDown) }
    guard !entries.isEmpty else { return }
    guard case .taproot = draft.scripts else { throw .refused(Self.id, "PTLCs need taproot outputs") }
    let contracts = try PTLCContracts(draft, parameters)
    guard parameters.scheme == .singleSigner else {
      for entry in entries {
        let (lock, paths) = try contracts.contract(entry).make(draft.context.keys)
        draft.add(
          DraftOutput(
            tag: entry.tag, value: entry.amount.satoshiRoundedDown, lock: lock, paths: paths, tieBreak: entry.expiry))
      }
      return
    }
    let outputs = try PTLCOutputs(contracts, entries)
    let family = draft.open(outputs, expectedCount: entries.count)
    for (member, entry) in entries.enumerated() {
      draft.add(
        member, of: family, tag: entry.tag, value: entry.amount.satoshiRoundedDown,
        outputKey: outputs.outputKey(of: member), tieBreak: entry.expiry)
    }
  }
}
