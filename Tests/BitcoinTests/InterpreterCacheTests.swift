import Bitcoin
import Encoding
import Secp256k1
import Testing

@Suite struct InterpreterCacheTests {
  /// A pay-to-public-key output for each number, all spent by one transaction.
  private func transaction(count: Int) throws -> (Transaction, [TxOutput]) {
    let keys = try (0..<count).map { _ in try SecretKey(Bytes32(hex: String(repeating: "01", count: 32))).publicKey }
    let spent = keys.map { key in
      TxOutput(
        value: Satoshi(1000),
        scriptPubKey: Script {
          $0.append(push: key)
          $0.append(.checkSig)
        })
    }
    var transaction = Transaction(
      inputs: (0..<count).map {
        TxInput(previousOutput: OutPoint(txid: TxID(Bytes32()), vout: UInt32($0)))
      }, outputs: [TxOutput(value: Satoshi(1), scriptPubKey: Script([0x51]))])
    let secret = try SecretKey(Bytes32(hex: String(repeating: "01", count: 32)))
    for index in 0..<count {
      let sighash = try transaction.legacySighash(input: index, scriptCode: spent[index].scriptPubKey, type: .all)
      transaction.inputs[index].scriptSig = Script { $0.append(push: secret.signECDSA(sighash.raw).der + [1]) }
    }
    return (transaction, spent)
  }

  @Test func `A cache changes no verdict, whether it is warm, cold or far too small`() throws {
    let (transaction, spent) = try transaction(count: 20)
    for cache in [
      SignatureCache(), SignatureCache(capacity: 1), SignatureCache(capacity: 0), SignatureCache(capacity: -1),
    ] {
      for _ in 0..<3 {
        try TransactionVerifier.verifyScripts(of: transaction, spending: spent, flags: .standard, cache: cache)
      }
      // The signature of another input, which the cache has seen with another hash.
      var changed = transaction
      changed.inputs[3].scriptSig = transaction.inputs[4].scriptSig
      #expect(throws: TransactionFault.script(.evalFalse, input: 3)) {
        try TransactionVerifier.verifyScripts(of: changed, spending: spent, flags: .consensus, cache: cache)
      }
      // The same signature under another hash type.
      changed = transaction
      changed.inputs[5].scriptSig.bytes[changed.inputs[5].scriptSig.count - 1] = 0x02
      #expect(throws: TransactionFault.script(.evalFalse, input: 5)) {
        try TransactionVerifier.verifyScripts(of: changed, spending: spent, flags: .consensus, cache: cache)
      }
      // Encodings are looked at whether the signature is known or not.
      changed = transaction
      changed.inputs[6].scriptSig.bytes[0] += 1
      changed.inputs[6].scriptSig.bytes.insert(0, at: changed.inputs[6].scriptSig.count - 1)
      #expect(throws: TransactionFault.script(.sigDER, input: 6)) {
        try TransactionVerifier.verifyScripts(of: changed, spending: spent, flags: .consensus, cache: cache)
      }
    }
  }

  @Test func `Its size is bounded and a power of two`() {
    #expect(SignatureCache(capacity: 0).capacity == 8)
    #expect(SignatureCache(capacity: 8).capacity == 8)
    #expect(SignatureCache(capacity: 9).capacity == 16)
    #expect(SignatureCache(capacity: 1000).capacity == 1024)
  }

  @Test func `Many threads share one cache`() async throws {
    let (transaction, spent) = try transaction(count: 12)
    let cache = SignatureCache(capacity: 16)
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<5 {
            do {
              try TransactionVerifier.verifyScripts(of: transaction, spending: spent, flags: .standard, cache: cache)
            } catch {
              return false
            }
          }
          return true
        }
      }
      for await succeeded in group { #expect(succeeded) }
    }
  }
}
