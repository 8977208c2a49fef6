import Bitcoin
import Encoding
import Hashing
import Secp256k1
import Wire

/// Numbers that look random and are the same again for the same seed (xorshift64*).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

  mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 0x2545_f491_4f6c_dd1d
  }

  mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) } }
}

/// Points to choose from: making one takes longer than reading a message.
let somePoints: [PublicKey] = (1...16).map { index in
  do {
    return try SecretKey(sha256([UInt8(index)])).publicKey
  } catch {
    preconditionFailure("\(error)")
  }
}

/// A source that makes up the fields that a message asks for, and so valid messages of every type without knowing any of them.
struct RandomFieldSource: FieldSource {
  var generator: SeededGenerator
  /// How probable an optional record is, of 4.
  var recordProbability = 2
  private var lastType: UInt64 = 0
  private var others = TLVStream()

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  /// A value of the type: the only thing that cannot be made of just any bytes is a point.
  private mutating func random<T: WireField>(_: T.Type) throws(WireError) -> T {
    for attempt in 0..<200 {
      var bytes = generator.bytes(T.minimumByteCount)
      if attempt > 0 && attempt.isMultiple(of: 2) {
        bytes += generator.bytes(Int.random(in: 0...64, using: &generator))
      }
      if T.minimumByteCount == 33, let point = somePoints.randomElement(using: &generator) { bytes = point.array }
      if attempt % 3 == 2 {
        let count = Int.random(in: 0...100, using: &generator)
        bytes = [0, UInt8(count)] + generator.bytes(count)
      }
      // Lists of fixed-size elements need a number of bytes that fits.
      if T.minimumByteCount == 0 {
        bytes = generator.bytes([0, 1, 8, 32, 64, 98, 196, 200].randomElement(using: &generator) ?? 0)
      }
      var reader = ByteReader(bytes.bytes)
      if let value = try? T(from: &reader), reader.isAtEnd { return value }
    }
    throw .unknownMessage
  }

  mutating func field<T: WireField>(_ name: FieldName, as: T.Type) throws(WireError) -> T { try random(T.self) }

  mutating func field<T: WireField>(_ name: FieldName, length: FieldName, as: T.Type) throws(WireError) -> T {
    try random(T.self)
  }

  mutating func bytes(_ name: FieldName, length: FieldName) throws(WireError) -> [UInt8] {
    generator.bytes(Int.random(in: 0...300, using: &generator))
  }

  mutating func list<T: WireListElement>(
    _ name: FieldName, count: FieldName, as: T.Type
  ) throws(WireError) -> [T] {
    var elements: [T] = []
    for _ in 0..<Int.random(in: 0...5, using: &generator) { elements.append(try random(T.self)) }
    return elements
  }

  mutating func record<T: WireField>(_ type: UInt64, as: T.Type) throws(WireError) -> T? {
    lastType = type
    guard Int.random(in: 0..<4, using: &generator) < recordProbability else { return nil }
    return try random(T.self)
  }

  /// Up to three records that nobody knows, of odd types.
  mutating func otherRecords() throws(WireError) -> TLVStream {
    for _ in 0..<Int.random(in: 0...3, using: &generator) {
      let type = UInt64.random(in: 100...(1 << UInt64.random(in: 7...62, using: &generator)), using: &generator) | 1
      others[type] = generator.bytes(Int.random(in: 0...40, using: &generator))
    }
    return others
  }

  mutating func excess() throws(WireError) -> [UInt8] {
    generator.bytes(Bool.random(using: &generator) ? 0 : Int.random(in: 1...30, using: &generator))
  }
}

/// Every message type of the library, in its generic form.
func forEachMessageType(_ body: (any WireMessage.Type) throws -> Void) rethrows {
  let types: [any WireMessage.Type] = [
    Warning.self, Stfu.self, PeerStorage.self, PeerStorageRetrieval.self, Init.self, ErrorMessage.self, Ping.self,
    Pong.self, OpenChannel.self, AcceptChannel.self, FundingCreated.self, FundingSigned.self, ChannelReady.self,
    Shutdown.self, ClosingSigned.self, ClosingComplete.self, ClosingSig.self, OpenChannel2.self, AcceptChannel2.self,
    TxAddInput.self, TxAddOutput.self, TxRemoveInput.self, TxRemoveOutput.self, TxComplete.self, TxSignatures.self,
    TxInitRbf.self, TxAckRbf.self, TxAbort.self, SpliceLocked.self, SpliceInit.self, SpliceAck.self, StartBatch.self,
    UpdateAddHTLC.self, UpdateFulfillHTLC.self, UpdateFailHTLC.self, CommitmentSigned.self, RevokeAndAck.self,
    UpdateFee.self, UpdateFailMalformedHTLC.self, ChannelReestablish.self, ChannelAnnouncement.self,
    NodeAnnouncement.self, ChannelUpdate.self, AnnouncementSignatures.self, QueryShortChannelIDs.self,
    ReplyShortChannelIDsEnd.self, QueryChannelRange.self, ReplyChannelRange.self, GossipTimestampFilter.self,
    OnionMessage.self,
  ]
  for type in types { try body(type) }
}

/// A valid message of a type, the same again for the same seed.
func randomMessage<M: WireMessage>(_: M.Type, seed: UInt64) throws -> M {
  var source = RandomFieldSource(seed: seed)
  return try M(from: &source)
}
