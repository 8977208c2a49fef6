import Foundation
import JSON
import Logging
import Node
import RPC
import Synchronization
import Testing

/// The built command, driven as a person or a script drives it.
enum Command {
  /// `glcnode` lies beside the test bundle.
  static let executable: URL = {
    let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    return bundle.deletingLastPathComponent().appendingPathComponent("glcnode")
  }()

  struct Run {
    var status: Int32
    var output: String
    var errors: String
  }

  /// Starts the command; output and errors go to files of `folder`.
  static func start(_ arguments: [String], in folder: String, environment: [String: String] = [:], input: String = "")
    throws -> Process
  {
    let files = ["input", "output", "errors"].map { URL(fileURLWithPath: "\(folder)/\($0)") }
    try Data(input.utf8).write(to: files[0])
    for file in files.dropFirst() { try Data().write(to: file) }
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    process.environment = ["HOME": folder, "PATH": ProcessInfo.processInfo.environment["PATH"] ?? ""].merging(
      environment
    ) { $1 }
    process.standardInput = try FileHandle(forReadingFrom: files[0])
    process.standardOutput = try FileHandle(forWritingTo: files[1])
    process.standardError = try FileHandle(forWritingTo: files[2])
    return process
  }

  /// Runs the command to its end, without holding a thread.
  static func run(_ arguments: [String], environment: [String: String] = [:], input: String = "") async throws -> Run {
    try await withFolder { folder in
      let process = try start(arguments, in: folder, environment: environment, input: input)
      let status = try await end(process)
      return Run(status: status, output: try read("\(folder)/output"), errors: try read("\(folder)/errors"))
    }
  }

  /// Foundation starts one process at a time: two at once have been seen to crash in it.
  private static let starting = Mutex(())

  static func begin(_ process: Process) throws { try starting.withLock { _ in try process.run() } }

  /// Runs a process to its end.
  static func end(_ process: Process) async throws -> Int32 {
    try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do { try begin(process) } catch { continuation.resume(throwing: error) }
    }
  }

  static func read(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }
}

/// A folder that is removed at the end, with a short path: those of sockets are limited.
func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
  let folder = NSTemporaryDirectory() + "/g\(UInt32.random(in: 0 ... .max))"
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try await body(folder)
}

/// A node that answers every method with what it is told to.
func withNode<Result>(
  _ replies: [String: RPCHandler], _ body: ([String]) async throws -> Result
) async throws -> Result {
  try await withFolder { folder in
    var registry = RPCRegistry()
    for (name, handler) in replies { registry.register(try #require(NodeAPI.method(name)), handler) }
    let logger = Logger(label: "glc.rpc") { _ in SwiftLogNoOpLogHandler() }
    let server = try await RPCServer.start(path: folder + "/rpc", registry: registry, logger: logger)
    do {
      let result = try await body(["--socket", server.path])
      await server.stop()
      return result
    } catch {
      await server.stop()
      throw error
    }
  }
}
