import Bitcoin
import Encoding
import JSON
import Secp256k1
import Testing
import VectorSupport

@Suite struct SighashVectorTests {
  @Test(.vectors("bitcoin-core/sighash.json"))
  func `Legacy signature hashes are those of Bitcoin Core`() throws {
    let path = "bitcoin-core/sighash.json"
    var count = 0
    for row in try Vectors.json(path).array {
      let fields = try row.array
      guard fields.count == 5 else { continue }
      count += 1
      let transaction = try Transaction(decoding: Hex.decode(fields[0].string))
      let sighash = try transaction.legacySighash(
        input: Int(fields[2].integer), scriptCode: Script(hex: fields[1].string),
        // Signed in the file.
        type: SighashType(rawValue: UInt32(truncatingIfNeeded: fields[3].integer)))
      let expected: [UInt8] = try Hex.decode(fields[4].string).reversed()
      #expect(sighash.array == expected, "\(row.description)")
    }
    Vectors.report(path, cases: count)
    #expect(count == 500)
  }
}
