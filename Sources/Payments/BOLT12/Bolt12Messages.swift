public import Encoding
public import Secp256k1
public import Bitcoin
internal import Sphinx
internal import Wire

/// An offer, `lno1…`: what an invoice can be requested for (BOLT 12 §Offers). Its expiry and chains are for the caller to judge.
public struct Offer: Hashable, Sendable {
  /// Every record, known or not.
  public let tlvs: TLVStream
  public let fields: Bolt12Fields

  /// Checks what a reader must check before it responds.
  public init(tlvs: TLVStream) throws(Bolt12Error) {
    for record in tlvs.records {
      // BOLT 12: if the offer contains any TLV fields outside the inclusive ranges: 1 to 79 and 1000000000 to 1999999999: MUST NOT
      // respond to the offer.
      guard 1...79 ~= record.type || 1_000_000_000...1_999_999_999 ~= record.type else {
        throw .forbiddenType(record.type)
      }
    }
    try tlvs.refuseUnknownEven(except: Bolt12Fields.offerTypes)
    let fields = try Bolt12Fields(tlvs)
    try fields.requireKnown(fields.offerFeatures, of: 12, known: [])
    // BOLT 12: if `offer_amount` is set and `offer_description` is not set: MUST NOT respond to the offer.
    if fields.offerAmount != nil && fields.offerDescription == nil { throw .missingField(10) }
    // BOLT 12: if `offer_amount` is set and is not greater than zero: MUST NOT respond to the offer.
    if fields.offerAmount == 0 { throw .invalidField(8, "zero") }
    // BOLT 12: if `offer_currency` is set and `offer_amount` is not set: MUST NOT respond to the offer.
    if fields.offerCurrency != nil && fields.offerAmount == nil { throw .missingField(8) }
    // BOLT 12: if neither `offer_issuer_id` nor `offer_paths` are set: MUST NOT respond to the offer.
    if fields.offerIssuerID == nil && fields.offerPaths == nil { throw .missingField(22) }
    self.tlvs = tlvs
    self.fields = fields
  }

  public init(decoding text: String) throws(Bolt12Error) {
    try self.init(tlvs: Bolt12Text.decode(text, expecting: .offer))
  }

  public var text: String { Bolt12Text.encode(.offer, tlvs) }

  /// BOLT 12: if `offer_chains` is not set: if the node does not accept bitcoin invoices: MUST NOT respond to the offer. Otherwise: if the
  /// node does not accept invoices for any of the `chains`: MUST NOT respond to the offer.
  public func allows(_ chain: BlockHash) -> Bool {
    fields.offerChains?.contains(chain) ?? (chain == Network.bitcoin.genesisBlockHash)
  }

  /// BOLT 12: if the current time is after `offer_absolute_expiry`: MUST NOT respond to the offer. `now` in seconds since 1970.
  public func isExpired(at now: UInt64) -> Bool { fields.offerAbsoluteExpiry.map { now > $0 } ?? false }
}

/// An invoice request, `lnr1…`: the response to an offer, or an offer to send money (BOLT 12 §Invoice Requests).
public struct InvoiceRequest: Hashable, Sendable {
  public let tlvs: TLVStream
  public let fields: Bolt12Fields

  /// Checks what a reader can tell from the request alone. With `checkingSignature` false it may lack its signature, or have a wrong one.
  public init(tlvs: TLVStream, checkingSignature: Bool = true) throws(Bolt12Error) {
    for record in tlvs.records where !Bolt12Merkle.signatureTypes.contains(record.type) {
      // BOLT 12: MUST reject the invoice request if any non-signature TLV fields are outside the inclusive ranges: 0 to 159 and
      // 1000000000 to 2999999999.
      guard record.type <= 159 || 1_000_000_000...2_999_999_999 ~= record.type else {
        throw .forbiddenType(record.type)
      }
    }
    try tlvs.refuseUnknownEven(except: Bolt12Fields.invoiceRequestTypes)
    let fields = try Bolt12Fields(tlvs)
    self.tlvs = tlvs
    self.fields = fields
    // BOLT 12: MUST reject the invoice request if `invreq_payer_id` or `invreq_metadata` are not present.
    if fields.invreqMetadata == nil { throw .missingField(0) }
    if fields.invreqPayerID == nil { throw .missingField(88) }
    try fields.requireKnown(fields.invreqFeatures, of: 84, known: [])
    if isForOffer {
      try checkOffer()
    } else {
      // BOLT 12: MUST reject the invoice request if any of the following are present: `offer_chains`, `offer_features` or
      // `offer_quantity_max`.
      for type in [2, 12, 20] as [UInt64] where tlvs[type] != nil { throw .forbiddenType(type) }
      // BOLT 12: MUST reject the invoice request if `invreq_amount` is not present.
      if fields.invreqAmount == nil { throw .missingField(82) }
    }
    guard checkingSignature else { return }
    // BOLT 12: MUST reject the invoice request if `signature` is not correct as detailed in Signature Calculation using the
    // `invreq_payer_id`. (A writer that responds to no offer MUST NOT include one.)
    guard isSignatureValid ?? !isForOffer else { throw .invalidSignature }
  }

  public init(decoding text: String) throws(Bolt12Error) {
    try self.init(tlvs: Bolt12Text.decode(text, expecting: .invoiceRequest))
  }

  /// BOLT 12: if `offer_issuer_id` or `offer_paths` are present (response to an offer).
  public var isForOffer: Bool { fields.offerIssuerID != nil || fields.offerPaths != nil }

  /// Whether the payer's key signed it; nil when there is no signature.
  public var isSignatureValid: Bool? {
    guard let key = fields.invreqPayerID, tlvs[Bolt12Fields.signature] != nil else { return nil }
    return Bolt12Merkle.isSigned(tlvs, kind: .invoiceRequest, by: key)
  }

  /// The chain that is to be paid on: bitcoin when there is no `invreq_chain`.
  public var chain: BlockHash { fields.invreqChain ?? Network.bitcoin.genesisBlockHash }

  /// BOLT 12: MUST reject the invoice request if the offer fields do not exactly match a valid, unexpired offer. (And "MUST set
  /// `invreq_chain` to one of the `offer_chains`", or leave it out where bitcoin is one.)
  public func responds(to offer: Offer) -> Bool {
    let mirrored = tlvs.records.filter { 1...79 ~= $0.type || 1_000_000_000...1_999_999_999 ~= $0.type }
    return mirrored == offer.tlvs.records && offer.allows(chain)
  }

  private func checkOffer() throws(Bolt12Error) {
    switch (fields.offerQuantityMax, fields.invreqQuantity) {
    // BOLT 12: MUST reject the invoice request if there is no `invreq_quantity` field.
    case (_?, nil): throw .missingField(86)
    // BOLT 12: if `offer_quantity_max` is non-zero: MUST reject the invoice request if `invreq_quantity` is zero, OR greater than
    // `offer_quantity_max`.
    case (let maximum?, let quantity?):
      if maximum != 0 && quantity > maximum { throw .invalidField(86, "more than offer_quantity_max") }
      if quantity == 0 { throw .invalidField(86, "zero") }
    // BOLT 12: MUST reject the invoice request if there is an `invreq_quantity` field.
    case (nil, _?): throw .forbiddenType(86)
    case (nil, nil): break
    }
    guard let amount = fields.offerAmount else {
      // BOLT 12: MUST reject the invoice request if it does not contain `invreq_amount`.
      if fields.invreqAmount == nil { throw .missingField(82) }
      return
    }
    // BOLT 12: if `offer_currency` is not the `invreq_chain` currency, convert: only the offer's writer can.
    guard fields.offerCurrency == nil else { return }
    let (expected, overflow) = amount.multipliedReportingOverflow(by: fields.invreqQuantity ?? 1)
    if overflow { throw .invalidField(86, "an amount of more than 64 bits") }
    // BOLT 12: MUST reject the invoice request if `invreq_amount`.`msat` is less than the *expected amount*.
    if let offered = fields.invreqAmount, offered.rawValue < expected {
      throw .invalidField(82, "less than the offer asks for")
    }
  }

  public var text: String { Bolt12Text.encode(.invoiceRequest, tlvs) }

  /// Signs the records, which have no signature yet, with the key of `invreq_payer_id`.
  public static func sign(
    _ tlvs: TLVStream, with key: borrowing KeyPair, auxRand: Bytes32
  ) throws(Bolt12Error) -> InvoiceRequest {
    try InvoiceRequest(tlvs: Bolt12Merkle.sign(tlvs, kind: .invoiceRequest, with: key, auxRand: auxRand))
  }
}

/// An invoice of BOLT 12, `lni1…` (§Invoices).
public struct Bolt12Invoice: Hashable, Sendable {
  public let tlvs: TLVStream
  public let fields: Bolt12Fields

  /// Checks what a reader can tell from the invoice alone: not the clock, nor whether it is what was requested (`answers`).
  public init(tlvs: TLVStream, checkingSignature: Bool = true) throws(Bolt12Error) {
    try tlvs.refuseUnknownEven(except: Bolt12Fields.invoiceTypes)
    let fields = try Bolt12Fields(tlvs)
    // BOLT 12: MUST reject the invoice if `invoice_amount`, `invoice_created_at`, `invoice_payment_hash`, `invoice_node_id`,
    // `invoice_paths`, `invoice_blindedpay` is not present.
    for type in [160, 162, 164, 168, 170, 176] as [UInt64] where tlvs[type] == nil { throw .missingField(type) }
    try fields.requireKnown(fields.invoiceFeatures, of: 174, known: [.basicMPP])
    let payInfo = fields.invoiceBlindedPay ?? []
    // BOLT 12: MUST reject the invoice if `invoice_blindedpay` does not contain exactly one `blinded_payinfo` per
    // `invoice_paths`.`blinded_path`.
    guard payInfo.count == fields.invoicePaths?.count else { throw .invalidField(162, "not one for each path") }
    // BOLT 12: MUST NOT use the corresponding `invoice_paths`.`path` if `payinfo`.`features` has any unknown even bits set. MUST reject
    // the invoice if this leaves no usable paths.
    guard payInfo.contains(where: { FeatureSet(bytes: $0.features).unknownRequiredBit(supported: []) == nil }) else {
      throw .invalidField(162, "every path requires an unknown feature")
    }
    // BOLT 12: if `offer_issuer_id` is present: MUST reject the invoice if `invoice_node_id` is not equal to `offer_issuer_id`.
    if let issuer = fields.offerIssuerID, issuer != fields.invoiceNodeID {
      throw .invalidField(176, "not the offer_issuer_id")
    }
    // BOLT 12: if `invreq_amount` is present: MUST reject the invoice if `invoice_amount` is not equal to `invreq_amount`.
    if let requested = fields.invreqAmount, requested != fields.invoiceAmount {
      throw .invalidField(170, "not the invreq_amount")
    }
    self.tlvs = tlvs
    self.fields = fields
    guard checkingSignature else { return }
    // BOLT 12: MUST reject the invoice if `signature` is not a valid signature using `invoice_node_id`.
    guard isSignatureValid == true else { throw .invalidSignature }
  }

  public init(decoding text: String) throws(Bolt12Error) {
    try self.init(tlvs: Bolt12Text.decode(text, expecting: .invoice))
  }

  /// Whether the key of `invoice_node_id` signed it; nil when there is no signature.
  public var isSignatureValid: Bool? {
    guard let key = fields.invoiceNodeID, tlvs[Bolt12Fields.signature] != nil else { return nil }
    return Bolt12Merkle.isSigned(tlvs, kind: .invoice, by: key)
  }

  /// BOLT 12: MUST reject the invoice if all fields in ranges 0 to 159 and 1000000000 to 2999999999 (inclusive) do not exactly match the
  /// invoice request.
  public func answers(_ request: InvoiceRequest) -> Bool {
    func mirrored(_ stream: TLVStream) -> [TLVRecord] {
      stream.records.filter { $0.type <= 159 || 1_000_000_000...2_999_999_999 ~= $0.type }
    }
    return mirrored(tlvs) == mirrored(request.tlvs)
  }

  /// BOLT 12: otherwise (…) `invoice_created_at` plus 7200. Seconds since 1970.
  public var expiresAt: UInt64 {
    let (sum, overflow) = (fields.invoiceCreatedAt ?? 0).addingReportingOverflow(
      UInt64(fields.invoiceRelativeExpiry ?? 7200))
    return overflow ? .max : sum
  }

  /// BOLT 12: MUST reject the invoice if the current time since 1970-01-01 UTC is greater than `invoice_created_at` plus
  /// `seconds_from_creation`. `now` in seconds since 1970.
  public func isExpired(at now: UInt64) -> Bool { now > expiresAt }

  /// The chain that is to be paid on: bitcoin when there is no `invreq_chain`.
  public var chain: BlockHash { fields.invreqChain ?? Network.bitcoin.genesisBlockHash }

  public var text: String { Bolt12Text.encode(.invoice, tlvs) }

  /// Signs the records, which have no signature yet, with the key of `invoice_node_id`.
  public static func sign(
    _ tlvs: TLVStream, with key: borrowing KeyPair, auxRand: Bytes32
  ) throws(Bolt12Error) -> Bolt12Invoice {
    try Bolt12Invoice(tlvs: Bolt12Merkle.sign(tlvs, kind: .invoice, with: key, auxRand: auxRand))
  }
}

extension Bolt12Text {
  static func decode(_ text: String, expecting expected: Kind) throws(Bolt12Error) -> TLVStream {
    let (kind, tlvs) = try decode(text)
    guard kind == expected else { throw .wrongKind(kind) }
    return tlvs
  }
}

extension TLVStream {
  fileprivate func refuseUnknownEven(except known: [UInt64]) throws(Bolt12Error) {
    for record in records where record.type.isMultiple(of: 2) && !known.contains(record.type) {
      throw .unknownEvenType(record.type)
    }
  }
}

extension Bolt12Fields {
  /// BOLT 12: contains unknown _odd_ bits that are non-zero: MUST ignore the bit; unknown _even_ bits: MUST reject.
  fileprivate func requireKnown(_ features: FeatureSet?, of type: UInt64, known: [Feature]) throws(Bolt12Error) {
    if let bit = features?.unknownRequiredBit(supported: known) { throw .unknownFeature(type, bit: bit) }
  }
}
