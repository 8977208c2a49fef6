public import Bitcoin
public import Encoding

extension ShortChannelID: WireField, WireListElement {
  public static var minimumByteCount: Int { 8 }

  public var fieldValue: FieldValue { .text(description) }

  public init(fieldValue: FieldValue) throws(DecodingError) {
    switch fieldValue {
    case .text(let text): try self.init(text: text)
    case .unsigned(let value): self.init(rawValue: value)
    default: throw .malformed("not a short_channel_id")
    }
  }
}
