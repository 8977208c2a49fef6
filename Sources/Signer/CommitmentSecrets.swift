public import Bitcoin
internal import Encoding
public import GLC
internal import Hashing
public import Secp256k1

/// The secrets behind one party's basepoints.
public final class BasepointSecrets: Sendable {
  private let secrets: [Basepoint: Box]

  private final class Box: Sendable {
    let key: SecretKey
    let publicKey: PublicKey

    init(_ key: consuming SecretKey) {
      publicKey = key.publicKey
      self.key = key
    }
  }

  /// Calls `secret` once for each basepoint. Throws what it throws.
  public init<E: Error>(_ basepoints: [Basepoint], _ secret: (Basepoint) throws(E) -> SecretKey) throws(E) {
    var secrets: [Basepoint: Box] = [:]
    for basepoint in basepoints { secrets[basepoint] = Box(try secret(basepoint)) }
    self.secrets = secrets
  }

  /// A copy of the funding key's secret.
  func fundingSecret() throws(SigningError) -> SecretKey {
    guard let box = secrets[.funding] else { throw .noSecret(.funding) }
    return box.key.copy()
  }

  /// The public side, to be told to the peer.
  public var basepoints: Basepoints { Basepoints(secrets.mapValues(\.publicKey)) }
}

/// Why a signature cannot be made.
public enum SigningError: Error, Hashable, Sendable {
  /// The signer has no secret for this basepoint.
  case noSecret(Basepoint)
  /// A revocation key was asked for without the per-commitment secret that unlocks it.
  case notRevoked
  /// The key belongs to the other side.
  case notOurs(KeyRef)
  /// A derivation led to zero (never by chance).
  case unusableKey(KeyRef)
  case sighash(SighashError)
  case signature(SignatureError)
  /// A nonce has signed something else before.
  case nonceReuse
  /// A part of the witness that was not given, or that this signer cannot make.
  case missing(String)
}

extension BasepointSecrets {
  /// The secret behind a reference, for the commitment with this per-commitment point (BOLT 3 §Key Derivation).
  /// - Parameters:
  ///   - side: which side of that commitment these secrets are.
  ///   - perCommitmentSecret: needed for revocation keys alone; 32 bytes, known once the holder has revoked.
  public func secret(
    _ ref: KeyRef, side: Side, perCommitmentPoint: PublicKey, perCommitmentSecret: borrowing SecretKey? = nil
  ) throws(SigningError) -> SecretKey {
    guard ref.side == side else { throw .notOurs(ref) }
    guard let box = secrets[ref.role.basepoint] else { throw .noSecret(ref.role.basepoint) }
    switch ref.role.derivation {
    case .fixed: return box.key.copy()
    case .perCommitment:
      do {
        return try box.key.adding(keyTweak(box.publicKey, perCommitmentPoint: perCommitmentPoint))
      } catch {
        throw .unusableKey(ref)
      }
    case .revocation:
      // BOLT 3: revocationprivkey = revocation_basepoint_secret · SHA256(revocation_basepoint ‖ per_commitment_point)
      // + per_commitment_secret · SHA256(per_commitment_point ‖ revocation_basepoint)
      let basepoint = box.publicKey
      switch perCommitmentSecret {
      case nil: throw .notRevoked
      case .some(let revealed):
        do {
          let own = try box.key.multiplied(by: pairHash(basepoint, perCommitmentPoint))
          let theirs = try revealed.multiplied(by: pairHash(perCommitmentPoint, basepoint))
          return try own.adding(theirs.bytes)
        } catch {
          throw .unusableKey(ref)
        }
      }
    }
  }
}

private func pairHash(_ a: PublicKey, _ b: PublicKey) -> Bytes32 {
  var hash = SHA256()
  hash.update(a)
  hash.update(b)
  return hash.finish()
}
