import BOLT
import Bitcoin
import BitcoindSupport
import Chain
import GLC
import JSON
import Payments
import Signer
import Testing
import Wallet
import Wire

@testable import Node

/// What happens to a bitcoind while nodes rely on it.
@Suite(.serialized, .enabled(if: RunningBitcoind.executable != nil, "\(RunningBitcoind.reason)"))
struct BitcoindTroubleTests {
  private func network(
    _ bitcoind: BitcoindChain, delay: UInt16 = 6, nodes: Int = 2
  ) async throws -> TestNetwork {
    try await TestNetwork(nodes: nodes, on: .bitcoind(bitcoind)) { settings, _ in settings.channels.contestDelay = delay
    }
  }

  private func resolve(_ network: TestNetwork, _ id: ChannelID) async throws {
    try await network.mine(until: "it is resolved", limit: 400) {
      for index in network.nodes.indices where await network.channel(index, id)?.phase != .ended { return false }
      return true
    }
  }

  @Test func commitmentOutlivesALossOfPowerAndABitcoindThatIsAway() async throws {
    let bitcoind = try await BitcoindChain.start()
    let network = try await network(bitcoind)
    for index in 0..<2 { try await network.fund(index) }
    let start = try await network.chain.tip().height
    let before = try await network.audit(since: start)
    let ids = [
      try await network.open(0, 1, pushing: MilliSatoshi(4_000_000_000)),
      try await network.open(0, 1, pushing: MilliSatoshi(4_000_000_000)),
    ]
    let held = try await network.hold(0, 1, MilliSatoshi(50_000_000))
    try await network.wait("it is held") { await network.isHeld(held) }

    // Published, and forgotten before a block could hold it.
    try await network.nodes[1].forceClose(ids[0])
    try await network.wait("the commitment") { try await !network.chain.mempoolTransactions().isEmpty }
    // Blocks are on the disk, the mempool is not.
    _ = try await bitcoind.bitcoind.call("gettxoutsetinfo", timeout: .seconds(120))
    bitcoind.running.kill()
    // And one that is published while nobody is there.
    try await network.nodes[0].forceClose(ids[1])
    try await Task.sleep(for: .milliseconds(300))
    try await bitcoind.startAgain()
    try await network.wait("both commitments come by themselves", seconds: 60) {
      try await network.chain.mempoolTransactions().count { $0.outputs.count > 2 } >= 2
    }
    try await network.settle(held)
    for id in ids { try await resolve(network, id) }
    #expect(held.paying.succeeded)
    let after = try await network.audit(since: start)
    #expect(after.total == before.total, "\(before) → \(after)")
    #expect(after.strays.allSatisfy { $0 <= 330 }, "\(after)")
    await network.stop()
  }

  /// Two hundred blocks come while it is away, with a theft in the first.
  @Test func nodeThatSawNothingForDaysCatchesUpAndPunishes() async throws {
    let bitcoind = try await BitcoindChain.start()
    let network = try await network(bitcoind, delay: 400)
    for index in 0..<2 { try await network.fund(index) }
    let id = try await network.open(0, 1, pushing: MilliSatoshi(4_000_000_000))
    _ = try await network.pay(0, 1, MilliSatoshi(100_000_000))
    try await network.wait("nothing is pending") {
      for index in [0, 1] where await network.channel(index, id)?.core?.log.entries.isEmpty != true { return false }
      return true
    }
    let old = try #require(await network.channel(0, id)?.core)
    _ = try await network.pay(0, 1, MilliSatoshi(2_000_000_000))
    try await network.wait("nothing is pending") {
      for index in [0, 1] where await network.channel(index, id)?.core?.log.entries.isEmpty != true { return false }
      return true
    }
    let signer = try network.nodes[0].hub.signer(try #require(await network.channel(0, id)?.keyIndex))
    let stolen = try signer.signForBroadcast(
      try #require(try old.localCommitments(signer).first), with: old.signatures[0])
    await network.nodes[0].stop()
    let wallet = await network.nodes[1].walletBalance().confirmed.rawValue
    try await bitcoind.mineUnseen(200, [stolen])
    network.nodes.remove(at: 0)
    let tip = try await network.chain.tip().height
    try await network.wait("it has caught up", seconds: 60) { network.nodes[0].height >= tip }
    try await resolve(network, id)
    #expect(await network.nodes[0].walletBalance().confirmed.rawValue > wallet + 9_900_000)
    await network.stop()
  }

  /// Another bitcoind takes the place of the first: with the same blocks, and nothing in its mempool.
  @Test func bitcoindIsReplacedByAnother() async throws {
    let user = ["-rpcuser=glc", "-rpcpassword=secret"]
    let port = RunningBitcoind.freePort()
    let first = try await BitcoindChain.start(user + ["-listen=1", "-bind=127.0.0.1:\(port)"]) {
      $0.credentials = .password(user: "glc", password: "secret")
    }
    let network = try await network(first)
    for index in 0..<2 { try await network.fund(index) }
    let start = try await network.chain.tip().height
    let before = try await network.audit(since: start)
    let id = try await network.open(0, 1, pushing: MilliSatoshi(4_000_000_000))
    try await withTemporaryFolder { folder in
      var second = try await RunningBitcoind.start(
        in: folder, port: RunningBitcoind.freePort(), user + ["-connect=127.0.0.1:\(port)"])
      var options = second.options
      options.credentials = .password(user: "glc", password: "secret")
      let source = BitcoindSource(options)
      try await second.waitUntilReady(source)
      let tip = try await network.chain.tip()
      try await network.wait("the second has the blocks of the first", seconds: 60) { (try? await source.tip()) == tip }
      // Published to the first alone: of a transaction, others hear seconds later.
      _ = try await source.call("setnetworkactive", [false])
      try await network.nodes[0].forceClose(id)
      try await network.wait("the commitment") { try await !network.chain.mempoolTransactions().isEmpty }
      await first.running.stop()
      await source.close()
      await second.stop()
      second = try await RunningBitcoind.start(in: folder, port: first.port, user)
      try await second.waitUntilReady(first.bitcoind)
      #expect(try await network.chain.mempoolTransactions().isEmpty)
      try await network.mine()
      try await network.wait("the commitment is given to the second") {
        try await !network.chain.mempoolTransactions().isEmpty
      }
      try await resolve(network, id)
      let after = try await network.audit(since: start)
      #expect(after.total == before.total, "\(before) → \(after)")
      await network.stop()
      await second.stop()
    }
  }
}
