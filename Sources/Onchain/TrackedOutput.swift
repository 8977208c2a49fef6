public import Bitcoin
internal import Encoding
public import GLC
internal import Secp256k1

/// An output that the resolver follows: of a commitment, or of a second-stage transaction.
public struct TrackedOutput: Sendable {
  public let outPoint: OutPoint
  public let value: Satoshi
  public let lock: OutputLock
  /// Which output of the commitment it is, or stems from.
  public let tag: OutputTag?
  public let paths: [SpendPath]
  /// For each pre-signed path, what the side that does not take it has signed: the other one for ours, we for theirs. Where both sign
  /// together, what their parts add up to.
  let counterSignatures: [CounterSignature?]
  /// The height of the block that holds it.
  public let confirmedAt: UInt32
  public internal(set) var spend: Spend?

  /// What has become of it.
  public struct Spend: Hashable, Sendable {
    public var txid: TxID
    public var height: UInt32
    /// Whether it was one of our claims.
    public var isOurs: Bool
  }

  /// The first height of a block that can hold a spend by this path, all else being known.
  func opening(of path: SpendPath) -> UInt32 {
    // A lock time is over in the block above its height.
    let height = path.conditions.height.map { $0 == .max ? $0 : $0 + 1 } ?? 0
    // BIP 68: an output of age 1 is spent in the next block.
    let (age, overflow) = confirmedAt.addingReportingOverflow(path.conditions.age.map { UInt32($0) } ?? 0)
    return max(height, overflow ? .max : age)
  }
}

/// What opens paths, apart from time.
struct Knowledge: Sendable {
  /// The side that is us.
  var side: Side
  /// We hold the secret of a revoked commitment.
  var isRevoked: Bool
  /// It is our own commitment that is revoked: the other side may hold that secret.
  var isExposed = false
  var secrets: [SecretID: [UInt8]] = [:]
}

extension TrackedOutput {
  /// The paths that we could take with what we know, by when they open.
  func ownPaths(_ knowledge: Knowledge) -> [(index: Int, path: SpendPath, opens: UInt32)] {
    paths.indices.compactMap { index in
      let path = paths[index]
      guard path.spender == knowledge.side, !path.conditions.revoked || knowledge.isRevoked else { return nil }
      if let secret = path.conditions.secret, knowledge.secrets[secret] == nil { return nil }
      if case .presigned = path.execution, counterSignatures[index] == nil { return nil }
      return (index, path, opening(of: path))
    }
  }

  /// The best of our paths in a block of this height: punishing first, then what leads straight to our wallet, then the lighter.
  func bestPath(at height: UInt32, _ knowledge: Knowledge) -> (index: Int, path: SpendPath)? {
    ownPaths(knowledge).filter { $0.opens <= height }.min { $0.path.rank < $1.path.rank }.map { ($0.index, $0.path) }
  }

  /// The first height of a block in which the other side could take it. A secret may be known to the other side, whatever we believe;
  /// nil when it never can.
  func rivalOpening(_ knowledge: Knowledge) -> UInt32? {
    paths.compactMap { path in
      // What opens by revocation is closed to the one who revokes, unless it is us.
      path.spender == knowledge.side || (path.conditions.revoked && !knowledge.isExposed) ? nil : opening(of: path)
    }.min()
  }

  /// The outputs of a spend that are again to be followed: those of the pre-signed transaction that it is made of. The other side may
  /// have added inputs and outputs of its own (SIGHASH_SINGLE | SIGHASH_ANYONECANPAY): then they stand where the input stands.
  func children(
    of transaction: Transaction, input: Int
  ) -> (spender: Side, outputs: [(index: Int, child: ChildOutput)])? {
    for path in paths {
      guard case .presigned(let template) = path.execution else { continue }
      let found = template.outputs.enumerated().compactMap { offset, child -> (index: Int, child: ChildOutput)? in
        let candidates = template.outputs.count == 1 ? [input, offset] : [offset]
        return candidates.first {
          transaction.outputs.indices.contains($0)
            && transaction.outputs[$0].scriptPubKey == child.lock.scriptPubKey
        }.map { ($0, child) }
      }
      if !found.isEmpty { return (path.spender, found) }
    }
    return nil
  }
}

extension SpendPath {
  /// Smaller is better.
  fileprivate var rank: (Int, UInt64) {
    switch execution {
    case .free(let weight): (conditions.revoked ? 0 : 1, weight.rawValue)
    case .presigned(let template): (2, template.expectedWeight.rawValue)
    }
  }
}

extension TrackedOutput {
  /// The secret that completes the pre-signature for a path of the other side's, read from the witness of a spend (BIP 340: the
  /// signature that was completed has the same nonce).
  func secret(in witness: Witness, of path: SpendPath) -> [UInt8]? {
    guard let index = paths.firstIndex(of: path), case .adaptor(let signature) = counterSignatures[index],
      case .presigned(let template) = path.execution, let point = template.counterSignature.point
    else { return nil }
    for element in witness.elements where element.count == 64 || element.count == 65 {
      guard let bytes = try? Bytes64(Array(element[..<64])),
        let secret = try? signature.secret(from: SchnorrSignature(bytes), point: point)
      else { continue }
      return secret.bytes.array
    }
    return nil
  }
}
