import Bitcoin
import Encoding
import FoundationEssentials
import Hashing
import JSON
import NIOCore
import NIOPosix
import Testing

@testable import Chain

/// Sends bytes as they are, and returns what comes back until the server closes, or `enough` bytes have come.
func exchangeRaw(port: Int, _ bytes: [UInt8], closing: Bool = true) async throws -> String {
  let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
    .channelOption(.allowRemoteHalfClosure, value: true)
    .connect(host: "127.0.0.1", port: port) { channel in
      channel.eventLoop.makeCompletedFuture {
        try NIOAsyncChannel(
          wrappingChannelSynchronously: channel,
          configuration: .init(
            isOutboundHalfClosureEnabled: true, inboundType: ByteBuffer.self, outboundType: ByteBuffer.self))
      }
    }
  return try await channel.executeThenClose { inbound, outbound in
    try? await outbound.write(ByteBuffer(bytes: bytes))
    if closing { outbound.finish() }
    var answer = ""
    do {
      for try await buffer in inbound { answer += String(buffer: buffer) }
    } catch {
      // A reset is an answer too.
    }
    return answer
  }
}

@Suite("The chain server")
struct ChainServerTests {
  @Test("keeps its countenance when it is sent garbage")
  func garbage() async throws {
    try await withServedChain { chain, server, source in
      let cookie = try readFile(server.cookie)
      let authorisation = "Authorization: Basic \(Base64.encode(cookie.bytes))\r\n"
      func post(_ body: String, _ headers: String = "") -> [UInt8] {
        Array(
          "POST / HTTP/1.1\r\nHost: x\r\n\(authorisation)\(headers)Connection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            .utf8)
      }
      var generator = SystemRandomNumberGenerator()
      for count in [1, 100, 5000] {
        let noise = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
        _ = try await exchangeRaw(port: server.port, noise)
      }
      let raw: [(String, String)] = [
        ("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "405"),
        ("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", "401"),
        (
          "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic !!!\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
          "401"
        ),
        ("POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", "404"),
        ("POST / HTTP/1.1\r\nContent-Length: banana\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", "413"), ("\r\n\r\n\r\n", ""), ("", ""),
      ]
      for (request, status) in raw {
        // Whoever promises to close gets an answer before; the others hang up.
        let closing = !request.contains("Connection: close")
        let answer = try await exchangeRaw(port: server.port, Array(request.utf8), closing: closing)
        #expect(answer.contains(status), "\(request.debugDescription) → \(answer)")
      }
      let bodies: [(String, Int)] = [
        ("", -32700), ("garbage", -32700), ("5", -32700), ("{}", -32600), ("{\"method\":5}", -32600),
        ("{\"method\":\"nosuch\"}", -32601), ("{\"method\":\"getblockhash\"}", -1),
        ("{\"method\":\"getblockhash\",\"params\":[\"x\"]}", -3), ("{\"method\":\"getblockhash\",\"params\":[-1]}", -8),
        ("{\"method\":\"getblockhash\",\"params\":[1e99]}", -3), ("{\"method\":\"getblockhash\",\"params\":7}", -32600),
        ("{\"method\":\"getblockhash\",\"params\":{\"heigth\":7}}", -8),
        ("{\"method\":\"getblockhash\",\"params\":[1,2]}", -1),
        ("{\"method\":\"getblock\",\"params\":[\"00\"]}", -8),
        ("{\"method\":\"sendrawtransaction\",\"params\":[\"00\"]}", -22),
        ("{\"method\":\"testmempoolaccept\",\"params\":[[]]}", -8),
        ("{\"method\":\"submitpackage\",\"params\":[[7]]}", -22),
        ("{\"method\":\"generatetoaddress\",\"params\":[1,\"bc1qnot\"]}", -5),
        ("{\"method\":\"generatetoaddress\",\"params\":[100000000,\"raw(51)\"]}", -8),
        ("{\"method\":\"generateblock\",\"params\":[\"raw(51)\",[\"\(String(repeating: "0", count: 64))\"]]}", -5),
        ("{\"method\":\"invalidateblock\",\"params\":[\"\(String(repeating: "0", count: 64))\"]}", -5),
        ("{\"method\":\"sendtoaddress\",\"params\":[\"raw(51)\",1e7]}", -6),
        ("{\"method\":\"sendtoaddress\",\"params\":[\"raw(51)\",-1]}", -3),
        ("{\"method\":\"gettxspendingprevout\",\"params\":[[]]}", -8),
        ("{\"method\":\"gettxspendingprevout\",\"params\":[[{\"txid\":\"00\",\"vout\":0}]]}", -8),
        ("{\"method\":\"getmempoolentry\",\"params\":[\"\(String(repeating: "0", count: 64))\"]}", -5),
        ("{\"method\":\"estimatesmartfee\",\"params\":[0]}", -8),
        ("{\"method\":\"submitblock\",\"params\":[\"00\"]}", -22),
        (String(repeating: "[", count: 100_000), -32700),
      ]
      for (body, code) in bodies {
        let answer = try await exchangeRaw(port: server.port, post(body), closing: false)
        #expect(answer.contains("\"code\":\(code),"), "\(body.prefix(100)) → \(answer)")
      }
      // Unlike the others, this one is a batch, and half of it is right.
      let batch = try await exchangeRaw(
        port: server.port, post("[{\"method\":\"getblockcount\",\"id\":1},{\"method\":\"nosuch\",\"id\":2},3]"),
        closing: false)
      #expect(batch.contains("\"result\":120") && batch.contains("-32601") && batch.contains("-32600"))
      let second = try await exchangeRaw(
        port: server.port, post("{\"jsonrpc\":\"2.0\",\"method\":\"nosuch\",\"id\":\"a\"}"), closing: false)
      #expect(second.contains("200 OK") && second.contains("\"id\":\"a\"") && !second.contains("\"result\""))
      // And it still works.
      let tip = try await chain.tip()
      #expect(try await source.tip() == tip)
    }
  }

  @Test("serves fifty clients at once")
  func manyClients() async throws {
    try await withServedChain { chain, server, _ in
      let amount = Satoshi(50_000)
      try await withThrowingTaskGroup(of: OutPoint.self) { group in
        for index in 0..<50 {
          group.addTask {
            let source = BitcoindSource(
              BitcoindSource.Options(network: .regtest, port: server.port, credentials: .cookie(path: server.cookie)))
            let script = Script.p2wsh(sha256([UInt8(index)]))
            let outPoint = try await RPCChain(bitcoind: source).send(amount, to: script)
            _ = try await source.call("generatetoaddress", [1, "raw(51)"])
            let tip = try await source.tip()
            #expect(try await source.block(tip.hash).hash == tip.hash)
            await source.close()
            return outPoint
          }
        }
        for try await outPoint in group {
          #expect(try await chain.unspentOutput(outPoint)?.output.value == amount)
        }
      }
      #expect(try await chain.tip().height == 170)
    }
  }

  @Test("tells blocks and mempool field by field as bitcoind does")
  func fields() async throws {
    try await withServedChain { chain, _, source in
      let outPoint = try await chain.send(Satoshi(123_456_789), to: SpendableCoin.script)
      let entry = try await source.call("getmempoolentry", [.text(outPoint.txid)])
      #expect(entry["fees"]?["base"]?.doubleValue ?? 0 > 0)
      #expect(try await source.call("getrawmempool") == [.text(outPoint.txid)])
      try await chain.mine()
      let tip = try await chain.tip()
      let block = try await source.call("getblock", [.text(tip.hash), 2])
      #expect(block["tx"]?[1]?["vout"]?[0]?["value"] == .decimal("1.23456789"))
      #expect(block["tx"]?[1]?["vout"]?[0]?["scriptPubKey"]?["type"] == "witness_v0_scripthash")
      #expect(block["confirmations"] == 1)
      #expect(block["nTx"] == 2)
      let parent = try await source.call("getblockheader", [.text(block["previousblockhash"]!.blockHashValue!)])
      #expect(parent["nextblockhash"] == .text(tip.hash))
      let named = try await source.call("getblock", [.text(tip.hash), 0])
      #expect(named.bytesValue.flatMap { try? Block(decoding: $0) }?.hash == tip.hash)
      #expect(try await source.call("getnetworkinfo")["version"] == 290000)
    }
  }

  @Test("listens on loopback only, and on one port once")
  func addresses() async throws {
    let chain = try RegtestChain(RegtestChain.Options(initialBlocks: 1))
    await #expect(throws: ChainError.self) {
      try await ChainServer.start(chain, ChainServer.Options(host: "0.0.0.0"))
    }
    let server = try await ChainServer.start(chain, ChainServer.Options(user: "u", password: "p"))
    await #expect(throws: ChainError.self) {
      try await ChainServer.start(chain, ChainServer.Options(port: server.port))
    }
    await server.stop()
  }
}

extension ChainServer {
  /// Of the tests' servers.
  var cookie: String { cookiePath ?? "" }
}
