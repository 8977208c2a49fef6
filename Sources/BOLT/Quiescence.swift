internal import GLC
internal import Wire

// BOLT 2 §Channel Quiescence: nobody has anything on its way, so that something fundamental can be agreed on.

/// How far the two sides are on the way to quiescence. Nothing of it survives a lost connection.
struct Quiescence: Hashable, Sendable {
  /// `initiator` of our `stfu` and of the remote party's.
  var sent: UInt8?
  var received: UInt8?

  /// BOLT 2: if it has sent `stfu` then: MUST now consider the channel to be quiescent.
  var isQuiescent: Bool { sent != nil && received != nil }
}

extension LightningChannel {
  /// Whether no update may be offered now because of it, or because somebody here wants it.
  var isQuiescing: Bool { quiescence != Quiescence() || upgrade != nil || core?.isChangingStack == true }

  /// Whether both have said `stfu`: from then on, what is pending cannot move (BOLT 2: MUST disconnect after 60 seconds of quiescence if
  /// the HTLCs are pending).
  public var isQuiescent: Bool { quiescence.isQuiescent }

  /// BOLT 2: if both sides send `stfu` simultaneously, they will both set `initiator` to `1`, in which case the "initiator" is arbitrarily
  /// considered to be the channel funder.
  var isQuiescenceInitiator: Bool {
    switch (quiescence.sent, quiescence.received) {
    case (1, 1): isOpener
    case (1, _): true
    default: false
    }
  }

  mutating func receive(_ message: Stfu, _ context: ChannelContext) throws(Fault) {
    guard context.negotiated(.quiesce) else { throw .warn("stfu without option_quiesce") }
    guard phase == .normal, isReady.local, isReady.remote, let core else {
      throw .warn("stfu on a channel that is not in operation")
    }
    // BOLT 2: MUST NOT send `stfu` twice.
    guard quiescence.received == nil else { throw .warn("stfu twice") }
    // If it is replying to an `stfu`: MUST set `initiator` to 0; otherwise: MUST set `initiator` to 1.
    guard message.initiator <= 1, message.initiator == 1 || quiescence.sent != nil else {
      throw .warn("an answer to a stfu that nobody sent")
    }
    // MUST NOT send `stfu` if any of the sender's htlc additions, htlc removals or fee updates are pending for either peer.
    guard !core.log.entries.contains(where: { $0.author == .remote }) else {
      throw .warn("stfu while the sender's updates are pending")
    }
    quiescence.received = message.initiator
  }

  /// Says `stfu` as soon as nothing of ours is pending: for something of ours, or in answer.
  mutating func continueQuiescence(
    _ context: ChannelContext, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    guard quiescence.sent == nil, upgrade != nil || quiescence.received != nil, phase == .normal, let core,
      core.connection == .established, context.negotiated(.quiesce),
      !core.log.entries.contains(where: { $0.author == .local }), !core.isChangingStack
    else { return }
    let initiator: UInt8 = quiescence.received == nil ? 1 : 0
    quiescence.sent = initiator
    effects.append(try send(Stfu(channelID: id, initiator: initiator)))
  }
}
