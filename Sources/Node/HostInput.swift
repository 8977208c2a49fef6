internal import BOLT
internal import Bitcoin
internal import Encoding
internal import GLC
internal import Negotiation
internal import Onchain
internal import Payments
internal import Peers
internal import Storage
internal import Wire

/// What a peer's host works off.
enum HostInput: Sendable {
  case connected(PeerConnection)
  /// What has arrived; `readOn` is called when it has been worked off.
  case messages([RawMessage], PeerConnection, readOn: @Sendable () -> Void)
  case disconnected(PeerConnection)
  /// Answers as soon as there is a connection.
  case whenConnected(CheckedContinuation<Void, Never>)

  case open(OpenOrder, Reply<ChannelID>)
  /// A channel that is composed with the peer.
  case propose(ProposalOrder, Reply<ChannelID>)
  /// The wallet has chosen coins for it, or has none.
  case contribution(NegotiationID, Opening.Contribution, reservation: UInt64)
  case noContribution(NegotiationID, String)
  /// What the peer puts in was looked for: nil for nothing wrong.
  case inputsChecked(NegotiationID, Refusal?)
  /// The wallet has signed its part of the funding transaction, or does not.
  case witnesses(NegotiationID, [Witness])
  case noWitnesses(NegotiationID, String)
  /// So much time has passed since that step.
  case openingClock(NegotiationID, step: UInt64)
  /// Runs with what is being composed at hand.
  case composition(@Sendable (Composition) -> Void)
  case funded(ChannelID, Transaction, output: UInt32, reservation: UInt64)
  case notFunded(ChannelID, String)
  case close(ChannelID, CloseOrder, Reply<Void>)
  case forceClose(ChannelID, String, deadline: UInt32?, Reply<Void>?)

  /// What comes behind it builds on what this pledges.
  case behind(Pledge)
  /// Something of ours could not be stored, yet or ever.
  case notStored(isFinal: Bool)
  case offer(OutgoingPayment)
  case settle(PaymentKey, PaymentWitness, attribution: [UInt8]?)
  case fail(PaymentKey, reason: [UInt8], attribution: [UInt8]?)
  case failMalformed(PaymentKey, onionHash: Bytes32, code: UInt16)

  /// A block, with those of its transactions that somebody here watches, and their places in it.
  case block(BlockNotice, done: CheckedContinuation<Void, Never>)
  case reorg(to: UInt32, done: CheckedContinuation<Void, Never>)
  case unconfirmed(Transaction)
  /// The channel has failed and that is stored: now it goes to the chain.
  case goOnchain(ChannelID, deadline: UInt32?)
  /// A claim of these outputs did not get out.
  case unpublished(ChannelID, [OutPoint], ClaimObstacle, taken: [OutPoint])
  /// What these channels were to send is on its way: there is time for what they will need next.
  case prepare(Set<ChannelID>)
  /// A signature was held back long enough.
  case commit(ChannelID)
  case upgrade(ChannelID, StackDescription, Reply<Void>)
  /// So long after both said `stfu`.
  case quiescenceIsOver(ChannelID, UInt64)
  case setPolicy(ChannelID, ForwardingPolicy, Reply<Void>)
  /// Runs with the channels at hand, or with one of them, behind everything that was posted before.
  case inspect(ChannelID?, @Sendable ([HostedChannel]) -> Void)
  case send([[UInt8]])
  case stop(done: CheckedContinuation<Void, Never>)
}

typealias Reply<Value> = @Sendable (Result<Value, NodeError>) -> Void

struct BlockNotice: Sendable {
  var height: UInt32
  var transactions: [(index: UInt32, transaction: Transaction)]
}

/// What a user wants of a new channel.
struct OpenOrder: Sendable {
  var type: Wire.ChannelType
  var capacity: Satoshi
  var pushed: MilliSatoshi
  var isAnnounced: Bool
  var feeRate: FeeRate
  var policy: ChannelPolicy
  var coins: [OutPoint]?
  /// Where our share is bound to go when the channel is closed together.
  var shutdownScript: Script?
}

struct CloseOrder: Sendable {
  /// Nil: an address of the wallet.
  var script: Script?
}

/// A channel and what the node keeps beside it.
struct HostedChannel: Sendable {
  /// A host looks through all of its channels with each block: copies must cost nothing.
  private var shared: Shared<LightningChannel>
  /// Once it goes to the chain.
  var onchain: OnchainChannel?
  /// The wallet's reservation for its funding, until that is broadcast.
  var reservation: UInt64?
  var opening: Reply<ChannelID>?
  var openOrder: OpenOrder?
  var closing: [Reply<Void>] = []
  /// Who waits for another stack.
  var upgrading: Reply<Void>?
  /// Names the present quiescence, as long as there is one.
  var quiescence: UInt64?
  var policy: ForwardingPolicy
  /// The peer's, for what it forwards to us.
  var peerPolicy: ForwardingPolicy?
  var peerUpdate: ChannelUpdate?
  var ourUpdates: [ShortChannelID: ChannelUpdate] = [:]
  var announcement: ChannelAnnouncement?
  /// The height at which the peer promised the funding, or at which the node started since.
  var openedAt: UInt32 = 0
  var isDirty = false
  /// What of its log is stored beside it.
  var stored = StoredUpdates()
  /// Since when a signature waits that is due for nothing but settlements.
  var heldSince: ContinuousClock.Instant?
  /// Whether somebody sees to it that it does not wait for ever.
  var isHoldTimed = false
  /// Payments of ours for which there is no room yet.
  var waiting: [WaitingOffer] = []
  /// Payments of the peer's that are to be removed as soon as the channel is established.
  var removals: [PaymentName: Removal] = [:]
  /// Our commitments by number, signed, also those that are revoked: with a switch for tests alone.
  var keptCommitments: [UInt64: Transaction] = [:]

  /// A signature that is due for nothing but settlements waits so long for what may follow: one payment after the other then needs two
  /// commitments each instead of four.
  static let patience = Duration.milliseconds(10)

  init(channel: LightningChannel, onchain: OnchainChannel? = nil, policy: ForwardingPolicy) {
    shared = Shared(channel)
    self.onchain = onchain
    self.policy = policy
  }

  var channel: LightningChannel {
    _read { yield shared.value }
    _modify { yield &shared.value }
  }

  /// Whether the peer has promised a funding that no block has shown yet.
  var isPromised: Bool {
    channel.isFunded && !channel.isOpener && channel.phase != .ended && channel.funding?.confirmation == nil
  }

  /// Whether nothing of ours is in a channel whose funding was promised: it has never been used, and all that we may have in it is a gift of
  /// the opener's.
  var hasNothingAtStake: Bool {
    guard let core = channel.core, core.localNumber == 0, core.remoteNumber == 0, onchain?.closedAt == nil,
      let balance = channel.balances?[.local]
    else { return false }
    return channel.phase == .awaitingDepth ? balance <= channel.pushed : channel.phase == .onchain && balance == .zero
  }
}

/// How a payment of the peer's ends.
enum Removal: Sendable {
  case settle(PaymentWitness, attribution: [UInt8]?)
  case refuse(reason: [UInt8], attribution: [UInt8]?)
  case refuseMalformed(onionHash: Bytes32, code: UInt16)
}
