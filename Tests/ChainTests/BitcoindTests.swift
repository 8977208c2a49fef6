import Bitcoin
import BitcoindSupport
import JSON
import Testing

@testable import Chain

@Suite(
  "With a real bitcoind",
  .enabled(
    if: RunningBitcoind.executable != nil,
    "\(RunningBitcoind.reason)"))
struct BitcoindTests {
  @Test("the blocks of the embedded chain are valid")
  func blocks() async throws {
    try await withBitcoind { _, bitcoind in
      let embedded = EmbeddedChain(chain: try RegtestChain())
      let chain = embedded.chain
      let coin = try await embedded.coin()
      let parent = spend([coin], fee: 0, version: 3, adding: [TxOutput(value: .zero, scriptPubKey: .p2a)])
      var child = spend([try await embedded.coin()], fee: 3000, version: 3)
      child.inputs.append(TxInput(previousOutput: OutPoint(txid: parent.txid, vout: 1)))
      try await chain.submit(package: [parent, child])
      try await chain.mine(2)
      try await chain.reorganise(depth: 2, count: 4)
      let tip = try await chain.mine(30)[29]
      for height in 1...tip.height {
        let hash = try #require(try await chain.blockHash(at: height))
        let block = try await chain.block(hash)
        // Null: accepted. "inconclusive": not yet better than what it has.
        let answer = try await bitcoind.bitcoind.call("submitblock", [.hex(block.encoded)])
        #expect(answer.isNull || answer == "inconclusive", "block \(height)")
      }
      #expect(try await bitcoind.source.tip() == tip)
      #expect(try await bitcoind.source.unspentOutput(OutPoint(txid: child.txid, vout: 0)) != nil)
    }
  }

  @Test("the follower outlives a restart, with another cookie")
  func restart() async throws {
    try await withBitcoind { running, chain in
      let tip = try await chain.source.tip()
      let source = chain.source
      let follower = Task {
        var positions: [BlockPosition] = []
        for try await event in ChainFollower(source: source, after: [tip], patience: .milliseconds(100)) {
          positions.append(event.position)
          if positions.count == 2 { break }
        }
        return positions
      }
      let first = try await chain.mine(1)
      await running.stop()
      let again = try await RunningBitcoind.start(in: running.folder, port: running.port)
      do {
        try await again.waitUntilReady(chain.bitcoind)
        let second = try await chain.mine(1)
        #expect(try await follower.value == [first, second])
      } catch {
        await again.stop()
        throw error
      }
      await again.stop()
    }
  }

  @Test("a pruned bitcoind says so")
  func pruned() async throws {
    try await withTemporaryFolder { folder in
      let running = try await RunningBitcoind.start(
        in: folder, port: RunningBitcoind.freePort(), ["-prune=1", "-fastprune=1"])
      let source = BitcoindSource(running.options)
      do {
        try await running.waitUntilReady(source)
        let chain = RPCChain(bitcoind: source)
        // Blocks go by the file, of 64 kB here, and the last 288 stay.
        _ = try await chain.mine(1000)
        _ = try await source.call("pruneblockchain", [700])
        let info = try await source.check()
        let lowest = try #require(info.lowestBlock)
        #expect(lowest > 1)
        let gone = try #require(try await source.blockHash(at: 1))
        await #expect(throws: ChainError.pruned(gone)) { try await source.block(gone) }
        #expect(try await source.block(info.tip.hash).hash == info.tip.hash)
      } catch {
        await running.stop()
        throw error
      }
      await source.close()
      await running.stop()
    }
  }
}
