import Storage
import Testing

/// What every store does.
@Suite struct StoreTests {
  @Test("records are stored, replaced, found and deleted", arguments: Kind.allCases)
  func records(kind: Kind) async throws {
    try await kind.withStore { store in
      #expect(try await store.value(of: [1], in: alpha) == nil)
      try await store.commit([
        .put(alpha, key: [1], value: [10]), .put(beta, key: [1], value: [20]), .put(alpha, key: [1], value: [11]),
        .put(alpha, key: [], value: []), .put(alpha, key: [2], value: []), .put(alpha, key: [3], value: [1]),
        .delete(alpha, key: [3]), .delete(alpha, key: [99]),
      ])
      #expect(try await store.value(of: [1], in: alpha) == [11])
      #expect(try await store.value(of: [1], in: beta) == [20])
      #expect(try await store.value(of: [], in: alpha) == [])
      #expect(try await store.value(of: [2], in: alpha) == [])
      #expect(try await store.value(of: [3], in: alpha) == nil)
      #expect(try await store.count(in: alpha) == 3)
      #expect(try await store.values(of: [[2], [3], [1], [], [1]], in: alpha) == [[], nil, [11], [], [11]])
      #expect(try await store.values(of: [], in: alpha).isEmpty)
      try await store.commit([.put(beta, key: [1, 0xff], value: [1]), .put(beta, key: [0xff, 1], value: [2])])
      let found = try await store.records(in: beta, prefixes: [[0xff], [1], [3], [], [1, 0xff]])
      #expect(found.map { $0.map(\.value) } == [[[2]], [[20], [1]], [], [[20], [1], [2]], [[1]]])
      try await store.commit([.delete(alpha, key: [])])
      #expect(try await store.value(of: [], in: alpha) == nil)
      try await store.commit([])
      try await store.integrityCheck()
    }
  }

  @Test("records come in the order of their keys, within a prefix, from a key, either way", arguments: Kind.allCases)
  func ranges(kind: Kind) async throws {
    try await kind.withStore { store in
      let keys: [[UInt8]] = [
        [], [0], [1], [1, 0], [1, 0xff], [1, 0xff, 0], [2], [0xff], [0xff, 0xff], [0xff, 0xff, 1],
      ]
      try await store.commit(keys.shuffled().map { .put(alpha, key: $0, value: $0) })
      for prefix in keys + [[1, 1], [0xfe], [0xff, 0xff, 0xff]] {
        let inside = keys.filter { $0.starts(with: prefix) }
        #expect(try await store.count(in: alpha, prefix: prefix) == inside.count, "\(prefix)")
        for from in [nil] + keys.map(Optional.some) {
          for limit in [nil, 0, 1, 3] {
            for reversed in [false, true] {
              let ordered = reversed ? Array(inside.reversed()) : inside
              let expected = ordered.filter { key in
                from.map { reversed ? !$0.lexicographicallyPrecedes(key) : !key.lexicographicallyPrecedes($0) } ?? true
              }
              let found = try await store.records(
                in: alpha, prefix: prefix, from: from, limit: limit, reversed: reversed)
              #expect(
                found.map(\.key) == Array(expected.prefix(limit ?? .max)),
                "\(prefix) from \(String(describing: from)) limit \(String(describing: limit)) \(reversed)")
              #expect(found.allSatisfy { $0.key == $0.value })
            }
          }
        }
      }
    }
  }

  @Test("a prefix is deleted whole, and nothing beside it", arguments: Kind.allCases)
  func prefixes(kind: Kind) async throws {
    try await kind.withStore { store in
      let keys: [[UInt8]] = [[1], [1, 0], [1, 0xff, 0xff], [2], [0xff], [0xff, 0xff]]
      try await store.commit(keys.map { .put(alpha, key: $0, value: [1]) })
      try await store.commit([.put(beta, key: [1, 1], value: [1]), .deletePrefix(alpha, prefix: [1])])
      #expect(try await store.records(in: alpha).map(\.key) == [[2], [0xff], [0xff, 0xff]])
      try await store.commit([.deletePrefix(alpha, prefix: [0xff])])
      #expect(try await store.records(in: alpha).map(\.key) == [[2]])
      try await store.commit([.deletePrefix(alpha, prefix: [])])
      #expect(try await store.count(in: alpha) == 0)
      #expect(try await store.count(in: beta) == 1)
    }
  }

  @Test("a batch with something wrong in it changes nothing", arguments: Kind.allCases)
  func atomic(kind: Kind) async throws {
    try await kind.withStore { store in
      await #expect(throws: StoreError.unknownCollection("gamma")) {
        try await store.commit([.put(alpha, key: [1], value: [1]), .put("gamma", key: [1], value: [1])])
      }
      let long = [UInt8](repeating: 0, count: Change.maximumKeySize + 1)
      for wrong: Change in [
        .put(alpha, key: long, value: []), .delete(alpha, key: long), .deletePrefix(alpha, prefix: long),
      ] {
        await #expect(throws: StoreError.tooLarge) {
          try await store.commit([.put(alpha, key: [1], value: [1]), wrong])
        }
      }
      #expect(try await store.count(in: alpha) == 0)
      await #expect(throws: StoreError.unknownCollection("gamma")) { try await store.value(of: [], in: "gamma") }
      try await store.commit([.put(alpha, key: Array(long.dropLast()), value: [1])])
    }
  }

  @Test("many callers at once all see their own commits", arguments: Kind.allCases)
  func concurrent(kind: Kind) async throws {
    try await kind.withStore { store in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for caller in UInt8(0)..<64 {
          group.addTask {
            for number in UInt8(0)..<8 {
              try await store.commit([
                .put(alpha, key: [caller, number], value: [number]), .put(beta, key: [caller], value: [number]),
              ])
              #expect(try await store.value(of: [caller], in: beta) == [number])
            }
          }
        }
        try await group.waitForAll()
      }
      #expect(try await store.count(in: alpha) == 512)
    }
  }

  @Test("a batch is applied behind those whose commits have returned", arguments: Kind.allCases)
  func order(kind: Kind) async throws {
    try await kind.withStore { store in
      for round in UInt8(0)..<20 {
        for value in UInt8(1)...2 { try await store.commit([.put(alpha, key: [round], value: [value])]) }
        #expect(try await store.value(of: [round], in: alpha) == [2])
      }
    }
  }

  @Test("all records can be walked page by page", arguments: Kind.allCases, [1, 7, 100, 1000])
  func pages(kind: Kind, size: Int) async throws {
    try await kind.withStore { store in
      let keys = (0..<100).map { [UInt8(7), UInt8($0)] }
      try await store.commit(keys.map { .put(alpha, key: $0, value: []) } + [.put(alpha, key: [8], value: [])])
      var seen: [[UInt8]] = []
      try await store.forEachRecord(in: alpha, prefix: [7], pageSize: size) { seen.append($0.key) }
      #expect(seen == keys)
    }
  }

  @Test("a closed store says so", arguments: Kind.allCases)
  func closed(kind: Kind) async throws {
    try await kind.withStore { store in
      try await store.close()
      try await store.close()
      await #expect(throws: StoreError.closed) { try await store.commit([.put(alpha, key: [], value: [])]) }
      await #expect(throws: StoreError.closed) { try await store.value(of: [], in: alpha) }
      await #expect(throws: StoreError.closed) { try await store.integrityCheck() }
    }
  }

  @Test("a schema that makes no sense is refused")
  func schemas() throws {
    for name: CollectionName in [
      "", "A", "a b", "1a", "a\"b", "é", "a23456789012345678901234567890123456789012345678x",
    ] {
      #expect(throws: StoreError.self, "\(name)") { try MemoryStore(schema: StoreSchema(collections: [name])) }
    }
    #expect(throws: StoreError.self) { try MemoryStore(schema: StoreSchema(collections: [alpha, alpha])) }
    let migration = StoreMigration("x") { _ throws(StoreError) in }
    #expect(throws: StoreError.self) {
      try MemoryStore(schema: StoreSchema(collections: [alpha], migrations: [migration, migration]))
    }
  }
}

@Suite struct MemoryStoreTests {
  @Test("a fault strikes at its commit, and what was durable can be opened again")
  func faults() async throws {
    for fault in 0..<3 {
      let store = try MemoryStore(schema: schema)
      try await store.commit([.put(alpha, key: [0], value: [])])
      let error: StoreError
      switch fault {
      case 0: (error, _) = (.diskFull, store.inject(.fail(.diskFull), atCommit: 2))
      case 1: (error, _) = (.powerLost, store.inject(.losePowerBefore, atCommit: 2))
      default: (error, _) = (.powerLost, store.inject(.losePowerAfter, atCommit: 2))
      }
      try await store.commit([.put(alpha, key: [1], value: [])])
      await #expect(throws: error) { try await store.commit([.put(alpha, key: [2], value: [])]) }
      if fault == 0 {
        try await store.commit([.put(alpha, key: [3], value: [])])
      } else {
        await #expect(throws: error) { try await store.commit([.put(alpha, key: [3], value: [])]) }
        await #expect(throws: error) { try await store.value(of: [0], in: alpha) }
      }
      let again = try store.reopened()
      let expected: [[[UInt8]]] = [[[0], [1], [3]], [[0], [1]], [[0], [1], [2]]]
      #expect(try await again.records(in: alpha).map(\.key) == expected[fault])
      await #expect(throws: StoreError.powerLost) { try await store.value(of: [0], in: alpha) }
    }
  }

  @Test("commits that are held back are not there before they are released")
  func held() async throws {
    let store = try MemoryStore(schema: schema)
    store.hold()
    let task = Task { try await store.commit([.put(alpha, key: [1], value: [1])]) }
    while store.heldCommits == 0 { await Task.yield() }
    #expect(try await store.value(of: [1], in: alpha) == nil)
    store.release()
    try await task.value
    #expect(try await store.value(of: [1], in: alpha) == [1])
    store.hold()
    let lost = Task { try await store.commit([.put(alpha, key: [2], value: [1])]) }
    while store.heldCommits == 0 { await Task.yield() }
    let again = try store.reopened()
    await #expect(throws: StoreError.powerLost) { try await lost.value }
    #expect(try await again.count(in: alpha) == 1)
  }
}
