internal import Configuration
internal import Foundation
internal import JSON
internal import RPC

/// `glcnode start --daemon`: the node in a process of its own, without a terminal.
///
/// A new process rather than a fork: a process with several threads cannot safely be forked.
enum Daemon {
  /// Set for the process in the background.
  static let variable = "GLC_IN_BACKGROUND"

  /// Starts it and returns when its API answers. Fails when it ends before.
  static func start(_ words: [String], _ configuration: NodeConfiguration) async throws(CommandFailure) {
    let socket = configuration.rpcSocketPath
    if await answers(socket) { throw CommandFailure(.refused, RPCServerError.inUse(path: socket).description) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = ["start"] + words
    process.environment = ProcessInfo.processInfo.environment.merging([variable: "1"]) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    do {
      try process.run()
    } catch {
      throw CommandFailure(.refused, "no process can be started: \(error.localizedDescription)")
    }
    while process.isRunning {
      if await answers(socket) {
        try Output.write("node \(process.processIdentifier) answers at \(socket)\n")
        return
      }
      try? await Task.sleep(for: .milliseconds(50))
    }
    throw CommandFailure(
      .refused, "the node did not start; the reason is at the end of \(configuration.logFile ?? "its log")")
  }

  private static func answers(_ socket: String) async -> Bool {
    (try? await RPCClient(path: socket).call("help", ["command": "help"])) != nil
  }
}
