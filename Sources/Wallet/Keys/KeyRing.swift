public import Bitcoin
public import Encoding
public import Hashing
public import Secp256k1

/// Every secret of a node, derived from its seed where it is needed. Shared by reference; what it lends is wiped by whoever gets it, and
/// nothing of it can be printed.
///
/// Paths of BIP 32, where `coin` is 0 on mainnet and 1 elsewhere (BIP 44) and `glc` is 4672579, the bytes "GLC":
///
///     m/84h/coin h/0h/change/index      P2WPKH outputs of the wallet (BIP 84)
///     m/86h/coin h/0h/change/index      P2TR outputs of the wallet (BIP 86)
///     m/glc h/coin h/0h                 the node's identity
///     m/glc h/coin h/1h/high h/low h    the seed of a channel; high and low are the 31-bit halves of its key index
///     m/glc h/coin h/2h                 other secrets, by label
public final class KeyRing: Sendable {
  /// "GLC".
  static let purpose: UInt32 = 0x47_4c43

  public let networkKind: NetworkKind
  /// Of the master key: what descriptors and PSBTs call this wallet.
  public let fingerprint: KeyFingerprint
  /// The node's identity, its point.
  public let nodeID: PublicKey
  private let identity: SecretKey
  private let segwit: ExtendedSecretKey
  private let taproot: ExtendedSecretKey
  private let channels: ExtendedSecretKey
  private let labelled: SecretBytes32

  /// Derives the accounts. Throws `.invalidChild` for a seed that leads to an impossible key, which chance never makes.
  /// - Parameter nodeSecret: a node key that is not of the seed, for tests that need a certain node id.
  public init(
    _ seed: borrowing MasterSeed, networkKind: NetworkKind, nodeSecret: Bytes32? = nil
  ) throws(ExtendedKeyError) {
    var bytes = seed.makeBIP32Seed()
    defer { wipe(&bytes) }
    let master = try ExtendedSecretKey(seed: bytes, networkKind: networkKind)
    self.networkKind = networkKind
    fingerprint = master.fingerprint
    segwit = try master.derive(AccountPurpose.segwit.accountPath(networkKind: networkKind))
    taproot = try master.derive(AccountPurpose.taproot.accountPath(networkKind: networkKind))
    let own = try master.derive([.hardened(Self.purpose), .hardened(networkKind == .main ? 0 : 1)])
    if let nodeSecret {
      guard let given = try? SecretKey(nodeSecret) else { throw .invalidChild }
      identity = given
    } else {
      identity = try own.child(.hardened(0)).secretKey.copy()
    }
    nodeID = identity.publicKey
    channels = try own.child(.hardened(1))
    var label = Bytes32()
    defer { wipe(&label) }
    let secret = try own.child(.hardened(2))
    for index in 0..<32 { label[index] = secret.secretKey.bytes[index] }
    labelled = SecretBytes32(label)
  }

  // MARK: The node

  /// The node's secret key, in a memory of its own.
  public func nodeSecret() -> SecretKey { identity.copy() }

  /// Lends the node's secret key.
  public func withNodeSecret<Result, Failure: Error>(
    _ body: (borrowing SecretKey) throws(Failure) -> Result
  ) throws(Failure) -> Result { try body(identity) }

  // MARK: Channels and other secrets

  /// The 32 bytes that all secrets of one channel are derived from (`LocalSigner(channelSeed:)`). The caller wipes them.
  /// - Parameters:
  ///   - index: of the channel's keys, below 2⁶²; never used twice.
  ///   - nonce: whatever else is to tell channels apart, such as the peer's node id. It cannot be recovered from the seed.
  public func channelSeed(index: UInt64, nonce: [UInt8] = []) throws(ExtendedKeyError) -> Bytes32 {
    guard index < 1 << 62 else { throw .malformedPath }
    let key = try channels.child(.hardened(UInt32(truncatingIfNeeded: index >> 31)))
      .child(.hardened(UInt32(truncatingIfNeeded: index & 0x7fff_ffff)))
    return Self.derive(key.secretKey.bytes, "glc/channel", nonce)
  }

  /// 32 bytes for a purpose of its own: HMAC-SHA256 of the label, under a key that serves nothing else.
  public func secret(label: String) -> SecretBytes32 {
    let key = SecretBytes32(copying: labelled)
    var bytes = Self.derive(key.bytes, "glc/secret", [UInt8](label.utf8))
    defer { wipe(&bytes) }
    return SecretBytes32(bytes)
  }

  /// HMAC-SHA256(key, purpose ‖ 0 ‖ data).
  private static func derive(_ key: RawSpan, _ purpose: StaticString, _ data: [UInt8]) -> Bytes32 {
    var mac = HMACSHA256(key: key)
    mac.update([UInt8](purpose.description.utf8) + [0])
    mac.update(data)
    return mac.finish()
  }

  // MARK: The wallet

  /// What the wallet needs to find and make its addresses: no secret.
  public var walletKeys: WalletKeys {
    WalletKeys(
      networkKind: networkKind, fingerprint: fingerprint, segwit: segwit.extendedPublicKey,
      taproot: taproot.extendedPublicKey)
  }

  /// The secret key of an address of the wallet, in a memory of its own. Throws `.invalidChild`.
  public func secretKey(of path: AddressPath) throws(ExtendedKeyError) -> SecretKey {
    let change = ChildNumber.normal(path.isChange ? 1 : 0)
    let index = ChildNumber.normal(path.index)
    switch path.kind {
    case .segwit: return try segwit.child(change).child(index).secretKey.copy()
    case .taproot: return try taproot.child(change).child(index).secretKey.copy()
    }
  }
}

extension KeyRing: CustomStringConvertible, CustomReflectable {
  /// The fingerprint alone.
  public var description: String { "KeyRing(\(fingerprint))" }
  /// Nothing, so that nothing can be dumped.
  public var customMirror: Mirror { Mirror(self, children: []) }
}
