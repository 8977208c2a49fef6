import Encoding
import Peers
import Secp256k1
import Synchronization
import Testing
import Wire

@Suite struct ConnectionTests {
  @Test func `Two nodes connect, agree on features and exchange messages in order`() async throws {
    let alice = TestNode()
    let bob = TestNode { $0.features[.quiesce] = .optional }
    let address = try await bob.listen()
    let toBob = try await alice.network.connect(to: bob.nodeID, at: [address])
    let toAlice = try await bob.nextConnection()
    #expect(toBob.nodeID == bob.nodeID)
    #expect(toAlice.nodeID == alice.nodeID)
    #expect(toBob.direction == .outgoing && toAlice.direction == .incoming)
    #expect(toBob.address == address)
    #expect(toBob.isNegotiated(.anchors) && toAlice.isNegotiated(.anchors))
    #expect(!toBob.isNegotiated(.quiesce) && toBob.theirFeatures.offers(.quiesce))
    #expect(toBob.theirInit.networks == [.regtest])
    // The loopback address is nobody's business.
    #expect(toBob.theirInit.remoteAddr == nil)

    let sent = (0..<1_000).map { note($0, byteCount: 8 + $0) }
    for start in stride(from: 0, to: 1_000, by: 100) { #expect(toBob.send(Array(sent[start..<start + 100]))) }
    #expect(toAlice.send(note(7)))
    #expect(try await receive(1_000, from: toAlice).map(\.bytes) == sent)
    #expect(try await receive(1, from: toBob).map(\.bytes) == [note(7)])
    await alice.network.stop()
    #expect(try await end(of: toAlice) == .closedByPeer)
    #expect(toBob.closeReason == .stopped)
    #expect(!toBob.send(note(8)))
    await bob.network.stop()
    #expect(bob.network.connectionCounts.all == 0)
    // Nothing of this hangs or fails afterwards.
    #expect(await toBob.waitUntilClosed() == .stopped)
    #expect(await toBob.nextBatch() == nil)
    await toBob.waitUntilWritable()
    toBob.close("again")
    await bob.network.stop()
  }

  @Test func `Messages of every length pass, the longest too, and longer ones are not sent`() async throws {
    let alice = TestNode()
    let bob = TestNode()
    let address = try await bob.listen()
    let toBob = try await alice.network.connect(to: bob.nodeID, at: [address])
    let toAlice = try await bob.nextConnection()
    let longest = [0x80, 0x01] + [UInt8](repeating: 1, count: 65_533)
    #expect(toBob.send([[0x80, 0x01], longest, [0x80, 0x03, 1]]))
    #expect(!toBob.send(longest + [0]))
    #expect(!toBob.send([0x80]))
    #expect(try await receive(3, from: toAlice).map(\.bytes) == [[0x80, 0x01], longest, [0x80, 0x03, 1]])
    await alice.network.stop()
    await bob.network.stop()
  }

  @Test func `IPv6, and the same port for both protocols`() async throws {
    let bob = TestNode()
    let four = try await bob.listen()
    let six = try await bob.listen("[::1]:\(four.port)")
    #expect(six.port == four.port)
    for address in [four, six] {
      let alice = TestNode()
      let connection = try await alice.network.connect(to: bob.nodeID, at: [address])
      #expect(connection.address == address)
      await alice.network.stop()
    }
    await bob.network.stop()
  }

  @Test func `A host name is looked up, one that does not exist is said so`() async throws {
    let bob = TestNode()
    let four = try await bob.listen()
    let alice = TestNode()
    let unknown = try NodeAddress(text: "nobody.invalid:\(four.port)")
    await #expect(throws: PeerError.self) { try await alice.network.connect(to: bob.nodeID, at: [unknown]) }
    // The second address is tried when the first fails.
    let name = try NodeAddress(text: "localhost:\(four.port)")
    let connection = try await alice.network.connect(to: bob.nodeID, at: [unknown, name])
    #expect(connection.address == name)
    await alice.network.stop()
    await bob.network.stop()
  }

  @Test func `What cannot be connected to is refused with the reason`() async throws {
    let alice = TestNode { $0.times.connect = .milliseconds(300) }
    await #expect(throws: PeerError.ourself) { try await alice.network.connect(to: alice.nodeID, at: []) }
    let bob = TestNode()
    await #expect(throws: PeerError.noUsableAddress) { try await alice.network.connect(to: bob.nodeID, at: []) }
    let onion = try NodeAddress(text: "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:9735")
    await #expect(throws: PeerError.noUsableAddress) {
      try await alice.network.connect(to: bob.nodeID, at: [onion])
    }
    // Nobody listens there any more.
    let address = try await bob.listen()
    await bob.network.stop()
    let refusal = await #expect(throws: PeerError.self) {
      try await alice.network.connect(to: bob.nodeID, at: [address])
    }
    #expect(refusal?.description.contains("\(address)") == true)
    await #expect(throws: PeerError.self) { try await alice.network.listen(on: onion) }
    let taken = try await alice.listen()
    await #expect(throws: PeerError.self) { try await alice.network.listen(on: taken) }
    await alice.network.stop()
    await #expect(throws: PeerError.stopped) { try await alice.listen() }
  }

  @Test func `The last words of a connection that we close reach the peer`() async throws {
    let alice = TestNode()
    let bob = TestNode()
    let address = try await bob.listen()
    let toBob = try await alice.network.connect(to: bob.nodeID, at: [address])
    let toAlice = try await bob.nextConnection()
    // Bob is talking while Alice closes: what he sent and she does not read must not swallow her error.
    for number in 0..<200 { toAlice.send(note(number, byteCount: 1_000)) }
    let error = ErrorMessage(channelID: .all, data: PeerText("that is enough"))
    toBob.send(note(1))
    toBob.close("enough", after: error)
    #expect(!toBob.send(note(2)))
    let heard = try await receive(2, from: toAlice)
    #expect(heard.map(\.bytes) == [note(1), try error.encoded()])
    #expect(try await end(of: toAlice) == .closedByPeer)
    #expect(try await end(of: toBob) == .closedByUs("enough"))
    await alice.network.stop()
    await bob.network.stop()
  }

  @Test func `A second connection of the same peer takes the place of the first`() async throws {
    let bob = TestNode()
    let address = try await bob.listen()
    let secret = SecretKey.random()
    let first = try await RawPeer(to: address)
    try await first.introduce(to: bob.nodeID, key: secret.copy())
    let one = try await bob.nextConnection()
    let second = try await RawPeer(to: address)
    try await second.introduce(to: bob.nodeID, key: secret.copy())
    let two = try await bob.nextConnection()
    #expect(one.nodeID == two.nodeID)
    #expect(try await end(of: one) == .duplicate)
    _ = try await first.waitForEnd()
    #expect(bob.network.peers.count == 1)
    #expect(bob.network.peer(two.nodeID) === two)
    two.send(note(3))
    #expect(try await second.receiveMessage() == note(3))
    await bob.network.stop()
  }

  @Test func `Two nodes that connect to each other at the same moment end up with one connection`() async throws {
    for _ in 0..<20 {
      let alice = TestNode()
      let bob = TestNode()
      let toBob = try await bob.listen()
      let toAlice = try await alice.listen()
      async let one = try? alice.network.connect(to: bob.nodeID, at: [toBob])
      async let two = try? bob.network.connect(to: alice.nodeID, at: [toAlice])
      _ = await (one, two)
      try await until("not exactly one connection, open on both sides") {
        guard let a = alice.network.peer(bob.nodeID), let b = bob.network.peer(alice.nodeID) else { return false }
        return a.direction != b.direction && alice.network.connectionCounts.all == 1
          && bob.network.connectionCounts.all == 1
      }
      let a = try #require(alice.network.peer(bob.nodeID))
      let b = try #require(bob.network.peer(alice.nodeID))
      a.send(note(1))
      #expect(try await receive(1, from: b).map(\.bytes) == [note(1)])
      await alice.network.stop()
      await bob.network.stop()
    }
  }

  @Test func `Asking twice for the same peer gives one connection`() async throws {
    let alice = TestNode()
    let bob = TestNode()
    let address = try await bob.listen()
    async let one = alice.network.connect(to: bob.nodeID, at: [address])
    async let two = alice.network.connect(to: bob.nodeID, at: [address])
    let (first, second) = try await (one, two)
    #expect(first === second)
    #expect(try await alice.network.connect(to: bob.nodeID, at: []) === first)
    await alice.network.stop()
    await bob.network.stop()
  }

  @Test func `Every message is recorded, both ways`() async throws {
    let record = Recording()
    let alice = TestNode { $0.recorder = { message in record.lines.withLock { $0.append(message) } } }
    let bob = TestNode()
    let address = try await bob.listen()
    let toBob = try await alice.network.connect(to: bob.nodeID, at: [address])
    let toAlice = try await bob.nextConnection()
    toBob.send(note(1))
    _ = try await receive(1, from: toAlice)
    toAlice.send(note(2))
    _ = try await receive(1, from: toBob)
    let lines = record.lines.withLock { $0 }
    #expect(lines.map(\.way) == [.sent, .received, .sent, .received])
    #expect(lines.map { UInt16($0.bytes[0]) << 8 | UInt16($0.bytes[1]) } == [16, 16, 0x8001, 0x8001])
    #expect(lines.allSatisfy { $0.nodeID == bob.nodeID })
    await alice.network.stop()
    await bob.network.stop()
  }
}

private final class Recording: Sendable {
  let lines = Mutex<[RecordedMessage]>([])
}
