import Bitcoin
import Encoding
import JSON
import Secp256k1
import Testing
import VectorSupport

/// Bitcoin Core's PSBT cases, whole: one runner for each list of the file.
@Suite struct PSBTCoreVectorTests {
  static let path = "bitcoin-core/rpc_psbt.json"

  static func list(_ name: String) throws -> [JSONValue] {
    let cases = try Vectors.json(path).required(name).array
    #expect(!cases.isEmpty)
    return cases
  }

  @Test(.vectors(path)) func invalidOnesAreRefused() throws {
    let cases = try Self.list("invalid")
    for (index, text) in try cases.map({ try $0.string }).enumerated() {
      #expect(throws: PSBTError.self, "case \(index): \(text)") { _ = try PSBT(base64: text) }
    }
    Vectors.report(Self.path + " invalid", cases: cases.count)
  }

  @Test(.vectors(path)) func validOnesAreReadAndWrittenBackByteForByte() throws {
    let cases = try Self.list("valid")
    for (index, text) in try cases.map({ try $0.string }).enumerated() {
      do {
        #expect(try PSBT(base64: text).base64 == text, "case \(index)")
      } catch {
        Issue.record("case \(index): \(error): \(text)")
      }
    }
    Vectors.report(Self.path + " valid", cases: cases.count)
  }
}
