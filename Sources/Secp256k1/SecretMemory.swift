internal import CGLC
internal import Encoding
internal import Hashing

/// Bytes on the heap that are wiped before they are freed. Nothing else holds a secret for longer than one call.
@safe struct SecretMemory: ~Copyable, @unchecked Sendable {
  /// Aligned for any of C's plain types.
  let start: UnsafeMutablePointer<UInt8>
  let count: Int

  /// `count` zero bytes.
  init(count: Int) {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 16)
    unsafe start = memory.initializeMemory(as: UInt8.self, repeating: 0, count: count)
    self.count = count
    SecretMemoryObserver.current?.made(count)
  }

  init(copying bytes: RawSpan) {
    self.init(count: bytes.byteCount)
    unsafe bytes.withUnsafeBytes { source in
      if count > 0 { unsafe UnsafeMutableRawPointer(start).copyMemory(from: source.baseAddress!, byteCount: count) }
    }
  }

  deinit {
    unsafe glc_wipe(start, count)
    unsafe SecretMemoryObserver.reportWiped(UnsafeRawPointer(start), count)
    unsafe start.deallocate()
  }

  var bytes: RawSpan {
    @_lifetime(borrow self) get { unsafe RawSpan(_unsafeStart: start, byteCount: count) }
  }

  /// Overwrites the bytes with the hash in `state`, and wipes the state.
  func store(_ state: inout SHA256) {
    unsafe withUnsafeMutableSpan { span in state.finish(wipingInto: &span) }
  }

  @unsafe private func withUnsafeMutableSpan(_ body: (inout MutableRawSpan) -> Void) {
    var span = unsafe MutableRawSpan(_unsafeStart: start, byteCount: count)
    body(&span)
  }
}

/// How a test sees that secrets are wiped.
package struct SecretMemoryObserver: Sendable {
  /// Called with the number of bytes of each secret that is made.
  let made: @Sendable (Int) -> Void
  /// Called with the memory of each secret after it was wiped and before it is freed.
  let wiped: @Sendable (RawSpan) -> Void

  package init(made: @escaping @Sendable (Int) -> Void, wiped: @escaping @Sendable (RawSpan) -> Void) {
    self.made = made
    self.wiped = wiped
  }

  /// Task-local, so that tests that run side by side do not see each other's secrets.
  @TaskLocal package static var current: SecretMemoryObserver?

  @unsafe static func reportWiped(_ start: UnsafeRawPointer, _ count: Int) {
    current?.wiped(unsafe RawSpan(_unsafeStart: start, byteCount: count))
  }
}

extension FixedBytes {
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
