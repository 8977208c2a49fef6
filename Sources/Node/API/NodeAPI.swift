public import RPC

/// The methods of a node's API as data. Names, parameters and members of replies are Core Lightning's wherever the notion is
/// the same; what is ours alone begins with `glc-`.
public enum NodeAPI {
  public static let methods: [RPCMethod] =
    ([RPCRegistry.help, RPCRegistry.check] + node + peers + channels + payments + invoices + network + wallet + utility
    + glc + chain + developer).sorted { $0.name < $1.name }

  /// The description of a method; nil for a name that there is none of.
  public static func method(_ name: String) -> RPCMethod? { byName[name] }

  /// What `getinfo` says that this is.
  public static let version = "glc-0.1"

  private static let byName = Dictionary(methods.map { ($0.name, $0) }) { first, _ in first }
}

// What several methods have in common.
extension RPCParameter {
  static let feeRate = RPCParameter.optional(
    "feerate", .feeRate, default: "normal",
    "The fee rate: slow, normal, urgent, minimum, a number with perkw or perkb, or a number of blocks such as 6blocks.")
  static let minconf = RPCParameter.optional(
    "minconf", .integerIn(0...1_000_000), default: "1", "Spend only outputs that have so many confirmations.")
  static let utxos = RPCParameter.optional(
    "utxos", .list(.outpoint), default: "chosen by the node", "Spend exactly these outputs.")
  static let index = RPCParameter.optional(
    "index", .choice(["created", "updated"]), "The order of start and limit: by creation or by last change.")
  static let start = RPCParameter.optional("start", .integer, "The first index to list.")
  static let limit = RPCParameter.optional("limit", .integerIn(0...0xffff_ffff), "How many to list at most.")
  static let retryFor = RPCParameter.optional(
    "retry_for", .integerIn(0...86_400), default: "60", "Seconds after which no new attempt is made.")
  static let maxDelay = RPCParameter.optional(
    "maxdelay", .integerIn(1...0xffff), default: "2016", "The most blocks that the money may be locked on the way.")
  static let maxFee = RPCParameter.optional(
    "maxfee", .msat, default: "maxfeepercent and exemptfee",
    "The most that may be paid in fees; not together with those two.")
  static let maxFeePercent = RPCParameter.optional(
    "maxfeepercent", .number, default: "0.5", "The most that may be paid in fees, in percent of the amount.")
  static let exemptFee = RPCParameter.optional(
    "exemptfee", .msat, default: "5000", "Fees up to here are paid whatever maxfeepercent says.")
}

extension RPCResult {
  static let paymentPoint = "the point, for a payment locked by points: the proof of payment is its discrete logarithm"
  static let createdIndex = "a number that grows with every new entry"
  static let updatedIndex = "a number that grows with every change"
}
