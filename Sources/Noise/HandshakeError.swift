/// Why a handshake ended. BOLT 8: "If a MAC check ever fails during the handshake process, then the connection is to be immediately
/// terminated." The same holds for every other case: nothing is sent, the connection is closed.
public struct HandshakeError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The message that was refused.
  public enum Act: Int, Hashable, Sendable {
    case one = 1
    case two, three

    /// 50, 50 and 66 bytes.
    public var byteCount: Int { self == .three ? 66 : 50 }
  }

  public enum Reason: Hashable, Sendable {
    /// Not exactly as many bytes as the act has.
    case wrongLength(Int)
    /// BOLT 8: "Clients MUST reject handshake attempts initiated with an unknown version."
    case badVersion(UInt8)
    /// Not the compressed form of a point on the curve.
    case badPublicKey
    /// The tag of the encrypted static key is wrong (act three alone).
    case badCiphertext
    /// The act's own tag is wrong: in act one, the initiator does not know our node id.
    case badTag
  }

  public let act: Act
  public let reason: Reason

  public init(act: Act, reason: Reason) {
    self.act = act
    self.reason = reason
  }

  /// The name that BOLT 8's test vectors give the failure, such as `ACT2_BAD_TAG`.
  public var description: String {
    let what =
      switch reason {
      case .wrongLength: "READ_FAILED"
      case .badVersion: "BAD_VERSION"
      case .badPublicKey: "BAD_PUBKEY"
      case .badCiphertext: "BAD_CIPHERTEXT"
      case .badTag: "BAD_TAG"
      }
    return "ACT\(act.rawValue)_\(what)"
  }
}
