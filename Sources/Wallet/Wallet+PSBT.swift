public import Bitcoin
internal import Secp256k1

extension Wallet {
  /// The transaction as a PSBT, unsigned, with everything that a signer elsewhere needs.
  public func psbt(for spend: UnsignedSpend) throws(WalletError) -> PSBT {
    var psbt: PSBT
    do { psbt = try PSBT(unsignedTransaction: spend.transaction) } catch { throw .psbt(error) }
    _ = try complete(&psbt)
    return psbt
  }

  /// Those inputs of a PSBT that spend outputs of ours, as the wallet itself knows them. Throws `.mismatch` where the PSBT says something else
  /// of such an output: a wrong amount makes a wrong fee.
  public func ownInputs(of psbt: PSBT) throws(WalletError) -> [Int: AddressPath] {
    var found: [Int: AddressPath] = [:]
    for (index, input) in psbt.inputs.enumerated() {
      guard let (output, path) = ownOutput(input.previousOutput) else { continue }
      if input.witnessUTXO != nil || input.nonWitnessUTXO != nil {
        guard (try? psbt.spentOutput(index)) == output else { throw .mismatch(input: index) }
      }
      found[index] = path
    }
    return found
  }

  /// Fills in what the wallet knows of a PSBT's inputs and outputs: what is spent, and where its keys come from. The inputs that are ours.
  /// Throws `.mismatch`.
  public func complete(_ psbt: inout PSBT) throws(WalletError) -> [Int: AddressPath] {
    let own = try ownInputs(of: psbt)
    for (index, path) in own where !psbt.isFinal(index) {
      guard let parent = records[psbt.inputs[index].previousOutput.txid]?.transaction else { continue }
      let key = try publicKey(path)
      do { try psbt.addUTXO(parent, toInput: index) } catch { throw .psbt(error) }
      switch path.kind {
      case .segwit: psbt.inputs[index].bip32Derivations[PSBT.ScriptKey(key)] = keys.origin(path)
      case .taproot:
        // BIP 371: for taproot the output alone is enough.
        psbt.inputs[index].nonWitnessUTXO = nil
        psbt.inputs[index].tapInternalKey = key.xOnly.key
        psbt.inputs[index].tapBIP32Derivations[key.xOnly.key] = PSBT.TapKeyOrigin(origin: keys.origin(path))
      }
    }
    for index in psbt.outputs.indices {
      guard let path = scripts.path(of: psbt.outputs[index].script) else { continue }
      let key = try publicKey(path)
      switch path.kind {
      case .segwit: psbt.outputs[index].bip32Derivations[PSBT.ScriptKey(key)] = keys.origin(path)
      case .taproot:
        psbt.outputs[index].tapInternalKey = key.xOnly.key
        psbt.outputs[index].tapBIP32Derivations[key.xOnly.key] = PSBT.TapKeyOrigin(origin: keys.origin(path))
      }
    }
    return own
  }

  private func publicKey(_ path: AddressPath) throws(WalletError) -> PublicKey {
    do { return try keys.publicKey(path) } catch { throw .noSuchKey }
  }
}
