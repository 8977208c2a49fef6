internal import Bitcoin
internal import Encoding
internal import Secp256k1

extension FuzzTarget {
  static let psbt = FuzzTarget(
    "psbt", dictionary: ["psbt"],
    seeds: { Sample.psbts.map(\.encoded) },
    run: { input throws(Violation) in
      guard let psbt = try? PSBT(decoding: input) else { return .refused }
      let encoded = psbt.encoded
      guard let again = try? PSBT(decoding: encoded) else {
        throw Violation(description: "own encoding is read: \(Hex.encode(encoded))")
      }
      try law(again == psbt, "a PSBT is read as it was written: \(Hex.encode(encoded))")
      try law(again.encoded == encoded, "encoding is deterministic")
      try law((try? PSBT(base64: psbt.base64)) == psbt, "Base64 holds the same")
      try checkCombining(psbt)
      try checkConversion(psbt)
      try checkRoles(psbt)
      return .accepted
    })

  private static func checkCombining(_ psbt: PSBT) throws(Violation) {
    guard let combined = try? PSBT.combining([psbt, psbt], conflicts: .refuse) else {
      try law((try? psbt.uniqueID()) == nil, "a PSBT combines with itself")
      return
    }
    try law(combined == psbt, "combined with itself it stays the same")
  }

  private static func checkConversion(_ psbt: PSBT) throws(Violation) {
    let transaction = try? psbt.unsignedTransaction()
    for version in [PSBT.Version.v0, .v2] {
      guard let converted = try? psbt.converted(to: version) else { continue }
      try law(converted.version == version, "it has the version that was asked for")
      try law((try? converted.unsignedTransaction()) == transaction, "the transaction is the same in both versions")
      let read = try? PSBT(decoding: converted.encoded)
      try law(read == converted, "a converted PSBT is read as it was written: \(Hex.encode(converted.encoded))")
    }
  }

  /// No role traps, and none changes the transaction.
  private static func checkRoles(_ psbt: PSBT) throws(Violation) {
    let transaction = try? psbt.unsignedTransaction()
    _ = try? psbt.fee()
    for index in psbt.inputs.indices.prefix(4) { _ = try? psbt.musig2Targets(input: index) }
    var signed = psbt
    for number: UInt8 in [1, 6] {
      guard let key = Sample.secretKey(number) else { continue }
      var options = PSBT.SigningOptions()
      options.auxRand = Bytes32()
      options.grindLowR = false
      _ = try? signed.sign(with: key, options: options)
    }
    _ = try? signed.finalize()
    try law((try? signed.unsignedTransaction()) == transaction, "signing and finalising leave the transaction as it is")
    try law((try? PSBT(decoding: signed.encoded)) == signed, "what the roles make can be written and read")
    guard signed.isComplete, let extracted = try? signed.extractTransaction() else { return }
    var stripped = extracted
    for index in stripped.inputs.indices {
      stripped.inputs[index].scriptSig = Script()
      stripped.inputs[index].witness = Witness()
    }
    try law(stripped == transaction, "the extracted transaction is the unsigned one with its scripts")
  }
}
