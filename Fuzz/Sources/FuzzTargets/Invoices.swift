internal import Bitcoin
internal import Encoding
internal import Hashing
internal import Payments
internal import Secp256k1
internal import Wire

/// A reader of fuzz input: what is missing is zero, so that any input says something.
struct InputReader: ~Escapable {
  private let bytes: RawSpan
  private var offset = 0

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan) { self.bytes = bytes }

  var remaining: Int { bytes.byteCount - offset }

  mutating func byte() -> UInt8 {
    guard offset < bytes.byteCount else { return 0 }
    offset += 1
    return bytes[offset - 1]
  }

  mutating func number() -> Int { Int(byte()) << 8 | Int(byte()) }

  mutating func take(_ count: Int) -> [UInt8] {
    let end = min(offset + max(count, 0), bytes.byteCount)
    defer { offset = end }
    return bytes.extracting(offset..<end).array
  }

  mutating func rest() -> [UInt8] { take(remaining) }
}

extension FuzzTarget {
  /// Invoices of BOLT 11. The first byte tells text (0) from what the fuzzer could not write itself: 1, then the length of the
  /// human-readable part, that part, and the data as one byte for each letter; signature and checksum are put behind.
  static let invoice = FuzzTarget(
    "invoice", dictionary: ["lnbc", "lntb", "lnbcrt", "lntbs", "2500u", "20m", "1p", "p1"],
    seeds: { Self.invoices.flatMap { [[0] + Array($0.text.utf8), [1] + parts(of: $0)] } + [[0, 0x6c, 0x6e], [1]] },
    run: { input throws(Violation) in
      guard input.byteCount > 0, input.byteCount <= 4096, let key = Sample.secretKey(1) else { return .refused }
      var reader = InputReader(input)
      guard reader.byte() & 1 == 1 else {
        let text = String(decoding: reader.rest(), as: UTF8.self)
        guard let invoice = try? Bolt11Invoice(decoding: text) else { return .refused }
        try check(invoice, text: text)
        return .accepted
      }
      let humanReadablePart = String(decoding: reader.take(Int(reader.byte())), as: UTF8.self)
      let data = reader.rest().map { $0 & 31 }
      // BOLT 11: "with 0 bits appended to pad to a byte boundary".
      let padded = data + [UInt8](repeating: 0, count: (8 - data.count * 5 % 8) % 8)
      let bits = padded.count * 5 / 8
      var bytes = [UInt8](repeating: 0, count: (data.count * 5 + 7) / 8)
      for (index, value) in data.enumerated() {
        for bit in 0..<5 where value >> UInt8(4 - bit) & 1 == 1 {
          bytes[(index * 5 + bit) / 8] |= 0x80 >> UInt8((index * 5 + bit) % 8)
        }
      }
      try law(bits >= bytes.count - 5, "the bytes are those of the letters")
      let signature = key.signRecoverable(sha256(Array(humanReadablePart.utf8) + bytes))
      let signatureBytes = signature.bytes
      let text = Bech32.encode(
        humanReadablePart: humanReadablePart, data: data + Bech32.fiveBit(from: signatureBytes), variant: .bech32)
      guard let invoice = try? Bolt11Invoice(decoding: text) else { return .refused }
      try check(invoice, text: text)
      try law(invoice.payee == key.publicKey, "the signer is who has signed: \(text)")
      // Written by our own rules, from what was understood.
      for fields in [invoice.fields, nil] {
        guard let again = try? invoice.contents.sign(with: key, fields: fields) else {
          throw Violation(description: "what was read can be signed: \(text)")
        }
        try check(again, text: again.text)
        try law(again.contents == invoice.contents, "an invoice survives: \(text)")
      }
      return .accepted
    })

  private static func check(_ invoice: Bolt11Invoice, text: String) throws(Violation) {
    try law(invoice.text == text.lowercased(), "an invoice is written as it was read: \(invoice.text)")
    try law((try? Bolt11Invoice(decoding: invoice.text)) == invoice, "an invoice is read as it is written: \(text)")
    try law(invoice.contents.expiresAt >= invoice.contents.timestamp, "it does not expire before it is made")
  }

  /// The human-readable part with its length, and the data before the signature.
  private static func parts(of invoice: Bolt11Invoice) -> [UInt8] {
    let prefix = Array(invoice.humanReadablePart.utf8)
    guard let decoded = try? Bech32.decode(invoice.text, maximumLength: nil) else { return [] }
    return [UInt8(prefix.count)] + prefix + decoded.data.dropLast(104)
  }

  private static var invoices: [Bolt11Invoice] {
    guard let key = Sample.secretKey(1), let node = Sample.publicKey(2) else { return [] }
    func contents(
      _ network: Network, _ amount: UInt64?, _ description: Bolt11Invoice.Description
    ) -> Bolt11Invoice.Contents {
      Bolt11Invoice.Contents(
        network: network, amount: amount.map { MilliSatoshi($0) }, timestamp: 1_496_314_658,
        paymentHash: Sample.hash(1), paymentSecret: Sample.hash(0x11), description: description)
    }
    var all = [
      contents(.bitcoin, nil, .text("please")), contents(.bitcoin, 250_000_000, .text("⚡ 1 cup")),
      contents(.testnet, 2_000_000_000, .hash(Sample.hash(9))), contents(.regtest, 1, .text("")),
      contents(.signet, 100_000_000_000, .text("x")),
    ]
    all[1].expiry = 60
    all[1].minFinalCLTVExpiryDelta = 144
    all[1].metadata = [1, 2, 3]
    all[2].payee = key.publicKey
    let fallbacks: [(version: UInt8, size: Int)] = [(17, 20), (18, 20), (0, 20), (0, 32), (1, 32), (19, 3)]
    all[2].fallbacks = fallbacks.compactMap { .init(version: $0.version, program: Array(repeating: 4, count: $0.size)) }
    let hop = Bolt11Invoice.RouteHop(
      nodeID: node, shortChannelID: ShortChannelID(rawValue: 0x0102_0304_0506_0708), feeBaseMsat: 1,
      feeProportionalMillionths: 20, cltvExpiryDelta: 3)
    all[3].routeHints = [[hop, hop], [hop]]
    for bit in [8, 14, 99] { all[3].features[bit] = true }
    all[4].unknownFields = [TaggedField(.init(rawValue: 2), data: [1, 2, 3]), TaggedField(.paymentHash, data: [1])]
    return all.compactMap { try? $0.sign(with: key) }
  }

  /// Offers, invoice requests and invoices of BOLT 12. The first byte tells text (0) from the records alone (1 offer, 2 invoice
  /// request, 3 invoice), which are then signed where they can be.
  static let offer = FuzzTarget(
    "offer", dictionary: ["lno1", "lnr1", "lni1", "+ ", "+\n"],
    seeds: {
      let records = Self.offerRecords
      var seeds: [[UInt8]] = [[0, 0x6c], [1], [2, 0, 1, 1], [3, 0, 1, 1]]
      for (kind, tlvs) in records {
        let text = Bolt12Text.encode(kind, tlvs)
        let middle = text.index(text.startIndex, offsetBy: 20)
        seeds.append([0] + Array(text.utf8))
        seeds.append([0] + Array((text[..<middle] + "+\n " + text[middle...]).uppercased().utf8))
        seeds.append([number(of: kind)] + tlvs.encoded)
      }
      return seeds
    },
    run: { input throws(Violation) in
      guard input.byteCount > 0, input.byteCount <= 4096, let key = Sample.secretKey(1) else { return .refused }
      var reader = InputReader(input)
      let mode = reader.byte() & 3
      let rest = reader.rest()
      if mode == 0 {
        let text = String(decoding: rest, as: UTF8.self)
        guard let (kind, tlvs) = try? Bolt12Text.decode(text) else { return .refused }
        let joined = text.lowercased().unicodeScalars.filter { $0 != "+" && !(9...13).contains($0.value) && $0 != " " }
        let written = Bolt12Text.encode(kind, tlvs)
        try law(Array(written.unicodeScalars) == Array(joined), "text is written as it was read: \(written)")
        return try check(kind, tlvs) ? .accepted : .refused
      }
      guard let tlvs = try? TLVStream(decoding: rest.bytes) else { return .refused }
      let kind: Bolt12Text.Kind = mode == 1 ? .offer : mode == 2 ? .invoiceRequest : .invoice
      let text = Bolt12Text.encode(kind, tlvs)
      guard let (readKind, readTLVs) = try? Bolt12Text.decode(text) else {
        throw Violation(description: "own text is read: \(text)")
      }
      try law(readKind == kind && readTLVs == tlvs, "text is read as it is written: \(text)")
      let accepted = try check(kind, tlvs)
      try checkSigning(kind, tlvs, with: KeyPair(key))
      return accepted ? .accepted : .refused
    })

  /// The laws of what the records say; whether they say it by the rules.
  private static func check(_ kind: Bolt12Text.Kind, _ tlvs: TLVStream) throws(Violation) -> Bool {
    let text = Bolt12Text.encode(kind, tlvs)
    var signed = tlvs
    signed[240] = [UInt8](repeating: 1, count: 64)
    signed[1000] = [1]
    let leaves = tlvs.records.contains { !Bolt12Merkle.signatureTypes.contains($0.type) }
    try law((Bolt12Merkle.root(of: tlvs) != nil) == leaves, "a root needs a leaf")
    try law(Bolt12Merkle.root(of: signed) == Bolt12Merkle.root(of: tlvs), "signatures are no leaves")
    switch kind {
    case .offer:
      guard let offer = try? Offer(tlvs: tlvs) else { return false }
      try law((try? Offer(decoding: offer.text)) == offer, "an offer is read as it is written: \(text)")
    case .invoiceRequest:
      guard let request = try? InvoiceRequest(tlvs: tlvs, checkingSignature: false) else { return false }
      let read = try? InvoiceRequest(decoding: request.text)
      let isValid = request.isSignatureValid ?? !request.isForOffer
      try law((read == request) == isValid, "a request is read when its signature is valid: \(text)")
    case .invoice:
      guard let invoice = try? Bolt12Invoice(tlvs: tlvs, checkingSignature: false) else { return false }
      let read = try? Bolt12Invoice(decoding: invoice.text)
      try law((read == invoice) == (invoice.isSignatureValid == true), "an invoice is read when it is signed: \(text)")
      try law(invoice.expiresAt >= invoice.fields.invoiceCreatedAt ?? 0, "it does not expire before it is made")
    }
    return true
  }

  private static func checkSigning(
    _ kind: Bolt12Text.Kind, _ tlvs: TLVStream, with key: borrowing KeyPair
  ) throws(Violation) {
    guard kind != .offer, tlvs[240] == nil, tlvs[kind == .invoice ? 176 : 88] == key.publicKey.array else { return }
    var forgery = tlvs
    forgery[241] = [1]
    switch kind {
    case .offer: break
    case .invoiceRequest:
      guard (try? InvoiceRequest(tlvs: tlvs, checkingSignature: false)) != nil else { return }
      guard let signed = try? InvoiceRequest.sign(tlvs, with: key, auxRand: Bytes32()) else {
        throw Violation(description: "a request by the rules can be signed")
      }
      try law(signed.isSignatureValid == true, "our signature is valid")
      try law((try? InvoiceRequest(decoding: signed.text)) == signed, "a signed request is read: \(signed.text)")
    case .invoice:
      guard (try? Bolt12Invoice(tlvs: tlvs, checkingSignature: false)) != nil else { return }
      guard let signed = try? Bolt12Invoice.sign(tlvs, with: key, auxRand: Bytes32()) else {
        throw Violation(description: "an invoice by the rules can be signed")
      }
      try law((try? Bolt12Invoice(decoding: signed.text)) == signed, "a signed invoice is read: \(signed.text)")
      // Whoever changes a word breaks the signature.
      var changed = signed.tlvs
      changed[164] = changed[164] == [1] ? [2] : [1]
      try law((try? Bolt12Invoice(tlvs: changed)) == nil, "a changed invoice is refused")
    }
  }

  private static func number(of kind: Bolt12Text.Kind) -> UInt8 {
    switch kind {
    case .offer: 1
    case .invoiceRequest: 2
    case .invoice: 3
    }
  }

  private static var offerRecords: [(Bolt12Text.Kind, TLVStream)] {
    guard let key = Sample.publicKey(1)?.array, let secret = Sample.secretKey(1) else { return [] }
    func stream(_ records: [(UInt64, [UInt8])]) -> TLVStream {
      var stream = TLVStream()
      for (type, value) in records { stream[type] = value }
      return stream
    }
    let path = key + key + [1] + key + [0, 3, 1, 2, 3]
    let offer: [(UInt64, [UInt8])] = [(8, [0x03, 0xe8]), (10, Array("tea".utf8)), (22, key)]
    let rich: [(UInt64, [UInt8])] = [
      (2, Sample.hash(6).array), (4, [1]), (6, Array("USD".utf8)), (8, [5]), (10, Array("⚡".utf8)), (12, []),
      (14, [0x65, 0, 0, 0]), (16, path), (18, Array("me".utf8)), (20, [3]), (22, key), (1_000_000_001, [9]),
    ]
    let request = offer + [(0, [UInt8](repeating: 7, count: 16)), (82, [0x03, 0xe8]), (88, key), (89, [0x68, 0x69])]
    let refund: [(UInt64, [UInt8])] = [
      (0, [7]), (10, Array("refund".utf8)), (82, [1]), (88, key), (90, path), (91, [1, 0x61, 1, 0x62]),
    ]
    let payInfo: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 2, 0, 3] + [UInt8](repeating: 0, count: 16) + [0, 0]
    let invoice =
      request + [
        (160, path), (162, payInfo), (164, [0x65, 0, 0, 0]), (166, [60]), (168, Sample.hash(3).array),
        (170, [0x03, 0xe8]), (172, [0, 0, 20] + [UInt8](repeating: 5, count: 20)), (174, [2, 0, 0]), (176, key),
      ]
    var all: [(Bolt12Text.Kind, TLVStream)] = [
      (.offer, stream(offer)), (.offer, stream(rich)), (.invoiceRequest, stream(request)),
      (.invoiceRequest, stream(refund)), (.invoice, stream(invoice)),
    ]
    let pair = KeyPair(secret)
    if let signed = try? InvoiceRequest.sign(stream(request), with: pair, auxRand: Bytes32()) {
      all.append((.invoiceRequest, signed.tlvs))
    }
    if let signed = try? Bolt12Invoice.sign(stream(invoice), with: pair, auxRand: Bytes32()) {
      all.append((.invoice, signed.tlvs))
    }
    return all
  }
}
