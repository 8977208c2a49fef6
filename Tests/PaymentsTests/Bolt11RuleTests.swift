import Bitcoin
import Encoding
import Payments
import Secp256k1
import Testing
import Wire

/// The rules of BOLT 11, each with an invoice that breaks it; most are put together field by field.
@Suite("The rules of BOLT 11")
struct Bolt11RuleTests {
  private let timestamp: [UInt8] = [1, 12, 18, 31, 28, 25, 2]
  private let p = "pp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypq"
  private let s = "sp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygs"
  private let d = "dq8w3jhxaq"
  private let h = "hp58yjmdan79s6qqdhdzgynm4zwqd5d7xmw5fk98klysy043l2ahrqs"

  private func decode(_ fields: String, prefix: String = "lnbc25m") throws(Bolt11Error) -> Bolt11Invoice {
    let text: String
    do {
      text = try signedInvoice(prefix, timestamp + fiveBit(fields))
    } catch {
      Issue.record("\(error)")
      throw .tooShort
    }
    return try Bolt11Invoice(decoding: text)
  }

  private func expect(_ error: Bolt11Error, _ fields: String, _ comment: Comment? = nil) {
    #expect(throws: error, comment) { try decode(fields) }
  }

  @Test("BOLT 11's second example gives its figures")
  func example() throws {
    let text =
      "lnbc2500u1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5"
      + "rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpu9qrsgquk0rl77nj30yxdy8j9vdx85fkpmdla2087ne0xh8nhedh8w27kyke0lp53ut353s06fv3qfege"
      + "xt0eh0ymjpf39tuven09sam30g4vgpfna3rh"
    let invoice = try Bolt11Invoice(decoding: text)
    #expect(invoice.contents.network == .bitcoin)
    #expect(invoice.contents.amount == MilliSatoshi(250_000_000))
    #expect(invoice.contents.timestamp == 1_496_314_658)
    #expect(invoice.contents.description == .text("1 cup coffee"))
    #expect(invoice.contents.expiresAt == 1_496_314_718)
    #expect(invoice.contents.features.bits == [8, 14])
    #expect(invoice.signedHash.hex == "047e24bf270b25d42a56d57b2578faa3a10684641bab817c2851a871cb41dbc0")
    #expect(invoice.payee.hex == examplePayee)
    // Our order of fields is the example's.
    #expect(try invoice.contents.sign(with: secretKey(exampleKey)).text == text)
  }

  @Test("A field is there once, and the one description is")
  func fieldCounts() throws {
    #expect(throws: Never.self) { try decode(s + p + d) }
    #expect(throws: Never.self) { try decode(h + p + s) }
    expect(.missingField(.paymentHash), s + d)
    expect(.missingField(.paymentSecret), p + d)
    expect(.noDescription, s + p)
    expect(.twoDescriptions, s + p + d + h)
    expect(.duplicateField(.paymentHash), s + p + d + p)
    expect(.duplicateField(.paymentSecret), s + p + d + s)
    expect(.duplicateField(.description), s + p + d + d)
    expect(.duplicateField(.expiry), s + p + d + "xqzpu" + "xqzpu")
    expect(.duplicateField(.features), s + p + d + "9qrsgq" + "9qrsgq")
  }

  @Test("Fields of another length than theirs are skipped and kept; a payment secret of another length is none")
  func lengths() throws {
    let short = "spn" + String(repeating: "q", count: 51)
    let invoice = try decode(s + p + d + short + "2qrqqq")
    #expect(invoice.contents.unknownFields.map { "\($0.tag) \($0.data.count)" } == ["s 51", "2 3"])
    #expect(try Bolt11Invoice(decoding: invoice.text) == invoice)
    expect(.missingField(.paymentSecret), p + d + short)
  }

  @Test("Numbers and features begin with a digit that is not 0, and fit")
  func minimal() throws {
    #expect(try decode(s + p + d + "xqzpu").contents.expiry == 60)
    #expect(try decode(s + p + d + "xqq").contents.expiry == 0)
    expect(.malformedField(.expiry, .notMinimal), s + p + d + "xqrqpu")
    expect(.malformedField(.minFinalCLTVExpiryDelta, .notMinimal), s + p + d + "cqzqp")
    expect(.malformedField(.features, .notMinimal), s + p + d + "9qyqsgq")
    #expect(try decode(s + p + d + "xqd0llllllllllll").contents.expiry == UInt64.max)
    #expect(try decode(s + p + d + "xqd0llllllllllll").contents.expiresAt == UInt64.max)
    expect(.malformedField(.expiry, .tooLarge), s + p + d + "xqdsllllllllllll")
  }

  @Test("Unknown even features are refused, unknown odd ones are not, and none without what it needs")
  func features() throws {
    var features = FeatureSet(bits: [8, 14, 99])
    #expect(try decode(s + p + d + Self.text(features)).contents.features == features)
    features[100] = true
    expect(.features(.unknownRequired(bit: 100)), s + p + d + Self.text(features))
    // option_zeroconf without option_scid_alias.
    expect(
      .features(.missingDependency(of: .zeroconf, on: .scidAlias)), s + p + d + Self.text(FeatureSet(bits: [51])))
  }

  private static func text(_ features: FeatureSet) -> String {
    let bits = features.bits
    var values = [UInt8](repeating: 0, count: (bits.last ?? 0) / 5 + 1)
    for bit in bits { values[values.count - 1 - bit / 5] |= 1 << UInt8(bit % 5) }
    return String(
      Bech32.encodeWithoutChecksum(humanReadablePart: "x", data: TaggedField(.features, data: values).encoded)
        .dropFirst(2))
  }

  @Test("Fields that are cut off, padded with ones or not what they should be are refused")
  func malformed() throws {
    expect(.truncatedField, s + p + d + "x")
    expect(.truncatedField, s + p + d + "xq")
    expect(.truncatedField, s + p + d + "xqzp")
    expect(.malformedField(.description, .malformed("padding is not zero")), s + p + "dqzlp")
    expect(.malformedField(.description, .malformed("not UTF-8")), s + p + "dqzlq")
    expect(.malformedField(.routeHint, .truncated), s + p + d + "rqq")
    expect(.malformedField(.fallback, .truncated), s + p + d + "fqq")
    // A key hash of 19 bytes, and a witness program of 1.
    expect(
      .malformedField(.fallback, .malformed("not a program of this version")),
      s + p + d + "fpq3" + String(repeating: "q", count: 31))
    expect(
      .malformedField(.fallback, .malformed("not a program of this version")), s + p + d + "fqrpqq")
  }

  @Test("A payee that is named must have signed, with a low s")
  func namedPayee() throws {
    let key = try secretKey(exampleKey)
    var contents = try decode(s + p + d).contents
    contents.payee = key.publicKey
    let invoice = try contents.sign(with: key)
    #expect(try Bolt11Invoice(decoding: invoice.text).payee == key.publicKey)
    let other = try secretKey(String(repeating: "01", count: 32))
    #expect(throws: Bolt11Error.wrongSigner) { try contents.sign(with: other) }
    let data = try Bech32.decode(invoice.text, maximumLength: nil)
    #expect(throws: Bolt11Error.wrongSigner) {
      try Bolt11Invoice(
        decoding: signedInvoice(
          data.humanReadablePart, data.data.dropLast(104), key: String(repeating: "01", count: 32)))
    }
  }

  @Test(
    "Amounts are positive, without leading zeros, whole millisatoshis and payable",
    arguments: [
      ("1", .success(100_000_000_000)), ("20m", .success(2_000_000_000)), ("2500u", .success(250_000_000)),
      ("2500000n", .success(250_000_000)), ("9678785340p", .success(967_878_534)), ("10p", .success(1)),
      ("21000000", .success(2_100_000_000_000_000_000)), ("21000001", .failure(.tooLarge)),
      ("99999999999999999999999", .failure(.tooLarge)), ("18446744073709551615", .failure(.tooLarge)),
      ("", .failure(.noNumber)), ("m", .failure(.noNumber)), ("0", .failure(.leadingZero)),
      ("0p", .failure(.leadingZero)), ("01m", .failure(.leadingZero)), ("1p", .failure(.subMillisatoshi)),
      ("15p", .failure(.subMillisatoshi)), ("1k", .failure(.unknownMultiplier)), ("1M", .failure(.unknownMultiplier)),
      ("1mm", .failure(.unknownMultiplier)), ("1.5m", .failure(.unknownMultiplier)),
      ("-1m", .failure(.unknownMultiplier)), ("+1m", .failure(.unknownMultiplier)),
    ] as [(String, Result<UInt64, Bolt11AmountError>)])
  func amounts(text: String, expected: Result<UInt64, Bolt11AmountError>) {
    #expect(amount(text).map(\.rawValue) == expected)
  }

  @Test("Prefixes of networks are told apart")
  func networks() throws {
    for (prefix, network) in [("lnbc", Network.bitcoin), ("lntb", .testnet), ("lntbs", .signet), ("lnbcrt", .regtest)] {
      #expect(try decode(s + p + d, prefix: prefix).contents.network == network)
      #expect(try decode(s + p + d, prefix: prefix + "10p").contents.network == network)
    }
    for prefix in ["ln", "lnb", "lnbcr", "bc", "lightning", "lnbcm"] {
      #expect(throws: Bolt11Error.unknownPrefix(prefix)) { try decode(s + p + d, prefix: prefix) }
    }
  }

  @Test("What a reader refuses is not signed")
  func writing() throws {
    let key = try secretKey(exampleKey)
    let good = try decode(s + p + d).contents
    func refused(_ error: Bolt11Error, _ change: (inout Bolt11Invoice.Contents) -> Void) {
      var contents = good
      change(&contents)
      #expect(throws: error) { try contents.sign(with: key) }
    }
    refused(.amount(.leadingZero)) { $0.amount = .zero }
    refused(.amount(.tooLarge)) { $0.amount = MilliSatoshi(.max) }
    refused(.timestampTooLarge) { $0.timestamp = 1 << 35 }
    refused(.fieldTooLong(.metadata)) { $0.metadata = [UInt8](repeating: 0, count: 640) }
    refused(.malformedField(.routeHint, .truncated)) { $0.routeHints = [[]] }
    refused(.features(.unknownRequired(bit: 100))) { $0.features[100] = true }
    refused(.duplicateField(.expiry)) {
      $0.expiry = 1
      $0.unknownFields = [TaggedField(.expiry, data: [1])]
    }
    refused(.inconsistentFields) { $0.unknownFields = [TaggedField(.expiry, data: [1])] }
  }

  @Test("No invoice that was changed in one place, and no part of one, is read or brings us down")
  func damage() throws {
    let text = try decode(s + p + d + "9qrsgq").text
    let characters = Array(text)
    let letters = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l1b ")
    for index in characters.indices {
      var changed = characters
      for letter in [letters[index % letters.count], letters[(index * 7 + 3) % letters.count]]
      where letter != characters[index] {
        changed[index] = letter
        #expect(throws: Bolt11Error.self) { try Bolt11Invoice(decoding: String(changed)) }
      }
      #expect(throws: Bolt11Error.self) { try Bolt11Invoice(decoding: String(characters[..<index])) }
    }
  }
}
