import Bitcoin
import Encoding
import JSON
import Payments
import Secp256k1
import Testing
import VectorSupport
import Wire

@Suite("BOLT 11's examples")
struct Bolt11SpecificationTests {
  private static let path = "bolts/bolt11/spec-examples.json"

  @Test("Every example is read, or refused, as the text says", .vectors(path))
  func examples() throws {
    let file = try Vectors.json(Self.path)
    let key = try file.required("private_key").string
    let cases = try file.required("cases").array
    for vector in cases {
      let comment = Comment(rawValue: try vector.required("name").string)
      let text = try vector.required("invoice").string
      guard vector["valid"] == .bool(true) else {
        let error = #expect(throws: Bolt11Error.self, comment) { try Bolt11Invoice(decoding: text) }
        if let error { try #expect(Self.matches(error, vector.required("reason").string), "\(error): \(comment)") }
        continue
      }
      let invoice = try Bolt11Invoice(decoding: text)
      try Self.check(invoice, vector.required("expected"), comment)
      #expect(invoice.text == text.lowercased(), comment)
      // What was signed with a low s we sign alike.
      guard invoice.signature.signature.isLowS else { continue }
      let again = try invoice.contents.sign(with: secretKey(key), fields: invoice.fields)
      #expect(again == invoice, comment)
      let own = try invoice.contents.sign(with: secretKey(key))
      #expect(try Bolt11Invoice(decoding: own.text) == own, comment)
      #expect(own.contents == invoice.contents, comment)
    }
    Vectors.report(Self.path, cases: cases.count)
  }

  private static func check(_ invoice: Bolt11Invoice, _ expected: JSONValue, _ comment: Comment) throws {
    let contents = invoice.contents
    #expect(
      try "ln" + expected.required("currency").string == invoice.humanReadablePart.prefix { $0.isLetter }, comment)
    #expect(contents.amount.map { Int64($0.rawValue) } == expected["amount_msat"]?.integerValue, comment)
    #expect(try Int64(contents.timestamp) == expected.required("timestamp").integer, comment)
    #expect(try contents.paymentHash.hex == expected.required("payment_hash").string, comment)
    #expect(try contents.paymentSecret.hex == expected.required("payment_secret").string, comment)
    switch contents.description {
    case .text(let text):
      #expect(text == expected["description"]?.stringValue, comment)
      #expect(expected["description_hash"] == nil, comment)
    case .hash(let hash):
      #expect(hash.hex == expected["description_hash"]?.stringValue, comment)
      #expect(expected["description"] == nil, comment)
    }
    #expect(contents.expiry.map { Int64($0) } == expected["expiry_seconds"]?.integerValue, comment)
    #expect(
      contents.minFinalCLTVExpiryDelta.map { Int64($0) } == expected["min_final_cltv_expiry_delta"]?.integerValue,
      comment)
    #expect(contents.metadata.map { Hex.encode($0) } == expected["payment_metadata"]?.stringValue, comment)
    #expect(
      try contents.features.bits.map { Int64($0) } == expected.required("feature_bits").array.map { try $0.integer },
      comment)
    let hints = try (expected["routing_hints"]?.array ?? []).map { hint in
      try hint.array.map { try RouteHop($0, nodeID: "node_id", shortChannelID: { try ShortChannelID(text: $0) }) }
    }
    #expect(contents.routeHints == hints, comment)
    let fallbacks = try (expected["fallbacks"]?.array ?? []).map {
      Bolt11Invoice.Fallback(
        version: UInt8(try $0.required("version").integer), program: try Hex.decode($0.required("program").string))
    }
    #expect(contents.fallbacks == fallbacks, comment)
    let skipped = try (expected["skipped_fields"]?.array ?? []).map {
      "\(try $0.required("tag").string) \(try $0.required("data_length").integer)"
    }
    #expect(contents.unknownFields.map { "\($0.tag) \($0.data.count)" } == skipped, comment)
    // The order names fields of one type that stand together once.
    #expect(
      try Set(invoice.fields.map(\.tag.description)) == Set(expected.required("tag_order").string.map(String.init)),
      comment)
    #expect(try invoice.signature.signature.compact.hex == expected.required("signature").string, comment)
    #expect(try Int64(invoice.signature.recoveryID) == expected.required("recovery_id").integer, comment)
    #expect(try invoice.payee.hex == expected.required("payee").string, comment)
    #expect(try invoice.signedHash.hex == expected.required("signed_hash").string, comment)
  }

  private static func matches(_ error: Bolt11Error, _ reason: String) -> Bool {
    switch (reason, error) {
    case ("Same, but adding invalid unknown feature 100", .features(.unknownRequired(bit: 100))),
      ("Bech32 checksum is invalid.", .notBech32(.badChecksum)),
      ("Malformed bech32 string (no 1)", .notBech32(.malformed("no separator '1'"))),
      ("Malformed bech32 string (mixed case)", .notBech32(.malformed("upper and lower case are mixed"))),
      ("Signature is not recoverable.", .invalidSignature),
      ("String is too short.", .tooShort), ("Invalid multiplier", .amount(.unknownMultiplier)),
      ("Invalid sub-millisatoshi precision.", .amount(.subMillisatoshi)),
      ("Missing required `s` field.", .missingField(.paymentSecret)),
      // It also has two fields s.
      ("Non canonical signature (high-S) with 'n' field defined", .highS):
      true
    default: false
    }
  }
}
