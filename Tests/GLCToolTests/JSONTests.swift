import JSON
import Testing

@Suite struct JSONTests {
  @Test(
    "numbers keep all of their digits",
    arguments: [
      "0", "1", "-1", "9007199254740993", "9223372036854775808", "-9223372036854775808", "18446744073709551615",
      "18446744073709551616", "-9223372036854775809", "123456789012345678901234567890", "1.0", "1e3", "-0", "-0.0",
      "1.50", "1E+2", "1e-400", "1e400",
    ])
  func numbersAreExact(_ text: String) throws {
    #expect(try JSONValue(parsing: text).description == text)
  }

  @Test("64-bit integers are integers, everything else is not")
  func integers() throws {
    #expect(try JSONValue(parsing: "18446744073709551615") == .unsigned(.max))
    #expect(try JSONValue(parsing: "-9223372036854775808") == .negative(.min))
    #expect(try JSONValue(parsing: "18446744073709551616") == .decimal("18446744073709551616"))
    #expect(try JSONValue(parsing: "1.0") == .decimal("1.0"))
    #expect(try JSONValue(parsing: "-0") == .decimal("-0"))
    #expect(try JSONValue(parsing: "2.5").doubleValue == 2.5)
    #expect(JSONValue.int(Int8(-3)) == .negative(-3))
    #expect(JSONValue.int(UInt64.max) == .unsigned(.max))
  }

  @Test("members keep their order")
  func order() throws {
    let text = #"{"z":1,"a":{"y":[],"b":{}},"m":null}"#
    #expect(try JSONValue(parsing: text).description == text)
  }

  @Test(
    "escapes are read, and written where a line could break",
    arguments: [
      (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t", #""\"\\/\u0008\u000c\n\u000d\u0009""#),
      (#""\u0041\u00e9\u20AC\ud83d\ude00""#, "Aé€😀", "\"Aé€😀\""),
      (#""\u2028\u2029\u0085\u007f""#, "\u{2028}\u{2029}\u{85}\u{7f}", #""\u2028\u2029\u0085\u007f""#),
      (#""a\u0000b""#, "a\0b", #""a\u0000b""#),
      ("\"é\"", "é", "\"é\""),
      ("\"e\u{301}\"", "e\u{301}", "\"e\u{301}\""),
    ])
  func escapes(_ text: String, _ value: String, _ written: String) throws {
    let json = try JSONValue(parsing: text)
    #expect(json.stringValue.map { Array($0.utf8) } == Array(value.utf8))
    #expect(json.description == written)
    #expect(try JSONValue(parsing: written) == json)
  }

  @Test("white space is space, tab, line feed and carriage return")
  func whiteSpace() throws {
    #expect(try JSONValue(parsing: " \t\r\n[ 1 ,\n2 ] \r\n") == [1, 2])
    #expect(throws: JSONError.self) { try JSONValue(parsing: "\u{a0}1") }
    #expect(throws: JSONError.self) { try JSONValue(parsing: "\u{feff}1") }
  }

  @Test(
    "what RFC 8259 does not allow is refused",
    arguments: [
      "", " ", "nul", "nulll", "True", "01", "-", "-01", "+1", ".5", "1.", "1.e3", "1e", "1e+", "0x10", "NaN",
      "Infinity",
      "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}",
      "{a:1}",
      "{1:1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "\"", "\"a", "\"\\\"", "\"\\x41\"", "\"\\u12\"", "\"\\u12g4\"",
      "\"\\u+123\"",
      "\"\n\"", "\"\u{1f}\"", "1 2", "[]]", "{}{}", "// a\n1", "'a'", "[1]x",
      // A surrogate on its own, two of the same half, and a pair the wrong way round.
      #""\ud800""#, #""\udc00""#, #""\ud800\ud800""#, #""\ud800x""#, #""\udc00\ud800""#, #""\ud800\n""#, #""\ud800\u""#,
      // A name that stands twice, also when it is written otherwise, and behind many others.
      #"{"a":1,"a":1}"#, #"{"a":1,"\u0061":2}"#, #"[{"b":{"a":1,"b":2,"a":3}}]"#,
      "{" + (0..<40).map { "\"n\($0)\":0" }.joined(separator: ",") + ",\"n3\":1}",
    ])
  func malformed(_ text: String) {
    #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
  }

  @Test(
    "text that is not UTF-8 is refused",
    arguments: [
      [0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x80], [0xe2, 0x82],
      [0xf0, 0x9f, 0x98],
    ] as [[UInt8]])
  func invalidUTF8(_ bytes: [UInt8]) {
    #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22] + bytes + [0x22]) }
    #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22] + bytes + Array("\\n\"".utf8)) }
    #expect(throws: JSONError.self) { try JSONValue(parsing: Array("{\"".utf8) + bytes + Array("\":1}".utf8)) }
    #expect(throws: JSONError.self) { try JSONValue(parsing: bytes) }
  }

  @Test("nesting is read to its limit and refused beyond, however deep")
  func nesting() throws {
    func nested(_ depth: Int, _ open: String, _ close: String) -> String {
      String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
    }
    let limit = JSONValue.maximumDepth
    let deepest = nested(limit, "[", "]")
    #expect(try JSONValue(parsing: deepest).description == deepest)
    #expect(throws: Never.self) { try JSONValue(parsing: nested(limit, "{\"a\":", "}")) }
    #expect(throws: JSONError.self) { try JSONValue(parsing: nested(limit + 1, "[", "]")) }
    #expect(throws: JSONError.self) { try JSONValue(parsing: nested(limit + 1, "{\"a\":", "}")) }
    #expect(throws: JSONError.self) { try JSONValue(parsing: String(repeating: "[", count: 1_000_000)) }
    #expect(throws: JSONError.self) { try JSONValue(parsing: String(repeating: "{\"a\":", count: 1_000_000)) }
  }

  @Test("an object with very many members is read, and one of them twice is found")
  func manyMembers() throws {
    let members = (0..<100_000).map { "\"n\($0)\":\($0)" }.joined(separator: ",")
    #expect(try JSONValue(parsing: "{\(members)}").objectValue?.members.count == 100_000)
    #expect(throws: JSONError.self) { try JSONValue(parsing: "{\(members),\"n0\":0}") }
  }

  @Test("an error says where it is")
  func errorOffset() {
    do {
      _ = try JSONValue(parsing: #"{"a": [1, x]}"#)
      Issue.record("read")
    } catch {
      #expect(error.offset == 10, "\(error)")
    }
  }

  @Test("what is cut off or changed anywhere never traps")
  func mutations() throws {
    let text = Array(#"{"id":[1,-2.5e3,"\ud83d\ude00é"],"op":"x","params":{"a":null,"b":true}}"#.utf8)
    _ = try JSONValue(parsing: text)
    for end in text.indices { _ = try? JSONValue(parsing: Array(text[..<end])) }
    for index in text.indices {
      for byte in UInt8.min...UInt8.max {
        var changed = text
        changed[index] = byte
        guard let value = try? JSONValue(parsing: changed) else { continue }
        #expect(try JSONValue(parsing: value.description) == value)
      }
    }
  }
}
