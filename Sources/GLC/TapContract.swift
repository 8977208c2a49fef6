public import Bitcoin
public import Encoding
public import Secp256k1

/// A taproot output, described by the ways to spend it. The scripts, the tree, the witnesses, the conditions and the weights follow from the
/// description, so that they cannot disagree.
///
///     TapContract(
///       keyPath: .key(DelayedOutput.revocationKey, name: "revoke", when: SpendConditions(revoked: true)),
///       branches: [TapBranch("delayed", by: .holder, [.signature(DelayedOutput.delayedKey), .age(144)])])
public struct TapContract: Sendable {
  public enum KeyPath: Sendable {
    /// The key's owner can spend at once, or once the conditions hold that this key can be known by.
    case key(KeyRef, name: String, when: SpendConditions)
    /// Nobody can: the x coordinate of a point whose discrete logarithm nobody knows.
    case unspendable(Bytes32)
    /// Both sides together, once: by a second stage that they have signed before.
    indirect case together(Together)
  }

  /// A key path that belongs to both sides: their keys of one role aggregated (MuSig2) and bound to a point. What they have signed, up to
  /// the point's discrete logarithm, is one second stage, which one of them takes.
  public struct Together: Sendable {
    public var name: String
    public var spender: Side
    public var role: KeyRole
    public var sighash: SighashType
    public var point: PublicKey
    public var child: TapBranch.Child

    public init(
      _ name: String, by spender: Side, _ role: KeyRole, _ sighash: SighashType, upTo point: PublicKey,
      child: TapBranch.Child
    ) {
      self.name = name
      self.spender = spender
      self.role = role
      self.sighash = sighash
      self.point = point
      self.child = child
    }

    /// What the other side hands over.
    var slot: SignatureSlot { .musigAdaptor(KeyRef(role, spender.other), sighash, point: point) }

    var path: SpendPath {
      var conditions = SpendConditions(secret: SecretID(kind: .point, value: point.xOnly.key.x))
      child.addConditions(to: &conditions)
      let witness: [WitnessElement] = [.counterSignature(slot)]
      return SpendPath(
        name, by: spender, when: conditions, witness: witness,
        execution: .presigned(child.template(slot, witnessWeight: 1 + witness[0].tapWeight)))
    }
  }

  public var keyPath: KeyPath
  /// From left to right: two are siblings, of more the first is nearest to the root.
  public var branches: [TapBranch]

  public init(keyPath: KeyPath, branches: [TapBranch]) {
    self.keyPath = keyPath
    self.branches = branches
  }
}

/// One leaf: who can take it, and what it asks for.
public struct TapBranch: Sendable {
  /// What the script checks. Each check but the last leaves nothing on the stack.
  public enum Check: Hashable, Sendable {
    /// The 32-byte preimage of a SHA-256 hash, of which the script holds the RIPEMD-160.
    case preimage(SecretID, Bytes20)
    /// The spender's signature.
    case signature(KeyRef, SighashType = .default)
    /// A signature that the other side makes beforehand.
    case counterSignature(SignatureSlot)
    /// So many confirmations (OP_CHECKSEQUENCEVERIFY), at least one.
    case age(UInt16)
    /// A height of the chain (OP_CHECKLOCKTIMEVERIFY), at least one.
    case height(UInt32)
    /// Nothing: the key is shown on the chain by whoever takes the leaf. Never the last.
    case reveal(KeyRef)
  }

  /// A second stage that the other side signs.
  public struct Child: Sendable {
    public var version: UInt32
    /// 0 for none, or the height that it waits for.
    public var lockTime: UInt32
    /// 0 for none, or the confirmations that it waits for.
    public var sequence: UInt32
    public var outputs: [ChildOutput]

    public init(version: UInt32, lockTime: UInt32, sequence: UInt32, outputs: [ChildOutput]) {
      self.version = version
      self.lockTime = lockTime
      self.sequence = sequence
      self.outputs = outputs
    }
  }

  public var name: String
  public var spender: Side
  public var checks: [Check]
  /// Where the leaf leads to, when that is fixed: its counter-signature covers this transaction.
  public var child: Child?

  public init(_ name: String, by spender: Side, _ checks: [Check], child: Child? = nil) {
    self.name = name
    self.spender = spender
    self.checks = checks
    self.child = child
  }
}

extension TapBranch {
  public func script(_ keys: CommitmentKeys) throws(DraftError) -> Script {
    var script = Script(reservingCapacity: 120) { _ in }
    for (index, check) in checks.enumerated() {
      let isLast = index == checks.count - 1
      switch check {
      case .preimage(_, let hash):
        script.append(.size)
        script.append(number: 32)
        script.append(.equalVerify)
        script.append(.hash160)
        script.append(push: hash)
        script.append(isLast ? .equal : .equalVerify)
      case .signature(let ref, _): script.append(signature: try keys(ref), isLast: isLast)
      case .counterSignature(let slot): script.append(signature: try keys(slot), isLast: isLast)
      case .age(let age):
        // A script that ends with 0 on the stack, or verifies it, can never be taken.
        guard age > 0 else { throw .refused(.core, "\(name): a wait of no blocks") }
        script.append(number: Int64(age))
        script.append(.checkSequenceVerify)
        if !isLast { script.append(.verify) }
      case .height(let height):
        guard height > 0 else { throw .refused(.core, "\(name): a wait for height 0") }
        script.append(number: Int64(height))
        script.append(.checkLockTimeVerify)
        if !isLast { script.append(.verify) }
      case .reveal(let ref):
        script.append(push: try keys(ref).xOnly.key)
        script.append(.drop)
      }
    }
    return script
  }

  var conditions: SpendConditions {
    var conditions = SpendConditions()
    for check in checks {
      switch check {
      case .preimage(let id, _): conditions.secret = id
      case .counterSignature(.adaptor(_, _, let point)):
        conditions.secret = SecretID(kind: .point, value: point.xOnly.key.x)
      case .age(let age): conditions.age = age
      case .height(let height): conditions.height = height
      case .signature(let ref, _):
        if ref.role.derivation == .revocation { conditions.revoked = true }
      case .counterSignature, .reveal: break
      }
    }
    child?.addConditions(to: &conditions)
    return conditions
  }

  /// What a script consumes last lies deepest.
  private var inputs: [WitnessElement] {
    checks.reversed().compactMap { check in
      switch check {
      case .preimage: .secret
      case .signature(let ref, let type): .signature(ref, type)
      case .counterSignature(let slot): .counterSignature(slot)
      case .age, .height, .reveal: nil
      }
    }
  }

  private var counterSignature: SignatureSlot? {
    for check in checks { if case .counterSignature(let slot) = check { return slot } }
    return nil
  }

  /// The way to spend that this leaf is, as the tree's leaf of that number.
  func path(leaf: Int, scriptByteCount: Int, depth: Int) throws(DraftError) -> SpendPath {
    let witness = inputs + [.tapLeaf(leaf)]
    // Count, what the script takes, the script, and the control block: 33 bytes and a hash for each level.
    var weight: UInt64 = 1
    for element in inputs { weight += element.tapWeight }
    weight += UInt64((scriptByteCount < 0xfd ? 1 : 3) + scriptByteCount + 1 + 33 + 32 * depth)
    let execution: SpendPath.Execution
    if let child {
      guard let slot = counterSignature else {
        throw .refused(.core, "\(name): a second stage that the other side does not sign")
      }
      execution = .presigned(child.template(slot, witnessWeight: weight))
    } else {
      execution = .free(witnessWeight: Weight(weight))
    }
    return SpendPath(name, by: spender, when: conditions, witness: witness, execution: execution)
  }
}

extension TapBranch.Child {
  fileprivate func addConditions(to conditions: inout SpendConditions) {
    if lockTime > 0 { conditions.height = lockTime }
    if sequence > 0, sequence <= UInt32(UInt16.max) { conditions.age = UInt16(sequence) }
  }

  fileprivate func template(_ slot: SignatureSlot, witnessWeight: UInt64) -> ChildTemplate {
    // 4 version, 1 count, 41 input, 1 count, 4 lock time, and two bytes that mark a witness.
    var transaction: UInt64 = 4 * 51 + 2
    for output in outputs { transaction += output.lock.outputWeight.rawValue }
    return ChildTemplate(
      version: version, lockTime: lockTime, sequence: sequence, counterSignature: slot, outputs: outputs,
      expectedWeight: Weight(transaction + witnessWeight))
  }
}

extension WitnessElement {
  /// With its length. Schnorr signatures have 64 bytes, and one more unless they sign with the default type.
  fileprivate var tapWeight: UInt64 {
    switch self {
    case .signature(_, let type): type == .default ? 65 : 66
    case .counterSignature(let slot): slot.sighashType == .default ? 65 : 66
    case .secret: 33
    default: 0
    }
  }
}

extension TapContract {
  /// The output and every way to spend it: the key path first, then the branches in their order.
  public func make(_ keys: CommitmentKeys) throws(DraftError) -> (lock: OutputLock, paths: [SpendPath]) {
    let internalKey: XOnlyPublicKey
    var paths: [SpendPath] = []
    switch keyPath {
    case .key(let ref, let name, let conditions):
      internalKey = try keys(ref).xOnly.key
      paths.append(
        SpendPath(
          name, by: ref.side, when: conditions, witness: [.signature(ref, .default)],
          execution: .free(witnessWeight: Weight(1 + 65))))
    case .unspendable(let x):
      guard let key = try? XOnlyPublicKey(copying: x.bytes) else {
        throw .refused(.core, "an unspendable key that is no point")
      }
      internalKey = key
    case .together(let together):
      internalKey = try keys.paired(together.role, boundTo: together.point).xOnlyPublicKey
      paths.append(together.path)
    }
    var scripts: [Script] = []
    for branch in branches { scripts.append(try branch.script(keys)) }
    var tree: TapTree?
    for script in scripts.reversed() {
      let leaf = TapTree.leaf(TapLeaf(script: script))
      tree = tree.map { .branch(leaf, $0) } ?? leaf
    }
    let output: TaprootOutput
    do { output = try TaprootOutput(internalKey: internalKey, tree: tree) } catch {
      throw .refused(.core, "\(error)")
    }
    for (index, branch) in branches.enumerated() {
      paths.append(
        try branch.path(
          leaf: index, scriptByteCount: scripts[index].count, depth: output.paths[index].hashes.count))
    }
    return (.taproot(output), paths)
  }
}

extension Script {
  fileprivate mutating func append(signature key: PublicKey, isLast: Bool) {
    append(push: key.xOnly.key)
    append(isLast ? .checkSig : .checkSigVerify)
  }
}
