internal import Encoding
internal import Secp256k1

/// Answers for one input of a transaction.
public struct TransactionSignatureChecker: SignatureChecker, Sendable {
  let transaction: Transaction
  let index: Int
  let spentOutputs: [TxOutput]
  let parts: SighashParts
  let cache: SignatureCache?

  /// `spentOutputs` holds what each input spends, in order. `parts`, when given, must be made of this transaction and these
  /// outputs. An index without an input, and another number of outputs than of inputs, is answered with false throughout.
  public init(
    _ transaction: Transaction, input index: Int, spending spentOutputs: [TxOutput], parts: SighashParts? = nil,
    cache: SignatureCache? = nil
  ) {
    self.transaction = transaction
    self.index = index
    self.spentOutputs = spentOutputs
    self.parts = parts ?? SighashParts(transaction, spentOutputs: spentOutputs)
    self.cache = cache
  }

  private var isCoherent: Bool {
    transaction.inputs.indices.contains(index) && spentOutputs.count == transaction.inputs.count
  }

  public func isValidECDSA(
    signature: RawSpan, publicKey: RawSpan, scriptCode: RawSpan, version: SignatureVersion
  ) -> Bool {
    guard isCoherent, signature.byteCount > 0 else { return false }
    let encoded = signature.extracting(0..<signature.byteCount - 1)
    let type = SighashType(rawValue: UInt32(signature[signature.byteCount - 1]))
    let sighash =
      switch version {
      case .witnessV0:
        try? transaction.segwitV0Sighash(
          input: index, scriptCode: scriptCode, amount: spentOutputs[index].value, type: type, parts: parts)
      default: try? transaction.legacySighash(input: index, scriptCode: scriptCode, type: type)
      }
    guard let sighash else { return false }
    let entry = cache?.entry(.ecdsa, sighash: sighash, publicKey: publicKey, signature: encoded)
    if let entry, cache?.contains(entry) == true { return true }
    guard let key = PublicKey(parsing: publicKey), let parsed = encoded.laxDERSignature,
      key.isValidECDSA(parsed.normalized, for: sighash.raw)
    else { return false }
    if let entry { cache?.insert(entry) }
    return true
  }

  public func checkSchnorr(
    signature: RawSpan, publicKey: RawSpan, version: SignatureVersion, execution: TaprootExecution
  ) throws(ScriptError) {
    guard isCoherent else { throw .unknownError }
    var type = SighashType.default
    switch signature.byteCount {
    case 64: break
    case 65:
      type = SighashType(rawValue: UInt32(signature[64]))
      // BIP 341: a hash type that is written is not the default, so that a signature has one form.
      if type == .default { throw .schnorrSigHashType }
    default: throw .schnorrSigSize
    }
    let sighash: Sighash
    do {
      sighash = try transaction.taprootSighash(
        input: index, spentOutput: spentOutputs[index], type: type,
        tapscript: execution.leafHash.map {
          Transaction.TapscriptContext(leafHash: $0, codeSeparatorPosition: execution.codeSeparatorPosition)
        },
        annexHash: execution.annexHash, parts: parts)
    } catch .prevoutsMissing {
      throw .unknownError
    } catch {
      throw .schnorrSigHashType
    }
    let encoded = signature.extracting(0..<64)
    let entry = cache?.entry(.schnorr, sighash: sighash, publicKey: publicKey, signature: encoded)
    if let entry, cache?.contains(entry) == true { return }
    guard let key = try? XOnlyPublicKey(copying: publicKey), let parsed = try? SchnorrSignature(copying: encoded),
      key.isValidSchnorr(parsed, for: sighash.raw)
    else { throw .schnorrSig }
    if let entry { cache?.insert(entry) }
  }

  /// BIP 65.
  public func satisfies(lockTime: Int64) -> Bool {
    guard isCoherent else { return false }
    let own = Int64(transaction.lockTime)
    // Heights compare with heights, times with times.
    guard (own < TransactionRules.lockTimeThreshold) == (lockTime < TransactionRules.lockTimeThreshold),
      lockTime <= own
    else { return false }
    // A final input would let the transaction ignore its lock time.
    return transaction.inputs[index].sequence != .max
  }

  /// BIP 112.
  public func satisfies(sequence: Int64) -> Bool {
    guard isCoherent, transaction.version >= 2 else { return false }
    let own = transaction.inputs[index].sequence
    if own & RelativeLock.disableFlag != 0 { return false }
    let mask = RelativeLock.typeFlag | RelativeLock.valueMask
    let masked = own & mask
    let asked = UInt32(truncatingIfNeeded: sequence) & mask
    // Blocks compare with blocks, times with times.
    guard (masked < RelativeLock.typeFlag) == (asked < RelativeLock.typeFlag) else { return false }
    return asked <= masked
  }

  /// BIP 119.
  public func satisfies(template: RawSpan) -> Bool {
    guard isCoherent else { return false }
    return transaction.templateHash(input: UInt32(truncatingIfNeeded: index), parts: parts).bytes.elementsEqual(
      template)
  }
}
