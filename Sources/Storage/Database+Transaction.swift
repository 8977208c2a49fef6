internal import GRDB

extension Database {
  /// As `inTransaction` of GRDB, which compiles both statements anew each time.
  func transaction<Value>(_ kind: TransactionKind, _ body: () throws -> Value) throws -> Value {
    try cachedStatement(sql: "BEGIN \(kind.rawValue) TRANSACTION").execute()
    do {
      let value = try body()
      try cachedStatement(sql: "COMMIT TRANSACTION").execute()
      return value
    } catch {
      try? rollback()
      throw error
    }
  }
}
