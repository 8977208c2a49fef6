public import Encoding
public import GLC
public import Wire

/// What happens to the payment engine from outside. Requests of users are methods of their own.
public enum PaymentInput: Sendable {
  /// A peer's offer is irrevocably committed. Again for one that is known: nothing happens.
  case incoming(IncomingPayment)
  /// A peer's offer is gone for good: its removal is irrevocable, or its output on the chain is spent beyond reorganisation.
  case removed(PaymentKey)
  /// The answer to `PaymentAction.recall`: what the store has, or nil where it cannot be read.
  case recalled(PaymentKey, RecalledRecords?)
  /// A channel has taken an offer of ours.
  case offered(origin: [UInt8], PaymentKey)
  /// An offer of ours has ended.
  case outcome(origin: [UInt8], PaymentOutcome)
  /// The chain's height.
  case block(UInt32)
  /// Time has passed; see `PaymentEngine.nextDeadline`.
  case tick
  /// A channel of ours is new, or something about it.
  case channel(PaymentChannel)
  case channelGone(ChannelID)
}

/// What is to be done after an input, in this order. A `store` must be durable before anything behind it is done; several may be
/// carried out in one transaction.
public enum PaymentAction: Sendable {
  case store([RecordChange])
  /// To be answered by `offered` or an outcome `notOffered`, and in the end by an outcome.
  case offer(OutgoingPayment)
  /// Take a peer's offer, off the chain or on it. Where this is under way already, nothing is to be done: the same holds for `fail`
  /// and `failMalformed`. `attribution` is 920 bytes.
  case settle(PaymentKey, PaymentWitness, attribution: [UInt8]?)
  case fail(PaymentKey, reason: [UInt8], attribution: [UInt8]?)
  case failMalformed(PaymentKey, onionHash: Bytes32, code: UInt16)
  /// Fail the channel: a payment on it cannot be resolved in another way before that height.
  case closeChannel(ChannelID, deadline: UInt32, CloseReason)
  /// The outcome stored under this origin is not needed any more. Without effect when there is none.
  case forgetOutcome(origin: [UInt8])
  /// Ask the store; a peer's offer waits for the answer, `recalled`.
  case recall(PaymentKey, RecallQuestion)
  case event(PaymentEvent)
}

public enum CloseReason: Hashable, Sendable {
  /// BOLT 2: if an HTLC which it offered is in either node's current commitment transaction, AND is past this timeout deadline: MUST
  /// fail the channel.
  case offerExpired(PaymentKey)
  /// BOLT 2: if an HTLC it has fulfilled is in either node's current commitment transaction, AND is past this fulfillment deadline:
  /// MUST fail the channel.
  case claimBeforeExpiry(PaymentKey)
}

/// One change to what is stored: a value under a key in a collection of `RecordCollection`, or its removal, or that of many.
public struct RecordChange: Hashable, Sendable {
  public var collection: RecordCollection
  public var key: [UInt8]
  /// Nil: remove.
  public var value: [UInt8]?
  /// Remove all whose keys begin with this one.
  public var isPrefix = false

  public init(_ collection: RecordCollection, key: [UInt8], value: [UInt8]?) {
    self.collection = collection
    self.key = key
    self.value = value
  }

  public init(_ collection: RecordCollection, removingPrefix prefix: [UInt8]) {
    self.init(collection, key: prefix, value: nil)
    isPrefix = true
  }
}

/// What the engine stores. Every value starts with its version.
public enum RecordCollection: String, Hashable, Sendable, CaseIterable {
  /// `InvoiceRecord` by payment hash, of those that are not over.
  case invoices = "payments.invoices"
  /// `PaymentRecord` by payment hash and group, of those that are not over.
  case payments = "payments.payments"
  /// `PartRecord` of what is on its way, by payment hash, group and part.
  case parts = "payments.parts"
  /// `ForwardRecord` of what is on its way, by the key of the incoming offer.
  case pendingForwards = "payments.forwards.pending"
  /// `ForwardRecord` of what is over, by created index.
  case forwards = "payments.forwards"
  /// `InvoiceRecord` of what is over, by created index.
  case pastInvoices = "payments.invoices.past"
  /// `PaymentRecord` of what is over, by created index.
  case pastPayments = "payments.payments.past"
  /// `PartRecord` of what is over, by created index.
  case pastParts = "payments.parts.past"
  /// Created indexes of what is over, by keys of `PastIndex`.
  case pastIndex = "payments.past.index"
  /// Which onions have passed, by their period and the hash of their secrets.
  case onions = "payments.onions"
  /// How many records of each kind there have been.
  case counters = "payments.counters"
  /// What payments have moved: see `PaymentTotals`.
  case totals = "payments.totals"

  /// Whether the engine needs it when it starts: what is over it never reads.
  public var isLoaded: Bool {
    switch self {
    case .invoices, .payments, .parts, .pendingForwards, .onions, .counters, .totals: true
    case .forwards, .pastInvoices, .pastPayments, .pastParts, .pastIndex: false
    }
  }
}

/// What others may want to know.
public enum PaymentEvent: Sendable {
  case invoiceCreated(InvoiceRecord)
  /// All parts of a hold invoice's payment are here. It waits for `settleInvoice` or `cancelInvoice`.
  case invoiceHeld(InvoiceRecord, expiry: UInt32)
  /// With the records of the payer's that nobody here knows.
  case invoicePaid(InvoiceRecord, records: [TLVRecord])
  case invoiceExpired(InvoiceRecord)
  case invoiceCancelled(InvoiceRecord)
  case invoiceDeleted(InvoiceRecord)
  case partSent(PartRecord)
  case partSettled(PartRecord, holdTimes: [UInt32])
  case partFailed(PartRecord, holdTimes: [UInt32])
  case paymentSucceeded(PaymentRecord)
  case paymentFailed(PaymentRecord)
  /// A payment got no further within its time, but parts of it are still on their way: it may yet succeed.
  case paymentStuck(PaymentRecord)
  /// What a payment has taught about the network: for the penalties of a route finder.
  case learned(RouteObservation)
  case forward(ForwardRecord)
}
