internal import Bitcoin
internal import Encoding
internal import Foundation
internal import JSON
internal import Payments
internal import Secp256k1
internal import Wire

extension OperationGroup {
  static let invoices = OperationGroup(
    "Invoices and offers", [decodeInvoice, encodeInvoice, decodeBolt12, merkle, signMessage, verifyMessage])
}

// MARK: BOLT 11

private let decodeInvoice = Operation(
  "invoice.decode", "Reads an invoice of BOLT 11. Refuses what must not be paid, whatever the clock says.",
  Parameter("invoice", .string),
  returns: [
    "network": "bitcoin | testnet | signet | regtest", "amount_msat": "integer; null when the payer chooses",
    "timestamp": "seconds since 1970", "payment_hash": "hex", "payee": "the public key that signed",
    "description": "text, or null", "description_hash": "hex, or null",
    "expiry": "seconds; null for the default, 3600", "min_final_cltv": "blocks; null for the default, 18",
    "route_hints": "[[{node_id, short_channel_id, fee_base_msat, fee_proportional_millionths, cltv_expiry_delta}]]",
    "fallbacks": "[{version, program, address}]; the address is null for a version that nobody knows",
    "features": "[bit]", "payment_secret": "hex", "metadata": "hex, or null", "signature": "64 bytes, r and s",
    "recovery_id": "0 to 3",
    "payment_point": "hex; only in an invoice that asks for a payment locked by points: payment_hash is its hash",
    "unknown": "[{tag, data_length, data}]: fields that must be skipped; data padded to bytes",
  ]
) { text in
  let invoice = try Bolt11Invoice(decoding: text)
  let contents = invoice.contents
  var description: JSONValue = .null
  var descriptionHash: JSONValue = .null
  switch contents.description {
  case .text(let text): description = .string(text)
  case .hash(let hash): descriptionHash = .hex(hash)
  }
  var result: JSONObject = [
    "network": .string(contents.network.toolName),
    "amount_msat": contents.amount.map { .unsigned($0.rawValue) } ?? .null,
    "timestamp": .unsigned(contents.timestamp), "payment_hash": .hex(contents.paymentHash),
    "payee": .hex(invoice.payee), "description": description, "description_hash": descriptionHash,
    "expiry": contents.expiry.map { .unsigned($0) } ?? .null,
    "min_final_cltv": contents.minFinalCLTVExpiryDelta.map { .unsigned($0) } ?? .null,
    "route_hints": .array(contents.routeHints.map { .array($0.map(\.json)) }),
    "fallbacks": .array(contents.fallbacks.map { $0.json(on: contents.network) }),
    "features": .array(contents.features.bits.map { .int($0) }), "payment_secret": .hex(contents.paymentSecret),
    "metadata": contents.metadata.map { .hex($0) } ?? .null, "signature": .hex(invoice.signature.signature.compact),
    "recovery_id": .int(invoice.signature.recoveryID), "unknown": .array(contents.unknownFields.map(\.json)),
  ]
  if let point = contents.paymentPoint { result["payment_point"] = .hex(point) }
  return result
}

private let encodeInvoice = Operation(
  "invoice.encode", "Writes and signs an invoice of BOLT 11.",
  Parameter("private_key", .secretKey), Parameter("payment_hash", .bytes32), Parameter("payment_secret", .bytes32),
  Parameter(optional: "amount_msat", .uint64, "the payer chooses when there is none"),
  Parameter(optional: "description", .string), Parameter(optional: "description_hash", .bytes32, "instead of it"),
  Parameter(optional: "network", .network, "bitcoin when absent"),
  Parameter(optional: "timestamp", .uint64, "seconds since 1970; now when absent"),
  Parameter(optional: "expiry", .uint64, "seconds"), Parameter(optional: "min_final_cltv", .uint64, "blocks"),
  Parameter(optional: "metadata", .hex), Parameter(optional: "payee", .publicKey, "written down; must be the signer's"),
  Parameter(optional: "fallbacks", .list(.fallback)), Parameter(optional: "route_hints", .list(.list(.routeHop))),
  Parameter(optional: "features", .featureBits, "8, 14 and, with metadata, 48 when absent"),
  returns: ["invoice": "text in lower case"]
) {
  key, paymentHash, paymentSecret, amount, description, descriptionHash, network, timestamp, expiry, minFinalCLTV,
  metadata, payee, fallbacks, routeHints, features in
  let what: Bolt11Invoice.Description
  switch (description, descriptionHash) {
  case (let text?, nil): what = .text(text)
  case (nil, let hash?): what = .hash(hash)
  case (nil, nil): throw ToolError(.missingParameter, "description is missing, or description_hash")
  default: throw Bolt11Error.twoDescriptions
  }
  let contents = Bolt11Invoice.Contents(
    network: network ?? .bitcoin, amount: amount.map { MilliSatoshi($0) },
    timestamp: timestamp ?? UInt64(max(0, Date().timeIntervalSince1970)), paymentHash: paymentHash,
    paymentSecret: paymentSecret, description: what, metadata: metadata, expiry: expiry,
    minFinalCLTVExpiryDelta: minFinalCLTV, payee: payee,
    fallbacks: try checked(fallbacks ?? [], on: network ?? .bitcoin), routeHints: routeHints ?? [],
    features: FeatureSet(bits: features ?? (metadata == nil ? [8, 14] : [8, 14, 48])))
  let secretKey = try SecretKey(key)
  return ["invoice": .string(try contents.sign(with: secretKey).text)]
}

extension Kind where Value == Bolt11Invoice.RouteHop {
  fileprivate static var routeHop: Self {
    record(
      Parameter("node_id", .publicKey), Parameter("short_channel_id", .shortChannelID),
      Parameter("fee_base_msat", .uint32), Parameter("fee_proportional_millionths", .uint32),
      Parameter("cltv_expiry_delta", .integer() as Kind<UInt16>)
    ) { (node, channel, base, proportional, delta) throws(ToolError) in
      Bolt11Invoice.RouteHop(
        nodeID: node, shortChannelID: channel, feeBaseMsat: base, feeProportionalMillionths: proportional,
        cltvExpiryDelta: delta)
    }
  }
}

/// Where the payee can be paid on the chain, as it was asked for. An address is of a network; an invoice has its own.
private struct RequestedFallback: Sendable {
  var fallback: Bolt11Invoice.Fallback?
  var address: String?

  /// Throws for an address of another network, or of another program than the one beside it: money sent there would be lost.
  func checked(on network: Network) throws(ToolError) -> Bolt11Invoice.Fallback {
    guard let address else {
      guard let fallback else { throw ToolError(.missingParameter, "version is missing") }
      return fallback
    }
    let named: Bolt11Invoice.Fallback
    do throws(AddressError) {
      named = Bolt11Invoice.Fallback(try Address(address, expecting: network).destination)
    } catch {
      throw error.refusal
    }
    guard fallback == nil || fallback == named else {
      throw ToolError(.badValue, "address: not that of the version and program beside it")
    }
    return named
  }
}

private func checked(
  _ fallbacks: [RequestedFallback], on network: Network
) throws(ToolError) -> [Bolt11Invoice.Fallback] {
  var checked: [Bolt11Invoice.Fallback] = []
  for (index, fallback) in fallbacks.enumerated() {
    do throws(ToolError) {
      checked.append(try fallback.checked(on: network))
    } catch {
      throw error.within("fallbacks[\(index)]")
    }
  }
  return checked
}

extension Kind where Value == RequestedFallback {
  /// An address, or what invoice.decode gives.
  fileprivate static var fallback: Self {
    let object = Kind.record(
      Parameter("version", .integer(0...31) as Kind<UInt8>), Parameter("program", .hex),
      Parameter(optional: "address", .string)
    ) { (version, program, address) throws(ToolError) in
      guard let fallback = Bolt11Invoice.Fallback(version: version, program: program) else {
        throw ToolError(.badValue, "not a program of version \(version)")
      }
      return RequestedFallback(fallback: fallback, address: address)
    }
    return Self("address, or {version, program}") { (json) throws(ToolError) in
      guard case .string(let text) = json else { return try object.read(json) }
      return RequestedFallback(address: text)
    }
  }
}

extension Bolt11Invoice.RouteHop {
  fileprivate var json: JSONValue {
    [
      "node_id": .hex(nodeID), "short_channel_id": .string(shortChannelID.description),
      "fee_base_msat": .int(feeBaseMsat), "fee_proportional_millionths": .int(feeProportionalMillionths),
      "cltv_expiry_delta": .int(cltvExpiryDelta),
    ]
  }
}

extension Bolt11Invoice.Fallback {
  fileprivate func json(on network: Network) -> JSONValue {
    [
      "version": .int(version), "program": .hex(program),
      "address": destination.map { .string(Address($0, on: network).description) } ?? .null,
    ]
  }
}

extension TaggedField {
  fileprivate var json: JSONValue {
    // Whole bytes, the last filled up with zeros.
    var padded = data
    while padded.count * 5 % 8 != 0 { padded.append(0) }
    let bytes = (try? Bech32.bytes(fromFiveBit: padded)) ?? []
    return [
      "tag": .string(tag.description), "data_length": .int(data.count),
      "data": .hex(Array(bytes.prefix((data.count * 5 + 7) / 8))),
    ]
  }
}

extension Bolt11Error: Refusal {
  var refusal: ToolError {
    let code: ToolError.Code =
      switch self {
      case .notBech32(.badChecksum), .bech32m: "bad_checksum"
      case .notBech32: "bad_bech32"
      case .unknownPrefix: "unknown_prefix"
      case .amount: "bad_amount"
      case .tooShort: "too_short"
      case .truncatedField, .malformedField, .wrongPointHash, .fieldTooLong, .timestampTooLarge, .inconsistentFields:
        "bad_field"
      case .duplicateField: "duplicate_field"
      case .missingField: "missing_field"
      case .noDescription, .twoDescriptions: "bad_description"
      case .features: "unknown_feature"
      case .invalidSignature, .highS, .wrongSigner: .badSignature
      }
    return ToolError(code, "\(self)")
  }
}

// MARK: BOLT 12

private let decodeBolt12 = Operation(
  "bolt12.decode", "Reads an offer, an invoice request or an invoice of BOLT 12. Refuses what breaks its rules.",
  Parameter("string", .string),
  returns: [
    "kind": "offer | invoice_request | invoice", "tlvs": "[{type, length, value}]: every record, known or not",
    "merkle_root": "of all records but signatures", "signature_valid": "bool; null when there is no signature",
  ]
) { text in
  let (kind, tlvs) = try Bolt12Text.decode(text)
  var isValid: Bool?
  let name: String
  switch kind {
  case .offer:
    _ = try Offer(tlvs: tlvs)
    name = "offer"
  case .invoiceRequest:
    isValid = try InvoiceRequest(tlvs: tlvs, checkingSignature: false).isSignatureValid
    name = "invoice_request"
  case .invoice:
    isValid = try Payments.Bolt12Invoice(tlvs: tlvs, checkingSignature: false).isSignatureValid
    name = "invoice"
  }
  let records = tlvs.records.map { record -> JSONValue in
    ["type": .unsigned(record.type), "length": .int(record.value.count), "value": .hex(record.value)]
  }
  return [
    "kind": .string(name), "tlvs": .array(records), "merkle_root": .hex(Bolt12Merkle.root(of: tlvs)),
    "signature_valid": isValid.map { .bool($0) } ?? .null,
  ]
}

private let merkle = Operation(
  "bolt12.merkle", "The root of the tree that BOLT 12's signatures sign. Records of types 240 to 1000 are no leaves.",
  Parameter("tlvs", .tlvs), returns: ["merkle_root": "hex"]
) { tlvs in
  guard let root = Bolt12Merkle.root(of: tlvs) else { throw ToolError(.badValue, "tlvs: there is no leaf") }
  return ["merkle_root": .hex(root)]
}

extension Bolt12Error: Refusal {
  var refusal: ToolError {
    let code: ToolError.Code =
      switch self {
      case .text: "bad_text"
      case .wrongKind: "wrong_kind"
      case .unknownEvenType: "unknown_even_type"
      case .forbiddenType: "forbidden_type"
      case .malformedField, .invalidField: "bad_field"
      case .missingField: "missing_field"
      case .unknownFeature: "unknown_feature"
      case .invalidSignature: .badSignature
      }
    return ToolError(code, "\(self)")
  }
}

// MARK: Signed messages

private let signMessage = Operation(
  "message.sign", "Signs a text with a node's key, as LND and Core Lightning do.",
  Parameter("private_key", .secretKey), Parameter("message", .string), returns: ["signature": "z-base-32"]
) { key, message in
  let secretKey = try SecretKey(key)
  return ["signature": .string(LightningSignedMessage.sign(message, with: secretKey))]
}

private let verifyMessage = Operation(
  "message.verify", "Says whose signature of a text this is. It proves something when the key is a known node's.",
  Parameter("message", .string), Parameter("signature", .string, "z-base-32"),
  returns: ["valid": "whether it is a signature of any key", "pubkey": "that key; null when there is none"]
) { message, signature in
  let key = try? LightningSignedMessage.recoverPublicKey(from: signature, of: message)
  return ["valid": .bool(key != nil), "pubkey": .hex(key)]
}
