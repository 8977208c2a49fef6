internal import Encoding

/// A point that may be infinity, with arithmetic in variable time: for public values alone.
struct GroupElement: Equatable {
  /// Nil is infinity.
  let point: PublicKey?

  init(_ point: PublicKey?) { self.point = point }

  static let infinity = GroupElement(nil)
  static let generator = GroupElement(.generator)

  static func + (a: Self, b: Self) -> Self {
    guard let p = a.point else { return b }
    guard let q = b.point else { return a }
    return Self(try? p + q)
  }

  static prefix func - (a: Self) -> Self { Self(a.point?.negated()) }
  static func - (a: Self, b: Self) -> Self { a + -b }

  static func * (factor: borrowing Scalar, a: Self) -> Self {
    // Fails for 0 alone, which makes infinity of any point.
    Self(try? a.point?.multiplied(by: factor.bytes))
  }

  func negated(if condition: Bool) -> Self { condition ? -self : self }

  /// a · P + g · G.
  static func combination(_ a: borrowing Scalar, _ point: PublicKey, generator g: borrowing Scalar) -> Self {
    guard let product = try? point.multiplied(by: a.bytes) else { return g * .generator }
    // Fails when the sum is infinity alone.
    return Self(try? product.adding(g.bytes))
  }
}

extension GroupElement {
  /// `cbytes_ext` of BIP 327: the compressed point, or 33 zero bytes for infinity.
  var extendedBytes: Bytes33 { point?.compressed ?? Bytes33() }

  /// `cpoint_ext` of BIP 327. Nil when the bytes are neither a compressed point nor all zero.
  init?(extendedBytes bytes: RawSpan) {
    if bytes.byteCount == 33, bytes.elementsEqual(Bytes33().bytes) {
      self = .infinity
    } else if let point = try? PublicKey(copying: bytes) {
      self.init(point)
    } else {
      return nil
    }
  }
}
