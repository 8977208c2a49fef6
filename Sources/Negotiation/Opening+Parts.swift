public import Bitcoin
internal import Encoding
internal import GLC
internal import Hashing
internal import Secp256k1

// What a channel and its transactions are, from what both have said.

extension Opening {
  func agreedTerms() throws(Refusal) -> (local: OpeningTerms, remote: OpeningTerms) {
    guard let local = terms.local, let remote = terms.remote else { throw Refusal(.protocol, "nothing is agreed yet") }
    return (local, remote)
  }

  /// Of the channel's output.
  func lock(_ stack: ChannelStack) throws(Refusal) -> OutputLock {
    let (ours, theirs) = try agreedTerms()
    do {
      let keys = try CommitmentKeys(
        holder: ours.basepoints, counterparty: theirs.basepoints, perCommitmentPoint: ours.firstPoint,
        resolving: stack.keys)
      return try stack.funding.lock(keys)
    } catch {
      throw Refusal(.terms, "\(error)")
    }
  }

  func channelOutput(_ stack: ChannelStack) throws(Refusal) -> TxOutput {
    guard let capacity else { throw Refusal(.terms, "contributions that are out of range") }
    return TxOutput(value: capacity, scriptPubKey: try lock(stack).scriptPubKey)
  }

  /// The channel at its first commitments, on the funding transaction as it is planned now.
  func makeChannel(_ stack: ChannelStack) throws(Refusal) -> Channel {
    let (ours, theirs) = try agreedTerms()
    guard let capacity, let index = plan.channelIndex, let vout = UInt32(exactly: index),
      let local = ours.contribution.milliSatoshi, let remote = theirs.contribution.milliSatoshi,
      let ourPayment = ours.basepoints[.payment], let theirPayment = theirs.basepoints[.payment]
    else { throw Refusal(.funding, "no output is the channel's") }
    let reserve = OpeningPolicy.reserve(capacity: capacity, dustLimits: ours.dustLimit, theirs.dustLimit)
    let given = isOpener ? local : remote
    let other = isOpener ? remote : local
    guard let openers = given.subtracting(deal.pushed), let acceptors = other.adding(deal.pushed) else {
      throw Refusal(.deal, "more is given away than is put in")
    }
    let parameters = ChannelParameters(
      funder: opener,
      parties: PerParty(
        // What each waits for is what the other demands.
        local: PartyParameters(
          dustLimit: ours.dustLimit, contestDelay: theirs.contestDelay, reserve: reserve, basepoints: ours.basepoints),
        remote: PartyParameters(
          dustLimit: theirs.dustLimit, contestDelay: ours.contestDelay, reserve: reserve,
          basepoints: theirs.basepoints)),
      obscuringFactor: isOpener
        ? obscuringFactor(openerPaymentBasepoint: ourPayment, acceptorPaymentBasepoint: theirPayment)
        : obscuringFactor(openerPaymentBasepoint: theirPayment, acceptorPaymentBasepoint: ourPayment),
      maximumDustExposure: policy.maximumDustExposure)
    // BOLT 2: the funder's amount for the initial commitment transaction is not sufficient for full fee payment; both `to_local` and
    // `to_remote` amounts are less than or equal to `channel_reserve_satoshis`.
    guard let fee = deal.commitmentFeeRate.fee(for: stack.baseWeight),
      let cost = fee.adding(stack.reserve)?.milliSatoshi, let left = openers.subtracting(cost)
    else { throw Refusal(.deal, "the opener cannot pay the fee of the first commitment") }
    guard left.satoshiRoundedDown > reserve || acceptors.satoshiRoundedDown > reserve else {
      throw Refusal(.deal, "both sides would have no more than their reserve of \(reserve)")
    }
    return Channel(
      stack: stack, parameters: parameters,
      funding: Funding(outPoint: OutPoint(txid: plan.transaction.txid, vout: vout), capacity: capacity),
      balances: Balances(local: isOpener ? openers : acceptors, remote: isOpener ? acceptors : openers),
      feeRate: deal.commitmentFeeRate, firstRemotePoint: theirs.firstPoint)
  }

  /// Commitment 0 of a party.
  func firstCommitment(of party: Party, _ channel: Channel) throws(Refusal) -> Commitment {
    let (ours, theirs) = try agreedTerms()
    guard let funding = channel.fundings.first else { throw Refusal(.funding, "no output is the channel's") }
    let commitment: Commitment
    do {
      commitment = try channel.commitment(
        funding.base, on: funding.funding, heldBy: party, number: 0,
        point: party == .local ? ours.firstPoint : theirs.firstPoint)
    } catch {
      throw Refusal(.stack, "the first commitments cannot be made: \(error)")
    }
    // Second stages that both would have to sign first belong to agreements, and there are none yet.
    guard commitment.presignIndex.count == 0 else {
      throw Refusal(.stack, "a channel that begins with agreements has to be presigned")
    }
    return commitment
  }

  /// The proposal that a stack and the plan make.
  func proposal(_ stack: ChannelStack, round: UInt8) throws(Refusal) -> Proposal {
    let channel = try makeChannel(stack)
    var commitments: [[UInt8]] = []
    for party in [opener, opener.other] {
      let commitment = try firstCommitment(of: party, channel)
      do { commitments.append(try commitment.psbt().encoded) } catch { throw Refusal(.stack, "\(error)") }
    }
    return Proposal(id: id, round: round, funding: try fundingPSBT(stack).encoded, commitments: commitments)
  }

  /// What is proposed now, unsigned: the funding transaction, the opener's first commitment, the acceptor's. Nil before there is one.
  public var psbts: [PSBT]? {
    guard round > 0, let stack, let channel = try? makeChannel(stack), let funding = try? fundingPSBT(stack) else {
      return nil
    }
    let commitments = [opener, opener.other].compactMap { party in
      try? firstCommitment(of: party, channel).psbt()
    }
    return commitments.count == 2 ? [funding] + commitments : nil
  }

  func fundingPSBT(_ stack: ChannelStack) throws(Refusal) -> PSBT {
    let (ours, theirs) = try agreedTerms()
    return try plan.psbt(
      deal, opener: isOpener ? ours : theirs, acceptor: isOpener ? theirs : ours, stack: stack, seenBy: opener,
      lock: try lock(stack))
  }

  /// A serial number for something that this side adds: of the right parity, and in no order that tells who added what.
  func serial(_ kind: UInt8, _ index: Int) -> UInt64 {
    var writer = ByteWriter(reservingCapacity: 64)
    writer.write(Array("glc/funding/serial".utf8))
    writer.write(id)
    writer.write(flag: isOpener)
    writer.write(kind)
    writer.write(UInt32(clamping: index))
    let hash = sha256(writer.bytes.bytes)
    var number: UInt64 = 0
    for index in 0..<8 { number = number << 8 | UInt64(hash[index]) }
    return number & ~1 | (isOpener ? 0 : 1)
  }
}
