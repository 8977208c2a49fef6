public import Encoding
internal import Hashing
internal import Secp256k1

/// What the sender of an onion and one hop share (BOLT 4 §Shared Secret), 32 bytes. A hop keeps it to return errors. It opens
/// nothing but this one onion.
public struct SharedSecret: TypedBytes {
  public let raw: Bytes32
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }
  public init(_ raw: Bytes32) { self.raw = raw }
}

/// The keys that BOLT 4 derives from secrets: HMAC-SHA256 under the key type's name, whose two blocks are hashed only once.
enum OnionKey {
  /// For the pseudo-random stream over the hop payloads, and for `encrypted_recipient_data`.
  static let rho = HMACSHA256(key: [UInt8]("rho".utf8))
  /// For the packet's HMAC.
  static let mu = HMACSHA256(key: [UInt8]("mu".utf8))
  /// For the HMACs of what is returned.
  static let um = HMACSHA256(key: [UInt8]("um".utf8))
  /// For the random bytes that an onion starts from.
  static let pad = HMACSHA256(key: [UInt8]("pad".utf8))
  /// For the stream over a returned failure.
  static let ammag = HMACSHA256(key: [UInt8]("ammag".utf8))
  /// For the stream over attribution data.
  static let ammagext = HMACSHA256(key: [UInt8]("ammagext".utf8))
  /// For the tweak that blinds a node id.
  static let blindedNodeID = HMACSHA256(key: [UInt8]("blinded_node_id".utf8))

  /// BOLT 4 §Blinding Ephemeral Onion Keys: "the `SHA256` hash value of the concatenation of the public key serialized in its
  /// compressed format and the shared secret."
  static func blindingFactor(_ publicKey: PublicKey, _ sharedSecret: SharedSecret) -> Bytes32 {
    var state = SHA256()
    state.update(publicKey)
    state.update(sharedSecret)
    return state.finish()
  }
}
