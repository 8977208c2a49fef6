import BOLT
import Bitcoin
import Chain
import Encoding
import GLC
import Payments
import Peers
import Sphinx
import Storage
import Synchronization
import Testing
import Wallet
import Wire

@testable import Node

/// BOLT 4's failures, each made by a real node and read by a real payer two hops away.
@Suite(.serialized) struct FailureTests {
  /// Node 0 pays node 2 through node 1.
  struct Row {
    let network: TestNetwork
    let ids: [ChannelID]
    let names: [ShortChannelID]
    /// Far end first.
    let middle: Middle

    init(_ change: (inout NodeSettings, Int) -> Void = { _, _ in }) async throws {
      network = try await TestNetwork(
        nodes: 3,
        settings: { settings, index in
          settings.payments.mppTimeoutMilliseconds = 300
          change(&settings, index)
        }, configure: { launch, _ in launch.reconnectsQuickly() })
      for index in 0..<2 { try await network.fund(index) }
      middle = try await network.middle(1, 2)
      ids = [
        try await network.open(0, 1, pushing: MilliSatoshi(1_000_000_000)),
        try await network.open(1, 2, Satoshi(1_000_000), pushing: MilliSatoshi(100_000_000)),
      ]
      names = [try await network.name(ids[0]), try await network.name(ids[1])]
    }

    func route(_ amount: UInt64 = 10_000_000, delay: UInt32 = 30) -> PaymentRoute {
      network.route([0, 1, 2], names, amount, delay: delay)
    }

    /// Sends what `change` makes of a good payment.
    func fail(
      amount: UInt64 = 10_000_000, delay: UInt32 = 30, _ change: (inout RouteSendRequest) -> Void = { _ in }
    ) async throws -> PaymentFailure? {
      let invoice = try await network.invoice(2, MilliSatoshi(10_000_000))
      var request = network.request(route(amount, delay: delay), invoice)
      change(&request)
      return try await network.send(0, request)
    }

    /// Node 1's policy for the channel to node 2.
    func policy(_ change: (inout ForwardingPolicy) -> Void) async throws {
      var policy = try #require(await network.nodes[1].inspect().first { $0.channel.id == ids[1] }?.policy)
      change(&policy)
      _ = try await network.nodes[1].setPolicy(policy, of: ids[1])
    }

    func expect(
      _ failure: PaymentFailure?, _ code: FailureCode, from node: UInt32, _ source: SourceLocation = #_sourceLocation
    ) {
      #expect(failure?.failureCode == code.rawValue, "\(String(describing: failure))", sourceLocation: source)
      #expect(failure?.erringIndex == node, sourceLocation: source)
      #expect(failure?.erringNode == network.nodes[Int(node)].nodeID.publicKey, sourceLocation: source)
    }
  }

  @Test func nodesOnTheWaySayWhatTheyDoNotTakeOn() async throws {
    let row = try await Row()
    #expect(try await row.fail() == nil)
    // Nobody's channel.
    row.expect(
      try await row.fail { $0.route.hops[1].shortChannelID = ShortChannelID(rawValue: 77) }, .unknownNextPeer, from: 1)
    // More than its side of the channel has.
    row.expect(try await row.fail(amount: 995_000_000), .temporaryChannelFailure, from: 1)
    // More than fits in the channel at all.
    row.expect(try await row.fail(amount: 1_100_000_000), .temporaryChannelFailure, from: 1)
    row.expect(
      try await row.fail { $0.route.hops[0].amount = $0.route.hops[1].amount }, .feeInsufficient, from: 1)
    row.expect(
      try await row.fail { $0.route.hops[0].delay = $0.route.hops[1].delay + 33 }, .incorrectCLTVExpiry, from: 1)
    row.expect(try await row.fail(delay: 1), .expiryTooSoon, from: 1)
    row.expect(try await row.fail(delay: 2_100), .expiryTooFar, from: 1)
    try await row.policy { $0.htlcMinimumMsat = MilliSatoshi(20_000_000) }
    row.expect(try await row.fail(), .amountBelowMinimum, from: 1)
    try await row.policy { $0.htlcMinimumMsat = MilliSatoshi(1) }
    try await row.policy { $0.isDisabled = true }
    row.expect(try await row.fail(), .channelDisabled, from: 1)
    try await row.policy { $0.isDisabled = false }
    #expect(try await row.fail() == nil)
    // The next node is away.
    await row.network.nodes[2].stop()
    try await row.network.wait("node 1 knows") { await row.network.channel(1, row.ids[1])?.canOffer == false }
    let invoice = try await row.network.invoice(1, MilliSatoshi(1))
    let request = row.network.request(row.route(), invoice)
    row.expect(try await row.network.send(0, request), .temporaryChannelFailure, from: 1)
    // And the channel to it is given up.
    try await row.network.nodes[1].forceClose(row.ids[1])
    row.expect(try await row.network.send(0, request), .permanentChannelFailure, from: 1)
    await row.network.stop()
  }

  @Test func payeesSayWhatTheyDoNotTake() async throws {
    let row = try await Row()
    row.expect(
      try await row.fail { $0.paymentHash = Bytes32(InlineArray(repeating: 7)) }, .incorrectOrUnknownPaymentDetails,
      from: 2)
    row.expect(
      try await row.fail { $0.paymentSecret = Bytes32(InlineArray(repeating: 7)) }, .incorrectOrUnknownPaymentDetails,
      from: 2)
    row.expect(try await row.fail { $0.paymentSecret = nil }, .incorrectOrUnknownPaymentDetails, from: 2)
    // Less than was asked for, more than twice as much, and too little time.
    for (amount, delay) in [(9_999_999 as UInt64, 30 as UInt32), (20_000_001, 30), (10_000_000, 20)] {
      row.expect(try await row.fail(amount: amount, delay: delay), .incorrectOrUnknownPaymentDetails, from: 2)
    }
    // Something that it must understand, and does not.
    row.expect(
      try await row.fail { $0.records = [TLVRecord(type: 4_000_000_000, value: [1])] }, .invalidOnionPayload, from: 2)
    // A part whose others do not come.
    row.expect(
      try await row.fail(amount: 4_000_000) { $0.total = MilliSatoshi(10_000_000) }, .mppTimeout, from: 2)
    #expect(try await row.fail() == nil)
    await row.network.stop()
  }

  /// The node before the payee takes more for itself than it was given.
  @Test func payeesSeeThatTheNodeBeforeThemTookTooMuch() async throws {
    let network = try await TestNetwork(nodes: 2)
    try await network.fund(0)
    let name = try await network.name(try await network.open(0, 1))
    let cases: [(FailureCode, @Sendable (inout OutgoingPayment) -> Void)] = [
      (.finalIncorrectHTLCAmount, { $0.amount = MilliSatoshi($0.amount.rawValue - 1) }),
      (.finalIncorrectCLTVExpiry, { $0.expiry -= 1 }),
    ]
    for (code, change) in cases {
      let invoice = try await network.invoice(1, MilliSatoshi(10_000_000))
      let request = network.request(network.route([0, 1], [name], 10_000_000), invoice)
      let failure = try await network.send(0, request, changing: change)
      #expect(failure?.failureCode == code.rawValue, "\(String(describing: failure))")
      #expect(failure?.erringIndex == 1)
    }
    await network.stop()
  }

  /// BOLT 2's layout of `update_add_htlc`, behind the type: id of the channel, id, amount, hash, expiry, then the onion: version, key,
  /// payloads, HMAC.
  @Test func onionsThatAreSpoiltOnTheWayComeBackWithTheirCode() async throws {
    let row = try await Row()
    let onion = 32 + 8 + 8 + 32 + 4
    let cases: [(FailureCode, Int, UInt8)] = [
      (.invalidOnionVersion, onion, 1), (.invalidOnionKey, onion + 1, 5), (.invalidOnionHMAC, onion + 1 + 33 + 1300, 0),
      (.invalidOnionHMAC, onion + 1 + 33 + 5, 0),
    ]
    for (code, offset, byte) in cases {
      row.middle.set { way, message in
        guard way == .there, message.type == UpdateAddHTLC.type else { return .pass }
        return .say([byte == 0 ? message.spoilt(at: offset) : message.replacing(at: offset, with: [byte])])
      }
      row.expect(try await row.fail(), code, from: 1)
    }
    row.middle.behave()
    #expect(try await row.fail() == nil)
    await row.network.stop()
  }

  /// An answer that somebody has spoilt is worth nothing, and says only that.
  @Test func failuresThatAreSpoiltOnTheWayBlameNobodyWrongly() async throws {
    let row = try await Row()
    row.middle.set { way, message in
      guard way == .back, message.type == UpdateFailHTLC.type else { return .pass }
      return .say([message.spoilt(at: 32 + 8 + 2 + 40)])
    }
    let failure = try await row.fail { $0.paymentHash = Bytes32(InlineArray(repeating: 7)) }
    #expect(failure?.code == .unparseableOnion, "\(String(describing: failure))")
    #expect(failure?.erringNode == nil)
    row.middle.behave()
    #expect(try await row.fail() == nil)
    await row.network.stop()
  }

  /// The invoice's hint is older than what the node on the way asks for now.
  @Test func payersLearnWhatForwardingCostsNow() async throws {
    let row = try await Row()
    let invoice = try await row.network.invoice(2, MilliSatoshi(10_000_000))
    try await row.policy {
      $0.feeBaseMsat = 900
      $0.cltvExpiryDelta = 50
    }
    let events = row.network.nodes[0].hub.events.listen()
    let record = try await row.network.nodes[0].pay(PayRequest(invoice))
    #expect(record.amountSent.rawValue == 10_000_000 + 900 + 100)
    var codes: [UInt16?] = []
    for await event in events {
      if case .payment(.partFailed(let part, _)) = event { codes.append(part.failure?.failureCode) }
      if case .payment(.paymentSucceeded) = event { break }
    }
    #expect(codes == [FailureCode.feeInsufficient.rawValue])
    await row.network.stop()
  }
}
