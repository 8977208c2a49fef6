import Encoding
import Secp256k1
import Testing

@Suite struct ScalarTests {
  static let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"

  /// Numbers around every bound, and random ones.
  static func samples() throws -> [Bytes32] {
    var random = SeededGenerator(state: 11)
    let edges = [
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0000000000000000000000000000000000000000000000000000000000000001",
      "0000000000000000000000000000000000000000000000000000000000000002",
      "000000000000000000000000000000000000000000000000ffffffffffffffff",
      "0000000000000000000000000000000100000000000000000000000000000000",
      "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0",
      "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1",
      "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140",
      "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd036413f",
      "fffffffffffffffffffffffffffffffe00000000000000000000000000000000",
    ]
    var samples = try edges.map { try Bytes32(hex: $0) }
    for _ in 0..<20 { samples.append(Scalar(reducing: random.bytes32()).bytes) }
    return samples
  }

  @Test("bytes below n are read and written unchanged, n and above are refused or reduced")
  func coding() throws {
    for sample in try Self.samples() { #expect(try Scalar(sample).bytes == sample) }
    let above: [(String, UInt64)] = [
      (Self.order, 0), ("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364142", 1),
      ("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364150", 15),
    ]
    for (text, remainder) in above {
      let bytes = try Bytes32(hex: text)
      #expect(throws: Secp256k1Error.invalidScalar) { _ = try Scalar(bytes) }
      #expect(Scalar(reducing: bytes).bytes == Bytes32(remainder))
    }
    let largest = try Bytes32(hex: String(repeating: "f", count: 64))
    #expect(Scalar(reducing: largest).bytes.hex == "000000000000000000000000000000014551231950b75fc4402da1732fc9bebe")
    for count in [0, 31, 33] {
      let bytes = [UInt8](repeating: 1, count: count)
      #expect(throws: Secp256k1Error.invalidScalar) { _ = try Scalar(copying: bytes.bytes) }
    }
  }

  @Test("arithmetic is that of the numbers modulo n")
  func arithmetic() throws {
    let samples = try Self.samples()
    for a in samples {
      let x = try Scalar(a)
      #expect((-x).bytes == Reference.negate(a))
      let sum = x + -x
      #expect(sum.isZero == true)
      for b in samples {
        let y = try Scalar(b)
        #expect((x + y).bytes == Reference.add(a, b), "\(a) + \(b)")
        #expect((x - y).bytes == Reference.add(a, Reference.negate(b)), "\(a) - \(b)")
        #expect((x * y).bytes == Reference.multiply(a, b), "\(a) · \(b)")
        let isEqual = x == y
        #expect(isEqual == (a == b))
      }
    }
  }

  @Test("a number times its inverse is 1, and 0 has none")
  func inversion() throws {
    for a in try Self.samples() {
      let x = try Scalar(a)
      if x.isZero {
        #expect(throws: Secp256k1Error.invalidScalar) { _ = try x.inverted() }
      } else {
        let inverse = try x.inverted()
        #expect((x * inverse).bytes == Bytes32(1), "1 / \(a)")
      }
    }
  }

  @Test("scalars and keys agree with libsecp256k1's own arithmetic")
  func keys() throws {
    var random = SeededGenerator(state: 12)
    for _ in 0..<50 {
      let key = random.secretKey()
      let tweak = Scalar(reducing: random.bytes32())
      let sum = try key.adding(tweak.bytes)
      #expect((Scalar(key) + tweak).bytes.array == sum.bytes.array)
      let product = try key.multiplied(by: tweak.bytes)
      #expect((Scalar(key) * tweak).bytes.array == product.bytes.array)
      let negated = key.negated()
      #expect((-Scalar(key)).bytes.array == negated.bytes.array)
      let again = try SecretKey(Scalar(key))
      #expect(again.publicKey == key.publicKey)
      let isSame = Scalar(key) == Scalar(key).copy()
      #expect(isSame)
    }
    #expect(throws: Secp256k1Error.invalidSecretKey) { _ = try SecretKey(Scalar(Bytes32())) }
  }

  /// The same arithmetic in the plainest way: byte by byte, multiplication by doubling.
  enum Reference {
    static let order = try! Bytes32(hex: ScalarTests.order)

    static func add(_ a: Bytes32, _ b: Bytes32) -> Bytes32 {
      var sum = Bytes32()
      var carry = 0
      for index in (0..<32).reversed() {
        carry += Int(a[index]) + Int(b[index])
        sum[index] = UInt8(carry & 0xff)
        carry >>= 8
      }
      return carry == 1 || sum >= order ? subtract(sum, order) : sum
    }

    /// Modulo 2^256.
    static func subtract(_ a: Bytes32, _ b: Bytes32) -> Bytes32 {
      var difference = Bytes32()
      var borrow = 0
      for index in (0..<32).reversed() {
        let value = Int(a[index]) - Int(b[index]) - borrow
        difference[index] = UInt8(value & 0xff)
        borrow = value < 0 ? 1 : 0
      }
      return difference
    }

    static func negate(_ a: Bytes32) -> Bytes32 { a == Bytes32() ? a : subtract(order, a) }

    static func multiply(_ a: Bytes32, _ b: Bytes32) -> Bytes32 {
      var product = Bytes32()
      for index in 0..<32 {
        for bit in (0..<8).reversed() {
          product = add(product, product)
          if b[index] >> UInt8(bit) & 1 == 1 { product = add(product, a) }
        }
      }
      return product
    }
  }
}
