public import Bitcoin
internal import Encoding
internal import Hashing

// The stored form. The first byte of a key says what it is, the first byte of a value its version; integers are big-endian.
//
//     00                              head: wallet (32), birth (4), tip? (1 + 36), rescan? (1 + 4)
//     01 height (4)                   hash of a block below the tip (32)
//     02 kind (1) change (1)          next index of a chain of addresses (4), first 4 bytes of SHA-256(key ‖ index)
//     03 txid (32)                    a transaction
//     04 id (8)                       a reservation that lasts

extension Wallet {
  private enum Kind: UInt8 {
    case head, block, chain, transaction, reservation
  }

  private static let version: UInt8 = 1

  // MARK: Writing

  /// What has changed since the last time.
  mutating func flush() -> WalletUpdate {
    let dirty = self.dirty
    self.dirty = Dirty()
    var update = WalletUpdate()
    update.notices = dirty.notices
    if dirty.head { put(.head, { _ in }, &update) { $0.write(head) } }
    for height in dirty.blocks.sorted() {
      put(.block, { $0.write(height) }, &update, if: blocks[height]) { $0.write($1) }
    }
    for chain in dirty.chains.sorted(by: {
      ($0.kind.rawValue, $0.isChange ? 1 : 0) < ($1.kind.rawValue, $1.isChange ? 1 : 0)
    }) {
      put(
        .chain,
        {
          $0.write(chain.kind.rawValue)
          $0.write(chain.isChange ? 1 : 0 as UInt8)
        }, &update, if: chains[chain]
      ) {
        $0.write($1.next)
        $0.write(Self.checksum(chain, next: $1.next))
      }
    }
    for txid in dirty.records.sorted() {
      put(.transaction, { $0.write(txid) }, &update, if: records[txid]) { $1.encode(to: &$0) }
    }
    for id in dirty.reservations.sorted() {
      let lasting = reservations[id].flatMap { $0.expires == nil ? nil : $0 }
      put(.reservation, { $0.write(id) }, &update, if: lasting) { $1.encode(to: &$0) }
    }
    return update
  }

  /// Everything, as if it had all changed.
  public func allRecords() -> [WalletChange] {
    var copy = self
    copy.dirty.head = true
    copy.dirty.blocks = Set(blocks.keys)
    copy.dirty.chains = Set(chains.filter { $0.value.next > 0 }.keys)
    copy.dirty.records = Set(records.keys)
    copy.dirty.reservations = Set(reservations.values.filter { $0.expires != nil }.map(\.id))
    return copy.flush().changes
  }

  private func put(
    _ kind: Kind, _ key: (inout ByteWriter) -> Void, _ update: inout WalletUpdate, _ value: (inout ByteWriter) -> Void
  ) {
    put(kind, key, &update, if: ()) { writer, _ in value(&writer) }
  }

  private func put<Value>(
    _ kind: Kind, _ key: (inout ByteWriter) -> Void, _ update: inout WalletUpdate, if content: Value?,
    _ value: (inout ByteWriter, Value) -> Void
  ) {
    var keyWriter = ByteWriter(reservingCapacity: 33)
    keyWriter.write(kind.rawValue)
    key(&keyWriter)
    guard let content else { return update.changes.append(WalletChange(key: keyWriter.bytes, value: nil)) }
    var writer = ByteWriter(reservingCapacity: 64)
    writer.write(Self.version)
    value(&writer, content)
    update.changes.append(WalletChange(key: keyWriter.bytes, value: writer.bytes))
  }

  /// The network is part of it: its records must not meet those of another.
  private var identifier: Bytes32 {
    var writer = ByteWriter()
    writer.write(keys.identifier)
    writer.write(network.genesisBlockHash)
    return sha256(writer.bytes)
  }

  /// All addresses below the index are derived when the wallet is restored: a damaged one would keep it busy for hours.
  private static func checksum(_ chain: KeyChain, next: UInt32) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(Kind.chain.rawValue)
    writer.write(chain.kind.rawValue)
    writer.write(chain.isChange ? 1 : 0 as UInt8)
    writer.write(next)
    return Array(sha256(writer.bytes).array.prefix(4))
  }

  private var head: [UInt8] {
    var writer = ByteWriter(reservingCapacity: 96)
    writer.write(identifier)
    writer.write(birth)
    writer.write(tip == nil ? 0 : 1 as UInt8)
    if let tip {
      writer.write(tip.height)
      writer.write(tip.hash)
    }
    writer.write(rescanHeight == nil ? 0 : 1 as UInt8)
    if let rescanHeight { writer.write(rescanHeight) }
    return writer.bytes
  }

  // MARK: Reading

  /// The wallet that these records were stored for, in any order. Throws `.otherWallet`, `.damagedRecord`, `.newerRecord`; nil when there
  /// are none.
  public static func restore(
    _ stored: some Sequence<(key: [UInt8], value: [UInt8])>, keys: WalletKeys, network: Network,
    policy: WalletPolicy = WalletPolicy()
  ) throws(WalletError) -> Wallet? {
    var wallet = Wallet(keys: keys, network: network, birth: 0, policy: policy)
    wallet.dirty = Dirty()
    var hasHead = false
    var isEmpty = true
    var loaded: [WalletTransaction] = []
    for (key, value) in stored {
      isEmpty = false
      guard let version = value.first, let first = key.first, let kind = Kind(rawValue: first) else {
        throw key.first.map { $0 > Kind.reservation.rawValue } ?? false
          ? .newerRecord(key: key) : .damagedRecord(key: key)
      }
      guard version == Self.version else {
        throw version > Self.version ? .newerRecord(key: key) : .damagedRecord(key: key)
      }
      do throws(DecodingError) {
        let keyBytes = key.dropFirst()
        let valueBytes = value.dropFirst()
        var keyReader = ByteReader(keyBytes.bytes)
        var reader = ByteReader(valueBytes.bytes)
        switch kind {
        case .head:
          guard try reader.read(Bytes32.self) == wallet.identifier else { throw .badChecksum }
          try wallet.readHead(&reader)
          hasHead = true
        case .block: wallet.blocks[try keyReader.readUInt32()] = BlockHash(try reader.read())
        case .chain:
          guard let addressKind = AddressKind(rawValue: try keyReader.readUInt8()) else { throw .malformed("kind") }
          let chain = KeyChain(kind: addressKind, isChange: try keyReader.readFlag())
          let next = try reader.readUInt32()
          let checksum = try reader.read(count: 4)
          let expected = Self.checksum(chain, next: next)
          guard next <= ChildNumber.hardenedOffset, checksum.elementsEqual(expected.bytes) else {
            throw .malformed("checksum")
          }
          wallet.chains[chain]?.next = next
        case .transaction: loaded.append(try WalletTransaction(txid: TxID(try keyReader.read()), from: &reader))
        case .reservation:
          let reservation = try Reservation(id: try keyReader.readUInt64(), from: &reader)
          wallet.reservations[reservation.id] = reservation
        }
        try keyReader.finish()
        try reader.finish()
      } catch {
        throw error == .badChecksum ? .otherWallet : .damagedRecord(key: key)
      }
    }
    guard hasHead else {
      if isEmpty { return nil }
      throw .damagedRecord(key: [Kind.head.rawValue])
    }
    for chain in KeyChain.allCases { wallet.watch(chain) }
    wallet.index(loaded)
    return wallet
  }

  private mutating func readHead(_ reader: inout ByteReader) throws(DecodingError) {
    birth = try reader.readUInt32()
    if try reader.readFlag() {
      tip = BlockPosition(height: try reader.readUInt32(), hash: BlockHash(try reader.read()))
    }
    if try reader.readFlag() { rescanHeight = try reader.readUInt32() }
  }

  /// Builds what follows from the records.
  private mutating func index(_ loaded: [WalletTransaction]) {
    for record in loaded {
      records[record.txid] = record
      if record.status == .unconfirmed { unconfirmed.insert(record.txid) }
      for input in record.transaction.inputs where !record.transaction.isCoinbase {
        spenders[input.previousOutput, default: []].append(record.txid)
      }
    }
    for record in loaded where record.status.isActive {
      for vout in record.transaction.outputs.indices {
        let outPoint = OutPoint(txid: record.txid, vout: UInt32(vout))
        if ownOutput(outPoint) != nil, activeSpender(of: outPoint) == nil { unspent.insert(outPoint) }
      }
    }
    for reservation in reservations.values {
      for outPoint in reservation.outPoints { reserved[outPoint] = reservation.id }
      nextReservation = max(nextReservation, reservation.id + 1)
    }
  }
}

extension WalletTransaction {
  fileprivate func encode(to writer: inout ByteWriter) {
    switch status {
    case .confirmed(let height, let position):
      writer.write(0 as UInt8)
      writer.write(height)
      writer.write(position)
    case .unconfirmed: writer.write(1 as UInt8)
    case .replaced(let other):
      writer.write(2 as UInt8)
      writer.write(other)
    case .orphaned: writer.write(3 as UInt8)
    case .abandoned: writer.write(4 as UInt8)
    }
    writer.write((isOwn ? 1 : 0) | (isReplaceable ? 2 : 0) | (fee == nil ? 0 : 4) as UInt8)
    if let fee { writer.write(fee.rawValue) }
    writer.write(time)
    writer.writeCompactSized([UInt8](label.utf8))
    transaction.encode(to: &writer)
  }

  fileprivate init(txid: TxID, from reader: inout ByteReader) throws(DecodingError) {
    self.txid = txid
    switch try reader.readUInt8() {
    case 0: status = .confirmed(height: try reader.readUInt32(), position: try reader.readUInt32())
    case 1: status = .unconfirmed
    case 2: status = .replaced(by: TxID(try reader.read()))
    case 3: status = .orphaned
    case 4: status = .abandoned
    default: throw .malformed("status")
    }
    let flags = try reader.readUInt8()
    guard flags < 8 else { throw .malformed("flags") }
    isOwn = flags & 1 != 0
    isReplaceable = flags & 2 != 0
    fee = flags & 4 != 0 ? Satoshi(try reader.readUInt64()) : nil
    time = try reader.readUInt64()
    let text = try reader.readCompactSizedBytes().array
    guard let label = String(validating: text, as: UTF8.self) else { throw .malformed("label") }
    self.label = label
    transaction = try Transaction(from: &reader)
    guard transaction.txid == txid else { throw .malformed("txid") }
  }
}

extension Reservation {
  fileprivate func encode(to writer: inout ByteWriter) {
    writer.write(expires ?? 0)
    writer.write(change == nil ? 0 : 1 as UInt8)
    if let change {
      writer.write(change.kind.rawValue)
      writer.write(change.isChange ? 1 : 0 as UInt8)
      writer.write(change.index)
    }
    writer.writeCompactSize(outPoints.count)
    for outPoint in outPoints { outPoint.encode(to: &writer) }
  }

  fileprivate init(id: UInt64, from reader: inout ByteReader) throws(DecodingError) {
    guard id < .max / 2 else { throw .tooLarge }
    self.id = id
    expires = try reader.readUInt32()
    if try reader.readFlag() {
      guard let kind = AddressKind(rawValue: try reader.readUInt8()) else { throw .malformed("kind") }
      change = AddressPath(kind: kind, isChange: try reader.readFlag(), index: try reader.readUInt32())
    }
    outPoints = []
    for _ in 0..<(try reader.readCount(minimumSize: 36)) { outPoints.append(try OutPoint(from: &reader)) }
  }
}

extension ByteReader {
  /// One byte, 0 or 1.
  @_lifetime(self: copy self)
  fileprivate mutating func readFlag() throws(DecodingError) -> Bool {
    switch try readUInt8() {
    case 0: false
    case 1: true
    default: throw .malformed("flag")
    }
  }
}
