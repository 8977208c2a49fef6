public import Encoding
internal import Hashing
internal import Secp256k1

// What the signatures of gossip messages cover: always up to the end of the message, including any future fields.

extension WireMessage {
  /// The double SHA-256 of the message from `offset` on, counted after its type.
  func signatureHash(from offset: Int) -> Bytes32 {
    var sink = BinaryFieldSink(reservingCapacity: 512)
    return signatureHash(from: offset, &sink)
  }

  /// Writes into a sink that has served for another message.
  func signatureHash(from offset: Int, _ sink: inout BinaryFieldSink) -> Bytes32 {
    sink.removeAll()
    encode(to: &sink)
    let signed = sink.writer.bytes.dropFirst(offset)
    return sha256d(signed.bytes)
  }
}

extension ChannelAnnouncement {
  /// What all four signatures sign. BOLT 7: MUST compute the double-SHA256 hash `h` of the message, beginning at offset 256, up to the
  /// end of the message.
  public var signatureHash: Bytes32 { signatureHash(from: Self.signedFrom) }
  static let signedFrom = 256

  /// Checks the four signatures. Throws `.badSignature` with the name of the first that is wrong.
  public func verifySignatures() throws(GossipFault) { try verifySignatures(hash: signatureHash) }

  func verifySignatures(hash: Bytes32) throws(GossipFault) {
    guard nodeSignature1.isValid(for: hash, by: nodeID1.publicKey) else { throw .badSignature("node_signature_1") }
    guard nodeSignature2.isValid(for: hash, by: nodeID2.publicKey) else { throw .badSignature("node_signature_2") }
    guard bitcoinSignature1.isValid(for: hash, by: bitcoinKey1) else { throw .badSignature("bitcoin_signature_1") }
    guard bitcoinSignature2.isValid(for: hash, by: bitcoinKey2) else { throw .badSignature("bitcoin_signature_2") }
  }
}

extension NodeAnnouncement {
  /// What the signature signs. BOLT 7: the double-SHA256 of the entire remaining packet after `signature`.
  public var signatureHash: Bytes32 { signatureHash(from: Self.signedFrom) }
  static let signedFrom = 64

  /// Checks the signature. Throws `.badSignature`.
  public func verifySignature() throws(GossipFault) { try verifySignature(hash: signatureHash) }

  func verifySignature(hash: Bytes32) throws(GossipFault) {
    guard signature.isValid(for: hash, by: nodeID.publicKey) else { throw .badSignature("signature") }
  }
}

extension ChannelUpdate {
  /// What the signature signs. BOLT 7: the double-SHA256 of the entire remaining packet after `signature`.
  public var signatureHash: Bytes32 { signatureHash(from: Self.signedFrom) }
  static let signedFrom = 64

  /// Whether `node_id_2` of the channel's announcement sent this, and not `node_id_1`.
  public var isFromNode2: Bool { channelFlags.contains(.direction) }

  /// Who must have signed. BOLT 7: `node_id_1` if the least-significant bit of flags is 0 or `node_id_2` otherwise.
  public func signer(in announcement: ChannelAnnouncement) -> NodeID {
    isFromNode2 ? announcement.nodeID2 : announcement.nodeID1
  }

  /// Checks the signature. Throws `.badSignature`.
  public func verifySignature(by node: NodeID) throws(GossipFault) {
    try verifySignature(hash: signatureHash, by: node)
  }

  func verifySignature(hash: Bytes32, by node: NodeID) throws(GossipFault) {
    guard signature.isValid(for: hash, by: node.publicKey) else { throw .badSignature("signature") }
  }

  /// BOLT 7 §The `query_channel_range` and `reply_channel_range` Messages: the CRC32C checksum of this `channel_update` without its
  /// `signature` and `timestamp` fields.
  public var checksum: UInt32 {
    var sink = BinaryFieldSink(reservingCapacity: 256)
    encode(to: &sink)
    // 64 bytes of signature; then the chain's hash and the short_channel_id, 40 bytes; then 4 bytes of timestamp.
    let beforeTimestamp = sink.writer.bytes[64..<104]
    let afterTimestamp = sink.writer.bytes[108...]
    var crc = CRC32C()
    crc.update(beforeTimestamp.bytes)
    crc.update(afterTimestamp.bytes)
    return crc.value
  }
}
