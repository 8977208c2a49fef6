internal import Bitcoin
internal import Encoding
internal import GLC
internal import Secp256k1
internal import Signer
internal import Wire

// Between signatures and nonces as the core has them and as messages carry them.

extension PublicNonceBytes {
  init(_ nonce: MuSigPublicNonce) { self.init(nonce.raw) }

  /// The two points. Taproot channels: MUST fail the channel if the specified public nonce cannot be parsed as two compressed secp256k1
  /// points.
  func parsed() throws(LightningChannel.Fault) -> MuSigPublicNonce {
    do { return try MuSigPublicNonce(copying: bytes) } catch { throw .fail("a public nonce that is not two points") }
  }
}

extension PartialSignatureBytes {
  init(_ signature: MuSigPartialSignature) { self.init(signature.raw) }

  func parsed() throws(LightningChannel.Fault) -> MuSigPartialSignature {
    do { return try MuSigPartialSignature(copying: bytes) } catch { throw .fail("a partial signature out of range") }
  }
}

extension PartialSignatureWithNonce {
  init(_ partial: PartialSignature) {
    self.init(
      partialSignature: PartialSignatureBytes(partial.signature), publicNonce: PublicNonceBytes(partial.nonce))
  }

  func parsed() throws(LightningChannel.Fault) -> PartialSignature {
    PartialSignature(signature: try partialSignature.parsed(), nonce: try publicNonce.parsed())
  }
}

extension FundingNonce {
  init(_ entry: NonceEntry) throws(LightningChannel.Fault) {
    self.init(funding: entry.fundingTxid, nonce: try entry.publicNonce.parsed())
  }
}

extension NonceEntry {
  init(_ nonce: FundingNonce) { self.init(fundingTxid: nonce.funding, publicNonce: PublicNonceBytes(nonce.nonce)) }
}

extension CounterSignature {
  /// The two fields that stand for a signature of the funding output: `signature`, all zeros for taproot, and
  /// `partial_signature_with_nonce`.
  var fundingFields: (signature: CompactSignature, partial: PartialSignatureWithNonce?) {
    switch self {
    case .ecdsa(let signature): (CompactSignature(signature), nil)
    case .schnorr(let signature): (CompactSignature(signature.raw), nil)
    case .musigPartial(let partial): (CompactSignature(Bytes64()), PartialSignatureWithNonce(partial))
    // No funding output is spent with one.
    case .adaptor: (CompactSignature(Bytes64()), nil)
    }
  }

  /// That of a second-stage transaction: 64 bytes of either kind.
  var secondStageField: CompactSignature? {
    switch self {
    case .ecdsa(let signature): CompactSignature(signature)
    case .schnorr(let signature): CompactSignature(signature.raw)
    case .musigPartial, .adaptor: nil
    }
  }
}

extension LightningChannel {
  /// The remote party's signature for the funding output.
  func fundingSignature(
    _ signature: CompactSignature, _ partial: PartialSignatureWithNonce?
  ) throws(Fault) -> CounterSignature {
    guard signsTogether else { return .ecdsa(try Self.signature(signature)) }
    // Taproot channels: MUST fail the channel if `signature` is non-zero; if `partial_signature_with_nonce` is absent.
    guard signature.raw == Bytes64() else { throw .fail("a signature where both sign together") }
    guard let partial else { throw .fail("partial_signature_with_nonce is absent") }
    return .musigPartial(try partial.parsed())
  }

  func secondStageSignature(_ signature: CompactSignature) throws(Fault) -> CounterSignature {
    // Taproot channels: each HTLC signature must be packed as a 64-byte value within the existing `htlc_signature` field.
    signsTogether ? .schnorr(SchnorrSignature(signature.raw)) : .ecdsa(try Self.signature(signature))
  }

  /// Our nonce for our commitment 0, which is told before there is a funding output.
  func openingNonce() throws(OpeningRefusal) -> PublicNonceBytes? {
    guard signsTogether else { return nil }
    let none = OutPoint(txid: TxID(Bytes32()), vout: 0)
    do { return PublicNonceBytes(try signer.nonce(0, on: none)) } catch { throw OpeningRefusal(error.reason) }
  }

  /// The remote party's, from `open_channel` or `accept_channel`.
  mutating func learnOpeningNonce(_ nonce: PublicNonceBytes?) throws(OpeningRefusal) {
    guard signsTogether else { return }
    // Taproot channels: MUST fail the channel if the message doesn't include a `next_local_nonce` value.
    guard let nonce else { throw OpeningRefusal("next_local_nonce is absent") }
    do { firstRemoteNonce = try nonce.parsed() } catch {
      throw OpeningRefusal("next_local_nonce is not two points")
    }
  }
}
