internal import Bitcoin
internal import Encoding
internal import Secp256k1

// Every step that changes a channel. Each works on a copy and puts it in place at its end.

extension Channel {
  /// Offers an update of ours. Refused when it would break a rule that the remote party will hold us to.
  public mutating func propose(_ content: UpdateContent) throws(ChannelError) -> [ChannelEffect] {
    try requireEstablished()
    guard !isFixed.remote else { throw .notNow("the next commitment is proposed and not signed yet") }
    var next = self
    try next.admit(content, by: .local)
    self = next
    // Not persisted: until a signature covers it, an update that is forgotten was never made.
    return [.send(.update(content))]
  }

  /// Signs all that is due for the remote party.
  public mutating func commit(_ signer: some ChannelSigner) throws(ChannelError) -> [ChannelEffect] {
    try requireEstablished()
    // BOLT 2: a node MUST NOT send a `commitment_signed` message that does not include any updates.
    guard log.hasChanges(for: .remote) else { throw .notNow("nothing to sign") }
    guard !awaitsRevocation else { throw .notNow("the last commitment has not been acknowledged") }
    guard remotePoints.count > 1 else { throw .notNow("the remote party's next point is not known yet") }
    guard hasNonces(remoteNonces) else { throw .notNow("the remote party's nonces are not known") }
    guard !isFixed.remote else { throw .notNow("the next commitment is proposed and waits for presignatures") }
    return try commit(signer, with: nil)
  }

  /// - Parameter presignatures: nil when they have not been asked for.
  private mutating func commit(
    _ signer: some ChannelSigner, with presignatures: [[CounterSignature]]?
  ) throws(ChannelError) -> [ChannelEffect] {
    var next = self
    for index in fundings.indices {
      next.fundings[index].remote.append(try nextState(of: .remote, on: fundings[index]))
    }
    next.remoteNumber += 1
    try next.finish(next.log.advance(.committed(holder: .remote)))
    next.commitWasLast = true
    next.isFixed.remote = false
    let commitments = try next.latestRemoteCommitments()
    if let presignatures {
      guard presignatures.count == commitments.count else {
        throw .violation(ProtocolViolation(.failChannel, "presignatures for \(presignatures.count) commitments"))
      }
      let nonces = try signer.pairNonces(commitments)
      for ((commitment, set), nonces) in zip(zip(commitments, presignatures), nonces) {
        do { try commitment.verifyPresignatures(set, nonces: nonces) } catch { throw .signature(error) }
      }
    } else if let proposal = try proposal(commitments, signer) {
      return proposal
    }
    let signatures = try signer.signatures(commitments, remoteNonces, presignatures ?? [])
    next.remoteHandovers.append(
      next.fundings.contains { $0.remote.last?.stack.needsPresign == true }
        ? Handover(presignatures: presignatures ?? commitments.map { _ in [] }, signatures: signatures.map(\.children))
        : .none)
    // A nonce is good for one signature.
    next.remoteNonces = []
    // A revocation that was due meanwhile comes behind it, also when both are sent again.
    let held = heldRevocation
    next.heldRevocation = nil
    if held != nil { next.commitWasLast = false }
    self = next
    return [.persist, .send(.commit(signatures))] + (held.map { [.send(.revoke($0))] } ?? [])
  }

  /// The message of a remote party that keeps to the rules changes the channel; any other throws and changes nothing.
  public mutating func receive(
    _ message: ChannelMessage, _ signer: some ChannelSigner
  ) throws(ChannelError) -> [ChannelEffect] {
    switch message {
    case .update(let content): return try receive(update: content)
    case .propose(let number, let nonces):
      try requireEstablished()
      return try receive(propose: number, nonces, signer)
    case .presign(let number, let presignatures):
      try requireEstablished()
      guard isFixed.remote, number == remoteNumber + 1 else {
        throw .violation(ProtocolViolation(.failChannel, "presignatures that nobody asked for"))
      }
      return try commit(signer, with: presignatures)
    case .commit(let signatures): return try receive(commit: signatures, signer)
    case .revoke(let revocation): return try receive(revocation)
    case .reestablish(let reestablish): return try receive(reestablish, signer)
    }
  }

  private mutating func receive(update content: UpdateContent) throws(ChannelError) -> [ChannelEffect] {
    try requireEstablished()
    guard !isFixed.local else {
      throw .violation(ProtocolViolation(.failChannel, "an update between a proposal and its signature"))
    }
    var next = self
    try next.admit(content, by: .remote)
    self = next
    return [.received(content)]
  }

  private mutating func receive(
    commit signatures: [CommitmentSignatures], _ signer: some ChannelSigner
  ) throws(ChannelError) -> [ChannelEffect] {
    try requireEstablished()
    guard heldRevocation == nil else {
      throw .violation(ProtocolViolation(.failChannel, "a commitment before the last one is acknowledged"))
    }
    guard signatures.count == fundings.count else {
      throw .violation(
        ProtocolViolation(.failChannel, "\(signatures.count) commitments for \(fundings.count) fundings"))
    }
    var next = self
    for index in fundings.indices { next.fundings[index].local = try nextState(of: .local, on: fundings[index]) }
    next.localNumber += 1
    let finishedByCommit = next.log.advance(.committed(holder: .local))
    let commitments = try next.commitments(
      of: .local, number: next.localNumber, point: try point(next.localNumber, signer)
    ) { $0.local }
    // The same that were asked for, or would have been: with them, what is taken on the chain can be learned from. Where both sign
    // together, the signer sees to it that the nonces are those of the proposal.
    let needsPresign = next.fundings.contains { $0.local.stack.needsPresign }
    let presignatures =
      needsPresign
      ? try signer.presignatures(commitments, signatures.map { $0.children.compactMap(\.nonce) }) : []
    for (index, signatures) in signatures.enumerated() {
      let nonce = try signer.nonce(of: commitments[index], in: self)
      let given = presignatures.indices.contains(index) ? presignatures[index] : []
      do { try commitments[index].verify(signatures, nonce: nonce, presignatures: given) } catch {
        throw .signature(error)
      }
    }
    next.isFixed.local = false
    next.signatures = signatures
    next.localHandover = .none
    if needsPresign {
      next.localHandover = Handover(presignatures: presignatures, signatures: signatures.map(\.children))
    }

    // BOLT 2: MUST respond with a `revoke_and_ack` message. There is nothing to wait for: the new commitment is as good as the old.
    let finished = finishedByCommit + next.log.advance(.revoked(holder: .local), late: isFixed.remote)
    try next.finish(finished)
    next.commitWasLast = false
    let revocation = try next.revocation(signer)
    // The remote party must not see it before the signature on what is proposed, which does not cover what the revocation makes due.
    if isFixed.remote { next.heldRevocation = revocation }
    self = next
    return [.persist] + (isFixed.remote ? [] : [.send(.revoke(revocation))]) + finished.map(\.effect)
  }

  /// What revokes the commitment before our latest.
  private func revocation(_ signer: some ChannelSigner) throws(ChannelError) -> Revocation {
    let nextPoint = try point(localNumber + 1, signer)
    let nextNonces = try nextNonces(signer)
    return Revocation(secret: try signer.secret(localNumber - 1), nextPoint: nextPoint, nextNonces: nextNonces)
  }

  /// Our nonces for our next commitment on each funding; none where one signs alone.
  public func nextNonces(_ signer: some ChannelSigner) throws(ChannelError) -> [FundingNonce] {
    guard signsTogether else { return [] }
    var nonces: [FundingNonce] = []
    for funding in fundings {
      let outPoint = funding.funding.outPoint
      do {
        nonces.append(FundingNonce(funding: outPoint.txid, nonce: try signer.nonce(localNumber + 1, on: outPoint)))
      } catch {
        throw .signer(error)
      }
    }
    return nonces
  }

  /// Whether there is a nonce for each funding, or none is needed.
  func hasNonces(_ nonces: [FundingNonce]) -> Bool {
    !signsTogether
      || fundings.allSatisfy { funding in nonces.contains { $0.funding == funding.funding.outPoint.txid } }
  }

  private mutating func receive(_ revocation: Revocation) throws(ChannelError) -> [ChannelEffect] {
    try requireEstablished()
    let (secret, nextPoint) = (revocation.secret, revocation.nextPoint)
    guard awaitsRevocation else {
      throw .violation(ProtocolViolation(.failChannel, "a revocation that nobody asked for"))
    }
    // BOLT 2: if `per_commitment_secret` is not a valid secret key or does not generate the previous `per_commitment_point`: MUST
    // send an `error` and fail the channel.
    guard let key = try? SecretKey(secret), key.publicKey == remotePoints[0] else {
      throw .violation(ProtocolViolation(.failChannel, "a secret that does not belong to the revoked commitment"))
    }
    // Taproot channels: MUST fail the channel if an active commitment's `funding_txid` is missing in `next_local_nonces`.
    guard hasNonces(revocation.nextNonces) else {
      throw .violation(ProtocolViolation(.failChannel, "a revocation without the nonces of the next commitment"))
    }
    var next = self
    guard let index = ShachainIndex(commitmentNumber: remoteUnrevoked) else {
      throw .violation(ProtocolViolation(.failChannel, "commitment numbers are used up"))
    }
    do {
      try next.secrets.insert(PerCommitmentSecret(secret), at: index)
    } catch {
      throw .violation(ProtocolViolation(.failChannel, "\(error)"))
    }
    let revoked = try commitments(of: .remote, number: remoteUnrevoked, point: remotePoints[0]) { $0.remote[0] }
    next.remoteUnrevoked += 1
    next.remotePoints.removeFirst()
    next.remotePoints.append(nextPoint)
    next.remoteHandovers.removeFirst()
    next.remoteNonces = signsTogether ? revocation.nextNonces : []
    for index in next.fundings.indices { next.fundings[index].remote.removeFirst() }
    let finished = next.log.advance(.revoked(holder: .remote))
    try next.finish(finished)
    self = next
    return [.revoked(RevokedCommitment(commitments: revoked, secret: secret)), .persist] + finished.map(\.effect)
  }

  // MARK: Losing and finding each other

  /// The connection is gone. BOLT 2: MUST reverse any uncommitted updates sent by the other side.
  public mutating func disconnect() {
    guard connection == .established else { return }
    log.forgetUncommitted(by: .remote)
    log.forgetProposedStack()
    awaitsStackChange = false
    isFixed = PerParty(local: false, remote: false)
    heldRevocation = nil
    log.catchUp()
    remoteNonces = []
    connection = .disconnected
  }

  /// What to send first on a new connection.
  public func reestablish(_ signer: some ChannelSigner) throws(ChannelError) -> Reestablish {
    Reestablish(
      nextCommitmentNumber: localNumber + 1, nextRevocationNumber: remoteUnrevoked,
      lastSecret: secretOfRemote(before: remoteUnrevoked), currentPoint: try point(localNumber, signer),
      nextNonces: try nextNonces(signer), stack: stackStatus)
  }

  private func secretOfRemote(before number: UInt64) -> Bytes32 {
    guard number > 0, let index = ShachainIndex(commitmentNumber: number - 1) else { return Bytes32() }
    return secrets.secret(at: index)?.raw ?? Bytes32()
  }

  private mutating func receive(
    _ theirs: Reestablish, _ signer: some ChannelSigner
  ) throws(ChannelError) -> [ChannelEffect] {
    guard connection == .disconnected else { throw .notNow("reestablish on an established channel") }
    // BOLT 2: if `next_commitment_number` is zero: MUST immediately fail the channel.
    guard theirs.nextCommitmentNumber > 0 else {
      throw .violation(ProtocolViolation(.failChannel, "next_commitment_number is zero"))
    }
    if theirs.nextRevocationNumber > 0 {
      let number = theirs.nextRevocationNumber - 1
      let isOurs = (try? signer.revocationSecretForProof(number)) == theirs.lastSecret
      if theirs.nextRevocationNumber > localNumber {
        // They hold a secret that we have not given yet as far as we know: our state is an old one.
        guard isOurs else { throw .violation(ProtocolViolation(.failChannel, "next_revocation_number is too high")) }
        connection = .outdated
        return [.persist, .dataLoss]
      }
      guard isOurs else {
        throw .violation(ProtocolViolation(.failChannel, "your_last_per_commitment_secret is not what we revealed"))
      }
    }
    if let status = theirs.stack { try receive(status, nextCommitmentNumber: theirs.nextCommitmentNumber) }
    let resendsRevocation: Bool
    switch theirs.nextRevocationNumber {
    case localNumber: resendsRevocation = false
    case let number where number + 1 == localNumber: resendsRevocation = true
    default: throw .violation(ProtocolViolation(.failChannel, "next_revocation_number is too low"))
    }
    let resendsCommitment: Bool
    switch theirs.nextCommitmentNumber {
    case remoteNumber + 1: resendsCommitment = false
    // BOLT 2: if `next_commitment_number` is equal to the commitment number of the last `commitment_signed` message the receiving
    // node has sent: MUST reuse the same commitment number for its next `commitment_signed`.
    case remoteNumber where awaitsRevocation: resendsCommitment = true
    default: throw .violation(ProtocolViolation(.failChannel, "next_commitment_number does not match"))
    }

    guard hasNonces(theirs.nextNonces) else {
      throw .violation(ProtocolViolation(.failChannel, "no nonces for the next commitment"))
    }
    var commitment: [ChannelEffect] = []
    if resendsCommitment {
      commitment = log.entries.filter { $0.author == .local && $0.stage == .receiverCommitted }.map {
        .send(.update($0.content))
      }
      // Taproot channels: it must regenerate the partial signature using the newly received `next_local_nonces`.
      // Second stages that both sign are signed as they were: their nonces stand in the presignatures.
      commitment.append(
        .send(
          .commit(
            try signer.signatures(
              latestRemoteCommitments(), theirs.nextNonces, remoteHandovers.last?.presignatures ?? []))))
    }
    var revocation: [ChannelEffect] = []
    if resendsRevocation {
      revocation = [.send(.revoke(try self.revocation(signer)))]
    }
    // BOLT 2: MUST retransmit `revoke_and_ack` and `commitment_signed` in the same relative order as initially transmitted.
    let effects = commitWasLast ? revocation + commitment : commitment + revocation
    // What no signature covers, the remote party has forgotten: offer it again, behind what it knows.
    let proposals = log.entries.filter { $0.author == .local && $0.stage == .proposed }
    remoteNonces = signsTogether && !resendsCommitment ? theirs.nextNonces : []
    connection = .established
    return effects + proposals.map { .send(.update($0.content)) }
  }

  /// The channel goes to the chain: nothing is signed or revoked any more.
  public mutating func fail() {
    if connection != .outdated { connection = .failed }
  }

  // MARK: Parts

  private func requireEstablished() throws(ChannelError) {
    guard connection == .established else { throw .notNow("the channel is \(connection)") }
  }

  /// Carries over what has become irrevocable. The same updates were applied when they were committed: one that does not fit now, for
  /// instance of an extension that depends on their order, fails the step rather than being lost.
  private mutating func finish(_ entries: [LogEntry]) throws(ChannelError) {
    for entry in entries {
      for index in fundings.indices {
        do { try fundings[index].base.apply(entry.content, by: entry.author) } catch { throw .violation(error) }
      }
      if case .stack(let change) = entry.content {
        namedKeys = Set(namedKeys + change.stack.keys).sorted()
      }
    }
    // Asked for again and again until the log changes: once here, not by replaying for each question.
    for index in fundings.indices { fundings[index].prospects = try? prospects(of: fundings[index]) }
  }

  func latestRemoteCommitments() throws(ChannelError) -> [Commitment] {
    let index = Int(remoteNumber - remoteUnrevoked)
    return try commitments(of: .remote, number: remoteNumber, point: remotePoints[index]) { $0.remote[index] }
  }
}

extension LogEntry {
  fileprivate var effect: ChannelEffect { .irrevocable(content, author: author) }
}
