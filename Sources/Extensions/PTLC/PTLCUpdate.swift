public import Bitcoin
public import Encoding
public import GLC
internal import Secp256k1

/// What can happen to a PTLC. Fields are those of the HTLC messages of BOLT 2, with a point and a scalar in place of hash and preimage.
public enum PTLCUpdate: BinaryCodable {
  /// `onion` is the onion routing packet, 1366 bytes.
  case add(
    id: UInt64, amount: MilliSatoshi, lock: PaymentPoint, expiry: UInt32, onion: [UInt8], extra: TLVStream)
  case fulfill(id: UInt64, scalar: PaymentScalar, extra: TLVStream)
  /// `reason` is the encrypted failure.
  case fail(id: UInt64, reason: [UInt8], extra: TLVStream)
  case failMalformed(id: UInt64, onionHash: Bytes32, code: UInt16, extra: TLVStream)

  /// See docs/REGISTRY.md.
  static let messageTypes: [UInt16] = [45056, 45057, 45058, 45059]
  /// The length of `onion`, in bytes.
  public static let onionByteCount = 1366
  /// BOLT 1: a message has at most 65,535 bytes, of which type and channel id take 34.
  static let largestBody = 65_535 - 34

  public var id: UInt64 {
    switch self {
    case .add(let id, _, _, _, _, _), .fulfill(let id, _, _), .fail(let id, _, _), .failMalformed(let id, _, _, _): id
    }
  }

  var messageType: UInt16 {
    switch self {
    case .add: 45056
    case .fulfill: 45057
    case .fail: 45058
    case .failMalformed: 45059
    }
  }

  /// The stored form is the message's type and body, so that there is one codec.
  public init(from reader: inout ByteReader) throws(DecodingError) {
    let type = try reader.readUInt16()
    self = try PTLCUpdate(type: type, from: &reader)
  }

  public func encode(to writer: inout ByteWriter) {
    writer.write(messageType)
    encodeBody(to: &writer)
  }

  init(type: UInt16, from reader: inout ByteReader) throws(DecodingError) {
    let id = try reader.readUInt64()
    switch type {
    case 45056:
      self = .add(
        id: id, amount: MilliSatoshi(try reader.readUInt64()), lock: try PaymentPoint(from: &reader),
        expiry: try reader.readUInt32(), onion: try reader.readArray(count: Self.onionByteCount),
        extra: try Self.records(&reader))
    case 45057:
      self = .fulfill(id: id, scalar: try PaymentScalar(from: &reader), extra: try Self.records(&reader))
    case 45058:
      let count = try reader.readUInt16()
      self = .fail(id: id, reason: try reader.readArray(count: Int(count)), extra: try Self.records(&reader))
    case 45059:
      self = .failMalformed(
        id: id, onionHash: try reader.read(), code: try reader.readUInt16(), extra: try Self.records(&reader))
    default: throw .malformed("not a PTLC message")
    }
  }

  private static func records(_ reader: inout ByteReader) throws(DecodingError) -> TLVStream {
    let rest = reader.readRest()
    let records = try TLVStream(decoding: rest.bytes)
    try records.refuseUnknownEven { $0 == pathKeyType }
    return records
  }

  static let pathKeyType: UInt64 = 0
  static let attributionType: UInt64 = 1

  func encodeBody(to writer: inout ByteWriter) {
    writer.write(id)
    switch self {
    case .add(_, let amount, let lock, let expiry, let onion, let extra):
      writer.write(amount.rawValue)
      lock.encode(to: &writer)
      writer.write(expiry)
      writer.write(onion)
      extra.encode(to: &writer)
    case .fulfill(_, let scalar, let extra):
      scalar.encode(to: &writer)
      extra.encode(to: &writer)
    case .fail(_, let reason, let extra):
      writer.write(UInt16(truncatingIfNeeded: reason.count))
      writer.write(reason)
      extra.encode(to: &writer)
    case .failMalformed(_, let onionHash, let code, let extra):
      writer.write(onionHash)
      writer.write(code)
      extra.encode(to: &writer)
    }
  }

  var body: [UInt8] {
    var writer = ByteWriter()
    encodeBody(to: &writer)
    return writer.bytes
  }
}

extension PTLCExtension {
  /// `body` begins behind the channel id, which the core has taken off.
  public func decode(type: UInt16, body: RawSpan) throws(ProtocolViolation) -> PTLCUpdate {
    var reader = ByteReader(body)
    do { return try PTLCUpdate(type: type, from: &reader) } catch { throw ProtocolViolation(.warning, "\(error)") }
  }

  public func encode(_ update: PTLCUpdate) -> WireMessage { WireMessage(type: update.messageType, body: update.body) }
}
