public import Foundation
public import JSON

/// The larger, official test suites, which are not part of the project: a folder named by `GLC_VECTORS`, or beside the checkout.
///
///     @Test(.vectors("bips/bip-0340/test-vectors.csv")) func schnorr() throws { … }
///
/// A suite that is missing shows as skipped with its name, never silently.
public enum Vectors {
  /// The folder; nil when there is none on this machine.
  public static let folder: URL? = {
    let environment = ProcessInfo.processInfo.environment["GLC_VECTORS"]
    let packageRoot = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let candidate =
      environment.map { URL(fileURLWithPath: $0) } ?? packageRoot.appendingPathComponent("../shared/vectors")
    return FileManager.default.fileExists(atPath: candidate.path) ? candidate.standardizedFileURL : nil
  }()

  public static func has(_ path: String) -> Bool {
    guard let folder else { return false }
    return FileManager.default.fileExists(atPath: folder.appendingPathComponent(path).path)
  }

  public static func data(_ path: String) throws -> Data {
    guard let folder else { throw VectorError.missing(path) }
    return try Data(contentsOf: folder.appendingPathComponent(path))
  }

  public static func json(_ path: String) throws -> JSONValue { try JSONValue(parsing: Array(data(path))) }

  /// The names of the files in a folder of the suites, sorted.
  public static func files(in path: String) throws -> [String] {
    guard let folder else { throw VectorError.missing(path) }
    return try FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent(path).path).sorted()
  }

  /// The rows of a CSV file with a header line, by column name. Quoted fields may hold commas and doubled quotes.
  public static func csv(_ path: String) throws -> [[String: String]] {
    let text = String(decoding: try data(path), as: UTF8.self)
    var rows = text.split(whereSeparator: \.isNewline).map { fields(of: $0) }
    guard !rows.isEmpty else { return [] }
    let header = rows.removeFirst()
    return rows.map { row in
      Dictionary(
        zip(header, row + Array(repeating: "", count: max(0, header.count - row.count))), uniquingKeysWith: { $1 })
    }
  }

  private static func fields(of line: Substring) -> [String] {
    var fields = [""]
    var quoted = false
    var previousWasQuote = false
    for character in line {
      if character == "\"" {
        if !quoted && previousWasQuote { fields[fields.count - 1].append(character) }
        previousWasQuote = quoted
        quoted.toggle()
      } else {
        previousWasQuote = false
        if character == "," && !quoted { fields.append("") } else { fields[fields.count - 1].append(character) }
      }
    }
    return fields
  }

  /// Prints how many cases of a file ran: the count that a reader compares with the suite's own.
  public static func report(_ path: String, cases: Int) { print("vectors: \(path): \(cases) cases") }
}

public enum VectorError: Error, CustomStringConvertible {
  case missing(String)
  case unexpected(String)

  public var description: String {
    switch self {
    case .missing(let path): "no \(path): set GLC_VECTORS to the folder with the test suites"
    case .unexpected(let what): "the vector file is not as expected: \(what)"
    }
  }
}

extension JSONValue {
  /// A member or element that the file must have.
  public func required(_ name: String) throws -> JSONValue {
    guard let value = self[name] else { throw VectorError.unexpected("no \(name) in \(description.prefix(200))") }
    return value
  }

  public var string: String {
    get throws {
      guard let stringValue else { throw VectorError.unexpected("not a string: \(description.prefix(200))") }
      return stringValue
    }
  }

  public var array: [JSONValue] {
    get throws {
      guard let arrayValue else { throw VectorError.unexpected("not an array: \(description.prefix(200))") }
      return arrayValue
    }
  }

  public var integer: Int64 {
    get throws {
      guard let integerValue else { throw VectorError.unexpected("not an integer: \(description.prefix(200))") }
      return integerValue
    }
  }
}
