internal import Synchronization

/// A store in memory, for tests: it forgets everything with its last owner, and fails when it is told to.
///
/// What would have been on the disk can be opened again with `reopened()`, after a fault or at any moment, as a process that was killed then
/// would find it.
public final class MemoryStore: Store {
  public enum Fault: Sendable {
    /// The commit throws this, nothing is stored, and the store goes on.
    case fail(StoreError)
    /// The power goes before the batch is durable: nothing of it is stored, and everything from then on throws `.powerLost`.
    case losePowerBefore
    /// The power goes when the batch is durable and its caller does not know yet: it is stored, and throws `.powerLost` all the same.
    case losePowerAfter
  }

  fileprivate struct State: Sendable {
    var collections: [String: [[UInt8]: [UInt8]]]
    var migrations: [String] = []
    var version: UInt32 = 0
    var commits = 0
    var faults: [Int: Fault] = [:]
    var stopped: StoreError?
    /// Whether commits wait for `release`.
    var isHeld = false
    var waiting: [PledgedBatch] = []
    /// Whether something of it is to be written without waiting for more.
    var isUrgent = false
  }

  private let state: Mutex<State>
  private let schema: StoreSchema

  /// An empty store. Throws what its migrations throw.
  public convenience init(schema: StoreSchema) throws(StoreError) {
    try self.init(State(collections: [:]), schema)
  }

  private init(_ old: State, _ schema: StoreSchema) throws(StoreError) {
    try schema.check()
    guard old.version <= schema.version else {
      throw .newer(path: "memory", found: "\(old.version)", supported: "\(schema.version)")
    }
    var state = State(collections: old.collections, migrations: old.migrations, version: schema.version)
    for collection in schema.collections where state.collections[collection.name] == nil {
      state.collections[collection.name] = [:]
    }
    let editor = MemoryEditor(state.collections)
    for migration in try schema.pending(after: state.migrations, path: "memory") {
      try migration.run(editor)
      state.migrations.append(migration.name)
    }
    state.collections = editor.collections.withLock { $0 }
    self.state = Mutex(state)
    self.schema = schema
  }

  /// What was durable, in a new store, with another schema if one is given. This one answers nothing any more.
  public func reopened(schema: StoreSchema? = nil) throws(StoreError) -> MemoryStore {
    let (old, tell) = state.withLock { state in
      if state.stopped == nil { state.stopped = .powerLost }
      state.isHeld = false
      return (
        State(collections: state.collections, migrations: state.migrations, version: state.version), state.drain()
      )
    }
    for tell in tell { tell() }
    return try MemoryStore(old, schema ?? self.schema)
  }

  // MARK: Faults

  /// How many commits have been begun.
  public var commits: Int { state.withLock(\.commits) }

  /// Strikes at the commit of this number, counted from 0 over the life of the store.
  public func inject(_ fault: Fault, atCommit number: Int) { state.withLock { $0.faults[number] = fault } }
  /// Strikes at the next commit.
  public func injectAtNextCommit(_ fault: Fault) { state.withLock { $0.faults[$0.commits] = fault } }

  /// Whatever has not struck yet never will.
  public func withdrawFaults() { state.withLock { $0.faults = [:] } }

  /// Lets commits wait, as a slow disk does, until `release`: nothing that depends on them may happen meanwhile.
  public func hold() { state.withLock { $0.isHeld = true } }

  /// Lets go of the commits that wait, and of those to come.
  public func release() {
    let tell = state.withLock { state in
      state.isHeld = false
      return state.drain()
    }
    for tell in tell { tell() }
  }

  /// How many commits wait for `release`.
  public var heldCommits: Int { state.withLock { $0.isHeld ? $0.waiting.count : 0 } }

  // MARK: Store

  public func submit(_ changes: [Change], for pledge: Pledge, behind: [Pledge], isUrgent: Bool) {
    pledge.reopen()
    let tell = state.withLock { state in
      state.waiting.append(PledgedBatch(changes: changes, pledge: pledge, behind: behind))
      if isUrgent { state.isUrgent = true }
      // Who was stopped answers at once.
      return state.stopped == nil && (state.isHeld || !state.isUrgent) ? [] : state.drain()
    }
    for tell in tell { tell() }
  }

  public func hurry() {
    let tell = state.withLock { state in
      state.isUrgent = true
      return state.isHeld ? [] : state.drain()
    }
    for tell in tell { tell() }
  }

  public func value(of key: [UInt8], in collection: CollectionName) async throws(StoreError) -> [UInt8]? {
    try contents(collection)[key]
  }

  public func values(of keys: [[UInt8]], in collection: CollectionName) async throws(StoreError) -> [[UInt8]?] {
    let contents = try contents(collection)
    return keys.map { contents[$0] }
  }

  public func records(
    in collection: CollectionName, prefix: [UInt8], from: [UInt8]?, limit: Int?, reversed: Bool
  ) async throws(StoreError) -> [StoreRecord] {
    MemoryEditor.records(try contents(collection), prefix, from, limit, reversed)
  }

  public func records(
    in collection: CollectionName, prefixes: [[UInt8]]
  ) async throws(StoreError) -> [[StoreRecord]] {
    let contents = try contents(collection)
    return prefixes.map { MemoryEditor.records(contents, $0, nil, nil, false) }
  }

  public func count(in collection: CollectionName, prefix: [UInt8]) async throws(StoreError) -> Int {
    try contents(collection).keys.count { $0.starts(with: prefix) }
  }

  public func integrityCheck() async throws(StoreError) {
    if let stopped = state.withLock(\.stopped) { throw stopped }
  }

  public func close() async throws(StoreError) {
    release()
    hurry()
    state.withLock { if $0.stopped == nil { $0.stopped = .closed } }
  }

  private func contents(_ collection: CollectionName) throws(StoreError) -> [[UInt8]: [UInt8]] {
    let (stopped, contents) = state.withLock { ($0.stopped, $0.collections[collection.name]) }
    if let stopped { throw stopped }
    guard let contents else { throw .unknownCollection(collection.name) }
    return contents
  }
}

extension MemoryStore.State {
  mutating func apply(_ changes: [Change]) throws(StoreError) {
    try MemoryEditor.apply(changes, to: &collections)
  }

  /// Writes what waits, each batch by itself. Returns what is to be done when no lock is held any more.
  mutating func drain() -> [@Sendable () -> Void] {
    let batches = waiting
    waiting = []
    isUrgent = false
    return batches.map { batch in
      do throws(StoreError) {
        try write(batch)
        return batch.pledge.settle(.success(()))
      } catch {
        return batch.pledge.settle(.failure(error))
      }
    }
  }

  private mutating func write(_ batch: PledgedBatch) throws(StoreError) {
    if let stopped { throw stopped }
    guard batch.behind.allSatisfy(\.isKept) else { throw .forerunnerMissing }
    defer { commits += 1 }
    switch faults[commits] {
    case .fail(let error): throw error
    case .losePowerBefore:
      stopped = .powerLost
      throw .powerLost
    case .losePowerAfter:
      try apply(batch.changes)
      stopped = .powerLost
      throw .powerLost
    case nil: try apply(batch.changes)
    }
  }
}

/// A store in memory as a migration sees it.
private final class MemoryEditor: StoreEditor {
  typealias Contents = [[UInt8]: [UInt8]]

  let collections: Mutex<[String: Contents]>

  init(_ collections: [String: Contents]) { self.collections = Mutex(collections) }

  func value(of key: [UInt8], in collection: CollectionName) throws(StoreError) -> [UInt8]? {
    try contents(collection)[key]
  }

  func records(
    in collection: CollectionName, prefix: [UInt8], from: [UInt8]?, limit: Int?
  ) throws(StoreError) -> [StoreRecord] {
    Self.records(try contents(collection), prefix, from, limit, false)
  }

  func apply(_ changes: [Change]) throws(StoreError) {
    var copy = collections.withLock { $0 }
    try Self.apply(changes, to: &copy)
    collections.withLock { $0 = copy }
  }

  private func contents(_ collection: CollectionName) throws(StoreError) -> Contents {
    guard let contents = collections.withLock({ $0[collection.name] }) else {
      throw .unknownCollection(collection.name)
    }
    return contents
  }

  /// All of them or none.
  static func apply(_ changes: [Change], to collections: inout [String: Contents]) throws(StoreError) {
    for change in changes {
      guard collections[change.collection.name] != nil else { throw .unknownCollection(change.collection.name) }
      try change.check()
    }
    for change in changes {
      switch change {
      case .put(let collection, let key, let value): collections[collection.name]?[key] = value
      case .delete(let collection, let key): collections[collection.name]?[key] = nil
      case .deletePrefix(let collection, let prefix):
        for key in collections[collection.name]?.keys.filter({ $0.starts(with: prefix) }) ?? [] {
          collections[collection.name]?[key] = nil
        }
      }
    }
  }

  static func records(
    _ contents: Contents, _ prefix: [UInt8], _ from: [UInt8]?, _ limit: Int?, _ reversed: Bool
  ) -> [StoreRecord] {
    let keys = contents.keys.filter { key in
      guard key.starts(with: prefix) else { return false }
      guard let from else { return true }
      return reversed ? !from.lexicographicallyPrecedes(key) : !key.lexicographicallyPrecedes(from)
    }
    let sorted = keys.sorted { $0.lexicographicallyPrecedes($1) }
    let ordered = reversed ? sorted.reversed() : sorted
    return ordered.prefix(limit.map { max($0, 0) } ?? .max).map { StoreRecord(key: $0, value: contents[$0] ?? []) }
  }
}
