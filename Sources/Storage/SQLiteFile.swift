internal import Encoding
internal import GRDB

/// Opening a database: whose it is, whether it is sound, and how it becomes what the schema says.
enum SQLiteFile {
  /// "GLCs", in the file's header: what it belongs to (`PRAGMA application_id`).
  static let applicationID: UInt32 = 0x474c_4373

  private static var configuration: Configuration {
    var configuration = Configuration()
    configuration.label = "glc.storage"
    configuration.busyMode = .timeout(5)
    configuration.foreignKeysEnabled = false
    return configuration
  }

  // MARK: Before anything is written

  /// Looks at a file without changing it. Throws `.damaged`, `.foreign`, `.newer`. One that is not there, or empty, is fine.
  static func inspect(_ path: String, schema: StoreSchema, checksIntegrity: Bool) throws {
    let head = try Files.head(of: path, count: 100)
    if head.isEmpty { return try Files.makeFile(path) }
    guard head.count == 100, head.starts(with: [UInt8]("SQLite format 3\0".utf8)) else {
      throw StoreError.damaged(path: path, reason: "not an SQLite database")
    }
    var reader = ByteReader(head.bytes)
    try reader.skip(68)
    let identifier = try reader.readUInt32()
    guard identifier == applicationID || identifier == 0 else { throw StoreError.foreign(path: path) }
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    defer { try? queue.close() }
    try queue.writeWithoutTransaction { db in
      // The write-ahead log may know better than the header.
      let identifier = try UInt32.fetchOne(db, sql: "PRAGMA application_id")
      if identifier != applicationID {
        guard identifier == 0, try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") == 0 else {
          throw StoreError.foreign(path: path)
        }
      }
      try checkVersion(db, path: path, schema: schema)
      if checksIntegrity { try check(db, path: path, pragma: "quick_check") }
    }
  }

  private static func checkVersion(_ db: Database, path: String, schema: StoreSchema) throws {
    let version = try UInt32.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    guard version <= schema.version else {
      throw StoreError.newer(path: path, found: "\(version)", supported: "\(schema.version)")
    }
  }

  /// `quick_check` or `integrity_check`.
  static func check(_ db: Database, path: String, pragma: String) throws {
    let lines = try String.fetchAll(db, sql: "PRAGMA \(pragma)(10)")
    guard lines == ["ok"] else { throw StoreError.damaged(path: path, reason: lines.joined(separator: "; ")) }
  }

  // MARK: Opening

  static func open(_ path: String, options: SQLiteStore.Options) throws -> DatabasePool {
    let pool = try DatabasePool(path: path, configuration: configuration)
    try pool.writeWithoutTransaction { db in
      // The default for WAL in GRDB is NORMAL: the last commits could be lost with the power.
      try db.execute(sql: "PRAGMA synchronous = FULL")
      try db.execute(sql: "PRAGMA wal_autocheckpoint = \(max(options.checkpointPages, 1))")
      if let pages = options.maximumPages { try db.execute(sql: "PRAGMA max_page_count = \(pages)") }
      guard try Int.fetchOne(db, sql: "PRAGMA synchronous") == 2,
        try String.fetchOne(db, sql: "PRAGMA journal_mode") == "wal"
      else { throw StoreError.unusable(path: path, reason: "no write-ahead log on this file system") }
      try allocateLog(db, path: path, pages: max(options.checkpointPages, 1))
    }
    return pool
  }

  /// Gives the write-ahead log all the room that it takes until it begins anew. Writing over what is there is flushed several times faster
  /// than making a file longer, which changes the file system's own records too. SQLite ends its reading of the log at what is no frame.
  /// An eighth more: the transaction that reaches the limit is written whole.
  private static func allocateLog(_ db: Database, path: String, pages: Int) throws {
    // With the lock of a writer: nobody appends meanwhile.
    try db.inTransaction(.immediate) {
      Files.extend(path + "-wal", to: 32 + (pages + pages / 8) * (24 + 4096))
      return .rollback
    }
  }

  /// Makes missing tables and runs the migrations that are due, in one transaction.
  static func migrate(_ db: Database, path: String, schema: StoreSchema, tables: [String: Table]) throws {
    try db.inTransaction(.immediate) {
      // Again, now that nobody else can write.
      try checkVersion(db, path: path, schema: schema)
      try db.execute(
        sql: """
          CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY NOT NULL, name TEXT NOT NULL) STRICT
          """)
      for table in tables.values { try table.create(db) }
      let applied = try String.fetchAll(db, sql: "SELECT name FROM migrations ORDER BY number")
      let editor = SQLiteEditor(db: db, tables: tables, path: path)
      for migration in try schema.pending(after: applied, path: path) {
        try migration.run(editor)
        try db.execute(sql: "INSERT INTO migrations (name) VALUES (?)", arguments: [migration.name])
      }
      // Only what differs: a start without news writes nothing.
      if try UInt32.fetchOne(db, sql: "PRAGMA user_version") != schema.version {
        try db.execute(sql: "PRAGMA user_version = \(schema.version)")
      }
      if try UInt32.fetchOne(db, sql: "PRAGMA application_id") != applicationID {
        try db.execute(sql: "PRAGMA application_id = \(applicationID)")
      }
      return .commit
    }
  }

  // MARK: Errors

  static func result<Value>(path: String, _ body: () throws -> Value) -> Result<Value, StoreError> {
    do { return .success(try body()) } catch { return .failure(storeError(error, path: path)) }
  }

  static func storeError(_ error: any Error, path: String) -> StoreError {
    if let error = error as? StoreError { return error }
    guard let error = error as? DatabaseError else { return .database(code: -1, message: "\(error)") }
    let message = error.message ?? "an error"
    switch error.resultCode {
    case .SQLITE_FULL: return .diskFull
    case .SQLITE_READONLY: return .readOnly
    case .SQLITE_BUSY, .SQLITE_LOCKED: return .busy
    case .SQLITE_IOERR: return .inputOutput("\(message), code \(error.extendedResultCode.rawValue)")
    case .SQLITE_CORRUPT, .SQLITE_NOTADB: return .damaged(path: path, reason: message)
    case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH: return .unusable(path: path, reason: message)
    case .SQLITE_TOOBIG: return .tooLarge
    case .SQLITE_MISUSE where message == "Connection is closed": return .closed
    default: return .database(code: error.extendedResultCode.rawValue, message: message)
    }
  }
}

/// The store as a migration sees it.
private struct SQLiteEditor: StoreEditor {
  let db: Database
  let tables: [String: Table]
  let path: String

  func value(of key: [UInt8], in collection: CollectionName) throws(StoreError) -> [UInt8]? {
    let table = try table(collection)
    return try SQLiteFile.result(path: path) { try table.value(of: key, db) }.get()
  }

  func records(
    in collection: CollectionName, prefix: [UInt8], from: [UInt8]?, limit: Int?
  ) throws(StoreError) -> [StoreRecord] {
    let table = try table(collection)
    return try SQLiteFile.result(path: path) {
      try table.records(prefix: prefix, from: from, limit: limit, reversed: false, db)
    }.get()
  }

  func apply(_ changes: [Change]) throws(StoreError) {
    for change in changes {
      try change.check()
      let table = try table(change.collection)
      try SQLiteFile.result(path: path) { try table.apply(change, db) }.get()
    }
  }

  private func table(_ collection: CollectionName) throws(StoreError) -> Table {
    guard let table = tables[collection.name] else { throw .unknownCollection(collection.name) }
    return table
  }
}
