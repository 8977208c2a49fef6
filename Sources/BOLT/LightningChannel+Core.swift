public import Bitcoin
internal import Encoding
public import GLC
internal import Onchain
internal import Secp256k1
internal import Signer
internal import Wire

// Between the core and the messages of BOLT 2.

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

  mutating func translate(_ effect: ChannelEffect, _ effects: inout [LightningEffect]) throws(Fault) {
    switch effect {
    case .persist: effects.append(.persist)
    case .send(let message): effects += try encode(message)
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

  func encode(_ message: ChannelMessage) throws(Fault) -> [LightningEffect] {
    switch message {
    case .update(.feeRate(let rate)): return [try send(UpdateFee(channelID: id, feeratePerKw: rate))]
    case .update(.stack(let change)): return [.send(UpgradeMessage.changed(id, change))]
    case .update(.extension(let position, let update)):
      guard let core, let wire = core.stack.extensions[position].encodeMessage(update) else {
        throw .fail("an update that cannot be sent")
      }
      // The extension's body stands behind the type and the channel's id, as in every message of the BOLTs about a channel.
      var writer = ByteWriter(reservingCapacity: wire.body.count + 34)
      writer.write(wire.type)
      writer.write(id)
      writer.write(wire.body)
      return [.send(writer.bytes)]
    case .commit(let sets):
      guard sets.count == 1, let set = sets.first, let core else { throw .fail("more than one commitment") }
      return try commitmentSigned(set, number: core.remoteNumber)
    case .revoke(let revocation):
      return [
        try send(
          RevokeAndAck(
            channelID: id, perCommitmentSecret: revocation.secret, nextPerCommitmentPoint: revocation.nextPoint,
            nextLocalNonces: signsTogether ? revocation.nextNonces.map { NonceEntry($0) } : nil))
      ]
    case .propose(let number, let nonces): return proposal(number, nonces)
    case .presign(let number, let sets): return presignatures(number, sets)
    case .reestablish(let state):
      var records = TLVStream()
      if peerComposes { records[UpgradeMessage.record] = state.stack?.record }
      return [
        try send(
          ChannelReestablish(
            channelID: id, nextCommitmentNumber: state.nextCommitmentNumber,
            nextRevocationNumber: state.nextRevocationNumber, yourLastPerCommitmentSecret: state.lastSecret,
            myCurrentPerCommitmentPoint: state.currentPoint,
            nextLocalNonces: signsTogether ? state.nextNonces.map { NonceEntry($0) } : nil, otherRecords: records))
      ]
    }
  }

  mutating func receive(_ message: CommitmentSigned, _ effects: inout [LightningEffect]) throws(Fault) {
    guard phase <= .shuttingDown else { throw .warn("commitment_signed while closing") }
    let children = try childSignatures(message)
    let set = CommitmentSignatures(
      funding: try fundingSignature(message.signature, message.partialSignatureWithNonce), children: children)
    try step(&effects) { (core, signer) throws(ChannelError) in try core.receive(.commit([set]), signer) }
  }

  mutating func receive(_ message: RevokeAndAck, _ effects: inout [LightningEffect]) throws(Fault) {
    let revocation = Revocation(
      secret: message.perCommitmentSecret, nextPoint: message.nextPerCommitmentPoint,
      nextNonces: try nonces(message.nextLocalNonces))
    try step(&effects) { (core, signer) throws(ChannelError) in try core.receive(.revoke(revocation), signer) }
  }

  /// What a message names; whether it is enough is for the core to say.
  func nonces(_ entries: [NonceEntry]?) throws(Fault) -> [FundingNonce] {
    var nonces: [FundingNonce] = []
    if signsTogether { for entry in entries ?? [] { nonces.append(try FundingNonce(entry)) } }
    return nonces
  }

  mutating func receive(
    _ message: UpdateFee, _ context: ChannelContext, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    try requireUpdates()
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

  /// BOLT 2: MUST NOT send an update message after `stfu`.
  func requireUpdates() throws(Fault) {
    guard quiescence.received == nil else { throw .warn("an update after stfu") }
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
    guard !isQuiescing else { throw .notNow("something fundamental is underway") }
    let result = try core.propose(content)
    self.core = core
    var effects: [LightningEffect] = []
    for effect in result {
      do { try translate(effect, &effects) } catch { throw .notNow("the update cannot be sent") }
    }
    return effects
  }
}
