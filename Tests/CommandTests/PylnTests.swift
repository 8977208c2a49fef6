import Foundation
import Testing

/// Core Lightning's own client for Python drives two nodes.
@Suite(.serialized) struct PylnTests {
  private static let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardizedFileURL.path

  /// What `scripts/install-pyln` has made.
  private static let python: String? = {
    let path = ProcessInfo.processInfo.environment["GLC_PYLN"] ?? "\(root)/.build/pyln"
    let python = "\(path)/bin/python3"
    return FileManager.default.isExecutableFile(atPath: python) ? python : nil
  }()

  @Test("a script for Core Lightning runs against two nodes unchanged")
  func session() async throws {
    guard let python = Self.python else {
      print("SKIPPED: pyln-client is not installed; scripts/install-pyln installs it")
      return
    }
    try await withProcesses { all in
      for name in ["alice", "bob"] { try await all.start(name) }
      let own = "\(all.folder)/script"
      try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
      let process = try Command.start([], in: own)
      process.executableURL = URL(fileURLWithPath: python)
      process.arguments = ["\(Self.root)/scripts/pyln-session.py", all.socket("alice"), all.socket("bob")]
      let status = try await Command.end(process)
      let output = try Command.read("\(own)/output")
      let errors = try Command.read("\(own)/errors")
      #expect(status == 0, "\(output)\n\(errors)\n\(all.log("alice").suffix(2000))")
      print("pyln-client: \(output.split(separator: "\n").last ?? "")")
    }
  }
}
