public import Encoding
public import Secp256k1

/// BOLT 4 §The `onion_message` Message.
public struct OnionMessage: WireMessage {
  public static let type: UInt16 = 513
  public static let name: FieldName = "onion_message"

  public var pathKey: PublicKey
  public var onionMessagePacket: [UInt8]
  public var otherRecords: TLVStream

  public init(
    pathKey: PublicKey, onionMessagePacket: [UInt8], otherRecords: TLVStream = TLVStream()
  ) {
    self.pathKey = pathKey
    self.onionMessagePacket = onionMessagePacket
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    pathKey = try source.field("path_key")
    onionMessagePacket = try source.bytes("onion_message_packet", length: "len")
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("path_key", pathKey)
    sink.bytes("onion_message_packet", length: "len", onionMessagePacket)
    sink.otherRecords(otherRecords)
  }
}
