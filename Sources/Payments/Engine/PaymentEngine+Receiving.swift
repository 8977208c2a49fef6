internal import Bitcoin
internal import Encoding
internal import GLC
internal import Hashing
internal import Secp256k1
internal import Sphinx
internal import Wire

// Payments to us. A preimage is never released before all parts of a payment are here, irrevocably committed; and then all of
// those parts are taken, and no others.

extension PaymentEngine {
  mutating func accept(_ offer: Incoming, _ instructions: Instructions) throws(Refusal) {
    var incoming = offer
    guard let scheme = schemes[incoming.lock.kind] else { throw unknownDetails(incoming) }
    let target: PaymentLock
    do throws(InvalidPayload) {
      (target, incoming.lockSecret) = try scheme.target(of: incoming.lock, instructions.payload)
    } catch {
      throw .failure(error.failure.failure)
    }
    guard let paymentHash = scheme.identity(of: target) else { throw unknownDetails(incoming) }
    let payload = instructions.payload
    // `validate` has seen to it that they are there.
    guard let amount = payload.amtToForward, let expiry = payload.outgoingCLTVValue else {
      throw .failure(.invalidOnionPayload(type: 2, offset: 0))
    }
    // What was accepted before a restart stays accepted: a set is taken as a whole.
    if let invoice = invoices[paymentHash], invoice.accepted.contains(incoming.key) {
      guard let witness = invoice.preimage.flatMap({ scheme.witness(of: $0, secret: incoming.lockSecret) }) else {
        throw unknownDetails(incoming)
      }
      settle(&incoming, witness, isFinal: true)
      incomings[incoming.key] = incoming
      return
    }
    // BOLT 4: if the `cltv_expiry` from the final node's HTLC is below `outgoing_cltv_value`: MUST return
    // `final_incorrect_cltv_expiry` error.
    guard incoming.expiry >= expiry else {
      throw .failure(.finalIncorrectCLTVExpiry(cltvExpiry: incoming.expiry))
    }
    // BOLT 4: if `amount_msat` from the final node's HTLC is below `amt_to_forward`: MUST return a `final_incorrect_htlc_amount`
    // error.
    guard incoming.amount >= amount else {
      throw .failure(.finalIncorrectHTLCAmount(incomingHTLCAmount: incoming.amount))
    }
    if invoices[paymentHash] == nil, let preimage = payload.keysendPreimage {
      return try acceptKeysend(incoming, preimage, paymentHash, payload)
    }
    // A lock of another kind is none that this invoice asks for, whatever its bytes are.
    guard let invoice = invoices[paymentHash], invoice.status == .unpaid, self.target(of: invoice) == target else {
      throw unknownDetails(incoming)
    }
    let total = try check(incoming, instructions, amount: amount, against: invoice)
    try add(
      incoming, amount: amount, total: total, to: invoice,
      records: payload.unknown.filter { !scheme.payloadTypes.contains($0.type) })
  }

  /// BOLT 4's rules for the final node. Returns `total_msat`.
  private func check(
    _ incoming: Incoming, _ instructions: Instructions, amount: MilliSatoshi, against invoice: InvoiceRecord
  ) throws(Refusal) -> MilliSatoshi {
    let payload = instructions.payload
    // BOLT 4: if the `payment_secret` doesn't match the expected value for that `payment_hash`, or the `payment_secret` is required
    // and is not present: MUST fail the HTLC. In a blinded route of ours, `path_id` stands for it.
    let secret: [UInt8]
    let total: MilliSatoshi
    if let blinded = instructions.blinded {
      guard let pathID = blinded.data.pathID, let sum = payload.totalAmountMsat else { throw unknownDetails(incoming) }
      (secret, total) = (pathID, sum)
    } else {
      guard let data = payload.paymentData else { throw unknownDetails(incoming) }
      (secret, total) = (data.paymentSecret.array, data.totalMsat)
      // BOLT 4: `payment_metadata` isn't present while it should be.
      guard payload.paymentMetadata == invoice.metadata else { throw unknownDetails(incoming) }
    }
    guard Self.isSame(secret, invoice.paymentSecret) else { throw unknownDetails(incoming) }
    guard total > .zero else { throw unknownDetails(incoming) }
    if let asked = invoice.amount {
      // BOLT 4: if the amount paid is less than the amount expected: MUST fail the HTLC. If the amount paid is more than twice the
      // amount expected: SHOULD fail the HTLC.
      guard total >= asked, total.rawValue / 2 <= asked.rawValue, total.rawValue - asked.rawValue <= asked.rawValue
      else { throw unknownDetails(incoming) }
    }
    // BOLT 4: incoming `cltv_expiry` < `current_block_height` + `min_final_cltv_expiry_delta`.
    guard UInt64(incoming.expiry) >= UInt64(height) + UInt64(invoice.minFinalCLTVExpiryDelta) else {
      throw unknownDetails(incoming)
    }
    // Parts of a payment that began in time may come later.
    guard now < invoice.expiresAt || sets[invoice.paymentHash] != nil else { throw unknownDetails(incoming) }
    return total
  }

  private static func isSame(_ given: [UInt8], _ secret: Bytes32) -> Bool {
    given.bytes.constantTimeEquals(secret.bytes)
  }

  /// BOLT 4: adds it to the HTLC set corresponding to that `payment_hash`.
  private mutating func add(
    _ offer: Incoming, amount: MilliSatoshi, total: MilliSatoshi, to invoice: InvoiceRecord, records: [TLVRecord]
  ) throws(Refusal) {
    var incoming = offer
    let paymentHash = invoice.paymentHash
    var set = sets[paymentHash] ?? ReceiveSet(total: total, startedAt: now)
    // What is complete takes no more.
    guard !set.isHeld, set.parts.count < configuration.maximumIncomingParts else { throw unknownDetails(incoming) }
    // BOLT 4: SHOULD fail the entire HTLC set if `total_msat` is not the same for all HTLCs in the set.
    guard set.total == total else {
      failSet(paymentHash) { .incorrectOrUnknownPaymentDetails(htlcMsat: $0.amount, height: $1) }
      throw unknownDetails(incoming)
    }
    set.parts.append(
      ReceiveSet.Part(key: incoming.key, amount: amount, received: incoming.amount, expiry: incoming.expiry))
    guard let sum = set.sum else { throw unknownDetails(incoming) }
    set.records += records
    incoming.stage = .received(paymentHash)
    incomings[incoming.key] = incoming
    sets[paymentHash] = set
    guard sum >= set.total else { return }
    if invoice.kind == .hold {
      sets[paymentHash]?.isHeld = true
      emit(.invoiceHeld(invoice, expiry: set.expiry))
    } else if let preimage = invoice.preimage {
      complete(paymentHash, preimage)
    }
  }

  /// Takes all parts of a payment.
  mutating func complete(_ paymentHash: Bytes32, _ preimage: Bytes32) {
    guard let set = sets.removeValue(forKey: paymentHash), var invoice = invoices[paymentHash] else { return }
    counters.paidInvoices += 1
    counters.invoiceChanges += 1
    invoice.status = .paid
    invoice.preimage = preimage
    invoice.amountReceived = set.received
    invoice.paidAt = now
    invoice.payIndex = counters.paidInvoices
    invoice.updatedIndex = counters.invoiceChanges
    invoice.accepted = set.parts.map(\.key)
    for key in invoice.accepted { acceptedFor[key] = paymentHash }
    // Which parts were accepted is stored before any is taken: whatever happens then, all of them are.
    actions.append(.store([counterChange] + changes(keeping: invoice)))
    for part in set.parts {
      guard var incoming = incomings[part.key],
        let witness = schemes[incoming.lock.kind]?.witness(of: preimage, secret: incoming.lockSecret)
      else { continue }
      settle(&incoming, witness, isFinal: true)
      incomings[part.key] = incoming
    }
    emit(.invoicePaid(invoice, records: set.records))
  }

  /// Gives all parts of a payment back.
  mutating func failSet(
    _ paymentHash: Bytes32, _ failure: (Incoming, UInt32) -> FailureMessage.Failure
  ) {
    guard let set = sets.removeValue(forKey: paymentHash) else { return }
    for part in set.parts {
      guard var incoming = incomings[part.key] else { continue }
      refuse(&incoming, .failure(failure(incoming, height)))
      incomings[part.key] = incoming
    }
  }

  /// A part is gone without our doing.
  mutating func leave(_ paymentHash: Bytes32, _ key: PaymentKey) {
    sets[paymentHash]?.parts.removeAll { $0.key == key }
    guard let set = sets[paymentHash] else { return }
    if set.parts.isEmpty {
      sets[paymentHash] = nil
    } else if (set.sum ?? .zero) < set.total {
      sets[paymentHash]?.isHeld = false
    }
  }

  /// A part that paid an invoice is gone for good.
  mutating func forgetAccepted(_ key: PaymentKey) {
    guard let paymentHash = acceptedFor.removeValue(forKey: key), var invoice = invoices[paymentHash],
      let index = invoice.accepted.firstIndex(of: key)
    else { return }
    invoice.accepted.remove(at: index)
    if invoice.accepted.isEmpty {
      actions.append(.store(changes(keeping: invoice)))
    } else {
      invoices[paymentHash] = invoice
    }
  }

  // MARK: Without an invoice

  /// A payment without an invoice that may have been made before: the store knows.
  struct KeysendOffer: Sendable {
    var incoming: Incoming
    var preimage: Bytes32
    var paymentHash: Bytes32
    var payload: HopPayload

    var label: String { "keysend-\(paymentHash)" }
  }

  /// bLIP 3. Of payments locked by a hash alone: the hash of what the payer brings along is the payment's name.
  private mutating func acceptKeysend(
    _ offer: Incoming, _ preimage: Bytes32, _ paymentHash: Bytes32, _ payload: HopPayload
  ) throws(Refusal) {
    // bLIP 3: if failing the payment due to not wanting to accept keysend payments or if the preimage does not match the payment
    // hash, SHOULD error with `PERM|15 incorrect_or_unknown_payment_details`. It comes in one piece: nobody has agreed on a secret
    // that parts could be told by.
    guard configuration.acceptsKeysend, sha256(preimage.bytes) == paymentHash,
      payload.paymentData.map({ $0.totalMsat <= offer.amount }) ?? true
    else { throw unknownDetails(offer) }
    let question = KeysendOffer(incoming: offer, preimage: preimage, paymentHash: paymentHash, payload: payload)
    ask(.invoices(hashes: [paymentHash], labels: [question.label]), about: .keysend(question), offer)
  }

  mutating func acceptKeysend(_ question: KeysendOffer) throws(Refusal) {
    let (paymentHash, preimage, payload) = (question.paymentHash, question.preimage, question.payload)
    var incoming = question.incoming
    guard invoices[paymentHash] == nil, invoiceLabels[question.label] == nil,
      UInt64(incoming.expiry) >= UInt64(height) + UInt64(configuration.fulfillmentMargin)
    else { throw unknownDetails(incoming) }
    counters.invoices += 1
    let invoice = InvoiceRecord(
      paymentHash: paymentHash, kind: .keysend, preimage: preimage, paymentSecret: Bytes32(), label: question.label,
      bolt11: "", description: "keysend", amount: nil, metadata: nil,
      minFinalCLTVExpiryDelta: configuration.fulfillmentMargin, createdAt: now, expiresAt: now,
      createdIndex: counters.invoices)
    invoices[paymentHash] = invoice
    invoiceLabels[invoice.label] = paymentHash
    incoming.stage = .received(paymentHash)
    incomings[incoming.key] = incoming
    sets[paymentHash] = ReceiveSet(
      total: incoming.amount,
      parts: [
        ReceiveSet.Part(
          key: incoming.key, amount: incoming.amount, received: incoming.amount, expiry: incoming.expiry)
      ],
      startedAt: now, records: payload.unknown)
    complete(paymentHash, preimage)
  }

  /// What an invoice of ours asks for.
  func target(of invoice: InvoiceRecord) -> PaymentLock? {
    invoice.target ?? scheme.target(paymentHash: invoice.paymentHash)
  }

  func unknownDetails(_ incoming: Incoming) -> Refusal {
    .failure(.incorrectOrUnknownPaymentDetails(htlcMsat: incoming.amount, height: height))
  }
}
