internal import Bitcoin
internal import Encoding
internal import Hashing

extension FuzzTarget {
  static let transaction = FuzzTarget(
    "transaction",
    seeds: { Sample.transactions.map(\.encoded) + Sample.transactions.map { $0.encoded(withWitness: false) } },
    run: { input throws(Violation) in
      try checkOldFormat(input)
      guard let transaction = try? Transaction(decoding: input) else { return .refused }
      // BIP 144 and minimal lengths leave one form for each transaction.
      let encoded = transaction.encoded
      try law(encoded.bytes.elementsEqual(input), "encoding gives back what was decoded: \(Hex.encode(encoded))")
      let stripped = transaction.encoded(withWitness: false)
      try law(transaction.totalSize == encoded.count, "totalSize \(transaction.totalSize) is \(encoded.count)")
      try law(transaction.baseSize == stripped.count, "baseSize \(transaction.baseSize) is \(stripped.count)")
      try law(
        transaction.weight.rawValue == UInt64(3 * stripped.count + encoded.count),
        "weight is 3 · base size + total size")
      try law(transaction.txid.raw == sha256d(stripped), "txid is the hash of the form without witness")
      try law(transaction.witnessTxID.raw == sha256d(encoded), "wtxid is the hash of the whole form")
      try checkSighashes(of: transaction)
      return .accepted
    })

  /// The format without marker, as it stands in a PSBT.
  private static func checkOldFormat(_ input: RawSpan) throws(Violation) {
    var reader = ByteReader(input)
    guard let transaction = try? Transaction(from: &reader, allowWitness: false) else { return }
    try law(!transaction.hasWitness, "the old format holds no witness")
    let encoded = transaction.encoded(withWitness: false)
    try law(
      encoded.bytes.elementsEqual(input.extracting(first: reader.offset)), "the old format is read as it is written")
  }

  /// No sighash traps, and each depends on the type that it was asked for.
  private static func checkSighashes(of transaction: Transaction) throws(Violation) {
    let spent = transaction.inputs.map { input in
      TxOutput(value: Satoshi(UInt64(input.sequence) << 20), scriptPubKey: input.scriptSig)
    }
    let parts = SighashParts(transaction, spentOutputs: spent)
    let leaf = Transaction.TapscriptContext(leafHash: transaction.txid.raw)
    for index in [0, transaction.inputs.count - 1, transaction.inputs.count, -1] {
      let exists = transaction.inputs.indices.contains(index)
      let code = exists ? transaction.inputs[index].scriptSig : Script()
      for raw: UInt32 in [0, 1, 2, 3, 0x81, 0x82, 0x83, 4, 0xff, transaction.lockTime] {
        let type = SighashType(rawValue: raw)
        let legacy = try? transaction.legacySighash(input: index, scriptCode: code, type: type)
        try law((legacy != nil) == exists, "a legacy sighash exists for every input and no other")
        let segwit = try? transaction.segwitV0Sighash(
          input: index, scriptCode: code, amount: Satoshi(.max), type: type, parts: parts)
        try law((segwit != nil) == exists, "a BIP 143 sighash exists for every input and no other")
        let key = try? transaction.taprootSighash(input: index, spentOutputs: spent, type: type, parts: parts)
        let script = try? transaction.taprootSighash(
          input: index, spentOutputs: spent, type: type, tapscript: leaf, annex: [0x50] + code.bytes, parts: parts)
        let isKnown = (0...3).contains(raw) || (0x81...0x83).contains(raw)
        let isMatched = raw & 3 != 3 || transaction.outputs.indices.contains(index)
        try law(
          (key != nil) == (exists && isKnown && isMatched),
          "BIP 341 sighash for input \(index) and type \(raw): \(key as Any)")
        try law((script != nil) == (key != nil), "both taproot sighashes exist under the same conditions")
        if let key, let script { try law(key != script, "key path and script path sign different hashes") }
      }
    }
  }
}
