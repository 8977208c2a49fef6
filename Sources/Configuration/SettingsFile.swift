/// Why a file of settings cannot be read, and where.
public struct SettingsFileError: Error, Hashable, Sendable {
  /// From one on.
  public let line: Int
  public let message: String
}

/// One setting of a file.
struct FileSetting: Hashable {
  /// The names of tables and the key, outermost first.
  var path: [String]
  var value: FileValue
  /// From one on.
  var line: Int
}

indirect enum FileValue: Hashable {
  case string(String)
  case integer(Int64)
  /// As it is written.
  case float(String)
  case bool(Bool)
  /// As it is written.
  case date(String)
  case array([FileValue])
}

/// Reads TOML 1.0 into a flat list of settings, each with its line.
///
/// A parser of our own: the common one for Swift wraps a C++ library that ends the process on some malformed input (an assertion on
/// a thousand opening brackets), stops at a zero byte without a word, and cannot tell in which line a key stands. Here nothing recurses
/// deeper than `maximumDepth`, and what settings never need is refused by name: arrays of tables, and tables in arrays.
struct SettingsFileParser: ~Escapable {
  static let maximumByteCount = 1 << 20
  static let maximumDepth = 16

  private let bytes: Span<UInt8>
  private var position = 0
  private var line = 1
  private var settings: [FileSetting] = []
  /// Every key that has a value, and every table with how it came to be.
  private var values: Set<[String]> = []
  private var tables: [[String]: TableOrigin] = [:]

  private enum TableOrigin {
    /// `[a.b]`
    case header
    /// `a` of `[a.b]`, which may have a header of its own later
    case above
    /// `a` of `a.b = 1`, or `{}`
    case key
  }

  static func parse(_ bytes: [UInt8]) throws(SettingsFileError) -> [FileSetting] {
    guard bytes.count <= maximumByteCount else {
      throw SettingsFileError(line: 1, message: "the file has more than \(maximumByteCount) bytes")
    }
    var parser = SettingsFileParser(bytes.span)
    return try parser.document()
  }

  @_lifetime(copy bytes) private init(_ bytes: Span<UInt8>) { self.bytes = bytes }

  private func failure(_ message: String) -> SettingsFileError { SettingsFileError(line: line, message: message) }

  private func byte(_ ahead: Int = 0) -> UInt8? {
    position + ahead < bytes.count ? bytes[position + ahead] : nil
  }

  @_lifetime(self: copy self)
  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard byte() == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  @_lifetime(self: copy self)
  private mutating func skipBlanks() { while byte() == 0x20 || byte() == 0x09 { position += 1 } }

  /// A comment and the end of the line, or the end of the text.
  @_lifetime(self: copy self)
  private mutating func endOfLine() throws(SettingsFileError) {
    skipBlanks()
    if take("#") {
      while let next = byte(), next != 0x0a {
        if next == 0x0d, byte(1) == 0x0a { break }
        if next < 0x20 && next != 0x09 || next == 0x7f { throw failure("a control character in a comment") }
        position += 1
      }
    }
    guard byte() != nil else { return }
    if byte() == 0x0d, byte(1) == 0x0a { position += 1 }
    guard take("\n") else { throw failure("something stands behind the value; put it on a line of its own") }
    line += 1
  }

  @_lifetime(self: copy self)
  private mutating func document() throws(SettingsFileError) -> [FileSetting] {
    if byte() == 0xef, byte(1) == 0xbb, byte(2) == 0xbf { position += 3 }
    do throws(UTF8.ValidationError) {
      _ = try UTF8Span(validating: bytes)
    } catch {
      let before = bytes.extracting(0..<error.byteOffsets.lowerBound)
      for index in before.indices where before[index] == 0x0a { line += 1 }
      throw failure("the text is not UTF-8")
    }
    var table: [String] = []
    while true {
      skipBlanks()
      switch byte() {
      case nil: return settings
      case UInt8(ascii: "#"), 0x0a, 0x0d: try endOfLine()
      case UInt8(ascii: "["):
        table = try header()
        try endOfLine()
      default:
        try pair(in: table, depth: 0)
        try endOfLine()
      }
    }
  }

  @_lifetime(self: copy self)
  private mutating func header() throws(SettingsFileError) -> [String] {
    position += 1
    if byte() == UInt8(ascii: "[") { throw failure("[[arrays of tables]] are not used here; write [section]") }
    let path = try keys()
    guard take("]") else { throw failure("expected ] behind the name of the section") }
    for count in 1..<path.count {
      let above = Array(path.prefix(count))
      if values.contains(above) { throw failure("\(text(above)) has a value already, it is no section") }
      if tables[above] == nil { tables[above] = .above }
    }
    if values.contains(path) { throw failure("\(text(path)) has a value already, it is no section") }
    switch tables[path] {
    case nil, .above: tables[path] = .header
    case .header, .key: throw failure("the section [\(text(path))] stands twice")
    }
    return path
  }

  @_lifetime(self: copy self)
  private mutating func pair(in table: [String], depth: Int) throws(SettingsFileError) {
    let start = line
    let keys = try keys()
    guard take("=") else { throw failure("expected = behind \(text(keys))") }
    skipBlanks()
    let path = table + keys
    for count in (table.count + 1)..<(table.count + keys.count) {
      let above = Array(path.prefix(count))
      if values.contains(above) { throw failure("\(text(above)) has a value already, it is no section") }
      switch tables[above] {
      case nil: tables[above] = .key
      case .key: break
      case .above, .header: throw failure("\(text(above)) is a section with a header of its own")
      }
    }
    if values.contains(path) || tables[path] != nil { throw failure("\(text(path)) stands twice") }
    if byte() == UInt8(ascii: "{") {
      guard depth < Self.maximumDepth, path.count < Self.maximumDepth else { throw failure("nested too deep") }
      tables[path] = .key
      try inlineTable(path, depth: depth)
      return
    }
    values.insert(path)
    let value = try value(depth: 0)
    settings.append(FileSetting(path: path, value: value, line: start))
  }

  @_lifetime(self: copy self)
  private mutating func inlineTable(_ path: [String], depth: Int) throws(SettingsFileError) {
    position += 1
    skipBlanks()
    if take("}") { return }
    while true {
      skipBlanks()
      try pair(in: path, depth: depth + 1)
      skipBlanks()
      if take("}") { return }
      guard take(",") else { throw failure("expected , or }") }
    }
  }

  private func text(_ path: [String]) -> String { path.joined(separator: ".") }

  // MARK: Keys

  /// `a.b.c`, with blanks around it and between.
  @_lifetime(self: copy self)
  private mutating func keys() throws(SettingsFileError) -> [String] {
    var keys: [String] = []
    while true {
      skipBlanks()
      keys.append(try key())
      guard keys.count <= Self.maximumDepth else { throw failure("a key of too many parts") }
      skipBlanks()
      if !take(".") { return keys }
    }
  }

  @_lifetime(self: copy self)
  private mutating func key() throws(SettingsFileError) -> String {
    switch byte() {
    case UInt8(ascii: "\""): return try basicString()
    case UInt8(ascii: "'"): return try literalString()
    default: break
    }
    let start = position
    while let next = byte() {
      switch next {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "_"): position += 1
      default:
        guard position > start else { throw failure("expected a name") }
        return string(start..<position)
      }
    }
    guard position > start else { throw failure("expected a name") }
    return string(start..<position)
  }

  private func string(_ range: Range<Int>) -> String {
    var text: [UInt8] = []
    for index in range { text.append(bytes[index]) }
    return String(decoding: text, as: UTF8.self)
  }

  // MARK: Values

  @_lifetime(self: copy self)
  private mutating func value(depth: Int) throws(SettingsFileError) -> FileValue {
    switch byte() {
    case UInt8(ascii: "\""):
      if byte(1) == UInt8(ascii: "\""), byte(2) == UInt8(ascii: "\"") {
        return .string(try multilineString(delimiter: UInt8(ascii: "\"")))
      }
      return .string(try basicString())
    case UInt8(ascii: "'"):
      if byte(1) == UInt8(ascii: "'"), byte(2) == UInt8(ascii: "'") {
        return .string(try multilineString(delimiter: UInt8(ascii: "'")))
      }
      return .string(try literalString())
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "{"): throw failure("tables in arrays are not used here")
    case nil, 0x0a, 0x0d, UInt8(ascii: "#"): throw failure("expected a value")
    default: return try scalar()
    }
  }

  @_lifetime(self: copy self)
  private mutating func array(depth: Int) throws(SettingsFileError) -> FileValue {
    guard depth < Self.maximumDepth else { throw failure("nested too deep") }
    position += 1
    var elements: [FileValue] = []
    while true {
      try skipLines()
      if take("]") { return .array(elements) }
      elements.append(try value(depth: depth + 1))
      try skipLines()
      if take("]") { return .array(elements) }
      guard take(",") else { throw failure("expected , or ] in a list") }
    }
  }

  @_lifetime(self: copy self)
  private mutating func skipLines() throws(SettingsFileError) {
    while true {
      skipBlanks()
      guard let next = byte(), next == 0x0a || next == 0x0d || next == UInt8(ascii: "#") else { return }
      try endOfLine()
    }
  }

  /// Numbers, booleans and dates.
  @_lifetime(self: copy self)
  private mutating func scalar() throws(SettingsFileError) -> FileValue {
    let start = position
    scan: while let next = byte() {
      switch next {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: ":"):
        position += 1
      default: break scan
      }
    }
    let word = string(start..<position)
    guard !word.isEmpty else { throw failure("expected a value; a text stands in \"quotes\"") }
    switch word {
    case "true": return .bool(true)
    case "false": return .bool(false)
    case "inf", "+inf", "-inf", "nan", "+nan", "-nan": return .float(word)
    default: break
    }
    if let number = Self.integer(word) { return .integer(number) }
    if Self.isFloat(word) { return .float(String(word.filter { $0 != "_" })) }
    if word.utf8.first.map({ (0x30...0x39).contains($0) }) == true,
      word.contains(":") || word.split(separator: "-").count == 3
    {
      return .date(word)
    }
    if word.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_") }) {
      throw failure("\(word) is no number that can be held")
    }
    throw failure("\(word) is no value; a text stands in \"quotes\"")
  }

  /// Digits with single underscores between them.
  private static func digits(_ text: Substring, radix: Int) -> String? {
    let parts = text.split(separator: "_", omittingEmptySubsequences: false)
    guard parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy { $0.isASCII && ($0.hexDigitValue ?? 16) < radix } }) else {
      return nil
    }
    return parts.joined()
  }

  private static func integer(_ word: String) -> Int64? {
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where word.hasPrefix(prefix) {
      return digits(word.dropFirst(2), radix: radix).flatMap { Int64($0, radix: radix) }
    }
    let isSigned = word.hasPrefix("-") || word.hasPrefix("+")
    guard let digits = digits(word.dropFirst(isSigned ? 1 : 0), radix: 10), digits.count == 1 || !digits.hasPrefix("0")
    else { return nil }
    return Int64((word.hasPrefix("-") ? "-" : "") + digits)
  }

  private static func isFloat(_ word: String) -> Bool {
    let isSigned = word.hasPrefix("-") || word.hasPrefix("+")
    let parts = word.dropFirst(isSigned ? 1 : 0).split(omittingEmptySubsequences: false) { $0 == "e" || $0 == "E" }
    guard parts.count <= 2, let mantissa = parts.first else { return false }
    let numbers = mantissa.split(separator: ".", omittingEmptySubsequences: false)
    guard numbers.count <= 2, numbers.count == 2 || parts.count == 2,
      numbers.allSatisfy({ digits($0, radix: 10) != nil }),
      let whole = digits(numbers[0], radix: 10), whole.count == 1 || !whole.hasPrefix("0")
    else { return false }
    guard parts.count == 2 else { return true }
    let exponent = parts[1].hasPrefix("-") || parts[1].hasPrefix("+") ? parts[1].dropFirst() : parts[1]
    return digits(exponent, radix: 10) != nil
  }

  // MARK: Strings

  @_lifetime(self: copy self)
  private mutating func literalString() throws(SettingsFileError) -> String {
    position += 1
    let start = position
    while let next = byte() {
      if next == UInt8(ascii: "'") {
        position += 1
        return string(start..<(position - 1))
      }
      if next < 0x20 && next != 0x09 || next == 0x7f { break }
      position += 1
    }
    throw failure("a text that does not end on its line")
  }

  @_lifetime(self: copy self)
  private mutating func basicString() throws(SettingsFileError) -> String {
    position += 1
    var text: [UInt8] = []
    while let next = byte() {
      position += 1
      if next == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
      if next == UInt8(ascii: "\\") {
        text.append(contentsOf: String(Character(try escape())).utf8)
        continue
      }
      if next < 0x20 && next != 0x09 || next == 0x7f { break }
      text.append(next)
    }
    throw failure("a text that does not end on its line")
  }

  @_lifetime(self: copy self)
  private mutating func multilineString(delimiter: UInt8) throws(SettingsFileError) -> String {
    position += 3
    var text: [UInt8] = []
    let isLiteral = delimiter == UInt8(ascii: "'")
    // "A newline immediately following the opening delimiter will be trimmed."
    if byte() == 0x0d, byte(1) == 0x0a { position += 1 }
    if byte() == 0x0a {
      position += 1
      line += 1
    }
    while let next = byte() {
      if next == delimiter, byte(1) == delimiter, byte(2) == delimiter {
        position += 3
        // One or two quotes may stand right before the closing ones.
        for _ in 0..<2 where byte() == delimiter {
          text.append(delimiter)
          position += 1
        }
        return String(decoding: text, as: UTF8.self)
      }
      position += 1
      if next == UInt8(ascii: "\\"), !isLiteral {
        if skipLineEnding() { continue }
        text.append(contentsOf: String(Character(try escape())).utf8)
        continue
      }
      if next == 0x0a { line += 1 }
      if next == 0x0d, byte() != 0x0a { throw failure("a control character in a text") }
      if next < 0x20 && next != 0x09 && next != 0x0a && next != 0x0d || next == 0x7f {
        throw failure("a control character in a text")
      }
      text.append(next)
    }
    throw failure("a text that does not end")
  }

  /// "When the last non-whitespace character on a line is an unescaped \, it will be trimmed along with all whitespace (including
  /// newlines) up to the next non-whitespace character or closing delimiter."
  @_lifetime(self: copy self)
  private mutating func skipLineEnding() -> Bool {
    let start = position
    skipBlanks()
    guard byte() == 0x0a || byte() == 0x0d && byte(1) == 0x0a else {
      position = start
      return false
    }
    while let next = byte(), next == 0x20 || next == 0x09 || next == 0x0a || next == 0x0d {
      if next == 0x0a { line += 1 }
      position += 1
    }
    return true
  }

  @_lifetime(self: copy self)
  private mutating func escape() throws(SettingsFileError) -> Unicode.Scalar {
    guard let next = byte() else { throw failure("a text that does not end") }
    position += 1
    switch next {
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "u"), UInt8(ascii: "U"):
      let count = next == UInt8(ascii: "u") ? 4 : 8
      guard position + count <= bytes.count, let number = UInt32(string(position..<(position + count)), radix: 16),
        byte() != UInt8(ascii: "+"), let scalar = Unicode.Scalar(number)
      else { throw failure("\\\(count == 4 ? "u" : "U") stands before \(count) hex digits of a character") }
      position += count
      return scalar
    default: throw failure("an unknown escape in a text; a backslash is written \\\\, or the text in 'single quotes'")
    }
  }
}
