internal import Secp256k1
internal import Bitcoin
public import Encoding
public import GLC
internal import HTLC
public import Signer
internal import Wire

// The stored form of a channel: one version byte, then fields in a fixed order. Whoever changes it adds a version and keeps the old
// reader.

extension LightningChannel {
  /// Version 2 added what nonces of ours have signed; version 3 channels that are composed, and the kinds of offers; version 4 what nonces of
  /// ours have signed on second stages.
  static let codingVersion: UInt8 = 4

  /// All of the channel but what a lost connection forgets. Secrets are not part of it.
  public var encoded: [UInt8] { encoded { _, _ in false } }

  /// The same, without the updates that are kept apart: see `Channel.encoded(isKeptApart:)`.
  public func encoded(isKeptApart: (_ serial: UInt64, _ update: AnyUpdate) -> Bool) -> [UInt8] {
    var writer = ByteWriter(reservingCapacity: 4096)
    writer.write(Self.codingVersion)
    writer.write(peer.publicKey)
    writer.write(keyIndex)
    writer.write(flag: isOpener)
    writer.write(id)
    writer.write(temporaryID)
    switch kind {
    case .type(let type):
      writer.write(0 as UInt8)
      writer.write(sized: type.features.bytes)
    case .composed(let options):
      writer.write(1 as UInt8)
      writer.write(options.rawValue)
    }
    writer.write(flag: isAnnounced)
    writer.write(capacity.rawValue)
    writer.write(pushed.rawValue)
    writer.write(openingFeeRate.satPerKiloWeight)
    writer.write(optional: terms.local) { $0.encode(to: &$1) }
    writer.write(optional: terms.remote) { $0.encode(to: &$1) }
    writer.write(minimumDepth)
    writer.write(phase.rawValue)
    signer.currentMarks.encode(to: &writer)
    writer.write(optional: funding) { funding, writer in
      funding.outPoint.encode(to: &writer)
      writer.write(optional: funding.transaction) { $1.write(sized: $0.encoded(withWitness: true)) }
      writer.write(optional: funding.confirmation) {
        $1.write($0.height)
        $1.write($0.transactionIndex)
      }
    }
    writer.write(flag: isReady.local)
    writer.write(flag: isReady.remote)
    writer.write(localAlias.rawValue)
    writer.write(optional: remoteAlias) { $1.write($0.rawValue) }
    writer.write(optional: shutdownScripts.local) { $1.write(sized: $0.bytes) }
    writer.write(optional: shutdownScripts.remote) { $1.write(sized: $0.bytes) }
    writer.write(optional: plannedShutdown) { $1.write(sized: $0.bytes) }
    writer.writeBigSize(UInt64(closingTransactions.count))
    for transaction in closingTransactions { writer.write(sized: transaction.encoded(withWitness: true)) }
    writer.writeBigSize(UInt64(origins.count))
    for (id, origin) in origins.sorted(by: { $0.key < $1.key }) {
      writer.write(id.kind.rawValue)
      writer.write(id.number)
      writer.write(sized: origin)
    }
    writer.write(flag: hasSentAnnouncement)
    writer.write(optional: remoteAnnouncement) { message, writer in
      writer.write(message.shortChannelID.rawValue)
      writer.write(message.nodeSignature)
      writer.write(message.bitcoinSignature)
    }
    writer.write(optional: failure) { $1.write(sized: Array($0.utf8)) }
    writer.write(optional: pointAfterDataLoss) { $1.write($0) }
    writer.write(optional: core) { $1.write(sized: $0.encoded(isKeptApart: isKeptApart)) }
    return writer.bytes
  }

  /// Reads what `encoded` wrote. There is no connection then.
  /// - Parameters:
  ///   - apart: updates that were kept apart, by serial number.
  ///   - makeSigner: the signer of the channel with this key index and these marks.
  public init(
    decoding bytes: RawSpan, registry: ExtensionRegistry, policy: ChannelPolicy, apart: [UInt64: [UInt8]] = [:],
    makeSigner: (UInt64, LocalSigner.Marks) -> LocalSigner
  ) throws(StoredStateError) {
    var reader = ByteReader(bytes)
    let storedCore: [UInt8]?
    do throws(DecodingError) {
      let version = try reader.readUInt8()
      guard (1...Self.codingVersion).contains(version) else { throw .malformed("unknown version of a channel") }
      let peer = NodeID(try reader.read())
      let keyIndex = try reader.readUInt64()
      let isOpener = try reader.readFlag()
      let id = ChannelID(try reader.read())
      let temporaryID = ChannelID(try reader.read())
      let kind = try ChannelKind(from: &reader, version: version)
      let isAnnounced = try reader.readFlag()
      let capacity = Satoshi(try reader.readUInt64())
      let pushed = MilliSatoshi(try reader.readUInt64())
      let feeRate = FeeRate(satPerKiloWeight: try reader.readUInt32())
      let local = try reader.readFlag() ? ChannelTerms(from: &reader) : nil
      let remote = try reader.readFlag() ? ChannelTerms(from: &reader) : nil
      let minimumDepth = try reader.readUInt32()
      guard let phase = Phase(rawValue: try reader.readUInt8()) else { throw .malformed("unknown phase") }
      let marks = try LocalSigner.Marks(from: &reader, version: version)
      var funding: FundingOutput?
      if try reader.readFlag() {
        let outPoint = try OutPoint(from: &reader)
        var output = FundingOutput(outPoint: outPoint, transaction: nil, confirmation: nil)
        if try reader.readFlag() { output.transaction = try Transaction(decoding: reader.readSized()) }
        if try reader.readFlag() {
          output.confirmation = FundingOutput.Confirmation(
            height: try reader.readUInt32(), transactionIndex: try reader.readUInt32())
        }
        funding = output
      }
      let isReady = PerParty(local: try reader.readFlag(), remote: try reader.readFlag())
      let alias = ShortChannelID(rawValue: try reader.readUInt64())
      self.init(
        peer: peer, keyIndex: keyIndex, isOpener: isOpener, temporaryID: temporaryID, kind: kind,
        isAnnounced: isAnnounced, capacity: capacity, pushed: pushed, feeRate: feeRate,
        terms: PerParty(local: local, remote: remote), minimumDepth: minimumDepth, phase: phase,
        signer: makeSigner(keyIndex, marks), policy: policy, alias: alias)
      self.id = id
      self.funding = funding
      self.isReady = isReady
      if try reader.readFlag() { remoteAlias = ShortChannelID(rawValue: try reader.readUInt64()) }
      let localScript = try reader.readFlag() ? Script(reader.readSized()) : nil
      let remoteScript = try reader.readFlag() ? Script(reader.readSized()) : nil
      shutdownScripts = PerParty(local: localScript, remote: remoteScript)
      if try reader.readFlag() { plannedShutdown = Script(try reader.readSized()) }
      for _ in 0..<(try reader.readCount(ofAtLeast: 10)) {
        closingTransactions.append(try Transaction(decoding: reader.readSized()))
      }
      for _ in 0..<(try reader.readCount(ofAtLeast: 9)) {
        let kind = version < 3 ? HTLCExtension.id : ExtensionID(rawValue: try reader.readUInt16())
        let id = PaymentName(kind, try reader.readUInt64())
        origins[id] = try reader.readSized()
      }
      hasSentAnnouncement = try reader.readFlag()
      if try reader.readFlag() {
        remoteAnnouncement = AnnouncementSignatures(
          channelID: id, shortChannelID: ShortChannelID(rawValue: try reader.readUInt64()),
          nodeSignature: CompactSignature(try reader.read()), bitcoinSignature: CompactSignature(try reader.read()))
      }
      if try reader.readFlag() { failure = String(decoding: try reader.readSized(), as: UTF8.self) }
      if try reader.readFlag() { pointAfterDataLoss = try reader.read() }
      storedCore = try reader.readFlag() ? reader.readSized() : nil
      try reader.finish()
    } catch {
      throw .malformed(error)
    }
    if let storedCore { core = try Channel(decoding: storedCore.bytes, registry: registry, apart: apart) }
    core?.limitDustExposure(to: policy.maximumDustExposure)
    isConnected = false
  }
}

extension ChannelKind {
  init(from reader: inout ByteReader, version: UInt8) throws(DecodingError) {
    switch version < 3 ? 0 : try reader.readUInt8() {
    case 0: self = .type(Wire.ChannelType(features: FeatureSet(bytes: try reader.readSized())))
    case 1: self = .composed(Options(rawValue: try reader.readUInt8()))
    default: throw .malformed("unknown kind of channel")
    }
  }
}

extension ChannelTerms: BinaryCodable {
  public init(from reader: inout ByteReader) throws(DecodingError) {
    dustLimit = Satoshi(try reader.readUInt64())
    reserve = Satoshi(try reader.readUInt64())
    contestDelay = try reader.readUInt16()
    limits = try OfferLimits(from: &reader)
    basepoints = try Basepoints(from: &reader)
    shutdownScript = try reader.readFlag() ? Script(reader.readSized()) : nil
  }

  public func encode(to writer: inout ByteWriter) {
    writer.write(dustLimit.rawValue)
    writer.write(reserve.rawValue)
    writer.write(contestDelay)
    limits.encode(to: &writer)
    basepoints.encode(to: &writer)
    writer.write(optional: shutdownScript) { $1.write(sized: $0.bytes) }
  }
}

extension LocalSigner.Marks {
  init(from reader: inout ByteReader, version: UInt8) throws(DecodingError) {
    self.init()
    unrevoked = try reader.readUInt64()
    for _ in 0..<(try reader.readCount(ofAtLeast: 72)) {
      signed.append(
        Signed(funding: try reader.read(), number: try reader.readUInt64(), txid: try reader.read()))
    }
    guard version > 1 else { return }
    for _ in 0..<(try reader.readCount(ofAtLeast: 72)) {
      completed.append(
        Completed(funding: try reader.read(), number: try reader.readUInt64(), session: try reader.read()))
    }
    guard version > 3 else { return }
    for _ in 0..<(try reader.readCount(ofAtLeast: 105)) {
      paired.append(
        Paired(
          funding: try reader.read(), number: try reader.readUInt64(), txid: try reader.read(),
          side: try reader.readUInt8(), session: try reader.read()))
    }
  }

  func encode(to writer: inout ByteWriter) {
    writer.write(unrevoked)
    writer.writeBigSize(UInt64(signed.count))
    for entry in signed {
      writer.write(entry.funding)
      writer.write(entry.number)
      writer.write(entry.txid)
    }
    writer.writeBigSize(UInt64(completed.count))
    for entry in completed {
      writer.write(entry.funding)
      writer.write(entry.number)
      writer.write(entry.session)
    }
    writer.writeBigSize(UInt64(paired.count))
    for entry in paired {
      writer.write(entry.funding)
      writer.write(entry.number)
      writer.write(entry.txid)
      writer.write(entry.side)
      writer.write(entry.session)
    }
  }
}

extension ByteWriter {
  fileprivate mutating func write(flag: Bool) { write(flag ? 1 : 0 as UInt8) }

  fileprivate mutating func write(sized bytes: [UInt8]) {
    writeBigSize(UInt64(bytes.count))
    write(bytes)
  }

  fileprivate mutating func write<Value>(optional value: Value?, _ encode: (Value, inout ByteWriter) -> Void) {
    write(flag: value != nil)
    if let value { encode(value, &self) }
  }
}

extension ByteReader {
  @_lifetime(self: copy self)
  fileprivate mutating func readFlag() throws(DecodingError) -> Bool {
    switch try readUInt8() {
    case 0: return false
    case 1: return true
    default: throw .malformed("a flag that is neither 0 nor 1")
    }
  }

  @_lifetime(self: copy self)
  fileprivate mutating func readSized() throws(DecodingError) -> [UInt8] {
    let count = try readBigSize()
    guard count <= UInt64(remaining) else { throw .truncated }
    return try readArray(count: Int(count))
  }

  /// A number of things that take at least so many bytes each.
  @_lifetime(self: copy self)
  fileprivate mutating func readCount(ofAtLeast size: Int) throws(DecodingError) -> Int {
    let count = try readBigSize()
    guard count <= UInt64(remaining / size) else { throw .truncated }
    return Int(count)
  }
}
