public import Bitcoin

// BOLT 2's rules for updates, as far as they are about money in general. Each extension has its own on top.

extension Channel {
  /// Takes an update into the log, or says which rule it breaks. On every active funding, since it must hold on all.
  mutating func admit(_ content: UpdateContent, by author: Party) throws(ChannelError) {
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
    if case .feeRate = content {
      // BOLT 2: if the sender is not responsible for paying the Bitcoin fee: MUST send a `warning` and close the connection, or send
      // an `error` and fail the channel.
      guard author == parameters.funder else {
        throw .violation(ProtocolViolation(.failChannel, "update_fee from the party that pays no fees"))
      }
    }
    let before = prospects.all.balances[author]
    do {
      try prospects.all.apply(content, by: author)
    } catch {
      throw .violation(error)
    }
    let spends: Bool
    if case .feeRate = content { spends = true } else { spends = prospects.all.balances[author] < before }
    guard spends else { return }
    // Who offers something must be able to afford it on both commitments; who receives can only speak for its own.
    for holder in author == .local ? [Party.local, .remote] : [.local] {
      try checkAffordable(prospects.all, heldBy: holder, by: author)
    }
  }

  /// BOLT 2: the offering node cannot afford the amount at the current `feerate_per_kw` (while maintaining its channel
  /// reserve and any anchor costs).
  private func checkAffordable(
    _ state: CommitmentState, heldBy holder: Party, by author: Party
  ) throws(ChannelError) {
    var needed = parameters.parties[author].reserve
    if author == parameters.funder {
      // A fee spike buffer is what we ask of ourselves, never of the remote party.
      let withBuffer = author == .local
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
    var weight = stack.baseWeight.rawValue + summary.outputWeight.rawValue
    var rate = state.feeRate
    if withBuffer {
      // 172: BOLT 3's weight of one more output.
      weight += 172
      let (multiplied, overflow) = rate.satPerKiloWeight.multipliedReportingOverflow(by: parameters.feeSpikeMultiple)
      rate = FeeRate(satPerKiloWeight: overflow ? .max : multiplied)
    }
    return rate.fee(for: Weight(weight))?.adding(stack.reserve)
  }

  /// What the contracts of a state will make of the commitment of `holder`: outputs, their weight, and what is trimmed.
  public func contracts(in state: CommitmentState, heldBy holder: Party) -> ContractSummary {
    let trim = TrimContext(
      holder: holder, dustLimit: parameters.parties[holder].dustLimit, feeRate: state.feeRate)
    return state.ledgers.reduce(.none) { $0 + $1.summary(trim) }
  }
}
