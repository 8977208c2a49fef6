internal import Bitcoin
internal import Encoding
internal import JSON
internal import Wire

// Kinds of what stands in messages, and how messages look in results.

extension Kind where Value == JSONValue {
  static var anything: Self { Self("any value") { (json) throws(ToolError) in json } }
}

extension Kind where Value == ShortChannelID {
  static var shortChannelID: Self {
    Kind<String>.string.map("block height x transaction index x output index") { (text) throws(ToolError) in
      do throws(DecodingError) {
        return try ShortChannelID(text: text)
      } catch {
        throw ToolError(.badValue, "\(quoted(text)) is no short_channel_id: \(error)")
      }
    }
  }
}

extension Kind where Value == NodeAddress {
  static var nodeAddress: Self {
    Kind<String>.string.map("host:port") { (text) throws(ToolError) in
      do throws(DecodingError) {
        return try NodeAddress(text: text)
      } catch {
        throw ToolError(.badValue, "\(quoted(text)) is no address: \(error)")
      }
    }
  }
}

extension Kind where Value == [Int] {
  static var featureBits: Self {
    Kind<[Int]>.list(Kind<Int>.integer(0...FeatureSet.maximumBit)).described("[bit]")
  }
}

extension Kind where Value == TLVStream {
  /// In strictly increasing order of type, as on the wire.
  static var tlvs: Self {
    let record = Kind<TLVRecord>.record(
      Parameter("type", .uint64), Parameter(optional: "length", .uint64), Parameter("value", .hex)
    ) { (type, length, value) throws(ToolError) in
      if let length, length != UInt64(value.count) {
        throw ToolError(.badLength, "length: value has \(value.count) bytes, not \(length)")
      }
      return TLVRecord(type: type, value: value)
    }
    return Kind<[TLVRecord]>.list(record).map("[{type, length?, value}]") { (records) throws(ToolError) in
      var stream = TLVStream()
      for record in records {
        if let last = stream.records.last, record.type <= last.type {
          throw ToolError(.badValue, "type \(record.type) is out of order or repeated")
        }
        stream[record.type] = record.value
      }
      return stream
    }
  }
}

extension Kind where Value == [NamedField] {
  /// An object; what its members may be depends on the message.
  static var fields: Self {
    Self("{name: value}") { (json) throws(ToolError) in
      guard case .object(let object) = json else {
        throw ToolError(.badType, "expected an object, got \(json.typeName)")
      }
      var fields: [NamedField] = []
      for member in object.members where !member.value.isNull {
        do throws(ToolError) {
          fields.append(NamedField(name: member.name, value: try FieldValue(member.value)))
        } catch {
          throw error.within(quoted(member.name))
        }
      }
      return fields
    }
  }
}

extension FieldValue {
  init(_ json: JSONValue) throws(ToolError) {
    switch json {
    case .unsigned(let value): self = .unsigned(value)
    case .negative(let value): self = .signed(value)
    case .string(let text): self = .text(text)
    case .array(let elements):
      var values: [FieldValue] = []
      values.reserveCapacity(elements.count)
      for element in elements { values.append(try FieldValue(element)) }
      self = .list(values)
    case .object(let object):
      var fields: [NamedField] = []
      for member in object.members {
        fields.append(NamedField(name: member.name, value: try FieldValue(member.value)))
      }
      self = .object(fields)
    case .null, .bool, .decimal: throw ToolError(.badType, "no field of a message is \(json.typeName)")
    }
  }

  var json: JSONValue {
    switch self {
    case .unsigned(let value): .unsigned(value)
    case .signed(let value): .int(value)
    case .bytes(let bytes): .hex(bytes)
    case .text(let text): .string(text)
    case .list(let values): .array(values.map(\.json))
    case .object(let fields): .object(JSONObject(fields))
    }
  }
}

extension JSONObject {
  init(_ fields: [NamedField]) {
    self.init()
    for field in fields { self[field.name] = field.value.json }
  }
}

extension NamedMessage {
  var json: JSONObject {
    let records = tlvs.records.map { record -> JSONValue in
      ["type": .unsigned(record.type), "length": .int(record.value.count), "value": .hex(record.value)]
    }
    return [
      "type": .int(type), "name": name.map { .string($0) } ?? .null, "fields": .object(JSONObject(fields)),
      "tlvs": .array(records),
    ]
  }
}

extension WireError: Refusal {
  var refusal: ToolError {
    switch self {
    case .missingType: ToolError("bad_message", "message: \(self)")
    case .tooLarge: ToolError("message_too_large", "\(self)")
    case .unknownEvenType: ToolError("unknown_even_type", "\(self)")
    case .malformed: ToolError("bad_message", "\(self)")
    case .invalidExtension: ToolError("bad_extension", "\(self)")
    case .unknownField(_, let name): ToolError("unknown_field", "there is no field \(quoted(name))")
    case .unknownMessage: ToolError("unknown_message", "\(self)")
    }
  }
}
