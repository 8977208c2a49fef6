public import Bitcoin
public import GLC
internal import Hashing

/// What an extension promised and does not keep.
public struct LawViolation: Hashable, Sendable, CustomStringConvertible {
  /// The law in a word: `path`, `conditions`, `side`, `weight`, `child`, `family`, `value`, `codec`, `summary`.
  public var law: String
  /// Where: output, path, whose commitment.
  public var place: String
  public var detail: String
  public var description: String { "\(law): \(place): \(detail)" }
}

/// A channel's life as far as the checker needs it: updates that lead to a ledger worth checking.
public struct LawScenario: Sendable {
  public var stack: ChannelStack
  /// Applied in order to a commitment with these balances.
  public var updates: [(author: Party, content: UpdateContent)]
  public var balances = Balances(local: MilliSatoshi(3_000_000_000), remote: MilliSatoshi(2_000_000_000))
  public var capacity = Satoshi(5_000_000)
  public var feeRate = FeeRate(satPerKiloWeight: 2500)
  public var dustLimit = Satoshi(354)
  public var contestDelay: UInt16 = 144
  /// What opens the paths that have a secret.
  public var secrets: [SecretID: [UInt8]]
  /// The number of both commitments, each of which has its own per-commitment secret.
  public var number: UInt64 = 7
  /// What the commitments spend.
  public var fundingOutpoint = OutPoint(txid: TxID(sha256(Array("law".utf8))), vout: 1)

  public init(stack: ChannelStack, updates: [(author: Party, content: UpdateContent)], secrets: [SecretID: [UInt8]]) {
    self.stack = stack
    self.updates = updates
    self.secrets = secrets
  }
}

/// What was checked, and what was found.
public struct LawReport: Sendable {
  public internal(set) var violations: [LawViolation] = []
  /// Paths that were executed by the script interpreter, children's included.
  public internal(set) var executedPaths = 0
  /// Spends that had to be refused, and were.
  public internal(set) var refusedSpends = 0

  /// Every spend that the interpreter has decided on, in an order that depends on the scenario's updates alone. The two commitments are
  /// among them: they spend the funding output.
  public internal(set) var spends: [LawSpend] = []
  /// The funding output, which is to be at the scenario's outpoint.
  public internal(set) var funding = TxOutput(value: .zero, scriptPubKey: Script())

  public var holds: Bool { violations.isEmpty }
}

/// A transaction with one input, and what the interpreter says to it: for asking a chain the same.
public struct LawSpend: Sendable {
  /// Whose commitment it is, or comes from.
  public var holder: Party
  /// Output, path, and what is wrong with it, for people.
  public var place: String
  public var transaction: Transaction
  public var spent: TxOutput
  /// Of the path that it takes, or tries; nil for the commitment itself.
  public var conditions: SpendConditions?
  public var isValid: Bool

  public var outPoint: OutPoint { transaction.inputs[0].previousOutput }
}
