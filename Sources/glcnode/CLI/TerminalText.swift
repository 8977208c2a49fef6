internal import Glibc

/// Texts for a terminal. Peers choose some of them (aliases, descriptions, reasons), so nothing is printed that a terminal would obey.
enum TerminalText {
  static func plain(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
        // The joiner of emoji and of some scripts obeys nobody.
        if scalar == "\u{200d}" || scalar == "\u{200c}" {
          result.unicodeScalars.append(scalar)
        } else {
          result += "\\u{\(String(scalar.value, radix: 16))}"
        }
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// How many columns a text takes.
  static func width(_ text: String) -> Int {
    text.reduce(0) { width, character in
      guard let scalar = character.unicodeScalars.first else { return width }
      if scalar.properties.generalCategory == .nonspacingMark { return width }
      switch scalar.value {
      case 0x1100...0x115f, 0x2e80...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f, 0xff00...0xff60,
        0xffe0...0xffe6, 0x1f300...0x1faff, 0x20000...0x3fffd:
        return width + 2
      default: return width + 1
      }
    }
  }

  /// The first letters of an id and an ellipsis.
  static func short(_ text: String) -> String { text.count > 14 ? "\(text.prefix(12))…" : text }

  static func isTerminal(_ stream: Int32) -> Bool { isatty(stream) == 1 }
}

/// Colours of a terminal, or none.
struct Palette {
  let isOn: Bool

  private func code(_ code: String, _ text: String) -> String { isOn ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text }

  func bold(_ text: String) -> String { code("1", text) }
  func dim(_ text: String) -> String { code("2", text) }
  func good(_ text: String) -> String { code("32", text) }
  func middling(_ text: String) -> String { code("33", text) }
  func bad(_ text: String) -> String { code("31", text) }
}
