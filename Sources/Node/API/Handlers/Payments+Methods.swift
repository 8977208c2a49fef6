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
internal import Sphinx
internal import Storage
internal import Wire

extension Handlers {
  // MARK: Requests

  /// Nodes and channels (SCID/DIRECTION) not to go through.
  func exclusions(_ arguments: RPCArguments) throws -> (Set<PublicKey>, Set<ChannelDirection>) {
    var nodes: Set<PublicKey> = []
    var channels: Set<ChannelDirection> = []
    for text in try arguments.strings(ifPresent: "exclude") ?? [] {
      let parts = text.split(separator: "/", omittingEmptySubsequences: false)
      if parts.count == 2, let scid = try? ShortChannelID(text: String(parts[0])), ["0", "1"].contains(parts[1]) {
        channels.insert(ChannelDirection(scid, direction: parts[1] == "1" ? 1 : 0))
      } else if let node = NodeID(text: text) {
        nodes.insert(node.publicKey)
      } else {
        throw arguments.invalid("exclude", "should be node ids and SCID/DIRECTION")
      }
    }
    return (nodes, channels)
  }

  private func limits(_ arguments: RPCArguments, for amount: MilliSatoshi) throws -> PaymentLimits {
    var limits = PaymentLimits()
    let names = Set(arguments.method.parameters.map(\.name))
    if let delay = try arguments.integer(ifPresent: "maxdelay", as: UInt32.self) { limits.maximumDelay = delay }
    if let seconds = try arguments.integer(ifPresent: "retry_for") { limits.retryForSeconds = seconds }
    if names.contains("exclude") { (limits.excludedNodes, limits.excludedChannels) = try exclusions(arguments) }
    limits.maximumFee = try arguments.milliSatoshi(ifPresent: "maxfee")
    guard names.contains("maxfeepercent") else { return limits }
    let percent = try arguments.number(ifPresent: "maxfeepercent")
    let exempt = try arguments.milliSatoshi(ifPresent: "exemptfee")
    if limits.maximumFee != nil {
      guard percent == nil, exempt == nil else {
        throw RPCError(.invalidParams, "maxfee cannot be specified together with maxfeepercent or exemptfee")
      }
    } else if percent != nil || exempt != nil {
      guard let percent = Optional(percent ?? 0.5), (0...100).contains(percent) else {
        throw arguments.invalid("maxfeepercent", "should be from 0 to 100")
      }
      let share = Double(amount.rawValue) * percent / 100
      limits.maximumFee = max(
        exempt ?? MilliSatoshi(5000), MilliSatoshi(UInt64(exactly: share.rounded(.down)) ?? .max))
    }
    return limits
  }

  private func payRequest(_ arguments: RPCArguments, invoice name: String) throws -> PayRequest {
    let text = try arguments.string(name)
    let invoice: Bolt11Invoice
    do { invoice = try Bolt11Invoice(decoding: Self.withoutScheme(text)) } catch {
      if Self.isBolt12(text) { throw RPCError.notSupported("paying BOLT 12") }
      throw RPCError(.invalidParams, "Invalid bolt11: \(error)")
    }
    let amount = try arguments.milliSatoshi(ifPresent: "amount_msat")
    if amount != nil, invoice.contents.amount != nil {
      throw RPCError(
        .invalidParams, "amount_msat parameter unnecessary: the invoice says \(invoice.contents.amount ?? .zero)")
    }
    guard let total = invoice.contents.amount ?? amount else {
      throw RPCError(.invalidParams, "amount_msat parameter required: the invoice names none")
    }
    let partial = try arguments.milliSatoshi(ifPresent: "partial_msat")
    var request = PayRequest(invoice, amount: amount, limits: try limits(arguments, for: partial ?? total))
    request.partialAmount = partial
    return request
  }

  private func described(_ request: inout PayRequest, _ arguments: RPCArguments) throws {
    guard let description = try arguments.string(ifPresent: "description") else { return }
    if case .hash(let hash) = request.invoice.contents.description {
      let bytes = Array(description.utf8)
      guard sha256(bytes) == hash else {
        throw RPCError(.invalidParams, "the description does not have the hash that the invoice says")
      }
    }
    request.description = description
  }

  // MARK: Paying

  func pay(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    if arguments.has("localinvreqid") { throw RPCError.notSupported("localinvreqid: BOLT 12") }
    var request = try payRequest(arguments, invoice: "bolt11")
    request.label = try arguments.string(ifPresent: "label")
    try described(&request, arguments)
    let (node, order) = (node, request)
    return Self.reply(try await handedOver { try await node.pay(order) })
  }

  func xpay(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    if arguments.has("layers") { throw RPCError(.invalidParams, "layers: there are none") }
    let request = try payRequest(arguments, invoice: "invstring")
    let node = node
    let record = try await handedOver { try await node.pay(request) }
    return [
      "payment_preimage": record.preimage.map { .hex($0) } ?? .null,
      "failed_parts": .int(record.attempts - min(record.attempts, record.parts)),
      "successful_parts": .int(record.parts),
      "amount_msat": .msat(record.amount), "amount_sent_msat": .msat(record.amountSent),
    ]
  }

  func keysend(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let amount = try arguments.milliSatoshi("amount_msat")
    var request = KeysendRequest(
      destination: try arguments.publicKey("destination"), amount: amount, limits: try limits(arguments, for: amount))
    request.label = try arguments.string(ifPresent: "label")
    if let extra = arguments.json(ifPresent: "extratlvs")?.objectValue {
      var records: [UInt64: [UInt8]] = [:]
      for (type, value) in extra.members {
        guard let number = UInt64(type), number >= 65_536, number != 5_482_373_484, records[number] == nil,
          let bytes = value.stringValue.flatMap({ try? Hex.decode($0) })
        else { throw arguments.invalid("extratlvs", "should be types from 65536 on with values in hex") }
        records[number] = bytes
      }
      request.records = records.sorted { $0.key < $1.key }.map { TLVRecord(type: $0.key, value: $0.value) }
    }
    request.hints = try hints(arguments)
    let (node, order) = (node, request)
    return Self.reply(try await handedOver { try await node.keysend(order) })
  }

  private func hints(_ arguments: RPCArguments) throws -> [[Bolt11Invoice.RouteHop]] {
    let given = arguments.json(ifPresent: "routehints")?.arrayValue ?? []
    return try given.map { hint in
      try (hint.arrayValue ?? [hint]).map { hop in
        guard let node = (hop["id"] ?? hop["pubkey"])?.stringValue.flatMap({ NodeID(text: $0) }),
          let scid = (hop["short_channel_id"] ?? hop["scid"])?.stringValue.flatMap({ try? ShortChannelID(text: $0) }),
          let base = (hop["fee_base_msat"] ?? hop["feebase"])?.unsignedValue.flatMap({ UInt32(exactly: $0) }),
          let proportional = (hop["fee_proportional_millionths"] ?? hop["feeprop"])?.unsignedValue
            .flatMap({ UInt32(exactly: $0) }),
          let delta = (hop["cltv_expiry_delta"] ?? hop["expirydelta"])?.unsignedValue.flatMap({ UInt16(exactly: $0) })
        else {
          throw arguments.invalid(
            "routehints",
            "should be hops of id, short_channel_id, fee_base_msat, fee_proportional_millionths and cltv_expiry_delta")
        }
        return Bolt11Invoice.RouteHop(
          nodeID: node.publicKey, shortChannelID: scid, feeBaseMsat: base, feeProportionalMillionths: proportional,
          cltvExpiryDelta: delta)
      }
    }
  }

  private static func reply(_ record: PaymentRecord) -> JSONValue {
    var object: JSONObject = [:]
    if let preimage = record.preimage { object["payment_preimage"] = .hex(preimage) }
    object["amount_msat"] = .msat(record.amount)
    object["amount_sent_msat"] = .msat(record.amountSent)
    object["parts"] = .int(record.parts)
    if let destination = record.destination { object["destination"] = .text(destination) }
    object["payment_hash"] = .hex(record.id.paymentHash)
    if let point = record.target?.point { object["payment_point"] = .text(point) }
    object["status"] = "complete"
    object["created_at"] = .preciseTime(record.createdAt)
    return .object(object)
  }

  // MARK: Parts

  func sendpay(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    if arguments.has("localinvreqid") { throw RPCError.notSupported("localinvreqid: BOLT 12") }
    var hops: [PaymentRoute.Hop] = []
    for hop in arguments.json(ifPresent: "route")?.arrayValue ?? [] {
      guard let node = hop["id"]?.stringValue.flatMap({ NodeID(text: $0) }),
        let scid = hop["channel"]?.stringValue.flatMap({ try? ShortChannelID(text: $0) }),
        let amount = hop["amount_msat"].flatMap({ Self.amount($0) }),
        let delay = hop["delay"]?.unsignedValue.flatMap({ UInt32(exactly: $0) })
      else { throw arguments.invalid("route", "should be hops of id, channel, amount_msat and delay") }
      hops.append(.init(nodeID: node.publicKey, shortChannelID: scid, amount: amount, delay: delay))
    }
    guard !hops.isEmpty else { throw arguments.invalid("route", "should have at least one hop") }
    let hash = try arguments.bytes32("payment_hash")
    let part = try arguments.integer(ifPresent: "partid") ?? 0
    var request = RouteSendRequest(
      route: PaymentRoute(hops: hops), paymentHash: hash,
      paymentSecret: try arguments.bytes32(ifPresent: "payment_secret"), part: part)
    request.total = try arguments.milliSatoshi(ifPresent: "amount_msat")
    if let point = try arguments.publicKey(ifPresent: "payment_point") {
      request.target = PaymentLock(kind: PTLCExtension.id, bytes: point.array)
    }
    request.group = try arguments.integer(ifPresent: "groupid")
    request.metadata = try arguments.bytes(ifPresent: "payment_metadata")
    request.label = try arguments.string(ifPresent: "label")
    request.bolt11 = try arguments.string(ifPresent: "bolt11")
    request.description = try arguments.string(ifPresent: "description")
    let order = request
    let (start, sent, payment) =
      try await changeEngine(recalling: .payments(hash)) { engine, now in
        let (start, actions) = try engine.send(order, at: now)
        guard case .started(let id) = start else { return ((start, nil, nil), actions) }
        return ((start, engine.pendingParts[PartID(payment: id, part: part)], engine.payments[id]), actions)
      } as (PaymentStart, PartRecord?, PaymentRecord?)
    switch start {
    case .complete(let record):
      return [
        "id": .unsigned(record.createdIndex), "created_index": .unsigned(record.createdIndex),
        "payment_hash": .hex(hash), "groupid": .unsigned(record.id.group), "status": "complete",
        "amount_sent_msat": .msat(record.amountSent), "created_at": .time(record.createdAt),
        "payment_preimage": record.preimage.map { .hex($0) } ?? .null,
      ]
    case .started:
      guard let sent else { throw RPCError(.payUnspecified, "the part is over already: see listsendpays") }
      return .object(json(sent, payment))
    }
  }

  func waitsendpay(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let hash = try arguments.bytes32("payment_hash")
    let partID = try arguments.integer(ifPresent: "partid") ?? 0
    let group = try arguments.integer(ifPresent: "groupid")
    let seconds = try arguments.integer(ifPresent: "timeout")
    let hub = hub
    let matches: @Sendable (PartRecord) -> Bool = {
      $0.id.part == partID && (group == nil || $0.id.payment.group == group)
    }
    let handlers = self
    let work: @Sendable () async throws -> PartRecord = {
      let events = hub.events.listen()
      let known = try await handlers.parts(withHash: hash).filter(matches)
      guard let last = known.max(by: { $0.createdIndex < $1.createdIndex }) else {
        throw RPCError(.payNoSuchPayment, "Never attempted payment part \(partID) for '\(Hex.encode(hash.array))'")
      }
      if last.status != .pending { return last }
      for await event in events {
        switch event {
        case .payment(.partSettled(let part, _)) where part.id == last.id: return part
        case .payment(.partFailed(let part, _)) where part.id == last.id: return part
        default: continue
        }
      }
      throw RPCError(.shuttingDown, "the node stops")
    }
    guard let part = try await firstOf(seconds.map { .seconds(Int64(clamping: $0)) }, work) else {
      throw RPCError(.payInProgress, "Timed out while waiting")
    }
    if part.status == .failed { throw part.failure ?? PaymentFailure(.unspecified, "the part has failed") }
    return .object(json(part, try await payments(of: [part])[part.id.payment]))
  }

  static func amount(_ value: JSONValue) -> MilliSatoshi? {
    value.unsignedValue.map { MilliSatoshi($0) } ?? value.stringValue.flatMap { AmountText.parse($0, bare: .msat) }
  }

  // MARK: Lists

  /// All parts with a payment hash, on their way and over.
  private func parts(withHash hash: Bytes32) async throws -> [PartRecord] {
    // First what is on its way: what has ended by then is stored.
    let live = try await engine { engine in engine.pendingParts.values.filter { $0.id.payment.paymentHash == hash } }
    let past: [PartRecord] = try await hub.past.find(prefix: PastIndex.parts(hash: hash))
    let known = Set(past.map(\.createdIndex))
    return (past + live.filter { !known.contains($0.createdIndex) }).sorted { $0.createdIndex < $1.createdIndex }
  }

  /// The payments that parts belong to.
  private func payments(of parts: [PartRecord]) async throws -> [PaymentID: PaymentRecord] {
    let ids = Set(parts.map(\.id.payment))
    var found = try await engine { engine in engine.payments.filter { ids.contains($0.key) } }
    let past: [PaymentRecord] = try await hub.past.find(ids.map(PastIndex.payment))
    for payment in past { found[payment.id] = payment }
    return found
  }

  private func json(_ part: PartRecord, _ payment: PaymentRecord?) -> JSONObject {
    var object: JSONObject = [
      "created_index": .unsigned(part.createdIndex), "id": .unsigned(part.createdIndex),
      "payment_hash": .hex(part.id.payment.paymentHash), "groupid": .unsigned(part.id.payment.group),
      "updated_index": .unsigned(part.createdIndex), "partid": .unsigned(part.id.part),
    ]
    if let last = part.route.hops.last { object["destination"] = .text(last.nodeID) }
    object["amount_msat"] = .msat(part.amount)
    object["amount_sent_msat"] = .msat(part.amountSent)
    object["created_at"] = .time(part.createdAt)
    if let time = part.completedAt { object["completed_at"] = .time(time) }
    object["status"] = .string("\(part.status)")
    if let preimage = part.preimage { object["payment_preimage"] = .hex(preimage) }
    if let label = payment?.label { object["label"] = .string(label) }
    if let bolt11 = payment?.bolt11 { object["bolt11"] = .string(bolt11) }
    if payment?.bolt11 == nil, let description = payment?.description { object["description"] = .string(description) }
    if let failure = part.failure { object["erroronion"] = failure.raw.map { .hex($0) } }
    return object
  }

  /// Which hash and status are asked for.
  private func wanted(_ arguments: RPCArguments) throws -> (hash: Bytes32?, status: String?) {
    var hash = try arguments.bytes32(ifPresent: "payment_hash")
    if let text = try arguments.string(ifPresent: "bolt11") {
      guard hash == nil else { throw RPCError(.invalidParams, "Can only specify one of bolt11 or payment_hash") }
      do { hash = try Bolt11Invoice(decoding: Self.withoutScheme(text)).contents.paymentHash } catch {
        throw RPCError(.invalidParams, "Invalid invstring: \(error)")
      }
    }
    return (hash, try arguments.string(ifPresent: "status"))
  }

  func listsendpays(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let (hash, status) = try wanted(arguments)
    let isWanted = { (part: PartRecord) in status == nil || "\(part.status)" == status }
    let chosen: [PartRecord]
    if let hash {
      chosen = try page(
        try await parts(withHash: hash).filter(isWanted), arguments, created: \.createdIndex, updated: \.createdIndex)
    } else {
      let page = try page(arguments)
      let live = try await engine { Array($0.pendingParts.values) }
      chosen = try await hub.past.list(live: live, from: page.start, limit: page.limit, where: isWanted)
    }
    let payments = try await payments(of: chosen)
    return ["payments": .array(chosen.map { .object(json($0, payments[$0.id.payment])) })]
  }

  func listpays(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let (hash, status) = try wanted(arguments)
    let isWanted = { (payment: PaymentRecord) in status == nil || "\(payment.status)" == status }
    let chosen: [PaymentRecord]
    if let hash {
      chosen = try page(
        try await node.payments(withHash: hash).filter(isWanted), arguments, created: \.createdIndex,
        updated: \.createdIndex)
    } else {
      let page = try page(arguments)
      let live = try await engine { Array($0.payments.values) }
      chosen = try await hub.past.list(live: live, from: page.start, limit: page.limit, where: isWanted)
    }
    return [
      "pays": .array(
        chosen.map { payment in
          var object: JSONObject = [:]
          if let bolt11 = payment.bolt11 { object["bolt11"] = .string(bolt11) }
          if payment.bolt11 == nil, let text = payment.description { object["description"] = .string(text) }
          if let label = payment.label { object["label"] = .string(label) }
          if let destination = payment.destination { object["destination"] = .text(destination) }
          object["payment_hash"] = .hex(payment.id.paymentHash)
          if let point = payment.target?.point { object["payment_point"] = .text(point) }
          object["status"] = .string("\(payment.status)")
          object["created_at"] = .time(payment.createdAt)
          if let time = payment.completedAt { object["completed_at"] = .time(time) }
          if let preimage = payment.preimage { object["preimage"] = .hex(preimage) }
          if payment.status != .failed { object["amount_msat"] = .msat(payment.amount) }
          object["amount_sent_msat"] = .msat(payment.amountSent)
          if payment.parts > 1 { object["number_of_parts"] = .int(payment.parts) }
          object["created_index"] = .unsigned(payment.createdIndex)
          object["updated_index"] = .unsigned(payment.createdIndex)
          return .object(object)
        })
    ]
  }

  func delpay(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    guard !arguments.has("partid") else { throw RPCError.notSupported("delpay of single parts") }
    let hash = try arguments.bytes32("payment_hash")
    let status = try arguments.string("status")
    let group = try arguments.integer(ifPresent: "groupid")
    let chosen =
      try await changeEngine(recalling: .payments(hash)) { engine, now in
        let found = engine.payments(withHash: hash).filter { group == nil || $0.id.group == group }
        guard !found.isEmpty else {
          throw RPCError(.payNoSuchPayment, "Unknown payment with payment_hash: \(Hex.encode(hash.array))")
        }
        let chosen = found.filter { "\($0.status)" == status }
        guard !chosen.isEmpty else {
          throw RPCError(
            .payStatusUnexpected,
            "Payment with hash \(Hex.encode(hash.array)) has \(found.map { "\($0.status)" }.joined(separator: ", ")) status but it should be \(status)"
          )
        }
        return (chosen, chosen.flatMap { engine.deletePayment($0.id, at: now) })
      } as [PaymentRecord]
    let ids = Set(chosen.map(\.id))
    let gone = try await parts(withHash: hash).filter { ids.contains($0.id.payment) && $0.status != .pending }
    try await hub.store.commit(gone.flatMap { $0.removals.map(Change.init) })
    let byID = Dictionary(chosen.map { ($0.id, $0) }) { first, _ in first }
    return ["payments": .array(gone.map { .object(json($0, byID[$0.id.payment])) })]
  }

  func listforwards(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let status = try arguments.string(ifPresent: "status")
    let from = try arguments.shortChannelID(ifPresent: "in_channel")
    let to = try arguments.shortChannelID(ifPresent: "out_channel")
    let names = Dictionary(await node.channels().map { ($0.id, $0.shortChannelID ?? $0.localAlias) }) { first, _ in
      first
    }
    let page = try page(arguments)
    let live = try await engine(\.pendingForwards)
    let isWanted = { (forward: ForwardRecord) in
      (status == nil || forward.status.name == status)
        && (from == nil || names[forward.incoming.channel] == from)
        && (to == nil || forward.outgoing.flatMap { names[$0.channel] } == to)
    }
    let chosen = try await hub.past.list(live: live, from: page.start, limit: page.limit, where: isWanted)
    return [
      "forwards": .array(
        chosen.map { forward in
          var object: JSONObject = [
            "created_index": .unsigned(forward.createdIndex), "updated_index": .unsigned(forward.createdIndex),
          ]
          if let name = names[forward.incoming.channel] { object["in_channel"] = .text(name) }
          object["in_htlc_id"] = .unsigned(forward.incoming.id)
          object["in_msat"] = .msat(forward.amountIn)
          object["status"] = .string(forward.status.name)
          object["received_time"] = .preciseTime(forward.receivedAt)
          if let outgoing = forward.outgoing {
            if let name = names[outgoing.channel] { object["out_channel"] = .text(name) }
            object["out_htlc_id"] = .unsigned(outgoing.id)
          }
          if forward.amountOut > .zero {
            object["out_msat"] = .msat(forward.amountOut)
            object["fee_msat"] = .msat(forward.fee)
          }
          if let time = forward.resolvedAt { object["resolved_time"] = .preciseTime(time) }
          if let code = forward.failureCode {
            object["failcode"] = .int(code)
            if let name = FailureCode(rawValue: code).name { object["failreason"] = .string(name) }
          }
          object["style"] = "tlv"
          return .object(object)
        })
    ]
  }
}

extension ForwardRecord.Status {
  var name: String {
    switch self {
    case .offered: "offered"
    case .settled: "settled"
    case .failed: "failed"
    case .localFailed: "local_failed"
    }
  }
}
