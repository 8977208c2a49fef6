public import Encoding
internal import Hashing
public import Secp256k1

/// A secret key in wallet import format: Base58Check of 0x80 (0xef on test networks), the 32 secret bytes, and a byte 0x01 when its
/// public key is written compressed.
public struct PrivateKeyWIF: ~Copyable, Sendable {
  public let secretKey: SecretKey
  /// Whether scripts hold the compressed form of the public key.
  public let isCompressed: Bool
  public let networkKind: NetworkKind

  public init(secretKey: consuming SecretKey, isCompressed: Bool = true, networkKind: NetworkKind) {
    self.secretKey = secretKey
    self.isCompressed = isCompressed
    self.networkKind = networkKind
  }

  /// Reads the text. Throws `.malformed` for another version, suffix or length, and for a number that is no secret key.
  public init(_ text: String) throws(DecodingError) {
    // 38 bytes with the checksum: 52 characters at most.
    var bytes = try Base58Check.decode(text, maximumLength: 53)
    defer { wipe(&bytes) }
    let kind: NetworkKind
    switch bytes.first {
    case 0x80: kind = .main
    case 0xef: kind = .test
    default: throw .malformed("not the version of a private key")
    }
    guard bytes.count == 33 || (bytes.count == 34 && bytes[33] == 1) else {
      throw .malformed("a private key is 32 bytes, with 0x01 behind when compressed")
    }
    let key: SecretKey
    do {
      key = try SecretKey(copying: bytes.bytes.extracting(1..<33))
    } catch {
      throw .malformed("not a number from 1 to n - 1")
    }
    self.init(secretKey: key, isCompressed: bytes.count == 34, networkKind: kind)
  }

  /// As above, for a network: throws `.malformed` when the key is one for the other kind.
  public init(_ text: String, expecting network: Network) throws(DecodingError) {
    let key = try PrivateKeyWIF(text)
    guard key.networkKind == network.kind else { throw .malformed("a private key for another network") }
    self = key
  }

  /// The text, secret as the key itself.
  public var text: String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(34)
    bytes.append(networkKind == .main ? 0x80 : 0xef)
    bytes.append(contentsOf: secretKey.bytes.array)
    if isCompressed { bytes.append(1) }
    defer { wipe(&bytes) }
    return Base58Check.encode(bytes)
  }

  /// The public key as scripts hold it, 33 or 65 bytes.
  public var publicKeyBytes: [UInt8] {
    let key = secretKey.publicKey
    return isCompressed ? key.array : key.uncompressed.array
  }
}
