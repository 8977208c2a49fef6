public import Bitcoin
public import Encoding

/// Why a commitment transaction cannot be made. None of these is a peer's doing alone: a stack that was checked and a ledger that
/// was validated lead to none, except `.cannotAfford`.
public enum DraftError: Error, Hashable, Sendable {
  /// A party named no such basepoint.
  case missingBasepoint(Basepoint, Side)
  /// A key's derivation led to infinity or zero.
  case unusableKey(KeyRef)
  /// An extension used a key that its manifest does not name.
  case undeclaredKey(KeyRef)
  /// The funder's balance does not cover fee and fixed costs, and the stack does not allow that.
  case cannotAfford(Satoshi)
  /// Outputs are worth more than the funding output.
  case overspent
  /// An amount left the range.
  case amountOutOfRange
  /// An output that more than one extension, or one extension twice, tags the same.
  case duplicateTag(OutputTag)
  /// An extension's own objection.
  case refused(ExtensionID, String)
}

extension DraftError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .missingBasepoint(let basepoint, let side): "the \(side)'s \(basepoint) is missing"
    case .unusableKey(let key): "a key cannot be derived: \(key)"
    case .undeclaredKey(let key): "an extension uses a key that it does not declare: \(key)"
    case .cannotAfford(let cost): "the funder cannot pay \(cost) for the fee and fixed costs"
    case .overspent: "the commitment's outputs are worth more than the channel"
    case .amountOutOfRange: "an amount is out of range"
    case .duplicateTag(let tag): "two outputs have the name \(tag)"
    case .refused(let id, let reason): "\(id): \(reason)"
    }
  }
}

/// Names one output for as long as the channel lives: which extension's, and that extension's own number for it.
public struct OutputTag: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let owner: ExtensionID
  public let index: UInt64

  @inlinable public init(_ owner: ExtensionID, _ index: UInt64) {
    self.owner = owner
    self.index = index
  }

  /// The output of what a side has outside of any contract, whichever extension makes it.
  @inlinable public static func balance(of side: Side) -> OutputTag { OutputTag(.core, UInt64(side.rawValue)) }

  @inlinable public static func < (a: Self, b: Self) -> Bool {
    a.owner == b.owner ? a.index < b.index : a.owner < b.owner
  }

  public var description: String { "\(owner.rawValue)/\(index)" }
}

/// An output on its way into a commitment.
public struct DraftOutput: Hashable, Sendable {
  public var tag: OutputTag
  public var value: Satoshi
  public var lock: OutputLock
  public var paths: [SpendPath]
  /// The last tie-break of BOLT 3's output order, after value and script: the expiry of outputs that have one.
  public var tieBreak: UInt32

  @inlinable public init(
    tag: OutputTag, value: Satoshi, lock: OutputLock, paths: [SpendPath], tieBreak: UInt32 = 0
  ) {
    self.tag = tag
    self.value = value
    self.lock = lock
    self.paths = paths
    self.tieBreak = tieBreak
  }
}

/// What is known of one commitment before any extension has its turn.
public struct CommitmentContext: Sendable {
  /// Who can broadcast it.
  public var holder: Party
  /// Who pays the fee.
  public var funder: Party
  /// From 0 upwards, 48 bits.
  public var number: UInt64
  public var fundingOutpoint: OutPoint
  public var capacity: Satoshi
  /// The holder's: outputs below it are not made.
  public var dustLimit: Satoshi
  /// How long the holder waits for its own funds, in blocks.
  public var contestDelay: UInt16
  public var feeRate: FeeRate
  public var keys: CommitmentKeys
  /// The lower 48 bits of SHA256(payment_basepoint of the opener ‖ payment_basepoint of the acceptor).
  public var obscuringFactor: UInt64

  public init(
    holder: Party, funder: Party, number: UInt64, fundingOutpoint: OutPoint, capacity: Satoshi, dustLimit: Satoshi,
    contestDelay: UInt16, feeRate: FeeRate, keys: CommitmentKeys, obscuringFactor: UInt64
  ) {
    self.holder = holder
    self.funder = funder
    self.number = number
    self.fundingOutpoint = fundingOutpoint
    self.capacity = capacity
    self.dustLimit = dustLimit
    self.contestDelay = contestDelay
    self.feeRate = feeRate
    self.keys = keys
    self.obscuringFactor = obscuringFactor
  }
}

/// A commitment transaction in the making.
public struct CommitmentDraft: Sendable {
  public let context: CommitmentContext
  /// What its outputs are locked with.
  public let scripts: ScriptBackend
  /// The transaction's version, 2 unless an extension says otherwise.
  public var version: UInt32 = 2
  var store = OutputStore()
  /// How many outputs of the contracts phase survived trimming.
  public internal(set) var contractCount = 0
  /// What each side has left: before the fee while contracts have their turn, after it from then on. Whole satoshis are made of it
  /// by rounding down.
  public internal(set) var balances: Balances
  var phase: ContributionPhase = .contracts

  init(context: CommitmentContext, scripts: ScriptBackend, balances: Balances) {
    self.context = context
    self.scripts = scripts
    self.balances = balances
  }

  /// The sum of the outputs so far.
  public var outputTotal: Satoshi {
    get throws(DraftError) {
      var total = Satoshi.zero
      for entry in store.entries {
        guard let sum = total.adding(entry.value) else { throw .amountOutOfRange }
        total = sum
      }
      return total
    }
  }

  /// The funding output's value that no output holds yet: what would go to the miner now.
  public var unallocated: Satoshi {
    get throws(DraftError) {
      guard let rest = context.capacity.subtracting(try outputTotal) else { throw .overspent }
      return rest
    }
  }

  /// What a side has left, in whole satoshis, rounded down.
  public func balance(of side: Side) -> Satoshi {
    balances[side.party(ofCommitmentHeldBy: context.holder)].satoshiRoundedDown
  }

  /// What trimming depends on.
  @inlinable public var trim: TrimContext {
    TrimContext(holder: context.holder, dustLimit: context.dustLimit, feeRate: context.feeRate)
  }

  /// Whether an output of this value is made: see `TrimContext.isUntrimmed`.
  @inlinable public func isUntrimmed(_ value: Satoshi, claimFee: Satoshi = .zero) -> Bool {
    trim.isUntrimmed(value, claimFee: claimFee)
  }

  /// What has been added so far, in the order of adding.
  public var outputs: [DraftOutput] { store.entries.indices.map { store.output(at: $0) } }

  /// Adds an output. An extension asks `isUntrimmed` first, so that what is not made costs nothing to make.
  public mutating func add(_ output: DraftOutput) {
    store.append(output)
    if phase == .contracts { contractCount += 1 }
  }

  /// Makes a family known, whose members are then added one by one.
  /// - Parameter expectedCount: how many they are at most, as far as it is known.
  public mutating func open(_ family: any OutputFamily, expectedCount: Int) -> FamilyNumber {
    // Main outputs and anchors come behind.
    store.entries.reserveCapacity(store.entries.count + expectedCount + 4)
    store.families.append(family)
    return FamilyNumber(rawValue: store.families.count - 1)
  }

  /// Adds a member of a family.
  /// - Parameters:
  ///   - member: the family's own number for it.
  ///   - scriptHash: SHA-256 of its witness script.
  public mutating func add(
    _ member: Int, of family: FamilyNumber, tag: OutputTag, value: Satoshi, scriptHash: Bytes32, tieBreak: UInt32 = 0
  ) {
    store.append(
      member, of: family.rawValue, tag: tag, value: value, version: .op0, program: scriptHash, tieBreak: tieBreak)
    if phase == .contracts { contractCount += 1 }
  }

  /// Adds a member of a family of taproot outputs.
  /// - Parameter outputKey: its x coordinate.
  public mutating func add(
    _ member: Int, of family: FamilyNumber, tag: OutputTag, value: Satoshi, outputKey: Bytes32, tieBreak: UInt32 = 0
  ) {
    store.append(
      member, of: family.rawValue, tag: tag, value: value, version: .op1, program: outputKey, tieBreak: tieBreak)
    if phase == .contracts { contractCount += 1 }
  }

  public func contains(_ tag: OutputTag) -> Bool { store.entries.contains { $0.tag == tag } }
}

/// A family of outputs in one draft.
public struct FamilyNumber: Hashable, Sendable {
  let rawValue: Int
}
