public import Bitcoin
internal import Encoding
internal import GLC
internal import HTLC
internal import Secp256k1
internal import Signer
internal import Wire

// What both sides of an opening need.

extension LightningChannel {
  /// The fields of `open_channel` and `accept_channel` that name our keys.
  func openingKeys(_ basepoints: Basepoints) throws(OpeningRefusal) -> ChannelKeys {
    guard let funding = basepoints[.funding], let revocation = basepoints[.revocation],
      let payment = basepoints[.payment], let delayedPayment = basepoints[.delayedPayment],
      let htlc = basepoints[.htlc]
    else { throw OpeningRefusal("the signer lacks a basepoint") }
    return ChannelKeys(
      fundingPubkey: funding, revocationBasepoint: revocation, paymentBasepoint: payment,
      delayedPaymentBasepoint: delayedPayment, htlcBasepoint: htlc, firstPerCommitmentPoint: try point(0))
  }

  static func stack(of type: Wire.ChannelType) throws(OpeningRefusal) -> BOLT.ChannelType {
    guard let stack = BOLT.ChannelType(featureBits: Set(type.basic.features.bits)), stack != .legacy else {
      throw OpeningRefusal("channel_type \(type) is not one that this node opens")
    }
    return stack
  }

  static func stackPaysNoFees(_ type: Wire.ChannelType) -> Bool { type.paysNoFees }

  /// In a taproot leaf, a wait of no blocks is a script that nobody can take.
  static func checkDelays(
    _ ours: ChannelTerms, _ theirs: ChannelTerms, _ type: Wire.ChannelType
  ) throws(OpeningRefusal) {
    guard !type.signsTogether || (ours.contestDelay > 0 && theirs.contestDelay > 0) else {
      throw OpeningRefusal("to_self_delay is 0")
    }
  }

  static func check(_ script: Script, _ context: ChannelContext) throws(OpeningRefusal) {
    guard let form = ShutdownScript(script), form.isAllowed(features: context.negotiatedBits) else {
      throw OpeningRefusal("upfront_shutdown_script is not in a form that is allowed")
    }
  }

  static func ownTerms(
    _ policy: ChannelPolicy, _ signer: LocalSigner, capacity: Satoshi, theirDustLimit: Satoshi, _ script: Script?
  ) throws(OpeningRefusal) -> ChannelTerms {
    ChannelTerms(
      dustLimit: policy.dustLimit, reserve: policy.reserve(capacity: capacity, theirDustLimit: theirDustLimit),
      contestDelay: policy.contestDelay,
      limits: HTLCExtension.Limits(
        minimum: policy.htlcMinimum, maximumInFlight: policy.maximumInFlight ?? capacity.milliSatoshi ?? .zero,
        maximumAccepted: min(policy.maximumAccepted, 483)),
      basepoints: Basepoints(signer.basepoints, Basepoint.bolt), shutdownScript: script)
  }

  func point(_ number: UInt64) throws(OpeningRefusal) -> PublicKey {
    do { return try signer.perCommitmentPoint(number) } catch { throw OpeningRefusal(error.reason) }
  }

  func sending(_ message: some Wire.WireMessage) throws(OpeningRefusal) -> LightningEffect {
    do { return .send(try message.encoded()) } catch { throw OpeningRefusal("a message that is too large") }
  }

  /// BOLT 2: MUST fail the channel if: the funder's amount for the initial commitment transaction is not sufficient for full fee payment;
  /// both `to_local` and `to_remote` amounts for the initial commitment transaction are less than or equal to
  /// `channel_reserve_satoshis`.
  func checkFirstCommitment(
    _ balances: Balances, reserves: (local: Satoshi, remote: Satoshi)
  ) throws(OpeningRefusal) {
    let stack = try makeStack(limits: PerParty(local: .none, remote: .none))
    let funder: Party = isOpener ? .local : .remote
    guard let fee = openingFeeRate.fee(for: stack.baseWeight), let cost = fee.adding(stack.reserve)?.milliSatoshi,
      let left = balances[funder].subtracting(cost)
    else { throw OpeningRefusal("the funder cannot pay the fee of the first commitment") }
    func isAbove(_ amount: MilliSatoshi, _ reserve: Satoshi) -> Bool { amount.satoshiRoundedDown > reserve }
    let funderReserve = funder == .local ? reserves.local : reserves.remote
    let otherReserve = funder == .local ? reserves.remote : reserves.local
    guard isAbove(left, funderReserve) || isAbove(balances[funder.other], otherReserve) else {
      throw OpeningRefusal("both sides would have no more than their reserve")
    }
  }

  func makeStack(limits: PerParty<HTLCExtension.Limits>) throws(OpeningRefusal) -> ChannelStack {
    guard let type else { throw OpeningRefusal("the channel is not of a type of the BOLTs") }
    do { return try Self.stack(of: type).stack(limits: limits) } catch let refusal as OpeningRefusal {
      throw refusal
    } catch {
      throw OpeningRefusal("\(error)")
    }
  }

  func parameters() throws(OpeningRefusal) -> (ChannelParameters, ChannelStack, PublicKey) {
    guard let ours = terms.local, let theirs = terms.remote, let point = firstRemotePoint,
      let ourPayment = ours.basepoints[.payment], let theirPayment = theirs.basepoints[.payment]
    else { throw OpeningRefusal("the channel is not agreed on yet") }
    let parameters = ChannelParameters(
      funder: isOpener ? .local : .remote,
      parties: PerParty(
        // Delay and reserve are what the other side demands.
        local: PartyParameters(
          dustLimit: ours.dustLimit, contestDelay: theirs.contestDelay, reserve: theirs.reserve,
          basepoints: ours.basepoints),
        remote: PartyParameters(
          dustLimit: theirs.dustLimit, contestDelay: ours.contestDelay, reserve: ours.reserve,
          basepoints: theirs.basepoints)),
      obscuringFactor: isOpener
        ? obscuringFactor(openerPaymentBasepoint: ourPayment, acceptorPaymentBasepoint: theirPayment)
        : obscuringFactor(openerPaymentBasepoint: theirPayment, acceptorPaymentBasepoint: ourPayment),
      maximumDustExposure: policy.maximumDustExposure)
    let stack = try makeStack(limits: PerParty(local: ours.limits, remote: theirs.limits))
    return (parameters, stack, point)
  }

  func makeCore(_ outPoint: OutPoint) throws(OpeningRefusal) -> Channel {
    let (parameters, stack, point) = try parameters()
    let rest = capacity.milliSatoshi?.subtracting(pushed) ?? .zero
    return Channel(
      stack: stack, parameters: parameters, funding: Funding(outPoint: outPoint, capacity: capacity),
      balances: Balances(local: isOpener ? rest : pushed, remote: isOpener ? pushed : rest),
      feeRate: openingFeeRate, firstRemotePoint: point)
  }

  /// The output that funds the channel.
  public func fundingScript() throws(OpeningRefusal) -> Script {
    // The first point is not stored; what came of it is.
    if let commitment = try? core?.localCommitments(signer).first { return commitment.fundingLock.scriptPubKey }
    let (parameters, stack, point) = try parameters()
    do {
      let keys = try CommitmentKeys(
        holder: parameters.parties.local.basepoints, counterparty: parameters.parties.remote.basepoints,
        perCommitmentPoint: point, resolving: stack.funding.keys)
      return try stack.funding.lock(keys).scriptPubKey
    } catch {
      throw OpeningRefusal("\(error)")
    }
  }

  func lock() throws(Fault) -> Script {
    do { return try fundingScript() } catch { throw .fail(error.reason) }
  }

  func firstSignatures(
    _ channel: Channel
  ) throws(OpeningRefusal) -> (signature: CompactSignature, partial: PartialSignatureWithNonce?) {
    do {
      guard let commitment = try channel.remoteCommitments().first?.first else {
        throw OpeningRefusal("the first commitment cannot be signed")
      }
      return try signer.sign(commitment, nonce: firstRemoteNonce).funding.fundingFields
    } catch {
      throw OpeningRefusal("\(error)")
    }
  }

  /// BOLT 2: if `signature` is incorrect OR non-compliant with LOW-S-standard rule: MUST send a `warning` and close the connection, or
  /// send an `error` and fail the channel.
  mutating func acceptFirstCommitment(
    _ signature: CompactSignature, _ partial: PartialSignatureWithNonce?
  ) throws(Fault) {
    guard let channel = core else { throw .fail("there is no channel yet") }
    let signatures = CommitmentSignatures(funding: try fundingSignature(signature, partial), children: [])
    do {
      for commitment in try channel.localCommitments(signer) {
        let nonce = signsTogether ? try signer.nonce(0, on: commitment.context.fundingOutpoint) : nil
        try commitment.verify(signatures, nonce: nonce)
      }
    } catch {
      throw .fail("the signature of the first commitment does not hold")
    }
    core = channel.signed([signatures])
  }
}

extension Basepoints {
  init(_ keys: ChannelKeys) {
    self.init([
      .funding: keys.fundingPubkey, .revocation: keys.revocationBasepoint, .payment: keys.paymentBasepoint,
      .delayedPayment: keys.delayedPaymentBasepoint, .htlc: keys.htlcBasepoint,
    ])
  }
  /// Some of others.
  init(_ all: Basepoints, _ wanted: [Basepoint]) {
    self.init(Dictionary(all.all.filter { wanted.contains($0.basepoint) }.map { ($0.basepoint, $0.key) }) { a, _ in a })
  }
}

extension Basepoint {
  /// Those of `open_channel` and `accept_channel`.
  static let bolt: [Basepoint] = [.funding, .revocation, .payment, .delayedPayment, .htlc]
}
