extension JSONValue: CustomStringConvertible {
  /// On one line, without white space.
  public var description: String { text(pretty: false) }

  /// The JSON text; `pretty` puts each member and each element on a line of its own.
  public func text(pretty: Bool) -> String {
    var output: [UInt8] = []
    write(to: &output, indentation: pretty ? 0 : nil)
    return String(decoding: output, as: UTF8.self)
  }

  /// Appends the text on one line, in UTF-8. What some readers take for the end of a line (U+007F and below U+0020,
  /// U+0085, U+2028, U+2029) is escaped, so the text is one line to everybody.
  public func write(to output: inout [UInt8]) { write(to: &output, indentation: nil) }

  private func write(to output: inout [UInt8], indentation: Int?) {
    switch self {
    case .null: output.append(contentsOf: "null".utf8)
    case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
    case .negative(let value): output.append(contentsOf: String(value).utf8)
    case .unsigned(let value): output.append(contentsOf: String(value).utf8)
    case .decimal(let text): output.append(contentsOf: text.utf8)
    case .string(let value): Self.write(value, to: &output)
    case .array(let elements):
      output.append(UInt8(ascii: "["))
      for (index, element) in elements.enumerated() {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        Self.newLine(&output, indentation.map { $0 + 1 })
        element.write(to: &output, indentation: indentation.map { $0 + 1 })
      }
      if !elements.isEmpty { Self.newLine(&output, indentation) }
      output.append(UInt8(ascii: "]"))
    case .object(let object):
      output.append(UInt8(ascii: "{"))
      for (index, member) in object.members.enumerated() {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        Self.newLine(&output, indentation.map { $0 + 1 })
        Self.write(member.name, to: &output)
        output.append(UInt8(ascii: ":"))
        if indentation != nil { output.append(0x20) }
        member.value.write(to: &output, indentation: indentation.map { $0 + 1 })
      }
      if !object.members.isEmpty { Self.newLine(&output, indentation) }
      output.append(UInt8(ascii: "}"))
    }
  }

  private static func newLine(_ output: inout [UInt8], _ indentation: Int?) {
    guard let indentation else { return }
    output.append(0x0a)
    output.append(contentsOf: repeatElement(0x20, count: 2 * indentation))
  }

  private static func write(_ text: String, to output: inout [UInt8]) {
    output.append(UInt8(ascii: "\""))
    let isPlain = text.utf8.allSatisfy {
      $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
    }
    if isPlain {
      output.append(contentsOf: text.utf8)
    } else {
      for scalar in text.unicodeScalars { write(scalar, to: &output) }
    }
    output.append(UInt8(ascii: "\""))
  }

  private static func write(_ scalar: Unicode.Scalar, to output: inout [UInt8]) {
    switch scalar.value {
    case 0x22: output.append(contentsOf: "\\\"".utf8)
    case 0x5c: output.append(contentsOf: "\\\\".utf8)
    case 0x0a: output.append(contentsOf: "\\n".utf8)
    case 0..<0x20, 0x7f, 0x85, 0x2028, 0x2029:
      let digits = Array("0123456789abcdef".utf8)
      output.append(contentsOf: "\\u".utf8)
      for shift in [12, 8, 4, 0] as [UInt32] { output.append(digits[Int(scalar.value >> shift & 15)]) }
    default: output.append(contentsOf: String(scalar).utf8)
    }
  }
}
