internal import Bitcoin
public import Encoding
public import GLC
internal import Secp256k1
internal import Wire

// The messages are those of `Wire`; the stored form is a message's type and body, so that there is one codec. Records that the message
// defines stand with the others in `extra`: whatever a peer added with an odd type is stored and forwarded as it came.

extension HTLCUpdate {
  private static let pathKeyType: UInt64 = 0
  private static let attributionType: UInt64 = 1
  /// The channel's id, which stands between type and body and which the core takes off.
  private static let channelIDByteCount = ChannelID.byteCount

  public init(from reader: inout ByteReader) throws(DecodingError) {
    let type = try reader.readUInt16()
    let body = reader.readRest()
    do { self = try HTLCUpdate(type: type, body: body.bytes) } catch {
      if case .malformed(_, _, let reason) = error { throw reason }
      throw .malformed("not an HTLC message")
    }
  }

  public func encode(to writer: inout ByteWriter) {
    writer.write(messageType)
    writer.write(body)
  }

  init(type: UInt16, body: RawSpan) throws(WireError) {
    var payload = ByteWriter(reservingCapacity: Self.channelIDByteCount + body.byteCount)
    payload.write(zeros: Self.channelIDByteCount)
    payload.write(body)
    switch try Message(type: type, payload: payload.bytes.bytes) {
    case .updateAddHTLC(let message):
      var extra = message.otherRecords
      if let pathKey = message.pathKey { extra[Self.pathKeyType] = pathKey.array }
      self = .add(
        id: message.id, amount: message.amountMsat, paymentHash: PaymentHash(message.paymentHash),
        cltvExpiry: message.cltvExpiry, onion: message.onionRoutingPacket.bytes, extra: extra)
    case .updateFulfillHTLC(let message):
      self = .fulfill(
        id: message.id, preimage: message.paymentPreimage,
        extra: Self.records(message.otherRecords, message.attributionData))
    case .updateFailHTLC(let message):
      self = .fail(
        id: message.id, reason: message.reason, extra: Self.records(message.otherRecords, message.attributionData))
    case .updateFailMalformedHTLC(let message):
      self = .failMalformed(
        id: message.id, onionHash: message.sha256OfOnion, code: message.failureCode, extra: message.otherRecords)
    default: throw .unknownMessage
    }
  }

  private static func records(_ others: TLVStream, _ attribution: AttributionData?) -> TLVStream {
    guard let attribution else { return others }
    var records = others
    var writer = ByteWriter(reservingCapacity: AttributionData.byteCount)
    attribution.encode(to: &writer)
    records[attributionType] = writer.bytes
    return records
  }

  /// The message without its type and channel id; nil when there is none: an onion of another size, or more than 65,535 bytes.
  var message: [UInt8]? {
    let encoded: [UInt8]
    do {
      switch self {
      case .add(let id, let amount, let paymentHash, let cltvExpiry, let onion, let extra):
        encoded = try UpdateAddHTLC(
          channelID: .all, id: id, amountMsat: amount, paymentHash: paymentHash.raw, cltvExpiry: cltvExpiry,
          onionRoutingPacket: OnionRoutingPacket(onion), otherRecords: extra
        ).encoded()
      case .fulfill(let id, let preimage, let extra):
        encoded = try UpdateFulfillHTLC(channelID: .all, id: id, paymentPreimage: preimage, otherRecords: extra)
          .encoded()
      case .fail(let id, let reason, let extra):
        encoded = try UpdateFailHTLC(channelID: .all, id: id, reason: reason, otherRecords: extra).encoded()
      case .failMalformed(let id, let onionHash, let code, let extra):
        encoded = try UpdateFailMalformedHTLC(
          channelID: .all, id: id, sha256OfOnion: onionHash, failureCode: code, otherRecords: extra
        ).encoded()
      }
    } catch {
      return nil
    }
    return Array(encoded[(2 + Self.channelIDByteCount)...])
  }

  /// Updates without a message are refused before they get into a log: see `validate`.
  fileprivate var body: [UInt8] { message ?? [] }
}

extension HTLCExtension {
  /// `body` begins behind the channel id, which the core has taken off.
  public func decode(type: UInt16, body: RawSpan) throws(ProtocolViolation) -> HTLCUpdate {
    do { return try HTLCUpdate(type: type, body: body) } catch {
      // BOLT 1: MUST close the connection.
      throw ProtocolViolation(.warning, "\(error)")
    }
  }

  public func encode(_ update: HTLCUpdate) -> GLC.WireMessage {
    GLC.WireMessage(type: update.messageType, body: update.body)
  }
}
