import Bitcoin
import Encoding
import GLC
import Hashing
import Negotiation
import Secp256k1
import Signer
import Testing

/// A funding transaction that is not confirmed yet is replaced by one that pays more.
@Suite struct ReplacementTests {
  private static let second = sha256([8, 8, 8])

  /// A second world after the first: the same coins, other keys.
  private func replacement(
    of first: OpeningWorld, feeRate: UInt32, coins: [[TestCoin]]? = nil, id: Bytes32 = OpeningWorld.id
  ) throws -> OpeningWorld {
    var world = try OpeningWorld(
      contributions: [600_000, 800_000], coins: coins ?? first.nodes.map(\.coins)
    ) { deal in
      deal.fundingFeeRate = FeeRate(satPerKiloWeight: feeRate)
      deal.replaces = id
    }
    world.id = Self.second
    for index in 0..<2 {
      world.nodes[index].previous = first.nodes[index].opening
      try world.nodes[index].renewKeys(7)
    }
    return world
  }

  private func opened() throws -> OpeningWorld {
    var world = try OpeningWorld(contributions: [600_000, 800_000])
    try world.run()
    try world.expectOpened()
    return world
  }

  @Test func oneThatPaysMoreTakesItsPlace() throws {
    let first = try opened()
    var second = try replacement(of: first, feeRate: 1042)
    try second.run()
    try second.expectOpened()
    let (one, other) = (try #require(first.nodes[0].opened), try #require(second.nodes[0].opened))
    #expect(one.funding.txid != other.funding.txid && one.outPoint != other.outPoint)
    let inputs = Set(one.funding.inputs.map(\.previousOutput))
    #expect(other.funding.inputs.contains { inputs.contains($0.previousOutput) })
    // No key and no nonce of the first serves the second.
    let keys = one.channel.parameters.parties.local.basepoints.all.map(\.key)
    #expect(other.channel.parameters.parties.local.basepoints.all.allSatisfy { !keys.contains($0.key) })
  }

  @Test func oneThatPaysHardlyMoreIsRefused() throws {
    let first = try opened()
    #expect(throws: Refusal.self) {
      var second = try replacement(of: first, feeRate: 1040)
      try second.inquire()
    }
    // The acceptor says so as well.
    var second = try replacement(of: first, feeRate: 1041)
    second.tamper = { _, message in
      guard case .inquire(var inquiry) = message else { return message }
      inquiry.deal.fundingFeeRate = FeeRate(satPerKiloWeight: 1040)
      return .inquire(inquiry)
    }
    try second.run()
    #expect(second.nodes[0].refusals.first?.code == .deal)
    #expect(second.nodes.allSatisfy { $0.opened == nil })
  }

  @Test func oneThatSharesNoInputIsRefused() throws {
    let first = try opened()
    let coins = [[try TestCoin(20, value: 900_000)], [try TestCoin(21, value: 900_000)]]
    var second = try replacement(of: first, feeRate: 2000, coins: coins)
    try second.run()
    #expect(second.nodes.allSatisfy { $0.opened == nil && $0.broadcast.isEmpty })
    #expect(second.nodes.flatMap(\.refusals).contains { $0.code == .funding && $0.reason.contains("no input") })
  }

  @Test func whatIsNotKnownCannotBeReplaced() throws {
    let first = try opened()
    #expect(throws: Refusal.self) {
      var second = try replacement(of: first, feeRate: 2000, id: sha256([1]))
      try second.inquire()
    }
    var second = try replacement(of: first, feeRate: 2000)
    second.nodes[1].previous = nil
    try second.run()
    #expect(second.nodes[0].refusals.first?.code == .unknown)
  }
}
