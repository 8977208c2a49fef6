internal import Encoding

/// A message of the BOLTs, as a value. One struct each, its fields named as there.
public protocol WireMessage: Hashable, Sendable {
  /// BOLT 1 §Lightning Message Format: a 2-byte big-endian field indicating the type of message.
  static var type: UInt16 { get }
  /// As the BOLTs call it: `open_channel`.
  static var name: FieldName { get }
  /// Reads all of the payload.
  @_lifetime(source: copy source)
  init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError)
  func encode<S: FieldSink>(to sink: inout S)
  /// About how many bytes `encoded` will have: memory of that size is taken at once.
  var expectedByteCount: Int { get }
}

extension WireMessage {
  public var expectedByteCount: Int { 256 }

  /// Reads a message of this type, its two bytes of type included.
  public init(decoding bytes: RawSpan, custom: CustomTypes = .none) throws(WireError) {
    var reader = ByteReader(bytes)
    guard try Message.readType(from: &reader) == Self.type else { throw .unknownMessage }
    self = try Self(payload: reader, custom: custom)
  }

  public init(decoding bytes: [UInt8], custom: CustomTypes = .none) throws(WireError) {
    try self.init(decoding: bytes.bytes, custom: custom)
  }

  /// Reads what follows the type.
  init(payload: ByteReader, custom: CustomTypes) throws(WireError) {
    var source = BinaryFieldSource(payload, type: Self.type, custom: custom)
    self = try Self(from: &source)
  }

  init(named message: NamedMessage, custom: CustomTypes) throws(WireError) {
    var source = NamedFieldSource(message, custom: custom)
    self = try Self(from: &source)
    try source.finish()
  }

  /// The message with its two bytes of type. Throws `.tooLarge` when it does not fit into 65,535 bytes.
  public func encoded() throws(WireError) -> [UInt8] {
    var sink = BinaryFieldSink(type: Self.type, reservingCapacity: expectedByteCount)
    encode(to: &sink)
    return try sink.finish()
  }

  /// The message by its named fields, and the records of its extension.
  public var named: NamedMessage {
    var sink = NamedFieldSink()
    encode(to: &sink)
    return NamedMessage(type: Self.type, name: Self.name.description, fields: sink.fields, tlvs: sink.tlvs)
  }
}

/// A message whose content is not known here.
public struct CustomMessage: Hashable, Sendable {
  public var type: UInt16
  public var payload: [UInt8]

  public init(type: UInt16, payload: [UInt8]) {
    self.type = type
    self.payload = payload
  }

  func encoded() throws(WireError) -> [UInt8] {
    var writer = ByteWriter(reservingCapacity: payload.count + 2)
    writer.write(type)
    writer.write(payload)
    guard writer.count <= Message.maximumByteCount else { throw .tooLarge }
    return writer.bytes
  }

  var named: NamedMessage {
    NamedMessage(type: type, name: nil, fields: [NamedField(name: "payload", value: .bytes(payload))])
  }
}

extension Message {
  /// BOLT 1 §Lightning Message Format: the maximum possible size is 65535 bytes.
  public static let maximumByteCount = 65535

  /// Reads a message, its two bytes of type included. Throws for what BOLT 1 says the connection is to be closed; what is to be
  /// ignored comes back as `.unknown`.
  public init(decoding bytes: RawSpan, custom: CustomTypes = .none) throws(WireError) {
    var reader = ByteReader(bytes)
    let type = try Self.readType(from: &reader)
    self = try Self(type: type, payload: reader, custom: custom)
  }

  public init(decoding bytes: [UInt8], custom: CustomTypes = .none) throws(WireError) {
    try self.init(decoding: bytes.bytes, custom: custom)
  }

  /// Reads what follows the type.
  public init(type: UInt16, payload: RawSpan, custom: CustomTypes = .none) throws(WireError) {
    guard payload.byteCount <= Self.maximumByteCount - 2 else { throw .tooLarge }
    try self.init(type: type, payload: ByteReader(payload), custom: custom)
  }

  @_lifetime(reader: copy reader)
  static func readType(from reader: inout ByteReader) throws(WireError) -> UInt16 {
    guard reader.remaining <= maximumByteCount else { throw .tooLarge }
    do throws(DecodingError) {
      return try reader.readUInt16()
    } catch {
      throw .missingType
    }
  }

  /// Reads a message that is none of the BOLTs'.
  init(otherType type: UInt16, payload: ByteReader, custom: CustomTypes) throws(WireError) {
    var payload = payload
    if custom.messages.contains(type) {
      self = .custom(CustomMessage(type: type, payload: payload.readRest()))
    } else if type.isMultiple(of: 2) {
      throw .unknownEvenType(type)
    } else {
      self = .unknown(CustomMessage(type: type, payload: payload.readRest()))
    }
  }

  /// Makes a message of its named form: the type decides, and the name, when there is one, must belong to it. What `named` gave comes
  /// back as it was.
  public init(named message: NamedMessage, custom: CustomTypes = .none) throws(WireError) {
    if let name = message.name, MessageType.known(message.type)?.name != name { throw .unknownMessage }
    guard let known = MessageType.known(message.type) else {
      guard message.fields.count <= 1, message.tlvs.records.isEmpty else { throw .unknownMessage }
      if let field = message.fields.first, field.name != "payload" {
        throw .unknownField(type: message.type, name: field.name)
      }
      let payload: [UInt8]
      do throws(DecodingError) {
        payload = try message["payload"]?.bytesValue ?? []
      } catch {
        throw .malformed(type: message.type, field: "payload", reason: error)
      }
      try self.init(otherType: message.type, payload: ByteReader(payload.bytes), custom: custom)
      return
    }
    self = try known.makeNamed(message, custom)
  }
}

/// The types of the BOLTs, for looking them up.
public struct MessageType: Sendable {
  public let type: UInt16
  public let name: String
  let makeNamed: @Sendable (NamedMessage, CustomTypes) throws(WireError) -> Message

  /// By increasing type.
  public static let all: [MessageType] = Message.knownTypes

  private static let byType = Dictionary(all.map { ($0.type, $0) }, uniquingKeysWith: { first, _ in first })
  private static let byName = Dictionary(all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })

  public static func known(_ type: UInt16) -> MessageType? { byType[type] }
  public static func named(_ name: String) -> MessageType? { byName[name] }

  /// The name, or `message NNN`.
  static func name(of type: UInt16) -> String { byType[type]?.name ?? "message \(type)" }

  /// BOLT 1: Routing (types `256`-`511`): messages containing node and channel announcements, as well as any active route exploration.
  static func isGossip(_ type: UInt16) -> Bool { 256..<512 ~= type }
}
