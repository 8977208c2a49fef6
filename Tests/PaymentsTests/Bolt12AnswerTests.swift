import Bitcoin
import Encoding
import Payments
import Secp256k1
import Testing

/// What BOLT 12 says about who answers whom, when and where.
@Suite("Answers of BOLT 12")
struct Bolt12AnswerTests {
  private let key = PublicKey.generator.array

  private func stream(_ records: [UInt64: [UInt8]]) -> TLVStream {
    var stream = TLVStream()
    for (type, value) in records { stream[type] = value }
    return stream
  }

  @Test("An offer without offer_chains is for bitcoin, one with them for these alone")
  func chains() throws {
    let bitcoin = Network.bitcoin.genesisBlockHash
    let regtest = Network.regtest.genesisBlockHash
    let plain = try Offer(tlvs: stream([22: key]))
    #expect(plain.allows(bitcoin) && !plain.allows(regtest))
    let other = try Offer(tlvs: stream([2: regtest.array, 22: key]))
    #expect(!other.allows(bitcoin) && other.allows(regtest))
    let both = try Offer(tlvs: stream([2: regtest.array + bitcoin.array, 22: key]))
    #expect(both.allows(bitcoin) && both.allows(regtest))
  }

  @Test("An offer expires after its second, not in it")
  func offerExpiry() throws {
    let offer = try Offer(tlvs: stream([14: [0x64], 22: key]))
    #expect(!offer.isExpired(at: 99) && !offer.isExpired(at: 100) && offer.isExpired(at: 101))
    #expect(!(try Offer(tlvs: stream([22: key]))).isExpired(at: .max))
  }

  @Test("A request responds to an offer when it repeats all of it, unknown records too, for a chain of the offer")
  func responds() throws {
    let records: [UInt64: [UInt8]] = [10: Array("tea".utf8), 22: key, 33: [1], 1_000_000_001: [2]]
    let offer = try Offer(tlvs: stream(records))
    func request(_ changes: [UInt64: [UInt8]?]) throws -> InvoiceRequest {
      var request = stream(records.merging([0: [7], 82: [1], 88: key]) { $1 })
      for (type, value) in changes { request[type] = value }
      return try InvoiceRequest(tlvs: request, checkingSignature: false)
    }
    #expect(try request([:]).responds(to: offer))
    #expect(try request([2_000_000_001: [1], 89: Array("note".utf8)]).responds(to: offer), "the request's own records")
    #expect(try !request([33: [2]]).responds(to: offer))
    #expect(try !request([33: nil]).responds(to: offer))
    #expect(try !request([35: [1]]).responds(to: offer))
    #expect(try !request([1_000_000_001: nil]).responds(to: offer))
    let regtest = try request([80: Network.regtest.genesisBlockHash.array])
    #expect(regtest.chain == Network.regtest.genesisBlockHash && !regtest.responds(to: offer))
    #expect(try request([80: Network.bitcoin.genesisBlockHash.array]).responds(to: offer))
  }

  @Test("An invoice expires two hours after it was made, or when it says")
  func invoiceExpiry() throws {
    let path = key + key + [1] + key + [0, 0]
    let payInfo = [UInt8](repeating: 0, count: 28)
    func invoice(_ changes: [UInt64: [UInt8]]) throws -> Bolt12Invoice {
      let records: [UInt64: [UInt8]] = [
        160: path, 162: payInfo, 164: [0x03, 0xe8], 168: Array(repeating: 1, count: 32), 170: [1], 176: key,
      ]
      return try Bolt12Invoice(tlvs: stream(records.merging(changes) { $1 }), checkingSignature: false)
    }
    #expect(try !invoice([:]).isExpired(at: 8200) && invoice([:]).isExpired(at: 8201))
    #expect(try !invoice([166: [60]]).isExpired(at: 1060) && invoice([166: [60]]).isExpired(at: 1061))
    let last = [UInt8](repeating: 0xff, count: 8)
    #expect(try !invoice([164: last]).isExpired(at: .max), "a sum beyond 64 bits")
    #expect(try invoice([:]).chain == Network.bitcoin.genesisBlockHash)
  }

  @Test("An invoice_error is read as it is written")
  func invoiceError() throws {
    var error = InvoiceError(message: "too little")
    #expect(error.encoded == [5, 10] + Array("too little".utf8))
    error.erroneousField = 82
    error.suggestedValue = [0x07, 0xd0]
    error.unknown = [TLVRecord(type: 7, value: [9])]
    #expect(error.encoded == [1, 1, 82, 3, 2, 7, 0xd0, 5, 10] + Array("too little".utf8) + [7, 1, 9])
    #expect(try InvoiceError(decoding: error.encoded) == error)
    error.erroneousField = 0
    #expect(try InvoiceError(decoding: error.encoded) == error, "field 0 is invreq_metadata")
    error.erroneousField = nil
    #expect(try InvoiceError(decoding: error.encoded).suggestedValue == nil, "a suggestion for no field is not written")
  }

  @Test("An invoice_error that breaks a rule is refused")
  func brokenInvoiceErrors() {
    func refused(_ bytes: [UInt8], _ error: Bolt12Error) {
      #expect(throws: error) { try InvoiceError(decoding: bytes) }
    }
    refused([], .missingField(5))
    refused([1, 1, 82], .missingField(5))
    refused([3, 1, 82, 5, 0], .missingField(1))
    refused([1, 1, 0, 5, 0], .malformedField(1, .notMinimal))
    refused([1, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 5, 0], .malformedField(1, .tooLarge))
    refused([2, 0, 5, 0], .unknownEvenType(2))
    refused([5, 1, 0xff], .malformedField(5, .malformed("not UTF-8")))
    refused([5, 2, 0x41], .text(.truncated))
    refused([5, 0, 1, 0], .text(.tlvOutOfOrder(type: 1)))
  }

  @Test("The text of an invoice_error is shown without control characters, and not endlessly")
  func safeMessages() {
    #expect(InvoiceError(message: "a\u{1b}[31m\u{202e}b\n").safeMessage() == "a\u{fffd}[31m\u{fffd}b\u{fffd}")
    #expect(InvoiceError(message: "⚡ ok").safeMessage() == "⚡ ok")
    let long = InvoiceError(message: String(repeating: "x", count: 9000)).safeMessage(limit: 20)
    #expect(long == String(repeating: "x", count: 20) + "…")
  }
}
