extension Toolbox {
  /// All that the library has to offer.
  public static let standard = Toolbox([
    .transactions, .scripts, .addresses, .signatures, .muSig, .adaptors, .ciphers, .shachains, .channels,
  ])
}
