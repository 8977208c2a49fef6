import Bitcoin
import Encoding
import GLC
import Hashing
import Payments
import Sphinx
import Testing
import Wire

/// What happens when blocks and time pass (BOLT 2 §`cltv_expiry_delta` Selection).
@Suite struct EngineTimeTests {
  func closes(_ network: SimulatedNetwork, _ node: Int) -> [CloseReason] { network.nodes[node].closes.map(\.2) }

  @Test func anOfferThatIsPastItsExpiryClosesItsChannel() throws {
    var network = try SimulatedNetwork.line(3)
    let invoice = try network.invoice(at: 2, 10_000_000)
    network.interceptsAt = 2
    try network.send(try network.route([0, 1, 2], 10_000_000), invoice)
    try network.run()
    let (_, incoming) = try #require(network.intercepted.first)
    // Until G blocks after its expiry.
    network.mine(incoming.expiry + 1 - network.height)
    #expect(closes(network, 1).isEmpty)
    network.mine()
    #expect(closes(network, 1) == [.offerExpired(incoming.key)])
    #expect(network.nodes[1].closes.first?.0 == incoming.key.channel)
    #expect(network.nodes[1].closes.first?.1 == incoming.expiry + 2)
    // The incoming side stays: the preimage may still appear.
    #expect(network.nodes[1].engine.pendingForwards.count == 1)
    #expect(network.failures().isEmpty)
    // Gone on the chain: now it is safe to give it back.
    let origin = try network.channel(1, 2).offers.joined().first { _ in true }?.value.origin
    network.perform(1, .outcome(origin: try #require(origin), .timedOutOnChain))
    try network.run()
    #expect(network.failureCodes() == [.permanentChannelFailure])
    network.mine(5)
    #expect(closes(network, 1).count == 1)
  }

  @Test func whatWeCanTakeIsTakenOnTheChainBeforeItExpires() throws {
    for restarts in [false, true] {
      var network = try SimulatedNetwork.line(3)
      let invoice = try network.invoice(at: 2, 10_000_000)
      try network.send(try network.route([0, 1, 2], 10_000_000), invoice)
      // Node 2 settles, but node 1 never lets the removal become irrevocable; so does node 0 with node 1.
      while network.nodes[1].engine.pendingForwards.isEmpty || network.removals.isEmpty { _ = network.step() }
      let (channel, _, number) = try #require(network.removals.first)
      network.removals = []
      let key = PaymentKey(channel: channel, id: number)
      if restarts { network.restart(2) }
      let expiry: UInt32 = 1000 + 40
      network.mine(expiry - 18 - network.height)
      #expect(closes(network, 2).isEmpty)
      network.mine()
      #expect(closes(network, 2) == [.claimBeforeExpiry(key)])
      #expect(network.nodes[2].closes.first?.1 == expiry)
    }
  }

  @Test func aForwardedPaymentThatIsSettledIsTakenInTime() throws {
    var network = try SimulatedNetwork.line(3)
    let invoice = try network.invoice(at: 2, 10_000_000)
    try network.send(try network.route([0, 1, 2], 10_000_000), invoice)
    // Everything is irrevocable but node 1's own settlement.
    let first = try network.channel(0, 1).id
    var held: [(ChannelID, side: Int, id: UInt64)] = []
    while true {
      held += network.removals.filter { $0.0 == first }
      network.removals.removeAll { $0.0 == first }
      guard network.step() else { break }
    }
    #expect(held.count == 1)
    network.mine(1000 + 74 - 18 - network.height)
    #expect(closes(network, 1).isEmpty)
    network.mine()
    #expect(closes(network, 1) == [.claimBeforeExpiry(PaymentKey(channel: first, id: 0))])
    network.removals = held
    try network.run()
    #expect(network.settledParts() == 1)
    #expect(network.nodes[1].outcomes.isEmpty)
  }

  @Test func aHeldPaymentGoesBackBeforeItIsTooLate() throws {
    var network = try SimulatedNetwork.line(3)
    let invoice = try network.invoice(at: 2, 10_000_000) { $0.holdHash = sha256([1]) }
    let start = try network.pay(from: 0, invoice.bolt11)
    try network.run()
    // 24 and 3 blocks were asked for; 18 and 3 are kept.
    network.mine(6)
    #expect(network.nodes[2].engine.isHeld(invoice.paymentHash))
    network.mine()
    try network.run()
    #expect(network.nodes[2].engine.invoices[invoice.paymentHash]?.status == .cancelled)
    #expect(try network.payment(start, at: 0).status == .failed)
    #expect(closes(network, 2).isEmpty)
    #expect(throws: InvoiceRefusal.wrongStatus(.cancelled)) {
      try network.nodes[2].engine.settleInvoice(invoice.paymentHash, preimage: sha256([1]), at: network.time)
    }
  }

  @Test func anInvoiceExpiresUnlessItIsBeingPaid() throws {
    var network = try SimulatedNetwork.line(3)
    let invoice = try network.invoice(at: 2, 10_000_000) { $0.expiry = 10 }
    let other = try network.invoice(at: 2, 10_000_000, label: "other") { $0.expiry = 10 }
    try network.send(try network.route([0, 1, 2], 6_000_000), invoice) { $0.total = MilliSatoshi(10_000_000) }
    try network.run()
    #expect(network.nodes[2].engine.nextDeadline == network.time.after(milliseconds: 10_000))
    network.wait(seconds: 10)
    #expect(network.nodes[2].engine.invoices[other.paymentHash]?.status == .expired)
    #expect(network.nodes[2].engine.invoices[invoice.paymentHash]?.status == .unpaid)
    try network.send(try network.route([0, 1, 2], 4_000_000), invoice) {
      $0.total = MilliSatoshi(10_000_000)
      $0.part = 1
    }
    try network.run()
    #expect(network.nodes[2].engine.invoices[invoice.paymentHash]?.status == .paid)
    #expect(throws: PaymentFailure.self) { try network.pay(from: 0, other.bolt11) }
  }

  @Test func aPaymentThatIsStuckIsReportedAndMaySucceedLater() throws {
    var network = try SimulatedNetwork.line(3)
    let preimage = sha256([1])
    let invoice = try network.invoice(at: 2, 10_000_000) { $0.holdHash = sha256(preimage.bytes) }
    let start = try network.pay(from: 0, invoice.bolt11) { $0.limits.retryForSeconds = 30 }
    try network.run()
    #expect(network.nodes[0].engine.nextDeadline == network.time.after(milliseconds: 30_000))
    network.wait(seconds: 30)
    network.wait(seconds: 30)
    let stuck = network.nodes[0].events.filter { if case .paymentStuck = $0 { true } else { false } }
    #expect(stuck.count == 1)
    #expect(network.nodes[0].engine.nextDeadline == nil)
    network.carryOut(
      2, try network.nodes[2].engine.settleInvoice(invoice.paymentHash, preimage: preimage, at: network.time))
    try network.run()
    #expect(try network.payment(start, at: 0).status == .complete)
  }

  @Test func noNewAttemptIsMadeWhenTheTimeIsOver() throws {
    var network = try SimulatedNetwork.line(3)
    let invoice = try network.invoice(at: 2, 10_000_000) { $0.holdHash = sha256([1]) }
    let start = try network.pay(from: 0, invoice.bolt11) { $0.limits.retryForSeconds = 30 }
    try network.run()
    network.wait(seconds: 31)
    network.carryOut(2, try network.nodes[2].engine.cancelInvoice(invoice.paymentHash, at: network.time))
    try network.run()
    let payment = try network.payment(start, at: 0)
    #expect(payment.status == .failed)
    #expect(payment.failure?.code == .stoppedRetrying)
    #expect(payment.attempts == 1)
  }
}

/// What a payer decides beforehand.
@Suite struct EngineLimitTests {
  @Test func whatIsTooExpensiveOrTooSlowIsNotSent() throws {
    var network = try SimulatedNetwork.line(3)
    let invoice = try network.invoice(at: 2, 10_000_000)
    // 1000 msat and 100 millionths: 2000 msat.
    for (fee, delay, expected) in [
      (1999, 2016, PaymentFailure.Code.routeTooExpensive), (2000, 60, .routeTooExpensive), (2000, 61, nil),
    ] as [(UInt64, UInt32, PaymentFailure.Code?)] {
      let start = try network.pay(from: 0, invoice.bolt11) {
        $0.limits.maximumFee = MilliSatoshi(fee)
        $0.limits.maximumDelay = delay
      }
      try network.run()
      #expect(try network.payment(start, at: 0).failure?.code == expected)
      #expect(try network.payment(start, at: 0).attempts == (expected == nil ? 1 : 0))
    }
  }

  @Test func excludedNodesAndChannelsAreAvoided() throws {
    var network = try SimulatedNetwork.line(3)
    let invoice = try network.invoice(at: 2, 10_000_000)
    let middle = network.nodes[1].id
    let start = try network.pay(from: 0, invoice.bolt11) { $0.limits.excludedNodes = [middle] }
    #expect(try network.payment(start, at: 0).failure?.code == .routeNotFound)
    let channel = try network.channel(1, 2).shortChannelID
    let again = try network.pay(from: 0, invoice.bolt11) {
      $0.limits.excludedChannels = [ChannelDirection(channel, direction: 0), ChannelDirection(channel, direction: 1)]
    }
    #expect(try network.payment(again, at: 0).failure?.code == .routeNotFound)
    #expect(network.pendingOffers == 0)
  }

  @Test func nothingLeavesBeforeThereIsAWayForAllOfIt() throws {
    var network = try SimulatedNetwork.line(3)
    let invoice = try network.invoice(at: 2, 1_500_000_000)
    let start = try network.pay(from: 0, invoice.bolt11)
    #expect(try network.payment(start, at: 0).status == .failed)
    #expect(try network.payment(start, at: 0).attempts == 0)
    #expect(try network.payment(start, at: 0).failure?.code == .routeNotFound)
  }

  @Test func aPayeeThatTakesNoPartsGetsNone() throws {
    var network = SimulatedNetwork()
    for _ in 0..<2 { _ = try network.addNode() }
    for _ in 0..<2 { network.connect(0, 1, (60_000_000, 0)) }
    let invoice = try network.invoice(at: 1, 100_000_000)
    var contents = try Bolt11Invoice(decoding: invoice.bolt11).contents
    contents.features[.basicMPP] = nil
    let plain = try contents.sign(with: SimulatedNetwork.secretKey(1))
    let start = try network.pay(from: 0, plain.text)
    #expect(try network.payment(start, at: 0).failure?.code == .routeNotFound)
    let divisible = try network.pay(from: 0, invoice.bolt11)
    try network.run()
    #expect(try network.payment(divisible, at: 0).status == .complete)
  }

  @Test func requestsThatMakeNoSenseAreRefused() throws {
    var network = try SimulatedNetwork.line(3)
    let open = try network.invoice(at: 2, nil, label: "open")
    let fixed = try network.invoice(at: 2, 5_000_000, label: "fixed")
    let own = try network.invoice(at: 0, 5_000_000, label: "own")
    func code(_ bolt11: String, _ configure: (inout PayRequest) -> Void = { _ in }) -> PaymentFailure.Code? {
      var copy = network
      do {
        try copy.pay(from: 0, bolt11, configure)
        return nil
      } catch {
        return (error as? PaymentFailure)?.code
      }
    }
    #expect(code(open.bolt11) == .invalidInvoice)
    #expect(code(open.bolt11) { $0.amount = MilliSatoshi(7) } == nil)
    #expect(code(fixed.bolt11) { $0.amount = MilliSatoshi(7) } == .invalidInvoice)
    #expect(code(fixed.bolt11) { $0.partialAmount = MilliSatoshi(5_000_001) } == .invalidInvoice)
    #expect(code(own.bolt11) == .routeNotFound)
    var contents = try Bolt11Invoice(decoding: fixed.bolt11).contents
    contents.network = .bitcoin
    #expect(code(try contents.sign(with: SimulatedNetwork.secretKey(2)).text) == .invalidInvoice)
    network.wait(seconds: 604_801)
    #expect(code(fixed.bolt11) == .invoiceExpired)
  }

  @Test func twoPayersPayOneInvoiceTogether() throws {
    var network = try SimulatedNetwork.line(3)
    let invoice = try network.invoice(at: 2, 10_000_000)
    let first = try network.pay(from: 0, invoice.bolt11) { $0.partialAmount = MilliSatoshi(4_000_000) }
    try network.run()
    #expect(try network.payment(first, at: 0).status == .pending)
    let second = try network.pay(from: 1, invoice.bolt11) { $0.partialAmount = MilliSatoshi(6_000_000) }
    try network.run()
    #expect(try network.payment(first, at: 0).status == .complete)
    #expect(try network.payment(second, at: 1).status == .complete)
    #expect(network.wealth(2) == 1_010_000_000)
  }

  @Test func invoicesAreRefusedForWhatIsTaken() throws {
    var network = try SimulatedNetwork.line(2)
    let preimage = sha256([1])
    let invoice = try network.invoice(at: 1, 5_000_000) { $0.preimage = preimage }
    #expect(throws: InvoiceRefusal.labelExists("label")) { try network.invoice(at: 1, 5_000_000) }
    #expect(throws: InvoiceRefusal.preimageExists) {
      try network.invoice(at: 1, 5_000_000, label: "b") { $0.preimage = preimage }
    }
    #expect(throws: InvoiceRefusal.deltaTooSmall(18)) {
      try network.invoice(at: 1, 5_000_000, label: "c") { $0.minFinalCLTVExpiryDelta = 17 }
    }
    let (_, actions) = try network.nodes[1].engine.deleteInvoice(
      invoice.paymentHash, status: .unpaid, at: network.time)
    network.carryOut(1, actions)
    #expect(network.nodes[1].records[.invoices]?.isEmpty == true)
    _ = try network.invoice(at: 1, 5_000_000)
  }
}
