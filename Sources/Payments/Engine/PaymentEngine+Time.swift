internal import Bitcoin
internal import Encoding
internal import GLC
internal import Sphinx
internal import Wire

extension PaymentEngine {
  // MARK: Blocks

  /// BOLT 2 §`cltv_expiry_delta` Selection.
  mutating func reached(_ height: UInt32) {
    self.height = height
    defer {
      let changes = onions.forget(before: height)
      if !changes.isEmpty { actions.append(.store(changes)) }
    }
    guard !configuration.ignoresDeadlines else { return }
    for (origin, outgoing) in outgoings.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      // BOLT 2: the deadline for offered HTLCs: This is `G` blocks after the HTLC's `cltv_expiry`.
      let deadline = UInt64(outgoing.expiry) + UInt64(configuration.timeoutGrace)
      guard UInt64(height) >= deadline, let key = outgoings[origin]?.key else { continue }
      close(key.channel, deadline: UInt32(clamping: deadline), .offerExpired(key))
    }
    for incoming in incomings.values.sorted(by: { $0.key < $1.key }) {
      let left = Int64(incoming.expiry) - Int64(height)
      switch incoming.stage {
      case .settled where left < Int64(configuration.fulfillmentMargin):
        close(incoming.key.channel, deadline: incoming.expiry, .claimBeforeExpiry(incoming.key))
      // A payment that waits for us must go back before its peer would have to take it back on the chain.
      case .received(let hash) where left < Int64(configuration.fulfillmentMargin + configuration.holdMargin):
        if sets[hash]?.isHeld == true {
          cancel(hash)
        } else {
          failSet(hash) { _, _ in .mppTimeout }
        }
      // One that we have passed on stays until what we have offered for it is gone for good.
      case .undecided, .forwarded, .settled, .received, .failed: break
      }
    }
  }

  private mutating func close(_ channel: ChannelID, deadline: UInt32, _ reason: CloseReason) {
    guard closing.insert(channel).inserted else { return }
    actions.append(.closeChannel(channel, deadline: deadline, reason))
  }

  // MARK: Time

  /// When `tick` is due; nil when nothing waits for a time.
  public var nextDeadline: PaymentTime? {
    var times = sets.values.filter { !$0.isHeld }.map(timeout)
    if nextInvoiceExpiry.milliseconds < .max { times.append(nextInvoiceExpiry) }
    times += sendings.values.filter { $0.failure == nil || !$0.isReportedStuck }.map(\.deadline)
    return times.min()
  }

  private func timeout(_ set: ReceiveSet) -> PaymentTime {
    set.startedAt.after(milliseconds: configuration.mppTimeoutMilliseconds)
  }

  mutating func passTime() {
    if now >= nextInvoiceExpiry { expireInvoices() }
    // All that waits is gone through once for each time, not for each of the inputs of that time.
    guard now > lastPass else { return }
    lastPass = now
    // BOLT 4: MUST fail all HTLCs in the HTLC set after some reasonable timeout. SHOULD use `mpp_timeout` for the failure message.
    for hash in sets.filter({ !$0.value.isHeld && now >= timeout($0.value) }).keys.sorted() {
      failSet(hash) { _, _ in .mppTimeout }
    }
    let late = sendings.filter {
      now >= $0.value.deadline && ($0.value.failure == nil || !$0.value.isReportedStuck)
    }
    for (id, sending) in late.sorted(by: { $0.key.encoded.lexicographicallyPrecedes($1.key.encoded) }) {
      giveUp(
        id,
        PaymentFailure(
          .stoppedRetrying,
          sending.latest.map { "out of time; the latest attempt: \($0.message)" } ?? "out of time"))
    }
  }

  private mutating func expireInvoices() {
    nextInvoiceExpiry = PaymentTime(milliseconds: .max)
    for var invoice in invoices.values.sorted(by: { $0.createdIndex < $1.createdIndex })
    where invoice.status == .unpaid {
      // A payment that is under way may still complete it.
      guard now >= invoice.expiresAt else {
        nextInvoiceExpiry = min(nextInvoiceExpiry, invoice.expiresAt)
        continue
      }
      guard sets[invoice.paymentHash] == nil else {
        nextInvoiceExpiry = min(nextInvoiceExpiry, now.after(milliseconds: 1000))
        continue
      }
      counters.invoiceChanges += 1
      invoice.status = .expired
      invoice.updatedIndex = counters.invoiceChanges
      actions.append(.store([counterChange] + changes(keeping: invoice)))
      emit(.invoiceExpired(invoice))
    }
  }
}
