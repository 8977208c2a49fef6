public import Bitcoin
internal import Encoding
public import GLC
internal import Secp256k1

extension BasepointSecrets {
  /// Puts the witness of each spend into the input that takes its outpoint. Everything else of the transaction must be final, since
  /// signatures commit to it; inputs that no spend names are left alone.
  public func sign(
    _ transaction: inout Transaction, taking spends: [OutputSpend], with keys: SpendingKeys
  ) throws(SigningError) {
    let parts = SighashParts(transaction)
    let unsigned = transaction
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
        guard let scriptCode = spend.lock.scriptCode else { throw .invalidType(type.rawValue) }
        return try unsigned.segwitV0Sighash(
          input: index, scriptCode: scriptCode, amount: spend.value, type: type, parts: parts)
      }
    }
  }
}
