public import Encoding

/// Why an invoice request or an invoice was turned down: `invoice_error`, which comes back over an onion message (BOLT 12 §Invoice
/// Errors).
public struct InvoiceError: Hashable, Sendable {
  /// The type of the field that had a problem.
  public var erroneousField: UInt64?
  /// What would have been right in that field.
  public var suggestedValue: [UInt8]?
  /// For people; nobody vouches for it. Show `safeMessage`.
  public var message: String
  /// Odd types that BOLT 12 does not have.
  public var unknown: [TLVRecord] = []

  public init(message: String, erroneousField: UInt64? = nil, suggestedValue: [UInt8]? = nil) {
    self.message = message
    self.erroneousField = erroneousField
    self.suggestedValue = suggestedValue
  }

  /// Reads what record 68 of an onion message holds. Of a reader BOLT 12 demands nothing yet ("FIXME!"): this one takes what a writer may
  /// write.
  public init(decoding bytes: RawSpan) throws(Bolt12Error) {
    let stream: TLVStream
    do throws(DecodingError) {
      stream = try TLVStream(decoding: bytes)
    } catch {
      throw .text(error)
    }
    var text: [UInt8]?
    for record in stream.records {
      switch record.type {
      case 1:
        do throws(DecodingError) {
          var reader = ByteReader(record.value.bytes)
          erroneousField = try reader.readTU64()
          try reader.finish()
        } catch {
          throw .malformedField(1, error)
        }
      case 3: suggestedValue = record.value
      case 5: text = record.value
      case let type where type.isMultiple(of: 2): throw .unknownEvenType(type)
      default: unknown.append(record)
      }
    }
    // BOLT 12: MUST set `error` to an explanatory string.
    guard let text else { throw .missingField(5) }
    guard let message = String(validating: text, as: UTF8.self) else {
      throw .malformedField(5, .malformed("not UTF-8"))
    }
    // BOLT 12: if it sets `erroneous_field`: MAY set `suggested_value`. (…) otherwise: MUST NOT set `suggested_value`.
    if suggestedValue != nil && erroneousField == nil { throw .missingField(1) }
    self.message = message
  }

  public init(decoding bytes: [UInt8]) throws(Bolt12Error) { try self.init(decoding: bytes.bytes) }

  /// The records. A suggestion without the field that it is for is left out.
  public var encoded: [UInt8] {
    var stream = TLVStream()
    for record in unknown where !record.type.isMultiple(of: 2) { stream[record.type] = record.value }
    if let erroneousField {
      var writer = ByteWriter()
      writer.writeTruncated(erroneousField)
      stream[1] = writer.bytes
      stream[3] = suggestedValue
    }
    stream[5] = Array(message.utf8)
    return stream.encoded
  }

  /// The message for logs and screens: at most `limit` characters, and what has no shape of its own as replacement characters.
  public func safeMessage(limit: Int = 512) -> String {
    let shown = message.unicodeScalars.prefix(limit).map { scalar -> Unicode.Scalar in
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: "\u{fffd}"
      default: scalar
      }
    }
    var text = ""
    text.unicodeScalars.append(contentsOf: shown)
    return shown.count < message.unicodeScalars.count ? text + "…" : text
  }
}
