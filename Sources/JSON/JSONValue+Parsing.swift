/// Why a text is not JSON.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
  public let message: String
  /// Where, in bytes from the start of the text.
  public let offset: Int

  public var description: String { "\(message) at offset \(offset)" }
}

extension JSONValue {
  /// How deep arrays and objects may be nested. RFC 8259 §9: "An implementation may set limits on the maximum depth of
  /// nesting."
  public static let maximumDepth = 512

  /// Reads one JSON text (RFC 8259), strictly: valid UTF-8 without a byte order mark, no surrogate on its own, no name
  /// twice in an object, nothing behind the value.
  public init(parsing bytes: [UInt8]) throws(JSONError) {
    var parser = JSONParser(bytes.span)
    self = try parser.parse()
  }

  public init(parsing text: String) throws(JSONError) { try self.init(parsing: Array(text.utf8)) }
}

/// A recursive descent over the bytes, bounded by `JSONValue.maximumDepth`.
private struct JSONParser: ~Escapable {
  private let bytes: Span<UInt8>
  private var position = 0

  @_lifetime(copy bytes) init(_ bytes: Span<UInt8>) { self.bytes = bytes }

  @_lifetime(self: copy self)
  mutating func parse() throws(JSONError) -> JSONValue {
    let value = try value(depth: 0)
    if next != nil { throw failure("text behind the value") }
    return value
  }

  private func failure(_ message: String) -> JSONError { JSONError(message: message, offset: position) }

  private var byte: UInt8? { position < bytes.count ? bytes[position] : nil }

  /// The next byte that is no white space, not consumed.
  private var next: UInt8? {
    @_lifetime(self: copy self)
    mutating get {
      while let byte {
        switch byte {
        case 0x20, 0x0a, 0x0d, 0x09: position += 1
        default: return byte
        }
      }
      return nil
    }
  }

  @_lifetime(self: copy self)
  private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    switch next {
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "{"): return .object(try object(depth: depth))
    case UInt8(ascii: "["): return .array(try array(depth: depth))
    case UInt8(ascii: "-"): return try number()
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    case nil: throw failure("the text ends where a value should be")
    default:
      guard digit != nil else { throw failure("no JSON value") }
      return try number()
    }
  }

  @_lifetime(self: copy self)
  private mutating func literal(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
    for character in word.description.utf8 {
      guard byte == character else { throw failure("expected \(word)") }
      position += 1
    }
    return value
  }

  @_lifetime(self: copy self)
  private mutating func array(depth: Int) throws(JSONError) -> [JSONValue] {
    guard depth < JSONValue.maximumDepth else { throw failure("nested too deep") }
    position += 1
    var elements: [JSONValue] = []
    if next == UInt8(ascii: "]") {
      position += 1
      return elements
    }
    while true {
      elements.append(try value(depth: depth + 1))
      switch next {
      case UInt8(ascii: ","): position += 1
      case UInt8(ascii: "]"):
        position += 1
        return elements
      default: throw failure("expected , or ]")
      }
    }
  }

  @_lifetime(self: copy self)
  private mutating func object(depth: Int) throws(JSONError) -> JSONObject {
    guard depth < JSONValue.maximumDepth else { throw failure("nested too deep") }
    position += 1
    var members: [(name: String, value: JSONValue)] = []
    // Beyond a few members comparing with each would take quadratic time.
    var names: Set<String> = []
    if next == UInt8(ascii: "}") {
      position += 1
      return JSONObject(distinct: members)
    }
    while true {
      guard next == UInt8(ascii: "\"") else { throw failure("expected a name") }
      let name = try string()
      if members.count < 16 {
        for member in members where member.name == name { throw failure("the name \(name) stands twice") }
      } else {
        if names.isEmpty { for member in members { names.insert(member.name) } }
        guard names.insert(name).inserted else { throw failure("the name \(name) stands twice") }
      }
      guard next == UInt8(ascii: ":") else { throw failure("expected :") }
      position += 1
      members.append((name: name, value: try value(depth: depth + 1)))
      switch next {
      case UInt8(ascii: ","): position += 1
      case UInt8(ascii: "}"):
        position += 1
        return JSONObject(distinct: members)
      default: throw failure("expected , or }")
      }
    }
  }

  // MARK: Numbers

  /// RFC 8259 §6: [ minus ] int [ frac ] [ exp ].
  @_lifetime(self: copy self)
  private mutating func number() throws(JSONError) -> JSONValue {
    let start = position
    let isNegative = byte == UInt8(ascii: "-")
    if isNegative { position += 1 }
    var magnitude: UInt64? = 0
    let digits = position
    while let digit = digit {
      if let value = magnitude {
        let (product, overflow) = value.multipliedReportingOverflow(by: 10)
        let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
        magnitude = overflow || carry ? nil : sum
      }
      position += 1
    }
    guard position > digits else { throw failure("expected a digit") }
    if bytes[digits] == UInt8(ascii: "0") && position > digits + 1 { throw failure("a number with a leading zero") }
    if byte == UInt8(ascii: ".") {
      magnitude = nil
      position += 1
      try skipDigits()
    }
    if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
      magnitude = nil
      position += 1
      if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { position += 1 }
      try skipDigits()
    }
    if let magnitude {
      if !isNegative { return .unsigned(magnitude) }
      // −0 is a number of its own, and no whole number of ours.
      if magnitude > 0, let value = Int64(exactly: -Int128(magnitude)) { return .negative(value) }
    }
    return .decimal(try text(start..<position))
  }

  private var digit: UInt8? {
    guard let byte, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
    return byte - UInt8(ascii: "0")
  }

  @_lifetime(self: copy self)
  private mutating func skipDigits() throws(JSONError) {
    guard digit != nil else { throw failure("expected a digit") }
    while digit != nil { position += 1 }
  }

  // MARK: Strings

  private func text(_ range: Range<Int>) throws(JSONError) -> String {
    do {
      return String(copying: try UTF8Span(validating: bytes.extracting(range)))
    } catch {
      throw JSONError(message: "invalid UTF-8", offset: range.lowerBound + error.byteOffsets.lowerBound)
    }
  }

  /// Moves to the next quote or backslash. RFC 8259 §7: control characters must be escaped.
  @_lifetime(self: copy self)
  private mutating func skipPlainCharacters() throws(JSONError) -> UInt8 {
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return byte }
      if byte < 0x20 { throw failure("a control character in a string") }
      position += 1
    }
    throw failure("a string that does not end")
  }

  @_lifetime(self: copy self)
  private mutating func string() throws(JSONError) -> String {
    position += 1
    var start = position
    if try skipPlainCharacters() == UInt8(ascii: "\"") {
      position += 1
      return try text(start..<(position - 1))
    }
    var result = ""
    while true {
      result += try text(start..<position)
      position += 1
      if bytes[position - 1] == UInt8(ascii: "\"") { return result }
      result.unicodeScalars.append(try escaped())
      start = position
      _ = try skipPlainCharacters()
    }
  }

  @_lifetime(self: copy self)
  private mutating func escaped() throws(JSONError) -> Unicode.Scalar {
    guard let byte else { throw failure("a string that does not end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let unit = try fourHexDigits()
      if let scalar = Unicode.Scalar(unit) { return scalar }
      // Beyond the basic plane RFC 8259 §7 writes a pair of surrogates.
      guard unit < 0xdc00, self.byte == UInt8(ascii: "\\"), position + 1 < bytes.count,
        bytes[position + 1] == UInt8(ascii: "u")
      else { throw failure("a surrogate on its own") }
      position += 2
      let low = try fourHexDigits()
      guard 0xdc00...0xdfff ~= low, let scalar = Unicode.Scalar(0x1_0000 + (unit - 0xd800) << 10 + (low - 0xdc00))
      else { throw failure("a surrogate on its own") }
      return scalar
    default: throw failure("an unknown escape")
    }
  }

  @_lifetime(self: copy self)
  private mutating func fourHexDigits() throws(JSONError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      let digit: UInt8
      switch byte {
      case .some(let byte) where byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"): digit = byte - 0x30
      case .some(let byte) where byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "f"): digit = byte - 0x61 + 10
      case .some(let byte) where byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "F"): digit = byte - 0x41 + 10
      default: throw failure("expected four hex digits")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }
}
