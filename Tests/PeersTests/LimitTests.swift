import Encoding
import NIOCore
import NIOPosix
import Peers
import Secp256k1
import Testing
import Wire

/// What too much is, and what happens then.
@Suite struct LimitTests {
  @Test func `One host gets so many connections, and places that become free again`() async throws {
    let bob = TestNode {
      $0.limits.connectionsPerHost = 3
      $0.limits.countsLoopback = true
    }
    let address = try await bob.listen()
    var peers: [RawPeer] = []
    for _ in 0..<3 {
      let peer = try await RawPeer(to: address)
      try await peer.introduce(to: bob.nodeID)
      peers.append(peer)
    }
    let fourth = try await RawPeer(to: address)
    #expect(try await fourth.waitForEnd() == 0)
    await peers[0].close()
    try await until("the place was not given back") { bob.network.connectionCounts.all == 2 }
    let next = try await RawPeer(to: address)
    try await next.introduce(to: bob.nodeID)
    #expect(try await next.receive(0) != nil)
    await bob.network.stop()
  }

  @Test func `Connections that say nothing cannot keep others out`() async throws {
    let bob = TestNode { $0.limits.uninitialisedConnections = 10 }
    let address = try await bob.listen()
    var silent: [RawPeer] = []
    for _ in 0..<60 { silent.append(try await RawPeer(to: address)) }
    try await until("too many are waiting") { bob.network.connectionCounts.all <= 10 }
    #expect(bob.network.connectionCounts.uninitialised <= 10)
    let peer = try await RawPeer(to: address)
    try await peer.introduce(to: bob.nodeID)
    _ = try await bob.nextConnection()
    await bob.network.stop()
  }

  @Test func `Strangers find the house full, kept peers do not`() async throws {
    let bob = TestNode {
      $0.limits.incomingConnections = 2
      $0.limits.reservedConnections = 1
    }
    let address = try await bob.listen()
    let friend = SecretKey.random()
    bob.network.keepConnected(NodeID(friend.publicKey), at: [])
    for _ in 0..<2 {
      let peer = try await RawPeer(to: address)
      try await peer.introduce(to: bob.nodeID)
      _ = try await bob.nextConnection()
    }
    let stranger = try await RawPeer(to: address)
    try await stranger.introduce(to: bob.nodeID)
    #expect(try await stranger.waitForEnd() == 0)
    let known = try await RawPeer(to: address)
    try await known.introduce(to: bob.nodeID, key: friend)
    #expect(try await bob.nextConnection().nodeID == bob.network.keptPeers.keys.first)
    await bob.network.stop()
  }

  @Test func `While the layer above is behind, the peer is not read`() async throws {
    let bob = TestNode { $0.limits.inboundBytes = 100_000 }
    let peer = try await RawPeer(to: try await bob.listen())
    try await peer.introduce(to: bob.nodeID)
    let connection = try await bob.nextConnection()
    // 20 MB: more than all buffers of the system.
    for number in 0..<300 { peer.push(try peer.encrypt(note(number, byteCount: 65_000))) }
    try await Task.sleep(for: .milliseconds(300))
    let first = try #require(await connection.nextBatch())
    // The limit, and what one read brings on top.
    #expect(first.reduce(0) { $0 + $1.bytes.count } < 400_000)
    let rest = try await receive(300 - first.count, from: connection)
    #expect((first + rest).map(\.bytes) == (0..<300).map { note($0, byteCount: 65_000) })
    await bob.network.stop()
  }

  @Test func `A peer that talks too much is slowed down and loses nothing`() async throws {
    let bob = TestNode {
      $0.limits.messagesPerSecond = 1_000
      $0.limits.messageBurst = 100
    }
    let peer = try await RawPeer(to: try await bob.listen())
    try await peer.introduce(to: bob.nodeID)
    let connection = try await bob.nextConnection()
    let start = ContinuousClock.now
    for number in 0..<600 { peer.push(try peer.encrypt(note(number, byteCount: 1_000))) }
    #expect(try await receive(600, from: connection).map(\.bytes) == (0..<600).map { note($0, byteCount: 1_000) })
    // 500 more than the burst at 1,000 per second; a lower bound only, and half of it.
    #expect(.now - start > .milliseconds(250))
    await bob.network.stop()
  }

  @Test func `A peer that does not read is let go when too much is waiting for it`() async throws {
    let bob = TestNode { $0.limits.outboundBytes = 2_000_000 }
    let peer = try await RawPeer(to: try await bob.listen(), autoRead: false)
    // It never reads, not even our act two: so it cannot be a peer. One that reads up to `init` and then stops:
    await peer.close()
    let address = try await bob.listen()
    let reader = TestNode { $0.limits.inboundBytes = 1 }
    let theirs = try await reader.network.connect(to: bob.nodeID, at: [address])
    let connection = try await bob.nextConnection()
    #expect(connection.isWritable)
    var sent = 0
    while connection.send(note(sent, byteCount: 60_000)), sent < 1_000 { sent += 1 }
    #expect(!connection.isWritable)
    #expect(sent < 1_000)
    #expect(try await end(of: connection) == .outboundOverflow)
    _ = theirs
    await reader.network.stop()
    await bob.network.stop()
  }

  @Test func `A peer that stops reading is let go in time`() async throws {
    let bob = TestNode { $0.times.writeStall = .milliseconds(200) }
    let address = try await bob.listen()
    let reader = TestNode { $0.limits.inboundBytes = 1 }
    _ = try await reader.network.connect(to: bob.nodeID, at: [address])
    let connection = try await bob.nextConnection()
    connection.send((0..<200).map { note($0, byteCount: 60_000) })
    #expect(try await end(of: connection) == .writeStalled)
    await reader.network.stop()
    await bob.network.stop()
  }

  @Test func `Gossip waits for everything else, and what is too much is turned away`() async throws {
    let bob = TestNode { $0.limits.gossipBytes = 1_000_000 }
    let address = try await bob.listen()
    let reader = TestNode { $0.limits.inboundBytes = 1 }
    let theirs = try await reader.network.connect(to: bob.nodeID, at: [address])
    let connection = try await bob.nextConnection()
    // Fill what the systems hold, so that something waits.
    var others = 0
    while connection.isWritable {
      connection.send(note(others, byteCount: 60_000))
      others += 1
    }
    let gossip = (0..<100).map { [0x80, 0x03] + note($0, byteCount: 40_000) }
    let taken = connection.sendGossip(gossip)
    #expect(taken == 24)
    #expect(connection.gossipRoom < 50_000)
    connection.send(note(others))
    let messages = try await receive(others + 1 + taken, from: theirs)
    #expect(messages.filter { $0.type == 0x8001 }.count == others + 1)
    #expect(messages.filter { $0.type == 0x8003 }.map(\.bytes) == Array(gossip[..<taken]))
    // The message that came after the gossip was sent before it, but for what was on its way.
    let place = try #require(messages.firstIndex { $0.bytes == note(others) })
    #expect(place <= others + 14)
    await connection.waitUntilWritable()
    #expect(connection.isWritable)
    await reader.network.stop()
    await bob.network.stop()
  }
}
