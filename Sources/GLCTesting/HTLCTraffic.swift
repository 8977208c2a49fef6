internal import Bitcoin
internal import Encoding
public import GLC
internal import HTLC
internal import Hashing

/// Random hash-locked payments in both directions, of amounts around every limit: dust, trimmed, small, large.
public struct HTLCTraffic: SimulatedTraffic {
  private var patience: UInt64

  /// - Parameter patience: a payment is resolved at every so manyth opportunity: the higher, the more are open at a time.
  public init(in stack: ChannelStack, patience: UInt64 = 1) {
    self.patience = patience
  }

  /// Where the channel has them now: its stack may change.
  private func position(in channel: Channel) -> Int? {
    channel.stack.extensions.firstIndex { $0.id == HTLCExtension.id }
  }

  /// The preimage of a payment's only offer: known to the simulation, and so to its receiver.
  static func preimage(_ id: UInt64, by index: Int) -> Bytes32 { sha256(Array("preimage \(id) by \(index)".utf8)) }

  public mutating func proposal(
    by index: Int, in channel: Channel, _ random: inout SeededGenerator
  ) -> UpdateContent? {
    guard let position = position(in: channel) else { return nil }
    let id = channel.nextHTLCID(position)
    let amounts: [UInt64] = [1, 999, 1000, 353_999, 354_000, 546_000, 1_000_000, 2_500_000, 20_000_000, 400_000_000]
    let amount = amounts[Int(random.below(UInt64(amounts.count)))] + random.below(1000)
    let update = HTLCUpdate.add(
      id: id, amount: MilliSatoshi(amount),
      paymentHash: PaymentHash(sha256(Self.preimage(id, by: index).bytes)),
      cltvExpiry: UInt32(500 + random.below(3)), onion: [UInt8](repeating: 7, count: HTLCUpdate.onionByteCount),
      extra: TLVStream())
    return .extension(position, AnyUpdate(update, of: HTLCExtension.self))
  }

  public mutating func resolution(
    by index: Int, in channel: Channel, _ random: inout SeededGenerator
  ) -> UpdateContent? {
    guard let position = position(in: channel),
      let settled = channel.fundings.first?.base.ledgers[position] as? TypedLedger<HTLCExtension>
    else { return nil }
    let removed = channel.htlcRemovals(position)
    let open = settled.ledger.entries.filter { $0.offeredBy == .remote && !removed.contains($0.id) }
    guard !open.isEmpty, patience == 1 || random.chance(oneIn: patience) else { return nil }
    let entry = open[Int(random.below(UInt64(open.count)))]
    let update: HTLCUpdate
    switch random.below(5) {
    case 0: update = .fail(id: entry.id, reason: [1, 2, 3], extra: TLVStream())
    case 1: update = .failMalformed(id: entry.id, onionHash: Bytes32(), code: 0x8004, extra: TLVStream())
    default: update = .fulfill(id: entry.id, preimage: Self.preimage(entry.id, by: 1 - index), extra: TLVStream())
    }
    return .extension(position, AnyUpdate(update, of: HTLCExtension.self))
  }

  public mutating func finish() { patience = 1 }

  /// Three of four receivers know their preimage.
  public func secrets(of index: Int, in channel: Channel) -> [SecretID: [UInt8]] {
    var secrets: [SecretID: [UInt8]] = [:]
    guard let position = position(in: channel) else { return [:] }
    for id in 0..<channel.nextHTLCID(position, of: .remote) {
      let preimage = Self.preimage(id, by: 1 - index)
      if preimage[31] & 3 != 0 { secrets[SecretID(kind: .sha256, value: sha256(preimage.bytes))] = preimage.array }
    }
    return secrets
  }
}

extension Channel {
  /// The id of our next offer: what the receiver's ledger will ask for.
  fileprivate func nextHTLCID(_ position: Int, of author: Party = .local) -> UInt64 {
    guard let typed = fundings[0].base.ledgers[position] as? TypedLedger<HTLCExtension> else { return 0 }
    var next = typed.ledger.nextID[author]
    for entry in log.entries where entry.author == author {
      guard case .extension(position, let update) = entry.content,
        case .add(let id, _, _, _, _, _) = update.as(HTLCExtension.self)
      else { continue }
      next = id + 1
    }
    return next
  }

  /// The remote party's offers that we are about to remove.
  fileprivate func htlcRemovals(_ position: Int) -> Set<UInt64> {
    var ids: Set<UInt64> = []
    for entry in log.entries where entry.author == .local {
      guard case .extension(position, let update) = entry.content, let update = update.as(HTLCExtension.self) else {
        continue
      }
      if case .add = update { continue }
      ids.insert(update.id)
    }
    return ids
  }
}
