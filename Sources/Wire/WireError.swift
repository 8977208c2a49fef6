public import Encoding

/// What the protocol makes a node do about something that a peer sent.
public enum Consequence: Hashable, Sendable {
  /// Drop it and go on, without a word.
  case ignore
  /// Drop it, send a `warning`, go on; closing the connection is allowed.
  case warn
  /// Send an `error` and fail the channel it is about, or send a `warning` and close the connection.
  case failChannel
  /// Close the connection.
  case closeConnection
}

/// Why bytes from a peer are no message that can be handled. `consequence` says what to do about it.
public enum WireError: Error, Hashable, Sendable {
  /// Fewer than the two bytes of a message's type.
  case missingType
  /// A message of more than 65,535 bytes (BOLT 1 §Lightning Message Format). When encoding: some field is too long.
  case tooLarge
  /// A message of an even type that nobody here knows.
  case unknownEvenType(UInt16)
  /// The payload of a known type does not hold what it must, in this field.
  case malformed(type: UInt16, field: FieldName, reason: DecodingError)
  /// The TLV stream after the payload of a known type is invalid, or has an unknown even record.
  case invalidExtension(type: UInt16, reason: DecodingError)
  /// A field, by name, that a message of this type does not have. Only when encoding named fields.
  case unknownField(type: UInt16, name: String)
  /// A message name or type that cannot be encoded from named fields.
  case unknownMessage

  public var consequence: Consequence {
    switch self {
    case .malformed(let type, _, let reason) where MessageType.isGossip(type) && reason != .truncated:
      // BOLT 7, of announcements, updates and queries that cannot be made sense of: SHOULD send a `warning`. MAY close the
      // connection. MUST NOT process the message further. Much of this is relayed: the peer may not have looked at it.
      .warn
    case .missingType, .tooLarge, .malformed, .invalidExtension, .unknownField, .unknownMessage:
      // BOLT 1: upon receiving a known message with insufficient length for the contents: MUST close the connection. (…) if the
      // `extension` is invalid: MUST close the connection.
      .closeConnection
    case .unknownEvenType:
      // BOLT 1: upon receiving a message of _even_, unknown type: MUST close the connection.
      .closeConnection
    }
  }
}

extension WireError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .missingType: "shorter than a message type"
    case .tooLarge: "larger than 65535 bytes"
    case .unknownEvenType(let type): "unknown even message type \(type)"
    case .malformed(let type, let field, let reason): "\(MessageType.name(of: type)): \(field): \(reason)"
    case .invalidExtension(let type, let reason): "\(MessageType.name(of: type)): extension: \(reason)"
    case .unknownField(let type, let name): "\(MessageType.name(of: type)) has no field \(name)"
    case .unknownMessage: "no message of this name or type"
    }
  }
}

/// A field's name as the BOLTs spell it, known at compile time: naming a field costs nothing until somebody reads the name.
public struct FieldName: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
  private let text: StaticString

  public init(stringLiteral value: StaticString) { text = value }
  public var description: String { text.description }
  public static func == (a: Self, b: Self) -> Bool { a.description == b.description }
  public func hash(into hasher: inout Hasher) { hasher.combine(description) }
}
