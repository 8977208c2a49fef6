public import Encoding

/// A double SHA-256 that people write backwards: `description` and `init(display:)` use the reversed order.
public protocol ReversedHash: TypedBytes where Raw == Bytes32 {}

extension ReversedHash {
  /// Lower-case hex in display order, the bytes reversed.
  public var description: String { Hex.encode([UInt8](raw.array.reversed())) }

  /// Reads 64 hex digits in display order.
  public init(display text: some StringProtocol) throws(DecodingError) {
    let bytes: [UInt8] = try Hex.decode(text).reversed()
    self.init(try Bytes32(bytes))
  }
}

/// A transaction's id: the double SHA-256 of its form without witness.
public struct TxID: ReversedHash {
  public let raw: Bytes32
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }
  public init(_ raw: Bytes32) { self.raw = raw }
}

/// A transaction's witness id: the double SHA-256 of its whole form (BIP 141).
public struct WitnessTxID: ReversedHash {
  public let raw: Bytes32
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }
  public init(_ raw: Bytes32) { self.raw = raw }
}

/// The double SHA-256 of a block's header.
public struct BlockHash: ReversedHash {
  public let raw: Bytes32
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }
  public init(_ raw: Bytes32) { self.raw = raw }
}

/// One output of one transaction.
public struct OutPoint: Hashable, Comparable, Sendable, CustomStringConvertible {
  public var txid: TxID
  public var vout: UInt32

  public init(txid: TxID, vout: UInt32) {
    self.txid = txid
    self.vout = vout
  }

  /// What the input of a coinbase transaction points at.
  public static let null = OutPoint(txid: TxID(Bytes32()), vout: .max)

  public static func < (a: Self, b: Self) -> Bool { a.txid == b.txid ? a.vout < b.vout : a.txid < b.txid }
  public var description: String { "\(txid):\(vout)" }
}
