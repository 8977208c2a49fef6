import Bitcoin
import Encoding
import JSON
import Payments
import Secp256k1
import Testing
import VectorSupport
import Wire

/// The fixtures of an older library: its invoices have no payment secret, which a reader must refuse today. Each of them is refused
/// for that, and read when a secret has been added and the whole signed anew.
@Suite("Invoices of an older library")
struct Bolt11FixtureTests {
  private static let path = "bolts/bolt11/bitcoinjs-fixtures.json"
  private static let standInSecret = String(repeating: "11", count: 32)

  @Test("Every fixture fares as BOLT 11 has it today", .vectors(path))
  func fixtures() throws {
    let file = try Vectors.json(Self.path)
    let key = try file.required("privateKey").string
    var count = 0
    func each(_ section: String, _ list: String, _ body: (JSONValue, Comment) throws -> Void) throws {
      for (index, vector) in try file.required(section).required(list).array.enumerated() {
        count += 1
        try body(vector, "\(section).\(list)[\(index)]")
      }
    }
    try each("satToHrp", "valid") { vector, comment in
      let amount = try MilliSatoshi(UInt64(vector.required("input").integer) * 1000)
      #expect(try amount.invoiceAmount == vector.required("output").string, comment)
    }
    try each("millisatToHrp", "valid") { vector, comment in
      let amount = try MilliSatoshi(UInt64(vector.required("input").integer))
      #expect(try amount.invoiceAmount == vector.required("output").string, comment)
    }
    for section in ["satToHrp", "millisatToHrp"] {
      // Fractions: our amounts have none, and the text of one is no amount of an invoice.
      try each(section, "invalid") { vector, comment in
        let input = try vector.required("input")
        #expect(input.integerValue == nil, comment)
        #expect(throws: Bolt11AmountError.unknownMultiplier, comment) {
          try MilliSatoshi(invoiceAmount: input.stringValue ?? input.description)
        }
      }
    }
    try each("hrpToSat", "valid") { vector, comment in
      let amount = try MilliSatoshi(invoiceAmount: vector.required("input").string)
      #expect(try String(amount.rawValue / 1000) == vector.required("output").string, comment)
      #expect(amount.rawValue % 1000 == 0, comment)
    }
    try each("hrpToMillisat", "valid") { vector, comment in
      let amount = try MilliSatoshi(invoiceAmount: vector.required("input").string)
      #expect(try String(amount.rawValue) == vector.required("output").string, comment)
    }
    for section in ["hrpToSat", "hrpToMillisat"] {
      try each(section, "invalid") { vector, comment in
        let input = try vector.required("input").string
        #expect(amount(input) == Self.expectedAmount(input), comment)
      }
    }
    try each("encode", "valid") { vector, comment in
      let contents = try Self.contents(vector.required("data"), standIns: true)
      let signer = try secretKey(key)
      let invoice = try contents.sign(with: signer)
      let again = try Bolt11Invoice(decoding: invoice.text)
      #expect(again == invoice, comment)
      #expect(again.contents == contents, comment)
      #expect(again.payee.hex == examplePayee, comment)
    }
    try each("encode", "invalid") { vector, comment in
      try Self.expectRefusal(vector.required("error").string, comment) {
        let contents = try Self.contents(vector.required("data"), standIns: false)
        let signer = try secretKey(key)
        let invoice = try contents.sign(with: signer)
        // Versions above 1 are witness versions too.
        if invoice.contents.fallbacks.first?.version == 2 { throw VectorError.unexpected("witness version 2") }
      }
    }
    try each("sign", "invalid") { vector, comment in
      try Self.expectRefusal(vector.required("error").string, comment) {
        let contents = try Self.contents(vector.required("data"), standIns: true)
        let signer = try secretKey(vector["privateKey"].map { try $0.string } ?? key)
        _ = try contents.sign(with: signer)
      }
    }
    try each("decode", "valid") { vector, comment in try Self.checkDecoding(vector, key: key, comment) }
    try each("decode", "invalid") { vector, comment in
      guard let text = vector["paymentRequest"]?.stringValue else {
        #expect(vector["paymentRequest"]?.integerValue != nil, "not even text: \(comment)")
        return
      }
      let expected = try Self.decodingError(vector.required("error").string, text)
      #expect(throws: expected, comment) { try Bolt11Invoice(decoding: text) }
    }
    #expect(count == 81)
    Vectors.report(Self.path, cases: count)
  }

  /// Nearly all that their writer refused has no value of our types. (And BOLT 9 assumes payment_secret today: what is wrong with
  /// those that lack its bit is that they do not say what is paid for.)
  private static func expectRefusal(_ message: String, _ comment: Comment, _ body: () throws -> Void) {
    let error = #expect(throws: (any Error).self, comment) { try body() }
    let ours: Bolt11Error? = message.hasPrefix("Description is too long") ? .fieldTooLong(.description) : nil
    #expect(error as? Bolt11Error == ours, "\(message): \(comment)")
  }

  private static func expectedAmount(_ text: String) -> Result<MilliSatoshi, Bolt11AmountError>? {
    switch text {
    case "10x", "1f0": .failure(.unknownMultiplier)
    // No whole satoshis, but whole millisatoshis.
    case "9n": .success(MilliSatoshi(900))
    case "5670p": .success(MilliSatoshi(567))
    case "21000001": .failure(.tooLarge)
    case "8p": .failure(.subMillisatoshi)
    default: nil
    }
  }

  private static func decodingError(_ message: String, _ text: String) -> Bolt11Error {
    switch message {
    case "Not a proper lightning payment request":
      text == "m1jg3xv8" ? .notBech32(.badChecksum) : .unknownPrefix(String(text.prefix { $0 != "1" }))
    case "Unknown coin bech32 prefix": .unknownPrefix("lnxy34m")
    case "Signature is missing or incorrect": .tooShort
    case "Lightning Payment Request signature pubkey does not match payee pubkey":
      .malformedField(.payee, .malformed("not a point on secp256k1"))
    default: .notBech32(.malformed("upper and lower case are mixed"))
    }
  }

  private static func checkDecoding(_ vector: JSONValue, key: String, _ comment: Comment) throws {
    let text = try vector.required("paymentRequest").string
    let decoded = try Bech32.decode(text, maximumLength: nil)
    let tags = try vector.required("tags").array
    let invoice: Bolt11Invoice
    if tags.contains(where: { $0["tagName"] == "payment_secret" }) {
      invoice = try Bolt11Invoice(decoding: text)
      #expect(try invoice.signature.signature.compact.hex == vector.required("signature").string, comment)
      #expect(try Int64(invoice.signature.recoveryID) == vector.required("recoveryFlag").integer, comment)
    } else {
      // One is of a network that we do not know.
      let isForeign = decoded.humanReadablePart == "lnsb"
      let error: Bolt11Error = isForeign ? .unknownPrefix("lnsb") : .missingField(.paymentSecret)
      #expect(throws: error, comment) { try Bolt11Invoice(decoding: text) }
      let bytes = try Hex.decode(standInSecret)
      let secret = TaggedField(.paymentSecret, data: Bech32.fiveBit(from: bytes.bytes))
      let signed = try signedInvoice(
        isForeign ? "lnbc" : decoded.humanReadablePart, decoded.data.dropLast(104) + secret.encoded, key: key)
      invoice = try Bolt11Invoice(decoding: signed)
    }
    let payee = try vector.required("payeeNodeKey").string
    #expect(invoice.payee.hex == payee, comment)
    #expect(invoice.contents.amount.map { String($0.rawValue) } == vector["millisatoshis"]?.stringValue, comment)
    #expect(try Int64(invoice.contents.timestamp) == vector.required("timestamp").integer, comment)
    let expected = try contents(vector, standIns: true, network: invoice.contents.network)
    #expect(invoice.contents == expected, comment)
  }

  /// Their data as ours. Stand-ins, for what they did without: a payment secret, an empty description, 1970-01-01.
  private static func contents(
    _ data: JSONValue, standIns: Bool, network known: Network? = nil
  ) throws -> Bolt11Invoice.Contents {
    let network: Network
    if let known {
      network = known
    } else {
      switch try data.required("network").required("bech32").string {
      case "bc": network = .bitcoin
      case "tb": network = .testnet
      case "bcrt": network = .regtest
      case let other: throw VectorError.unexpected("network \(other)")
      }
    }
    let tags = try data.required("tags").array
    func tag(_ name: String) throws -> JSONValue? {
      try tags.first { try $0.required("tagName").string == name }?.required("data")
    }
    let names = [
      "payment_hash", "payment_secret", "description", "purpose_commit_hash", "expire_time", "min_final_cltv_expiry",
      "payee_node_key", "feature_bits", "routing_info", "fallback_address",
    ]
    for tag in tags {
      let name = try tag.required("tagName").string
      guard names.contains(name) else { throw VectorError.unexpected("tag \(name)") }
    }
    if data["signature"] != nil && data["timestamp"] == nil { throw VectorError.unexpected("a signature of what?") }
    let description: Bolt11Invoice.Description
    if let hash = try tag("purpose_commit_hash") {
      description = .hash(try Bytes32(hex: hash.string))
    } else if let text = try tag("description") {
      description = .text(try text.string)
    } else if standIns {
      description = .text("")
    } else {
      throw VectorError.unexpected("no description")
    }
    let sats = data["satoshis"]?.integerValue.map { UInt64($0) * 1000 }
    let msats = data["millisatoshis"]?.stringValue.flatMap { UInt64($0) }
    if sats != nil && msats != nil && sats != msats { throw VectorError.unexpected("two amounts") }
    guard let paymentHash = try tag("payment_hash") else { throw VectorError.unexpected("no payment hash") }
    let secret = try tag("payment_secret")
    var contents = Bolt11Invoice.Contents(
      network: network, amount: (msats ?? sats).map { MilliSatoshi($0) },
      timestamp: UInt64(data["timestamp"]?.integerValue ?? 0), paymentHash: try Bytes32(hex: paymentHash.string),
      paymentSecret: try Bytes32(hex: secret?.stringValue ?? standInSecret), description: description)
    contents.expiry = try tag("expire_time").map { UInt64(try $0.integer) }
    contents.minFinalCLTVExpiryDelta = try tag("min_final_cltv_expiry").map { UInt64(try $0.integer) }
    let payee = data["payeeNodeKey"]?.stringValue
    if let named = try tag("payee_node_key") {
      let text = try named.string
      guard text == payee else { throw VectorError.unexpected("two payees") }
      contents.payee = try PublicKey(hex: text)
    } else if let payee {
      // Known from the signature; but it must be a key.
      let key = try PublicKey(hex: payee)
      if payee != examplePayee { contents.payee = key }
    }
    if let fallback = try tag("fallback_address") {
      let address = try Address(fallback.required("address").string, expecting: network)
      contents.fallbacks = [Bolt11Invoice.Fallback(address.destination)]
    }
    if let hint = try tag("routing_info") {
      contents.routeHints = [
        try hint.array.map { hop in
          try RouteHop(
            hop, nodeID: "pubkey",
            shortChannelID: { ShortChannelID(rawValue: try Bytes8(hex: $0).array.reduce(0) { $0 << 8 | UInt64($1) }) })
        }
      ]
    }
    if let features = try tag("feature_bits") { contents.features = try Self.features(features) }
    return contents
  }

  private typealias Bytes8 = FixedBytes<8>

  private static func features(_ json: JSONValue) throws -> FeatureSet {
    let names = [
      "option_data_loss_protect", "initial_routing_sync", "option_upfront_shutdown_script", "gossip_queries",
      "var_onion_optin", "gossip_queries_ex", "option_static_remotekey", "payment_secret", "basic_mpp",
      "option_support_large_channel",
    ]
    var features = FeatureSet()
    for (index, name) in names.enumerated() {
      if json[name]?["required"] == .bool(true) { features[2 * index] = true }
      if json[name]?["supported"] == .bool(true) { features[2 * index + 1] = true }
    }
    if let extra = json["extra_bits"] {
      let start = Int(try extra.required("start_bit").integer)
      for (index, bit) in try extra.required("bits").array.enumerated() where bit == .bool(true) {
        features[start + index] = true
      }
    }
    return features
  }
}
