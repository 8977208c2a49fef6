import Bitcoin
import Encoding
import GLC
import Hashing
import PTLC
import Secp256k1
import Signer
import Testing

/// The presign phase: no commitment is signed before its counterparty holds what it needs to take its outputs.
@Suite struct PresignTests {
  private static let position = 0

  private static func add(_ id: UInt64, _ amount: UInt64 = 10_000_000, scalar: UInt8 = 1) throws -> UpdateContent {
    let lock = try #require(PaymentScalar(sha256([scalar])).point)
    return .extension(
      position,
      AnyUpdate(
        .add(
          id: id, amount: MilliSatoshi(amount), lock: lock, expiry: 500,
          onion: [UInt8](repeating: 7, count: PTLCUpdate.onionByteCount), extra: TLVStream()), of: PTLCExtension.self))
  }

  /// End 0 has offered a payment that is in the commitment of end 1: now end 1 has to sign for end 0.
  private func offered() throws -> TwoEnds {
    var ends = try TwoEnds(try PTLCStack.points.stack)
    try ends.update(try Self.add(0), by: 0)
    // The receiver's commitment needs none: its own success is what the sender signs with its commitment.
    let effects = try ends.channels[0].commit(ends.signers[0])
    #expect(effects.contains { if case .send(.commit) = $0 { true } else { false } })
    try ends.deliver(effects, from: 0)
    return ends
  }

  private func messages(_ effects: [ChannelEffect]) -> [ChannelMessage] {
    effects.compactMap { if case .send(let message) = $0 { message } else { nil } }
  }

  @Test func nothingIsSignedBeforePresignaturesHold() throws {
    var ends = try offered()
    #expect(ends.channels[1].canCommit)
    let proposal = messages(try ends.channels[1].commit(ends.signers[1]))
    guard case .propose(1, _)? = proposal.first, proposal.count == 1 else {
      Issue.record("not a proposal: \(proposal)")
      return
    }
    #expect(!ends.channels[1].canCommit && !ends.channels[1].awaitsRevocation)
    // The committer offers nothing until it has signed.
    #expect(throws: ChannelError.self) { try ends.channels[1].propose(try Self.add(0, scalar: 2)) }

    let answer = messages(try ends.channels[0].receive(proposal[0], ends.signers[0]))
    guard case .presign(1, let sets)? = answer.first, case .adaptor? = sets.first?.first, answer.count == 1 else {
      Issue.record("no adaptor signature: \(answer)")
      return
    }
    // One for another number, none, one too many, one that does not hold.
    let other = try #require(ends.channels[1].localCommitments(ends.signers[1]).first)
    let wrong = try other.sign(
      asCounterparty: ends.signers[0].secrets, nonce: ends.signers[1].nonce(1, on: other.context.fundingOutpoint)
    ).children
    for message in [
      ChannelMessage.presign(number: 2, sets), .presign(number: 1, []), .presign(number: 1, [[]]),
      .presign(number: 1, [sets[0] + sets[0]]), .presign(number: 1, [wrong]),
    ] {
      #expect(throws: ChannelError.self) { try ends.channels[1].receive(message, ends.signers[1]) }
    }
    let effects = try ends.channels[1].receive(answer[0], ends.signers[1])
    guard case .persist? = effects.first, case .send(.commit)? = effects.dropFirst().first else {
      Issue.record("stored before it is sent: \(effects)")
      return
    }
    #expect(ends.channels[1].remoteHandovers.last?.presignatures == sets)
    try ends.deliver(effects, from: 1)
    #expect(ends.irrevocable.allSatisfy { $0.count == 1 })
    #expect(ends.channels[0].localHandover.presignatures == sets, "what was given can be learned from")
  }

  @Test func noUpdateComesBetweenAProposalAndItsSignature() throws {
    var ends = try offered()
    let proposal = messages(try ends.channels[1].commit(ends.signers[1]))
    _ = try ends.channels[0].receive(proposal[0], ends.signers[0])
    #expect(throws: ChannelError.self) {
      try ends.channels[0].receive(.update(try Self.add(0, scalar: 2)), ends.signers[0])
    }
    // Nor a second proposal.
    #expect(throws: ChannelError.self) { try ends.channels[0].receive(proposal[0], ends.signers[0]) }
    for index in 0..<2 { ends.channels[index].disconnect() }
    let hello = try (0..<2).map { try ends.channels[$0].reestablish(ends.signers[$0]) }
    for index in 0..<2 {
      let effects = try ends.channels[index].receive(.reestablish(hello[1 - index]), ends.signers[index])
      #expect(messages(effects).isEmpty, "a proposal leaves nothing behind")
    }
    try ends.commit()
    #expect(ends.irrevocable.allSatisfy { $0.count == 1 })
  }

  @Test func whatIsNotDueCannotBeProposed() throws {
    var ends = try TwoEnds(try PTLCStack.points.stack)
    for number in [0, 1, 2] as [UInt64] {
      #expect(throws: ChannelError.self) {
        try ends.channels[0].receive(.propose(number: number), ends.signers[0])
      }
    }
    #expect(throws: ChannelError.self) {
      try ends.channels[0].receive(.presign(number: 1, [[]]), ends.signers[0])
    }
    var plain = try TwoEnds(try BOLT3Stack.taproot.stack)
    #expect(throws: ChannelError.self) { try plain.channels[0].receive(.propose(number: 1), plain.signers[0]) }
  }

  /// A commitment that crosses a proposal is acknowledged behind the signature on what was proposed, and what the acknowledgement makes due
  /// is left to the commitment behind. The same when both are sent again.
  @Test(arguments: [false, true]) func anAcknowledgementThatCrossesComesBehindTheSignature(isLost: Bool) throws {
    var ends = try offered()
    // End 0 offers another one and signs for it, while the proposal of end 1 is on its way.
    let proposal = messages(try ends.channels[1].commit(ends.signers[1]))
    for message in messages(try ends.channels[0].propose(try Self.add(1, scalar: 2))) {
      _ = try ends.channels[1].receive(message, ends.signers[1])
    }
    let crossing = messages(try ends.channels[0].commit(ends.signers[0]))
    let accepted = try ends.channels[1].receive(try #require(crossing.last), ends.signers[1])
    #expect(messages(accepted).isEmpty, "nothing is revoked yet")
    let answer = messages(try ends.channels[0].receive(proposal[0], ends.signers[0]))
    var sent = messages(try ends.channels[1].receive(answer[0], ends.signers[1]))
    func check(_ sent: [ChannelMessage]) {
      guard sent.count == 2, case .commit(let sets) = sent[0], case .revoke = sent[1] else {
        Issue.record("not the signature and then the revocation: \(sent)")
        return
      }
      #expect(sets[0].children.count == 1, "it covers the first payment alone")
    }
    check(sent)
    if isLost {
      for index in 0..<2 { ends.channels[index].disconnect() }
      let hello = try (0..<2).map { try ends.channels[$0].reestablish(ends.signers[$0]) }
      sent = messages(try ends.channels[1].receive(.reestablish(hello[0]), ends.signers[1]))
      _ = try ends.channels[0].receive(.reestablish(hello[1]), ends.signers[0])
      check(sent)
    }
    try ends.deliver(sent.map { .send($0) }, from: 1)
    try ends.commit()
    #expect(ends.irrevocable.allSatisfy { $0.count == 2 })
    #expect(ends.channels[0].localNumber == 2 && ends.channels[1].localNumber == 2)
  }

  @Test func aChannelIsReadBackWithWhatWasHandedOver() throws {
    var ends = try offered()
    try ends.commit()
    for channel in ends.channels {
      let stored = channel.encoded
      let read = try Channel(decoding: stored.bytes, registry: ExtensionRegistry(channel.stack))
      #expect(read.encoded == stored)
      #expect(read.localHandover == channel.localHandover && read.remoteHandovers == channel.remoteHandovers)
    }
  }
}
