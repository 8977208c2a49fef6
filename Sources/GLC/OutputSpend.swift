public import Bitcoin
public import Encoding

/// One input that takes one path of one output: all that its witness is made of, apart from the secrets behind the keys.
public struct OutputSpend: Hashable, Sendable {
  public var outPoint: OutPoint
  public var value: Satoshi
  public var lock: OutputLock
  public var path: SpendPath
  /// What opens the path's `SpendConditions.secret`.
  public var secret: [UInt8]?
  /// What the other side has signed for a pre-signed path.
  public var counterSignature: CounterSignature?

  public init(
    outPoint: OutPoint, value: Satoshi, lock: OutputLock, path: SpendPath, secret: [UInt8]? = nil,
    counterSignature: CounterSignature? = nil
  ) {
    self.outPoint = outPoint
    self.value = value
    self.lock = lock
    self.path = path
    self.secret = secret
    self.counterSignature = counterSignature
  }

  public var output: TxOutput { TxOutput(value: value, scriptPubKey: lock.scriptPubKey) }
}

/// Which keys open the outputs of one commitment, for one of its sides.
public struct SpendingKeys: Sendable {
  /// Whose secrets are needed.
  public var side: Side
  public var keys: CommitmentKeys
  /// The holder's, once the commitment is revoked; 32 bytes.
  public var perCommitmentSecret: Bytes32?

  public init(side: Side, keys: CommitmentKeys, perCommitmentSecret: Bytes32? = nil) {
    self.side = side
    self.keys = keys
    self.perCommitmentSecret = perCommitmentSecret
  }
}
