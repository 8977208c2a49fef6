/// Which rules a script is verified under. Names and bits are Bitcoin Core's (`SCRIPT_VERIFY_…`), one proposal apart.
///
/// A flag that is added can only make a script invalid, never valid, provided that CLEANSTACK comes with WITNESS, and TAPROOT and
/// WITNESS with P2SH: see `isCoherent`.
public struct ScriptFlags: OptionSet, Hashable, Sendable {
  public let rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }

  // MARK: Consensus

  /// Evaluate the redeem script behind a script hash (BIP 16).
  public static let p2sh = ScriptFlags(rawValue: 1 << 0)
  /// Signatures are strict DER (BIP 66).
  public static let derSig = ScriptFlags(rawValue: 1 << 2)
  /// The element that CHECKMULTISIG takes too much is empty (BIP 147).
  public static let nullDummy = ScriptFlags(rawValue: 1 << 4)
  /// BIP 65.
  public static let checkLockTimeVerify = ScriptFlags(rawValue: 1 << 9)
  /// BIP 112.
  public static let checkSequenceVerify = ScriptFlags(rawValue: 1 << 10)
  /// BIP 141 and BIP 143.
  public static let witness = ScriptFlags(rawValue: 1 << 11)
  /// BIP 341 and BIP 342.
  public static let taproot = ScriptFlags(rawValue: 1 << 17)

  // MARK: Standardness

  /// Public keys and hash types are of a defined kind, signatures strict DER.
  public static let strictEnc = ScriptFlags(rawValue: 1 << 1)
  /// s is at most n / 2 (BIP 62 rule 5).
  public static let lowS = ScriptFlags(rawValue: 1 << 3)
  /// scriptSig only pushes (BIP 62 rule 2).
  public static let sigPushOnly = ScriptFlags(rawValue: 1 << 5)
  /// Pushes and numbers are as short as can be (BIP 62 rules 3 and 4).
  public static let minimalData = ScriptFlags(rawValue: 1 << 6)
  /// Refuse the NOPs that are kept for soft forks.
  public static let discourageUpgradableNops = ScriptFlags(rawValue: 1 << 7)
  /// One element is left at the end (BIP 62 rule 6).
  public static let cleanStack = ScriptFlags(rawValue: 1 << 8)
  /// Refuse witness versions that are kept for soft forks.
  public static let discourageUpgradableWitnessProgram = ScriptFlags(rawValue: 1 << 12)
  /// Witness v0: what IF and NOTIF take is empty or 0x01.
  public static let minimalIf = ScriptFlags(rawValue: 1 << 13)
  /// A signature that does not verify is empty (BIP 146).
  public static let nullFail = ScriptFlags(rawValue: 1 << 14)
  /// Witness v0: public keys are compressed.
  public static let witnessPubkeyType = ScriptFlags(rawValue: 1 << 15)
  /// Refuse OP_CODESEPARATOR, and signatures in their own script, before segwit.
  public static let constScriptCode = ScriptFlags(rawValue: 1 << 16)
  /// Refuse leaf versions that are kept for soft forks.
  public static let discourageUpgradableTaprootVersion = ScriptFlags(rawValue: 1 << 18)
  /// Refuse OP_SUCCESSx (BIP 342).
  public static let discourageOpSuccess = ScriptFlags(rawValue: 1 << 19)
  /// Refuse public key types that are kept for soft forks (BIP 342).
  public static let discourageUpgradablePubkeyType = ScriptFlags(rawValue: 1 << 20)

  // MARK: Proposed

  /// OP_CHECKTEMPLATEVERIFY in the place of OP_NOP4 (BIP 119). Not in force anywhere, not one of Bitcoin Core's flags, and in none
  /// of the sets; by name `CHECKTEMPLATEVERIFY`.
  public static let checkTemplateVerify = ScriptFlags(rawValue: 1 << 31)

  // MARK: Sets

  /// No rule beyond those of the first day.
  public static let none: ScriptFlags = []
  /// What blocks must obey today: P2SH, DERSIG, NULLDUMMY, CHECKLOCKTIMEVERIFY, CHECKSEQUENCEVERIFY, WITNESS, TAPROOT.
  public static let consensus: ScriptFlags = [
    .p2sh, .derSig, .nullDummy, .checkLockTimeVerify, .checkSequenceVerify, .witness, .taproot,
  ]
  /// What a peer that relays a transaction must obey: the consensus rules.
  public static let mandatory: ScriptFlags = consensus
  /// What Bitcoin Core relays: everything but SIGPUSHONLY.
  public static let standard: ScriptFlags = mandatory.union([
    .strictEnc, .lowS, .minimalData, .discourageUpgradableNops, .cleanStack, .discourageUpgradableWitnessProgram,
    .minimalIf, .nullFail, .witnessPubkeyType, .constScriptCode, .discourageUpgradableTaprootVersion,
    .discourageOpSuccess, .discourageUpgradablePubkeyType,
  ])
  /// Every flag of Bitcoin Core.
  public static let all: ScriptFlags = ScriptFlags(named.map(\.flag))

  /// Whether the flags are a combination that Bitcoin Core admits: CLEANSTACK with WITNESS, TAPROOT with WITNESS, WITNESS with
  /// P2SH. Any combination can be verified under; one that is not coherent is not a soft fork of its subsets.
  public var isCoherent: Bool {
    (!contains(.cleanStack) || contains(.witness)) && (!contains(.taproot) || contains(.witness))
      && (!contains(.witness) || contains(.p2sh))
  }
}

/// A flag name that Bitcoin Core does not have.
public struct UnknownScriptFlag: Error, Hashable, Sendable, CustomStringConvertible {
  public let name: String
  public var description: String { "unknown script flag \(name)" }
}

extension ScriptFlags: CustomStringConvertible {
  /// Every flag with Bitcoin Core's name, in the order of the bits.
  public static let named: [(name: String, flag: ScriptFlags)] = [
    ("P2SH", .p2sh), ("STRICTENC", .strictEnc), ("DERSIG", .derSig), ("LOW_S", .lowS), ("NULLDUMMY", .nullDummy),
    ("SIGPUSHONLY", .sigPushOnly), ("MINIMALDATA", .minimalData),
    ("DISCOURAGE_UPGRADABLE_NOPS", .discourageUpgradableNops), ("CLEANSTACK", .cleanStack),
    ("CHECKLOCKTIMEVERIFY", .checkLockTimeVerify), ("CHECKSEQUENCEVERIFY", .checkSequenceVerify), ("WITNESS", .witness),
    ("DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM", .discourageUpgradableWitnessProgram), ("MINIMALIF", .minimalIf),
    ("NULLFAIL", .nullFail), ("WITNESS_PUBKEYTYPE", .witnessPubkeyType), ("CONST_SCRIPTCODE", .constScriptCode),
    ("TAPROOT", .taproot), ("DISCOURAGE_UPGRADABLE_TAPROOT_VERSION", .discourageUpgradableTaprootVersion),
    ("DISCOURAGE_OP_SUCCESS", .discourageOpSuccess),
    ("DISCOURAGE_UPGRADABLE_PUBKEYTYPE", .discourageUpgradablePubkeyType),
  ]

  /// The flag of one name; `NONE` is no flag. Throws `UnknownScriptFlag`.
  public init(name: some StringProtocol) throws(UnknownScriptFlag) {
    if name == "NONE" {
      self = .none
    } else if name == "CHECKTEMPLATEVERIFY" {
      self = .checkTemplateVerify
    } else if let known = Self.named.first(where: { $0.name == name }) {
      self = known.flag
    } else {
      throw UnknownScriptFlag(name: String(name))
    }
  }

  /// The flags of several names. Throws `UnknownScriptFlag`.
  public init(names: [String]) throws(UnknownScriptFlag) {
    self = .none
    for name in names { formUnion(try ScriptFlags(name: name)) }
  }

  /// Reads names with commas between them, as Bitcoin Core's tests write them; empty is no flag. Throws `UnknownScriptFlag`.
  public init(parsing list: some StringProtocol) throws(UnknownScriptFlag) {
    self = .none
    for name in list.split(separator: ",") { formUnion(try ScriptFlags(name: name)) }
  }

  /// The names, in the order of the bits.
  public var names: [String] {
    Self.named.filter { contains($0.flag) }.map(\.name)
      + (contains(.checkTemplateVerify) ? ["CHECKTEMPLATEVERIFY"] : [])
  }

  public var description: String { isEmpty ? "NONE" : names.joined(separator: ",") }
}
