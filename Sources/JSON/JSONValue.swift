internal import Foundation

/// A JSON value. Whole numbers keep all their 64 bits; objects keep the order in which they were made (an object that was read
/// has its names sorted).
public enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  /// A whole number below zero.
  case negative(Int64)
  /// A whole number from zero on.
  case unsigned(UInt64)
  /// Any other number.
  case double(Double)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)

  /// Reads one JSON text (RFC 8259, UTF-8). Throws `JSONError`.
  public init(parsing bytes: [UInt8]) throws(JSONError) {
    do {
      self = try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
    } catch DecodingError.dataCorrupted(let context) {
      let detail = (context.underlyingError as NSError?)?.userInfo["NSDebugDescription"] as? String
      throw JSONError(message: detail ?? context.debugDescription)
    } catch {
      throw JSONError(message: "not valid JSON")
    }
  }

  public init(parsing text: String) throws(JSONError) { try self.init(parsing: Array(text.utf8)) }

  public static func int(_ value: some BinaryInteger) -> JSONValue {
    if value < 0 { .negative(Int64(clamping: value)) } else { .unsigned(UInt64(clamping: value)) }
  }
}

/// Why a text is not JSON.
public struct JSONError: Error, Hashable, Sendable {
  public let message: String
}

/// The members of a JSON object, in order. Looking a name up is linear: objects here are small.
public struct JSONObject: Hashable, Sendable, ExpressibleByDictionaryLiteral {
  public private(set) var members: [(name: String, value: JSONValue)]

  public init() { members = [] }

  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    members = elements.map { (name: $0.0, value: $0.1) }
  }

  public init(_ dictionary: [String: JSONValue]) {
    members = dictionary.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
  }

  /// The value of a name; setting appends or replaces, setting nil removes.
  public subscript(name: String) -> JSONValue? {
    get { members.first { $0.name == name }?.value }
    set {
      if let index = members.firstIndex(where: { $0.name == name }) {
        if let newValue { members[index].value = newValue } else { members.remove(at: index) }
      } else if let newValue {
        members.append((name: name, value: newValue))
      }
    }
  }

  public var names: [String] { members.map(\.name) }

  public static func == (a: Self, b: Self) -> Bool {
    Dictionary(a.members.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
      == Dictionary(b.members.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
  }

  public func hash(into hasher: inout Hasher) {
    for name in names.sorted() { hasher.combine(name) }
  }
}

extension JSONValue {
  public var stringValue: String? { if case .string(let value) = self { value } else { nil } }
  public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
  public var arrayValue: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
  public var objectValue: JSONObject? { if case .object(let value) = self { value } else { nil } }
  public var unsignedValue: UInt64? { if case .unsigned(let value) = self { value } else { nil } }
  public var isNull: Bool { self == .null }

  public var integerValue: Int64? {
    switch self {
    case .unsigned(let value): Int64(exactly: value)
    case .negative(let value): value
    default: nil
    }
  }

  public var doubleValue: Double? {
    switch self {
    case .unsigned(let value): Double(value)
    case .negative(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }

  /// A member of an object; nil for anything else.
  public subscript(name: String) -> JSONValue? { objectValue?[name] }
  /// An element of an array; nil out of bounds and for anything else.
  public subscript(index: Int) -> JSONValue? {
    guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
    return elements[index]
  }
}

extension JSONValue: Decodable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([String: JSONValue].self) {
      self = .object(JSONObject(value))
    } else if let value = try? container.decode([JSONValue].self) {
      self = .array(value)
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(UInt64.self) {
      self = .unsigned(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .negative(value)
    } else {
      self = .double(try container.decode(Double.self))
    }
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral {
  public init(stringLiteral value: String) { self = .string(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
}
