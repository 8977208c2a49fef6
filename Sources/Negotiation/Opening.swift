public import Bitcoin
public import Encoding
public import GLC
public import Secp256k1

/// A channel between two nodes that compose it of extensions, from the first question to the signed funding transaction. A value:
/// (state, input) → (state, effects), without I/O, clock, randomness or secrets. What both sides agree on is two kinds of PSBT, which each
/// makes again from its own stack and compares byte for byte; see `docs/NEGOTIATION.md`.
public struct Opening: Sendable {
  public let id: NegotiationID
  public let isOpener: Bool
  /// The node's own key and the peer's.
  public let nodes: PerParty<PublicKey>
  public let deal: Deal
  public internal(set) var terms: PerParty<OpeningTerms?>
  public let policy: OpeningPolicy
  let registry: ExtensionRegistry
  let setting: StackSetting
  public internal(set) var stage: Stage
  /// Proposals so far, of both sides.
  public internal(set) var round: UInt8 = 0
  /// The stack as this side would have it now.
  public internal(set) var stack: ChannelStack?
  public internal(set) var plan: FundingPlan
  /// What this node adds to the funding transaction, once its wallet has said so.
  var contribution: Contribution?
  /// Whether this side's parameters differ from those that were proposed last.
  var hasObjection = false
  /// Extensions whose parameters the other side would have otherwise.
  var lastDifference: [ExtensionID] = []
  var completed = PerParty(local: false, remote: false)
  /// Whether the host looks for what the other side spends: nobody has anything to say until then.
  var isChecking = false
  var remoteNonce: MuSigPublicNonce?
  /// From the moment when both have completed the funding transaction.
  public internal(set) var channel: Channel?
  /// What opens the inputs of each side, in their order.
  var witnesses = PerParty<[Witness]?>(local: nil, remote: nil)
  /// The funding transactions that this one is to replace, oldest first.
  var replaced: [FundingPlan] = []
  /// Whether our witnesses may be in the other side's hands.
  public internal(set) var hasSentWitnesses = false
  /// The height at which it was signed, as far as the host has said.
  var signedAt: UInt32?
  public internal(set) var isConnected = true
  /// Why it ended.
  public internal(set) var refusal: Refusal?

  public enum Stage: UInt8, Hashable, Sendable, Comparable {
    /// The opener has asked.
    case inquired = 0
    /// The acceptor has answered.
    case offered = 1
    /// This node's wallet chooses coins.
    case contributing = 2
    /// Proposals go to and fro; the other side's turn.
    case composing = 3
    /// Both have completed the funding transaction and sign the first commitments. From here on it is stored.
    case committing = 4
    /// Both first commitments are signed: witnesses of the funding transaction are exchanged.
    case signing = 5
    /// The funding transaction is complete.
    case opened = 6
    case ended = 7

    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
  }

  /// What a wallet adds.
  public struct Contribution: Hashable, Sendable {
    public struct Input: Hashable, Sendable {
      public var previous: Transaction
      public var vout: UInt32
      public var sequence: UInt32

      public init(previous: Transaction, vout: UInt32, sequence: UInt32 = 0xffff_fffd) {
        self.previous = previous
        self.vout = vout
        self.sequence = sequence
      }
    }

    public var inputs: [Input]
    /// Change.
    public var outputs: [TxOutput]

    public init(inputs: [Input], outputs: [TxOutput]) {
      self.inputs = inputs
      self.outputs = outputs
    }
  }

  init(
    id: NegotiationID, isOpener: Bool, nodes: PerParty<PublicKey>, deal: Deal, terms: PerParty<OpeningTerms?>,
    policy: OpeningPolicy, registry: ExtensionRegistry, setting: StackSetting, stage: Stage
  ) {
    self.id = id
    self.isOpener = isOpener
    self.nodes = nodes
    self.deal = deal
    self.terms = terms
    self.policy = policy
    self.registry = registry
    self.setting = setting
    self.stage = stage
    plan = FundingPlan(lockTime: deal.lockTime)
  }

  /// Who opened, as seen from here.
  var opener: Party { isOpener ? .local : .remote }

  /// Whether a restart must find it again.
  public var isStored: Bool { stage >= .committing && stage != .ended }

  /// The sum of both contributions.
  public var capacity: Satoshi? {
    guard let ours = terms.local, let theirs = terms.remote else { return nil }
    return ours.contribution.adding(theirs.contribution)
  }

  /// The outputs that this node's inputs spend.
  public var ownOutPoints: [OutPoint] { plan.inputs(ofOpener: isOpener).map(\.outPoint) }

  /// All inputs of the funding transaction: when one of them is spent by another transaction, there is no channel.
  public var outPoints: [OutPoint] { plan.inputs.map(\.outPoint) }
}

/// What is to be done after a step, in this order. A `persist` must be durable before anything behind it happens.
public enum OpeningEffect: Sendable {
  case send(NegotiationMessage)
  /// Store `Opening.encoded`.
  case persist
  /// Choose coins for this node's contribution, and call `contribute`, or `cancel` when there are none.
  case chooseCoins(CoinRequest)
  /// Look in the chain for what the other side spends, and call `vouch`, or `decline` with the reason.
  case checkInputs(InputCheck)
  /// Sign this node's inputs of the transaction, given all outputs that it spends, and call `sign`.
  case signFunding(Transaction, spending: [TxOutput])
  /// The channel is there. What comes of it must be stored together with what `persist` stores.
  case opened(OpenedChannel)
  case broadcast(Transaction)
  /// There will be no channel: coins are free, what was stored can be forgotten.
  case ended(Refusal)
}

/// What a wallet is asked for.
public struct CoinRequest: Hashable, Sendable {
  public var amount: Satoshi
  public var feeRate: FeeRate
  /// The weight besides that of the inputs and the change which is paid for.
  public var startWeight: Weight
}

/// What the other side spends. Each of these outputs has to be in a block, old enough, and unspent, the mempool included: what is not
/// confirmed can be made to disappear by whoever made it, and then nobody could ever say that the funding transaction has failed.
public struct InputCheck: Hashable, Sendable {
  public var outPoints: [OutPoint]
  /// The funding transactions that this one replaces: they may spend them as well, as long as they are not confirmed.
  public var replaced: Set<TxID>

  public init(outPoints: [OutPoint], replaced: Set<TxID> = []) {
    self.outPoints = outPoints
    self.replaced = replaced
  }
}

/// What a negotiation makes.
public struct OpenedChannel: Sendable {
  public var isOpener: Bool
  public var deal: Deal
  public var terms: PerParty<OpeningTerms>
  /// With the other side's signature on our first commitment.
  public var channel: Channel
  /// With all witnesses.
  public var funding: Transaction
  public var outPoint: OutPoint
  public var capacity: Satoshi
  /// Confirmations that both sides can live with.
  public var minimumDepth: UInt32
}
