internal import Bitcoin
public import Encoding
public import GLC
public import Secp256k1

// The first question and its answer.

extension Opening {
  /// Asks a peer for a channel.
  /// - Parameter previous: the one whose funding transaction is to be replaced.
  public static func inquire(
    id: NegotiationID, deal: Deal, terms: OpeningTerms, nodes: PerParty<PublicKey>, policy: OpeningPolicy,
    registry: ExtensionRegistry, replacing previous: Opening? = nil
  ) throws(Refusal) -> (Opening, [OpeningEffect]) {
    let setting = try setting(deal, policy, registry)
    let stack = try compose(deal, setting, registry)
    try check(deal, stack, policy)
    guard let given = terms.contribution.milliSatoshi, deal.pushed <= given else {
      throw Refusal(.deal, "more is given away than the \(terms.contribution) that are put in")
    }
    var opening = Opening(
      id: id, isOpener: true, nodes: nodes, deal: deal, terms: PerParty(local: terms, remote: nil), policy: policy,
      registry: registry, setting: setting, stage: .inquired)
    opening.stack = stack
    try opening.replace(previous)
    return (opening, [.send(.inquire(Inquiry(id: id, deal: deal, terms: terms)))])
  }

  /// A peer asks for a channel: answers, or says why not.
  /// - Parameters:
  ///   - chain: of this node.
  ///   - terms: of this node; what it contributes included.
  public static func answer(
    _ inquiry: Inquiry, chain: Bytes32, terms: OpeningTerms, nodes: PerParty<PublicKey>, policy: OpeningPolicy,
    registry: ExtensionRegistry, replacing previous: Opening? = nil
  ) throws(Refusal) -> (Opening, [OpeningEffect]) {
    guard inquiry.version == Deal.version else {
      throw Refusal(.version, "version \(inquiry.version) is not known; \(Deal.version) is")
    }
    let deal = inquiry.deal
    guard deal.chain == chain else { throw Refusal(.chain, "another chain") }
    let setting = try setting(deal, policy, registry)
    let stack = try compose(deal, setting, registry)
    try check(deal, stack, policy)
    try policy.check(inquiry.terms)
    guard let given = inquiry.terms.contribution.milliSatoshi, deal.pushed <= given else {
      throw Refusal(.deal, "more is given away than the \(inquiry.terms.contribution) that are put in")
    }
    var opening = Opening(
      id: inquiry.id, isOpener: false, nodes: nodes, deal: deal,
      terms: PerParty(local: terms, remote: inquiry.terms), policy: policy, registry: registry, setting: setting,
      stage: .offered)
    opening.stack = stack
    try opening.replace(previous)
    try opening.checkTerms()
    // Of what is not known here, and may be ignored, there is nothing to want.
    let parameters = stack.extensions.filter { registry.manifest($0.id) != nil }.map {
      Offer.Parameters(id: $0.id, bytes: $0.encodedParameters)
    }
    .sorted { $0.id < $1.id }
    return (opening, [.send(.offer(Offer(id: inquiry.id, terms: terms, parameters: parameters)))])
  }

  /// BOLT 2 §Fee bumping: MUST set `feerate` greater than or equal to 25/24 times the `feerate` of the previously constructed transaction,
  /// rounded down.
  private mutating func replace(_ previous: Opening?) throws(Refusal) {
    guard let wanted = deal.replaces else { return }
    guard let previous, previous.id == wanted, previous.stage == .opened, previous.isOpener == isOpener else {
      throw Refusal(.unknown, "no funding transaction of ours is to be replaced")
    }
    let least = UInt64(previous.deal.fundingFeeRate.satPerKiloWeight) * 25 / 24
    guard UInt64(deal.fundingFeeRate.satPerKiloWeight) >= least else {
      throw Refusal(.deal, "a replacement at \(deal.fundingFeeRate) pays less than \(least) sat/kw")
    }
    replaced = previous.replaced + [previous.plan]
  }

  static func setting(
    _ deal: Deal, _ policy: OpeningPolicy, _ registry: ExtensionRegistry
  ) throws(Refusal) -> StackSetting {
    do { return try registry.setting(for: deal.stack, limits: policy.limits, acceptable: policy.acceptable) } catch {
      throw Refusal(error)
    }
  }

  /// The stack with what this node wants of each extension.
  static func compose(
    _ deal: Deal, _ setting: StackSetting, _ registry: ExtensionRegistry
  ) throws(Refusal) -> ChannelStack {
    do { return try registry.propose(deal.stack, setting) } catch { throw Refusal(error) }
  }

  static func check(_ deal: Deal, _ stack: ChannelStack, _ policy: OpeningPolicy) throws(Refusal) {
    try policy.check(deal, paysNoFee: stack.fixesFeeRate)
    // Announcements show two keys, and a witness script or the aggregate of the two (docs/PTLC.md); nothing announces another output.
    guard !deal.isAnnounced || stack.funding.scripts == .witnessScript || stack.funding.signsTogether else {
      throw Refusal(.deal, "a channel with such a funding output cannot be announced")
    }
  }

  /// What both have said of themselves.
  func checkTerms() throws(Refusal) {
    guard let ours = terms.local, let theirs = terms.remote, let capacity else {
      throw Refusal(.terms, "contributions that are out of range")
    }
    guard capacity.isInMoneyRange else { throw Refusal(.terms, "contributions that are out of range") }
    try policy.checkCapacity(capacity)
    guard ours.basepoints[.funding] != theirs.basepoints[.funding], ours.firstPoint != theirs.firstPoint else {
      throw Refusal(.terms, "keys of the other party's")
    }
    // Keys that are missing are found out here.
    if let stack { _ = try lock(stack) }
  }

  // MARK: The opener, answered

  mutating func receive(_ offer: Offer, _ effects: inout [OpeningEffect]) throws(Refusal) {
    guard isOpener, stage == .inquired, let ours = terms.local else {
      throw Refusal(.protocol, "an offer out of turn")
    }
    try policy.check(offer.terms)
    terms.remote = offer.terms
    try checkTerms()
    // What the acceptor has of extensions that it does not know is for it to ignore.
    var parameters = Dictionary(offer.parameters.map { ($0.id, $0.bytes) }) { first, _ in first }
    for slot in stack?.extensions ?? [] where parameters[slot.id] == nil && !slot.id.mustBeUnderstood {
      parameters[slot.id] = slot.mirroredParameters
    }
    do { stack = try registry.agree(to: parameters, asSeenBy: .remote, deal.stack, setting) } catch {
      throw Refusal(error)
    }
    stage = .contributing
    effects.append(
      .chooseCoins(
        CoinRequest(
          amount: ours.contribution, feeRate: deal.fundingFeeRate,
          startWeight: Weight(
            FundingPlan.commonWeight.rawValue + FundingPlan.channelOutputWeight.rawValue))))
  }
}
