internal import Bitcoin
public import Encoding

/// The extensions that a program has: what is needed to read a stack that was stored or proposed.
public struct ExtensionRegistry: Sendable {
  private var slots: [ExtensionID: any SlotReader] = [:]
  private var fundings: [ExtensionID: any FundingScheme] = [:]
  private var transforms: [ExtensionID: any DraftTransform] = [:]
  /// What a signer needs for any stack of these extensions, sorted: the core's own, and those that extensions were registered with.
  public private(set) var basepoints: [Basepoint] = [.funding, .revocation, .payment, .delayedPayment]

  public init() {}

  /// Just what a stack is made of.
  public init(_ stack: ChannelStack) { self.init([stack]) }

  /// Just what some stacks are made of.
  public init(_ stacks: [ChannelStack]) {
    for stack in stacks { register(stack) }
  }

  private mutating func register(_ stack: ChannelStack) {
    fundings[type(of: stack.funding).id] = stack.funding
    for slot in stack.extensions { slot.register(in: &self) }
    for transform in stack.transforms { transforms[type(of: transform).id] = transform }
  }

  /// - Parameter basepoints: those of its keys that are its own.
  public mutating func register<E: ChannelExtension>(_ base: E, basepoints: [Basepoint] = []) {
    slots[E.id] = TypedSlotReader(base: base)
    self.basepoints = Set(self.basepoints + basepoints).sorted()
  }

  public mutating func register<F: FundingScheme>(_ funding: F) { fundings[F.id] = funding }
  public mutating func register<T: DraftTransform>(_ transform: T) { transforms[T.id] = transform }

  public func funding(_ id: ExtensionID) -> (any FundingScheme)? { fundings[id] }
  /// Whether there is such an extension, funding scheme or transform.
  public func knows(_ id: ExtensionID) -> Bool { slots[id] != nil || fundings[id] != nil || transforms[id] != nil }
  public func transform(_ id: ExtensionID) -> (any DraftTransform)? { transforms[id] }

  /// What is registered, each in ascending order.
  public var fundingIDs: [ExtensionID] { fundings.keys.sorted() }
  public var extensionIDs: [ExtensionID] { slots.keys.sorted() }
  public var transformIDs: [ExtensionID] { transforms.keys.sorted() }

  func reader(_ id: ExtensionID) -> (any SlotReader)? { slots[id] }

  /// The extension with its parameters. One that is not registered and may be ignored is kept as it is; one that must be understood
  /// is refused.
  public func slot(_ id: ExtensionID, parameters: RawSpan) throws(StoredStateError) -> any ExtensionSlot {
    guard let slotReader = slots[id] else {
      if id.mustBeUnderstood { throw .unknownExtension(id) }
      return UnknownSlot(id: id, encodedParameters: parameters.array)
    }
    do { return try slotReader.read(parameters) } catch { throw .malformed(error) }
  }
}

protocol SlotReader: Sendable {
  var variants: [String] { get }
  func read(_ parameters: RawSpan) throws(DecodingError) -> any ExtensionSlot
  /// The extension with what this node wants of it.
  func propose(for setting: StackSetting) -> any ExtensionSlot
  /// The extension with parameters that the other party wants.
  /// - Parameter party: who sees them as they stand there.
  func read(_ parameters: RawSpan, asSeenBy party: Party) throws(DecodingError) -> any ExtensionSlot
  /// The extension with what this node says to what the other party wants.
  func agree(
    to parameters: RawSpan, asSeenBy party: Party, for setting: StackSetting
  ) throws(ParameterFault) -> any ExtensionSlot
}

/// Why the parameters that the other party wants will not do.
enum ParameterFault: Error {
  case malformed(DecodingError)
  case refused(NegotiationFault)
}

struct TypedSlotReader<E: ChannelExtension>: SlotReader {
  let base: E

  var variants: [String] { E.variants }

  func read(_ parameters: RawSpan) throws(DecodingError) -> any ExtensionSlot {
    Slot(base, try E.Parameters(decoding: parameters))
  }

  func propose(for setting: StackSetting) -> any ExtensionSlot { Slot(base, base.propose(for: setting)) }

  private func decode(_ bytes: RawSpan, _ party: Party) throws(DecodingError) -> E.Parameters {
    let parameters = try E.Parameters(decoding: bytes)
    return party == .local ? parameters : base.mirrored(parameters)
  }

  func read(_ parameters: RawSpan, asSeenBy party: Party) throws(DecodingError) -> any ExtensionSlot {
    Slot(base, try decode(parameters, party))
  }

  func agree(
    to parameters: RawSpan, asSeenBy party: Party, for setting: StackSetting
  ) throws(ParameterFault) -> any ExtensionSlot {
    let theirs: E.Parameters
    do { theirs = try decode(parameters, party) } catch { throw .malformed(error) }
    do { return Slot(base, try base.agree(to: theirs, for: setting)) } catch { throw .refused(error) }
  }
}

/// Why a stored channel cannot be read.
public enum StoredStateError: Error, Hashable, Sendable {
  case malformed(DecodingError)
  /// Written by a later version.
  case unknownVersion(UInt8)
  /// An extension, funding scheme or transform that must be understood is not registered.
  case unknownExtension(ExtensionID)
  case stack(StackError)
}

/// An extension that this program does not have and need not have: its bytes survive, and it takes no part.
struct UnknownSlot: ExtensionSlot {
  let id: ExtensionID
  let encodedParameters: [UInt8]
  /// What is not understood cannot be turned round.
  var mirroredParameters: [UInt8] { encodedParameters }

  var manifest: Manifest { Manifest(name: "unknown-\(id.rawValue)", phase: .dependents) }
  var reserve: Satoshi { .zero }
  func fixedWeight(in scripts: ScriptBackend) -> Weight { Weight(0) }
  func makeLedger() -> any LedgerSlot { UnknownLedger(id: id, encoded: []) }
  func decodeLedger(_ bytes: RawSpan) throws(DecodingError) -> any LedgerSlot {
    UnknownLedger(id: id, encoded: bytes.array)
  }
  func decodeUpdate(_ bytes: RawSpan) throws(DecodingError) -> AnyUpdate {
    AnyUpdate(owner: id, value: OpaqueBytes(bytes: bytes.array))
  }
  func decodeMessage(type: UInt16, body: RawSpan) throws(ProtocolViolation) -> AnyUpdate {
    throw ProtocolViolation(.warning, "\(id) is not known here")
  }
  func encodeMessage(_ update: AnyUpdate) -> WireMessage? { nil }
  func prepare(_ draft: inout CommitmentDraft) {}
  func register(in registry: inout ExtensionRegistry) {}
}

struct UnknownLedger: LedgerSlot {
  let id: ExtensionID
  let encoded: [UInt8]

  var lockedValue: MilliSatoshi { .zero }
  func validate(_ update: AnyUpdate, by party: Party, settled: any LedgerSlot) throws(ProtocolViolation) {
    throw ProtocolViolation(.warning, "\(id) is not known here")
  }
  mutating func apply(
    _ update: AnyUpdate, by party: Party, moving balances: inout Balances
  ) throws(ProtocolViolation) { throw ProtocolViolation(.warning, "\(id) is not known here") }
  func contribute(to draft: inout CommitmentDraft) throws(DraftError) {}
  func summary(_ trim: TrimContext) -> ContractSummary { .none }
  func learn(from witness: [[UInt8]], spending tag: OutputTag) -> [SecretID: [UInt8]] { [:] }
}

struct OpaqueBytes: BinaryCodable {
  var bytes: [UInt8]
  init(bytes: [UInt8]) { self.bytes = bytes }
  init(from reader: inout ByteReader) throws(DecodingError) { bytes = reader.readRest() }
  func encode(to writer: inout ByteWriter) { writer.write(bytes) }
}
