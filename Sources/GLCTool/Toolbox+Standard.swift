extension Toolbox {
  /// All that the library has to offer.
  public static let standard = Toolbox([
    .transactions, .scripts, .psbts, .addresses, .keys, .signatures, .muSig, .adaptors, .ciphers, .shachains, .channels,
    .stacks,
    .messages, .onions, .failures, .blindedPaths, .noise, .invoices,
  ])
}
