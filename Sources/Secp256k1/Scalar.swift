internal import CGLC
internal import CGMP
public import Encoding
internal import Hashing

/// A number modulo n, the order of the curve. Its 32 bytes live on the heap and are wiped at the end.
///
/// The arithmetic is libgmp's `mpn_sec_*` and `mpn_cnd_*`, whose time and memory accesses do not depend on the numbers;
/// nothing here branches on them either. What is told apart is public: whether an encoding is below n, and whether 0
/// was to be inverted.
public struct Scalar: ~Copyable, Sendable {
  /// Four limbs, least significant first; below n.
  let memory: SecretMemory

  /// Zero.
  init() { memory = SecretMemory(count: 32) }

  /// Reads 32 bytes, big-endian. Throws `.invalidScalar` for n and above, and for another length.
  public init(copying bytes: RawSpan) throws(Secp256k1Error) {
    guard bytes.byteCount == 32 else { throw .invalidScalar }
    let result = Scalar()
    guard unsafe result.loadReducing(bytes) else { throw .invalidScalar }
    self = result
  }

  public init(_ bytes: Bytes32) throws(Secp256k1Error) { try self.init(copying: bytes.bytes) }

  /// 32 bytes, big-endian, modulo n: how hashes become scalars.
  public init(reducing bytes: Bytes32) { self.init(reducing: bytes.bytes) }

  /// As above, of a span that is known to have 32 bytes.
  init(reducing bytes: RawSpan) {
    self.init()
    unsafe loadReducing(bytes)
  }

  /// The number that a secret key is.
  public init(_ secretKey: borrowing SecretKey) {
    self.init(reducing: secretKey.bytes)
  }

  /// The hash in `state` modulo n; the state is wiped.
  init(reducing state: inout SHA256) {
    let hash = SecretMemory(count: 32)
    hash.store(&state)
    self.init(reducing: hash.bytes)
  }

  /// The 32 bytes, big-endian, in memory that is not wiped: for numbers that are not secret.
  public var bytes: Bytes32 {
    var bytes = Bytes32()
    unsafe bytes.withMutablePointer { out in unsafe store(to: out) }
    return bytes
  }

  public var isZero: Bool {
    var bits: mp_limb_t = 0
    for index in 0..<Self.limbCount { unsafe bits |= limbs[index] }
    return bits == 0
  }

  /// Compares in constant time.
  public static func == (a: borrowing Scalar, b: borrowing Scalar) -> Bool {
    a.memory.bytes.constantTimeEquals(b.memory.bytes)
  }

  /// The same number a second time.
  public func copy() -> Scalar { Scalar(adopting: SecretMemory(copying: memory.bytes)) }

  private init(adopting memory: consuming SecretMemory) { self.memory = memory }

  // MARK: Arithmetic modulo n

  public static func + (a: borrowing Scalar, b: borrowing Scalar) -> Scalar {
    let result = Scalar()
    let carry = unsafe gmp_cnd_add_n(1, result.limbs, a.limbs, b.limbs, limbCount)
    let borrow = unsafe gmp_cnd_sub_n(1, result.limbs, result.limbs, order, limbCount)
    // The sum is below n where subtracting n borrows and there was no carry to borrow from.
    unsafe gmp_cnd_add_n(carry ^ borrow, result.limbs, result.limbs, order, limbCount)
    return result
  }

  public static func - (a: borrowing Scalar, b: borrowing Scalar) -> Scalar {
    let result = Scalar()
    let borrow = unsafe gmp_cnd_sub_n(1, result.limbs, a.limbs, b.limbs, limbCount)
    unsafe gmp_cnd_add_n(borrow, result.limbs, result.limbs, order, limbCount)
    return result
  }

  public static prefix func - (a: borrowing Scalar) -> Scalar { Scalar() - a }

  public static func * (a: borrowing Scalar, b: borrowing Scalar) -> Scalar {
    let result = Scalar()
    let product = 2 * limbCount
    let scratch = max(gmp_sec_mul_itch(limbCount, limbCount), gmp_sec_div_r_itch(product, limbCount))
    unsafe withWipedLimbs(product + scratch) { limbs in
      unsafe gmp_sec_mul(limbs, a.limbs, limbCount, b.limbs, limbCount, limbs + product)
      unsafe gmp_sec_div_r(limbs, product, order, limbCount, limbs + product)
      unsafe result.limbs.update(from: limbs, count: limbCount)
    }
    return result
  }

  /// 1 / self. Throws `.invalidScalar` for 0.
  public func inverted() throws(Secp256k1Error) -> Scalar {
    let result = Scalar()
    let exists = unsafe Self.withWipedLimbs(Self.limbCount + gmp_sec_invert_itch(Self.limbCount)) { scratch in
      // The input is overwritten.
      unsafe scratch.update(from: limbs, count: Self.limbCount)
      let bits = mp_bitcnt_t(2 * 8 * 32)
      return unsafe gmp_sec_invert(
        result.limbs, scratch, Self.order, Self.limbCount, bits, scratch + Self.limbCount)
    }
    guard exists == 1 else { throw .invalidScalar }
    return result
  }

  /// −self where `condition` holds, which is public: the parity of a point.
  consuming func negated(if condition: Bool) -> Scalar { condition ? -self : self }

  // MARK: Limbs

  private typealias Limbs = UnsafeMutablePointer<mp_limb_t>
  private static let limbCount = mp_size_t(4)

  /// n, least significant limb first. Limbs of another size than 64 bits do not compile.
  @safe private static nonisolated(unsafe) let order: UnsafePointer<mp_limb_t> = {
    let limbs = Limbs.allocate(capacity: 4)
    unsafe limbs[0] = 0xbfd2_5e8c_d036_4141
    unsafe limbs[1] = 0xbaae_dce6_af48_a03b
    unsafe limbs[2] = 0xffff_ffff_ffff_fffe
    unsafe limbs[3] = 0xffff_ffff_ffff_ffff
    return unsafe UnsafePointer(limbs)
  }()

  private var limbs: Limbs { unsafe UnsafeMutableRawPointer(memory.start).assumingMemoryBound(to: mp_limb_t.self) }

  /// Stores 32 big-endian bytes modulo n; whether they were below n.
  @unsafe @discardableResult private func loadReducing(_ bytes: RawSpan) -> Bool {
    for index in 0..<4 {
      let limb = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 24 - 8 * index, as: UInt64.self)
      unsafe limbs[index] = mp_limb_t(UInt64(bigEndian: limb))
    }
    // 2^256 < 2n: subtracting n once is enough.
    let borrow = unsafe gmp_cnd_sub_n(1, limbs, limbs, Self.order, Self.limbCount)
    unsafe gmp_cnd_add_n(borrow, limbs, limbs, Self.order, Self.limbCount)
    return borrow == 1
  }

  /// Writes 32 bytes, big-endian.
  @unsafe func store(to out: UnsafeMutablePointer<UInt8>) {
    for index in 0..<4 {
      let limb = unsafe UInt64(limbs[index]).bigEndian
      unsafe UnsafeMutableRawPointer(out).storeBytes(of: limb, toByteOffset: 24 - 8 * index, as: UInt64.self)
    }
  }

  /// Memory on the stack for the length of a call, wiped after it.
  @unsafe private static func withWipedLimbs<R>(_ count: mp_size_t, _ body: (Limbs) -> R) -> R {
    unsafe withUnsafeTemporaryAllocation(of: mp_limb_t.self, capacity: count) { buffer in
      defer { unsafe glc_wipe(buffer.baseAddress!, buffer.count * MemoryLayout<mp_limb_t>.stride) }
      return unsafe body(buffer.baseAddress!)
    }
  }
}

extension SecretKey {
  /// The secret key that a number is. Throws `.invalidSecretKey` for 0.
  public init(_ scalar: borrowing Scalar) throws(Secp256k1Error) {
    guard !scalar.isZero else { throw .invalidSecretKey }
    let memory = SecretMemory(count: 32)
    unsafe scalar.store(to: memory.start)
    self.init(adopting: memory)
  }
}
