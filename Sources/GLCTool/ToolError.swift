/// Why an operation was not carried out: a stable code for programs, a message for people.
public struct ToolError: Error, Hashable, Sendable {
  public let code: Code
  /// What is wrong.
  let reason: String
  /// Which value is meant: `prevouts[2].script_pubkey`; empty when it is the whole.
  private var path = ""

  public init(_ code: Code, _ reason: String) {
    self.code = code
    self.reason = reason
  }

  public var message: String { path.isEmpty ? reason : "\(path): \(reason)" }

  /// The word that stands in `error.code`. The names here are the ones that any operation may answer with; an operation
  /// of a protocol that has names for its errors uses those.
  public struct Code: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public init(stringLiteral value: String) { rawValue = value }

    /// There is no operation of this name.
    public static let unknownOperation: Code = "unknown_op"
    /// The operation has no parameter of this name.
    public static let unknownParameter: Code = "unknown_param"
    /// A parameter that the operation needs is absent or null.
    public static let missingParameter: Code = "missing_param"

    /// The input is not JSON.
    public static let badJSON: Code = "bad_json"
    /// The input is JSON, but no request.
    public static let badRequest: Code = "bad_request"
    /// The input is longer than the command reads.
    public static let tooLong: Code = "too_long"
    /// A value of another JSON type than the parameter's.
    public static let badType: Code = "bad_type"
    /// Text that is not hex.
    public static let badHex: Code = "bad_hex"
    /// Another number of bytes than the parameter has.
    public static let badLength: Code = "bad_length"
    /// A value that the parameter cannot have, or that does not fit the others.
    public static let badValue: Code = "bad_value"
    /// Not from 1 to n − 1.
    public static let badSecretKey: Code = "bad_seckey"
    /// Not a point on the curve.
    public static let badPublicKey: Code = "bad_pubkey"
    /// Not the encoding of a signature of this kind.
    public static let badSignature: Code = "bad_signature"
    /// Not a transaction.
    public static let badTransaction: Code = "bad_tx"
    /// The transaction has no input of this index.
    public static let badIndex: Code = "bad_index"
  }

  /// The same error about a part of a larger value: `script_pubkey` in `[2]` in `prevouts`.
  func within(_ part: String) -> ToolError {
    var error = self
    error.path = part + (path.isEmpty || path.hasPrefix("[") ? "" : ".") + path
    return error
  }
}

/// A name from outside as it may stand in a message: quoted, and cut when it is long.
func quoted(_ name: String) -> String { name.utf8.count <= 60 ? "\"\(name)\"" : "\"\(name.prefix(40))…\"" }
