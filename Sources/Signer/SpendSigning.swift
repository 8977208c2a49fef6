public import Bitcoin
internal import Encoding
public import GLC
internal import Secp256k1

extension BasepointSecrets {
  /// Puts the witness of each spend into the input that takes its outpoint. Everything else of the transaction must be final, since
  /// signatures commit to it; inputs that no spend names are left alone.
  /// - Parameter others: what those inputs spend. BIP 341: a signature in a taproot output commits to all spent outputs.
  public func sign(
    _ transaction: inout Transaction, taking spends: [OutputSpend], with keys: SpendingKeys,
    others: [OutPoint: TxOutput] = [:]
  ) throws(SigningError) {
    let unsigned = transaction
    var spentOutputs: [TxOutput] = []
    if spends.contains(where: \.isTaproot) {
      for input in unsigned.inputs {
        let own = spends.first { $0.outPoint == input.previousOutput }?.output
        guard let output = own ?? others[input.previousOutput] else { throw .sighash(.prevoutsMissing) }
        spentOutputs.append(output)
      }
    }
    let parts = SighashParts(unsigned, spentOutputs: spentOutputs.isEmpty ? nil : spentOutputs)
    for spend in spends {
      guard let index = unsigned.inputs.firstIndex(where: { $0.previousOutput == spend.outPoint }) else {
        throw .missing("the input that takes \(spend.outPoint)")
      }
      // Anyone can spend it: there is nothing to sign.
      if spend.path.witness.isEmpty { continue }
      let secret: SecretKey?
      do { secret = try keys.perCommitmentSecret.map { try SecretKey($0) } } catch { throw .notRevoked }
      let opener = PathOpener(self, side: keys.side, keys: keys.keys, perCommitmentSecret: secret)
      transaction.inputs[index].witness = try opener.witness(
        spend.path.witness, lock: spend.lock, counterSignature: spend.counterSignature, secret: spend.secret
      ) { (type) throws(SighashError) in
        if case .taproot(let output) = spend.lock.reveal {
          let leaf = spend.path.witness.tapLeaf.flatMap {
            output.paths.indices.contains($0) ? output.paths[$0].leaf : nil
          }
          return try unsigned.taprootSighash(
            input: index, spentOutputs: spentOutputs, type: type,
            tapscript: leaf.map { Transaction.TapscriptContext(leafHash: $0.hash) }, parts: parts)
        }
        guard let scriptCode = spend.lock.scriptCode else { throw .invalidType(type.rawValue) }
        return try unsigned.segwitV0Sighash(
          input: index, scriptCode: scriptCode, amount: spend.value, type: type, parts: parts)
      }
    }
  }
}

extension OutputSpend {
  fileprivate var isTaproot: Bool { if case .taproot = lock.reveal { true } else { false } }
}
