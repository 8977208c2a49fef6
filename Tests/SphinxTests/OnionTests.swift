import Encoding
import Hashing
import JSON
import Secp256k1
import Sphinx
import Testing
import VectorSupport

struct OnionTests {
  @Test(.vectors("bolts/bolt04/onion-test.json"))
  func onionOfBOLT4() throws {
    let file = try Vectors.json("bolts/bolt04/onion-test.json")
    let generate = try file.required("generate")
    let hops = try generate.hops().map { hop in
      OnionHop(publicKey: try hop.key("pubkey"), payload: try withoutLength(hop.hex("payload")))
    }
    let associatedData = try generate.hex("associated_data")
    let created = try Onion.create(
      sessionKey: try secretKey(generate.required("session_key").string), hops: hops, associatedData: associatedData)
    #expect(created.packet.description == (try file.required("onion").string))
    let keys = try file.required("decode").array
    #expect(keys.count == hops.count)
    try peel(
      created, hops, associatedData, keys: try keys.map { try bytes($0.string) })
    Vectors.report("bolts/bolt04/onion-test.json", cases: 1)
  }

  /// Takes all layers off and compares what each hop gets.
  private func peel(_ created: CreatedOnion, _ hops: [OnionHop], _ associatedData: [UInt8], keys: [[UInt8]]) throws {
    var packet = created.packet
    for (index, key) in keys.enumerated() {
      let peeled = try Onion.peel(
        packet, associatedData: associatedData, nodeKey: try SecretKey(Bytes32(key)))
      #expect(peeled.payload == hops[index].payload, "hop \(index)")
      #expect(peeled.sharedSecret == created.sharedSecrets[index], "hop \(index)")
      #expect(peeled.isFinal == (index == keys.count - 1), "hop \(index)")
      guard let next = peeled.next else { break }
      #expect(next.bytes.count == packet.bytes.count)
      packet = next
    }
  }

  /// The figures of BOLT 4's `onion-test.json` in short: the SHA-256 of the onion instead of its 1,366 bytes.
  @Test func theFiveHopOnionOfBOLT4InShort() throws {
    let hops = try Figures.hops()
    let associatedData = [UInt8](repeating: 0x42, count: 32)
    let created = try Onion.create(
      sessionKey: try nodeKey(0), hops: hops, associatedData: associatedData)
    #expect(sha256(created.packet.bytes).hex == Figures.onionHash)
    #expect(created.sharedSecrets.map(\.hex) == Figures.sharedSecrets)
    try peel(created, hops, associatedData, keys: (0..<5).map { [UInt8](repeating: 0x41 + UInt8($0), count: 32) })
  }

  @Test(arguments: [1, 2, 3, 7, 20, 27], [0, 40, 1234])
  func onionsOfAnyNumberOfHopsAndAnySizeComeApart(count: Int, spare: Int) throws {
    let hops = try (0..<count).map { index in
      OnionHop(
        publicKey: try nodeKey(index).publicKey,
        payload: [UInt8](repeating: UInt8(index), count: index % 4 == 3 ? 300 : 2 + index))
    }
    let size = hops.map(\.byteCount).reduce(0, +) + spare
    let created = try Onion.create(sessionKey: .random(), hops: hops, payloadsByteCount: size)
    #expect(created.packet.bytes.count == size + 66)
    try peel(
      created, hops, [], keys: (0..<count).map { [UInt8](repeating: 0x41 + UInt8($0), count: 32) })
  }

  @Test func whatCannotBeMadeIsRefused() throws {
    let hop = OnionHop(publicKey: try nodeKey(0).publicKey, payload: [1, 0])
    func refusal(_ hops: [OnionHop], _ size: Int) throws -> OnionCreationError? {
      do throws(OnionCreationError) {
        _ = try Onion.create(sessionKey: .random(), hops: hops, payloadsByteCount: size)
        return nil
      } catch {
        return error
      }
    }
    #expect(try refusal([], 1300) == .noHops)
    #expect(try refusal([hop, OnionHop(publicKey: hop.publicKey, payload: [1])], 1300) == .payloadTooShort(hop: 1))
    #expect(try refusal([hop], 35) == nil)
    #expect(try refusal([hop], 34) == .payloadsTooLong(needed: 35, available: 34))
    #expect(try refusal([hop, hop], 69) == .payloadsTooLong(needed: 70, available: 69))
    #expect(try refusal([hop], 0) == .payloadsTooLong(needed: 35, available: 0))
    #expect(try refusal([hop], -1) == .invalidSize(-1))
    #expect(try refusal([hop], 65_469) == nil)
    #expect(try refusal([hop], 65_470) == .invalidSize(65_470))
    #expect(try refusal([hop], .max) == .invalidSize(.max))
    let long = OnionHop(publicKey: hop.publicKey, payload: [UInt8](repeating: 0, count: 65_434))
    #expect(try refusal([long], 65_469) == nil)
  }

  @Test func everyChangedByteIsRefused() throws {
    let key = try nodeKey(0)
    let onion = try Onion.create(
      sessionKey: try nodeKey(9), hops: [OnionHop(publicKey: key.publicKey, payload: [1, 0])],
      associatedData: [7], payloadsByteCount: 64
    ).packet.bytes
    #expect(try refusal(onion, [7], key) == nil)
    #expect(try refusal(onion, [], key) == .invalidOnionHMAC)
    #expect(try refusal(onion, [8], key) == .invalidOnionHMAC)
    #expect(try refusal(onion, [7], nodeKey(1)) == .invalidOnionHMAC)
    for bit in 0..<(onion.count * 8) {
      var changed = onion
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      let error = try refusal(changed, [7], key)
      switch bit / 8 {
      case 0: #expect(error == .invalidOnionVersion)
      case 1..<34: #expect(error == .invalidOnionHMAC || error == .invalidOnionKey, "bit \(bit)")
      default: #expect(error == .invalidOnionHMAC, "bit \(bit)")
      }
    }
    for count in 66..<onion.count { #expect(try refusal(Array(onion.prefix(count)), [7], key) == .invalidOnionHMAC) }
    for count in 0..<66 {
      #expect(throws: DecodingError.truncated) { try OnionPacket(Array(onion.prefix(count))) }
    }
  }

  /// Onions whose HMAC is right but whose first bytes are no sensible length.
  @Test func lengthsThatMakeNoSenseAreRefusedWithTheSecretForTheError() throws {
    let size = 100
    let lengths: [(String, [UInt8])] = [
      ("0 is reserved", [0]), ("1 is reserved", [1]), ("one more than fits", [68]), ("far more than fits", [0xfc]),
      ("not minimal", [0xfd, 0, 10]), ("not minimal", [0xfe, 0, 0, 0, 10]),
      ("not minimal", [0xff, 0, 0, 0, 0, 0, 0, 0, 10]), ("huge", [0xff] + [UInt8](repeating: 0xff, count: 8)),
      ("2^63", [0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]), ("65,535", [0xfd, 0xff, 0xff]),
    ]
    for (what, prefix) in lengths {
      let (onion, shared) = try forged(prefix, size: size)
      #expect(try refusal(onion, [], nodeKey(0)) == .invalidOnionPayload(shared), "\(what)")
    }
    let (onion, _) = try forged([67], size: size)
    #expect(try refusal(onion, [], nodeKey(0)) == nil, "the longest that fits")
    for size in 0..<35 {
      let (tiny, shared) = try forged([2], size: size)
      #expect(try refusal(tiny, [], nodeKey(0)) == .invalidOnionPayload(shared), "\(size) bytes of payloads")
    }
  }

  /// An onion for node 0 whose unwrapped payloads start with these bytes.
  private func forged(_ prefix: [UInt8], size: Int) throws -> ([UInt8], SharedSecret) {
    let session = try nodeKey(5)
    let shared = SharedSecret(session.sharedSecret(with: try nodeKey(0).publicKey))
    let rho = HMACSHA256(key: [UInt8]("rho".utf8)).authenticate(shared.bytes)
    var payloads = Array((prefix + [UInt8](repeating: 0, count: size)).prefix(size))
    ChaCha20.apply(key: rho, streamOffset: 0, to: &payloads, in: 0..<payloads.count)
    let mu = HMACSHA256(key: [UInt8]("mu".utf8)).authenticate(shared.bytes)
    let hmac = HMACSHA256(key: mu.bytes).authenticate(payloads.bytes)
    return ([0] + session.publicKey.array + payloads + hmac.array, shared)
  }

  @Test func aReplayIsRefusedBeforeItsPayloadIsReleased() throws {
    struct Seen: OnionReplayFilter {
      var identities: Set<Bytes32> = []
      mutating func admit(_ identity: Bytes32) -> Bool { identities.insert(identity).inserted }
    }
    let key = try nodeKey(0)
    let created = try Onion.create(
      sessionKey: try nodeKey(9), hops: [OnionHop(publicKey: key.publicKey, payload: [1, 0])])
    var filter = Seen()
    var forged = created.packet.bytes
    forged[40] ^= 1
    for packet in [try OnionPacket(forged), created.packet, created.packet] {
      var error: OnionError?
      do throws(OnionError) {
        _ = try Onion.peel(packet, associatedData: RawSpan(), nodeKey: key, filter: &filter)
      } catch let failure {
        error = failure
      }
      switch filter.identities.count {
      case 0: #expect(error == .invalidOnionHMAC, "a forgery is not remembered")
      default: #expect(error == nil || error == .replayed(created.sharedSecrets[0]))
      }
    }
    #expect(filter.identities == [sha256(created.sharedSecrets[0].array)])
    #expect(throws: OnionError.replayed(created.sharedSecrets[0])) {
      try Onion.peel(created.packet, associatedData: RawSpan(), nodeKey: key, filter: &filter)
    }
  }
}

/// BOLT 4's `onion-test.json` and `onion-error-test.json` in short.
enum Figures {
  /// The node ids of Alice, Bob, Carol, Dave and Eve.
  static let nodeIDs = [
    "02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619",
    "0324653eac434488002cc06bbfb7f10fe18991e35f9fe4302dbea6d2353dc0ab1c",
    "027f31ebc5462c1fdce1b737ecff52d37d75dea43ce11c74d25aa297165faa2007",
    "032c0b7cf95324a07d05398b240174dc0c2be444d96b159aa6c7f7b1e668680991",
    "02edabbd16b41c8371b92ef2f04c1185b4f03b6dcd52ba9b78d9d7c89c8f221145",
  ]
  static let sharedSecrets = [
    "53eb63ea8a3fec3b3cd433b85cd62a4b145e1dda09391b348c4e1cd36a03ea66",
    "a6519e98832a0b179f62123b3567c106db99ee37bef036e783263602f3488fae",
    "3a6b412548762f0dbccce5c7ae7bb8147d1caf9b5471c34120b30bc9c04891cc",
    "21e13c2d7cfe7e18836df50872466117a295783ab8aab0e7ecc8c725503ad02d",
    "b5756b9b542727dbafc6765a49488b023a725d631af688fc031217e90770c328",
  ]
  static let onionHash = "92e0742510440ed2368e1c03aed09d49a2e4cb4409c88ee0ad02a35c4a4b495a"

  static func hops() throws -> [OnionHop] {
    let counting = (1...15).map { UInt8($0) }
    let payloads: [[UInt8]] = [
      try bytes("02023a98040205dc06080000000000000001"),
      try bytes("020236b00402057806080000000000000002fd02013c") + counting + counting + counting + counting,
      try bytes("020230d4040204e206080000000000000003"),
      try bytes("02022710040203e806080000000000000004"),
      try bytes("02022710040203e8082224a33562c54507a9334e79f0dc4f17d407e6d7c61f0e2f3d0d38599502f617042710fd012de0")
        + [UInt8](repeating: 0x2a, count: 224),
    ]
    return try zip(nodeIDs, payloads).map { OnionHop(publicKey: try publicKey($0), payload: $1) }
  }
}
