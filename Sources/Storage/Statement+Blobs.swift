internal import GRDB
internal import GRDBSQLite

// Statements whose arguments and columns are blobs, as all of a collection's are, run without a box for each value.

extension Statement {
  /// Runs the statement to its end with these arguments.
  func run(_ first: [UInt8], _ second: [UInt8]? = nil) throws {
    try withBound(first, second) {
      let code = unsafe sqlite3_step(sqliteStatement)
      guard code == SQLITE_DONE else { throw error(code) }
    }
  }

  /// Calls `row` for each row of the result. Columns can be read until it returns.
  func forEachRow(_ first: [UInt8], _ second: [UInt8]? = nil, _ row: () -> Void) throws {
    try withBound(first, second) {
      while true {
        switch unsafe sqlite3_step(sqliteStatement) {
        case SQLITE_ROW: row()
        case SQLITE_DONE: return
        case let code: throw error(code)
        }
      }
    }
  }

  /// The bytes of a column of the row at hand.
  func bytes(_ column: Int32) -> [UInt8] {
    let count = unsafe Int(sqlite3_column_bytes(sqliteStatement, column))
    guard count > 0, let start = unsafe sqlite3_column_blob(sqliteStatement, column) else { return [] }
    return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
  }

  /// The arguments stay where they are while `body` runs: SQLite makes no copies of them.
  private func withBound(_ first: [UInt8], _ second: [UInt8]?, _ body: () throws -> Void) throws {
    try unsafe first.withUnsafeBytes { first in
      try unsafe (second ?? []).withUnsafeBytes { secondBytes in
        defer {
          unsafe sqlite3_reset(sqliteStatement)
          unsafe sqlite3_clear_bindings(sqliteStatement)
        }
        try unsafe bind(first, 1)
        if second != nil { try unsafe bind(secondBytes, 2) }
        try body()
      }
    }
  }

  private func bind(_ bytes: UnsafeRawBufferPointer, _ index: Int32) throws {
    let code =
      if let start = bytes.baseAddress, unsafe !bytes.isEmpty {
        unsafe sqlite3_bind_blob(sqliteStatement, index, start, Int32(bytes.count), nil)
      } else {
        // Bound as a blob, nothing at all would be NULL.
        unsafe sqlite3_bind_zeroblob(sqliteStatement, index, 0)
      }
    guard code == SQLITE_OK else { throw error(code) }
  }

  private func error(_ code: Int32) -> DatabaseError {
    let message = unsafe sqlite3_db_handle(sqliteStatement).flatMap { unsafe sqlite3_errmsg($0) }.map {
      unsafe String(cString: $0)
    }
    return DatabaseError(resultCode: ResultCode(rawValue: code), message: message, sql: sql)
  }
}
