import Bitcoin
import Encoding
import Hashing
import Payments
import Secp256k1
import Testing
import Wire

/// Invoices that ask for a payment to a point.
@Suite struct Bolt11PointTests {
  private func contents() throws -> Bolt11Invoice.Contents {
    let point = try SecretKey(sha256([5])).publicKey
    return Bolt11Invoice.Contents(
      network: .regtest, amount: MilliSatoshi(1_000_000), timestamp: 1_800_000_000,
      paymentHash: sha256(point.compressed.bytes), paymentPoint: point, paymentSecret: sha256([6]),
      description: .text("points"),
      features: FeatureSet([.varOnionOptin: .required, .paymentSecret: .required, .pointPayments: .required]))
  }

  @Test func thePointIsReadAsItWasWritten() throws {
    let contents = try contents()
    let invoice = try contents.sign(with: secretKey(exampleKey))
    let read = try Bolt11Invoice(decoding: invoice.text)
    #expect(read == invoice)
    #expect(read.contents == contents)
    #expect(read.contents.paymentPoint == contents.paymentPoint)
    #expect(read.contents.unknownFields.isEmpty)
    #expect(read.contents.features[.pointPayments] == .required)
  }

  /// BOLT 11: if the `9` field contains unknown _even_ bits that are non-zero: MUST fail the payment.
  @Test func whoDoesNotKnowPointsRefusesIt() throws {
    let text = try contents().sign(with: secretKey(exampleKey)).text
    #expect(throws: Bolt11Error.features(.unknownRequired(bit: 444))) {
      try Bolt11Invoice(decoding: text, knownFeatures: Feature.merged)
    }
  }

  @Test func thePointMustBeThereOnceAndBeTheOneThatTheHashNames() throws {
    var other = try contents()
    other.paymentHash = sha256([7])
    #expect(throws: Bolt11Error.wrongPointHash) { try other.sign(with: secretKey(exampleKey)) }
    var none = try contents()
    none.paymentPoint = nil
    #expect(throws: Bolt11Error.missingField(.paymentPoint)) { try none.sign(with: secretKey(exampleKey)) }
    let twice = try contents()
    let point = try #require(twice.fields.first { $0.tag == .paymentPoint })
    #expect(throws: Bolt11Error.duplicateField(.paymentPoint)) {
      try twice.sign(with: secretKey(exampleKey), fields: twice.fields + [point])
    }
    // 53 values that are no point.
    var broken = twice.fields
    let index = try #require(broken.firstIndex { $0.tag == .paymentPoint })
    broken[index].data = [UInt8](repeating: 0, count: 53)
    #expect(throws: Bolt11Error.self) { try twice.sign(with: secretKey(exampleKey), fields: broken) }
  }

  @Test func withoutTheFeatureTheFieldIsSomebodyElses() throws {
    var contents = try contents()
    let field = try #require(contents.fields.first { $0.tag == .paymentPoint })
    contents.paymentPoint = nil
    contents.features[.pointPayments] = nil
    contents.unknownFields = [field, field]
    let read = try Bolt11Invoice(decoding: try contents.sign(with: secretKey(exampleKey)).text)
    #expect(read.contents.paymentPoint == nil)
    #expect(read.contents.unknownFields == [field, field])
  }
}
