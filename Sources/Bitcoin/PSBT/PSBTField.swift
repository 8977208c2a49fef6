extension PSBT {
  /// The types of the global map, by `<keytype>` (BIP 174, BIP 370).
  public enum GlobalType: UInt64, Hashable, Sendable {
    case unsignedTx = 0x00
    case xpub = 0x01
    case txVersion = 0x02
    case fallbackLocktime = 0x03
    case inputCount = 0x04
    case outputCount = 0x05
    case txModifiable = 0x06
    case version = 0xfb
    case proprietary = 0xfc

    /// The name that the BIPs give it.
    public var name: String {
      switch self {
      case .unsignedTx: "PSBT_GLOBAL_UNSIGNED_TX"
      case .xpub: "PSBT_GLOBAL_XPUB"
      case .txVersion: "PSBT_GLOBAL_TX_VERSION"
      case .fallbackLocktime: "PSBT_GLOBAL_FALLBACK_LOCKTIME"
      case .inputCount: "PSBT_GLOBAL_INPUT_COUNT"
      case .outputCount: "PSBT_GLOBAL_OUTPUT_COUNT"
      case .txModifiable: "PSBT_GLOBAL_TX_MODIFIABLE"
      case .version: "PSBT_GLOBAL_VERSION"
      case .proprietary: "PSBT_GLOBAL_PROPRIETARY"
      }
    }
  }

  /// The types of an input map, by `<keytype>` (BIP 174, BIP 127, BIP 370, BIP 371, BIP 373).
  public enum InputType: UInt64, Hashable, Sendable {
    case nonWitnessUTXO = 0x00
    case witnessUTXO = 0x01
    case partialSig = 0x02
    case sighashType = 0x03
    case redeemScript = 0x04
    case witnessScript = 0x05
    case bip32Derivation = 0x06
    case finalScriptSig = 0x07
    case finalScriptWitness = 0x08
    case porCommitment = 0x09
    case ripemd160 = 0x0a
    case sha256 = 0x0b
    case hash160 = 0x0c
    case hash256 = 0x0d
    case previousTxid = 0x0e
    case outputIndex = 0x0f
    case sequence = 0x10
    case requiredTimeLocktime = 0x11
    case requiredHeightLocktime = 0x12
    case tapKeySig = 0x13
    case tapScriptSig = 0x14
    case tapLeafScript = 0x15
    case tapBIP32Derivation = 0x16
    case tapInternalKey = 0x17
    case tapMerkleRoot = 0x18
    case musig2ParticipantPubkeys = 0x1a
    case musig2PubNonce = 0x1b
    case musig2PartialSig = 0x1c
    case proprietary = 0xfc

    /// The name that the BIPs give it.
    public var name: String {
      switch self {
      case .nonWitnessUTXO: "PSBT_IN_NON_WITNESS_UTXO"
      case .witnessUTXO: "PSBT_IN_WITNESS_UTXO"
      case .partialSig: "PSBT_IN_PARTIAL_SIG"
      case .sighashType: "PSBT_IN_SIGHASH_TYPE"
      case .redeemScript: "PSBT_IN_REDEEM_SCRIPT"
      case .witnessScript: "PSBT_IN_WITNESS_SCRIPT"
      case .bip32Derivation: "PSBT_IN_BIP32_DERIVATION"
      case .finalScriptSig: "PSBT_IN_FINAL_SCRIPTSIG"
      case .finalScriptWitness: "PSBT_IN_FINAL_SCRIPTWITNESS"
      case .porCommitment: "PSBT_IN_POR_COMMITMENT"
      case .ripemd160: "PSBT_IN_RIPEMD160"
      case .sha256: "PSBT_IN_SHA256"
      case .hash160: "PSBT_IN_HASH160"
      case .hash256: "PSBT_IN_HASH256"
      case .previousTxid: "PSBT_IN_PREVIOUS_TXID"
      case .outputIndex: "PSBT_IN_OUTPUT_INDEX"
      case .sequence: "PSBT_IN_SEQUENCE"
      case .requiredTimeLocktime: "PSBT_IN_REQUIRED_TIME_LOCKTIME"
      case .requiredHeightLocktime: "PSBT_IN_REQUIRED_HEIGHT_LOCKTIME"
      case .tapKeySig: "PSBT_IN_TAP_KEY_SIG"
      case .tapScriptSig: "PSBT_IN_TAP_SCRIPT_SIG"
      case .tapLeafScript: "PSBT_IN_TAP_LEAF_SCRIPT"
      case .tapBIP32Derivation: "PSBT_IN_TAP_BIP32_DERIVATION"
      case .tapInternalKey: "PSBT_IN_TAP_INTERNAL_KEY"
      case .tapMerkleRoot: "PSBT_IN_TAP_MERKLE_ROOT"
      case .musig2ParticipantPubkeys: "PSBT_IN_MUSIG2_PARTICIPANT_PUBKEYS"
      case .musig2PubNonce: "PSBT_IN_MUSIG2_PUB_NONCE"
      case .musig2PartialSig: "PSBT_IN_MUSIG2_PARTIAL_SIG"
      case .proprietary: "PSBT_IN_PROPRIETARY"
      }
    }
  }

  /// The types of an output map, by `<keytype>` (BIP 174, BIP 370, BIP 371, BIP 373).
  public enum OutputType: UInt64, Hashable, Sendable {
    case redeemScript = 0x00
    case witnessScript = 0x01
    case bip32Derivation = 0x02
    case amount = 0x03
    case script = 0x04
    case tapInternalKey = 0x05
    case tapTree = 0x06
    case tapBIP32Derivation = 0x07
    case musig2ParticipantPubkeys = 0x08
    case proprietary = 0xfc

    /// The name that the BIPs give it.
    public var name: String {
      switch self {
      case .redeemScript: "PSBT_OUT_REDEEM_SCRIPT"
      case .witnessScript: "PSBT_OUT_WITNESS_SCRIPT"
      case .bip32Derivation: "PSBT_OUT_BIP32_DERIVATION"
      case .amount: "PSBT_OUT_AMOUNT"
      case .script: "PSBT_OUT_SCRIPT"
      case .tapInternalKey: "PSBT_OUT_TAP_INTERNAL_KEY"
      case .tapTree: "PSBT_OUT_TAP_TREE"
      case .tapBIP32Derivation: "PSBT_OUT_TAP_BIP32_DERIVATION"
      case .musig2ParticipantPubkeys: "PSBT_OUT_MUSIG2_PARTICIPANT_PUBKEYS"
      case .proprietary: "PSBT_OUT_PROPRIETARY"
      }
    }
  }

  /// One of the maps of a PSBT.
  public enum Location: Hashable, Sendable, CustomStringConvertible {
    case global
    case input(Int)
    case output(Int)

    public var description: String {
      switch self {
      case .global: "the global map"
      case .input(let index): "input \(index)"
      case .output(let index): "output \(index)"
      }
    }
  }

  /// A type in a map: what an error is about.
  public enum Field: Hashable, Sendable, CustomStringConvertible {
    case global(GlobalType)
    case input(Int, InputType)
    case output(Int, OutputType)

    public var location: Location {
      switch self {
      case .global: .global
      case .input(let index, _): .input(index)
      case .output(let index, _): .output(index)
      }
    }

    /// The name that the BIPs give it.
    public var name: String {
      switch self {
      case .global(let type): type.name
      case .input(_, let type): type.name
      case .output(_, let type): type.name
      }
    }

    public var description: String {
      if case .global = self { return name }
      return "\(name) of \(location)"
    }
  }
}
