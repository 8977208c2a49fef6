import Bitcoin
import Encoding
import Foundation
import Testing
import Wire

/// Long runs: `GLC_SEEDS=1000`.
private let seedCount = ProcessInfo.processInfo.environment["GLC_SEEDS"].flatMap { UInt64($0) } ?? 12

/// What must hold of any bytes: they are refused, or what is read writes itself in a way that reads the same.
func checkStable(_ bytes: [UInt8], _ comment: @autoclosure () -> Comment) {
  let message: Message
  do throws(WireError) {
    message = try Message(decoding: bytes)
  } catch {
    return
  }
  do {
    let encoded = try message.encoded()
    // All encodings are canonical: there is one way to write each message.
    #expect(encoded == bytes, comment())
    #expect(try Message(decoding: encoded) == message, comment())
    #expect(try Message(named: message.named).encoded() == encoded, comment())
  } catch {
    Issue.record(error, comment())
  }
}

@Suite("Every message")
struct MessageRoundTripTests {
  @Test("goes through bytes and through names unchanged")
  func roundTrip() throws {
    try forEachMessageType { type in
      for seed in 1...seedCount { try roundTrip(type, seed: seed) }
    }
  }

  private func roundTrip<M: WireMessage>(_: M.Type, seed: UInt64) throws {
    let message = try randomMessage(M.self, seed: seed)
    let comment: Comment = "\(M.name) with seed \(seed)"
    let bytes = try message.encoded()
    #expect(bytes.prefix(2) == [UInt8(M.type >> 8), UInt8(M.type & 255)], comment)
    #expect(try M(decoding: bytes) == message, comment)

    let decoded = try Message(decoding: bytes)
    #expect(decoded.type == M.type, comment)
    #expect(try decoded.encoded() == bytes, comment)

    let named = decoded.named
    #expect(named.name == M.name.description, comment)
    #expect(try Message(named: named) == decoded, comment)
    #expect(try Message(named: named).encoded() == bytes, comment)
  }

  @Test("is among the known types, and there are fifty")
  func types() throws {
    var found: [UInt16] = []
    forEachMessageType { found.append($0.type) }
    #expect(MessageType.all.map(\.type) == found.sorted())
    #expect(Set(found).count == 50)
    #expect(Set(MessageType.all.map(\.name)).count == 50)
    #expect(MessageType.named("open_channel")?.type == 32)
  }

  @Test("that is cut short at any byte is refused, or is a message with fewer records")
  func truncation() throws {
    try forEachMessageType { type in
      for seed in 1...3 as ClosedRange<UInt64> { try truncate(type, seed: seed) }
    }
  }

  private func truncate<M: WireMessage>(_: M.Type, seed: UInt64) throws {
    let bytes = try randomMessage(M.self, seed: seed).encoded()
    for count in 0..<bytes.count { checkStable(Array(bytes.prefix(count)), "\(M.name), seed \(seed), cut to \(count)") }
  }

  @Test("with any bit flipped is refused, or is another message that writes itself")
  func bitFlips() throws {
    var generator = SeededGenerator(seed: 7)
    try forEachMessageType { type in
      for seed in 1...2 as ClosedRange<UInt64> { try flip(type, seed: seed, &generator) }
    }
  }

  private func flip<M: WireMessage>(_: M.Type, seed: UInt64, _ generator: inout SeededGenerator) throws {
    let bytes = try randomMessage(M.self, seed: seed).encoded()
    // Every bit of the parts that say how the rest is to be read, and of the rest some.
    for bit in 0..<(8 * bytes.count) where bytes.count < 400 || Int.random(in: 0..<8, using: &generator) == 0 {
      var flipped = bytes
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      checkStable(flipped, "\(M.name), seed \(seed), bit \(bit)")
    }
  }

  @Test("made of random bytes is refused, or writes itself")
  func noise() {
    var generator = SeededGenerator(seed: 11)
    for type in MessageType.all {
      for round in 0..<Int(seedCount) * 10 {
        let count = Int.random(in: 0...(round.isMultiple(of: 10) ? 65_535 - 2 : 300), using: &generator)
        // Small numbers make short lengths, which get further.
        let bytes = (0..<count).map { _ in
          UInt8.random(in: 0...(round.isMultiple(of: 2) ? 255 : 3), using: &generator)
        }
        checkStable([UInt8(type.type >> 8), UInt8(type.type & 255)] + bytes, "\(type.name), round \(round)")
      }
    }
  }

  @Test("that is longer than 65,535 bytes is neither written nor read")
  func size() throws {
    let largest = PeerStorage(blob: Array(repeating: 7, count: 65_531))
    let bytes = try largest.encoded()
    #expect(bytes.count == 65_535)
    #expect(try PeerStorage(decoding: bytes) == largest)
    #expect(throws: WireError.tooLarge) { try PeerStorage(blob: Array(repeating: 7, count: 65_532)).encoded() }
    #expect(throws: WireError.tooLarge) { try PeerStorage(blob: Array(repeating: 7, count: 65_536)).encoded() }
    #expect(throws: WireError.tooLarge) { try PeerStorage(blob: Array(repeating: 7, count: 131_072)).encoded() }
    #expect(throws: WireError.tooLarge) { try Message(decoding: bytes + [0]) }
    // A list whose count does not fit into two bytes, with elements of no bytes to speak of.
    let witnesses = Array(repeating: TxWitness(witnessData: []), count: 65_536)
    let signatures = TxSignatures(
      channelID: .all, txid: try .init(display: String(repeating: "00", count: 32)), witnesses: witnesses)
    #expect(throws: WireError.tooLarge) { try signatures.encoded() }
    let long = TxSignatures(
      channelID: .all, txid: try .init(display: String(repeating: "00", count: 32)),
      witnesses: [TxWitness(witnessData: Array(repeating: 1, count: 65_536))])
    #expect(throws: WireError.tooLarge) { try long.encoded() }
  }

  @Test("without a type is refused")
  func noType() {
    #expect(throws: WireError.missingType) { try Message(decoding: []) }
    #expect(throws: WireError.missingType) { try Message(decoding: [1]) }
  }

  @Test("holds 483 HTLC signatures and no more than it has bytes for")
  func manySignatures() throws {
    var generator = SeededGenerator(seed: 3)
    let signatures = try (0..<483).map { _ in CompactSignature(try Bytes64(generator.bytes(64))) }
    let message = CommitmentSigned(channelID: .all, signature: signatures[0], htlcSignatures: signatures)
    let bytes = try message.encoded()
    #expect(bytes.count == 2 + 32 + 64 + 2 + 483 * 64)
    #expect(try Message(decoding: bytes) == .commitmentSigned(message))
    var lying = bytes
    lying[98] = 0xff
    lying[99] = 0xff
    #expect(
      throws: WireError.malformed(type: 132, field: "htlc_signature", reason: .truncated)
    ) { try Message(decoding: lying) }
  }
}

@Suite("Unknown things")
struct UnknownTests {
  @Test("Odd types are handed over to be ignored, even ones are refused, custom ones go to whoever asked for them")
  func messageTypes() throws {
    #expect(try Message(decoding: [0x40, 0x01, 5, 6]) == .unknown(CustomMessage(type: 0x4001, payload: [5, 6])))
    #expect(throws: WireError.unknownEvenType(0x4002)) { try Message(decoding: [0x40, 0x02, 5, 6]) }
    let custom = CustomTypes(messages: [0x4002])
    let message = try Message(decoding: [0x40, 0x02, 5, 6], custom: custom)
    #expect(message == .custom(CustomMessage(type: 0x4002, payload: [5, 6])))
    #expect(try message.encoded() == [0x40, 0x02, 5, 6])
    #expect(try Message(named: message.named, custom: custom) == message)
    #expect(WireError.unknownEvenType(0x4002).consequence == .closeConnection)
  }

  @Test("Odd records are kept in their places among the known ones, even ones refused unless somebody asked for them")
  func records() throws {
    let base = try Stfu(channelID: .all, initiator: 1).encoded()
    #expect(try Stfu(decoding: base + [0x01, 0x01, 0x2a]).otherRecords[1] == [0x2a])
    #expect(throws: WireError.invalidExtension(type: 2, reason: .unknownEvenType(2))) {
      try Stfu(decoding: base + [0x02, 0x00])
    }
    let custom = CustomTypes(records: [.init(messageType: 2, recordType: 2)])
    #expect(try Stfu(decoding: base + [0x02, 0x00], custom: custom).otherRecords[2] == [])
    #expect(throws: WireError.invalidExtension(type: 1, reason: .unknownEvenType(2))) {
      try Message(decoding: [0, 1] + [UInt8](repeating: 0, count: 34) + [0x02, 0x00], custom: custom)
    }

    // Known 1 and 3 among unknown 0xc9 and, below and between them, nothing even.
    var message = Init(
      globalfeatures: FeatureSet(), features: FeatureSet(bits: [12]), networks: [.regtest],
      remoteAddr: NodeAddresses(bytes: [1]))
    message.otherRecords[0xc9] = [9]
    let bytes = try message.encoded()
    #expect(try Init(decoding: bytes) == message)
    // A record that the message knows wins over one that was put among the others.
    message.otherRecords[1] = [1, 2, 3]
    #expect(try message.encoded() == bytes)
  }

  @Test("Gossip keeps whatever follows its fields, records or not")
  func excess() throws {
    var update = try randomMessage(ChannelUpdate.self, seed: 5)
    update.excess = [0x02, 0x01, 0x07]
    #expect(try ChannelUpdate(decoding: update.encoded()) == update)
    #expect(update.named.tlvs[2] == [7])
    #expect(update.named["excess"] == nil)
    #expect(try Message(named: update.named) == .channelUpdate(update))
    update.excess = [0xfd]
    #expect(try ChannelUpdate(decoding: update.encoded()) == update)
    #expect(update.named["excess"] == .bytes([0xfd]))
    #expect(try Message(named: update.named) == .channelUpdate(update))
  }
}

@Suite("Named fields")
struct NamedFieldTests {
  private let stfu = NamedMessage(
    type: 2, name: "stfu",
    fields: [
      NamedField(name: "initiator", value: .unsigned(1)),
      NamedField(name: "channel_id", value: .text(String(repeating: "ab", count: 32))),
    ])

  @Test("may come in any order, bytes as hex")
  func order() throws {
    let channelID = ChannelID(try Bytes32(Array(repeating: 0xab, count: 32)))
    #expect(try Message(named: stfu) == .stfu(Stfu(channelID: channelID, initiator: 1)))
  }

  @Test("are refused by name when missing, unknown, given twice, of the wrong kind or out of range")
  func refusals() throws {
    var message = stfu
    message.fields[0].value = .unsigned(256)
    #expect(throws: WireError.self) { try Message(named: message) }
    message.fields[0].value = .text("1")
    #expect(throws: WireError.self) { try Message(named: message) }
    message = stfu
    message.fields.removeLast()
    #expect(throws: WireError.malformed(type: 2, field: "channel_id", reason: .malformed("missing"))) {
      try Message(named: message)
    }
    message = stfu
    message.fields.append(NamedField(name: "colour", value: .unsigned(1)))
    #expect(throws: WireError.unknownField(type: 2, name: "colour")) { try Message(named: message) }
    message = stfu
    message.fields.append(message.fields[0])
    #expect(throws: WireError.unknownField(type: 2, name: "initiator")) { try Message(named: message) }
    message = stfu
    message.name = "init"
    #expect(throws: WireError.unknownMessage) { try Message(named: message) }
    message = stfu
    message.tlvs[4] = []
    #expect(throws: WireError.invalidExtension(type: 2, reason: .unknownEvenType(4))) { try Message(named: message) }
  }

  @Test("need no lengths, but lengths that are given must be right")
  func lengths() throws {
    var message = Warning(channelID: .all, data: PeerText("hi")).named
    #expect(message.fields.map(\.name) == ["channel_id", "data"])
    message.fields.append(NamedField(name: "len", value: .unsigned(2)))
    #expect(try Message(named: message) == .warning(Warning(channelID: .all, data: PeerText("hi"))))
    message.fields[2].value = .unsigned(3)
    #expect(throws: WireError.self) { try Message(named: message) }
  }
}
