import Bitcoin
import Encoding
import GLC
import Hashing
import Payments
import Sphinx
import Testing
import Wire

/// What is over leaves the engine as soon as it is stored, and is told again to whoever asks about it.
@Suite struct PastRecordTests {
  private func forgetful(_ count: Int = 2) throws -> SimulatedNetwork {
    var network = try SimulatedNetwork.line(count)
    network.forgets = true
    return network
  }

  /// A payment from the first node to the last that is over.
  private func paid(_ network: inout SimulatedNetwork, label: String = "label") throws -> InvoiceRecord {
    let payee = network.nodes.count - 1
    let invoice = try network.invoice(at: payee, 5_000_000, label: label)
    let start = try network.pay(from: 0, invoice.bolt11)
    try network.run()
    #expect(try network.payment(start, at: 0).status == .complete)
    return invoice
  }

  @Test(arguments: [false, true]) func anEngineRemembersNothingOfWhatIsOver(restarts: Bool) throws {
    var network = try forgetful(3)
    _ = try paid(&network)
    if restarts { for node in 0..<3 { network.restart(node) } }
    for node in network.nodes {
      #expect(node.engine.invoices.isEmpty)
      #expect(node.engine.payments.isEmpty)
      #expect(node.engine.pendingParts.isEmpty)
      for collection in [RecordCollection.invoices, .payments, .parts, .pendingForwards] {
        #expect(node.records[collection, default: [:]].isEmpty, "\(collection)")
      }
    }
    #expect(try network.stored(InvoiceRecord.self, at: 2).map(\.status) == [.paid])
    #expect(try network.stored(PaymentRecord.self, at: 0).map(\.status) == [.complete])
    #expect(try network.stored(PartRecord.self, at: 0).map(\.status) == [.complete])
    #expect(try network.stored(ForwardRecord.self, at: 1).map(\.status) == [.settled])
  }

  /// What has left through each channel, and what forwarding has brought, as the records that are over say it.
  @Test(arguments: [false, true]) func whatPaymentsHaveMovedIsCounted(restarts: Bool) throws {
    var network = try forgetful(3)
    for number in 0..<3 { _ = try paid(&network, label: "invoice \(number)") }
    // A failure counts for nothing.
    let wrong = try network.invoice(at: 2, 1_000_000)
    let (_, actions) = try network.nodes[2].engine.deleteInvoice(wrong.paymentHash, status: .unpaid, at: network.time)
    network.carryOut(2, actions)
    _ = try network.pay(from: 0, wrong.bolt11)
    try network.run()
    if restarts { for node in 0..<3 { network.restart(node) } }
    let parts = try network.stored(PartRecord.self, at: 0).filter { $0.status == .complete }
    let forwards = try network.stored(ForwardRecord.self, at: 1).filter { $0.status == .settled }
    #expect(parts.count == 3 && forwards.count == 3)
    let first = try #require(parts[0].outgoing?.channel)
    let second = try #require(forwards[0].outgoing?.channel)
    let totals = network.nodes.map(\.engine.totals)
    #expect(totals[0].sent == [first: MilliSatoshi(parts.reduce(0) { $0 + $1.amountSent.rawValue })])
    #expect(totals[1].sent == [second: MilliSatoshi(forwards.reduce(0) { $0 + $1.amountOut.rawValue })])
    #expect(totals[1].fees == MilliSatoshi(forwards.reduce(0) { $0 + $1.fee.rawValue }) && totals[1].fees > .zero)
    #expect(totals[0].fees == .zero && totals[2] == PaymentTotals())
  }

  @Test(arguments: [false, true]) func payingAgainReturnsTheFirstPayment(restarts: Bool) throws {
    var network = try forgetful()
    let invoice = try paid(&network)
    if restarts { network.restart(0) }
    let first = try #require(try network.stored(PaymentRecord.self, at: 0).first)
    #expect(try network.pay(from: 0, invoice.bolt11) == .complete(first))
    try network.run()
    // It is forgotten once more.
    #expect(network.nodes[0].engine.payments.isEmpty)
    #expect(try network.stored(PaymentRecord.self, at: 0) == [first])
  }

  @Test(arguments: [false, true]) func labelsAndHashesOfWhatIsOverAreTaken(restarts: Bool) throws {
    var network = try forgetful()
    let preimage = sha256([7])
    let expired = try network.invoice(at: 1, 1000, label: "expired") {
      $0.preimage = preimage
      $0.expiry = 10
    }
    let long = String(repeating: "long ", count: 100)
    _ = try network.invoice(at: 1, 1000, label: long) { $0.expiry = 10 }
    network.wait(seconds: 20)
    _ = try paid(&network)
    #expect(network.nodes[1].engine.invoices.isEmpty)
    if restarts { network.restart(1) }
    for label in ["label", "expired", long] {
      #expect(throws: InvoiceRefusal.labelExists(label)) { try network.invoice(at: 1, 1000, label: label) }
    }
    #expect(throws: InvoiceRefusal.preimageExists) {
      try network.invoice(at: 1, 1000, label: "other") { $0.preimage = preimage }
    }
    #expect(throws: InvoiceRefusal.preimageExists) {
      try network.invoice(at: 1, 1000, label: "other") { $0.holdHash = expired.paymentHash }
    }
    // Once it is forgotten for good, both are free.
    network.recall(1, .invoices(labels: ["expired"]))
    let (_, actions) = try network.nodes[1].engine.deleteInvoice(
      expired.paymentHash, status: .expired, at: network.time)
    network.carryOut(1, actions)
    #expect(network.nodes[1].records[.pastIndex]?.keys.contains(PastIndex.invoice(label: "expired")) == false)
    _ = try network.invoice(at: 1, 1000, label: "expired") { $0.preimage = preimage }
  }

  @Test(arguments: [false, true]) func aLatePartForAPaidInvoiceIsRefused(restarts: Bool) throws {
    var network = try forgetful()
    let invoice = try paid(&network)
    let wealth = network.wealth(1)
    if restarts { network.restart(1) }
    // Who pays has forgotten that it was paid.
    network.nodes[0].records = [:]
    network.restart(0)
    try network.send(try network.route([0, 1], 5_000_000), invoice)
    try network.run()
    #expect(network.failureCodes() == [.incorrectOrUnknownPaymentDetails])
    #expect(network.wealth(1) == wealth)
    #expect(network.pendingOffers == 0)
  }

  @Test(arguments: [false, true]) func aPreimageThatCameOnceIsNotTakenAgain(restarts: Bool) throws {
    var network = try forgetful()
    let preimage = sha256([9])
    let hash = sha256(preimage.bytes)
    func send(_ group: UInt64) throws {
      var request = RouteSendRequest(
        route: try network.route([0, 1], 1_000_000), paymentHash: hash, paymentSecret: nil)
      request.keysendPreimage = preimage
      request.group = group
      let (_, actions) = try network.nodes[0].engine.send(request, at: network.time)
      network.carryOut(0, actions)
      try network.run()
    }
    try send(1)
    #expect(network.settledParts() == 1)
    #expect(network.nodes[1].engine.invoices.isEmpty)
    if restarts { network.restart(1) }
    network.nodes[0].records = [:]
    network.restart(0)
    try send(2)
    #expect(network.failureCodes() == [.incorrectOrUnknownPaymentDetails])
    #expect(try network.stored(InvoiceRecord.self, at: 1).count == 1)
  }

  @Test func aPartThatHasFailedIsTriedAgainUnderItsName() throws {
    var network = try forgetful()
    let invoice = try network.invoice(at: 1, 1_000_000)
    let wrong = sha256([1])
    for secret in [wrong, wrong, invoice.paymentSecret] {
      try network.send(try network.route([0, 1], 1_000_000), invoice) {
        $0.group = 5
        $0.paymentSecret = secret
      }
      try network.run()
      network.restart(0)
    }
    #expect(network.settledParts() == 1)
    // The payment is one, its attempts are three.
    #expect(try network.stored(PaymentRecord.self, at: 0).map(\.status) == [.complete])
    #expect(try network.stored(PartRecord.self, at: 0).map(\.status) == [.failed, .failed, .complete])
  }

  @Test func whatEndsIsRememberedUntilItsRoundIsReleased() throws {
    var network = try SimulatedNetwork.line(2)
    network.nodes[1].engine.begin(round: 1)
    let invoice = try network.invoice(at: 1, 1000) { $0.expiry = 10 }
    network.wait(seconds: 20)
    #expect(network.nodes[1].engine.invoices[invoice.paymentHash]?.status == .expired)
    // Forgotten for good and made again in the next round: it leaves with that one.
    network.nodes[1].engine.begin(round: 2)
    let (_, actions) = try network.nodes[1].engine.deleteInvoice(
      invoice.paymentHash, status: nil, at: network.time)
    network.carryOut(1, actions)
    let again = try network.invoice(at: 1, 1000) {
      $0.expiry = 10
      $0.preimage = invoice.preimage
    }
    network.wait(seconds: 20)
    // Somebody has asked before all of that: what the store said then is of no account.
    network.nodes[1].engine.release(through: 1)
    network.nodes[1].engine.recall(RecalledRecords(invoices: [invoice]))
    #expect(network.nodes[1].engine.invoices[invoice.paymentHash]?.createdIndex == again.createdIndex)
    network.nodes[1].engine.release(through: 2)
    #expect(network.nodes[1].engine.invoices.isEmpty)
  }

  @Test func whatWasForgottenForGoodDoesNotComeBackByAnOldAnswer() throws {
    var network = try SimulatedNetwork.line(2)
    network.nodes[0].engine.begin(round: 1)
    let invoice = try paid(&network)
    let record = try #require(network.nodes[0].engine.payments.values.first)
    network.nodes[0].engine.release(through: 1)
    network.nodes[0].engine.begin(round: 2)
    network.recall(0, .payments(invoice.paymentHash))
    network.carryOut(0, network.nodes[0].engine.deletePayment(record.id, at: network.time))
    network.nodes[0].engine.recall(RecalledRecords(payments: [record]))
    #expect(network.nodes[0].engine.payments(withHash: invoice.paymentHash).isEmpty)
    #expect(network.nodes[0].records[.pastPayments]?.isEmpty == true)
  }
}
