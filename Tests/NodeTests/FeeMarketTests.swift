import BOLT
import Bitcoin
import BitcoindSupport
import Chain
import Encoding
import GLC
import Hashing
import Payments
import Synchronization
import Testing
import Wallet
import Wire

@testable import Node

/// Others who want into the same blocks: small transactions that pay what their maker says, from coins that everybody can spend.
final class FeeMarket {
  private static let witnessScript = Script([Opcode.op1.rawValue])
  private static let script = Script.p2wsh(witnessScript)
  private static let value: UInt64 = 30_000
  private let chain: BitcoindChain
  private static let largeValue: UInt64 = 150_000
  private var coins: [OutPoint] = []
  private var largeCoins: [OutPoint] = []
  /// In vbytes: less than any transaction of a channel's.
  static let size = filler(OutPoint(txid: TxID(sha256([])), vout: 0), fee: 1000).virtualSize

  init(_ chain: BitcoindChain, coins count: Int, large: Int) async throws {
    self.chain = chain
    coins = try await split(count, Self.value)
    largeCoins = try await split(large, Self.largeValue)
  }

  private func split(_ count: Int, _ value: UInt64) async throws -> [OutPoint] {
    let perSplit = 1000
    var made: [OutPoint] = []
    while made.count < count {
      let total = UInt64(perSplit) * (value + 100)
      let coin = try await chain.send(Satoshi(total), to: Self.script)
      let split = Transaction(
        inputs: [TxInput(previousOutput: coin, witness: [Self.witnessScript.bytes])],
        outputs: (0..<perSplit).map { _ in TxOutput(value: Satoshi(value), scriptPubKey: Self.script) })
      try await chain.bitcoind.submit(split)
      made += (0..<perSplit).map { OutPoint(txid: split.txid, vout: UInt32($0)) }
      try await chain.mine([try await chain.bitcoind.transaction(coin.txid)?.transaction, split].compactMap { $0 })
    }
    return made
  }

  private static func filler(_ coin: OutPoint, fee: UInt64) -> Transaction {
    Transaction(
      inputs: [TxInput(previousOutput: coin, witness: [witnessScript.bytes])],
      outputs: [TxOutput(value: Satoshi(value - fee), scriptPubKey: script)])
  }

  /// A block of 8,000 vbytes full of those that pay this, in satoshi per vbyte: six large ones, and small ones for the gaps.
  func bid(_ rate: Double) async throws {
    let fee = min(UInt64(rate * Double(Self.size)) + 1, Self.value - 1000)
    for _ in 0..<16 {
      guard let coin = coins.popLast() else { throw NodeError.invalid("the market has no coins left") }
      try await submit(Self.filler(coin, fee: fee))
    }
    for _ in 0..<6 {
      guard let coin = largeCoins.popLast() else { throw NodeError.invalid("the market has no coins left") }
      try await submit(Self.large(coin, outputs: 24, rate: rate))
    }
  }

  /// What its outputs do not take is its fee, where no rate is named.
  private static func large(_ coin: OutPoint, outputs count: Int, rate: Double? = nil) -> Transaction {
    var transaction = Transaction(
      inputs: [TxInput(previousOutput: coin, witness: [witnessScript.bytes])],
      outputs: (0..<count).map { _ in TxOutput(value: Satoshi(400), scriptPubKey: script) })
    if let rate {
      let fee = UInt64(rate * Double(transaction.virtualSize)) + 1
      let rest = largeValue - min(UInt64(count - 1) * 400 + fee, largeValue - 400)
      transaction.outputs[0].value = Satoshi(rest)
    }
    return transaction
  }

  /// Large ones, until the mempool has no room for what pays less than so much.
  func fill(above rate: Double) async throws {
    while try await floor() <= rate {
      for _ in 0..<20 {
        guard let coin = largeCoins.popLast() else { throw NodeError.invalid("the mempool is not full") }
        try await submit(Self.large(coin, outputs: 200))
      }
    }
  }

  private func submit(_ transaction: Transaction) async throws {
    do { try await chain.bitcoind.submit(transaction) } catch {
      guard case .refused(let refusal) = error else { throw error }
      // Full, and this is not enough.
      guard refusal.kind == .feeTooLow || refusal.kind == .other else { throw error }
    }
  }

  /// The lowest rate of the mempool, in satoshi per vbyte.
  func floor() async throws -> Double {
    Double(try await chain.bitcoind.minimumFeeRate().satPerKiloWeight) / 250
  }
}

@Suite(.serialized, .enabled(if: RunningBitcoind.executable != nil, "\(RunningBitcoind.reason)"))
struct FeeMarketTests {
  /// The mempool is full and blocks are small; every block costs more than the one before. The node is alone, with a payment to take before
  /// its time and one to take back after its time.
  static let types: [Wire.ChannelType] = TestNetwork.isLong ? [.anchors, .zeroFeeCommitments] : [.zeroFeeCommitments]

  @Test(arguments: types)
  func commitmentAndSecondStagesAreConfirmedInTimeHoweverFeesRise(type: Wire.ChannelType) async throws {
    let publisher = "tcp://127.0.0.1:\(RunningBitcoind.freePort())"
    let publishing = ["-zmqpubrawblock=\(publisher)", "-zmqpubrawtx=\(publisher)"]
    let bitcoind = try await BitcoindChain.start(["-blockmaxweight=32000", "-maxmempool=5"] + publishing) {
      // Asking for the whole mempool all the time takes longer than everything else here.
      $0.zmq = ZMQEndpoints(blocks: publisher, transactions: publisher)
    }
    let market = try await FeeMarket(bitcoind, coins: 2000, large: 2000)
    let network = try await TestNetwork(nodes: 2, on: .bitcoind(bitcoind)) { settings, _ in
      settings.channels.contestDelay = 6
    }
    try await network.fund(0)
    for _ in 0..<3 { try await network.fund(1, Satoshi(5_000_000)) }
    let id = try await network.open(0, 1, pushing: MilliSatoshi(4_000_000_000), type: type)
    let coming = try await network.hold(0, 1, MilliSatoshi(200_000_000), expiry: 50)
    let going = try await network.hold(1, 0, MilliSatoshi(150_000_000), expiry: 22)
    try await network.wait("both are held") {
      let isComing = await network.isHeld(coming)
      return await network.isHeld(going) && isComing
    }
    let channel = try #require(await network.channel(1, id))
    let funding = try #require(channel.funding?.outPoint)
    let expiries = Dictionary(
      channel.pendingPayments.map { ($0.offeredBy, $0.expiry) }, uniquingKeysWith: { first, _ in first })
    let (late, early) = (try #require(expiries[.remote]), try #require(expiries[.local]))
    await network.nodes[0].stop()
    let alone = network.nodes[1]
    network.nodes.remove(at: 0)

    // Until it is full.
    var price = 8.0
    try await market.fill(above: 4)
    let watching = await Watching(network.chain.source)
    try await alone.forceClose(id)
    try await alone.settleInvoice(coming.hash, preimage: coming.preimage)

    var spends: [OutPoint: (transaction: Transaction, height: UInt32)] = [:]
    var commitment: TxID?
    var height = try await network.chain.tip().height
    let limit = early + 40
    // By amount: a second stage has its own, less what it pays itself.
    let amounts: [UInt64: String] = [200_000: "the payment that was taken", 150_000: "the payment that was taken back"]
    func isOver() -> Bool {
      guard let closed = spends[funding]?.transaction else { return false }
      return closed.outputs.enumerated().allSatisfy { index, output in
        amounts[output.value.rawValue] == nil || spends[OutPoint(txid: closed.txid, vout: UInt32(index))] != nil
      }
    }
    while height < limit, !isOver() {
      price = min(price * 1.06, 60)
      try await market.bid(price)
      height = try #require(try await network.chain.mine().last).height
      await alone.reach(height)
      await network.settleDown()
      try await Task.sleep(for: .milliseconds(50))
      let hash = try #require(try await network.chain.blockHash(at: height))
      for transaction in try await network.chain.block(hash).transactions.dropFirst() {
        for input in transaction.inputs where input.previousOutput == funding || input.previousOutput.txid == commitment
        {
          spends[input.previousOutput] = (transaction, height)
        }
        if transaction.inputs.contains(where: { $0.previousOutput == funding }) { commitment = transaction.txid }
      }
    }
    let closed = try #require(spends[funding])
    print("figure: \(type): commitment confirmed after \(closed.height), price \(price), \(watching.count) versions")
    #expect(closed.height < late, "the commitment was confirmed too late")
    for (amount, what) in amounts {
      let vout = try #require(closed.transaction.outputs.firstIndex { $0.value.rawValue == amount }, "\(what)")
      let spend = try #require(spends[OutPoint(txid: closed.transaction.txid, vout: UInt32(vout))], "\(what)")
      if amount == 200_000 { #expect(spend.height < late, "\(what): \(spend.height), deadline \(late)") }
      #expect(spend.height <= early + 30, "\(what)")
    }
    // What was tried at first was not enough: something was replaced.
    #expect(watching.count > 1, "nothing was replaced")
    watching.stop()

    // The market is over, and everything else comes home.
    await bitcoind.running.stop()
    try await bitcoind.startAgain(port: nil, publishing)
    try await network.mine(until: "it is resolved", limit: 600) {
      await network.channel(0, id)?.phase == .ended
    }
    #expect(going.paying.isOver)
    await network.stop()
  }
}

/// How many transactions that spend the same thing were seen in the mempool.
final class Watching: Sendable {
  private let seen: Mutex<[OutPoint: Set<TxID>]>
  private let task: Mutex<Task<Void, Never>?>

  init(_ source: any ChainSource) async {
    seen = Mutex([:])
    task = Mutex(nil)
    let notifications = await source.notifications()
    let running = Task { [weak self] in
      for await case .transaction(let transaction) in notifications {
        self?.seen.withLock { seen in
          for input in transaction.inputs where !transaction.isCoinbase {
            seen[input.previousOutput, default: []].insert(transaction.txid)
          }
        }
      }
    }
    task.withLock { $0 = running }
  }

  func stop() { task.withLock { $0?.cancel() } }

  /// The largest number for one outpoint.
  var count: Int { seen.withLock { $0.values.map(\.count).max() ?? 0 } }
}
