import Base
import Bitcoin
import Encoding
import GLC
import HTLC
import Hashing
import Secp256k1
import Signer
import Testing

/// Nonces of channels whose two sides sign together: there when they are needed, and never used twice.
@Suite struct NonceTests {
  private func ends() throws -> TwoEnds { try TwoEnds(try BOLT3Stack.taproot.stack) }

  /// End 1's signature on the latest commitment of end 0, made with a nonce of its own choice.
  private func signatures(
    on commitment: Commitment, _ ends: TwoEnds, with nonce: consuming MuSigSecretNonce? = nil
  ) throws -> CommitmentSignatures {
    let theirs = try ends.signers[0].nonce(commitment.context.number, on: commitment.context.fundingOutpoint)
    guard let own = nonce.take() else {
      return try commitment.sign(asCounterparty: ends.signers[1].secrets, nonce: theirs)
    }
    guard case .taproot(let output) = commitment.fundingLock.reveal else { throw SignerRefusal("not taproot") }
    let opener = PathOpener(ends.signers[1].secrets, side: .counterparty, keys: commitment.context.keys)
    let partial = try opener.signPartially(
      .funding, spending: output, with: own, nonce: theirs, try commitment.fundingSighash(.default))
    return CommitmentSignatures(funding: .musigPartial(partial), children: [])
  }

  private func fundingPair(of signer: LocalSigner) throws -> KeyPair {
    let point = try signer.perCommitmentPoint(0)
    return KeyPair(
      try signer.secrets.secret(KeyRef(.funding, .holder), side: .holder, perCommitmentPoint: point))
  }

  @Test func theSameQuestionGetsTheSameSignature() throws {
    let ends = try ends()
    let commitment = try #require(try ends.channels[0].localCommitments(ends.signers[0]).first)
    let nonce = try ends.signers[0].nonce(0, on: commitment.context.fundingOutpoint)
    let first = try ends.signers[1].sign(commitment, nonce: nonce)
    #expect(try ends.signers[1].sign(commitment, nonce: nonce) == first)
    // Another nonce of the other side's is another question: it gets another nonce.
    let other = try ends.signers[0].announceNonce()
    #expect(try ends.signers[1].sign(commitment, nonce: other).funding.nonce != first.funding.nonce)
  }

  @Test func ourOwnCommitmentIsSignedInOneWayAlone() throws {
    let ends = try ends()
    let commitment = try #require(try ends.channels[0].localCommitments(ends.signers[0]).first)
    let first = try signatures(on: commitment, ends)
    let signed = try ends.signers[0].signForBroadcast(commitment, with: first)
    #expect(try ends.signers[0].signForBroadcast(commitment, with: first) == signed)
    let second = try signatures(
      on: commitment, ends, with: MuSigSecretNonce(signer: try fundingPair(of: ends.signers[1])))
    // It would hold.
    try commitment.verify(second, nonce: try ends.signers[0].nonce(0, on: commitment.context.fundingOutpoint))
    #expect(throws: SignerRefusal.self) { try ends.signers[0].signForBroadcast(commitment, with: second) }
    // Nor after a restart.
    let restarted = LocalSigner(
      channelSeed: sha256([0, 99]), basepoints: [.funding, .revocation, .payment, .delayedPayment, .htlc],
      marks: ends.signers[0].currentMarks)
    #expect(throws: SignerRefusal.self) { try restarted.signForBroadcast(commitment, with: second) }
    #expect(try restarted.signForBroadcast(commitment, with: first) == signed)
  }

  @Test func anAuditNoticesANonceThatSignsTwice() throws {
    let ends = try ends()
    let commitment = try #require(try ends.channels[0].localCommitments(ends.signers[0]).first)
    let audit = NonceAudit()
    // Two signers that have forgotten what they signed.
    func signer() -> LocalSigner {
      LocalSigner(
        channelSeed: sha256([0, 99]), basepoints: [.funding, .revocation, .payment, .delayedPayment, .htlc],
        audit: audit)
    }
    _ = try signer().signForBroadcast(commitment, with: try signatures(on: commitment, ends))
    let second = try signatures(
      on: commitment, ends, with: MuSigSecretNonce(signer: try fundingPair(of: ends.signers[1])))
    #expect(throws: SignerRefusal.self) { try signer().signForBroadcast(commitment, with: second) }
    #expect(audit.count == 1)
  }

  @Test func anAnnouncedNonceSignsOnce() throws {
    let ends = try ends()
    let mine = try #require(try ends.channels[0].localCommitments(ends.signers[0]).first)
    let theirs = try #require(try ends.channels[1].localCommitments(ends.signers[1]).first)
    let closing = Transaction(
      inputs: [TxInput(previousOutput: mine.context.fundingOutpoint, sequence: 0)],
      outputs: [TxOutput(value: Satoshi(1000), scriptPubKey: Script([0x51]))])
    let announced = try ends.signers[1].announceNonce()
    let own = try ends.signers[0].sign(AgreedSpend(closing, insteadOf: mine), nonce: announced)
    let spend = AgreedSpend(closing, insteadOf: theirs)
    #expect(spend.isValid(own, nonce: announced))
    let nonce = try #require(own.nonce)
    let answer = try ends.signers[1].sign(spend, announced: announced, nonce: nonce)
    let signed = try ends.signers[0].complete(AgreedSpend(closing, insteadOf: mine), own: own, theirs: answer)
    try ScriptVerifier.verify(
      input: 0, of: signed,
      spending: [TxOutput(value: mine.context.capacity, scriptPubKey: mine.fundingLock.scriptPubKey)],
      flags: .standard)
    #expect(throws: SignerRefusal.self) { try ends.signers[1].sign(spend, announced: announced, nonce: nonce) }
  }

  @Test func aChannelForgetsNoncesWithTheConnection() throws {
    var ends = try ends()
    let position = try #require(ends.channels[0].stack.extensions.firstIndex { $0.id == HTLCExtension.id })
    let update = HTLCUpdate.add(
      id: 0, amount: MilliSatoshi(10_000_000), paymentHash: PaymentHash(sha256([1])), cltvExpiry: 500,
      onion: [UInt8](repeating: 0, count: HTLCUpdate.onionByteCount), extra: TLVStream())
    try ends.update(.extension(position, AnyUpdate(update, of: HTLCExtension.self)), by: 0)
    #expect(ends.channels[0].canCommit)
    for index in 0..<2 { ends.channels[index].disconnect() }
    let messages = try (0..<2).map { try ends.channels[$0].reestablish(ends.signers[$0]) }
    var without = messages[1]
    without.nextNonces = []
    #expect(throws: ChannelError.self) {
      try ends.channels[0].receive(.reestablish(without), ends.signers[0])
    }
    #expect(!ends.channels[0].canCommit)
    for index in 0..<2 {
      _ = try ends.channels[index].receive(.reestablish(messages[1 - index]), ends.signers[index])
    }
    #expect(ends.channels[0].canCommit)
  }

  @Test func aRevocationWithoutNoncesFailsTheChannel() throws {
    var ends = try ends()
    let position = try #require(ends.channels[0].stack.extensions.firstIndex { $0.id == HTLCExtension.id })
    let update = HTLCUpdate.add(
      id: 0, amount: MilliSatoshi(10_000_000), paymentHash: PaymentHash(sha256([1])), cltvExpiry: 500,
      onion: [UInt8](repeating: 0, count: HTLCUpdate.onionByteCount), extra: TLVStream())
    try ends.update(.extension(position, AnyUpdate(update, of: HTLCExtension.self)), by: 0)
    var revocation: Revocation?
    for effect in try ends.channels[0].commit(ends.signers[0]) {
      guard case .send(let message) = effect else { continue }
      for answer in try ends.channels[1].receive(message, ends.signers[1]) {
        if case .send(.revoke(let sent)) = answer { revocation = sent }
      }
    }
    var without = try #require(revocation)
    #expect(without.nextNonces.count == 1)
    without.nextNonces = []
    #expect(throws: ChannelError.self) { try ends.channels[0].receive(.revoke(without), ends.signers[0]) }
    #expect(ends.channels[0].awaitsRevocation, "nothing has changed")
    without.nextNonces = try #require(revocation).nextNonces
    _ = try ends.channels[0].receive(.revoke(without), ends.signers[0])
    #expect(!ends.channels[0].awaitsRevocation)
  }
}
