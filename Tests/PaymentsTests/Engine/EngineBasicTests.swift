import Bitcoin
import Encoding
import GLC
import Hashing
import Payments
import Sphinx
import Testing
import Wire

extension SimulatedNetwork {
  /// 0 – 1 – 2 – …, each channel with a million satoshi on both sides.
  static func line(_ count: Int, seed: UInt64 = 1) throws -> SimulatedNetwork {
    var network = SimulatedNetwork(seed: seed)
    for _ in 0..<count { _ = try network.addNode() }
    for index in 0..<count - 1 { network.connect(index, index + 1, (1_000_000_000, 1_000_000_000)) }
    return network
  }

  mutating func invoice(
    at node: Int, _ amount: UInt64?, label: String = "label", _ configure: (inout InvoiceTerms) -> Void = { _ in }
  ) throws -> InvoiceRecord {
    var terms = InvoiceTerms(
      amount: amount.map { MilliSatoshi($0) }, label: label, description: "something")
    configure(&terms)
    recall(node, .invoices(hashes: terms.paymentHashes(bothKinds), labels: [terms.label]))
    let (record, actions) = try nodes[node].engine.createInvoice(terms, at: time)
    carryOut(node, actions)
    return record
  }

  @discardableResult
  mutating func pay(
    from node: Int, _ bolt11: String, _ configure: (inout PayRequest) -> Void = { _ in }
  ) throws -> PaymentStart {
    var request = PayRequest(try Bolt11Invoice(decoding: bolt11))
    configure(&request)
    updateFinders()
    recall(node, .payments(request.invoice.contents.paymentHash))
    let (start, actions) = try nodes[node].engine.pay(request, at: time)
    carryOut(node, actions)
    return start
  }

  func payment(_ start: PaymentStart, at node: Int) throws -> PaymentRecord {
    switch start {
    case .complete(let record): return record
    case .started(let id):
      let known = try nodes[node].engine.payments[id] ?? stored(at: node).first { $0.id == id }
      guard let known else { throw SimulationError("no such payment") }
      return known
    }
  }
}

@Suite struct EngineBasicTests {
  @Test func anInvoiceIsPaidOverTwoHops() throws {
    var network = try SimulatedNetwork.line(3)
    let invoice = try network.invoice(at: 2, 50_000_000)
    let before = (0..<3).map(network.wealth)
    let start = try network.pay(from: 0, invoice.bolt11)
    try network.run()
    let payment = try network.payment(start, at: 0)
    #expect(payment.status == .complete)
    let preimage = try #require(payment.preimage)
    #expect(sha256(preimage.bytes) == invoice.paymentHash)
    // 1000 msat and 100 millionths of 50,000,000 msat.
    #expect(payment.amountSent == MilliSatoshi(50_006_000))
    let paid = try #require(network.nodes[2].engine.invoices[invoice.paymentHash])
    #expect(paid.status == .paid)
    #expect(paid.amountReceived == MilliSatoshi(50_000_000))
    #expect(paid.payIndex == 1)
    #expect(network.wealth(0) == before[0] - 50_006_000)
    #expect(network.wealth(1) == before[1] + 6000)
    #expect(network.wealth(2) == before[2] + 50_000_000)
    #expect(network.pendingOffers == 0)
    #expect(network.nodes.allSatisfy { $0.outcomes.isEmpty })
    #expect(network.nodes[1].records[.pendingForwards]?.isEmpty == true)
    let forwards = try (network.nodes[1].records[.forwards] ?? [:]).values.map { try ForwardRecord(decoding: $0.bytes) }
    #expect(forwards.map(\.status) == [.settled])
    #expect(forwards.first?.fee == MilliSatoshi(6000))
    #expect(forwards.first?.outgoing != nil)
  }

  @Test func anInvoiceIsPaidOnce() throws {
    var network = try SimulatedNetwork.line(3)
    let invoice = try network.invoice(at: 2, 50_000_000)
    let first = try network.pay(from: 0, invoice.bolt11)
    // While it is under way:
    #expect(throws: PaymentFailure.self) { try network.pay(from: 0, invoice.bolt11) }
    try network.run()
    let before = network.wealth(0)
    let second = try network.pay(from: 0, invoice.bolt11)
    try network.run()
    #expect(second == .complete(try network.payment(first, at: 0)))
    #expect(network.wealth(0) == before)
    // Somebody else who pays it again is refused.
    let third = try network.pay(from: 1, invoice.bolt11)
    try network.run()
    let refused = try network.payment(third, at: 1)
    #expect(refused.status == .failed)
    #expect(refused.failure?.code == .destinationFailed)
    #expect(refused.failure?.failureCode == FailureCode.incorrectOrUnknownPaymentDetails.rawValue)
  }

  @Test func aPaymentIsSplitWhenNoChannelCarriesItAll() throws {
    var network = SimulatedNetwork()
    for _ in 0..<4 { _ = try network.addNode() }
    // 0 – 1 – 3 and 0 – 2 – 3, each good for 60,000,000 msat.
    for middle in 1...2 {
      network.connect(0, middle, (60_000_000, 0))
      network.connect(middle, 3, (60_000_000, 0))
    }
    let invoice = try network.invoice(at: 3, 100_000_000)
    let start = try network.pay(from: 0, invoice.bolt11)
    try network.run()
    let payment = try network.payment(start, at: 0)
    #expect(payment.status == .complete)
    #expect(payment.parts >= 2)
    #expect(network.wealth(3) == 100_000_000)
    #expect(network.wealth(0) == 120_000_000 - payment.amountSent.rawValue)
    #expect(network.nodes[3].engine.invoices[invoice.paymentHash]?.amountReceived == MilliSatoshi(100_000_000))
  }

  @Test func aPaymentLearnsFromChannelsThatCannotCarryIt() throws {
    var network = SimulatedNetwork()
    for _ in 0..<4 { _ = try network.addNode() }
    network.connect(0, 1, (100_000_000, 0))
    network.connect(0, 2, (100_000_000, 0))
    // The cheap way has no balance on its far side, which nobody sees before.
    network.connect(1, 3, (1000, 100_000_000), feeBase: 1)
    network.connect(2, 3, (100_000_000, 0), feeBase: 2000)
    let invoice = try network.invoice(at: 3, 50_000_000)
    let start = try network.pay(from: 0, invoice.bolt11)
    try network.run()
    let payment = try network.payment(start, at: 0)
    #expect(payment.status == .complete)
    #expect(payment.attempts == 2)
    let failures = network.nodes[0].events.compactMap {
      if case .partFailed(let part, _) = $0 { part.failure } else { nil }
    }
    #expect(failures.map(\.failureCode) == [FailureCode.temporaryChannelFailure.rawValue])
    #expect(failures.first?.erringIndex == 1)
    #expect(failures.first?.erringNode == network.nodes[1].id)
  }

  @Test func keysendArrivesWithItsRecords() throws {
    var network = try SimulatedNetwork.line(3)
    var request = KeysendRequest(destination: network.nodes[2].id, amount: MilliSatoshi(7000))
    request.records = [TLVRecord(type: 7_629_169, value: [1, 2, 3])]
    network.updateFinders()
    let (start, actions) = try network.nodes[0].engine.keysend(request, at: network.time)
    network.carryOut(0, actions)
    try network.run()
    #expect(try network.payment(start, at: 0).status == .complete)
    let paid = network.nodes[2].events.compactMap { event -> (InvoiceRecord, [TLVRecord])? in
      if case .invoicePaid(let invoice, let records) = event { (invoice, records) } else { nil }
    }
    #expect(paid.first?.0.kind == .keysend)
    #expect(paid.first?.0.amountReceived == MilliSatoshi(7000))
    #expect(paid.first?.1 == request.records)
  }

  @Test func aHoldInvoiceWaitsForWhoeverAskedForIt() throws {
    var network = try SimulatedNetwork.line(3)
    let preimage = sha256([1])
    let invoice = try network.invoice(at: 2, 50_000_000) { $0.holdHash = sha256(preimage.bytes) }
    let start = try network.pay(from: 0, invoice.bolt11)
    try network.run()
    #expect(try network.payment(start, at: 0).status == .pending)
    #expect(network.nodes[2].engine.isHeld(invoice.paymentHash))
    #expect(throws: InvoiceRefusal.wrongPreimage) {
      try network.nodes[2].engine.settleInvoice(invoice.paymentHash, preimage: sha256([2]), at: network.time)
    }
    // It outlives a restart.
    network.crash(2)
    #expect(network.nodes[2].engine.isHeld(invoice.paymentHash))
    network.carryOut(
      2, try network.nodes[2].engine.settleInvoice(invoice.paymentHash, preimage: preimage, at: network.time))
    try network.run()
    #expect(try network.payment(start, at: 0).preimage == preimage)
    #expect(network.pendingOffers == 0)
  }

  @Test func aHoldInvoiceThatIsCancelledPaysBack() throws {
    var network = try SimulatedNetwork.line(3)
    let invoice = try network.invoice(at: 2, 50_000_000) { $0.holdHash = sha256([9]) }
    let before = network.wealth(0)
    let start = try network.pay(from: 0, invoice.bolt11)
    try network.run()
    network.carryOut(2, try network.nodes[2].engine.cancelInvoice(invoice.paymentHash, at: network.time))
    try network.run()
    #expect(try network.payment(start, at: 0).status == .failed)
    #expect(network.wealth(0) == before)
    #expect(network.nodes[2].engine.invoices[invoice.paymentHash]?.status == .cancelled)
  }
}
