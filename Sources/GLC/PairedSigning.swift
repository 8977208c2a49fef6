public import Bitcoin
public import Encoding
public import Secp256k1

/// A MuSig2 partial signature with the public nonce that it was made with: `partial_signature_with_nonce`, 98 bytes.
public struct PartialSignature: Hashable, Sendable {
  public var signature: MuSigPartialSignature
  public var nonce: MuSigPublicNonce

  public init(signature: MuSigPartialSignature, nonce: MuSigPublicNonce) {
    self.signature = signature
    self.nonce = nonce
  }
}

extension PartialSignature: BinaryCodable {
  public init(from reader: inout ByteReader) throws(DecodingError) {
    signature = try reader.read()
    nonce = try reader.read()
  }

  public func encode(to writer: inout ByteWriter) {
    writer.write(signature)
    writer.write(nonce)
  }
}

extension CounterSignature {
  /// That of a part of a signature that both sides make.
  public var nonce: MuSigPublicNonce? { if case .musigPartial(let partial) = self { partial.nonce } else { nil } }
}

extension Commitment {
  /// Whether both sides make the signature of its input together.
  public var signsTogether: Bool { if case .musigPartial = fundingCounterSignature { true } else { false } }
}

extension CommitmentKeys {
  /// The keys that both sides have for a role, sorted (BIP 327 `KeySort`) and aggregated.
  public func paired(_ role: KeyRole) throws(DraftError) -> MuSigKeyAggregation {
    let keys = [try self(KeyRef(role, .holder)), try self(KeyRef(role, .counterparty))].sorted()
    do { return try MuSigKeyAggregation(keys) } catch { throw .unusableKey(KeyRef(role, .counterparty)) }
  }

  /// The same as they sign for the key path of an output (BIP 341: tweaked by the tree's root). Throws `.draft` when the output is not locked
  /// by these keys.
  public func paired(
    _ role: KeyRole, spending output: TaprootOutput
  ) throws(SignatureError) -> MuSigKeyAggregation {
    do throws(DraftError) {
      var keys = try paired(role)
      do { try keys.apply(MuSigTweak(output.tweak, .xOnly)) } catch {
        throw .unusableKey(KeyRef(role, .counterparty))
      }
      guard keys.xOnlyPublicKey == output.outputKey else { throw .unusableKey(KeyRef(role, .counterparty)) }
      return keys
    } catch {
      throw .draft(error)
    }
  }
}

extension MuSigSession {
  /// A session of two signers.
  public init(
    keys: MuSigKeyAggregation, nonces first: MuSigPublicNonce, _ second: MuSigPublicNonce, hash: Sighash
  ) throws(SignatureError) {
    let nonce: MuSigAggregateNonce
    do { nonce = try MuSigAggregateNonce([first, second]) } catch { throw .missingNonce }
    self.init(keys: keys, aggregateNonce: nonce, message: hash.raw)
  }
}
