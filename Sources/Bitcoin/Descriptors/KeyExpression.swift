internal import Encoding
internal import Hashing
public import Secp256k1

/// A secret key that several values share; wiped when the last of them goes.
final class SharedSecretKey: Sendable {
  let wif: PrivateKeyWIF
  init(_ wif: consuming PrivateKeyWIF) { self.wif = wif }
}

/// The same of an extended one.
final class SharedExtendedSecretKey: Sendable {
  let key: ExtendedSecretKey
  init(_ key: consuming ExtendedSecretKey) { self.key = key }
}

/// A key of a descriptor (BIP 380 §Key Expressions, BIP 389, BIP 390): one public key, or one for every index.
public struct KeyExpression: Sendable {
  enum Kind: Sendable {
    case publicKey(PublicKey, form: Form)
    case secretKey(SharedSecretKey, form: Form)
    case extended(Extended)
    indirect case musig(Musig)
  }

  /// How a single key is written.
  enum Form: Sendable {
    case compressed
    case uncompressed
    case xOnly
  }

  struct Extended: Sendable {
    let publicKey: ExtendedPublicKey
    let secretKey: SharedExtendedSecretKey?
    let path: KeyExpressionPath
    /// What the fixed steps lead to, derived once.
    let base: Result<Base, DescriptorError>

    struct Base: Sendable {
      let publicKey: ExtendedPublicKey
      /// Nil when it is not known, or not needed.
      let secretKey: SharedExtendedSecretKey?
    }

    init(publicKey: ExtendedPublicKey, secretKey: SharedExtendedSecretKey?, path: KeyExpressionPath) {
      self.publicKey = publicKey
      self.secretKey = secretKey
      self.path = path
      do throws(DescriptorError) {
        base = .success(try Self.derive(publicKey, secretKey, path))
      } catch {
        base = .failure(error)
      }
    }

    private static func derive(
      _ publicKey: ExtendedPublicKey, _ secretKey: SharedExtendedSecretKey?, _ path: KeyExpressionPath
    ) throws(DescriptorError) -> Base {
      guard let fixed = path.fixed else { throw .multipath }
      do throws(ExtendedKeyError) {
        if let secretKey, fixed.hasHardenedSteps || path.wildcard == .hardened {
          let derived = SharedExtendedSecretKey(try secretKey.key.derive(fixed))
          return Base(publicKey: derived.key.extendedPublicKey, secretKey: derived)
        }
        return Base(publicKey: try publicKey.derive(fixed), secretKey: nil)
      } catch .hardenedChildOfPublicKey {
        throw .hardenedDerivationNeedsSecretKey
      } catch {
        throw .derivation(error)
      }
    }

    func publicKey(at index: UInt32) throws(DescriptorError) -> PublicKey {
      let base = try base.get()
      do throws(ExtendedKeyError) {
        switch path.wildcard {
        case .none: return base.publicKey.publicKey
        case .normal: return try base.publicKey.child(.normal(index)).publicKey
        case .hardened:
          guard let secret = base.secretKey else { throw .hardenedChildOfPublicKey }
          return try secret.key.child(.hardened(index)).publicKey
        }
      } catch .hardenedChildOfPublicKey {
        throw .hardenedDerivationNeedsSecretKey
      } catch {
        throw .derivation(error)
      }
    }

    func secretKey(at index: UInt32) throws(DescriptorError) -> SecretKey? {
      guard let secretKey else { return nil }
      guard let fixed = path.fixed else { throw .multipath }
      do throws(ExtendedKeyError) {
        let parent = try secretKey.key.derive(fixed)
        switch path.wildcard {
        case .none: return parent.secretKey.copy()
        case .normal: return try parent.child(.normal(index)).secretKey.copy()
        case .hardened: return try parent.child(.hardened(index)).secretKey.copy()
        }
      } catch {
        throw .derivation(error)
      }
    }
  }

  struct Musig: Sendable {
    let participants: [KeyExpression]
    let path: KeyExpressionPath

    func publicKey(at index: UInt32) throws(DescriptorError) -> PublicKey {
      guard let fixed = path.fixed else { throw .multipath }
      let aggregate = try aggregation(at: index).aggregateKey
      guard !path.isEmpty else { return aggregate }
      do throws(ExtendedKeyError) {
        let derived = try ExtendedPublicKey.synthetic(aggregate, networkKind: .main).derive(fixed)
        return path.wildcard == .none ? derived.publicKey : try derived.child(.normal(index)).publicKey
      } catch {
        throw .derivation(error)
      }
    }

    /// The participants' keys, sorted, before the steps behind the parenthesis.
    func aggregation(at index: UInt32) throws(DescriptorError) -> MuSigKeyAggregation {
      var keys: [PublicKey] = []
      for participant in participants { keys.append(try participant.publicKey(at: index)) }
      do {
        // BIP 390: Keys must be sorted with the KeySort algorithm after all derivation and prior to aggregation.
        return try MuSigKeyAggregation(keys.sorted())
      } catch {
        throw .musigInfinity
      }
    }
  }

  let kind: Kind
  public let origin: KeyOrigin?
  /// Whether hardened steps are marked by `'` instead of `h`: the checksum is made over the text.
  let usesApostrophes: Bool

  init(kind: Kind, origin: KeyOrigin?, usesApostrophes: Bool) {
    self.kind = kind
    self.origin = origin
    self.usesApostrophes = usesApostrophes
  }

  /// A key without path or origin.
  public init(_ key: PublicKey) {
    self.init(kind: .publicKey(key, form: .compressed), origin: nil, usesApostrophes: false)
  }

  /// A key written by its x coordinate alone, for `tr` and `rawtr`.
  public init(_ key: XOnlyPublicKey) {
    self.init(kind: .publicKey(key.evenPoint, form: .xOnly), origin: nil, usesApostrophes: false)
  }

  // MARK: Keys

  /// Whether there is another key for every index.
  public var isRanged: Bool {
    switch kind {
    case .publicKey, .secretKey: false
    case .extended(let key): key.path.wildcard != .none
    case .musig(let key): key.path.wildcard != .none || key.participants.contains(where: \.isRanged)
    }
  }

  /// Whether the key comes from an `xpub` or `xprv`.
  var isExtended: Bool { if case .extended = kind { true } else { false } }

  /// Whether a hardened step hides the keys from who has the public text.
  var needsSecretToDerive: Bool {
    switch kind {
    case .publicKey, .secretKey: false
    case .extended(let key): key.path.hasHardenedSteps || key.path.wildcard == .hardened
    case .musig(let key): key.participants.contains(where: \.needsSecretToDerive)
    }
  }

  var isCompressed: Bool {
    switch kind {
    case .publicKey(_, .uncompressed), .secretKey(_, .uncompressed): false
    default: true
    }
  }

  /// How many keys the expression stands for (BIP 389); 1 without `<…>`.
  var multipathCount: Int {
    switch kind {
    case .publicKey, .secretKey: 1
    case .extended(let key): key.path.multipathCount
    case .musig(let key): key.participants.reduce(key.path.multipathCount) { max($0, $1.multipathCount) }
    }
  }

  func selecting(_ choice: Int) -> KeyExpression {
    let selected: Kind
    switch kind {
    case .publicKey, .secretKey: return self
    case .extended(let key):
      guard key.path.multipathCount > 1 else { return self }
      selected = .extended(
        Extended(publicKey: key.publicKey, secretKey: key.secretKey, path: key.path.selecting(choice)))
    case .musig(let key):
      selected = .musig(
        Musig(participants: key.participants.map { $0.selecting(choice) }, path: key.path.selecting(choice)))
    }
    return KeyExpression(kind: selected, origin: origin, usesApostrophes: usesApostrophes)
  }

  /// The key at an index, which does not matter when the expression is not ranged.
  /// Throws `.hardenedDerivationNeedsSecretKey`, `.derivation`, `.multipath`, `.musigInfinity`.
  public func publicKey(at index: UInt32) throws(DescriptorError) -> PublicKey {
    switch kind {
    case .publicKey(let key, _): return key
    case .secretKey(let shared, _): return shared.wif.secretKey.publicKey
    case .extended(let key): return try key.publicKey(at: index)
    case .musig(let key): return try key.publicKey(at: index)
    }
  }

  /// The secret of the key at an index; nil when the descriptor does not hold it (never for `musig`).
  public func secretKey(at index: UInt32) throws(DescriptorError) -> SecretKey? {
    switch kind {
    case .publicKey, .musig: return nil
    case .secretKey(let shared, _): return shared.wif.secretKey.copy()
    case .extended(let key): return try key.secretKey(at: index)
    }
  }

  /// The key as a script without witness holds it, 33 or 65 bytes.
  func legacyBytes(at index: UInt32) throws(DescriptorError) -> [UInt8] {
    let key = try publicKey(at: index)
    return isCompressed ? key.array : key.uncompressed.array
  }

  /// The keys that `musig()` aggregates, in the order written; empty for other keys.
  public var musigParticipants: [KeyExpression] { if case .musig(let key) = kind { key.participants } else { [] } }

  /// What `musig()` aggregates at an index, before its own path is applied; nil for other keys.
  public func musigAggregation(at index: UInt32) throws(DescriptorError) -> MuSigKeyAggregation? {
    guard case .musig(let key) = kind else { return nil }
    return try key.aggregation(at: index)
  }

  // MARK: Secrets of other keys

  /// The secret behind each public key that the expression holds one for.
  func collectSecrets(into secrets: inout [PublicKey: SharedSecretKey]) {
    switch kind {
    case .publicKey: break
    case .secretKey(let shared, _): secrets[shared.wif.secretKey.publicKey] = shared
    case .extended(let key):
      guard let secret = key.secretKey, secrets[secret.key.publicKey] == nil else { return }
      secrets[secret.key.publicKey] = SharedSecretKey(
        PrivateKeyWIF(secretKey: secret.key.secretKey.copy(), networkKind: secret.key.networkKind))
    case .musig(let key): for participant in key.participants { participant.collectSecrets(into: &secrets) }
    }
  }

  /// An `xpub` whose secret stands elsewhere in the descriptor is as good as the `xprv`.
  func adopting(_ secrets: [PublicKey: SharedSecretKey]) -> KeyExpression {
    let adopted: Kind
    switch kind {
    case .publicKey, .secretKey: return self
    case .extended(let key):
      guard key.secretKey == nil, let secret = secrets[key.publicKey.publicKey] else { return self }
      let extended = ExtendedSecretKey(
        header: key.publicKey.header, chainCode: key.publicKey.chainCode, secretKey: secret.wif.secretKey.copy())
      adopted = .extended(
        Extended(publicKey: key.publicKey, secretKey: SharedExtendedSecretKey(extended), path: key.path))
    case .musig(let key):
      adopted = .musig(Musig(participants: key.participants.map { $0.adopting(secrets) }, path: key.path))
    }
    return KeyExpression(kind: adopted, origin: origin, usesApostrophes: usesApostrophes)
  }
}

extension ExtendedPublicKey {
  /// The extended key of a MuSig2 aggregate (BIP 328): "setting the depth to 0, the child number to 0, and attaching a chaincode", the
  /// SHA256 of the text MuSig2MuSig2MuSig2.
  public static func synthetic(_ aggregate: PublicKey, networkKind: NetworkKind) -> ExtendedPublicKey {
    ExtendedPublicKey(publicKey: aggregate, chainCode: musigChainCode, networkKind: networkKind)
  }
}

/// 868087ca…e38965.
private let musigChainCode = sha256([UInt8]("MuSig2MuSig2MuSig2".utf8))
