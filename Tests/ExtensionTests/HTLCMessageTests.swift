import Bitcoin
import Encoding
import GLC
import HTLC
import Hashing
import Secp256k1
import Testing

@Suite struct HTLCMessageTests {
  let slot = Slot(HTLCExtension(), .init(format: .anchors))

  private func add(_ records: [UInt64: [UInt8]]) -> HTLCUpdate {
    var extra = TLVStream()
    for (type, value) in records { extra[type] = value }
    return .add(
      id: 3, amount: MilliSatoshi(1000), paymentHash: PaymentHash(sha256([1])), cltvExpiry: 500,
      onion: [UInt8](repeating: 9, count: 1366), extra: extra)
  }

  @Test func everyMessageComesBackAsItWasSentAndStored() throws {
    let pathKey = try SecretKey(sha256([5])).publicKey.array
    let attribution = (0..<920).map { UInt8(truncatingIfNeeded: $0) }
    var attributed = TLVStream()
    attributed[1] = attribution
    attributed[77] = [4]
    let updates = [
      // An endorsement (bLIP 4) and a record of tomorrow beside the key of a blinded route.
      add([0: pathKey, 106_823: [1], 1_000_001: [1, 2, 3]]), add([:]),
      .fulfill(id: 1, preimage: sha256([2]), extra: attributed),
      .fail(id: 1, reason: [UInt8](repeating: 3, count: 292), extra: attributed),
      .fail(id: 1, reason: [], extra: TLVStream()),
      .failMalformed(id: 1 << 40, onionHash: sha256([3]), code: 0xc004, extra: TLVStream()),
    ]
    for update in updates {
      let erased = AnyUpdate(update, of: HTLCExtension.self)
      let message = try #require(slot.encodeMessage(erased))
      #expect(try slot.decodeMessage(type: message.type, body: message.body.bytes).as(HTLCExtension.self) == update)
      let stored = erased.encoded
      #expect(try slot.decodeUpdate(stored.bytes).as(HTLCExtension.self) == update)
    }
  }

  @Test func bodiesAreThoseOfBOLT2() throws {
    let message = try #require(slot.encodeMessage(AnyUpdate(add([:]), of: HTLCExtension.self)))
    #expect(message.type == 128)
    let fields =
      [0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 3, 232] + sha256([1]).array + [0, 0, 1, 244]
      + [UInt8](repeating: 9, count: 1366)
    #expect(message.body == fields)
  }

  @Test func whatIsNoMessageClosesTheConnection() throws {
    let good = try #require(slot.encodeMessage(AnyUpdate(add([:]), of: HTLCExtension.self))).body
    let bad: [(UInt16, [UInt8])] = [
      (128, []), (128, Array(good.dropLast())), (128, good + [2, 0]), (128, good + [0, 1, 5]), (128, good + [1]),
      (128, good + [3, 0, 1, 0]), (130, [UInt8](repeating: 0, count: 39)), (131, [0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 1]),
      (134, [0, 0, 0, 1]), (9, good),
    ]
    for (type, body) in bad {
      do throws(ProtocolViolation) {
        _ = try slot.decodeMessage(type: type, body: body.bytes)
        Issue.record("\(type) was read")
      } catch {
        #expect(error.consequence == .warning)
      }
    }
  }

  @Test func aReasonThatFitsNoMessageIsNotProposed() throws {
    var ends = try UpdateRuleTests.ends()
    try ends.update(.add(0, 5_000_000), by: 0)
    try ends.commit()
    let long = UpdateContent.htlc(.fail(id: 0, reason: [UInt8](repeating: 0, count: 65_500), extra: TLVStream()))
    #expect(throws: ChannelError.self) { try ends.channels[1].propose(long) }
  }
}
