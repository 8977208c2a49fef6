internal import Bitcoin
internal import Encoding
internal import GLC
internal import Hashing
internal import Secp256k1
internal import Sphinx
internal import Wire

// What becomes of a peer's offer: it is refused, passed on, or ours.

/// Why an offer is refused.
enum Refusal: Error, Hashable, Sendable {
  /// Told to the payer.
  case failure(FailureMessage.Failure)
  /// Told to the peer: the payer cannot be reached.
  case malformed(FailureCode)
}

extension PaymentEngine {
  mutating func receive(_ payment: IncomingPayment) {
    guard incomings[payment.key] == nil else { return }
    var incoming = Incoming(
      key: payment.key, amount: payment.amount, lock: payment.lock, expiry: payment.expiry,
      receivedAt: payment.receivedAt ?? now, onionHash: sha256(payment.onion),
      manner: payment.pathKey == nil ? .plain : .blinded)
    do throws(Refusal) {
      let peeled = try peel(payment, &incoming)
      let identity = Self.identity(of: peeled)
      let answer = onions.answer(for: identity)
      if case .uncertain = answer {
        return ask(.onions(keys: onions.keys(of: identity)), about: .onion(payment, peeled), incoming)
      }
      try pass(payment, &incoming, peeled, answer)
    } catch {
      refuse(&incoming, error)
      incomings[incoming.key] = incoming
    }
  }

  /// Decides on an offer whose onion has been read.
  mutating func pass(
    _ payment: IncomingPayment, _ incoming: inout Incoming, _ peeled: PeeledOnion, _ answer: SeenOnions.Answer
  ) throws(Refusal) {
    // BOLT 4: if the onion is for a payment: if `hmac` has previously been received: MUST abort processing the packet and fail. The
    // same offer after a restart is no replay.
    if case .passed(let key) = answer {
      guard key == payment.key else { throw .failure(.temporaryNodeFailure) }
    } else {
      let seen = SeenOnion(key: payment.key, expiry: payment.expiry)
      store(onions.add(Self.identity(of: peeled), seen, round: round, height: height))
    }
    let payload = try read(peeled, payment, &incoming)
    guard !payment.exceedsDustExposure else {
      throw .failure(payload.next == nil ? .temporaryNodeFailure : .temporaryChannelFailure(channelUpdate: []))
    }
    if let packet = payload.next {
      try forward(incoming, payload, packet)
    } else {
      try accept(incoming, payload)
    }
  }

  static func identity(of peeled: PeeledOnion) -> Bytes32 { sha256(peeled.sharedSecret.bytes) }

  mutating func removed(_ key: PaymentKey) {
    guard let incoming = incomings.removeValue(forKey: key) else { return }
    questions[key] = nil
    switch incoming.stage {
    case .received(let hash): leave(hash, key)
    case .settled where incoming.origin == nil: forgetAccepted(key)
    // As long as our offer is open, its outcome is still to come.
    case .forwarded, .undecided: break
    case .settled, .failed:
      if let record = forwards.removeValue(forKey: key) {
        resolve(record, incoming.stage == .settled ? .settled : .failed, code: nil)
      }
      if let origin = incoming.origin, outgoings[origin] == nil { actions.append(.forgetOutcome(origin: origin)) }
    }
  }

  // MARK: Reading the onion

  /// Our part of an onion, and of a blinded route.
  struct Instructions: Sendable {
    var payload: HopPayload
    var next: OnionPacket?
    /// What the creator of a blinded route says to us.
    var blinded: UnblindedData?
  }

  private func peel(
    _ payment: IncomingPayment, _ incoming: inout Incoming
  ) throws(Refusal) -> PeeledOnion {
    guard let scheme = schemes[payment.lock.kind], payment.onion.count == OnionPacket.paymentByteCount,
      let packet = try? OnionPacket(payment.onion)
    else { throw .malformed(.invalidOnionVersion) }
    let peeled: PeeledOnion
    do throws(OnionError) {
      peeled = try nodeKey.peel(
        packet, associatedData: scheme.associatedData(of: payment.lock), pathKey: payment.pathKey)
    } catch {
      guard let secret = error.sharedSecret else { throw .malformed(error.code) }
      incoming.sharedSecret = secret
      throw .failure(.invalidOnionPayload(type: 0, offset: 0))
    }
    incoming.sharedSecret = peeled.sharedSecret
    return peeled
  }

  private func read(
    _ peeled: PeeledOnion, _ payment: IncomingPayment, _ incoming: inout Incoming
  ) throws(Refusal) -> Instructions {
    let payload: HopPayload
    do throws(InvalidPayload) {
      payload = try HopPayload(decoding: peeled.payload)
      // BOLT 4: if `current_path_key` is set in the onion payload and it is not the final node: MUST return an
      // `invalid_onion_blinding` error.
      if payload.currentPathKey != nil, !peeled.isFinal, incoming.manner == .plain { incoming.manner = .introduction }
      try payload.validate(
        as: payload.role(isFinal: peeled.isFinal, hasPathKey: payment.pathKey != nil),
        knownTypes: schemes[payment.lock.kind]?.payloadTypes ?? [])
    } catch {
      throw .failure(error.failure.failure)
    }
    guard let data = payload.encryptedRecipientData else { return Instructions(payload: payload, next: peeled.next) }
    guard let pathKey = payment.pathKey ?? payload.currentPathKey else {
      throw .failure(.invalidOnionPayload(type: 12, offset: 0))
    }
    let blinded: UnblindedData
    do throws(UnblindingError) {
      blinded = try nodeKey.unblind(data, pathKey: pathKey)
    } catch {
      throw .failure(.invalidOnionPayload(type: 10, offset: 0))
    }
    do throws(InvalidPayload) {
      try blinded.data.validate(as: peeled.isFinal ? .paymentFinal : .paymentForward)
    } catch {
      throw .failure(.invalidOnionPayload(type: 10, offset: 0))
    }
    guard blinded.data.allows(amount: payment.amount, cltvExpiry: payment.expiry) else {
      throw .failure(.invalidOnionPayload(type: 10, offset: 0))
    }
    return Instructions(payload: payload, next: peeled.next, blinded: blinded)
  }

  // MARK: Refusing

  /// Gives an offer back, in the manner that its route asks for.
  mutating func refuse(_ incoming: inout Incoming, _ refusal: Refusal) {
    incoming.stage = .failed
    switch (incoming.manner, refusal) {
    case (.blinded, _):
      // BOLT 2: if `path_key` is set in the incoming `update_add_htlc`: MUST send an `update_fail_malformed_htlc` error using the
      // `invalid_onion_blinding` failure code for any local or downstream errors.
      failMalformed(incoming, .invalidOnionBlinding)
    case (.introduction, _):
      // BOLT 2: MUST send an `update_fail_htlc` error using the `invalid_onion_blinding` failure code for any local or downstream
      // errors.
      fail(incoming, .invalidOnionBlinding(sha256OfOnion: incoming.onionHash))
    case (.plain, .failure(let failure)): fail(incoming, failure)
    case (.plain, .malformed(let code)): failMalformed(incoming, code)
    }
  }

  private mutating func fail(_ incoming: Incoming, _ failure: FailureMessage.Failure) {
    guard let secret = incoming.sharedSecret,
      let packet = FailurePacket(
        message: FailureMessage(failure).encoded, sharedSecret: secret,
        holdTime: configuration.sendsAttribution ? now.holdTime(since: incoming.receivedAt) : nil)
    else { return failMalformed(incoming, .invalidOnionHMAC) }
    actions.append(.fail(incoming.key, reason: packet.reason, attribution: packet.attribution?.bytes))
  }

  private mutating func failMalformed(_ incoming: Incoming, _ code: FailureCode) {
    actions.append(.failMalformed(incoming.key, onionHash: incoming.onionHash, code: code.rawValue))
  }

  /// Returns what a node behind us has said.
  mutating func relayFailure(_ incoming: inout Incoming, reason: [UInt8], attribution: [UInt8]?) {
    guard incoming.manner == .plain, let secret = incoming.sharedSecret else {
      return refuse(&incoming, .failure(.temporaryNodeFailure))
    }
    incoming.stage = .failed
    var packet = FailurePacket(reason: reason, attribution: attribution.flatMap { try? Attribution($0) })
    packet.wrap(
      sharedSecret: secret,
      holdTime: configuration.sendsAttribution ? now.holdTime(since: incoming.receivedAt) : nil)
    actions.append(.fail(incoming.key, reason: packet.reason, attribution: packet.attribution?.bytes))
  }

  /// Takes an offer. `downstream` is the attribution data that came with the witness, for a payment that we have passed on.
  mutating func settle(
    _ incoming: inout Incoming, _ witness: PaymentWitness, isFinal: Bool, downstream: [UInt8]? = nil
  ) {
    incoming.stage = .settled
    var attribution: Attribution?
    // BOLT 2: if `path_key` is not set in the incoming `update_add_htlc`: MUST initialize `attribution_data` and include it.
    if configuration.sendsAttribution, incoming.manner != .blinded, let secret = incoming.sharedSecret {
      let holdTime = now.holdTime(since: incoming.receivedAt)
      attribution =
        isFinal
        ? .fulfilled(sharedSecret: secret, holdTime: holdTime)
        : .relayFulfilled(
          downstream.flatMap { try? Attribution($0) }, sharedSecret: secret, holdTime: holdTime)
    }
    actions.append(.settle(incoming.key, witness, attribution: attribution?.bytes))
  }
}
