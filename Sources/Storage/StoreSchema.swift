/// What a store holds: which collections, and how older contents become what the program expects.
public struct StoreSchema: Sendable {
  /// Rises whenever an older version of the program could no longer make sense of the records. A store of a higher version is refused.
  public var version: UInt32
  /// Those that are missing are made. Collections that are not listed here stay untouched.
  public var collections: [CollectionName]
  /// Those of them whose records are often larger than some 900 bytes. How they are laid out on the disk follows from it, and is changed when
  /// the store is opened.
  public var largeCollections: Set<CollectionName>
  /// Only ever appended to: each is run once, in order, and remembered by its name.
  public var migrations: [StoreMigration]

  public init(
    version: UInt32 = 1, collections: [CollectionName], largeCollections: Set<CollectionName> = [],
    migrations: [StoreMigration] = []
  ) {
    self.version = version
    self.collections = collections
    self.largeCollections = largeCollections
    self.migrations = migrations
  }

  var names: Set<String> { Set(collections.map(\.name)) }

  func check() throws(StoreError) {
    if let wrong = collections.first(where: { !$0.isValid }) { throw .invalidSchema("collection name '\(wrong)'") }
    guard version <= UInt32(Int32.max) else { throw .invalidSchema("version \(version)") }
    guard names.count == collections.count else { throw .invalidSchema("a collection is listed twice") }
    guard largeCollections.isSubset(of: collections) else { throw .invalidSchema("a large collection is not listed") }
    guard Set(migrations.map(\.name)).count == migrations.count else {
      throw .invalidSchema("two migrations have the same name")
    }
  }

  /// The migrations that are still to be run. Those that were run must be ours, in our order.
  func pending(after applied: [String], path: String) throws(StoreError) -> ArraySlice<StoreMigration> {
    let known = migrations.map(\.name)
    if let unknown = applied.first(where: { !known.contains($0) }) {
      throw .newer(path: path, found: unknown, supported: known.last ?? "version \(version)")
    }
    guard known.starts(with: applied) else {
      throw .invalidSchema("migrations were run in the order \(applied), which is not ours")
    }
    return migrations.dropFirst(applied.count)
  }
}

/// A change to records of an older form. It runs in one transaction with all others that are due, before the store can be used.
public struct StoreMigration: Sendable {
  public let name: String
  let run: @Sendable (any StoreEditor) throws(StoreError) -> Void

  public init(_ name: String, _ run: @escaping @Sendable (any StoreEditor) throws(StoreError) -> Void) {
    self.name = name
    self.run = run
  }
}

/// What a migration sees of the store.
public protocol StoreEditor {
  func value(of key: [UInt8], in collection: CollectionName) throws(StoreError) -> [UInt8]?
  /// As `Store.records`.
  func records(
    in collection: CollectionName, prefix: [UInt8], from: [UInt8]?, limit: Int?
  ) throws(StoreError) -> [StoreRecord]
  func apply(_ changes: [Change]) throws(StoreError)
}
