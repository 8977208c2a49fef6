internal import ArgumentParser
internal import Foundation

struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Three nodes, real channels: payments, a restart, a theft and its punishment; channels that no BOLT has.",
    discussion: """
      Alice, Bob and Carol run in this process on a chain of their own, talk over TCP on this machine and keep their state in \
      SQLite. Everything that is told is checked; the exit status is 1 when anything is not as told.
      """)

  @Flag(help: "Leave the nodes running afterwards, and say where their sockets are.")
  var keep = false
  @Option(help: "Where the nodes keep their state; a temporary folder when not given.")
  var folder: String?
  @Flag(help: "Show the nodes' logs.")
  var verbose = false

  func run() async throws {
    let place =
      folder ?? FileManager.default.temporaryDirectory.appendingPathComponent("glc-demo-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    defer { if folder == nil && !keep { try? FileManager.default.removeItem(atPath: place) } }
    do {
      let demo = try await Demo(folder: place, isVerbose: verbose)
      try await demo.run()
      if keep { try await demo.stay() }
      await demo.stop()
    } catch {
      Output.writeError("\nThis is not how the story goes: \(error)\n")
      throw ExitCode(1)
    }
  }
}
