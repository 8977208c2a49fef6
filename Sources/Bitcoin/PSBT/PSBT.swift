public import Encoding

/// A partially signed Bitcoin transaction, version 0 (BIP 174) or 2 (BIP 370), with the taproot fields of BIP 371 and the MuSig2
/// fields of BIP 373.
///
/// Both versions are held alike, in the shape of version 2: what version 0 writes as an unsigned transaction lies in the inputs
/// and outputs here. Records that nobody here knows, and proprietary ones, are kept byte for byte.
///
/// Encoding is deterministic: within a map, known types in ascending order, then proprietary records, then unknown ones, each
/// type in ascending order of its key data. Partial signatures alone are in the order of the keys' HASH160, which is how Bitcoin
/// Core writes them, so that what both have combined is the same bytes.
public struct PSBT: Hashable, Sendable {
  public enum Version: UInt32, Hashable, Sendable {
    case v0 = 0
    case v2 = 2
  }

  /// PSBT_GLOBAL_TX_MODIFIABLE: eight bits, of which three have a meaning.
  public struct TxModifiable: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Inputs can be added and removed.
    public static let inputs = TxModifiable(rawValue: 1)
    /// Outputs can be added and removed.
    public static let outputs = TxModifiable(rawValue: 2)
    /// Some input is signed with SIGHASH_SINGLE: its index and that of its output must remain the same.
    public static let hasSighashSingle = TxModifiable(rawValue: 4)
  }

  /// See `converted(to:)`.
  public internal(set) var version: Version
  /// Whether PSBT_GLOBAL_VERSION is written. Version 2 needs it; in version 0 it may be there, with the value 0.
  public internal(set) var writesVersion: Bool
  /// The `nVersion` of the transaction.
  public var transactionVersion: UInt32
  /// PSBT_GLOBAL_FALLBACK_LOCKTIME; in version 0 the lock time of the unsigned transaction.
  public var fallbackLocktime: UInt32?
  /// Version 2 only.
  public var txModifiable: TxModifiable?
  /// Extended public keys and where they come from.
  public var xpubs = Records<ExtendedPublicKeyBytes, KeyOrigin>()
  public var proprietary = Records<ProprietaryKey, [UInt8]>()
  public var unknown = Records<UnknownKey, [UInt8]>()
  public var inputs: [Input]
  public var outputs: [Output]

  init(
    version: Version, transactionVersion: UInt32, fallbackLocktime: UInt32?, txModifiable: TxModifiable?,
    inputs: [Input], outputs: [Output]
  ) {
    self.version = version
    writesVersion = version != .v0
    self.transactionVersion = transactionVersion
    self.fallbackLocktime = fallbackLocktime
    self.txModifiable = txModifiable
    self.inputs = inputs
    self.outputs = outputs
  }

  /// Where a key comes from (BIP 32): 4 bytes and 4 for each step.
  public struct KeyOrigin: Hashable, Sendable {
    /// Of the master key.
    public var fingerprint: FixedBytes<4>
    /// 2^31 and above is hardened.
    public var path: [UInt32]

    public init(fingerprint: FixedBytes<4>, path: [UInt32]) {
      self.fingerprint = fingerprint
      self.path = path
    }
  }

  /// Where a taproot key comes from, and the leaves that it is in (BIP 371); none for the internal key.
  public struct TapKeyOrigin: Hashable, Sendable {
    public var leafHashes: [Bytes32]
    public var origin: KeyOrigin

    public init(leafHashes: [Bytes32] = [], origin: KeyOrigin) {
      self.leafHashes = leafHashes
      self.origin = origin
    }
  }
}
