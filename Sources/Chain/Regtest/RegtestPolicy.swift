/// What the embedded chain takes into its mempool and its blocks. The defaults are those of Bitcoin Core 29.0, where the relay minimum
/// is still 1 sat/vbyte; rates are in satoshi per 1000 vbytes.
public struct RegtestPolicy: Hashable, Sendable {
  /// Bitcoin Core's `minrelaytxfee`.
  public var minimumRelayRate: UInt64 = 1000
  /// Bitcoin Core's `incrementalrelayfee`: what a replacement pays for its own relay.
  public var incrementalRelayRate: UInt64 = 1000
  /// Bitcoin Core's `dustrelayfee`: an output is dust when spending it at this rate would cost more than a third of it.
  public var dustRelayRate: UInt64 = 3000
  /// Bitcoin Core's `datacarriersize`: the longest OP_RETURN script, in bytes.
  public var maximumDataCarrierSize = 83
  /// Blocks take only what pays this together with its unconfirmed ancestors: a rising fee market, when raised. What is below stays in
  /// the mempool.
  public var minimumBlockRate: UInt64 = 0
  /// In weight units, of the 4,000,000 that consensus allows.
  public var maximumBlockWeight = 4_000_000

  public init() {}

  // MARK: Limits that nobody has changed in a decade

  static let maximumStandardWeight: UInt64 = 400_000
  static let maximumScriptSigSize = 1650
  /// CVE-2017-12842: 64 bytes without witness could be an inner node of a merkle tree.
  static let minimumNonWitnessSize = 65
  static let maximumStandardSigopCost = 16_000
  static let bytesPerSigop = 20
  /// Unconfirmed ancestors or descendants of a transaction, itself included; in vbytes for the size.
  static let chainCount = 25
  static let chainSize: UInt64 = 101_000
  /// BIP 125 rule 5.
  static let maximumReplacements = 100
  static let maximumPackageCount = 25
  static let maximumPackageWeight: UInt64 = 404_000
  /// In vbytes.
  static let maximumMempoolSize: UInt64 = 100_000_000

  /// ⌈rate · size / 1000⌉, in satoshi.
  static func fee(rate: UInt64, size: UInt64) -> UInt64 {
    let (product, overflow) = rate.multipliedReportingOverflow(by: size)
    return overflow ? .max : product / 1000 + (product % 1000 == 0 ? 0 : 1)
  }
}
