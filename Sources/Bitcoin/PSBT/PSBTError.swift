public import Encoding

/// Why a PSBT was refused, or why a role could not do its work. The first group is thrown by decoding alone.
public enum PSBTError: Error, Hashable, Sendable {
  // MARK: Format

  /// The text is not Base64.
  case invalidBase64(DecodingError)
  /// The five bytes 0x70736274ff are not at the start.
  case invalidMagic
  /// The records of this map are cut off, or something lies behind the last map.
  case malformedMap(PSBT.Location, DecodingError)
  /// BIP 174: "all keys in the format are unique". The key with its type.
  case duplicateKey(PSBT.Location, key: [UInt8])
  /// The data behind the type is longer or shorter than the type wants; `count` without the type.
  case invalidKeyLength(PSBT.Field, count: Int)
  /// The data behind the type has the right length and is not what it should be, say no point on the curve.
  case invalidKey(PSBT.Field)
  case invalidValueLength(PSBT.Field, count: Int)
  case invalidValue(PSBT.Field, StaticReason)
  /// A field that the version requires.
  case missingField(PSBT.Field)
  /// A field that the version excludes.
  case forbiddenField(PSBT.Field, version: PSBT.Version)
  /// BIP 174: "If a parser encounters a version number it does not recognize, it should exit immediately".
  case unsupportedVersion(UInt32)

  // MARK: Consistency

  /// BIP 174: "The scriptSigs and witnesses for each input must be empty."
  case unsignedTransactionIsSigned(input: Int)
  /// The non-witness UTXO's txid is not the one that the input spends.
  case nonWitnessUTXOMismatch(input: Int)
  /// The non-witness UTXO has no output of the spent index.
  case noSuchSpentOutput(input: Int)
  /// The witness UTXO is not the output that the non-witness UTXO has at the spent index.
  case utxosDisagree(input: Int)
  /// A script, internal key or leaf that does not belong to the output that the input spends.
  case scriptMismatch(PSBT.Field)
  /// BIP 370 §Determining Lock Time: some inputs allow a time alone, others a height alone.
  case incompatibleLocktimes
  case noSuchInput(Int)
  case noSuchOutput(Int)

  // MARK: Constructor

  /// Only a PSBT of version 2 can grow.
  case notVersion2
  /// BIP 370: "Inputs may only be added if the Inputs Modifiable flag is True."
  case inputsNotModifiable
  /// BIP 370: "Outputs may only be added if the Outputs Modifiable flag is True."
  case outputsNotModifiable
  /// The output is spent by another input already.
  case duplicateInput(OutPoint)
  /// BIP 370: "If it changes the transaction's locktime when there are existing signatures, it must not be added."
  case locktimeIsSigned
  /// BIP 370: an input signed with SIGHASH_SINGLE would lose its output.
  case breaksSighashSingle(input: Int)
  /// BIP 370: the version of a transaction that others may add to is at least 2.
  case transactionVersionTooLow(UInt32)

  // MARK: Signer and finalizer

  /// Neither kind of UTXO is there; for taproot, that of any input.
  case missingUTXO(input: Int)
  /// The script that hashes to what the spent output says is not there.
  case missingScript(PSBT.Field)
  /// BIP 174: "If a witness UTXO is provided, no non-witness signature may be created", nor without the whole transaction.
  case nonWitnessUTXORequired(input: Int)
  /// BIP 174: "If a sighash type is provided, the signer must check that the sighash is acceptable."
  case unacceptableSighashType(input: Int, SighashType)
  /// A signature's sighash type is not the input's, or means nothing for this kind of output.
  case sighashTypeMismatch(input: Int, SighashType)
  /// The spent output is of a kind for which there is nothing to sign.
  case unsupportedScript(input: Int)
  /// There is not enough to satisfy the script: a signature or preimage is not there or not valid.
  case unsatisfied(input: Int)
  case sighash(SighashError)
  /// The script interpreter refuses what would be final.
  case scriptFails(input: Int, ScriptError)
  /// The input is final: nothing can be added.
  case alreadyFinal(input: Int)

  // MARK: MuSig2

  /// The participants' keys do not aggregate to the key that they are listed under, or not to the one to be signed for.
  case musig2AggregateMismatch(input: Int)
  /// A participant's public nonce is missing, or no nonce at all.
  case musig2NonceMissing(input: Int)
  /// A nonce of another session, for another key or transaction.
  case musig2WrongSession(input: Int)
  /// A participant's partial signature does not verify.
  case musig2InvalidPartialSignature(input: Int)

  // MARK: Combiner and extractor

  case nothingToCombine
  /// BIP 174: "A Combiner must not combine two different PSBTs."
  case differentTransactions
  /// Two values for one key, where conflicts are to be refused.
  case conflict(PSBT.Location)
  /// Inputs that are not final, or amounts that nobody knows.
  case incomplete(input: Int)
  /// An amount or sum above 21 million BTC, or outputs worth more than inputs.
  case invalidAmounts
}

extension PSBTError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .invalidBase64(let error): "not Base64: \(error)"
    case .invalidMagic: "not a PSBT: the magic bytes are missing"
    case .malformedMap(let location, let error): "\(location) is malformed: \(error)"
    case .duplicateKey(let location, let key): "\(location) has the key \(Hex.encode(key)) twice"
    case .invalidKeyLength(let field, let count): "\(field) has a key of the wrong size: \(count) bytes behind the type"
    case .invalidKey(let field): "the key of \(field) is invalid"
    case .invalidValueLength(let field, let count): "the value of \(field) has the wrong size: \(count) bytes"
    case .invalidValue(let field, let reason): "the value of \(field) is invalid: \(reason)"
    case .missingField(let field): "\(field) is required and missing"
    case .forbiddenField(let field, let version): "\(field) is not allowed in version \(version.rawValue)"
    case .unsupportedVersion(let version): "version \(version) is not known"
    case .unsignedTransactionIsSigned(let input):
      "the unsigned transaction has a scriptSig or witness in input \(input)"
    case .nonWitnessUTXOMismatch(let input): "the non-witness UTXO of input \(input) is not the transaction it spends"
    case .noSuchSpentOutput(let input): "input \(input) spends an output that its non-witness UTXO does not have"
    case .utxosDisagree(let input): "the two UTXOs of input \(input) are different"
    case .scriptMismatch(let field): "\(field) does not belong to the spent output"
    case .incompatibleLocktimes: "no lock time suits all inputs"
    case .noSuchInput(let index): "there is no input \(index)"
    case .noSuchOutput(let index): "there is no output \(index)"
    case .notVersion2: "only version 2 can be added to"
    case .inputsNotModifiable: "the inputs are not modifiable"
    case .outputsNotModifiable: "the outputs are not modifiable"
    case .duplicateInput(let outpoint): "\(outpoint) is spent by another input"
    case .locktimeIsSigned: "the lock time would change below existing signatures"
    case .breaksSighashSingle(let input): "input \(input), signed with SIGHASH_SINGLE, would lose its output"
    case .transactionVersionTooLow(let version): "transaction version \(version) is below 2"
    case .missingUTXO(let input): "the output that input \(input) spends is not known"
    case .missingScript(let field): "\(field) is needed and missing"
    case .nonWitnessUTXORequired(let input): "input \(input) needs its non-witness UTXO, and no witness UTXO"
    case .unacceptableSighashType(let input, let type):
      "sighash type \(type.rawValue) of input \(input) is not accepted"
    case .sighashTypeMismatch(let input, let type): "sighash type \(type.rawValue) does not fit input \(input)"
    case .unsupportedScript(let input): "no way is known to spend the output of input \(input)"
    case .unsatisfied(let input): "input \(input) lacks a valid signature or another part"
    case .sighash(let error): "the signature hash cannot be computed: \(error)"
    case .scriptFails(let input, let error): "the scripts of input \(input) fail: \(error)"
    case .alreadyFinal(let input): "input \(input) is final"
    case .musig2AggregateMismatch(let input): "the MuSig2 participants of input \(input) do not make up the key"
    case .musig2NonceMissing(let input): "a valid MuSig2 public nonce is missing in input \(input)"
    case .musig2WrongSession(let input): "the MuSig2 nonce was not made for input \(input)"
    case .musig2InvalidPartialSignature(let input): "a MuSig2 partial signature of input \(input) is invalid"
    case .nothingToCombine: "there is nothing to combine"
    case .differentTransactions: "the PSBTs are of different transactions"
    case .conflict(let location): "\(location) has conflicting values"
    case .incomplete(let input): "input \(input) is not final"
    case .invalidAmounts: "the amounts are out of range, or the outputs exceed the inputs"
    }
  }
}
