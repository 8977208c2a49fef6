internal import CGLC
public import Encoding

/// 32 secret bytes on the heap, wiped when their owner lets them go: cipher keys, chaining keys. (`SecretKey` of the curve is another
/// type: not every 32 bytes are one.)
@safe public struct SecretBytes32: ~Copyable, @unchecked Sendable {
  let start: UnsafeMutablePointer<UInt8>

  /// A copy of `bytes`, which the caller wipes.
  public init(_ bytes: Bytes32) {
    unsafe start = UnsafeMutablePointer<UInt8>.allocate(capacity: 32)
    unsafe start.initialize(repeating: 0, count: 32)
    store(bytes)
  }

  /// The same secret a second time, for a second owner.
  public init(copying other: borrowing SecretBytes32) {
    unsafe start = UnsafeMutablePointer<UInt8>.allocate(capacity: 32)
    unsafe start.initialize(from: other.start, count: 32)
  }

  deinit {
    unsafe glc_wipe(start, 32)
    unsafe SecretBytesObserver.report(start)
    unsafe start.deallocate()
  }

  /// The secret bytes, borrowed.
  public var bytes: RawSpan { @_lifetime(borrow self) get { unsafe RawSpan(_unsafeStart: start, byteCount: 32) } }

  /// Overwrites the secret.
  public mutating func store(_ bytes: Bytes32) {
    unsafe bytes.bytes.withUnsafeBytes { source in
      unsafe UnsafeMutableRawPointer(start).copyMemory(from: source.baseAddress!, byteCount: 32)
    }
  }
}

/// How a test sees that secrets are wiped.
package struct SecretBytesObserver: Sendable {
  /// Called with each secret's memory after it was wiped and before it is freed.
  let wiped: @Sendable (RawSpan) -> Void

  package init(wiped: @escaping @Sendable (RawSpan) -> Void) { self.wiped = wiped }

  /// For the task that sets it and its children. A value of a type of our own: the runtime of Swift 6.3 finds no metadata for a
  /// bare function of a `RawSpan` in optimised code, and crashes.
  @TaskLocal package static var current: SecretBytesObserver?

  @unsafe static func report(_ start: UnsafePointer<UInt8>) {
    current?.wiped(unsafe RawSpan(_unsafeStart: start, byteCount: 32))
  }
}

extension HKDFSHA256 {
  /// BOLT 8: `ck, k = HKDF(ck, ikm)`.
  public static func mix(_ ikm: RawSpan, chainingKey: inout SecretBytes32, key: inout SecretBytes32) {
    var (first, second) = twoKeys(salt: chainingKey.bytes, ikm: ikm)
    chainingKey.store(first)
    key.store(second)
    wipe(&first)
    wipe(&second)
  }

  /// BOLT 8 §Lightning Message Key Rotation: `ck', k' = HKDF(ck, k)`.
  public static func rotate(chainingKey: inout SecretBytes32, key: inout SecretBytes32) {
    var (first, second) = twoKeys(salt: chainingKey.bytes, ikm: key.bytes)
    chainingKey.store(first)
    key.store(second)
    wipe(&first)
    wipe(&second)
  }
}
