internal import Encoding
internal import GLC
internal import Payments
internal import Storage
internal import Synchronization

/// What is over: read from the store, whenever somebody asks. And what the payment engine may forget because of it: what ended in a round that
/// is durable, once nobody is under way who asked the store before it was.
final class PastRecords: Sendable {
  private struct State {
    /// The last round that is durable.
    var stored: UInt64 = 0
    var nextTicket: UInt64 = 0
    /// Who has asked and is not answered, and what was durable then.
    var asking: [UInt64: UInt64] = [:]
    /// Questions that came while others were read. They are read together.
    var waiting: [Asked] = []
    var isReading = false

    /// Whether somebody is left to read for.
    mutating func goOn() -> Bool {
      isReading = !waiting.isEmpty
      return isReading
    }
  }

  private struct Asked {
    var question: RecallQuestion
    var ticket: UInt64
    var continuation: CheckedContinuation<Result<Recalled, NodeError>, Never>
  }

  private let store: any Store
  private let state = Mutex(State())

  /// So many records are read at a time.
  private static let pageSize = 1000

  init(store: any Store) { self.store = store }

  // MARK: Rounds

  func isStored(through round: UInt64) { state.withLock { $0.stored = max($0.stored, round) } }

  /// What ended in this round or before may be forgotten.
  var releasable: UInt64 { state.withLock { min($0.stored, $0.asking.values.min() ?? .max) } }

  /// The engine has been told, or never will be.
  func end(_ ticket: UInt64) { state.withLock { $0.asking[ticket] = nil } }

  // MARK: For the engine

  struct Recalled: Sendable {
    var records: RecalledRecords
    var ticket: UInt64
  }

  func tell(_ recalled: Recalled?, to engine: inout PaymentEngine) {
    guard let recalled else { return }
    engine.recall(recalled.records)
    end(recalled.ticket)
  }

  /// What the store says, and a ticket that is to be given back when the engine has been told.
  func recall(_ question: RecallQuestion) async throws(NodeError) -> Recalled {
    let (ticket, isFirst) = state.withLock { state in
      state.nextTicket += 1
      state.asking[state.nextTicket] = state.stored
      defer { state.isReading = true }
      return (state.nextTicket, !state.isReading)
    }
    guard !isFirst else {
      let values = await read([question])
      if state.withLock({ $0.goOn() }) { Task { await answer() } }
      return try recalled(question, ticket, values.map { $0[0] }).get()
    }
    return try await withCheckedContinuation { continuation in
      let isLeftAlone = state.withLock { state in
        state.waiting.append(Asked(question: question, ticket: ticket, continuation: continuation))
        defer { state.isReading = true }
        return !state.isReading
      }
      if isLeftAlone { Task { await answer() } }
    }.get()
  }

  /// Reads for all who wait, until nobody does.
  private func answer() async {
    repeat {
      let asked = state.withLock { state in
        defer { state.waiting = [] }
        return state.waiting
      }
      let values = await read(asked.map(\.question))
      for (index, one) in asked.enumerated() {
        one.continuation.resume(returning: recalled(one.question, one.ticket, values.map { $0[index] }))
      }
    } while state.withLock { $0.goOn() }
  }

  private func recalled(
    _ question: RecallQuestion, _ ticket: UInt64, _ values: Result<[[UInt8]], StoreError>
  ) -> Result<Recalled, NodeError> {
    do {
      return .success(Recalled(records: try RecalledRecords(question, values: values.get()), ticket: ticket))
    } catch {
      end(ticket)
      return .failure(.storage("what is stored cannot be read: \(error)"))
    }
  }

  /// The values that each of several questions is about.
  private func read(_ questions: [RecallQuestion]) async -> Result<[[[UInt8]]], StoreError> {
    var (invoices, payments, onions) = (Reading(), Reading(), Reading())
    for (index, question) in questions.enumerated() {
      switch question {
      case .invoices(let hashes, let labels):
        invoices.add(hashes.map(PastIndex.invoice(hash:)) + labels.map(PastIndex.invoice(label:)), index)
      case .payments(let hash): payments.add([PastIndex.payments(hash: hash)], index)
      case .onions(let keys): onions.add(keys, index)
      }
    }
    do throws(StoreError) {
      var values = [[[UInt8]]](repeating: [], count: questions.count)
      if !invoices.keys.isEmpty {
        invoices.follow(try await store.values(of: invoices.keys, in: .pastIndex).map { $0.map { [$0] } ?? [] })
      }
      if !payments.keys.isEmpty {
        payments.follow(try await store.records(in: .pastIndex, prefixes: payments.keys).map { $0.map(\.value) })
      }
      for (reading, collection) in [
        (invoices, CollectionName.pastInvoices), (payments, .pastPayments), (onions, .onions),
      ] where !reading.keys.isEmpty {
        let found = try await store.values(of: reading.keys, in: collection)
        for (index, value) in zip(reading.questions, found) { if let value { values[index].append(value) } }
      }
      return .success(values)
    } catch {
      return .failure(error)
    }
  }

  /// Keys, and which question each belongs to.
  private struct Reading {
    var keys: [[UInt8]] = []
    var questions: [Int] = []

    mutating func add(_ more: [[UInt8]], _ question: Int) {
      keys += more
      questions += more.map { _ in question }
    }

    /// On to what each of the keys has led to.
    mutating func follow(_ places: [[[UInt8]]]) {
      let old = questions
      self = Reading()
      for (question, places) in zip(old, places) { add(places, question) }
    }
  }

  // MARK: Reading

  /// The records that these keys of the index lead to, those that there are.
  func find<Record: PastRecord>(_ keys: [[UInt8]]) async throws -> [Record] {
    guard !keys.isEmpty else { return [] }
    return try await read(store.values(of: keys, in: .pastIndex).compactMap { $0 })
  }

  /// Those that all keys with this beginning lead to.
  func find<Record: PastRecord>(prefix: [UInt8]) async throws -> [Record] {
    try await read(store.records(in: .pastIndex, prefix: prefix).map(\.value))
  }

  /// So many of those that keys with a beginning lead to, in their order, from one of the keys on. What was forgotten meanwhile is left out.
  func page<Record: PastRecord>(prefix: [UInt8], from key: [UInt8], limit: Int) async throws -> Page<Record> {
    let limit = min(limit, Self.pageSize)
    let found = try await store.records(in: .pastIndex, prefix: prefix, from: key, limit: limit, reversed: false)
    return Page(
      records: try await read(found.map(\.value)), next: found.count < limit ? nil : found.last.map { $0.key + [0] })
  }

  /// The next ones by created index.
  func page<Record: PastRecord>(from key: [UInt8], limit: Int) async throws -> Page<Record> {
    let limit = min(limit, Self.pageSize)
    let found = try await store.records(
      in: CollectionName(Record.past), prefix: [], from: key, limit: limit, reversed: false)
    return Page(
      records: try found.map { try Record(decoding: $0.value.bytes) },
      next: found.count < limit ? nil : found.last.map { $0.key + [0] })
  }

  struct Page<Record: PastRecord>: Sendable {
    var records: [Record]
    /// Where the next page begins; nil when there is none.
    var next: [UInt8]?
  }

  /// The first one that was paid after the one of this pay index.
  func invoice(paidAfter payIndex: UInt64) async throws -> InvoiceRecord? {
    let order = PastOrder.paidInvoices
    var next: [UInt8]? = payIndex < .max ? order.key(payIndex + 1) : nil
    while let from = next {
      let page: Page<InvoiceRecord> = try await page(prefix: order.prefix, from: from, limit: 1)
      if let invoice = page.records.first { return invoice }
      next = page.next
    }
    return nil
  }

  private func read<Record: PastRecord>(_ places: [[UInt8]]) async throws -> [Record] {
    guard !places.isEmpty else { return [] }
    return try await store.values(of: places, in: CollectionName(Record.past)).compactMap { value in
      try value.map { try Record(decoding: $0.bytes) }
    }
  }

  // MARK: Together with what is alive

  /// Records from an index on, in their order: what the engine said, and what was over by the time when it said so. Nothing is left out,
  /// and nothing comes twice: a record that ended in between is taken from the store.
  /// - Parameters:
  ///   - live: asked of the engine before.
  ///   - index: a record's number in this order.
  func list<Record: PastRecord>(
    live: [Record], from start: UInt64 = 0, limit: Int = .max,
    order: PastOrder? = nil, index: (Record) -> UInt64 = { $0.createdIndex },
    where isWanted: (Record) -> Bool = { _ in true }
  ) async throws -> [Record] {
    var found: [Record] = []
    var waiting = live.filter { index($0) >= start }.sorted { index($0) > index($1) }
    var listed: Set<UInt64> = []
    func add(_ record: Record) {
      if found.count < limit, isWanted(record) { found.append(record) }
    }
    var next: [UInt8]? = order?.key(start) ?? start.stored
    while let from = next, found.count < limit {
      let page: Page<Record> =
        if let order {
          try await page(prefix: order.prefix, from: from, limit: Self.pageSize)
        } else {
          try await page(from: from, limit: Self.pageSize)
        }
      for record in page.records {
        while let first = waiting.last, index(first) < index(record) {
          listed.insert(first.createdIndex)
          add(waiting.removeLast())
        }
        if let first = waiting.last, first.createdIndex == record.createdIndex { waiting.removeLast() }
        if !listed.contains(record.createdIndex) { add(record) }
      }
      next = page.next
    }
    while let record = waiting.popLast() { add(record) }
    return found
  }
}

extension RecalledRecords {
  fileprivate init(_ question: RecallQuestion, values: [[UInt8]]) throws(DecodingError) {
    self.init()
    for value in values {
      switch question {
      case .invoices: invoices.append(try InvoiceRecord(decoding: value.bytes))
      case .payments: payments.append(try PaymentRecord(decoding: value.bytes))
      case .onions: onions.append(value)
      }
    }
  }
}

/// An order in which what is over is found, beside that of its beginning.
struct PastOrder: Sendable {
  /// What all keys of the index begin with.
  var prefix: [UInt8]
  /// Where a number begins.
  var key: @Sendable (UInt64) -> [UInt8]

  static let updatedInvoices = PastOrder(PastIndex.invoice(updatedIndex:))
  static let paidInvoices = PastOrder(PastIndex.invoice(payIndex:))

  private init(_ key: @escaping @Sendable (UInt64) -> [UInt8]) {
    self.key = key
    prefix = Array(key(0).dropLast(8))
  }
}
