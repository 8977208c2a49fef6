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

/// A lie: how a message is changed, and what it is refused for.
struct Lie: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let code: Refusal.Code
  let change: @Sendable (NegotiationMessage) throws -> NegotiationMessage?

  init(
    _ name: String, _ code: Refusal.Code,
    _ change: @escaping @Sendable (NegotiationMessage) throws -> NegotiationMessage?
  ) {
    testDescription = name
    self.code = code
    self.change = change
  }

  /// Changes the funding transaction's PSBT of the first proposal.
  static func funding(
    _ name: String, _ code: Refusal.Code, _ body: @escaping @Sendable (inout PSBT) throws -> Void
  ) -> Lie {
    Lie(name, code) { message in
      guard case .propose(var proposal) = message else { return nil }
      var psbt = try PSBT(decoding: proposal.funding.bytes)
      try body(&psbt)
      proposal.funding = psbt.encoded
      return .propose(proposal)
    }
  }
}

private func field(_ subtype: UInt64, _ data: [UInt8] = []) -> PSBT.ProprietaryKey {
  PSBT.ProprietaryKey(identifier: Array("GLC".utf8), subtype: subtype, data: data)
}

private func serial(_ number: UInt64) -> [UInt8] {
  (0..<8).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
}

private let lies: [Lie] = [
  Lie("another byte in the opener's commitment", .differs) { message in
    guard case .propose(var proposal) = message else { return nil }
    proposal.commitments[0][200] ^= 1
    return .propose(proposal)
  },
  Lie("another byte in the acceptor's commitment", .differs) { message in
    guard case .propose(var proposal) = message else { return nil }
    proposal.commitments[1][200] ^= 1
    return .propose(proposal)
  },
  Lie("the commitments in the wrong order", .differs) { message in
    guard case .propose(var proposal) = message else { return nil }
    proposal.commitments.reverse()
    return .propose(proposal)
  },
  Lie("one commitment is missing", .protocol) { message in
    guard case .propose(var proposal) = message else { return nil }
    proposal.commitments.removeLast()
    return .propose(proposal)
  },
  Lie("a proposal out of order", .rounds) { message in
    guard case .propose(var proposal) = message else { return nil }
    proposal.round = 2
    return .propose(proposal)
  },
  Lie("bytes that are no PSBT", .protocol) { message in
    guard case .propose(var proposal) = message else { return nil }
    proposal.funding = [1, 2, 3]
    return .propose(proposal)
  },
  .funding("a parameter that cannot be read", .parameters) { $0.proprietary[field(1, [4, 0])] = [255] },
  .funding("parameters that are missing", .parameters) { $0.proprietary[field(1, [4, 0])] = nil },
  .funding("an extension that must be understood", .unknownParts) { $0.proprietary[field(1, [0x7f, 0x10])] = [1] },
  .funding("an extension that may be ignored and was not asked for", .unknownParts) {
    $0.proprietary[field(1, [0x7f, 0x11])] = [1]
  },
  .funding("a record that must be understood", .unknownParts) { $0.proprietary[field(0x10)] = [1] },
  .funding("a record that may be ignored", .differs) { $0.proprietary[field(0x11)] = [1] },
  .funding("another stack", .differs) { $0.proprietary[field(0)] = [1, 1, 0, 0] },
  .funding("other terms of the acceptor", .differs) { $0.proprietary[field(4, [1])]?[0] ^= 1 },
  .funding("another deal", .differs) { $0.proprietary[field(3)]?[40] ^= 1 },
  .funding("another lock time", .differs) { $0.fallbackLocktime = 7 },
  .funding("an input without serial number", .funding) { $0.inputs[0].proprietary[field(2)] = nil },
  .funding("a serial number of seven bytes", .funding) { $0.inputs[0].proprietary[field(2)]?.removeLast() },
  .funding("an input of the acceptor's parity", .funding) { $0.inputs[0].proprietary[field(2)] = serial(7) },
  .funding("an output of the acceptor's parity", .funding) { $0.outputs[0].proprietary[field(2)] = serial(7) },
  .funding("a serial number that is there twice", .funding) {
    $0.inputs[0].proprietary[field(2)] = $0.inputs[1].proprietary[field(2)]
  },
  .funding("an output's serial number that is there twice", .funding) {
    $0.outputs[0].proprietary[field(2)] = $0.outputs[1].proprietary[field(2)]
  },
  .funding("an input that is there twice", .funding) {
    var copy = $0.inputs[0]
    copy.proprietary[field(2)] = serial(1000)
    $0.inputs.append(copy)
  },
  .funding("an input without previous transaction", .funding) { $0.inputs[0].nonWitnessUTXO = nil },
  .funding("a previous transaction with another amount", .protocol) {
    var previous = $0.inputs[0].nonWitnessUTXO
    previous?.outputs[1].value = Satoshi(900_000)
    $0.inputs[0].nonWitnessUTXO = previous
  },
  .funding("an output that the previous transaction does not have", .protocol) {
    $0.inputs[0].previousOutput.vout = 9
  },
  .funding("an input that cannot be replaced", .funding) { $0.inputs[0].sequence = 0xffff_fffe },
  .funding("an input without sequence", .funding) { $0.inputs[0].sequence = nil },
  .funding("an output that is dust", .funding) {
    var dust = PSBT.Output(amount: Satoshi(353), script: $0.outputs[0].script)
    dust.proprietary[field(2)] = serial(1000)
    $0.outputs.append(dust)
  },
  .funding("an output of more than there is", .funding) {
    var much = PSBT.Output(amount: Satoshi(2_100_000_000_000_001), script: $0.outputs[0].script)
    much.proprietary[field(2)] = serial(1000)
    $0.outputs.append(much)
  },
  .funding("an output more, on which the commitments are not", .differs) {
    var much = PSBT.Output(amount: Satoshi(5_000_000), script: $0.outputs[0].script)
    much.proprietary[field(2)] = serial(1 << 63 | 1000)
    $0.outputs.append(much)
  },
  .funding("no output for the channel", .funding) {
    $0.outputs.removeAll { $0.proprietary[field(3)] != nil }
  },
  .funding("two outputs for the channel", .funding) {
    for index in $0.outputs.indices { $0.outputs[index].proprietary[field(3)] = [] }
  },
  .funding("a channel's output of less", .funding) {
    for index in $0.outputs.indices where $0.outputs[index].proprietary[field(3)] != nil {
      $0.outputs[index].amount = Satoshi(599_999)
    }
  },
  .funding("a channel's output to somebody else", .funding) {
    for index in $0.outputs.indices where $0.outputs[index].proprietary[field(3)] != nil {
      $0.outputs[index].script = .p2tr(outputKey: $0.outputs[index].tapInternalKey!)
    }
  },
  .funding("253 outputs", .funding) {
    for number in 0..<252 as Range<UInt64> {
      var output = PSBT.Output(amount: Satoshi(1000), script: $0.outputs[0].script)
      output.proprietary[field(2)] = serial(1 << 62 | number * 2)
      $0.outputs.append(output)
    }
  },
  Lie("another transaction is completed", .differs) { message in
    guard case .complete(var completion) = message else { return nil }
    completion.txid = TxID(sha256([1, 2]))
    return .complete(completion)
  },
  Lie("a nonce is absent", .signature) { message in
    guard case .complete(var completion) = message else { return nil }
    completion.nonce = nil
    return .complete(completion)
  },
  Lie("the deal's chain is another one", .chain) { message in
    guard case .inquire(var inquiry) = message else { return nil }
    inquiry.deal.chain = sha256([5])
    return .inquire(inquiry)
  },
  Lie("a later version", .version) { message in
    guard case .inquire(var inquiry) = message else { return nil }
    inquiry.version = 2
    return .inquire(inquiry)
  },
  Lie("a dust limit below all outputs", .terms) { message in
    guard case .inquire(var inquiry) = message else { return nil }
    inquiry.terms.dustLimit = Satoshi(353)
    return .inquire(inquiry)
  },
  Lie("a delay of no blocks", .terms) { message in
    guard case .inquire(var inquiry) = message else { return nil }
    inquiry.terms.contestDelay = 0
    return .inquire(inquiry)
  },
  Lie("a basepoint is missing", .terms) { message in
    guard case .inquire(var inquiry) = message else { return nil }
    inquiry.terms.basepoints = Basepoints(
      Dictionary(
        uniqueKeysWithValues: inquiry.terms.basepoints.all.filter { $0.basepoint != .ptlc }.map {
          ($0.basepoint, $0.key)
        }))
    return .inquire(inquiry)
  },
  Lie("a fee rate of nothing", .deal) { message in
    guard case .inquire(var inquiry) = message else { return nil }
    inquiry.deal.commitmentFeeRate = FeeRate(satPerKiloWeight: 0)
    return .inquire(inquiry)
  },
  Lie("more is given away than is put in", .deal) { message in
    guard case .inquire(var inquiry) = message else { return nil }
    inquiry.deal.pushed = MilliSatoshi(600_000_001)
    return .inquire(inquiry)
  },
  Lie("a channel of nothing", .deal) { message in
    guard case .inquire(var inquiry) = message else { return nil }
    inquiry.terms.contribution = .zero
    return .inquire(inquiry)
  },
  Lie("a contribution that is out of range", .terms) { message in
    guard case .inquire(var inquiry) = message else { return nil }
    inquiry.terms.contribution = Satoshi(2_100_000_000_000_001)
    return .inquire(inquiry)
  },
]

@Suite struct OpeningLiarTests {
  @Test(arguments: lies) func aLieOfTheOpenerIsRefusedAndNothingIsLeft(lie: Lie) throws {
    var world = try OpeningWorld()
    var hasLied = false
    world.tamper = { _, message in
      guard !hasLied, let changed = try lie.change(message) else { return message }
      hasLied = true
      return changed
    }
    try world.run()
    #expect(hasLied)
    world.expectNothing()
    // Who has heard the lie says so, and the liar hears it.
    let refusals = world.nodes.flatMap(\.refusals)
    #expect(refusals.count == 2 && refusals.allSatisfy { $0.code == lie.code }, "\(refusals)")
  }

  @Test func aCoinWhoseSignatureOthersCanChangeIsRefused() throws {
    var world = try OpeningWorld(coins: [[try TestCoin(1, value: 900_000, kind: .legacy)], []])
    try world.run()
    world.expectNothing()
    #expect(world.nodes[0].refusals.first?.code == .funding)
    #expect(world.nodes[0].refusals.first?.reason.contains("no witness program") == true)
  }

  @Test(arguments: [0, 1]) func whoPaysTooLittleForItsPartIsRefused(liar: Int) throws {
    var world = try OpeningWorld(contributions: [600_000, 800_000])
    world.nodes[liar].answers = false
    try world.run()
    let request = try #require(world.nodes[liar].requests.first)
    var contribution = try world.contribution(liar, request)
    contribution.outputs[0].value = Satoshi(contribution.outputs[0].value.rawValue + 60)
    let signer = world.nodes[liar].signer
    let effects = world.nodes[liar].opening?.contribute(contribution, signer) ?? []
    world.nodes[liar].answers = true
    try world.apply(effects, to: liar)
    try world.deliverAll()
    world.expectNothing()
    #expect(world.nodes[1 - liar].refusals.first?.code == .funding)
    #expect(world.nodes[1 - liar].refusals.first?.reason.contains("weight units") == true)
  }

  @Test(arguments: ["htlc + anchors", "musig2 + ptlc + anchors"], [0, 1])
  func aWrongSignatureOfACommitmentIsRefused(text: String, liar: Int) throws {
    var world = try OpeningWorld(text, contributions: [600_000, 800_000])
    let stranger = LocalSigner(channelSeed: sha256([77]), basepoints: Negotiator.basepoints)
    var commits = 0
    world.tamper = { _, message in
      guard case .commit(var promise) = message else { return message }
      defer { commits += 1 }
      guard commits == liar else { return message }
      switch promise.signatures.funding {
      case .ecdsa: promise.signatures.funding = .ecdsa(try SecretKey(sha256([1])).signECDSA(sha256([2])))
      case .musigPartial(var partial):
        partial.nonce = try stranger.nonce(3, on: OutPoint(txid: TxID(sha256([3])), vout: 0))
        promise.signatures.funding = .musigPartial(partial)
      default: Issue.record("another kind")
      }
      return .commit(promise)
    }
    try world.run()
    let honest = try #require(
      world.nodes.firstIndex { node in
        node.sent.contains { if case .refuse(_, let refusal) = $0 { refusal.code == .signature } else { false } }
      })
    #expect(world.nodes[honest].opening == nil && world.nodes[honest].stored == nil)
    #expect(world.nodes.allSatisfy { $0.opened == nil && $0.broadcast.isEmpty })
    // The liar may have given its witnesses away already, and waits for the chain.
    #expect(world.nodes[1 - honest].opening?.isBound ?? true)
  }

  @Test func aWitnessThatLeavesSomethingOpenIsRefused() throws {
    for sighash in [SighashType.singleAnyoneCanPay, .none] {
      var world = try OpeningWorld(
        "htlc + anchors", contributions: [600_000, 0], coins: [[try TestCoin(1, value: 900_000)], []])
      world.nodes[0].answers = false
      try world.inquire()
      try world.deliverAll()
      let request = try #require(world.nodes[0].requests.first)
      try world.contribute(0, request)
      try world.deliverAll()
      let opening = try #require(world.nodes[0].opening)
      #expect(opening.stage == .signing)
      // The wallet itself would not be believed either: the message is made by hand.
      let plan = opening.plan
      let witness = try world.nodes[0].coins[0].witness(plan.transaction, plan.spentOutputs, sighash: sighash)
      try world.send(
        .sign(FundingSignatures(id: OpeningWorld.id, txid: plan.transaction.txid, witnesses: [witness])), from: 0)
      try world.deliverAll()
      #expect(world.nodes[1].opened == nil)
      // The acceptor has signed nothing but has given its (empty) witnesses: it keeps what it has, and says why.
      #expect(
        world.nodes[1].sent.contains {
          if case .refuse(_, let refusal) = $0 { refusal.code == .signature } else { false }
        })
    }
  }

  @Test func messagesOutOfTurnAreRefused() throws {
    let txid = TxID(sha256([1]))
    let messages: [NegotiationMessage] = [
      .offer(Offer(id: OpeningWorld.id, terms: try OpeningWorld().nodes[1].terms, parameters: [])),
      .complete(Completion(id: OpeningWorld.id, txid: txid, nonce: nil)),
      .sign(FundingSignatures(id: OpeningWorld.id, txid: txid, witnesses: [])),
      .resume(Resumption(id: OpeningWorld.id, txid: txid, hasCommitment: false, hasSignatures: false)),
    ]
    for message in messages {
      var world = try OpeningWorld()
      try world.inquire()
      try world.deliver()
      world.wire = []
      let effects = world.hand(message, to: 1)
      try world.apply(effects, to: 1)
      #expect(world.nodes[1].opening == nil, "\(message.name)")
      #expect(world.nodes[1].refusals.first?.code == .protocol || world.nodes[1].refusals.first?.code == .unknown)
    }
  }

  @Test func aMessageOfAnotherNegotiationChangesNothing() throws {
    var world = try OpeningWorld()
    try world.inquire()
    try world.deliver()
    let effects =
      world.hand(.refuse(sha256([4]), Refusal(.cancelled, "no")), to: 1)
    #expect(effects.isEmpty && world.nodes[1].opening?.stage == .offered)
  }

  /// No nonce ever signs two things, however often a negotiation begins again.
  @Test func aNegotiationThatIsInterruptedAndBegunAgainUsesNoNonceTwice() throws {
    for cut in 1..<20 {
      var world = try OpeningWorld(contributions: [600_000, 800_000])
      try world.inquire()
      for _ in 0..<cut where !world.wire.isEmpty { try world.deliver() }
      try world.cut()
      for index in 0..<2 { try world.restart(index) }
      try world.reconnect()
      // The audit throws when a nonce signs a second thing.
      try world.deliverAll()
      if world.nodes[0].opened != nil { try world.expectOpened() }
    }
  }
}
