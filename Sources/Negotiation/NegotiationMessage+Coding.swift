internal import Bitcoin
public import Encoding
internal import GLC
internal import Secp256k1

// A message: type (2), what is fixed for it, and a TLV stream for what later versions add. Even records must be understood.

extension NegotiationMessage {
  /// Type and body, however long.
  public var encoded: [UInt8] {
    var writer = ByteWriter(reservingCapacity: 256)
    writer.write(type)
    switch self {
    case .catalogue(let catalogue):
      writer.write(catalogue.version)
      writer.writeBigSize(UInt64(catalogue.parts.count))
      for part in catalogue.parts {
        writer.write(part.kind.rawValue)
        writer.write(part.id.rawValue)
        writer.writeBigSized(Array(part.name.utf8.prefix(Self.mostName)))
      }
    case .inquire(let message):
      writer.write(message.id)
      writer.write(message.version)
      writer.writeBigSized(message.deal.encoded)
      message.terms.encode(to: &writer)
    case .offer(let message):
      writer.write(message.id)
      message.terms.encode(to: &writer)
      writer.writeBigSize(UInt64(message.parameters.count))
      for parameters in message.parameters {
        writer.write(parameters.id.rawValue)
        writer.writeBigSized(parameters.bytes)
      }
    case .propose(let message):
      writer.write(message.id)
      writer.write(message.round)
      writer.writeBigSized(message.funding)
      writer.writeBigSize(UInt64(message.commitments.count))
      for psbt in message.commitments { writer.writeBigSized(psbt) }
    case .complete(let message):
      writer.write(message.id)
      writer.write(message.txid)
      writer.write(optional: message.nonce) { $1.write($0) }
    case .commit(let message):
      writer.write(message.id)
      writer.write(message.txid)
      message.signatures.encode(to: &writer)
    case .sign(let message):
      writer.write(message.id)
      writer.write(message.txid)
      writer.writeBigSize(UInt64(message.witnesses.count))
      for witness in message.witnesses { writer.write(witness) }
    case .resume(let message):
      writer.write(message.id)
      writer.write(message.txid)
      writer.write(flag: message.hasCommitment)
      writer.write(flag: message.hasSignatures)
    case .refuse(let id, let refusal):
      writer.write(id)
      refusal.encode(to: &writer)
    }
    return writer.bytes
  }

  static let mostName = 64

  /// Reads type and body. Nil for a type of this range that is not known and may be ignored.
  public static func decode(_ bytes: RawSpan) throws(DecodingError) -> NegotiationMessage? {
    var reader = ByteReader(bytes)
    let type = try reader.readUInt16()
    guard let message = try read(type, &reader) else {
      guard !type.isMultiple(of: 2) else { throw .malformed("an unknown message that must be understood") }
      return nil
    }
    let rest = reader.readRest()
    try TLVStream(decoding: rest.bytes).refuseUnknownEven { _ in false }
    return message
  }

  private static func read(_ type: UInt16, _ reader: inout ByteReader) throws(DecodingError) -> NegotiationMessage? {
    switch type {
    case 45_080: return .catalogue(try Catalogue(from: &reader))
    case 45_084: return .inquire(try Inquiry(from: &reader))
    case 45_086: return .offer(try Offer(from: &reader))
    case 45_088: return .propose(try Proposal(from: &reader))
    case 45_090:
      return .complete(
        Completion(id: try reader.read(), txid: try reader.read(), nonce: try reader.readFlag() ? reader.read() : nil))
    case 45_092:
      return .commit(
        CommitmentPromise(
          id: try reader.read(), txid: try reader.read(), signatures: try CommitmentSignatures(from: &reader)))
    case 45_094:
      let (id, txid): (NegotiationID, TxID) = (try reader.read(), try reader.read())
      var witnesses: [Witness] = []
      for _ in 0..<(try reader.readCount(ofAtLeast: 2, atMost: NegotiationLimits.inputs)) {
        witnesses.append(try reader.readWitness())
      }
      return .sign(FundingSignatures(id: id, txid: txid, witnesses: witnesses))
    case 45_096:
      return .resume(
        Resumption(
          id: try reader.read(), txid: try reader.read(), hasCommitment: try reader.readFlag(),
          hasSignatures: try reader.readFlag()))
    case 45_098: return .refuse(try reader.read(), try Refusal(from: &reader))
    default: return nil
    }
  }
}

extension Catalogue {
  init(from reader: inout ByteReader) throws(DecodingError) {
    version = try reader.readUInt8()
    parts = []
    for _ in 0..<(try reader.readCount(ofAtLeast: 4, atMost: NegotiationLimits.catalogue)) {
      let kind = try reader.readUInt8()
      let id = ExtensionID(rawValue: try reader.readUInt16())
      let name = String(decoding: try reader.readSized(atMost: NegotiationMessage.mostName), as: UTF8.self)
      // Kinds of later versions are left out.
      guard let kind = ExtensionRegistry.Part.Kind(rawValue: kind) else { continue }
      parts.append(ExtensionRegistry.Part(kind: kind, id: id, name: name))
    }
  }
}

extension Inquiry {
  init(from reader: inout ByteReader) throws(DecodingError) {
    id = try reader.read()
    version = try reader.readUInt8()
    let deal = try reader.readSized(atMost: 4096)
    self.deal = try Deal(decoding: deal.bytes)
    terms = try OpeningTerms(from: &reader)
  }
}

extension Offer {
  init(from reader: inout ByteReader) throws(DecodingError) {
    id = try reader.read()
    terms = try OpeningTerms(from: &reader)
    parameters = []
    for _ in 0..<(try reader.readCount(ofAtLeast: 3, atMost: 64)) {
      let extensionID = ExtensionID(rawValue: try reader.readUInt16())
      if let last = parameters.last, last.id >= extensionID {
        throw .malformed("extensions that are not in ascending order")
      }
      parameters.append(Parameters(id: extensionID, bytes: try reader.readSized(atMost: 4096)))
    }
  }
}

extension Proposal {
  init(from reader: inout ByteReader) throws(DecodingError) {
    id = try reader.read()
    round = try reader.readUInt8()
    funding = try reader.readSized()
    commitments = []
    for _ in 0..<(try reader.readCount(ofAtLeast: 1, atMost: 2)) { commitments.append(try reader.readSized()) }
  }
}
