import Encoding
import JSON
import Payments
import Testing
import VectorSupport

@Suite("BOLT 12's vectors")
struct Bolt12VectorTests {
  @Test("Texts are joined and read as the file says", .vectors("bolts/bolt12/format-string-test.json"))
  func texts() throws {
    let path = "bolts/bolt12/format-string-test.json"
    let cases = try Vectors.json(path).array
    for vector in cases {
      let comment = Comment(rawValue: try vector.required("comment").string)
      let text = try vector.required("string").string
      if vector["valid"] == .bool(true) {
        let offer = try Offer(decoding: text)
        #expect(offer.text == text.lowercased().filter { $0 != "+" && !$0.isWhitespace }, comment)
      } else {
        let error = #expect(throws: Bolt12Error.self, comment) { try Offer(decoding: text) }
        if case .text = error { continue }
        Issue.record("\(String(describing: error)): \(comment)")
      }
    }
    Vectors.report(path, cases: cases.count)
  }

  @Test("Offers are read or refused as the file says", .vectors("bolts/bolt12/offers-test.json"))
  func offers() throws {
    let path = "bolts/bolt12/offers-test.json"
    let cases = try Vectors.json(path).array
    for vector in cases {
      let description = try vector.required("description").string
      let comment = Comment(rawValue: description)
      let text = try vector.required("bolt12").string
      guard vector["valid"] == .bool(true) else {
        let error = #expect(throws: Bolt12Error.self, comment) { try Offer(decoding: text) }
        #expect(error.map { Self.matches($0, description) } == true, "\(String(describing: error)): \(comment)")
        continue
      }
      let offer = try Offer(decoding: text)
      let fields = try vector.required("fields").array.map {
        TLVRecord(type: UInt64(try $0.required("type").integer), value: try Hex.decode($0.required("hex").string))
      }
      #expect(offer.tlvs.records == fields, comment)
      #expect(offer.text == text, comment)
    }
    Vectors.report(path, cases: cases.count)
  }

  /// Whether an offer was refused for the reason in the file. Six of its offers break in another place before they come to what they are
  /// named for: the lengths of their records are wrong, or the type is 72. `Bolt12RuleTests` has these reasons.
  private static func matches(_ error: Bolt12Error, _ description: String) -> Bool {
    switch (description, error) {
    case ("Malformed: fields out of order", .text(.tlvOutOfOrder)),
      ("Malformed: unknown even TLV type 78", .unknownEvenType(72)), ("Malformed: empty", .missingField(22)),
      ("Malformed: truncated in length", .text(.truncated)), ("Malformed: truncated after length", .text(.truncated)),
      ("Malformed: truncated in description", .text(.truncated)),
      ("Malformed: truncated currency UTF-8", .malformedField(6, _)),
      ("Malformed: invalid currency UTF-8", .malformedField(6, _)),
      ("Malformed: truncated description UTF-8", .malformedField(10, _)),
      ("Malformed: truncated offer_paths", .malformedField(16, .truncated)),
      ("Malformed: zero num_hops in blinded_path", .text(.tlvOutOfOrder(type: 2))),
      ("Malformed: truncated onionmsg_hop in blinded_path", .text(.tlvOutOfOrder(type: 2))),
      ("Malformed: bad path_key in blinded_path", .text(.tlvOutOfOrder(type: 2))),
      ("Malformed: bad blinded_node_id in onionmsg_hop", .text(.tlvOutOfOrder(type: 2))),
      ("Malformed: truncated issuer UTF-8", .malformedField(18, _)),
      ("Malformed: invalid offer_issuer_id", .malformedField(22, _)), ("Contains type >= 80", .forbiddenType(80)),
      ("Contains type > 1999999999", .text(.truncated)),
      ("Contains unknown feature 122", .unknownFeature(12, bit: 122)),
      ("Missing offer_description, but has offer_amount", .missingField(10)),
      ("Missing offer_amount with offer_currency", .missingField(8)),
      ("Invalid: zero offer_amount with currency", .invalidField(8, "zero")),
      ("Missing offer_issuer_id and no offer_path", .missingField(22)),
      ("Second offer_path is empty", .malformedField(16, .malformed("a blinded path without hops"))),
      ("Bech32 padding exceeds 4-bit limit", .text(.malformed("padding of five bits or more"))):
      true
    default: false
    }
  }

  @Test("Merkle roots are the file's", .vectors("bolts/bolt12/signature-test.json"))
  func merkleRoots() throws {
    let path = "bolts/bolt12/signature-test.json"
    let cases = try Vectors.json(path).array
    for vector in cases {
      let comment = Comment(rawValue: try vector.required("comment").string)
      // The records stand in the names of the hashes.
      let prefix = "H(`LnLeaf`,"
      let leaves = try vector.required("leaves").array.map { leaf in
        guard case .object(let object) = leaf,
          let name = object.members.map(\.name).first(where: { $0.hasPrefix(prefix) })
        else { throw VectorError.unexpected("no leaf") }
        return String(name.dropFirst(prefix.count).dropLast())
      }
      let bytes = try Hex.decode(leaves.joined())
      let stream = try TLVStream(decoding: bytes.bytes)
      let expected = try vector.required("merkle").string
      #expect(Bolt12Merkle.root(of: stream)?.hex == expected, comment)
    }
    Vectors.report(path, cases: cases.count)
  }
}
