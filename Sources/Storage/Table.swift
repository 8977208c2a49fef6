internal import Encoding
internal import FoundationEssentials
internal import GRDB

/// The table of one collection, and its statements. SQLite takes an empty blob for NULL when it is bound: hence `ifnull`.
struct Table: Sendable {
  let name: String
  private let put: String
  private let delete: String
  private let get: String
  private let range: String

  init(_ collection: CollectionName) {
    name = collection.name
    let table = Self.quoted(collection.name)
    put = """
      INSERT INTO \(table) (key, value) VALUES (ifnull(?, x''), ifnull(?, x'')) \
      ON CONFLICT (key) DO UPDATE SET value = excluded.value
      """
    delete = "DELETE FROM \(table) WHERE key = ifnull(?, x'')"
    range = "SELECT key, value FROM \(table) WHERE key >= ? AND key < ? ORDER BY key"
    get = "SELECT value FROM \(table) WHERE key = ifnull(?, x'')"
  }

  /// The prefix keeps a collection from meeting a table of our own.
  private static func quoted(_ name: String) -> String { "\"c_\(name)\"" }

  func create(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE IF NOT EXISTS \(Self.quoted(name)) (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL) \
        WITHOUT ROWID, STRICT
        """)
  }

  func apply(_ change: Change, _ db: Database) throws {
    switch change {
    case .put(_, let key, let value):
      try db.cachedStatement(sql: put).execute(arguments: [Data(key), Data(value)])
    case .delete(_, let key):
      try db.cachedStatement(sql: delete).execute(arguments: [Data(key)])
    case .deletePrefix(_, let prefix):
      let condition = Condition(prefix: prefix)
      try db.cachedStatement(sql: "DELETE FROM \(Self.quoted(name))\(condition.sql)")
        .execute(arguments: condition.arguments)
    }
  }

  func value(of key: [UInt8], _ db: Database) throws -> [UInt8]? {
    let rows = try Row.fetchCursor(try db.cachedStatement(sql: get), arguments: [Data(key)])
    return try rows.next().map { try $0.bytes(0) }
  }

  func records(prefix: [UInt8], from: [UInt8]?, limit: Int?, reversed: Bool, _ db: Database) throws -> [StoreRecord] {
    var condition = Condition(prefix: prefix)
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
    let rows = try Row.fetchCursor(try db.cachedStatement(sql: range), arguments: [Data(prefix), Data(end)])
    var records: [StoreRecord] = []
    while let row = try rows.next() { records.append(StoreRecord(key: try row.bytes(0), value: try row.bytes(1))) }
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
