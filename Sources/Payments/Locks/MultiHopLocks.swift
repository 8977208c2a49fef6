public import Encoding
public import Secp256k1

/// The locks of one payment on its way, each hop's another point (anonymous multi-hop locks, in the form for Schnorr signatures).
///
/// The payee's invoice carries Z = z · G. For a route of n hops the payer draws y_0 … y_(n−1). The offer that hop i gets (0 is the first
/// node behind the payer, n − 1 the payee) is locked by Z + (y_0 + … + y_i) · G. Hop i is told y_(i+1), by which the lock of its own offer
/// differs from the one it got; the payee is told the sum of all, by which its lock differs from Z. Whoever opens the lock on the right
/// gives away its secret, from which that of the lock on the left follows by subtraction; in the end the payer has z, and nobody between
/// the two has. Two of these points say no more about each other than any two points do.
public struct MultiHopLocks: Hashable, Sendable {
  /// What locks the offer that each hop gets: as many as the route has hops.
  public let points: [PublicKey]
  /// y_0 … y_(n−1). Hop i is told the one with the number i + 1.
  public let tweaks: [Bytes32]
  /// y_0 + … + y_(n−1), for the payee.
  public let payeeTweak: Bytes32

  /// - Parameter tweaks: random scalars, one for each hop, each used once.
  public init(to paymentPoint: PublicKey, tweaks: [Bytes32]) throws(MultiHopLockError) {
    guard let first = tweaks.first else { throw .noHops }
    var points: [PublicKey] = []
    points.reserveCapacity(tweaks.count)
    var sum = try Self.scalar(first)
    var point = paymentPoint
    for (index, tweak) in tweaks.enumerated() {
      point = try Self.point(after: point, tweak: tweak)
      points.append(point)
      if index > 0 { sum = try Self.sum(sum, tweak.bytes, orThrow: .tweaksCancel) }
    }
    self.points = points
    self.tweaks = tweaks
    payeeTweak = try Self.bytes(sum)
  }

  /// y_0, by which the first lock differs from the payment point.
  public var payerTweak: Bytes32 { tweaks[0] }

  // MARK: At a hop

  /// The lock on the right of a hop, from the one on its left: Y_right = Y_left + y · G.
  public static func point(after point: PublicKey, tweak: Bytes32) throws(MultiHopLockError) -> PublicKey {
    let tweak = try scalar(tweak)
    do throws(Secp256k1Error) { return try point + tweak.publicKey } catch { throw .infinity }
  }

  /// What opens the lock on the left, from what opened the one on the right: t_left = t_right − y. From what opened the first lock, and
  /// y_0, the payer gets the discrete logarithm of the payment point.
  public static func secret(before secret: Bytes32, tweak: Bytes32) throws(MultiHopLockError) -> Bytes32 {
    let negated = try scalar(tweak).negated()
    return try bytes(sum(self.secret(secret), negated.bytes, orThrow: .invalidSecret))
  }

  // MARK: At the payee

  /// The payment point, from the lock of an offer: Z = Y − y · G, where y is the sum of all tweaks.
  public static func paymentPoint(of point: PublicKey, tweak: Bytes32) throws(MultiHopLockError) -> PublicKey {
    let negated = try scalar(tweak).negated()
    do throws(Secp256k1Error) { return try point + negated.publicKey } catch { throw .infinity }
  }

  /// What opens the payee's lock: t = z + y.
  public static func secret(opening paymentSecret: Bytes32, tweak: Bytes32) throws(MultiHopLockError) -> Bytes32 {
    let tweak = try scalar(tweak)
    return try bytes(sum(secret(paymentSecret), tweak.bytes, orThrow: .invalidSecret))
  }

  // MARK: Scalars

  private static func scalar(_ tweak: Bytes32) throws(MultiHopLockError) -> SecretKey {
    do throws(Secp256k1Error) { return try SecretKey(tweak) } catch { throw .invalidTweak }
  }

  private static func secret(_ secret: Bytes32) throws(MultiHopLockError) -> SecretKey {
    do throws(Secp256k1Error) { return try SecretKey(secret) } catch { throw .invalidSecret }
  }

  private static func sum(
    _ key: borrowing SecretKey, _ tweak: RawSpan, orThrow error: MultiHopLockError
  ) throws(MultiHopLockError) -> SecretKey {
    do throws(Secp256k1Error) { return try key.adding(tweak) } catch _ { throw error }
  }

  private static func bytes(_ key: borrowing SecretKey) throws(MultiHopLockError) -> Bytes32 {
    do throws(DecodingError) { return try Bytes32(copying: key.bytes) } catch { throw .invalidSecret }
  }
}

/// Why a lock cannot be made or opened.
public enum MultiHopLockError: Error, Hashable, Sendable {
  case noHops
  /// A tweak that is 0, or not below the order of the curve.
  case invalidTweak
  /// Tweaks of which the first few add up to 0: the payment point itself would be a lock.
  case tweaksCancel
  /// The point at infinity, which everybody can open.
  case infinity
  /// A secret that is 0, or not below the order of the curve.
  case invalidSecret
}
