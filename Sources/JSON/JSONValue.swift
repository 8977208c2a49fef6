/// A JSON value. Numbers are kept exactly: whole ones of 64 bits as such, all others as they were written. Objects keep
/// the order of their members.
public enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  /// A whole number below zero.
  case negative(Int64)
  /// A whole number from zero on.
  case unsigned(UInt64)
  /// Any other number (a fraction, an exponent, more than 64 bits), in the text of RFC 8259 §6.
  case decimal(String)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)

  public static func int(_ value: some BinaryInteger) -> JSONValue {
    if let value = UInt64(exactly: value) { return .unsigned(value) }
    if let value = Int64(exactly: value) { return .negative(value) }
    return .decimal(String(value))
  }

  /// A number with a fraction; null when it is infinite or not a number, for which JSON has no words.
  public static func double(_ value: Double) -> JSONValue { value.isFinite ? .decimal(String(value)) : .null }
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

  /// `members` must have no name twice.
  init(distinct members: [(name: String, value: JSONValue)]) { self.members = members }

  /// The value of a name; setting appends or replaces, setting nil removes.
  public subscript(name: String) -> JSONValue? {
    get {
      for member in members where member.name == name { return member.value }
      return nil
    }
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
  public var isNull: Bool { if case .null = self { true } else { false } }

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
    case .decimal(let text): Double(text)
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

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral, ExpressibleByIntegerLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(integerLiteral value: Int) { self = .int(value) }
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(JSONObject(distinct: elements.map { (name: $0.0, value: $0.1) }))
  }
}
