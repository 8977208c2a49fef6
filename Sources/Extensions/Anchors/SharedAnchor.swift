public import Bitcoin
internal import Encoding
public import GLC

/// `shared_anchor` (`zero_fee_commitments`): one pay-to-anchor output that anyone can spend, on a version 3 transaction that pays no
/// fee of its own.
public struct SharedAnchor: ChannelExtension {
  public static let id = ExtensionID(rawValue: 0x0302)
  /// The dust limit of a pay-to-anchor output.
  public static let maximumValue = Satoshi(240)
  public static let tag = OutputTag(id, 0)

  public typealias Parameters = Nothing

  public init() {}

  public static func manifest(_ parameters: Nothing) -> Manifest {
    // When using `zero_fee_commitments`, nodes MUST NOT send `update_fee`.
    Manifest(
      name: "shared-anchor", phase: .dependents, conflicts: [Anchors.id], fixesFeeRate: true, feeBumping: .package)
  }

  public func prepare(_ draft: inout CommitmentDraft, _ parameters: Nothing) { draft.version = 3 }

  /// An output of 8 + 1 + 4 bytes.
  public func fixedWeight(_ parameters: Nothing, in scripts: ScriptBackend) -> Weight { Weight(4 * 13) }

  /// If the difference between the commitment transaction input and the sum of all other commitment transaction outputs is smaller
  /// than 240 sat, we set the anchor amount to this value. Otherwise, we set the anchor amount to 240 sat.
  public func contribute(_ ledger: Nothing, _ parameters: Nothing, to draft: inout CommitmentDraft) throws(DraftError) {
    let value = min(try draft.unallocated, Self.maximumValue)
    let paths = Side.allCases.map { side in
      SpendPath("anyone", by: side, witness: [], execution: .free(witnessWeight: Weight(1)))
    }
    draft.add(DraftOutput(tag: Self.tag, value: value, lock: .payToAnchor, paths: paths))
  }
}
