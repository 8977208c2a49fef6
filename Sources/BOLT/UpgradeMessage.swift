internal import Encoding
internal import GLC
internal import Secp256k1
internal import Wire

/// The messages of an upgrade. Their numbers are in docs/REGISTRY.md, their form in docs/NEGOTIATION.md.
enum UpgradeMessage {
  /// `stack_proposed`: the new stack as the sender has it, and the sender's basepoints that it needs.
  static let proposed: UInt16 = 45072
  /// `stack_accepted`: the same, with what the sender says to it.
  static let accepted: UInt16 = 45073
  /// `stack_refused`: reason, extension, text.
  static let refused: UInt16 = 45074
  /// `stack_changed`: as `stack_proposed`, and the receiver's basepoints.
  static let changed: UInt16 = 45075
  /// In `channel_reestablish`: `StackStatus`.
  static let record: UInt64 = 65537

  static let types = proposed...changed

  private static func message(_ type: UInt16, _ id: ChannelID) -> ByteWriter {
    var writer = ByteWriter(reservingCapacity: 512)
    writer.write(type)
    writer.write(id)
    return writer
  }

  static func proposed(_ id: ChannelID, _ stack: ChannelStack, _ basepoints: Basepoints) -> [UInt8] {
    write(proposed, id, stack, basepoints)
  }

  static func accepted(_ id: ChannelID, _ stack: ChannelStack, _ basepoints: Basepoints) -> [UInt8] {
    write(accepted, id, stack, basepoints)
  }

  private static func write(
    _ type: UInt16, _ id: ChannelID, _ stack: ChannelStack, _ basepoints: Basepoints
  ) -> [UInt8] {
    var writer = message(type, id)
    stack.encode(to: &writer)
    basepoints.encode(to: &writer)
    return writer.bytes
  }

  static func changed(_ id: ChannelID, _ change: StackChange) -> [UInt8] {
    var writer = message(changed, id)
    change.stack.encode(to: &writer)
    change.basepoints.local.encode(to: &writer)
    change.basepoints.remote.encode(to: &writer)
    return writer.bytes
  }

  static func refused(_ id: ChannelID, _ refusal: StackRefusal) -> [UInt8] {
    var writer = message(refused, id)
    writer.write(refusal.reason.rawValue)
    writer.write(refusal.extensionID?.rawValue ?? 0)
    writer.write(Array(refusal.text.utf8.prefix(1000)))
    return writer.bytes
  }

  // MARK: Reading, for the receiver's eyes

  /// Of any of them but `stack_refused`.
  static func change(
    _ body: RawSpan, _ registry: ExtensionRegistry, hasReceivers: Bool
  ) throws(StackRefusal) -> StackChange {
    do throws(StoredStateError) {
      var reader = ByteReader(body)
      let stack = try ChannelStack(from: &reader, registry: registry)
      // What may be ignored elsewhere cannot be agreed on.
      if let unknown = stack.extensions.first(where: { !registry.knows($0.id) }) { throw .unknownExtension(unknown.id) }
      var sender: Basepoints
      var receiver = Basepoints([:])
      do throws(DecodingError) {
        sender = try Basepoints(from: &reader)
        if hasReceivers { receiver = try Basepoints(from: &reader) }
        try reader.finish()
      } catch {
        throw .malformed(error)
      }
      return try StackChange(stack: stack, basepoints: PerParty(local: sender, remote: receiver)).mirrored(registry)
    } catch {
      switch error {
      case .unknownExtension(let id): throw StackRefusal(.unknown, id, "extension \(id) is not known here")
      case .stack(let reason): throw StackRefusal(.composition, nil, "\(reason)")
      case .malformed(let reason): throw StackRefusal(.parameters, nil, "the stack cannot be read: \(reason)")
      case .unknownVersion: throw StackRefusal(.parameters, nil, "the stack cannot be read")
      }
    }
  }

  static func refusal(_ body: RawSpan) throws(DecodingError) -> StackRefusal {
    var reader = ByteReader(body)
    // A reason that is not known here is one that the text explains.
    let reason = StackRefusal.Reason(rawValue: try reader.readUInt8()) ?? .policy
    let id = try reader.readUInt16()
    let text = PeerText(String(decoding: reader.readRest(), as: UTF8.self)).safeText(limit: 200)
    return StackRefusal(reason, id == 0 ? nil : ExtensionID(rawValue: id), text)
  }
}

extension StackStatus {
  var record: [UInt8] {
    var writer = ByteWriter(reservingCapacity: 40)
    writer.write(inForce)
    if let pending { writer.write(pending) }
    return writer.bytes
  }

  init(record: [UInt8]) throws(LightningChannel.Fault) {
    do throws(DecodingError) {
      var reader = ByteReader(record.bytes)
      self.init(inForce: try reader.read())
      if !reader.isAtEnd { pending = try reader.readUInt64() }
      try reader.finish()
    } catch {
      throw .warn("the stack in channel_reestablish cannot be read: \(error)")
    }
  }
}
