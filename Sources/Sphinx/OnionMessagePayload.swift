public import Encoding

/// What one hop of an onion message is told: `onionmsg_tlv` (BOLT 4 §The `onion_message` Message). The content that BOLT 12 defines
/// stays bytes here.
public struct OnionMessagePayload: Hashable, Sendable {
  /// Type 2. How to answer.
  public var replyPath: BlindedPath?
  /// Type 4.
  public var encryptedRecipientData: [UInt8]?
  /// Type 64, a `tlv_invoice_request`.
  public var invoiceRequest: [UInt8]?
  /// Type 66, a `tlv_invoice`.
  public var invoice: [UInt8]?
  /// Type 68, a `tlv_invoice_error`.
  public var invoiceError: [UInt8]?
  /// Odd types that BOLT 4 does not know.
  public var unknown: [TLVRecord] = []

  public init() {}

  /// Reads a payload that `Onion.peel` has released. BOLT 4: "the result is not a valid `onionmsg_tlv`, or it contains unknown even
  /// types: MUST ignore the message." Throws which record is at fault.
  public init(decoding stream: RawSpan) throws(InvalidPayload) {
    var reader = PayloadReader(stream)
    while try reader.advance() {
      switch reader.type {
      case 2: replyPath = try reader.decode(BlindedPath.init(decoding:))
      case 4: encryptedRecipientData = try reader.decode(decodeBytes)
      case 64: invoiceRequest = try reader.decode(decodeBytes)
      case 66: invoice = try reader.decode(decodeBytes)
      case 68: invoiceError = try reader.decode(decodeBytes)
      default: unknown.append(try reader.unknown(refusingEven: true))
      }
    }
  }

  public init(decoding stream: [UInt8]) throws(InvalidPayload) { try self.init(decoding: stream.bytes) }

  /// The stream, without its length. A reply path that has no encoding is left out.
  public var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.writeRecord(2, replyPath?.encoded)
    writer.writeRecord(4, encryptedRecipientData)
    writer.writeRecord(64, invoiceRequest)
    writer.writeRecord(66, invoice)
    writer.writeRecord(68, invoiceError)
    return ByteWriter(mergingRecords: writer.bytes, with: unknown).bytes
  }

  /// Checks the reader's rules. Throws the record at fault.
  public func validate(isFinal: Bool) throws(InvalidPayload) {
    guard encryptedRecipientData != nil else { throw InvalidPayload(type: 4, offset: 0, reason: .missing) }
    // BOLT 4: if it is not the final node according to the onion encryption: if the `onionmsg_tlv` contains other tlv fields than
    // `encrypted_recipient_data`: MUST ignore the message. The final node: if the `onionmsg_tlv` contains more than one payload
    // field: MUST ignore the message. ("Field numbers 64 and above are reserved for payloads for the final hop")
    var payloadFields = 0
    for type in types where type != 4 {
      if type >= 64 { payloadFields += 1 }
      if !isFinal || payloadFields > 1 {
        throw InvalidPayload(type: type, offset: recordOffset(of: type, in: encoded), reason: .notAllowed)
      }
    }
  }

  private var types: [UInt64] {
    var types: [UInt64] = []
    if replyPath != nil { types.append(2) }
    if encryptedRecipientData != nil { types.append(4) }
    if invoiceRequest != nil { types.append(64) }
    if invoice != nil { types.append(66) }
    if invoiceError != nil { types.append(68) }
    return (types + unknown.map(\.type)).sorted()
  }
}
