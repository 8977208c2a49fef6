import Bitcoin
import Encoding
import Foundation
import GLC
import Hashing
import JSON
import Payments
import RPC
import Storage
import Testing
import Wire

@testable import Node

/// What is over is in the store alone, and the API speaks of it as if it were not.
@Suite struct PastListTests {
  private func indexes(_ reply: JSONValue, _ name: String, _ index: String = "created_index") -> [UInt64] {
    (reply[name]?.arrayValue ?? []).compactMap { $0[index]?.unsignedValue }
  }

  /// How many records of payments a node has in memory.
  private func remembered(_ node: Node) async throws -> Int {
    try await node.hub.withPayments { engine, _ in
      (engine.invoices.count + engine.payments.count + engine.pendingParts.count + engine.pendingForwards.count, [])
    }
  }

  @Test func aNodeAnswersForWhatIsOverAndHasLeftItsMemory() async throws {
    let network = try await TestNetwork(nodes: 2)
    try await network.fund(0)
    let channel = try await network.open(0, 1)
    var invoices: [InvoiceRecord] = []
    for number in 1...3 {
      let terms = InvoiceTerms(amount: MilliSatoshi(20_000_000), label: "label \(number)", description: "test")
      invoices.append(try await network.nodes[1].createInvoice(terms))
      _ = try await network.nodes[0].pay(PayRequest(try Bolt11Invoice(decoding: invoices[number - 1].bolt11)))
    }
    for restarts in [false, true] {
      if restarts {
        try await network.restart(0)
        try await network.restart(1)
        try await network.connect(0, 1)
      }
      try await network.calm(channel)
      for node in network.nodes {
        try await network.wait("nothing of it is remembered") { try await self.remembered(node) == 0 }
      }
      // Paid again, it is the payment that it was.
      let paid = try await network.nodes[0].payments(withHash: invoices[0].paymentHash)
      #expect(paid.map(\.status) == [.complete])
      #expect(
        try await network.nodes[0].pay(PayRequest(try Bolt11Invoice(decoding: invoices[0].bolt11))) == paid.first)
      // Labels and hashes are taken.
      var terms = InvoiceTerms(amount: nil, label: "label 2", description: "again")
      await #expect(throws: InvoiceRefusal.labelExists("label 2")) { try await network.nodes[1].createInvoice(terms) }
      terms.label = "another"
      terms.preimage = try #require(try await network.nodes[1].invoice(invoices[1].paymentHash)?.preimage)
      await #expect(throws: InvoiceRefusal.preimageExists) { try await network.nodes[1].createInvoice(terms) }
      // It is found by what it is called, and by its numbers.
      for name in ["label", "payment_hash", "invstring"] {
        let value = ["label": "label 3", "payment_hash": "\(invoices[2].paymentHash)", "invstring": invoices[2].bolt11]
        let reply = try await network.call(1, "listinvoices", [name: .string(value[name] ?? "")])
        #expect(indexes(reply, "invoices") == [3])
      }
      #expect(indexes(try await network.call(1, "listinvoices"), "invoices") == [1, 2, 3])
      for order in ["created", "updated"] {
        let reply = try await network.call(
          1, "listinvoices", ["index": .string(order), "start": 2, "limit": 1])
        #expect(indexes(reply, "invoices", "\(order)_index") == [2])
      }
      for method in ["listpays", "listsendpays"] {
        let name = method == "listpays" ? "pays" : "payments"
        #expect(indexes(try await network.call(0, method), name) == [1, 2, 3])
        #expect(indexes(try await network.call(0, method, ["index": "created", "start": 3]), name) == [3])
        #expect(indexes(try await network.call(0, method, ["status": "failed"]), name) == [])
        let hash = JSONValue.string("\(invoices[1].paymentHash)")
        #expect(indexes(try await network.call(0, method, ["payment_hash": hash]), name) == [2])
        // With what the payment says of it.
        #expect(
          try await network.call(0, method, ["payment_hash": hash])[name]?.arrayValue?.first?["bolt11"]?.stringValue
            == invoices[1].bolt11)
      }
      // Each that was paid is waited for in turn.
      for last in 0..<3 as Range<UInt64> {
        let next = try await network.call(1, "waitanyinvoice", ["lastpay_index": .unsigned(last), "timeout": 0])
        #expect(next["pay_index"]?.unsignedValue == last + 1)
      }
      let refusal = await #expect(throws: RPCError.self) {
        try await network.call(1, "waitanyinvoice", ["lastpay_index": 3, "timeout": 0])
      }
      #expect(refusal?.code.rawValue == 904)
      #expect(try await network.call(1, "waitinvoice", ["label": "label 1"])["status"] == "paid")
      let hash = JSONValue.string("\(invoices[2].paymentHash)")
      #expect(try await network.call(0, "waitsendpay", ["payment_hash": hash, "partid": 1])["status"] == "complete")
    }
    // Forgotten for good, there is nothing of it left.
    let hash = JSONValue.string("\(invoices[0].paymentHash)")
    _ = try await network.call(1, "delinvoice", ["label": "label 1", "status": "paid"])
    let gone = try await network.call(0, "delpay", ["payment_hash": hash, "status": "complete"])
    #expect(indexes(gone, "payments") == [1])
    for restarts in [false, true] {
      if restarts {
        try await network.restart(0)
        try await network.restart(1)
      }
      #expect(indexes(try await network.call(1, "listinvoices"), "invoices") == [2, 3])
      #expect(indexes(try await network.call(1, "listinvoices", ["label": "label 1"]), "invoices") == [])
      #expect(indexes(try await network.call(0, "listpays"), "pays") == [2, 3])
      #expect(indexes(try await network.call(0, "listsendpays"), "payments") == [2, 3])
      #expect(try await network.call(1, "waitanyinvoice", ["lastpay_index": 0])["pay_index"]?.unsignedValue == 2)
    }
    for (index, collections) in [[CollectionName.pastPayments, .pastParts], [.pastInvoices]].enumerated() {
      for collection in collections {
        #expect(try await network.nodes[index].hub.store.count(in: collection) == 2, "\(collection)")
      }
      // A payment and its part have a key each; an invoice has its hash, its label, its pay index and its updated index.
      let keys = try await network.nodes[index].hub.store.count(in: .pastIndex)
      #expect(keys == (index == 0 ? 4 : 8))
    }
    await network.stop()
  }

  @Test func listsHaveNoGapsAndNothingTwiceWhilePaymentsGoOn() async throws {
    let network = try await TestNetwork(nodes: 2)
    try await network.fund(0)
    try await network.open(0, 1)
    let count = 60 as UInt64
    let (payer, payee) = (network.nodes[0], network.nodes[1])
    let paying = Task {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 1...count {
          if number > 8 { try await group.next() }
          group.addTask {
            let terms = InvoiceTerms(amount: MilliSatoshi(1_000_000), label: "\(number)", description: "test")
            let invoice = try await payee.createInvoice(terms)
            _ = try await payer.pay(PayRequest(try Bolt11Invoice(decoding: invoice.bolt11)))
          }
        }
        try await group.waitForAll()
      }
    }
    let lists: [(node: Int, method: String, name: String)] = [
      (1, "listinvoices", "invoices"), (0, "listpays", "pays"), (0, "listsendpays", "payments"),
    ]
    var seen = [0, 0, 0] as [UInt64]
    while seen.contains(where: { $0 < count }) {
      for (index, (node, method, name)) in lists.enumerated() {
        // Page by page: all that was there before, in order, each once.
        var found: [UInt64] = []
        while true {
          let page = indexes(
            try await network.call(
              node, method, ["index": "created", "start": .unsigned((found.last ?? 0) + 1), "limit": 7]), name)
          found += page
          if page.count < 7 { break }
        }
        #expect(found == Array(1..<UInt64(found.count + 1)), "\(method)")
        #expect(UInt64(found.count) >= seen[index], "\(method)")
        seen[index] = UInt64(found.count)
        let whole = indexes(try await network.call(node, method), name)
        #expect(whole == Array(1..<UInt64(whole.count + 1)), "\(method)")
        #expect(UInt64(whole.count) >= seen[index], "\(method)")
        seen[index] = UInt64(whole.count)
      }
    }
    try await paying.value
    // Whoever follows what is paid, one after the other, sees each.
    var paid: [String] = []
    for last in 0..<count {
      let next = try await network.call(1, "waitanyinvoice", ["lastpay_index": .unsigned(last), "timeout": 0])
      #expect(next["pay_index"]?.unsignedValue == last + 1)
      paid.append(next["label"]?.stringValue ?? "")
    }
    #expect(Set(paid).count == Int(count))
    await network.stop()
  }

  @Test func aNodeWithManyPaymentsInAnOlderStoreStartsWithNoneOfThemInMemory() async throws {
    // What a real payment leaves behind is what there is a lot of.
    let network = try await TestNetwork(nodes: 2)
    try await network.fund(0)
    let channel = try await network.open(0, 1)
    let invoice = try await network.nodes[1].createInvoice(
      InvoiceTerms(amount: MilliSatoshi(20_000_000), label: "real", description: "test"))
    _ = try await network.nodes[0].pay(PayRequest(try Bolt11Invoice(decoding: invoice.bolt11)))
    try await network.calm(channel)
    for node in network.nodes {
      try await network.wait("nothing of it is remembered") { try await self.remembered(node) == 0 }
    }
    func record<Record: PastRecord>(of index: Int) async throws -> Record {
      let stored = try await network.nodes[index].hub.store.records(in: CollectionName(Record.past), limit: 1)
      let value = try #require(stored.first).value
      return try Record(decoding: value.bytes)
    }
    var payment: PaymentRecord = try await record(of: 0)
    var part: PartRecord = try await record(of: 0)
    let paid: InvoiceRecord = try await record(of: 1)
    var open = paid
    (open.status, open.payIndex, open.updatedIndex) = (.unpaid, nil, nil)
    open.expiresAt = PaymentTime(seconds: .max / 1000)

    let folder = NSTemporaryDirectory() + "glc-past-\(UInt64.random(in: 0...(.max)))"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let names = StoreSchema.node.collections.filter {
      ![.pastInvoices, .pastPayments, .pastParts, .pastIndex, .totals].contains($0)
    }
    let older = try SQLiteStore(folder: folder, schema: StoreSchema(version: 2, collections: names))
    let (count, few) = (100_000 as UInt64, 10_000 as UInt64)
    for start in stride(from: 1, through: count, by: 10_000) {
      var changes: [Change] = []
      for number in start..<(start + 10_000) {
        let hash = sha256(number.stored)
        payment.id.paymentHash = hash
        payment.createdIndex = number
        part.id.payment.paymentHash = hash
        part.createdIndex = number
        changes.append(.put(.payments, key: payment.liveKey, value: payment.encoded))
        guard number <= few else { continue }
        changes.append(.put(.parts, key: part.liveKey, value: part.encoded))
        // Some can still be paid.
        var invoice = number.isMultiple(of: 1000) ? open : paid
        invoice.paymentHash = hash
        invoice.label = "label \(number)"
        invoice.createdIndex = number
        if invoice.status == .paid { (invoice.payIndex, invoice.updatedIndex) = (number, number) }
        changes.append(.put(.invoices, key: invoice.liveKey, value: invoice.encoded))
      }
      try await older.commit(changes)
    }
    try await older.close()

    let store = try SQLiteStore(folder: folder, schema: .node)
    #expect(try await store.count(in: .payments) == 0)
    #expect(try await store.count(in: .parts) == 0)
    #expect(try await store.count(in: .invoices) == 10)
    for (collection, expected) in [
      (CollectionName.pastPayments, count), (.pastParts, few), (.pastInvoices, few - 10),
    ] {
      #expect(try await store.count(in: collection) == Int(expected), "\(collection)")
    }
    let rich = try await TestNetwork(nodes: 1) { _, _ in
    } configure: { launch, _ in
      launch.store = store
    }
    let node = rich.nodes[0]
    #expect(try await remembered(node) == 10)
    // What went through the channel is counted.
    let outgoing = try #require(part.outgoing?.channel)
    #expect(try await node.hub.paymentTotals().sent == [outgoing: MilliSatoshi(few * part.amountSent.rawValue)])
    // All of it is there.
    let last = try await rich.call(0, "listpays", ["index": "created", "start": .unsigned(count - 1)])
    #expect(indexes(last, "pays") == [count - 1, count])
    let middle = try await rich.call(0, "listinvoices", ["index": "created", "start": 4999, "limit": 3])
    #expect(indexes(middle, "invoices") == [4999, 5000, 5001])
    #expect(middle["invoices"]?.arrayValue?.map { $0["status"]?.stringValue } == ["paid", "unpaid", "paid"])
    let next = try await rich.call(0, "waitanyinvoice", ["lastpay_index": 4999, "timeout": 0])
    #expect(next["pay_index"] == 5001)
    #expect(try await node.payments(withHash: sha256(UInt64(77).stored)).map(\.createdIndex) == [77])
    await #expect(throws: InvoiceRefusal.labelExists("label 4711")) {
      try await node.createInvoice(InvoiceTerms(amount: nil, label: "label 4711", description: "again"))
    }
    // Who has asked has left nothing behind.
    try await rich.wait("nothing of it is remembered") { try await self.remembered(node) == 10 }
    await rich.stop()
    await network.stop()
  }

  @Test func onionsOfAnOlderStoreAreFoundByTheirPeriod() async throws {
    let older = try MemoryStore(schema: StoreSchema(version: 2, collections: StoreSchema.node.collections))
    // Version, channel, id, expiry.
    func value(_ number: UInt64, _ expiry: UInt32) -> [UInt8] {
      let key = PaymentKey(channel: ChannelID(sha256([1])), id: number)
      var writer = ByteWriter()
      writer.write(1 as UInt8)
      key.encode(to: &writer)
      writer.write(expiry)
      return writer.bytes
    }
    let expiries: [UInt32] = [143, 144, 800_000, .max]
    try await older.commit(
      expiries.enumerated().map {
        .put(.onions, key: sha256(UInt64($0.offset).stored).array, value: value(UInt64($0.offset), $0.element))
      })
    let store = try older.reopened(schema: .node)
    let found = try await store.records(in: .onions)
    #expect(found.count == expiries.count)
    for (index, expiry) in expiries.enumerated() {
      let period = expiry / 144
      let key = (0..<4).map { UInt8(truncatingIfNeeded: period >> (24 - 8 * $0)) } + sha256(UInt64(index).stored).array
      #expect(try await store.value(of: key, in: .onions) == value(UInt64(index), expiry))
    }
    // Once is enough.
    #expect(try await store.reopened().records(in: .onions) == found)
  }

  @Test func nothingIsForgottenThatSomebodyHasAskedTheStoreForTooEarly() async throws {
    let past = PastRecords(store: try MemoryStore(schema: .node))
    past.isStored(through: 5)
    #expect(past.releasable == 5)
    let first = try await past.recall(.payments(sha256([1])))
    past.isStored(through: 9)
    let second = try await past.recall(.invoices(labels: ["a"]))
    past.isStored(through: 12)
    #expect(past.releasable == 5)
    past.end(first.ticket)
    #expect(past.releasable == 9)
    past.end(second.ticket)
    past.end(second.ticket)
    #expect(past.releasable == 12)
    // Rounds are told in their order, and never taken back.
    past.isStored(through: 11)
    #expect(past.releasable == 12)
  }

  @Test func whoIsCancelledBeforeItHasAskedHoldsNothingBack() async throws {
    let network = try await TestNetwork(nodes: 2)
    let (payer, payee) = (network.nodes[0], network.nodes[1])
    let invoice = try await payee.createInvoice(
      InvoiceTerms(amount: MilliSatoshi(1000), label: "a", description: "test"))
    let request = PayRequest(try Bolt11Invoice(decoding: invoice.bolt11))
    let cancelled = Task {
      // Until it is cancelled.
      try? await Task.sleep(for: .seconds(3600))
      return try await payer.pay(request)
    }
    cancelled.cancel()
    await #expect(throws: (any Error).self) { try await cancelled.value }
    // There is no way: it fails, and is forgotten.
    await #expect(throws: PaymentFailure.self) { try await payer.pay(request) }
    try await network.wait("nothing of it is remembered") { try await self.remembered(payer) == 0 }
    #expect(try await payer.payments(withHash: invoice.paymentHash).map(\.status).last == .failed)
    await network.stop()
  }

  @Test func revocationRecordsAreReadWhenTheyAreAskedFor() async throws {
    let store = try MemoryStore(schema: .node)
    let id = ChannelID(sha256([1]))
    let outPoint = OutPoint(txid: TxID(sha256([2])), vout: 1)
    let cache = RecordCache()
    for number in 1...3 as ClosedRange<UInt64> {
      var writer = ByteWriter()
      writer.write(id)
      writer.write(number)
      outPoint.encode(to: &writer)
      try await store.commit([.put(.revocations, key: writer.bytes, value: [UInt8(number)])])
    }
    #expect(cache[2, outPoint] == nil)
    #expect(cache[7, outPoint] == nil)
    #expect(try await cache.loadMissing(of: id, from: store))
    #expect(cache[2, outPoint] != nil)
    #expect(cache[7, outPoint] == nil)
    // What is not there is asked for once more, and then not again.
    #expect(try await !cache.loadMissing(of: id, from: store))
    #expect(try await !cache.loadMissing(of: id, from: store))
    try await cache.load(3, outPoint, of: id, from: store)
    #expect(cache[3, outPoint] != nil)
  }
}
