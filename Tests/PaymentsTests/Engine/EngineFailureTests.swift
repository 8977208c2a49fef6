import Bitcoin
import Encoding
import GLC
import Hashing
import Payments
import Secp256k1
import Sphinx
import Testing
import Wire

/// What the sender makes of failures (BOLT 4 §Receiving Failure Codes).
@Suite struct EngineSenderFailureTests {
  /// 0 – 1 – 3 is the cheap way, 0 – 2 – 3 the other one.
  func diamond() throws -> SimulatedNetwork {
    var network = SimulatedNetwork()
    for _ in 0..<4 { _ = try network.addNode() }
    network.connect(0, 1, (100_000_000, 0))
    network.connect(0, 2, (100_000_000, 0))
    network.connect(1, 3, (100_000_000, 0), feeBase: 1)
    network.connect(2, 3, (100_000_000, 0), feeBase: 2000)
    return network
  }

  @Test(arguments: allFailures)
  func whateverANodeOnTheWayRefusesAnotherWayIsTaken(failure: FailureMessage.Failure) throws {
    var network = try diamond()
    let invoice = try network.invoice(at: 3, 10_000_000)
    network.interceptsAt = 1
    let start = try network.pay(from: 0, invoice.bolt11)
    try network.refuseIntercepted(failure)
    try network.run()
    let code = FailureMessage(failure).code
    #expect(network.failureCodes() == [code])
    #expect(network.failures().first?.code == .tryOtherRoute)
    #expect(network.failures().first?.erringIndex == 1)
    #expect(network.failures().first?.erringNode == network.nodes[1].id)
    let far = try network.channel(1, 3)
    #expect(
      network.failures().first?.erringChannel
        == ChannelDirection(far.shortChannelID, from: network.nodes[1].id, to: network.nodes[3].id))
    #expect(network.intercepted.isEmpty, "the same way again")
    #expect(try network.payment(start, at: 0).status == .complete)
  }

  @Test(arguments: allFailures)
  func whatThePayeeRefusesForGoodIsNotTriedAgain(failure: FailureMessage.Failure) throws {
    var network = try diamond()
    let invoice = try network.invoice(at: 3, 10_000_000)
    let wealth = network.wealth(0)
    network.interceptsAt = 3
    let start = try network.pay(from: 0, invoice.bolt11)
    let code = FailureMessage(failure).code
    var rounds = 0
    while try network.payment(start, at: 0).status == .pending, rounds < 20 {
      try network.run()
      guard !network.intercepted.isEmpty else { break }
      try network.refuseIntercepted(failure)
      try network.run()
      rounds += 1
    }
    let payment = try network.payment(start, at: 0)
    #expect(payment.status == .failed)
    #expect(network.failureCodes().allSatisfy { $0 == code })
    #expect(network.failures().allSatisfy { $0.erringIndex == 2 && $0.erringNode == network.nodes[3].id })
    if code.isPermanent {
      #expect(payment.attempts == 1)
      #expect(payment.failure?.code == .destinationFailed)
    } else {
      #expect(2...3 ~= payment.attempts, "\(code): \(payment.attempts) attempts")
    }
    #expect(network.wealth(0) == wealth)
  }

  @Test func aFailureThatNobodySignedIsBlamedOnSomebody() throws {
    var network = try diamond()
    let invoice = try network.invoice(at: 3, 10_000_000)
    network.interceptsAt = 1
    let start = try network.pay(from: 0, invoice.bolt11)
    let (node, incoming) = try #require(network.intercepted.first)
    network.intercepted = []
    network.remove(incoming.key, by: node, .failed([UInt8](repeating: 7, count: 292), nil))
    // Chance leaves only one channel to blame.
    try network.run()
    #expect(network.failures().first?.code == .unparseableOnion)
    #expect(try network.payment(start, at: 0).status == .complete)
  }

  @Test func attributionSaysWhichPairHasSpoiltAFailure() throws {
    var network = SimulatedNetwork()
    for _ in 0..<4 { _ = try network.addNode() }
    for index in 0..<3 { network.connect(index, index + 1, (100_000_000, 0)) }
    let invoice = try network.invoice(at: 3, 10_000_000)
    network.interceptsAt = 2
    try network.pay(from: 0, invoice.bolt11)
    try network.run()
    let (node, incoming) = try #require(network.intercepted.first)
    network.intercepted = []
    // Node 2 returns nonsense, with nonsense for attribution data.
    network.remove(
      incoming.key, by: node,
      .failed([UInt8](repeating: 7, count: 292), [UInt8](repeating: 9, count: Attribution.byteCount)))
    try network.run()
    let failure = try #require(network.failures().first)
    #expect(failure.code == .unparseableOnion)
    let between = try network.channel(1, 2)
    #expect(
      failure.erringChannel
        == ChannelDirection(between.shortChannelID, from: network.nodes[1].id, to: network.nodes[2].id))
    #expect(
      network.nodes[0].events.contains {
        if case .learned(.pairBlamed(network.nodes[1].id, network.nodes[2].id)) = $0 { true } else { false }
      })
  }

  @Test func holdTimesComeBackWithFailuresAndFulfilments() throws {
    var network = try SimulatedNetwork.line(3)
    let invoice = try network.invoice(at: 2, 10_000_000) { $0.holdHash = sha256(sha256([3]).bytes) }
    try network.pay(from: 0, invoice.bolt11)
    try network.run()
    network.time = network.time.after(milliseconds: 1500)
    network.carryOut(
      2, try network.nodes[2].engine.settleInvoice(invoice.paymentHash, preimage: sha256([3]), at: network.time))
    try network.run()
    let times = network.nodes[0].events.compactMap {
      if case .partSettled(_, let times) = $0 { times } else { nil }
    }
    #expect(times == [[15, 15]])
    let refused = try network.pay(from: 0, try network.invoice(at: 2, 5_000_000_000, label: "too much").bolt11)
    #expect(try network.payment(refused, at: 0).failure?.code == .routeNotFound)
  }

  @Test func aPolicyThatAFailureTellsIsKeptToOnTheNextTry() throws {
    var network = try SimulatedNetwork.line(3)
    let id = try network.channel(1, 2).id
    let invoice = try network.invoice(at: 2, 10_000_000)
    let old = [id: network.channels[id]!.policies]
    network.setPolicy(id, of: 1) { $0.feeBaseMsat = 3000 }
    network.updateFinders(announcing: old)
    let (start, actions) = try network.nodes[0].engine.pay(
      PayRequest(try Bolt11Invoice(decoding: invoice.bolt11)), at: network.time)
    network.carryOut(0, actions)
    var steps = 0
    while network.step(), steps < 1000 {
      network.updateFinders(announcing: old)
      steps += 1
    }
    #expect(network.failureCodes() == [.feeInsufficient])
    let payment = try network.payment(start, at: 0)
    #expect(payment.status == .complete)
    #expect(payment.amountSent == MilliSatoshi(10_000_000 + 3000 + 1000))
  }

  @Test func anUpdateOfSomebodyElseIsNotBelieved() throws {
    var network = try diamond()
    let invoice = try network.invoice(at: 3, 10_000_000)
    network.interceptsAt = 1
    let far = try network.channel(1, 3)
    var policy = far
    policy.policies[far.side(of: 1)].feeBaseMsat = 0
    // Signed by node 3 for the other direction, then with a signature that is none.
    let wrongSide = network.channelUpdate(of: policy, side: far.side(of: 3))
    var tampered = network.channelUpdate(of: policy, side: far.side(of: 1))
    tampered[10] ^= 1
    for (index, update) in [wrongSide, tampered, [1, 2, 3], []].enumerated() {
      let invoice =
        index == 0 ? invoice : try network.invoice(at: 3, 10_000_000, label: "invoice \(index)")
      let start = try network.pay(from: 0, invoice.bolt11)
      try network.refuseIntercepted(.feeInsufficient(htlcMsat: MilliSatoshi(1), channelUpdate: update))
      try network.run()
      #expect(try network.payment(start, at: 0).status == .complete)
      #expect(try network.payment(start, at: 0).attempts == 2)
    }
  }

  @Test func aPayeeThatKnowsMoreBlocksIsAskedAgainWithMoreTime() throws {
    var network = try SimulatedNetwork.line(3)
    let invoice = try network.invoice(at: 2, 10_000_000)
    // The payee has seen ten blocks that nobody else has.
    network.perform(2, .block(network.height + 10))
    let start = try network.pay(from: 0, invoice.bolt11)
    try network.run()
    #expect(network.failureCodes() == [.incorrectOrUnknownPaymentDetails])
    #expect(try network.payment(start, at: 0).status == .complete)
  }
}

/// What the engine refuses, as a node on the way and as the payee.
@Suite struct EngineRefusalTests {
  /// Sends one part over 0 – 1 – 2 and returns how it failed.
  func refusal(
    _ prepare: (inout SimulatedNetwork) throws -> Void = { _ in }, amounts: [UInt64]? = nil, delays: [UInt32]? = nil,
    terms: (inout InvoiceTerms) -> Void = { _ in }, amount: UInt64 = 10_000_000,
    request configure: (inout RouteSendRequest) -> Void = { _ in }
  ) throws -> PaymentFailure? {
    var network = try SimulatedNetwork.line(3)
    let invoice = try network.invoice(at: 2, amount, terms)
    let route = try network.route([0, 1, 2], amount, amounts: amounts, delays: delays)
    try prepare(&network)
    try network.send(route, invoice, configure)
    try network.run()
    network.wait(seconds: 61)
    try network.run()
    #expect(network.pendingOffers == 0)
    #expect(network.failures().count + network.settledParts() == 1)
    return network.failures().first
  }

  func code(_ failure: PaymentFailure?) -> FailureCode? { failure?.failureCode.map { FailureCode(rawValue: $0) } }

  @Test func aRouteThatPaysWhatIsAskedForPasses() throws { #expect(try refusal() == nil) }

  @Test func feesMustBeEnough() throws {
    // 1000 + 10,000,000 · 100 / 1,000,000 = 2000.
    #expect(try refusal(amounts: [10_002_000, 10_000_000]) == nil)
    let failure = try refusal(amounts: [10_001_999, 10_000_000])
    #expect(code(failure) == .feeInsufficient)
    #expect(failure?.erringIndex == 1)
    let raw = try FailureMessage(decoding: try #require(failure?.raw))
    guard case .feeInsufficient(let amount, let update) = raw.failure else { throw SimulationError("\(raw)") }
    #expect(amount == MilliSatoshi(10_001_999))
    #expect(try ChannelUpdate(decoding: update).feeBaseMsat == 1000)
  }

  @Test func expiriesMustLeaveTime() throws {
    #expect(try refusal(delays: [74, 40]) == nil)
    #expect(code(try refusal(delays: [73, 40])) == .incorrectCLTVExpiry)
    #expect(code(try refusal(delays: [36, 2])) == .expiryTooSoon)
    #expect(code(try refusal(delays: [2016, 40])) == nil)
    #expect(code(try refusal(delays: [2017, 40])) == .expiryTooFar)
  }

  @Test func amountsMustBeWithinAChannelsLimits() throws {
    #expect(
      code(
        try refusal { network in
          let id = try network.channel(1, 2).id
          network.setPolicy(id, of: 1) { $0.htlcMinimumMsat = MilliSatoshi(10_000_001) }
        }) == .amountBelowMinimum)
    #expect(
      code(
        try refusal { network in
          let id = try network.channel(1, 2).id
          network.setPolicy(id, of: 1) { $0.htlcMaximumMsat = MilliSatoshi(9_999_999) }
        }) == .temporaryChannelFailure)
  }

  @Test func channelsThatCannotBeUsedAreNot() throws {
    #expect(
      code(
        try refusal { network in
          let id = try network.channel(1, 2).id
          network.channels[id]!.isConnected = false
          network.tell(id)
        }) == .temporaryChannelFailure)
    #expect(
      code(
        try refusal { network in
          let id = try network.channel(1, 2).id
          network.channels[id]!.isOpen = false
          network.tell(id)
        }) == .permanentChannelFailure)
    #expect(
      code(
        try refusal { network in
          let id = try network.channel(1, 2).id
          network.setPolicy(id, of: 1) { $0.isDisabled = true }
        }) == .channelDisabled)
    #expect(
      code(
        try refusal { network in
          let id = try network.channel(1, 2).id
          network.channels[id]!.balances[network.channels[id]!.side(of: 1)] = 5
        }) == .temporaryChannelFailure)
    #expect(
      code(
        try refusal { network in
          network.perform(1, .channelGone(try network.channel(1, 2).id))
        }) == .unknownNextPeer)
  }

  @Test(arguments: OfferRefusal.allCases)
  func whatAChannelDoesNotTakeIsRefused(why: OfferRefusal) throws {
    let expected: [OfferRefusal: FailureCode] = [
      .unknownChannel: .unknownNextPeer, .notConnected: .temporaryChannelFailure,
      .closing: .permanentChannelFailure, .insufficientBalance: .temporaryChannelFailure,
      .tooManyPending: .temporaryChannelFailure, .tooMuchPending: .temporaryChannelFailure,
      .belowMinimum: .amountBelowMinimum, .dustExposure: .temporaryChannelFailure,
      .wrongKind: .requiredChannelFeatureMissing,
    ]
    #expect(code(try refusal { $0.refusals[1] = [why] }) == expected[why])
    // The same at the sender's own channel.
    let own = try refusal { $0.refusals[0] = [why] }
    #expect(own?.erringIndex == 0)
  }

  @Test func tooManyForwardsAreRefused() throws {
    var network = SimulatedNetwork()
    _ = try network.addNode()
    _ = try network.addNode { $0.maximumPendingForwards = 0 }
    _ = try network.addNode()
    for index in 0..<2 { network.connect(index, index + 1, (1_000_000_000, 0)) }
    let invoice = try network.invoice(at: 2, 10_000_000)
    try network.send(try network.route([0, 1, 2], 10_000_000), invoice)
    try network.run()
    #expect(network.failureCodes() == [.temporaryNodeFailure])
    let records = try (network.nodes[1].records[.forwards] ?? [:]).values.map { try ForwardRecord(decoding: $0.bytes) }
    #expect(records.map(\.status) == [.localFailed])
    #expect(records.first?.failureCode == FailureCode.temporaryNodeFailure.rawValue)
  }

  @Test func unknownEvenRecordsAreRefused() throws {
    let failure = try refusal(request: { $0.records = [TLVRecord(type: 65_538, value: [1])] })
    #expect(code(failure) == .invalidOnionPayload)
    #expect(failure?.erringIndex == 2)
    let raw = try FailureMessage(decoding: try #require(failure?.raw))
    guard case .invalidOnionPayload(let type, _) = raw.failure else { throw SimulationError("\(raw)") }
    #expect(type == 65_538)
    #expect(try refusal(request: { $0.records = [TLVRecord(type: 65_537, value: [1])] }) == nil)
  }

  // MARK: The payee

  @Test func detailsThatAreWrongAllLookTheSame() throws {
    let attempts: [(String, PaymentFailure?)] = [
      ("unknown hash", try refusal(request: { $0.paymentHash = sha256([1]) })),
      ("wrong secret", try refusal(request: { $0.paymentSecret = sha256([2]) })),
      ("no secret", try refusal(request: { $0.paymentSecret = nil })),
      ("too little", try refusal(request: { $0.total = MilliSatoshi(9_999_999) })),
      (
        "less than the invoice says",
        try refusal(amounts: [10_002_000, 9_999_999], request: { $0.total = MilliSatoshi(9_999_999) })
      ),
      ("too much", try refusal(request: { $0.total = MilliSatoshi(20_000_001) })),
      ("nothing", try refusal(request: { $0.total = .zero })),
      ("too little time", try refusal(delays: [74, 23])),
      ("no metadata", try refusal(terms: { $0.metadata = [1] }, request: { $0.metadata = nil })),
      ("other metadata", try refusal(terms: { $0.metadata = [1] }, request: { $0.metadata = [2] })),
      ("expired", try refusal({ $0.wait(seconds: 11) }, terms: { $0.expiry = 10 })),
      (
        "cancelled",
        try refusal { network in
          let hash = try #require(network.nodes[2].engine.invoice(label: "label")?.paymentHash)
          network.carryOut(2, try network.nodes[2].engine.cancelInvoice(hash, at: network.time))
        }
      ),
      (
        "a keysend with another preimage",
        try refusal(request: {
          $0.paymentHash = sha256([1])
          $0.paymentSecret = nil
          $0.keysendPreimage = sha256([3])
        })
      ),
      (
        "a keysend for an invoice",
        try refusal(request: {
          $0.paymentSecret = nil
          $0.keysendPreimage = sha256([3])
        })
      ),
    ]
    for (what, failure) in attempts {
      #expect(code(failure) == .incorrectOrUnknownPaymentDetails, "\(what): \(String(describing: failure))")
      #expect(failure?.code == .destinationFailed, "\(what)")
      let raw = try FailureMessage(decoding: try #require(failure?.raw))
      guard case .incorrectOrUnknownPaymentDetails(_, let height) = raw.failure else { throw SimulationError(what) }
      #expect(height == 1000, "\(what)")
    }
  }

  @Test func upToTwiceTheAmountIsTaken() throws {
    #expect(
      try refusal(amounts: [20_010_000, 20_000_000], request: { $0.total = MilliSatoshi(20_000_000) }) == nil)
    #expect(try refusal(terms: { $0.metadata = [1, 2] }) == nil)
    #expect(try refusal(delays: [74, 24]) == nil)
  }

  @Test func aPaymentWithoutAllItsPartsGoesBack() throws {
    let failure = try refusal(request: { $0.total = MilliSatoshi(10_000_001) })
    #expect(code(failure) == .mppTimeout)
  }

  @Test func partsThatDisagreeOnTheTotalGoBackTogether() throws {
    var network = try SimulatedNetwork.line(3)
    let invoice = try network.invoice(at: 2, 10_000_000)
    try network.send(try network.route([0, 1, 2], 5_000_000), invoice) { $0.total = MilliSatoshi(10_000_000) }
    try network.run()
    try network.send(try network.route([1, 2], 5_000_000), invoice, from: 1) {
      $0.total = MilliSatoshi(11_000_000)
      $0.part = 1
    }
    try network.run()
    #expect(network.failureCodes() == [.incorrectOrUnknownPaymentDetails])
    #expect(network.failureCodes(at: 1) == [.incorrectOrUnknownPaymentDetails])
    #expect(network.nodes[2].engine.invoices[invoice.paymentHash]?.status == .unpaid)
  }

  @Test func nothingIsTakenBeforeAllIsThere() throws {
    var network = try SimulatedNetwork.line(3)
    let invoice = try network.invoice(at: 2, 10_000_000)
    for part in 0..<2 as Range<UInt64> {
      try network.send(try network.route([0, 1, 2], 4_000_000), invoice) {
        $0.total = MilliSatoshi(10_000_000)
        $0.part = part
      }
    }
    try network.run()
    #expect(network.settledParts() == 0)
    // The sender holds back what would be too much.
    #expect(throws: PaymentFailure.self) {
      try network.send(try network.route([0, 1, 2], 2_000_001), invoice) {
        $0.total = MilliSatoshi(10_000_000)
        $0.part = 2
      }
    }
    try network.send(try network.route([0, 1, 2], 2_000_000), invoice) {
      $0.total = MilliSatoshi(10_000_000)
      $0.part = 2
    }
    try network.run()
    #expect(network.settledParts() == 3)
    #expect(network.wealth(2) == 1_000_000_000 + 10_000_000)
    // One more is not taken any more.
    try network.send(try network.route([1, 2], 1_000_000), invoice, from: 1) { $0.total = MilliSatoshi(10_000_000) }
    try network.run()
    #expect(network.failureCodes(at: 1) == [.incorrectOrUnknownPaymentDetails])
  }

  @Test func theLastNodeNoticesWhatTheOneBeforeItHasChanged() throws {
    for (change, expected) in [
      ({ $0.amount = MilliSatoshi(9_999_999) }, FailureCode.finalIncorrectHTLCAmount),
      ({ $0.expiry -= 1 }, .finalIncorrectCLTVExpiry),
    ] as [((inout IncomingPayment) -> Void, FailureCode)] {
      var network = try SimulatedNetwork.line(3)
      let invoice = try network.invoice(at: 2, 10_000_000)
      network.interceptsAt = 2
      try network.send(try network.route([0, 1, 2], 10_000_000), invoice)
      try network.run()
      network.deliverIntercepted(change)
      try network.run()
      #expect(network.failureCodes() == [expected])
      #expect(network.failures().first?.erringIndex == 2)
    }
  }

  @Test func dustBeyondTheLimitIsRefusedOnceItIsCommitted() throws {
    for (node, expected) in [(1, FailureCode.temporaryChannelFailure), (2, .temporaryNodeFailure)] {
      var network = try SimulatedNetwork.line(3)
      let invoice = try network.invoice(at: 2, 10_000_000)
      network.interceptsAt = node
      try network.send(try network.route([0, 1, 2], 10_000_000), invoice)
      try network.run()
      network.deliverIntercepted { $0.exceedsDustExposure = true }
      try network.run()
      #expect(network.failureCodes() == [expected])
    }
  }

  // MARK: Onions

  @Test func onionsThatCannotBeReadAreReportedByTheNodeBefore() throws {
    let damages: [((inout [UInt8]) -> Void, FailureCode)] = [
      ({ $0[0] = 1 }, .invalidOnionVersion), ({ $0[1] = 9 }, .invalidOnionKey), ({ $0[500] ^= 1 }, .invalidOnionHMAC),
      ({ $0.removeLast() }, .invalidOnionVersion), ({ $0 = [] }, .invalidOnionVersion),
    ]
    for (damage, expected) in damages {
      for victim in 1...2 {
        var network = try SimulatedNetwork.line(3)
        let invoice = try network.invoice(at: 2, 10_000_000)
        network.interceptsAt = victim
        try network.send(try network.route([0, 1, 2], 10_000_000), invoice)
        try network.run()
        network.deliverIntercepted { damage(&$0.onion) }
        try network.run()
        #expect(network.failureCodes() == [expected])
        #expect(network.failures().first?.erringIndex == 1)
        #expect(network.pendingOffers == 0)
      }
    }
  }

  @Test func anOnionPassesOnce() throws {
    for victim in 1...2 {
      var network = try SimulatedNetwork.line(3)
      // Held, so that the first one is still there.
      let invoice = try network.invoice(at: 2, 10_000_000) { $0.holdHash = sha256([5]) }
      network.interceptsAt = victim
      try network.send(try network.route([0, 1, 2], 10_000_000), invoice)
      try network.run()
      let (node, original) = try #require(network.intercepted.first)
      network.interceptsAt = nil
      network.deliverIntercepted { _ in }
      try network.run()
      var replayed = original
      replayed.key.id = 77
      for restarts in 0..<2 {
        if restarts > 0 { network.restart(node) }
        let actions = network.answers(node, to: .incoming(replayed))
        #expect(try refusedCode(actions, original, network.nodes[node].key) == .temporaryNodeFailure)
        #expect(!actions.contains { if case .offer = $0 { true } else { false } })
        replayed.key.id += 1
      }
      // Once the first has expired, the memory is given back; the onion is then too old.
      network.mine(100 + 144)
      #expect(network.nodes[node].records[.onions]?.isEmpty == true)
      let actions = network.answers(node, to: .incoming(replayed))
      #expect(!actions.contains { if case .offer = $0 { true } else { false } })
    }
  }

  @Test func anOnionThatPassedLongAgoIsFoundInTheStore() throws {
    var network = try SimulatedNetwork.line(3)
    network.forgets = true
    let invoice = try network.invoice(at: 2, 10_000_000) { $0.holdHash = sha256([5]) }
    network.interceptsAt = 1
    try network.send(try network.route([0, 1, 2], 10_000_000), invoice)
    try network.run()
    let (node, original) = try #require(network.intercepted.first)
    network.interceptsAt = nil
    network.deliverIntercepted { _ in }
    try network.run()
    var replayed = original
    replayed.key.id = 77
    // Only the filter knows it: it asks.
    for _ in 0..<2 {
      let question = network.nodes[node].engine.handle(.incoming(replayed), at: network.time)
      guard case .recall(replayed.key, .onions(let keys)) = question.first else {
        Issue.record("not asked: \(question)")
        return
      }
      #expect(keys.count == 1)
      // Who cannot read what is stored passes nothing on.
      let unknown = network.nodes[node].engine.handle(.recalled(replayed.key, nil), at: network.time)
      #expect(try refusedCode(unknown, original, network.nodes[node].key) == .temporaryNodeFailure)
      replayed.key.id += 1
      let refused = network.answers(node, to: .incoming(replayed))
      #expect(try refusedCode(refused, original, network.nodes[node].key) == .temporaryNodeFailure)
      // With another expiry it is the same onion.
      replayed.key.id += 1
      replayed.expiry += 500
      let later = network.answers(node, to: .incoming(replayed))
      #expect(try refusedCode(later, original, network.nodes[node].key) == .temporaryNodeFailure)
      replayed.key.id += 1
      network.restart(node)
    }
    // The store does not know it after all: it passes.
    replayed.expiry = original.expiry
    _ = network.nodes[node].engine.handle(.incoming(replayed), at: network.time)
    let passed = network.nodes[node].engine.handle(.recalled(replayed.key, RecalledRecords()), at: network.time)
    #expect(passed.contains { if case .offer = $0 { true } else { false } })
    // It was asked about twice at once: it passes once.
    #expect(network.nodes[node].engine.handle(.recalled(replayed.key, RecalledRecords()), at: network.time).isEmpty)
  }

  func refusedCode(
    _ actions: [PaymentAction], _ incoming: IncomingPayment, _ key: LocalNodeKey
  ) throws -> FailureCode? {
    for action in actions {
      guard case .fail(_, let reason, let attribution) = action else { continue }
      let peeled = try key.peel(OnionPacket(incoming.onion), associatedData: incoming.lock.bytes, pathKey: nil)
      let received = FailurePacket(reason: reason, attribution: try attribution.map { try Attribution($0) })
        .unwrap(sharedSecrets: [peeled.sharedSecret])
      return try FailureMessage(decoding: received.message ?? []).code
    }
    return nil
  }
}
