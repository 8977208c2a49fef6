import Bitcoin
import Encoding
import GLC
import Hashing
import Payments
import Secp256k1
import Sphinx
import Testing
import Wire

/// Names of channels, several channels with a peer, private channels, and blinded routes.
@Suite struct EngineRouteTests {
  @Test func anotherChannelWithTheSamePeerWillDo() throws {
    var network = try SimulatedNetwork.line(3)
    let other = network.connect(1, 2, (1_000_000_000, 0))
    let invoice = try network.invoice(at: 2, 10_000_000)
    let route = try network.route([0, 1, 2], 10_000_000)
    let named = try network.channel(1, 2).id == other ? network.channels.keys.min()! : try network.channel(1, 2).id
    // Not connected, then without balance.
    network.channels[named]!.isConnected = false
    network.tell(named)
    try network.send(route, invoice)
    try network.run()
    #expect(network.settledParts() == 1)
    network.channels[named]!.isConnected = true
    network.channels[named]!.balances[network.channels[named]!.side(of: 1)] = 0
    network.tell(named)
    let second = try network.invoice(at: 2, 10_000_000, label: "second")
    try network.send(route, second)
    try network.run()
    #expect(network.settledParts() == 2)
  }

  @Test func aliasesNameAChannelAndItsRealNameCanBeHidden() throws {
    var network = try SimulatedNetwork.line(3)
    let channel = try network.channel(1, 2)
    let alias = ShortChannelID(rawValue: 77)
    var told = network.description(of: channel.id, for: 1)
    told.aliases = [alias]
    told.hidesShortChannelID = true
    network.perform(1, .channel(told))
    let invoice = try network.invoice(at: 2, 10_000_000)
    var route = try network.route([0, 1, 2], 10_000_000)
    try network.send(route, invoice)
    try network.run()
    #expect(network.failureCodes() == [.unknownNextPeer])
    route.hops[1].shortChannelID = alias
    try network.send(route, invoice) { $0.part = 1 }
    try network.run()
    #expect(network.settledParts() == 1)
    // A name that is taken back is forgotten.
    told.aliases = []
    network.perform(1, .channel(told))
    try network.send(route, try network.invoice(at: 2, 10_000_000, label: "second"))
    try network.run()
    #expect(network.failureCodes() == [.unknownNextPeer, .unknownNextPeer])
  }

  @Test func aPrivatePayeeIsReachedByTheHintsOfItsInvoice() throws {
    var network = SimulatedNetwork()
    for _ in 0..<3 { _ = try network.addNode() }
    network.connect(0, 1, (1_000_000_000, 0))
    let hidden = network.connect(1, 2, (1_000_000_000, 0), isPublic: false)
    // The alias that node 1 gave to node 2.
    let alias = ShortChannelID(rawValue: 99)
    var told = network.description(of: hidden, for: 2)
    told.peerAlias = alias
    told.hidesShortChannelID = true
    network.perform(2, .channel(told))
    told = network.description(of: hidden, for: 1)
    told.aliases = [alias]
    told.hidesShortChannelID = true
    network.perform(1, .channel(told))
    let invoice = try network.invoice(at: 2, 10_000_000)
    let hints = try Bolt11Invoice(decoding: invoice.bolt11).contents.routeHints
    #expect(hints.map { $0.map(\.shortChannelID) } == [[alias]])
    #expect(hints.first?.first?.nodeID == network.nodes[1].id)
    #expect(hints.first?.first?.cltvExpiryDelta == 34)
    let start = try network.pay(from: 0, invoice.bolt11)
    try network.run()
    #expect(try network.payment(start, at: 0).status == .complete)
    let bare = try network.invoice(at: 2, 10_000_000, label: "bare") { $0.exposure = .none }
    #expect(try Bolt11Invoice(decoding: bare.bolt11).contents.routeHints.isEmpty)
    let only = try network.invoice(at: 2, 10_000_000, label: "only") { $0.exposure = .only([alias]) }
    #expect(try Bolt11Invoice(decoding: only.bolt11).contents.routeHints.count == 1)
  }

  // MARK: Blinded routes

  /// A blinded route 1 → 2 → 3 that node 3 has made, and an onion of node 0's for it.
  struct Blinded {
    var network: SimulatedNetwork
    var invoice: InvoiceRecord
    var onion: CreatedOnion
    var amount: MilliSatoshi
    var expiry: UInt32
  }

  func blinded(
    pathID: [UInt8]? = nil, relayFee: UInt32 = 2000, minimum: UInt64 = 1, total: UInt64 = 10_000_000
  ) throws -> Blinded {
    var network = try SimulatedNetwork.line(4)
    let invoice = try network.invoice(at: 3, 10_000_000)
    var data: [(nodeID: PublicKey, data: RecipientData)] = []
    for index in 1...3 {
      var recipient = RecipientData()
      if index < 3 {
        recipient.shortChannelID = try network.channel(index, index + 1).shortChannelID
        recipient.paymentRelay = RecipientData.PaymentRelay(
          cltvExpiryDelta: 40, feeProportionalMillionths: 100, feeBaseMsat: relayFee)
        recipient.paymentConstraints = RecipientData.PaymentConstraints(
          maxCLTVExpiry: 5000, htlcMinimumMsat: MilliSatoshi(minimum))
      } else {
        recipient.pathID = pathID ?? invoice.paymentSecret.array
      }
      data.append((network.nodes[index].id, recipient))
    }
    let path = try BlindedPath.create(sessionKey: SecretKey(sha256([1])), hops: data).path
    // What arrives at node 2 and node 1, by the inverse of their relays.
    func before(_ amount: UInt64) -> UInt64 { amount + UInt64(relayFee) + amount * 100 / 1_000_000 + 1 }
    let amount = MilliSatoshi(before(before(10_000_000)))
    var hops: [OnionHop] = []
    for (index, hop) in path.hops.enumerated() {
      var payload = HopPayload()
      payload.encryptedRecipientData = hop.encryptedRecipientData
      if index == 0 { payload.currentPathKey = path.firstPathKey }
      if index == 2 {
        payload.amtToForward = MilliSatoshi(10_000_000)
        payload.outgoingCLTVValue = 1040
        payload.totalAmountMsat = MilliSatoshi(total)
      }
      hops.append(
        OnionHop(publicKey: index == 0 ? network.nodes[1].id : hop.blindedNodeID, payload: payload.encoded))
    }
    let onion = try Onion.create(
      sessionKey: SecretKey(sha256([2])), hops: hops, associatedData: invoice.paymentHash.array)
    return Blinded(network: network, invoice: invoice, onion: onion, amount: amount, expiry: 1120)
  }

  /// Offers the onion to node 1, as if node 0 had, and returns what came back: nil for a settlement.
  func run(_ blinded: inout Blinded) throws -> (hop: Int, FailureMessage)? {
    let channel = try blinded.network.channel(0, 1)
    blinded.network.deliver(
      channel, from: 0,
      SimulatedChannel.Offer(
        amount: blinded.amount, lock: PaymentLock(kind: hashKind, bytes: blinded.invoice.paymentHash.array),
        expiry: blinded.expiry, onion: blinded.onion.packet.bytes, origin: [1, 2, 3]))
    // Node 0's engine does not know the offer, and would forget its outcome.
    blinded.network.queues[0] = nil
    var outcome: PaymentOutcome?
    while blinded.network.step() {
      if let stored = blinded.network.nodes[0].outcomes[[1, 2, 3]] {
        outcome = try PaymentOutcome(decoding: stored.bytes)
      }
      blinded.network.queues[0] = nil
    }
    #expect(blinded.network.pendingOffers == 0)
    switch try #require(outcome) {
    case .settled: return nil
    case .failed(let reason, let attribution):
      let received = FailurePacket(reason: reason, attribution: try attribution.map { try Attribution($0) })
        .unwrap(sharedSecrets: blinded.onion.sharedSecrets)
      return (try #require(received.origin), try FailureMessage(decoding: try #require(received.message)))
    case let other: throw SimulationError("\(other)")
    }
  }

  @Test func aBlindedRouteIsFollowedToItsPayee() throws {
    var blinded = try blinded()
    #expect(try run(&blinded) == nil)
    #expect(blinded.network.nodes[3].engine.invoices[blinded.invoice.paymentHash]?.status == .paid)
  }

  @Test func whateverGoesWrongInABlindedRouteLooksTheSame() throws {
    let wrong: [(String, Blinded)] = [
      ("another path id", try blinded(pathID: [1])), ("no fee for node 1", try blinded(relayFee: 0)),
      ("below the minimum", try blinded(minimum: 20_000_000)), ("another total", try blinded(total: 1)),
    ]
    for (what, prepared) in wrong {
      var blinded = prepared
      let (hop, message) = try #require(try run(&blinded), "\(what)")
      // The introduction point speaks, whoever refused.
      #expect(hop == 0, "\(what)")
      #expect(message.code == .invalidOnionBlinding, "\(what): \(message.code)")
    }
    var cut = try blinded()
    cut.network.channels[try cut.network.channel(2, 3).id]!.isConnected = false
    cut.network.tell(try cut.network.channel(2, 3).id)
    #expect(try run(&cut)?.1.code == .invalidOnionBlinding)
  }
}

extension SimulatedNetwork {
  /// An offer that no engine has made.
  mutating func deliver(_ channel: SimulatedChannel, from node: Int, _ offer: SimulatedChannel.Offer) {
    let side = channel.side(of: node)
    var channel = channel
    let number = channel.nextIDs[side]
    channel.nextIDs[side] += 1
    channel.balances[side] -= offer.amount.rawValue
    channel.offers[side][number] = offer
    channels[channel.id] = channel
    perform(
      channel.ends[1 - side],
      .incoming(
        IncomingPayment(
          key: PaymentKey(channel: channel.id, id: number), amount: offer.amount, lock: offer.lock,
          expiry: offer.expiry, onion: offer.onion, pathKey: offer.pathKey, receivedAt: time)))
  }
}

/// What is stored can be read back, and nothing else.
@Suite struct EngineRecordTests {
  /// A node with records of every kind.
  func busy() throws -> SimulatedNetwork {
    var network = SimulatedNetwork(seed: 3)
    for _ in 0..<4 { _ = try network.addNode() }
    for index in 0..<3 { network.connect(index, index + 1, (1_000_000_000, 1_000_000_000)) }
    for part in 0..<3 {
      let invoice = try network.invoice(at: 3, 10_000_000, label: "\(part)") {
        $0.metadata = part == 0 ? [1, 2] : nil
        if part == 2 { $0.holdHash = sha256([5]) }
      }
      try network.pay(from: 1, invoice.bolt11) { $0.label = "label" }
    }
    let through = try network.invoice(at: 2, 1_000_000, label: "through") { $0.holdHash = sha256([6]) }
    try network.pay(from: 0, through.bolt11)
    let refused = try network.invoice(at: 3, 10_000_000, label: "refused")
    try network.send(try network.route([0, 1, 2, 3], 10_000_000, delays: [150, 141, 40]), refused)
    try network.run()
    _ = try network.invoice(at: 1, nil, label: "own")
    return network
  }

  @Test func everyRecordReadsBackAsItWasWritten() throws {
    let network = try busy()
    var kinds: Set<RecordCollection> = []
    for node in network.nodes {
      for (collection, values) in node.records {
        for value in values.values {
          kinds.insert(collection)
          switch collection {
          case .invoices, .pastInvoices: #expect(try InvoiceRecord(decoding: value.bytes).encoded == value)
          case .payments, .pastPayments: #expect(try PaymentRecord(decoding: value.bytes).encoded == value)
          case .parts, .pastParts: #expect(try PartRecord(decoding: value.bytes).encoded == value)
          case .pendingForwards, .forwards: #expect(try ForwardRecord(decoding: value.bytes).encoded == value)
          case .onions, .counters, .totals, .pastIndex: break
          }
        }
      }
    }
    #expect(kinds == Set(RecordCollection.allCases))
  }

  @Test func recordsThatAreCutOffOrOfAnotherVersionAreRefused() throws {
    let network = try busy()
    for node in network.nodes {
      for (collection, values) in node.records where collection.isLoaded {
        for (key, value) in values {
          var others = (0..<value.count).map { Array(value[..<$0]) }
          others.append(value + [0])
          others.append([value[0] &+ 1] + value.dropFirst())
          for other in others {
            #expect(throws: DecodingError.self, "\(collection), \(other.count) of \(value.count) bytes") {
              try PaymentEngine(
                configuration: node.configuration, nodeKey: node.key, finder: node.finder,
                schemes: [HashLocks(kind: hashKind)], height: 1, now: network.time, entropy: sha256([1]),
                records: [RecordChange(collection, key: key, value: other)])
            }
          }
        }
      }
    }
  }

  @Test func outcomesAndDamagedOriginsAreReadOrForgotten() throws {
    let outcomes: [PaymentOutcome] = [
      .settled(PaymentWitness(kind: hashKind, bytes: [1, 2]), attribution: [3]),
      .settled(PaymentWitness(kind: hashKind, bytes: []), attribution: nil),
      .failed(reason: [1], attribution: nil), .failed(reason: [], attribution: [1]),
      .malformed(code: 0xc005, onionHash: sha256([1])), .timedOutOnChain, .notOffered(.closing),
    ]
    for outcome in outcomes {
      let encoded = outcome.encoded
      #expect(try PaymentOutcome(decoding: encoded.bytes) == outcome)
    }
    var network = try SimulatedNetwork.line(2)
    for origin in [[], [1], [1, 0], [1, 1, 2], [2, 0, 0], [UInt8](repeating: 1, count: 200)] as [[UInt8]] {
      let actions = network.nodes[0].engine.handle(.outcome(origin: origin, .timedOutOnChain), at: network.time)
      #expect(actions.count == 1)
      guard case .forgetOutcome(let forgotten)? = actions.first else { throw SimulationError("\(actions)") }
      #expect(forgotten == origin)
      #expect(
        network.nodes[0].engine.handle(.offered(origin: origin, PaymentKey(channel: .all, id: 0)), at: network.time)
          .isEmpty)
    }
  }
}
