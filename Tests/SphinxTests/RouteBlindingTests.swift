import Bitcoin
import Encoding
import Hashing
import JSON
import Secp256k1
import Sphinx
import Testing
import VectorSupport

struct RouteBlindingTests {
  @Test(.vectors("bolts/bolt04/route-blinding-test.json"))
  func routeOfBOLT4() throws {
    let file = try Vectors.json("bolts/bolt04/route-blinding-test.json")
    let generate = try file.required("generate").hops()
    let route = try file.required("route")
    let routeHops = try route.hops()
    let unblind = try file.required("unblind").hops()
    #expect(generate.count == 4 && routeHops.count == 4 && unblind.count == 4)

    for hop in generate {
      let data = try RecipientData(decoding: hop.hex("encoded_tlvs"))
      #expect(data.encoded == (try hop.hex("encoded_tlvs")))
      try compare(data, with: try hop.required("tlvs"))
    }
    // A hop that names a session key starts a path of its own; the paths are joined.
    var start = 0
    while start < generate.count {
      let end = generate.indices.first { $0 > start && generate[$0]["session_key"] != nil } ?? generate.count
      let part = generate[start..<end]
      let created = try BlindedPath.create(
        sessionKey: try secretKey(part[start].required("session_key").string),
        hops: part.map { (nodeID: try $0.key("node_id"), data: try $0.hex("encoded_tlvs")) })
      for (offset, hop) in part.enumerated() {
        let made = created.path.hops[offset]
        #expect(created.secrets[offset].pathKey == (try hop.key("path_key")))
        #expect(created.secrets[offset].sharedSecret == (try secret(hop.required("shared_secret").string)))
        #expect(made.encryptedRecipientData == (try hop.hex("encrypted_data")))
        #expect(made.blindedNodeID == (try hop.key("blinded_node_id")))
        #expect(made.blindedNodeID == (try routeHops[start + offset].key("blinded_node_id")))
        #expect(made.encryptedRecipientData == (try routeHops[start + offset].hex("encrypted_data")))
      }
      if start == 0 {
        #expect(created.path.firstNodeID == .nodeID(try route.key("first_node_id")))
        #expect(created.path.firstPathKey == (try route.key("first_path_key")))
      }
      start = end
    }

    for (hop, routeHop) in zip(unblind, routeHops) {
      let seen = try Self.unblind(routeHop.hex("encrypted_data"), hop)
      #expect(seen.blindedKey == (try hop.hex("blinded_privkey")))
      #expect(seen.data.encoded == (try hop.hex("decrypted_data")))
      #expect(seen.derivedPathKey == (try hop.key("next_path_key")))
      let override = try hop["next_path_key_override"].map { try publicKey($0.string) }
      #expect(seen.nextPathKey == override ?? seen.derivedPathKey)
    }
    Vectors.report("bolts/bolt04/route-blinding-test.json", cases: 1)
  }

  private static func unblind(
    _ encrypted: [UInt8], _ hop: JSONValue
  ) throws -> (blindedKey: [UInt8], data: RecipientData, nextPathKey: PublicKey, derivedPathKey: PublicKey) {
    let key = try secretKey(hop.required("node_privkey").string)
    let secret = BlindingSecret(pathKey: try hop.key("path_key"), nodeKey: key)
    let blindedKey = try secret.blindedKey(of: key)
    let unblinded = try secret.unblind(encrypted)
    return (blindedKey.bytes.array, unblinded.data, unblinded.nextPathKey, try secret.nextPathKey())
  }

  private func compare(_ data: RecipientData, with tlvs: JSONValue) throws {
    func number(_ value: JSONValue, _ name: String) -> UInt64 { value[name]?.unsignedValue ?? 0 }
    #expect(data.padding == (try tlvs["padding"].map { try bytes($0.string) }))
    #expect(data.pathID == (try tlvs["path_id"].map { try bytes($0.string) }))
    #expect(
      data.nextPathKeyOverride == (try tlvs["next_path_key_override"].map { try publicKey($0.string) }))
    let channel = try tlvs["short_channel_id"].map { try ShortChannelID(text: $0.string) }
    #expect(data.shortChannelID == channel)
    #expect(
      data.paymentRelay.map { UInt64($0.cltvExpiryDelta) }
        == (tlvs["payment_relay"].map { number($0, "cltv_expiry_delta") }))
    #expect(
      data.paymentRelay.map { UInt64($0.feeProportionalMillionths) }
        == (tlvs["payment_relay"].map { number($0, "fee_proportional_millionths") }))
    #expect(
      data.paymentRelay.map { UInt64($0.feeBaseMsat) }
        == (tlvs["payment_relay"].map { number($0, "fee_base_msat") }))
    #expect(
      data.paymentConstraints.map { UInt64($0.maxCLTVExpiry) }
        == (tlvs["payment_constraints"].map { number($0, "max_cltv_expiry") }))
    #expect(
      data.paymentConstraints.map(\.htlcMinimumMsat.rawValue)
        == (tlvs["payment_constraints"].map { number($0, "htlc_minimum_msat") }))
    let features = try tlvs["allowed_features"]?.required("features").array.compactMap { $0.unsignedValue }
    #expect((data.allowedFeatures != nil) == (features != nil))
    for (name, value) in tlvs.objectValue?.members ?? [] where name.hasPrefix("unknown_tag_") {
      let type = UInt64(name.dropFirst(12))
      #expect(data.unknown.contains(TLVRecord(type: try #require(type), value: try bytes(value.string))))
    }
  }

  /// The path of BOLT 4's `route-blinding-test.json` from Dave to Eve, in short.
  @Test func theRouteOfBOLT4InShort() throws {
    let created = try BlindedPath.create(
      sessionKey: try SecretKey(Bytes32([UInt8](repeating: 1, count: 32))),
      hops: [
        (
          nodeID: try publicKey(Figures.nodeIDs[3]),
          data: try bytes("0123") + [UInt8](repeating: 0, count: 35)
            + (try bytes("020800000000000002310a060090000000fa0c06000b699105dc0e00"))
        ),
        (
          nodeID: try publicKey(Figures.nodeIDs[4]),
          data: try bytes("011a") + [UInt8](repeating: 0, count: 26)
            + (try bytes("0604deadbeef0c06000b690105dc0e0f020000000000000000000000000000fdffff0206c1"))
        ),
      ])
    #expect(
      created.path.hops.map(\.blindedNodeID.hex) == [
        "036861b366f284f0a11738ffbf7eda46241a8977592878fe3175ae1d1e4754eccf",
        "021982a48086cb8984427d3727fe35a03d396b234f0701f5249daa12e8105c8dae",
      ])
    #expect(
      created.secrets.map(\.pathKey.hex) == [
        "031b84c5567b126440995d3ed5aaba0565d71e1834604819ff9c17f5e9d5dd078f",
        "03e09038ee76e50f444b19abf0a555e8697e035f62937168b80adf0931b31ce52a",
      ])
    #expect(
      sha256(created.path.hops[0].encryptedRecipientData + created.path.hops[1].encryptedRecipientData).hex
        == "a3825bdf4c7efbf2d995e830872e9a3dd76cdd5ec478cfac27e06d35ab3d8710")
    let eve = try nodeKey(4)
    let unblinded = try BlindingSecret(pathKey: created.secrets[1].pathKey, nodeKey: eve)
      .unblind(created.path.hops[1].encryptedRecipientData)
    #expect(unblinded.data.pathID == [0xde, 0xad, 0xbe, 0xef])
    #expect(unblinded.data.paymentConstraints?.maxCLTVExpiry == 747_777)
    #expect(
      unblinded.nextPathKey.hex == "038fc6859a402b96ce4998c537c823d6ab94d1598fca02c788ba5dd79fbae83589")
  }

  @Test func dataForSomebodyElseOrChangedIsRefused() throws {
    var data = RecipientData()
    data.pathID = [1, 2, 3]
    let key = try nodeKey(0)
    let created = try BlindedPath.create(
      sessionKey: .random(), hops: [(nodeID: key.publicKey, data: data)])
    let encrypted = created.path.hops[0].encryptedRecipientData
    let secret = BlindingSecret(pathKey: created.path.firstPathKey, nodeKey: key)
    #expect(try secret.unblind(encrypted).data == data)
    let stranger = BlindingSecret(pathKey: created.path.firstPathKey, nodeKey: try nodeKey(1))
    #expect(throws: UnblindingError.undecryptable) { try stranger.unblind(encrypted) }
    for bit in 0..<(encrypted.count * 8) {
      var changed = encrypted
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(throws: UnblindingError.undecryptable) { try secret.unblind(changed) }
    }
    for count in 0..<encrypted.count {
      #expect(throws: UnblindingError.undecryptable) { try secret.unblind(Array(encrypted.prefix(count))) }
    }
  }

  @Test func whatIsNoRecipientDataIsRefusedWithTheRecordAtFault() throws {
    let cases: [(String, UInt64, UInt16, InvalidPayload.Reason)] = [
      ("0201", 2, 0, .malformed(.truncated)),
      ("0100020700000000000006", 2, 2, .malformed(.wrongLength(expected: 8, actual: 7))),
      ("0100" + "0221" + String(repeating: "00", count: 33), 2, 2, .malformed(.wrongLength(expected: 8, actual: 33))),
      ("0421" + "04" + String(repeating: "11", count: 32), 4, 0, .malformed(.malformed("not a point on secp256k1"))),
      ("0420" + String(repeating: "02", count: 32), 4, 0, .malformed(.wrongLength(expected: 33, actual: 32))),
      ("06000600", 6, 2, .malformed(.tlvOutOfOrder(type: 6))),
      ("06000100", 1, 2, .malformed(.tlvOutOfOrder(type: 1))),
      ("0a05002400000a", 10, 0, .malformed(.truncated)),
      ("0a070024000000fa00", 10, 0, .malformed(.notMinimal)),
      ("0a0b0024000000fa0102030405", 10, 0, .malformed(.tooLarge)),
      ("0c03000b69", 12, 0, .malformed(.truncated)),
      ("0c0d000b6991010203040506070809", 12, 0, .malformed(.tooLarge)),
      ("1000", 16, 0, .unknownEven),
      ("0600fd023200", 562, 2, .unknownEven),
      ("fd00fb00", 0, 0, .malformed(.notMinimal)),
      ("01", 1, 0, .malformed(.truncated)),
      ("fd", 0, 0, .malformed(.truncated)),
      ("01ffffffffffffffffff", 1, 0, .malformed(.truncated)),
    ]
    for (hex, type, offset, reason) in cases {
      #expect(throws: InvalidPayload(type: type, offset: Int(offset), reason: reason), "\(hex)") {
        try RecipientData(decoding: try bytes(hex))
      }
    }
    #expect(try RecipientData(decoding: []) == RecipientData())
    #expect(
      try RecipientData(decoding: bytes("fd023103123456")).unknown == [TLVRecord(type: 561, value: [0x12, 0x34, 0x56])])
  }

  @Test func eachRoleHasItsRules() throws {
    var data = RecipientData()
    func fault(_ role: RecipientData.Role, features: Set<Int> = []) -> InvalidPayload? {
      do throws(InvalidPayload) {
        try data.validate(as: role, knownFeatures: features)
        return nil
      } catch {
        return error
      }
    }
    #expect(fault(.paymentForward) == InvalidPayload(type: 2, offset: 0, reason: .missing))
    #expect(fault(.messageForward) == InvalidPayload(type: 4, offset: 0, reason: .missing))
    #expect(fault(.paymentFinal) == nil)
    #expect(fault(.messageFinal) == nil)
    data.shortChannelID = ShortChannelID(rawValue: 1)
    #expect(fault(.paymentForward) == InvalidPayload(type: 10, offset: 0, reason: .missing))
    #expect(fault(.messageForward) == nil)
    data.paymentRelay = .init(cltvExpiryDelta: 1, feeProportionalMillionths: 2, feeBaseMsat: 3)
    #expect(fault(.paymentForward) == nil)
    data.nextNodeID = try publicKey(Figures.nodeIDs[0])
    #expect(fault(.paymentForward) == InvalidPayload(type: 4, offset: 10, reason: .notAllowed))
    #expect(fault(.paymentFinal) == InvalidPayload(type: 4, offset: 10, reason: .notAllowed))
    #expect(fault(.messageForward) == nil)
    data.pathID = []
    #expect(fault(.messageForward) == InvalidPayload(type: 6, offset: 45, reason: .notAllowed))
    #expect(fault(.messageFinal) == nil)
    data = RecipientData()
    data.allowedFeatures = []
    #expect(fault(.paymentFinal) == nil)
    data.allowedFeatures = [2, 0]
    #expect(fault(.paymentFinal) == InvalidPayload(type: 14, offset: 0, reason: .notAllowed))
    #expect(fault(.paymentFinal, features: [9]) == nil)
    #expect(fault(.messageFinal, features: [8]) != nil)
    data.paymentConstraints = .init(maxCLTVExpiry: 10, htlcMinimumMsat: MilliSatoshi(5))
    #expect(data.allows(amount: MilliSatoshi(5), cltvExpiry: 10))
    #expect(!data.allows(amount: MilliSatoshi(4), cltvExpiry: 10))
    #expect(!data.allows(amount: MilliSatoshi(5), cltvExpiry: 11))
  }

  @Test func relayedAmountsAreThoseOfBOLT4() {
    let relay = RecipientData.PaymentRelay(
      cltvExpiryDelta: 36, feeProportionalMillionths: 1000, feeBaseMsat: 500)
    // The trampoline vectors: 150,150,500 msat come in, 150,000,000 go out.
    #expect(relay.amountToForward(of: MilliSatoshi(150_150_500)) == MilliSatoshi(150_000_000))
    #expect(relay.outgoingCLTVValue(of: 800_036) == 800_000)
    #expect(relay.amountToForward(of: MilliSatoshi(500)) == MilliSatoshi(0))
    #expect(relay.amountToForward(of: MilliSatoshi(499)) == nil)
    #expect(relay.outgoingCLTVValue(of: 35) == nil)
    #expect(relay.amountToForward(of: MilliSatoshi(.max)) != nil)
    let free = RecipientData.PaymentRelay(cltvExpiryDelta: 0, feeProportionalMillionths: 0, feeBaseMsat: 0)
    #expect(free.amountToForward(of: MilliSatoshi(.max)) == MilliSatoshi(.max))
    #expect(free.amountToForward(of: MilliSatoshi(7)) == MilliSatoshi(7))
    let greedy = RecipientData.PaymentRelay(
      cltvExpiryDelta: .max, feeProportionalMillionths: .max, feeBaseMsat: .max)
    #expect(greedy.amountToForward(of: MilliSatoshi(.max)) != nil)
    #expect(greedy.amountToForward(of: MilliSatoshi(0)) == nil)

    let total = BlindedPayInfo.total(of: [relay, relay], minFinalCLTVExpiryDelta: 18)
    #expect(total?.feeBaseMsat == 1001)
    #expect(total?.feeProportionalMillionths == 2001)
    #expect(total?.cltvExpiryDelta == 90)
    // Whoever pays the totals covers each node's own fee.
    let paid = MilliSatoshi(1_000_000_000 + 1001 + 2_001_000)
    #expect(relay.amountToForward(of: paid).flatMap { relay.amountToForward(of: $0) }! >= MilliSatoshi(1_000_000_000))
    let none = BlindedPayInfo.total(of: [], minFinalCLTVExpiryDelta: 18)
    #expect(none?.feeBaseMsat == 0 && none?.cltvExpiryDelta == 18)
    #expect(BlindedPayInfo.total(of: [greedy, greedy, greedy], minFinalCLTVExpiryDelta: .max) == nil)
  }

  @Test func paddingMakesAllDataEquallyLong() {
    for sizes in [[0, 0], [0, 1], [3, 5], [0, 253, 254], [10, 265, 266, 267, 268], [0, 1000, 70_000]] {
      var all = sizes.map { size -> RecipientData in
        var data = RecipientData()
        data.pathID = [UInt8](repeating: 1, count: size)
        return data
      }
      RecipientData.pad(&all)
      if sizes.max()! < 65_000 { #expect(Set(all.map(\.encoded.count)).count == 1, "\(sizes)") }
      #expect(all.map { $0.pathID?.count } == sizes.map { $0 })
    }
    var none: [RecipientData] = []
    RecipientData.pad(&none)
    #expect(none.isEmpty)
  }

  @Test func pathsSurviveARoundTripAndBadOnesAreRefused() throws {
    let key = try publicKey(Figures.nodeIDs[0])
    let hops = [
      BlindedHop(blindedNodeID: key, encryptedRecipientData: [1, 2]),
      BlindedHop(blindedNodeID: key, encryptedRecipientData: []),
    ]
    for first in [
      BlindedPath.FirstNode.nodeID(key), .channelEnd(shortChannelID: ShortChannelID(rawValue: 7), isNode2: false),
      .channelEnd(shortChannelID: ShortChannelID(rawValue: .max), isNode2: true),
    ] {
      let path = BlindedPath(firstNodeID: first, firstPathKey: key, hops: hops)
      let encoded = try #require(path.encoded)
      #expect(try BlindedPath(decoding: encoded) == path)
      for count in 0..<encoded.count {
        #expect(throws: DecodingError.self) { try BlindedPath(decoding: Array(encoded.prefix(count))) }
      }
      #expect(throws: DecodingError.trailingBytes(1)) { try BlindedPath(decoding: encoded + [0]) }
    }
    var path = BlindedPath(firstNodeID: .nodeID(key), firstPathKey: key, hops: [])
    #expect(path.encoded == nil)
    #expect(throws: DecodingError.malformed("a blinded path without hops")) {
      try BlindedPath(decoding: key.array + key.array + [0])
    }
    path.hops = [BlindedHop](repeating: hops[1], count: 256)
    #expect(path.encoded == nil)
    path.hops = [BlindedHop](repeating: hops[1], count: 255)
    #expect(try BlindedPath(decoding: #require(path.encoded)) == path)
    #expect(throws: BlindedPath.CreationError.invalidHopCount(0)) {
      try BlindedPath.create(sessionKey: .random(), hops: [(nodeID: PublicKey, data: [UInt8])]())
    }
  }
}
