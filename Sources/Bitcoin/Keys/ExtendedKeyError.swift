public import Encoding

/// Why an extended key (BIP 32) cannot be read or derived.
public enum ExtendedKeyError: Error, Hashable, Sendable {
  /// Not Base58Check of 78 bytes.
  case invalidText(DecodingError)
  /// Version bytes that BIP 32 does not define.
  case unknownVersion(UInt32)
  /// Version bytes of SLIP 132 (`ypub`, `zprv`, …), which put a script type into the key. Descriptors say it instead: see
  /// `ExtendedPublicKey.replacingSLIP132Version`.
  case slip132Version(UInt32)
  /// A public key where a secret one is wanted.
  case publicKeyWhereSecretExpected
  /// A secret key where a public one is wanted.
  case secretKeyWherePublicExpected
  /// A first byte that does not fit the version, a number that is no secret key, or bytes that are no point.
  case invalidKey
  /// A master key (depth 0) has neither parent nor number.
  case nonzeroParentAtDepthZero
  case nonzeroNumberAtDepthZero
  /// Not 16 to 64 bytes of seed.
  case invalidSeedLength(Int)
  /// A number that has no key. BIP 32: one should proceed with the next value (probability lower than 1 in 2¹²⁷).
  case invalidChild
  /// A hardened child of a public key: only the secret key has one.
  case hardenedChildOfPublicKey
  /// Below depth 255.
  case tooDeep
  /// Not steps of the form `0`, `0h` or `0'`, separated by `/`.
  case malformedPath
}
