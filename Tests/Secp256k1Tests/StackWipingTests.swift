import CDispatch
import Dispatch
import Encoding
import Foundation
import Secp256k1
import Testing

/// Secrets live on the heap; computing with them must not leave copies on the stack either.
@Suite struct StackWipingTests {
  /// A key as several threads use it.
  final class Signer: Sendable {
    let key: SecretKey
    let pair: KeyPair

    init(_ bytes: Bytes32) throws {
      key = try SecretKey(bytes)
      pair = KeyPair(key)
    }
  }

  static let secret = try! Bytes32(hex: "d97f5108f11cda6eeebaaa420fef0726b1f898060b98489fa309846300320866")

  @Test("no call leaves the secret key or its negation on the stack")
  func everyCall() throws {
    let signer = try Signer(Self.secret)
    let point = SecretKey.random().publicKey
    let hash = SecretKey.random().publicKey.xOnly.key.x
    let keys = try MuSigKeyAggregation([signer.pair.publicKey])
    let calls: [(String, @Sendable () throws -> Void)] = [
      ("public key", { _ = signer.key.publicKey }),
      ("copy", { _ = signer.key.copy() }),
      ("key pair", { _ = KeyPair(signer.key) }),
      ("secret key of a pair", { _ = signer.pair.secretKey() }),
      ("negation", { _ = signer.key.negated() }),
      ("sum", { _ = try signer.key.adding(hash) }),
      ("product", { _ = try signer.key.multiplied(by: hash) }),
      ("tweaked pair", { _ = try signer.pair.xOnlyTweaked(by: hash) }),
      ("ECDSA", { _ = signer.key.signECDSA(hash) }),
      ("recoverable ECDSA", { _ = signer.key.signRecoverable(hash) }),
      ("Schnorr", { _ = signer.pair.signSchnorr(hash, auxRand: hash) }),
      ("ECDH", { _ = signer.key.sharedSecret(with: point) }),
      ("shared point", { _ = signer.key.sharedPoint(with: point) }),
      ("scalar", { _ = try (Scalar(signer.key) * Scalar(signer.key) + -Scalar(signer.key)).inverted() }),
      ("Schnorr adaptor", { _ = try signer.pair.signSchnorrAdaptor(hash, point: point, auxRand: hash) }),
      ("ECDSA adaptor", { _ = try signer.key.signECDSAAdaptor(hash, encryptionKey: point, auxRand: hash) }),
      ("DLEQ", { _ = try DLEQProof(secret: signer.key, base: point, auxRand: hash) }),
      (
        "MuSig2",
        {
          let nonce = MuSigSecretNonce(signer: signer.pair, message: hash, keys: keys)
          let session = MuSigSession(
            keys: keys, aggregateNonce: try MuSigAggregateNonce([nonce.publicNonce]), message: hash)
          _ = try session.sign(with: signer.pair, nonce: nonce)
        }
      ),
      (
        "deterministic MuSig2",
        {
          _ = try signer.key.signMuSigDeterministically(
            keys: keys, aggregateOtherNonce: MuSigSecretNonce(signer: signer.pair).publicNonce.raw,
            message: hash.array, auxRand: hash)
        }
      ),
      (
        "deterministic MuSig2 without randomness",
        {
          _ = try signer.key.signMuSigDeterministically(
            keys: keys, aggregateOtherNonce: MuSigSecretNonce(signer: signer.pair).publicNonce.raw,
            message: hash.array, auxRand: nil)
        }
      ),
    ]
    for (name, call) in calls {
      let (found, succeeded) = Self.secretIsOnStack(after: call)
      #expect(succeeded, "\(name)")
      #expect(!found, "\(name)")
    }
  }

  @Test("a copy on the stack would be found")
  func control() {
    let (found, _) = Self.secretIsOnStack {
      var copy = Self.secret
      // A C function that takes a pointer: the optimiser must have the bytes in memory for it.
      unsafe copy.withMutableBytes { buffer in
        if let start = buffer.baseAddress { precondition(unsafe strnlen(start, buffer.count) > 0) }
      }
    }
    #expect(found)
  }

  /// Runs `body` on a thread whose stack is memory of ours, and looks through that memory afterwards: for either half
  /// of the secret or of its negation, in either order of bytes. Also whether `body` threw nothing.
  ///
  /// It runs twice, and the second time counts: where a C function is called for the first time, the dynamic linker
  /// writes all registers to the stack, with what was last copied through them, and overwrites what was there.
  static func secretIsOnStack(after body: @escaping @Sendable () throws -> Void) -> (found: Bool, succeeded: Bool) {
    _ = lookThroughStack(after: body)
    return lookThroughStack(after: body)
  }

  private static func lookThroughStack(after body: @escaping () throws -> Void) -> (found: Bool, succeeded: Bool) {
    let size = 1 << 19
    let stack = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 4096)
    defer { unsafe stack.deallocate() }
    unsafe stack.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    let run = Run(body)
    var attributes = pthread_attr_t()
    var thread = pthread_t()
    unsafe pthread_attr_init(&attributes)
    unsafe pthread_attr_setstack(&attributes, stack, size)
    let status = unsafe pthread_create(
      &thread, &attributes,
      { context in
        if let context = unsafe context { unsafe Unmanaged<Run>.fromOpaque(context).takeUnretainedValue().start() }
        return nil
      }, unsafe Unmanaged.passUnretained(run).toOpaque())
    guard status == 0 else { return (false, false) }
    run.isDone.wait()
    defer {
      run.mayEnd.signal()
      pthread_join(thread, nil)
      unsafe pthread_attr_destroy(&attributes)
    }

    let memory = unsafe Data(bytesNoCopy: stack, count: size, deallocator: .none)
    let negated = try? SecretKey(secret).negated()
    let found = [secret.array, negated.bytesArray ?? []].contains { number in
      [number, number.reversed()].contains { bytes in
        [bytes.prefix(16), bytes.suffix(16)].contains { memory.range(of: Data($0)) != nil }
      }
    }
    return (found, run.succeeded)
  }

  /// The work of a thread, which stays alive until its stack has been looked at: its end would overwrite much of that.
  private final class Run {
    private let body: () throws -> Void
    private(set) var succeeded = false
    private var levels = 0
    let isDone = DispatchSemaphore(value: 0)
    let mayEnd = DispatchSemaphore(value: 0)

    init(_ body: @escaping () throws -> Void) { self.body = body }

    func start() {
      succeeded = (try? descend(100)) != nil
      isDone.signal()
      mayEnd.wait()
    }

    /// Some frames down, where nothing else reaches: what is done after `body` returns would overwrite its frames.
    private func descend(_ depth: Int) throws {
      guard depth > 0 else { return try body() }
      try descend(depth - 1)
      // So that the recursion is not made a loop; not close to `body`.
      if depth > 20 { levels += 1 }
    }
  }
}
