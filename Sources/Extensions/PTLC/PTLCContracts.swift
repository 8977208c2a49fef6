internal import Bitcoin
internal import GLC

/// What the PTLC outputs of one commitment have in common, and each of them at length.
struct PTLCContracts {
  typealias Parameters = PTLCExtension.Parameters

  let context: CommitmentContext
  let version: UInt32
  let parameters: Parameters
  /// What the holder takes goes here.
  let delayed: (lock: OutputLock, paths: [SpendPath])
  /// … and what the counterparty takes by a transaction that is signed beforehand, here.
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
  var sequence: UInt32 { parameters.delaysOneBlock ? 1 : 0 }

  func isOffered(_ entry: PTLCEntry) -> Bool { entry.offeredBy == context.holder }

  /// The counterparty's signature for what the holder takes back.
  var timeoutSlot: SignatureSlot { .schnorr(PTLCExtension.counterpartyKey, sighash) }

  /// The pre-signature of whoever has offered it, whose key is bound to the point.
  func successSlot(_ entry: PTLCEntry) -> SignatureSlot {
    .adaptor(
      isOffered(entry) ? PTLCExtension.holderKey : PTLCExtension.counterpartyKey, sighash, point: entry.lock.point)
  }

  func contract(_ entry: PTLCEntry) -> TapContract {
    let isOffered = isOffered(entry)
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
      version: version, lockTime: lockTime, sequence: sequence,
      outputs: [ChildOutput(value: entry.amount.satoshiRoundedDown, lock: to.lock, paths: to.paths)])
  }

  private func timeout(_ entry: PTLCEntry, _ isOffered: Bool) -> TapBranch {
    guard isOffered else {
      // <remote_ptlcpubkey> OP_CHECKSIGVERIFY 1 OP_CHECKSEQUENCEVERIFY OP_VERIFY <expiry> OP_CHECKLOCKTIMEVERIFY
      return TapBranch(
        "timeout", by: .counterparty, [.signature(PTLCExtension.counterpartyKey)] + wait + [.height(entry.expiry)])
    }
    // Funds go back to the holder by a second-stage transaction, which the counterparty has signed:
    // <remote_ptlcpubkey> OP_CHECKSIGVERIFY <local_ptlcpubkey> OP_CHECKSIGVERIFY 1 OP_CHECKSEQUENCEVERIFY
    return TapBranch(
      "timeout", by: .holder, [.counterSignature(timeoutSlot), .signature(PTLCExtension.holderKey)] + wait,
      child: child(entry, delayed, lockTime: entry.expiry))
  }

  private func success(_ entry: PTLCEntry, _ isOffered: Bool) -> TapBranch {
    // Of what the holder has offered, funds go to the counterparty by a transaction that completes the holder's adaptor signature:
    // <bound local_ptlcpubkey> OP_CHECKSIGVERIFY <remote_ptlcpubkey> OP_CHECKSIGVERIFY 1 OP_CHECKSEQUENCEVERIFY
    let receiver = isOffered ? PTLCExtension.counterpartyKey : PTLCExtension.holderKey
    return TapBranch(
      "success", by: receiver.side, [.counterSignature(successSlot(entry)), .signature(receiver)] + wait,
      child: child(entry, isOffered ? payout : delayed, lockTime: 0))
  }
}
