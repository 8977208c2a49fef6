public import Encoding
public import GLC

/// Why a negotiation ends without a channel: who refuses says which extensions it is about, and why.
public struct Refusal: Error, Hashable, Sendable {
  /// What it is about. Codes of later versions survive.
  public struct Code: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The extensions that are named must be understood, and are not known.
    public static let unknownParts = Code(rawValue: 1)
    /// There is nothing to agree on with the extension that is named.
    public static let parameters = Code(rawValue: 2)
    /// The parts do not fit together.
    public static let stack = Code(rawValue: 3)
    /// What a party says of itself or asks of the other.
    public static let terms = Code(rawValue: 4)
    /// Fee rates, amounts, announcement: what the inquiry asks for.
    public static let deal = Code(rawValue: 5)
    /// A rule about what is added to the funding transaction.
    public static let funding = Code(rawValue: 6)
    /// Made again here, a PSBT has other bytes.
    public static let differs = Code(rawValue: 7)
    public static let signature = Code(rawValue: 8)
    /// The proposals went to and fro too often.
    public static let rounds = Code(rawValue: 9)
    /// As many negotiations as a peer may have are under way, or the chain gives no answer at the moment.
    public static let busy = Code(rawValue: 10)
    public static let chain = Code(rawValue: 11)
    public static let version = Code(rawValue: 12)
    /// A message out of turn, or one that cannot be read.
    public static let `protocol` = Code(rawValue: 13)
    /// Somebody does not want it any more.
    public static let cancelled = Code(rawValue: 14)
    public static let timedOut = Code(rawValue: 15)
    /// The negotiation is not known (any more).
    public static let unknown = Code(rawValue: 16)
    /// An input that is spent already, not in a block, or not there at all.
    public static let input = Code(rawValue: 17)

    static let names: [(Code, String)] = [
      (.unknownParts, "unknown-parts"), (.parameters, "parameters"), (.stack, "stack"), (.terms, "terms"),
      (.deal, "deal"), (.funding, "funding"), (.differs, "differs"), (.signature, "signature"), (.rounds, "rounds"),
      (.busy, "busy"), (.chain, "chain"), (.version, "version"), (.protocol, "protocol"), (.cancelled, "cancelled"),
      (.timedOut, "timed-out"), (.unknown, "unknown"),
      (.input, "input"),
    ]

    public var name: String { Self.names.first { $0.0 == self }?.1 ?? "code-\(rawValue)" }
  }

  public var code: Code
  /// Those that it is about, at most 64.
  public var extensions: [ExtensionID]
  /// For people, at most 400 bytes of UTF-8.
  public var reason: String

  static let mostExtensions = 64
  static let mostText = 400

  public init(_ code: Code, extensions: [ExtensionID] = [], _ reason: String) {
    self.code = code
    self.extensions = Array(extensions.prefix(Self.mostExtensions))
    self.reason = String(decoding: reason.utf8.prefix(Self.mostText), as: UTF8.self)
  }

  /// What cannot be composed.
  init(_ error: ComposingError) {
    switch error {
    case .unknown(let ids): self.init(.unknownParts, extensions: ids, "\(error)")
    case .missingParameters(let id), .malformed(let id, _), .refused(let id, _):
      self.init(.parameters, extensions: [id], "\(error)")
    case .stack: self.init(.stack, "\(error)")
    }
  }
}

extension Refusal: CustomStringConvertible {
  public var description: String {
    let about = extensions.isEmpty ? "" : " (" + extensions.map { "\($0)" }.joined(separator: ", ") + ")"
    return "\(code.name)\(about): \(reason)"
  }
}

extension Refusal: BinaryCodable {
  public init(from reader: inout ByteReader) throws(DecodingError) {
    code = Code(rawValue: try reader.readUInt16())
    let count = Int(try reader.readUInt8())
    guard count <= Self.mostExtensions else { throw .malformed("too many extensions") }
    extensions = []
    for _ in 0..<count { extensions.append(ExtensionID(rawValue: try reader.readUInt16())) }
    let text = try reader.readSized(atMost: Self.mostText)
    reason = String(decoding: text, as: UTF8.self)
  }

  public func encode(to writer: inout ByteWriter) {
    writer.write(code.rawValue)
    writer.write(UInt8(clamping: extensions.count))
    for id in extensions { writer.write(id.rawValue) }
    writer.writeBigSized(Array(reason.utf8.prefix(Self.mostText)))
  }
}
