import Dispatch
import Encoding
import Foundation
import Storage

/// What the tests of `Storage` run as a process of its own: to kill it, to take its disk space, to see that it locks others out, and to
/// measure.
@main struct StorageHelper {
  static let first: CollectionName = "first"
  static let second: CollectionName = "second"
  static let last: CollectionName = "last"
  static let schema = StoreSchema(collections: [first, second, last])

  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count >= 3 else { return print("storagehelper commit|hold|fill|limit|measure FOLDER …") }
    let folder = arguments[2]
    let number = arguments.count > 3 ? Int(arguments[3]) ?? 1 : 1
    switch arguments[1] {
    case "commit": try await commit(folder, callers: number)
    case "hold": try await hold(folder)
    case "fill": try await fill(folder)
    case "limit": try await limit(folder, bytes: number)
    case "measure": try await measure(folder, callers: number)
    default: print("unknown")
    }
  }

  /// One line, in one write, so that whoever reads sees whole lines up to the moment of death.
  static func say(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
  }

  static func key(_ caller: Int, _ number: Int) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(UInt32(caller))
    writer.write(UInt32(number))
    return writer.bytes
  }

  /// A batch over three collections that can be checked afterwards: two records that belong together, and the caller's last number.
  static func batch(_ caller: Int, _ number: Int) -> [Change] {
    let key = key(caller, number)
    let value = [UInt8](repeating: UInt8(truncatingIfNeeded: caller &+ number), count: 100 + number % 400)
    return [
      .put(first, key: key, value: value),
      .put(last, key: Array(key.prefix(4)), value: Array(key.suffix(4))),
      .put(second, key: key, value: value.reversed()),
    ]
  }

  /// Commits for ever, and says which commits have returned.
  static func commit(_ folder: String, callers: Int) async throws {
    let store = try SQLiteStore(folder: folder, schema: schema)
    say("ready")
    try await withThrowingTaskGroup(of: Void.self) { group in
      for caller in 0..<callers {
        group.addTask {
          var number = try await store.count(in: first, prefix: Array(key(caller, 0).prefix(4)))
          while true {
            try await store.commit(batch(caller, number))
            say("\(caller) \(number)")
            number += 1
          }
        }
      }
      try await group.waitForAll()
    }
  }

  /// Keeps the store open until its input ends.
  static func hold(_ folder: String) async throws {
    let store = try SQLiteStore(folder: folder, schema: schema)
    say("ready")
    _ = readLine()
    try await store.close()
  }

  /// Commits until the disk is full, deletes something, and goes on.
  static func fill(_ folder: String) async throws {
    let store = try SQLiteStore(folder: folder, schema: schema)
    let ballast = folder + "/ballast"
    _ = FileManager.default.createFile(atPath: ballast, contents: Data(count: 1 << 20))
    var number = 0
    var error: StoreError?
    while error == nil {
      do throws(StoreError) {
        try await store.commit(batch(0, number))
        number += 1
      } catch let thrown { error = thrown }
    }
    say("\(number) \(error == .diskFull)")
    let isRefusedAgain: Bool
    do throws(StoreError) {
      try await store.commit([.put(second, key: [], value: [UInt8](repeating: 1, count: 4 << 20))])
      isRefusedAgain = false
    } catch { isRefusedAgain = error == .diskFull }
    try FileManager.default.removeItem(atPath: ballast)
    try await store.commit(batch(0, number))
    try await store.integrityCheck()
    say("\(isRefusedAgain) \(try await store.count(in: first))")
    try await store.close()
  }

  /// Commits until a file reaches the limit of the process, an error of the disk that is not a full one.
  static func limit(_ folder: String, bytes: Int) async throws {
    _ = signal(SIGXFSZ, SIG_IGN)
    var limit = rlimit()
    _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
    limit.rlim_cur = rlim_t(bytes)
    let store = try SQLiteStore(folder: folder, schema: schema)
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
    var number = 0
    var error: StoreError?
    while error == nil {
      do throws(StoreError) {
        try await store.commit(batch(0, number))
        number += 1
      } catch let thrown { error = thrown }
    }
    var isStopped = false
    do throws(StoreError) { try await store.commit(batch(0, number)) } catch {
      if case .failed = error { isStopped = true }
    }
    guard case .inputOutput = error else { return say("\(number) \(String(describing: error))") }
    say("\(number) \(isStopped)")
  }

  static func measure(_ folder: String, callers: Int) async throws {
    let store = try SQLiteStore(folder: folder, schema: schema)
    let clock = ContinuousClock()
    for callers in [1, callers] {
      let start = clock.now
      let counts = try await withThrowingTaskGroup(of: [Duration].self) { group in
        for caller in 0..<callers {
          group.addTask {
            var times: [Duration] = []
            var number = 0
            while clock.now - start < .seconds(5) {
              let before = clock.now
              try await store.commit(batch(caller, number))
              times.append(clock.now - before)
              number += 1
            }
            return times
          }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      let sorted = counts.sorted()
      say(
        "\(callers) callers: \(sorted.count / 5)/s, median \(sorted[sorted.count / 2]), 99 % \(sorted[sorted.count * 99 / 100])"
      )
    }
    try await store.close()
  }
}
