internal import Foundation
internal import Synchronization

/// The file that the log is appended to, or the standard error stream.
final class LogFile: Sendable {
  private let path: String?
  private let handle: Mutex<FileHandle>

  /// Nil for the standard error stream.
  init(_ path: String?) throws {
    self.path = path
    handle = Mutex(try Self.open(path))
  }

  private static func open(_ path: String?) throws -> FileHandle {
    guard let path else { return FileHandle.standardError }
    if !FileManager.default.fileExists(atPath: path) {
      // What peers and payments there are is nobody else's business.
      _ = FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
    }
    guard let handle = FileHandle(forWritingAtPath: path) else {
      throw CommandFailure(.usage, "the log file \(path) cannot be opened; give another one with --log-file")
    }
    try handle.seekToEnd()
    return handle
  }

  /// Opens the file anew, after somebody moved the old one away.
  func reopen() throws {
    guard path != nil else { return }
    let new = try Self.open(path)
    handle.withLock { $0 = new }
  }

  func write(_ line: String) {
    // A full disk must not stop the node.
    handle.withLock { try? $0.write(contentsOf: Data((line + "\n").utf8)) }
  }
}
