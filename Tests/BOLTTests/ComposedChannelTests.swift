import BOLT
import Base
import Bitcoin
import Encoding
import GLC
import HTLC
import PTLC
import Secp256k1
import Signer
import Testing
import Wire

@Suite struct ComposedChannelTests {
  static let kinds: [ExtensionID] = [HTLCExtension.id, PTLCExtension.id]

  private func opened(_ scheme: PTLCExtension.Scheme = .singleSigner, depth: UInt32 = 3) throws -> ChannelPair {
    var pair = ChannelPair()
    try pair.openComposed(try ChannelPair.taproot([ChannelPair.htlc, ChannelPair.ptlc(scheme)]), depth: depth)
    try pair.confirm()
    return pair
  }

  private func expectNoTrouble(_ pair: ChannelPair, _ comment: Comment? = nil) {
    #expect(pair.ends.allSatisfy { $0.failures.isEmpty && $0.warnings.isEmpty }, comment)
  }

  /// The kinds count apart: number 0 of each is another payment.
  @Test(arguments: PTLCExtension.Scheme.allCases)
  func aComposedChannelCarriesBothKindsOfPaymentsAndCloses(scheme: PTLCExtension.Scheme) throws {
    var pair = try opened(scheme)
    #expect(pair.ends.allSatisfy { $0.isReadySeen && $0.channel?.phase == .normal })
    for (number, kind) in [HTLCExtension.id, PTLCExtension.id, PTLCExtension.id].enumerated() {
      try pair.offer(number, kind, by: 0, 30_000_000)
      try pair.offer(number + 10, kind, by: 1, 20_000_000)
    }
    try pair.run()
    let names = [PaymentName(HTLCExtension.id, 0), PaymentName(PTLCExtension.id, 0), PaymentName(PTLCExtension.id, 1)]
    #expect(pair.offers(to: 1) == names && pair.offers(to: 0) == names)
    #expect(pair.ends[0].channel?.origins.keys.sorted() == names)
    for (number, name) in names.enumerated() {
      if number == 1 { try pair.refuse(name, by: 1) } else { try pair.settle(name, number: number, by: 1) }
      try pair.settle(name, number: number + 10, by: 0)
    }
    try pair.run()
    expectNoTrouble(pair)
    // 600 - 2 × 30 + 3 × 20
    #expect(pair.balances == [MilliSatoshi(600_000_000), MilliSatoshi(400_000_000)])
    var outcomes: [[UInt8]: OfferOutcome] = [:]
    for case .outcome(let origin, let outcome) in pair.ends[0].notices { outcomes[origin] = outcome }
    #expect(outcomes.count == 3)
    guard case .settled(let witness, _)? = outcomes[Array("2".utf8)] else {
      Issue.record("no outcome")
      return
    }
    #expect(witness == ChannelPair.witness(2, PTLCExtension.id))
    guard case .failed(let reason, _)? = outcomes[Array("1".utf8)] else {
      Issue.record("the refusal was not told")
      return
    }
    #expect(reason == [1, 2, 3])
    try pair.close(by: 1)
    try pair.run()
    expectNoTrouble(pair)
    #expect(pair.ends.allSatisfy { $0.channel?.phase == .closing && $0.channel?.closingTransactions.isEmpty == false })
    let funding = try #require(pair.ends[0].broadcasts.first)
    for transaction in pair.ends[0].channel?.closingTransactions ?? [] {
      try TransactionVerifier.verifyScripts(of: transaction, spending: [funding.outputs[0]], flags: .standard)
    }
  }

  @Test func aChannelOfScriptsThatBothSignAloneIsComposedAsWell() throws {
    var pair = ChannelPair()
    let stack = try BOLT.ChannelType.anchors.stack()
    try pair.openComposed(stack)
    try pair.confirm()
    try pair.offer(1, HTLCExtension.id, by: 0, 30_000_000)
    try pair.run()
    try pair.settle(PaymentName(HTLCExtension.id, 0), number: 1, by: 1)
    try pair.run()
    expectNoTrouble(pair)
    #expect(pair.balances == [MilliSatoshi(570_000_000), MilliSatoshi(430_000_000)])
  }

  /// The same story with the connection cut before its nth message, with and without both ends started anew from what they had stored.
  @Test(arguments: [false, true], PTLCExtension.Scheme.allCases)
  func aConnectionThatBreaksAtAnyMessageChangesNothing(restarts: Bool, scheme: PTLCExtension.Scheme) throws {
    var cut = 0
    while true {
      var pair = try opened(scheme)
      pair.restartsAtCut = restarts
      pair.cutBefore = cut
      pair.delivered = 0
      let count = try tell(&pair, "cut before message \(cut)")
      if cut >= count { break }
      cut += 1
    }
    #expect(cut > 20)
  }

  /// Offers in both directions at once, then settles and refuses, by numbers. What is not there any more after a cut is offered again.
  private func tell(_ pair: inout ChannelPair, _ comment: Comment) throws -> Int {
    let kinds = [PTLCExtension.id, HTLCExtension.id, PTLCExtension.id, PTLCExtension.id]
    func missing(_ index: Int) -> [Int] {
      (0..<4).filter { $0 % 2 == index }.filter { number in
        guard let lock = try? ChannelPair.lock(number, kinds[number]) else { return false }
        return pair.ends[1 - index].channel?.pendingPayments.contains { $0.lock == lock } != true
      }
    }
    for round in 0..<3 {
      for index in 0..<2 {
        for number in missing(index)
        where pair.ends[index].channel?.livePayments.contains(where: {
          (try? ChannelPair.lock(number, kinds[number])) == $0.lock
        }) != true && pair.ends[index].channel?.canOffer == true {
          try pair.offer(number, kinds[number], by: index, UInt64(20_000_000 + number))
        }
      }
      try pair.run()
      if missing(0).isEmpty, missing(1).isEmpty { break }
      #expect(round < 2, comment)
    }
    #expect(missing(0).isEmpty && missing(1).isEmpty, comment)
    for _ in 0..<3 {
      for index in 0..<2 {
        for payment in pair.ends[index].channel?.pendingPayments ?? [] where payment.offeredBy == .remote {
          guard pair.ends[index].channel?.removal(of: payment.name).isOnItsWay == false,
            let number = (0..<4).first(where: { (try? ChannelPair.lock($0, kinds[$0])) == payment.lock })
          else { continue }
          if number == 3 {
            try pair.refuse(payment.name, by: index)
          } else {
            try pair.settle(payment.name, number: number, by: index)
          }
        }
      }
      try pair.run()
    }
    expectNoTrouble(pair, comment)
    #expect(pair.ends.allSatisfy { $0.channel?.pendingPayments.isEmpty == true }, comment)
    #expect(pair.ends.allSatisfy { $0.channel?.origins.isEmpty == true }, comment)
    // 0 and 2 of the opener were settled, 1 of the other; 3 went back.
    #expect(pair.balances == [MilliSatoshi(580_000_000 - 1), MilliSatoshi(420_000_000 + 1)], comment)
    return pair.delivered
  }

  @Test(arguments: PTLCExtension.Scheme.allCases)
  func theStoredFormOfAComposedChannelIsReadBackWhateverIsOnItsWay(scheme: PTLCExtension.Scheme) throws {
    var pair = try opened(scheme)
    try pair.offer(1, PTLCExtension.id, by: 0, 30_000_000)
    try pair.run()
    try pair.offer(2, PTLCExtension.id, by: 1, 30_000_000)
    for _ in 0..<12 {
      for index in 0..<2 {
        let stored = try #require(pair.ends[index].channel).encoded
        let again = try LightningChannel(
          decoding: stored.bytes, registry: .shipped, policy: pair.policy,
          makeSigner: { ChannelPair.signer(index, $0, $1) })
        #expect(again.encoded == stored && again.kind == .composed([]))
        #expect(again.origins == pair.ends[index].channel?.origins)
        if pair.ends[index].inbox.isEmpty {
          let context = pair.context(index)
          try pair.carryOut(pair.ends[index].channel?.flush(context) ?? [], index)
        } else {
          try pair.deliver(to: index)
        }
      }
    }
  }

  /// Without the PTLC extension, nothing of such a channel can be read, and that is said.
  @Test func aRegistryWithoutAnExtensionSaysWhichOne() throws {
    let pair = try opened()
    var registry = ExtensionRegistry()
    registry.register(MuSig2Funding())
    registry.register(MainOutputs())
    registry.register(HTLCExtension())
    let stored = try #require(pair.ends[0].stored)
    #expect(throws: StoredStateError.unknownExtension(PTLCExtension.id)) {
      try LightningChannel(
        decoding: stored.bytes, registry: registry, policy: ChannelPolicy(),
        makeSigner: { ChannelPair.signer(0, $0, $1) })
    }
  }

  /// 483 payments in each direction: more signatures than one message carries.
  @Test(arguments: PTLCExtension.Scheme.allCases)
  func signaturesThatFillMoreThanAMessageGoInPieces(scheme: PTLCExtension.Scheme) throws {
    var pair = ChannelPair()
    pair.policy.maximumDustExposure = MilliSatoshi(1_000_000_000)
    try pair.openComposed(
      try ChannelPair.taproot([ChannelPair.htlc, ChannelPair.ptlc(scheme)]), capacity: Satoshi(16_000_000),
      pushed: MilliSatoshi(8_000_000_000), feeRate: FeeRate(satPerKiloWeight: 253))
    try pair.confirm()
    for number in 0..<483 {
      try pair.offer(number, PTLCExtension.id, by: 0, 5_000_000)
      try pair.offer(number, PTLCExtension.id, by: 1, 5_000_000)
      try pair.offer(number, HTLCExtension.id, by: 0, 5_000_000)
    }
    let seen = Seen()
    pair.rewrite = { bytes in
      seen.note(bytes)
      return bytes
    }
    try pair.run()
    let (types, longest) = (seen.types, seen.longest)
    expectNoTrouble(pair)
    #expect(pair.offers(to: 1).count == 966 && pair.offers(to: 0).count == 483)
    #expect(types[45066, default: 0] > 0 && types[45065, default: 0] > 0 && longest <= 65_535, "\(types), \(longest)")
    for payment in pair.offers(to: 1) { try pair.settle(payment, number: Int(payment.number), by: 1) }
    try pair.run()
    expectNoTrouble(pair)
    #expect(pair.offers(to: 1).isEmpty)
  }

  private final class Seen {
    var types: [UInt16: Int] = [:]
    var longest = 0

    func note(_ bytes: [UInt8]) {
      types[UInt16(bytes[0]) << 8 | UInt16(bytes[1]), default: 0] += 1
      longest = max(longest, bytes.count)
    }
  }

  // MARK: What a peer should not say

  /// A peer that sends something else in place of one of its messages: what becomes of the channel.
  private func distort(
    _ type: UInt16, _ scheme: PTLCExtension.Scheme = .singleSigner, _ change: @escaping (inout [UInt8]) -> Void
  ) throws -> (warned: Bool, failed: Bool) {
    var pair = try opened(scheme)
    // So that the remote commitment has an output that needs a presignature.
    try pair.offer(1, PTLCExtension.id, by: 0, 30_000_000)
    try pair.run()
    try pair.offer(2, PTLCExtension.id, by: 1, 30_000_000)
    pair.rewrite = { bytes in
      var bytes = bytes
      if UInt16(bytes[0]) << 8 | UInt16(bytes[1]) == type { change(&bytes) }
      return bytes
    }
    for _ in 0..<40 {
      for index in 0..<2 {
        guard pair.ends.allSatisfy({ $0.warnings.isEmpty && $0.failures.isEmpty }) else {
          return (pair.ends.contains { !$0.warnings.isEmpty }, pair.ends.contains { !$0.failures.isEmpty })
        }
        if !pair.ends[index].inbox.isEmpty { try pair.deliver(to: index) }
        let context = pair.context(index)
        try pair.carryOut(pair.ends[index].channel?.flush(context) ?? [], index)
      }
    }
    return (false, false)
  }

  @Test func malformedMessagesOfThePresignPhaseNeitherTrapNorPass() throws {
    // Cut short: the connection ends, the channel stays.
    for type in [45064, 45065] as [UInt16] {
      let cut = try distort(type) { $0.removeLast($0.count - 36) }
      #expect(cut.warned && !cut.failed, "\(type)")
    }
    let trailing = try distort(45064) { $0.append(0) }
    #expect(trailing.warned && !trailing.failed)
    // Another number, a flag that is none, a signature changed.
    #expect(try distort(45064) { $0[41] ^= 1 }.failed)
    #expect(try distort(45065) { $0[41] ^= 1 }.failed)
    #expect(try distort(45065) { $0[42] = 2 }.warned)
    let changed = try distort(45065) { $0[$0.count - 1] ^= 1 }
    #expect(changed.failed || changed.warned)
    // More to come, and nothing comes: the channel waits, as it would for a silent peer.
    let waiting = try distort(45065) { $0[42] = 1 }
    #expect(!waiting.failed && !waiting.warned)
  }

  @Test func malformedNoncesNeitherTrapNorPass() throws {
    // Number, flag, how many fundings, how many nonces, nonces.
    let cut = try distort(45064, .musig2) { $0.removeLast(30) }
    #expect(cut.warned && !cut.failed)
    let noPoint = try distort(45064, .musig2) { $0[45] = 9 }
    #expect(noPoint.warned && !noPoint.failed)
    #expect(try distort(45064, .musig2) { $0[42] = 2 }.warned)
    #expect(try distort(45064, .musig2) { $0.removeLast($0.count - 43) }.warned, "an empty piece")
    #expect(try distort(45064, .musig2) { $0[43] = 0 }.warned, "none at all")
    // None where there should be some; another one than the signature is made with.
    #expect(try distort(45064, .musig2) { $0.removeLast($0.count - 42) }.failed)
    #expect(try distort(45064, .musig2) { $0[45] ^= 1 }.failed)
    let waiting = try distort(45064, .musig2) { $0[42] = 1 }
    #expect(!waiting.failed && !waiting.warned)
    // A part of the holder's, and its nonce.
    for place in [0, 40, 90] {
      let changed = try distort(45065, .musig2) { $0[$0.count - 1 - place] ^= 1 }
      #expect(changed.failed || changed.warned, "\(place)")
    }
  }

  @Test func anotherChannelsMessagesAreNotThisOnes() throws {
    var pair = ChannelPair()
    try pair.open(type: .simpleTaproot, pushed: MilliSatoshi(300_000_000))
    try pair.run()
    try pair.confirm()
    for type in [45056, 45064, 45065, 45066] as [UInt16] { #expect(pair.ends[0].channel?.ownsMessage(type) == false) }
    let composed = try opened()
    for type in [45056, 45059, 45064, 45065, 45066] as [UInt16] {
      #expect(composed.ends[0].channel?.ownsMessage(type) == true, "\(type)")
    }
  }

  @Test func aCompositionThatIsNotAtItsBeginningIsRefused() throws {
    var pair = try opened()
    try pair.offer(1, PTLCExtension.id, by: 0, 30_000_000)
    try pair.run()
    let channel = try #require(pair.ends[0].channel)
    let core = try #require(channel.core)
    let opening = ComposedOpening(
      peer: ChannelPair.node(1), keyIndex: 7, isOpener: true, temporaryID: channel.temporaryID, pushed: .zero,
      minimumDepth: 1, alias: ShortChannelID(rawValue: 5))
    #expect(throws: OpeningRefusal.self) {
      try LightningChannel.composed(core, opening, funding: nil, signer: channel.signer, policy: ChannelPolicy())
    }
    var fresh = ChannelPair()
    try fresh.openComposed(try ChannelPair.taproot([ChannelPair.ptlc]))
    let begun = try #require(fresh.ends[0].channel?.core)
    // Somebody else's signer, and signatures that are missing.
    #expect(throws: OpeningRefusal.self) {
      try LightningChannel.composed(
        begun, opening, funding: nil, signer: ChannelPair.signer(1, 7), policy: ChannelPolicy())
    }
    #expect(throws: OpeningRefusal.self) {
      try LightningChannel.composed(
        begun.signed([]), opening, funding: nil, signer: ChannelPair.signer(0, 7), policy: ChannelPolicy())
    }
  }
}
