import Foundation
import Testing

@testable import Storage

/// What happens to files.
@Suite struct SQLiteStoreTests {
  @Test("what was committed is there when the store is opened again")
  func reopening() async throws {
    try await withFolder { folder in
      for round in UInt8(0)..<5 {
        let store = try SQLiteStore(folder: folder + "/deep/er", schema: schema)
        #expect(try await store.count(in: alpha) == Int(round))
        try await store.commit([.put(alpha, key: [round], value: [UInt8](repeating: round, count: 100_000))])
        #expect(try await store.value(of: [round], in: alpha)?.count == 100_000)
        try await store.close()
      }
    }
  }

  @Test("every commit is written through to the disk")
  func pragmas() async throws {
    try await withFolder { folder in
      for _ in 0..<2 {
        let store = try SQLiteStore(folder: folder, schema: schema)
        #expect(try store.pragma("synchronous") == "2")
        #expect(try store.pragma("journal_mode") == "wal")
        #expect(try store.pragma("application_id") == "\(0x474c_4373)")
        #expect(try store.pragma("user_version") == "1")
        try await store.close()
      }
    }
  }

  /// A file that grows with each commit is flushed several times slower than one that is written over.
  @Test("the log has all its room from the start, also after a crash that left one behind")
  func roomOfTheLog() async throws {
    try await withFolder { folder in
      func size(_ path: String) throws -> Int {
        (try FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber)?.intValue ?? -1
      }
      var options = SQLiteStore.Options()
      options.checkpointPages = 100
      let store = try SQLiteStore(folder: folder, schema: schema, options: options)
      let room = try size(folder + "/glc.sqlite-wal")
      #expect(room == 32 + 112 * (24 + 4096))
      for number in UInt8(0)..<200 {
        try await store.commit([.put(alpha, key: [number], value: [UInt8](repeating: number, count: 3000))])
      }
      #expect(try size(folder + "/glc.sqlite-wal") == room)
      // As a crash leaves it: with frames, with what is left of older ones, with zeros; or shorter.
      for length in [room, room / 2 / 4120 * 4120 + 32] {
        let copy = folder + "/copy"
        try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: false)
        for name in ["/glc.sqlite", "/glc.sqlite-wal"] {
          try FileManager.default.copyItem(atPath: folder + name, toPath: copy + name)
        }
        let log = try #require(FileHandle(forWritingAtPath: copy + "/glc.sqlite-wal"))
        try log.truncate(atOffset: UInt64(length))
        try log.close()
        let again = try SQLiteStore(folder: copy, schema: schema, options: options)
        if length == room { #expect(try await again.count(in: alpha) == 200) }
        try await again.integrityCheck()
        try await again.commit([.put(alpha, key: [255], value: [1])])
        #expect(try await again.value(of: [255], in: alpha) == [1])
        #expect(try size(copy + "/glc.sqlite-wal") == room)
        try await again.close()
        try FileManager.default.removeItem(atPath: copy)
      }
      try await store.close()
      #expect(!FileManager.default.fileExists(atPath: folder + "/glc.sqlite-wal"))
    }
  }

  @Test("files are for their owner alone")
  func permissions() async throws {
    try await withFolder { folder in
      let store = try SQLiteStore(folder: folder, schema: schema)
      try await store.commit([.put(alpha, key: [1], value: [1])])
      func mode(_ path: String) throws -> Int {
        (try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?.intValue ?? -1
      }
      #expect(try mode(folder) == 0o700)
      let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(Set(names) == ["glc.sqlite", "glc.sqlite-wal", "glc.sqlite-shm", "lock"])
      for name in names { #expect(try mode(folder + "/" + name) == 0o600, "\(name)") }
      try await store.close()
    }
  }

  @Test("a folder belongs to one store at a time, in one process or two")
  func locking() async throws {
    try await withFolder { folder in
      let helper = try Helper(["hold", folder])
      #expect(helper.firstLine() == "ready")
      let pid = helper.process.processIdentifier
      #expect(throws: StoreError.locked(folder: folder, pid: pid)) { try SQLiteStore(folder: folder, schema: schema) }
      #expect("\(StoreError.locked(folder: folder, pid: pid))".contains("process \(pid)"))
      // A lock outlives no process.
      helper.kill()
      _ = try helper.finish()
      let store = try SQLiteStore(folder: folder, schema: schema)
      #expect(throws: StoreError.locked(folder: folder, pid: getpid())) {
        try SQLiteStore(folder: folder, schema: schema)
      }
      try await store.commit([.put(alpha, key: [1], value: [1])])
      try await store.close()
      let next = try SQLiteStore(folder: folder, schema: schema)
      #expect(try await next.count(in: alpha) == 1)
      try await next.close()
    }
  }

  /// Between `fork` and `exec` a new process has a copy of every descriptor.
  @Test("a folder is free when its store is closed, even if a process that is being started has its lock's descriptor")
  func lockOfAClosedStore() async throws {
    try await withFolder { folder in
      let store = try SQLiteStore(folder: folder, schema: schema)
      let lock = URL(fileURLWithPath: folder + "/lock").resolvingSymlinksInPath().path
      let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int32($0) }
      let own = try #require(
        descriptors.first {
          (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == lock
        })
      let copy = dup(own)
      defer { close(copy) }
      try await store.close()
      try await SQLiteStore(folder: folder, schema: schema).close()
    }
  }

  @Test("a store of a newer version, or with a migration that is not known, is refused and stays as it is")
  func newer() async throws {
    try await withFolder { folder in
      let migration = StoreMigration("of the future") { _ throws(StoreError) in }
      try await SQLiteStore(folder: folder, schema: StoreSchema(version: 3, collections: [alpha])).close()
      let path = folder + "/glc.sqlite"
      let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      #expect(throws: StoreError.newer(path: path, found: "3", supported: "2")) {
        try SQLiteStore(folder: folder, schema: StoreSchema(version: 2, collections: [alpha]))
      }
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == bytes)
      let future = StoreSchema(version: 3, collections: [alpha], migrations: [migration])
      try await SQLiteStore(folder: folder, schema: future).close()
      #expect(throws: StoreError.newer(path: path, found: "of the future", supported: "version 3")) {
        try SQLiteStore(folder: folder, schema: StoreSchema(version: 3, collections: [alpha]))
      }
      #expect(throws: StoreError.newer(path: "memory", found: "3", supported: "2")) {
        _ = try MemoryStore(schema: future).reopened(schema: StoreSchema(version: 2, collections: [alpha]))
      }
    }
  }

  @Test("migrations run once, in order, in one transaction, over either store")
  func migrations() async throws {
    let first = StoreMigration("double every value") { editor throws(StoreError) in
      for record in try editor.records(in: alpha, prefix: [], from: nil, limit: nil) {
        try editor.apply([.put(alpha, key: record.key, value: record.value.map { $0 &* 2 })])
      }
    }
    let second = StoreMigration("move to beta") { editor throws(StoreError) in
      guard let value = try editor.value(of: [1], in: alpha) else { return }
      try editor.apply([.put(beta, key: [1], value: value), .delete(alpha, key: [1])])
    }
    let broken = StoreMigration("broken") { editor throws(StoreError) in
      try editor.apply([.deletePrefix(beta, prefix: [])])
      throw .invalidRecord(collection: "beta", reason: "a test")
    }
    let schemas = [
      StoreSchema(version: 1, collections: [alpha]),
      StoreSchema(version: 2, collections: [alpha, beta], migrations: [first, second]),
      StoreSchema(version: 3, collections: [alpha, beta], migrations: [first, second, broken]),
    ]
    try await withFolder { folder in
      let store = try SQLiteStore(folder: folder, schema: schemas[0])
      try await store.commit([.put(alpha, key: [1], value: [21]), .put(alpha, key: [2], value: [4])])
      try await store.close()
      for _ in 0..<2 {
        let store = try SQLiteStore(folder: folder, schema: schemas[1])
        #expect(try await store.value(of: [1], in: beta) == [42])
        #expect(try await store.records(in: alpha) == [StoreRecord(key: [2], value: [8])])
        try await store.close()
        #expect(throws: StoreError.invalidRecord(collection: "beta", reason: "a test")) {
          try SQLiteStore(folder: folder, schema: schemas[2])
        }
      }
      // In another order they are somebody else's.
      #expect(throws: StoreError.self) {
        try SQLiteStore(
          folder: folder, schema: StoreSchema(version: 2, collections: [alpha, beta], migrations: [second, first]))
      }
    }
    let memory = try MemoryStore(schema: schemas[0])
    try await memory.commit([.put(alpha, key: [1], value: [21])])
    let next = try memory.reopened(schema: schemas[1]).reopened(schema: schemas[1])
    #expect(try await next.value(of: [1], in: beta) == [42])
  }

  @Test("a collection is laid out anew when its records are said to be large, or no longer are")
  func layouts() async throws {
    func schema(_ large: Set<CollectionName>) -> StoreSchema {
      StoreSchema(collections: [alpha, beta], largeCollections: large)
    }
    func isLarge(_ store: SQLiteStore, _ table: String) throws -> Bool {
      let definition = try #require(try store.definition(of: table))
      return !definition.contains("WITHOUT ROWID")
    }
    let records = (UInt8(0)..<200).map {
      StoreRecord(key: [$0, 7], value: [UInt8](repeating: $0, count: Int($0) * 20))
    }
    try await withFolder { folder in
      let first = try SQLiteStore(folder: folder, schema: schema([]))
      // In no order at all.
      try await first.commit(records.shuffled().map { .put(alpha, key: $0.key, value: $0.value) })
      try await first.commit([.put(beta, key: [], value: [])])
      try await first.close()
      for large in [Set([alpha]), [alpha, beta], [beta], [], [alpha]] {
        let store = try SQLiteStore(folder: folder, schema: schema(large))
        for name in [alpha, beta] { #expect(try isLarge(store, "c_\(name)") == large.contains(name)) }
        #expect(try await store.records(in: alpha) == records)
        #expect(try await store.records(in: beta) == [StoreRecord(key: [], value: [])])
        try await store.commit([.put(alpha, key: [3, 7], value: records[3].value)])
        try await store.integrityCheck()
        try await store.close()
      }
    }
    #expect(throws: StoreError.invalidSchema("a large collection is not listed")) {
      try MemoryStore(schema: StoreSchema(collections: [alpha], largeCollections: [beta]))
    }
  }

  @Test("files that are not ours are refused and stay as they are")
  func foreign() async throws {
    try await withFolder { folder in
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let url = URL(fileURLWithPath: folder + "/glc.sqlite")
      // A database of another program: SQLite files whose first page says so, in either way.
      let ours = folder + "/ours"
      try await SQLiteStore(folder: ours, schema: schema).close()
      let sound = try Data(contentsOf: URL(fileURLWithPath: ours + "/glc.sqlite"))
      for identifier: UInt8 in [0, 1] {
        var other = sound
        for offset in 68..<72 { other[offset] = identifier }
        try other.write(to: url)
        #expect(throws: StoreError.foreign(path: url.path)) { try SQLiteStore(folder: folder, schema: schema) }
        #expect(try Data(contentsOf: url) == other)
      }
      for text in ["x", String(repeating: "not a database ", count: 100)] {
        try Data(text.utf8).write(to: url)
        #expect(throws: StoreError.damaged(path: url.path, reason: "not an SQLite database")) {
          try SQLiteStore(folder: folder, schema: schema)
        }
        #expect(try Data(contentsOf: url) == Data(text.utf8))
      }
      try sound.write(to: url)
      try await SQLiteStore(folder: folder, schema: schema).close()
    }
  }

  @Test("damage anywhere in the file is found when the store is opened, or has touched nothing")
  func damage() async throws {
    try await withFolder { folder in
      let store = try SQLiteStore(folder: folder, schema: schema)
      for round in UInt8(0)..<20 {
        try await store.commit(
          (0..<50).map { .put(alpha, key: [round, $0], value: [UInt8](repeating: $0, count: 50)) })
      }
      let expected = try await store.records(in: alpha)
      try await store.close()
      let url = URL(fileURLWithPath: folder + "/glc.sqlite")
      let sound = try Data(contentsOf: url)
      let pages = sound.count / 4096
      #expect(pages > 10)
      var found = 0
      for page in 0..<pages {
        for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: url.path + suffix) }
        var damaged = sound
        // The head of a page: what a lost or misplaced write leaves behind.
        let start = page * 4096 + (page == 0 ? 100 : 0)
        for offset in start..<start + 64 { damaged[offset] = 0xa5 }
        try damaged.write(to: url)
        do {
          let store = try SQLiteStore(folder: folder, schema: schema)
          // A page that is not in use.
          #expect(try await store.records(in: alpha) == expected, "page \(page)")
          try await store.close()
        } catch let error as StoreError {
          guard case .damaged = error else {
            Issue.record("page \(page): \(error)")
            continue
          }
          found += 1
        }
      }
      #expect(found >= pages - 2, "\(found) of \(pages)")
      // Cut off in the middle.
      for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: url.path + suffix) }
      try sound.prefix(sound.count / 2).write(to: url)
      #expect(throws: StoreError.self) { try SQLiteStore(folder: folder, schema: schema) }
    }
  }

  @Test("a full disk fails the commit and nothing else")
  func full() async throws {
    try await withFolder { folder in
      var options = SQLiteStore.Options()
      options.maximumPages = 60
      let store = try SQLiteStore(folder: folder, schema: schema, options: options)
      try await store.commit([.put(alpha, key: [0], value: [UInt8](repeating: 1, count: 100_000))])
      // Large and small ones at once: only what does not fit fails.
      try await withThrowingTaskGroup(of: Void.self) { group in
        for caller in UInt8(1)..<32 {
          group.addTask {
            if caller.isMultiple(of: 2) {
              try await store.commit([.put(alpha, key: [caller], value: [caller])])
            } else {
              await #expect(throws: StoreError.diskFull) {
                try await store.commit([
                  .put(beta, key: [caller], value: [1]),
                  .put(alpha, key: [caller], value: [UInt8](repeating: caller, count: 200_000)),
                ])
              }
            }
          }
        }
        try await group.waitForAll()
      }
      #expect(try await store.count(in: alpha) == 16)
      #expect(try await store.count(in: beta) == 0)
      try await store.commit([.delete(alpha, key: [0])])
      try await store.commit([.put(alpha, key: [1], value: [UInt8](repeating: 1, count: 90_000))])
      try await store.integrityCheck()
      try await store.close()
    }
  }

  @Test("a folder that cannot be made is named")
  func unusable() throws {
    let path = "/proc/glc-nowhere"
    #expect { try SQLiteStore(folder: path, schema: schema) } throws: { error in
      guard let error = error as? StoreError, case .unusable(path, _) = error else { return false }
      return "\(error)".contains(path)
    }
    #expect(throws: StoreError.self) { try SQLiteStore(folder: "", schema: schema) }
  }
}
