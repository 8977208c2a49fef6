internal import Dispatch
internal import GRDB
internal import Synchronization

/// A store in one SQLite database, `FOLDER/glc.sqlite`, with a lock that keeps the folder for one process.
///
/// WAL mode with `synchronous=FULL`: what a commit has acknowledged survives a loss of power. All writing happens on one queue of its own,
/// which turns everything that waits into one transaction and so one `fsync`; reading happens on connections of their own, beside it: what
/// looks up single keys on one more queue, the rest wherever the pool has room.
public final class SQLiteStore: Store {
  public struct Options: Sendable {
    /// Whether all of the database is read and checked when it is opened.
    public var checksIntegrity = true
    /// After so many pages of 4 KiB the write-ahead log is copied into the database.
    public var checkpointPages = 4000
    /// The largest size of the database in pages; nil is SQLite's own limit. For tests of a full disk.
    var maximumPages: Int?

    public init() {}
  }

  public static let fileName = "glc.sqlite"

  private let pool: DatabasePool
  private let writer: CommitQueue
  /// Who asks for more at once does not keep others waiting.
  private static let maximumLookups = 64
  private let lookups = DispatchQueue(label: "glc.storage.lookups", qos: .userInitiated)
  private let tables: [String: Table]
  private let path: String
  /// Nil once it is closed.
  private let lock: Mutex<FolderLock?>

  /// Opens the store of a folder, which is made if need be, brings it up to the schema, and checks it. Blocks until that is done.
  ///
  /// Throws `.locked`, `.unusable`, `.foreign`, `.newer`, `.damaged`, `.invalidSchema`, `.readOnly`, `.diskFull`, and what a migration
  /// throws; the file is then as it was.
  public init(folder: String, schema: StoreSchema, options: Options = Options()) throws(StoreError) {
    try schema.check()
    let lock = try FolderLock(folder: folder)
    let path = folder + "/" + Self.fileName
    let tables = Dictionary(
      uniqueKeysWithValues: schema.collections.map {
        ($0.name, Table($0, isLarge: schema.largeCollections.contains($0)))
      })
    do {
      try SQLiteFile.inspect(path, schema: schema, checksIntegrity: options.checksIntegrity)
      let pool = try SQLiteFile.open(path, options: options)
      do {
        try pool.writeWithoutTransaction { db in
          try SQLiteFile.migrate(db, path: path, schema: schema, tables: tables)
        }
      } catch {
        try? pool.close()
        throw error
      }
      self.pool = pool
    } catch {
      throw SQLiteFile.storeError(error, path: path)
    }
    self.tables = tables
    self.path = path
    self.lock = Mutex(lock)
    writer = CommitQueue(tables: tables, path: path)
  }

  // MARK: Writing

  public func submit(_ changes: [Change], for pledge: Pledge, behind: [Pledge], isUrgent: Bool) {
    do throws(StoreError) {
      for change in changes {
        guard tables[change.collection.name] != nil else { throw .unknownCollection(change.collection.name) }
        try change.check()
      }
    } catch {
      pledge.reopen()
      return pledge.settle(.failure(error))()
    }
    let batch = PledgedBatch(changes: changes, pledge: pledge, behind: behind.filter { !$0.isKept })
    if writer.submit(batch, isUrgent: isUrgent) { drain() }
  }

  public func hurry() { if writer.hurry() { drain() } }

  private func drain() { pool.asyncWriteWithoutTransaction { [writer] db in writer.drain(into: db) } }

  public func close() async throws(StoreError) {
    hurry()
    guard writer.close() else { return }
    let result: Result<Void, StoreError> = await withCheckedContinuation { continuation in
      // `close` of the pool waits for all connections to be idle: not on a thread of Swift's own pool.
      DispatchQueue.global().async { [pool, path] in
        continuation.resume(
          returning: SQLiteFile.result(path: path) {
            // One file is left behind. Should it fail, the log stays and is read when the store is opened again.
            try? pool.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
            try pool.close()
          })
      }
    }
    lock.withLock { $0 = nil }
    try result.get()
  }

  // MARK: Reading

  public func value(of key: [UInt8], in collection: CollectionName) async throws(StoreError) -> [UInt8]? {
    let table = try table(collection)
    return try await lookUp { db in try table.value(of: key, db) }
  }

  public func values(of keys: [[UInt8]], in collection: CollectionName) async throws(StoreError) -> [[UInt8]?] {
    let table = try table(collection)
    let body: @Sendable (Database) throws -> [[UInt8]?] = { db in try keys.map { try table.value(of: $0, db) } }
    guard keys.count <= Self.maximumLookups else { return try await read(body) }
    return try await lookUp { db in try db.atOneMoment(keys.count) { try body(db) } }
  }

  public func records(
    in collection: CollectionName, prefix: [UInt8], from: [UInt8]?, limit: Int?, reversed: Bool
  ) async throws(StoreError) -> [StoreRecord] {
    let table = try table(collection)
    return try await read { db in
      try table.records(prefix: prefix, from: from, limit: limit, reversed: reversed, db)
    }
  }

  public func records(
    in collection: CollectionName, prefixes: [[UInt8]]
  ) async throws(StoreError) -> [[StoreRecord]] {
    let table = try table(collection)
    let body: @Sendable (Database) throws -> [[StoreRecord]] = { db in
      try prefixes.map { try table.records(prefix: $0, db) }
    }
    guard prefixes.count <= Self.maximumLookups else { return try await read(body) }
    return try await lookUp { db in try db.atOneMoment(prefixes.count) { try body(db) } }
  }

  public func count(in collection: CollectionName, prefix: [UInt8]) async throws(StoreError) -> Int {
    let table = try table(collection)
    return try await read { db in try table.count(prefix: prefix, db) }
  }

  public func integrityCheck() async throws(StoreError) {
    let path = path
    try await read { db in try SQLiteFile.check(db, path: path, pragma: "integrity_check") }
  }

  private func table(_ collection: CollectionName) throws(StoreError) -> Table {
    guard let table = tables[collection.name] else { throw .unknownCollection(collection.name) }
    return table
  }

  /// Reads a little, without the pool's two changes of threads.
  private func lookUp<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(StoreError) -> Value {
    guard !writer.isClosed else { throw .closed }
    let result: Result<Value, StoreError> = await withCheckedContinuation { continuation in
      lookups.async { [pool, path] in
        continuation.resume(returning: SQLiteFile.result(path: path) { try pool.unsafeRead(body) })
      }
    }
    return try result.get()
  }

  private func read<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(StoreError) -> Value {
    guard !writer.isClosed else { throw .closed }
    let path = path
    let result: Result<Value, StoreError> = await withCheckedContinuation { continuation in
      pool.asyncRead { db in
        continuation.resume(returning: SQLiteFile.result(path: path) { try body(try db.get()) })
      }
    }
    return try result.get()
  }

  /// For tests: what the writer's connection really runs with.
  func pragma(_ name: String) throws -> String? {
    try pool.writeWithoutTransaction { db in try String.fetchOne(db, sql: "PRAGMA \(name)") }
  }

  /// For tests: how a table is laid out.
  func definition(of table: String) throws -> String? {
    try pool.writeWithoutTransaction { db in
      try String.fetchOne(db, sql: "SELECT sql FROM sqlite_master WHERE name = ?", arguments: [table])
    }
  }
}

extension Database {
  /// Several statements see the database as it is at one moment; one always does.
  fileprivate func atOneMoment<Value>(_ count: Int, _ body: () throws -> Value) throws -> Value {
    count > 1 ? try transaction(.deferred, body) : try body()
  }
}
