public import Bitcoin
internal import Encoding
internal import Hashing
public import Secp256k1

/// The kinds of outputs that the wallet makes for itself.
public enum AddressKind: UInt8, Hashable, Sendable, CaseIterable {
  /// P2WPKH (BIP 84).
  case segwit = 0
  /// P2TR with a single key (BIP 86).
  case taproot = 1

  var purpose: AccountPurpose {
    switch self {
    case .segwit: .segwit
    case .taproot: .taproot
    }
  }

  /// The heaviest witness that spends one, its element count included: a signature with low r and the key, or a Schnorr signature.
  public var witnessWeight: Weight {
    switch self {
    case .segwit: Weight(1 + 1 + 71 + 1 + 33)
    case .taproot: Weight(1 + 1 + 64)
    }
  }

  /// The size of the script, in bytes.
  var scriptSize: Int {
    switch self {
    case .segwit: 22
    case .taproot: 34
    }
  }
}

/// Where in the seed's tree an address of the wallet stands.
public struct AddressPath: Hashable, Sendable, CustomStringConvertible {
  public var kind: AddressKind
  public var isChange: Bool
  /// Below 2³¹.
  public var index: UInt32

  public init(kind: AddressKind, isChange: Bool, index: UInt32) {
    self.kind = kind
    self.isChange = isChange
    self.index = index
  }

  var chain: KeyChain { KeyChain(kind: kind, isChange: isChange) }
  public var description: String { "\(kind.purpose.rawValue)/\(isChange ? 1 : 0)/\(index)" }
}

/// All addresses of one kind, for others or for change.
struct KeyChain: Hashable, Sendable, CaseIterable {
  var kind: AddressKind
  var isChange: Bool

  static let allCases = AddressKind.allCases.flatMap { kind in
    [false, true].map { KeyChain(kind: kind, isChange: $0) }
  }
}

/// The public keys of the wallet's accounts: every address follows from them, and no secret.
public struct WalletKeys: Hashable, Sendable {
  public let networkKind: NetworkKind
  /// Of the master key.
  public let fingerprint: KeyFingerprint
  /// The account keys m/84h/…/0h and m/86h/…/0h.
  public let segwit: ExtendedPublicKey
  public let taproot: ExtendedPublicKey
  private let chains: [ExtendedPublicKey?]

  public init(
    networkKind: NetworkKind, fingerprint: KeyFingerprint, segwit: ExtendedPublicKey, taproot: ExtendedPublicKey
  ) {
    self.networkKind = networkKind
    self.fingerprint = fingerprint
    self.segwit = segwit
    self.taproot = taproot
    chains = [segwit, taproot].flatMap { key in
      [0, 1].map { try? key.child(.normal($0)) }
    }
  }

  /// Throws `.invalidChild` for an index that has no key, which chance never makes, and for 2³¹ and above.
  public func publicKey(_ path: AddressPath) throws(ExtendedKeyError) -> PublicKey {
    let position = Int(path.kind.rawValue) * 2 + (path.isChange ? 1 : 0)
    guard path.index < ChildNumber.hardenedOffset, let chain = chains[position] else { throw .invalidChild }
    return try chain.child(.normal(path.index)).publicKey
  }

  /// The output script of a path.
  public func destination(_ path: AddressPath) throws(ExtendedKeyError) -> Destination {
    try path.kind.purpose.destination(of: try publicKey(path))
  }

  /// The whole path from the master key, as PSBTs state it.
  func origin(_ path: AddressPath) -> PSBT.KeyOrigin {
    let whole = path.kind.purpose.path(isChange: path.isChange, index: path.index, networkKind: networkKind)
    return PSBT.KeyOrigin(fingerprint: fingerprint.raw, path: whole.steps.map(\.rawValue))
  }

  /// What tells this wallet's records from those of another seed.
  var identifier: Bytes32 { sha256([UInt8]("\(segwit)\(taproot)".utf8)) }
}
