public import Bitcoin

/// What the network relays (Bitcoin Core's policy).
public enum RelayPolicy {
  /// The least that an output of this script may hold, at the usual 3 sat/vbyte: what spending it would cost, with what it costs to make.
  /// 330 for P2TR and P2WSH, 294 for P2WPKH, 546 for P2PKH, 540 for P2SH, 240 for P2A, 0 for OP_RETURN.
  public static func dustThreshold(of script: Script) -> Satoshi {
    if script.bytes.first == Opcode.return.rawValue || script.count > 10_000 { return .zero }
    let size = UInt64(8 + (script.count < 0xfd ? 1 : 3) + script.count)
    // Core: outpoint, sequence and empty script, and 107 bytes of signature and key, which count a quarter in a witness.
    let spending: UInt64 = script.witnessProgram == nil ? 148 : 32 + 4 + 1 + 107 / 4 + 4
    return Satoshi((size + spending) * 3)
  }

  /// In weight units: heavier transactions are not relayed.
  public static let maximumWeight = Weight(400_000)
}

extension FeeRate {
  /// What this weight costs, rounded up: rounding down would fall below the rate.
  func feeRoundedUp(for weight: Weight) -> Satoshi? {
    let (high, low) = UInt64(satPerKiloWeight).multipliedFullWidth(by: weight.rawValue)
    guard high == 0 else { return nil }
    return Satoshi(low / 1000 + (low % 1000 == 0 ? 0 : 1))
  }
}

extension Transaction {
  /// The weight when every input has a witness of this weight, in weight units.
  func weight(witnesses: [Weight]) -> Weight {
    // BIP 141: marker and flag.
    Weight(UInt64(baseSize) * 4 + 2 + witnesses.reduce(0) { $0 + $1.rawValue })
  }
}
