public import Bitcoin
public import Encoding
public import Secp256k1
public import Sphinx
public import Wire

/// The fields of offers, invoice requests and invoices, which repeat each other's (BOLT 12 §TLV Fields). Nil where the record is
/// absent. Only their form has been looked at.
public struct Bolt12Fields: Hashable, Sendable {
  public var invreqMetadata: [UInt8]?
  public var offerChains: [BlockHash]?
  public var offerMetadata: [UInt8]?
  /// Three capital letters of ISO 4217.
  public var offerCurrency: String?
  /// In millisatoshi, or in the currency's smallest unit.
  public var offerAmount: UInt64?
  public var offerDescription: String?
  public var offerFeatures: FeatureSet?
  /// Seconds since 1970.
  public var offerAbsoluteExpiry: UInt64?
  public var offerPaths: [BlindedPath]?
  public var offerIssuer: String?
  /// 0 when there is no maximum.
  public var offerQuantityMax: UInt64?
  public var offerIssuerID: PublicKey?
  public var invreqChain: BlockHash?
  public var invreqAmount: MilliSatoshi?
  public var invreqFeatures: FeatureSet?
  public var invreqQuantity: UInt64?
  public var invreqPayerID: PublicKey?
  public var invreqPayerNote: String?
  public var invreqPaths: [BlindedPath]?
  public var invreqBIP353Name: BIP353Name?
  public var invoicePaths: [BlindedPath]?
  public var invoiceBlindedPay: [BlindedPayInfo]?
  /// Seconds since 1970.
  public var invoiceCreatedAt: UInt64?
  /// In seconds; 7,200 when absent.
  public var invoiceRelativeExpiry: UInt32?
  public var invoicePaymentHash: Bytes32?
  public var invoiceAmount: MilliSatoshi?
  public var invoiceFallbacks: [FallbackAddress]?
  public var invoiceFeatures: FeatureSet?
  public var invoiceNodeID: PublicKey?

  public struct BIP353Name: Hashable, Sendable {
    public var name: [UInt8]
    public var domain: [UInt8]
  }

  /// BOLT 12's `fallback_address`.
  public struct FallbackAddress: Hashable, Sendable {
    public var version: UInt8
    public var address: [UInt8]

    /// BOLT 12: MUST ignore any `fallback_address` for which `version` is greater than 16, (…) `address` is less than 2 or greater than
    /// 40 bytes, (…) `address` does not meet known requirements for the given `version`: nil for these.
    public var destination: Destination? {
      WitnessProgram(version: version, program: address).map { .witness($0) }
    }
  }

  static let signature: UInt64 = 240

  static let offerTypes: [UInt64] = [2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22]
  static let invoiceRequestTypes: [UInt64] = [0] + offerTypes + [80, 82, 84, 86, 88, 89, 90, 91, signature]
  static let invoiceTypes: [UInt64] = invoiceRequestTypes + [160, 162, 164, 166, 168, 170, 172, 174, 176]

  /// Reads those records that are there.
  init(_ stream: TLVStream) throws(Bolt12Error) {
    for record in stream.records {
      do throws(DecodingError) {
        try read(record)
      } catch {
        throw .malformedField(record.type, error)
      }
    }
  }

  private mutating func read(_ record: TLVRecord) throws(DecodingError) {
    let value = record.value
    switch record.type {
    case 0: invreqMetadata = value
    case 2:
      // BOLT 12: An empty `offer_chains` (present but with zero entries) is explicitly invalid.
      offerChains = try Self.list(value) { (reader) throws(DecodingError) in try reader.read() }
    case 4: offerMetadata = value
    case 6:
      let text = try Self.text(value)
      guard value.count == 3, value.allSatisfy({ 0x41...0x5a ~= $0 }) else {
        throw .malformed("not a three-letter code of ISO 4217")
      }
      offerCurrency = text
    case 8: offerAmount = try Self.integer(value)
    case 10: offerDescription = try Self.text(value)
    case 12: offerFeatures = FeatureSet(bytes: value)
    case 14: offerAbsoluteExpiry = try Self.integer(value)
    case 16: offerPaths = try Self.paths(value)
    case 18: offerIssuer = try Self.text(value)
    case 20: offerQuantityMax = try Self.integer(value)
    case 22: offerIssuerID = try PublicKey(copying: value.bytes)
    case 80: invreqChain = try BlockHash(copying: value.bytes)
    case 82: invreqAmount = MilliSatoshi(try Self.integer(value))
    case 84: invreqFeatures = FeatureSet(bytes: value)
    case 86: invreqQuantity = try Self.integer(value)
    case 88: invreqPayerID = try PublicKey(copying: value.bytes)
    case 89: invreqPayerNote = try Self.text(value)
    case 90: invreqPaths = try Self.paths(value)
    case 91: invreqBIP353Name = try Self.name(value)
    case 160: invoicePaths = try Self.paths(value)
    case 162:
      invoiceBlindedPay = try Self.list(value) { (reader) throws(DecodingError) in try BlindedPayInfo(from: &reader) }
    case 164: invoiceCreatedAt = try Self.integer(value)
    case 166:
      guard let seconds = UInt32(exactly: try Self.integer(value)) else { throw .tooLarge }
      invoiceRelativeExpiry = seconds
    case 168: invoicePaymentHash = try Bytes32(value)
    case 170: invoiceAmount = MilliSatoshi(try Self.integer(value))
    case 172:
      invoiceFallbacks = try Self.list(value) { (reader) throws(DecodingError) in
        let version = try reader.readUInt8()
        return FallbackAddress(version: version, address: try reader.readArray(count: Int(try reader.readUInt16())))
      }
    case 174: invoiceFeatures = FeatureSet(bytes: value)
    case 176: invoiceNodeID = try PublicKey(copying: value.bytes)
    case Self.signature:
      guard value.count == 64 else { throw .wrongLength(expected: 64, actual: value.count) }
    default: break
    }
  }

  private static func integer(_ value: [UInt8]) throws(DecodingError) -> UInt64 {
    var reader = ByteReader(value.bytes)
    let result = try reader.readTU64()
    try reader.finish()
    return result
  }

  private static func text(_ value: [UInt8]) throws(DecodingError) -> String {
    guard let text = String(validating: value, as: UTF8.self) else { throw .malformed("not UTF-8") }
    return text
  }

  /// At least one element, and nothing after the last.
  private static func list<Element>(
    _ value: [UInt8], _ element: (inout ByteReader) throws(DecodingError) -> Element
  ) throws(DecodingError) -> [Element] {
    guard !value.isEmpty else { throw .malformed("an empty list") }
    var reader = ByteReader(value.bytes)
    var elements: [Element] = []
    while !reader.isAtEnd { elements.append(try element(&reader)) }
    return elements
  }

  private static func paths(_ value: [UInt8]) throws(DecodingError) -> [BlindedPath] {
    try list(value) { (reader) throws(DecodingError) in try BlindedPath(from: &reader) }
  }

  private static func name(_ value: [UInt8]) throws(DecodingError) -> BIP353Name {
    var reader = ByteReader(value.bytes)
    let name = try reader.readArray(count: Int(try reader.readUInt8()))
    let domain = try reader.readArray(count: Int(try reader.readUInt8()))
    try reader.finish()
    // BOLT 12: MUST reject the invoice request if `name` or `domain` contain any bytes which are not `0`-`9`, `a`-`z`, `A`-`Z`, `-`, `_`
    // or `.`.
    for byte in name + domain {
      switch byte {
      case 0x30...0x39, 0x61...0x7a, 0x41...0x5a, 0x2d, 0x5f, 0x2e: continue
      default: throw .malformed("a character that no name or domain has")
      }
    }
    return BIP353Name(name: name, domain: domain)
  }

  /// BOLT 12's name of a type.
  public static func name(_ type: UInt64) -> String {
    switch type {
    case 0: "invreq_metadata"
    case 2: "offer_chains"
    case 4: "offer_metadata"
    case 6: "offer_currency"
    case 8: "offer_amount"
    case 10: "offer_description"
    case 12: "offer_features"
    case 14: "offer_absolute_expiry"
    case 16: "offer_paths"
    case 18: "offer_issuer"
    case 20: "offer_quantity_max"
    case 22: "offer_issuer_id"
    case 80: "invreq_chain"
    case 82: "invreq_amount"
    case 84: "invreq_features"
    case 86: "invreq_quantity"
    case 88: "invreq_payer_id"
    case 89: "invreq_payer_note"
    case 90: "invreq_paths"
    case 91: "invreq_bip_353_name"
    case 160: "invoice_paths"
    case 162: "invoice_blindedpay"
    case 164: "invoice_created_at"
    case 166: "invoice_relative_expiry"
    case 168: "invoice_payment_hash"
    case 170: "invoice_amount"
    case 172: "invoice_fallbacks"
    case 174: "invoice_features"
    case 176: "invoice_node_id"
    case 240: "signature"
    default: "type \(type)"
    }
  }
}
