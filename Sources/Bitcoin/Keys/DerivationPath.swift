public import Secp256k1

/// One step down BIP 32's tree: 0 to 2³¹ − 1 normal, 2³¹ and above hardened.
public struct ChildNumber: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  public let rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// 2³¹, the first hardened number; indices stay below it.
  public static let hardenedOffset: UInt32 = 0x8000_0000

  /// Nil for an index of 2³¹ or more.
  public init?(index: UInt32, isHardened: Bool) {
    guard index < Self.hardenedOffset else { return nil }
    rawValue = isHardened ? index | Self.hardenedOffset : index
  }

  /// A normal step; the highest bit of `index` is ignored.
  public static func normal(_ index: UInt32) -> ChildNumber { ChildNumber(rawValue: index & ~hardenedOffset) }
  /// A hardened step; the highest bit of `index` is ignored.
  public static func hardened(_ index: UInt32) -> ChildNumber { ChildNumber(rawValue: index | hardenedOffset) }

  public var isHardened: Bool { rawValue & Self.hardenedOffset != 0 }
  /// Without the hardened bit.
  public var index: UInt32 { rawValue & ~Self.hardenedOffset }

  /// The index, `h` behind it when hardened.
  public var description: String { isHardened ? "\(index)h" : "\(index)" }

  /// Reads an index with `'`, `h` or `H` behind it when hardened. Nil for anything else, and for 2³¹ and above.
  public init?(_ text: some StringProtocol) {
    var digits = [UInt8](text.utf8)[...]
    var isHardened = false
    if let last = digits.last, last == 0x27 || last == 0x68 || last == 0x48 {
      isHardened = true
      digits = digits.dropLast()
    }
    guard let index = Self.number(digits) else { return nil }
    self.init(index: index, isHardened: isHardened)
  }

  /// Decimal digits and nothing else; nil when there are none, or for 2³¹ and above.
  static func number(_ digits: some Sequence<UInt8>) -> UInt32? {
    var value: UInt64 = 0
    var isEmpty = true
    for digit in digits {
      guard 0x30...0x39 ~= digit else { return nil }
      value = value * 10 + UInt64(digit - 0x30)
      guard value < UInt64(hardenedOffset) else { return nil }
      isEmpty = false
    }
    return isEmpty ? nil : UInt32(value)
  }
}

/// Steps down BIP 32's tree from some key: `m/84h/0h/0h/0/7`.
public struct DerivationPath: Hashable, Sendable, CustomStringConvertible, ExpressibleByArrayLiteral {
  public var steps: [ChildNumber]

  public init(_ steps: [ChildNumber] = []) { self.steps = steps }
  public init(arrayLiteral elements: ChildNumber...) { steps = elements }

  /// BIP 32 stores a key's depth in one byte.
  public static let maximumDepth = 255

  /// Reads steps separated by `/`, after an optional `m` or `M`: `m/0h/1`, `0'/1`, `m`. Throws `.malformedPath`, also for more than 255
  /// steps.
  public init(_ text: String) throws(ExtendedKeyError) {
    var parts = text.split(separator: "/", omittingEmptySubsequences: false)[...]
    if parts.first == "m" || parts.first == "M" || text.isEmpty { parts.removeFirst() }
    guard parts.count <= Self.maximumDepth else { throw .malformedPath }
    steps = []
    for part in parts {
      guard let step = ChildNumber(part) else { throw .malformedPath }
      steps.append(step)
    }
  }

  public var hasHardenedSteps: Bool { steps.contains(where: \.isHardened) }

  public static func / (path: DerivationPath, step: ChildNumber) -> DerivationPath {
    DerivationPath(path.steps + [step])
  }

  public static func + (a: DerivationPath, b: DerivationPath) -> DerivationPath { DerivationPath(a.steps + b.steps) }

  public var description: String { (["m"] + steps.map(\.description)).joined(separator: "/") }
}

/// The paths of BIP 44's family: purpose, coin type, account, change, index.
public enum AccountPurpose: UInt32, Sendable, CaseIterable {
  /// BIP 44: P2PKH.
  case legacy = 44
  /// BIP 49: P2WPKH nested in P2SH.
  case nestedSegwit = 49
  /// BIP 84: P2WPKH.
  case segwit = 84
  /// BIP 86: P2TR with a single key.
  case taproot = 86

  /// m / purpose' / coin_type' / account', coin type 0 where coins have a value and 1 elsewhere.
  public func accountPath(account: UInt32 = 0, networkKind: NetworkKind) -> DerivationPath {
    [.hardened(rawValue), .hardened(networkKind == .main ? 0 : 1), .hardened(account)]
  }

  /// … / change / index, both normal.
  public func path(
    account: UInt32 = 0, isChange: Bool, index: UInt32, networkKind: NetworkKind
  ) -> DerivationPath {
    accountPath(account: account, networkKind: networkKind) / .normal(isChange ? 1 : 0) / .normal(index)
  }

  /// The output that this BIP makes of a key. Throws `.invalidChild` for a key that BIP 341 cannot tweak, which chance never makes.
  public func destination(of key: PublicKey) throws(ExtendedKeyError) -> Destination {
    switch self {
    case .legacy: return .p2pkh(key)
    case .nestedSegwit: return .p2sh(.p2wpkh(key))
    case .segwit: return .p2wpkh(key)
    case .taproot:
      // BIP 86: without script path the output key commits to an unspendable one.
      do {
        return .p2tr(try TaprootOutput(internalKey: key.xOnly.key).outputKey)
      } catch {
        throw .invalidChild
      }
    }
  }
}
