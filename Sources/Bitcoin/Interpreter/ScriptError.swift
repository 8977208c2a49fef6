/// Why a script does not verify. The raw value is Bitcoin Core's name, without `SCRIPT_ERR_`; Core's `OK` is that nothing is thrown.
public enum ScriptError: String, Error, Hashable, Sendable, CaseIterable, CustomStringConvertible {
  /// The question makes no sense: no such input, or not one spent output for each input.
  case unknownError = "UNKNOWN_ERROR"
  /// The script ran to its end and left false, or nothing.
  case evalFalse = "EVAL_FALSE"
  case opReturn = "OP_RETURN"

  // Limits.
  case scriptSize = "SCRIPT_SIZE"
  case pushSize = "PUSH_SIZE"
  case opCount = "OP_COUNT"
  case stackSize = "STACK_SIZE"
  case sigCount = "SIG_COUNT"
  case pubkeyCount = "PUBKEY_COUNT"

  // Failed VERIFY operations.
  case verify = "VERIFY"
  case equalVerify = "EQUALVERIFY"
  case checkMultiSigVerify = "CHECKMULTISIGVERIFY"
  case checkSigVerify = "CHECKSIGVERIFY"
  case numEqualVerify = "NUMEQUALVERIFY"

  // Logic and format.
  case badOpcode = "BAD_OPCODE"
  case disabledOpcode = "DISABLED_OPCODE"
  case invalidStackOperation = "INVALID_STACK_OPERATION"
  case invalidAltStackOperation = "INVALID_ALTSTACK_OPERATION"
  case unbalancedConditional = "UNBALANCED_CONDITIONAL"
  /// A number that is too long, or not in its shortest form where that is asked for.
  case scriptNumber = "SCRIPTNUM"

  // CHECKLOCKTIMEVERIFY and CHECKSEQUENCEVERIFY.
  case negativeLockTime = "NEGATIVE_LOCKTIME"
  case unsatisfiedLockTime = "UNSATISFIED_LOCKTIME"

  // Malleability.
  case sigHashType = "SIG_HASHTYPE"
  case sigDER = "SIG_DER"
  case minimalData = "MINIMALDATA"
  case sigPushOnly = "SIG_PUSHONLY"
  case sigHighS = "SIG_HIGH_S"
  case sigNullDummy = "SIG_NULLDUMMY"
  case pubkeyType = "PUBKEYTYPE"
  case cleanStack = "CLEANSTACK"
  case minimalIf = "MINIMALIF"
  case nullFail = "NULLFAIL"

  // Kept for soft forks.
  case discourageUpgradableNops = "DISCOURAGE_UPGRADABLE_NOPS"
  case discourageUpgradableWitnessProgram = "DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM"
  case discourageUpgradableTaprootVersion = "DISCOURAGE_UPGRADABLE_TAPROOT_VERSION"
  case discourageOpSuccess = "DISCOURAGE_OP_SUCCESS"
  case discourageUpgradablePubkeyType = "DISCOURAGE_UPGRADABLE_PUBKEYTYPE"

  // Segregated witness.
  case witnessProgramWrongLength = "WITNESS_PROGRAM_WRONG_LENGTH"
  case witnessProgramWitnessEmpty = "WITNESS_PROGRAM_WITNESS_EMPTY"
  case witnessProgramMismatch = "WITNESS_PROGRAM_MISMATCH"
  case witnessMalleated = "WITNESS_MALLEATED"
  case witnessMalleatedP2SH = "WITNESS_MALLEATED_P2SH"
  case witnessUnexpected = "WITNESS_UNEXPECTED"
  case witnessPubkeyType = "WITNESS_PUBKEYTYPE"

  // Taproot.
  case schnorrSigSize = "SCHNORR_SIG_SIZE"
  case schnorrSigHashType = "SCHNORR_SIG_HASHTYPE"
  case schnorrSig = "SCHNORR_SIG"
  case taprootWrongControlSize = "TAPROOT_WRONG_CONTROL_SIZE"
  case tapscriptValidationWeight = "TAPSCRIPT_VALIDATION_WEIGHT"
  case tapscriptCheckMultiSig = "TAPSCRIPT_CHECKMULTISIG"
  case tapscriptMinimalIf = "TAPSCRIPT_MINIMALIF"
  case tapscriptEmptyPubkey = "TAPSCRIPT_EMPTY_PUBKEY"

  // BIP 119, which Bitcoin Core does not have.
  case templateMismatch = "TEMPLATE_MISMATCH"

  // CONST_SCRIPTCODE.
  case opCodeSeparator = "OP_CODESEPARATOR"
  case sigFindAndDelete = "SIG_FINDANDDELETE"

  public var description: String { rawValue }
}
