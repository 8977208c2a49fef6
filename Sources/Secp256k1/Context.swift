internal import CGLC
internal import CSecp256k1
internal import Encoding

/// The one context of the process: made at first use, blinded with fresh randomness, never changed afterwards.
/// libsecp256k1 allows any number of threads to use a context that nobody modifies, hence `@unchecked Sendable`.
@safe struct Context: @unchecked Sendable {
  let pointer: OpaquePointer

  private init() {
    // NONE: since libsecp256k1 0.2 every context can sign and verify.
    unsafe pointer = secp256k1_context_create(UInt32(SECP256K1_CONTEXT_NONE))
    // Called with what a peer sent, a function must fail, not abort: these make it return 0.
    unsafe secp256k1_context_set_illegal_callback(pointer, glc_secp256k1_illegal_argument, nil)
    unsafe secp256k1_context_set_error_callback(pointer, glc_secp256k1_internal_error, nil)
    var seed = Bytes32()
    unsafe seed.withMutableBytes { buffer in
      unsafe glc_random(buffer.baseAddress!, 32)
      mustSucceed(unsafe secp256k1_context_randomize(pointer, buffer.baseAddress!.assumingMemoryBound(to: UInt8.self)))
      unsafe glc_wipe(buffer.baseAddress!, 32)
    }
  }

  static let shared = Context()

  @inline(__always) static var pointer: OpaquePointer { unsafe shared.pointer }
}

/// For calls that cannot fail, whatever came from outside, since the arguments were checked when their values were
/// made. Were one to fail after all, memory would be corrupted, and to go on with a key or signature of zeros would be
/// worse than to stop.
@inline(__always)
func mustSucceed(_ status: Int32) {
  precondition(status == 1, "libsecp256k1 refused arguments that it had accepted before")
}

/// What test code needs to know of the callbacks.
package enum Secp256k1Diagnostics {
  /// How many illegal arguments this thread has passed to libsecp256k1 so far.
  package static var illegalArgumentCount: UInt64 { glc_secp256k1_illegal_argument_count() }

  /// Passes one: a public key of zeros, which none of our types can hold. Whether the library accepted it.
  package static func passIllegalArgument() -> Bool {
    var key = secp256k1_pubkey()
    return unsafe secp256k1_ec_pubkey_negate(Context.pointer, &key) == 1
  }
}
