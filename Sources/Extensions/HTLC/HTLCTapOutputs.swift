internal import Bitcoin
internal import Encoding
internal import GLC
internal import Hashing
internal import Secp256k1

/// The HTLC outputs of one commitment as taproot outputs (lightning/bolts#995 §HTLC Scripts & Transactions): a member's number is its
/// place in the ledger. What `contract` says at length, the rest says in short.
struct HTLCTapOutputs: OutputFamily {
  private let context: CommitmentContext
  private let entries: [HTLCEntry]
  private let format: HTLCExtension.Format
  private let version: UInt32
  private let delayed: (lock: OutputLock, paths: [SpendPath])
  private let delayedScript: FixedBytes<34>
  private let timeoutFee: Satoshi
  private let successFee: Satoshi
  private let scripts: HTLCTapScripts

  init(
    _ context: CommitmentContext, _ format: HTLCExtension.Format, version: UInt32, entries: [HTLCEntry],
    in backend: ScriptBackend
  ) throws(DraftError) {
    self.context = context
    self.entries = entries
    self.format = format
    self.version = version
    delayed = try DelayedOutput.make(context, in: backend)
    guard let script = try? FixedBytes<34>(delayed.lock.scriptPubKey.bytes) else {
      throw .refused(HTLCExtension.id, "a second stage to an output that is not taproot")
    }
    delayedScript = script
    timeoutFee = format.childFee(context.feeRate, format.timeoutWeight)
    successFee = format.childFee(context.feeRate, format.successWeight)
    scripts = try HTLCTapScripts(context, format)
  }

  private func isOffered(_ entry: HTLCEntry) -> Bool { entry.offeredBy == context.holder }
  private var counterSignature: SignatureSlot { .schnorr(HTLCExtension.counterpartyKey, format.counterpartySighash) }
  // `sequence`: 1, or 0 for `taproot_zero_fee_commitments`.
  private var sequence: UInt32 { format.delaysOneBlock ? 1 : 0 }
  private func lockTime(_ entry: HTLCEntry) -> UInt32 { isOffered(entry) ? entry.cltvExpiry : 0 }

  private func childValue(_ entry: HTLCEntry) -> Satoshi {
    entry.amount.satoshiRoundedDown.subtracting(isOffered(entry) ? timeoutFee : successFee) ?? .zero
  }

  /// The output at length.
  private func contract(_ entry: HTLCEntry) -> TapContract {
    typealias HTLC = HTLCExtension
    let preimage = TapBranch.Check.preimage(entry.secretID, entry.scriptHash)
    let child = TapBranch.Child(
      version: version, lockTime: lockTime(entry), sequence: sequence,
      outputs: [ChildOutput(value: childValue(entry), lock: delayed.lock, paths: delayed.paths)])
    let timeout: TapBranch
    let success: TapBranch
    if isOffered(entry) {
      // <local_htlcpubkey> OP_CHECKSIGVERIFY <remote_htlcpubkey> OP_CHECKSIG
      timeout = TapBranch(
        "timeout", by: .holder, [.signature(HTLC.holderKey), .counterSignature(counterSignature)], child: child)
      // OP_SIZE 32 OP_EQUALVERIFY OP_HASH160 <RIPEMD160(payment_hash)> OP_EQUALVERIFY <remote_htlcpubkey> OP_CHECKSIGVERIFY
      // 1 OP_CHECKSEQUENCEVERIFY; in version 3 the key comes first and there is nothing to wait for.
      success = TapBranch(
        "success", by: .counterparty,
        format.delaysOneBlock
          ? [preimage, .signature(HTLC.counterpartyKey), .age(1)] : [.signature(HTLC.counterpartyKey), preimage])
    } else {
      // <remote_htlcpubkey> OP_CHECKSIGVERIFY 1 OP_CHECKSEQUENCEVERIFY OP_VERIFY <cltv_expiry> OP_CHECKLOCKTIMEVERIFY
      timeout = TapBranch(
        "timeout", by: .counterparty,
        [.signature(HTLC.counterpartyKey)] + (format.delaysOneBlock ? [.age(1)] : []) + [.height(entry.cltvExpiry)])
      // OP_SIZE 32 OP_EQUALVERIFY OP_HASH160 <RIPEMD160(payment_hash)> OP_EQUALVERIFY <local_htlcpubkey> OP_CHECKSIGVERIFY
      // <remote_htlcpubkey> OP_CHECKSIG
      success = TapBranch(
        "success", by: .holder, [preimage, .signature(HTLC.holderKey), .counterSignature(counterSignature)],
        child: child)
    }
    return TapContract(
      keyPath: .key(DelayedOutput.revocationKey, name: "revoke", when: SpendConditions(revoked: true)),
      branches: [timeout, success])
  }

  private func output(of member: Int) -> (lock: OutputLock, paths: [SpendPath]) {
    // Every key was resolved when the family was made.
    (try? contract(entries[member]).make(context.keys)) ?? (OutputLock(scriptPubKey: Script(), reveal: .nothing), [])
  }

  func lock(of member: Int) -> OutputLock { output(of: member).lock }
  func paths(of member: Int) -> [SpendPath] { output(of: member).paths }
  func writeWitnessScript(of member: Int, to writer: inout ByteWriter) {}
  func hasSecondStage(_ member: Int, signedBy signer: Side) -> Bool { signer == .counterparty }

  // MARK: In short

  /// The x coordinate of a member's output key.
  func outputKey(of member: Int) throws(DraftError) -> Bytes32 {
    let entry = entries[member]
    // A script that verifies 0 can never be taken.
    guard entry.cltvExpiry > 0 else { throw .refused(HTLCExtension.id, "an HTLC that expires at height 0") }
    return try scripts.outputKey(entry, isOffered: isOffered(entry))
  }

  func secondStage(of member: Int, signedBy signer: Side) -> SecondStageSketch? {
    guard signer == .counterparty else { return nil }
    let entry = entries[member]
    return SecondStageSketch(
      version: version, lockTime: lockTime(entry), sequence: sequence, counterSignature: counterSignature,
      leaf: isOffered(entry) ? scripts.offeredTimeout : scripts.receivedSuccess(entry), value: childValue(entry),
      scriptPubKey: delayedScript)
  }
}

/// The leaves of HTLC outputs, which differ in the payment hash and, when received, in the expiry: their hashes, without taking memory for
/// each.
private struct HTLCTapScripts {
  private let revocationKey: XOnlyPublicKey
  /// Every offered HTLC has the same leaf for its timeout.
  let offeredTimeout: Bytes32
  private let successHead: [UInt8]
  private let offeredSuccessHead: [UInt8]
  private let offeredSuccessTail: [UInt8]
  private let receivedSuccessTail: [UInt8]
  private let receivedTimeoutHead: [UInt8]

  init(_ context: CommitmentContext, _ format: HTLCExtension.Format) throws(DraftError) {
    revocationKey = try context.keys(DelayedOutput.revocationKey).xOnly.key
    let holder = try context.keys(HTLCExtension.holderKey).xOnly.key
    let counterparty = try context.keys(HTLCExtension.counterpartyKey).xOnly.key
    func script(_ key: XOnlyPublicKey, _ opcodes: Opcode...) -> Script {
      Script(reservingCapacity: 72) {
        $0.append(push: key)
        for opcode in opcodes { $0.append(opcode) }
      }
    }
    let bothKeys = script(holder, .checkSigVerify).bytes + script(counterparty, .checkSig).bytes
    offeredTimeout = TapLeaf.hash(of: bothKeys.bytes)
    // OP_SIZE 32 OP_EQUALVERIFY OP_HASH160 and the push of 20 bytes.
    let hashLock: [UInt8] = [
      Opcode.size.rawValue, 1, 32, Opcode.equalVerify.rawValue, Opcode.hash160.rawValue, 20,
    ]
    successHead = hashLock
    receivedSuccessTail = [Opcode.equalVerify.rawValue] + bothKeys
    if format.delaysOneBlock {
      offeredSuccessTail =
        [Opcode.equalVerify.rawValue] + script(counterparty, .checkSigVerify, .op1, .checkSequenceVerify).bytes
      offeredSuccessHead = hashLock
      receivedTimeoutHead = script(counterparty, .checkSigVerify, .op1, .checkSequenceVerify, .verify).bytes
    } else {
      offeredSuccessTail = [Opcode.equal.rawValue]
      offeredSuccessHead = script(counterparty, .checkSigVerify).bytes + hashLock
      receivedTimeoutHead = script(counterparty, .checkSigVerify).bytes
    }
  }

  private func hash(_ head: [UInt8], _ entry: HTLCEntry, _ tail: [UInt8]) -> Bytes32 {
    var script = FixedByteWriter<128>()
    script.write(head.bytes)
    script.write(entry.scriptHash.bytes)
    script.write(tail.bytes)
    return TapLeaf.hash(of: script.bytes)
  }

  func receivedSuccess(_ entry: HTLCEntry) -> Bytes32 { hash(successHead, entry, receivedSuccessTail) }

  func outputKey(_ entry: HTLCEntry, isOffered: Bool) throws(DraftError) -> Bytes32 {
    let root: Bytes32
    if isOffered {
      root = TapTree.branchHash(offeredTimeout, hash(offeredSuccessHead, entry, offeredSuccessTail))
    } else {
      var timeout = FixedByteWriter<48>()
      timeout.write(receivedTimeoutHead.bytes)
      timeout.write(push: entry.cltvExpiry)
      timeout.write(Opcode.checkLockTimeVerify.rawValue)
      root = TapTree.branchHash(TapLeaf.hash(of: timeout.bytes), receivedSuccess(entry))
    }
    do {
      return try revocationKey.tweaked(by: TaprootOutput.tweak(internalKey: revocationKey, merkleRoot: root)).key.x
    } catch {
      throw .unusableKey(DelayedOutput.revocationKey)
    }
  }
}
