import Encoding
import Noise
import Peers
import Secp256k1
import Testing
import Wire

/// What strangers may do to a listener before they are peers.
@Suite struct HandshakeTests {
  /// The responder of BOLT 8's appendix.
  static func responder(_ change: (inout PeerConfiguration) -> Void = { _ in }) throws -> TestNode {
    let key = try SecretKey(copying: [UInt8](repeating: 0x21, count: 32).bytes)
    return TestNode(key: key, change)
  }

  /// BOLT 8 §Appendix A: act one as the initiator sends it, and as it must be refused. An act is refused without a byte in answer.
  static let actOne =
    "00036360e856310ce5d294e8be33fc807077dc56ac80d95d9cd4ddbd21325eff73f70df6086551151f58b8afe6c195782c6a"
  static let badActsOne: [String: String] = [
    "ACT1_BAD_VERSION":
      "01036360e856310ce5d294e8be33fc807077dc56ac80d95d9cd4ddbd21325eff73f70df6086551151f58b8afe6c195782c6a",
    "ACT1_BAD_PUBKEY":
      "00046360e856310ce5d294e8be33fc807077dc56ac80d95d9cd4ddbd21325eff73f70df6086551151f58b8afe6c195782c6a",
    "ACT1_BAD_TAG":
      "00036360e856310ce5d294e8be33fc807077dc56ac80d95d9cd4ddbd21325eff73f70df6086551151f58b8afe6c195782c6b",
  ]

  @Test(arguments: badActsOne.keys.sorted()) func `A bad act one ends the connection without a word`(
    name: String
  ) async throws {
    let bob = try Self.responder()
    let peer = try await RawPeer(to: try await bob.listen())
    try await peer.send(try Hex.decode(try #require(Self.badActsOne[name])))
    #expect(try await peer.waitForEnd() == 0)
    await bob.network.stop()
  }

  @Test func `The act one of the appendix is answered, a bad act three ends the connection`() async throws {
    let bob = try Self.responder()
    let address = try await bob.listen()
    let acts = [
      // The version, the ciphertext, the tag; and garbage.
      [1] + [UInt8](repeating: 7, count: 65), [0] + [UInt8](repeating: 7, count: 65),
      [UInt8](repeating: 0, count: 66),
    ]
    for act in acts {
      let peer = try await RawPeer(to: address)
      try await peer.send(try Hex.decode(Self.actOne))
      let answer = try #require(try await peer.receive(50))
      #expect(answer[0] == 0)
      try await peer.send(act)
      #expect(try await peer.waitForEnd() == 0)
    }
    await bob.network.stop()
  }

  @Test func `Acts that come byte by byte are acts all the same`() async throws {
    let bob = try Self.responder()
    let peer = try await RawPeer(to: try await bob.listen())
    for byte in try Hex.decode(Self.actOne) { try await peer.send([byte]) }
    #expect(try await peer.receive(50) != nil)
    await bob.network.stop()
  }

  @Test func `Who looks for another node is refused, and the dialler says so`() async throws {
    let bob = TestNode()
    let address = try await bob.listen()
    let alice = TestNode()
    let other = NodeID(SecretKey.random().publicKey)
    await #expect(throws: PeerError.unreachable([PeerError.Attempt(address: address, reason: .closedByPeer)])) {
      try await alice.network.connect(to: other, at: [address])
    }
    await alice.network.stop()
    await bob.network.stop()
  }

  @Test func `A listener that answers nonsense is not connected to`() async throws {
    let alice = TestNode()
    let bob = NodeID(SecretKey.random().publicKey)
    for (answer, reason) in [
      ([UInt8](repeating: 0x48, count: 50), HandshakeError.Reason.badVersion(0x48)),
      ([0] + [UInt8](repeating: 0x48, count: 49), .badPublicKey),
      ([0] + NodeID(SecretKey.random().publicKey).publicKey.array + [UInt8](repeating: 1, count: 16), .badTag),
    ] {
      let server = try await RawServer { _ in answer }
      let expected = PeerCloseReason.handshakeFailed(HandshakeError(act: .two, reason: reason))
      await #expect(throws: PeerError.unreachable([PeerError.Attempt(address: server.address, reason: expected)])) {
        try await alice.network.connect(to: bob, at: [server.address])
      }
      await server.close()
    }
    await alice.network.stop()
  }

  @Test func `Who finds itself hangs up`() async throws {
    let key = SecretKey.random()
    let bob = TestNode(key: key.copy())
    let address = try await bob.listen()
    let peer = try await RawPeer(to: address)
    try await peer.shakeHands(with: bob.nodeID, key: key)
    #expect(try await peer.waitForEnd() == 0)
    await bob.network.stop()
  }

  @Test func `Who says nothing, or too little, is let go in time`() async throws {
    let bob = TestNode { $0.times.handshake = .milliseconds(200) }
    let address = try await bob.listen()
    let silent = try await RawPeer(to: address)
    let slow = try await RawPeer(to: address)
    slow.push([0, 3])
    #expect(try await silent.waitForEnd() == 0)
    #expect(try await slow.waitForEnd() == 0)
    await bob.network.stop()

    let carol = TestNode { $0.times.initMessage = .milliseconds(200) }
    let noInit = try await RawPeer(to: try await carol.listen())
    try await noInit.shakeHands(with: carol.nodeID)
    // Our `init` came, and nothing after it.
    #expect(try await noInit.receiveMessage() != nil)
    #expect(try await noInit.waitForEnd() == 0)
    #expect(carol.network.peers.isEmpty)
    await carol.network.stop()
  }

  @Test func `A dialled node that says nothing is given up in time`() async throws {
    let server = try await RawServer { _ in [] }
    let alice = TestNode { $0.times.handshake = .milliseconds(100) }
    let reason = PeerCloseReason.handshakeTimedOut
    await #expect(throws: PeerError.unreachable([PeerError.Attempt(address: server.address, reason: reason)])) {
      try await alice.network.connect(to: NodeID(SecretKey.random().publicKey), at: [server.address])
    }
    await alice.network.stop()
    await server.close()
  }

  @Test func `Garbage, changed and repeated frames end the connection, and what came before is kept`() async throws {
    let bob = TestNode()
    let address = try await bob.listen()
    let attacks: [(String, @Sendable (RawPeer) throws -> [UInt8])] = [
      ("garbage", { _ in [UInt8](repeating: 0xaa, count: 200) }),
      (
        "a changed message",
        { peer in
          var frame = try peer.encrypt(note(2))
          frame[20] ^= 1
          return frame
        }
      ),
      (
        "a frame sent twice",
        { peer in
          let frame = try peer.encrypt(note(2))
          return frame + frame
        }
      ),
      (
        "frames in another order",
        { peer in
          let first = try peer.encrypt(note(2))
          return try peer.encrypt(note(3)) + first
        }
      ),
      (
        "another length before a message",
        { peer in
          let long = try peer.encrypt([UInt8](repeating: 0x81, count: 65_535))
          return long[..<18] + [UInt8](repeating: 0, count: 65_551)
        }
      ),
    ]
    for (name, attack) in attacks {
      let peer = try await RawPeer(to: address)
      try await peer.introduce(to: bob.nodeID)
      let connection = try await bob.nextConnection()
      try await peer.sendMessage(note(1))
      try await peer.send(try attack(peer))
      let messages = try await receive(name == "a frame sent twice" ? 2 : 1, from: connection)
      #expect(messages.first?.bytes == note(1), "\(name)")
      let reason = try await end(of: connection)
      guard case .transportFailed = reason else {
        Issue.record("\(name): \(reason)")
        continue
      }
      _ = try await peer.waitForEnd()
    }
    await bob.network.stop()
  }
}
