internal import Bitcoin
internal import Encoding
internal import GLC
internal import Secp256k1

/// The PTLC outputs of one commitment, of the scheme with a single signer: a member's number is its place in `entries`. What
/// `PTLCContracts` says at length, this says in short.
struct PTLCOutputs: OutputFamily {
  private struct Keys {
    /// Of the pre-signature, bound to the point.
    let presigner: PublicKey
    /// The x coordinate of the output's.
    let output: Bytes32
  }

  private let contracts: PTLCContracts
  private let entries: [PTLCEntry]
  private let scripts: PTLCScripts
  private let keys: [Keys]
  private let delayedScript: FixedBytes<34>
  private let payoutScript: FixedBytes<34>

  init(_ contracts: PTLCContracts, _ entries: [PTLCEntry]) throws(DraftError) {
    self.contracts = contracts
    self.entries = entries
    let scripts = try PTLCScripts(contracts)
    self.scripts = scripts
    guard let delayed = try? FixedBytes<34>(contracts.delayed.lock.scriptPubKey.bytes),
      let payout = try? FixedBytes<34>(contracts.payout.lock.scriptPubKey.bytes)
    else { throw .refused(PTLCExtension.id, "a second stage to an output that is not taproot") }
    delayedScript = delayed
    payoutScript = payout
    // Each costs two operations on the curve.
    keys = try Workers.all.map(entries.count, smallestPiece: 4) { (range) throws(DraftError) -> [Keys] in
      var keys: [Keys] = []
      keys.reserveCapacity(range.count)
      for entry in entries[range] {
        let presigner = try contracts.context.keys(contracts.successSlot(entry))
        keys.append(
          Keys(
            presigner: presigner,
            output: try scripts.outputKey(entry, isOffered: contracts.isOffered(entry), presigner: presigner)))
      }
      return keys
    }
  }

  func outputKey(of member: Int) -> Bytes32 { keys[member].output }

  private func output(of member: Int) -> (lock: OutputLock, paths: [SpendPath]) {
    // Every key was resolved when the family was made.
    (try? contracts.contract(entries[member]).make(contracts.context.keys))
      ?? (OutputLock(scriptPubKey: Script(), reveal: .nothing), [])
  }

  func lock(of member: Int) -> OutputLock { output(of: member).lock }
  func paths(of member: Int) -> [SpendPath] { output(of: member).paths }
  func writeWitnessScript(of member: Int, to writer: inout ByteWriter) {}

  /// What the holder takes, either way; and what the counterparty takes of the holder's offers.
  func hasSecondStage(_ member: Int, signedBy signer: Side) -> Bool {
    signer == .counterparty || contracts.isOffered(entries[member])
  }

  func secondStage(of member: Int, signedBy signer: Side) -> SecondStageSketch? {
    let entry = entries[member]
    let isOffered = contracts.isOffered(entry)
    guard signer == .counterparty || isOffered else { return nil }
    if isOffered, signer == .counterparty {
      return SecondStageSketch(
        version: contracts.version, lockTime: entry.expiry, sequence: contracts.sequence,
        counterSignature: contracts.timeoutSlot, leaf: scripts.offeredTimeout, value: entry.amount.satoshiRoundedDown,
        scriptPubKey: delayedScript)
    }
    let presigner = keys[member].presigner
    return SecondStageSketch(
      version: contracts.version, lockTime: 0, sequence: contracts.sequence,
      counterSignature: contracts.successSlot(entry), boundKey: presigner,
      leaf: scripts.success(isOffered: isOffered, presigner: presigner), value: entry.amount.satoshiRoundedDown,
      scriptPubKey: isOffered ? payoutScript : delayedScript)
  }
}

/// The leaves of PTLC outputs, which differ in the key that is bound to the point and, when received, in the expiry: their hashes, without
/// taking memory for each.
private struct PTLCScripts {
  private let revocationKey: XOnlyPublicKey
  /// Every offered PTLC has the same leaf for its timeout.
  let offeredTimeout: Bytes32
  /// What follows the key of the pre-signature.
  private let offeredSuccessTail: [UInt8]
  private let receivedSuccessTail: [UInt8]
  private let receivedTimeoutHead: [UInt8]

  init(_ contracts: PTLCContracts) throws(DraftError) {
    let keys = contracts.context.keys
    revocationKey = try keys(DelayedOutput.revocationKey).xOnly.key
    let holder = try keys(PTLCExtension.holderKey).xOnly.key
    let counterparty = try keys(PTLCExtension.counterpartyKey).xOnly.key
    let waits = contracts.parameters.delaysOneBlock
    func checked(_ key: XOnlyPublicKey, isLast: Bool) -> Script {
      Script(reservingCapacity: 40) {
        $0.append(push: key)
        $0.append(isLast && !waits ? .checkSig : .checkSigVerify)
        guard waits, isLast else { return }
        $0.append(.op1)
        $0.append(.checkSequenceVerify)
      }
    }
    let both = checked(counterparty, isLast: false).bytes + checked(holder, isLast: true).bytes
    offeredTimeout = TapLeaf.hash(of: both.bytes)
    offeredSuccessTail = [Opcode.checkSigVerify.rawValue] + checked(counterparty, isLast: true).bytes
    receivedSuccessTail = [Opcode.checkSigVerify.rawValue] + checked(holder, isLast: true).bytes
    var head = checked(counterparty, isLast: waits)
    if waits { head.append(.verify) }
    receivedTimeoutHead = head.bytes
  }

  func success(isOffered: Bool, presigner: PublicKey) -> Bytes32 {
    var script = FixedByteWriter<72>()
    script.write(32 as UInt8)
    script.write(presigner.xOnly.key.x)
    script.write((isOffered ? offeredSuccessTail : receivedSuccessTail).bytes)
    return TapLeaf.hash(of: script.bytes)
  }

  private func timeout(_ entry: PTLCEntry, isOffered: Bool) throws(DraftError) -> Bytes32 {
    if isOffered { return offeredTimeout }
    // A script that verifies 0 can never be taken.
    guard entry.expiry > 0 else { throw .refused(PTLCExtension.id, "a PTLC that expires at height 0") }
    var script = FixedByteWriter<48>()
    script.write(receivedTimeoutHead.bytes)
    script.write(push: entry.expiry)
    script.write(Opcode.checkLockTimeVerify.rawValue)
    return TapLeaf.hash(of: script.bytes)
  }

  func outputKey(_ entry: PTLCEntry, isOffered: Bool, presigner: PublicKey) throws(DraftError) -> Bytes32 {
    let root = TapTree.branchHash(
      try timeout(entry, isOffered: isOffered), success(isOffered: isOffered, presigner: presigner))
    do {
      return try revocationKey.tweaked(by: TaprootOutput.tweak(internalKey: revocationKey, merkleRoot: root)).key.x
    } catch {
      throw .unusableKey(DelayedOutput.revocationKey)
    }
  }
}
