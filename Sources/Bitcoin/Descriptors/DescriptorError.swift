/// Why a text is no output descriptor, or has no script at an index.
public enum DescriptorError: Error, Hashable, Sendable {
  // Text.
  /// Longer than any descriptor needs.
  case tooLong
  /// A character outside BIP 380's character set, at this offset.
  case invalidCharacter(at: Int)
  /// `#` stands more than once, or has not 8 characters behind it.
  case malformedChecksum
  case checksumMismatch(expected: String)
  case missingChecksum
  /// Not the name of a function, or not a function where one is needed.
  case unknownFunction(String)
  /// A function inside of another that does not take it.
  case notAllowedHere(String)
  /// A character that does not belong into this function.
  case syntax(in: String)

  // Keys.
  case invalidKey(String)
  /// In `wpkh`, `wsh`, `tr`.
  case uncompressedKey
  case malformedOrigin
  /// Not `NUM`, `NUMh`, `NUM'`, a last `*`, `*h` or `*'`, or one `<NUM;NUM…>`; or more steps than BIP 32 has levels.
  case malformedPath
  case multipathLengthsDiffer
  /// A key that has no children, with a path behind it.
  case derivationOfPlainKey

  // musig.
  case malformedMusig
  /// BIP 390: only inside of `tr` and `rawtr`, and not inside of another.
  case musigNotAllowed
  /// BIP 390: with a path behind `musig()` all participants are extended keys.
  case musigDerivationNeedsExtendedKeys
  /// BIP 390: participants have no `/*` when there is a path behind `musig()`.
  case musigRangedTwice
  case musigMultipathTwice
  case musigHardened
  /// The keys cancel each other out.
  case musigInfinity

  // Scripts.
  case invalidThreshold
  case tooManyKeys(limit: Int)
  /// A redeem script of more than 520 bytes.
  case scriptTooLarge
  /// More than 128 levels of braces.
  case treeTooDeep
  case invalidAddress(AddressError)
  case invalidScriptHex
  /// Not a miniscript, or not a sane one.
  case miniscript(MiniscriptError)

  // Derivation.
  /// A hardened step from a key that is known without its secret.
  case hardenedDerivationNeedsSecretKey
  case derivation(ExtendedKeyError)
  case taproot(TaprootError)
  /// Indices are below 2³¹, the first not above the last, and at most 1,000,000.
  case invalidRange
  /// A descriptor with `/*` without a range, or one without with a range.
  case rangeMissing
  case rangeNotAllowed
  /// Several descriptors in one: see `Descriptor.expandingMultipath`.
  case multipath
}
