import Bitcoin
import Encoding
import Payments
import Secp256k1
import Sphinx
import Testing

/// The rules of BOLT 12, each with what breaks it, and its figures in brief (lightning/bolts bolt12/*.json, CC-BY-4.0).
@Suite("The rules of BOLT 12")
struct Bolt12RuleTests {
  private let offerText =
    "lno1pqps7sjqpgtyzm3qv4uxzmtsd3jjqer9wd3hy6tsw35k7msjzfpy7nz5yqcnygrfdej82um5wf5k2uckyypwa3eyt44h6txtxquqh7lz5djge4afgfj"
    + "n7k4rgrkuag0jsd5xvxg"

  @Test("The offer of format-string-test.json gives its figures")
  func offer() throws {
    let offer = try Offer(decoding: offerText)
    #expect(offer.fields.offerAmount == 1_000_000)
    #expect(offer.fields.offerDescription == "An example description")
    #expect(offer.fields.offerIssuer == "BOLT 12 industries")
    #expect(
      offer.fields.offerIssuerID?.hex == "02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619")
    #expect(try Offer(decoding: offerText.uppercased()) == offer)
    #expect(try Offer(decoding: offerText.map(String.init).joined(separator: "+\r\n ")) == offer)
  }

  @Test("Offers with records that do not belong there, or with paths that lead nowhere, are refused")
  func records() throws {
    let good = try Offer(decoding: offerText).tlvs
    func refused(_ error: Bolt12Error, _ type: UInt64, _ value: [UInt8]) {
      var records = good
      records[type] = value
      #expect(throws: error) { try Offer(tlvs: records) }
    }
    refused(.unknownEvenType(78), 78, [])
    for type in [0, 80, 81, 240, 999_999_999, 2_000_000_000, 2_000_000_001] as [UInt64] {
      refused(.forbiddenType(type), type, [])
    }
    var records = good
    records[1_999_999_999] = [1]
    #expect(try Offer(tlvs: records).tlvs == records)
    let key = PublicKey.generator.array
    let noPoint = [UInt8](repeating: 3, count: 33)
    let start = key + key
    refused(.malformedField(16, .malformed("a blinded path without hops")), 16, start + [0])
    refused(
      .malformedField(16, .malformed("a blinded path without hops")), 16, start + [1] + key + [0, 0] + start + [0])
    refused(.malformedField(16, .truncated), 16, start + [1] + key + [0, 2, 1])
    refused(.malformedField(16, .malformed("not a point on secp256k1")), 16, key + noPoint + [1] + key + [0, 0])
    refused(.malformedField(16, .malformed("not a point on secp256k1")), 16, start + [1] + noPoint + [0, 0])
    refused(.malformedField(2, .malformed("an empty list")), 2, [])
  }

  @Test(
    "A + stands between two characters, white space only behind it",
    arguments: ["+@", "@+", "@+ ", " @", "@ ", "l++no1zcss9", "l no1zcss9", "l+ +no1zcss9", "", "+", "lno1+"])
  func texts(text: String) {
    let text = text.replacing("@", with: offerText)
    #expect(throws: Bolt12Error.self) { try Offer(decoding: text) }
  }

  @Test("Merkle roots of one, two and three records")
  func merkle() throws {
    let leaves = [
      "010203e8", "02080000010000020003",
      "03310266e4598d1d3c415f572a8488830b60f7e744ed9235eb0b1ba93283b315c0351800000000000000010000000000000002",
    ]
    let roots = [
      "b013756c8fee86503a0b4abdab4cddeb1af5d344ca6fc2fa8b6c08938caa6f93",
      "c3774abbf4815aa54ccaa026bff6581f01f3be5fe814c620a252534f434bc0d1",
      "ab2e79b1283b0b31e0b035258de23782df6b89a38cfa7237bde69aed1a658c5d",
    ]
    for count in 1...3 {
      let bytes = try Hex.decode(leaves[..<count].joined())
      var stream = try TLVStream(decoding: bytes.bytes)
      #expect(Bolt12Merkle.root(of: stream)?.hex == roots[count - 1])
      // Signatures are no leaves.
      stream[240] = [1]
      stream[1000] = [2]
      #expect(Bolt12Merkle.root(of: stream)?.hex == roots[count - 1])
      stream[1001] = [2]
      #expect(Bolt12Merkle.root(of: stream)?.hex != roots[count - 1])
    }
    #expect(Bolt12Merkle.root(of: TLVStream()) == nil)
  }

  private func payer() throws -> KeyPair { KeyPair(try secretKey(String(repeating: "42", count: 32))) }

  private func requestRecords() throws -> TLVStream {
    var records = try Offer(decoding: offerText).tlvs
    records[0] = [1, 2, 3]
    records[88] = try payer().publicKey.array
    return records
  }

  @Test("Invoice requests are signed by the payer and say what the offer asks for")
  func invoiceRequests() throws {
    let key = try payer()
    let good = try requestRecords()
    let request = try InvoiceRequest.sign(good, with: key, auxRand: Bytes32())
    #expect(request.isSignatureValid == true)
    #expect(try InvoiceRequest(decoding: request.text) == request)
    func refused(_ error: Bolt12Error, _ change: (inout TLVStream) -> Void) throws {
      let key = try payer()
      var records = good
      change(&records)
      #expect(throws: error) { try InvoiceRequest.sign(records, with: key, auxRand: Bytes32()) }
    }
    try refused(.missingField(0)) { $0[0] = nil }
    try refused(.missingField(88)) { $0[88] = nil }
    try refused(.forbiddenType(160)) { $0[160] = [] }
    try refused(.forbiddenType(161)) { $0[161] = [] }
    try refused(.forbiddenType(86)) { $0[86] = [1] }
    try refused(.missingField(86)) { $0[20] = [5] }
    try refused(.invalidField(86, "zero")) { ($0[20], $0[86]) = ([], []) }
    try refused(.invalidField(86, "more than offer_quantity_max")) { ($0[20], $0[86]) = ([5], [6]) }
    try refused(.invalidField(82, "less than the offer asks for")) { $0[82] = [0x0f, 0x42, 0x3f] }
    try refused(.unknownFeature(84, bit: 0)) { $0[84] = [1] }
    try refused(.unknownEvenType(92)) { $0[92] = [] }
    try refused(.malformedField(91, .malformed("a character that no name or domain has"))) { $0[91] = [1, 0x21, 0] }
    // Not a response to an offer.
    try refused(.missingField(82)) { $0[22] = nil }
    var other = good
    other[22] = nil
    other[82] = [1]
    #expect(try InvoiceRequest(tlvs: other).isSignatureValid == nil)
    other[12] = [2]
    #expect(throws: Bolt12Error.forbiddenType(12)) { try InvoiceRequest(tlvs: other) }
    // Unsigned, or signed by another.
    #expect(throws: Bolt12Error.invalidSignature) { try InvoiceRequest(tlvs: good) }
    var forged = request.tlvs
    forged[89] = [0x61]
    #expect(throws: Bolt12Error.invalidSignature) { try InvoiceRequest(tlvs: forged) }
    #expect(try InvoiceRequest(tlvs: forged, checkingSignature: false).isSignatureValid == false)
  }

  @Test("Invoices are complete, signed by the issuer and answer their request")
  func invoices() throws {
    let issuer = KeyPair(try secretKey(String(repeating: "01", count: 32)))
    let id = issuer.publicKey
    var base = try requestRecords()
    base[22] = id.array
    let payer = try payer()
    let request = try InvoiceRequest.sign(base, with: payer, auxRand: Bytes32())
    let path = BlindedPath(
      firstNodeID: .nodeID(id), firstPathKey: id, hops: [BlindedHop(blindedNodeID: id, encryptedRecipientData: [1])])
    let encodedPath = try #require(path.encoded)
    var writer = ByteWriter()
    BlindedPayInfo(
      feeBaseMsat: 1, feeProportionalMillionths: 2, cltvExpiryDelta: 3, htlcMinimumMsat: MilliSatoshi(4),
      htlcMaximumMsat: MilliSatoshi(5)
    ).encode(to: &writer)
    var good = base
    good[160] = encodedPath
    good[162] = writer.bytes
    good[164] = [1]
    good[168] = [UInt8](repeating: 7, count: 32)
    good[170] = [0x0f, 0x42, 0x40]
    good[176] = id.array
    let records = good
    let invoice = try Payments.Bolt12Invoice.sign(records, with: issuer, auxRand: Bytes32())
    #expect(try Payments.Bolt12Invoice(decoding: invoice.text) == invoice)
    #expect(invoice.answers(request))
    #expect(invoice.expiresAt == 7201)
    func refused(_ error: Bolt12Error, _ change: (inout TLVStream) -> Void) throws {
      let issuer = KeyPair(try secretKey(String(repeating: "01", count: 32)))
      var records = records
      change(&records)
      #expect(throws: error) { try Payments.Bolt12Invoice.sign(records, with: issuer, auxRand: Bytes32()) }
    }
    for type in [160, 162, 164, 168, 170, 176] as [UInt64] { try refused(.missingField(type)) { $0[type] = nil } }
    try refused(.malformedField(160, .malformed("an empty list"))) { $0[160] = [] }
    try refused(.invalidField(162, "not one for each path")) { $0[162]? += writer.bytes }
    try refused(.invalidField(162, "every path requires an unknown feature")) {
      $0[162] = Array(writer.bytes.dropLast(2)) + [0, 1, 1]
    }
    try refused(.invalidField(170, "not the invreq_amount")) { $0[82] = [1] }
    try refused(.invalidField(176, "not the offer_issuer_id")) { $0[176] = PublicKey.generator.negated().array }
    try refused(.unknownFeature(174, bit: 18)) { $0[174] = [4, 0, 0] }
    try refused(.unknownEvenType(178)) { $0[178] = [] }
    try refused(.malformedField(166, .tooLarge)) { $0[166] = [1, 0, 0, 0, 0] }
    try refused(.malformedField(170, .notMinimal)) { $0[170] = [0, 1] }
    #expect(throws: Bolt12Error.invalidSignature) { try Payments.Bolt12Invoice(tlvs: records) }
    var other = records
    other[89] = [0x61]
    #expect(try !Payments.Bolt12Invoice.sign(other, with: issuer, auxRand: Bytes32()).answers(request))
    var forged = invoice.tlvs
    forged[164] = [2]
    #expect(throws: Bolt12Error.invalidSignature) { try Payments.Bolt12Invoice(tlvs: forged) }
    // Another kind of text.
    #expect(throws: Bolt12Error.wrongKind(.invoice)) { try Offer(decoding: invoice.text) }
  }

  @Test("No change of one character brings the reader down, and no part of a text is read as the whole")
  func damage() throws {
    let whole = try Offer(decoding: offerText)
    let characters = Array(offerText)
    for index in characters.indices {
      for letter in "qlb1+ " {
        var changed = characters
        changed[index] = letter
        if let read = try? Offer(decoding: String(changed)), letter != characters[index] { #expect(read != whole) }
      }
      if let read = try? Offer(decoding: String(characters[..<index])) { #expect(read != whole) }
    }
  }
}
