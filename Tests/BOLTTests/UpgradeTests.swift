import BOLT
import Bitcoin
import Encoding
import GLC
import HTLC
import PTLC
import Secp256k1
import Signer
import Testing
import Wire

/// Another stack for an open channel.
@Suite struct UpgradeTests {
  static let withPTLC = "musig2 + htlc + ptlc + anchors"
  static let without = "musig2 + htlc + anchors"
  static let paired = "musig2 + htlc + ptlc(musig2) + anchors"

  /// One stack for another.
  struct Exchange: CustomTestStringConvertible, Sendable {
    var from: String
    var to: String
    var testDescription: String { "\(from) → \(to)" }
  }

  static let exchanges = [
    Exchange(from: without, to: withPTLC), Exchange(from: without, to: paired), Exchange(from: withPTLC, to: paired),
    Exchange(from: paired, to: "musig2 + htlc + ptlc(single-signer) + anchors"),
  ]

  private func opened(_ stack: String = without) throws -> ChannelPair {
    var pair = ChannelPair()
    try pair.open(type: .simpleTaproot, pushed: MilliSatoshi(400_000_000))
    try pair.run()
    try pair.confirm()
    if stack != Self.without {
      try pair.upgrade(stack, by: 0)
      try pair.run()
      try #require(names(pair) == [stack, stack])
    }
    return pair
  }

  /// The text that a stack has for whoever sees it: the first form of an extension is not named.
  private func plain(_ text: String) -> String { text.replacing("(single-signer)", with: "") }

  /// By points where the channel has them.
  private func kind(_ stack: String) -> ExtensionID { stack.contains("ptlc") ? PTLCExtension.id : HTLCExtension.id }

  private func expectNoTrouble(_ pair: ChannelPair, _ comment: Comment? = nil) {
    #expect(pair.ends.allSatisfy { $0.failures.isEmpty && $0.warnings.isEmpty }, comment)
  }

  private func names(_ pair: ChannelPair) -> [String] {
    pair.ends.map { end in
      end.channel?.stack.map { ExtensionRegistry.shipped.text(of: StackDescription($0)) } ?? "none"
    }
  }

  @Test func aTaprootChannelGainsPTLCAndLosesItAgain() throws {
    var pair = try opened()
    // What is pending stays.
    try pair.offer(1, HTLCExtension.id, by: 0, 30_000_000)
    try pair.run()
    let before = pair.ends.map { $0.channel?.core?.localNumber ?? 0 }
    try pair.upgrade(Self.withPTLC, by: 0)
    try pair.run()
    expectNoTrouble(pair)
    #expect(pair.ends[0].upgrades == [.changed] && pair.ends.allSatisfy { $0.stackChanges == 1 })
    #expect(names(pair) == [Self.withPTLC, Self.withPTLC])
    // Both have commitments with a new number, and all others are revoked.
    for (index, end) in pair.ends.enumerated() {
      #expect(end.channel?.core?.localNumber == before[index] + 1 && end.channel?.core?.awaitsRevocation == false)
    }
    try pair.offer(2, PTLCExtension.id, by: 1, 20_000_000)
    try pair.offer(3, PTLCExtension.id, by: 0, 20_000_000)
    try pair.settle(PaymentName(HTLCExtension.id, 0), number: 1, by: 1)
    try pair.run()
    expectNoTrouble(pair)
    // It holds something: it cannot go.
    #expect(throws: StackRefusal.self) { try pair.upgrade(Self.without, by: 1) }
    try pair.settle(PaymentName(PTLCExtension.id, 0), number: 2, by: 0)
    try pair.refuse(PaymentName(PTLCExtension.id, 0), by: 1)
    try pair.run()
    try pair.upgrade(Self.without, by: 1)
    try pair.run()
    expectNoTrouble(pair)
    #expect(names(pair) == [Self.without, Self.without] && pair.ends[1].upgrades == [.changed])
    #expect(throws: ChannelError.self) { try pair.offer(4, PTLCExtension.id, by: 0, 20_000_000) }
    // And back: numbers count on.
    try pair.upgrade(Self.withPTLC, by: 0)
    try pair.run()
    #expect(try pair.offer(5, PTLCExtension.id, by: 0, 20_000_000) == PaymentName(PTLCExtension.id, 1))
    try pair.run()
    try pair.settle(PaymentName(PTLCExtension.id, 1), number: 5, by: 1)
    try pair.run()
    expectNoTrouble(pair)
    // 600 - 30 + 20 - 20
    #expect(pair.balances == [MilliSatoshi(570_000_000), MilliSatoshi(430_000_000)])
    for index in 0..<2 { try pair.ends[index].stored = #require(pair.ends[index].channel).encoded }
    try pair.reconnect(restarting: true)
    try pair.run()
    try pair.close(by: 0)
    try pair.run()
    expectNoTrouble(pair)
    #expect(pair.ends.allSatisfy { $0.channel?.phase == .closing })
  }

  /// What is locked by points changes its form as long as nothing is locked; whoever names no form keeps the one that there is.
  @Test func aChannelExchangesOneFormOfAnExtensionForAnother() throws {
    var pair = try opened(Self.withPTLC)
    try pair.offer(1, PTLCExtension.id, by: 0, 30_000_000)
    try pair.offer(2, HTLCExtension.id, by: 1, 10_000_000)
    try pair.run()
    // What holds something keeps its form.
    do {
      try pair.upgrade(Self.paired, by: 1)
      Issue.record("a form was exchanged while a payment was pending")
    } catch let refusal as StackRefusal {
      #expect(refusal.reason == .holdsSomething && refusal.extensionID == PTLCExtension.id, "\(refusal)")
    }
    try pair.settle(PaymentName(PTLCExtension.id, 0), number: 1, by: 1)
    try pair.run()
    try pair.upgrade(Self.paired, by: 1)
    try pair.run()
    expectNoTrouble(pair)
    #expect(names(pair) == [Self.paired, Self.paired] && pair.ends[1].upgrades == [.changed])
    // Numbers count on, both ways.
    #expect(try pair.offer(3, PTLCExtension.id, by: 0, 20_000_000) == PaymentName(PTLCExtension.id, 1))
    #expect(try pair.offer(4, PTLCExtension.id, by: 1, 20_000_000) == PaymentName(PTLCExtension.id, 0))
    try pair.run()
    for index in 0..<2 { try pair.ends[index].stored = #require(pair.ends[index].channel).encoded }
    try pair.reconnect(restarting: true)
    try pair.run()
    try pair.settle(PaymentName(PTLCExtension.id, 1), number: 3, by: 1)
    try pair.refuse(PaymentName(PTLCExtension.id, 0), by: 0)
    try pair.settle(PaymentName(HTLCExtension.id, 0), number: 2, by: 0)
    try pair.run()
    expectNoTrouble(pair)
    // No form is wished: it is what it is.
    #expect(throws: StackRefusal.self) { try pair.upgrade(Self.withPTLC, by: 0) }
    try pair.upgrade("musig2 + ptlc + anchors", by: 0)
    try pair.run()
    expectNoTrouble(pair)
    #expect(names(pair) == ["musig2 + ptlc(musig2) + anchors", "musig2 + ptlc(musig2) + anchors"])
    try pair.upgrade("musig2 + htlc + ptlc(single-signer) + anchors", by: 0)
    try pair.run()
    expectNoTrouble(pair)
    #expect(names(pair) == [Self.withPTLC, Self.withPTLC])
    #expect(try pair.offer(5, PTLCExtension.id, by: 0, 20_000_000) == PaymentName(PTLCExtension.id, 2))
    try pair.run()
    try pair.settle(PaymentName(PTLCExtension.id, 2), number: 5, by: 1)
    try pair.run()
    expectNoTrouble(pair)
    // 600 - 30 + 10 - 20 - 20
    #expect(pair.balances == [MilliSatoshi(540_000_000), MilliSatoshi(460_000_000)])
  }

  /// Whether both want it, and whether both ends start anew when the connection is cut.
  static let cuts = [(false, false), (false, true), (true, false), (true, true)]

  /// The connection is cut before each message, with and without both ends started anew: there is one stack, the same for both, and the
  /// channel goes on.
  @Test(arguments: exchanges, cuts)
  func aCutAtAnyMessageLeavesOneStack(exchange: Exchange, how: (restarts: Bool, bothWant: Bool)) throws {
    let (restarts, bothWant) = how
    var (cut, changed, kept) = (0, 0, 0)
    while true {
      var pair = try opened(exchange.from)
      try pair.offer(1, HTLCExtension.id, by: 0, 30_000_000)
      try pair.run()
      pair.restartsAtCut = restarts
      pair.cutBefore = cut
      pair.delivered = 0
      try pair.upgrade(exchange.to, by: 1)
      if bothWant { try pair.upgrade(exchange.to, by: 0) }
      try pair.run()
      let count = pair.delivered
      pair.cutBefore = nil
      let found = names(pair)
      let comment: Comment = "cut before message \(cut)"
      expectNoTrouble(pair, comment)
      #expect(found[0] == found[1], comment)
      if found[0] == plain(exchange.to) { changed += 1 } else { kept += 1 }
      // Whatever it is, payments go on.
      let name = try #require(try pair.offer(2, kind(found[0]), by: 1, 20_000_000))
      try pair.run()
      try pair.settle(name, number: 2, by: 0)
      try pair.settle(PaymentName(HTLCExtension.id, 0), number: 1, by: 1)
      try pair.run()
      expectNoTrouble(pair, comment)
      #expect(pair.balances == [MilliSatoshi(590_000_000), MilliSatoshi(410_000_000)], comment)
      #expect(pair.ends.allSatisfy { $0.channel?.core?.isChangingStack == false }, comment)
      if cut >= count { break }
      cut += 1
    }
    // `stfu` twice, proposal, acceptance, change, and four of the dance.
    #expect(cut >= 9 && changed > 3 && kept > 3, "\(cut) cuts, \(changed) changed, \(kept) kept")
  }

  /// One end dies between any two of its effects: what was not stored has not happened, what was not sent is sent again.
  @Test(arguments: exchanges, [0, 1])
  func aDeathBetweenAnyTwoEffectsLeavesOneStack(exchange: Exchange, victim: Int) throws {
    var death = 0
    while true {
      var pair = try opened(exchange.from)
      try pair.ends[0].stored = #require(pair.ends[0].channel).encoded
      try pair.ends[1].stored = #require(pair.ends[1].channel).encoded
      pair.dies = (victim, death)
      try pair.upgrade(exchange.to, by: 0)
      try pair.run()
      let happened = pair.dies == nil
      let found = names(pair)
      let comment: Comment = "death of \(victim) before effect \(death)"
      expectNoTrouble(pair, comment)
      #expect(found[0] == found[1], comment)
      #expect([exchange.from, plain(exchange.to)].contains(found[0]), comment)
      pair.dies = nil
      let name = try #require(try pair.offer(2, kind(found[0]), by: 1, 20_000_000), comment)
      try pair.run()
      try pair.settle(name, number: 2, by: 0)
      try pair.run()
      expectNoTrouble(pair, comment)
      #expect(pair.balances == [MilliSatoshi(620_000_000), MilliSatoshi(380_000_000)], comment)
      if !happened { break }
      death += 1
    }
    #expect(death > 5)
  }

  @Test func anUnknownExtensionIsRefusedByName() throws {
    var pair = try opened()
    pair.registries[1] = ExtensionRegistry(try BOLT.ChannelType.simpleTaproot.stack())
    try pair.upgrade(Self.withPTLC, by: 0)
    try pair.run()
    expectNoTrouble(pair)
    guard case .refused(let refusal)? = pair.ends[0].upgrades.first else {
      Issue.record("not refused")
      return
    }
    #expect(refusal.reason == .unknown && refusal.extensionID == PTLCExtension.id)
    // Quiescence is over: payments flow.
    try pair.offer(1, HTLCExtension.id, by: 0, 30_000_000)
    try pair.offer(2, HTLCExtension.id, by: 1, 30_000_000)
    try pair.run()
    #expect(pair.offers(to: 0).count == 1 && pair.offers(to: 1).count == 1)
  }

  @Test func whatCannotBeIsRefusedBeforeThePeerIsAsked() throws {
    var pair = try opened()
    for (text, reason) in [
      ("witness-script + htlc + anchors", StackRefusal.Reason.funding), (Self.without, .unchanged),
    ] {
      do {
        try pair.upgrade(text, by: 0)
        Issue.record("\(text) was taken")
      } catch let refusal as StackRefusal {
        #expect(refusal.reason == reason, "\(refusal)")
      }
    }
    #expect(pair.ends[1].inbox.isEmpty)
    var plain = ChannelPair(features: FeatureSet(bits: ChannelPair.features.bits.filter { $0 != 4441 }))
    try plain.open(type: .simpleTaproot, pushed: MilliSatoshi(400_000_000))
    try plain.run()
    try plain.confirm()
    #expect(throws: StackRefusal.self) { try plain.upgrade(Self.withPTLC, by: 0) }
  }

  /// A peer that does not know us sees nothing of ours, also after a lost connection.
  @Test func aPeerThatDoesNotComposeSeesNoMessageOfOurs() throws {
    var pair = ChannelPair(features: FeatureSet(bits: ChannelPair.features.bits.filter { $0 != 4441 }))
    let seen = Counter()
    pair.rewrite = { bytes in
      if bytes[0] >= 0x80 { seen.count += 1 }
      if case .channelReestablish(let message)? = try? Message(decoding: bytes),
        !message.otherRecords.records.isEmpty
      {
        seen.count += 1
      }
      return bytes
    }
    try pair.open(type: .simpleTaproot, pushed: MilliSatoshi(400_000_000))
    try pair.run()
    try pair.confirm()
    try pair.offer(1, HTLCExtension.id, by: 0, 30_000_000)
    try pair.run()
    try pair.reconnect()
    try pair.run()
    expectNoTrouble(pair)
    #expect(seen.count == 0)
  }

  private final class Counter { var count = 0 }

  // MARK: Quiescence

  @Test func nobodyOffersAnythingWhileTheChannelIsQuiescent() throws {
    var pair = try opened()
    try pair.offer(1, HTLCExtension.id, by: 0, 30_000_000)
    // Our own offer is pending: `stfu` waits for it.
    try pair.upgrade(Self.withPTLC, by: 0)
    #expect(throws: ChannelError.self) { try pair.offer(2, HTLCExtension.id, by: 0, 30_000_000) }
    // The other side may still offer.
    try pair.offer(3, HTLCExtension.id, by: 1, 30_000_000)
    try pair.run()
    expectNoTrouble(pair)
    #expect(names(pair) == [Self.withPTLC, Self.withPTLC])
    #expect(pair.offers(to: 0).count == 1 && pair.offers(to: 1).count == 1)
  }

  /// BOLT 2: MUST NOT send an update message after `stfu`; MUST NOT send `stfu` twice.
  @Test func messagesOutOfTurnEndTheConnection() throws {
    func after(_ messages: (ChannelPair) throws -> [[UInt8]]) throws -> [String] {
      var pair = try opened()
      try pair.ends[0].inbox += messages(pair)
      while !pair.ends[0].inbox.isEmpty { try pair.deliver(to: 0) }
      #expect(pair.ends[0].failures.isEmpty)
      return pair.ends[0].warnings
    }
    func stfu(_ pair: ChannelPair, _ initiator: UInt8) throws -> [UInt8] {
      try Stfu(channelID: #require(pair.ends[0].channel?.id), initiator: initiator).encoded()
    }
    func ours(_ pair: ChannelPair, _ type: UInt16, _ body: [UInt8]) throws -> [UInt8] {
      var writer = ByteWriter()
      writer.write(type)
      writer.write(try #require(pair.ends[0].channel?.id))
      writer.write(body)
      return writer.bytes
    }
    #expect(try after { [try stfu($0, 1), try stfu($0, 1)] }.count == 1)
    #expect(try after { [try stfu($0, 0)] }.count == 1, "an answer to nothing")
    #expect(try after { [try stfu($0, 2)] }.count == 1)
    #expect(
      try after { pair in
        var sender = pair
        try sender.offer(1, HTLCExtension.id, by: 1, 30_000_000)
        return [try stfu(pair, 1)] + sender.ends[0].inbox
      }.count == 1)
    for type in [45072, 45073, 45074, 45075] as [UInt16] {
      #expect(try after { [try ours($0, type, [0])] }.count == 1, "\(type) out of turn")
    }
  }

  /// A proposal whose bytes are cut, changed or made up: a refusal or a lost connection, nothing else.
  @Test func aProposalThatIsDamagedIsRefused() throws {
    for length in [0, 1, 2, 5, 20, 40] {
      var pair = try opened()
      pair.rewrite = { bytes in
        bytes[0] == 0xb0 && bytes[1] == 0x10 ? Array(bytes.prefix(34 + length)) : bytes
      }
      try pair.upgrade(Self.withPTLC, by: 0)
      try pair.run()
      #expect(pair.ends.allSatisfy { $0.failures.isEmpty }, "\(length)")
      guard case .refused? = pair.ends[0].upgrades.first else {
        Issue.record("a proposal of \(length) bytes was not refused: \(pair.ends[0].upgrades)")
        continue
      }
    }
  }

  /// What the peer accepts has to be what was proposed; what it changes to has to be what was accepted.
  @Test func anotherStackThanTheOneAgreedOnIsNotTaken() throws {
    for type in [0x11, 0x13] as [UInt8] {
      var pair = try opened()
      pair.rewrite = { bytes in
        guard bytes[0] == 0xb0, bytes[1] == type, let place = bytes.firstIndex(ofPTLC: ()) else { return bytes }
        // The smallest payment that one of them takes.
        var changed = bytes
        changed[place + 4 + 7] ^= 1
        return changed
      }
      try pair.upgrade(Self.withPTLC, by: 0)
      try pair.run()
      let found = names(pair)
      #expect(found.allSatisfy { $0 == Self.without } || pair.ends.contains { !$0.failures.isEmpty }, "\(type)")
    }
  }
}

extension [UInt8] {
  /// Where the PTLC extension's number stands in a stack, with its parameters behind it.
  fileprivate func firstIndex(ofPTLC: Void) -> Int? {
    indices.dropFirst(34).first { $0 + 40 < count && self[$0] == 5 && self[$0 + 1] == 0 && self[$0 + 2] == 37 }
  }
}
