public import Bitcoin
internal import Encoding

/// Why some extensions do not make a stack.
public enum StackError: Error, Hashable, Sendable, CustomStringConvertible {
  case duplicate(ExtensionID)
  case missing(ExtensionID, requiredBy: String)
  case conflict(String, String)
  /// Two extensions claim the same message type.
  case duplicateMessage(UInt16, String, String)
  /// Two extensions use one basepoint number with different derivations on the same side, or one that the core owns in another way.
  case keyClash(Basepoint, String, String)
  /// An extension makes taproot outputs alone, and the funding scheme has commitments with others.
  case needsTaproot(String, funding: String)

  public var description: String {
    switch self {
    case .duplicate(let id): "\(id) is in the stack twice"
    case .missing(let id, let name): "\(name) requires \(id), which is not in the stack"
    case .conflict(let a, let b): "\(a) and \(b) exclude each other"
    case .duplicateMessage(let type, let a, let b): "\(a) and \(b) both claim message type \(type)"
    case .keyClash(let basepoint, let a, let b): "\(a) and \(b) use basepoint \(basepoint.rawValue) in different ways"
    case .needsTaproot(let name, let funding): "\(name) needs taproot outputs, which \(funding) does not have"
    }
  }
}

/// What a channel is composed of: who can spend its funding output, what its commitments carry, and what rearranges them.
public struct ChannelStack: Sendable {
  public let funding: any FundingScheme
  /// By phase, and within a phase in the order in which they were given.
  public let extensions: [any ExtensionSlot]
  public let transforms: [any DraftTransform]
  /// Every key that a commitment of this stack names.
  public let keys: [KeyRef]
  /// The sum of the extensions' fixed costs on the funder.
  public let reserve: Satoshi
  /// The expected weight of a commitment without contracts.
  public let baseWeight: Weight
  /// Whether some extension asks for the holder's presignatures.
  public let needsPresign: Bool
  /// Whether `update_fee` is not allowed.
  public let fixesFeeRate: Bool
  /// How fees of commitments are raised.
  public let feeBumping: FeeBumping
  let messageOwners: [UInt16: Int]
  /// Those of `extensions`: asking for a manifest makes one.
  let phases: [ContributionPhase]

  /// 4 version, 1 count, 41 input, 1 count, 4 lock time: 51 bytes that every commitment has outside of its witness.
  static let overheadWeight = Weight(51 * 4)

  /// Checks that the parts fit together; throws the first thing that does not.
  public init(
    funding: any FundingScheme, extensions given: [any ExtensionSlot], transforms: [any DraftTransform] = []
  ) throws(StackError) {
    self.funding = funding
    self.transforms = transforms
    let manifests = given.map(\.manifest)
    var keys = funding.keys
    var owners: [UInt16: Int] = [:]
    var basepoints: [Basepoint: (derivation: KeyDerivation, name: String)] = [:]
    for (index, slot) in given.enumerated() {
      let manifest = manifests[index]
      if given[..<index].contains(where: { $0.id == slot.id }) { throw .duplicate(slot.id) }
      if manifest.needsTaproot, funding.scripts == .witnessScript {
        throw .needsTaproot(manifest.name, funding: type(of: funding).name)
      }
      for required in manifest.requires where !given.contains(where: { $0.id == required }) {
        throw .missing(required, requiredBy: manifest.name)
      }
      for (other, otherManifest) in zip(given, manifests) where manifest.conflicts.contains(other.id) {
        throw .conflict(manifest.name, otherManifest.name)
      }
      for ref in manifest.keys {
        let role = ref.role
        if let known = basepoints[role.basepoint], known.derivation != role.derivation {
          throw .keyClash(role.basepoint, known.name, manifest.name)
        }
        basepoints[role.basepoint] = (role.derivation, manifest.name)
        if !keys.contains(ref) { keys.append(ref) }
      }
    }
    let order = given.indices.sorted { (manifests[$0].phase, $0) < (manifests[$1].phase, $1) }
    extensions = order.map { given[$0] }
    phases = order.map { manifests[$0].phase }
    fixesFeeRate = manifests.contains(where: \.fixesFeeRate)
    needsPresign = manifests.contains(where: \.needsPresign)
    feeBumping = manifests.map(\.feeBumping).max { $0.rawValue < $1.rawValue } ?? .none
    for (position, index) in order.enumerated() {
      for type in manifests[index].messageTypes {
        if let other = owners[type] {
          throw .duplicateMessage(type, extensions[other].manifest.name, manifests[index].name)
        }
        owners[type] = position
      }
    }
    messageOwners = owners
    self.keys = keys
    var reserve: UInt64 = 0
    var weight = Self.overheadWeight.rawValue + funding.expectedWitnessWeight.rawValue
    for slot in given {
      reserve += slot.reserve.rawValue
      weight += slot.fixedWeight(in: funding.scripts).rawValue
    }
    self.reserve = Satoshi(reserve)
    baseWeight = Weight(weight)
  }

  /// The ledgers of a new commitment, in the order of `extensions`.
  public func makeLedgers() -> [any LedgerSlot] { extensions.map { $0.makeLedger() } }

  /// The position in `extensions` of the owner of a message type.
  public func owner(ofMessage type: UInt16) -> Int? { messageOwners[type] }
}
