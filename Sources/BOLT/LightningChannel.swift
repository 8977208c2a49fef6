public import Bitcoin
internal import Encoding
public import GLC
internal import HTLC
internal import Onchain
public import Secp256k1
public import Signer
public import Wire

/// A Lightning channel from its first message to its last (BOLT 2): opening, normal operation, coming back after a lost connection, and
/// closing, around a `Channel` that knows what is owed. A value: each step works on a copy, so that one that fails changes nothing but
/// what failing changes. It does no input or output and has no clock; what is to be done comes back as effects.
public struct LightningChannel: Sendable {
  /// The other node.
  public let peer: NodeID
  /// Which of the node's channel seeds this channel's secrets come from.
  public let keyIndex: UInt64
  public let isOpener: Bool
  /// `temporary_channel_id`, until there is a funding output.
  public internal(set) var id: ChannelID
  public let temporaryID: ChannelID
  public let kind: ChannelKind
  public let isAnnounced: Bool
  public let capacity: Satoshi
  /// What the opener gives the other party at the beginning.
  public let pushed: MilliSatoshi
  public let openingFeeRate: FeeRate
  public internal(set) var terms: PerParty<ChannelTerms?>
  /// The remote party's first point, until the core exists.
  var firstRemotePoint: PublicKey?
  /// Its nonce for its first commitment, where both sign together: until that is signed.
  var firstRemoteNonce: MuSigPublicNonce?
  /// Blocks that the opener's funding waits for.
  public internal(set) var minimumDepth: UInt32
  public internal(set) var phase: Phase
  /// Nil until the funding output is known.
  public internal(set) var core: Channel?
  public let signer: LocalSigner
  public var policy: ChannelPolicy

  public internal(set) var funding: FundingOutput?
  /// `channel_ready` of each party.
  public internal(set) var isReady = PerParty(local: false, remote: false)
  /// Our name for the channel, in the remote party's routing hints.
  public let localAlias: ShortChannelID
  /// The remote party's name for it, for our routing hints.
  public internal(set) var remoteAlias: ShortChannelID?
  /// The scripts of both `shutdown` messages.
  public internal(set) var shutdownScripts = PerParty<Script?>(local: nil, remote: nil)
  /// Where we want our share, once we have decided to close.
  var plannedShutdown: Script?
  /// Closing transactions that both sides have signed, ours with both signatures; oldest first.
  public internal(set) var closingTransactions: [Transaction] = []
  /// Closing negotiation; starts again with each connection.
  var closing: ClosingNegotiation?
  /// The nonces with which each side will sign a closing transaction of the other, where both sign together.
  var closingNonces = PerParty<MuSigPublicNonce?>(local: nil, remote: nil)
  /// What stands behind each of our offers; bytes of whoever made it.
  public internal(set) var origins: [PaymentName: [UInt8]] = [:]
  /// Whether the peer composes channels of extensions, as long as there is a connection.
  var peerComposes = false
  /// How far both are on the way to having nothing on its way.
  var quiescence = Quiescence()
  /// What we want the channel to become.
  var upgrade: UpgradeWish?
  /// What we have agreed that it becomes, and the peer has not sent yet.
  var agreedChange: StackChange?
  /// Of presignatures, and of a commitment's, as long as some are still to come.
  var noncePieces = SignaturePieces()
  var presignaturePieces = SignaturePieces()
  var signaturePieces = SignaturePieces()
  /// Whether both `announcement_signatures` have been exchanged, and the remote party's.
  public internal(set) var remoteAnnouncement: AnnouncementSignatures?
  var hasSentAnnouncement = false
  /// On this connection, at the peer's asking. Two that repeat theirs to each other would never end.
  var hasRepeatedAnnouncement = false
  /// What we told the peer when the channel failed; sent again on every connection.
  public internal(set) var failure: String?
  /// The remote party's present point, as it said when we had lost data.
  public internal(set) var pointAfterDataLoss: PublicKey?
  var isConnected = true
  /// Where our share goes when the peer wants to close and we have promised nothing.
  public var closingScript: Script?

  public enum Phase: UInt8, Hashable, Sendable {
    /// `open_channel` is sent.
    case proposed = 0
    /// `accept_channel` is sent or received: the funding transaction is being made.
    case agreed = 1
    /// The opener has sent `funding_created`.
    case created = 2
    /// Both sides have signed; waits for depth and `channel_ready`.
    case awaitingDepth = 3
    case normal = 4
    /// `shutdown` was sent or received.
    case shuttingDown = 5
    /// A closing transaction is signed by both.
    case closing = 6
    /// On its way to the chain, or there.
    case onchain = 7
    /// Everything is irrevocably resolved.
    case ended = 8
  }

  public struct FundingOutput: Hashable, Sendable {
    public var outPoint: OutPoint
    /// The opener's, to be broadcast again as long as it is not confirmed.
    public var transaction: Transaction?
    /// Where it is in the chain.
    public var confirmation: Confirmation?

    public struct Confirmation: Hashable, Sendable {
      public var height: UInt32
      public var transactionIndex: UInt32

      public init(height: UInt32, transactionIndex: UInt32) {
        self.height = height
        self.transactionIndex = transactionIndex
      }
    }
  }

  /// Why a message leads to nothing good.
  enum Fault: Error {
    case warn(String)
    case fail(String)

    init(_ error: ChannelError) {
      switch error.consequence {
      case .warning: self = .warn("\(error)")
      case .failChannel: self = .fail("\(error)")
      }
    }
  }

  init(
    peer: NodeID, keyIndex: UInt64, isOpener: Bool, temporaryID: ChannelID, kind: ChannelKind, isAnnounced: Bool,
    capacity: Satoshi, pushed: MilliSatoshi, feeRate: FeeRate, terms: PerParty<ChannelTerms?>, minimumDepth: UInt32,
    phase: Phase, signer: LocalSigner, policy: ChannelPolicy, alias: ShortChannelID
  ) {
    self.peer = peer
    self.keyIndex = keyIndex
    self.isOpener = isOpener
    id = temporaryID
    self.temporaryID = temporaryID
    self.kind = kind
    self.isAnnounced = isAnnounced
    self.capacity = capacity
    self.pushed = pushed
    openingFeeRate = feeRate
    self.terms = terms
    self.minimumDepth = minimumDepth
    self.phase = phase
    self.signer = signer
    self.policy = policy
    localAlias = alias
  }
}

extension LightningChannel {
  /// Where the channel stands in the chain, once it is confirmed.
  public var shortChannelID: ShortChannelID? {
    guard let funding, let place = funding.confirmation, let index = UInt16(exactly: funding.outPoint.vout) else {
      return nil
    }
    return ShortChannelID(
      blockHeight: place.height, transactionIndex: place.transactionIndex, outputIndex: index)
  }

  /// Both sides have agreed on the first commitments: something is at stake.
  public var isFunded: Bool { core != nil && phase >= .awaitingDepth }

  /// Whether payments can be offered now.
  public var canOffer: Bool {
    phase == .normal && isReady.local && isReady.remote && core?.connection == .established
      && plannedShutdown == nil && isConnected && !isQuiescing
  }

  /// Whether the peer can take messages about the channel.
  public var isEstablished: Bool { isConnected && (core?.connection ?? .established) == .established }

  /// What is owed now: everything that is irrevocable.
  public var balances: Balances? { core?.fundings.first?.base.balances }
}

extension LightningChannel.Phase: Comparable {
  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}
