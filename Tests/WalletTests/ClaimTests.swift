import Bitcoin
import Encoding
import GLC
import Secp256k1
import Testing

@testable import Onchain
@testable import Wallet

/// Fees for claims of channels.
@Suite struct ClaimTests {
  /// A commitment of version 3 without fee, and the claim that pays for it through its pay-to-anchor output.
  private func claim(_ world: inout World, rate: FeeRate, version: UInt32 = 3) throws -> Claim {
    let parent = Transaction(
      version: version, inputs: [TxInput(previousOutput: world.foreignOutPoint())],
      outputs: [
        TxOutput(value: Satoshi(500_000), scriptPubKey: Fixture.p2wpkh(1)),
        TxOutput(value: Satoshi(240), scriptPubKey: .p2a),
      ])
    world.note(parent)
    let keys = try CommitmentKeys(
      holder: Basepoints([:]), counterparty: Basepoints([:]), perCommitmentPoint: Fixture.ring.nodeID, resolving: [])
    let spend = OutputSpend(
      outPoint: OutPoint(txid: parent.txid, vout: 1), value: Satoshi(240), lock: .payToAnchor,
      path: SpendPath("anchor", by: .holder, witness: [], execution: .free(witnessWeight: Weight(1))))
    // Its own input, with the transaction's frame; the claim counts what is added.
    return Claim(
      purpose: .parent(parent, fee: .zero, weight: parent.weight), spends: [spend], sequences: [0xffff_fffd],
      version: version, lockTime: 0, destination: try world.newScript(), feeRate: rate, fee: .zero,
      weight: Weight(4 * 10 + 2 + 4 * 41 + 1), deadline: nil, isReplacement: false,
      keys: SpendingKeys(side: .holder, keys: keys))
  }

  private func fund(_ claim: Claim, _ world: inout World) throws -> (FundedClaim, Transaction) {
    let (funded, update) = try world.wallet.fund(claim)
    try world.take(update)
    var signed = funded.transaction
    try world.ring.sign(&signed, inputs: funded.paths, spending: funded.spentOutputs)
    try world.verify(signed)
    #expect(try TransactionRules.fee(of: signed, spending: funded.spentOutputs) == funded.fee)
    return (funded, signed)
  }

  @Test("an anchor is spent with a confirmed coin that brings its commitment to the rate")
  func anchor() throws {
    var world = try World(height: 1)
    try world.fund([400_000, 9_000, 60_000])
    world.wallet.setAnchorChannels(100)
    let claim = try claim(&world, rate: fast)
    let (funded, signed) = try fund(claim, &world)
    // The smallest that does it alone, out of the reserve if need be.
    #expect(signed.inputs.count == 2)
    #expect(funded.spentOutputs[1].value == Satoshi(9_000))
    guard case .parent(_, _, let parentWeight) = claim.purpose else { return }
    let package = Weight(signed.weight.rawValue + parentWeight.rawValue)
    let asked = try #require(fast.fee(for: package))
    #expect(funded.fee >= asked && funded.fee.rawValue * 100 <= asked.rawValue * 102)
    #expect(world.wallet.balance.reserved == Satoshi(9_000))
    try world.record(signed)
    #expect(world.wallet.balance.reserved == .zero)
    // A second attempt at a higher rate may use the first one's coin.
    var higher = claim
    higher.feeRate = FeeRate(satPerKiloWeight: 6_500)
    let (again, replacement) = try fund(higher, &world)
    #expect(again.spentOutputs[1].value == Satoshi(9_000))
    try world.record(replacement)
    #expect(world.wallet.transaction(signed.txid)?.status == .replaced(by: replacement.txid))
  }

  @Test("several coins are taken where one does not do, and what is missing is said")
  func several() throws {
    var world = try World(height: 1)
    try world.fund([3_000, 3_000, 3_000])
    let modest = try claim(&world, rate: fast)
    let (funded, _) = try fund(modest, &world)
    #expect(funded.paths.count > 1)
    try world.take(try world.wallet.release(funded.reservation))
    let rich = try claim(&world, rate: FeeRate(satPerKiloWeight: 50_000))
    #expect {
      _ = try world.wallet.fund(rich)
    } throws: { error in
      guard case .insufficientFunds(Satoshi(9_000), let missing) = error as? WalletError else { return false }
      return missing > .zero
    }
    // Unconfirmed coins do not count.
    let payment = world.payment([(try world.newScript(), 10_000_000)])
    try world.take(world.wallet.see(payment, time: 1))
    #expect(throws: WalletError.self) { _ = try world.wallet.fund(rich) }
  }
}
