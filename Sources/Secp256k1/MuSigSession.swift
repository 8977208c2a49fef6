internal import CSecp256k1
public import Encoding

/// One signer's share of a MuSig2 signature: a number below n, 32 bytes. Wraps `secp256k1_musig_partial_sig`.
public struct MuSigPartialSignature: FixedSizeBytes {
  public let raw: Bytes32
  let parsed: secp256k1_musig_partial_sig

  public static var byteCount: Int { 32 }
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }

  init(parsed: secp256k1_musig_partial_sig) {
    var raw = Bytes32()
    unsafe raw.withMutablePointer { out in
      unsafe withUnsafePointer(to: parsed) { signature in
        mustSucceed(unsafe secp256k1_musig_partial_sig_serialize(Context.pointer, out, signature))
      }
    }
    self.raw = raw
    self.parsed = parsed
  }

  /// Reads 32 bytes. Throws `.wrongLength`, or `.malformed` for n and above.
  public init(copying bytes: RawSpan) throws(DecodingError) {
    raw = try Bytes32(copying: bytes)
    var parsed = secp256k1_musig_partial_sig()
    let succeeded = unsafe raw.withPointer { bytes in
      unsafe secp256k1_musig_partial_sig_parse(Context.pointer, &parsed, bytes)
    }
    guard succeeded == 1 else { throw .malformed("not below the order of the curve") }
    self.parsed = parsed
  }

  public static func == (a: Self, b: Self) -> Bool { a.raw == b.raw }
  public static func < (a: Self, b: Self) -> Bool { a.raw < b.raw }
  public func hash(into hasher: inout Hasher) { raw.hash(into: &hasher) }
}

/// The second round of MuSig2 (BIP 327): keys, aggregate nonce and message are fixed, signers sign and anyone can
/// verify and add up. Holds nothing secret. Wraps `secp256k1_musig_session`.
///
///     let keys = try MuSigKeyAggregation([alice.publicKey, bob.publicKey].sorted())
///     let nonce = MuSigSecretNonce(signer: alice, message: hash, keys: keys)   // send nonce.publicNonce
///     let session = MuSigSession(keys: keys, aggregateNonce: try .init([nonce.publicNonce, theirs]), message: hash)
///     let mine = try session.sign(with: alice, nonce: nonce)                   // `nonce` is gone
///     let signature = try session.aggregate([mine, received])                  // for keys.xOnlyPublicKey
public struct MuSigSession: Sendable {
  public let keys: MuSigKeyAggregation
  public let aggregateNonce: MuSigAggregateNonce
  public let message: Bytes32
  let parsed: secp256k1_musig_session

  public init(keys: MuSigKeyAggregation, aggregateNonce: MuSigAggregateNonce, message: Bytes32) {
    self.keys = keys
    self.aggregateNonce = aggregateNonce
    self.message = message
    var parsed = secp256k1_musig_session()
    unsafe message.withPointer { message in
      unsafe withUnsafePointer(to: aggregateNonce.parsed) { nonce in
        unsafe withUnsafePointer(to: keys.cache) { cache in
          mustSucceed(unsafe secp256k1_musig_nonce_process(Context.pointer, &parsed, nonce, message, cache))
        }
      }
    }
    self.parsed = parsed
  }

  /// This signer's partial signature (`Sign`). The nonce is used up, whether or not signing succeeds. As in
  /// libsecp256k1, the result is not verified again.
  ///
  /// Throws `.unknownSigner` when the key is not among `keys`, `.nonceOfAnotherKey` when the nonce was made for another
  /// one.
  public func sign(
    with keyPair: borrowing KeyPair, nonce: consuming MuSigSecretNonce
  ) throws(Secp256k1Error) -> MuSigPartialSignature {
    // The library would call both illegal arguments.
    guard nonce.publicKey == keyPair.publicKey else { throw .nonceOfAnotherKey }
    guard keys.publicKeys.contains(keyPair.publicKey) else { throw .unknownSigner }
    var signature = secp256k1_musig_partial_sig()
    unsafe withUnsafePointer(to: keys.cache) { cache in
      unsafe withUnsafePointer(to: parsed) { session in
        mustSucceed(
          unsafe secp256k1_musig_partial_sign(
            Context.pointer, &signature, nonce.memory.secretNonce, keyPair.memory.keypair, cache, session))
      }
    }
    return MuSigPartialSignature(parsed: signature)
  }

  /// Whether this is the partial signature of the signer who has this key and sent this nonce (`PartialSigVerify`). The
  /// nonce must be the one that went into `aggregateNonce`.
  public func isValid(
    _ signature: MuSigPartialSignature, of publicKey: PublicKey, nonce: MuSigPublicNonce
  ) -> Bool {
    guard keys.publicKeys.contains(publicKey) else { return false }
    return unsafe withUnsafePointer(to: keys.cache) { cache in
      unsafe withUnsafePointer(to: parsed) { session in
        unsafe withUnsafePointer(to: signature.parsed) { signature in
          unsafe withUnsafePointer(to: nonce.parsed) { nonce in
            unsafe withUnsafePointer(to: publicKey.parsed) { key in
              unsafe secp256k1_musig_partial_sig_verify(Context.pointer, signature, nonce, key, cache, session)
            }
          }
        }
      }
    } == 1
  }

  /// Adds up the partial signatures of all signers, in any order (`PartialSigAgg`), to a signature for
  /// `keys.xOnlyPublicKey`, which is valid if each of them was. Throws `.invalidPartialSignature` unless there is one
  /// for each signer.
  public func aggregate(_ signatures: [MuSigPartialSignature]) throws(Secp256k1Error) -> SchnorrSignature {
    guard signatures.count == keys.publicKeys.count else { throw .invalidPartialSignature }
    var result = Bytes64()
    unsafe result.withMutablePointer { out in
      unsafe withUnsafePointer(to: parsed) { session in
        unsafe signatures.map(\.parsed).withUnsafeBufferPointer { signatures in
          unsafe signatures.withElementPointers { pointers in
            mustSucceed(
              unsafe secp256k1_musig_partial_sig_agg(
                Context.pointer, out, session, pointers.baseAddress!, pointers.count))
          }
        }
      }
    }
    return SchnorrSignature(result)
  }

  /// Adds up partial signatures as the signers sent them. BIP 327: "fail if s_i ≥ n and blame signer i for invalid
  /// partial signature": throws `.invalidContribution(.partialSignature, signer:)`, and as above.
  public func aggregate(encoded signatures: [Bytes32]) throws(Secp256k1Error) -> SchnorrSignature {
    var parsed: [MuSigPartialSignature] = []
    parsed.reserveCapacity(signatures.count)
    for (signer, bytes) in signatures.enumerated() {
      guard let signature = try? MuSigPartialSignature(copying: bytes.bytes) else {
        throw .invalidContribution(.partialSignature, signer: signer)
      }
      parsed.append(signature)
    }
    return try aggregate(parsed)
  }
}
