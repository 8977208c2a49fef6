internal import Encoding
internal import GLC
internal import Secp256k1
public import Wire

// Signatures that the messages of the BOLTs have no place for (docs/PRESIGN.md). Written down they are one list, which goes in pieces where it
// is longer than a message can be.

/// The numbers of our own messages and records.
enum SignatureMessage {
  /// `commitment_proposed`
  static let proposed: UInt16 = 45064
  /// `presignatures`
  static let presignatures: UInt16 = 45065
  /// `commitment_signatures`: what did not fit the `commitment_signed` behind it.
  static let more: UInt16 = 45066
  /// In `commitment_signed`: the second stage's signatures, of whatever kinds. Even: who does not know it cannot go on.
  static let record: UInt64 = 65538

  /// Bytes of signatures in one message, which leave room for everything else in it.
  static let pieceSize = 64_000
  /// No channel has so many: 10,000 outputs.
  static let mostBytes = 1_048_576
  /// So many plain signatures fit `commitment_signed` (BOLT 2: twice `max_accepted_htlcs`).
  static let mostPlain = 966
}

/// Pieces of a list, of signatures or nonces, that have arrived. Forgotten with the connection.
struct SignaturePieces: Hashable, Sendable {
  private(set) var number: UInt64 = 0
  private(set) var bytes: [UInt8] = []

  var isEmpty: Bool { bytes.isEmpty }

  mutating func append(_ piece: [UInt8], of number: UInt64) throws(LightningChannel.Fault) {
    guard isEmpty || number == self.number else { throw .fail("signatures of two commitments in one list") }
    guard !piece.isEmpty, bytes.count + piece.count <= SignatureMessage.mostBytes else {
      throw .fail("more signatures than a commitment can have")
    }
    self.number = number
    bytes += piece
  }

  mutating func take() -> [UInt8] {
    defer { self = SignaturePieces() }
    return bytes
  }
}

extension [CounterSignature] {
  /// Each with its kind before it: 0 ECDSA, 1 Schnorr, 2 MuSig2, 3 adaptor.
  func encode(to writer: inout ByteWriter) {
    writer.writeBigSize(UInt64(count))
    for signature in self { signature.encode(to: &writer) }
  }

  init(from reader: inout ByteReader) throws(DecodingError) {
    let count = try reader.readBigSize()
    guard count <= UInt64(reader.remaining / 65) else { throw .truncated }
    self = []
    reserveCapacity(Int(count))
    for _ in 0..<count { append(try CounterSignature(from: &reader)) }
  }
}

extension LightningChannel {
  private func header(_ type: UInt16, _ number: UInt64, reserving count: Int = 0) -> ByteWriter {
    var writer = ByteWriter(reservingCapacity: 43 + count)
    writer.write(type)
    writer.write(id)
    writer.write(number)
    return writer
  }

  /// One message without nonces; with them one or more, of which all but the last say that there are more.
  func proposal(_ number: UInt64, _ nonces: [[MuSigPublicNonce]]) -> [LightningEffect] {
    if nonces.isEmpty { return [.send(header(SignatureMessage.proposed, number).bytes)] }
    var writer = ByteWriter()
    writer.writeBigSize(UInt64(nonces.count))
    for list in nonces {
      writer.writeBigSize(UInt64(list.count))
      for nonce in list { writer.write(nonce) }
    }
    return flagged(SignatureMessage.proposed, number, writer.bytes)
  }

  /// One or more messages; all but the last say that there are more.
  func presignatures(_ number: UInt64, _ sets: [[CounterSignature]]) -> [LightningEffect] {
    var writer = ByteWriter()
    writer.writeBigSize(UInt64(sets.count))
    for set in sets { set.encode(to: &writer) }
    return flagged(SignatureMessage.presignatures, number, writer.bytes)
  }

  private func flagged(_ type: UInt16, _ number: UInt64, _ bytes: [UInt8]) -> [LightningEffect] {
    let pieces = Self.pieces(bytes)
    return pieces.enumerated().map { index, piece in
      var message = header(type, number, reserving: piece.count)
      message.write(index + 1 < pieces.count ? 1 : 0 as UInt8)
      message.write(piece)
      return .send(message.bytes)
    }
  }

  /// `commitment_signed`, and what goes before it where its signatures are more than it can carry.
  func commitmentSigned(_ set: CommitmentSignatures, number: UInt64) throws(Fault) -> [LightningEffect] {
    let funding = set.funding.fundingFields
    var message = CommitmentSigned(
      channelID: id, signature: funding.signature, htlcSignatures: [], partialSignatureWithNonce: funding.partial)
    let plain = set.children.compactMap(\.secondStageField)
    if plain.count == set.children.count, plain.count <= SignatureMessage.mostPlain {
      message.htlcSignatures = plain
      return [try send(message)]
    }
    var writer = ByteWriter(reservingCapacity: 70 * set.children.count)
    set.children.encode(to: &writer)
    var pieces = Self.pieces(writer.bytes)
    message.otherRecords[SignatureMessage.record] = pieces.removeLast()
    var effects = pieces.map { piece in
      var message = header(SignatureMessage.more, number, reserving: piece.count)
      message.write(piece)
      return LightningEffect.send(message.bytes)
    }
    effects.append(try send(message))
    return effects
  }

  /// Never none.
  private static func pieces(_ bytes: [UInt8]) -> [[UInt8]] {
    guard bytes.count > SignatureMessage.pieceSize else { return [bytes] }
    return stride(from: 0, to: bytes.count, by: SignatureMessage.pieceSize).map {
      Array(bytes[$0..<min($0 + SignatureMessage.pieceSize, bytes.count)])
    }
  }

  // MARK: Receiving

  /// Whether it is a message of the presign phase.
  func isSignatureMessage(_ type: UInt16) -> Bool {
    (SignatureMessage.proposed...SignatureMessage.more).contains(type) && core?.stack.needsPresign == true
  }

  /// Takes one, its channel id taken off.
  mutating func receiveSignatures(
    type: UInt16, body: RawSpan, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    let message: (number: UInt64, hasMore: Bool, bytes: [UInt8])
    do throws(DecodingError) {
      var reader = ByteReader(body)
      let number = try reader.readUInt64()
      switch type {
      case SignatureMessage.proposed where reader.isAtEnd: message = (number, false, [])
      case SignatureMessage.proposed, SignatureMessage.presignatures:
        let flag = try reader.readUInt8()
        guard flag < 2 else { throw .malformed("a flag that is neither 0 nor 1") }
        guard !reader.isAtEnd else { throw .malformed("an empty piece") }
        message = (number, flag == 1, reader.readRest())
      default: message = (number, true, reader.readRest())
      }
    } catch {
      throw .warn("message \(type) cannot be read: \(error)")
    }
    switch type {
    case SignatureMessage.proposed:
      var nonces: [[MuSigPublicNonce]] = []
      if !message.bytes.isEmpty {
        try noncePieces.append(message.bytes, of: message.number)
        guard !message.hasMore else { return }
        nonces = try Self.readNonces(noncePieces.take())
      } else if !noncePieces.isEmpty {
        throw .fail("commitment_proposed without the rest of its nonces")
      }
      try step(&effects) { (core, signer) throws(ChannelError) in
        try core.receive(.propose(number: message.number, nonces: nonces), signer)
      }
    case SignatureMessage.presignatures:
      try presignaturePieces.append(message.bytes, of: message.number)
      guard !message.hasMore else { return }
      let sets = try Self.readSets(presignaturePieces.take())
      try step(&effects) { (core, signer) throws(ChannelError) in
        try core.receive(.presign(number: message.number, sets), signer)
      }
    default: try signaturePieces.append(message.bytes, of: message.number)
    }
  }

  private static func readNonces(_ bytes: [UInt8]) throws(Fault) -> [[MuSigPublicNonce]] {
    do throws(DecodingError) {
      var reader = ByteReader(bytes.bytes)
      let count = try reader.readBigSize()
      guard count > 0, count <= 64 else { throw .malformed("lists of nonces") }
      var lists: [[MuSigPublicNonce]] = []
      for _ in 0..<count {
        let count = try reader.readBigSize()
        guard count <= UInt64(reader.remaining / MuSigPublicNonce.byteCount) else { throw .truncated }
        var list: [MuSigPublicNonce] = []
        list.reserveCapacity(Int(count))
        for _ in 0..<count { list.append(try reader.read()) }
        lists.append(list)
      }
      try reader.finish()
      return lists
    } catch {
      throw .warn("the nonces of a proposal cannot be read: \(error)")
    }
  }

  private static func readSets(_ bytes: [UInt8]) throws(Fault) -> [[CounterSignature]] {
    do throws(DecodingError) {
      var reader = ByteReader(bytes.bytes)
      let count = try reader.readBigSize()
      guard count <= 64 else { throw .tooLarge }
      var sets: [[CounterSignature]] = []
      for _ in 0..<count { sets.append(try [CounterSignature](from: &reader)) }
      try reader.finish()
      return sets
    } catch {
      throw .warn("presignatures cannot be read: \(error)")
    }
  }

  /// The second stage's signatures of a `commitment_signed`.
  mutating func childSignatures(_ message: CommitmentSigned) throws(Fault) -> [CounterSignature] {
    guard let record = message.otherRecords[SignatureMessage.record] else {
      guard signaturePieces.isEmpty else { throw .fail("commitment_signed without the rest of its signatures") }
      var children: [CounterSignature] = []
      children.reserveCapacity(message.htlcSignatures.count)
      for signature in message.htlcSignatures { children.append(try secondStageSignature(signature)) }
      return children
    }
    guard message.htlcSignatures.isEmpty else { throw .fail("commitment_signed with signatures in two places") }
    guard signaturePieces.isEmpty || signaturePieces.number == (core?.localNumber).map({ $0 + 1 }) else {
      throw .fail("signatures of another commitment than the next")
    }
    let bytes = signaturePieces.take() + record
    do throws(DecodingError) {
      var reader = ByteReader(bytes.bytes)
      let children = try [CounterSignature](from: &reader)
      try reader.finish()
      return children
    } catch {
      throw .warn("the signatures of commitment_signed cannot be read: \(error)")
    }
  }
}

extension LightningChannel {
  /// What messages may have that is ours and not the BOLTs'.
  public static let customTypes = CustomTypes(
    records: [CustomTypes.Record(messageType: CommitmentSigned.type, recordType: SignatureMessage.record)])
}
