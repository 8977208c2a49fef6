import Bitcoin
import Encoding
import Hashing
import Secp256k1

/// An output that the test can spend: behind the hash of a script that says yes.
struct SpendableCoin: Sendable {
  static let witnessScript = Script([Opcode.op2.rawValue])
  static let script = Script.p2wsh(witnessScript)

  var outPoint: OutPoint
  var value: UInt64

  init(_ outPoint: OutPoint, _ value: UInt64) {
    self.outPoint = outPoint
    self.value = value
  }

  /// An output of a transaction made here.
  init(of transaction: Transaction, _ vout: Int = 0) {
    self.init(OutPoint(txid: transaction.txid, vout: UInt32(vout)), transaction.outputs[vout].value.rawValue)
  }
}

/// Spends coins to one output of the same kind, leaving `fee`.
func spend(
  _ coins: [SpendableCoin], fee: UInt64, version: UInt32 = 2, sequence: UInt32 = 0xffff_fffd, lockTime: UInt32 = 0,
  adding outputs: [TxOutput] = [], padding: Int = 0
) -> Transaction {
  var others = outputs
  if padding > 0 {
    // 31 vbytes each.
    others += Array(
      repeating: TxOutput(value: Satoshi(1000), scriptPubKey: .p2wpkh(hash160([1]))), count: padding)
  }
  let total = coins.reduce(0) { $0 + $1.value } - others.reduce(0) { $0 + $1.value.rawValue }
  return Transaction(
    version: version,
    inputs: coins.map {
      TxInput(previousOutput: $0.outPoint, sequence: sequence, witness: [SpendableCoin.witnessScript.bytes])
    },
    outputs: [TxOutput(value: Satoshi(total - fee), scriptPubKey: SpendableCoin.script)] + others, lockTime: lockTime)
}

/// Spends a P2WPKH output of this key.
func spend(_ outPoint: OutPoint, _ value: UInt64, key: borrowing SecretKey, fee: UInt64) throws -> Transaction {
  let publicKey = key.publicKey
  var transaction = Transaction(
    inputs: [TxInput(previousOutput: outPoint)],
    outputs: [TxOutput(value: Satoshi(value - fee), scriptPubKey: SpendableCoin.script)])
  let sighash = try transaction.segwitV0Sighash(
    input: 0, scriptCode: .p2wpkhScriptCode(hash160(publicKey.bytes)), amount: Satoshi(value), type: .all,
    parts: SighashParts(transaction))
  let signature = key.signECDSA(sighash.raw)
  transaction.inputs[0].witness = [signature.der + [1], publicKey.bytes.array]
  return transaction
}
