public import Encoding

/// Why an offer, an invoice request or an invoice must not be answered or paid (BOLT 12).
public enum Bolt12Error: Error, Hashable, Sendable {
  /// Not the text of a TLV stream with a prefix of BOLT 12.
  case text(DecodingError)
  /// Another kind than the one asked for.
  case wrongKind(Bolt12Text.Kind)
  /// An even type that is not known here.
  case unknownEvenType(UInt64)
  /// A type that may not stand in this kind.
  case forbiddenType(UInt64)
  /// A field that cannot be read as its type demands.
  case malformedField(UInt64, DecodingError)
  case missingField(UInt64)
  /// A field that reads well but breaks a rule.
  case invalidField(UInt64, StaticReason)
  /// An even bit that is not known, in the features of this type.
  case unknownFeature(UInt64, bit: Int)
  case invalidSignature
}

extension Bolt12Error: CustomStringConvertible {
  public var description: String {
    switch self {
    case .text(let error): "not a text of BOLT 12: \(error)"
    case .wrongKind(let kind): "the prefix is \(kind.rawValue)"
    case .unknownEvenType(let type): "unknown even type \(type)"
    case .forbiddenType(let type): "type \(type) does not belong here"
    case .malformedField(let type, let error): "\(Bolt12Fields.name(type)): \(error)"
    case .missingField(let type): "no \(Bolt12Fields.name(type))"
    case .invalidField(let type, let reason): "\(Bolt12Fields.name(type)): \(reason)"
    case .unknownFeature(let type, let bit): "\(Bolt12Fields.name(type)) requires the unknown feature \(bit)"
    case .invalidSignature: "the signature is not valid"
    }
  }
}
