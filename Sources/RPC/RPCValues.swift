public import Bitcoin
public import Encoding
internal import JSON
public import Secp256k1

/// An amount where words are allowed too.
public enum RPCAmount: Hashable, Sendable {
  case exactly(MilliSatoshi)
  case all
  case any
}

/// Which channel, or all channels with a peer.
public enum RPCChannel: Hashable, Sendable {
  case peer(PublicKey)
  case channelID(Bytes32)
  case shortChannelID(ShortChannelID)
}

/// A fee rate as Core Lightning lets it be given.
public enum RPCFeeRate: Hashable, Sendable {
  /// A word such as `normal`, `slow`, `urgent`, `opening`.
  case named(String)
  case exactly(FeeRate)
  /// Whatever confirms within so many blocks.
  case blocks(UInt32)

  static let names = [
    "slow", "normal", "urgent", "minimum", "opening", "mutual_close", "unilateral_close", "penalty",
  ]

  init?(_ value: JSONValue) {
    if let number = value.unsignedValue {
      guard let rate = Self.rate(number, "perkb") else { return nil }
      self = rate
      return
    }
    guard let text = value.stringValue else { return nil }
    if Self.names.contains(text) {
      self = .named(text)
      return
    }
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let number = UInt64(digits), let rate = Self.rate(number, String(text.dropFirst(digits.count))) else {
      return nil
    }
    self = rate
  }

  private static func rate(_ number: UInt64, _ unit: String) -> RPCFeeRate? {
    switch unit {
    case "perkw": UInt32(exactly: number).map { .exactly(FeeRate(satPerKiloWeight: $0)) }
    // Four weight units to a vbyte, rounded up so that the rate is not below what was asked for.
    case "perkb", "":
      UInt32(exactly: number / 4 + (number % 4 == 0 ? 0 : 1)).map { .exactly(FeeRate(satPerKiloWeight: $0)) }
    case "blocks", "block": UInt32(exactly: number).flatMap { $0 > 0 ? .blocks($0) : nil }
    default: nil
    }
  }
}
