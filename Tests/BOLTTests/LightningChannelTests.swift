import BOLT
import Bitcoin
import Encoding
import GLC
import HTLC
import Hashing
import Secp256k1
import Signer
import Testing
import Wire

@Suite struct LightningChannelTests {
  static let legacyClosing = FeatureSet(bits: [1, 5, 9, 13, 15, 23, 27, 45, 47])

  @Test(arguments: [
    Wire.ChannelType.staticRemotekey, .anchors, .zeroFeeCommitments, .simpleTaproot, .taprootZeroFeeCommitments,
  ])
  func opensPaysAndCloses(type: Wire.ChannelType) throws {
    var pair = ChannelPair()
    let feeRate = FeeRate(satPerKiloWeight: type.paysNoFees ? 0 : 2500)
    try pair.open(type: type, pushed: MilliSatoshi(100_000_000), feeRate: feeRate)
    try pair.run()
    #expect(pair.ends[0].broadcasts.count == 1, "the opener broadcasts the funding transaction")
    try pair.confirm()
    #expect(pair.ends.allSatisfy { $0.isReadySeen && $0.channel?.phase == .normal })

    try pair.offer(1, by: 0, 50_000_000)
    try pair.run()
    let incoming = pair.incoming(1)
    #expect(incoming.count == 1)
    try pair.settle(incoming[0].id, number: 1, by: 1)
    try pair.run()
    #expect(pair.balances == [MilliSatoshi(850_000_000), MilliSatoshi(150_000_000)])
    guard case .outcome(let origin, .settled(let witness, _))? = pair.ends[0].notices.last else {
      Issue.record("no outcome: \(pair.ends[0].notices)")
      return
    }
    #expect(origin == Array("1".utf8) && witness.bytes == ChannelPair.preimage(1).array)

    try pair.close(by: 1)
    try pair.run()
    try checkClosed(pair)
  }

  private func checkClosed(_ pair: ChannelPair, _ comment: Comment? = nil) throws {
    #expect(pair.ends.allSatisfy { $0.failures.isEmpty && $0.warnings.isEmpty }, comment)
    let txids = pair.ends.map { Set($0.channel?.closingTransactions.map(\.txid) ?? []) }
    #expect(!txids[0].isEmpty && txids[0] == txids[1], comment)
    let funding = try #require(pair.ends[0].broadcasts.first)
    for transaction in pair.ends[0].channel?.closingTransactions ?? [] {
      let output = funding.outputs[0]
      // Both signatures hold by consensus rules.
      try TransactionVerifier.verifyScripts(of: transaction, spending: [output], flags: .standard)
    }
  }

  /// Each closing transaction has nonces of its own: those of `shutdown` for the first, then those that come with each `closing_sig`.
  @Test func theClosingFeeOfATaprootChannelCanBeRaisedByBoth() throws {
    var pair = ChannelPair()
    try pair.open(type: .simpleTaproot, pushed: MilliSatoshi(300_000_000))
    try pair.run()
    try pair.confirm()
    try pair.close(by: 0)
    try pair.run()
    for (round, index) in [1, 0, 0, 1].enumerated() {
      pair.closingRate = FeeRate(satPerKiloWeight: UInt32(2000 + 1000 * round))
      let context = pair.context(index)
      let effects = try pair.ends[index].channel?.bumpClosingFee(context) ?? []
      #expect(!effects.isEmpty)
      try pair.carryOut(effects, index)
      try pair.run()
    }
    try checkClosed(pair)
    #expect(pair.ends[0].channel?.closingTransactions.count == 6, "one of each side, and four with higher fees")
  }

  @Test func aTaprootChannelNeedsAPeerThatKnowsItAndIsNotAnnounced() throws {
    var without = ChannelPair(features: FeatureSet(bits: ChannelPair.features.bits.filter { $0 < 80 }))
    #expect(throws: OpeningRefusal.self) { try without.open(type: .simpleTaproot) }
    var pair = ChannelPair()
    #expect(throws: OpeningRefusal.self) { try pair.open(type: .simpleTaproot, announced: true) }
  }

  /// `next_local_nonce`, `partial_signature_with_nonce`, `next_local_nonces`: without one of them the channel fails.
  @Test func aTaprootMessageWithoutItsNonceFailsTheChannel() throws {
    for missing in 0..<4 {
      var pair = ChannelPair()
      try pair.open(type: .simpleTaproot, pushed: MilliSatoshi(300_000_000))
      pair.rewrite = { bytes in
        guard var message = try? Message(decoding: bytes) else { return bytes }
        switch message {
        case .acceptChannel(var accept) where missing == 0:
          accept.nextLocalNonce = nil
          message = .acceptChannel(accept)
        case .fundingSigned(var signed) where missing == 1:
          signed.partialSignatureWithNonce = nil
          message = .fundingSigned(signed)
        case .channelReady(var ready) where missing == 2:
          ready.nextLocalNonce = nil
          message = .channelReady(ready)
        case .revokeAndAck(var revocation) where missing == 3:
          revocation.nextLocalNonces = nil
          message = .revokeAndAck(revocation)
        default: return bytes
        }
        return (try? message.encoded()) ?? bytes
      }
      try pair.run()
      if missing > 1 {
        try pair.confirm()
        if missing == 3 {
          try pair.offer(1, by: 0, 50_000_000)
          try pair.run()
        }
      }
      #expect(pair.ends.contains { !$0.failures.isEmpty }, "\(missing)")
    }
  }

  @Test func theLegacyNegotiationAgreesOnAFee() throws {
    for opener in [0, 1] {
      var pair = ChannelPair(features: Self.legacyClosing)
      try pair.open(pushed: MilliSatoshi(300_000_000))
      try pair.run()
      try pair.confirm()
      try pair.close(by: opener)
      try pair.run()
      try checkClosed(pair)
    }
  }

  /// The same story, with the connection cut before its nth message, both ends started again from what they had stored.
  @Test(arguments: [Self.legacyClosing, ChannelPair.features], [false, true])
  func aConnectionThatBreaksAtAnyMessageChangesNothing(features: FeatureSet, restarts: Bool) throws {
    try breakEverywhere(.anchors, features, restarts: restarts)
  }

  @Test(arguments: [Wire.ChannelType.simpleTaproot, .taprootZeroFeeCommitments], [false, true])
  func norDoesItOnATaprootChannel(type: Wire.ChannelType, restarts: Bool) throws {
    try breakEverywhere(type, ChannelPair.features, restarts: restarts)
  }

  private func breakEverywhere(_ type: Wire.ChannelType, _ features: FeatureSet, restarts: Bool) throws {
    var cut = 0
    while true {
      var pair = ChannelPair(features: features)
      pair.restartsAtCut = restarts
      try pair.open(
        type: type, pushed: MilliSatoshi(300_000_000), feeRate: FeeRate(satPerKiloWeight: type.paysNoFees ? 0 : 2500))
      try pair.run()
      try pair.confirm()
      pair.cutBefore = cut
      pair.delivered = 0
      let count = try tell(&pair, "cut before message \(cut)")
      if cut >= count { break }
      cut += 1
    }
    #expect(cut > 20)
  }

  private func tell(_ pair: inout ChannelPair, _ comment: Comment) throws -> Int {
    func offer(_ number: Int, by index: Int, _ amount: UInt64) throws {
      // An offer that was forgotten in a crash is made again.
      for _ in 0..<3 {
        if pair.ends[index].channel?.canOffer != true { try pair.run() }
        try pair.offer(number, by: index, amount)
        try pair.run()
        let lock = ChannelPair.preimage(number).paymentHash.encoded
        if pair.incoming(1 - index).contains(where: { $0.lock.bytes == lock }) { return }
      }
      Issue.record("the offer does not arrive: \(comment)")
    }
    try offer(1, by: 0, 60_000_000)
    try offer(2, by: 1, 20_000_000)
    for (number, index) in [(1, 1), (2, 0)] {
      for _ in 0..<3 {
        let lock = ChannelPair.preimage(number).paymentHash.encoded
        guard let open = pair.incoming(index).first(where: { $0.lock.bytes == lock }) else { break }
        try pair.settle(open.id, number: number, by: index)
        try pair.run()
      }
    }
    #expect(pair.balances == [MilliSatoshi(660_000_000), MilliSatoshi(340_000_000)], comment)
    for _ in 0..<3 where pair.ends[0].channel?.closingTransactions.isEmpty == true {
      try pair.close(by: 0)
      try pair.run()
    }
    #expect(pair.ends.allSatisfy { $0.failures.isEmpty && $0.warnings.isEmpty }, comment)
    let closings = pair.ends.map { Set($0.channel?.closingTransactions.map(\.txid) ?? []) }
    #expect(!closings[0].isDisjoint(with: closings[1]), comment)
    return pair.delivered
  }

  @Test func aPeerThatBreaksOffBeforeTheFundingLeavesNothing() throws {
    var pair = ChannelPair()
    try pair.open()
    try pair.deliver(to: 1)
    try pair.reconnect()
    #expect(pair.ends.allSatisfy { $0.failures.count == 1 && $0.stored == nil })
  }

  /// Electrum answers the last `closing_signed` once more; when a block has come in between, that ended the connection.
  @Test func whatWasOnItsWayWhenABlockSpentTheFundingIsIgnored() throws {
    var pair = ChannelPair()
    try pair.open()
    try pair.run()
    try pair.confirm()
    let late = try ClosingSigned(
      channelID: #require(pair.ends[0].channel?.id), feeSatoshis: Satoshi(1000),
      signature: CompactSignature(try Bytes64(Array(repeating: 1, count: 64))))
    let message = try Message(decoding: late.encoded())
    let context = pair.context(0)
    _ = pair.ends[0].channel?.fundingWasSpent()
    #expect(pair.ends[0].channel?.receive(message, context).isEmpty == true)
    let fail: [UInt8] = Array(repeating: 0, count: 8)
    #expect(pair.ends[0].channel?.receive(type: 131, body: fail.bytes, context).isEmpty == true)
  }

  /// Some peers end the connection at every error, with all channels on it.
  @Test func theErrorOfAFailedChannelIsSaidAgainUntilABlockHasSpentTheFunding() throws {
    var pair = ChannelPair()
    try pair.open()
    try pair.run()
    try pair.confirm()
    try pair.run()
    _ = pair.ends[0].channel?.fail("for a test")
    _ = pair.ends[0].channel?.disconnect()
    // BOLT 2 §Message Retransmission: if a channel is in an error state: SHOULD retransmit the error packet.
    let context = pair.context(0)
    guard case .send(let bytes)? = pair.ends[0].channel?.connect(context).first,
      case .error? = try? Message(decoding: bytes)
    else {
      Issue.record("no error")
      return
    }
    _ = pair.ends[0].channel?.disconnect()
    #expect(pair.ends[0].channel?.connect(context, fundingIsSpent: true).isEmpty == true)
    pair.ends[0].channel?.end()
    _ = pair.ends[0].channel?.disconnect()
    #expect(pair.ends[0].channel?.connect(context).isEmpty == true)
  }

  @Test func whatAPeerMayNotAskForIsRefused() throws {
    var pair = ChannelPair()
    try pair.open()
    let message = try Message(decoding: pair.ends[1].inbox[0])
    guard case .openChannel(let good) = message else { return }
    let changes: [(String, (inout OpenChannel) -> Void)] = [
      ("chain_hash", { $0.chainHash = .bitcoin }), ("push_msat", { $0.pushMsat = MilliSatoshi(1_000_000_001) }),
      ("to_self_delay", { $0.toSelfDelay = 2017 }), ("max_accepted_htlcs", { $0.maxAcceptedHtlcs = 484 }),
      ("max_accepted_htlcs", { $0.maxAcceptedHtlcs = 0 }),
      ("feerate_per_kw", { $0.feeratePerKw = FeeRate(satPerKiloWeight: 1) }),
      ("feerate_per_kw", { $0.feeratePerKw = FeeRate(satPerKiloWeight: .max) }),
      ("dust_limit_satoshis", { $0.dustLimitSatoshis = Satoshi(353) }),
      ("dust_limit_satoshis", { $0.dustLimitSatoshis = $0.channelReserveSatoshis.adding(Satoshi(1))! }),
      ("channel_reserve_satoshis", { $0.channelReserveSatoshis = Satoshi(100_001) }),
      ("channel_type", { $0.channelType = nil }),
      ("channel_type", { $0.channelType = Wire.ChannelType(features: FeatureSet(bits: [12, 22, 100])) }),
      ("unconfirmed", { $0.channelType = Wire.ChannelType.anchors.with(.zeroconf) }),
      ("funding_satoshis", { $0.fundingSatoshis = Satoshi(1 << 24) }),
      ("funding_satoshis", { $0.fundingSatoshis = Satoshi(9_999) }),
      ("htlc_minimum_msat", { $0.htlcMinimumMsat = MilliSatoshi(.max) }),
      ("upfront_shutdown_script", { $0.upfrontShutdownScript = Script([0x51]) }),
    ]
    for (field, change) in changes {
      var bad = good
      change(&bad)
      do {
        _ = try LightningChannel.accept(
          bad, from: ChannelPair.node(0), keyIndex: 1, chainHash: .regtest, policy: ChannelPolicy(),
          signer: ChannelPair.signer(1, 1), shutdownScript: nil, alias: ShortChannelID(rawValue: 1), pair.context(1))
        Issue.record("\(field) was accepted")
      } catch {
        #expect(error.reason.contains(field), "\(error.reason)")
      }
    }
  }

  @Test func whatAPeerMayAskForAsFeeRateFollowsThePresentEstimates() throws {
    var pair = ChannelPair()
    try pair.open(feeRate: FeeRate(satPerKiloWeight: 5_000))
    pair.maximumRate = FeeRate(satPerKiloWeight: 4_000)
    #expect(throws: OpeningRefusal.self) { try pair.run() }
    for (rate, isFine) in [(4_001 as UInt32, false), (4_000, true), (1_000, true), (252, false)] {
      pair = ChannelPair()
      pair.maximumRate = FeeRate(satPerKiloWeight: 4_000)
      try pair.open(feeRate: FeeRate(satPerKiloWeight: 3_000))
      try pair.run()
      try pair.confirm()
      let effects = try #require(try pair.ends[0].channel?.updateFee(FeeRate(satPerKiloWeight: rate)))
      try pair.carryOut(effects, 0)
      try pair.deliver(to: 1)
      #expect(pair.ends[1].warnings.isEmpty == isFine, "\(rate)")
      #expect(isFine || pair.ends[1].warnings.first?.contains("\(rate)") == true)
    }
  }

  @Test func theLimitOfDustIsThePolicysAlsoForChannelsThatAreReadBack() throws {
    var pair = ChannelPair()
    pair.policy.maximumDustExposure = MilliSatoshi(900_000)
    try pair.open(pushed: MilliSatoshi(400_000_000))
    try pair.run()
    try pair.confirm()
    for number in 0..<3 { try pair.offer(number, by: 0, 300_000) }
    #expect(throws: ChannelError.self) { try pair.offer(3, by: 0, 300_000) }
    try pair.run()
    pair.policy.maximumDustExposure = MilliSatoshi(1_200_000)
    try pair.ends[0].stored = #require(pair.ends[0].channel).encoded
    for index in 0..<2 {
      let stored = try #require(pair.ends[index].stored)
      pair.ends[index].channel = try LightningChannel(
        decoding: stored.bytes, registry: .shipped, policy: pair.policy,
        makeSigner: { ChannelPair.signer(index, $0, $1) })
    }
    try pair.reconnect(restarting: false)
    try pair.run()
    try pair.offer(3, by: 0, 300_000)
    #expect(throws: ChannelError.self) { try pair.offer(4, by: 0, 300_000) }
  }

  @Test func aWrongSignatureFailsTheChannelAndTellsThePeer() throws {
    var pair = ChannelPair()
    try pair.open()
    try pair.run()
    try pair.confirm()
    try pair.offer(1, by: 0, 50_000_000)
    // update_add_htlc arrives; its commitment_signed is changed on the way.
    try pair.deliver(to: 1)
    let context = pair.context(0)
    let flushed = pair.ends[0].channel?.flush(context) ?? []
    try pair.carryOut(flushed, 0)
    pair.ends[1].inbox[0][60] ^= 1
    try pair.deliver(to: 1)
    #expect(pair.ends[1].failures.count == 1 && pair.ends[1].channel?.phase == .onchain)
    try pair.deliver(to: 0)
    #expect(pair.ends[0].failures.first?.contains("the peer says") == true)
    // On every new connection the error is sent again.
    try pair.reconnect(restarting: true)
    #expect(pair.ends[0].inbox.count == 1)
  }

  /// What is due for settlements alone can be left to the next payment: two signatures for each instead of four.
  @Test func settlementsAreSignedTogetherWithTheNextPayment() throws {
    var pair = ChannelPair()
    try pair.open()
    try pair.run()
    try pair.confirm()
    func signatures() -> UInt64 {
      pair.ends.reduce(0) { $0 + ($1.channel?.core.map { $0.remoteNumber } ?? 0) }
    }
    // Those before it may still be there: their settlement is not signed.
    func newest() throws -> UInt64 { try #require(pair.incoming(1).map(\.id).max()) }
    func pay(_ number: Int) throws {
      try pair.offer(number, by: 0, 50_000_000)
      try pair.run()
      try pair.settle(newest(), number: number, by: 1)
      try pair.run()
    }
    var before = signatures()
    try pay(1)
    #expect(signatures() == before + 4)
    pair.holdsCommitments = true
    before = signatures()
    for number in 2..<6 { try pay(number) }
    #expect(signatures() == before + 4 * 2)
    func owing() -> [Bool?] { pair.ends.map { $0.channel?.owesSettlementsAlone } }
    #expect(owing() == [true, true])
    // It is sent again on the next connection. After a restart what no signature covers is decided again by those who have decided it.
    try pair.reconnect(restarting: false)
    try pair.run()
    #expect(owing() == [true, true])
    try pair.reconnect(restarting: true)
    try pair.run()
    #expect(owing() == [true, false])
    try pair.settle(newest(), number: 5, by: 1)
    try pair.run()
    #expect(owing() == [true, true])
    // Nobody waits for a refusal to be signed.
    try pair.offer(6, by: 0, 50_000_000)
    try pair.run()
    try pair.fail(newest(), by: 1)
    try pair.run()
    #expect(owing() == [false, false])
    #expect(pair.ends.allSatisfy { $0.channel?.pendingPayments.isEmpty == true && $0.failures.isEmpty })
    // What was held back is signed when it is asked for.
    for number in 7..<9 { try pay(number) }
    #expect(owing() == [true, true])
    pair.holdsCommitments = false
    try pair.run()
    #expect(owing() == [false, false])
    #expect(pair.ends.allSatisfy { $0.channel?.core?.log.entries.isEmpty == true })
  }

  /// What waits for its signature takes up room: no longer than there is enough of it.
  @Test(arguments: [5, 6]) func settlementsAreSignedAtOnceWhenTheChannelIsHalfFull(count: Int) throws {
    var pair = ChannelPair()
    pair.policy.maximumAccepted = 12
    try pair.open()
    try pair.run()
    try pair.confirm()
    for number in 1...count { try pair.offer(number, by: 0, 20_000_000) }
    try pair.run()
    try pair.settle(0, number: 1, by: 1)
    #expect(pair.ends[1].channel?.owesSettlementsAlone == (count < 6))
  }

  /// The peer has shown the preimage and goes silent: that outcome is stored, and no later one may take its place.
  @Test func aPreimageThatWasShownIsTheLastWordAboutAnOffer() throws {
    var pair = ChannelPair()
    try pair.open()
    try pair.run()
    try pair.confirm()
    try pair.offer(1, by: 0, 50_000_000)
    try pair.run()
    #expect(pair.ends[0].channel?.origins.count == 1)
    try pair.settle(pair.incoming(1)[0].id, number: 1, by: 1)
    // update_fulfill_htlc alone: no signature follows it.
    try pair.deliver(to: 0)
    #expect(pair.ends[0].channel?.origins.isEmpty == true)
    try pair.restart(0)
    #expect(pair.ends[0].channel?.origins.isEmpty == true)
    #expect(pair.ends[0].channel?.pendingPayments.count == 1, "the payment itself is still in the channel")
    // Shown again and committed, it is not reported a second time.
    let notices = pair.ends[0].notices.count
    try pair.reconnect(restarting: false)
    try pair.run()
    #expect(pair.ends[0].notices.count == notices && pair.ends[0].channel?.pendingPayments.isEmpty == true)
  }

  @Test func announcementsAreSignedOnceTheChannelIsSixDeep() throws {
    var pair = ChannelPair()
    try pair.open(announced: true)
    try pair.run()
    try pair.confirm(depth: 5)
    #expect(pair.ends[0].announces == 0)
    pair.height += 1
    for index in 0..<2 {
      let place = pair.ends[index].channel?.funding?.confirmation
      let effects = pair.ends[index].channel?.fundingDepth(height: pair.height, place) ?? []
      try pair.carryOut(effects, index)
    }
    #expect(pair.ends.allSatisfy { $0.announces == 1 })
    let announcement = try #require(
      pair.ends[0].channel?.announcement(of: ChannelPair.node(0), chainHash: .regtest))
    #expect(
      announcement.signatureHash
        == pair.ends[1].channel?.announcement(of: ChannelPair.node(1), chainHash: .regtest)?.signatureHash)
  }

  /// Six blocks in a row are there before the peer's `channel_ready`, and the seventh may be far off.
  @Test func announcementDoesNotWaitForABlockAfterThePeerIsReady() throws {
    var pair = ChannelPair()
    try pair.open(announced: true)
    try pair.run()
    try pair.confirm(depth: 6)
    #expect(pair.ends.allSatisfy { $0.announces == 1 && $0.channel?.remoteAnnouncement != nil })
  }

  /// One end has lost the connection before it was told, and the other has just signed: each repeats its half once at most.
  @Test func halvesOfAnAnnouncementAreRepeatedOnceForEachConnection() throws {
    var pair = ChannelPair()
    try pair.open(announced: true)
    try pair.run()
    try pair.confirm(depth: 6)
    let half = try #require(pair.ends[0].channel?.remoteAnnouncement)
    for connection in 1...2 {
      try pair.reconnect(restarting: false)
      try pair.run()
      let before = pair.ends.map(\.announces)
      pair.ends[0].inbox.append(try half.encoded())
      try pair.run()
      #expect(pair.ends.map(\.announces) == [before[0] + 1, before[1] + 1], "connection \(connection)")
      pair.ends[0].inbox.append(try half.encoded())
      try pair.run()
      #expect(pair.ends.map(\.announces) == [before[0] + 1, before[1] + 1], "connection \(connection)")
    }
  }

  /// What a signer remembers, as version 3 wrote it.
  private func marks(_ marks: LocalSigner.Marks) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(marks.unrevoked)
    writer.writeBigSize(UInt64(marks.signed.count))
    for entry in marks.signed {
      writer.write(entry.funding)
      writer.write(entry.number)
      writer.write(entry.txid)
    }
    writer.writeBigSize(UInt64(marks.completed.count))
    for entry in marks.completed {
      writer.write(entry.funding)
      writer.write(entry.number)
      writer.write(entry.session)
    }
    return writer.bytes
  }

  /// Version 3 knew no second stages that both sign; version 2 neither compositions nor kinds of payments.
  @Test func theStoredFormsOfTheVersionsBeforeAreRead() throws {
    var pair = ChannelPair()
    try pair.open(type: .simpleTaproot, pushed: MilliSatoshi(300_000_000))
    try pair.run()
    try pair.confirm()
    try pair.offer(1, by: 0, 50_000_000)
    try pair.run()
    let channel = try #require(pair.ends[0].channel)
    var old = channel.encoded
    func expectRead(_ bytes: [UInt8]) throws {
      let read = try LightningChannel(
        decoding: bytes.bytes, registry: .shipped, policy: ChannelPolicy(),
        makeSigner: { ChannelPair.signer(0, $0, $1) })
      #expect(read.encoded == channel.encoded)
      #expect(read.kind == .type(.simpleTaproot) && read.origins == channel.origins)
    }
    let known = marks(channel.signer.currentMarks)
    let end = try #require(old.indices.first { old[$0...].starts(with: known) }) + known.count
    #expect(old[0] == 4 && old[end] == 0)
    old[0] = 3
    old.remove(at: end)
    try expectRead(old)
    #expect(old[107] == 0)
    old[0] = 2
    old.remove(at: 107)
    // One origin: its kind, its number, its text.
    let origin: [UInt8] = [1] + [4, 0] + [0, 0, 0, 0, 0, 0, 0, 0] + [1, 0x31]
    let place = try #require(old.indices.first { old[$0...].starts(with: origin) })
    old.removeSubrange(place + 1...place + 2)
    try expectRead(old)
  }

  @Test func aStoredChannelThatIsDamagedIsRefused() throws {
    var pair = ChannelPair()
    try pair.open()
    try pair.run()
    let stored = try #require(pair.ends[0].stored)
    for length in 0..<stored.count {
      let part = Array(stored[..<length])
      #expect(throws: StoredStateError.self) {
        try LightningChannel(
          decoding: part.bytes, registry: .shipped, policy: ChannelPolicy(),
          makeSigner: { ChannelPair.signer(0, $0, $1) })
      }
    }
  }
}
