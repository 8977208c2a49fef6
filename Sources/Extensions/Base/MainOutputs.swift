public import Bitcoin
public import Encoding
public import GLC

/// `to_local` and `to_remote`: what is not in any contract, paid out to each side (BOLT 3 §Commitment Transaction Outputs).
public struct MainOutputs: ChannelExtension {
  public static let id = ExtensionID(rawValue: 0x0200)

  /// What `to_remote` looks like, and with taproot also `to_local`.
  public enum RemoteFormat: UInt8, Hashable, Sendable {
    /// P2WPKH to a key that changes with every commitment: channels from before `option_static_remotekey`.
    case perCommitment = 0
    /// P2WPKH to the payment basepoint (`option_static_remotekey`), or a taproot key path (`taproot_zero_fee_commitments`).
    case fixed = 1
    /// P2WSH or a taproot leaf to the payment basepoint, after one confirmation (`option_anchors`, `option_simple_taproot`).
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

  /// Where each side has an output to raise the fee with, everything else waits a block (`option_anchors`).
  public func propose(for setting: StackSetting) -> Parameters {
    Parameters(remoteFormat: setting.feeBumping == .ownOutputs ? .fixedAfterOneBlock : .fixed)
  }

  /// BOLT 3 §Fee Calculation assumes that there are always both outputs: 43 bytes of P2WSH, and 31 of P2WPKH or again 43.
  public func fixedWeight(_ parameters: Parameters, in scripts: ScriptBackend) -> Weight {
    scripts == .witnessScript && parameters.remoteFormat != .fixedAfterOneBlock
      ? Weight(4 * (43 + 31)) : Weight(4 * (43 + 43))
  }

  public func contribute(
    _ ledger: Nothing, _ parameters: Parameters, to draft: inout CommitmentDraft
  ) throws(DraftError) {
    let toHolder = draft.balance(of: .holder)
    if draft.isUntrimmed(toHolder) {
      let (lock, paths) = try holder(draft, parameters)
      draft.add(DraftOutput(tag: .balance(of: .holder), value: toHolder, lock: lock, paths: paths))
    }
    let toCounterparty = draft.balance(of: .counterparty)
    if draft.isUntrimmed(toCounterparty) {
      let (lock, paths) = try remote(draft, parameters)
      draft.add(DraftOutput(tag: .balance(of: .counterparty), value: toCounterparty, lock: lock, paths: paths))
    }
  }

  private func holder(
    _ draft: CommitmentDraft, _ parameters: Parameters
  ) throws(DraftError) -> (OutputLock, [SpendPath]) {
    guard case .taproot(let unspendable) = draft.scripts, parameters.remoteFormat == .fixedAfterOneBlock else {
      return try DelayedOutput.make(draft.context, in: draft.scripts)
    }
    // Taproot channels §To Local Outputs: whoever takes it shows the keys that anchors depend on, so that anyone can sweep those.
    return try TapContract(
      keyPath: .unspendable(unspendable),
      branches: [
        DelayedOutput.delayedBranch(draft.context),
        // <local_delayedpubkey> OP_DROP <revocation_pubkey> OP_CHECKSIG
        TapBranch(
          "revoke", by: .counterparty,
          [.reveal(DelayedOutput.delayedKey), .signature(DelayedOutput.revocationKey)]),
      ]
    ).make(draft.context.keys)
  }

  private func remote(
    _ draft: CommitmentDraft, _ parameters: Parameters
  ) throws(DraftError) -> (OutputLock, [SpendPath]) {
    let ref = parameters.remoteKey
    if case .taproot(let unspendable) = draft.scripts {
      // Taproot channels §To Remote Outputs: <remotepubkey> OP_CHECKSIGVERIFY 1 OP_CHECKSEQUENCEVERIFY; in version 3 the key alone.
      let contract =
        parameters.remoteFormat == .fixedAfterOneBlock
        ? TapContract(
          keyPath: .unspendable(unspendable),
          branches: [TapBranch("direct", by: .counterparty, [.signature(ref), .age(1)])])
        : TapContract(keyPath: .key(ref, name: "direct", when: .none), branches: [])
      return try contract.make(draft.context.keys)
    }
    let key = try draft.context.keys(ref)
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
