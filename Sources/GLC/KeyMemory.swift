internal import Bitcoin
internal import Secp256k1
internal import Synchronization

/// The keys of a channel's last commitments, and of the next ones: what follows from a point need not be worked out again when that
/// commitment is revoked, or while somebody waits for it. Copies of a channel share it; what it holds is the same for all of them.
final class KeyMemory: Sendable {
  private struct Entry {
    var holder: Party
    var point: PublicKey
    /// What a stack may ask for, should it change.
    var refs: [KeyRef]
    var keys: CommitmentKeys
  }

  /// Of each side the one before, the present and the next, and one more.
  private static let capacity = 8

  private let entries = Mutex<[Entry]>([])
  /// Our own points, by the numbers of our commitments.
  private let points = Mutex<[(number: UInt64, point: PublicKey)]>([])

  func point<Failure: Error>(_ number: UInt64, _ make: () throws(Failure) -> PublicKey) throws(Failure) -> PublicKey {
    if let known = points.withLock({ $0.last { $0.number == number }?.point }) { return known }
    let made = try make()
    points.withLock { points in
      if points.count == Self.capacity { points.removeFirst() }
      points.append((number, made))
    }
    return made
  }

  func keys(
    of holder: Party, at point: PublicKey, resolving refs: [KeyRef], _ make: () throws(DraftError) -> CommitmentKeys
  ) throws(DraftError) -> CommitmentKeys {
    let known = entries.withLock { entries in
      entries.last { $0.holder == holder && $0.point == point && $0.refs == refs }?.keys
    }
    if let known { return known }
    let made = try make()
    entries.withLock { entries in
      if entries.count == Self.capacity { entries.removeFirst() }
      entries.append(Entry(holder: holder, point: point, refs: refs, keys: made))
    }
    return made
  }
}
