import Encoding
import Peers
import Secp256k1
import Testing
import Wire

/// BOLT 1 §The `init` Message.
@Suite struct InitTests {
  /// Shakes hands, sends `message`, and tells why Bob hung up: the text of his warning.
  private func refusal(
    of message: [UInt8], _ change: (inout PeerConfiguration) -> Void = { _ in }
  ) async throws -> String? {
    let bob = TestNode(change)
    let peer = try await RawPeer(to: try await bob.listen())
    try await peer.shakeHands(with: bob.nodeID)
    // Nothing comes when we are not wanted at all.
    _ = try await peer.receiveMessage()
    peer.push(try peer.encrypt(message))
    let answer = try await peer.receiveMessage()
    if answer != nil { #expect(try await peer.waitForEnd() == 0) }
    #expect(bob.network.peers.isEmpty)
    await bob.network.stop()
    return try answer.map { try Warning(decoding: $0).data.safeText() }
  }

  private func message(_ bits: [Int], networks: [ChainHash]? = nil) throws -> [UInt8] {
    try Init(globalfeatures: FeatureSet(), features: FeatureSet(bits: bits), networks: networks).encoded()
  }

  @Test func `Our init is the first message, with features as short as can be and the chain`() async throws {
    let bob = TestNode { $0.initRecords[65_537] = [1, 2, 3] }
    let peer = try await RawPeer(to: try await bob.listen())
    try await peer.shakeHands(with: bob.nodeID)
    let bytes = try #require(try await peer.receiveMessage())
    let message = try Init(decoding: bytes)
    #expect(message.globalfeatures.isEmpty)
    #expect(message.features.isMinimal && message.features.offers(.anchors))
    #expect(message.networks == [.regtest])
    #expect(message.otherRecords[65_537] == [1, 2, 3])
    await bob.network.stop()
  }

  @Test func `What may not be is refused with a warning that says why`() async throws {
    let unknown = try await refusal(of: message([0, 13, 998]))
    #expect(unknown?.contains("requires feature 998") == true, "\(unknown ?? "nothing")")
    let dependency = try await refusal(of: message([13, 61]))
    #expect(dependency?.contains("option_simple_close without option_shutdown_anysegwit") == true)
    let chain = try await refusal(of: message([13], networks: [.bitcoin, .signet]))
    #expect(chain?.contains("another chain") == true)
    let other = try await refusal(of: note(1))
    #expect(other?.contains("32769 instead of init") == true)
    let short = try await refusal(of: [0, 16, 0])
    #expect(short?.contains("init") == true)
    let record = try await refusal(of: message([13]) + [0xfd, 0x01, 0x00, 0x00])
    #expect(record?.contains("init") == true)
    #expect(try await refusal(of: [7]) == "the peer sent a malformed message: shorter than a message type")
    // Nothing is said to one who is not wanted at all.
    #expect(try await refusal(of: message([13])) { $0.refusal = { _, _ in "banned" } } == nil)
  }

  @Test func `Unknown odd bits, old global features, no or several chains are fine`() async throws {
    let bob = TestNode()
    let address = try await bob.listen()
    let inits = [
      Init(globalfeatures: FeatureSet(bits: [9]), features: FeatureSet(bits: [999, 23])),
      Init(globalfeatures: FeatureSet(bits: [12]), features: FeatureSet(bits: [22]), networks: [.bitcoin, .regtest]),
    ]
    for message in inits {
      let peer = try await RawPeer(to: address)
      try await peer.shakeHands(with: bob.nodeID)
      _ = try await peer.receiveMessage()
      // A record that nobody knows, but odd.
      try await peer.sendMessage(try message.encoded() + [99, 1, 7])
      let connection = try await bob.nextConnection()
      #expect(connection.isNegotiated(.anchors))
      #expect(connection.theirFeatures == message.combinedFeatures)
    }
    await bob.network.stop()
  }

  @Test func `The features of Electrum 4_8 and 4_3 are accepted`() async throws {
    let bob = TestNode()
    let address = try await bob.listen()
    for bits in [[0, 5, 8, 12, 14, 17, 19, 22, 27, 44, 47, 151], [0, 1, 5, 6, 9, 12, 13, 15, 17, 27, 45, 151]] {
      let peer = try await RawPeer(to: address)
      try await peer.introduce(to: bob.nodeID, features: FeatureSet(bits: bits))
      _ = try await bob.nextConnection()
    }
    await bob.network.stop()
  }

  @Test func `The peer's refusal is handed to whoever dialled`() async throws {
    let bob = TestNode { $0.features = FeatureSet(bits: [998]) }
    let alice = TestNode()
    let address = try await bob.listen()
    let error = await #expect(throws: PeerError.self) {
      try await alice.network.connect(to: bob.nodeID, at: [address])
    }
    #expect(error?.description.contains("requires feature 998") == true)
    await alice.network.stop()
    await bob.network.stop()
  }

  @Test func `How the peer sees us is read, and nonsense there does no harm`() async throws {
    let bob = TestNode()
    let address = try await bob.listen()
    let seen = try NodeAddress(text: "11.22.33.44:9735")
    for (remote, expected) in [(NodeAddresses([seen]), Optional(seen)), (NodeAddresses(bytes: [1, 2]), nil)] {
      let peer = try await RawPeer(to: address)
      try await peer.shakeHands(with: bob.nodeID)
      _ = try await peer.receiveMessage()
      try await peer.sendMessage(
        Init(globalfeatures: FeatureSet(), features: FeatureSet(), remoteAddr: remote))
      #expect(try await bob.nextConnection().ourAddressAsSeen == expected)
    }
    await bob.network.stop()
  }

  @Test func `A second init, an even message that nobody knows, end the connection`() async throws {
    let bob = TestNode { $0.knowsEvenType = { $0 == 40_000 || MessageType.known($0) != nil } }
    let address = try await bob.listen()
    for (bytes, reason) in [
      (try message([13]), PeerCloseReason.initRepeated), ([0x9c, 0x42], .unknownEvenType(40_002)),
    ] {
      let peer = try await RawPeer(to: address)
      try await peer.introduce(to: bob.nodeID)
      let connection = try await bob.nextConnection()
      // The layer above knows this one; odd ones are handed up in any case.
      try await peer.sendMessage([0x9c, 0x40, 1])
      try await peer.sendMessage(note(1))
      try await peer.sendMessage(bytes)
      #expect(try await receive(2, from: connection).map(\.type) == [40_000, 0x8001])
      let warning = try #require(try await peer.receiveMessage())
      #expect(try Warning(decoding: warning).data.safeText() == reason.description)
      #expect(try await peer.waitForEnd() == 0)
      #expect(try await end(of: connection) == reason)
    }
    await bob.network.stop()
  }
}
