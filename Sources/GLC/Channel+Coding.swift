internal import Bitcoin
public import Encoding
internal import Secp256k1

// The stored form of a channel: one version byte, then fields in a fixed order. Whoever changes it adds a version and keeps the old
// reader.

extension Channel {
  /// Version 2 added `maximumDustExposure`, version 3 serial numbers of updates, and that updates may stand elsewhere; version 4 that each
  /// commitment has a stack of its own, and what stacks left behind.
  static let codingVersion: UInt8 = 4

  /// All of the channel but what a lost connection forgets anyway (BOLT 2 §Message Retransmission).
  public var encoded: [UInt8] { encoded { _, _ in false } }

  /// The same, but for updates that `isKeptApart` takes, by serial number: whoever reads it has to bring them along. What an update says never
  /// changes; so what is large in a busy channel need not be written again with each of its steps.
  public func encoded(isKeptApart: (_ serial: UInt64, _ update: AnyUpdate) -> Bool) -> [UInt8] {
    var writer = ByteWriter(reservingCapacity: 4096)
    writer.write(Self.codingVersion)
    // The one that is there for good, and the one that takes its place.
    let stacks = stacksInForce
    writer.write(UInt8(truncatingIfNeeded: stacks.count))
    for stack in stacks { stack.encode(to: &writer) }
    writer.writeBigSize(UInt64(namedKeys.count))
    for key in namedKeys { key.encode(to: &writer) }
    parameters.encode(to: &writer)
    // Whoever reads it has no connection, and what no signature covers is forgotten then.
    writer.write((connection == .established ? .disconnected : connection).rawValue)
    writer.write(localNumber)
    writer.write(remoteNumber)
    writer.write(remoteUnrevoked)
    writer.write(commitWasLast ? 1 : 0 as UInt8)
    writer.writeBigSize(UInt64(remotePoints.count))
    for point in remotePoints { writer.write(point) }
    writer.writeBigSize(UInt64(signatures.count))
    for set in signatures { set.encode(to: &writer) }
    localHandover.encode(to: &writer)
    for handover in remoteHandovers { handover.encode(to: &writer) }
    secrets.encode(to: &writer)
    writer.writeBigSize(UInt64(fundings.count))
    for funding in fundings { funding.encode(to: &writer, stacks) }
    let entries = log.entries.filter { ($0.author == .local && !$0.changesStack) || $0.stage != .proposed }
    writer.write(log.nextSerial)
    writer.writeBigSize(UInt64(entries.count))
    for entry in entries { entry.encode(to: &writer, isKeptApart: isKeptApart) }
    return writer.bytes
  }

  /// The stacks of the commitments in force: one, or two as long as one takes the other's place.
  private var stacksInForce: [ChannelStack] {
    var stacks = [stack]
    for entry in log.entries where entry.stage != .proposed {
      if case .stack(let change) = entry.content { stacks.append(change.stack) }
    }
    return stacks
  }

  /// Reads what `encoded` wrote. The connection is lost, whatever it was.
  /// - Parameter apart: updates that were kept apart, in their stored form, by serial number.
  public init(
    decoding bytes: RawSpan, registry: ExtensionRegistry, apart: [UInt64: [UInt8]] = [:]
  ) throws(StoredStateError) {
    var reader = ByteReader(bytes)
    let version: UInt8
    do throws(DecodingError) { version = try reader.readUInt8() } catch { throw .malformed(error) }
    guard (1...Self.codingVersion).contains(version) else { throw .unknownVersion(version) }
    var stacks: [ChannelStack] = []
    let stackCount: UInt8
    do throws(DecodingError) { stackCount = version < 4 ? 1 : try reader.readUInt8() } catch { throw .malformed(error) }
    guard (1...2).contains(stackCount) else { throw .malformed(.malformed("number of stacks")) }
    for _ in 0..<stackCount { stacks.append(try ChannelStack(from: &reader, registry: registry)) }
    let stack = stacks[0]
    do throws(DecodingError) {
      namedKeys = stack.keys.sorted()
      if version >= 4 {
        namedKeys = []
        let count = try reader.readBigSize()
        guard count <= UInt64(reader.remaining / 3) else { throw .truncated }
        for _ in 0..<count { namedKeys.append(try KeyRef(from: &reader)) }
      }
      parameters = try ChannelParameters(from: &reader, version: version)
      guard let connection = Connection(rawValue: try reader.readUInt8()), connection != .established else {
        throw .malformed("unknown connection")
      }
      self.connection = connection
      localNumber = try reader.readUInt64()
      remoteNumber = try reader.readUInt64()
      remoteUnrevoked = try reader.readUInt64()
      commitWasLast = try reader.readUInt8() == 1
      // One commitment is never revoked; a second one may be on its way.
      guard localNumber < 1 << 48, remoteNumber < 1 << 48, remoteNumber >= remoteUnrevoked,
        remoteNumber - remoteUnrevoked < 2
      else { throw .malformed("commitment numbers") }
      let unrevoked = Int(remoteNumber - remoteUnrevoked) + 1
      let pointCount = try reader.readBigSize()
      guard pointCount >= UInt64(unrevoked), pointCount <= 3 else { throw .malformed("remote points") }
      remotePoints = []
      for _ in 0..<pointCount { remotePoints.append(try reader.read()) }
      signatures = []
      let signatureCount = try reader.readSmallCount()
      for _ in 0..<signatureCount { signatures.append(try CommitmentSignatures(from: &reader)) }
      remoteHandovers = Array(repeating: .none, count: unrevoked)
      if version >= 4 || stack.needsPresign {
        localHandover = try Handover(from: &reader)
        for index in 0..<unrevoked { remoteHandovers[index] = try Handover(from: &reader) }
      }
      secrets = try ShachainStore(from: &reader)
      fundings = []
      let fundingCount = try reader.readSmallCount()
      guard fundingCount > 0 else { throw .malformed("no funding") }
      for _ in 0..<fundingCount {
        fundings.append(
          try FundingState(from: &reader, stacks: stacks, unrevoked: unrevoked, hasNumbers: version >= 4))
      }
      log = UpdateLog()
      if version > 2 { log.nextSerial = try reader.readUInt64() }
      let entryCount = try reader.readBigSize()
      guard entryCount <= UInt64(reader.remaining) else { throw .truncated }
      for index in 0..<entryCount {
        let serial = version > 2 ? try reader.readUInt64() : index
        log.entries.append(try LogEntry(from: &reader, stacks: stacks, serial: serial, apart: apart))
        guard version < 3 || serial < log.nextSerial else { throw .malformed("a serial number") }
      }
      if version < 3 { log.nextSerial = entryCount }
      guard log.entries.count == 1 || !log.entries.contains(where: \.changesStack) else {
        throw .malformed("updates beside a change of the stack")
      }
      try reader.finish()
    } catch {
      throw .malformed(error)
    }
  }
}

extension ByteReader {
  /// A number of things of which there are never many.
  @_lifetime(self: copy self)
  fileprivate mutating func readSmallCount() throws(DecodingError) -> Int {
    let count = try readBigSize()
    guard count <= 64 else { throw .tooLarge }
    return Int(count)
  }

  @_lifetime(self: copy self)
  fileprivate mutating func readSized() throws(DecodingError) -> [UInt8] {
    let count = try readBigSize()
    guard count <= UInt64(remaining) else { throw .truncated }
    return try readArray(count: Int(count))
  }

  @_lifetime(self: copy self)
  fileprivate mutating func readParty() throws(DecodingError) -> Party {
    guard let party = Party(rawValue: try readUInt8()) else { throw .malformed("unknown party") }
    return party
  }
}

extension ByteWriter {
  fileprivate mutating func writeSized(_ bytes: [UInt8]) {
    writeBigSize(UInt64(bytes.count))
    write(bytes)
  }
}

extension ChannelStack {
  /// The identifiers of all parts and the parameters of the extensions.
  public func encode(to writer: inout ByteWriter) {
    writer.write(type(of: funding).id.rawValue)
    writer.writeBigSize(UInt64(extensions.count))
    for slot in extensions {
      writer.write(slot.id.rawValue)
      writer.writeSized(slot.encodedParameters)
    }
    writer.writeBigSize(UInt64(transforms.count))
    for transform in transforms { writer.write(type(of: transform).id.rawValue) }
  }

  public init(from reader: inout ByteReader, registry: ExtensionRegistry) throws(StoredStateError) {
    var slots: [any ExtensionSlot] = []
    var found: [any DraftTransform] = []
    let funding: any FundingScheme
    do {
      let fundingID = ExtensionID(rawValue: try reader.readUInt16())
      guard let scheme = registry.funding(fundingID) else { throw StoredStateError.unknownExtension(fundingID) }
      funding = scheme
      for _ in 0..<(try reader.readSmallCount()) {
        let id = ExtensionID(rawValue: try reader.readUInt16())
        let parameters = try reader.readSized()
        slots.append(try registry.slot(id, parameters: parameters.bytes))
      }
      for _ in 0..<(try reader.readSmallCount()) {
        let id = ExtensionID(rawValue: try reader.readUInt16())
        guard let transform = registry.transform(id) else { throw StoredStateError.unknownExtension(id) }
        found.append(transform)
      }
    } catch let error as DecodingError {
      throw .malformed(error)
    } catch let error as StoredStateError {
      throw error
    } catch {
      throw .malformed(.malformed("a stack that cannot be read"))
    }
    do { self = try ChannelStack(funding: funding, extensions: slots, transforms: found) } catch { throw .stack(error) }
  }
}

extension ChannelParameters: BinaryCodable {
  public init(from reader: inout ByteReader) throws(DecodingError) {
    try self.init(from: &reader, version: Channel.codingVersion)
  }

  init(from reader: inout ByteReader, version: UInt8) throws(DecodingError) {
    funder = try reader.readParty()
    parties = PerParty(local: try PartyParameters(from: &reader), remote: try PartyParameters(from: &reader))
    obscuringFactor = try reader.readUInt64()
    feeSpikeMultiple = try reader.readUInt32()
    maximumDustExposure = version < 2 ? Self.usualDustExposure : MilliSatoshi(try reader.readUInt64())
  }

  public func encode(to writer: inout ByteWriter) {
    writer.write(funder.rawValue)
    parties.local.encode(to: &writer)
    parties.remote.encode(to: &writer)
    writer.write(obscuringFactor)
    writer.write(feeSpikeMultiple)
    writer.write(maximumDustExposure.rawValue)
  }
}

extension PartyParameters: BinaryCodable {
  public init(from reader: inout ByteReader) throws(DecodingError) {
    dustLimit = Satoshi(try reader.readUInt64())
    contestDelay = try reader.readUInt16()
    reserve = Satoshi(try reader.readUInt64())
    basepoints = try Basepoints(from: &reader)
  }

  public func encode(to writer: inout ByteWriter) {
    writer.write(dustLimit.rawValue)
    writer.write(contestDelay)
    writer.write(reserve.rawValue)
    basepoints.encode(to: &writer)
  }
}

extension Basepoints: BinaryCodable {
  public init(from reader: inout ByteReader) throws(DecodingError) {
    var keys: [Basepoint: PublicKey] = [:]
    for _ in 0..<(try reader.readSmallCount()) {
      let basepoint = Basepoint(rawValue: try reader.readUInt8())
      guard keys.updateValue(try reader.read(), forKey: basepoint) == nil else { throw .malformed("a basepoint twice") }
    }
    self.init(keys)
  }

  public func encode(to writer: inout ByteWriter) {
    writer.writeBigSize(UInt64(all.count))
    for entry in all {
      writer.write(entry.basepoint.rawValue)
      writer.write(entry.key)
    }
  }
}

extension CounterSignature: BinaryCodable {
  public init(from reader: inout ByteReader) throws(DecodingError) {
    switch try reader.readUInt8() {
    case 0:
      do { self = .ecdsa(try ECDSASignature(compact: try reader.read())) } catch { throw .malformed("a signature") }
    case 1: self = .schnorr(SchnorrSignature(try reader.read()))
    case 2: self = .musigPartial(try PartialSignature(from: &reader))
    case 3: self = .adaptor(try reader.read())
    default: throw .malformed("unknown kind of signature")
    }
  }

  public func encode(to writer: inout ByteWriter) {
    switch self {
    case .ecdsa(let signature):
      writer.write(0 as UInt8)
      writer.write(signature.compact)
    case .schnorr(let signature):
      writer.write(1 as UInt8)
      writer.write(signature)
    case .musigPartial(let partial):
      writer.write(2 as UInt8)
      partial.encode(to: &writer)
    case .adaptor(let signature):
      writer.write(3 as UInt8)
      writer.write(signature)
    }
  }
}

extension CommitmentSignatures: BinaryCodable {
  public init(from reader: inout ByteReader) throws(DecodingError) {
    funding = try CounterSignature(from: &reader)
    let count = try reader.readBigSize()
    guard count <= UInt64(reader.remaining / 65) else { throw .truncated }
    children = []
    children.reserveCapacity(Int(count))
    for _ in 0..<count { children.append(try CounterSignature(from: &reader)) }
  }

  public func encode(to writer: inout ByteWriter) {
    funding.encode(to: &writer)
    writer.writeBigSize(UInt64(children.count))
    for child in children { child.encode(to: &writer) }
  }
}

extension KeyRef: BinaryCodable {
  public init(from reader: inout ByteReader) throws(DecodingError) {
    let basepoint = Basepoint(rawValue: try reader.readUInt8())
    guard let derivation = KeyDerivation(rawValue: try reader.readUInt8()),
      let side = Side(rawValue: try reader.readUInt8())
    else { throw .malformed("unknown key") }
    self.init(KeyRole(basepoint, derivation), side)
  }

  public func encode(to writer: inout ByteWriter) {
    writer.write(role.basepoint.rawValue)
    writer.write(role.derivation.rawValue)
    writer.write(side.rawValue)
  }
}

extension CommitmentState {
  func encode(to writer: inout ByteWriter, _ stacks: [ChannelStack]) {
    writer.write(UInt8(truncatingIfNeeded: stacks.firstIndex { $0.isSame(as: stack) } ?? 0))
    writer.writeBigSize(UInt64(retired.count))
    for (id, ledger) in retired.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      writer.write(id.rawValue)
      writer.writeSized(ledger)
    }
    writer.write(balances[.local].rawValue)
    writer.write(balances[.remote].rawValue)
    writer.write(feeRate.satPerKiloWeight)
    for ledger in ledgers { writer.writeSized(ledger.encoded) }
  }

  init(from reader: inout ByteReader, stacks: [ChannelStack], hasNumber: Bool) throws(DecodingError) {
    let number = hasNumber ? Int(try reader.readUInt8()) : 0
    guard stacks.indices.contains(number) else { throw .malformed("a commitment of no stack") }
    stack = stacks[number]
    for _ in 0..<(hasNumber ? try reader.readSmallCount() : 0) {
      let id = ExtensionID(rawValue: try reader.readUInt16())
      retired[id] = try reader.readSized()
    }
    balances = Balances(local: MilliSatoshi(try reader.readUInt64()), remote: MilliSatoshi(try reader.readUInt64()))
    feeRate = FeeRate(satPerKiloWeight: try reader.readUInt32())
    ledgers = []
    for slot in stack.extensions {
      let stored = try reader.readSized()
      ledgers.append(try slot.decodeLedger(stored.bytes))
    }
  }
}

extension Channel.FundingState {
  func encode(to writer: inout ByteWriter, _ stacks: [ChannelStack]) {
    funding.outPoint.encode(to: &writer)
    writer.write(funding.capacity.rawValue)
    base.encode(to: &writer, stacks)
    local.encode(to: &writer, stacks)
    for state in remote { state.encode(to: &writer, stacks) }
  }

  init(
    from reader: inout ByteReader, stacks: [ChannelStack], unrevoked: Int, hasNumbers: Bool
  ) throws(DecodingError) {
    funding = Funding(outPoint: try OutPoint(from: &reader), capacity: Satoshi(try reader.readUInt64()))
    base = try CommitmentState(from: &reader, stacks: stacks, hasNumber: hasNumbers)
    local = try CommitmentState(from: &reader, stacks: stacks, hasNumber: hasNumbers)
    remote = []
    for _ in 0..<unrevoked {
      remote.append(try CommitmentState(from: &reader, stacks: stacks, hasNumber: hasNumbers))
    }
  }
}

extension LogEntry {
  func encode(to writer: inout ByteWriter, isKeptApart: (UInt64, AnyUpdate) -> Bool) {
    writer.write(serial)
    writer.write(author.rawValue)
    writer.write(stage.rawValue)
    switch content {
    case .feeRate(let rate):
      writer.write(0 as UInt8)
      writer.write(rate.satPerKiloWeight)
    case .extension(let position, let update) where isKeptApart(serial, update):
      writer.write(2 as UInt8)
      writer.writeBigSize(UInt64(position))
    case .extension(let position, let update):
      writer.write(1 as UInt8)
      writer.writeBigSize(UInt64(position))
      writer.writeSized(update.encoded)
    case .stack(let change):
      // The stack itself stands at the beginning.
      writer.write(3 as UInt8)
      for party in Party.allCases { change.basepoints[party].encode(to: &writer) }
    }
  }

  init(
    from reader: inout ByteReader, stacks: [ChannelStack], serial: UInt64, apart: [UInt64: [UInt8]]
  ) throws(DecodingError) {
    let author = try reader.readParty()
    guard let stage = UpdateStage(rawValue: try reader.readUInt8()), stage != .irrevocable else {
      throw .malformed("unknown stage")
    }
    let content: UpdateContent
    switch try reader.readUInt8() {
    case 0: content = .feeRate(FeeRate(satPerKiloWeight: try reader.readUInt32()))
    case let kind where kind == 1 || kind == 2:
      let position = try reader.readSmallCount()
      let stack = stacks[0]
      guard stack.extensions.indices.contains(position) else { throw .malformed("an update of no extension") }
      guard let stored = try kind == 1 ? reader.readSized() : apart[serial] else {
        throw .malformed("an update that is not there")
      }
      content = .extension(position, try stack.extensions[position].decodeUpdate(stored.bytes))
    case 3:
      guard stacks.count == 2 else { throw .malformed("a change of the stack without one") }
      content = .stack(
        StackChange(
          stack: stacks[1],
          basepoints: PerParty(local: try Basepoints(from: &reader), remote: try Basepoints(from: &reader))))
    default: throw .malformed("unknown update")
    }
    self.init(serial: serial, author: author, content: content, stage: stage)
  }
}

extension ShachainStore: BinaryCodable {
  public init(from reader: inout ByteReader) throws(DecodingError) {
    self.init()
    for _ in 0..<(try reader.readSmallCount()) {
      guard let index = ShachainIndex(rawValue: try reader.readUInt64()) else { throw .tooLarge }
      do { try insert(PerCommitmentSecret(try reader.read()), at: index) } catch {
        throw .malformed("secrets that do not fit")
      }
    }
  }

  public func encode(to writer: inout ByteWriter) {
    // In the order of their arrival, from the highest index down, so that reading them makes the same checks.
    let known = entries.compactMap { $0 }.sorted { $0.index > $1.index }
    writer.writeBigSize(UInt64(known.count))
    for entry in known {
      writer.write(entry.index.rawValue)
      writer.write(entry.secret)
    }
  }
}
