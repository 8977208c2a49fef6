public import Bitcoin

extension Wallet {
  /// BIP 30 and consensus since the first day: a coinbase is spent 100 blocks later at the earliest.
  static let coinbaseMaturity: UInt32 = 100

  /// An unspent output of ours; nil for others.
  public func coin(_ outPoint: OutPoint) -> Coin? {
    guard unspent.contains(outPoint), let (output, path) = ownOutput(outPoint), let record = records[outPoint.txid]
    else { return nil }
    let state: Coin.State
    if let confirmed = record.status.height {
      let mature = UInt64(confirmed) + (record.transaction.isCoinbase ? UInt64(Self.coinbaseMaturity) : 0)
      // It would be spent in the next block.
      let next = UInt64(height ?? 0) + 1
      state =
        record.transaction.isCoinbase && mature > next
        ? .immature(until: UInt32(clamping: mature)) : .confirmed(height: confirmed)
    } else {
      state = .unconfirmed(isTrusted: isTrusted(outPoint.txid))
    }
    return Coin(outPoint: outPoint, output: output, path: path, state: state, reservation: reserved[outPoint])
  }

  /// All unspent outputs, in the order of their outpoints.
  public var coins: [Coin] { unspent.sorted().compactMap { coin($0) } }

  public var balance: Balance {
    var balance = Balance()
    func add(_ value: Satoshi, to sum: inout Satoshi) { sum = sum.adding(value) ?? .maxMoney }
    for coin in unspent.lazy.compactMap({ self.coin($0) }) {
      switch coin.state {
      case .confirmed: add(coin.value, to: &balance.confirmed)
      case .immature: add(coin.value, to: &balance.immature)
      case .unconfirmed(isTrusted: true): add(coin.value, to: &balance.trustedUnconfirmed)
      case .unconfirmed(isTrusted: false): add(coin.value, to: &balance.unconfirmed)
      }
      if coin.reservation != nil { add(coin.value, to: &balance.reserved) }
    }
    balance.anchorReserve = anchorReserve
    return balance
  }

  /// What payments leave untouched, so that commitments with anchors can be given a fee.
  public var anchorReserve: Satoshi {
    let (product, overflow) = policy.anchorReservePerChannel.rawValue.multipliedReportingOverflow(
      by: UInt64(anchorChannels))
    return overflow ? policy.maximumAnchorReserve : min(Satoshi(product), policy.maximumAnchorReserve)
  }

  // MARK: Transactions

  public func transaction(_ txid: TxID) -> WalletTransaction? { records[txid] }

  /// Own transactions that are not confirmed, parents before children: to be published when the node starts.
  public var unpublished: [Transaction] {
    let own = unconfirmed.compactMap { records[$0] }.filter(\.isOwn)
    var left = Dictionary(uniqueKeysWithValues: own.map { ($0.txid, $0) })
    var sorted: [Transaction] = []
    while !left.isEmpty {
      let ready = left.values.filter { record in
        !record.transaction.inputs.contains { left[$0.previousOutput.txid] != nil }
      }.sorted { $0.txid < $1.txid }
      // Transactions cannot depend on each other in a circle.
      guard !ready.isEmpty else { break }
      for record in ready {
        sorted.append(record.transaction)
        left[record.txid] = nil
      }
    }
    return sorted
  }

  /// All transactions, the latest first; unconfirmed ones before all others.
  public var history: [HistoryEntry] {
    func order(_ record: WalletTransaction) -> (UInt32, UInt32, UInt64, TxID) {
      (record.status.height ?? .max, record.blockPosition, record.time, record.txid)
    }
    return records.values.sorted { order($0) > order($1) }.map { record in
      let received = record.transaction.outputs.reduce(Satoshi.zero) { sum, output in
        scripts.path(of: output.scriptPubKey) == nil ? sum : sum.adding(output.value) ?? .maxMoney
      }
      let spent = record.transaction.inputs.reduce(Satoshi.zero) { sum, input in
        ownOutput(input.previousOutput).map { sum.adding($0.output.value) ?? .maxMoney } ?? sum
      }
      return HistoryEntry(
        txid: record.txid, status: record.status, time: record.time, label: record.label, isOwn: record.isOwn,
        received: received, spent: spent, fee: record.fee)
    }
  }

  // MARK: Reservations

  /// Holds coins back. `expires` is a height: with it the reservation is stored and outlives this process; without, it ends with it.
  /// Throws `.unusableCoin` for one that is not there or reserved.
  public mutating func reserve(
    _ outPoints: [OutPoint], expires: UInt32? = nil
  ) throws(WalletError) -> (id: UInt64, update: WalletUpdate) {
    for outPoint in outPoints where !unspent.contains(outPoint) || reserved[outPoint] != nil {
      throw .unusableCoin(outPoint)
    }
    let id = hold(outPoints, expires: expires, change: nil)
    return (id, flush())
  }

  /// Makes a reservation last until this height, across restarts. Throws `.unknownReservation`.
  public mutating func extendReservation(_ id: UInt64, expires: UInt32) throws(WalletError) -> WalletUpdate {
    guard reservations[id] != nil else { throw .unknownReservation(id) }
    reservations[id]?.expires = expires
    dirty.reservations.insert(id)
    return flush()
  }

  /// Lets go of coins: their transaction came to nothing. Throws `.unknownReservation`.
  public mutating func release(_ id: UInt64) throws(WalletError) -> WalletUpdate {
    guard let reservation = reservations[id] else { throw .unknownReservation(id) }
    drop(reservation)
    return flush()
  }

  public var allReservations: [Reservation] { reservations.values.sorted { $0.id < $1.id } }

  mutating func hold(_ outPoints: [OutPoint], expires: UInt32?, change: AddressPath?) -> UInt64 {
    let id = nextReservation
    nextReservation += 1
    reservations[id] = Reservation(id: id, outPoints: outPoints, expires: expires, change: change)
    for outPoint in outPoints { reserved[outPoint] = id }
    if expires != nil { dirty.reservations.insert(id) }
    return id
  }

  mutating func drop(_ reservation: Reservation) {
    reservations[reservation.id] = nil
    for outPoint in reservation.outPoints where reserved[outPoint] == reservation.id { reserved[outPoint] = nil }
    if reservation.expires != nil { dirty.reservations.insert(reservation.id) }
  }
}
