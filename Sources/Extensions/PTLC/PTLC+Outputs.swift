internal import Bitcoin
internal import Encoding
public import GLC
internal import Secp256k1

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
    guard !ledger.entries.isEmpty else { return }
    guard case .taproot = draft.scripts else { throw .refused(Self.id, "PTLCs need taproot outputs") }
    let outputs = try Outputs(draft, parameters)
    for entry in ledger.entries where draft.isUntrimmed(entry.amount.satoshiRoundedDown) {
      let (lock, paths) = try outputs.contract(entry).make(draft.context.keys)
      draft.add(
        DraftOutput(
          tag: entry.tag, value: entry.amount.satoshiRoundedDown, lock: lock, paths: paths, tieBreak: entry.expiry))
    }
  }

  /// What the PTLC outputs of one commitment have in common.
  private struct Outputs {
    let context: CommitmentContext
    let version: UInt32
    let parameters: Parameters
    let delayed: (lock: OutputLock, paths: [SpendPath])
    let payout: (lock: OutputLock, paths: [SpendPath])

    init(_ draft: CommitmentDraft, _ parameters: Parameters) throws(DraftError) {
      context = draft.context
      version = draft.version
      self.parameters = parameters
      delayed = try DelayedOutput.make(draft.context, in: draft.scripts)
      payout = try TapContract(
        keyPath: .key(PTLCExtension.payoutKey, name: "payout", when: .none), branches: []
      ).make(draft.context.keys)
    }

    /// `<1> OP_CHECKSEQUENCEVERIFY` at the end of each leaf.
    private var wait: [TapBranch.Check] { parameters.delaysOneBlock ? [.age(1)] : [] }
    private var sighash: SighashType { .singleAnyoneCanPay }

    func contract(_ entry: PTLCEntry) -> TapContract {
      let isOffered = entry.offeredBy == context.holder
      switch parameters.scheme {
      case .singleSigner:
        return TapContract(
          keyPath: .key(DelayedOutput.revocationKey, name: "revoke", when: SpendConditions(revoked: true)),
          branches: [timeout(entry, isOffered), success(entry, isOffered)])
      case .musig2:
        // Both have signed beforehand what the receiver takes it with. The same hash type for both: fees can be added, by whom ever.
        return TapContract(
          keyPath: .together(
            .init(
              "success", by: isOffered ? .counterparty : .holder, PTLCExtension.holderKey.role, sighash,
              upTo: entry.lock.point, child: child(entry, isOffered ? payout : delayed, lockTime: 0))),
          // <revocationpubkey> OP_CHECKSIG
          branches: [
            timeout(entry, isOffered),
            TapBranch("revoke", by: .counterparty, [.signature(DelayedOutput.revocationKey)]),
          ])
      }
    }

    private func child(
      _ entry: PTLCEntry, _ to: (lock: OutputLock, paths: [SpendPath]), lockTime: UInt32
    ) -> TapBranch.Child {
      TapBranch.Child(
        version: version, lockTime: lockTime, sequence: parameters.delaysOneBlock ? 1 : 0,
        outputs: [ChildOutput(value: entry.amount.satoshiRoundedDown, lock: to.lock, paths: to.paths)])
    }

    private func timeout(_ entry: PTLCEntry, _ isOffered: Bool) -> TapBranch {
      guard isOffered else {
        return TapBranch(
          "timeout", by: .counterparty,
          [.signature(PTLCExtension.counterpartyKey)] + wait + [.height(entry.expiry)])
      }
      // Funds go back to the holder by a second-stage transaction, which the counterparty has signed:
      // <remote_ptlcpubkey> OP_CHECKSIGVERIFY <local_ptlcpubkey> OP_CHECKSIGVERIFY 1 OP_CHECKSEQUENCEVERIFY
      return TapBranch(
        "timeout", by: .holder,
        [.counterSignature(.schnorr(PTLCExtension.counterpartyKey, sighash)), .signature(PTLCExtension.holderKey)]
          + wait,
        child: child(entry, delayed, lockTime: entry.expiry))
    }

    private func success(_ entry: PTLCEntry, _ isOffered: Bool) -> TapBranch {
      // The key of the adaptor signature is bound to the point.
      if isOffered {
        // Funds go to the counterparty by a transaction that completes the holder's adaptor signature:
        // <local_ptlcpubkey> OP_CHECKSIGVERIFY <remote_ptlcpubkey> OP_CHECKSIGVERIFY 1 OP_CHECKSEQUENCEVERIFY
        return TapBranch(
          "success", by: .counterparty,
          [
            .counterSignature(.adaptor(PTLCExtension.holderKey, sighash, point: entry.lock.point)),
            .signature(PTLCExtension.counterpartyKey),
          ] + wait, child: child(entry, payout, lockTime: 0))
      }
      return TapBranch(
        "success", by: .holder,
        [
          .counterSignature(.adaptor(PTLCExtension.counterpartyKey, sighash, point: entry.lock.point)),
          .signature(PTLCExtension.holderKey),
        ] + wait, child: child(entry, delayed, lockTime: 0))
    }
  }
}
