public import Bitcoin
public import Encoding

/// An update of some extension, its type erased.
public struct AnyUpdate: Sendable {
  public let owner: ExtensionID
  let value: any BinaryCodable

  public init<E: ChannelExtension>(_ update: E.Update, of type: E.Type) {
    owner = E.id
    value = update
  }

  init(owner: ExtensionID, value: any BinaryCodable) {
    self.owner = owner
    self.value = value
  }

  /// The update, if it is this extension's.
  public func `as`<E: ChannelExtension>(_ type: E.Type) -> E.Update? { value as? E.Update }

  public var encoded: [UInt8] { value.encoded }

  public func isSame(as other: AnyUpdate) -> Bool {
    owner == other.owner && AnyHashable(value) == AnyHashable(other.value)
  }
}

/// An extension in a stack with its parameters, its type erased. Erasure happens here, once, and costs one dynamic call an
/// operation; inside, everything is specialised.
public protocol ExtensionSlot: Sendable {
  var id: ExtensionID { get }
  var manifest: Manifest { get }
  var reserve: Satoshi { get }
  func fixedWeight(in scripts: ScriptBackend) -> Weight
  var encodedParameters: [UInt8] { get }
  /// The parameters as the other party has them.
  var mirroredParameters: [UInt8] { get }

  /// This extension's part of a new commitment.
  func makeLedger() -> any LedgerSlot
  /// Reads this extension's part of a stored commitment.
  func decodeLedger(_ bytes: RawSpan) throws(DecodingError) -> any LedgerSlot
  func decodeUpdate(_ bytes: RawSpan) throws(DecodingError) -> AnyUpdate
  func decodeMessage(type: UInt16, body: RawSpan) throws(ProtocolViolation) -> AnyUpdate
  func encodeMessage(_ update: AnyUpdate) -> WireMessage?
  func prepare(_ draft: inout CommitmentDraft)
  /// Makes the extension known to a registry, so that what it stored can be read.
  func register(in registry: inout ExtensionRegistry)
}

/// An extension's part of one commitment, its type erased.
public protocol LedgerSlot: Sendable {
  var id: ExtensionID { get }
  var lockedValue: MilliSatoshi { get }
  var encoded: [UInt8] { get }
  /// `settled` is the same extension's ledger of all that is irrevocable.
  func validate(_ update: AnyUpdate, by party: Party, settled: any LedgerSlot) throws(ProtocolViolation)
  func summary(_ trim: TrimContext) -> ContractSummary
  mutating func apply(_ update: AnyUpdate, by party: Party, moving balances: inout Balances) throws(ProtocolViolation)
  func contribute(to draft: inout CommitmentDraft) throws(DraftError)
  func learn(from witness: [[UInt8]], spending tag: OutputTag) -> [SecretID: [UInt8]]
}

/// The only `ExtensionSlot`.
public struct Slot<E: ChannelExtension>: ExtensionSlot {
  public let base: E
  public let parameters: E.Parameters

  public init(_ base: E, _ parameters: E.Parameters) {
    self.base = base
    self.parameters = parameters
  }

  public var id: ExtensionID { E.id }
  public var manifest: Manifest { E.manifest(parameters) }
  public var reserve: Satoshi { base.reserve(parameters) }
  public func fixedWeight(in scripts: ScriptBackend) -> Weight { base.fixedWeight(parameters, in: scripts) }
  public var encodedParameters: [UInt8] { parameters.encoded }
  public var mirroredParameters: [UInt8] { base.mirrored(parameters).encoded }
  public func prepare(_ draft: inout CommitmentDraft) { base.prepare(&draft, parameters) }
  public func register(in registry: inout ExtensionRegistry) { registry.register(base) }

  public func makeLedger() -> any LedgerSlot {
    TypedLedger<E>(base: base, parameters: parameters, ledger: base.emptyLedger(parameters))
  }

  public func decodeLedger(_ bytes: RawSpan) throws(DecodingError) -> any LedgerSlot {
    TypedLedger<E>(base: base, parameters: parameters, ledger: try E.Ledger(decoding: bytes))
  }

  public func decodeUpdate(_ bytes: RawSpan) throws(DecodingError) -> AnyUpdate {
    AnyUpdate(try E.Update(decoding: bytes), of: E.self)
  }

  public func decodeMessage(type: UInt16, body: RawSpan) throws(ProtocolViolation) -> AnyUpdate {
    AnyUpdate(try base.decode(type: type, body: body), of: E.self)
  }

  public func encodeMessage(_ update: AnyUpdate) -> WireMessage? { update.as(E.self).map { base.encode($0) } }
}

/// The only `LedgerSlot`.
public struct TypedLedger<E: ChannelExtension>: LedgerSlot {
  public let base: E
  public let parameters: E.Parameters
  public var ledger: E.Ledger

  public init(base: E, parameters: E.Parameters, ledger: E.Ledger) {
    self.base = base
    self.parameters = parameters
    self.ledger = ledger
  }

  public var id: ExtensionID { E.id }
  public var lockedValue: MilliSatoshi { base.lockedValue(ledger) }
  public var encoded: [UInt8] { ledger.encoded }

  public func validate(
    _ update: AnyUpdate, by party: Party, settled: any LedgerSlot
  ) throws(ProtocolViolation) {
    guard let settled = settled as? TypedLedger<E> else {
      throw ProtocolViolation(.failChannel, "a ledger of \(settled.id) was given to \(E.id)")
    }
    try base.validate(try typed(update), by: party, in: ledger, settled: settled.ledger, parameters)
  }

  public func summary(_ trim: TrimContext) -> ContractSummary { base.summary(ledger, parameters, trim) }

  public mutating func apply(
    _ update: AnyUpdate, by party: Party, moving balances: inout Balances
  ) throws(ProtocolViolation) {
    try base.apply(try typed(update), by: party, to: &ledger, moving: &balances, parameters)
  }

  public func contribute(to draft: inout CommitmentDraft) throws(DraftError) {
    try base.contribute(ledger, parameters, to: &draft)
  }

  public func learn(from witness: [[UInt8]], spending tag: OutputTag) -> [SecretID: [UInt8]] {
    base.learn(from: witness, spending: tag, in: ledger)
  }

  private func typed(_ update: AnyUpdate) throws(ProtocolViolation) -> E.Update {
    guard let typed = update.as(E.self) else {
      throw ProtocolViolation(.failChannel, "an update of \(update.owner) was given to \(E.id)")
    }
    return typed
  }
}
