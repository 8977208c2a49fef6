internal import Bitcoin
internal import Encoding
internal import JSON
internal import Secp256k1

extension OperationGroup {
  static let psbts = OperationGroup(
    "Partially signed transactions (BIP 174, 370, 371, 373)", [decode, combine, sign, finalize, extract])
}

private let psbt = Parameter<PSBT>("psbt", .psbt)

private let decode = Operation(
  "psbt.decode", "Takes a PSBT apart, of version 0 or 2.", psbt,
  returns: [
    "version": "0 | 2", "tx": "the unsigned transaction, hex", "txid": "its id", "fallback_locktime": "version 2",
    "tx_modifiable": "version 2, bits", "xpubs": "[{xpub, fingerprint, path}]", "proprietary": "[{key, value}]",
    "unknown": "[{key, value}]", "inputs": "[the fields of BIP 174 by name; those that are absent are left out]",
    "outputs": "the same of each output", "fee_sat": "absent while an amount is unknown",
    "complete": "whether all inputs are final",
  ]
) { psbt in try psbt.json() }

private let combine = Operation(
  "psbt.combine", "Puts the fields of several PSBTs of one transaction together.",
  Parameter("psbts", .list(.psbt)),
  returns: ["psbt": "Base64"]
) { psbts in ["psbt": .string(try PSBT.combining(psbts).base64)] }

private let sign = Operation(
  "psbt.sign",
  "Adds the signatures of the keys given, wherever one is asked for. Taproot signatures are without randomness.",
  psbt, Parameter("wif", .list(.string), "private keys in wallet import format"),
  returns: [
    "psbt": "Base64", "refused": "[{input, message}] that nobody should sign; absent when there are none",
  ]
) { psbt, keys in
  var psbt = psbt
  var options = PSBT.SigningOptions()
  // As Bitcoin Core does: the same call has the same answer.
  options.auxRand = Bytes32()
  var refused: [Int: PSBTError] = [:]
  for (position, text) in keys.enumerated() {
    let key: PrivateKeyWIF
    do {
      key = try PrivateKeyWIF(text)
    } catch {
      throw ToolError("bad_wif", "wif[\(position)]: \(error)")
    }
    let report = try psbt.sign(with: key.secretKey, options: options)
    for refusal in report.refused where refusal.error.isContradiction { refused[refusal.input] = refusal.error }
  }
  var result: JSONObject = ["psbt": .string(psbt.base64)]
  if !refused.isEmpty {
    result["refused"] = .array(
      refused.sorted { $0.key < $1.key }.map { ["input": .int($0.key), "message": .string("\($0.value)")] })
  }
  return result
}

private let finalize = Operation(
  "psbt.finalize", "Builds the final scripts of every input that has what it needs.", psbt,
  returns: ["psbt": "Base64", "complete": "whether all inputs are final"]
) { psbt in
  var psbt = psbt
  _ = try psbt.finalize()
  return ["psbt": .string(psbt.base64), "complete": .bool(psbt.isComplete)]
}

private let extract = Operation(
  "psbt.extract", "Takes the transaction out of a PSBT all of whose inputs are final.", psbt,
  returns: ["tx": "hex"]
) { psbt in ["tx": .hex(try psbt.extractTransaction().encoded)] }

extension Kind where Value == PSBT {
  fileprivate static var psbt: Self {
    Kind<String>.string.map("Base64") { (text) throws(ToolError) in
      do throws(PSBTError) {
        return try PSBT(base64: text)
      } catch {
        throw ToolError("bad_psbt", "\(error)")
      }
    }
  }
}

extension PSBTError: Refusal {
  var refusal: ToolError {
    switch self {
    case .incomplete: ToolError("incomplete", "\(self)")
    case .differentTransactions, .nothingToCombine, .conflict: ToolError("cannot_combine", "\(self)")
    default: ToolError("bad_psbt", "\(self)")
    }
  }
}

extension PSBTError {
  /// Whether an input says things that cannot all be true, or asks for what a signer must not do.
  fileprivate var isContradiction: Bool {
    switch self {
    case .missingUTXO, .missingScript, .unsupportedScript, .unsatisfied, .incomplete: false
    default: true
    }
  }
}
