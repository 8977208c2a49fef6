public import Bitcoin
internal import Encoding
public import GLC
internal import Hashing
internal import Secp256k1

/// `to_local_anchor` and `to_remote_anchor` (`option_anchors`): an output of 330 satoshi for each side that has something at stake,
/// so that it can raise the fee with a child transaction.
public struct Anchors: ChannelExtension {
  public static let id = ExtensionID(rawValue: 0x0300)
  /// BOLT 3: the amount of the output is fixed at 330 sats, the default dust limit for P2WSH.
  public static let value = Satoshi(330)

  public typealias Parameters = Nothing

  public init() {}

  public static func manifest(_ parameters: Nothing) -> Manifest {
    Manifest(
      name: "anchors", phase: .dependents, conflicts: [SharedAnchor.id],
      // Those of witness scripts and those of taproot outputs, which the main outputs have as well.
      keys: [
        KeyRef(.funding, .holder), KeyRef(.funding, .counterparty), tapKey(.holder), tapKey(.counterparty),
      ], feeBumping: .ownOutputs)
  }

  /// Taproot channels §Anchor Outputs: we utilize `local_delayedpubkey` and the `remotepubkey` rather than the multi-sig keys as that's no
  /// longer revealed due to musig2.
  static func tapKey(_ side: Side) -> KeyRef { KeyRef(side == .holder ? .delayedPayment : .payment, side) }

  public static func tag(_ side: Side) -> OutputTag { OutputTag(id, UInt64(side.rawValue)) }

  public func reserve(_ parameters: Nothing) -> Satoshi { Satoshi(2 * Self.value.rawValue) }

  /// Two outputs of 43 bytes, and the two more bytes that BOLT 3 Appendix A counts for the number of outputs (3 instead of 1).
  public func fixedWeight(_ parameters: Nothing, in scripts: ScriptBackend) -> Weight { Weight(4 * (43 + 43 + 2)) }

  /// BOLT 3 §Commitment Transaction Construction: if `to_local` exists or there are untrimmed HTLCs, add a `to_local_anchor`; the
  /// same for `to_remote`.
  public func contribute(_ ledger: Nothing, _ parameters: Nothing, to draft: inout CommitmentDraft) throws(DraftError) {
    guard draft.contractCount > 0 || Side.allCases.contains(where: { draft.contains(.balance(of: $0)) }) else { return }
    guard draft.scripts == .witnessScript else {
      for side in Side.allCases where draft.contractCount > 0 || draft.contains(.balance(of: side)) {
        let (lock, paths) = try tapOutput(side, draft.context)
        draft.add(DraftOutput(tag: Self.tag(side), value: Self.value, lock: lock, paths: paths))
      }
      return
    }
    let outputs = AnchorOutputs(
      holder: try draft.context.keys(KeyRef(.funding, .holder)),
      counterparty: try draft.context.keys(KeyRef(.funding, .counterparty)))
    let family = draft.open(outputs, expectedCount: 2)
    for side in Side.allCases where draft.contractCount > 0 || draft.contains(.balance(of: side)) {
      draft.add(
        Int(side.rawValue), of: family, tag: Self.tag(side), value: Self.value,
        scriptHash: sha256(outputs.script(side).bytes.bytes))
    }
  }

  private func tapOutput(_ side: Side, _ context: CommitmentContext) throws(DraftError) -> (OutputLock, [SpendPath]) {
    // OP_16 OP_CHECKSEQUENCEVERIFY
    let (lock, paths) = try TapContract(
      keyPath: .key(Self.tapKey(side), name: "anchor", when: .none),
      branches: [TapBranch("anyone", by: .holder, [.age(16)])]
    ).make(context.keys)
    // Each side is anyone.
    let others = paths.filter { $0.spender == .holder && $0.conditions.age == 16 }.map { path in
      var path = path
      path.spender = .counterparty
      return path
    }
    return (lock, paths + others)
  }
}

/// Both anchors of one commitment: a member's number is its side's.
private struct AnchorOutputs: OutputFamily {
  let holder: PublicKey
  let counterparty: PublicKey

  private func side(_ member: Int) -> Side { member == 0 ? .holder : .counterparty }

  /// BOLT 3: <funding_pubkey> OP_CHECKSIG OP_IFDUP OP_NOTIF OP_16 OP_CHECKSEQUENCEVERIFY OP_ENDIF. 40 bytes.
  func script(_ side: Side) -> Script {
    Script(reservingCapacity: 40) {
      $0.append(push: side == .holder ? holder : counterparty)
      for opcode in [Opcode.checkSig, .ifDup, .notIf, .op16, .checkSequenceVerify, .endIf] { $0.append(opcode) }
    }
  }

  func lock(of member: Int) -> OutputLock { .witnessScript(script(side(member))) }

  func paths(of member: Int) -> [SpendPath] {
    let side = side(member)
    let scriptByteCount = 40
    let own = SpendPath(
      "anchor", by: side, witness: [.signature(KeyRef(.funding, side), .all), .witnessScript],
      execution: .free(witnessWeight: Weight(UInt64(1 + 74 + 1 + scriptByteCount))))
    // BOLT 3: after 16 blocks, anyone can sweep the anchor with witness <>: each side is anyone.
    let anyone = Side.allCases.map { side in
      SpendPath(
        "anyone", by: side, when: SpendConditions(age: 16), witness: [.literal([]), .witnessScript],
        execution: .free(witnessWeight: Weight(UInt64(1 + 1 + 1 + scriptByteCount))))
    }
    return [own] + anyone
  }

  func writeWitnessScript(of member: Int, to writer: inout ByteWriter) { writer.write(script(side(member)).bytes) }
  func secondStage(of member: Int, signedBy signer: Side) -> SecondStageSketch? { nil }
  func hasSecondStage(_ member: Int, signedBy signer: Side) -> Bool { false }
}
