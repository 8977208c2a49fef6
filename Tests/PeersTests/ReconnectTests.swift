import Encoding
import NIOCore
import NIOPosix
@testable import Peers
import Secp256k1
import Testing
import Wire

@Suite struct ReconnectTests {
  @Test func `A kept peer is connected again when the connection is lost`() async throws {
    let alice = TestNode()
    let bob = TestNode()
    let address = try await bob.listen()
    alice.network.keepConnected(bob.nodeID, at: [address])
    for _ in 0..<3 {
      let connection = try await bob.nextConnection()
      #expect(connection.nodeID == alice.nodeID)
      connection.close("go away")
    }
    _ = try await bob.nextConnection()
    alice.network.release(bob.nodeID)
    #expect(alice.network.keptPeers.isEmpty)
    await alice.network.stop()
    await bob.network.stop()
  }

  @Test func `A kept peer that is away is tried until it is back, at each of its addresses`() async throws {
    let key = SecretKey.random()
    let bob = TestNode(key: key.copy())
    let address = try await bob.listen()
    await bob.network.stop()
    let alice = TestNode()
    let wrong = try NodeAddress(text: "127.0.0.1:1")
    alice.network.keepConnected(bob.nodeID, at: [wrong, address])
    try await Task.sleep(for: .milliseconds(100))
    let again = TestNode(key: key)
    _ = try await again.network.listen(on: address)
    let connection = try await again.nextConnection()
    #expect(connection.nodeID == alice.nodeID)
    // The address that worked comes first from now on.
    try await until("the good address is not preferred") {
      alice.network.keptPeers[again.nodeID] == [address, wrong]
    }
    await alice.network.stop()
    await again.network.stop()
  }

  @Test func `Pauses double up to the longest, more or less by a half`() {
    var times = PeerConfiguration.Times()
    times.firstRetry = .seconds(1)
    times.longestRetry = .seconds(60)
    var generator = SystemRandomNumberGenerator()
    var backOff = BackOff(times)
    for expected in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
      let pause = backOff.next(using: &generator)
      #expect(pause >= .seconds(expected) * 0.5 && pause <= .seconds(expected) * 1.5)
    }
    for _ in 0..<100 { _ = backOff.next(using: &generator) }
    #expect(backOff.next(using: &generator) <= .seconds(90))
    backOff.succeeded()
    #expect(backOff.next(using: &generator) <= .milliseconds(1_500))
  }

  @Test func `Many kept peers are dialled a few at a time`() async throws {
    let alice = TestNode {
      $0.limits.simultaneousDials = 3
      $0.times.handshake = .milliseconds(50)
    }
    let server = try await RawServer { _ in [] }
    for _ in 0..<30 { alice.network.keepConnected(NodeID(SecretKey.random().publicKey), at: [server.address]) }
    for _ in 0..<50 {
      #expect(alice.network.connectionCounts.all <= 3)
      try await Task.sleep(for: .milliseconds(4))
    }
    await alice.network.stop()
    await server.close()
  }

  @Test func `Which addresses are public`() throws {
    let cases: [(String, Bool)] = [
      ("8.8.8.8:1", true), ("10.1.2.3:1", false), ("127.0.0.1:1", false), ("172.15.0.1:1", true),
      ("172.16.0.1:1", false), ("172.31.255.1:1", false), ("172.32.0.1:1", true), ("192.168.1.1:1", false),
      ("169.254.1.1:1", false), ("100.64.0.1:1", false), ("100.128.0.1:1", true), ("224.0.0.1:1", false),
      ("255.255.255.255:1", false), ("0.0.0.0:1", false), ("198.18.0.1:1", false), ("203.0.113.5:1", false),
      ("[2001:4860:4860::8888]:1", true), ("[::1]:1", false), ("[fe80::1]:1", false), ("[fc00::1]:1", false),
      ("[2001:db8::1]:1", false), ("example.com:1", false),
    ]
    for (text, isPublic) in cases { #expect(try NodeAddress(text: text).isPublic == isPublic, "\(text)") }
  }

  @Test func `A bucket gives what it has and says how long to wait for the rest`() {
    let start = NIODeadline.now()
    var bucket = TokenBucket(perSecond: 10, burst: 5, now: start)
    #expect(bucket.spend(5, now: start) == nil)
    #expect(bucket.spend(1, now: start) == .milliseconds(100))
    #expect(bucket.spend(1, now: start + .milliseconds(200)) == nil)
    #expect(bucket.spend(1, now: start + .milliseconds(200)) == .milliseconds(100))
    // It never holds more than the burst.
    #expect(bucket.spend(6, now: start + .seconds(3_600)) == .milliseconds(100))
    // Nor does it wait for more than an hour.
    #expect(bucket.spend(1e12, now: start + .seconds(3_601)) == .hours(1))
  }

  @Test func `A queue gives back what was put in, in order`() {
    var queue = MessageQueue()
    var expected = 0
    var next = 0
    for round in 0..<200 {
      for _ in 0..<round % 37 {
        queue.append(note(next))
        next += 1
      }
      for _ in 0..<round % 31 {
        guard let message = queue.popFirst() else { break }
        #expect(message == note(expected))
        expected += 1
      }
      #expect(queue.byteCount == 10 * (next - expected))
    }
    while let message = queue.popFirst() {
      #expect(message == note(expected))
      expected += 1
    }
    #expect(expected == next && queue.isEmpty && queue.byteCount == 0)
  }
}
