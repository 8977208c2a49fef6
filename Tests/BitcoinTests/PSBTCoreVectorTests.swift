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

  /// Bitcoin Core's message and what we say instead.
  static let messages: [String: PSBTError] = [
    "Output Taproot tree must not be empty": .invalidValue(.output(0, .tapTree), "the tree is empty"),
    "Size of key was not 34 for the type Input MuSig2 Participants Pubkeys":
      .invalidKeyLength(.input(0, .musig2ParticipantPubkeys), count: 32),
    "Input musig2 aggregate pubkey is invalid": .invalidKey(.input(0, .musig2ParticipantPubkeys)),
    "Input musig2 participant pubkey is invalid": .invalidValueLength(
      .input(0, .musig2ParticipantPubkeys), count: 98),
    "Size of key was not 34 for the type Output MuSig2 Participants Pubkeys":
      .invalidKeyLength(.output(0, .musig2ParticipantPubkeys), count: 32),
    "Input musig2 pubnonce key is not expected size": .invalidKeyLength(.input(0, .musig2PubNonce), count: 65),
    "Input musig2 pubnonce value is not 66 bytes": .invalidValueLength(.input(0, .musig2PubNonce), count: 65),
    "Input musig2 partial sig key is not expected size": .invalidKeyLength(.input(0, .musig2PartialSig), count: 97),
    "Size of value was not the stated size": .invalidValueLength(.input(0, .musig2PartialSig), count: 31),
    "musig2 participant pubkey is invalid": .invalidKey(.input(0, .musig2PubNonce)),
    "musig2 aggregate pubkey is invalid": .invalidKey(.input(0, .musig2PartialSig)),
    "PSBT_GLOBAL_UNSIGNED_TX is not allowed in PSBTv2": .forbiddenField(.global(.unsignedTx), version: .v2),
    "PSBT_GLOBAL_TX_VERSION is required in PSBTv2": .missingField(.global(.txVersion)),
    "Required height based locktime is invalid (0)":
      .invalidValue(.input(0, .requiredHeightLocktime), "a height is from 1 to 499999999"),
  ]

  @Test(.vectors(path)) func invalidOnesAreRefusedForTheReasonThatCoreGives() throws {
    let cases = try Self.list("invalid_with_msg")
    for (index, value) in cases.enumerated() {
      let row = try value.array
      let message = try row[1].string
      let expected = try #require(Self.messages[message], "case \(index): \(message)")
      #expect(throws: expected, "case \(index): \(message)") { _ = try PSBT(base64: try row[0].string) }
    }
    Vectors.report(Self.path + " invalid_with_msg", cases: cases.count)
  }

  @Test(.vectors(path)) func theCreatorMakesTheSameBytes() throws {
    let cases = try Self.list("creator")
    for value in cases {
      let inputs = try value.required("inputs").array.map { input in
        let txid = try TxID(display: input.required("txid").string)
        return TxInput(previousOutput: OutPoint(txid: txid, vout: UInt32(try input.required("vout").integer)))
      }
      let outputs = try value.required("outputs").array.map { output in
        let name = try #require(output.objectValue?.names.first)
        let amount = try #require(try output.required(name).doubleValue)
        let address = try Address(name, expecting: .regtest)
        return TxOutput(value: Satoshi(UInt64((amount * 100_000_000).rounded())), scriptPubKey: address.scriptPubKey)
      }
      let transaction = Transaction(version: 2, inputs: inputs, outputs: outputs)
      var psbt = try PSBT(unsignedTransaction: transaction)
      if try value.required("version").integer == 2 { psbt = try psbt.converted(to: .v2) }
      #expect(psbt.base64 == (try value.required("result").string))
    }
    Vectors.report(Self.path + " creator", cases: cases.count)
  }

  @Test(.vectors(path)) func theSignerMakesTheSameBytes() throws {
    let cases = try Self.list("signer")
    for (index, value) in cases.enumerated() {
      var psbt = try PSBT(base64: value.required("psbt").string)
      for wif in try value.required("privkeys").array {
        _ = try psbt.sign(with: PrivateKeyWIF(try wif.string).secretKey)
      }
      #expect(psbt.base64 == (try value.required("result").string), "case \(index)")
    }
    Vectors.report(Self.path + " signer", cases: cases.count)
  }

  @Test(.vectors(path)) func theCombinerMakesTheSameBytes() throws {
    let cases = try Self.list("combiner")
    for value in cases {
      let parts = try value.required("combine").array.map { try PSBT(base64: try $0.string) }
      let expected = try value.required("result").string
      #expect(try PSBT.combining(parts).base64 == expected)
      #expect(try PSBT.combining(parts.reversed(), conflicts: .refuse).base64 == expected)
    }
    Vectors.report(Self.path + " combiner", cases: cases.count)
  }

  @Test(.vectors(path)) func theFinalizerMakesTheSameBytes() throws {
    let cases = try Self.list("finalizer")
    for value in cases {
      var psbt = try PSBT(base64: value.required("finalize").string)
      #expect(try psbt.finalize().unfinished == [])
      #expect(psbt.isComplete)
      #expect(psbt.base64 == (try value.required("result").string))
    }
    Vectors.report(Self.path + " finalizer", cases: cases.count)
  }

  @Test(.vectors(path)) func theExtractorMakesTheSameTransaction() throws {
    let cases = try Self.list("extractor")
    for value in cases {
      let psbt = try PSBT(base64: value.required("extract").string)
      try psbt.verifyFinalScripts()
      #expect(Hex.encode(try psbt.extractTransaction().encoded) == (try value.required("result").string))
    }
    Vectors.report(Self.path + " extractor", cases: cases.count)
  }
}
