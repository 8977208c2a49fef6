public import Bitcoin

/// Who can spend the funding output, and how.
public protocol FundingScheme: Sendable {
  static var id: ExtensionID { get }
  /// For people: `musig2-funding`.
  static var name: String { get }
  /// The keys that it needs: the funding keys of both sides.
  var keys: [KeyRef] { get }
  /// The funding output's lock.
  func lock(_ keys: CommitmentKeys) throws(DraftError) -> OutputLock
  /// The expected weight of the witness that spends it, with its count and its script, as the specification counts it, including
  /// the two bytes that mark a transaction with witness.
  var expectedWitnessWeight: Weight { get }
  /// What the counterparty signs for the holder.
  var counterSignature: SignatureSlot { get }
  /// The witness of the commitment's single input.
  func witness(_ keys: CommitmentKeys) throws(DraftError) -> [WitnessElement]
  /// What the outputs of commitments are locked with.
  var scripts: ScriptBackend { get }
}

extension FundingScheme {
  public var scripts: ScriptBackend { .witnessScript }

  /// Whether both sides make one signature together (MuSig2), for which each needs a nonce of the other's.
  public var signsTogether: Bool { if case .musigPartial = counterSignature { true } else { false } }
}

/// A rearrangement of a draft that moves no value.
public protocol DraftTransform: Sendable {
  static var id: ExtensionID { get }
  func transform(_ draft: inout CommitmentDraft)
}
