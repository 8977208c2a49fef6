public import Bitcoin
public import Encoding
public import Secp256k1

/// A path whose nodes the sender does not learn (BOLT 4 §Route Blinding).
public struct BlindedPath: Hashable, Sendable {
  /// `first_node_id`: the introduction point.
  public var firstNodeID: FirstNode
  /// `first_path_key`.
  public var firstPathKey: PublicKey
  /// From 1 to 255.
  public var hops: [BlindedHop]

  public init(firstNodeID: FirstNode, firstPathKey: PublicKey, hops: [BlindedHop]) {
    self.firstNodeID = firstNodeID
    self.firstPathKey = firstPathKey
    self.hops = hops
  }

  /// BOLT 1's `sciddir_or_pubkey`: a node by its id, or as one end of a channel.
  public enum FirstNode: Hashable, Sendable {
    case nodeID(PublicKey)
    /// `node_id_1` of the channel for direction 0, `node_id_2` for 1.
    case channelEnd(shortChannelID: ShortChannelID, isNode2: Bool)
  }
}

/// `blinded_path_hop`.
public struct BlindedHop: Hashable, Sendable {
  /// Who the onion's layer is encrypted to.
  public var blindedNodeID: PublicKey
  /// At most 65,535 bytes.
  public var encryptedRecipientData: [UInt8]

  public init(blindedNodeID: PublicKey, encryptedRecipientData: [UInt8]) {
    self.blindedNodeID = blindedNodeID
    self.encryptedRecipientData = encryptedRecipientData
  }
}

extension BlindedPath {
  /// Reads a `blinded_path` that fills `bytes`. Throws `.malformed` for a path without hops, which leads nowhere.
  public init(decoding bytes: RawSpan) throws(DecodingError) {
    var reader = ByteReader(bytes)
    try self.init(from: &reader)
    try reader.finish()
  }

  public init(decoding bytes: [UInt8]) throws(DecodingError) { try self.init(decoding: bytes.bytes) }

  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) {
    switch reader.peekUInt8() {
    case nil: throw .truncated
    case let direction? where direction < 2:
      try reader.skip(1)
      firstNodeID = .channelEnd(shortChannelID: try ShortChannelID(from: &reader), isNode2: direction == 1)
    default: firstNodeID = .nodeID(try reader.read())
    }
    firstPathKey = try reader.read()
    let count = try reader.readUInt8()
    guard count > 0 else { throw .malformed("a blinded path without hops") }
    hops = []
    for _ in 0..<count {
      hops.append(
        BlindedHop(
          blindedNodeID: try reader.read(),
          encryptedRecipientData: try reader.readArray(count: Int(try reader.readUInt16()))))
    }
  }

  /// Nil when there are no hops, more than 255, or one with more data than 65,535 bytes.
  public var encoded: [UInt8]? {
    guard 1...255 ~= hops.count, hops.allSatisfy({ $0.encryptedRecipientData.count <= Int(UInt16.max) }) else {
      return nil
    }
    var writer = ByteWriter()
    switch firstNodeID {
    case .nodeID(let key): writer.write(key)
    case .channelEnd(let shortChannelID, let isNode2):
      writer.write((isNode2 ? 1 : 0) as UInt8)
      shortChannelID.encode(to: &writer)
    }
    writer.write(firstPathKey)
    writer.write(UInt8(truncatingIfNeeded: hops.count))
    for hop in hops {
      writer.write(hop.blindedNodeID)
      writer.write(UInt16(truncatingIfNeeded: hop.encryptedRecipientData.count))
      writer.write(hop.encryptedRecipientData)
    }
    return writer.bytes
  }

  // MARK: Creating

  /// A path just created, with what its creator shares with each node.
  public struct Created: Sendable {
    public let path: BlindedPath
    /// One for each hop. The last one's path key proves that the path was used as a whole.
    public let secrets: [BlindingSecret]
  }

  public enum CreationError: Error, Hashable, Sendable {
    /// A path has from 1 to 255 hops.
    case invalidHopCount(Int)
    /// More data than 65,519 bytes for one hop.
    case dataTooLong(hop: Int)
    /// A factor outside of the curve's order. It does not happen by chance: take another session key.
    case invalidSessionKey
  }

  /// Makes a path over these nodes. `sessionKey` is e_0, fresh and random; `data` is an `encrypted_data_tlv` for each node.
  public static func create(
    sessionKey: borrowing SecretKey, hops: [(nodeID: PublicKey, data: [UInt8])]
  ) throws(CreationError) -> Created {
    guard let first = hops.first, hops.count <= 255 else { throw .invalidHopCount(hops.count) }
    var ephemeral = sessionKey.copy()
    var blinded: [BlindedHop] = []
    var secrets: [BlindingSecret] = []
    for (index, hop) in hops.enumerated() {
      guard hop.data.count <= Int(UInt16.max) - 16 else { throw .dataTooLong(hop: index) }
      // BOLT 4: ss_i = SHA256(e_i * N_i).
      let secret = BlindingSecret(
        pathKey: ephemeral.publicKey, sharedSecret: SharedSecret(ephemeral.sharedSecret(with: hop.nodeID)))
      do throws(Secp256k1Error) {
        blinded.append(
          BlindedHop(
            blindedNodeID: try secret.blindedID(of: hop.nodeID),
            encryptedRecipientData: secret.encrypt(hop.data.bytes)))
        // BOLT 4: e_{i+1} = SHA256(E_i || ss_i) * e_i.
        ephemeral = try ephemeral.multiplied(by: secret.nextFactor)
      } catch {
        throw .invalidSessionKey
      }
      secrets.append(secret)
    }
    return Created(
      path: BlindedPath(firstNodeID: .nodeID(first.nodeID), firstPathKey: secrets[0].pathKey, hops: blinded),
      secrets: secrets)
  }

  public static func create(
    sessionKey: borrowing SecretKey, hops: [(nodeID: PublicKey, data: RecipientData)]
  ) throws(CreationError) -> Created {
    try create(sessionKey: sessionKey, hops: hops.map { (nodeID: $0.nodeID, data: $0.data.encoded) })
  }
}

/// What a node of a blinded path makes of its data.
public struct UnblindedData: Hashable, Sendable {
  public let data: RecipientData
  /// What the next node needs: the `next_path_key_override` if there is one.
  public let nextPathKey: PublicKey
}

public enum UnblindingError: Error, Hashable, Sendable {
  /// The data was not encrypted for us under this path key.
  case undecryptable
  /// It is no `encrypted_data_tlv`.
  case invalidData(InvalidPayload)
}

extension BlindingSecret {
  /// Reads our part of a blinded path (BOLT 4 §Route Blinding, "The reader of the `encrypted_recipient_data`").
  public func unblind(_ encryptedRecipientData: RawSpan) throws(UnblindingError) -> UnblindedData {
    guard let plaintext = decrypt(encryptedRecipientData) else { throw .undecryptable }
    let data: RecipientData
    do throws(InvalidPayload) {
      data = try RecipientData(decoding: plaintext)
    } catch {
      throw .invalidData(error)
    }
    // BOLT 4: If the `encrypted_data_tlv` contains a `next_path_key_override`: MUST use it as the next `path_key`.
    if let override = data.nextPathKeyOverride { return UnblindedData(data: data, nextPathKey: override) }
    do throws(Secp256k1Error) {
      return UnblindedData(data: data, nextPathKey: try nextPathKey())
    } catch {
      throw .undecryptable
    }
  }

  public func unblind(_ encryptedRecipientData: [UInt8]) throws(UnblindingError) -> UnblindedData {
    try unblind(encryptedRecipientData.bytes)
  }
}
