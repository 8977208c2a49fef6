public import Bitcoin
public import Encoding
public import GLC
public import Secp256k1

// The stored form of a resolver: one version byte, then fields in a fixed order. Whoever changes it adds a version and keeps the old
// reader. What follows from other fields is not stored: outputs follow from the blocks, claims from outputs and a few figures.

/// Why a stored resolver cannot be read.
public enum ResolverDecodingError: Error, Hashable, Sendable {
  case malformed(DecodingError)
  /// Written by a later version.
  case unknownVersion(UInt8)
  /// The channel inside it cannot be read.
  case channel(StoredStateError)
  /// Its commitments cannot be made again.
  case commitments
}

extension Resolver {
  /// 2 has why a claim is not on its way, and second stages that share a transaction.
  static let codingVersion: UInt8 = 2

  /// All that a process needs to go on after it was killed, apart from what `ResolverInput` asks for by closures.
  public var encoded: [UInt8] {
    var writer = ByteWriter(reservingCapacity: 4096)
    writer.write(Self.codingVersion)
    input.encode(to: &writer)
    options.encode(to: &writer)
    writer.write(state.height)
    state.estimates.encode(to: &writer)
    writer.write(state.isResolved ? 1 : 0 as UInt8)
    let secrets = state.knowledge.secrets.sorted {
      ($0.key.kind.rawValue, $0.key.value) < ($1.key.kind.rawValue, $1.key.value)
    }
    writer.writeCompactSize(secrets.count)
    for (id, secret) in secrets {
      writer.write(id.kind.rawValue)
      writer.write(id.value)
      writer.writeCompactSized(secret)
    }
    writer.writeOptional(state.closing) { writer, closing in
      writer.writeOptional(closing.deadline) { $0.write($1) }
      writer.write(closing.since)
    }
    writer.writeOptional(state.pending) { $0.writeCompactSized($1.encoded) }
    writer.writeCompactSize(facts.count)
    for fact in facts {
      writer.write(fact.height)
      writer.writeCompactSize(fact.transactions.count)
      for transaction in fact.transactions { writer.writeCompactSized(transaction.encoded) }
    }
    writer.writeCompactSize(state.ours.count)
    for outPoint in state.ours.sorted() { outPoint.encode(to: &writer) }
    writer.writeCompactSize(state.uneconomic.count)
    for (outPoint, since) in state.uneconomic.sorted(by: { $0.key < $1.key }) {
      outPoint.encode(to: &writer)
      writer.write(since)
    }
    writer.writeCompactSize(state.attempts.count)
    for attempt in state.attempts { write(attempt, &writer) }
    return writer.bytes
  }

  /// Reads what `encoded` wrote. Then comes `resume()`, and then the blocks above `height`.
  /// - Parameters:
  ///   - registry: the extensions that the channel may be composed of.
  ///   - points, records: see `ResolverInput`.
  public init(
    decoding bytes: RawSpan, registry: ExtensionRegistry,
    points: @escaping @Sendable (UInt64) -> PublicKey? = { _ in nil },
    records: @escaping @Sendable (UInt64, OutPoint) -> RevocationRecord?
  ) throws(ResolverDecodingError) {
    var reader = ByteReader(bytes)
    let version = bytes.byteCount > 0 ? bytes[0] : 0
    guard bytes.byteCount == 0 || (1...Self.codingVersion).contains(version) else { throw .unknownVersion(version) }
    do { try reader.skip(1) } catch { throw .malformed(error) }
    let input = try ResolverInput(from: &reader, registry: registry, points: points, records: records)
    do throws(DecodingError) {
      self.init(input, options: try Options(from: &reader))
      let height = try reader.readUInt32()
      state.estimates = try FeeEstimates(from: &reader)
      state.isResolved = try reader.readFlag()
      for _ in 0..<(try reader.readCount(minimumSize: 34)) {
        guard let kind = SecretID.Kind(rawValue: try reader.readUInt8()) else { throw .malformed("unknown secret") }
        let id = SecretID(kind: kind, value: try reader.read())
        state.knowledge.secrets[id] = try reader.readCompactSizedBytes().array
      }
      if try reader.readFlag() {
        let deadline = try reader.readFlag() ? try reader.readUInt32() : nil
        state.closing = Closing(deadline: deadline, since: try reader.readUInt32())
        guard state.closing?.since ?? 0 <= height else { throw .malformed("closing since a height to come") }
      }
      if try reader.readFlag() { state.pending = try Transaction(decoding: reader.readCompactSizedBytes()) }
      for _ in 0..<(try reader.readCount(minimumSize: 5)) {
        let factHeight = try reader.readUInt32()
        guard factHeight <= height, facts.last.map({ $0.height < factHeight }) ?? true else {
          throw .malformed("blocks out of order")
        }
        var transactions: [Transaction] = []
        for _ in 0..<(try reader.readCount(minimumSize: 10)) {
          transactions.append(try Transaction(decoding: reader.readCompactSizedBytes()))
        }
        facts.append(Fact(height: factHeight, transactions: transactions))
      }
      for _ in 0..<(try reader.readCount(minimumSize: 36)) { state.ours.insert(try OutPoint(from: &reader)) }
      for _ in 0..<(try reader.readCount(minimumSize: 40)) {
        state.uneconomic[try OutPoint(from: &reader)] = try reader.readUInt32()
      }
      var told: [ResolverAction] = []
      for fact in facts { tell(fact, &told) }
      state.height = height
      for _ in 0..<(try reader.readCount(minimumSize: 20)) { state.attempts.append(try readAttempt(&reader, version)) }
      try reader.finish()
    } catch {
      throw .malformed(error)
    }
  }

  // MARK: Claims

  private func write(_ attempt: Attempt, _ writer: inout ByteWriter) {
    let claim = attempt.claim
    switch claim.purpose {
    case .sweep: writer.write(0 as UInt8)
    case .children: writer.write(1 as UInt8)
    case .parent: writer.write(2 as UInt8)
    }
    writer.write(attempt.firstHeight)
    writer.write(attempt.lastHeight)
    writer.write(claim.lockTime)
    writer.write(claim.feeRate.satPerKiloWeight)
    writer.write(claim.fee.rawValue)
    writer.write(claim.weight.rawValue)
    writer.writeOptional(claim.deadline) { $0.write($1) }
    writer.write(claim.isReplacement ? 1 : 0 as UInt8)
    writer.write(attempt.obstacle?.rawValue ?? 0)
    writer.writeCompactSize(claim.spends.count)
    for spend in claim.spends {
      spend.outPoint.encode(to: &writer)
      writer.writeCompactSize(self.paths(of: spend.outPoint)?.firstIndex(of: spend.path) ?? 0)
    }
  }

  private func paths(of outPoint: OutPoint) -> [SpendPath]? {
    if let position = state.positions[outPoint] { return state.outputs[position].paths }
    return input.commitment(outPoint.txid)?.commitment.output(at: outPoint)?.output.paths
  }

  private func readAttempt(_ reader: inout ByteReader, _ version: UInt8) throws(DecodingError) -> Attempt {
    let kind = try reader.readUInt8()
    let (firstHeight, lastHeight) = (try reader.readUInt32(), try reader.readUInt32())
    let lockTime = try reader.readUInt32()
    let feeRate = FeeRate(satPerKiloWeight: try reader.readUInt32())
    let (fee, weight) = (Satoshi(try reader.readUInt64()), Weight(try reader.readUInt64()))
    // More than any transaction has; figures that are added to must stay far from their limits.
    guard firstHeight <= lastHeight, lastHeight <= state.height, fee <= .maxMoney, weight.rawValue <= 4_000_000 else {
      throw .malformed("a claim's figures")
    }
    let deadline = try reader.readFlag() ? try reader.readUInt32() : nil
    let isReplacement = try reader.readFlag()
    let code = version == 1 ? 0 : try reader.readUInt8()
    let obstacle = ClaimObstacle(rawValue: code)
    guard obstacle != nil || code == 0 else { throw .malformed("unknown obstacle") }
    var spends: [OutputSpend] = []
    for _ in 0..<(try reader.readCount(minimumSize: 37)) {
      let outPoint = try OutPoint(from: &reader)
      let index = try reader.readCompactSize()
      guard let paths = paths(of: outPoint), index < UInt64(paths.count) else { throw .malformed("a claim of nothing") }
      spends.append(try spend(outPoint, Int(index), isHelp: kind == 2))
    }
    guard let first = spends.first else { throw .malformed("an empty claim") }
    var claim = Claim(
      purpose: .sweep, spends: spends, sequences: spends.map(\.path.sequence), version: 2, lockTime: lockTime,
      destination: input.destination, feeRate: feeRate, fee: fee, weight: weight, deadline: deadline,
      isReplacement: isReplacement, keys: try keys(of: first.outPoint, isHelp: kind == 2))
    switch kind {
    case 0: break
    case 1:
      let templates = spends.compactMap {
        if case .presigned(let template) = $0.path.execution { template } else { nil }
      }
      guard let template = templates.first, templates.count == spends.count,
        spends.count == 1 || zip(templates, spends).allSatisfy({ $0.canBeJoined(spending: $1.value) })
      else { throw .malformed("a second stage that is none") }
      claim.purpose = .children(templates)
      claim.sequences = templates.map(\.sequence)
      claim.version = template.version
    case 2:
      guard spends.count == 1, let known = input.commitment(first.outPoint.txid)?.commitment else {
        throw .malformed("help for nothing")
      }
      claim.purpose = .parent(known.transaction, fee: known.fee, weight: known.broadcastWeight(input.stack))
      claim.sequences = [Claim.replaceable]
      claim.version = known.transaction.version == 3 ? 3 : 2
    default: throw .malformed("unknown claim")
    }
    return Attempt(claim: claim, firstHeight: firstHeight, lastHeight: lastHeight, obstacle: obstacle)
  }

  private func spend(_ outPoint: OutPoint, _ index: Int, isHelp: Bool) throws(DecodingError) -> OutputSpend {
    if isHelp {
      guard let sealed = input.commitment(outPoint.txid)?.commitment.output(at: outPoint) else {
        throw .malformed("a claim of nothing")
      }
      return OutputSpend(
        outPoint: outPoint, value: sealed.output.value, lock: sealed.output.lock, path: sealed.output.paths[index])
    }
    guard let position = state.positions[outPoint] else { throw .malformed("a claim of nothing") }
    let output = state.outputs[position]
    let path = output.paths[index]
    guard path.spender == state.knowledge.side else { throw .malformed("a claim by the other side") }
    return OutputSpend(
      outPoint: outPoint, value: output.value, lock: output.lock, path: path,
      secret: path.conditions.secret.flatMap { state.knowledge.secrets[$0] },
      counterSignature: output.counterSignatures[index])
  }

  private func keys(of outPoint: OutPoint, isHelp: Bool) throws(DecodingError) -> SpendingKeys {
    if isHelp, let known = input.commitment(outPoint.txid) {
      return SpendingKeys(side: known.side, keys: known.commitment.context.keys)
    }
    guard !isHelp, let keys = state.close?.keys else { throw .malformed("a claim without keys") }
    return keys
  }
}

extension ResolverInput {
  /// A commitment that can be confirmed without being punished, and which side of it we are.
  func commitment(_ txid: TxID) -> (commitment: Commitment, side: Side)? {
    if let own = local.first(where: { $0.commitment.txid == txid }) { return (own.commitment, .holder) }
    return remote.joined().first { $0.txid == txid }.map { ($0, .counterparty) }
  }

  func encode(to writer: inout ByteWriter) {
    writer.writeCompactSized(channel)
    writer.write(localPoint)
    writer.writeCompactSized(destination.bytes)
    writer.writeCompactSize(closings.count)
    for txid in closings.sorted() { writer.write(txid) }
    writer.writeOptional(remotePoint) { $0.write($1) }
    writer.write(mayPublish ? 1 : 0 as UInt8)
  }

  init(
    from reader: inout ByteReader, registry: ExtensionRegistry, points: @escaping @Sendable (UInt64) -> PublicKey?,
    records: @escaping @Sendable (UInt64, OutPoint) -> RevocationRecord?
  ) throws(ResolverDecodingError) {
    let bytes: [UInt8]
    let point: PublicKey
    let destination: Script
    var closings: Set<TxID> = []
    var remotePoint: PublicKey?
    let mayPublish: Bool
    do throws(DecodingError) {
      bytes = try reader.readCompactSizedBytes().array
      point = try reader.read()
      destination = Script(try reader.readCompactSizedBytes().array)
      for _ in 0..<(try reader.readCount(minimumSize: 32)) { closings.insert(try reader.read()) }
      if try reader.readFlag() { remotePoint = try reader.read() }
      mayPublish = try reader.readFlag()
    } catch {
      throw .malformed(error)
    }
    let channel: Channel
    do { channel = try Channel(decoding: bytes.bytes, registry: registry) } catch { throw .channel(error) }
    do {
      self = try ResolverInput(
        channel, signer: StoredPoint(number: channel.localNumber, point: point), destination: destination,
        closings: closings, remotePoint: remotePoint, records: records)
    } catch {
      throw .commitments
    }
    self.mayPublish = mayPublish
    self.points = points
  }
}

/// Answers the one question that making our latest commitment asks.
private struct StoredPoint: ChannelSigner {
  let number: UInt64
  let point: PublicKey

  func perCommitmentPoint(_ number: UInt64) throws(SignerRefusal) -> PublicKey {
    guard number == self.number else { throw SignerRefusal("only the present point is stored") }
    return point
  }
  func revocationSecret(_ number: UInt64) throws(SignerRefusal) -> Bytes32 { throw SignerRefusal("no secrets here") }
  func revocationSecretForProof(_ number: UInt64) throws(SignerRefusal) -> Bytes32 {
    throw SignerRefusal("no secrets here")
  }
  func nonce(_ number: UInt64, on funding: OutPoint) throws(SignerRefusal) -> MuSigPublicNonce {
    throw SignerRefusal("no secrets here")
  }
  func pairNonces(_ commitment: Commitment) throws(SignerRefusal) -> [MuSigPublicNonce] {
    throw SignerRefusal("no secrets here")
  }
  func sign(
    _ commitment: Commitment, nonce: MuSigPublicNonce?, presignatures: [CounterSignature]
  ) throws(SignerRefusal) -> CommitmentSignatures {
    throw SignerRefusal("no secrets here")
  }
  func presign(_ commitment: Commitment, nonces: [MuSigPublicNonce]) throws(SignerRefusal) -> [CounterSignature] {
    throw SignerRefusal("no secrets here")
  }
}

extension Commitment {
  func output(at outPoint: OutPoint) -> SealedOutput? { outputs.first { $0.outPoint == outPoint } }

  /// With the witness of its funding input.
  func broadcastWeight(_ stack: ChannelStack) -> Weight {
    Weight(transaction.weight.rawValue + stack.funding.expectedWitnessWeight.rawValue)
  }
}

extension FeeEstimates {
  fileprivate func encode(to writer: inout ByteWriter) {
    writer.writeCompactSize(entries.count)
    for entry in entries {
      writer.write(entry.blocks)
      writer.write(entry.rate.satPerKiloWeight)
    }
  }

  fileprivate init(from reader: inout ByteReader) throws(DecodingError) {
    var entries: [Entry] = []
    for _ in 0..<(try reader.readCount(minimumSize: 8)) {
      entries.append(
        Entry(blocks: try reader.readUInt32(), rate: FeeRate(satPerKiloWeight: try reader.readUInt32())))
    }
    self.init(entries)
  }
}

extension Resolver.Options {
  fileprivate func encode(to writer: inout ByteWriter) {
    for number in [depth, batchWindow, securityDelay, UInt32(clamping: batchSize)] { writer.write(number) }
    for number in [fees.urgentBlocks, fees.patientBlocks, fees.incrementalRate.satPerKiloWeight] {
      writer.write(number)
    }
    for number in [fees.maximumShare, fees.minimumRaise, fees.dustLimit.rawValue] { writer.write(number) }
  }

  fileprivate init(from reader: inout ByteReader) throws(DecodingError) {
    self.init()
    depth = try reader.readUInt32()
    batchWindow = try reader.readUInt32()
    securityDelay = try reader.readUInt32()
    batchSize = Int(try reader.readUInt32())
    fees.urgentBlocks = try reader.readUInt32()
    fees.patientBlocks = try reader.readUInt32()
    fees.incrementalRate = FeeRate(satPerKiloWeight: try reader.readUInt32())
    fees.maximumShare = try reader.readUInt64()
    fees.minimumRaise = try reader.readUInt64()
    fees.dustLimit = Satoshi(try reader.readUInt64())
    // Multiplied by fee rates.
    guard fees.minimumRaise <= 10_000, fees.dustLimit <= .maxMoney else { throw .malformed("a fee policy") }
  }
}

extension ByteWriter {
  fileprivate mutating func writeOptional<T>(_ value: T?, _ write: (inout ByteWriter, T) -> Void) {
    self.write(value == nil ? 0 : 1 as UInt8)
    if let value { write(&self, value) }
  }
}

extension ByteReader {
  @_lifetime(self: copy self)
  fileprivate mutating func readFlag() throws(DecodingError) -> Bool {
    switch try readUInt8() {
    case 0: return false
    case 1: return true
    default: throw .malformed("neither yes nor no")
    }
  }
}
