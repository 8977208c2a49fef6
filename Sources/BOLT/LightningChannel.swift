public import Bitcoin
internal import Encoding
public import GLC
internal import HTLC
internal import Onchain
public import Secp256k1
public import Signer
public import Wire

/// A Lightning channel from its first message to its last (BOLT 2): opening, normal operation, coming back after a lost connection, and
/// closing, around a `Channel` that knows what is owed. A value: each step works on a copy, so that one that fails changes nothing but
/// what failing changes. It does no input or output and has no clock; what is to be done comes back as effects.
public struct LightningChannel: Sendable {
  /// The other node.
  public let peer: NodeID
  /// Which of the node's channel seeds this channel's secrets come from.
  public let keyIndex: UInt64
  public let isOpener: Bool
  /// `temporary_channel_id`, until there is a funding output.
  public internal(set) var id: ChannelID
  public let temporaryID: ChannelID
  public let type: Wire.ChannelType
  public let isAnnounced: Bool
  public let capacity: Satoshi
  /// What the opener gives the other party at the beginning.
  public let pushed: MilliSatoshi
  public let openingFeeRate: FeeRate
  public internal(set) var terms: PerParty<ChannelTerms?>
  /// The remote party's first point, until the core exists.
  var firstRemotePoint: PublicKey?
  /// Its nonce for its first commitment, where both sign together: until that is signed.
  var firstRemoteNonce: MuSigPublicNonce?
  /// Blocks that the opener's funding waits for.
  public internal(set) var minimumDepth: UInt32
  public internal(set) var phase: Phase
  /// Nil until the funding output is known.
  public internal(set) var core: Channel?
  public let signer: LocalSigner
  public var policy: ChannelPolicy

  public internal(set) var funding: FundingOutput?
  /// `channel_ready` of each party.
  public internal(set) var isReady = PerParty(local: false, remote: false)
  /// Our name for the channel, in the remote party's routing hints.
  public let localAlias: ShortChannelID
  /// The remote party's name for it, for our routing hints.
  public internal(set) var remoteAlias: ShortChannelID?
  /// The scripts of both `shutdown` messages.
  public internal(set) var shutdownScripts = PerParty<Script?>(local: nil, remote: nil)
  /// Where we want our share, once we have decided to close.
  var plannedShutdown: Script?
  /// Closing transactions that both sides have signed, ours with both signatures; oldest first.
  public internal(set) var closingTransactions: [Transaction] = []
  /// Closing negotiation; starts again with each connection.
  var closing: ClosingNegotiation?
  /// The nonces with which each side will sign a closing transaction of the other, where both sign together.
  var closingNonces = PerParty<MuSigPublicNonce?>(local: nil, remote: nil)
  /// What stands behind each of our offers, by its id; bytes of whoever made it.
  public internal(set) var origins: [UInt64: [UInt8]] = [:]
  /// Whether both `announcement_signatures` have been exchanged, and the remote party's.
  public internal(set) var remoteAnnouncement: AnnouncementSignatures?
  var hasSentAnnouncement = false
  /// What we told the peer when the channel failed; sent again on every connection.
  public internal(set) var failure: String?
  /// The remote party's present point, as it said when we had lost data.
  public internal(set) var pointAfterDataLoss: PublicKey?
  var isConnected = true
  /// Where our share goes when the peer wants to close and we have promised nothing.
  public var closingScript: Script?

  public enum Phase: UInt8, Hashable, Sendable {
    /// `open_channel` is sent.
    case proposed = 0
    /// `accept_channel` is sent or received: the funding transaction is being made.
    case agreed = 1
    /// The opener has sent `funding_created`.
    case created = 2
    /// Both sides have signed; waits for depth and `channel_ready`.
    case awaitingDepth = 3
    case normal = 4
    /// `shutdown` was sent or received.
    case shuttingDown = 5
    /// A closing transaction is signed by both.
    case closing = 6
    /// On its way to the chain, or there.
    case onchain = 7
    /// Everything is irrevocably resolved.
    case ended = 8
  }

  public struct FundingOutput: Hashable, Sendable {
    public var outPoint: OutPoint
    /// The opener's, to be broadcast again as long as it is not confirmed.
    public var transaction: Transaction?
    /// Where it is in the chain.
    public var confirmation: Confirmation?

    public struct Confirmation: Hashable, Sendable {
      public var height: UInt32
      public var transactionIndex: UInt32

      public init(height: UInt32, transactionIndex: UInt32) {
        self.height = height
        self.transactionIndex = transactionIndex
      }
    }
  }

  /// Why a message leads to nothing good.
  enum Fault: Error {
    case warn(String)
    case fail(String)

    init(_ error: ChannelError) {
      switch error.consequence {
      case .warning: self = .warn("\(error)")
      case .failChannel: self = .fail("\(error)")
      }
    }
  }

  init(
    peer: NodeID, keyIndex: UInt64, isOpener: Bool, temporaryID: ChannelID, type: Wire.ChannelType, isAnnounced: Bool,
    capacity: Satoshi, pushed: MilliSatoshi, feeRate: FeeRate, terms: PerParty<ChannelTerms?>, minimumDepth: UInt32,
    phase: Phase, signer: LocalSigner, policy: ChannelPolicy, alias: ShortChannelID
  ) {
    self.peer = peer
    self.keyIndex = keyIndex
    self.isOpener = isOpener
    id = temporaryID
    self.temporaryID = temporaryID
    self.type = type
    self.isAnnounced = isAnnounced
    self.capacity = capacity
    self.pushed = pushed
    openingFeeRate = feeRate
    self.terms = terms
    self.minimumDepth = minimumDepth
    self.phase = phase
    self.signer = signer
    self.policy = policy
    localAlias = alias
  }
}

/// What a step depends on besides the channel itself.
public struct ChannelContext: Sendable {
  /// What both sides said in `init`.
  public var localFeatures: FeatureSet
  public var remoteFeatures: FeatureSet
  /// The height of the chain; 0 when it is not known yet.
  public var height: UInt32
  /// What a closing transaction should pay.
  public var closingFeeRate: FeeRate
  /// The most that commitments may pay by the present estimates; nil for what the policy says.
  public var maximumFeeRate: FeeRate?

  public init(
    localFeatures: FeatureSet, remoteFeatures: FeatureSet, height: UInt32, closingFeeRate: FeeRate = .relayFloor,
    maximumFeeRate: FeeRate? = nil
  ) {
    self.localFeatures = localFeatures
    self.remoteFeatures = remoteFeatures
    self.height = height
    self.closingFeeRate = closingFeeRate
    self.maximumFeeRate = maximumFeeRate
  }

  /// Whether both sides offer the feature, by either bit.
  func negotiated(_ feature: Feature) -> Bool {
    func has(_ set: FeatureSet) -> Bool { set[feature.bit] || set[feature.bit + 1] }
    return has(localFeatures) && has(remoteFeatures)
  }
}

extension LightningChannel {
  /// Where the channel stands in the chain, once it is confirmed.
  public var shortChannelID: ShortChannelID? {
    guard let funding, let place = funding.confirmation, let index = UInt16(exactly: funding.outPoint.vout) else {
      return nil
    }
    return ShortChannelID(
      blockHeight: place.height, transactionIndex: place.transactionIndex, outputIndex: index)
  }

  /// Both sides have agreed on the first commitments: something is at stake.
  public var isFunded: Bool { core != nil && phase >= .awaitingDepth }

  /// Whether payments can be offered now.
  public var canOffer: Bool {
    phase == .normal && isReady.local && isReady.remote && core?.connection == .established
      && plannedShutdown == nil && isConnected
  }

  /// Whether the peer can take messages about the channel.
  public var isEstablished: Bool { isConnected && (core?.connection ?? .established) == .established }

  /// The parts of the channel, as BOLT 2 names them, or the stack of the extensions.
  public var stackType: BOLT.ChannelType? { BOLT.ChannelType(featureBits: Set(type.basic.features.bits)) }

  /// What is owed now: everything that is irrevocable.
  public var balances: Balances? { core?.fundings.first?.base.balances }
}

extension LightningChannel.Phase: Comparable {
  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

// MARK: - Messages

extension LightningChannel {
  /// Takes a message of the peer about this channel.
  public mutating func receive(_ message: Message, _ context: ChannelContext) -> [LightningEffect] {
    var effects: [LightningEffect] = []
    var next = self
    do throws(Fault) {
      try next.take(message, context, &effects)
      self = next
      return effects
    } catch {
      return handle(error)
    }
  }

  private mutating func take(
    _ message: Message, _ context: ChannelContext, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    if case .error(let error) = message {
      effects += receivedError(error)
      return
    }
    // BOLT 2 §Message Retransmission: if a channel is in an error state: SHOULD retransmit the error packet and ignore any other packets
    // for that channel.
    if let failure {
      if case .channelReestablish = message { effects.append(try send(errorMessage(failure))) }
      return
    }
    // What was on its way when a block spent the funding: Electrum answers the last `closing_signed` with another one.
    guard phase < .onchain else { return }
    if case .channelReestablish(let theirs) = message {
      try reestablish(theirs, context, &effects)
      return
    }
    switch message {
    case .acceptChannel(let accept): try receive(accept, context, &effects)
    case .fundingCreated(let created): try receive(created, &effects)
    case .fundingSigned(let signed): try receive(signed, &effects)
    default:
      guard isFunded else { throw .fail("\(message.typeName) before the channel is funded") }
      // BOLT 2: MUST wait to receive the other node's `channel_reestablish` message before sending any other messages for that channel.
      guard isEstablished else { throw .warn("\(message.typeName) before channel_reestablish") }
      switch message {
      case .channelReady(let ready): try receive(ready, &effects)
      case .commitmentSigned(let commitment): try receive(commitment, &effects)
      case .revokeAndAck(let revocation): try receive(revocation, &effects)
      case .updateFee(let update): try receive(update, context, &effects)
      case .shutdown(let shutdown): try receive(shutdown, context, &effects)
      case .closingSigned(let closing): try receive(closing, context, &effects)
      case .closingComplete(let complete): try receive(complete, context, &effects)
      case .closingSig(let signature): try receive(signature, context, &effects)
      case .announcementSignatures(let signatures): receive(signatures, &effects)
      default: throw .warn("\(message.typeName) is not a message about a channel in operation")
      }
    }
  }

  /// Sends what the batch of inputs since the last call has made due: a signature, a `shutdown` that waited for one, the next step of
  /// closing. To be called before the effects are carried out.
  public mutating func flush(_ context: ChannelContext) -> [LightningEffect] {
    guard isFunded, failure == nil, isEstablished, phase < .onchain else { return [] }
    var effects: [LightningEffect] = []
    var next = self
    do throws(Fault) {
      if let core = next.core, core.canCommit, core.knowsNextPoint, next.isReady.local, next.isReady.remote {
        try next.step(&effects) { (core, signer) throws(ChannelError) in try core.commit(signer) }
      }
      try next.continueClosing(context, &effects)
      self = next
      return effects
    } catch {
      return handle(error)
    }
  }

  mutating func handle(_ fault: Fault) -> [LightningEffect] {
    switch fault {
    case .warn(let reason): [.disconnect(reason)]
    case .fail(let reason): fail(reason)
    }
  }

  /// The channel goes to the chain, or, when nothing is at stake yet, is forgotten. The peer is told.
  public mutating func fail(_ reason: String, tellingPeer: Bool = true) -> [LightningEffect] {
    guard phase < .onchain else { return [] }
    var effects: [LightningEffect] = []
    if tellingPeer, let message = try? send(errorMessage(reason)) { effects.append(message) }
    failure = reason
    core?.fail()
    guard isFunded else { return effects + [.forget(reason)] }
    phase = .onchain
    return [.persist] + effects + [.forceClose(reason)]
  }

  /// The funding output was spent: by whom is for the resolver to find out.
  public mutating func fundingWasSpent() -> [LightningEffect] {
    guard phase < .onchain else { return [] }
    core?.fail()
    phase = .onchain
    return [.persist]
  }

  /// Everything is irrevocably resolved.
  public mutating func end() { phase = .ended }

  /// BOLT 1: the receiving node: upon receiving `error`: if `channel_id` is all zero: MUST fail all channels with the sending node;
  /// otherwise: MUST fail the channel referred to by `channel_id`, if that channel is with the sending node.
  private mutating func receivedError(_ error: ErrorMessage) -> [LightningEffect] {
    fail("the peer says: \(error.data.safeText(limit: 200))", tellingPeer: false)
  }

  func errorMessage(_ reason: String) -> ErrorMessage { ErrorMessage(channelID: id, data: PeerText(reason)) }

  func send(_ message: some Wire.WireMessage) throws(Fault) -> LightningEffect {
    do { return .send(try message.encoded()) } catch { throw .fail("a message that is too large") }
  }
}

// MARK: - The core

extension LightningChannel {
  /// Carries out a step of the core and translates its effects.
  mutating func step(
    _ effects: inout [LightningEffect],
    _ body: (inout Channel, LocalSigner) throws(ChannelError) -> [ChannelEffect]
  ) throws(Fault) {
    guard var core else { throw .fail("there is no channel yet") }
    let result: [ChannelEffect]
    do { result = try body(&core, signer) } catch { throw Fault(error) }
    self.core = core
    for effect in result { try translate(effect, &effects) }
  }

  private mutating func translate(_ effect: ChannelEffect, _ effects: inout [LightningEffect]) throws(Fault) {
    switch effect {
    case .persist: effects.append(.persist)
    case .send(let message): effects.append(try encode(message))
    case .received(let content): try noteReceived(content, &effects)
    case .irrevocable(let content, let author): try noteIrrevocable(content, author, &effects)
    case .revoked(let revoked):
      for commitment in revoked.commitments {
        let record: RevocationRecord
        do { record = try RevocationRecord(commitment) } catch { throw .fail("a commitment that cannot be recorded") }
        effects.append(
          .record(
            .revocation(
              number: commitment.context.number, funding: commitment.context.fundingOutpoint, record)))
      }
    case .dataLoss:
      effects.append(.dataLoss)
    }
  }

  private func encode(_ message: ChannelMessage) throws(Fault) -> LightningEffect {
    switch message {
    case .update(.feeRate(let rate)): return try send(UpdateFee(channelID: id, feeratePerKw: rate))
    case .update(.extension(let position, let update)):
      guard let core, let wire = core.stack.extensions[position].encodeMessage(update) else {
        throw .fail("an update that cannot be sent")
      }
      // The extension's body stands behind the type and the channel's id, as in every message of the BOLTs about a channel.
      var writer = ByteWriter(reservingCapacity: wire.body.count + 34)
      writer.write(wire.type)
      writer.write(id)
      writer.write(wire.body)
      return .send(writer.bytes)
    case .commit(let sets):
      guard sets.count == 1, let set = sets.first else { throw .fail("more than one commitment") }
      let funding = set.funding.fundingFields
      var children: [CompactSignature] = []
      children.reserveCapacity(set.children.count)
      for child in set.children {
        guard let field = child.secondStageField else { throw .fail("signatures of another kind") }
        children.append(field)
      }
      return try send(
        CommitmentSigned(
          channelID: id, signature: funding.signature, htlcSignatures: children,
          partialSignatureWithNonce: funding.partial))
    case .revoke(let revocation):
      return try send(
        RevokeAndAck(
          channelID: id, perCommitmentSecret: revocation.secret, nextPerCommitmentPoint: revocation.nextPoint,
          nextLocalNonces: signsTogether ? revocation.nextNonces.map { NonceEntry($0) } : nil))
    case .propose, .presign: throw .fail("no channel type of the BOLTs asks for presignatures")
    case .reestablish(let state):
      return try send(
        ChannelReestablish(
          channelID: id, nextCommitmentNumber: state.nextCommitmentNumber,
          nextRevocationNumber: state.nextRevocationNumber, yourLastPerCommitmentSecret: state.lastSecret,
          myCurrentPerCommitmentPoint: state.currentPoint,
          nextLocalNonces: signsTogether ? state.nextNonces.map { NonceEntry($0) } : nil))
    }
  }

  private mutating func receive(_ message: CommitmentSigned, _ effects: inout [LightningEffect]) throws(Fault) {
    guard phase <= .shuttingDown else { throw .warn("commitment_signed while closing") }
    var children: [CounterSignature] = []
    children.reserveCapacity(message.htlcSignatures.count)
    for signature in message.htlcSignatures { children.append(try secondStageSignature(signature)) }
    let set = CommitmentSignatures(
      funding: try fundingSignature(message.signature, message.partialSignatureWithNonce), children: children)
    try step(&effects) { (core, signer) throws(ChannelError) in try core.receive(.commit([set]), signer) }
  }

  private mutating func receive(_ message: RevokeAndAck, _ effects: inout [LightningEffect]) throws(Fault) {
    let revocation = Revocation(
      secret: message.perCommitmentSecret, nextPoint: message.nextPerCommitmentPoint,
      nextNonces: try nonces(message.nextLocalNonces))
    try step(&effects) { (core, signer) throws(ChannelError) in try core.receive(.revoke(revocation), signer) }
  }

  /// What a message names; whether it is enough is for the core to say.
  private func nonces(_ entries: [NonceEntry]?) throws(Fault) -> [FundingNonce] {
    var nonces: [FundingNonce] = []
    if signsTogether { for entry in entries ?? [] { nonces.append(try FundingNonce(entry)) } }
    return nonces
  }

  private mutating func receive(
    _ message: UpdateFee, _ context: ChannelContext, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    // BOLT 2: if the `update_fee` is too low for timely processing, OR is unreasonably large: MUST send a `warning` and close the
    // connection, or send an `error` and fail the channel.
    guard policy.allows(message.feeratePerKw, atMost: context.maximumFeeRate) else {
      let most = context.maximumFeeRate ?? policy.maximumFeeRate
      throw .warn("a fee rate of \(message.feeratePerKw) is outside of \(policy.minimumFeeRate) to \(most)")
    }
    try step(&effects) { (core, signer) throws(ChannelError) in
      try core.receive(.update(.feeRate(message.feeratePerKw)), signer)
    }
  }

  static func signature(_ signature: CompactSignature) throws(Fault) -> ECDSASignature {
    do { return try ECDSASignature(compact: signature.raw) } catch { throw .fail("a signature that is out of range") }
  }

  /// Offers another fee rate for commitments. The opener's alone.
  public mutating func updateFee(_ rate: FeeRate) throws(ChannelError) -> [LightningEffect] {
    try propose(.feeRate(rate))
  }

  mutating func propose(_ content: UpdateContent) throws(ChannelError) -> [LightningEffect] {
    guard isReady.local, isReady.remote, isEstablished, phase == .normal || phase == .shuttingDown, var core else {
      throw .notNow("the channel is not in normal operation")
    }
    let result = try core.propose(content)
    self.core = core
    var effects: [LightningEffect] = []
    for effect in result {
      do { try translate(effect, &effects) } catch { throw .notNow("the update cannot be sent") }
    }
    return effects
  }
}

// MARK: - Losing and finding each other

extension LightningChannel {
  /// The connection is gone. A channel that is not funded yet is forgotten with it.
  public mutating func disconnect() -> [LightningEffect] {
    isConnected = false
    forgetNegotiation()
    guard isFunded else { return [.forget("the connection was lost before the channel was funded")] }
    core?.disconnect()
    return []
  }

  private mutating func forgetNegotiation() {
    closing = nil
    closingNonces = PerParty(local: nil, remote: nil)
  }

  /// There is a connection again. Sends `channel_reestablish`, or, of a channel that has failed, the error.
  public mutating func connect(fundingIsSpent: Bool = false) -> [LightningEffect] {
    isConnected = true
    forgetNegotiation()
    // Once a block says it, the peer need not hear it again: some end the connection at every error, with all channels on it.
    guard !fundingIsSpent, phase < .ended else { return [] }
    if let failure, let message = try? send(errorMessage(failure)) { return [message] }
    guard let core, phase < .onchain, core.connection == .disconnected else { return [] }
    guard let state = try? core.reestablish(signer), let message = try? encode(.reestablish(state)) else { return [] }
    return [message]
  }

  private mutating func reestablish(
    _ theirs: ChannelReestablish, _ context: ChannelContext, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    guard let before = core, phase < .onchain else { return }
    let ours: Reestablish
    do { ours = try before.reestablish(signer) } catch { throw Fault(error) }
    let state = Reestablish(
      nextCommitmentNumber: theirs.nextCommitmentNumber, nextRevocationNumber: theirs.nextRevocationNumber,
      lastSecret: theirs.yourLastPerCommitmentSecret, currentPoint: theirs.myCurrentPerCommitmentPoint,
      nextNonces: try nonces(theirs.nextLocalNonces))
    var resent: [LightningEffect] = []
    try step(&resent) { (core, signer) throws(ChannelError) in try core.receive(.reestablish(state), signer) }
    if core?.connection == .outdated {
      pointAfterDataLoss = theirs.myCurrentPerCommitmentPoint
      let reason = "we have lost data: please close the channel"
      failure = reason
      phase = .onchain
      effects += resent
      effects.append(try send(errorMessage(reason)))
      return
    }
    // BOLT 2: if `next_commitment_number` is 1 in both the `channel_reestablish` it sent and received: MUST retransmit `channel_ready`.
    if isReady.local, ours.nextCommitmentNumber == 1, theirs.nextCommitmentNumber == 1 {
      effects.append(try send(channelReady()))
    }
    effects += resent
    // BOLT 2: if it has sent a previous `shutdown`: MUST retransmit `shutdown`.
    if let script = shutdownScripts.local {
      shutdownScripts.remote = nil
      effects.append(try shutdown(script))
    }
    updateDepth(context.height, &effects)
    // BOLT 7: upon reconnection: if it has NOT received an `announcement_signatures` message: SHOULD retransmit.
    if hasSentAnnouncement, remoteAnnouncement == nil { effects.append(.announce) }
  }
}

extension Message {
  /// For texts.
  var typeName: String { MessageType.known(type)?.name ?? "message \(type)" }
}
