import Anchors
import Base
import Bitcoin
import Encoding
import GLC
import HTLC
import Hashing
import Negotiation
import PTLC
import Secp256k1
import Signer
import Testing

/// Stacks of every kind.
private let stacks = [
  "witness-script + htlc", "htlc + anchors", "htlc + shared-anchor", "musig2 + htlc + anchors",
  "musig2 + htlc + ptlc + anchors", "musig2 + ptlc + shared-anchor", "musig2 + anchors",
  "musig2 + htlc + ptlc(musig2) + anchors", "musig2 + ptlc(musig2) + shared-anchor",
]

@Suite struct OpeningTests {
  @Test(arguments: stacks) func oneSidePaysAndBothHaveTheSameChannel(text: String) throws {
    var world = try OpeningWorld(text, pushed: 50_000_000)
    try world.run()
    try world.expectOpened()
    let balances = try #require(world.nodes[1].opened?.channel.fundings.first?.base.balances)
    #expect(balances[.local] == MilliSatoshi(50_000_000) && balances[.remote] == MilliSatoshi(550_000_000))
    // The acceptor, who puts nothing in, signs first.
    let order = world.transcript.compactMap { if case .sign = $0.message { $0.from } else { nil } }
    #expect(order == [1, 0])
  }

  @Test(arguments: stacks) func bothSidesPutCoinsIn(text: String) throws {
    var world = try OpeningWorld(text, contributions: [600_000, 800_000])
    try world.run()
    try world.expectOpened()
    let opened = try #require(world.nodes[0].opened)
    #expect(opened.capacity == Satoshi(1_400_000))
    #expect(opened.funding.inputs.count == 4 && opened.funding.outputs.count == 3)
    #expect(opened.channel.fundings.first?.base.balances[.remote] == MilliSatoshi(800_000_000))
    // Who has put the least in signs first.
    let order = world.transcript.compactMap { if case .sign = $0.message { $0.from } else { nil } }
    #expect(order == [0, 1])
  }

  /// The opener names a form, the acceptor offers what it has without a wish, and agrees to what is proposed.
  @Test func aFormOfAnExtensionIsProposedByItsParameters() throws {
    var world = try OpeningWorld("musig2 + htlc + ptlc(musig2) + anchors")
    try world.run()
    try world.expectOpened()
    for node in world.nodes {
      let stack = try #require(node.opened?.channel.stack)
      #expect(stack.extensions.contains { $0.manifest.name == "ptlc(musig2)" })
    }
  }

  @Test func parametersAreThoseThatBothAgreeTo() throws {
    var world = try OpeningWorld(contributions: [600_000, 0])
    try world.run()
    let stack = try #require(world.nodes[0].opened?.channel.stack)
    for slot in stack.extensions {
      if let htlc = slot as? Slot<HTLCExtension> {
        #expect(htlc.parameters.limits.local.maximumAccepted == 30)
        #expect(htlc.parameters.limits.remote.maximumAccepted == 31)
      }
    }
    let other = try #require(world.nodes[1].opened?.channel.stack)
    #expect(stack.extensions.map(\.encodedParameters) == other.extensions.map(\.mirroredParameters))
  }

  /// The acceptor's offer reached the opener with other wishes than it has: its counter-proposal says what it wants, and the opener agrees.
  @Test func whoWantsOtherParametersMakesACounterProposal() throws {
    var world = try OpeningWorld(contributions: [600_000, 0])
    world.tamper = { _, message in
      guard case .offer(var offer) = message,
        let index = offer.parameters.firstIndex(where: { $0.id == HTLCExtension.id })
      else { return message }
      let given = offer.parameters[index].bytes
      var parameters = try HTLCExtension.Parameters(decoding: given.bytes)
      parameters.limits.local.maximumAccepted = 11
      offer.parameters[index].bytes = parameters.encoded
      return .offer(offer)
    }
    try world.run()
    try world.expectOpened()
    let proposals = world.transcript.compactMap { entry -> Int? in
      if case .propose = entry.message { entry.from } else { nil }
    }
    #expect(proposals == [0, 1])
  }

  /// Two nodes of which each insists on its own format never agree, and stop after a bounded number of proposals.
  @Test func whoNeverAgreesStops() throws {
    struct Stubborn: ChannelExtension {
      static let id = ExtensionID(rawValue: 0x7f20)
      var wish: UInt8
      struct Wish: BinaryCodable {
        var value: UInt8
        init(value: UInt8) { self.value = value }
        init(from reader: inout ByteReader) throws(DecodingError) { value = try reader.readUInt8() }
        func encode(to writer: inout ByteWriter) { writer.write(value) }
      }
      static func manifest(_ parameters: Wish) -> Manifest { Manifest(name: "stubborn", phase: .dependents) }
      func propose(for setting: StackSetting) -> Wish { Wish(value: wish) }
      func contribute(_ l: Nothing, _ p: Wish, to draft: inout CommitmentDraft) throws(DraftError) {}
    }
    var world = try OpeningWorld { deal in
      deal.stack = StackDescription(
        funding: deal.stack.funding, extensions: deal.stack.extensions + [Stubborn.id])
    }
    for index in 0..<2 { world.nodes[index].registry.register(Stubborn(wish: UInt8(index))) }
    try world.run()
    world.expectNothing()
    let refusal = try #require(world.nodes[1].refusals.first)
    #expect(refusal.code == .rounds && refusal.extensions == [Stubborn.id])
    #expect(world.transcript.count { if case .propose = $0.message { true } else { false } } == 16)
    #expect(world.nodes[0].refusals.first?.code == .rounds)
  }

  @Test func anExtensionRefusesWithItsNameAndReason() throws {
    var world = try OpeningWorld(contributions: [600_000, 0])
    world.nodes[1].policy.acceptable = .init(minimum: .zero, count: 1, inFlight: .zero)
    try world.run()
    world.expectNothing()
    let refusal = try #require(world.nodes[0].refusals.first)
    #expect(refusal.code == .parameters && refusal.extensions == [HTLCExtension.id])
    #expect(refusal.reason.contains("the smallest is"))
  }

  @Test func whatMustBeUnderstoodAndIsNotIsRefusedWithTheList() throws {
    var world = try OpeningWorld()
    var small = ExtensionRegistry()
    small.register(WitnessScriptFunding())
    small.register(MainOutputs())
    small.register(Anchors())
    world.nodes[1].registry = small
    try world.run()
    world.expectNothing()
    #expect(world.nodes[0].refusals.first?.code == .unknownParts)
    #expect(world.nodes[0].refusals.first?.extensions == [MuSig2Funding.id, HTLCExtension.id, PTLCExtension.id])
  }

  /// An odd extension that the other side does not have travels with the channel, byte for byte.
  @Test func whatMayBeIgnoredIsCarriedAlong() throws {
    struct Odd: ChannelExtension {
      static let id = ExtensionID(rawValue: 0x7f21)
      typealias Parameters = Note
      struct Note: BinaryCodable {
        init() {}
        init(from reader: inout ByteReader) throws(DecodingError) {
          guard try reader.readUInt16() == 0x1234 else { throw .malformed("another note") }
        }
        func encode(to writer: inout ByteWriter) { writer.write(0x1234 as UInt16) }
      }
      static func manifest(_ parameters: Note) -> Manifest { Manifest(name: "odd", phase: .dependents) }
      func propose(for setting: StackSetting) -> Note { Note() }
      func contribute(_ l: Nothing, _ p: Note, to draft: inout CommitmentDraft) throws(DraftError) {}
    }
    var world = try OpeningWorld { deal in
      deal.stack = StackDescription(funding: deal.stack.funding, extensions: deal.stack.extensions + [Odd.id])
    }
    world.nodes[0].registry.register(Odd())
    try world.run()
    try world.expectOpened()
    let carried = world.nodes[1].opened?.channel.stack.extensions.first { $0.id == Odd.id }
    #expect(carried?.encodedParameters == [0x12, 0x34])
  }

  /// What is added and removed differs from one proposal to the next: an opener with several coins can also bring them one by one.
  @Test func aProposalLargerThanOneMessageGoesInParts() throws {
    var coins: [TestCoin] = []
    for seed in 10..<60 as Range<UInt8> {
      var coin = try TestCoin(seed, value: 20_000)
      // A large previous transaction.
      var previous = coin.previous
      for index in 0..<60 as Range<UInt64> {
        previous.outputs.append(
          TxOutput(value: Satoshi(1000 + index), scriptPubKey: .p2wpkh(try SecretKey(sha256([seed])).publicKey)))
      }
      coin = TestCoin(secret: coin.secret, previous: previous, vout: coin.vout)
      coins.append(coin)
    }
    var world = try OpeningWorld(contributions: [600_000, 800_000], coins: [coins, [try TestCoin(3, value: 900_000)]])
    try world.inquire()
    var parts = 0
    while !world.wire.isEmpty {
      if world.wire[0].bytes.starts(with: [0xb0, 0x1a]) { parts += 1 }
      try world.deliver()
    }
    #expect(parts >= 4, "only \(parts) parts")
    try world.expectOpened()
  }

  /// Cut at every message, on the way there and back, and with either side restarted: nothing is left, or a channel.
  @Test(arguments: ["htlc + anchors", "musig2 + htlc + ptlc + anchors"])
  func aLostConnectionOrACrashAtEachStepLeavesNothingOrAChannel(text: String) throws {
    var opened = 0
    var forgotten = 0
    for crash in [nil, 0, 1] as [Int?] {
      for cut in 1..<30 {
        var world = try OpeningWorld(text, contributions: [600_000, 800_000])
        try world.inquire()
        var delivered = 0
        while !world.wire.isEmpty, delivered < cut {
          try world.deliver()
          delivered += 1
        }
        guard delivered == cut else { break }
        try world.cut()
        if let crash { try world.restart(crash) }
        try world.reconnect()
        try world.deliverAll()
        if world.nodes.contains(where: { $0.opened != nil }) {
          try world.expectOpened("cut after \(cut), restart \(crash ?? -1)")
          opened += 1
        } else {
          world.expectNothing("cut after \(cut), restart \(crash ?? -1)")
          forgotten += 1
        }
      }
    }
    #expect(opened >= 9 && forgotten >= 9, "\(opened) opened, \(forgotten) forgotten")
  }

  /// One side dies before it has stored that it signs; the other has signed, and hears that there is nothing to resume.
  @Test func whoHasSignedAndIsAloneForgets() throws {
    var world = try OpeningWorld(contributions: [600_000, 800_000])
    try world.inquire()
    while world.nodes[0].opening?.stage != .committing, world.nodes[1].opening?.stage != .committing {
      try world.deliver()
    }
    let other = world.nodes[0].opening?.stage == .committing ? 1 : 0
    world.nodes[other].stored = nil
    try world.restart(other)
    world.wire = []
    let effects = world.nodes[1 - other].opening?.disconnect() ?? []
    try world.apply(effects, to: 1 - other)
    try world.reconnect()
    try world.deliverAll()
    world.expectNothing()
    #expect(world.nodes[1 - other].refusals.first?.code == .unknown)
  }

  @Test func whatIsSignedByOneSideAloneExpires() throws {
    var world = try OpeningWorld(contributions: [600_000, 800_000])
    world.nodes[0].answers = true
    try world.inquire()
    while world.nodes[0].opening?.stage != .committing { try world.deliver() }
    try world.cut()
    for height in [100, 200, 243] as [UInt32] {
      let effects = world.nodes[0].opening?.block(height) ?? []
      try world.apply(effects, to: 0)
      #expect(world.nodes[0].opening != nil)
    }
    let effects = world.nodes[0].opening?.block(244) ?? []
    try world.apply(effects, to: 0)
    #expect(world.nodes[0].opening == nil && world.nodes[0].refusals.first?.code == .timedOut)
  }

  /// Who has given its witnesses away waits for the chain: the funding transaction itself, or another one that spends an input.
  @Test func whoHasGivenItsWitnessesWaitsForTheChain() throws {
    for isConfirmed in [true, false] {
      var world = try OpeningWorld(contributions: [600_000, 800_000])
      try world.inquire()
      while world.nodes[1].opened == nil { try world.deliver() }
      // The second one has all, the first one hears nothing of it any more.
      #expect(world.nodes[0].opened == nil)
      try world.cut()
      #expect(world.nodes[0].opening?.cancel("no more").isEmpty == true)
      let late = world.nodes[0].opening?.block(10_000) ?? []
      #expect(late.isEmpty)
      let refused =
        world.hand(.refuse(OpeningWorld.id, Refusal(.unknown, "no")), to: 0)
      #expect(refused.isEmpty && world.nodes[0].opening != nil)
      let funding = try #require(world.nodes[1].opened?.funding)
      let effects =
        (isConfirmed ? world.nodes[0].opening?.see(funding) : world.nodes[0].opening?.conflict()) ?? []
      try world.apply(effects, to: 0)
      if isConfirmed { try world.expectOpened() } else { #expect(world.nodes[0].opening == nil) }
    }
  }

  @Test func aNodeThatWaitsTooLongGivesUpAndSaysSo() throws {
    var world = try OpeningWorld()
    world.nodes[0].answers = false
    try world.run()
    #expect(world.nodes[0].opening?.stage == .contributing)
    let effects = world.nodes[0].opening?.timeOut() ?? []
    try world.apply(effects, to: 0)
    try world.deliverAll()
    world.expectNothing()
    #expect(world.nodes[1].refusals.first?.code == .timedOut)
  }
}
