import GLCTool
import JSON
import Testing

@Suite struct BatchTests {
  /// What `batch` writes for these bytes, a string for each piece that it wrote.
  private func run(_ input: [UInt8]) -> [String] {
    var position = 0
    var output: [String] = []
    Batch(.standard).run(
      nextByte: {
        defer { position += 1 }
        return position < input.count ? input[position] : nil
      },
      write: { output.append(String(decoding: $0, as: UTF8.self)) })
    return output
  }

  private func run(_ input: String) -> [String] { run(Array(input.utf8)) }

  private let good = #"{"id":1,"op":"hmac.sha256","params":{"key":"00","message":""}}"#
  private let goodAnswer =
    #"{"id":1,"ok":true,"result":{"mac":"b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"}}"# + "\n"

  @Test("each line is answered by one line, the last also without its end")
  func lines() {
    #expect(run("") == [])
    #expect(run(good) == [goodAnswer])
    #expect(run(good + "\n") == [goodAnswer])
    #expect(run(good + "\r\n" + good) == [goodAnswer, goodAnswer])
  }

  @Test("an answer is written before the first byte of the next line is asked for")
  func noReadAhead() {
    let input = Array((good + "\n" + good + "\n").utf8)
    var position = 0
    var written: [Int] = []
    Batch(.standard).run(
      nextByte: {
        defer { position += 1 }
        return position < input.count ? input[position] : nil
      },
      write: { _ in written.append(position) })
    #expect(written == [good.utf8.count + 1, 2 * (good.utf8.count + 1)])
  }

  @Test(
    "the id comes back as it was sent",
    arguments: [
      "null", "true", "0", "-5", "18446744073709551615", "123456789012345678901234567890", "1.50", "1e400",
      #""é\u2028""#,
      #"[1,{"b":[],"a":2}]"#, #"{"op":"x","id":null}"#,
    ])
  func identifiers(_ id: String) throws {
    let answer = run(#"{"op":"nope","id":\#(id)}"#)
    #expect(answer.count == 1)
    #expect(answer.first?.hasPrefix(#"{"id":\#(id),"ok":false,"error":{"code":"unknown_op","#) == true, "\(answer)")
  }

  @Test("an id that is absent is null")
  func absentIdentifier() { #expect(run(#"{"op":"nope"}"#).first?.hasPrefix(#"{"id":null,"ok":false"#) == true) }

  @Test("params may be left out or null")
  func absentParameters() throws {
    for line in [
      #"{"op":"hmac.sha256"}"#, #"{"op":"hmac.sha256","params":null}"#, #"{"op":"hmac.sha256","params":{}}"#,
    ] {
      #expect(run(line).first?.contains(#""code":"missing_param""#) == true)
    }
  }

  @Test(
    "a line that is no request gets a code and stops nothing",
    arguments: [
      ("", "bad_json"), (" ", "bad_json"), ("xyz", "bad_json"), ("{", "bad_json"), ("\0", "bad_json"),
      (#"{"id":1,"op":"hmac.sha256","params":{}} x"#, "bad_json"), (#"{"op":"x","op":"x"}"#, "bad_json"),
      ("[]", "bad_request"), ("null", "bad_request"), ("1", "bad_request"), (#""tx.decode""#, "bad_request"),
      ("{}", "bad_request"), (#"{"id":1}"#, "bad_request"), (#"{"op":null}"#, "bad_request"),
      (#"{"op":1}"#, "bad_request"), (#"{"op":["hmac.sha256"]}"#, "bad_request"),
      (#"{"op":"hmac.sha256","params":[]}"#, "bad_request"), (#"{"op":"hmac.sha256","params":"{}"}"#, "bad_request"),
      (#"{"op":"hmac.sha256","params":1}"#, "bad_request"), (#"{"op":""}"#, "unknown_op"),
      (#"{"op":"HMAC.sha256"}"#, "unknown_op"), (#"{"op":"hmac.sha256 "}"#, "unknown_op"),
      (#"{"op":"list"}"#, "unknown_op"),
      (#"{"op":"batch"}"#, "unknown_op"),
    ])
  func garbage(_ line: String, _ code: String) throws {
    let answers = run(good + "\n" + line + "\n" + good + "\n")
    try #require(answers.count == 3)
    #expect(answers[0] == goodAnswer)
    #expect(answers[1].contains(#""ok":false,"error":{"code":"\#(code)","#), "\(answers[1])")
    #expect(answers[2] == goodAnswer)
  }

  @Test("bytes that are no text, deep nesting and an endless line get a code and stop nothing")
  func hostileLines() throws {
    var input: [UInt8] = [0xff, 0xfe, 0x0a]
    input += [UInt8](repeating: UInt8(ascii: "["), count: 100_000) + [0x0a]
    input += [UInt8](repeating: UInt8(ascii: "x"), count: Batch.maximumLineByteCount + 1) + [0x0a]
    input += Array(good.utf8)
    let answers = run(input)
    let codes = try answers.map { try JSONValue(parsing: $0)["error"]?["code"]?.stringValue }
    #expect(codes == ["bad_json", "bad_json", "too_long", nil])
    #expect(answers.last == goodAnswer)
  }

  @Test("answers come in the order of the requests")
  func order() throws {
    let answers = run(
      (0..<1000).map { #"{"id":\#($0),"op":"hmac.sha256","params":{"key":"","message":""}}"# }.joined(separator: "\n"))
    #expect(try answers.map { try JSONValue(parsing: $0)["id"] } == (0..<1000).map { .int($0) })
  }

  @Test("writing that fails ends the run")
  func closedOutput() {
    struct Closed: Error {}
    #expect(throws: Closed.self) {
      try Batch(.standard).run(nextByte: { UInt8(ascii: "\n") }, write: { _ throws(Closed) in throw Closed() })
    }
  }
}
