internal import Bitcoin
internal import Encoding
internal import JSON
internal import Payments
internal import RPC
internal import Secp256k1
internal import Sphinx
internal import Wire

extension Handlers {
  /// `lightning:` may stand before an invoice.
  static func withoutScheme(_ text: String) -> String {
    text.lowercased().hasPrefix("lightning:") ? String(text.dropFirst(10)) : text
  }

  static func isBolt12(_ text: String) -> Bool {
    ["lno1", "lnr1", "lni1"].contains(String(withoutScheme(text).lowercased().prefix(4)))
  }

  func decodepay(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    do {
      let invoice = try Bolt11Invoice(decoding: Self.withoutScheme(try arguments.string("bolt11")))
      return .object(json(invoice))
    } catch let error as Bolt11Error {
      throw RPCError(.invalidParams, "Invalid bolt11: \(error)")
    }
  }

  func decode(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let text = Self.withoutScheme(try arguments.string("string"))
    if Self.isBolt12(text) { return try bolt12(text) }
    do {
      let invoice = try Bolt11Invoice(decoding: text)
      var object: JSONObject = ["type": "bolt11 invoice"]
      for (name, value) in json(invoice).members { object[name] = value }
      object["valid"] = true
      return .object(object)
    } catch {
      throw RPCError(.invalidParams, "string: cannot be decoded: \(error)")
    }
  }

  private func json(_ invoice: Bolt11Invoice) -> JSONObject {
    let contents = invoice.contents
    var object: JSONObject = [
      "currency": .string(contents.network == .signet ? "tbs" : contents.network.segwitPrefix),
      "created_at": .unsigned(contents.timestamp),
      "expiry": .unsigned(contents.expiry ?? Bolt11Invoice.Contents.defaultExpiry), "payee": .text(invoice.payee),
    ]
    if let amount = contents.amount { object["amount_msat"] = .msat(amount) }
    switch contents.description {
    case .text(let text): object["description"] = .string(text)
    case .hash(let hash): object["description_hash"] = .hex(hash)
    }
    object["min_final_cltv_expiry"] = .unsigned(
      contents.minFinalCLTVExpiryDelta ?? Bolt11Invoice.Contents.defaultMinFinalCLTVExpiryDelta)
    object["payment_secret"] = .hex(contents.paymentSecret)
    object["features"] = contents.features.hex
    if let metadata = contents.metadata { object["payment_metadata"] = .hex(metadata) }
    if !contents.fallbacks.isEmpty {
      object["fallbacks"] = .array(
        contents.fallbacks.compactMap { fallback in
          guard let destination = fallback.destination else { return nil }
          return [
            "type": .string(destination.kindName), "addr": .text(Address(destination, on: contents.network)),
            "hex": .hex(destination.scriptPubKey.bytes),
          ]
        })
    }
    if !contents.routeHints.isEmpty {
      object["routes"] = .array(
        contents.routeHints.map { hint in
          .array(
            hint.map { hop in
              [
                "pubkey": .text(hop.nodeID), "short_channel_id": .text(hop.shortChannelID),
                "fee_base_msat": .int(hop.feeBaseMsat),
                "fee_proportional_millionths": .int(hop.feeProportionalMillionths),
                "cltv_expiry_delta": .int(hop.cltvExpiryDelta),
              ]
            })
        })
    }
    if !contents.unknownFields.isEmpty {
      object["extra"] = .array(
        contents.unknownFields.map { ["tag": .text($0.tag), "data": .hex($0.data)] })
    }
    object["payment_hash"] = .hex(contents.paymentHash)
    if let point = contents.paymentPoint { object["payment_point"] = .text(point) }
    object["signature"] = .hex(invoice.signature.signature.der)
    return object
  }

  // MARK: BOLT 12

  private func bolt12(_ text: String) throws -> JSONValue {
    let (kind, tlvs): (Bolt12Text.Kind, TLVStream)
    do { (kind, tlvs) = try Bolt12Text.decode(text) } catch {
      throw RPCError(.invalidParams, "string: cannot be decoded: \(error)")
    }
    let type =
      switch kind {
      case .offer: "bolt12 offer"
      case .invoiceRequest: "bolt12 invoice_request"
      case .invoice: "bolt12 invoice"
      }
    do {
      var object: JSONObject
      switch kind {
      case .offer:
        let offer = try Offer(tlvs: tlvs)
        object = ["type": .string(type), "offer_id": .hex(Bolt12Merkle.root(of: tlvs) ?? Bytes32())]
        fields(offer.fields, into: &object)
      case .invoiceRequest:
        let request = try InvoiceRequest(tlvs: tlvs)
        object = ["type": .string(type)]
        fields(request.fields, into: &object)
      case .invoice:
        let invoice = try Bolt12Invoice(tlvs: tlvs)
        object = ["type": .string(type)]
        fields(invoice.fields, into: &object)
      }
      object["valid"] = true
      return .object(object)
    } catch {
      return ["type": .string(type), "valid": false, "warning_invalid": .text(error)]
    }
  }

  private func fields(_ fields: Bolt12Fields, into object: inout JSONObject) {
    object["offer_chains"] = fields.offerChains.map { .array($0.map { .hex($0.raw) }) }
    object["offer_metadata"] = fields.offerMetadata.map { .hex($0) }
    object["offer_currency"] = fields.offerCurrency.map { .string($0) }
    if let amount = fields.offerAmount {
      object[fields.offerCurrency == nil ? "offer_amount_msat" : "offer_amount"] = .unsigned(amount)
    }
    object["offer_description"] = fields.offerDescription.map { .string($0) }
    object["offer_absolute_expiry"] = fields.offerAbsoluteExpiry.map { .unsigned($0) }
    object["offer_issuer"] = fields.offerIssuer.map { .string($0) }
    object["offer_quantity_max"] = fields.offerQuantityMax.map { .unsigned($0) }
    object["offer_issuer_id"] = fields.offerIssuerID.map { .text($0) }
    object["offer_features"] = fields.offerFeatures.map { $0.hex }
    if let paths = fields.offerPaths { object["offer_paths"] = .array(paths.map { ["hops": .int($0.hops.count)] }) }
    object["invreq_metadata"] = fields.invreqMetadata.map { .hex($0) }
    object["invreq_chain"] = fields.invreqChain.map { .hex($0.raw) }
    object["invreq_amount_msat"] = fields.invreqAmount.map { .msat($0) }
    object["invreq_features"] = fields.invreqFeatures.map { $0.hex }
    object["invreq_quantity"] = fields.invreqQuantity.map { .unsigned($0) }
    object["invreq_payer_id"] = fields.invreqPayerID.map { .text($0) }
    object["invreq_payer_note"] = fields.invreqPayerNote.map { .string($0) }
    object["invoice_created_at"] = fields.invoiceCreatedAt.map { .unsigned($0) }
    object["invoice_relative_expiry"] = fields.invoiceRelativeExpiry.map { .int($0) }
    object["invoice_payment_hash"] = fields.invoicePaymentHash.map { .hex($0) }
    object["invoice_amount_msat"] = fields.invoiceAmount.map { .msat($0) }
    object["invoice_node_id"] = fields.invoiceNodeID.map { .text($0) }
  }
}

extension Destination {
  var kindName: String {
    switch self {
    case .p2pkh: "P2PKH"
    case .p2sh: "P2SH"
    case .witness(let program):
      switch (program.version, program.program.count) {
      case (0, 20): "P2WPKH"
      case (0, _): "P2WSH"
      case (1, 32): "P2TR"
      default: "witness_v\(program.version)"
      }
    }
  }
}
