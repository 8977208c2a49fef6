import Bitcoin
import Encoding
import Hashing
import Secp256k1
import Testing
import Wire

/// The ends of a channel with their four keys, and gossip that they sign.
private struct Channel {
  var announcement: ChannelAnnouncement
  var nodeSeeds: (UInt8, UInt8)

  static func secret(_ seed: UInt8) throws -> SecretKey { try SecretKey(sha256([seed])) }

  init(_ a: UInt8, _ b: UInt8, features: FeatureSet = FeatureSet(), excess: [UInt8] = []) throws {
    let keys = try [a, b].map { (seed: $0, id: NodeID(try Self.secret($0).publicKey)) }.sorted { $0.id < $1.id }
    nodeSeeds = (keys[0].seed, keys[1].seed)
    let empty = CompactSignature(Bytes64())
    announcement = ChannelAnnouncement(
      nodeSignature1: empty, nodeSignature2: empty, bitcoinSignature1: empty, bitcoinSignature2: empty,
      features: features, chainHash: .bitcoin,
      shortChannelID: try #require(ShortChannelID(blockHeight: 539_268, transactionIndex: 845, outputIndex: 1)),
      nodeID1: keys[0].id, nodeID2: keys[1].id, bitcoinKey1: try Self.secret(101).publicKey,
      bitcoinKey2: try Self.secret(102).publicKey, excess: excess)
    try sign()
  }

  mutating func sign() throws {
    // Over the bytes themselves: after the type and the four signatures.
    let bytes = try announcement.encoded()
    let hash = sha256d(Array(bytes[(2 + 256)...]))
    announcement.nodeSignature1 = CompactSignature(try Self.secret(nodeSeeds.0).signECDSA(hash))
    announcement.nodeSignature2 = CompactSignature(try Self.secret(nodeSeeds.1).signECDSA(hash))
    announcement.bitcoinSignature1 = CompactSignature(try Self.secret(101).signECDSA(hash))
    announcement.bitcoinSignature2 = CompactSignature(try Self.secret(102).signECDSA(hash))
  }

  func update(
    fromNode2: Bool, timestamp: UInt32 = 1_700_000_000, change: (inout ChannelUpdate) -> Void = { _ in }
  ) throws -> ChannelUpdate {
    var update = ChannelUpdate(
      signature: CompactSignature(Bytes64()), chainHash: .bitcoin, shortChannelID: announcement.shortChannelID,
      timestamp: timestamp, messageFlags: .mustBeOne, channelFlags: fromNode2 ? .direction : [], cltvExpiryDelta: 40,
      htlcMinimumMsat: MilliSatoshi(1), feeBaseMsat: 1000, feeProportionalMillionths: 100,
      htlcMaximumMsat: MilliSatoshi(1_000_000_000))
    change(&update)
    let hash = sha256d(Array(try update.encoded()[(2 + 64)...]))
    update.signature = CompactSignature(
      try Self.secret(fromNode2 ? nodeSeeds.1 : nodeSeeds.0).signECDSA(hash))
    return update
  }

  func node(
    timestamp: UInt32 = 1_700_000_000, change: (inout NodeAnnouncement) -> Void = { _ in }
  ) throws -> NodeAnnouncement {
    var node = NodeAnnouncement(
      signature: CompactSignature(Bytes64()), features: FeatureSet(bits: [17]), timestamp: timestamp,
      nodeID: announcement.nodeID1, rgbColor: RGBColor(red: 1, green: 2, blue: 3),
      alias: try #require(Alias("IRATEMONK")),
      addresses: NodeAddresses([try NodeAddress(text: "192.0.2.1:9735")]))
    change(&node)
    let hash = sha256d(Array(try node.encoded()[(2 + 64)...]))
    node.signature = CompactSignature(try Self.secret(nodeSeeds.0).signECDSA(hash))
    return node
  }
}

private let rules = GossipRules(chainHash: .bitcoin, now: 1_700_000_000)

@Suite("Gossip")
struct GossipTests {
  @Test("A channel announcement is valid with its four signatures, and with nothing changed")
  func channelAnnouncement() throws {
    let channel = try Channel(1, 2, excess: [1, 2, 3])
    let good = try ChannelAnnouncement(decoding: channel.announcement.encoded())
    try GossipMessage.channelAnnouncement(good).verify()
    #expect(try rules.check(good) == [.route, .forward])

    func fault(_ change: (inout ChannelAnnouncement) -> Void) -> GossipFault? {
      var changed = good
      change(&changed)
      return #expect(throws: GossipFault.self) { try GossipMessage.channelAnnouncement(changed).verify() }
    }
    #expect(fault { $0.nodeSignature2 = $0.nodeSignature1 } == .badSignature("node_signature_2"))
    #expect(fault { $0.bitcoinSignature1 = $0.nodeSignature1 } == .badSignature("bitcoin_signature_1"))
    #expect(fault { $0.bitcoinSignature2 = CompactSignature(Bytes64()) } == .badSignature("bitcoin_signature_2"))
    #expect(fault { swap(&$0.bitcoinKey1, &$0.bitcoinKey2) } == .badSignature("node_signature_1"))
    #expect(fault { $0.excess[2] = 4 } == .badSignature("node_signature_1"))
    #expect(fault { $0.features = FeatureSet(bytes: [0]) } == .badSignature("node_signature_1"))
    #expect(fault { swap(&$0.nodeID1, &$0.nodeID2) } == .nodesOutOfOrder)
    #expect(fault { $0.nodeID1 = $0.nodeID2 } == .nodesOutOfOrder)
    #expect(GossipFault.badSignature("node_signature_1").consequence == .warn)

    // Every byte is signed: whatever changes, the message is refused.
    let bytes = try good.encoded()
    for offset in 2..<bytes.count {
      var changed = bytes
      changed[offset] ^= 1
      guard let message = try? ChannelAnnouncement(decoding: changed) else { continue }
      #expect(throws: GossipFault.self, "byte \(offset)") { try GossipMessage.channelAnnouncement(message).verify() }
    }
  }

  @Test("A signature with a high s is nobody's")
  func highS() throws {
    let channel = try Channel(1, 2)
    let update = try channel.update(fromNode2: false)
    // n − s, computed byte by byte.
    let order = try Hex.decode("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
    var raw = update.signature.raw
    var borrow = 0
    for index in (0..<32).reversed() {
      let difference = Int(order[index]) - Int(raw[32 + index]) - borrow
      borrow = difference < 0 ? 1 : 0
      raw[32 + index] = UInt8(difference & 255)
    }
    var malleated = update
    malleated.signature = CompactSignature(raw)
    try update.verifySignature(by: channel.announcement.nodeID1)
    #expect(throws: GossipFault.badSignature("signature")) {
      try malleated.verifySignature(by: channel.announcement.nodeID1)
    }
    // And it does not count as another update.
    #expect(throws: GossipFault.notNewer) { try malleated.checkReplaces(update) }
  }

  @Test("A channel update is valid when the node of its direction signed it")
  func channelUpdate() throws {
    let channel = try Channel(3, 4)
    for fromNode2 in [false, true] {
      let update = try channel.update(fromNode2: fromNode2) { $0.excess = [9] }
      let signer = update.signer(in: channel.announcement)
      #expect(signer == (fromNode2 ? channel.announcement.nodeID2 : channel.announcement.nodeID1))
      let decoded = try ChannelUpdate(decoding: update.encoded())
      try GossipMessage.channelUpdate(decoded, signer: signer).verify()
      let other = fromNode2 ? channel.announcement.nodeID1 : channel.announcement.nodeID2
      #expect(throws: GossipFault.badSignature("signature")) {
        try GossipMessage.channelUpdate(decoded, signer: other).verify()
      }
    }
  }

  @Test("Channel updates are judged by chain, time and limits")
  func updateRules() throws {
    let channel = try Channel(3, 4)
    func update(_ timestamp: UInt32, _ change: (inout ChannelUpdate) -> Void = { _ in }) throws -> ChannelUpdate {
      try channel.update(fromNode2: false, timestamp: timestamp, change: change)
    }
    let now = rules.now
    #expect(try rules.check(update(now)) == [.route, .forward])
    #expect(throws: GossipFault.unknownChain) { try rules.check(update(now) { $0.chainHash = .testnet }) }
    #expect(throws: GossipFault.noTimestamp) { try rules.check(update(0)) }
    #expect(try rules.check(update(now + 86_400)) == [.route, .forward])
    #expect(throws: GossipFault.fromTheFuture) { try rules.check(update(now + 86_401)) }
    #expect(try rules.check(update(now - 1_209_600)) == [.route, .forward])
    #expect(throws: GossipFault.stale) { try rules.check(update(now - 1_209_601)) }
    #expect(try rules.check(update(now) { $0.htlcMinimumMsat = MilliSatoshi(1_000_000_001) }) == .forward)
    #expect(try rules.check(update(now) { $0.htlcMinimumMsat = $0.htlcMaximumMsat }) == [.route, .forward])
    #expect(try rules.check(update(now) { $0.channelFlags.insert(.disable) }) == .forward)
    #expect(try rules.check(update(now) { $0.messageFlags.insert(.dontForward) }) == .route)

    let first = try update(now)
    try update(now + 1).checkReplaces(first)
    #expect(throws: GossipFault.notNewer) { try first.checkReplaces(first) }
    #expect(throws: GossipFault.notNewer) { try update(now - 1).checkReplaces(first) }
    #expect(throws: GossipFault.sameTimestamp) { try update(now) { $0.feeBaseMsat = 1 }.checkReplaces(first) }
  }

  @Test("A node announcement is valid when the node signed it, and used as its features and addresses allow")
  func nodeAnnouncement() throws {
    let channel = try Channel(5, 6)
    let node = try NodeAnnouncement(decoding: channel.node { $0.excess = [7, 7] }.encoded())
    try GossipMessage.nodeAnnouncement(node).verify()
    #expect(try rules.check(node) == [.route, .forward])
    #expect(node.alias.safeText == "IRATEMONK")
    var changed = node
    changed.alias = try #require(Alias("WISTFULTOLL"))
    #expect(throws: GossipFault.badSignature("signature")) { try GossipMessage.nodeAnnouncement(changed).verify() }

    #expect(try rules.check(channel.node { $0.features = FeatureSet(bits: [100]) }) == .forward)
    #expect(try rules.check(channel.node { $0.features = FeatureSet(bits: [101]) }) == [.route, .forward])
    let hosts = try ["a.example:1", "b.example:2"].map { try NodeAddress(text: $0) }
    #expect(try rules.check(channel.node { $0.addresses = NodeAddresses(hosts) }) == .route)
    let cut = try channel.node { $0.addresses = NodeAddresses(bytes: [1, 192, 0, 2]) }
    #expect(throws: GossipFault.badAddresses(.truncated)) { try rules.check(cut) }
    #expect(throws: GossipFault.badAddresses(.truncated)) { try GossipMessage.nodeAnnouncement(cut).verify() }
    #expect(throws: GossipFault.notNewer) { try node.checkReplaces(node) }
    try channel.node(timestamp: node.timestamp + 1).checkReplaces(node)
  }

  @Test("Unknown even features keep payments out of a channel, not its announcement out of the graph")
  func channelFeatures() throws {
    let required = try Channel(7, 8, features: FeatureSet(bits: [200])).announcement
    try GossipMessage.channelAnnouncement(required).verify()
    #expect(try rules.check(required) == .forward)
    #expect(try rules.check(Channel(7, 8, features: FeatureSet(bits: [201])).announcement) == [.route, .forward])
    var other = rules
    other.chainHash = .signet
    #expect(throws: GossipFault.unknownChain) { try other.check(required) }
  }

  @Test("A batch gives the verdicts of its messages in their order, however many tasks share it")
  func batch() async throws {
    var messages: [GossipMessage] = []
    var expected: [GossipFault?] = []
    for seed in 1...20 as ClosedRange<UInt8> {
      let channel = try Channel(seed, seed + 50)
      var bad = channel.announcement
      bad.bitcoinSignature2 = bad.nodeSignature1
      let update = try channel.update(fromNode2: seed.isMultiple(of: 2))
      messages += [
        .channelAnnouncement(channel.announcement), .channelAnnouncement(bad), .nodeAnnouncement(try channel.node()),
        .channelUpdate(update, signer: update.signer(in: channel.announcement)),
        .channelUpdate(update, signer: NodeID(channel.announcement.bitcoinKey1)),
      ]
      expected += [nil, .badSignature("bitcoin_signature_2"), nil, nil, .badSignature("signature")]
    }
    for workers in [-1, 1, 2, 3, 1000] {
      #expect(await GossipBatch.verify(messages, workers: workers) == expected, "\(workers) workers")
    }
    #expect(await GossipBatch.verify([]) == [])
    #expect(await GossipBatch.verify(Array(messages.prefix(1))) == [nil])
  }

  @Test("Checksums are CRC32C, and leave out signature and timestamp")
  func checksum() throws {
    // RFC 3720 §B.4: 32 bytes of zeros, of ones, rising and falling (there as bytes, least significant first).
    func crc(_ bytes: [UInt8]) -> UInt32 {
      var crc = CRC32C()
      let (head, tail) = (Array(bytes.prefix(7)), Array(bytes.dropFirst(7)))
      crc.update(head.bytes)
      crc.update(tail.bytes)
      return crc.value
    }
    #expect(crc(Array(repeating: 0, count: 32)) == 0x8a91_36aa)
    #expect(crc(Array(repeating: 0xff, count: 32)) == 0x62a8_ab43)
    #expect(crc(Array(0..<32)) == 0x46dd_794e)
    #expect(crc((0..<32).reversed()) == 0x113f_db5c)

    let channel = try Channel(1, 2)
    let update = try channel.update(fromNode2: false)
    let later = try channel.update(fromNode2: false, timestamp: update.timestamp + 5)
    let dearer = try channel.update(fromNode2: false) { $0.feeBaseMsat += 1 }
    #expect(update.checksum == later.checksum && update.checksum != dearer.checksum)
    // The bytes: type, signature, chain and channel, timestamp, the rest.
    let bytes = try update.encoded()
    #expect(update.checksum == crc(Array(bytes[66..<106]) + Array(bytes[110...])))
  }
}
