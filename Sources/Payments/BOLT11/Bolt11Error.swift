public import Encoding
public import Wire

/// Why a text is no invoice that may be paid (BOLT 11), or contents none that may be signed.
public enum Bolt11Error: Error, Hashable, Sendable {
  /// Not Bech32.
  case notBech32(DecodingError)
  /// The checksum is Bech32m's.
  case bech32m
  /// Not `ln` and the prefix of a network that we know.
  case unknownPrefix(String)
  case amount(Bolt11AmountError)
  /// No room for a timestamp and a signature.
  case tooShort
  /// The last field ends after its invoice.
  case truncatedField
  /// A field that cannot be read as its type demands.
  case malformedField(TaggedField.Tag, DecodingError)
  /// A second field of a type that an invoice has once.
  case duplicateField(TaggedField.Tag)
  /// No valid `p` or `s`.
  case missingField(TaggedField.Tag)
  case noDescription
  /// `d` and `h`.
  case twoDescriptions
  /// A payment point (`z`) whose hash is not in the `p` field.
  case wrongPointHash
  /// Features that are required and unknown, or incomplete.
  case features(FeatureError)
  /// Not two numbers below the order of the curve with a recovery id, or no key can have made it.
  case invalidSignature
  /// With an `n` field s must be low.
  case highS
  /// The signature is not that of the key in the `n` field.
  case wrongSigner
  /// The fields do not say what the contents say (writing).
  case inconsistentFields
  /// More than 35 bits (writing).
  case timestampTooLarge
  /// More than 1,023 values of 5 bits (writing).
  case fieldTooLong(TaggedField.Tag)
}

extension Bolt11Error: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notBech32(let error): "not Bech32: \(error)"
    case .bech32m: "the checksum is Bech32m's"
    case .unknownPrefix(let prefix): "unknown prefix \(prefix.prefix(20))"
    case .amount(.noNumber): "the amount has no number"
    case .amount(.unknownMultiplier): "the amount is not digits and one of the multipliers m, u, n, p"
    case .amount(.leadingZero): "the amount begins with 0"
    case .amount(.subMillisatoshi): "the amount is not a whole number of millisatoshi"
    case .amount(.tooLarge): "the amount is more than 21 million BTC"
    case .tooShort: "too short for a timestamp and a signature"
    case .truncatedField: "the last field is cut off"
    case .malformedField(let tag, let error): "field \(tag): \(error)"
    case .duplicateField(let tag): "a second field \(tag)"
    case .missingField(let tag): "no valid field \(tag)"
    case .noDescription: "neither a description (d) nor its hash (h)"
    case .twoDescriptions: "both a description (d) and a hash of one (h)"
    case .wrongPointHash: "the hash in field p is not that of the payment point in field z"
    case .features(let error): "features: \(error)"
    case .invalidSignature: "no public key can be recovered from the signature"
    case .highS: "the signature's s is high, which is not allowed with an n field"
    case .wrongSigner: "the signature is not that of the key in the n field"
    case .inconsistentFields: "the fields do not say what the contents say"
    case .timestampTooLarge: "the timestamp has more than 35 bits"
    case .fieldTooLong(let tag): "field \(tag) is longer than 1,023 values of 5 bits"
    }
  }
}
