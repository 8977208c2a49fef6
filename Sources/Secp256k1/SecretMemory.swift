internal import CGLC
internal import Encoding

/// Bytes on the heap that are wiped before they are freed. Nothing else holds a secret for longer than one call.
@safe struct SecretMemory: ~Copyable, @unchecked Sendable {
  let start: UnsafeMutablePointer<UInt8>
  let count: Int

  /// Sees the memory of each secret after it was wiped and before it is freed: how a test proves the wiping.
  package nonisolated(unsafe) static var observeWiped: (@Sendable (UnsafeRawBufferPointer) -> Void)?

  init(count: Int) {
    unsafe start = UnsafeMutablePointer<UInt8>.allocate(capacity: count)
    unsafe start.initialize(repeating: 0, count: count)
    self.count = count
  }

  init(copying bytes: RawSpan) {
    self.init(count: bytes.byteCount)
    unsafe bytes.withUnsafeBytes { source in
      if count > 0 { unsafe UnsafeMutableRawPointer(start).copyMemory(from: source.baseAddress!, byteCount: count) }
    }
  }

  deinit {
    unsafe glc_wipe(start, count)
    unsafe Self.observeWiped?(UnsafeRawBufferPointer(start: start, count: count))
    unsafe start.deallocate()
  }

  var bytes: RawSpan {
    @_lifetime(borrow self) get { unsafe RawSpan(_unsafeStart: start, byteCount: count) }
  }
}

extension FixedBytes {
  /// For values on the stack that were secret for the length of a call.
  mutating func wipe() { unsafe withMutableBytes { buffer in unsafe glc_wipe(buffer.baseAddress!, buffer.count) } }

  /// The bytes as C wants them.
  @inline(__always)
  func withPointer<R, E: Error>(_ body: (UnsafePointer<UInt8>) throws(E) -> R) throws(E) -> R {
    try unsafe bytes.withUnsafeBytes { (buffer) throws(E) -> R in
      try unsafe body(buffer.baseAddress!.assumingMemoryBound(to: UInt8.self))
    }
  }

  /// The bytes to be written by C.
  @inline(__always)
  mutating func withMutablePointer<R, E: Error>(
    _ body: (UnsafeMutablePointer<UInt8>) throws(E) -> R
  ) throws(E) -> R {
    try unsafe withMutableBytes { (buffer) throws(E) -> R in
      try unsafe body(buffer.baseAddress!.assumingMemoryBound(to: UInt8.self))
    }
  }
}
