import Bitcoin
import Encoding
import Secp256k1
import Testing

/// What a peer may send: never a trap, never more memory than a small multiple, and what is read can be written.
@Suite struct PSBTAttackTests {
  static let valid = PSBTBIPVectors.all.filter { $0.kind != "invalid" }

  /// Numbers that look random and are the same each time (SplitMix64).
  struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var z = state
      z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
      return z ^ (z >> 31)
    }
  }

  /// Reads what may be malformed; when it is read, writes it and reads it again. True when it was read.
  static func survives(_ bytes: [UInt8]) -> Bool {
    guard let psbt = try? PSBT(decoding: bytes) else { return false }
    let encoded = psbt.encoded
    let again = try? PSBT(decoding: encoded)
    #expect(again == psbt && again?.encoded == encoded, "\(Hex.encode(bytes))")
    return true
  }

  /// Every role, one after the other. Nothing is expected but that they come back.
  static func runRoles(_ psbt: PSBT, _ key: borrowing SecretKey) {
    _ = try? psbt.fee()
    _ = try? psbt.uniqueID()
    _ = psbt.isComplete
    var copy = psbt
    var options = PSBT.SigningOptions()
    options.acceptableSighashTypes = [.default, .all, .none, .single, .singleAnyoneCanPay]
    _ = try? copy.sign(with: key, options: options)
    for index in copy.inputs.indices { _ = try? copy.aggregateMuSig2Signatures(input: index) }
    _ = try? copy.finalize()
    _ = try? copy.extractTransaction()
    _ = try? copy.combine(psbt)
    _ = try? psbt.converted(to: psbt.version == .v0 ? .v2 : .v0).encoded
  }

  @Test func everyTruncationIsRefused() {
    var count = 0
    for vector in Self.valid {
      for length in 0..<vector.bytes.count {
        #expect(!Self.survives(Array(vector.bytes[..<length])), "\(vector), cut to \(length) bytes")
        count += 1
      }
    }
    print("truncations: \(count)")
  }

  @Test func aByteBehindTheLastMapIsRefused() {
    for vector in Self.valid { #expect(!Self.survives(vector.bytes + [0]), "\(vector)") }
  }

  @Test func flippedBitsNeverTrap() throws {
    var generator = Generator(state: 174)
    let key = try PrivateKeyWIF("cP53pDbR5WtAD8dYAW9hhTjuvvTVaEiQBdrz9XPrgLBeRFiyCbQr").secretKey.copy()
    var read = 0
    var count = 0
    for vector in Self.valid {
      for position in vector.bytes.indices {
        var bytes = vector.bytes
        bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        count += 1
        guard Self.survives(bytes) else { continue }
        read += 1
        // Roles are slow here: one in eight.
        if read % 8 == 0, let psbt = try? PSBT(decoding: bytes) { Self.runRoles(psbt, key) }
      }
    }
    #expect(read > 0 && read < count)
    print("flipped bits: \(count), of which \(read) could be read")
  }

  @Test func randomEditsNeverTrap() throws {
    var generator = Generator(state: 370)
    let key = SecretKey.random()
    for vector in Self.valid {
      for _ in 0..<40 {
        var bytes = vector.bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
          let position = Int.random(in: 5..<bytes.count, using: &generator)
          switch Int.random(in: 0..<4, using: &generator) {
          case 0: bytes[position] = UInt8.random(in: 0...255, using: &generator)
          case 1: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: position)
          case 2: if bytes.count > 6 { bytes.remove(at: position) }
          default: bytes[position] = [0, 0xfc, 0xfd, 0xfe, 0xff][Int.random(in: 0..<5, using: &generator)]
          }
        }
        if Self.survives(bytes), let psbt = try? PSBT(decoding: bytes) { Self.runRoles(psbt, key) }
      }
    }
  }

  /// The records of each map, as they stand.
  static func maps(_ bytes: [UInt8]) throws -> [[[UInt8]]] {
    var reader = ByteReader(bytes.bytes)
    try reader.skip(5)
    var maps: [[[UInt8]]] = [[]]
    while !reader.isAtEnd {
      let key = try reader.readCompactSizedBytes().array
      if key.isEmpty {
        maps.append([])
        continue
      }
      var record = ByteWriter()
      record.writeCompactSized(key)
      record.writeCompactSized(try reader.readCompactSizedBytes().array)
      maps[maps.count - 1].append(record.bytes)
    }
    maps.removeLast()
    return maps
  }

  @Test func recordsOfOtherPSBTsNeverTrap() throws {
    var generator = Generator(state: 373)
    let key = try PrivateKeyWIF(PSBTMuSig2Tests.keys[0]).secretKey.copy()
    var inputRecords: Set<[UInt8]> = []
    var outputRecords: Set<[UInt8]> = []
    for vector in Self.valid {
      let inputs = try PSBT(decoding: vector.bytes).inputs.count
      for (index, map) in try Self.maps(vector.bytes).enumerated().dropFirst() {
        if index <= inputs { inputRecords.formUnion(map) } else { outputRecords.formUnion(map) }
      }
    }
    let inputPool = inputRecords.sorted { $0.lexicographicallyPrecedes($1) }
    let outputPool = outputRecords.sorted { $0.lexicographicallyPrecedes($1) }
    var read = 0
    for vector in Self.valid {
      let inputs = try PSBT(decoding: vector.bytes).inputs.count
      let original = try Self.maps(vector.bytes)
      guard original.count > 1 else { continue }
      for _ in 0..<60 {
        var maps = original
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
          let index = Int.random(in: 1..<maps.count, using: &generator)
          let pool = index <= inputs ? inputPool : outputPool
          if Bool.random(using: &generator), !maps[index].isEmpty {
            maps[index].remove(at: Int.random(in: maps[index].indices, using: &generator))
          }
          maps[index].append(try #require(pool.randomElement(using: &generator)))
        }
        var bytes: [UInt8] = [0x70, 0x73, 0x62, 0x74, 0xff]
        for map in maps {
          for record in map { bytes += record }
          bytes.append(0)
        }
        guard Self.survives(bytes), let psbt = try? PSBT(decoding: bytes) else { continue }
        read += 1
        Self.runRoles(psbt, key)
      }
    }
    #expect(read > 500)
    print("PSBTs with records of others: \(read) could be read")
  }

  @Test(arguments: [
    // A global map that promises inputs, outputs or bytes that are not there.
    "70736274ff01020402000000010401ff", "70736274ff0102040200000001040100010501fd01fb040200000000",
    "70736274ff0102040200000001 0409ffffffffffffffff7f 010501 00 01fb0402000000 00",
    "70736274ff0102040200000001 040100 010509ffffffffffffffffff 01fb0402000000 00",
    "70736274ff01020402000000010405feffffffff 01050100 01fb0402000000 00",
    "70736274ffff ffffffffffffffff", "70736274ff01ffffffffffffffff7f", "70736274fffeffffff7f00",
    "70736274ff0100fd ffff 02000000 feffffff7f", "70736274ff01000a02000000ffffffffffff00",
  ])
  func lengthsThatPromiseMoreThanThereIsAreRefused(_ hex: String) throws {
    let bytes = try Hex.decode(hex.filter { $0 != " " })
    #expect(throws: PSBTError.self) { _ = try PSBT(decoding: bytes) }
  }

  @Test func manyRecordsAreReadInReasonableTimeInAnyOrder() throws {
    // 50,000 unknown records from the last to the first, and then one of them again.
    var writer = ByteWriter()
    writer.write(try Hex.decode("70736274ff01000a00000000000000000000"))
    for number in (0..<50_000).reversed() {
      writer.write(5 as UInt8)
      writer.write(0xf0 as UInt8)
      writer.write(UInt32(number))
      writer.write(0 as UInt8)
    }
    let prefix = writer.bytes
    let psbt = try PSBT(decoding: prefix + [0])
    #expect(psbt.unknown.count == 50_000)
    #expect(psbt.encoded.count == prefix.count + 1)
    #expect(throws: PSBTError.duplicateKey(.global, key: [0xf0, 0, 0, 0, 7])) {
      _ = try PSBT(decoding: prefix + [5, 0xf0, 0, 0, 0, 7, 0, 0])
    }
  }

  @Test func aTypeThatIsNotInItsShortestFormIsRefused() throws {
    // BIP 174: "if the value can be represented using one byte, it must be represented as one byte".
    let bytes = try Hex.decode("70736274ff01000a00000000000000000000" + "03fdf00000" + "00")
    #expect(throws: PSBTError.malformedMap(.global, .notMinimal)) { _ = try PSBT(decoding: bytes) }
    // A type of three bytes, on the other hand, is fine and stays.
    let large = try Hex.decode("70736274ff01000a00000000000000000000" + "04fdfd0007" + "0101" + "00")
    let psbt = try PSBT(decoding: large)
    #expect(psbt.unknown[PSBT.UnknownKey(type: 253, data: [7])] == [1])
    #expect(psbt.encoded == large)
  }

  @Test func recordsOfOneMapComeBackInOneOrder() throws {
    let created = PSBTBIPVectors.named(174, "created").bytes
    // Unknown before known, in an input.
    let input = try Hex.decode("02f001" + "00" + "0103" + "0401000000" + "09fc0301020305aabbcc" + "0107")
    var bytes = created
    bytes.insert(contentsOf: input, at: bytes.count - 4)
    let psbt = try PSBT(decoding: bytes)
    #expect(psbt.inputs[0].sighashType == .all)
    #expect(psbt.inputs[0].unknown[PSBT.UnknownKey(type: 0xf0, data: [1])] == [])
    let key = PSBT.ProprietaryKey(identifier: [1, 2, 3], subtype: 5, data: [0xaa, 0xbb, 0xcc])
    #expect(psbt.inputs[0].proprietary[key] == [7])
    let sorted = try Hex.decode("0103" + "0401000000" + "09fc0301020305aabbcc" + "0107" + "02f001" + "00")
    #expect(Array(psbt.encoded.dropFirst(created.count - 4).prefix(sorted.count)) == sorted)
  }

  @Test func inputsAndOutputsTakeASmallMultipleOfTheirBytes() {
    // At least 42 and 10 bytes each when they come in.
    #expect(MemoryLayout<PSBT.Input>.stride <= 15 * 42, "\(MemoryLayout<PSBT.Input>.stride)")
    #expect(MemoryLayout<PSBT.Output>.stride <= 20 * 10, "\(MemoryLayout<PSBT.Output>.stride)")
  }

  @Test func derivationsThatAPeerPilesUpCostLittle() throws {
    var psbt = try PSBT(decoding: PSBTBIPVectors.named(373, "derived internal key: participants").bytes)
    let (derived, origin) = try #require(psbt.inputs[0].tapBIP32Derivations.first { !$0.value.origin.path.isEmpty })
    #expect(try psbt.musig2Targets(input: 0).count == 1)
    let path = [UInt32](repeating: 0, count: 255)
    for number in 0..<2_000 as Range<UInt32> {
      let key = try derived.evenPoint.adding(
        Bytes32(ScriptNumber.encode(Int64(number) + 1 << 32) + Array(repeating: 0, count: 27)))
      psbt.inputs[0].tapBIP32Derivations[key.xOnly.key] = PSBT.TapKeyOrigin(
        origin: PSBT.KeyOrigin(fingerprint: origin.origin.fingerprint, path: path))
    }
    // The honest one may be found or not, but soon.
    #expect(try psbt.musig2Targets(input: 0).count <= 1)
  }
}
