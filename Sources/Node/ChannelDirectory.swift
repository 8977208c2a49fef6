internal import HTLC
internal import BOLT
internal import Bitcoin
internal import GLC
internal import Payments
internal import Synchronization
internal import Wire

/// What everybody may know of our channels: who has them, and what they are like. The truth is with the hosts.
final class ChannelDirectory: Sendable {
  struct Entry: Sendable {
    var peer: NodeID
    var payment: PaymentChannel
    var capacity: Satoshi
    var funding: OutPoint?
    var spendable: MilliSatoshi
    /// Whether offers can be made now.
    var canOffer: Bool
    var phase: LightningChannel.Phase
    var hasAnchors: Bool
    var isPromised: Bool
  }

  private struct State {
    var entries: [ChannelID: Entry] = [:]
    var names: [ShortChannelID: ChannelID] = [:]
    var endings: [ChannelID: String] = [:]
  }

  private let state = Mutex(State())

  func peer(of channel: ChannelID) -> NodeID? { state.withLock { $0.entries[channel]?.peer } }
  func entry(_ channel: ChannelID) -> Entry? { state.withLock { $0.entries[channel] } }
  var all: [ChannelID: Entry] { state.withLock { $0.entries } }

  /// How many channels wait for a funding that peers have promised.
  var promised: Int { state.withLock { $0.entries.values.count(where: \.isPromised) } }

  /// By any name of the channel.
  func channel(named name: ShortChannelID) -> ChannelID? { state.withLock { $0.names[name] } }

  /// Returns what payments have to know when it has changed.
  func update(_ hosted: HostedChannel, peer: NodeID) -> PaymentChannel? {
    let channel = hosted.channel
    guard channel.isFunded else { return nil }
    let payment = PaymentChannel(hosted, peer: peer)
    let entry = Entry(
      peer: peer, payment: payment, capacity: channel.capacity, funding: channel.funding?.outPoint,
      spendable: channel.spendable,
      canOffer: channel.canOffer, phase: channel.phase,
      hasAnchors: channel.raisesFees, isPromised: hosted.isPromised)
    return state.withLock { state in
      let old = state.entries[channel.id]?.payment
      state.entries[channel.id] = entry
      for name in [payment.shortChannelID, payment.peerAlias].compactMap({ $0 }) + payment.aliases {
        state.names[name] = channel.id
      }
      // How much can be received changes with every payment, and is only a hint.
      var comparable = payment
      comparable.receivable = old?.receivable
      return old == comparable ? nil : payment
    }
  }

  /// For people: what the funding output was spent by.
  func markClosed(_ id: ChannelID, _ text: String) { state.withLock { $0.endings[id] = text } }
  func ending(of id: ChannelID) -> String? { state.withLock { $0.endings[id] } }

  func remove(_ id: ChannelID) {
    state.withLock { state in
      guard state.entries.removeValue(forKey: id) != nil else { return }
      for (name, owner) in state.names where owner == id { state.names[name] = nil }
    }
  }
}

extension PaymentChannel {
  init(_ hosted: HostedChannel, peer: NodeID) {
    let channel = hosted.channel
    let state: State =
      channel.phase > .normal ? .closing : channel.canOffer ? .usable : .disconnected
    self.init(
      id: channel.id, peer: peer.publicKey, shortChannelID: channel.shortChannelID,
      hidesShortChannelID: channel.kind.hidesShortChannelID, aliases: [channel.localAlias],
      peerAlias: channel.remoteAlias, isPublic: channel.isAnnounced && channel.remoteAnnouncement != nil, state: state,
      policy: hosted.policy, peerPolicy: hosted.peerPolicy, kinds: Set(channel.paymentSlots.map(\.slot.id)),
      receivable: channel.receivable,
      channelUpdates: hosted.ourUpdates.compactMapValues { try? $0.encoded() })
  }
}

extension LightningChannel {
  /// Why an offer cannot be made now; nil when it can be tried.
  func obstacle(to payment: OutgoingPayment) -> OfferRefusal? {
    if phase > .normal || failure != nil { return .closing }
    guard canOffer else { return .notConnected }
    guard let slot = paymentSlots.first(where: { $0.slot.id == payment.lock.kind })?.slot else { return .wrongKind }
    return payment.amount < slot.limits.remote.minimum ? .belowMinimum : nil
  }

  /// Which of the peer's limits on what is pending refuses an offer. All of it is gone through: to be asked when one was refused.
  func exceededLimit(of payment: OutgoingPayment) -> OfferRefusal? {
    if let limits = paymentSlots.first(where: { $0.slot.id == payment.lock.kind })?.slot.limits.remote {
      let pending = livePayments.filter { $0.offeredBy == .local && $0.lock.kind == payment.lock.kind }
      if pending.count >= Int(limits.maximumAccepted) { return .tooManyPending }
      let sum = pending.reduce(Optional(payment.amount)) { $0?.adding($1.amount) }
      if sum.map({ $0 > limits.maximumInFlight }) ?? true { return .tooMuchPending }
    }
    return nil
  }
}
