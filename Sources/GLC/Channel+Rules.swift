public import Bitcoin

// BOLT 2's rules for updates, as far as they are about money in general. Each extension has its own on top.

extension Channel {
  /// Takes an update into the log, or says which rule it breaks. On every active funding, since it must hold on all.
  mutating func admit(_ content: UpdateContent, by author: Party) throws(ChannelError) {
    if case .stack(let change) = content { return try admit(change, by: author) }
    guard !isChangingStack else {
      guard author == .remote else { throw .notNow("the stack is about to change") }
      throw .violation(ProtocolViolation(.warning, "an update while the stack changes"))
    }
    var next: [Prospects] = []
    next.reserveCapacity(fundings.count)
    for funding in fundings {
      var prospects = try prospects(of: funding)
      if case .extension(let position, let update) = content {
        guard funding.base.ledgers.indices.contains(position) else {
          throw .violation(ProtocolViolation(.failChannel, "an update of an extension that is not in the stack"))
        }
        // Judged by the receiver's next commitment, where the update will be first.
        do {
          try prospects.due[author.other].ledgers[position].validate(
            update, by: author, settled: funding.base.ledgers[position])
        } catch {
          throw .violation(error)
        }
      }
      do {
        try prospects.due[author.other].apply(content, by: author)
      } catch {
        throw .violation(error)
      }
      try requireConserved(prospects.due[author.other], on: funding)
      try check(content, by: author, &prospects)
      next.append(prospects)
    }
    log.append(content, by: author)
    for index in fundings.indices {
      next[index].version = log.version
      fundings[index].prospects = next[index]
    }
  }

  private func check(
    _ content: UpdateContent, by author: Party, _ prospects: inout Prospects
  ) throws(ChannelError) {
    let isFee = if case .feeRate = content { true } else { false }
    if isFee {
      guard !stack.fixesFeeRate else {
        throw .violation(ProtocolViolation(.failChannel, "update_fee on commitments whose fee rate is fixed"))
      }
      // BOLT 2: if the sender is not responsible for paying the Bitcoin fee: MUST send a `warning` and close the connection, or send
      // an `error` and fail the channel.
      guard author == parameters.funder else {
        throw .violation(ProtocolViolation(.failChannel, "update_fee from the party that pays no fees"))
      }
    }
    let before = prospects.all
    do {
      try prospects.all.apply(content, by: author)
    } catch {
      throw .violation(error)
    }
    guard isFee || prospects.all.balances[author] < before.balances[author] else { return }
    // Who offers something must be able to afford it on both commitments; who receives can only speak for its own.
    for holder in author == .local ? [Party.local, .remote] : [.local] {
      // A fee spike buffer is what we ask of our own offers, never of the remote party.
      try checkAffordable(prospects.all, heldBy: holder, by: author, withBuffer: author == .local && !isFee)
      guard author == .local else { continue }
      try checkFunder(from: before, to: prospects.all, heldBy: holder)
      try checkExposure(from: before, to: prospects.all, heldBy: holder)
    }
  }

  /// BOLT 2, of an offer by who is not responsible for the fee: SHOULD NOT offer if, once the remote node adds it to its commitment
  /// transaction, it cannot pay the fee for the updated local or remote transaction while maintaining its channel reserve.
  private func checkFunder(
    from before: CommitmentState, to after: CommitmentState, heldBy holder: Party
  ) throws(ChannelError) {
    guard parameters.funder == .remote, let old = funderCost(before, heldBy: holder, withBuffer: false),
      let new = funderCost(after, heldBy: holder, withBuffer: false), new > old
    else { return }
    guard let needed = parameters.parties.remote.reserve.adding(new)?.milliSatoshi,
      after.balances[.remote] >= needed
    else { throw .notNow("the remote party could not pay the fee of \(new)") }
  }

  /// BOLT 2, of an offer of ours: if the amount plus the dust balance of the transaction is greater than the limit: SHOULD NOT send
  /// it. Of a fee rate of ours that trims more: MAY NOT send `update_fee`.
  private func checkExposure(
    from before: CommitmentState, to after: CommitmentState, heldBy holder: Party
  ) throws(ChannelError) {
    let exposure = contracts(in: after, heldBy: holder).trimmed
    guard exposure > parameters.maximumDustExposure, exposure > contracts(in: before, heldBy: holder).trimmed else {
      return
    }
    throw .notNow("\(exposure) would be trimmed, more than \(parameters.maximumDustExposure)")
  }

  /// BOLT 2: the offering node cannot afford the amount at the current `feerate_per_kw` (while maintaining its channel
  /// reserve and any anchor costs).
  private func checkAffordable(
    _ state: CommitmentState, heldBy holder: Party, by author: Party, withBuffer: Bool
  ) throws(ChannelError) {
    var needed = parameters.parties[author].reserve
    if author == parameters.funder {
      guard let cost = funderCost(state, heldBy: holder, withBuffer: withBuffer), let sum = needed.adding(cost) else {
        throw .draft(.amountOutOfRange)
      }
      needed = sum
    }
    guard let limit = needed.milliSatoshi, state.balances[author] >= limit else {
      throw .violation(
        ProtocolViolation(
          .failChannel, "\(author) would be left with \(state.balances[author]), less than the \(needed) it has to keep"
        ))
    }
  }

  /// Commitment fee and fixed costs, in satoshi. With the buffer: at a multiple of the fee rate and with one more contract.
  public func funderCost(_ state: CommitmentState, heldBy holder: Party, withBuffer: Bool) -> Satoshi? {
    let summary = contracts(in: state, heldBy: holder)
    var weight = state.stack.baseWeight.rawValue + summary.outputWeight.rawValue
    var rate = state.feeRate
    if withBuffer {
      // 172: BOLT 3's weight of one more output.
      weight += 172
      let (multiplied, overflow) = rate.satPerKiloWeight.multipliedReportingOverflow(by: parameters.feeSpikeMultiple)
      rate = FeeRate(satPerKiloWeight: overflow ? .max : multiplied)
    }
    return rate.fee(for: Weight(weight))?.adding(state.stack.reserve)
  }

  /// What the contracts of a state will make of the commitment of `holder`: outputs, their weight, and what is trimmed.
  public func contracts(in state: CommitmentState, heldBy holder: Party) -> ContractSummary {
    let trim = TrimContext(
      holder: holder, dustLimit: parameters.parties[holder].dustLimit, feeRate: state.feeRate)
    return state.ledgers.reduce(.none) { $0 + $1.summary(trim) }
  }
}

// MARK: - Dust exposure

extension Channel {
  /// Follows a change of this node's policy. What is committed already stays.
  public mutating func limitDustExposure(to limit: MilliSatoshi) { parameters.maximumDustExposure = limit }

  /// What miners would get of the contracts, should `holder` broadcast a commitment with all that is on its way: the most of all
  /// fundings. Nil when an update in the log does not fit, which admission excludes.
  public func dustExposure(heldBy holder: Party) -> MilliSatoshi? {
    var most = MilliSatoshi.zero
    for funding in fundings {
      guard let prospects = try? prospects(of: funding) else { return nil }
      most = max(most, contracts(in: prospects.all, heldBy: holder).trimmed)
    }
    return most
  }

  /// Whether what the remote party offered with this update is trimmed from a commitment whose trimmed contracts are worth more than
  /// the limit. BOLT 2: SHOULD fail it once it's committed; SHOULD NOT reveal a preimage for it.
  ///
  /// Ask when the update has become irrevocable, for one after the other, and refuse at once: what is refused counts no more for those
  /// that follow. The answer comes from the stored state alone.
  public func isOverexposed(by content: UpdateContent) -> Bool {
    guard case .extension(let position, let update) = content, stack.extensions.indices.contains(position) else {
      return false
    }
    // What it is worth alone, in a ledger of its own.
    var ledger = stack.extensions[position].makeLedger()
    var purse = Balances(local: MilliSatoshi(.max / 4), remote: MilliSatoshi(.max / 4))
    guard (try? ledger.apply(update, by: .remote, moving: &purse)) != nil else { return false }
    for funding in fundings {
      guard let state = (try? prospects(of: funding))?.all else { return true }
      for holder in Party.allCases {
        let trim = TrimContext(
          holder: holder, dustLimit: parameters.parties[holder].dustLimit, feeRate: state.feeRate)
        if ledger.summary(trim).trimmed > .zero,
          contracts(in: state, heldBy: holder).trimmed > parameters.maximumDustExposure
        {
          return true
        }
      }
    }
    return false
  }
}
