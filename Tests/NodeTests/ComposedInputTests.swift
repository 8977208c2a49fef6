import Bitcoin
import Chain
import Encoding
import Hashing
import Negotiation
import Secp256k1
import Storage
import Testing
import Wallet

@testable import Node

/// What a peer puts into a funding transaction has to be there. Nobody lies here: the peer's own chain tells it something else.
@Suite(.serialized) struct ComposedInputTests {
  static let stack = "musig2 + htlc + ptlc + anchors"

  /// Two nodes with a coin each; the second one would put something in as well.
  private func network(
    source: (any ChainSource, Int) -> any ChainSource = { source, _ in source }
  ) async throws -> TestNetwork {
    let network = try await TestNetwork(nodes: 2) { own, _ in
      own.maximumContribution = Satoshi(500_000)
    } configure: { launch, index in
      launch.source = source(launch.source, index)
    }
    for index in 0..<2 { try await network.fund(index) }
    try await network.connect(0, 1)
    return network
  }

  /// The refusal reaches who has asked for the channel, names what it is about, and leaves nothing behind.
  private func expectRefusal(
    _ network: TestNetwork, _ words: [String], coins: [OutPoint]? = nil
  ) async throws {
    var order = try network.order(Self.stack, wished: 400_000)
    order.coins = coins
    let asked = order
    await #expect {
      _ = try await network.nodes[0].propose(asked, to: network.nodes[1].nodeID)
    } throws: { error in
      words.allSatisfy { "\(error)".contains($0) }
    }
    for index in 0..<2 {
      try await network.wait("node \(index) has nothing left of it") {
        let openings = await network.nodes[index].compositions().values.flatMap(\.openings.values)
        let reservations = await network.nodes[index].hub.wallet.current.allReservations
        let stored = try await network.launches[index].store.records(in: .openings)
        return openings.isEmpty && reservations.isEmpty && stored.isEmpty
      }
      #expect(await network.nodes[index].channels().isEmpty)
    }
  }

  /// Another transaction with a node's coin: whoever knows its seed can make one.
  private func spend(_ network: TestNetwork, _ index: Int) async throws -> (OutPoint, Transaction) {
    let wallet = await network.nodes[index].hub.wallet.current
    let coin = try #require(wallet.coins.first)
    let path = try #require(wallet.path(of: coin.output.scriptPubKey))
    let elsewhere = Script.p2wpkh(try SecretKey(sha256([1, 2, 3])).publicKey)
    var transaction = Transaction(
      version: 2, inputs: [TxInput(previousOutput: coin.outPoint, sequence: 0xffff_fffd)],
      outputs: [TxOutput(value: Satoshi(coin.value.rawValue - 10_000), scriptPubKey: elsewhere)], lockTime: 0)
    try network.launches[index].keys.sign(&transaction, inputs: [0: path], spending: [coin.output])
    return (coin.outPoint, transaction)
  }

  /// One of the two has not heard that its coin was spent: by a transaction that waits for a block, or by one that has one.
  @Test(arguments: [0, 1], [false, true])
  func aCoinThatWasSpentMeanwhileIsRefused(of who: Int, inABlock: Bool) async throws {
    var gate: GatedSource?
    let network = try await network { source, index in
      guard index == who else { return source }
      let made = GatedSource(source, isSilent: true)
      gate = made
      return made
    }
    try await gate?.standStill()
    let (outPoint, transaction) = try await spend(network, who)
    try await network.chain.source.submit(transaction)
    if inABlock {
      let height = try await network.chain.mine(1)[0].height
      await network.nodes[1 - who].reach(height)
      try await expectRefusal(network, ["input", "\(outPoint)", "not an unspent output"])
    } else {
      try await expectRefusal(network, ["input", "\(outPoint)", "is spent by \(transaction.txid)"])
    }
    let waiting = try await network.chain.mempoolTransactions().map(\.txid)
    #expect(waiting == (inABlock ? [] : [transaction.txid]))
    // With another coin, and a chain that both see, it goes well.
    try await gate?.standStill(false)
    try await network.fund(who)
    _ = try await network.nodes[0].propose(
      try network.order(Self.stack, wished: 400_000), to: network.nodes[1].nodeID)
    await network.stop()
  }

  /// One of the two is on a chain of its own.
  @Test(arguments: [0, 1]) func aCoinThatNeverExistedIsRefused(of who: Int) async throws {
    let island = try await TestChain.make()
    let network = try await TestNetwork(nodes: 2) { own, _ in
      own.maximumContribution = Satoshi(500_000)
    } configure: { launch, index in
      if index == who { launch.source = island.source }
    }
    for (index, chain) in [(who, island), (1 - who, network.chain)] {
      let address = try await network.nodes[index].newAddress()
      _ = try await chain.send(Satoshi(100_000_000), to: address.scriptPubKey)
      let height = try await chain.mine(1)[0].height
      await network.nodes[index].reach(height)
    }
    try await network.connect(0, 1)
    let coin = try #require(await network.nodes[who].hub.wallet.current.coins.first)
    // Who looks first says so, of the other's: the one on the island finds as little of what the others have.
    let looking = await network.nodes[1 - who].hub.fault(with: InputCheck(outPoints: [coin.outPoint]))
    #expect(looking == Refusal(.input, "\(coin.outPoint) is not an unspent output of a block"))
    try await expectRefusal(network, ["input", "not an unspent output"])
    await network.stop()
    await island.stop()
  }

  /// What is not in a block any more can disappear.
  @Test func aCoinThatIsNotConfirmedIsRefused() async throws {
    var gate: GatedSource?
    let network = try await network { source, index in
      guard index == 0 else { return source }
      let made = GatedSource(source, isSilent: true)
      gate = made
      return made
    }
    let address = try await network.nodes[0].newAddress()
    let coin = try await network.chain.send(Satoshi(50_000_000), to: address.scriptPubKey)
    try await network.mine()
    try await gate?.standStill()
    try await network.chain.reorganise(depth: 1, count: 2)
    await network.nodes[1].reach(try await network.chain.tip().height)
    #expect(try await network.chain.mempoolTransactions().map(\.txid) == [coin.txid])
    try await expectRefusal(network, ["input", "\(coin)", "not an unspent output"], coins: [coin])
    await network.stop()
  }

  /// Consensus: a coinbase is spent 100 blocks later at the earliest.
  @Test func aCoinbaseThatIsTooYoungIsRefused() async throws {
    let network = try await network()
    let tip = try await network.chain.tip()
    func coinbase(_ age: UInt32) async throws -> OutPoint {
      let hash = try #require(try await network.chain.blockHash(at: tip.height - age))
      return OutPoint(txid: try await network.chain.block(hash).transactions[0].txid, vout: 0)
    }
    let (young, next) = (try await coinbase(98), try await coinbase(99))
    let hub = network.nodes[0].hub
    #expect(
      await hub.fault(with: InputCheck(outPoints: [young]))
        == Refusal(.input, "\(young) is of a coinbase and cannot be spent yet"))
    // Unless somebody has spent it.
    if try await network.chain.source.unspentOutput(next) != nil {
      #expect(await hub.fault(with: InputCheck(outPoints: [next])) == nil)
    }
    await network.stop()
  }

  /// Nothing is taken on trust: a node that cannot ask refuses, and says that it is its own trouble.
  @Test(arguments: [0, 1]) func whereTheChainGivesNoAnswerNothingIsAccepted(at who: Int) async throws {
    var gate: GatedSource?
    let network = try await network { source, index in
      guard index == who else { return source }
      let made = GatedSource(source)
      gate = made
      return made
    }
    gate?.goAway()
    try await expectRefusal(network, ["busy", "no answer"])
    #expect(try await network.chain.mempoolTransactions().isEmpty)
    gate?.goAway(false)
    _ = try await network.nodes[0].propose(
      try network.order(Self.stack, wished: 400_000), to: network.nodes[1].nodeID)
    await network.stop()
  }

  /// A node puts in only what others can rely on, and says so when it is asked for something else.
  @Test func ownCoinsThatAreNotConfirmedAreNotPutIn() async throws {
    let network = try await network()
    let address = try await network.nodes[0].newAddress()
    let outPoint = try await network.chain.send(Satoshi(5_000_000), to: address.scriptPubKey)
    try await network.wait("it is seen") { await network.nodes[0].hub.wallet.current.coin(outPoint) != nil }
    var order = try network.order(Self.stack)
    order.coins = [outPoint]
    let asked = order
    await #expect {
      _ = try await network.nodes[0].propose(asked, to: network.nodes[1].nodeID)
    } throws: {
      "\($0)".contains("\(outPoint) is not confirmed yet")
    }
    try await network.mine()
    _ = try await network.nodes[0].propose(asked, to: network.nodes[1].nodeID)
    await network.stop()
  }
}
