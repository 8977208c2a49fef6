public import Encoding

/// An onion as it travels (BOLT 4 §Packet Structure): version, ephemeral public key, hop payloads and HMAC in one piece of memory. The
/// payloads are 1,300 bytes for a payment, of any size for an onion message or a trampoline onion.
public struct OnionPacket: Hashable, Sendable, CustomStringConvertible {
  /// All of it: 66 bytes more than the hop payloads.
  public let bytes: [UInt8]

  /// What stands around the hop payloads: 1 + 33 + 32 bytes.
  public static let overhead = 66
  /// The size of a payment's onion.
  public static let paymentByteCount = 1366
  /// The size of a payment's hop payloads.
  public static let paymentPayloadsByteCount = 1300

  /// Takes the bytes of a packet, whose size is that of whatever held it. Throws `.truncated` below 66 bytes. What is in them is
  /// judged by `Onion.peel`.
  public init(_ bytes: [UInt8]) throws(DecodingError) {
    guard bytes.count >= Self.overhead else { throw .truncated }
    self.bytes = bytes
  }

  public init(decoding bytes: RawSpan) throws(DecodingError) { try self.init(bytes.array) }

  /// Takes bytes that are known to be long enough.
  init(unchecked bytes: [UInt8]) { self.bytes = bytes }

  public var version: UInt8 { bytes[0] }
  /// The ephemeral public key's 33 bytes, which may be no point.
  public var publicKey: RawSpan { @_lifetime(borrow self) get { bytes.bytes.extracting(1..<34) } }
  public var hopPayloads: RawSpan { @_lifetime(borrow self) get { bytes.bytes.extracting(34..<bytes.count - 32) } }
  /// 32 bytes.
  public var hmac: RawSpan { @_lifetime(borrow self) get { bytes.bytes.extracting(bytes.count - 32..<bytes.count) } }

  public var description: String { Hex.encode(bytes) }
}
