public import Bitcoin
internal import Encoding
public import GLC
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
      keys: [KeyRef(.funding, .holder), KeyRef(.funding, .counterparty)])
  }

  public static func tag(_ side: Side) -> OutputTag { OutputTag(id, UInt64(side.rawValue)) }

  public func reserve(_ parameters: Nothing) -> Satoshi { Satoshi(2 * Self.value.rawValue) }

  /// Two outputs of 43 bytes, and the two more bytes that BOLT 3 Appendix A counts for the number of outputs (3 instead of 1).
  public func fixedWeight(_ parameters: Nothing) -> Weight { Weight(4 * (43 + 43 + 2)) }

  /// BOLT 3 §Commitment Transaction Construction: if `to_local` exists or there are untrimmed HTLCs, add a `to_local_anchor`; the
  /// same for `to_remote`.
  public func contribute(_ ledger: Nothing, _ parameters: Nothing, to draft: inout CommitmentDraft) throws(DraftError) {
    for side in Side.allCases where draft.contractCount > 0 || draft.contains(.balance(of: side)) {
      let ref = KeyRef(.funding, side)
      // BOLT 3: <funding_pubkey> OP_CHECKSIG OP_IFDUP OP_NOTIF OP_16 OP_CHECKSEQUENCEVERIFY OP_ENDIF
      var script = Script()
      script.append(push: try draft.context.keys(ref))
      for opcode in [Opcode.checkSig, .ifDup, .notIf, .op16, .checkSequenceVerify, .endIf] { script.append(opcode) }
      let own = SpendPath(
        "anchor", by: side, witness: [.signature(ref, .all), .witnessScript],
        execution: .free(witnessWeight: Weight(UInt64(1 + 74 + 1 + script.count))))
      // BOLT 3: after 16 blocks, anyone can sweep the anchor with witness <>: each side is anyone.
      let anyone = Side.allCases.map { side in
        SpendPath(
          "anyone", by: side, when: SpendConditions(age: 16), witness: [.literal([]), .witnessScript],
          execution: .free(witnessWeight: Weight(UInt64(1 + 1 + 1 + script.count))))
      }
      draft.add(
        DraftOutput(tag: Self.tag(side), value: Self.value, lock: .witnessScript(script), paths: [own] + anyone))
    }
  }
}
