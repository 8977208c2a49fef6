internal import Bitcoin
public import Encoding
internal import GLC
internal import Hashing
internal import Secp256k1
internal import Sphinx
internal import Wire

/// All payments of a node: those that pass through, those that arrive, those that leave. It knows offers of value under locks, and
/// no contract by name; it has no clock, no randomness, no storage and no network: what happens is told to it, and what is to be
/// done it says, in order.
///
/// What it needs to survive is in its records, and with the channels: a channel keeps the origin of each of our offers together with
/// the offer, and stores the offer's outcome under that origin when it forgets the offer, until `forgetOutcome`. After a start, the
/// records go to `init`, and what the channels hold to `restart`.
public struct PaymentEngine: Sendable {
  public internal(set) var configuration: PaymentConfiguration
  let nodeKey: any NodeKey
  let finder: any RouteFinder
  let schemes: [ExtensionID: any PaymentScheme]
  /// Whose locks our invoices and payments use unless something else is asked for.
  let scheme: any PaymentScheme
  var entropy: EntropyStream

  public internal(set) var height: UInt32
  public internal(set) var now: PaymentTime

  var channels: [ChannelID: PaymentChannel] = [:]
  /// By the names that onions may use.
  var names: [ShortChannelID: ChannelID] = [:]
  /// By all their names.
  var ownNames: [ShortChannelID: ChannelID] = [:]
  var peers: [PublicKey: [ChannelID]] = [:]

  var incomings: [PaymentKey: Incoming] = [:]
  /// Our offers that have no outcome yet, by origin.
  var outgoings: [[UInt8]: Outgoing] = [:]
  /// Payments to us that are not complete, or held.
  var sets: [Bytes32: ReceiveSet] = [:]
  /// Forwards without an outcome.
  var forwards: [PaymentKey: ForwardRecord] = [:]

  /// Those that can be paid, or that payments are not gone of; and what was recalled, or is not released.
  public internal(set) var invoices: [Bytes32: InvoiceRecord] = [:]
  var invoiceLabels: [String: Bytes32] = [:]
  /// Which invoice an offer has paid that is settled, and not gone yet.
  var acceptedFor: [PaymentKey: Bytes32] = [:]
  var nextInvoiceExpiry = PaymentTime(milliseconds: .max)
  /// Up to when what waits for a time has been gone through.
  var lastPass = PaymentTime(milliseconds: 0)

  /// Those that are not over; and what was recalled, or is not released.
  public internal(set) var payments: [PaymentID: PaymentRecord] = [:]
  var paymentGroups: [Bytes32: [PaymentID]] = [:]
  /// Payments that are being sent.
  var sendings: [PaymentID: Sending] = [:]
  /// Parts on their way.
  public internal(set) var pendingParts: [PartID: PartRecord] = [:]
  /// How many of them each payment has.
  var partCounts: [PaymentID: Int] = [:]

  /// Offers that the store may have something about.
  var questions: [PaymentKey: Question] = [:]
  var round: UInt64 = 0
  /// What is over, in the order in which it ended.
  var leaving: [Leaving] = []
  /// In which round each ended the last time.
  var leavingRounds: [Leaving.Item: UInt64] = [:]
  /// What the store may still have for somebody who has asked it.
  var deletedInvoices: Set<Bytes32> = []
  var deletedPayments: Set<PaymentID> = []

  /// Onions that have passed.
  var onions = SeenOnions()

  var counters = Counters()
  /// What payments have moved so far.
  public internal(set) var totals = PaymentTotals()
  /// Channels that we have asked to be failed.
  var closing: Set<ChannelID> = []
  /// What an input has led to so far.
  var actions: [PaymentAction] = []

  /// - Parameters:
  ///   - schemes: for each kind of lock that is forwarded; the first one's are those of our invoices and payments, unless something
  ///     else is asked for.
  ///   - entropy: 32 random bytes, fresh for each start: secrets of payments are drawn from them.
  ///   - records: what was stored, of each collection that `isLoaded`.
  /// - Throws: when a record cannot be read.
  public init(
    configuration: PaymentConfiguration, nodeKey: any NodeKey, finder: any RouteFinder, schemes: [any PaymentScheme],
    height: UInt32, now: PaymentTime, entropy: Bytes32, records: [RecordChange] = []
  ) throws(DecodingError) {
    guard let first = schemes.first else { throw .malformed("payments need a scheme for their locks") }
    self.configuration = configuration
    self.nodeKey = nodeKey
    self.finder = finder
    self.schemes = Dictionary(schemes.map { ($0.kind, $0) }) { first, _ in first }
    scheme = first
    self.entropy = EntropyStream(seed: entropy)
    self.height = height
    self.now = now
    try load(records)
  }

  /// Reads more of what was stored, before anything else is done: not all of it has to be in memory at once.
  public mutating func load(_ records: [RecordChange]) throws(DecodingError) {
    for record in records { try load(record) }
  }

  /// What happened, and when.
  public mutating func handle(_ input: PaymentInput, at time: PaymentTime) -> [PaymentAction] {
    begin(at: time)
    switch input {
    case .incoming(let payment): receive(payment)
    case .removed(let key): removed(key)
    case .recalled(let key, let records): recalled(key, records)
    case .offered(let origin, let key): offered(origin, as: key)
    case .outcome(let origin, let outcome): ended(origin, outcome)
    case .block(let height): reached(height)
    case .tick: break
    case .channel(let channel): update(channel)
    case .channelGone(let id): forget(id)
    }
    return finish()
  }

  // MARK: Collecting what is to be done

  mutating func begin(at time: PaymentTime) {
    now = max(now, time)
    actions.removeAll(keepingCapacity: true)
  }

  mutating func finish() -> [PaymentAction] {
    passTime()
    defer { actions = [] }
    return actions
  }

  mutating func emit(_ event: PaymentEvent) { actions.append(.event(event)) }

  mutating func store(_ changes: RecordChange...) { actions.append(.store(changes)) }

  // MARK: Channels

  private mutating func update(_ channel: PaymentChannel) {
    unlist(channel.id)
    channels[channel.id] = channel
    for name in channel.forwardingNames { names[name] = channel.id }
    for name in channel.ownNames { ownNames[name] = channel.id }
    peers[channel.peer, default: []].append(channel.id)
  }

  private mutating func forget(_ id: ChannelID) {
    unlist(id)
    channels[id] = nil
    closing.remove(id)
  }

  private mutating func unlist(_ id: ChannelID) {
    guard let old = channels[id] else { return }
    for name in old.ownNames where ownNames[name] == id { ownNames[name] = nil }
    for name in old.forwardingNames where names[name] == id { names[name] = nil }
    peers[old.peer]?.removeAll { $0 == id }
    if peers[old.peer]?.isEmpty == true { peers[old.peer] = nil }
  }

  /// The channels that we know, for whoever asks.
  public var knownChannels: [PaymentChannel] { Array(channels.values) }
}

extension PaymentEngine {
  /// A peer's offer.
  struct Incoming: Sendable {
    let key: PaymentKey
    let amount: MilliSatoshi
    let lock: PaymentLock
    let expiry: UInt32
    let receivedAt: PaymentTime
    let onionHash: Bytes32
    var sharedSecret: SharedSecret?
    var manner: FailureManner
    var stage: Stage = .undecided
    /// That of our offer for it.
    var origin: [UInt8]?
    /// For a payment to us: what its scheme needs to open this lock with the payment's secret.
    var lockSecret: [UInt8] = []

    enum Stage: Hashable, Sendable {
      case undecided
      /// We have offered it to the next node.
      case forwarded
      /// It is part of a payment to us that is not complete, or held.
      case received(Bytes32)
      case settled
      case failed
    }
  }

  /// An offer of ours.
  struct Outgoing: Sendable {
    var expiry: UInt32
    /// Nil until a channel has taken it.
    var key: PaymentKey?
  }

  /// The parts of a payment to us.
  struct ReceiveSet: Sendable {
    struct Part: Sendable {
      var key: PaymentKey
      /// `amt_to_forward`
      var amount: MilliSatoshi
      /// What the offer is worth.
      var received: MilliSatoshi
      var expiry: UInt32
    }

    var total: MilliSatoshi
    var parts: [Part] = []
    var startedAt: PaymentTime
    var isHeld = false
    var records: [TLVRecord] = []

    var sum: MilliSatoshi? { parts.reduce(.zero) { $0?.adding($1.amount) } }
    var received: MilliSatoshi { parts.reduce(.zero) { $0.adding($1.received) ?? $0 } }
    var expiry: UInt32 { parts.map(\.expiry).min() ?? 0 }
  }

  /// How many there have been of each.
  struct Counters: BinaryCodable {
    var invoices: UInt64 = 0
    var invoiceChanges: UInt64 = 0
    var paidInvoices: UInt64 = 0
    var payments: UInt64 = 0
    var parts: UInt64 = 0
    var forwards: UInt64 = 0

    init() {}

    init(from reader: inout ByteReader) throws(DecodingError) {
      try reader.readVersion(1)
      invoices = try reader.readUInt64()
      invoiceChanges = try reader.readUInt64()
      paidInvoices = try reader.readUInt64()
      payments = try reader.readUInt64()
      parts = try reader.readUInt64()
      forwards = try reader.readUInt64()
    }

    func encode(to writer: inout ByteWriter) {
      writer.write(1 as UInt8)
      for count in [invoices, invoiceChanges, paidInvoices, payments, parts, forwards] { writer.write(count) }
    }
  }

  /// The counters as they are to be stored.
  var counterChange: RecordChange { RecordChange(.counters, key: [0], value: counters.encoded) }
}
