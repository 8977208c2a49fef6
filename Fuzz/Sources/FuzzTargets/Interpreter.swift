internal import Bitcoin
internal import Encoding

extension FuzzTarget {
  /// Scripts under any flags: four bytes of flags, eight of amount, scriptSig, scriptPubKey and witness, each with its length.
  static let interpreter = FuzzTarget(
    "interpreter",
    seeds: { Sample.spends },
    run: { input throws(Violation) in
      var reader = ByteReader(input)
      guard let flags = try? reader.readUInt32LE(), let amount = try? reader.readUInt64LE(),
        let scriptSig = try? reader.readCompactSizedBytes().array,
        let scriptPubKey = try? reader.readCompactSizedBytes().array, let witness = try? Witness(from: &reader)
      else { return .refused }
      let (transaction, spent) = ScriptVerifier.creditedSpend(
        scriptSig: Script(scriptSig), scriptPubKey: Script(scriptPubKey), witness: witness, amount: Satoshi(amount))
      return try checkSpend(of: transaction, spending: [spent], flags: ScriptFlags(rawValue: flags))
    })

  /// Whole transactions: four bytes of flags, the transaction, and an output for each input.
  static let spend = FuzzTarget(
    "spend",
    seeds: {
      Sample.spends.compactMap { seed in
        var reader = ByteReader(seed.bytes)
        guard let flags = try? reader.readUInt32LE(), let amount = try? reader.readUInt64LE(),
          let scriptSig = try? reader.readCompactSizedBytes().array,
          let scriptPubKey = try? reader.readCompactSizedBytes().array, let witness = try? Witness(from: &reader)
        else { return nil }
        let (transaction, spent) = ScriptVerifier.creditedSpend(
          scriptSig: Script(scriptSig), scriptPubKey: Script(scriptPubKey), witness: witness, amount: Satoshi(amount))
        var writer = ByteWriter()
        writer.writeLE(flags)
        transaction.encode(to: &writer)
        spent.encode(to: &writer)
        return writer.bytes
      }
    },
    run: { input throws(Violation) in
      var reader = ByteReader(input)
      guard let flags = try? reader.readUInt32LE(), let transaction = try? Transaction(from: &reader) else {
        return .refused
      }
      var spent: [TxOutput] = []
      for _ in transaction.inputs {
        guard let output = try? TxOutput(from: &reader) else { return .refused }
        spent.append(output)
      }
      try checkRules(transaction, spending: spent)
      return try checkSpend(of: transaction, spending: spent, flags: ScriptFlags(rawValue: flags))
    })

  private static func checkSpend(
    of transaction: Transaction, spending spent: [TxOutput], flags: ScriptFlags
  ) throws(Violation) -> Outcome {
    let parts = SighashParts(transaction, spentOutputs: spent)
    let cache = SignatureCache(capacity: 16)
    var outcome = Outcome.refused
    for index in transaction.inputs.indices.prefix(8) {
      func verify(_ flags: ScriptFlags, parts: SighashParts?, cache: SignatureCache?) -> ScriptError? {
        do throws(ScriptError) {
          try ScriptVerifier.verify(
            input: index, of: transaction, spending: spent, flags: flags, parts: parts, cache: cache)
          return nil
        } catch {
          return error
        }
      }
      let error = verify(flags, parts: nil, cache: nil)
      try law(verify(flags, parts: parts, cache: cache) == error, "parts made before change nothing")
      try law(verify(flags, parts: parts, cache: cache) == error, "a cache changes nothing: \(error as Any)")
      guard error == nil else { continue }
      outcome = .accepted
      // Flags only ever forbid: what is valid under many is valid under fewer.
      guard flags.isCoherent else { continue }
      for fewer in [
        ScriptFlags.none, flags.intersection(.consensus), flags.intersection([.p2sh, .derSig, .nullDummy]),
      ]
      where fewer.isCoherent {
        let error = verify(fewer, parts: parts, cache: nil)
        try law(error == nil, "valid under \(flags), \(error as Any) under \(fewer)")
      }
    }
    return outcome
  }

  private static func checkRules(_ transaction: Transaction, spending spent: [TxOutput]) throws(Violation) {
    guard (try? TransactionRules.check(transaction)) != nil else { return }
    try law(Set(transaction.inputs.map(\.previousOutput)).count == transaction.inputs.count, "no output is spent twice")
    if let fee = try? TransactionRules.fee(of: transaction, spending: spent) {
      try law(fee.isInMoneyRange, "a fee is no more than there is: \(fee)")
    }
    _ = TransactionRules.isFinal(transaction, height: transaction.lockTime, time: Int64(transaction.version) << 31)
    let lock = TransactionRules.relativeLock(
      of: transaction,
      confirmations: transaction.inputs.map { ($0.sequence, Int64(bitPattern: UInt64($0.previousOutput.vout) << 33)) })
    try law(lock != nil, "a lock for as many confirmations as inputs")
  }
}
