public import Bitcoin
internal import Encoding
public import GLC
public import Secp256k1

/// All that is stored of a channel and needed to resolve it on the chain. It holds no secret of ours.
public struct ResolverInput: Sendable {
  public let stack: ChannelStack
  public let parameters: ChannelParameters
  /// The outputs that the channel lives on.
  public let fundings: [Funding]
  /// Our latest commitment on each funding, with the remote party's signatures.
  public let local: [LocalCommitment]
  /// The remote commitments that are not revoked, oldest first; for each number, one on each funding.
  public let remote: [[Commitment]]
  /// What was handed over on them besides, in the same order.
  let remoteHandovers: [Handover]
  /// What the remote party has revealed.
  public let secrets: ShachainStore
  /// Every key that a commitment of the channel may have named, whatever its stack was then.
  let namedKeys: [KeyRef]
  /// The number of our latest commitment, and its point.
  let localNumber: UInt64
  let localPoint: PublicKey
  /// The channel's stored form, from which all of the above follows.
  let channel: [UInt8]
  /// Our points, by commitment number, so that commitments of ours that we have given up are known when they appear.
  public var points: @Sendable (_ number: UInt64) -> PublicKey?
  /// Finds what was kept of a revoked commitment, by its number and funding output.
  public var records: @Sendable (_ number: UInt64, _ funding: OutPoint) -> RevocationRecord?
  /// Closing transactions that both have agreed on.
  public var closings: Set<TxID>
  /// Where swept funds go.
  public var destination: Script
  /// BOLT 5: if the node knows or assumes its channel state is outdated: MUST NOT broadcast its last commitment transaction.
  public var mayPublish: Bool
  /// After data loss: the point of the remote party's present commitment, as its `reestablish` said.
  public var remotePoint: PublicKey?

  public struct LocalCommitment: Sendable {
    public var commitment: Commitment
    public var signatures: CommitmentSignatures
    /// What we have signed on the remote party's second stage.
    public var presignatures: [CounterSignature]

    public init(
      commitment: Commitment, signatures: CommitmentSignatures, presignatures: [CounterSignature] = []
    ) {
      self.commitment = commitment
      self.signatures = signatures
      self.presignatures = presignatures
    }
  }

  /// The state of a channel as it is now. `signer` is asked for our points alone.
  public init(
    _ channel: Channel, signer: some ChannelSigner, destination: Script, closings: Set<TxID> = [],
    remotePoint: PublicKey? = nil, records: @escaping @Sendable (UInt64, OutPoint) -> RevocationRecord?
  ) throws(ChannelError) {
    stack = channel.stack
    parameters = channel.parameters
    fundings = channel.fundings.map(\.funding)
    let given = channel.localHandover.presignatures
    local = zip(try channel.localCommitments(signer), channel.signatures).enumerated().map { index, own in
      LocalCommitment(
        commitment: own.0, signatures: own.1, presignatures: given.indices.contains(index) ? given[index] : [])
    }
    remote = try channel.remoteCommitments()
    remoteHandovers = channel.remoteHandovers
    secrets = channel.secrets
    namedKeys = channel.namedKeys
    localNumber = channel.localNumber
    do { localPoint = try signer.perCommitmentPoint(channel.localNumber) } catch { throw .signer(error) }
    self.channel = channel.encoded
    points = { number in try? signer.perCommitmentPoint(number) }
    mayPublish = channel.connection != .outdated
    self.closings = closings
    self.destination = destination
    self.remotePoint = remotePoint
    self.records = records
  }

  /// The number of the latest remote commitment that we have signed.
  var remoteNumber: UInt64 { remote.last?.first?.context.number ?? 0 }
}

/// What a transaction that spends the funding output is.
public enum FundingSpend: Sendable {
  /// Our own latest commitment.
  case local(ResolverInput.LocalCommitment)
  /// A commitment of the remote party that is in force: the latest, or the one before when that is not revoked yet.
  case remote(Commitment, isLatest: Bool)
  /// A commitment that the remote party has given up: all of it is ours.
  case revoked(number: UInt64, keys: SpendingKeys, outputs: [RecordedOutput])
  /// A commitment of the remote party that it has given up, but nothing was kept of it: only outputs whose keys never change can
  /// be found.
  case revokedWithoutRecord(number: UInt64)
  /// A commitment of ours that is not our latest: revoked, shown by accident, perhaps from an old backup; or else newer than what we
  /// know, of which the same must be feared. What is in balance can be found, and is claimed unless the other side is faster.
  case own(number: UInt64, isRevoked: Bool, keys: SpendingKeys, outputs: [RecordedOutput])
  /// A commitment of the remote party that is newer than any we know: we have lost data.
  case future(number: UInt64)
  /// What both have agreed on.
  case closing
  /// BOLT 5: upon discovering a transaction that spends a funding transaction output which does not fall into one of the above
  /// categories: MUST warn the user of potentially lost funds.
  case unknown
}

extension ResolverInput {
  /// Says what a transaction that spends one of the funding outputs is.
  public func recognise(_ transaction: Transaction) -> FundingSpend {
    let txid = transaction.txid
    if closings.contains(txid) { return .closing }
    if let own = local.first(where: { $0.commitment.txid == txid }) { return .local(own) }
    for (index, commitments) in remote.enumerated() {
      if let commitment = commitments.first(where: { $0.txid == txid }) {
        return .remote(commitment, isLatest: index == remote.count - 1)
      }
    }
    guard let number = commitmentNumber(of: transaction) else { return .unknown }
    if let (keys, outputs) = ownOutputs(of: transaction, number: number) {
      return .own(number: number, isRevoked: number < localNumber, keys: keys, outputs: outputs)
    }
    if number > remoteNumber { return .future(number: number) }
    guard let index = ShachainIndex(commitmentNumber: number), let secret = secrets.secret(at: index)?.raw,
      let point = (try? SecretKey(secret))?.publicKey, let input = transaction.inputs.first
    else { return .unknown }
    guard let record = records(number, input.previousOutput) else { return .revokedWithoutRecord(number: number) }
    guard let keys = try? remoteKeys(point), let outputs = try? record.outputs(keys, of: transaction) else {
      // Not the remote party's commitment of that number.
      return .unknown
    }
    return .revoked(
      number: number, keys: SpendingKeys(side: .counterparty, keys: keys, perCommitmentSecret: secret),
      outputs: outputs)
  }

  /// What was handed over on a remote commitment: our presignatures from its holder, and what its holder has of us.
  func handover(on commitment: Commitment) -> (presignatures: [CounterSignature], signatures: [CounterSignature]) {
    for (commitments, handover) in zip(remote, remoteHandovers) {
      guard let index = commitments.firstIndex(where: { $0.txid == commitment.txid }) else { continue }
      func set(_ sets: [[CounterSignature]]) -> [CounterSignature] { sets.indices.contains(index) ? sets[index] : [] }
      return (set(handover.presignatures), set(handover.signatures))
    }
    return ([], [])
  }

  /// The number in a commitment's lock time and sequence (BOLT 3 §Commitment Transaction); nil for other transactions.
  func commitmentNumber(of transaction: Transaction) -> UInt64? {
    guard transaction.inputs.count == 1, let sequence = transaction.inputs.first?.sequence,
      // BOLT 3: locktime: upper 8 bits are 0x20; sequence: upper 8 bits are 0x80.
      transaction.lockTime >> 24 == 0x20, sequence >> 24 == 0x80
    else { return nil }
    let obscured = UInt64(sequence & 0xff_ffff) << 24 | UInt64(transaction.lockTime & 0xff_ffff)
    return obscured ^ (parameters.obscuringFactor & 0xffff_ffff_ffff)
  }

  /// The keys of a remote commitment with this point.
  func remoteKeys(_ point: PublicKey) throws(DraftError) -> CommitmentKeys {
    try CommitmentKeys(
      holder: parameters.parties.remote.basepoints, counterparty: parameters.parties.local.basepoints,
      perCommitmentPoint: point, resolving: namedKeys)
  }

  /// What can be claimed of a remote commitment of which nothing is known: outputs of ours whose keys do not depend on the commitment
  /// or, with the remote party's word for its point, on that point. They are found by their scripts, in a commitment as it would be
  /// with funds on both sides and no contract.
  func outputsWithoutState(of transaction: Transaction) -> (keys: SpendingKeys, outputs: [RecordedOutput])? {
    guard let outPoint = transaction.inputs.first?.previousOutput,
      let funding = fundings.first(where: { $0.outPoint == outPoint }), let latest = remote.last?.first
    else { return nil }
    let point = remotePoint ?? latest.context.keys.perCommitmentPoint
    guard let keys = try? remoteKeys(point),
      let template = template(like: latest.context, keys: keys, number: latest.context.number, on: funding)
    else { return nil }
    var found: [RecordedOutput] = []
    for (index, output) in transaction.outputs.enumerated() {
      guard let known = template.outputs.first(where: { $0.output.lock.scriptPubKey == output.scriptPubKey }) else {
        continue
      }
      let paths = known.output.paths.filter { path in
        path.spender == .counterparty && !path.conditions.revoked
          && path.keys.allSatisfy { $0.role.derivation == .fixed || remotePoint != nil }
      }
      if paths.isEmpty { continue }
      found.append(
        RecordedOutput(
          index: UInt32(index), tag: known.output.tag, lock: known.output.lock,
          // What others can do with it stays in sight.
          paths: paths + known.output.paths.filter { $0.spender == .holder }))
    }
    return (SpendingKeys(side: .counterparty, keys: keys), found)
  }

  /// What can be found of a commitment of ours by its number alone: outputs that hold balances. Nil when there are none, as on every
  /// transaction that is not that commitment.
  func ownOutputs(of transaction: Transaction, number: UInt64) -> (keys: SpendingKeys, outputs: [RecordedOutput])? {
    guard number != localNumber, let outPoint = transaction.inputs.first?.previousOutput,
      let funding = fundings.first(where: { $0.outPoint == outPoint }), let latest = local.first?.commitment,
      let other = remote.last?.first, let point = points(number),
      let keys = try? CommitmentKeys(
        holder: parameters.parties.local.basepoints, counterparty: parameters.parties.remote.basepoints,
        perCommitmentPoint: point, resolving: stack.keys),
      let template = template(like: latest.context, keys: keys, number: number, on: funding),
      let theirs = self.template(like: other.context, keys: other.context.keys, number: number, on: funding)
    else { return nil }
    // What commitments of both sides have, such as anchors, tells nothing.
    let shared = Set(theirs.outputs.map(\.output.lock.scriptPubKey))
    var isOurs = false
    var found: [RecordedOutput] = []
    for (index, output) in transaction.outputs.enumerated() {
      guard let known = template.outputs.first(where: { $0.output.lock.scriptPubKey == output.scriptPubKey }) else {
        continue
      }
      if !shared.contains(output.scriptPubKey) { isOurs = true }
      found.append(
        RecordedOutput(
          index: UInt32(index), tag: known.output.tag, lock: known.output.lock, paths: known.output.paths))
    }
    return isOurs ? (SpendingKeys(side: .holder, keys: keys), found) : nil
  }

  /// A commitment as it would be with funds on both sides and no contract.
  private func template(
    like context: CommitmentContext, keys: CommitmentKeys, number: UInt64, on funding: Funding
  ) -> Commitment? {
    guard let half = Satoshi(funding.capacity.rawValue / 2).milliSatoshi else { return nil }
    var context = context
    context.keys = keys
    context.number = number
    context.fundingOutpoint = funding.outPoint
    context.capacity = funding.capacity
    return try? stack.commitment(
      context, balances: Balances(local: half, remote: half), ledgers: stack.makeLedgers())
  }
}

extension SpendPath {
  /// The keys that its witness names.
  var keys: [KeyRef] {
    witness.compactMap { element in
      switch element {
      case .signature(let ref, _), .publicKey(let ref): ref
      case .counterSignature(.ecdsa(let ref, _)), .counterSignature(.schnorr(let ref, _)),
        .counterSignature(.adaptor(let ref, _, _)), .counterSignature(.musigPartial(let ref, _)),
        .counterSignature(.musigAdaptor(let ref, _, _)):
        ref
      case .secret, .literal, .witnessScript, .tapLeaf, .custom: nil
      }
    }
  }
}
