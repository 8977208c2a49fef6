internal import Encoding
internal import Hashing
public import Secp256k1

/// A text signed with a node's key, in the form that LND and Core Lightning share: z-base-32 of 65 bytes, the recovery
/// id + 31 and r ‖ s, over the double SHA-256 of `Lightning Signed Message:` and the text. It names no key: verifying
/// yields one, and what proves something is that this is the key of a known node.
public enum LightningSignedMessage {
  private static let prefix = [UInt8]("Lightning Signed Message:".utf8)

  private static func hash(_ message: [UInt8]) -> Bytes32 { sha256d(prefix + message) }

  /// The signature, 104 characters.
  public static func sign(_ message: String, with secretKey: borrowing SecretKey) -> String {
    let signature = secretKey.signRecoverable(hash([UInt8](message.utf8)))
    return ZBase32.encode(signature.headerFirst(offset: 31).bytes)
  }

  /// The public key that signed `message`. Throws `.invalidSignature` for text that is no such signature, and
  /// `.unrecoverableSignature` when no key can have made it.
  public static func recoverPublicKey(
    from signature: String, of message: String
  ) throws(Secp256k1Error) -> PublicKey {
    // Both nodes write the headers of compressed keys alone, 31 to 34, and Core Lightning reads no other.
    guard let bytes = try? ZBase32.decode(signature),
      let (parsed, _) = RecoverableSignature.reading(headerFirst: bytes, headers: 31...34)
    else { throw .invalidSignature }
    return try parsed.recoverPublicKey(from: hash([UInt8](message.utf8)))
  }
}

/// A text signed with the key of an address, as Bitcoin Core's `signmessage` does it: base64 of 65 bytes, a header and
/// r ‖ s, over the double SHA-256 of `Bitcoin Signed Message:\n` and the text, each preceded by its length as
/// CompactSize. The header is the recovery id + 27, and 4 more when the address is of the compressed key.
public enum BitcoinSignedMessage {
  private static let prefix = [UInt8]("Bitcoin Signed Message:\n".utf8)

  private static func hash(_ message: [UInt8]) -> Bytes32 {
    var writer = ByteWriter(reservingCapacity: message.count + 34)
    writer.writeCompactSized(prefix)
    writer.writeCompactSized(message)
    return sha256d(writer.bytes)
  }

  /// The signature, 88 characters.
  public static func sign(
    _ message: String, with secretKey: borrowing SecretKey, compressed: Bool = true
  ) -> String {
    let signature = secretKey.signRecoverable(hash([UInt8](message.utf8)))
    return Base64.encode(signature.headerFirst(offset: compressed ? 31 : 27).bytes)
  }

  /// The public key that signed `message`, and whether its address is that of the compressed form. Throws
  /// `.invalidSignature` for text that is no such signature, and `.unrecoverableSignature` when no key can have made
  /// it.
  public static func recoverPublicKey(
    from signature: String, of message: String
  ) throws(Secp256k1Error) -> (key: PublicKey, isCompressed: Bool) {
    guard let bytes = try? Base64.decode(signature),
      let (parsed, header) = RecoverableSignature.reading(headerFirst: bytes, headers: 27...34)
    else { throw .invalidSignature }
    return (try parsed.recoverPublicKey(from: hash([UInt8](message.utf8))), header >= 31)
  }
}

extension RecoverableSignature {
  /// 65 bytes with the recovery id, moved up by `offset`, in front.
  fileprivate func headerFirst(offset: UInt8) -> [UInt8] { [offset + recoveryID] + array.dropLast() }

  /// Reads 65 bytes with a header in front, whose low two bits above 27 are the recovery id. Nil for anything else.
  fileprivate static func reading(
    headerFirst bytes: [UInt8], headers: ClosedRange<UInt8>
  ) -> (signature: RecoverableSignature, header: UInt8)? {
    guard bytes.count == 65, headers.contains(bytes[0]), let compact = try? Bytes64(Array(bytes.dropFirst())),
      let signature = try? RecoverableSignature(compact: compact, recoveryID: (bytes[0] - 27) & 3)
    else { return nil }
    return (signature, bytes[0])
  }
}
