import Bitcoin
import Encoding
import Secp256k1
import Testing

@testable import Wallet

/// Transactions that the wallet makes. `World` runs the scripts of each and compares amounts.
@Suite struct SpendingTests {
  @Test("payments of every size are signed, conserve value, and pay the rate that was asked", arguments: 1...10)
  func payments(seed: UInt64) throws {
    var world = try World(seed: seed, height: 1)
    let count = Int.random(in: 1...40, using: &world.generator)
    try world.fund((0..<count).map { _ in UInt64.random(in: 1_000...3_000_000, using: &world.generator) })
    var made = 0
    for _ in 0..<40 {
      let rate = FeeRate(satPerKiloWeight: UInt32.random(in: 253...30_000, using: &world.generator))
      let recipients = (0..<Int.random(in: 1...4, using: &world.generator)).map { index in
        SpendRequest.Recipient(
          [Fixture.p2wpkh(UInt8(index)), .p2a, .p2wsh(Script([0x51])), .opReturn([1, 2, 3])][index],
          .exactly(index == 3 ? .zero : Satoshi(UInt64.random(in: 330...800_000, using: &world.generator))))
      }
      let request = SpendRequest(recipients, feeRate: rate)
      do {
        let (spend, signed) = try world.make(request)
        made += 1
        let asked = try #require(rate.feeRoundedUp(for: spend.weight))
        #expect(spend.fee >= asked, "seed \(seed)")
        if spend.changeOutput != nil {
          // Exactly; and within 1 % of the rate by the weight that it has in the end.
          #expect(spend.fee == asked)
          let least = try #require(rate.feeRoundedUp(for: signed.weight))
          #expect(spend.fee.rawValue * 100 <= least.rawValue * 101 + 100, "\(spend.fee) for \(least), seed \(seed)")
        } else {
          // Less than what change would have needed.
          let change = try #require(rate.feeRoundedUp(for: Weight(4 * 43)))
          let least = max(330, (2_500 * 230 + 999) / 1000)
          #expect(spend.fee.rawValue < asked.rawValue + change.rawValue + UInt64(least) + 2)
        }
        try world.take(try world.wallet.release(spend.reservation))
      } catch let error as WalletError {
        guard case .insufficientFunds(let available, let missing) = error else {
          Issue.record("\(error), seed \(seed)")
          continue
        }
        #expect(missing > .zero)
        #expect(available <= world.wallet.balance.confirmed)
      }
    }
    #expect(made > 0 || count < 3)
    #expect(world.wallet.allReservations.isEmpty)
  }

  @Test("everything can be sent, to the last satoshi", arguments: 1...5)
  func all(seed: UInt64) throws {
    var world = try World(seed: seed, height: 1)
    // One of them costs more than it brings in.
    try world.fund([500_000, 20_000, 700, 123_456])
    let rate = FeeRate(satPerKiloWeight: 4_000)
    let request = SpendRequest(
      [.init(Fixture.p2wpkh(1), .exactly(Satoshi(10_000))), .init(Fixture.p2wpkh(2), .all)], feeRate: rate)
    #expect(try world.wallet.maximumSpend(request) > Satoshi(620_000))
    let (spend, signed) = try world.make(request)
    #expect(spend.changeOutput == nil)
    #expect(signed.inputs.count == 3)
    #expect(spend.fee == rate.feeRoundedUp(for: spend.weight))
    #expect(world.wallet.balance.reserved == Satoshi(500_000 + 20_000 + 123_456))
    try world.record(signed)
    #expect(world.wallet.balance.reserved == .zero)
    #expect(world.wallet.coins.map(\.value) == [Satoshi(700)])
    // It is mined without a difference.
    try world.mine([signed])
    #expect(world.wallet.coins.map(\.value) == [Satoshi(700)])
    #expect(world.wallet.transaction(signed.txid)?.fee == spend.fee)
    #expect(throws: WalletError.self) {
      _ = try world.draft(SpendRequest(paying: .all, to: Fixture.p2wpkh(1), feeRate: rate))
    }
  }

  @Test("coins that fit need no change")
  func exact() throws {
    var world = try World(height: 1)
    try world.fund([1_000_000, 2_000_000, 250_000, 777_000, 30_000])
    // 777,000 (P2WPKH) and 250,000 (P2TR), less what a transaction of 667 weight units costs at this rate.
    let rate = FeeRate(satPerKiloWeight: 5_000)
    let exact = Satoshi(1_027_000 - 3_335)
    let (spend, _) = try world.make(SpendRequest(paying: .exactly(exact), to: Fixture.p2wpkh(1), feeRate: rate))
    #expect(spend.changeOutput == nil)
    #expect(spend.spentOutputs.map(\.value).sorted() == [Satoshi(250_000), Satoshi(777_000)])
  }

  @Test("coins of a transaction in the making are held, and free again after its failure or a restart")
  func reservations() throws {
    var world = try World(height: 1)
    try world.fund([100_000, 100_000])
    let request = SpendRequest(paying: .exactly(Satoshi(90_000)), to: Fixture.p2wpkh(1), feeRate: fast)
    let first = try world.make(request).spend
    let second = try world.make(request).spend
    #expect(
      Set(first.transaction.inputs.map(\.previousOutput)).isDisjoint(
        with: second.transaction.inputs.map(\.previousOutput)))
    // Change goes to different places.
    #expect(throws: WalletError.self) { _ = try world.draft(request) }
    try world.take(try world.wallet.release(first.reservation))
    #expect(throws: WalletError.unknownReservation(first.reservation)) {
      _ = try world.wallet.release(first.reservation)
    }
    _ = try world.make(request)
    try world.restart()
    #expect(world.wallet.balance.reserved == .zero)
    // One that is to last does.
    let third = try world.make(request).spend
    try world.take(try world.wallet.extendReservation(third.reservation, expires: world.height + 2))
    try world.restart()
    #expect(world.wallet.balance.reserved == Satoshi(100_000))
    let coin = third.transaction.inputs[0].previousOutput
    #expect(throws: WalletError.unusableCoin(coin)) { _ = try world.wallet.reserve([coin]) }
    try world.mine()
    #expect(world.wallet.balance.reserved == Satoshi(100_000))
    try world.mine()
    #expect(world.wallet.balance.reserved == .zero)
  }

  @Test("unconfirmed coins of others are not spent, our change is, and only as deep as the network relays")
  func unconfirmed() throws {
    var world = try World(height: 1)
    let foreign = world.payment([(try world.newScript(), 1_000_000)])
    try world.take(world.wallet.see(foreign, time: 1))
    let request = SpendRequest(paying: .exactly(Satoshi(1_000)), to: Fixture.p2wpkh(1), feeRate: slow)
    #expect(throws: WalletError.self) { _ = try world.draft(request) }
    try world.fund([1_000_000])
    var depth = 0
    while true {
      do { try world.send(request) } catch is WalletError { break }
      depth += 1
    }
    #expect(depth == world.wallet.policy.maximumAncestors + 1)
    // By name, a foreign coin can be spent.
    var named = request
    named.coins = [OutPoint(txid: foreign.txid, vout: 0)]
    try world.send(named)
    var confirmed = request
    confirmed.minimumConfirmations = 1
    #expect(throws: WalletError.self) { _ = try world.draft(confirmed) }
  }

  @Test("a child of a slow parent pays for both")
  func deficits() throws {
    var world = try World(height: 1)
    try world.fund([1_000_000])
    let parent = try world.send(SpendRequest(paying: .exactly(Satoshi(10_000)), to: Fixture.p2wpkh(1), feeRate: slow))
    let (spend, _) = try world.make(
      SpendRequest(paying: .exactly(Satoshi(10_000)), to: Fixture.p2wpkh(1), feeRate: fast))
    let package = try #require(fast.feeRoundedUp(for: Weight(spend.weight.rawValue + parent.weight.rawValue)))
    let paid = spend.fee.rawValue + (world.wallet.transaction(parent.txid)?.fee?.rawValue ?? 0)
    #expect(paid >= package.rawValue && paid <= package.rawValue + 3)
  }

  @Test("the reserve for anchor channels is left, whatever is spent")
  func anchorReserve() throws {
    var world = try World(height: 1)
    try world.fund([60_000, 50_000])
    world.wallet.setAnchorChannels(3)
    #expect(world.wallet.balance.anchorReserve == Satoshi(30_000))
    let everything = SpendRequest(paying: .all, to: Fixture.p2wpkh(1), feeRate: slow)
    let (spend, _) = try world.make(everything)
    let change = try #require(spend.changeOutput)
    #expect(spend.transaction.outputs[change].value == Satoshi(30_000))
    try world.take(try world.wallet.release(spend.reservation))
    // One coin would do, and leaves too little.
    for amount: UInt64 in [59_000, 70_000, 79_000] {
      let (spend, _) = try world.make(
        SpendRequest(paying: .exactly(Satoshi(amount)), to: Fixture.p2wpkh(1), feeRate: slow))
      let kept = world.wallet.coins.filter { $0.reservation == nil }.reduce(UInt64(0)) { $0 + $1.value.rawValue }
      let change = spend.changeOutput.map { spend.transaction.outputs[$0].value.rawValue } ?? 0
      #expect(kept + change >= 30_000)
      try world.take(try world.wallet.release(spend.reservation))
    }
    let large = SpendRequest(paying: .exactly(Satoshi(85_000)), to: Fixture.p2wpkh(1), feeRate: slow)
    #expect(throws: WalletError.anchorReserve(Satoshi(30_000))) {
      _ = try world.draft(large)
    }
    var allowed = large
    allowed.keepsAnchorReserve = false
    _ = try world.make(allowed)
    world.wallet.setAnchorChannels(.max)
    #expect(world.wallet.anchorReserve == Satoshi(100_000))
  }

  @Test("what cannot be paid is refused, and says why")
  func refusals() throws {
    var world = try World(height: 1)
    try world.fund([100_000])
    func attempt(_ recipients: [SpendRequest.Recipient], coins: [OutPoint]? = nil) -> WalletError? {
      var request = SpendRequest(recipients, feeRate: fast)
      request.coins = coins
      do {
        _ = try world.draft(request)
        return nil
      } catch { return error }
    }
    let script = Fixture.p2wpkh(1)
    #expect(attempt([]) == .invalidRecipients)
    #expect(attempt([.init(script, .all), .init(script, .all)]) == .invalidRecipients)
    #expect(attempt([.init(script, .exactly(Satoshi(293)))]) == .dust(Satoshi(293), minimum: Satoshi(294)))
    #expect(attempt([.init(script, .exactly(Satoshi(.max)))]) == .amountOutOfRange)
    #expect(
      attempt([.init(script, .exactly(.maxMoney)), .init(script, .exactly(.maxMoney))]) == .amountOutOfRange)
    guard case .insufficientFunds(let available, let missing) = attempt([.init(script, .exactly(Satoshi(100_000)))])
    else {
      Issue.record("expected insufficient funds")
      return
    }
    #expect(available == Satoshi(100_000))
    // With that much more it can be paid.
    try world.fund([missing.rawValue + 5_000])
    #expect(attempt([.init(script, .exactly(Satoshi(100_000)))]) == nil)
    try world.restart()
    let unknown = OutPoint(txid: TxID(Bytes32()), vout: 0)
    #expect(attempt([.init(script, .all)], coins: [unknown]) == .unusableCoin(unknown))
    let coin = world.wallet.coins[0].outPoint
    #expect(attempt([.init(script, .all)], coins: [coin, coin]) == .unusableCoin(coin))
    #expect(attempt([.init(script, .all)], coins: [coin]) == nil)
  }

  @Test("lock times are the tip's, now and then a little older, and never ahead")
  func lockTimes() throws {
    var world = try World(height: 300)
    try world.fund([1_000_000])
    var times: [UInt32] = []
    for _ in 0..<200 {
      let (spend, update) = try world.draft(
        SpendRequest(paying: .exactly(Satoshi(5_000)), to: Fixture.p2wpkh(1), feeRate: slow))
      try world.take(update, restores: false)
      times.append(spend.transaction.lockTime)
      _ = try world.wallet.release(spend.reservation)
    }
    #expect(times.allSatisfy { $0 <= world.height && $0 + 100 > world.height })
    #expect(times.contains(world.height))
    #expect(times.contains { $0 < world.height })
  }

  @Test("a funding output is known before anything is signed")
  func funding() throws {
    var world = try World(height: 1)
    try world.fund([400_000, 100_000])
    let script = Script.p2wsh(Script([0x52]))
    let (spend, signed) = try world.make(SpendRequest(paying: .exactly(Satoshi(350_000)), to: script, feeRate: fast))
    let outPoint = try #require(spend.outPoint)
    #expect(outPoint.txid == signed.txid)
    #expect(signed.outputs[Int(outPoint.vout)] == TxOutput(value: Satoshi(350_000), scriptPubKey: script))
    try world.record(signed, isReplaceable: false)
    #expect(throws: WalletError.notReplaceable(signed.txid)) {
      _ = try world.bump(signed.txid, to: FeeRate(satPerKiloWeight: 50_000))
    }
  }

  @Test("dust is what Bitcoin Core calls dust")
  func dust() throws {
    let ring = Fixture.ring
    #expect(RelayPolicy.dustThreshold(of: .p2wpkh(ring.nodeID)) == Satoshi(294))
    #expect(RelayPolicy.dustThreshold(of: .p2tr(outputKey: ring.nodeID.xOnly.key)) == Satoshi(330))
    #expect(RelayPolicy.dustThreshold(of: .p2wsh(Script())) == Satoshi(330))
    #expect(RelayPolicy.dustThreshold(of: .p2pkh(ring.nodeID)) == Satoshi(546))
    #expect(RelayPolicy.dustThreshold(of: .p2sh(Script())) == Satoshi(540))
    #expect(RelayPolicy.dustThreshold(of: .p2a) == Satoshi(240))
    #expect(RelayPolicy.dustThreshold(of: .opReturn([1])) == .zero)
  }
}

@Suite struct FeeBumpingTests {
  @Test("a replacement pays what relay asks for, and takes the first one's place", arguments: 1...6)
  func replacement(seed: UInt64) throws {
    var world = try World(seed: seed, height: 1)
    try world.fund([300_000, 40_000, 90_000])
    let amount = Satoshi([10_000, 200_000, 298_500][Int(seed) % 3])
    let first = try world.send(SpendRequest(paying: .exactly(amount), to: Fixture.p2wpkh(1), feeRate: slow))
    let oldFee = try #require(world.wallet.transaction(first.txid)?.fee)
    #expect(throws: WalletError.alreadyPays(slow)) { _ = try world.bump(first.txid, to: slow) }
    let (spend, update) = try world.bump(first.txid, to: fast)
    try world.take(update)
    let second = try world.check(spend)
    #expect(Set(first.inputs.map(\.previousOutput)).isSubset(of: second.inputs.map(\.previousOutput)))
    #expect(second.outputs.contains(TxOutput(value: amount, scriptPubKey: Fixture.p2wpkh(1))))
    #expect(spend.fee.rawValue >= oldFee.rawValue + spend.weight.rawValue / 4)
    #expect(spend.fee >= fast.feeRoundedUp(for: spend.weight) ?? .maxMoney)
    try world.record(second)
    #expect(world.wallet.transaction(first.txid)?.status == .replaced(by: second.txid))
    #expect(world.wallet.allReservations.isEmpty)
    #expect(throws: WalletError.alreadyConfirmed(first.txid)) {
      _ = try world.bump(first.txid, to: FeeRate(satPerKiloWeight: 9_000))
    }
    // The first is mined after all.
    try world.mine([first])
    #expect(world.wallet.transaction(second.txid)?.status == .replaced(by: first.txid))
    #expect(world.wallet.unpublished.isEmpty)
  }

  @Test("a replacement pays for the descendants that it throws out")
  func descendants() throws {
    var world = try World(height: 1)
    try world.fund([1_000_000])
    let first = try world.send(SpendRequest(paying: .exactly(Satoshi(10_000)), to: Fixture.p2wpkh(1), feeRate: slow))
    let child = try world.send(
      SpendRequest(paying: .exactly(Satoshi(10_000)), to: Fixture.p2wpkh(2), feeRate: FeeRate(satPerKiloWeight: 40_000))
    )
    let childFee = try #require(world.wallet.transaction(child.txid)?.fee)
    let (spend, update) = try world.bump(first.txid, to: FeeRate(satPerKiloWeight: 300))
    try world.take(update)
    #expect(spend.fee > childFee)
    try world.record(try world.check(spend))
    #expect(world.wallet.transaction(child.txid)?.status == .replaced(by: spend.transaction.txid))
  }

  @Test("a child brings parent and itself to the rate", arguments: [UInt64(2_000), 60_000, 800_000])
  func child(change: UInt64) throws {
    var world = try World(height: 1)
    try world.fund([1_000_000])
    // Confirmed coins help out where the change is too small.
    let spendAmount = 1_000_000 - change - 200
    let parent = try world.send(
      SpendRequest(paying: .exactly(Satoshi(spendAmount)), to: Fixture.p2wpkh(1), feeRate: slow))
    try world.fund([500_000])
    let (spend, update) = try world.payForParent(parent.txid, to: fast)
    try world.take(update)
    let child = try world.check(spend)
    #expect(child.inputs.contains { $0.previousOutput.txid == parent.txid })
    let paid = spend.fee.rawValue + (world.wallet.transaction(parent.txid)?.fee?.rawValue ?? 0)
    let asked = try #require(fast.feeRoundedUp(for: Weight(spend.weight.rawValue + parent.weight.rawValue)))
    #expect(paid >= asked.rawValue && paid * 100 <= asked.rawValue * 101)
    try world.record(child)
    #expect(throws: WalletError.self) {
      _ = try world.payForParent(parent.txid, to: fast)
    }
  }

  @Test("for what others have paid, the fee must be told")
  func foreignParent() throws {
    var world = try World(height: 1)
    let parent = world.payment([(try world.newScript(), 200_000)])
    try world.take(world.wallet.see(parent, time: 1))
    #expect(throws: WalletError.alreadyPays(fast)) {
      _ = try world.payForParent(parent.txid, to: fast, parentFee: Satoshi(100_000))
    }
    #expect(throws: WalletError.unknownFee(parent.txid)) {
      _ = try world.payForParent(parent.txid, to: fast)
    }
    let (spend, update) = try world.payForParent(
      parent.txid, to: fast, parentFee: Satoshi(150))
    try world.take(update)
    _ = try world.check(spend)
  }
}
