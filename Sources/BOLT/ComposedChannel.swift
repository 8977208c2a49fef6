public import Bitcoin
public import GLC
public import Signer
public import Wire

/// What is to be known of a channel that two nodes have composed of extensions, besides its core: how they found each other and what they
/// have agreed on around it.
public struct ComposedOpening: Sendable {
  public var peer: NodeID
  /// Which of the node's channel seeds this channel's secrets come from.
  public var keyIndex: UInt64
  /// Whether we have proposed it.
  public var isOpener: Bool
  /// Its name before it had a funding output.
  public var temporaryID: ChannelID
  /// What the other party than the opener begins with.
  public var pushed: MilliSatoshi
  /// Blocks that both wait for.
  public var minimumDepth: UInt32
  /// Not used for any other channel.
  public var alias: ShortChannelID
  public var options: ChannelKind.Options
  public var isAnnounced: Bool
  /// Where each party's share goes in the end, if it has bound itself.
  public var shutdownScripts: PerParty<Script?>

  public init(
    peer: NodeID, keyIndex: UInt64, isOpener: Bool, temporaryID: ChannelID, pushed: MilliSatoshi, minimumDepth: UInt32,
    alias: ShortChannelID, options: ChannelKind.Options = [], isAnnounced: Bool = false,
    shutdownScripts: PerParty<Script?> = PerParty(local: nil, remote: nil)
  ) {
    self.peer = peer
    self.keyIndex = keyIndex
    self.isOpener = isOpener
    self.temporaryID = temporaryID
    self.pushed = pushed
    self.minimumDepth = minimumDepth
    self.alias = alias
    self.options = options
    self.isAnnounced = isAnnounced
    self.shutdownScripts = shutdownScripts
  }
}

extension LightningChannel {
  /// Takes over a channel whose first commitments both parties have signed: from here on it waits for its depth as any other. The remote
  /// party's signature on ours is checked once more.
  /// - Parameters:
  ///   - core: at its first commitments, with the remote party's signatures on ours.
  ///   - transaction: what funds it, signed by everybody; nil as long as it is not (see `fundingIsSigned`).
  public static func composed(
    _ core: Channel, _ opening: ComposedOpening, funding transaction: Transaction?, signer: LocalSigner,
    policy: ChannelPolicy
  ) throws(OpeningRefusal) -> (LightningChannel, [LightningEffect]) {
    guard let state = core.fundings.first, core.fundings.count == 1, core.localNumber == 0, core.remoteNumber == 0,
      core.connection == .established
    else { throw OpeningRefusal("the channel is not at its first commitments") }
    guard let id = ChannelID(fundingOutpoint: state.funding.outPoint) else {
      throw OpeningRefusal("an unusable funding output")
    }
    let own = core.parameters.parties.local.basepoints
    guard own.all.allSatisfy({ signer.basepoints[$0.basepoint] == $0.key }) else {
      throw OpeningRefusal("the keys are not the signer's")
    }
    guard !(opening.isAnnounced && opening.options.contains(.hidesShortChannelID)) else {
      throw OpeningRefusal("a channel whose place in the chain is told nobody cannot be announced")
    }
    // BOLT 2's terms are what the core knows already; what each demands of payments is with their extensions, here that of the first.
    let limits = core.stack.payments.first?.slot.limits ?? PerParty(local: .none, remote: .none)
    func terms(_ party: Party) -> ChannelTerms {
      // Delay and reserve are what the other side demands.
      let (its, others) = (core.parameters.parties[party], core.parameters.parties[party.other])
      return ChannelTerms(
        dustLimit: its.dustLimit, reserve: others.reserve, contestDelay: others.contestDelay, limits: limits[party],
        basepoints: its.basepoints, shutdownScript: opening.shutdownScripts[party])
    }
    var channel = LightningChannel(
      peer: opening.peer, keyIndex: opening.keyIndex, isOpener: opening.isOpener, temporaryID: opening.temporaryID,
      kind: .composed(opening.options), isAnnounced: opening.isAnnounced, capacity: state.funding.capacity,
      pushed: opening.pushed, feeRate: state.base.feeRate,
      terms: PerParty(local: terms(.local), remote: terms(.remote)), minimumDepth: opening.minimumDepth,
      phase: .awaitingDepth, signer: signer, policy: policy, alias: opening.alias)
    channel.core = core
    channel.peerComposes = true
    channel.core?.limitDustExposure(to: policy.maximumDustExposure)
    channel.id = id
    channel.funding = FundingOutput(outPoint: state.funding.outPoint, transaction: nil, confirmation: nil)
    try channel.checkFirstSignatures(core)
    var effects: [LightningEffect] = [.persist, .watchFunding(state.funding.outPoint, try channel.fundingScript())]
    if let transaction { effects += try channel.fundingIsSigned(transaction) }
    if channel.minimumDepth == 0 {
      do { try channel.sendReady(&effects) } catch { throw OpeningRefusal("channel_ready cannot be sent") }
    }
    return (channel, effects)
  }

  private func checkFirstSignatures(_ core: Channel) throws(OpeningRefusal) {
    do {
      let commitments = try core.localCommitments(signer)
      guard commitments.count == core.signatures.count else { throw OpeningRefusal("the remote party has not signed") }
      for (commitment, signatures) in zip(commitments, core.signatures) {
        let nonce = core.signsTogether ? try signer.nonce(0, on: commitment.context.fundingOutpoint) : nil
        try commitment.verify(signatures, nonce: nonce)
      }
    } catch let refusal as OpeningRefusal {
      throw refusal
    } catch {
      throw OpeningRefusal("the signature of the first commitment does not hold")
    }
  }

  /// The funding transaction has all its signatures: it is stored, and broadcast until it is confirmed.
  public mutating func fundingIsSigned(_ transaction: Transaction) throws(OpeningRefusal) -> [LightningEffect] {
    guard phase == .awaitingDepth, let outPoint = funding?.outPoint, transaction.txid == outPoint.txid,
      transaction.outputs.indices.contains(Int(outPoint.vout)),
      transaction.outputs[Int(outPoint.vout)] == TxOutput(value: capacity, scriptPubKey: try fundingScript())
    else { throw OpeningRefusal("the funding transaction does not pay to the channel") }
    funding?.transaction = transaction
    return [.persist, .broadcast(transaction, .funding)]
  }
}
