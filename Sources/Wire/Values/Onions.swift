public import Encoding

/// The onion of a payment: 1,366 bytes, opaque here (BOLT 4 §Packet Structure).
public struct OnionRoutingPacket: Hashable, Sendable, WireField {
  public static let byteCount = 1366

  /// Exactly 1,366.
  public let bytes: [UInt8]

  /// Throws `.wrongLength` for any other number of bytes than 1,366.
  public init(_ bytes: [UInt8]) throws(DecodingError) {
    guard bytes.count == Self.byteCount else { throw .wrongLength(expected: Self.byteCount, actual: bytes.count) }
    self.bytes = bytes
  }

  public static var minimumByteCount: Int { byteCount }
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) {
    bytes = try reader.readArray(count: Self.byteCount)
  }
  public func encode(to writer: inout ByteWriter) { writer.write(bytes) }
}

/// How long each hop held an HTLC, and the proof of it: 920 bytes (BOLT 4 §Initialization of `attribution_data`).
public struct AttributionData: Hashable, Sendable, WireField {
  public static let holdTimeCount = 20
  public static let hmacCount = 210
  public static let byteCount = 4 * (holdTimeCount + hmacCount)

  /// Exactly 920: 20 `htlc_hold_times` of 4 bytes, 210 `truncated_hmacs` of 4 bytes.
  public let bytes: [UInt8]

  /// Throws `.wrongLength` for any other number of bytes than 920.
  public init(_ bytes: [UInt8]) throws(DecodingError) {
    guard bytes.count == Self.byteCount else { throw .wrongLength(expected: Self.byteCount, actual: bytes.count) }
    self.bytes = bytes
  }

  public static var minimumByteCount: Int { byteCount }
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) {
    bytes = try reader.readArray(count: Self.byteCount)
  }
  public func encode(to writer: inout ByteWriter) { writer.write(bytes) }

  /// In units of 100 ms, the peer's first. As long as nobody has checked the HMACs, they are only claims.
  public var holdTimes: [UInt32] {
    (0..<Self.holdTimeCount).map { index in
      bytes[4 * index..<4 * index + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
  }

  /// The `truncated_hmacs`, 840 bytes.
  public var truncatedHMACs: ArraySlice<UInt8> { bytes[(4 * Self.holdTimeCount)...] }
}
