public import Bitcoin
public import Encoding
public import Secp256k1

/// A secret that opens a spending path: the preimage of a hash, the discrete logarithm of a point, or what an extension says.
public struct SecretID: Hashable, Sendable {
  /// How the secret relates to `value`.
  public enum Kind: UInt8, Hashable, Sendable {
    /// `value` is the SHA-256 of the 32-byte secret.
    case sha256 = 0
    /// `value` is the x coordinate of secret · G.
    case point = 1
  }

  public var kind: Kind
  public var value: Bytes32

  @inlinable public init(kind: Kind, value: Bytes32) {
    self.kind = kind
    self.value = value
  }
}

/// All that must hold before a path can be taken. Absent conditions always hold.
public struct SpendConditions: Hashable, Sendable {
  /// The commitment has been revoked: its per-commitment secret is known.
  public var revoked: Bool
  /// The chain has this height (nLockTime, OP_CHECKLOCKTIMEVERIFY).
  public var height: UInt32?
  /// The output has this many confirmations (nSequence, OP_CHECKSEQUENCEVERIFY).
  public var age: UInt16?
  /// The spender knows this secret.
  public var secret: SecretID?

  @inlinable public init(revoked: Bool = false, height: UInt32? = nil, age: UInt16? = nil, secret: SecretID? = nil) {
    self.revoked = revoked
    self.height = height
    self.age = age
    self.secret = secret
  }

  public static let none = SpendConditions()
}

/// A signature that the other side has to hand over beforehand.
public enum SignatureSlot: Hashable, Sendable {
  case ecdsa(KeyRef, SighashType)
  case schnorr(KeyRef, SighashType)
  /// A pre-signature that the discrete logarithm of `point` completes.
  /// The key is the reference's, bound to the point: see `CommitmentKeys.callAsFunction(_:)`.
  case adaptor(KeyRef, SighashType, point: PublicKey)
  case musigPartial(KeyRef, SighashType)
  /// A part of a pre-signature that both sides make (MuSig2), for a key path that is theirs together, bound to the point. Its discrete
  /// logarithm completes what both parts add up to.
  case musigAdaptor(KeyRef, SighashType, point: PublicKey)

  /// Whose signature it is.
  public var key: KeyRef {
    switch self {
    case .ecdsa(let ref, _), .schnorr(let ref, _), .adaptor(let ref, _, _), .musigPartial(let ref, _),
      .musigAdaptor(let ref, _, _):
      ref
    }
  }

  /// What the signature covers.
  public var sighashType: SighashType {
    switch self {
    case .ecdsa(_, let type), .schnorr(_, let type), .adaptor(_, let type, _), .musigPartial(_, let type),
      .musigAdaptor(_, let type, _):
      type
    }
  }

  /// What has to be known besides: the point whose discrete logarithm completes the signature.
  public var point: PublicKey? {
    switch self {
    case .adaptor(_, _, let point), .musigAdaptor(_, _, let point): point
    case .ecdsa, .schnorr, .musigPartial: nil
    }
  }

  /// Whether both sides hand over a part: the other one, and the one that takes the path.
  public var isPaired: Bool { if case .musigAdaptor = self { true } else { false } }
}

/// One element of the witness that takes a path, bottom of the stack first.
public enum WitnessElement: Hashable, Sendable {
  /// Made by the spender when it spends.
  case signature(KeyRef, SighashType)
  /// Made by the other side before the commitment came into force.
  case counterSignature(SignatureSlot)
  /// The secret of the path's conditions, 32 bytes.
  case secret
  case literal([UInt8])
  case publicKey(KeyRef)
  case witnessScript
  /// The script of a leaf and the control block that proves it: two elements.
  case tapLeaf(Int)
  /// For extensions whose witness has parts that the core does not know.
  case custom(ExtensionID, [UInt8])
}

extension [WitnessElement] {
  /// The leaf that a path of a taproot output takes; nil for the key path.
  public var tapLeaf: Int? {
    for element in self { if case .tapLeaf(let index) = element { return index } }
    return nil
  }
}

/// One way to spend one output.
public struct SpendPath: Hashable, Sendable {
  /// A short name for reports: `revoke`, `timeout`, `success`.
  public var name: String
  /// Which side can take it.
  public var spender: Side
  public var conditions: SpendConditions
  public var witness: [WitnessElement]
  public var execution: Execution

  /// Whether the spending transaction is the spender's own choice.
  public enum Execution: Hashable, Sendable {
    /// Any transaction; the witness is at most this heavy, its element count included.
    case free(witnessWeight: Weight)
    /// This transaction and no other, because the other side has signed it.
    case presigned(ChildTemplate)
  }

  public init(
    _ name: String, by spender: Side, when conditions: SpendConditions = .none, witness: [WitnessElement],
    execution: Execution
  ) {
    self.name = name
    self.spender = spender
    self.conditions = conditions
    self.witness = witness
    self.execution = execution
  }
}

/// A second-stage transaction: it spends one output of the commitment, whose outpoint is known once that is sealed.
public struct ChildTemplate: Hashable, Sendable {
  public var version: UInt32
  public var lockTime: UInt32
  public var sequence: UInt32
  /// What the other side signs for it.
  public var counterSignature: SignatureSlot
  public var outputs: [ChildOutput]
  /// The weight that its fee is counted by, in the words of the specification that it follows.
  public var expectedWeight: Weight

  public init(
    version: UInt32, lockTime: UInt32, sequence: UInt32, counterSignature: SignatureSlot, outputs: [ChildOutput],
    expectedWeight: Weight
  ) {
    self.version = version
    self.lockTime = lockTime
    self.sequence = sequence
    self.counterSignature = counterSignature
    self.outputs = outputs
    self.expectedWeight = expectedWeight
  }

  /// The unsigned transaction that spends `outPoint`.
  public func transaction(spending outPoint: OutPoint) -> Transaction {
    Transaction(
      version: version, inputs: [TxInput(previousOutput: outPoint, sequence: sequence)],
      outputs: outputs.map { TxOutput(value: $0.value, scriptPubKey: $0.lock.scriptPubKey) }, lockTime: lockTime)
  }
}

/// An output of a second-stage transaction, which again carries every way to spend it.
public struct ChildOutput: Hashable, Sendable {
  public var value: Satoshi
  public var lock: OutputLock
  public var paths: [SpendPath]

  public init(value: Satoshi, lock: OutputLock, paths: [SpendPath]) {
    self.value = value
    self.lock = lock
    self.paths = paths
  }
}
