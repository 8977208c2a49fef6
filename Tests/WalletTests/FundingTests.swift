import Bitcoin
import Encoding
import Testing

@testable import Wallet

/// Inputs for transactions that somebody else puts together.
@Suite struct FundingTests {
  /// Of a transaction without inputs and with these outputs, when it is signed.
  private func startWeight(_ outputs: [TxOutput]) -> Weight {
    Transaction(inputs: [], outputs: outputs).weight(witnesses: [])
  }

  private func fund(
    _ world: inout World, _ request: InputsRequest, until expires: UInt32? = nil
  ) throws -> FundedInputs {
    let (funded, update) = try world.wallet.fund(request, holdingUntil: expires, using: &world.generator)
    try world.take(update)
    return funded
  }

  /// Adds outputs, signs, finishes, checks.
  private func finish(_ world: World, _ funded: FundedInputs, _ outputs: [TxOutput]) throws -> (Transaction, Satoshi) {
    var transaction = try funded.psbt.unsignedTransaction()
    transaction.outputs += outputs
    var psbt = try PSBT(unsignedTransaction: transaction)
    let own = try world.wallet.complete(&psbt)
    #expect(own.count == transaction.inputs.count)
    _ = try world.ring.sign(&psbt, inputs: own)
    #expect(try psbt.finalize().unfinished.isEmpty)
    let signed = try psbt.extractTransaction()
    try world.verify(signed)
    return (signed, try psbt.fee())
  }

  @Test("inputs pay for an amount, for themselves and for the weight that was named", arguments: 1...8)
  func exact(seed: UInt64) throws {
    var world = try World(seed: seed, height: 1)
    try world.fund((0..<12).map { _ in UInt64.random(in: 20_000...900_000, using: &world.generator) })
    for addsChange in [false, true] {
      let amount = Satoshi(UInt64.random(in: 30_000...700_000, using: &world.generator))
      let rate = FeeRate(satPerKiloWeight: UInt32.random(in: 253...5_000, using: &world.generator))
      let outputs = [TxOutput(value: amount, scriptPubKey: Fixture.p2wpkh(7))]
      var request = InputsRequest(.exactly(amount), feeRate: rate, startWeight: startWeight(outputs))
      request.addsChange = addsChange
      let funded = try fund(&world, request)
      #expect(funded.psbt.outputs.count == (funded.changeOutput == nil ? 0 : 1))
      let (signed, fee) = try finish(world, funded, outputs)
      #expect(signed.weight <= funded.weight)
      #expect(signed.weight.rawValue + 4 * UInt64(signed.inputs.count) >= funded.weight.rawValue, "seed \(seed)")
      // What is too much is said, and goes to the miners when nobody takes it.
      let asked = try #require(rate.feeRoundedUp(for: funded.weight))
      #expect(fee == asked.adding(funded.excess), "seed \(seed)")
      if funded.changeOutput != nil { #expect(funded.excess == .zero) }
    }
    #expect(world.wallet.allReservations.isEmpty)
  }

  @Test("all of the wallet, with a reserve for anchor channels as change")
  func all() throws {
    var world = try World(height: 1)
    try world.fund([500_000, 300_000, 120])
    let request = InputsRequest(.all, feeRate: FeeRate(satPerKiloWeight: 1_000), startWeight: Weight(500))
    let everything = try fund(&world, request)
    #expect(everything.psbt.inputs.count == 2 && everything.changeOutput == nil)
    let fee = try #require(request.feeRate.feeRoundedUp(for: everything.weight))
    #expect(everything.excess == Satoshi(800_000).subtracting(fee))
    world.wallet.setAnchorChannels(3)
    let rest = try fund(&world, request)
    // The coin that is not worth its fee stays, and counts.
    #expect(rest.psbt.outputs.map(\.amount) == [Satoshi(30_000 - 120)])
    let more = try #require(request.feeRate.feeRoundedUp(for: rest.weight))
    #expect(rest.excess == Satoshi(770_120).subtracting(more))
  }

  @Test("an amount that would take the reserve of anchor channels is refused, or leaves it as change")
  func reserve() throws {
    var world = try World(height: 1)
    try world.fund([200_000])
    world.wallet.setAnchorChannels(1)
    var request = InputsRequest(
      .exactly(Satoshi(100_000)), feeRate: FeeRate(satPerKiloWeight: 1_000), startWeight: Weight(500))
    #expect(throws: WalletError.anchorReserve(Satoshi(10_000))) { try fund(&world, request) }
    request.addsChange = true
    let funded = try fund(&world, request)
    #expect(try #require(funded.psbt.outputs.first).amount > Satoshi(10_000))
    request.furtherReserve = Satoshi(95_000)
    #expect(throws: WalletError.self) { try fund(&world, request) }
    request.amount = .exactly(Satoshi(500_000))
    #expect {
      try fund(&world, request)
    } throws: {
      guard case .insufficientFunds(_, let missing) = $0 as? WalletError else { return false }
      return missing > Satoshi(300_000)
    }
  }

  @Test("inputs are held as long as was asked, and not taken twice")
  func holding() throws {
    var world = try World(height: 1)
    try world.fund([200_000, 210_000])
    let request = InputsRequest(
      .exactly(Satoshi(150_000)), feeRate: FeeRate(satPerKiloWeight: 500), startWeight: Weight(500))
    let first = try fund(&world, request, until: world.height + 3)
    let second = try fund(&world, request, until: world.height + 3)
    #expect(Set(first.outPoints).isDisjoint(with: second.outPoints))
    try world.restart()
    #expect(throws: WalletError.self) { try fund(&world, request) }
    try world.mine(count: 4)
    #expect(world.wallet.allReservations.isEmpty)
    _ = try fund(&world, request)
  }

  @Test("witnesses count for as much as was asked, and what cannot be is refused")
  func limits() throws {
    var world = try World(height: 1)
    try world.fund([200_000])
    var request = InputsRequest(
      .exactly(Satoshi(150_000)), feeRate: FeeRate(satPerKiloWeight: 500), startWeight: Weight(500))
    let light = try fund(&world, request)
    request.minimumWitnessWeight = Weight(1_000)
    let heavy = try fund(&world, request)
    #expect(heavy.weight == Weight(500 + 164 + 1_000))
    #expect(light.weight < heavy.weight)
    request.startWeight = Weight(.max)
    #expect(throws: WalletError.self) { try fund(&world, request) }
    request.startWeight = Weight(400_001)
    #expect(throws: WalletError.tooLarge) { try fund(&world, request) }
    request.amount = .exactly(Satoshi(.max))
    #expect(throws: WalletError.self) { try fund(&world, request) }
  }
}
