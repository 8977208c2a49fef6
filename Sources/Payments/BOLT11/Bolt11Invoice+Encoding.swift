internal import Bitcoin
internal import Encoding
public import Secp256k1
internal import Wire

extension Bolt11Invoice {
  /// The invoice, in lower case.
  public var text: String {
    let bytes = signature.bytes
    return Bech32.encode(
      humanReadablePart: humanReadablePart,
      data: Self.data(timestamp: contents.timestamp, fields: fields) + Bech32.fiveBit(from: bytes), variant: .bech32)
  }

  static func data(timestamp: UInt64, fields: [TaggedField]) -> [UInt8] {
    var data = (0..<timestampLength).map { UInt8(truncatingIfNeeded: timestamp >> (5 * UInt64(6 - $0)) & 31) }
    for field in fields {
      data.append(field.tag.rawValue)
      data.append(UInt8(truncatingIfNeeded: field.data.count >> 5 & 31))
      data.append(UInt8(truncatingIfNeeded: field.data.count & 31))
      data += field.data.map { $0 & 31 }
    }
    return data
  }
}

extension Bolt11Invoice.Contents {
  /// The fields in the order in which we write them: the one of BOLT 11's first examples.
  public var fields: [TaggedField] {
    var fields = [
      TaggedField(.paymentSecret, bytes: paymentSecret.bytes), TaggedField(.paymentHash, bytes: paymentHash.bytes),
    ]
    if let paymentPoint { fields.append(TaggedField(.paymentPoint, bytes: paymentPoint.bytes)) }
    switch description {
    case .text(let text): fields.append(TaggedField(.description, bytes: Array(text.utf8).bytes))
    case .hash(let hash): fields.append(TaggedField(.descriptionHash, bytes: hash.bytes))
    }
    if let metadata { fields.append(TaggedField(.metadata, bytes: metadata.bytes)) }
    // BOLT 11: MUST use the minimum `data_length` possible, i.e. no leading 0 field-elements.
    if let expiry { fields.append(TaggedField(.expiry, integer: expiry)) }
    if let delta = minFinalCLTVExpiryDelta { fields.append(TaggedField(.minFinalCLTVExpiryDelta, integer: delta)) }
    if let payee { fields.append(TaggedField(.payee, bytes: payee.bytes)) }
    for fallback in fallbacks {
      fields.append(TaggedField(.fallback, data: [fallback.version] + Bech32.fiveBit(from: fallback.program.bytes)))
    }
    for hint in routeHints {
      var writer = ByteWriter(reservingCapacity: 51 * hint.count)
      for hop in hint { hop.encode(to: &writer) }
      fields.append(TaggedField(.routeHint, bytes: writer.bytes.bytes))
    }
    // BOLT 11: MUST omit the `9` field altogether.
    if !features.isEmpty { fields.append(TaggedField(.features, data: features.fiveBit)) }
    return fields + unknownFields
  }

  /// Signs the invoice. `fields` gives another order than our own; it must say the same. What the reader would refuse is not signed.
  public func sign(
    with secretKey: borrowing SecretKey, fields: [TaggedField]? = nil
  ) throws(Bolt11Error) -> Bolt11Invoice {
    let fields = fields ?? self.fields
    guard timestamp >> 35 == 0 else { throw .timestampTooLarge }
    for field in fields where field.data.count > TaggedField.maximumLength { throw .fieldTooLong(field.tag) }
    if let amount {
      guard amount.rawValue > 0 else { throw .amount(.leadingZero) }
      guard amount.isPayable else { throw .amount(.tooLarge) }
    }
    // Judged by the reader's rules.
    let contents = try Self(
      network: network, amount: amount, timestamp: timestamp, fields: fields,
      knownFeatures: Bolt11Invoice.knownFeatures)
    guard contents == self else { throw .inconsistentFields }
    // BOLT 11: MUST set `n` to the public key used to create the `signature`.
    if let named = contents.payee, named != secretKey.publicKey { throw .wrongSigner }
    let humanReadablePart = network.invoicePrefix + (amount?.invoiceAmount ?? "")
    let hash = Bolt11Invoice.hash(
      humanReadablePart: humanReadablePart, data: Bolt11Invoice.data(timestamp: timestamp, fields: fields)[...])
    return Bolt11Invoice(
      contents: contents, humanReadablePart: humanReadablePart, fields: fields,
      signature: secretKey.signRecoverable(hash), signedHash: hash, payee: secretKey.publicKey)
  }
}
