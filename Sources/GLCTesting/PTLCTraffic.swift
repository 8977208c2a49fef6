internal import Bitcoin
internal import Encoding
public import GLC
internal import Hashing
internal import PTLC
internal import Secp256k1

/// Random point-locked payments in both directions, of amounts around every limit.
public struct PTLCTraffic: SimulatedTraffic {
  private var patience: UInt64

  /// - Parameter patience: a payment is resolved at every so manyth opportunity: the higher, the more are open at a time.
  public init(in stack: ChannelStack, patience: UInt64 = 1) {
    self.patience = patience
  }

  /// Where the channel has them now: its stack may change.
  private func position(in channel: Channel) -> Int? {
    channel.stack.extensions.firstIndex { $0.id == PTLCExtension.id }
  }

  /// The scalar of a payment's only offer: known to the simulation, and so to its receiver.
  static func scalar(_ id: UInt64, by index: Int) -> PaymentScalar {
    PaymentScalar(sha256(Array("scalar \(id) by \(index)".utf8)))
  }

  public mutating func proposal(
    by index: Int, in channel: Channel, _ random: inout SeededGenerator
  ) -> UpdateContent? {
    guard let position = position(in: channel) else { return nil }
    let id = channel.nextPTLC(position)
    guard let lock = Self.scalar(id, by: index).point else { return nil }
    let amounts: [UInt64] = [1, 353_999, 354_000, 546_000, 1_000_000, 2_500_000, 20_000_000, 400_000_000]
    let amount = amounts[Int(random.below(UInt64(amounts.count)))] + random.below(1000)
    let update = PTLCUpdate.add(
      id: id, amount: MilliSatoshi(amount), lock: lock, expiry: UInt32(500 + random.below(3)),
      onion: [UInt8](repeating: 7, count: PTLCUpdate.onionByteCount), extra: TLVStream())
    return .extension(position, AnyUpdate(update, of: PTLCExtension.self))
  }

  public mutating func resolution(
    by index: Int, in channel: Channel, _ random: inout SeededGenerator
  ) -> UpdateContent? {
    guard let position = position(in: channel),
      let settled = channel.fundings.first?.base.ledgers[position] as? TypedLedger<PTLCExtension>
    else { return nil }
    let removed = channel.ptlcRemovals(position)
    let open = settled.ledger.entries.filter { $0.offeredBy == .remote && !removed.contains($0.id) }
    guard !open.isEmpty, patience == 1 || random.chance(oneIn: patience) else { return nil }
    let entry = open[Int(random.below(UInt64(open.count)))]
    let update: PTLCUpdate
    switch random.below(5) {
    case 0: update = .fail(id: entry.id, reason: [1, 2, 3], extra: TLVStream())
    case 1: update = .failMalformed(id: entry.id, onionHash: Bytes32(), code: 0x8004, extra: TLVStream())
    default: update = .fulfill(id: entry.id, scalar: Self.scalar(entry.id, by: 1 - index), extra: TLVStream())
    }
    return .extension(position, AnyUpdate(update, of: PTLCExtension.self))
  }

  public mutating func finish() { patience = 1 }

  /// Three of four receivers know their scalar.
  public func secrets(of index: Int, in channel: Channel) -> [SecretID: [UInt8]] {
    var secrets: [SecretID: [UInt8]] = [:]
    guard let position = position(in: channel) else { return [:] }
    for id in 0..<channel.nextPTLC(position, of: .remote) {
      let scalar = Self.scalar(id, by: 1 - index)
      if scalar.raw[31] & 3 != 0, let point = scalar.point { secrets[point.secretID] = scalar.raw.array }
    }
    return secrets
  }
}

/// Payments of both kinds.
public struct MixedPaymentTraffic: SimulatedTraffic {
  private var hashes: HTLCTraffic
  private var points: PTLCTraffic

  public init(in stack: ChannelStack, patience: UInt64 = 1) {
    hashes = HTLCTraffic(in: stack, patience: patience)
    points = PTLCTraffic(in: stack, patience: patience)
  }

  public mutating func proposal(
    by index: Int, in channel: Channel, _ random: inout SeededGenerator
  ) -> UpdateContent? {
    random.chance(oneIn: 2)
      ? hashes.proposal(by: index, in: channel, &random) : points.proposal(by: index, in: channel, &random)
  }

  public mutating func resolution(
    by index: Int, in channel: Channel, _ random: inout SeededGenerator
  ) -> UpdateContent? {
    if random.chance(oneIn: 2) {
      return hashes.resolution(by: index, in: channel, &random) ?? points.resolution(by: index, in: channel, &random)
    }
    return points.resolution(by: index, in: channel, &random) ?? hashes.resolution(by: index, in: channel, &random)
  }

  public mutating func finish() {
    hashes.finish()
    points.finish()
  }

  public func secrets(of index: Int, in channel: Channel) -> [SecretID: [UInt8]] {
    hashes.secrets(of: index, in: channel).merging(points.secrets(of: index, in: channel)) { first, _ in first }
  }
}

extension Channel {
  /// The id of the next offer of a party.
  fileprivate func nextPTLC(_ position: Int, of author: Party = .local) -> UInt64 {
    guard let typed = fundings[0].base.ledgers[position] as? TypedLedger<PTLCExtension> else { return 0 }
    var next = typed.ledger.nextID[author]
    for entry in log.entries where entry.author == author {
      guard case .extension(position, let update) = entry.content,
        case .add(let id, _, _, _, _, _) = update.as(PTLCExtension.self)
      else { continue }
      next = id + 1
    }
    return next
  }

  /// The remote party's offers that we are about to remove.
  fileprivate func ptlcRemovals(_ position: Int) -> Set<UInt64> {
    var ids: Set<UInt64> = []
    for entry in log.entries where entry.author == .local {
      guard case .extension(position, let update) = entry.content, let update = update.as(PTLCExtension.self) else {
        continue
      }
      if case .add = update { continue }
      ids.insert(update.id)
    }
    return ids
  }
}
