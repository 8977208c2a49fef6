public import Bitcoin

/// Where a party wants its share when the channel is closed together (BOLT 2 §Closing Initiation: `shutdown`).
public enum ShutdownScript: String, Hashable, Sendable {
  case p2wpkh
  case p2wsh
  /// Witness versions 1 to 16: needs `option_shutdown_anysegwit`.
  case anySegwit = "any_segwit"
  /// An amount of zero behind data: needs `option_simple_close`.
  case opReturn = "op_return"

  /// The form of a script that BOLT 2 lists; nil for any other.
  public init?(_ script: Script) {
    let bytes = script.bytes
    switch (bytes.count, bytes.first) {
    // 1. `OP_0` `20` 20-bytes
    case (22, 0x00) where bytes[1] == 20: self = .p2wpkh
    // 2. `OP_0` `32` 32-bytes
    case (34, 0x00) where bytes[1] == 32: self = .p2wsh
    // 3. `OP_1` through `OP_16` inclusive, followed by a single push of 2 to 40 bytes
    case (4...42, .some(0x51...0x60)) where Int(bytes[1]) == bytes.count - 2: self = .anySegwit
    // 4. `OP_RETURN` followed by `6` to `75` inclusive followed by exactly that many bytes
    case (8...77, 0x6a) where (6...75).contains(bytes[1]) && Int(bytes[1]) == bytes.count - 2: self = .opReturn
    // … or `76` followed by `76` to `80` followed by exactly that many bytes
    case (79...83, 0x6a) where bytes[1] == 76 && (76...80).contains(bytes[2]) && Int(bytes[2]) == bytes.count - 3:
      self = .opReturn
    default: return nil
    }
  }

  /// The feature that must have been negotiated, by its even bit (BOLT 9).
  public var requiredFeature: (bit: Int, name: String)? {
    switch self {
    case .p2wpkh, .p2wsh: nil
    case .anySegwit: (26, "option_shutdown_anysegwit")
    case .opReturn: (60, "option_simple_close")
    }
  }

  /// Whether it may be used when these bits, of either kind, were negotiated.
  public func isAllowed(features: Set<Int>) -> Bool {
    guard let required = requiredFeature else { return true }
    return features.contains(required.bit) || features.contains(required.bit + 1)
  }
}
