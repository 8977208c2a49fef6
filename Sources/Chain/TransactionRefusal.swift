public import Bitcoin

/// Why a transaction does not get into the mempool.
public struct TransactionRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Kind: Hashable, Sendable {
    /// In the mempool, perhaps with another witness.
    case alreadyInMempool
    /// Confirmed, with outputs still unspent.
    case alreadyConfirmed
    /// It spends an output that does not exist, or no longer.
    case missingInputs
    /// It spends what a transaction in the mempool spends, and may not replace that one (BIP 125).
    case conflict
    /// Below the relay minimum, or the mempool's.
    case feeTooLow
    /// nLockTime has not passed.
    case nonFinal
    /// BIP 68: an input is too young for its nSequence.
    case sequenceLocked
    /// It spends a coinbase output that is not yet 100 blocks deep.
    case immatureCoinbase
    /// The interpreter's reason, as far as it is known.
    case script(ScriptError?)
    /// Against the rules whatever its scripts say.
    case rule(TransactionRuleError)
    /// An output that is too small, or is not spent by the child it needs.
    case dust
    /// BIP 431.
    case truc
    /// Too many unconfirmed ancestors or descendants.
    case chainTooLong
    /// The package is not a child with its parents.
    case badPackage
    /// Valid in a block, but not relayed.
    case nonStandard
    case other
  }

  public var kind: Kind
  /// Bitcoin Core's reject reason.
  public var reason: String
  /// More, for people.
  public var detail: String?
  /// Which transaction, where there are several.
  public var txid: TxID?

  public init(_ kind: Kind, _ reason: String, detail: String? = nil, txid: TxID? = nil) {
    self.kind = kind
    self.reason = reason
    self.detail = detail
    self.txid = txid
  }

  public var description: String {
    var text = "transaction "
    if let txid { text += "\(txid) " }
    text += "refused: \(reason)"
    if let detail, !detail.isEmpty { text += ", \(detail)" }
    return text
  }

  /// Two refusals are the same when they have the same kind and are about the same transaction: what is said to people about the same
  /// fact differs from version to version.
  public static func == (a: Self, b: Self) -> Bool { a.kind == b.kind && a.txid == b.txid }
  public func hash(into hasher: inout Hasher) {
    hasher.combine(kind)
    hasher.combine(txid)
  }
}

extension TransactionRefusal {
  /// Reads what bitcoind says: a reject reason, perhaps with more behind it (", …").
  init(saying text: String, detail: String? = nil, txid: TxID? = nil) {
    self.init(Self.kind(of: text), text, detail: detail, txid: txid)
  }

  private static func kind(of text: String) -> Kind {
    // -27 in sendrawtransaction.
    if text.contains("outputs already in utxo set") || text.contains("already in block chain") {
      return .alreadyConfirmed
    }
    if text.contains("script-verify-flag") {
      return .script(ScriptError.allCases.first { error in text.contains("(\(error.coreText))") })
    }
    let reason = text.prefix { $0 != "," && $0 != " " && $0 != ";" }
    switch reason {
    case "txn-already-in-mempool", "txn-same-nonwitness-data-in-mempool": return .alreadyInMempool
    case "txn-already-known": return .alreadyConfirmed
    case "missing-inputs", "bad-txns-inputs-missingorspent": return .missingInputs
    case "txn-mempool-conflict", "replacement-adds-unconfirmed", "bad-txns-spends-conflicting-tx", "replacement-failed":
      return .conflict
    case "non-final": return .nonFinal
    case "non-BIP68-final": return .sequenceLocked
    case "bad-txns-premature-spend-of-coinbase": return .immatureCoinbase
    case "dust", "missing-ephemeral-spends", "unspent-dust": return .dust
    case "TRUC-violation", "v3-rule-violation": return .truc
    case "too-long-mempool-chain": return .chainTooLong
    case "version", "tx-size", "tx-size-small", "scriptsig-size", "scriptsig-not-pushonly", "scriptpubkey",
      "bare-multisig",
      "multi-op-return", "datacarrier", "bad-txns-nonstandard-inputs", "bad-witness-nonstandard",
      "bad-txns-too-many-sigops",
      "coinbase":
      return .nonStandard
    default: break
    }
    // Knots has a reason for each of BIP 431's rules.
    if reason.hasPrefix("truc-") { return .truc }
    if reason.hasPrefix("package-") || text.hasPrefix("package topology") { return .badPackage }
    for start in ["insufficient fee", "too many potential replacements"] where text.hasPrefix(start) {
      return .conflict
    }
    for start in ["min relay fee not met", "mempool min fee not met"] where text.hasPrefix(start) { return .feeTooLow }
    if let rule = TransactionRuleError(rawValue: String(reason)) { return .rule(rule) }
    return .other
  }

  /// The one that matters among those of a package: a parent is said to pay too little and its child to spend nothing that exists
  /// whatever keeps the two out together.
  static func decisive(of refusals: [TransactionRefusal]) -> TransactionRefusal? {
    refusals.first { $0.kind != .feeTooLow && $0.kind != .missingInputs }
      ?? refusals.last { $0.kind == .feeTooLow } ?? refusals.first
  }

  /// A script that fails under the rules of the mempool.
  static func script(_ error: ScriptError, input: Int, txid: TxID) -> TransactionRefusal {
    TransactionRefusal(
      .script(error), "mandatory-script-verify-flag-failed (\(error.coreText))", detail: "input \(input) of \(txid)")
  }
}
