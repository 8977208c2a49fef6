public import Encoding
internal import Hashing
public import Secp256k1

/// A public key that a party names once, when the channel is opened, and from which the keys of its commitments follow.
/// Numbers below 16 belong to the core and the BOLTs; extensions take theirs from `docs/REGISTRY.md`.
public struct Basepoint: RawRepresentable, Hashable, Comparable, Sendable {
  public let rawValue: UInt8
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
  @inlinable public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

  public static let funding = Basepoint(rawValue: 0)
  public static let revocation = Basepoint(rawValue: 1)
  public static let payment = Basepoint(rawValue: 2)
  public static let delayedPayment = Basepoint(rawValue: 3)
}

/// How a commitment's key follows from a basepoint (BOLT 3 §Key Derivation).
public enum KeyDerivation: UInt8, Hashable, Sendable {
  /// The basepoint itself, in every commitment.
  case fixed = 0
  /// basepoint + SHA256(per_commitment_point ‖ basepoint) · G.
  case perCommitment = 1
  /// The blinded key whose secret the counterparty can compute once the holder has revoked the commitment.
  case revocation = 2
}

/// What a key is for: which basepoint, and how it is derived from it.
public struct KeyRole: Hashable, Sendable {
  public let basepoint: Basepoint
  public let derivation: KeyDerivation

  @inlinable public init(_ basepoint: Basepoint, _ derivation: KeyDerivation) {
    self.basepoint = basepoint
    self.derivation = derivation
  }

  public static let funding = KeyRole(.funding, .fixed)
  public static let payment = KeyRole(.payment, .fixed)
  public static let delayedPayment = KeyRole(.delayedPayment, .perCommitment)
  public static let revocation = KeyRole(.revocation, .revocation)
}

/// A key of one commitment, by reference: state, drafts and spending paths name keys this way, and only the signer knows the
/// secrets behind them.
public struct KeyRef: Hashable, Sendable {
  public let role: KeyRole
  public let side: Side

  @inlinable public init(_ role: KeyRole, _ side: Side) {
    self.role = role
    self.side = side
  }
}

extension KeyRef: Comparable {
  public static func < (a: Self, b: Self) -> Bool {
    (a.role.basepoint.rawValue, a.role.derivation.rawValue, a.side.rawValue)
      < (b.role.basepoint.rawValue, b.role.derivation.rawValue, b.side.rawValue)
  }
}

/// The basepoints of one party.
public struct Basepoints: Hashable, Sendable {
  private var entries: [(basepoint: Basepoint, key: PublicKey)]

  public init(_ entries: [Basepoint: PublicKey]) {
    self.entries = entries.map { (basepoint: $0.key, key: $0.value) }.sorted { $0.basepoint < $1.basepoint }
  }

  public subscript(basepoint: Basepoint) -> PublicKey? { entries.first { $0.basepoint == basepoint }?.key }
  public var all: [(basepoint: Basepoint, key: PublicKey)] { entries }

  public static func == (a: Self, b: Self) -> Bool {
    a.entries.elementsEqual(b.entries) { $0.basepoint == $1.basepoint && $0.key == $1.key }
  }

  public func hash(into hasher: inout Hasher) {
    for entry in entries {
      hasher.combine(entry.basepoint)
      hasher.combine(entry.key)
    }
  }
}

/// The public keys of one commitment, every `KeyRef` that its stack declares resolved once.
public struct CommitmentKeys: Sendable {
  public let perCommitmentPoint: PublicKey
  @usableFromInline let keys: [(ref: KeyRef, key: PublicKey)]

  /// - Parameters:
  ///   - holder: the basepoints of the commitment's holder.
  ///   - counterparty: the basepoints of the other side.
  ///   - perCommitmentPoint: the holder's, for this commitment number.
  ///   - refs: what is to be resolved; repetitions are resolved once.
  /// Throws `.missingBasepoint` when a side did not name one, `.unusableKey` when a derivation fails (never by chance).
  public init(
    holder: Basepoints, counterparty: Basepoints, perCommitmentPoint: PublicKey, resolving refs: [KeyRef]
  ) throws(DraftError) {
    self.perCommitmentPoint = perCommitmentPoint
    var keys: [(ref: KeyRef, key: PublicKey)] = []
    keys.reserveCapacity(refs.count)
    for ref in refs where !keys.contains(where: { $0.ref == ref }) {
      guard let basepoint = (ref.side == .holder ? holder : counterparty)[ref.role.basepoint] else {
        throw .missingBasepoint(ref.role.basepoint, ref.side)
      }
      let key: PublicKey
      do {
        switch ref.role.derivation {
        case .fixed: key = basepoint
        case .perCommitment: key = try derivedKey(basepoint, perCommitmentPoint: perCommitmentPoint)
        case .revocation: key = try revocationKey(basepoint, perCommitmentPoint: perCommitmentPoint)
        }
      } catch {
        throw .unusableKey(ref)
      }
      keys.append((ref, key))
    }
    self.keys = keys
  }

  /// The key behind a reference. Throws `.undeclaredKey` for one that no manifest of the stack names.
  @inlinable public func callAsFunction(_ ref: KeyRef) throws(DraftError) -> PublicKey {
    for entry in keys where entry.ref == ref { return entry.key }
    throw .undeclaredKey(ref)
  }
}

extension CommitmentKeys {
  /// The key that the signature of a slot is for. That of an adaptor signature is bound to its point: without that, outputs that differ in
  /// their points alone would be the same output, and a signature up to one secret would hold for the other (docs/PRESIGN.md).
  public func callAsFunction(_ slot: SignatureSlot) throws(DraftError) -> PublicKey {
    let key = try self(slot.key)
    guard case .adaptor(_, _, let point) = slot else { return key }
    do { return try key.adding(pointTweak(point)) } catch { throw .unusableKey(slot.key) }
  }
}

/// What binds a key to a point: hash_GLC/point(point), BIP 340's tagged hash of the 33 bytes.
public func pointTweak(_ point: PublicKey) -> Bytes32 {
  var hash = pointTag
  hash.update(point)
  return hash.finish()
}

private let pointTag: SHA256 = taggedHash("GLC/point")

/// BOLT 3: SHA256(per_commitment_point ‖ basepoint), the tweak of `derivedKey`.
public func keyTweak(_ basepoint: PublicKey, perCommitmentPoint: PublicKey) -> Bytes32 {
  var hash = SHA256()
  hash.update(perCommitmentPoint)
  hash.update(basepoint)
  return hash.finish()
}

/// BOLT 3: pubkey = basepoint + SHA256(per_commitment_point ‖ basepoint) · G.
public func derivedKey(
  _ basepoint: PublicKey, perCommitmentPoint: PublicKey
) throws(Secp256k1Error) -> PublicKey {
  try basepoint.adding(keyTweak(basepoint, perCommitmentPoint: perCommitmentPoint))
}

/// BOLT 3: revocationpubkey = revocation_basepoint · SHA256(revocation_basepoint ‖ per_commitment_point)
/// + per_commitment_point · SHA256(per_commitment_point ‖ revocation_basepoint).
public func revocationKey(
  _ revocationBasepoint: PublicKey, perCommitmentPoint: PublicKey
) throws(Secp256k1Error) -> PublicKey {
  var first = SHA256()
  first.update(revocationBasepoint)
  first.update(perCommitmentPoint)
  var second = SHA256()
  second.update(perCommitmentPoint)
  second.update(revocationBasepoint)
  return try revocationBasepoint.multiplied(by: first.finish()) + perCommitmentPoint.multiplied(by: second.finish())
}
