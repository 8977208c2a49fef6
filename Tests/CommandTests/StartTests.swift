import Foundation
import JSON
import NIOCore
import NIOPosix
import RPC
import Testing

@Suite(.serialized) struct StartTests {
  /// Waits until a node answers; gives up after ten seconds.
  private func client(_ folder: String) async throws -> RPCClient {
    let client = RPCClient(path: "\(folder)/regtest/lightning-rpc")
    for _ in 0..<500 {
      if (try? await client.call("help")) != nil { return client }
      try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("no node answers: \(try Command.read("\(folder)/errors"))")
    return client
  }

  /// Runs `glcnode start` and ends it with `body`; what it ended with and wrote to its errors.
  private func node(
    _ folder: String, _ arguments: [String] = [], _ body: (RPCClient, Process) async throws -> Void
  ) async throws -> (status: Int32, log: String) {
    let process = try Command.start(["start", "--data-dir", folder] + arguments, in: folder)
    async let status = Command.end(process)
    do {
      try await body(try await client(folder), process)
    } catch {
      process.terminate()
      throw error
    }
    return (try await status, try Command.read("\(folder)/errors"))
  }

  @Test("a node ends in good order with stop, SIGTERM and SIGINT, and leaves no socket")
  func stop() async throws {
    let ends: [(RPCClient, Process) async throws -> Void] = [
      { client, _ in
        let reply = try await client.call("stop")
        #expect(reply == ["result": "Shutdown complete"])
      },
      { _, process in process.terminate() }, { _, process in process.interrupt() },
    ]
    for end in ends {
      try await withFolder { folder in
        let (status, log) = try await node(folder, [], end)
        #expect(status == 0, "\(log)")
        #expect(log.contains("info node ready"))
        #expect(log.contains("info node stopped"))
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/regtest/lightning-rpc"))
        let folderPermissions = try FileManager.default.attributesOfItem(atPath: "\(folder)/regtest")[.posixPermissions]
        #expect(folderPermissions as? Int == 0o700)
      }
    }
  }

  @Test("the configuration is seen through the API, and the log's levels change")
  func configuration() async throws {
    try await withFolder { folder in
      try "[node]\nalias = \"from the file\"\n".write(toFile: "\(folder)/glc.toml", atomically: false, encoding: .utf8)
      _ = try await node(folder, ["--log-level", "rpc=debug"]) { client, _ in
        let configs = try await client.call("listconfigs")["configs"]
        #expect(configs?["alias"] == ["value_str": "from the file", "source": .string("\(folder)/glc.toml:2")])
        #expect(configs?["log-level"] == ["value_str": "rpc=debug", "source": "--log-level"])
        #expect(try await client.call("listconfigs", ["network"])["configs"]?.objectValue?.names == ["network"])
        await #expect(throws: RPCClientError.self) { try await client.call("listconfigs", ["nope"]) }
        #expect(
          try await client.call("glc-loglevel", ["peers", "trace"]) == [
            "levels": ["all": "info", "peers": "trace", "rpc": "debug"]
          ])
        #expect(try await client.call("glc-loglevel", ["all", "error"])["levels"]?["all"] == "error")
        _ = try await client.call("stop")
      }
    }
  }

  @Test("a second node on the same folder is refused")
  func second() async throws {
    try await withFolder { folder in
      _ = try await node(folder) { client, _ in
        let second = try await Command.run(["start", "--data-dir", folder])
        #expect(second.status == 1)
        #expect(second.errors.contains("in use"), "\(second.errors)")
        let daemon = try await Command.run(["start", "--data-dir", folder, "--daemon"])
        #expect(daemon.status == 1)
        #expect(daemon.errors.contains("another node answers there"))
        _ = try await client.call("stop")
      }
    }
  }

  @Test("a killed node's socket does not keep the next one from starting")
  func killed() async throws {
    try await withFolder { folder in
      let (status, _) = try await node(folder) { _, process in kill(process.processIdentifier, SIGKILL) }
      #expect(status == SIGKILL)
      #expect(FileManager.default.fileExists(atPath: "\(folder)/regtest/lightning-rpc"))
      let next = try await node(folder) { client, _ in _ = try await client.call("stop") }
      #expect(next.status == 0)
    }
  }

  @Test("SIGHUP opens the log file anew")
  func log() async throws {
    try await withFolder { folder in
      let file = "\(folder)/the.log"
      _ = try await node(folder, ["--log-file", file]) { client, process in
        #expect(try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o600)
        try FileManager.default.moveItem(atPath: file, toPath: file + ".1")
        kill(process.processIdentifier, SIGHUP)
        for _ in 0..<500 where !FileManager.default.fileExists(atPath: file) {
          try await Task.sleep(for: .milliseconds(10))
        }
        _ = try await client.call("stop")
      }
      #expect(try Command.read(file + ".1").contains("ready"))
      #expect(try Command.read(file).contains("stopped"))
    }
  }

  @Test("a daemon answers when the command returns, and keeps its log in its folder")
  func daemon() async throws {
    try await withFolder { folder in
      let start = try await Command.run(["start", "--data-dir", folder, "--daemon"])
      #expect(start.status == 0, "\(start.errors)")
      #expect(start.output.hasPrefix("node "))
      let stop = try await Command.run(["stop", "--data-dir", folder])
      #expect(stop.status == 0)
      for _ in 0..<500 where !(try Command.read("\(folder)/regtest/log").contains("node stopped")) {
        try await Task.sleep(for: .milliseconds(10))
      }
      #expect(try Command.read("\(folder)/regtest/log").contains("node stopped"))
      let failing = try await Command.run(["start", "--data-dir", folder, "--daemon", "--rpc-socket", "/nowhere/rpc"])
      #expect(failing.status == 1)
      #expect(failing.errors.contains("the reason is at the end of \(folder)/regtest/log"))
      #expect(try Command.read("\(folder)/regtest/log").contains("/nowhere/rpc"))
    }
  }

  @Test("a node that runs out of file descriptors answers again when there are some")
  func descriptors() async throws {
    try await withFolder { folder in
      let process = try Command.start([], in: folder)
      process.executableURL = URL(fileURLWithPath: "/bin/bash")
      process.arguments = [
        "-c", "ulimit -n 80; exec \"$0\" \"$@\"", Command.executable.path, "start", "--data-dir", folder,
      ]
      async let status = Command.end(process)
      let client = try await client(folder)
      // Half of them wait to be accepted.
      var held: [any Channel] = []
      for _ in 0..<100 {
        held.append(
          try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(unixDomainSocketPath: client.path).get())
      }
      try await Task.sleep(for: .milliseconds(100))
      for channel in held { try await channel.close() }
      #expect(try await client.call("stop") == ["result": "Shutdown complete"])
      let (ended, errors) = (try await status, try Command.read("\(folder)/errors"))
      #expect(ended == 0, "\(errors)")
      #expect(!errors.contains("no longer listening"))
    }
  }

  @Test("--check prints the configuration without starting anything")
  func check() async throws {
    let run = try await Command.run([
      "start", "--check", "--chain", "bitcoind", "--bitcoind-user", "u", "--bitcoind-password", "hunter2",
    ])
    #expect(run.status == 0)
    #expect(run.output.contains("bitcoind  (--chain)"))
    #expect(!run.output.contains("hunter2"))
  }

  @Test("docs/glc.toml is the sample file")
  func sample() async throws {
    let path = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../docs/glc.toml").standardizedFileURL
    let sample = try await Command.run(["start", "--sample-config"]).output
    #expect(
      try String(contentsOf: path, encoding: .utf8) == sample, "run: glcnode start --sample-config > docs/glc.toml")
  }
}
