internal import ArgumentParser
internal import Chain
internal import Configuration
internal import Foundation
internal import Logging
internal import Node

/// What `glcnode chain` is asked to serve.
struct ChainServerOptions: Sendable {
  var listen: HostPort
  /// Nil when blocks are made on demand.
  var blockInterval: Duration?
  /// Where user and password for the clients are written.
  var cookieFile: String
  /// Where the chain is kept; nil for in memory alone.
  var file: String?
}

/// What `glcnode chain` starts. It returns when clients can connect.
struct ChainRunner: Sendable {
  let start: @Sendable (ChainServerOptions, NodeLog) async throws -> any RunningNode

  /// The chain of this build.
  static let standard = ChainRunner { options, log in try await ServedChain.start(options, log) }
}

/// A regtest chain in memory or in a file, served to other processes.
final class ServedChain: RunningNode {
  private let chain: RegtestChain
  private let server: ChainServer
  private let ended: AsyncStream<Void>
  private let end: AsyncStream<Void>.Continuation

  private init(_ chain: RegtestChain, _ server: ChainServer) {
    self.chain = chain
    self.server = server
    (ended, end) = AsyncStream.makeStream(of: Void.self)
  }

  static func start(_ options: ChainServerOptions, _ log: NodeLog) async throws -> ServedChain {
    let folder = URL(filePath: options.cookieFile).deletingLastPathComponent().path
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let chain = try RegtestChain(RegtestChain.Options(path: options.file))
    let server = try await ChainServer.start(
      chain,
      ChainServer.Options(
        host: options.listen.host, port: Int(options.listen.port), cookiePath: options.cookieFile),
      logger: log.logger("chain"))
    await chain.mineBlocks(every: options.blockInterval)
    return ServedChain(chain, server)
  }

  func stop() async {
    await chain.mineBlocks(every: nil)
    await server.stop()
    end.finish()
  }

  func waitUntilStopped() async throws { for await _ in ended {} }
}

struct ChainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chain",
    abstract: "Serve a regtest chain to nodes in other processes.",
    discussion: """
      It answers the part of bitcoind's JSON-RPC that nodes need, so a node uses it like bitcoind:

        glcnode chain --listen 127.0.0.1:18443
        glcnode start --chain bitcoind --bitcoind-url http://127.0.0.1:18443 --bitcoind-cookie ~/.glc/regtest/chain.cookie
      """)

  @Option(help: "Where it answers.")
  var listen = "127.0.0.1:18443"

  @Option(help: "Seconds between blocks; 0 for on demand.")
  var blockInterval = 0

  @Option(help: "The file for user and password. Default: ~/.glc/regtest/chain.cookie.")
  var cookieFile: String?

  @Option(help: "The file that keeps the chain. Without one, it ends with the command.")
  var file: String?

  func run() async throws {
    guard let listen = HostPort(listen) else {
      throw ValidationError("--listen: expected HOST:PORT, got '\(listen)'")
    }
    guard (0...86_400).contains(blockInterval) else {
      throw ValidationError("--block-interval: expected 0 to 86400, got \(blockInterval)")
    }
    let home = FileManager.default.homeDirectoryForCurrentUser.path
    let options = ChainServerOptions(
      listen: listen, blockInterval: blockInterval == 0 ? nil : .seconds(blockInterval),
      cookieFile: cookieFile ?? "\(home)/.glc/regtest/chain.cookie", file: file)
    let output = try LogFile(nil)
    let log = NodeLog(write: output.write)
    let signals = Signals()
    let server = try await ChainRunner.standard.start(options, log)
    let stream = signals.stream
    let listener = Task {
      for await signal in stream where signal == .stop { await server.stop() }
    }
    defer { withExtendedLifetime(signals) { listener.cancel() } }
    try await server.waitUntilStopped()
  }
}
