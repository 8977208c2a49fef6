public import Bitcoin
internal import Encoding
public import GLC
internal import Hashing
public import Onchain
internal import Secp256k1
internal import Signer

/// What the parties of a simulated channel do with it. One value drives both ends, so it may know what each of them would know.
public protocol SimulatedTraffic: Sendable {
  /// Something that this party might do now, seen from its own channel; nil for nothing.
  mutating func proposal(
    by index: Int, in channel: Channel, _ random: inout SeededGenerator
  ) -> UpdateContent?
  /// Something that this party can do to end an agreement; nil when nothing is open on its side.
  mutating func resolution(by index: Int, in channel: Channel, _ random: inout SeededGenerator) -> UpdateContent?
  /// From now on nothing is left open.
  mutating func finish()
  /// The secrets that this party has when the channel goes to the chain.
  func secrets(of index: Int, in channel: Channel) -> [SecretID: [UInt8]]
}

extension SimulatedTraffic {
  public mutating func finish() {}
  public func secrets(of index: Int, in channel: Channel) -> [SecretID: [UInt8]] { [:] }
}

/// Why a simulation failed, with the seed that repeats it.
public struct SimulationFailure: Error, Sendable, CustomStringConvertible {
  public let seed: UInt64
  public let step: Int
  public let reason: String
  public var description: String { "seed \(seed), step \(step): \(reason)" }
}

/// Two ends of one channel and the connection between them: random updates from both sides, messages on their way, connections that
/// break, processes that die between any two effects. Whatever happens, both ends must come to agree, and no value may come or go.
public struct TwoPartySimulator<Traffic: SimulatedTraffic>: Sendable {
  /// 0 opened the channel and pays the fees.
  public private(set) var parties: [SimulatedParty]
  public private(set) var traffic: Traffic
  /// Messages on their way to each party, oldest first.
  private var inFlight: [[ChannelMessage]] = [[], []]
  var random: SeededGenerator
  private(set) var step = 0
  /// What each party keeps of commitments that the other one has revoked, by number.
  public private(set) var records: [[UInt64: RevocationRecord]] = [[:], [:]]
  /// Each party's channel at every commitment that it has held: what a cheat would keep.
  public private(set) var past: [[Channel]] = [[], []]
  let stack: ChannelStack
  /// The stacks that the channel may have.
  private let stacks: [ChannelStack]
  let registry: ExtensionRegistry
  /// The one that both are about to make it: until then nobody offers anything.
  private var goal: ChannelStack?
  /// What watches each party's nonces.
  let audits = [NonceAudit(), NonceAudit()]
  public private(set) var statistics = Statistics()

  public struct Statistics: Hashable, Sendable {
    public var updates = 0
    public var refusedProposals = 0
    public var commitments = 0
    public var disconnects = 0
    public var crashes = 0
    public var irrevocable = 0
    public var stackChanges = 0
    public var refusedStackChanges = 0
  }

  public struct Options: Sendable {
    public var capacity = Satoshi(10_000_000)
    public var feeRate = FeeRate(satPerKiloWeight: 2500)
    public var openerBalance = MilliSatoshi(6_000_000_000)
    /// Other stacks, which look the same to both: now and then, the parties exchange the channel's for one of them, or back.
    public var otherStacks: [ChannelStack] = []
    public init() {}
  }

  public init(seed: UInt64, stack: ChannelStack, traffic: Traffic, options: Options = Options()) throws {
    self.stack = stack
    self.traffic = traffic
    stacks = [stack] + options.otherStacks
    registry = ExtensionRegistry(stacks)
    random = SeededGenerator(seed: seed)
    let first = Set(stack.keys.map(\.role.basepoint) + [.payment])
    let basepoints = Array(first.union(stacks.flatMap { $0.keys.map(\.role.basepoint) })).sorted()
    let makers = audits.enumerated().map { index, audit in
      { @Sendable (marks: LocalSigner.Marks) in
        LocalSigner(
          channelSeed: sha256(Array("glc simulator \(seed) \(index)".utf8)), basepoints: basepoints, marks: marks,
          audit: audit)
      }
    }
    let signers = makers.map { $0(LocalSigner.Marks()) }
    let funding = Funding(
      outPoint: OutPoint(txid: TxID(sha256(Array("funding \(seed)".utf8))), vout: 0), capacity: options.capacity)
    guard let capacity = options.capacity.milliSatoshi, let rest = capacity.subtracting(options.openerBalance) else {
      throw SimulationFailure(seed: seed, step: 0, reason: "the opener has more than the channel")
    }
    let factor = obscuringFactor(
      openerPaymentBasepoint: try signers[0].basepoint(.payment),
      acceptorPaymentBasepoint: try signers[1].basepoint(.payment))

    func nonces(of signer: LocalSigner, _ number: UInt64) throws -> [FundingNonce] {
      guard stack.funding.signsTogether else { return [] }
      return [
        FundingNonce(funding: funding.outPoint.txid, nonce: try signer.nonce(number, on: funding.outPoint))
      ]
    }
    // Each end signs the other's first commitment. To make a commitment one needs no signatures, so a channel with none does.
    var channels: [Channel] = []
    for index in 0..<2 {
      func own(_ index: Int) -> PartyParameters {
        PartyParameters(
          dustLimit: Satoshi(index == 0 ? 354 : 546), contestDelay: index == 0 ? 144 : 720, reserve: Satoshi(100_000),
          basepoints: Basepoints(
            Dictionary(
              signers[index].basepoints.all.filter { first.contains($0.basepoint) }.map { ($0.basepoint, $0.key) }
            ) { one, _ in one }))
      }
      let parameters = ChannelParameters(
        funder: index == 0 ? .local : .remote, parties: PerParty(local: own(index), remote: own(1 - index)),
        obscuringFactor: factor)
      let balances = Balances(
        local: index == 0 ? options.openerBalance : rest, remote: index == 0 ? rest : options.openerBalance)
      channels.append(
        Channel(
          stack: stack, parameters: parameters, funding: funding, balances: balances, feeRate: options.feeRate,
          remotePoints: (
            try signers[1 - index].perCommitmentPoint(0), try signers[1 - index].perCommitmentPoint(1)
          ),
          remoteNonces: try nonces(of: signers[1 - index], 1)))
    }
    parties = []
    for index in 0..<2 {
      // The other end's signatures on our first commitment.
      let nonce = try nonces(of: signers[index], 0).first?.nonce
      let signatures = try channels[1 - index].remoteCommitments()[0].map {
        try signers[1 - index].sign($0, nonce: nonce)
      }
      parties.append(
        SimulatedParty(
          channel: channels[index].signed(signatures), registry: registry, makeSigner: makers[index]))
    }
  }

  /// The same channel, to go another way from here.
  public var copy: Self {
    var copy = self
    for index in copy.parties.indices { copy.parties[index].detach() }
    return copy
  }

  func fail(_ reason: String) -> SimulationFailure {
    SimulationFailure(seed: random.seed, step: step, reason: reason)
  }

  // MARK: Running

  /// Takes that many random steps, then lets the connection settle and checks that both ends agree.
  public mutating func run(steps: Int) throws {
    for _ in 0..<steps { try takeStep() }
    try settle()
  }

  /// Takes that many random steps and stops wherever that leads.
  public mutating func interrupt(after steps: Int) throws { for _ in 0..<steps { try takeStep() } }

  private mutating func takeStep() throws {
    step += 1
    let index = Int(random.below(2))
    if stacks.count > 1 { try changeStack(by: index) }
    switch random.below(100) {
    case ..<30 where isSilent: break
    case ..<16:
      if let update = traffic.proposal(by: index, in: parties[index].channel, &random) { try offer(update, by: index) }
    case ..<28:
      if let update = traffic.resolution(by: index, in: parties[index].channel, &random) {
        try offer(update, by: index)
      }
    case ..<30:
      let rate = FeeRate(satPerKiloWeight: UInt32(253 + random.below(8000)))
      if parties[index].channel.parameters.funder == .local, parties[index].channel.stack.paysFees {
        try offer(.feeRate(rate), by: index)
      }
    case ..<45: try commitIfPossible(index)
    case ..<97: try deliver(to: index)
    case ..<99: try reconnect()
    default:
      try restart(index)
      statistics.crashes += 1
      try reconnect()
    }
  }

  /// Whether the stack is about to change: from before it is proposed until it has arrived.
  private var isSilent: Bool {
    goal != nil
      || inFlight.contains { messages in
        messages.contains { if case .update(.stack) = $0 { true } else { false } }
      }
  }

  /// What quiescence is to real nodes: nobody offers anything until nothing is on its way.
  private mutating func changeStack(by index: Int) throws {
    if goal == nil, random.chance(oneIn: 80) {
      goal = stacks[Int(random.below(UInt64(stacks.count)))]
    }
    guard let goal, inFlight.allSatisfy(\.isEmpty),
      parties.allSatisfy({ party in
        party.channel.connection == .established && party.channel.log.entries.isEmpty && !party.channel.awaitsRevocation
          && !party.channel.isChangingStack
      })
    else { return }
    self.goal = nil
    // All that the stack names: what one side has known since a change that was lost, the other has forgotten.
    let named = Set(goal.keys.map(\.role.basepoint))
    func added(_ party: Int) -> Basepoints {
      Basepoints(
        Dictionary(
          parties[party].signer.basepoints.all.filter { named.contains($0.basepoint) }.map { ($0.basepoint, $0.key) }
        ) { first, _ in first })
    }
    let change = StackChange(stack: goal, basepoints: PerParty(local: added(index), remote: added(1 - index)))
    do {
      try carryOut(try parties[index].channel.propose(.stack(change)), by: index)
      statistics.stackChanges += 1
    } catch is ChannelError {
      // It still holds something, or it is what the channel has.
      statistics.refusedStackChanges += 1
    }
  }

  private mutating func offer(_ content: UpdateContent, by index: Int) throws {
    guard parties[index].channel.connection == .established else { return }
    do {
      let effects = try parties[index].channel.propose(content)
      statistics.updates += 1
      try carryOut(effects, by: index)
    } catch is ChannelError {
      // Its own rules forbid it: nothing happens.
      statistics.refusedProposals += 1
    }
  }

  private mutating func commitIfPossible(_ index: Int) throws {
    guard parties[index].channel.canCommit else { return }
    do {
      try carryOut(try parties[index].channel.commit(parties[index].signer), by: index)
      statistics.commitments += 1
    } catch let error as ChannelError {
      throw fail("party \(index) cannot commit: \(error)")
    }
  }

  private mutating func deliver(to index: Int) throws {
    guard !inFlight[index].isEmpty else { return }
    let message = try throughTheWire(inFlight[index].removeFirst(), from: 1 - index)
    do {
      let before = parties[index].channel
      let effects = try parties[index].channel.receive(message, parties[index].signer)
      if parties[index].channel.localNumber > before.localNumber { past[index].append(before) }
      try carryOut(effects, by: index)
    } catch let error as ChannelError {
      throw fail("party \(index) refuses \(message.name): \(error)")
    }
  }

  /// Updates travel as bytes, so that their codec is part of what is tested.
  private func throughTheWire(_ message: ChannelMessage, from sender: Int) throws -> ChannelMessage {
    if case .update(.stack(let change)) = message { return .update(.stack(try change.mirrored(registry))) }
    guard case .update(.extension(let position, let update)) = message else { return message }
    let stack = parties[sender].channel.stack
    guard let wire = stack.extensions[position].encodeMessage(update) else {
      throw fail("an update that cannot be sent")
    }
    guard stack.owner(ofMessage: wire.type) == position else { throw fail("message \(wire.type) belongs to nobody") }
    return .update(
      .extension(position, try stack.extensions[position].decodeMessage(type: wire.type, body: wire.body.bytes)))
  }

  /// Does what a step asked for; now and then the process dies in between.
  private mutating func carryOut(_ effects: [ChannelEffect], by index: Int) throws {
    for effect in effects {
      if random.chance(oneIn: 300) {
        try restart(index)
        statistics.crashes += 1
        try reconnect()
        return
      }
      switch effect {
      case .persist:
        parties[index].persist()
        try checkHandovers(of: index)
      case .send(let message): inFlight[1 - index].append(message)
      case .irrevocable: statistics.irrevocable += 1
      case .revoked(let revoked):
        for commitment in revoked.commitments {
          records[index][commitment.context.number] = try RevocationRecord(commitment)
        }
      case .received: break
      case .dataLoss: throw fail("party \(index) believes that it has lost data")
      }
    }
  }

  /// Whatever commitment can appear on the chain now: this party can complete what it takes by transactions that the other one has signed,
  /// and can read the secret from what the other one completes.
  private func checkHandovers(of index: Int) throws {
    let channel = parties[index].channel
    guard stack.needsPresign else { return }
    func check(_ commitment: Commitment, _ presignatures: [CounterSignature], _ signatures: [CounterSignature]) throws {
      let side = Party.local.side(ofCommitmentHeldBy: commitment.context.holder)
      for (sealed, ready) in zip(commitment.outputs, commitment.handedOver(presignatures, signatures)) {
        for (path, signature) in zip(sealed.output.paths, ready) {
          guard case .presigned(let template) = path.execution,
            path.spender == side || template.counterSignature.point != nil, signature == nil
          else { continue }
          throw fail("party \(index) lacks what it needs for \(path.name) of \(sealed.output.tag), \(side)")
        }
      }
    }
    let own = channel.localHandover
    for (number, commitment) in try channel.localCommitments(parties[index].signer).enumerated()
    where own.presignatures.indices.contains(number) {
      try check(commitment, own.presignatures[number], own.signatures[number])
    }
    for (handover, commitments) in zip(channel.remoteHandovers, try channel.remoteCommitments()) {
      for (number, commitment) in commitments.enumerated() where handover.presignatures.indices.contains(number) {
        try check(commitment, handover.presignatures[number], handover.signatures[number])
      }
    }
  }

  private mutating func restart(_ index: Int) throws {
    do { try parties[index].restart() } catch { throw fail("party \(index) cannot start again: \(error)") }
  }

  private mutating func reconnect() throws {
    statistics.disconnects += 1
    inFlight = [[], []]
    for index in 0..<2 { parties[index].channel.disconnect() }
    for index in 0..<2 {
      inFlight[1 - index].append(.reestablish(try parties[index].channel.reestablish(parties[index].signer)))
    }
  }

  // MARK: Settling

  /// Lets everything run dry: agreements are resolved, updates committed, messages delivered. Then both ends must agree.
  mutating func settle() throws {
    traffic.finish()
    goal = nil
    for _ in 0..<20_000 {
      step += 1
      var moved = false
      for index in 0..<2 {
        if !inFlight[index].isEmpty {
          try deliver(to: index)
          moved = true
        } else if !parties[index].channel.isChangingStack,
          let update = traffic.resolution(by: index, in: parties[index].channel, &random)
        {
          try offer(update, by: index)
          moved = true
        } else if parties[index].channel.canCommit {
          try commitIfPossible(index)
          moved = true
        }
      }
      if !moved { return try check() }
    }
    throw fail("the channel does not come to rest")
  }

  private func check() throws {
    let (a, b) = (parties[0].channel, parties[1].channel)
    guard a.log.entries.isEmpty, b.log.entries.isEmpty else { throw fail("updates are stuck") }
    guard a.localNumber == b.remoteNumber, b.localNumber == a.remoteNumber else {
      throw fail("commitment numbers differ")
    }
    guard a.stack.isSame(as: try b.stack.mirrored(registry)) else { throw fail("both ends have another stack") }
    guard !a.awaitsRevocation, !b.awaitsRevocation else { throw fail("a revocation is missing") }
    for (x, y) in zip(a.fundings, b.fundings) {
      guard x.base.balances[.local] == y.base.balances[.remote], x.base.balances[.remote] == y.base.balances[.local]
      else { throw fail("balances differ: \(x.base.balances) and \(y.base.balances)") }
      guard x.base.total == x.funding.capacity.milliSatoshi, y.base.total == y.funding.capacity.milliSatoshi else {
        throw fail("value was not conserved")
      }
    }
    for (own, other) in [(0, 1), (1, 0)] {
      let mine = try parties[own].channel.localCommitments(parties[own].signer).map(\.txid)
      let theirs = try parties[other].channel.remoteCommitments().last?.map(\.txid)
      guard mine == theirs else { throw fail("both ends see another commitment of party \(own)") }
    }
  }
}

extension ChannelMessage {
  var name: String {
    switch self {
    case .update: "an update"
    case .propose: "a proposal"
    case .presign: "presignatures"
    case .commit: "a commitment"
    case .revoke: "a revocation"
    case .reestablish: "a reestablishment"
    }
  }
}

extension ChannelStack {
  /// Whether fee rates mean anything: not where commitments are version 3 and pay nothing.
  var paysFees: Bool { !extensions.contains { $0.manifest.name == "shared-anchor" } }
}

extension LocalSigner {
  func basepoint(_ basepoint: Basepoint) throws -> PublicKey {
    guard let key = basepoints[basepoint] else { throw SignerRefusal("no basepoint \(basepoint.rawValue)") }
    return key
  }
}
