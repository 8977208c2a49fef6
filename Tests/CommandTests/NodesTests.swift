import Foundation
import JSON
import RPC
import Testing

/// A chain and nodes, each in a process of its own, as people run them.
final class Processes {
  let folder: String
  let url: String
  private(set) var nodes: [String: RPCClient] = [:]
  private var running: [String: (process: Process, end: Task<Int32, any Error>)] = [:]
  private let chainPort: Int

  init(in folder: String) async throws {
    self.folder = folder
    chainPort = Int.random(in: 20_000..<28_000)
    url = "http://127.0.0.1:\(chainPort)"
    try await run("chain", ["chain", "--listen", "127.0.0.1:\(chainPort)", "--cookie-file", "\(folder)/cookie"])
    try await wait("the chain's cookie") { FileManager.default.fileExists(atPath: "\(folder)/cookie") }
  }

  private func run(_ name: String, _ arguments: [String]) async throws {
    let own = "\(folder)/\(name)"
    try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
    let process = try Command.start(arguments, in: own)
    running[name] = (process, Task { try await Command.end(process) })
  }

  @discardableResult func start(_ name: String, _ flags: [String] = []) async throws -> RPCClient {
    try await run(
      name,
      [
        "start", "--data-dir", "\(folder)/\(name)", "--chain", "bitcoind", "--bitcoind-url", url, "--bitcoind-cookie",
        "\(folder)/cookie", "--listen", "127.0.0.1:0", "--alias", name,
      ] + flags)
    let client = RPCClient(path: socket(name))
    try await wait("\(name) answers") { (try? await client.call("getinfo")) != nil }
    nodes[name] = client
    return client
  }

  func socket(_ name: String) -> String { "\(folder)/\(name)/regtest/lightning-rpc" }
  func log(_ name: String) -> String { (try? Command.read("\(folder)/\(name)/errors")) ?? "" }

  /// Ends a process at once, as a loss of power does.
  func kill(_ name: String) async throws {
    guard let (process, end) = running.removeValue(forKey: name) else { return }
    Foundation.kill(process.processIdentifier, SIGKILL)
    _ = try await end.value
  }

  /// Ends a process in good order; what it ended with.
  func terminate(_ name: String) async throws -> Int32? {
    guard let (process, end) = running.removeValue(forKey: name) else { return nil }
    process.terminate()
    return try await end.value
  }

  func endAll() async {
    for (name, (process, end)) in running {
      Foundation.kill(process.processIdentifier, SIGKILL)
      _ = try? await end.value
      running[name] = nil
    }
  }

  func call(_ name: String, _ method: String, _ params: JSONValue = .null) async throws -> JSONValue {
    try await #require(nodes[name]).call(method, params)
  }

  func wait(_ what: @autoclosure () async throws -> String, seconds: Int = 30, _ condition: () async throws -> Bool)
    async throws
  {
    for _ in 0..<(seconds * 50) {
      if try await condition() { return }
      try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("not within \(seconds) s: \(try await what())")
    throw CancellationError()
  }

  // MARK: What tests do with nodes

  func connect(_ from: String, _ to: String) async throws {
    let info = try await call(to, "getinfo")
    let port = try #require(info["binding"]?[0]?["port"]?.unsignedValue)
    let id = try #require(info["id"]?.stringValue)
    _ = try await call(from, "connect", ["id": .string("\(id)@127.0.0.1:\(port)")])
  }

  func id(_ name: String) async throws -> String { try await #require(call(name, "getinfo")["id"]?.stringValue) }

  /// A channel that both ends can use.
  func open(_ from: String, _ to: String, satoshi: Int, push: Int = 0) async throws -> JSONValue {
    try await connect(from, to)
    let reply = try await call(
      from, "fundchannel", ["id": .string(id(to)), "amount": .int(satoshi), "push_msat": .int(push)])
    _ = try await call(from, "glc-generate", ["blocks": 6])
    for name in [from, to] { try await usable(name, reply["channel_id"]) }
    return reply
  }

  func channel(_ name: String, _ id: JSONValue?) async throws -> JSONValue? {
    try await call(name, "listpeerchannels")["channels"]?.arrayValue?.first { $0["channel_id"] == id }
  }

  func usable(_ name: String, _ id: JSONValue?) async throws {
    try await wait(
      "the channel of \(name) is usable: \(try await channel(name, id) ?? .null) \(log(name).suffix(3000))"
    ) {
      let channel = try await channel(name, id)
      return channel?["state"] == "CHANNELD_NORMAL" && channel?["reestablished"] == true
        && channel?["short_channel_id"] != nil
    }
  }

  func pay(_ from: String, _ to: String, msat: Int, label: String) async throws -> JSONValue {
    let invoice = try await call(
      to, "invoice", ["amount_msat": .int(msat), "label": .string(label), "description": "test"])
    return try await call(from, "pay", ["bolt11": #require(invoice["bolt11"])])
  }
}

func withProcesses(_ body: (Processes) async throws -> Void) async throws {
  try await withFolder { folder in
    let processes = try await Processes(in: folder)
    do { try await body(processes) } catch {
      await processes.endAll()
      throw error
    }
    await processes.endAll()
  }
}

@Suite(.serialized) struct NodesTests {
  @Test("what a node records is read by `glcnode tool batch` and drawn by `glcnode glc-replay`")
  func recording() async throws {
    try await withProcesses { all in
      let file = "\(all.folder)/messages"
      try await all.start("alice", ["--record", file])
      try await all.start("bob")
      try await all.connect("alice", "bob")
      let bob = try await all.id("bob")
      try await all.wait("both sides of init are recorded") {
        ((try? Command.read(file)) ?? "").split(separator: "\n").count >= 2
      }
      // Developers' methods are for those who ask for them.
      await #expect(throws: (any Error).self) { try await all.call("alice", "glc-dev-feerate", ["perkw": 1000]) }
      #expect(try await all.terminate("alice") == 0)
      let text = try Command.read(file)
      let attributes = try FileManager.default.attributesOfItem(atPath: file)
      #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
      let batch = try await Command.run(["tool", "batch"], input: text)
      #expect(batch.status == 0)
      let answers = try batch.output.split(separator: "\n").map { try JSONValue(parsing: Array($0.utf8)) }
      #expect(answers.count == text.split(separator: "\n").count)
      #expect(answers.allSatisfy { $0["ok"] == true }, "\(answers)")
      #expect(answers.filter { $0["result"]?["name"] == "init" }.count == 2)
      let drawn = try await Command.run(["glc-replay", file, "--gossip"])
      #expect(drawn.status == 0)
      #expect(drawn.output.contains("│── init ─") && drawn.output.contains("│◀─ init ─"), "\(drawn.output)")
      #expect(drawn.output.contains(bob.prefix(12)) && drawn.output.contains("\(answers.count) messages\n"))
      let others = try await Command.run(["glc-replay", file, "--peer", "00"])
      #expect(others.output.contains("\(answers.count) not shown"))
      // Lines that are none, and files that are not there.
      let broken = try await Command.run(["glc-replay", "-"], input: "nonsense\n" + text.prefix(100) + "\n")
      #expect(broken.status == 0 && broken.output.contains("2 lines that are no recorded messages"))
      #expect(try await Command.run(["glc-replay", "\(all.folder)/nothing"]).status == 2)
    }
  }

  @Test("two nodes in processes of their own: fund, open, pay, kill one in the middle, pay again, close")
  func life() async throws {
    try await withProcesses { all in
      for name in ["alice", "bob"] { try await all.start(name) }
      let faucet = try await all.call("alice", "glc-faucet", ["satoshi": "0.1btc"])
      #expect(faucet["amount_msat"] == 10_000_000_000)
      let funds = try await all.call("alice", "listfunds")
      #expect(funds["outputs"]?[0]?["status"] == "confirmed")
      let opened = try await all.open("alice", "bob", satoshi: 1_000_000, push: 100_000_000)
      let id = opened["channel_id"]

      let paid = try await all.pay("alice", "bob", msat: 1_234_567, label: "first")
      #expect(paid["status"] == "complete")
      #expect(paid["amount_sent_msat"] == 1_234_567)

      // Held at bob's: it is on its way when he dies, and is there when he comes back.
      let preimage = String(repeating: "11", count: 32)
      let hash = "02d449a31fbb267c8f352e9968a79e3e5fc95c1bbeaa502fd6454ebde5a4bedc"
      let held = try await all.call(
        "bob", "glc-holdinvoice",
        ["payment_hash": .string(hash), "amount_msat": 50_000_000, "label": "held", "description": "held"])
      let bolt11 = try #require(held["bolt11"])
      let alice = try #require(all.nodes["alice"])
      let payment = Task { try await alice.call("pay", ["bolt11": bolt11]) }
      try await all.wait("the payment is on its way") {
        try await all.call("bob", "listhtlcs")["htlcs"]?.arrayValue?.contains {
          $0["payment_hash"] == .string(hash) && $0["state"] == "RCVD_ADD_ACK_REVOCATION"
        } ?? false
      }
      try await all.kill("bob")
      try await all.start("bob")
      try await all.connect("alice", "bob")
      try await all.usable("bob", id)
      try await all.wait("the payment is held again") {
        (try? await all.call("bob", "glc-holdinvoice-settle", ["preimage": .string(preimage)])) != nil
      }
      let reply = try await payment.value
      #expect(reply["payment_preimage"] == .string(preimage))
      #expect(reply["amount_sent_msat"] == 50_000_000)

      // The payer is killed too, and knows afterwards what it has paid.
      try await all.kill("alice")
      try await all.start("alice")
      try await all.connect("alice", "bob")
      try await all.usable("alice", id)
      let pays = try await all.call("alice", "listpays")["pays"]?.arrayValue ?? []
      #expect(pays.map { $0["status"] } == ["complete", "complete"])
      let back = try await all.pay("bob", "alice", msat: 7_000, label: "back")
      #expect(back["status"] == "complete")
      // What was taken is signed away a moment later.
      try await all.wait("both sides' commitments say so") {
        let shares = [try await all.channel("alice", id), try await all.channel("bob", id)].map { $0?["to_us_msat"] }
        return shares
          == [.int(900_000_000 - 1_234_567 - 50_000_000 + 7_000), .int(100_000_000 + 1_234_567 + 50_000_000 - 7_000)]
      }

      let closed = try await all.call("alice", "close", ["id": #require(id), "unilateraltimeout": 30])
      #expect(closed["type"] == "mutual")
      // Each side has a closing transaction of its own: whichever a block takes.
      let height = try await all.call("alice", "glc-generate", ["blocks": 1])["blockheight"]
      for name in ["alice", "bob"] {
        try await all.wait("\(name) has its share") {
          try await all.call(name, "listfunds")["outputs"]?.arrayValue?.contains { $0["blockheight"] == height }
            ?? false
        }
      }
      for name in ["alice", "bob"] { #expect(try await all.terminate(name) == 0, "\(all.log(name))") }
    }
  }

  @Test("a peer that is gone: close waits for it, then closes alone, and the money comes back")
  func alone() async throws {
    try await withProcesses { all in
      for name in ["alice", "bob"] { try await all.start(name) }
      _ = try await all.call("alice", "glc-faucet")
      let opened = try await all.open("alice", "bob", satoshi: 500_000)
      try await all.kill("bob")
      let closed = try await all.call("alice", "close", ["id": #require(opened["channel_id"]), "unilateraltimeout": 1])
      #expect(closed["type"] == "unilateral")
      let txid = try #require(closed["txid"])
      try await all.wait("the commitment waits for a block") {
        try await all.call("alice", "glc-mempool")["transactions"]?.arrayValue?.contains { $0["txid"] == txid } ?? false
      }
      let before = try await balance(all, "alice")
      _ = try await all.call("alice", "glc-generate", ["blocks": 150])
      try await all.wait("the delayed output is claimed") {
        _ = try await all.call("alice", "glc-generate", ["blocks": 1])
        return try await balance(all, "alice") > before + 480_000_000
      }
    }
  }

  private func balance(_ all: Processes, _ name: String) async throws -> UInt64 {
    try await all.call(name, "listfunds")["outputs"]?.arrayValue?.reduce(0) {
      $0 + ($1["amount_msat"]?.unsignedValue ?? 0)
    }
      ?? 0
  }

  @Test("refusals have Core Lightning's codes")
  func codes() async throws {
    try await withProcesses { all in
      try await all.start("alice")
      let stranger = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
      let own = try await all.id("alice")
      func code(_ method: String, _ params: JSONValue) async -> Int? {
        do {
          let reply = try await all.call("alice", method, params)
          Issue.record("\(method) gave \(reply)")
          return nil
        } catch {
          guard case .refused(let refusal)? = error as? RPCClientError else { return nil }
          return refusal.code.rawValue
        }
      }
      #expect(await code("nosuchmethod", [:]) == -32601)
      #expect(await code("connect", ["id": .string(stranger)]) == 400)
      #expect(await code("connect", ["id": .string("\(stranger)@127.0.0.1:1")]) == 401)
      #expect(await code("connect", ["id": .string("\(own)@127.0.0.1:1")]) == -32602)
      #expect(await code("fundchannel", ["id": .string(stranger), "amount": 100_000]) == 305)
      #expect(await code("withdraw", ["destination": "nonsense", "satoshi": 1000]) == -32602)
      let address = try #require(try await all.call("alice", "newaddr")["p2tr"])
      #expect(await code("withdraw", ["destination": address, "satoshi": 100_000]) == 301)
      #expect(await code("waitblockheight", ["blockheight": 1_000_000, "timeout": 0]) == 2000)
      #expect(await code("waitinvoice", ["label": "none"]) == 905)
      #expect(await code("waitanyinvoice", ["lastpay_index": 0, "timeout": 0]) == 904)
      _ = try await all.call("alice", "invoice", ["amount_msat": 1000, "label": "a", "description": "a"])
      #expect(await code("invoice", ["amount_msat": 1000, "label": "a", "description": "b"]) == 900)
      #expect(await code("delinvoice", ["label": "a", "status": "paid"]) == 906)
      #expect(await code("delinvoice", ["label": "b", "status": "paid"]) == 905)
      #expect(await code("waitsendpay", ["payment_hash": .string(String(repeating: "ab", count: 32))]) == 208)
      #expect(await code("getroute", ["id": .string(stranger), "amount_msat": 1, "riskfactor": 1]) == 205)
      #expect(await code("keysend", ["destination": .string(stranger), "amount_msat": 1]) == 205)
      #expect(await code("pay", ["bolt11": "lnbcrt1nonsense"]) == -32602)
      #expect(await code("close", ["id": .string(stranger)]) == -32602)
      #expect(await code("disconnect", ["id": .string(stranger)]) == -1)
      #expect(await code("signpsbt", ["psbt": "bm9uc2Vuc2U="]) == 309)
    }
  }

  @Test("the seed is made once, for its owner alone, and its words are shown when asked for")
  func seed() async throws {
    try await withProcesses { all in
      try await all.start("alice")
      let id = try await all.id("alice")
      let file = "\(all.folder)/alice/regtest/seed"
      #expect(try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o600)
      let words = try await all.call("alice", "glc-seed", ["confirm": "show"])["words"]?.stringValue
      #expect(words?.split(separator: " ").count == 24)
      #expect(!all.log("alice").contains(words ?? "none"))
      #expect(try await all.terminate("alice") == 0)
      try await all.start("alice")
      #expect(try await all.id("alice") == id)
    }
  }

  @Test("texts are signed so that the other node, and everybody, can check them")
  func messages() async throws {
    try await withProcesses { all in
      try await all.start("alice")
      let signed = try await all.call("alice", "signmessage", ["message": "hello"])
      let zbase = try #require(signed["zbase"])
      let check = try await all.call("alice", "checkmessage", ["message": "hello", "zbase": zbase])
      #expect(check == ["pubkey": .string(try await all.id("alice")), "verified": true])
      await #expect(throws: RPCClientError.self) {
        try await all.call("alice", "checkmessage", ["message": "hullo", "zbase": zbase])
      }
    }
  }
}
