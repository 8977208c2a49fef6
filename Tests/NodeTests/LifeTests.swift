import Logging
import Peers
import Storage
import Synchronization
import Testing
import Wire

@testable import Node

@Suite(.serialized) struct LifeTests {
  @Test func lifeWithoutFaults() async throws {
    let life = try await Life()
    try await life.run()
    #expect(life.restarts == 0)
    print("figure: commits", life.network.launches.map { ($0.store as! MemoryStore).commits })
  }

  /// Which commits the power goes at: a few of them spread over the whole life, or each.
  static let strikes: [(node: Int, commit: Int)] = {
    if let one = TestNetwork.strike { return [one] }
    let step = TestNetwork.isLong ? 1 : 29
    return [(1, 7)] + (0..<3).flatMap { node in stride(from: node * 7, to: 150, by: step).map { (node, $0) } }
  }()

  @Test(arguments: strikes) func powerLossAtAnyCommitLosesNothing(_ strike: (node: Int, commit: Int)) async throws {
    for isDurable in [false, true] where TestNetwork.isLong || isDurable == (strike.commit % 2 == 0) {
      let life = try await Life()
      if let store = life.network.launches[strike.node].store as? MemoryStore {
        store.inject(isDurable ? .losePowerAfter : .losePowerBefore, atCommit: store.commits + strike.commit)
      }
      do { try await life.run() } catch {
        Issue.record("\(strike), \(isDurable ? "after" : "before"): \(error)")
        await life.network.stop()
      }
    }
  }

  /// At which messages of a node the connection goes.
  static let drops: [(node: Int, message: Int)] = {
    if let one = TestNetwork.strike { return [one] }
    let step = TestNetwork.isLong ? 1 : 23
    return (0..<3).flatMap { node in stride(from: 1 + node * 5, to: 110, by: step).map { (node, $0) } }
  }()

  @Test(arguments: drops) func connectionLostAtAnyMessageLosesNothing(_ drop: (node: Int, message: Int)) async throws {
    let counter = Counter()
    let life = try await Life { launch, index in
      guard index == drop.node else { return }
      launch.peers.recorder = { message in
        let type = message.bytes.prefix(2).reduce(0) { $0 << 8 | Int($1) }
        if type >= 32, type < 256, counter.next() == drop.message { counter.strike?(message.nodeID) }
      }
    }
    let nodes = life.network
    let target = nodes.nodes[drop.node]
    counter.set { peer in target.network.peer(peer)?.close("dropped by the test") }
    do { try await life.run() } catch {
      Issue.record("\(drop): \(error)")
      await life.network.stop()
    }
  }

  private final class Counter: Sendable {
    private let state = Mutex<(count: Int, strike: (@Sendable (NodeID) -> Void)?)>((0, nil))
    func next() -> Int {
      state.withLock {
        $0.count += 1
        return $0.count - 1
      }
    }
    var strike: (@Sendable (NodeID) -> Void)? { state.withLock { $0.strike } }
    func set(_ strike: @escaping @Sendable (NodeID) -> Void) { state.withLock { $0.strike = strike } }
  }
}
