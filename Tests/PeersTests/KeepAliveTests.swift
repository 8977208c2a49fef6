import Encoding
import Peers
import Secp256k1
import Testing
import Wire

/// BOLT 1 §The `ping` and `pong` Messages.
@Suite struct KeepAliveTests {
  @Test func `A ping is answered with as many bytes as it asks for, up to 65531`() async throws {
    let bob = TestNode()
    let peer = try await RawPeer(to: try await bob.listen())
    try await peer.introduce(to: bob.nodeID)
    for count: UInt16 in [0, 1, 1_000, 65_531] {
      try await peer.sendMessage(Ping(numPongBytes: count, ignored: [1, 2, 3]))
      let answer = try #require(try await peer.receiveMessage())
      let pong = try Pong(decoding: answer)
      #expect(pong.ignored == [UInt8](repeating: 0, count: Int(count)))
    }
    // BOLT 1: otherwise: MUST ignore the `ping`.
    for count: UInt16 in [65_532, 65_535] { try await peer.sendMessage(Ping(numPongBytes: count, ignored: [])) }
    try await peer.sendMessage(Ping(numPongBytes: 2, ignored: []))
    let answer = try #require(try await peer.receiveMessage())
    #expect(try Pong(decoding: answer).ignored.count == 2)
    // Neither is seen above.
    try await peer.sendMessage(note(5))
    let connection = try await bob.nextConnection()
    #expect(try await receive(1, from: connection).map(\.bytes) == [note(5)])
    await bob.network.stop()
  }

  @Test func `A quiet peer is pinged, and stays when it answers`() async throws {
    let bob = TestNode {
      $0.times.pingInterval = .milliseconds(40)
      $0.times.pong = .seconds(300)
    }
    let peer = try await RawPeer(to: try await bob.listen())
    try await peer.introduce(to: bob.nodeID)
    let connection = try await bob.nextConnection()
    for _ in 0..<5 {
      let message = try #require(try await peer.receiveMessage())
      let ping = try Ping(decoding: message)
      #expect(ping.ignored.allSatisfy { $0 == 0 })
      try await peer.sendMessage(try #require(ping.pong))
    }
    #expect(connection.closeReason == nil)
    await bob.network.stop()
  }

  @Test func `A ping on demand waits for its own answer`() async throws {
    let (alice, bob) = (TestNode(), TestNode())
    let connection = try await alice.network.connect(to: bob.nodeID, at: [try await bob.listen()])
    for pongBytes in [0, 1, 128, 65_531] as [UInt16] { try await connection.ping(length: 128, pongBytes: pongBytes) }
    // BOLT 1: otherwise: MUST ignore the `ping`.
    try await connection.ping(length: 65_529, pongBytes: 65_532)
    await #expect(throws: PeerCloseReason.malformedMessage(.tooLarge)) {
      try await connection.ping(length: 65_530, pongBytes: 1)
    }
    await bob.network.stop()
    await connection.waitUntilClosed()
    await #expect(throws: PeerCloseReason.self) { try await connection.ping(length: 1, pongBytes: 1) }
    await alice.network.stop()
  }

  @Test func `A ping on demand fails when the peer hangs up instead of answering`() async throws {
    let bob = TestNode()
    let peer = try await RawPeer(to: try await bob.listen())
    try await peer.introduce(to: bob.nodeID)
    let connection = try await bob.nextConnection()
    let asked = Task { () -> PeerCloseReason? in
      do throws(PeerCloseReason) {
        try await connection.ping(length: 10, pongBytes: 20)
        return nil
      } catch {
        return error
      }
    }
    let ping = try Ping(decoding: try #require(try await peer.receiveMessage()))
    #expect(ping.ignored.count == 10 && ping.numPongBytes == 20)
    // Not the answer that was asked for.
    try await peer.sendMessage(Pong(ignored: [UInt8](repeating: 0, count: 21)))
    await peer.close()
    #expect(await asked.value != nil)
    await bob.network.stop()
  }

  @Test func `A peer that does not answer is let go`() async throws {
    let bob = TestNode {
      $0.times.pingInterval = .milliseconds(40)
      $0.times.pong = .milliseconds(100)
    }
    let peer = try await RawPeer(to: try await bob.listen())
    try await peer.introduce(to: bob.nodeID)
    let connection = try await bob.nextConnection()
    // Half a message is no sign of life.
    let frame = try peer.encrypt(note(1, byteCount: 1_000))
    peer.push(Array(frame[..<100]))
    #expect(try await end(of: connection) == .pongTimedOut)
    await bob.network.stop()
  }

  @Test func `Nodes that only ping each other stay connected`() async throws {
    let quick: (inout PeerConfiguration) -> Void = {
      $0.times.pingInterval = .milliseconds(20)
      $0.limits.pingsPerSecond = 1_000
      $0.times.pong = .seconds(10)
    }
    let alice = TestNode(quick)
    let bob = TestNode(quick)
    let connection = try await alice.network.connect(to: bob.nodeID, at: [try await bob.listen()])
    try await Task.sleep(for: .milliseconds(500))
    #expect(connection.closeReason == nil)
    await alice.network.stop()
    await bob.network.stop()
  }

  @Test func `A flood of pings ends the connection`() async throws {
    let bob = TestNode { $0.limits.pingBurst = 20 }
    let peer = try await RawPeer(to: try await bob.listen())
    try await peer.introduce(to: bob.nodeID)
    let connection = try await bob.nextConnection()
    let ping = try Ping(numPongBytes: 65_531, ignored: []).encoded()
    for _ in 0..<100 { peer.push(try peer.encrypt(ping)) }
    #expect(try await end(of: connection) == .pingFlood)
    await bob.network.stop()
  }
}
