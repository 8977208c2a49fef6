internal import Bitcoin
internal import Encoding
public import GLC
internal import Secp256k1

// The stored form of a negotiation that is signed: one version byte, then fields in a fixed order. What can be made again is not stored.

extension Opening {
  static let codingVersion: UInt8 = 1

  public var encoded: [UInt8] {
    var writer = ByteWriter(reservingCapacity: 4096)
    writer.write(Self.codingVersion)
    writer.write(id)
    writer.write(flag: isOpener)
    writer.write(nodes.local)
    writer.write(nodes.remote)
    writer.writeBigSized(deal.encoded)
    writer.write(optional: terms.local) { $0.encode(to: &$1) }
    writer.write(optional: terms.remote) { $0.encode(to: &$1) }
    writer.write(stage.rawValue)
    writer.write(round)
    let slots = stack?.extensions ?? []
    writer.writeBigSize(UInt64(slots.count))
    for slot in slots {
      writer.write(slot.id.rawValue)
      writer.writeBigSized(slot.encodedParameters)
    }
    writer.writeBigSize(UInt64(plan.inputs.count))
    for input in plan.inputs {
      writer.write(input.serial)
      writer.writeBigSized(input.previous.encoded(withWitness: true))
      writer.write(input.vout)
      writer.write(input.sequence)
    }
    writer.writeBigSize(UInt64(plan.outputs.count))
    for output in plan.outputs {
      writer.write(output.serial)
      writer.write(output.output.value.rawValue)
      writer.writeBigSized(output.output.scriptPubKey.bytes)
      writer.write(flag: output.isChannel)
    }
    writer.write(optional: remoteNonce) { $1.write($0) }
    writer.write(optional: channel?.signatures.first) { $0.encode(to: &$1) }
    for party in [Party.local, .remote] {
      writer.write(optional: witnesses[party]) { witnesses, writer in
        writer.writeBigSize(UInt64(witnesses.count))
        for witness in witnesses { writer.write(witness) }
      }
    }
    writer.write(flag: hasSentWitnesses)
    writer.write(optional: signedAt) { $1.write($0) }
    return writer.bytes
  }

  /// Reads what `encoded` wrote; there is no connection then. `signer` is told again what it has signed.
  public init(
    decoding bytes: RawSpan, policy: OpeningPolicy, registry: ExtensionRegistry, signer: some ChannelSigner
  ) throws(StoredStateError) {
    let stored: StoredOpening
    do throws(DecodingError) { stored = try StoredOpening(decoding: bytes) } catch { throw .malformed(error) }
    let setting: StackSetting
    let stack: ChannelStack
    do throws(ComposingError) {
      setting = try registry.setting(for: stored.deal.stack, limits: policy.limits, acceptable: policy.acceptable)
      stack = try registry.stack(stored.deal.stack, parameters: stored.parameters, asSeenBy: .local)
    } catch {
      throw .malformed(.malformed("a stack that cannot be composed"))
    }
    self.init(
      id: stored.id, isOpener: stored.isOpener, nodes: stored.nodes, deal: stored.deal, terms: stored.terms,
      policy: policy, registry: registry, setting: setting, stage: stored.stage)
    self.stack = stack
    round = stored.round
    plan = stored.plan
    remoteNonce = stored.remoteNonce
    witnesses = stored.witnesses
    hasSentWitnesses = stored.hasSentWitnesses
    signedAt = stored.signedAt
    isConnected = false
    do throws(Refusal) {
      let made = try makeChannel(stack)
      _ = try promise(made, signer)
      channel = stored.signatures.map { made.signed([$0]) } ?? made
    } catch {
      throw .malformed(.malformed("a negotiation whose channel cannot be made"))
    }
  }
}

/// What is written of a negotiation.
private struct StoredOpening {
  var id: NegotiationID
  var isOpener: Bool
  var nodes: PerParty<PublicKey>
  var deal: Deal
  var terms = PerParty<OpeningTerms?>(local: nil, remote: nil)
  var stage: Opening.Stage
  var round: UInt8
  var parameters: [ExtensionID: [UInt8]] = [:]
  var plan: FundingPlan
  var remoteNonce: MuSigPublicNonce?
  var signatures: CommitmentSignatures?
  var witnesses = PerParty<[Witness]?>(local: nil, remote: nil)
  var hasSentWitnesses = false
  var signedAt: UInt32?

  init(decoding bytes: RawSpan) throws(DecodingError) {
    var reader = ByteReader(bytes)
    let version = try reader.readUInt8()
    guard version == Opening.codingVersion else { throw .malformed("unknown version of a negotiation") }
    id = try reader.read()
    isOpener = try reader.readFlag()
    let own: PublicKey = try reader.read()
    let other: PublicKey = try reader.read()
    nodes = PerParty(local: own, remote: other)
    let encodedDeal = try reader.readSized()
    deal = try Deal(decoding: encodedDeal.bytes)
    plan = FundingPlan(lockTime: deal.lockTime)
    if try reader.readFlag() { terms.local = try OpeningTerms(from: &reader) }
    if try reader.readFlag() { terms.remote = try OpeningTerms(from: &reader) }
    let number = try reader.readUInt8()
    guard let stage = Opening.Stage(rawValue: number), stage >= .committing else {
      throw .malformed("a stage that is not stored")
    }
    self.stage = stage
    round = try reader.readUInt8()
    let extensionCount = try reader.readCount(ofAtLeast: 3, atMost: 64)
    for _ in 0..<extensionCount {
      let id = ExtensionID(rawValue: try reader.readUInt16())
      parameters[id] = try reader.readSized()
    }
    try readPlan(&reader)
    if try reader.readFlag() { remoteNonce = try reader.read() }
    if try reader.readFlag() { signatures = try CommitmentSignatures(from: &reader) }
    witnesses.local = try Self.readWitnesses(&reader)
    witnesses.remote = try Self.readWitnesses(&reader)
    hasSentWitnesses = try reader.readFlag()
    if try reader.readFlag() { signedAt = try reader.readUInt32() }
    try reader.finish()
    guard stage == .committing || signatures != nil else { throw .malformed("a signature is missing") }
  }

  private mutating func readPlan(_ reader: inout ByteReader) throws(DecodingError) {
    let inputCount = try reader.readCount(ofAtLeast: 17, atMost: NegotiationLimits.inputs)
    for _ in 0..<inputCount {
      let serial = try reader.readUInt64()
      let previous = try reader.readTransaction()
      let vout = try reader.readUInt32()
      let sequence = try reader.readUInt32()
      plan.add(FundingPlan.Input(serial: serial, previous: previous, vout: vout, sequence: sequence))
    }
    let outputCount = try reader.readCount(ofAtLeast: 18, atMost: NegotiationLimits.outputs)
    for _ in 0..<outputCount {
      let serial = try reader.readUInt64()
      let value = Satoshi(try reader.readUInt64())
      let script = Script(try reader.readSized())
      let isChannel = try reader.readFlag()
      plan.add(
        FundingPlan.Output(
          serial: serial, output: TxOutput(value: value, scriptPubKey: script), isChannel: isChannel))
    }
  }

  private static func readWitnesses(_ reader: inout ByteReader) throws(DecodingError) -> [Witness]? {
    guard try reader.readFlag() else { return nil }
    var found: [Witness] = []
    let count = try reader.readCount(ofAtLeast: 2, atMost: NegotiationLimits.inputs)
    for _ in 0..<count { found.append(try reader.readWitness()) }
    return found
  }
}
