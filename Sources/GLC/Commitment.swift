public import Bitcoin
internal import Encoding
internal import Hashing
public import Secp256k1

/// An output of a commitment whose place is known.
public struct SealedOutput: Sendable {
  public let output: DraftOutput
  public let outPoint: OutPoint

  /// The second-stage transactions of this output, each with the path that it takes.
  public var children: [(path: SpendPath, template: ChildTemplate)] {
    output.paths.compactMap { path in
      if case .presigned(let template) = path.execution { (path, template) } else { nil }
    }
  }
}

/// A commitment transaction: unsigned, in its final order, with every way to spend each of its outputs.
public struct Commitment: Sendable {
  public let context: CommitmentContext
  public let transaction: Transaction
  public let txid: TxID
  /// In the order of the transaction's outputs.
  public let outputs: [SealedOutput]
  public let fundingLock: OutputLock
  /// What the counterparty signs for the funding input, and the witness of that input.
  public let fundingCounterSignature: SignatureSlot
  public let fundingWitness: [WitnessElement]
  /// What goes to the miner.
  public let fee: Satoshi

  /// What the counterparty signs: the hash of the single input. Version 0 funding outputs alone.
  public func fundingSighash(_ type: SighashType = .all) throws(SighashError) -> Sighash {
    guard let scriptCode = fundingLock.scriptCode else { throw .invalidType(type.rawValue) }
    return try transaction.segwitV0Sighash(
      input: 0, scriptCode: scriptCode, amount: context.capacity, type: type, parts: SighashParts(transaction))
  }
}

extension ChannelStack {
  /// Makes the commitment that a state stands for: contracts → trim → fee and reserves → balances → dependents → transforms →
  /// order → seal. `ledgers` are in the order of `extensions`.
  public func commitment(
    _ context: CommitmentContext, balances: Balances, ledgers: [any LedgerSlot]
  ) throws(DraftError) -> Commitment {
    var draft = CommitmentDraft(context: context, balances: balances)
    for slot in extensions { slot.prepare(&draft) }

    draft.phase = .contracts
    for (slot, ledger) in zip(extensions, ledgers) where slot.manifest.phase == .contracts {
      try ledger.contribute(to: &draft)
    }
    try chargeFunder(&draft)
    for phase in [ContributionPhase.balances, .dependents] {
      draft.phase = phase
      for (slot, ledger) in zip(extensions, ledgers) where slot.manifest.phase == phase {
        try ledger.contribute(to: &draft)
      }
    }
    for transform in transforms { transform.transform(&draft) }
    return try seal(draft)
  }

  /// The expected weight of a commitment with these contract outputs: what its fee is counted by.
  public func expectedWeight(contracts: [Weight]) -> Weight {
    Weight(contracts.reduce(baseWeight.rawValue) { $0 + $1.rawValue })
  }

  /// BOLT 3 §Fee Payment: base commitment transaction fees and amounts for anchors are extracted from the funder's amount. A funder
  /// that cannot pay all of it pays what it has: whether a state may get there is for the rules of BOLT 2 to say.
  private func chargeFunder(_ draft: inout CommitmentDraft) throws(DraftError) {
    let context = draft.context
    let weight = expectedWeight(contracts: draft.outputs.map(\.lock.outputWeight))
    guard let fee = context.feeRate.fee(for: weight), let cost = fee.adding(reserve)?.milliSatoshi else {
      throw .amountOutOfRange
    }
    let balance = draft.balances[context.funder]
    do {
      try draft.balances.debit(context.funder, min(cost, balance))
    } catch {
      throw .cannotAfford(cost.satoshiRoundedDown)
    }
  }

  private func seal(_ draft: CommitmentDraft) throws(DraftError) -> Commitment {
    let context = draft.context
    let fundingLock = try funding.lock(context.keys)
    let outputs = draft.outputs.sorted { $0.precedesInCommitment($1) }
    let obscured = (context.number ^ context.obscuringFactor) & 0xffff_ffff_ffff
    let transaction = Transaction(
      version: draft.version,
      inputs: [
        // BOLT 3: sequence: upper 8 bits are 0x80, lower 24 bits are upper 24 bits of the obscured commitment number.
        TxInput(
          previousOutput: context.fundingOutpoint, sequence: 0x8000_0000 | UInt32(truncatingIfNeeded: obscured >> 24))
      ],
      outputs: outputs.map { TxOutput(value: $0.value, scriptPubKey: $0.lock.scriptPubKey) },
      // BOLT 3: locktime: upper 8 bits are 0x20, lower 24 bits are the lower 24 bits of the obscured commitment number.
      lockTime: 0x2000_0000 | UInt32(truncatingIfNeeded: obscured & 0xff_ffff))
    let txid = transaction.txid
    return Commitment(
      context: context, transaction: transaction, txid: txid,
      outputs: outputs.enumerated().map { index, output in
        SealedOutput(output: output, outPoint: OutPoint(txid: txid, vout: UInt32(index)))
      },
      fundingLock: fundingLock, fundingCounterSignature: funding.counterSignature,
      fundingWitness: try funding.witness(context.keys), fee: try draft.unallocated)
  }
}

extension DraftOutput {
  /// BOLT 3 §Transaction Output Ordering: by value, then script, then, for outputs that are alike, `cltv_expiry`.
  func precedesInCommitment(_ other: DraftOutput) -> Bool {
    if value != other.value { return value < other.value }
    if lock.scriptPubKey != other.lock.scriptPubKey {
      return lock.scriptPubKey.bytes.lexicographicallyPrecedes(other.lock.scriptPubKey.bytes)
    }
    return tieBreak < other.tieBreak
  }
}

/// BOLT 3 §Commitment Transaction: the lower 48 bits of SHA256(payment_basepoint of open_channel ‖ payment_basepoint of
/// accept_channel).
public func obscuringFactor(openerPaymentBasepoint: PublicKey, acceptorPaymentBasepoint: PublicKey) -> UInt64 {
  var state = SHA256()
  state.update(openerPaymentBasepoint)
  state.update(acceptorPaymentBasepoint)
  let hash = state.finish()
  var factor: UInt64 = 0
  for index in 26..<32 { factor = factor << 8 | UInt64(hash[index]) }
  return factor
}
