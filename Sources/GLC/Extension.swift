public import Bitcoin
public import Encoding

/// Which extension. Even: whoever meets it must understand it; odd: it may be ignored. Numbers are in `docs/REGISTRY.md`.
public struct ExtensionID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
  public let rawValue: UInt16
  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
  @inlinable public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
  /// Stands for the core itself, as the owner of the outputs that every stack has.
  public static let core = ExtensionID(rawValue: 0)
  public var mustBeUnderstood: Bool { rawValue.isMultiple(of: 2) }
  public var description: String { "extension \(rawValue)" }
}

/// Where in the making of a commitment an extension has its turn. Within a phase, the order of the stack.
public enum ContributionPhase: UInt8, Hashable, Comparable, Sendable {
  /// Outputs that hold value on behalf of an agreement. What is too small is trimmed.
  case contracts = 0
  /// The outputs of what remains to each side after the fee.
  case balances = 1
  /// Outputs that depend on what survived.
  case dependents = 2

  @inlinable public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// What an extension says of itself once and for all.
public struct Manifest: Hashable, Sendable {
  /// For people: `anchors`.
  public var name: String
  public var phase: ContributionPhase
  /// Extensions that must be in the same stack.
  public var requires: [ExtensionID]
  /// Extensions that must not.
  public var conflicts: [ExtensionID]
  /// The Lightning message types that carry its updates.
  public var messageTypes: [UInt16]
  /// Every key that its outputs or paths name.
  public var keys: [KeyRef]
  /// Whether the holder's presignatures must reach the counterparty before it signs the commitment.
  public var needsPresign: Bool
  /// Whether commitments keep the fee rate that they began with: `update_fee` is not allowed then.
  public var fixesFeeRate: Bool
  /// What the extension provides for raising the fee of commitments.
  public var feeBumping: FeeBumping
  /// Whether its outputs can only be made in taproot.
  public var needsTaproot: Bool

  public init(
    name: String, phase: ContributionPhase, requires: [ExtensionID] = [], conflicts: [ExtensionID] = [],
    messageTypes: [UInt16] = [], keys: [KeyRef] = [], needsPresign: Bool = false,
    fixesFeeRate: Bool = false, feeBumping: FeeBumping = .none, needsTaproot: Bool = false
  ) {
    self.name = name
    self.phase = phase
    self.requires = requires
    self.conflicts = conflicts
    self.messageTypes = messageTypes
    self.keys = keys
    self.needsPresign = needsPresign
    self.fixesFeeRate = fixesFeeRate
    self.feeBumping = feeBumping
    self.needsTaproot = needsTaproot
  }
}

/// A value with a binary form of its own, for storage and for the wire. Decoding reads what encoding wrote, byte for byte.
public protocol BinaryCodable: Hashable, Sendable {
  init(from reader: inout ByteReader) throws(DecodingError)
  func encode(to writer: inout ByteWriter)
}

extension BinaryCodable {
  public var encoded: [UInt8] {
    var writer = ByteWriter()
    encode(to: &writer)
    return writer.bytes
  }

  /// Reads a value that fills `bytes`.
  public init(decoding bytes: RawSpan) throws(DecodingError) {
    var reader = ByteReader(bytes)
    self = try Self(from: &reader)
    try reader.finish()
  }
}

/// Nothing, for an extension without parameters, ledger or updates.
public struct Nothing: BinaryCodable {
  @inlinable public init() {}
  @inlinable public init(from reader: inout ByteReader) throws(DecodingError) {}
  @inlinable public func encode(to writer: inout ByteWriter) {}
}

/// Why two parties cannot agree on an extension's parameters.
public struct NegotiationFault: Error, Hashable, Sendable, CustomStringConvertible {
  public var reason: String
  public init(_ reason: String) { self.reason = reason }
  public var description: String { reason }
}

/// A message that its sender was not allowed to send, and what the protocol makes us do about it.
public struct ProtocolViolation: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Consequence: UInt8, Hashable, Sendable {
    /// Send a warning and close the connection; the channel stays.
    case warning
    /// Send an error and fail the channel.
    case failChannel
  }

  public var consequence: Consequence
  public var reason: String

  public init(_ consequence: Consequence, _ reason: String) {
    self.consequence = consequence
    self.reason = reason
  }

  public var description: String { reason }
}

/// A message as the wire carries it: type and payload.
public struct WireMessage: Hashable, Sendable {
  public var type: UInt16
  public var body: [UInt8]

  public init(type: UInt16, body: [UInt8]) {
    self.type = type
    self.body = body
  }
}

/// One part of what a channel is for. The core knows money, updates, commitments, revocation and paths; everything else comes from
/// values of types like this. An extension never sees how a commitment is agreed on: it says what its updates do to its ledger and
/// which outputs the ledger stands for.
public protocol ChannelExtension: Sendable {
  /// Agreed once, when the stack is negotiated.
  associatedtype Parameters: BinaryCodable
  /// This extension's part of one commitment.
  associatedtype Ledger: BinaryCodable
  /// One entry of the channel's update log.
  associatedtype Update: BinaryCodable

  static var id: ExtensionID { get }
  /// May depend on the parameters, because so do the keys and messages of some formats.
  static func manifest(_ parameters: Parameters) -> Manifest

  /// The words for forms that one can ask for in the text of a stack, as in `name(word)`: see `StackSetting.variants`.
  /// The manifest's name is the one with the word; of the first form, the name alone will do.
  static var variants: [String] { get }
  /// What this node wants when a channel like that is negotiated.
  func propose(for setting: StackSetting) -> Parameters
  /// What this node says to what the other party wants, as seen from here: the same parameters when it agrees, others when it would agree
  /// to those. Throws when there is nothing to agree on. What comes out is agreed to when it is asked again.
  func agree(to theirs: Parameters, for setting: StackSetting) throws(NegotiationFault) -> Parameters

  /// The same parameters as the other party has them: what they say of local and remote is exchanged. As they are, unless the extension
  /// says otherwise.
  func mirrored(_ parameters: Parameters) -> Parameters

  func emptyLedger(_ parameters: Parameters) -> Ledger
  /// Whether `party` may make this update, judged by the ledgers alone: `ledger` with all updates so far, `settled` with
  /// those that are irrevocable on both sides.
  func validate(
    _ update: Update, by party: Party, in ledger: Ledger, settled: Ledger, _ parameters: Parameters
  ) throws(ProtocolViolation)
  /// Carries the update out. Value moves through `balances` only, which refuse what is not there.
  func apply(
    _ update: Update, by party: Party, to ledger: inout Ledger, moving balances: inout Balances,
    _ parameters: Parameters
  ) throws(ProtocolViolation)
  /// What the ledger holds on behalf of its agreements.
  func lockedValue(_ ledger: Ledger) -> MilliSatoshi

  /// Sets what the whole transaction has from this extension, before any output is added: its version.
  func prepare(_ draft: inout CommitmentDraft, _ parameters: Parameters)
  /// A fixed cost on the funder, in addition to the fee.
  func reserve(_ parameters: Parameters) -> Satoshi
  /// What the expected weight of a commitment counts for this extension whether it contributes or not.
  func fixedWeight(_ parameters: Parameters, in scripts: ScriptBackend) -> Weight
  /// What `contribute` would make of the ledger, without making it. For extensions of the contracts phase.
  func summary(_ ledger: Ledger, _ parameters: Parameters, _ trim: TrimContext) -> ContractSummary
  /// Adds outputs to a commitment.
  func contribute(_ ledger: Ledger, _ parameters: Parameters, to draft: inout CommitmentDraft) throws(DraftError)
  /// Secrets that the witness of a spend of one of its outputs gives away.
  func learn(from witness: [[UInt8]], spending tag: OutputTag, in ledger: Ledger) -> [SecretID: [UInt8]]

  /// Reads the body of one of its messages.
  func decode(type: UInt16, body: RawSpan) throws(ProtocolViolation) -> Update
  func encode(_ update: Update) -> WireMessage
}

// What most extensions leave as it is.
extension ChannelExtension {
  public static var variants: [String] { [] }
  public func mirrored(_ parameters: Parameters) -> Parameters { parameters }
  public func prepare(_ draft: inout CommitmentDraft, _ parameters: Parameters) {}
  public func reserve(_ parameters: Parameters) -> Satoshi { .zero }
  public func fixedWeight(_ parameters: Parameters, in scripts: ScriptBackend) -> Weight { Weight(0) }
  public func summary(_ ledger: Ledger, _ parameters: Parameters, _ trim: TrimContext) -> ContractSummary { .none }
  public func learn(from witness: [[UInt8]], spending tag: OutputTag, in ledger: Ledger) -> [SecretID: [UInt8]] { [:] }
}

extension ChannelExtension {
  /// Its own wish and nothing else.
  public func agree(to theirs: Parameters, for setting: StackSetting) throws(NegotiationFault) -> Parameters {
    propose(for: setting)
  }
}

extension ChannelExtension where Parameters == Nothing {
  public func propose(for setting: StackSetting) -> Nothing { Nothing() }
}

extension ChannelExtension where Ledger == Nothing {
  public func emptyLedger(_ parameters: Parameters) -> Nothing { Nothing() }
  public func lockedValue(_ ledger: Nothing) -> MilliSatoshi { .zero }
}

extension ChannelExtension where Update == Nothing, Ledger == Nothing {
  public func validate(
    _ update: Nothing, by party: Party, in ledger: Nothing, settled: Nothing, _ parameters: Parameters
  ) throws(ProtocolViolation) {}
  public func apply(
    _ update: Nothing, by party: Party, to ledger: inout Nothing, moving balances: inout Balances,
    _ parameters: Parameters
  ) throws(ProtocolViolation) {}
  public func decode(type: UInt16, body: RawSpan) throws(ProtocolViolation) -> Nothing {
    throw ProtocolViolation(.warning, "this extension has no messages")
  }
  public func encode(_ update: Nothing) -> WireMessage { WireMessage(type: 0, body: []) }
}
