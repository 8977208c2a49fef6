public import Encoding

/// Reads a message from named fields and the records of its extension.
public struct NamedFieldSource: FieldSource {
  private let type: UInt16
  private let custom: CustomTypes
  private let fields: [NamedField]
  private var isUsed: [Bool]
  private var tlvs: TLVStream
  private var nextRecord = 0
  private var others = TLVStream()

  public init(_ message: NamedMessage, custom: CustomTypes = .none) {
    type = message.type
    self.custom = custom
    fields = message.fields
    isUsed = Array(repeating: false, count: message.fields.count)
    tlvs = message.tlvs
  }

  public mutating func field<T: WireField>(_ name: FieldName, as: T.Type) throws(WireError) -> T {
    let value = try value(of: name)
    do throws(DecodingError) {
      return try T(fieldValue: value)
    } catch {
      throw .malformed(type: type, field: name, reason: error)
    }
  }

  public mutating func field<T: WireField>(_ name: FieldName, length: FieldName, as: T.Type) throws(WireError) -> T {
    let value: T = try field(name, as: T.self)
    var writer = ByteWriter()
    value.encode(to: &writer)
    try check(length, is: writer.count)
    return value
  }

  public mutating func bytes(_ name: FieldName, length: FieldName) throws(WireError) -> [UInt8] {
    let value = try value(of: name)
    let bytes: [UInt8]
    do throws(DecodingError) {
      bytes = try value.bytesValue
    } catch {
      throw .malformed(type: type, field: name, reason: error)
    }
    try check(length, is: bytes.count)
    return bytes
  }

  public mutating func list<T: WireListElement>(
    _ name: FieldName, count: FieldName, as: T.Type
  ) throws(WireError) -> [T] {
    let elements: [T] = try field(name, as: [T].self)
    try check(count, is: elements.count)
    return elements
  }

  public mutating func record<T: WireField>(_ recordType: UInt64, as: T.Type) throws(WireError) -> T? {
    try keepOthers { $0 < recordType }
    guard nextRecord < tlvs.records.count, tlvs.records[nextRecord].type == recordType else { return nil }
    let bytes = tlvs.records[nextRecord].value
    nextRecord += 1
    do throws(DecodingError) {
      var reader = ByteReader(bytes.bytes)
      let value = try T(from: &reader)
      try reader.finish()
      return value
    } catch {
      throw .invalidExtension(type: type, reason: error)
    }
  }

  public mutating func otherRecords() throws(WireError) -> TLVStream {
    try keepOthers { _ in true }
    return others
  }

  public mutating func excess() throws(WireError) -> [UInt8] {
    let records = tlvs.encoded
    nextRecord = tlvs.records.count
    guard fields.contains(where: { $0.name == "excess" }) else { return records }
    let value = try value(of: "excess")
    guard records.isEmpty else {
      throw .malformed(type: type, field: "excess", reason: .malformed("given beside records"))
    }
    do throws(DecodingError) {
      return try value.bytesValue
    } catch {
      throw .malformed(type: type, field: "excess", reason: error)
    }
  }

  /// Throws `.unknownField` when a field was given that the message did not ask for.
  func finish() throws(WireError) {
    for (field, isUsed) in zip(fields, isUsed) where !isUsed { throw .unknownField(type: type, name: field.name) }
  }

  private mutating func value(of name: FieldName) throws(WireError) -> FieldValue {
    let text = name.description
    guard let index = fields.firstIndex(where: { $0.name == text }), !isUsed[index] else {
      throw .malformed(type: type, field: name, reason: .malformed("missing"))
    }
    isUsed[index] = true
    return fields[index].value
  }

  /// The length and count fields need not be given. When they are they must be right.
  private mutating func check(_ name: FieldName, is count: Int) throws(WireError) {
    let text = name.description
    guard let index = fields.firstIndex(where: { $0.name == text }), !isUsed[index] else { return }
    isUsed[index] = true
    guard fields[index].value == .unsigned(UInt64(count)) else {
      throw .malformed(type: type, field: name, reason: .malformed("not the length of what it counts"))
    }
  }

  private mutating func keepOthers(while isBefore: (UInt64) -> Bool) throws(WireError) {
    while nextRecord < tlvs.records.count, isBefore(tlvs.records[nextRecord].type) {
      let record = tlvs.records[nextRecord]
      nextRecord += 1
      if record.type.isMultiple(of: 2),
        !custom.records.contains(CustomTypes.Record(messageType: type, recordType: record.type))
      {
        throw .invalidExtension(type: type, reason: .unknownEvenType(record.type))
      }
      others[record.type] = record.value
    }
  }
}

/// Takes a message apart into named fields and the records of its extension.
public struct NamedFieldSink: FieldSink {
  public private(set) var fields: [NamedField] = []
  public private(set) var tlvs = TLVStream()

  public init() {}

  public mutating func field<T: WireField>(_ name: FieldName, _ value: T) {
    fields.append(NamedField(name: name.description, value: value.fieldValue))
  }

  public mutating func field<T: WireField>(_ name: FieldName, length: FieldName, _ value: T) { field(name, value) }

  public mutating func bytes(_ name: FieldName, length: FieldName, _ value: [UInt8]) {
    fields.append(NamedField(name: name.description, value: .bytes(value)))
  }

  public mutating func list<T: WireListElement>(_ name: FieldName, count: FieldName, _ value: [T]) {
    fields.append(NamedField(name: name.description, value: value.fieldValue))
  }

  public mutating func otherRecords(_ records: TLVStream) { tlvs = records }

  public mutating func record<T: WireField>(_ type: UInt64, _ value: T?) {
    guard let value else { return }
    var writer = ByteWriter()
    value.encode(to: &writer)
    tlvs[type] = writer.bytes
  }

  /// Shown as records when it is some, and otherwise as a field of its own.
  public mutating func excess(_ bytes: [UInt8]) {
    if let records = try? TLVStream(decoding: bytes.bytes) {
      tlvs = records
    } else {
      fields.append(NamedField(name: "excess", value: .bytes(bytes)))
    }
  }
}
