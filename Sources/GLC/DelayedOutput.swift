public import Bitcoin
internal import Encoding
public import Secp256k1

/// The output that every holder's funds pass through, in the commitment (`to_local`) and behind second-stage transactions: the
/// counterparty takes it at once if the commitment was revoked, the holder after the delay.
///
/// BOLT 3: OP_IF <revocationpubkey> OP_ELSE <to_self_delay> OP_CHECKSEQUENCEVERIFY OP_DROP <local_delayedpubkey> OP_ENDIF OP_CHECKSIG
public enum DelayedOutput {
  public static let revocationKey = KeyRef(.revocation, .counterparty)
  public static let delayedKey = KeyRef(.delayedPayment, .holder)

  public static func script(revocationKey: PublicKey, delay: UInt16, delayedKey: PublicKey) -> Script {
    // 77 or 78 bytes.
    Script(reservingCapacity: 80) {
      $0.append(.if)
      $0.append(push: revocationKey)
      $0.append(.else)
      $0.append(number: Int64(delay))
      $0.append(.checkSequenceVerify)
      $0.append(.drop)
      $0.append(push: delayedKey)
      $0.append(.endIf)
      $0.append(.checkSig)
    }
  }

  public static func script(_ context: CommitmentContext) throws(DraftError) -> Script {
    script(
      revocationKey: try context.keys(revocationKey), delay: context.contestDelay,
      delayedKey: try context.keys(delayedKey))
  }

  /// The lock and the two ways to open it.
  public static func make(
    _ context: CommitmentContext, in scripts: ScriptBackend = .witnessScript
  ) throws(DraftError) -> (lock: OutputLock, paths: [SpendPath]) {
    switch scripts {
    case .witnessScript:
      let script = try script(context)
      return (.witnessScript(script), paths(delay: context.contestDelay, scriptByteCount: script.count))
    case .taproot:
      // Taproot channels, of second-level transactions: we also place the revocation key as the internal key, allowing easy breach
      // sweeps with each party only retaining the specific script root.
      return try TapContract(
        keyPath: .key(revocationKey, name: "revoke", when: SpendConditions(revoked: true)),
        branches: [delayedBranch(context)]
      ).make(context.keys)
    }
  }

  /// <local_delayedpubkey> OP_CHECKSIGVERIFY <to_self_delay> OP_CHECKSEQUENCEVERIFY
  public static func delayedBranch(_ context: CommitmentContext) -> TapBranch {
    TapBranch("delayed", by: .holder, [.signature(delayedKey), .age(context.contestDelay)])
  }

  public static func paths(delay: UInt16, scriptByteCount: Int) -> [SpendPath] {
    [
      SpendPath(
        "revoke", by: .counterparty, when: SpendConditions(revoked: true),
        witness: [.signature(revocationKey, .all), .literal([1]), .witnessScript],
        // Count, signature of at most 72 bytes and its hash type, 1, script.
        execution: .free(witnessWeight: Weight(UInt64(1 + 74 + 2 + 1 + scriptByteCount)))),
      SpendPath(
        "delayed", by: .holder, when: SpendConditions(age: delay),
        witness: [.signature(delayedKey, .all), .literal([]), .witnessScript],
        execution: .free(witnessWeight: Weight(UInt64(1 + 74 + 1 + 1 + scriptByteCount)))),
    ]
  }
}
