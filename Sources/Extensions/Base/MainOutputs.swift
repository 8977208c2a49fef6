public import Bitcoin
public import Encoding
public import GLC

/// `to_local` and `to_remote`: what is not in any contract, paid out to each side (BOLT 3 §Commitment Transaction Outputs).
public struct MainOutputs: ChannelExtension {
  public static let id = ExtensionID(rawValue: 0x0200)

  /// What `to_remote` looks like.
  public enum RemoteFormat: UInt8, Hashable, Sendable {
    /// P2WPKH to a key that changes with every commitment: channels from before `option_static_remotekey`.
    case perCommitment = 0
    /// P2WPKH to the payment basepoint (`option_static_remotekey`).
    case fixed = 1
    /// P2WSH to the payment basepoint, after one confirmation (`option_anchors`).
    case fixedAfterOneBlock = 2
  }

  public struct Parameters: BinaryCodable {
    public var remoteFormat: RemoteFormat

    public init(remoteFormat: RemoteFormat) { self.remoteFormat = remoteFormat }

    public init(from reader: inout ByteReader) throws(DecodingError) {
      guard let format = RemoteFormat(rawValue: try reader.readUInt8()) else {
        throw .malformed("unknown to_remote format")
      }
      remoteFormat = format
    }

    public func encode(to writer: inout ByteWriter) { writer.write(remoteFormat.rawValue) }

    var remoteKey: KeyRef {
      KeyRef(remoteFormat == .perCommitment ? KeyRole(.payment, .perCommitment) : .payment, .counterparty)
    }
  }

  public init() {}

  public static func manifest(_ parameters: Parameters) -> Manifest {
    Manifest(
      name: "main-outputs", phase: .balances,
      keys: [DelayedOutput.revocationKey, DelayedOutput.delayedKey, parameters.remoteKey])
  }

  /// BOLT 3 §Fee Calculation assumes that there are always both outputs: 43 bytes of P2WSH, and 31 of P2WPKH or again 43.
  public func fixedWeight(_ parameters: Parameters) -> Weight {
    Weight(parameters.remoteFormat == .fixedAfterOneBlock ? 4 * (43 + 43) : 4 * (43 + 31))
  }

  public func contribute(
    _ ledger: Nothing, _ parameters: Parameters, to draft: inout CommitmentDraft
  ) throws(DraftError) {
    let toHolder = draft.balance(of: .holder)
    if draft.isUntrimmed(toHolder) {
      let (lock, paths) = try DelayedOutput.make(draft.context)
      draft.add(DraftOutput(tag: .balance(of: .holder), value: toHolder, lock: lock, paths: paths))
    }
    let toCounterparty = draft.balance(of: .counterparty)
    if draft.isUntrimmed(toCounterparty) {
      let (lock, paths) = try remote(draft.context, parameters)
      draft.add(DraftOutput(tag: .balance(of: .counterparty), value: toCounterparty, lock: lock, paths: paths))
    }
  }

  private func remote(
    _ context: CommitmentContext, _ parameters: Parameters
  ) throws(DraftError) -> (OutputLock, [SpendPath]) {
    let ref = parameters.remoteKey
    let key = try context.keys(ref)
    guard parameters.remoteFormat == .fixedAfterOneBlock else {
      let path = SpendPath(
        "direct", by: .counterparty, witness: [.signature(ref, .all), .publicKey(ref)],
        execution: .free(witnessWeight: Weight(1 + 74 + 34)))
      return (.publicKeyHash(key), [path])
    }
    // BOLT 3: <remotepubkey> OP_CHECKSIGVERIFY 1 OP_CHECKSEQUENCEVERIFY
    let script = Script {
      $0.append(push: key)
      $0.append(.checkSigVerify)
      $0.append(.op1)
      $0.append(.checkSequenceVerify)
    }
    let path = SpendPath(
      "direct", by: .counterparty, when: SpendConditions(age: 1), witness: [.signature(ref, .all), .witnessScript],
      execution: .free(witnessWeight: Weight(UInt64(1 + 74 + 1 + script.count))))
    return (.witnessScript(script), [path])
  }
}
