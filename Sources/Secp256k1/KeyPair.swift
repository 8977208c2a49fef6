internal import CGLC
internal import CSecp256k1
public import Encoding

/// A secret key together with its public key, as BIP 340 signing needs it. 96 bytes on the heap, wiped at the end.
public struct KeyPair: ~Copyable, Sendable {
  /// libsecp256k1's own form, opaque.
  let memory: SecretMemory
  /// secret · G.
  public let publicKey: PublicKey

  public init(_ secretKey: borrowing SecretKey) {
    let memory = SecretMemory(count: MemoryLayout<secp256k1_keypair>.size)
    mustSucceed(unsafe secp256k1_keypair_create(Context.pointer, memory.keypair, secretKey.memory.start))
    self.init(adopting: memory)
  }

  private init(adopting memory: consuming SecretMemory) {
    var parsed = secp256k1_pubkey()
    mustSucceed(unsafe secp256k1_keypair_pub(Context.pointer, &parsed, memory.keypair))
    publicKey = PublicKey(parsed: parsed)
    self.memory = memory
  }

  /// The x coordinate of the public key, as BIP 340 uses it.
  public var xOnlyPublicKey: XOnlyPublicKey { publicKey.xOnly.key }

  /// The secret key in a memory of its own.
  public func secretKey() -> SecretKey {
    let secret = SecretMemory(count: 32)
    mustSucceed(unsafe secp256k1_keypair_sec(Context.pointer, secret.start, memory.keypair))
    return SecretKey(adopting: secret)
  }

  /// The key pair of the point lift_x(x) + tweak · G (BIP 341 §Taproot Spending).
  /// Throws `.invalidTweak` when the tweak is n or more or the result is the point at infinity.
  public func xOnlyTweaked(by tweak: Bytes32) throws(Secp256k1Error) -> KeyPair {
    let result = SecretMemory(copying: memory.bytes)
    let succeeded = unsafe tweak.withPointer { tweak in
      unsafe secp256k1_keypair_xonly_tweak_add(Context.pointer, result.keypair, tweak)
    }
    guard succeeded == 1 else { throw .invalidTweak }
    return KeyPair(adopting: result)
  }

  /// A BIP 340 signature of a message of any length (32 bytes for a sighash). `auxRand` is the auxiliary randomness of
  /// BIP 340 §Default Signing: fresh random bytes protect against side channels, zeros give a deterministic signature.
  public func signSchnorr(_ message: RawSpan, auxRand: Bytes32) -> SchnorrSignature {
    var signature = Bytes64()
    unsafe signature.withMutablePointer { out in
      unsafe message.withUnsafeBytes { message in
        unsafe auxRand.withPointer { aux in
          // SECP256K1_SCHNORRSIG_EXTRAPARAMS_INIT, a macro that Swift does not see.
          var parameters = unsafe secp256k1_schnorrsig_extraparams(
            magic: (0xda, 0x6f, 0xb3, 0x8c), noncefp: nil, ndata: UnsafeMutableRawPointer(mutating: aux))
          let start = unsafe message.baseAddress?.assumingMemoryBound(to: UInt8.self)
          mustSucceed(
            unsafe secp256k1_schnorrsig_sign_custom(
              Context.pointer, out, start, message.count, memory.keypair, &parameters))
        }
      }
    }
    return SchnorrSignature(signature)
  }

  /// A BIP 340 signature of a 32-byte hash.
  public func signSchnorr(_ hash: Bytes32, auxRand: Bytes32) -> SchnorrSignature {
    signSchnorr(hash.bytes, auxRand: auxRand)
  }
}

extension SecretMemory {
  /// The memory of a `KeyPair`.
  var keypair: UnsafeMutablePointer<secp256k1_keypair> {
    unsafe UnsafeMutableRawPointer(start).assumingMemoryBound(to: secp256k1_keypair.self)
  }
}
