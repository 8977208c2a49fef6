internal import Bitcoin
internal import Encoding
internal import GLC
internal import Hashing
internal import Secp256k1

/// The HTLC outputs of one commitment: a member's number is its place in the ledger.
struct HTLCOutputs: OutputFamily {
  let holder: Party
  let entries: [HTLCEntry]
  let scripts: HTLCScripts
  let child: HTLCSecondStage

  func lock(of member: Int) -> OutputLock {
    var writer = ByteWriter(reservingCapacity: HTLCScripts.largestByteCount)
    writeWitnessScript(of: member, to: &writer)
    return .witnessScript(Script(writer.bytes))
  }

  func paths(of member: Int) -> [SpendPath] {
    let entry = entries[member]
    let isOffered = entry.offeredBy == holder
    let byteCount = scripts.byteCount(entry, isOffered: isOffered)
    return isOffered
      ? child.offeredPaths(entry, scriptByteCount: byteCount)
      : child.receivedPaths(entry, scriptByteCount: byteCount)
  }

  func writeWitnessScript(of member: Int, to writer: inout ByteWriter) {
    let entry = entries[member]
    scripts.write(entry, isOffered: entry.offeredBy == holder, to: &writer)
  }

  func hasSecondStage(_ member: Int, signedBy signer: Side) -> Bool { signer == .counterparty }

  func secondStage(of member: Int, signedBy signer: Side) -> SecondStageSketch? {
    guard signer == .counterparty else { return nil }
    let entry = entries[member]
    return child.sketch(entry, isOffered: entry.offeredBy == holder)
  }
}

/// The witness scripts of one commitment's HTLC outputs: they differ in the payment hash and, when received, in the expiry.
struct HTLCScripts {
  /// The first block of SHA-256, which all of them begin with, and the hash state behind it.
  private let firstBlock: [UInt8]
  private let midstate: SHA256
  /// What follows up to the payment hash.
  private let offeredHead: [UInt8]
  private let receivedHead: [UInt8]
  /// What follows the payment hash.
  private let offeredTail: [UInt8]
  private let receivedMiddle: [UInt8]
  /// What follows the expiry.
  private let receivedTail: [UInt8]

  /// With an expiry of five bytes.
  static let largestByteCount = 160

  init(_ context: CommitmentContext, _ format: HTLCExtension.Format) throws(DraftError) {
    let revocationKey = try context.keys(DelayedOutput.revocationKey)
    let holderKey = try context.keys(HTLCExtension.holderKey)
    let counterpartyKey = try context.keys(HTLCExtension.counterpartyKey)
    // OP_DUP OP_HASH160 <RIPEMD160(SHA256(revocationpubkey))> OP_EQUAL OP_IF OP_CHECKSIG OP_ELSE <remote_htlcpubkey> OP_SWAP
    // OP_SIZE 32 OP_EQUAL: 66 bytes.
    let common = Script(reservingCapacity: 66) {
      $0.append(.dup)
      $0.append(.hash160)
      $0.append(push: hash160(revocationKey.bytes))
      $0.append(.equal)
      $0.append(.if)
      $0.append(.checkSig)
      $0.append(.else)
      $0.append(push: counterpartyKey)
      $0.append(.swap)
      $0.append(.size)
      $0.append(number: 32)
      $0.append(.equal)
    }.bytes
    firstBlock = Array(common[..<64])
    var state = SHA256()
    state.update(firstBlock)
    midstate = state

    var offered = Script(reservingCapacity: 48) { $0.bytes.append(contentsOf: common[64...]) }
    offered.append(.notIf)
    // To local node via HTLC-timeout transaction: OP_DROP 2 OP_SWAP <local_htlcpubkey> 2 OP_CHECKMULTISIG
    offered.append(.drop)
    offered.append(.op2)
    offered.append(.swap)
    offered.append(push: holderKey)
    offered.append(.op2)
    offered.append(.checkMultiSig)
    offered.append(.else)
    // To remote node with preimage: OP_HASH160 <RIPEMD160(payment_hash)> OP_EQUALVERIFY OP_CHECKSIG
    offered.append(.hash160)
    offered.bytes.append(20)
    offeredHead = offered.bytes

    var received = Script(reservingCapacity: 8) { $0.bytes.append(contentsOf: common[64...]) }
    received.append(.if)
    // To local node via HTLC-success transaction: OP_HASH160 <RIPEMD160(payment_hash)> OP_EQUALVERIFY
    // 2 OP_SWAP <local_htlcpubkey> 2 OP_CHECKMULTISIG
    received.append(.hash160)
    received.bytes.append(20)
    receivedHead = received.bytes
    var middle = Script(reservingCapacity: 48) { _ in }
    middle.append(.equalVerify)
    middle.append(.op2)
    middle.append(.swap)
    middle.append(push: holderKey)
    middle.append(.op2)
    middle.append(.checkMultiSig)
    middle.append(.else)
    // To remote node after timeout: OP_DROP <cltv_expiry> OP_CHECKLOCKTIMEVERIFY OP_DROP OP_CHECKSIG
    middle.append(.drop)
    receivedMiddle = middle.bytes

    offeredTail = Self.tail([.equalVerify, .checkSig], format)
    receivedTail = Self.tail([.checkLockTimeVerify, .drop, .checkSig], format)
  }

  private static func tail(_ opcodes: [Opcode], _ format: HTLCExtension.Format) -> [UInt8] {
    Script(reservingCapacity: 8) {
      for opcode in opcodes { $0.append(opcode) }
      $0.append(.endIf)
      if format.delaysOneBlock { for opcode in [Opcode.op1, .checkSequenceVerify, .drop] { $0.append(opcode) } }
      $0.append(.endIf)
    }.bytes
  }

  /// SHA-256 of the script.
  func hash(_ entry: HTLCEntry, isOffered: Bool) -> Bytes32 {
    var rest = FixedByteWriter<96>()
    writeRest(entry, isOffered: isOffered, to: &rest)
    var state = midstate
    state.update(rest.bytes)
    return state.finish()
  }

  func write(_ entry: HTLCEntry, isOffered: Bool, to writer: inout ByteWriter) {
    var rest = FixedByteWriter<96>()
    writeRest(entry, isOffered: isOffered, to: &rest)
    writer.write(firstBlock)
    writer.write(rest.bytes)
  }

  func byteCount(_ entry: HTLCEntry, isOffered: Bool) -> Int {
    var rest = FixedByteWriter<96>()
    writeRest(entry, isOffered: isOffered, to: &rest)
    return firstBlock.count + rest.count
  }

  private func writeRest(_ entry: HTLCEntry, isOffered: Bool, to writer: inout FixedByteWriter<96>) {
    writer.write((isOffered ? offeredHead : receivedHead).bytes)
    writer.write(entry.scriptHash.bytes)
    if isOffered {
      writer.write(offeredTail.bytes)
    } else {
      writer.write(receivedMiddle.bytes)
      writer.write(push: entry.cltvExpiry)
      writer.write(receivedTail.bytes)
    }
  }
}
