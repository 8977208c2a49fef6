import Testing
@testable import RPC

@Suite struct FramerTests {
  private func framer(bytes: Int = 1000, depth: Int = 10) -> MessageFramer {
    MessageFramer(maximumByteCount: bytes, maximumDepth: depth)
  }

  /// All messages of a stream that comes in pieces of `size` bytes.
  private func messages(_ stream: String, size: Int) throws -> [String] {
    var framer = framer()
    var found: [String] = []
    let bytes = Array(stream.utf8)
    var offset = 0
    while offset < bytes.count {
      let end = min(offset + size, bytes.count)
      framer.append(Array(bytes[offset..<end]))
      offset = end
      while let message = try framer.next() { found.append(String(decoding: message, as: UTF8.self)) }
    }
    #expect(framer.bufferedByteCount == 0)
    return found
  }

  @Test("messages are found however the stream is cut", arguments: 1...40)
  func cuts(size: Int) throws {
    let texts = [
      #"{"id":1}"#, #"{"a":{"b":[{},[[]]]}}"#, #"{"brace in a string":"}{][\"}"}"#, #"{"\\":"\\\\"}"#, "[]",
      #"{"é":"😀}"}"#,
    ]
    for separator in ["", "\n\n", " \t\r\n"] {
      #expect(try messages(texts.joined(separator: separator) + separator, size: size) == texts)
    }
  }

  @Test("what begins with no brace is refused")
  func garbage() throws {
    for text in ["x", "\"{}\"", "}", "1", "\u{0}", "GET / HTTP/1.1"] {
      var framer = framer()
      framer.append(Array(text.utf8))
      #expect(throws: MessageFramer.Fault.noObject(Array(text.utf8)[0])) { try framer.next() }
    }
  }

  @Test("a message of the greatest length passes, one of a byte more is refused before its end")
  func length() throws {
    func message(_ count: Int) -> [UInt8] { Array(("{" + String(repeating: " ", count: count - 2) + "}").utf8) }
    var framer = framer(bytes: 1000)
    framer.append(message(1000) + message(1000))
    #expect(try framer.next()?.count == 1000)
    #expect(try framer.next()?.count == 1000)
    framer.append(Array(message(1002)[..<1001]))
    #expect(throws: MessageFramer.Fault.tooLong(limit: 1000)) { try framer.next() }
  }

  @Test("nesting is bounded")
  func depth() throws {
    var framer = framer(depth: 3)
    framer.append(Array("{[{}]}".utf8))
    #expect(try framer.next() != nil)
    framer.append(Array("{[{[".utf8))
    #expect(throws: MessageFramer.Fault.tooDeep(limit: 3)) { try framer.next() }
  }

  @Test("nothing is kept of what was handed out")
  func memory() throws {
    var framer = framer()
    framer.append(Array(#"{"a":1}{"b":"#.utf8))
    #expect(try framer.next() != nil)
    #expect(try framer.next() == nil)
    #expect(framer.bufferedByteCount == 5)
  }
}
