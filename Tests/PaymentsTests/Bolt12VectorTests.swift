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

  @Test("Merkle trees are the file's: leaves, branches, root", .vectors("bolts/bolt12/signature-test.json"))
  func merkleTrees() throws {
    let path = "bolts/bolt12/signature-test.json"
    let cases = try Vectors.json(path).array
    for vector in cases {
      let comment = Comment(rawValue: try vector.required("comment").string)
      // What was hashed stands in the names of the hashes.
      let printed = try vector.required("leaves").array.map { leaf in
        (
          hash: try Self.hash("LnLeaf", in: leaf), nonce: try Self.hash("LnNonce", in: leaf),
          node: try Self.hash("LnBranch", in: leaf)
        )
      }
      let bytes = try Hex.decode(printed.map { String($0.hash.input.dropFirst()) }.joined())
      let leaves = Bolt12Merkle.leaves(of: try TLVStream(decoding: bytes.bytes))
      #expect(leaves.map(\.hash.hex) == printed.map(\.hash.output), comment)
      #expect(leaves.map(\.nonce.hex) == printed.map(\.nonce.output), comment)
      #expect(leaves.map(\.node.hex) == printed.map(\.node.output), comment)

      // The file prints branches of two; who moves up alone has none.
      var expected = leaves.map(\.node)
      for branch in try vector.required("branches").array {
        let (input, output) = try Self.hash("LnBranch", in: branch)
        let both = Array(input.dropFirst())
        let left = try Bytes32(hex: String(both[..<64]))
        let right = try Bytes32(hex: String(both[64...]))
        #expect(left < right, "the lesser first: \(comment)")
        #expect(Bolt12Merkle.branch(right, left).hex == output, comment)
        #expect(expected.contains(left) && expected.contains(right), comment)
        expected = expected.filter { $0 != left && $0 != right } + [try Bytes32(hex: output)]
      }
      let root = try vector.required("merkle").string
      #expect(expected.map(\.hex) == [root], comment)
      #expect((Bolt12Merkle.levels(above: leaves).last ?? leaves.map(\.node)).map(\.hex) == [root], comment)
      #expect(Bolt12Merkle.root(of: try TLVStream(decoding: bytes.bytes))?.hex == root, comment)
    }
    Vectors.report(path, cases: cases.count)
  }

  /// The member whose name is H(`tag`…): what stands behind the tag, and the hash.
  private static func hash(_ tag: String, in value: JSONValue) throws -> (input: String, output: String) {
    let prefix = "H(`\(tag)`"
    guard case .object(let object) = value,
      let member = object.members.first(where: { $0.name.hasPrefix(prefix) })
    else { throw VectorError.unexpected("no \(tag)") }
    return (String(member.name.dropFirst(prefix.count).dropLast()), try member.value.string)
  }
}
