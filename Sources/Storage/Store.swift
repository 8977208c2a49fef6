/// Where a node keeps what must survive: named collections of records, a key and a value each, both plain bytes.
///
/// What a record means is its owner's business, who gives it a versioned binary form. Keys of one collection are in the order of their
/// bytes: a big-endian number in front makes a collection a queue.
public protocol Store: Sendable {
  /// Applies all changes in their order, or none of them. When it returns they are durable: neither a crash of the program nor a loss of
  /// power undoes them. Callers that wait at the same time share one write to the disk, each keeping its own success or failure.
  ///
  /// A batch is applied behind those that were submitted before. To make one depend on the success of another, wait for the other.
  /// Cancelling the task does not take a batch back.
  ///
  /// Throws `.unknownCollection`, `.tooLarge`, `.diskFull` (nothing was written; it can be tried again), `.readOnly`,
  /// `.inputOutput` (what is on the disk is uncertain: the store must be opened again), `.failed`, `.closed`, `.database`.
  func commit(_ changes: [Change]) async throws(StoreError)

  /// Takes changes and returns at once; `pledge` says what becomes of them. They are applied as with `commit`, all or none, behind all that
  /// was submitted before, and only if everything that `behind` pledges is stored by then, or is stored in the same transaction: so a crash
  /// at any moment leaves what they build on, too. Otherwise the pledge is broken with `.forerunnerMissing`.
  ///
  /// A broken pledge can be submitted again, with the same changes.
  /// - Parameter isUrgent: false to wait for the next batch that is urgent, or for `hurry`: for whoever knows that one is about to come, and
  ///   shares its write to the disk.
  func submit(_ changes: [Change], for pledge: Pledge, behind: [Pledge], isUrgent: Bool)

  /// Writes what waits.
  func hurry()

  /// The value under a key; nil when there is none. Sees every batch whose commit has returned.
  func value(of key: [UInt8], in collection: CollectionName) async throws(StoreError) -> [UInt8]?

  /// The values under several keys, in their order, all as they were at one moment.
  func values(of keys: [[UInt8]], in collection: CollectionName) async throws(StoreError) -> [[UInt8]?]

  /// Records whose keys begin with `prefix`, in the order of their keys, or `reversed`.
  /// - Parameters:
  ///   - from: the key to begin at, itself included; whole, with the prefix. Nil begins at the end that comes first.
  ///   - limit: how many at most; nil is all of them.
  func records(
    in collection: CollectionName, prefix: [UInt8], from: [UInt8]?, limit: Int?, reversed: Bool
  ) async throws(StoreError) -> [StoreRecord]

  /// The records whose keys begin with each of several prefixes, all as they were at one moment.
  func records(in collection: CollectionName, prefixes: [[UInt8]]) async throws(StoreError) -> [[StoreRecord]]

  /// How many records have keys that begin with `prefix`.
  func count(in collection: CollectionName, prefix: [UInt8]) async throws(StoreError) -> Int

  /// Reads everything that is stored and throws `.damaged` unless it is sound.
  func integrityCheck() async throws(StoreError)

  /// Waits for what has been submitted and lets go of the files. Everything afterwards throws `.closed`; a second call does nothing.
  func close() async throws(StoreError)
}

extension Store {
  public func commit(_ changes: [Change]) async throws(StoreError) {
    let pledge = Pledge()
    submit(changes, for: pledge, behind: [], isUrgent: true)
    try await pledge.value()
  }

  public func records(
    in collection: CollectionName, prefix: [UInt8] = [], limit: Int? = nil, reversed: Bool = false
  ) async throws(StoreError) -> [StoreRecord] {
    try await records(in: collection, prefix: prefix, from: nil, limit: limit, reversed: reversed)
  }

  public func count(in collection: CollectionName) async throws(StoreError) -> Int {
    try await count(in: collection, prefix: [])
  }

  /// Calls `body` with every record, reading `pageSize` of them at a time. Records that are changed meanwhile may be seen either way.
  public func forEachRecord<Failure: Error>(
    in collection: CollectionName, prefix: [UInt8] = [], pageSize: Int = 1000,
    _ body: (StoreRecord) throws(Failure) -> Void
  ) async throws {
    var next: [UInt8]?
    while true {
      let page = try await records(
        in: collection, prefix: prefix, from: next, limit: max(pageSize, 1), reversed: false)
      for record in page { try body(record) }
      guard page.count == max(pageSize, 1), let last = page.last else { return }
      // The smallest key behind the last one.
      next = last.key + [0]
    }
  }
}

/// The name of a collection: a lower-case letter, then lower-case letters, digits and underscores, at most 48 in all.
public struct CollectionName: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
  public let name: String

  public init(stringLiteral name: StaticString) { self.name = name.description }

  public var description: String { name }

  var isValid: Bool {
    guard 1...48 ~= name.utf8.count, let first = name.utf8.first, 0x61...0x7a ~= first else { return false }
    return name.utf8.allSatisfy { 0x61...0x7a ~= $0 || 0x30...0x39 ~= $0 || $0 == 0x5f }
  }
}

/// One step of a batch.
public enum Change: Hashable, Sendable {
  /// Stores a value, in the place of any before.
  case put(CollectionName, key: [UInt8], value: [UInt8])
  /// Removes a record, if it is there.
  case delete(CollectionName, key: [UInt8])
  /// Removes every record whose key begins with `prefix`; all of the collection when that is empty.
  case deletePrefix(CollectionName, prefix: [UInt8])

  public var collection: CollectionName {
    switch self {
    case .put(let collection, _, _), .delete(let collection, _), .deletePrefix(let collection, _): collection
    }
  }

  /// In bytes.
  public static let maximumKeySize = 4096
  /// In bytes.
  public static let maximumValueSize = 256 << 20

  /// What it weighs in a batch, in bytes.
  var size: Int {
    switch self {
    case .put(_, let key, let value): key.count + value.count
    case .delete(_, let key): key.count
    case .deletePrefix(_, let prefix): prefix.count
    }
  }

  func check() throws(StoreError) {
    switch self {
    case .put(_, let key, let value):
      guard key.count <= Self.maximumKeySize, value.count <= Self.maximumValueSize else { throw .tooLarge }
    case .delete(_, let key), .deletePrefix(_, let key):
      guard key.count <= Self.maximumKeySize else { throw .tooLarge }
    }
  }
}

public struct StoreRecord: Hashable, Sendable {
  public var key: [UInt8]
  public var value: [UInt8]

  public init(key: [UInt8], value: [UInt8]) {
    self.key = key
    self.value = value
  }
}

/// The first key behind all that begin with `prefix`; nil when there is none, because the prefix is empty or all 0xff.
func end(ofPrefix prefix: [UInt8]) -> [UInt8]? {
  var end = prefix
  while let last = end.popLast() {
    if last < 0xff { return end + [last + 1] }
  }
  return nil
}
