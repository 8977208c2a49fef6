public import Bitcoin
public import Encoding
public import Secp256k1

/// What two cores say to each other; `BOLT` and `Negotiation` write it as messages.
public enum ChannelMessage: Sendable {
  case update(UpdateContent)
  /// The sender fixes what the receiver's commitment of this number will be, and asks for presignatures before it signs. With it come the
  /// sender's nonces for those second stages of that commitment that both sign together: one list for each active funding, in their order,
  /// or none at all when there are no such second stages.
  case propose(number: UInt64, nonces: [[MuSigPublicNonce]] = [])
  /// The sender's signatures on the receiver's second stage, and its parts of those that both sign together, on the commitment of the
  /// sender's that was proposed: one set for each active funding, in their order.
  case presign(number: UInt64, [[CounterSignature]])
  /// One set of signatures for each active funding, in their order.
  case commit([CommitmentSignatures])
  case revoke(Revocation)
  case reestablish(Reestablish)
}

/// `revoke_and_ack`, as far as the core is concerned.
public struct Revocation: Hashable, Sendable {
  /// Of the commitment that is given up.
  public var secret: Bytes32
  /// The point of the one after the next.
  public var nextPoint: PublicKey
  /// The sender's nonces for that commitment, one for each funding, where both sign together.
  public var nextNonces: [FundingNonce]

  public init(secret: Bytes32, nextPoint: PublicKey, nextNonces: [FundingNonce] = []) {
    self.secret = secret
    self.nextPoint = nextPoint
    self.nextNonces = nextNonces
  }
}

/// The nonce with which a party will sign its next commitment on one funding output.
public struct FundingNonce: Hashable, Sendable {
  public var funding: TxID
  public var nonce: MuSigPublicNonce

  public init(funding: TxID, nonce: MuSigPublicNonce) {
    self.funding = funding
    self.nonce = nonce
  }
}

/// `channel_reestablish`, as far as the core is concerned (BOLT 2 §Message Retransmission).
public struct Reestablish: Hashable, Sendable {
  /// The number of the next commitment that the sender expects a signature for.
  public var nextCommitmentNumber: UInt64
  /// The number of the next commitment whose revocation the sender expects.
  public var nextRevocationNumber: UInt64
  /// The last secret that the sender got; zeros when none.
  public var lastSecret: Bytes32
  /// A valid point of the sender's.
  public var currentPoint: PublicKey
  /// The sender's nonces for the next commitment that it expects, one for each funding, where both sign together.
  public var nextNonces: [FundingNonce]
  /// Which stack is in force, where the parties tell each other.
  public var stack: StackStatus?

  public init(
    nextCommitmentNumber: UInt64, nextRevocationNumber: UInt64, lastSecret: Bytes32, currentPoint: PublicKey,
    nextNonces: [FundingNonce] = [], stack: StackStatus? = nil
  ) {
    self.stack = stack
    self.nextNonces = nextNonces
    self.nextCommitmentNumber = nextCommitmentNumber
    self.nextRevocationNumber = nextRevocationNumber
    self.lastSecret = lastSecret
    self.currentPoint = currentPoint
  }
}

/// What is to be done after a step, in this order. A `persist` must be durable before anything behind it happens.
public enum ChannelEffect: Sendable {
  /// Store the channel's state as it is after the step.
  case persist
  case send(ChannelMessage)
  /// An update of the remote party has arrived. Secrets in it can be used at once; nothing else is certain yet.
  case received(UpdateContent)
  /// An update is in both commitments for good.
  case irrevocable(UpdateContent, author: Party)
  /// The remote party gave up its commitment: what is needed to punish it, should it ever appear.
  case revoked(RevokedCommitment)
  /// The remote party has proven that our state is older than the channel's. BOLT 2: MUST NOT broadcast its commitment transaction;
  /// SHOULD send an `error` to request the peer to fail the channel.
  case dataLoss
}

/// A commitment that its holder has given up.
public struct RevokedCommitment: Sendable {
  /// One on each funding.
  public let commitments: [Commitment]
  /// The per-commitment secret, 32 bytes.
  public let secret: Bytes32

  public init(commitments: [Commitment], secret: Bytes32) {
    self.commitments = commitments
    self.secret = secret
  }
}
