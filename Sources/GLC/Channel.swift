public import Bitcoin
internal import Encoding
public import Secp256k1

/// A channel: who has what, what is on its way, and which commitments say so. A value: each step works on a copy, so that one that
/// throws changes nothing. It does no input or output, has no clock and no randomness; what is to be done comes back as effects.
public struct Channel: Sendable {
  public internal(set) var parameters: ChannelParameters
  public internal(set) var fundings: [FundingState]
  public internal(set) var log = UpdateLog()
  public internal(set) var connection = Connection.established

  /// The number of our latest commitment, for which we hold signatures.
  public internal(set) var localNumber: UInt64 = 0
  /// The number of the latest remote commitment that we have signed.
  public internal(set) var remoteNumber: UInt64 = 0
  /// The number of the oldest remote commitment that is not revoked: `remoteNumber`, or the one before.
  public internal(set) var remoteUnrevoked: UInt64 = 0
  /// Signatures on our latest commitment, one set for each funding.
  public internal(set) var signatures: [CommitmentSignatures]
  /// Where extensions ask for presignatures: what we gave on our latest commitment.
  public internal(set) var localHandover = Handover.none
  /// … and what was handed over on each remote commitment that is not revoked.
  public internal(set) var remoteHandovers = [Handover.none]
  /// Whether the next commitment of a party is proposed and not signed yet: until then it does not change. Forgotten with the connection.
  var isFixed = PerParty(local: false, remote: false)
  /// What revokes a commitment of ours and was due while the remote one was proposed: it is sent behind that one's signature.
  var heldRevocation: Revocation?
  /// Points of remote commitments from `remoteUnrevoked` on, as far as they are known.
  var remotePoints: [PublicKey]
  /// The remote party's public nonces for its next commitment, as it sent them last, where both sign together. They are used for one
  /// signature and are no part of the stored form: on each connection there are new ones.
  var remoteNonces: [FundingNonce] = []
  private let keys = KeyMemory()
  /// What the remote party has revealed.
  public internal(set) var secrets = ShachainStore()
  /// Every key that a commitment of this channel may have named: also those of stacks that it had before, whose revoked commitments can
  /// still appear.
  public internal(set) var namedKeys: [KeyRef]
  /// The remote party has signed our next commitment with another stack, and will send both again: nothing may come before it. Forgotten
  /// with the connection.
  public internal(set) var awaitsStackChange = false
  /// Whether our last `commit` went out after our last `revoke`: the order in which they are sent again.
  var commitWasLast = false

  public enum Connection: UInt8, Hashable, Sendable {
    /// Both have exchanged `reestablish`, or never lost each other.
    case established = 0
    case disconnected = 1
    /// Nothing more may be sent but an error: the channel goes to the chain.
    case failed = 2
    /// As `failed`, and our state is known to be outdated: our commitment must not be broadcast.
    case outdated = 3
  }

  /// One funding output and the states that live on it.
  public struct FundingState: Sendable {
    public let funding: Funding
    /// All that is irrevocable.
    public internal(set) var base: CommitmentState
    /// Our latest commitment.
    public internal(set) var local: CommitmentState
    /// The remote commitments that are not revoked: `remoteUnrevoked`, and `remoteNumber` when that is another one.
    public internal(set) var remote: [CommitmentState]
    /// Derived from `base` and the log, when it is there.
    var prospects: Prospects?

    init(funding: Funding, base: CommitmentState, local: CommitmentState, remote: [CommitmentState]) {
      self.funding = funding
      self.base = base
      self.local = local
      self.remote = remote
    }
  }

  /// Where the log leads from a base, kept so that one more update is judged without replaying those before it.
  struct Prospects: Sendable {
    /// The version of the log.
    var version: UInt64
    /// Once every update has got there, on either side: what an offer has to leave room for.
    var all: CommitmentState
    /// The next commitment of each party, should it be signed now.
    var due: PerParty<CommitmentState>
  }

  /// A channel at its first commitments, number 0 on both sides.
  /// - Parameters:
  ///   - signatures: the remote party's, on our commitment 0; empty as long as it has not signed (see `signed`).
  ///   - remotePoints: of the remote commitments 0 and 1.
  ///   - remoteNonces: for the remote commitment 1, where both sign together.
  public init(
    stack: ChannelStack, parameters: ChannelParameters, funding: Funding, balances: Balances, feeRate: FeeRate,
    signatures: [CommitmentSignatures] = [], remotePoints: (PublicKey, PublicKey), remoteNonces: [FundingNonce] = []
  ) {
    self.parameters = parameters
    namedKeys = stack.keys.sorted()
    let state = CommitmentState(
      stack: stack, balances: balances, ledgers: stack.makeLedgers(), feeRate: feeRate)
    fundings = [FundingState(funding: funding, base: state, local: state, remote: [state])]
    self.signatures = signatures
    self.remotePoints = [remotePoints.0, remotePoints.1]
    self.remoteNonces = remoteNonces
  }

  /// The same channel with the remote party's signatures on our first commitment.
  public func signed(_ signatures: [CommitmentSignatures]) -> Channel {
    var channel = self
    channel.signatures = signatures
    return channel
  }

  /// Whether we have signed a remote commitment and wait for the one before to be revoked. Until then nothing more can be signed.
  public var awaitsRevocation: Bool { remoteUnrevoked != remoteNumber }

  /// Whether there is something to sign for the remote party, and nothing in the way.
  public var canCommit: Bool {
    connection == .established && !awaitsRevocation && log.hasChanges(for: .remote) && !isFixed.remote
      && hasNonces(remoteNonces)
  }

  /// What the channel is composed of, for good; a commitment in force can have the stack before or the one behind.
  public var stack: ChannelStack { fundings[0].base.stack }

  /// Whether commitments are signed together, with nonces of both sides.
  public var signsTogether: Bool { stack.funding.signsTogether }

  /// Whether the remote party's next commitment is proposed and not signed yet: until then, nothing is offered or removed.
  public var isProposing: Bool { isFixed.remote }
}

// MARK: - Commitments

extension Channel {
  /// The commitment transaction that a state stands for.
  public func commitment(
    _ state: CommitmentState, on funding: Funding, heldBy holder: Party, number: UInt64, point: PublicKey
  ) throws(DraftError) -> Commitment {
    let own = parameters.parties[holder]
    let keys = try keys(of: holder, at: point, in: state.stack)
    let context = CommitmentContext(
      holder: holder, funder: parameters.funder, number: number, fundingOutpoint: funding.outPoint,
      capacity: funding.capacity, dustLimit: own.dustLimit, contestDelay: own.contestDelay, feeRate: state.feeRate,
      keys: keys, obscuringFactor: parameters.obscuringFactor)
    return try state.stack.commitment(context, balances: state.balances, ledgers: state.ledgers)
  }

  private func keys(
    of holder: Party, at point: PublicKey, in stack: ChannelStack
  ) throws(DraftError) -> CommitmentKeys {
    try keys.keys(of: holder, at: point, resolving: stack.keys) { () throws(DraftError) in
      try CommitmentKeys(
        holder: parameters.parties[holder].basepoints, counterparty: parameters.parties[holder.other].basepoints,
        perCommitmentPoint: point, resolving: stack.keys)
    }
  }

  /// Our per-commitment point of this commitment of ours.
  func point(_ number: UInt64, _ signer: some ChannelSigner) throws(ChannelError) -> PublicKey {
    try keys.point(number) { () throws(ChannelError) in
      do throws(SignerRefusal) { return try signer.perCommitmentPoint(number) } catch { throw .signer(error) }
    }
  }

  /// Works out the keys of the next commitments, as far as their points are known: while nobody waits for them.
  public func prepareKeys(_ signer: some ChannelSigner) {
    guard connection == .established else { return }
    if let next = try? point(localNumber + 1, signer) { _ = try? keys(of: .local, at: next, in: stack) }
    // Told when the present one is revoked.
    _ = try? point(localNumber + 2, signer)
    if let next = remotePoints.last { _ = try? keys(of: .remote, at: next, in: stack) }
  }

  /// Our latest commitment on each funding.
  public func localCommitments(_ signer: some ChannelSigner) throws(ChannelError) -> [Commitment] {
    try commitments(of: .local, number: localNumber, point: try point(localNumber, signer)) { $0.local }
  }

  /// The remote commitments that can appear on the chain without being punished, oldest first, on each funding.
  public func remoteCommitments() throws(ChannelError) -> [[Commitment]] {
    var result: [[Commitment]] = []
    for index in 0...(Int(remoteNumber - remoteUnrevoked)) {
      result.append(
        try commitments(of: .remote, number: remoteUnrevoked + UInt64(index), point: remotePoints[index]) {
          $0.remote[index]
        })
    }
    return result
  }

  func commitments(
    of holder: Party, number: UInt64, point: PublicKey, _ state: (FundingState) -> CommitmentState
  ) throws(ChannelError) -> [Commitment] {
    var result: [Commitment] = []
    for funding in fundings {
      do {
        result.append(
          try commitment(state(funding), on: funding.funding, heldBy: holder, number: number, point: point))
      } catch {
        throw .draft(error)
      }
    }
    return result
  }

  /// The state of the next commitment of `holder`, on one funding: all that is irrevocable, and all updates that a signature would
  /// cover now.
  func nextState(of holder: Party, on funding: FundingState) throws(ChannelError) -> CommitmentState {
    if let prospects = funding.prospects, prospects.version == log.version { return prospects.due[holder] }
    return try replay(on: funding) { $0.isDue(for: holder) }
  }

  /// What the log makes of a funding's base.
  func prospects(of funding: FundingState) throws(ChannelError) -> Prospects {
    if let prospects = funding.prospects, prospects.version == log.version { return prospects }
    return Prospects(
      version: log.version, all: try replay(on: funding) { _ in true },
      due: PerParty(local: try nextState(of: .local, on: funding), remote: try nextState(of: .remote, on: funding)))
  }

  /// What there will be on the first funding when everything that is on its way has arrived.
  public var expected: CommitmentState? { fundings.first.flatMap { try? prospects(of: $0).all } }

  private func replay(
    on funding: FundingState, _ isWanted: (LogEntry) -> Bool
  ) throws(ChannelError) -> CommitmentState {
    var state = funding.base
    for entry in log.entries where isWanted(entry) {
      do { try state.apply(entry.content, by: entry.author) } catch { throw .violation(error) }
    }
    try requireConserved(state, on: funding)
    return state
  }

  /// Whatever the extensions did: no value comes or goes.
  func requireConserved(_ state: CommitmentState, on funding: FundingState) throws(ChannelError) {
    guard state.total == funding.base.total else {
      throw .violation(ProtocolViolation(.failChannel, "value was not conserved"))
    }
  }
}

/// Why a step was not taken. The channel is unchanged.
public enum ChannelError: Error, Sendable, CustomStringConvertible {
  /// The remote party broke a rule; or, for a proposal of ours, we would have.
  case violation(ProtocolViolation)
  /// The step is not possible now: nothing to sign, a revocation awaited, no connection.
  case notNow(String)
  case draft(DraftError)
  case signer(SignerRefusal)
  case signature(SignatureError)

  public var description: String {
    switch self {
    case .violation(let violation): violation.reason
    case .notNow(let reason): reason
    case .draft(let error): "\(error)"
    case .signer(let refusal): refusal.reason
    case .signature(let error): "\(error)"
    }
  }

  /// What the protocol makes us do when the remote party's message led to this.
  public var consequence: ProtocolViolation.Consequence {
    switch self {
    case .violation(let violation): violation.consequence
    case .notNow: .warning
    case .draft, .signature, .signer: .failChannel
    }
  }
}

extension ChannelSigner {
  func secret(_ number: UInt64) throws(ChannelError) -> Bytes32 {
    do { return try revocationSecret(number) } catch { throw .signer(error) }
  }

  /// - Parameters:
  ///   - nonces: the remote party's for these commitments, by funding; empty where one signs alone.
  ///   - presignatures: the remote party's on these commitments; empty where it has given none.
  func signatures(
    _ commitments: [Commitment], _ nonces: [FundingNonce], _ presignatures: [[CounterSignature]]
  ) throws(ChannelError) -> [CommitmentSignatures] {
    var result: [CommitmentSignatures] = []
    for (index, commitment) in commitments.enumerated() {
      let nonce = nonces.first { $0.funding == commitment.context.fundingOutpoint.txid }?.nonce
      let given = presignatures.indices.contains(index) ? presignatures[index] : []
      do { result.append(try sign(commitment, nonce: nonce, presignatures: given)) } catch { throw .signer(error) }
    }
    return result
  }

  func nonce(of commitment: Commitment, in channel: Channel) throws(ChannelError) -> MuSigPublicNonce? {
    guard channel.signsTogether else { return nil }
    do { return try nonce(commitment.context.number, on: commitment.context.fundingOutpoint) } catch {
      throw .signer(error)
    }
  }
}
