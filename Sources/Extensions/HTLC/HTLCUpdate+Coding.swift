internal import Bitcoin
public import Encoding
public import GLC

// The stored form is the message's type and body (BOLT 2), so that storage and wire share one codec.

extension HTLCUpdate {
  public init(from reader: inout ByteReader) throws(DecodingError) {
    let type = try reader.readUInt16()
    self = try HTLCUpdate(type: type, bodyFrom: &reader)
  }

  public func encode(to writer: inout ByteWriter) {
    writer.write(messageType)
    encodeBody(to: &writer)
  }

  /// Reads the body of a message after its channel id; everything behind the known fields is a TLV stream.
  init(type: UInt16, bodyFrom reader: inout ByteReader) throws(DecodingError) {
    switch type {
    case 128:
      self = .add(
        id: try reader.readUInt64(), amount: MilliSatoshi(try reader.readUInt64()),
        paymentHash: PaymentHash(try reader.read()), cltvExpiry: try reader.readUInt32(),
        onion: try reader.readArray(count: HTLCUpdate.onionByteCount), extra: try Self.readExtra(&reader))
    case 130:
      self = .fulfill(
        id: try reader.readUInt64(), preimage: try reader.read(), extra: try Self.readExtra(&reader))
    case 131:
      let id = try reader.readUInt64()
      let count = try reader.readUInt16()
      self = .fail(id: id, reason: try reader.readArray(count: Int(count)), extra: try Self.readExtra(&reader))
    case 135:
      self = .failMalformed(
        id: try reader.readUInt64(), onionHash: try reader.read(), code: try reader.readUInt16(),
        extra: try Self.readExtra(&reader))
    default: throw .malformed("not an HTLC message")
    }
  }

  private static func readExtra(_ reader: inout ByteReader) throws(DecodingError) -> TLVStream {
    try TLVStream(decoding: reader.read(count: reader.remaining))
  }

  func encodeBody(to writer: inout ByteWriter) {
    switch self {
    case .add(let id, let amount, let paymentHash, let cltvExpiry, let onion, let extra):
      writer.write(id)
      writer.write(amount.rawValue)
      writer.write(paymentHash)
      writer.write(cltvExpiry)
      writer.write(onion)
      extra.encode(to: &writer)
    case .fulfill(let id, let preimage, let extra):
      writer.write(id)
      writer.write(preimage)
      extra.encode(to: &writer)
    case .fail(let id, let reason, let extra):
      writer.write(id)
      writer.write(UInt16(clamping: reason.count))
      writer.write(reason)
      extra.encode(to: &writer)
    case .failMalformed(let id, let onionHash, let code, let extra):
      writer.write(id)
      writer.write(onionHash)
      writer.write(code)
      extra.encode(to: &writer)
    }
  }
}

extension HTLCExtension {
  /// `body` begins behind the channel id, which the core has taken off.
  public func decode(type: UInt16, body: RawSpan) throws(ProtocolViolation) -> HTLCUpdate {
    var reader = ByteReader(body)
    do {
      let update = try HTLCUpdate(type: type, bodyFrom: &reader)
      try reader.finish()
      return update
    } catch {
      throw ProtocolViolation(.warning, "message \(type) cannot be read: \(error)")
    }
  }

  public func encode(_ update: HTLCUpdate) -> WireMessage {
    var writer = ByteWriter()
    update.encodeBody(to: &writer)
    return WireMessage(type: update.messageType, body: writer.bytes)
  }
}
