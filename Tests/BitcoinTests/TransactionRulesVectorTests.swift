import Bitcoin
import Encoding
import JSON
import Testing
import VectorSupport

/// One row of Bitcoin Core's tx_valid.json or tx_invalid.json.
struct TransactionVector {
  var transaction: Transaction
  var prevouts: [OutPoint: TxOutput] = [:]
  var flags: String
  var text: String

  /// Nil for a remark.
  init?(_ row: JSONValue) throws {
    let fields = try row.array
    guard fields.count > 1 else { return nil }
    text = row.description
    for input in try fields[0].array {
      let members = try input.array
      let outpoint = OutPoint(
        txid: try TxID(display: members[0].string), vout: UInt32(truncatingIfNeeded: try members[1].integer))
      let amount = try members.count > 3 ? members[3].integer : 0
      prevouts[outpoint] = TxOutput(
        value: Satoshi(UInt64(amount)), scriptPubKey: try ScriptText.parse(members[2].string))
    }
    transaction = try Transaction(decoding: Hex.decode(fields[1].string))
    flags = try fields[2].string
  }

  func verdict(flags: ScriptFlags) -> String {
    do {
      try TransactionVerifier.verify(transaction, prevouts: prevouts, flags: flags)
      return "OK"
    } catch {
      return error.name
    }
  }

  /// The flags with one of them, and what depends on it, left out.
  static func excludingOne(of flags: ScriptFlags) -> Set<ScriptFlags> {
    Set(ScriptFlags.named.map { trimmed(flags.subtracting($0.flag)) }).subtracting([flags])
  }
}

@Suite struct TransactionRulesVectorTests {
  @Test(.vectors("bitcoin-core/tx_valid.json"))
  func `Valid transactions of Bitcoin Core are valid, under no more and no fewer flags than they say`() throws {
    let path = "bitcoin-core/tx_valid.json"
    var generator = SeededGenerator(seed: 2)
    var count = 0
    for row in try Vectors.json(path).array {
      guard let vector = try TransactionVector(row) else { continue }
      count += 1
      // The file names the flags that the transaction does not stand.
      let excluded = try ScriptFlags(parsing: vector.flags)
      let flags = ScriptFlags.all.subtracting(excluded)
      #expect(flags.isCoherent, "\(vector.text)")
      #expect(vector.verdict(flags: flags) == "OK", "\(vector.text)")
      for (name, flag) in ScriptFlags.named {
        #expect(vector.verdict(flags: trimmed(flags.subtracting(flag))) == "OK", "without \(name): \(vector.text)")
        let fewer = trimmed(flags.subtracting(generator.flags()))
        #expect(vector.verdict(flags: fewer) == "OK", "with \(fewer): \(vector.text)")
      }
      for fewer in TransactionVector.excludingOne(of: excluded) {
        let more = ScriptFlags.all.subtracting(fewer)
        #expect(vector.verdict(flags: more) != "OK", "excludes too much, valid with \(more): \(vector.text)")
      }
    }
    Vectors.report(path, cases: count)
    #expect(count == 91)
  }

  @Test(.vectors("bitcoin-core/tx_invalid.json"))
  func `Invalid transactions of Bitcoin Core are invalid, and only because of the flags that they say`() throws {
    let path = "bitcoin-core/tx_invalid.json"
    var generator = SeededGenerator(seed: 3)
    var count = 0
    for row in try Vectors.json(path).array {
      guard let vector = try TransactionVector(row) else { continue }
      count += 1
      if vector.flags == "BADTX" {
        #expect(throws: TransactionRuleError.self, "\(vector.text)") { try TransactionRules.check(vector.transaction) }
        continue
      }
      let flags = try ScriptFlags(parsing: vector.flags)
      #expect(flags.isCoherent, "\(vector.text)")
      try TransactionRules.check(vector.transaction)
      let error = vector.verdict(flags: flags)
      #expect(ScriptError(rawValue: error) != nil, "\(error): \(vector.text)")
      for (name, flag) in ScriptFlags.named {
        #expect(vector.verdict(flags: filled(flags.union(flag))) != "OK", "with \(name): \(vector.text)")
        let more = filled(flags.union(generator.flags()))
        #expect(vector.verdict(flags: more) != "OK", "with \(more): \(vector.text)")
      }
      for fewer in TransactionVector.excludingOne(of: flags) {
        #expect(vector.verdict(flags: fewer) == "OK", "names too many flags, invalid with \(fewer): \(vector.text)")
      }
    }
    Vectors.report(path, cases: count)
    #expect(count == 70)
  }
}
