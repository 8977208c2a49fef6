public import Encoding

/// The named form of a field: what a tool prints and reads.
public enum FieldValue: Hashable, Sendable {
  case unsigned(UInt64)
  case signed(Int64)
  /// Shown as hex.
  case bytes([UInt8])
  /// What has a customary text form: transaction ids in display order, `short_channel_id`s.
  case text(String)
  case list([FieldValue])
  case object([NamedField])

  /// The bytes, which may have been given as hex text. Throws `.malformed` for anything else.
  public var bytesValue: [UInt8] {
    get throws(DecodingError) {
      switch self {
      case .bytes(let bytes): bytes
      case .text(let text): try Hex.decode(text)
      default: throw .malformed("not bytes")
      }
    }
  }
}

/// A field with the name that the BOLTs give it.
public struct NamedField: Hashable, Sendable {
  public var name: String
  public var value: FieldValue

  public init(name: String, value: FieldValue) {
    self.name = name
    self.value = value
  }
}

/// A message taken apart: its fields in their order, and every record of its extension, known or not.
public struct NamedMessage: Hashable, Sendable {
  public var type: UInt16
  /// As the BOLTs call it; nil for a type that they do not have.
  public var name: String?
  public var fields: [NamedField]
  public var tlvs: TLVStream

  public init(type: UInt16, name: String?, fields: [NamedField], tlvs: TLVStream = TLVStream()) {
    self.type = type
    self.name = name
    self.fields = fields
    self.tlvs = tlvs
  }

  public subscript(name: String) -> FieldValue? { fields.first { $0.name == name }?.value }
}
