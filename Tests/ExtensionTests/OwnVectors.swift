import Bitcoin
import Encoding
import Foundation
import JSON
import Secp256k1
import Testing

/// The project's own vectors, for others to use: `Tests/Vectors/glc`, described in docs/VECTORS.md. Each file is a list of cases with an input
/// and the output that follows from it.
struct OwnVectors: Sendable, CustomTestStringConvertible {
  let name: String
  /// The inputs, with a word on each, from which the file is written.
  let inputs: @Sendable () throws -> [(comment: String, input: JSONObject)]
  let output: @Sendable (Fields) throws -> JSONObject

  var testDescription: String { name }

  static let all = [schnorrAdaptors, muSigAdaptors, ptlcOutputs, commitments]

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
    "../Vectors/glc"
  ).standardizedFileURL

  var file: URL { Self.folder.appendingPathComponent("\(name).json") }

  func write() throws {
    let cases: [JSONValue] = try inputs().map { comment, input in
      let output = try output(Fields(input))
      return ["comment": .string(comment), "input": .object(input), "output": .object(output)]
    }
    let text = JSONValue.object(["cases": .array(cases)]).text(pretty: true) + "\n"
    try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }
}

/// The members of an input.
struct Fields {
  struct Missing: Error, CustomStringConvertible {
    var name: String
    var description: String { "no \(name), or not what it should be" }
  }

  let object: JSONObject

  init(_ object: JSONObject) { self.object = object }

  func string(_ name: String) throws -> String {
    guard let text = object[name]?.stringValue else { throw Missing(name: name) }
    return text
  }
  func number(_ name: String) throws -> UInt64 {
    guard let value = object[name]?.unsignedValue else { throw Missing(name: name) }
    return value
  }
  func bool(_ name: String) throws -> Bool {
    guard let value = object[name]?.boolValue else { throw Missing(name: name) }
    return value
  }
  func bytes32(_ name: String) throws -> Bytes32 { try Bytes32(Hex.decode(string(name))) }
  func fields(_ name: String) throws -> Fields {
    guard let value = object[name]?.objectValue else { throw Missing(name: name) }
    return Fields(value)
  }
  func list(_ name: String) throws -> [JSONValue] {
    guard let value = object[name]?.arrayValue else { throw Missing(name: name) }
    return value
  }
  func records(_ name: String) throws -> [Fields] {
    try list(name).map {
      guard let value = $0.objectValue else { throw Missing(name: name) }
      return Fields(value)
    }
  }
  func hashes(_ name: String) throws -> [Bytes32] {
    try list(name).map {
      guard let text = $0.stringValue else { throw Missing(name: name) }
      return try Bytes32(Hex.decode(text))
    }
  }
}

extension JSONValue {
  static func hex(_ value: some FixedSizeBytes) -> JSONValue { .string(value.hex) }
  static func hex(_ bytes: [UInt8]) -> JSONValue { .string(Hex.encode(bytes)) }
}

@Suite struct OwnVectorTests {
  @Test("the project's own vectors are what the library makes of their inputs", arguments: OwnVectors.all)
  func vectors(_ vectors: OwnVectors) throws {
    if ProcessInfo.processInfo.environment["GLC_WRITE_VECTORS"] != nil { try vectors.write() }
    let file = try JSONValue(parsing: Array(Data(contentsOf: vectors.file)))
    let cases = try #require(file["cases"]?.arrayValue)
    #expect(cases.count == (try vectors.inputs().count))
    for item in cases {
      let comment = item["comment"]?.stringValue ?? "?"
      let input = try #require(item["input"]?.objectValue)
      let expected = try #require(item["output"])
      let output = JSONValue.object(try vectors.output(Fields(input)))
      if output == expected { continue }
      for (name, value) in output.objectValue?.members ?? [] where expected[name] != value {
        Issue.record("\(vectors.name), \(comment): \(name) is \(value), not \(expected[name] ?? .null)")
      }
      #expect(output.objectValue?.names == expected.objectValue?.names)
    }
  }
}
