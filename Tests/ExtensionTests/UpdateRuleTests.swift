import Bitcoin
import Encoding
import GLC
import HTLC
import Signer
import Testing

/// BOLT 2 §Normal Operation, sentence by sentence: what a sender does not send, and what its receiver does about it.
@Suite struct UpdateRuleTests {
  static func ends(_ limits: HTLCExtension.Limits = .none, feeRate: UInt32 = 2500) throws -> TwoEnds {
    var stack = try BOLT3Stack.anchors.stack
    stack = try ChannelStack(
      funding: stack.funding,
      extensions: stack.extensions.map { slot in
        guard let htlc = slot as? Slot<HTLCExtension> else { return slot }
        return Slot(
          HTLCExtension(), .init(format: htlc.parameters.format, limits: PerParty(local: limits, remote: limits)))
      })
    return try TwoEnds(stack, feeRate: feeRate)
  }

  static let limits = HTLCExtension.Limits(
    minimum: MilliSatoshi(1000), maximumInFlight: MilliSatoshi(100_000_000), maximumAccepted: 3)

  /// Neither is it sent, nor is it accepted.
  static func isRefused(
    _ content: UpdateContent, by index: Int = 0, in ends: TwoEnds, _ consequence: ProtocolViolation.Consequence,
    _ location: SourceLocation = #_sourceLocation
  ) {
    var ends = ends
    #expect(throws: ChannelError.self, sourceLocation: location) {
      try ends.channels[index].propose(content)
    }
    let refusal = ends.refusal(of: content, by: index)
    #expect(refusal?.consequence == consequence, "\(refusal.debugDescription)", sourceLocation: location)
  }

  @Test(arguments: [0, 999])
  func anAmountOfZeroOrBelowTheMinimumIsRefused(amount: UInt64) throws {
    Self.isRefused(.add(0, amount), in: try Self.ends(Self.limits), .failChannel)
  }

  @Test func theLeastAmountIsAccepted() throws {
    var ends = try Self.ends(Self.limits)
    try ends.update(.add(0, 1000), by: 0)
  }

  @Test func moreThanTheReceiverAcceptsIsRefused() throws {
    var ends = try Self.ends(Self.limits)
    for id in 0..<3 { try ends.update(.add(UInt64(id), 2_000_000), by: 0) }
    Self.isRefused(.add(3, 2_000_000), in: ends, .failChannel)
    // The other direction has a count of its own.
    try ends.update(.add(0, 2_000_000), by: 1)
  }

  @Test func moreInFlightThanTheReceiverAllowsIsRefused() throws {
    var ends = try Self.ends(Self.limits)
    try ends.update(.add(0, 60_000_000), by: 0)
    Self.isRefused(.add(1, 40_000_001), in: ends, .failChannel)
    try ends.update(.add(1, 40_000_000), by: 0)
  }

  @Test func anExpiryThatIsATimeIsRefused() throws {
    let ends = try Self.ends()
    Self.isRefused(.add(0, 1_000_000, expiry: 500_000_000), in: ends, .failChannel)
    var other = ends
    try other.update(.add(0, 1_000_000, expiry: 499_999_999), by: 0)
  }

  @Test func idsCountFromZeroByOneAndAreNeverReset() throws {
    var ends = try Self.ends()
    Self.isRefused(.add(1, 1_000_000), in: ends, .failChannel)
    try ends.update(.add(0, 1_000_000), by: 0)
    Self.isRefused(.add(0, 1_000_000), in: ends, .failChannel)
    try ends.commit()
    try ends.update(.fulfill(0), by: 1)
    try ends.commit()
    Self.isRefused(.add(0, 1_000_000), in: ends, .failChannel)
    try ends.update(.add(1, 1_000_000), by: 0)
  }

  @Test func paymentsWithTheSameHashAreAllowed() throws {
    var ends = try Self.ends()
    for id in 0..<3 { try ends.update(.add(UInt64(id), 5_000_000), by: 0) }
    try ends.commit()
    for id in 0..<3 { try ends.update(.fulfill(UInt64(id)), by: 1) }
    try ends.commit()
    #expect(ends.channels[1].fundings[0].base.balances[.local] == MilliSatoshi(415_000_000))
  }

  @Test func whatIsNotIrrevocableCannotBeRemoved() throws {
    var ends = try Self.ends()
    try ends.update(.add(0, 5_000_000), by: 0)
    for removal in [UpdateContent.fulfill(0), .fail(0)] { Self.isRefused(removal, by: 1, in: ends, .failChannel) }
    // One signature and its revocation are not enough: the sender's commitment must have it too.
    try ends.deliver(try ends.channels[0].commit(ends.signers[0]), from: 0)
    Self.isRefused(.fulfill(0), by: 1, in: ends, .failChannel)
    try ends.commit()
    try ends.update(.fulfill(0), by: 1)
  }

  @Test func unknownRemovedAndOwnPaymentsCannotBeRemoved() throws {
    var ends = try Self.ends()
    try ends.update(.add(0, 5_000_000), by: 0)
    try ends.commit()
    Self.isRefused(.fulfill(1), by: 1, in: ends, .failChannel)
    Self.isRefused(.fulfill(0), by: 0, in: ends, .failChannel)
    try ends.update(.fail(0), by: 1)
    for removal in [UpdateContent.fulfill(0), .fail(0)] { Self.isRefused(removal, by: 1, in: ends, .failChannel) }
  }

  @Test func aWrongPreimageIsRefused() throws {
    var ends = try Self.ends()
    try ends.update(.add(0, 5_000_000), by: 0)
    try ends.commit()
    Self.isRefused(.fulfill(0, preimage: 2), by: 1, in: ends, .failChannel)
  }

  @Test func aMalformedFailureNeedsTheBadOnionBit() throws {
    var ends = try Self.ends()
    try ends.update(.add(0, 5_000_000), by: 0)
    try ends.commit()
    func malformed(_ code: UInt16) -> UpdateContent {
      .htlc(.failMalformed(id: 0, onionHash: Bytes32(), code: code, extra: TLVStream()))
    }
    Self.isRefused(malformed(0x4005), by: 1, in: ends, .failChannel)
    try ends.update(malformed(0xc005), by: 1)
  }

  @Test func whatTheSenderCannotAffordIsRefused() throws {
    let ends = try Self.ends()
    // 400,000 sat, of which 10,000 stay.
    Self.isRefused(.add(0, 390_000_001), by: 1, in: ends, .failChannel)
    var other = ends
    try other.update(.add(0, 390_000_000), by: 1)
    // The funder pays for the commitment and two anchors besides; its own buffer is twice the fee rate and one more output.
    let fee = (1124 + 172) * 2500 / 1000 + 660
    Self.isRefused(.add(0, UInt64(600_000 - 10_000 - fee) * 1000 + 1), in: ends, .failChannel)
    other = ends
    #expect(other.refusal(of: .add(0, UInt64(600_000 - 10_000 - fee) * 1000), by: 0) == nil)
    #expect(throws: ChannelError.self) { try other.channels[0].propose(.add(0, UInt64(590_000 - fee) * 1000)) }
    let buffer = (1124 + 2 * 172) * 5000 / 1000 + 660
    _ = try other.channels[0].propose(.add(0, UInt64(590_000 - buffer) * 1000))
  }

  @Test func whoDoesNotPayTheFeeOffersNothingThatTheFunderCouldNotCarry() throws {
    // The funder can pay for the commitment as it is and no more.
    let fee = UInt64(1124 * 2500 / 1000 + 660)
    var ends = try TwoEnds(
      try BOLT3Stack.anchors.stack, balances: [(10_000 + fee + 100) * 1000, 400_000_000])
    #expect(throws: ChannelError.self) { try ends.channels[1].propose(.add(0, 5_000_000)) }
    // Trimmed, it costs the funder nothing.
    try ends.update(.add(0, 300_000), by: 1)
  }

  @Test func onlyTheFunderChangesTheFee() throws {
    let ends = try Self.ends()
    Self.isRefused(.fee(3000), by: 1, in: ends, .failChannel)
    var other = ends
    try other.update(.fee(3000), by: 0)
  }

  @Test func aFeeThatTheFunderCannotAffordIsRefused() throws {
    let ends = try Self.ends()
    Self.isRefused(.fee(600_000), in: ends, .failChannel)
    var other = ends
    // (600,000 − 10,000 − 660) sat for 1124 weight units, without the buffer of an offer.
    try other.update(.fee(524_000), by: 0)
  }

  @Test func commitmentsWithoutFeeHaveNoUpdateFee() throws {
    Self.isRefused(.fee(253), in: try TwoEnds(try BOLT3Stack.zeroFee.stack, feeRate: 0), .failChannel)
  }

  @Test func nothingIsSignedTwiceOrWithoutAnUpdate() throws {
    var ends = try Self.ends()
    #expect(throws: ChannelError.self) { try ends.channels[0].commit(ends.signers[0]) }
    _ = try ends.channels[0].propose(.add(0, 5_000_000))
    _ = try ends.channels[0].commit(ends.signers[0])
    _ = try ends.channels[0].propose(.add(1, 5_000_000))
    #expect(throws: ChannelError.self) { try ends.channels[0].commit(ends.signers[0]) }
  }

  @Test func aCommitmentWithOtherSignaturesFailsTheChannel() throws {
    var ends = try Self.ends()
    try ends.update(.add(0, 5_000_000), by: 0)
    try ends.update(.add(1, 6_000_000), by: 0)
    guard case .send(.commit(let sets))? = try ends.channels[0].commit(ends.signers[0]).last else {
      Issue.record("no commitment")
      return
    }
    var fewer = sets
    fewer[0].children.removeLast()
    var more = sets
    more[0].children.append(sets[0].children[0])
    var swapped = sets
    swapped[0].children.swapAt(0, 1)
    var other = sets
    other[0].funding = sets[0].children[0]
    for wrong in [fewer, more, swapped, other, []] {
      let before = ends.channels[1].encoded
      do throws(ChannelError) {
        _ = try ends.channels[1].receive(.commit(wrong), ends.signers[1])
        Issue.record("accepted")
      } catch {
        #expect(error.consequence == .failChannel)
      }
      #expect(ends.channels[1].encoded == before)
    }
    _ = try ends.channels[1].receive(.commit(sets), ends.signers[1])
  }

  @Test func revocationsMustFitAndBeAskedFor() throws {
    var ends = try Self.ends()
    let point = try ends.signers[1].perCommitmentPoint(2)
    func refused(_ secret: Bytes32) -> Bool {
      do throws(ChannelError) {
        _ = try ends.channels[0].receive(.revoke(Revocation(secret: secret, nextPoint: point)), ends.signers[0])
        return false
      } catch {
        return error.consequence == .failChannel
      }
    }
    let secret = try ends.signers[1].revocationSecretForProof(0)
    #expect(refused(secret), "nobody asked for it")
    _ = try ends.channels[0].propose(.add(0, 5_000_000))
    _ = try ends.channels[0].commit(ends.signers[0])
    #expect(refused(Bytes32()), "zero is no secret key")
    #expect(refused(try ends.signers[1].revocationSecretForProof(1)), "another commitment's")
    #expect(!refused(secret))
  }

  @Test func anUpdateOfAnExtensionThatIsNotThereIsRefused() throws {
    var ends = try Self.ends()
    let update = HTLCUpdate.fail(id: 0, reason: [], extra: TLVStream())
    let content = UpdateContent.extension(99, AnyUpdate(update, of: HTLCExtension.self))
    #expect(ends.refusal(of: content, by: 0)?.consequence == .failChannel)
  }

  @Test func repeatedOffersAfterALostConnectionCountOnce() throws {
    var ends = try Self.ends()
    try ends.update(.add(0, 5_000_000), by: 0)
    for index in 0..<2 { ends.channels[index].disconnect() }
    let messages = try (0..<2).map { try ends.channels[$0].reestablish(ends.signers[$0]) }
    let effects = try (0..<2).map {
      try ends.channels[$0].receive(.reestablish(messages[1 - $0]), ends.signers[$0])
    }
    for index in 0..<2 { try ends.deliver(effects[index], from: index) }
    try ends.commit()
    #expect(ends.channels[1].fundings[0].base.balances[.remote] == MilliSatoshi(595_000_000))
  }
}
