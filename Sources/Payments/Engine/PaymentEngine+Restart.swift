internal import Bitcoin
internal import Encoding
internal import GLC
internal import Sphinx
internal import Wire

/// What the channels hold when the node starts.
public struct LivePayments: Sendable {
  /// A peer's offer that is irrevocably committed and not gone.
  public struct Incoming: Sendable {
    /// With its onion, unless an offer of ours or a stored outcome names it.
    public var payment: IncomingPayment
    /// Whether the channel has an update in its log, or a claim on the chain under way, that removes it.
    public var removal: Removal

    public enum Removal: Hashable, Sendable { case none, settled, failed }

    public init(_ payment: IncomingPayment, removal: Removal = .none) {
      self.payment = payment
      self.removal = removal
    }
  }

  /// An offer of ours that is in a channel and has no stored outcome.
  public struct Outgoing: Sendable {
    public var origin: [UInt8]
    public var key: PaymentKey
    public var expiry: UInt32

    public init(origin: [UInt8], key: PaymentKey, expiry: UInt32) {
      self.origin = origin
      self.key = key
      self.expiry = expiry
    }
  }

  public var incoming: [Incoming]
  public var outgoing: [Outgoing]
  /// The outcomes that are stored, by origin.
  public var outcomes: [(origin: [UInt8], outcome: PaymentOutcome)]

  public init(
    incoming: [Incoming] = [], outgoing: [Outgoing] = [],
    outcomes: [(origin: [UInt8], outcome: PaymentOutcome)] = []
  ) {
    self.incoming = incoming
    self.outgoing = outgoing
    self.outcomes = outcomes
  }
}

extension PaymentEngine {
  /// Takes up what was interrupted: called once, before anything else, with the channels known. An incoming payment with a stored
  /// outcome is settled or failed again; one that an offer of ours names is waited for; one with neither is decided anew. A part of
  /// our own that no channel knows was never offered.
  public mutating func restart(_ live: LivePayments, at time: PaymentTime) -> [PaymentAction] {
    begin(at: time)
    var origins: [PaymentKey: (origin: [UInt8], forward: OfferOrigin.Forward)] = [:]
    var parts: [PartID: Set<UInt64>] = [:]
    for origin in live.outgoing.map(\.origin) + live.outcomes.map(\.origin) {
      switch try? OfferOrigin(decoding: origin.bytes) {
      case .forward(let forward): origins[forward.incoming] = (origin, forward)
      case .part(let id, let attempt): parts[id, default: []].insert(attempt)
      case nil: break
      }
    }
    for outgoing in live.outgoing {
      outgoings[outgoing.origin] = Outgoing(expiry: outgoing.expiry, key: outgoing.key)
      offered(outgoing.origin, as: outgoing.key)
    }
    var undecided: [IncomingPayment] = []
    for incoming in live.incoming.sorted(by: { $0.payment.key < $1.payment.key }) {
      let payment = incoming.payment
      let known = origins[payment.key]
      guard known != nil || incoming.removal != .none else {
        undecided.append(payment)
        continue
      }
      var state = Incoming(
        key: payment.key, amount: payment.amount, lock: payment.lock, expiry: payment.expiry,
        receivedAt: known?.forward.receivedAt ?? payment.receivedAt ?? now,
        onionHash: known?.forward.onionHash ?? Bytes32(), sharedSecret: known?.forward.sharedSecret,
        manner: known?.forward.manner ?? (payment.pathKey == nil ? .plain : .blinded))
      state.origin = known?.origin
      switch incoming.removal {
      // What a channel is about to remove is decided, whatever comes.
      case .settled: state.stage = .settled
      case .failed: state.stage = .failed
      case .none: state.stage = .forwarded
      }
      incomings[payment.key] = state
    }
    pruneAccepted(live)
    for (origin, outcome) in live.outcomes { ended(origin, outcome) }
    for part in pendingParts.values.sorted(by: { $0.createdIndex < $1.createdIndex })
    where parts[part.id]?.contains(part.createdIndex) != true {
      let origin = OfferOrigin.part(part.id, attempt: part.createdIndex).encoded
      ended(part.id, attempt: part.createdIndex, origin, .notOffered(.unknownChannel))
    }
    // Those of which neither side is left, or that are decided anew.
    for record in pendingForwards where origins[record.incoming] == nil {
      forwards[record.incoming] = nil
      switch incomings[record.incoming]?.stage {
      case .settled: resolve(record, .settled, code: nil)
      case .failed: resolve(record, .failed, code: nil)
      case nil, .undecided, .forwarded, .received:
        store(RecordChange(.pendingForwards, key: record.incoming.encoded, value: nil))
      }
    }
    for payment in undecided { receive(payment) }
    finishInterrupted()
    for invoice in invoices.values.filter(\.isOver).sorted(by: { $0.createdIndex < $1.createdIndex }) {
      actions.append(.store(changes(keeping: invoice)))
    }
    for payment in payments.values.filter(isOver).sorted(by: { $0.createdIndex < $1.createdIndex }) {
      actions.append(.store(changes(keeping: payment)))
    }
    return finish()
  }

  /// A payment that a restart has interrupted is not taken up again: whoever asked for it is gone. What is on its way is waited for.
  private mutating func finishInterrupted() {
    for var record in payments.values.sorted(by: { $0.createdIndex < $1.createdIndex })
    where record.status == .pending && partCounts[record.id] == nil {
      record.status = .failed
      record.completedAt = now
      record.failure = record.failure ?? PaymentFailure(.stoppedRetrying, "the node was restarted")
      actions.append(.store(changes(keeping: record)))
      emit(.paymentFailed(record))
    }
  }

  private mutating func pruneAccepted(_ live: LivePayments) {
    let keys = Set(live.incoming.map(\.payment.key))
    for var invoice in invoices.values.sorted(by: { $0.createdIndex < $1.createdIndex })
    where !invoice.accepted.isEmpty {
      let left = invoice.accepted.filter(keys.contains)
      guard left != invoice.accepted else { continue }
      for key in invoice.accepted where !keys.contains(key) { acceptedFor[key] = nil }
      invoice.accepted = left
      actions.append(.store(changes(keeping: invoice)))
    }
  }

  /// Reads one record back. What the engine does not need is skipped.
  mutating func load(_ record: RecordChange) throws(DecodingError) {
    guard let value = record.value else { return }
    switch record.collection {
    case .invoices:
      let invoice = try InvoiceRecord(decoding: value.bytes)
      invoices[invoice.paymentHash] = invoice
      invoiceLabels[invoice.label] = invoice.paymentHash
      for key in invoice.accepted { acceptedFor[key] = invoice.paymentHash }
      if invoice.status == .unpaid { nextInvoiceExpiry = min(nextInvoiceExpiry, invoice.expiresAt) }
    case .payments:
      let payment = try PaymentRecord(decoding: value.bytes)
      payments[payment.id] = payment
      paymentGroups[payment.id.paymentHash, default: []].append(payment.id)
    case .parts:
      let part = try PartRecord(decoding: value.bytes)
      if part.status == .pending { add(part) }
    case .pendingForwards:
      let forward = try ForwardRecord(decoding: value.bytes)
      forwards[forward.incoming] = forward
    case .onions:
      _ = try SeenOnion(decoding: value.bytes)
      try onions.load(record)
    case .counters: counters = try Counters(decoding: value.bytes)
    case .totals: try totals.load(key: record.key, value: value)
    case .forwards, .pastInvoices, .pastPayments, .pastParts, .pastIndex: break
    }
  }
}
