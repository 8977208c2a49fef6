import Bitcoin
import Encoding
import Testing

@testable import Wallet

/// What blocks and unconfirmed transactions do to the wallet.
@Suite struct ChainTests {
  @Test("a payment is seen, confirmed, taken back by a reorganisation and confirmed again")
  func reorganisation() throws {
    var world = try World(height: 3)
    let script = try world.newScript()
    let payment = world.payment([(Fixture.p2wpkh(9), 70_000), (script, 100_000)])
    try world.take(world.wallet.see(payment, time: 5))
    #expect(world.notices == [.added(payment.txid)])
    #expect(world.wallet.balance.unconfirmed == Satoshi(100_000))
    #expect(world.wallet.balance.total == Satoshi(100_000))
    #expect(world.wallet.see(payment, time: 6) == WalletUpdate())
    try world.mine([payment])
    #expect(world.notices == [.confirmed(payment.txid, height: 4)])
    #expect(world.wallet.balance.confirmed == Satoshi(100_000))
    #expect(world.wallet.coins.first?.state == .confirmed(height: 4))
    try world.disconnect()
    #expect(world.notices == [.unconfirmed(payment.txid)])
    #expect(world.wallet.balance.confirmed == .zero)
    #expect(world.wallet.balance.unconfirmed == Satoshi(100_000))
    try world.mine()
    try world.mine([payment])
    #expect(world.wallet.transaction(payment.txid)?.status == .confirmed(height: 5, position: 1))
    #expect(world.wallet.history.first?.received == Satoshi(100_000))
    #expect(world.wallet.history.first?.time == 1_700_000_000 + 5 * 600)
  }

  @Test("blocks out of order are refused and change nothing")
  func order() throws {
    var world = try World(height: 3)
    let records = world.wallet.allRecords()
    let next = world.makeBlock([])
    #expect(throws: WalletError.outOfOrder(tip: world.wallet.tip)) { _ = try world.wallet.connect(next, height: 5) }
    #expect(throws: WalletError.self) { _ = try world.wallet.connect(world.blocks[2], height: 4) }
    #expect(throws: WalletError.self) { _ = try world.wallet.disconnect(next.hash) }
    #expect(throws: WalletError.self) { _ = try world.wallet.rescan(next, height: 1) }
    #expect(world.wallet.allRecords() == records)
    #expect(world.wallet.locator.map(\.height) == [3, 2, 1, 0])
    #expect(world.wallet.locator.map(\.hash) == world.blocks.reversed().map(\.hash))
    for _ in 0..<3 { try world.disconnect() }
    #expect(throws: WalletError.reorganisationTooDeep) { _ = try world.wallet.disconnect(world.blocks[0].hash) }
  }

  @Test("only so many blocks are remembered")
  func memory() throws {
    var policy = WalletPolicy()
    policy.rememberedBlocks = 5
    var world = try World(policy: policy, height: 20)
    #expect(world.wallet.locator.map(\.height) == [20, 19, 18, 17, 16, 15])
    for _ in 0..<5 { try world.disconnect() }
    #expect(throws: WalletError.reorganisationTooDeep) { _ = try world.wallet.disconnect(world.blocks[15].hash) }
    try world.take(try world.wallet.skip(to: BlockPosition(height: 30, hash: BlockHash(Bytes32()))))
    #expect(world.wallet.locator.map(\.height) == [30])
    #expect(throws: WalletError.self) {
      _ = try world.wallet.skip(to: BlockPosition(height: 30, hash: BlockHash(Bytes32())))
    }
  }

  @Test("a coinbase can be spent a hundred blocks later, and is gone with its block")
  func coinbase() throws {
    var world = try World()
    let script = try world.newScript()
    try world.mine(coinbase: TxOutput(value: Satoshi(50_0000_0000), scriptPubKey: script))
    let request = SpendRequest(paying: .exactly(Satoshi(10_000)), to: Fixture.p2wpkh(1), feeRate: fast)
    for _ in 0..<99 {
      #expect(world.wallet.balance.immature == Satoshi(50_0000_0000))
      #expect(world.wallet.coins.first?.state == .immature(until: 101))
      #expect(throws: WalletError.self) { _ = try world.draft(request) }
      try world.mine(restores: false)
    }
    // Height 100: the next block has 101.
    #expect(world.wallet.balance.confirmed == Satoshi(50_0000_0000))
    try world.send(request)
    try world.disconnect()
    #expect(world.wallet.unpublished.count == 1)
    for _ in 0..<99 { try world.disconnect() }
    // With its block goes everything that came of it.
    #expect(world.wallet.balance == Balance())
    #expect(world.wallet.history.allSatisfy { $0.status == .orphaned })
    #expect(world.wallet.history.count == 2)
  }

  @Test(
    "our transaction loses to a double-spend in a block, with all that depends on it, and comes back with a reorganisation"
  )
  func doubleSpend() throws {
    var world = try World(height: 1)
    try world.fund([1_000_000, 400_000])
    let first = try world.send(SpendRequest(paying: .exactly(Satoshi(700_000)), to: Fixture.p2wpkh(1), feeRate: fast))
    let rest = world.wallet.coins.filter { if case .unconfirmed = $0.state { true } else { false } }
    #expect(rest.count == 1)
    let child = try world.send(
      SpendRequest(paying: .all, to: Fixture.p2wpkh(2), feeRate: fast))
    #expect(child.inputs.contains { $0.previousOutput.txid == first.txid })
    #expect(world.wallet.balance.total == .zero)
    #expect(world.wallet.unpublished == [first, child])
    // Somebody has our keys.
    let thief = world.payment([(Fixture.p2wpkh(3), 990_000)], from: first.inputs[0].previousOutput)
    try world.mine([thief])
    #expect(world.wallet.transaction(first.txid)?.status == .replaced(by: thief.txid))
    #expect(world.wallet.transaction(child.txid)?.status == .replaced(by: thief.txid))
    #expect(world.wallet.unpublished.isEmpty)
    #expect(world.notices.contains(.replaced(first.txid, by: thief.txid)))
    // What the thief has not taken is ours again.
    #expect(world.wallet.balance.confirmed == Satoshi(400_000))
    // What a block has spent stays spent, whatever is said outside of blocks.
    #expect(world.wallet.see(first, time: 9) == WalletUpdate())
    try world.disconnect()
    #expect(world.wallet.transaction(thief.txid)?.status == .unconfirmed)
    try world.mine([first])
    #expect(world.wallet.transaction(thief.txid)?.status == .replaced(by: first.txid))
    try world.mine([child])
    #expect(world.wallet.balance == Balance())
    #expect(world.wallet.transaction(child.txid)?.status == .confirmed(height: 4, position: 1))
  }

  @Test("a payment to us that its sender takes back is gone, though the other transaction is not ours")
  func foreignDoubleSpend() throws {
    var world = try World(height: 1)
    let input = world.foreignOutPoint()
    let payment = world.payment([(try world.newScript(), 50_000)], from: input)
    try world.take(world.wallet.see(payment, time: 1))
    let other = world.payment([(Fixture.p2wpkh(1), 49_000)], from: input)
    // Not ours, and seen outside of blocks: nothing to go by.
    try world.take(world.wallet.see(other, time: 2))
    #expect(world.wallet.balance.unconfirmed == Satoshi(50_000))
    try world.mine([other])
    #expect(world.wallet.balance == Balance())
    #expect(world.wallet.transaction(payment.txid)?.status == .replaced(by: other.txid))
    // A replacement that pays us too.
    let second = world.foreignOutPoint()
    let low = world.payment([(try world.newScript(), 50_000)], from: second)
    let high = world.payment([(try world.newScript(), 45_000)], from: second)
    try world.take(world.wallet.see(low, time: 3))
    try world.take(world.wallet.see(high, time: 4))
    #expect(world.wallet.balance.unconfirmed == Satoshi(45_000))
    try world.mine([low])
    #expect(world.wallet.balance.confirmed == Satoshi(50_000))
    #expect(world.wallet.transaction(high.txid)?.status == .replaced(by: low.txid))
  }

  @Test("a coin that is made and spent in one block is no coin")
  func sameBlock() throws {
    var world = try World(height: 1)
    let payment = world.payment([(try world.newScript(), 50_000)])
    let spend = world.payment([(Fixture.p2wpkh(1), 40_000)], from: OutPoint(txid: payment.txid, vout: 0))
    try world.mine([payment, spend])
    #expect(world.wallet.coins.isEmpty)
    #expect(world.wallet.history.count == 2)
    #expect(world.wallet.transaction(spend.txid)?.fee == Satoshi(10_000))
    try world.disconnect()
    #expect(world.wallet.coins.isEmpty)
    try world.mine([payment])
    #expect(world.wallet.coins.isEmpty, "the spend is still on its way")
    try world.take(try world.wallet.abandon(spend.txid))
    #expect(world.wallet.balance.confirmed == Satoshi(50_000))
  }

  @Test("addresses are found up to the gap behind the last one used, in one block even")
  func gap() throws {
    var policy = WalletPolicy()
    policy.gapLimit = 5
    // Another wallet of the same seed has handed addresses out.
    var other = Wallet(keys: Fixture.ring.walletKeys, network: .regtest, birth: 0)
    var scripts: [Script] = []
    for _ in 0..<21 { scripts.append(try other.newAddress().address.scriptPubKey) }
    var world = try World(policy: policy)
    #expect(world.wallet.watchedScripts == 20)
    let outside = world.payment([(scripts[5], 1_000)])
    try world.mine([outside])
    #expect(world.wallet.balance.total == .zero)
    // The last is in view only when those before it are: they come in the wrong order.
    let payments = [19, 14, 9, 4].map { world.payment([(scripts[$0], 10_000)]) }
    try world.mine(payments)
    #expect(world.wallet.balance.confirmed == Satoshi(40_000))
    #expect(world.wallet.watchedScripts == 40)
    #expect(try world.newScript() == scripts[20])
    #expect(world.wallet.addresses(.taproot).count == 21)
    // What was out of view before is found by reading again.
    try world.take(world.wallet.beginRescan(from: 1))
    #expect(world.wallet.rescanHeight == 1)
    while let height = world.wallet.rescanHeight {
      try world.take(try world.wallet.rescan(world.blocks[Int(height)], height: height))
    }
    #expect(world.wallet.balance.confirmed == Satoshi(41_000))
    #expect(world.wallet.tip?.height == world.height)
  }

  @Test("a wallet made from its seed alone finds everything again")
  func recovery() throws {
    var world = try World(seed: 5, height: 2)
    try world.fund([500_000, 300_000, 20_000, 90_000])
    for value: UInt64 in [100_000, 250_000, 7_000] {
      let spent = try world.send(
        SpendRequest(paying: .exactly(Satoshi(value)), to: Fixture.p2wpkh(1), feeRate: fast))
      try world.mine([spent])
    }
    var again = Wallet(keys: world.ring.walletKeys, network: .regtest, birth: 0)
    for (height, block) in world.blocks.enumerated() { _ = try again.connect(block, height: UInt32(height)) }
    #expect(again.coins == world.wallet.coins)
    #expect(again.history.map(\.txid) == world.wallet.history.map(\.txid))
    #expect(again.history.map(\.fee) == world.wallet.history.map(\.fee))
    // Our own are not known to be ours to undo any more; confirmed, it makes no difference.
    #expect(try again.newAddress().address == world.wallet.newAddress().address)
  }

  @Test("whatever happens, the coins are those of the chain", arguments: 1...12)
  func simulation(seed: UInt64) throws {
    var policy = WalletPolicy()
    policy.gapLimit = 8
    var world = try World(seed: seed, policy: policy, height: 2)
    var pool: [Transaction] = []
    for step in 0..<120 {
      let choice = Int.random(in: 0..<100, using: &world.generator)
      switch choice {
      case ..<25:
        let value = UInt64.random(in: 1_000...2_000_000, using: &world.generator)
        let kind: AddressKind = Bool.random(using: &world.generator) ? .segwit : .taproot
        let payment = world.payment([(try world.newScript(kind), value)])
        if Bool.random(using: &world.generator) { try world.take(world.wallet.see(payment, time: UInt64(step))) }
        pool.append(payment)
      case ..<50:
        let value = UInt64.random(in: 1_000...1_000_000, using: &world.generator)
        let request = SpendRequest(
          paying: Bool.random(using: &world.generator) ? .exactly(Satoshi(value)) : .all, to: Fixture.p2wpkh(7),
          feeRate: FeeRate(satPerKiloWeight: UInt32.random(in: 253...20_000, using: &world.generator)))
        do { pool.append(try world.send(request)) } catch is WalletError {}
      case ..<60:
        // A double-spend by somebody, of anything of ours.
        let known = world.wallet.history.flatMap { world.wallet.transaction($0.txid)?.transaction.inputs ?? [] }
          .map(\.previousOutput).filter { $0 != .null }
        guard let target = known.randomElement(using: &world.generator) else { continue }
        let script = Bool.random(using: &world.generator) ? try world.newScript() : Fixture.p2wpkh(8)
        pool.append(world.payment([(script, 5_000)], from: target))
      case ..<80:
        // Some of what waits is mined: what the chain allows.
        var spent: Set<OutPoint> = []
        for block in world.blocks {
          for transaction in block.transactions { spent.formUnion(transaction.inputs.map(\.previousOutput)) }
        }
        var known = Set(world.blocks.flatMap { $0.transactions.map(\.txid) })
        var chosen: [Transaction] = []
        for transaction in pool where Int.random(in: 0..<3, using: &world.generator) > 0 {
          let isForeign = { (outPoint: OutPoint) in outPoint.txid.raw[31] == 0xff && world.outputs[outPoint] == nil }
          guard !known.contains(transaction.txid),
            transaction.inputs.allSatisfy({
              !spent.contains($0.previousOutput)
                && (isForeign($0.previousOutput) || known.contains($0.previousOutput.txid))
            })
          else { continue }
          chosen.append(transaction)
          known.insert(transaction.txid)
          spent.formUnion(transaction.inputs.map(\.previousOutput))
        }
        try world.mine(chosen)
        pool.removeAll { chosen.contains($0) }
      case ..<90:
        guard world.blocks.count > 4 else { continue }
        for _ in 0..<Int.random(in: 1...3, using: &world.generator) where world.blocks.count > 2 {
          pool.append(contentsOf: try world.disconnect().transactions.dropFirst())
        }
      case ..<95:
        guard let victim = world.wallet.unpublished.randomElement(using: &world.generator) else { continue }
        try world.take(try world.wallet.abandon(victim.txid))
      default: try world.restart()
      }
      // The wallet's coins, and those that unconfirmed transactions of its own view spend, are the chain's.
      let wallet = world.wallet
      let confirmed = Set(
        wallet.coins.filter { if case .unconfirmed = $0.state { false } else { true } }.map(\.outPoint))
      let pending = Set(
        wallet.unconfirmed.flatMap { wallet.records[$0]?.transaction.inputs.map(\.previousOutput) ?? [] })
      #expect(confirmed == world.chainCoins.subtracting(pending), "seed \(seed), step \(step)")
      // No output is spent twice, and nothing depends on what is not there.
      for txid in wallet.unconfirmed {
        for input in wallet.records[txid]?.transaction.inputs ?? [] {
          #expect(wallet.activeSpender(of: input.previousOutput) == txid)
          if let parent = wallet.records[input.previousOutput.txid] { #expect(parent.status.isActive) }
        }
      }
    }
  }

  @Test("every address within a wide gap is known, change included")
  func manyScripts() throws {
    var policy = WalletPolicy()
    policy.gapLimit = 500
    let world = try World(policy: policy)
    #expect(world.wallet.watchedScripts == 2_000)
    #expect(world.wallet.path(of: Fixture.p2wpkh(1)) == nil)
    for kind in AddressKind.allCases {
      for isChange in [false, true] {
        let path = AddressPath(kind: kind, isChange: isChange, index: 499)
        #expect(world.wallet.path(of: try world.wallet.address(of: path).scriptPubKey) == path)
      }
    }
  }
}
