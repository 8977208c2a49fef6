internal import Bitcoin
public import Encoding
internal import GLC
internal import Hashing
internal import Secp256k1
internal import Sphinx
internal import Wire

extension PaymentEngine {
  /// A payment that is being sent: what its record does not say.
  struct Sending: Sendable {
    var payee: PublicKey
    var target: PaymentLock
    var paymentSecret: Bytes32?
    /// `total_msat`
    var total: MilliSatoshi
    var metadata: [UInt8]?
    var keysendPreimage: Bytes32?
    var records: [TLVRecord]
    var finalCLTVDelta: UInt32
    var hints: [[Bolt11Invoice.RouteHop]]
    var maximumFee: MilliSatoshi
    var maximumDelay: UInt32
    var maximumParts: Int
    var deadline: PaymentTime

    /// Amounts that no part carries yet.
    var queue: [MilliSatoshi]
    /// A set, by number.
    var inFlight: Set<UInt64> = []
    var nextPart: UInt64 = 1
    var excludedNodes: Set<PublicKey>
    var excludedChannels: Set<ChannelDirection>
    var limits: [ChannelDirection: MilliSatoshi] = [:]
    var policies: [ChannelDirection: ForwardingPolicy] = [:]
    var destinationFailures: UInt32 = 0
    /// Why no new parts are sent.
    var failure: PaymentFailure?
    /// The latest that a part came back with.
    var latest: PaymentFailure?
    var isReportedStuck = false
  }

  /// Pays an invoice. A payment hash is paid once: when it is already, that payment is returned. To be recalled before: payments with the
  /// same payment hash.
  /// - Throws: why it is not even tried.
  public mutating func pay(
    _ request: PayRequest, at time: PaymentTime
  ) throws(PaymentFailure) -> (PaymentStart, [PaymentAction]) {
    begin(at: time)
    let contents = request.invoice.contents
    guard contents.network.invoicePrefix == configuration.network.invoicePrefix else {
      throw PaymentFailure(.invalidInvoice, "the invoice is for another network")
    }
    guard let total = contents.amount ?? request.amount, total > .zero else {
      throw PaymentFailure(.invalidInvoice, "the invoice names no amount: say how much to pay")
    }
    if let amount = request.amount, contents.amount != nil, amount != total {
      throw PaymentFailure(.invalidInvoice, "the invoice names its amount: \(total)")
    }
    let amount = request.partialAmount ?? total
    guard amount > .zero, amount <= total else {
      throw PaymentFailure(.invalidInvoice, "a part of the invoice is more than nothing and at most \(total)")
    }
    if let start = try previous(contents.paymentHash, destination: request.invoice.payee, amount: amount) {
      return (start, finish())
    }
    // BOLT 11: MUST NOT attempt the payment after `timestamp` plus `expiry` seconds have passed.
    guard now.seconds < contents.expiresAt else {
      throw PaymentFailure(.invoiceExpired, "the invoice has expired")
    }
    guard request.invoice.payee != nodeKey.nodeID else {
      throw PaymentFailure(.routeNotFound, "the invoice is our own")
    }
    guard let target = schemes.values.lazy.compactMap({ $0.target(of: contents) }).first else {
      throw PaymentFailure(.lockNotCarried, "the invoice asks for a payment of a kind that this node does not know")
    }
    let delta = contents.minFinalCLTVExpiryDelta ?? Bolt11Invoice.Contents.defaultMinFinalCLTVExpiryDelta
    // BOLT 11: if the `basic_mpp` feature is offered: MAY pay using multiple parts.
    let isDivisible = contents.features.offers(.basicMPP)
    guard isDivisible || request.partialAmount == nil || amount == total else {
      throw PaymentFailure(.invalidInvoice, "the payee takes no payments in parts")
    }
    let text: String?
    if case .text(let said) = contents.description { text = said } else { text = nil }
    let id = start(
      contents.paymentHash,
      Sending(
        payee: request.invoice.payee, target: target, paymentSecret: contents.paymentSecret, total: total,
        metadata: contents.metadata, records: [], finalCLTVDelta: UInt32(clamping: delta),
        hints: contents.routeHints, maximumFee: request.limits.maximumFee(for: amount),
        maximumDelay: request.limits.maximumDelay,
        maximumParts: isDivisible ? request.limits.maximumParts ?? configuration.maximumParts : 1,
        deadline: now.after(milliseconds: request.limits.retryForSeconds.multipliedCapped(by: 1000)),
        queue: [amount], excludedNodes: request.limits.excludedNodes,
        excludedChannels: request.limits.excludedChannels),
      amount: amount, bolt11: request.invoice.text, label: request.label, description: request.description ?? text)
    return (.started(id), finish())
  }

  /// Pays a node without an invoice.
  public mutating func keysend(
    _ request: KeysendRequest, at time: PaymentTime
  ) throws(PaymentFailure) -> (PaymentStart, [PaymentAction]) {
    begin(at: time)
    guard request.amount > .zero else { throw PaymentFailure(.invalidInvoice, "an amount of nothing") }
    guard request.destination != nodeKey.nodeID else {
      throw PaymentFailure(.routeNotFound, "the destination is ourselves")
    }
    let preimage = entropy.next()
    guard let target = scheme.target(paymentHash: sha256(preimage.bytes)) else {
      throw PaymentFailure(.lockNotCarried, "this node knows no payments by hash")
    }
    let id = start(
      sha256(preimage.bytes),
      Sending(
        payee: request.destination, target: target, total: request.amount, keysendPreimage: preimage,
        records: request.records,
        finalCLTVDelta: request.finalCLTVDelta, hints: request.hints,
        maximumFee: request.limits.maximumFee(for: request.amount), maximumDelay: request.limits.maximumDelay,
        maximumParts: 1,
        deadline: now.after(milliseconds: request.limits.retryForSeconds.multipliedCapped(by: 1000)),
        queue: [request.amount], excludedNodes: request.limits.excludedNodes,
        excludedChannels: request.limits.excludedChannels),
      amount: request.amount, bolt11: nil, label: request.label, description: nil)
    return (.started(id), finish())
  }

  /// Sends one part on a given route, once. Several with the same hash and group make one payment. To be recalled before: payments with the
  /// same payment hash.
  public mutating func send(
    _ request: RouteSendRequest, at time: PaymentTime
  ) throws(PaymentFailure) -> (PaymentStart, [PaymentAction]) {
    begin(at: time)
    guard let last = request.route.hops.last, request.route.isPlausible else {
      throw PaymentFailure(.unspecified, "the route is empty, or its amounts and delays do not fall towards its end")
    }
    guard let target = request.target ?? scheme.target(paymentHash: request.paymentHash),
      let scheme = schemes[target.kind], scheme.identity(of: target) == request.paymentHash
    else { throw PaymentFailure(.lockNotCarried, "what is to be paid is none of the kinds that this node knows") }
    try checkCarried(request.route, scheme)
    let earlier = (paymentGroups[request.paymentHash] ?? []).compactMap { payments[$0] }
    if let done = earlier.first(where: { $0.status == .complete }) {
      guard done.destination == last.nodeID else {
        throw PaymentFailure(.alreadyUsed, "this payment hash was paid to another node already")
      }
      return (.complete(done), finish())
    }
    let pending = earlier.first { $0.status == .pending }
    if let pending, sendings[pending.id] != nil {
      throw PaymentFailure(.inProgress, "this payment hash is being paid already")
    }
    if let pending, let group = request.group, pending.id.group != group {
      throw PaymentFailure(.inProgress, "this payment hash is being paid already, in group \(pending.id.group)")
    }
    let id = pending?.id ?? PaymentID(paymentHash: request.paymentHash, group: request.group ?? newGroup())
    let partID = PartID(payment: id, part: request.part)
    guard pendingParts[partID] == nil else {
      throw PaymentFailure(.inProgress, "this part is on its way already")
    }
    let total = request.total ?? last.amount
    let others = pendingParts.values.filter { $0.id.payment == id }
    guard let sum = others.reduce(last.amount, { $0?.adding($1.amount) }), sum <= total || others.isEmpty else {
      throw PaymentFailure(.alreadyUsed, "all parts together would be more than \(total)")
    }
    let before = payments[id]
    if let before {
      // It was over, and is tried again.
      if isOver(before) { actions.append(.store(before.removals)) }
    } else {
      counters.payments += 1
      payments[id] = PaymentRecord(
        id: id, target: request.target, destination: last.nodeID, amount: total, bolt11: request.bolt11,
        label: request.label,
        description: request.description, createdAt: now, createdIndex: counters.payments)
      paymentGroups[request.paymentHash, default: []].append(id)
    }
    payments[id]?.status = .pending
    payments[id]?.failure = nil
    payments[id]?.completedAt = nil
    let sent = offer(
      partID, request.route,
      PartContents(
        target: target, paymentSecret: request.paymentSecret, total: total, metadata: request.metadata,
        keysendPreimage: request.keysendPreimage, records: request.records))
    guard sent else {
      if let before { payments[id] = before } else { drop(id) }
      throw PaymentFailure(.unspecified, "no onion can be made for this route, or its first channel is not ours")
    }
    return (.started(id), finish())
  }

  /// Nothing is sent on a route of which a channel does not carry such locks.
  private func checkCarried(_ route: PaymentRoute, _ scheme: any PaymentScheme) throws(PaymentFailure) {
    if let obstacle = obstacle(on: route, to: scheme.kind) { throw Self.failure(obstacle, scheme) }
  }

  /// The first channel on a route that does not carry payments of a kind, as far as we know: of our own channel we always do.
  func obstacle(on route: PaymentRoute, to kind: ExtensionID) -> ChannelDirection? {
    if let first = route.hops.first, let channel = ownNames[first.shortChannelID].flatMap({ channels[$0] }),
      !channel.kinds.contains(kind)
    {
      return route.direction(ofHop: 0, from: nodeKey.nodeID)
    }
    return finder.obstacle(on: route, to: kind)
  }

  static func failure(_ obstacle: ChannelDirection, _ scheme: any PaymentScheme) -> PaymentFailure {
    PaymentFailure(
      .lockNotCarried, "the way leads through channel \(obstacle), which does not carry \(scheme.name)",
      erringChannel: obstacle)
  }

  /// Forgets a payment that has failed or succeeded.
  public mutating func deletePayment(_ id: PaymentID, at time: PaymentTime) -> [PaymentAction] {
    begin(at: time)
    guard let record = payments[id], isOver(record) else { return finish() }
    drop(id)
    deletedPayments.insert(id)
    leave(.deletedPayment(id))
    actions.append(.store(record.removals))
    return finish()
  }

  /// All payments with this hash.
  public func payments(withHash paymentHash: Bytes32) -> [PaymentRecord] {
    (paymentGroups[paymentHash] ?? []).compactMap { payments[$0] }
  }

  // MARK: Parts

  /// The payment that this hash was, or is being, paid by.
  private func previous(
    _ paymentHash: Bytes32, destination: PublicKey, amount: MilliSatoshi
  ) throws(PaymentFailure) -> PaymentStart? {
    for id in paymentGroups[paymentHash] ?? [] {
      guard let record = payments[id] else { continue }
      switch record.status {
      case .failed: continue
      case .pending: throw PaymentFailure(.inProgress, "this payment hash is being paid already")
      case .complete:
        guard record.destination == destination, record.amount == amount else {
          throw PaymentFailure(.alreadyUsed, "this payment hash was paid already, with \(record.amount)")
        }
        return .complete(record)
      }
    }
    return nil
  }

  private mutating func newGroup() -> UInt64 { entropy.nextUInt64() >> 1 }

  private mutating func start(
    _ paymentHash: Bytes32, _ sending: Sending, amount: MilliSatoshi, bolt11: String?, label: String?,
    description: String?
  ) -> PaymentID {
    let id = PaymentID(paymentHash: paymentHash, group: newGroup())
    counters.payments += 1
    let record = PaymentRecord(
      id: id, target: sending.target == scheme.target(paymentHash: paymentHash) ? nil : sending.target,
      destination: sending.payee, amount: amount, bolt11: bolt11, label: label, description: description,
      createdAt: now, createdIndex: counters.payments)
    paymentGroups[paymentHash, default: []].append(id)
    sendings[id] = sending
    actions.append(.store([counterChange] + changes(keeping: record)))
    advance(id)
    return id
  }
}

extension PaymentRoute {
  /// Whether amounts and delays never grow from hop to hop.
  var isPlausible: Bool {
    !hops.isEmpty && zip(hops, hops.dropFirst()).allSatisfy { $0.amount >= $1.amount && $0.delay >= $1.delay }
      && hops.allSatisfy { $0.amount > .zero }
  }
}

extension UInt64 {
  func multipliedCapped(by factor: UInt64) -> UInt64 {
    let (product, overflow) = multipliedReportingOverflow(by: factor)
    return overflow ? .max : product
  }
}

extension UInt32 {
  func addingCapped(_ other: UInt32) -> UInt32 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
