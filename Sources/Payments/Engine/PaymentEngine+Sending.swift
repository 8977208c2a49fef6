internal import Bitcoin
internal import Encoding
internal import GLC
internal import Hashing
internal import Secp256k1
internal import Sphinx
internal import Wire

// Payments of ours. What all parts of one carry together is never more than what was asked for: an amount is in the queue, on its
// way, or delivered.

extension PaymentEngine {
  /// What the payee is told beside amount and expiry.
  struct PartContents: Sendable {
    var target: PaymentLock
    var paymentSecret: Bytes32?
    var total: MilliSatoshi
    var metadata: [UInt8]?
    var keysendPreimage: Bytes32?
    var records: [TLVRecord]
  }

  /// Sends what is in a payment's queue: all of it, or nothing. What no way is found for is split; when that does not help, the
  /// payment is given up, before anything more is on its way.
  mutating func advance(_ id: PaymentID) {
    while var sending = sendings[id], sending.failure == nil, !sending.queue.isEmpty {
      guard let record = payments[id], record.status == .pending else { return }
      guard now < sending.deadline else {
        return giveUp(id, PaymentFailure(.stoppedRetrying, Self.describe("out of time", sending.latest)))
      }
      let plan: [PaymentRoute]
      do throws(RouteFailure) {
        plan = try makePlan(sending, record)
      } catch {
        return giveUp(id, failure(error, sending))
      }
      guard plan.count <= Int(configuration.maximumAttempts) - Int(record.attempts) else {
        return giveUp(id, PaymentFailure(.stoppedRetrying, Self.describe("too many attempts", sending.latest)))
      }
      sending.queue = []
      let contents = PartContents(
        target: sending.target, paymentSecret: sending.paymentSecret, total: sending.total, metadata: sending.metadata,
        keysendPreimage: sending.keysendPreimage, records: sending.records)
      for route in plan {
        let part = PartID(payment: id, part: sending.nextPart)
        sending.nextPart += 1
        if offer(part, route, contents) {
          sending.inFlight.insert(part.part)
        } else {
          // The same route would be found again.
          sending.queue.append(route.hops[route.hops.count - 1].amount)
          sending.excludedChannels.insert(route.direction(ofHop: 0, from: nodeKey.nodeID))
        }
      }
      sendings[id] = sending
    }
  }

  /// A route for each amount in the queue, or for parts of it.
  private func makePlan(_ sending: Sending, _ record: PaymentRecord) throws(RouteFailure) -> [PaymentRoute] {
    var plan: [PaymentRoute] = []
    var waiting = sending.queue
    while let amount = waiting.popLast() {
      do throws(RouteFailure) {
        plan.append(try findRoute(amount, sending, record, plan: plan, waiting: waiting))
      } catch {
        let count = sending.inFlight.count + plan.count + waiting.count + 1
        let half = MilliSatoshi(amount.rawValue / 2)
        guard half > .zero, half >= configuration.minimumPart, count < sending.maximumParts else { throw error }
        waiting.append(MilliSatoshi(amount.rawValue - half.rawValue))
        waiting.append(half)
      }
    }
    return plan
  }

  private func findRoute(
    _ amount: MilliSatoshi, _ sending: Sending, _ record: PaymentRecord, plan: [PaymentRoute], waiting: [MilliSatoshi]
  ) throws(RouteFailure) -> PaymentRoute {
    var reserved: [ChannelDirection: MilliSatoshi] = [:]
    var spent: UInt64 = 0
    let inFlight = sending.inFlight.compactMap { pendingParts[PartID(payment: record.id, part: $0)] }
    for (route, isTaken) in inFlight.map({ ($0.route, $0.outgoing != nil) }) + plan.map({ ($0, false) }) {
      spent += route.fee?.rawValue ?? 0
      for (index, hop) in route.hops.enumerated() where index > 0 || !isTaken {
        let direction = route.direction(ofHop: index, from: nodeKey.nodeID)
        reserved[direction] = reserved[direction, default: .zero].adding(hop.amount) ?? hop.amount
      }
    }
    let budget = sending.maximumFee.rawValue >= spent ? sending.maximumFee.rawValue - spent : 0
    // A part may cost its share of what is left; more only when there is no other way.
    let rest = waiting.reduce(amount.rawValue) { $0 + $1.rawValue }
    let (high, low) = budget.multipliedFullWidth(by: amount.rawValue)
    let share = high < rest ? rest.dividingFullWidth((high, low)).quotient : budget
    var request = RouteRequest(
      payee: sending.payee, kind: sending.target.kind,
      extraPayloadByteCount: schemes[sending.target.kind]?.payloadByteCount ?? 0, amount: amount,
      finalCLTVDelta: sending.finalCLTVDelta.addingCapped(configuration.finalCLTVSlack),
      hints: sending.hints, maximumFee: MilliSatoshi(share), maximumDelay: sending.maximumDelay,
      excludedNodes: sending.excludedNodes, excludedChannels: sending.excludedChannels, limits: sending.limits,
      reserved: reserved, policies: sending.policies)
    do throws(RouteFailure) {
      return try checked(request)
    } catch {
      guard share < budget, case .tooExpensive = error else { throw error }
      request.maximumFee = MilliSatoshi(budget)
      return try checked(request)
    }
  }

  /// A route is believed only as far as it does what was asked.
  private func checked(_ request: RouteRequest) throws(RouteFailure) -> PaymentRoute {
    let route = try finder.route(request)
    guard route.isPlausible, let first = route.hops.first, let last = route.hops.last, let fee = route.fee,
      last.nodeID == request.payee, last.amount == request.amount, last.delay >= request.finalCLTVDelta
    else { throw .noRoute }
    if let obstacle = obstacle(on: route, to: request.kind) { throw .lockNotCarried(obstacle) }
    guard fee <= request.maximumFee else { throw .tooExpensive(fee) }
    guard first.delay <= request.maximumDelay else { throw .tooSlow(first.delay) }
    return route
  }

  /// Stores and offers a part. False when there is no onion for it, or no channel.
  mutating func offer(_ id: PartID, _ route: PaymentRoute, _ contents: PartContents) -> Bool {
    guard let first = route.hops.first, let last = route.hops.last,
      let channel = ownNames[first.shortChannelID].flatMap({ channels[$0] }), channel.peer == first.nodeID,
      channel.kinds.contains(contents.target.kind),
      route.hops.allSatisfy({ UInt64(height) + UInt64($0.delay) < 500_000_000 }),
      let scheme = schemes[contents.target.kind],
      let locks = try? scheme.locks(
        to: contents.target, hops: route.hops.count, drawing: { entropy.next() }),
      let lock = locks.locks.first, let sessionKey = try? SecretKey(entropy.next()),
      let onion = try? Onion.create(
        sessionKey: sessionKey, hops: onionHops(route, contents, locks),
        associatedDataOfHops: locks.locks.map(scheme.associatedData))
    else { return false }
    counters.parts += 1
    let part = PartRecord(
      id: id, amount: last.amount, amountSent: first.amount, route: route, height: height,
      sharedSecrets: onion.sharedSecrets, lockSecret: locks.secret, createdAt: now, createdIndex: counters.parts)
    add(part)
    if var record = payments[id.payment] {
      record.attempts += 1
      record.parts += 1
      record.amountSent = record.amountSent.adding(first.amount) ?? first.amount
      payments[id.payment] = record
    }
    let origin = OfferOrigin.part(id, attempt: part.createdIndex).encoded
    outgoings[origin] = Outgoing(expiry: height + first.delay)
    actions.append(.store([counterChange] + part.change + [payments[id.payment]?.liveChange].compactMap { $0 }))
    let others = (peers[channel.peer] ?? []).filter {
      $0 != channel.id && channels[$0]?.kinds.contains(lock.kind) == true
    }
    actions.append(
      .offer(
        OutgoingPayment(
          channels: [channel.id] + others, amount: first.amount, lock: lock, expiry: height + first.delay,
          onion: onion.packet.bytes, pathKey: nil, origin: origin)))
    emit(.partSent(part))
    return true
  }

  private func onionHops(_ route: PaymentRoute, _ contents: PartContents, _ locks: RouteLocks) -> [OnionHop] {
    route.hops.enumerated().map { index, hop in
      var payload = HopPayload()
      let next = index + 1 < route.hops.count ? route.hops[index + 1] : hop
      payload.amtToForward = next.amount
      payload.outgoingCLTVValue = height + next.delay
      if index + 1 < route.hops.count {
        payload.shortChannelID = next.shortChannelID
      } else {
        payload.paymentData = contents.paymentSecret.map {
          HopPayload.PaymentData(paymentSecret: $0, totalMsat: contents.total)
        }
        payload.paymentMetadata = contents.metadata
        payload.keysendPreimage = contents.keysendPreimage
        payload.unknown = contents.records
      }
      payload.unknown += locks.records[index]
      return OnionHop(publicKey: hop.nodeID, payload: payload.encoded)
    }
  }

  // MARK: What came of it

  mutating func ended(_ id: PartID, attempt: UInt64, _ origin: [UInt8], _ outcome: PaymentOutcome) {
    guard pendingParts[id]?.createdIndex == attempt, var part = removePart(id) else {
      actions.append(.forgetOutcome(origin: origin))
      return
    }
    part.completedAt = now
    sendings[id.payment]?.inFlight.remove(id.part)
    if case .settled(let witness, let attribution) = outcome, let proof = proof(witness, part) {
      succeeded(&part, proof, attribution)
    } else {
      failed(&part, outcome)
    }
    actions.append(.forgetOutcome(origin: origin))
    if var record = payments[id.payment], record.status == .pending {
      if sendings[id.payment] != nil {
        advance(id.payment)
        finishIfOver(id.payment)
      } else if partCounts[id.payment] == nil {
        // The last part of a payment whose parts are sent one by one, or that a restart has cut short.
        record.status = .failed
        record.completedAt = now
        record.failure = part.failure
        actions.append(.store(changes(keeping: record)))
        emit(.paymentFailed(record))
      }
    }
  }

  /// The payment's secret, if what the first peer gave leads to it.
  private func proof(_ witness: PaymentWitness, _ part: PartRecord) -> Bytes32? {
    guard let scheme = schemes[payments[part.id.payment]?.target?.kind ?? scheme.kind],
      let proof = scheme.proof(of: witness, secret: part.lockSecret), let target = scheme.target(of: proof),
      scheme.identity(of: target) == part.id.payment.paymentHash
    else { return nil }
    return proof
  }

  private mutating func succeeded(_ pending: inout PartRecord, _ preimage: Bytes32, _ attribution: [UInt8]?) {
    pending.status = .complete
    pending.preimage = preimage
    let part = pending
    let id = part.id.payment
    let times =
      attribution.flatMap { try? Attribution($0) }?.fulfilledHoldTimes(sharedSecrets: part.sharedSecrets) ?? []
    var changes = part.change + totals.add(part)
    var completed: PaymentRecord?
    if var record = payments[id] {
      if record.status != .complete {
        record.status = .complete
        record.preimage = preimage
        record.completedAt = now
        record.failure = nil
        completed = record
      }
      changes += self.changes(keeping: record)
    }
    sendings[id] = nil
    actions.append(.store(changes))
    emit(.partSettled(part, holdTimes: times))
    for (index, hop) in part.route.hops.enumerated() {
      emit(.learned(.succeeded(part.route.direction(ofHop: index, from: nodeKey.nodeID), hop.amount)))
    }
    report(times, part)
    if let completed { emit(.paymentSucceeded(completed)) }
  }

  private mutating func failed(_ pending: inout PartRecord, _ outcome: PaymentOutcome) {
    pending.status = .failed
    var times: [UInt32] = []
    let failure = failure(of: pending, outcome, &times)
    pending.failure = failure
    let part = pending
    let id = part.id.payment
    var changes = part.change
    if var record = payments[id] {
      record.parts -= record.parts > 0 ? 1 : 0
      record.amountSent = record.amountSent.subtracting(part.amountSent) ?? .zero
      changes += self.changes(keeping: record)
    }
    actions.append(.store(changes))
    emit(.partFailed(part, holdTimes: times))
    report(times, part)
    guard payments[id]?.status == .pending, sendings[id] != nil else { return }
    sendings[id]?.latest = failure
    if sendings[id]?.failure == nil { sendings[id]?.queue.append(part.amount) }
  }

  private mutating func report(_ holdTimes: [UInt32], _ part: PartRecord) {
    for (hop, time) in zip(part.route.hops, holdTimes) { emit(.learned(.holdTime(hop.nodeID, time))) }
  }

  /// No new parts. What is on its way may still arrive or come back.
  mutating func giveUp(_ id: PaymentID, _ failure: PaymentFailure) {
    guard var sending = sendings[id] else { return }
    sending.failure = sending.failure ?? failure
    sending.queue = []
    sendings[id] = sending
    finishIfOver(id)
  }

  mutating func finishIfOver(_ id: PaymentID) {
    guard let sending = sendings[id], let failure = sending.failure, var record = payments[id],
      record.status == .pending
    else { return }
    guard sending.inFlight.isEmpty else {
      if !sending.isReportedStuck, now >= sending.deadline {
        sendings[id]?.isReportedStuck = true
        emit(.paymentStuck(record))
      }
      return
    }
    record.status = .failed
    record.completedAt = now
    record.failure = failure
    sendings[id] = nil
    actions.append(.store(changes(keeping: record)))
    emit(.paymentFailed(record))
  }

  private static func describe(_ reason: String, _ latest: PaymentFailure?) -> String {
    latest.map { "\(reason); the latest attempt: \($0.message)" } ?? reason
  }

  private func failure(_ error: RouteFailure, _ sending: Sending) -> PaymentFailure {
    switch error {
    case .lockNotCarried(let obstacle): return Self.failure(obstacle, schemes[sending.target.kind] ?? scheme)
    case .noRoute:
      var failure = PaymentFailure(.routeNotFound, Self.describe("no route to the payee", sending.latest))
      failure.failureCode = sending.latest?.failureCode
      failure.erringIndex = sending.latest?.erringIndex
      failure.erringNode = sending.latest?.erringNode
      failure.erringChannel = sending.latest?.erringChannel
      failure.raw = sending.latest?.raw
      return failure
    case .tooExpensive(let fee):
      return PaymentFailure(
        .routeTooExpensive, "the way costs \(fee), more than is allowed: \(sending.maximumFee) in all")
    case .tooSlow(let delay):
      return PaymentFailure(
        .routeTooExpensive, "the way may take \(delay) blocks, more than is allowed: \(sending.maximumDelay)")
    }
  }
}
