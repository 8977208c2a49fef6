import Bitcoin
import Encoding
import Testing

@testable import Wallet

/// The stored form, PSBTs and claims: where the wallet meets what others have written.
@Suite struct RecordTests {
  /// Few addresses, so that restoring is quick.
  private static let policy: WalletPolicy = {
    var policy = WalletPolicy()
    policy.gapLimit = 1
    return policy
  }()

  private func world() throws -> World {
    var world = try World(policy: Self.policy, height: 2)
    try world.fund([500_000, 300_000])
    try world.send(SpendRequest(paying: .exactly(Satoshi(100_000)), to: Fixture.p2wpkh(1), feeRate: fast))
    let spend = try world.make(SpendRequest(paying: .exactly(Satoshi(10_000)), to: Fixture.p2wpkh(1), feeRate: fast))
      .spend
    try world.take(try world.wallet.extendReservation(spend.reservation, expires: 100))
    try world.take(try world.wallet.setLabel("für Käse", of: world.wallet.history[0].txid))
    try world.take(world.wallet.beginRescan(from: 1))
    return world
  }

  private func restore(_ stored: [[UInt8]: [UInt8]], _ network: Network = .regtest, _ ring: KeyRing = Fixture.ring)
    throws(WalletError) -> Wallet?
  {
    try Wallet.restore(
      stored.map { (key: $0.key, value: $0.value) }, keys: ring.walletKeys, network: network,
      policy: Self.policy)
  }

  @Test("records make the same wallet, of this seed and network alone")
  func roundTrip() throws {
    let world = try world()
    let again = try #require(try restore(world.stored))
    #expect(again.rescanHeight == 1)
    #expect(again.history.contains { $0.label == "für Käse" })
    #expect(again.allReservations == world.wallet.allReservations.filter { $0.expires != nil })
    #expect(throws: WalletError.otherWallet) { try restore(world.stored, .signet) }
    #expect(throws: WalletError.otherWallet) {
      try restore(world.stored, .regtest, Fixture.ring(Fixture.phrase12, .test))
    }
    #expect(try restore([:]) == nil)
    var headless = world.stored
    headless[[0]] = nil
    #expect(throws: WalletError.damagedRecord(key: [0])) { try restore(headless) }
  }

  @Test("a record that is cut off, too long, of another version or of no known kind is refused by name")
  func malformed() throws {
    let world = try world()
    #expect(Set(world.stored.keys.compactMap(\.first)) == [0, 1, 2, 3, 4])
    for (key, value) in world.stored {
      func attempt(_ key: [UInt8], _ value: [UInt8]) -> WalletError? {
        var stored = world.stored
        stored[key] = value
        do {
          _ = try restore(stored)
          return nil
        } catch { return error }
      }
      for count in value.indices {
        let cut = attempt(key, Array(value.prefix(count)))
        #expect(cut == .damagedRecord(key: key), "\(key) cut to \(count)")
      }
      #expect(attempt(key, value + [0]) == .damagedRecord(key: key))
      #expect(attempt(key, [2] + value.dropFirst()) == .newerRecord(key: key))
      #expect(attempt(key, [0] + value.dropFirst()) == .damagedRecord(key: key))
      if key.count > 1 { #expect(attempt(key + [0], value) == .damagedRecord(key: key + [0])) }
      #expect(attempt([9] + key.dropFirst(), value) == .newerRecord(key: [9] + key.dropFirst()))
      // A flipped bit anywhere is refused or read, and never more than that.
      for index in value.indices {
        var flipped = value
        flipped[index] ^= 1 << UInt8(index % 8)
        _ = attempt(key, flipped)
      }
    }
  }

  @Test("a PSBT of ours is signed elsewhere or here, and is the transaction that was made")
  func psbt() throws {
    var world = try World(height: 1)
    try world.fund([100_000, 200_000, 50_000])
    let (spend, _) = try world.make(SpendRequest(paying: .all, to: Fixture.p2wpkh(1), feeRate: fast))
    let made = try world.wallet.psbt(for: spend)
    for (input, path) in zip(made.inputs, spend.paths) {
      #expect(input.witnessUTXO != nil)
      #expect(input.bip32Derivations.count == (path.kind == .segwit ? 1 : 0))
      #expect(input.tapBIP32Derivations.count == (path.kind == .taproot ? 1 : 0))
      #expect((input.nonWitnessUTXO != nil) == (path.kind == .segwit))
    }
    var psbt = try PSBT(decoding: made.encoded)
    #expect(psbt == made)
    let own = try world.wallet.ownInputs(of: psbt)
    #expect(own.count == 3)
    #expect(try world.ring.sign(&psbt, inputs: own) == 3)
    let report = try psbt.finalize()
    #expect(report.isComplete)
    let signed = try psbt.extractTransaction()
    #expect(signed.txid == spend.transaction.txid)
    try world.verify(signed)
    // What is final is left alone.
    #expect(try world.ring.sign(&psbt, inputs: own) == 0)
  }

  @Test("a PSBT that lies about our outputs is not signed, others' inputs are not ours")
  func lies() throws {
    var world = try World(height: 1)
    try world.fund([100_000, 200_000])
    let (spend, _) = try world.make(SpendRequest(paying: .all, to: Fixture.p2wpkh(1), feeRate: fast))
    let made = try world.wallet.psbt(for: spend)
    for index in made.inputs.indices {
      var wrong = made
      wrong.inputs[index].nonWitnessUTXO = nil
      wrong.inputs[index].witnessUTXO?.value = Satoshi(99_999)
      #expect(throws: WalletError.mismatch(input: index)) { try world.wallet.ownInputs(of: wrong) }
    }
    // An input of somebody else, in front.
    let foreign = world.payment([(Fixture.p2wpkh(5), 70_000)])
    var transaction = spend.transaction
    transaction.inputs.insert(TxInput(previousOutput: OutPoint(txid: foreign.txid, vout: 0)), at: 0)
    var joint = try PSBT(unsignedTransaction: transaction)
    try joint.addUTXO(foreign, toInput: 0)
    let own = try world.wallet.complete(&joint)
    #expect(Set(own.keys) == [1, 2])
    #expect(try world.ring.sign(&joint, inputs: own) == 2)
    let report = try joint.finalize()
    #expect(report.unfinished.map(\.input) == [0])
  }

  @Test("a key signs nothing but what it belongs to")
  func keys() throws {
    var world = try World(height: 1)
    try world.fund([100_000])
    let (spend, _) = try world.make(SpendRequest(paying: .all, to: Fixture.p2wpkh(1), feeRate: fast))
    var wrong = spend
    wrong.paths[0].index += 1
    #expect(throws: WalletError.mismatch(input: 0)) { try world.ring.sign(wrong) }
    wrong = spend
    wrong.paths = []
    #expect(throws: WalletError.self) { try world.ring.sign(wrong) }
    wrong = spend
    wrong.spentOutputs = []
    #expect(throws: WalletError.self) { try world.ring.sign(wrong) }
  }
}
