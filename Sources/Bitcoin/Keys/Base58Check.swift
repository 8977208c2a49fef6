public import Encoding
internal import Hashing

/// Base58 with a checksum: the payload and the first four bytes of its double SHA-256.
public enum Base58Check {
  public static func encode(_ payload: RawSpan) -> String {
    var bytes = payload.array
    bytes.append(contentsOf: sha256d(payload).array.prefix(4))
    return Base58.encode(bytes.bytes)
  }

  public static func encode(_ payload: [UInt8]) -> String { encode(payload.bytes) }

  /// The payload. Throws `.badChecksum`, `.truncated` when there are not even four bytes, and what `Base58.decode` throws.
  /// `maximumLength` bounds the text: 112 characters are enough for an extended key, the longest of Bitcoin's texts.
  public static func decode(_ text: String, maximumLength: Int = 112) throws(DecodingError) -> [UInt8] {
    var bytes = try Base58.decode(text, maximumLength: maximumLength)
    guard bytes.count >= 4 else { throw .truncated }
    let checksum = bytes.suffix(4)
    bytes.removeLast(4)
    guard sha256d(bytes).array.prefix(4).elementsEqual(checksum) else { throw .badChecksum }
    return bytes
  }
}
