internal import Encoding
internal import FoundationEssentials
internal import GRDB

/// The table of one collection, and its statements.
///
/// Small records lie in the tree of their keys (`WITHOUT ROWID`). SQLite keeps no more than about 1,000 bytes of a record there and puts the
/// rest on pages of their own, which are given back and taken again whenever it is written: two to three pages more for each commit. So
/// large records lie in a table of numbered rows, beside an index of keys that writing them does not change.
struct Table: Sendable {
  let name: String
  private let isLarge: Bool
  private let put: String
  private let delete: String
  private let get: String
  private let range: String

  init(_ collection: CollectionName, isLarge: Bool) {
    name = collection.name
    self.isLarge = isLarge
    let table = Self.quoted(collection.name)
    put = """
      INSERT INTO \(table) (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value
      """
    delete = "DELETE FROM \(table) WHERE key = ?"
    range = "SELECT key, value FROM \(table) WHERE key >= ? AND key < ? ORDER BY key"
    get = "SELECT value FROM \(table) WHERE key = ?"
  }

  /// The prefix keeps a collection from meeting a table of our own.
  private static func quoted(_ name: String) -> String { "\"c_\(name)\"" }

  /// Makes the table if it is not there; if it is there in the other form, it is written anew.
  func create(_ db: Database) throws {
    let table = Self.quoted(name)
    let definition = try String.fetchOne(
      db, sql: "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", arguments: ["c_\(name)"])
    guard let definition else { return try create(table, db) }
    guard definition.contains("WITHOUT ROWID") == isLarge else { return }
    try create("\"new_table\"", db)
    try db.execute(
      sql: """
        INSERT INTO "new_table" (key, value) SELECT key, value FROM \(table) ORDER BY key;
        DROP TABLE \(table);
        ALTER TABLE "new_table" RENAME TO \(table);
        """)
  }

  private func create(_ table: String, _ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE \(table) (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL) \
        \(isLarge ? "STRICT" : "WITHOUT ROWID, STRICT")
        """)
  }

  func apply(_ change: Change, _ db: Database) throws {
    switch change {
    case .put(_, let key, let value): try db.cachedStatement(sql: put).run(key, value)
    case .delete(_, let key): try db.cachedStatement(sql: delete).run(key)
    case .deletePrefix(_, let prefix):
      let condition = Condition(prefix: prefix)
      try db.cachedStatement(sql: "DELETE FROM \(Self.quoted(name))\(condition.sql)")
        .execute(arguments: condition.arguments)
    }
  }

  func value(of key: [UInt8], _ db: Database) throws -> [UInt8]? {
    let statement = try db.cachedStatement(sql: get)
    var value: [UInt8]?
    try statement.forEachRow(key) { value = statement.bytes(0) }
    return value
  }

  func records(prefix: [UInt8], from: [UInt8]?, limit: Int?, reversed: Bool, _ db: Database) throws -> [StoreRecord] {
    var condition = Condition(prefix: prefix)
    // GRDB binds an empty blob as NULL.
    if let from { condition.add("key \(reversed ? "<=" : ">=") ifnull(?, x'')", from) }
    let rows = try Row.fetchCursor(
      try db.cachedStatement(
        sql: """
          SELECT key, value FROM \(Self.quoted(name))\(condition.sql) ORDER BY key\(reversed ? " DESC" : "") LIMIT ?
          """), arguments: condition.arguments + [limit.map { Int64(max($0, 0)) } ?? -1])
    var records: [StoreRecord] = []
    while let row = try rows.next() { records.append(StoreRecord(key: try row.bytes(0), value: try row.bytes(1))) }
    return records
  }

  /// All with a prefix: the statement is ready.
  func records(prefix: [UInt8], _ db: Database) throws -> [StoreRecord] {
    guard !prefix.isEmpty, let end = end(ofPrefix: prefix) else {
      return try records(prefix: prefix, from: nil, limit: nil, reversed: false, db)
    }
    let statement = try db.cachedStatement(sql: range)
    var records: [StoreRecord] = []
    try statement.forEachRow(prefix, end) {
      records.append(StoreRecord(key: statement.bytes(0), value: statement.bytes(1)))
    }
    return records
  }

  func count(prefix: [UInt8], _ db: Database) throws -> Int {
    let condition = Condition(prefix: prefix)
    return try Int.fetchOne(
      try db.cachedStatement(sql: "SELECT count(*) FROM \(Self.quoted(name))\(condition.sql)"),
      arguments: condition.arguments) ?? 0
  }

  /// The range of keys that begin with a prefix.
  private struct Condition {
    var terms: [String] = []
    var arguments = StatementArguments()

    init(prefix: [UInt8]) {
      if !prefix.isEmpty { add("key >= ?", prefix) }
      if let end = end(ofPrefix: prefix) { add("key < ?", end) }
    }

    mutating func add(_ term: String, _ bytes: [UInt8]) {
      terms.append(term)
      arguments += [Data(bytes)]
    }

    var sql: String { terms.isEmpty ? "" : " WHERE " + terms.joined(separator: " AND ") }
  }
}

extension Row {
  fileprivate func bytes(_ index: Int) throws -> [UInt8] {
    try withUnsafeData(atIndex: index) { $0.map { [UInt8]($0) } ?? [] }
  }
}
