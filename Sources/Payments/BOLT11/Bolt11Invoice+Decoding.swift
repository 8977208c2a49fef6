internal import Bitcoin
internal import Encoding
internal import Hashing
internal import Secp256k1
public import Wire

extension Bolt11Invoice {
  /// The features whose even bits a payer understands: BOLT 9's, and ours.
  public static let knownFeatures = Feature.merged + Feature.own

  /// Reads an invoice and checks all that the text alone can tell: form, fields, features, signature. The clock is not asked.
  public init(
    decoding text: String, knownFeatures: some Collection<Feature> = Bolt11Invoice.knownFeatures
  ) throws(Bolt11Error) {
    let decoded: Bech32.Decoded
    do throws(DecodingError) {
      // BOLT 11: MUST parse the address as Bech32, as specified in BIP-0173 (also without the character limit).
      decoded = try Bech32.decode(text, maximumLength: nil)
    } catch {
      throw .notBech32(error)
    }
    guard decoded.variant == .bech32 else { throw .bech32m }
    let (network, amount) = try Self.parse(humanReadablePart: decoded.humanReadablePart)
    let data = decoded.data
    guard data.count >= Self.timestampLength + Self.signatureLength else { throw .tooShort }
    let signed = data.dropLast(Self.signatureLength)
    let signature: RecoverableSignature
    do throws(DecodingError) {
      let bytes = try Bech32.bytes(fromFiveBit: Array(data.suffix(Self.signatureLength)))
      signature = try RecoverableSignature(copying: bytes.bytes)
    } catch {
      throw .invalidSignature
    }
    let fields = try Self.fields(in: signed.dropFirst(Self.timestampLength))
    // Who says it comes before what is said.
    let hash = Self.hash(humanReadablePart: decoded.humanReadablePart, data: signed)
    let named = fields.first { $0.tag == .payee && $0.data.count == TaggedField.Tag.payee.fixedLength }
    let payee = try Self.signer(of: hash, signature: signature, named: named?.fixed())
    let timestamp = signed.prefix(Self.timestampLength).reduce(0) { $0 << 5 | UInt64($1) }
    let contents = try Contents(
      network: network, amount: amount, timestamp: timestamp, fields: fields, knownFeatures: knownFeatures)
    self.init(
      contents: contents, humanReadablePart: decoded.humanReadablePart, fields: fields, signature: signature,
      signedHash: hash, payee: payee)
  }

  static let timestampLength = 7
  static let signatureLength = 104

  /// `ln`, the currency prefix, the amount.
  private static func parse(humanReadablePart: String) throws(Bolt11Error) -> (Network, MilliSatoshi?) {
    let prefix = humanReadablePart.utf8.prefix { !(0x30...0x39 ~= $0) }
    // BOLT 11: if it does NOT understand the `prefix`: MUST fail the payment.
    guard let network = Network.allCases.first(where: { Array($0.invoicePrefix.utf8) == Array(prefix) }) else {
      throw .unknownPrefix(humanReadablePart)
    }
    let amount = humanReadablePart.utf8.dropFirst(prefix.count)
    if amount.isEmpty { return (network, nil) }
    do throws(Bolt11AmountError) {
      return (network, try MilliSatoshi(invoiceAmount: String(decoding: amount, as: UTF8.self)))
    } catch {
      throw .amount(error)
    }
  }

  private static func fields(in data: ArraySlice<UInt8>) throws(Bolt11Error) -> [TaggedField] {
    var fields: [TaggedField] = []
    var rest = data
    while !rest.isEmpty {
      guard rest.count >= 3 else { throw .truncatedField }
      let start = rest.startIndex
      let length = Int(rest[start + 1]) << 5 | Int(rest[start + 2])
      guard rest.count >= 3 + length else { throw .truncatedField }
      fields.append(TaggedField(.init(rawValue: rest[start]), data: Array(rest[(start + 3)..<(start + 3 + length)])))
      rest = rest.dropFirst(3 + length)
    }
    return fields
  }

  /// BOLT 11: the SHA-256 hash of: the human-readable part (as UTF-8 bytes) concatenated with the data part (excluding the signature),
  /// with 0 bits appended to pad to a byte boundary.
  static func hash(humanReadablePart: String, data: ArraySlice<UInt8>) -> Bytes32 {
    var bytes = Array(humanReadablePart.utf8)
    bytes.reserveCapacity(bytes.count + data.count * 5 / 8 + 1)
    var accumulator: UInt32 = 0
    var bits: UInt32 = 0
    for value in data {
      accumulator = (accumulator << 5 | UInt32(value)) & 0xfff
      bits += 5
      guard bits >= 8 else { continue }
      bits -= 8
      bytes.append(UInt8(truncatingIfNeeded: accumulator >> bits))
    }
    if bits > 0 { bytes.append(UInt8(truncatingIfNeeded: accumulator << (8 - bits))) }
    return sha256(bytes)
  }

  private static func signer(
    of hash: Bytes32, signature: RecoverableSignature, named payee: PublicKey?
  ) throws(Bolt11Error) -> PublicKey {
    guard let payee else {
      // BOLT 11: MUST perform ECDSA public-key recovery and accept both high-S and low-S signatures.
      do throws(Secp256k1Error) {
        return try signature.recoverPublicKey(from: hash)
      } catch {
        throw .invalidSignature
      }
    }
    // BOLT 11: MUST use the `n` field to validate the signature instead of performing public-key recovery. If the signature is not
    // compliant with the low-S standard rule: MUST fail the payment.
    guard signature.signature.isLowS else { throw .highS }
    guard payee.isValidECDSA(signature.signature, for: hash) else { throw .wrongSigner }
    return payee
  }
}

extension Network {
  /// BOLT 11: `ln` + BIP-0173 currency prefix. (Signet's is `tbs` there.)
  var invoicePrefix: String { self == .signet ? "lntbs" : "ln" + segwitPrefix }
}

extension Bolt11Invoice.Contents {
  /// Makes sense of the fields. BOLT 11's text says both "MUST fail the payment if any field with fixed `data_length` (`p`, `h`, `s`,
  /// `n`) does not have the correct length" and, in its examples, that such fields "must be ignored": they are kept as unknown ones,
  /// and the invoice fails for want of a valid `p` or `s`.
  init(
    network: Network, amount: MilliSatoshi?, timestamp: UInt64, fields: [TaggedField],
    knownFeatures: some Collection<Feature>
  ) throws(Bolt11Error) {
    var single: [TaggedField.Tag: TaggedField] = [:]
    var fallbacks: [Bolt11Invoice.Fallback] = []
    var routeHints: [[Bolt11Invoice.RouteHop]] = []
    var unknownFields: [TaggedField] = []
    for field in fields {
      if let length = field.tag.fixedLength, field.data.count != length {
        unknownFields.append(field)
        continue
      }
      switch field.tag {
      case .paymentHash, .paymentSecret, .description, .descriptionHash, .payee, .expiry, .minFinalCLTVExpiryDelta,
        .metadata, .features:
        // BOLT 11: MUST include exactly one `p` field (and so on): which of two was meant is nobody's guess.
        guard single.updateValue(field, forKey: field.tag) == nil else { throw .duplicateField(field.tag) }
      case .fallback: fallbacks.append(try Bolt11Invoice.Fallback(field))
      case .routeHint: routeHints.append(try Bolt11Invoice.RouteHop.list(field))
      default: unknownFields.append(field)
      }
    }
    guard let paymentHash = single[.paymentHash] else { throw .missingField(.paymentHash) }
    // BOLT 11: if a valid `s` field is not provided: MUST fail the payment.
    guard let paymentSecret = single[.paymentSecret] else { throw .missingField(.paymentSecret) }
    let description: Bolt11Invoice.Description
    // BOLT 11: MUST fail the payment if neither a `d` field nor a `h` field is present, or if both are present.
    switch (single[.description], single[.descriptionHash]) {
    case (nil, nil): throw .noDescription
    case (_?, _?): throw .twoDescriptions
    case (let field?, nil):
      guard let text = String(validating: try field.bytes(), as: UTF8.self) else {
        throw .malformedField(.description, .malformed("not UTF-8"))
      }
      description = .text(text)
    case (nil, let field?): description = .hash(try field.fixed())
    }
    let features = try single[.features].map(FeatureSet.init(_:)) ?? FeatureSet()
    var paymentPoint: PublicKey?
    // Without the feature, `z` is somebody else's.
    if features[.pointPayments] == .required {
      let isPoint = { (field: TaggedField) in field.tag == .paymentPoint && field.data.count == field.tag.fixedLength }
      let points = unknownFields.filter(isPoint)
      guard let field = points.first else { throw .missingField(.paymentPoint) }
      guard points.count == 1 else { throw .duplicateField(.paymentPoint) }
      paymentPoint = try field.fixed()
      unknownFields.removeAll(where: isPoint)
    }
    self.init(
      network: network, amount: amount, timestamp: timestamp, paymentHash: try paymentHash.fixed(),
      paymentPoint: paymentPoint, paymentSecret: try paymentSecret.fixed(), description: description,
      metadata: try single[.metadata]?.bytes(), expiry: try single[.expiry]?.integer(),
      minFinalCLTVExpiryDelta: try single[.minFinalCLTVExpiryDelta]?.integer(),
      payee: try single[.payee]?.fixed(), fallbacks: fallbacks, routeHints: routeHints,
      features: features, unknownFields: unknownFields)
    if let paymentPoint, sha256(paymentPoint.compressed.bytes) != self.paymentHash { throw .wrongPointHash }
    do throws(FeatureError) {
      // BOLT 11: if the `9` field contains unknown _even_ bits that are non-zero: MUST fail the payment. (…) if the feature vector does
      // not set all known, transitive feature dependencies: MUST NOT attempt the payment.
      try features.check(supported: knownFeatures)
    } catch {
      throw .features(error)
    }
  }
}

extension Bolt11Invoice.Fallback {
  init(_ field: TaggedField) throws(Bolt11Error) {
    guard let version = field.data.first else { throw .malformedField(.fallback, .truncated) }
    let program = try TaggedField(.fallback, data: Array(field.data.dropFirst())).bytes()
    // BOLT 11: MUST set an `f` field to a valid witness version and program, OR to `17` followed by a public key hash, OR to `18`
    // followed by a script hash.
    guard let fallback = Self(version: version, program: program) else {
      throw .malformedField(.fallback, .malformed("not a program of this version"))
    }
    self = fallback
  }
}

extension Bolt11Invoice.RouteHop {
  static func list(_ field: TaggedField) throws(Bolt11Error) -> [Self] {
    let bytes = try field.bytes()
    do throws(DecodingError) {
      guard !bytes.isEmpty else { throw .truncated }
      var reader = ByteReader(bytes.bytes)
      var hops: [Self] = []
      while !reader.isAtEnd { hops.append(try Self(from: &reader)) }
      return hops
    } catch {
      throw .malformedField(.routeHint, error)
    }
  }

  @_lifetime(reader: copy reader)
  private init(from reader: inout ByteReader) throws(DecodingError) {
    nodeID = try reader.read()
    shortChannelID = try ShortChannelID(from: &reader)
    feeBaseMsat = try reader.readUInt32()
    feeProportionalMillionths = try reader.readUInt32()
    cltvExpiryDelta = try reader.readUInt16()
  }

  func encode(to writer: inout ByteWriter) {
    writer.write(nodeID)
    shortChannelID.encode(to: &writer)
    writer.write(feeBaseMsat)
    writer.write(feeProportionalMillionths)
    writer.write(cltvExpiryDelta)
  }
}

extension FeatureSet {
  /// BOLT 11: The field is big-endian. The least-significant bit is numbered 0.
  init(_ field: TaggedField) throws(Bolt11Error) {
    try field.requireMinimal()
    self.init()
    for (index, value) in field.data.enumerated() {
      for bit in (0..<5).reversed() where value >> UInt8(bit) & 1 == 1 {
        self[5 * (field.data.count - 1 - index) + bit] = true
      }
    }
  }

  var fiveBit: [UInt8] {
    let bits = bits
    guard let last = bits.last else { return [] }
    var values = [UInt8](repeating: 0, count: last / 5 + 1)
    for bit in bits { values[values.count - 1 - bit / 5] |= 1 << UInt8(bit % 5) }
    return values
  }
}
