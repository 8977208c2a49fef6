import Testing
@testable import Configuration

@Suite struct SettingsFileTests {
  private func parse(_ text: String) throws(SettingsFileError) -> [FileSetting] {
    try SettingsFileParser.parse(Array(text.utf8))
  }

  private func value(_ text: String) -> FileValue? {
    let settings = try? parse("k = \(text)")
    return settings?.count == 1 ? settings?.first?.value : nil
  }

  @Test("sections, dotted keys and inline tables become paths with their lines")
  func paths() throws {
    let settings = try parse(
      """
      # a comment
      top = 1 # behind

      [a]
      b.c = "x"
      "quoted key" = 'y'
      [a.d . "e"]
      f = [
        1,   # one
        2,
      ]
      g = { h = true, i.j = 2 }
      [ z ]
      last = 0
      """)
    #expect(
      settings == [
        FileSetting(path: ["top"], value: .integer(1), line: 2),
        FileSetting(path: ["a", "b", "c"], value: .string("x"), line: 5),
        FileSetting(path: ["a", "quoted key"], value: .string("y"), line: 6),
        FileSetting(path: ["a", "d", "e", "f"], value: .array([.integer(1), .integer(2)]), line: 8),
        FileSetting(path: ["a", "d", "e", "g", "h"], value: .bool(true), line: 12),
        FileSetting(path: ["a", "d", "e", "g", "i", "j"], value: .integer(2), line: 12),
        FileSetting(path: ["z", "last"], value: .integer(0), line: 14),
      ])
    #expect(try parse("") == [])
    #expect(try parse("\u{feff}a=1\r\nb=2\r\n").map(\.line) == [1, 2])
    #expect(try parse("[a.b]\nx=1\n[a]\ny=1").count == 2)
  }

  @Test("values of TOML 1.0")
  func values() {
    let cases: [(String, FileValue)] = [
      ("0", .integer(0)), ("+99", .integer(99)), ("-17", .integer(-17)), ("1_000", .integer(1000)),
      ("0xDEAD_beef", .integer(0xdead_beef)), ("0o755", .integer(0o755)), ("0b1101", .integer(0b1101)),
      ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
      ("3.14", .float("3.14")), ("-0.01", .float("-0.01")), ("5e+22", .float("5e+22")), ("1_0.5E-2", .float("10.5E-2")),
      ("inf", .float("inf")), ("-nan", .float("-nan")), ("true", .bool(true)), ("false", .bool(false)),
      ("1979-05-27", .date("1979-05-27")), ("07:32:00", .date("07:32:00")),
      ("\"\"", .string("")), (#""a\tb\"\\\u00e9\U0001F600""#, .string("a\tb\"\\é😀")), (#"'C:\x'"#, .string(#"C:\x"#)),
      ("\"\"\"\na\nb\"\"\"", .string("a\nb")), ("\"\"\"a \\\n   b\"\"\"", .string("a b")),
      ("'''a''b'''", .string("a''b")), ("'''\n\\n'''", .string("\\n")), ("\"\"\"a\"\"\"\"\"", .string("a\"\"")),
      ("[]", .array([])), ("[[1],[\"a\"]]", .array([.array([.integer(1)]), .array([.string("a")])])),
    ]
    for (text, expected) in cases { #expect(value(text) == expected, "\(text)") }
  }

  @Test(
    "malformed files are refused with the line",
    arguments: [
      ("a", 1), ("a =", 1), ("= 1", 1), ("a = 1 b = 2", 1), ("a = 1\na = 2", 2), ("a = 1\n[a]", 2), ("[a]\n[a]", 2),
      ("a.b = 1\n[a]", 2), ("[a.b]\n[a]\nb.c = 1", 3), ("[a]\nb = 1\n[a.b.c]", 3), ("a = 1\na.b = 2", 2), ("[]", 1),
      ("[a", 1), ("[a.]", 1),
      ("[[a]]", 1), ("a = [{}]", 1), ("a = 01", 1), ("a = 1__0", 1), ("a = _1", 1), ("a = 1_", 1), ("a = 0x", 1),
      ("a = 1.", 1), ("a = .5", 1),
      ("a = 1e", 1), ("a = 99999999999999999999", 1), ("a = tru", 1), ("a = \"x", 1), ("a = 'x\n'", 1),
      ("a = \"\\q\"", 1),
      ("a = \"\\ud800\"", 1), ("a = \"\\U00110000\"", 1), ("a = \"\\u12\"", 1), ("a = \"\\u+123\"", 1),
      ("a = \"\"\"x", 1), ("a = \"\u{1}\"", 1),
      ("\n\na = [1, 2", 3), ("a = [1 2]", 1), ("a = [,]", 1), ("a = { b = 1", 1), ("a = { b = 1, }", 1),
      ("a = {\nb = 1 }", 1), ("a = {}\na.b = 1\n[a]", 3),
      ("# \u{7}", 1), ("a = 1 # \u{0}", 1), ("\u{0}", 1), ("a = 1\u{0}b", 1), ("a = 1\rb = 2", 1), ("é = 1", 1),
      ("a = {b.c = 1, b = 2}", 1), ("a = {b = 1, b = 2}", 1),
    ])
  func malformed(text: String, line: Int) {
    do {
      let settings = try parse(text)
      Issue.record("read as \(settings)")
    } catch { #expect(error.line == line, "\(error)") }
  }

  @Test("hostile files are refused at once")
  func hostile() {
    for text in [
      "a = " + String(repeating: "[", count: 1_000_000), String(repeating: "[", count: 1_000_000),
      String(repeating: "a.", count: 400_000) + "a = 1", "[" + String(repeating: "a.", count: 400_000) + "a]",
      String(repeating: "a={", count: 300_000), "a = \"" + String(repeating: "\\", count: 500_001),
      String(repeating: "#", count: 2 << 20), "a = " + String(repeating: "1", count: 1_000_000),
    ] {
      #expect(throws: SettingsFileError.self) { try parse(text) }
    }
    #expect(throws: SettingsFileError(line: 2, message: "the text is not UTF-8")) {
      try SettingsFileParser.parse(Array("a = 1\nb = \"".utf8) + [0xff, 0x22])
    }
  }

  @Test("no single changed byte of a file ends the process")
  func mutations() {
    let file = Array("[a]\nb = \"x\\n\"\nc = [1, 0x2, 'z']\n[d.e]\nf = { g = 1.5 }\nh = \"\"\"\nq\\\n  r\"\"\"\n".utf8)
    var read = 0
    for index in file.indices {
      for byte in UInt8.min ... .max {
        var copy = file
        copy[index] = byte
        if (try? SettingsFileParser.parse(copy)) != nil { read += 1 }
      }
      if (try? SettingsFileParser.parse(Array(file[..<index]))) != nil { read += 1 }
    }
    #expect(read > file.count)
  }
}
