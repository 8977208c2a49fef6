public import Bitcoin
public import Encoding
public import GLC
public import Secp256k1

/// What two nodes say to each other to compose a channel. Numbers and forms are in `docs/NEGOTIATION.md`.
public enum NegotiationMessage: Hashable, Sendable {
  case catalogue(Catalogue)
  case inquire(Inquiry)
  case offer(Offer)
  case propose(Proposal)
  case complete(Completion)
  case commit(CommitmentPromise)
  case sign(FundingSignatures)
  case resume(Resumption)
  case refuse(NegotiationID, Refusal)

  /// The range of types that belongs to it.
  public static let types: ClosedRange<UInt16> = 45_080...45_119
  /// Of a part of a message that is too large.
  public static let partType: UInt16 = 45_082

  public var type: UInt16 {
    switch self {
    case .catalogue: 45_080
    case .inquire: 45_084
    case .offer: 45_086
    case .propose: 45_088
    case .complete: 45_090
    case .commit: 45_092
    case .sign: 45_094
    case .resume: 45_096
    case .refuse: 45_098
    }
  }

  /// For people.
  public var name: String {
    switch self {
    case .catalogue: "glc_catalogue"
    case .inquire: "glc_inquire"
    case .offer: "glc_offer"
    case .propose: "glc_propose"
    case .complete: "glc_complete"
    case .commit: "glc_commit"
    case .sign: "glc_sign"
    case .resume: "glc_resume"
    case .refuse: "glc_refuse"
    }
  }

  /// Which negotiation it belongs to; nil for a catalogue.
  public var id: NegotiationID? {
    switch self {
    case .catalogue: nil
    case .inquire(let message): message.id
    case .offer(let message): message.id
    case .propose(let message): message.id
    case .complete(let message): message.id
    case .commit(let message): message.id
    case .sign(let message): message.id
    case .resume(let message): message.id
    case .refuse(let id, _): id
    }
  }
}

/// Names a negotiation: 32 bytes, drawn by the opener.
public typealias NegotiationID = Bytes32

/// What a node can compose channels of. Sent on each connection to a peer that offers the feature.
public struct Catalogue: Hashable, Sendable {
  public var version: UInt8
  public var parts: [ExtensionRegistry.Part]

  public init(_ registry: ExtensionRegistry) {
    version = Deal.version
    parts = Array(registry.parts.prefix(NegotiationLimits.catalogue))
  }

  /// What would be missing there.
  public func missing(_ stack: StackDescription) -> [ExtensionID] {
    func has(_ kind: ExtensionRegistry.Part.Kind, _ id: ExtensionID) -> Bool {
      parts.contains { $0.kind == kind && $0.id == id }
    }
    return [stack.funding].filter { !has(.funding, $0) }
      + stack.extensions.filter { $0.mustBeUnderstood && !has(.extension, $0) }
      + stack.transforms.filter { !has(.transform, $0) }
  }
}

/// The opener asks what the acceptor says to a deal, and tells its own terms.
public struct Inquiry: Hashable, Sendable {
  public var id: NegotiationID
  public var version: UInt8
  public var deal: Deal
  public var terms: OpeningTerms

  public init(id: NegotiationID, version: UInt8 = Deal.version, deal: Deal, terms: OpeningTerms) {
    self.id = id
    self.version = version
    self.deal = deal
    self.terms = terms
  }
}

/// The acceptor's terms, and what it wants of each extension.
public struct Offer: Hashable, Sendable {
  public var id: NegotiationID
  public var terms: OpeningTerms
  /// In ascending order of the extensions, as the acceptor has them.
  public var parameters: [Parameters]

  public struct Parameters: Hashable, Sendable {
    public var id: ExtensionID
    public var bytes: [UInt8]

    public init(id: ExtensionID, bytes: [UInt8]) {
      self.id = id
      self.bytes = bytes
    }
  }

  public init(id: NegotiationID, terms: OpeningTerms, parameters: [Parameters]) {
    self.id = id
    self.terms = terms
    self.parameters = parameters
  }
}

/// The funding transaction and both first commitments as the sender would have them.
public struct Proposal: Hashable, Sendable {
  public var id: NegotiationID
  /// Counts the proposals of both sides, from 1.
  public var round: UInt8
  public var funding: [UInt8]
  /// The opener's, then the acceptor's.
  public var commitments: [[UInt8]]

  public init(id: NegotiationID, round: UInt8, funding: [UInt8], commitments: [[UInt8]]) {
    self.id = id
    self.round = round
    self.funding = funding
    self.commitments = commitments
  }
}

/// The sender agrees to the latest proposal and adds nothing to it.
public struct Completion: Hashable, Sendable {
  public var id: NegotiationID
  /// Of the funding transaction.
  public var txid: TxID
  /// The sender's for its commitment 0 on that transaction, where both sign together.
  public var nonce: MuSigPublicNonce?

  public init(id: NegotiationID, txid: TxID, nonce: MuSigPublicNonce?) {
    self.id = id
    self.txid = txid
    self.nonce = nonce
  }
}

/// The sender's signatures on the receiver's first commitment.
public struct CommitmentPromise: Hashable, Sendable {
  public var id: NegotiationID
  public var txid: TxID
  public var signatures: CommitmentSignatures

  public init(id: NegotiationID, txid: TxID, signatures: CommitmentSignatures) {
    self.id = id
    self.txid = txid
    self.signatures = signatures
  }
}

/// The witnesses of the sender's inputs, in their order in the funding transaction.
public struct FundingSignatures: Hashable, Sendable {
  public var id: NegotiationID
  public var txid: TxID
  public var witnesses: [Witness]

  public init(id: NegotiationID, txid: TxID, witnesses: [Witness]) {
    self.id = id
    self.txid = txid
    self.witnesses = witnesses
  }
}

/// There is a connection again: what the sender has of the other side.
public struct Resumption: Hashable, Sendable {
  public var id: NegotiationID
  public var txid: TxID
  public var hasCommitment: Bool
  public var hasSignatures: Bool

  public init(id: NegotiationID, txid: TxID, hasCommitment: Bool, hasSignatures: Bool) {
    self.id = id
    self.txid = txid
    self.hasCommitment = hasCommitment
    self.hasSignatures = hasSignatures
  }
}
