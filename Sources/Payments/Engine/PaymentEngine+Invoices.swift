internal import Bitcoin
public import Encoding
internal import GLC
internal import Hashing
internal import Secp256k1
internal import Sphinx
internal import Wire

extension PaymentEngine {
  /// Makes an invoice. It may be shown once the `store` among the actions is durable. To be recalled before: invoices with this label, or
  /// with the payment hash that the terms ask for.
  public mutating func createInvoice(
    _ request: InvoiceTerms, at time: PaymentTime
  ) throws(InvoiceRefusal) -> (InvoiceRecord, [PaymentAction]) {
    begin(at: time)
    guard invoiceLabels[request.label] == nil else { throw .labelExists(request.label) }
    let delta = request.minFinalCLTVExpiryDelta ?? configuration.minFinalCLTVExpiryDelta
    guard delta >= configuration.fulfillmentMargin else { throw .deltaTooSmall(configuration.fulfillmentMargin) }
    let scheme = try scheme(of: request)
    let held = request.holdTarget ?? request.holdHash.flatMap(scheme.target(paymentHash:))
    let preimage = held == nil ? request.preimage ?? entropy.next() : request.preimage
    guard let target = held ?? preimage.flatMap(scheme.target(of:)), let paymentHash = scheme.identity(of: target)
    else {
      throw .wrongPreimage
    }
    if let preimage, scheme.target(of: preimage) != target { throw .wrongPreimage }
    guard invoices[paymentHash] == nil else { throw .preimageExists }
    var features = configuration.invoiceFeatures
    if request.metadata != nil { features[.paymentMetadata] = .optional }
    var contents = Bolt11Invoice.Contents(
      network: configuration.network, amount: request.amount, timestamp: now.seconds, paymentHash: paymentHash,
      paymentSecret: entropy.next(),
      description: request.hashesDescription
        ? .hash(sha256(Array(request.description.utf8))) : .text(request.description),
      metadata: request.metadata, expiry: request.expiry, minFinalCLTVExpiryDelta: UInt64(delta),
      fallbacks: request.fallbacks.map { Bolt11Invoice.Fallback($0) },
      routeHints: hints(request.exposure, scheme.kind, amount: request.amount), features: features)
    scheme.describe(target, in: &contents)
    let invoice: Bolt11Invoice
    do throws(Bolt11Error) {
      invoice = try nodeKey.sign(contents)
    } catch {
      throw .invalid(error)
    }
    counters.invoices += 1
    let record = InvoiceRecord(
      paymentHash: paymentHash, target: target == self.scheme.target(paymentHash: paymentHash) ? nil : target,
      kind: held == nil ? .ordinary : .hold, preimage: preimage,
      paymentSecret: contents.paymentSecret, label: request.label, bolt11: invoice.text,
      description: request.description, amount: request.amount, metadata: request.metadata,
      minFinalCLTVExpiryDelta: delta, createdAt: now, expiresAt: PaymentTime(seconds: contents.expiresAt),
      createdIndex: counters.invoices)
    invoiceLabels[record.label] = paymentHash
    nextInvoiceExpiry = min(nextInvoiceExpiry, record.expiresAt)
    actions.append(.store([counterChange] + changes(keeping: record)))
    emit(.invoiceCreated(record))
    return (record, finish())
  }

  private func scheme(of request: InvoiceTerms) throws(InvoiceRefusal) -> any PaymentScheme {
    guard let scheme = schemes[request.kind ?? request.holdTarget?.kind ?? self.scheme.kind],
      request.holdTarget.map({ $0.kind == scheme.kind }) ?? true,
      request.holdHash.map({ scheme.target(paymentHash: $0) != nil }) ?? true
    else { throw .unknownKind }
    return scheme
  }

  /// Takes the payment of a hold invoice.
  public mutating func settleInvoice(
    _ paymentHash: Bytes32, preimage: Bytes32, at time: PaymentTime
  ) throws(InvoiceRefusal) -> [PaymentAction] {
    begin(at: time)
    guard let invoice = invoices[paymentHash] else { throw .unknown }
    guard invoice.status == .unpaid else { throw .wrongStatus(invoice.status) }
    guard let target = target(of: invoice), schemes[target.kind]?.target(of: preimage) == target else {
      throw .wrongPreimage
    }
    guard sets[paymentHash]?.isHeld == true else { throw .notHeld }
    complete(paymentHash, preimage)
    return finish()
  }

  /// Gives the payment of an invoice back, as far as it is here, and takes no more.
  public mutating func cancelInvoice(
    _ paymentHash: Bytes32, at time: PaymentTime
  ) throws(InvoiceRefusal) -> [PaymentAction] {
    begin(at: time)
    guard let invoice = invoices[paymentHash] else { throw .unknown }
    guard invoice.status == .unpaid else { throw .wrongStatus(invoice.status) }
    cancel(paymentHash)
    return finish()
  }

  /// Forgets an invoice that is in this state (nil: in any), and that no payment is under way for.
  public mutating func deleteInvoice(
    _ paymentHash: Bytes32, status: InvoiceRecord.Status?, at time: PaymentTime
  ) throws(InvoiceRefusal) -> (InvoiceRecord, [PaymentAction]) {
    begin(at: time)
    guard let invoice = invoices[paymentHash] else { throw .unknown }
    guard status == nil || invoice.status == status, sets[paymentHash] == nil, invoice.accepted.isEmpty else {
      throw .wrongStatus(invoice.status)
    }
    drop(invoice)
    if invoice.isOver {
      deletedInvoices.insert(paymentHash)
      leave(.deletedInvoice(paymentHash))
      actions.append(.store(invoice.removals))
    } else {
      store(RecordChange(.invoices, key: invoice.liveKey, value: nil))
    }
    emit(.invoiceDeleted(invoice))
    return (invoice, finish())
  }

  /// The invoice that is paid by releasing these 32 bytes.
  public func invoice(openedBy secret: Bytes32) -> InvoiceRecord? {
    for scheme in schemes.values {
      guard let target = scheme.target(of: secret), let identity = scheme.identity(of: target),
        let invoice = invoices[identity], self.target(of: invoice) == target
      else { continue }
      return invoice
    }
    return nil
  }

  public func invoice(label: String) -> InvoiceRecord? { invoiceLabels[label].flatMap { invoices[$0] } }

  /// Whether all parts of a payment to a hold invoice are here.
  public func isHeld(_ paymentHash: Bytes32) -> Bool { sets[paymentHash]?.isHeld ?? false }

  mutating func cancel(_ paymentHash: Bytes32) {
    guard var invoice = invoices[paymentHash] else { return }
    counters.invoiceChanges += 1
    invoice.status = .cancelled
    invoice.updatedIndex = counters.invoiceChanges
    actions.append(.store([counterChange] + changes(keeping: invoice)))
    failSet(paymentHash) { .incorrectOrUnknownPaymentDetails(htlcMsat: $0.amount, height: $1) }
    emit(.invoiceCancelled(invoice))
  }

  /// Ways to us through private channels.
  private func hints(
    _ exposure: InvoiceTerms.Exposure, _ kind: ExtensionID, amount: MilliSatoshi?
  ) -> [[Bolt11Invoice.RouteHop]] {
    let open = channels.values.filter { $0.state != .closing && $0.kinds.contains(kind) }
    let isReachable = open.contains { $0.isPublic && $0.peerPolicy != nil }
    let candidates = open.filter { channel in
      guard channel.hintName != nil, channel.peerPolicy != nil else { return false }
      return switch exposure {
      case .automatic: !channel.isPublic && !isReachable
      case .all: !channel.isPublic
      case .none: false
      case .only(let wanted): channel.ownNames.contains(where: wanted.contains)
      }
    }
    // Those that can take it all first, then the larger ones.
    let sorted = candidates.sorted {
      let (a, b) = ($0.receivable ?? .zero, $1.receivable ?? .zero)
      return a == b ? $0.id < $1.id : a > b
    }
    let sufficient = sorted.filter { ($0.receivable ?? .zero) >= (amount ?? .zero) }
    return (sufficient.isEmpty ? sorted : sufficient).prefix(Self.maximumHints).compactMap { channel in
      guard let name = channel.hintName, let policy = channel.peerPolicy else { return nil }
      return [
        Bolt11Invoice.RouteHop(
          nodeID: channel.peer, shortChannelID: name, feeBaseMsat: policy.feeBaseMsat,
          feeProportionalMillionths: policy.feeProportionalMillionths, cltvExpiryDelta: policy.cltvExpiryDelta)
      ]
    }
  }

  /// More would make invoices long for little.
  private static let maximumHints = 4
}

extension PaymentChannel {
  /// What an invoice may call it. BOLT 2: if `channel_type` has `option_scid_alias` set: MUST NOT use the real `short_channel_id` in
  /// BOLT 11 `r` fields.
  var hintName: ShortChannelID? { peerAlias ?? (hidesShortChannelID ? nil : shortChannelID) }
}
