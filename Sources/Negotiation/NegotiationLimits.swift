public import Bitcoin

/// What a peer can cost at most.
public enum NegotiationLimits {
  /// The largest message in one piece, type included (BOLT 8).
  public static let message = 65_535
  /// What one part carries, at most: type, negotiation, number, index and count stand before it.
  public static let part = 65_000
  /// A message in parts, all together.
  public static let whole = 1 << 20
  public static let parts = (whole + part - 1) / part
  /// Negotiations under way with one peer.
  public static let perPeer = 4
  /// Proposals in one negotiation, of both sides together.
  public static let rounds: UInt8 = 16
  /// BOLT 2 §Interactive Transaction Construction: there are more than 252 inputs, or more than 252 outputs.
  public static let inputs = 252
  public static let outputs = 252
  /// MAX_STANDARD_TX_WEIGHT.
  public static let weight = Weight(400_000)
  /// Parts in one catalogue.
  public static let catalogue = 256
  /// Seconds that an answer may take before it is signed.
  public static let secondsPerTurn = 60
  /// Blocks after which a funding whose signatures we have not given is given up.
  public static let blocksUntilExpiry: UInt32 = 144
}
