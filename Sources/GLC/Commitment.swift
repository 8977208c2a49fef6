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
  /// What it was made by: while the stack of a channel changes, not every commitment in force has the same.
  public let stack: ChannelStack
  public let context: CommitmentContext
  public let version: UInt32
  public let lockTime: UInt32
  public let sequence: UInt32
  public let txid: TxID
  public let fundingLock: OutputLock
  /// What the counterparty signs for the funding input, and the witness of that input.
  public let fundingCounterSignature: SignatureSlot
  public let fundingWitness: [WitnessElement]
  /// What goes to the miner.
  public let fee: Satoshi
  let store: OutputStore
  /// The transaction without witness, and where its outputs stand in it.
  let encoded: [UInt8]
  let outputRange: Range<Int>

  /// In the order of the transaction's outputs.
  public var outputs: CommitmentOutputs { CommitmentOutputs(store: store, txid: txid) }

  /// The unsigned transaction, written out.
  public var transaction: Transaction {
    Transaction(
      version: version, inputs: [TxInput(previousOutput: context.fundingOutpoint, sequence: sequence)],
      outputs: store.entries.indices.map { store.txOutput(at: $0) }, lockTime: lockTime)
  }

  /// What the counterparty signs: the hash of the single input.
  public func fundingSighash(_ type: SighashType = .all) throws(SighashError) -> Sighash {
    if case .taproot = fundingLock.reveal, !type.isSingle, !type.isNone,
      let script = try? FixedBytes<34>(fundingLock.scriptPubKey.bytes)
    {
      var preimage = SingleInputTaprootPreimage(
        version: version, input: context.fundingOutpoint, sequence: sequence, amount: context.capacity,
        scriptPubKey: script, lockTime: lockTime, type: type)
      preimage.outputs = sha256(encoded.bytes.extracting(outputRange))
      return try preimage.hash()
    }
    guard let scriptCode = fundingLock.scriptCode else { throw .invalidType(type.rawValue) }
    guard type == .all else {
      let transaction = transaction
      return try transaction.segwitV0Sighash(
        input: 0, scriptCode: scriptCode, amount: context.capacity, type: type, parts: SighashParts(transaction))
    }
    var preimage = SegwitV0Preimage(
      version: version, input: context.fundingOutpoint, sequence: sequence, amount: context.capacity,
      lockTime: lockTime, type: type)
    preimage.outputs = sha256d(encoded.bytes.extracting(outputRange))
    return preimage.hash(scriptCode: scriptCode.bytes.bytes)
  }
}

/// The outputs of a commitment, each written out when it is asked for.
public struct CommitmentOutputs: RandomAccessCollection, Sendable {
  let store: OutputStore
  let txid: TxID

  public var startIndex: Int { 0 }
  public var endIndex: Int { store.entries.count }

  public subscript(position: Int) -> SealedOutput {
    SealedOutput(
      output: store.output(at: position), outPoint: OutPoint(txid: txid, vout: UInt32(truncatingIfNeeded: position)))
  }
}

extension ChannelStack {
  /// Makes the commitment that a state stands for: contracts → trim → fee and reserves → balances → dependents → transforms →
  /// order → seal. `ledgers` are in the order of `extensions`.
  public func commitment(
    _ context: CommitmentContext, balances: Balances, ledgers: [any LedgerSlot]
  ) throws(DraftError) -> Commitment {
    var draft = CommitmentDraft(context: context, scripts: funding.scripts, balances: balances)
    for slot in extensions { slot.prepare(&draft) }

    draft.phase = .contracts
    for (phase, ledger) in zip(phases, ledgers) where phase == .contracts { try ledger.contribute(to: &draft) }
    try chargeFunder(&draft)
    for phase in [ContributionPhase.balances, .dependents] {
      draft.phase = phase
      for (own, ledger) in zip(phases, ledgers) where own == phase { try ledger.contribute(to: &draft) }
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
    var weight = baseWeight
    for index in draft.store.entries.indices {
      weight = Weight(weight.rawValue + 4 * UInt64(draft.store.outputSize(at: index)))
    }
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

  private func seal(_ draft: consuming CommitmentDraft) throws(DraftError) -> Commitment {
    let context = draft.context
    let fundingLock = try funding.lock(context.keys)
    draft.store.sort()
    let obscured = (context.number ^ context.obscuringFactor) & 0xffff_ffff_ffff
    // BOLT 3: sequence: upper 8 bits are 0x80, lower 24 bits are upper 24 bits of the obscured commitment number.
    let sequence = 0x8000_0000 | UInt32(truncatingIfNeeded: obscured >> 24)
    // BOLT 3: locktime: upper 8 bits are 0x20, lower 24 bits are the lower 24 bits of the obscured commitment number.
    let lockTime = 0x2000_0000 | UInt32(truncatingIfNeeded: obscured & 0xff_ffff)

    // 4 version, 1 count, 36 outpoint, 1 empty script, 4 sequence, at most 9 count, 4 lock time.
    let count = draft.store.entries.count
    var size = 59
    for index in 0..<count { size += draft.store.outputSize(at: index) }
    var writer = ByteWriter(reservingCapacity: size)
    writer.writeLE(draft.version)
    writer.writeCompactSize(1)
    context.fundingOutpoint.encode(to: &writer)
    writer.write(0 as UInt8)
    writer.writeLE(sequence)
    writer.writeCompactSize(count)
    let start = writer.count
    for index in 0..<count { draft.store.write(index, to: &writer) }
    let end = writer.count
    writer.writeLE(lockTime)
    return Commitment(
      stack: self, context: context, version: draft.version, lockTime: lockTime, sequence: sequence,
      txid: TxID(sha256d(writer.bytes)), fundingLock: fundingLock, fundingCounterSignature: funding.counterSignature,
      fundingWitness: try funding.witness(context.keys), fee: try draft.unallocated, store: draft.store,
      encoded: writer.bytes, outputRange: start..<end)
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
