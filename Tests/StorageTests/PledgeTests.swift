@testable import Storage
import Testing

/// Batches that are handed over and not waited for.
@Suite struct PledgeTests {
  @Test("what is not urgent waits, and is written in order with what is", arguments: Kind.allCases)
  func patience(kind: Kind) async throws {
    try await kind.withStore { store in
      let pledges = (0..<3).map { _ in Pledge() }
      store.submit([.put(alpha, key: [1], value: [1])], for: pledges[0], behind: [], isUrgent: false)
      store.submit([], for: pledges[1], behind: [pledges[0]], isUrgent: false)
      // Whatever is read has been written before.
      #expect(try await store.value(of: [1], in: alpha) == nil)
      #expect(pledges.allSatisfy { !$0.isKept })
      store.submit([.put(alpha, key: [1], value: [2])], for: pledges[2], behind: [pledges[1]], isUrgent: true)
      for pledge in pledges { try await pledge.value() }
      #expect(pledges.allSatisfy { $0.isKept })
      #expect(try await store.value(of: [1], in: alpha) == [2])
      let last = Pledge()
      store.submit([.put(alpha, key: [1], value: [3])], for: last, behind: pledges, isUrgent: false)
      store.hurry()
      try await last.value()
      #expect(try await store.value(of: [1], in: alpha) == [3])
      store.hurry()
    }
  }

  @Test("what builds on something that was not stored is refused until that is stored", arguments: Kind.allCases)
  func forerunners(kind: Kind) async throws {
    try await kind.withStore { store in
      let (first, second, third) = (Pledge(), Pledge(), Pledge())
      let long = [UInt8](repeating: 0, count: Change.maximumKeySize + 1)
      func submitFollowers() {
        store.submit([.put(alpha, key: [2], value: [2])], for: second, behind: [first], isUrgent: false)
        store.submit([.put(alpha, key: [3], value: [3])], for: third, behind: [second], isUrgent: true)
      }
      store.submit([.put(alpha, key: long, value: [])], for: first, behind: [], isUrgent: true)
      submitFollowers()
      await #expect(throws: StoreError.tooLarge) { try await first.value() }
      await #expect(throws: StoreError.forerunnerMissing) { try await second.value() }
      await #expect(throws: StoreError.forerunnerMissing) { try await third.value() }
      #expect(try await store.count(in: alpha) == 0)
      // Others go on.
      try await store.commit([.put(beta, key: [1], value: [1])])
      store.submit([.put(alpha, key: [1], value: [1])], for: first, behind: [], isUrgent: false)
      submitFollowers()
      for pledge in [first, second, third] { try await pledge.value() }
      #expect(try await store.count(in: alpha) == 3)
    }
  }

  @Test("a batch that fails on the disk takes those with it that build on it, and no others")
  func failures() async throws {
    let store = try MemoryStore(schema: schema)
    let (first, follower, other) = (Pledge(), Pledge(), Pledge())
    store.hold()
    store.submit([.put(alpha, key: [1], value: [1])], for: first, behind: [], isUrgent: true)
    store.submit([.put(alpha, key: [2], value: [2])], for: follower, behind: [first], isUrgent: true)
    store.submit([.put(alpha, key: [3], value: [3])], for: other, behind: [], isUrgent: true)
    #expect(store.heldCommits == 3)
    store.injectAtNextCommit(.fail(.diskFull))
    store.release()
    await #expect(throws: StoreError.diskFull) { try await first.value() }
    await #expect(throws: StoreError.forerunnerMissing) { try await follower.value() }
    try await other.value()
    #expect(try await store.records(in: alpha).map(\.key) == [[3]])
  }

  @Test("a disk without room refuses the batch that needs it and what builds on it")
  func fullDisk() async throws {
    try await withFolder { folder in
      var options = SQLiteStore.Options()
      options.maximumPages = 60
      let store = try SQLiteStore(folder: folder, schema: schema, options: options)
      let (large, follower, other) = (Pledge(), Pledge(), Pledge())
      let value = [UInt8](repeating: 7, count: 1 << 20)
      store.submit([.put(alpha, key: [1], value: value)], for: large, behind: [], isUrgent: false)
      store.submit([.put(alpha, key: [2], value: [2])], for: follower, behind: [large], isUrgent: false)
      store.submit([.put(alpha, key: [3], value: [3])], for: other, behind: [], isUrgent: true)
      await #expect(throws: StoreError.diskFull) { try await large.value() }
      await #expect(throws: StoreError.forerunnerMissing) { try await follower.value() }
      try await other.value()
      #expect(try await store.records(in: alpha).map(\.key) == [[3]])
      try await store.close()
      let late = Pledge()
      store.submit([.put(alpha, key: [4], value: [4])], for: late, behind: [], isUrgent: false)
      await #expect(throws: StoreError.closed) { try await late.value() }
    }
  }

  @Test("closing writes what waits", arguments: [true, false])
  func closing(isUrgent: Bool) async throws {
    try await withFolder { folder in
      let store = try SQLiteStore(folder: folder, schema: schema)
      let pledge = Pledge()
      store.submit([.put(alpha, key: [1], value: [1])], for: pledge, behind: [], isUrgent: isUrgent)
      try await store.close()
      try await pledge.value()
      let next = try SQLiteStore(folder: folder, schema: schema)
      #expect(try await next.value(of: [1], in: alpha) == [1])
      try await next.close()
    }
  }
}
