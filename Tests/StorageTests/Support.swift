import Foundation
import Storage
import Testing

let alpha: CollectionName = "alpha"
let beta: CollectionName = "beta"
let schema = StoreSchema(collections: [alpha, beta])

/// A folder that is gone after the test.
func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("glc-store-\(UUID().uuidString)").path
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try await body(folder)
}

/// Every kind of store, for what all of them must do alike.
enum Kind: String, CaseIterable, CustomTestStringConvertible {
  case sqlite = "SQLite"
  case large = "SQLite, laid out for large records"
  case memory

  var testDescription: String { rawValue }

  func withStore(_ schema: StoreSchema = schema, _ body: (any Store) async throws -> Void) async throws {
    switch self {
    case .memory: try await body(try MemoryStore(schema: schema))
    case .sqlite, .large:
      var schema = schema
      if self == .large { schema.largeCollections = Set(schema.collections) }
      try await withFolder { folder in
        let store = try SQLiteStore(folder: folder, schema: schema)
        try await body(store)
        try await store.close()
      }
    }
  }
}

/// The helper's process, its output line by line.
final class Helper {
  let process = Process()
  let output = Pipe()
  private let input = Pipe()

  init(_ arguments: [String], through wrapper: [String] = []) throws {
    let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    let path = bundle.deletingLastPathComponent().appendingPathComponent("storagehelper").path
    let command = wrapper + [path] + arguments
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst())
    process.standardOutput = output
    process.standardInput = input
    try process.run()
  }

  /// What the process has written when it has ended.
  func finish() throws -> [String] {
    try? input.fileHandleForWriting.close()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// Reads up to the first line's end.
  func firstLine() -> String {
    var line = Data()
    while true {
      let next = output.fileHandleForReading.readData(ofLength: 1)
      if next.isEmpty || next[0] == 10 { return String(decoding: line, as: UTF8.self) }
      line += next
    }
  }

  func kill() { _ = Foundation.kill(process.processIdentifier, SIGKILL) }
}
