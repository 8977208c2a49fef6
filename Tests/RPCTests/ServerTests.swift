import Foundation
import JSON
import NIOCore
import Testing
@testable import RPC

@Suite struct ServerTests {
  private func request(_ method: String, _ params: String = "{}", id: String = "1") -> String {
    #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":\#(params)}"#
  }

  @Test(
    "a reply is one object on one line and two line feeds, with the id as it came",
    arguments: [
      "1", "0", "-5", "1.50", "\"pyln:getinfo#1\"", "null", "[1,{\"a\":null}]", "{\"b\":[]}", "true",
      "18446744073709551616",
      "\"\\u0000\\n\\u2028\"",
    ])
  func ids(id: String) async throws {
    try await TestServer.run { server, _ in
      try await RawConnection.open(server.path) { connection in
        try await connection.send(request("add", "[2,3]", id: id))
        let text = try #require(try await connection.replyText())
        #expect(!text.contains("\n"))
        let reply = try JSONValue(parsing: text)
        #expect(try reply["id"] == JSONValue(parsing: id))
        #expect(reply["result"] == ["sum": 5])
        #expect(reply["jsonrpc"] == "2.0")
        #expect(reply["error"] == nil)
      }
    }
  }

  @Test("requests may come in single bytes, and many in one piece")
  func cuts() async throws {
    try await TestServer.run { server, _ in
      try await RawConnection.open(server.path) { connection in
        for byte in request("echo", #"{"value":"}{\"}\\"}"#).utf8 {
          try await connection.outbound.write(ByteBuffer(bytes: [byte]))
        }
        #expect(try await connection.reply()?["result"] == ["value": #"}{"}\"#])
        try await connection.send((0..<200).map { request("add", "[\($0),1]", id: "\($0)") }.joined())
        var sums: [UInt64: UInt64] = [:]
        for _ in 0..<200 {
          let reply = try #require(try await connection.reply())
          sums[try #require(reply["id"]?.unsignedValue)] = reply["result"]?["sum"]?.unsignedValue
        }
        #expect(sums == Dictionary(uniqueKeysWithValues: (0..<200).map { ($0, $0 + 1) }))
      }
    }
  }

  @Test("a slow call does not hold up the next one of its connection")
  func sideBySide() async throws {
    let witness = Witness()
    try await TestServer.run(registry: TestServer.registry(witness)) { server, _ in
      try await RawConnection.open(server.path) { connection in
        try await connection.send(request("wait", id: "1") + request("add", "[1,1]", id: "2"))
        #expect(try await connection.reply()?["id"] == 2)
      }
      try await eventually("the waiting call is cancelled") { await witness.cancelled == 1 }
    }
  }

  @Test("refusals have Core Lightning's codes, and the connection goes on")
  func refusals() async throws {
    let cases: [(text: String, code: Int64, message: String, id: JSONValue)] = [
      (request("nosuchmethod"), -32601, "Unknown command 'nosuchmethod'", 1),
      (request("ecko"), -32601, "Unknown command 'ecko', did you mean 'echo'?", 1),
      (request("add"), -32602, "missing required parameter: a", 1),
      (
        request("add", #"{"a":1,"b":"x"}"#), -32602, #"b: should be an unsigned 64 bit integer: invalid token '"x"'"#, 1
      ),
      (request("add", "5"), -32602, "Expected array or object for params", 1),
      (request("add", "[18446744073709551615,1]"), 301, "too much", 1),
      (request("fail"), -1, "tooDeep(limit: 1)", 1),
      ("[]", -32600, "Expected an object", .null),
      (#"{"method":"echo"}"#, -32600, "No id", .null),
      (#"{"id":7}"#, -32600, "No method", 7),
      (#"{"id":7,"method":5}"#, -32600, "Expected string for method", 7),
      (#"{"id":7,"method":"echo","jsonrpc":"1.0"}"#, -32600, #"jsonrpc: should be "2.0""#, 7),
      (#"{"id":7,"method":"echo","filter":5}"#, -32602, "filter: Expected object: invalid token '5'", 7),
      (request("notifications"), -32602, "missing required parameter: enable", 1),
    ]
    try await TestServer.run { server, _ in
      try await RawConnection.open(server.path) { connection in
        for (text, code, message, id) in cases {
          try await connection.send(text)
          let reply = try #require(try await connection.reply())
          #expect(reply["error"]?["code"]?.integerValue == code, "\(text)")
          #expect(reply["error"]?["message"]?.stringValue == message)
          #expect(reply["id"] == id)
        }
        try await connection.send(request("add", "[1,2]"))
        #expect(try await connection.reply()?["result"] == ["sum": 3])
      }
    }
  }

  @Test(
    "what cannot be read on is answered once, then the connection ends, and the server goes on",
    arguments: [
      "garbage", "}", #"{"a" 1}"#, #"{"a":1,"a":2}"#, "\u{0}\u{1}", "{]",
      #"{"id":1,"method":"echo","params":{"value":tru}}"#,
      "GET / HTTP/1.1\r\n\r\n", String(repeating: "{\"a\":", count: 65), String(repeating: "[", count: 100_000),
      "{\"a\":\"" + String(repeating: "x", count: 5 << 20),
    ])
  func garbage(text: String) async throws {
    try await TestServer.run { server, client in
      try await RawConnection.open(server.path) { connection in
        try? await connection.send(text)
        let reply = try #require(try await connection.reply())
        #expect(reply["error"]?["code"] == -32600)
        #expect(reply["id"] == .null)
        #expect(try await connection.reply() == nil)
      }
      #expect(try await client.call("add", [1, 2]) == ["sum": 3])
      try await eventually("the connection is gone") { server.connectionCount == 0 }
      #expect(server.budget.usedByteCount == 0)
    }
  }

  @Test("invalid UTF-8 is refused")
  func invalidUTF8() async throws {
    try await TestServer.run { server, _ in
      try await RawConnection.open(server.path) { connection in
        try await connection.outbound.write(ByteBuffer(bytes: Array(#"{"id":""#.utf8) + [0xff] + Array(#""}"#.utf8)))
        #expect(try await connection.reply()?["error"]?["code"] == -32600)
      }
    }
  }

  @Test("a thousand calls at once, each on its own connection and all on one")
  func concurrent() async throws {
    try await TestServer.run { server, client in
      let sums = try await withThrowingTaskGroup(of: UInt64?.self) { group in
        for number in 0..<1000 {
          group.addTask { try await client.call("add", [.int(number), 1])["sum"]?.unsignedValue }
        }
        return try await group.reduce(into: Set<UInt64>()) { set, sum in if let sum { set.insert(sum) } }
      }
      #expect(sums == Set(1...1000))
      try await RawConnection.open(server.path) { connection in
        try await connection.send((0..<1000).map { request("nap", "[1]", id: "\($0)") }.joined())
        var ids: Set<UInt64> = []
        for _ in 0..<1000 { ids.insert(try #require(try await connection.reply()?["id"]?.unsignedValue)) }
        #expect(ids.count == 1000)
      }
      try await eventually("all connections are gone") { server.connectionCount == 0 }
    }
  }

  @Test("calls of one connection beyond the limit wait to be read")
  func callLimit() async throws {
    let witness = Witness()
    var limits = RPCLimits()
    limits.maximumCallsPerConnection = 5
    try await TestServer.run(limits: limits, registry: TestServer.registry(witness)) { server, _ in
      try await RawConnection.open(server.path) { connection in
        for id in 0..<20 { try await connection.send(request("wait", id: "\(id)")) }
        try await eventually("five run") { await witness.started == 5 }
        try await Task.sleep(for: .milliseconds(50))
        #expect(await witness.started == 5)
      }
      try await eventually("all are cancelled") { await witness.cancelled == 5 }
    }
  }

  @Test("a caller that goes away in the middle of a call cancels it")
  func gone() async throws {
    let witness = Witness()
    try await TestServer.run(registry: TestServer.registry(witness)) { server, client in
      try await RawConnection.open(server.path) { connection in
        try await connection.send(request("wait"))
        try await eventually("it runs") { await witness.started == 1 }
      }
      try await eventually("it is cancelled") { await witness.cancelled == 1 }
      // And one that leaves half a request behind.
      try await RawConnection.open(server.path) { try await $0.send(#"{"id":1,"meth"#) }
      try await eventually("the connections are gone") { server.connectionCount == 0 }
      #expect(server.budget.usedByteCount == 0)
      #expect(try await client.call("add", [1, 2]) == ["sum": 3])
    }
  }

  @Test("a caller that has sent all and closed its side still gets its reply")
  func halfClosed() async throws {
    try await TestServer.run { server, _ in
      try await RawConnection.open(server.path) { connection in
        try await connection.send(request("nap", "[50]"))
        connection.outbound.finish()
        #expect(try await connection.reply()?["result"] == ["slept": true])
        #expect(try await connection.reply() == nil)
      }
    }
  }

  @Test("connections beyond the limit are told so")
  func connectionLimit() async throws {
    var limits = RPCLimits()
    limits.maximumConnections = 2
    try await TestServer.run(limits: limits) { server, client in
      try await RawConnection.open(server.path) { first in
        try await RawConnection.open(server.path) { second in
          for connection in [first, second] {
            try await connection.send(request("add", "[1,1]"))
            #expect(try await connection.reply()?["result"] == ["sum": 2])
          }
          do {
            _ = try await client.call("add", [1, 2])
            Issue.record("a third connection was served")
          } catch {
            #expect("\(error)".contains("too many connections: 2"), "\(error)")
          }
        }
      }
      try await eventually("there is room again") { server.connectionCount == 0 }
      #expect(try await client.call("add", [1, 2]) == ["sum": 3])
    }
  }

  @Test("incomplete requests over all connections are bounded")
  func memory() async throws {
    var limits = RPCLimits()
    limits.maximumBufferedByteCount = 1 << 20
    try await TestServer.run(limits: limits) { server, client in
      let half = #"{"a":""# + String(repeating: "x", count: 600_000)
      try await RawConnection.open(server.path) { first in
        try await first.send(half)
        try await eventually("it is held") { server.budget.usedByteCount >= 600_000 }
        try await RawConnection.open(server.path) { second in
          try? await second.send(half)
          let message = try await second.reply()?["error"]?["message"]?.stringValue
          #expect(message?.contains("too much is being sent at once") == true)
        }
        #expect(try await client.call("add", [1, 2]) == ["sum": 3])
        try await first.send(#""}"#)
        #expect(try await first.reply()?["error"]?["message"] == "No id")
      }
      try await eventually("nothing is held") { server.budget.usedByteCount == 0 }
    }
  }

  @Test("a large reply arrives whole, trimmed by a filter when wanted")
  func largeReply() async throws {
    try await TestServer.run { _, client in
      let whole = try await client.call("big", [100_000])
      #expect(whole["list"]?.arrayValue?.count == 100_000)
      let trimmed = try await client.call("big", [3], filter: ["list": [["number": true]]])
      #expect(trimmed == ["list": [["number": 0], ["number": 1], ["number": 2]]])
    }
  }

  @Test("calls tell how they go to those who asked")
  func progress() async throws {
    try await TestServer.run { server, client in
      let (stream, continuation) = AsyncStream.makeStream(of: RPCProgress.self)
      #expect(try await client.call("steps") { continuation.yield($0) } == ["told": true])
      continuation.finish()
      let seen = await stream.reduce(into: []) { $0.append($1) }
      #expect(seen == (1...3).map { RPCProgress(message: "step \($0)", steps: ($0, 3)) })
      #expect(try await client.call("steps") == ["told": false])
      try await RawConnection.open(server.path) { connection in
        try await connection.send(
          request("notifications", #"{"enable":true}"#, id: "0") + request("steps", id: "\"x\""))
        #expect(try await connection.reply()?["result"] == [:])
        let first = try #require(try await connection.reply())
        #expect(first["method"] == "message")
        #expect(first["params"]?["id"] == "x")
        #expect(first["id"] == nil)
      }
    }
  }

  @Test("help and check come from the descriptions")
  func help() async throws {
    try await TestServer.run { _, client in
      let all = try await client.call("help")["help"]?.arrayValue ?? []
      #expect(all.contains { $0["command"] == "add a b" })
      #expect(all.contains { $0["command"] == "help [command]" })
      let one = try await client.call("help", ["add"])["help"]?[0]
      #expect(one?["verbose"]?.stringValue?.contains("a (integer, required)") == true)
      #expect(
        try await client.call("check", ["command_to_check": "add", "a": 1, "b": 2]) == ["command_to_check": "add"])
      await #expect(throws: RPCClientError.self) {
        try await client.call("check", ["command_to_check": "add", "a": 1])
      }
      await #expect(throws: RPCClientError.self) { try await client.call("check", [:]) }
      await #expect(throws: RPCClientError.self) { try await client.call("help", ["nope"]) }
    }
  }

  @Test("stopping lets calls end for a while, cancels the rest and removes the socket")
  func stop() async throws {
    let witness = Witness()
    try await withFolder { folder in
      var limits = RPCLimits()
      limits.stopGrace = .milliseconds(500)
      let server = try await RPCServer.start(
        path: folder + "/rpc", registry: TestServer.registry(witness), limits: limits, logger: TestServer.logger)
      let client = RPCClient(path: server.path)
      async let short = client.call("nap", [100])
      async let long = try? client.call("wait")
      try await eventually("both run") { await witness.started == 2 }
      await server.stop()
      #expect(try await short == ["slept": true])
      #expect(await long == nil)
      #expect(await witness.cancelled == 1)
      #expect(!FileManager.default.fileExists(atPath: server.path))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
      await server.stop()
      do {
        _ = try await client.call("add", [1, 2])
        Issue.record("answered after the end")
      } catch {
        guard case .unreachable? = error as? RPCClientError else {
          Issue.record("\(error)")
          return
        }
      }
    }
  }
}

@Suite struct SocketFileTests {
  private func start(_ path: String) async throws(RPCServerError) -> RPCServer {
    try await RPCServer.start(path: path, registry: TestServer.registry(), logger: TestServer.logger)
  }

  private func permissions(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }

  @Test("only the owner may open the socket")
  func permissions() async throws {
    try await withFolder { folder in
      let server = try await start(folder + "/rpc")
      #expect(try permissions(server.path) == 0o600)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["rpc"])
      await server.stop()
    }
  }

  @Test("a socket that somebody answers on is refused, and left alone")
  func live() async throws {
    try await withFolder { folder in
      let server = try await start(folder + "/rpc")
      await #expect(throws: RPCServerError.inUse(path: server.path)) { try await start(server.path) }
      #expect(try await RPCClient(path: server.path).call("add", [1, 2]) == ["sum": 3])
      await server.stop()
    }
  }

  @Test("the socket of a dead process is replaced")
  func stale() async throws {
    try await withFolder { folder in
      let dead = try await start(folder + "/old")
      // What a killed process leaves behind: the file, with nobody behind it.
      try FileManager.default.moveItem(atPath: folder + "/old", toPath: folder + "/rpc")
      await dead.stop()
      #expect(FileManager.default.fileExists(atPath: folder + "/rpc"))
      let server = try await start(folder + "/rpc")
      #expect(try await RPCClient(path: server.path).call("add", [1, 2]) == ["sum": 3])
      await server.stop()
    }
  }

  @Test("a file that is no socket is refused, and left alone")
  func otherFile() async throws {
    try await withFolder { folder in
      let path = folder + "/rpc"
      try "mine".write(toFile: path, atomically: false, encoding: .utf8)
      await #expect(throws: RPCServerError.notASocket(path: path)) { try await start(path) }
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
    }
  }

  @Test("a path that is too long and a folder that is not there are named")
  func badPaths() async throws {
    try await withFolder { folder in
      let long = folder + "/" + String(repeating: "x", count: 108)
      await #expect(throws: RPCServerError.pathTooLong(path: long, limit: 107)) { try await start(long) }
      do {
        _ = try await start(folder + "/none/rpc")
        Issue.record("started")
      } catch {
        guard case .system(let path, _)? = error as? RPCServerError else {
          Issue.record("\(error)")
          return
        }
        #expect(path == folder + "/none/rpc")
      }
      do {
        _ = try await RPCClient(path: long).call("x")
        Issue.record("answered")
      } catch { #expect("\(error)".contains("107 bytes")) }
    }
  }

  @Test("another server's socket is not removed on the way out")
  func replaced() async throws {
    try await withFolder { folder in
      let first = try await start(folder + "/rpc")
      try FileManager.default.removeItem(atPath: folder + "/rpc")
      let second = try await start(folder + "/rpc")
      await first.stop()
      #expect(try await RPCClient(path: second.path).call("add", [1, 2]) == ["sum": 3])
      await second.stop()
    }
  }
}
