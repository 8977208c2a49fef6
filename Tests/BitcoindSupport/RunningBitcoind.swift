import Bitcoin
package import Chain
import FoundationEssentials
import JSON
import Synchronization

#if canImport(Glibc)
  package import Glibc
#endif

/// A bitcoind of the machine's on regtest, in a folder of its own, over loopback. Ends with its last user.
package final class RunningBitcoind: Sendable {
  /// `GLC_BITCOIND`, or what is on PATH; nil when there is none.
  package static let executable: String? = {
    let environment = ProcessInfo.processInfo.environment
    if let path = environment["GLC_BITCOIND"], !path.isEmpty { return path }
    return environment["PATH"]?.split(separator: ":").map { "\($0)/bitcoind" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  package static let reason =
    "there is no bitcoind: scripts/install-bitcoind PREFIX, then set GLC_BITCOIND=PREFIX/bin/bitcoind"

  package struct CannotStart: Error { package let log: String }

  package let process: pid_t
  package let folder: String
  package let port: Int
  /// Nil once it has been waited for: its number may be another's by then.
  private let running: Mutex<pid_t?>

  private init(process: pid_t, folder: String, port: Int) {
    self.process = process
    self.folder = folder
    self.port = port
    running = Mutex(process)
  }

  deinit { kill() }

  package var cookie: String { folder + "/regtest/.cookie" }

  package var options: BitcoindSource.Options {
    var options = BitcoindSource.Options(network: .regtest, port: port, credentials: .cookie(path: cookie))
    options.pollInterval = .milliseconds(20)
    return options
  }

  /// A port that nobody has now: below those that the system gives to connections, so that none of them has it when it is wanted again after a
  /// restart.
  package static func freePort() -> Int {
    for _ in 0..<100 {
      let port = Int.random(in: 10_000..<32_000)
      // Not one that somebody here was given and does not use yet.
      if given.withLock({ $0.insert(port).inserted }), isFree(port) { return port }
    }
    return 0
  }

  private static let given = Mutex<Set<Int>>([])

  private static func isFree(_ port: Int) -> Bool {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        unsafe bind(socket, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }

  package static func start(in folder: String, port: Int, _ arguments: [String] = []) async throws -> RunningBitcoind {
    guard let executable else { throw CannotStart(log: reason) }
    // Knots has filters and defaults of its own; Bitcoin Core does not know these settings, and must not see them.
    let isKnots = try await output(of: executable, ["-version"]).contains("Knots")
    var settings = [
      "-regtest", "-server=1", "-datadir=\(folder)", "-listen=0", "-dnsseed=0", "-fixedseeds=0", "-discover=0",
      "-rpcport=\(port)", "-rpcbind=127.0.0.1", "-rpcallowip=127.0.0.1", "-rpcthreads=8", "-fallbackfee=0.00002",
      "-minrelaytxfee=0.00001", "-incrementalrelayfee=0.00001", "-printtoconsole=0", "-dbcache=4",
    ]
    if isKnots { settings += ["-corepolicy=1", "-mempooltruc=enforce", "-permitephemeral=anchor,send,dust"] }
    let process = try spawn(executable, settings + arguments, log: folder + "/output")
    return RunningBitcoind(process: process, folder: folder, port: port)
  }

  /// Waits until it answers.
  package func waitUntilReady(_ source: BitcoindSource) async throws {
    for _ in 0..<1200 {
      do {
        _ = try await source.check()
        return
      } catch {
        guard error.isTransient, Glibc.kill(process, 0) == 0 else { throw error }
        try await Task.sleep(for: .milliseconds(50))
      }
    }
    throw CannotStart(log: Self.read(folder + "/output"))
  }

  /// Ends it in good order.
  package func stop() async {
    guard
      let process = running.withLock({ running in
        defer { running = nil }
        return running
      })
    else { return }
    var status: Int32 = 0
    guard unsafe waitpid(process, &status, WNOHANG) == 0 else { return }
    Glibc.kill(process, SIGTERM)
    await Self.wait(for: process)
  }

  /// Ends it at once, as a loss of power does.
  package func kill() {
    running.withLock { running in
      guard let process = running else { return }
      running = nil
      var status: Int32 = 0
      guard unsafe waitpid(process, &status, WNOHANG) == 0 else { return }
      Glibc.kill(process, SIGKILL)
      _ = unsafe waitpid(process, &status, 0)
    }
  }

  /// Without holding a thread meanwhile.
  private static func wait(for process: pid_t) async {
    var status: Int32 = 0
    for _ in 0..<6000 {
      guard unsafe waitpid(process, &status, WNOHANG) == 0 else { return }
      try? await Task.sleep(for: .milliseconds(10))
    }
    Glibc.kill(process, SIGKILL)
    _ = unsafe waitpid(process, &status, 0)
  }

  private static func read(_ path: String) -> String {
    String(decoding: (try? Data(contentsOf: URL(filePath: path))) ?? Data(), as: UTF8.self)
  }

  private static func spawn(_ path: String, _ arguments: [String], log: String) throws -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    for descriptor in [1, 2] as [Int32] {
      unsafe posix_spawn_file_actions_addopen(&actions, descriptor, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    }
    // Other tests' sockets stay open as long as somebody has them.
    for descriptor in 3..<min(getdtablesize(), 65_536) {
      unsafe posix_spawn_file_actions_addclose(&actions, descriptor)
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
      return read(folder + "/output")
    }
  }
}

package func withTemporaryFolder<R>(_ body: (String) async throws -> R) async throws -> R {
  let folder = try makeTemporaryFolder()
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try await body(folder)
}

func makeTemporaryFolder() throws -> String {
  let name = "glc-chain-\(UInt64.random(in: 0...(.max)))"
  let folder = FileManager.default.temporaryDirectory.appending(path: name).path()
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  return folder
}

/// Lets so many in at a time.
package actor Turns {
  private var free: Int
  private var queue: [CheckedContinuation<Void, Never>] = []

  package init(_ count: Int) { free = count }

  private func enter() async {
    if free > 0 { free -= 1 } else { await withCheckedContinuation { queue.append($0) } }
  }

  private func leave() { if queue.isEmpty { free += 1 } else { queue.removeFirst().resume() } }

  package nonisolated func take<R>(_ body: () async throws -> R) async throws -> R {
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
