public import Encoding

/// Which rules a script, or a signature, is under.
public enum SignatureVersion: Hashable, Sendable {
  /// scriptSig, scriptPubKey and redeem script.
  case base
  /// Witness version 0 (BIP 143).
  case witnessV0
  /// A taproot key path (BIP 341).
  case taproot
  /// A taproot script path with leaf version 0xc0 (BIP 342).
  case tapscript
}

/// What a taproot spend has established by the time a signature is checked: Core's `ScriptExecutionData`.
public struct TaprootExecution: Hashable, Sendable {
  /// BIP 341's tapleaf hash; nil on a key path.
  public var leafHash: Bytes32?
  /// The position of the last executed OP_CODESEPARATOR, counted in opcodes; 0xffffffff when there was none (BIP 342).
  public var codeSeparatorPosition: UInt32 = .max
  /// SHA-256 of the annex with its length in front (BIP 341: sha_annex); nil when there is no annex.
  public var annexHash: Bytes32?
  /// What is left of BIP 342's signature operations budget.
  public var validationWeightLeft = 0

  public init() {}
}

/// What a script asks about the transaction that spends it.
///
/// `TransactionSignatureChecker` answers for a real transaction. Another one may refuse everything, or record what is asked.
public protocol SignatureChecker {
  /// Whether `signature`, an encoded ECDSA signature with one byte of hash type behind it, is valid for `publicKey`. Both may be
  /// any bytes. `scriptCode` begins behind the last executed OP_CODESEPARATOR. `version` is `.base` or `.witnessV0`.
  func isValidECDSA(
    signature: RawSpan, publicKey: RawSpan, scriptCode: RawSpan, version: SignatureVersion
  ) -> Bool

  /// Throws unless `signature`, any bytes, is 64 or 65 bytes of BIP 340 signature that is valid for the 32 bytes of `publicKey`:
  /// `SCHNORR_SIG_SIZE`, `SCHNORR_SIG_HASHTYPE`, `SCHNORR_SIG`. `version` is `.taproot` or `.tapscript`.
  func checkSchnorr(
    signature: RawSpan, publicKey: RawSpan, version: SignatureVersion, execution: TaprootExecution
  ) throws(ScriptError)

  /// Whether the transaction is locked until `lockTime`, not negative, or longer (BIP 65).
  func satisfies(lockTime: Int64) -> Bool

  /// Whether the input is locked for `sequence`, not negative, or longer (BIP 112).
  func satisfies(sequence: Int64) -> Bool

  /// Whether the transaction has this template, 32 bytes, at this input (BIP 119). False unless implemented.
  func satisfies(template: RawSpan) -> Bool
}

extension SignatureChecker {
  public func satisfies(template: RawSpan) -> Bool { false }
}

/// For scripts that stand alone: no signature is valid, no lock is satisfied.
public struct RefusingSignatureChecker: SignatureChecker, Sendable {
  public init() {}

  public func isValidECDSA(
    signature: RawSpan, publicKey: RawSpan, scriptCode: RawSpan, version: SignatureVersion
  ) -> Bool { false }

  public func checkSchnorr(
    signature: RawSpan, publicKey: RawSpan, version: SignatureVersion, execution: TaprootExecution
  ) throws(ScriptError) { throw .schnorrSig }

  public func satisfies(lockTime: Int64) -> Bool { false }
  public func satisfies(sequence: Int64) -> Bool { false }
}
