public import Encoding
internal import GLC
internal import Sphinx

/// Records that are over, as the store has them.
public struct RecalledRecords: Sendable {
  public var invoices: [InvoiceRecord]
  public var payments: [PaymentRecord]
  /// Values of `RecordCollection.onions`.
  public var onions: [[UInt8]]

  public init(invoices: [InvoiceRecord] = [], payments: [PaymentRecord] = [], onions: [[UInt8]] = []) {
    self.invoices = invoices
    self.payments = payments
    self.onions = onions
  }
}

/// What the store is asked, for the engine to be told.
public enum RecallQuestion: Hashable, Sendable {
  /// Those that are over, with one of these payment hashes or labels.
  case invoices(hashes: [Bytes32] = [], labels: [String] = [])
  /// All that are over, with a payment hash.
  case payments(Bytes32)
  /// The onions under these keys.
  case onions(keys: [[UInt8]])
}

// The engine remembers what is alive. What is over it is told again (`recall`) by whoever asks about it, just before the question: to pay
// what may be paid already, to make an invoice whose label may be taken, to forget a payment. For a peer's offer that such a record may
// decide, it asks itself (`PaymentAction.recall`).
//
// What ends is remembered until `release`: as long as it is not in the store, or somebody has asked the store before it was.

extension PaymentEngine {
  /// What is over or forgotten, and since when.
  struct Leaving: Sendable {
    enum Item: Hashable, Sendable {
      case invoice(Bytes32)
      case payment(PaymentID)
      case deletedInvoice(Bytes32)
      case deletedPayment(PaymentID)
    }

    var round: UInt64
    var item: Item
  }

  /// What ends from now on ends in this round.
  public mutating func begin(round: UInt64) { self.round = round }

  /// Forgets what was over by the end of a round. All of that is in the store, and for all who have asked the store.
  public mutating func release(through round: UInt64) {
    var count = 0
    for leaving in self.leaving {
      guard leaving.round <= round else { break }
      count += 1
      // What has come back since leaves later.
      guard leavingRounds[leaving.item] == leaving.round else { continue }
      leavingRounds[leaving.item] = nil
      switch leaving.item {
      case .invoice(let hash):
        guard let invoice = invoices[hash], invoice.isOver else { continue }
        drop(invoice)
      case .payment(let id):
        guard let payment = payments[id], isOver(payment) else { continue }
        drop(id)
      case .deletedInvoice(let hash): deletedInvoices.remove(hash)
      case .deletedPayment(let id): deletedPayments.remove(id)
      }
    }
    self.leaving.removeFirst(count)
    onions.release(through: round, height: height)
  }

  /// Tells what the store has, to be known in the same round. What the engine knows itself is newer.
  public mutating func recall(_ records: RecalledRecords) {
    for invoice in records.invoices
    where invoices[invoice.paymentHash] == nil && !deletedInvoices.contains(invoice.paymentHash) {
      invoices[invoice.paymentHash] = invoice
      if invoiceLabels[invoice.label] == nil { invoiceLabels[invoice.label] = invoice.paymentHash }
      leave(.invoice(invoice.paymentHash))
    }
    for payment in records.payments where payments[payment.id] == nil && !deletedPayments.contains(payment.id) {
      payments[payment.id] = payment
      paymentGroups[payment.id.paymentHash, default: []].append(payment.id)
      leave(.payment(payment.id))
    }
  }

  // MARK: Offers that wait for an answer

  enum Question: Sendable {
    /// Whether its onion has passed.
    case onion(IncomingPayment, PeeledOnion)
    /// Whether there was an invoice of its name.
    case keysend(KeysendOffer)
  }

  mutating func ask(_ recall: RecallQuestion, about question: Question, _ incoming: Incoming) {
    questions[incoming.key] = question
    incomings[incoming.key] = incoming
    actions.append(.recall(incoming.key, recall))
  }

  mutating func recalled(_ key: PaymentKey, _ records: RecalledRecords?) {
    if let records { recall(records) }
    guard let question = questions.removeValue(forKey: key), var incoming = incomings[key] else { return }
    do throws(Refusal) {
      guard let records else { throw .failure(.temporaryNodeFailure) }
      switch question {
      case .onion(let payment, let peeled):
        let stored = records.onions.compactMap { try? SeenOnion(decoding: $0.bytes) }
        try pass(payment, &incoming, peeled, onions.answer(for: Self.identity(of: peeled), stored: stored))
      case .keysend(let offer): try acceptKeysend(offer)
      }
    } catch {
      refuse(&incoming, error)
      incomings[key] = incoming
    }
  }

  // MARK: Keeping

  /// Remembers an invoice as it is now.
  mutating func changes(keeping invoice: InvoiceRecord) -> [RecordChange] {
    invoices[invoice.paymentHash] = invoice
    guard invoice.isOver else { return [invoice.liveChange] }
    leave(.invoice(invoice.paymentHash))
    return invoice.pastChanges
  }

  /// Remembers a payment as it is now.
  mutating func changes(keeping payment: PaymentRecord) -> [RecordChange] {
    payments[payment.id] = payment
    guard isOver(payment) else { return [payment.liveChange] }
    leave(.payment(payment.id))
    return payment.pastChanges
  }

  /// Whether nothing happens to a payment any more.
  func isOver(_ payment: PaymentRecord) -> Bool { payment.status != .pending && partCounts[payment.id] == nil }

  mutating func leave(_ item: Leaving.Item) {
    if leavingRounds.updateValue(round, forKey: item) != round { leaving.append(Leaving(round: round, item: item)) }
  }

  mutating func drop(_ invoice: InvoiceRecord) {
    invoices[invoice.paymentHash] = nil
    if invoiceLabels[invoice.label] == invoice.paymentHash { invoiceLabels[invoice.label] = nil }
  }

  mutating func drop(_ id: PaymentID) {
    payments[id] = nil
    paymentGroups[id.paymentHash]?.removeAll { $0 == id }
    if paymentGroups[id.paymentHash]?.isEmpty == true { paymentGroups[id.paymentHash] = nil }
  }

  // MARK: Parts on their way

  mutating func add(_ part: PartRecord) {
    if pendingParts.updateValue(part, forKey: part.id) == nil { partCounts[part.id.payment, default: 0] += 1 }
  }

  mutating func removePart(_ id: PartID) -> PartRecord? {
    guard let part = pendingParts.removeValue(forKey: id) else { return nil }
    let left = partCounts[id.payment, default: 1] - 1
    partCounts[id.payment] = left > 0 ? left : nil
    return part
  }
}
