import Bitcoin
import BitcoindSupport
import JSON
import NIOCore
import NIOPosix
import Testing

@testable import Chain

@Suite("The client of bitcoind")
struct BitcoindSourceTests {
  private func failure(_ options: BitcoindSource.Options) async -> ChainError? {
    let source = BitcoindSource(options)
    do throws(ChainError) {
      _ = try await source.check()
      await source.close()
      return nil
    } catch {
      await source.close()
      return error
    }
  }

  @Test("says what is wrong with its configuration")
  func configuration() async throws {
    try await withServedChain { _, server, _ in
      let cookie = BitcoindCredentials.cookie(path: server.cookie)
      let good = BitcoindSource.Options(network: .regtest, port: server.port, credentials: cookie)
      #expect(await failure(good) == nil)
      var other = good
      other.network = .signet
      #expect(await failure(other) == .wrongNetwork(expected: .signet, actual: "regtest"))
      other = good
      other.credentials = .password(user: "user", password: "wrong")
      guard case .unauthorised? = await failure(other) else {
        Issue.record("a wrong password was accepted")
        return
      }
      other.credentials = .cookie(path: server.cookie + "-that-is-not-there")
      guard case .unauthorised(_, let reason)? = await failure(other) else {
        Issue.record("a cookie that is not there was accepted")
        return
      }
      #expect(reason.contains("no cookie file"))
      other = good
      other.port = RunningBitcoind.freePort()
      guard case .unreachable(_, let why)? = await failure(other) else {
        Issue.record("nobody listens, and yet")
        return
      }
      #expect(why == "Connection refused")
    }
  }

  @Test("comes back by itself when bitcoind restarts with another cookie")
  func restart() async throws {
    try await withTemporaryFolder { folder in
      let chain = try RegtestChain()
      let cookie = folder + "/.cookie"
      var server = try await ChainServer.start(chain, ChainServer.Options(cookiePath: cookie))
      let port = server.port
      let source = BitcoindSource(
        BitcoindSource.Options(network: .regtest, port: port, credentials: .cookie(path: cookie)))
      let tip = try await source.tip()
      let follower = Task {
        var events: [ChainFollower.Event] = []
        for try await event in ChainFollower(source: source, after: [tip], patience: .milliseconds(50)) {
          events.append(event)
          if events.count == 3 { break }
        }
        return events.map(\.position)
      }
      var mined = try await chain.mine(1)
      await server.stop()
      mined += try await chain.mine(1)
      await #expect(throws: ChainError.self) { try await source.tip() }
      server = try await ChainServer.start(chain, ChainServer.Options(port: port, cookiePath: cookie))
      #expect(try await source.tip() == mined[1])
      mined += try await chain.mine(1)
      #expect(try await follower.value == mined)
      await source.close()
      await server.stop()
    }
  }

  /// A server that gives the same answer to everybody, and closes.
  private func withServer(saying answer: String, _ body: (Int) async throws -> Void) async throws {
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(SayingHandler(answer))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    try await body(server.localAddress!.port!)
    try await server.close()
  }

  final class SayingHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    let answer: String
    init(_ answer: String) { self.answer = answer }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let channel = context.channel
      channel.writeAndFlush(ByteBuffer(string: answer)).whenComplete { _ in channel.close(promise: nil) }
    }
  }

  private func http(_ status: String, _ body: String) -> String {
    "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  @Test("takes no nonsense for an answer")
  func nonsense() async throws {
    let answers = [
      "", "garbage\r\n\r\n", http("200 OK", ""), http("200 OK", "null"), http("200 OK", "{\"result\":1,\"id\":77}"),
      http("200 OK", "<html>"), http("502 Bad Gateway", "proxy"), http("200 OK", "{\"result\":{\"chain\":7},\"id\":1}"),
      "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{",
      http("200 OK", "{\"result\":{\"chain\":\"regtest\",\"blocks\":99999999999,\"bestblockhash\":\"00\"},\"id\":1}"),
    ]
    for answer in answers {
      try await withServer(saying: answer) { port in
        let options = BitcoindSource.Options(
          network: .regtest, port: port, credentials: .password(user: "u", password: "p"))
        switch await failure(options) {
        case .badAnswer?, .unreachable?: break
        case let other: Issue.record("\(answer.debugDescription) → \(String(describing: other))")
        }
      }
    }
    let cases: [(String, ChainError)] = [
      (
        http(
          "500 Internal Server Error",
          "{\"result\":null,\"error\":{\"code\":-28,\"message\":\"Loading block index…\"},\"id\":1}"),
        .syncing(height: nil, of: nil, reason: "Loading block index…")
      ),
      (
        http(
          "200 OK",
          "{\"result\":{\"chain\":\"main\",\"blocks\":1,\"headers\":2,\"bestblockhash\":\"\(String(repeating: "0", count: 64))\"},\"id\":1}"
        ),
        .wrongNetwork(expected: .regtest, actual: "main")
      ),
      (
        http(
          "200 OK",
          "{\"result\":{\"chain\":\"regtest\",\"blocks\":1,\"headers\":200,\"verificationprogress\":0.005,\"bestblockhash\":\"\(String(repeating: "0", count: 64))\"},\"id\":1}"
        ), .syncing(height: 1, of: 200, reason: "0.5 %")
      ),
    ]
    for (answer, expected) in cases {
      try await withServer(saying: answer) { port in
        let options = BitcoindSource.Options(
          network: .regtest, port: port, credentials: .password(user: "u", password: "p"))
        #expect(await failure(options) == expected)
      }
    }
  }

  @Test("reads amounts exactly")
  func amounts() throws {
    let good: [(String, UInt64)] = [
      ("0", 0), ("1", 100_000_000), ("0.00000001", 1), ("20999999.97690000", 2_099_999_997_690_000), ("1e-8", 1),
      ("1.5E2", 15_000_000_000), ("0.000010000", 1000), ("50.00000000", 5_000_000_000),
    ]
    for (text, satoshis) in good {
      #expect(Satoshi(bitcoins: try JSONValue(parsing: text)) == Satoshi(satoshis), "\(text)")
    }
    for text in [
      "-1", "-0.5", "0.000000001", "1e-9", "1e99", "1e999999999999", "999999999999999999999", "\"1\"", "null",
    ] {
      #expect(Satoshi(bitcoins: try JSONValue(parsing: text)) == nil, "\(text)")
    }
    for satoshis in [0, 1, 99_999_999, 100_000_000, 2_100_000_000_000_000] as [UInt64] {
      #expect(Satoshi(bitcoins: .bitcoins(satoshis)) == Satoshi(satoshis))
    }
  }

  @Test("knows bitcoind's reasons, of whatever version")
  func reasons() {
    let reasons: [(String, TransactionRefusal.Kind)] = [
      ("txn-already-in-mempool", .alreadyInMempool), ("Transaction outputs already in utxo set", .alreadyConfirmed),
      ("bad-txns-inputs-missingorspent", .missingInputs), ("missing-inputs", .missingInputs),
      ("insufficient fee, rejecting replacement 00; less fees than conflicting txs; 0.1 < 0.2", .conflict),
      ("min relay fee not met, 0 < 110", .feeTooLow), ("mempool min fee not met, 5 < 110", .feeTooLow),
      ("non-final", .nonFinal), ("non-BIP68-final", .sequenceLocked), ("TRUC-violation, tx 00 would", .truc),
      ("truc-ancestors-toomany, tx 00", .truc), ("dust, tx with dust output must be 0-fee", .dust),
      ("unspent-dust", .dust),
      ("mandatory-script-verify-flag-failed (Invalid Schnorr signature)", .script(.schnorrSig)),
      (
        "mempool-script-verify-flag-failed (Stack size must be exactly one after execution), input 0 of 00",
        .script(.cleanStack)
      ),
      ("non-mandatory-script-verify-flag (something new)", .script(nil)),
      ("bad-txns-in-belowout, value in", .rule(.inputsBelowOutputs)),
      ("package-not-sorted", .badPackage), ("package topology disallowed. not child-with-parents", .badPackage),
      ("too-long-mempool-chain, too many", .chainTooLong), ("scriptpubkey", .nonStandard), ("a new reason", .other),
      ("", .other),
    ]
    for (text, kind) in reasons { #expect(TransactionRefusal(saying: text).kind == kind, "\(text)") }
  }
}
