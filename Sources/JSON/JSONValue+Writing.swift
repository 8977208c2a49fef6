extension JSONValue: CustomStringConvertible {
  /// On one line, without white space, in ASCII beyond which everything is UTF-8.
  public var description: String { text(pretty: false) }

  /// The JSON text; `pretty` puts each member and each element that is not a plain value on a line of its own.
  public func text(pretty: Bool) -> String {
    var output: [UInt8] = []
    write(to: &output, indentation: pretty ? 0 : nil)
    return String(decoding: output, as: UTF8.self)
  }

  private func write(to output: inout [UInt8], indentation: Int?) {
    switch self {
    case .null: output.append(contentsOf: "null".utf8)
    case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
    case .negative(let value): output.append(contentsOf: String(value).utf8)
    case .unsigned(let value): output.append(contentsOf: String(value).utf8)
    case .double(let value): output.append(contentsOf: (value.isFinite ? String(value) : "null").utf8)
    case .string(let value): Self.write(value, to: &output)
    case .array(let elements):
      output.append(0x5b)
      for (index, element) in elements.enumerated() {
        if index > 0 { output.append(0x2c) }
        Self.newLine(&output, indentation.map { $0 + 1 })
        element.write(to: &output, indentation: indentation.map { $0 + 1 })
      }
      if !elements.isEmpty { Self.newLine(&output, indentation) }
      output.append(0x5d)
    case .object(let object):
      output.append(0x7b)
      for (index, member) in object.members.enumerated() {
        if index > 0 { output.append(0x2c) }
        Self.newLine(&output, indentation.map { $0 + 1 })
        Self.write(member.name, to: &output)
        output.append(0x3a)
        if indentation != nil { output.append(0x20) }
        member.value.write(to: &output, indentation: indentation.map { $0 + 1 })
      }
      if !object.members.isEmpty { Self.newLine(&output, indentation) }
      output.append(0x7d)
    }
  }

  private static func newLine(_ output: inout [UInt8], _ indentation: Int?) {
    guard let indentation else { return }
    output.append(0x0a)
    output.append(contentsOf: repeatElement(0x20, count: 2 * indentation))
  }

  private static func write(_ text: String, to output: inout [UInt8]) {
    output.append(0x22)
    for byte in text.utf8 {
      switch byte {
      case 0x22: output.append(contentsOf: [0x5c, 0x22])
      case 0x5c: output.append(contentsOf: [0x5c, 0x5c])
      case 0x0a: output.append(contentsOf: [0x5c, 0x6e])
      case 0..<0x20, 0x7f:
        let digits = Array("0123456789abcdef".utf8)
        output.append(contentsOf: "\\u00".utf8)
        output.append(digits[Int(byte >> 4)])
        output.append(digits[Int(byte & 15)])
      default: output.append(byte)
      }
    }
    output.append(0x22)
  }
}
