import Bitcoin
import Encoding
import GLC
import Hashing
import Payments
import Secp256k1
import Sphinx
import Testing
import Wire

/// Payments locked by points, over the same engines.
@Suite struct PointPaymentTests {
  private static func points(_ terms: inout InvoiceTerms) { terms.kind = pointKind }

  private func point(of record: InvoiceRecord) throws -> PublicKey {
    let target = try #require(record.target)
    #expect(target.kind == pointKind)
    return try #require(PublicKey(parsing: target.bytes))
  }

  /// That no two of these points are equal, opposite, or as far from each other as two others are.
  private func expectUnrelated(_ points: [PublicKey]) throws {
    var seen: Set<PublicKey> = []
    for point in points {
      #expect(seen.insert(point).inserted)
      #expect(seen.insert(point.negated()).inserted)
    }
    var sums: Set<PublicKey> = []
    var differences: Set<PublicKey> = []
    for (index, a) in points.enumerated() {
      for b in points[..<index] {
        let sum = try a + b
        #expect(!seen.contains(sum) && sums.insert(sum).inserted, "a sum of two is another, or another sum")
        let difference = try a + b.negated()
        #expect(!seen.contains(difference) && !differences.contains(difference))
        #expect(differences.insert(difference).inserted)
        #expect(differences.insert(difference.negated()).inserted)
      }
    }
    #expect(sums.isDisjoint(with: differences))
  }

  @Test(arguments: [2, 3, 4, 6])
  func anInvoiceWithAPointIsPaidOverSoManyNodes(count: Int) throws {
    var network = try SimulatedNetwork.line(count)
    let payee = count - 1
    let invoice = try network.invoice(at: payee, 50_000_000, Self.points)
    let before = (0..<count).map(network.wealth)
    let start = try network.pay(from: 0, invoice.bolt11)
    try network.run()
    let payment = try network.payment(start, at: 0)
    #expect(payment.status == .complete)
    // The proof is the discrete logarithm of the invoice's point.
    let proof = try #require(payment.preimage)
    #expect(try SecretKey(proof).publicKey == point(of: invoice))
    #expect(network.nodes[payee].engine.invoices[invoice.paymentHash]?.status == .paid)
    #expect(network.wealth(payee) == before[payee] + 50_000_000)
    #expect(network.wealth(0) == before[0] - payment.amountSent.rawValue)
    #expect(network.pendingOffers == 0)
    #expect(network.nodes.allSatisfy { $0.outcomes.isEmpty })
    // Nobody on the way sees what another one sees, nor what the invoice says.
    let locks = network.offered.map(\.lock)
    #expect(locks.count == count - 1)
    #expect(locks.allSatisfy { $0.kind == pointKind })
    try expectUnrelated(try locks.map { try #require(PublicKey(parsing: $0.bytes)) } + [point(of: invoice)])
    // Only hold times of those who are on the route come back, all of them proven.
    let times = network.nodes[0].events.compactMap { event -> [UInt32]? in
      if case .partSettled(_, let times) = event { times } else { nil }
    }
    #expect(times.map(\.count) == [count - 1])
  }

  @Test func allPartsAreLockedByUnrelatedPoints() throws {
    var network = SimulatedNetwork()
    for _ in 0..<5 { _ = try network.addNode() }
    for middle in 1...3 {
      network.connect(0, middle, (60_000_000, 0))
      network.connect(middle, 4, (60_000_000, 0))
    }
    let invoice = try network.invoice(at: 4, 150_000_000, Self.points)
    let start = try network.pay(from: 0, invoice.bolt11)
    try network.run()
    let payment = try network.payment(start, at: 0)
    #expect(payment.status == .complete)
    #expect(payment.parts >= 3)
    #expect(network.wealth(4) == 150_000_000)
    #expect(network.offered.count == 2 * Int(payment.parts))
    try expectUnrelated(
      try network.offered.map { try #require(PublicKey(parsing: $0.lock.bytes)) } + [point(of: invoice)])
  }

  @Test func aPartThatIsTriedAgainHasOtherPoints() throws {
    var network = SimulatedNetwork()
    for _ in 0..<4 { _ = try network.addNode() }
    network.connect(0, 1, (100_000_000, 0))
    network.connect(0, 2, (100_000_000, 0))
    network.connect(1, 3, (1000, 100_000_000), feeBase: 1)
    network.connect(2, 3, (100_000_000, 0), feeBase: 2000)
    let invoice = try network.invoice(at: 3, 50_000_000, Self.points)
    let start = try network.pay(from: 0, invoice.bolt11)
    try network.run()
    let payment = try network.payment(start, at: 0)
    #expect(payment.status == .complete)
    #expect(payment.attempts == 2)
    #expect(network.failureCodes() == [.temporaryChannelFailure])
    #expect(network.failures().first?.erringNode == network.nodes[1].id)
    try expectUnrelated(try network.offered.map { try #require(PublicKey(parsing: $0.lock.bytes)) })
  }

  @Test func aHoldInvoiceOutlivesARestartAndIsSettledByItsScalarAlone() throws {
    var network = try SimulatedNetwork.line(4)
    let secret = sha256([7])
    let target = try #require(PointLocks(kind: pointKind).target(of: secret))
    let invoice = try network.invoice(at: 3, 50_000_000) { $0.holdTarget = target }
    #expect(invoice.preimage == nil)
    let start = try network.pay(from: 0, invoice.bolt11)
    try network.run()
    #expect(network.nodes[3].engine.isHeld(invoice.paymentHash))
    #expect(throws: InvoiceRefusal.wrongPreimage) {
      try network.nodes[3].engine.settleInvoice(invoice.paymentHash, preimage: sha256([8]), at: network.time)
    }
    for node in [3, 2, 1, 0] { network.crash(node) }
    #expect(network.nodes[3].engine.isHeld(invoice.paymentHash))
    network.carryOut(
      3, try network.nodes[3].engine.settleInvoice(invoice.paymentHash, preimage: secret, at: network.time))
    try network.run()
    // The payer was restarted: whoever asked is gone, but the proof is kept.
    #expect(try network.payment(start, at: 0).preimage == secret)
    #expect(network.pendingOffers == 0)
    #expect(network.wealth(3) == 1_050_000_000)
  }

  @Test func aHoldInvoiceThatIsCancelledPaysBack() throws {
    var network = try SimulatedNetwork.line(3)
    let target = try #require(PointLocks(kind: pointKind).target(of: sha256([9])))
    let invoice = try network.invoice(at: 2, 50_000_000) { $0.holdTarget = target }
    let before = network.wealth(0)
    let start = try network.pay(from: 0, invoice.bolt11)
    try network.run()
    network.carryOut(2, try network.nodes[2].engine.cancelInvoice(invoice.paymentHash, at: network.time))
    try network.run()
    #expect(try network.payment(start, at: 0).status == .failed)
    #expect(network.wealth(0) == before)
  }

  @Test func aForwarderThatDiesWithTheSecretOnItsWayTakesItsPayment() throws {
    for seed in 0..<20 as Range<UInt64> {
      var network = try SimulatedNetwork.line(4, seed: seed)
      let invoice = try network.invoice(at: 3, 50_000_000, Self.points)
      let before = (0..<4).map(network.wealth)
      let start = try network.pay(from: 0, invoice.bolt11)
      // Dies again and again, at each step.
      var steps = 0
      while network.step() {
        steps += 1
        if steps % 2 == 0 { network.crash(1 + steps / 2 % 2) }
        try #require(steps < 1000)
      }
      let payment = try network.payment(start, at: 0)
      #expect(payment.status == .complete, "seed \(seed)")
      #expect(network.pendingOffers == 0, "seed \(seed)")
      #expect(network.wealth(3) == before[3] + 50_000_000)
      #expect(network.wealth(1) > before[1] && network.wealth(2) > before[2])
    }
  }

  // MARK: Kinds

  @Test func aWayThatDoesNotCarryPointsIsRefusedBeforeAnythingIsSent() throws {
    var network = SimulatedNetwork()
    for _ in 0..<4 { _ = try network.addNode() }
    network.connect(0, 1, (100_000_000, 0))
    let plain = network.connect(1, 2, (100_000_000, 0), kinds: [hashKind])
    network.connect(2, 3, (100_000_000, 0))
    let invoice = try network.invoice(at: 3, 50_000_000, Self.points)
    let direction = ChannelDirection(
      try #require(network.channels[plain]).shortChannelID, from: network.nodes[1].id, to: network.nodes[2].id)
    let start = try network.pay(from: 0, invoice.bolt11)
    let payment = try network.payment(start, at: 0)
    #expect(payment.status == .failed)
    #expect(payment.failure?.code == .lockNotCarried)
    #expect(payment.failure?.erringChannel == direction)
    #expect(payment.attempts == 0)
    #expect(network.offered.isEmpty)
    // Nor on a route that is given.
    let route = try network.route([0, 1, 2, 3], 50_000_000)
    #expect(throws: PaymentFailure.self) {
      try network.send(route, invoice) { $0.target = invoice.target }
    }
    #expect(network.offered.isEmpty)
    // A payment by hash takes the same way.
    let hash = try network.invoice(at: 3, 50_000_000, label: "hash")
    let other = try network.pay(from: 0, hash.bolt11)
    try network.run()
    #expect(try network.payment(other, at: 0).status == .complete)
  }

  @Test func anotherWayIsTakenRoundAChannelWithoutPoints() throws {
    var network = SimulatedNetwork()
    for _ in 0..<4 { _ = try network.addNode() }
    network.connect(0, 1, (100_000_000, 0))
    network.connect(1, 3, (100_000_000, 0), feeBase: 0, feePpm: 0, kinds: [hashKind])
    network.connect(0, 2, (100_000_000, 0))
    network.connect(2, 3, (100_000_000, 0), feeBase: 5000)
    let invoice = try network.invoice(at: 3, 50_000_000, Self.points)
    let start = try network.pay(from: 0, invoice.bolt11)
    try network.run()
    #expect(try network.payment(start, at: 0).status == .complete)
    #expect(Set(network.offered.map(\.by)) == [0, 2])
  }

  @Test func aHopWhoseNextChannelDoesNotCarryPointsSaysSo() throws {
    var network = SimulatedNetwork()
    for _ in 0..<3 { _ = try network.addNode() }
    network.connect(0, 1, (100_000_000, 0))
    let second = network.connect(1, 2, (100_000_000, 0))
    let invoice = try network.invoice(at: 2, 50_000_000, Self.points)
    let start = try network.pay(from: 0, invoice.bolt11)
    // It changes while the payment is on its way.
    network.channels[second]!.kinds = [hashKind]
    network.perform(1, .channel(network.description(of: second, for: 1)))
    try network.run()
    #expect(try network.payment(start, at: 0).status == .failed)
    #expect(network.failureCodes() == [.requiredChannelFeatureMissing])
    #expect(network.failures().first?.erringNode == network.nodes[1].id)
  }

  /// A payment of one kind whose lock, on its way to node 1, becomes another.
  private func changed(
    _ invoice: (inout InvoiceTerms) -> Void, _ change: (inout IncomingPayment) throws -> Void
  ) throws -> SimulatedNetwork {
    var network = try SimulatedNetwork.line(3)
    let record = try network.invoice(at: 2, 50_000_000, invoice)
    network.interceptsAt = 1
    try network.pay(from: 0, record.bolt11) { $0.limits.retryForSeconds = 1 }
    network.interceptsAt = nil
    var payments = network.intercepted
    network.intercepted = []
    for index in payments.indices { try change(&payments[index].1) }
    for (node, payment) in payments { network.perform(node, .incoming(payment)) }
    return network
  }

  @Test func aPointInPlaceOfAHashIsRefused() throws {
    let lock = PaymentLock(kind: pointKind, bytes: try SecretKey(sha256([1])).publicKey.array)
    var network = try changed({ _ in }, { $0.lock = lock })
    // The onion is bound to the lock.
    try network.run()
    #expect(network.failureCodes() == [.invalidOnionHMAC])
    network = try changed(Self.points) { $0.lock = PaymentLock(kind: hashKind, bytes: sha256([1]).array) }
    try network.run()
    #expect(network.failureCodes() == [.invalidOnionHMAC])
  }

  /// Offers that somebody makes by hand: an onion for node 1 alone, or for 1 and 2.
  private func refusal(
    lock: PaymentLock, _ payloads: [HopPayload], _ network: inout SimulatedNetwork
  ) throws -> FailureMessage.Failure? {
    let hops = payloads.enumerated().map { index, payload in
      OnionHop(publicKey: network.nodes[index + 1].id, payload: payload.encoded)
    }
    let onion = try Onion.create(
      sessionKey: SecretKey(sha256(Array("\(network.time.milliseconds)".utf8))), hops: hops,
      associatedData: lock.bytes)
    network.time = network.time.after(milliseconds: 1)
    let channel = try network.channel(0, 1)
    let actions = network.nodes[1].engine.handle(
      .incoming(
        IncomingPayment(
          key: PaymentKey(channel: channel.id, id: network.time.milliseconds), amount: MilliSatoshi(1_000_000),
          lock: lock,
          expiry: network.height + 200, onion: onion.packet.bytes)), at: network.time)
    for action in actions {
      switch action {
      case .fail(_, let reason, let attribution):
        let packet = FailurePacket(reason: reason, attribution: try attribution.map { try Attribution($0) })
        let received = packet.unwrap(sharedSecrets: onion.sharedSecrets)
        guard let message = received.message else { return nil }
        return try FailureMessage(decoding: message).failure
      case .offer: return nil
      default: continue
      }
    }
    return nil
  }

  @Test func tweaksBelongToPointsAndPointsNeedThem() throws {
    var network = try SimulatedNetwork.line(3)
    let next = try network.channel(1, 2).shortChannelID
    let hash = PaymentLock(kind: hashKind, bytes: sha256([1]).array)
    let point = PaymentLock(kind: pointKind, bytes: try SecretKey(sha256([1])).publicKey.array)
    let tweak = sha256([2]).array
    var forward = HopPayload()
    forward.amtToForward = MilliSatoshi(900_000)
    forward.outgoingCLTVValue = network.height + 100
    forward.shortChannelID = next
    var final = HopPayload()
    final.amtToForward = MilliSatoshi(1_000_000)
    final.outgoingCLTVValue = network.height + 100
    final.paymentData = HopPayload.PaymentData(paymentSecret: sha256([3]), totalMsat: MilliSatoshi(1_000_000))
    func with(_ payload: HopPayload, _ types: UInt64...) -> HopPayload {
      var payload = payload
      payload.unknown = types.map { TLVRecord(type: $0, value: tweak) }
      return payload
    }
    let (hop, payee) = (PointLocks.hopTweakType, PointLocks.payeeTweakType)
    func offset(_ payload: HopPayload) -> UInt16 { UInt16(payload.encoded.count) }

    // A hop gets a point without a tweak, or with the payee's.
    #expect(try refusal(lock: point, [forward, final], &network) == .invalidOnionPayload(type: hop, offset: 0))
    #expect(
      try refusal(lock: point, [with(forward, payee), final], &network)
        == .invalidOnionPayload(type: payee, offset: offset(forward)))
    // A hash with tweaks.
    #expect(
      try refusal(lock: hash, [with(forward, hop), final], &network)
        == .invalidOnionPayload(type: hop, offset: offset(forward)))
    #expect(
      try refusal(lock: hash, [with(final, payee)], &network)
        == .invalidOnionPayload(type: payee, offset: offset(final)))
    // The payee without its tweak, or with a hop's.
    #expect(try refusal(lock: point, [final], &network) == .invalidOnionPayload(type: payee, offset: 0))
    #expect(
      try refusal(lock: point, [with(final, hop)], &network)
        == .invalidOnionPayload(type: hop, offset: offset(final)))
    // What is well-formed goes through, or is unknown.
    #expect(try refusal(lock: point, [with(forward, hop), final], &network) == nil)
    #expect(
      try refusal(lock: point, [with(final, payee)], &network)
        == .incorrectOrUnknownPaymentDetails(htlcMsat: MilliSatoshi(1_000_000), height: network.height))
  }

  @Test func anInvoiceWithAPointIsNotPaidByAHash() throws {
    var network = try SimulatedNetwork.line(2)
    let invoice = try network.invoice(at: 1, 50_000_000, Self.points)
    // Its name is no hash that anybody knows a preimage of; who pays it all the same gets it back.
    try network.send(try network.route([0, 1], 50_000_000), invoice)
    try network.run()
    #expect(network.failureCodes() == [.incorrectOrUnknownPaymentDetails])
    #expect(network.nodes[1].engine.invoices[invoice.paymentHash]?.status == .unpaid)
    #expect(network.pendingOffers == 0)
    // And the other way round.
    let hash = try network.invoice(at: 1, 50_000_000, label: "hash")
    #expect(throws: PaymentFailure.self) {
      try network.send(try network.route([0, 1], 50_000_000), hash) { $0.target = invoice.target }
    }
  }

  @Test func paymentsOfBothKindsShareTheChannels() throws {
    var network = try SimulatedNetwork.line(4)
    var starts: [PaymentStart] = []
    let before = network.wealth(3)
    for index in 0..<20 {
      let invoice = try network.invoice(at: 3, 1_000_000, label: "\(index)") {
        if index.isMultiple(of: 2) { $0.kind = pointKind }
      }
      starts.append(try network.pay(from: 0, invoice.bolt11))
      if index % 3 == 0 { _ = network.step() }
    }
    try network.run()
    for start in starts { #expect(try network.payment(start, at: 0).status == .complete) }
    #expect(network.wealth(3) == before + 20_000_000)
    #expect(Set(network.offered.map(\.lock.kind)) == [hashKind, pointKind])
    #expect(network.pendingOffers == 0)
  }

  @Test func aNodeThatKnowsNoPointsDoesNotPayThem() throws {
    var network = try SimulatedNetwork.line(2)
    let invoice = try network.invoice(at: 1, 50_000_000, Self.points)
    var engine = try PaymentEngine(
      configuration: network.nodes[0].configuration, nodeKey: network.nodes[0].key, finder: network.nodes[0].finder,
      schemes: [HashLocks(kind: hashKind)], height: network.height, now: network.time, entropy: sha256([1]))
    let request = PayRequest(try Bolt11Invoice(decoding: invoice.bolt11))
    do {
      _ = try engine.pay(request, at: network.time)
      Issue.record("it was tried")
    } catch {
      #expect(error.code == .lockNotCarried)
    }
    #expect(throws: InvoiceRefusal.unknownKind) {
      var terms = InvoiceTerms(amount: nil, label: "x", description: "x")
      terms.kind = pointKind
      _ = try engine.createInvoice(terms, at: network.time)
    }
    // An offer with a lock that it does not know comes back as it is.
    let actions = engine.handle(
      .incoming(
        IncomingPayment(
          key: PaymentKey(channel: .all, id: 0), amount: MilliSatoshi(1), lock: try #require(invoice.target),
          expiry: 2000,
          onion: [UInt8](repeating: 0, count: 1366))), at: network.time)
    #expect(actions.contains { if case .failMalformed = $0 { true } else { false } })
  }

  // MARK: Stored forms

  @Test func recordsOfTheFirstVersionAreRead() throws {
    var network = try SimulatedNetwork.line(3)
    let invoice = try network.invoice(at: 2, 50_000_000)
    try network.pay(from: 0, invoice.bolt11)
    try network.run()
    // The second version has one field more, at the end: empty for a payment by hash.
    func first(_ bytes: [UInt8]) -> [UInt8] { [1] + bytes.dropFirst().dropLast() }
    for value in network.nodes[2].records[.pastInvoices, default: [:]].values {
      #expect(try InvoiceRecord(decoding: first(value).bytes).encoded == value)
    }
    for value in network.nodes[0].records[.pastPayments, default: [:]].values {
      #expect(try PaymentRecord(decoding: first(value).bytes).encoded == value)
    }
    for value in network.nodes[0].records[.pastParts, default: [:]].values {
      #expect(try PartRecord(decoding: first(value).bytes).encoded == value)
    }
    #expect(network.nodes[0].records[.pastParts]?.count == 1)
  }
}
