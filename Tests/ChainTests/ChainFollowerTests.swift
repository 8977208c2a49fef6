import Bitcoin
import Testing

@testable import Chain

/// What a careful consumer remembers, and checks of every event.
struct Follower {
  var positions: [BlockPosition] = []
  var events = 0

  mutating func take(_ event: ChainFollower.Event) {
    events += 1
    switch event {
    case .connected(let block, let position):
      #expect(block.hash == position.hash)
      if let last = positions.last {
        #expect(position.height == last.height + 1)
        #expect(block.header.previousBlock == last.hash)
      }
      positions.append(position)
    case .disconnected(let position):
      #expect(positions.last == position)
      positions.removeLast()
    }
  }

  /// Follows until `tip` was reached, then stops.
  mutating func follow(_ source: any ChainSource, to tip: BlockPosition, remembering count: Int = 12) async throws {
    if positions.last == tip { return }
    for try await event in ChainFollower(source: source, after: Array(positions.suffix(count))) {
      take(event)
      if positions.last == tip { return }
    }
  }
}

@Suite("The chain follower")
struct ChainFollowerTests {
  @Test("tells every block once, in order, and waits for the next", arguments: Backend.available)
  func following(_ backend: Backend) async throws {
    try await backend.run { chain in
      let tip = try await chain.source.tip()
      var follower = Follower()
      try await follower.follow(chain.source, to: tip)
      #expect(follower.positions.count == Int(tip.height) + 1)
      #expect(follower.positions.first?.hash == Network.regtest.genesisBlockHash)
      // It waits, and hears.
      let positions = follower.positions
      let source = chain.source
      let waiting = Task {
        var follower = Follower(positions: positions)
        for try await event in ChainFollower(source: source, after: [tip]) {
          follower.take(event)
          if follower.events == 2 { break }
        }
        return follower.positions
      }
      let one = try await chain.mine(1)
      let two = try await chain.mine(1)
      #expect(try await waiting.value == positions + [one, two])
    }
  }

  @Test("walks back to the fork and on", arguments: Backend.available)
  func reorganisation(_ backend: Backend) async throws {
    try await backend.run { chain in
      let fork = try await chain.source.tip()
      let old = try await chain.mine(1)
      let oldTip = try await chain.mine(5)
      var follower = Follower(positions: [fork])
      try await follower.follow(chain.source, to: oldTip)
      let oldPositions = follower.positions
      // The chain gets shorter, and then another.
      try await chain.invalidate(old.hash)
      try await follower.follow(chain.source, to: fork)
      let newTip = try await chain.mine(9)
      try await follower.follow(chain.source, to: newTip)
      #expect(follower.positions.first == fork)
      // And remembering but one position: the rest comes from headers.
      var forgetful = Follower(positions: oldPositions)
      try await forgetful.follow(chain.source, to: newTip, remembering: 1)
      #expect(forgetful.positions == follower.positions)
    }
  }

  @Test("keeps up with a chain that never rests", arguments: [1, 2, 3, 4] as [UInt64])
  func storm(_ seed: UInt64) async throws {
    let chain = try RegtestChain(RegtestChain.Options(initialBlocks: 3))
    let miner = Task {
      var state = seed
      func next(_ bound: UInt64) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % bound)
      }
      for _ in 0..<60 {
        let height = try await chain.tip().height
        switch next(4) {
        case 0: try await chain.reorganise(depth: min(1 + next(6), Int(height)))
        case 1:
          let hash = try #require(try await chain.blockHash(at: height - UInt32(next(3))))
          if height > 4 { try await chain.invalidate(hash) }
        default: try await chain.mine(1 + next(3))
        }
        await Task.yield()
      }
      return try await chain.mine(1)[0]
    }
    var follower = Follower()
    // Restarts again and again.
    while true {
      var count = 0
      for try await event in ChainFollower(source: chain, after: follower.positions.suffix(8).reversed()) {
        follower.take(event)
        count += 1
        let tip = try await chain.tip()
        if count == 17 || follower.positions.last == tip { break }
      }
      if try await chain.tip() == follower.positions.last, try await miner.value == follower.positions.last { break }
    }
    for position in follower.positions {
      #expect(try await chain.blockHash(at: position.height) == position.hash, "seed \(seed)")
    }
  }

  @Test("refuses to go on from a chain that it was never on")
  func foreignHistory() async throws {
    let one = try RegtestChain(RegtestChain.Options(initialBlocks: 5))
    let other = try RegtestChain(RegtestChain.Options(initialBlocks: 8, clock: { 1_900_000_000 }))
    let position = try await one.tip()
    await #expect(throws: ChainError.unknownHistory(position)) {
      for try await _ in ChainFollower(source: other, after: [position]) {}
    }
  }

  @Test("ends when its task is cancelled")
  func cancellation() async throws {
    let chain = try RegtestChain(RegtestChain.Options(initialBlocks: 1))
    let tip = try await chain.tip()
    let task = Task {
      for try await _ in ChainFollower(source: chain, after: [tip]) {}
      return true
    }
    task.cancel()
    #expect(try await task.value)
  }

  @Test("begins where it is told, even above the tip")
  func start() async throws {
    let chain = try RegtestChain(RegtestChain.Options(initialBlocks: 2))
    let task = Task { () -> ChainFollower.Event? in
      for try await event in ChainFollower(source: chain, after: [], startingAt: 4) { return event }
      return nil
    }
    let mined = try await chain.mine(3)
    #expect(try await task.value?.position == mined[1])
  }
}
