import Bitcoin
import Encoding
import Secp256k1
import Sphinx
import Testing

struct HopPayloadTests {
  private func fault(_ payload: HopPayload, _ role: HopPayload.Role, trampoline: Bool = false) -> InvalidPayload? {
    do throws(InvalidPayload) {
      try payload.validate(as: role, supportsTrampoline: trampoline)
      return nil
    } catch {
      return error
    }
  }

  private func fault(_ hex: String) throws -> InvalidPayload? {
    let stream = try bytes(hex)
    do throws(InvalidPayload) {
      _ = try HopPayload(decoding: stream)
      return nil
    } catch {
      return error
    }
  }

  @Test func theFieldsOfBOLT4sOnion() throws {
    let hops = try Figures.hops()
    let forward = try HopPayload(decoding: hops[0].payload)
    #expect(forward.amtToForward == MilliSatoshi(15_000))
    #expect(forward.outgoingCLTVValue == 1500)
    #expect(forward.shortChannelID == ShortChannelID(rawValue: 1))
    #expect(fault(forward, .forward) == nil)
    let second = try HopPayload(decoding: hops[1].payload)
    #expect(second.unknown.map(\.type) == [513])
    #expect(fault(second, .forward) == nil)
    let final = try HopPayload(decoding: hops[4].payload)
    #expect(final.paymentData?.totalMsat == MilliSatoshi(10_000))
    #expect(final.paymentData?.paymentSecret.hex == "24a33562c54507a9334e79f0dc4f17d407e6d7c61f0e2f3d0d38599502f61704")
    #expect(final.unknown.map(\.type) == [301])
    #expect(fault(final, .final) == nil)
    #expect(final.role(isFinal: true, hasPathKey: false) == .final)
    for hop in hops { #expect(try HopPayload(decoding: hop.payload).encoded == hop.payload) }
  }

  @Test func whatIsNoPayloadIsRefusedWithTypeAndOffset() throws {
    let cases: [(String, UInt64, Int, InvalidPayload.Reason)] = [
      ("02", 2, 0, .malformed(.truncated)),
      ("0201", 2, 0, .malformed(.truncated)),
      ("020100", 2, 0, .malformed(.notMinimal)),
      ("02020001", 2, 0, .malformed(.notMinimal)),
      ("0209010203040506070809", 2, 0, .malformed(.tooLarge)),
      ("020101" + "04050102030405", 4, 3, .malformed(.tooLarge)),
      ("020101" + "040100", 4, 3, .malformed(.notMinimal)),
      ("020101" + "0401020601", 6, 6, .malformed(.truncated)),
      ("020101" + "020102", 2, 3, .malformed(.tlvOutOfOrder(type: 2))),
      ("040101" + "020102", 2, 3, .malformed(.tlvOutOfOrder(type: 2))),
      ("020101" + "040102" + "060700000000000001", 6, 6, .malformed(.wrongLength(expected: 8, actual: 7))),
      ("081f" + String(repeating: "00", count: 31), 8, 0, .malformed(.truncated)),
      ("0821" + String(repeating: "11", count: 32) + "00", 8, 0, .malformed(.notMinimal)),
      ("0829" + String(repeating: "11", count: 41), 8, 0, .malformed(.tooLarge)),
      ("0c21" + String(repeating: "00", count: 33), 12, 0, .malformed(.malformed("not a point on secp256k1"))),
      ("120100", 18, 0, .malformed(.notMinimal)),
      ("1401" + "00", 20, 0, .malformed(.truncated)),
      ("1601" + "00", 22, 0, .malformed(.truncated)),
      ("fd00fd", 253, 0, .malformed(.truncated)),
      ("02fd00010a", 2, 0, .malformed(.notMinimal)),
      ("02ffffffffffffffffff", 2, 0, .malformed(.truncated)),
    ]
    for (hex, type, offset, reason) in cases {
      #expect(try fault(hex) == InvalidPayload(type: type, offset: offset, reason: reason), "\(hex)")
    }
    #expect(try fault("") == nil)
    #expect(try fault("01000200") == nil)
  }

  @Test func eachRoleAsksForItsRecords() throws {
    let key = try publicKey(Figures.nodeIDs[0])
    func missing(_ type: UInt64) -> InvalidPayload { InvalidPayload(type: type, offset: 0, reason: .missing) }

    var payload = HopPayload()
    for role in [HopPayload.Role.forward, .final, .trampolineForward, .trampolineFinal] {
      #expect(fault(payload, role) == missing(2), "\(role)")
    }
    for role in [HopPayload.Role.blindedForward, .blindedFinal, .introductionForward, .introductionFinal] {
      #expect(fault(payload, role) == missing(10), "\(role)")
    }
    payload.amtToForward = MilliSatoshi(0)
    #expect(fault(payload, .final) == missing(4))
    payload.outgoingCLTVValue = 0
    #expect(fault(payload, .final) == nil)
    #expect(fault(payload, .trampolineFinal) == nil)
    #expect(fault(payload, .forward) == missing(6))
    #expect(fault(payload, .trampolineForward) == missing(14))
    payload.shortChannelID = ShortChannelID(rawValue: 3)
    #expect(fault(payload, .forward) == nil)
    payload.currentPathKey = key
    // 02 00 04 00 06 08 … : 14 bytes before it.
    #expect(fault(payload, .forward) == InvalidPayload(type: 12, offset: 14, reason: .notAllowed))
    payload.encryptedRecipientData = [1]
    #expect(fault(payload, .final) == InvalidPayload(type: 10, offset: 14, reason: .notAllowed))
    #expect(payload.role(isFinal: false, hasPathKey: false) == .introductionForward)

    var blinded = HopPayload()
    blinded.encryptedRecipientData = [1]
    #expect(blinded.role(isFinal: false, hasPathKey: true) == .blindedForward)
    #expect(fault(blinded, .blindedForward) == nil)
    #expect(fault(blinded, .introductionForward) == missing(12))
    #expect(fault(blinded, .blindedFinal) == missing(2))
    blinded.currentPathKey = key
    #expect(fault(blinded, .introductionForward) == nil)
    #expect(fault(blinded, .blindedForward) == InvalidPayload(type: 12, offset: 3, reason: .notAllowed))
    blinded.unknown = [TLVRecord(type: 65_537, value: [])]
    #expect(fault(blinded, .introductionForward) == InvalidPayload(type: 65_537, offset: 38, reason: .notAllowed))
    blinded.unknown = []
    blinded.amtToForward = MilliSatoshi(1)
    #expect(fault(blinded, .introductionForward) == InvalidPayload(type: 2, offset: 0, reason: .notAllowed))
    blinded.outgoingCLTVValue = 1
    #expect(fault(blinded, .introductionFinal) == missing(18))
    blinded.totalAmountMsat = MilliSatoshi(1)
    #expect(fault(blinded, .introductionFinal) == nil)
    #expect(fault(blinded, .blindedFinal) == InvalidPayload(type: 12, offset: 9, reason: .notAllowed))
    blinded.currentPathKey = nil
    #expect(fault(blinded, .blindedFinal) == nil)
    blinded.paymentMetadata = []
    #expect(fault(blinded, .blindedFinal) == InvalidPayload(type: 16, offset: 9, reason: .notAllowed))
  }

  @Test func evenTypesThatNobodyKnowsAreRefusedAndOddOnesKept() throws {
    var payload = HopPayload()
    payload.amtToForward = MilliSatoshi(1)
    payload.outgoingCLTVValue = 2
    payload.unknown = [TLVRecord(type: 7, value: [1]), TLVRecord(type: 100, value: [])]
    let read = try HopPayload(decoding: payload.encoded)
    #expect(read == payload)
    #expect(fault(read, .final) == InvalidPayload(type: 100, offset: 9, reason: .unknownEven))
    try read.validate(as: .final, knownTypes: [100])
    payload.unknown = []
    payload.keysendPreimage = Bytes32()
    #expect(try HopPayload(decoding: payload.encoded) == payload)
    #expect(fault(payload, .final) == nil)
    payload.outgoingNodeID = try publicKey(Figures.nodeIDs[0])
    #expect(fault(payload, .final) == InvalidPayload(type: 14, offset: 6, reason: .unknownEven))
    #expect(fault(payload, .forward, trampoline: true) == nil)
    #expect(fault(payload, .trampolineForward) == nil)
    #expect(InvalidPayload(type: 14, offset: 6, reason: .unknownEven).failure.encoded == [0x40, 0x16, 14, 0, 6])
  }

  @Test func cutAndChangedPayloadsNeverTrap() throws {
    var payload = HopPayload()
    payload.amtToForward = MilliSatoshi(.max)
    payload.outgoingCLTVValue = .max
    payload.shortChannelID = ShortChannelID(rawValue: .max)
    payload.paymentData = .init(paymentSecret: Bytes32(), totalMsat: MilliSatoshi(.max))
    payload.encryptedRecipientData = [1, 2]
    payload.currentPathKey = try publicKey(Figures.nodeIDs[0])
    payload.outgoingNodeID = try publicKey(Figures.nodeIDs[1])
    payload.paymentMetadata = [3]
    payload.totalAmountMsat = MilliSatoshi(.max)
    payload.trampolineOnionPacket = try OnionPacket([UInt8](repeating: 0, count: 66))
    payload.recipientFeatures = [1]
    payload.recipientBlindedPaths = [
      .init(
        path: BlindedPath(
          firstNodeID: .channelEnd(shortChannelID: ShortChannelID(rawValue: 1), isNode2: true),
          firstPathKey: try publicKey(Figures.nodeIDs[0]),
          hops: [BlindedHop(blindedNodeID: try publicKey(Figures.nodeIDs[2]), encryptedRecipientData: [9])]),
        paymentInfo: BlindedPayInfo(
          feeBaseMsat: 1, feeProportionalMillionths: 2, cltvExpiryDelta: 3, htlcMinimumMsat: MilliSatoshi(4),
          htlcMaximumMsat: MilliSatoshi(5), features: [6]))
    ]
    payload.keysendPreimage = Bytes32()
    payload.unknown = [TLVRecord(type: 9, value: [1]), TLVRecord(type: .max, value: [])]
    let encoded = payload.encoded
    #expect(try HopPayload(decoding: encoded) == payload)
    var refused = 0
    for count in 0..<encoded.count {
      if (try? HopPayload(decoding: Array(encoded.prefix(count)))) == nil { refused += 1 }
    }
    for bit in 0..<(encoded.count * 8) {
      var changed = encoded
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      guard let read = try? HopPayload(decoding: changed) else {
        refused += 1
        continue
      }
      #expect(read.encoded == changed, "bit \(bit): what is accepted has one encoding only")
      for role in HopPayload.Role.allCases { _ = fault(read, role) }
    }
    #expect(refused > encoded.count - 20)
  }
}
