import Bitcoin
import Encoding
import GLC
import Hashing
import PTLC
import Secp256k1
import Signer
import Testing

/// Second stages whose signature both sides make together: what is told when, and that no part of a signature is given twice.
@Suite struct PairedPresignTests {
  static func add(_ id: UInt64, scalar: UInt8 = 1, amount: UInt64 = 10_000_000) throws -> UpdateContent {
    let lock = try #require(PaymentScalar(sha256([scalar])).point)
    return .extension(
      0,
      AnyUpdate(
        .add(
          id: id, amount: MilliSatoshi(amount), lock: lock, expiry: 500,
          onion: [UInt8](repeating: 7, count: PTLCUpdate.onionByteCount), extra: TLVStream()), of: PTLCExtension.self))
  }

  private static let basepoints: [Basepoint] = [.funding, .revocation, .payment, .delayedPayment, .ptlc]

  private func messages(_ effects: [ChannelEffect]) -> [ChannelMessage] {
    effects.compactMap { if case .send(let message) = $0 { message } else { nil } }
  }

  /// One payment in each direction; end 1 has proposed the commitment of end 0 that holds both.
  private func proposed() throws -> (ends: TwoEnds, nonces: [[MuSigPublicNonce]]) {
    var ends = try TwoEnds(try PTLCStack.pairedPoints.stack)
    try ends.update(try Self.add(0), by: 0)
    try ends.deliver(try ends.channels[0].commit(ends.signers[0]), from: 0)
    try ends.update(try Self.add(0, scalar: 2), by: 1)
    let proposal = messages(try ends.channels[1].commit(ends.signers[1]))
    guard case .propose(1, let nonces)? = proposal.first, proposal.count == 1 else {
      throw SignerRefusal("no proposal: \(proposal)")
    }
    return (ends, nonces)
  }

  @Test func bothSidesHoldEachPreSignatureBeforeItCanBeNeeded() throws {
    let (start, nonces) = try proposed()
    var ends = start
    #expect(nonces.map(\.count) == [2], "a nonce for each payment, in both directions")
    let effects = try ends.channels[0].receive(.propose(number: 1, nonces: nonces), ends.signers[0])
    guard case .persist? = effects.first else {
      Issue.record("not durable before it is sent: \(effects)")
      return
    }
    let answer = messages(effects)
    guard case .presign(1, let presignatures)? = answer.first else {
      Issue.record("no presignatures: \(answer)")
      return
    }
    let signed = messages(try ends.channels[1].receive(answer[0], ends.signers[1]))
    guard case .commit(let sets)? = signed.first else {
      Issue.record("no signature: \(signed)")
      return
    }
    // The timeout of what the holder offered, and both successes.
    #expect(presignatures.map(\.count) == [2] && sets.map(\.children.count) == [3])
    #expect(sets[0].children.compactMap(\.nonce) == nonces[0], "the nonces are those of the proposal")
    try ends.deliver(signed.map { .send($0) }, from: 1)

    // Each side has both parts, which make the same pre-signatures.
    let mine = try #require(try ends.channels[0].localCommitments(ends.signers[0]).first)
    #expect(ends.channels[0].localHandover == ends.channels[1].remoteHandovers.last)
    let handedOver = mine.handedOver(ends.channels[0].localHandover.presignatures[0], sets[0].children)
    var successes = 0
    for (sealed, ready) in zip(mine.outputs, handedOver) where sealed.output.tag.owner == PTLCExtension.id {
      let index = try #require(sealed.output.paths.firstIndex { $0.name == "success" })
      let stage = try #require(
        mine.secondStage(signedBy: .holder).first { $0.parent.output.tag == sealed.output.tag })
      guard case .adaptor(let presignature)? = ready[index], case .taproot(let output) = sealed.output.lock.reveal
      else {
        Issue.record("nothing to complete")
        continue
      }
      let hash = try stage.sighash(.singleAnyoneCanPay)
      let scalar = sha256([sealed.output.tag.index == 0 ? 1 : 2 as UInt8])
      let (signature, found, point) = try Self.complete(presignature, with: scalar)
      #expect(output.outputKey.isValidSchnorrAdaptor(presignature, for: hash.raw, point: point))
      #expect(output.outputKey.isValidSchnorr(signature, for: hash.raw))
      #expect(found == scalar.array, "the secret is read from the signature")
      successes += 1
    }
    #expect(successes == 2)
    for channel in ends.channels {
      let read = try Channel(decoding: channel.encoded.bytes, registry: ExtensionRegistry(channel.stack))
      #expect(read.localHandover == channel.localHandover && read.remoteHandovers == channel.remoteHandovers)
    }
  }

  private static func complete(
    _ presignature: SchnorrAdaptorSignature, with scalar: Bytes32
  ) throws -> (signature: SchnorrSignature, found: [UInt8], point: PublicKey) {
    let secret = try SecretKey(scalar)
    let signature = presignature.adapted(with: secret)
    let found = try presignature.secret(from: signature, point: secret.publicKey)
    return (signature, found.bytes.array, secret.publicKey)
  }

  @Test func aProposalNeedsANonceForEachPayment() throws {
    let (ends, nonces) = try proposed()
    for wrong in [[], [[]], [Array(nonces[0].prefix(1))], [nonces[0] + nonces[0]], nonces + nonces] {
      var channel = ends.channels[0]
      #expect(throws: ChannelError.self) {
        try channel.receive(.propose(number: 1, nonces: wrong), ends.signers[0])
      }
    }
  }

  /// Who has two pre-signatures for one output takes it by the one that the other side cannot read.
  @Test func aPartIsGivenForOneNonceAlone() throws {
    let (start, nonces) = try proposed()
    var ends = start
    let other = try [ends.signers[1].announceNonce(), ends.signers[1].announceNonce()]
    _ = try ends.channels[0].receive(.propose(number: 1, nonces: [other]), ends.signers[0])
    // The connection is lost, and the same is proposed again, with other nonces: also behind a restart.
    let restarted = LocalSigner(
      channelSeed: sha256([0, 99]), basepoints: Self.basepoints, marks: ends.signers[0].currentMarks)
    for index in 0..<2 { ends.channels[index].disconnect() }
    let hello = try (0..<2).map { try ends.channels[$0].reestablish(ends.signers[$0]) }
    for message in messages(try ends.channels[1].receive(.reestablish(hello[0]), ends.signers[1])) {
      if case .update = message {
        _ = try ends.channels[0].receive(.reestablish(hello[1]), ends.signers[0])
        _ = try ends.channels[0].receive(message, ends.signers[0])
      }
    }
    for signer in [ends.signers[0], restarted] {
      var channel = ends.channels[0]
      #expect(throws: ChannelError.self) { try channel.receive(.propose(number: 1, nonces: nonces), signer) }
      // The same as before gets the same answer.
      #expect(throws: Never.self) { try channel.receive(.propose(number: 1, nonces: [other]), signer) }
    }
  }

  @Test func aSignatureWithOtherNoncesThanProposedIsRefused() throws {
    let (start, nonces) = try proposed()
    var ends = start
    let answer = messages(try ends.channels[0].receive(.propose(number: 1, nonces: nonces), ends.signers[0]))
    let signed = messages(try ends.channels[1].receive(answer[0], ends.signers[1]))
    guard case .commit(let sets)? = signed.first else {
      Issue.record("no signature: \(signed)")
      return
    }
    for child in sets[0].children.indices {
      guard case .musigPartial(var part) = sets[0].children[child] else { continue }
      part.nonce = try ends.signers[1].announceNonce()
      var forged = sets
      forged[0].children[child] = .musigPartial(part)
      var channel = ends.channels[0]
      #expect(throws: ChannelError.self) { try channel.receive(.commit(forged), ends.signers[0]) }
    }
    var channel = ends.channels[0]
    #expect(throws: Never.self) { try channel.receive(.commit(sets), ends.signers[0]) }
  }

  @Test func aCommitmentIsSignedWithOneSetOfPresignaturesAlone() throws {
    let (start, nonces) = try proposed()
    var ends = start
    let answer = messages(try ends.channels[0].receive(.propose(number: 1, nonces: nonces), ends.signers[0]))
    guard case .presign(_, let given)? = answer.first else {
      Issue.record("no presignatures: \(answer)")
      return
    }
    let effects = try ends.channels[1].receive(answer[0], ends.signers[1])
    let commitment = try #require(try ends.channels[1].remoteCommitments().last?.first)
    let nonce = try ends.signers[0].nonce(1, on: commitment.context.fundingOutpoint)
    let first = try ends.signers[1].sign(commitment, nonce: nonce, presignatures: given[0])
    guard case .commit(let sent)? = messages(effects).first else {
      Issue.record("no signature: \(effects)")
      return
    }
    #expect(first.children == sent[0].children, "asked again, it answers the same")
    var other = given[0]
    for index in other.indices {
      guard case .musigPartial(var part) = other[index] else { continue }
      part.nonce = try ends.signers[0].announceNonce()
      other[index] = .musigPartial(part)
    }
    let restarted = LocalSigner(
      channelSeed: sha256([1, 99]), basepoints: Self.basepoints, marks: ends.signers[1].currentMarks)
    for signer in [ends.signers[1], restarted] {
      #expect(throws: SignerRefusal.self) { try signer.sign(commitment, nonce: nonce, presignatures: other) }
    }
  }

  @Test func anAuditNoticesAPartThatIsGivenTwice() throws {
    let (start, nonces) = try proposed()
    var ends = start
    try ends.deliver([.send(.propose(number: 1, nonces: nonces))], from: 1)
    let commitment = try #require(try ends.channels[1].remoteCommitments().last?.first)
    let audit = NonceAudit()
    // Signers that have forgotten what they signed.
    func forgetful(_ index: UInt8) -> LocalSigner {
      LocalSigner(channelSeed: sha256([index, 99]), basepoints: Self.basepoints, audit: audit)
    }
    let given = try forgetful(0).presign(commitment, nonces: nonces[0])
    // The last signer's nonce is another one for other nonces.
    let others = try [ends.signers[1].announceNonce(), ends.signers[1].announceNonce()]
    _ = try forgetful(0).presign(commitment, nonces: others)
    #expect(audit.count == 4)
    let nonce = try ends.signers[0].nonce(1, on: commitment.context.fundingOutpoint)
    _ = try forgetful(1).sign(commitment, nonce: nonce, presignatures: given)
    let second = try forgetful(0).presign(commitment, nonces: others)
    #expect(throws: SignerRefusal.self) {
      try forgetful(1).sign(commitment, nonce: nonce, presignatures: second)
    }
  }

  @Test func notEveryNumberOfLostProposalsIsAnswered() throws {
    var marks = LocalSigner.Marks()
    let (start, nonces) = try proposed()
    var ends = start
    try ends.deliver([.send(.propose(number: 1, nonces: nonces))], from: 1)
    let commitment = try #require(try ends.channels[1].remoteCommitments().last?.first)
    for index in 0..<256 as Range<Int> {
      marks.paired.append(
        .init(
          funding: commitment.context.fundingOutpoint.txid.raw, number: 1, txid: sha256([UInt8(index)]), side: 0,
          session: Bytes32()))
    }
    let signer = LocalSigner(channelSeed: sha256([0, 99]), basepoints: Self.basepoints, marks: marks)
    #expect(throws: SignerRefusal.self) { try signer.presign(commitment, nonces: nonces[0]) }
    marks.paired.removeLast()
    let patient = LocalSigner(channelSeed: sha256([0, 99]), basepoints: Self.basepoints, marks: marks)
    #expect(throws: Never.self) { try patient.presign(commitment, nonces: nonces[0]) }
  }

  /// Two payments of one amount and expiry, of which one is taken back before anything is signed, then the other: were their outputs the
  /// same, the receiver would hold a pre-signature for either point, and take the one that is left with the secret of the one that is not.
  @Test(arguments: [PTLCStack.points, .pairedPoints])
  func whatIsSignedForOnePointIsWorthNothingForAnother(stack: PTLCStack) throws {
    let ids = try (1...2 as ClosedRange<UInt8>).map { scalar in
      var ends = try TwoEnds(try stack.stack)
      try ends.update(try Self.add(0, scalar: scalar), by: 0)
      try ends.commit()
      return try (0..<2).map { try ends.channels[$0].localCommitments(ends.signers[$0]).map(\.txid) }
    }
    #expect(ids[0][0] != ids[1][0], "on the sender's commitment")
    #expect(ids[0][1] != ids[1][1], "on the receiver's commitment")
  }
}
