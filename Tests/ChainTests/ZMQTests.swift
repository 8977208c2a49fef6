import Bitcoin
import BitcoindSupport
import CZeroMQ
import Encoding
import Testing

@testable import Chain

/// Somebody who publishes like bitcoind.
@safe final class Publisher {
  private let context: UnsafeMutableRawPointer
  private let socket: UnsafeMutableRawPointer
  let endpoint: String

  init() {
    unsafe context = zmq_ctx_new()!
    unsafe socket = zmq_socket(context, ZMQ_PUB)!
    endpoint = "tcp://127.0.0.1:\(RunningBitcoind.freePort())"
    #expect(unsafe zmq_bind(socket, endpoint) == 0)
  }

  deinit {
    unsafe zmq_close(socket)
    unsafe zmq_ctx_term(context)
  }

  func send(_ topic: String, _ body: [UInt8], _ sequence: UInt32) {
    let number = (0..<4).map { UInt8(truncatingIfNeeded: sequence >> (8 * $0)) }
    unsafe zmq_send(socket, topic, topic.utf8.count, ZMQ_SNDMORE)
    unsafe zmq_send(socket, body, body.count, ZMQ_SNDMORE)
    unsafe zmq_send(socket, number, 4, 0)
  }
}

/// What a source tells, in order.
final actor Heard {
  private(set) var tips: [BlockPosition] = []
  private(set) var transactions: [TxID] = []

  init() {}

  func follow(_ source: BitcoindSource) async -> Task<Void, Never> {
    let stream = await source.notifications()
    return Task {
      for await notification in stream { self.take(notification) }
    }
  }

  private func take(_ notification: ChainNotification) {
    switch notification {
    case .tip(let tip): tips.append(tip)
    case .transaction(let transaction): transactions.append(transaction.txid)
    }
  }
}

func eventually(_ what: String, seconds: Int = 30, _ condition: () async throws -> Bool) async throws {
  for _ in 0..<(seconds * 50) {
    if try await condition() { return }
    try await Task.sleep(for: .milliseconds(20))
  }
  Issue.record("not within \(seconds) s: \(what)")
}

@Suite("bitcoind's ZMQ") struct ZMQTests {
  @Test("each topic of each publisher counts its own messages")
  func sequences() {
    var sequences = ZMQSequences()
    #expect(sequences.missing(7, topic: "rawtx", endpoint: "a") == 0)
    #expect(sequences.missing(8, topic: "rawtx", endpoint: "a") == 0)
    #expect(sequences.missing(3, topic: "rawblock", endpoint: "a") == 0)
    #expect(sequences.missing(9, topic: "rawtx", endpoint: "b") == 0)
    #expect(sequences.missing(12, topic: "rawtx", endpoint: "a") == 3)
    #expect(sequences.missing(13, topic: "rawtx", endpoint: "a") == 0)
    #expect(sequences.missing(0, topic: "rawtx", endpoint: "a") == nil)
    #expect(sequences.missing(1, topic: "rawtx", endpoint: "a") == 0)
    #expect(sequences.missing(.max, topic: "x", endpoint: "a") == 0)
    #expect(sequences.missing(0, topic: "x", endpoint: "a") == 0)
  }

  @Test("what was missed is asked for")
  func gap() async throws {
    try await withServedChain { chain, server, _ in
      let publisher = Publisher()
      var options = BitcoindSource.Options(
        network: .regtest, port: server.port, credentials: .cookie(path: server.cookie))
      options.zmq = ZMQEndpoints(blocks: publisher.endpoint, transactions: publisher.endpoint)
      let source = BitcoindSource(options)
      let heard = Heard()
      let task = await heard.follow(source)
      // Subscribed for certain when something arrives.
      let known = spend([try await EmbeddedChain(chain: chain).coin()], fee: 500)
      var number: UInt32 = 0
      try await eventually("the subscription") {
        publisher.send("rawtx", known.encoded, number)
        number += 1
        return await heard.transactions.contains(known.txid)
      }
      // The questions after connecting may still come: one that is not told of by them is needed.
      var silent = known
      repeat {
        silent = spend([try await EmbeddedChain(chain: chain).coin()], fee: 500)
        try await chain.submit(silent)
        publisher.send("nonsense", [1, 2, 3], 0)
        publisher.send("rawtx", [1, 2, 3], number)
        number += 1
        try await Task.sleep(for: .seconds(1))
      } while await heard.transactions.contains(silent.txid)
      publisher.send("rawtx", known.encoded, number + 3)
      try await eventually("the transaction that was not published") {
        await heard.transactions.contains(silent.txid)
      }
      // A block that is announced is looked for at once, one that is not half a minute later.
      let tip = try await chain.mine(1)[0]
      publisher.send("hashblock", tip.hash.array.reversed(), 0)
      try await eventually("the block", seconds: 10) { await heard.tips.last == tip }
      task.cancel()
      await source.close()
    }
  }

  @Test("where nothing publishes, bitcoind is asked")
  func fallback() async throws {
    try await withServedChain { chain, server, _ in
      var options = BitcoindSource.Options(
        network: .regtest, port: server.port, credentials: .cookie(path: server.cookie))
      options.zmq = ZMQEndpoints(
        blocks: "tcp://127.0.0.1:\(RunningBitcoind.freePort())", transactions: "tcp://not an address")
      let source = BitcoindSource(options)
      let heard = Heard()
      let task = await heard.follow(source)
      let tip = try await chain.mine(1)[0]
      try await eventually("the block") { await heard.tips.last == tip }
      let transaction = spend([try await EmbeddedChain(chain: chain).coin()], fee: 500)
      try await chain.submit(transaction)
      try await eventually("the transaction") { await heard.transactions.contains(transaction.txid) }
      task.cancel()
      await source.close()
    }
  }

  @Test(
    "bitcoind tells blocks, transactions and reorganisations by itself, and again after a restart",
    .enabled(if: RunningBitcoind.executable != nil, "\(RunningBitcoind.reason)"))
  func bitcoind() async throws {
    try await withTemporaryFolder { folder in
      let (blocks, transactions) = (RunningBitcoind.freePort(), RunningBitcoind.freePort())
      let arguments = [
        "-zmqpubrawblock=tcp://127.0.0.1:\(blocks)", "-zmqpubsequence=tcp://127.0.0.1:\(blocks)",
        "-zmqpubrawtx=tcp://127.0.0.1:\(transactions)",
      ]
      let chain = try await BitcoindChain.start(in: folder, arguments) {
        $0.zmq = ZMQEndpoints(
          blocks: "tcp://127.0.0.1:\(blocks)", transactions: "tcp://127.0.0.1:\(transactions)")
        // Whoever asks comes too late.
        $0.pollInterval = .seconds(600)
      }
      let source = chain.bitcoind
      let heard = Heard()
      let task = await heard.follow(source)
      try await eventually("both are connected") { await source.watcher.listening?.connected.count == 2 }
      try await Task.sleep(for: .milliseconds(1500))
      let coin = try await chain.send(Satoshi(1_000_000), to: SpendableCoin.script)
      try await eventually("the transaction") { await heard.transactions.contains(coin.txid) }
      let first = try await chain.mine()[0]
      try await eventually("the block") { await heard.tips.last == first }
      let replaced = try await chain.reorganise(depth: 1, count: 2)
      try await eventually("the reorganisation") { await heard.tips.last == replaced.last }

      await chain.running.stop()
      let again = try await RunningBitcoind.start(in: folder, port: chain.running.port, arguments)
      try await again.waitUntilReady(source)
      // Counted from the beginning, which is noticed; in a pause of a restart nothing is lost either.
      let second = try await chain.mine()[0]
      try await eventually("the block after the restart") { await heard.tips.last == second }
      task.cancel()
      await chain.stop()
      await again.stop()
    }
  }
}
