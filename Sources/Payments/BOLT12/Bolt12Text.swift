public import Encoding

/// The text of an offer, an invoice request or an invoice: a prefix, `1` and TLV records in the letters of Bech32, without a checksum
/// (BOLT 12 §Encoding).
public enum Bolt12Text {
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case offer = "lno"
    case invoiceRequest = "lnr"
    case invoice = "lni"
  }

  /// Reads the text, in either case; `+` and white space after it may stand between any two characters.
  public static func decode(_ text: String) throws(Bolt12Error) -> (kind: Kind, tlvs: TLVStream) {
    do throws(DecodingError) {
      let (prefix, values) = try Bech32.decodeWithoutChecksum(joined(text))
      guard let kind = Kind(rawValue: prefix) else { throw .malformed("no prefix of BOLT 12") }
      let bytes = try Bech32.bytes(fromFiveBit: values)
      return (kind, try TLVStream(decoding: bytes.bytes))
    } catch {
      throw .text(error)
    }
  }

  /// In lower case, in one piece.
  public static func encode(_ kind: Kind, _ tlvs: TLVStream) -> String {
    Bech32.encodeWithoutChecksum(
      humanReadablePart: kind.rawValue, data: Bech32.fiveBit(from: tlvs.encoded.bytes))
  }

  /// BOLT 12: if it encounters a `+` followed by zero or more whitespace characters between two bech32 characters: MUST remove the `+`
  /// and whitespace.
  private static func joined(_ text: String) throws(DecodingError) -> String {
    var result: [UInt8] = []
    result.reserveCapacity(text.utf8.count)
    var isJoining = false
    for (offset, character) in text.utf8.enumerated() {
      switch character {
      case UInt8(ascii: "+"):
        guard !isJoining, !result.isEmpty else { throw .invalidCharacter(at: offset) }
        isJoining = true
      case 0x20, 0x09...0x0d:
        guard isJoining else { throw .invalidCharacter(at: offset) }
      default:
        isJoining = false
        result.append(character)
      }
    }
    if isJoining { throw .truncated }
    return String(decoding: result, as: UTF8.self)
  }
}
