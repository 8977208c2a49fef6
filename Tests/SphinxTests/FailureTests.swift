import Bitcoin
import Encoding
import Foundation
import Hashing
import JSON
import Secp256k1
import Sphinx
import Testing
import VectorSupport

struct FailureTests {
  @Test(.vectors("bolts/bolt04/onion-error-test.json"))
  func failureOfBOLT4() throws {
    let file = try Vectors.json("bolts/bolt04/onion-error-test.json")
    let generate = try file.required("generate")
    let message = try generate.hex("failure_message")
    let hops = try generate.hops()
    let secrets = try hops.map { try secret($0.required("hop_shared_secret").string) }
    var packet = try #require(FailurePacket(message: message, sharedSecret: secrets[4]))
    for index in (0..<4).reversed() { packet.wrap(sharedSecret: secrets[index]) }
    #expect(Hex.encode(packet.reason) == (try file.required("errorpacket").string))
    let received = packet.unwrap(sharedSecrets: secrets)
    #expect(received.origin == 4)
    #expect(received.message == message)
    #expect(try FailureMessage(decoding: message).code == .temporaryNodeFailure)
    // The innermost packet, without its HMAC, is printed too.
    #expect(Array(received.remainder.dropFirst(32)) == (try hops[4].hex("payload")))
    Vectors.report("bolts/bolt04/onion-error-test.json", cases: 1)
  }

  @Test func theFailureOfBOLT4InShort() throws {
    let secrets = try Figures.sharedSecrets.map { try secret($0) }
    var packet = try #require(FailurePacket(message: [0x20, 0x02], sharedSecret: secrets[4]))
    for index in (0..<4).reversed() { packet.wrap(sharedSecret: secrets[index]) }
    #expect(packet.reason.count == 292)
    #expect(
      sha256(packet.reason).hex == "3ba4a39c222872dbe9d2a583aedb40d6baf29fc46c4379152997939d5144115c")
    #expect(packet.unwrap(sharedSecrets: secrets).origin == 4)
  }

  @Test func theSenderFindsWhicheverHopFailed() throws {
    for count in [1, 2, 20, 27, 30] {
      let secrets = (0..<count).map { SharedSecret(sha256([UInt8($0)])) }
      for origin in 0..<count {
        let message = FailureMessage(.expiryTooFar).encoded
        var packet = try #require(FailurePacket(message: message, sharedSecret: secrets[origin], holdTime: 7))
        for index in (0..<origin).reversed() { packet.wrap(sharedSecret: secrets[index], holdTime: UInt32(index)) }
        let received = packet.unwrap(sharedSecrets: secrets)
        #expect(received.origin == origin, "\(origin) of \(count)")
        #expect(received.message == message)
        #expect(received.blamedHop == nil)
        // Attribution data reaches 20 hops back from where it is read.
        #expect(
          Array(received.holdTimes.prefix(origin + 1))
            == (0...origin).prefix(20).map { $0 == origin ? 7 : UInt32($0) }, "\(origin) of \(count)")
      }
    }
  }

  @Test func failuresThatNobodyMadeHaveNoOrigin() throws {
    let secrets = (0..<3).map { SharedSecret(sha256([UInt8($0)])) }
    for count in [0, 1, 31, 32, 33, 35, 36, 292, 65_535] {
      let received = FailurePacket(reason: [UInt8](repeating: 9, count: count)).unwrap(sharedSecrets: secrets)
      #expect(received.origin == nil, "\(count) bytes")
      #expect(received.message == nil)
      #expect(received.remainder.count == count)
    }
    let whole = try #require(FailurePacket(message: [0, 1], sharedSecret: secrets[1]))
    #expect(whole.unwrap(sharedSecrets: []).origin == nil)
    #expect(whole.unwrap(sharedSecrets: []).remainder == whole.reason)
    for byte in stride(from: 0, to: whole.reason.count, by: 7) {
      var reason = whole.reason
      reason[byte] ^= 0x10
      #expect(FailurePacket(reason: reason).unwrap(sharedSecrets: [secrets[1]]).origin == nil, "byte \(byte)")
    }
  }

  @Test func paddingIsAtLeast256AndAtMostWhatFits() throws {
    let secret = SharedSecret(Bytes32())
    func count(_ message: Int, _ padded: Int) -> Int? {
      FailurePacket(
        message: [UInt8](repeating: 1, count: message), sharedSecret: secret, paddedByteCount: padded)?.reason.count
    }
    #expect(count(0, 256) == 292)
    #expect(count(2, 0) == 292)
    #expect(count(2, -5) == 292)
    #expect(count(256, 256) == 292)
    #expect(count(257, 256) == 293)
    #expect(count(2, 1024) == 1060)
    #expect(count(2, .max) == 65_535)
    #expect(count(65_499, 256) == 65_535)
    #expect(count(65_500, 256) == nil)
    let received = try #require(
      FailurePacket(message: [UInt8](repeating: 1, count: 65_499), sharedSecret: secret)
    ).unwrap(sharedSecrets: [secret])
    #expect(received.message?.count == 65_499)
  }

  @Test func aPacketOfNonsenseUnderARightHMACHasAnOriginButNoMessage() throws {
    let secret = SharedSecret(Bytes32())
    for content in [[], [0], [0xff, 0xff, 1], [0, 1, 9, 0, 5]] as [[UInt8]] {
      let um = HMACSHA256(key: [UInt8]("um".utf8)).authenticate(secret.bytes)
      let ammag = HMACSHA256(key: [UInt8]("ammag".utf8)).authenticate(secret.bytes)
      var reason = HMACSHA256(key: um.bytes).authenticate(content.bytes).array + content
      ChaCha20.apply(key: ammag, streamOffset: 0, to: &reason, in: 0..<reason.count)
      let received = FailurePacket(reason: reason).unwrap(sharedSecrets: [secret])
      #expect(received.origin == 0)
      #expect(received.message == nil)
    }
  }

  @Test func everyFailureMessageSurvivesARoundTrip() throws {
    let hash = sha256([1])
    let failures: [(FailureMessage.Failure, UInt16, String)] = [
      (.temporaryNodeFailure, 0x2002, "2002"),
      (.permanentNodeFailure, 0x6002, "6002"),
      (.requiredNodeFeatureMissing, 0x6003, "6003"),
      (.invalidOnionVersion(sha256OfOnion: hash), 0xc004, "c004\(hash.hex)"),
      (.invalidOnionHMAC(sha256OfOnion: hash), 0xc005, "c005\(hash.hex)"),
      (.invalidOnionKey(sha256OfOnion: hash), 0xc006, "c006\(hash.hex)"),
      (.temporaryChannelFailure(channelUpdate: [7, 8]), 0x1007, "100700020708"),
      (.permanentChannelFailure, 0x4008, "4008"),
      (.requiredChannelFeatureMissing, 0x4009, "4009"),
      (.unknownNextPeer, 0x400a, "400a"),
      (.amountBelowMinimum(htlcMsat: MilliSatoshi(258), channelUpdate: []), 0x100b, "100b00000000000001020000"),
      (.feeInsufficient(htlcMsat: MilliSatoshi(1), channelUpdate: [9]), 0x100c, "100c0000000000000001000109"),
      (.incorrectCLTVExpiry(cltvExpiry: 5, channelUpdate: []), 0x100d, "100d000000050000"),
      (.expiryTooSoon(channelUpdate: []), 0x100e, "100e0000"),
      (
        .incorrectOrUnknownPaymentDetails(htlcMsat: MilliSatoshi(100), height: 800_000), 0x400f,
        "400f0000000000000064000c3500"
      ),
      (.finalIncorrectCLTVExpiry(cltvExpiry: 3), 18, "001200000003"),
      (.finalIncorrectHTLCAmount(incomingHTLCAmount: MilliSatoshi(4)), 19, "00130000000000000004"),
      (.channelDisabled(disabledFlags: 0, channelUpdate: []), 0x1014, "101400000000"),
      (.expiryTooFar, 21, "0015"),
      (.invalidOnionPayload(type: 65_536, offset: 3), 0x4016, "4016fe000100000003"),
      (.mppTimeout, 23, "0017"),
      (.invalidOnionBlinding(sha256OfOnion: hash), 0xc018, "c018\(hash.hex)"),
      (.temporaryTrampolineFailure, 0x2019, "2019"),
      (
        .trampolineFeeOrExpiryInsufficient(feeBaseMsat: 1, feeProportionalMillionths: 2, cltvExpiryDelta: 3), 0x201a,
        "201a00000001000000020003"
      ),
      (.unknownNextTrampoline, 0x401b, "401b"),
      (.unrecognized(FailureCode(rawValue: 0x4010), data: [1, 2]), 0x4010, "40100102"),
    ]
    for (failure, code, hex) in failures {
      let message = FailureMessage(failure)
      #expect(message.code.rawValue == code, "\(failure)")
      #expect(Hex.encode(message.encoded) == hex, "\(failure)")
      #expect(try FailureMessage(decoding: message.encoded) == message, "\(failure)")
      if case .unrecognized = failure { continue }
      // Bytes behind the fields are kept.
      let longer = FailureMessage(failure, extra: [0xfd, 0x84, 0xd1, 1, 0x80])
      #expect(try FailureMessage(decoding: longer.encoded) == longer, "\(failure)")
      // Fields that are cut off are no fields.
      for count in 2..<message.encoded.count {
        let cut = Array(message.encoded.prefix(count))
        let read = try FailureMessage(decoding: cut)
        #expect(read.failure == .unrecognized(message.code, data: Array(cut.dropFirst(2))), "\(failure)")
        #expect(read.encoded == cut)
      }
    }
    #expect(throws: DecodingError.truncated) { try FailureMessage(decoding: [0x20]) }
    #expect(FailureCode.mppTimeout.name == "mpp_timeout")
    #expect(FailureCode(rawValue: 0x4010).name == nil)
    #expect(FailureCode.invalidOnionHMAC.isBadOnion && FailureCode.invalidOnionHMAC.isPermanent)
    #expect(FailureCode.temporaryNodeFailure.isNodeFailure && FailureCode.feeInsufficient.isUpdate)
  }
}
