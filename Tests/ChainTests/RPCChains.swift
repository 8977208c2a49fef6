import Bitcoin
import Encoding
import FoundationEssentials
import Hashing
import JSON

@testable import Chain

#if canImport(Glibc)
  import Glibc
#endif

/// Anything that speaks bitcoind's RPC.
struct RPCChain: ChainUnderTest {
  let bitcoind: BitcoindSource
  var source: any ChainSource { bitcoind }

  /// Another one each time: a block that was invalidated must not be found again.
  private var address: String {
    var generator = SystemRandomNumberGenerator()
    let hash = sha256((0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) })
    return Address(scriptPubKey: .p2wsh(hash), on: .regtest)!.description
  }

  func mine(_ count: Int) async throws -> BlockPosition {
    _ = try await bitcoind.call("generatetoaddress", [.int(count), .string(address)])
    return try await bitcoind.tip()
  }

  func mine(_ transactions: [Transaction]) async throws {
    _ = try await bitcoind.call(
      "generateblock", [.string(address), .array(transactions.map { .hex($0.encoded) })])
  }

  func send(_ amount: Satoshi, to script: Script) async throws -> OutPoint {
    let address = Address(scriptPubKey: script, on: .regtest)!.description
    let txid = try await bitcoind.call("sendtoaddress", [.string(address), .bitcoins(amount.rawValue)])
    let transaction = try await bitcoind.transaction(try TxID(display: txid.stringValue!))!.transaction
    let vout = transaction.outputs.firstIndex { $0.scriptPubKey == script }!
    return OutPoint(txid: transaction.txid, vout: UInt32(vout))
  }

  func invalidate(_ hash: BlockHash) async throws { _ = try await bitcoind.call("invalidateblock", [.text(hash)]) }
  func reconsider(_ hash: BlockHash) async throws { _ = try await bitcoind.call("reconsiderblock", [.text(hash)]) }
}

/// The embedded chain, served over loopback to a client of its own.
func withServedChain<R>(
  _ chain: RegtestChain? = nil, _ body: (RegtestChain, ChainServer, BitcoindSource) async throws -> R
) async throws -> R {
  try await withTemporaryFolder { folder in
    let chain = try chain ?? RegtestChain()
    let cookie = folder + "/.cookie"
    let server = try await ChainServer.start(chain, ChainServer.Options(cookiePath: cookie))
    var options = BitcoindSource.Options(network: .regtest, port: server.port, credentials: .cookie(path: cookie))
    options.pollInterval = .milliseconds(20)
    let source = BitcoindSource(options)
    do {
      let result = try await body(chain, server, source)
      await source.close()
      await server.stop()
      return result
    } catch {
      await source.close()
      await server.stop()
      throw error
    }
  }
}

/// A bitcoind of the machine's, in a folder of its own, on regtest, with a wallet and 110 blocks.
struct RunningBitcoind {
  /// `GLC_BITCOIND`, or what is on PATH; nil when there is none.
  static let executable: String? = {
    let environment = ProcessInfo.processInfo.environment
    if let path = environment["GLC_BITCOIND"], !path.isEmpty { return path }
    return environment["PATH"]?.split(separator: ":").map { "\($0)/bitcoind" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  struct CannotStart: Error { let log: String }

  let process: pid_t
  let folder: String
  let port: Int
  var cookie: String { folder + "/regtest/.cookie" }

  var options: BitcoindSource.Options {
    var options = BitcoindSource.Options(network: .regtest, port: port, credentials: .cookie(path: cookie))
    options.pollInterval = .milliseconds(20)
    return options
  }

  static func freePort() -> Int {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    return unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        guard unsafe bind(socket, generic, length) == 0, unsafe getsockname(socket, generic, &length) == 0
        else { return 0 }
        return Int(UInt16(bigEndian: unsafe pointer.pointee.sin_port))
      }
    }
  }

  static func start(in folder: String, port: Int, _ arguments: [String] = []) async throws -> RunningBitcoind {
    let executable = executable!
    // Knots has filters and defaults of its own; Bitcoin Core does not know these settings, and must not see them.
    let isKnots = try await output(of: executable, ["-version"]).contains("Knots")
    var settings = [
      "-regtest", "-server=1", "-datadir=\(folder)", "-listen=0", "-dnsseed=0", "-fixedseeds=0", "-discover=0",
      "-rpcport=\(port)", "-rpcbind=127.0.0.1", "-rpcallowip=127.0.0.1", "-rpcthreads=8", "-fallbackfee=0.00002",
      "-minrelaytxfee=0.00001", "-incrementalrelayfee=0.00001", "-printtoconsole=0",
    ]
    if isKnots { settings += ["-corepolicy=1", "-mempooltruc=enforce", "-permitephemeral=anchor,send,dust"] }
    let process = try spawn(executable, settings + arguments, log: folder + "/output")
    return RunningBitcoind(process: process, folder: folder, port: port)
  }

  /// Waits until it answers.
  func waitUntilReady(_ source: BitcoindSource) async throws {
    for _ in 0..<600 {
      do {
        _ = try await source.check()
        return
      } catch {
        guard error.isTransient, kill(process, 0) == 0 else { throw error }
        try await Task.sleep(for: .milliseconds(50))
      }
    }
    throw CannotStart(log: String(decoding: (try? readFile(folder + "/output")) ?? [], as: UTF8.self))
  }

  func stop() async {
    var status: Int32 = 0
    // Gone already, and its number perhaps another's.
    guard unsafe waitpid(process, &status, WNOHANG) == 0 else { return }
    kill(process, SIGTERM)
    await Self.wait(for: process)
  }

  /// Without holding a thread meanwhile.
  private static func wait(for process: pid_t) async {
    var status: Int32 = 0
    for _ in 0..<3000 where unsafe waitpid(process, &status, WNOHANG) == 0 {
      try? await Task.sleep(for: .milliseconds(10))
    }
  }

  private static func spawn(_ path: String, _ arguments: [String], log: String) throws -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    for descriptor in [1, 2] as [Int32] {
      unsafe posix_spawn_file_actions_addopen(&actions, descriptor, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    }
    // Threads of Swift's run with all signals blocked, and children inherit that.
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&attributes, &signals)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var pointers: [UnsafeMutablePointer<CChar>?] = unsafe ([path] + arguments).map { unsafe strdup($0) } + [nil]
    defer { unsafe pointers.forEach { unsafe free($0) } }
    var process: pid_t = 0
    let result = unsafe posix_spawn(&process, path, &actions, &attributes, &pointers, environ)
    guard result == 0 else { throw CannotStart(log: "posix_spawn \(path): error \(result)") }
    return process
  }

  private static func output(of path: String, _ arguments: [String]) async throws -> String {
    try await withTemporaryFolder { folder in
      let process = try spawn(path, arguments, log: folder + "/output")
      await wait(for: process)
      return String(decoding: try readFile(folder + "/output"), as: UTF8.self)
    }
  }

  private static let turns = Turns(2)

  static func with<R: Sendable>(_ body: (RunningBitcoind, RPCChain) async throws -> R) async throws -> R {
    try await turns.take {
      try await withTemporaryFolder { folder in
        let running = try await start(in: folder, port: freePort())
        let source = BitcoindSource(running.options)
        let result: Result<R, any Error>
        do {
          try await running.waitUntilReady(source)
          _ = try await source.call("createwallet", ["test"])
          let address = try await source.call("getnewaddress").stringValue!
          _ = try await source.call("generatetoaddress", [110, .string(address)])
          result = .success(try await body(running, RPCChain(bitcoind: source)))
        } catch {
          result = .failure(error)
        }
        await source.close()
        await running.stop()
        return try result.get()
      }
    }
  }
}

/// Lets so many in at a time.
actor Turns {
  private var free: Int
  private var queue: [CheckedContinuation<Void, Never>] = []

  init(_ count: Int) { free = count }

  private func enter() async {
    if free > 0 { free -= 1 } else { await withCheckedContinuation { queue.append($0) } }
  }

  private func leave() { if queue.isEmpty { free += 1 } else { queue.removeFirst().resume() } }

  nonisolated func take<R>(_ body: () async throws -> R) async throws -> R {
    await enter()
    do {
      let result = try await body()
      await leave()
      return result
    } catch {
      await leave()
      throw error
    }
  }
}
