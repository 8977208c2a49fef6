public import Encoding

/// A Bitcoin script: bytes that may or may not be a valid program.
public struct Script: Hashable, Sendable, CustomStringConvertible {
  public var bytes: [UInt8]

  public init(_ bytes: [UInt8] = []) { self.bytes = bytes }

  public init(hex: String) throws(DecodingError) { bytes = try Hex.decode(hex) }

  public var count: Int { bytes.count }
  public var isEmpty: Bool { bytes.isEmpty }
  public var hex: String { Hex.encode(bytes) }
  public var description: String { hex }
}

/// The stack that an input brings along (BIP 141), bottom first.
public struct Witness: Hashable, Sendable, ExpressibleByArrayLiteral {
  public var elements: [[UInt8]]

  public init(_ elements: [[UInt8]] = []) { self.elements = elements }
  public init(arrayLiteral elements: [UInt8]...) { self.elements = elements }

  public var isEmpty: Bool { elements.isEmpty }
  public var count: Int { elements.count }
}
