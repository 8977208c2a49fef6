internal import BOLT
internal import Bitcoin
internal import Encoding
internal import GLC
internal import Hashing
internal import JSON
internal import PTLC
internal import Payments
internal import RPC
internal import Secp256k1
internal import Wire

extension Handlers {
  // MARK: Asking

  func invoice(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    var amount: MilliSatoshi?
    if case .exactly(let given) = try arguments.amount("amount_msat") {
      guard given > .zero else { throw arguments.invalid("amount_msat", "should be positive msat or 'any'") }
      amount = given
    }
    var terms = InvoiceTerms(
      amount: amount, label: try arguments.string("label"), description: try arguments.string("description"))
    terms.hashesDescription = try arguments.bool(ifPresent: "deschashonly") ?? false
    guard terms.hashesDescription || terms.description.utf8.count <= 639 else {
      throw RPCError(.invoiceNoDescription, "Descriptions greater than 639 bytes need deschashonly")
    }
    if let expiry = try arguments.integer(ifPresent: "expiry") { terms.expiry = expiry }
    terms.preimage = try arguments.bytes32(ifPresent: "preimage")
    if try arguments.bool(ifPresent: "ptlc") ?? false { terms.kind = PTLCExtension.id }
    terms.minFinalCLTVExpiryDelta = try arguments.integer(ifPresent: "cltv", as: UInt32.self)
    terms.fallbacks = try (arguments.strings(ifPresent: "fallbacks") ?? []).map { text in
      guard let address = try? Address(text, expecting: network) else {
        throw arguments.invalid("fallbacks", "should be addresses of \(network.chainName)")
      }
      return address.destination
    }
    switch arguments.json(ifPresent: "exposeprivatechannels") {
    case nil: break
    case .bool(let all)?: terms.exposure = all ? .all : .none
    case .array(let names)?:
      let scids = names.compactMap { $0.stringValue.flatMap { try? ShortChannelID(text: $0) } }
      guard scids.count == names.count else {
        throw arguments.invalid("exposeprivatechannels", "should be true, false or a list of short channel ids")
      }
      terms.exposure = .only(Set(scids))
    case .string(let text)?:
      switch text {
      case "true": terms.exposure = .all
      case "false": terms.exposure = .none
      default:
        guard let scid = try? ShortChannelID(text: text) else {
          throw arguments.invalid("exposeprivatechannels", "should be true, false or a list of short channel ids")
        }
        terms.exposure = .only([scid])
      }
    default: throw arguments.invalid("exposeprivatechannels", "should be true, false or a list of short channel ids")
    }
    let record = try await node.createInvoice(terms)
    var object: JSONObject = [
      "payment_hash": .hex(record.paymentHash), "expires_at": .time(record.expiresAt), "bolt11": .string(record.bolt11),
      "payment_secret": .hex(record.paymentSecret), "created_index": .unsigned(record.createdIndex),
    ]
    if let point = record.target?.point { object["payment_point"] = .text(point) }
    for (name, text) in await warnings(amount) { object[name] = .string(text) }
    return .object(object)
  }

  private func warnings(_ amount: MilliSatoshi?) async -> [(String, String)] {
    let open = await node.channels().filter { $0.phase == .normal }
    let receivable = open.filter(\.canOffer).reduce(0 as UInt64) {
      let (sum, overflow) = $0.addingReportingOverflow($1.receivable.rawValue)
      return overflow ? .max : sum
    }
    if receivable >= amount?.rawValue ?? 1 { return [] }
    let all = open.reduce(0 as UInt64) {
      let (sum, overflow) = $0.addingReportingOverflow($1.receivable.rawValue)
      return overflow ? .max : sum
    }
    if all >= amount?.rawValue ?? 1 {
      return [("warning_offline", "The channels that could receive it are with peers that are not connected")]
    }
    return [("warning_capacity", "Insufficient incoming channel capacity to pay invoice")]
  }

  func holdinvoice(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    var terms = InvoiceTerms(
      amount: try arguments.milliSatoshi("amount_msat"), label: try arguments.string("label"),
      description: try arguments.string("description"))
    let name = try arguments.bytes("payment_hash")
    if let point = PublicKey(parsing: name) {
      terms.holdTarget = PaymentLock(kind: PTLCExtension.id, bytes: point.array)
    } else if let hash = try? Bytes32(name) {
      terms.holdHash = hash
    } else {
      throw arguments.invalid("payment_hash", "should be the 32 bytes of a hash or the 33 bytes of a point")
    }
    if let expiry = try arguments.integer(ifPresent: "expiry") { terms.expiry = expiry }
    terms.minFinalCLTVExpiryDelta = try arguments.integer(ifPresent: "cltv", as: UInt32.self) ?? 144
    let record = try await node.createInvoice(terms)
    var object: JSONObject = [
      "bolt11": .string(record.bolt11), "payment_hash": .hex(record.paymentHash), "expires_at": .time(record.expiresAt),
    ]
    if let point = record.target?.point { object["payment_point"] = .text(point) }
    return .object(object)
  }

  func holdinvoiceSettle(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let preimage = try arguments.bytes32("preimage")
    let hashes = InvoiceTerms.hashes(openedBy: preimage, Hub.paymentSchemes)
    let (hash, record) =
      try await changeEngine(recalling: .invoices(hashes: hashes)) { engine, now in
        let hash = engine.invoice(openedBy: preimage)?.paymentHash ?? sha256(preimage.bytes)
        let actions = try engine.settleInvoice(hash, preimage: preimage, at: now)
        return ((hash, engine.invoices[hash]), actions)
      } as (Bytes32, InvoiceRecord?)
    return ["payment_hash": .hex(hash), "amount_received_msat": .msat(record?.amountReceived ?? .zero)]
  }

  func holdinvoiceCancel(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let hash = try arguments.bytes32("payment_hash")
    try await changeEngine(recalling: .invoices(hashes: [hash])) { engine, now in
      ((), try engine.cancelInvoice(hash, at: now))
    }
    return ["payment_hash": .hex(hash)]
  }

  // MARK: Lists

  private static func json(_ invoice: InvoiceRecord) -> JSONValue {
    var object: JSONObject = ["label": .string(invoice.label)]
    if !invoice.bolt11.isEmpty { object["bolt11"] = .string(invoice.bolt11) }
    object["payment_hash"] = .hex(invoice.paymentHash)
    if let point = invoice.target?.point { object["payment_point"] = .text(point) }
    if let amount = invoice.amount { object["amount_msat"] = .msat(amount) }
    object["status"] = .string(invoice.status.name)
    if invoice.status == .paid {
      if let index = invoice.payIndex { object["pay_index"] = .unsigned(index) }
      if let amount = invoice.amountReceived { object["amount_received_msat"] = .msat(amount) }
      if let time = invoice.paidAt { object["paid_at"] = .time(time) }
      if let preimage = invoice.preimage { object["payment_preimage"] = .hex(preimage) }
    }
    object["description"] = .string(invoice.description)
    object["expires_at"] = .time(invoice.expiresAt)
    object["created_index"] = .unsigned(invoice.createdIndex)
    if let index = invoice.updatedIndex { object["updated_index"] = .unsigned(index) }
    return .object(object)
  }

  func listinvoices(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let names = ["label", "invstring", "payment_hash", "offer_id"].filter { arguments.has($0) }
    guard names.count <= 1 else {
      throw RPCError(.invalidParams, "Can only specify one of \(names.joined(separator: ", "))")
    }
    let label = try arguments.string(ifPresent: "label")
    var hash = try arguments.bytes32(ifPresent: "payment_hash")
    if let text = try arguments.string(ifPresent: "invstring") {
      do { hash = try Bolt11Invoice(decoding: Self.withoutScheme(text)).contents.paymentHash } catch {
        throw RPCError(.invalidParams, "Invalid invstring: \(error)")
      }
    }
    let chosen: [InvoiceRecord]
    if names.isEmpty {
      let page = try page(arguments)
      let live = try await engine { Array($0.invoices.values) }
      chosen =
        if page.isByUpdate {
          try await hub.past.list(
            live: live, from: page.start, limit: page.limit, order: .updatedInvoices, index: { $0.updatedIndex ?? 0 })
        } else {
          try await hub.past.list(live: live, from: page.start, limit: page.limit)
        }
    } else {
      let wanted = hash
      let known = try await engine(
        recalling: .invoices(hashes: wanted.map { [$0] } ?? [], labels: label.map { [$0] } ?? [])
      ) { engine in
        label.flatMap { engine.invoice(label: $0) } ?? wanted.flatMap { engine.invoices[$0] }
      }
      chosen = try page(
        known.map { [$0] } ?? [], arguments, created: \.createdIndex, updated: { $0.updatedIndex ?? 0 })
    }
    return ["invoices": .array(chosen.map(Self.json))]
  }

  func delinvoice(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    if try arguments.bool(ifPresent: "desconly") ?? false { throw RPCError.notSupported("delinvoice with desconly") }
    let label = try arguments.string("label")
    let wanted = try arguments.string("status")
    let record = try await changeEngine(recalling: .invoices(labels: [label])) { engine, now in
      guard let invoice = engine.invoice(label: label) else { throw RPCError(.invoiceNotFound, "Unknown invoice") }
      guard invoice.status.name == wanted else {
        throw RPCError(
          .invoiceStatusUnexpected, "Invoice status is \(invoice.status.name) not \(wanted)",
          data: ["current_status": .string(invoice.status.name), "expected_status": .string(wanted)])
      }
      return try engine.deleteInvoice(invoice.paymentHash, status: invoice.status, at: now)
    }
    return Self.json(record)
  }

  // MARK: Waiting

  func waitinvoice(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let label = try arguments.string("label")
    let (hub, handlers) = (hub, self)
    let record = try await firstOf(nil) { () -> InvoiceRecord in
      let events = hub.events.listen()
      let known = try await handlers.engine(recalling: .invoices(labels: [label])) { $0.invoice(label: label) }
      guard let known else {
        throw RPCError(.invoiceNotFound, "Label not found")
      }
      if known.status == .paid { return known }
      guard known.status == .unpaid else {
        throw RPCError(.invoiceExpiredDuringWait, "Invoice expired", data: Self.json(known))
      }
      for await event in events {
        switch event {
        case .payment(.invoicePaid(let paid, _)) where paid.paymentHash == known.paymentHash: return paid
        case .payment(.invoiceExpired(let gone)) where gone.paymentHash == known.paymentHash,
          .payment(.invoiceCancelled(let gone)) where gone.paymentHash == known.paymentHash:
          throw RPCError(.invoiceExpiredDuringWait, "Invoice expired", data: Self.json(gone))
        case .payment(.invoiceDeleted(let gone)) where gone.paymentHash == known.paymentHash:
          throw RPCError(.invoiceExpiredDuringWait, "Invoice deleted during wait")
        default: continue
        }
      }
      throw RPCError(.shuttingDown, "the node stops")
    }
    guard let record else { throw CancellationError() }
    return Self.json(record)
  }

  func waitanyinvoice(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let last = try arguments.integer(ifPresent: "lastpay_index") ?? 0
    let seconds = try arguments.integer(ifPresent: "timeout")
    let (hub, handlers) = (hub, self)
    let next: @Sendable () async throws -> InvoiceRecord? = {
      let live = try await handlers.engine { engine in
        engine.invoices.values.filter { ($0.payIndex ?? 0) > last }.min { ($0.payIndex ?? 0) < ($1.payIndex ?? 0) }
      }
      // What is not alive any more was stored by then.
      let past = try await hub.past.invoice(paidAfter: last)
      guard let live, let past else { return live ?? past }
      return (live.payIndex ?? 0) < (past.payIndex ?? 0) ? live : past
    }
    let events = hub.events.listen()
    // What there is comes at once, however short the time.
    if let found = try await next() { return Self.json(found) }
    let record = try await firstOf(seconds.map { .seconds(Int64(clamping: $0)) }) { () -> InvoiceRecord in
      for await event in events {
        if case .payment(.invoicePaid(let paid, _)) = event, (paid.payIndex ?? 0) > last { return paid }
      }
      throw RPCError(.shuttingDown, "the node stops")
    }
    guard let record else { throw RPCError(.invoiceWaitTimedOut, "Timed out") }
    return Self.json(record)
  }
}

extension PaymentLock {
  /// The payment point of a target that is one.
  var point: PublicKey? { kind == PTLCExtension.id ? PublicKey(parsing: bytes) : nil }
}

extension InvoiceRecord.Status {
  /// Core Lightning knows none that are cancelled: they cannot be paid any more.
  var name: String {
    switch self {
    case .unpaid: "unpaid"
    case .paid: "paid"
    case .expired, .cancelled: "expired"
    }
  }
}
