public import Bitcoin
internal import Encoding
internal import Hashing
internal import Secp256k1

extension KeyRing {
  /// Signs all inputs of a transaction of the wallet. Throws `.mismatch` when a key does not belong to what is spent, `.signingFailed`.
  public func sign(_ spend: UnsignedSpend) throws(WalletError) -> Transaction {
    guard spend.paths.count == spend.transaction.inputs.count else { throw .mismatch(input: spend.paths.count) }
    var transaction = spend.transaction
    let paths = Dictionary(uniqueKeysWithValues: spend.paths.enumerated().map { ($0.offset, $0.element) })
    try sign(&transaction, inputs: paths, spending: spend.spentOutputs)
    return transaction
  }

  /// Puts witnesses into those inputs that are ours, for the whole transaction (SIGHASH_ALL), and runs their scripts before it hands
  /// anything out: a wrong signature can give a key away. Other inputs stay as they are.
  /// - Parameters:
  ///   - inputs: our keys, by the index of the input.
  ///   - spentOutputs: what each input of the transaction spends, the others' too.
  ///
  /// Throws `.mismatch`, `.signingFailed`, `.noSuchKey`; the transaction is then as it was.
  public func sign(
    _ transaction: inout Transaction, inputs: [Int: AddressPath], spending spentOutputs: [TxOutput]
  ) throws(WalletError) {
    guard spentOutputs.count == transaction.inputs.count else { throw .mismatch(input: spentOutputs.count) }
    let parts = SighashParts(transaction, spentOutputs: spentOutputs)
    var signed = transaction
    for (index, path) in inputs.sorted(by: { $0.key < $1.key }) {
      guard signed.inputs.indices.contains(index) else { throw .mismatch(input: index) }
      signed.inputs[index].scriptSig = Script()
      signed.inputs[index].witness = try witness(index, path, transaction, spentOutputs, parts)
      do throws(ScriptError) {
        try ScriptVerifier.verify(
          input: index, of: signed, spending: spentOutputs, flags: .standard, parts: parts, cache: nil)
      } catch {
        throw .signingFailed(input: index)
      }
    }
    transaction = signed
  }

  private func witness(
    _ index: Int, _ path: AddressPath, _ transaction: Transaction, _ spentOutputs: [TxOutput], _ parts: SighashParts
  ) throws(WalletError) -> Witness {
    let key: SecretKey
    do { key = try secretKey(of: path) } catch { throw .noSuchKey }
    let output = spentOutputs[index]
    let publicKey = key.publicKey
    do {
      guard try path.kind.purpose.destination(of: publicKey).scriptPubKey == output.scriptPubKey else {
        throw WalletError.mismatch(input: index)
      }
      switch path.kind {
      case .segwit:
        let sighash = try transaction.segwitV0Sighash(
          input: index, scriptCode: .p2wpkhScriptCode(hash160(publicKey.bytes)), amount: output.value, type: .all,
          parts: parts)
        let signature = PSBT.PartialSignature(key.signECDSA(sighash.raw), sighashType: .all)
        return [signature.bytes, publicKey.array]
      case .taproot:
        let sighash = try transaction.taprootSighash(
          input: index, spentOutputs: spentOutputs, type: .default, parts: parts)
        let pair = try KeyPair(key).taprootTweaked(merkleRoot: nil)
        return [pair.signSchnorr(sighash.raw, auxRand: .drawn()).array]
      }
    } catch {
      throw (error as? WalletError) ?? .signingFailed(input: index)
    }
  }

  /// Signs inputs of a PSBT: those that the wallet has recognised as its own (`Wallet.ownInputs`), never what the PSBT alone says. Finalise
  /// it afterwards. The number of signatures that were added. Throws `.psbt`, `.noSuchKey`.
  public func sign(_ psbt: inout PSBT, inputs: [Int: AddressPath]) throws(WalletError) -> Int {
    var signed = psbt
    var count = 0
    for (index, path) in inputs.sorted(by: { $0.key < $1.key }) {
      let key: SecretKey
      do { key = try secretKey(of: path) } catch { throw .noSuchKey }
      guard !signed.isFinal(index) else { continue }
      do { count += try signed.sign(input: index, with: key) } catch { throw .psbt(error) }
    }
    psbt = signed
    return count
  }
}
