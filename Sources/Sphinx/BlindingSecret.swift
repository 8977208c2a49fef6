internal import Encoding
internal import Hashing
public import Secp256k1

/// What one node of a blinded path shares with the path's creator (BOLT 4 §Route Blinding): one ECDH, from which it peels the onion,
/// reads its `encrypted_recipient_data` and finds the next node's path key.
public struct BlindingSecret: Sendable {
  /// E_i, that came beside the onion, or in it for the introduction point.
  public let pathKey: PublicKey
  /// ss_i = SHA256(k_i · E_i).
  public let sharedSecret: SharedSecret

  /// `nodeKey` is the key of our node id.
  public init(pathKey: PublicKey, nodeKey: borrowing SecretKey) {
    self.pathKey = pathKey
    sharedSecret = SharedSecret(nodeKey.sharedSecret(with: pathKey))
  }

  init(pathKey: PublicKey, sharedSecret: SharedSecret) {
    self.pathKey = pathKey
    self.sharedSecret = sharedSecret
  }

  /// b_i = HMAC256("blinded_node_id", ss_i) · k_i: the key that onions for us along this path are encrypted to.
  /// Throws `.invalidTweak`, which does not happen by chance.
  public func blindedKey(of nodeKey: borrowing SecretKey) throws(Secp256k1Error) -> SecretKey {
    try nodeKey.multiplied(by: blindingTweak)
  }

  /// B_i = HMAC256("blinded_node_id", ss_i) · N_i. Throws `.invalidTweak`, which does not happen by chance.
  func blindedID(of nodeID: PublicKey) throws(Secp256k1Error) -> PublicKey { try nodeID.multiplied(by: blindingTweak) }

  private var blindingTweak: Bytes32 { OnionKey.blindedNodeID.authenticate(sharedSecret.bytes) }

  /// rho_i, which encrypts the data for this node.
  private var rho: Bytes32 { OnionKey.rho.authenticate(sharedSecret.bytes) }

  /// SHA256(E_i || ss_i), which leads to the next node's path key.
  var nextFactor: Bytes32 { OnionKey.blindingFactor(pathKey, sharedSecret) }

  /// E_{i+1} = SHA256(E_i || ss_i) · E_i: the next node's path key, unless `next_path_key_override` replaces it.
  /// Throws `.invalidTweak`, which does not happen by chance.
  public func nextPathKey() throws(Secp256k1Error) -> PublicKey { try pathKey.multiplied(by: nextFactor) }

  /// The plaintext of `encrypted_recipient_data`; nil when it was not encrypted for us under this path key.
  public func decrypt(_ encryptedRecipientData: RawSpan) -> [UInt8]? {
    ChaCha20Poly1305.open(
      key: rho, nonce: FixedBytes(), associatedData: RawSpan(), ciphertext: encryptedRecipientData)
  }

  /// `encrypted_recipient_data`, 16 bytes longer than the data.
  func encrypt(_ data: RawSpan) -> [UInt8] {
    ChaCha20Poly1305.seal(key: rho, nonce: FixedBytes(), associatedData: RawSpan(), plaintext: data)
  }
}
