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
  /// - Parameter point: what the aggregate is bound to, by a plain tweak (BIP 327 §Applying Tweaks) of `pointTweak`.
  public func paired(_ role: KeyRole, boundTo point: PublicKey? = nil) throws(DraftError) -> MuSigKeyAggregation {
    let keys = [try self(KeyRef(role, .holder)), try self(KeyRef(role, .counterparty))].sorted()
    do {
      var aggregate = try MuSigKeyAggregation(keys)
      if let point { try aggregate.apply(MuSigTweak(pointTweak(point), .plain)) }
      return aggregate
    } catch {
      throw .unusableKey(KeyRef(role, .counterparty))
    }
  }

  /// The same as they sign for the key path of an output (BIP 341: tweaked by the tree's root). Throws `.draft` when the output is not locked
  /// by these keys.
  public func paired(
    _ role: KeyRole, boundTo point: PublicKey? = nil, spending output: TaprootOutput
  ) throws(SignatureError) -> MuSigKeyAggregation {
    do throws(DraftError) {
      var keys = try paired(role, boundTo: point)
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

extension MuSigAdaptorSession {
  /// A session of two signers, who sign up to the discrete logarithm of a point.
  public init(
    keys: MuSigKeyAggregation, nonces first: MuSigPublicNonce, _ second: MuSigPublicNonce, point: PublicKey,
    hash: Sighash
  ) throws(SignatureError) {
    let nonce: MuSigAggregateNonce
    do { nonce = try MuSigAggregateNonce([first, second]) } catch { throw .missingNonce }
    self.init(keys: keys, aggregateNonce: nonce, point: point, message: hash.raw)
  }
}

// MARK: - Second stages that both sides sign

/// A second stage whose signature both sides make together.
public struct PairedStage: Sendable {
  /// Whose keys, for which point.
  public let role: KeyRole
  public let point: PublicKey
  /// The output that it spends.
  public let output: TaprootOutput
  public let hash: Sighash

  /// The keys that sign.
  public func keys(_ keys: CommitmentKeys) throws(SignatureError) -> MuSigKeyAggregation {
    try keys.paired(role, boundTo: point, spending: output)
  }
}

extension Commitment {
  /// Those of a commitment, in the order of its outputs.
  public func pairedStages() throws(SignatureError) -> [PairedStage] {
    var stages: [PairedStage] = []
    var scratch = ByteWriter()
    for position in presignIndex where position.pair != nil {
      stages.append(try pairedStage(at: position, scratch: &scratch))
    }
    return stages
  }

  /// One of them.
  /// - Parameter scratch: memory for the script; keep it from one to the next.
  public func pairedStage(
    at position: SecondStageIndex.Position, scratch: inout ByteWriter
  ) throws(SignatureError) -> PairedStage {
    let signed = try secondStageSighash(position, scratch: &scratch)
    guard case .musigAdaptor(let ref, _, let point) = signed.slot,
      case .taproot(let output) = store.output(at: Int(position.output)).lock.reveal
    else { throw .wrongKind }
    return PairedStage(role: ref.role, point: point, output: output, hash: signed.hash)
  }

  /// What each pre-signed path of each output is taken with: what the other side has signed for it or, where both sign together, the
  /// pre-signature that both parts make. Nil for paths that are free, and for what was not handed over.
  /// - Parameters:
  ///   - presignatures: the holder's.
  ///   - signatures: the counterparty's, for second stages.
  public func handedOver(
    _ presignatures: [CounterSignature], _ signatures: [CounterSignature]
  ) -> [[CounterSignature?]] {
    var holder = presignatures.makeIterator()
    var counterparty = signatures.makeIterator()
    var scratch = ByteWriter()
    var pairs = presignIndex.lazy.filter { $0.pair != nil }.makeIterator()
    return outputs.map { sealed in
      sealed.output.paths.map { path in
        guard case .presigned(let template) = path.execution else { return nil }
        guard template.counterSignature.isPaired else {
          return path.spender == .holder ? counterparty.next() : holder.next()
        }
        let parts = (holder.next(), counterparty.next())
        guard case (.musigPartial(let first)?, .musigPartial(let second)?) = parts, let position = pairs.next(),
          let stage = try? pairedStage(at: position, scratch: &scratch), let keys = try? stage.keys(context.keys),
          let session = try? MuSigAdaptorSession(
            keys: keys, nonces: first.nonce, second.nonce, point: stage.point, hash: stage.hash),
          let whole = try? session.aggregate([first.signature, second.signature])
        else { return nil }
        return .adaptor(whole)
      }
    }
  }
}
