public import Bitcoin
internal import Encoding
public import GLC
internal import Hashing
public import Secp256k1

// Signatures that both sides make together for the key path of a taproot output (MuSig2, BIP 327).

extension PathOpener {
  /// This side's part of a signature, for who signs last: the other side's nonce is known. Nothing is kept and no randomness is needed: the
  /// nonce is made from the key and from all that the signature depends on, so that the same question gets the same answer, and any other
  /// question another nonce (BIP 327 §Deterministic and Stateless Signing for a Single Signer).
  /// - Parameters:
  ///   - role: of both keys.
  ///   - nonce: the other side's.
  public func signPartially(
    _ role: KeyRole, spending output: TaprootOutput, nonce theirs: MuSigPublicNonce, _ hash: Sighash
  ) throws(SigningError) -> PartialSignature {
    let keys = try paired(role, output)
    let secretKey = try key(KeyRef(role, side))
    let pair = KeyPair(secretKey)
    var writer = ByteWriter(reservingCapacity: 200)
    writer.write(Array("glc/musig2/last signer".utf8))
    writer.write(theirs)
    writer.write(keys.xOnlyPublicKey)
    writer.write(hash)
    let secret = HMACSHA256(key: secretKey.bytes).authenticate(writer.bytes.bytes)
    do {
      let nonce = try MuSigSecretNonce(
        sessionSecret: secret.bytes, signer: pair, message: hash.raw, keys: keys,
        extraInput: sha256(theirs.bytes))
      let publicNonce = nonce.publicNonce
      let session = try MuSigSession(keys: keys, nonces: publicNonce, theirs, hash: hash)
      return PartialSignature(signature: try session.sign(with: pair, nonce: nonce), nonce: publicNonce)
    } catch {
      throw .unusableKey(KeyRef(role, side))
    }
  }

  /// The same with a nonce that the other side was told before. It is used up.
  public func signPartially(
    _ role: KeyRole, spending output: TaprootOutput, with nonce: consuming MuSigSecretNonce,
    nonce theirs: MuSigPublicNonce, _ hash: Sighash
  ) throws(SigningError) -> PartialSignature {
    let keys = try paired(role, output)
    let pair = KeyPair(try key(KeyRef(role, side)))
    do {
      let publicNonce = nonce.publicNonce
      let session = try MuSigSession(keys: keys, nonces: publicNonce, theirs, hash: hash)
      return PartialSignature(signature: try session.sign(with: pair, nonce: nonce), nonce: publicNonce)
    } catch {
      throw .unusableKey(KeyRef(role, side))
    }
  }

  /// The signature that both parts make.
  public func complete(
    _ role: KeyRole, spending output: TaprootOutput, _ own: PartialSignature, _ theirs: PartialSignature,
    _ hash: Sighash
  ) throws(SigningError) -> SchnorrSignature {
    do throws(SignatureError) {
      let session = try MuSigSession(
        keys: try keys.paired(role, spending: output), nonces: own.nonce, theirs.nonce, hash: hash)
      do { return try session.aggregate([own.signature, theirs.signature]) } catch { throw .invalidFunding }
    } catch {
      throw .signature(error)
    }
  }

  private func paired(_ role: KeyRole, _ output: TaprootOutput) throws(SigningError) -> MuSigKeyAggregation {
    do { return try keys.paired(role, spending: output) } catch { throw .signature(error) }
  }
}
