public import Bitcoin
public import Encoding
public import Secp256k1

/// An onion message on one of its hops: what `onion_message` holds (BOLT 4 §Onion Messages).
public struct OnionMessage: Hashable, Sendable {
  /// For the node that gets this.
  public var pathKey: PublicKey
  public var packet: OnionPacket

  public init(pathKey: PublicKey, packet: OnionPacket) {
    self.pathKey = pathKey
    self.packet = packet
  }

  /// Reads the fields behind the type: `path_key`, `len`, `onion_message_packet`. Bytes behind them are left alone (BOLT 1 allows
  /// an extension there).
  public init(decoding body: RawSpan) throws(DecodingError) {
    var reader = ByteReader(body)
    pathKey = try reader.read()
    packet = try OnionPacket(try reader.readArray(count: Int(try reader.readUInt16())))
  }

  public init(decoding body: [UInt8]) throws(DecodingError) { try self.init(decoding: body.bytes) }

  /// The fields behind the type. Nil for a packet of more than 65,535 bytes, which `Onion.create` does not make.
  public var encoded: [UInt8]? {
    guard let count = UInt16(exactly: packet.bytes.count) else { return nil }
    var writer = ByteWriter(reservingCapacity: 35 + packet.bytes.count)
    writer.write(pathKey)
    writer.write(count)
    writer.write(packet.bytes)
    return writer.bytes
  }

  // MARK: Creating

  /// BOLT 4: "SHOULD set `onion_message_packet` `len` to 1366 or 32834."
  public static let payloadsByteCounts = [1300, 32_768]

  public enum CreationError: Error, Hashable, Sendable {
    /// The path has no hops.
    case noHops
    case onion(OnionCreationError)
  }

  /// Makes a message along a blinded path whose first node gets it. `payload` is for the last node; its
  /// `encryptedRecipientData` is replaced by the path's. The smaller usual size is taken that is large enough.
  public static func create(
    sessionKey: borrowing SecretKey, path: BlindedPath, payload: OnionMessagePayload
  ) throws(CreationError) -> OnionMessage {
    var hops: [OnionHop] = []
    for (index, hop) in path.hops.enumerated() {
      var content = index == path.hops.count - 1 ? payload : OnionMessagePayload()
      content.encryptedRecipientData = hop.encryptedRecipientData
      hops.append(OnionHop(publicKey: hop.blindedNodeID, payload: content.encoded))
    }
    guard !hops.isEmpty else { throw .noHops }
    let needed = hops.map(\.byteCount).reduce(0, +)
    let size = payloadsByteCounts.first { $0 >= needed } ?? needed
    do throws(OnionCreationError) {
      // BOLT 4: MUST NOT use any `associated_data` in the Sphinx construction.
      let created = try Onion.create(sessionKey: sessionKey, hops: hops, payloadsByteCount: size)
      return OnionMessage(pathKey: path.firstPathKey, packet: created.packet)
    } catch {
      throw .onion(error)
    }
  }

  // MARK: Peeling

  /// What to do with a message.
  public enum Peeled: Hashable, Sendable {
    /// Send `message` to this node. With `next_node_id` that is who; otherwise who is at the other end of the channel.
    case forward(to: NextNode, message: OnionMessage)
    /// It is for us. `data` tells which of our paths was used, if any.
    case final(OnionMessagePayload, data: RecipientData)
  }

  public enum NextNode: Hashable, Sendable {
    case nodeID(PublicKey)
    /// BOLT 7's `short_channel_id` as a number, or a local alias.
    case shortChannelID(ShortChannelID)
  }

  /// Why a message is ignored. BOLT 4: "there is no error returned from intermediary nodes".
  public enum PeelingError: Error, Hashable, Sendable {
    case onion(OnionError)
    case payload(InvalidPayload)
    case unblinding(UnblindingError)
    case recipientData(InvalidPayload)
  }

  /// Takes our layer off (BOLT 4 §Onion Messages, "The reader"). `knownFeatures` are the bits of `allowed_features` that we understand.
  public func peel(
    nodeKey: borrowing SecretKey, knownFeatures: Set<Int> = []
  ) throws(PeelingError) -> Peeled {
    let blinding = BlindingSecret(pathKey: pathKey, nodeKey: nodeKey)
    let peeled: PeeledOnion
    do throws(OnionError) {
      peeled = try Onion.peel(packet, nodeKey: nodeKey, blinding: blinding)
    } catch {
      throw .onion(error)
    }
    let payload: OnionMessagePayload
    do throws(InvalidPayload) {
      payload = try OnionMessagePayload(decoding: peeled.payload)
      try payload.validate(isFinal: peeled.isFinal)
    } catch {
      throw .payload(error)
    }
    let unblinded: UnblindedData
    do throws(UnblindingError) {
      unblinded = try blinding.unblind(payload.encryptedRecipientData ?? [])
    } catch {
      throw .unblinding(error)
    }
    do throws(InvalidPayload) {
      try unblinded.data.validate(as: peeled.isFinal ? .messageFinal : .messageForward, knownFeatures: knownFeatures)
    } catch {
      throw .recipientData(error)
    }
    guard let next = peeled.next else { return .final(payload, data: unblinded.data) }
    let message = OnionMessage(pathKey: unblinded.nextPathKey, packet: next)
    // BOLT 4: if `next_node_id` is present: the *next peer* is the peer with that node id. Otherwise, if `short_channel_id` is
    // present (…): the *next peer* is the peer at the other end of that channel.
    if let nodeID = unblinded.data.nextNodeID { return .forward(to: .nodeID(nodeID), message: message) }
    guard let channel = unblinded.data.shortChannelID else {
      throw .recipientData(InvalidPayload(type: 4, offset: 0, reason: .missing))
    }
    return .forward(to: .shortChannelID(channel), message: message)
  }
}
