import Bitcoin
import Encoding
import GLC
import HTLC
import Testing

/// BOLT 2 §Bounding exposure to trimmed in-flight HTLCs.
@Suite struct DustExposureTests {
  /// Payments of 300 sat are trimmed on both sides; at most 1,000 sat may be.
  static func ends(
    _ stack: BOLT3Stack = .anchors, dustLimits: [UInt64] = [354, 354], limit: UInt64 = 1_000_000
  ) throws -> TwoEnds {
    try TwoEnds(try stack.stack, feeRate: 253, dustLimits: dustLimits, maximumDustExposure: limit)
  }

  @Test func trimmedOffersStopAtTheLimit() throws {
    var ends = try Self.ends()
    for id in 0..<3 { try ends.update(.add(UInt64(id), 300_000), by: 0) }
    #expect(ends.channels[0].dustExposure(heldBy: .local) == MilliSatoshi(900_000))
    var other = ends
    #expect(throws: ChannelError.self) { try other.channels[0].propose(.add(3, 100_001)) }
    try other.update(.add(3, 100_000), by: 0)
    // What has an output is not exposed.
    try other.update(.add(4, 5_000_000), by: 0)
    #expect(other.channels[0].dustExposure(heldBy: .remote) == MilliSatoshi(1_000_000))
  }

  @Test func eachSideHasItsOwnDustLimit() throws {
    // 500 sat are trimmed from the commitment of end 1 alone.
    var ends = try Self.ends(dustLimits: [354, 600])
    try ends.update(.add(0, 500_000), by: 0)
    #expect(ends.channels[0].dustExposure(heldBy: .local) == .zero)
    #expect(ends.channels[0].dustExposure(heldBy: .remote) == MilliSatoshi(500_000))
    try ends.update(.add(1, 500_000), by: 0)
    #expect(throws: ChannelError.self) { try ends.channels[0].propose(.add(2, 500_000)) }
  }

  @Test func whatArrivesBeyondTheLimitIsToBeRefusedOnceCommitted() throws {
    // End 0 has no such limit.
    var generous = try Self.ends(limit: 50_000_000)
    let strict = try Self.ends()
    generous.channels[1] = strict.channels[1]
    for id in 0..<4 { try generous.update(.add(UInt64(id), 300_000), by: 0) }
    try generous.update(.add(4, 5_000_000), by: 0)
    try generous.commit()
    let added = generous.irrevocable[1]
    #expect(added.count == 5)
    #expect(generous.channels[1].isOverexposed(by: added[0]))
    #expect(!generous.channels[1].isOverexposed(by: added[4]), "it has an output")
    #expect(!generous.channels[0].isOverexposed(by: added[0]), "this end accepts more")

    // The answer survives a restart.
    var registry = ExtensionRegistry()
    let stack = try BOLT3Stack.anchors.stack
    for slot in stack.extensions { slot.register(in: &registry) }
    registry.register(stack.funding)
    let stored = generous.channels[1].encoded
    let restored = try Channel(decoding: stored.bytes, registry: registry)
    #expect(restored.parameters.maximumDustExposure == MilliSatoshi(1_000_000))
    #expect(restored.isOverexposed(by: added[0]))

    // Once one is refused the rest are within the limit.
    try generous.update(.fail(0), by: 1)
    #expect(!generous.channels[1].isOverexposed(by: added[1]))
    try generous.commit()
    #expect(!generous.channels[1].isOverexposed(by: added[1]))
  }

  @Test func aFeeRateThatTrimsTooMuchIsNotProposed() throws {
    // Legacy: the second stage pays fees, so a higher rate trims more. 2,000 sat have an output at 253 and none at 5,000 sat/kw.
    var ends = try Self.ends(.staticRemoteKey)
    try ends.update(.add(0, 2_000_000), by: 0)
    #expect(ends.channels[0].dustExposure(heldBy: .local) == .zero)
    #expect(throws: ChannelError.self) { try ends.channels[0].propose(.fee(5000)) }
    try ends.update(.fee(1000), by: 0)
    // Whether to close when the remote party does it is the node's to decide: it is told how much is exposed.
    var other = try Self.ends(.staticRemoteKey)
    try other.update(.add(0, 2_000_000), by: 0)
    #expect(other.refusal(of: .fee(5000), by: 0) == nil)
    #expect(other.channels[1].dustExposure(heldBy: .local) == MilliSatoshi(2_000_000))
  }

  @Test func withAnchorsTheFeeRateTrimsNothing() throws {
    var ends = try Self.ends()
    try ends.update(.add(0, 2_000_000), by: 0)
    try ends.update(.fee(5000), by: 0)
    #expect(ends.channels[0].dustExposure(heldBy: .local) == .zero)
  }
}
