import Foundation
import GLCTool
import JSON
import Testing

/// The built command, driven as a script drives it.
@Suite(.serialized) struct ExecutableTests {
  /// `glcnode` lies beside the test bundle.
  private static let executable: URL = {
    let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    return bundle.deletingLastPathComponent().appendingPathComponent("glcnode")
  }()

  private struct Run {
    var status: Int32
    var output: String
    var errors: String
    var lines: [String] { output.split(separator: "\n").map(String.init) }
  }

  /// Runs the command to its end. Input and output are files, so that neither side waits for the other.
  private func run(_ arguments: [String], input: Data = Data()) throws -> Run {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("glcnode-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let files = ["input", "output", "errors"].map { folder.appendingPathComponent($0) }
    try input.write(to: files[0])
    try Data().write(to: files[1])
    try Data().write(to: files[2])
    let process = Process()
    process.executableURL = Self.executable
    process.arguments = arguments
    process.standardInput = try FileHandle(forReadingFrom: files[0])
    process.standardOutput = try FileHandle(forWritingTo: files[1])
    process.standardError = try FileHandle(forWritingTo: files[2])
    try process.run()
    process.waitUntilExit()
    return Run(
      status: process.terminationStatus, output: String(decoding: try Data(contentsOf: files[1]), as: UTF8.self),
      errors: String(decoding: try Data(contentsOf: files[2]), as: UTF8.self))
  }

  private let request = #"{"id":1,"op":"hmac.sha256","params":{"key":"00","message":""}}"#
  private let mac = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"

  @Test("one operation is one object and an exit status")
  func single() throws {
    let good = try run(["tool", "hmac.sha256", #"{"key":"00","message":""}"#])
    #expect(good.status == 0)
    #expect(good.output == #"{"ok":true,"result":{"mac":"\#(mac)"}}"# + "\n")
    #expect(good.errors.isEmpty)
    for (arguments, code) in [
      (["nope"], "unknown_op"), (["hmac.sha256"], "missing_param"), (["hmac.sha256", "{}"], "missing_param"),
      (["hmac.sha256", #"{"x":1}"#], "unknown_param"), (["hmac.sha256", "{"], "bad_json"),
      (["hmac.sha256", ""], "bad_json"),
      (["hmac.sha256", "[]"], "bad_request"), (["hmac.sha256", #"{"key":"0","message":""}"#], "bad_hex"),
    ] {
      let bad = try run(["tool"] + arguments)
      #expect(bad.status == 1, "\(arguments)")
      let answer = try JSONValue(parsing: bad.output)
      #expect(answer["ok"] == false)
      #expect(answer["error"]?["code"]?.stringValue == code, "\(answer)")
      #expect(bad.lines.count == 1)
    }
    let piped = try run(["tool", "hmac.sha256", "-"], input: Data(#"{"key":"00","message":""}"#.utf8))
    #expect(piped.output == good.output)
  }

  @Test("a batch of ten thousand lines, some of them garbage, is answered line by line")
  func batch() throws {
    var input: [String] = []
    for index in 0..<10_000 {
      switch index % 10 {
      case 3: input.append("garbage \(index)")
      case 7: input.append("")
      default: input.append(#"{"id":\#(index),"op":"hmac.sha256","params":{"key":"00","message":""}}"#)
      }
    }
    let run = try run(["tool", "batch"], input: Data(input.joined(separator: "\n").utf8))
    #expect(run.status == 0)
    #expect(run.errors.isEmpty)
    try #require(run.lines.count == input.count)
    for (index, line) in run.lines.enumerated() {
      switch index % 10 {
      case 3, 7: #expect(line.hasPrefix(#"{"id":null,"ok":false,"error":{"code":"bad_json""#), "\(line)")
      default: #expect(line == #"{"id":\#(index),"ok":true,"result":{"mac":"\#(mac)"}}"#)
      }
    }
  }

  @Test("hostile lines of every kind are answered")
  func hostile() throws {
    var input = Data([0xff, 0x00, 0xc3, 0x0a])
    input += Data(repeating: UInt8(ascii: "["), count: 100_000) + Data([0x0a])
    input += Data(String(repeating: #"{"a":"#, count: 100_000).utf8) + Data([0x0a])
    input += Data(repeating: UInt8(ascii: " "), count: Batch.maximumLineByteCount + 10) + Data([0x0a])
    input += Data(request.utf8)
    let run = try run(["tool", "batch"], input: input)
    #expect(run.status == 0)
    let codes = try run.lines.map { try JSONValue(parsing: $0)["error"]?["code"]?.stringValue }
    #expect(codes == ["bad_json", "bad_json", "bad_json", "too_long", nil])
  }

  @Test("no input is no output")
  func emptyInput() throws {
    let run = try run(["tool", "batch"])
    #expect(run.status == 0)
    #expect(run.output.isEmpty)
  }

  @Test("each answer is there before the next line is sent, and memory does not grow with the lines")
  func conversation() throws {
    let process = Process()
    let (input, output) = (Pipe(), Pipe())
    process.executableURL = Self.executable
    process.arguments = ["tool", "batch"]
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    var memory: [Int] = []
    for index in 0..<2000 {
      try input.fileHandleForWriting.write(contentsOf: Data((request + "\n").utf8))
      // Blocks until the answer is there: that the test ends at all is what it tests.
      let answer = output.fileHandleForReading.availableData
      #expect(String(decoding: answer, as: UTF8.self) == #"{"id":1,"ok":true,"result":{"mac":"\#(mac)"}}"# + "\n")
      if index == 500 || index == 1999 { memory.append(try residentKilobytes(process.processIdentifier)) }
    }
    try input.fileHandleForWriting.close()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(memory[1] - memory[0] < 2048, "resident kilobytes after 500 and 2,000 lines: \(memory)")
  }

  private func residentKilobytes(_ process: Int32) throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
    return try #require(Int(line.filter(\.isNumber)))
  }

  @Test("it ends quietly when nobody reads its answers any more")
  func closedOutput() throws {
    let process = Process()
    let (input, output, errors) = (Pipe(), Pipe(), Pipe())
    process.executableURL = Self.executable
    process.arguments = ["tool", "batch"]
    process.standardInput = input
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    try output.fileHandleForReading.close()
    try input.fileHandleForWriting.write(contentsOf: Data((request + "\n").utf8))
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 0)
    #expect(errors.fileHandleForReading.availableData.isEmpty)
  }

  @Test("list and help are for people")
  func help() throws {
    let list = try run(["tool", "list"])
    #expect(list.status == 0)
    #expect(list.output == Toolbox.standard.listing)
    let json = try run(["tool", "list", "--json"])
    #expect(try JSONValue(parsing: json.output) == Toolbox.standard.listingJSON)
    for arguments in [["--help"], ["tool", "--help"], ["tool", "batch", "--help"]] {
      let help = try run(arguments)
      #expect(help.status == 0)
      #expect(help.output.contains("USAGE"))
    }
    #expect(try run(["tool"]).status == 64)
  }
}
