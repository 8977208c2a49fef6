import Bitcoin
import Encoding
import GLC
import GLCTesting
import Secp256k1

/// A toy, made as anybody would make one: value that its owner puts aside until a height. Either the other party releases it before,
/// or, on the chain, the owner takes it from that height on. With a flaw, it breaks one of its promises.
struct TimeLock: ChannelExtension {
  enum Flaw: String, CaseIterable {
    case none, scriptDisagrees, wrongWeight, childNotSpendable, leaksValue, losesField, wrongSummary, opensTooEarly,
      lockTimeIgnored
  }

  static let id = ExtensionID(rawValue: 0x7f00)
  static let ownKey = KeyRole(Basepoint(rawValue: 100), .perCommitment)

  var flaw = Flaw.none
  /// Whether the output that the owner waits for is a leaf of a taproot output that has no other way to be spent.
  var usesTaproot = false

  /// BIP 341's point whose discrete logarithm nobody knows.
  static let nobody = try? XOnlyPublicKey(hex: "50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0")

  struct Parameters: BinaryCodable {
    /// What one party may put aside at most.
    var limit = MilliSatoshi(500_000_000)

    init() {}
    init(from reader: inout ByteReader) throws(DecodingError) { limit = MilliSatoshi(try reader.readUInt64()) }
    func encode(to writer: inout ByteWriter) { writer.write(limit.rawValue) }
  }

  func propose(for setting: StackSetting) -> Parameters { Parameters() }

  struct Lock: BinaryCodable {
    var id: UInt32
    var owner: Party
    var amount: MilliSatoshi
    var height: UInt32
    var keepsHeight = true

    init(id: UInt32, owner: Party, amount: MilliSatoshi, height: UInt32) {
      self.id = id
      self.owner = owner
      self.amount = amount
      self.height = height
    }

    init(from reader: inout ByteReader) throws(DecodingError) {
      id = try reader.readUInt32()
      guard let owner = Party(rawValue: try reader.readUInt8()) else { throw .malformed("unknown party") }
      self.owner = owner
      amount = MilliSatoshi(try reader.readUInt64())
      height = try reader.readUInt32()
    }

    func encode(to writer: inout ByteWriter) {
      writer.write(id)
      writer.write(owner.rawValue)
      writer.write(amount.rawValue)
      writer.write(keepsHeight ? height : 0)
    }
  }

  struct Ledger: BinaryCodable {
    var locks: [Lock] = []

    init() {}
    init(from reader: inout ByteReader) throws(DecodingError) {
      let count = try reader.readCount(minimumSize: 17)
      for _ in 0..<count { locks.append(try Lock(from: &reader)) }
    }
    func encode(to writer: inout ByteWriter) {
      writer.writeCompactSize(locks.count)
      for lock in locks { lock.encode(to: &writer) }
    }
  }

  enum Update: BinaryCodable {
    case put(id: UInt32, amount: MilliSatoshi, height: UInt32)
    case release(id: UInt32)

    init(from reader: inout ByteReader) throws(DecodingError) {
      switch try reader.readUInt8() {
      case 0:
        self = .put(
          id: try reader.readUInt32(), amount: MilliSatoshi(try reader.readUInt64()), height: try reader.readUInt32())
      case 1: self = .release(id: try reader.readUInt32())
      default: throw .malformed("unknown update")
      }
    }
    func encode(to writer: inout ByteWriter) {
      switch self {
      case .put(let id, let amount, let height):
        writer.write(0 as UInt8)
        writer.write(id)
        writer.write(amount.rawValue)
        writer.write(height)
      case .release(let id):
        writer.write(1 as UInt8)
        writer.write(id)
      }
    }
  }

  static func manifest(_ parameters: Parameters) -> Manifest {
    Manifest(
      name: "time-lock", phase: .contracts, messageTypes: [45_180],
      keys: [
        KeyRef(ownKey, .holder), KeyRef(ownKey, .counterparty), DelayedOutput.revocationKey, DelayedOutput.delayedKey,
      ])
  }

  func emptyLedger(_ parameters: Parameters) -> Ledger { Ledger() }
  func lockedValue(_ ledger: Ledger) -> MilliSatoshi { ledger.locks.reduce(.zero) { $0.adding($1.amount) ?? $0 } }

  func validate(
    _ update: Update, by party: Party, in ledger: Ledger, settled: Ledger, _ parameters: Parameters
  ) throws(ProtocolViolation) {
    switch update {
    case .put(let id, let amount, _):
      guard !ledger.locks.contains(where: { $0.id == id && $0.owner == party }) else {
        throw ProtocolViolation(.failChannel, "lock \(id) for the second time")
      }
      let held = ledger.locks.filter { $0.owner == party }.reduce(amount) { $0.adding($1.amount) ?? $0 }
      guard amount > .zero, held <= parameters.limit else {
        throw ProtocolViolation(.failChannel, "too much is locked")
      }
    case .release(let id):
      guard ledger.locks.contains(where: { $0.id == id && $0.owner == party.other }),
        settled.locks.contains(where: { $0.id == id && $0.owner == party.other })
      else { throw ProtocolViolation(.failChannel, "no lock \(id)") }
    }
  }

  func apply(
    _ update: Update, by party: Party, to ledger: inout Ledger, moving balances: inout Balances,
    _ parameters: Parameters
  ) throws(ProtocolViolation) {
    switch update {
    case .put(let id, let amount, let height):
      try balances.debit(party, amount)
      var lock = Lock(id: id, owner: party, amount: amount, height: height)
      lock.keepsHeight = flaw != .losesField
      ledger.locks.append(lock)
    case .release(let id):
      guard let index = ledger.locks.firstIndex(where: { $0.id == id && $0.owner == party.other }) else {
        throw ProtocolViolation(.failChannel, "no lock \(id)")
      }
      try balances.credit(party.other, ledger.locks.remove(at: index).amount)
    }
  }

  func summary(_ ledger: Ledger, _ parameters: Parameters, _ trim: TrimContext) -> ContractSummary {
    let kept = ledger.locks.filter { trim.isUntrimmed($0.amount.satoshiRoundedDown) }
    let count = flaw == .wrongSummary ? kept.count + 1 : kept.count
    return ContractSummary(outputWeight: Weight(172 * UInt64(count)), outputCount: count, trimmed: .zero)
  }

  /// The owner's key, after the height; before that, who punishes. On its own commitment the owner goes through a second stage, so
  /// that there is time to punish.
  func contribute(_ ledger: Ledger, _ parameters: Parameters, to draft: inout CommitmentDraft) throws(DraftError) {
    let context = draft.context
    for lock in ledger.locks where draft.isUntrimmed(lock.amount.satoshiRoundedDown) {
      let value = lock.amount.satoshiRoundedDown
      let tag = OutputTag(Self.id, UInt64(lock.id) << 1 | UInt64(lock.owner.rawValue))
      let side = lock.owner.side(ofCommitmentHeldBy: context.holder)
      let holderKey = try context.keys(KeyRef(Self.ownKey, .holder))
      let counterpartyKey = try context.keys(KeyRef(Self.ownKey, .counterparty))
      if side == .counterparty, usesTaproot, let nobody = Self.nobody {
        let script = Script {
          $0.append(number: Int64(lock.height))
          $0.append(.checkLockTimeVerify)
          $0.append(.drop)
          $0.append(push: counterpartyKey.xOnly.key)
          $0.append(.checkSig)
        }
        guard let output = try? TaprootOutput(internalKey: nobody, tree: .leaf(TapLeaf(script: script))) else {
          throw DraftError.amountOutOfRange
        }
        let path = SpendPath(
          "mature", by: .counterparty, when: SpendConditions(height: lock.height),
          witness: [.signature(KeyRef(Self.ownKey, .counterparty), .default), .tapLeaf(0)],
          execution: .free(witnessWeight: Weight(UInt64(1 + 65 + 1 + script.count + 34))))
        draft.add(DraftOutput(tag: tag, value: value, lock: .taproot(output), paths: [path], tieBreak: lock.height))
        continue
      }
      guard side == .holder else {
        let script = Script {
          if flaw != .opensTooEarly {
            $0.append(number: Int64(lock.height))
            $0.append(.checkLockTimeVerify)
            $0.append(.drop)
          }
          $0.append(push: flaw == .scriptDisagrees ? holderKey : counterpartyKey)
          $0.append(.checkSig)
        }
        let path = SpendPath(
          "mature", by: .counterparty, when: SpendConditions(height: lock.height),
          witness: [.signature(KeyRef(Self.ownKey, .counterparty), .all), .witnessScript],
          execution: .free(
            witnessWeight: Weight(UInt64(1 + 74 + 1 + script.count) + (flaw == .wrongWeight ? 40 : 0))))
        draft.add(
          DraftOutput(tag: tag, value: value, lock: .witnessScript(script), paths: [path], tieBreak: lock.height))
        continue
      }
      let script = Script {
        $0.append(.if)
        $0.append(push: (try? context.keys(DelayedOutput.revocationKey))?.array ?? [])
        $0.append(.checkSig)
        $0.append(.else)
        $0.append(.op2)
        $0.append(push: holderKey)
        $0.append(push: counterpartyKey)
        $0.append(.op2)
        $0.append(.checkMultiSig)
        $0.append(.endIf)
      }
      let delayed = try DelayedOutput.make(context)
      // It pays no fee: whoever publishes it adds one.
      let slot = SignatureSlot.ecdsa(KeyRef(Self.ownKey, .counterparty), .singleAnyoneCanPay)
      let witnessWeight = UInt64(1 + 1 + 74 + 74 + 1 + 1 + script.count)
      let child = ChildTemplate(
        version: 2, lockTime: lock.height, sequence: flaw == .lockTimeIgnored ? 0xffff_ffff : 0,
        counterSignature: slot,
        outputs: [
          ChildOutput(
            value: Satoshi(value.rawValue + (flaw == .leaksValue ? 1 : 0)), lock: delayed.lock, paths: delayed.paths)
        ], expectedWeight: Weight(4 * (10 + 41 + 43) + 2 + witnessWeight))
      draft.add(
        DraftOutput(
          tag: tag, value: value, lock: .witnessScript(script),
          paths: [
            SpendPath(
              "revoke", by: .counterparty, when: SpendConditions(revoked: true),
              witness: [.signature(DelayedOutput.revocationKey, .all), .literal([1]), .witnessScript],
              execution: .free(witnessWeight: Weight(UInt64(1 + 74 + 2 + 1 + script.count)))),
            SpendPath(
              "mature", by: .holder, when: SpendConditions(height: lock.height),
              witness: [
                .literal([]), .signature(KeyRef(Self.ownKey, .holder), .all), .counterSignature(slot),
                .literal(flaw == .childNotSpendable ? [1] : []), .witnessScript,
              ], execution: .presigned(child)),
          ], tieBreak: lock.height))
    }
  }

  func decode(type: UInt16, body: RawSpan) throws(ProtocolViolation) -> Update {
    do { return try Update(decoding: body) } catch { throw ProtocolViolation(.warning, "\(error)") }
  }
  func encode(_ update: Update) -> WireMessage { WireMessage(type: 45_180, body: update.encoded) }
}

/// Locks of random amounts, released by the other side now and then.
struct TimeLockTraffic: SimulatedTraffic {
  let position: Int

  func proposal(by index: Int, in channel: Channel, _ random: inout SeededGenerator) -> UpdateContent? {
    let update = TimeLock.Update.put(
      id: UInt32(random.below(1 << 30)), amount: MilliSatoshi(100_000 + random.below(50_000_000)),
      height: 500 + UInt32(random.below(3)))
    return .extension(position, AnyUpdate(update, of: TimeLock.self))
  }

  func resolution(by index: Int, in channel: Channel, _ random: inout SeededGenerator) -> UpdateContent? {
    guard let settled = channel.fundings[0].base.ledgers[position] as? TypedLedger<TimeLock> else { return nil }
    var released: Set<UInt32> = []
    for entry in channel.log.entries where entry.author == .local {
      guard case .extension(position, let update) = entry.content, case .release(let id) = update.as(TimeLock.self)
      else { continue }
      released.insert(id)
    }
    let open = settled.ledger.locks.filter { $0.owner == .remote && !released.contains($0.id) }
    guard !open.isEmpty else { return nil }
    return .extension(
      position,
      AnyUpdate(.release(id: open[Int(random.below(UInt64(open.count)))].id), of: TimeLock.self))
  }
}
