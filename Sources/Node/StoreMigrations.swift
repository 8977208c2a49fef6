internal import Encoding
internal import GLC
internal import Payments
internal import Storage

// How stores of older versions become what this one reads.

extension StoreMigration {
  /// What is over leaves the collections that are read when the node starts.
  static let pastPayments = StoreMigration("what is over is stored by itself") { store throws(StoreError) in
    var busy: Set<PaymentID> = []
    try store.move(PartRecord.self) { part in
      if part.status == .pending { busy.insert(part.id.payment) }
      return part.status != .pending
    }
    try store.move(PaymentRecord.self) { $0.status != .pending && !busy.contains($0.id) }
    try store.move(InvoiceRecord.self) { $0.isOver }
  }

  /// What payments have moved is counted as it happens.
  static let totals = StoreMigration("what payments have moved is counted") { store throws(StoreError) in
    var totals = PaymentTotals()
    var changes: [[UInt8]: Change] = [:]
    func keep(_ new: [RecordChange]) { for change in new { changes[change.key] = Change(change) } }
    try store.forEach { (forward: ForwardRecord) in keep(totals.add(forward)) }
    try store.forEach { (part: PartRecord) in keep(totals.add(part)) }
    try store.apply(Array(changes.values))
  }

  /// Onions that have passed are found, and forgotten, by when they expire.
  static let onionPeriods = StoreMigration("onions are kept by period") { store throws(StoreError) in
    var next: [UInt8]?
    repeat {
      let page = try store.records(in: .onions, prefix: [], from: next, limit: 1000)
      var changes: [Change] = []
      for onion in page {
        do throws(DecodingError) {
          guard let key = try currentKey(ofOnion: onion.key, value: onion.value) else { continue }
          changes += [.delete(.onions, key: onion.key), .put(.onions, key: key, value: onion.value)]
        } catch {
          throw .damaged(path: CollectionName.onions.name, reason: "a record cannot be read: \(error)")
        }
      }
      try store.apply(changes)
      next = page.last.map { $0.key + [0] }
    } while next != nil
  }
}

extension StoreEditor {
  /// Goes through all that are over.
  fileprivate func forEach<Record: PastRecord>(_ body: (Record) -> Void) throws(StoreError) {
    let collection = CollectionName(Record.past)
    var next: [UInt8]?
    repeat {
      let page = try records(in: collection, prefix: [], from: next, limit: 1000)
      for stored in page { body(try Self.decode(stored, in: collection)) }
      next = page.last.map { $0.key + [0] }
    } while next != nil
  }

  private static func decode<Record: PastRecord>(
    _ stored: StoreRecord, in collection: CollectionName
  ) throws(StoreError) -> Record {
    do throws(DecodingError) { return try Record(decoding: stored.value.bytes) } catch {
      throw .damaged(path: collection.name, reason: "a record cannot be read: \(error)")
    }
  }

  fileprivate func move<Record: PastRecord>(
    _ type: Record.Type, where isOver: (Record) -> Bool
  ) throws(StoreError) {
    let collection = CollectionName(Record.live)
    var next: [UInt8]?
    repeat {
      let page = try records(in: collection, prefix: [], from: next, limit: 1000)
      var changes: [Change] = []
      for stored in page {
        let record: Record = try Self.decode(stored, in: collection)
        if isOver(record) { changes += record.pastChanges.map(Change.init) }
      }
      try apply(changes)
      next = page.last.map { $0.key + [0] }
    } while next != nil
  }
}

extension Change {
  init(_ change: RecordChange) {
    let collection = CollectionName(change.collection)
    if change.isPrefix {
      self = .deletePrefix(collection, prefix: change.key)
    } else {
      self = change.value.map { .put(collection, key: change.key, value: $0) } ?? .delete(collection, key: change.key)
    }
  }
}
