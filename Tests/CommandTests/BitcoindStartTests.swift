import BitcoindSupport
import Chain
import Foundation
import JSON
import Testing

/// What somebody sees who starts a node on a bitcoind that is not as it should be.
@Suite(.serialized) struct BitcoindStartTests {
  private func start(_ arguments: [String]) async throws -> String {
    try await withFolder { folder in
      let run = try await Command.run(["start", "--data-dir", folder, "--chain", "bitcoind"] + arguments)
      #expect(run.status == 1, "\(run.errors)")
      return run.errors
    }
  }

  @Test("nobody there, a wrong cookie, a wrong password, another network: each is said with what to do")
  func chain() async throws {
    try await withProcesses { all in
      let cookie = ["--bitcoind-cookie", "\(all.folder)/cookie"]
      let nobody = try await start(["--bitcoind-url", "http://127.0.0.1:\(RunningBitcoind.freePort())"] + cookie)
      #expect(nobody.contains("Connection refused") && nobody.contains("is it running, with server=1"), "\(nobody)")
      let none = try await start(["--bitcoind-url", all.url, "--bitcoind-cookie", "\(all.folder)/none"])
      #expect(none.contains("there is no cookie file \(all.folder)/none"), "\(none)")
      let password = try await start(["--bitcoind-url", all.url, "--bitcoind-user", "me", "--bitcoind-password", "no"])
      #expect(password.contains("refuses our credentials") && password.contains("rpcpassword"), "\(password)")
      let network = try await start(["--network", "signet", "--bitcoind-url", all.url] + cookie)
      #expect(
        network.contains("is on the chain \"regtest\", the node on \"signet\": set the network of one"), "\(network)")
    }
  }

  @Test(
    "a bitcoind that has pruned what the node needs, and one that does not publish what it should",
    .enabled(if: RunningBitcoind.executable != nil, "\(RunningBitcoind.reason)"))
  func pruned() async throws {
    try await withFolder { folder in
      let bitcoind = try await BitcoindChain.start(in: folder, ["-prune=1", "-fastprune=1"])
      _ = try await bitcoind.mine(900)
      _ = try await bitcoind.bitcoind.call("pruneblockchain", [.int(600)])
      let place = "tcp://127.0.0.1:\(RunningBitcoind.freePort())"
      let seen = try await start([
        "--bitcoind-url", "http://127.0.0.1:\(bitcoind.port)", "--bitcoind-cookie", bitcoind.running.cookie,
        "--zmq-block", place,
      ])
      #expect(seen.contains("has pruned block") && seen.contains("larger prune="), "\(seen)")
      #expect(seen.contains("publishes no blocks over ZMQ: zmqpubrawblock=\(place)"), "\(seen)")
      await bitcoind.stop()
    }
  }
}
